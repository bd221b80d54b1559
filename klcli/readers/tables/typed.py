"""Tables that come with types: Parquet by row groups; Feather and what pandas reads, all at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import _compute as kernels

from klcli.arrow import call, nulls, whole
from klcli.blocks import Block, Column, Failure, Pairs
from klcli.errors import InputError, clipped
from klcli.readers.columnar import first_line, without_row_numbers
from klcli.readers.documents import object_of
from klcli.readers.numbers import NotANumberError, number
from klcli.readers.tables.fields import Places, pairs_of_fields
from klcli.readers.tables.layout import lay_out
from klcli.readers.tables.rows import Rows, as_text, groups_of, pair_a_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy.typing as npt

    from klcli.readers.sources import Source
    from klcli.readers.tables.layout import Layout, Wanted

    Part = Callable[[], Iterable[Block]]
    Run = Callable[[], Iterable[pa.Table]]

_ROWS = 1 << 17
"""Rows of a block: a row group of the usual size, or a part of a large one."""

_MOST_AT_ONCE = 1 << 18
"""A row group of more rows is read bit by bit."""


class TypedTable:
    """Arrow tables of one schema, one after the other.

    runs: of the columns named, functions that each read some of the tables; any thread may call them, in any order.
    """

    def __init__(
        self, source: str, wanted: Wanted, schema: pa.Schema, runs: Callable[[list[str]], Iterable[Run]]
    ) -> None:
        self.source, self._runs = source, runs
        names = without_row_numbers(schema.names)
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            message = f"{source}: two columns are called {clipped(twice)}; rename one"
            raise InputError(message)
        kinds = [schema.field(name).type for name in names]
        text = [pa.types.is_string(kind) or pa.types.is_large_string(kind) for kind in kinds]
        self.layout = lay_out(wanted, names, source, text)
        self.kept = self.layout.names(self.layout.by or self.layout.kept)

    def place(self, line: int) -> str:
        """The row."""
        return f"{self.source}, row {line + 1}"

    def parts(self) -> Iterator[Part]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        if self.layout.by:
            yield from groups_of(self.rows(), self.layout)
            return
        for run in self._read():
            yield partial(_blocks, run, self.layout)

    def rows(self) -> Iterator[Rows]:
        """The rows as they are read, before they are pairs."""
        for run in self._read():
            for table in run():
                yield rows_of(table, self.layout)

    def _read(self) -> Iterable[Run]:
        layout = self.layout
        return self._runs(list(dict.fromkeys(layout.header[i] for i in (*layout.numbers, *layout.text))))


def _blocks(run: Run, layout: Layout) -> Iterator[Block]:
    return (block_of(table, layout) for table in run())


def block_of(table: pa.Table, layout: Layout) -> Block:
    """The pairs of some rows."""
    sides = [side for side in (layout.p, layout.q) if side]
    if any(len(side) > 1 for side in sides) or all(
        _is_scalar(table.column(layout.header[side[0]]).type) for side in sides
    ):
        return pair_a_row(rows_of(table, layout), layout)
    names = tuple(layout.header[side[0]] if side else None for side in (layout.p, layout.q))
    columns = [None if name is None else whole(table.column(name)) for name in names]
    kept = tuple(Column(name, _with_kernels(whole(table.column(name))), "value") for name in layout.names(layout.kept))
    n = table.num_rows
    lists = [None if column is None else _same_length(column) for column in columns]
    if all(column is None or found is not None for column, found in zip(columns, lists, strict=True)):
        rows = np.arange(n)
        where = Places((names[0], names[1]), (None, None), rows, int)
        return Block(n, n, kept, (Pairs(rows, lists[0], lists[1], (None, None), where),))
    fields = [None if column is None else list(map(_plain, column.to_pylist())) for column in columns]
    pairs, failures = pairs_of_fields((names[0], names[1]), fields, (), int)
    return Block(n, n, kept, tuple(pairs), tuple(failures))


def _plain(value: Any) -> Any:  # noqa: ANN401
    """A map as an object; Arrow has it as a list of pairs."""
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return object_of(value)
    return {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def _is_scalar(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)


def _same_length(column: Any) -> npt.NDArray[np.float64] | None:  # noqa: ANN401
    """Lists of numbers, all of one length, as (K, n); None where that is not what they are."""
    kind = column.type
    of = pa.types
    if (
        not (of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind))
        or column.null_count
        or not len(column)
    ):
        return None
    if not (of.is_floating(kind.value_type) or of.is_integer(kind.value_type)):
        return None
    values = column.flatten()
    lengths = len(values) // len(column)
    if not of.is_fixed_size_list(kind):
        size = np.dtype(np.int32 if of.is_list(kind) else np.int64)
        offsets = np.frombuffer(column.buffers()[1], dtype=size)[column.offset : column.offset + len(column) + 1]
        if (np.diff(offsets) != lengths).any():
            return None
    if values.null_count or lengths == 0:
        return None
    doubles: Any = np.from_dlpack(_as_doubles(values))
    weights: npt.NDArray[np.float64] = doubles.reshape(len(column), lengths).T
    return weights


def _as_doubles(cells: Any) -> Any:  # noqa: ANN401
    if cells.type == pa.float64():
        return cells
    return call(
        "cast",
        [cells],
        kernels.CastOptions(target_type=pa.float64(), allow_int_overflow=True, allow_float_truncate=True),
    )


def rows_of(table: pa.Table, layout: Layout) -> Rows:
    """Rows whose weights are numbers."""
    names, n = layout.names(layout.numbers), table.num_rows
    numbers = np.empty((len(names), n))
    failures: dict[int, Failure] = {}

    def missing(name: str, what: str) -> None:
        column = whole(table.column(name))
        for row in np.flatnonzero(nulls(column)).tolist() if column.null_count else ():
            text = f"nothing stands where a {what} should in column {clipped(name)}"
            failures.setdefault(row, Failure(row, row, text, InputError))

    for out, name in zip(numbers, names, strict=True):
        missing(name, "number")
        column = whole(table.column(name))
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            filled = column.fill_null(1) if column.null_count else column
            out[:] = np.from_dlpack(_as_doubles(filled)) if n else ()
        else:
            _parse(column, name, out, failures)
    text = [_with_kernels(whole(table.column(name))) for name in layout.names(layout.by or layout.kept)]
    for name in layout.names(layout.by):
        missing(name, "group")
    if layout.by and layout.label is not None:
        missing(layout.header[layout.label], "label")
        text.append(as_text(whole(table.column(layout.header[layout.label]))))
    return Rows(n, n, numbers, text, "value", tuple(failures[row] for row in sorted(failures)))


def _with_kernels(column: Any) -> Any:  # noqa: ANN401
    """The column; of strings as Polars has them, for which Arrow lacks kernels, as it has them itself."""
    return column.cast(pa.string()) if pa.types.is_string_view(column.type) else column


def _parse(column: Any, name: str, out: npt.NDArray[np.float64], failures: dict[int, Failure]) -> None:  # noqa: ANN401
    """Numbers written as text, or decimals."""
    for row, value in enumerate(column.to_pylist()):
        out[row] = 1.0
        if value is None:
            continue
        try:
            out[row] = number(value if isinstance(value, str) else str(value))
        except NotANumberError as error:
            text = f"{error.found} in column {clipped(name)} {error.wrong}"
            failures.setdefault(row, Failure(row, row, text, InputError))


def open_parquet(source: Source, wanted: Wanted) -> TypedTable:
    """A Parquet file, by row groups."""
    from pyarrow.parquet import ParquetFile

    plain = source.path is not None and not source.compression and source.path.is_file()
    whole_file: Any = None if plain else pa.py_buffer(source.data)

    def opened(**options: Any) -> ParquetFile:  # noqa: ANN401
        return ParquetFile(pa.OSFile(str(source.path)) if plain else pa.BufferReader(whole_file), **options)

    try:
        first = opened()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(source, error, "Parquet") from None

    def runs(names: list[str]) -> Iterator[Run]:
        for i in range(first.num_row_groups):
            batches = partial(_batches, source, opened, i, names)
            if first.metadata.row_group(i).num_rows <= _MOST_AT_ONCE:
                yield batches
            else:
                yield from (partial(iter, [table]) for table in batches())

    return TypedTable(source.name, wanted, first.schema_arrow, runs)


def _batches(source: Source, opened: Callable[..., Any], i: int, names: list[str]) -> Iterator[pa.Table]:
    """A row group in small tables, by a reader of its own: one cannot be shared by threads.

    A batch costs 2 ms by itself, so that a row group of the usual size is one.
    """
    try:
        reader = opened(pre_buffer=False)
        for batch in reader.iter_batches(_ROWS, row_groups=[i], columns=names, use_threads=False):
            yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(source, error, "Parquet") from None


def _unreadable(source: Source, error: Exception, kind: str) -> InputError:
    return InputError(f"{source.name}: not a readable {kind} file ({first_line(error)})")


def open_whole(source: Source, wanted: Wanted, table: pa.Table) -> TypedTable:
    """A table that has been read."""

    def runs(names: list[str]) -> Iterator[Run]:
        chosen = table.select(names)
        return (partial(iter, [chosen.slice(start, _ROWS)]) for start in range(0, table.num_rows, _ROWS))

    return TypedTable(source.name, wanted, table.schema, runs)

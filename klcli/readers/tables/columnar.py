"""Tables that come with types: Parquet by row groups; Feather, ORC, and what pandas reads, all at once.

Arrow's own conversions to NumPy import pandas (0.3 s) where it is installed; `np.from_dlpack` does not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import _compute as kernels
from pyarrow import types as of

from klcli.arrow import as_text, call, cast, nulls, taken, whole
from klcli.blocks import Failure
from klcli.errors import InputError, KlcliError, clipped, lacking
from klcli.readers.documents import distribution_of
from klcli.readers.numbers import POINT, NotANumberError, mend, number
from klcli.readers.sources import cannot_read, first_line, unreadable
from klcli.readers.tables.cells import json_value
from klcli.readers.tables.pandas_formats import PANDAS_FORMATS, Whole, read_by_pandas
from klcli.readers.tables.percents import faults
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table, copy_doubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Source
    from klcli.readers.tables.layout import Layout

    Cells = Any  # pyarrow has no types

_CELLS = 1 << 19
"""Cells of a frame: it costs 2 ms by itself, and larger ones only take memory."""

_BUFFER = 1 << 14
"""Bytes of each column of a Parquet file that are read at a time. Arrow would read those of a whole row group."""


# ------------------------------------------------------------------------------------------------------ the whole table


def read_columnar(source: Source, format_name: str) -> Table:
    """All of a table, with Arrow's columns, whose numbers `doubles` gives. Raises InputError."""
    table, rows, remarks = _read_whole(source, format_name)
    index = table.schema.get_field_index(_INDEX)
    places = ({} if index < 0 else {"": index}) | _places(table.schema, source.name)
    columns = {i: table.column(place) for i, place in enumerate(places.values())}
    n = table.num_rows
    return Table(
        tuple(places),
        columns,
        n,
        n,
        "value",
        remarks=dict.fromkeys(remarks, n),
        source=source.name,
        place=lambda line: f"{source.name}, row {rows[line]}",
    )


def doubles(cells: Cells, refuse: Callable[[int, NotANumberError], None], notation: Notation = POINT) -> Cells:
    """A column's numbers, (n,), 1 where it is null: text and decimals are the doubles nearest to what they say.

    refuse(row, error) is called for each cell that is no number; it may raise. What comes back is an Arrow array of
    doubles without nulls, or NumPy's.
    """
    cells = whole(cells)
    if of.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if of.is_decimal128(cells.type):
        return _of_decimals(cells)
    if of.is_floating(cells.type) or of.is_integer(cells.type):
        if cells.type != pa.float64():
            options = kernels.CastOptions(pa.float64(), allow_int_overflow=True, allow_float_truncate=True)
            cells = call("cast", [cells], options)
        if not cells.null_count:
            return cells
        numbers = np.frombuffer(cells.buffers()[1])[cells.offset : cells.offset + len(cells)].copy()
        numbers[nulls(cells)] = 1
        return numbers
    numbers = np.ones(len(cells))
    for row, value in enumerate(cells.to_pylist()):
        if value is not None:
            try:
                numbers[row] = number(value, notation) if isinstance(value, str) else number(str(value))
            except NotANumberError as error:
                refuse(row, error)
    return numbers


def filled(numbers: Cells, cells: Cells, blank: str) -> Cells:
    """A column's numbers, of `doubles`, with 0 or, to be left out, NaN where a cell is null. blank: see `Notation`."""
    if blank == "error":
        return numbers
    numbers = numbers.copy() if isinstance(numbers, np.ndarray) else np.array(np.from_dlpack(numbers))
    numbers[nulls(cells) | np.isnan(numbers)] = 0.0 if blank == "zero" else np.nan
    return numbers


_MOST_EXACT, _LARGEST_POWER = 1 << 53, 22
"""Integers up to the one, and powers of ten up to the other, are doubles, so that their quotient is rounded once."""


def _of_decimals(cells: Cells) -> Array:
    """The doubles nearest to decimals. Arrow's cast is off by a digit in a third of decimal(10, 4)."""
    scale = cells.type.scale
    halves = np.frombuffer(cells.buffers()[1], dtype="<i8").reshape(-1, 2)[cells.offset : cells.offset + len(cells)]
    low, high = halves[:, 0], halves[:, 1]
    exact = (high == low >> 63) & (low >= -_MOST_EXACT) & (low <= _MOST_EXACT) & (0 <= scale <= _LARGEST_POWER)
    numbers: Array = low / 10.0 ** min(max(scale, 0), _LARGEST_POWER)
    if cells.null_count:
        missing = nulls(cells)
        numbers[missing] = 1
        exact |= missing
    for row in np.flatnonzero(~exact).tolist():
        numbers[row] = float(cells[row].as_py())  # which Python reads from its digits
    return numbers


_INDEX = "__index_level_0__"
"""What pandas calls its index where that has no name, and is not only the numbers of the rows."""


def _places(schema: pa.Schema, source: str) -> dict[str, int]:
    """Where each column stands, without those that pandas makes of row numbers. Raises InputError."""
    places: dict[str, int] = {}
    for i, name in enumerate(schema.names):
        if name in places:
            message = f"{source}: two columns are called {clipped(name)}; rename one"
            raise InputError(message)
        if not re.fullmatch(r"__index_level_\d+__", name):
            places[name] = i
    return places


# ----------------------------------------------------------------------------------------------------------- the stream


class ColumnarStream:
    """A table with types whose rows are still to be read. text: which of its columns hold text."""

    small, note, begin = False, "", 0

    def __init__(self, source: Source, format_name: str) -> None:
        self.source = source.name
        self._notation = source.dialect.notation
        self._table: _Parquet | pa.Table
        self._rows: Sequence[int] = ()
        self._remarks: tuple[str, ...] = ()
        if format_name == "parquet":
            self._table = _Parquet(source)
        else:
            self._table, self._rows, self._remarks = _read_whole(source, format_name)
        places = _places(self._table.schema, source.name)
        self.names, self._before = tuple(places), 0
        self.text = [is_text(self._table.schema.field(place).type) for place in places.values()]

    def place(self, line: int) -> str:
        """The row."""
        return f"{self.source}, row {self._rows[line] if self._rows else self._before + line + 1}"

    @property
    def row_groups(self) -> list[tuple[int, int]]:
        """The rows and the bytes of each row group of a Parquet file."""
        return self._table.row_groups if isinstance(self._table, _Parquet) else []

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only some row groups of a Parquet file, from `start` to before `end`. before: the rows above them."""
        self._table.groups = range(start, end)
        self._before = before

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        names = list(dict.fromkeys(layout.names((*layout.numbers, *layout.text))))
        kinds = [self._table.schema.field(name).type for name in layout.names(layout.numbers)]
        nested = layout.in_fields and any(map(of.is_nested, kinds))
        if isinstance(self._table, _Parquet):
            batches = self._table.batches(names)
        else:
            chosen, rows = self._table.select(names), _rows_of(names)
            parts = (chosen.slice(start, rows).combine_chunks() for start in range(0, chosen.num_rows, rows))
            batches = (part.to_batches()[0] for part in parts)
        remarks = self._remarks
        for batch in batches:
            yield partial(_frame, batch, layout, self._notation, remarks, nested=nested)
            remarks = ()


def _rows_of(names: Sequence[str]) -> int:
    """How many rows of so many columns are a frame."""
    return min(max(_CELLS // max(len(names), 1), 1 << 10), 1 << 17)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds text."""
    kind = kind.value_type if of.is_dictionary(kind) else kind
    return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind))


def _frame(batch: Any, layout: Layout, notation: Notation, remarks: Sequence[str], *, nested: bool) -> Table:  # noqa: ANN401
    """The columns of the layout of some rows. remarks: what should be known of them. Raises InputError."""
    try:
        found = _read_columns(batch, layout, notation, nested=nested)
        failures = {failure.row: failure for failure in (*_mixed(batch, found, layout), *found.failures)}
        wrong = tuple(failures[row] for row in sorted(failures))
        return replace(found, failures=wrong, remarks=dict.fromkeys(remarks, found.size))
    except (pa.ArrowException, ValueError) as error:
        message = f"{layout.source}: not readable ({first_line(error)})"
        raise lacking(error) or InputError(message) from None


def _read_columns(batch: Any, layout: Layout, notation: Notation, *, nested: bool) -> Table:  # noqa: ANN401
    wrong: dict[int, Failure] = {}
    columns: dict[int, Cells] = {}

    def fail(row: int, text: str, error: type[KlcliError] = InputError) -> None:
        wrong.setdefault(row, Failure(row, row, text, error))

    def cells_of(i: int, what: str = "") -> Cells:
        """A column; where `what` it holds is needed in each row, a failure for each in which it is missing."""
        cells = batch.column(layout.header[i])
        if not of.is_primitive(cells.type):
            cells.validate(full=True)  # that text is UTF-8
        for row in np.flatnonzero(nulls(cells)).tolist() if what and cells.null_count else ():
            how = mend("", notation) if what == "number" else ""
            wrong = f"nothing stands where a {what} should in column {clipped(layout.header[i])}{how}"
            fail(row, no_group(layout.header[i]) if what == "group" else wrong)
        return cells

    matrix = np.empty((0 if nested else len(layout.numbers), batch.num_rows))
    for n, i in enumerate(layout.numbers):
        name = clipped(layout.header[i])

        def refuse(row: int, error: NotANumberError, name: str = name) -> None:
            fail(row, f"{error.found} in column {name} {error.wrong}{mend(error.text, notation)}")

        if nested:
            columns[i] = _fields(cells_of(i), layout, i, fail)
        else:
            cells = cells_of(i, "number" if notation.blank == "error" else "")
            columns[i] = matrix[n]
            copy_doubles(filled(doubles(cells, refuse, notation), cells, notation.blank), matrix[n])
    for i in layout.text:
        if layout.by and i == layout.label:
            columns[i] = as_text(cells_of(i, "label"))
        else:
            needed = "value" if i in layout.more else "group" if layout.by else ""
            columns[~i if i in columns else i] = _with_kernels(cells_of(i, needed))
    failures = tuple(wrong[row] for row in sorted(wrong))
    return Table(layout.header, columns, batch.num_rows, batch.num_rows, "value", failures, source=layout.source)


def _mixed(batch: Any, found: Table, layout: Layout) -> Iterator[Failure]:  # noqa: ANN401
    """A failure for each row that holds percentages, which are text, beside other numbers."""
    kinds = {i: batch.schema.field(layout.header[i]).type for i in layout.numbers}
    texts = {i: as_text(batch.column(layout.header[i])).to_pylist() for i, kind in kinds.items() if is_text(kind)}
    for row, wrong in faults(layout, texts, found.columns).items():
        yield Failure(row, row, wrong, InputError)


def _with_kernels(cells: Cells) -> Cells:
    """The column; of strings or bytes as Polars has them, for which Arrow lacks kernels, as it has them itself."""
    if of.is_string_view(cells.type) or of.is_binary_view(cells.type):
        return cast(cells, pa.string() if of.is_string_view(cells.type) else pa.binary())
    return cells


def _fields(cells: Cells, layout: Layout, column: int, fail: Callable[[int, str, type[KlcliError]], None]) -> Cells:
    """Lists or structures of numbers as they are; what else a field may hold as JSON would have it.

    A list that is null, or holds a null that is not to be filled, fails; another one stands in its place, so that all
    are of one length.
    """
    kind = cells.type
    if of.is_struct(kind):
        inside = [kind.field(i).type for i in range(kind.num_fields)]
    else:
        lists = of.is_list(kind) or of.is_large_list(kind) or of.is_fixed_size_list(kind)
        inside = [kind.value_type] if lists else [kind]
    if not of.is_nested(kind):
        return cells
    if all(of.is_floating(each) or of.is_integer(each) for each in inside):
        if of.is_struct(kind):
            return cells
        missing = nulls(cells)
        values = cells.flatten()
        if values.null_count:
            missing[np.asarray(np.from_dlpack(call("list_parent_indices", [cells])))[nulls(values)]] = True
        if not missing.any() or missing.all():
            return cells
        if layout.blank != "error":
            return list(map(json_value, cells.to_pylist()))
        name = layout.header[column]
        for row in np.flatnonzero(missing).tolist():
            try:
                distribution_of(name, cells[row].as_py(), f"column {clipped(name)}")
            except KlcliError as error:
                fail(row, str(error), type(error))
        return taken(cells, np.where(missing, np.argmin(missing), np.arange(len(cells))))
    return list(map(json_value, cells.to_pylist()))


# -------------------------------------------------------------------------------------------------------------- formats


class _Parquet:
    """A Parquet file, opened once: all threads read the one that was there, though another one replaces it."""

    def __init__(self, source: Source) -> None:
        from pyarrow.parquet import ParquetFile

        self._source = source
        file = _opened(source)
        try:
            self._file, self._first = file, ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(source.name, "Parquet", error) from None
        self.schema: pa.Schema = self._first.schema_arrow
        self.groups = range(self._first.num_row_groups)

    @property
    def row_groups(self) -> list[tuple[int, int]]:
        """The rows and the bytes of each row group."""
        groups = [self._first.metadata.row_group(i) for i in range(self._first.num_row_groups)]
        return [(group.num_rows, group.total_byte_size) for group in groups]

    def read(self) -> pa.Table:
        """All of it."""
        try:
            # parquet.read_table would go through pyarrow.dataset, which imports pandas.
            return self._first.read()
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self._source.name, "Parquet", error) from None

    def batches(self, names: Sequence[str]) -> Iterator[Any]:
        """The columns of these names, some rows at a time. Of the file there are never more than some pages in memory.

        Raises InputError.
        """
        from pyarrow.parquet import ParquetFile

        total, done, rows = self._source.size or 0, 0, sum(self.row_groups[i][0] for i in self.groups)
        checked = {"page_checksum_verification": True, "pre_buffer": False, "buffer_size": _BUFFER}
        try:
            file = ParquetFile(self._file, metadata=self._first.metadata, **checked)
            for batch in file.iter_batches(_rows_of(names), list(self.groups), columns=names, use_threads=False):
                done += batch.num_rows
                self._source.done = total * done // rows
                yield batch
            if done < rows:  # Arrow takes a file that became shorter for one that ends
                message = f"{done} of {rows} rows"
                raise OSError(message)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self._source.name, "Parquet", error) from None


def _opened(source: Source) -> Any:  # noqa: ANN401 - a pyarrow.NativeFile, which several threads may read from
    """A plain file, or the bytes of what is none. Raises InputError."""
    if source.path is None or not source.is_file or source.compression:
        return pa.BufferReader(source.data)
    source.look()
    try:
        file = pa.OSFile(str(source.path))
    except OSError as error:
        raise cannot_read(source.name, source.path, error) from None
    source.verify()  # that it is the file which was looked at
    return file


def _read_whole(source: Source, format_name: str) -> Whole:
    if format_name in PANDAS_FORMATS:
        return read_by_pandas(source, format_name)
    if format_name == "parquet":
        table = _Parquet(source).read()
        return Whole(table, range(1, table.num_rows + 1))
    data, kind = pa.BufferReader(source.data), "Feather"
    try:
        if format_name == "orc":  # by pandas, which would ask Arrow too, integers beside gaps were doubles
            from pyarrow import orc

            kind = "orc"
            table = orc.ORCFile(data).read()
        else:
            from pyarrow import feather

            table = feather.read_table(data)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source.name, kind, error) from None
    return Whole(table, range(1, table.num_rows + 1))

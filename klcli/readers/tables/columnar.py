"""Tables that come with types: Parquet by row groups; Feather, ORC, and what pandas reads, all at once.

Arrow's own conversions to NumPy import pandas (0.3 s) where it is installed; `np.from_dlpack` does not.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import _compute as kernels
from pyarrow import types as of

from klcli.arrow import as_text, call, cast, nulls, taken, whole
from klcli.errors import InputError, KlcliError, clipped, lacking
from klcli.readers.documents import distribution_of
from klcli.readers.numbers import POINT, NotANumberError, mend, number
from klcli.readers.sources import cannot_read, first_line, unreadable
from klcli.readers.tables.cells import json_value
from klcli.readers.tables.pandas_formats import PANDAS_FORMATS, Whole, read_by_pandas
from klcli.readers.tables.percents import faults
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table

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


def doubles(cells: Cells, refuse: Callable[[int, NotANumberError], None], notation: Notation = POINT) -> Array:
    """A column's numbers, (n,): of text and decimals the doubles nearest to what they say.

    Where a cell is null it is 1, or as the notation has blank cells, of which NaN is one, 0 or NaN. refuse(row, error)
    is called for each cell that is no number; it may raise.
    """
    cells = whole(cells)
    if of.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if of.is_decimal128(cells.type):
        numbers = _of_decimals(cells)
    elif of.is_floating(cells.type) or of.is_integer(cells.type):
        if cells.type != pa.float64():
            options = kernels.CastOptions(pa.float64(), allow_int_overflow=True, allow_float_truncate=True)
            cells = call("cast", [cells], options)
        data = cells.buffers()[1]
        numbers = np.frombuffer(data)[cells.offset : cells.offset + len(cells)] if len(cells) else np.empty(0)
    else:
        numbers = np.ones(len(cells))
        for row, value in enumerate(cells.to_pylist()):
            if value is not None:
                try:
                    numbers[row] = number(value, notation) if isinstance(value, str) else number(str(value))
                except NotANumberError as error:
                    refuse(row, error)
    if not cells.null_count and notation.blank == "error":
        return numbers
    missing = nulls(cells) if notation.blank == "error" else nulls(cells) | np.isnan(numbers)
    return np.where(missing, {"error": 1.0, "zero": 0.0, "skip": np.nan}[notation.blank], numbers)


_MOST_EXACT, _LARGEST_POWER = 1 << 53, 22
"""Integers up to the one, and powers of ten up to the other, are doubles, so that their quotient is rounded once."""


def _of_decimals(cells: Cells) -> Array:
    """The doubles nearest to decimals. Arrow's cast is off by a digit in a third of decimal(10, 4)."""
    scale = cells.type.scale
    halves = np.frombuffer(cells.buffers()[1], dtype="<i8").reshape(-1, 2)[cells.offset : cells.offset + len(cells)]
    low, high = halves[:, 0], halves[:, 1]
    exact = (high == low >> 63) & (low >= -_MOST_EXACT) & (low <= _MOST_EXACT) & (0 <= scale <= _LARGEST_POWER)
    numbers: Array = low / 10.0 ** min(max(scale, 0), _LARGEST_POWER)
    for row in np.flatnonzero(~(exact | nulls(cells))).tolist():
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
    """A table with types whose rows are still to be read. text: which of its columns hold text.

    row_groups: the rows and the bytes of each row group of a Parquet file.
    """

    small, note, begin = False, "", 0

    def __init__(self, source: Source, format_name: str) -> None:
        self.source, self._source, self._notation = source.name, source, source.dialect.notation
        self._rows: Sequence[int] = ()
        self._remarks: tuple[str, ...] = ()
        self.row_groups: list[tuple[int, int]] = []
        self._table: Any
        if format_name == "parquet":
            self._table = _parquet(source)
            self._schema, metadata = self._table.schema_arrow, self._table.metadata
            groups = map(metadata.row_group, range(metadata.num_row_groups))
            self.row_groups = [(group.num_rows, group.total_byte_size) for group in groups]
        else:
            self._table, self._rows, self._remarks = _read_whole(source, format_name)
            self._schema = self._table.schema
        self._groups, self._before = range(len(self.row_groups)), 0
        places = _places(self._schema, source.name)
        self.names = tuple(places)
        self.text = [is_text(self._schema.field(place).type) for place in places.values()]

    def doubts(self, _: Sequence[int]) -> Sequence[str]:
        """None: its numbers have types."""
        return ()

    def place(self, line: int) -> str:
        """Where a row stands, for errors: 'w.parquet, row 3'."""
        return f"{self.source}, row {self._rows[line] if self._rows else self._before + line + 1}"

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only some row groups of a Parquet file, from `start` to before `end`. before: the rows above them."""
        self._groups, self._before = range(start, end), before

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        names = list(dict.fromkeys(layout.names((*layout.numbers, *layout.text))))
        kinds = [self._schema.field(name).type for name in layout.names(layout.numbers)]
        nested = layout.in_fields and any(map(of.is_nested, kinds))
        rows, remarks = min(max(_CELLS // max(len(names), 1), 1 << 10), 1 << 17), self._remarks
        batches: Iterator[Any]
        if isinstance(self._table, pa.Table):
            chosen = self._table.select(names)
            parts = (chosen.slice(start, rows).combine_chunks() for start in range(0, chosen.num_rows, rows))
            batches = (part.to_batches()[0] for part in parts)
        else:
            batches = self._pages(names, rows)
        for batch in batches:
            yield partial(_frame, batch, layout, self._notation, remarks, nested=nested)
            remarks = ()

    def _pages(self, names: Sequence[str], rows: int) -> Iterator[Any]:
        """The rows of a Parquet file, so many at a time: never more than some pages are in memory."""
        total, done, size = sum(self.row_groups[i][0] for i in self._groups), 0, self._source.size or 0
        try:
            for batch in self._table.iter_batches(rows, list(self._groups), columns=names, use_threads=False):
                done += batch.num_rows
                self._source.done = size * done // total
                yield batch
            if done < total:  # Arrow takes a file that became shorter for one that ends
                message = f"{done} of {total} rows"
                raise OSError(message)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self.source, "Parquet", error) from None


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds text."""
    kind = kind.value_type if of.is_dictionary(kind) else kind
    return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind))


def _frame(batch: Any, layout: Layout, notation: Notation, remarks: Sequence[str], *, nested: bool) -> Table:  # noqa: ANN401
    """The columns of the layout of some rows. remarks: what should be known of them. Raises InputError."""
    try:
        found = _read_columns(batch, layout, notation, nested=nested)
        wrong = {**_mixed(batch, found, layout), **found.wrong}
        return found._replace(wrong=wrong, remarks=dict.fromkeys(remarks, found.size))
    except (pa.ArrowException, ValueError) as error:
        message = f"{layout.source}: not readable ({first_line(error)})"
        raise lacking(error) or InputError(message) from None


def _read_columns(batch: Any, layout: Layout, notation: Notation, *, nested: bool) -> Table:  # noqa: ANN401
    wrong: dict[int, KlcliError] = {}
    columns: dict[int, Cells] = {}

    def cells_of(i: int, what: str = "") -> Cells:
        """A column; where `what` it holds is needed in each row, a failure for each in which it is missing."""
        cells = batch.column(layout.header[i])
        if not of.is_primitive(cells.type):
            cells.validate(full=True)  # that text is UTF-8
        for row in np.flatnonzero(nulls(cells)).tolist() if what and cells.null_count else ():
            how = mend("", notation) if what == "number" else ""
            missing = f"nothing stands where a {what} should in column {clipped(layout.header[i])}{how}"
            wrong.setdefault(row, InputError(no_group(layout.header[i]) if what == "group" else missing))
        return cells

    matrix = np.empty((0 if nested else len(layout.numbers), batch.num_rows))
    for n, i in enumerate(layout.numbers):
        name = clipped(layout.header[i])

        def refuse(row: int, error: NotANumberError, name: str = name) -> None:
            found = f"{error.found} in column {name} {error.wrong}{mend(error.text, notation)}"
            wrong.setdefault(row, InputError(found))

        if nested:
            columns[i] = _fields(cells_of(i), layout, i, wrong)
        else:
            cells = cells_of(i, "number" if notation.blank == "error" else "")
            matrix[n] = doubles(cells, refuse, notation)
            columns[i] = matrix[n]
    for i in layout.text:
        if layout.by and i == layout.label:
            columns[i] = as_text(cells_of(i, "label"))
        else:
            needed = "value" if i in layout.more else "group" if layout.by else ""
            columns[~i if i in columns else i] = _with_kernels(cells_of(i, needed))
    return Table(layout.header, columns, batch.num_rows, batch.num_rows, "value", wrong, source=layout.source)


def _mixed(batch: Any, found: Table, layout: Layout) -> dict[int, KlcliError]:  # noqa: ANN401
    """What is wrong with rows that hold percentages, which are text, beside other numbers."""
    kinds = {i: batch.schema.field(layout.header[i]).type for i in layout.numbers}
    texts = {i: as_text(batch.column(layout.header[i])).to_pylist() for i, kind in kinds.items() if is_text(kind)}
    return {row: InputError(wrong) for row, wrong in faults(layout, texts, found.columns).items()}


def _with_kernels(cells: Cells) -> Cells:
    """The column; of strings or bytes as Polars has them, for which Arrow lacks kernels, as it has them itself."""
    if of.is_string_view(cells.type) or of.is_binary_view(cells.type):
        return cast(cells, pa.string() if of.is_string_view(cells.type) else pa.binary())
    return cells


def _fields(cells: Cells, layout: Layout, column: int, wrong: dict[int, KlcliError]) -> Cells:
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
                wrong.setdefault(row, error)
        return taken(cells, np.where(missing, np.argmin(missing), np.arange(len(cells))))
    return list(map(json_value, cells.to_pylist()))


# -------------------------------------------------------------------------------------------------------------- formats


def _parquet(source: Source) -> Any:  # noqa: ANN401 - a pyarrow.parquet.ParquetFile
    """A Parquet file, opened once: what was there is read on, though another one replaces it. Raises InputError."""
    from pyarrow.parquet import ParquetFile

    if source.path is None or not source.is_file or source.compression:
        data = pa.BufferReader(source.data)
    else:
        source.look()
        try:
            data = pa.OSFile(str(source.path))
        except OSError as error:
            raise cannot_read(source.name, source.path, error) from None
        source.verify()  # that it is the file which was looked at
    try:
        return ParquetFile(data, page_checksum_verification=True, pre_buffer=False, buffer_size=_BUFFER)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source.name, "Parquet", error) from None


def _read_whole(source: Source, format_name: str) -> Whole:
    if format_name in PANDAS_FORMATS:
        return read_by_pandas(source, format_name)
    kind = {"parquet": "Parquet", "feather": "Feather"}.get(format_name, format_name)
    try:
        if format_name == "parquet":
            table = _parquet(source).read()  # parquet.read_table goes through pyarrow.dataset, which imports pandas
        elif format_name == "orc":  # by pandas, which would ask Arrow too, integers beside gaps were doubles
            from pyarrow import orc

            table = orc.ORCFile(pa.BufferReader(source.data)).read()
        else:
            from pyarrow import feather

            table = feather.read_table(pa.BufferReader(source.data))
    except (pa.ArrowException, OSError) as error:
        raise unreadable(source.name, kind, error) from None
    return Whole(table, range(1, table.num_rows + 1))

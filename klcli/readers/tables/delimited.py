"""CSV and TSV in pieces, read by Arrow; what Arrow does not take is read by Python's csv, row by row.

A piece that Arrow refuses is cut in two, and again, until what is wrong stands in a part so small that the reference
costs nothing.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from codecs import BOM_UTF8
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from klcli.arrow import doubles, joined, strings, utf8_data, whole
from klcli.blocks import Failure
from klcli.errors import InputError, clipped
from klcli.readers.numbers import NotANumberError, is_number, number
from klcli.readers.tables import fixed
from klcli.readers.tables.headers import end_of_first_row, read_header
from klcli.readers.tables.layout import lay_out
from klcli.readers.tables.pieces import (
    count_lines,
    end_of_groups,
    end_of_rows,
    pieces,
    quotes_enclose_fields,
    read_some,
)
from klcli.readers.tables.rows import Rows, concatenated, pair_a_group, pair_a_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from klcli.blocks import Block
    from klcli.readers.tables.layout import Layout, Wanted
    from klcli.readers.tables.pieces import Readable

    Part = Callable[[], Iterable[Block]]

_SMALL = 1 << 16
"""Parts of so many bytes are not cut further."""

_WIDE = 256
_BLOCK, _WIDE_BLOCK, _WIDE_PIECE = 1 << 20, 1 << 24, 1 << 22
"""Bytes that Arrow reads at a time; where there are many columns, each costs something for each time."""

_REPEATED = "the header line came back {n} times, as where files were joined; left out"

_MARK = "\ufeff"
"""The byte order mark, decoded."""


class Written(NamedTuple):
    """How a delimited text is written."""

    delimiter: str
    decimal: str = "."


class DelimitedTable:
    """A stream of delimited text whose header has been read. size: bytes of a piece, more if not `exactly` so many."""

    def __init__(
        self, stream: Readable, source: str, wanted: Wanted, written: Written, size: int, *, exactly: bool = False
    ) -> None:
        self.source, self._stream, self._written, self._size = source, stream, written, size
        header, self._rest, self.first_line = read_header(stream, source, written.delimiter, size)
        self._check_delimiter(header)
        if len(header) >= _WIDE and not exactly:
            self._size = max(size, _WIDE_PIECE)
        self.layout = lay_out(wanted, header, source, self._first_cells(size))
        self.kept = self.layout.names(self.layout.kept)

    def place(self, line: int) -> str:
        """The line of the file."""
        return f"{self.source}:{self.first_line + line}"

    def _first_cells(self, size: int) -> list[bool]:
        """Whether the first row's cells are text; nothing where there is no row."""
        end = end_of_first_row(self._rest, last=False)
        while end == 0:
            more = read_some(self._stream, size)
            self._rest += more
            end = end_of_first_row(self._rest, last=not more)
            if not more:
                break
        line = io.StringIO(self._rest[:end].decode("utf-8", "replace"), newline="")
        cells = next(csv.reader(line, delimiter=self._written.delimiter), [])
        return [not is_number(cell, self._written.decimal) for cell in cells]

    def _check_delimiter(self, header: list[str]) -> None:
        other = next((c for c in ",;\t" if c != self._written.delimiter and c in header[0]), None)
        if len(header) == 1 and other is not None:
            mend = {",": "--input-format csv", "\t": "--input-format tsv", ";": "--delimiter ';'"}[other]
            message = f"{self.source}:1: one field, {clipped(header[0])}; if {other!r} separates the fields add {mend}"
            raise InputError(message)

    def parts(self) -> Iterator[Part]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        delimiter, by = self._written.delimiter, self.layout.by
        ends = partial(end_of_groups, delimiter=delimiter, by=by) if by else partial(end_of_rows, delimiter=delimiter)
        reader = _Reader(self.layout, self._written)
        for piece in pieces(self._stream, self._size, ends, self._rest):
            yield partial(reader.blocks, piece)

    def rows(self) -> Iterator[Rows]:
        """The rows as they are read, before they are pairs."""
        reader = _Reader(self.layout, self._written)
        ends = partial(end_of_rows, delimiter=self._written.delimiter)
        for piece in pieces(self._stream, self._size, ends, self._rest):
            yield concatenated(reader.rows(piece))


class _Reader:
    """Reads pieces. It holds what the header says and whether weights may be written alike: threads may share it."""

    def __init__(self, layout: Layout, written: Written) -> None:
        self._layout, self._written = layout, written
        weights, width = layout.numbers, len(layout.header)
        self._overlapping = not set(layout.text).isdisjoint(weights)
        self._alike = not self._overlapping and sorted(weights) == list(range(width - len(weights), width))
        csv.field_size_limit(sys.maxsize)

    def blocks(self, piece: bytearray) -> list[Block]:
        """The pairs of some bytes that end where a row does, or a group."""
        if self._layout.by:
            return [pair_a_group(concatenated(self.rows(piece)), self._layout)]
        return [pair_a_row(rows, self._layout) for rows in self.rows(piece)]

    def rows(self, piece: bytearray) -> list[Rows]:
        """The rows of some bytes that end where a row does."""
        read = self._of_fixed_width(piece) or self._by_arrow(piece)
        if read is not None:
            return [read]
        if len(piece) > _SMALL:
            cut = self._end(piece[: len(piece) // 2])
            if 0 < cut < len(piece):
                return self.rows(piece[:cut]) + self.rows(piece[cut:])
        return [self._by_csv(piece)]

    def _end(self, piece: bytearray) -> int:
        return end_of_rows(piece, self._written.delimiter)

    # -------------------------------------------------------------------------------------------------- the quick way

    def _columns(
        self,
        lines: Any,  # noqa: ANN401 - whatever holds bytes
        width: int,
        columns: Sequence[int],
        *,
        quoted: bool = False,
    ) -> dict[int, pa.ChunkedArray] | None:
        """Some columns, by number, of lines of so many fields; None where Arrow refuses them."""
        text = set(self._layout.text)
        kinds = {str(i): pa.string() if i in text else pa.float64() for i in columns}
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(lines),
                read_options=arrow_csv.ReadOptions(
                    column_names=[str(i) for i in range(width)],
                    use_threads=False,
                    block_size=_BLOCK if width < _WIDE else _WIDE_BLOCK,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self._written.delimiter,
                    quote_char='"' if quoted else False,
                    newlines_in_values=quoted,
                    ignore_empty_lines=False,
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=kinds,
                    include_columns=list(kinds),
                    null_values=[],
                    decimal_point=self._written.decimal,
                ),
            )
        except pa.ArrowInvalid:
            return None
        return dict(zip(map(int, kinds), table.columns, strict=True))

    def _of_fixed_width(self, piece: bytearray) -> Rows | None:
        """The rows, where they end in the weights and these are all written alike."""
        layout, weights = self._layout, self._layout.numbers
        others = len(layout.header) - len(weights)
        if not self._alike or b'"' in piece:
            return None
        if piece[-1:] != b"\n":
            piece = bytearray(b"".join((piece, b"\n")))  # in place it would fail if something still looked at it
        found = fixed.read(piece, len(weights), self._written.delimiter, self._written.decimal)
        if found is None:
            self._alike = False  # nor will other pieces be, and looking takes time
            return None
        numbers, rest = found
        if (rest is None) != (others == 0):
            return None
        text = [] if rest is None else self._cells(rest, others)
        if text is None or any(len(cells) != numbers.shape[1] for cells in text):
            return None
        if list(weights) != sorted(weights):
            numbers = numbers[np.array(weights) - others]
        return Rows(numbers.shape[1], numbers.shape[1], numbers, text)

    def _cells(self, rest: Any, count: int) -> list[Any] | None:  # noqa: ANN401 - an Arrow array of strings
        """The columns of text, of what stands before the weights; None where it is not so many fields."""
        data = bytes(utf8_data(rest))
        if b"\0" in data or b"\r" in data:
            return None
        if count > 1 and not self._layout.text:
            return None
        if count <= 1:
            return None if self._written.delimiter.encode() in data else [rest for _ in self._layout.text]
        lines = utf8_data(joined([rest.view(pa.binary()), b"\n"]))
        columns = self._columns(pa.py_buffer(lines), count, self._layout.text)
        return None if columns is None else [whole(columns[i]) for i in self._layout.text]

    def _by_arrow(self, piece: bytearray) -> Rows | None:
        """The rows, or None where Arrow refuses them or might read them otherwise than the reference."""
        quoted, layout, delimiter = b'"' in piece, self._layout, self._written.delimiter
        if piece[:3] == BOM_UTF8 or self._overlapping or (quoted and not quotes_enclose_fields(piece, delimiter)):
            return None
        columns = self._columns(piece, len(layout.header), layout.text + layout.numbers, quoted=quoted)
        if columns is None:
            return None
        text = [whole(columns[i]) for i in layout.text]
        n = len(columns[layout.numbers[0]])
        numbers = np.empty((len(layout.numbers), n))
        for row, i in zip(numbers, layout.numbers, strict=True):
            doubles(columns[i], row)
        if any(map(_holds_nul, text)) or np.isnan(numbers.min(initial=0.0)) or _may_underflow(piece):
            return None
        if not quoted:
            return Rows(n, n, numbers, text)
        return Rows(n, count_lines(piece), numbers, text, line=_LineOf(piece, delimiter))

    # ----------------------------------------------------------------------------------------------- the reference

    def _by_csv(self, piece: bytearray) -> Rows:
        """The rows, and what is wrong with those that are."""
        layout = self._layout
        lines = io.StringIO(piece.decode("utf-8", "surrogateescape"), newline="")
        reader = csv.reader(lines, delimiter=self._written.delimiter, strict=True)
        read: list[list[str]] = []
        places: list[int] = []
        failures: list[Failure] = []
        values: list[list[float]] = []
        header, repeated = list(layout.header), 0
        may_repeat = not all(is_number(name, self._written.decimal) for name in layout.names(layout.numbers))
        while True:
            start = reader.line_num
            cells, wrong = _next_row(reader)
            if cells is None:
                break
            if may_repeat and cells and [cells[0].removeprefix(_MARK), *cells[1:]] == header:
                repeated += 1
            elif cells or wrong:
                row = len(read)
                found, wrong = (None, wrong) if wrong else self._values(cells)
                values.append(found or [1.0] * len(layout.numbers))
                read.append([cells[i] if i < len(cells) else "" for i in layout.text])
                places.append(start)
                if found is None:
                    failures.append(Failure(row, places[-1], wrong, InputError))
        columns = zip(*read, strict=True) if read else [[] for _ in layout.text]
        return Rows(
            len(read),
            reader.line_num,
            np.array(values, dtype=np.float64).reshape(len(read), len(layout.numbers)).T,
            [strings(map(_printable, column)) for column in columns],
            failures=tuple(failures),
            line=places.__getitem__,
            remarks={_REPEATED: repeated} if repeated else {},
        )

    def _values(self, cells: list[str]) -> tuple[list[float] | None, str]:
        """The weights of a row, or None and what is wrong with it."""
        layout = self._layout
        if len(cells) != len(layout.header):
            fields = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
            return None, f"{fields}, the header has {len(layout.header)}"
        wanted = [cells[i] for i in (*layout.text, *layout.numbers)]
        if any("\0" in cell for cell in wanted):
            return None, "a NUL byte; this row is not text"
        for cell in wanted:
            if not cell.isascii() and _printable(cell) != cell:
                byte = next(ord(c) - _SURROGATES for c in cell if ord(c) > _SURROGATES and ord(c) <= _SURROGATES + 255)
                return None, f"byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        values = []
        for i in layout.numbers:
            try:
                values.append(number(cells[i], self._written.decimal))
            except NotANumberError as error:
                return None, f"{error.found} in column {clipped(layout.header[i])} {error.wrong}"
        return values, ""


_SURROGATES = 0xDC00
"""Where Python's surrogates for bytes that are not UTF-8 start."""


def _next_row(reader: Any) -> tuple[list[str] | None, str]:  # noqa: ANN401 - csv's reader type has no public name
    """The next row, empty for a blank line, None at the end; or no cells and what is wrong with the quotes."""
    try:
        return next(reader, None), ""
    except csv.Error as error:
        return [], f"quotes that do not match: {error}"


def _printable(text: str) -> str:
    """Text that UTF-8 can hold: a byte that was none is escaped."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _LineOf:
    """The line on which a row of a piece with quotes starts, found out when it is asked for."""

    def __init__(self, piece: bytearray, delimiter: str) -> None:
        self._piece, self._delimiter = piece, delimiter

    @cached_property
    def _lines(self) -> list[int]:
        lines = io.StringIO(self._piece.decode("utf-8"), newline="")
        reader = csv.reader(lines, delimiter=self._delimiter)
        starts = [0, *(reader.line_num for _ in reader)]
        return starts[:-1]

    def __call__(self, row: int) -> int:
        return self._lines[row]


def _may_underflow(piece: bytearray) -> bool:
    """Whether a number may stand here that is not 0 but too small for a double; Arrow would read 0."""
    if not (b"e-" in piece if b"e" in piece else b"E-" in piece if b"E" in piece else False):
        return False
    return _TINY.search(piece) is not None


_TINY = re.compile(rb"[0-9.][eE]-0*[3-9][0-9][0-9]")


def _holds_nul(cells: pa.Array) -> bool:
    return b"\0" in bytes(utf8_data(cells))

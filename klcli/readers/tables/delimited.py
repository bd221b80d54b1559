"""CSV and TSV: a header, then a row a line, as a stream of frames or as a whole."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from klcli.errors import InputError, clipped
from klcli.readers.numbers import is_number
from klcli.readers.sources import empty
from klcli.readers.tables.csv_rows import Form, Judge
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.pieces import SMALL, end_of_rows, piece_size, pieces, read_some
from klcli.readers.tables.table import Table, concatenated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.readers.sources import ByteStream, Source

_BINARY = {
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"\x1f\x8b": "gzip data; decompress it, as with gzip -dc",
    b"\x28\xb5": "zstd data; decompress it, as with zstd -dc",
    b"PA": "a Parquet file; add --input-format parquet",
}
"""What data that is no text begins with, and how to mend it."""

_WIDE, _WIDE_PIECE = 256, 1 << 22
"""From so many columns on, pieces of at least so many bytes: each column costs something for each piece."""


class DelimitedStream:
    """A stream of delimited text whose header has been read.

    size: bytes of a piece, None for what suits. data: what the source holds, where that has been read. begin: where the
    first row is.
    """

    form = "text"

    def __init__(self, source: Source, delimiter: str, size: int | None = None, data: bytes | None = None) -> None:
        self.source, self.delimiter = source.name, source.dialect.between(delimiter)
        self._source, self._decimal = source, source.dialect.decimal
        self._stream: ByteStream = source if data is None else cast("ByteStream", io.BytesIO(data))
        self._rest = read_some(self._stream, SMALL + 1)
        self.small = len(self._rest) <= SMALL
        self._ended = self.small
        self._rest = self._rest.removeprefix(BOM_UTF8)
        _check_text(self._rest, self.source)
        self._line = 1
        header = self._header()
        self._check_delimiter(header)
        self.names = tuple(header)
        self._size = size or max(piece_size(source.size), _WIDE_PIECE if len(header) >= _WIDE else 0)
        self.text: Sequence[bool] = [not is_number(cell, self._decimal) for cell in self._first_cells()]
        self.begin = source.done - len(self._rest)

    def place(self, line: int) -> str:
        """The line of the file. line: counted from 0 at the first below the header."""
        return f"{self.source}:{self._line + line}"

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only the rows between two places in the file. before: the lines above them."""
        self._source.narrow(start, end)
        self._rest, self._line = b"", before + 1

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        form = Form(self.names, self.delimiter, self._decimal, layout.numbers, layout.text)
        if self.small:
            read: Callable[[bytearray], Table] = Judge(form).table
        else:
            from klcli.readers.tables.csv_columns import Pieces

            read = Pieces(form).table
        ends = partial(end_of_rows, delimiter=self.delimiter)
        for piece in pieces(self._stream, self._size, ends, self._rest):
            yield partial(read, piece)

    def _first_cells(self) -> list[str]:
        """The cells of the first row below the header; none where there is none, or it is no row."""
        try:
            return self._first_row()[0] or []
        except (UnicodeDecodeError, csv.Error):
            return []

    def _header(self) -> list[str]:
        """The first row that is not blank; what follows stays to be read."""
        while True:
            try:
                header, end, lines = self._first_row()
            except UnicodeDecodeError as error:
                byte = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
                message = f"{self.source}:{self._line}: {byte}"
                raise InputError(message) from None
            except csv.Error as error:
                message = f"{self.source}:{self._line}: {error}"
                raise InputError(message) from None
            if header is None:
                raise empty(self.source)
            self._rest, self._line = self._rest[end:], self._line + lines
            if header:
                return header

    def _first_row(self) -> tuple[list[str] | None, int, int]:
        """The first row of what is to be read, the bytes and the lines it takes; None at the end of the stream.

        As many bytes are read as it takes, twice as many each time.
        """
        while True:
            lines = _Lines(self._rest, whole=self._ended)
            try:
                row = next(csv.reader(lines, delimiter=self.delimiter, strict=True), None)
            except csv.Error:
                if self._ended or not lines.exhausted:
                    raise
                row = None
            if not lines.exhausted or self._ended:
                return (None if row is None else [_decoded(cell) for cell in row]), lines.read, lines.count
            more = read_some(self._stream, max(len(self._rest), SMALL))
            self._ended = not more
            self._rest += more

    def _check_delimiter(self, header: list[str]) -> None:
        other = next((c for c in ",;\t" if c != self.delimiter and c in header[0]), None)
        if len(header) == 1 and other is not None:
            mend = {",": "--input-format csv", "\t": "--input-format tsv", ";": "--delimiter ';'"}[other]
            message = f"{self.source}:1: one field, {clipped(header[0])}; if {other!r} separates the fields add {mend}"
            raise InputError(message)


def read_delimited(source: Source, delimiter: str, label: str = "label") -> Table:
    """All of a table: of a small one the cells as they stand; of a large one doubles where a column is all numbers.

    label: the column whose cells stay text, whatever they are. Raises InputError for the first row that is none.
    """
    data = source.data
    whole = DelimitedStream(source, delimiter, data=data)
    numeric = [i for i, text in enumerate(whole.text) if not (text or whole.small or whole.names[i] == label)]
    table = _read_all(whole, numeric)
    if table.failures and numeric:  # a column that begins with numbers, and is text all the same
        whole, numeric = DelimitedStream(source, delimiter, data=data), []
        table = _read_all(whole, numeric)
    for failure in table.failures:
        message = f"{whole.place(failure.line)}: {failure.text}"
        raise InputError(message)
    if not table.size:
        message = f"{source.name}: a header and no rows; the first line of a table names its columns"
        raise InputError(message)
    matrix = table.matrix(numeric)
    matrix.setflags(write=False)
    doubles = dict(zip(numeric, matrix, strict=True))
    return replace(table, columns={**table.columns, **doubles}, source=source.name, place=whole.place)


def _read_all(stream: DelimitedStream, numeric: Sequence[int]) -> Table:
    text = tuple(i for i in range(len(stream.names)) if i not in numeric)
    layout = Layout(stream.source, stream.names, tuple(numeric), (), text)
    return concatenated([read() for read in stream.frames(layout)] or [Table(stream.names, {}, 0, 0)])


class _Lines:
    """The lines of some bytes for a CSV reader, as Latin-1, whose characters are bytes; how far it has gone.

    whole: whether nothing follows the bytes. exhausted: whether a line was asked for that is not whole.
    """

    def __init__(self, data: bytes, *, whole: bool) -> None:
        # What ends in a CR may go on with an LF.
        self._lines = io.StringIO(data.decode("latin-1"), newline="")
        self._whole, self.read, self.count, self.exhausted = whole, 0, 0, False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._lines.readline()
        if not line or (not self._whole and (line[-1] not in "\r\n" or (line[-1] == "\r" and not self._more()))):
            self.exhausted = True
            raise StopIteration
        self.read += len(line)
        self.count += 1
        return line

    def _more(self) -> bool:
        at = self._lines.tell()
        more = bool(self._lines.read(1))
        self._lines.seek(at)
        return more


def _decoded(cell: str) -> str:
    return cell if cell.isascii() else cell.encode("latin-1").decode("utf-8")


def _check_text(data: bytes, source: str) -> None:
    """Raises InputError for what no table of text begins with."""
    if b"\0" in data[:1000] or (data[:2] in _BINARY and data[:2] != b"PA"):
        message = f"{source}: this is {_BINARY.get(data[:2], 'a binary file, not text')}"
        raise InputError(message)
    if data.lstrip()[:1] == b"{":
        message = f"{source}: this is JSON; add --input-format ndjson, or json for a list of records"
        raise InputError(message)
    if not data.strip():
        raise empty(source)

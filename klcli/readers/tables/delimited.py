"""CSV and TSV: a header, then a row a line, as a stream of frames or as a whole."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, cast

import numpy as np

from klcli.errors import InputError, clipped
from klcli.kernels import taken, texts
from klcli.readers.numbers import grouping_note, has_percent, is_blank, is_number, may_be_grouped, numbers
from klcli.readers.sources import empty, no_utf_8, refuse_ruled, utf_16
from klcli.readers.tables.csv_rows import COMMENTS, CsvForm, Judge, csv_reader, swallowed
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.pieces import LONGEST_ROW, SMALL, end_of_lines, end_of_rows, piece_size, pieces, read_some
from klcli.readers.tables.roles import header_note, holds_keys
from klcli.readers.tables.select import select
from klcli.readers.tables.table import Table, concatenated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.readers.sources import ByteStream, Source

_BINARY = {
    b"\x1f\x8b": "gzip data; decompress it, as with gzip -dc",
    b"\x28\xb5": "zstd data; decompress it, as with zstd -dc",
    b"PA": "a Parquet file; add --input-format parquet",
}
"""What data that is no text begins with, and how to mend it."""

_MARKS = {BOM_UTF16_LE, BOM_UTF16_BE}

_OTHERS = ";\t,|"
_SPELT = {",": ",", "\t": "tab", " ": "space"}
"""How --delimiter has a character; others are quoted for the shell."""

_TOP, _TOP_ROWS = 1 << 14, 30
"""Bytes and rows in which the table below a title is looked for."""
_SAMPLE = 1000
"""Rows that tell keys from weights: counts repeat, or fall, sooner."""

_WIDE, _WIDE_PIECE = 256, 1 << 22
"""From so many columns on, pieces of at least so many bytes: each column costs something for each piece."""


class DelimitedStream:
    """A stream of delimited text whose header has been read.

    size: bytes of a piece, None for what suits. data: what the source holds, where that has been read. begin: where the
    first row is.
    """

    def __init__(self, source: Source, delimiter: str, size: int | None = None, data: bytes | None = None) -> None:
        self.source, self.delimiter = source.name, source.dialect.between(delimiter)
        self._source, self._dialect = source, source.dialect
        self._notation = source.dialect.notation._replace(delimiter=self.delimiter)
        self._stream: ByteStream = source if data is None else cast("ByteStream", io.BytesIO(data))
        self._ruled = delimiter == self.delimiter == "|"
        if self._dialect.alters or self._ruled:
            from klcli.readers.lines import TextLines

            lines = TextLines(self._stream, self.source, self._dialect, self.delimiter, ruled=self._ruled)
            self._stream = cast("ByteStream", lines)
        self._rest = read_some(self._stream, SMALL + 1)
        self.small = len(self._rest) <= SMALL
        self._ended = self.small
        self._rest = self._rest.removeprefix(BOM_UTF8)
        self._check_text()
        self._line = 1
        header = self._header()
        if not self._ruled:
            self._check_delimiter(header)
        self._first = self._first_cells()
        named, of_r = self._dialect.header is not False, self._has_row_names(header)
        if not of_r:
            self._check_title(header)
        header = [""] * of_r + header
        self.names = tuple(header) if named else tuple(str(i) for i in range(1, len(header) + 1))
        separator = self.delimiter.encode("utf-8", "surrogateescape")
        self._size = size or max(
            piece_size(source.size, self._rest, separator), _WIDE_PIECE if len(header) >= _WIDE else 0
        )
        self.text: Sequence[bool] = [not (is_number(c, self._notation) or self._is_left_out(c)) for c in self._first]
        unsure = self._dialect.header is None
        line = self._line - 1
        place = f"{self.source}:{line}", f"line {line}"
        said = f"line {line} names one column less than there are: the first one holds row names, as R writes them"
        doubt = header_note(self.names, self._first, *place, self._notation) if unsure else ""
        self.note = "; ".join(filter(None, (said if of_r else "", doubt)))
        self.begin = source.done - len(self._rest)

    def place(self, line: int) -> str:
        """The line of the file. line: counted from 0 at the first row."""
        return f"{self.source}:{self._line + line}"

    def narrow(self, start: int, end: int, before: int) -> None:
        """Leaves only the rows between two places in the file. before: the lines above them."""
        self._source.narrow(start, end)
        self._rest, self._line = b"", before + 1

    def frames(self, layout: Layout) -> Iterator[Callable[[], Table]]:
        """The rows, as functions that each read some of them; any thread may call them, in any order."""
        first = dict(enumerate(self._first))
        percent = {i: has_percent(first[i]) for i in layout.numbers if not is_blank(first.get(i, ""))}
        quotes = self._dialect.quotes
        form = CsvForm(
            self.names, self.delimiter, self._notation, layout.numbers, layout.text, quotes, percent, layout.across
        )
        if self.small:
            read: Callable[[bytearray], Table] = Judge(form).table
        else:
            from klcli.readers.tables.csv_columns import Pieces

            read = Pieces(form).table
        ends = partial(end_of_rows, delimiter=self.delimiter) if quotes else end_of_lines
        for piece in pieces(self._stream, self._size, ends, self._rest):
            yield partial(read, piece)

    def _is_left_out(self, cell: str) -> bool:
        """Whether a cell is blank, and blank cells are no errors: then it says nothing of the column."""
        return self._notation.blank != "error" and is_blank(cell)

    def _first_rows(self) -> Iterator[list[str]]:
        """The rows that have been read, but for one that may be cut. Raises csv.Error."""
        end = len(self._rest) if self._ended else self._rest.rfind(b"\n") + 1
        lines = io.StringIO(self._rest[:end].decode("latin-1"), newline="")
        return (row for row in csv_reader(lines, self.delimiter, quotes=self._dialect.quotes) if row)

    def may_hold_keys(self) -> bool:
        """Whether the first column holds keys as far as the first rows show."""
        try:
            cells = [row[0] for row in islice(self._first_rows(), _SAMPLE)]
            values = numbers(cells, str, notation=self._notation)
        except (csv.Error, InputError):
            return False
        return holds_keys(self.names[0], np.array(values))

    def doubts(self, columns: Sequence[int]) -> list[str]:
        """Notes on columns whose decimal marks may group digits, as far as the first rows show."""
        if not re.search(rb"(?<![\d.])[1-9]\d{0,2}[.,]\d\d0(?!\d)", self._rest):
            return []
        rows: list[list[str]] = []
        with suppress(csv.Error):
            rows += self._first_rows()
        cells = ((i, [row[i] for row in rows if i < len(row)]) for i in columns)
        notes = (grouping_note(f"column {clipped(self.names[i])}", given, self._notation) for i, given in cells)
        return list(filter(None, notes))

    def _first_cells(self) -> list[str]:
        """The cells of the first row below the header; none where there is none, or it is no row."""
        try:
            return self._first_row()[0] or []
        except (UnicodeDecodeError, csv.Error):
            return []

    def _header(self) -> list[str]:
        """The first row that is not blank. What follows stays to be read, and so does a row that names nothing."""
        while True:
            try:
                header, end, lines = self._first_row()
            except UnicodeDecodeError as error:
                self._refuse_binary(self._rest)
                message = f"{self.source}:{self._line}: {no_utf_8(error.object[error.start])}"
                raise InputError(message) from None
            except csv.Error as error:
                how = self._other_delimiter() or "if quotes enclose no fields here add --no-quotes"
                message = f"{self.source}:{self._line}: {error}; {how}"
                raise InputError(message) from None
            if header is None:
                raise empty(self.source, self._dialect)
            if lines > 1 and header:
                inside = io.StringIO(self._rest[:end].decode("latin-1"), newline="").readlines()
                wrong = swallowed(header, inside, self.delimiter, len(header))
                if wrong:
                    message = f"{self.source}:{self._line}: {wrong}"
                    raise InputError(message)
            if header and self._dialect.header is False:  # it is a row too
                return header
            self._rest, self._line = self._rest[end:], self._line + lines
            if header:
                return header

    def _first_row(self) -> tuple[list[str] | None, int, int]:
        """The first row of what is to be read, the bytes and the lines it takes; None at the end of the stream.

        As many bytes are read as it takes, twice as many each time.
        """
        while True:
            lines = io.StringIO(self._rest.decode("latin-1"), newline="")  # whose characters are bytes
            reader = csv_reader(lines, self.delimiter, quotes=self._dialect.quotes)
            try:
                row = next(reader, None)
            except csv.Error:
                begun = lines.tell() == len(self._rest) and (len(self._rest) <= LONGEST_ROW or reader.line_num == 1)
                if self._ended or not begun:
                    raise
                row = None
            # The last line of the bytes may go on, with an LF after its CR at the least.
            if self._ended or lines.tell() < len(self._rest):
                return (None if row is None else [_decoded(cell) for cell in row]), lines.tell(), reader.line_num
            more = read_some(self._stream, max(len(self._rest), SMALL))
            self._ended = not more
            self._rest += more

    def _check_delimiter(self, header: list[str]) -> None:
        said = re.fullmatch("sep=(.)", self.delimiter.join(header))
        if said and self._dialect.header is not False:
            message = f"{self.source}:{self._line - 1}: {clipped(said[0])} is for Excel; add --skip {self._line - 1}"
            if said[1] != self.delimiter:
                message += f" {self._delimiter_option(said[1])}"
            raise InputError(message)
        other = next((c for c in _OTHERS if c != self.delimiter and c in header[0]), None)
        other = " " if other is None and self._is_between_blanks(header[0]) else other
        if len(header) == 1 and header[0][:1] not in COMMENTS and other is not None:
            one = f"{self.source}:{self._line - 1}: one field, {clipped(header[0])}"
            message = f"{one}; if {other!r} separates the fields add {self._delimiter_option(other)}"
            raise InputError(message)

    def _is_between_blanks(self, header: str) -> bool:
        """Whether the names and the first row are as many words, of which one is a number."""
        words = "".join(self._first_cells()[:1]).split()
        alike = 1 < len(words) == len(header.split())
        return alike and any(is_number(word, self._notation) for word in words)

    def _delimiter_option(self, other: str) -> str:
        """The option by which another character separates the fields, and a decimal comma with it."""
        formats = {",": "--input-format csv", "\t": "--input-format tsv"}
        if other in formats and self._dialect.delimiter is None and self._dialect.decimal == ".":
            return formats[other]
        option = f"--delimiter {_SPELT.get(other, repr(other))}"
        cells = re.split(f"[{re.escape(other)}\r\n]", self._rest[:1000].decode("latin-1"))
        commas = self._notation.decimal == "." and any(re.fullmatch(r'[" ]*[-+]?[\d.]+,\d+[" ]*', c) for c in cells)
        return f"{option} --decimal ," if commas else option

    def _other_delimiter(self) -> str:
        """What to add where quotes do not match because another character stands between them, '' where none does."""
        line = self._rest[:10_000].splitlines()[0].decode("latin-1")
        others = (c for c in f"{_OTHERS} " if c != self.delimiter)
        found = next((c for c in others if f'"{c}' in line or f'{c}"' in line), None)
        return f"if {found!r} separates the fields add {self._delimiter_option(found)}" if found else ""

    def _check_title(self, header: Sequence[str]) -> None:
        """Raises InputError where the header is a title or a comment: a table of other rows stands below it.

        Fields that are empty at the end of a line of three or more do not count: spreadsheets save a title so.
        """
        mark, width = header[0][:1], _width(header)
        is_comment = mark in COMMENTS
        if self._dialect.header is False or not (is_comment or width == 1):
            return
        rows = self._top()
        if not is_comment and len(header) == 2 and not self._is_named_below(rows):  # noqa: PLR2004
            return
        starts = (row[0][:1] != mark if is_comment else _width(row) > 1 for _, row in rows)
        at = next((i for i, is_start in enumerate(starts) if is_start), len(rows))
        widths = {len(row) for _, row in rows[at:] if row[0][:1] not in COMMENTS}
        if len(rows) - at < 2 or len(widths) > 1 or widths == ({len(header)} if is_comment else {1}):  # noqa: PLR2004
            return
        # The last of the comments may be the names.
        named = is_comment and at > 0 and {len(rows[at - 1][1])} == widths
        above = rows[at - 1 - named][0] if at > named else 0
        option = f"--skip {self._line - 1 + above}" if named or not is_comment else f"--comment '{mark}'"
        first = f"{self.source}:{self._line - 1}: {clipped(header[0])} seems to stand above the table"
        message = f"{first}, whose rows have {widths.pop()} fields; add {option}"
        raise InputError(message)

    def _is_named_below(self, rows: Sequence[tuple[int, list[str]]]) -> bool:
        """Whether a word stands above the numbers in the last of the columns, though below the first line."""
        first, *others = [is_number(row[-1], self._notation) for _, row in rows] or [True]
        return not first and bool(others) and all(others)

    def _has_row_names(self, header: Sequence[str]) -> bool:
        """Whether each row has a field more than the header, in front and no number: R names no column of row names.

        It may be a number in quotes, or that of the row where no comma may group its digits. One row alone may be too
        long by mistake, and one name above be a title.
        """
        width = len(header) + 1
        if self._dialect.header is False or len(self._first) != width:
            return False
        rows = [row for _, row in self._top()]
        quoted = all(line.startswith(b'"') for line in self._rest.split(b"\n", len(rows))[: len(rows)])
        counted = [row[0] for row in rows] in [[str(i) for i in range(n, n + len(rows))] for n in (0, 1)]
        wider = [
            len(row) == width
            and row[-1]
            and (quoted or not is_number(row[0], self._notation) or (counted and self.delimiter != ","))
            and (len(header) > 1 or is_number(row[-1], self._notation))
            for row in rows
        ]
        return len(wider) > 1 and all(wider)

    def _top(self) -> list[tuple[int, list[str]]]:
        """Some rows below the header, and the lines down to the end of each."""
        head = self._rest[:_TOP]
        lines = io.StringIO(head.decode("latin-1"), newline="")
        reader = csv_reader(lines, self.delimiter, quotes=self._dialect.quotes, strict=False)
        rows = [(reader.line_num, row) for row in islice(reader, _TOP_ROWS) if row]
        return rows[:-1] if len(head) < len(self._rest) and len(rows) > 1 else rows  # the last one may be cut

    def _refuse_binary(self, data: bytes) -> None:
        """Raises InputError where a NUL byte shows that this is no text."""
        if b"\0" in data:
            message = f"{self.source}: this is {utf_16(data) or _BINARY.get(data[:2], 'a binary file, not text')}"
            raise InputError(message)

    def _check_text(self) -> None:
        """Raises InputError for what no table of text begins with."""
        data = self._rest
        if (data[:2] in _BINARY and data[:2] != b"PA") or data[:2] in _MARKS:
            message = f"{self.source}: this is {utf_16(data) or _BINARY[data[:2]]}"
            raise InputError(message)
        self._refuse_binary(data[:1000] if self._dialect.is_utf8 else data)  # further down a bad row may hold one
        if re.match(rb"\s*(?:\{|\[\s*[\[{])", data):
            message = f"{self.source}: this is JSON; add --input-format ndjson, or json for a list of records"
            raise InputError(message)
        if not data.strip():
            raise empty(self.source, self._dialect)
        if not self._ruled and self.delimiter != " ":
            refuse_ruled(data[:_TOP].decode("utf-8", "replace"), self.source)


def _width(row: Sequence[str]) -> int:
    """How many fields a row has without empty ones at its end."""
    return next((i for i in range(len(row), 0, -1) if row[i - 1].strip()), 0)


def read_delimited(source: Source, delimiter: str, label: str | None = None) -> Table:
    """All of a table: of a small one the cells as they stand; of a large one doubles where a column is all numbers.

    label: what --label says, or a selector of several. The cells of what may be the column of labels stay text,
    whatever they are. Raises InputError for the first row that is none.
    """
    data = source.data
    whole = DelimitedStream(source, delimiter, data=data)
    numeric = [] if whole.small else [i for i, text in enumerate(whole.text) if not text]
    labels = _labels(whole, label) if numeric else set()
    numeric = [i for i in numeric if i not in labels]
    table = _read_all(whole, numeric)
    if table.wrong and numeric:  # a column that begins with numbers, and is text all the same
        whole, numeric = DelimitedStream(source, delimiter, data=data), []
        table = _read_all(whole, numeric)
    if table.wrong:
        first = min(table.wrong)
        message = f"{whole.place(table.line(first))}: {table.wrong[first]}"
        raise InputError(message)
    if not table.size:
        why = "the first line of a table names its columns, unless --no-header is given"
        message = f"{source.name}: a header and no rows; {why}"
        raise InputError(message)
    matrix = table.matrix(numeric)
    matrix.setflags(write=False)
    doubles = dict(zip(numeric, matrix, strict=True))
    doubtful = [i for i, values in doubles.items() if may_be_grouped(values)]
    if doubtful:
        written = _read_all(DelimitedStream(source, delimiter, data=data), [], doubtful)
        for i in doubtful:  # of which those without a mark decide
            bare = texts(taken(written.columns[i], np.flatnonzero(doubles[i] % 1 == 0)))
            if not all(source.dialect.decimal in cell for cell in bare):
                doubles[~i] = written.texts(i)
    return table._replace(
        columns={**table.columns, **doubles},
        source=source.name,
        place=whole.place,
        delimiter=whole.delimiter,
        note=whole.note,
    )


def _labels(stream: DelimitedStream, label: str | None) -> set[int]:
    """The columns of which one may hold the labels though it is of numbers."""
    if label is not None:
        return set() if label == "none" else set(select(label, stream.names, stream.source))
    named = {i for i, name in enumerate(stream.names) if name == "label"}
    return named | ({0} if stream.may_hold_keys() else set())


def _read_all(stream: DelimitedStream, numeric: Sequence[int], text: Sequence[int] | None = None) -> Table:
    """The rows. numeric: the columns read as doubles. text: those read as text, None for all others."""
    text = [i for i in range(len(stream.names)) if i not in numeric] if text is None else text
    layout = Layout(stream.source, stream.names, tuple(numeric), (), tuple(text), whole=True)
    return concatenated([read() for read in stream.frames(layout)] or [Table(stream.names, {}, 0, 0)])


def _decoded(cell: str) -> str:
    return cell if cell.isascii() else cell.encode("latin-1").decode("utf-8")

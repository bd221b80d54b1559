"""Rows of CSV and TSV by Python's csv, which says what such a text means and where it is wrong."""

from __future__ import annotations

import csv
import io
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import InputError
from klcli.readers.numbers import (
    NotANumberError,
    has_percent,
    in_column,
    is_blank,
    is_number,
    mend,
    mixed_percent,
    number,
    numbers,
)
from klcli.readers.sources import no_utf_8
from klcli.readers.tables.percents import fault_of_row
from klcli.readers.tables.table import Table
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from klcli.readers.numbers import Notation

    Bytes = bytes | bytearray

_SURROGATES = 0xDC00
"""Where Python's surrogates for bytes that are not UTF-8 start."""

_MARK = "\ufeff"
"""The byte order mark, decoded."""

_NO_QUOTES = "if quotes enclose no fields here add --no-quotes"

_LOST = "lines that a quote made part of a row that failed, and which may be rows themselves: {n}"

_REPEATED = "the header line came back {n} times, as where files were joined; left out"


class CsvForm(NamedTuple):
    """How a table is written, and which of its columns are wanted, by position: as numbers and as text.

    quotes: whether a quote encloses a field. percent: whether the numbers of a column are percentages, where that is
    known; others there are wrong. across: columns whose weights in a row are one distribution, of each side of a pair.
    """

    names: tuple[str, ...]
    delimiter: str
    notation: Notation
    numbers: tuple[int, ...]
    text: tuple[int, ...]
    quotes: bool = True
    percent: Mapping[int, bool] = MappingProxyType({})
    across: tuple[tuple[int, ...], ...] = ()

    def key(self, column: int) -> int:
        """Under which a column of text stands in a Table."""
        return ~column if column in self.numbers else column


class Row(NamedTuple):
    """A row that was looked at by itself. line: where it starts, from 0. wrong: '' where it is sound.

    lost: how many lines below its first a quote made part of it, where that is what is wrong.
    """

    line: int
    values: list[float]
    text: list[str]
    wrong: str
    lost: int = 0


class Judge:
    """Reads rows one by one, and says what is wrong with those that are none."""

    def __init__(self, form: CsvForm) -> None:
        self._form = form
        self._header = list(form.names)
        # A header of nothing but numbers may stand for a row that is just so.
        names = [form.names[i] for i in form.numbers] or form.names[1:]
        self._may_repeat = not all(is_number(name, form.notation) for name in names)
        self._nothing = [1.0] * len(form.numbers)

    def rows(self, piece: Bytes) -> tuple[list[Row], int, int]:
        """The rows of some bytes, how many lines they take, and how often the header came back among them."""
        lines = io.StringIO(piece.decode("utf-8", "surrogateescape"), newline="").readlines()
        reader = csv_reader(lines, self._form.delimiter, quotes=self._form.quotes)
        rows: list[Row] = []
        repeated = 0
        while True:
            start = reader.line_num
            cells, wrong = _next_row(reader, start)
            if cells is None:
                return rows, reader.line_num, repeated
            if self._may_repeat and cells and [cells[0].removeprefix(_MARK), *cells[1:]] == self._header:
                repeated += 1
            elif wrong or (cells and not self._is_left_out(cells)):
                if not wrong and reader.line_num > start + 1:
                    within = lines[start : reader.line_num]
                    wrong = swallowed(cells, within, self._form.delimiter, len(self._form.names))
                lost = reader.line_num - start - 1 if wrong else 0
                rows.append(self._row(start, cells, wrong)._replace(lost=lost))

    def _is_left_out(self, cells: Sequence[str]) -> bool:
        """Whether nothing stands in a row of several cells, as spreadsheets write rows below a table."""
        return self._form.notation.blank != "error" and len(cells) > 1 and not any(map(str.strip, cells))

    def table(self, piece: Bytes) -> Table:
        """The rows of some bytes as a table of lists and doubles."""
        return self.table_of(*self.rows(piece))

    def table_of(self, rows: Sequence[Row], lines: int, repeated: int) -> Table:
        """Rows that have been read as a table of lists and doubles."""
        form = self._form
        values = np.array([row.values for row in rows], dtype=np.float64).reshape(len(rows), len(form.numbers)).T
        columns: dict[int, Any] = {form.key(i): [row.text[j] for row in rows] for j, i in enumerate(form.text)}
        columns |= dict(zip(form.numbers, np.ascontiguousarray(values), strict=True))
        wrong = {i: InputError(row.wrong) for i, row in enumerate(rows) if row.wrong}
        starts = np.array([row.line for row in rows], dtype=np.intp)
        return Table(
            form.names,
            columns,
            len(rows),
            lines,
            wrong=wrong,
            starts=starts,
            remarks={remark: n for remark, n in ((_REPEATED, repeated), (_LOST, sum(row.lost for row in rows))) if n},
        )

    def _row(self, line: int, cells: list[str], wrong: str) -> Row:
        form = self._form
        values = self._nothing
        if not wrong:
            wrong = self._shape(cells)
        if not wrong:
            given = [cells[i] for i in form.numbers]
            try:
                values = numbers(given, str, notation=form.notation)
            except InputError:
                wrong = self._first_wrong(cells)
        if not wrong and form.percent:
            wrong = self._mixed(cells)
        if not wrong and form.across and any("%" in cell for cell in cells):
            percent = {i: has_percent(cells[i]) for i in form.numbers}
            wrong = fault_of_row(form.across, form.names, percent, dict(zip(form.numbers, values, strict=True)))
        text = [printable(cells[i]) if i < len(cells) else "" for i in form.text]
        return Row(line, values, text, wrong)

    def _shape(self, cells: Sequence[str]) -> str:
        """What is wrong with a row before anybody looks at its numbers."""
        form = self._form
        if len(cells) != len(form.names):
            how = "complete it" if len(cells) < len(form.names) else f"quote a field that holds {form.delimiter!r}"
            how += ", or take it out as batch --on-error skip does"
            if cells[0][:1] in COMMENTS:
                how = f"if it is a comment add --comment '{cells[0][0]}'"
            fields = "1 field" if len(cells) == 1 else f"{len(cells)} fields"
            return f"{fields}, the header has {len(form.names)}; {how}"
        wanted = [cells[i] for i in (*form.text, *form.numbers)]
        if any("\0" in cell for cell in wanted):
            return "a NUL byte; this row is not text"
        for cell in wanted:
            if not cell.isascii() and printable(cell) != cell:
                byte = next(ord(c) - _SURROGATES for c in cell if _SURROGATES < ord(c) <= _SURROGATES + 255)
                return no_utf_8(byte)
        return ""

    def _first_wrong(self, cells: Sequence[str]) -> str:
        for i in self._form.numbers:
            try:
                number(cells[i], self._form.notation)
            except NotANumberError as error:
                how = mend(cells[i], self._form.notation)
                return f"{error.found}{in_column(self._form.names[i])} {error.wrong}{how}"
        return ""

    def _mixed(self, cells: Sequence[str]) -> str:
        """What is wrong with a row in which a percentage stands in a column of other numbers, or the other way."""
        form = self._form
        for i in form.numbers:
            if i in form.percent and has_percent(cells[i]) != form.percent[i] and not is_blank(cells[i]):
                return mixed_percent(cells[i], form.names[i])
        return ""


def swallowed(cells: Sequence[str], lines: Sequence[str], delimiter: str, width: int) -> str:
    """What is wrong with a row where one of its later lines is a row itself, of so many fields.

    That is what an unmatched quote makes of the rows below it. A line is a row where it has numbers where the whole
    has: what somebody wrote in a quoted field may have commas. The last line, which closes the quote, is not one unless
    the first is too: after `"two` a line `lines",1` is none. Nor is one between them in which another quote closes or
    opens: it is not inside of the field.
    """
    if width == 1:
        return ""
    numeric = [i for i, cell in enumerate(cells) if is_number(cell)] if len(cells) == width else []

    def is_row(line: str) -> bool:
        parts = line.rstrip("\r\n").split(delimiter)
        return len(parts) == width and all(is_number(parts[i]) for i in numeric)

    between = [line for line in lines[1:-1] if '"' not in line.replace('""', "")]
    if any(map(is_row, between)) or (is_row(lines[0]) and is_row(lines[-1])):
        return f"a quote opens here and closes {len(lines) - 1} lines below, over what seem to be rows; {_NO_QUOTES}"
    return ""


COMMENTS = frozenset("#%!")
"""What lines begin with that are probably comments."""


def csv_reader(
    lines: Iterable[str],
    delimiter: str,
    *,
    quotes: bool,
    strict: bool = True,
) -> Any:  # noqa: ANN401 - csv's reader type has no public name
    """Python's reader of delimited lines. quotes: whether a quote encloses a field."""
    if quotes:
        return csv.reader(lines, delimiter=delimiter, strict=strict)
    return csv.reader(lines, delimiter=delimiter, strict=strict, quoting=csv.QUOTE_NONE)


def _next_row(reader: Any, start: int) -> tuple[list[str] | None, str]:  # noqa: ANN401 - csv's reader type has no public name
    """The next row, empty for a blank line, None at the end; or no cells and what is wrong with the quotes.

    start: how many lines stand above it.
    """
    try:
        return next(reader, None), ""
    except csv.Error as error:
        lines = reader.line_num - start - 1
        below = "the line" if lines == 1 else f"the {lines} lines"
        wrong = f"quotes that do not match: {error}"
        if lines and "end of data" in str(error):
            wrong = f"a quote opens in this row and never closes, and makes {below} below part of the row"
        elif lines:
            wrong = f"quotes that do not match make {below} below part of this row: {error}"
        return [], f"{wrong}; {_NO_QUOTES}"


def printable(text: str) -> str:
    """Text that UTF-8 can hold: a byte that was none is escaped."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

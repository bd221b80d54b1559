"""Rows of CSV and TSV by Python's csv, which says what such a text means and where it is wrong."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.blocks import Failure
from klcli.errors import InputError, clipped
from klcli.readers.numbers import NotANumberError, is_number, number, numbers
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    Bytes = bytes | bytearray

_SURROGATES = 0xDC00
"""Where Python's surrogates for bytes that are not UTF-8 start."""

_MARK = "\ufeff"
"""The byte order mark, decoded."""

_REPEATED = "the header line came back {n} times, as where files were joined; left out"


class Form(NamedTuple):
    """How a table is written, and which of its columns are wanted, by position: as numbers and as text."""

    names: tuple[str, ...]
    delimiter: str
    decimal: str
    numbers: tuple[int, ...]
    text: tuple[int, ...]

    def key(self, column: int) -> int:
        """Under which a column of text stands in a Table."""
        return ~column if column in self.numbers else column


class Row(NamedTuple):
    """A row that was looked at by itself. line: where it starts, from 0. wrong: '' where it is sound."""

    line: int
    values: list[float]
    text: list[str]
    wrong: str


class Judge:
    """Reads rows one by one, and says what is wrong with those that are none."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._header = list(form.names)
        # A header of nothing but numbers may stand for a row that is just so.
        self._may_repeat = not all(is_number(form.names[i], form.decimal) for i in form.numbers)
        self._nothing = [1.0] * len(form.numbers)

    def rows(self, piece: Bytes) -> tuple[list[Row], int, int]:
        """The rows of some bytes, how many lines they take, and how often the header came back among them."""
        lines = io.StringIO(piece.decode("utf-8", "surrogateescape"), newline="")
        reader = csv.reader(lines, delimiter=self._form.delimiter, strict=True)
        rows: list[Row] = []
        repeated = 0
        while True:
            start = reader.line_num
            cells, wrong = _next_row(reader)
            if cells is None:
                return rows, reader.line_num, repeated
            if self._may_repeat and cells and [cells[0].removeprefix(_MARK), *cells[1:]] == self._header:
                repeated += 1
            elif cells or wrong:
                rows.append(self._row(start, cells, wrong))

    def table(self, piece: Bytes) -> Table:
        """The rows of some bytes as a table of lists and doubles."""
        form = self._form
        rows, lines, repeated = self.rows(piece)
        values = np.array([row.values for row in rows], dtype=np.float64).reshape(len(rows), len(form.numbers)).T
        columns: dict[int, Any] = {form.key(i): [row.text[j] for row in rows] for j, i in enumerate(form.text)}
        columns |= dict(zip(form.numbers, np.ascontiguousarray(values), strict=True))
        return Table(
            form.names,
            columns,
            len(rows),
            lines,
            failures=tuple(Failure(i, row.line, row.wrong, InputError) for i, row in enumerate(rows) if row.wrong),
            line=lambda i: rows[i].line,
            remarks=remark(repeated),
        )

    def _row(self, line: int, cells: list[str], wrong: str) -> Row:
        form = self._form
        values = self._nothing
        if not wrong:
            wrong = self._shape(cells)
        if not wrong:
            given = [cells[i] for i in form.numbers]
            try:
                values = numbers(given, str, decimal=form.decimal)
            except InputError:
                wrong = self._first_wrong(cells)
        text = [printable(cells[i]) if i < len(cells) else "" for i in form.text]
        return Row(line, values, text, wrong)

    def _shape(self, cells: Sequence[str]) -> str:
        """What is wrong with a row before anybody looks at its numbers."""
        form = self._form
        if len(cells) != len(form.names):
            return f"{'1 field' if len(cells) == 1 else f'{len(cells)} fields'}, the header has {len(form.names)}"
        wanted = [cells[i] for i in (*form.text, *form.numbers)]
        if any("\0" in cell for cell in wanted):
            return "a NUL byte; this row is not text"
        for cell in wanted:
            if not cell.isascii() and printable(cell) != cell:
                byte = next(ord(c) - _SURROGATES for c in cell if _SURROGATES < ord(c) <= _SURROGATES + 255)
                return f"byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        return ""

    def _first_wrong(self, cells: Sequence[str]) -> str:
        for i in self._form.numbers:
            try:
                number(cells[i], self._form.decimal)
            except NotANumberError as error:
                return f"{error.found} in column {clipped(self._form.names[i])} {error.wrong}"
        return ""


def remark(repeated: int) -> dict[str, int]:
    """What is said of a header that came back."""
    return {_REPEATED: repeated} if repeated else {}


def _next_row(reader: Any) -> tuple[list[str] | None, str]:  # noqa: ANN401 - csv's reader type has no public name
    """The next row, empty for a blank line, None at the end; or no cells and what is wrong with the quotes."""
    try:
        return next(reader, None), ""
    except csv.Error as error:
        return [], f"quotes that do not match: {error}"


def printable(text: str) -> str:
    """Text that UTF-8 can hold: a byte that was none is escaped."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")

"""Columns of CSV and TSV by Arrow; rows that it might take otherwise than Python's csv are judged by that, one by one.

A piece is first read as it probably is: sound rows, whose numbers Arrow turns into doubles. Where that fails, rows that
are in doubt by their bytes are set aside, the numbers of the others are read as text, and whatever is no plain decimal
is in doubt too. So a bad row costs what it takes to read one row, and nothing is read twice but its piece.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pyarrow import _compute as kernels
from pyarrow import csv as arrow_csv

from klcli.arrow import bytes_and_offsets, call, nulls, strings, taken, truths, whole
from klcli.console import ending
from klcli.readers.numbers import may_underflow, thousands_pattern
from klcli.readers.tables.csv_rows import Judge
from klcli.readers.tables.percents import mixed_rows
from klcli.readers.tables.pieces import (
    count_lines,
    has_lone_cr,
    is_utf8,
    line_ends,
    outside,
    quotes_enclose_fields,
    row_ends,
    rows_like_many,
)
from klcli.readers.tables.table import Table, interleaved

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from klcli.readers.numbers import Notation
    from klcli.readers.tables.csv_rows import CsvForm, Row

    Cells = Any
    Mask = npt.NDArray[np.bool_]
    Places = npt.NDArray[np.intp]

if ending.watching:  # Arrow would take signals itself, on a thread whose failure to start ends the process
    pa.enable_signal_handlers(False)  # noqa: FBT003 - of Arrow

_WIDE = 256
_BLOCK, _WIDE_BLOCK = 1 << 20, 1 << 24
"""Bytes that Arrow reads at a time; where there are many columns, each costs something for each time."""

_BOM = b"\xef\xbb\xbf"

_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""The numbers that `numbers.number` takes and Arrow reads as it does; percentages and fractions are not among them."""

_BLANKS = ["", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "-"]
"""The blank cells that Arrow finds; of others, as `n/A`, the judge says that they are blank."""

_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r|\A[\r\n]")

_ZERO = r"^[+-]?[0.]+([eE].*)?$"


class Pieces:
    """Reads pieces that end where a row does. Threads may share it: it holds nothing that changes what is read."""

    def __init__(self, form: CsvForm) -> None:
        self._form, self._judge = form, Judge(form)
        self._overlapping = not set(form.text).isdisjoint(form.numbers)
        # Arrow would take percentages and numbers of one column alike. Where the piece before had rows in doubt,
        # probably this one has too.
        self._always_doubtful = self._overlapping or any(form.percent.values())
        self._doubtful = self._always_doubtful

    def table(self, piece: bytearray) -> Table:
        """The rows of a piece."""
        quoted = self._form.quotes and b'"' in piece
        if piece[:3] == _BOM or (quoted and not self._is_plain(piece)):
            return _with_strings(self._judge.table(piece))
        read = None if self._doubtful else self._sound(piece, quoted=quoted)
        return read if read is not None else self._judged(piece, quoted=quoted)

    def _is_plain(self, piece: bytearray) -> bool:
        return quotes_enclose_fields(piece, self._form.delimiter) and not has_lone_cr(piece)

    def _columns(self, piece: Any, numeric: pa.DataType, *, quoted: bool) -> dict[int, Any]:  # noqa: ANN401
        """The wanted columns by position. Raises pa.ArrowInvalid. numeric: the type in which numbers are read."""
        form = self._form
        width = len(form.names)
        kinds = {str(i): pa.string() for i in form.text} | {str(i): numeric for i in form.numbers}
        table = arrow_csv.read_csv(
            pa.BufferReader(piece),
            read_options=arrow_csv.ReadOptions(
                column_names=[str(i) for i in range(width)],
                use_threads=False,
                block_size=_BLOCK if width < _WIDE else _WIDE_BLOCK,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=form.delimiter,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=False,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=kinds,
                include_columns=list(kinds),
                null_values=_BLANKS if form.notation.blank != "error" and numeric == pa.float64() else [],
                decimal_point=form.notation.decimal,
            ),
        )
        return dict(zip(map(int, kinds), table.columns, strict=True))

    def _sound(self, piece: bytearray, *, quoted: bool) -> Table | None:
        """The rows where all are sound, None where some are in doubt."""
        form = self._form
        if b"\0" in piece or (not form.numbers and _BLANK_LINE.search(piece)):  # to Arrow a row of empty strings
            return None
        try:
            columns = self._columns(piece, pa.float64(), quoted=quoted)
        except pa.ArrowInvalid:
            self._doubtful = True
            return None
        gaps = {i: columns[i] for i in form.numbers if columns[i].null_count}
        columns |= {i: call("coalesce", [cells, pa.scalar(0.0)]) for i, cells in gaps.items()}
        n = len(next(iter(columns.values())))
        numbers = np.empty((len(form.numbers), n))
        for out, i in zip(numbers, form.numbers, strict=True):
            _copy(columns[i], out)
        least, most = numbers.min(initial=1.0), numbers.max(initial=1.0)
        # NaN is neither: what Arrow takes for one, and an infinity, is for `number` to say.
        if (
            self._has_empty_row(gaps)
            or not (-np.inf < least and most < np.inf)
            or (least <= 0 and may_underflow(piece))
        ):
            self._doubtful = True
            return None
        if form.notation.blank == "skip":
            for i, cells in gaps.items():
                _copy(call("coalesce", [cells, pa.scalar(np.nan)]), numbers[form.numbers.index(i)])
        columns |= {i: whole(columns[i]) for i in form.text}
        columns |= dict(zip(form.numbers, numbers, strict=True))
        rows = _RowsOf(piece, form, quoted=True) if quoted and count_lines(piece) > n else None
        if rows is not None and len(form.names) > 1 and len(rows.like_many()):
            self._doubtful = True
            return None
        lines, starts = (n, None) if rows is None else (rows.lines, rows.first_lines)
        return Table(form.names, columns, n, lines, starts=starts)

    def _has_empty_row(self, gaps: Mapping[int, Cells]) -> bool:
        """Whether there may be a row in which nothing stands, which is left out. gaps: the columns with blank cells."""
        form = self._form
        if form.notation.blank == "error" or len(gaps) < len(form.numbers):
            return False
        return not gaps or bool(np.logical_and.reduce([nulls(whole(cells)) for cells in gaps.values()]).any())

    def _judged(self, piece: bytearray, *, quoted: bool) -> Table:
        """The rows, of which those in doubt are judged one by one."""
        rows = _RowsOf(piece, self._form, quoted=quoted)
        doubt = rows.in_doubt()
        while True:
            sound = np.flatnonzero(~doubt)
            try:
                columns = self._columns(rows.chosen(doubt), pa.string(), quoted=quoted) if len(sound) else {}
                break
            except pa.ArrowInvalid:
                doubt = np.ones_like(doubt)  # Arrow sees something that we do not
        values = np.ones((len(self._form.numbers), len(sound)))
        bad = np.zeros(len(sound), dtype=bool)
        for out, i in zip(values, self._form.numbers if columns else (), strict=False):
            bad |= _parse(whole(columns[i]), self._form.notation, self._form.percent.get(i), out)
        if columns and b"%" in piece:
            bad |= self._mixed_rows(columns, values)
        doubt[sound[bad]] = True
        self._doubtful = self._always_doubtful or bool(doubt.any())
        given: dict[int, Any] = {self._form.key(i): whole(columns[i]) for i in self._form.text} if columns else {}
        given |= dict(zip(self._form.numbers, values, strict=True))
        quick = Table(self._form.names, given, len(sound), rows.lines, starts=rows.first_lines[sound])
        if not doubt.any():
            return quick
        found: list[Row] = []
        repeated = 0
        for row, line in zip(np.flatnonzero(doubt).tolist(), rows.first_lines[doubt].tolist(), strict=True):
            judged, _, again = self._judge.rows(rows.bytes_of(row))
            found += [each._replace(line=line + each.line) for each in judged]
            repeated += again
        table = _with_strings(self._judge.table_of(found, rows.lines, repeated))
        good = np.flatnonzero(~bad)
        return interleaved(quick.chosen(good), table) if len(good) else table

    def _mixed_rows(self, columns: Mapping[int, Cells], values: npt.NDArray[np.float64]) -> Mask:
        """The rows that hold percentages beside other numbers of one distribution."""
        found = np.zeros(values.shape[1], dtype=bool)
        for side in self._form.across:
            ends = kernels.MatchSubstringOptions("%")
            cells = [call("utf8_trim_whitespace", [whole(columns[i])]) for i in side]
            percent = np.array([truths(call("ends_with", [of], ends)) for of in cells])
            found |= mixed_rows(percent, values[[self._form.numbers.index(i) for i in side]])
        return found


def _copy(column: pa.ChunkedArray, out: npt.NDArray[np.float64]) -> None:
    """Copies doubles without nulls. out: (rows,)."""
    start = 0
    for chunk in column.chunks:
        if len(chunk):
            out[start : start + len(chunk)] = np.from_dlpack(chunk)
        start += len(chunk)


class _RowsOf:
    """Where the rows of a piece stand. A row may hold line ends where it holds quotes."""

    def __init__(self, piece: bytearray, form: CsvForm, *, quoted: bool) -> None:
        self._piece, self._form = piece, form
        self._data = np.frombuffer(piece, dtype=np.uint8)
        self._quotes = np.flatnonzero(self._data == ord('"')) if quoted else None
        self._line_ends = line_ends(piece)
        ends = row_ends(piece, form.delimiter) if quoted else self._line_ends
        if len(ends) == 0 or ends[-1] < len(piece):
            ends = np.append(ends, len(piece))
        self._ends, self._starts = ends, np.concatenate([[0], ends[:-1]])
        self.lines = count_lines(piece)

    def in_doubt(self) -> Mask:
        """The rows that have too many or too few fields, or bytes that are no text, as far as bytes tell."""
        separators = np.flatnonzero(self._data == ord(self._form.delimiter))
        if self._quotes is not None:
            separators = outside(self._quotes, separators)
        doubt: Mask = np.diff(np.searchsorted(separators, self._ends), prepend=0) != len(self._form.names) - 1
        if len(self._form.names) == 1:
            doubt |= self._ends - self._starts <= len("\r\n")  # it may be blank
        elif self._quotes is not None and self.lines > len(self._ends):
            doubt[self.like_many()] = True
        if self._form.notation.blank != "error" and self._piece:
            nothing = np.isin(np.arange(256), list(b'" \t\r\n' + self._form.delimiter.encode()))
            doubt |= np.logical_and.reduceat(nothing[self._data], self._starts)
        if b"\0" in self._piece:
            doubt[np.searchsorted(self._ends, np.flatnonzero(self._data == 0), side="right")] = True
        if not self._piece.isascii():
            high = np.searchsorted(self._ends, np.flatnonzero(self._data > 127), side="right")  # noqa: PLR2004 - ASCII
            for row in np.unique(high).tolist():
                doubt[row] |= not is_utf8(self.bytes_of(row))
        return doubt

    def like_many(self) -> Places:
        """The rows that hold line ends, and lines that seem to be rows themselves."""
        return rows_like_many(self._piece, self._ends, self._form.delimiter, len(self._form.names))

    def bytes_of(self, row: int) -> bytearray:
        """A row with its end."""
        return self._piece[self._starts[row] : self._ends[row]]

    def chosen(self, doubt: Mask) -> Any:  # noqa: ANN401 - whatever holds bytes
        """The rows that are not in doubt, one after the other."""
        if not doubt.any():
            return self._piece
        edges = np.flatnonzero(np.diff(np.concatenate([[True], doubt, [True]]).astype(np.int8)))
        view = memoryview(self._piece)
        return b"".join(
            view[self._starts[first] : self._ends[last - 1]] for first, last in edges.reshape(-1, 2).tolist()
        )

    @cached_property
    def first_lines(self) -> Places:
        """The line on which each row starts, counted from 0."""
        return np.searchsorted(self._line_ends, self._starts, side="right")


_ALLOWED = np.isin(np.arange(256), list(b"0123456789.+-eE"))


def _parse(cells: Cells, notation: Notation, percent: bool | None, out: npt.NDArray[np.float64]) -> Mask:  # noqa: FBT001
    """Reads plain decimals, percentages among them. Returns which cells are none, or may be too small for a double.

    percent: whether the numbers are percentages, None where that is not known.
    """
    n = len(cells)
    bad = np.zeros(n, dtype=bool)
    if _has(cells, b" "):
        cells = call("ascii_trim", [cells], kernels.TrimOptions(" "))
    if notation.thousands is not None and notation.thousands.isascii() and _has(cells, notation.thousands.encode()):
        grouped = kernels.MatchSubstringOptions(thousands_pattern(notation))
        bad |= _holding(cells, notation.thousands.encode()) & ~truths(call("match_substring_regex", [cells], grouped))
        cells = _replaced(cells, notation.thousands, "")
    if notation.decimal != ".":
        bad |= _holding(cells, b".")
        cells = _replaced(cells, notation.decimal, ".")
    if percent is not None and (percent or _has(cells, b"%")):
        bad |= percent != truths(call("ends_with", [cells], kernels.MatchSubstringOptions("%")))
    if _has(cells, b"%"):
        ends = truths(call("ends_with", [cells], kernels.MatchSubstringOptions("%")))
        bad |= _holding(cells, b"%") & ~ends
        bad |= ends & truths(call("match_substring_regex", [cells], kernels.MatchSubstringOptions("[eE ]|%.*%")))
        cells = _replaced(cells, "%", "e-2")
    text, offsets = bytes_and_offsets(cells)
    bad |= np.diff(offsets) == 0
    strange = np.flatnonzero(~_ALLOWED[text[offsets[0] : offsets[-1]]]) + offsets[0]
    bad[np.searchsorted(offsets, np.unique(strange), side="right") - 1] = True
    read = _cast(cells, bad)
    if read is None:
        bad |= ~truths(call("match_substring_regex", [cells], kernels.MatchSubstringOptions(_DECIMAL)))
        read = _cast(cells, bad)
    if read is None:
        return np.ones(n, dtype=bool)
    out[:] = read
    at = np.flatnonzero((out == 0) | np.isinf(out))
    if len(at):
        zero = truths(call("match_substring_regex", [taken(cells, at)], kernels.MatchSubstringOptions(_ZERO)))
        bad[at[~zero]] = True
    return bad


def _cast(cells: Cells, bad: Mask) -> npt.NDArray[np.float64] | None:
    if bad.any():
        mask = pa.Array.from_buffers(pa.bool_(), len(bad), [None, pa.py_buffer(np.packbits(bad, bitorder="little"))])
        cells = call("if_else", [mask, strings(["1"])[0], cells])
    try:
        read = call("cast", [cells], kernels.CastOptions(target_type=pa.float64()))
    except pa.ArrowInvalid:
        return None
    doubles: Any = np.from_dlpack(read) if len(read) else np.empty(0)
    found: npt.NDArray[np.float64] = doubles
    return found


def _has(cells: Cells, byte: bytes) -> bool:
    text, offsets = bytes_and_offsets(cells)
    return byte in text[offsets[0] : offsets[-1]].tobytes()


def _holding(cells: Cells, byte: bytes) -> Mask:
    return truths(call("match_substring", [cells], kernels.MatchSubstringOptions(byte.decode())))


def _replaced(cells: Cells, old: str, new: str) -> Cells:
    return call("replace_substring", [cells], kernels.ReplaceSubstringOptions(old, new))


def _with_strings(table: Table) -> Table:
    """The table with Arrow's strings instead of lists, as the other pieces have them."""
    columns = {i: strings(cells) if isinstance(cells, list) else cells for i, cells in table.columns.items()}
    return table._replace(columns=columns)

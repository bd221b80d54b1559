"""A table: all of one, or some rows of one that is read as a stream."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.kernels import taken, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from klcli.blocks import Failure
    from klcli.kernels import Places
    from klcli.model import Array

    Cells = Any
    """A column: a NumPy array of doubles, a list of Python's values, or an Arrow array or chunked array."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a table. names: of all its columns, in order. columns: those that were read, by position, (size,) each.

    A column is of one of these kinds. A NumPy array holds doubles. A list holds Python's strings or JSON values: small
    tables are read without a table engine. Anything else is an Arrow array. Where a column is wanted both as doubles
    and as it stood, the latter is under ~position.

    form: what a cell that is no double is: 'text', a string as it stood in a file; 'json', a JSON value as it was
    written; 'value', typed. failures: the rows that could not be read; what their cells hold means nothing.

    line(row): where a row starts, counted from 0 at the table's first line. lines: how many lines all rows take.
    remarks: what should be known of how it was read, and of how many rows it is true. source: what errors call the
    table. place(line): where a line is, for a table that is read as a whole; of a frame only its stream knows.
    delimiter: what separates the fields of a text. note: what should be known of its header. absent: the rows, by
    column, in which a record has no such key.
    """

    names: tuple[str, ...]
    columns: Mapping[int, Cells]
    size: int
    lines: int
    form: str = "text"
    failures: tuple[Failure, ...] = ()
    line: Callable[[int], int] = field(default=lambda row: row)
    remarks: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    place: Callable[[int], str] = str
    delimiter: str = ""
    note: str = ""
    absent: Mapping[int, Collection[int]] = field(default_factory=dict)

    def where(self, row: int) -> str:
        """The place of a row, for errors: 'w.csv:17', 'w.parquet, row 3', 'w.json, item 2'."""
        return self.place(self.line(row))

    def matrix(self, columns: Sequence[int]) -> Array:
        """The doubles of some columns, (columns, rows): a view where they are consecutive rows of one array."""
        found = _view([self.columns[i] for i in columns])
        if found is not None:
            return found
        matrix = np.empty((len(columns), self.size))
        for out, i in zip(matrix, columns, strict=True):
            copy_doubles(self.columns[i], out)
        return matrix

    def texts(self, column: int) -> list[str]:
        """The cells of a column as text; of JSON, where they are as it was written, without its quotes."""
        found = texts(self.columns[~column if ~column in self.columns else column])
        if self.form != "json":
            return found
        from json import loads

        return [loads(cell) if cell.startswith('"') else "" if cell == "null" else cell for cell in found]

    def part(self, start: int, end: int) -> Table:
        """The rows from `start` to before `end`."""
        first = self.line(start) if start else 0
        following = self.line(end) if end < self.size else self.lines
        return Table(
            self.names,
            {i: cells[start:end] for i, cells in self.columns.items()},
            end - start,
            following - first,
            self.form,
            tuple(
                failure._replace(row=failure.row - start, line=failure.line - first)
                for failure in self.failures
                if start <= failure.row < end
            ),
            lambda row: self.line(row + start) - first,
            self.remarks if start == 0 else {},
            self.source,
        )

    def chosen(self, rows: Places, at: Mapping[int, int] | None = None) -> Table:
        """Some of the rows, in any order. What is wrong with a row that is left out is forgotten.

        at: where each row stands among those chosen, where several become one.
        """
        at = {row: i for i, row in enumerate(rows.tolist())} if at is None else at
        failures = [failure._replace(row=at[failure.row]) for failure in self.failures if failure.row in at]
        return replace(
            self,
            columns={i: taken(cells, rows) for i, cells in self.columns.items()},
            size=len(rows),
            failures=tuple(sorted(failures, key=lambda failure: failure.row)),
            line=lambda row: self.line(int(rows[row])),
        )


def _view(columns: Sequence[Cells]) -> Array | None:
    """The rows of a two-dimensional array that these columns are, in order; None where they are not."""
    whole: Any = getattr(columns[0], "base", None) if columns else None
    if not isinstance(whole, np.ndarray) or whole.ndim != 2:  # noqa: PLR2004 - rows and columns
        return None
    step = whole.strides[0]
    first = (columns[0].ctypes.data - whole.ctypes.data) // step if step else 0
    view: Array = whole[first : first + len(columns)]
    alike = len(view) == len(columns) and all(
        isinstance(cells, np.ndarray) and cells.ctypes.data == row.ctypes.data and cells.shape == row.shape
        for cells, row in zip(columns, view, strict=True)
    )
    return view if alike else None


def copy_doubles(cells: Cells, out: Array) -> None:
    """Copies a column of doubles without nulls. out: (rows,)."""
    if isinstance(cells, np.ndarray):
        out[:] = cells
        return
    start = 0
    for chunk in getattr(cells, "chunks", [cells]):
        if len(chunk):
            out[start : start + len(chunk)] = np.from_dlpack(chunk)
        start += len(chunk)


def concatenated(parts: Sequence[Table]) -> Table:
    """The rows of all parts, one after the other; the parts have the same columns."""
    if len(parts) == 1:
        return parts[0]
    starts = [0, *accumulate(part.size for part in parts)]
    lines = [0, *accumulate(part.lines for part in parts)]

    def line(row: int) -> int:
        i = bisect_right(starts, row) - 1
        return lines[i] + parts[i].line(row - starts[i])

    remarks: Counter[str] = Counter()
    for part in parts:
        remarks.update(part.remarks)
    return Table(
        parts[0].names,
        {i: joined([part.columns[i] for part in parts]) for i in parts[0].columns},
        starts[-1],
        lines[-1],
        parts[0].form,
        tuple(
            failure._replace(row=failure.row + starts[i], line=failure.line + lines[i])
            for i, part in enumerate(parts)
            for failure in part.failures
        ),
        line,
        remarks,
        parts[0].source,
        parts[0].place,
    )


def joined(pieces: Sequence[Cells]) -> Cells:
    """The cells of a column that is in pieces."""
    if all(isinstance(cells, list) for cells in pieces):
        return [cell for cells in pieces for cell in cells]
    if any(isinstance(cells, list) for cells in pieces):  # lists or objects, some of which an engine has read
        return [cell for cells in pieces for cell in (cells if isinstance(cells, list) else cells.to_pylist())]
    if any(isinstance(cells, np.ndarray) for cells in pieces):
        whole = np.empty(sum(map(len, pieces)))
        start = 0
        for cells in pieces:
            copy_doubles(cells, whole[start : start + len(cells)])
            start += len(cells)
        return whole
    from klcli.arrow import chained

    return chained(pieces)

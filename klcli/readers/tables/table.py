"""A table: all of one, or some rows of one that is read as a stream."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.kernels import taken, texts
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from klcli.errors import KlcliError
    from klcli.kernels import Places
    from klcli.model import Array

    Cells = Any
    """A column: a NumPy array of doubles, a list of Python's values, or an Arrow array or chunked array."""


class Table(NamedTuple):
    """Rows of a table. names: of all its columns, in order. columns: those that were read, by position, (size,) each.

    A column is of one of these kinds. A NumPy array holds doubles. A list holds Python's strings or JSON values: small
    tables are read without a table engine. Anything else is an Arrow array. Where a column is wanted both as doubles
    and as it stood, the latter is under ~position.

    form: what a cell that is no double is: 'text', a string as it stood in a file; 'json', a JSON value as it was
    written; 'value', typed. wrong: what is wrong with the rows that could not be read; their cells mean nothing.

    lines: how many lines all rows take. starts: on which of them each row starts, counted from 0; None where each row
    is a line. remarks: what should be known of how it was read, and of how many rows it is true. source: what errors
    call the table. place(line): where a line is, for a table that is read as a whole; of a frame only its stream knows.
    delimiter: what separates the fields of a text. note: what should be known of its header. absent: the rows, by
    column, in which a record has no such key.
    """

    names: tuple[str, ...]
    columns: Mapping[int, Cells]
    size: int
    lines: int
    form: str = "text"
    wrong: Mapping[int, KlcliError] = {}
    starts: Places | None = None
    remarks: Mapping[str, int] = {}
    source: str = ""
    place: Callable[[int], str] = str
    delimiter: str = ""
    note: str = ""
    absent: Mapping[int, Collection[int]] = {}

    def line(self, row: int) -> int:
        """The line on which a row starts."""
        return row if self.starts is None else int(self.starts[row])

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
            out[:] = self.columns[i]
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
        return self._replace(
            columns={i: cells[start:end] for i, cells in self.columns.items()},
            size=end - start,
            lines=following - first,
            wrong={row - start: error for row, error in self.wrong.items() if start <= row < end},
            starts=None if self.starts is None else self.starts[start:end] - first,
            remarks=self.remarks if start == 0 else {},
        )

    def chosen(self, rows: Places, at: Mapping[int, int] | None = None) -> Table:
        """Some of the rows, in any order. What is wrong with a row that is left out is forgotten.

        at: where each row stands among those chosen, where several become one.
        """
        if at is None:
            at = {row: i for i, row in enumerate(rows.tolist())} if self.wrong else {}
        return self._replace(
            columns={i: taken(cells, rows) for i, cells in self.columns.items()},
            size=len(rows),
            wrong={at[row]: error for row, error in self.wrong.items() if row in at},
            starts=rows if self.starts is None else self.starts[rows],
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


def concatenated(parts: Sequence[Table]) -> Table:
    """The rows of all parts, one after the other; the parts have the same columns."""
    if len(parts) == 1:
        return parts[0]
    size, lines, remarks = 0, 0, Counter[str]()
    wrong: dict[int, KlcliError] = {}
    starts = []
    for part in parts:
        wrong |= {row + size: error for row, error in part.wrong.items()}
        starts.append((np.arange(part.size) if part.starts is None else part.starts) + lines)
        size, lines = size + part.size, lines + part.lines
        remarks.update(part.remarks)
    return parts[0]._replace(
        columns={i: joined([part.columns[i] for part in parts]) for i in parts[0].columns},
        size=size,
        lines=lines,
        wrong=wrong,
        starts=np.concatenate(starts),
        remarks=remarks,
    )


def interleaved(one: Table, other: Table) -> Table:
    """The rows of two tables, which are rows of the same lines, in the order in which they start."""
    both = concatenated([one._replace(lines=0), other])
    return both.chosen(np.argsort(both.starts, kind="stable")) if both.starts is not None else both


def joined(pieces: Sequence[Cells]) -> Cells:
    """The cells of a column that is in pieces."""
    if all(isinstance(cells, list) for cells in pieces):
        return [cell for cells in pieces for cell in cells]
    if any(isinstance(cells, list) for cells in pieces):  # lists or objects, some of which an engine has read
        return [cell for cells in pieces for cell in (cells if isinstance(cells, list) else cells.to_pylist())]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    from klcli.arrow import chained

    return chained(pieces)

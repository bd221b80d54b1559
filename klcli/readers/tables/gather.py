"""Groups whose rows do not stand together: all the rows are read, and put in order."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from klcli.arrow import taken
from klcli.readers.tables.rows import Rows, concatenated, keys_of, pair_a_group

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from klcli.blocks import Block
    from klcli.readers.tables.stream import Table

_SAID = "the rows of a group did not stand together; all {n} rows were read into memory and put in order"


class Gathered:
    """The rows of several tables as one, each group's together, in the order in which the groups first appear."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables, self._starts, read = [], [0], []
        for table in tables:
            parts = list(table.rows())
            self._tables.append(table)
            self._starts.append(self._starts[-1] + sum(part.lines for part in parts))
            read += parts
        first = self._tables[0]
        self.source, self.kept, self.layout = first.source, first.kept, first.layout
        self._rows = _in_groups(concatenated(read), len(first.layout.by))

    def parts(self) -> Iterator[Callable[[], Iterable[Block]]]:
        """All of it at once."""
        yield lambda: [pair_a_group(self._rows, self.layout)]

    def rows(self) -> Iterator[Rows]:
        """The rows."""
        yield self._rows

    def place(self, line: int) -> str:
        """Where a line is, in its own file."""
        i = min(bisect_right(self._starts, line), len(self._tables)) - 1
        return self._tables[i].place(line - self._starts[i])


def _in_groups(rows: Rows, by: int) -> Rows:
    keys = keys_of(rows.text[:by])
    _, firsts, group = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts[group], kind="stable")
    at = np.empty_like(order)
    at[order] = np.arange(len(order))
    return Rows(
        rows.size,
        rows.lines,
        np.ascontiguousarray(rows.numbers[:, order]),
        [taken(cells, order) for cells in rows.text],
        rows.form,
        tuple(failure._replace(row=int(at[failure.row])) for failure in rows.failures),
        lambda row: rows.line(int(order[row])),
        {**rows.remarks, _SAID: rows.size},
    )

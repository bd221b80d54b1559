"""Rows whose Q stands in another row: the row before, or the row of another table that has the same key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Failure
from klcli.errors import DistributionError, InputError, clipped
from klcli.kernels import taken
from klcli.readers.sources import open_source
from klcli.readers.tables.layout import Layout, WantedColumns, lay_out, paired
from klcli.readers.tables.pairs import joined_keys, pair_rows
from klcli.readers.tables.select import select
from klcli.readers.tables.stream import ReadSettings, open_stream
from klcli.readers.tables.table import Table, concatenated, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.blocks import Block, Pairs

BEFORE = "the row before"
FIRST = "the first row has no row before it, and was left out"


# --------------------------------------------------------------------------------------------------- the row before


class Previous:
    """Pairs each row of a stream of frames with the row before it, also where that one was in another frame."""

    def __init__(self) -> None:
        self._last: list[Any] | None = None
        self._wrong: Failure | None = None

    def pairs(self, frame: Table, layout: Layout) -> Callable[[], Block]:
        """The pairs of a frame, to be scored on any thread; frames must be given in order."""
        cells = [frame.columns[i] for i in layout.p]
        last, wrong = self._last, self._wrong
        if frame.size:
            self._last = [column[-1:] for column in cells]
            self._wrong = next((failure for failure in frame.failures if failure.row == frame.size - 1), None)
        return partial(_after, frame, layout, last, wrong)


def _after(frame: Table, layout: Layout, last: list[Any] | None, wrong: Failure | None) -> Block:
    failures = {failure.row: failure for failure in frame.failures}
    before = {failure.row + 1: failure for failure in frame.failures} | ({} if wrong is None else {0: wrong})
    for row, failure in before.items():
        if row < frame.size:
            found = Failure(row, frame.line(row), f"{BEFORE}: {failure.text}", failure.error)
            failures.setdefault(row, found)
    cells = [frame.columns[i] for i in layout.p]
    shifted = cells if last is None else [joined([one, all_of]) for one, all_of in zip(last, cells, strict=True)]
    others = {i: column[: max(frame.size - (last is None), 0)] for i, column in enumerate(shifted)}
    table = replace(frame, failures=tuple(failures[row] for row in sorted(failures)))
    if last is None and frame.size:
        table = replace(table.chosen(np.arange(1, frame.size)), remarks={**frame.remarks, FIRST: 1})
    names = layout.names(layout.p)
    return beside(table, layout, others, names, tuple(range(len(names))), lambda _: f"{BEFORE}, ")


def beside(
    table: Table,
    layout: Layout,
    others: Mapping[int, Any],
    names: Sequence[str],
    q: tuple[int, ...],
    told: Callable[[int], str],
) -> Block:
    """The pairs of rows, with Q's cells from elsewhere. others: those columns, by position in `names`; q: which are Q.

    told(row): what errors say in front of a place in them.
    """
    n = len(table.names)
    columns = {**table.columns, **{n + i: cells for i, cells in others.items()}}
    wide = replace(table, names=(*table.names, *names), columns=columns)
    block = pair_rows(wide, layout._replace(header=wide.names, q=tuple(n + i for i in q)))
    return replace(block, pairs=tuple(_telling(pairs, table, told) for pairs in block.pairs))


def _telling(pairs: Pairs, table: Table, told: Callable[[int], str]) -> Pairs:
    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        line, name = pairs.where(side, column, outcome)
        row = int(pairs.rows[column])
        return (line, name) if side == 0 else (table.line(row), f"{told(row)}{name}")

    return replace(pairs, where=where)


# ---------------------------------------------------------------------------------------------- a row of another table


class Keyed:
    """A table in memory whose rows are found by their key, which no two of them share.

    strict: whether a row that cannot be read is an error, though no other row may ask for it.
    """

    def __init__(self, path: str, reading: ReadSettings, *, strict: bool) -> None:
        wanted = reading.wanted
        source = open_source(path, reading.dialect)
        try:
            stream = open_stream(source, reading)
            only_q = WantedColumns(None, wanted.q, "", None, None, "p", choices=wanted.choices)
            found = lay_out(only_q, stream.names, source.name, stream.text)
            on = tuple(select(wanted.on or "", stream.names, source.name))
            both = next((i for i in on if i in found.q), None)
            if both is not None:
                message = f"{source.name}: {clipped(stream.names[both])} cannot be both a key and a weight"
                raise InputError(message)
            layout = found._replace(p=found.q, q=(), kept=on)
            parts = [read() for read in stream.frames(layout)] or [
                Table(stream.names, {i: [] for i in (*on, *found.q)}, 0, 0)
            ]
            source.verify()
        finally:
            source.close()
        self.name, self.header, self.q = source.name, stream.names, found.q
        self._table, self._place = concatenated(parts), stream.place
        self._failed = {failure.row: failure for failure in self._table.failures}
        self._at: dict[Any, int] = {}
        for row, key in enumerate(keys(self._table, on)):
            if row in self._failed and (strict or not any(key)):  # nobody knows whose partner it is
                raise self._failed[row].error(self._wrong(row))
            if self._at.setdefault(key, row) != row:
                shown = ", ".join(key) if isinstance(key, tuple) else key
                again = f"{self.place(row)}: the key {clipped(shown)} stands twice (first: {self.place(self._at[key])})"
                message = f"{again}; keep one, or add a column to --on"
                raise DistributionError(message)
        self._used = np.zeros(self._table.size, dtype=bool)

    def place(self, row: int) -> str:
        """Where a row stands."""
        return self._place(self._table.line(row))

    def _wrong(self, row: int) -> str:
        return f"{self.place(row)}: {self._failed[row].text}"

    @property
    def unused(self) -> int:
        """How many rows no other row has asked for."""
        return int(np.count_nonzero(~self._used))

    @property
    def lost(self) -> str:
        """What to say of rows that could not be read and that no other row has asked for, '' where there are none."""
        lost = [row for row in self._failed if not self._used[row]]
        count = f"{len(lost)} row{'s' * (len(lost) > 1)}"
        return f"{count} of {self.name} without a partner failed too; the first: {self._wrong(lost[0])}" if lost else ""

    def paired(self, layout: Layout) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Q's columns in the order of P's, and what to say of it. Raises DistributionError."""
        _, q, remarks = paired(layout.p, self.q, layout.header, self.header, layout.source)
        return q, remarks

    def pairs(self, frame: Table, layout: Layout, q: tuple[int, ...]) -> Block:
        """The rows of a frame that have a partner here, each with it."""
        found = keys(frame, layout.more)
        at = np.array([self._at.get(key, -1) for key in found], dtype=np.intp)
        self._used[at[at >= 0]] = True
        # A row that could not be read is not one without a partner: that would hide what is wrong with it.
        unknown = [failure.row for failure in frame.failures if at[failure.row] < 0]
        at[unknown] = 0
        rows = np.flatnonzero(at >= 0) if self._table.size else np.empty(0, dtype=np.intp)
        at = at[rows]
        left = frame.chosen(rows)
        failures = {failure.row: failure for failure in left.failures}
        for row, other in enumerate(at.tolist() if self._failed else ()):
            if other in self._failed and row not in failures:
                failures[row] = Failure(row, left.line(row), self._wrong(other), self._failed[other].error)
        alone = f"rows left out that have no partner in {self.name}: {{n}}"
        alone_too = {alone: frame.size - len(rows)} if len(rows) < frame.size else {}
        left = replace(
            left,
            failures=tuple(failures[row] for row in sorted(failures)),
            remarks={**frame.remarks, **alone_too},
        )
        others = {i: taken(self._table.columns[i], at) for i in self.q}
        return beside(left, layout, others, self.header, q, lambda row: f"{self.place(int(at[row]))}, ")


def keys(table: Table, columns: Sequence[int]) -> list[Any]:
    """The key of each row: what stands in some columns."""
    return joined_keys([table.texts(i) for i in columns])

"""Rows whose Q stands in another row: the row before, or the row of another table that has the same key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import DistributionError, InputError, clipped
from klcli.kernels import taken
from klcli.readers.tables.groups import joined_keys
from klcli.readers.tables.layout import Layout, WantedColumns, paired
from klcli.readers.tables.pairs import faults_of_fields, pair_rows
from klcli.readers.tables.stream import ReadSettings, Tables
from klcli.readers.tables.table import Table, concatenated, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.blocks import Block, Pairs
    from klcli.errors import KlcliError

BEFORE = "the row before"
FIRST = "the first row has no row before it, and was left out"


# --------------------------------------------------------------------------------------------------- the row before


class Previous:
    """Pairs each row of a stream of frames with the row before it, also where that one was in another frame."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._last: list[Any] | None = None
        self._wrong: KlcliError | None = None

    def pairs(self, frame: Table) -> Callable[[], Block]:
        """The pairs of a frame, to be scored on any thread; frames must be given in order."""
        layout, last, wrong = self._layout, self._last, self._wrong
        if frame.size:
            self._last = [frame.columns[i][-1:] for i in layout.p]
            self._wrong = frame.wrong.get(frame.size - 1)
        return partial(_after, frame, layout, last, wrong)


def _after(frame: Table, layout: Layout, last: list[Any] | None, wrong: KlcliError | None) -> Block:
    before = {row + 1: error for row, error in frame.wrong.items()} | ({} if wrong is None else {0: wrong})
    faults = {row: type(error)(f"{BEFORE}: {error}") for row, error in before.items() if row < frame.size}
    cells = [frame.columns[i] for i in layout.p]
    shifted = cells if last is None else [joined([one, all_of]) for one, all_of in zip(last, cells, strict=True)]
    others = {i: column[: max(frame.size - (last is None), 0)] for i, column in enumerate(shifted)}
    table = frame._replace(wrong=faults | dict(frame.wrong))
    if last is None and frame.size:
        table = table.chosen(np.arange(1, frame.size))._replace(remarks={**frame.remarks, FIRST: 1})
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
    wide = table._replace(names=(*table.names, *names), columns=columns)
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
        only_q = WantedColumns(q=wanted.q, keep=wanted.on, reference="p", choices=wanted.choices)
        with Tables([path], reading._replace(wanted=only_q)) as tables:
            for opened in tables:
                found, stream = opened.layout, opened.stream
                on = found.kept
                both = next((i for i in on if i in found.q), None)
                if both is not None:
                    message = f"{found.source}: {clipped(found.header[both])} cannot be both a key and a weight"
                    raise InputError(message)
                parts = [read() for read in opened.frames()] or [
                    Table(found.header, {i: [] for i in found.columns}, 0, 0)
                ]
        self.name, self._header, self._q, self._order = found.source, found.header, found.q, found.q
        self._table, self._place = concatenated(parts), stream.place
        self._table = self._table._replace(wrong=faults_of_fields(self._table, found))
        self._at: dict[Any, int] = {}
        for row, key in enumerate(keys(self._table, on)):
            if row in self._table.wrong and (strict or not any(key)):  # nobody knows whose partner it is
                raise self._wrong(row)
            if self._at.setdefault(key, row) != row:
                shown = ", ".join(key) if isinstance(key, tuple) else key
                again = f"{self.place(row)}: the key {clipped(shown)} stands twice (first: {self.place(self._at[key])})"
                message = f"{again}; keep one, or add a column to --on"
                raise DistributionError(message)
        self._used = np.zeros(self._table.size, dtype=bool)

    def place(self, row: int) -> str:
        """Where a row stands."""
        return self._place(self._table.line(row))

    def _wrong(self, row: int) -> KlcliError:
        """What is wrong with a row, and where."""
        error = self._table.wrong[row]
        return type(error)(f"{self.place(row)}: {error}")

    @property
    def unused(self) -> int:
        """How many rows no other row has asked for."""
        return int(np.count_nonzero(~self._used))

    @property
    def lost(self) -> str:
        """What to say of rows that could not be read and that no other row has asked for, '' where there are none."""
        lost = [row for row in sorted(self._table.wrong) if not self._used[row]]
        count = f"{len(lost)} row{'s' * (len(lost) > 1)}"
        return f"{count} of {self.name} without a partner failed too; the first: {self._wrong(lost[0])}" if lost else ""

    def pair_with(self, layout: Layout) -> tuple[str, ...]:
        """Puts Q's columns in the order of P's. Returns what to say of it. Raises DistributionError."""
        _, self._order, remarks = paired(layout.p, self._q, layout.header, self._header, layout.source)
        return remarks

    def pairs(self, frame: Table, layout: Layout) -> Block:
        """The rows of a frame that have a partner here, each with it."""
        found = keys(frame, layout.more)
        at = np.array([self._at.get(key, -1) for key in found], dtype=np.intp)
        self._used[at[at >= 0]] = True
        # A row that could not be read is not one without a partner: that would hide what is wrong with it.
        unknown = [row for row in frame.wrong if at[row] < 0]
        at[unknown] = 0
        rows = np.flatnonzero(at >= 0)
        at = at[rows]
        left = frame.chosen(rows)
        lacking = self._table.wrong and {
            row: self._wrong(i) for row, i in enumerate(at.tolist()) if i in self._table.wrong
        }
        alone = f"rows left out that have no partner in {self.name}: {{n}}"
        remarks = {**frame.remarks, **({alone: frame.size - len(rows)} if len(rows) < frame.size else {})}
        left = left._replace(wrong={**lacking, **left.wrong}, remarks=remarks)
        # Without any row here all that is left failed, and the weights beside it are nobody's.
        others = {i: taken(self._table.columns[i], at) if self._table.size else np.ones(len(at)) for i in self._q}
        return beside(left, layout, others, self._header, self._order, lambda row: f"{self.place(int(at[row]))}, ")


def keys(table: Table, columns: Sequence[int]) -> list[Any]:
    """The key of each row: what stands in some columns."""
    return joined_keys([table.texts(i) for i in columns])

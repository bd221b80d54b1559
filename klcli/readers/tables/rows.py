"""Rows that have been read, and the pairs they are: one a row, or one a group of rows that follow one another."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from klcli.arrow import call, strings, taken, truths
from klcli.blocks import Block, Column, Failure, Pairs
from klcli.errors import DistributionError, clipped
from klcli.readers.tables.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from klcli.model import Array

    Indices = npt.NDArray[np.intp]
    from klcli.readers.tables.layout import Layout

_MIXER = np.uint64(0x9E37_79B9_7F4A_7C15)


_SINGLE = "{} have a single outcome, where every divergence is 0; --by COLUMN makes a pair of several rows"


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a table, one after the other.

    numbers: (m, size), the layout's columns of weights; what stands there in a row that failed means nothing. text: the
    layout's columns of text. line(row): counted from the first of these rows. lines: how many the rows take.
    """

    size: int
    lines: int
    numbers: Array
    text: Sequence[Any]
    form: str = "text"
    failures: tuple[Failure, ...] = ()
    line: Callable[[int], int] = field(default=lambda row: row)
    remarks: Mapping[str, int] = field(default_factory=dict)


def concatenated(parts: Sequence[Rows]) -> Rows:
    """The rows of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    starts = np.cumsum([0, *(part.size for part in parts)]).tolist()
    lines = np.cumsum([0, *(part.lines for part in parts)]).tolist()

    def line(row: int) -> int:
        i = bisect_right(starts, row) - 1
        return int(lines[i]) + parts[i].line(row - starts[i])

    failures = [
        failure._replace(row=failure.row + starts[i], line=failure.line + lines[i])
        for i, part in enumerate(parts)
        for failure in part.failures
    ]
    remarks: Counter[str] = Counter()
    for part in parts:
        remarks.update(part.remarks)
    text = [pa.concat_arrays(list(columns)) for columns in zip(*(part.text for part in parts), strict=True)]
    numbers = np.concatenate([part.numbers for part in parts], axis=1)
    return Rows(starts[-1], lines[-1], numbers, text, parts[0].form, tuple(failures), line, remarks)


def part_of(rows: Rows, start: int, end: int) -> Rows:
    """The rows from `start` to before `end`."""
    first = rows.line(start) if start else 0
    following = rows.line(end) if end < rows.size else rows.lines
    return Rows(
        end - start,
        following - first,
        rows.numbers[:, start:end],
        [cells.slice(start, end - start) for cells in rows.text],
        rows.form,
        tuple(
            failure._replace(row=failure.row - start, line=failure.line - first)
            for failure in rows.failures
            if start <= failure.row < end
        ),
        lambda row: rows.line(row + start) - first,
        rows.remarks if start == 0 else {},
    )


def groups_of(parts: Iterable[Rows], layout: Layout) -> Iterator[Callable[[], Iterable[Block]]]:
    """Groups from rows that were not cut where a group ends: its last rows wait for what follows."""
    by = len(layout.by)
    waiting: list[Rows] = []
    for part in parts:
        starts = _starts(part.text[:by], part.size)
        before = next((rows for rows in reversed(waiting) if rows.size), None)
        if part.size == 0 or (len(starts) == 1 and before is not None and _goes_on(before, part, by)):
            waiting.append(part)
            continue
        last = int(starts[-1])
        head = [*waiting, part_of(part, 0, last)] if last else waiting
        if any(rows.size for rows in head):
            yield partial(_paired, concatenated(head), layout)
            waiting = []
        waiting.append(part_of(part, last, part.size))
    if waiting:
        yield partial(_paired, concatenated(waiting), layout)


def _goes_on(before: Rows, after: Rows, by: int) -> bool:
    """Whether the last row of the one and the first of the other are of one group."""
    ends = (
        (as_text(a)[before.size - 1], as_text(b)[0]) for a, b in zip(before.text[:by], after.text[:by], strict=True)
    )
    return all(one == other for one, other in ends)


def _paired(rows: Rows, layout: Layout) -> list[Block]:
    return [pair_a_group(rows, layout)]


def pair_a_row(rows: Rows, layout: Layout) -> Block:
    """Each row is a pair; the columns of weights are the outcomes."""
    names = layout.names(layout.p), layout.names(layout.q)

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        name = names[side][outcome] if outcome < len(names[side]) else ""
        return rows.line(int(chosen[column])), f"column {clipped(name)}"

    numbers, chosen = rows.numbers, _others(rows.size, rows.failures)
    if rows.failures:
        numbers = numbers[:, chosen]
    k = len(layout.p)
    p, q = (numbers[:k] if layout.p else None), (numbers[k:] if layout.q else None)
    # Only a reference has labels of its own to be joined with the columns' names.
    labels = (names[0], None) if q is None else (None, names[1] if p is None else None)
    kept = tuple(
        Column(name, cells, rows.form) for name, cells in zip(layout.names(layout.kept), rows.text, strict=True)
    )
    pairs = Pairs(chosen, p, q, labels, where, by_columns=True)
    remarks = rows.remarks
    if max(map(len, names)) == 1:
        remarks = {**remarks, _SINGLE: len(chosen)}
    return Block(rows.size, rows.lines, kept, (pairs,), rows.failures, None, remarks)


def pair_a_group(rows: Rows, layout: Layout) -> Block:
    """Rows that follow one another and are alike in the columns `by` are a pair; each row is an outcome."""
    by = rows.text[: len(layout.by)]
    starts = _starts(by, rows.size)
    groups = _Groups(starts, np.diff(np.append(starts, rows.size)), _labels(rows, layout))
    failures = _of_groups(rows.failures, groups) + groups.with_a_label_twice(rows)
    sound = _others(len(starts), failures)
    pairs = []
    for size in _different(groups.sizes[sound]):
        alike = sound[groups.sizes[sound] == size]
        for labels, chosen in groups.by_labels(alike, size) if not (layout.p and layout.q) else [(None, alike)]:
            pairs.append(_pairs_of_groups(rows, layout, groups, chosen, size, labels))
    kept = tuple(
        Column(name, taken(cells, starts), rows.form) for name, cells in zip(layout.names(layout.by), by, strict=True)
    )
    return Block(
        len(starts),
        rows.lines,
        kept,
        tuple(pairs),
        tuple(failures),
        keys_of([column.cells for column in kept]),
        rows.remarks,
    )


def _of_groups(failures: Sequence[Failure], groups: _Groups) -> list[Failure]:
    """The rows' failures as those of their groups."""
    if not failures:
        return []
    of = np.repeat(np.arange(len(groups.starts)), groups.sizes)
    return [failure._replace(row=int(of[failure.row])) for failure in failures]


def _others(n: int, failures: Sequence[Failure]) -> Indices:
    """The rows from 0 to n that did not fail."""
    left = np.ones(n, dtype=bool)
    left[[failure.row for failure in failures]] = False
    return np.flatnonzero(left)


def _different(sizes: Indices) -> list[int]:
    """The sizes that occur, in ascending order."""
    return np.flatnonzero(np.bincount(sizes)).tolist()


def _pairs_of_groups(
    rows: Rows, layout: Layout, groups: _Groups, chosen: Indices, size: int, labels: tuple[str, ...] | None
) -> Pairs:
    starts = groups.starts[chosen]

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        name = layout.names((layout.p, layout.q)[side])[0]
        return rows.line(int(starts[column]) + outcome), f"column {clipped(name)}"

    if len(chosen) * size == rows.size:  # all of the rows: no need to pick them
        weights = rows.numbers.reshape(len(rows.numbers), len(chosen), size).swapaxes(1, 2)
    else:
        weights = rows.numbers[:, starts + np.arange(size)[:, None]]
    sides = iter(weights)
    p, q = (next(sides) if layout.p else None), (next(sides) if layout.q else None)
    return Pairs(chosen, p, q, (labels if p is not None else None, labels if q is not None else None), where)


def _labels(rows: Rows, layout: Layout) -> Labels | None:
    return None if layout.label is None else Labels(as_text(rows.text[len(layout.by)]))


def _starts(by: Sequence[Any], n: int) -> Indices:
    """The rows at which a group starts."""
    starts = np.zeros(n, dtype=bool)
    starts[:1] = True
    for cells in map(as_text, by):
        differs = call("not_equal", [cells.slice(1), cells.slice(0, max(n - 1, 0))])
        starts[1:] |= truths(differs)
    return np.flatnonzero(starts)


def keys_of(by: Sequence[Any]) -> npt.NDArray[np.uint64]:
    """A hash of what stands in each row of the columns `by`."""
    keys = np.zeros(len(by[0]), dtype=np.uint64)
    for cells in by:
        hashes = Labels(as_text(cells)).hashes()
        keys = (keys ^ hashes) * _MIXER
    return keys


class _Groups:
    """Runs of rows. starts, sizes: (n,)."""

    def __init__(self, starts: Indices, sizes: Indices, labels: Labels | None) -> None:
        self.starts, self.sizes, self._labels = starts, sizes, labels

    def with_a_label_twice(self, rows: Rows) -> list[Failure]:
        """A failure for each group in which a label stands twice: an outcome has one weight."""
        if self._labels is None or len(self.starts) == 0 or self._surely_unique(self._labels):
            return []
        labels, failures = list(self._labels), []
        for group, (start, size) in enumerate(zip(self.starts.tolist(), self.sizes.tolist(), strict=True)):
            first: dict[str, int] = {}
            for row in range(start, start + size):
                at = first.setdefault(labels[row], row)
                if at != row:
                    again = f"the label {clipped(labels[row])} stands twice in its group; add the two up"
                    failures.append(Failure(group, rows.line(row), again, DistributionError))
                    break
        return failures

    def _surely_unique(self, labels: Labels) -> bool:
        if self._all_alike(labels):
            first = labels[: int(self.sizes[0])]
            return len(set(first)) == len(first)
        hashes = labels.hashes()
        hashes ^= np.repeat(np.arange(len(self.sizes)).astype(np.uint64) * _MIXER, self.sizes)
        hashes.sort()
        return bool((hashes[1:] != hashes[:-1]).all())

    def _all_alike(self, labels: Labels) -> bool:
        """Whether every group has the same labels in the same order."""
        size = int(self.sizes[0])
        if not (self.sizes == size).all():
            return False
        text, offsets = labels.bytes_and_offsets()
        lengths = np.diff(offsets).reshape(-1, size)
        text = text[int(offsets[0]) : int(offsets[-1])]
        return bool(
            (lengths == lengths[0]).all() and (text.reshape(len(lengths), -1) == text[: int(lengths[0].sum())]).all()
        )

    def by_labels(self, groups: Indices, size: int) -> list[tuple[tuple[str, ...] | None, Indices]]:
        """The groups, all of one size, by the labels they have in order."""
        if self._labels is None:
            return [(None, groups)]
        alike: dict[tuple[str, ...], list[int]] = {}
        for group in groups.tolist():
            start = int(self.starts[group])
            alike.setdefault(tuple(self._labels[start : start + size]), []).append(group)
        return [(labels, np.array(chosen)) for labels, chosen in alike.items()]


def as_text(cells: Any) -> Any:  # noqa: ANN401 - an Arrow array
    """The cells of a column as strings: 1.0 as '1.0', nothing as ''."""
    if cells.type == pa.string():
        return cells if not cells.null_count else cells.fill_null("")
    if pa.types.is_floating(cells.type):
        return strings("" if value is None else repr(value) for value in cells.to_pylist())
    return cells.cast(pa.string()).fill_null("")

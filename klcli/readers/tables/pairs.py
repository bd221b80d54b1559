"""The pairs that the rows of a frame are: one a row, or one a group of rows that follow one another."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import zip_longest
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Block, Column, Failure, Pairs
from klcli.errors import DistributionError, InputError, KlcliError, clipped
from klcli.kernels import as_text, changes, codes, empty, taken, texts
from klcli.model import Distribution, frozen
from klcli.readers.distributions import ADDED_UP
from klcli.readers.documents import distribution_of
from klcli.readers.observations import counted, is_value
from klcli.readers.tables.cells import json_value
from klcli.readers.tables.dropped import without_totals
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table, concatenated
from klcli.readers.totals import is_sum, is_total, mend, unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.tables.layout import Counting, Layout

    Places = npt.NDArray[np.intp]
    Names = tuple[str, ...] | None

_SINGLE = "in {} there is a single outcome, where every divergence is 0; --by COLUMN makes a pair of several rows"
_SCATTERED = "the rows of a group did not stand together; all {n} rows were read into memory and put in order"


def pair_rows(table: Table, layout: Layout) -> Block:
    """Each row is a pair: columns of weights are the outcomes, or lists and objects in one column a side."""
    sides = [side for side in (layout.p, layout.q) if side]
    numeric = [_is_numeric(table.columns[side[0]]) for side in sides]
    if all(len(side) == 1 for side in sides) and not all(numeric):
        return _pair_fields(table, layout)
    names = layout.names(layout.p), layout.names(layout.q)
    chosen = _others(table.size, table.failures)

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        name = names[side][outcome] if outcome < len(names[side]) else ""
        return table.line(int(chosen[column])), f"column {clipped(name)}"

    p, q = (table.matrix(side) if side else None for side in (layout.p, layout.q))
    if table.failures:
        p, q = (None if side is None else side[:, chosen] for side in (p, q))
    if layout.gaps:
        p, q = (None if side is None else side.copy() for side in (p, q))
        _leave_out(p, q)
    said = [_totals(layout, of, side) for of, side in zip(names, (p, q), strict=True) if side is not None]
    # Only a reference has labels of its own to be joined with the columns' names.
    labels = (names[0], None) if q is None else (None, names[1] if p is None else None)
    pairs = Pairs(chosen, p, q, labels, where, by_columns=True)
    remarks = {**table.remarks, **{note: len(chosen) for note in said if note}}
    if max(map(len, names)) == 1:
        remarks[_SINGLE] = len(chosen)
    # Among several columns names to drop have been looked for.
    met = frozenset(layout.header) if layout.choices.drop and max(map(len, names)) == 1 else None
    return Block(table.size, table.lines, _kept(table, layout), (pairs,), table.failures, remarks, met)


def _leave_out(p: Array | None, q: Array | None) -> None:
    """Takes the weight of an outcome from both sides where one of them is NaN. p, q: (K, n)."""
    sides = [side for side in (p, q) if side is not None]
    gaps = np.any([np.isnan(side) for side in sides], axis=0)
    for side in sides:
        side[gaps] = 0.0


def _totals(layout: Layout, names: tuple[str, ...], weights: npt.NDArray[np.float64]) -> str:
    """What to say of a column that is the sum of the others in all rows. weights: (columns, rows).

    Raises DistributionError where its name says that it is a total.
    """
    if layout.choices.keep_totals or len(names) < 2 or not weights.shape[1]:  # noqa: PLR2004 - a total and a part
        return ""
    for i, name in enumerate(names):
        if is_total(name) and is_sum(weights[i], np.delete(weights, i, axis=0).sum(axis=0)).all():
            message = f"{layout.source}: column {clipped(name)} {mend(name)}"
            raise DistributionError(message)
    return next((f"in {{}} {note}" for note in unnamed(names, weights, "column")), "")


def _is_numeric(cells: Any) -> bool:  # noqa: ANN401
    return isinstance(cells, np.ndarray) or str(getattr(cells, "type", "")) == "double"


def _kept(table: Table, layout: Layout) -> tuple[Column, ...]:
    return tuple(
        Column(layout.header[i], table.columns[~i if ~i in table.columns else i], table.form) for i in layout.kept
    )


def _others(n: int, failures: Sequence[Failure]) -> Places:
    """The rows from 0 to n that did not fail."""
    left = np.ones(n, dtype=bool)
    left[[failure.row for failure in failures]] = False
    return np.flatnonzero(left)


# ---------------------------------------------------------------------------------------------------- lists and objects


def _pair_fields(table: Table, layout: Layout) -> Block:
    """The pairs whose sides are fields of a record: a list of weights, or an object of label: weight."""
    names = tuple(layout.header[side[0]] if side else None for side in (layout.p, layout.q))
    cells = [table.columns[side[0]] if side else None for side in (layout.p, layout.q)]
    kept = _kept(table, layout)
    arrays = [None if column is None else _stacked(column) for column in cells]
    blank = layout.blank != "error" and any(array is not None and np.isnan(array).any() for array in arrays)
    if not blank and all(column is None or array is not None for column, array in zip(cells, arrays, strict=True)):
        rows = _others(table.size, table.failures)
        if table.failures:
            arrays = [None if array is None else array[:, rows] for array in arrays]
        p, q = (None if column is None else _labels_in(column) for column in cells)
        pairs = (Pairs(rows, arrays[0], arrays[1], (p, q), _Places(names, (p, q), rows, table.line)),)
        block = Block(table.size, table.lines, kept, pairs, table.failures, remarks=table.remarks)
        return without_totals(block, layout.choices)
    fields = [None if column is None else _values(column) for column in cells]
    found, failures, summed = _pairs_of_fields(names, fields, table, layout)
    remarks = {**table.remarks, **({ADDED_UP: table.remarks.get(ADDED_UP, 0) + summed} if summed else {})}
    block = Block(table.size, table.lines, kept, tuple(found), tuple(failures), remarks=remarks)
    return without_totals(block, layout.choices)


def _stacked(cells: Any) -> Any:  # noqa: ANN401
    """Lists of numbers, all of one length, or structures of them, as (K, n); None where that is not what they are."""
    if isinstance(cells, list | np.ndarray):
        return None
    from klcli.arrow import weights

    return weights(cells)


def _labels_in(cells: Any) -> Names:  # noqa: ANN401
    """The labels of a column of structures, the same in every row; a list has none."""
    kind = cells.type
    return tuple(kind.field(i).name for i in range(kind.num_fields)) if str(kind).startswith("struct<") else None


def _values(cells: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(cells, list | np.ndarray):
        return list(cells)
    return [json_value(value) for value in cells.to_pylist()]


def _pairs_of_fields(
    names: tuple[str | None, ...], fields: Sequence[Sequence[Any] | None], table: Table, layout: Layout
) -> tuple[list[Pairs], list[Failure], int]:
    """The pairs, those of one length and labels together; what is wrong with the other rows.

    The last is in how many rows labels were added up, if they shall be.
    """
    how = layout.choices.repeats, layout.blank
    wrong = {failure.row: failure for failure in table.failures}
    summed = 0
    alike: dict[tuple[Any, ...], list[tuple[int, list[Distribution | None]]]] = {}
    for row in range(table.size):
        if row in wrong:
            continue
        try:
            sides = [
                None
                if name is None or values is None
                else distribution_of(name, values[row], f"column {clipped(name)}", *how)
                for name, values in zip(names, fields, strict=True)
            ]
        except KlcliError as error:
            wrong[row] = Failure(row, table.line(row), str(error), type(error))
            continue
        summed += any(side is not None and side.remarks for side in sides)
        sides = _without_gaps(sides) if layout.gaps else sides
        kind = tuple(None if side is None else (len(side.values), _labels_of(side)) for side in sides)
        alike.setdefault(kind, []).append((row, sides))
    pairs = [_together(names, kind, found, table.line) for kind, found in alike.items()]
    return pairs, [wrong[row] for row in sorted(wrong)], summed


def _without_gaps(sides: list[Distribution | None]) -> list[Distribution | None]:
    """The sides without weight where one of them is NaN: by label, or without labels by position."""
    names = [() if side is None else side.outcomes or range(len(side.values)) for side in sides]
    weights = [[] if side is None else side.values.tolist() for side in sides]
    pairs = [list(zip(*each, strict=True)) for each in zip(names, weights, strict=True)]
    gaps = {name for each in pairs for name, weight in each if isnan(weight)}
    return [
        None
        if side is None
        else replace(side, values=frozen([0.0 if name in gaps else weight for name, weight in each]))
        for side, each in zip(sides, pairs, strict=True)
    ]


def _labels_of(side: Distribution) -> Names:
    return None if side.outcomes is None else tuple(side.outcomes)


def _together(
    names: tuple[str | None, ...],
    kind: tuple[Any, ...],
    found: list[tuple[int, list[Distribution | None]]],
    line: Callable[[int], int],
) -> Pairs:
    rows = np.array([row for row, _ in found], dtype=np.intp)
    weights = []
    for which, of in enumerate(kind):
        values = None if of is None else [side.values for _, sides in found if (side := sides[which]) is not None]
        weights.append(None if values is None else np.concatenate(values).reshape(len(found), of[0]).T)
    labels = tuple(None if of is None else of[1] for of in kind)
    return Pairs(
        rows, weights[0], weights[1], (labels[0], labels[1]), _Places(names, (labels[0], labels[1]), rows, line)
    )


class _Places:
    """Where a weight of a field stands: the line, the field, and the item or the label in it."""

    def __init__(
        self, names: tuple[str | None, ...], labels: tuple[Names, Names], rows: Places, line: Callable[[int], int]
    ) -> None:
        self._names, self._labels, self._rows, self._line = names, labels, rows, line

    def __call__(self, side: int, column: int, outcome: int) -> tuple[int, str]:
        """The place of one side's outcome in a column of the pairs."""
        labels = self._labels[side]
        # Of a side without outcomes nothing is asked but the line.
        inside = f"item {outcome + 1}" if labels is None or outcome >= len(labels) else clipped(labels[outcome])
        return self._line(int(self._rows[column])), f"column {clipped(str(self._names[side]))}, {inside}"


# --------------------------------------------------------------------------------------------------------------- groups


def group_starts(table: Table, layout: Layout) -> Places:
    """The rows at which a group starts."""
    return changes([table.columns[i] for i in layout.by], table.size)


def keys_of(table: Table, layout: Layout, rows: Places) -> list[Any]:
    """What stands in the columns `by` in some rows."""
    return joined_keys([texts(taken(table.columns[i], rows)) for i in layout.by])


def joined_keys(columns: Sequence[list[str]]) -> list[Any]:
    """The key of each row: what stands in its only column, or a tuple."""
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def whole_groups(
    frames: Iterable[tuple[Table, Places]], layout: Layout
) -> Iterator[tuple[Callable[[], Block], list[Any]]]:
    """Pairs of groups, and their keys, from frames that were cut anywhere: a last group waits for what follows."""
    waiting: list[Table] = []
    last: Any = None
    for frame, starts in frames:
        if frame.size == 0:
            waiting.append(frame)
            continue
        keys = keys_of(frame, layout, starts)
        goes_on = last is not None and keys[0] == last
        cut = int(starts[-1])
        if goes_on and len(starts) == 1:
            waiting.append(frame)
            continue
        head = [*waiting, frame.part(0, cut)] if cut else waiting
        if any(part.size for part in head):
            done = ([] if last is None else [last]) + keys[1 if goes_on else 0 : -1]
            yield partial(_paired, head, layout), done
            waiting = []
        waiting.append(frame.part(cut, frame.size))
        last = keys[-1]
    if waiting:
        yield partial(_paired, waiting, layout), [] if last is None else [last]


def _paired(parts: Sequence[Table], layout: Layout) -> Block:
    return pair_groups(concatenated(parts), layout)


def gathered(table: Table, layout: Layout) -> Table:
    """The rows with those of each group together, in the order in which the groups first appear."""
    _, firsts, group = np.unique(
        codes([table.columns[i] for i in layout.by], table.size), return_index=True, return_inverse=True
    )
    together = table.chosen(np.argsort(firsts[group], kind="stable"))
    return replace(together, remarks={**table.remarks, _SCATTERED: table.size})


def pair_groups(table: Table, layout: Layout) -> Block:
    """Rows that follow one another and are alike in the columns `by` are a pair; each row is an outcome."""
    if layout.counting is not None:
        return _tally_groups(table, layout, layout.counting)
    table, names = _undropped(table, layout)
    table = _with_each_label_once(table, layout)
    starts = group_starts(table, layout)
    groups = _Groups(table, layout, starts)
    failures = groups.failures()
    sound = _others(len(starts), failures)
    pairs = []
    for size in np.flatnonzero(np.bincount(groups.sizes[sound])).tolist():
        alike = sound[groups.sizes[sound] == size]
        for labels, chosen in groups.by_labels(alike, size) if not (layout.p and layout.q) else [(None, alike)]:
            pairs.append(groups.pairs(chosen, size, labels))
    kept = tuple(Column(layout.header[i], taken(table.columns[i], starts), table.form) for i in layout.by)
    return Block(len(starts), table.lines, kept, tuple(pairs), tuple(failures), table.remarks, names)


def _nameless(table: Table, layout: Layout, starts: Places) -> list[Failure]:
    """A failure for each group in whose key nothing stands: nobody knows that its rows belong together."""
    found, ends = [], [*starts[1:].tolist(), table.size]
    for i in layout.by:
        for group in empty(taken(table.columns[i], starts), '"' if table.form == "json" else ""):
            start = int(starts[group])
            wrong = no_group(layout.header[i], ends[group] - start)
            found.append(Failure(group, table.line(start), wrong, InputError))
    return found


def _tally_groups(table: Table, layout: Layout, counting: Counting) -> Block:
    """Rows that follow one another and are alike in the columns `by` are a pair; each row is a raw value of P and Q."""
    starts = group_starts(table, layout)
    ends = [*starts[1:].tolist(), table.size]
    group_of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.size)))
    wrong = {int(group_of[failure.row]): failure for failure in reversed(table.failures)}
    nameless = {failure.row: failure for failure in _nameless(table, layout, starts)}
    failures = nameless | {group: failure._replace(row=group) for group, failure in wrong.items()}
    sides = [(layout.header[side[0]], table.texts(side[0])) for side in (layout.p, layout.q) if side]
    alike: dict[tuple[Names, ...], list[tuple[int, list[Distribution]]]] = {}
    for group, (start, end) in enumerate(zip(starts.tolist(), ends, strict=True)):
        if group in failures:
            continue
        try:
            found = _counted(sides, range(start, end), counting, layout.choices.drop)
        except _NoValueError as error:
            failures[group] = Failure(group, table.line(error.row), str(error.error), type(error.error))
            continue
        alike.setdefault(tuple(tuple(one.outcomes or ()) for one in found), []).append((group, found))
    pairs = [_of_counts(layout, labels, found, table, starts) for labels, found in alike.items()]
    kept = tuple(Column(layout.header[i], taken(table.columns[i], starts), table.form) for i in layout.by)
    wrongs = tuple(failures[group] for group in sorted(failures))
    names = frozenset(cell for _, cells in sides for cell in cells) if layout.choices.drop else None
    return Block(len(starts), table.lines, kept, tuple(pairs), wrongs, table.remarks, names)


class _NoValueError(Exception):
    """A row of a group has no value to count. error: what is wrong with it."""

    def __init__(self, row: int, error: KlcliError) -> None:
        super().__init__(str(error))
        self.row, self.error = row, error


def _counted(
    sides: Sequence[tuple[str, list[str]]], rows: range, counting: Counting, drop: Sequence[str]
) -> list[Distribution]:
    """The values of each side in some rows, but for those dropped, counted. Raises _NoValueError."""
    last = rows[0]

    def place(row: int, name: str) -> str:
        nonlocal last
        last = row
        return f"column {clipped(name)}"

    samples = []
    try:
        for name, cells in sides:
            present = [row for row in rows if is_value(cells[row])]
            if len(present) < len(rows) and counting.notation.blank != "skip":
                last = next(row for row, other in zip_longest(rows, present) if row != other)
                blank = f"column {clipped(name)}: {clipped(cells[last])} is no value to count"
                message = f"{blank}; --blank skip leaves it out"
                raise InputError(message)
            present = [row for row in present if cells[row] not in drop]
            where = partial(lambda i, at, name: place(at[i], name), at=present, name=name)
            ones = frozen(np.ones(len(present)))
            samples.append(Distribution(name, name, ones, where, [cells[row] for row in present]))
        return counted(samples, counting.bins, counting.notation)
    except KlcliError as error:
        raise _NoValueError(last, error) from None


def _of_counts(
    layout: Layout,
    labels: tuple[Names, ...],
    found: Sequence[tuple[int, list[Distribution]]],
    table: Table,
    starts: Places,
) -> Pairs:
    """The pairs of groups in which the same values occur. labels: the values of each side."""
    rows = np.array([group for group, _ in found], dtype=np.intp)
    counts = [np.array([members[side].values for _, members in found]).T for side in range(len(labels))]

    def where(side: int, column: int, _: int) -> tuple[int, str]:
        name = layout.names((layout.p, layout.q)[side])[0]
        return table.line(int(starts[rows[column]])), f"column {clipped(name)}"

    p = counts[0] if layout.p else None
    q = counts[-1] if layout.q else None
    return Pairs(rows, p, q, (labels[0] if layout.p else None, labels[-1] if layout.q else None), where)


def _undropped(table: Table, layout: Layout) -> tuple[Table, frozenset[str] | None]:
    """The rows but for those whose labels are dropped, and the labels of all, if some may be dropped."""
    if not layout.choices.drop:
        return table, None
    labels = [] if layout.label is None else texts(as_text(table.columns[layout.label]))
    kept = [i for i, label in enumerate(labels) if label not in layout.choices.drop]
    left = table.chosen(np.array(kept, dtype=np.intp)) if len(kept) < len(labels) else table
    return left, frozenset(labels)


def _with_each_label_once(table: Table, layout: Layout) -> Table:
    """The rows, of which those of one label in a group are added up, if they shall be."""
    if layout.label is None or layout.choices.repeats != "sum" or not table.size:
        return table
    starts = group_starts(table, layout)
    groups = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.size)))
    outcomes = groups * table.size + codes([as_text(table.columns[layout.label])], table.size)
    _, firsts, inverse = np.unique(outcomes, return_index=True, return_inverse=True)
    if len(firsts) == table.size:
        return table
    order = np.argsort(firsts)
    place = np.argsort(order)[inverse]
    once = table.chosen(firsts[order], dict(enumerate(place.tolist())))
    columns = dict(once.columns)
    for i in layout.numbers:
        values = table.matrix((i,))[0]
        gaps = np.isnan(values) if layout.gaps else np.zeros(len(values), dtype=bool)
        sums = np.bincount(place, weights=np.where(gaps, 0.0, values))
        columns[i] = np.where(np.bincount(place, weights=~gaps) == 0, np.nan, sums)
    several = np.unique(groups[firsts[np.bincount(inverse) > 1]])
    return replace(once, columns=columns, remarks={**table.remarks, ADDED_UP: len(several)})


class _Groups:
    """Runs of rows. starts, sizes: (n,)."""

    def __init__(self, table: Table, layout: Layout, starts: Places) -> None:
        self._table, self._layout, self.starts = table, layout, starts
        self.sizes = np.diff(np.append(starts, table.size))
        self._labels = None if layout.label is None else as_text(table.columns[layout.label])

    def failures(self) -> list[Failure]:
        """Those of its rows, as the group's, and a failure for each group in which a label stands twice."""
        if len(self.starts) == 0:
            return []
        of = np.repeat(np.arange(len(self.starts)), self.sizes)
        found = [failure._replace(row=int(of[failure.row])) for failure in self._table.failures]
        found += _nameless(self._table, self._layout, self.starts)
        if self._labels is None:
            return found
        found += self._totals(of, self._labels)
        outcomes = np.sort(of * self._table.size + codes([self._labels], self._table.size))
        if not (outcomes[1:] == outcomes[:-1]).any():
            return found
        labels = texts(self._labels)
        for group, (start, size) in enumerate(zip(self.starts.tolist(), self.sizes.tolist(), strict=True)):
            first: dict[str, int] = {}
            for row in range(start, start + size):
                if first.setdefault(labels[row], row) != row:
                    again = f"the label {clipped(labels[row])} stands twice in its group; --repeats sum adds them up"
                    found.append(Failure(group, self._table.line(row), again, DistributionError))
                    break
        return found

    def _totals(self, of: Places, labels: Any) -> list[Failure]:  # noqa: ANN401 - a list, or an Arrow array
        """A failure for each group with a row that is the total of the others. of: the group of each row."""
        if self._layout.choices.keep_totals:
            return []
        values = self._table.matrix(self._layout.numbers)
        with np.errstate(invalid="ignore", over="ignore"):
            others = np.add.reduceat(values, self.starts, axis=1)[:, of] - values
            sums = is_sum(values, others).any(axis=0)
        found = []
        for row in np.flatnonzero(sums & (self.sizes[of] > 1)).tolist():
            name = texts(labels[row : row + 1])[0]
            if is_total(name):
                wrong = f"{clipped(name)} {mend(name)}"
                found.append(Failure(int(of[row]), self._table.line(row), wrong, DistributionError))
        return found

    def by_labels(self, groups: Places, size: int) -> list[tuple[Names, Places]]:
        """The groups, all of one size, by the labels they have in order."""
        if self._labels is None:
            return [(None, groups)]
        labels = texts(self._labels)
        alike: dict[tuple[str, ...], list[int]] = {}
        for group in groups.tolist():
            start = int(self.starts[group])
            alike.setdefault(tuple(labels[start : start + size]), []).append(group)
        return [(of, np.array(chosen)) for of, chosen in alike.items()]

    def pairs(self, chosen: Places, size: int, labels: Names) -> Pairs:
        """The pairs that some groups of one size and the same labels are."""
        table, layout, starts = self._table, self._layout, self.starts[chosen]

        def where(side: int, column: int, outcome: int) -> tuple[int, str]:
            name = layout.names((layout.p, layout.q)[side])[0]
            return table.line(int(starts[column]) + outcome), f"column {clipped(name)}"

        def weights(columns: tuple[int, ...]) -> npt.NDArray[np.float64] | None:
            if not columns:
                return None
            values: npt.NDArray[np.float64] = table.matrix(columns)[0]
            if len(chosen) * size == table.size:  # all of the rows: no need to pick them
                return values.reshape(len(chosen), size).T
            picked: npt.NDArray[np.float64] = values[starts + np.arange(size)[:, None]]
            return picked

        p, q = weights(layout.p), weights(layout.q)
        if layout.gaps:
            _leave_out(p, q)
        return Pairs(chosen, p, q, (labels if p is not None else None, labels if q is not None else None), where)

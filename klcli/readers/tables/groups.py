"""The pairs that groups of rows are, one a group: rows that follow one another and are alike in some columns."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Block, Failure, KeptColumn, Pairs
from klcli.errors import DistributionError, InputError, KlcliError, clipped
from klcli.kernels import as_text, changes, codes, empty, taken, texts
from klcli.model import Distribution, frozen
from klcli.readers.distributions import ADDED_UP
from klcli.readers.observations import counted, is_value
from klcli.readers.tables.pairs import alike, leave_out, pairs_of, sound
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table, concatenated
from klcli.readers.totals import is_sum, is_total, mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.tables.layout import Counting, Layout
    from klcli.readers.tables.pairs import Names, Sides, Where

    Places = npt.NDArray[np.intp]

_SCATTERED = "the rows of a group did not stand together; all {n} rows were read into memory and put in order"


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
    return together._replace(remarks={**table.remarks, _SCATTERED: table.size})


def pair_groups(table: Table, layout: Layout) -> Block:
    """Rows that follow one another and are alike in the columns `by` are a pair; each row is an outcome."""
    if layout.counting is None:
        table, names = _undropped(table, layout)
        table = _with_each_label_once(table, layout)
    elif layout.choices.drop:
        names = frozenset(cell for i in layout.more for cell in table.texts(i))
    else:
        names = None
    starts = group_starts(table, layout)
    of = _group_of_each_row(table, starts)
    failures = [Failure(int(of[row]), table.line(row), str(e), type(e)) for row, e in sorted(table.wrong.items())]
    failures += _nameless(table, layout, starts)
    if layout.counting is None:
        pairs = _labelled_groups(table, layout, starts, of, failures)
    else:
        pairs = _tallied_groups(table, layout, starts, layout.counting, failures)
    kept = tuple(KeptColumn(layout.header[i], taken(table.columns[i], starts), table.form) for i in layout.by)
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


def _group_of_each_row(table: Table, starts: Places) -> Places:
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, table.size)))


def _where(table: Table, layout: Layout, starts: Places, step: int) -> Where:
    """The places of the weights of groups that start at some rows. step: 1 where each row is an outcome, else 0."""

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        name = layout.names((layout.p, layout.q)[side])[0]
        return table.line(int(starts[column]) + step * outcome), f"column {clipped(name)}"

    return where


def _tallied_groups(
    table: Table, layout: Layout, starts: Places, counting: Counting, failures: list[Failure]
) -> list[Pairs]:
    """The pairs of groups whose rows are raw values of P and of Q; adds the groups in which one cannot be counted."""
    failed = {failure.row for failure in failures}
    columns = [(layout.header[side[0]], table.texts(side[0])) if side else None for side in (layout.p, layout.q)]
    found: list[tuple[int, Sides]] = []
    for group, (start, end) in enumerate(pairwise([*starts.tolist(), table.size])):
        if group not in failed:
            try:
                counts = _counted([of for of in columns if of], range(start, end), counting, layout.choices.drop)
            except _NoValueError as error:
                failures.append(Failure(group, table.line(error.row), str(error.error), type(error.error)))
            else:
                tallies = [(tuple(of.outcomes or ()), of.values) for of in counts]
                found.append((group, [tallies.pop(0) if of else None for of in columns]))
    return [pairs_of(groups, sides, _where(table, layout, starts[groups], 0)) for groups, sides in alike(found)]


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
            blank = next((row for row in rows if not is_value(cells[row])), None)
            if blank is not None and counting.notation.blank != "skip":
                message = (
                    f"{place(blank, name)}: {clipped(cells[blank])} is no value to count; --blank skip leaves it out"
                )
                raise InputError(message)
            present = [row for row in rows if is_value(cells[row]) and cells[row] not in drop]
            where = partial(lambda i, at, name: place(at[i], name), at=present, name=name)
            ones = frozen(np.ones(len(present)))
            samples.append(Distribution(name, name, ones, where, [cells[row] for row in present]))
        return counted(samples, counting.bins, counting.notation)
    except KlcliError as error:
        raise _NoValueError(last, error) from None


def _labelled_groups(table: Table, layout: Layout, starts: Places, of: Places, failures: list[Failure]) -> list[Pairs]:
    """The pairs of groups whose rows are outcomes; adds those in which a label stands twice, or is a total's.

    of: the group of each row.
    """
    sizes = np.diff(np.append(starts, table.size))
    labels = None if layout.label is None or not len(starts) else as_text(table.columns[layout.label])
    if labels is not None:
        failures += _totals_of_groups(table, layout, starts, of, labels)
        failures += _repeated_labels(table, of, labels)
    left = sound(len(starts), {failure.row for failure in failures})
    pairs = []
    for size in np.flatnonzero(np.bincount(sizes[left])).tolist():
        groups = left[sizes[left] == size]
        # Only a reference has labels of its own to be joined with those of the groups.
        told_apart = labels is not None and (layout.choices.placed or not (layout.p and layout.q))
        for names, chosen in _by_labels(starts, groups, size, labels) if told_apart else [(None, groups)]:
            first = starts[chosen]
            p, q = (_weights(table, side, first, size) for side in (layout.p, layout.q))
            if layout.gaps:
                leave_out(p, q)
            of_both = (names if layout.p else None, names if layout.q else None)
            pairs.append(Pairs(chosen, p, q, of_both, _where(table, layout, first, 1)))
    return pairs


def _weights(table: Table, side: tuple[int, ...], starts: Places, size: int) -> Array | None:
    """The weights of a side, (size, n), in n groups of one size; None where the rows lack it."""
    if not side:
        return None
    values: Array = table.matrix(side)[0]
    if len(starts) * size == table.size:  # all of the rows: no need to pick them
        return values.reshape(len(starts), size).T
    picked: Array = values[starts + np.arange(size)[:, None]]
    return picked


def _by_labels(starts: Places, groups: Places, size: int, labels: Any) -> list[tuple[Names, Places]]:  # noqa: ANN401
    """Groups, all of one size, by the labels they have in order."""
    every = texts(labels)
    alike: dict[tuple[str, ...], list[int]] = {}
    for group, start in zip(groups.tolist(), starts[groups].tolist(), strict=True):
        alike.setdefault(tuple(every[start : start + size]), []).append(group)
    return [(of, np.array(chosen)) for of, chosen in alike.items()]


def _repeated_labels(table: Table, of: Places, labels: Any) -> list[Failure]:  # noqa: ANN401
    """A failure for each group in which a label stands twice. of: the group of each row."""
    outcomes = of * table.size + codes([labels], table.size)
    ordered = np.sort(outcomes)  # np.unique hashes, which takes five times as long
    if not (ordered[1:] == ordered[:-1]).any():
        return []
    order = np.argsort(outcomes, kind="stable")
    again = np.sort(order[1:][outcomes[order[1:]] == outcomes[order[:-1]]])
    rows = again[np.unique(of[again], return_index=True)[1]]  # the first of each group
    return [
        Failure(
            int(of[row]),
            table.line(row),
            f"the label {clipped(label)} stands twice in its group; --repeats sum adds them up",
            DistributionError,
        )
        for row, label in zip(rows.tolist(), texts(taken(labels, rows)), strict=True)
    ]


def _totals_of_groups(table: Table, layout: Layout, starts: Places, of: Places, labels: Any) -> list[Failure]:  # noqa: ANN401
    """A failure for each group with a row that is the total of the others. of: the group of each row."""
    if layout.choices.keep_totals:
        return []
    values = table.matrix(layout.numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        others = np.add.reduceat(values, starts, axis=1)[:, of] - values
        sums = is_sum(values, others).any(axis=0)
    found = []
    for row in np.flatnonzero(sums & (np.bincount(of)[of] > 1)).tolist():
        name = texts(labels[row : row + 1])[0]
        if is_total(name):
            found.append(Failure(int(of[row]), table.line(row), f"{clipped(name)} {mend(name)}", DistributionError))
    return found


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
    groups = _group_of_each_row(table, group_starts(table, layout))
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
    return once._replace(columns=columns, remarks={**table.remarks, ADDED_UP: len(several)})

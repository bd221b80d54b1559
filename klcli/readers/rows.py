"""Distributions that are the rows of a table or the members of a JSON value, or groups of rows: --rows and --by."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, typed
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Members, added_up, picked, refuse_repeated, refuse_unlike, summed
from klcli.readers.documents import distribution_of, has_repeated_key, is_json_number
from klcli.readers.numbers import mixed_in_row
from klcli.readers.observations import present, sample
from klcli.readers.tables.columns import TableColumns
from klcli.readers.tables.percents import mixed_rows
from klcli.readers.tables.roles import NO_LABELS, chosen_label, holds_keys, is_key, no_group
from klcli.readers.tables.select import list_of, select
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Array
    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.roles import Choices

ROWS, GROUPS = "rows", "groups"

_ROUNDED = 1e-3
"""By so much of their sum are shares off that were rounded."""


def members(read: Table | Document, choices: Choices, notation: Notation) -> Members:
    """The rows of a table, or with --by its groups. Raises UsageError where options say two things of a row."""
    if choices.rows and choices.by is not None:
        message = "--rows and --by both say what is a distribution: a row, or rows alike in a column; give one"
        raise UsageError(message)
    if choices.rows and choices.tally:
        message = "--rows and --tally: raw values stand in a column; leave out --rows, or give --by COLUMN"
        raise UsageError(message)
    if choices.by is None:
        return rows_of(read, choices, notation)
    table = read if isinstance(read, Table) else read.table()
    if table is None:
        message = f"{read.source}: --by needs a table, or a list of records"
        raise InputError(message)
    return groups(table, choices, notation)


# ----------------------------------------------------------------------------------------------------------------- rows


def rows_of(read: Table | Document, choices: Choices, notation: Notation) -> Members:
    """The distributions, one or more, that the rows of a table or the members of a JSON value are."""
    if isinstance(read, Table):
        return _rows_of_table(read, choices, notation)
    read.repeats, how = choices.repeats, (choices.repeats, read.blank)
    if _are_objects_of_weights(read.value):
        found = [distribution_of(str(i + 1), value, read.where(i), *how) for i, value in enumerate(read.value)]
        return _members(read.source, found, choices)
    if (table := read.table()) is not None:
        return _rows_of_table(table, choices, notation)
    value = read.content
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        names = _row_names(value)
        found = [
            distribution_of(name, item, f"{read.source}, item {i}", *how)
            for i, (name, item) in enumerate(zip(names, value, strict=True), 1)
        ]
    else:
        found = [read.member(name) for name in read.numeric()]
    return _members(read.source, found, choices)


def _members(
    source: str, found: list[Distribution], choices: Choices, heading: str = "", notes: tuple[str, ...] = ()
) -> Members:
    """Distributions that may each have outcomes of their own, by label; without labels they must be of one length."""
    if choices.select is not None:
        found = _selected(found, choices.select, source)
    refuse_unlike(found, f"{source}: ")
    return Members(source, [replace(one, remarks=(*one.remarks, *notes)) for one in found], ROWS, heading)


def _rows_of_table(read: Table, choices: Choices, notation: Notation) -> Members:
    read = _filled(read)
    fields, source = read.names, read.source
    selected = None if choices.select is None else select(choices.select, fields, source)
    table = TableColumns(read, choices, notation, taken=[fields[i] for i in selected or ()])
    label = table.label
    columns = [i for i in (_weights(table, choices) if selected is None else selected) if i != label]
    header = [fields[column] for column in columns]
    if not columns:
        without = "no column of numbers" if selected is None else f"--select {choices.select} is just its labels"
        message = (selected is None and table.unread) or f"{source}: {without}; it has {listed(fields)}"
        raise InputError(message)
    if len(set(header)) < len(header):
        twice = next(name for name, count in Counter(header).items() if count > 1)
        message = f"{source}: the header has {clipped(twice)} twice; rename one of the columns"
        raise InputError(message)
    notes = (*table.notes, *(table.left_out if selected is None else ()))
    notes += tuple(note for column in columns for note in table.grouping(column))
    heading, labels = ("", None) if label is None else (fields[label], table.labels(label))
    if any(map(table.is_nested, columns)):
        if len(columns) > 1:
            message = f"{source}: one column holds the distributions, and here are {listed(header)}; add --select"
            raise InputError(message)
        names = _names(labels, table, heading)
        found = [replace(one, name=name) for one, name in zip(table.nested(columns[0]), names, strict=True)]
        return _members(source, found, choices._replace(select=None), heading, notes)
    if len(columns) == 1:
        rows = "each row has one outcome"
        notes += (f"{rows}, {clipped(header[0])}, where every divergence is 0; with --columns rows are the outcomes",)
    values, faults = _sound(table, columns, choices)
    at = list(range(len(values)))
    if labels is not None and choices.repeats == "sum":
        wrong = {labels[row]: fault for row, fault in faults.items()}
        labels, values, at, said = _summed(labels, values, gaps=table.leaves_out)
        faults = {i: wrong[label] for i, label in enumerate(labels) if label in wrong}
        notes += (said,) if said else ()
    notes += _sum_without(header, values)
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    found = []
    for i, name in enumerate(_names(labels, table, heading)):
        place = table.row(at[i]) if labels is None else f"{table.row(at[i])} ({clipped(name)})"
        where = partial(_cell, table, at[i], columns)
        one = Distribution(name, source, values[i], where, header, notes, fault=faults.get(i, ""), place=place)
        found.append(one)
    return Members(source, found, ROWS, heading)


def _cell(table: TableColumns, row: int, columns: Sequence[int], outcome: int) -> str:
    return table.place(row, columns[outcome])


def _filled(table: Table) -> Table:
    """A table of records that are distributions: a key of numbers that a record lacks is an outcome of weight 0."""
    lacking = {
        i: rows
        for i, rows in table.absent.items()
        if all(is_json_number(cell) for row, cell in enumerate(table.columns[i]) if row not in rows)
    }
    if not lacking:
        return table
    columns = dict(table.columns)
    for i, rows in lacking.items():
        columns[i] = [0.0 if row in rows else cell for row, cell in enumerate(table.columns[i])]
    note = f"keys that some records lack are outcomes of weight 0 there: {listed(table.names[i] for i in lacking)}"
    return table._replace(columns=columns, note=note)


def _summed(labels: Sequence[str], values: Array, *, gaps: bool) -> tuple[list[str], Array, list[int], str]:
    """The rows of each label added up; where each stands first; and what to say of it. values: (rows, columns)."""
    sums = [summed(labels, column, gaps=gaps) for column in values.T]
    once, _, at, said = sums[0]
    return once, np.array([column for _, column, _, _ in sums]).T, at, said


def _sum_without(header: Sequence[str], values: Array) -> tuple[str, ...]:
    """A note on a column without which each row would sum to 1, or 100, as the label beside scores. (rows, columns)."""
    if values.shape[1] < 3 or len(values) < 2:  # noqa: PLR2004 - a sum and something beside it, more than once
        return ()
    with np.errstate(invalid="ignore", over="ignore"):
        sums = values.sum(axis=1, keepdims=True) - values
        whole = [(np.abs(sums - total) <= _ROUNDED * total).all(axis=0) for total in (1.0, 100.0)]
    at = np.flatnonzero(np.logical_or(*whole) & (values != 0).any(axis=0))
    if len(at) != 1:
        return ()
    name, others = header[at[0]], [of for i, of in enumerate(header) if i != at[0]]
    found = f"column {clipped(name)} counts as weights, and without it each row sums to 1 or 100"
    return (f"{found}; --select {typed(list_of(others))} leaves it out",)


def _weights(table: TableColumns, choices: Choices) -> list[int]:
    """The columns of weights; where rows may fail, those too that are numbers but for some cells."""
    if choices.lenient and table.roles.mixed:
        return sorted((*table.roles.weights, *table.roles.mixed))
    return table.distributions()


def _sound(table: TableColumns, columns: Sequence[int], choices: Choices) -> tuple[Array, dict[int, str]]:
    """The numbers of some columns, (rows, columns), and of the rows where some cell is none, what is wrong with it."""
    if not choices.lenient:
        values = table.array(columns)
        return values, _mixed(table, columns, values, choices)
    values = np.empty((table.size, len(columns)))
    faults: dict[int, str] = {}
    for out, column in zip(values.T, columns, strict=True):
        out[:], wrong = table.sound(column)
        if table.table.names[column] not in choices.drop:
            faults = wrong | faults
    return values, _mixed(table, columns, values, choices) | faults


def _mixed(table: TableColumns, columns: Sequence[int], values: Array, choices: Choices) -> dict[int, str]:
    """What is wrong with the rows in which percentages stand beside other numbers. values: (rows, columns)."""
    kept = [k for k, column in enumerate(columns) if table.table.names[column] not in choices.drop]
    percent = np.array([table.has_percentages(columns[k]) for k in kept], dtype=bool)
    if percent.all() or not percent.any():
        return {}
    name = table.table.names[columns[kept[int(np.argmin(percent))]]]
    rows = np.flatnonzero(mixed_rows(percent[:, np.newaxis], values[:, kept].T)).tolist()
    faults = {row: f"{table.row(row)}, {mixed_in_row(name)}" for row in rows}
    if faults and not choices.lenient:
        raise InputError(faults[rows[0]])
    return faults


def _names(labels: Sequence[str] | None, table: TableColumns, heading: str) -> Sequence[str]:
    """What the rows are called: their labels, else their positions. Raises DistributionError where two are the same."""
    if labels is None:
        return [str(i) for i in range(1, table.size + 1)]
    if len(set(labels)) < len(labels):
        first: dict[str, int] = {}
        for i, label in enumerate(labels):
            if first.setdefault(label, i) != i:
                again = f"{table.row(i)}: {clipped(label)} stands twice in column {clipped(heading)}"
                mend = "--repeats sum adds them up; or take the names from another by --label"
                message = f"{again} (first: {table.row(first[label])}); {mend}"
                raise DistributionError(message)
    return labels


def _are_objects_of_weights(values: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Whether this is a list of objects of label: weight that have not all the same labels, nor a key in front.

    So it is where one of them has a label twice.
    """
    if not isinstance(values, list) or not values or not all(isinstance(one, dict) and one for one in values):
        return False
    labels = values[0].keys()
    unlike = any(one.keys() != labels or has_repeated_key(one) for one in values)
    if not unlike or not all(is_json_number(weight) for one in values for weight in one.values()):
        return False
    first = next(iter(values[0]))
    if not all(first in one for one in values):
        return True
    try:
        return not holds_keys(first, np.array([one[first] for one in values], dtype=np.float64))
    except OverflowError:  # no key is that large
        return True


def _row_names(value: Sequence[Any]) -> list[str]:
    """What the members of a JSON list are called: by their number, and if they are tokens by their text too."""
    from klcli.readers.tokens import label

    return [f"{i} {text}" if (text := label(item)) else str(i) for i, item in enumerate(value, 1)]


def _selected(found: list[Distribution], selector: str, source: str) -> list[Distribution]:
    """Some outcomes of each: by label, or by position where there are no labels."""
    longest = max(map(len, found), default=0)
    header = list(dict.fromkeys(label for one in found for label in one.outcomes or ()))
    header = header or [str(i) for i in range(1, longest + 1)]
    kept = {header[i] for i in select(selector, header, source)}
    return [
        picked(one, [i for i, label in enumerate(one.outcomes or header[: len(one)]) if label in kept]) for one in found
    ]


def turned(rows: Members) -> Members:
    """The outcomes of distributions as distributions of which they are the outcomes. Raises DistributionError."""
    names = rows.names()
    found = [rows.member(name) for name in names]
    first, source = found[0], rows.source
    other = next((one for one in found if one.outcomes != first.outcomes), None)
    if other is not None:
        unlike = f"{clipped(other.name)} has other labels than {clipped(first.name)}, or in another order"
        message = f"{source}: {unlike}; --columns needs the same"
        raise DistributionError(message)
    values = np.array([one.values for one in found])
    columns = first.outcomes or [str(i) for i in range(1, len(first) + 1)]
    return Members(
        source,
        [
            Distribution(name, source, frozen(column), partial(_turned_place, found, i), names, first.remarks)
            for i, (name, column) in enumerate(zip(columns, values.T, strict=True))
        ],
    )


def _turned_place(found: Sequence[Distribution], outcome: int, i: int) -> str:
    return found[i].where(outcome)


# --------------------------------------------------------------------------------------------------------------- groups


def groups(read: Table, choices: Choices, notation: Notation) -> Members:
    """The groups of rows alike in the columns --by, each a distribution, in order of appearance.

    A row of a group is an outcome, by its label. With --tally it is a raw value, to be counted later. Raises
    InputError where there is not one column of weights, DistributionError where a label stands twice in a group.
    """
    by = select(choices.by or "", read.names, read.source)
    choices = _by_name(choices, read)
    rest = _without(read, by)
    selected = None if choices.select is None else select(choices.select, read.names, read.source)
    taken = [read.names[i] for i in selected or ()]
    table = TableColumns(rest, choices, notation, taken=taken)
    keys = [TableColumns(read, notation=notation).texts(i) for i in by]
    at: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(zip(*keys, strict=True)):
        at.setdefault(key, []).append(row)
    nameless = next((key for key in at if not all(map(str.strip, key))), None)
    if nameless is not None:
        column = next(i for i, part in zip(by, nameless, strict=True) if not part.strip())
        message = f"{read.where(at[nameless][0])}, {no_group(read.names[column], len(at[nameless]))}"
        raise InputError(message)
    heading = ", ".join(read.names[i] for i in by)
    names = list(map(", ".join, at))
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        message = f"{read.source}: two groups are called {clipped(twice)}; write the cells of {heading} without ', '"
        raise InputError(message)
    column = _only_weights(table, rest, None if selected is None else taken, heading, tally=choices.tally)
    where = partial(table.place, column=column)
    label = None if choices.tally or table.label == column else table.label
    if choices.tally:
        whole = sample("", read.source, table.texts(column), where)
    else:
        labels = None if label is None else table.labels(label)[:]
        notes = (*table.notes, *(table.left_out if selected is None else ()))
        whole = Distribution("", read.source, frozen(table.numbers(column)), where, labels, notes)
    found = []
    for name, rows in zip(names, at.values(), strict=True):
        one = replace(picked(whole, rows), name=name, place=f"{read.source} ({clipped(name)})")
        if choices.tally:
            one = replace(present(one, notation.blank, ""), remarks=())
        if choices.repeats != "sum" and label is not None:
            refuse_repeated(one.outcomes or (), one.where, rest.names[label])
        found.append(one if choices.tally else added_up(one, gaps=table.leaves_out))
    return Members(read.source, found, GROUPS, heading)


def _by_name(choices: Choices, read: Table) -> Choices:
    """The choices with the column of labels by its name, as positions are of the whole table."""
    label = chosen_label(choices.label, read.names, read.source)
    return choices if label is None or label == NO_LABELS else choices._replace(label=read.names[label])


def _without(read: Table, columns: Sequence[int]) -> Table:
    left = [i for i in range(len(read.names)) if i not in columns]
    names = tuple(read.names[i] for i in left)
    return read._replace(names=names, columns={new: read.columns[old] for new, old in enumerate(left)}, absent={})


def _only_weights(
    table: TableColumns, rest: Table, selected: Sequence[str] | None, heading: str, *, tally: bool
) -> int:
    """The one column of weights, or of raw values. selected: the names of those chosen. Raises InputError."""
    if selected is not None:
        found = [i for i, name in enumerate(rest.names) if name in selected]
    elif tally:
        found = [i for i in range(len(rest.names)) if i != table.named_label]
    else:
        found = table.weights()
    if len(found) == 1:
        return found[0]
    names = [rest.names[i] for i in found] or list(rest.names)
    what = "raw values" if tally else "weights"
    has = f"{len(found) or 'no'} columns of {what} besides {clipped(heading)} ({listed(names)}), --by needs one"
    offered = [name for name in names if not is_key(name)] or names  # labels and keys stand in front
    mend = f"; add --select {typed(offered[-1])}" if names else ""
    if len(found) == 2 and table.label is None and not tally:  # noqa: PLR2004 - the other one is left
        mend += f", or --label {typed(names[0])} if {clipped(names[0])} holds labels"
    message = f"{table.source}: {has}{mend}"
    raise InputError(message)

"""Distributions that are the rows of a table, or its groups of rows, by name: --rows and --by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, no_such
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Series, refuse_repeated, summed
from klcli.readers.observations import BLANK
from klcli.readers.sources import column_of
from klcli.readers.tables.columns import Columns
from klcli.readers.tables.roles import NO_LABELS, chosen_label, is_key
from klcli.readers.tables.select import select
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Dialect
    from klcli.readers.tables.roles import Choices


class Members:
    """Distributions of one source, each with a name of its own. what: 'rows' or 'groups'."""

    mend, left_out, doubtful = "", (), ()

    def __init__(self, source: str, found: Sequence[Distribution], what: str) -> None:
        self.source, self._what = source, what
        self._found = {one.name: one for one in found}

    def names(self) -> list[str]:
        """Their names, in order."""
        return list(self._found)

    def numeric(self) -> list[str]:
        """The same: all of them are numbers."""
        return list(self._found)

    def series(self, name: str) -> Series:
        """The one of that name. Raises InputError where there is none."""
        if name not in self._found:
            raise no_such(self.source, name, self.names(), self._what[:-1])
        return Series.of(self._found[name])

    def address(self, name: str) -> str:
        """SOURCE:NAME."""
        return column_of(self.source, name)

    def pair(self) -> tuple[Series, Series]:
        """The two, in order. Raises DistributionError where there are more or fewer."""
        names = self.names()
        if len(names) != 2:  # noqa: PLR2004 - a pair
            which = (
                f"{len(names)} {self._what if len(names) != 1 else self._what[:-1]} ({listed(names)}), a pair is two"
            )
            choice = " ".join(map(self.address, names[:2]))
            mend = f"choose: {choice}" if len(names) > 1 else "give Q after it"
            message = f"{self.source}: {which}; {mend}"
            raise DistributionError(message)
        return self.series(names[0]), self.series(names[1])


def members(read: Table | Document, choices: Choices, dialect: Dialect) -> Members:
    """The rows of a table, or with --by its groups. Raises UsageError where options say two things of a row."""
    if choices.rows and choices.by is not None:
        message = "--rows and --by both say what is a distribution: a row, or rows alike in a column; give one"
        raise UsageError(message)
    if choices.rows and choices.tally:
        message = "--rows and --tally: raw values stand in a column; leave out --rows, or give --by COLUMN"
        raise UsageError(message)
    if choices.rows:
        from klcli.readers.grids import Wanted, rows_of

        wanted = Wanted(None, choices, choices.select, by_columns=False, dialect=dialect)
        return Members(read.source, _undropped(rows_of(read, wanted).distributions, choices), "rows")
    table = read if isinstance(read, Table) else read.table()
    if table is None:
        message = f"{read.source}: --by needs a table, or a list of records"
        raise InputError(message)
    return Members(read.source, _undropped(groups(table, choices, dialect.notation)[1], choices), "groups")


def _undropped(found: Sequence[Distribution], choices: Choices) -> list[Distribution]:
    return [one for one in found if one.name not in choices.drop]


def groups(read: Table, choices: Choices, notation: Notation) -> tuple[str, list[Distribution]]:
    """What the groups are called, and each as a distribution, in order of appearance: rows alike in the columns --by.

    A row of a group is an outcome, by its label. With --tally it is a raw value, to be counted later. Raises
    InputError where there is not one column of weights, DistributionError where a label stands twice in a group.
    """
    by = select(choices.by or "", read.names, read.source)
    choices = _by_name(choices, read)
    rest = _without(read, by)
    selected = None if choices.select is None else select(choices.select, read.names, read.source)
    taken = [read.names[i] for i in selected or ()]
    table = Columns(rest, choices, notation, taken=taken)
    keys = [Columns(read, notation=notation).labels(i) for i in by]
    at: dict[str, list[int]] = {}
    for row, key in enumerate(zip(*keys, strict=True)):
        at.setdefault(", ".join(key), []).append(row)
    heading = ", ".join(read.names[i] for i in by)
    column = _weights(table, rest, None if selected is None else taken, heading, tally=choices.tally)
    label = None if choices.tally or table.label == column else table.label
    texts = table.texts(column) if choices.tally else () if label is None else table.labels(label)
    values = np.ones(read.size) if choices.tally else table.numbers(column)
    notes = (*table.notes, *(table.left_out if selected is None else ()))
    found = []
    for name, rows in at.items():
        chosen = _chosen(rows, texts, table, column, notation.blank) if choices.tally else rows
        outcomes = [texts[row] for row in chosen] if choices.tally or label is not None else None
        if not choices.tally and table.leaves_out and np.isnan(values[rows]).any():
            left = [i for i, row in enumerate(rows) if not np.isnan(values[row])]
            chosen = [rows[i] for i in left]
            outcomes = [str(i + 1) if outcomes is None else outcomes[i] for i in left]
        where = _places(table, column, chosen)
        one = Distribution(name, read.source, frozen(values[chosen]), where, outcomes, () if choices.tally else notes)
        if outcomes is not None and not choices.tally:
            one = _unique(one, choices.repeats, _rows_of(table, chosen), rest.names[label or 0])
        found.append(one)
    return heading, found


def _by_name(choices: Choices, read: Table) -> Choices:
    """The choices with the column of labels by its name, as positions are of the whole table."""
    label = chosen_label(choices.label, read.names, read.source)
    return choices if label is None or label == NO_LABELS else choices._replace(label=read.names[label])


def _without(read: Table, columns: Sequence[int]) -> Table:
    left = [i for i in range(len(read.names)) if i not in columns]
    names = tuple(read.names[i] for i in left)
    return replace(read, names=names, columns={new: read.columns[old] for new, old in enumerate(left)}, absent={})


def _weights(table: Columns, rest: Table, selected: Sequence[str] | None, heading: str, *, tally: bool) -> int:
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
    mend = f"; add --select {offered[-1]}" if names else ""
    if len(found) == 2 and table.label is None and not tally:  # noqa: PLR2004 - the other one is left
        mend += f", or --label {names[0]} if {clipped(names[0])} holds labels"
    message = f"{table.source}: {has}{mend}"
    raise InputError(message)


def _chosen(rows: Sequence[int], texts: Sequence[str], table: Columns, column: int, blank: str) -> list[int]:
    """The rows with a raw value. Raises InputError for the first without, unless blank ones are to be left out."""
    missing = [row for row in rows if texts[row].strip().lower() in BLANK]
    if missing and blank != "skip":
        found = f"{table.place(missing[0], column)}: {clipped(texts[missing[0]])} is no value to count"
        message = f"{found}; --blank skip leaves it out"
        raise InputError(message)
    return [row for row in rows if row not in set(missing)] if missing else list(rows)


def _places(table: Columns, column: int, rows: Sequence[int]) -> Callable[[int], str]:
    return lambda i: table.place(rows[i], column)


def _rows_of(table: Columns, rows: Sequence[int]) -> Callable[[int], str]:
    return lambda i: table.row(rows[i])


def _unique(one: Distribution, repeats: str, where: Callable[[int], str], column: str) -> Distribution:
    """The group with each label once: those that stand twice are summed, or an error."""
    labels = one.outcomes or ()
    if len(set(labels)) == len(labels):
        return one
    if repeats != "sum":
        refuse_repeated(labels, where, column)
    once, sums, at, said = summed(labels, one.values)
    places = one.where
    return replace(one, values=frozen(sums), where=lambda i: places(at[i]), outcomes=once, remarks=(*one.remarks, said))

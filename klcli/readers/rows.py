"""Distributions that are the rows of a table, or its groups of rows, by name: --rows and --by."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import InputError, UsageError, clipped, listed, no_such, typed
from klcli.readers.distributions import Series, added_up, refuse_repeated
from klcli.readers.observations import present, sample
from klcli.readers.sources import column_of
from klcli.readers.tables.columns import Columns
from klcli.readers.tables.roles import NO_LABELS, chosen_label, is_key, no_group
from klcli.readers.tables.select import select
from klcli.readers.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Distribution
    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Dialect
    from klcli.readers.tables.roles import Choices


class RowsOrGroups:
    """Distributions of one source, each with a name of its own. what: 'rows' or 'groups'."""

    mend, left_out, doubtful = "", (), ()

    def __init__(self, source: str, found: Sequence[Distribution], what: str) -> None:
        self.source, self.what = source, what
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
            raise no_such(self.source, name, self.names(), self.what[:-1])
        return Series.of(self._found[name])

    def address(self, name: str) -> str:
        """SOURCE:NAME."""
        return column_of(self.source, name)


def members(read: Table | Document, choices: Choices, dialect: Dialect) -> RowsOrGroups:
    """The rows of a table, or with --by its groups. Raises UsageError where options say two things of a row."""
    if choices.rows and choices.by is not None:
        message = "--rows and --by both say what is a distribution: a row, or rows alike in a column; give one"
        raise UsageError(message)
    if choices.rows and choices.tally:
        message = "--rows and --tally: raw values stand in a column; leave out --rows, or give --by COLUMN"
        raise UsageError(message)
    if choices.rows:
        from klcli.readers.grids import GridOptions, rows_of

        wanted = GridOptions(None, choices, choices.select, by_columns=False, dialect=dialect)
        return RowsOrGroups(read.source, rows_of(read, wanted).distributions, "rows")
    table = read if isinstance(read, Table) else read.table()
    if table is None:
        message = f"{read.source}: --by needs a table, or a list of records"
        raise InputError(message)
    return RowsOrGroups(read.source, groups(table, choices, dialect.notation)[1], "groups")


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
    keys = [Columns(read, notation=notation).texts(i) for i in by]
    at: dict[tuple[str, ...], list[int]] = {}
    for row, key in enumerate(zip(*keys, strict=True)):
        at.setdefault(key, []).append(row)
    nameless = next((key for key in at if not all(map(str.strip, key))), None)
    if nameless is not None:
        column = next(i for i, part in zip(by, nameless, strict=True) if not part.strip())
        message = f"{read.where(at[nameless][0])}, {no_group(read.names[column], len(at[nameless]))}"
        raise InputError(message)
    heading = ", ".join(read.names[i] for i in by)
    column = _weights(table, rest, None if selected is None else taken, heading, tally=choices.tally)
    label = None if choices.tally or table.label == column else table.label
    texts = table.texts(column) if choices.tally else () if label is None else table.labels(label)
    values = np.empty(0) if choices.tally else table.numbers(column)
    notes = (*table.notes, *(table.left_out if selected is None else ()))
    names = list(map(", ".join, at))
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        message = f"{read.source}: two groups are called {clipped(twice)}; write the cells of {heading} without ', '"
        raise InputError(message)
    found = []
    for name, rows in zip(names, at.values(), strict=True):
        if choices.tally:
            raw, where = [texts[row] for row in rows], _places(table, column, rows)
            some = present(raw, where, notation.blank)
            found.append(sample(name, [raw[i] for i in some], _chosen(where, some)).distribution(name, read.source))
            continue
        some = [i for i, row in enumerate(rows) if not (table.leaves_out and np.isnan(values[row]))]
        kept = [rows[i] for i in some]
        labels = [texts[row] for row in kept] if label is not None else None
        if labels is None and len(kept) < len(rows):
            labels = [str(i + 1) for i in some]
        series = Series(name, values[kept], labels, _places(table, column, kept), notes)
        if choices.repeats != "sum":
            refuse_repeated(labels or (), _chosen(table.row, kept), rest.names[label or 0])
        elif labels is not None:
            series = added_up(series)
        found.append(series.distribution(name, read.source))
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
    mend = f"; add --select {typed(offered[-1])}" if names else ""
    if len(found) == 2 and table.label is None and not tally:  # noqa: PLR2004 - the other one is left
        mend += f", or --label {typed(names[0])} if {clipped(names[0])} holds labels"
    message = f"{table.source}: {has}{mend}"
    raise InputError(message)


def _places(table: Columns, column: int, rows: Sequence[int]) -> Callable[[int], str]:
    return lambda i: table.place(rows[i], column)


def _chosen(where: Callable[[int], str], at: Sequence[int]) -> Callable[[int], str]:
    """The places of some values among all."""
    return lambda i: where(at[i])

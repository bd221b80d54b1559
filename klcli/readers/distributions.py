"""The distributions of a source by name, and how a command takes one, two or all of them."""

from __future__ import annotations

from dataclasses import replace
from math import fsum, isnan
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import DistributionError, InputError, clipped, listed, no_such, typed
from klcli.model import frozen
from klcli.readers.sources import column_of
from klcli.readers.tables.select import list_of, select

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from klcli.errors import KlcliError
    from klcli.model import Array, Distribution
    from klcli.readers.tables.roles import Choices

DISTRIBUTIONS = "distributions"

ADDED_UP = "labels that stand twice in {} were added up"
"""What is said of rows or groups of a batch in which labels were."""

_FEW = 8
"""No error lists more names than these."""


class Members:
    """The distributions of a source by name, here such as were all read at once.

    what: what errors call them: distributions, or rows or groups, of which two are a pair whatever their names.
    heading: what the column that names them is called, '' where none does. is_inline: whether the source is an argument
    itself, of which nothing can be chosen as SOURCE:NAME. is_chosen: whether the argument names the only one.
    """

    is_inline = False

    def __init__(
        self,
        source: str,
        found: Iterable[Distribution] = (),
        what: str = DISTRIBUTIONS,
        heading: str = "",
        *,
        is_chosen: bool = False,
    ) -> None:
        self.source, self.what, self.heading, self.is_chosen = source, what, heading, is_chosen
        self._found = {one.name: one for one in found}

    @property
    def labels_name(self) -> str:
        """What the column of the labels of their outcomes is called, '' where there is none."""
        return ""

    @property
    def mend(self) -> str:
        """What may be chosen otherwise where there are too few or too many, '' where there is nothing to say."""
        return ""

    @property
    def doubtful(self) -> Collection[str]:
        """The names of those that may be labels rather than weights."""
        return ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the user should know of what is no distribution among them."""
        return ()

    @property
    def unread(self) -> str:
        """What is wrong with what may be meant as numbers where nothing is a number, '' where nothing seems to be."""
        return ""

    def names(self) -> list[str]:
        """The names of all that may be distributions; [''] where there is one, unnamed."""
        return list(self._found)

    def numeric(self) -> list[str]:
        """The names under which there are only numbers. Raises InputError where some cells are and some not."""
        return self.names()

    def member(self, name: str) -> Distribution:
        """The distribution of that name. Raises InputError where there is none, or something is not a number."""
        if name not in self._found:
            raise no_such(self.source, name, self.names(), self.what[:-1])
        return self._found[name]

    def address(self, name: str) -> str:
        """How one of the distributions is written on the command line: SOURCE:NAME."""
        return column_of(self.source, name)

    def offered(self, choices: Choices) -> list[str]:
        """The names of all that may be distributions, or of those selected, without what is dropped.

        Of rows and groups --select chooses the outcomes. What the argument names stays, though an outcome that is
        dropped may be called the same.
        """
        names = self.names()
        if self.is_chosen:
            return names
        if self._are_selected(choices):
            selected = [names[i] for i in select(choices.select or "", names, self.source)]
            names = [name for name in selected if not self.labels_name or name != self.labels_name]
        return [name for name in names if name not in choices.drop]

    def wanted(self, choices: Choices) -> list[str]:
        """The names of those selected, else of those of numbers, without what is dropped."""
        if self.is_chosen or self._are_selected(choices):
            return self.offered(choices)
        return [name for name in self.numeric() if name not in choices.drop]

    def _are_selected(self, choices: Choices) -> bool:
        return choices.select is not None and self.what == DISTRIBUTIONS and self.names() != [""]


class Single(Members):
    """A source that is one distribution without a name."""

    def __init__(self, source: str, found: Distribution) -> None:
        super().__init__(source, [found])

    def member(self, name: str = "") -> Distribution:
        """The distribution. Raises InputError where a column is asked for."""
        if name:
            message = f"{self.source}: no column {clipped(name)}; it holds one distribution, without columns"
            raise InputError(message)
        return super().member(name)

    def once(self, repeats: str, *, gaps: bool = False) -> Single:
        """The source with each label of its distribution once. Raises DistributionError as the function `once` does."""
        return Single(self.source, once(self.member(), repeats, gaps=gaps))


def one(found: Members, choices: Choices) -> list[Distribution]:
    """The only distribution of a source. Raises InputError where there are more, or none."""
    wanted = found.wanted(choices)
    if len(wanted) != 1:
        raise _not_so_many(found, wanted, choices, "one is needed", 1)
    return _unasked(found, wanted, choices)


def both(found: Members, choices: Choices) -> list[Distribution]:
    """The two distributions of a source that is a whole pair: p and q, or the only two.

    Raises InputError where there are more or fewer, DistributionError of rows and groups.
    """
    if found.what == DISTRIBUTIONS and {"p", "q"} <= set(found.offered(choices)):
        p, q = _unasked(found, ["p", "q"], choices)
        return [replace(p, remarks=(*p.remarks, *_not_compared(found, choices))), q]
    wanted = found.wanted(choices)
    if len(wanted) != 2:  # noqa: PLR2004 - a pair
        raise _not_so_many(found, wanted, choices, "a pair is two", 2)
    return _unasked(found, wanted, choices)


def _not_compared(found: Members, choices: Choices) -> tuple[str, ...]:
    """What to say of the other distributions of a source of which p and q are compared."""
    try:
        others = [name for name in found.wanted(choices) if name not in {"p", "q"}]
    except InputError:  # of one that is numbers in part, and is not wanted
        return ()
    return (f"p and q are compared, and {listed(others)} left out",) if others else ()


def every(found: Members, choices: Choices) -> list[Distribution]:
    """All the distributions of a source. Raises InputError where there is none."""
    wanted = found.wanted(choices)
    if not wanted:
        raise _not_so_many(found, wanted, choices, "at least one is needed", 1)
    return _unasked(found, wanted, choices)


def _unasked(found: Members, names: Sequence[str], choices: Choices) -> list[Distribution]:
    """Distributions that nobody named, and what to say of the rest of the source where nothing was selected."""
    left_out = found.left_out if choices.select is None else ()
    members = [found.member(name) for name in names]
    return [replace(member, remarks=(*member.remarks, *left_out)) for member in members] if left_out else members


def _not_so_many(found: Members, wanted: list[str], choices: Choices, needed: str, count: int) -> KlcliError:
    """The error for a source with more or fewer distributions than are needed, and how to name those that are."""
    names = found.offered(choices)
    if len(wanted) > count:
        sure = [name for name in wanted if name not in found.doubtful]
        offered = (sure if len(sure) >= count else wanted)[:count]
        others = [name for name in wanted if name not in offered]
        mend = f"choose: {' '.join(typed(found.address(name)) for name in offered)}"
        if found.is_inline:
            drop = f"--drop {typed(list_of(others))} leaves out the others"
            mend = drop if len(others) <= _FEW else "write only those"
    elif len(wanted) == 1:
        mend = "give Q after it"
    elif names and found.unread:
        return InputError(found.unread)
    elif names:
        mend = f"it has {listed(names)}, not of numbers; if they are raw values add --tally"
    else:
        mend = "it is empty"
    has = f"1 {found.what[:-1]}" if len(wanted) == 1 else f"{len(wanted) or 'no'} {found.what}"
    which = f" ({listed(wanted)})" if any(wanted) else ""
    message = f"{found.source}: {has}{which}, {needed}; {mend}{found.mend}"
    return InputError(message) if found.what == DISTRIBUTIONS else DistributionError(message)


def summed(
    labels: Sequence[str], values: Sequence[float] | Array, *, gaps: bool = False
) -> tuple[list[str], Sequence[float] | Array, list[int], str]:
    """Each label once, with the sum of its values; where it stands first; and what to say of it.

    gaps: whether NaN is no value: the sum is of the others, if there are any.
    """
    first: dict[str, int] = {}
    for i, label in enumerate(labels):
        first.setdefault(label, i)
    if len(first) == len(labels):
        return list(labels), values, list(range(len(labels))), ""
    at = {label: i for i, label in enumerate(first)}
    sums: list[list[float]] = [[] for _ in first]
    for label, value in zip(labels, values, strict=True):
        sums[at[label]].append(value)
    twice = [label for label, parts in zip(first, sums, strict=True) if len(parts) > 1]
    if gaps:
        sums = [[value for value in parts if not isnan(value)] or parts for parts in sums]
    count = "1 label that stands" if len(twice) == 1 else f"{len(twice)} labels that stand"
    return list(first), list(map(fsum, sums)), list(first.values()), f"{count} twice added up: {listed(twice, 3)}"


def add_up(repeats: str | None) -> str:
    """How labels that stand twice are mended. repeats: what --repeats says, None where there is no such option."""
    return "add the two up" if repeats is None else "--repeats sum adds them up"


def picked(given: Distribution, at: Sequence[int]) -> Distribution:
    """Some of the values, with their labels and places."""
    labels, where = given.outcomes, given.where
    outcomes = None if labels is None else [labels[i] for i in at]
    return replace(given, values=frozen(given.values[list(at)]), where=lambda i: where(at[i]), outcomes=outcomes)


def without_gaps(given: Sequence[Distribution]) -> list[Distribution]:
    """The distributions without what is NaN. Where one without labels has some, all such are called by position."""
    gaps = [np.isnan(one.values) for one in given]
    if any(one.outcomes is None and of.any() for one, of in zip(given, gaps, strict=True)):
        given = list(map(numbered, given))
    return [picked(one, np.flatnonzero(~of).tolist()) if of.any() else one for one, of in zip(given, gaps, strict=True)]


def numbered(one: Distribution) -> Distribution:
    """The distribution, whose outcomes are called by position where they have no labels."""
    if one.outcomes is not None or one.uniform:
        return one
    return replace(one, outcomes=[str(i + 1) for i in range(len(one))])


def added_up(given: Distribution, *, gaps: bool = False) -> Distribution:
    """The distribution with each label once, and the sum of its values. gaps: see `summed`."""
    labels, values, at, said = summed(given.outcomes or (), given.values, gaps=gaps)
    if not said:
        return given
    where, remarks = given.where, (*given.remarks, said)
    return replace(given, values=frozen(values), outcomes=labels, where=lambda i: where(at[i]), remarks=remarks)


def once(given: Distribution, repeats: str | None, *, gaps: bool = False) -> Distribution:
    """The distribution with each label once; with --repeats sum the weights of one that stands twice are added up.

    repeats: what --repeats says, None where there is no such option. gaps: see `summed`. Raises DistributionError
    where a label stands twice else.
    """
    if repeats == "sum":
        return added_up(given, gaps=gaps)
    refuse_repeated(given.outcomes or (), given.where, mend=add_up(repeats))
    return given


def refuse_repeated(
    labels: Sequence[str], where: Callable[[int], str], column: str | None = None, mend: str = "add the two up"
) -> None:
    """Raises DistributionError where a label stands twice: an outcome has one weight. column: of a table, theirs."""
    if len(set(labels)) == len(labels):
        return
    first: dict[str, int] = {}
    for i, label in enumerate(labels):
        if label in first:
            if column is not None:
                these = f" (these are column {clipped(column)})" if column else ""
                mend = f"--repeats sum adds them up, or take other labels with --label{these}"
            again = f"{where(i)}: the label {clipped(label)} stands twice (first: {where(first[label])})"
            message = f"{again}; {mend}"
            raise DistributionError(message)
        first[label] = i


def refuse_unlike(found: Sequence[Distribution], source: str = "", label: str = "") -> None:
    """Raises DistributionError where distributions cannot be joined. source: what to say of all of them in front.

    label: the column of labels of one of them, which may be among the distributions of another.
    """
    for one in found[1:]:
        first = found[0]
        if (one.outcomes is None) != (first.outcomes is None):
            bare, other = (one, first) if one.outcomes is None else (first, one)
            taken = any(one.outcomes is None and one.name in {label, column_of(one.source, label)} for one in found)
            how = f"take them by --label {typed(label)}" if label and taken else "give all or none"
            message = f"{source}{clipped(other.name)} has labels, {clipped(bare.name)} has none; {how}"
            raise DistributionError(message)
        if one.outcomes is None and len(one) != len(first):
            sizes = f"{clipped(first.name)} has {len(first)} values, {clipped(one.name)} {len(one)}"
            message = f"{source}{sizes}; without labels they must match"
            raise DistributionError(message)

"""Distributions as they are read: one of them, and how a command takes one, two or all that a source holds."""

from __future__ import annotations

from dataclasses import replace
from math import fsum, isnan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.errors import DistributionError, InputError, clipped, listed, typed
from klcli.model import Distribution, frozen
from klcli.readers.sources import column_of
from klcli.readers.tables.select import list_of, select

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Protocol

    import numpy.typing as npt

    from klcli.errors import KlcliError
    from klcli.model import Array

    Values = Sequence[float] | Array
    Keys = tuple[str, Callable[[], Sequence[str]]]
    """A column's name, and how to get its cells as text."""

    class Distributions(Protocol):
        """The distributions of a source: the columns of a table, the members of a JSON value, or just one."""

        source: str

        @property
        def what(self) -> str:
            """What errors call them: distributions, or rows or groups, of which two are a pair whatever their names."""
            ...

        @property
        def mend(self) -> str:
            """What may be chosen otherwise where there are too few or too many, '' where there is nothing to say."""
            ...

        @property
        def doubtful(self) -> Collection[str]:
            """The names of those that may be labels rather than weights."""
            ...

        @property
        def left_out(self) -> tuple[str, ...]:
            """What the user should know of what is no distribution among them."""
            ...

        def names(self) -> list[str]:
            """The names of all that may be distributions; [''] where there is one, unnamed."""
            ...

        def numeric(self) -> list[str]:
            """Those of the names under which there are only numbers. Raises InputError where some are and some not."""
            ...

        def series(self, name: str) -> Series:
            """The distribution of that name. Raises InputError where there is none, or something is not a number."""
            ...

        def address(self, name: str) -> str:
            """How one of the distributions is written on the command line."""
            ...


DISTRIBUTIONS = "distributions"

ADDED_UP = "labels that stand twice in {} were added up"
"""What is said of rows or groups of a batch in which labels were."""

_FEW = 8
"""No error lists more names than these."""


class Series(NamedTuple):
    """One distribution of a source. where(i): the place of value i: 'w.csv:17, column 'p'', or 'P, item 3'."""

    name: str
    values: Values
    labels: Sequence[str] | None
    where: Callable[[int], str]
    remarks: tuple[str, ...] = ()
    """What the user should know of how it was read."""
    keys: Keys | None = None
    """The column that holds its labels, or that may hold them though nothing says so."""
    read_as: str | None = None
    """What the values are, where the source says so; None: what the settings say."""
    running: str = ""
    """What to call the values in a note that they seem to be running totals, '' where they do not."""
    tallied: bool = False
    """Whether they are weights though raw values are counted."""

    @classmethod
    def of(cls, given: Distribution) -> Series:
        """The series that a distribution is, by its own name."""
        one = given
        return cls(one.name, one.values, one.outcomes, one.where, one.remarks, one.keys, one.read_as, one.running)

    def distribution(self, name: str, source: str) -> Distribution:
        """The series as it is given to a command. source: where it came from, as the command line has it."""
        rest = self.where, self.labels, self.remarks, self.keys, self.read_as, self.running
        return Distribution(name, source, frozen(self.values), *rest, tallied=self.tallied)


class Single:
    """A source that is one distribution without a name."""

    what, mend, left_out, doubtful = DISTRIBUTIONS, "", (), ()

    def __init__(self, source: str, series: Series) -> None:
        self.source, self._series = source, series

    def names(self) -> list[str]:
        """The empty name."""
        return [""]

    def numeric(self) -> list[str]:
        """The empty name."""
        return [""]

    def series(self, name: str) -> Series:
        """The distribution. Raises InputError where a column is asked for."""
        if name:
            message = f"{self.source}: no column {clipped(name)}; it holds one distribution, without columns"
            raise InputError(message)
        return self._series

    def once(self, repeats: str, *, gaps: bool = False) -> Single:
        """The same with each label once: those that stand twice are summed. Raises DistributionError if not so."""
        return Single(self.source, once(self._series, repeats, gaps=gaps))

    def address(self, name: str) -> str:
        """SOURCE:NAME."""
        return column_of(self.source, name)


class Narrowed:
    """The distributions of a source that are asked for: those selected, less those dropped.

    selector: names, ranges, positions or patterns between commas; None for all. is_inline: whether the source is an
    argument itself, of which nothing can be chosen as SOURCE:NAME.
    """

    left_out: tuple[str, ...] = ()

    def __init__(
        self, found: Distributions, selector: str | None, drop: Sequence[str], *, is_inline: bool = False
    ) -> None:
        self.source, self._found, self._selector, self._drop = found.source, found, selector, drop
        self.is_inline = is_inline
        if selector is None:
            self.left_out = found.left_out

    @property
    def what(self) -> str:
        """As the whole source says."""
        return self._found.what

    @property
    def mend(self) -> str:
        """As the whole source says."""
        return self._found.mend

    @property
    def doubtful(self) -> Collection[str]:
        """As the whole source says."""
        return self._found.doubtful

    def _narrowed(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in self._drop]

    def _selected(self) -> list[str] | None:
        names = self._found.names()
        if self._selector is None or names == [""]:
            return None
        return self._narrowed([names[i] for i in select(self._selector, names, self.source)])

    def names(self) -> list[str]:
        """The names of all that may be distributions."""
        selected = self._selected()
        return self._narrowed(self._found.names()) if selected is None else selected

    def numeric(self) -> list[str]:
        """Those selected, or those of the names under which there are only numbers."""
        selected = self._selected()
        return self._narrowed(self._found.numeric()) if selected is None else selected

    def series(self, name: str) -> Series:
        """The distribution of that name."""
        return self._found.series(name)

    def address(self, name: str) -> str:
        """As the whole source says."""
        return self._found.address(name)


def one(found: Distributions) -> Series:
    """The only distribution of a source. Raises InputError where there are more, or none."""
    numeric = found.numeric()
    if len(numeric) == 1:
        return _unasked(found, numeric[0])
    raise _not_so_many(found, numeric, "one is needed", 1)


def both(found: Distributions) -> tuple[Series, Series]:
    """The two distributions of a source that is a whole pair: p and q, or the only two.

    Raises InputError where there are more or fewer, DistributionError of rows and groups.
    """
    names = found.names()
    if found.what == DISTRIBUTIONS and "p" in names and "q" in names:
        p, q = _unasked(found, "p"), _unasked(found, "q")
        return p._replace(remarks=(*p.remarks, *_not_compared(found))), q
    numeric = found.numeric()
    if len(numeric) == 2:  # noqa: PLR2004 - a pair
        return _unasked(found, numeric[0]), _unasked(found, numeric[1])
    raise _not_so_many(found, numeric, "a pair is two", 2)


def _not_compared(found: Distributions) -> tuple[str, ...]:
    """What to say of the other distributions of a source of which p and q are compared."""
    try:
        others = [name for name in found.numeric() if name not in {"p", "q"}]
    except InputError:  # of one that is numbers in part, and is not wanted
        return ()
    return (f"p and q are compared, and {listed(others)} left out",) if others else ()


def every(found: Distributions) -> list[Series]:
    """All the distributions of a source. Raises InputError where there is none."""
    numeric = found.numeric()
    if not numeric:
        raise _not_so_many(found, numeric, "at least one is needed", 1)
    return [_unasked(found, name) for name in numeric]


def _unasked(found: Distributions, name: str) -> Series:
    """A distribution that nobody named, and what to say of the rest of the source."""
    series = found.series(name)
    return series._replace(remarks=(*series.remarks, *found.left_out))


def _not_so_many(found: Distributions, numeric: list[str], needed: str, count: int) -> KlcliError:
    """The error for a source with more or fewer distributions than are needed, and how to name those that are."""
    sure = [name for name in numeric if name not in found.doubtful]
    if len(numeric) > count:
        offered = (sure if len(sure) >= count else numeric)[:count]
        others = [name for name in numeric if name not in offered]
        mend = f"choose: {' '.join(typed(found.address(name)) for name in offered)}"
        if isinstance(found, Narrowed) and found.is_inline:
            mend = (
                f"--drop {typed(list_of(others))} leaves out the others" if len(others) <= _FEW else "write only those"
            )
    elif len(numeric) == 1:
        mend = "give Q after it"
    elif found.names():
        mend = f"it has {listed(found.names())}, not of numbers; if they are raw values add --tally"
    else:
        mend = "it is empty"
    has = f"1 {found.what[:-1]}" if len(numeric) == 1 else f"{len(numeric) or 'no'} {found.what}"
    which = f" ({listed(numeric)})" if any(numeric) else ""
    message = f"{found.source}: {has}{which}, {needed}; {mend}{found.mend}"
    return InputError(message) if found.what == DISTRIBUTIONS else DistributionError(message)


def summed(labels: Sequence[str], values: Values, *, gaps: bool = False) -> tuple[list[str], Values, list[int], str]:
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


def without_gaps(given: Sequence[Distribution]) -> list[Distribution]:
    """The distributions without what is NaN. Where one without labels has some, all such are called by position."""
    gaps = [np.isnan(one.values) for one in given]
    if not any(of.any() for of in gaps):
        return list(given)
    if any(one.outcomes is None and of.any() for one, of in zip(given, gaps, strict=True)):
        given = list(map(numbered, given))
    return [_with_some(one, np.flatnonzero(~of)) if of.any() else one for one, of in zip(given, gaps, strict=True)]


def numbered(one: Distribution) -> Distribution:
    """The distribution, whose outcomes are called by position where they have no labels."""
    if one.outcomes is not None or one.uniform:
        return one
    return replace(one, outcomes=[str(i + 1) for i in range(len(one))])


def _with_some(one: Distribution, left: npt.NDArray[np.intp]) -> Distribution:
    where, labels = one.where, one.outcomes or ()
    return replace(
        one,
        values=frozen(one.values[left]),
        outcomes=[labels[i] for i in left.tolist()],
        where=lambda i: where(int(left[i])),
    )


def add_up(repeats: str | None) -> str:
    """How labels that stand twice are mended. repeats: what --repeats says, None where there is no such option."""
    return "add the two up" if repeats is None else "--repeats sum adds them up"


def added_up(series: Series, *, gaps: bool = False) -> Series:
    """The series with each label once, and the sum of its values. gaps: see `summed`."""
    labels, values, at, said = summed(series.labels or (), series.values, gaps=gaps)
    if not said:
        return series
    return series._replace(
        values=values, labels=labels, where=lambda i: series.where(at[i]), remarks=(*series.remarks, said)
    )


def once(series: Series, repeats: str | None, *, gaps: bool = False) -> Series:
    """The series with each label once: those that stand twice are summed. Raises DistributionError if not so.

    repeats: what --repeats says, None where there is no such option. gaps: see `summed`.
    """
    if repeats == "sum":
        return added_up(series, gaps=gaps)
    refuse_repeated(series.labels or (), series.where, mend=add_up(repeats))
    return series


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

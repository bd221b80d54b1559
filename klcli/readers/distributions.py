"""Distributions as they are read: one of them, and how a command takes one, two or all that a source holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from klcli.errors import DistributionError, InputError, clipped, listed
from klcli.model import Distribution, frozen
from klcli.readers.numbers import is_number
from klcli.readers.sources import column_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from klcli.model import Array

    Values = Sequence[float] | Array

    class Distributions(Protocol):
        """The distributions of a source: the columns of a table, the members of a JSON value, or just one."""

        source: str

        @property
        def header(self) -> Sequence[str] | None:
            """The line of text that the names were read from, None where they come from elsewhere."""
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


class Series(NamedTuple):
    """One distribution of a source. where(i): the place of value i: 'w.csv:17, column 'p'', or 'P, item 3'."""

    name: str
    values: Values
    labels: Sequence[str] | None
    where: Callable[[int], str]
    remark: str = ""
    """What the user should know of how it was read."""
    read_as: str | None = None
    """What the values are, where the source says so; None: what the settings say."""
    running: str = ""
    """What to call the values in a note that they seem to be running totals, '' where they do not."""

    def distribution(self, name: str, source: str) -> Distribution:
        """The series as it is given to a command. source: where it came from, as the command line has it."""
        values = frozen(self.values)
        return Distribution(name, source, values, self.where, self.labels, self.remark, self.read_as, self.running)


class Single:
    """A source that is one distribution without a name."""

    header = None

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

    def address(self, name: str) -> str:
        """SOURCE:NAME."""
        return column_of(self.source, name)


def one(found: Distributions) -> Series:
    """The only distribution of a source. Raises InputError where there are more, or none."""
    numeric = found.numeric()
    if len(numeric) == 1:
        return _unasked(found, numeric[0])
    raise _not_so_many(found, numeric, "one is needed", 1)


def both(found: Distributions) -> tuple[Series, Series]:
    """The two distributions of a source that is a whole pair: p and q, or the only two. Raises InputError."""
    names = found.names()
    if "p" in names and "q" in names:
        return found.series("p"), found.series("q")
    numeric = found.numeric()
    if len(numeric) == 2:  # noqa: PLR2004 - a pair
        return _unasked(found, numeric[0]), _unasked(found, numeric[1])
    raise _not_so_many(found, numeric, "a pair is two", 2)


def every(found: Distributions) -> list[Series]:
    """All the distributions of a source. Raises InputError where there is none."""
    numeric = found.numeric()
    if not numeric:
        raise _not_so_many(found, numeric, "at least one is needed", 1)
    return [_unasked(found, name) for name in numeric]


def _unasked(found: Distributions, name: str) -> Series:
    """A distribution that nobody named; a name that is a number may be the first weight of a file without a header."""
    series = found.series(name)
    if found.header is None or not is_number(name):
        return series
    return series._replace(remark=taken_as_header(found.source, found.header))


def taken_as_header(source: str, header: Sequence[str]) -> str:
    """The remark on a first line that could be a row."""
    return f"{source}: the first line is taken as the header: {listed(header)}"


def _not_so_many(found: Distributions, numeric: list[str], needed: str, count: int) -> InputError:
    """The error for a source with more or fewer distributions than are needed, and how to name those that are."""
    if len(numeric) > count:
        mend = f"choose: {' '.join(found.address(name) for name in numeric[:count])}"
    elif len(numeric) == 1:
        mend = "give Q after it"
    elif found.names():
        mend = f"it has {listed(found.names())}, such as {found.address(found.names()[0])}"
    else:
        mend = "it is empty"
    has = "1 distribution" if len(numeric) == 1 else f"{len(numeric) or 'no'} distributions"
    which = f" ({listed(numeric)})" if any(numeric) else ""
    return InputError(f"{found.source}: {has}{which}, {needed}; {mend}")


def refuse_repeated(labels: Sequence[str], where: Callable[[int], str], column: str = "") -> None:
    """Raises DistributionError where a label stands twice: an outcome has one weight. column: the labels'."""
    if len(set(labels)) == len(labels):
        return
    first: dict[str, int] = {}
    for i, label in enumerate(labels):
        if label in first:
            mend = f", or take other labels with --label (these are column {clipped(column)})" if column else ""
            again = f"{where(i)}: the label {clipped(label)} stands twice (first: {where(first[label])})"
            message = f"{again}; add the two up{mend}"
            raise DistributionError(message)
        first[label] = i

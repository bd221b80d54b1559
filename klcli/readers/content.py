"""What a source holds: distributions by name, on labels or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from klcli.errors import DistributionError, InputError, clipped, listed, nearest
from klcli.readers.numbers import is_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from klcli.model import Array

    Values = Sequence[float] | Array

    class Content(Protocol):
        """A source that has been read."""

        source: str

        @property
        def header(self) -> Sequence[str] | None:
            """The line of text that the names were read from, if it was one."""
            ...

        def names(self) -> list[str]:
            """The names of all that may be distributions: columns, keys; [''] where there is one, unnamed."""
            ...

        def numeric(self) -> list[str]:
            """Those of the names under which there are only numbers."""
            ...

        def series(self, name: str) -> Series:
            """The distribution of that name; raises InputError where there is none or something is not a number."""
            ...

        def at(self, pointer: str) -> Content:
            """What a JSON pointer leads to."""
            ...

        def address(self, name: str) -> str:
            """How one of its distributions is written on the command line."""
            ...


from klcli.readers.sources import STDIN  # noqa: E402, F401
"""What standard input is called; on the command line it is -."""


class Series(NamedTuple):
    """One distribution of a source. `where(i)` names the place of value i: 'w.csv:17', or 'P, item 3'."""

    name: str
    values: Values
    labels: Sequence[str] | None
    where: Callable[[int], str]
    remark: str = ""
    """What the user should know of how it was read."""


class Single:
    """A source that is one unnamed distribution."""

    header = None

    def __init__(
        self,
        source: str,
        values: Values,
        labels: Sequence[str] | None,
        where: Callable[[int], str],
        remark: str = "",
    ) -> None:
        self.source = source
        self._series = Series("", values, labels, where, remark)

    def names(self) -> list[str]:
        """Just the unnamed one."""
        return [""]

    def numeric(self) -> list[str]:
        """Just the unnamed one."""
        return [""]

    def series(self, name: str) -> Series:
        """The one there is; it has no columns."""
        if name:
            message = f"{self.source}: no column {clipped(name)}; it holds one distribution, without columns"
            raise InputError(message)
        return self._series

    def at(self, pointer: str) -> Content:
        """Pointers are for JSON."""
        no_pointer(self.source, pointer)

    def address(self, name: str) -> str:
        """It is all there is."""
        return column_of(self.source, name)


def column_of(source: str, name: str) -> str:
    """SOURCE:COLUMN as it is typed."""
    return f"{'-' if source == STDIN else source}:{name}"


def no_pointer(source: str, pointer: str) -> NoReturn:
    """Raises InputError: only JSON has places that a pointer names."""
    message = f"{source}: {clipped('#' + pointer)} points into JSON, and this is not JSON; name a column as FILE:COLUMN"
    raise InputError(message)


def no_such(source: str, name: str, names: Sequence[str], what: str = "column") -> InputError:
    """The error for a name that a source does not have."""
    has = listed(names) if names else f"no {what}s"
    return InputError(f"{source}: no {what} {clipped(name)}; it has {has}.{nearest(name, names, 0.4)}")


def label_column(names: Sequence[str], numbers: Sequence[tuple[int, int]]) -> str | None:
    """Which column holds the labels, given how many of how many cells of each are numbers; None: none does.

    It is the one called 'label', else the first without any number, else the first of all if not all of it is numbers.
    """
    if "label" in names:
        return "label"
    without = next((name for name, (count, _) in zip(names, numbers, strict=True) if count == 0), None)
    if without is None and numbers and numbers[0][0] < numbers[0][1]:
        return names[0]
    return without


def all_numbers(content: Content, name: str, numbers: tuple[int, int], mend: str = "") -> bool:
    """Whether a column is a distribution. Raises InputError where only some of its cells are numbers.

    To leave such a column out would lose a distribution because of one bad cell. mend: said after the error.
    """
    count, cells = numbers
    if 0 < count < cells:
        try:
            content.series(name)
        except InputError as error:
            message = f"{error}{mend}"
            raise InputError(message) from None
    return count == cells


def one(content: Content) -> Series:
    """The only distribution of a source."""
    numeric = content.numeric()
    if len(numeric) == 1:
        return _found(content, numeric[0])
    raise _not_so_many(content, numeric, "one is needed", 1)


def both(content: Content) -> tuple[Series, Series]:
    """The two distributions of a source that is a whole pair: p and q, or the only two there are."""
    names = content.names()
    if "p" in names and "q" in names:
        return content.series("p"), content.series("q")
    numeric = content.numeric()
    if len(numeric) == 2:  # noqa: PLR2004 - a pair
        return _found(content, numeric[0]), _found(content, numeric[1])
    raise _not_so_many(content, numeric, "a pair is two", 2)


def every(content: Content) -> list[Series]:
    """Every distribution of a source, at least one."""
    numeric = content.numeric()
    if not numeric:
        raise _not_so_many(content, numeric, "at least one is needed", 1)
    return [_found(content, name) for name in numeric]


def _found(content: Content, name: str) -> Series:
    """A distribution that nobody named; a name that is a number may be the first weight of a file without a header."""
    series = content.series(name)
    if content.header is None or not is_number(name):
        return series
    return series._replace(remark=f"{content.source}: the first line is taken as the header: {listed(content.header)}")


def _not_so_many(content: Content, numeric: list[str], needed: str, count: int) -> InputError:
    """The error for a source with more or fewer distributions than are needed, and how to name those that are."""
    if len(numeric) > count:
        mend = f"choose: {' '.join(content.address(name) for name in numeric[:count])}"
    elif len(numeric) == 1:
        mend = "give Q after it"
    elif content.names():
        mend = f"it has {listed(content.names())}, such as {content.address(content.names()[0])}"
    else:
        mend = "it is empty"
    has = "1 distribution" if len(numeric) == 1 else f"{len(numeric) or 'no'} distributions"
    which = f" ({listed(numeric)})" if any(numeric) else ""
    return InputError(f"{content.source}: {has}{which}, {needed}; {mend}")


def unique(labels: Sequence[str], where: Callable[[int], str], column: str = "") -> None:
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

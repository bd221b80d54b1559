"""What a source holds: distributions by name, on labels or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from klcli.errors import DistributionError, InputError, clipped, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from klcli.model import Array

    Values = Sequence[float] | Array

    class Content(Protocol):
        """A source that has been read."""

        source: str

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


class Series(NamedTuple):
    """One distribution of a source. `where(i)` names the place of value i: 'w.csv:17', or 'P, item 3'."""

    name: str
    values: Values
    labels: Sequence[str] | None
    where: Callable[[int], str]


class Single:
    """A source that is one unnamed distribution."""

    def __init__(self, source: str, values: Values, labels: Sequence[str] | None, where: Callable[[int], str]) -> None:
        self.source = source
        self._series = Series("", values, labels, where)

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
        return no_pointer(self.source, pointer)


def no_pointer(source: str, pointer: str) -> Content:
    """Raises InputError: only JSON has places that a pointer names."""
    message = f"{source}: {clipped('#' + pointer)} points into JSON, and this is not JSON; name a column as FILE:COLUMN"
    raise InputError(message)


def no_such(source: str, name: str, names: Sequence[str], what: str = "column") -> InputError:
    """The error for a name that a source does not have."""
    has = listed(names) if names else f"no {what}s"
    return InputError(f"{source}: no {what} {clipped(name)}; it has {has}.{nearest(name, names)}")


def one(content: Content) -> Series:
    """The only distribution of a source."""
    numeric = content.numeric()
    if len(numeric) == 1:
        return content.series(numeric[0])
    raise _not_so_many(content, numeric, "one is needed", f"choose one: {content.source}:{(numeric or ['COLUMN'])[0]}")


def both(content: Content) -> tuple[Series, Series]:
    """The two distributions of a source that is a whole pair: p and q, or the only two there are."""
    names = content.names()
    if "p" in names and "q" in names:
        return content.series("p"), content.series("q")
    numeric = content.numeric()
    if len(numeric) == 2:  # noqa: PLR2004 - a pair
        return content.series(numeric[0]), content.series(numeric[1])
    mend = "give Q as a second argument, or name the columns p and q"
    if len(numeric) > 2:  # noqa: PLR2004
        mend = f"choose two: {content.source}:{numeric[0]} {content.source}:{numeric[1]}"
    raise _not_so_many(content, numeric, "a pair needs two", mend)


def every(content: Content) -> list[Series]:
    """Every distribution of a source, at least one."""
    numeric = content.numeric()
    if not numeric:
        raise _not_so_many(content, numeric, "at least one is needed", "check the file")
    return [content.series(name) for name in numeric]


def _not_so_many(content: Content, numeric: list[str], needed: str, mend: str) -> InputError:
    if numeric == [""]:
        return InputError(f"{content.source}: one distribution, {needed}; {mend}")
    columns = "1 numeric column" if len(numeric) == 1 else f"{len(numeric)} numeric columns"
    which = f" ({listed(numeric)})" if numeric else ""
    almost = ""
    for name in content.names():
        if name not in numeric:
            try:
                content.series(name)
            except InputError as error:
                almost = f" ({str(error).removeprefix(content.source + ':')})"
                break
    return InputError(f"{content.source}: {columns}{which}, {needed}; {mend}{almost if len(numeric) < 2 else ''}")  # noqa: PLR2004


def unique(labels: Sequence[str], where: Callable[[int], str]) -> None:
    """Raises DistributionError where a label stands twice: an outcome has one weight."""
    if len(set(labels)) == len(labels):
        return
    first: dict[str, int] = {}
    for i, label in enumerate(labels):
        if label in first:
            message = (
                f"{where(i)}: the label {clipped(label)} stands twice (first: {where(first[label])}); add the two up"
            )
            raise DistributionError(message)
        first[label] = i

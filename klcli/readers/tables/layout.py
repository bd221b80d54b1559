"""The part that each column of a table of pairs plays: what `batch` is told on the command line, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from klcli.errors import DistributionError, InputError, clipped, listed, no_such
from klcli.readers.tables.select import select

if TYPE_CHECKING:
    from collections.abc import Sequence


class Wanted(NamedTuple):
    """What the command line says of the columns: selectors, None where it says nothing.

    reference: which side the rows lack, 'p' or 'q', because one distribution stands for it in all of them. by: the
    columns that make rows one group; label: the outcome of a row in it.
    """

    p: str | None = None
    q: str | None = None
    keep: str | None = None
    by: str | None = None
    label: str | None = None
    reference: str | None = None


class Layout(NamedTuple):
    """Columns by position: the weights of P and of Q, those kept; where a group is a pair, its keys and its labels.

    exact: whether the columns kept were chosen, so that others may come and go.
    """

    source: str
    header: tuple[str, ...]
    p: tuple[int, ...]
    q: tuple[int, ...]
    kept: tuple[int, ...]
    by: tuple[int, ...] = ()
    label: int | None = None
    exact: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns of weights, P's first, each once."""
        return tuple(dict.fromkeys(self.p + self.q))

    @property
    def text(self) -> tuple[int, ...]:
        """The columns of text: those of a group, or those kept."""
        return (*self.by, *(() if self.label is None else (self.label,))) if self.by else self.kept

    def names(self, columns: Sequence[int]) -> tuple[str, ...]:
        """What the columns are called."""
        return tuple(self.header[i] for i in columns)

    def found_in(self, header: Sequence[str], source: str) -> Layout:
        """The same columns in another table of the stream, by name. Raises InputError where it has others."""
        if tuple(header) == self.header:
            return self._replace(source=source)
        needed = {*self.p, *self.q, *self.text}
        lacking = next((self.header[i] for i in sorted(needed) if self.header[i] not in header), None)
        if lacking is not None:
            hint = no_such(source, lacking, header)
            message = f"{hint} Its columns are those of {self.source} before it"
            raise InputError(message)
        more = [name for name in header if name not in self.header]
        if more and not self.exact:
            message = (
                f"{source}: has {listed(more)}, which {self.source} before it has not; one stream has one header: "
                "choose columns of both with --keep"
            )
            raise InputError(message)

        def place(i: int) -> int:
            name = self.header[i]
            nth = self.header[:i].count(name)
            places = [j for j, other in enumerate(header) if other == name]
            if len(places) != self.header.count(name):
                many = f"{source}: {len(places)} columns are called {clipped(name)}"
                message = f"{many}, in {self.source} before it {self.header.count(name)}"
                raise InputError(message)
            return places[nth]

        return Layout(
            source,
            tuple(header),
            tuple(map(place, self.p)),
            tuple(map(place, self.q)),
            tuple(map(place, self.kept)),
            tuple(map(place, self.by)),
            None if self.label is None else place(self.label),
            self.exact,
        )


def lay_out(wanted: Wanted, header: Sequence[str], source: str, text: Sequence[bool] = ()) -> Layout:
    """The columns that are wanted of those there are. Raises InputError, DistributionError where P and Q differ.

    text: whether a column holds text, as far as that is known.
    """
    p, q = (_side(side, wanted, header, source) for side in ("p", "q"))
    if wanted.by is not None:
        return _grouped(wanted, header, source, (p, q), text)
    if p and q and len(p) != len(q):
        message = f"{source}: P has {_columns(p)}, Q has {_columns(q)}; each row needs as many weights of both"
        raise DistributionError(message)
    if wanted.keep is None:
        kept = [i for i in range(len(header)) if i not in {*p, *q}]
    else:
        kept = select(wanted.keep, header, source) if wanted.keep.strip() else []
    return Layout(source, tuple(header), p, q, tuple(kept), exact=wanted.keep is not None)


def _side(side: str, wanted: Wanted, header: Sequence[str], source: str) -> tuple[int, ...]:
    if wanted.reference == side:
        return ()
    selector = getattr(wanted, side)
    if selector is None:
        if header.count(side) != 1:
            has = f"it has {listed(header)}"
            message = f"{source}: which columns are {side.upper()}? {has}; add --{side}, such as --{side} '{side}*'"
            raise InputError(message)
        selector = side
    return tuple(select(selector, header, source))


def _grouped(
    wanted: Wanted,
    header: Sequence[str],
    source: str,
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    text: Sequence[bool],
) -> Layout:
    for name, columns in zip("pq", sides, strict=True):
        if len(columns) > 1:
            message = f"{source}: --{name} is {_columns(columns)}; with --by it is one, whose rows are the outcomes"
            raise InputError(message)
    by = select(wanted.by or "", header, source)
    place = _label(wanted.label, header, source, {*by, *sides[0], *sides[1]}, text)
    if place in by:
        message = f"{source}: {clipped(str(wanted.label))} cannot be both the group and the label"
        raise InputError(message)
    return Layout(source, tuple(header), *sides, tuple(by), tuple(by), place, exact=True)


def _label(label: str | None, header: Sequence[str], source: str, taken: set[int], text: Sequence[bool]) -> int | None:
    """The column of labels: the one chosen, else 'label', else the first that holds text and plays no other part."""
    if label is not None:
        if label not in header:
            raise no_such(source, label, header)
        return select(label, header, source)[0]
    if "label" in header and header.index("label") not in taken:
        return header.index("label")
    return next((i for i, is_text in enumerate(text) if is_text and i not in taken), None)


def _columns(columns: Sequence[int]) -> str:
    return "1 column" if len(columns) == 1 else f"{len(columns)} columns"

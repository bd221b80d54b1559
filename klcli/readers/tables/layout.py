"""The part that each column of a table of pairs plays: what `batch` is told on the command line, and what it means."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, no_such, typed
from klcli.readers.numbers import POINT, Notation
from klcli.readers.tables.roles import CHOICES, NO_LABELS, Choices, chosen_label, is_key
from klcli.readers.tables.select import list_of, select
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.readers.observations import Cells


class WantedColumns(NamedTuple):
    """What the command line says of the columns: selectors, None where it says nothing.

    reference: which side the rows lack, 'p' or 'q', because one distribution stands for it in all of them. by: the
    columns that make rows one group. alone: whether P will do, as no measure needs Q. apart: whether Q stands in
    another row, of this table or another. on: the columns whose cells lead to that row. counting: how raw values in
    groups are counted, None where there are weights. choices: what else is said of rows and columns, as of labels. met:
    the names in the reference, among which some to drop may be.
    """

    p: str | None = None
    q: str | None = None
    keep: str | None = None
    by: str | None = None
    reference: str | None = None
    alone: bool = False
    apart: bool = False
    on: str | None = None
    counting: Counting | None = None
    choices: Choices = CHOICES
    met: tuple[str, ...] = ()


class Counting(NamedTuple):
    """How raw values are counted. bins: what --bins says, or the cells; None: equal values."""

    bins: str | Cells | None
    notation: Notation = POINT


def counted(wanted: WantedColumns, notation: Notation) -> WantedColumns:
    """The wanted columns, of raw values that are counted. Raises UsageError where there are no groups or no cells."""
    bins = wanted.choices.bins
    if wanted.by is None:
        message = "--tally counts the raw values in the rows of a group; add --by COLUMN"
        raise UsageError(message)
    if wanted.reference is not None and bins is not None:
        from klcli.readers.observations import cells_given

        if isinstance(cells_given(bins), int):
            message = f"--bins {bins} does not go with --reference; give edges, as --bins 0,1,2"
            raise UsageError(message)
    return wanted._replace(counting=Counting(bins, notation))


class Layout(NamedTuple):
    """Columns by position: the weights of P and of Q, those kept; where a group is a pair, its keys and its labels.

    exact: whether the columns kept were chosen, so that others may come and go. blank: see `Notation`. more: columns
    that are needed as text besides: the keys to another table, or raw values. counting: how those are counted. remarks:
    what to say of it all. choices: what else the command line says of rows and columns. whole: whether the columns, not
    the rows, are distributions.
    """

    source: str
    header: tuple[str, ...]
    p: tuple[int, ...]
    q: tuple[int, ...]
    kept: tuple[int, ...]
    by: tuple[int, ...] = ()
    label: int | None = None
    exact: bool = False
    blank: str = "error"
    more: tuple[int, ...] = ()
    counting: Counting | None = None
    remarks: tuple[str, ...] = ()
    choices: Choices = CHOICES
    whole: bool = False

    @property
    def across(self) -> tuple[tuple[int, ...], ...]:
        """The columns of P and those of Q, where the weights of a row are a distribution each."""
        return () if self.by or self.whole else tuple(side for side in (self.p, self.q) if len(side) > 1)

    @property
    def gaps(self) -> bool:
        """Whether a weight that is NaN was left out, and its outcome with it."""
        return self.blank == "skip"

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns of weights, P's first, each once."""
        return () if self.counting is not None else tuple(dict.fromkeys(self.p + self.q))

    @property
    def in_fields(self) -> bool:
        """Whether the weights of a side may be a list or an object in one column."""
        return not self.by and len(self.p) <= 1 and len(self.q) <= 1

    @property
    def cells(self) -> tuple[int, ...]:
        """The columns whose cells are needed as they stand: those of a group, or those kept, and some more."""
        return tuple(dict.fromkeys((*(self.by or self.kept), *self.more)))

    @property
    def text(self) -> tuple[int, ...]:
        """The columns of text: those cells, and the labels of a group."""
        return (*self.cells, self.label) if self.by and self.label is not None else self.cells

    @property
    def columns(self) -> tuple[int, ...]:
        """All columns that play a part."""
        return (*self.p, *self.q, *self.kept, *self.by, *(() if self.label is None else (self.label,)), *self.more)

    def names(self, columns: Sequence[int]) -> tuple[str, ...]:
        """What the columns are called."""
        return tuple(self.header[i] for i in columns)

    def found_in(self, header: Sequence[str], source: str) -> Layout:
        """The layout of another table of the stream, by its columns' names. Raises InputError where it has others."""
        if tuple(header) == self.header:
            return self._replace(source=source)
        here, there = _places_of(self.header), _places_of(header)
        needed = {*self.p, *self.q, *self.text}
        lacking = next((self.header[i] for i in sorted(needed) if self.header[i] not in there), None)
        if lacking is not None:
            hint = no_such(source, lacking, header)
            mend = "" if lacking in self.names(self.p + self.q) else "; choose columns of both with --keep"
            message = f"{hint} Its columns are those of {self.source} before it{mend}"
            raise InputError(message)
        more = [name for name in header if name not in here]
        if more and not self.exact:
            message = (
                f"{source}: has {listed(more)}, which {self.source} before it has not; one stream has one header: "
                "choose columns of both with --keep"
            )
            raise InputError(message)

        def place(i: int) -> int:
            name = self.header[i]
            if len(there[name]) != len(here[name]):
                many = f"{source}: {len(there[name])} columns are called {clipped(name)}"
                message = f"{many}, in {self.source} before it {len(here[name])}"
                raise InputError(message)
            return there[name][here[name].index(i)]

        fields = ("p", "q", "kept", "by", "more")
        moved: dict[str, Any] = {field: tuple(map(place, getattr(self, field))) for field in fields}
        label = None if self.label is None else place(self.label)
        return self._replace(source=source, header=tuple(header), label=label, **moved)


def _places_of(header: Sequence[str]) -> dict[str, list[int]]:
    """Where each name stands."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(header):
        places.setdefault(name, []).append(i)
    return places


def lay_out(wanted: WantedColumns, header: Sequence[str], source: str, text: Sequence[bool] = ()) -> Layout:
    """The columns that are wanted of those there are. Raises InputError, DistributionError where P and Q differ.

    text: whether a column holds text, as far as that is known.
    """
    p, q = (_side(side, wanted, header, source, text) for side in ("p", "q"))
    if wanted.by is None and wanted.choices.drop and max(len(p), len(q)) > 1:
        from klcli.readers.totals import refuse_undropped

        refuse_undropped(wanted.choices.drop, [header, wanted.met])
        p, q = (tuple(i for i in side if header[i] not in wanted.choices.drop) for side in (p, q))
    if wanted.by is not None:
        return _grouped(wanted, header, source, (p, q), text)
    p, q, remarks = paired(p, q, header, header, source) if p and q else (p, q, ())
    if wanted.keep is None:
        kept = [i for i in range(len(header)) if i not in {*p, *q}]
    else:
        kept = select(wanted.keep, header, source) if wanted.keep.strip() else []
    on = () if wanted.on is None else tuple(select(wanted.on, header, source))
    both = next((i for i in on if i in p), None)
    if both is not None:
        message = f"{source}: {clipped(header[both])} cannot be both a key and a weight; choose others by --p or --on"
        raise InputError(message)
    exact = wanted.keep is not None
    return Layout(
        source, tuple(header), p, q, tuple(kept), (), None, exact, more=on, remarks=remarks, choices=wanted.choices
    )


def paired(
    p: tuple[int, ...], q: tuple[int, ...], header_p: Sequence[str], header_q: Sequence[str], source: str
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
    """P's and Q's columns in the order in which they are paired, and what to say of it. Raises DistributionError.

    Those that have the same stems in another order are paired by stem.
    """
    if len(p) != len(q):
        message = f"{source}: P has {_columns(p)}, Q has {_columns(q)}; each row needs as many weights of both"
        raise DistributionError(message)
    names = [header_p[i] for i in p], [header_q[i] for i in q]
    if header_p is header_q and p == q:
        return p, q, (f"P and Q are the same columns: {listed(names[0])}",)
    if len(p) == 1:
        return p, q, ()
    meant = header_p is header_q and set(p) == set(q)  # the same columns, and in another order on purpose
    from klcli.stems import stems

    found = [] if meant else list(product(*map(stems, names)))
    if any(one == other for one, other in found):
        return p, q, ()
    for one, other in found:
        if len(set(one)) == len(one) and sorted(one) == sorted(other):
            ordered = tuple(q[other.index(stem)] for stem in one)
            pairs = listed([f"{a} with {header_q[i]}" for a, i in zip(names[0], ordered, strict=True)])
            return p, ordered, (f"the columns are paired by the part of their names that differs: {pairs}",)
    return p, q, (f"the columns are paired in this order: P {listed(names[0], 12)}; Q {listed(names[1], 12)}",)


def _side(
    side: str, wanted: WantedColumns, header: Sequence[str], source: str, text: Sequence[bool]
) -> tuple[int, ...]:
    if wanted.reference == side or (side == "q" and wanted.apart):
        return ()
    selector = getattr(wanted, side)
    if selector is None:
        if side == "q" and wanted.alone and (wanted.p is not None or header.count(side) != 1):
            return ()
        if header.count(side) != 1:
            has = f"it has {listed(header)}"
            proposed = _proposed(side, wanted, header, source, text)
            message = f"{source}: which columns are {side.upper()}? {has}; add --{side}, such as --{side} {proposed}"
            if side == "q" and wanted.p is not None:
                message += ", or -m entropy_p, which needs P alone"
            raise InputError(message)
        selector = side
    return tuple(select(selector, header, source))


def _proposed(side: str, wanted: WantedColumns, header: Sequence[str], source: str, text: Sequence[bool]) -> str:
    """A selector of columns that may be a side: those that begin as it is called, else of numbers, as many as it needs.

    Keys and labels stand in front: of groups, which need one column, it is the last, or the one before it.
    """
    name = "q" if side == "p" else "p"
    other = getattr(wanted, name) or (name if header.count(name) == 1 else None)
    given = [
        selector for selector in (wanted.by, wanted.on, wanted.choices.label, other) if selector not in {None, "none"}
    ]
    taken = {i for selector in given for i in select(selector or "", header, source)}
    numeric = [i for i in range(len(header)) if not any(text[i : i + 1]) or wanted.counting is not None]
    free = [i for i in numeric if i not in taken and (i or not is_key(header[0]))]
    needs_both = other is None and not (wanted.apart or wanted.alone or wanted.reference)
    if wanted.by is not None:
        found = free[-2:-1] if needs_both else free[-1:]
        labelled = wanted.choices.label is not None or any(is_text for i, is_text in enumerate(text) if i not in taken)
        found = found if labelled or wanted.counting is not None or found != free[:1] else []  # which are labels
    else:
        found = free[: len(free) // 2 if needs_both else None if other is None else len(select(other, header, source))]
    if not found or any(column.startswith(side) for column in header):
        return f"'{side}*'"
    if len(found) > _MOST_NAMED and found == list(range(found[0], found[-1] + 1)):
        ends = header[found[0]], header[found[-1]]
        return typed(":".join(ends)) if "," not in "".join(ends) else f"{found[0] + 1}-{found[-1] + 1}"
    return typed(list_of(header[i] for i in found))


_MOST_NAMED = 4
"""Of more columns side by side a selector names the first and the last."""


def _grouped(
    wanted: WantedColumns,
    header: Sequence[str],
    source: str,
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    text: Sequence[bool],
) -> Layout:
    for name, columns in zip("pq", sides, strict=True):
        if len(columns) > 1:
            message = f"{source}: --{name} is {_columns(columns)}; with --by it is one, whose rows are the outcomes"
            raise InputError(message)
    remarks = paired(*sides, header, header, source)[2] if all(sides) else ()
    by = tuple(select(wanted.by or "", header, source))
    chosen = chosen_label(wanted.choices.label, header, source)
    found = Layout(source, tuple(header), *sides, by, by, exact=True, remarks=remarks, choices=wanted.choices)
    if wanted.counting is not None:
        return found._replace(more=tuple(dict.fromkeys(sides[0] + sides[1])), counting=wanted.counting)
    taken = {*by, *sides[0], *sides[1]}
    place = _label(header, taken, text) if chosen is None else None if chosen == NO_LABELS else chosen
    if place in by:
        message = f"{source}: {clipped(str(wanted.choices.label))} cannot be both the group and the label"
        raise InputError(message)
    return found._replace(label=place)


def _label(header: Sequence[str], taken: set[int], text: Sequence[bool]) -> int | None:
    """The column of labels, of those that play no other part: 'label', else the first of text, else the first of all.

    The last only where its name is one of keys: of a stream nobody knows whether all of its numbers are different.
    """
    if "label" in header and header.index("label") not in taken:
        return header.index("label")
    found = next((i for i, is_text in enumerate(text) if is_text and i not in taken), None)
    return 0 if found is None and 0 not in taken and is_key(header[0]) else found


def _columns(columns: Sequence[int]) -> str:
    return "1 column" if len(columns) == 1 else f"{len(columns)} columns"

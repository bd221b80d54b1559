"""Which column of a table plays which part. This is the one place that decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Choices(NamedTuple):
    """What the command line says of the meaning of a table's rows and columns.

    label: the column of labels, by name or position, 'none' for none. select: the columns of weights. rows: whether a
    row is a distribution. by: rows alike in it are one. repeats: what labels that stand twice do, 'sum' or 'error'.
    drop: outcomes and distributions of these names are left out. keep_totals: whether totals are like all others.
    tally: whether cells are raw values to be counted; bins: in so many cells, or between these edges.
    """

    label: str | None = None
    select: str | None = None
    rows: bool = False
    by: str | None = None
    repeats: str = "error"
    drop: tuple[str, ...] = ()
    keep_totals: bool = False
    tally: bool = False
    bins: str | None = None


CHOICES = Choices()
"""Where the command line says nothing."""


class Facts(NamedTuple):
    """What decides a column's part. of_numbers: whether all of its cells are numbers. has_number: whether one is.

    nested: whether its cells are lists or objects. empty: whether it is of no type, as nothing stands in it.
    """

    of_numbers: bool
    has_number: bool
    nested: bool = False
    empty: bool = False


class Roles(NamedTuple):
    """The columns of a table by the parts they play, as positions.

    label: holds the labels; None: none does. weights: are of numbers. nested: hold lists or objects, of which each may
    be a distribution. mixed: have numbers in some cells only. notes: what the user should know of the choice.
    """

    label: int | None
    weights: tuple[int, ...]
    nested: tuple[int, ...]
    mixed: tuple[int, ...]
    notes: tuple[str, ...] = ()


def roles(names: Sequence[str], facts: Callable[[int], Facts], chosen: int | None = None) -> Roles:
    """The part of each column. facts(i): of column i; of a label column that is known by name nobody asks for them.

    chosen: the column that --label names.
    """
    label = label_column(names, facts, chosen)
    others = [(i, facts(i)) for i in range(len(names)) if i != label]
    return Roles(
        label,
        tuple(i for i, column in others if column.of_numbers),
        tuple(i for i, column in others if column.nested),
        tuple(i for i, column in others if column.has_number and not column.of_numbers),
    )


def label_column(names: Sequence[str], facts: Callable[[int], Facts], chosen: int | None = None) -> int | None:
    """The column of the labels, None where there is none: see `roles` for the arguments.

    It is the one chosen, else the one called 'label', else the first without any number, else the first of all where
    not all of it is numbers. Lists and objects are never labels unless they are chosen.
    """
    if chosen is not None:
        return chosen
    if "label" in names:
        return names.index("label")
    flat = [i for i in range(len(names)) if not (facts(i).nested or facts(i).empty)]
    without = next((i for i in flat if not facts(i).has_number), None)
    if without is None and flat and not facts(flat[0]).of_numbers:
        return flat[0]
    return without

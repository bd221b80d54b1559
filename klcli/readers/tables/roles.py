"""Which column of a table plays which part. This is the one place that decides it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import InputError, clipped, listed, typed
from klcli.readers.numbers import POINT, is_number
from klcli.readers.tables.select import list_of, select
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.columns import TableColumns


class Choices(NamedTuple):
    """What the command line says of the meaning of a table's rows and columns.

    label: the column of labels, by name or position, 'none' for none. select: the columns of weights. rows: whether a
    row is a distribution; columns: whether rows of what has no columns of numbers are outcomes. by: rows alike in it
    are one. repeats: what labels that stand twice do, 'sum' or 'error'. drop: outcomes and distributions of these names
    are left out. keep_totals: whether totals are like all others. tally: whether cells are raw values to be counted;
    bins: in so many cells, or between these edges. lenient: whether a cell that is no number makes a row no
    distribution, instead of being an error. placed: whether labels that are numbers are places on a line, which groups
    must then come with.
    """

    label: str | None = None
    select: str | None = None
    rows: bool = False
    columns: bool = False
    by: str | None = None
    repeats: str = "error"
    drop: tuple[str, ...] = ()
    keep_totals: bool = False
    tally: bool = False
    bins: str | None = None
    lenient: bool = False
    placed: bool = False


CHOICES = Choices()
"""Where the command line says nothing."""


NO_LABELS = -1
"""Instead of the position of a column: none holds labels, as --label none says."""

_KEYS = frozenset(
    (
        *("", "index", "unnamed: 0", "id", "key", "code", "year", "no", "nr", "#", "rank", "bin", "bucket", "decile"),
        *("le", "step", "row", "month", "day", "hour"),
    )
)
_KEY_ENDS = ("_id", " id", "_code", "_key")
_IDS = frozenset(("index", "unnamed: 0", "id", "key", "code", "#"))
"""Nothing that is counted is called so, wherever it stands; a day, a rank or a step may be."""

_DATES = frozenset(("year", "date", "timestamp", "postcode", "zip", "zipcode"))
"""What columns are called whose whole numbers are hardly counts, wherever they stand."""

_LIKE_KEYS = frozenset(
    (
        *(
            "account",
            "age",
            "class",
            "code",
            "customer",
            "date",
            "grade",
            "level",
            "minute",
            "number",
            "port",
            "postcode",
        ),
        *("quarter", "rating", "second", "status", "time", "timestamp", "ts", "user", "week", "weekday", "zip"),
        "zipcode",
    )
)
"""What keys are called, though not for certain: a first column whose name ends so gets a note."""

_ENDS = re.compile(r"(?i:(?<![a-z])(end|to|upper|high|right|max|stop)\b)|[a-z](End|Max)$")
"""What the ends of cells are called, beside a column of where they begin."""

_CELLS = frozenset(("", "le", "bin", "bucket"))
"""Columns of these names hold the ends of cells, which need not be whole numbers."""

_WEIGHTS = frozenset(("p", "q"))
"""A column of these names is a key in no case."""

_ENOUGH = 3
"""Two numbers rise in every other column of weights."""


def no_group(column: str, rows: int = 1) -> str:
    """What is wrong with rows in which nothing stands in a column of --by: they may belong together or not."""
    among = "" if rows == 1 else f" and in {rows - 1} more row{'s' * (rows > 2)} of the table"  # noqa: PLR2004 - plural
    how = "fill it in: of merged cells only the first holds the value"
    return f"column {clipped(column)}: nothing stands here{among}, so that the group is not known; {how}"


class Facts(NamedTuple):
    """What decides a column's part. of_numbers: whether all of its cells are numbers. has_number: whether one is.

    nested: whether its cells are lists or objects. empty: whether it is of no type, as nothing stands in it. marred: of
    a column with numbers, whether all other cells are blank or numbers in another notation, as 1,200 or $12.
    """

    of_numbers: bool
    has_number: bool
    nested: bool = False
    empty: bool = False
    marred: bool = False


class Roles(NamedTuple):
    """The columns of a table by the parts they play, as positions.

    label: holds the labels; None: none does. weights: are of numbers. nested: hold lists or objects, of which each may
    be a distribution. mixed: have numbers in some cells only. left_out: notes on columns that are neither labels nor
    weights, though nobody said so, and on those that are weights and may better be none.
    """

    label: int | None
    weights: tuple[int, ...]
    nested: tuple[int, ...]
    mixed: tuple[int, ...]
    left_out: tuple[str, ...] = ()


def roles(columns: TableColumns) -> Roles:
    """The part of each column."""
    label = label_column(columns)
    others = [(i, columns.facts(i)) for i in range(len(columns.table.names)) if i != label]
    text = [columns.table.names[i] for i, column in others if not (column.has_number or column.nested or column.empty)]
    left_out = [] if not text else [f"{_columns(text)} not of numbers and left out"]
    weights = [i for i, column in others if column.of_numbers]
    keys = [i for i in weights if _is_spare_key(columns, i, label)]
    if keys and len(keys) < len(weights):
        weights = [i for i in weights if i not in keys]
        left_out += [
            f"column {clipped(columns.table.names[i])} is a key by its name and left out; --select counts it as weights"
            for i in keys
        ]
    elif keys:
        names = (clipped(columns.table.names[i]) for i in keys)
        left_out += [f"column {name} is a key by its name, and counts as weights" for name in names]
    ends = [i for i in weights if label is not None and i not in columns.taken and _are_ends(columns, label, i)]
    if ends and len(ends) < len(weights):
        weights = [i for i in weights if i not in ends]
        cells = f"holds the ends of the cells that begin in {clipped(columns.table.names[label or 0])}"
        names = (clipped(columns.table.names[i]) for i in ends)
        left_out += [f"column {name} {cells} and is left out; --select counts it as weights" for name in names]
    left_out += _dated(columns, [i for i in weights if i or label is not None])
    return Roles(
        label,
        tuple(weights),
        tuple(i for i, column in others if column.nested),
        tuple(i for i, column in others if column.has_number and not column.of_numbers),
        tuple(left_out),
    )


def _is_spare_key(columns: TableColumns, column: int, label: int | None) -> bool:
    """Whether a column of numbers beside that of the labels, or not the first, holds keys by its name."""
    name = columns.table.names[column]
    if column in columns.taken:
        return False
    if column == 0 and columns.keys:
        return label is not None and is_key(name)
    if column == 0 and not name:
        return holds_keys(name, columns.numbers(0))
    return is_id(name) and holds_keys(name, columns.numbers(column))


def _are_ends(columns: TableColumns, label: int, column: int) -> bool:
    """Whether a column holds the ends of cells that begin in that of the labels: each is where the next begins."""
    named = _ENDS.search(columns.table.names[column])
    if named is None or not columns.facts(label).of_numbers:
        return False
    begins, ends = columns.numbers(label), columns.numbers(column)
    return bool((ends[:-1] == begins[1:]).all() and ends[-1] > begins[-1])


def _dated(columns: TableColumns, weights: Sequence[int]) -> list[str]:
    """A note on each column of weights that by its name holds years, dates or ids, as its whole numbers may be."""
    names, found = columns.table.names, []
    for i in weights:
        last = _plain(names[i]).replace("_", " ").split(" ")[-1]
        if i not in columns.taken and (last in _DATES or is_id(names[i])):
            others = [names[j] for j in weights if j != i]
            values = columns.numbers(i)
            if others and bool((values == np.floor(values)).all()):
                how = f"--select {typed(list_of(others))} leaves it out"
                found.append(f"column {clipped(names[i])} counts as weights; if it holds keys {how}")
    return found


def _columns(names: Sequence[str]) -> str:
    return f"column {clipped(names[0])} is" if len(names) == 1 else f"columns {listed(names)} are"


def label_notes(columns: TableColumns) -> tuple[str, ...]:
    """What to say of a column of numbers that is taken as labels, or of one that seems to hold keys and is not."""
    label, names = columns.label, columns.table.names
    if columns.chosen is not None or not (names and columns.keys):
        return ()
    first = clipped(names[0])
    if label is not None and columns.table.names[label] == "label":
        return ()  # nobody doubts what it is
    if label is not None and columns.facts(label).of_numbers:
        values = columns.numbers(label)
        whole = _plain(columns.table.names[label]) not in _CELLS - {""} and bool((values == np.floor(values)).all())
        kind = "whole numbers, all different" if whole else "different numbers"
        return (f"column {first} ({kind}) is taken as labels; --label none counts it as weights",)
    if label == 0 and columns.facts(0).has_number:
        return (f"column {first}, numbers in some cells only, is taken as labels",)
    if label is None and 0 not in columns.taken and columns.facts(0).of_numbers and seems_to_hold_keys(columns):
        return (
            f"column {first} counts as weights; if it holds labels add --label {typed(columns.table.names[0] or '1')}",
        )
    return ()


def label_column(columns: TableColumns) -> int | None:
    """The column of the labels, None where there is none.

    It is the one chosen, else the one called 'label', else the first without any number, else the first of all where
    not all of it is numbers, else the first of all where it holds keys. Lists and objects are never labels unless they
    are chosen; what is taken as weights is none.
    """
    if columns.chosen is not None:
        return None if columns.chosen == NO_LABELS else columns.chosen
    names, facts = columns.table.names, columns.facts
    if "label" in names and names.index("label") not in columns.taken:
        return names.index("label")
    free = [i for i in range(len(names)) if i not in columns.taken]
    flat = [i for i in free if not (facts(i).nested or facts(i).empty)]
    without = next((i for i in flat if not facts(i).has_number), None)
    if without is not None or not flat:
        return without
    first = facts(flat[0])
    if not first.of_numbers:
        return None if first.marred else flat[0]
    others = (facts(i) for i in range(1, len(names)) if not is_id(names[i]))
    if not columns.keys or flat[0] != 0 or not any(other.has_number or other.nested for other in others):
        return None
    return 0 if holds_keys(names[0], columns.numbers(0)) else None


def holds_keys(name: str, values: Array) -> bool:
    """Whether a first column of numbers holds keys: whole, all different, and rising or of a key's name."""
    rising = bool((values[1:] > values[:-1]).all())
    if np.isnan(values).any() or not (rising or len(np.unique(values)) == len(values)):
        return False
    if _plain(name) in _CELLS:
        return True
    whole = bool(np.isfinite(values).all() and (values == np.floor(values)).all())
    return whole and (is_key(name) or (rising and len(values) >= _ENOUGH and _plain(name) not in _WEIGHTS))


def may_hold_keys(name: str, values: Array) -> bool:
    """Whether a first column may hold keys that do not rise, under a name that says nothing of them."""
    whole = bool(np.isfinite(values).all() and (values == np.floor(values)).all())
    return whole and _plain(name) not in _WEIGHTS and len(np.unique(values)) == len(values)


def seems_to_hold_keys(columns: TableColumns) -> bool:
    """Whether a first column of numbers that is not taken as labels is called as keys are, and may hold some."""
    name = columns.table.names[0]
    words = re.findall(r"[a-z]+|[A-Z][a-z]*", name)
    return is_key(name) or bool(
        words
        and words[-1].casefold() in _LIKE_KEYS
        and len(columns.table.names) > 1
        and may_hold_keys(name, columns.numbers(0))
    )


def is_key(name: str) -> bool:
    """Whether a first column of that name is one of keys."""
    return _plain(name) in _KEYS or is_id(name)


def is_id(name: str) -> bool:
    """Whether a column of that name is one of keys wherever it stands."""
    plain = _plain(name)
    return plain in _IDS or plain.endswith(_KEY_ENDS) or name.strip().endswith(("ID", "Id"))


def _plain(name: str) -> str:
    plain = name.strip().casefold()
    return plain.rstrip(".") or plain


def chosen_label(label: str | None, names: Sequence[str], source: str) -> int | None:
    """The column that --label chooses, by name or position; NO_LABELS for 'none', None where nothing is chosen.

    Raises InputError where there is no such column, or there are several.
    """
    if label is None:
        return None
    if label == "none":
        return NO_LABELS
    found = select(label, names, source)
    if len(found) > 1:
        message = f"{source}: --label {clipped(label)} is {len(found)} columns; labels stand in one"
        raise InputError(message)
    return found[0]


# --------------------------------------------------------------------------------------------------------------- header

_YEARS = range(1500, 2101)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


def header_note(names: Sequence[str], row: Sequence[str], place: str, line: str, notation: Notation = POINT) -> str:
    """What to say of a first line that was taken as names and has numbers above numbers; '' where it has none.

    place, line: of that line, as 'w.csv:1' and 'line 1'. row: the cells below it. Raises InputError where it is as
    likely a row.
    Two or more years, or numbers that count up by one from 0 or 1, are names; so are those of a square, whose rows are
    called as its columns.
    """
    above = [
        name for name, cell in zip(names, row, strict=False) if is_number(name, notation) and is_number(cell, notation)
    ]
    if not above or (len(names) > 1 and not is_number(names[0], notation) and names[1] == row[0]):
        return ""
    values = [int(name) for name in above if _WHOLE.fullmatch(name)]
    several = 1 < len(values) == len(above) == len(set(values))
    counted = several and values[0] in {0, 1} and values == list(range(values[0], values[0] + len(values)))
    if counted or (several and all(value in _YEARS for value in values)):
        return f"{line} is taken as names: {listed(above)}; --no-header takes it as a row"
    mend = f"if {line} is a row add --no-header, if it names the columns add --header"
    message = f"{place}: {clipped(above[0])} stands above a column of numbers; {mend}"
    raise InputError(message)

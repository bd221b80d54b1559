"""Raw values, as they were observed, as distributions: equal ones are counted, or numbers in cells common to all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from math import inf, isfinite
from typing import TYPE_CHECKING, cast

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Members, Single, once, picked
from klcli.readers.inline import parse
from klcli.readers.numbers import POINT, NotANumberError, are_numbers, is_number, items, number, numbers
from klcli.readers.sources import exists, refuse_ruled, split_selector
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from klcli.model import Array
    from klcli.readers.documents import Document
    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.columns import TableColumns
    from klcli.readers.tables.roles import Choices
    from klcli.readers.tables.table import Table

_NO_VALUE = frozenset({"", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "-"})
"""What programs write where there is no value; 'none' and 'na' are answers that people give."""

HINT = "; if they are raw values, --tally --bins 10 counts them in cells, and klcli fit describes each"
_MOST_CELLS = 1_000_000
_SHOWN = 6
_FEW, _MANY, _REPEATED = 3, 8, 0.9


# --------------------------------------------------------------------------------------------------------- raw values


def sample(name: str, source: str, values: Sequence[str], where: Callable[[int], str]) -> Distribution:
    """Raw values before they are counted: each is an outcome that was seen once. `counted` counts them."""
    return Distribution(name, source, frozen(np.ones(len(values))), where, values)


def of_text(text: str, source: str, notation: Notation = POINT, repeats: str = "error") -> Single:
    """The raw values in an argument: labels or numbers with one kind of separator, or a JSON list of them.

    LABEL=NUMBER pairs, or a JSON object of them, are a distribution that others are compared with. Blank values are
    left out where that is asked for, and null is an error where it is not. repeats: see `Choices`. Raises InputError
    where the text is neither, or a file is called so.
    """
    if text.lstrip()[:1] in {"[", "{"}:
        from klcli.readers.documents import load_printed

        return Single(source, present(of_list("", load_printed(text, source), source, repeats), notation.blank, source))
    mark = next((mark for mark in ",;" if mark in text), None)
    values = [part.strip() for part in (text.split() if mark is None else text.split(mark))]
    is_file = exists(split_selector(text)[0])
    if not is_file and all("=" in value and is_number(value.rpartition("=")[2], notation) for value in values):
        return Single(source, replace(parse(text, source, notation).member(""), tallied=True))
    if is_file or (len(values) < 2 and not is_number(text)):  # noqa: PLR2004 - a list
        message = f"{source}: {clipped(text)} is no list of raw values; write red,red,blue or name a file"
        raise InputError(message)
    found = sample("", source, values, lambda i: f"{source}, item {i + 1}")
    return Single(source, present(found, "skip", source) if notation.blank == "skip" else found)


def of_lines(source: Source, repeats: str = "error") -> Single:
    """The raw values in a text: one a line, empty lines left out; of a single line of numbers, each; or JSON."""
    text, name = source.text, source.name
    if text.lstrip()[:1] in {"[", "{"}:
        return of_text(text, name, source.dialect.notation, repeats)
    refuse_ruled(text, name)
    lines, said = _uncommented(
        [(i, line.strip()) for i, line in enumerate(text.split("\n"), 1) if line.strip()], source.dialect
    )
    if len(lines) == 1 and all(is_number(item, source.dialect.notation) for item in items(lines[0][1])):
        one = of_text(lines[0][1], name, source.dialect.notation).member()
        return Single(name, replace(one, remarks=(*said, *one.remarks)))
    if not lines:
        message = f"{name} is empty; --tally counts raw values, one a line"
        raise InputError(message)
    (at, first), rest = lines[0], [line for _, line in lines[1:]]
    header, notation = source.dialect.header, source.dialect.notation
    note = f"{name}:{at}: {clipped(first)} is taken as the name of the numbers below it; --no-header counts it too"
    if header or (header is None and len(rest) > 1 and are_numbers(rest, notation) and not is_number(first, notation)):
        found = sample("", name, rest, lambda i: f"{name}:{lines[i + 1][0]}")
        found = found if header else replace(found, remarks=(note,))
    else:
        found = sample("", name, [first, *rest], lambda i: f"{name}:{lines[i][0]}")
    found = replace(found, remarks=(*said, *found.remarks))
    return Single(name, present(found, "skip", name) if source.dialect.blank == "skip" else found)


def _uncommented(lines: list[tuple[int, str]], dialect: Dialect) -> tuple[list[tuple[int, str]], list[str]]:
    """The lines that are values, and what to say of those that begin with #: beside numbers they are comments.

    Beside words they may be values. The first of the numbers may be their name.
    """
    mark = "#" if dialect.comment is None else dialect.comment
    left = [line for line in lines if not line[1].startswith(mark)]
    count = len(lines) - len(left)
    if dialect.comment is not None or not count or not left:
        return (left if dialect.comment is not None else lines), []
    below = [text for _, text in left[1:] if is_value(text)] or items(left[0][1], dialect.notation)
    if below and are_numbers(below, dialect.notation):
        return left, [f"lines that begin with # are left out: {count}"]
    return lines, [f"lines that begin with # are counted as values: {count}; --comment '#' leaves them out"]


def of_list(name: str, value: object, source: str, repeats: str) -> Distribution:
    """The raw values in a JSON list, or the distribution that an object is. Raises InputError for anything else."""
    from klcli.readers.documents import distribution_of, is_json_number

    if isinstance(value, dict) and value and all(map(is_json_number, value.values())):
        return replace(distribution_of(name, value, source, repeats), tallied=True)
    if not isinstance(value, list) or any(isinstance(item, list | dict) for item in value):
        message = f"{source}: --tally counts raw values, and this is no list of them"
        raise InputError(message)
    from json import dumps

    values = ["" if item is None else item if isinstance(item, str) else dumps(item) for item in value]
    return sample(name, source, values, lambda i: f"{source}, item {i + 1}")


class Observed(Members):
    """The columns of a table, or the lists of a JSON value, as samples of raw values by name."""

    def __init__(self, found: TableColumns | Document, blank: str, repeats: str) -> None:
        super().__init__(found.source)
        self._members, self._blank, self._repeats = found, blank, repeats

    def names(self) -> list[str]:
        """The names of the columns or lists."""
        return self._members.names()

    @property
    def doubtful(self) -> Collection[str]:
        """The first column, where it may hold keys."""
        return self._members.doubtful

    def numeric(self) -> list[str]:
        """The names of the columns or lists that may be samples: all but the labels."""
        named = getattr(self._members, "named_label", None)
        return [name for i, name in enumerate(self.names()) if i != named]

    def member(self, name: str) -> Distribution:
        """The raw values of a column. Raises InputError where there is none of that name, or where a cell is blank."""
        from klcli.readers.tables.columns import TableColumns

        if not isinstance(self._members, TableColumns):
            value = self._members.value
            where = f"{self.source}#/{name}" if name else self.source
            if name and (not isinstance(value, dict) or name not in value):
                self._members.member(name)  # which says what there is
            return present(of_list(name, value[name] if name else value, where, self._repeats), self._blank, where)
        table = self._members
        column = table.position(name)
        raw = sample(name, self.source, table.texts(column), partial(table.place, column=column))
        return present(raw, self._blank, f"{self.source}, column {clipped(name)}")

    def address(self, name: str) -> str:
        """How one of them is written on the command line."""
        return self._members.address(name)


def is_value(text: str) -> bool:
    """Whether there is a value to count; a cell that says that there is none is no value."""
    return text.strip() not in _NO_VALUE


def present(found: Distribution, blank: str, source: str) -> Distribution:
    """The raw values but for blank ones, which are left out or an error. Raises InputError at the first."""
    texts = found.outcomes or ()
    at = [i for i, text in enumerate(texts) if is_value(text)]
    if found.tallied or len(at) == len(texts):
        return found
    if blank != "skip":
        first = next(i for i, text in enumerate(texts) if not is_value(text))
        message = f"{found.where(first)}: {clipped(texts[first])} is no value to count; --blank skip leaves it out"
        raise InputError(message)
    note = f"{source}: blank values left out: {len(texts) - len(at)}"
    return replace(picked(found, at), remarks=(*found.remarks, note))


def observed(read: Table | Document, choices: Choices, dialect: Dialect) -> Observed:
    """The samples in a table or a JSON value."""
    from klcli.readers.documents import Document
    from klcli.readers.tables.columns import TableColumns

    table = read.table() if isinstance(read, Document) else read
    found = cast("Document", read) if table is None else TableColumns(table, choices, dialect.notation)
    return Observed(found, dialect.blank, choices.repeats)


# ----------------------------------------------------------------------------------------------------------- counting


class Cells(NamedTuple):
    """Cells of the real line, (e_i-1, e_i] and one beyond either end. edges: inner ones, rising. names: one more."""

    edges: tuple[float, ...]
    names: tuple[str, ...]

    def counts(self, values: Array) -> Array:
        """How many of the finite values are in each cell."""
        at = np.searchsorted(np.array(self.edges), values, side="left")
        return np.bincount(at, minlength=len(self.names)).astype(np.float64)


def cells_given(text: str) -> Cells | int:
    """What --bins says: cells between edges, or how many equal ones there shall be. Raises UsageError."""
    try:
        given = [number(part) for part in text.split(",")]
    except NotANumberError as error:
        message = f"--bins: {error}; it is how many cells, as 10, or their edges, as 0,1,2"
        raise UsageError(message) from None
    if len(given) == 1 and given[0].is_integer():
        if not 1 <= given[0] <= _MOST_CELLS:
            message = f"--bins {clipped(text)}: it is from 1 to {_MOST_CELLS:,} cells, or edges such as 0,1,2"
            raise UsageError(message)
        return int(given[0])
    if not all(isfinite(edge) for edge in given) or any(low >= high for low, high in pairwise(given)):
        message = f"--bins {clipped(text)}: edges are finite and rise, as 0,1,2"
        raise UsageError(message)
    return _between(given, -inf, inf)


def equal_cells(n: int, low: float, high: float) -> Cells:
    """So many cells of one width from the least value to the greatest. Raises DistributionError where they are one."""
    edges = [low * (1 - i / n) + high * (i / n) for i in range(1, n)]
    if any(a >= b for a, b in pairwise([low, *edges, high])):
        message = (
            f"--bins {n}: all values are {_shown(low)}" if low == high else f"--bins {n}: so many cells have no width"
        )
        mend = "; leave out --bins and add --tally to count equal ones" if low == high else "; ask for fewer"
        raise DistributionError(message + mend)
    return _between(edges, low, high)


def _between(edges: Sequence[float], low: float, high: float) -> Cells:
    ends = [_shown(low), *map(_shown, edges), _shown(high)]
    names = [f"({a}, {b}]" for a, b in pairwise(ends)]
    if low > -inf:
        names[0] = f"[{names[0][1:]}"
    if high == inf:
        names[-1] = f"{names[-1][:-1]})"
    return Cells(tuple(edges), tuple(names))


def _shown(edge: float) -> str:
    return str(int(edge)) if edge.is_integer() and abs(edge) < 1e15 else repr(edge)  # noqa: PLR2004 - digits of a double


def counted(
    samples: Sequence[Distribution], bins: str | Cells | None, notation: Notation = POINT, repeats: str = "error"
) -> list[Distribution]:
    """How often each raw value occurs in each sample; with bins, how many are in each of the cells common to all.

    bins: what --bins says, or the cells. What is tallied stays as it is; its labels are values or names of cells, and
    repeats says what those do that stand twice, as in `Choices`.

    Raises InputError for what is no number where cells need one, DistributionError for one that is not finite.
    """
    if bins is None:
        alike = _alike({label for one in samples for label in one.outcomes or ()})
        return [_tallied(one, alike, repeats) for one in samples]
    values = [finite(() if one.tallied else one.outcomes or (), one.where, notation) for one in samples]
    cells = cells_given(bins) if isinstance(bins, str) else bins
    if isinstance(cells, int):
        every = np.concatenate([np.empty(0), *values])
        if not len(every):
            message = f"--bins {bins}: there are no values"
            raise DistributionError(message)
        cells = equal_cells(cells, float(every.min()), float(every.max()))
    return [
        once(_in_cells(one, cells), repeats)
        if one.tallied
        else replace(
            one, values=frozen(cells.counts(found)), outcomes=list(cells.names), where=_cell_of(one, cells.names)
        )
        for one, found in zip(samples, values, strict=True)
    ]


def _in_cells(one: Distribution, cells: Cells) -> Distribution:
    """A distribution of the cells. Raises InputError where a label is no name of one."""
    labels = one.outcomes or ()
    other = next((i for i, label in enumerate(labels) if label not in cells.names), None)
    if other is not None:
        from json import dumps

        names = dumps(dict.fromkeys(cells.names[:_SHOWN], 1))
        message = f"{one.where(other)}: {clipped(labels[other])} is no cell of --bins; cells are written as {names}"
        raise InputError(message)
    return one


def _cell_of(one: Distribution, names: Sequence[str]) -> Callable[[int], str]:
    return lambda i: f"{one.source}, cell {names[i]}"


def finite(texts: Sequence[str], where: Callable[[int], str], notation: Notation) -> Array:
    """The numbers that the texts are. Raises InputError, or DistributionError for one that is not finite."""
    values = np.array(numbers(texts, where, notation=notation), dtype=np.float64)
    if len(values) and not np.isfinite(values).all():
        i = int(np.argmin(np.isfinite(values)))
        message = f"{where(i)}: {values[i]:g} is not finite, and is in no cell; leave it out, or mend it"
        raise DistributionError(message)
    return values


def numbers_among(texts: Sequence[str], notation: Notation) -> Array:
    """The finite numbers among the texts."""
    try:
        found = numbers(texts, str, notation=notation)
    except InputError:
        found = [number(text, notation) for text in texts if is_number(text, notation)]
    values = np.array(found, dtype=np.float64)
    return values[np.isfinite(values)]


def _alike(labels: Iterable[str]) -> Mapping[str, str]:
    """One text for those that are the same number, where all are numbers, in their order; a code as 007 is a label."""
    first: dict[float, str] = {}
    of: dict[str, str] = {}
    try:
        for label in sorted(labels, key=lambda label: (number(label), label)):
            if label.lstrip("+-")[:1] == "0" and label.lstrip("+-")[1:2].isdigit():
                return {}
            of[label] = first.setdefault(number(label), label)
    except NotANumberError:
        return {}
    return of


def _tallied(one: Distribution, alike: Mapping[str, str], repeats: str) -> Distribution:
    if one.tallied:
        return once(replace(one, outcomes=[alike.get(label, label) for label in one.outcomes or ()]), repeats)
    counts = Counter(one.outcomes) if not alike else Counter(alike[label] for label in one.outcomes or ())
    labels = [label for label in dict.fromkeys(alike.values()) if label in counts] if alike else list(counts)
    values = frozen([float(counts[label]) for label in labels])
    return replace(one, values=values, outcomes=labels, where=lambda i: f"{one.source}, {clipped(labels[i])}")


# --------------------------------------------------------------------------------------------------- given as weights


def looks_raw(one: Distribution) -> bool:
    """Whether these weights may be raw values: without labels, with decimals, hardly a repeat, no total of 1 or 100."""
    values = one.values
    if one.outcomes is not None or len(values) < _FEW or not np.isfinite(values).all():
        return False
    total = float(values.sum())
    whole = any(abs(total - mass) < 1e-6 * mass for mass in (1.0, 100.0))
    fractional = bool((values != np.floor(values)).any())
    return not whole and fractional and len(np.unique(values)) >= _REPEATED * len(values)


def hinted(p: Distribution, q: Distribution) -> Distribution:
    """P, with a note where both may be raw values. Raises DistributionError where they differ in length besides."""
    if not (looks_raw(p) and looks_raw(q)):
        return p
    if len(p) != len(q):
        message = f"P has {len(p)} values, Q has {len(q)}; without labels they must match{HINT}"
        raise DistributionError(message)
    if len(p) < _MANY or np.array_equal(p.values, q.values):
        return p
    note = f"P and Q are {len(p)} numbers each, with decimals and hardly a repeat{HINT}"
    return replace(p, remarks=(*p.remarks, note))

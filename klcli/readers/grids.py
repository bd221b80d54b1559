"""Many distributions on the same outcomes: the rows of a table, or its columns, or the members of a JSON value."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, no_such
from klcli.model import Distribution, frozen
from klcli.readers import inline
from klcli.readers.distributions import Series, Single, refuse_repeated
from klcli.readers.documents import Document, load_printed, series_of
from klcli.readers.formats import READERS, format_of, is_known_suffix
from klcli.readers.sources import PLAIN, column_of, exists, open_source, split_selector
from klcli.readers.tables.columns import Columns
from klcli.readers.tables.roles import Choices
from klcli.readers.tables.select import select
from klcli.readers.text import NAMES as COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Array
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.table import Table


class Grid(NamedTuple):
    """The distributions, where each of them stands, and what the column that names them is called ('': none does)."""

    heading: str
    distributions: list[Distribution]
    where: Callable[[int], str]


class Wanted(NamedTuple):
    """What is asked of a source. choices: what its columns mean. select: which others. by_columns: see `read_grid`."""

    input_format: str | None = None
    choices: Choices = Choices()
    select: str | None = None
    by_columns: bool = False
    dialect: Dialect = PLAIN


class Rows:
    """The distributions of a grid as those of a source, by name."""

    header = None

    def __init__(self, source: str, grid: Grid) -> None:
        self.source, self._rows = source, {one.name: one for one in grid.distributions}

    def names(self) -> list[str]:
        """The names of the rows."""
        return list(self._rows)

    def numeric(self) -> list[str]:
        """The names of the rows: each is of numbers."""
        return list(self._rows)

    def series(self, name: str) -> Series:
        """The row of that name. Raises InputError where there is none."""
        if name not in self._rows:
            raise no_such(self.source, name, self.names(), "row")
        row = self._rows[name]
        return Series(name, row.values, row.outcomes, row.where, row.remark, row.read_as, row.running)

    def address(self, name: str) -> str:
        """SOURCE:NAME."""
        return column_of(self.source, name)


def rows(document: Document, choices: Choices) -> Rows:
    """The members of a JSON value, each a distribution. Raises InputError, DistributionError."""
    return Rows(document.source, _of_json(document, Wanted(None, choices, choices.select)))


def read_grid(text: str, wanted: Wanted) -> Grid:
    """The distributions, two at least, of JSON or of FILE, FILE#/POINTER or -.

    They are the rows of a table, named by its labels, and its other columns are the outcomes; by_columns: the other way
    round. The members of a JSON object or list are rows. Raises InputError, DistributionError, UsageError.
    """
    text = text.strip()
    if inline.is_uniform(text):
        message = "uniform is on the outcomes of another side, and here there is none; @uniform is a file"
        raise UsageError(message)
    if inline.is_value(text):
        return _checked(_of_json(Document("FILE", load_printed(text, "FILE")), wanted), "FILE", wanted)
    path, selector, chosen = split_selector(text.removeprefix("@"))
    if not exists(path) and not is_known_suffix(path) and inline.means_numbers(text, wanted.dialect.decimal):
        message = f"{clipped(text)} is one distribution, and a pair needs two; give a table, or JSON of several"
        raise InputError(message)
    if selector == ":":
        message = f"{clipped(text)}: here a file is a whole table; for some of its columns add --select {chosen}"
        raise UsageError(message)
    source = open_source(path, wanted.dialect)
    return _checked(_of_source(source, selector, chosen, wanted), source.name, wanted)


def _checked(grid: Grid, source: str, wanted: Wanted) -> Grid:
    n = len(grid.distributions)
    if n < 2:  # noqa: PLR2004 - a pair
        turned = "without --columns its rows" if wanted.by_columns else "with --columns its columns"
        found = f"{n or 'no'} {'column' if wanted.by_columns else 'row'}{'' if n == 1 else 's'}"
        message = f"{source}: {found}, and a pair needs two; {turned} are the distributions"
        raise InputError(message)
    return grid


def _of_source(source: Source, selector: str, chosen: str, wanted: Wanted) -> Grid:
    read = READERS[_kind(source, wanted, selector)](source, wanted.choices.label)
    if isinstance(read, Document):
        return _of_json(read.at(chosen) if selector else read, wanted)
    if selector:
        message = f"{source.name}: {clipped('#' + chosen)} points into JSON, and this is not JSON"
        raise InputError(message)
    return _of_table(cast("Table", read), wanted)


def _kind(source: Source, wanted: Wanted, selector: str) -> str:
    """The format of the source; of plain text, which may be what an argument is, JSON or CSV."""
    kind = format_of(source, wanted.input_format, selector)
    if kind != "text":
        return kind
    text, decimal = source.text, wanted.dialect.decimal
    if not inline.is_value(text) and inline.is_inline(text, decimal) and not inline.means_numbers(text, decimal):
        return "csv"
    read = READERS[kind](source, wanted.choices.label)
    if isinstance(read, Single) or (not isinstance(read, Document) and read.names == COUNTS):
        message = f"{source.name}: one distribution, and a pair needs two; for a table add --input-format csv"
        raise InputError(message)
    return kind


def _of_table(read: Table, wanted: Wanted) -> Grid:
    table = Columns(read, wanted.choices.label, wanted.dialect.decimal)
    fields, label = read.names, table.label
    chosen = table.distributions() if wanted.select is None else select(wanted.select, fields, table.source)
    if label in chosen and wanted.choices.label is None:
        label = None  # of all the columns this one only seemed to hold the names
    chosen = [column for column in chosen if column != label]
    header = [fields[column] for column in chosen]
    if not chosen:
        without = "no column of numbers" if wanted.select is None else f"--select {wanted.select} is just its labels"
        message = f"{table.source}: {without}; it has {listed(fields)}"
        raise InputError(message)
    if len(set(header)) < len(header):
        twice = next(name for i, name in enumerate(header) if name in header[:i])
        message = f"{table.source}: the header has {clipped(twice)} twice; rename one of the columns"
        raise InputError(message)
    heading, labels = ("", None) if label is None else (fields[label], table.labels(label))
    nested = [column for column in chosen if table.is_nested(column)]
    if nested:
        if len(chosen) > 1:
            message = f"{table.source}: one column holds the distributions, and here are {listed(header)}; add --select"
            raise InputError(message)
        found = table.nested(nested[0])
        names = _names(labels, len(found), table.row, heading)
        return _of_series(names, found, table.source, wanted)._replace(heading="" if wanted.by_columns else heading)
    values = table.array(chosen)

    def place(row: int, column: int) -> str:
        return f"{table.row(row)}, column {clipped(header[column])}"

    if not wanted.by_columns:
        names = _names(labels, len(values), table.row, heading)
        given = _distributions(values, names, header, place, table)
        return Grid(
            heading, given, lambda i: table.row(i) if labels is None else f"{table.row(i)} ({clipped(names[i])})"
        )
    if labels is not None:
        refuse_repeated(labels, table.row, heading)
    given = _distributions(values.T, header, labels, lambda i, outcome: place(outcome, i), table)
    running = [table.running(column, i) for column, i in zip(values.T, chosen, strict=True)]
    given = [replace(one, running=said) for one, said in zip(given, running, strict=True)]
    return Grid("", given, lambda i: f"{table.source}, column {clipped(header[i])}")


def _names(labels: Sequence[str] | None, n: int, row: Callable[[int], str], heading: str) -> Sequence[str]:
    """What the rows are called: their labels, else their positions. Raises DistributionError where two are the same."""
    if labels is None:
        return [str(i) for i in range(1, n + 1)]
    if len(set(labels)) < len(labels):
        first: dict[str, int] = {}
        for i, label in enumerate(labels):
            if first.setdefault(label, i) != i:
                again = f"{row(i)}: {clipped(label)} stands twice in column {clipped(heading)}"
                message = f"{again} (first: {row(first[label])}); rename one, or take the names from another by --label"
                raise DistributionError(message)
    return labels


def _distributions(
    values: Array,
    names: Sequence[str],
    outcomes: Sequence[str] | None,
    place: Callable[[int, int], str],
    table: Columns,
) -> list[Distribution]:
    """values: (n, K). place(i, outcome): where it stands. What should be known of the table, the first one tells."""
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return [
        Distribution(name, table.source, row, partial(place, i), outcomes, "" if i else table.remark)
        for i, (name, row) in enumerate(zip(names, values, strict=True))
    ]


# ----------------------------------------------------------------------------------------------------------------- JSON


def _of_json(document: Document, wanted: Wanted) -> Grid:
    if (table := document.table()) is not None:
        return _of_table(table, wanted)
    value, source = document.content, document.source
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        names = _row_names(value)
        found = [series_of("", item, f"{source}, item {i}") for i, item in enumerate(value, 1)]
    else:
        names = document.numeric()
        found = [document.series(name) for name in names]
        if names == [""]:
            message = f"{source}: one distribution, and a pair needs two: a list or an object of several"
            raise InputError(message)
    if wanted.select is not None:
        found = _selected(found, wanted.select, source)
    return _of_series(names, found, source, wanted)


def _row_names(value: Sequence[Any]) -> list[str]:
    """What the members of a JSON list are called: by their number, and if they are tokens by their text too."""
    from klcli.readers.tokens import label

    return [f"{i} {text}" if (text := label(item)) else str(i) for i, item in enumerate(value, 1)]


def _selected(found: list[Series], selector: str, source: str) -> list[Series]:
    """Some outcomes of each: by label, or by position where there are no labels."""
    longest = max((len(series.values) for series in found), default=0)
    header = list(dict.fromkeys(label for series in found for label in series.labels or ()))
    header = header or [str(i) for i in range(1, longest + 1)]
    kept = {header[i] for i in select(selector, header, source)}
    selected = []
    for series in found:
        labels = header[: len(series.values)] if series.labels is None else series.labels
        at = [i for i, label in enumerate(labels) if label in kept]
        selected.append(
            series._replace(
                values=[series.values[i] for i in at],
                labels=None if series.labels is None else [labels[i] for i in at],
                where=lambda i, at=at, where=series.where: where(at[i]),  # type: ignore[misc]
            )
        )
    return selected


def _of_series(names: Sequence[str], found: list[Series], source: str, wanted: Wanted) -> Grid:
    """Distributions that may each have outcomes of their own, by label; without labels they must be of one length."""
    bare = [i for i, series in enumerate(found) if series.labels is None]
    if bare and len(bare) < len(found):
        labelled = next(i for i in range(len(found)) if i not in bare)
        message = (
            f"{source}: {clipped(names[labelled])} has labels, {clipped(names[bare[0]])} has none; give all or none"
        )
        raise DistributionError(message)
    other = next((i for i in bare if len(found[i].values) != len(found[0].values)), None)
    if other is not None:
        sizes = (
            f"{clipped(names[0])} has {len(found[0].values)} values, {clipped(names[other])} {len(found[other].values)}"
        )
        message = f"{source}: {sizes}; without labels they must match"
        raise DistributionError(message)
    if not wanted.by_columns:
        given = [series.distribution(name, source) for name, series in zip(names, found, strict=True)]
        return Grid("", given, lambda i: f"{source}, {clipped(names[i])}")
    first = found[0]
    other = next((i for i, series in enumerate(found) if series.labels != first.labels), None)
    if other is not None:
        message = (
            f"{source}: {clipped(names[other])} has other labels than {clipped(names[0])}; --columns needs the same"
        )
        raise DistributionError(message)
    values = np.array([series.values for series in found], dtype=np.float64).reshape(len(found), -1).T
    columns = first.labels or [str(i) for i in range(1, len(values) + 1)]

    def place(column: int, row: int) -> str:
        return found[row].where(column)

    turned = [
        Distribution(name, source, frozen(column), partial(place, i), names)
        for i, (name, column) in enumerate(zip(columns, values, strict=True))
    ]
    return Grid("", turned, lambda i: f"{source}, {clipped(columns[i])}")

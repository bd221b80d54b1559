"""Many distributions on the same outcomes: the rows of a table, or its columns, or the members of a JSON value."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed
from klcli.model import Distribution, frozen
from klcli.readers import inline
from klcli.readers.distributions import refuse_repeated, summed
from klcli.readers.documents import Document, is_json_number, load, series_of
from klcli.readers.formats import READERS, format_of, is_known_suffix
from klcli.readers.sources import PLAIN, exists, open_source, split_selector
from klcli.readers.tables.columns import Columns
from klcli.readers.tables.roles import Choices
from klcli.readers.tables.select import select
from klcli.readers.totals import without_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Array
    from klcli.readers.distributions import Series
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


def read_grid(text: str, wanted: Wanted) -> Grid:
    """The distributions, two at least, of JSON or of FILE, FILE#/POINTER or -.

    They are the rows of a table, named by its labels, and its other columns are the outcomes; by_columns: the other way
    round. The members of a JSON object or list are rows. Raises InputError, DistributionError, UsageError.
    """
    text = text.strip()
    if inline.looks_like_json(text):
        return _checked(_of_json(Document("FILE", load(text, "FILE")), wanted), "FILE", wanted)
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
    """The grid without what is dropped. Raises InputError where no two distributions are left, and for a total."""
    grid = _without(grid, wanted.choices)
    n = len(grid.distributions)
    if n < 2:  # noqa: PLR2004 - a pair
        turned = "without --columns its rows" if wanted.by_columns else "with --columns its columns"
        found = f"{n or 'no'} {'column' if wanted.by_columns else 'row'}{'' if n == 1 else 's'}"
        message = f"{source}: {found}, and a pair needs two; {turned} are the distributions"
        raise InputError(message)
    return grid


def _without(grid: Grid, choices: Choices) -> Grid:
    """Without the outcomes and the distributions that are dropped. Raises DistributionError where a total is left."""
    kept = [i for i, one in enumerate(grid.distributions) if one.name not in choices.drop]
    given, where = [grid.distributions[i] for i in kept], grid.where
    if given and kept[0]:
        given[0] = replace(given[0], remarks=(*grid.distributions[0].remarks, *given[0].remarks))
    given = without_totals(given, [one.name for one in given], choices)
    return grid._replace(distributions=given, where=lambda i: where(kept[i]))


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
    if inline.looks_like_json(source.text):
        return "json"
    decimal = wanted.dialect.decimal
    if inline.is_inline(source.text, decimal) and inline.means_numbers(source.text, decimal):
        inline.parse(source.text, source.name, decimal)  # which says so if it is not even that
        message = f"{source.name}: one distribution, and a pair needs two; for a table add --input-format csv"
        raise InputError(message)
    return "csv"


def _of_table(read: Table, wanted: Wanted) -> Grid:
    read = read if wanted.by_columns else _filled(read)
    fields = read.names
    selected = None if wanted.select is None else select(wanted.select, fields, read.source)
    taken = [] if selected is None else [fields[i] for i in selected]
    table = Columns(read, wanted.choices, wanted.dialect.decimal, taken=taken)
    label = table.label
    chosen = [i for i in (table.distributions() if selected is None else selected) if i != label]
    notes = (*table.notes, *(table.left_out if selected is None else ()), *_alone(chosen, table, wanted))
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
        grid = _of_series(names, found, table.source, wanted)
        return _noted(grid, notes)._replace(heading="" if wanted.by_columns else heading)
    values = table.array(chosen)

    def place(row: int, column: int) -> str:
        return f"{table.row(row)}, column {clipped(header[column])}"

    at = list(range(len(values)))
    if labels is not None and wanted.choices.repeats == "sum":
        labels, values, at, said = _summed(labels, values)
        notes += (said,) if said else ()
    if not wanted.by_columns:
        names = _names(labels, len(values), table.row, heading)
        given = _distributions(values, names, header, lambda i, outcome: place(at[i], outcome), table)
        grid = Grid(
            heading,
            given,
            lambda i: table.row(at[i]) if labels is None else f"{table.row(at[i])} ({clipped(names[i])})",
        )
        return _noted(grid, notes)
    if labels is not None:
        refuse_repeated(labels, table.row, heading)
    given = _distributions(values.T, header, labels, lambda i, outcome: place(at[outcome], i), table)
    return _noted(Grid("", given, lambda i: f"{table.source}, column {clipped(header[i])}"), notes)


def _filled(table: Table) -> Table:
    """A table of records that are distributions: a key of numbers that a record lacks is an outcome of weight 0."""
    lacking = {
        i: rows
        for i, rows in table.absent.items()
        if all(is_json_number(cell) for row, cell in enumerate(table.columns[i]) if row not in rows)
    }
    if not lacking:
        return table
    columns = dict(table.columns)
    for i, rows in lacking.items():
        columns[i] = [0.0 if row in rows else cell for row, cell in enumerate(table.columns[i])]
    note = f"keys that some records lack are outcomes of weight 0 there: {listed(table.names[i] for i in lacking)}"
    return replace(table, columns=columns, note=note)


def _alone(chosen: Sequence[int], table: Columns, wanted: Wanted) -> tuple[str, ...]:
    """A note on rows that have but one outcome, as those of a table of a label and a count."""
    if wanted.by_columns or len(chosen) != 1 or table.is_nested(chosen[0]):
        return ()
    name = clipped(table.table.names[chosen[0]])
    return (f"each row has one outcome, {name}, where every divergence is 0; with --columns rows are the outcomes",)


def _noted(grid: Grid, notes: Sequence[str]) -> Grid:
    """The grid, whose first distribution tells what should be known of the table."""
    first, *others = grid.distributions
    return grid._replace(distributions=[replace(first, remarks=(*first.remarks, *notes)), *others])


def _summed(labels: Sequence[str], values: Array) -> tuple[list[str], Array, list[int], str]:
    """The rows of each label added up; where each stands first; and what to say of it. values: (rows, columns)."""
    sums = [summed(labels, column) for column in values.T]
    once, _, at, said = sums[0]
    return once, np.array([column for _, column, _, _ in sums]).T, at, said


def _names(labels: Sequence[str] | None, n: int, row: Callable[[int], str], heading: str) -> Sequence[str]:
    """What the rows are called: their labels, else their positions. Raises DistributionError where two are the same."""
    if labels is None:
        return [str(i) for i in range(1, n + 1)]
    if len(set(labels)) < len(labels):
        first: dict[str, int] = {}
        for i, label in enumerate(labels):
            if first.setdefault(label, i) != i:
                again = f"{row(i)}: {clipped(label)} stands twice in column {clipped(heading)}"
                mend = "--repeats sum adds them up; or take the names from another by --label"
                message = f"{again} (first: {row(first[label])}); {mend}"
                raise DistributionError(message)
    return labels


def _distributions(
    values: Array,
    names: Sequence[str],
    outcomes: Sequence[str] | None,
    place: Callable[[int, int], str],
    table: Columns,
) -> list[Distribution]:
    """values: (n, K). place(i, outcome): where it stands."""
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    return [
        Distribution(name, table.source, row, partial(place, i), outcomes)
        for i, (name, row) in enumerate(zip(names, values, strict=True))
    ]


# ----------------------------------------------------------------------------------------------------------------- JSON


def _of_json(document: Document, wanted: Wanted) -> Grid:
    if (table := document.table()) is not None:
        return _of_table(table, wanted)
    value, source = document.value, document.source
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        names = [str(i) for i in range(1, len(value) + 1)]
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
        given = [
            Distribution(name, source, frozen(series.values), series.where, series.labels, series.remarks)
            for name, series in zip(names, found, strict=True)
        ]
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

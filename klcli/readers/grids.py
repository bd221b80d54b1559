"""Many distributions on the same outcomes: the rows of a table, or its columns, or the members of a JSON value."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, typed
from klcli.model import Distribution, frozen
from klcli.readers import inline
from klcli.readers.distributions import Series, Single, refuse_repeated, summed, without_gaps
from klcli.readers.documents import Document, has_repeated_key, is_json_number, lines_of, load_printed, series_of
from klcli.readers.formats import READERS, format_of, is_known_suffix
from klcli.readers.numbers import mixed_in_row
from klcli.readers.sources import PLAIN, STDIN, column_of, exists, open_source, split_selector
from klcli.readers.tables.columns import Columns
from klcli.readers.tables.percents import mixed_rows
from klcli.readers.tables.roles import Choices, holds_keys
from klcli.readers.tables.select import select
from klcli.readers.text import NAMES as COUNTS
from klcli.readers.totals import refuse_undropped, without_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from klcli.model import Array
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.table import Table


class Grid(NamedTuple):
    """The distributions, where each of them stands, and what the column that names them is called ('': none does).

    labels: the same of the column that names the outcomes.
    """

    heading: str
    distributions: list[Distribution]
    where: Callable[[int], str]
    labels: str = ""

    def without(self, some: Container[int]) -> Grid:
        """The others. Raises DistributionError where fewer than two are left."""
        left = [i for i in range(len(self.distributions)) if i not in some]
        if len(left) < 2:  # noqa: PLR2004 - a pair
            message = f"{len(left) or 'none'} of {len(self.distributions)} rows is a distribution, and a pair needs two"
            raise DistributionError(message)
        return Grid(self.heading, [self.distributions[i] for i in left], lambda i: self.where(left[i]))


class GridOptions(NamedTuple):
    """What is asked of a source. choices: what its columns mean. select: which others. by_columns: see `read_grids`.

    among: whether there are other sources, so that it may be one distribution. lenient: whether a cell that is no
    number makes a row no distribution, instead of being an error.
    """

    input_format: str | None = None
    choices: Choices = Choices()
    select: str | None = None
    by_columns: bool = False
    dialect: Dialect = PLAIN
    among: bool = False
    lenient: bool = False


def read_grids(texts: Sequence[str], wanted: GridOptions) -> Grid:
    """The distributions, two at least, of all sources together: JSON, FILE, FILE#/POINTER or -.

    They are the rows of a table, named by its labels, and its other columns are the outcomes; by_columns: the other way
    round; with --by they are its groups. The members of a JSON object or list are rows. Of raw values each column or
    text is one, counted. Those whose names clash are called SOURCE:NAME. Raises InputError, DistributionError,
    UsageError.
    """
    if wanted.choices.tally:
        return _of_raw_values(texts, wanted)
    texts = [text.strip() for text in texts]
    twice = next((text for i, text in enumerate(texts) if text in texts[:i]), None)
    if twice is not None:
        message = f"{clipped(twice)} is given twice; give each source once"
        raise UsageError(message)
    grids = [_read(text, wanted._replace(among=len(texts) > 1)) for text in texts]
    if wanted.dialect.blank == "skip":
        left = iter(without_gaps([one for grid in grids for one in grid.distributions]))
        grids = [grid._replace(distributions=list(islice(left, len(grid.distributions)))) for grid in grids]
    if wanted.choices.drop:
        given = [one for grid in grids for one in grid.distributions]
        outcomes = {id(one.outcomes): one.outcomes for one in given if one.outcomes is not None}
        refuse_undropped(wanted.choices.drop, [[one.name for one in given], *outcomes.values()])
    grids = [_without(grid, wanted.choices) for grid in grids]
    names = Counter(one.name for grid in grids for one in grid.distributions)
    found, places = [], []
    for text, grid in zip(texts, grids, strict=True):
        for i, one in enumerate(grid.distributions):
            clear = column_of(inline.name_of(text), one.name)
            found.append(replace(one, name=clear) if names[one.name] > 1 else one)
            places.append(partial(grid.where, i))
    _refuse_few(texts[0], len(found), wanted)
    _refuse_unlike(found, label=next((grid.labels for grid in grids if grid.labels), ""))
    headings = {grid.heading for grid in grids}
    return Grid(headings.pop() if len(headings) == 1 else "", found, lambda i: places[i]())


def _refuse_few(text: str, n: int, wanted: GridOptions) -> None:
    """Raises InputError where there are no two distributions."""
    if n < 2:  # noqa: PLR2004 - a pair
        path = split_selector(text.removeprefix("@"))[0]
        source = "FILE" if inline.is_value(text) else STDIN if path == "-" else path
        what, other = (
            ("column", "without --columns its rows") if wanted.by_columns else ("row", "with --columns its columns")
        )
        if wanted.choices.by is not None:
            what, other = "group", "without --by its rows"
        message = (
            f"{source}: {n or 'no'} {what}{'' if n == 1 else 's'}, and a pair needs two; {other} are the distributions"
        )
        raise InputError(message)


def _refuse_unlike(found: Sequence[Distribution], source: str = "", label: str = "") -> None:
    """Raises DistributionError where distributions cannot be joined. source: what to say of all of them in front.

    label: the column of labels of one of them, which may be among the distributions of another.
    """
    for one in found[1:]:
        first = found[0]
        if (one.outcomes is None) != (first.outcomes is None):
            bare, other = (one, first) if one.outcomes is None else (first, one)
            taken = any(one.outcomes is None and one.name in {label, column_of(one.source, label)} for one in found)
            how = f"take them by --label {typed(label)}" if label and taken else "give all or none"
            message = f"{source}{clipped(other.name)} has labels, {clipped(bare.name)} has none; {how}"
            raise DistributionError(message)
        if one.outcomes is None and len(one) != len(first):
            sizes = f"{clipped(first.name)} has {len(first)} values, {clipped(one.name)} {len(one)}"
            message = f"{source}{sizes}; without labels they must match"
            raise DistributionError(message)


def _of_raw_values(texts: Sequence[str], wanted: GridOptions) -> Grid:
    from klcli.readers.arguments import Arguments

    arguments = Arguments(wanted.input_format, wanted.choices._replace(rows=False), wanted.dialect)
    read = [one for i, text in enumerate(texts, 1) for one in arguments.every(text, f"P{i}" if texts[1:] else "P")]
    if len(texts) == 1:  # a column's own name will do
        before = column_of(texts[0].strip(), "")
        read = [replace(one, name=one.name.removeprefix(before)) for one in read]
    found = arguments.all_of(read)
    if len(found) < 2:  # noqa: PLR2004 - a pair
        message = f"{texts[0]}: one column of raw values, and a pair needs two; give another, or --by COLUMN"
        raise InputError(message)
    return Grid(wanted.choices.by or "", found, lambda i: found[i].name)


def _read(text: str, wanted: GridOptions) -> Grid:
    """The distributions of one source, one or more."""
    if inline.is_uniform(text):
        message = "uniform is on the outcomes of another side, and here there is none; @uniform is a file"
        raise UsageError(message)
    if inline.is_value(text):
        return _of_json(Document("FILE", load_printed(text, "FILE"), wanted.dialect.blank), wanted)
    path, selector, chosen = split_selector(text.removeprefix("@"))
    if not exists(path) and not is_known_suffix(path) and inline.means_numbers(text, wanted.dialect.notation):
        if wanted.among:
            read = cast("Single", inline.parse(text, text, wanted.dialect.notation))
            return _alone(_once(read, wanted), inline.name_of(text))
        message = f"{clipped(text)} is one distribution, and a pair needs two; give a table, or JSON of several"
        raise InputError(message)
    if selector == ":":
        message = f"{clipped(text)}: here a file is a whole table; for some of its columns add --select {typed(chosen)}"
        raise UsageError(message)
    source = open_source(path, wanted.dialect)
    return _of_source(source, selector, chosen, wanted)


def _once(read: Single, wanted: GridOptions) -> Single:
    return read.once(wanted.choices.repeats, gaps=wanted.dialect.blank == "skip")


def _alone(read: Single, name: str) -> Grid:
    """The one distribution of a source, called as the source is."""
    return Grid("", [read.series("").distribution(name, read.source)], lambda _: name)


def _without(grid: Grid, choices: Choices) -> Grid:
    """Without the outcomes and the distributions that are dropped. Raises DistributionError where a total is left."""
    kept = [i for i, one in enumerate(grid.distributions) if one.name not in choices.drop]
    given, where = [grid.distributions[i] for i in kept], grid.where
    if given and kept[0]:
        given[0] = replace(given[0], remarks=(*grid.distributions[0].remarks, *given[0].remarks))
    given = without_totals(given, [one.name for one in given], choices)
    return grid._replace(distributions=given, where=lambda i: where(kept[i]))


def _of_source(source: Source, selector: str, chosen: str, wanted: GridOptions) -> Grid:
    kind = _kind(source, wanted, selector)
    read = READERS[kind](source, wanted.choices.label)
    if isinstance(read, Single):
        return _alone(_once(read, wanted), source.name)
    if kind == "ndjson" and not selector:
        values, where = lines_of(source)
        if _are_objects_of_weights(values):
            return _of_objects(values, source.name, where, wanted)
    if isinstance(read, Document):
        return _of_json(read.at(chosen) if selector else read, wanted)
    if selector:
        message = f"{source.name}: {clipped('#' + chosen)} points into JSON, and this is not JSON"
        raise InputError(message)
    return _of_table(read, wanted)


def _kind(source: Source, wanted: GridOptions, selector: str) -> str:
    """The format of the source; of plain text, which may be what an argument is, JSON or CSV."""
    kind = format_of(source, wanted.input_format, selector)
    if kind != "text":
        return kind
    text, notation = source.text, wanted.dialect.notation
    if not inline.is_value(text) and inline.is_inline(text, notation) and not inline.means_numbers(text, notation):
        return "csv"
    read = READERS[kind](source, wanted.choices.label)
    if isinstance(read, Single) or (not isinstance(read, Document) and read.names == COUNTS):
        if wanted.among:
            return kind
        few = f"{source.name}: one distribution, and a pair needs two"
        message = f"{few}; give another beside it, or for a table add --input-format csv"
        raise InputError(message)
    return kind


def rows_of(read: Table | Document, wanted: GridOptions) -> Grid:
    """The distributions, one or more, that the rows of a table or the members of a JSON value are."""
    return _of_json(read, wanted) if isinstance(read, Document) else _of_table(read, wanted)


def _of_table(read: Table, wanted: GridOptions) -> Grid:
    if wanted.choices.by is not None:
        from klcli.readers.rows import groups

        choices = wanted.choices._replace(select=wanted.select)
        heading, members = groups(read, choices, wanted.dialect.notation)
        return Grid(heading, members, lambda i: f"{read.source} ({clipped(members[i].name)})")
    read = read if wanted.by_columns else _filled(read)
    fields = read.names
    selected = None if wanted.select is None else select(wanted.select, fields, read.source)
    taken = [] if selected is None else [fields[i] for i in selected]
    table = Columns(read, wanted.choices, wanted.dialect.notation, taken=taken)
    label = table.label
    chosen = [i for i in (_weights(table, wanted) if selected is None else selected) if i != label]
    notes = (*table.notes, *(table.left_out if selected is None else ()), *_of_one_outcome(chosen, table, wanted))
    notes += tuple(note for column in chosen for note in table.grouping(column))
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
    values, faults = _sound(table, chosen, wanted)

    def place(row: int, column: int) -> str:
        return f"{table.row(row)}, column {clipped(header[column])}"

    at = list(range(len(values)))
    if labels is not None and wanted.choices.repeats == "sum":
        wrong = {labels[row]: fault for row, fault in faults.items()}
        labels, values, at, said = _summed(labels, values, gaps=table.leaves_out)
        faults = {i: wrong[label] for i, label in enumerate(labels) if label in wrong}
        notes += (said,) if said else ()
    if not wanted.by_columns:
        names = _names(labels, len(values), table.row, heading)
        given = _distributions(values, names, header, lambda i, outcome: place(at[i], outcome), table)
        given = [replace(one, fault=faults.get(i, "")) for i, one in enumerate(given)]
        grid = Grid(
            heading,
            given,
            lambda i: table.row(at[i]) if labels is None else f"{table.row(at[i])} ({clipped(names[i])})",
        )
        return _noted(grid, notes)
    if labels is not None:
        refuse_repeated(labels, table.row, heading)
    given = _distributions(values.T, header, labels, lambda i, outcome: place(at[outcome], i), table)
    running = [table.running(column, i) for column, i in zip(values.T, chosen, strict=True)]
    given = [replace(one, running=said) for one, said in zip(given, running, strict=True)]
    grid = Grid("", given, lambda i: f"{table.source}, column {clipped(header[i])}", labels=heading)
    return _noted(grid, notes)


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


def _of_one_outcome(chosen: Sequence[int], table: Columns, wanted: GridOptions) -> tuple[str, ...]:
    """A note on rows that have but one outcome, as those of a table of a label and a count."""
    if wanted.by_columns or len(chosen) != 1 or table.is_nested(chosen[0]):
        return ()
    name = clipped(table.table.names[chosen[0]])
    return (f"each row has one outcome, {name}, where every divergence is 0; with --columns rows are the outcomes",)


def _noted(grid: Grid, notes: Sequence[str]) -> Grid:
    """The grid, whose first distribution tells what should be known of the table."""
    first, *others = grid.distributions
    return grid._replace(distributions=[replace(first, remarks=(*first.remarks, *notes)), *others])


def _summed(labels: Sequence[str], values: Array, *, gaps: bool) -> tuple[list[str], Array, list[int], str]:
    """The rows of each label added up; where each stands first; and what to say of it. values: (rows, columns)."""
    sums = [summed(labels, column, gaps=gaps) for column in values.T]
    once, _, at, said = sums[0]
    return once, np.array([column for _, column, _, _ in sums]).T, at, said


def _weights(table: Columns, wanted: GridOptions) -> list[int]:
    """The columns of weights; where rows may fail, those too that are numbers but for some cells."""
    if wanted.lenient and not wanted.by_columns and table.roles.mixed:
        return sorted((*table.roles.weights, *table.roles.mixed))
    return table.distributions()


def _sound(table: Columns, columns: Sequence[int], wanted: GridOptions) -> tuple[Array, dict[int, str]]:
    """The numbers of some columns, (rows, columns), and of the rows where some cell is none, what is wrong with it."""
    if wanted.by_columns:
        return table.array(columns), {}
    if not wanted.lenient:
        values = table.array(columns)
        return values, _mixed(table, columns, values, wanted)
    values = np.empty((table.size, len(columns)))
    faults: dict[int, str] = {}
    for out, column in zip(values.T, columns, strict=True):
        out[:], wrong = table.sound(column)
        if table.table.names[column] not in wanted.choices.drop:
            faults = wrong | faults
    return values, _mixed(table, columns, values, wanted) | faults


def _mixed(table: Columns, columns: Sequence[int], values: Array, wanted: GridOptions) -> dict[int, str]:
    """What is wrong with the rows in which percentages stand beside other numbers. values: (rows, columns)."""
    kept = [k for k, column in enumerate(columns) if table.table.names[column] not in wanted.choices.drop]
    percent = np.array([table.has_percentages(columns[k]) for k in kept], dtype=bool)
    if percent.all() or not percent.any():
        return {}
    name = table.table.names[columns[kept[int(np.argmin(percent))]]]
    rows = np.flatnonzero(mixed_rows(percent[:, np.newaxis], values[:, kept].T)).tolist()
    faults = {row: f"{table.row(row)}, {mixed_in_row(name)}" for row in rows}
    if faults and not wanted.lenient:
        raise InputError(faults[rows[0]])
    return faults


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


def _are_objects_of_weights(values: Any) -> bool:  # noqa: ANN401 - a JSON value
    """Whether this is a list of objects of label: weight that have not all the same labels, nor a key in front.

    So it is where one of them has a label twice.
    """
    if not isinstance(values, list) or not values or not all(isinstance(one, dict) and one for one in values):
        return False
    labels = values[0].keys()
    unlike = any(one.keys() != labels or has_repeated_key(one) for one in values)
    if not unlike or not all(is_json_number(weight) for one in values for weight in one.values()):
        return False
    first = next(iter(values[0]))
    if not all(first in one for one in values):
        return True
    try:
        return not holds_keys(first, np.array([one[first] for one in values], dtype=np.float64))
    except OverflowError:  # no key is that large
        return True


def _of_objects(values: list[Any], source: str, where: Callable[[int], str], wanted: GridOptions) -> Grid:
    """Objects of label: weight, each a distribution; they are joined by label."""
    how = wanted.choices.repeats, wanted.dialect.blank
    found = [series_of("", value, where(i), *how) for i, value in enumerate(values)]
    if wanted.select is not None:
        found = _selected(found, wanted.select, source)
    return _of_series([str(i) for i in range(1, len(found) + 1)], found, source, wanted)


def _of_json(document: Document, wanted: GridOptions) -> Grid:
    if _are_objects_of_weights(document.value):
        return _of_objects(document.value, document.source, lambda i: f"{document.source}, item {i + 1}", wanted)
    if (table := document.table()) is not None:
        return _of_table(table, wanted)
    value, source, document.repeats = document.content, document.source, wanted.choices.repeats
    if isinstance(value, list) and any(isinstance(item, list | dict) for item in value):
        names = _row_names(value)
        how = wanted.choices.repeats, document.blank
        found = [series_of("", item, f"{source}, item {i}", *how) for i, item in enumerate(value, 1)]
    else:
        names = document.numeric()
        found = [document.series(name) for name in names]
        if names == [""] and (wanted.among or wanted.choices.rows):
            return _alone(Single(source, found[0]), source)
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


def _of_series(names: Sequence[str], found: list[Series], source: str, wanted: GridOptions) -> Grid:
    """Distributions that may each have outcomes of their own, by label; without labels they must be of one length."""
    given = [series.distribution(name, source) for name, series in zip(names, found, strict=True)]
    _refuse_unlike(given, f"{source}: ")
    if not (wanted.by_columns and found):
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

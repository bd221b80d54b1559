"""What the columns of a whole table say: as numbers, as labels, as distributions."""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import InputError, clipped, no_such, typed
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Members, added_up, refuse_repeated
from klcli.readers.numbers import (
    POINT,
    are_numbers,
    grouping_note,
    has_percent,
    in_column,
    is_blank,
    is_number,
    mend,
    mixed_percent,
    numbers,
)
from klcli.readers.tables.cells import ColumnPlace, cells_of
from klcli.readers.tables.roles import (
    CHOICES,
    NO_LABELS,
    Choices,
    chosen_label,
    is_key,
    label_column,
    label_notes,
    may_hold_keys,
    roles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.roles import Facts, Roles
    from klcli.readers.tables.table import Table

_OF_TOTALS = re.compile(r"le|bucket|cum.*|e?cdf", re.IGNORECASE)
"""What columns of running totals, or those of their labels, are called: Prometheus' le, cumsum, cumulative, ecdf."""

_LEAST_TOTALS = 3
"""Fewer numbers rise by chance."""

ADD_LABEL = "; if these are labels add --label {}, and to leave them out choose the others with --select"


class TableColumns(Members):
    """The columns of a table, each looked through once. As the distributions of a source its columns are by name.

    choices: what the command line says of labels. notation: of numbers that are text. mend: what errors say of a column
    that is numbers in part; {} stands for its name. taken: the columns that are taken as weights, given by name. keys:
    whether a first column of numbers may hold labels. leaves_out: whether a number that is NaN is left out.
    """

    def __init__(
        self,
        table: Table,
        choices: Choices = CHOICES,
        notation: Notation = POINT,
        mend: str = ADD_LABEL,
        *,
        taken: Collection[str] = (),
        keys: bool = True,
    ) -> None:
        super().__init__(table.source)
        self.table, self.size, self.row = table, table.size, table.where
        self._choices, self._mend = choices, mend if table.form == "text" else ""
        self._has_keys = table.form != "text" and any(isinstance(cells, list) for cells in table.columns.values())
        self.leaves_out, notation = notation.blank == "skip", notation._replace(delimiter=table.delimiter)
        self._notation = notation
        self._cells = [
            cells_of(table.columns[i], table.form, ColumnPlace(table.source, name, table.where, notation))
            for i, name in enumerate(table.names)
        ]
        self._facts: dict[int, Facts] = {}
        self.taken, self.keys = [i for i, name in enumerate(table.names) if name in taken], keys

    # ----------------------------------------------------------------------------------------------------------- roles

    @cached_property
    def roles(self) -> Roles:
        """The part of each column. Raises InputError for a --label that is no column."""
        return roles(self)

    @cached_property
    def label(self) -> int | None:
        """The column of the labels, found without looking through more columns than that takes."""
        found = label_column(self)
        return found if found is None else self.position(self.table.names[found])

    @property
    def named_label(self) -> int | None:
        """The column that --label names, None where it names none."""
        return None if self.chosen == NO_LABELS else self.chosen

    @cached_property
    def chosen(self) -> int | None:
        """The column that --label names, NO_LABELS where it says that there is none, None where it says nothing."""
        return chosen_label(self._choices.label, self.table.names, self.source)

    def facts(self, column: int) -> Facts:
        """What decides the part of a column."""
        if column not in self._facts:
            self._facts[column] = self._cells[column].facts()
        return self._facts[column]

    def weights(self) -> list[int]:
        """The columns of numbers but for the labels. Raises InputError where one is numbers in part.

        To leave out such a column would lose a distribution because of one bad cell.
        """
        for column in self.roles.mixed:
            try:
                self.numbers(column)
            except InputError as error:
                others = self.roles.weights or self.roles.mixed[1:]  # for it to be their labels
                how = self._mend.replace("{}", typed(self.table.names[column] or str(column + 1))) if others else ""
                message = f"{error}{self._below_units() or how}"
                raise InputError(message) from None
        return list(self.roles.weights)

    def _below_units(self) -> str:
        """How to leave out the first row, where it is what makes all columns but the labels no numbers."""
        if self.roles.weights or self.table.form == "json":
            return ""
        for first, *others in map(self.texts, self.roles.mixed):
            if is_blank(first) or is_number(first, self._notation) or not are_numbers(others, self._notation):
                return ""
        return f"; if these are units add --skip {re.split('[: ]', self.row(0))[-1]} --no-header"

    def distributions(self) -> list[int]:
        """The columns of numbers, failing which those of lists or objects, but for the labels. Raises InputError."""
        return self.weights() or list(self.roles.nested)

    # ------------------------------------------------------------------------------------ the distributions of a source

    @property
    def mend(self) -> str:
        """How a first column of numbers that is taken as labels is counted as weights."""
        return "".join(f"; {note}" for note in label_notes(self))

    @property
    def labels_name(self) -> str:
        """What the column of the labels is called, '' where there is none."""
        return "" if self.label is None else self.table.names[self.label]

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The name of the first column, where it is of numbers and may hold labels."""
        name = self.table.names[0]
        keys = self.facts(0).of_numbers and (is_key(name) or may_hold_keys(name, self.numbers(0)))
        return (name,) if keys else ()

    @property
    def unread(self) -> str:
        """What is wrong with a cell of the first row that is a number as text, or seems to be one with a unit."""
        if self.roles.nested:
            nested = clipped(self.table.names[self.roles.nested[0]])
            return f"{self.source}: column {nested} holds lists or objects; add --rows to take each by itself"
        columns = [i for i in range(len(self.table.names)) if self.size]
        for i in sorted(columns, key=lambda i: i == self.label):
            text, name = self.texts(i)[0], self.table.names[i]
            if is_number(text, self._notation):
                named = f"{self.source}: column {clipped(name)} holds numbers as text"
                return f"{named}; name it, as {typed(self.address(name))}"
            if how := mend(text, self._notation):
                return f"{self.row(0)}: {clipped(text)}{in_column(name)} is not a number{how}"
        return ""

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the user should know of the columns that are neither labels nor weights."""
        return self.roles.left_out

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the line of names, of how the table was read, and of the column of labels."""
        header = (self.table.note,) if self.table.note else ()
        read = (remark.replace("{n}", str(n)) for remark, n in self.table.remarks.items())
        return (*header, *read, *label_notes(self))

    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.names)

    def numeric(self) -> list[str]:
        """The names of the columns of numbers but for the labels. Raises InputError where one is numbers in part."""
        return [self.table.names[i] for i in self.weights()]

    def member(self, name: str) -> Distribution:
        """The numbers of a column, with the labels. Raises InputError, DistributionError where a label stands twice."""
        column = self.position(name)
        values = self.numbers(column)
        is_labelled = self.label not in {None, column}
        sums = is_labelled and self._choices.repeats == "sum"
        labels = None if not is_labelled else self.labels(self.label or 0)[:] if sums else self._unique_labels
        found = Distribution(
            name,
            self.source,
            frozen(values),
            partial(self.place, column=column),
            labels,
            (*self.notes, *self.grouping(column)),
            self._keys,
            running=self.running(values, column),
            place=f"{self.source}, column {clipped(name)}",
        )
        return added_up(found, gaps=self.leaves_out) if sums else found

    def grouping(self, column: int) -> tuple[str, ...]:
        """A note on a column of text whose decimal marks may group digits."""
        cells = self.table.columns.get(~column, self.table.columns[column])
        if isinstance(cells, np.ndarray):
            return ()
        if not isinstance(cells, list):
            cells = self.values(column) if self.is_text(column) else []
        written = [str(cell) for cell in cells if cell is not None] if str in map(type, cells) else []
        note = grouping_note(f"column {clipped(self.table.names[column])}", written, self._notation)
        return (note,) if note else ()

    def running(self, values: Array, column: int) -> str:
        """What to call a column that seems to hold running totals, by its name or the labels' and as it never falls."""
        names = [self.table.names[i] for i in {column, 0 if self.label is None else self.label}]
        if len(values) < _LEAST_TOTALS or not any(_OF_TOTALS.fullmatch(name.strip()) for name in names):
            return ""
        rises = bool((values[1:] >= values[:-1]).all()) and values[-1] > values[0]
        return f"{self.source}: column {clipped(self.table.names[column])}" if rises else ""

    @cached_property
    def _keys(self) -> tuple[str, Callable[[], Sequence[str]]] | None:
        """The column of labels, else the first where it may hold some though nothing says so."""
        column = self.label
        if column is None:
            free = self.chosen is None and 0 not in self.taken and self.keys and self.facts(0).of_numbers
            if not (free and may_hold_keys(self.table.names[0], self.numbers(0))):
                return None
            column = 0
        return self.table.names[column], partial(self.labels, column)

    def position(self, name: str) -> int:
        """Where the column of that name is. Raises InputError where there is none, or two."""
        names = self.table.names
        if name not in self._first:
            raise no_such(self.source, name, names, "key" if self._has_keys else "column")
        if len(self._first) < len(names) and names.count(name) > 1:
            of_text = f"{self.source}:1: the header has {clipped(name)} twice; rename one of the columns"
            message = f"{self.source}: two columns are called {clipped(name)}; rename one"
            raise InputError(of_text if self.table.form == "text" else message)
        return self._first[name]

    @cached_property
    def _first(self) -> dict[str, int]:
        """Where each name stands first; asked for thousands of columns, one by one."""
        return {name: i for i, name in reversed(list(enumerate(self.table.names)))}

    @cached_property
    def _unique_labels(self) -> Sequence[str]:
        column = self.label or 0
        labels = self.labels(column)
        if isinstance(labels, list) or not labels.are_unique():  # type: ignore[attr-defined]
            kept = [i for i, label in enumerate(labels[:]) if label not in self._choices.drop]
            heading = "" if self._has_keys else self.table.names[column]
            refuse_repeated([labels[i] for i in kept], lambda i: self.row(kept[i]), heading)
        return labels

    # ------------------------------------------------------------------------------------------------------------ cells

    def place(self, row: int, column: int) -> str:
        """The place of a cell."""
        if not self.table.names[column]:
            return self.row(row)
        name = clipped(self.table.names[column])
        return f"{self.row(row)}, {name if self._has_keys else f'column {name}'}"

    def numbers(self, column: int) -> Array:
        """The numbers of a column, (rows,). Raises InputError, naming the first cell that is none."""
        return self._cells[column].numbers()

    def has_percentages(self, column: int) -> bool:
        """Whether the first number in a column is a percentage, as then all others are."""
        if isinstance(self.table.columns[column], np.ndarray):
            return False
        return next((has_percent(text) for text in self.texts(column) if is_number(text, self._notation)), False)

    def sound(self, column: int) -> tuple[Array, dict[int, str]]:
        """The numbers of a column, (rows,), NaN where a cell is none; and of those rows, what is wrong with it."""
        try:
            return self.numbers(column), {}
        except InputError:
            texts, name = self.texts(column), self.table.names[column]
        values, faults = np.full(self.size, np.nan), {}
        percent = self.has_percentages(column)
        for row, text in enumerate(texts):
            try:
                values[row] = self._number(text, row, name)
            except InputError as error:
                faults[row] = str(error)
            else:
                if has_percent(text) != percent and not is_blank(text):
                    faults[row] = f"{self.row(row)}: {mixed_percent(text, name)}"
        return values, faults

    def _number(self, text: str, row: int, name: str) -> float:
        return numbers([text], lambda _: self.row(row), in_column(name), self._notation)[0]

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers of some columns, (rows, columns). Raises InputError as `numbers`."""
        array = np.empty((len(columns), self.size))
        for out, column in zip(array, columns, strict=True):
            out[:] = self._cells[column].numbers()
        return array.T

    def texts(self, column: int) -> Sequence[str]:
        """The cells of a column as text, '' where nothing stands."""
        values = self.values(column)
        if any(value is None for value in values):
            from json import dumps

            return ["" if cell is None else cell if isinstance(cell, str) else dumps(cell) for cell in values]
        return self._cells[column].labels()[:]

    def labels(self, column: int) -> Sequence[str]:
        """The cells of a column as text. Raises InputError where one is missing."""
        return self._cells[column].labels()

    def values(self, column: int) -> list[Any]:
        """The cells of a column as Python's values."""
        return self._cells[column].values()

    def is_nested(self, column: int) -> bool:
        """Whether a column holds lists or objects."""
        return self.facts(column).nested

    def is_text(self, column: int) -> bool:
        """Whether a column holds text."""
        return self._cells[column].is_text()

    def nested(self, column: int) -> list[Distribution]:
        """The distributions in the cells of a column, each a list of numbers or an object of label: number."""
        from klcli.readers.documents import distribution_of

        how = self._choices.repeats, self._notation.blank
        return [distribution_of("", value, self.place(i, column), *how) for i, value in enumerate(self.values(column))]

    def stacked(self, column: int) -> npt.NDArray[Any] | None:
        """The lists in the cells of a column as one array, (rows, ...), where Arrow has them as such; else None."""
        return self._cells[column].stacked()

"""What the columns of a whole table say: as numbers, as labels, as distributions."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import InputError, clipped, no_such
from klcli.readers.distributions import Series, refuse_repeated, summed
from klcli.readers.documents import series_of
from klcli.readers.sources import column_of
from klcli.readers.tables.cells import Column, cells_of
from klcli.readers.tables.roles import (
    CHOICES,
    Choices,
    Known,
    chosen_label,
    is_key,
    label_column,
    label_notes,
    may_hold_keys,
    roles,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.distributions import Keys
    from klcli.readers.tables.roles import Facts, Roles
    from klcli.readers.tables.table import Table

ADD_LABEL = "; if these are labels add --label {}, and to leave them out choose the others with --select"


class Columns:
    """The columns of a table, each looked through once. As the distributions of a source its columns are by name.

    choices: what the command line says of labels. decimal: the mark in numbers that are text. mend: what errors say of
    a column that is numbers in part; {} stands for its name. taken: the names of columns that are taken as weights.
    keys: whether a first column of numbers may hold labels.
    """

    def __init__(
        self,
        table: Table,
        choices: Choices = CHOICES,
        decimal: str = ".",
        mend: str = ADD_LABEL,
        *,
        taken: Collection[str] = (),
        keys: bool = True,
    ) -> None:
        self.source, self.table, self.size, self.row = table.source, table, table.size, table.where
        self._choices, self._mend = choices, mend if table.form == "text" else ""
        self._has_keys = table.form != "text" and any(isinstance(cells, list) for cells in table.columns.values())
        self._cells = [
            cells_of(table.columns[i], table.form, Column(table.source, name, table.where, decimal))
            for i, name in enumerate(table.names)
        ]
        self._facts: dict[int, Facts] = {}
        columns = [i for i, name in enumerate(table.names) if name in taken]
        self._known = Known(table.names, self.facts, self.numbers, columns, keys)

    # ----------------------------------------------------------------------------------------------------------- roles

    @cached_property
    def roles(self) -> Roles:
        """The part of each column. Raises InputError for a --label that is no column."""
        return roles(self._known, self._chosen)

    @cached_property
    def label(self) -> int | None:
        """The column of the labels, found without looking through more columns than that takes."""
        found = label_column(self._known, self._chosen)
        return found if found is None else self._position(self.table.names[found])

    @cached_property
    def _chosen(self) -> int | None:
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
                message = f"{error}{self._mend.replace('{}', self.table.names[column])}"
                raise InputError(message) from None
        return list(self.roles.weights)

    def distributions(self) -> list[int]:
        """The columns of numbers, failing which those of lists or objects, but for the labels. Raises InputError."""
        return self.weights() or list(self.roles.nested)

    # ------------------------------------------------------------------------------------ the distributions of a source

    @property
    def mend(self) -> str:
        """How a first column of numbers that is taken as labels is counted as weights."""
        return "".join(f"; {note}" for note in label_notes(self._known, self.label, self._chosen))

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The name of the first column, where it counts as weights and may hold labels."""
        name = self.table.names[0]
        keys = self.label != 0 and self.facts(0).of_numbers and (is_key(name) or may_hold_keys(name, self.numbers(0)))
        return (name,) if keys else ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the user should know of the columns that are neither labels nor weights."""
        return self.roles.left_out

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of the line of names, and of the column of labels."""
        found = label_notes(self._known, self.label, self._chosen)
        return (*((self.table.note,) if self.table.note else ()), *found)

    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.table.names)

    def numeric(self) -> list[str]:
        """The names of the columns of numbers but for the labels. Raises InputError where one is numbers in part."""
        return [self.table.names[i] for i in self.weights()]

    def series(self, name: str) -> Series:
        """The numbers of a column, with the labels. Raises InputError, DistributionError where a label stands twice."""
        column = self._position(name)
        values = self.numbers(column)

        def where(i: int) -> str:
            return self.place(i, column)

        if self.label in {None, column}:
            return Series(name, values, None, where, self.notes, self._keys)
        if self._choices.repeats == "sum":
            labels, sums, at, said = summed(self.labels(self.label or 0)[:], values)
            notes = (*self.notes, *((said,) if said else ()))
            return Series(name, sums, labels, lambda i: where(at[i]), notes, self._keys)
        return Series(name, values, self._unique_labels, where, self.notes, self._keys)

    @cached_property
    def _keys(self) -> Keys | None:
        """The column of labels, else the first where it may hold some though nothing says so."""
        column = self.label
        if column is None:
            if (
                self._chosen is not None
                or 0 in self._known.taken
                or not self._known.keys
                or not self.facts(0).of_numbers
            ):
                return None
            if not may_hold_keys(self.table.names[0], self.numbers(0)):
                return None
            column = 0
        return self.table.names[column], partial(self.labels, column)

    def address(self, name: str) -> str:
        """SOURCE:COLUMN."""
        return column_of(self.source, name)

    def _position(self, name: str) -> int:
        names = self.table.names
        if name not in names:
            raise no_such(self.source, name, names, "key" if self._has_keys else "column")
        if names.count(name) > 1 and self.table.form == "text":
            message = f"{self.source}:1: the header has {clipped(name)} twice; rename one of the columns"
            raise InputError(message)
        if names.count(name) > 1:
            message = f"{self.source}: two columns are called {clipped(name)}; rename one"
            raise InputError(message)
        return names.index(name)

    @cached_property
    def _unique_labels(self) -> Sequence[str]:
        column = self.label or 0
        labels = self.labels(column)
        if isinstance(labels, list) or not labels.are_unique():  # type: ignore[attr-defined]
            refuse_repeated(labels[:], self.row, "" if self._has_keys else self.table.names[column])
        return labels

    # ------------------------------------------------------------------------------------------------------------ cells

    def place(self, row: int, column: int) -> str:
        """The place of a cell."""
        name = clipped(self.table.names[column])
        return f"{self.row(row)}, {name if self._has_keys else f'column {name}'}"

    def numbers(self, column: int) -> Array:
        """The numbers of a column, (rows,). Raises InputError, naming the first cell that is none."""
        return self._cells[column].numbers()

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers of some columns, (rows, columns). Raises InputError as `numbers`."""
        array = np.empty((len(columns), self.size))
        for out, column in zip(array, columns, strict=True):
            out[:] = self._cells[column].numbers()
        return array.T

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

    def nested(self, column: int) -> list[Series]:
        """The distributions in the cells of a column, each a list of numbers or an object of label: number."""
        return [series_of("", value, self.place(i, column)) for i, value in enumerate(self.values(column))]

    def stacked(self, column: int) -> npt.NDArray[Any] | None:
        """The lists in the cells of a column as one array, (rows, ...), where Arrow has them as such; else None."""
        return self._cells[column].stacked()

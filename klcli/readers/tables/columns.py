"""What the columns of a whole table say: as numbers, as labels, as distributions."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import InputError, clipped, no_such
from klcli.readers.distributions import Series, refuse_repeated, taken_as_header
from klcli.readers.documents import series_of
from klcli.readers.numbers import POINT, is_number
from klcli.readers.sources import column_of
from klcli.readers.tables.cells import Column, cells_of
from klcli.readers.tables.roles import label_column, roles

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.numbers import Notation
    from klcli.readers.tables.roles import Facts, Roles
    from klcli.readers.tables.table import Table

_OF_TOTALS = re.compile(r"le|bucket|cum.*", re.IGNORECASE)
"""What columns of running totals, or those of their labels, are called: Prometheus' le, cumsum, cumulative."""

_LEAST_TOTALS = 3
"""Fewer numbers rise by chance."""

ADD_LABEL = "; if these are labels add --label {}"


class Columns:
    """The columns of a table, each looked through once. As the distributions of a source its columns are by name.

    label: the column that --label names. notation: of numbers that are text. mend: what errors say of a column
    that is numbers in part; {} stands for its name. leaves_out: whether a number that is NaN is left out.
    """

    def __init__(
        self, table: Table, label: str | None = None, notation: Notation = POINT, mend: str = ADD_LABEL
    ) -> None:
        self.source, self.table, self.size, self.row = table.source, table, table.size, table.where
        self._label, self._mend = label, mend if table.form == "text" else ""
        self._has_keys = table.form != "text" and any(isinstance(cells, list) for cells in table.columns.values())
        self.leaves_out, notation = notation.blank == "skip", notation._replace(delimiter=table.delimiter)
        self._cells = [
            cells_of(table.columns[i], table.form, Column(table.source, name, table.where, notation))
            for i, name in enumerate(table.names)
        ]
        self._facts: dict[int, Facts] = {}

    # ----------------------------------------------------------------------------------------------------------- roles

    @cached_property
    def roles(self) -> Roles:
        """The part of each column. Raises InputError for a --label that is no column."""
        return roles(self.table.names, self.facts, self._chosen)

    @cached_property
    def label(self) -> int | None:
        """The column of the labels, found without looking through more columns than that takes."""
        found = label_column(self.table.names, self.facts, self._chosen)
        return found if found is None else self._position(self.table.names[found])

    @property
    def named_label(self) -> int | None:
        """The column that --label names, None where it names none."""
        return self._chosen

    @property
    def _chosen(self) -> int | None:
        return None if self._label is None else self._position(self._label)

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
    def header(self) -> Sequence[str] | None:
        """The names of the columns where they were read from a line of text, else None."""
        return self.table.names if self.table.form == "text" else None

    @property
    def remark(self) -> str:
        """That the first line was taken as the header, where it might be a row."""
        doubtful = self.header is not None and any(map(is_number, self.header))
        return taken_as_header(self.source, self.table.names) if doubtful else self._read_as

    @property
    def _read_as(self) -> str:
        """What should be known of how the table was read."""
        return "; ".join(self.table.remarks) if self.table.form == "value" else ""

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
        labels = self._unique_labels if self.label not in {None, column} else None
        running = self.running(values, column)
        series = Series(name, values, labels, lambda i: self.place(i, column), self._read_as, running=running)
        return _without_gaps(series) if self.leaves_out and self._has_gaps else series

    def running(self, values: Array, column: int) -> str:
        """What to call a column that seems to hold running totals, by its name or the labels' and as it never falls."""
        names = [self.table.names[i] for i in {column, 0 if self.label is None else self.label}]
        if len(values) < _LEAST_TOTALS or not any(_OF_TOTALS.fullmatch(name.strip()) for name in names):
            return ""
        rises = bool((values[1:] >= values[:-1]).all()) and values[-1] > values[0]
        return f"{self.source}: column {clipped(self.table.names[column])}" if rises else ""

    def address(self, name: str) -> str:
        """SOURCE:COLUMN."""
        return column_of(self.source, name)

    def _position(self, name: str) -> int:
        names = self.table.names
        if name not in names:
            raise no_such(self.source, name, names, "key" if self._has_keys else "column")
        if names.count(name) > 1 and self.header is not None:
            message = f"{self.source}:1: the header has {clipped(name)} twice; rename one of the columns"
            raise InputError(message)
        if names.count(name) > 1:
            message = f"{self.source}: two columns are called {clipped(name)}; rename one"
            raise InputError(message)
        return names.index(name)

    @cached_property
    def _has_gaps(self) -> bool:
        """Whether a cell of any column of weights is left out: then the others need labels to be joined by."""
        return any(bool(np.isnan(self.numbers(i)).any()) for i in self.weights())

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
        if not self.table.names[column]:
            return self.row(row)
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

    def position(self, name: str) -> int:
        """Where the column of that name is. Raises InputError where there is none, or two."""
        return self._position(name)

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

    def nested(self, column: int) -> list[Series]:
        """The distributions in the cells of a column, each a list of numbers or an object of label: number."""
        return [series_of("", value, self.place(i, column)) for i, value in enumerate(self.values(column))]

    def stacked(self, column: int) -> npt.NDArray[Any] | None:
        """The lists in the cells of a column as one array, (rows, ...), where Arrow has them as such; else None."""
        return self._cells[column].stacked()


def _without_gaps(series: Series) -> Series:
    """The series without what is NaN; where it has no labels, those that are left are called by their rows."""
    left = np.flatnonzero(~np.isnan(series.values)).tolist()
    labels = [str(i + 1) if series.labels is None else series.labels[i] for i in left]
    return Series(series.name, [series.values[i] for i in left], labels, lambda i: series.where(left[i]), series.remark)

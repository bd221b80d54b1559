"""Tables read as a whole: their numbers as one array, however many columns there are.

`content` has a table's columns one by one, which is what a pair needs; for thousands of them that takes a time which
grows with the square of their number.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from klcli.errors import InputError, clipped, listed
from klcli.readers.content import all_numbers, label_column, no_such
from klcli.readers.delimited import Delimited
from klcli.readers.documents import load, no_repeated_key, number_of, series_of
from klcli.readers.numbers import is_number, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.columnar import Columns
    from klcli.readers.content import Series
    from klcli.readers.sources import Source


ADD_LABEL = "; if these are labels add --label {}"


class Table(Protocol):
    """Columns by position, counted from 0."""

    source: str

    @property
    def fields(self) -> list[str]:
        """The names of all columns."""
        ...

    @property
    def label(self) -> int | None:
        """The column of labels: the one chosen, 'label', or the first that holds text. Raises InputError."""
        ...

    @property
    def remark(self) -> str:
        """What should be known of how it was read."""
        ...

    def distributions(self) -> list[int]:
        """The columns of numbers, or failing that of lists of them, but for the labels. Raises InputError."""
        ...

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers of some columns, (rows, columns). Raises InputError for the first that is none."""
        ...

    def is_text(self, column: int) -> bool:
        """Whether a column that is not of numbers holds text."""
        ...

    def is_nested(self, column: int) -> bool:
        """Whether a column holds distributions rather than numbers: lists or objects."""
        ...

    def values(self, column: int) -> list[Any]:
        """What stands in such a column, a row each, as Python has it."""
        ...

    def nested(self, column: int) -> list[Series]:
        """The distributions that such a column holds, one a row. Raises InputError."""
        ...

    def labels(self, column: int) -> list[str]:
        """A column as text. Raises InputError where a label is missing."""
        ...

    def row(self, i: int) -> str:
        """The place of a row, for errors."""
        ...


class TextTable(Delimited):
    """CSV or TSV, by Python's csv. mend: see `grids.read_table`."""

    mend = ADD_LABEL

    @property
    def fields(self) -> list[str]:
        """The header."""
        return self.header

    @cached_property
    def _numbers(self) -> list[tuple[int, int]]:
        """As for any table of text; but what begins as a column of numbers is one, until reading it proves it wrong."""
        n = len(self._rows)
        return [
            (n, n) if i > 0 and self._is_number(cell) else (sum(self._is_number(row[i]) for row in self._rows), n)
            for i, cell in enumerate(self._rows[0])
        ]

    def _is_number(self, cell: str) -> bool:
        return is_number(cell, self._decimal)

    @property
    def label(self) -> int | None:
        """The column chosen, or see `content.label_column`."""
        return self._label_column

    @property
    def remark(self) -> str:
        """That the header is no row, where it might be one."""
        if not any(map(self._is_number, self.header)):
            return ""
        return f"{self.source}: the first line is taken as the header: {listed(self.header)}"

    def distributions(self) -> list[int]:
        """The columns of numbers. Raises InputError where one is so in part."""
        others = [(i, name) for i, name in enumerate(self.header) if i != self._label_column]
        return [i for i, name in others if all_numbers(self, name, self._numbers[i], self.mend.format(name))]

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers of some columns, (rows, columns)."""
        array = np.empty((len(self._rows), len(columns)))
        for i, row in enumerate(self._rows):
            try:
                array[i] = numbers([row[column] for column in columns], self.where, decimal=self._decimal)
            except InputError:  # which does not know the column
                self._refuse(i, columns)
        return array

    def _refuse(self, row: int, columns: Sequence[int]) -> None:
        """Raises InputError for the first of a row's cells that is no number."""
        for column in columns:
            inside = f" in column {clipped(self.header[column])}"
            numbers([self._rows[row][column]], lambda _: self.where(row), inside, self._decimal)

    def is_text(self, column: int) -> bool:  # noqa: ARG002 - as other tables have it
        """All of it is."""
        return True

    def is_nested(self, column: int) -> bool:  # noqa: ARG002
        """Text holds no lists."""
        return False

    def values(self, column: int) -> list[Any]:
        """The cells."""
        return [row[column] for row in self._rows]

    def nested(self, column: int) -> list[Series]:  # noqa: ARG002
        """None."""
        return []

    def labels(self, column: int) -> list[str]:
        """A column as text."""
        return self.values(column)

    def row(self, i: int) -> str:
        """FILE:LINE."""
        return self.where(i)


class TypedTable:
    """Arrow's table: a large CSV file, Parquet, what pandas reads. label: the column chosen, if one is."""

    remark = ""

    def __init__(self, columns: Columns, label: str | None) -> None:
        from pyarrow import types

        self.source, self.row = columns.source, columns.row
        self._columns, self._chosen, self._types = columns, label, types
        self.fields: list[str] = columns.table.column_names
        self._kinds: list[Any] = columns.table.schema.types
        if columns.header is not None and any(map(is_number, columns.header)):
            self.remark = f"{self.source}: the first line is taken as the header: {listed(columns.header)}"

    @cached_property
    def label(self) -> int | None:
        """The column chosen, 'label', or the first that holds text, dates or truth values."""
        name = "label" if self._chosen is None else self._chosen
        if name in self.fields:
            return self.fields.index(name)
        if self._chosen is not None:
            raise no_such(self.source, name, self.fields)
        others = (i for i, kind in enumerate(self._kinds) if not (self._is_number(kind) or self._types.is_null(kind)))
        return next((i for i in others if not self.is_nested(i)), None)

    def _is_number(self, kind: Any) -> bool:  # noqa: ANN401
        return bool(self._types.is_floating(kind) or self._types.is_integer(kind) or self._types.is_decimal(kind))

    def distributions(self) -> list[int]:
        """The columns of numbers; where there are none those of lists."""
        numeric = [i for i, kind in enumerate(self._kinds) if self._is_number(kind) and i != self.label]
        return numeric or [i for i in range(len(self.fields)) if self.is_nested(i)]

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers of some columns, (rows, columns)."""
        from klcli.arrow import doubles

        table = self._columns.table
        array = np.empty((len(columns), table.num_rows))
        for out, i in zip(array, columns, strict=True):
            kind, column = self._kinds[i], table.column(i)
            if column.null_count or not (self._types.is_floating(kind) or self._types.is_integer(kind)):
                out[:] = self._columns.series(self.fields[i]).values  # which takes text for what it says, or refuses
            else:
                doubles(column if self._types.is_float64(kind) else column.cast("double", safe=False), out)
        return array.T

    def is_text(self, column: int) -> bool:
        """Whether a column is of strings, be they kept once each."""
        kind = self._kinds[column]
        kind = kind.value_type if self._types.is_dictionary(kind) else kind
        return bool(self._types.is_string(kind) or self._types.is_large_string(kind))

    def is_nested(self, column: int) -> bool:
        """Whether a column holds lists, structures or maps."""
        return bool(self._types.is_nested(self._kinds[column]))

    def stacked(self, column: int) -> npt.NDArray[Any] | None:
        """The lists of a column, or lists of lists, as one array over the memory they stand in, (rows, ...).

        None where they differ in length, one or a number in one is missing, or they hold something else.
        """
        from pyarrow import FixedSizeListArray, LargeListArray, ListArray

        from klcli.arrow import call, whole

        cells = whole(self._columns.table.column(column))
        shape = [len(cells)]
        while isinstance(cells, ListArray | LargeListArray | FixedSizeListArray):
            if cells.null_count:
                return None
            lengths = np.from_dlpack(call("list_value_length", [cells])) if len(cells) else np.zeros(1, dtype=np.intp)
            if (lengths != lengths[0]).any():
                return None
            shape.append(int(lengths[0]))
            cells = cells.flatten()
        if cells.null_count or not (self._types.is_floating(cells.type) or self._types.is_integer(cells.type)):
            return None
        return (np.from_dlpack(cells) if len(cells) else np.empty(0)).reshape(shape)

    def values(self, column: int) -> list[Any]:
        """What stands in a column, a row each."""
        return [_without_nulls(value) for value in self._columns.table.column(column).to_pylist()]

    def nested(self, column: int) -> list[Series]:
        """The distributions that a column holds, one a row."""
        name = clipped(self.fields[column])
        return [series_of("", value, f"{self.row(i)}, column {name}") for i, value in enumerate(self.values(column))]

    def labels(self, column: int) -> list[str]:
        """A column as text."""
        from klcli.readers.tables.rows import as_text

        cells = self._columns.table.column(column)
        if cells.null_count:
            message = f"{self.row(cells.is_null().to_pylist().index(True))}: the label is missing"
            raise InputError(message)
        labels: list[str] = as_text(cells).to_pylist()
        return labels


def _without_nulls(value: Any) -> Any:  # noqa: ANN401
    """A structure, of which Arrow has every row all the fields, with those it was written with; a map as an object."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return dict(value)
    return value


class RecordTable:
    """JSON objects, one a row. label: the key chosen, if one is. row(i): the place of the i-th."""

    remark = ""

    def __init__(self, source: str, rows: Sequence[Any], row: Callable[[int], str], label: str | None) -> None:
        self.source, self.row, self._rows, self._chosen = source, row, rows, label
        for i, record in enumerate(rows):
            if not isinstance(record, dict):
                message = f"{row(i)}: this is no record; each row of a table is one JSON object"
                raise InputError(message)
            no_repeated_key(record, row(i), "key")
        self.fields = list(dict.fromkeys(key for record in rows for key in record))

    @cached_property
    def _kinds(self) -> list[set[type]]:
        """The types of the values under each key; type(None) where one is missing."""
        return [{type(record.get(name)) for record in self._rows} for name in self.fields]

    @cached_property
    def label(self) -> int | None:
        """The key chosen, or see `content.label_column`; never one of lists or objects."""
        if self._chosen is not None:
            if self._chosen not in self.fields:
                raise no_such(self.source, self._chosen, self.fields, "key")
            return self.fields.index(self._chosen)
        flat = [i for i in range(len(self.fields)) if not self.is_nested(i)]
        name = label_column([self.fields[i] for i in flat], [self._count(i) for i in flat])
        return None if name is None else self.fields.index(name)

    def _count(self, column: int) -> tuple[int, int]:
        """How many records have a number under the key, and how many records there are."""
        name, n = self.fields[column], len(self._rows)
        if self._kinds[column] <= {int, float}:
            return n, n
        return sum(type(record.get(name)) in {int, float} for record in self._rows), n

    def distributions(self) -> list[int]:
        """The keys of numbers; where there are none those of lists and objects."""
        counts = {i: self._count(i) for i in range(len(self.fields)) if i != self.label}
        for i, (count, n) in counts.items():
            if 0 < count < n:
                self.array([i])  # which says where it is none
        numeric = [i for i, (count, n) in counts.items() if count == n]
        return numeric or [i for i in counts if self.is_nested(i)]

    def array(self, columns: Sequence[int]) -> Array:
        """The numbers under some keys, (rows, columns)."""
        array = np.empty((len(self._rows), len(columns)))
        for out, i in zip(array.T, columns, strict=True):
            name = self.fields[i]
            cells = [record.get(name) for record in self._rows]
            if self._kinds[i] == {float}:
                out[:] = cells
                continue

            where = [f"{self.row(j)}, {clipped(name)}" for j in range(len(cells))]
            out[:] = [number_of(cell, where.__getitem__, j) for j, cell in enumerate(cells)]
        return array

    def is_text(self, column: int) -> bool:
        """Whether every record has text under a key."""
        return self._kinds[column] == {str}

    def is_nested(self, column: int) -> bool:
        """Whether there are lists or objects under a key, in some record at least."""
        return any(issubclass(kind, list | dict) for kind in self._kinds[column])

    def values(self, column: int) -> list[Any]:
        """What stands under a key, a record each; None where nothing does."""
        return [record.get(self.fields[column]) for record in self._rows]

    def nested(self, column: int) -> list[Series]:
        """The distributions under a key, one a record."""
        name = clipped(self.fields[column])
        return [series_of("", value, f"{self.row(i)}, {name}") for i, value in enumerate(self.values(column))]

    def labels(self, column: int) -> list[str]:
        """The values under a key; what is no text as JSON has it."""
        from json import dumps

        labels = []
        for i, record in enumerate(self._rows):
            value = record.get(self.fields[column])
            if value is None:
                message = f"{self.row(i)}: the label is missing"
                raise InputError(message)
            labels.append(value if isinstance(value, str) else dumps(value))
        return labels


def ndjson_rows(source: Source) -> tuple[list[Any], Callable[[int], str]]:
    """NDJSON: a value a line, and the place of each."""
    lines = [(i, line) for i, line in enumerate(source.text.split("\n"), 1) if line.strip()]
    rows = [load(line, source.name, line=i) for i, line in lines]
    return rows, lambda i: f"{source.name}:{lines[i][0]}"

"""The cells of one column of a table, a class for each way to keep them: doubles, text, JSON values, Arrow's types."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from klcli.errors import InputError, clipped
from klcli.readers.numbers import (
    CURRENCY,
    POINT,
    has_percent,
    in_column,
    is_blank,
    is_meant,
    is_number,
    mend,
    mixed_percent,
    numbers,
)
from klcli.readers.tables.roles import Facts
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from klcli.model import Array
    from klcli.readers.numbers import Notation


class ColumnPlace(NamedTuple):
    """What errors say of a column. where(row): the place of a row. notation: of numbers that are text."""

    source: str
    name: str
    where: Callable[[int], str]
    notation: Notation = POINT

    def refuse_missing_label(self, row: int) -> InputError:
        """The error for a row without a label."""
        return InputError(f"{self.where(row)}: the label is missing")

    def refuse_missing_number(self, place: str, inside: str = "") -> InputError:
        """The error for a cell in which nothing stands. inside: ' in column NAME', where the place does not say so."""
        return InputError(f"{place}: nothing stands where a number should{inside}{mend('', self.notation)}")


def cells_of(cells: Any, form: str, column: ColumnPlace) -> ColumnCells:  # noqa: ANN401 - a column as `Table` holds it
    """The cells of a column of a table of that form."""
    if isinstance(cells, np.ndarray):
        return ColumnCells(cells, column)
    if form == "text":
        return _Text(cells, column)
    return _Json(cells, column) if isinstance(cells, list) else _Typed(cells, column)


class ColumnCells:
    """The cells of a column: here doubles; a subclass for each other way to keep them says what is otherwise."""

    def __init__(self, cells: Any, column: ColumnPlace) -> None:  # noqa: ANN401
        self._cells, self._column = cells, column

    def facts(self) -> Facts:
        """What decides the column's part."""
        return Facts(of_numbers=True, has_number=True)

    def numbers(self) -> Array:
        """The numbers that the cells are, (rows,). Raises InputError for the first that is none."""
        return cast("Array", self._cells)

    def labels(self) -> Sequence[str]:
        """The cells as text. Raises InputError for the first that is missing."""
        return [str(int(x)) if x.is_integer() else repr(x) for x in self._cells.tolist()]

    def values(self) -> list[Any]:
        """The cells as Python's values."""
        return cast("list[Any]", self._cells.tolist())

    def is_text(self) -> bool:
        """Whether the column holds text."""
        return False

    def stacked(self) -> npt.NDArray[Any] | None:
        """The lists that the cells are as one array, (rows, ...); None where they are kept otherwise than in Arrow."""
        return None


class _Text(ColumnCells):
    """Strings as they stand in a file, a list of them or an Arrow array."""

    def facts(self) -> Facts:
        try:
            self.numbers()
        except InputError:
            return _facts_of_text(self._cells, self._column.notation)
        if self._column.notation.blank != "error" and all(map(is_blank, self.values())):
            return Facts(of_numbers=False, has_number=False, empty=True)
        return Facts(of_numbers=True, has_number=True)

    def numbers(self) -> Array:
        return self._numbers

    @cached_property
    def _numbers(self) -> Array:
        return _numbers_of(self.values(), self._column)

    def labels(self) -> Sequence[str]:
        if isinstance(self._cells, list):
            return self._cells
        from klcli.readers.tables.labels import Labels

        return Labels(self._cells)

    def values(self) -> list[Any]:
        return self._cells if isinstance(self._cells, list) else cast("list[Any]", self._cells.to_pylist())

    def is_text(self) -> bool:
        return True


def _numbers_of(cells: Sequence[str], column: ColumnPlace) -> Array:
    """The numbers that text says. Raises InputError for the first cell that is none, and as `_refuse_mixed`."""
    found = numbers(cells, column.where, in_column(column.name), column.notation)
    _refuse_mixed(cells, column)
    return np.array(found, dtype=np.float64)


def _refuse_mixed(cells: Sequence[str], column: ColumnPlace) -> None:
    """Raises InputError at the first cell that is a percentage where those above are not, or the other way."""
    if any("%" in cell for cell in cells):
        present = [(row, has_percent(cell)) for row, cell in enumerate(cells) if not is_blank(cell)]
        for row, percent in present:
            if percent != present[0][1]:
                message = f"{column.where(row)}: {mixed_percent(cells[row], column.name)}"
                raise InputError(message)


_MAY_BE_MEANT = f"(?i)^([{CURRENCY}]?\\s*[-+]?\\s*[.,\\d]|[-+]?(inf|nan)|na$|#?n/a$|null$|none$|-?$)"
"""How text begins that may be a number, in whatever notation, or blank: a regular expression."""


def _facts_of_text(cells: Any, notation: Notation) -> Facts:  # noqa: ANN401 - a list, or an Arrow array
    """What strings decide that are not all numbers: those in another notation are cells of a column of numbers too."""
    likely = cells if isinstance(cells, list) else _likely(cells)
    others = set(likely)
    meant = {cell for cell in others if is_meant(cell, notation)}
    blank = len(likely) == len(cells) and all(map(is_blank, others - meant))
    return Facts(of_numbers=False, has_number=bool(meant), marred=bool(meant) and blank)


def _likely(cells: pa.ChunkedArray) -> list[str]:
    """The strings of an Arrow column that may be numbers or blank, without a Python string for each of the others."""
    from pyarrow import _compute as kernels

    from klcli.arrow import call

    trimmed = call("utf8_trim_whitespace", [cells])
    pattern = kernels.MatchSubstringOptions(_MAY_BE_MEANT)
    return cast("list[str]", call("filter", [cells, call("match_substring_regex", [trimmed], pattern)]).to_pylist())


class _Json(ColumnCells):
    """JSON values, None where a record lacks the key."""

    def __init__(self, cells: list[Any], column: ColumnPlace) -> None:
        super().__init__(cells, column)
        self._kinds = set(map(type, cells))

    def facts(self) -> Facts:
        from klcli.readers.documents import is_blank_value, is_json_number

        nested = any(issubclass(kind, list | dict) for kind in self._kinds)
        found = [is_json_number(cell) for cell in self._cells]
        blank = [is_one or is_blank_value(cell) for is_one, cell in zip(found, self._cells, strict=True)]
        marred = any(found) and all(blank)
        numeric = all(found) or (marred and self._column.notation.blank != "error")
        return Facts(of_numbers=numeric, has_number=any(found), nested=nested, marred=marred)

    def numbers(self) -> Array:
        from klcli.readers.documents import is_blank_value, number_of

        blank = self._column.notation.blank
        if self._kinds == {float} and blank == "error":
            return np.array(self._cells)
        if blank == "error" and None in self._cells:
            raise self._column.refuse_missing_number(self._place(self._cells.index(None)))
        if str in self._kinds:
            _refuse_mixed(["" if cell is None else str(cell) for cell in self._cells], self._column)
        value = {"zero": 0.0, "skip": np.nan}.get(blank)
        return np.array(
            [
                value
                if value is not None and is_blank_value(cell)
                else number_of(cell, self._place, i, self._column.notation)
                for i, cell in enumerate(self._cells)
            ],
            dtype=np.float64,
        )

    def _place(self, row: int) -> str:
        return f"{self._column.where(row)}, {clipped(self._column.name)}"

    def labels(self) -> list[str]:
        missing = next((i for i, cell in enumerate(self._cells) if cell is None), None)
        if missing is not None:
            raise self._column.refuse_missing_label(missing)
        from json import dumps

        return [cell if isinstance(cell, str) else dumps(cell) for cell in self._cells]

    def values(self) -> list[Any]:
        return cast("list[Any]", self._cells)

    def is_text(self) -> bool:
        return self._kinds == {str}


class _Typed(ColumnCells):
    """An Arrow column of any type."""

    def __init__(self, cells: Any, column: ColumnPlace) -> None:  # noqa: ANN401
        from klcli.arrow import whole

        super().__init__(whole(cells), column)

    def facts(self) -> Facts:
        import pyarrow.types as of

        kind = self._cells.type
        if self.is_text():
            cells = self._cells.drop_null() if self._cells.null_count else self._cells
            cells = cells.dictionary_decode() if of.is_dictionary(cells.type) else cells
            found = _facts_of_text(cells, self._column.notation)
            # Where all are numbers, that they are text says that they are names.
            named = not found.has_number or all(is_number(cell, self._column.notation) for cell in cells.to_pylist())
            return Facts(of_numbers=False, has_number=False) if named else found
        numeric = bool(of.is_floating(kind) or of.is_integer(kind) or of.is_decimal(kind))
        return Facts(numeric, numeric, nested=bool(of.is_nested(kind)), empty=bool(of.is_null(kind)))

    def is_text(self) -> bool:
        from klcli.readers.tables.columnar import is_text

        return is_text(self._cells.type)

    def numbers(self) -> Array:
        cells, column = self._cells, self._column
        blank = column.notation.blank
        if cells.null_count and blank == "error":
            raise column.refuse_missing_number(column.where(_first_null(cells)), in_column(column.name))
        if self.is_text():
            return _numbers_of([text or "" for text in cells.to_pylist()], column)
        if not self.facts().of_numbers:
            message = f"{column.source}: column {clipped(column.name)} holds {cells.type}, not numbers"
            raise InputError(message)
        if len(cells) == 0:
            message = f"{column.source}: columns and no rows"
            raise InputError(message)
        from klcli.readers.tables.columnar import doubles

        return doubles(cells, lambda *_: None, column.notation)  # of numbers none is refused

    def labels(self) -> Sequence[str]:
        import pyarrow as pa

        from klcli.arrow import as_text
        from klcli.readers.tables.labels import Labels

        cells = self._cells
        if cells.null_count:
            raise self._column.refuse_missing_label(_first_null(cells))
        try:
            return Labels(as_text(cells))
        except pa.ArrowException:
            message = f"{self._column.source}: column {clipped(self._column.name)} holds {cells.type}, no labels"
            raise InputError(message) from None

    def values(self) -> list[Any]:
        return [json_value(value) for value in self._cells.to_pylist()]

    def stacked(self) -> npt.NDArray[Any] | None:
        from klcli.arrow import stacked

        return stacked(self._cells)


def _first_null(cells: Any) -> int:  # noqa: ANN401
    from klcli.arrow import nulls

    return int(nulls(cells).argmax())


def json_value(value: Any) -> Any:  # noqa: ANN401
    """A value as JSON has it: a map, to Arrow a list of pairs, as an object; a structure without what is null in it."""
    if isinstance(value, dict):
        return {key: json_value(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):
            from klcli.readers.documents import object_of

            return object_of([(str(key), json_value(item)) for key, item in value])
        return list(map(json_value, value))
    if value is None or isinstance(value, bool | int | float | str):
        return value
    from decimal import Decimal

    return float(value) if isinstance(value, Decimal) else str(value)

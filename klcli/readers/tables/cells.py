"""The cells of one column of a table, a class for each way to keep them: doubles, text, JSON values, Arrow's types."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np

from klcli.errors import InputError, clipped
from klcli.readers.documents import is_json_number, number_of
from klcli.readers.numbers import PATTERN, is_number, numbers
from klcli.readers.tables.roles import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from klcli.model import Array


class Column(NamedTuple):
    """What errors say of a column. where(row): the place of a row. decimal: the mark in numbers that are text."""

    source: str
    name: str
    where: Callable[[int], str]
    decimal: str = "."

    @property
    def inside(self) -> str:
        """' in column NAME', which goes between a cell and what is wrong with it."""
        return f" in column {clipped(self.name)}"

    def refuse_missing_label(self, row: int) -> InputError:
        """The error for a row without a label."""
        return InputError(f"{self.where(row)}: the label is missing")


class Cells(Protocol):
    """The cells of a column."""

    def facts(self) -> Facts:
        """What decides the column's part."""
        ...

    def numbers(self) -> Array:
        """The numbers that the cells are, (rows,). Raises InputError for the first that is none."""
        ...

    def labels(self) -> Sequence[str]:
        """The cells as text. Raises InputError for the first that is missing."""
        ...

    def values(self) -> list[Any]:
        """The cells as Python's values."""
        ...

    def is_text(self) -> bool:
        """Whether the column holds text."""
        ...

    def stacked(self) -> npt.NDArray[Any] | None:
        """The lists that the cells are as one array, (rows, ...); None where they are kept otherwise than in Arrow."""
        ...


def cells_of(cells: Any, form: str, column: Column) -> Cells:  # noqa: ANN401 - a column as `Table` holds it
    """The cells of a column of a table of that form."""
    if isinstance(cells, np.ndarray):
        return _Doubles(cells)
    if form == "text":
        return _Text(cells, column)
    return _Json(cells, column) if isinstance(cells, list) else _Typed(cells, column)


class _Doubles:
    """Numbers throughout."""

    def __init__(self, cells: Array) -> None:
        self._cells = cells

    def facts(self) -> Facts:
        return Facts(of_numbers=True, has_number=True)

    def numbers(self) -> Array:
        return self._cells

    def labels(self) -> list[str]:
        return [str(int(x)) if x.is_integer() else repr(x) for x in self._cells.tolist()]

    def values(self) -> list[Any]:
        return cast("list[Any]", self._cells.tolist())

    def is_text(self) -> bool:
        return False

    def stacked(self) -> None:
        return None


class _Text:
    """Strings as they stand in a file, a list of them or an Arrow array."""

    def __init__(self, cells: Any, column: Column) -> None:  # noqa: ANN401
        self._cells, self._column = cells, column
        self._numbers: Array | None = None

    def facts(self) -> Facts:
        try:
            self.numbers()
        except InputError:
            return Facts(of_numbers=False, has_number=any(is_number(c, self._column.decimal) for c in self._likely()))
        return Facts(of_numbers=True, has_number=True)

    def _likely(self) -> Sequence[str]:
        """Those of the cells that may be numbers; of an Arrow array without a Python string for each of the others."""
        return self._cells if isinstance(self._cells, list) else _like_numbers(self._cells, self._column.decimal)

    def numbers(self) -> Array:
        if self._numbers is None:
            column = self._column
            found = numbers(self.values(), column.where, column.inside, column.decimal)
            self._numbers = np.array(found, dtype=np.float64)
        return self._numbers

    def labels(self) -> Sequence[str]:
        if isinstance(self._cells, list):
            return self._cells
        from klcli.readers.tables.labels import Labels

        return Labels(self._cells)

    def values(self) -> list[Any]:
        return self._cells if isinstance(self._cells, list) else cast("list[Any]", self._cells.to_pylist())

    def is_text(self) -> bool:
        return True

    def stacked(self) -> None:
        return None


def _like_numbers(cells: pa.ChunkedArray, decimal: str) -> list[str]:
    """The strings of an Arrow column that are written as numbers are."""
    from pyarrow import _compute as kernels

    from klcli.arrow import call

    trimmed = call("utf8_trim_whitespace", [cells])
    if decimal != ".":
        trimmed = call("replace_substring", [trimmed], kernels.ReplaceSubstringOptions(decimal, "."))
    pattern = kernels.MatchSubstringOptions(f"(?i)^{PATTERN}$")
    return cast("list[str]", call("filter", [cells, call("match_substring_regex", [trimmed], pattern)]).to_pylist())


class _Json:
    """JSON values, None where a record lacks the key."""

    def __init__(self, cells: list[Any], column: Column) -> None:
        self._cells, self._column = cells, column
        self._kinds = set(map(type, cells))

    def facts(self) -> Facts:
        nested = any(issubclass(kind, list | dict) for kind in self._kinds)
        found = [is_json_number(cell) for cell in self._cells]
        return Facts(of_numbers=all(found), has_number=any(found), nested=nested)

    def numbers(self) -> Array:
        if self._kinds == {float}:
            return np.array(self._cells)
        return np.array([number_of(cell, self._place, i) for i, cell in enumerate(self._cells)], dtype=np.float64)

    def _place(self, row: int) -> str:
        return f"{self._column.where(row)}, {clipped(self._column.name)}"

    def labels(self) -> list[str]:
        missing = next((i for i, cell in enumerate(self._cells) if cell is None), None)
        if missing is not None:
            raise self._column.refuse_missing_label(missing)
        return [cell if isinstance(cell, str) else dumps(cell) for cell in self._cells]

    def values(self) -> list[Any]:
        return self._cells

    def is_text(self) -> bool:
        return self._kinds == {str}

    def stacked(self) -> None:
        return None


class _Typed:
    """An Arrow column of any type."""

    def __init__(self, cells: Any, column: Column) -> None:  # noqa: ANN401
        from klcli.arrow import whole

        self._cells, self._column = whole(cells) if hasattr(cells, "chunks") else cells, column

    def facts(self) -> Facts:
        import pyarrow.types as of

        kind = self._cells.type
        numeric = bool(of.is_floating(kind) or of.is_integer(kind) or of.is_decimal(kind))
        return Facts(numeric, numeric, nested=bool(of.is_nested(kind)), empty=bool(of.is_null(kind)))

    def is_text(self) -> bool:
        import pyarrow.types as of

        kind = self._cells.type
        kind = kind.value_type if of.is_dictionary(kind) else kind
        return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind))

    def numbers(self) -> Array:
        cells, column = self._cells, self._column
        if cells.null_count:
            message = f"{column.where(_first_null(cells))}: nothing stands where a number should{column.inside}"
            raise InputError(message)
        if self.is_text():
            return np.array(numbers(self.labels()[:], column.where, column.inside), dtype=np.float64)
        if not self.facts().of_numbers:
            message = f"{column.source}: column {clipped(column.name)} holds {cells.type}, not numbers"
            raise InputError(message)
        if len(cells) == 0:
            message = f"{column.source}: columns and no rows"
            raise InputError(message)
        from klcli.readers.tables.columnar import doubles

        found = doubles(cells, lambda *_: None)  # of numbers none is refused
        return found if isinstance(found, np.ndarray) else cast("Array", np.from_dlpack(found))

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
        return [_without_nulls(value) for value in self._cells.to_pylist()]

    def stacked(self) -> npt.NDArray[Any] | None:
        """As above; None where the lists differ in length, one or a number in one is missing, or there are others."""
        import pyarrow as pa

        from klcli.arrow import call

        cells = self._cells
        shape = [len(cells)]
        while isinstance(cells, pa.ListArray | pa.LargeListArray | pa.FixedSizeListArray):
            if cells.null_count:
                return None
            lengths = np.from_dlpack(call("list_value_length", [cells])) if len(cells) else np.zeros(1, dtype=np.intp)
            if (lengths != lengths[0]).any():
                return None
            shape.append(int(lengths[0]))
            cells = cells.flatten()
        if cells.null_count or not (pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type)):
            return None
        return (np.from_dlpack(cells) if len(cells) else np.empty(0)).reshape(shape)


def _first_null(cells: Any) -> int:  # noqa: ANN401
    from klcli.arrow import nulls

    return int(nulls(cells).argmax())


def _without_nulls(value: Any) -> Any:  # noqa: ANN401
    """A structure, of which Arrow has every row all the fields, with those it was written with; a map as an object."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if item is not None}
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        return dict(value)
    return value

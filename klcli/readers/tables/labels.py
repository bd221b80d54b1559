"""Labels of outcomes in Arrow's memory: a million Python strings would take longer to make than all the arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from klcli.arrow import call, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


class Labels(Sequence[str]):
    """The strings of an Arrow column without nulls; Python strings are made of those that are asked for."""

    def __init__(self, column: pa.Array | pa.ChunkedArray) -> None:
        self._cells = whole(column)

    def __len__(self) -> int:
        """The number of labels."""
        return len(self._cells)

    def __iter__(self) -> Iterator[str]:
        """All the labels, made at once."""
        return iter(self[:])

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> list[str]: ...
    def __getitem__(self, i: int | slice) -> str | list[str]:
        """One label, or a list of them."""
        if isinstance(i, slice):
            labels: list[str] = self._cells[i].to_pylist()
            return labels
        return str(self._cells[i].as_py())

    def are_unique(self) -> bool:
        """Whether no label stands twice. Labels in ascending order, as identifiers mostly stand, need no hashing."""
        cells = self._cells
        rising = call("all", [call("less", [cells[:-1], cells[1:]])])
        return rising.as_py() is not False or len(cells.unique()) == len(cells)

"""Pairs whose sides are fields of a record: a list of weights, or an object of label: weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Failure, Pairs
from klcli.errors import KlcliError, clipped
from klcli.readers.documents import series_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.readers.distributions import Series

    Labels = tuple[str, ...] | None


def pairs_of_fields(
    names: tuple[str | None, str | None],
    fields: Sequence[Sequence[Any] | None],
    failures: Sequence[Failure],
    line: Callable[[int], int],
) -> tuple[list[Pairs], list[Failure]]:
    """The pairs that rows are, those of one length and labels together, and what is wrong with the others.

    names: of the fields of P and Q, None for a side that a reference takes. fields: for each side its value in every
    row. failures: the rows that are none already.
    """
    wrong = {failure.row: failure for failure in failures}
    alike: dict[tuple[Any, ...], list[tuple[int, list[Series | None]]]] = {}
    for row in range(len(next(side for side in fields if side is not None))):
        if row in wrong:
            continue
        try:
            sides = [
                None if name is None or values is None else series_of(name, values[row], f"column {clipped(name)}")
                for name, values in zip(names, fields, strict=True)
            ]
        except KlcliError as error:
            wrong[row] = Failure(row, line(row), str(error), type(error))
            continue
        kind = tuple(None if side is None else (len(side.values), _labels(side)) for side in sides)
        alike.setdefault(kind, []).append((row, sides))
    pairs = [_together(names, kind, found, line) for kind, found in alike.items()]
    return pairs, [wrong[row] for row in sorted(wrong)]


def _labels(side: Series) -> Labels:
    return None if side.labels is None else tuple(side.labels)


def _together(
    names: tuple[str | None, str | None],
    kind: tuple[Any, ...],
    found: list[tuple[int, list[Series | None]]],
    line: Callable[[int], int],
) -> Pairs:
    rows = np.array([row for row, _ in found], dtype=np.intp)
    weights = []
    for which, of in enumerate(kind):
        values = None if of is None else [side.values for _, sides in found if (side := sides[which]) is not None]
        weights.append(None if values is None else np.array(values, dtype=np.float64).reshape(len(found), of[0]).T)
    labels = tuple(None if of is None else of[1] for of in kind)
    return Pairs(
        rows, weights[0], weights[1], (labels[0], labels[1]), Places(names, (labels[0], labels[1]), rows, line)
    )


class Places:
    """Where a weight of a field stands: the line, the field, and the item or the label in it."""

    def __init__(
        self,
        names: tuple[str | None, str | None],
        labels: tuple[Labels, Labels],
        rows: np.typing.NDArray[np.intp],
        line: Callable[[int], int],
    ) -> None:
        self._names, self._labels, self._rows, self._line = names, labels, rows, line

    def __call__(self, side: int, column: int, outcome: int) -> tuple[int, str]:
        """The place of one side's outcome in a column of the pairs."""
        labels = self._labels[side]
        inside = f"item {outcome + 1}" if labels is None else clipped(labels[outcome])
        return self._line(int(self._rows[column])), f"column {clipped(str(self._names[side]))}, {inside}"

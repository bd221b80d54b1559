"""Operations on the cells of a column, which an Arrow array holds, or a list where no table engine is loaded."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Cells = Any
    Places = npt.NDArray[np.intp]


def taken(cells: Cells, places: Places) -> Cells:
    """The cells at those places."""
    if isinstance(cells, list):
        return [cells[i] for i in places.tolist()]
    if isinstance(cells, np.ndarray):
        return cells[places]
    from klcli import arrow

    return arrow.taken(cells, places)


def as_text(cells: Cells) -> Cells:
    """The cells as strings: 1.0 as '1.0', nothing as ''."""
    if isinstance(cells, list):
        return ["" if cell is None else str(cell) for cell in cells]
    if isinstance(cells, np.ndarray):
        return list(map(repr, cells.tolist()))
    from klcli import arrow

    return arrow.as_text(cells)


def texts(cells: Cells) -> list[str]:
    """The cells of a column as text, each a string of Python's."""
    found = as_text(cells)
    listed: list[str] = found if isinstance(found, list) else found.to_pylist()
    return listed


def empty(cells: Cells, quote: str) -> list[int]:
    """The places of the cells in which nothing stands but white space, or quotes of that kind."""
    found, nothing = as_text(cells), f" \t\r\n\u00a0{quote}"
    if isinstance(found, list):
        return [i for i, cell in enumerate(found) if not cell.strip(nothing)]
    from klcli import arrow

    return arrow.of_nothing_but(found, nothing)


def changes(columns: Sequence[Cells], n: int) -> Places:
    """The rows in which a cell of some columns differs from the one above, the first row among them."""
    differ = np.zeros(n, dtype=bool)
    differ[:1] = True
    for cells in map(as_text, columns):
        if isinstance(cells, list):
            differ[1:] |= np.array([one != other for one, other in pairwise(cells)], dtype=bool)
        else:
            from klcli import arrow

            differ[1:] |= arrow.truths(arrow.call("not_equal", [cells[1:], cells[: max(n - 1, 0)]]))
    return np.flatnonzero(differ)


def codes(columns: Sequence[Cells], n: int) -> npt.NDArray[np.int64]:
    """A number for each row, equal where the cells of all columns are: they are compared, not hashed alone."""
    whole = np.zeros(n, dtype=np.int64)
    for cells in map(as_text, columns):
        if isinstance(cells, list):
            known: dict[str, int] = {}
            of = np.array([known.setdefault(cell, len(known)) for cell in cells], dtype=np.int64)
            size = len(known)
        else:
            from klcli import arrow

            of, size = arrow.codes(cells)
        whole = whole * max(size, 1) + of
        if size and n and whole.max() > (1 << 62) // (n + 1):
            _, whole = np.unique(whole, return_inverse=True)
    return whole

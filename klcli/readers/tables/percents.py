"""Percentages beside other numbers: in a column, or among the columns that hold the weights of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.readers.numbers import has_percent, is_blank, mixed_in_row, mixed_percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from klcli.model import Array
    from klcli.readers.tables.layout import Layout


def fault_of_row(
    sides: Sequence[Sequence[int]], names: Sequence[str], percent: Mapping[int, bool], values: Mapping[int, float]
) -> str:
    """What is wrong with a row where of one side some weights are percentages and some are not, '' for nothing.

    sides: the columns of each. percent: which columns hold a percentage in the row. A weight of 0 is either.
    """
    for side in sides:
        some = [i for i in side if values[i] and values[i] == values[i]]
        plain = [i for i in some if not percent.get(i)]
        if 0 < len(plain) < len(some):
            return mixed_in_row(names[plain[0]])
    return ""


def mixed_rows(percent: npt.NDArray[np.bool_], values: Array) -> npt.NDArray[np.bool_]:
    """The rows in which some weights are percentages, some are none. percent: (K, n) or (K, 1). values: (K, n)."""
    some = (values != 0) & ~np.isnan(values)
    return np.asarray((some & percent).any(axis=0) & (some & ~percent).any(axis=0))


def faults(layout: Layout, texts: Mapping[int, Sequence[str]], values: Mapping[int, Array]) -> dict[int, str]:
    """What is wrong with rows of a frame that hold percentages beside other numbers.

    texts: of the columns whose cells are text. values: of all columns of numbers, (rows,).
    """
    texts = {i: cells for i, cells in texts.items() if any("%" in cell for cell in cells)}
    found: dict[int, str] = {}
    for i, cells in texts.items():
        first = next(has_percent(cell) for cell in cells if not is_blank(cell))
        for row, cell in enumerate(cells):
            if not is_blank(cell) and has_percent(cell) != first:
                found.setdefault(row, mixed_percent(cell, layout.header[i]))
    sides = layout.across if texts else ()
    for row in range(len(next(iter(values.values()))) if sides else 0):
        percent = {i: has_percent(cells[row]) for i, cells in texts.items()}
        wrong = fault_of_row(sides, layout.header, percent, {i: float(of[row]) for i, of in values.items()})
        if wrong:
            found.setdefault(row, wrong)
    return found

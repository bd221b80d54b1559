"""Nested lists to arrays."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import InputError
from klcli.model import Distribution, frozen
from klcli.readers.documents import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.tensors import Index, Numbers

    Where = Callable[[Index], str]

_MOST_AXES = 64
"""NumPy's limit, and PyTorch's."""

NO_LABELS = "these are labels, and an array has none; give a list"


def brackets(name: str) -> Where:
    """NAME[1, 0], as NumPy indexes."""
    return lambda index: f"{name}[{', '.join(map(str, index))}]" if index else name


def count(things: Sequence[object], what: str) -> str:
    """'3 values', '1 value'."""
    return f"{len(things)} {what}{'' if len(things) == 1 else 's'}"


def at(i: int, shape: Sequence[int]) -> Index:
    """The index of the i-th value of an array of that shape."""
    return tuple(int(k) for k in np.unravel_index(i, tuple(shape)))


def several_axes(name: str, array: Numbers, source: str) -> Distribution:
    """An array as one distribution; the outcomes of several axes are '0,0', '0,1' ..., as its indices are."""
    labels, remarks = None, list[str]()
    if array.ndim > 1:
        labels = [",".join(map(str, index)) for index in np.ndindex(*array.shape)]
    if array.ndim == 2 and min(array.shape) > 1:  # noqa: PLR2004 - rows and columns
        rows, width = array.shape
        remarks.append(f"{source}: {rows} rows of {width} numbers are one distribution; --rows makes each row one")
    where = brackets(source)
    return Distribution(
        name, source, frozen(array.reshape(-1)), lambda i: where(at(i, array.shape)), labels, tuple(remarks)
    )


def stacked(value: Any, where: Where, how: str = "") -> Numbers:  # noqa: ANN401 - any JSON value
    """The array of float64 that nested lists are. Raises InputError for rows of different lengths and for non-numbers.

    how: what mends a null. Level by level rather than by recursion, so that a million numbers take a few operations on
    lists of them all.
    """
    shape: list[int] = []
    level = [value]
    while list in (kinds := set(map(type, level))):
        if len(shape) == _MOST_AXES:
            message = f"{where(())}: lists more than {_MOST_AXES} deep, which no array is"
            raise InputError(message)
        if kinds != {list} or len(set(map(len, level))) > 1:
            _refuse_ragged(level, lambda i: where(at(i, shape)))
        shape.append(len(level[0]))
        level = list(chain.from_iterable(level))
    try:
        if kinds <= {int, float}:
            return np.array(level, dtype=np.float64).reshape(shape)
    except OverflowError:  # an integer beyond the largest double
        pass
    return np.array([_number(leaf, lambda i: where(at(i, shape)), i, how) for i, leaf in enumerate(level)]).reshape(
        shape
    )


def _refuse_ragged(level: Sequence[Any], place: Callable[[int], str]) -> None:
    """Raises InputError for the first of some values that is not a list as long as the first is."""
    first = level[0]
    for i, value in enumerate(level):
        if not isinstance(value, list):
            _number(value, place, i)
        if isinstance(value, list) != isinstance(first, list):
            one, other = ("a list", "a number") if isinstance(value, list) else ("a number", "a list")
            message = f"{place(i)} is {one}, {place(0)} is {other}; give all or none in brackets"
            raise InputError(message)
        if isinstance(value, list) and len(value) != len(first):
            message = f"{place(i)} has {count(value, 'value')}, {place(0)} has {len(first)}; every row needs as many"
            raise InputError(message)


def _number(value: Any, place: Callable[[int], str], i: int, how: str = "") -> float:  # noqa: ANN401
    if value is None:
        message = f"{place(i)}: null is not a number{how}"
        raise InputError(message)
    if isinstance(value, dict):
        message = f"{place(i)}: {NO_LABELS}"
        raise InputError(message)
    # Arrow has more kinds of values than JSON: decimals, dates, bytes.
    return number_of(value if isinstance(value, int | float | str | list) else str(value), place, i)

"""Pairs whose difference floating point cannot hold, from exact integers.

A double is an integer times a power of two, so the weights of a distribution become Python integers A_i with one common
unit, p_i = A_i / A is a ratio of integers, and so are p_i - q_i and (p_i - q_i) / (p_i + q_i). Dividing two Python
integers rounds once, correctly, however large they are. One to two microseconds an outcome.
"""

from __future__ import annotations

from math import inf, log, log1p
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from klcli.engine.arrays import Array

_SMALLEST = 5e-324
"""The least double above 0."""


def integers(*rows: Array) -> tuple[list[list[int]], int]:
    """Each row's weights as integers in one unit, and that unit's inverse: weight = integer / inverse."""
    ratios = [[x.as_integer_ratio() for x in row.tolist()] for row in rows]
    inverse = max((d for row in ratios for _, d in row), default=1)
    return [[n * (inverse // d) for n, d in row] for row in ratios], inverse


def quotient(numerator: int, denominator: int) -> float:
    """numerator / denominator, rounded once; beyond the largest double, and x/0, infinite; 0/0 is 0."""
    if numerator == 0:
        return 0.0
    try:
        return numerator / denominator
    except (OverflowError, ZeroDivisionError):
        return inf if numerator > 0 else -inf


def share(part: int, whole: int) -> float:
    """part / whole, rounded once; never 0 for a part above 0, so that what has mass keeps it."""
    return quotient(part, whole) or (_SMALLEST if part else 0.0)


def log_quotient(numerator: int, denominator: int) -> float:
    """log(numerator / denominator), finite whenever both are positive, however far apart they are."""
    if numerator == 0 or denominator == 0:
        return -inf if numerator == 0 else inf
    shift = numerator.bit_length() - denominator.bit_length()
    if abs(shift) < 1000:  # noqa: PLR2004 - the quotient is a normal double
        return log(numerator / denominator)
    return log(numerator) - log(denominator)


def log_share(part: int, whole: int) -> float:
    """log(part / whole); above one half from what is missing, where the quotient alone would round it away."""
    if whole < 2 * part <= 2 * whole:
        return log1p(-quotient(whole - part, whole))
    return log_quotient(part, whole)


def column(values: Iterable[float]) -> Array:
    """A (K, 1) array."""
    return np.array(list(values), dtype=np.float64).reshape(-1, 1)

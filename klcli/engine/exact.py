"""Pairs from exact integers: those whose difference floating point cannot hold, and all that are small.

A double is an integer times a power of two, so the weights of a distribution become Python integers A_i with one common
unit, p_i = A_i / A is a ratio of integers, and so are p_i - q_i and (p_i - q_i) / (p_i + q_i). Dividing two Python
integers rounds once, correctly, however large they are. One to two microseconds an outcome.
"""

from __future__ import annotations

from functools import cached_property
from math import inf, log, log1p
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.terms import EVERYTHING, Far, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.terms import Where

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


class _ExactTerms(Terms):
    def __init__(self, pair: ExactPair, where: Where) -> None:
        chosen = range(len(pair.a))[where] if isinstance(where, slice) else where
        self._p = [(pair.a[i], pair.total_p) for i in chosen]
        self._q = [(pair.b[i], pair.total_q) for i in chosen]
        self._normalize = pair.normalize
        self._cross = [(a * pair.total_q, b * pair.total_p) for (a, _), (b, _) in zip(self._p, self._q, strict=True)]
        self._both = both = pair.total_p * pair.total_q
        super().__init__(
            column(share(*x) for x in self._p),
            column(share(*x) for x in self._q),
            column(quotient(x - y, both) for x, y in self._cross),
        )
        self.s = column(quotient(x - y, x + y) for x, y in self._cross)

    @cached_property
    def far(self) -> Far | None:
        far = super().far
        if far is not None and far.where is not None:
            far.log_ratio = column(log_quotient(*self._cross[i]) for i in far.where).ravel()
        return far

    @cached_property
    def log_p(self) -> Array:
        return column(self._logs(self._p))

    @cached_property
    def log_q(self) -> Array:
        return column(self._logs(self._q))

    def geometric_mean(self, weight: float, other: float) -> Array:
        # By logarithms: p or q may be below the smallest double.
        return np.exp(weight * self.log_p + other * self.log_q)

    def _logs(self, shares: list[tuple[int, int]]) -> Iterator[float]:
        logarithm = log_share if self._normalize else log_quotient
        return (logarithm(part, whole) for part, whole in shares)

    def chi2_terms(self) -> Array:
        return column(quotient((x - y) ** 2, self._both * y) for x, y in self._cross)


class ExactPair:
    """One aligned pair of any finite weights >= 0, in exact arithmetic. a, b: (K, 1). See `RoundedPair`."""

    def __init__(self, a: Array, b: Array, *, normalize: bool = True) -> None:
        self.normalize = normalize
        self.outcomes, self.columns = len(a), 1
        if normalize:
            ((self.a,), _), ((self.b,), _) = integers(a[:, 0]), integers(b[:, 0])
            self.total_p, self.total_q = sum(self.a), sum(self.b)
        else:
            (self.a, self.b), unit = integers(a[:, 0], b[:, 0])
            self.total_p = self.total_q = unit

    @property
    def tops(self) -> tuple[Mask, Mask]:
        """Where p and where q are largest, (K, 1) each."""
        most_p, most_q = max(self.a), max(self.b)
        return np.array([[x == most_p] for x in self.a]), np.array([[x == most_q] for x in self.b])

    def greatest_mean(self, weight: float, other: float) -> Array:  # noqa: ARG002
        """The logarithm 0: no share is below the least double here. See `RoundedPair.greatest_mean`."""
        return np.zeros(1)

    def slices(self) -> Iterator[slice]:
        """Everything at once: the integers are the cost, not the arrays."""
        yield EVERYTHING

    def terms(self, where: Where = EVERYTHING) -> Terms:
        """The outcomes chosen: a slice, or a list of indices."""
        return _ExactTerms(self, where)

    def summands(self, where: Where) -> Terms:
        """The terms at some outcomes, each of which is accurate by itself."""
        return self.terms(where)

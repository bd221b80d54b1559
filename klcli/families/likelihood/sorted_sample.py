"""Data as estimators want them: every distinct value once, in order, with how often it occurs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.special import log_gamma

if TYPE_CHECKING:
    from klcli.engine.arrays import Array


class SortedSample:
    """x: (m,), rising. weights: (m,), > 0; None where each is 1. n: their sum.

    Distinct values in order make counts cheap; bins, medians and the empirical distribution function are then found by
    looking up places.
    """

    def __init__(self, x: Array, weights: Array | None) -> None:
        self.x, self.weights = x, weights
        self.n = float(len(x) if weights is None else weights.sum())

    @classmethod
    def of(cls, values: Array, weights: Array | None) -> SortedSample:
        """Of values in any order, some of them equal. values, weights: (n,); those of weight 0 are dropped."""
        if weights is None:
            x = np.sort(values)
        else:
            kept = np.flatnonzero(weights > 0)
            order = kept[np.argsort(values[kept], kind="stable")]
            x, weights = values[order], weights[order]
        first = np.flatnonzero(np.concatenate(([True], x[1:] != x[:-1])))
        if len(first) < len(x):
            ones = np.diff(first, append=len(x)).astype(np.float64)
            weights = ones if weights is None else np.add.reduceat(weights, first)
            x = x[first]
        return cls(x, weights)

    def mean_of(self, f: Array) -> float:
        """The weighted mean of f, (m,), one number a value."""
        return float(f.mean() if self.weights is None else np.dot(self.weights, f) / self.n)

    @cached_property
    def mean(self) -> float:
        """The weighted mean of x."""
        return self.mean_of(self.x)

    @cached_property
    def variance(self) -> float:
        """The mean square deviation."""
        return self.mean_of(np.square(self.x - self.mean))

    @cached_property
    def sd(self) -> float:
        """The root of the variance, even where that has no number."""
        away = self.x - self.mean
        most = float(np.abs(away).max())
        return most * float(np.sqrt(self.mean_of(np.square(away / most))))

    @cached_property
    def log(self) -> SortedSample:
        """Of log x; all x > 0."""
        return SortedSample(np.log(self.x), self.weights)

    @cached_property
    def mean_log_factorial(self) -> float:
        """Of log x!; all x whole numbers from 0."""
        return self.mean_of(log_gamma(self.x + 1))

    @cached_property
    def upto(self) -> Array:
        """The share of values <= x, (m,)."""
        if self.weights is None:
            return np.arange(1, len(self.x) + 1) / self.n
        below = np.cumsum(self.weights)
        shares: Array = below / below[-1]
        return shares

    def quantiles(self, u: Array) -> Array:
        """The least values with a share of at least u at or below them."""
        places = np.searchsorted(self.upto, u * (1 - 1e-15))
        found: Array = self.x[np.minimum(places, len(self.x) - 1)]
        return found

    @cached_property
    def median(self) -> float:
        """Where half the weight lies below and half above: the middle of all such places."""
        i = min(int(np.searchsorted(self.upto, 0.5 * (1 - 1e-15))), len(self.x) - 1)
        even = i + 1 < len(self.x) and abs(float(self.upto[i]) - 0.5) <= 1e-15  # noqa: PLR2004
        return float(self.x[i] + 0.5 * (self.x[i + 1] - self.x[i])) if even else float(self.x[i])

    @cached_property
    def spread(self) -> float:
        """A scale: the interquartile range, or where that is 0 the standard deviation; > 0."""
        low, high = self.quantiles(np.array([0.25, 0.75]))
        return float(high - low) or self.sd

    def shifted(self, by: float, scale: float) -> SortedSample:
        """Of (x - by)/scale; a negative scale turns the order round."""
        turned = slice(None, None, -1 if scale < 0 else 1)
        return SortedSample(((self.x - by) / scale)[turned], None if self.weights is None else self.weights[turned])

    def thinned(self, most: int) -> SortedSample:
        """Itself, or `most` quantiles in its place: a sample to start from."""
        if len(self.x) <= most:
            return self
        return SortedSample(self.quantiles((np.arange(most) + 0.5) / most), None)

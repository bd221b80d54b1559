"""The uniform distribution between two numbers. Source: Johnson, Kotz & Balakrishnan 26."""

from __future__ import annotations

from math import expm1, inf, log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import log_ratio
from klcli.families.family import HIGH, LOW, Interval, scipy
from klcli.families.formula import Grid
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, added, mean_log
from klcli.families.special import within

if TYPE_CHECKING:
    from klcli.families.family import Array, Averages, Frozen, Parameters, SortedSample, SumOfTerms

_NARROW = 0.1
"""Of the upper end: a width below which moments of log x lose more than two digits."""


class Uniform(Interval):
    """uniform(low, high)."""

    parameters = (LOW, HIGH)
    ends = ("low", "high")

    @property
    def unit(self) -> tuple[float, float]:
        return (self.low + self.high) / 2, self.high - self.low

    def log_density(self, x: Array) -> Array:
        """-log(high - low), from low to high."""
        return within((x >= self.low) & (x <= self.high), np.full(np.shape(x), -self.log_width))

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.uniform(self.low, self.high, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).uniform(self.low, self.high - self.low)

    def centre(self) -> tuple[float, float]:
        return (self.low + self.high) / 2, (self.high - self.low) / 2

    def marks(self) -> list[float]:
        return [self.low, (self.low + self.high) / 2, self.high]

    def grid(self) -> Grid:
        return Grid(self.low, self.high, (self.high - self.low) / 100)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return log(self.high - self.low)

    def kl(self, q: Uniform) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        if self.low < q.low or self.high > q.high:
            return inf
        width, more = self.high - self.low, (self.low - q.low) + (q.high - self.high)
        return log1p(more / width) if more < width else log(q.high - q.low) - log(width)

    def moments(self) -> Moments:
        low, high = self.low, self.high
        width = high - low

        def absolute(m: float) -> float:
            if low < m < high:
                return ((m - low) ** 2 + (high - m) ** 2) / (2 * width)
            return abs(low + width / 2 - m)

        def log_power(k: float) -> float:
            """Relative to the upper end: h^k (1 - (l/h)^(k+1)) / ((k + 1) (1 - l/h))."""
            inner = -expm1((k + 1) * log_ratio(low, high)) if low > 0 else 1.0
            return k * log(high) + log(inner * high / ((k + 1) * width))

        positive = low >= 0 and width > _NARROW * high
        return Moments(
            low + width / 2,
            width * width / 12,
            absolute,
            lambda c: -c * low + log(-expm1(-c * width) / (c * width)),
            log=mean_log(low, high) if positive else nan,
            log_variance=1 - low * high * (log_ratio(high, low) / width) ** 2 if low > 0 else 1.0 if positive else nan,
            log_rest=mean_log(1 - high, 1 - low) if high <= 1 and width > _NARROW * (1 - low) else nan,
            log_power=log_power if positive else None,
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:  # noqa: ARG002
        return added(log(self.high - self.low))

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """The ends are the data's own; their errors shrink as 1/n and follow from no information matrix."""
        low, high = float(data.x[0]), float(data.x[-1])
        return LikelihoodEstimate({"low": low, "high": high}, {"low": nan, "high": nan}, -log(high - low))

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"low": mean - sqrt(3) * sd, "high": mean + sqrt(3) * sd}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        """The hull of the support."""
        return {"low": target.intervals()[0][0], "high": target.intervals()[-1][1]}

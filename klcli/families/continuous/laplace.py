"""The Laplace distribution. Source: Johnson, Kotz & Balakrishnan 24."""

from __future__ import annotations

from math import exp, expm1, inf, log, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import exp_excess, ratio_excess
from klcli.families.family import LocationScale, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, added, given

if TYPE_CHECKING:
    from klcli.families.family import Array, Averages, Frozen, Parameters, SortedSample, SumOfTerms


class Laplace(LocationScale):
    """laplace(mu, scale)."""

    least_growth = (1.0, 1.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.mu,)

    def log_density(self, x: Array) -> Array:
        """-abs(x - mu)/scale - log(2 scale)."""
        values: Array = -np.abs(x - self.mu) / self.scale - log(2 * self.scale)
        return values

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.laplace(self.mu, self.scale, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).laplace(self.mu, self.scale)

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return inf, 1 / self.scale

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return 1 + log(2 * self.scale)

    def kl(self, q: Laplace) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        ratio, away = self.scale / q.scale, abs(self.mu - q.mu)
        apart = away / self.scale
        shifted = ratio * exp_excess(-apart) if apart < 1 else away / q.scale + ratio * expm1(-apart)
        return ratio_excess(self.scale, q.scale) + shifted

    def moments(self) -> Moments:
        mu, scale = self.mu, self.scale

        def log_exponential(c: float) -> float:
            return -c * mu - log1p(-((c * scale) ** 2)) if c * scale < 1 else inf

        return Moments(
            mu, 2 * scale * scale, lambda m: abs(mu - m) + scale * exp(-abs(mu - m) / scale), log_exponential
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        level = (abs(m.mean) + abs(self.mu)) / self.scale
        return added(log(2 * self.scale), given(m.absolute, self.mu) / self.scale, beside=level)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        mu = data.median
        scale = data.mean_of(np.abs(data.x - mu))
        error = scale / sqrt(data.n)
        return LikelihoodEstimate({"mu": mu, "scale": scale}, {"mu": error, "scale": error}, -log(2 * scale) - 1)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"mu": mean, "scale": sd / sqrt(2)}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        """The median, and the mean distance from it."""
        middle, distance = target.middle()
        return {"mu": middle, "scale": distance}

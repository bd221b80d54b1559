"""The exponential distribution. Source: Johnson, Kotz & Balakrishnan 19."""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import log_ratio, ratio_excess, renyi_of_ratio
from klcli.families.family import RATE, Positive, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, added
from klcli.families.special import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.families.family import Array, Frozen, Mask, Parameters, SortedSample, SumOfTerms


class Exponential(Positive):
    """exponential(rate)."""

    parameters = (RATE,)
    instead = {"scale": ("rate", "inverse")}
    least_growth = (-inf, 1.0)
    needs, takes = "x >= 0", "0 or above"
    matches_moments = True
    rate: float

    @classmethod
    def holds(cls, x: Array) -> Mask:
        return x >= 0

    def log_density(self, x: Array) -> Array:
        """log rate - rate x, from 0."""
        return within(x >= 0, log(self.rate) - self.rate * x)

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.exponential(1 / self.rate, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).expon(scale=1 / self.rate)

    def centre(self) -> tuple[float, float]:
        return 1 / self.rate, 1 / self.rate

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return inf, self.rate

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return 1 - log(self.rate)

    def kl(self, q: Exponential) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return ratio_excess(q.rate, self.rate)

    def renyi(self, q: Exponential, alpha: float, rest: float) -> float:  # noqa: ARG002
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return renyi_of_ratio(log_ratio(q.rate, self.rate), rest)

    def wider(self) -> Mapping[str, Parameters]:
        return {"gamma": {"shape": 1.0, "rate": self.rate}, "weibull": {"shape": 1.0, "scale": 1 / self.rate}}

    def moments(self) -> Moments:
        rate = self.rate
        return Moments(
            1 / rate,
            1 / rate / rate,
            lambda m: 1 / rate - m if m <= 0 else m + (2 * exp(-rate * m) - 1) / rate,
            lambda c: -log1p(c / rate),
            log=-np.euler_gamma - log(rate),
            log_variance=pi * pi / 6,
            log_power=lambda k: lgamma(1 + k) - k * log(rate),
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        return added(self.rate * m.mean, -log(self.rate))

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        rate = 1 / data.mean
        return LikelihoodEstimate({"rate": rate}, {"rate": rate / sqrt(data.n)}, log(rate) - 1)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:  # noqa: ARG003
        return {"rate": 1 / mean}

"""The Poisson distribution. Source: Johnson, Kemp & Kotz 4."""

from __future__ import annotations

from math import log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import exp_excess, log_ratio, ratio_excess, renyi_bend
from klcli.families.family import RATE, Counts, scipy, whole_span, wide_tail
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.special import saddle_deviance, stirling_remainders, whole, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters, SortedSample


class Poisson(Counts):
    """poisson(rate)."""

    parameters = (RATE,)
    matches_moments = True
    rate: float

    def log_density(self, x: Array) -> Array:
        """k log rate - rate - log k!, in Loader's form."""
        inside = whole(x)
        held = np.asarray(np.where(inside & (x > 0), x, 1.0))
        values = -stirling_remainders(held) - saddle_deviance(held, self.rate) - 0.5 * np.log(2 * pi * held)
        return within(inside, np.where(x == 0, -self.rate, values))

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.poisson(self.rate, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).poisson(self.rate)

    def span(self) -> tuple[float, float]:
        return whole_span(self.rate, wide_tail(self.rate))

    def kl(self, q: Poisson) -> float:
        """Bregman's divergence of the log-partition. Source: Banerjee et al. 2005, table 1."""
        return self.rate * ratio_excess(q.rate, self.rate)

    def renyi(self, q: Poisson, alpha: float, rest: float) -> float:  # noqa: ARG002
        """By the log-partition. Source: van Erven & Harremoes 2014."""
        return self.rate * renyi_bend(log_ratio(q.rate, self.rate), rest, exp_excess)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        rate = data.mean
        value = rate * log(rate) - rate - data.mean_log_factorial
        return LikelihoodEstimate({"rate": rate}, {"rate": sqrt(rate / data.n)}, value)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:  # noqa: ARG003
        return {"rate": mean}

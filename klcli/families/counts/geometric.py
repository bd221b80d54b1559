"""The geometric distribution, of failures before the first success. Source: Johnson, Kemp & Kotz 5."""

from __future__ import annotations

from math import inf, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.counts.negative_binomial import waiting_span
from klcli.families.differences import coin_entropy, two_outcomes
from klcli.families.family import P_ABOVE_0, Counts, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.special import times_log1p, whole, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.families.family import Array, Frozen, Parameters, SortedSample


class Geometric(Counts):
    """geometric(p)."""

    parameters = (P_ABOVE_0,)
    matches_moments = True
    p: float

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 0.0 if self.p == 1 else inf

    def log_density(self, x: Array) -> Array:
        """log p + k log(1 - p)."""
        inside = whole(x)
        return within(inside, log(self.p) + times_log1p(np.where(inside, x, 0.0), self.p))

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.geometric(self.p, n) - 1

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).geom(self.p, loc=-1)

    def span(self) -> tuple[float, float]:
        return waiting_span(1.0, self.p)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, problem 2.1."""
        return coin_entropy(self.p) / self.p

    def kl(self, q: Geometric) -> float:
        """1/p coins. Source: Wald's identity."""
        return two_outcomes(self.p, q.p) / self.p

    def wider(self) -> Mapping[str, Parameters]:
        return {"negative_binomial": {"r": 1.0, "p": self.p}}

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        p = 1 / (1 + data.mean)
        rest = data.mean / (1 + data.mean)
        return LikelihoodEstimate({"p": p}, {"p": p * sqrt(rest / data.n)}, log(p) + data.mean * log(rest))

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:  # noqa: ARG003
        return {"p": 1 / (1 + mean)}

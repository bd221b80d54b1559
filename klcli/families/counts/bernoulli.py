"""The Bernoulli distribution, of one coin. Source: Johnson, Kemp & Kotz 3."""

from __future__ import annotations

from math import log, log1p, sqrt
from typing import TYPE_CHECKING

from klcli.families.catalogue import FINITE
from klcli.families.counts.binomial import Binomial
from klcli.families.differences import coin_entropy, two_outcomes
from klcli.families.family import Counts, P, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from klcli.families.family import Array, Frozen, Mask, Parameters, SortedSample


class Bernoulli(Counts):
    """bernoulli(p), where p is the mass of 1."""

    kind = FINITE
    parameters = (P,)
    needs, takes = "0 or 1", "0 or 1"
    p: float

    @classmethod
    def holds(cls, x: Array) -> Mask:
        inside: Mask = (x == 0) | (x == 1)
        return inside

    @property
    def _one_trial(self) -> Binomial:
        return Binomial(n=1.0, p=self.p)

    @property
    def support(self) -> tuple[float, float]:
        return self._one_trial.support

    def masses(self) -> tuple[float, ...]:
        return 1 - self.p, self.p

    def log_density(self, x: Array) -> Array:
        """log p of 1, log(1 - p) of 0."""
        return self._one_trial.log_density(x)

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.binomial(1, self.p, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).bernoulli(self.p)

    def span(self) -> tuple[float, float]:
        return 0.0, 1.0

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, 2.1."""
        return coin_entropy(self.p)

    def kl(self, q: Bernoulli) -> float:
        """Source: Cover & Thomas 2006, 2.3."""
        return two_outcomes(self.p, q.p)

    def wider(self) -> Mapping[str, Parameters]:
        return {"binomial": {"n": 1, "p": self.p}, "categorical": {"p": self.masses()}}

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        p = data.mean
        return LikelihoodEstimate({"p": p}, {"p": sqrt(p * (1 - p) / data.n)}, p * log(p) + (1 - p) * log1p(-p))

"""The normal distribution. Source: Johnson, Kotz & Balakrishnan 13."""

from __future__ import annotations

from math import erf, exp, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import LOG_2_PI, ROOT_2, excess, log_ratio, renyi_of_normals
from klcli.families.family import MU, SD, LocationScale, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, added
from klcli.families.special import NEAR

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters, SortedSample, SumOfTerms


class Normal(LocationScale):
    """normal(mu, sd)."""

    parameters = (MU, SD)
    instead = {"var": ("sd", "root")}
    least_growth = (2.0, 2.0)
    matches_moments = True
    sd: float

    @property
    def scale(self) -> float:  # type: ignore[override]
        """Its standard deviation."""
        return self.sd

    def log_density(self, x: Array) -> Array:
        """-(z^2)/2 - log(sd sqrt(2 pi)), z = (x - mu)/sd."""
        z = (x - self.mu) / self.sd
        with np.errstate(over="ignore"):
            return -0.5 * z * z - (log(self.sd) + 0.5 * log(2 * pi))

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.normal(self.mu, self.sd, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).norm(self.mu, self.sd)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return log(self.sd) + 0.5 * (1 + LOG_2_PI)

    def kl(self, q: Normal) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        z = (self.mu - q.mu) / q.sd
        u, ratio = (self.sd - q.sd) / q.sd, self.sd / q.sd
        spread = excess(u * (2 + u)) if abs(u) < NEAR else ratio * ratio - 1 - 2 * log_ratio(self.sd, q.sd)
        return 0.5 * (spread + z * z)

    def renyi(self, q: Normal, alpha: float, rest: float) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return renyi_of_normals([2 * log_ratio(self.sd, q.sd)], [(self.mu - q.mu) / q.sd], alpha, rest)

    def total_variation(self, q: Normal) -> float | None:
        """2 Phi(d/2) - 1 for equal sd. Source: Devroye, Mehrabian & Reddad 2018."""
        return erf(abs(self.mu - q.mu) / (2 * ROOT_2 * self.sd)) if self.sd == q.sd else None

    def moments(self) -> Moments:
        mu, sd = self.mu, self.sd

        def absolute(m: float) -> float:
            z = (mu - m) / sd
            return sd * sqrt(2 / pi) * exp(-z * z / 2) + (mu - m) * erf(z / ROOT_2)

        return Moments(mu, sd * sd, absolute, lambda c: -c * mu + (c * sd) ** 2 / 2)

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        z = (m.mean - self.mu) / self.sd
        spread, apart = 0.5 * m.variance / self.sd / self.sd, 0.5 * z * z
        return added(
            log(self.sd), 0.5 * LOG_2_PI, spread, apart, beside=abs(z) * (abs(m.mean) + abs(self.mu)) / self.sd
        )

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        sd = data.sd
        errors = {"mu": sd / sqrt(data.n), "sd": sd / sqrt(2 * data.n)}
        return LikelihoodEstimate({"mu": data.mean, "sd": sd}, errors, -log(sd) - 0.5 * log(2 * pi) - 0.5)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"mu": mean, "sd": sd}

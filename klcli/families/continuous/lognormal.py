"""The lognormal distribution; mu and sd are of the logarithm. Source: Johnson, Kotz & Balakrishnan 14."""

from __future__ import annotations

from math import exp, expm1, inf, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.normal import Normal
from klcli.families.differences import LOG_2_PI
from klcli.families.family import MU, SD, STEPS, Positive, rising, scipy
from klcli.families.moments import Moments, absolute_moment, added, bounded_exp, phi
from klcli.families.special import log_over, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Averages, Frozen, LikelihoodEstimate, Parameters, SortedSample, SumOfTerms


class Lognormal(Positive):
    """lognormal(mu, sd)."""

    parameters = (MU, SD)
    instead = {"var": ("sd", "root")}
    least_growth = (-inf, 0.0)
    movable = False
    mu: float
    sd: float

    @property
    def log(self) -> Normal:
        """The distribution of the logarithm."""
        return Normal(mu=self.mu, sd=self.sd)

    def log_density(self, x: Array) -> Array:
        """The normal density of log x, divided by x."""
        middle = min(max(self.mu, -700.0), 700.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            away = log_over(np.maximum(x, 0.0), exp(middle)) + (middle - self.mu)  # whose digits log x - mu has not
            return within(x > 0, Normal(mu=0.0, sd=self.sd).log_density(away) - (away + self.mu))

    def log_density_above_0(self, t: Array) -> Array:
        return self.log.log_density(t) - t

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.lognormal(self.mu, self.sd, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).lognorm(self.sd, scale=np.exp(self.mu))

    def centre(self) -> tuple[float, float]:
        return self.mu, 0.0

    def marks(self) -> list[float]:
        """Evenly in the logarithm."""
        logs = (self.mu + s * k * self.sd for k in STEPS for s in (-1, 1))
        return rising((exp(min(max(x, -700), 700)) for x in logs), self.cover)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return self.mu + log(self.sd) + 0.5 * (1 + LOG_2_PI)

    def kl(self, q: Lognormal) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return self.log.kl(q.log)

    def renyi(self, q: Lognormal, alpha: float, rest: float) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return self.log.renyi(q.log, alpha, rest)

    def total_variation(self, q: Lognormal) -> float | None:
        """Source: as of the logarithms."""
        return self.log.total_variation(q.log)

    def moments(self) -> Moments:
        mu, sd = self.mu, self.sd
        mean = bounded_exp(mu + sd * sd / 2)
        below = absolute_moment(mean, lambda m: phi((log(m) - mu) / sd), lambda m: phi((log(m) - mu) / sd - sd))
        spread = expm1(sd * sd) if sd < 26 else inf  # noqa: PLR2004 - e^(26^2) still fits a double
        return Moments(
            mean,
            spread * mean * mean,
            below,
            log=mu,
            log_variance=sd * sd,
            log_power=lambda k: k * mu + (k * sd) ** 2 / 2,
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        of_log = self.log.cross_entropy(Moments(m.log, m.log_variance))
        z = (m.log - self.mu) / self.sd
        return added(m.log, of_log.value, beside=of_log.size + (1 + abs(m.log)) * abs(z) / self.sd)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        found = Normal.estimate(data.log)
        return found._replace(log_likelihood=found.log_likelihood - data.log.mean)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        var = float(np.log1p((sd / mean) ** 2))
        return {"mu": log(mean) - var / 2, "sd": sqrt(var)}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        mu = target.expectation(np.log)
        return {"mu": mu, "sd": sqrt(target.expectation(lambda x: (np.log(x) - mu) ** 2))}

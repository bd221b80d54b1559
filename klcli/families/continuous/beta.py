"""The beta distribution. Source: Johnson, Kotz & Balakrishnan 25."""

from __future__ import annotations

from math import log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import (
    LOG_2_PI,
    digamma_step,
    dirichlet_entropy,
    dirichlet_kl,
    log_beta,
    log_gamma_ratio,
    stirling_remainder,
    trigamma,
)
from klcli.families.family import Continuous, scipy
from klcli.families.formula import Grid, Parameter
from klcli.families.likelihood.ascent import LikelihoodEstimate, ascend
from klcli.families.moments import Moments, absolute_moment, added
from klcli.families.special import LARGE, exponential_excess, log_shares, within, xlogy

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Mask, Parameters, SortedSample, SumOfTerms

_FAR = 1e-3
"""A b/a below which the two trigammas of log x's variance cancel."""


class Beta(Continuous):
    """beta(a, b), from 0 to 1."""

    parameters = (Parameter("a", low=0), Parameter("b", low=0))
    cover = (0.0, 1.0)
    steep = (0.0, 1.0)
    movable = False
    needs, takes = "0 < x < 1", "between 0 and 1"
    a: float
    b: float

    @classmethod
    def holds(cls, x: Array) -> Mask:
        return (x > 0) & (x < 1)

    def log_density(self, x: Array) -> Array:
        """(a - 1) log x + (b - 1) log(1 - x) - log B(a, b); for large a or b in Loader's form."""
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.where(self.b == 1, 0.0, (self.b - 1) * np.log1p(-x))
        values = within((x >= 0) & (x <= 1), self._constant + xlogy(self.a - 1, x) + rest)
        if max(self.a, self.b) < LARGE:
            return values
        inside = (x > 0) & (x < 1)
        held = np.where(inside, x, 0.5)
        return np.where(inside, log_shares(np.array([self.a, self.b]), np.stack((held, 1 - held), axis=-1)), values)

    @property
    def _peak(self) -> float:
        """The log density of the logit of x at its mode, a/(a + b)."""
        a, b, n = self.a, self.b, self.a + self.b
        remainders = stirling_remainder(n) - stirling_remainder(a) - stirling_remainder(b)
        return remainders + 0.5 * (log(max(a, b) / n) + log(min(a, b)) - LOG_2_PI)

    @property
    def _constant(self) -> float:
        return -log_beta(self.a, self.b)

    def log_density_above_0(self, t: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if max(self.a, self.b) >= LARGE:
                logs = (self.a, t, log1p(self.b / self.a)), (self.b, np.log(-np.expm1(t)), log1p(self.a / self.b))
                return within(
                    t <= 0, self._peak - np.sum([k * exponential_excess(y + less) + y for k, y, less in logs], axis=0)
                )
            rest = np.where(self.b == 1, 0.0, (self.b - 1) * np.log1p(-np.exp(t)))
        return within(t <= 0, self._constant + (self.a - 1) * t + rest)

    def log_density_below_1(self, t: Array) -> Array:
        return Beta(a=self.b, b=self.a).log_density_above_0(t)

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.beta(self.a, self.b, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).beta(self.a, self.b)

    def centre(self) -> tuple[float, float]:
        whole = self.a + self.b
        return self.a / whole, sqrt(self.a * self.b / (whole + 1)) / whole

    def marks(self) -> list[float]:
        """Also the middle, from which on the distance from 1 is what counts."""
        return sorted({*super().marks(), 0.5})

    def grid(self) -> Grid:
        return Grid(0.005, 1, 0.01)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return dirichlet_entropy((self.a, self.b))

    def kl(self, q: Beta) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return dirichlet_kl((self.a, self.b), (q.a, q.b))

    def moments(self) -> Moments:
        special = scipy("special", "the incomplete beta function")
        a, b = self.a, self.b
        mean = a / (a + b)

        def below(m: float, more: float = 0) -> float:
            return float(special.betainc(a + more, b, min(m, 1.0)))

        return Moments(
            mean,
            mean * (b / (a + b)) / (a + b + 1),
            absolute_moment(mean, below, lambda m: below(m, 1)),
            log=-digamma_step(a, b),
            log_rest=-digamma_step(b, a),
            log_variance=trigamma(a) - trigamma(a + b) if b > _FAR * a else nan,
            log_power=lambda k: log_gamma_ratio(a, k) - log_gamma_ratio(a + b, k),
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        whole = log_beta(self.a, self.b), -(self.a - 1) * m.log, -(self.b - 1) * m.log_rest
        return added(*whole, beside=abs(self.a - 1) + abs(self.b - 1))

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        special = scipy("special", "fit")
        means = np.array([data.log.mean, data.mean_of(np.log1p(-data.x))])

        def objective(point: Array) -> tuple[float, Array, Array]:
            each = np.exp(point)
            whole = each.sum()
            value = float((each - 1) @ means + special.gammaln(whole) - special.gammaln(each).sum())
            slope = means - special.digamma(each) + special.digamma(whole)
            bent = special.polygamma(1, whole) - np.diag(special.polygamma(1, each))
            return value, slope * each, bent * np.outer(each, each) + np.diag(slope * each)

        held = max(data.mean * (1 - data.mean) / data.variance - 1, 1e-3)
        start = np.log(np.array([data.mean, 1 - data.mean]) * held)
        top = ascend(objective, start, np.log(1e-6), np.log(1e12))
        # At the top an error of a logarithm is one relative to the parameter.
        values = np.exp(top.point)
        errors = values * np.sqrt(np.diag(top.covariance(data.n)))
        remarks = [f"{name} at a bound" for name, at in zip("ab", top.bound, strict=True) if at]
        return LikelihoodEstimate(
            dict(zip("ab", values.tolist(), strict=True)),
            dict(zip("ab", errors.tolist(), strict=True)),
            top.value,
            (*remarks, *top.remarks),
        )

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        mean = min(max(mean, 0.02), 0.98)
        n = max(mean * (1 - mean) / sd**2 - 1, 0.5)
        return {"a": mean * n, "b": (1 - mean) * n}

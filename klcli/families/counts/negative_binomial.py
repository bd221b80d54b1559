"""The negative binomial distribution, of failures before the r-th success. Source: Johnson, Kemp & Kotz 5."""

from __future__ import annotations

from math import inf, log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import two_outcomes
from klcli.families.family import P_ABOVE_0, Counts, scipy
from klcli.families.formula import Parameter
from klcli.families.likelihood.ascent import LikelihoodEstimate, ascend, errors_of_two
from klcli.families.special import log_binomial, log_rising, whole, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Objective, Parameters, SortedSample

_MANY = 1e4
"""How often the mean r may be: there it is within 1e-8 nats of a Poisson."""

_LARGE = 1e3
"""An r above which Stirling's series is taken for its likelihood."""


class NegativeBinomial(Counts):
    """negative_binomial(r, p)."""

    parameters = (Parameter("r", low=0, searched=(1e-4, 1e5)), P_ABOVE_0)
    r: float
    p: float

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 0.0 if self.p == 1 else inf

    def log_density(self, x: Array) -> Array:
        """log Gamma(k + r) - log Gamma(r) - log k! + r log p + k log(1 - p)."""
        inside = whole(x)
        held = np.where(inside, x, 0.0)
        r = np.asarray(self.r)
        return within(inside, log_binomial(r, held, self.p) - np.log1p(held / r))

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.negative_binomial(self.r, self.p, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).nbinom(self.r, self.p)

    def span(self) -> tuple[float, float]:
        return waiting_span(self.r, self.p)

    def kl(self, q: NegativeBinomial) -> float | None:
        """r/p coins, where r is the same. Source: Wald's identity."""
        return self.r / self.p * two_outcomes(self.p, q.p) if self.r == q.r else None

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """Over r alone, for p = r/(r + mean). It has a finite top exactly where the variance exceeds the mean.

        Source: Levin & Reeds 1977, Compound multinomial likelihood functions are unimodal.
        """
        special = scipy("special", "fit")
        mean, most = data.mean, _MANY * max(1.0, data.mean)
        objective = _objective(data)
        over = data.variance - mean
        r = min(most, mean**2 / over) if over > 0 else most
        remarks: tuple[str, ...] = ()
        if r < most:
            top = ascend(objective, np.log([r]), np.log(1e-9), log(most))
            r, remarks = float(np.exp(top.point[0])), top.remarks
        p = r / (r + mean)
        value = objective(np.log([r]))[0] - data.mean_log_factorial
        if r >= most:
            remarks = (f"r at a bound, {r:g}: as of a poisson", *remarks)
            return LikelihoodEstimate({"r": r, "p": p}, {"r": nan, "p": nan}, value, remarks)
        rr = float(special.polygamma(1, r)) - data.mean_of(special.polygamma(1, data.x + r))
        pp = r / p**2 + mean / ((1 - p) * (1 - p))
        errors = errors_of_two(rr, -1 / p, pp, data.n)
        return LikelihoodEstimate({"r": r, "p": p}, {"r": errors[0], "p": errors[1]}, value, remarks)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        r = mean * mean / (sd * sd - mean) if sd * sd > 1.001 * mean else 1e3
        return {"r": r, "p": r / (r + mean)}


def waiting_span(r: float, p: float) -> tuple[float, float]:
    """The whole numbers that hold all but 1e-40 of the failures before the r-th success."""
    rate = -log1p(-p) if p < 1 else inf
    mean = r * (1 - p) / p
    tail = (110 + 2 * sqrt(110 * r)) / rate + 16 * sqrt(mean / p) + 4
    return 0.0, float(np.ceil(mean + tail))


def _objective(data: SortedSample) -> Objective:
    special, mean = scipy("special", "fit"), data.mean

    def objective(point: Array) -> tuple[float, Array, Array]:
        r = float(np.exp(point[0]))
        if r < _LARGE:
            slope = data.mean_of(special.digamma(data.x + r)) - float(special.digamma(r)) - log1p(mean / r)
        else:  # Stirling's series, whose differences keep their digits
            y, less = data.x + r, data.x / r
            away = (data.x - mean) / (r + mean)
            slope = data.mean_of(np.log1p(away) - away + less / (2 * y) + less * (y + r) / (12 * r * y * y))
        value = data.mean_of(log_rising(r, data.x)) - r * log1p(mean / r) - mean * log1p(r / mean)
        bent = data.mean_of(special.polygamma(1, data.x + r)) - float(special.polygamma(1, r)) + mean / (r * (r + mean))
        return value, np.array([slope * r]), np.array([[bent * r * r + slope * r]])

    return objective

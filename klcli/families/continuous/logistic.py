"""The logistic distribution. Source: Johnson, Kotz & Balakrishnan 23."""

from __future__ import annotations

from math import exp, inf, log, log1p, pi, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.family import LocationScale, scipy
from klcli.families.likelihood.location_scale import LEAST_LOG_SCALE, placed, top_of
from klcli.families.moments import Moments

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, LikelihoodEstimate, Objective, Parameters, SortedSample


class Logistic(LocationScale):
    """logistic(mu, scale)."""

    least_growth = (1.0, 1.0)

    def log_density(self, x: Array) -> Array:
        """-abs(z) - 2 log(1 + e^-abs(z)) - log scale."""
        z = np.abs(x - self.mu) / self.scale
        values: Array = -z - 2 * np.log1p(np.exp(-z)) - log(self.scale)
        return values

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.logistic(self.mu, self.scale, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).logistic(self.mu, self.scale)

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return inf, 1 / self.scale

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return log(self.scale) + 2

    def moments(self) -> Moments:
        mu, scale = self.mu, self.scale

        def log_exponential(c: float) -> float:
            return -c * mu + log(pi * c * scale / sin(pi * c * scale)) if c * scale < 1 else inf

        def absolute(m: float) -> float:
            return abs(mu - m) + 2 * scale * log1p(exp(-abs(mu - m) / scale))

        return Moments(mu, (pi * scale) ** 2 / 3, absolute, log_exponential)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        top = top_of(_objective, data, (0.0, log(0.455)), (-inf, LEAST_LOG_SCALE), (inf, inf))
        return placed(data, top)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"mu": mean, "scale": sd * sqrt(3) / pi}


def _objective(data: SortedSample) -> Objective:
    def objective(point: Array) -> tuple[float, Array, Array]:
        scale, mean = exp(point[1]), data.mean_of
        z = (data.x - point[0]) / scale
        # log cosh(z/2) = abs(z)/2 + log1p(e^-abs(z)) - log 2
        size = np.abs(z)
        value = -point[1] - mean(size) - 2 * mean(np.log1p(np.exp(-size)))
        t = np.tanh(0.5 * z)
        u = 0.5 * (1 - t * t)
        zu = z * u
        slope, weighed = mean(t) / scale, mean(z * t)
        mixed = -slope - mean(zu) / scale
        bent = [[-mean(u) / scale**2, mixed], [mixed, -weighed - mean(z * zu)]]
        return value, np.array([slope, weighed - 1]), np.array(bent)

    return objective

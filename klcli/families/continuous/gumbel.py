"""The Gumbel distribution, of maxima. Source: Johnson, Kotz & Balakrishnan 22."""

from __future__ import annotations

from math import exp, inf, lgamma, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import extreme_value_kl
from klcli.families.family import LocationScale, scipy
from klcli.families.likelihood.ascent import Top, ascend
from klcli.families.likelihood.location_scale import FEW, LEAST_LOG_SCALE, placed
from klcli.families.moments import Moments, added, bounded_exp, given

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, LikelihoodEstimate, Objective, Parameters, SortedSample, SumOfTerms


class Gumbel(LocationScale):
    """gumbel(mu, scale)."""

    least_growth = (inf, 1.0)

    def log_density(self, x: Array) -> Array:
        """-z - e^-z - log scale."""
        z = (x - self.mu) / self.scale
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(z == -np.inf, -np.inf, -z - np.exp(-z) - log(self.scale))

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.gumbel(self.mu, self.scale, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).gumbel_r(self.mu, self.scale)

    def decay(self, side: int) -> tuple[float, float]:
        return inf, 1 / self.scale if side > 0 else inf

    def entropy(self) -> float:
        """Source: Lazo & Rathie 1978."""
        return log(self.scale) + np.euler_gamma + 1

    def kl(self, q: Gumbel) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        ratio, step = self.scale / q.scale, (self.scale - q.scale) / q.scale
        return extreme_value_kl(ratio, step, (q.mu - self.mu) / q.scale)

    def moments(self) -> Moments:
        mu, scale = self.mu, self.scale
        return Moments(
            mu + np.euler_gamma * scale,
            (pi * scale) ** 2 / 6,
            log_exponential=lambda c: -c * mu + lgamma(1 + c * scale),
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        c = 1 / self.scale
        grown, moved = given(m.log_exponential, c), self.mu * c
        raised = bounded_exp(grown + moved)
        inner = (abs(m.mean) + abs(self.mu)) * c + raised * (abs(grown) + abs(moved))
        return added(log(self.scale), (m.mean - self.mu) * c, raised, beside=inner)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """Over log scale alone, which no outlier makes overflow; mu follows from it."""
        scaled = data.shifted(data.median, data.spread)
        few = scaled.thinned(FEW)
        point = np.array([log(0.636)])
        for some in (few,) if few is scaled else (few, scaled):
            top = ascend(_profile(some), point, LEAST_LOG_SCALE)
            point = top.point
        scale = exp(point[0])
        least = float(scaled.x[0])
        mu = least - scale * log(scaled.mean_of(np.exp((least - scaled.x) / scale)))
        whole = np.array([mu, point[0]])
        value, _, hessian = _objective(scaled)(whole)
        return placed(data, Top(whole, value, hessian, np.array([False, *top.bound]), top.converged))

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"mu": mean - np.euler_gamma * sd * sqrt(6) / pi, "scale": sd * sqrt(6) / pi}


def _objective(data: SortedSample) -> Objective:
    def objective(point: Array) -> tuple[float, Array, Array]:
        scale, mean = exp(point[1]), data.mean_of
        z = (data.x - point[0]) / scale
        e = np.exp(-z)
        middle, whole = mean(z), mean(e)
        e *= z
        first = mean(e)
        e *= z
        slope = (1 - whole) / scale
        mixed = -slope - first / scale
        bent = [[-whole / scale**2, mixed], [mixed, -middle + first - mean(e)]]
        value = -point[1] - middle - whole
        return (value if np.isfinite(value) else -np.inf), np.array([slope, middle - first - 1]), np.array(bent)

    return objective


def _profile(data: SortedSample) -> Objective:
    """The likelihood of log scale, mu being the best for each."""
    least = float(data.x[0])
    down = least - data.x

    def objective(point: Array) -> tuple[float, Array, Array]:
        scale = exp(point[0])
        e = np.exp(down / scale)
        whole = data.mean_of(e)
        e *= down
        middle = -data.mean_of(e) / whole
        e *= down
        spread = data.mean_of(e) / whole - middle**2
        pull = (data.mean - least - middle) / scale
        value = -point[0] - (data.mean - least) / scale - log(whole) - 1
        return value, np.array([pull - 1]), np.array([[-pull - spread / scale**2]])

    return objective

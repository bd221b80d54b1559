"""The skew normal distribution. Source: Azzalini 1985, A class of distributions which includes the normal ones."""

from __future__ import annotations

from math import copysign, exp, hypot, inf, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.normal import Normal
from klcli.families.family import MU, SCALE, STEPS, LocationScale, scipy
from klcli.families.formula import Parameter
from klcli.families.likelihood.location_scale import LEAST_LOG_SCALE, placed, top_of
from klcli.families.special import log_normal_below

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, LikelihoodEstimate, Objective, SortedSample

_MOST = 1e3
"""Of the shape, up and down: beyond, it is a half-normal distribution to 1e-3 of its scale."""


class SkewNormal(LocationScale):
    """skew_normal(mu, scale, shape): density 2/scale phi(z) Phi(shape z)."""

    parameters = (MU, SCALE, Parameter("shape"))
    least_growth = (2.0, 2.0)
    nests = "normal"
    shape: float

    def log_density(self, x: Array) -> Array:
        """log 2 + the normal density's + log Phi(shape z)."""
        with np.errstate(over="ignore"):
            z = (x - self.mu) / self.scale
            return log(2) + Normal(mu=self.mu, sd=self.scale).log_density(x) + log_normal_below(self.shape * z)

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        delta = self.shape / hypot(1.0, self.shape)
        z = delta * np.abs(generator.normal(size=n)) + generator.normal(size=n) / hypot(1.0, self.shape)
        return self.mu + self.scale * z

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).skewnorm(self.shape, self.mu, self.scale)

    def marks(self) -> list[float]:
        """Of its scale, and of that on which Phi(shape z) rises."""
        scales = self.scale, self.scale / max(1.0, abs(self.shape))
        return sorted({self.mu + sign * k * scale for scale in scales for k in STEPS for sign in (-1, 1)})

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """From the normal distribution with the data's skewness, on whose side the shape is then looked for."""
        z = (data.x - data.mean) / data.sd
        skew = float(np.clip(data.mean_of(z**3), -0.95, 0.95))
        size = abs(skew) ** (2 / 3)
        delta = copysign(sqrt(pi / 2 * size / (size + (2 - pi / 2) ** (2 / 3))), skew)
        width = data.sd / data.spread / sqrt(1 - 2 * delta * delta / pi)
        middle = (data.mean - data.median) / data.spread - width * delta * sqrt(2 / pi)
        start = middle, log(width), delta / sqrt(1 - delta * delta)
        top = top_of(_objective, data, start, (-inf, LEAST_LOG_SCALE, -_MOST), (inf, inf, _MOST))
        found, shape = placed(data, top), float(top.point[2])
        remarks = (f"shape at a bound, {shape:g}: as of a half-normal",) if top.bound[2] else ()
        return found._replace(
            parameters={**found.parameters, "shape": shape},
            errors={**found.errors, "shape": float(np.sqrt(top.covariance(data.n)[2, 2]))},
            remarks=(*remarks, *found.remarks),
        )


def _objective(data: SortedSample) -> Objective:
    def objective(point: Array) -> tuple[float, Array, Array]:
        (mu, _, shape), scale, mean = point, exp(point[1]), data.mean_of
        z = (data.x - mu) / scale
        below = log_normal_below(shape * z)
        pull = np.exp(-0.5 * np.square(shape * z) - 0.5 * log(2 * pi) - below)  # the derivative of log Phi
        bend = -pull * (shape * z + pull)
        slope, curve, mixed = shape * pull - z, shape * shape * bend - 1, pull + shape * z * bend
        gradient = [-mean(slope) / scale, -1 - mean(z * slope), mean(z * pull)]
        mu_log, mu_shape, log_shape = mean(slope + z * curve) / scale, -mean(mixed) / scale, -mean(z * mixed)
        hessian = [
            [mean(curve) / scale**2, mu_log, mu_shape],
            [mu_log, mean(z * slope + z * z * curve), log_shape],
            [mu_shape, log_shape, mean(z * z * bend)],
        ]
        value = log(2) - 0.5 * log(2 * pi) - point[1] - mean(z * z) / 2 + mean(below)
        return value, np.array(gradient), np.array(hessian)

    return objective

"""The Weibull distribution. Source: Johnson, Kotz & Balakrishnan 21."""

from __future__ import annotations

from math import exp, expm1, gamma, inf, isfinite, lgamma, log, pi
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from klcli.families.continuous.gumbel import Gumbel
from klcli.families.differences import extreme_value_kl, log_ratio
from klcli.families.family import SCALE, SHAPE, Positive, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, absolute_moment, bounded_exp, given
from klcli.families.special import within, xlogy

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters, SortedSample
    from klcli.families.formula import Parameter


class Weibull(Positive):
    """weibull(shape, scale)."""

    parameters: ClassVar[tuple[Parameter, ...]] = (SHAPE, SCALE)
    least_growth = (-inf, 0.0)
    shape: float
    scale: float

    @property
    def growth(self) -> tuple[float, float]:
        return -inf, float(self.shape)

    def log_density(self, x: Array) -> Array:
        """log(shape/scale) + (shape - 1) log z - z^shape, z = x/scale."""
        shape, scale = self.shape, self.scale
        with np.errstate(invalid="ignore", over="ignore"):
            z = x / scale
            return within(x >= 0, log(shape) - log(scale) + xlogy(shape - 1, z) - np.power(z, shape))

    def log_density_above_0(self, t: Array) -> Array:
        shape, scale = self.shape, self.scale
        logs = t - log(scale)
        with np.errstate(over="ignore"):
            values: Array = log(shape) - log(scale) + (shape - 1) * logs - np.exp(shape * logs)
        return values

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return self.scale * generator.weibull(self.shape, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).weibull_min(self.shape, scale=self.scale)

    def centre(self) -> tuple[float, float]:
        return self.scale, self.scale / max(1.0, self.shape)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return np.euler_gamma * (1 - 1 / self.shape) + log(self.scale) - log(self.shape) + 1

    def kl(self, q: Weibull) -> float:
        """Source: Bauckhage 2013, arXiv:1310.3713."""
        step = (q.shape - self.shape) / self.shape
        return extreme_value_kl(step, q.shape * log_ratio(self.scale, q.scale))

    def moments(self) -> Moments:
        special = scipy("special", "the incomplete gamma function")
        shape, scale = self.shape, self.scale

        def power(k: float) -> float:
            return bounded_exp(k * log(scale) + lgamma(1 + k / shape))

        def reduced(m: float) -> float:
            return bounded_exp(shape * log(m / scale))

        def part(m: float) -> float:
            return float(special.gammainc(1 + 1 / shape, reduced(m)))

        mean = power(1)
        return Moments(
            mean,
            power(2) - mean * mean if isfinite(power(2)) else inf,
            absolute_moment(mean, lambda m: -expm1(-reduced(m)), part),
            log=log(scale) - np.euler_gamma / shape,
            log_variance=pi * pi / (6 * shape * shape),
            power=power,
        )

    def cross_entropy(self, m: Moments) -> float:
        k, scale = self.shape, self.scale
        raised = given(m.power, k) * bounded_exp(-k * log(scale))
        return log(scale) - log(k) - (k - 1) * (m.log - log(scale)) + raised

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """-log x of a Weibull's x is a Gumbel's, with mu = -log scale and its scale = 1/shape."""
        found = Gumbel.estimate(data.log.shifted(0.0, -1.0))
        shape, scale = 1 / found.parameters["scale"], exp(-found.parameters["mu"])
        errors = {"shape": shape**2 * found.errors["scale"], "scale": scale * found.errors["mu"]}
        remarks = tuple(remark.replace("scale at", "shape at") for remark in found.remarks)
        value = found.log_likelihood - data.log.mean
        return LikelihoodEstimate({"shape": shape, "scale": scale}, errors, value, remarks)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        shape = min(max((mean / sd) ** 1.086, 0.1), 1e3)
        return {"shape": shape, "scale": mean / gamma(1 + 1 / shape)}

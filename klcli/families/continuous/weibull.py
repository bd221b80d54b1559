"""The Weibull distribution. Source: Johnson, Kotz & Balakrishnan 21."""

from __future__ import annotations

from math import exp, expm1, gamma, inf, lgamma, log, pi
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from klcli.families.continuous.gumbel import Gumbel
from klcli.families.differences import bounded_expm1, bregman_log_gamma, extreme_value_kl, log_ratio
from klcli.families.family import SCALE, SHAPE, Positive, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, absolute_moment, added, bounded_exp, given
from klcli.families.special import log_over, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters, SortedSample, SumOfTerms
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
        return within(x >= 0, self._at_log(log_over(np.maximum(x, 0.0), self.scale)))

    def _at_log(self, log_z: Array) -> Array:
        """The log density, given log z."""
        shape = self.shape
        with np.errstate(over="ignore", invalid="ignore"):
            rising = np.where(shape == 1, 0.0, (shape - 1) * log_z)
            return np.asarray(log(shape) - log(self.scale) + rising - np.exp(shape * log_z))

    def log_density_above_0(self, t: Array) -> Array:
        return self._at_log(t - log(self.scale))

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
        return extreme_value_kl(q.shape / self.shape, step, q.shape * log_ratio(self.scale, q.scale))

    def moments(self) -> Moments:
        special = scipy("special", "the incomplete gamma function")
        shape, scale = self.shape, self.scale

        def log_power(k: float) -> float:
            return k * log(scale) + lgamma(1 + k / shape)

        def reduced(m: float) -> float:
            return bounded_exp(shape * log(m / scale))

        def part(m: float) -> float:
            return float(special.gammainc(1 + 1 / shape, reduced(m)))

        # log Gamma(1 + 2 e) - 2 log Gamma(1 + e), whose linear parts cancel.
        e, mean = 1 / shape, bounded_exp(log_power(1))
        spread = bounded_expm1(bregman_log_gamma(1.0, 1 + 2 * e, 2 * e) - 2 * bregman_log_gamma(1.0, 1 + e, e))
        return Moments(
            mean,
            mean * mean * spread if spread < inf else inf,
            absolute_moment(mean, lambda m: -expm1(-reduced(m)), part),
            log=log(scale) - np.euler_gamma / shape,
            log_variance=pi * pi / (6 * shape * shape),
            log_power=log_power,
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        k, log_scale, grown = self.shape, log(self.scale), given(m.log_power, self.shape)
        raised = bounded_exp(grown - k * log_scale)
        inner = abs(k - 1) * (1 + abs(m.log) + abs(log_scale)) + raised * (abs(grown) + abs(k * log_scale))
        return added(log_scale, -log(k), -(k - 1) * (m.log - log_scale), raised, beside=inner)

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

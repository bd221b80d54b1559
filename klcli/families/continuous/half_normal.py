"""The half-normal distribution, of the size of a normal number around 0. Source: Johnson, Kotz & Balakrishnan 13."""

from __future__ import annotations

from math import erf, exp, inf, lgamma, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.normal import Normal
from klcli.families.differences import ROOT_2
from klcli.families.family import SCALE, Positive, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, absolute_moment, added
from klcli.families.special import within

if TYPE_CHECKING:
    from klcli.families.family import Array, Averages, Frozen, Mask, Parameters, SortedSample, SumOfTerms


class HalfNormal(Positive):
    """half_normal(scale)."""

    parameters = (SCALE,)
    least_growth = (-inf, 2.0)
    steep = ()
    needs, takes = "x >= 0", "0 or above"
    scale: float

    @classmethod
    def holds(cls, x: Array) -> Mask:
        return x >= 0

    @property
    def _whole(self) -> Normal:
        return Normal(mu=0.0, sd=self.scale)

    def log_density(self, x: Array) -> Array:
        """log 2 + the normal density's, from 0."""
        return within(x >= 0, log(2) + self._whole.log_density(x))

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return np.abs(generator.normal(0, self.scale, n))

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).halfnorm(scale=self.scale)

    def centre(self) -> tuple[float, float]:
        return self.scale, self.scale

    def entropy(self) -> float:
        """Source: half of a normal distribution's outcomes, each twice as likely."""
        return self._whole.entropy() - log(2)

    def kl(self, q: HalfNormal) -> float:
        """Source: as of the normal distributions that they are halves of."""
        return self._whole.kl(q._whole)

    def renyi(self, q: HalfNormal, alpha: float, rest: float) -> float:
        """Source: as of the normal distributions that they are halves of."""
        return self._whole.renyi(q._whole, alpha, rest)

    def moments(self) -> Moments:
        scale, mean = self.scale, self.scale * sqrt(2 / pi)

        def log_exponential(c: float) -> float:
            return log(float(scipy("special", "the error function").erfcx(c * scale / ROOT_2)))

        return Moments(
            mean,
            scale * scale * (1 - 2 / pi),
            absolute_moment(mean, lambda m: erf(m / scale / ROOT_2), lambda m: 1 - exp(-((m / scale) ** 2) / 2)),
            log_exponential,
            log=log(scale) - (np.euler_gamma + log(2)) / 2,
            log_variance=pi * pi / 8,
            log_power=lambda k: k * log(scale) + k / 2 * log(2) + lgamma((k + 1) / 2) - lgamma(0.5),
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        whole = self._whole.cross_entropy(m)
        return added(whole.value, -log(2), beside=whole.size)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        greatest = float(data.x[-1])
        scale = greatest * sqrt(data.mean_of(np.square(data.x / greatest)))
        value = 0.5 * log(2 / pi) - log(scale) - 0.5
        return LikelihoodEstimate({"scale": scale}, {"scale": scale / sqrt(2 * data.n)}, value)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"scale": sqrt(mean * mean + sd * sd)}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        return {"scale": sqrt(target.expectation(np.square))}

"""The gamma distribution. Source: Johnson, Kotz & Balakrishnan 17."""

from __future__ import annotations

from math import inf, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from klcli.engine.arrays import two_product
from klcli.families.differences import (
    LOG_2_PI,
    bregman_gamma_entropy,
    digamma_remainder,
    fraction_excess,
    gamma_entropy,
    log_gamma_ratio,
    log_ratio,
    stirling_remainder,
    trigamma,
)
from klcli.families.family import RATE, SHAPE, Positive, scipy
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, absolute_moment, added
from klcli.families.special import exponential_excess, saddle_deviance, within, xlogy

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters, SortedSample, SumOfTerms
    from klcli.families.formula import Parameter

_LARGE = 1e4
"""A shape above which trigamma's and log Gamma's leading terms are taken out on paper."""

_NARROW = 1e-3
"""Below this log mean - mean log loses digits, as many as its logarithm says."""


class Gamma(Positive):
    """gamma(shape, rate)."""

    parameters: ClassVar[tuple[Parameter, ...]] = (SHAPE, RATE)
    instead = {"scale": ("rate", "inverse")}
    least_growth = (-inf, 1.0)
    shape: float
    rate: float

    def log_density(self, x: Array) -> Array:
        """shape log rate - log Gamma(shape) + (shape - 1) log x - rate x; above shape 1 in Loader's form."""
        if self.shape > 1:
            held = np.clip(x, 0.0, 1e300 / max(1.0, self.rate))
            with np.errstate(divide="ignore", invalid="ignore"):
                deviance = saddle_deviance(np.asarray(self.shape), *two_product(held, np.asarray(self.rate)))
                return within(x > 0, self._peak - deviance - np.log(held))
        constant = self.shape * log(self.rate) - lgamma(self.shape)
        return within(x >= 0, constant + xlogy(self.shape - 1, x) - self.rate * x)

    @property
    def _peak(self) -> float:
        """The log density of log x at its mode, shape/rate."""
        return 0.5 * (log(self.shape) - LOG_2_PI) - stirling_remainder(self.shape)

    def log_density_above_0(self, t: Array) -> Array:
        """Gamma(0.01, 1) has a thousandth of its mass below the smallest double."""
        with np.errstate(over="ignore"):
            if self.shape > 1:
                return self._peak - self.shape * exponential_excess(t - log(self.shape / self.rate)) - t
            constant = self.shape * log(self.rate) - lgamma(self.shape)
            values: Array = constant + (self.shape - 1) * t - self.rate * np.exp(t)
        return values

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.gamma(self.shape, 1 / self.rate, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).gamma(self.shape, scale=1 / self.rate)

    def centre(self) -> tuple[float, float]:
        return self.shape / self.rate, sqrt(self.shape) / self.rate

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return inf, self.rate

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return gamma_entropy(self.shape) - log(self.rate)

    def kl(self, q: Gamma) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        from fractions import Fraction

        step = q.shape - self.shape
        shapes, rates = Fraction(self.shape) / Fraction(q.shape), Fraction(q.rate) / Fraction(self.rate)
        return q.shape * fraction_excess(shapes * rates) + bregman_gamma_entropy(self.shape, q.shape, step)

    def moments(self) -> Moments:
        special = scipy("special", "the incomplete gamma function")
        shape, rate = self.shape, self.rate

        def below(m: float, more: float = 0) -> float:
            return float(special.gammainc(shape + more, rate * m))

        return Moments(
            shape / rate,
            shape / rate / rate,
            absolute_moment(shape / rate, below, lambda m: below(m, 1)),
            lambda c: -shape * log1p(c / rate),
            log=log_ratio(shape, rate) - 0.5 / shape + digamma_remainder(shape),
            log_variance=trigamma(shape),
            log_power=lambda k: log_gamma_ratio(shape, k) - k * log(rate),
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        whole = lgamma(self.shape), -self.shape * log(self.rate), -(self.shape - 1) * m.log, self.rate * m.mean
        return added(*whole, beside=abs(self.shape - 1))

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """Newton's method on a function near 1/shape. Source: Minka 2002, Estimating a Gamma distribution."""
        special = scipy("special", "fit")
        gap = log(data.mean) - data.log.mean
        if gap < _NARROW:
            away = (data.x - data.mean) / data.mean
            gap = data.mean_of(away - np.log1p(away))
        shape = (3 - gap + sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
        for _ in range(50 if shape < 1 / _NARROW**2 else 0):  # beyond, the start is as good
            slope = shape**2 * (1 / shape - float(special.polygamma(1, shape)))
            inverse = 1 / shape + (log(shape) - float(special.digamma(shape)) - gap) / slope
            before, shape = shape, 1 / inverse
            if abs(shape - before) <= 1e-14 * shape:
                break
        curved = float(special.polygamma(1, shape))
        # shape trigamma(shape) - 1, without its cancellation.
        apart = shape * curved - 1 if shape < _LARGE else 1 / (2 * shape) + 1 / (6 * shape**2)
        rate = shape / data.mean
        errors = {"shape": sqrt(shape / (data.n * apart)), "rate": rate * sqrt(curved / (data.n * apart))}
        stirling = 0.5 * log(shape / (2 * pi)) - 1 / (12 * shape)
        of_shape = shape * log(shape) - shape - lgamma(shape) if shape < _LARGE else stirling
        value = of_shape - shape * gap - data.log.mean
        return LikelihoodEstimate({"shape": shape, "rate": rate}, errors, value)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"shape": (mean / sd) ** 2, "rate": mean / sd**2}

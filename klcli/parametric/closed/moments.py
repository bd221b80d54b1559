"""The moments that log densities are made of, family by family, and cross-entropies from them. All in nats."""

from __future__ import annotations

from math import erf, exp, expm1, inf, isfinite, lgamma, log, log1p, nan, pi, sin, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.parametric.closed.differences import LOG_2_PI, ROOT_2, digamma, log_beta, log_ratio, trigamma
from klcli.parametric.law import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, Any]


class Moments(NamedTuple):
    """What log densities are made of, in the mean. A moment that has no closed form is None.

    power(k): E x^k. absolute(m): E abs(x - m). exponential(c): E e^(-c x), c > 0.
    log, log_variance: of log x. log_rest: E log(1 - x).
    """

    mean: float
    variance: float
    absolute: Callable[[float], float] | None = None
    exponential: Callable[[float], float] | None = None
    log: float = nan
    log_variance: float = nan
    log_rest: float = nan
    power: Callable[[float], float] | None = None


def _exp(x: float) -> float:
    return exp(x) if x < 709.7 else inf  # noqa: PLR2004 - log of the largest double


def _absolute(mean: float, below: Callable[[float], float], part: Callable[[float], float]) -> Callable[[float], float]:
    """E abs(x - m), x >= 0, from P(x <= m) and the share of the mean that x <= m has."""
    return lambda m: mean - m if m <= 0 else m * (2 * below(m) - 1) + mean * (1 - 2 * part(m))


def _phi(z: float) -> float:
    return 0.5 * (1 + erf(z / ROOT_2))


def _normal_moments(mu: float, sd: float) -> Moments:
    def absolute(m: float) -> float:
        z = (mu - m) / sd
        return sd * sqrt(2 / pi) * exp(-z * z / 2) + (mu - m) * erf(z / ROOT_2)

    return Moments(mu, sd * sd, absolute, lambda c: _exp(-c * mu + c * c * sd * sd / 2))


def _lognormal_moments(mu: float, sd: float) -> Moments:
    mean = _exp(mu + sd * sd / 2)
    below = _absolute(mean, lambda m: _phi((log(m) - mu) / sd), lambda m: _phi((log(m) - mu) / sd - sd))
    spread = expm1(sd * sd) if sd < 26 else inf  # noqa: PLR2004 - e^(26^2) still fits a double
    return Moments(
        mean,
        spread * mean * mean,
        below,
        log=mu,
        log_variance=sd * sd,
        power=lambda k: _exp(k * mu + k * k * sd * sd / 2),
    )


def _gamma_moments(shape: float, rate: float) -> Moments:
    special = scipy("special", "the incomplete gamma function")

    def below(m: float, more: float = 0) -> float:
        return float(special.gammainc(shape + more, rate * m))

    return Moments(
        shape / rate,
        shape / rate / rate,
        _absolute(shape / rate, below, lambda m: below(m, 1)),
        lambda c: exp(-shape * log1p(c / rate)),
        log=digamma(shape) - log(rate),
        log_variance=trigamma(shape),
        power=lambda k: _exp(lgamma(shape + k) - lgamma(shape) - k * log(rate)),
    )


def _exponential_moments(rate: float) -> Moments:
    return Moments(
        1 / rate,
        1 / rate / rate,
        lambda m: 1 / rate - m if m <= 0 else m + (2 * exp(-rate * m) - 1) / rate,
        lambda c: 1 / (1 + c / rate),
        log=-np.euler_gamma - log(rate),
        log_variance=pi * pi / 6,
        power=lambda k: _exp(lgamma(1 + k) - k * log(rate)),
    )


def _beta_moments(a: float, b: float) -> Moments:
    special = scipy("special", "the incomplete beta function")
    mean = a / (a + b)

    def below(m: float, more: float = 0) -> float:
        return float(special.betainc(a + more, b, min(m, 1.0)))

    return Moments(
        mean,
        mean * (b / (a + b)) / (a + b + 1),
        _absolute(mean, below, lambda m: below(m, 1)),
        log=digamma(a) - digamma(a + b),
        log_rest=digamma(b) - digamma(a + b),
        log_variance=trigamma(a) - trigamma(a + b),
        power=lambda k: exp(lgamma(a + k) - lgamma(a) + lgamma(a + b) - lgamma(a + b + k)),
    )


def _weibull_moments(shape: float, scale: float) -> Moments:
    special = scipy("special", "the incomplete gamma function")

    def power(k: float) -> float:
        return _exp(k * log(scale) + lgamma(1 + k / shape))

    def reduced(m: float) -> float:
        return _exp(shape * log(m / scale))

    mean = power(1)
    return Moments(
        mean,
        power(2) - mean * mean if isfinite(power(2)) else inf,
        _absolute(mean, lambda m: -expm1(-reduced(m)), lambda m: float(special.gammainc(1 + 1 / shape, reduced(m)))),
        log=log(scale) - np.euler_gamma / shape,
        log_variance=pi * pi / (6 * shape * shape),
        power=power,
    )


def _laplace_moments(mu: float, scale: float) -> Moments:
    def exponential(c: float) -> float:
        return _exp(-c * mu) / (1 - c * c * scale * scale) if c * scale < 1 else inf

    return Moments(mu, 2 * scale * scale, lambda m: abs(mu - m) + scale * exp(-abs(mu - m) / scale), exponential)


def _logistic_moments(mu: float, scale: float) -> Moments:
    def exponential(c: float) -> float:
        return _exp(-c * mu) * pi * c * scale / sin(pi * c * scale) if c * scale < 1 else inf

    return Moments(
        mu,
        (pi * scale) ** 2 / 3,
        lambda m: abs(mu - m) + 2 * scale * log1p(exp(-abs(mu - m) / scale)),
        exponential,
    )


def _gumbel_moments(mu: float, scale: float) -> Moments:
    return Moments(
        mu + np.euler_gamma * scale,
        (pi * scale) ** 2 / 6,
        exponential=lambda c: _exp(-c * mu + lgamma(1 + c * scale)),
    )


def _student_moments(df: float, mu: float, scale: float) -> Moments:
    variance = scale * scale * df / (df - 2) if df > 2 else inf  # noqa: PLR2004 - it has a variance above 2 only
    return Moments(mu if df > 1 else nan, variance, exponential=lambda c: inf)  # noqa: ARG005


def _mean_log(low: float, high: float) -> float:
    """E log x, uniform."""
    return log(high) - 1 + (low * log_ratio(high, low) / (high - low) if low > 0 else 0.0)


def _uniform_moments(low: float, high: float) -> Moments:
    width = high - low

    def absolute(m: float) -> float:
        if low < m < high:
            return ((m - low) ** 2 + (high - m) ** 2) / (2 * width)
        return abs(low + width / 2 - m)

    def power(k: float) -> float:
        """Relative to the upper end: h^k (1 - (l/h)^(k+1)) / ((k + 1) (1 - l/h))."""
        inner = -expm1((k + 1) * log_ratio(low, high)) if low > 0 else 1.0
        return _exp(k * log(high)) * inner * high / ((k + 1) * width)

    positive = low >= 0
    return Moments(
        low + width / 2,
        width * width / 12,
        absolute,
        lambda c: _exp(-c * low) * -expm1(-c * width) / (c * width),
        log=_mean_log(low, high) if positive else nan,
        log_variance=1 - low * high * (log_ratio(high, low) / width) ** 2 if low > 0 else 1.0 if positive else nan,
        log_rest=_mean_log(1 - high, 1 - low) if high <= 1 else nan,
        power=power if positive else None,
    )


MOMENTS: Mapping[str, Callable[..., Moments]] = {
    "normal": _normal_moments,
    "lognormal": _lognormal_moments,
    "exponential": _exponential_moments,
    "gamma": _gamma_moments,
    "beta": _beta_moments,
    "weibull": _weibull_moments,
    "laplace": _laplace_moments,
    "student_t": _student_moments,
    "uniform": _uniform_moments,
    "logistic": _logistic_moments,
    "gumbel": _gumbel_moments,
}

# ------------------------------------------------------------------------------------------------------ cross-entropies


def _given(value: Callable[[float], float] | None, at: float) -> float:
    return nan if value is None else value(at)


def _of_normal(q: Parameters, m: Moments) -> float:
    if m.variance == inf:
        return inf
    return float(log(q["sd"]) + 0.5 * LOG_2_PI + (m.variance + (m.mean - q["mu"]) ** 2) / (2 * q["sd"] ** 2))


def _of_lognormal(q: Parameters, m: Moments) -> float:
    spread = (m.log_variance + (m.log - q["mu"]) ** 2) / (2 * q["sd"] ** 2)
    return float(m.log + log(q["sd"]) + 0.5 * LOG_2_PI + spread)


def _of_gamma(q: Parameters, m: Moments) -> float:
    return float(lgamma(q["shape"]) - q["shape"] * log(q["rate"]) - (q["shape"] - 1) * m.log + q["rate"] * m.mean)


def _of_weibull(q: Parameters, m: Moments) -> float:
    k, scale = q["shape"], q["scale"]
    raised = _given(m.power, k) * _exp(-k * log(scale))
    return float(log(scale) - log(k) - (k - 1) * (m.log - log(scale)) + raised)


def _of_beta(q: Parameters, m: Moments) -> float:
    return float(log_beta(q["a"], q["b"]) - (q["a"] - 1) * m.log - (q["b"] - 1) * m.log_rest)


def _of_gumbel(q: Parameters, m: Moments) -> float:
    c = 1 / q["scale"]
    raised = _given(m.exponential, c)
    if raised == inf:
        return inf
    return float(log(q["scale"]) + (m.mean - q["mu"]) * c + raised * _exp(q["mu"] * c))


CROSS: Mapping[str, Callable[[Parameters, Moments], float]] = {
    "normal": _of_normal,
    "lognormal": _of_lognormal,
    "exponential": lambda q, m: q["rate"] * m.mean - log(q["rate"]),
    "gamma": _of_gamma,
    "beta": _of_beta,
    "weibull": _of_weibull,
    "laplace": lambda q, m: log(2 * q["scale"]) + _given(m.absolute, q["mu"]) / q["scale"],
    "uniform": lambda q, m: log(q["high"] - q["low"]),  # noqa: ARG005
    "gumbel": _of_gumbel,
}
"""E[-log q] from P's moments, nan where one is missing. Of the logistic and Student's t there are none."""


def cross_entropy(first: str, p: Parameters, second: str, q: Parameters) -> float | None:
    """E_P[-log q] of two families, in nats; None where it has no form here, or no finite value."""
    if first not in MOMENTS or second not in CROSS:
        return None
    value = CROSS[second](q, MOMENTS[first](**p))
    return value if isfinite(value) else None

"""Maximum likelihood for counts: families on 0, 1, 2, ... As in `likelihood`."""

from __future__ import annotations

from math import log, log1p, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.densities import log_gamma
from klcli.parametric.ascent import ascend
from klcli.parametric.estimate import Estimate
from klcli.parametric.law import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.model import Array
    from klcli.parametric.observed import Observed

_MANY = 1e4
"""How often the greatest value a binomial's n may be, and the mean a negative binomial's r.

There they are within 1e-8 nats of a Poisson.
"""


_LARGE = 1e3

_WINDOW = 24
"""Whole numbers looked at on either side of a binomial's n."""


def _log_factorials(data: Observed) -> float:
    return data.mean_of(log_gamma(data.x + 1))


def _poisson(data: Observed) -> Estimate:
    rate = data.mean
    return Estimate({"rate": rate}, {"rate": sqrt(rate / data.n)}, rate * log(rate) - rate - _log_factorials(data))


def _geometric(data: Observed) -> Estimate:
    p = 1 / (1 + data.mean)
    rest = data.mean / (1 + data.mean)
    value = log(p) + data.mean * log(rest)
    return Estimate({"p": p}, {"p": p * sqrt(rest / data.n)}, value)


def _bernoulli(data: Observed) -> Estimate:
    p = data.mean
    return Estimate({"p": p}, {"p": sqrt(p * (1 - p) / data.n)}, p * log(p) + (1 - p) * log1p(-p))


def _negative_binomial(data: Observed) -> Estimate:
    """Over r alone, for p = r/(r + mean). It has a finite top exactly where the variance exceeds the mean.

    Source: Levin & Reeds 1977, Compound multinomial likelihood functions are unimodal.
    """
    special = scipy("special", "fit")
    mean, most = data.mean, _MANY * max(1.0, data.mean)

    def objective(point: Array) -> tuple[float, Array, Array]:
        r = float(np.exp(point[0]))
        if r < _LARGE:
            rising = special.gammaln(data.x + r) - float(special.gammaln(r))
            slope = data.mean_of(special.digamma(data.x + r)) - float(special.digamma(r)) - log1p(mean / r)
        else:  # Stirling's series, whose differences keep their digits
            y, less = data.x + r, data.x / r
            rising = (y - 0.5) * np.log1p(less) + data.x * (log(r) - 1) - less / (12 * y)
            away = (data.x - mean) / (r + mean)
            slope = data.mean_of(np.log1p(away) - away + less / (2 * y) + less * (y + r) / (12 * r * y * y))
        value = data.mean_of(rising) - r * log1p(mean / r) - mean * log1p(r / mean)
        bent = data.mean_of(special.polygamma(1, data.x + r)) - float(special.polygamma(1, r)) + mean / (r * (r + mean))
        return value, np.array([slope * r]), np.array([[bent * r * r + slope * r]])

    over = data.variance - mean
    r = min(most, mean**2 / over) if over > 0 else most
    remarks: tuple[str, ...] = ()
    if r < most:
        top = ascend(objective, np.log([r]), np.log(1e-9), log(most))
        r, remarks = float(np.exp(top.point[0])), () if top.converged else ("did not converge",)
    p = r / (r + mean)
    value = objective(np.log([r]))[0] - _log_factorials(data)
    if r >= most:
        remarks = (f"r at a bound, {r:g}: as of a poisson", *remarks)
        return Estimate({"r": r, "p": p}, {"r": np.nan, "p": np.nan}, value, remarks)
    rr = float(special.polygamma(1, r)) - data.mean_of(special.polygamma(1, data.x + r))
    pp = r / p**2 + mean / ((1 - p) * (1 - p))
    errors = _errors(rr, -1 / p, pp, data.n)
    return Estimate({"r": r, "p": p}, {"r": errors[0], "p": errors[1]}, value, remarks)


def _errors(aa: float, ab: float, bb: float, n: float) -> tuple[float, float]:
    """From the information of one value about two parameters; nan where there is none."""
    whole = n * (aa * bb - ab * ab)
    return (sqrt(bb / whole), sqrt(aa / whole)) if whole > 0 and aa > 0 else (np.nan, np.nan)


def _binomial(data: Observed) -> Estimate:
    """Over the whole numbers n from the greatest value on, for p = mean/n; their likelihood has one top.

    It runs off to infinity, towards a Poisson, where the variance is not below the mean.
    """
    special = scipy("special", "fit")
    least = float(data.x[-1])
    most = _MANY * least

    def likelihood(n: float) -> float:
        p = data.mean / n
        ways = float(special.gammaln(n + 1)) - data.mean_of(special.gammaln(n - data.x + 1))
        return ways + data.mean * log(p) + ((n - data.mean) * log1p(-p) if p < 1 else 0.0)

    n = most if data.variance >= data.mean else _whole_top(likelihood, least, most)
    p, value = data.mean / n, likelihood(n) - _log_factorials(data)
    parameters = {"n": n, "p": p}
    if n == most:
        return Estimate(parameters, {"n": np.nan, "p": np.nan}, value, (f"n at a bound, {n:g}: as of a poisson",))
    nn = data.mean_of(special.polygamma(1, n - data.x + 1)) - float(special.polygamma(1, n + 1))
    n_error = _errors(nn, 1 / (1 - p), n / (p * (1 - p)), data.n)[0] if p < 1 else np.nan
    if n == least or not n_error > _WINDOW / 6:
        n_error = _whole_error(likelihood, n, least, data.n)
    p_error = sqrt(p * (1 - p) / (data.n * n) + (p / n * n_error) ** 2)
    remarks = ("n at a bound, the greatest value",) if n == least else ()
    return Estimate(parameters, {"n": n_error, "p": p_error}, value, remarks)


def _whole_error(likelihood: Callable[[float], float], n: float, least: float, values: float) -> float:
    """How far a whole number may be from n, its top: the root mean square over those near, weighed by likelihood.

    The observed information takes n for any number, and is wrong where its error is not well above 1.
    """
    near = np.arange(max(least, n - _WINDOW), n + _WINDOW + 1)
    logs = values * (np.array([likelihood(m) for m in near.tolist()]) - likelihood(n))
    weights = np.exp(np.minimum(logs, 0.0))
    return float(np.sqrt(weights @ np.square(near - n) / weights.sum()))


def _whole_top(f: Callable[[float], float], low: float, high: float) -> float:
    """The whole number in [low, high] where f, which has one top, is greatest."""
    step, at = 1.0, low
    while at + step < high and f(at + step) > f(at):
        at, step = at + step, 2 * step
    left, right = max(low, at - step), min(high, at + step)
    while right - left > 2:  # noqa: PLR2004
        first = left + (right - left) // 3
        second = right - (right - left) // 3
        if f(first) < f(second):
            left = first
        else:
            right = second
    return max((left, min(left + 1, right), right), key=f)


ESTIMATORS: Mapping[str, Callable[[Observed], Estimate]] = {
    "poisson": _poisson,
    "binomial": _binomial,
    "geometric": _geometric,
    "negative_binomial": _negative_binomial,
    "bernoulli": _bernoulli,
}

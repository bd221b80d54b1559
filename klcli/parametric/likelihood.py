"""Maximum likelihood: a family's parameters from data, with their standard errors.

Most families need a few means of the data; the others Newton's method over all of it, begun on a few thousand
quantiles, which leaves two or three passes over the data themselves. Standard errors are of the observed information.
"""

from __future__ import annotations

from math import exp, lgamma, log, pi, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.parametric import counted
from klcli.parametric.ascent import Top, ascend
from klcli.parametric.estimate import Estimate
from klcli.parametric.law import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.model import Array
    from klcli.parametric.ascent import Objective
    from klcli.parametric.observed import Observed

_FEW = 4096
"""Quantiles to start from."""

_DF = 0.05, 1e4
"""Degrees of freedom between which Student's t is looked for; of 1e4 it is within 1e-8 nats of a normal."""

_LEAST_LOG_SCALE = -30.0
"""In units of the data's spread: a density that runs up at one value often repeated."""

_LARGE = 1e4

_NARROW = 1e-3
"""Below this log mean - mean log loses digits, as many as its logarithm says."""


def _normal(data: Observed) -> Estimate:
    sd = data.sd
    errors = {"mu": sd / sqrt(data.n), "sd": sd / sqrt(2 * data.n)}
    return Estimate({"mu": data.mean, "sd": sd}, errors, -log(sd) - 0.5 * log(2 * pi) - 0.5)


def _lognormal(data: Observed) -> Estimate:
    found = _normal(data.log)
    return found._replace(log_likelihood=found.log_likelihood - data.log.mean)


def _exponential(data: Observed) -> Estimate:
    rate = 1 / data.mean
    return Estimate({"rate": rate}, {"rate": rate / sqrt(data.n)}, log(rate) - 1)


def _gamma(data: Observed) -> Estimate:
    """Source: Minka 2002, Estimating a Gamma distribution: Newton's method on a function near 1/shape."""
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
    trigamma = float(special.polygamma(1, shape))
    # shape trigamma(shape) - 1, without its cancellation.
    apart = shape * trigamma - 1 if shape < _LARGE else 1 / (2 * shape) + 1 / (6 * shape**2)
    rate = shape / data.mean
    errors = {"shape": sqrt(shape / (data.n * apart)), "rate": rate * sqrt(trigamma / (data.n * apart))}
    stirling = 0.5 * log(shape / (2 * pi)) - 1 / (12 * shape)
    of_shape = shape * log(shape) - shape - lgamma(shape) if shape < _LARGE else stirling
    value = of_shape - shape * gap - data.log.mean
    return Estimate({"shape": shape, "rate": rate}, errors, value)


def _beta(data: Observed) -> Estimate:
    special = scipy("special", "fit")
    means = np.array([data.log.mean, data.mean_of(np.log1p(-data.x))])

    def objective(point: Array) -> tuple[float, Array, Array]:
        each = np.exp(point)
        whole = each.sum()
        value = float((each - 1) @ means + special.gammaln(whole) - special.gammaln(each).sum())
        slope = means - special.digamma(each) + special.digamma(whole)
        bent = special.polygamma(1, whole) - np.diag(special.polygamma(1, each))
        return value, slope * each, bent * np.outer(each, each) + np.diag(slope * each)

    held = max(data.mean * (1 - data.mean) / data.variance - 1, 1e-3)
    start = np.log(np.array([data.mean, 1 - data.mean]) * held)
    top = ascend(objective, start, np.log(1e-6), np.log(1e12))
    return _of_logs(("a", "b"), top, data)


def _of_logs(names: tuple[str, ...], top: Top, data: Observed) -> Estimate:
    """From the logarithms of parameters; at the top an error of a logarithm is one relative to the parameter."""
    values = np.exp(top.point)
    errors = values * np.sqrt(np.diag(top.covariance(data.n)))
    remarks = [f"{name} at a bound" for name, at in zip(names, top.bound, strict=True) if at]
    return Estimate(
        dict(zip(names, values.tolist(), strict=True)),
        dict(zip(names, errors.tolist(), strict=True)),
        top.value,
        (*remarks, *([] if top.converged else ["did not converge"])),
    )


def _laplace(data: Observed) -> Estimate:
    mu = data.median
    scale = data.mean_of(np.abs(data.x - mu))
    error = scale / sqrt(data.n)
    return Estimate({"mu": mu, "scale": scale}, {"mu": error, "scale": error}, -log(2 * scale) - 1)


def _uniform(data: Observed) -> Estimate:
    """The ends are the data's own; their errors shrink as 1/n and follow from no information matrix."""
    low, high = float(data.x[0]), float(data.x[-1])
    return Estimate({"low": low, "high": high}, {"low": np.nan, "high": np.nan}, -log(high - low))


class _Shape(NamedTuple):
    """A family of densities f((x - mu)/scale)/scale. of: data -> what is to be maximised over mu, log scale, ..."""

    of: Callable[[Observed], Objective]
    start: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def _location_scale(data: Observed, shape: _Shape) -> Top:
    """The top for (x - median)/spread."""
    scaled = data.shifted(data.median, data.spread)
    start, low, high = np.array(shape.start), np.array(shape.low), np.array(shape.high)
    few = scaled.thinned(_FEW)
    if few is not scaled:
        start = ascend(shape.of(few), start, low, high).point
    return ascend(shape.of(scaled), start, low, high)


def _placed(data: Observed, top: Top) -> Estimate:
    """mu and scale in the data's own units, from mu and log scale in units of their spread."""
    spread, remarks = data.spread, [] if top.converged else ["did not converge"]
    mu_error, log_error = np.sqrt(np.diag(top.covariance(data.n)))[:2].tolist()
    scale = spread * exp(top.point[1])
    if top.bound[1]:
        remarks.insert(0, "scale at a bound")
    return Estimate(
        {"mu": data.median + spread * float(top.point[0]), "scale": scale},
        {"mu": spread * mu_error, "scale": scale * log_error},
        top.value - log(spread),
        tuple(remarks),
    )


def _logistic_objective(data: Observed) -> Objective:
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


def _gumbel_objective(data: Observed) -> Objective:
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


def _student_objective(data: Observed) -> Objective:
    special = scipy("special", "fit")

    def objective(point: Array) -> tuple[float, Array, Array]:
        scale, df, mean = exp(point[1]), exp(point[2]), data.mean_of
        z = (data.x - point[0]) / scale
        square = z * z
        by = 1 / (df + square)
        wide = mean(np.log1p(square / df))
        part = square * by  # of the weight
        z *= by
        curved, pulled, held = mean((df - square) * by * by), mean(z), mean(part)
        twice = mean(part * by)
        z_curved, z_odd = mean(z * (df - square) * by), mean(z * (square - 1) * by)
        more = df + 1
        constant = lgamma(more / 2) - lgamma(df / 2) - 0.5 * log(pi * df)
        slope = float(special.digamma(more / 2) - special.digamma(df / 2)) - 1 / df - wide + more / df * held
        bend = float(special.polygamma(1, more / 2) - special.polygamma(1, df / 2)) / 4 + 1 / (2 * df**2)
        bend += held / df - more / (2 * df**2) * (held + df * twice)
        mixed = -more * (pulled + z_curved) / scale
        odd = df * mean(part * (square - 1) * by)
        gradient = [more * pulled / scale, more * held - 1, df * slope / 2]
        bent = [
            [-more * curved / scale**2, mixed, df * z_odd / scale],
            [mixed, -2 * df * more * twice, odd],
            [df * z_odd / scale, odd, df**2 * bend + df * slope / 2],
        ]
        return constant - point[1] - more / 2 * wide, np.array(gradient), np.array(bent)

    return objective


_PLACE = ((-np.inf, _LEAST_LOG_SCALE), (np.inf, np.inf))
_LOGISTIC = _Shape(_logistic_objective, (0.0, log(0.455)), *_PLACE)
_STUDENT = _Shape(
    _student_objective,
    (0.0, log(0.7), log(5.0)),
    (*_PLACE[0], log(_DF[0])),
    (*_PLACE[1], log(_DF[1])),
)


def _logistic(data: Observed) -> Estimate:
    return _placed(data, _location_scale(data, _LOGISTIC))


def _gumbel(data: Observed) -> Estimate:
    """Over log scale alone, which no outlier makes overflow; mu follows from it."""
    scaled = data.shifted(data.median, data.spread)
    few = scaled.thinned(_FEW)
    point = np.array([log(0.636)])
    for some in (few,) if few is scaled else (few, scaled):
        top = ascend(_gumbel_profile(some), point, _LEAST_LOG_SCALE)
        point = top.point
    scale = exp(point[0])
    least = float(scaled.x[0])
    mu = least - scale * log(scaled.mean_of(np.exp((least - scaled.x) / scale)))
    whole = np.array([mu, point[0]])
    value, _, hessian = _gumbel_objective(scaled)(whole)
    return _placed(data, Top(whole, value, hessian, np.array([False, *top.bound]), top.converged))


def _gumbel_profile(data: Observed) -> Objective:
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


def _weibull(data: Observed) -> Estimate:
    """-log x of a Weibull's x is a Gumbel's, with mu = -log scale and its scale = 1/shape."""
    found = _gumbel(data.log.shifted(0.0, -1.0))
    shape, scale = 1 / found.parameters["scale"], exp(-found.parameters["mu"])
    errors = {"shape": shape**2 * found.errors["scale"], "scale": scale * found.errors["mu"]}
    remarks = tuple(remark.replace("scale at", "shape at") for remark in found.remarks)
    return Estimate({"shape": shape, "scale": scale}, errors, found.log_likelihood - data.log.mean, remarks)


def _student_t(data: Observed) -> Estimate:
    top = _location_scale(data, _STUDENT)
    placed = _placed(data, top)
    df = exp(top.point[2])
    remarks = placed.remarks
    if top.bound[2]:
        way = "as of a normal" if df > 1 else "heavier tails than any"
        remarks = (f"df at a bound, {df:g}: {way}", *remarks)
    errors = {"df": df * sqrt(top.covariance(data.n)[2, 2]), **placed.errors}
    return Estimate({"df": df, **placed.parameters}, errors, placed.log_likelihood, remarks)


ESTIMATORS: Mapping[str, Callable[[Observed], Estimate]] = {
    "normal": _normal,
    "lognormal": _lognormal,
    "exponential": _exponential,
    "gamma": _gamma,
    "beta": _beta,
    "weibull": _weibull,
    "laplace": _laplace,
    "student_t": _student_t,
    "uniform": _uniform,
    "logistic": _logistic,
    "gumbel": _gumbel,
    **counted.ESTIMATORS,
}

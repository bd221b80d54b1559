"""What log densities are made of, of arrays of any shape. Without SciPy."""

from __future__ import annotations

from math import erfc, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.arrays import two_product

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.engine.arrays import Array, Mask


LARGE = 16
"""From here on the series of log Gamma and of its derivative leave less than a rounding."""

STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
"""Of 1/x, 1/x^3, ... in log Gamma's series."""


def log_gamma(x: Array) -> Array:
    """log Gamma(x), x > 0, any shape: Stirling's series, and below 16 the library's, every distinct value once."""
    large = np.maximum(x, LARGE)
    logs = (large - 0.5) * np.log(large) - large + 0.5 * log(2 * pi) + _stirling_series(large)
    return _below_large(x, logs, lgamma)


def stirling_remainders(x: Array) -> Array:
    """log Gamma(x) - [(x - 1/2) log x - x + log(2 pi)/2], x > 0, any shape: about 1/(12 x).

    Source: Loader 2000, Fast and accurate computation of binomial probabilities.
    """
    return _below_large(x, _stirling_series(np.maximum(x, LARGE)), _small_remainder)


def _small_remainder(x: float) -> float:
    """The remainder of x < 16 by steps of 1 to where the series holds, atanh(s)/s - 1 each, s = 1/(2x + 1)."""
    if x < 0.5:  # noqa: PLR2004 - below it s is close to 1, and the remainder not small
        return lgamma(x) - ((x - 0.5) * log(x) - x + 0.5 * log(2 * pi))
    steps = 0.0
    while x < LARGE:
        z = 1 / (2 * x + 1) ** 2
        steps += sum(z**k / (2 * k + 1) for k in range(1, 30 if x < 2 else 12))  # noqa: PLR2004
        x += 1
    return steps + float(_stirling_series(np.array([x]))[0])


def _stirling_series(x: Array) -> Array:
    z = 1 / x / x
    series = np.zeros_like(x)
    for c in reversed(STIRLING):
        series = series * z + c
    return np.asarray(series / x)


def _below_large(x: Array, values: Array, function: Callable[[float], float]) -> Array:
    """The values, and where x is below 16 those of the function, which takes every distinct x once."""
    small = x < LARGE
    if small.any():
        distinct, where = np.unique(x[small], return_inverse=True)
        values[small] = np.array([function(v) for v in distinct.tolist()])[where.ravel()]
    return values


def log_excess(u: Array) -> Array:
    """u - log(1 + u), any shape, u > -1: by its series near 0, as `differences.excess` has it of one number."""
    s = u / (2 + u)
    near = np.abs(s) < NEAR
    z = np.where(near, s * s, 0.0)
    series = np.zeros_like(z)
    for k in range(8, -1, -1):
        series = series * z + 1 / (2 * k + 3)
    with np.errstate(divide="ignore"):
        return np.where(near, s * (u - 2 * z * series), u - np.log1p(u))


def exponential_excess(x: Array) -> Array:
    """e^x - 1 - x, any shape: by its series near 0, as `differences.exp_excess` has it of one number."""
    near = np.abs(x) < SERIES_OF_EXP
    held = np.where(near, x, 0.0)
    series = np.zeros_like(x)
    for k in range(18, 1, -1):
        series = (series * held + 1.0) / k if k < 18 else np.full_like(x, 1 / k)  # noqa: PLR2004
    # The loop leaves 1/2 + x/6 + ...: sum over k of x^(k-2) 2!/k!, halved.
    with np.errstate(over="ignore", invalid="ignore"):
        far = np.where(near, 0.0, np.expm1(x) - x)
    return np.where(near, held * held * series, far)


def saddle_deviance(x: Array, mean: Array | float, rest: Array | float = 0.0) -> Array:
    """x log(x/mean) + mean - x >= 0, any shape, where `rest` is what the mean lacks for its rounding.

    Source: Loader 2000, whose bd0 this is.
    """
    held = np.where(x > 0, x, 1.0)
    u = ((mean - held) + rest) / held
    near = u > -0.5  # noqa: PLR2004 - below, the ratio itself has the digits that 1 + u loses
    with np.errstate(divide="ignore", over="ignore"):
        far = held * (np.log(held) - np.log(mean)) + mean - held
    return np.where(x > 0, np.where(near, held * log_excess(np.where(near, u, 0.0)), far), mean)


def log_binomial(k: Array, rest: Array, p: float) -> Array:
    """log of the mass of k successes and `rest` failures, both >= 0 and not whole numbers alone: Loader's form.

    Its relative error is 1e-15 where differences of log Gamma have lost as many digits as n has.
    """
    n = np.asarray(k + rest)
    some, others = np.where(k > 0, k, 1.0), np.where(rest > 0, rest, 1.0)
    (mean, less), (mean_rest, less_rest) = (two_product(n, np.asarray(share)) for share in (p, 1 - p))
    rounding = (1 - (1 - p)) - p  # of 1 - p
    deviance = saddle_deviance(k, mean, less) + saddle_deviance(rest, mean_rest, less_rest + n * rounding)
    remainders = stirling_remainders(some + others) - stirling_remainders(some) - stirling_remainders(others)
    with np.errstate(divide="ignore"):
        inside = remainders - deviance + 0.5 * np.log(n / (2 * pi) / some / others)
    ends = np.where(k > 0, xlogy(n, p), times_log1p(n, p))
    return np.where((k > 0) & (rest > 0), inside, ends)


NEAR = 0.125
"""Below it nine terms of atanh's series leave less than a rounding, 8^-18; above it u - log1p(u) loses 3 bits."""


SERIES_OF_EXP = 0.5
"""Below it 17 terms of the series of e^x - 1 - x leave less than a rounding."""


def log_shares(alpha: Array, x: Array) -> Array:
    """The log density at shares x > 0, (..., K), of a Dirichlet distribution's alpha, (K,), in Loader's form."""
    whole = alpha.sum(keepdims=True)
    peaks = [0.5 * np.log(a / (2 * pi)) - stirling_remainders(a) for a in (alpha, whole)]
    each = peaks[0] - saddle_deviance(alpha, *two_product(x, whole)) - np.log(x)
    return np.asarray(each.sum(axis=-1) - peaks[1])


def log_rising(r: float, k: Array) -> Array:
    """log Gamma(r + k) - log Gamma(r), k >= 0, whose digits do not cancel where r is large."""
    if r < LARGE:
        return log_gamma(r + k) - lgamma(r)
    y = r + k
    rest = _stirling_series(y) - _stirling_series(np.array(r))
    rising: Array = (y - 0.5) * np.log1p(k / r) + k * (log(r) - 1) + rest
    return rising


def within(inside: Mask, values: Array) -> Array:
    """The values, -inf where they are not inside."""
    return np.where(inside, values, -np.inf)


def xlogy(x: Array | float, y: Array | float) -> Array:
    """x log y, 0 where x = 0."""
    x = np.asarray(x, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 0.0, x * np.log(y))


def log_over(x: Array, scale: float) -> Array:
    """log(x/scale), x >= 0: where the two are close from their difference, else as a difference of logarithms."""
    away = x - scale
    near = np.abs(away) < 0.5 * scale
    with np.errstate(divide="ignore"):
        return np.where(near, np.log1p(np.where(near, away, 0.0) / scale), np.log(x) - log(scale))


def times_log1p(x: Array, p: float) -> Array:
    """x log(1 - p), 0 where x = 0."""
    with np.errstate(invalid="ignore"):
        return np.where(x == 0, 0.0, x * (log1p(-p) if p < 1 else -np.inf))


def whole(k: Array, most: float = np.inf) -> Mask:
    """Which points are 0, 1, 2, ... up to the most."""
    inside: Mask = (k >= 0) & (k <= most) & (k == np.floor(k))
    return inside


def log_normal_below(z: Array) -> Array:
    """log Phi(z) of the standard normal distribution function."""
    far = z < _LEAST_ERFC
    held = np.where(far, 0.0, z)
    near = np.log(0.5 * np.asarray(_erfc(-held / sqrt(2)), dtype=np.float64))
    with np.errstate(over="ignore"):
        square = np.square(np.where(far, z, _LEAST_ERFC))
    series = np.log1p(-1 / square * (1 - 3 / square * (1 - 5 / square * (1 - 7 / square))))
    beyond = -0.5 * square - 0.5 * np.log(square) - 0.5 * log(2 * pi) + series
    return np.where(far, beyond, near)


_LEAST_ERFC = -37.0
"""Below it Phi is less than most doubles, and four terms of its asymptotic series leave less than a rounding."""

_erfc = np.frompyfunc(erfc, 1, 1)

"""What log densities are made of, of arrays of any shape. Without SciPy."""

from __future__ import annotations

from math import erfc, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from klcli.engine.arrays import Array, Mask


_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
_LARGE = 16
"""From here on six terms of Stirling's series leave less than a rounding."""


def _stirling_rest(x: Array) -> Array:
    """log Gamma(x) less (x - 1/2) log x - x + log(2 pi)/2, x >= 16."""
    z = 1 / (x * x)
    series = np.zeros_like(x)
    for c in reversed(_STIRLING):
        series = series * z + c
    return series / x


def log_gamma(x: Array) -> Array:
    """log Gamma(x), x > 0, any shape: Stirling's series, and below 16 the library's, every distinct value once."""
    large = np.maximum(x, _LARGE)
    logs = (large - 0.5) * np.log(large) - large + 0.5 * log(2 * pi) + _stirling_rest(large)
    small = x < _LARGE
    if small.any():
        values, where = np.unique(x[small], return_inverse=True)
        logs[small] = np.array([lgamma(v) for v in values.tolist()])[where.ravel()]
    return logs


def log_rising(r: float, k: Array) -> Array:
    """log Gamma(r + k) - log Gamma(r), k >= 0, whose digits do not cancel where r is large."""
    if r < _LARGE:
        return log_gamma(r + k) - lgamma(r)
    y = r + k
    rest = _stirling_rest(y) - _stirling_rest(np.array(r))
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


def times_log1p(x: Array, p: float) -> Array:
    """x log(1 - p), 0 where x = 0."""
    with np.errstate(invalid="ignore"):
        return np.where(x == 0, 0.0, x * (log1p(-p) if p < 1 else -np.inf))


def whole(k: Array, most: float = np.inf) -> Mask:
    """Which points are 0, 1, 2, ... up to the most."""
    inside: Mask = (k >= 0) & (k <= most) & (k == np.floor(k))
    return inside


def log_gamma_half_step(x: float) -> float:
    """log Gamma(x + 1/2) - log Gamma(x)."""
    if x < 1e3:  # noqa: PLR2004
        return lgamma(x + 0.5) - lgamma(x)
    return 0.5 * log(x) - 1 / (8 * x) + 1 / (192 * x**3)


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

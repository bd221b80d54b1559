"""Newton's method for a smooth function of few variables, from any start, between bounds."""

from __future__ import annotations

from math import nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from klcli.engine.arrays import Array

    Mask = npt.NDArray[np.bool_]

    Objective = Callable[[Array], tuple[float, Array, Array]]
    """Point -> value, gradient, Hessian."""

_ENOUGH = 1e-12
"""A step that gains less is the last: convergence being quadratic, what is left is its square."""

_LONGEST = 2.0
"""Of a step; the variables are logarithms, or in units of the data's spread."""

_BLUR = 1e-11
"""Rounding of a value, where log Gammas of large numbers cancel; the gradient is better than that."""

_STEPS, _HALVINGS = 200, 40


NOT_CONVERGED = "did not converge"
"""The remark on a maximum that was not reached."""


class LikelihoodEstimate(NamedTuple):
    """Parameters of a family, with standard errors (nan: there is none); log_likelihood: the mean of one value's."""

    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    log_likelihood: float
    remarks: tuple[str, ...] = ()


class Top(NamedTuple):
    """Where the ascent ended. bound: (k,) bool, the variables that stand at a bound and would go on."""

    point: Array
    value: float
    hessian: Array
    bound: Mask
    converged: bool

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people should know of it."""
        return () if self.converged else (NOT_CONVERGED,)

    def covariance(self, n: float) -> Array:
        """Of n observations' estimates, the inverse of the observed information; nan at a bound, or where none is."""
        free = np.flatnonzero(~self.bound)
        found = np.full(self.hessian.shape, np.nan)
        information = -n * self.hessian[np.ix_(free, free)]
        if len(free) and np.isfinite(information).all() and np.linalg.eigvalsh(information).min() > 0:
            found[np.ix_(free, free)] = np.linalg.inv(information)
        return found


def errors_of_two(aa: float, ab: float, bb: float, n: float) -> tuple[float, float]:
    """Standard errors from the information of one value about two parameters; nan where there is none."""
    whole = n * (aa * bb - ab * ab)
    return (sqrt(bb / whole), sqrt(aa / whole)) if whole > 0 and aa > 0 else (nan, nan)


def ascend(
    objective: Objective,
    start: Array,
    low: Array | float = -np.inf,
    high: Array | float = np.inf,
    *,
    located: bool = False,
) -> Top:
    """A maximum of the function near the start, (k,), with low <= point <= high.

    located: whether the first two variables are a location and the logarithm of its scale, the unit of its steps.
    """
    point, low, high = np.clip(start, low, high), np.broadcast_to(low, start.shape), np.broadcast_to(high, start.shape)
    value, gradient, hessian = objective(point)
    unit = np.ones_like(point)
    for _ in range(_STEPS):
        bound = ((point <= low) & (gradient < 0)) | ((point >= high) & (gradient > 0))
        if located:
            unit[0] = max(1.0, float(np.exp(point[1])))
        step = unit * _uphill(np.where(bound, 0.0, gradient) * unit, hessian * np.outer(unit, unit), bound)
        gain = float(gradient @ step)
        if not np.isfinite(gain):
            return Top(point, value, hessian, bound, converged=False)
        if gain <= _ENOUGH:
            return Top(np.clip(point + step, low, high), value + gain / 2, hessian, bound, converged=True)
        step *= min(1.0, _LONGEST / float(np.abs(step / unit).max()))
        for _ in range(_HALVINGS):
            tried = np.clip(point + step, low, high)
            found = objective(tried)
            if found[0] >= value - _BLUR * (1 + abs(value)):
                break
            step = step / 2
        else:  # rounding hides what is still to be gained
            return Top(point, value, hessian, bound, converged=gain <= _ENOUGH**0.5)
        point, (value, gradient, hessian) = tried, found
    return Top(point, value, hessian, bound, converged=False)


def _uphill(gradient: Array, hessian: Array, fixed: Mask) -> Array:
    """Newton's step, where the function is not concave turned uphill; 0 in what is fixed."""
    bent = np.where(fixed[:, None] | fixed[None, :], 0.0, hessian) - np.diag(fixed.astype(np.float64))
    if not np.isfinite(bent).all():
        return np.full_like(gradient, np.nan)
    values, vectors = np.linalg.eigh(bent)
    curved = np.maximum(np.abs(values), 1e-10 * np.abs(values).max() + 1e-300)
    step: Array = vectors @ ((vectors.T @ gradient) / curved)
    return step

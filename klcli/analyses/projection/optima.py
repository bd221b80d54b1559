"""Every local minimum that is reached from some starts, of functions of one to three unbounded coordinates.

Newton's method with derivatives from differences (the functions are smooth to about 1e-13), steps along directions of
negative curvature turned round, so that saddles repel. Coordinates at a bound stay there while the slope leads outside.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Array

    Function = Callable[[Array], float]

_H = 1e-3
_LONGEST, _SHORTEST = 1.5, 1e-7
_MOST = 100
_FLAT = 1e-8
_LEAST_GAIN, _NOISE = 1e-15, 1e-11


class Minimum(NamedTuple):
    """Where, the value there, which coordinates are at a bound, and whether it converged."""

    z: Array
    value: float
    bound: tuple[int, ...]
    converged: bool


class _Slope(NamedTuple):
    gradient: Array
    hessian: Array


def _slope(f: Function, z: Array, value: float, free: Sequence[int], h: float) -> _Slope:
    """Derivatives by differences in the free coordinates, their errors of order h^4, mixed ones h^2."""
    unit = np.eye(len(z)) * h
    gradient, hessian = np.zeros(len(free)), np.zeros((len(free), len(free)))
    for a, i in enumerate(free):
        up, down, up2, down2 = (f(z + k * unit[i]) for k in (1, -1, 2, -2))
        gradient[a] = (8 * (up - down) - (up2 - down2)) / (12 * h)
        hessian[a, a] = (16 * (up + down) - (up2 + down2) - 30 * value) / (12 * h * h)
    for (a, i), (b, j) in combinations(enumerate(free), 2):
        corners = (s * r * f(z + s * unit[i] + r * unit[j]) for s in (1, -1) for r in (1, -1))
        hessian[a, b] = hessian[b, a] = sum(corners) / (4 * h * h)
    return _Slope(gradient, hessian)


def _free(f: Function, z: Array, low: Array, high: Array) -> list[int]:
    """The coordinates that are not at a bound which the slope leads out of."""
    free = []
    for i in range(len(z)):
        inward = np.eye(len(z))[i] * _H
        if z[i] <= low[i]:
            held = f(z + inward) >= f(z)
        elif z[i] >= high[i]:
            held = f(z - inward) >= f(z)
        else:
            held = False
        if not held:
            free.append(i)
    return free


def _step(slope: _Slope) -> tuple[Array, Array, Array]:
    """Newton's step, always downhill and not too long; eigenvalues; eigenvectors."""
    values, vectors = np.linalg.eigh(slope.hessian)
    along = -(vectors.T @ slope.gradient) / np.maximum(np.abs(values), 1e-10)
    length = float(np.linalg.norm(along))
    return vectors @ along * min(1.0, _LONGEST / max(length, 1e-300)), values, vectors


def _descend(f: Function, z: Array, low: Array, high: Array) -> tuple[Minimum, Array, Array] | None:
    """A stationary point below z, with its eigenvalues and -vectors; None where nothing can be computed."""
    value, eigenvalues, directions = f(z), np.ones(1), np.zeros((1, len(z)))
    free: list[int] = []
    for _ in range(_MOST):
        free = _free(f, z, low, high)
        bound = tuple(i for i in range(len(z)) if i not in free)
        if not free:
            return Minimum(z, value, bound, converged=True), np.ones(1), directions
        for h in (_H, _H / 30, _H / 1000):  # near an edge of what can be computed
            slope = _slope(f, z, value, free, h)
            if np.isfinite(slope.gradient).all() and np.isfinite(slope.hessian).all():
                break
        else:
            return None
        step, eigenvalues, vectors = _step(slope)
        whole, directions = np.zeros(len(z)), np.zeros((len(free), len(z)))
        whole[free], directions[:, free] = step, vectors.T
        size, gain = float(np.linalg.norm(step)), abs(float(step @ slope.gradient)) / 2
        share = 1.0
        while share > 1e-9:  # noqa: PLR2004 - thirty halvings
            reached = np.clip(z + share * whole, low, high)
            new = f(reached)
            if new < value:
                break
            if gain < _NOISE and new <= value + _NOISE:  # nothing left but rounding: Newton knows better
                break
            share /= 2
        else:
            return Minimum(z, value, bound, gain < _NOISE), eigenvalues, directions
        z, value = reached, new
        if size < _SHORTEST or gain < _LEAST_GAIN:
            return Minimum(z, value, bound, converged=True), eigenvalues, directions
    return Minimum(z, value, tuple(i for i in range(len(z)) if i not in free), converged=False), eigenvalues, directions


def minima(f: Function, start: Array, low: Array, high: Array, *, again: bool = True) -> list[Minimum]:
    """The minimum below a start; where that way ends in a saddle, those on both its sides; none on a plain."""
    found = _descend(f, np.clip(start, low, high), low, high) if np.isfinite(f(start)) else None
    if found is None:
        return []
    minimum, values, directions = found
    if values[0] < -1e-6 * max(1.0, float(values[-1])):
        sides = (minimum.z + 0.3 * side * directions[0] for side in (1, -1)) if again else ()
        return [one for z in sides for one in minima(f, z, low, high, again=False)]
    return [] if np.abs(values).max() < _FLAT else [minimum]

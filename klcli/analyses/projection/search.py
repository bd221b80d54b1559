"""Every distinct local optimum of a family: from moments where they tell it, else by descents from many starts."""

from __future__ import annotations

from math import exp, inf, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.analyses.projection import optima
from klcli.analyses.projection.masses import Counts, Weights
from klcli.analyses.projection.shapes import BOUNDS, Coordinates, members
from klcli.fits import FORWARD, REVERSE
from klcli.parametric.catalogue import Component
from klcli.parametric.law import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.analyses.projection.targets import Target
    from klcli.model import Array

_MOST_TRIALS = 10_000
"""Beyond it a binomial is a Poisson distribution, and log n! has too few digits to tell."""
_SAME = 1e-4
_ALL = (-inf, inf)
_TWO_PLACED = {"normal", "laplace", "logistic", "gumbel"}
"""Families of a location and a width."""
_AT_MOST_R = "at a bound: r, as of a poisson"
_MOST_R = float(round(exp(BOUNDS["r"][1])))
_NO_KL = 1e-9
"""What log Gamma(r), whose 16 digits start at a million, leaves of a KL of 0."""
_NEARBY = (np.full(1, -1.0), np.full(1, 1.0))
_MOST_UNIFORM = 1500


class Found(NamedTuple):
    """A member of a family, and what should be known of it."""

    component: Component
    remarks: tuple[str, ...] = ()


def numbers(component: Component) -> tuple[float, ...]:
    """The parameters."""
    return tuple(float(value) for value in component.parameters.values())  # type: ignore[arg-type]


def local_optima(target: Target, family: str, direction: str) -> list[Found]:
    """Every distinct local optimum."""
    if family == "bernoulli" and isinstance(target, Counts):
        # Forward and reverse alike: the share of 1 among 0 and 1, for there is no other member of those masses.
        return [Found(Component(family, {"p": target.mass(1.0) / (target.mass(0.0) + target.mass(1.0))}))]
    if direction == FORWARD and target.closed_forms and family in _MATCHED:
        matched = Component(family, _MATCHED[family](target))
        return [Found(matched)] if matched.parameters.get("rate", 1.0) else []
    if family == "binomial" and isinstance(target, Counts):
        found = _Trials(target, direction).optima()
    elif family == "uniform" and isinstance(target, Weights):
        found = _uniforms(target, direction)
    else:
        found = _descents(target, family, direction)
    if isinstance(target, Weights):  # of those in one cell the lowest; of the same ones without a remark
        found.sort(key=lambda one: (float(f"{target.divergence(one.component, direction):.9g}"), len(one.remarks)))
    several: list[Found] = []
    for one in found:
        if not any(_alike(one.component, other.component) or _in_one_cell(target, one, other) for other in several):
            several.append(one)
    return several


def _in_one_cell(target: Target, one: Found, other: Found) -> bool:
    """Whether only the grid tells them apart: location and width differ by less than its cell there."""
    p, q = one.component.parameters, other.component.parameters
    if not isinstance(target, Weights) or one.component.family not in _TWO_PLACED:
        return False
    cell = target.cell(q["mu"])  # type: ignore[arg-type]
    return all(abs(p[name] - value) < cell for name, value in q.items())  # type: ignore[operator]


def _alike(one: Component, other: Component) -> bool:
    """The same but for 1e-4: of each parameter, of a location in widths, of a number of degrees in its inverse."""
    p: Mapping[str, Any] = one.parameters
    width = p["high"] - p["low"] if one.family == "uniform" else p.get("scale", p.get("sd", 0.0))

    def far(name: str, a: float, b: float) -> Any:  # noqa: ANN401 - a number
        if name in {"mu", "low", "high"}:
            return abs(a - b) / width
        return abs(1 / a - 1 / b) / max(1.0, 1 / a) if name in {"df", "r"} else abs(a - b) / abs(a)

    return all(far(name, p[name], value) <= _SAME for name, value in other.parameters.items())  # type: ignore[arg-type]


def _descents(target: Target, family: str, direction: str) -> list[Found]:
    """From every start, in coordinates around it; a uniform model within each of the target's intervals."""
    places = target.places() if direction == REVERSE else target.places()[-3:] + target.places()[:3]
    # On a grid, of which a model sees nothing else, a location could run away.
    within = target.intervals() if family == "uniform" or isinstance(target, Weights) else (_ALL,)
    starts: dict[tuple[str, ...], tuple[tuple[float, float], Component]] = {}
    for interval in within:
        for place in places:
            for member in members(family, place, interval):
                starts.setdefault(tuple(f"{v:.5g}" for v in numbers(member)), (interval, member))
    found = []
    for interval, member in starts.values():
        coordinates = Coordinates(member, interval)

        def f(z: Array, coordinates: Coordinates = coordinates) -> float:
            component = coordinates.component(z)
            if family == "uniform" and component.parameters["low"] >= component.parameters["high"]:  # type: ignore[operator]
                return inf
            return target.divergence(component, direction)

        low, high = coordinates.bounds()
        for minimum in optima.minima(f, coordinates.z(member), low, high):
            z, converged = minimum.z, minimum.converged
            if family == "laplace" and isinstance(target, Weights):  # its peak bends KL at every point
                z, converged = _simplex(f, z, low, high)
            component = coordinates.component(z)
            remarks: tuple[str, ...] = () if converged else ("did not converge",)
            if minimum.bound and family != "uniform":
                held = [list(component.parameters)[i] for i in minimum.bound]
                remarks += (f"at a bound: {', '.join(held)}",)
                component = _at_bounds(component, set(held) & set(BOUNDS))
            found.append(Found(component, remarks))
    return _with_few_digits(target, found, direction) if family == "negative_binomial" else found


def _with_few_digits(target: Target, found: list[Found], direction: str) -> list[Found]:
    """Negative binomials without those that stopped on a plain, from where KL never rises on the way to a better one.

    Where r leads to its bound, they are there.
    """
    moved = [_as_of_a_poisson(target, one, direction) for one in found]
    valued = [(target.divergence(one.component, direction), one) for one in moved]
    kept: list[Found] = []
    for _, one in sorted(valued, key=lambda pair: (max(pair[0], _NO_KL), len(pair[1].remarks), pair[0])):
        if not any(_leads(target, one, other, direction) for other in kept):
            kept.append(one)
    return kept


def _leads(target: Target, one: Found, other: Found, direction: str) -> bool:
    """Whether KL is nowhere on the way higher than where it starts."""
    (r, p), (s, q) = numbers(one.component), numbers(other.component)
    way = np.geomspace((r, r * (1 - p) / p), (s, s * (1 - q) / q), 9)
    kl = np.array([target.divergence(_of_mean(*at), direction) for at in way.tolist()])
    return bool((kl <= kl[0] + _rounding(way[:, 0].max())).all())


def _rounding(r: Any) -> Any:  # noqa: ANN401 - numbers
    """Of KL: log Gamma(r) has no more digits."""
    return 1e-13 + 1e-15 * r * np.log(r + 1)


def _as_of_a_poisson(target: Target, found: Found, direction: str) -> Found:
    """A negative binomial distribution at the bound of r, where KL falls all the way there from what was found.

    It falls as 1/r^2, by less than what a descent can tell from rounding, long before the bound.
    """
    r, p = numbers(found.component)
    mean = r * (1 - p) / p

    def kl(r: float, mean: float) -> float:
        return target.divergence(_of_mean(r, mean), direction)

    if r < 0.999 * _MOST_R:  # it is not there yet
        way = np.geomspace(r, _MOST_R, 5)
        if not (np.diff([kl(x, mean) for x in way.tolist()]) <= _rounding(way[1:])).all():
            return found
    best = optima.minima(lambda z: kl(_MOST_R, mean * exp(z[0])), np.zeros(1), *_NEARBY)
    return Found(_of_mean(_MOST_R, mean * exp(best[0].z[0]) if best else mean), (_AT_MOST_R,))


def _of_mean(r: float, mean: float) -> Component:
    return Component("negative_binomial", {"r": r, "p": r / (r + mean)})


def _at_bounds(component: Component, held: set[str]) -> Component:
    """With what is at a bound without the rounding of its logarithm: 100000, not 100000.00000000001."""
    there = {name: float(f"{component.parameters[name]:.12g}") for name in held}
    return component._replace(parameters={**component.parameters, **there})


def _simplex(f: Callable[[Array], float], z: Array, low: Array, high: Array) -> tuple[Array, bool]:
    """Nelder and Mead's minimum, and whether it converged: slower, but it needs no derivatives."""
    minimize = scipy("optimize", "a projection").minimize
    corners = z + np.vstack((np.zeros(len(z)), np.eye(len(z)) * 0.05))
    options = {"xatol": 1e-8, "fatol": 1e-14, "initial_simplex": corners, "maxiter": 600}
    found = minimize(lambda z: f(np.clip(z, low, high)), z, method="Nelder-Mead", options=options)
    return np.clip(found.x, low, high), bool(found.success)


def _moments(target: Target) -> tuple[float, float]:
    mean = target.expectation(lambda x: x)
    return mean, sqrt(target.expectation(lambda x: (x - mean) ** 2))


def _matched_lognormal(target: Target) -> dict[str, float]:
    mu = target.expectation(np.log)
    return {"mu": mu, "sd": sqrt(target.expectation(lambda x: (np.log(x) - mu) ** 2))}


def _matched_laplace(target: Target) -> dict[str, float]:
    """The median, and the mean distance from it."""
    middle, distance = target.middle()
    return {"mu": middle, "scale": distance}


_MATCHED: Mapping[str, Callable[[Target], Mapping[str, float]]] = {
    "normal": lambda target: dict(zip(("mu", "sd"), _moments(target), strict=True)),
    "lognormal": _matched_lognormal,
    "laplace": _matched_laplace,
    "exponential": lambda target: {"rate": 1 / target.expectation(lambda x: x)},
    "uniform": lambda target: {"low": target.intervals()[0][0], "high": target.intervals()[-1][1]},
    "poisson": lambda target: {"rate": target.expectation(lambda x: x)},
    "geometric": lambda target: {"p": 1 / (1 + target.expectation(lambda x: x))},
}
"""The forward optimum where moments tell it: of exponential families, and of the uniform, the hull of the support."""


class _Trials:
    """Binomials: the best p of each n, and the way downhill in n."""

    def __init__(self, target: Counts, direction: str) -> None:
        self._target, self._direction = target, direction
        self._mean = target.expectation(lambda x: x)
        self._logit = Coordinates(Component("geometric", {"p": 0.5}), _ALL)
        if direction == FORWARD:
            self._least = max(int(target.most), 1)
            self._most = max(self._least, _MOST_TRIALS)
        else:
            self._least, self._most = 1, int(min(target.reach, _MOST_TRIALS))

    def _kl(self, n: int, p: float) -> float:
        return self._target.divergence(Component("binomial", {"n": float(n), "p": p}), self._direction)

    def _p(self, z: Array) -> float:
        return float(self._logit.component(z).parameters["p"])  # type: ignore[arg-type]

    def _best(self, n: int, p: float) -> tuple[float, float]:
        """The least KL for n trials, and its p, the nearest below one."""
        if self._direction == FORWARD:
            return self._kl(n, self._mean / n), self._mean / n
        start = self._logit.z(Component("geometric", {"p": min(max(p, 1e-9), 1 - 1e-9)}))
        found = optima.minima(lambda z: self._kl(n, self._p(z)), start, *self._logit.bounds())
        return (found[0].value, self._p(found[0].z)) if found else (inf, p)

    def optima(self) -> list[Found]:
        """From each start; forward from one, since p follows from n."""
        starts: dict[tuple[int, str], float] = {}
        for m, s in self._target.places() if self._least <= self._most else ():
            guess = m * m / (m - s * s) if 0 < s * s < 0.95 * m else 4 * m
            starts[min(max(round(guess), self._least), self._most), f"{m:.4g}"] = m
        found = []
        for (n, _), m in list(starts.items())[: 1 if self._direction == FORWARD else None]:
            trials, p, value = self._downhill(n, m / n)
            if np.isfinite(value):
                remarks = ("at a bound: n, as of a poisson",) if trials == _MOST_TRIALS else ()
                found.append(Found(Component("binomial", {"n": float(trials), "p": p}), remarks))
        return found

    def _downhill(self, n: int, p: float) -> tuple[int, float, float]:
        """A whole n that neither neighbour betters, by ever longer strides and back to single steps."""
        value, p = self._best(n, p)
        stride, way, failed = 1, 1, 0
        while failed < 2:  # noqa: PLR2004 - both ways
            other = min(max(n + way * stride, self._least), self._most)
            new, q = self._best(other, p * n / other) if other != n else (inf, p)
            if new < value - 1e-13 * abs(value):
                n, p, value, stride, failed = other, q, new, 2 * stride, 0
            elif stride > 1:
                stride = max(stride // 4, 1)
            else:
                way, failed = -way, failed + 1
        return n, p, value


def _uniforms(target: Weights, direction: str) -> list[Found]:
    """Between edges of cells: forward all that has mass; reverse each range that no cell more or less betters."""
    half = target.widths / 2
    lows, highs = target.x - half, target.x + half
    held = np.flatnonzero(target.p > 0)
    if direction == FORWARD:
        return [Found(Component("uniform", {"low": float(lows[held[0]]), "high": float(highs[held[-1]])}))]
    if len(target.x) > _MOST_UNIFORM:
        return []
    sums = np.concatenate(([0.0], np.cumsum(target.widths)))
    safe = np.where(target.p > 0, target.log_p, 0.0) - np.log(target.widths)
    costs = np.concatenate(([0.0], np.cumsum(target.widths * safe)))
    empty = np.concatenate(([0], np.cumsum(target.p <= 0)))
    width = sums[None, 1:] - sums[:-1, None]
    kl = -np.log(width) - (costs[None, 1:] - costs[:-1, None]) / width
    kl = np.where((width > 0) & (empty[None, 1:] == empty[:-1, None]), kl, inf)
    padded = np.pad(kl, 1, constant_values=inf)
    sides = [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]
    at = np.argwhere(np.isfinite(kl) & np.all([kl < side for side in sides], axis=0))
    return [Found(Component("uniform", {"low": float(lows[i]), "high": float(highs[j])})) for i, j in at if j > i]

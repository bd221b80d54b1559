"""Every distinct local optimum of a family: from moments where they tell it, else by searches from many starts."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import exp, inf, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.projection.targets import CountPoints, Weights
from klcli.families.catalogue import FAMILIES, FINITE
from klcli.families.continuous.uniform import Uniform
from klcli.families.counts.binomial import Binomial
from klcli.families.family import Counts, LocationScale, Positive, scipy
from klcli.families.formula import ParameterError
from klcli.fits import FORWARD
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from klcli.analyses.projection.targets import Member, Place, Target
    from klcli.families.family import Family, Parameters
    from klcli.families.formula import Parameter
    from klcli.model import Array

    Function = Callable[[Array], float]
    Interval = tuple[float, float]

_MOST_TRIALS = 10_000
"""Beyond it a binomial is a Poisson distribution, and log n! has too few digits to tell."""
_MOST_UNIFORM = 1500
_SAME, _NEAR = 1e-4, 2e-2
"""How near one optimum is in its parameters to another that it is, and in its coordinates to one it will be."""
_FAR = 700.0
"""Coordinates this far out are without bounds: e^709 is the greatest double."""
_H, _INWARD = 1e-3, 1e-2
"""Steps in a coordinate for differences, and off a bound."""
_NOISE = 1e-13
"""Of KL: what rounding may add."""
_FLAT = 1e-9
"""Of a curvature of KL, what is none."""
_ROUGHLY, _FINELY = 1e-4, 1e-9
"""Slopes of KL at which a search from a start ends, and one for an optimum."""
_TILTED = {"gamma", "beta", "negative_binomial"}
"""The families whose mean goes with the difference of their two coordinates, which the second gives way to."""


class Found(NamedTuple):
    """A member of a family, and what should be known of it."""

    member: Member
    remarks: tuple[str, ...] = ()


def numbers(member: Member) -> tuple[float, ...]:
    """The parameters of a member."""
    return tuple(map(float, member.values.values()))


class Coordinates:
    """A family's parameters as numbers without bounds: logs, logits, and locations in units of a member's width.

    Locations, and what else is an end of the support, may not leave an interval. low, high: (k,), the bounds.
    """

    def __init__(self, member: Family, within: Interval) -> None:
        self._family, (self._origin, self._unit) = type(member), member.unit
        located = not issubclass(self._family, Positive)  # a lognormal's location is of the logarithm
        self._bounds = [
            one.searched or (max(one.low, low), min(one.high, high))
            for one in member.parameters
            for low, high in [within if one.name in _ends(member) or (located and one.located) else (-inf, inf)]
        ]
        lows, highs = zip(*self._bounds, strict=True)
        self.low, self.high = (np.clip(self._unbounded(side), -_FAR, _FAR) for side in (lows, highs))
        if self._family.name in _TILTED:
            self.low[1], self.high[1] = -inf, inf

    def _tilted(self, z: Array) -> Array:
        """The first coordinate, and its difference from the second; done twice, nothing is changed."""
        return np.array([z[0], z[0] - z[1]]) if self._family.name in _TILTED else z

    def _unbounded(self, values: Sequence[float]) -> Array:
        found = []
        for one, value in zip(self._family.parameters, values, strict=True):
            if one.low == -inf:
                found.append((value - self._origin) / self._unit if one.located else value)
            else:
                found.append(np.log(value) - (0.0 if one.high == inf else np.log1p(-value)))
        return np.array(found)

    def z(self, member: Family) -> Array:
        """The coordinates of a member."""
        return np.clip(self._tilted(self._unbounded(numbers(member))), self.low, self.high)

    def member(self, z: Array) -> Member:
        """The member at some coordinates."""
        parameters = {}
        each = zip(self._family.parameters, self._tilted(z).tolist(), self._bounds, strict=True)
        for one, at, (low, high) in each:
            if one.low == -inf:
                value = self._origin + self._unit * at if one.located else at
            elif one.high == inf:
                value = exp(min(max(at, -_FAR), _FAR))
            else:
                value = 1 / (1 + exp(min(max(-at, -30.0), _FAR)))
            parameters[one.name] = min(max(value, low), high)
        return self._family(**parameters)


def _ends(family: type[Family] | Family) -> tuple[str, ...]:
    """The parameters that are ends of the support."""
    return getattr(family, "ends", ())


def is_member(family: type[Family], parameters: Parameters) -> bool:
    """Whether the family has a member with these parameters."""
    try:
        family.checked(parameters)
    except ParameterError:
        return False
    return all(one.allows(parameters[one.name]) for one in family.parameters)


def local_optima(target: Target, family: str, direction: str) -> list[Found]:
    """Every distinct local optimum, the best first."""
    model = FAMILIES[family]
    if model.kind == FINITE and isinstance(target, CountPoints):
        # Forward and reverse alike: the share of 1 among 0 and 1, for there is no other member of those masses.
        return [Found(model(p=target.mass(1.0) / (target.mass(0.0) + target.mass(1.0))))]
    matched = model.nearest(target) if direction == FORWARD and not isinstance(target, Weights) else None
    if matched is not None:
        return [Found(model(**matched))] if is_member(model, matched) else []
    if model is Binomial and isinstance(target, CountPoints):
        found = _binomials(target, direction)
    elif model is Uniform and isinstance(target, Weights):
        found = _uniforms(target, direction)
    else:
        found = list(_searched(target, model, direction))
    valued = [(target.smooth(one.member, direction)(one.member), one) for one in found]
    several: list[Found] = []
    for value, one in sorted(valued, key=lambda pair: (float(f"{pair[0]:.9g}"), len(pair[1].remarks))):
        if np.isfinite(value) and not any(_is_again(target, one.member, other.member) for other in several):
            several.append(one)
    return several


def _is_again(target: Target, one: Member, other: Member) -> bool:
    """Whether two members are one: locations agree by widths, degrees of freedom by 1/them, the rest by shares.

    On a grid also those whose location and width differ by less than its cell.
    """
    if isinstance(target, Weights) and isinstance(one, LocationScale) and len(one.parameters) == 2:  # noqa: PLR2004
        cell = target.cell(other.mu)
        if all(abs(a - b) < cell for a, b in zip(numbers(one), numbers(other), strict=True)):
            return True

    def far(parameter: Parameter, a: float, b: float) -> float:
        if parameter.low == -inf:
            return abs(a - b) / (one.unit[1] if parameter.located else 1.0)
        return abs(1 / a - 1 / b) / max(1.0, 1 / a) if parameter.searched else abs(a - b) / abs(a)

    return all(far(*each) <= _SAME for each in zip(one.parameters, numbers(one), numbers(other), strict=True))


def _searched(target: Target, family: type[Family], direction: str) -> Iterator[Found]:
    """What is found from every start; what ends alike is settled once."""
    # On a grid, of which a model sees nothing else, a location could run away.
    for within in target.intervals() if _ends(family) or isinstance(target, Weights) else ((-inf, inf),):
        ended: list[tuple[float, Member]] = []
        starts = [one for place in target.places() if (one := _start(family, place, within)) is not None]
        for member in {tuple(f"{value:.5g}" for value in numbers(one)): one for one in starts}.values():
            coordinates, f = _function(target, member, direction, within)
            z = coordinates.z(member)
            if _ends(family):
                z = _at_bounds(f, z, coordinates)
            z, _ = _descended(f, z, _free(z, coordinates), _ROUGHLY)
            ended.append((f(z), coordinates.member(z)))
        several: list[Member] = []
        for value, member in sorted(ended, key=lambda pair: pair[0]):
            coordinates = Coordinates(member, within)
            apart = [float(np.abs(coordinates.z(member) - coordinates.z(other)).max()) for other in several]
            if np.isfinite(value) and min(apart, default=inf) > _NEAR:
                several.append(member)
                if (found := _settled(target, member, direction, within)) is not None:
                    yield found


def _start(family: type[Family], place: Place, within: Interval) -> Member | None:
    """A member with about that mean and deviation, its ends within an interval; None where there is none."""
    (m, s), (low, high) = place, within
    if issubclass(family, Counts | Positive):
        m = max(m, 0.05 * s) if m > 1e-3 * s else s  # about 0 it has the right half
    near = family.near(m, s).items()
    parameters = {name: min(max(value, low), high) if name in _ends(family) else value for name, value in near}
    return family(**parameters) if is_member(family, parameters) else None


def _function(target: Target, member: Member, direction: str, within: Interval) -> tuple[Coordinates, Function]:
    """Coordinates around a member, and KL in them, smooth where they round to the same whole numbers."""
    coordinates = Coordinates(member, within)
    origin, nearby = coordinates.z(member), {}

    def f(z: Array) -> float:
        one, cell = coordinates.member(z), tuple(np.round(z - origin))
        if not is_member(type(one), one.values):
            return inf
        if cell not in nearby:
            nearby[cell] = target.smooth(one, direction)
        value: float = nearby[cell](one)
        return value

    return coordinates, f


def _settled(target: Target, member: Member, direction: str, within: Interval) -> Found | None:
    """The optimum near a member that a search has led to, at nodes that fit it; None on a plain or an edge."""
    coordinates, f = _function(target, member, direction, within)
    z = coordinates.z(member)
    for _ in range(3):
        start = _at_bounds(f, z, coordinates)
        z, converged = _descended(f, start, _free(start, coordinates), _FINELY)
        if np.abs(z - start).max() < _NEAR:
            break
    if not converged and 0 < np.abs(_slope(f, z)[1]).max() < _FLAT:
        return None
    # On a grid the peak of a model bends KL at every point.
    if not converged or (isinstance(target, Weights) and member.kinks):
        z, converged = _simplex(f, z, coordinates)
        if not converged and not _slope(f, z)[1].any():
            return None
    member = coordinates.member(z)
    remarks: tuple[str, ...] = () if converged else ("did not converge",)
    free = _free(z, coordinates)
    names = ", ".join(one.name for i, one in enumerate(member.parameters) if i not in free)
    if names and not _ends(member):
        remarks += (f"at a bound: {names}" + (", as of a poisson" if names == "r" else ""),)
    return Found(member, remarks)


def _free(z: Array, bounds: Coordinates) -> list[int]:
    """The coordinates that are not at a bound."""
    held = (z == bounds.low) | (z == bounds.high)
    return np.flatnonzero(~held).tolist()


def _at_bounds(f: Function, z: Array, bounds: Coordinates) -> Array:
    """The point moved to bounds on the way to which KL never rises but by rounding, and off those it falls from."""
    for i in range(len(z)):
        for end, inward in ((bounds.low[i], _INWARD), (bounds.high[i], -_INWARD)):
            way = np.repeat(z[None], 6, axis=0)
            if z[i] == end:
                way[1, i] += inward
                z = way[1] if f(way[1]) < f(z) - _NOISE else z
            elif abs(end) < _FAR:
                way[:, i] = np.linspace(z[i], end, 6)
                z = way[-1] if all(f(b) <= f(a) + _NOISE for a, b in pairwise(way)) else z
    return z


def _descended(f: Function, z: Array, free: Sequence[int], slope_left: float) -> tuple[Array, bool]:
    """Where steps in a small trust region lead in some coordinates, out of saddles, and whether that is a minimum."""
    slopes: dict[bytes, tuple[Array, Array]] = {}

    def at(y: Array) -> float:
        whole = z.copy()
        whole[free] = y
        return f(whole)

    def slope(y: Array) -> tuple[Array, Array]:
        if y.tobytes() not in slopes:
            slopes[y.tobytes()] = _slope(at, y)
        return slopes[y.tobytes()]

    if not free or not np.isfinite(f(z)):
        return z, not free
    minimize = scipy("optimize", "a projection").minimize
    options = {"initial_trust_radius": 0.2, "max_trust_radius": 1.0, "gtol": slope_left, "maxiter": 60}
    derivatives = {"jac": lambda y: slope(y)[0], "hess": lambda y: slope(y)[1]}
    y = minimize(at, z[free], method="trust-exact", **derivatives, options=options).x
    gradient, hessian = slope(y)
    is_minimum = bool(np.linalg.eigvalsh(hessian)[0] > _FLAT)
    step = np.linalg.solve(hessian, -gradient) if is_minimum else np.zeros(len(y))
    whole = z.copy()
    whole[free] = y + step if np.abs(step).max() < _SAME else y
    return whole, is_minimum and bool(np.abs(step).max() < _SAME or abs(gradient @ step) < _NOISE)


def _slope(f: Function, y: Array) -> tuple[Array, Array]:
    """Gradient and Hessian by differences, errors of order h^4, the mixed ones h^2; 0 at an edge of what is finite."""
    unit, value, gradient, hessian = np.eye(len(y)) * _H, f(y), np.zeros(len(y)), np.zeros((len(y), len(y)))
    for i in range(len(y)):
        up, down, up2, down2 = (f(y + k * unit[i]) for k in (1, -1, 2, -2))
        gradient[i] = (8 * (up - down) - (up2 - down2)) / (12 * _H)
        hessian[i, i] = (16 * (up + down) - (up2 + down2) - 30 * value) / (12 * _H * _H)
    for i, j in combinations(range(len(y)), 2):
        corners = (s * r * f(y + s * unit[i] + r * unit[j]) for s in (1, -1) for r in (1, -1))
        hessian[i, j] = hessian[j, i] = sum(corners) / (4 * _H * _H)
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return np.zeros(len(y)), np.zeros((len(y), len(y)))
    return gradient, hessian


def _simplex(f: Function, z: Array, bounds: Coordinates) -> tuple[Array, bool]:
    """Nelder and Mead's minimum, and whether it converged: slower, but it needs no derivatives."""
    away = np.where(z + 0.05 > bounds.high, -0.05, 0.05)
    options = {"initial_simplex": z + np.vstack((0 * z, np.diag(away))), "xatol": 1e-8, "fatol": 1e-14, "maxfev": 600}
    minimize = scipy("optimize", "a projection").minimize
    found = minimize(f, z, method="Nelder-Mead", bounds=np.transpose((bounds.low, bounds.high)), options=options)
    return found.x, bool(found.success)


def _binomials(target: CountPoints, direction: str) -> list[Found]:
    """Each n that neither neighbour betters, at the best p; forward there is one, since p follows from n."""
    mean, forward = target.expectation(lambda x: x), direction == FORWARD
    least = max(int(target.most), 1) if forward else 1
    most = max(least, _MOST_TRIALS) if forward else int(min(target.reach, _MOST_TRIALS))
    kl = target.smooth(Binomial(n=1.0, p=0.5), direction)

    def best(n: int, p: float) -> tuple[float, float]:
        """The least KL for n trials, and its p, the nearest below one."""
        if forward:
            return kl(Binomial(n=float(n), p=mean / n)), mean / n
        p = min(max(p, 1e-9), 1 - 1e-9)

        def f(z: Array) -> float:
            return kl(Binomial(n=float(n), p=1 / (1 + exp(-z[0]))))

        z, _ = _descended(f, np.array([log(p / (1 - p))]), [0], _FINELY)
        return f(z), 1 / (1 + exp(-float(z[0])))

    found = []
    for m, s in target.places()[: 1 if forward else None]:
        n = min(max(round(m * m / (m - s * s) if 0 < s * s < 0.95 * m else 4 * m), least), most)
        value, p = best(n, m / n)
        stride, way, failed = 1, 1, 0
        while failed < 2:  # noqa: PLR2004 - ever longer strides, and back to single steps, both ways
            other = min(max(n + way * stride, least), most)
            new, q = best(other, p * n / other) if other != n else (inf, p)
            if new < value - _NOISE * abs(value):
                n, p, value, stride, failed = other, q, new, 2 * stride, 0
            elif stride > 1:
                stride = max(stride // 4, 1)
            else:
                way, failed = -way, failed + 1
        remarks = ("at a bound: n, as of a poisson",) if n == _MOST_TRIALS else ()
        found.append(Found(Binomial(n=float(n), p=p), remarks))
    return found


def _uniforms(target: Weights, direction: str) -> list[Found]:
    """Between edges of cells: forward all that has mass; reverse each range that no cell more or less betters."""
    half = target.widths / 2
    lows, highs = target.x - half, target.x + half
    held = np.flatnonzero(target.p > 0)
    if direction == FORWARD:
        return [Found(Uniform(low=float(lows[held[0]]), high=float(highs[held[-1]])))]
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
    return [Found(Uniform(low=float(lows[i]), high=float(highs[j]))) for i, j in at if j > i]

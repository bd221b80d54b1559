"""Every distinct local optimum of a family: from moments where they tell it, else by descents from many starts."""

from __future__ import annotations

from math import exp, inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.analyses.projection import optima
from klcli.analyses.projection.masses import CountPoints, Weights
from klcli.analyses.projection.shapes import Coordinates, ends_of, is_member, member_near
from klcli.families.catalogue import FAMILIES, FINITE
from klcli.families.continuous.uniform import Uniform
from klcli.families.counts.binomial import Binomial
from klcli.families.counts.geometric import Geometric
from klcli.families.counts.negative_binomial import NegativeBinomial
from klcli.families.family import LocationScale, scipy
from klcli.fits import FORWARD, REVERSE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.analyses.projection.shapes import Member
    from klcli.analyses.projection.targets import Target
    from klcli.families.formula import Parameter
    from klcli.model import Array

_MOST_TRIALS = 10_000
"""Beyond it a binomial is a Poisson distribution, and log n! has too few digits to tell."""
_SAME = 1e-4
_ALL = (-inf, inf)
_AT_MOST_R = "at a bound: r, as of a poisson"
_MOST_R = 1e5
_NO_KL = 1e-9
"""What log Gamma(r), whose 16 digits start at a million, leaves of a KL of 0."""
_NEARBY = (np.full(1, -1.0), np.full(1, 1.0))
_MOST_UNIFORM = 1500


class Found(NamedTuple):
    """A member of a family, and what should be known of it."""

    member: Member
    remarks: tuple[str, ...] = ()


def numbers(member: Member) -> tuple[float, ...]:
    """The parameters."""
    return tuple(map(float, member.values.values()))


def local_optima(target: Target, family: str, direction: str) -> list[Found]:
    """Every distinct local optimum."""
    model = FAMILIES[family]
    if model.kind == FINITE and isinstance(target, CountPoints):
        # Forward and reverse alike: the share of 1 among 0 and 1, for there is no other member of those masses.
        return [Found(model(p=target.mass(1.0) / (target.mass(0.0) + target.mass(1.0))))]
    matched = model.nearest(target) if direction == FORWARD and target.closed_forms else None
    if matched is not None:
        return [Found(model(**matched))] if is_member(model, matched) else []
    if model is Binomial and isinstance(target, CountPoints):
        found = _Trials(target, direction).optima()
    elif model is Uniform and isinstance(target, Weights):
        found = _uniforms(target, direction)
    else:
        found = _descents(target, family, direction)
    if isinstance(target, Weights):  # of those in one cell the lowest; of the same ones without a remark
        found.sort(key=lambda one: (float(f"{target.divergence(one.member, direction):.9g}"), len(one.remarks)))
    several: list[Found] = []
    for one in found:
        if not any(_alike(one.member, other.member) or _in_one_cell(target, one, other) for other in several):
            several.append(one)
    return several


def _in_one_cell(target: Target, one: Found, other: Found) -> bool:
    """Whether only the grid tells them apart: location and width differ by less than its cell there."""
    p, q = one.member, other.member
    if not isinstance(target, Weights) or not isinstance(p, LocationScale) or len(p.parameters) > 2:  # noqa: PLR2004
        return False
    cell = target.cell(q.mu)
    return all(abs(a - b) < cell for a, b in zip(numbers(p), numbers(q), strict=True))


def _alike(one: Member, other: Member) -> bool:
    """Whether two members agree to 1e-4 in each parameter: in a location by widths, in a number of degrees by 1/it."""

    def far(parameter: Parameter, a: float, b: float) -> float:
        if parameter.low == -inf:
            return abs(a - b) / (one.unit[1] if parameter.located else 1.0)
        return abs(1 / a - 1 / b) / max(1.0, 1 / a) if parameter.searched else abs(a - b) / abs(a)

    each = zip(one.parameters, numbers(one), numbers(other), strict=True)
    return all(far(*three) <= _SAME for three in each)


def _descents(target: Target, family: str, direction: str) -> list[Found]:
    """From every start, in coordinates around it; a uniform model within each of the target's intervals."""
    places = target.places() if direction == REVERSE else target.places()[-3:] + target.places()[:3]
    # On a grid, of which a model sees nothing else, a location could run away.
    ends = ends_of(FAMILIES[family])
    within = target.intervals() if ends or isinstance(target, Weights) else (_ALL,)
    starts: dict[tuple[str, ...], tuple[tuple[float, float], Member]] = {}
    for interval in within:
        for place in places:
            member = member_near(family, place, interval)
            if member is not None:
                starts.setdefault(tuple(f"{v:.5g}" for v in numbers(member)), (interval, member))
    found = []
    for interval, member in starts.values():
        coordinates = Coordinates(member, interval)

        def f(z: Array, coordinates: Coordinates = coordinates) -> float:
            member = coordinates.member(z)
            if ends and not is_member(type(member), member.values):
                return inf
            return target.divergence(member, direction)

        low, high = coordinates.bounds()
        for minimum in optima.minima(f, coordinates.z(member), low, high):
            z, converged = minimum.z, minimum.converged
            if isinstance(target, Weights) and member.kinks:  # its peak bends KL at every point
                z, converged = _simplex(f, z, low, high)
            reached = coordinates.member(z)
            remarks: tuple[str, ...] = () if converged else ("did not converge",)
            if minimum.bound and not ends:
                held = [reached.parameters[i] for i in minimum.bound]
                remarks += (f"at a bound: {', '.join(one.name for one in held)}",)
                reached = _at_bounds(reached, [one.name for one in held if one.searched])
            found.append(Found(reached, remarks))
    return _with_few_digits(target, found, direction) if FAMILIES[family] is NegativeBinomial else found


def _with_few_digits(target: Target, found: list[Found], direction: str) -> list[Found]:
    """Negative binomials without those that stopped on a plain, from where KL never rises on the way to a better one.

    Where r leads to its bound, they are there.
    """
    moved = [_as_of_a_poisson(target, one, direction) for one in found]
    valued = [(target.divergence(one.member, direction), one) for one in moved]
    kept: list[Found] = []
    for _, one in sorted(valued, key=lambda pair: (max(pair[0], _NO_KL), len(pair[1].remarks), pair[0])):
        if not any(_leads(target, one, other, direction) for other in kept):
            kept.append(one)
    return kept


def _leads(target: Target, one: Found, other: Found, direction: str) -> bool:
    """Whether KL is nowhere on the way higher than where it starts."""
    (r, p), (s, q) = numbers(one.member), numbers(other.member)
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
    r, p = numbers(found.member)
    mean = r * (1 - p) / p

    def kl(r: float, mean: float) -> float:
        return target.divergence(_of_mean(r, mean), direction)

    if r < 0.999 * _MOST_R:  # it is not there yet
        way = np.geomspace(r, _MOST_R, 5)
        if not (np.diff([kl(x, mean) for x in way.tolist()]) <= _rounding(way[1:])).all():
            return found
    best = optima.minima(lambda z: kl(_MOST_R, mean * exp(z[0])), np.zeros(1), *_NEARBY)
    return Found(_of_mean(_MOST_R, mean * exp(best[0].z[0]) if best else mean), (_AT_MOST_R,))


def _of_mean(r: float, mean: float) -> Member:
    return NegativeBinomial(r=r, p=r / (r + mean))


def _at_bounds(member: Member, held: Sequence[str]) -> Member:
    """With what is at a bound without the rounding of its logarithm: 100000, not 100000.00000000001."""
    there = {name: float(f"{getattr(member, name):.12g}") for name in held}
    return type(member)(**{**member.values, **there})


def _simplex(f: Callable[[Array], float], z: Array, low: Array, high: Array) -> tuple[Array, bool]:
    """Nelder and Mead's minimum, and whether it converged: slower, but it needs no derivatives."""
    minimize = scipy("optimize", "a projection").minimize
    corners = z + np.vstack((np.zeros(len(z)), np.eye(len(z)) * 0.05))
    options = {"xatol": 1e-8, "fatol": 1e-14, "initial_simplex": corners, "maxiter": 600}
    found = minimize(lambda z: f(np.clip(z, low, high)), z, method="Nelder-Mead", options=options)
    return np.clip(found.x, low, high), bool(found.success)


class _Trials:
    """Binomials: the best p of each n, and the way downhill in n."""

    def __init__(self, target: CountPoints, direction: str) -> None:
        self._target, self._direction = target, direction
        self._mean = target.expectation(lambda x: x)
        self._logit = Coordinates(Geometric(p=0.5), _ALL)
        if direction == FORWARD:
            self._least = max(int(target.most), 1)
            self._most = max(self._least, _MOST_TRIALS)
        else:
            self._least, self._most = 1, int(min(target.reach, _MOST_TRIALS))

    def _kl(self, n: int, p: float) -> float:
        return self._target.divergence(Binomial(n=float(n), p=p), self._direction)

    def _p(self, z: Array) -> float:
        return float(self._logit.member(z).p)

    def _best(self, n: int, p: float) -> tuple[float, float]:
        """The least KL for n trials, and its p, the nearest below one."""
        if self._direction == FORWARD:
            return self._kl(n, self._mean / n), self._mean / n
        start = self._logit.z(Geometric(p=min(max(p, 1e-9), 1 - 1e-9)))
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
                found.append(Found(Binomial(n=float(trials), p=p), remarks))
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

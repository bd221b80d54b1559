"""What is projected: a density, as quadrature sees it. KL to and from a model, quickly and with an error; its starts.

`masses` has the same of masses on points.
"""

from __future__ import annotations

from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Protocol

import numpy as np

from klcli.analyses.projection.nodes import adaptive, edges, nodes, place, special, spread
from klcli.analyses.projection.shapes import Place, densities
from klcli.families.family import Tail
from klcli.families.infinite import is_too_heavy
from klcli.families.law import Law
from klcli.families.moments import Averages
from klcli.fits import FORWARD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.analyses.projection.shapes import Member
    from klcli.families.family import Continuous
    from klcli.families.formula import Formula
    from klcli.model import Array

    Estimate = tuple[float, float]

_MOST_SUBMIXTURES = 6


class Target(Averages, Protocol):
    """P. counts: of whole numbers. closed_forms: whether moments tell the forward optimum."""

    closed_forms: bool

    def excuse(self, family: str, direction: str) -> str:
        """Why no member of the family has a finite KL in that direction; '' where some may."""

    def divergence(self, member: Member, direction: str) -> float:
        """KL, as it is minimised."""

    def exact(self, member: Member, direction: str) -> Estimate:
        """KL and an estimate of its error."""

    def places(self) -> list[Place]:
        """Where to start, the same always."""


class Density:
    """A density given by a formula."""

    closed_forms = True

    def __init__(self, formula: Formula) -> None:
        self._law = Law(formula)
        self._members: list[Continuous] = self._law.members
        self._weights = [one.weight for one in formula.components]
        self._kinks = _kinks(self._members, self._weights)
        self._far = any(one.reach == "far" for one in self._members)
        parts = [nodes(one, edges(one, self._kinks, far=True)) for one in self._members]
        self._x = np.concatenate([x for x, _ in parts])
        self._w = np.concatenate([weight * w for weight, (_, w) in zip(self._weights, parts, strict=True)])
        self._log_p = self._law.log_density(self._x)

    def intervals(self) -> Sequence[tuple[float, float]]:
        """The support."""
        return self._law.support

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """E_P of a function."""
        return float(np.where(self._w > 0, self._w * of(self._x), 0.0).sum())

    def _below(self, x: float) -> float:
        expit = special().expit
        each = zip(self._weights, self._members, strict=True)
        return float(sum(weight * expit(one.logit(np.asarray(x))) for weight, one in each))

    def middle(self) -> tuple[float, float]:
        """The median (of several the greatest), and the mean distance from it."""
        points = spread(self._members, (0.0,))
        low, high = float(points.min()), float(points.max())
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self._below(middle) <= 0.5 else (low, middle)  # noqa: PLR2004 - one half
        kinks = np.append(self._kinks, low)
        distances = (
            weight * adaptive(one, lambda x: np.abs(x - low), edges(one, kinks, far=True))[0]
            for weight, one in zip(self._weights, self._members, strict=True)
        )
        return low, sum(distances)

    def excuse(self, family: str, direction: str) -> str:
        """By the supports, and by what tails the moments need."""
        return self._excuse_forward(family) if direction == FORWARD else self._excuse_reverse(family)

    def _excuse_forward(self, family: str) -> str:
        low, high = self._law.support[0][0], self._law.support[-1][1]
        model = densities(family)
        if len(model.ends) > 1 and not np.isfinite((low, high)).all():
            return "KL(P||Q) is infinite: P has mass without bounds"
        if low < model.cover[0] or high > model.cover[1]:
            where = f"below {model.cover[0]:g}" if low < model.cover[0] else f"above {model.cover[1]:g}"
            return f"KL(P||Q) is infinite: P has mass {where}"
        powers = [(tail.power, growth) for tail, growth in self._tails(model.least_growth) if tail.power < inf]
        if any(growth >= power for power, growth in powers):
            least = min(power for power, _ in powers)
            return f"KL(P||Q) is infinite: P's tails, without a moment of order {least:g}, are too heavy for it"
        return ""

    def _excuse_reverse(self, family: str) -> str:
        model = densities(family)
        low, high = model.cover
        if not model.ends and not any(a <= low and high <= b for a, b in self._law.support):
            return f"KL(Q||P) is infinite: Q has mass where P has none, P's support being {_written(self._law.support)}"
        if self._growth[0] == inf and model.least_growth[0] == 0:
            return f"KL(Q||P) is infinite: log P falls as an exponential, which no {family} has a mean of"
        return ""

    def _tails(self, growth: tuple[float, float]) -> list[tuple[Tail, float]]:
        """P's tails, each with that of two growths which is at its side."""
        both = [(one.tail(side), growth[side > 0]) for one in self._members for side in (-1, 1)]
        return [(tail, at_side) for tail, at_side in both if tail is not None]

    @cached_property
    def _growth(self) -> tuple[float, float]:
        """How -log p grows, left and right: as its heaviest component's does."""
        left, right = ([one.growth[i] for one in self._members if one.growth[i] >= 0] for i in (0, 1))
        return min(left, default=-inf), min(right, default=-inf)

    def _diverges(self, member: Member, direction: str) -> bool:
        """Whether KL is known to be infinite."""
        hull, (low, high) = (self._law.support[0][0], self._law.support[-1][1]), member.support
        if direction == FORWARD:
            return (
                hull[0] < low or hull[1] > high or any(_too_heavy(one, member.growth, member) for one in self._members)
            )
        inside = any(a <= low and high <= b for a, b in self._law.support)
        return not inside or _too_heavy(member, self._growth, self._widest)

    @cached_property
    def _widest(self) -> Continuous:
        """The component whose left tail is the heaviest, of Gumbels the widest."""
        return max(self._members, key=lambda one: float(vars(one).get("scale", 0.0)))

    def _ends(self, member: Member) -> Array:
        return edges(member, self._kinks, far=self._far or member.reach == "far")

    def divergence(self, member: Member, direction: str) -> float:
        """By a fixed number of panels."""
        if self._diverges(member, direction):
            return inf
        if direction == FORWARD:
            return _weighted(self._w, self._log_p - member.log_density(self._x))
        x, w = nodes(member, self._ends(member))
        return _weighted(w, member.log_density(x) - self._law.log_density(x))

    def exact(self, member: Member, direction: str) -> Estimate:
        """By panels that are halved until they agree."""
        if self._diverges(member, direction):
            return inf, 0.0
        if direction != FORWARD:

            def back(x: Array) -> Array:
                difference: Array = member.log_density(x) - self._law.log_density(x)
                return difference

            return adaptive(member, back, self._ends(member))

        def there(x: Array) -> Array:
            difference: Array = self._law.log_density(x) - member.log_density(x)
            return difference

        own = place(member, np.array([-4.0, -1.0, 0.0, 1.0, 4.0]))
        kinks = np.concatenate((self._kinks, own))
        found = [adaptive(one, there, edges(one, kinks, far=True)) for one in self._members]
        each = list(zip(self._weights, found, strict=True))
        return sum(w * value for w, (value, _) in each), sum(w * error for w, (_, error) in each)

    def places(self) -> list[Place]:
        """Each component, neighbours together, all together also wider and narrower; modes; quarters."""
        low, middle, high = spread(self._members, (-1.6, 0.0, 1.6)).T
        each = sorted(
            (float(m), float(h - a) / 2, weight)
            for m, a, h, weight in zip(middle, low, high, self._weights, strict=True)
        )[: 2 * _MOST_SUBMIXTURES]
        most = min(len(each), _MOST_SUBMIXTURES)
        found = [_pooled(each[i : i + k]) for k in range(1, most + 1) for i in range(len(each) - k + 1)]
        whole = _pooled(each)
        found += [Place(whole.mean, whole.sd * factor) for factor in (1.0, 0.4, 2.0)]
        return distinct([*found, *self._modes(), *self._quarters()])

    def _modes(self) -> list[Place]:
        """Local maxima of the density on a fine grid, as wide as the density is round there."""
        x = _fine(self._members)
        y = self._law.log_density(x)
        at = np.flatnonzero((y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:])) + 1
        found = []
        for i in at[np.argsort(-y[at], kind="stable")][:6]:
            bend = -np.polyfit(x[i - 1 : i + 2] - x[i], y[i - 1 : i + 2], 2)[0] * 2
            if np.isfinite(bend) and bend > 0:
                found.append(Place(float(x[i]), float(bend**-0.5)))
        return found

    def _quarters(self) -> list[Place]:
        """At the quartiles, as wide as they are apart."""
        order = np.argsort(self._x)
        x, share = self._x[order], np.cumsum(self._w[order])
        a, b, c = (float(x[min(int(np.searchsorted(share, u)), len(x) - 1)]) for u in (0.25, 0.5, 0.75))
        return [Place(v, (c - a) / 2) for v in (a, b, c)] if c > a else []


def _weighted(w: Array, terms: Array) -> float:
    total = float(np.where(w > 0, w * terms, 0.0).sum())
    return inf if np.isnan(total) else total


def _too_heavy(a: Continuous, growth: tuple[float, float], b: Continuous) -> bool:
    """Whether -log b, which grows so, has no mean under a."""
    tails = ((a.tail(side), Tail(inf, inf, growth[side > 0], 1 / b.unit[1])) for side in (-1, 1))
    return any(tail is not None and is_too_heavy(tail, other) for tail, other in tails)


def _written(support: Sequence[tuple[float, float]]) -> str:
    return ", ".join(f"{a:g} to {b:g}" for a, b in support)


def _pooled(parts: Sequence[tuple[float, float, float]]) -> Place:
    """The mean and the standard deviation of some components together."""
    m, s, w = np.array(parts).T
    mean = float((w * m).sum() / w.sum())
    return Place(mean, float(np.sqrt((w * (s**2 + (m - mean) ** 2)).sum() / w.sum())))


def distinct(places: Sequence[Place]) -> list[Place]:
    """Each once, those without a width none."""
    found: dict[tuple[float, float], Place] = {}
    for one in places:
        if np.isfinite(one.mean) and 0 < one.sd < inf:
            found.setdefault((float(f"{one.mean:.6g}"), float(f"{one.sd:.6g}")), one)
    return list(found.values())


def _fine(members: Sequence[Continuous]) -> Array:
    """Points that miss nothing of any component, nor between them."""
    own = spread(members, np.linspace(-38, 38, 229).tolist()).ravel()
    middle = spread(members, (-5.0, 5.0))
    return np.unique(np.concatenate((own, np.linspace(middle.min(), middle.max(), 401))))


def _kinks(members: Sequence[Continuous], weights: Sequence[float]) -> Array:
    """Where log p bends: ends of supports, the middles of components, where one takes over from another."""
    ends = [end for one in members for end in (*one.support, *one.kinks) if np.isfinite(end)]
    own = spread(members, (-4.0, -1.0, 0.0, 1.0, 4.0)).ravel()
    return np.unique(np.concatenate((own, ends, _crossings(members, weights) if len(members) > 1 else [])))


def _crossings(members: Sequence[Continuous], weights: Sequence[float]) -> list[float]:
    """Where the greatest component changes, and around it, as far as the change is wide."""

    def logs(x: Array) -> Array:
        return np.array([np.log(w) + one.log_density(x) for w, one in zip(weights, members, strict=True)])

    x = _fine(members)
    first = logs(x).argmax(axis=0)
    found = []
    for at in np.flatnonzero(first[1:] != first[:-1]).tolist():
        low, high, i, j = x[at], x[at + 1], first[at], first[at + 1]
        for _ in range(50):
            middle = (low + high) / 2
            values = logs(middle)
            low, high = (middle, high) if values[i] > values[j] else (low, middle)
        step = 1e-4 * (x[at + 1] - x[at])
        steep = abs(np.diff(np.array([logs(c)[i] - logs(c)[j] for c in (low - step, low + step)]))[0]) / (2 * step)
        found.append(float(low))
        if np.isfinite(steep) and steep > 0:
            found += [float(low + k / steep) for k in (-12.0, -4.0, -1.5, 1.5, 4.0, 12.0)]
    return found

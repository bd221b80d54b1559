"""What is projected: KL between it and a model, quickly and as it is reported, and places to start from.

Points with masses stand for every target: the whole numbers of a distribution of counts, the points of a grid, and the
nodes at which means under a density are taken.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from klcli.errors import DistributionError
from klcli.families.catalogue import FAMILIES
from klcli.families.formula import Component, Formula
from klcli.families.infinite import diverges, sticks_out
from klcli.families.law import Law
from klcli.families.numeric.expectations import expectations, mass_below
from klcli.families.numeric.fixed import FixedNodes
from klcli.families.numeric.integrands import EPS, INTEGRANDS, Integral
from klcli.families.pair import LawPair
from klcli.fits import FORWARD, REVERSE
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.families.family import Continuous
    from klcli.model import Array

    Member = Any
    """A member of a family: a Continuous where P is a density, else a Counts."""

_MOST_MODES = 6
_MOST_COUNTS = 200_000
_ROUNDING = 1e-14
"""Of mass that is integrated."""
_UNDERFLOW = 1e-100
"""Mass of a model where a grid has none, below which the grid's 0 is taken for a density that underflowed."""


class Place(NamedTuple):
    """Where a start lies, and how wide it is."""

    mean: float
    sd: float


class Target(ABC):
    """P, as points x (n,) that rise, with masses p. logs: (n,), what modes are the maxima of."""

    def __init__(self, x: Array, p: Array, logs: Array) -> None:
        self.x, self.p, self._logs = x, p, np.round(logs, 9)

    @abstractmethod
    def excuse(self, family: str, direction: str) -> str:
        """Why no member of the family has a finite KL in that direction; '' where some may."""

    @abstractmethod
    def smooth(self, member: Member, direction: str) -> Callable[[Member], float]:
        """KL of models near a member, to be minimised."""

    @abstractmethod
    def exact(self, member: Member) -> list[Integral]:
        """KL(P||Q) and KL(Q||P), as they are reported."""

    def intervals(self) -> Sequence[tuple[float, float]]:
        """Intervals that hold all mass."""
        held = self.x[self.p > 0]
        return [(float(held[0]), float(held[-1]))]

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """The mean of a function."""
        return float(np.where(self.p > 0, self.p * of(self.x), 0.0).sum())

    def middle(self) -> tuple[float, float]:
        """The median, and the mean distance from it."""
        low = self._quantile(0.5)
        return low, self.expectation(lambda x: np.abs(x - low))

    def _quantile(self, u: float) -> float:
        return float(self.x[min(int(np.searchsorted(np.cumsum(self.p), u)), len(self.x) - 1)])

    def places(self) -> list[Place]:
        """All together, also wider and narrower; at the quartiles; around each mode, and neighbouring modes."""
        a, b, c = map(self._quantile, (0.25, 0.5, 0.75))
        whole = self._pooled(0, len(self.x))
        found = [Place(whole.mean, whole.sd * factor) for factor in (1.0, 0.4, 2.0)]
        found += [*(Place(v, (c - a) / 2) for v in (b, a, c)), *self._modes()]
        return [one for one in dict.fromkeys(found) if isfinite(one.mean) and 0 < one.sd < inf]

    def _pooled(self, low: int, high: int) -> Place:
        """The mean and the standard deviation of some points: at least a quarter of what they are apart."""
        x, p = self.x[low:high], self.p[low:high] / self.p[low:high].sum()
        mean = float((p * x).sum())
        apart = np.diff(self.x[max(low - 1, 0) : high + 1]).min(initial=inf)
        return Place(mean, max(sqrt((p * (x - mean) ** 2).sum()), float(apart) / 4))

    def _modes(self) -> list[Place]:
        """The highest points that no neighbour exceeds, each with what falls off on both sides, and runs of these."""
        y = np.concatenate(([-inf], self._logs, [-inf]))
        at = np.flatnonzero((y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:]) & (self.p > 0))
        at = np.sort(at[np.argsort(-self._logs[at], kind="stable")][:_MOST_MODES])
        valleys = (i + int(self._logs[i : j + 1].argmin()) for i, j in pairwise(at.tolist()))
        ends = [0, *valleys, len(self.x)]
        return [self._pooled(a, b) for i, a in enumerate(ends) for b in ends[i + 1 :] if self.p[a:b].any()]


class Density(Target):
    """A density given by a formula, as the nodes of its quadrature."""

    def __init__(self, formula: Formula) -> None:
        self._p = Law(formula)
        # Towards these ends a model's log density may grow without bounds.
        self._nodes = FixedNodes([self._p], steep={0.0, 1.0} & {self._p.support[0][0], self._p.support[-1][1]})
        super().__init__(*self._nodes.masses())

    def intervals(self) -> Sequence[tuple[float, float]]:
        """The intervals of the support."""
        return self._p.support

    def middle(self) -> tuple[float, float]:
        """The median, the middle of all there are, and the mean distance from it."""
        found = []
        for half in (0.5 - _ROUNDING, 0.5 + _ROUNDING):
            low, high = self._quantile(0.4), self._quantile(0.6)
            while low < (middle := (low + high) / 2) < high:
                low, high = (middle, high) if mass_below(self._p, middle) <= half else (low, middle)
            found.append(low)
        median = sum(found) / 2
        x, p, _ = FixedNodes([self._p, law_of(FAMILIES["laplace"](mu=median, scale=1.0))]).masses()
        return median, float((p * np.abs(x - median)).sum())

    def places(self) -> list[Place]:
        """The places of all targets, and each component's own."""
        own = (Place(*one.centre()) for one in self._p.members)
        return [*super().places(), *(place for place in own if place.sd > 0)]

    def excuse(self, family: str, direction: str) -> str:
        """Why KL is infinite, by the supports and by what tails the moments need."""
        model = _densities(family)
        return self._excuse_forward(model) if direction == FORWARD else self._excuse_reverse(model)

    def _excuse_forward(self, model: type[Continuous]) -> str:
        low, high = self._p.support[0][0], self._p.support[-1][1]
        if len(model.ends) > 1 and not (isfinite(low) and isfinite(high)):
            return "KL(P||Q) is infinite: P has mass without bounds"
        if outside := _outside(model, low, high):
            return outside
        tails = [(one.tail(side), model.least_growth[side > 0]) for one in self._p.members for side in (-1, 1)]
        powers = [(tail.power, growth) for tail, growth in tails if tail is not None and tail.power < inf]
        if any(growth >= power for power, growth in powers):
            least = min(power for power, _ in powers)
            return f"KL(P||Q) is infinite: P's tails, without a moment of order {least:g}, are too heavy for it"
        return ""

    def _excuse_reverse(self, model: type[Continuous]) -> str:
        (low, high), support = model.cover, self._p.support
        if not model.ends and not any(a <= low and high <= b for a, b in support):
            written = ", ".join(f"{a:g} to {b:g}" for a, b in support)
            return f"KL(Q||P) is infinite: Q has mass where P has none, P's support being {written}"
        growth = [one.growth[0] for one in self._p.members if one.growth[0] >= 0]
        if growth and min(growth) == inf and model.least_growth[0] == 0:
            return f"KL(Q||P) is infinite: log P falls as an exponential, which no {model.name} has a mean of"
        return ""

    def smooth(self, member: Member, direction: str) -> Callable[[Member], float]:
        """KL at nodes that fit P and that member; those of one that has ends or a kink move along with it."""
        p = self._p
        nodes = None if direction == FORWARD or member.ends or member.kinks else FixedNodes([p, law_of(member)])

        def kl(one: Member) -> float:
            q = law_of(one)
            a, b = (p, q) if direction == FORWARD else (q, p)
            if sticks_out(a, b) or diverges(a, b):
                return inf
            if direction == FORWARD:
                return self._nodes.kl_to(one)
            return (nodes or FixedNodes([p, q], one.support)).kl_from(one)

        return kl

    def exact(self, member: Member) -> list[Integral]:
        """KL(P||Q) and KL(Q||P) by the measure of the two laws."""
        return _measured(self._p, law_of(member))


def _measured(p: Law, q: Law) -> list[Integral]:
    """KL(P||Q) and KL(Q||P): closed forms with their rounding for an error, else integrals or sums, good or not."""
    pair = LawPair(p, q, 1.0, None, closed=True)
    known = {name: pair.known(name) for name in ("kl_pq", "kl_qp")}
    rest = {name: INTEGRANDS[name] for name, value in known.items() if value is None}
    integrals = expectations(p, q, rest) if rest else {}
    found = [(value, 4 * EPS * value) if value is not None else integrals[name] for name, value in known.items()]
    return [Integral(value, error if value < inf else 0.0) for value, error in found]


def law_of(member: Member) -> Law:
    """A member as a law that can be measured."""
    return Law(Formula(member.name, (Component(member.name, member.values),)))


def _densities(family: str) -> type[Continuous]:
    return cast("type[Continuous]", FAMILIES[family])


def _outside(model: type[Continuous], low: float, high: float) -> str:
    """Where P has mass from low to high that no density of a family has; '' where all is covered."""
    if model.cover[0] <= low and high <= model.cover[1]:
        return ""
    where = f"below {model.cover[0]:g}" if low < model.cover[0] else f"above {model.cover[1]:g}"
    return f"KL(P||Q) is infinite: P has mass {where}"


class Points(Target):
    """Points with masses that KL is summed over."""

    def __init__(self, x: Array, p: Array) -> None:
        self.log_p = np.log(p / p.sum())
        super().__init__(x, p / p.sum(), self.log_p)

    def smooth(self, member: Member, direction: str) -> Callable[[Member], float]:  # noqa: ARG002 - any member
        """KL as the sum itself."""
        return lambda one: self.summed(one, direction).value

    def exact(self, member: Member) -> list[Integral]:
        """KL(P||Q) and KL(Q||P) as the sums."""
        return [self.summed(member, direction) for direction in (FORWARD, REVERSE)]

    @abstractmethod
    def summed(self, member: Member, direction: str) -> Integral:
        """KL as a sum, and its rounding."""


def _summed(p: Array, log_p: Array, log_q: Array) -> Integral:
    """Sum p (log p - log q), and its rounding."""
    held = p > 0
    terms = p[held] * (log_p[held] - log_q[held])
    total = float(terms.sum())
    if np.isnan(total) or total == inf:
        return Integral(inf, 0.0)
    return Integral(max(total, 0.0), 2 * EPS * float(np.abs(terms).sum()) + EPS / 2)


class Weights(Points):
    """A density's weights on a grid, for families of densities.

    A model is taken on the same points: its density there times the width of each point's cell, divided by the sum.
    So a density on a grid projects onto itself, and KL is what `compare` says of the two grids.
    """

    def __init__(self, points: Array, weights: Array) -> None:
        super().__init__(points, weights)
        self.widths = np.gradient(points)

    def cell(self, x: float) -> float:
        """How wide the cell of the nearest point is."""
        return float(self.widths[int(np.abs(self.x - x).argmin())])

    def excuse(self, family: str, direction: str) -> str:
        """Why KL is infinite, by where the points with weight are."""
        model = _densities(family)
        held = self.x[self.p > 0]
        if direction == FORWARD:
            ends = held[np.isin(held, model.cover) & ~model.holds(held)]
            at_end = f"P has mass at {ends[0]:g}, where such a density is 0 or infinite" if len(ends) else ""
            return _outside(model, held[0], held[-1]) or at_end
        low, high = max(model.cover[0], held[0]), min(model.cover[1], held[-1])
        empty = self.x[(self.p == 0) & (self.x > low) & (self.x < high)]
        return f"KL(Q||P) is infinite: P has no mass at {empty[0]:g}" if len(empty) and not model.ends else ""

    def summed(self, member: Member, direction: str) -> Integral:
        """KL between the weights and the model's on the same points."""
        log_q = member.log_density(self.x) + np.log(self.widths)
        top = float(log_q.max())
        if not np.isfinite(top):
            return Integral(inf, 0.0)
        log_q -= top + np.log(np.exp(log_q - top).sum())
        if direction == FORWARD:
            return _summed(self.p, self.log_p, log_q)
        q = np.exp(log_q)
        if q[self.p == 0].sum() > _UNDERFLOW:
            return Integral(inf, 0.0)
        return _summed(np.where(self.p > 0, q, 0.0), log_q, self.log_p)


class CountPoints(Points):
    """Masses of whole numbers. law: None where they are weights; then other numbers have none."""

    def __init__(self, points: Array, mass: Array, law: Law | None = None) -> None:
        super().__init__(points, mass)
        self._law = law
        (self.least, self.most), *_ = self.intervals()
        if law is not None:
            self.most = law.support[-1][1]
        k = np.arange(0.0, min(self.most, self.x[-1]) + 1)
        gaps = k[np.isneginf(self._log_mass(k))]
        self.reach = float(gaps[0]) - 1 if len(gaps) else self.most
        """Up to where all numbers from 0 have mass."""

    @classmethod
    def of(cls, formula: Formula) -> CountPoints:
        """The masses of a formula, but for 1e-17 in all. Raises DistributionError where they are too many to sum."""
        law = Law(formula)
        windows = [_span(one) for one in law.members]
        points = np.arange(min(low for low, _ in windows), max(high for _, high in windows) + 1.0)
        return cls(points, np.exp(law.log_density(points)), law)

    def excuse(self, family: str, direction: str) -> str:
        """Why KL is infinite, by the supports."""
        if direction == FORWARD:
            places = {
                "below 0": self.least < 0,
                "above 1": family == "bernoulli" and self.most > 1,
                "above every n": family == "binomial" and self.most == inf,
            }
            return next((f"KL(P||Q) is infinite: P has mass {where}" for where, has in places.items() if has), "")
        if family == "bernoulli":
            return "" if self.mass(0.0) + self.mass(1.0) > 0 else "KL(Q||P) is infinite: P has no mass at 0, nor at 1"
        if self.most < inf and family != "binomial":
            return f"KL(Q||P) is infinite: Q has mass above {self.most:g}, P has none"
        if self.reach < (1 if family == "binomial" else self.most):
            return f"KL(Q||P) is infinite: P has no mass at {self.reach + 1:g}"
        return ""

    def exact(self, member: Member) -> list[Integral]:
        """KL(P||Q) and KL(Q||P) by the measure of two laws, as the sums where P is weights."""
        return super().exact(member) if self._law is None else _measured(self._law, law_of(member))

    def mass(self, k: float) -> float:
        """The mass of one number."""
        return float(np.exp(self._log_mass(np.array([k])))[0])

    def _log_mass(self, k: Array) -> Array:
        if self._law is not None:
            return self._law.log_density(k)
        at = np.clip(np.searchsorted(self.x, k), 0, len(self.x) - 1)
        return np.where(self.x[at] == k, self.log_p[at], -np.inf)

    def summed(self, member: Member, direction: str) -> Integral:
        """KL summed over the points, or over all numbers that the model has."""
        if direction == FORWARD:
            return _summed(self.p, self.log_p, member.log_density(self.x))
        low, high = _span(member)
        k = np.arange(low, high + 1)
        log_q = member.log_density(k)
        return _summed(np.exp(log_q), log_q, self._log_mass(k))


def _span(member: Member) -> tuple[float, float]:
    """Whole numbers that hold all mass but what rounding hides. Raises DistributionError where they are too many."""
    low, high = member.span()
    high = min(high, member.support[1])
    if high - low > _MOST_COUNTS:
        message = f"{member.name}: more than {_MOST_COUNTS:,} counts have mass, which is too many to project"
        raise DistributionError(message)
    return low, high

"""What is projected, when it is masses on points: of whole numbers, or weights that a density left on a grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.projection.shapes import Place, densities
from klcli.analyses.projection.targets import distinct
from klcli.errors import DistributionError
from klcli.families.law import Law
from klcli.fits import FORWARD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.analyses.projection.shapes import Member
    from klcli.analyses.projection.targets import Estimate
    from klcli.families.formula import Formula
    from klcli.model import Array

_MOST_COUNTS = 200_000
_UNDERFLOW = 1e-100
"""Mass of a model where a grid has none, below which the grid's 0 is taken for a density that underflowed."""


class _Points(ABC):
    """CountPoints (n,) on points (n,), rising."""

    closed_forms = True

    def __init__(self, points: Array, mass: Array) -> None:
        self.x, self.p = points, mass / mass.sum()
        with np.errstate(divide="ignore"):
            self.log_p = np.log(self.p)

    def intervals(self) -> Sequence[tuple[float, float]]:
        """One: from the first point with mass to the last."""
        held = self.x[self.p > 0]
        return [(float(held[0]), float(held[-1]))]

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """The mean of a function."""
        return float(np.where(self.p > 0, self.p * of(self.x), 0.0).sum())

    def middle(self) -> tuple[float, float]:
        """The median, and the mean distance from it."""
        low = float(self.x[int(np.searchsorted(np.cumsum(self.p), 0.5))])
        return low, self.expectation(lambda x: np.abs(x - low))

    def divergence(self, member: Member, direction: str) -> float:
        """KL, a sum."""
        return self.exact(member, direction)[0]

    @abstractmethod
    def exact(self, member: Member, direction: str) -> Estimate:
        """KL, a sum, and its rounding."""

    def places(self) -> list[Place]:
        """All together, wider and narrower; around each mode; at the quartiles."""
        mean = self.expectation(lambda x: x)
        sd = max(sqrt(self.expectation(lambda x: (x - mean) ** 2)), 1e-3 * float(np.ptp(self.x)), 1e-6)
        share = np.cumsum(self.p)
        a, b, c = (float(self.x[min(int(np.searchsorted(share, u)), len(self.x) - 1)]) for u in (0.25, 0.5, 0.75))
        found = [Place(mean, sd * factor) for factor in (1.0, 0.4, 2.0)]
        found += [Place(v, max((c - a) / 2, sd / 10)) for v in (a, b, c)]
        return distinct([*found, *self._modes(sd)])

    def _modes(self, sd: float) -> list[Place]:
        """The highest six points that no neighbour exceeds, with the moments of what falls off on both sides."""
        y = np.concatenate(([-1.0], self.p, [-1.0]))
        at = np.flatnonzero((y[1:-1] > y[:-2]) & (y[1:-1] >= y[2:]))
        found = []
        for i in at[np.argsort(-self.p[at], kind="stable")][:6].tolist():
            low, high = i, i
            while low > 0 and self.p[low - 1] <= self.p[low]:
                low -= 1
            while high < len(self.p) - 1 and self.p[high + 1] <= self.p[high]:
                high += 1
            x, w = self.x[low : high + 1], self.p[low : high + 1] / self.p[low : high + 1].sum()
            mean = float((w * x).sum())
            found.append(Place(mean, max(float(np.sqrt((w * (x - mean) ** 2).sum())), sd / 20)))
        return found


def _summed(p: Array, log_p: Array, log_q: Array) -> Estimate:
    """Sum p (log p - log q), and its rounding."""
    held = p > 0
    terms = p[held] * (log_p[held] - log_q[held])
    total = float(terms.sum())
    return (inf, 0.0) if np.isnan(total) or total == inf else (total, 4e-16 * float(np.abs(terms).sum()) + 1e-16)


class Weights(_Points):
    """A density's weights on a grid, for families of densities.

    A model is taken on the same points: its density there times the width of each point's cell, divided by the sum.
    So a density on a grid projects onto itself, and KL is what `compare` says of the two grids.
    """

    closed_forms = False

    def __init__(self, points: Array, weights: Array) -> None:
        super().__init__(points, weights)
        self.widths = np.gradient(points)
        self._log_widths = np.log(self.widths)

    def cell(self, x: float) -> float:
        """How wide the cell of the nearest point is."""
        return float(self.widths[int(np.abs(self.x - x).argmin())])

    def excuse(self, family: str, direction: str) -> str:
        """By where the points with weight are."""
        model = densities(family)
        low, high = model.cover
        held = self.x[self.p > 0]
        outside = held[(held < low) | (held > high)]
        if direction == FORWARD and len(outside):
            where = f"below {low:g}" if outside[0] < low else f"above {high:g}"
            return f"KL(P||Q) is infinite: P has mass {where}"
        ends = held[((held == low) | (held == high)) & ~model.holds(held)]
        if direction == FORWARD and len(ends):
            return f"P has mass at {ends[0]:g}, where such a density is 0 or infinite"
        empty = self.x[(self.p == 0) & (self.x > low) & (self.x < high)]
        inner = empty[(empty > held[0]) & (empty < held[-1])]
        if direction != FORWARD and not model.ends and len(inner):
            return f"KL(Q||P) is infinite: P has no mass at {inner[0]:g}"
        return ""

    def exact(self, member: Member, direction: str) -> Estimate:
        """A sum, and its rounding."""
        log_q = member.log_density(self.x) + self._log_widths
        top = float(log_q.max())
        if not np.isfinite(top):
            return inf, 0.0
        log_q = log_q - (top + np.log(np.exp(log_q - top).sum()))
        if direction == FORWARD:
            return _summed(self.p, self.log_p, log_q)
        q = np.exp(log_q)
        if q[self.p == 0].sum() > _UNDERFLOW:
            return inf, 0.0
        return _summed(np.where(self.p > 0, q, 0.0), log_q, self.log_p)


class CountPoints(_Points):
    """CountPoints of whole numbers. law: None where they are weights; then other numbers have none."""

    def __init__(self, points: Array, mass: Array, law: Law | None = None) -> None:
        super().__init__(points, mass)
        self._law = law

    @classmethod
    def of(cls, formula: Formula) -> CountPoints:
        """The masses of a formula, but for 1e-17 in all. Raises DistributionError where they are too many to sum."""
        law = Law(formula)
        windows = [span(one) for one in law.members]
        points = np.arange(min(low for low, _ in windows), max(high for _, high in windows) + 1.0)
        return cls(points, np.exp(law.log_density(points)), law)

    @property
    def least(self) -> float:
        """The least number with mass."""
        return self.intervals()[0][0]

    @property
    def most(self) -> float:
        """The greatest number with mass, inf where there is none."""
        return self.intervals()[0][1] if self._law is None else self._law.support[-1][1]

    @property
    def reach(self) -> float:
        """Up to where all numbers from 0 have mass."""
        k = np.arange(0.0, min(self.most, self.x[-1]) + 1)
        gaps = k[np.isneginf(self._log_mass(k))]
        return float(gaps[0]) - 1 if len(gaps) else self.most

    def excuse(self, family: str, direction: str) -> str:
        """By the supports."""
        if direction == FORWARD:
            if self.least < 0:
                return "KL(P||Q) is infinite: P has mass below 0"
            if self.most > 1 and family == "bernoulli":
                return "KL(P||Q) is infinite: P has mass above 1"
            unbounded = family == "binomial" and self.most == inf
            return "KL(P||Q) is infinite: P has mass above every n" if unbounded else ""
        return self._excuse_reverse(family)

    def _excuse_reverse(self, family: str) -> str:
        if family == "bernoulli":
            return "" if self.mass(0.0) + self.mass(1.0) > 0 else "KL(Q||P) is infinite: P has no mass at 0, nor at 1"
        if self.most < inf and family != "binomial":
            return f"KL(Q||P) is infinite: Q has mass above {self.most:g}, P has none"
        if self.reach < (1 if family == "binomial" else self.most):
            return f"KL(Q||P) is infinite: P has no mass at {self.reach + 1:g}"
        return ""

    def mass(self, k: float) -> float:
        """Of one number."""
        return float(np.exp(self._log_mass(np.array([k])))[0])

    def _log_mass(self, k: Array) -> Array:
        if self._law is not None:
            return self._law.log_density(k)
        at = np.clip(np.searchsorted(self.x, k), 0, len(self.x) - 1)
        return np.where(self.x[at] == k, self.log_p[at], -np.inf)

    def exact(self, member: Member, direction: str) -> Estimate:
        """A sum, and its rounding."""
        if direction == FORWARD:
            log_p = self.log_p if self._law is None else self._law.log_density(self.x)
            return _summed(self.p, log_p, member.log_density(self.x))
        low, high = span(member)
        k = np.arange(low, high + 1)
        log_q = member.log_density(k)
        return _summed(np.exp(log_q), log_q, self._log_mass(k))


def span(member: Member) -> tuple[float, float]:
    """Whole numbers that hold all mass but what rounding hides. Raises DistributionError where they are too many."""
    low, high = member.span()
    high = min(high, member.support[1])
    if high - low > _MOST_COUNTS:
        message = f"{member.name}: more than {_MOST_COUNTS:,} counts have mass, which is too many to project"
        raise DistributionError(message)
    return low, high

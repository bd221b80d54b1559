"""A formula as something to compute with: its density, distribution function, quantiles and samples.

Densities need NumPy alone; the rest is SciPy's (the extra `fit`), imported when it is first asked for.
"""

from __future__ import annotations

from functools import cached_property
from math import log, log2
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.families.catalogue import VECTORS
from klcli.families.family import Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.engine.arrays import Array
    from klcli.families.formula import Formula

_MOST_HELD = 1 << 23
"""Log densities that are held at once: 64 MiB, and as much for each step of adding them up."""


def _log_of_sum(logs: list[Array]) -> Array:
    """log of the sum of their exponentials, of arrays of one shape."""
    stacked = np.array(logs)
    highest = np.maximum(stacked.max(axis=0), -1e308)  # where all are -inf their difference is nan
    with np.errstate(divide="ignore"):
        summed: Array = highest + np.log(np.exp(stacked - highest).sum(axis=0))
    return summed


class Law:
    """A distribution on the line, on whole numbers or of vectors: a family's member, or a mixture of some.

    members: of the components, in order. support: intervals (low, high) that hold all mass, apart and in order; of
    counts the first and last whole number.
    """

    def __init__(self, formula: Formula) -> None:
        self.formula, self.kind = formula, formula.kind
        self.components = formula.components
        self.members: list[Any] = [component.member for component in self.components]  # of the class of their kind
        self._weights = np.array([component.weight for component in self.components])

    def log_density(self, x: Array) -> Array:
        """log p(x), of counts and finite outcomes the log of their mass; -inf outside the support. Any shape.

        Of vectors the last axis is the vector.
        """
        return self._added(lambda one: one.log_density(x))

    def log_density_above_0(self, t: Array) -> Array:
        """log p(e^t), where e^t may be less than any double."""
        return self._added(lambda one: one.log_density_above_0(t))

    def log_density_below_1(self, t: Array) -> Array:
        """log p(1 - e^t), where 1 - e^t may be closer to 1 than any double."""
        return self._added(lambda one: one.log_density_below_1(t))

    def _added(self, log_density: Callable[[Any], Array]) -> Array:
        """The log density of the mixture from that of each component, some at a time."""
        first = log_density(self.members[0])
        if len(self.members) == 1:
            return first
        weighted, summed = [first + np.log(self._weights[0])], None
        most = max(2, _MOST_HELD // max(first.size, 1))
        for one, weight in zip(self.members[1:], self._weights[1:], strict=True):
            if len(weighted) == most:
                summed = _log_of_sum(weighted if summed is None else [summed, *weighted])
                weighted = []
            weighted.append(log_density(one) + np.log(weight))
        return _log_of_sum(weighted if summed is None else [summed, *weighted])

    @cached_property
    def support(self) -> list[tuple[float, float]]:
        """The intervals that hold all mass, none of which touches another."""
        return joined([one.support for one in self.members])

    @cached_property
    def _as_scipy(self) -> list[Any]:
        return [one.as_scipy() for one in self.members]

    def cdf(self, x: Array) -> Array:
        """P(X <= x)."""
        return self._mixed("cdf", x)

    def sf(self, x: Array) -> Array:
        """P(X > x), accurate where it is small."""
        return self._mixed("sf", x)

    def _mixed(self, name: str, x: Array) -> Array:
        values: Array = sum(w * getattr(one, name)(x) for w, one in zip(self._weights, self._as_scipy, strict=True))
        return values

    def quantiles(self, u: Sequence[float]) -> Array:
        """For each component and each u in [0, 1] where it leaves that mass below: all of them, sorted."""
        return np.unique([one.ppf(v) for one in self._as_scipy for v in u])

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """n draws, (n,); of vectors (n, d). Needs no SciPy."""
        counts = generator.multinomial(n, self._weights / self._weights.sum())
        draws = [one.draw(int(m), generator) for one, m in zip(self.members, counts, strict=True) if m]
        whole: Array = np.concatenate(draws).astype(np.float64)
        if len(draws) > 1:
            generator.shuffle(whole)
        return whole

    def moved(self, origin: float) -> Law:
        """The law of x - origin."""
        return self.of([one.moved(origin, 1.0) for one in self.members])

    def of(self, members: list[Any]) -> Law:
        """A law of other members, as many, with the same weights."""
        found = Law(self.formula)
        found.members = members
        return found

    @property
    def is_vector(self) -> bool:
        """Whether it is a law of vectors."""
        return self.kind == VECTORS


def standardised(members: Sequence[Any]) -> tuple[list[Any], float]:
    """Members of densities in a unit about as large as their scales, from where the narrowest is; and log of the unit.

    A power of 2, so that nothing is rounded. Neither squares overflow then, nor does a density far from 0 lose digits.
    Where the unit cannot be changed, they stay as they are.
    """
    if not all(isinstance(one, Continuous) and one.movable for one in members):
        return list(members), 0.0
    scales = [one.centre()[1] for one in members]
    narrowest = members[scales.index(min(scales))]
    origin = 0.0 if any(one.anchor is None for one in members) else narrowest.anchor
    exponent = round((log2(min(scales)) + log2(max(scales))) / 2)
    return [one.moved(origin, 2.0**exponent) for one in members], exponent * log(2)


def joined(intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals that do not overlap, in order, together what the given ones are."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found

"""What is projected: a density, as quadrature sees it. KL to and from a model, quickly and with an error; its starts.

`masses` has the same of masses on points.
"""

from __future__ import annotations

from functools import cached_property
from math import inf, nan
from typing import TYPE_CHECKING, Protocol

import numpy as np

from klcli.analyses.projection.nodes import HEAVY, adaptive, edges, logit, nodes, place, special, spread
from klcli.analyses.projection.shapes import Place, cover
from klcli.engine.densities import LOG_DENSITIES
from klcli.fits import FORWARD
from klcli.parametric.infinite import grown
from klcli.parametric.law import Law, support_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.model import Array
    from klcli.parametric.catalogue import Component, Formula

    Estimate = tuple[float, float]

_MOST_SUBMIXTURES = 6


class Target(Protocol):
    """P. counts: of whole numbers. closed_forms: whether moments tell the forward optimum."""

    closed_forms: bool

    def excuse(self, family: str, direction: str) -> str:
        """Why no member of the family has a finite KL in that direction; '' where some may."""

    def divergence(self, component: Component, direction: str) -> float:
        """KL, as it is minimised."""

    def exact(self, component: Component, direction: str) -> Estimate:
        """KL and an estimate of its error."""

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """The mean of a function."""

    def middle(self) -> tuple[float, float]:
        """The median, and the mean distance from it."""

    def places(self) -> list[Place]:
        """Where to start, the same always."""

    def intervals(self) -> Sequence[tuple[float, float]]:
        """Intervals that hold all mass."""


def log_density(component: Component, x: Array) -> Array:
    """log q(x)."""
    return LOG_DENSITIES[component.family](x, **component.parameters)


class Density:
    """A density given by a formula."""

    closed_forms = True

    def __init__(self, formula: Formula) -> None:
        self._law = Law(formula)
        self._components = formula.components
        self._kinks = _kinks(self._law)
        self._heavy = any(one.family in HEAVY for one in self._components)
        parts = [nodes(one, edges(one, self._kinks, far=True)) for one in self._components]
        self._x = np.concatenate([x for x, _ in parts])
        self._w = np.concatenate([one.weight * w for one, (_, w) in zip(self._components, parts, strict=True)])
        self._log_p = self._law.log_density(self._x)

    def intervals(self) -> Sequence[tuple[float, float]]:
        """The support."""
        return self._law.support

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """E_P of a function."""
        return float(np.where(self._w > 0, self._w * of(self._x), 0.0).sum())

    def _below(self, x: float) -> float:
        expit = special().expit
        return float(sum(one.weight * expit(logit(one, np.asarray(x))) for one in self._components))

    def middle(self) -> tuple[float, float]:
        """The median (of several the greatest), and the mean distance from it."""
        points = spread(self._components, (0.0,))
        low, high = float(points.min()), float(points.max())
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self._below(middle) <= 0.5 else (low, middle)  # noqa: PLR2004 - one half
        kinks = np.append(self._kinks, low)
        distances = (
            one.weight * adaptive(one, lambda x: np.abs(x - low), edges(one, kinks, far=True))[0]
            for one in self._components
        )
        return low, sum(distances)

    def excuse(self, family: str, direction: str) -> str:
        """By the supports, and by what tails the moments need."""
        return self._excuse_forward(family) if direction == FORWARD else self._excuse_reverse(family)

    def _excuse_forward(self, family: str) -> str:
        hull = (self._law.support[0][0], self._law.support[-1][1])
        low, high = cover(family)
        if family == "uniform":
            return "" if np.isfinite(hull).all() else "KL(P||Q) is infinite: P has mass without bounds"
        if hull[0] < low or hull[1] > high:
            where = f"below {low:g}" if hull[0] < low else f"above {high:g}"
            return f"KL(P||Q) is infinite: P has mass {where}"
        least = min((float(one.parameters["df"]) for one in self._tails()), default=nan)  # type: ignore[arg-type]
        if least <= max(grown(family)):
            return f"KL(P||Q) is infinite: P's tails, of {least:g} degrees of freedom, are too heavy for it"
        return ""

    def _excuse_reverse(self, family: str) -> str:
        low, high = cover(family)
        if family != "uniform" and not any(a <= low and high <= b for a, b in self._law.support):
            return f"KL(Q||P) is infinite: Q has mass where P has none, P's support being {_written(self._law.support)}"
        if family == "student_t" and max(self._growth) == inf:
            return "KL(Q||P) is infinite: log P falls as an exponential, which no Student t has a mean of"
        return ""

    def _tails(self) -> list[Component]:
        return [one for one in self._components if one.family == "student_t"]

    @cached_property
    def _growth(self) -> tuple[float, float]:
        """How -log p grows, left and right: as its heaviest component's does."""
        each = [grown(one.family, one.parameters) for one in self._components]  # type: ignore[arg-type]
        left, right = ([g[i] for g in each if g[i] >= 0] for i in (0, 1))
        return min(left, default=-inf), min(right, default=-inf)

    def _diverges(self, component: Component, direction: str) -> bool:
        """Whether KL is known to be infinite."""
        hull, (low, high) = (self._law.support[0][0], self._law.support[-1][1]), support_of(component)
        if direction == FORWARD:
            growth = grown(component.family, component.parameters)  # type: ignore[arg-type]
            return (
                hull[0] < low or hull[1] > high or any(_too_heavy(one, growth, component) for one in self._components)
            )
        inside = any(a <= low and high <= b for a, b in self._law.support)
        return not inside or any(_too_heavy(component, self._growth, one) for one in self._widest)

    @cached_property
    def _widest(self) -> list[Component]:
        """The component whose left tail is the heaviest, of Gumbels the widest."""
        scales = [float(one.parameters.get("scale", 0.0)) for one in self._components]  # type: ignore[arg-type]
        return [self._components[int(np.argmax(scales))]]

    def _ends(self, component: Component) -> Array:
        far = self._heavy or component.family in HEAVY
        return edges(component, self._kinks, far=far)

    def divergence(self, component: Component, direction: str) -> float:
        """By a fixed number of panels."""
        if self._diverges(component, direction):
            return inf
        if direction == FORWARD:
            return _weighted(self._w, self._log_p - log_density(component, self._x))
        x, w = nodes(component, self._ends(component))
        return _weighted(w, log_density(component, x) - self._law.log_density(x))

    def exact(self, component: Component, direction: str) -> Estimate:
        """By panels that are halved until they agree."""
        if self._diverges(component, direction):
            return inf, 0.0
        if direction != FORWARD:

            def back(x: Array) -> Array:
                return log_density(component, x) - self._law.log_density(x)

            return adaptive(component, back, self._ends(component))

        def there(x: Array) -> Array:
            return self._law.log_density(x) - log_density(component, x)

        own = place(component, np.array([-4.0, -1.0, 0.0, 1.0, 4.0]))
        kinks = np.concatenate((self._kinks, own))
        found = [(one.weight, adaptive(one, there, edges(one, kinks, far=True))) for one in self._components]
        return sum(w * value for w, (value, _) in found), sum(w * error for w, (_, error) in found)

    def places(self) -> list[Place]:
        """Each component, neighbours together, all together also wider and narrower; modes; quarters."""
        low, middle, high = spread(self._components, (-1.6, 0.0, 1.6)).T
        each = sorted(
            (float(m), float(h - a) / 2, one.weight)
            for m, a, h, one in zip(middle, low, high, self._components, strict=True)
        )[: 2 * _MOST_SUBMIXTURES]
        most = min(len(each), _MOST_SUBMIXTURES)
        found = [_pooled(each[i : i + k]) for k in range(1, most + 1) for i in range(len(each) - k + 1)]
        whole = _pooled(each)
        found += [Place(whole.mean, whole.sd * factor) for factor in (1.0, 0.4, 2.0)]
        return distinct([*found, *self._modes(), *self._quarters()])

    def _modes(self) -> list[Place]:
        """Local maxima of the density on a fine grid, as wide as the density is round there."""
        x = _fine(self._components)
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


def _too_heavy(a: Component, growth: tuple[float, float], b: Component) -> bool:
    """Whether -log b, which grows so, has no mean under a."""
    if a.family == "student_t":
        return float(a.parameters["df"]) <= max(growth)  # type: ignore[arg-type]
    if growth[0] == inf and a.family in {"laplace", "logistic"}:
        return bool(a.parameters["scale"] >= b.parameters["scale"])  # type: ignore[operator]
    return False


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


def _fine(components: Sequence[Component]) -> Array:
    """Points that miss nothing of any component, nor between them."""
    own = spread(components, np.linspace(-38, 38, 229).tolist()).ravel()
    middle = spread(components, (-5.0, 5.0))
    return np.unique(np.concatenate((own, np.linspace(middle.min(), middle.max(), 401))))


def _kinks(law: Law) -> Array:
    """Where log p bends: ends of supports, the middles of components, where one takes over from another."""
    components = law.components
    ends = [end for one in components for end in support_of(one) if np.isfinite(end)]
    own = spread(components, (-4.0, -1.0, 0.0, 1.0, 4.0)).ravel()
    return np.unique(np.concatenate((own, ends, _crossings(components) if len(components) > 1 else [])))


def _crossings(components: Sequence[Component]) -> list[float]:
    """Where the greatest component changes, and around it, as far as the change is wide."""

    def logs(x: Array) -> Array:
        return np.array([np.log(one.weight) + log_density(one, x) for one in components])

    x = _fine(components)
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

"""KL(P||Q) by the families of P and Q, wherever it has a closed form."""

from __future__ import annotations

from math import inf, isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.densities import LOG_DENSITIES
from klcli.parametric.catalogue import Component
from klcli.parametric.closed.moments import CROSS, MOMENTS
from klcli.parametric.closed.within import ENTROPIES, WITHIN, Closed
from klcli.parametric.law import support_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, Any]


def _inside(p: tuple[float, float], q: tuple[float, float]) -> bool:
    return q[0] <= p[0] and p[1] <= q[1]


def _by_moments(first: str, second: str) -> Closed:
    def formula(p: Parameters, q: Parameters) -> float | None:
        if not _inside(support_of(Component(first, p)), support_of(Component(second, q))):
            return inf
        if second not in CROSS:
            return None
        cross = CROSS[second](q, MOMENTS[first](**p))
        entropy = ENTROPIES[first].formula(**p)
        if cross == inf:
            return inf
        return max(0.0, cross - entropy) if isfinite(cross) and entropy is not None else None

    return Closed(formula, "moments: -H(P) - E log q")


def _as(first: str, second: str, family: str) -> Closed:
    """Both as members of a family that holds both, where nothing cancels."""
    return Closed(
        lambda p, q: WITHIN[family].formula(_IN[first, family](p), _IN[second, family](q)),
        f"as two of {family}: {WITHIN[family].source}",
    )


_IN: Mapping[tuple[str, str], Callable[[Parameters], Parameters]] = {
    ("exponential", "gamma"): lambda p: {"shape": 1.0, "rate": p["rate"]},
    ("exponential", "weibull"): lambda p: {"shape": 1.0, "scale": 1 / p["rate"]},
    ("bernoulli", "binomial"): lambda p: {"n": 1, "p": p["p"]},
    ("bernoulli", "categorical"): lambda p: {"p": (1 - p["p"], p["p"])},
    ("geometric", "negative_binomial"): lambda p: {"r": 1.0, "p": p["p"]},
    **{(family, family): lambda p: p for family in WITHIN},
}


def _on_few(first: str, second: str) -> Closed:
    """Of a law on finitely many whole numbers: the sum itself."""

    def formula(p: Parameters, q: Parameters) -> float:
        masses = (1 - p["p"], p["p"]) if first == "bernoulli" else tuple(p["p"])
        where = np.arange(len(masses), dtype=np.float64)
        logs = LOG_DENSITIES[second](where, **q).tolist()
        return float(max(0.0, sum(m * (log(m) - other) for m, other in zip(masses, logs, strict=True) if m > 0)))

    return Closed(formula, "the sum over P's outcomes")


_UNKNOWN: Mapping[str, tuple[str, ...]] = {
    "lognormal": ("gumbel",),
    "weibull": ("gumbel",),
    "beta": ("gumbel",),
    "gumbel": ("laplace",),
    "student_t": ("laplace",),
}
"""P -> the Q whose E log q has no elementary form, though P lies in their support."""


def _closed_targets(first: str) -> list[str]:
    """The families Q that a closed form is known for: their E log q is, or they leave some of P outside."""
    return [q for q in CROSS if q != first and q not in _UNKNOWN.get(first, ())]


def _divergences() -> dict[tuple[str, str], Closed]:
    found = {(first, second): _by_moments(first, second) for first in MOMENTS for second in _closed_targets(first)}
    for few in ("bernoulli", "categorical"):
        found |= {(few, q): _on_few(few, q) for q in ("poisson", "binomial", "geometric", "negative_binomial")}
    for endless, few in ((p, q) for p in ("poisson",) for q in ("bernoulli", "binomial", "categorical")):
        found[endless, few] = Closed(lambda p, q: inf, "P has mass on every whole number")  # noqa: ARG005
    for first, family in _IN:
        if first != family:
            found[first, family] = _as(first, family, family)
            found[family, first] = _as(family, first, family)
    found |= {(family, family): closed for family, closed in WITHIN.items()}
    return found


DIVERGENCES: Mapping[tuple[str, str], Closed] = _divergences()
"""KL(P||Q) by (family of P, family of Q): a function of P's and Q's parameters."""

"""Sums over whole numbers, each with an estimate of its error."""

from __future__ import annotations

from math import inf, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.parametric.law import joined
from klcli.parametric.numeric.integrands import EPS, Integral, Nodes, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.model import Array
    from klcli.parametric.catalogue import Component
    from klcli.parametric.law import Law
    from klcli.parametric.numeric.integrands import Integrand

_MOST_TERMS = 1 << 22
"""Of a sum: 32 MB for each array of them, a few of which are held at once."""


def _range(one: Component) -> tuple[float, float]:
    """First and last whole number beyond which a component has less mass than 1e-40."""
    p: Mapping[str, Any] = one.parameters
    if one.family == "bernoulli":
        return 0.0, 1.0
    if one.family == "categorical":
        return 0.0, len(p["p"]) - 1.0
    if one.family == "poisson":
        mean, tail = p["rate"], 16 * sqrt(p["rate"]) + 80
    elif one.family == "binomial":
        mean, tail = p["n"] * p["p"], 16 * sqrt(p["n"] * p["p"] * (1 - p["p"])) + 80
    else:
        r = p.get("r", 1.0)
        rate = -log1p(-p["p"]) if p["p"] < 1 else inf
        mean = r * (1 - p["p"]) / p["p"]
        tail = (110 + 2 * sqrt(110 * r)) / rate + 16 * sqrt(mean / p["p"]) + 4
    last = mean + tail
    if one.family == "binomial":
        last = min(last, p["n"])
    first = mean - tail if one.family in {"poisson", "binomial"} else 0.0
    return max(0.0, float(np.floor(first))), float(np.ceil(last))


def whole_numbers(laws: Sequence[Law], beyond: int = 0) -> list[Array]:
    """Runs of whole numbers that hold all mass; beyond: how often their reach grows fourfold. Empty: too many.

    Also beyond 1/EPS, where one and the next are the same double.
    """
    spans = joined([_range(one) for law in laws for one in law.components])
    if beyond:
        most = max(law.support[-1][1] for law in laws)
        spans = [(0.0, min(most, spans[-1][1] * 4.0**beyond))]
    if sum(high - low + 1 for low, high in spans) > _MOST_TERMS or spans[-1][1] > 1 / EPS:
        return []
    return [np.arange(low, high + 1) for low, high in spans]


def add_up(p: Law, q: Law | None, names: Mapping[str, Integrand | None]) -> dict[str, Integral]:
    """The sums of some integrands over whole numbers. The tail neglected is below rounding, which is the error.

    A summand that still weighs at the end is followed outwards; one that does not fall there diverges.
    """
    laws = [p] if q is None else [p, q]
    results = dict.fromkeys(names, Integral(inf, inf))
    left = dict(names)
    last = max(law.support[-1][1] for law in laws)
    for beyond in range(8):
        runs = whole_numbers(laws, beyond)
        if not runs:
            break
        k = np.concatenate(runs)
        log_p = p.log_density(k)
        with np.errstate(over="ignore", invalid="ignore"):
            f = evaluate(left, Nodes(log_p, log_p if q is None else q.log_density(k), np.zeros_like(k)))
        ends = k[-1] == last
        for name, values in zip(list(left), f, strict=True):
            if not np.isfinite(values).all():
                del left[name]
                continue
            value = float(values.sum())
            tail = float(np.abs(values[-2:]).sum()) * len(k)
            unseen = name == "power" and value == 0  # its peak lies further out
            if ends or (tail <= EPS * abs(value) and not unseen):
                rounding = 16 * EPS * float(np.abs(values).sum()) * max(1.0, log(len(k)))
                results[name] = Integral(value, rounding)
                del left[name]
        if not left:
            break
    return results


def too_many(p: Law, q: Law | None) -> bool:
    """Whether there are more whole numbers than are added up."""
    return not whole_numbers([p] if q is None else [p, q])

"""Sums over whole numbers, each with an estimate of its error."""

from __future__ import annotations

from math import inf, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.law import joined
from klcli.families.numeric.integrands import EPS, Integral, Nodes, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.engine.arrays import Array
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integrand

_MOST_TERMS = 1 << 22
"""Of a sum: 32 MB for each array of them, a few of which are held at once."""


def whole_numbers(laws: Sequence[Law], beyond: int = 0) -> list[Array]:
    """Runs of whole numbers that hold all mass; beyond: how often their reach grows fourfold. Empty: too many.

    Also beyond 1/EPS, where one and the next are the same double.
    """
    spans = joined([one.span() for law in laws for one in law.members])
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

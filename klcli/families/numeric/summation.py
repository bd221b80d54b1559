"""Sums over whole numbers, each with an estimate of its error."""

from __future__ import annotations

from math import ceil, inf, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.law import joined
from klcli.families.numeric.integrands import EPS, Integral, Nodes, evaluate, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.engine.arrays import Array
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integrand

    Runs = list[tuple[Array, float]]
    """Whole numbers in order, and how many each stands for."""

_MOST_TERMS = 1 << 20
"""Of a run of whole numbers: 8 MB for each array of them, a few of which are held at once."""

_TOO_FINE = 1e3
"""How many doubles a span holds at least, where they are no longer every whole number."""


def whole_numbers(laws: Sequence[Law], beyond: int = 0) -> Runs:
    """Runs of whole numbers that hold all mass; beyond: how often their reach grows fourfold. Empty: too many.

    A run ends where a component's span does. In a long one each number stands for itself and as many on either side: so
    wide a law is as good as even over them. Where doubles are too coarse for a law, there are too many.
    """
    spans = joined([one.span() for law in laws for one in law.members])
    if beyond:
        most = max(law.support[-1][1] for law in laws)
        spans = [(0.0, min(most, spans[-1][1] * 4.0**beyond))]
    ends = {x for law in laws for one in law.members for x in (one.span()[0], one.span()[1] + 1)}
    runs: Runs = []
    for low, high in spans:
        start = low
        for end in sorted({high + 1, *(x for x in ends if low < x <= high)}):
            unit = max(1.0, float(np.spacing(end)))  # the whole numbers that doubles still tell apart
            if end - low < _TOO_FINE * unit and unit > 1:
                return []
            count = ceil((end - start) / unit / _MOST_TERMS)
            block = unit * (count + count % 2 if unit > 1 else count // 2 * 2 + 1)
            blocks = max(0, ceil((end - start) / block))
            if blocks:
                runs.append((start // unit * unit + (block // 2 + block * np.arange(blocks)), block))
            start += blocks * block
    return runs


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
        each = [_sums(p, q, left, k, block) for k, block in runs]
        values, errors = (np.sum(part, axis=0) for part in list(zip(*each, strict=True))[:2])
        at_end, reached = each[-1][2], runs[-1][0][-1] + (runs[-1][1] - 1) / 2
        count = sum(len(k) for k, _ in runs)
        for name, value, error, tail in zip(list(left), values.tolist(), errors.tolist(), at_end.tolist(), strict=True):
            unseen = name == "power" and value == 0  # its peak lies further out
            if not np.isfinite(value):
                del left[name]
            elif reached >= last or (tail * count <= EPS * abs(value) and not unseen):
                results[name] = Integral(value, error)
                del left[name]
        if not left:
            break
    return results


def _sums(
    p: Law, q: Law | None, names: Mapping[str, Integrand | None], k: Array, block: float
) -> tuple[Array, Array, Array]:
    """Of each integrand the sum over a run, its error, and the size of its last two terms: (names,) each."""
    step = log(block)
    with np.errstate(over="ignore", invalid="ignore"):
        log_p = p.log_density(k) + step
        nodes = Nodes(log_p, log_p if q is None else q.log_density(k) + step, np.full_like(k, step))
        f = evaluate(names, nodes)
        rounding = np.abs(evaluate(names, rounded(nodes)) - f).sum(axis=1) + 4 * EPS * np.abs(f).sum(axis=1)
        values, error = f.sum(axis=1), rounding
        if block > 1:  # blocks thrice as wide, whose error is nine times as large
            triples = len(k) // 3 * 3
            error = rounding + np.abs(f[:, :triples].sum(axis=1) - 3 * f[:, 1:triples:3].sum(axis=1)) / 4
    return values, error, np.abs(f[:, -2:]).sum(axis=1)


def too_many(p: Law, q: Law | None) -> bool:
    """Whether there are more whole numbers than are added up."""
    return not whole_numbers([p] if q is None else [p, q])

"""KL(P||Q) and cross-entropies of two families' members, wherever they have a closed form. In nats.

Two of one family, or of families that a third one holds, have a form in which nothing cancels. Otherwise log q is
linear in a few functions of x, so that KL(P||Q) = -H(P) - E_P log q needs only P's entropy and these moments of P;
such forms are good to 1e-15 times their terms. A law on finitely many outcomes is summed over them.
"""

from __future__ import annotations

from math import inf, isfinite, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import CONTINUOUS, FAMILIES, FINITE

if TYPE_CHECKING:
    from klcli.families.family import Family


def divergence(p: Family, q: Family) -> float | None:
    """KL(P||Q) of two densities, two of masses, or two of a family; None where it has no closed form."""
    ways = {p.name: p.values, **p.wider()}, {q.name: q.values, **q.wider()}
    for name in ways[0]:
        if name in ways[1]:
            family = FAMILIES[name]
            value = family(**ways[0][name]).kl(family(**ways[1][name]))
            if value is not None:
                return value
    if not (q.support[0] <= p.support[0] and p.support[1] <= q.support[1]):
        return inf
    if p.kind == CONTINUOUS == q.kind:
        return _by_moments(p, q)
    return _over_outcomes(p, q) if p.kind == FINITE else None


def _by_moments(p: Family, q: Family) -> float | None:
    moments, entropy = p.moments(), p.entropy()
    if moments is None or entropy is None:
        return None
    cross = q.cross_entropy(moments)
    if cross == inf:
        return inf
    return max(0.0, cross - entropy) if isfinite(cross) else None


def _over_outcomes(p: Family, q: Family) -> float:
    masses = p.masses()
    logs = q.log_density(np.arange(len(masses), dtype=np.float64)).tolist()
    return float(max(0.0, sum(m * (log(m) - other) for m, other in zip(masses, logs, strict=True) if m > 0)))


def cross_entropy(p: Family, q: Family) -> float | None:
    """E_P[-log q] of two densities; None where it has no form here, or no finite value."""
    moments = p.moments()
    if moments is None:
        return None
    value = q.cross_entropy(moments)
    return value if isfinite(value) else None

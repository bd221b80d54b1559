"""KL(P||Q) and cross-entropies of two families' members, wherever they have a closed form. In nats.

Two of one family, or of families that a third one holds, have a form in which nothing cancels. Otherwise log q is
linear in a few functions of x, so that KL(P||Q) = -H(P) - E_P log q needs only P's entropy and these moments of P;
such forms are good to 1e-15 times their terms, and are left to quadrature where these cancel. A law on finitely many
outcomes is summed over them.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import CONTINUOUS, FAMILIES, FINITE
from klcli.families.law import standardised

if TYPE_CHECKING:
    from klcli.families.family import Family


_CANCELLED = 1e-3
"""Of its terms: below it a difference has lost more than the three digits that the bar of 1e-11 leaves."""


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
    """None also where an overflow might be taken for an infinity: what diverges is told by its tails."""
    (p, q), _ = standardised([p, q])
    moments, entropy = p.moments(), p.entropy()
    cross = None if moments is None else q.cross_entropy(moments)
    if cross is None or entropy is None:
        return None
    value = cross.value - entropy
    return value if isfinite(value) and value >= _CANCELLED * (cross.size + abs(entropy)) else None


def _over_outcomes(p: Family, q: Family) -> float | None:
    masses = np.array(p.masses())
    at = np.flatnonzero(masses)
    terms = masses[at] * (np.log(masses[at]) - q.log_density(at.astype(np.float64)))
    value = float(terms.sum())
    return value if value >= _CANCELLED * float(np.abs(terms).sum()) else None


def cross_entropy(p: Family, q: Family) -> float | None:
    """E_P[-log q] of two densities; None where it has no form here, or no finite value."""
    moments = p.moments()
    cross = None if moments is None else q.cross_entropy(moments)
    return cross.value if cross is not None and isfinite(cross.value) else None

"""Why a KL divergence is infinite: by mass where the other law has none, or by a tail too heavy for the other's."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from klcli.families.catalogue import CONTINUOUS
from klcli.families.numeric.expectations import outside

if TYPE_CHECKING:
    from klcli.families.family import Tail
    from klcli.families.law import Law

BEYOND_DOUBLES = "it is larger than any double"


def sticks_out(p: Law, q: Law) -> bool:
    """Whether P has mass where Q has none, by their supports."""
    if p.kind != CONTINUOUS:
        return p.support[0][0] < q.support[0][0] or p.support[-1][1] > q.support[-1][1]
    return not all(any(a[0] <= b[0] and b[1] <= a[1] for a in q.support) for b in p.support)


def is_too_heavy(p: Tail, q: Tail) -> bool:
    """Whether E[-log q] diverges at this end."""
    if p.power < inf:
        return q.growth >= p.power
    return q.growth == inf and q.growth_rate >= p.exponential


def _divergent_end(p: Law, q: Law) -> tuple[str, int] | None:
    """The family of P's component, and its end, that makes KL(P||Q) infinite though Q has mass there."""
    for side in (-1, 1):
        ends = [tail for tail in (other.tail(side) for other in q.members) if tail is not None]
        for one in p.members:
            tail = one.tail(side)
            if tail is not None and ends and all(is_too_heavy(tail, end) for end in ends):
                return one.name, side
    return None


def diverges(p: Law, q: Law) -> bool:
    """Whether KL(P||Q) is infinite by a tail of P's too heavy for Q's, where E[-log q] has no finite value."""
    return p.kind == CONTINUOUS and _divergent_end(p, q) is not None


def explain_infinite(p: Law, q: Law, roles: tuple[str, str] = ("P", "Q")) -> str:
    """One line: why KL(P||Q) is infinite. roles: what the two are called."""
    one, other = roles
    if not p.is_vector:
        mass = outside(p, q)
        if mass > 0 or sticks_out(p, q):
            share = f"{mass:.3g} of {one}'s mass" if mass > 0 else f"some of {one}'s mass, less than any double,"
            return f"{share} lies {_where(p, q, other)}, where {other} has none"
        end = _divergent_end(p, q) if p.kind == CONTINUOUS else None
        if end is not None:
            family, side = end
            families = " and ".join(dict.fromkeys(each.family for each in q.components))
            return (
                f"the integral diverges: {one}'s {'left' if side < 0 else 'right'} tail ({family}) is too "
                f"heavy for {other}'s ({families}), whose -log density has no finite mean under {one}"
            )
    return BEYOND_DOUBLES


def _where(p: Law, q: Law, other: str) -> str:
    """Where P has mass and Q has none. other: what Q is called."""
    if p.kind == CONTINUOUS or p.support[-1][1] > q.support[-1][1] or p.support[0][0] < q.support[0][0]:
        low, high = q.support[0][0], q.support[-1][1]
        places = []
        if p.support[0][0] < low:
            places.append(f"below {low:g}")
        if p.support[-1][1] > high:
            places.append(f"above {high:g}")
        return " and ".join(places) or f"in a gap of {other}'s support"
    return "at whole numbers"

"""Why a KL divergence is infinite: by mass where the other law has none, or by a tail too heavy for the other's."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from klcli.parametric.catalogue import CONTINUOUS
from klcli.parametric.numeric.expectations import outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.parametric.catalogue import Component
    from klcli.parametric.law import Law

BEYOND_DOUBLES = "it is larger than any double"


def sticks_out(p: Law, q: Law) -> bool:
    """Whether P has mass where Q has none, by their supports."""
    if p.kind != CONTINUOUS:
        return p.support[0][0] < q.support[0][0] or p.support[-1][1] > q.support[-1][1]
    return not all(any(a[0] <= b[0] and b[1] <= a[1] for a in q.support) for b in p.support)


def grown(family: str, parameters: Mapping[str, float] | None = None) -> tuple[float, float]:
    """How -log q grows to the left and to the right: as which power, 0 as logarithms do, inf as exponentials.

    -inf: there is an end. Without parameters: as the fastest of the family does.
    """
    shape = inf if parameters is None else float(parameters.get("shape", inf))
    return {
        "normal": (2.0, 2.0),
        "laplace": (1.0, 1.0),
        "logistic": (1.0, 1.0),
        "gumbel": (inf, 1.0),
        "student_t": (0.0, 0.0),
        "lognormal": (-inf, 0.0),
        "exponential": (-inf, 1.0),
        "gamma": (-inf, 1.0),
        "weibull": (-inf, shape),
    }.get(family, (-inf, -inf))


class _Tail(NamedTuple):
    """One end of a family.

    power, exponential: of its mass, the rates at which it decays so; inf where it decays faster, as the lognormal's,
    which has all moments and meets no exponential growth.
    growth: of -log density, as `grown` has it. growth_rate: of that exponential, where it is one.
    """

    power: float
    exponential: float
    growth: float
    growth_rate: float


def _tail(one: Component, side: int) -> _Tail | None:
    """The left (-1) or right (1) end of a family, None where it ends."""
    p: Mapping[str, Any] = one.parameters
    growth = grown(one.family, p)[side > 0]
    if growth == -inf:
        return None
    power = p["df"] if one.family == "student_t" else inf
    exponential = inf
    if one.family in {"laplace", "logistic"} or (one.family == "gumbel" and side > 0):
        exponential = 1 / p["scale"]
    elif one.family in {"exponential", "gamma"}:
        exponential = p["rate"]
    return _Tail(power, exponential, growth, 1 / p["scale"] if growth == inf else 0.0)


def _too_heavy(p: _Tail, q: _Tail) -> bool:
    """Whether E[-log q] diverges at this end."""
    if p.power < inf:
        return q.growth >= p.power
    return q.growth == inf and q.growth_rate >= p.exponential


def _divergent_end(p: Law, q: Law) -> tuple[Component, int] | None:
    """The component of P, and its end, that makes KL(P||Q) infinite though Q has mass there."""
    for side in (-1, 1):
        ends = [tail for tail in (_tail(other, side) for other in q.components) if tail is not None]
        for one in p.components:
            tail = _tail(one, side)
            if tail is not None and ends and all(_too_heavy(tail, end) for end in ends):
                return one, side
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
            return f"{share} lies {_where(p, q)}, where {other} has none"
        end = _divergent_end(p, q) if p.kind == CONTINUOUS else None
        if end is not None:
            component, side = end
            families = " and ".join(dict.fromkeys(each.family for each in q.components))
            return (
                f"the integral diverges: {one}'s {'left' if side < 0 else 'right'} tail ({component.family}) is too "
                f"heavy for {other}'s ({families}), whose -log density has no finite mean under {one}"
            )
    return BEYOND_DOUBLES


def _where(p: Law, q: Law) -> str:
    if p.kind == CONTINUOUS or p.support[-1][1] > q.support[-1][1] or p.support[0][0] < q.support[0][0]:
        low, high = q.support[0][0], q.support[-1][1]
        places = []
        if p.support[0][0] < low:
            places.append(f"below {low:g}")
        if p.support[-1][1] > high:
            places.append(f"above {high:g}")
        return " and ".join(places) or "in a gap of Q's support"
    return "at whole numbers"

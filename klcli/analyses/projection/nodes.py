"""Integrals over a family's members: x as a function of t, the logit of the distribution function, and panels in t.

In t the tails of every family are alike (the mass beyond t is e^-t), poles of the density vanish, and what is
integrated is smooth but at known points, where panels end: so panels that move with a parameter leave no noise.

`families.numeric.quadrature` is the other quadrature, of values that are reported: it halves panels until any
integrand is known to 1e-12, but which it halves jumps as a parameter moves. The differences that a descent takes need
what is here: a fixed number of panels, smooth to 1e-13. `adaptive` halves these too, once an optimum is found.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.families.family import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.families.family import Continuous
    from klcli.model import Array

_ORDER = 12
_NEAR, _FAR = 39.0, 300.0
"""The mass left out beyond: 1e-17, and 1e-130, where large values weigh much."""
_LEAST = 1e-300
_ENOUGH = 1e-13
_ROUNDS = 12


@cache
def special() -> Any:  # noqa: ANN401 - a module without types
    """SciPy's special functions."""
    return scipy("special", "a projection")


def place(member: Continuous, t: Array) -> Array:
    """The points below which lies the share 1/(1 + e^-t). Any shape.

    The doubles next to a steep end stand for what is nearer.
    """
    x = member.at_logit(t)
    if 0 in member.steep:
        x = np.maximum(x, _LEAST)
    return np.minimum(x, 1 - 2**-53) if 1 in member.steep else x


@cache
def _rule() -> tuple[Array, Array]:
    """Gauss and Legendre's points in (0, 1) and their weights."""
    points, weights = np.polynomial.legendre.leggauss(_ORDER)
    return (points + 1) / 2, weights / 2


def edges(member: Continuous, kinks: Array, *, far: bool) -> Array:
    """Where the panels of a member end: evenly in t, and at the kinks. far: for what grows as exponentials do."""
    base = np.linspace(0, _NEAR, 14)
    if member.reach == "far" or (far and member.reach != "near"):
        base = np.concatenate((base, np.linspace(_NEAR, _FAR, 24)[1:]))
    t = member.logit(kinks)
    return np.sort(np.concatenate((-base, base[1:], np.clip(t[~np.isnan(t)], -base[-1], base[-1]))))


def _in_panels(lows: Array, highs: Array) -> tuple[Array, Array]:
    """t, and the weights of dt, (panels, order)."""
    points, weights = _rule()
    widths = (highs - lows)[:, None]
    return lows[:, None] + widths * points, widths * weights


def nodes(member: Continuous, ends: Array) -> tuple[Array, Array]:
    """Points x and weights w, so that sum w f(x) is the expectation of f under the member."""
    t, dt = _in_panels(ends[:-1], ends[1:])
    expit = special().expit
    return place(member, t).ravel(), (dt * expit(t) * expit(-t)).ravel()


def adaptive(member: Continuous, of: Callable[[Array], Array], ends: Array) -> tuple[float, float]:
    """The expectation of a function, and an estimate of the error: panels are halved until halves agree with wholes."""
    expit = special().expit

    def parts(lows: Array, highs: Array) -> Array:
        t, dt = _in_panels(lows, highs)
        weights = dt * expit(t) * expit(-t)
        terms = np.where(weights > 0, weights * of(place(member, t)), 0.0)
        summed: Array = terms.sum(axis=1)
        return summed

    lows, highs = ends[:-1], ends[1:]
    whole = parts(lows, highs)
    total, error = 0.0, float(np.abs(whole[[0, -1]]).sum())
    for i in range(_ROUNDS):
        middles = (lows + highs) / 2
        left, right = parts(lows, middles), parts(middles, highs)
        gaps = np.abs(left + right - whole)
        fine = ~(gaps > _ENOUGH) | (i == _ROUNDS - 1)  # what is no number stays none
        total += float((left + right)[fine].sum())
        error += float(gaps[fine].sum())
        if fine.all():
            break
        rest = ~fine
        lows, highs = (np.concatenate(pair) for pair in ((lows[rest], middles[rest]), (middles[rest], highs[rest])))
        whole = np.concatenate((left[rest], right[rest]))
    return total, error + 4e-16 * abs(total)


def spread(members: Sequence[Continuous], logits: Sequence[float]) -> Array:
    """(members, logits): their points."""
    return np.array([place(one, np.asarray(logits, dtype=np.float64)) for one in members])

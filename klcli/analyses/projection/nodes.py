"""Integrals over a family's members: x as a function of t, the logit of the distribution function, and panels in t.

In t the tails of every family are alike (the mass beyond t is e^-t), poles of the density vanish, and what is
integrated is smooth but at known points, where panels end: so panels that move with a parameter leave no noise.

`parametric.numeric.quadrature` is the other quadrature, of values that are reported: it halves panels until any
integrand is known to 1e-12, but which it halves jumps as a parameter moves. The differences that a descent takes need
what is here: a fixed number of panels, smooth to 1e-13. `adaptive` halves these too, once an optimum is found.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.parametric.law import scipy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.model import Array
    from klcli.parametric.catalogue import Component

_ORDER = 12
_NEAR, _FAR = 39.0, 300.0
"""The mass left out beyond: 1e-17, and 1e-130, where large values weigh much."""
HEAVY = {"student_t", "lognormal", "gumbel", "weibull"}
"""Whose tails may be so long that panels must reach far out."""
_STEADY = {"exponential", "gamma", "beta", "uniform"}
"""Whose tails are never long: nothing that they are compared with needs more."""
_LEAST = 1e-300
_ENOUGH = 1e-13
_ROUNDS = 12


@cache
def special() -> Any:  # noqa: ANN401 - a module without types
    """SciPy's special functions."""
    return scipy("special", "a projection")


def _both(t: Array, lower: Callable[[Array], Array], upper: Callable[[Array], Array]) -> Array:
    """lower(u) where t < 0, else upper(1 - u)."""
    tail = special().expit(-np.abs(t))
    return np.where(t < 0, lower(tail), upper(tail))


def _symmetric(t: Array, lower: Callable[[Array], Array]) -> Array:
    return np.sign(t) * -lower(special().expit(-np.abs(t)))


def place(component: Component, t: Array) -> Array:
    """The points below which lies the share 1/(1 + e^-t) of a continuous component. Any shape."""
    p: Mapping[str, Any] = component.parameters
    f = special()
    made: dict[str, Callable[[], Array]] = {
        "normal": lambda: p["mu"] + p["sd"] * _symmetric(t, f.ndtri),
        "lognormal": lambda: np.exp(p["mu"] + p["sd"] * _symmetric(t, f.ndtri)),
        "exponential": lambda: np.logaddexp(0, t) / p["rate"],
        "gamma": lambda: (
            _both(t, lambda u: f.gammaincinv(p["shape"], u), lambda v: f.gammainccinv(p["shape"], v)) / p["rate"]
        ),
        "beta": lambda: _both(t, lambda u: f.betaincinv(p["a"], p["b"], u), lambda v: f.betainccinv(p["a"], p["b"], v)),
        "weibull": lambda: p["scale"] * np.logaddexp(0, t) ** (1 / p["shape"]),
        "laplace": lambda: p["mu"] + p["scale"] * _symmetric(t, lambda u: np.log(2 * u)),
        "student_t": lambda: p["mu"] + p["scale"] * _symmetric(t, lambda u: f.stdtrit(p["df"], u)),
        "uniform": lambda: p["low"] + (p["high"] - p["low"]) * f.expit(t),
        "logistic": lambda: p["mu"] + p["scale"] * t,
        "gumbel": lambda: p["mu"] - p["scale"] * np.log(np.logaddexp(0, -t)),
    }
    x = made[component.family]()
    if component.family == "beta":  # the doubles next to 0 and 1 stand for what is nearer
        return np.clip(x, _LEAST, 1 - 2**-53)
    return np.maximum(x, _LEAST) if component.family in {"lognormal", "exponential", "gamma", "weibull"} else x


def _logit(lower: Array, upper: Array) -> Array:
    return np.log(lower) - np.log(upper)


def logit(component: Component, x: Array) -> Array:
    """The inverse of `place`; -inf and inf outside the support."""
    p: Mapping[str, Any] = component.parameters
    f = special()
    positive = np.maximum(x, 0.0)

    def z(scale: str = "scale") -> Array:
        values: Array = (x - p["mu"]) / p[scale]
        return values

    def waiting(e: Array) -> Array:
        return np.log(-np.expm1(-e)) + e

    def sided(values: Array, tail: Callable[[Array], Array]) -> Array:
        beyond = tail(-np.abs(values))
        return np.sign(values) * _logit(1 - beyond, beyond)

    made: dict[str, Callable[[], Array]] = {
        "normal": lambda: f.log_ndtr(z("sd")) - f.log_ndtr(-z("sd")),
        "lognormal": lambda: (
            f.log_ndtr((np.log(positive) - p["mu"]) / p["sd"]) - f.log_ndtr((p["mu"] - np.log(positive)) / p["sd"])
        ),
        "exponential": lambda: waiting(positive * p["rate"]),
        "gamma": lambda: _logit(
            f.gammainc(p["shape"], positive * p["rate"]), f.gammaincc(p["shape"], positive * p["rate"])
        ),
        "beta": lambda: _logit(
            f.betainc(p["a"], p["b"], np.clip(x, 0, 1)), f.betaincc(p["a"], p["b"], np.clip(x, 0, 1))
        ),
        "weibull": lambda: waiting((positive / p["scale"]) ** p["shape"]),
        "laplace": lambda: sided(z(), lambda s: 0.5 * np.exp(s)),
        "student_t": lambda: sided(z(), lambda s: f.stdtr(p["df"], s)),
        "uniform": lambda: f.logit(np.clip((x - p["low"]) / (p["high"] - p["low"]), 0, 1)),
        "logistic": z,
        "gumbel": lambda: -np.exp(-z()) - np.log(-np.expm1(-np.exp(-z()))),
    }
    return made[component.family]()


@cache
def _rule() -> tuple[Array, Array]:
    """Gauss and Legendre's points in (0, 1) and their weights."""
    points, weights = np.polynomial.legendre.leggauss(_ORDER)
    return (points + 1) / 2, weights / 2


def edges(component: Component, kinks: Array, *, far: bool) -> Array:
    """Where the panels of a component end: evenly in t, and at the kinks. far: for what grows as exponentials do."""
    base = np.linspace(0, _NEAR, 14)
    if component.family in HEAVY or (far and component.family not in _STEADY):
        base = np.concatenate((base, np.linspace(_NEAR, _FAR, 24)[1:]))
    t = logit(component, kinks)
    return np.sort(np.concatenate((-base, base[1:], np.clip(t[~np.isnan(t)], -base[-1], base[-1]))))


def _in_panels(lows: Array, highs: Array) -> tuple[Array, Array]:
    """t, and the weights of dt, (panels, order)."""
    points, weights = _rule()
    widths = (highs - lows)[:, None]
    return lows[:, None] + widths * points, widths * weights


def nodes(component: Component, ends: Array) -> tuple[Array, Array]:
    """Points x and weights w, so that sum w f(x) is the expectation of f under the component."""
    t, dt = _in_panels(ends[:-1], ends[1:])
    expit = special().expit
    return place(component, t).ravel(), (dt * expit(t) * expit(-t)).ravel()


def adaptive(component: Component, of: Callable[[Array], Array], ends: Array) -> tuple[float, float]:
    """The expectation of a function, and an estimate of the error: panels are halved until halves agree with wholes."""
    expit = special().expit

    def parts(lows: Array, highs: Array) -> Array:
        t, dt = _in_panels(lows, highs)
        weights = dt * expit(t) * expit(-t)
        terms = np.where(weights > 0, weights * of(place(component, t)), 0.0)
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


def spread(components: Sequence[Component], logits: Sequence[float]) -> Array:
    """(components, logits): their points."""
    return np.array([place(one, np.asarray(logits, dtype=np.float64)) for one in components])

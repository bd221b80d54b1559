"""What is integrated: functions of (log p, log q) that keep their digits between close laws.

Each is homogeneous of degree one in (p, q), so that the logs may hold that of a step, and >= 0 wherever what it
measures is. Arrays of any one shape in, the same shape out; logs may be -inf.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.special import SERIES_OF_EXP, exponential_excess
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.engine.arrays import Array

    Integrand = Callable[[Array, Array], Array]

EPS = 2.0**-52
"""From 1 to the next double: relative errors of rounding are half of it."""


class Integral(NamedTuple):
    """A value and an estimate of its error, both in the value's unit. value inf: it diverges."""

    value: float
    error: float


class Nodes(NamedTuple):
    """Where integrands are evaluated: log p and log q, both with log of the step to be multiplied by, and that log."""

    log_p: Array
    log_q: Array
    log_step: Array


def products(log_p: Array, factor: Array) -> Array:
    """p * factor; where p is less than any double by logarithms, and 0 where it is 0."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        value = np.exp(log_p + np.log(np.abs(factor)))
        return np.where(np.isneginf(log_p) | (factor == 0), 0.0, np.copysign(value, factor))


def log_ratio(log_p: Array, log_q: Array) -> Array:
    """log p - log q, 0 where both are 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(log_p) & np.isneginf(log_q), 0.0, log_p - log_q)


def kl(log_p: Array, log_q: Array) -> Array:
    """P log(p/q) - p + q; inf where only q is 0."""
    d = log_ratio(log_p, log_q)
    near = np.abs(d) < SERIES_OF_EXP
    close = np.exp(log_p) * exponential_excess(np.where(near, -d, 0.0))
    with np.errstate(over="ignore", invalid="ignore"):
        far = products(log_p, d) - np.exp(log_p) + np.exp(log_q)
    value: Array = np.where(near, close, far)
    return value


def jensen_shannon(log_p: Array, log_q: Array) -> Array:
    """(p log(p/m) + q log(q/m))/2, m = (p + q)/2, in s = (p - q)/(p + q)."""
    s = np.tanh(log_ratio(log_p, log_q) / 2)
    m = (np.exp(log_p) + np.exp(log_q)) / 2
    z = s * s
    near = z < 0.01  # noqa: PLR2004 - eight terms leave less than a rounding
    series = sum(np.where(near, z, 0.0) ** k / (k * (2 * k - 1)) for k in range(8, 0, -1))
    low, high = 1 - np.abs(s), 1 + np.abs(s)
    # 1 - |s| = 2/(1 + e^|d|), exactly where s rounds to 1
    with np.errstate(divide="ignore", invalid="ignore"):
        far = high * np.log(high) + np.where(low > 0, low * np.log(low), 0.0)
    value: Array = m / 2 * np.where(near, series, far)
    return value


def total_variation(log_p: Array, log_q: Array) -> Array:
    """abs(p - q)/2."""
    gap = np.abs(log_ratio(log_p, log_q))
    value: Array = -0.5 * np.exp(np.maximum(log_p, log_q)) * np.expm1(-gap)
    return value


def hellinger_squared(log_p: Array, log_q: Array) -> Array:
    """(sqrt p - sqrt q)^2/2."""
    gap = np.abs(log_ratio(log_p, log_q))
    value: Array = 0.5 * np.exp(np.maximum(log_p, log_q)) * np.expm1(-gap / 2) ** 2
    return value


def chi_square(log_p: Array, log_q: Array) -> Array:
    """(p - q)^2/q; inf where only q is 0."""
    d = log_ratio(log_p, log_q)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        above = np.exp(log_p + d) * np.expm1(-np.abs(d)) ** 2
        return np.where(
            d > 0, np.where(np.isneginf(log_q), inf, above), np.exp(log_q) * np.expm1(np.minimum(d, 0)) ** 2
        )


def renyi_excess(rest: float) -> Integrand:
    """(p^a q^b - a p - b q)/-b, b = 1 - a the rest: >= 0, and its integral e gives log(1 - b e)/-b.

    For orders a of at least 1/2: below, those of Q and P have digits that b has lost.
    """
    c = -rest

    def integrand(log_p: Array, log_q: Array) -> Array:
        d = log_ratio(log_p, log_q)
        near = np.abs(d) < SERIES_OF_EXP / max(1.0, abs(c))
        held = np.where(near, d, 0.0)
        # q (g(a d) - a g(d))/c, g(x) = e^x - 1 - x; at c near 0 from p's side: p (g(c d)/c + g(-d)), both of one sign
        # or the first small.
        close = np.exp(log_p) * (exponential_excess(c * held) / c + exponential_excess(-held))
        with np.errstate(over="ignore", invalid="ignore"):
            small = np.abs(c * d) < 1
            slight = products(log_p, np.expm1(np.where(small, c * d, 0.0)) / c)
            powers = np.exp(log_p + c * d)
            if c < 0:
                powers = np.where(np.isneginf(log_p) | np.isneginf(log_q), 0.0, powers)
            large = (np.where(np.isneginf(log_p), 0.0, powers) - np.exp(log_p)) / c
            far = np.where(small, slight, large) - np.exp(log_p) + np.exp(log_q)
        value: Array = np.where(near, close, far)
        return value

    return integrand


def swapped(integrand: Integrand) -> Integrand:
    """The integrand of Q and P."""
    return lambda log_p, log_q: integrand(log_q, log_p)


def renyi_power(alpha: float, peak: float) -> Integrand:
    """p^a q^(1-a), divided by e^peak."""

    def integrand(log_p: Array, log_q: Array) -> Array:
        return np.exp(renyi_log(alpha, log_p, log_q) - peak)

    return integrand


def renyi_log(alpha: float, log_p: Array, log_q: Array) -> Array:
    """a log p + (1 - a) log q, -inf where p = 0, and below order 1 where q = 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        logs = log_p + (alpha - 1) * log_ratio(log_p, log_q)
        gone = np.isneginf(log_p) | (np.isneginf(log_q) if alpha < 1 else False)
        return np.where(gone, -inf, logs)


INTEGRANDS: Mapping[str, Integrand] = {
    "kl_pq": kl,
    "kl_qp": lambda log_p, log_q: kl(log_q, log_p),
    "js": jensen_shannon,
    "tv": total_variation,
    "hellinger2": hellinger_squared,
    "chi2": chi_square,
    "mass_p": lambda log_p, log_q: np.exp(log_p),  # noqa: ARG005
}
"""By name; `entropy_p` and `entropy_q` besides, which depend on the step."""


def rounded(nodes: Nodes) -> Nodes:
    """The nodes, each log density as wrong as rounding may have made it, p's upwards and q's downwards."""
    log_p, log_q = (np.where(np.isneginf(logs), 0.0, logs) for logs in (nodes.log_p, nodes.log_q))
    off = (4 * EPS * (1 + np.abs(logs - nodes.log_step)) for logs in (log_p, log_q))
    return Nodes(nodes.log_p + next(off), nodes.log_q - next(off), nodes.log_step)


def evaluate(names: Mapping[str, Integrand | None], nodes: Nodes) -> Array:
    """The integrands at nodes of any shape, (names, ...). None: -p log p, or -q log q, by the name."""
    rows = []
    for name, integrand in names.items():
        if integrand is not None:
            rows.append(integrand(nodes.log_p, nodes.log_q))
            continue
        logs = nodes.log_p if name == "entropy_p" else nodes.log_q
        rows.append(products(logs, -np.where(np.isneginf(logs), 0.0, logs - nodes.log_step)))
    return np.array(rows)

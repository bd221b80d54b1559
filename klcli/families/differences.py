"""What closed forms are made of: differences that keep their digits where they nearly vanish, and Gamma's kin.

A form that cancels between close laws is written as a sum of terms that are >= 0, so that it keeps its digits there:
x - 1 - log x, e^x - 1 - x and log Gamma's Bregman divergence each have a series near 0. What is left: gamma, beta and
Dirichlet laws with parameters above 1e4 in the same proportion lose as many digits as the parameter has; and
covariances whose ratio along some axis is below 1e-8 lose that axis's.
"""

from __future__ import annotations

from math import expm1, inf, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.family import scipy

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT_2 = sqrt(2)

LOG_2_PI = log(2 * pi)

NEAR = 0.125
"""Below it nine terms of atanh's series leave less than a rounding, 8^-18; above it u - log1p(u) loses 3 bits."""


def excess(u: float) -> float:
    """u - log(1 + u), that is x - 1 - log x at x = 1 + u; >= 0, relative error 1e-15. inf at u <= -1.

    >>> f"{excess(1e-9):.12e}"
    '4.999999996667e-19'
    """
    if u <= -1:
        return inf
    s = u / (2 + u)
    if abs(s) > NEAR:
        return u - log1p(u)
    z = s * s
    series = sum(z**k / (2 * k + 3) for k in range(9))  # (atanh s - s) / s^3
    return s * (u - 2 * z * series)


def ratio_excess(a: float, b: float) -> float:
    """r - 1 - log r at r = a/b, a, b > 0, however small or large r is; >= 0."""
    return excess((a - b) / b) if 0.5 * b < a < 2 * b else a / b - 1 - log_ratio(a, b)


def exp_excess(x: float) -> float:
    """e^x - 1 - x; >= 0, relative error 1e-15; inf where it overflows."""
    if x > 709:  # noqa: PLR2004 - log of the largest double
        return inf
    if abs(x) > 0.5:  # noqa: PLR2004 - above it the subtraction loses two bits
        return expm1(x) - x
    term, whole = 0.5 * x * x, 0.0
    for k in range(3, 19):
        whole += term
        term *= x / k
    return whole


def log_ratio(a: float, b: float) -> float:
    """log(a/b), a, b > 0; relative error 1e-15 however close they are."""
    return log1p((a - b) / b) if 0.5 * b < a < 2 * b else log(a) - log(b)


def bregman_log_gamma(a: float, step: float) -> float:
    """log Gamma(a + step) - log Gamma(a) - psi(a) step >= 0.

    For abs(step) < a/4 by its series, the sum over k >= 2 of zeta(k, a) (-step)^k / k (Abramowitz & Stegun 6.4.9).
    """
    if step == 0:
        return 0.0
    special = scipy("special", "the digamma function")
    if abs(step) < a / 4 and a > 1e-8:  # noqa: PLR2004 - zeta(28, a) would overflow
        k = np.arange(2, 28)
        return float(np.sum((special.zeta(k, a) * (-step) ** k / k)[::-1]))
    return max(0.0, lgamma(a + step) - lgamma(a) - float(special.digamma(a)) * step)


def term(p: float, q: float, difference: float) -> float:
    """p log(p/q) - p + q >= 0, given q - p."""
    if p == 0:
        return q
    if q == 0:
        return inf
    return p * (excess(difference / p) if abs(difference) < p / 2 else ratio_excess(q, p))


def two_outcomes(p: float, q: float) -> float:
    """KL between two coins of p and q in [0, 1], in nats; inf where only p has an outcome."""
    return term(p, q, q - p) + term(1 - p, 1 - q, p - q)


def digamma(x: float) -> float:
    """psi(x), x > 0."""
    return float(scipy("special", "the digamma function").digamma(x))


def trigamma(x: float) -> float:
    """psi'(x), x > 0, by Hurwitz's zeta function."""
    return float(scipy("special", "the trigamma function").zeta(2, x))


def log_beta(*a: float) -> float:
    """log of the (multivariate) beta function of a, each > 0."""
    return sum(map(lgamma, a)) - lgamma(sum(a))


def minus_plogp(p: float) -> float:
    """-p log p, 0 where p = 0."""
    return -p * log(p) if p > 0 else 0.0


def coin_entropy(p: float) -> float:
    """The entropy of two outcomes of masses p and 1 - p."""
    return minus_plogp(p) - ((1 - p) * log1p(-p) if p < 1 else 0.0)


def dirichlet_entropy(alpha: tuple[float, ...]) -> float:
    """The entropy of a Dirichlet distribution; with two parameters, of a beta distribution."""
    whole = sum(alpha)
    rest = sum((a - 1) * digamma(a) for a in alpha)
    return log_beta(*alpha) + (whole - len(alpha)) * digamma(whole) - rest


def dirichlet_kl(p: tuple[float, ...], q: tuple[float, ...]) -> float:
    """KL between Dirichlet distributions of as many parameters; with two, between beta distributions."""
    each = [bregman_log_gamma(x, y - x) for x, y in zip(p, q, strict=True)]
    whole = sum(y - x for x, y in zip(p, q, strict=True))
    return max(0.0, sum(each) - bregman_log_gamma(sum(p), whole))


def extreme_value_kl(step: float, c: float) -> float:
    """KL between Weibull or Gumbel laws, step = k_q/k_p - 1 and c = k_q log(scale_p/scale_q).

    The usual e^c Gamma(1 + r) - 1 - c - log r - gamma (1 - r), r = 1 + step, is (e^w - 1 - w) plus log Gamma's Bregman
    divergence from 1 to r, with w = c + log Gamma(1 + r).
    """
    curved = bregman_log_gamma(1.0, step)
    return exp_excess(c + log1p(step) - np.euler_gamma * step + curved) + curved


def renyi_bend(u: float, b: float, bend: Callable[[float], float]) -> float:
    """bend(u) - bend(b u)/b, the Renyi divergence's difference; 0 at order 0, where b = 1. bend(0) = bend'(0) = 0."""
    return bend(u) - (bend(b * u) / b if b else 0.0)


def renyi_of_normals(axes: tuple[list[float], list[float]], alpha: float) -> float:
    """The Renyi divergence from P to a standard normal distribution along each axis.

    axes: P's variances less 1, and P's means.
    """
    b, whole = 1 - alpha, 0.0
    for u, z in zip(*axes, strict=True):
        if 1 + b * u <= 0:
            return inf
        whole += renyi_bend(u, b, excess) + alpha * z * z / (1 + b * u)
    return whole / 2

"""What closed forms are made of: differences that keep their digits where they nearly vanish, and Gamma's kin."""

from __future__ import annotations

from math import expm1, inf, lgamma, log, log1p, pi, sqrt

import numpy as np

from klcli.parametric.law import scipy

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

"""What closed forms are made of: differences that keep their digits where they nearly vanish, and Gamma's kin.

A form that cancels between close laws is written as a sum of terms that are >= 0, so that it keeps its digits there:
x - 1 - log x, e^x - 1 - x and log Gamma's Bregman divergence each have a series near 0. Of log Gamma at large arguments
only what Stirling's formula leaves is computed, the rest cancels on paper.
"""

from __future__ import annotations

from math import expm1, inf, lgamma, log, log1p, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.family import scipy
from klcli.families.special import LARGE, NEAR, STIRLING, stirling_remainders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from fractions import Fraction

ROOT_2 = sqrt(2)

LOG_2_PI = log(2 * pi)

_DIGAMMA = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12)
"""Of 1/x^2, 1/x^4, ... in the series of psi(x) - log x + 1/(2 x)."""


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


def fraction_excess(r: Fraction) -> float:
    """r - 1 - log r at a fraction r > 0, which is rounded after 1 has been taken from it; inf where it overflows."""
    if abs(2 * r - 2) < 1:
        return excess(float(r - 1))
    try:
        return float(r - 1) - (log(r.numerator) - log(r.denominator))
    except OverflowError:
        return inf


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


def bounded_expm1(x: float) -> float:
    """e^x - 1, inf where it overflows."""
    return expm1(x) if x < 709 else inf  # noqa: PLR2004 - log of the largest double


def log_ratio(a: float, b: float) -> float:
    """log(a/b), a, b > 0; relative error 1e-15 however close they are."""
    return log1p((a - b) / b) if 0.5 * b < a < 2 * b else log(a) - log(b)


def bregman_log_gamma(a: float, b: float, step: float) -> float:
    """log Gamma(b) - log Gamma(a) - psi(a) step >= 0, given step = b - a, which may be more exact than a and b.

    For abs(step) < a/4 by its series, the sum over k >= 2 of zeta(k, a) (-step)^k / k (Abramowitz & Stegun 6.4.9); for
    a < 1 from Gamma(a) = Gamma(1 + a)/a.
    """
    if step == 0:
        return 0.0
    if abs(step) < a / 4 and a < 1:
        return excess(step / a) + bregman_log_gamma(1 + a, 1 + b, step)
    if abs(step) < a / 4:
        k = np.arange(2, 28)
        zeta = scipy("special", "the zeta function").zeta(k, a)
        return float(np.sum((zeta * (-step) ** k / k)[::-1]))
    return lgamma(b) - lgamma(a) - digamma(a) * step


def bregman_gamma_entropy(a: float, b: float, step: float) -> float:
    """The Bregman divergence from a to b of log Gamma(x) - x log x + x, >= 0, given step = b - a.

    That function is -log(x)/2, a constant and Stirling's remainder, whose powers of 1/x have one each.
    """
    apart = excess(step / a) if abs(step) < a / 2 else ratio_excess(b, a)
    if min(a, b) >= LARGE:
        growth = log1p(step / a) if abs(step) < a / 2 else log_ratio(b, a)
        powers = ((c, 2 * i + 1) for i, c in enumerate(STIRLING))
        return 0.5 * apart + sum(c * a**-n * (exp_excess(-n * growth) + n * apart) for c, n in powers)
    if abs(step) < a / 4:
        # x log x - x has b (a/b - 1 - log(a/b)).
        return bregman_log_gamma(a, b, step) - b * excess(-step / b)
    straight = stirling_remainder(a) + digamma_remainder(a) * step
    return 0.5 * apart + stirling_remainder(b) - straight


def stirling_remainder(x: float) -> float:
    """log Gamma(x) - [(x - 1/2) log x - x + log(2 pi)/2], x > 0: about 1/(12 x)."""
    return float(stirling_remainders(np.array([x]))[0])


def digamma_remainder(x: float) -> float:
    """psi(x) - log x + 1/(2 x), x > 0: about -1/(12 x^2)."""
    if x < LARGE:
        return digamma(x) - log(x) + 0.5 / x
    series = 0.0
    for c in reversed(_DIGAMMA):
        series = (series + c) / x / x
    return series


def log_gamma_ratio(x: float, step: float) -> float:
    """log Gamma(x + step) - log Gamma(x), both arguments above 0."""
    y = x + step
    if min(x, y) < LARGE:
        return lgamma(y) - lgamma(x)
    grown = (y - 0.5) * log1p(step / x) - step if abs(step) < x else (y - 0.5) * log(y / x) - step
    return step * log(x) + grown + stirling_remainder(y) - stirling_remainder(x)


def digamma_step(x: float, step: float) -> float:
    """psi(x + step) - psi(x), both arguments above 0."""
    y = x + step
    if min(x, y) < LARGE:
        return digamma(y) - digamma(x)
    return log1p(step / x) + 0.5 * step / x / y + digamma_remainder(y) - digamma_remainder(x)


def log_gamma_half_step(x: float) -> float:
    """log Gamma(x + 1/2) - log Gamma(x) - log(x)/2: about -1/(8 x)."""
    if x < LARGE:
        return lgamma(x + 0.5) - lgamma(x) - 0.5 * log(x)
    return stirling_remainder(x + 0.5) - stirling_remainder(x) - x * excess(0.5 / x)


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


def log_beta(a: float, b: float) -> float:
    """log of the beta function of a and b, each > 0."""
    low, high = sorted((a, b))
    return lgamma(low) - log_gamma_ratio(high, low)


def minus_plogp(p: float) -> float:
    """-p log p, 0 where p = 0."""
    return -p * log(p) if p > 0 else 0.0


def coin_entropy(p: float) -> float:
    """The entropy of two outcomes of masses p and 1 - p."""
    return minus_plogp(p) - ((1 - p) * log1p(-p) if p < 1 else 0.0)


def gamma_entropy(shape: float) -> float:
    """The entropy of a gamma distribution of rate 1: shape + log Gamma(shape) + (1 - shape) psi(shape)."""
    if shape < LARGE:
        return shape + lgamma(shape) + (1 - shape) * digamma(shape)
    remainder = stirling_remainder(shape) + (1 - shape) * digamma_remainder(shape)
    return 0.5 * (LOG_2_PI + 1 + log(shape)) - 0.5 / shape + remainder


def dirichlet_entropy(alpha: tuple[float, ...]) -> float:
    """The entropy of a Dirichlet distribution; with two parameters, of a beta distribution.

    It is that of independent gamma variables less that of their sum, which is independent of the shares.
    """
    whole = sum(alpha)
    return sum(map(gamma_entropy, alpha)) - gamma_entropy(whole) - (len(alpha) - 1) * digamma(whole)


def dirichlet_kl(p: tuple[float, ...], q: tuple[float, ...]) -> float:
    """KL between Dirichlet distributions of as many parameters; with two, between beta distributions."""
    from fractions import Fraction

    exact = [(Fraction(a), Fraction(b)) for a, b in zip(p, q, strict=True)]
    whole = sum(a for a, _ in exact), sum(b for _, b in exact)
    means = sum(float(b) * fraction_excess(a * whole[1] / (whole[0] * b)) for a, b in exact)
    each, of_sum = (
        sum(bregman_gamma_entropy(float(a), float(b), float(b - a)) for a, b in some) for some in (exact, [whole])
    )
    return means + each - of_sum


def extreme_value_kl(ratio: float, step: float, c: float) -> float:
    """KL between Weibull or Gumbel laws, ratio = k_q/k_p, step = ratio - 1 and c = k_q log(scale_p/scale_q).

    The usual e^c Gamma(1 + r) - 1 - c - log r - gamma (1 - r) is (e^w - 1 - w) plus log Gamma's Bregman divergence from
    1 to r, with w = c + log Gamma(1 + r).
    """
    if ratio < 0.25:  # noqa: PLR2004 - as far as the series about 1 goes
        raised = bregman_log_gamma(1.0, 1 + ratio, ratio) - np.euler_gamma * ratio
    elif abs(step) < 0.25:  # noqa: PLR2004
        raised = log1p(step) + bregman_log_gamma(1.0, ratio, step) - np.euler_gamma * step
    else:
        raised = lgamma(1 + ratio)
    return exp_excess(c + raised) + bregman_log_gamma(1.0, ratio, step)


def renyi_of_ratio(log_r: float, rest: float) -> float:
    """log(1 + b (r - 1))/b - log r, b = 1 - alpha, given log r: what the Renyi divergence of two rates is, >= 0.

    inf where 1 + b (r - 1) <= 0: the integral diverges.
    """
    if rest == 1:  # order 0, where all of Q's mass is P's too
        return 0.0
    u = bounded_expm1(log_r)
    if rest > 0 and u == inf:
        return (log(rest) + log_r) / rest - log_r
    if 1 + rest * u <= 0:
        return inf
    return renyi_bend(u, rest, excess) if abs(u) < NEAR else log1p(rest * u) / rest - log_r


def renyi_bend(u: float, b: float, bend: Callable[[float], float]) -> float:
    """bend(u) - bend(b u)/b, the Renyi divergence's difference; 0 at order 0, where b = 1. bend(0) = bend'(0) = 0."""
    return bend(u) - (bend(b * u) / b if b else 0.0)


def renyi_of_normals(log_ratios: Sequence[float], means: Sequence[float], alpha: float, rest: float) -> float:
    """The Renyi divergence from P to a standard normal distribution, given logs of P's variances and P's means."""
    whole = 0.0
    for log_r, z in zip(log_ratios, means, strict=True):
        of_variances = renyi_of_ratio(log_r, rest)
        if of_variances == inf:
            return inf
        whole += of_variances + (alpha * z * (z / (1 + rest * bounded_expm1(log_r))) if alpha else 0.0)
    return whole / 2

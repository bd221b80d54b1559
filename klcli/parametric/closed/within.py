"""One family: entropies, and divergences of two of its members, with their sources. All in nats."""

from __future__ import annotations

from math import erf, inf, lgamma, log, log1p
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.parametric.closed.differences import (
    LOG_2_PI,
    NEAR,
    ROOT_2,
    bregman_log_gamma,
    digamma,
    excess,
    exp_excess,
    log_beta,
    log_ratio,
    ratio_excess,
    term,
    two_outcomes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.model import Array

    Parameters = Mapping[str, Any]


class Closed(NamedTuple):
    """A formula of the parameters, and where it stands. It gives None for parameters that it does not hold for."""

    formula: Callable[..., float | None]
    source: str


# ------------------------------------------------------------------------------------------------------------ entropies


def _minus_plogp(p: float) -> float:
    return -p * log(p) if p > 0 else 0.0


def _coin(p: float) -> float:
    return _minus_plogp(p) - ((1 - p) * log1p(-p) if p < 1 else 0.0)


def _gamma_entropy(shape: float, rate: float) -> float:
    return shape - log(rate) + lgamma(shape) + (1 - shape) * digamma(shape)


def _dirichlet_entropy(alpha: tuple[float, ...]) -> float:
    whole = sum(alpha)
    rest = sum((a - 1) * digamma(a) for a in alpha)
    return log_beta(*alpha) + (whole - len(alpha)) * digamma(whole) - rest


def _student_entropy(df: float, mu: float, scale: float) -> float:  # noqa: ARG001
    half = (df + 1) / 2
    return half * (digamma(half) - digamma(df / 2)) + 0.5 * log(df) + log_beta(df / 2, 0.5) + log(scale)


def _normals_entropy(mean: Array, cov: Array) -> float:
    factor = np.linalg.cholesky(np.asarray(cov, dtype=np.float64))
    return len(mean) * 0.5 * (1 + LOG_2_PI) + float(np.log(np.diag(factor)).sum())


_COVER = "Cover & Thomas 2006, table 17.1"

_LAZO = "Lazo & Rathie 1978"

ENTROPIES: Mapping[str, Closed] = {
    "normal": Closed(lambda mu, sd: log(sd) + 0.5 * (1 + LOG_2_PI), _COVER),  # noqa: ARG005
    "lognormal": Closed(lambda mu, sd: mu + log(sd) + 0.5 * (1 + LOG_2_PI), _COVER),
    "exponential": Closed(lambda rate: 1 - log(rate), _COVER),
    "gamma": Closed(_gamma_entropy, _COVER),
    "beta": Closed(lambda a, b: _dirichlet_entropy((a, b)), _COVER),
    "weibull": Closed(lambda shape, scale: np.euler_gamma * (1 - 1 / shape) + log(scale) - log(shape) + 1, _COVER),
    "laplace": Closed(lambda mu, scale: 1 + log(2 * scale), _COVER),  # noqa: ARG005
    "student_t": Closed(_student_entropy, _COVER),
    "uniform": Closed(lambda low, high: log(high - low), _COVER),
    "logistic": Closed(lambda mu, scale: log(scale) + 2, _COVER),  # noqa: ARG005
    "gumbel": Closed(lambda mu, scale: log(scale) + np.euler_gamma + 1, _LAZO),  # noqa: ARG005
    "geometric": Closed(lambda p: _coin(p) / p, "Cover & Thomas 2006, problem 2.1"),
    "bernoulli": Closed(_coin, "Cover & Thomas 2006, 2.1"),
    "categorical": Closed(lambda p: sum(map(_minus_plogp, p)), "Cover & Thomas 2006, 2.1"),
    "multivariate_normal": Closed(_normals_entropy, "Cover & Thomas 2006, theorem 8.4.1"),
    "dirichlet": Closed(lambda alpha: _dirichlet_entropy(tuple(alpha)), "Ebrahimi, Soofi & Zhao 2011"),
}
"""Differential entropy of continuous families, entropy of discrete ones: a function of the parameters by name."""

# ------------------------------------------------------------------------------------ Kullback and Leibler's divergence


def _normal(p: Parameters, q: Parameters) -> float:
    z = (p["mu"] - q["mu"]) / q["sd"]
    u, ratio = (p["sd"] - q["sd"]) / q["sd"], p["sd"] / q["sd"]
    spread = excess(u * (2 + u)) if abs(u) < NEAR else ratio * ratio - 1 - 2 * log_ratio(p["sd"], q["sd"])
    return float(0.5 * (spread + z * z))


def _exponential(p: Parameters, q: Parameters) -> float:
    return ratio_excess(q["rate"], p["rate"])


def _gamma(p: Parameters, q: Parameters) -> float:
    step, u = q["shape"] - p["shape"], (q["rate"] - p["rate"]) / p["rate"]
    return float(
        max(0.0, bregman_log_gamma(p["shape"], step) + q["shape"] * ratio_excess(q["rate"], p["rate"]) - step * u)
    )


def _dirichlet(p: Parameters, q: Parameters) -> float | None:
    a, b = p["alpha"], q["alpha"]
    if len(a) != len(b):
        return None
    each = [bregman_log_gamma(x, y - x) for x, y in zip(a, b, strict=True)]
    whole = sum(y - x for x, y in zip(a, b, strict=True))
    return max(0.0, sum(each) - bregman_log_gamma(sum(a), whole))


def _beta(p: Parameters, q: Parameters) -> float | None:
    return _dirichlet({"alpha": (p["a"], p["b"])}, {"alpha": (q["a"], q["b"])})


def _extreme(step: float, c: float) -> float:
    """Of Weibull and Gumbel laws, step = k_q/k_p - 1 and c = k_q log(scale_p/scale_q).

    The usual e^c Gamma(1 + r) - 1 - c - log r - gamma (1 - r), r = 1 + step, is (e^w - 1 - w) plus log Gamma's Bregman
    divergence from 1 to r, with w = c + log Gamma(1 + r).
    """
    curved = bregman_log_gamma(1.0, step)
    return exp_excess(c + log1p(step) - np.euler_gamma * step + curved) + curved


def _weibull(p: Parameters, q: Parameters) -> float:
    step = (q["shape"] - p["shape"]) / p["shape"]
    return _extreme(step, q["shape"] * log_ratio(p["scale"], q["scale"]))


def _gumbel(p: Parameters, q: Parameters) -> float:
    return _extreme((p["scale"] - q["scale"]) / q["scale"], (q["mu"] - p["mu"]) / q["scale"])


def _laplace(p: Parameters, q: Parameters) -> float:
    ratio = p["scale"] / q["scale"]
    apart = abs(p["mu"] - q["mu"]) / p["scale"]
    return float(ratio_excess(p["scale"], q["scale"]) + ratio * exp_excess(-apart))


def _uniform(p: Parameters, q: Parameters) -> float:
    if p["low"] < q["low"] or p["high"] > q["high"]:
        return inf
    return log1p(((p["low"] - q["low"]) + (q["high"] - p["high"])) / (p["high"] - p["low"]))


def _poisson(p: Parameters, q: Parameters) -> float:
    return float(p["rate"] * ratio_excess(q["rate"], p["rate"]))


def _binomial(p: Parameters, q: Parameters) -> float | None:
    if p["n"] == q["n"]:
        return float(p["n"] * two_outcomes(p["p"], q["p"]))
    if p["n"] < q["n"] or p["p"] == 0:
        return None
    return inf


def _negative_binomial(p: Parameters, q: Parameters) -> float | None:
    return p["r"] / p["p"] * two_outcomes(p["p"], q["p"]) if p["r"] == q["r"] else None


def _categorical(p: Parameters, q: Parameters) -> float:
    length = max(len(p["p"]), len(q["p"]))
    a, b = (tuple(one["p"]) + (0.0,) * (length - len(one["p"])) for one in (p, q))
    return sum(term(x, y, y - x) for x, y in zip(a, b, strict=True))


def _whitened(p: Parameters, q: Parameters) -> tuple[list[float], list[float]] | None:
    """The eigenvalues of P's covariance less 1, and P's mean, in coordinates where Q is standard and P's axes are."""
    mean_p, mean_q, cov_p, cov_q = (np.asarray(v, float) for v in (p["mean"], q["mean"], p["cov"], q["cov"]))
    if len(mean_p) != len(mean_q):
        return None
    factor = np.linalg.cholesky(cov_q)
    half = np.linalg.solve(factor, cov_p - cov_q)
    u, axes = np.linalg.eigh(np.linalg.solve(factor, half.T))
    return u.tolist(), (axes.T @ np.linalg.solve(factor, mean_p - mean_q)).tolist()


def _normals(p: Parameters, q: Parameters) -> float | None:
    found = _whitened(p, q)
    return None if found is None else 0.5 * sum(excess(u) + z * z for u, z in zip(*found, strict=True))


_GIL = "Gil, Alajaji & Linder 2013, table 2"

_BAUCKHAGE = "Bauckhage 2013, arXiv:1310.3713"

WITHIN: Mapping[str, Closed] = {
    "normal": Closed(_normal, _GIL),
    "lognormal": Closed(_normal, _GIL),
    "exponential": Closed(_exponential, _GIL),
    "gamma": Closed(_gamma, _GIL),
    "beta": Closed(_beta, _GIL),
    "weibull": Closed(_weibull, _BAUCKHAGE),
    "laplace": Closed(_laplace, _GIL),
    "uniform": Closed(_uniform, _GIL),
    "gumbel": Closed(_gumbel, _GIL),
    "poisson": Closed(_poisson, "Bregman divergence of the log-partition: Banerjee et al. 2005, table 1"),
    "binomial": Closed(_binomial, "n coins: the chain rule, Cover & Thomas 2006, theorem 2.5.3"),
    "geometric": Closed(lambda p, q: two_outcomes(p["p"], q["p"]) / p["p"], "Wald's identity: 1/p coins"),
    "negative_binomial": Closed(_negative_binomial, "Wald's identity: r/p coins"),
    "bernoulli": Closed(lambda p, q: two_outcomes(p["p"], q["p"]), "Cover & Thomas 2006, 2.3"),
    "categorical": Closed(_categorical, "Cover & Thomas 2006, 2.3"),
    "multivariate_normal": Closed(_normals, _GIL),
    "dirichlet": Closed(_dirichlet, _GIL),
}

# ---------------------------------------------------------------------------------- Renyi's divergence, total variation


def _bent(u: float, b: float, bend: Callable[[float], float]) -> float:
    """bend(u) - bend(b u)/b, the Renyi divergence's difference; 0 at order 0, where b = 1. bend(0) = bend'(0) = 0."""
    return bend(u) - (bend(b * u) / b if b else 0.0)


def _renyi_axes(axes: tuple[list[float], list[float]], alpha: float) -> float:
    b, whole = 1 - alpha, 0.0
    for u, z in zip(*axes, strict=True):
        if 1 + b * u <= 0:
            return inf
        whole += _bent(u, b, excess) + alpha * z * z / (1 + b * u)
    return whole / 2


def _renyi_normal(p: Parameters, q: Parameters, alpha: float) -> float:
    u, z = (p["sd"] - q["sd"]) / q["sd"], (p["mu"] - q["mu"]) / q["sd"]
    return _renyi_axes(([u * (2 + u)], [z]), alpha)


def _renyi_normals(p: Parameters, q: Parameters, alpha: float) -> float | None:
    axes = _whitened(p, q)
    return None if axes is None else _renyi_axes(axes, alpha)


def _renyi_exponential(p: Parameters, q: Parameters, alpha: float) -> float:
    u, b = (q["rate"] - p["rate"]) / p["rate"], 1 - alpha
    return inf if 1 + b * u <= 0 else _bent(u, b, excess)


def _renyi_poisson(p: Parameters, q: Parameters, alpha: float) -> float:
    return float(p["rate"] * _bent(log_ratio(q["rate"], p["rate"]), 1 - alpha, exp_excess))


RENYI: Mapping[str, Closed] = {
    "normal": Closed(_renyi_normal, _GIL),
    "lognormal": Closed(_renyi_normal, _GIL),
    "exponential": Closed(_renyi_exponential, _GIL),
    "multivariate_normal": Closed(_renyi_normals, _GIL),
    "poisson": Closed(_renyi_poisson, "van Erven & Harremoes 2014, by the log-partition"),
}
"""Of two of a family, at finite orders: a function of P's and Q's parameters and the order.

At order 1/2 it is twice the Bhattacharyya distance, at order 2 log(1 + chi2).
"""


def _overlap_normal(p: Parameters, q: Parameters) -> float | None:
    return erf(abs(p["mu"] - q["mu"]) / (2 * ROOT_2 * p["sd"])) if p["sd"] == q["sd"] else None


TOTAL_VARIATION: Mapping[str, Closed] = {
    "normal": Closed(_overlap_normal, "2 Phi(d/2) - 1: Devroye, Mehrabian & Reddad 2018"),
    "lognormal": Closed(_overlap_normal, "2 Phi(d/2) - 1: Devroye, Mehrabian & Reddad 2018"),
}
"""Of two of a family."""

"""Means over samples of the laws, each with its standard error."""

from __future__ import annotations

from math import inf, isfinite, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.numeric.integrands import Integral, log_ratio
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.engine.arrays import Array
    from klcli.families.law import Law


class Sampling(NamedTuple):
    """How many draws of each law, and the seed that they are reproduced by."""

    n: int
    seed: int


class Draws(NamedTuple):
    """log p and log q at draws of P (at_p) and of Q (at_q)."""

    p_at_p: Array
    q_at_p: Array
    p_at_q: Array
    q_at_q: Array


def draw(p: Law, q: Law | None, sampling: Sampling) -> Draws:
    """Log densities at draws of both laws."""
    generator = np.random.default_rng(sampling.seed)
    x = p.sample(sampling.n, generator)
    p_at_p = p.log_density(x)
    if q is None:
        return Draws(p_at_p, p_at_p, p_at_p, p_at_p)
    y = q.sample(sampling.n, generator)
    return Draws(p_at_p, q.log_density(x), p.log_density(y), q.log_density(y))


def mean(*values: Array) -> Integral:
    """The mean of each array of independent draws, added up, with its standard error."""
    with np.errstate(invalid="ignore"):
        whole = sum(float(v.mean()) for v in values)
        variance = sum(float(v.var(ddof=1)) / len(v) if len(v) > 1 else inf for v in values)
    return Integral(whole, sqrt(variance) if isfinite(variance) and isfinite(whole) else inf)


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _unlike(d: Array) -> Array:
    """1 - 1/cosh(d/2): (sqrt p - sqrt q)^2/(p + q)."""
    e = np.exp(-np.abs(d) / 2)
    value: Array = (1 - e) ** 2 / (1 + e * e)
    return value


def _log_mean(logs: Array, c: float) -> Integral:
    peak = float(logs.max())
    if not isfinite(peak):
        return Integral(inf, inf)
    found = mean(np.exp(logs - peak))
    return Integral((peak + log(found.value)) / c, found.error / found.value / abs(c))


def sampled(name: str, draws: Draws, alpha: float) -> Integral:
    """One measure's estimate, from draws; `renyi`: log of the mean of (p/q)^(alpha-1), over alpha - 1."""
    at_p = log_ratio(draws.p_at_p, draws.q_at_p)
    at_q = log_ratio(draws.p_at_q, draws.q_at_q)
    with np.errstate(over="ignore"):
        made: Mapping[str, Callable[[], Integral]] = {
            "entropy_p": lambda: mean(-draws.p_at_p),
            "entropy_q": lambda: mean(-draws.q_at_q),
            "cross_pq": lambda: mean(-draws.q_at_p),
            "cross_qp": lambda: mean(-draws.p_at_q),
            "kl_pq": lambda: mean(at_p),
            "kl_qp": lambda: mean(-at_q),
            "jeffreys": lambda: mean(at_p, -at_q),
            "js": lambda: mean((log(2) - _softplus(-at_p)) / 2, (log(2) - _softplus(at_q)) / 2),
            "tv": lambda: mean(-np.expm1(-np.maximum(at_p, 0)) / 2, -np.expm1(np.minimum(at_q, 0)) / 2),
            "hellinger2": lambda: mean(*(_unlike(d) / 2 for d in (at_p, at_q))),
            "chi2": lambda: mean(np.expm1(at_p)),
            "renyi": lambda: _log_mean((alpha - 1) * at_p, alpha - 1),
        }
        return made[name]()

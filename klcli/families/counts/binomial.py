"""The binomial distribution. Source: Johnson, Kemp & Kotz 3."""

from __future__ import annotations

from math import log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import two_outcomes
from klcli.families.family import Counts, P, scipy, whole_span, wide_tail
from klcli.families.formula import Grid, Parameter
from klcli.families.likelihood.ascent import LikelihoodEstimate, errors_of_two
from klcli.families.special import log_binomial, whole, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.families.family import Array, Frozen, SortedSample

_MANY = 1e4
"""How often the greatest value n may be: there it is within 1e-8 nats of a Poisson."""

_WINDOW = 24
"""Whole numbers looked at on either side of n."""


class Binomial(Counts):
    """binomial(n, p)."""

    parameters = (Parameter("n", low=1, closed=(True, False), shape="whole"), P)
    n: float
    p: float

    @property
    def support(self) -> tuple[float, float]:
        return (self.n if self.p == 1 else 0.0, 0.0 if self.p == 0 else self.n)

    def log_density(self, x: Array) -> Array:
        """log of n over k, + k log p + (n - k) log(1 - p)."""
        inside = whole(x, self.n)
        held = np.where(inside, x, 0.0)
        return within(inside, log_binomial(held, self.n - held, self.p))

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.binomial(int(self.n), self.p, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).binom(int(self.n), self.p)

    def span(self) -> tuple[float, float]:
        mean = self.n * self.p
        return whole_span(mean, wide_tail(mean * (1 - self.p)), self.n)

    def grid(self) -> Grid:
        return Grid(0, self.n + 1, 1)

    def kl(self, q: Binomial) -> float | None:
        """n coins, where n is the same. Source: the chain rule, Cover & Thomas 2006, theorem 2.5.3."""
        return self.n * two_outcomes(self.p, q.p) if self.n == q.n else None

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """Over the whole numbers n from the greatest value on, for p = mean/n; their likelihood has one top.

        It runs off to infinity, towards a Poisson, where the variance is not below the mean.
        """
        special = scipy("special", "fit")
        least = float(data.x[-1])
        most = _MANY * least

        def likelihood(n: float) -> float:
            p = data.mean / n
            ways = float(special.gammaln(n + 1)) - data.mean_of(special.gammaln(n - data.x + 1))
            return ways + data.mean * log(p) + ((n - data.mean) * log1p(-p) if p < 1 else 0.0)

        n = most if data.variance >= data.mean else _whole_top(likelihood, least, most)
        p, value = data.mean / n, likelihood(n) - data.mean_log_factorial
        found = LikelihoodEstimate({"n": n, "p": p}, {"n": nan, "p": nan}, value)
        if n == most:
            return found._replace(remarks=(f"n at a bound, {n:g}: as of a poisson",))
        nn = data.mean_of(special.polygamma(1, n - data.x + 1)) - float(special.polygamma(1, n + 1))
        n_error = errors_of_two(nn, 1 / (1 - p), n / (p * (1 - p)), data.n)[0] if p < 1 else nan
        if n == least or not n_error > _WINDOW / 6:
            n_error = _whole_error(likelihood, n, least, data.n)
        p_error = sqrt(p * (1 - p) / (data.n * n) + (p / n * n_error) ** 2)
        remarks = ("n at a bound, the greatest value",) if n == least else ()
        return found._replace(errors={"n": n_error, "p": p_error}, remarks=remarks)


def _whole_error(likelihood: Callable[[float], float], n: float, least: float, values: float) -> float:
    """How far a whole number may be from n, its top: the root mean square over those near, weighed by likelihood.

    The observed information takes n for any number, and is wrong where its error is not well above 1.
    """
    near = np.arange(max(least, n - _WINDOW), n + _WINDOW + 1)
    logs = values * (np.array([likelihood(m) for m in near.tolist()]) - likelihood(n))
    weights = np.exp(np.minimum(logs, 0.0))
    return float(np.sqrt(weights @ np.square(near - n) / weights.sum()))


def _whole_top(f: Callable[[float], float], low: float, high: float) -> float:
    """The whole number in [low, high] where f, which has one top, is greatest."""
    step, at = 1.0, low
    while at + step < high and f(at + step) > f(at):
        at, step = at + step, 2 * step
    left, right = max(low, at - step), min(high, at + step)
    while right - left > 2:  # noqa: PLR2004
        first = left + (right - left) // 3
        second = right - (right - left) // 3
        if f(first) < f(second):
            left = first
        else:
            right = second
    return max((left, min(left + 1, right), right), key=f)

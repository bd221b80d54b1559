"""The moments that log densities are made of: what a family tells of itself, for the cross-entropies of others."""

from __future__ import annotations

from math import erf, exp, inf, log, nan
from typing import TYPE_CHECKING, Protocol

from klcli.families.differences import ROOT_2, log_ratio
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.engine.arrays import Array


class Averages(Protocol):
    """A distribution of which means can be taken, whatever it is."""

    def expectation(self, of: Callable[[Array], Array]) -> float:
        """The mean of a function."""

    def middle(self) -> tuple[float, float]:
        """The median, and the mean distance from it."""

    def intervals(self) -> Sequence[tuple[float, float]]:
        """Intervals that hold all mass."""


class Moments(NamedTuple):
    """What log densities are made of, in the mean. A moment that has no closed form is None.

    log_power(k): log E x^k. absolute(m): E abs(x - m). log_exponential(c): log E e^(-c x), c > 0.
    log, log_variance: of log x. log_rest: E log(1 - x).
    """

    mean: float
    variance: float
    absolute: Callable[[float], float] | None = None
    log_exponential: Callable[[float], float] | None = None
    log: float = nan
    log_variance: float = nan
    log_rest: float = nan
    log_power: Callable[[float], float] | None = None


class SumOfTerms(NamedTuple):
    """A sum, and the size of what was added up to it, whose roundings it carries."""

    value: float
    size: float


def added(*terms: float, beside: float = 0.0) -> SumOfTerms:
    """The sum of the terms. beside: the size of what was added up within them."""
    return SumOfTerms(sum(terms), sum(map(abs, terms)) + beside)


def bounded_exp(x: float) -> float:
    """e^x, inf where it overflows."""
    return exp(x) if x < 709.7 else inf  # noqa: PLR2004 - log of the largest double


def absolute_moment(
    mean: float, below: Callable[[float], float], part: Callable[[float], float]
) -> Callable[[float], float]:
    """E abs(x - m), x >= 0, from P(x <= m) and the share of the mean that x <= m has."""
    return lambda m: mean - m if m <= 0 else m * (2 * below(m) - 1) + mean * (1 - 2 * part(m))


def phi(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * (1 + erf(z / ROOT_2))


def mean_log(low: float, high: float) -> float:
    """E log x of x uniform between two numbers, low >= 0."""
    return log(high) - 1 + (low * log_ratio(high, low) / (high - low) if low > 0 else 0.0)


def given(value: Callable[[float], float] | None, at: float) -> float:
    """A moment at a number, nan where there is none."""
    return nan if value is None else value(at)

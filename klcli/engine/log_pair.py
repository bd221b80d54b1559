"""Pairs that are given by logarithms: logits or log-probabilities, which are not exponentiated where that loses them.

With z_p and z_q, each with 0 as its largest, log p = z_p - log sum exp(z_p) is finite wherever the logit is. Then the
difference z_q - z_p is moved so that it is 0 at the largest outcome of p: t. log(q/p) = t - log(1 + sum p (e^t - 1)),
where nothing cancels however close p and q are. p - q and (p - q)/(p + q) follow from it, and from them all measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.arrays import total, two_product
from klcli.engine.terms import EVERYTHING, Far, Terms
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.terms import Where

_LEAST = 1e-307
"""Below this a share may have lost digits, or underflowed; its logarithm has not."""

_LEAST_DOUBLE = 5e-324
"""What stands for an underflowed share where the other side has no mass at all: by it a divergence is infinite."""

_LOST = 2.0**-8
"""Below this sum of |p - q|, times the span of the logarithms, those of weights must be better than doubles."""


class LogWeights(NamedTuple):
    """n distributions by the logarithms of their weights. values: (K, n), finite or -inf, no column all -inf.

    temperature: what the values are divided by. of_weights: the values are weights themselves, finite, >= 0, whose
    logarithms are to be taken.
    """

    values: Array
    temperature: float = 1.0
    of_weights: bool = False

    def take(self, columns: npt.NDArray[np.intp]) -> LogWeights:
        """The distributions listed; a single one, (K, 1), stands for all."""
        at = columns if self.values.shape[1] > 1 else np.zeros_like(columns)
        return self._replace(values=self.values.take(at, axis=1))

    def span(self) -> Array:
        """How far the least logarithm that is finite lies below the largest, (n,)."""
        if self.of_weights:
            least = np.where(self.values > 0, self.values, np.inf).min(axis=0)
            return np.asarray(np.log(self.values.max(axis=0)) - np.log(least))
        least = self.values.min(axis=0)
        if np.isneginf(least).any():
            least = np.where(np.isneginf(self.values), np.inf, self.values).min(axis=0)
        return np.asarray((self.values.max(axis=0) - least) / self.temperature)

    def parts(self, *, exactly: bool = False) -> tuple[Array, Array]:
        """The logarithms as sums of two doubles, the largest of each distribution 0. Returns (K, n) twice.

        exactly: whether the logarithms of weights are to have more digits than a double; 5 us a weight.
        """
        high, low = self.values, np.zeros_like(self.values)
        if self.of_weights and exactly:
            from decimal import Context, Decimal

            logs = [Context(prec=40).ln(Decimal(w)) for w in high.ravel().tolist()]
            high = np.array([float(x) for x in logs]).reshape(low.shape)
            low = np.array(
                [float(x - Decimal(h)) if h > -np.inf else 0.0 for x, h in zip(logs, high.flat, strict=True)]
            )
            low = low.reshape(high.shape)
        elif self.of_weights:
            return np.log(high / high.max(axis=0)), low
        at = high.argmax(axis=0)[np.newaxis]
        top = np.take_along_axis(high, at, axis=0), np.take_along_axis(low, at, axis=0)
        high, low = _less(high, low, *top)
        if self.temperature != 1:
            quotient = high / self.temperature
            product, rest = two_product(quotient, np.array([self.temperature]))
            low = _finite((high - product - rest + low) / self.temperature)
            high = quotient
        return high, low


def _less(high: Array, low: Array, other_high: Array, other_low: Array) -> tuple[Array, Array]:
    """The difference of sums of two doubles. Source: Knuth 1969, the exact sum of two doubles."""
    difference = high - other_high
    part = difference - high
    rest = (high - (difference - part)) - (other_high + part)
    return difference, _finite(rest + (low - other_low))


def _largest(high: Array, low: Array) -> Mask:
    """Where sums of two doubles, the first of them about 0 where it is largest, are largest. (K, n)."""
    sums = high + low
    return np.asarray(sums == sums.max(axis=0))


def _finite(x: Array) -> Array:
    """x, with 0 for what has no value beside an infinity."""
    return np.where(np.isfinite(x), x, 0.0)


class _Shares(NamedTuple):
    """Distributions. p, log_p: (K, n). whole: the logarithm of all weights' sum where the largest is 1, (n,)."""

    p: Array
    log_p: Array
    whole: Array


def _shares(high: Array, low: Array) -> _Shares:
    e = np.exp(high)
    e += e * low
    at = high.argmax(axis=0)[np.newaxis]
    np.put_along_axis(e, at, 0.0, axis=0)
    others = total(e)
    np.put_along_axis(e, at, 1.0, axis=0)
    whole = np.log1p(others)
    p = e / (1 + others)
    return _Shares(p, (high - whole) + low, whole)


class LogPair:
    """n aligned pairs of distributions in logarithms, on the same outcomes. See `RoundedPair`.

    tops: where p and where q are largest, (K, n) each.
    """

    normalize = True

    def __init__(self, p: LogWeights, q: LogWeights, *, exactly: bool = False) -> None:
        with np.errstate(all="ignore"):
            self.outcomes, self.columns = p.values.shape
            of_p, of_q = p.parts(exactly=exactly), q.parts(exactly=exactly)
            self.tops = _largest(*of_p), _largest(*of_q)
            self._p, self._q = _shares(*of_p), _shares(*of_q)
            self._log_ratio = -self._log_quotient(of_p, of_q)
            for side, beyond in ((self._p, np.inf), (self._q, -np.inf)):
                side.p[(side.p == 0) & (self._log_ratio == beyond)] = _LEAST_DOUBLE
            rounded = [side.span() for side in (p, q) if side.of_weights and not exactly]
            self._span = np.maximum.reduce(rounded) if rounded else None

    def _log_quotient(self, of_p: tuple[Array, Array], of_q: tuple[Array, Array]) -> Array:
        """log(q/p), 0 where neither has mass."""
        p, q = self._p, self._q
        difference, low = _less(*of_q, *of_p)
        at = of_p[0].argmax(axis=0)[np.newaxis]
        top, top_low = np.take_along_axis(difference, at, axis=0), np.take_along_axis(low, at, axis=0)
        moved, rest = _less(difference, low, top, top_low)
        moved += rest
        gain = np.where(np.abs(moved) < 1, p.p * np.expm1(moved), np.exp(of_q[0] - top - p.whole) - p.p)
        grown = total(gain)
        near = np.isfinite(top[0]) & (np.abs(grown) < 1 / 2)
        quotient = np.where(near, moved - np.log1p(grown), difference - (q.whole - p.whole) + low)
        return np.where(np.isneginf(of_p[0]) & np.isneginf(of_q[0]), 0.0, quotient)

    def slices(self) -> Iterator[slice]:
        """Every outcome at once."""
        yield EVERYTHING

    def terms(self, where: Where = EVERYTHING) -> _LogTerms:
        """The outcomes chosen: a slice, or a list of indices."""
        sides = [[x[where] for x in (side.p, side.log_p)] for side in (self._p, self._q)]
        return _LogTerms(sides[0], sides[1], self._log_ratio[where])

    def summands(self, where: Where) -> Terms:
        """The terms at some outcomes, each of which is accurate by itself."""
        return self.terms(where)

    def greatest_mean(self, weight: float, other: float) -> Array:
        """The logarithm of the largest p^weight q^other of each pair, (n,), which may be far below any double."""
        with np.errstate(all="ignore"):
            return self.terms().greatest_mean(weight, other)

    def lost(self) -> Mask:
        """Pairs of weights and logarithms that are too close for logarithms of weights in one double. Returns (n,)."""
        if self._span is None:
            return np.zeros(self.columns, dtype=bool)
        with np.errstate(all="ignore"):
            return np.asarray(total(np.abs(self.terms().d)) < _LOST * np.maximum(self._span, 1))


class _LogTerms(Terms):
    """p_side, q_side: shares and their logarithms."""

    def __init__(self, p_side: Sequence[Array], q_side: Sequence[Array], log_ratio: Array) -> None:
        self._sides = p_side, q_side
        (p, self._log_p), (q, self._log_q) = self._sides
        super().__init__(p, q, np.where(np.abs(log_ratio) < 1, -p * np.expm1(-log_ratio), p - q))
        self.log_ratio = log_ratio
        self.s = np.tanh(log_ratio / 2)

    @property
    def log_p(self) -> Array:
        return self._log_p

    @property
    def log_q(self) -> Array:
        return self._log_q

    @property
    def far(self) -> Far | None:
        far = super().far
        if far is not None and far.where is not None:
            far.log_ratio = self.log_ratio.take(far.where)
        return far

    def reversed(self) -> Terms:
        return _LogTerms(*self._sides[::-1], -self.log_ratio)

    def geometric_mean(self, weight: float, other: float) -> Array:
        logs = weight * self.log_p + other * self.log_q
        return np.asarray(np.exp(logs - self.greatest_mean(weight, other)))

    def greatest_mean(self, weight: float, other: float) -> Array:
        greatest = (weight * self.log_p + other * self.log_q).max(axis=0)
        return np.where(np.isfinite(greatest), greatest, 0.0)

    def root_difference(self) -> Array:
        larger = np.maximum(self.log_p, self.log_q)
        return np.asarray(np.sign(self.log_ratio) * np.exp(larger / 2) * -np.expm1(-np.abs(self.log_ratio) / 2))

    def chi2_terms(self) -> Array:
        beyond = np.exp(self.log_p + self.log_ratio) * np.expm1(-self.log_ratio) ** 2
        return np.where((self.q < _LEAST) & (self.log_ratio > 0), beyond, super().chi2_terms())

    def gain(self, c: float) -> Array:
        y = c * self.log_ratio
        gained = np.where(np.abs(y) < 1, self.p * np.expm1(y), np.exp(self.log_p + y) - self.p)
        return np.where(np.isneginf(self.log_p), 0.0, gained)

    def peak(self, c: float) -> Array:
        return np.asarray(np.where(np.isneginf(self.log_p), -np.inf, self.log_p / c + self.log_ratio).max(axis=0))

    def tilted(self, c: float, peak: Array) -> Array:
        return np.asarray(np.where(np.isneginf(self.log_p), 0.0, np.exp(self.log_p + c * (self.log_ratio - peak))))

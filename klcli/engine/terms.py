"""p, q, their difference and their logarithms, none of which has lost digits to cancellation.

With raw weights a, b, totals P, Q and x = a Q/P, the difference d = x - b (here divided by Q, so that it is p - q) and
s = d / (x + b), KL(p, q) is exactly

    sum d s [1 + s (1 + s) B(s^2)],    B(z) = (atanh(sqrt z) - sqrt z) / z^(3/2) = 1/3 + z/5 + z^2/7 + ...

Every term is >= 0, so nothing cancels and the sum is as good as d. Three routes give d: `RoundedPair` in floating
point, with one correction for all roundings at once, down to a KL of about 1e-36; `ExactPair` from integers, always;
`LogPair` from logarithms, for what is given by them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.arrays import log_shares, power_series, rest, share, slices, total, two_product, weighted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy.typing as npt

    from klcli.engine.arrays import Array, Mask

    Where = slice | Sequence[int]
    Indices = npt.NDArray[np.intp]

EVERYTHING = slice(None)

SERIES_LIMIT = 0.125
"""Up to this |s| the power series are used (degree 6 leaves 2e-15); beyond it logarithms lose nothing that matters."""

_ATANH = [1 / (2 * k + 3) for k in range(7)]
_JENSEN_SHANNON = [1 / (k * (2 * k - 1)) for k in range(1, 8)]

# The error of d is up to 1e-30, a rounding of what _SNAP lets through; below this sum of |d| that is too much of it.
_ROUNDED_LIMIT = 1e-16
_SNAP = 2.0**-44

_APART = 1 / 4
"""A sum of |p - q| that makes a pair apart: its KL is above 1/32 then (Pinsker's inequality)."""


class Terms(ABC):
    """Some outcomes of a pair. All arrays (K', n): p and q in [0, 1], d = p - q, s = d / (p + q) in [-1, 1].

    apart: p and q are so far apart as a whole that their logarithms alone make every sum over the outcomes accurate.
    """

    apart = False

    def __init__(self, p: Array, q: Array, d: Array) -> None:
        self.p, self.q, self.d = p, q, d

    @cached_property
    def s(self) -> Array:
        """(p - q) / (p + q), 0 where p = q = 0."""
        return share(self.d, self.p + self.q)

    @cached_property
    def near(self) -> Mask | None:
        """Where p and q are so close that the power series serve; None: everywhere."""
        return None if self._largest <= SERIES_LIMIT**2 else self._squares <= SERIES_LIMIT**2

    @cached_property
    def far(self) -> Far | None:
        """The other outcomes, all of them if the pair is apart; None: there are none."""
        if self.apart:
            return Far(None, self.p, self.q, self.d)
        if self._largest <= SERIES_LIMIT**2:
            return None
        where = np.flatnonzero(self._squares > SERIES_LIMIT**2)
        return Far(where, self.p.take(where), self.q.take(where), self.d.take(where))

    @cached_property
    def _squares(self) -> Array:
        return self.s * self.s

    @cached_property
    def _largest(self) -> float:
        return float(self._squares.max(initial=0.0))

    def _series(self, coefficients: Sequence[float]) -> Array:
        """The power series in s^2, good where near."""
        # Of several pairs no coefficient is left out: what one needs shall not change the digits of another.
        largest = min(self._largest, SERIES_LIMIT**2) if self.p.shape[1] == 1 else SERIES_LIMIT**2
        return power_series(coefficients, self._squares, largest)

    @cached_property
    def atanh_rest(self) -> Array:
        """B(s^2), where atanh(s) = s (1 + s^2 B(s^2))."""
        return self._series(_ATANH)

    @cached_property
    def log_ratio(self) -> Array:
        """log(p/q), in [-inf, inf]; 0 where p = q = 0."""
        return self._joined(lambda: 2 * self.s * (1 + self._squares * self.atanh_rest), lambda far: far.log_ratio)

    @property
    @abstractmethod
    def log_p(self) -> Array:
        """log p, -inf where p = 0."""

    @property
    @abstractmethod
    def log_q(self) -> Array:
        """log q, -inf where q = 0."""

    def kl_terms(self) -> Array:
        """What KL(p, q) is the sum of: p log(p/q) - p + q, >= 0, +inf where p > q = 0."""
        return self._joined(self._kl_series, Far.kl_terms)

    def _kl_series(self) -> Array:
        series = self.s + 1
        series *= self.s
        series *= self.atanh_rest
        series += 1
        series *= self.s
        series *= self.d
        return series

    def jensen_shannon_terms(self, scale: float) -> Array:
        """What JS(p, q) is the sum of, >= 0, times a power of two that keeps it from underflowing."""
        return self._joined(
            lambda: self.d * scale * self.s / 4 * self._series(_JENSEN_SHANNON),
            lambda far: far.jensen_shannon_terms(scale),
        )

    def mixture_terms(self, weight: float, scale: float) -> Array:
        """What w KL(p, m) + (1 - w) KL(q, m) is the sum of, times a scale; m = w p + (1 - w) q, w the weight."""
        other = 1 - weight
        p, q, d = self.p * scale, self.q * scale, self.d * scale
        m = weight * p + other * q
        return weight * Beside(p, m, other * d).kl_terms() + other * Beside(q, m, -weight * d).kl_terms()

    def chi2_terms(self) -> Array:
        """(p - q)^2 / q, +inf where p > q = 0."""
        return np.where(self.d == 0, 0.0, self.d * (self.d / self.q))

    def _joined(self, series: Callable[[], Array], closed: Callable[[Far], Array]) -> Array:
        """The power series where near, the closed form where far."""
        far = self.far
        if far is None:
            return series()
        if far.where is None:
            return closed(far)
        values = series()
        values.put(far.where, closed(far))
        return values

    def geometric_mean(self, weight: float, other: float) -> Array:
        """p^weight q^other over the pair's `greatest_mean`, for weights above 0 that add up to 1."""
        if weight == other:
            return np.asarray(np.sqrt(self.p) * np.sqrt(self.q))
        return np.asarray(self.p**weight * self.q**other)

    def root_difference(self) -> Array:
        """sqrt p - sqrt q, from p - q."""
        roots = np.sqrt(self.p) + np.sqrt(self.q)
        return self.d / np.where(roots == 0, 1.0, roots)

    def gain(self, c: float) -> Array:
        """p [(p/q)^c - 1]."""
        return weighted(self.p, np.expm1(c * self.log_ratio))

    def peak(self, c: float) -> Array:  # noqa: ARG002 - of logarithms it matters
        """What `tilted` divides (p/q)^c by, as log(p/q) of each pair: for c = inf the largest. Returns (n,)."""
        empty = (self.p == 0) & (self.log_ratio == 0)
        return np.asarray(np.where(empty, -np.inf, self.log_ratio).max(axis=0))

    def tilted(self, c: float, peak: Array) -> Array:
        """p (p/q)^c / exp(c peak), which cannot overflow. peak: finite."""
        return weighted(self.p, np.exp(c * (self.log_ratio - peak)))

    def reversed(self) -> Terms:
        """The terms of these outcomes with p and q exchanged."""
        return _Reversed(self)


class Beside(Terms):
    """Some outcomes of which no more is known than p, q and their difference."""

    @property
    def log_p(self) -> Array:
        """The logarithm of p as it is."""
        return np.log(self.p)

    @property
    def log_q(self) -> Array:
        """The logarithm of q as it is."""
        return np.log(self.q)


class Far:
    """Outcomes where p and q are so far apart that logarithms serve. Arrays: those of `Terms`.

    where: their flat indices, and then the arrays are flat too; None: all.
    """

    def __init__(self, where: Indices | None, p: Array, q: Array, d: Array) -> None:
        self.where, self.p, self.q, self.d = where, p, q, d

    @cached_property
    def log_ratio(self) -> Array:
        """log(p/q), in [-inf, inf]; 0 where p = q = 0."""
        ratio = self.p / self.q
        logs: Array = np.log(ratio, out=ratio)
        if not self.p.min(initial=1.0) > 0:
            logs[(self.p == 0) & (self.q == 0)] = 0.0
        return logs

    def kl_terms(self) -> Array:
        """The terms of KL(p||q), p log(p/q) - p + q, each >= 0."""
        values = weighted(self.p, self.log_ratio)
        values -= self.d
        return np.maximum(values, 0.0, out=values)  # of subnormal shares the rounding may be more than the term

    def jensen_shannon_terms(self, scale: float) -> Array:
        """The terms of the Jensen-Shannon divergence, each >= 0, times a scale."""
        p, q = self.p * scale, self.q * scale
        whole = p + q  # twice the middle, half of which the least double has not
        values = _log_part(p, whole)
        values += _log_part(q, whole)
        values /= 2
        return values

    def reversed(self) -> Far:
        """The terms of these outcomes with p and q exchanged."""
        far = Far(self.where, self.q, self.p, -self.d)
        far.log_ratio = -self.log_ratio
        return far


def _log_part(part: Array, whole: Array) -> Array:
    """part log(2 part / whole), 0 where the part is 0 or vanishes beside the whole."""
    quotient = part / whole
    if not quotient.min(initial=1.0) > 0:
        part = np.where(quotient > 0, part, 0.0)
    return weighted(part, np.log(2 * quotient))


class _Reversed(Terms):
    def __init__(self, terms: Terms) -> None:
        super().__init__(terms.q, terms.p, -terms.d)
        self._terms, self.apart = terms, terms.apart

    @cached_property
    def s(self) -> Array:
        return -self._terms.s

    @cached_property
    def far(self) -> Far | None:
        far = self._terms.far
        return None if far is None else far.reversed()

    @cached_property
    def atanh_rest(self) -> Array:
        return self._terms.atanh_rest

    @cached_property
    def log_p(self) -> Array:
        return self._terms.log_q

    @cached_property
    def log_q(self) -> Array:
        return self._terms.log_p

    def geometric_mean(self, weight: float, other: float) -> Array:
        return self._terms.geometric_mean(other, weight)


class _RoundedTerms(Terms):
    def __init__(self, pair: RoundedPair, where: Where, *, apart: bool) -> None:
        q = pair.b[where] * pair.inverse_q
        q += 0.0  # -0.0 becomes 0.0, by which a quotient is +inf
        if apart:
            p = pair.a[where] * pair.inverse_p
            d = p - q
        else:
            difference, scale = pair.difference
            p, d = pair.a[where] * (scale * pair.inverse_q), difference[where] * pair.inverse_q
        super().__init__(p, q, d)
        self._pair, self.apart = pair, apart

    @cached_property
    def log_p(self) -> Array:
        return log_shares(self.p, self._pair.rest_p)

    @cached_property
    def log_q(self) -> Array:
        return log_shares(self.q, self._pair.rest_q)


class RoundedPair:
    """n aligned pairs of ordinary weights (see `is_ordinary`). a, b: (K, n), every column's total above 0.

    With normalize=False the weights are taken as they are, and "p" and "q" mean a and b.
    """

    def __init__(self, a: Array, b: Array, *, normalize: bool = True) -> None:
        self.a, self.b, self.normalize = a, b, normalize
        self.outcomes, self.columns = a.shape
        ones = np.ones(a.shape[1])
        self.total_p, self.total_q = (total(a), total(b)) if normalize else (ones, ones)
        self.inverse_p, self.inverse_q = 1 / self.total_p, 1 / self.total_q
        ratio = self.total_q / self.total_p
        self._ratio = np.where(np.abs(ratio - 1) <= _SNAP, 1.0, ratio)

    @cached_property
    def difference(self) -> tuple[Array, Array]:
        """Q (p - q) = x - b with x = a Q/P, and x/a, both free of the same roundings. Returns (K, n) and (n,)."""
        d = np.empty_like(self.a)
        shift = np.zeros_like(self.total_p)
        for where in self.slices():
            shift += total(self._uncorrected(where, out=d[where]))
        # The exact d sums to zero, so what d sums to is the sum of all roundings: of the totals, of their ratio, of the
        # snap to 1. Spread over x it takes them out, and d is good to 1e-16 of the largest |d| down to |d| of 1e-18.
        drift = shift * self.inverse_p
        if not (self.normalize and drift.any()):
            return d, self._ratio
        for where in self.slices():
            d[where] -= self.a[where] * drift
        return d, self._ratio - drift

    def _uncorrected(self, where: Where, out: Array) -> Array:
        a, b = self.a[where], self.b[where]
        if (self._ratio == 1).all():
            return np.subtract(a, b, out=out)
        high, low = two_product(a, self._ratio)
        high -= b
        return np.add(high, low, out=out)

    @property
    def tops(self) -> tuple[Mask, Mask]:
        """Where p and where q are largest, (K, n) each."""
        return self.a == self.a.max(axis=0), self.b == self.b.max(axis=0)

    def slices(self) -> Iterator[slice]:
        """Runs of outcomes that fit the cache."""
        return slices(*self.a.shape)

    def terms(self, where: Where = EVERYTHING) -> Terms:
        """The outcomes chosen (a slice, or a list of indices), each accurate by itself."""
        if self.apart and not isinstance(where, slice):
            few = self.summands(where)
            if np.abs(few.log_ratio).min(initial=1.0) > SERIES_LIMIT:  # logarithms serve each, not just their sum
                return few
        return _RoundedTerms(self, where, apart=False)

    def summands(self, where: Where) -> Terms:
        """The outcomes chosen, as accurate as their sums over all outcomes need."""
        return _RoundedTerms(self, where, apart=self.apart)

    @cached_property
    def apart(self) -> bool:
        """Whether this is one pair that differs so much that logarithms cost its sums at most five bits."""
        if not (self.normalize and len(self.total_p) == 1):
            return False
        distance = np.zeros(1)
        for where in self.slices():
            d = self.a[where] * self._ratio
            d -= self.b[where]
            distance += total(np.abs(d, out=d))
        return bool((distance * self.inverse_q)[0] > _APART)

    @cached_property
    def rest_p(self) -> Array | None:
        """The mass of p outside its largest outcome, where that is above one half; None where no outcome is.

        None for weights as they are, too.
        """
        return rest(self.a, self.total_p) if self.normalize else None

    @cached_property
    def rest_q(self) -> Array | None:
        """The mass of q outside its largest outcome, as `rest_p` has that of p."""
        return rest(self.b, self.total_q) if self.normalize else None

    def greatest_mean(self, weight: float, other: float) -> Array:  # noqa: ARG002 - only of logarithms they matter
        """A log by which `Terms.geometric_mean` is divided where it could be below any double, (n,); 0 of weights."""
        return np.zeros(self.columns)

    def lost(self) -> Mask:
        """Columns that differ by less than the rounding error of d allows. Returns (n,)."""
        if not self.normalize or self.apart:
            return np.zeros(len(self.total_p), dtype=bool)
        small: Mask = total(np.abs(self.difference[0])) * self.inverse_q < _ROUNDED_LIMIT
        if small.any():
            small &= self._uncorrected(EVERYTHING, out=np.empty_like(self.a)).any(axis=0)
        return small

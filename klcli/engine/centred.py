"""The measures of all pairs among n distributions, from how each of them differs from their centre.

With r the mean of the distributions, d = p - r, x = log(p/r) and e = sqrt p - sqrt r, for the i-th and the j-th

    KL          = KL(i, r) + KL(r, j) - sum d_i x_j
    Hellinger^2 = Hellinger(i, r)^2 + Hellinger(j, r)^2 - sum e_i e_j
    chi2        = sum d_i^2 / p_j + sum d_j^2 / p_j - 2 sum d_i d_j / p_j
    JS          = (KL(i, r) + KL(j, r)) / 2 - KL(m, r)  with m = (p_i + p_j) / 2

so that all pairs are one matrix product, or one logarithm an outcome and pair. The other way to make KL a product, as
the cross-entropy less the entropy, loses its digits where all the distributions are alike. This one keeps them however
alike they are, since d and x have theirs, but for pairs that are nearer to each other than to the centre: these show in
the sizes of what was subtracted, and are for `score` to measure again.

Source: the three-point identity of Bregman divergences, Chen & Teboulle 1993, and for each measure `measures.MEASURES`.
"""

from __future__ import annotations

from functools import cached_property
from math import inf, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.arrays import log_shares, rest, total
from klcli.engine.terms import RoundedPair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy.typing as npt

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.terms import Terms

    Quick = Callable[[slice, slice], tuple[Array, Mask]]
    """rows, columns -> the values of those pairs, and which of them have lost digits."""

_LOST = 1 / 16
"""A result below this part of what it was the difference of has lost four bits."""

_LOST_BY_LOGARITHMS = 1 / 64
"""The same where one logarithm an outcome was added up: their roundings mostly cancel."""

_WORK = 1 << 16
"""Elements in each of the two work arrays where it takes an operation an outcome and pair."""

_RUN = 256
"""Outcomes in one matrix product: more of them, added up one after the other, would gather too many roundings."""

_INDISTINCT = 1e-15
"""Below this sum of |d| its error, of up to 1e-30, is too much of it."""

# Added to every quotient that may be 0, so that 0 log 0 is a number, and 0.
_TINY = 2.0**-1000

_LEAST_POWER, _LARGEST_POWER = 1e-150, 1e150
"""Between these the product of two powers of probabilities has all its digits."""


class Centred:
    """n distributions and their centre. a: (K, n), ordinary weights (see `is_ordinary`), every outcome in one at least.

    p: (K, n), the distributions. centre: (K, 1), their mean. zeros: whether an outcome is missing in some.
    """

    def __init__(self, a: Array) -> None:
        self.outcomes, self.size = a.shape
        self._a, self._totals = a, total(a)
        self.p = a / self._totals
        mean = self.p.mean(axis=1, keepdims=True)
        self.centre: Array = mean / mean.sum()
        self.zeros = not a.min() > 0

    @cached_property
    def _pair(self) -> RoundedPair:
        return RoundedPair(self._a, np.broadcast_to(self.centre, self._a.shape))

    def against_centre(self) -> Iterator[tuple[slice, Terms]]:
        """The terms of each distribution and the centre, some outcomes after the other."""
        for where in self._pair.slices():
            yield where, self._pair.terms(where)

    def to_centre(self) -> Array:
        """KL(p, r), (n,)."""
        return sum((total(terms.kl_terms()) for _, terms in self.against_centre()), start=np.zeros(self.size))

    @cached_property
    def differences(self) -> Array:
        """p - r, (K, n)."""
        return np.concatenate([terms.d for _, terms in self.against_centre()])

    @cached_property
    def logarithms(self) -> Array:
        """log p, 0 where p = 0: (K, n)."""
        logs = log_shares(self.p, rest(self._a, self._totals))
        return self._but_at_zeros(logs)

    def over_p(self, numerator: Array) -> Array:
        """numerator / p, 0 where p = 0: (K, n)."""
        return self._but_at_zeros(numerator / self.p)

    def _but_at_zeros(self, values: Array) -> Array:
        if self.zeros:
            values[self.p == 0] = 0.0
        return values

    def uncovered(self, rows: slice, columns: slice) -> Mask | None:
        """Where p has mass on an outcome that q lacks; None: nowhere."""
        return _dot(self._present, self._absent, rows, columns) > 0 if self.zeros else None

    def indistinct(self, rows: slice, columns: slice) -> Mask | None:
        """Where p and q are so near to the centre that they differ from it by no more than roundings; None: nowhere."""
        near, same = self._at_centre
        if not (near & ~same).any():
            return None
        both: Mask = near[rows, None] & near[columns]
        return both & ~(same[rows, None] & same[columns])

    @cached_property
    def _at_centre(self) -> tuple[Mask, Mask]:
        """Which distributions are as near as that, (n,), and which of them are the centre."""
        distance = total(np.abs(self._pair.difference[0]))
        return distance < _INDISTINCT, (distance == 0) & ~self._pair.lost()

    @cached_property
    def _present(self) -> npt.NDArray[np.float32]:
        return (self.p > 0).astype(np.float32)

    @cached_property
    def _absent(self) -> npt.NDArray[np.float32]:
        return 1 - self._present


def _dot(left: npt.NDArray[np.floating], right: npt.NDArray[np.floating], rows: slice, columns: slice) -> Array:
    """The sums over the outcomes of left[:, i] right[:, j]. left, right: (K, n)."""
    dot: Array = left[:_RUN, rows].T @ right[:_RUN, columns]
    for start in range(_RUN, len(left), _RUN):
        dot += left[start : start + _RUN, rows].T @ right[start : start + _RUN, columns]
    return dot


def _then(finish: Callable[[Array], Array], quick: Quick) -> Quick:
    """A measure whose values are a function of those of `quick`."""

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        value, lost = quick(rows, columns)
        return finish(value), lost

    return block


def _finished(value: Array, lost: Mask, infinite: Mask | None) -> tuple[Array, Mask]:
    if infinite is not None:
        value[infinite] = inf
        lost &= ~infinite
    return value, lost


# ------------------------------------------------------------------------------------------------------ matrix products


def _kl(family: Centred, _: float) -> Quick:
    d, x = np.empty_like(family.p), np.empty_like(family.p)
    to_centre, from_centre, size, spread, reach = np.zeros((5, family.size))
    for where, terms in family.against_centre():
        d[where], x[where], back = terms.d, terms.log_ratio, terms.reversed().kl_terms()
        sizes = back
        if family.zeros:
            # Where q = 0 only pairs with p = 0 are finite, and of any logarithm taken for that of q they are the same.
            absent = terms.p == 0
            x[where][absent] = 0.0
            back, sizes = np.where(absent, -terms.q, back), np.where(absent, terms.q, back)
        to_centre += total(terms.kl_terms())
        from_centre += total(back)
        size += total(sizes)
        spread += total(terms.d * (terms.d / terms.q))
        reach += total(terms.q * x[where] * x[where])
    # What the product adds up is at most this in size, by Cauchy and Schwarz.
    spread, reach = np.sqrt(spread), np.sqrt(reach)

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        value = to_centre[rows, None] + from_centre[columns]
        value -= _dot(d, x, rows, columns)
        sizes = to_centre[rows, None] + size[columns] + spread[rows, None] * reach[columns]
        return _finished(value, ~(value >= _LOST * sizes), family.uncovered(rows, columns))

    return block


def _cross_entropy(family: Centred, _: float) -> Quick:
    information = -family.logarithms + 0.0

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        value = _dot(family.p, information, rows, columns)  # every term >= 0
        return _finished(value, np.zeros(value.shape, dtype=bool), family.uncovered(rows, columns))

    return block


def _squared_hellinger(family: Centred) -> Quick:
    e = family.differences / (np.sqrt(family.p) + np.sqrt(family.centre))
    half = total(e * e) / 2

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        sizes = half[rows, None] + half[columns]
        value = sizes - _dot(e, e, rows, columns)
        return value, ~(value >= 2 * _LOST * sizes)  # the product is at most as large

    return block


def _hellinger(family: Centred, _: float) -> Quick:
    return _then(lambda squared: np.sqrt(np.clip(squared, 0.0, 1.0)), _squared_hellinger(family))


def _bhattacharyya(family: Centred, _: float) -> Quick:
    squared, roots = _squared_hellinger(family), np.sqrt(family.p)

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        missing, lost = squared(rows, columns)
        near = missing < 1 / 2
        affinity = _dot(roots, roots, rows, columns)
        return np.where(near, -np.log1p(-np.where(near, missing, 0.0)), -np.log(affinity)), lost

    return block


def _chi2(family: Centred, _: float) -> Quick:
    # In units of the centre, for the square of a small probability may be below the doubles.
    p, d, r = family.p / family.centre, family.differences / family.centre, family.centre
    weights = family.over_p(r) * r
    whole_squares, squares = p * p, d * d
    products = d * weights
    own = total(d * products)

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        value = _dot(whole_squares, weights, rows, columns) - 1
        lost = ~(value >= _LOST * (value + 1))
        if lost.any():
            sizes = _dot(squares, weights, rows, columns) + own[columns]
            near = sizes - 2 * _dot(d, products, rows, columns)
            np.copyto(value, near, where=lost)
            lost &= ~(near >= 2 * _LOST * sizes)  # twice the product is at most as large
        return _finished(value, lost, family.uncovered(rows, columns))

    return block


def _renyi(family: Centred, alpha: float) -> Quick | None:
    if alpha == 1:
        return _kl(family, alpha)
    if alpha == 2:  # noqa: PLR2004 - the order whose divergence is log(1 + chi2)
        return _then(np.log1p, _chi2(family, alpha))
    if alpha in {0, inf}:
        return None
    left, right = family.p**alpha, family.p ** (1 - alpha)
    if family.zeros:
        right[family.p == 0] = 0.0
    for powers in (left, right):
        if not (powers.max() <= _LARGEST_POWER and powers.min(where=family.p > 0, initial=1.0) >= _LEAST_POWER):
            return None

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        exponent = np.log(_dot(left, right, rows, columns))
        lost = ~(np.abs(exponent) >= _LOST * (1 + alpha))  # of a logarithm near 0; each rounding counts alpha times
        uncovered = family.uncovered(rows, columns) if alpha > 1 else None
        return _finished(exponent / (alpha - 1), lost, uncovered)

    return block


# -------------------------------------------------------------------------------------------------- outcome by outcome


def _pair_by_pair(
    sums: Callable[[int, slice, slice, Array], Array], family: Centred, rows: slice, columns: slice
) -> Array:
    """sums(i, columns, outcomes, work) for every i < j, all outcomes added up; 0 elsewhere. work: (2, ...), to use."""
    run = min(family.outcomes, _RUN)
    step = max(1, _WORK // run)
    work = np.empty((2, run * step))
    value = np.zeros((rows.stop - rows.start, columns.stop - columns.start))
    for i in range(rows.start, rows.stop):
        for start in range(max(i + 1, columns.start), columns.stop, step):
            chosen = slice(start, min(start + step, columns.stop))
            into = value[i - rows.start, start - columns.start : chosen.stop - columns.start]
            for first in range(0, family.outcomes, run):
                outcomes = slice(first, min(first + run, family.outcomes))
                into += sums(i, chosen, outcomes, _shaped(work, outcomes, chosen))
    return value


def _shaped(work: Array, outcomes: slice, columns: slice) -> Array:
    shape = outcomes.stop - outcomes.start, columns.stop - columns.start
    return work[:, : shape[0] * shape[1]].reshape(2, *shape)


def _jensen_shannon(family: Centred, _: float) -> Quick:
    # The middle of two distributions is r w with w the sum of these.
    halves = family.p / (2 * family.centre)
    if family.zeros:
        halves += _TINY
    r, to_centre = family.centre[:, 0], family.to_centre() / 2

    def middle_to_centre(i: int, columns: slice, outcomes: slice, work: Array) -> Array:
        w, logs = work
        np.add(halves[outcomes, columns], halves[outcomes, i, None], out=w)
        w *= np.log(w, out=logs)
        summed: Array = r[outcomes] @ w
        return summed

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        whole = to_centre[rows, None] + to_centre[columns]
        value = whole - _pair_by_pair(middle_to_centre, family, rows, columns)
        return np.minimum(value, log(2)), ~(value >= _LOST_BY_LOGARITHMS * (1 + whole))

    return block


def _total_variation(family: Centred, _: float) -> Quick:
    d = family.differences
    half = total(np.abs(d)) / 2

    def distance(i: int, columns: slice, outcomes: slice, work: Array) -> Array:
        apart = np.subtract(d[outcomes, columns], d[outcomes, i, None], out=work[0])
        return total(np.abs(apart, out=apart))

    def block(rows: slice, columns: slice) -> tuple[Array, Mask]:
        value = _pair_by_pair(distance, family, rows, columns) / 2
        return np.minimum(value, 1.0), ~(value >= _LOST * (half[rows, None] + half[columns]))

    return block


QUICK: Mapping[str, Callable[[Centred, float], Quick | None]] = {
    "kl_pq": _kl,
    "cross_entropy_pq": _cross_entropy,
    "js_divergence": _jensen_shannon,
    "total_variation": _total_variation,
    "hellinger": _hellinger,
    "bhattacharyya": _bhattacharyya,
    "chi2_pq": _chi2,
    "renyi_pq": _renyi,
}
"""What each measure needs of the family, once: (family, alpha) -> the function that serves its pairs, None for none.

Those of outcomes by pair give pairs with i < j only, the others all. The diagonal means nothing.
"""

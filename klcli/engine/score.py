"""A block of n pairs: measured quickly, and again with care where that loses digits.

The quick pass works on blocks that fit the cache, from rounded probabilities and one or two logarithms an outcome. What
it computes is a difference of larger numbers, so it also tells which pairs lost more than four bits: those are few in
ordinary data, and are measured again by `formulas.measure`, the very few it cannot serve from exact integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.engine.arrays import CACHE, is_ordinary, ordinary_columns, total
from klcli.engine.exact import ExactPair
from klcli.engine.formulas import measure
from klcli.engine.terms import RoundedPair

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from klcli.engine.arrays import Array, Mask

    Values = dict[str, Array]

QUICK = frozenset({"entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp", "jeffreys"})
"""The measures the quick pass knows."""

_LOST = 1 / 16
"""A result below this part of what it was the difference of has lost four bits."""

# Added to every probability, so that log 0 is a number and 0 log 0 is 0. The smallest ordinary probability is 2**-520,
# which it does not change; being normal itself it does not slow the logarithm down as a subnormal number would.
_TINY = 2.0**-1000

_SKIPPED, _MOSTLY = 8, 3 / 4
"""Blocks left to the careful pass after one that mostly needed it: their neighbours are probably alike."""

_MOST_OUTCOMES = 1 << 12
"""Beyond this a pair fills the cache by itself, and `measure` cuts it into runs of outcomes."""


class _QuickPass:
    """Work arrays for blocks of at most `columns` pairs: fresh ones would cost a page fault per 4 KiB."""

    def __init__(self, outcomes: int, columns: int, arrays: int) -> None:
        self._arrays = [np.empty(outcomes * columns) for _ in range(arrays)]
        self._outcomes = outcomes

    def load(self, a: Array, b: Array) -> _Block | None:
        """Contiguous copies of a and b, (K, columns); None if not all of it is ordinary."""
        loaded = self._work(0, a.shape[1]), self._work(1, a.shape[1])
        for work, given in zip(loaded, (a, b), strict=True):
            np.copyto(work, given)
        totals = total(loaded[0]), total(loaded[1])
        lows = loaded[0].min(), loaded[1].min()
        if all(is_ordinary(x, low, whole.max()) for x, low, whole in zip(loaded, lows, totals, strict=True)):
            return _Block(*loaded, *totals, *(low == 0 for low in lows))
        return None

    def _work(self, which: int, columns: int) -> Array:
        """A contiguous (K, columns) array over the start of a work array."""
        return self._arrays[which][: self._outcomes * columns].reshape(self._outcomes, columns)

    def kl(self, block: _Block) -> tuple[Values, Mask]:
        """KL(p, q) and where it must be computed again. The block is overwritten."""
        a, b = block.a, block.b
        # Where q alone has zeros, the logarithm of the quotient is infinite by itself.
        uncovered = block.uncovered()[0] if block.zeros_p and block.zeros_q else None
        a *= block.total_q / block.total_p
        if block.zeros_p:
            block.fill_zeros()
        terms = np.divide(a, b, out=b)
        np.log(terms, out=terms)
        terms *= a
        value = total(terms) / block.total_q
        again = value < _LOST
        if uncovered is not None:
            value[uncovered] = np.inf
        return {"kl_pq": value}, again

    def six(self, block: _Block) -> tuple[Values, Mask]:
        """Both entropies, cross-entropies and KL divergences; see `kl`."""
        uncovered = block.uncovered()
        a, b = block.a, block.b
        a *= 1 / block.total_p
        b *= 1 / block.total_q
        block.fill_zeros()
        log_p = np.log(a, out=self._work(2, a.shape[1]))
        log_q = np.log(b, out=self._work(3, a.shape[1]))
        values = {
            "entropy_p": _minus_dot(a, log_p),
            "entropy_q": _minus_dot(b, log_q),
            "cross_entropy_pq": _minus_dot(a, log_q),
            "cross_entropy_qp": _minus_dot(b, log_p),
        }
        again = np.zeros(a.shape[1], dtype=bool)
        for direction, of in (("pq", "p"), ("qp", "q")):
            cross = values[f"cross_entropy_{direction}"]
            value = values[f"kl_{direction}"] = cross - values[f"entropy_{of}"]
            again |= (value < _LOST * cross) | (values[f"entropy_{of}"] < _LOST) | (cross < _LOST)
        for direction, infinite in zip(("pq", "qp"), uncovered, strict=True):
            if infinite is not None:
                values[f"cross_entropy_{direction}"][infinite] = np.inf
                values[f"kl_{direction}"][infinite] = np.inf
        values["jeffreys"] = values["kl_pq"] + values["kl_qp"]
        return values, again


class _Block(NamedTuple):
    """Ordinary weights a, b (K, columns), their totals (columns,), and whether there are zeros among them."""

    a: Array
    b: Array
    total_p: Array
    total_q: Array
    zeros_p: bool
    zeros_q: bool

    def uncovered(self) -> tuple[Mask | None, Mask | None]:
        """Columns with an outcome that has p > 0 = q, and the other way round; None: there are none."""
        absent_p, absent_q = self.a == 0 if self.zeros_p else None, self.b == 0 if self.zeros_q else None
        return _any_but(absent_q, absent_p), _any_but(absent_p, absent_q)

    def fill_zeros(self) -> None:
        """Makes every weight a number with a logarithm."""
        if self.zeros_p:
            np.add(self.a, _TINY, out=self.a)
        if self.zeros_q:
            np.add(self.b, _TINY, out=self.b)


def _any_but(mask: Mask | None, without: Mask | None) -> Mask | None:
    """Columns where the mask has an entry that `without` does not have."""
    if mask is None:
        return None
    left: Mask = mask if without is None else mask > without
    return np.asarray(left.any(axis=0))


def _minus_dot(weight: Array, value: Array) -> Array:
    if len(weight) > 128:  # noqa: PLR2004 - as in `total`: a long sum in one go would gather rounding errors
        return -total(weight * value)
    dot: Array = np.einsum("ij,ij->j", weight, value)
    return np.negative(dot, out=dot)


def score(a: Array, b: Array, names: Sequence[str], *, alpha: float = 2.0, normalize: bool = True) -> Values:
    """The named measures of n pairs, in nats, within 1e-13 relative of exact arithmetic on the weights given.

    a, b: (K, n), finite, >= 0, every column with a total above 0. Returns name -> (n,), >= 0, +inf where an outcome of
    p has no mass in q (weights taken as they are: of any sign).

    Source: NumPy's arithmetic and the identities of `terms`; for each measure see `measures.MEASURES`.
    """
    outcomes, columns = a.shape
    if columns == 1:  # NumPy adds up a single column in another order; a pair's digits shall not depend on its company
        twice = score(np.repeat(a, 2, axis=1), np.repeat(b, 2, axis=1), names, alpha=alpha, normalize=normalize)
        return {name: value[:1] for name, value in twice.items()}
    values = {name: np.empty(columns) for name in names}
    again = np.ones(columns, dtype=bool)
    if normalize and outcomes <= _MOST_OUTCOMES and QUICK.issuperset(names):
        again = _quick(a, b, values)
    _careful(a, b, np.flatnonzero(again), values, alpha=alpha, normalize=normalize)
    return values


def _quick(a: Array, b: Array, values: Values) -> Mask:
    """Fills in `values` block by block. Returns which columns must be measured again."""
    outcomes, columns = a.shape
    again = np.ones(columns, dtype=bool)
    only_kl = list(values) == ["kl_pq"]
    arrays = 2 if only_kl else 4
    step = min(columns, max(1, 4 * CACHE // arrays // outcomes)) or 1
    work = _QuickPass(outcomes, step, arrays)
    measured = work.kl if only_kl else work.six
    start = 0
    with np.errstate(all="ignore"):
        while start < columns:
            where = slice(start, min(columns, start + step))
            start += step
            block = work.load(a[:, where], b[:, where])
            if block is None:
                continue
            found, again[where] = measured(block)
            for name, value in values.items():
                value[where] = found[name]
            if np.count_nonzero(again[where]) > _MOSTLY * step:
                start += _SKIPPED * step
    return again


def _careful(a: Array, b: Array, which: npt.NDArray[np.intp], values: Values, *, alpha: float, normalize: bool) -> None:
    """Fills in `values` for the columns listed, in ascending order."""
    step = max(1, CACHE // len(a))
    for start in range(0, len(which), step):
        columns = which[start : start + step]
        run = slice(columns[0], columns[-1] + 1)
        chosen = run if run.stop - run.start == len(columns) else columns
        x, y = np.ascontiguousarray(a[:, chosen]), np.ascontiguousarray(b[:, chosen])
        exactly = np.zeros(len(columns), dtype=bool)
        if not all(is_ordinary(w, w.min(), w.max()) for w in (x, y)):
            exactly = ~(ordinary_columns(x) & ordinary_columns(y))
        rounded = np.flatnonzero(~exactly)
        if len(rounded):
            kept = slice(None) if len(rounded) == len(columns) else rounded
            pair = RoundedPair(x[:, kept], y[:, kept], normalize=normalize)
            for name, found in measure(pair, values, alpha).items():
                values[name][columns[rounded]] = found
            exactly[rounded] = pair.lost()
        for i in np.flatnonzero(exactly):
            exact = ExactPair(x[:, [i]], y[:, [i]], normalize=normalize)
            for name, found in measure(exact, values, alpha).items():
                values[name][columns[i]] = found[0]

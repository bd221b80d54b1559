"""A block of n pairs: measured quickly, and the divergences of close pairs again with care.

The quick pass works on blocks that fit the cache, from rounded probabilities and two logarithms an outcome, log q and
log(p/q). Its divergences are sums of terms >= 0, good down to a KL of 1e-4. Those of closer pairs are measured again by
`formulas.measure`, and the very few that it cannot serve from exact integers.

A pair's digits do not depend on the pairs beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from klcli.engine.arrays import CACHE, LARGEST, is_ordinary, ordinary_columns, total
from klcli.engine.exact import ExactPair
from klcli.engine.formulas import measure
from klcli.engine.log_pair import LogPair, LogWeights
from klcli.engine.terms import RoundedPair
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.measures import MeasureOptions
    from klcli.engine.pair import EnginePair, Logs

    Values = dict[str, Array]

_DIVERGENCES = ("kl_pq", "kl_qp", "jeffreys")
_QUICK = (*_DIVERGENCES, "entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp")
"""The measures the quick pass knows; the divergences alone need half the logarithms."""

_SUMS = (
    ("cross_entropy_pq", "entropy_p", "kl_pq"),
    ("cross_entropy_qp", "entropy_q", "kl_qp"),
    ("jeffreys", "kl_pq", "kl_qp"),
)

# Below this KL the roundings of p, q, p/q, its logarithm and their product, each worth up to 2**-53 sqrt(2 KL), may
# come to 1e-13 of it.
_CLOSE = 2.0**-13

# A sum may be off by one rounding an outcome: that of a large weight and many small ones that are equal, as smoothing
# makes them. So an entropy is computed again if it is below this part, times the number of outcomes, of the
# cross-entropy that it is the difference from, or of 1.
_LOST = 2.0**-8

# The quick pass serves weights of 0 and from _LEAST to LARGEST: probabilities from 2**-900 on. _TINY stands for one of
# 0, so that log 0 is a number and 0 log 0 is 0. Added to the others it does not change them; being a normal number it
# does not slow the logarithm down as a subnormal one would; and p/q, at most 2**1000, does not overflow.
_LEAST, _TINY = 2.0**-800, 2.0**-1000

# Weights made of logarithms are off by as many roundings as these span; where the square root of twice the KL is not
# this many times larger, the logarithms themselves are measured, as they are where weights underflow.
_CLOSE_OF_SPAN = 2.0**-9
_LONGEST_SPAN = 500.0

_BLOCK = 2 * CACHE
"""Elements per work array. What NumPy's calls take whatever the size of a block is a tenth of its time at this one."""

_RUN = 64
"""Outcomes summed in one go, as in `total`: a longer run would gather rounding errors."""

_MOST_OUTCOMES = 1 << 12
"""Beyond this a pair fills the cache by itself, and `measure` cuts it into runs of outcomes."""


class _Block:
    """Some pairs in the quick pass. a, b: weights, (K, n), n > 1. work: six arrays of that shape to write to.

    odd: (n,), set for the pairs with weights that the quick pass does not serve.
    """

    def __init__(self, a: Array, b: Array, work: Sequence[Array], odd: Mask) -> None:
        self._p, self._q, self._bare, *self._work = work
        absent_p, absent_q = _load(a, self._p, odd), _load(b, self._q, odd)
        self._infinite_pq, self._infinite_qp = _any_but(absent_q, absent_p), _any_but(absent_p, absent_q)
        if absent_p is not None:
            self._p += _TINY
        # Where q lacks what p has, H(p) and KL(q, p) may be finite all the same, but log _TINY would cost H(p) three
        # digits. With q = p there, all that these outcomes leave out of the sums below is their mass in p.
        self._uncovered: Array | None = None
        if absent_q is not None and self._infinite_pq is None:
            self._q += _TINY
        elif absent_q is not None:
            np.multiply(self._p, absent_q, out=self._bare)
            self._q += self._bare
            self._uncovered = total(self._bare)

    def divergences(self, values: Values) -> None:
        """Fills in KL(p, q) and, if it is among the values, KL(q, p), but for infinities.

        With r = p/q, KL(p, q) = sum q [r log r - (r - 1)] and KL(q, p) = sum q [(r - 1) - log r]. Every term is >= 0
        and flat at r = 1: of a rounding, |log r| or |r - 1| counts. In the difference of a cross-entropy and an entropy
        all of it would, and data with a KL of 1/20, such as counts of one source, would lose too much.
        """
        ratio, log_ratio, terms = self._work
        np.divide(self._p, self._q, out=ratio)
        np.log(ratio, out=log_ratio)
        np.multiply(ratio, log_ratio, out=terms)
        ratio -= 1
        terms -= ratio
        _dot(self._q, terms, out=values["kl_pq"])
        if "kl_qp" in values:
            ratio -= log_ratio
            _dot(self._q, ratio, out=values["kl_qp"])
            if self._uncovered is not None:
                values["kl_qp"] += self._uncovered

    def entropies(self, values: Values) -> None:
        """Fills in H(q), H(p) as sum -p log q less KL(p, q), which spares the logarithms of p, and that sum."""
        log_q = np.log(self._q, out=self._work[0])
        entropy_p, entropy_q, cross = (values[name] for name in ("entropy_p", "entropy_q", "cross_entropy_pq"))
        np.negative(_dot(self._p, log_q, out=cross), out=cross)
        np.subtract(cross, values["kl_pq"], out=entropy_p)
        if self._uncovered is not None:
            entropy_p += self._uncovered
            self._q -= self._bare
        np.negative(_dot(self._q, log_q, out=entropy_q), out=entropy_q)

    def finish(self, values: Values) -> Mask:
        """Fills in the infinite divergences. Returns the pairs that are too close for the quick pass, (n,)."""
        close = np.zeros(self._p.shape[1], dtype=bool)
        for name, infinite in (("kl_pq", self._infinite_pq), ("kl_qp", self._infinite_qp)):
            if name in values:
                if infinite is not None:
                    values[name][infinite] = np.inf
                close |= values[name] < _CLOSE
        return close


def _load(weights: Array, mass: Array, odd: Mask) -> Mask | None:
    """Writes the rounded probabilities to `mass`, (K, n). Returns where they are 0, (K, n), or None: nowhere."""
    if weights.strides[1] != weights.itemsize:
        weights = np.ascontiguousarray(weights)
    whole = total(weights)
    np.multiply(weights, 1 / whole, out=mass)
    if weights.min() >= _LEAST and whole.max() <= LARGEST:
        return None
    absent: Mask = weights == 0
    odd |= ~(whole <= LARGEST)
    odd |= ((weights < _LEAST) > absent).any(axis=0)
    return absent


def _any_but(mask: Mask | None, without: Mask | None) -> Mask | None:
    """The columns, (n,), where the mask has an entry that `without` does not have; None if there are none."""
    if mask is None:
        return None
    columns = np.asarray((mask if without is None else mask > without).any(axis=0))
    return columns if columns.any() else None


def _dot(weight: Array, value: Array, out: Array) -> Array:
    """Sum of the products over the outcomes, written to `out`."""
    np.einsum("ij,ij->j", weight[:_RUN], value[:_RUN], out=out)
    for start in range(_RUN, len(weight), _RUN):
        run = slice(start, start + _RUN)
        out += np.einsum("ij,ij->j", weight[run], value[run])
    return out


def _mend(entropy: Array, lost: Mask, weights: Array) -> None:
    """Computes the entropies that lost digits again: from all the logarithms, of the largest share by what it lacks."""
    which = np.flatnonzero(lost)
    step = _BLOCK // len(weights)
    for start in range(0, len(which), step):
        columns = which[start : start + step]
        mass = _columns(weights, columns)
        mass /= total(mass)
        largest = mass.max(axis=0)
        mass *= mass < largest
        others = total(mass)
        log_largest = np.where(largest > 0.5, np.log1p(-others), np.log(largest))  # noqa: PLR2004 - the only one then
        sums = _dot(mass, np.log(mass + _TINY), out=np.empty_like(others))
        entropy[columns] = ((others - 1) * log_largest - sums)[: len(columns)]


def _columns(x: Array, which: npt.NDArray[np.intp]) -> Array:
    """The columns listed, contiguous; a single one twice, for `score`'s reason, unless they are too long for two."""
    return x.take(which if len(which) > 1 or 2 * len(x) > CACHE else which.repeat(2), axis=1)


def score(
    a: Array, b: Array, names: Sequence[str], *, logs: Logs = (None, None), **options: Unpack[MeasureOptions]
) -> Values:
    """The named measures of n pairs, in nats, within 1e-13 relative of exact arithmetic on the weights given.

    a, b: (K, n), finite, >= 0, every column with a total above 0. Returns name -> (n,), >= 0, +inf where an outcome of
    p has no mass in q (weights taken as they are: of any sign).

    logs: the logarithms of a side of which its weights were made; what is within 1e-13 then is of these.

    Source: NumPy's arithmetic and the identities of `terms`; for each measure see `measures.MEASURES`.
    """
    outcomes, columns = a.shape
    how = _How(logs, **options)
    if columns == 1:  # NumPy adds up a single column in another order; a pair's digits shall not depend on its company
        two = np.zeros(2, dtype=np.intp)
        twice = score(a.take(two, axis=1), b.take(two, axis=1), names, logs=taken_logs(logs, two), **options)
        return {name: value[:1] for name, value in twice.items()}
    if columns and how.normalize and outcomes <= _MOST_OUTCOMES and set(names) <= set(_QUICK):
        return _quick(a, b, names, logs)
    values = {name: np.empty(columns) for name in names}
    _careful(a, b, np.arange(columns), values, how)
    return values


def taken_logs(logs: Logs, columns: npt.NDArray[np.intp]) -> Logs:
    """The logarithms of the columns listed."""
    p, q = logs
    return None if p is None else p.take(columns), None if q is None else q.take(columns)


def _quick(a: Array, b: Array, names: Sequence[str], logs: Logs) -> Values:
    """The named measures of n > 1 pairs: the quick pass, and the careful one where that does not serve."""
    outcomes, columns = a.shape
    how = _How(logs=logs)
    wanted = next(known for known in (("kl_pq",), _DIVERGENCES, _QUICK) if set(names) <= set(known))
    values = {name: np.empty(columns) for name in wanted}
    close, odd = np.zeros((2, columns), dtype=bool)
    blocks = -(-columns * outcomes // _BLOCK)
    edges = [columns * i // blocks for i in range(blocks + 1)]
    work = np.empty((6, outcomes * -(-columns // blocks)))
    with np.errstate(all="ignore"):
        for where in map(slice, edges, edges[1:]):
            x, y = a[:, where], b[:, where]
            part = {name: value[where] for name, value in values.items()}
            block = _Block(x, y, [array[: x.size].reshape(x.shape) for array in work], odd[where])
            block.divergences(part)
            if "entropy_p" in part:
                block.entropies(part)
            close[where] = block.finish(part)
        if "entropy_p" in values:
            lost = _LOST * min(max(outcomes, 8), 2 * _RUN)
            _mend(values["entropy_p"], values["entropy_p"] < lost * np.maximum(values["cross_entropy_pq"], 1), a)
            _mend(values["entropy_q"], values["entropy_q"] < lost, b)
        for side in logs:
            if side is not None:
                span = side.span()
                odd |= span > _LONGEST_SPAN
                for name in wanted[:2]:
                    close |= values[name] < (_CLOSE_OF_SPAN * span) ** 2
        _careful(a, b, np.flatnonzero(close > odd), {name: values[name] for name in wanted[:2]}, how)
        # Sums of what is >= 0 are as accurate as that is, and the identities hold to the last digit.
        for name, first, second in _SUMS:
            if name in values:
                np.add(values[first], values[second], out=values[name])
        _careful(a, b, np.flatnonzero(odd), values, how)
    return {name: values[name] for name in names}


class _How(NamedTuple):
    """What `score` is told besides the weights."""

    logs: Logs = (None, None)
    alpha: float = 2.0
    normalize: bool = True
    js_weight: float = 0.5
    places: Array | None = None

    def measured(self, pair: EnginePair, names: Iterable[str]) -> Values:
        return measure(pair, names, self.alpha, js_weight=self.js_weight, places=self.places)


def _careful(a: Array, b: Array, which: npt.NDArray[np.intp], values: Values, how: _How) -> None:
    """Fills in `values` for the columns listed."""
    step = max(1, CACHE // len(a))
    for start in range(0, len(which), step):
        columns = which[start : start + step]
        if how.logs != (None, None):
            _by_logarithms(a, b, columns, values, how)
            continue
        x, y = a.take(columns, axis=1), b.take(columns, axis=1)
        exactly = np.zeros(len(columns), dtype=bool)
        if not all(is_ordinary(w, w.min(), w.max()) for w in (x, y)):
            exactly = ~(ordinary_columns(x) & ordinary_columns(y))
        rounded = np.flatnonzero(~exactly)
        if len(rounded):
            pair = RoundedPair(_columns(x, rounded), _columns(y, rounded), normalize=how.normalize)
            for name, found in how.measured(pair, values).items():
                values[name][columns[rounded]] = found[: len(rounded)]
            exactly[rounded] = pair.lost()[: len(rounded)]
        for i in np.flatnonzero(exactly):
            exact = ExactPair(x[:, [i]], y[:, [i]], normalize=how.normalize)
            for name, found in how.measured(exact, values).items():
                values[name][columns[i]] = found[0]


def _by_logarithms(a: Array, b: Array, columns: npt.NDArray[np.intp], values: Values, how: _How) -> None:
    """Fills in `values` for the columns listed, from logarithms: those given, or of the weights."""
    p, q = (LogWeights(w, of_weights=True) if of is None else of for w, of in zip((a, b), how.logs, strict=True))
    for exactly in (False, True):
        twice = columns if len(columns) > 1 else columns.repeat(2)  # for `score`'s reason
        pair = LogPair(p.take(twice), q.take(twice), exactly=exactly)
        for name, found in how.measured(pair, values).items():
            values[name][columns] = found[: len(columns)]
        columns = columns[pair.lost()[: len(columns)]]
        if len(columns) == 0:
            return

"""A measure of every pair among n distributions: quickly by way of their centre, and again with care what lost digits.

The square is made in blocks of rows, which threads share: NumPy's work takes no part in Python's lock.
"""

from __future__ import annotations

import os
from threading import Lock, Thread
from typing import TYPE_CHECKING, Unpack

import numpy as np

from klcli.engine.arrays import ordinary_columns
from klcli.engine.centred import QUICK, Centred
from klcli.engine.formulas import HALF
from klcli.engine.score import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from klcli.engine.arrays import Array, Mask
    from klcli.engine.centred import Quick
    from klcli.engine.log_pair import LogWeights
    from klcli.engine.measures import MeasureOptions

SYMMETRIC = frozenset(
    {
        "jeffreys",
        "js_divergence",
        "js_distance",
        "total_variation",
        "hellinger",
        "bhattacharyya",
        "wasserstein",
        "same_top",
    }
)
"""The measures that are the same from P to Q as from Q to P, those of Jensen and Shannon at equal weights."""

_TRANSPOSED = {
    "kl_qp": "kl_pq",
    "cross_entropy_qp": "cross_entropy_pq",
    "entropy_q": "entropy_p",
    "perplexity_q": "perplexity_p",
}
_OF_P_ALONE = frozenset({"entropy_p", "perplexity_p"})

_BLOCK = 1 << 19
"""Pairs in a block of rows: more than the cache holds, but a matrix product wants many rows."""

_AGAIN = 1 << 20
"""Weights gathered at once for the pairs that are measured again."""

_WHOLE = 2.0**53
"""Up to here every whole number is a double."""


def pairwise(a: Array, name: str, logs: LogWeights | None = None, **options: Unpack[MeasureOptions]) -> Array:
    """The named measure of every pair of columns, in nats, within 1e-13 relative of exact arithmetic on the weights.

    a: (K, n), finite, >= 0, every column with a total above 0. Returns (n, n): from the distribution of the row, P, to
    that of the column, Q; >= 0, +inf where an outcome of P has no mass in Q (weights taken as they are: of any sign).
    logs: the logarithms that the weights were made of; what is within 1e-13 then is of these, and every pair is scored.
    Besides the square it takes some arrays like a, and one like the square where that is the sum of two.

    Source: see `centred` and `score`.
    """
    if name in _TRANSPOSED:
        return pairwise(a, _TRANSPOSED[name], logs, **options).T
    normalize = options.get("normalize", True)
    if normalize and name == "js_distance":
        square = pairwise(a, "js_divergence", logs, **options)
        return np.sqrt(square, out=square)
    if normalize and name == "jeffreys":
        square = pairwise(a, "kl_pq", logs, **options)
        return square + square.T
    if logs is None and name != "wasserstein":  # of which outcomes without mass are steps of the way
        a = a[a.any(axis=1)]
        if normalize:
            a = _reduced(a)
    alone = score(a, a, [name], logs=(logs, logs), **options)[name]
    n = a.shape[1]
    if name in _OF_P_ALONE:
        return np.repeat(alone, n).reshape(n, n)
    square = _Square(a, name, logs, options).filled()
    np.fill_diagonal(square, alone)
    return square


class _Square:
    """The square while it is being filled in."""

    def __init__(self, a: Array, name: str, logs: LogWeights | None, options: MeasureOptions) -> None:
        self._a, self._name, self._logs, self._options = a, name, logs, options
        self._n = a.shape[1]
        self._symmetric = is_symmetric(name, options.get("js_weight", HALF))
        self._values = np.empty((self._n, self._n))
        self._family: Centred | None = None
        self._quick: Quick | None = None
        self._extreme = np.zeros(self._n, dtype=bool)

    def filled(self) -> Array:
        """The square, its diagonal left to be set."""
        options = self._options
        halves = not self._name.startswith("js_") or options.get("js_weight", HALF) == HALF
        with np.errstate(all="ignore"):
            if options.get("normalize", True) and self._logs is None and self._name in QUICK and halves:
                ordinary = ordinary_columns(self._a)
                self._extreme = ~ordinary
                self._family = Centred(np.where(ordinary, self._a, 1.0))
                self._quick = QUICK[self._name](self._family, options.get("alpha", 2.0))
        threads = _threads()
        step = max(1, min(_BLOCK // self._n, -(-self._n // (4 * threads))))
        blocks = [slice(start, min(start + step, self._n)) for start in range(0, self._n, step)]
        _share(self._fill, blocks, threads)
        if self._symmetric:
            for rows in blocks:
                self._mirror(rows)
        return self._values

    def _fill(self, rows: slice) -> None:
        """Some rows; of a symmetric measure what stands right of the diagonal, and anything left of it."""
        columns = slice(rows.start if self._symmetric else 0, self._n)
        with np.errstate(all="ignore"):
            again = self._measured_quickly(rows, columns)
            np.fill_diagonal(again[:, rows.start - columns.start :], val=False)
            if self._symmetric:
                again = np.triu(again)
            self._measure_again(again, rows, columns)

    def _measured_quickly(self, rows: slice, columns: slice) -> Mask:
        """Fills in what the quick way knows. Returns which pairs must be measured again."""
        if self._family is None or self._quick is None:
            return np.ones((rows.stop - rows.start, columns.stop - columns.start), dtype=bool)
        self._values[rows, columns], again = self._quick(rows, columns)
        indistinct = self._family.indistinct(rows, columns)
        if indistinct is not None:
            again |= indistinct
        again[self._extreme[rows]] = True
        again[:, self._extreme[columns]] = True
        return again

    def _measure_again(self, again: Mask, rows: slice, columns: slice) -> None:
        i, j = np.nonzero(again)
        i, j = i + rows.start, j + columns.start
        step = max(1, _AGAIN // len(self._a))
        for start in range(0, len(i), step):
            p, q = i[start : start + step], j[start : start + step]
            logs = (None, None) if self._logs is None else (self._logs.take(p), self._logs.take(q))
            found = score(self._a[:, p], self._a[:, q], [self._name], logs=logs, **self._options)
            self._values[p, q] = found[self._name]

    def _mirror(self, rows: slice) -> None:
        """Copies some rows' part right of the diagonal to the columns below it."""
        inside = self._values[rows, rows]
        below = np.tril_indices(len(inside), -1)
        inside[below] = inside.T[below]
        self._values[rows.stop :, rows] = self._values[rows, rows.stop :].T


def is_symmetric(name: str, js_weight: float = HALF) -> bool:
    """Whether a measure is the same from P to Q as from Q to P."""
    return name in SYMMETRIC and (js_weight == HALF or not name.startswith("js_"))


def _reduced(a: Array) -> Array:
    """Weights of the same distributions that are easier to measure.

    Where only rounding would tell distributions in the same proportions apart they become the same weights: counts
    without their common factor, all mass on one outcome. A power of two takes weights into the ordinary range.
    """
    if a.max() <= _WHOLE and (a == np.trunc(a)).all():
        reduced: Array = a / np.gcd.reduce(a.astype(np.int64), axis=0)
        return reduced
    a = np.where((np.count_nonzero(a, axis=0) == 1) & (a > 0), 1.0, a)
    if ordinary_columns(a).all():
        return a
    exponents = np.frexp(a.max(axis=0))[1]
    scaled = np.ldexp(a, -exponents)
    return np.where((np.ldexp(scaled, exponents) == a).all(axis=0), scaled, a)


def _threads() -> int:
    """How many threads may compute at once."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable is not None else os.cpu_count() or 1


def _share(work: Callable[[slice], None], tasks: Iterable[slice], threads: int) -> None:
    """Does the work on every task, on this thread and others, and raises the first error of any."""
    left, lock = iter(tasks), Lock()
    errors: list[BaseException] = []

    def do() -> None:
        try:
            while not errors:
                with lock:
                    task = next(left, None)
                if task is None:
                    return
                work(task)
        except BaseException as error:  # noqa: BLE001 - raised below, on the thread that waits
            errors.append(error)

    others = [Thread(target=do, daemon=True) for _ in range(threads - 1)]
    for other in others:
        other.start()
    do()
    for other in others:
        other.join()
    if errors:
        raise errors[0]

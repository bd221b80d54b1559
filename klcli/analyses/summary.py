"""Count, mean, standard error and quantiles of a stream of values, in memory that does not grow with it.

The quantiles are exact. The values wait in a temporary file; when all are there, counting how many begin with which
bits tells where the wanted ones are, and only those are looked at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.console import Temporary
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from klcli.model import Array

    Bits = npt.NDArray[np.uint64]

_QUANTILES = {"p1": 0.01, "p5": 0.05, "q1": 0.25, "median": 0.5, "q3": 0.75, "p95": 0.95, "p99": 0.99}
STATISTICS = ("count", "infinite", "mean", "standard_error", "min", *_QUANTILES, "max")
_RUN = 1 << 18
_SIGN = np.uint64(1 << 63)
_LEADING = 16
"""Bits told apart at once."""


class Summary:
    """What is known of each measure's values so far."""

    def __init__(self, names: Sequence[str]) -> None:
        self._measures = {name: _Values() for name in names}

    def add(self, values: Mapping[str, Array]) -> None:
        """More values of every measure; NaN, of a row that failed, is none."""
        for name, values_of in self._measures.items():
            values_of.add(values[name])

    def statistics(self) -> dict[str, dict[str, float]]:
        """For each measure the STATISTICS, NaN for what does not exist. Units: the measure's own. Ends it."""
        found = {name: values.statistics() for name, values in self._measures.items()}
        self.close()
        return found

    def close(self) -> None:
        """Gives up the values."""
        for values in self._measures.values():
            values.close()


class _Values:
    """One measure's values."""

    def __init__(self) -> None:
        self._file = Temporary()
        self._count = self._infinite = 0
        self._mean = self._squares = 0.0
        self._least, self._most = np.inf, -np.inf

    def close(self) -> None:
        self._file.close()

    def add(self, values: Array) -> None:
        values = values[~np.isnan(values)]
        if not len(values):
            return
        self._file.write(_ordered_bits(values).tobytes())
        self._least, self._most = min(self._least, float(values.min())), max(self._most, float(values.max()))
        finite = values[np.isfinite(values)]
        self._infinite += len(values) - len(finite)
        self._count += len(values)
        if len(finite):
            with np.errstate(over="ignore"):  # the spread of values beyond 1e154 is beyond a double
                self._combine(len(finite), finite)

    def _combine(self, n: int, finite: Array) -> None:
        """Mean and sum of squared differences of two sets together. Source: Chan, Golub & LeVeque 1979."""
        mean = float(finite.mean())
        if not np.isfinite(mean):
            mean = float((finite / n).sum())
        before = self._count - self._infinite - n
        difference = mean - self._mean
        self._squares += float(((finite - mean) ** 2).sum()) + difference * difference * before * n / (before + n)
        self._mean += difference * (n / (before + n))

    def statistics(self) -> dict[str, float]:
        n, nan = self._count, float("nan")
        found = dict.fromkeys(STATISTICS, nan) | {"count": float(n), "infinite": float(self._infinite)}
        if n == 0:
            return found
        found |= {"min": self._least, "max": self._most, "mean": np.inf if self._infinite else self._mean}
        if n > 1 and not self._infinite:
            found["standard_error"] = float(np.sqrt(self._squares / (n - 1) / n))
        places = {name: share * (n - 1) for name, share in _QUANTILES.items()}
        at = self._values_at({rank for place in places.values() for rank in (int(place), min(int(place) + 1, n - 1))})
        for name, place in places.items():
            # Linear interpolation. Source: Hyndman & Fan 1996, definition 7, which is NumPy's.
            below, above = at[int(place)], at[min(int(place) + 1, n - 1)]
            exactly = below == above or place == int(place)
            found[name] = below if exactly else below + (above - below) * (place - int(place))
        return found

    def _values_at(self, ranks: set[int]) -> dict[int, float]:
        """The values of those ranks, counted from 0: found by more and more of their leading bits."""
        found = {rank: _Bits(0, 0, rank) for rank in ranks}
        while any(bits.unknown for bits in found.values()):
            counts = {bits.leading: np.zeros(1 << _LEADING, dtype=np.int64) for bits in found.values()}
            known = next(iter(found.values())).known
            for run in self._runs():
                for leading, count in counts.items():
                    chosen = run if known == 0 else run[run >> np.uint64(64 - known) == leading]
                    following = (chosen >> np.uint64(64 - known - _LEADING)) & np.uint64((1 << _LEADING) - 1)
                    np.add(count, np.bincount(following, minlength=len(count)), out=count)
            found = {rank: bits.followed_by(counts[bits.leading]) for rank, bits in found.items()}
        return {rank: _double(np.uint64(bits.leading)) for rank, bits in found.items()}

    def _runs(self) -> Iterator[Bits]:
        self._file.seek(0)
        while data := self._file.read(_RUN * 8):
            yield np.frombuffer(data, dtype=np.uint64)


class _Bits(NamedTuple):
    """What is known of a value: its `known` leading bits, and its rank among the values that have the same."""

    leading: int
    known: int
    rank: int

    @property
    def unknown(self) -> int:
        return 64 - self.known

    def followed_by(self, counts: npt.NDArray[np.int64]) -> _Bits:
        """More bits, from how many of the values alike go on with which."""
        below = np.cumsum(counts)
        following = int(np.searchsorted(below, self.rank, side="right"))
        rank = self.rank - (int(below[following - 1]) if following else 0)
        return _Bits((self.leading << _LEADING) | following, self.known + _LEADING, rank)


def _ordered_bits(values: Array) -> Bits:
    """The doubles as integers in the same order."""
    bits = (values + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _double(bits: np.uint64) -> float:
    """The double of that place in the order."""
    given = bits & ~_SIGN if bits & _SIGN else ~bits
    return float(np.array([given], dtype=np.uint64).view(np.float64)[0])

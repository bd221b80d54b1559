"""Sums, products, shares and range checks on arrays with the outcomes on axis 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeVar

    import numpy.typing as npt

    Floating = TypeVar("Floating", bound=np.floating[Any])

    Array = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

CACHE = 1 << 15
"""Elements per work array: several of them stay within a core's second-level cache, and calls are few."""

# Work arrays come and go by the thousand. The GNU C library hands the memory of each back to the system, for a page
# fault per 4 KiB at the next, unless an array at least as large has been freed before: then it keeps what is freed.
# This array is never touched, so it costs nothing; without it a block takes up to three times as long.
_ = np.empty(3 << 20)
del _

# Within these bounds every product, quotient and rounding error in `terms` is a normal number, whatever the totals: the
# rescaled weight a*Q/P is at least 2**-400 * 2**-520, and the low half of a product is 2**-53 of that.
SMALLEST, LARGEST = 2.0**-400, 2.0**100

_LONG = 128
_HIGH_HALF = np.uint64(0xFFFF_FFFF_F800_0000)
"""Keeps sign, exponent and the 26 leading bits of a double."""


def total(x: Array) -> Array:
    """Sum over the outcomes (axis 0). x: (K, n). Returns (n,).

    NumPy adds rows one after the other on this axis, which lets an error of K roundings through; sums of short runs
    first make it a few hundred roundings at K = 1e6.
    """
    if x.shape[1] == 1:
        return np.atleast_1d(np.sum(np.ravel(x)))  # contiguous: NumPy's own pairwise summation
    while len(x) > _LONG:
        x = np.add.reduceat(x, np.arange(0, len(x), 64), axis=0)
    summed: Array = np.add.reduce(x, axis=0)
    return summed


def slices(outcomes: int, columns: int) -> Iterator[slice]:
    """Runs of outcomes whose (run, columns) arrays fit the cache; of a single pair twice as long, for fewer calls."""
    step = max(1, CACHE // columns) if columns > 1 else 2 * CACHE
    for start in range(0, outcomes, step):
        yield slice(start, min(outcomes, start + step))


def two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """h + l = a * b exactly but for 2**-106 of it. a: (K, n), b: (n,).

    Each factor is cut into a high half with 26 bits and the rest, whose products fit a double (Python 3.11 has no fused
    multiply-add). Source: Dekker 1971, "A floating-point technique for extending the available precision".
    """
    a1, b1 = _high_half(a), _high_half(b)
    a2, b2 = a - a1, b - b1
    high = a * b
    low = a1 * b1
    low -= high
    a1 *= b2
    low += a1
    low += a2 * b1
    a2 *= b2
    low += a2
    return high, low


def _high_half(x: Array) -> Array:
    return (np.ascontiguousarray(x).view(np.uint64) & _HIGH_HALF).view(np.float64)


def is_ordinary(x: Array, low: float, high: float) -> bool:
    """Whether every entry is 0 or within [SMALLEST, LARGEST]. x: (K, n).

    low: the least entry. high: the largest or, which saves a pass, a bound of it such as the largest total. A NaN makes
    both NaN.
    """
    if not (low >= 0 and high <= LARGEST):
        return False
    return low >= SMALLEST or np.count_nonzero(x < SMALLEST) == np.count_nonzero(x == 0)


def ordinary_columns(x: Array) -> Mask:
    """Which columns have all their entries 0 or within [SMALLEST, LARGEST]. x: (K, n). Returns (n,)."""
    inside: Mask = ((x == 0) | ((x >= SMALLEST) & (x <= LARGEST))).all(axis=0)
    return inside


def polynomial(coefficients: Sequence[float], z: Array) -> Array:
    """coefficients[0] + coefficients[1] z + ..., by Horner's rule."""
    value = np.full_like(z, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        value *= z
        value += c
    return value


def power_series(coefficients: Sequence[float], z: Array, largest: float) -> Array:
    """`polynomial` of as few of the falling coefficients as leave less than one rounding, for z from 0 to `largest`."""
    count = next((k for k, c in enumerate(coefficients) if k and c * largest**k < 2.0**-55), len(coefficients))
    return polynomial(coefficients[:count], z)


def weighted(weight: npt.NDArray[Floating], value: npt.NDArray[Floating]) -> npt.NDArray[Floating]:
    """weight * value, with 0 times anything 0 (0 log 0 = 0)."""
    product: npt.NDArray[Floating] = weight * value
    if not weight.min(initial=1.0) > 0:
        product[weight == 0] = 0.0
    return product


def share(d: Array, w: Array) -> Array:
    """d / w, 0 where w = 0. Both (K, n)."""
    with np.errstate(invalid="ignore"):
        s: Array = d / w
    if not w.min(initial=1.0) > 0:
        s[w == 0] = 0.0
    return s


def log_shares(p: Array, rest: Array | None) -> Array:
    """log p; an outcome above one half from the sum of the others, relative to the whole: rest, (n,)."""
    logs = np.log(p)
    if rest is not None:
        # At most one outcome of a distribution; where p is above one half by its rounding alone, there is no such rest.
        large = (p > 0.5) & (rest < 0.75)  # noqa: PLR2004
        if large.any():
            np.copyto(logs, np.log1p(-rest), where=large)
    return logs


def rest(a: Array, whole: Array) -> Array | None:
    """The part of the whole outside the outcomes above half of it, (n,); None where there are none. a: (K, n)."""
    large = a > whole / 2
    if not large.any():
        return None
    return total(np.where(large, 0.0, a)) / whole

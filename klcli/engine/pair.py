"""The best route for one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.engine.arrays import is_ordinary
from klcli.engine.exact import ExactPair
from klcli.engine.terms import RoundedPair

if TYPE_CHECKING:
    from klcli.engine.arrays import Array

EnginePair = RoundedPair | ExactPair


SMALL = 1000
"""Up to so many outcomes a single pair is exact, in 5 ms: every term of it, and p and q rounded once."""


def single_pair(a: Array, b: Array, *, normalize: bool = True) -> EnginePair:
    """The best route for one pair that its size allows. a, b: (K, 1), finite, >= 0, not all zero."""
    if len(a) > SMALL and is_ordinary(a, a.min(), a.max()) and is_ordinary(b, b.min(), b.max()):
        rounded = RoundedPair(a, b, normalize=normalize)
        if not rounded.lost().any():
            return rounded
    return ExactPair(a, b, normalize=normalize)

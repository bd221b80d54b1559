"""The best route for one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.engine.arrays import is_ordinary
from klcli.engine.exact import ExactPair
from klcli.engine.terms import RoundedPair

if TYPE_CHECKING:
    from typing import TypeAlias

    from klcli.engine.arrays import Array
    from klcli.engine.log_pair import LogPair, LogWeights

    EnginePair: TypeAlias = RoundedPair | ExactPair | LogPair
    Logs: TypeAlias = tuple[LogWeights | None, LogWeights | None]

SMALL = 1000
"""Up to so many outcomes a single pair is exact, in 5 ms: every term of it, and p and q rounded once."""


def single_pair(a: Array, b: Array, *, normalize: bool = True, logs: Logs = (None, None)) -> EnginePair:
    """The best route for one pair that its size allows. a, b: (K, 1), finite, >= 0, not all zero.

    logs: the logarithms of a side, where it is given by them.
    """
    if logs != (None, None):
        from klcli.engine.log_pair import LogPair, LogWeights

        p, q = (LogWeights(w, of_weights=True) if of is None else of for w, of in zip((a, b), logs, strict=True))
        pair = LogPair(p, q, exactly=len(a) <= SMALL)
        return LogPair(p, q, exactly=True) if pair.lost().any() else pair
    if len(a) > SMALL and is_ordinary(a, a.min(), a.max()) and is_ordinary(b, b.min(), b.max()):
        rounded = RoundedPair(a, b, normalize=normalize)
        if not rounded.lost().any():
            return rounded
    return ExactPair(a, b, normalize=normalize)

"""Gauss and Kronrod's rule on panels that are halved until it agrees with Gauss's: a value and its error.

This is the quadrature of values that are reported: it refines wherever the integrand at hand asks for it, to 1e-12,
and all integrands of a pair share its nodes. Which panels are halved jumps as a parameter moves, so that its values
are uneven at the size of its error. A search for a minimum, which takes differences of them, has `fixed`.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.families.numeric.integrands import EPS, Integral, evaluate
from klcli.families.numeric.panels import LARGEST, bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.engine.arrays import Array
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integrand
    from klcli.families.numeric.panels import Piece

TOLERANCE = 1e-12
"""Relative error that panels are halved for."""

_ROUNDS, _PATIENCE, _MOST_PANELS = 80, 12, 6000
"""Rounds, each of which halves panels; rounds in a row that hardly lowered the error, after which it is taken for
rounding; panels, 126 000 points, beyond which what does not converge is said not to."""

_BEYOND = 100.0
"""How many times the part from clipped points the integral beyond them may be: a guess, on the safe side."""


@lru_cache(maxsize=1)
def kronrod_rule() -> tuple[Array, Array, Array]:
    """Nodes and weights of Kronrod's 21 points on [-1, 1], and of Gauss's 10 among them. Source: QUADPACK qk21."""
    # fmt: off
    x = [
        0.995657163025808080735527280689003, 0.973906528517171720077964012084452, 0.930157491355708226001207180059508,
        0.865063366688984510732096688423493, 0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
        0.562757134668604683339000099272694, 0.433395394129247190799265943165784, 0.294392862701460198131126603103866,
        0.14887433898163121088482600112972, 0.0,
    ]
    kronrod = [
        0.011694638867371874278064396062192, 0.03255816230796472747881897245939, 0.05475589657435199603138130024458,
        0.07503967481091995276704314091619, 0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
        0.123491976262065851077958109585166, 0.134709217311473325928054001771707, 0.142775938577060080797094273138717,
        0.147739104901338491374841515972068, 0.149445554002916905664936468389821,
    ]
    gauss = [
        0.066671344308688137593568809893332, 0.149451349150580593145863397657697, 0.219086362515982043995534934228163,
        0.269266719309996355091226921569469, 0.295524224714752870173815619188769,
    ]
    # fmt: on
    sparse = [0.0] * 11
    sparse[1:10:2] = gauss
    return (
        np.array([-v for v in x] + x[-2::-1]),
        np.array(kronrod + kronrod[-2::-1]),
        np.array(sparse + sparse[-2::-1]),
    )


class _Panels(NamedTuple):
    """Panels of all pieces with their integrals. values, errors: (names, panels).

    clipped: the part of the values from points where the log that is averaged fell below every double.
    """

    piece: Array
    low: Array
    high: Array
    values: Array
    errors: Array
    clipped: Array


def _panels(
    p: Law,
    q: Law | None,
    cut: Sequence[Piece],
    names: Mapping[str, Integrand | None],
    edges: tuple[Array, Array, Array],
) -> _Panels:
    which, low, high = edges
    values, errors, clipped = (np.zeros((len(names), len(low))) for _ in range(3))
    x, kronrod, gauss = kronrod_rule()
    for number, piece in enumerate(cut):
        here = np.flatnonzero(which == number)
        if not len(here):
            continue
        half = (high[here] - low[here]) / 2
        u = (low[here] + half)[:, None] + half[:, None] * x
        with np.errstate(over="ignore", invalid="ignore"):
            nodes = bounded(p, q, piece, u)
            f = evaluate(names, nodes)
            whole = (f @ kronrod) * half
            spread = (np.abs(f - (f @ kronrod / 2)[..., None]) @ kronrod) * half
            differ = np.abs((f @ (kronrod - gauss)) * half)
            ratio = np.where(spread > 0, 200 * differ / np.where(spread > 0, spread, 1.0), 0.0)
            error = np.where(spread > 0, spread * np.minimum(1.0, ratio**1.5), differ)
        values[:, here] = whole
        for row, name in enumerate(names):
            lost = {"kl_pq": nodes.log_q, "kl_qp": nodes.log_p}.get(name)
            if lost is not None and (beyond := lost == -LARGEST).any():
                clipped[row, here] = (np.where(beyond, np.abs(f[row]), 0.0) @ kronrod) * half
        errors[:, here] = np.maximum(error, 4 * EPS * np.abs(whole))
    return _Panels(which, low, high, values, errors, clipped)


def integrate(
    p: Law, q: Law | None, names: Mapping[str, Integrand | None], cut: Sequence[Piece]
) -> dict[str, Integral]:
    """The integrals of some integrands over all pieces. A None integrand: an entropy, by its name.

    Panels are halved until every integral's error is at most TOLERANCE of it, or halving no longer helps.
    """
    if not cut:
        return dict.fromkeys(names, Integral(0.0, 0.0))
    first = [(number, *edge) for number, piece in enumerate(cut) for edge in piece.edges]
    table = np.array(first, dtype=np.float64).T
    found = _panels(p, q, cut, names, (table[0], table[1], table[2]))
    diverged = np.zeros(len(names), dtype=np.bool_)
    best, stalled = np.full(len(names), inf), np.zeros(len(names))
    for _ in range(_ROUNDS):
        diverged |= ~np.isfinite(found.values).all(axis=1)
        errors = np.where(diverged, 0.0, found.errors.sum(axis=1, where=np.isfinite(found.errors)))
        sizes = np.abs(np.where(np.isfinite(found.values), found.values, 0.0)).sum(axis=1)
        # Of a logarithm at an end each halving of the last panel leaves exactly half.
        stalled = np.where(errors < 0.6 * best, 0, stalled + 1)
        best = np.minimum(best, errors)
        open_ = ~diverged & (errors > TOLERANCE * sizes) & (stalled <= _PATIENCE)
        if not open_.any() or len(found.low) > _MOST_PANELS:
            break
        bound = (0.25 * TOLERANCE * sizes / len(found.low))[:, None]
        bad = ((found.errors > bound) & open_[:, None] & (found.errors > 0.01 * errors[:, None] / len(found.low))).any(
            axis=0
        )
        middle = (found.low + found.high) / 2
        bad &= (middle > found.low) & (middle < found.high)
        if not bad.any():
            break
        halves = (
            np.concatenate([found.piece[bad]] * 2),
            np.concatenate([found.low[bad], middle[bad]]),
            np.concatenate([middle[bad], found.high[bad]]),
        )
        new = _panels(p, q, cut, names, halves)
        both = zip(found, new, strict=True)
        found = _Panels(*(np.concatenate([old[..., ~bad], more], axis=-1) for old, more in both))
    return _summed(found, names, cut)


def _summed(found: _Panels, names: Mapping[str, Integrand | None], cut: Sequence[Piece]) -> dict[str, Integral]:
    """The panels' sums; inf where an integrand still weighs at the last panel of an endless piece."""
    last = np.zeros(len(found.low), dtype=np.bool_)
    for number, piece in enumerate(cut):
        if piece.side and piece.edges:
            here = found.piece == number
            if piece.edges[-1][1] > 700:  # noqa: PLR2004 - out to infinity
                last |= here & (found.high > 600)  # noqa: PLR2004
            else:
                last |= here & (found.low < 0.9 * piece.edges[-1][0])
    results = {}
    for name, values, errors, clipped in zip(names, found.values, found.errors, found.clipped, strict=True):
        if not np.isfinite(values).all():
            results[name] = Integral(inf, inf)
            continue
        order = np.argsort(np.abs(values))
        value, left = float(values[order].sum()), float(np.abs(values[last]).sum())
        # An integral that converges has nothing left beyond e^600, or so near to an end; below 1e-300 it is underflow.
        if left > 1e-3 * abs(value) and left > 1e-300:  # noqa: PLR2004
            results[name] = Integral(inf, inf)
        else:
            results[name] = Integral(value, float(errors.sum()) + 4 * left + _BEYOND * float(clipped.sum()))
    return results

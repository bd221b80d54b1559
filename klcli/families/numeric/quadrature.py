"""Gauss and Kronrod's rule on panels that are halved until it agrees with Gauss's: a value and its error.

This is the quadrature of values that are reported: it refines wherever the integrand at hand asks for it, to 1e-12,
and all integrands of a pair share its nodes. Which panels are halved jumps as a parameter moves, so that its values
are uneven at the size of its error. A search for a minimum, which takes differences of them, has `fixed`.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.numeric.integrands import EPS, INTEGRANDS, Integral, evaluate, log_ratio, rounded
from klcli.families.numeric.panels import FAR, FARTHEST, LARGEST, bounded
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.engine.arrays import Array, Mask
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integrand, Nodes
    from klcli.families.numeric.panels import Piece

TOLERANCE = 1e-12
"""Relative error that panels are halved for."""

_ROUNDS, _PATIENCE, _MOST_PANELS = 80, 12, 6000
"""Rounds, each of which halves panels; rounds in a row that hardly lowered the error, after which it is taken for
rounding; panels, 126 000 points, beyond which what does not converge is said not to."""

_BEYOND = 100.0
"""How many times the part from the last panels, or from clipped points, what lies beyond may be: a safe guess."""

_FINEST = 1024
"""How many doubles wide a panel is that is halved: in one of half as many the first point is still beside the end."""

_LEFT = 1e-6
"""Of an integral in its last panels, above which it is not known what is beyond."""


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

    clipped: the part of the values from points where the log that is averaged fell below every double. rounding: what
    halving cannot mend. grain: how far apart doubles are there, in the variable of the piece. kink: (2, panels), two
    points between which p - q changes its sign; nan where it does not.
    """

    piece: Array
    low: Array
    high: Array
    values: Array
    errors: Array
    clipped: Array
    rounding: Array
    grain: Array
    kink: Array


def _panels(
    p: Law,
    q: Law | None,
    cut: Sequence[Piece],
    names: Mapping[str, Integrand | None],
    edges: tuple[Array, Array, Array],
) -> _Panels:
    which, low, high = edges
    values, errors, clipped, rounding = (np.zeros((len(names), len(low))) for _ in range(4))
    grain, kink = np.zeros(len(low)), np.full((2, len(low)), np.nan)
    x, kronrod, gauss = kronrod_rule()
    ends = np.array([end for law in (p, q or p) for interval in law.support for end in interval])
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
            if piece.side == 0:  # where a density begins as a root or a logarithm does, agreement promises less
                begins = np.isin([low[here], high[here]], ends - piece.shift).any(axis=0)
                error = np.maximum(error, np.where(begins, differ, 0.0))
            off = np.abs(evaluate(names, rounded(nodes)) - f) @ kronrod * half
            grain[here] = EPS * np.maximum(np.abs(low[here]), np.abs(high[here]))
            if piece.side and not piece.is_exact:
                grain[here] += EPS * abs(piece.origin) * np.exp(-low[here])
        rounding[:, here] = off + grain[here] / half * spread
        if "tv" in names:
            row = list(names).index("tv")
            # At an end itself a density may jump.
            inside = np.maximum(2.0**-44 * half, 2 * grain[here])
            points = np.column_stack((low[here] + inside, u, high[here] - inside))
            kink[:, here], jump = _sign_change(bounded(p, q, piece, points), points, INTEGRANDS["tv"])
            error[row] = np.maximum(error[row], jump)
        values[:, here] = whole
        for row, name in enumerate(names):
            lost = {"kl_pq": nodes.log_q, "kl_qp": nodes.log_p}.get(name)
            if lost is not None and (beyond := lost == -LARGEST).any():
                clipped[row, here] = (np.where(beyond, np.abs(f[row]), 0.0) @ kronrod) * half
        errors[:, here] = np.maximum(error, 4 * EPS * np.abs(whole))
    return _Panels(which, low, high, values, errors, clipped, rounding, grain, kink)


def _sign_change(nodes: Nodes, u: Array, integrand: Integrand) -> tuple[Array, Array]:
    """For each panel two neighbouring points, (2, panels), between which p - q changes its sign, and the part there.

    Of several the two about which that part of the integral is largest; nan and 0 where there are none.
    """
    d, f = log_ratio(nodes.log_p, nodes.log_q), integrand(nodes.log_p, nodes.log_q)
    d = np.where(np.abs(d) < 64 * EPS * (1 + np.abs(nodes.log_p)), 0.0, np.sign(d))
    weight = np.where(d[:, 1:] * d[:, :-1] < 0, (f[:, 1:] + f[:, :-1]) * (u[:, 1:] - u[:, :-1]), -1.0)
    place, each = weight.argmax(axis=1), np.arange(len(u))
    found = weight[each, place] >= 0
    return np.where(found, [u[each, place], u[each, place + 1]], np.nan), np.maximum(weight[each, place], 0.0)


def _cuts(p: Law, q: Law | None, cut: Sequence[Piece], found: _Panels) -> Array:
    """Where panels are cut: in the middle, or where p = q, which bisection finds between its two points."""
    middle, (low, high) = (found.low + found.high) / 2, found.kink.copy()
    for number in np.unique(found.piece[~np.isnan(low)]):
        at = np.flatnonzero((found.piece == number) & ~np.isnan(low))

        def above(u: Array, piece: Piece = cut[int(number)]) -> Mask:
            nodes = bounded(p, q, piece, u)
            return np.asarray(log_ratio(nodes.log_p, nodes.log_q) > 0)

        start = above(low[at])
        for _ in range(60):
            centre = (low[at] + high[at]) / 2
            same = above(centre) == start
            low[at], high[at] = np.where(same, centre, low[at]), np.where(same, high[at], centre)
        middle[at] = (low[at] + high[at]) / 2
    return middle


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
        halved = _Panels(*(column[..., bad] for column in found))
        middle = _cuts(p, q, cut, halved)
        # A panel of few doubles has no more to tell: its points would be the same, or lie on an end.
        inside = (middle > halved.low) & (middle < halved.high) & (halved.high - halved.low > _FINEST * halved.grain)
        bad[bad] = inside
        middle = middle[inside]
        if not bad.any():
            break
        halves = (
            np.concatenate([found.piece[bad]] * 2),
            np.concatenate([found.low[bad], middle]),
            np.concatenate([middle, found.high[bad]]),
        )
        new = _panels(p, q, cut, names, halves)
        both = zip(found, new, strict=True)
        found = _Panels(*(np.concatenate([old[..., ~bad], more], axis=-1) for old, more in both))
    return _summed(found, names, cut)


def _summed(found: _Panels, names: Mapping[str, Integrand | None], cut: Sequence[Piece]) -> dict[str, Integral]:
    """The panels' sums; inf where an integrand still weighs at the last panel of an endless piece."""
    last = np.zeros(len(found.low), dtype=np.bool_)
    for number, piece in enumerate(cut):
        low, high = piece.edges[-1]
        if piece.side and high >= FAR:
            last |= (found.piece == number) & (found.high > 0.85 * high)
        elif piece.side and low <= -FARTHEST:
            last |= (found.piece == number) & (found.low < 0.85 * low)
    results = {}
    rows = zip(names, found.values, found.errors, found.clipped, found.rounding, strict=True)
    for name, values, errors, clipped, rounding in rows:
        if not np.isfinite(values).all():
            results[name] = Integral(inf, inf)
            continue
        order = np.argsort(np.abs(values))
        value, left = float(values[order].sum()), float(np.abs(values[last]).sum())
        # An integral that converges has nothing left so far out, or so near to an end; below 1e-300 it is underflow.
        if left > _LEFT * abs(value) and left > 1e-300:  # noqa: PLR2004
            results[name] = Integral(inf, inf)
        else:
            error = float(errors.sum() + rounding.sum())
            results[name] = Integral(value, error + _BEYOND * (left + float(clipped.sum())))
    return results

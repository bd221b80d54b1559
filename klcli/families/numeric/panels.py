"""The line cut into panels that fit some laws, and the laws' log densities at a panel's points.

The line is cut at the laws' own marks (centres, multiples of their scales, ends of supports). Towards an end where a
density may be infinite, and out to infinity, the variable is the logarithm of the distance, so that x^-0.99 at 0 and
1/x^2 at infinity are as smooth as the rest.
"""

from __future__ import annotations

from itertools import pairwise
from math import exp, inf, isfinite, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.numeric.integrands import Nodes
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from klcli.engine.arrays import Array, Mask
    from klcli.families.law import Law

LARGEST = 1e308
"""A log density below -LARGEST fell below every double: inside its support it is held there, to be told from 0."""

FAR, FARTHEST = 709.0, 1e9
"""How far log x is followed: to the largest double, or where densities are known by log x until x^-1e-6 is e^-1000."""

# -------------------------------------------------------------------------------------------------------------- cutting


class Piece(NamedTuple):
    """Panels that share a variable: x itself (side 0), or x = origin + side e^u.

    shift: what is taken from x and from all that is located before, so that far from 0 no digits of x - mu are lost.
    """

    origin: float
    side: int
    edges: tuple[tuple[float, float], ...]
    shift: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether densities are known by the logarithm of the distance itself: x above 0, or 1 - x."""
        return self.shift == 0 and (self.origin, self.side) in {(0, 1), (1, -1)}


def _outward(start: float, last: float, limit: float) -> tuple[tuple[float, float], ...]:
    """Panels from start on, each twice as long as the one before, until the limit; last: which way."""
    found, length, u = [], 1.0, start
    while (limit - u) * last > 0:
        v = u + last * length
        v = limit if (limit - v) * last < 0 else v
        found.append((min(u, v), max(u, v)))
        u, length = v, 2 * length
    return tuple(found)


def pieces(
    laws: Sequence[Law], within: tuple[float, float] = (-inf, inf), steep_too: Iterable[float] = ()
) -> list[Piece]:
    """The line, or a part of it, in panels that fit these laws. steep_too: as `Continuous.steep`, of something else."""
    members = [one for law in laws for one in law.members]
    low = max(min(law.support[0][0] for law in laws), within[0])
    high = min(max(law.support[-1][1] for law in laws), within[1])
    if not low < high:
        return []
    steep = {end for one in members for end in one.steep}.union(steep_too)
    ends = {x for law in laws for interval in law.support for x in interval if isfinite(x)}
    ends |= {x for x in (low, high) if isfinite(x)} | steep
    marks = sorted({x for one in members for x in one.marks()} | ends)
    marks = [x for x in marks if low <= x <= high]
    if not marks:  # pragma: no cover - every family has marks
        marks = [0.0]
    found, straight = [], []
    for a, b in _stepped(marks, steep):
        if a == 0 and 0 in steep:
            found.append(Piece(a, 1, _outward(log(b - a), -1, -FARTHEST)))
        elif b == 1 and 1 in steep:
            found.append(Piece(b, -1, _outward(log(b - a), -1, -FARTHEST)))
        else:
            straight.append((a, b))
    anchors = {one.anchor for one in members}
    centres = [0.0] if None in anchors else sorted(anchors)
    nearest: dict[float, list[tuple[float, float]]] = {}
    for a, b in straight:
        c = min(centres, key=lambda centre: abs(a + (b - a) / 2 - centre))
        nearest.setdefault(c, []).append((a - c, b - c))
    found += [Piece(0.0, 0, tuple(edges), c) for c, edges in nearest.items()]
    for end, mark, side in ((low, marks[0], -1), (high, marks[-1], 1)):
        if isfinite(end):
            continue
        # Of the scales there the least: beside a wide law's end a narrow one may still weigh.
        scale = min((abs(mark - other) for other in marks if other != mark), default=1.0)
        limit = FAR if low < 0 else min(FAR - 1, log(scale) + 14)
        c = min(centres, key=lambda centre: abs(mark - centre))
        found.append(Piece(mark - c - side * scale, side, _outward(log(scale), 1, limit), c))
        if low >= 0:  # far out log x may be larger than the logarithm of any double
            beyond = log(exp(limit) + mark - scale)
            found.append(Piece(0.0, 1, _outward(beyond, 1, FARTHEST)))
    return found


def _stepped(marks: Sequence[float], steep: set[float]) -> list[tuple[float, float]]:
    """The gaps between marks; a gap far wider than those beside it in steps that grow fourfold from either side."""
    gaps = list(pairwise(marks))
    found: list[tuple[float, float]] = []
    for i, (a, b) in enumerate(gaps):
        ends = a == 0 and 0 in steep, b == 1 and 1 in steep
        cuts = {a, b}
        for start, beside, sign, is_steep in ((a, i - 1, 1, ends[0]), (b, i + 1, -1, ends[1])):
            step = 4 * (gaps[beside][1] - gaps[beside][0]) if 0 <= beside < len(gaps) and not is_steep else b - a
            while 0 < step < (b - a) / 2:
                cuts.add(start + sign * step)
                step *= 4
        if len(cuts) > 2 and not any(ends):  # noqa: PLR2004
            cuts.add(a + (b - a) / 2)
        edges = sorted(cuts)
        found.extend(pairwise(edges))
    return found


# -------------------------------------------------------------------------------------------------- the densities there


def method_at(piece: Piece, u: Array) -> tuple[str, Array]:
    """The method of laws and families that knows log densities at a piece's points, and the points as it takes them.

    They are less the piece's shift, as the laws must be.
    """
    if piece.side == 0:
        return "log_density", u
    if piece.is_exact and piece.side > 0:
        return "log_density_above_0", u
    if piece.is_exact:
        return "log_density_below_1", u
    return "log_density", piece.origin + piece.side * np.exp(u)


def _nodes(p: Law, q: Law | None, piece: Piece, u: Array) -> Nodes:
    """The logarithms of the densities at a piece's points."""
    log_step = u if piece.side else np.zeros_like(u)
    method, at = method_at(piece, u)
    log_p = getattr(p, method)(at)
    log_q = log_p if q is None else getattr(q, method)(at)
    return Nodes(log_p + log_step, log_q + log_step, log_step)


def _supported(law: Law, piece: Piece, u: Array) -> Mask:
    """Whether a point lies inside the law's support, where a density of 0 is but less than any double."""
    x = u if piece.side == 0 else piece.origin + piece.side * np.exp(np.minimum(u, 709.0))
    inside = np.zeros(np.shape(u), dtype=np.bool_)
    for low, high in law.support:
        inside |= (x >= low) & (x <= high)
    return inside


def bounded(p: Law, q: Law | None, piece: Piece, u: Array) -> Nodes:
    """The nodes of a piece; a log density inside its support that is below every double is the least double there."""
    if piece.shift:
        p, q = p.moved(piece.shift), None if q is None else q.moved(piece.shift)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _nodes(p, q, piece, u)
    held = []
    for law, logs in ((p, found.log_p), (q or p, found.log_q)):
        lost = logs < -LARGEST
        if lost.any():
            held.append(np.where(lost & _supported(law, piece, u), -LARGEST, logs))
        else:
            held.append(logs)
    return Nodes(held[0], held[1], found.log_step)

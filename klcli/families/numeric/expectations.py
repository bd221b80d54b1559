"""Of densities and whole numbers alike: expectations, the largest value of a function, mass outside a support."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import CONTINUOUS
from klcli.families.numeric.integrands import INTEGRANDS
from klcli.families.numeric.panels import LARGEST, bounded, pieces
from klcli.families.numeric.quadrature import integrate
from klcli.families.numeric.summation import add_up, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.engine.arrays import Array
    from klcli.families.law import Law
    from klcli.families.numeric.integrands import Integral, Integrand
    from klcli.families.numeric.panels import Piece


def expectations(p: Law, q: Law | None, names: Mapping[str, Integrand | None]) -> dict[str, Integral]:
    """The integrals, or sums, of some integrands."""
    if p.kind != CONTINUOUS:
        return add_up(p, q, names)
    return integrate(p, q, names, pieces([p] if q is None else [p, q]))


def _logs_at(p: Law, q: Law, piece: Piece, u: Array, function: Integrand) -> Array:
    nodes = bounded(p, q, piece, u)
    values = function(nodes.log_p, nodes.log_q)
    return np.where(np.isnan(values), -inf, values)


def _highest_of_counts(p: Law, q: Law, function: Integrand) -> float:
    for beyond in range(8):
        runs = whole_numbers([p, q], beyond)
        if not runs:
            break
        k = np.concatenate([numbers for numbers, _ in runs])
        values = function(p.log_density(k), q.log_density(k))
        if k[-1] == p.support[-1][1] or values[-1] <= values[len(k) // 2] + 0.01:
            return float(values.max())
    return inf


def highest(p: Law, q: Law, function: Integrand) -> float:
    """The largest value of a function of (log p, log q) over the line, inf where it still grows at an endless end.

    The logs hold that of the step, as an integrand's do. 33 points a panel find the highest, 12 rounds of 33 between
    its neighbours narrow it 16^12-fold, to rounding. It still grows where the last point out is 0.01 above the middle.
    """
    if p.kind != CONTINUOUS:
        return _highest_of_counts(p, q, function)
    best = -inf
    for piece in pieces([p, q]):
        low, high = (np.array(side) for side in zip(*piece.edges, strict=True))
        if piece.side:
            u = np.linspace(low.min(), high.max(), 66)[1:-1]
            nodes = bounded(p, q, piece, u if piece.edges[-1][0] > piece.edges[0][0] else u[::-1])
            kept = (nodes.log_p != -LARGEST) & (nodes.log_q != -LARGEST)
            outwards = function(nodes.log_p, nodes.log_q)[kept]
            if len(outwards) and outwards[-1] > outwards[len(outwards) // 2] + 0.01:
                return inf
        u = low[:, None] + (high - low)[:, None] * np.linspace(0.01, 0.99, 33)
        for _ in range(12):
            values = _logs_at(p, q, piece, u, function)
            row, column = np.unravel_index(int(values.argmax()), values.shape)
            best = max(best, float(values[row, column]))
            step = u[row, 1] - u[row, 0]
            u = np.linspace(u[row, column] - step, u[row, column] + step, 33)[None, :]
    return best


def outside(p: Law, q: Law) -> float:
    """The mass of P where Q has none."""
    if p.kind != CONTINUOUS:
        masses = (np.exp(p.log_density(k)) * block * np.isneginf(q.log_density(k)) for k, block in whole_numbers([p]))
        return float(sum(each.sum() for each in masses))
    gaps, start = [], -inf
    for low, high in q.support:
        gaps.append((start, low))
        start = high
    gaps.append((start, inf))
    return sum(_mass_between(p, gap) for gap in gaps if gap[0] < gap[1])


def mass_below(p: Law, x: float) -> float:
    """The mass of a density below a point."""
    return _mass_between(p, (-inf, x))


def _mass_between(p: Law, ends: tuple[float, float]) -> float:
    return integrate(p, None, {"mass_p": INTEGRANDS["mass_p"]}, pieces([p], ends))["mass_p"].value

"""Bins that every family of a ranking shares, the mass that a law has in each, and how far it is from the data's.

The first bin reaches down to -inf and the last up to inf, so that no mass of a model escapes. Every bin holds data, so
that both directions of KL are finite where the law covers the data: empty ones are joined to a neighbour.
"""

from __future__ import annotations

from math import ceil, inf, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.score import score
from klcli.fits import Histogram
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    import numpy.typing as npt

    from klcli.families.law import Law
    from klcli.families.likelihood.sorted_sample import SortedSample
    from klcli.model import Array

    Places = npt.NDArray[np.signedinteger]

FEWEST, MOST = 5, 1000
"""Bins that 'auto' takes, before those with little data are joined."""

_IN_TAILS = 20
"""Of these, bins beyond the equal ones on either side, each twice as wide as the one before: for heavy tails."""

_HELD = 5.0
"""Values a bin of 'auto' holds at least: then 2 n KL is near chi-square. Fewer than ten times as many: any."""

_UNDERFLOW, _CANCELLED = 1e-290, 1e-7

_ROUNDING = 1e-28
"""A KL below is of masses that differ by rounding, whose square it is."""

_SUMMED = 512
"""Counts whose masses are added up, at most."""


def histogram(data: SortedSample, bins: int | None, *, counts: bool) -> Histogram:
    """The data's shares of bins. bins: of equal width, before empty ones are joined; None: as many as the data bear.

    Source: of the width Freedman & Diaconis 1981; of counts a bin a number, with edges half way between.
    """
    if bins is not None:
        inner, least = np.linspace(data.x[0], data.x[-1], bins + 1)[1:-1], 0.0
        if counts:
            inner = np.unique(np.floor(inner)) + 0.5
    else:
        least = _HELD if data.n >= 10 * _HELD else 0.0
        inner = _units(data) if counts else _freedman_diaconis(data)
        least = max(least, data.n / MOST) if counts else least
    upto = np.concatenate(([0.0], data.upto))
    below = np.unique(np.concatenate(([0.0], upto[np.searchsorted(data.x, inner, side="right")], [1.0])))
    places = np.searchsorted(upto[np.searchsorted(data.x, inner, side="right")], below[1:-1])
    edges = np.concatenate(([-inf], inner[places], [inf]))
    found = _joined(edges, below, least / data.n)
    return found if least == 0 or len(found.mass) >= FEWEST else _joined(edges, below, 0.0)


def _units(data: SortedSample) -> Array:
    """Edges between whole numbers that occur: an empty one belongs to the next that does."""
    inner: Array = data.x[:-1] + 0.5
    return inner


def _freedman_diaconis(data: SortedSample) -> Array:
    """Inner edges about the median, on rounded data half way between values; where they end bins double in width."""
    low, high = float(data.x[0]), float(data.x[-1])
    quarters = data.quantiles(np.array([0.25, 0.75]))
    width = 2 * float(quarters[1] - quarters[0]) * max(data.n, 1.0) ** (-1 / 3)
    width = min(width or inf, (high - low) / FEWEST)
    start, step = data.median, _rounded_to(data, width)
    if step:
        width = step * max(1, round(width / step))
        start = low + step * (round((start - low) / step) + 0.5)
    most = MOST // 2 - _IN_TAILS
    down, up = (min(most, ceil(span / width)) for span in (start - low, high - start))
    inner = start + width * np.arange(-down, up + 1)
    tails = width * (2.0 ** np.arange(1, _IN_TAILS + 1) - 1)
    inner = np.concatenate((inner[0] - tails[::-1], inner, inner[-1] + tails))
    return inner[(inner > low) & (inner < high)]


def _rounded_to(data: SortedSample, width: float) -> float:
    """What all distances between values are multiples of, if that is not below a thousandth of a bin; else 0."""
    gaps = np.diff(data.x)
    step = float(gaps.min())
    if step < width / 1000:
        return 0.0
    parts = gaps / step
    blur = 1e-6 + 4 * np.spacing(np.abs(data.x[1:])) / step
    return step if bool((np.abs(parts - np.round(parts)) <= blur).all()) else 0.0


def _joined(edges: Array, below: Array, least: float) -> Histogram:
    """Bins joined until each has at least that share. below: of the data, (m + 1,), rising from 0 to 1."""
    kept = [0]
    for i in range(1, len(below) - 1):
        if below[i] - below[kept[-1]] >= least * (1 - 1e-9) and below[i] > below[kept[-1]]:
            kept.append(i)
    while len(kept) > 1 and 1 - below[kept[-1]] < least * (1 - 1e-9):
        kept.pop()
    places = [*kept, len(below) - 1]
    return Histogram(edges[places], np.diff(below[places]))


class Masses(NamedTuple):
    """Of a law in bins, (m,): mass, 0 where it is too small for a number, and its logarithm, which is not."""

    mass: Array
    logs: Array


def masses(law: Law, edges: Array) -> Masses:
    """Differences of the distribution function, above the median of its complement: accurate in both tails."""
    below, above = law.cdf(edges), law.sf(edges)
    found = np.where(below[:-1] > 0.5, above[:-1] - above[1:], below[1:] - below[:-1])  # noqa: PLR2004
    mass = np.maximum(np.where(np.isfinite(found), found, 0.0), 0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(mass)
    # A difference that is tiny beside what it is the difference of has lost its digits.
    beside = np.minimum(below[1:], above[:-1])
    for i in np.flatnonzero((mass < _UNDERFLOW) | (mass < _CANCELLED * beside)):
        logs[i] = _log_mass(law, float(edges[i]), float(edges[i + 1]), upper=bool(below[i] > 0.5))  # noqa: PLR2004
        mass[i] = np.exp(logs[i])
    return Masses(np.where(mass < _UNDERFLOW, 0.0, mass), logs)


def _log_mass(law: Law, low: float, high: float, *, upper: bool) -> float:
    """log of the mass between, from the density: in a tail all of it is near the end that is nearer the middle.

    Gauss-Legendre in 64 points; for counts a sum.
    """
    end, way = (low, 1.0) if upper else (high, -1.0)
    if law.kind != "continuous":
        k = np.floor(end) + (np.arange(1.0, _SUMMED + 1) if upper else -np.arange(0.0, _SUMMED))
        return _log_sum(law.log_density(k[(k > low) & (k < high)]), 0.0)
    near = abs(end) * 1e-6 or 1e-12
    first, second = law.log_density(np.array([end, end + way * near])).tolist()
    slope = (first - second) / near
    length = min(high - low, 45 / slope if slope > 0 else inf)
    if not isfinite(length):
        return -inf
    nodes, weights = np.polynomial.legendre.leggauss(64)
    return _log_sum(law.log_density(end + way * length * (nodes + 1) / 2), np.log(weights * length / 2))


def _log_sum(logs: Array, of: Array | float) -> float:
    whole = logs + of
    highest = float(whole.max(initial=-inf))
    return highest if highest == -inf else highest + float(np.log(np.exp(whole - highest).sum()))


class Divergences(NamedTuple):
    """kl_data_model, kl_model_data in nats; error: the standard error of the former."""

    data_model: float
    model_data: float
    error: float


def divergences(data: Array, model: Masses, n: float) -> Divergences:
    """Between the data's shares, all > 0, and a law's masses. n: how many values there are.

    error: that of the mean of log(data/model) over n values (delta method).
    """
    tiny = model.mass == 0
    if tiny.all():
        return Divergences(inf, inf, inf)
    p, q = data[:, None], model.mass[:, None]
    found = score(p, q, ["kl_pq", "kl_qp"])
    forward, reverse = float(found["kl_pq"][0]), float(found["kl_qp"][0])
    if max(forward, reverse) < _ROUNDING:
        return Divergences(0.0, 0.0, 0.0)
    ratios = np.log(data) - model.logs
    if tiny.any():
        rest = score(p[~tiny], q[~tiny], ["kl_pq"], normalize=False)["kl_pq"]
        forward = float(rest[0]) + float((data * ratios)[tiny].sum())
    with np.errstate(invalid="ignore"):
        error = sqrt(float(data @ np.square(ratios - forward)) / n) if np.isfinite(forward) else inf
    return Divergences(forward, reverse, error)


_LOOKED_AT = 1 << 14
"""Values at which the distance is computed first; in between it is, where it might be greater."""


def kolmogorov_smirnov(data: SortedSample, law: Law, *, counts: bool) -> float:
    """The greatest distance between the distribution functions of the data and of the law."""
    before = np.concatenate(([0.0], data.upto[:-1]))

    def model(which: Places) -> tuple[Array, Array]:
        """P(X <= x), P(X < x)."""
        x = data.x[which]
        upto = law.cdf(x)
        return upto, law.cdf(np.ceil(x) - 1) if counts else upto

    def greatest(which: Places, upto: Array, under: Array) -> float:
        return float(np.maximum(np.abs(data.upto[which] - upto), np.abs(before[which] - under)).max())

    last = len(data.x) - 1
    which = np.unique(np.linspace(0, last, min(last + 1, _LOOKED_AT)).astype(np.intp))
    upto, under = model(which)
    best = greatest(which, upto, under)
    i, j = which[:-1], which[1:]
    # Between two places both functions only rise: this is the most they can be apart.
    bound = np.maximum(before[j] - upto[:-1], upto[1:] - data.upto[i])
    some = np.flatnonzero((bound > best) & (j > i + 1))
    if len(some):
        between = np.concatenate([np.arange(i[k] + 1, j[k]) for k in some])
        best = max(best, greatest(between, *model(between)))
    return best

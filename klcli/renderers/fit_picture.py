"""What a picture of a fit shows, before it is drawn in characters or by matplotlib: which part, which curves."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import CONTINUOUS, FAMILIES, VECTORS
from klcli.families.formula import Formula
from klcli.families.grid import points as points_of
from klcli.families.law import Law
from klcli.fits import FORWARD, REVERSE
from klcli.renderers.component import for_people
from klcli.renderers.text import short
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from klcli.families.formula import Component
    from klcli.fits import FitReport, Histogram, Sample
    from klcli.model import Array

_MOST_CURVES = 3
_TAIL, _FIT_TAIL = 0.005, 0.025
_MOST_QUARTILES = 4.0
"""So many times the distance of the quartiles is shown beyond them: of a Cauchy sample the body, not the farthest."""
_NEAR = 0.2
"""An end that lies no farther out than such a share of the picture is shown with it."""
_NARROW, _COARSE = 1200, 60
_MOST_ABOVE = {True: 2.5, False: 1.5}
"""A curve may be so many times as high as a smooth target, or as bars, before it is cut off."""
_MOST_PEAKED = 1.5
_LONGEST_TICK = 7
_UNSEEN, _WORTH_SAYING = 0.001, 0.0005
_FILLED = 0.86
"""So much of a whole number's place its bar takes."""
_DIGITS, _KL_DIGITS = 3, 4


class Curve(NamedTuple):
    """A fitted density, or masses. direction: of a projection, else ''. kl: what it is the least, or ranked, by."""

    component: Component
    direction: str
    kl: float

    def heights(self, x: Array) -> Array:
        """The density, or the mass, at points."""
        return _heights(Formula("", (self.component,)), x)


class Picture(NamedTuple):
    """What is shown. edges, heights: of the data's bars, or of the target's density in narrow steps (smooth).

    counts: bars stand for whole numbers, `each` of them in one bar. top: of the y axis. outside: the share of the data,
    or of the target, that lies to the left or right of the picture.
    """

    edges: Array
    heights: Array
    curves: tuple[Curve, ...]
    smooth: bool = False
    counts: bool = False
    each: int = 1
    top: float = 1.0
    outside: float = 0.0

    def points(self) -> Array:
        """Where the curves are evaluated for each bar: its middle, of counts a whole number."""
        middles: Array = (self.edges[:-1] + self.edges[1:]) / 2
        return np.floor(middles) if self.counts else middles

    def bars(self) -> tuple[Array, Array]:
        """Where each bar begins and how wide it is: those of whole numbers stand apart."""
        widths = np.diff(self.edges)
        filled = _FILLED if self.counts and self.each == 1 else 1.0
        return self.edges[:-1] + widths * (1 - filled) / 2, widths * filled

    def line(self, curve: Curve, points: int) -> tuple[Array, Array]:
        """Where a curve goes through at so many points, of counts at the whole numbers; nan where it runs along 0."""
        x = self.points() if self.counts else np.linspace(self.edges[0], self.edges[-1], points + 2)[1:-1]
        heights = np.nan_to_num(curve.heights(x), posinf=10 * self.top)
        if not self.counts:
            heights[heights < _UNSEEN * self.top] = np.nan
        return x, heights

    def remarks(self) -> Iterator[str]:
        """What the picture does not show as it is."""
        if self.each > 1:
            yield f"{self.each} numbers a bar"
        if self.outside >= _WORTH_SAYING:
            yield f"{100 * self.outside:.2g} % lie outside the picture"


def picture(report: FitReport, most_bars: int) -> Picture | None:
    """The picture of a report, counts in at most so many bars; None where there is nothing on a line to show."""
    kinds = {FAMILIES[fit.component.family].kind for fit in report.fits}
    if report.target is not None:
        kinds.add(report.target.kind)
    if VECTORS in kinds:
        return None
    curves, counts = _curves(report), bool(kinds - {CONTINUOUS})
    if report.target is not None:
        shown = _of_target(report.target, curves, most_bars, counts=counts)
    elif report.sample is None or report.histogram is None:
        return None
    elif counts:
        shown = _of_counts(report.sample, most_bars)
    else:
        shown = _of_sample(report.sample, report.histogram)
    shown = shown._replace(curves=curves)
    # Of data near the ends of what a number can hold a density has none.
    return shown._replace(top=_top(shown)) if np.isfinite(shown.heights).all() else None


def _curves(report: FitReport) -> tuple[Curve, ...]:
    """The best fits; of a projection both ways the best forward and the best reverse ones."""
    ways = {way: [fit for fit in report.fits if fit.direction == way] for way in (FORWARD, REVERSE, "")}
    first = 1 if ways[REVERSE] else _MOST_CURVES
    fits = [*ways[FORWARD][:first], *ways[REVERSE], *ways[""]][:_MOST_CURVES]
    return tuple(
        Curve(fit.component, fit.direction, fit.kl_model_data if fit.direction == REVERSE else fit.kl_data_model)
        for fit in fits
    )


def _heights(formula: Formula, x: Array) -> Array:
    with np.errstate(all="ignore"):
        heights: Array = np.exp(Law(formula).log_density(x))
    return heights


def data_label(report: FitReport) -> str:
    """What the bars are: 'data, 300 values', or of a projection the target."""
    return "P, the target" if report.sample is None else f"data, {report.n:.15g} values"


def curve_label(curve: Curve) -> str:
    """'normal, KL(P||Q) 0.0012'; of a projection with its direction and parameters, for there may be several."""
    pair = "KL(Q||P)" if curve.direction == REVERSE else "KL(P||Q)"
    name = curve.component.family
    if curve.direction:
        values = ", ".join(
            short(value, _DIGITS) if isinstance(value, int | float) else "..."
            for value in for_people(curve.component).values()
        )
        name = f"{curve.direction} {name}({values})"
    return f"{name}, {pair} {short(curve.kl, _KL_DIGITS)}"


# ------------------------------------------------------------------------------------------------------------- the data


def _of_sample(sample: Sample, histogram: Histogram) -> Picture:
    """The bins of the ranking, those without an end up to the farthest value, as far as they are in the picture."""
    low, high = _data_range(sample)
    least, most, mass = float(sample.values.min()), float(sample.values.max()), histogram.mass
    with np.errstate(over="ignore"):
        edges = _ended(histogram.edges, min(low, least), max(high, most))
    # Data from 0 on have no bar below it; the first is then as high as if it went on there.
    if low <= least:
        low = max(float(edges[0]), 0.0) if least >= 0 else float(edges[0])
    high = float(edges[-1]) if high >= most else high
    widths = np.diff(edges)
    inside = (edges[1:] > low) & (edges[:-1] < high) & (widths > 0)
    if not inside.any():
        return Picture(np.array([low, high]), np.array([1 / (high - low)]), ())
    with np.errstate(over="ignore"):
        heights = mass[inside] / widths[inside]
    kept = np.clip(np.append(edges[:-1][inside], edges[1:][inside][-1]), low, high)
    return Picture(kept, heights, (), outside=_share(sample, (sample.values < kept[0]) | (sample.values > kept[-1])))


def _ended(edges: Array, least: float, most: float) -> Array:
    """The edges, those without an end as far out as the data, their bins at least as wide as the neighbours.

    A bin would be a spike where the farthest value is near its other end.
    """
    edges = edges.copy()
    inner = edges[1:-1]
    widths = np.diff(inner)
    first, last = (inner[0] - widths[0], inner[-1] + widths[-1]) if widths.size else (least, most)
    if np.isinf(edges[0]):
        edges[0] = min(least, *inner[:1], first if np.isfinite(first) else least)
    if np.isinf(edges[-1]):
        edges[-1] = max(most, *inner[-1:], last if np.isfinite(last) else most)
    return edges


def _of_counts(sample: Sample, most_bars: int) -> Picture:
    """A bar a whole number, or as many numbers as it takes."""
    low, high = _data_range(sample)
    edges, each = _whole(low, high, most_bars)
    heights = np.histogram(sample.values, edges, weights=sample.weights)[0] / (_total(sample) * each)
    outside = _share(sample, (sample.values < edges[0]) | (sample.values > edges[-1]))
    return Picture(edges, heights, (), counts=True, each=each, outside=outside)


def _total(sample: Sample) -> float:
    return float(sample.values.size if sample.weights is None else sample.weights.sum())


def _share(sample: Sample, chosen: Array) -> float:
    weights = chosen if sample.weights is None else sample.weights[chosen]
    return float(weights.sum()) / _total(sample)


def _data_range(sample: Sample) -> tuple[float, float]:
    """Where the body of the data is, and all of it where that is not much farther."""
    wanted = np.array([_TAIL, 0.25, 0.75, 1 - _TAIL])
    if sample.weights is None:
        values = sample.values
        tail, lower, upper, other_tail = np.quantile(values, wanted).tolist()
    else:
        order = np.argsort(sample.values)
        values, weights = sample.values[order], sample.weights[order]
        values, weights = values[weights > 0], weights[weights > 0]
        at = np.searchsorted(np.cumsum(weights), wanted * weights.sum()).clip(max=len(values) - 1)
        tail, lower, upper, other_tail = values[at].tolist()
    reach = _MOST_QUARTILES * (upper - lower) or np.inf
    low, high = max(tail, lower - reach), min(other_tail, upper + reach)
    least, most = float(values.min()), float(values.max())
    near = _NEAR * (high - low)
    low, high = least if low - least <= near else low, most if most - high <= near else high
    if least >= 0 and low <= near:
        low = 0.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _whole(low: float, high: float, most_bars: int) -> tuple[Array, int]:
    """Edges half-way between whole numbers, and how many of these are between two of them."""
    first, last = floor(low), ceil(high)
    each = -(-(last - first + 1) // most_bars)
    bars = -(-(last - first + 1) // each)
    edges: Array = first - 0.5 + each * np.arange(bars + 1, dtype=np.float64)
    return edges, each


# ----------------------------------------------------------------------------------------------------------- the target


def _of_target(target: Formula, curves: tuple[Curve, ...], most_bars: int, *, counts: bool) -> Picture:
    low, high = _target_range(target, curves)
    each, smooth = 1, False
    if target.grid is not None:
        step, points = target.grid.step, points_of(target.grid)
        heights = _heights(target, points)
        heights /= heights.sum() * step
        inside = (points >= low - step) & (points <= high + step)
        points, heights = points[inside], heights[inside]
        edges = np.append(points, points[-1] + step) - step / 2
        smooth, counts = len(points) > _COARSE and not counts, counts and step == 1
        return Picture(edges, heights, (), smooth, counts, outside=max(0.0, 1 - float(heights.sum() * step)))
    if counts:
        edges, each = _whole(low, high, most_bars)
    else:
        edges, smooth = low + (high - low) / _NARROW * np.arange(_NARROW + 1.0), True
    shown = Picture(edges, edges[1:], (), smooth, counts, each)
    below, upto = Law(target).cdf(edges[[0, -1]]).tolist()
    heights = np.nan_to_num(_heights(target, shown.points()), posinf=0.0)
    return shown._replace(heights=heights, outside=1 - (upto - below))


def _target_range(target: Formula, curves: tuple[Curve, ...]) -> tuple[float, float]:
    """Where the bodies of the target's components are, and of the fits, these up to the target's width beyond."""
    ends = [_body(component, _TAIL) for component in target.components]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    fits = [_body(curve.component, _FIT_TAIL) for curve in curves]
    width = high - low or 1.0
    return (
        max(low - width / 2, min([low, *(end[0] for end in fits)])),
        min(high + width / 2, max([high, *(end[1] for end in fits)])),
    )


def _body(component: Component, tail: float) -> tuple[float, float]:
    law = Law(Formula("", (component,)))
    tail_at, lower, upper, other_tail = (float(law.quantiles([u])[0]) for u in (tail, 0.25, 0.75, 1 - tail))
    reach = _MOST_QUARTILES * (upper - lower) or np.inf
    low, high = max(tail_at, lower - reach), min(other_tail, upper + reach)
    bottom = law.support[0][0]
    return (bottom if low - bottom <= _NEAR * (high - low) else low), high


# ----------------------------------------------------------------------------------------------------------- the y axis


def _top(shown: Picture) -> float:
    """The height of the picture: that of the bars, and of the curves where they are not much higher."""
    low, high = float(shown.edges[0]), float(shown.edges[-1])
    highest = _peak(shown.heights) if shown.smooth else float(shown.heights.max())
    cells = low + (high - low) / _NARROW * np.arange(0.5, _NARROW)
    curves = [
        float(curve.heights(shown.points()).max()) if shown.counts else _peak(curve.heights(cells))
        for curve in shown.curves
    ]
    return max(highest, min(max([0.0, *curves]), _MOST_ABOVE[shown.smooth] * highest)) or 1.0


def _peak(heights: Array) -> float:
    """The greatest height, or where it is far above its neighbours, as of a density without a limit, their mean."""
    heights = np.nan_to_num(heights, posinf=0.0)
    means = [float(part.mean()) for part in np.array_split(heights, min(_COARSE, len(heights)))]
    most = float(heights.max())
    return most if most <= _MOST_PEAKED * max(means) else max(means)


def ticks(low: float, high: float, most: int, *, whole: bool = False) -> dict[float, str]:
    """At most so many round numbers from low to high, and how they are written. whole: as counts are."""
    rough = max((high - low) / most, float(whole))
    unit = 10.0 ** floor(log10(rough))
    for step in (unit, 2 * unit, 5 * unit, 10 * unit, 20 * unit):
        first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
        if last - first < most:
            break
    decimals = max(0, -floor(log10(step) + 1e-9))
    texts = {k * step: f"{k * step:.{decimals}f}" if k else "0" for k in range(first, last + 1)}
    if max(map(len, texts.values()), default=0) > _LONGEST_TICK:
        short = {at: f"{at:.3g}" for at in texts}
        texts = short if len(set(short.values())) == len(short) else texts
    return texts

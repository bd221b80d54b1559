"""The picture of a fit in characters: bars of blocks, the fitted curves over them, an axis on two sides, a legend."""

from __future__ import annotations

from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from klcli.renderers.fit_picture import curve_label, picture, ticks
from klcli.renderers.text import QUIET, short
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from klcli.fits import FitReport
    from klcli.model import Array
    from klcli.renderers.fit_picture import Curve, Picture
    from klcli.renderers.terminal import Kit

    Mask = npt.NDArray[np.bool_]

_ROWS, _NARROW_ROWS, _NARROW = 12, 10, 60
_WIDEST_PLOT, _WIDEST_BAR = 100, 9
_SMALLEST = 8
_DIGITS = 3
_LEAST_SEEN = 0.1
"""Of a row: what is lower runs along the axis and is not drawn."""
_ON_EDGE = 1e-9
_GAP_FROM = 3
"""Bars of so many columns have a gap between them."""
_FULL = 0.8
"""The picture may be narrower by such a share, so that all bars are of one width."""
_WITHOUT_PARTS = 2
_AT_TOP = 0.02
_MOST_LABELS = 4
_AROUND = 12
"""What labels and the axis take at most."""
_MOST_TICKS, _PER_TICK = 6, 2
_WORTH_SAYING = 0.0005


class _PictureStyle(NamedTuple):
    """What the picture is made of. levels: parts of a cell, from nothing to all of it. marks: of the curves."""

    levels: str
    marks: str
    side: str
    tick_left: str
    corner: str
    floor: str
    tick_below: str


_UNICODE = _PictureStyle(" ▁▂▃▄▅▆▇█", "●○+", "│", "┤", "└", "─", "┴")
_ASCII = _PictureStyle(" #", "o*x", "|", "+", "+", "-", "+")
# Of the 256 colours some that show on black, on white, and the curves' on the bars'.
_BAR_COLOR = "color(25)"
_CURVE_COLORS = ("color(208)", "color(199)", "color(40)")


def picture_lines(report: FitReport, kit: Kit) -> Iterator[Text]:
    """The picture, below an empty line; nothing where there is nothing to draw, or no room."""
    most = min(_WIDEST_PLOT, kit.width - _AROUND)
    shown = picture(report, max(1, most))
    if shown is None or most < _SMALLEST:
        return
    style = _UNICODE if kit.view.unicode else _ASCII
    rows = _ROWS if kit.width >= _NARROW else _NARROW_ROWS
    # A label stands in the row in which a bar of its height ends; zero on the axis itself.
    labels = {ceil(at / shown.top * rows - _ON_EDGE): text for at, text in ticks(0.0, shown.top, _MOST_LABELS).items()}
    margin = 1 + max(map(len, labels.values()))
    plot = _Plot(shown, min(_WIDEST_PLOT, kit.width - margin - 3), rows, style, color=kit.view.color)
    yield Text("")
    for row in range(rows, 0, -1):
        label = labels.get(row, "")
        line = Text().append(f"{label:>{margin}} {style.tick_left if label else style.side}", style=kit.style(QUIET))
        yield plot.append(line, row - 1)
    yield from _axis(plot, labels.get(0, ""), margin, kit)
    yield from _legend(report, shown, style, kit)


# ------------------------------------------------------------------------------------------------------ bars and curves


class _Plot:
    """The cells between the axes. bar: the columns that a whole number takes, else 1."""

    def __init__(self, shown: Picture, width: int, rows: int, style: _PictureStyle, *, color: bool) -> None:
        self.shown, self.rows, self.style, self._color = shown, rows, style, color
        bins = len(shown.heights)
        if shown.counts:
            self.bar = max(1, min(_WIDEST_BAR, width // bins))
            self.width = self.bar * bins
            gap = int(self.bar >= _GAP_FROM)
            heights = np.repeat(shown.heights, self.bar)
            heights[self.bar - 1 :: self.bar] *= not gap
            self._middle = (self.bar - 1 - gap) // 2
            curves = np.full((len(shown.curves), self.width), np.nan)
            for curve, line in zip(shown.curves, curves, strict=True):
                line[self._middle :: self.bar] = curve.heights(shown.points())
        else:
            self.bar, self._middle = 1, 0
            self.width = width // bins * bins if _FULL * width <= width // bins * bins else width
            heights, x = _of_columns(shown, self.width)
            curves = np.array([_peaked(curve, x) for curve in shown.curves]).reshape(-1, self.width)
        self._heights = heights / shown.top * rows
        self._on = np.array([self._cells(line / shown.top * rows) for line in curves]).reshape(-1, rows, self.width)

    def _cells(self, line: Array) -> Mask:
        """The cells that a curve goes through, (rows, width), nan: none; without gaps where it is steep."""
        line = np.nan_to_num(line, nan=0.0, posinf=2.0 * self.rows)
        line = np.where(line <= self.rows * (1 + _AT_TOP), line.clip(max=self.rows), line)
        at = np.where(line > _LEAST_SEEN, np.ceil(line - _ON_EDGE).clip(max=self.rows + 1), 0).astype(int) - 1
        on = np.zeros((self.rows + 1, self.width), dtype=bool)
        for column, row in enumerate(at.tolist()):
            if row >= 0:
                on[row, column] = True
            if self.shown.counts or column == 0:
                continue
            low, high = sorted((max(0, int(at[column - 1])), max(0, row)))
            middle, first, then = (low + high + 1) // 2, column - 1, column
            if row < at[column - 1]:
                first, then = then, first
            on[low + 1 : middle, first] = True
            on[middle:high, then] = True
        return on[: self.rows]

    def column(self, x: float) -> int:
        """Where on the x axis a number is."""
        edges = self.shown.edges
        share = (x - edges[0]) / (edges[-1] - edges[0])
        at = int(share * self.width)
        return min(self.width - 1, at // self.bar * self.bar + self._middle)

    def append(self, line: Text, row: int) -> Text:
        """Adds a row of cells, the lowest being 0."""
        parts = np.clip(self._heights - row, 0, 1) * (len(self.style.levels) - 1)
        levels = np.floor(parts + 0.5).astype(int)
        if row == 0 and not self.shown.smooth and len(self.style.levels) > _WITHOUT_PARTS:
            levels[(levels == 0) & (parts > 0)] = 1
        for column, level in enumerate(levels.tolist()):
            curves = np.flatnonzero(self._on[:, row, column])
            if not curves.size:
                line.append(self.style.levels[level], style=_BAR_COLOR if self._color else "")
                continue
            # Curves in one place take turns, so that all are seen.
            curve = int(curves[column // self.bar % curves.size])
            full = level == len(self.style.levels) - 1
            style = f"bold {_CURVE_COLORS[curve]}{f' on {_BAR_COLOR}' if full else ''}"
            line.append(self.style.marks[curve], style=style if self._color else "")
        return line


def _peaked(curve: Curve, x: Array) -> Array:
    """The curve at the middles of columns, and where it has a peak, or rises without end, what it reaches."""
    heights = curve.heights(x)
    within = curve.heights(x[:, np.newaxis] + (x[1] - x[0]) * np.linspace(-0.45, 0.45, 19))
    besides = np.pad(heights, 1, constant_values=-1.0)
    peaks = (heights >= besides[:-2]) & (heights >= besides[2:])
    return np.where(peaks, within.max(axis=1), heights)


def _of_columns(shown: Picture, width: int) -> tuple[Array, Array]:
    """The height of the bars in each column, and its middle: of the bar that is there, or the mean of many."""
    ends = np.linspace(shown.edges[0], shown.edges[-1], width + 1)
    middles = (ends[:-1] + ends[1:]) / 2
    if len(shown.heights) <= width:
        at = np.searchsorted(shown.edges, middles, side="right") - 1
        return shown.heights[at.clip(0, len(shown.heights) - 1)], middles
    below = np.append(0.0, np.cumsum(shown.heights * np.diff(shown.edges)))
    return np.diff(np.interp(ends, shown.edges, below)) / np.diff(ends), middles


# ------------------------------------------------------------------------------------------------------- what is around


def _axis(plot: _Plot, zero: str, margin: int, kit: Kit) -> Iterator[Text]:
    """The x axis and its labels, each below its tick: as many as there is room for."""
    style, edges = plot.style, plot.shown.edges
    low, high = float(edges[0]), float(edges[-1])
    for most in range(_MOST_TICKS, 1, -1):
        found = ticks(low, high, most, whole=plot.shown.counts)
        places = {plot.column(at): text for at, text in found.items()}
        if sum(len(text) + _PER_TICK for text in places.values()) <= plot.width:
            break
    floor_line, labels = [style.floor] * plot.width, ""
    for column, text in places.items():
        start = min(max(0, margin + 2 + column - len(text) // 2), kit.width - len(text))
        if start > len(labels) or not labels:
            floor_line[column] = style.tick_below
            labels = labels.ljust(start) + text
    yield Text(f"{zero:>{margin}} {style.corner}{''.join(floor_line)}", style=kit.style(QUIET))
    yield Text(labels, style=kit.style(QUIET))


def _legend(report: FitReport, shown: Picture, style: _PictureStyle, kit: Kit) -> Iterator[Text]:
    """What bars and marks are, in one line or one below the other."""
    what = "P" if report.target is not None else "data"
    peak = "share of each number" if shown.counts else "density"
    highest = float(shown.heights.max())
    cut = highest > (1 + _AT_TOP) * shown.top
    remarks = [peak, "cut off at the top" if cut else f"highest {short(highest, _DIGITS)}"]
    if shown.each > 1:
        remarks.append(f"{shown.each} numbers a bar")
    if shown.outside >= _WORTH_SAYING:
        remarks.append(f"{short(100 * shown.outside, 2)} % lie outside")
    lines = [(style.levels[-1], f"{what}: {', '.join(remarks)}", _BAR_COLOR)]
    lines += [
        (mark, curve_label(curve), color)
        for mark, curve, color in zip(style.marks, shown.curves, _CURVE_COLORS, strict=False)
    ]
    for mark, text, color in lines:
        first, *more = wrap(text, kit.width - 4)
        yield (
            Text("  ")
            .append(mark, style=f"bold {color}" if kit.view.color else "")
            .append(f" {first}", style="default")
        )
        yield from (Text(f"    {line}") for line in more)

"""The picture of a fit as PNG, SVG or PDF, by matplotlib: the same bytes for the same report. Nothing is displayed."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klcli.errors import UsageError, listed
from klcli.renderers.fit_picture import curve_label, data_label, picture, ticks
from klcli.renderers.text import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from klcli.fits import FitReport
    from klcli.renderers.fit_picture import Picture

SUFFIXES = (".png", ".svg", ".pdf")

NEEDS_MATPLOTLIB = "--plot needs matplotlib; pip install 'klcli[fit]'"

_METADATA: Mapping[str, dict[str, str | None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "klcli"},
    "pdf": {"CreationDate": None, "Creator": "klcli"},
}
"""Without what is different tomorrow."""
_INCHES, _DOTS = (8.0, 4.8), 125
"""1000 by 600 dots."""
_MOST_BARS, _POINTS = 120, 1000
_LONGEST_TITLE = 76

# Okabe and Ito's, which eyes of every kind tell apart; dashes for print without colours.
_CURVES = (("#0072B2", "-"), ("#D55E00", (0, (6, 2))), ("#009E73", (0, (2, 2.5))))
_WIDTHS = (2.8, 2.0, 1.8)
"""The best below, the others narrower on it, so that none hides another."""
_BAR, _BAR_EDGE, _TARGET_EDGE, _TEXT, _QUIET, _GRID = "#D3D7DD", "#FFFFFF", "#8A919C", "#222222", "#6B7280", "#E7E9EC"
_STYLE: Mapping[str, Any] = {
    "svg.hashsalt": "klcli",
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.edgecolor": _QUIET,
    "xtick.color": _QUIET,
    "ytick.color": _QUIET,
    "xtick.labelcolor": _TEXT,
    "ytick.labelcolor": _TEXT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.parse_math": False,
    "lines.solid_capstyle": "round",
}


def format_of(path: str) -> str:
    """What is to be written to a path: png, svg or pdf. Raises UsageError for any other, or without matplotlib."""
    from importlib.util import find_spec

    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        message = f"--plot {visible(path)}: a picture ends in {listed(SUFFIXES)}"
        raise UsageError(message)
    try:
        found = find_spec("matplotlib") is not None
    except (ImportError, ValueError):  # somebody keeps it from being imported
        found = False
    if not found:
        raise UsageError(NEEDS_MATPLOTLIB)
    return suffix[1:]


def figure_bytes(report: FitReport, form: str) -> bytes:
    """The picture of a report. form: png, svg or pdf. Raises UsageError where there is none, or no matplotlib."""
    try:
        logging.getLogger("matplotlib").setLevel(logging.ERROR)  # that it finds no folder for its fonts is no matter
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise UsageError(NEEDS_MATPLOTLIB) from None
    shown = picture(report, _MOST_BARS)
    if shown is None:
        message = "--plot: there is no picture of vectors, of nothing, or of data at the ends of what numbers hold"
        raise UsageError(message)
    out = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        # Characters that the font lacks are shown as boxes.
        warnings.simplefilter("ignore")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=_INCHES, dpi=_DOTS, layout="constrained")
        _draw(figure, report, shown)
        figure.savefig(out, format=form, dpi=_DOTS, metadata=_METADATA[form])
    return out.getvalue()


def _draw(figure: Any, report: FitReport, shown: Picture) -> None:  # noqa: ANN401 - matplotlib has no types here
    axes = figure.add_subplot()
    _bars(axes, report, shown)
    _curves(axes, shown)
    low, high = float(shown.edges[0]), float(shown.edges[-1])
    margin = 0.02 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(0, shown.top * 1.06)
    axes.set_ylabel("share of each number" if shown.counts else "density")
    places = ticks(low, high, 9, whole=shown.counts)
    axes.set_xticks(list(places), list(places.values()))
    heights = ticks(0.0, shown.top * 1.06, 6)
    axes.set_yticks(list(heights), list(heights.values()))
    axes.tick_params(length=3)
    axes.grid(visible=True, axis="y", color=_GRID, linewidth=0.8)
    axes.set_title(_title(report), loc="left", fontweight="bold", fontsize=12, pad=12)
    remarks = ", ".join(shown.remarks())
    if remarks:
        axes.set_xlabel(remarks, loc="right", color=_QUIET, fontsize=9)
    # Below the axes, where it covers nothing.
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda i: (labels[i] != data_label(report), -i))
    figure.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="outside lower center",
        ncols=2,
        frameon=False,
        fontsize=10,
        handlelength=2.6,
    )


def _bars(axes: Any, report: FitReport, shown: Picture) -> None:  # noqa: ANN401
    label = data_label(report)
    if shown.smooth:
        axes.fill_between(shown.points(), shown.heights, color=_BAR, linewidth=0, label=label)
        axes.plot(shown.points(), shown.heights, color=_TARGET_EDGE, linewidth=1.2)
        return
    left, widths = shown.bars()
    line = 0.6 if not (shown.counts and shown.each == 1) and len(widths) <= _MOST_BARS else 0.0
    axes.bar(left, shown.heights, widths, align="edge", color=_BAR, edgecolor=_BAR_EDGE, linewidth=line, label=label)


def _curves(axes: Any, shown: Picture) -> None:  # noqa: ANN401
    for i, (curve, (color, dashes)) in reversed(list(enumerate(zip(shown.curves, _CURVES, strict=False)))):
        points, heights = shown.line(curve, _POINTS)
        marks = {"marker": "o", "markersize": 5.5} if shown.counts and len(points) <= _MOST_BARS // 2 else {}
        axes.plot(
            points,
            heights,
            color=color,
            linestyle=dashes,
            linewidth=_WIDTHS[i] * (1.0 if not marks else 0.7),
            label=curve_label(curve),
            zorder=3 + 0.1 * i,
            **marks,
        )


def _title(report: FitReport) -> str:
    source = report.target.text if report.target is not None else report.sample.source if report.sample else ""
    title = visible(source)
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE // 2]}…{title[-_LONGEST_TITLE // 2 :]}"

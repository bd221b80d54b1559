"""An answer as one page that needs nothing besides: inline SVG, no script, dark where its reader's screen is.

The lines and tables are those of a terminal without its limits of width; the picture is drawn anew from the same data.
User text only enters through `_escaped`.
"""

from __future__ import annotations

import io
from html import escape
from itertools import takewhile
from math import isfinite, isnan
from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from klcli.engine.measures import ELEMENTS, SINGLE_ELEMENTS
from klcli.fits import FitReport
from klcli.model import Elements, Square
from klcli.renderers.fit_picture import curve_label, data_label, picture, ticks
from klcli.renderers.heatmap import INFINITE, SAME, ends, grouped, levels, on_diagonal
from klcli.renderers.terminal import Kit
from klcli.renderers.text import Column, short, visible
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table as Grid

    from klcli.model import Report
    from klcli.renderers.answer import Answer, Array
    from klcli.renderers.text import View

_WIDTH, _LONGEST_LABEL = 400, 120
"""Characters of a page that scrolls sideways, and of a label on it."""
_LONG, _LONGEST_IN_PICTURE = 24, 30
"""What is longer is broken in a cell, and cut in a picture."""
_MOST_ROWS, _LABEL, _BAR, _GAP = 30, 19, 12, 12
"""Of a picture of bars: how many rows, and of each the heights of its label, of a bar and of what is below."""
_DIGITS = 3
_MOST_BINS, _POINTS, _HEIGHT, _BOX = 120, 400, 260, 2000
"""Of a picture of densities. The box is stretched to the width of the page; only what is beside it keeps its size."""
_MARGIN, _HEADROOM = 0.02, 1.06
_MOST_NUMBERED, _MOST_CELLS, _MOST_LISTED = 12, 60, 30
"""Distributions of a heat map: with numbers in its cells, with cells of their own, with a table below it."""
_EM, _CELL, _LEAST = 7, 16, 0.78
"""The width of a character and the least size of a cell, in pixels; to what share of its size a map may shrink."""
_CONSOLE = Console(file=io.StringIO())
"""What knows rich's styles."""
# Viridis, from near to far: each step is lighter than the one before, for eyes and printers that see no hue.
_RAMP = ("440154", "482878", "3e4989", "31688e", "26828e", "1f9e89", "35b779", "6ece58", "b5de2b", "fde725")
_WHITE_ON = 4
"""White is read on so many of the ramp, black on the others: both with a contrast of at least 4.5."""

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--quiet:#59636e;--line:#d8dee4;--fill:#d0d7df;--p:#0072b2;
--q:#d55e00;--r:#009e73}
@media screen and (prefers-color-scheme:dark){:root{--paper:#14181d;--ink:#e6e9ed;--quiet:#9aa5b1;--line:#343c45;
--fill:#414b56;--p:#56b4e9;--q:#f0884a;--r:#3fcf9f}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem clamp(1rem,4vw,3rem) 3rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .75rem}
main{margin-top:1.25rem}
h2{font-size:1rem;margin:2rem 0 .25rem}
p{margin:.25rem 0;white-space:pre-wrap}
header{border-bottom:1px solid var(--line);padding-bottom:1rem}
.wide{overflow-x:auto;margin:1.25rem 0}
table{border-collapse:collapse;font-size:.94rem;overflow-wrap:normal;font-variant-numeric:tabular-nums}
th,td{padding:.3rem 1.25rem .3rem 0;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--line)}
thead>tr>*{color:var(--quiet);font-weight:600;white-space:nowrap;border-bottom-color:var(--quiet)}
tbody th{font-weight:400;white-space:pre-wrap;unicode-bidi:plaintext}
td{white-space:pre}
td.long{white-space:normal}
.long{overflow-wrap:anywhere;min-width:9rem}
.n{text-align:right;white-space:nowrap}
tr>:last-child{padding-right:0}
.end>*{border-bottom-color:var(--quiet)}
figure{margin:1.5rem 0;break-inside:avoid}
figure svg{display:block}figure>svg{overflow:visible}
figcaption{margin-bottom:.5rem}
figcaption,.notes{color:var(--quiet);font-size:.94rem}
.notes{margin:0;padding-left:1.25rem}
.keys{margin:.5rem 0}
.key{margin-right:.4rem;display:inline;vertical-align:-.05em}
.keys span{display:inline-block;margin-right:1.25rem}
summary{cursor:pointer;color:var(--quiet)}
tr,li{break-inside:avoid}
text{white-space:pre;fill:var(--ink);font-size:13px;font-variant-numeric:tabular-nums}
.e{text-anchor:end}.m{text-anchor:middle}.s{fill:var(--quiet);font-size:12px}
.halo{paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.p{fill:var(--p)}.q{fill:var(--q)}.f{fill:var(--fill)}.c{fill:var(--quiet)}
.axis{stroke:var(--line)}.zero{stroke:var(--quiet)}
.bins{stroke:var(--paper);stroke-width:.6}
.k0,.k1,.k2{fill:none;stroke:var(--p);stroke-width:2.8;stroke-linecap:round;stroke-linejoin:round}
.k1{stroke:var(--q);stroke-width:2.2;stroke-dasharray:7 5}
.k2{stroke:var(--r);stroke-width:2.2;stroke-dasharray:1 5}
.dots{stroke-width:7;stroke-dasharray:none}
.stretched *{vector-effect:non-scaling-stroke}
.w{fill:#fff}.b{fill:#000}.t{font-size:11px;fill:var(--quiet)}.inf,.h-2{fill:#8c1515}
@media(max-width:34rem){body{font-size:.94rem}figcaption,.notes{font-size:.82rem}
table{font-size:.76rem}th,td{padding-right:.4rem}}
@media print{body{max-width:none;padding:0;font-size:10pt}.wide{overflow:visible}}
""" + "".join(f".h{level}{{fill:#{color}}}" for level, color in enumerate(_RAMP))


class _PageKit(Kit):
    """A kit without a width, in which labels are whole."""

    pictures = False

    @staticmethod
    def fitted(text: str, width: int) -> str:
        """A label, cut only where it is longer than anybody reads."""
        return Kit.fitted(text, max(width, _LONGEST_LABEL))


def page(answer: Answer, view: View) -> str:
    """The whole answer: what it is of, its tables and picture, and the notes where they are shown."""
    kit = _PageKit(view._replace(width=_WIDTH, color=True))
    parts, pictured = list(answer.drawn(kit)), answer.pictured()
    head = list(takewhile(lambda part: isinstance(part, Text) and part.plain.strip(), parts))
    shown = [_line(part) if isinstance(part, Text) else _table(part) for part in parts]
    body = shown[len(head) :]
    # Above the table of outcomes, which is the second; else below all.
    body.insert(1 if isinstance(pictured, Elements) else len(body), _figure(pictured, kit))
    if view.notes and (notes := answer.shown_notes()):
        body.append(f'<h2>Notes</h2><ul class="notes">{"".join(f"<li>{_escaped(note)}</li>" for note in notes)}</ul>')
    title = _escaped(answer.title)
    of = "; ".join(" ".join(line.plain.split()) for line in head if isinstance(line, Text))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="generator" content="klcli">'
        f"<title>{title}{_escaped(f': {of}' if of else '')}</title><style>{_STYLE}</style></head>\n"
        f"<body><header><h1>{title}</h1>{''.join(shown[: len(head)])}</header>\n<main>\n"
        + "\n".join(filter(None, body))
        + "\n</main></body></html>\n"
    )


def _escaped(text: str) -> str:
    """Text as HTML and as SVG, on the lines it stands on: what cannot be seen, or would turn the text, is shown."""
    return escape("\n".join(map(visible, text.split("\n"))))


# ----------------------------------------------------------------------------------------------------- lines and tables


def _marked(text: Text, around: str = "{}") -> str:
    """The text with what is bold in it. around: what stands around the rest."""
    parts = text.render(_CONSOLE) if text.spans else [(text.plain, _CONSOLE.get_style(text.style), None)]
    return "".join(
        f"<b>{_escaped(part)}</b>" if style is not None and style.bold else around.format(_escaped(part))
        for part, style, _ in parts
        if part
    )


def _line(text: Text) -> str:
    inner = text[len(text.plain) - len(text.plain.lstrip()) :]
    return f"<p>{_marked(inner, '<bdi>{}</bdi>')}</p>" if inner.plain else ""


def _table(grid: Grid) -> str:
    """A table of the kit's; the first of its columns of text is the header of each row."""
    right = [column.justify == "right" for column in grid.columns]
    of_row = right.index(False) if False in right else -1
    style = [' class="n"' if numbers else "" for numbers in right]
    titles = [_escaped(str(column.header)) for column in grid.columns]
    head = [
        f'<th scope="col"{css}>{title}</th>' if title else "<td></td>" for title, css in zip(titles, style, strict=True)
    ]
    rows = []
    for row, cells in zip(grid.rows, zip(*(column.cells for column in grid.columns), strict=True), strict=True):
        shown = []
        for i, cell in enumerate(cells):
            css = style[i] or (' class="long"' if cell_len(cell.plain) > _LONG else "")
            kind = 'th scope="row"' if i == of_row else "td"
            shown.append(f"<{kind}{css}>{_marked(cell)}</{kind[:2]}>")
        end = ' class="end"' if row.end_section else ""
        rows.append(f"<tr{end}>{''.join(shown)}</tr>\n")
    table = f"<table><thead><tr>{''.join(head)}</tr></thead>\n<tbody>{''.join(rows)}</tbody></table>"
    return _scrolling(table, "Table")


def _scrolling(wide: str, what: str) -> str:
    """What may be wider than the page; the keyboard scrolls it too."""
    return f'<div class="wide" tabindex="0" role="region" aria-label="{_escaped(what)}">{wide}</div>'


# ------------------------------------------------------------------------------------------------------------- pictures


def _figure(of: Elements | Square | FitReport | Sequence[Report] | None, kit: Kit) -> str:
    """The picture of what an answer says it has one of; nothing where there is nothing to draw."""
    if isinstance(of, Elements):
        return _elements(of, kit)
    if isinstance(of, Square):
        return _heat_map(of, kit)
    if isinstance(of, FitReport):
        return _densities(of)
    return _ranking(of, kit) if of else ""


def _svg(title: str, drawn: Iterable[str], size: str) -> str:
    return f'<svg role="img" {size}><title>{_escaped(title)}</title>{"".join(drawn)}</svg>'


def _captioned(svg: str, keys: Iterable[tuple[str, str]], remarks: Iterable[str] = ()) -> str:
    """A figure below its legend. keys: what is drawn, and what it stands for. remarks: what else is to be known."""
    legend = "".join(f"<span>{key}{_escaped(what)}</span>" for key, what in keys)
    said = "".join(f"<div>{_escaped(remark)}</div>" for remark in remarks)
    return f'<figure><figcaption><div class="keys">{legend}</div>{said}</figcaption>{svg}</figure>\n'


def _key(*shades: str, line: bool = False) -> str:
    """What a legend shows of some classes of boxes side by side, or of a line."""
    boxes = (f'<rect class="{css}" x="{i * 14}" width="14" height="10"/>' for i, css in enumerate(shades))
    drawn = f'<path class="{shades[0]}" d="M2 5h26"/>' if line else "".join(boxes)
    width = 30 if line else 14 * len(shades)
    return f'<svg class="key" width="{width}" height="10" aria-hidden="true">{drawn}</svg>'


class _Bars(NamedTuple):
    """A part of a picture with a bar or two a row, from left on, so wide in percent. bars: class -> meaning, (n,)."""

    left: int
    width: int
    bars: Mapping[str, tuple[str, Array]]


def _elements(elements: Elements, kit: Kit) -> str:
    """A row an outcome with p, q and what it contributes."""
    rows = len(elements.outcomes) - bool(elements.folded)
    columns, count, name = elements.columns, min(rows, _MOST_ROWS), elements.contribution
    sides = {side: (side, columns[side][:count]) for side in ("p", "q") if side in columns}
    contributions = {"c": ((ELEMENTS | SINGLE_ELEMENTS)[name].title, columns[name][:count])}
    left_out = [f"the first {count} of {rows} outcomes"] if rows > count else []
    left_out += [f"without {elements.outcomes[-1]}"] if elements.folded else []
    remarks = [f"{', '.join(left_out)}; the table has them"] if left_out else []
    parts = [_Bars(0, 44, sides), _Bars(64, 36, contributions)]
    return _rows("outcome", elements.outcomes[:count], parts, remarks, kit)


def _ranking(reports: Sequence[Report], kit: Kit) -> str:
    """A row a candidate with the first measure."""
    name, shown = next(iter(reports[0].measures)), reports[:_MOST_ROWS]
    values = np.array([report.measures[name] for report in shown])
    remarks = [f"the first {len(shown)} of {len(reports)}; the table has them all"] if reports[_MOST_ROWS:] else []
    return _rows("candidate", [r.name for r in shown], [_Bars(0, 100, {"p": (name, values)})], remarks, kit)


def _rows(what: str, labels: Sequence[str], parts: Sequence[_Bars], remarks: Iterable[str], kit: Kit) -> str:
    """A row a label: the label, the last number, and below them the bars of all parts."""
    if not labels:
        return ""
    meanings = {css: meaning for part in parts for css, (meaning, _) in part.bars.items()}
    thick, digits = _BAR * max(len(part.bars) for part in parts), min(_DIGITS, kit.digits)
    drawn = [_drawn(part, thick, digits if part is not parts[-1] else 0) for part in parts]
    *_, (_, last) = parts[-1].bars.values()
    height, rows = _LABEL + thick + _GAP, []
    for i, (label, value, bars) in enumerate(zip(labels, last.tolist(), zip(*drawn, strict=True), strict=True)):
        text = _escaped(Kit.fitted(label, _LONGEST_IN_PICTURE))
        number = f'<text class="s e" x="100%" y="14">{short(value, digits)}</text>'
        rows.append(f'<g transform="translate(0 {i * height})"><text y="14">{text}</text>{number}{"".join(bars)}</g>')
    title = f"{', '.join(meanings.values())} of each {what}"
    svg = _svg(title, rows, f'width="100%" height="{height * len(rows)}"')
    return _captioned(svg, [(_key(css), meaning) for css, meaning in meanings.items()], remarks)


def _drawn(part: _Bars, thick: int, digits: int) -> list[str]:
    """For each row its bars, to one scale from a common zero; what is infinite goes to the end.

    thick: of the bars of all parts. digits: of the number behind each bar, 0: there is none.
    """
    values = np.array([column for _, column in part.bars.values()])
    finite = np.where(np.isfinite(values), values, 0.0)
    scaled = finite / (np.abs(finite).max() or 1.0)
    low, high = min(0.0, scaled.min()), max(0.0, scaled.max()) or 1.0
    scaled[values == np.inf] = high
    ends, zero = part.left + part.width * (scaled - low) / (high - low), part.left - part.width * low / (high - low)
    bottom, first = _LABEL + thick, _LABEL + (thick - len(values) * _BAR) / 2
    axis = f'<line class="zero" x1="{zero:.2f}%" x2="{zero:.2f}%" y1="{_LABEL - 3}" y2="{bottom + 2}"/>' if low else ""
    rows = [axis] * values.shape[1]
    for i, css in enumerate(part.bars):
        y = first + i * _BAR
        for row, (value, end) in enumerate(zip(values[i].tolist(), ends[i].tolist(), strict=True)):
            place = f'x="{min(zero, end):.2f}%" y="{y:g}" width="{abs(end - zero):.2f}%" height="{_BAR - 1}"'
            rows[row] += f'<rect class="{css if isfinite(value) else "inf"}" {place}/>'
            if digits:
                rows[row] += f'<text class="t" x="{end + 1:.2f}%" y="{y + _BAR - 2:g}">{short(value, digits)}</text>'
    return rows


def _heat_map(square: Square, kit: Kit) -> str:
    """Cells from dark, near, to light, far; of a few distributions with their numbers, of many a cell for some each."""
    n, values, digits = len(square.names), square.values, min(kit.digits, _DIGITS)
    same, labels = on_diagonal(values), [Kit.fitted(name, _LONGEST_IN_PICTURE) for name in square.names]
    remark = "" if n <= _MOST_LISTED else "-f csv has the numbers"
    if n > _MOST_CELLS:
        values, labels, remark = grouped(values, -(-n // _MOST_CELLS))
        same = np.isnan(values)
    texts = [[short(v, digits) if n <= _MOST_NUMBERED else "" for v in row] for row in values.tolist()]
    size, drawn = _cells(levels(values, same, len(_RAMP)), labels, texts)
    finite = values[np.isfinite(values) & ~same]
    keys = []
    if finite.size:
        ends_of_ramp = [short(float(value), digits) for value in (finite.min(), finite.max())]
        keys.append((_key(*(f"h{level}" for level in range(len(_RAMP)))), " to ".join(ends_of_ramp)))
    keys += [(_key("inf"), "infinite")] if np.isinf(values).any() else []
    remarks = [*([remark] if remark else []), "each shade has an equal share of the pairs"]
    remarks += [line.plain.strip() for line in ends(square, kit)]
    title = f"{square.measure} of every pair of {n} distributions"
    figure = _captioned(_scrolling(_svg(title, drawn, size), title), keys, remarks)
    if n > _MOST_LISTED:
        return figure
    names = [kit.fitted(name, 0) for name in square.names]
    columns = [list(map(kit.number, column)) for column in square.values.T.tolist()]
    numbers = [Column(name, cells) for name, cells in zip(names, columns, strict=True)]
    table = _table(kit.table([Column(square.corner, names, left=True), *numbers]))
    return f"{figure}<details><summary>The numbers</summary>{table}</details>"


def _cells(shades: Array, labels: list[str], texts: list[list[str]]) -> tuple[str, list[str]]:
    """The size of a map and its cells; columns are called as rows are, or where names are too long by number."""
    cell = max(_CELL, 10 + _EM * max(len(text) for row in texts for text in row))
    heads = labels
    if any(cell_len(label) * _EM > cell for label in labels):
        heads = [str(i) for i in range(1, len(labels) + 1)]
        labels = [f"{i} {label}" for i, label in enumerate(labels, 1)]
    left = 10 + _EM * max(map(cell_len, labels))
    width, height = (start + len(labels) * cell for start in (left, _CELL))
    middles = [i * cell + cell // 2 for i in range(len(labels))]
    drawn = [
        f'<text class="t m" x="{left + x}" y="12">{_escaped(h)}</text>' for x, h in zip(middles, heads, strict=True)
    ]
    drawn += [f'<text y="{_CELL + y + 4}">{_escaped(text)}</text>' for y, text in zip(middles, labels, strict=True)]
    for level in (INFINITE, *range(len(_RAMP))):
        places = np.argwhere(shades == level).tolist()
        path = "".join(f"M{left + j * cell} {_CELL + i * cell}h{cell - 1}v{cell - 1}h{1 - cell}z" for i, j in places)
        drawn += [f'<path class="h{level}" d="{path}"/>'] if path else []
    for y, row, levels_of_row in zip(middles, texts, shades.tolist(), strict=True):
        for x, text, level in zip(middles, row, levels_of_row, strict=True):
            ink = "m" if level == SAME else "m w" if level < _WHITE_ON else "m b"
            drawn += [f'<text class="{ink}" x="{left + x}" y="{_CELL + y + 4}">{text}</text>'] if text else []
    limits = f"max-width:{width}px;min-width:{_LEAST * width:.0f}px"
    return f'viewBox="0 0 {width} {height}" style="{limits}"', drawn


def _densities(report: FitReport) -> str:
    """The data's bars or the target's density, and the curves of the best fits; labels keep their size."""
    shown = picture(report, _MOST_BINS)
    if shown is None:
        return ""
    first, last, top = float(shown.edges[0]), float(shown.edges[-1]), shown.top * _HEADROOM
    low, span = first - _MARGIN * (last - first), (1 + 2 * _MARGIN) * (last - first)

    def placed(x: Array, heights: Array) -> list[list[float]]:
        points: list[list[float]] = (_BOX * np.array([(x - low) / span, 1 - heights / top])).T.tolist()
        return points

    if shown.smooth:
        outline = _path(placed(shown.points(), shown.heights))
        drawn = [f'<path class="f" d="{outline}V{_BOX}H{_MARGIN / (1 + 2 * _MARGIN) * _BOX:.0f}z"/>']
    else:
        begins, widths = shown.bars()
        corners = zip(placed(begins, shown.heights), placed(begins + widths, shown.heights), strict=True)
        bars = (f"M{x:.0f} {_BOX}V{y:.0f}H{end:.0f}V{_BOX}z" for (x, y), (end, _) in corners)
        drawn = [f'<path class="f bins" d="{"".join(bars)}"/>']
    for i, curve in reversed(list(enumerate(shown.curves))):
        points = placed(*shown.line(curve, _POINTS))
        drawn.append(f'<path class="k{i}" d="{_path(points)}"/>')
        if shown.counts:
            drawn.append(f'<path class="k{i} dots" d="{"".join(f"M{x:.0f} {y:.0f}h0" for x, y in points)}"/>')
    grid, labels = [], []
    for at, text in ticks(0.0, top, 5).items():
        y = _HEIGHT * (1 - at / top)
        grid.append(f'<line class="axis" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>')
        labels += [f'<text class="s halo" y="{y - 4:.1f}">{text}</text>'] if at else []
    for at, text in ticks(first, last, 6, whole=shown.counts).items():
        labels.append(f'<text class="s m" x="{100 * (at - low) / span:.2f}%" y="{_HEIGHT + 17}">{text}</text>')
    box = f'width="100%" height="{_HEIGHT}" viewBox="0 0 {_BOX} {_BOX}" preserveAspectRatio="none"'
    drawn = [*grid, f'<svg class="stretched" {box}>', *drawn, "</svg>", *labels]
    named = [curve_label(curve) for curve in shown.curves]
    title = f"{data_label(report)}, and the densities of {'; '.join(named)}"
    keys = [(_key("f"), data_label(report))]
    keys += [(_key(f"k{i}", line=True), name) for i, name in enumerate(named)]
    remark = ", ".join(["share of each number" if shown.counts else "density", *shown.remarks()])
    return _captioned(_svg(title, drawn, f'width="100%" height="{_HEIGHT + 24}"'), keys, [remark])


def _path(points: Iterable[list[float]]) -> str:
    """A line through points of the box, with a gap at each nan."""
    steps, pen = [], "M"
    for x, y in points:
        steps.append("" if isnan(y) else f"{pen}{x:.0f} {y:.0f}")
        pen = "L" if steps[-1] else "M"
    return "".join(steps)

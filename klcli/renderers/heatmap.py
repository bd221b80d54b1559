"""A measure of every pair as a heat map. User text only enters as `Text`.

The shades stand for equal shares of the pairs, so that a few that are far apart leave the others distinct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from klcli.renderers.text import short, visible
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from klcli.model import Array, Square
    from klcli.renderers.terminal import Kit

    Mask = npt.NDArray[np.bool_]

_NO_DIVERGENCES = ("entropy", "cross_entropy", "perplexity", "same_top")

_SMALLEST_LABEL, _LONGEST_LABEL = 8, 24
_LEGEND_DIGITS = 3
_NARROW = 60


class _MapStyle(NamedTuple):
    """How the parts of a map are shown. shades: from near to far. same, infinite: of the diagonal, of what is infinite.

    ramp: the background of each shade where there are colours, and what is read on it.
    """

    shades: str
    same: str
    infinite: str
    ramp: tuple[str, ...] = ()


_UNICODE, _ASCII = _MapStyle("░▒▓█", "·", "∞"), _MapStyle(".:+#", "-", "!")
# Of the 256 colours some that grow lighter from step to step, for eyes and printers that see no hue.
_DARK, _LIGHT = (17, 18, 24, 30, 36), (71, 107, 149, 185, 227)
_RAMP = (*(f"color(15) on color({dark})" for dark in _DARK), *(f"color(16) on color({light})" for light in _LIGHT))
_INFINITE_COLOR = "color(15) on color(124)"
SAME, INFINITE = -1, -2
"""The levels of a cell that has no shade, and of one that is infinite."""


def heat_map(square: Square, kit: Kit) -> Iterator[Text]:
    """The shade of each pair, what the shades mean, and the pairs at both ends."""
    style = _UNICODE if kit.view.unicode else _ASCII
    if kit.view.color:
        style = style._replace(ramp=_RAMP)
    layout = _numbered(square, kit, style) or _shaded(square, kit)
    shades = _Shades(layout.values, style, layout.same)
    yield from layout.heading
    for i, label in enumerate(layout.labels):
        line = Text(" ")
        line.append(label + " " * (layout.label_width - cell_len(label)))
        for j in range(len(layout.labels)):
            shades.append(line, i, j, layout.width, "" if layout.texts is None else layout.texts[i][j])
        yield line
    yield from shades.legend(kit)
    if layout.remark:
        yield Text(f" {layout.remark}")
    yield from ends(square, kit)


class _MapLayout(NamedTuple):
    """What there is room for. values: of the cells. same: which of them are distributions with themselves.

    width: of a cell. texts: the numbers in them. remark: what is not shown as it is.
    """

    values: Array
    same: Mask
    labels: list[str]
    label_width: int
    heading: list[Text]
    width: int
    texts: list[list[str]] | None = None
    remark: str = ""


def _numbered(square: Square, kit: Kit, style: _MapStyle) -> _MapLayout | None:
    """Cells with numbers, of as many digits as fit; the columns called by name if they can be, else by number."""
    labels = [visible(name) for name in square.names]
    n, longest = len(labels), max(map(cell_len, labels))
    mark, after = (0, 1) if style.ramp else (1, 0)  # a colour needs no mark, and a blank before the first
    if (kit.width - _SMALLEST_LABEL) // n < len("0.0") + mark:
        return None
    for by_number, fewest in ((False, 3), (True, 2)):
        prefix = len(str(n)) + 1 if by_number else 0
        room = kit.width - 1 - prefix - min(longest, _SMALLEST_LABEL) - after
        for digits in range(kit.digits, min(fewest, kit.digits) - 1, -1):
            texts = [[short(value, digits) for value in row] for row in square.values.tolist()]
            heads = [str(i) for i in range(1, n + 1)] if by_number else labels
            width = 1 + max(mark + max(len(text) for row in texts for text in row), *map(cell_len, heads))
            if n * width > room:
                continue
            if by_number:
                labels = [f"{i:>{prefix - 1}} {label}" for i, label in enumerate(labels, 1)]
            label_width = min(prefix + longest, kit.width - 1 - n * width)
            heading = " " * (1 + label_width) + "".join(" " * (width - cell_len(head)) + head for head in heads)
            shown = [kit.fitted(label, label_width) for label in labels]
            return _MapLayout(
                square.values, on_diagonal(square.values), shown, label_width, [Text(heading)], width, texts
            )
    return None


def _shaded(square: Square, kit: Kit) -> _MapLayout:
    """Cells without numbers: one a pair, or where there are too many one for each pair of groups."""
    labels = [visible(name) for name in square.names]
    n, longest = len(labels), max(map(cell_len, labels))
    digits = len(str(n))
    room = kit.width - digits - 3  # a blank in front, and one on either side of the label
    for width in (2, 1):
        if n * width <= room - min(longest, _SMALLEST_LABEL):
            label_width = min(longest, _LONGEST_LABEL, room - n * width)
            shown = [f"{i:>{digits}} {kit.fitted(label, label_width)}" for i, label in enumerate(labels, 1)]
            taken = digits + 1 + label_width + 1
            return _MapLayout(
                square.values, on_diagonal(square.values), shown, taken, _column_numbers(n, width, taken + 1), width
            )
    each = -(-n // ((room - 2 * digits - 1) // 2))
    values, labels, remark = grouped(square.values, each)
    count = len(str(len(labels)))
    shown = [f"{i:>{count}} {label}" for i, label in enumerate(labels, 1)]
    taken = max(map(len, shown)) + 1
    heading = _column_numbers(len(labels), 2, taken + 1)
    return _MapLayout(values, np.isnan(values), shown, taken, heading, 2, remark=remark)


def on_diagonal(values: Array) -> Mask:
    """A distribution with itself, where there is nothing between them."""
    same: Mask = np.eye(len(values), dtype=bool) & (values == 0)
    return same


def grouped(values: Array, each: int) -> tuple[Array, list[str], str]:
    """The medians of the pairs of groups of so many distributions, what each group is called, a remark that says so.

    NaN is the median where a group is one distribution, with itself.
    """
    n = len(values)
    groups = [slice(start, min(start + each, n)) for start in range(0, n, each)]
    medians = np.full((len(groups), len(groups)), np.nan)
    for i, rows in enumerate(groups):
        for j, columns in enumerate(groups):
            block = values[rows, columns]
            pairs = block[~np.eye(len(block), dtype=bool)] if i == j else block
            pairs = pairs[~np.isnan(pairs)]
            if pairs.size:
                medians[i, j] = np.median(pairs)
    remark = f"{n} distributions in {len(groups)} groups; a cell is the median of its pairs, -f csv has them all"
    return medians, [f"{group.start + 1}-{group.stop}" for group in groups], remark


def _column_numbers(n: int, width: int, before: int) -> list[Text]:
    """The columns' numbers, a digit above the other; what stands before the last only where it changes."""
    lines = []
    for place in (10**power for power in reversed(range(len(str(n))))):
        digits = [str(i // place % 10) if i % place == 0 else "" for i in range(1, n + 1)]
        lines.append(Text(" " * before + "".join(digit.rjust(width) for digit in digits)))
    return lines


def levels(values: Array, same: Mask, count: int) -> npt.NDArray[np.intp]:
    """The shade of each cell, from 0 to count - 1, an equal share of the pairs each; else SAME or INFINITE."""
    values = _without_roundings(values)
    finite = values[np.isfinite(values) & ~same]
    found = np.zeros(values.shape, dtype=np.intp)
    if finite.size:
        found += np.searchsorted(np.quantile(finite, np.arange(1, count) / count, method="lower"), values)
    found[np.isinf(values)] = INFINITE
    found[same | np.isnan(values)] = SAME
    return found


class _Shades:
    """Which shade each cell has. values: (m, m). same: cells that have none."""

    def __init__(self, values: Array, style: _MapStyle, same: Mask) -> None:
        self._style = style
        count = len(style.ramp or style.shades)
        found, finite = levels(values, same, count), values[np.isfinite(values) & ~same]
        self._levels: list[list[int]] = found.tolist()
        self._range = (float(finite.min()), float(finite.max())) if finite.size else None
        self._up_to = {level: float(values[found == level].max()) for level in range(count) if (found == level).any()}
        self._any_infinite = bool(np.isinf(values).any())

    def append(self, line: Text, i: int, j: int, width: int, number: str) -> None:
        """Adds the cell to its line."""
        level, style = self._levels[i][j], self._style
        if style.ramp:
            mark = style.same if level == SAME and not number else ""
            color = "" if level == SAME else _INFINITE_COLOR if level == INFINITE else style.ramp[level]
            line.append((number or mark).rjust(width), style=color)
            return
        mark = {SAME: style.same, INFINITE: style.infinite}.get(level) or style.shades[level]
        if number:
            line.append(f" {' ' if level == SAME else mark}{number.rjust(width - 2)}")
        else:
            line.append(mark.rjust(width) if level < 0 else mark * width)

    def legend(self, kit: Kit) -> Iterator[Text]:
        """What the shades mean."""
        digits = min(kit.digits, _LEGEND_DIGITS)
        if not self._style.ramp:
            parts = [f"{self._style.shades[level]} to {short(top, digits)}" for level, top in self._up_to.items()]
            yield from _in_lines([*parts, *([f"{self._style.infinite} infinite"] * self._any_infinite)], kit.width)
            return
        line = Text(" ")
        if self._range is not None:
            line.append(f"{short(self._range[0], digits)} ")
            for color in self._style.ramp:
                line.append(" " if kit.width < _NARROW else "  ", style=color)
            line.append(f" {short(self._range[1], digits)}  ")
        if self._any_infinite:
            line.append(" inf ", style=_INFINITE_COLOR)
        yield line


def _without_roundings(values: Array) -> Array:
    """To ten digits: what differs in the last one only has one shade."""
    with np.errstate(all="ignore"):
        unit = 10.0 ** (np.floor(np.log10(np.abs(values))) - 9)
        return np.where(np.isfinite(unit) & (unit > 0), np.round(values / unit) * unit, values)


def _in_lines(parts: list[str], width: int) -> Iterator[Text]:
    """The parts one after the other, in as many lines as they take."""
    line = ""
    for part in parts:
        if line and cell_len(line) + 2 + cell_len(part) > width:
            yield Text(line)
            line = ""
        line += f"{'  ' if line else ' '}{part}"
    yield Text(line)


def ends(square: Square, kit: Kit) -> Iterator[Text]:
    """The pairs with the least and the most, by name; of a divergence these are the nearest and the farthest."""
    names = ("least", "most") if square.measure.startswith(_NO_DIVERGENCES) else ("nearest", "farthest")
    n = len(square.values)
    wanted = np.triu(np.ones((n, n), dtype=bool), 1) if square.symmetric else ~np.eye(n, dtype=bool)
    places = np.flatnonzero(wanted & ~np.isnan(square.values))
    values = square.values.reshape(-1)[places]
    found = dict.fromkeys(places[[values.argmin(), values.argmax()]].tolist()) if len(places) else {}
    for what, (i, j) in zip(names, (divmod(at, n) for at in found), strict=False):
        start = f" {what:8}  {short(float(square.values[i, j]), kit.digits)}  "
        between = ", " if square.symmetric else " to "
        room = max(6, (kit.width - len(start) - len(between)) // 2)
        p, q = (kit.fitted(square.names[k], room) or "''" for k in (i, j))
        yield Text(f"{start}{p}{between}{q}")

"""Tables for people: measures with what they mean, the breakdown with a bar for each contribution.

Rich draws; user text only ever enters as `Text`, so that no label is read as markup.
"""

from __future__ import annotations

import io
from math import isfinite, isinf
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.box import ASCII2, SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from klcli.engine.measures import ELEMENTS, MEASURES, ROOT_OF_UNIT, SINGLE, SINGLE_ELEMENTS
from klcli.renderers.text import short, uncertainty, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from klcli.model import Answer, Elements, Report
    from klcli.renderers.shape import Table as Rows
    from klcli.renderers.view import View

_SMALLEST_BAR, _LARGEST_BAR = 8, 40
_SMALLEST_LABEL, _LONGEST_LABEL = 20, 32
BETWEEN = 3
"""What each column takes besides its text: a space on either side and one for the divider."""
_EIGHTHS = " ▏▎▍▌▋▊▉"
_POSITIVE, _NEGATIVE, QUIET, STRONG = "cyan", "magenta", "dim", "bold"


def draw(answer: Answer, view: View) -> str:
    """The whole answer as text for a terminal of `view.width` columns."""
    return drawn(_parts(answer, view), answer.notes, view)


def drawn(
    parts: Iterable[Text | Table], notes: Iterable[str], view: View, colors: Literal["standard", "256"] = "standard"
) -> str:
    """The parts one below the other, and the notes where they are shown. colors: the system of those that are used."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=view.width,
        height=25,
        force_terminal=view.color,
        no_color=not view.color,
        color_system=colors if view.color else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part)
    for note in notes if view.notes else ():
        console.print(Text(f"note: {visible(note)}", style=styled(QUIET, view)))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n"))


def styled(style: str, view: View) -> str:
    """The style, where there are colours."""
    return style if view.color else ""


def empty_table(view: View) -> Table:
    """A table as all of ours are, without columns yet."""
    return Table(box=SIMPLE_HEAD if view.unicode else ASCII2, show_edge=False, pad_edge=True, padding=(0, 1))


def draw_table(table: Rows, view: View) -> str:
    """Any rows as a table; where the terminal is too narrow for it, one below the other with their columns as rows."""
    shown = [[short(v, view.digits) if isinstance(v, float) else visible(str(v)) for v in c] for c in table.columns]
    widths = [max(cell_len(cell) for cell in (name, *column)) for name, column in zip(table.header, shown, strict=True)]
    shown_table = empty_table(view)
    if sum(widths) + BETWEEN * len(widths) <= view.width:
        for i, name in enumerate(table.header):
            shown_table.add_column(name, justify="right" if i else "left", no_wrap=True)
        for row in zip(*shown, strict=True):
            shown_table.add_row(*map(Text, row))
    else:
        shown_table.add_column(table.header[0], no_wrap=True)
        shown_table.add_column("", justify="right", no_wrap=True)
        for row in zip(*shown, strict=True):
            shown_table.add_row(Text(row[0]), "")
            for name, cell in zip(table.header[1:], row[1:], strict=True):
                shown_table.add_row(f"  {name}", Text(cell))
    return drawn([shown_table], (), view)


def _parts(answer: Answer, view: View) -> list[Text | Table]:
    if answer.kind == "compare":
        (report,) = answer.reports
        parts: list[Text | Table] = [
            _headline("P", report.inputs[0].name, view),
            _headline("Q", report.inputs[1].name, view),
            _measures(report, answer.settings.unit_name, view),
        ]
        contribution = "kl_pq" if report.elements is None else report.elements.contribution
        return [*parts, *_breakdown(report, ("p", "q", "log_ratio", contribution), view)]
    if answer.kind == "rank":
        first = answer.reports[0]
        units = {_unit_of(name, answer.settings.unit_name) for name in first.measures} - {""}
        heading = [_headline("P", first.inputs[0].name, view)]
        return [
            *heading,
            *([Text(f" logarithms in {', '.join(sorted(units))}")] if units else []),
            *_ranking(answer, view),
        ]
    parts = []
    for report in answer.reports:
        parts += [_headline("P", report.name, view), _measures(report, answer.settings.unit_name, view)]
        parts += _breakdown(report, ("p", "self_information", "entropy"), view)
    return parts


def _headline(role: str, name: str, view: View) -> Text:
    text = Text(f" {role} = ", style=styled(STRONG, view))
    text.append(fitted(name, max(8, view.width - 6)))
    return text


def fitted(text: str, width: int) -> str:
    """A label in at most `width` columns of the screen: the middle goes, for the end often tells names apart."""
    text = visible(text)
    if cell_len(text) <= width:
        return text
    end = text[-(width - 1) * 2 // 3 :]
    while cell_len(end) > (width - 1) * 2 // 3:
        end = end[1:]
    return set_cell_size(text, width - 1 - cell_len(end)) + "…" + end


def _measures(report: Report, unit: str, view: View) -> Table:
    catalogue = MEASURES | SINGLE
    table = empty_table(view)
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    units = [_unit_of(name, unit) for name in report.measures]
    errors = [_uncertain(report, name) for name in report.measures]
    titles = [catalogue[name].title for name in report.measures]
    wide = max(map(len, units))
    choices = [
        [f"{u:{wide}}  {beside}".rstrip() for u, beside in zip(units, column, strict=True)]
        for column in ([e or t for e, t in zip(errors, titles, strict=True)], errors, [e.split(",")[0] for e in errors])
    ]
    values = [short(value, view.digits) for value in report.measures.values()]
    taken = max(map(len, ["measure", *report.measures])) + max(map(len, ["value", *values])) + 3 * BETWEEN
    meanings = next((one for one in choices if taken + max(map(len, one)) <= view.width), units)
    table.add_column("", no_wrap=True, style=styled(QUIET, view))
    for row in zip(report.measures, values, meanings, strict=True):
        table.add_row(*row)
    return table


def _uncertain(report: Report, name: str) -> str:
    """How an estimate was had, and its error; '' for what is exact."""
    return f"± {uncertainty(report.errors[name])}, {report.methods[name]}" if name in report.errors else ""


def _unit_of(name: str, unit: str) -> str:
    if not (MEASURES | SINGLE)[name].in_unit:
        return ""
    return f"√{unit}" if name in ROOT_OF_UNIT else unit


def _ranking(answer: Answer, view: View) -> list[Text | Table]:
    names = list(answer.reports[0].measures)
    rows = [[short(value, view.digits) for value in report.measures.values()] for report in answer.reports]
    widths = [max(len(name), *(len(row[i]) for row in rows)) for i, name in enumerate(names)]
    longest = max(len("candidate"), *(cell_len(visible(report.name)) for report in answer.reports))
    room = view.width - len(str(len(rows))) - 2 * BETWEEN - sum(width + BETWEEN for width in widths)
    while len(names) > 1 and room < min(_SMALLEST_LABEL, longest):
        names.pop()
        room += widths.pop() + BETWEEN
    table = empty_table(view)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("candidate", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for i, (report, row) in enumerate(zip(answer.reports, rows, strict=True), 1):
        table.add_row(str(i), Text(fitted(report.name, max(6, room))), *row[: len(names)])
    return [table, *_left_out(list(answer.reports[0].measures)[len(names) :])]


def _left_out(names: Sequence[str]) -> list[Text | Table]:
    """A line that names the columns there was no room for."""
    return [Text(f" (no room for {', '.join(names)}: widen the terminal)")] if names else []


class _BreakdownLayout(NamedTuple):
    """What a breakdown has room for: the columns, the width of the labels, the width of the bars (0: none)."""

    columns: list[str]
    label: int
    bar: int


def _breakdown(report: Report, wanted: Sequence[str], view: View) -> list[Text | Table]:
    if report.elements is None:
        return []
    elements, contribution = report.elements, report.elements.contribution
    titles = {name: element.title for name, element in (ELEMENTS | SINGLE_ELEMENTS).items()}
    cells = {name: [short(v, view.digits) for v in elements.columns[name].tolist()] for name in wanted}
    labels = [visible(outcome) for outcome in elements.outcomes]
    layout = _layout(cells, titles, labels, contribution, view.width)
    table = empty_table(view)
    table.add_column("outcome", no_wrap=True)
    for name in layout.columns:
        table.add_column(titles[name], justify="right", no_wrap=True)
    if layout.bar:
        table.add_column("", no_wrap=True)
    bars = _Bars(elements, contribution, layout.bar, unicode=view.unicode)
    for i, label in enumerate(labels):
        bar = [bars.bar(i, color=view.color)] if layout.bar else []
        table.add_row(Text(fitted(label, layout.label)), *(cells[name][i] for name in layout.columns), *bar)
    return [Text(""), table, *_left_out([name for name in wanted if name not in layout.columns])]


def _layout(
    cells: dict[str, list[str]], titles: dict[str, str], labels: list[str], contribution: str, width: int
) -> _BreakdownLayout:
    """Columns are dropped, the least telling first, until labels and bars have room."""
    widths = {name: max(len(titles[name]), *map(len, values)) for name, values in cells.items()}
    columns = list(cells)
    longest = min(_LONGEST_LABEL, max(len("outcome"), *map(cell_len, labels)))
    for dropped in ("log_ratio", "self_information", "q", "p", ""):
        room = width - 2 * BETWEEN + 1 - sum(widths[name] + BETWEEN for name in columns)
        if room - longest >= _SMALLEST_BAR or dropped == "":
            break
        columns = [name for name in columns if name != dropped]
    bar = max(0, min(_LARGEST_BAR, room - longest))
    if bar < _SMALLEST_BAR:
        bar = 0
        longest = max(6, min(longest, room))
    if contribution not in columns:
        columns.append(contribution)
    return _BreakdownLayout(columns, longest, bar)


class _Bars:
    """Bars to one scale: negative contributions to the left of a common zero, positive ones to the right."""

    def __init__(self, elements: Elements, contribution: str, width: int, *, unicode: bool) -> None:
        self._values = elements.columns[contribution].tolist()
        self._unicode = unicode
        finite = [v for v in self._values if isfinite(v)]
        most, least = max([0.0, *finite]), min([0.0, *finite])
        span = most - least
        self._left = round(width * -least / span) if span else 0
        if least < 0:
            self._left = min(max(1, self._left), width - 1)
        self._right = width - self._left
        self._per_cell = max(most / self._right, -least / self._left if self._left else 0.0)

    def bar(self, i: int, *, color: bool) -> Text:
        """The bar of outcome i."""
        value = self._values[i]
        if isinf(value):
            bar = (" " * self._left) + "∞" * self._right if self._unicode else (" " * self._left) + ">" * self._right
            return Text(bar, style=_POSITIVE if color else "")
        cells = abs(value) / self._per_cell if self._per_cell else 0.0
        if value < 0:
            drawn = ("█" if self._unicode else "-") * max(1, round(cells))
            return Text(drawn.rjust(self._left), style=_NEGATIVE if color else "")
        if self._unicode:
            eighths = round(cells * 8)
            drawn = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
        else:
            drawn = "#" * round(cells)
        return Text(" " * self._left + drawn, style=_POSITIVE if color else "")

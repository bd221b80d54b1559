"""Answers about distributions: how two differ, how uncertain some are, which candidate is nearest."""

from __future__ import annotations

from abc import abstractmethod
from math import isfinite, isinf, nan
from typing import TYPE_CHECKING, Any

from klcli.engine.measures import ELEMENTS, MEASURES, ROOT_OF_UNIT, SINGLE, SINGLE_ELEMENTS, TOGETHER
from klcli.model import ELEMENTS as OF_ELEMENTS
from klcli.model import Settings
from klcli.renderers.answer import Answer, AnswerTable
from klcli.renderers.formats import json_bytes, number
from klcli.renderers.text import BETWEEN, Column, uncertainty, visible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.model import Elements, Input, Report
    from klcli.renderers.answer import Column as Cells
    from klcli.renderers.terminal import Kit

READABLE = 1000
"""Up to so many outcomes JSON is indented: with an indent Python's encoder is fifty times slower."""

_SMALLEST_BAR, _LARGEST_BAR = 8, 40
_SMALLEST_LABEL, _LONGEST_LABEL = 20, 32
_EIGHTHS = " ▏▎▍▌▋▊▉"
_POSITIVE, _NEGATIVE = "cyan", "magenta"
_WIDEN = ": widen the terminal"


class _Reports(Answer):
    """Reports, their measures in rows. Where a form has no place for the errors of estimates, a note has them.

    states_errors: the formats that have one.
    """

    states_errors: Collection[str] = ("json",)

    def __init__(
        self, reports: Sequence[Report], settings: Settings, form: str = "", fields: Sequence[str] = ()
    ) -> None:
        self.reports, self.settings = reports, settings
        notes = [note for report in reports for note in report.notes]
        if fields or form not in self.states_errors:
            notes += estimates(reports, fields)
        self.notes = list(dict.fromkeys(notes))
        several = len(reports) > 1
        self.measured = [(r.name if several else "", {**r.measures, **r.others}) for r in reports]

    def measures_table(self) -> AnswerTable:
        """A row a report."""
        names = self.reports[0].measures
        columns = [[report.measures[name] for report in self.reports] for name in names]
        return AnswerTable(["name", *names], [[report.name for report in self.reports], *columns])

    def elements_table(self) -> AnswerTable:
        """A row an outcome, of several distributions with their names."""
        parts = [(report.name, report.elements) for report in self.reports if report.elements is not None]
        columns: dict[str, Cells] = {
            "name": [name for name, elements in parts for _ in elements.outcomes],
            "outcome": [outcome for _, elements in parts for outcome in elements.outcomes],
        }
        for name in parts[0][1].columns:
            columns[name] = [value for _, elements in parts for value in elements.columns[name].tolist()]
        return AnswerTable(list(columns), list(columns.values()))

    def tables(self) -> list[AnswerTable]:
        """The measures, and the breakdown when asked for."""
        broken_down = any(report.elements is not None for report in self.reports)
        return [self.measures_table(), *([self.elements_table()] if broken_down else [])]

    def values(self, field: str) -> Cells:
        """A measure's for every report, an element's for every outcome."""
        name = field.removeprefix(OF_ELEMENTS)
        table = self.measures_table() if name == field else self.elements_table()
        return table.columns[table.header.index(name)]

    def pictured(self) -> Elements | Sequence[Report] | None:
        """The outcomes of a single report, if they are asked for."""
        return self.reports[0].elements if len(self.reports) == 1 else None

    def document(self) -> dict[str, Any] | bytes:
        """The body, the settings and the notes; indented unless it is long."""
        found = self.body() | {"notes": self.notes}
        outcomes = sum(len(one.elements.outcomes) for one in self.reports if one.elements is not None)
        return found if outcomes <= READABLE else json_bytes(found)

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """The document without its notes."""


class Comparison(_Reports):
    """How two distributions differ, and where."""

    title = "How P and Q differ"
    states_errors = ("table", "tsv", "csv", "json", "ndjson", "markdown", "html")

    def measures_table(self) -> AnswerTable:
        """A row a measure, where there are estimates with its error."""
        (report,) = self.reports
        table = AnswerTable(["measure", "value"], [list(report.measures), list(report.measures.values())])
        if not report.errors:
            return table
        return AnswerTable(
            [*table.header, "error"], [*table.columns, [report.errors.get(n, nan) for n in report.measures]]
        )

    def elements_table(self) -> AnswerTable:
        """A row an outcome."""
        header, columns = super().elements_table()
        return AnswerTable(header[1:], columns[1:])

    def values(self, field: str) -> Cells:
        """A measure, or an element's value for every outcome."""
        measures = self.reports[0].measures
        return [measures[field]] if field in measures else super().values(field)

    def body(self) -> dict[str, Any]:
        """P and Q, and what was measured."""
        (report,) = self.reports
        inputs = dict(zip(("p", "q"), map(_input, report.inputs), strict=True))
        return {"inputs": inputs, "settings": _settings(self.settings), **_measured(report)}

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """P and Q, the measures with what they mean, the breakdown with bars."""
        (report,) = self.reports
        for role, given in zip("PQ", report.inputs, strict=True):
            yield _headline(role, given.name, kit)
        yield _measures(report, self.settings, kit)
        contribution = "kl_pq" if report.elements is None else report.elements.contribution
        yield from _breakdown(report.elements, ("p", "q", "log_ratio", contribution), kit)


class Entropies(_Reports):
    """How uncertain distributions are."""

    title = "Entropy and its parts"
    states_errors = ("table", "json", "html")

    def __init__(
        self, reports: Sequence[Report], settings: Settings, form: str = "", fields: Sequence[str] = ()
    ) -> None:
        super().__init__(reports, settings, form, fields)
        found = {**reports[0].measures, **reports[0].others}.get(TOGETHER)
        self._shown = TOGETHER in reports[0].measures
        self.together = {} if found is None else {TOGETHER: found}
        self.reports = [report._replace(measures=_without(report.measures)) for report in reports]
        self.measured = [*((name, _without(values)) for name, values in self.measured), ("", self.together)]

    def measures_table(self) -> AnswerTable:
        """A row a distribution; what is of all of them stands in each."""
        header, columns = super().measures_table()
        if not self._shown:
            return AnswerTable(header, columns)
        return AnswerTable([*header, TOGETHER], [*columns, [self.together[TOGETHER]] * len(self.reports)])

    def values(self, field: str) -> Cells:
        """A measure of each distribution, or once that of all of them."""
        return list(self.together.values()) if field == TOGETHER else super().values(field)

    def body(self) -> dict[str, Any]:
        """Each distribution with its measures, and what is of all of them."""
        found = [{"name": r.name, **_measured(r), "input": _input(r.inputs[0])} for r in self.reports]
        together = _numbers(self.together) if self._shown else {}
        return {"distributions": found, **together, "settings": _settings(self.settings)}

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """What is of all distributions, then one after the other."""
        if self._shown:
            unit, count = self.settings.unit_name, len(self.reports)
            value = kit.number(self.together[TOGETHER])
            yield kit.text(f" {TOGETHER} of the {count} together: {value} {unit}")
        for report in self.reports:
            yield _headline("P", report.name, kit)
            if report.measures:
                yield _measures(report, self.settings, kit)
            yield from _breakdown(report.elements, ("p", "self_information", "entropy"), kit)


def _without(values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != TOGETHER}


class Ranking(_Reports):
    """Which candidate is nearest to P."""

    title = "Which candidate is nearest to P"

    def measures_table(self) -> AnswerTable:
        """A row a candidate."""
        header, columns = super().measures_table()
        return AnswerTable(["rank", *header], [range(1, len(self.reports) + 1), *columns])

    def pictured(self) -> Sequence[Report]:
        """Every candidate."""
        return self.reports

    def body(self) -> dict[str, Any]:
        """P, and each candidate with its measures."""
        candidates = [
            {"rank": i, "name": r.name, **_measured(r), "input": _input(r.inputs[1])}
            for i, r in enumerate(self.reports, 1)
        ]
        p = _input(self.reports[0].inputs[0])
        return {"p": p, "candidates": candidates, "settings": _settings(self.settings)}

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """P and its candidates, with as many measures as there is room for."""
        reports, names = self.reports, list(self.reports[0].measures)
        yield _headline("P", reports[0].inputs[0].name, kit)
        units = {_unit_of(name, self.settings) for name in names} - {""}
        if units:
            yield kit.text(f" logarithms in {', '.join(sorted(units))}")
        numbers = Column("", [str(i) for i in range(1, len(reports) + 1)])
        columns = [Column(name, [kit.number(report.measures[name]) for report in reports]) for name in names]
        longest = kit.longest(["candidate", *(visible(report.name) for report in reports)])
        while (room := kit.room([numbers, *columns]) - BETWEEN - 1) < min(_SMALLEST_LABEL, longest) and columns[1:]:
            columns.pop()
        candidates = Column("candidate", [kit.fitted(report.name, max(6, room)) for report in reports], left=True)
        yield kit.table([numbers, candidates, *columns])
        yield from kit.no_room(", ".join(names[len(columns) :]), _WIDEN)


def estimates(reports: Sequence[Report], fields: Sequence[str] = ()) -> list[str]:
    """A note on what was estimated each way, with the largest errors. fields: those that are shown, else all."""
    errors: dict[str, dict[str, float]] = {}
    for report in reports:
        for name, error in report.errors.items():
            if not fields or name in fields:
                of_method = errors.setdefault(report.methods[name], {})
                of_method[name] = max(error, of_method.get(name, 0.0))
    at_most = " at most" if len(reports) > 1 else ""
    shown = {
        method: ", ".join(f"{name} ± {uncertainty(error)}" for name, error in of_method.items())
        for method, of_method in errors.items()
    }
    return [f"estimates by {method}: {values}{at_most}" for method, values in shown.items()]


# ----------------------------------------------------------------------------------------------------------------- JSON


def _measured(report: Report) -> dict[str, Any]:
    measures: dict[str, Any] = {"measures": _numbers(report.measures)}
    if report.methods:
        measures |= {"errors": _numbers(report.errors), "methods": dict(report.methods)}
    return measures if report.elements is None else {**measures, "elements": _records(report.elements)}


def _numbers(values: Mapping[str, float]) -> dict[str, float | str | None]:
    return {name: number(value) for name, value in values.items()}


def _records(elements: Elements) -> list[dict[str, Any]]:
    header = ["outcome", *elements.columns]
    columns = [elements.outcomes, *(map(number, column.tolist()) for column in elements.columns.values())]
    records = [dict(zip(header, row, strict=True)) for row in zip(*columns, strict=True)]
    if elements.folded:
        records[-1]["folded"] = elements.folded
    return records


def _input(given: Input) -> dict[str, Any]:
    return {
        "name": given.name,
        "source": given.source,
        "n": given.n,
        "sum": number(given.sum),
        "as": given.read_as,
        "done": list(given.done),
    }


def _settings(settings: Settings) -> dict[str, Any]:
    smoothing = {f"{role}_smooth": side.smoothing for role, side in (("p", settings.p), ("q", settings.q))}
    return {
        "unit": settings.unit_name,
        "p_as": settings.p.read_as,
        "q_as": settings.q.read_as,
        **{name: None if one is None else str(one) for name, one in smoothing.items()},
        "temperature": number(settings.temperature),
        "normalize": settings.normalize,
        "strict": settings.strict,
        "align": settings.align,
        "alpha": number(settings.alpha),
        **({} if settings.js_weight == Settings().js_weight else {"js_weight": number(settings.js_weight)}),
    }


# ---------------------------------------------------------------------------------------------------------- for people


def _headline(role: str, name: str, kit: Kit) -> Text:
    return kit.headed(f" {role} = ", kit.fitted(name, max(8, kit.width - 6)))


def _measures(report: Report, settings: Settings, kit: Kit) -> Grid:
    """Each measure with its unit, and its error or else its meaning; less where there is no room for that."""
    names = list(report.measures)
    units = [_unit_of(name, settings) for name in names]
    wide = max(map(len, units))
    errors = [
        f"± {uncertainty(report.errors[name])}, {report.methods[name]}" if name in report.errors else ""
        for name in names
    ]
    titles = [error or (MEASURES | SINGLE)[name].title for name, error in zip(names, errors, strict=True)]
    meanings = [
        [f"{unit:{wide}}  {beside}".rstrip() for unit, beside in zip(units, column, strict=True)]
        for column in (titles, errors, [error.split(",")[0] for error in errors])
    ]
    return kit.measures(names, [kit.number(value) for value in report.measures.values()], [*meanings, units])


def _unit_of(name: str, settings: Settings) -> str:
    if not (MEASURES | SINGLE)[name].in_unit:
        return ""
    return f"√{settings.unit_name}" if name in ROOT_OF_UNIT else settings.unit_name


def _breakdown(elements: Elements | None, wanted: Sequence[str], kit: Kit) -> Iterator[Text | Grid]:
    """A row an outcome with a bar; columns are dropped, the least telling first, until labels and bars have room."""
    if elements is None:
        return
    labels, contribution = [visible(outcome) for outcome in elements.outcomes], elements.contribution
    titles = {name: element.title for name, element in (ELEMENTS | SINGLE_ELEMENTS).items()}
    columns = {n: Column(titles[n], [kit.number(v) for v in elements.columns[n].tolist()]) for n in wanted}
    shown = list(columns)
    longest = min(_LONGEST_LABEL, kit.longest(["outcome", *labels]))
    for dropped in ("log_ratio", "self_information", "q", "p", ""):
        room = kit.room([columns[name] for name in shown]) - 2 * BETWEEN
        if room - longest >= _SMALLEST_BAR or dropped == "":
            break
        shown = [name for name in shown if name != dropped]
    bar = min(_LARGEST_BAR, room - longest)
    if bar < _SMALLEST_BAR:
        longest = max(6, min(longest, room))
    if contribution not in shown:
        shown.append(contribution)
    outcomes = Column("outcome", [kit.fitted(label, longest) for label in labels], left=True)
    values = elements.columns[contribution].tolist()
    bars = [Column("", _bars(values, bar, kit), left=True)] if kit.pictures and bar >= _SMALLEST_BAR else []
    yield kit.text()
    yield kit.table([outcomes, *(columns[name] for name in shown), *bars])
    yield from kit.no_room(", ".join(name for name in wanted if name not in shown), _WIDEN)


def _bars(values: Sequence[float], width: int, kit: Kit) -> list[Text]:
    """Bars to one scale: negative contributions to the left of a common zero, positive ones to the right."""
    finite = [v for v in values if isfinite(v)]
    most, least = max([0.0, *finite]), min([0.0, *finite])
    span, unicode = most - least, kit.view.unicode
    left = round(width * -least / span) if span else 0
    if least < 0:
        left = min(max(1, left), width - 1)
    right = width - left
    per_cell = max(most / right, -least / left if left else 0.0)

    def bar(value: float) -> Text:
        if isinf(value):
            return kit.text(" " * left + ("∞" if unicode else ">") * right, _POSITIVE)
        cells = abs(value) / per_cell if per_cell else 0.0
        if value < 0:
            return kit.text((("█" if unicode else "-") * max(1, round(cells))).rjust(left), _NEGATIVE)
        eighths = round(cells * 8)
        drawn = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip() if unicode else "#" * round(cells)
        return kit.text(" " * left + drawn, _POSITIVE)

    return [bar(value) for value in values]

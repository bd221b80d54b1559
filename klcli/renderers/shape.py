"""What each kind of answer is, before it is written in some format: a JSON document, or rows and columns."""

from __future__ import annotations

from math import isinf, isnan
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from klcli.model import Answer, Elements, Input, Report, Settings

    Cell = str | int | float
    Row = list[Cell]


class Table(NamedTuple):
    """Rows under a header. A cell is text, a whole number or a double (NaN where it does not apply)."""

    header: list[str]
    rows: Iterator[Row]


def document(answer: Answer, *, breakdown: bool) -> dict[str, Any]:
    """The answer as JSON has it, infinities as the strings that say so."""
    if answer.kind == "compare":
        (report,) = answer.reports
        p, q = report.inputs
        body: dict[str, Any] = {"inputs": {"p": _input(p), "q": _input(q)}, "settings": _settings(answer.settings)}
        body |= _measured(report, breakdown=breakdown)
    elif answer.kind == "entropy":
        body = {
            "distributions": [
                {"name": r.name, **_measured(r, breakdown=breakdown), "input": _input(r.inputs[0])}
                for r in answer.reports
            ],
            "settings": _settings(answer.settings),
        }
    else:
        body = {
            "p": _input(answer.reports[0].inputs[0]),
            "candidates": [
                {"rank": i, "name": r.name, **_measured(r, breakdown=False), "input": _input(r.inputs[1])}
                for i, r in enumerate(answer.reports, 1)
            ],
            "settings": _settings(answer.settings),
        }
    return {**body, "notes": list(answer.notes)}


def number(value: float) -> float | str | None:
    """A double as strict JSON has it: an infinity as a string, which unlike null is below no limit."""
    if isnan(value):
        return None
    if isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _measured(report: Report, *, breakdown: bool) -> dict[str, Any]:
    measures = {"measures": {name: number(value) for name, value in report.measures.items()}}
    if not breakdown or report.elements is None:
        return measures
    return {**measures, "elements": list(_records(report.elements))}


def _records(elements: Elements) -> Iterator[dict[str, Any]]:
    names = list(elements.columns)
    for outcome, *values in zip(elements.outcomes, *(c.tolist() for c in elements.columns.values()), strict=True):
        yield {"outcome": outcome, **{name: number(value) for name, value in zip(names, values, strict=True)}}


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
    return {
        "unit": settings.unit_name,
        "p_as": settings.p.read_as,
        "q_as": settings.q.read_as,
        "p_smooth": None if settings.p.smoothing is None else str(settings.p.smoothing),
        "q_smooth": None if settings.q.smoothing is None else str(settings.q.smoothing),
        "temperature": number(settings.temperature),
        "normalize": settings.normalize,
        "strict": settings.strict,
        "align": settings.align,
        "alpha": number(settings.alpha),
    }


def measures_table(answer: Answer) -> Table:
    """One pair: a row a measure. Several distributions or candidates: a row each."""
    if answer.kind == "compare":
        (report,) = answer.reports
        return Table(["measure", "value"], ([name, value] for name, value in report.measures.items()))
    names = list(answer.reports[0].measures)
    if answer.kind == "entropy":
        return Table(["name", *names], ([r.name, *r.measures.values()] for r in answer.reports))
    return Table(["rank", "name", *names], ([i, r.name, *r.measures.values()] for i, r in enumerate(answer.reports, 1)))


def elements_table(answer: Answer) -> Table:
    """A row an outcome; with several distributions, the name of each row's first."""
    several = answer.kind != "compare"
    first = answer.reports[0].elements
    header = [*(["name"] if several else []), "outcome", *(first.columns if first is not None else [])]
    return Table(header, _element_rows(answer, several=several))


def _element_rows(answer: Answer, *, several: bool) -> Iterator[Row]:
    for report in answer.reports:
        if report.elements is not None:
            columns = (column.tolist() for column in report.elements.columns.values())
            for outcome, *values in zip(report.elements.outcomes, *columns, strict=True):
                yield [*([report.name] if several else []), outcome, *values]

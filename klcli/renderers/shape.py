"""What each kind of answer is, before it is written in some format: a JSON document, or rows and columns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import isfinite, isinf, isnan, nan
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from klcli.model import Answer, Elements, Input, Report, Settings
    from klcli.renderers.view import View

    Cell = str | int | float


class Table(NamedTuple):
    """Columns under a header, all of one length. A cell is text, a whole number or a double (NaN: does not apply)."""

    header: list[str]
    columns: list[Sequence[Cell]]


class Content(ABC):
    """What a command found, as every format takes it. notes: what a reader should know."""

    notes: Sequence[str] = ()

    @abstractmethod
    def rows(self) -> Table:
        """The table of a format that has one table."""

    @abstractmethod
    def json(self) -> str:
        """The strict JSON value."""

    @abstractmethod
    def drawn(self, view: View) -> str:
        """What a terminal shows."""

    def records(self) -> Iterable[dict[str, Any]]:
        """The rows as JSON has them."""
        table = self.rows()
        columns = [[number(v) if isinstance(v, float) else v for v in column] for column in table.columns]
        return (dict(zip(table.header, row, strict=True)) for row in zip(*columns, strict=True))

    def tables(self) -> list[Table]:
        """The tables of a format that may have several."""
        return [self.rows()]


READABLE = 1000
"""Up to so many outcomes JSON is indented: with an indent Python's encoder is fifty times slower."""


class Answered(Content):
    """The answer about distributions: the breakdown when asked for, else the measures."""

    def __init__(self, answer: Answer) -> None:
        self._answer, self.notes = answer, answer.notes

    def rows(self) -> Table:
        """The breakdown when asked for, else the measures."""
        return self.tables()[-1]

    def tables(self) -> list[Table]:
        """The measures, and the breakdown when asked for."""
        answer = self._answer
        return [measures_table(answer), *([elements_table(answer)] if has_breakdown(answer) else [])]

    def json(self) -> str:
        """One object, indented unless it is long."""
        outcomes = sum(len(one.elements.outcomes) for one in self._answer.reports if one.elements is not None)
        return dumped(document(self._answer), indent=2 if outcomes <= READABLE else None)

    def drawn(self, view: View) -> str:
        """Measures with what they mean, and bars."""
        from klcli.renderers.terminal import draw

        return draw(self._answer, view)


def dumped(value: object, indent: int | None = None) -> str:
    """Strict JSON, any text as it is."""
    from json import dumps

    return dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


def text_bytes(text: str) -> bytes:
    """The text in UTF-8; half a surrogate, which has no bytes there, is escaped."""
    return text.encode("utf-8", "backslashreplace")


def json_bytes(value: object) -> bytes:
    """Strict JSON in UTF-8."""
    return text_bytes(dumped(value))


def document(answer: Answer) -> dict[str, Any]:
    """The answer as JSON has it, infinities as the strings that say so."""
    if answer.kind == "compare":
        (report,) = answer.reports
        p, q = report.inputs
        body: dict[str, Any] = {"inputs": {"p": _input(p), "q": _input(q)}, "settings": _settings(answer.settings)}
        body |= _measured(report)
    elif answer.kind == "entropy":
        body = {
            "distributions": [{"name": r.name, **_measured(r), "input": _input(r.inputs[0])} for r in answer.reports],
            "settings": _settings(answer.settings),
        }
    else:
        body = {
            "p": _input(answer.reports[0].inputs[0]),
            "candidates": [
                {"rank": i, "name": r.name, **_measured(r), "input": _input(r.inputs[1])}
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


def _measured(report: Report) -> dict[str, Any]:
    measures: dict[str, Any] = {"measures": {name: number(value) for name, value in report.measures.items()}}
    if report.methods:
        errors = {name: number(value) for name, value in report.errors.items()}
        measures |= {"errors": errors, "methods": dict(report.methods)}
    if report.elements is None:
        return measures
    return {**measures, "elements": list(_records(report.elements))}


def _records(elements: Elements) -> Iterator[dict[str, Any]]:
    header = ["outcome", *elements.columns]
    columns = [elements.outcomes, *(numbers(column.tolist()) for column in elements.columns.values())]
    last = len(elements.outcomes) - 1
    for i, row in enumerate(zip(*columns, strict=True)):
        record = dict(zip(header, row, strict=True))
        yield {**record, "folded": elements.folded} if elements.folded and i == last else record


def numbers(values: list[float]) -> list[float | str | None]:
    """Doubles as strict JSON has them."""
    return [value if isfinite(value) else number(value) for value in values]


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
        table = Table(["measure", "value"], [list(report.measures), list(report.measures.values())])
        if not report.errors:
            return table
        errors = [report.errors.get(name, nan) for name in report.measures]
        return Table([*table.header, "error"], [*table.columns, errors])
    names = list(answer.reports[0].measures)
    columns: list[Sequence[Cell]] = [[r.name for r in answer.reports]]
    columns += [[r.measures[name] for r in answer.reports] for name in names]
    if answer.kind == "entropy":
        return Table(["name", *names], columns)
    return Table(["rank", "name", *names], [range(1, len(answer.reports) + 1), *columns])


def elements_table(answer: Answer) -> Table:
    """A row an outcome; with several distributions, the name of each row's first."""
    parts = [(report.name, report.elements) for report in answer.reports if report.elements is not None]
    outcomes = [outcome for _, elements in parts for outcome in elements.outcomes]
    names = list(parts[0][1].columns)
    columns: list[Sequence[Cell]] = [outcomes]
    columns += [[value for _, elements in parts for value in elements.columns[name].tolist()] for name in names]
    if answer.kind == "compare":
        return Table(["outcome", *names], columns)
    of = [name for name, elements in parts for _ in elements.outcomes]
    return Table(["name", "outcome", *names], [of, *columns])


def has_breakdown(answer: Answer) -> bool:
    """Whether the outcomes were asked for."""
    return any(report.elements is not None for report in answer.reports)

"""Fits, best first.

Of a projection, KL(P||Q) is the target's to the fit, and KL(Q||P) the fit's to the target.
"""

from __future__ import annotations

from math import floor, isfinite, log10, nan
from typing import TYPE_CHECKING, Any

from klcli.errors import UsageError, listed, nearest
from klcli.fits import FORWARD, REVERSE, reasons
from klcli.renderers.answer import Answer, AnswerTable
from klcli.renderers.component import for_people, formula, in_full, parameters
from klcli.renderers.formats import number
from klcli.renderers.text import QUIET, Column, exact, short, uncertainty, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.fits import Fit, FitReport
    from klcli.renderers.terminal import Kit
PARAMETERS = "parameters."

_MEASURES = ("kl_data_model", "kl_error", "kl_model_data", "log_likelihood", "aic", "bic", "ks")
_OF_PROJECTIONS = {"kl_pq": "kl_data_model", "kl_qp": "kl_model_data"}
_NONE_OF_PROJECTIONS = ("kl_error", "log_likelihood", "aic", "bic", "ks")

FIELDS = ("family", "formula", *_MEASURES, *_OF_PROJECTIONS, "direction", "error")
"""What --get takes, besides `parameters.NAME`."""

_KS_DIGITS, _ERROR_DIGITS = 3, 2
_LARGE, _LONGEST = 1e5, 1e13
_MOST_LINES = 4
"""Of a target's formula."""
_WAYS = {
    FORWARD: ("least KL(P||Q)", "covers all of P (mean-seeking)"),
    REVERSE: ("least KL(Q||P)", "fits within P (mode-seeking)"),
}


_OF_DATA = ("family", "parameters", "standard_errors", *_MEASURES)
_OF_PROJECTION = ("family", "direction", "parameters", *_OF_PROJECTIONS, "error")


class FitAnswer(Answer):
    """The fits, best first: of data with their measures, of a projection with both divergences."""

    def __init__(self, report: FitReport) -> None:
        self.report, self.projection = report, report.sample is None
        self.title = "Which of a family is nearest to P" if self.projection else "Which family describes the data"
        # Without the places that JSON has.
        in_short = {**report.left_out, **report.in_short}
        self._left_out = [f"left out: {reasons(in_short)}"] if report.left_out else []
        self.notes = [*report.notes, *self._left_out]
        self._fits = [_fields(fit) for fit in report.fits]
        self.measured = [("", self._fits[0])]
        self._recorded = [*(_OF_PROJECTION if self.projection else _OF_DATA), "formula", "remarks"]

    def rows(self) -> AnswerTable:
        """A row a fit."""
        measures = ("kl_pq", "kl_qp", "error") if self.projection else _MEASURES
        first = ("direction", "family") if self.projection else ("family",)
        errors = () if self.projection else ("standard_errors",)
        header = [*first, *measures, "parameters", *errors, "formula", "remarks"]
        return AnswerTable(header, [[_in_a_cell(fit[name]) for fit in self._fits] for name in header])

    def tables(self) -> list[AnswerTable]:
        """The rows, without columns in which nothing stands."""
        header, columns = self.rows()
        filled = [i for i, column in enumerate(columns) if column != [""] * len(self._fits)]
        return [AnswerTable([header[i] for i in filled], [columns[i] for i in filled])]

    def records(self) -> AnswerTable:
        """An object a fit."""
        return AnswerTable(self._recorded, [[_strict(fit[name]) for fit in self._fits] for name in self._recorded])

    def document(self) -> dict[str, Any]:
        """The fits, what they are of, and what was left out."""
        report = self.report
        fits = [{name: _strict(fit[name]) for name in self._recorded} for fit in self._fits]
        document: dict[str, Any] = {"fits": fits}
        if report.sample is None:
            document["target"] = None if report.target is None else report.target.text
        else:
            bins = report.histogram
            document["n"] = int(report.n) if report.n.is_integer() else report.n
            document["bins"] = None if bins is None else {n: _strict(of.tolist()) for n, of in bins._asdict().items()}
            document["source"] = report.sample.source
        return document | {"left_out": dict(report.left_out), "notes": tuple(report.notes)}

    def values(self, field: str) -> list[float | str]:
        """A field of every fit that has it, best first. Raises UsageError where none can have it."""
        if field.startswith(PARAMETERS):
            return self._parameters(field.removeprefix(PARAMETERS))
        if field not in FIELDS:
            message = f"--get: a fit has no field {field!r}; it has {listed([*FIELDS, 'parameters.NAME'], most=20)}."
            raise UsageError(message + nearest(field, FIELDS))
        if self.projection and field in _NONE_OF_PROJECTIONS:
            message = f"--get {field}: a projection has none, for there are no data; it has kl_pq and kl_qp"
            raise UsageError(message)
        if not self.projection and field in {*_OF_PROJECTIONS, "direction", "error"}:
            instead = _OF_PROJECTIONS.get(field)
            of_data = f"; of data it is {instead}" if instead else ""
            message = f"--get {field}: only a projection (--to) has one{of_data}"
            raise UsageError(message)
        return [fit[field] for fit in self._fits]

    def _parameters(self, name: str) -> list[float | str]:
        known = {parameter: None for fit in self._fits for parameter in fit["parameters"]}
        if name not in known:
            message = f"--get {PARAMETERS}{name}: no fit has a parameter {name!r}; they have {listed(known)}."
            raise UsageError(message + nearest(name, known))
        found = [fit["parameters"][name] for fit in self._fits if name in fit["parameters"]]
        return [float(value) if isinstance(value, float) else in_full(value) for value in found]

    def shown_notes(self) -> list[str]:
        """The notes with each fit's remarks, of the best of which they may speak already."""
        remarks: dict[str, list[str]] = {}
        for fit in self.report.fits:
            for remark in fit.remarks:
                remarks.setdefault(remark, []).append(fit.component.family)
        said = [f"{', '.join(dict.fromkeys(families))}: {remark}" for remark, families in remarks.items()]
        return [*dict.fromkeys([*self.report.notes, *said]), *self._left_out]

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """The ranking or the projections, the parameters, a picture."""
        yield from _projections(self.report, kit) if self.projection else _ranking(self.report, kit)
        if kit.pictures:
            from klcli.renderers.curves import picture_lines

            yield from picture_lines(self.report, kit)

    def pictured(self) -> FitReport:
        """The data or the target, and the best fits."""
        return self.report


def _fields(fit: Fit) -> dict[str, Any]:
    """All that there is of a fit, by name."""
    return {
        "family": fit.component.family,
        "direction": fit.direction,
        "parameters": parameters(fit.component),
        "standard_errors": {name: float(error) for name, error in fit.standard_errors.items()},
        **{name: float(getattr(fit, name)) for name in _MEASURES},
        **{name: float(getattr(fit, field)) for name, field in _OF_PROJECTIONS.items()},
        "error": nan if fit.error is None else float(fit.error),
        "formula": formula(fit.component),
        "remarks": fit.remarks,
    }


def _in_a_cell(value: Any) -> Any:  # noqa: ANN401 - a field of a fit
    """'mu=170.0;sd=8.0' of several named numbers, of which what is not known is empty."""
    if isinstance(value, dict):
        return ";".join(f"{n}={exact(float(v)) if isinstance(v, float) else in_full(v)}" for n, v in value.items())
    return "; ".join(value) if isinstance(value, tuple) else value


def _strict(value: Any) -> Any:  # noqa: ANN401 - as above, and nested tuples of numbers
    """A field as strict JSON has it."""
    if isinstance(value, dict):
        return {name: _strict(one) for name, one in value.items()}
    if isinstance(value, tuple | list):
        return tuple(map(_strict, value))
    return number(value) if isinstance(value, float) else value


# ------------------------------------------------------------------------------------------- for people: fits of data


def _line(role: str, what: str, kit: Kit, after: str = "") -> Text:
    """' P = what  after', cut to the terminal, `after` on a line of its own where it must."""
    room = kit.width - 5
    apart = bool(after) and kit.longest([what]) + kit.longest([after]) + 2 > room
    between = "\n     " if apart else "  " if after else ""
    return kit.headed(f" {role} = ", f"{kit.plain(kit.fitted(what, room))}{between}{after}")


def _ranking(report: FitReport, kit: Kit) -> Iterator[Text | Grid]:
    source = "data" if report.sample is None else report.sample.source
    bins = "" if report.histogram is None else f" in {_counted(len(report.histogram.mass), 'bin')}"
    yield _line("P", source, kit, f"{_counted(report.n, 'value')}{bins}")
    yield _line("Q", "each family, by maximum likelihood", kit, "(KL in nats)")
    fits = report.fits
    without = Column("KL(P||Q)", [_number(fit.kl_data_model, kit.digits) for fit in fits])
    divergences = [kit.plain(_divergence(fit, kit.digits)) for fit in fits]
    columns = [
        Column("family", [fit.component.family for fit in fits], left=True),
        Column(without.title, divergences, left=any(isfinite(fit.kl_error) for fit in fits)),
        Column("KL(Q||P)", [_number(fit.kl_model_data, kit.digits) for fit in fits]),
        Column("ΔAIC", _differences([fit.aic for fit in fits], kit.digits)),
        Column("KS", [_number(fit.ks, min(_KS_DIGITS, kit.digits)) for fit in fits]),
    ]
    beside = _parameters_column(fits, kit)
    if kit.room([*columns, beside]) >= 0:
        yield kit.table([*columns, beside], strong=True)
        return
    dropped = []
    if kit.room(columns) < 0 and without.cells != divergences:
        columns[1] = without
        dropped.append("± of KL")
    for title in ("KS", "KL(Q||P)", "ΔAIC"):
        if kit.room(columns) < 0:
            dropped.append(title)
            columns = [column for column in columns if column.title != title]
    yield kit.table(columns, strong=True)
    yield from kit.no_room(", ".join(dropped), style=QUIET)
    yield kit.text()
    yield from _parameter_lines(fits, kit)


def _counted(n: float, what: str) -> str:
    return f"{n:.15g} {what}{'s' if n != 1 else ''}"


def _number(value: float, digits: int) -> str:
    return short(value, digits) or "-"


def _divergence(fit: Fit, digits: int) -> str:
    """KL(P||Q), with its standard error where that is known."""
    if not isfinite(fit.kl_data_model) or not isfinite(fit.kl_error):
        return _number(fit.kl_data_model, digits)
    return _estimate(fit.kl_data_model, fit.kl_error, digits)


def _differences(aics: Sequence[float], digits: int) -> list[str]:
    """Of each AIC to the least; one decimal is enough."""
    least = min((aic for aic in aics if isfinite(aic)), default=0.0)
    return [f"{aic - least:.1f}" if abs(aic - least) < _LARGE else _number(aic - least, digits) for aic in aics]


def _parameters_column(fits: Sequence[Fit], kit: Kit) -> Column:
    return Column("parameters", [", ".join(_estimates(fit, kit)) for fit in fits], left=True)


def _parameter_lines(fits: Sequence[Fit], kit: Kit, then: Sequence[str] = ()) -> Iterator[Text]:
    """The parameters of each fit, and what else there is, behind its family, what does not fit in the line below."""
    widest = max(len(fit.component.family) for fit in fits)
    for fit in fits:
        line = start = f" {fit.component.family:{widest}}  "
        for said in [*_estimates(fit, kit), *then]:
            between = "" if line.endswith("  ") else ", "
            if between and len(line) + len(between) + len(said) > kit.width:
                yield kit.text(line)
                line, between = " " * len(start), ""
            line += between + kit.plain(kit.fitted(said, kit.width - len(start)))
        yield kit.text(line)


def _estimates(fit: Fit, kit: Kit) -> list[str]:
    """'mu 0.0123 ± 0.0032': with a standard error as many digits as it makes sense of."""
    return [
        kit.plain(f"{name} {_estimate(value, fit.standard_errors.get(name, nan), kit.digits)}")
        for name, value in for_people(fit.component).items()
    ]


def _estimate(value: object, error: float, digits: int) -> str:
    if not isinstance(value, int | float):
        return f"({_vector(value, digits)})"
    if not isfinite(error) or error <= 0:
        return str(value) if isinstance(value, int) else short(float(value), digits)
    if isinstance(value, int):
        return f"{value} ± {short(error, _ERROR_DIGITS)}"
    places = _ERROR_DIGITS - 1 - floor(log10(error))
    if places > 2 * digits or max(abs(value), error) >= (_LONGEST if places >= 0 else _LARGE):
        return f"{short(float(value), digits)} ± {short(error, _ERROR_DIGITS)}"
    shown = max(places, 0)
    # Adding 0 leaves no -0.
    return f"{round(value, places) + 0.0:.{shown}f} ± {round(error, places):.{shown}f}"


def _vector(value: object, digits: int) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(f"({_vector(v, digits)})" if isinstance(v, tuple) else _vector(v, digits) for v in value)
    return short(float(value), digits) if isinstance(value, int | float) else visible(str(value))


# --------------------------------------------------------------------------------------------- for people: projections


def _projections(report: FitReport, kit: Kit) -> Iterator[Text | Grid]:
    if report.target is not None:
        yield from _target(visible(report.target.text), kit)
    for direction in dict.fromkeys(fit.direction for fit in report.fits):
        fits = [fit for fit in report.fits if fit.direction == direction]
        yield kit.text()
        yield from _heading(direction, len(fits), kit)
        yield from _of_direction(fits, kit)


def _target(text: str, kit: Kit) -> Iterator[Text]:
    """' P = ...', a mixture over some lines where it is long, cut before its terms."""
    room, lines = kit.width - 5, [""]
    for term in text.replace("+", "\n+").split("\n"):
        if lines[-1] and kit.longest([lines[-1] + term]) > room:
            lines.append("")
        lines[-1] += term
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = ["".join(lines[_MOST_LINES - 1 :])]
    for i, line in enumerate(lines):
        yield kit.headed("     " if i else " P = ", kit.plain(kit.fitted(line, room)))


def _heading(direction: str, count: int, kit: Kit) -> Iterator[Text]:
    least, seeks = _WAYS.get(direction, ("", ""))
    optima = f", {count} optima" if count > 1 else ""
    joined = len(f" {direction}: {least}, {seeks}{optima}") <= kit.width
    yield kit.headed(f" {direction}", f": {least}{f', {seeks}' if joined else ''}{optima}")
    if not joined:
        yield kit.text(f" {seeks}")


def _of_direction(fits: Sequence[Fit], kit: Kit) -> Iterator[Text | Grid]:
    kls = {
        "KL(P||Q)": [_number(fit.kl_data_model, kit.digits) for fit in fits],
        "KL(Q||P)": [_number(fit.kl_model_data, kit.digits) for fit in fits],
    }
    columns = [
        Column("Q", [fit.component.family for fit in fits], left=True),
        _parameters_column(fits, kit),
        *(Column(title, cells) for title, cells in kls.items()),
    ]
    errors = Column("error", [uncertainty(fit.error) if fit.error is not None else "" for fit in fits])
    if any(errors.cells) and kit.room([*columns, errors]) >= 0:
        columns.append(errors)
    if kit.room(columns) >= 0:
        yield kit.table(columns, strong=True)
        return
    for i, fit in enumerate(fits):
        yield from _parameter_lines([fit], kit, [f"{title} {cells[i]}" for title, cells in kls.items()])

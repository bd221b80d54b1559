"""Fits, best first.

Of a projection, KL(P||Q) is the target's to the fit, and KL(Q||P) the fit's to the target.
"""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any

from klcli.errors import UsageError, listed, nearest
from klcli.families.catalogue import FAMILIES
from klcli.families.family import LocationScale
from klcli.fits import reasons
from klcli.renderers.shape import Content, Table, dumped, number
from klcli.renderers.text import exact

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from klcli.families.formula import Component
    from klcli.fits import Fit, FitReport
    from klcli.renderers.view import View

PARAMETERS = "parameters."

_MEASURES = ("kl_data_model", "kl_error", "kl_model_data", "log_likelihood", "aic", "bic", "ks")
_OF_PROJECTIONS = {"kl_pq": "kl_data_model", "kl_qp": "kl_model_data"}
_NONE_OF_PROJECTIONS = ("kl_error", "log_likelihood", "aic", "bic", "ks")

_ROUNDING = 1e-9
"""Of a distribution's width, what an optimiser leaves of a 0."""

FIELDS = ("family", "formula", *_MEASURES, *_OF_PROJECTIONS, "direction", "error")
"""What --get takes, besides `parameters.NAME`."""


# -------------------------------------------------------------------------------------------------------- what there is


def formula(component: Component) -> str:
    """The component as it can be given as an argument, its numbers in full."""
    family = FAMILIES[component.family]
    if family.spread:
        (values,) = component.parameters.values()
        return f"{component.family}({','.join(map(_number, _values(values)))})"
    return f"{component.family}({','.join(f'{n}={_number(value_of(component, n))}' for n in component.parameters)})"


def _values(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def value_of(component: Component, name: str) -> Any:  # noqa: ANN401 - a number, or nested tuples of some
    """A parameter, as a whole number where it is one."""
    value = component.parameters[name]
    shapes = {parameter.name: parameter.shape for parameter in FAMILIES[component.family].parameters}
    return int(value) if shapes.get(name) == "whole" and isinstance(value, float) and not isinf(value) else value


def for_people(component: Component) -> dict[str, Any]:
    """The parameters as they are shown: a mu that differs from 0 by rounding alone is 0."""
    values = {name: value_of(component, name) for name in component.parameters}
    member = component.member
    if isinstance(member, LocationScale) and abs(member.mu) <= _ROUNDING * member.scale:
        values["mu"] = 0.0
    return values


def _number(value: Any) -> str:  # noqa: ANN401 - as below
    if isinstance(value, tuple):
        return f"[{','.join(map(_number, value))}]"
    return str(value) if isinstance(value, int) else repr(float(value))


def _named_values(component: Component) -> str:
    return ";".join(f"{name}={_number(value_of(component, name))}" for name in component.parameters)


def _errors(fit: Fit) -> str:
    return ";".join(f"{name}={exact(float(error))}" for name, error in fit.standard_errors.items())


def _error(fit: Fit) -> float:
    return float("nan") if fit.error is None else float(fit.error)


def is_projection(report: FitReport) -> bool:
    """Whether it is of a known distribution, not of data."""
    return report.sample is None


def left_out(report: FitReport) -> Iterator[str]:
    """The families that are not there, in a line, without the places that JSON has."""
    if report.left_out:
        yield f"left out: {reasons({**report.left_out, **report.in_short})}"


class Fitted(Content):
    """The fits, best first."""

    def __init__(self, report: FitReport) -> None:
        self._report, self.notes = report, [*report.notes, *left_out(report)]

    def rows(self) -> Table:
        """A row a fit: of data its measures, of a projection both divergences."""
        report, fits = self._report, self._report.fits
        families = [fit.component.family for fit in fits]
        parameters = [_named_values(fit.component) for fit in fits]
        if is_projection(report):
            columns: dict[str, Sequence[Any]] = {"direction": [fit.direction for fit in fits], "family": families}
            columns |= {name: [getattr(fit, field) for fit in fits] for name, field in _OF_PROJECTIONS.items()}
            columns |= {"error": [_error(fit) for fit in fits], "parameters": parameters}
        else:
            columns = {"family": families} | {name: [getattr(fit, name) for fit in fits] for name in _MEASURES}
            columns |= {"parameters": parameters, "standard_errors": [_errors(fit) for fit in fits]}
        columns |= {"formula": [formula(fit.component) for fit in fits]}
        columns |= {"remarks": ["; ".join(fit.remarks) for fit in fits]}
        return Table(list(columns), list(columns.values()))

    def tables(self) -> list[Table]:
        """The rows, without columns in which nothing stands."""
        rows = self.rows()
        kept = [i for i, column in enumerate(rows.columns) if any(v not in {"", None} for v in column)]
        return [Table([rows.header[i] for i in kept], [rows.columns[i] for i in kept])]

    def records(self) -> Iterator[dict[str, Any]]:
        """An object a fit."""
        projection = is_projection(self._report)
        return (_record(fit, projection=projection) for fit in self._report.fits)

    def json(self) -> str:
        """One object, an entry a line."""
        report = self._report
        document: dict[str, Any] = {"fits": list(self.records())}
        if report.sample is None:
            document["target"] = None if report.target is None else report.target.text
        else:
            bins = report.histogram
            document["n"] = int(report.n) if report.n.is_integer() else report.n
            document["bins"] = None if bins is None else {"edges": _strict(bins.edges), "mass": _strict(bins.mass)}
            document["source"] = report.sample.source
        return _indented(document | {"left_out": dict(report.left_out), "notes": list(report.notes)})

    def drawn(self, view: View) -> str:
        """The ranking, the parameters, a picture."""
        from klcli.renderers.fit_table import draw

        return draw(self._report, view)


# ----------------------------------------------------------------------------------------------------------------- JSON


def _record(fit: Fit, *, projection: bool) -> dict[str, Any]:
    component = fit.component
    record: dict[str, Any] = {"family": component.family}
    parameters = {name: _strict(value_of(component, name)) for name in component.parameters}
    if projection:
        record |= {"direction": fit.direction, "parameters": parameters}
        record |= {name: _strict(getattr(fit, field)) for name, field in _OF_PROJECTIONS.items()}
        record["error"] = _strict(_error(fit))
    else:
        errors = {name: _strict(error) for name, error in fit.standard_errors.items()}
        record |= {"parameters": parameters, "standard_errors": errors}
        record |= {name: _strict(getattr(fit, name)) for name in _MEASURES}
    return record | {"formula": formula(component), "remarks": list(fit.remarks)}


def _strict(value: Any) -> Any:  # noqa: ANN401 - a number, an array, or nested tuples
    """Numbers as strict JSON has them, in lists as they were."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, tuple | list):
        return [_strict(one) for one in value]
    return value if isinstance(value, int) else number(float(value))


def _indented(value: object, depth: int = 0) -> str:
    """JSON with an entry a line, but lists of numbers on one."""
    end, start = "\n" + "  " * depth, "\n" + "  " * (depth + 1)
    if isinstance(value, dict) and value:
        entries = [f"{dumped(key)}: {_indented(item, depth + 1)}" for key, item in value.items()]
        return f"{{{start}{f',{start}'.join(entries)}{end}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"[{start}{f',{start}'.join(_indented(item, depth + 1) for item in value)}{end}]"
    return dumped(value)


# ---------------------------------------------------------------------------------------------------------- bare values


def bare(report: FitReport, fields: Sequence[str]) -> str:
    """The fields' values, a line a fit, best first, field after field. Raises UsageError for one that there is not."""
    found = [value for field in fields for value in values(report, field)]
    return "".join(f"{exact(value) if isinstance(value, float) else value}\n" for value in found)


def values(report: FitReport, field: str) -> list[float | str]:
    """A field of every fit that has it, best first. Raises UsageError where none can have it."""
    if field.startswith(PARAMETERS):
        return _parameters(report, field.removeprefix(PARAMETERS))
    if field not in FIELDS:
        message = f"--get: a fit has no field {field!r}; it has {listed([*FIELDS, 'parameters.NAME'], most=20)}."
        raise UsageError(message + nearest(field, FIELDS))
    if is_projection(report) and field in _NONE_OF_PROJECTIONS:
        message = f"--get {field}: a projection has none, for there are no data; it has kl_pq and kl_qp"
        raise UsageError(message)
    if not is_projection(report) and field in {*_OF_PROJECTIONS, "direction", "error"}:
        instead = _OF_PROJECTIONS.get(field)
        message = f"--get {field}: only a projection (--to) has one" + (f"; of data it is {instead}" if instead else "")
        raise UsageError(message)
    return [_field(fit, field) for fit in report.fits]


def _field(fit: Fit, field: str) -> float | str:
    if field == "family":
        return fit.component.family
    if field == "formula":
        return formula(fit.component)
    if field == "error":
        return _error(fit)
    value: float | str = getattr(fit, _OF_PROJECTIONS.get(field, field))
    return value if isinstance(value, str) else float(value)


def _parameters(report: FitReport, name: str) -> list[float | str]:
    known = {parameter: None for fit in report.fits for parameter in fit.component.parameters}
    if name not in known:
        message = f"--get {PARAMETERS}{name}: no fit has a parameter {name!r}; they have {listed(known)}."
        raise UsageError(message + nearest(name, known))
    components = [fit.component for fit in report.fits if name in fit.component.parameters]
    found = [value_of(component, name) for component in components]
    return [float(value) if isinstance(value, float) else _number(value) for value in found]

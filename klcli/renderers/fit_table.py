"""Fits for people: the ranking, the parameters, a picture. Rich draws; user text only enters as `Text`."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text

from klcli.fits import FORWARD, REVERSE
from klcli.renderers.curves import picture_lines
from klcli.renderers.fit import for_people, is_projection, left_out
from klcli.renderers.terminal import BETWEEN, QUIET, STRONG, drawn, empty_table, fitted, styled
from klcli.renderers.text import short, uncertainty, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.table import Table

    from klcli.fits import Fit, FitReport
    from klcli.renderers.view import View

_KS_DIGITS, _ERROR_DIGITS = 3, 2
_LARGE, _LONGEST = 1e5, 1e13
_MOST_LINES = 4
"""Of a target's formula."""
_WAYS = {
    FORWARD: ("least KL(P||Q)", "covers all of P (mean-seeking)"),
    REVERSE: ("least KL(Q||P)", "fits within P (mode-seeking)"),
}
_NO_UNICODE = {"…": "~", "±": "+-", "Δ": "d"}


class _Column(NamedTuple):
    """A column with its cells, those of text to the left."""

    title: str
    cells: list[str]
    left: bool = False


def draw(report: FitReport, view: View) -> str:
    """The whole report as text for a terminal of `view.width` columns."""
    parts = _projection(report, view) if is_projection(report) else _ranking(report, view)
    text = drawn([*parts, *picture_lines(report, view)], _notes(report), view, "256")
    return text if view.unicode else text.replace("…", "~")


def _notes(report: FitReport) -> Iterator[str]:
    remarks: dict[str, list[str]] = {}
    for fit in report.fits:
        for remark in fit.remarks:
            remarks.setdefault(remark, []).append(fit.component.family)
    # Of the best fit the notes may say it already.
    said = {f"{', '.join(dict.fromkeys(families))}: {remark}": None for remark, families in remarks.items()}
    yield from dict.fromkeys([*report.notes, *said])
    yield from left_out(report)


def _plain(text: str, view: View) -> str:
    """Our own words without what the terminal cannot show."""
    for character, instead in _NO_UNICODE.items() if not view.unicode else ():
        text = text.replace(character, instead)
    return text


def _line(role: str, what: str, view: View, after: str = "") -> Text:
    """' P = what  after', cut to the terminal, `after` on a line of its own where it must."""
    room = view.width - 5
    text = Text(f" {role} = ", style=styled(STRONG, view))
    if after and cell_len(what) + cell_len(after) + 2 > room:
        text.append(_plain(fitted(what, room), view), style="not bold")
        return text.append(f"\n     {after}", style="not bold")
    text.append(_plain(fitted(what, room), view), style="not bold")
    return text.append(f"  {after}" if after else "", style="not bold")


def _table(columns: Sequence[_Column], view: View) -> Table:
    table = empty_table(view)
    for column in columns:
        table.add_column(_plain(column.title, view), justify="left" if column.left else "right", no_wrap=True)
    for i, row in enumerate(zip(*(column.cells for column in columns), strict=True)):
        style = styled(STRONG, view) if i == 0 else ""
        table.add_row(*(Text(_plain(cell, view), style=style) for cell in row))
    return table


def _room(columns: Sequence[_Column], view: View) -> int:
    """What is left beside the columns; the last has no divider after it."""
    widths = (max(cell_len(_plain(cell, view)) for cell in (column.title, *column.cells)) for column in columns)
    return view.width + 1 - sum(width + BETWEEN for width in widths)


def _left(names: Sequence[str], view: View) -> list[Text]:
    """A line that names the columns there was no room for."""
    return [Text(f" (no room for {_plain(', '.join(names), view)})", style=styled(QUIET, view))] if names else []


# ------------------------------------------------------------------------------------------------------------ a ranking


def _ranking(report: FitReport, view: View) -> Iterator[Text | Table]:
    source = "data" if report.sample is None else report.sample.source
    bins = "" if report.histogram is None else f" in {_counted(len(report.histogram.mass), 'bin')}"
    yield _line("P", source, view, f"{_counted(report.n, 'value')}{bins}")
    yield _line("Q", "each family, by maximum likelihood", view, "(KL in nats)")
    fits = report.fits
    without = _Column("KL(P||Q)", [_number(fit.kl_data_model, view.digits) for fit in fits])
    divergences = [_divergence(fit, view.digits) for fit in fits]
    columns = [
        _Column("family", [fit.component.family for fit in fits], left=True),
        _Column(without.title, divergences, left=any(map(isfinite, (fit.kl_error for fit in fits)))),
        _Column("KL(Q||P)", [_number(fit.kl_model_data, view.digits) for fit in fits]),
        _Column("ΔAIC", _differences([fit.aic for fit in fits], view.digits)),
        _Column("KS", [_number(fit.ks, min(_KS_DIGITS, view.digits)) for fit in fits]),
    ]
    parameters = [", ".join(_estimates(fit, view.digits)) for fit in fits]
    beside = _Column("parameters", parameters, left=True)
    if _room([*columns, beside], view) >= 0:
        yield _table([*columns, beside], view)
        return
    dropped = []
    if _room(columns, view) < 0 and without.cells != divergences:
        columns[1] = without
        dropped.append("± of KL")
    for title in ("KS", "KL(Q||P)", "ΔAIC"):
        if _room(columns, view) < 0:
            dropped.append(title)
            columns = [column for column in columns if column.title != title]
    yield _table(columns, view)
    yield from _left(dropped, view)
    yield Text("")
    yield from _parameter_lines(fits, view)


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


def _parameter_lines(fits: Sequence[Fit], view: View, then: Sequence[str] = ()) -> Iterator[Text]:
    """The parameters of each fit, and what else there is, behind its family, what does not fit in the line below."""
    widest = max(len(fit.component.family) for fit in fits)
    for fit in fits:
        line = start = f" {fit.component.family:{widest}}  "
        for said in [*(_plain(estimate, view) for estimate in _estimates(fit, view.digits)), *then]:
            between = "" if line.endswith("  ") else ", "
            if between and len(line) + len(between) + len(said) > view.width:
                yield Text(line)
                line, between = " " * len(start), ""
            line += between + _plain(fitted(said, view.width - len(start)), view)
        yield Text(line)


def _estimates(fit: Fit, digits: int) -> list[str]:
    """'mu 0.0123 ± 0.0032': with a standard error as many digits as it makes sense of."""
    return [
        f"{name} {_estimate(value, fit.standard_errors.get(name, float('nan')), digits)}"
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


# --------------------------------------------------------------------------------------------------------- a projection


def _projection(report: FitReport, view: View) -> Iterator[Text | Table]:
    if report.target is not None:
        yield from _target(visible(report.target.text), view)
    for direction in dict.fromkeys(fit.direction for fit in report.fits):
        fits = [fit for fit in report.fits if fit.direction == direction]
        yield Text("")
        yield from _heading(direction, len(fits), view)
        yield from _of_direction(fits, view)


def _target(text: str, view: View) -> Iterator[Text]:
    """' P = ...', a mixture over some lines where it is long, cut before its terms."""
    room, lines = view.width - 5, [""]
    for term in text.replace("+", "\n+").split("\n"):
        if lines[-1] and cell_len(lines[-1] + term) > room:
            lines.append("")
        lines[-1] += term
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES - 1 :] = ["".join(lines[_MOST_LINES - 1 :])]
    for i, line in enumerate(lines):
        start = Text("     " if i else " P = ", style=styled(STRONG, view))
        yield start.append(_plain(fitted(line, room), view), style="not bold")


def _heading(direction: str, count: int, view: View) -> Iterator[Text]:
    least, seeks = _WAYS.get(direction, ("", ""))
    optima = f", {count} optima" if count > 1 else ""
    first = Text(f" {direction}", style=styled(STRONG, view)).append(f": {least}", style="not bold")
    joined = cell_len(first.plain) + 2 + len(seeks + optima) <= view.width
    yield first.append(f", {seeks}{optima}" if joined else optima, style="not bold")
    if not joined:
        yield Text(f" {seeks}")


def _of_direction(fits: Sequence[Fit], view: View) -> Iterator[Text | Table]:
    kls = {
        "KL(P||Q)": [_number(fit.kl_data_model, view.digits) for fit in fits],
        "KL(Q||P)": [_number(fit.kl_model_data, view.digits) for fit in fits],
    }
    columns = [
        _Column("Q", [fit.component.family for fit in fits], left=True),
        _Column("parameters", [", ".join(_estimates(fit, view.digits)) for fit in fits], left=True),
        *(_Column(title, cells) for title, cells in kls.items()),
    ]
    errors = _Column("error", [uncertainty(fit.error) if fit.error is not None else "" for fit in fits])
    if any(errors.cells) and _room([*columns, errors], view) >= 0:
        columns.append(errors)
    if _room(columns, view) >= 0:
        yield _table(columns, view)
        return
    for i, fit in enumerate(fits):
        measured = [f"{title} {cells[i]}" for title, cells in kls.items()]
        yield from _parameter_lines([fit], view, measured)

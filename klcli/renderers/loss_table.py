"""A loss for people: what was computed, the value and what it is the sum of, the rows. User text enters as `Text`."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from klcli.engine.losses import LOSSES
from klcli.renderers.loss import index_names, measured, read_as, shown_number
from klcli.renderers.terminal import BETWEEN, QUIET, STRONG, drawn, empty_table, fitted, styled
from klcli.renderers.text import visible
from klcli.tensors import BATCHMEAN, IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rich.table import Table

    from klcli.renderers.view import View
    from klcli.tensors import Index, LossReport, Numbers, Tensor

    Side = Literal["left", "right"]

_MOST_ROWS = 30
_SMALLEST_SOURCE = 10
_ODD, _TARGET = "magenta", "bold cyan"
_LOG_Q, _LOG_PROBS = "log q", "log-probabilities"
_READ_AS = {"probs": "probabilities", "logprobs": _LOG_PROBS}
_OF_PROBABILITIES = "-sum target log softmax(input)"
_MEANINGS = {
    "entropy": "mean H(target)",
    "kl_divergence": "mean KL(target||input)",
    "cross_entropy": "mean H(target, input), their sum",
}


def draw(report: LossReport, view: View) -> str:
    """The whole report as text for a terminal of `view.width` columns."""
    parts = [*_heading(report, view), *_measures(report, view), Text(""), *_rows(report, view)]
    text = drawn(parts, report.notes, view)
    return text if view.unicode else text.replace("…", "~")


def _table(columns: Mapping[str, Side], view: View) -> Table:
    table = empty_table(view)
    for name, justify in columns.items():
        style = "" if name else styled(QUIET, view)
        table.add_column(name, justify=justify, style=style, no_wrap=True)
    return table


def _cut(view: View) -> str:
    """What stands for what was left out."""
    return "…" if view.unicode else "..."


# ------------------------------------------------------------------------------------------------------- what it is of


def _heading(report: LossReport, view: View) -> Iterator[Text]:
    what = f" {LOSSES[report.task.loss].title}, {_reduction(report)}"
    lines = [what] if cell_len(what) <= view.width else what.replace(", ", ",\n ", 1).split("\n")
    yield from (Text(line, style=styled(STRONG, view)) for line in lines)
    operands = {name: tensor for name, tensor in report.operands._asdict().items() if tensor is not None}
    widest = max(cell_len(tensor.role) for tensor in operands.values())
    for name, tensor in operands.items():
        start = f" {tensor.role:{widest}} = "
        form = read_as(report, name)
        text = Text(start, style=styled(STRONG, view))
        yield text.append(_described(tensor, _READ_AS.get(form, form), view.width - len(start)), style="not bold")


def _described(tensor: Tensor, form: str, width: int) -> str:
    """Where it is from, its shape and how it was read; the last two where there is room."""
    shape = f"  ({', '.join(map(str, tensor.shape))})" if tensor.shape else ""
    least = min(_SMALLEST_SOURCE, cell_len(visible(tensor.source)))
    after = next((s for s in (f"{shape} {form}".rstrip(), shape) if len(s) + least <= width), "")
    return fitted(tensor.source, max(4, width - len(after))) + after


def _reduction(report: LossReport) -> str:
    """What became of the losses, in words."""
    task = report.task
    of_elements = task.loss == "kl-div" or report.dim is None
    if task.reduction == "none":
        return "unreduced; below, each row's sum" if task.loss == "kl-div" else "unreduced"
    ignored = int(np.count_nonzero(report.operands.target.values == _ignore(report))) if report.indices else 0
    rows = _counted(report.rows.size - ignored, "row")
    elements = _counted(report.operands.input.values.size, "element")
    if task.reduction == BATCHMEAN:
        batch = report.operands.input.shape[0] if report.operands.input.shape else 1
        return f"mean of {rows}" if batch == report.rows.size else f"sum of {rows} / {batch}"
    weighted = report.operands.weight is not None and report.dim is not None and task.reduction == "mean"
    what = elements if report.dim is None or (of_elements and task.reduction == "mean") else rows
    return f"{'weighted ' if weighted else ''}{task.reduction} of {what}" + (f", {ignored} ignored" if ignored else "")


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"


def _ignore(report: LossReport) -> int:
    return IGNORE_INDEX if report.task.ignore_index is None else report.task.ignore_index


# --------------------------------------------------------------------------------------------------------- the measures


def _measures(report: LossReport, view: View) -> list[Table]:
    measures = measured(report)
    if not measures:
        return []
    soft = report.task.loss == "cross-entropy" and not report.indices
    formula = _OF_PROBABILITIES if soft else LOSSES[report.task.loss].formula
    weighted = any(weight is not None for weight in (report.operands.weight, report.operands.pos_weight))
    meanings = _MEANINGS | {"value": f"{formula}, weighted" if weighted else formula}
    values = {name: shown_number(value, view.digits) for name, value in measures.items()}
    taken = max(map(len, ["measure", *values])) + max(map(len, ["value", *values.values()])) + 3 * BETWEEN
    explained = taken + max(len(meanings[name]) for name in values) <= view.width
    columns: dict[str, Side] = {"measure": "left", "value": "right"}
    table = _table(columns | ({"": "left"} if explained else {}), view)
    for name, value in values.items():
        table.add_row(name, Text(value, style=_number_style(measures[name], view)), *[meanings[name]][: int(explained)])
    return [table]


def _number_style(value: float, view: View) -> str:
    return "" if isfinite(value) else styled(_ODD, view)


# ------------------------------------------------------------------------------------------------------------- the rows


def _rows(report: LossReport, view: View) -> Iterator[Text | Table]:
    shown = min(report.rows.size, _MOST_ROWS)
    columns = {", ".join(index_names(report)): _indices(report, shown)}
    targets = _targets(report, shown, view)
    if targets:
        columns["target"] = targets
    losses = report.rows.reshape(-1)[:shown].tolist()
    ignored = [report.indices and target == str(_ignore(report)) for target in targets or [""] * shown]
    columns["loss"] = [
        "ignored" if out else shown_number(loss, view.digits) for loss, out in zip(losses, ignored, strict=True)
    ]
    taken = sum(max(map(cell_len, [name, *cells])) + BETWEEN for name, cells in columns.items())
    room = view.width - taken - BETWEEN + 1
    log_probs = _log_probs(report, shown, view, room)
    aligned: dict[str, Side] = dict.fromkeys(columns, "right")
    aligned[next(iter(columns))] = "left"
    if log_probs:
        aligned[_LOG_PROBS if len(_LOG_PROBS) <= room and report.dim is not None else _LOG_Q] = "left"
    table = _table(aligned, view)
    for i, row in enumerate(zip(*columns.values(), strict=True)):
        cells = [Text(cell) for cell in row]
        cells[-1].stylize(styled(QUIET, view) if ignored[i] else _number_style(losses[i], view))
        table.add_row(*cells, *log_probs[i : i + 1])
    yield table
    if report.rows.size > shown:
        yield Text(f" {_cut(view)} {_counted(report.rows.size - shown, 'more row')}", style=styled(QUIET, view))
    if report.log_probs is not None and not log_probs:
        yield Text(f" (no room for the {_LOG_PROBS})", style=styled(QUIET, view))


def _index(report: LossReport, shown: int) -> list[Index]:
    return [tuple(map(int, np.unravel_index(i, report.rows.shape))) for i in range(shown)]


def _indices(report: LossReport, shown: int) -> list[str]:
    return [", ".join(map(str, index)) for index in _index(report, shown)]


def _targets(report: LossReport, shown: int, view: View) -> list[str]:
    """The target of each row, where it is one number."""
    if report.dim is not None and not report.indices:
        return []
    some = report.operands.target.values.reshape(-1)[:shown].tolist()
    return [str(int(t)) if t == int(t) else shown_number(float(t), view.digits) for t in some]


def _log_probs(report: LossReport, shown: int, view: View, room: int) -> list[Text]:
    """The log-probabilities of each row, below one another, as many as there is room for. None: no room."""
    if report.log_probs is None or room < len(_LOG_Q):
        return []
    # A number takes at least two columns: of a million classes most are never looked at.
    some = _of_rows(report, report.log_probs, shown, room // 2)
    cells = [[shown_number(v, view.digits) for v in column] for column in some.T.tolist()]
    widths = [max(map(len, column)) for column in cells]
    ends = (np.cumsum(widths) + np.arange(len(widths))).tolist()
    classes = 1 if report.dim is None else report.log_probs.shape[report.dim]
    count, cut = len(ends), _cut(view)
    if classes > count or ends[-1] > room:
        count = sum(end + 1 + len(cut) <= room for end in ends)
    if not count:
        return []
    targets = _targets(report, shown, view) if report.indices else [""] * shown
    lines = []
    for row, target in zip(zip(*cells, strict=True), targets, strict=True):
        line = Text()
        for k, cell in enumerate(row[:count]):
            line.append(" " * bool(k) + cell.rjust(widths[k]), style=styled(_TARGET, view) if str(k) == target else "")
        lines.append(line.append(f" {cut}") if count < classes else line)
    return lines


def _of_rows(report: LossReport, log_probs: Numbers, shown: int, most: int) -> Numbers:
    """The first rows and classes. Returns (shown, k), k <= most."""
    if report.dim is None:
        return log_probs.reshape(-1, 1)[:shown]
    moved = np.moveaxis(log_probs, report.dim, -1)
    rows = moved if moved.ndim > 1 else moved[np.newaxis]
    return np.array([rows[index][:most] for index in _index(report, shown)])

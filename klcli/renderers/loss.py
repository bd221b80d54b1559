"""A loss and its rows. NaN is an answer here, as PyTorch's, and is written."""

from __future__ import annotations

from functools import partial
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.losses import LOSSES
from klcli.errors import UsageError
from klcli.renderers.answer import Answer, AnswerTable, Computed
from klcli.renderers.pytorch import call
from klcli.renderers.text import BETWEEN, QUIET, STRONG, Column, visible
from klcli.tensors import BATCHMEAN, IGNORE_INDEX, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table as Grid
    from rich.text import Text

    from klcli.renderers.answer import Array
    from klcli.renderers.answer import Column as Cells
    from klcli.renderers.terminal import Kit
    from klcli.tensors import LossReport, Tensor

CLASS_INDICES = "class indices"

_MOST_ROWS = 30
_SMALLEST_SOURCE = 10
_ODD, _TARGET = "magenta", "bold cyan"
_LOG_Q, _LOG_PROBS = "log q", "log-probabilities"
_READ_AS = {"probs": "probabilities", "logprobs": _LOG_PROBS}
_OF_PROBABILITIES = "-sum target log softmax(input)"
_SETTINGS = {"focal": ("gamma",), "focal --binary": ("gamma",), "js": ("beta",), "kl-samples": ("estimator",)}
"""The settings that these losses alone have."""

_LOG_INPUT = {"logits": "log softmax(input)", "probs": "log input", "logprobs": "input"}
_MEANINGS = {
    "entropy": "mean H(target)",
    "kl_divergence": "mean KL(target||input)",
    "cross_entropy": "mean H(target, input), their sum",
    "k1": "mean log p - log q",
    "k2": "mean (log p - log q)^2 / 2",
    "k3": "mean r - 1 - log r, r = q/p",
}


class LossAnswer(Answer):
    """The value, what a cross-entropy is the sum of, and the loss of each row, or where asked for of each element."""

    title = "A loss and its rows"
    nan = "nan"

    def __init__(self, report: LossReport) -> None:
        self.report, self.notes = report, report.notes
        self.measured = [("", {"value": float(report.value.max(initial=-inf))})]
        ignore = report.task.ignore_index
        self.ignore_index = IGNORE_INDEX if ignore is None else ignore
        self.operands = {name: tensor for name, tensor in report.operands._asdict().items() if tensor is not None}
        axes = range(1, report.rows.ndim)
        self.axes = ["row", *(f"d{i}" for i in axes)]
        """What the axes of the rows are called: row, then as PyTorch has them, d1, d2, ..."""

    def measures(self) -> dict[str, float]:
        """The value, unless it is one of many, and what a cross-entropy is the sum of, in the order of the addition."""
        report = self.report
        found = {} if report.value.ndim else {"value": float(report.value)}
        if report.identity is not None:
            names = ("entropy", "kl_divergence", "cross_entropy")
            found |= {name: getattr(report.identity, name) for name in names}
        return found | report.estimates

    def rows(self) -> AnswerTable:
        """The index of each loss, its target where that is a class, its value."""
        report, axes, losses = self.report, self.axes, self.report.rows
        if report.value.ndim and report.value.shape != losses.shape:  # kl-div's elements
            losses, dim = report.value, report.dim or 0
            axes = [*axes[:dim], "class", *axes[dim:]] if losses.ndim > 1 else ["class"]

        def index(axis: int, some: slice) -> Array:
            return np.unravel_index(np.arange(some.start, min(some.stop, losses.size)), losses.shape)[axis]

        def target(some: slice) -> Array:
            return report.operands.target.values.reshape(-1)[some].astype(np.int64)

        columns: dict[str, Cells] = {name: Computed(losses.size, partial(index, i)) for i, name in enumerate(axes)}
        columns |= {"target": Computed(losses.size, target)} if report.indices else {}
        return AnswerTable([*columns, "loss"], [*columns.values(), losses.reshape(-1)])

    def tables(self) -> list[AnswerTable]:
        """The measures, if there are any, and the rows."""
        measures = self.measures()
        table = [AnswerTable(["measure", "value"], [list(measures), list(measures.values())])] if measures else []
        return [*table, self.rows()]

    def values(self, field: str) -> Cells:
        """The values of a field in row-major order. Raises UsageError for one that the report has not."""
        report, identity = self.report, self.report.identity
        found = {"value": report.value, "rows": report.rows, "log_probabilities": report.log_probs}.get(field)
        if found is not None:
            return found.reshape(-1) if found.ndim else [float(found)]
        if identity is not None and field in identity._fields:
            return [getattr(identity, field)]
        if field == "perplexity":
            return [report.perplexity]
        if field in report.estimates:
            return [report.estimates[field]]
        operands = report.operands
        weights = [w.role for w in (operands.weight, operands.pos_weight, operands.row_weight) if w is not None]
        why = f"{report.task.loss} of these operands has none"
        if weights and field != "log_probabilities":
            given = " and ".join(weights)
            why = f"with {given} the loss is not the cross-entropy of two distributions; drop {given}"
        message = f"--get {field}: {why}"
        raise UsageError(message)

    def document(self) -> dict[str, Any]:
        """The whole report."""
        report, task, identity = self.report, self.report.task, self.report.identity
        settings: dict[str, Any] = {} if report.dim is None else {"dim": report.dim}
        ignores = report.indices or task.ignore_index is not None
        settings |= {"ignore_index": self.ignore_index} if ignores else {}
        settings |= {"label_smoothing": np.asarray(task.label_smoothing)} if task.loss == "cross-entropy" else {}
        changed = (
            (name, getattr(task, name), Task._field_defaults[name]) for name in ("temperature", "times_t2", "unit")
        )
        settings |= {name: value for name, value, usual in changed if value != usual}
        settings |= {name: getattr(task, name) for name in _SETTINGS.get(task.loss, ())}
        return {
            "loss": task.loss,
            "value": report.value,
            "reduction": task.reduction,
            "shape": report.operands.input.shape,
            "rows": report.rows,
            "identity": None if identity is None else {n: np.asarray(v) for n, v in identity._asdict().items()},
            "log_probabilities": report.log_probs,
            **({"estimates": dict(report.estimates)} if report.estimates else {}),
            "inputs": {name: self._operand(name, tensor) for name, tensor in self.operands.items()},
            "settings": settings | {"dtype": task.dtype},
            "call": call(report),
            "notes": list(report.notes),
        }

    def _operand(self, name: str, tensor: Tensor) -> dict[str, Any]:
        described = {"source": tensor.source, "shape": tensor.shape, "dtype": str(tensor.values.dtype)}
        return described | ({"as": self._read_as(name)} if self._read_as(name) else {})

    def _read_as(self, name: str) -> str:
        """How an operand was read: logits, probs, logprobs or class indices; '' for weights."""
        task = self.report.task
        target_as = CLASS_INDICES if self.report.indices else task.target_as
        return {"input": task.input_as, "target": target_as}.get(name, "")

    def drawn(self, kit: Kit) -> Iterator[Text | Grid]:
        """What was computed, the value and what it is the sum of, the rows."""
        what = f" {LOSSES[self.report.task.loss].title}, {_reduction(self)}{_scaled(self.report.task)}"
        lines = [what] if len(what) <= kit.width else what.replace(", ", ",\n ", 1).split("\n")
        yield from (kit.text(line, STRONG) for line in lines)
        widest = kit.longest([tensor.role for tensor in self.operands.values()])
        for name, tensor in self.operands.items():
            start, form = f" {tensor.role:{widest}} = ", self._read_as(name)
            yield kit.headed(start, _described(tensor, _READ_AS.get(form, form), kit.width - len(start), kit))
        if measures := self.measures():
            values = [kit.text(_number(value, kit), _style(value)) for value in measures.values()]
            yield kit.measures(list(measures), values, [_meanings(self.report, list(measures))])
        yield kit.text()
        yield from _rows(self, kit)


def _number(value: float, kit: Kit) -> str:
    return kit.number(value) or "nan"


def _style(value: float) -> str:
    return "" if isfinite(value) else _ODD


def _described(tensor: Tensor, form: str, width: int, kit: Kit) -> str:
    """Where it is from, its shape and how it was read; the last two where there is room."""
    shape = f"  ({', '.join(map(str, tensor.shape))})" if tensor.shape else ""
    least = min(_SMALLEST_SOURCE, kit.longest([visible(tensor.source)]))
    after = next((s for s in (f"{shape} {form}".rstrip(), shape) if len(s) + least <= width), "")
    return kit.fitted(tensor.source, max(4, width - len(after))) + after


def _reduction(answer: LossAnswer) -> str:
    """What became of the losses, in words."""
    report, task = answer.report, answer.report.task
    if task.reduction == "none":
        return "unreduced; below, each row's sum" if task.loss == "kl-div" else "unreduced"
    left = int(np.count_nonzero(report.kept))
    ignored = report.kept.size - left
    rows, elements = _counted(left, "row"), _counted(report.elements, "element")
    if task.reduction == BATCHMEAN:
        batch = (*report.operands.input.shape, 1)[0]
        return f"mean of {rows}" if batch == report.rows.size or task.loss == "js" else f"sum of {rows} / {batch}"
    by_class = report.operands.weight is not None and report.dim is not None
    weighted = (by_class or report.operands.row_weight is not None) and task.reduction == "mean"
    of_elements = task.loss == "kl-div" and task.reduction == "mean"
    what = elements if report.dim is None or of_elements else rows
    left_out = f", {_counted(ignored, 'row') if of_elements else ignored} ignored" if ignored else ""
    return f"{'weighted ' if weighted else ''}{task.reduction} of {what}{left_out}"


def _scaled(task: Task) -> str:
    """What else the value is in terms of: a temperature, a unit."""
    temperature = f", temperature {task.temperature:g}" if task.temperature != 1 or task.times_t2 else ""
    unit = f", in {task.unit}" if task.unit != "nats" else ""
    return f"{temperature}{', times its square' if task.times_t2 else ''}{unit}"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'s' if n != 1 else ''}"


def _meanings(report: LossReport, names: list[str]) -> list[str]:
    soft = report.task.loss == "cross-entropy" and not report.indices
    formula = _OF_PROBABILITIES if soft else LOSSES[report.task.loss].formula
    if report.task.loss == "cross-entropy":
        formula = formula.replace("log softmax(input)", _LOG_INPUT[report.task.input_as])
    weighted = any(weight is not None for weight in (report.operands.weight, report.operands.pos_weight))
    meanings = _MEANINGS | {"value": f"{formula}, weighted" if weighted else formula}
    return [meanings[name] for name in names]


def _rows(answer: LossAnswer, kit: Kit) -> Iterator[Text | Grid]:
    """The first rows: their indices, their targets where each is a number, their losses, and what there is room for."""
    report = answer.report
    count = min(report.rows.size, _MOST_ROWS)
    index = [tuple(map(int, np.unravel_index(i, report.rows.shape))) for i in range(count)]
    targets: list[str] = []
    if report.dim is None or report.indices:
        some = report.operands.target.values.reshape(-1)[:count].tolist()
        targets = [str(int(t)) if float(t).is_integer() else _number(float(t), kit) for t in some]
    out = (~report.kept.reshape(-1)[:count]).tolist()
    losses = report.rows.reshape(-1)[:count].tolist()
    shown = [("ignored", QUIET) if o else (_number(v, kit), _style(v)) for v, o in zip(losses, out, strict=True)]
    columns = [Column(", ".join(answer.axes), [", ".join(map(str, at)) for at in index], left=True)]
    columns += [Column("target", targets)] if targets else []
    columns.append(Column("loss", [kit.text().append(text, kit.style(style)) for text, style in shown]))
    room = kit.room(columns) - BETWEEN
    log_probs: list[Text] = []
    if report.log_probs is not None and count and room >= len(_LOG_Q):
        # A number takes at least two columns: of a million classes most are never looked at.
        first = _of_rows(report, report.log_probs, index, room // 2)
        classes = 1 if report.dim is None else report.log_probs.shape[report.dim]
        log_probs = _log_probs(first, classes, targets if report.indices else [""] * count, room, kit)
    if log_probs:
        title = _LOG_PROBS if len(_LOG_PROBS) <= room and report.dim is not None else _LOG_Q
        columns.append(Column(title, log_probs, left=True))
    yield kit.table(columns)
    if report.rows.size > count:
        yield kit.text(f" {_cut(kit)} {_counted(report.rows.size - count, 'more row')}", QUIET)
    if report.log_probs is not None and count and not log_probs:
        yield from kit.no_room(f"the {_LOG_PROBS}", style=QUIET)


def _cut(kit: Kit) -> str:
    """What stands for what was left out."""
    return "…" if kit.view.unicode else "..."


def _log_probs(some: Array, classes: int, targets: list[str], room: int, kit: Kit) -> list[Text]:
    """The log-probabilities of each row, below one another, as many as there is room for. None: no room."""
    cells = [[_number(v, kit) for v in column] for column in some.T.tolist()]
    widths = [max(map(len, column)) for column in cells]
    ends = (np.cumsum(widths) + np.arange(len(widths))).tolist()
    count, cut = len(ends), _cut(kit)
    if classes > count or ends[-1] > room:
        count = sum(end + 1 + len(cut) <= room for end in ends)
    if not count:
        return []
    lines = []
    for row, target in zip(zip(*cells, strict=True), targets, strict=True):
        line = kit.text()
        for k, cell in enumerate(row[:count]):
            style = kit.style(_TARGET) if str(k) == target else ""
            line.append(" " * bool(k) + cell.rjust(widths[k]), style=style)
        lines.append(line.append(f" {cut}") if count < classes else line)
    return lines


def _of_rows(report: LossReport, log_probs: Array, index: list[tuple[int, ...]], most: int) -> Array:
    """The first classes of the rows at those indices. Returns (rows, k), k <= most."""
    if report.dim is None:
        return log_probs.reshape(-1, 1)[: len(index)]
    moved = np.moveaxis(log_probs, report.dim, -1)
    rows = moved if moved.ndim > 1 else moved[np.newaxis]
    return np.array([rows[at][:most] for at in index])

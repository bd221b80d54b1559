"""The same loss in PyTorch: as an expression of `input`, `target` and the other operands by name, and as a script."""

from __future__ import annotations

import textwrap
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.losses import LOSSES
from klcli.model import UNITS
from klcli.renderers.text import visible
from klcli.tensors import BATCHMEAN, IGNORE_INDEX, LOGITS, LOGPROBS, PROBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from klcli.tensors import LossReport, Numbers, Tensor

_F = "torch.nn.functional."
_FUNCTIONS = {
    "kl-div": "kl_div",
    "cross-entropy": "cross_entropy",
    "nll": "nll_loss",
    "bce": "binary_cross_entropy",
    "bce-with-logits": "binary_cross_entropy_with_logits",
}

_LOGARITHMS = {LOGITS: ".log_softmax(dim={})", PROBS: ".log()", LOGPROBS: ""}
_SHARES = {LOGITS: ".softmax(dim={})", PROBS: "", LOGPROBS: ".exp()"}
"""What makes log-probabilities and probabilities of what was given."""

_LITERAL, _LITERAL_OF_FILES = 10_000, 200
"""Operands of up to so many numbers stand in a script themselves; from files that it can load fewer."""

_WIDTH = 100
_LONGEST_SOURCE, _LONGEST_ANSWER = 60, 60


# ------------------------------------------------------------------------------------------------------- the expression


def call(report: LossReport) -> str:
    """The loss as one expression, with what is to be computed before it in front, as 'share = ...; ...'."""
    return "; ".join(_statements(report))


def _statements(report: LossReport) -> list[str]:
    """What is computed before the loss, a line each, and then the loss."""
    task, operands = report.task, report.operands
    before, share = _before(report)
    native = _is_native(report)
    reduces = native and share is None and operands.row_weight is None
    losses = _native(report, task.reduction if reduces else "none") if native else _formula(report, before)
    whole = losses if reduces else _reduced(report, before, losses, share)
    factor = f"{task.temperature**2!r} * " if task.times_t2 else ""
    base = UNITS[task.unit]
    per = "" if base is None else f" / math.log({base:g})"
    return [*before, f"{factor}({whole}){per}" if factor or per else whole]


def _before(report: LossReport) -> tuple[list[str], str | None]:
    """What leaves rows and entries out, and the name of their weights in a mean, None where all count alike.

    Of class indices those that are left out become the one that PyTorch ignores.
    """
    operands, ignore = report.operands, report.task.ignore_index
    if report.indices:
        kept = [] if operands.mask is None else ["mask"]
        kept += ["(row_weight > 0)"] if operands.row_weight is not None and not operands.row_weight.values.all() else []
        index = IGNORE_INDEX if ignore is None else ignore
        return [f"target = target.where({' & '.join(kept)}, {index})"] if kept else [], None
    factors = [name for name in ("row_weight", "mask") if getattr(operands, name) is not None]
    if ignore is not None and report.task.loss != "cross-entropy":
        every = "" if report.dim is None else f".any(dim={_axis(report)}, keepdim={report.task.loss == 'kl-div'})"
        factors.append(f"(target != {ignore}){every}")
    if not factors:
        return [], None
    return [f"share = ({' * '.join(factors)}).expand({list(_losses_shape(report))})"], "share"


def _reduced(report: LossReport, before: list[str], losses: str, share: str | None) -> str:
    """Losses that PyTorch does not reduce itself, weighted and reduced. before: gets what is computed for that."""
    task, count = report.task, ""
    if report.indices:
        weight = "row_weight" if report.operands.row_weight is not None else ""
        weighted = f"{weight} * {losses}" if weight else losses
        if task.reduction == "mean" and (weight or not report.kept.all() or report.operands.weight is not None):
            before.append(f"counts = {_of_target(report, 'weight' * (report.operands.weight is not None))}")
            count = f"({weight} * counts).sum()" if weight else "counts.sum()"
    elif share:
        before += [f"losses = {losses}"] if losses != "losses" else []
        weighted, count = "share * losses.where(share > 0, 0)", "share.sum()"
    else:
        weighted = losses
    if task.reduction == "none":
        return weighted
    if task.reduction == BATCHMEAN:
        length = (*_losses_shape(report), 1)[0]
        count = f"share.reshape({length}, -1).amax(1).sum()" if share else str(length)
    elif task.reduction == "mean" and not count:
        return f"({weighted}).mean()"
    return f"({weighted}).sum()" + (f" / {count}" if task.reduction != "sum" else "")


def _losses_shape(report: LossReport) -> tuple[int, ...]:
    """The shape of the losses that are not reduced."""
    shape, dim = report.operands.input.shape, report.dim
    return shape if dim is None or report.task.loss == "kl-div" else (*shape[:dim], *shape[dim + 1 :])


def _is_native(report: LossReport) -> bool:
    """Whether PyTorch has this loss as a function."""
    task = report.task
    if task.loss == "cross-entropy":
        return task.input_as == LOGITS or (report.indices and not task.label_smoothing)
    return task.loss in _FUNCTIONS and not (task.loss == "bce" and report.operands.pos_weight is not None)


def _native(report: LossReport, reduction: str, *, smoothed: bool = True) -> str:
    """PyTorch's function. Arguments at their defaults are left out, but for the two that are a usual trap."""
    task, operands = report.task, report.operands
    given, target = _prepared(report)
    name = "nll" if task.loss == "cross-entropy" and task.input_as != LOGITS else task.loss
    if name == "bce" and not report.kept.all():
        given, target = f"{given}.where(share > 0, 0.5)", f"{target}.where(share > 0, 0.5)"
    elif name == "cross-entropy" and not report.indices:
        target += _SHARES[task.target_as].format(_axis(report))
    arguments = [given, target, "weight=weight" * (operands.weight is not None), _ignoring(report)]
    arguments.append(f"reduction={reduction!r}")
    if task.label_smoothing and smoothed:
        arguments.append(f"label_smoothing={task.label_smoothing!r}")
    if operands.pos_weight is not None:
        arguments.append("pos_weight=pos_weight")
    if task.loss == "kl-div":
        arguments.append(f"log_target={task.target_as == LOGPROBS}")
    return f"{_F}{_FUNCTIONS[name]}({', '.join(filter(None, arguments))})"


def _ignoring(report: LossReport) -> str:
    index = report.task.ignore_index
    return f"ignore_index={index}" if report.indices and index not in {None, IGNORE_INDEX} else ""


def _of_target(report: LossReport, weight: str) -> str:
    """The weight of each row's class, or 1, and 0 where it is ignored."""
    arguments = [
        f"-torch.ones_like({_prepared(report)[0]})",
        "target",
        weight and f"weight={weight}",
        _ignoring(report),
    ]
    return f"{_F}nll_loss({', '.join(filter(None, arguments))}, reduction='none')"


def _prepared(report: LossReport) -> tuple[str, str]:
    """INPUT and TARGET as the function takes them, but for targets of cross-entropy that are no probabilities."""
    task, axis = report.task, _axis(report)
    given = _moved(report, "input", task.input_as)
    if LOSSES[task.loss].takes == LOGPROBS or (task.input_as != LOGITS and task.loss == "cross-entropy"):
        given += _LOGARITHMS[task.input_as].format(axis)
    if report.indices:
        return given, "target"
    target = _moved(report, "target", task.target_as)
    return given, target + (f".softmax(dim={axis})" if task.loss == "kl-div" and task.target_as == LOGITS else "")


def _moved(report: LossReport, name: str, read_as: str) -> str:
    """An operand over the temperature, where it is logits, with the classes on the axis where PyTorch takes them."""
    task, dim = report.task, report.dim
    if read_as == LOGITS and task.temperature != 1:
        name = f"({name} / {task.temperature!r})"
    if dim is None or not LOSSES[task.loss].indices or dim == _own_axis(report):
        return name
    last = dim == len(report.operands.input.shape) - 1
    return f"{name}.movedim({-1 if last else dim}, {_own_axis(report)})"


def _own_axis(report: LossReport) -> int:
    """Where PyTorch takes the classes of class indices."""
    return min(len(report.operands.input.shape) - 1, 1)


def _axis(report: LossReport) -> str:
    """The axis of the classes after `_moved`."""
    if LOSSES[report.task.loss].indices:
        return str(_own_axis(report))
    last = report.dim == len(report.operands.input.shape) - 1
    return "-1" if last else str(report.dim)


# ------------------------------------------------------------------------------------ losses that PyTorch does not have


def _formula(report: LossReport, before: list[str]) -> str:
    """The losses, not reduced: an expression, or the name of what before gets."""
    task, operands = report.task, report.operands
    given, target = _prepared(report)
    if task.loss == "bce":
        for_one = f"{given}.log().clamp(min=-100) * pos_weight"
        for_none = f"(-{given}).log1p().clamp(min=-100)"
        losses = f"({target} - 1) * {for_none} - {target} * ({for_one})"
        return f"({losses}) * weight" if operands.weight is not None else losses
    formulas = {
        "kl-samples": _kl_samples,
        "focal": _focal,
        "focal --binary": _sigmoid_focal,
        "js": _js,
        "cross-entropy": _cross_entropy,
    }
    *lines, losses = formulas[task.loss](report, given, target)
    before += [*lines, f"losses = {losses}"]
    return "losses"


def _kl_samples(report: LossReport, log_q: str, log_p: str) -> list[str]:
    log_ratio = f"log_ratio = {log_q} - {log_p}"
    return [
        log_ratio,
        {"k1": "-log_ratio", "k2": "log_ratio**2 / 2", "k3": "log_ratio.expm1() - log_ratio"}[report.task.estimator],
    ]


def _focal(report: LossReport, given: str, target: str) -> list[str]:
    arguments = ", ".join(filter(None, [given, target, _ignoring(report), "reduction='none'"]))
    alpha, by = report.operands.alpha, ""
    if alpha is not None:
        by = f"{_of_target(report, 'alpha') if alpha.shape else 'alpha'} * "
    return [
        f"surprise = {_F}cross_entropy({arguments})",
        f"{by}(1 - (-surprise).exp()) ** {report.task.gamma!r} * surprise",
    ]


def _sigmoid_focal(report: LossReport, given: str, target: str) -> list[str]:
    alpha = report.operands.alpha
    name = "0.25" if alpha is None else "alpha"
    by = "" if alpha is not None and alpha.values < 0 else f"({name} * target + (1 - {name}) * (1 - target)) * "
    return [
        "missed = input.sigmoid() * (1 - target) + (-input).sigmoid() * target",
        f"surprise = {_F}binary_cross_entropy_with_logits({given}, {target}, reduction='none')",
        f"{by}missed ** {report.task.gamma!r} * surprise",
    ]


def _js(report: LossReport, *_: str) -> list[str]:
    """H(m) - B H(target) - (1-B) H(input), which is the same as the divergences from m."""
    task, axis = report.task, _axis(report)
    beta, rest, entr = repr(task.beta), f"(1 - {task.beta!r})", "torch.special.entr"
    return [
        f"q = {_moved(report, 'input', task.input_as)}{_SHARES[task.input_as].format(axis)}",
        f"p = {_moved(report, 'target', task.target_as)}{_SHARES[task.target_as].format(axis)}",
        f"m = {beta} * p + {rest} * q",
        f"({entr}(m) - {beta} * {entr}(p) - {rest} * {entr}(q)).sum(dim={axis})",
    ]


def _cross_entropy(report: LossReport, log_q: str, target: str) -> list[str]:
    """Of what went through a softmax before, and of distributions or smoothed classes, which nll_loss does not take."""
    task, axis = report.task, _axis(report)
    k = report.operands.input.shape[report.dim or 0]
    after = ", 1" * (len(report.operands.input.shape) - 1 - _own_axis(report))
    weight = f"weight.reshape(-1{after}) * " if report.operands.weight is not None else ""
    share, each = f"(1 - {task.label_smoothing!r})", f"{task.label_smoothing!r} / {k}"
    if not report.indices:
        target += _SHARES[task.target_as].format(axis)
        target = f"({share} * {target} + {each})" if task.label_smoothing else target
        return [f"-({weight}{target} * {log_q}).sum(dim={axis})"]
    index = IGNORE_INDEX if task.ignore_index is None else task.ignore_index
    return [
        f"log_q = {log_q}",
        f"spread = ({weight}log_q).sum(dim={axis}).where(target != {index}, 0)",
        f"{share} * {_native(report, 'none', smoothed=False)} - {each} * spread",
    ]


# ----------------------------------------------------------------------------------------------------------- the script


def script(report: LossReport) -> str:
    """A Python program that prints the loss as PyTorch computes it, next to the one found here."""
    operands = {name: tensor for name, tensor in report.operands._asdict().items() if tensor is not None}
    made = [f"{name} = {_made(report, name, tensor)}" for name, tensor in operands.items()]
    *before, loss = _statements(report)
    body = "\n".join(["", *made, "", *before, f"loss = {loss}", _printed(report)]) + "\n"
    imports = [name for name in ("math", "numpy", "torch") if f"{name}." in body]
    return "".join(f"import {name}\n" for name in imports) + body


def left_to_load(report: LossReport) -> list[str]:
    """The operands that a script neither holds nor loads, for they are many numbers from no file of NumPy's."""
    return [
        tensor.role for tensor in report.operands if tensor is not None and not (_is_literal(tensor) or tensor.loads)
    ]


def _is_literal(tensor: Tensor) -> bool:
    return tensor.values.size <= (_LITERAL_OF_FILES if tensor.loads else _LITERAL)


def _printed(report: LossReport) -> str:
    if report.value.ndim == 0:
        return f"print(loss.item())  # {float(report.value)!r}"
    found = str(report.value.tolist()) if report.value.size <= _LITERAL else ""
    return "print(loss.tolist())" + (f"  # {found}" if 0 < len(found) <= _LONGEST_ANSWER else "")


def _made(report: LossReport, name: str, tensor: Tensor) -> str:
    """A tensor, of the shape that the function takes."""
    classes = name == "target" and report.indices
    shape = _shape(report, name, tensor)
    kind = "long" if classes else "bool" if name == "mask" else report.task.dtype
    if _is_literal(tensor):
        return _literal(tensor.values.reshape(shape), kind)
    if not tensor.loads:
        source = visible(tensor.source)
        source = source if len(source) <= _LONGEST_SOURCE else source[: _LONGEST_SOURCE - 3] + "..."
        what = f"{source}: class indices of shape" if classes else f"{source}: shape"
        return f"...  # {what} {shape}"
    kind = {"float32": "float", "float64": "double"}.get(kind, kind)
    reshaped = "" if shape == tensor.shape else f".reshape({', '.join(map(str, shape)) or '()'})"
    return f"torch.from_numpy({tensor.loads}).{kind}(){reshaped}"


def _shape(report: LossReport, name: str, tensor: Tensor) -> tuple[int, ...]:
    """The shape of an operand that goes with INPUT's: of class indices without the classes' axis, of a mask with it."""
    shape, dim = report.operands.input.shape, report.dim
    rows = shape if dim is None else (*shape[:dim], *shape[dim + 1 :])
    if name == "target":
        return rows if report.indices else shape
    if name not in {"mask", "row_weight"} or (report.task.loss == "kl-div" and tensor.shape == shape):
        return tensor.shape
    of_rows = rows if rows in {(), (1,)} else (*tensor.shape, *(1,) * (len(rows) - len(tensor.shape)))
    return (*of_rows[:dim], 1, *of_rows[dim:]) if report.task.loss == "kl-div" and dim is not None else of_rows


def _literal(values: Numbers, dtype: str) -> str:
    numbers = (values.astype(np.int64) if dtype in {"long", "bool"} else values).tolist()
    after = f"dtype=torch.{dtype}"
    if not values.size:
        return f"torch.zeros({values.shape}, {after})"
    line = _spelled(numbers)
    if len(line) + len(after) <= _WIDTH:
        return f"torch.tensor({line}, {after})"
    return "\n".join(["torch.tensor(", *_on_lines(numbers, 1), f"    {after},", ")"])


def _on_lines(numbers: list[Any], depth: int) -> Iterator[str]:
    """A list with its comma, on as many lines as it needs."""
    pad = " " * 4 * depth
    line = f"{pad}{_spelled(numbers)},"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{pad}["
    if isinstance(numbers[0], list):
        for part in numbers:
            yield from _on_lines(part, depth + 1)
    else:
        text = _spelled(numbers)[1:-1] + ","
        inner = " " * 4 * (depth + 1)
        yield from textwrap.wrap(text, _WIDTH, initial_indent=inner, subsequent_indent=inner, break_on_hyphens=False)
    yield f"{pad}],"


def _spelled(numbers: Any) -> str:  # noqa: ANN401 - lists of lists of ...
    """Numbers in Python, which has no literals for infinities and NaN."""
    if isinstance(numbers, list):
        return f"[{', '.join(map(_spelled, numbers))}]"
    return repr(numbers) if isfinite(numbers) else f'float("{numbers}")'

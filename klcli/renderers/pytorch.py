"""The same loss in PyTorch: as an expression of `input`, `target`, `weight` and `pos_weight`, and as a script."""

from __future__ import annotations

import textwrap
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.losses import LOSSES
from klcli.renderers.text import visible
from klcli.tensors import IGNORE_INDEX, LOGITS, LOGPROBS, PROBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from klcli.tensors import LossReport, Numbers, Task, Tensor

_FUNCTIONS = {
    "kl-div": "kl_div",
    "cross-entropy": "cross_entropy",
    "nll": "nll_loss",
    "bce": "binary_cross_entropy",
    "bce-with-logits": "binary_cross_entropy_with_logits",
}

_LOGARITHMS = {LOGITS: ".log_softmax(dim={})", PROBS: ".log()", LOGPROBS: ""}
"""What makes log-probabilities of an INPUT."""

_LITERAL, _LITERAL_OF_FILES = 10_000, 200
"""Operands of up to so many numbers stand in a script themselves; from files that it can load fewer."""

_WIDTH = 100
_LONGEST_SOURCE, _LONGEST_ANSWER = 60, 60


# ------------------------------------------------------------------------------------------------------- the expression


def call(report: LossReport) -> str:
    """The loss as one expression. Arguments at their defaults are left out, but for the two that are a usual trap."""
    task, operands = report.task, report.operands
    given, target = _prepared(report)
    if task.loss == "bce" and operands.pos_weight is not None:
        return _weighted_bce(task, given, target, weighted=operands.weight is not None)
    arguments = [given, target]
    if operands.weight is not None:
        arguments.append("weight=weight")
    if report.indices and task.ignore_index not in {None, IGNORE_INDEX}:
        arguments.append(f"ignore_index={task.ignore_index}")
    arguments.append(f"reduction={task.reduction!r}")
    if task.label_smoothing:
        arguments.append(f"label_smoothing={task.label_smoothing!r}")
    if operands.pos_weight is not None:
        arguments.append("pos_weight=pos_weight")
    if task.loss == "kl-div":
        arguments.append(f"log_target={task.target_as == LOGPROBS}")
    return f"torch.nn.functional.{_FUNCTIONS[task.loss]}({', '.join(arguments)})"


def _prepared(report: LossReport) -> tuple[str, str]:
    """INPUT and TARGET as the function takes them."""
    task, dim = report.task, report.dim
    axes = len(report.operands.input.shape)
    moved = ""
    if dim is not None and task.loss != "kl-div":
        own = min(axes - 1, 1)
        if dim != own:
            moved = f".movedim({_axis(dim, axes)}, {own})"
        dim = own
    softmax = "" if dim is None else _axis(dim, axes) if task.loss == "kl-div" else str(dim)
    given = f"input{moved}"
    if LOSSES[task.loss].takes == LOGPROBS:
        given += _LOGARITHMS[task.input_as].format(softmax)
    if task.loss == "kl-div" and task.target_as == LOGITS:
        return given, f"target.softmax(dim={softmax})"
    return given, "target" if report.indices else f"target{moved}"


def _axis(dim: int, axes: int) -> str:
    return "-1" if dim >= axes - 1 else str(dim)


def _weighted_bce(task: Task, given: str, target: str, *, weighted: bool) -> str:
    """binary_cross_entropy with a pos_weight, which PyTorch's has not, operation by operation."""
    for_one = f"{given}.log().clamp(min=-100) * pos_weight"
    for_none = f"(-{given}).log1p().clamp(min=-100)"
    losses = f"({target} - 1) * {for_none} - {target} * ({for_one})"
    if weighted:
        losses = f"({losses}) * weight"
    return losses if task.reduction == "none" else f"({losses}).{task.reduction}()"


# ----------------------------------------------------------------------------------------------------------- the script


def script(report: LossReport) -> str:
    """A Python program that prints the loss as PyTorch computes it, next to the one found here."""
    operands = {name: tensor for name, tensor in report.operands._asdict().items() if tensor is not None}
    made = [f"{name} = {_made(report, name, tensor)}" for name, tensor in operands.items()]
    imports = ["numpy"] if any("numpy.load(" in line for line in made) else []
    lines = [
        *(f"import {name}" for name in [*imports, "torch"]),
        "",
        *made,
        "",
        f"loss = {call(report)}",
        _printed(report),
    ]
    return "\n".join(lines) + "\n"


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
    shape = _shape(report) if name == "target" else tensor.shape
    if _is_literal(tensor):
        return _literal(tensor.values.reshape(shape), "long" if classes else report.task.dtype)
    if not tensor.loads:
        source = visible(tensor.source)
        source = source if len(source) <= _LONGEST_SOURCE else source[: _LONGEST_SOURCE - 3] + "..."
        what = f"{source}: class indices of shape" if classes else f"{source}: shape"
        return f"...  # {what} {shape}"
    kind = "long" if classes else "float" if report.task.dtype == "float32" else "double"
    reshaped = "" if shape == tensor.shape else f".reshape({', '.join(map(str, shape)) or '()'})"
    return f"torch.from_numpy({tensor.loads}).{kind}(){reshaped}"


def _shape(report: LossReport) -> tuple[int, ...]:
    """That of TARGET: INPUT's, of class indices without the classes' axis."""
    shape = report.operands.input.shape
    return (*shape[: report.dim], *shape[report.dim + 1 :]) if report.indices and report.dim is not None else shape


def _literal(values: Numbers, dtype: str) -> str:
    numbers = (values.astype(np.int64) if dtype == "long" else values).tolist()
    after = f"dtype=torch.{dtype}"
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

"""Reports built by hand."""

import io
from math import inf, nan

import numpy as np

from klcli.engine.losses import LOSSES
from klcli.renderers.formats import RENDERERS
from klcli.renderers.loss import LossAnswer
from klcli.renderers.text import View
from klcli.tensors import Identity, LossReport, Operands, Task, Tensor


def tensor(role, values, source="", loads="", dtype=None):
    return Tensor(role, source or role.lower(), np.asarray(values, dtype=dtype), lambda _: role, loads)


def operands(given, target, weight=None, pos_weight=None):
    given, target = (
        x if isinstance(x, Tensor) else tensor(role, x) for role, x in (("INPUT", given), ("TARGET", target))
    )
    weights = {"--weight": weight, "--pos-weight": pos_weight}
    return Operands(given, target, *(None if w is None else tensor(role, w) for role, w in weights.items()))


def report(task, given, **other):
    """A report of a task on operands; whatever is not said of the answer is a stand-in of the right shape."""
    shape = given.input.shape
    classes = LOSSES[task.loss].of_classes
    indices = other.get("indices", classes and given.target.shape != shape)
    dim = other.get("dim", (len(shape) - 1 if task.loss == "kl-div" else min(len(shape) - 1, 1)) if classes else None)
    rows = shape if dim is None else (*shape[:dim], *shape[dim + 1 :])
    whole = shape if task.loss == "kl-div" else rows
    kept = np.ones(rows or (1,), dtype=bool)
    if indices:
        ignore = -100 if task.ignore_index is None else task.ignore_index
        kept = given.target.values.reshape(rows or (1,)) != ignore
    return LossReport(
        task=task,
        operands=given,
        indices=indices,
        dim=dim,
        value=np.asarray(other.get("value", 0.5 if task.reduction != "none" else np.zeros(whole)), dtype=task.dtype),
        rows=np.asarray(other.get("rows", np.arange(np.prod(rows, dtype=int)).reshape(rows or (1,)) / 4), task.dtype),
        log_probs=None if other.get("log_probs") is None else np.asarray(other["log_probs"], dtype=task.dtype),
        identity=other.get("identity"),
        notes=other.get("notes", ()),
        kept=kept,
        elements=given.input.values.size if task.loss == "kl-div" else int(kept.sum()),
    )


THREE = report(
    Task("cross-entropy"),
    operands(
        tensor("INPUT", [[0.5, -1.25, 3.0], [2.0, 0.0, -0.5], [1.0, 1.0, 1.0]], "logits.npy"),
        tensor("TARGET", [2, 0, -100], "targets.csv:class"),
    ),
    value=0.146,
    rows=[0.092, 0.2, 0.0],
    log_probs=[[-2.5, -4.25, -0.092], [-0.2, -2.2, -2.7], [-1.1, -1.1, -1.1]],
    identity=Identity(0.146, 0.0, 0.146),
    notes=("1 of 3 targets is -100 and left out",),
)
"""Three rows of three classes, the last of which is ignored."""

SPECIAL = [[1e-7, inf, 0.1], [-inf, nan, -0.0]]


def unreduced(values, loss="kl-div", **task):
    values = np.array(values, dtype=task.get("dtype", "float64"))
    return report(Task(loss, "none", **task), operands(values, values), value=values, rows=values[..., 0])


def shown(found, name, **view):
    out = io.BytesIO()
    RENDERERS[name](LossAnswer(found), View(**view), out)
    return out.getvalue().decode()

"""`klcli loss`: one of PyTorch's losses, each row's, and what it rests on.

The operands go through the engine some columns at a time, so that a file that is memory-mapped is never held whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.operands import LossBlock, Parts, lay_out
from klcli.analyses.traps import Traps
from klcli.engine import losses as engine
from klcli.engine.arrays import slices
from klcli.tensors import BATCHMEAN, LOGITS, LOGPROBS, PROBS, Identity, LossReport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.analyses.operands import LaidOut
    from klcli.engine.arrays import Mask
    from klcli.engine.losses import Floats
    from klcli.tensors import Operands, Task, Tensor


def evaluate(task: Task, operands: Operands, *, detail: bool = False) -> LossReport:
    """The loss, every row's, and what should be known of it. detail: with the log-probabilities and the identity.

    Raises DistributionError where the operands do not match or hold what they cannot, UsageError for no such dim.
    """
    with np.errstate(all="ignore"):
        return _evaluate(task, operands, detail=detail)


def _evaluate(task: Task, operands: Operands, *, detail: bool) -> LossReport:
    layout = lay_out(task, operands)
    traps = Traps(task, layout)
    rows = np.empty(layout.n, dtype=task.dtype)
    elements = task.loss == "kl-div" and task.reduction == "none"
    each = np.empty((layout.k, layout.n), dtype=task.dtype) if elements else None
    log_probs = np.empty((layout.k, layout.n), dtype=task.dtype) if detail else None
    sums, counted, identity = [], 0.0, _Identity()
    for some in slices(layout.n, layout.k):
        block = _BLOCKS[task.loss](task, layout, some, traps)
        rows[some] = engine.total(block.losses) if block.losses.ndim > 1 else block.losses
        sums.append(np.add.reduce(block.losses, axis=None, dtype=np.float64))
        counted += block.counted
        traps.look_at_losses(some, rows[some], block)
        if each is not None:
            each[:, some] = block.losses
        if log_probs is not None:
            log_probs[:, some] = block.log_q
            identity.add(block.parts())
    whole = float(np.add.reduce(np.array(sums)))
    if task.dtype == "float32" and layout.indices and not task.label_smoothing:
        _, ignored = layout.classes(slice(0, layout.n))
        whole, counted = float(engine.cascade_sum(rows, ignored)), layout.counted()
    if task.reduction == "none":
        value = rows.reshape(layout.rows) if each is None else layout.restored(each)
    else:
        value = _divided(task, whole, {"sum": 1.0, BATCHMEAN: layout.batch}.get(task.reduction, counted))
    return LossReport(
        task=task,
        operands=operands,
        indices=layout.indices,
        dim=layout.dim,
        value=value,
        rows=rows.reshape(layout.rows or (1,)),
        log_probs=None if log_probs is None else layout.restored(log_probs),
        identity=identity.found() if detail and not layout.weighted else None,
        notes=traps.notes(whole, counted),
    )


def _divided(task: Task, whole: float, divisor: float) -> Floats:
    """The quotient in the task's precision; nan for a mean of nothing, whatever it is of."""
    kind = np.dtype(task.dtype).type
    if not divisor:
        return np.asarray(kind(np.nan))
    return np.asarray(kind(whole) / kind(divisor))


class _Identity:
    """The entropy of the targets and the divergence from them, added up block by block."""

    def __init__(self) -> None:
        self._entropy, self._kl, self._rows = 0.0, 0.0, 0

    def add(self, parts: Parts) -> None:
        """Some more rows."""
        target, log_target, log_q = (part.astype(np.float64) for part in parts)
        self._entropy += float(engine.entropy_rows(target, log_target).sum())
        self._kl += float(engine.kl_rows(target, log_target, log_q).sum())
        self._rows += target.shape[1]

    def found(self) -> Identity | None:
        """The mean of both, and their sum; None where no row counts."""
        if not self._rows:
            return None
        entropy, kl = self._entropy / self._rows, self._kl / self._rows
        return Identity(entropy + kl, entropy, kl)


# ------------------------------------------------------------------------------------------------------ the five losses

_FROM_0_TO_1 = "a probability is from 0 to 1"
_OR_LOG_TARGET = "a probability is at least 0 and finite; for log-probabilities add --log-target"
_ROUNDING = 1e-6
"""A softmax in single precision may come out so much above 1."""


def _refuse_outside(layout: LaidOut, values: Floats, some: slice, tensor: Tensor, mend: str, most: float = 1.0) -> None:
    """Raises DistributionError where a value is below 0, infinite or above the most. values: (K, m)."""
    if not (values.min() >= 0 and values.max() <= min(most, np.finfo(values.dtype).max)):
        layout.refuse((values < 0) | (values > most) | np.isinf(values), some, tensor, mend)


def _predictions(task: Task, layout: LaidOut, some: slice, traps: Traps, ignored: Mask | None = None) -> Floats:
    """log q of some rows, (K, m), as INPUT is to be read. ignored: rows that nothing is said of."""
    given = layout.inputs(some)
    if task.input_as == PROBS:
        _refuse_outside(layout, given, some, layout.operands.input, _FROM_0_TO_1, most=1 + _ROUNDING)
    traps.look_at_input(some, given, ignored)
    if task.input_as == LOGITS:
        return engine.log_softmax(given, last=layout.last)
    return given if task.input_as == LOGPROBS else engine.log(given)


def _kl_div(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    log_q = _predictions(task, layout, some, traps)
    target = layout.targets(some)
    traps.look_at_targets(some, target)
    if task.target_as == LOGITS:
        target = engine.softmax(target, last=layout.last)
    elif task.target_as == PROBS:
        _refuse_outside(layout, target, some, layout.operands.target, _OR_LOG_TARGET, most=np.inf)
    log_target = task.target_as == LOGPROBS

    def parts() -> Parts:
        if log_target:
            return Parts(engine.exp(target), target, log_q)
        return Parts(target, engine.log(target), log_q)

    losses = engine.LOSSES[task.loss].function(log_q, target, log_target=log_target)
    return LossBlock(losses, log_q, target.size, parts)


def _of_classes(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    """cross-entropy or nll."""
    if not layout.indices:
        return _of_probabilities(task, layout, some, traps)
    target, ignored = layout.classes(some)
    log_q = _predictions(task, layout, some, traps, ignored)
    traps.look_at_ignored(ignored)
    smoothing = () if task.loss == "nll" else (task.label_smoothing,)
    losses = engine.LOSSES[task.loss].function(log_q, target, ignored, layout.weight, *smoothing)
    kept = target[~ignored]
    counted = len(kept) if layout.weight is None else float(layout.weight[kept].sum(dtype=np.float64))

    def parts() -> Parts:
        one_hot = np.zeros_like(log_q)
        np.put_along_axis(one_hot, target[np.newaxis], 1, axis=0)
        smoothed = engine.smoothed(one_hot[:, ~ignored], task.label_smoothing)
        return Parts(smoothed, engine.log(smoothed), log_q[:, ~ignored])

    return LossBlock(losses, log_q, counted, parts)


def _of_probabilities(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    log_q = _predictions(task, layout, some, traps)
    target = layout.targets(some)
    _refuse_outside(layout, target, some, layout.operands.target, "a probability is at least 0", most=np.inf)
    traps.look_at_targets(some, target)
    losses = engine.soft_cross_entropy(log_q, target, layout.weight, task.label_smoothing)

    def parts() -> Parts:
        smoothed = engine.smoothed(target, task.label_smoothing)
        return Parts(smoothed, engine.log(smoothed), log_q)

    return LossBlock(losses, log_q, target.shape[1], parts)


def _binary(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    """bce or bce-with-logits: every element is a distribution of two."""
    given, target = layout.inputs(some), layout.targets(some)
    if task.input_as == PROBS:
        _refuse_outside(layout, given, some, layout.operands.input, f"{_FROM_0_TO_1}; logits are bce-with-logits'")
    _refuse_outside(layout, target, some, layout.operands.target, _FROM_0_TO_1)
    traps.look_at_two(some, given, target)
    weights = (None if w is None else w[:, some] for w in (layout.weight, layout.pos_weight))
    losses = engine.LOSSES[task.loss].function(given, target, *weights)[0]
    log_q, log_rest = engine.log_of_two(given, logits=task.input_as == LOGITS)

    def parts() -> Parts:
        both = np.concatenate([target, 1 - target])
        return Parts(both, engine.log(both), np.concatenate([log_q, log_rest]))

    return LossBlock(losses, log_q, target.size, parts)


_BLOCKS: Mapping[str, Callable[[Task, LaidOut, slice, Traps], LossBlock]] = {
    "kl-div": _kl_div,
    "cross-entropy": _of_classes,
    "nll": _of_classes,
    "bce": _binary,
    "bce-with-logits": _binary,
}

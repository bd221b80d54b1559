"""`klcli loss`: one of PyTorch's losses, each row's, and what it rests on.

The operands go through the engine some columns at a time, so that a file that is memory-mapped is never held whole.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.operands import LossBlock, Parts, lay_out
from klcli.analyses.traps import Traps
from klcli.engine import losses as engine
from klcli.engine.arrays import slices
from klcli.model import UNITS
from klcli.tensors import ESTIMATORS, LOGITS, LOGPROBS, PROBS, Identity, LossReport

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
    kept = np.ones(layout.n, dtype=bool)
    elements = task.loss == "kl-div" and task.reduction == "none"
    each = np.empty((layout.k, layout.n), dtype=task.dtype) if elements else None
    log_probs = np.empty((layout.k, layout.n), dtype=task.dtype) if detail else None
    sums, counted, held, identity = [], 0.0, 0, _Identity()
    for some in slices(layout.n, layout.k):
        block = _BLOCKS[task.loss](task, layout, some, traps)
        losses, left = block.losses, np.broadcast_to(block.kept, block.losses.shape)
        losses = losses if block.kept.all() else np.where(left, losses, 0)
        share: Floats | float = block.counts
        if layout.row_weight is not None:
            losses, share = losses * layout.row_weight[some], share * layout.row_weight[some]
        rows[some] = engine.total(losses) if losses.ndim > 1 else losses
        kept[some] = left.any(axis=0) if left.ndim > 1 else left
        sums.append(np.add.reduce(losses, axis=None, dtype=np.float64))
        if np.isnan(sums[-1]):
            layout.refuse_nan(some, losses)
        here = int(np.count_nonzero(block.kept)) * (left.size // block.kept.size)
        held += here
        counted += here * share if isinstance(share, float) else float((left * share).sum(dtype=np.float64))
        traps.look_at_losses(some, rows[some], block)
        if each is not None:
            each[:, some] = losses
        if log_probs is not None:
            log_probs[:, some] = block.log_q
            if block.parts is not None:
                identity.add(Parts(*(part[:, kept[some]] for part in block.parts())))
    whole = float(np.add.reduce(np.array(sums)))
    sequential = task.loss in {"cross-entropy", "nll"} and layout.indices and not task.label_smoothing
    if task.dtype == "float32" and sequential and layout.row_weight is None:
        _, ignored = layout.classes(slice(0, layout.n))
        whole, counted = float(engine.cascade_sum(rows, ignored)), layout.counted()
    base = UNITS[task.unit]
    in_unit = 1.0 if base is None else 1 / log(base)
    scale = in_unit * (task.temperature**2 if task.times_t2 else 1.0)
    if task.reduction == "none":
        value = rows.reshape(layout.rows) if each is None else layout.restored(each)
    else:
        value = _divided(task, whole, layout.divisor(counted))
    return LossReport(
        task=task,
        operands=operands,
        indices=layout.indices,
        dim=layout.dim,
        value=_times(value, scale),
        rows=_times(rows.reshape(layout.rows or (1,)), scale),
        log_probs=None if log_probs is None else _times(layout.restored(log_probs), in_unit),
        identity=identity.found(in_unit) if detail and not layout.weighted else None,
        notes=traps.notes(whole * scale, counted, scale, kept),
        kept=kept.reshape(layout.rows or (1,)),
        elements=held,
        perplexity=float(np.exp(whole / counted)) if counted else np.nan,
        estimates=_estimates(layout, kept, counted) if task.loss == "kl-samples" else {},
    )


def _divided(task: Task, whole: float, divisor: float) -> Floats:
    """The quotient in the task's precision; nan for a mean of nothing, whatever it is of."""
    kind = np.dtype(task.dtype).type
    if not divisor:
        return np.asarray(kind(np.nan))
    return np.asarray(kind(whole) / kind(divisor))


def _times(values: Floats, factor: float) -> Floats:
    return values if factor == 1 else np.asarray(values * factor)


def _estimates(layout: LaidOut, kept: Mask, counted: float) -> dict[str, float]:
    """The mean by each of Schulman's estimators. kept: the samples that count, (n,). counted: what it divides by."""
    every = slice(0, layout.n)
    found = np.where(kept, engine.kl_samples(layout.inputs(every)[0], layout.targets(every)[0]), 0)
    if layout.row_weight is not None:
        found = found * layout.row_weight
    means = found.sum(axis=1, dtype=np.float64) / np.float64(counted)
    return dict(zip(ESTIMATORS, means.tolist(), strict=True))


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

    def found(self, in_unit: float) -> Identity | None:
        """The mean of both, and their sum, in a unit; None where no row counts."""
        if not self._rows:
            return None
        entropy, kl = (in_unit * whole / self._rows for whole in (self._entropy, self._kl))
        return Identity(entropy + kl, entropy, kl)


# ----------------------------------------------------------------------------------------------------------- the losses

_FROM_0_TO_1 = "a probability is from 0 to 1"
_OR_LOG_TARGET = "a probability is at least 0 and finite; for log-probabilities add --log-target"
_ROUNDING = 1e-6
"""A softmax in single precision may come out so much above 1."""
_ALPHA = 0.25
"""That of torchvision's sigmoid_focal_loss."""


def _refuse_outside(layout: LaidOut, values: Floats, some: slice, tensor: Tensor, mend: str, most: float = 1.0) -> None:
    """Raises DistributionError where a value is below 0, infinite or above the most. values: (K, m)."""
    if not (values.min(initial=0) >= 0 and values.max(initial=0) <= min(most, np.finfo(values.dtype).max)):
        layout.refuse((values < 0) | (values > most) | np.isinf(values), some, tensor, mend)


def _counting(values: Floats, kept: Mask) -> Floats:
    """The values that count, and 0 for the others. Both (K, m)."""
    return values if kept.all() else np.where(kept, values, 0)


def _kept(layout: LaidOut, some: slice) -> Mask:
    """What counts of some rows, (1, m) or of entries (K, m)."""
    return np.ones((1, some.stop - some.start), dtype=bool) if layout.kept is None else layout.kept[:, some]


def _predictions(task: Task, layout: LaidOut, some: slice, traps: Traps, kept: Mask) -> Floats:
    """log q of some rows, (K, m), as INPUT is to be read. kept: what counts, (1, m) or (K, m)."""
    given = layout.inputs(some)
    if task.input_as == PROBS:
        _refuse_outside(layout, _counting(given, kept), some, layout.operands.input, _FROM_0_TO_1, most=1 + _ROUNDING)
    traps.look_at_input(some, given, np.logical_or.reduce(kept, axis=0))
    if task.input_as == LOGITS:
        return engine.log_softmax(_cooled(task, given), last=layout.last)
    return given if task.input_as == LOGPROBS else engine.log(given)


def _cooled(task: Task, logits: Floats) -> Floats:
    return logits if task.temperature == 1 else logits / task.temperature


def _targets(task: Task, layout: LaidOut, some: slice, traps: Traps, kept: Mask) -> Floats:
    """The target distributions of some rows, (K, m), or their logarithms where they were given as such."""
    target = layout.targets(some)
    traps.look_at_targets(some, target, np.logical_or.reduce(kept, axis=0))
    if task.target_as == LOGITS:
        return engine.softmax(_cooled(task, target), last=layout.last)
    if task.target_as == PROBS:
        mend = "a probability is at least 0" if task.loss == "cross-entropy" else _OR_LOG_TARGET
        _refuse_outside(layout, _counting(target, kept), some, layout.operands.target, mend, most=np.inf)
    return target


def _of_distributions(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    """kl-div, js, or cross-entropy from distributions."""
    kept, log_target = _kept(layout, some), task.target_as == LOGPROBS
    log_q = _predictions(task, layout, some, traps, kept)
    target = _targets(task, layout, some, traps, kept)

    def parts() -> Parts:
        shares = engine.smoothed(engine.exp(target) if log_target else target, task.label_smoothing)
        return Parts(shares, target if log_target and not task.label_smoothing else engine.log(shares), log_q)

    if task.loss == "kl-div":
        return LossBlock(engine.kl_div(log_q, target, log_target=log_target), log_q, kept, parts=parts)
    if task.loss == "js":
        return LossBlock(engine.js(log_q, target if log_target else engine.log(target), task.beta), log_q, kept[0])
    shares = engine.exp(target) if log_target else target
    losses = engine.soft_cross_entropy(log_q, shares, layout.weight, task.label_smoothing)
    return LossBlock(losses, log_q, kept[0], parts=parts)


def _of_classes(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    """cross-entropy, nll or focal from class indices."""
    if not layout.indices:
        return _of_distributions(task, layout, some, traps)
    target, ignored = layout.classes(some)
    log_q = _predictions(task, layout, some, traps, ~ignored[np.newaxis])
    more = {"cross-entropy": (task.label_smoothing,), "focal": (task.gamma,)}.get(task.loss, ())
    losses = engine.LOSSES[task.loss].function(log_q, target, ignored, layout.weight, *more)

    def parts() -> Parts:
        one_hot = np.zeros_like(log_q)
        np.put_along_axis(one_hot, target[np.newaxis], 1, axis=0)
        shares = engine.smoothed(one_hot, task.label_smoothing)
        return Parts(shares, engine.log(shares), log_q)

    if task.loss == "focal":
        return LossBlock(losses, log_q, ~ignored)
    return LossBlock(losses, log_q, ~ignored, 1.0 if layout.weight is None else layout.weight[target], parts)


def _binary(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    """bce, bce-with-logits or focal --binary: every element is a distribution of two."""
    given, target, kept = layout.inputs(some), layout.targets(some), _kept(layout, some)
    if task.input_as == PROBS:
        mend = f"{_FROM_0_TO_1}; logits are bce-with-logits'"
        _refuse_outside(layout, _counting(given, kept), some, layout.operands.input, mend)
    _refuse_outside(layout, _counting(target, kept), some, layout.operands.target, _FROM_0_TO_1)
    traps.look_at_two(some, given, target, kept)
    log_q, log_rest = engine.log_of_two(given, logits=task.input_as == LOGITS)

    def parts() -> Parts:
        both = np.concatenate([target, 1 - target])
        return Parts(both, engine.log(both), np.concatenate([log_q, log_rest]))

    if task.loss == "focal --binary":
        alpha = _ALPHA if layout.operands.alpha is None else float(layout.operands.alpha.values)
        return LossBlock(engine.sigmoid_focal(given, target, alpha, task.gamma)[0], log_q, kept[0])
    weights = (None if w is None else w[:, some] for w in (layout.weight, layout.pos_weight))
    losses = engine.LOSSES[task.loss].function(given, target, *weights)[0]
    return LossBlock(losses, log_q, kept[0], parts=parts)


def _kl_samples(task: Task, layout: LaidOut, some: slice, traps: Traps) -> LossBlock:
    log_q, log_p, kept = layout.inputs(some), layout.targets(some), _kept(layout, some)
    traps.look_at_two(some, log_q, log_p, kept)
    estimates = engine.kl_samples(log_q, log_p)
    return LossBlock(estimates[ESTIMATORS.index(task.estimator)][0], log_q, kept[0])


_BLOCKS: Mapping[str, Callable[[Task, LaidOut, slice, Traps], LossBlock]] = {
    "kl-div": _of_distributions,
    "js": _of_distributions,
    "cross-entropy": _of_classes,
    "nll": _of_classes,
    "focal": _of_classes,
    "focal --binary": _binary,
    "bce": _binary,
    "bce-with-logits": _binary,
    "kl-samples": _kl_samples,
}

"""The usual traps of PyTorch's losses: what the operands look like, and a word on each that somebody has stepped into.

A note is a hint: it never changes the value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.engine import losses as engine
from klcli.tensors import BATCHMEAN, LOGITS, LOGPROBS, PROBS

if TYPE_CHECKING:
    from klcli.analyses.operands import LaidOut, LossBlock
    from klcli.engine.arrays import Mask
    from klcli.engine.losses import Floats
    from klcli.tensors import Task, Tensor

_TOLERANCE = 1e-6
_ROUNDED = 0.01
"""Logarithms written with three digits make a sum of 1 wrong by so much."""
_ROUNDINGS = 32
"""A sum of 1 may be off by so many of the coarsest roundings among the operands: many values are float32 by origin."""

_FEW, _MORE = 3, 5
"""Fewer numbers within [0, 1], or fewer flat rows, look like nothing in particular; of two classes the second."""

_PEAKED, _VERY_PEAKED = 0.6, 0.8
"""The mean largest probability of what went through a softmax, from which on it seems to have been one's result.

Of two classes the second.
"""

_CLAMPED = np.exp(engine.LEAST_LOG)


_MEAN_OF_NONE = "; the mean of no rows is nan, as in PyTorch (their sum is 0)"
_LOOKS_PROBABLE = "looks like probabilities (all within [0, 1], and every row sums to 1)"


class Seen:
    """How many rows something holds for, and where first."""

    def __init__(self) -> None:
        self.count, self.first, self.value = 0, 0, 0.0

    def look(self, some: slice, found: Mask, values: Floats) -> None:
        """Some more rows. found, values: (m,)."""
        if found.any():
            if not self.count:
                at = int(found.argmax())
                self.first, self.value = some.start + at, float(values[at])
            self.count += int(np.count_nonzero(found))


class Traps:
    """What is seen of the operands of one loss, block by block."""

    def __init__(self, task: Task, layout: LaidOut) -> None:
        self._task, self._layout = task, layout
        given, target = layout.operands.input, layout.operands.target
        self._slack = {"input": _slack(task, given), "target": _slack(task, target)}
        self._positive, self._off, self._target_off = Seen(), Seen(), Seen()
        self._clamped, self._nan, self._infinite = Seen(), Seen(), Seen()
        self._input_probable, self._target_probable = task.loss != "bce", True
        self._flat, self._peaks = layout.dim is not None and task.input_as != LOGITS, 0.0
        # The sum of the losses with 0 log 0 = 0, where PyTorch makes that nan.
        self._whole = 0.0
        self._nan_logits = False
        self._left = layout.n

    # ---------------------------------------------------------------------------------------------------- what is seen

    def look_at_two(self, some: slice, given: Floats, target: Floats, counts: Mask) -> None:
        """INPUT and TARGET of a loss of elements, and which of them count. All (1, m)."""
        if self._task.loss == "bce":
            missed = ((given < _CLAMPED) & (target > 0)) | ((given == 1) & (target < 1))
            self._clamped.look(some, (missed & counts)[0], given[0])
        else:
            self._input_probable = self._input_probable and bool((((given >= 0) & (given <= 1)) | ~counts).all())

    def look_at_input(self, some: slice, given: Floats, counts: Mask) -> None:
        """INPUT as it was given, (K, m), and which rows count, (m,)."""
        task, slack = self._task, self._slack["input"]
        kept = given if counts.all() else given[:, counts]
        if not kept.size:
            return
        if task.input_as != PROBS:
            self._input_probable = self._input_probable and _probable(kept, slack)
        if task.input_as == LOGITS:
            return
        logarithms = task.input_as == LOGPROBS
        if logarithms:
            highest = given.max(axis=0)
            self._positive.look(some, (highest > slack) & counts, highest)
        sums = (engine.exp(given) if logarithms else given).sum(axis=0, dtype=np.float64)
        self._off.look(some, (np.abs(sums - 1) > slack) & counts, sums)
        self._look_for_flatness(kept if logarithms else engine.log(kept))

    def _look_for_flatness(self, log_q: Floats) -> None:
        """Whether every row is a softmax of probabilities: log q, moved so that it adds up to 1, is within [0, 1]."""
        if self._flat:
            first = log_q + (1 - log_q.sum(axis=0)) / len(log_q)
            self._flat = bool((first >= -self._slack["input"]).all())
            self._peaks += float(first.max(axis=0).sum()) if self._flat else 0.0

    def look_at_targets(self, some: slice, target: Floats, counts: Mask) -> None:
        """TARGET as it was given, (K, m): probabilities, their logarithms or logits. counts: which rows do, (m,)."""
        slack = self._slack["target"]
        if not counts.any():
            return
        if self._task.target_as == LOGITS:
            self._target_probable = self._target_probable and _probable(target[:, counts], slack)
            return
        shares = engine.exp(target) if self._task.target_as == LOGPROBS else target
        sums = shares.sum(axis=0, dtype=np.float64)
        self._target_off.look(some, (np.abs(sums - 1) > slack) & counts, sums)

    def look_at_losses(self, some: slice, rows: Floats, block: LossBlock) -> None:
        """What came of it, (m,)."""
        whole = float(rows.sum(dtype=np.float64))
        if not np.isfinite(whole):
            nan = np.isnan(rows)
            self._nan.look(some, nan, rows)
            self._infinite.look(some, np.isinf(rows), rows)
            self._nan_logits = self._nan_logits or bool(np.isnan(block.log_q[:, nan]).any())
            if nan.any():
                whole = self._without_zero_times_infinity(rows, nan, block)
        self._whole += whole

    def _without_zero_times_infinity(self, rows: Floats, nan: Mask, block: LossBlock) -> float:
        if self._layout.weighted or self._layout.indices or block.parts is None:
            return np.nan
        target, log_target, log_q = (part[:, nan].astype(np.float64) for part in block.parts())
        found = engine.kl_rows(target, log_target, log_q)
        if self._task.loss != "kl-div":
            found = found + engine.entropy_rows(target, log_target)
        return float(rows[~nan].sum(dtype=np.float64) + found.sum())

    # ----------------------------------------------------------------------------------------------- what is said of it

    def notes(self, whole: float, counted: float, scale: float, kept: Mask) -> tuple[str, ...]:
        """A note for each trap. whole: the losses' sum. counted: what a mean divides by. kept: which rows count, (n,).

        scale: what makes the unit of the answer of nats.
        """
        operands = self._layout.operands
        self._left, self._whole = int(np.count_nonzero(kept)), self._whole * scale
        found = [
            *(remark for tensor in operands if tensor is not None for remark in tensor.remarks),
            self._input_is_probable() or self._input_is_improper(),
            self._input_is_flat(),
            self._targets_are_improper(),
            self._left_out(),
            self._nothing_left(),
            self._clamped_logarithms(),
            self._other_reduction(whole, counted),
            self._not_finite(counted),
        ]
        return tuple(dict.fromkeys(note for note in found if note))

    def _input_is_probable(self) -> str:
        task, layout = self._task, self._layout
        if not self._input_probable or task.input_as == PROBS or not self._left:
            return ""
        name = layout.operands.input.where(())
        if layout.dim is None and layout.n < _FEW:
            return ""
        if layout.dim is None:
            takes = "logits" if task.input_as == LOGITS else "log-probabilities"
            mend = "; for probabilities: klcli loss bce" if task.loss == "bce-with-logits" else ""
            return f"{name} is all within [0, 1], and {task.loss} takes {takes}{mend}"
        takes = "applies softmax to it" if task.input_as == LOGITS else "takes log-probabilities"
        mend = "give their logarithms" if task.loss == "focal" else "add --input-as probs"
        return f"{name} {_LOOKS_PROBABLE}, and {task.loss} {takes}; for probabilities {mend}"

    def _input_is_improper(self) -> str:
        layout, tensor, logarithms = self._layout, self._layout.operands.input, self._task.input_as == LOGPROBS
        mend = "; for logits add --input-as logits" if logarithms else ""
        seen = self._positive
        if seen.count:
            at = f"{layout.row(tensor, seen.first)} has {seen.value!r}, and no log-probability is above 0"
            return f"{at} ({self._rows(seen)}){mend}"
        return self._off_by(self._off, tensor, logarithms=logarithms, mend=mend)

    def _off_by(self, seen: Seen, tensor: Tensor, *, logarithms: bool, mend: str) -> str:
        """A note that rows do not sum to 1, '' where they do."""
        if not seen.count:
            return ""
        if not _far_off(seen):
            mend = ""
        at = f"{'exp of ' if logarithms else ''}{self._layout.row(tensor, seen.first)} sums to {seen.value:.9g}, not 1"
        return f"{at} ({self._rows(seen)}){mend}"

    def _rows(self, seen: Seen) -> str:
        n = self._layout.n
        return f"{seen.count} of {n} rows" if n > 1 else "the only row"

    def _input_is_flat(self) -> str:
        layout, n = self._layout, self._left
        if not self._flat or not n or self._positive.count or self._input_is_probable():
            return ""
        # A few honest predictions may lie so near the middle; of two classes many do.
        least_rows, least_peak = (_MORE, _VERY_PEAKED) if layout.k == 2 else (_FEW, _PEAKED)  # noqa: PLR2004
        if layout.k == 1 or n < least_rows or self._peaks / n < least_peak:
            return ""
        looks = "looks as if softmax had been applied twice: every row is what softmax makes of probabilities"
        return f"{layout.operands.input.where(())} {looks}"

    def _targets_are_improper(self) -> str:
        task, tensor = self._task, self._layout.operands.target
        if task.target_as == LOGITS:
            mend = f"{_LOOKS_PROBABLE}, and softmax is applied to it; leave out --target-as logits"
            return f"{tensor.where(())} {mend}" if self._target_probable and self._left else ""
        so = (
            "the loss is then no divergence"
            if task.loss != "cross-entropy"
            else "PyTorch takes the targets as they are"
        )
        return self._off_by(self._target_off, tensor, logarithms=task.target_as == LOGPROBS, mend=f"; {so}")

    def _left_out(self) -> str:
        task, layout = self._task, self._layout
        if not layout.indices and (task.ignore_index is None or task.loss == "cross-entropy"):
            given = task.ignore_index is not None
            return f"--ignore-index {layout.ignore} has no effect: the targets are probabilities" if given else ""
        ignored = layout.target == layout.ignore
        count = int(np.count_nonzero(ignored if layout.indices else ignored.all(axis=0)))
        if not count:
            return ""
        which = (
            f"{count} of {layout.n} targets {'is' if count == 1 else 'are'}" if layout.n > 1 else "the only target is"
        )
        return f"{which} {layout.ignore} and left out{_MEAN_OF_NONE if self._is_mean_of_none() else ''}"

    def _nothing_left(self) -> str:
        if not self._is_mean_of_none() or self._left_out().endswith(_MEAN_OF_NONE):
            return ""
        return f"no row counts{_MEAN_OF_NONE}"

    def _is_mean_of_none(self) -> bool:
        return not self._left and self._task.reduction in {"mean", BATCHMEAN}

    def _clamped_logarithms(self) -> str:
        seen = self._clamped
        if not seen.count:
            return ""
        at = self._layout.row(self._layout.operands.input, seen.first)
        exact = "PyTorch takes -100 for any logarithm below it; the exact loss is larger"
        return f"{at} is {seen.value:g} and its target is not ({seen.count} of {self._layout.n}): {exact}"

    def _other_reduction(self, whole: float, counted: float) -> str:
        task, layout = self._task, self._layout
        n, batch = self._left, layout.batch
        improper = self._positive.count or _far_off(self._off) or self._target_off.count or self._input_is_probable()
        of_rows = task.loss == "kl-div" and layout.k > 1 and not layout.weighted
        if not of_rows or improper or not whole or not np.isfinite(whole):
            return ""
        if task.reduction == "mean":
            mends = {(1, False): " (--reduction sum)", (batch, True): " (--reduction batchmean)"}
            mend = mends.get((n, len(layout.operands.input.shape) > 1), "")
            by_rows = f"KL's definition by {n} row{'s' if n > 1 else ''}, which gives {whole / n!r}"
            return f"mean divides by all {counted:.0f} elements, {by_rows}{mend}"
        if task.reduction == BATCHMEAN and n != batch:
            by_rows = f"there {'are' if n > 1 else 'is'} {n} row{'s' if n > 1 else ''}, whose mean is {whole / n!r}"
            return f"batchmean divides by {batch:.0f}, the length of INPUT's first axis, as PyTorch does; {by_rows}"
        return ""

    def _not_finite(self, counted: float) -> str:
        task, layout, seen = self._task, self._layout, self._nan if self._nan.count else self._infinite
        if not seen.count:
            weightless = task.reduction == "mean" and not counted and self._left
            return "every target has weight 0; a mean by such weights is nan, as in PyTorch" if weightless else ""
        at = f"{layout.row(layout.operands.input, seen.first)} has a loss of {seen.value:g} ({self._rows(seen)})"
        if not self._nan.count:
            smoothed = ", as smoothing gives every class" if task.label_smoothing else ""
            why = f"no probability where TARGET has some{smoothed}" if seen.value > 0 else "INPUT is infinite there"
            return f"{at}: {why}"
        if self._nan_logits:
            return f"{at}: so is softmax in PyTorch where a logit is infinite in {task.dtype}, or all are -inf"
        divisor = counted if task.reduction == "none" else layout.divisor(counted)
        name = "mean" if task.reduction == "none" else task.reduction
        whole = "" if np.isnan(self._whole) else f"; with 0 log 0 = 0 the {name} is {self._whole / divisor!r}"
        return f"{at}: so are 0 times an infinity, and inf - inf, in PyTorch{whole}"


def _slack(task: Task, tensor: Tensor) -> float:
    kinds = [np.dtype(task.dtype), tensor.values.dtype]
    return max(_TOLERANCE, *(_ROUNDINGS * float(np.finfo(kind).eps) for kind in kinds if kind.kind == "f"))


def _far_off(sums: Seen) -> bool:
    """Whether the first of the sums that are not 1 is so by more than the rounding of what was printed."""
    return bool(sums.count) and abs(sums.value - 1) >= _ROUNDED


def _probable(values: Floats, slack: float) -> bool:
    """Whether all columns could be probabilities. values: (K, m)."""
    if not (values.min() >= 0 and values.max() <= 1 + slack):
        return False
    return bool((np.abs(values.sum(axis=0, dtype=np.float64) - 1) <= slack).all())

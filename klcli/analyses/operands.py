"""The operands of a loss, of any shape, as (K, n): K classes of n rows. What does not match is refused here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.losses import LOSSES, cascade_sum
from klcli.errors import DistributionError, UsageError
from klcli.tensors import IGNORE_INDEX, LOGITS, PROBS
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.engine.arrays import Mask
    from klcli.engine.losses import Floats, Indices
    from klcli.tensors import Index, Numbers, Operands, Task, Tensor


_WHOLE = 1e16
"""From here on a float is written as 1e+16."""


@dataclass(frozen=True, eq=False)
class LaidOut:
    """input: (K, n), a view where it can be one. target: the same, or class indices (n,).

    dim: the axis of the classes in INPUT, None where its elements do not compete (then K is 1). rows: the shape of the
    n rows. weight: (K,), or without classes (1, n); pos_weight: (1, n). kept: what counts, (1, n) or of entries (K, n),
    None for all; row_weight: (n,). Class indices that are ignored are not in kept: `classes` tells them.
    """

    task: Task
    operands: Operands
    dim: int | None
    rows: tuple[int, ...]
    input: Numbers
    target: Numbers
    indices: bool
    weight: Floats | None
    pos_weight: Floats | None
    kept: Mask | None
    row_weight: Floats | None

    @property
    def k(self) -> int:
        """The number of classes."""
        return len(self.input)

    @property
    def n(self) -> int:
        """The number of rows."""
        return int(self.input.shape[1])

    @property
    def last(self) -> bool:
        """Whether the classes are INPUT's last axis."""
        return self.dim == len(self.rows)

    @property
    def weighted(self) -> bool:
        """Whether weights make of the losses something else than a cross-entropy."""
        of_entries = self.kept is not None and len(self.kept) > 1
        return of_entries or any(w is not None for w in (self.weight, self.pos_weight, self.row_weight))

    @property
    def ignore(self) -> int:
        """The target that is left out."""
        return IGNORE_INDEX if self.task.ignore_index is None else self.task.ignore_index

    def divisor(self, counted: float) -> float:
        """What the sum of the losses is divided by. counted: what a mean is."""
        if self.task.reduction == "mean":
            return counted
        return 1.0 if self.task.reduction == "sum" else self.batch

    @property
    def batch(self) -> float:
        """What batchmean divides by: the length of the first axis, of INPUT in kl-div, else of the rows.

        Where weights or a mask are given each of its items counts as much as the heaviest of what it holds.
        """
        elements = self.task.loss == "kl-div"
        length, *_ = (*(self.operands.input.shape if elements else self.rows), 1)
        if self.kept is None and self.row_weight is None:
            return float(length)
        share: Floats = np.ones((self.k if elements else 1, self.n))
        share = share * (1.0 if self.kept is None else self.kept)
        share = share * (1.0 if self.row_weight is None else self.row_weight)
        share = self.restored(share) if elements else share
        return float(share.reshape(length, share.size // max(length, 1)).max(axis=1, initial=0).sum())

    def inputs(self, some: slice) -> Floats:
        """Some columns of INPUT. Returns (K, m)."""
        return np.ascontiguousarray(self.input[:, some], dtype=self.task.dtype)

    def targets(self, some: slice) -> Floats:
        """Some columns of TARGET where it is no class indices. Returns (K, m)."""
        return np.ascontiguousarray(self.target[:, some], dtype=self.task.dtype)

    def refuse_nan(self, some: slice, losses: Floats) -> None:
        """Raises DistributionError where a NaN of the operands makes losses NaN. losses: (K, m) or (m,)."""
        wrong = np.isnan(losses)
        if not wrong.any():
            return
        if wrong.ndim > 1 and self.task.input_as == LOGITS:  # a row's logits all count in each of its elements
            wrong = np.logical_or.reduce(wrong, axis=0)
        for tensor, given in ((self.operands.input, self.input), (self.operands.target, self.target)):
            if given.ndim > 1:
                mend = "so would the loss be; find where it comes from"
                if self.weight is not None:
                    mend = "so would the loss be, by a weight of 0 too; leave it out by --mask"
                self.refuse(np.isnan(given[:, some]) & wrong, some, tensor, mend)

    def classes(self, some: slice) -> tuple[Indices, Mask]:
        """Some class indices in [0, K), 0 where they are left out, and which those are. Both (m,).

        Raises DistributionError where one is no class.
        """
        given, tensor = self.target[some], self.operands.target
        found: Indices = given.astype(np.intp)
        self.refuse(found != given, some, tensor, "a class index is a whole number")
        ignored: Mask = found == self.ignore
        if self.kept is not None:
            ignored |= ~self.kept[0, some]
        outside = ((found < 0) | (found >= self.k)) & ~ignored
        classes = f"there are {self.k} classes, counted from 0"
        self.refuse(outside, some, tensor, f"{classes}; --ignore-index leaves rows out")
        return np.where(ignored, 0, found), ignored

    def counted(self) -> float:
        """The weights of all targets that are not left out, added up as float32 as PyTorch does."""
        found, ignored = self.classes(slice(0, self.n))
        if self.weight is None:
            return float(np.count_nonzero(~ignored))
        return float(cascade_sum(np.where(ignored, 0, self.weight[found]), ignored))

    def refuse(self, wrong: Mask, some: slice, tensor: Tensor, mend: str) -> None:
        """Raises DistributionError for the first of a block's values that is wrong. wrong: (K, m) or (m,)."""
        if wrong.any():
            column, *k = np.argwhere(wrong.T)[0].tolist()
            index = self.index(some.start + column, *k)
            message = f"{tensor.where(index)} is {_value(tensor, index)}; {mend}"
            raise DistributionError(message)

    def index(self, row: int, k: int | None = None) -> Index:
        """The index of a row among the rows, or with a class of a value in INPUT."""
        index = tuple(int(i) for i in np.unravel_index(row, self.rows)) if self.rows else ()
        return index if self.dim is None or k is None else (*index[: self.dim], k, *index[self.dim :])

    def row(self, tensor: Tensor, row: int) -> str:
        """Where a row of INPUT, or of a TARGET of its shape, stands."""
        index = self.index(row)
        if self.dim is None or self.last:
            return tensor.where(index)
        between = [*map(str, index[: self.dim]), ":", *map(str, index[self.dim :])]
        return f"{tensor.where(())}[{', '.join(between)}]"

    def restored(self, values: Floats) -> Floats:
        """Values of every class and row, (K, n), in the shape of INPUT."""
        if self.dim is None:
            return values.reshape(self.rows)
        return np.moveaxis(values.reshape(self.k, *self.rows), 0, self.dim)


class Parts(NamedTuple):
    """By which losses are a cross-entropy: probabilities, their logarithms, those of the predictions. Each (K, m)."""

    target: Floats
    log_target: Floats
    log_q: Floats


class LossBlock(NamedTuple):
    """Some rows. losses: (K, m) of kl-div, else (m,); kept: which of them count, the others may be anything.

    log_q: of the predictions, (K, m). counts: what each row adds to what a mean divides by. parts: of all rows.
    """

    losses: Floats
    log_q: Floats
    kept: Mask
    counts: Floats | float = 1.0
    parts: Callable[[], Parts] | None = None


def lay_out(task: Task, operands: Operands) -> LaidOut:
    """The operands side by side. Raises DistributionError where shapes do not match, UsageError for no such dim."""
    given, target, loss = operands.input, operands.target, LOSSES[task.loss]
    dim = _class_axis(task, given) if loss.of_classes else None
    rows = given.shape if dim is None else (*given.shape[:dim], *given.shape[dim + 1 :])
    indices = loss.indices and not (loss.soft and target.shape == given.shape)
    if indices:
        target = _a_class_a_row(task, given, target, rows, dim or 0)
        operands = operands._replace(target=target)
        if task.target_as != PROBS:
            message = f"--target-as {task.target_as}: {target.where(())} is class indices; leave it out"
            raise UsageError(message)
    else:
        _same_shape(given, target)
    columns, k = _columns(given.values, dim), 1 if dim is None else given.shape[dim]
    targets = target.values.reshape(-1) if indices else _columns(target.values, dim)
    weights = operands.alpha if task.loss == "focal" else operands.weight
    row_weight: Floats | None = None
    if operands.row_weight is not None:
        row_weight = _of_rows(operands.row_weight, given, rows)[0].astype(task.dtype)
        _weights(operands.row_weight, task.dtype)
    return LaidOut(
        task=task,
        operands=operands,
        dim=dim,
        rows=rows,
        input=columns,
        target=targets,
        indices=indices,
        weight=_spread(weights, given, task.dtype) if dim is None else _class_weights(weights, k, task.dtype),
        pos_weight=_spread(operands.pos_weight, given, task.dtype),
        kept=_kept(task, operands, targets, row_weight, dim, rows),
        row_weight=row_weight,
    )


def _kept(
    task: Task,
    operands: Operands,
    targets: Numbers,
    row_weight: Floats | None,
    dim: int | None,
    rows: tuple[int, ...],
) -> Mask | None:
    """What neither the mask, nor a weight of 0, nor a target that is no class index leaves out; None for all."""
    found: list[Mask] = []
    mask = operands.mask
    if mask is not None:
        wrong = (mask.values != 0) & (mask.values != 1)
        if wrong.any():
            index = tuple(np.argwhere(wrong)[0].tolist())
            message = f"{mask.where(index)} is {_value(mask, index)}; a mask is 0 or 1, weights are --row-weight's"
            raise DistributionError(message)
        of_entries = task.loss == "kl-div" and mask.shape == operands.input.shape
        found.append(
            (_columns(mask.values, dim) if of_entries else _of_rows(mask, operands.input, rows, task.loss)) != 0
        )
    if row_weight is not None:
        found.append(row_weight[np.newaxis] > 0)
    if task.ignore_index is not None and not LOSSES[task.loss].indices:
        found.append((targets != task.ignore_index).any(axis=0, keepdims=True))
    kept: Mask | None = None
    for some in found:
        kept = some if kept is None else kept & some
    return kept


def _of_rows(tensor: Tensor, given: Tensor, rows: tuple[int, ...], loss: str = "") -> Numbers:
    """One number a row, or an item of the rows' first axes, repeated over the others. Returns (1, n)."""
    values = tensor.values.reshape(rows) if tensor.values.size == 1 and rows in {(), (1,)} else tensor.values
    if values.shape != rows[: values.ndim] or values.ndim == 0 < len(rows):
        entries = f", or one an entry, of shape {given.shape}" if loss == "kl-div" else ""
        needs = f"give one a row, of shape {rows}{entries}" if rows else f"give a single one{entries}"
        message = f"{_shown(tensor)}, and {given.where(())} has shape {given.shape}; {needs}"
        raise DistributionError(message)
    return np.broadcast_to(values.reshape((*values.shape, *(1,) * (len(rows) - values.ndim))), rows).reshape(1, -1)


def _columns(values: Numbers, dim: int | None) -> Numbers:
    """(K, n): the classes' axis first, the others one; without classes (1, n)."""
    if dim is None:
        return values.reshape(1, -1)
    k = values.shape[dim]
    return np.moveaxis(values, dim, 0).reshape(k, values.size // k)


def _class_axis(task: Task, given: Tensor) -> int:
    """The classes' axis, counted from 0: the last of kl-div and js, else 1, or 0 where there is but one."""
    axes = len(given.shape)
    if not axes:
        message = f"{_shown(given)}; {task.loss} needs one for each class, as 0.7,0.2,0.1"
        raise DistributionError(message)
    dim = task.dim
    if dim is None:
        dim = min(axes - 1, 1) if LOSSES[task.loss].indices else -1
    if not -axes <= dim < axes:
        which = f"0 to {axes - 1}, or from the end -1 to {-axes}"
        message = f"--dim {dim}: {given.where(())} has shape {given.shape}, whose axes are {which}"
        raise UsageError(message)
    if not given.shape[dim]:
        message = f"{_shown(given)}, with no classes on axis {dim % axes}; a row needs a number for each class"
        raise DistributionError(message)
    return dim % axes


def _same_shape(given: Tensor, target: Tensor) -> None:
    if given.shape != target.shape:
        mend = _extra_axis(given.shape, target.shape) or "nothing is repeated to make them match"
        message = f"{_shown(given)}, {_shown(target)}; they need the same: {mend}"
        raise DistributionError(message)


def _extra_axis(one: tuple[int, ...], other: tuple[int, ...]) -> str:
    """What mends shapes that differ by axes of length 1 alone; '' for others."""
    alike = [n for n in one if n > 1] == [n for n in other if n > 1]
    return "take the axis of length 1 off" if alike and one != other else ""


def _shown(tensor: Tensor) -> str:
    return f"{tensor.where(())} has shape {tensor.shape}" if tensor.shape else f"{tensor.where(())} is a single number"


def _value(tensor: Tensor, index: Index) -> str:
    """One value as errors show it: whole numbers without '.0', as long as a double holds each of them."""
    value = tensor.values[index].item()
    return str(int(value) if abs(value) < _WHOLE and value == int(value) else value)


def _a_class_a_row(task: Task, given: Tensor, target: Tensor, rows: tuple[int, ...], dim: int) -> Tensor:
    """TARGET in the shape of the rows; one index alone may stand in brackets or not. Raises DistributionError."""
    if target.shape == rows:
        return target
    if target.values.size == 1 and rows in {(), (1,)} and len(target.shape) <= 1:
        only = (0,) * len(target.shape)
        return replace(target, values=target.values.reshape(rows), where=lambda index: target.where(index and only))
    what = f"{rows} for class indices" if rows else "a single class index"
    or_else = f" or {given.shape} for probabilities" if task.loss == "cross-entropy" else ""
    mend = _extra_axis(rows, target.shape)
    if task.dim is None and target.shape == given.shape[:-1]:
        mend = "with the classes on the last axis add --dim -1"
    elif target.shape == given.shape:
        mend = f"{task.loss} takes no probabilities, cross-entropy does"
    needs = f"with {given.shape[dim]} classes on axis {dim}, so TARGET needs {what}{or_else}"
    message = f"{_shown(given)}, {needs}; {_shown(target)}{mend and '; '}{mend}"
    raise DistributionError(message)


def _class_weights(weight: Tensor | None, k: int, dtype: str) -> Floats | None:
    if weight is None:
        return None
    if not weight.shape and (k == 1 or weight.role == "--alpha"):
        return np.broadcast_to(_weights(weight, dtype), (k,))
    if weight.shape != (k,):
        has = f"has {len(weight.values)} values" if len(weight.shape) == 1 else f"has shape {weight.shape}"
        message = f"{weight.where(())} {has}, and there are {k} classes; give a weight a class"
        raise DistributionError(message)
    return _weights(weight, dtype)


def _spread(weight: Tensor | None, given: Tensor, dtype: str) -> Floats | None:
    """Weights of elements, repeated over the axes that they lack, as PyTorch does. Returns (1, n)."""
    if weight is None:
        return None
    try:
        repeated = np.broadcast_to(weight.values, given.shape)
    except ValueError:
        mend = "; a weight a row is --row-weight's" if weight.shape == given.shape[: len(weight.shape)] else ""
        message = f"{_shown(weight)}, which does not fit {given.where(())} of shape {given.shape}{mend}"
        raise DistributionError(message) from None
    _weights(weight, dtype)
    flat: Floats = repeated.astype(dtype).reshape(1, -1)
    return flat


def _weights(weight: Tensor, dtype: str) -> Floats:
    values: Floats = weight.values.astype(dtype)
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0].tolist())
        message = f"{weight.where(index)} is {_value(weight, index)}; a weight is finite and at least 0"
        raise DistributionError(message)
    return values

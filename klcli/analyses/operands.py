"""The operands of a loss, of any shape, as (K, n): K classes of n rows. What does not match is refused here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.engine.losses import LOSSES, cascade_sum
from klcli.errors import DistributionError, UsageError
from klcli.tensors import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable

    from klcli.engine.arrays import Mask
    from klcli.engine.losses import Floats, Indices
    from klcli.tensors import Index, Numbers, Operands, Task, Tensor


_WHOLE = 1e16
"""From here on a float is written as 1e+16."""


@dataclass(frozen=True, eq=False)
class LaidOut:
    """input: (K, n), a view where it can be one. target: the same, or class indices (n,). dtype: what is computed in.

    dim: the axis of the classes in INPUT, None where its elements do not compete (then K is 1). rows: the shape of the
    n rows. weight: (K,), or without classes (1, n); pos_weight: (1, n). ignore: the class index that is left out.
    """

    operands: Operands
    dim: int | None
    rows: tuple[int, ...]
    input: Numbers
    target: Numbers
    indices: bool
    weight: Floats | None
    pos_weight: Floats | None
    ignore: int
    dtype: str

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
        return self.weight is not None or self.pos_weight is not None

    @property
    def batch(self) -> int:
        """What batchmean divides by: the length of INPUT's first axis, whatever it is."""
        shape = self.operands.input.shape
        return shape[0] if shape else 1

    def inputs(self, some: slice) -> Floats:
        """Some columns of INPUT, without NaN. Returns (K, m)."""
        return self._numbers(self.input, some, self.operands.input)

    def targets(self, some: slice) -> Floats:
        """Some columns of TARGET where it is no class indices, without NaN. Returns (K, m)."""
        return self._numbers(self.target, some, self.operands.target)

    def _numbers(self, given: Numbers, some: slice, tensor: Tensor) -> Floats:
        block = np.ascontiguousarray(given[:, some], dtype=self.dtype)
        self.refuse(np.isnan(block), some, tensor, "so would the loss be; find where it comes from")
        return block

    def classes(self, some: slice) -> tuple[Indices, Mask]:
        """Some class indices in [0, K), 0 where they are left out, and which those are. Both (m,).

        Raises DistributionError where one is no class.
        """
        given, tensor = self.target[some], self.operands.target
        found: Indices = given.astype(np.intp)
        self.refuse(found != given, some, tensor, "a class index is a whole number")
        ignored: Mask = found == self.ignore
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
    """Some rows. losses: (K, m) of kl-div, else (m,). log_q: of the predictions, (K, m). parts: of the rows that count.

    counted: what a mean divides by.
    """

    losses: Floats
    log_q: Floats
    counted: float
    parts: Callable[[], Parts]


def lay_out(task: Task, operands: Operands) -> LaidOut:
    """The operands side by side. Raises DistributionError where shapes do not match, UsageError for no such dim."""
    given, target = operands.input, operands.target
    for tensor in (given, target):
        if tensor.values.size == 0:
            message = f"{tensor.where(())} is empty, of shape {tensor.shape}; a loss needs at least one row"
            raise DistributionError(message)
    ignore = IGNORE_INDEX if task.ignore_index is None else task.ignore_index
    if not LOSSES[task.loss].of_classes:
        _same_shape(given, target)
        return LaidOut(
            operands=operands,
            dim=None,
            rows=given.shape,
            input=given.values.reshape(1, -1),
            target=target.values.reshape(1, -1),
            indices=False,
            weight=_spread(operands.weight, given, task.dtype),
            pos_weight=_spread(operands.pos_weight, given, task.dtype),
            ignore=ignore,
            dtype=task.dtype,
        )
    dim = _class_axis(task, given)
    k = given.shape[dim]
    rows = (*given.shape[:dim], *given.shape[dim + 1 :])
    indices = task.loss == "nll" or (task.loss == "cross-entropy" and target.shape != given.shape)
    if indices:
        operands = operands._replace(target=_a_class_a_row(task, given, target, rows, dim))
    else:
        _same_shape(given, target)
    return LaidOut(
        operands=operands,
        dim=dim,
        rows=rows,
        input=_columns(given.values, dim, k),
        target=target.values.reshape(-1) if indices else _columns(target.values, dim, k),
        indices=indices,
        weight=_class_weights(operands.weight, k, task.dtype),
        pos_weight=None,
        ignore=ignore,
        dtype=task.dtype,
    )


def _columns(values: Numbers, dim: int, k: int) -> Numbers:
    """(K, n): the classes' axis first, the others one."""
    return np.moveaxis(values, dim, 0).reshape(k, -1)


def _class_axis(task: Task, given: Tensor) -> int:
    """The classes' axis, counted from 0: the last of kl-div, else 1, or 0 where there is but one."""
    axes = len(given.shape)
    if not axes:
        message = f"{_shown(given)}; {task.loss} needs one for each class, as 0.7,0.2,0.1"
        raise DistributionError(message)
    if task.dim is None:
        return axes - 1 if task.loss == "kl-div" else min(axes - 1, 1)
    if not -axes <= task.dim < axes:
        which = f"0 to {axes - 1}, or from the end -1 to {-axes}"
        message = f"--dim {task.dim}: {given.where(())} has shape {given.shape}, whose axes are {which}"
        raise UsageError(message)
    return task.dim % axes


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
        mend = "nll takes no probabilities, cross-entropy does, of logits"
    needs = f"with {given.shape[dim]} classes on axis {dim}, so TARGET needs {what}{or_else}"
    message = f"{_shown(given)}, {needs}; {_shown(target)}{mend and '; '}{mend}"
    raise DistributionError(message)


def _class_weights(weight: Tensor | None, k: int, dtype: str) -> Floats | None:
    if weight is None:
        return None
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
        message = f"{_shown(weight)}, which does not fit {given.where(())} of shape {given.shape}"
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

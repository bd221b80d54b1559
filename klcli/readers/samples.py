"""The data of a fit: one column of numbers, and perhaps another of how often each occurs; or a known distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, typed
from klcli.fits import Sample, WeightsOnGrid
from klcli.model import frozen
from klcli.readers.sources import column_of, exists, split_selector
from klcli.readers.tables.roles import is_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from klcli.families.formula import Formula
    from klcli.model import Array
    from klcli.readers.arrays import Arrays
    from klcli.tensors import Index, Numbers, Tensor

TARGET, WEIGHTS = "--to", "--weights"

_BEGIN_NUMBERS = "0123456789.+-[{"

_TWO = "a fit needs at least two different ones"


def read_sample(text: str, role: str, arrays: Arrays, weights: str | None) -> Sample:
    """The sample that the argument is: values one after the other, or with weights a table of how often each occurs.

    role: what errors call the data. weights: as an argument too, or a column of the table that the data are in. Raises
    InputError where there is not one column of numbers, DistributionError where they are not finite or all the same, or
    where the weights do not match.
    """
    weights = None if weights is None else _source_of(weights, text)
    tensor = arrays.read(text, role, others=() if weights is None else (weights,))
    values = _column(tensor, weights=False)
    _refuse_first(tensor, ~np.isfinite(values), values, "is not finite; leave it out, or mend it")
    often = None if weights is None else _frequencies(arrays.read(weights, WEIGHTS, others=(text,)), tensor, values)
    _refuse_constant(role, values if often is None else values[often > 0])
    return Sample(
        source=tensor.source,
        values=frozen(values),
        weights=None if often is None else frozen(often),
        where=lambda i: tensor.where(_place(tensor, i)),
        remarks=tensor.remarks,
    )


def read_formula(text: str) -> Formula:
    """The known distribution that the formula gives. Raises KlcliError; UsageError for a file of points."""
    from klcli.readers.expressions import is_formula, parse

    if not is_formula(text) and exists(split_selector(text.strip().removeprefix("@"))[0]):
        mend = f"it needs {WEIGHTS}, the column or file of their weights"
        message = f"{TARGET} {clipped(text)} is a file of points; {mend}"
        raise UsageError(message)
    return parse(text, TARGET)


def read_points(text: str, arrays: Arrays, weights: str) -> WeightsOnGrid:
    """The known distribution that points and their weights are, in the order of the points.

    Raises as `read_sample` does, and DistributionError for a point that stands twice.
    """
    sample = read_sample(text, TARGET, arrays, weights)
    order = np.argsort(sample.values, kind="stable")
    points = sample.values[order]
    twice = np.flatnonzero(np.diff(points) == 0)
    if len(twice):
        message = f"{sample.where(int(order[twice[0] + 1]))}: {points[twice[0]]:g} stands twice; add its weights up"
        raise DistributionError(message)
    return WeightsOnGrid(sample.source, points, np.asarray(sample.weights)[order])


def _source_of(weights: str, data: str) -> str:
    """Weights as a source: what is neither numbers nor a file is a column of the table that the data are in."""
    path, mark, _ = split_selector(data.strip().removeprefix("@"))
    if not weights or weights.lstrip()[:1] in _BEGIN_NUMBERS or mark == "#" or not exists(path):
        return weights
    return weights if weights.startswith("@") or exists(split_selector(weights)[0]) else column_of(path, weights)


def _column(tensor: Tensor, *, weights: bool) -> Array:
    """The numbers in order, (n,). Raises InputError where they stand in several columns, or where there are none."""
    if tensor.values.size == 0:
        message = f"{tensor.role} {tensor.source} is empty; {_TWO if not weights else 'it needs a weight a value'}"
        raise InputError(message)
    if tensor.values.size == max(tensor.shape, default=1):
        return tensor.values.astype(np.float64).reshape(-1) + 0.0  # -0 is 0
    name, columns = tensor.where(()), tensor.shape[-1]
    path, selector, _ = split_selector(tensor.source.strip().removeprefix("@"))
    first = tensor.where((*(0,) * (len(tensor.shape) - 1), 0))
    if ", column " in first and not selector and len(tensor.shape) == 2:  # noqa: PLR2004
        headers = [tensor.where((0, j)).rpartition(", column ")[2][1:-1] for j in range(columns)]
        with_weights = "" if weights else f", and of frequencies the other by {WEIGHTS}"
        mend = f"choose one, as in {typed(column_of(path, _measured(headers, tensor.values)))}{with_weights}"
        message = f"{name}: {columns} columns of numbers ({listed(headers)}); {mend}"
        raise InputError(message)
    shape = " x ".join(map(str, tensor.shape))
    message = f"{name}: {shape} numbers; {tensor.role} is one column, one number a line"
    raise InputError(message)


def _measured(headers: Sequence[str], values: Numbers) -> str:
    """The column to propose: the first with decimals, else the last, as keys stand in front. values: (rows, n)."""
    columns = [i for i, name in enumerate(headers) if not is_key(name)] or list(range(len(headers)))
    return headers[next((i for i in columns if (values[:, i] % 1 != 0).any()), columns[-1])]


def _place(tensor: Tensor, i: int) -> Index:
    """The index of number i; only one axis is longer than 1."""
    return tuple(int(j) for j in np.unravel_index(i, tensor.shape)) if tensor.shape else ()


def _refuse_first(tensor: Tensor, bad: npt.NDArray[np.bool_], values: Array, what: str) -> None:
    """Raises DistributionError at the first bad value."""
    if bad.any():
        i = int(bad.argmax())
        message = f"{tensor.where(_place(tensor, i))}: {values[i]:g} {what}"
        raise DistributionError(message)


def _frequencies(tensor: Tensor, data: Tensor, values: Array) -> Array:
    """How often each value occurs, (n,). Raises DistributionError where these are no such numbers."""
    often = _column(tensor, weights=True)
    if len(often) != len(values):
        lengths = f"{WEIGHTS} {tensor.source} has {len(often)} numbers, {data.role} {data.source} {len(values)}"
        message = f"{lengths}; it needs a weight a value"
        raise DistributionError(message)
    _refuse_first(tensor, ~np.isfinite(often), often, "is not finite, and no weight")
    _refuse_first(tensor, often < 0, often, "is negative, and no weight")
    if not often.any():
        message = f"{WEIGHTS} {tensor.source}: all are 0; a weight says how often a value occurs"
        raise DistributionError(message)
    return often


def _refuse_constant(role: str, values: Array) -> None:
    """Raises DistributionError where nothing varies."""
    if len(values) == 1:
        message = f"{role} is one value, {values[0]:g}; {_TWO}"
        raise DistributionError(message)
    if (values == values[0]).all():
        message = f"{role}: all {len(values)} values are {values[0]:g}; {_TWO}"
        raise DistributionError(message)

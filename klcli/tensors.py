"""The types of a loss that pass from stage to stage. As in `model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]
    Index = tuple[int, ...]

DTYPES = ("float64", "float32")
REDUCTIONS = ("mean", "sum", "none")
"""What becomes of the losses; kl-div and js have batchmean besides."""

BATCHMEAN = "batchmean"
LOGITS, PROBS, LOGPROBS = "logits", "probs", "logprobs"
ESTIMATORS = ("k1", "k2", "k3")
"""Schulman's estimators of a divergence from samples."""

_OF_ALL = ("value", "rows", "log_probabilities")
_OF_DIVERGENCE = (*_OF_ALL, "entropy", "kl_divergence", "cross_entropy")
_OF_ENTROPY = (*_OF_DIVERGENCE, "perplexity")

FIELDS = {
    "kl-div": _OF_DIVERGENCE,
    "js": _OF_ALL,
    "cross-entropy": _OF_ENTROPY,
    "nll": _OF_ENTROPY,
    "focal": _OF_ALL,
    "focal --binary": _OF_ALL,
    "bce": _OF_ENTROPY,
    "bce-with-logits": _OF_ENTROPY,
    "kl-samples": (*_OF_ALL, *ESTIMATORS),
}
"""What of each loss can be had bare."""

IGNORE_INDEX = -100
"""The target that PyTorch leaves out unless it is told another."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """Real numbers in an array of any shape, as given. values: of any integer or floating type, never written to.

    role: what errors call it (INPUT, TARGET, --weight). source: as it was typed. where(index): the place of a value
    ('INPUT[1, 0]', "w.csv:3, column 'p'"), or with the leading part of an index that of a row; () is the whole.
    loads: how Python would read it ('numpy.load("x.npy")'); '' where it is no array file. remarks: what should be known
    of how it was read. columns: the names of the table's columns that it is, if it is one's.
    """

    role: str
    source: str
    values: Numbers
    where: Callable[[Index], str]
    loads: str = ""
    remarks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape


class Operands(NamedTuple):
    """What a loss is computed from: predictions, targets, and weights of classes, elements and rows."""

    input: Tensor
    target: Tensor
    weight: Tensor | None = None
    pos_weight: Tensor | None = None
    mask: Tensor | None = None
    row_weight: Tensor | None = None
    alpha: Tensor | None = None


class Task(NamedTuple):
    """Which loss, and every option that changes its value; one value, passed down whole.

    input_as, target_as: logits, probs or logprobs. dim: the axis of the classes; None for PyTorch's own. temperature:
    what logits are divided by, whose square times_t2 multiplies the loss by. gamma: of focal. beta: of js. estimator:
    of kl-samples.
    """

    loss: str
    reduction: str = "mean"
    input_as: str = LOGITS
    target_as: str = PROBS
    ignore_index: int | None = None
    label_smoothing: float = 0.0
    dim: int | None = None
    dtype: str = "float64"
    temperature: float = 1.0
    times_t2: bool = False
    unit: str = "nats"
    gamma: float = 2.0
    beta: float = 0.5
    estimator: str = "k3"


class Identity(NamedTuple):
    """cross_entropy = entropy + kl_divergence, of the targets and the predictions, with 0 log 0 = 0.

    Each is the mean of the rows that count, whatever the loss's reduction.
    """

    cross_entropy: float
    entropy: float
    kl_divergence: float


@dataclass(frozen=True, eq=False)
class LossReport:
    """The answer. value: a scalar, or with the reduction none an array.

    indices: whether the targets are class indices. dim: the axis of the classes, counted from 0; None for losses
    element by element. rows: the loss of each distribution, in the shape of INPUT without the classes'
    axis (where that leaves none: (1,)), and kept: which of them count. elements: how many numbers of INPUT count.
    log_probs: of the predictions, in INPUT's shape; None where not asked for; identity too, and where weights leave
    none. perplexity: exp of the mean loss in nats. estimates: of a divergence from samples, by the estimator.
    """

    task: Task
    operands: Operands
    indices: bool
    dim: int | None
    value: npt.NDArray[np.floating[Any]]
    rows: npt.NDArray[np.floating[Any]]
    log_probs: npt.NDArray[np.floating[Any]] | None
    identity: Identity | None
    notes: tuple[str, ...]
    kept: npt.NDArray[np.bool_]
    elements: int
    perplexity: float = float("nan")
    estimates: dict[str, float] = field(default_factory=dict)

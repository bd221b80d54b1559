"""PyTorch's losses, operation by operation, so that they round as PyTorch does in either precision.

Arrays are float64 or float32 and the results are of the same type: predictions and targets (K, n), K classes on axis 0,
n rows; class indices (n,). What PyTorch makes nan, 0 times an infinity, is nan here; `kl_rows` and `entropy_rows` are
what the losses are made of, on the terms of the divergences: 0 log 0 is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.arrays import weighted
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from klcli.engine.arrays import Mask

    Floats = npt.NDArray[np.floating[Any]]
    Indices = npt.NDArray[np.intp]

LEAST_LOG = -100.0
"""Where bce stops: PyTorch clamps its logarithms there."""


_LANES = 16
"""Floats side by side in PyTorch's vectors, and losses added up before their sum is passed on."""

_LEVELS = 8
"""How often sums are added up in `cascade_sum`."""


def _rounded(function: Callable[..., Any], x: Floats) -> Floats:
    """An elementary function of float32 rounded once: NumPy's own is wrong by up to 4 units in the last place."""
    values: Floats = function(x, dtype=np.float64).astype(x.dtype, copy=False)
    return values


def total(x: Floats) -> Floats:
    """The sum over axis 0, of float32 rounded once."""
    summed: Floats = np.add.reduce(x, axis=0, dtype=np.float64).astype(x.dtype, copy=False)
    return summed


def cascade_sum(losses: Floats, ignored: Mask) -> Floats:
    """The sum of float32 losses in the order of PyTorch's nll_loss. losses, ignored: (n,). Returns ().

    Sixteen losses are added up one by one, sixteen such sums likewise, and so on; a sum is passed on at rows whose
    number is a multiple of 16, 256, ..., unless the row is ignored.
    """
    levels = np.zeros(_LEVELS, dtype=losses.dtype)
    start = 0
    for row in (np.flatnonzero(~ignored[::_LANES]) * _LANES).tolist():
        levels[0] = _one_by_one(losses[start : row + 1])
        start = row + 1
        for level in range(_LEVELS - 1):
            if row >> 4 * level & 15:
                break
            levels[level + 1] += levels[level]
            levels[level] = 0
    levels[0] += _one_by_one(losses[start:])
    return _one_by_one(levels)


def _one_by_one(values: Floats) -> Floats:
    """The sum over axis 0 in its order, which NumPy's own need not keep."""
    if not len(values):
        return np.zeros(values.shape[1:], dtype=values.dtype)
    summed: Floats = np.add.accumulate(values, axis=0)[-1]
    return summed


def exp(x: Floats) -> Floats:
    """e^x. Any shape."""
    return _rounded(np.exp, x)


def log(x: Floats) -> Floats:
    """The logarithm, -inf of 0. Any shape, x >= 0."""
    return _rounded(np.log, x)


def _sum_of_exponentials(values: Floats, *, last: bool) -> Floats:
    """The sum over axis 0, in the order of PyTorch's softmax. last: whether the classes are the last axis there.

    In single precision another order changes log(sum) by 1e-7, which is all of a log-probability near 0. PyTorch adds
    one class after the other, on a last axis sixteen at a time and those sixteen by halves.
    """
    if values.dtype == np.float64:
        summed: Floats = np.add.reduce(values, axis=0)
        return summed
    if not last or len(values) < _LANES:
        return _one_by_one(values)
    padding = np.zeros((-len(values) % _LANES, *values.shape[1:]), dtype=values.dtype)
    lanes = _one_by_one(np.concatenate([values, padding]).reshape(-1, _LANES, *values.shape[1:]))
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    last_one: Floats = lanes[0]
    return last_one


def log_softmax(logits: Floats, *, last: bool = True) -> Floats:
    """log of softmax over axis 0. logits: (K, n). Returns (K, n), <= 0; nan in rows with +inf or nothing but -inf.

    Source: Bridle 1990; the maximum is taken off before the sum is, as PyTorch does for large logits.
    """
    shifted: Floats = logits - logits.max(axis=0)
    shifted -= log(_sum_of_exponentials(exp(shifted), last=last))
    return shifted


def softmax(logits: Floats, *, last: bool = True) -> Floats:
    """Probabilities proportional to e^logits, over axis 0. logits: (K, n). Source: as `log_softmax`."""
    shares = exp(logits - logits.max(axis=0))
    shares /= _sum_of_exponentials(shares, last=last)
    return shares


def kl_div(log_q: Floats, target: Floats, *, log_target: bool = False) -> Floats:
    """target (log target - log_q), element by element. Both (K, n); log_target: the targets are logarithms.

    Returns (K, n); nan where a target of 0 meets -inf, or is -inf itself. Source: Kullback & Leibler 1951.
    """
    if log_target:
        return exp(target) * (target - log_q)
    values: Floats = weighted(target, log(target)) - target * log_q
    return values


def nll(log_q: Floats, target: Indices, ignored: Mask, weight: Floats | None = None) -> Floats:
    """-weight[target] log_q[target]. log_q: (K, n), target: (n,) in [0, K), ignored: (n,), weight: (K,). Returns (n,).

    An ignored row's loss is 0. Source: the negative log-likelihood, Fisher 1922.
    """
    losses: Floats = -np.take_along_axis(log_q, target[np.newaxis], axis=0)[0]
    if weight is not None:
        losses *= weight[target]
    losses[ignored] = 0
    return losses


def cross_entropy(
    log_q: Floats, target: Indices, ignored: Mask, weight: Floats | None = None, smoothing: float = 0.0
) -> Floats:
    """`nll` of targets that are smoothed: smoothing / K for every class, the rest for the target. Returns (n,).

    Source: Szegedy et al. 2016, "Rethinking the Inception architecture", section 7.
    """
    losses = nll(log_q, target, ignored, weight)
    if smoothing:
        spread = -total(log_q if weight is None else log_q * weight[:, np.newaxis])
        spread[ignored] = 0
        losses = (1 - smoothing) * losses + spread * (smoothing / len(log_q))
    return losses


def soft_cross_entropy(log_q: Floats, target: Floats, weight: Floats | None = None, smoothing: float = 0.0) -> Floats:
    """-sum weight target log_q, the targets probabilities. log_q, target: (K, n), weight: (K,). Returns (n,).

    nan where a target of 0 meets -inf. Source: Cover & Thomas 2.3; smoothing as in `cross_entropy`.
    """
    terms = log_q * smoothed(target, smoothing)
    if weight is not None:
        terms *= weight[:, np.newaxis]
    return -total(terms)


def smoothed(target: Floats, smoothing: float) -> Floats:
    """The targets mixed with the uniform distribution. target: (K, n)."""
    return target * (1 - smoothing) + smoothing / len(target) if smoothing else target


def bce(q: Floats, target: Floats, weight: Floats | None = None, pos_weight: Floats | None = None) -> Floats:
    """-(target log q + (1 - target) log(1 - q)), logarithms at least -100. Any shape, both within [0, 1].

    weight: of each element, pos_weight: of its first term; both of that shape. Source: as `bernoulli_kl`, and PyTorch
    for the clamp.
    """
    for_one = np.maximum(log(q), LEAST_LOG)
    for_none = np.maximum(_rounded(np.log1p, -q), LEAST_LOG)
    if pos_weight is not None:
        for_one *= pos_weight
    losses: Floats = (target - 1) * for_none - target * for_one
    if weight is not None:
        losses *= weight
    return losses


def bce_with_logits(
    logits: Floats, target: Floats, weight: Floats | None = None, pos_weight: Floats | None = None
) -> Floats:
    """`bce` of q = sigmoid(logits), without its clamp. Any shape; nan where 0 meets an infinite logit."""
    log_q = log_sigmoid(logits)
    if pos_weight is not None:
        log_q *= (pos_weight - 1) * target + 1
    losses: Floats = (1 - target) * logits - log_q
    if weight is not None:
        losses *= weight
    return losses


def focal(log_q: Floats, target: Indices, ignored: Mask, alpha: Floats | None = None, gamma: float = 2.0) -> Floats:
    """-alpha[target] (1 - q)^gamma log q of q[target]. As in `nll`, gamma >= 0. Returns (n,).

    Source: Lin et al. 2017, "Focal loss for dense object detection", section 3.2.
    """
    surprise = nll(log_q, target, ignored)
    losses: Floats = (-_rounded(np.expm1, -surprise)) ** np.asarray(gamma, log_q.dtype) * surprise
    if alpha is not None:
        losses *= alpha[target]
    return losses


def sigmoid_focal(logits: Floats, target: Floats, alpha: float, gamma: float = 2.0) -> Floats:
    """alpha_t (1 - p_t)^gamma times `bce_with_logits`, of p_t = sigmoid(logits) of a target of 1. Any shape.

    Of a target of 0 p_t is the rest. alpha_t: alpha and its rest likewise; 1 where alpha is below 0. Source: as
    `focal`, and torchvision's sigmoid_focal_loss for targets between the two.
    """
    one, none = exp(log_sigmoid(logits)), exp(log_sigmoid(-logits))
    missed = none * target + one * (1 - target)
    losses: Floats = bce_with_logits(logits, target) * missed ** np.asarray(gamma, logits.dtype)
    if alpha >= 0:
        losses *= np.asarray(alpha * target + (1 - alpha) * (1 - target), logits.dtype)
    return losses


def js(log_q: Floats, log_p: Floats, beta: float) -> Floats:
    """beta KL(p||m) + (1 - beta) KL(q||m) of m = beta p + (1 - beta) q. Both (K, n), 0 < beta < 1. Returns (n,), >= 0.

    Source: Agarwal et al. 2024, "On-policy distillation of language models", section 2; Lin 1991.
    """
    p, q = exp(log_p), exp(log_q)
    log_m = log(beta * p + (1 - beta) * q)
    terms = beta * weighted(p, log_p - log_m) + (1 - beta) * weighted(q, log_q - log_m)
    return total(np.maximum(terms, 0))  # by the log-sum inequality none is below 0 but by rounding


def kl_samples(log_q: Floats, log_p: Floats) -> tuple[Floats, Floats, Floats]:
    """Schulman's k1, k2 and k3 of KL(p||q) at samples of p: -log r, (log r)^2 / 2, r - 1 - log r of r = q/p. Any shape.

    Source: Schulman 2020, "Approximating KL divergence".
    """
    log_ratio = log_q - log_p
    return -log_ratio, log_ratio**2 / 2, _rounded(np.expm1, log_ratio) - log_ratio


def log_sigmoid(logits: Floats) -> Floats:
    """log(1/(1 + e^-x)), <= 0. Any shape."""
    values: Floats = np.minimum(logits, 0) - _rounded(np.log1p, exp(-np.abs(logits)))
    return values


def log_of_two(q: Floats, *, logits: bool) -> tuple[Floats, Floats]:
    """log q and log(1 - q), of probabilities or of their logits. Any shape."""
    return (log_sigmoid(q), log_sigmoid(-q)) if logits else (log(q), _rounded(np.log1p, -q))


# ------------------------------------------------------------------------------------------ what the losses are made of


def entropy_rows(target: Floats, log_target: Floats) -> Floats:
    """-sum p log p. Both (K, n), target = exp(log_target). Returns (n,), >= 0. Source: Cover & Thomas 2.1."""
    values: Floats = -np.add.reduce(weighted(target, log_target), axis=0)
    return values


def kl_rows(target: Floats, log_target: Floats, log_q: Floats) -> Floats:
    """sum p (log p - log q), +inf where p > 0 = q. All (K, n), target = exp(log_target). Returns (n,).

    Source: Cover & Thomas 2.3. Of the logarithms as they are: where they are no distributions' the sum can be negative.
    """
    held = target > 0
    terms = np.where(held, target * (np.where(held, log_target, 0) - np.where(held, log_q, 0)), 0)
    values: Floats = np.add.reduce(terms, axis=0)
    return values


class Loss(NamedTuple):
    """A loss as one function over arrays. takes: what its first argument is. of_classes: whether classes compete.

    indices, soft: whether its targets can be class indices, or distributions.
    """

    function: Callable[..., Any]
    title: str
    formula: str
    takes: str
    of_classes: bool = True
    indices: bool = False
    soft: bool = False


_BCE = "-(t log q + (1-t) log(1-q))"

LOSSES: Mapping[str, Loss] = {
    "kl-div": Loss(kl_div, "KL divergence", "target (log target - log q)", "logprobs", soft=True),
    "js": Loss(js, "Jensen-Shannon divergence", "B KL(target||m) + (1-B) KL(input||m)", "logprobs", soft=True),
    "cross-entropy": Loss(
        cross_entropy, "cross-entropy", "-log softmax(input)[target]", "logits", indices=True, soft=True
    ),
    "nll": Loss(nll, "negative log-likelihood", "-input[target]", "logprobs", indices=True),
    "focal": Loss(focal, "focal loss", "-(1-q)^gamma log q, q = softmax(input)[target]", "logits", indices=True),
    "focal --binary": Loss(sigmoid_focal, "focal loss", f"alpha_t (1-q_t)^gamma {_BCE}", "logits", of_classes=False),
    "bce": Loss(bce, "binary cross-entropy", _BCE, "probs", of_classes=False),
    "bce-with-logits": Loss(bce_with_logits, "binary cross-entropy", _BCE, "logits", of_classes=False),
    "kl-samples": Loss(
        kl_samples, "KL divergence by samples", "estimate of KL(target||input)", "logprobs", of_classes=False
    ),
}

"""From what was given to weights >= 0: logits, log-probabilities, smoothing. Arrays are (K,), one distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.engine.arrays import Array


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Weights proportional to exp(logits / temperature), the largest 1. logits: (K,), -inf allowed, +inf and NaN not.

    Source: Bridle 1990. Relative error about 1e-16 times the logits' span over the temperature.
    """
    weights: Array = np.exp((logits - logits.max()) / temperature)
    return weights


def logsumexp(logits: Array) -> float:
    """log(sum(exp(logits))), without overflow. logits: (K,), finite or -inf, not all -inf."""
    peak = logits.max()
    return float(peak + np.log(np.exp(logits - peak).sum()))


def mass(weights: Array) -> Array:
    """The weights divided by their sum. weights: (K,), finite, >= 0, not all zero; their sum may overflow."""
    scaled = np.ldexp(weights, -int(np.frexp(weights.max())[1]))
    shares: Array = scaled / scaled.sum()
    return shares


def shrinkage_rate(counts: Array) -> float:
    """The James-Stein rate towards the uniform distribution, in [0, 1]. counts: (K,).

    Source: Hausser & Strimmer 2009, "Entropy inference and the James-Stein estimator".
    """
    p = mass(counts)
    spread = float(((1 / len(p) - p) ** 2).sum()) * (float(counts.sum()) - 1)
    if spread <= 0:
        return 1.0
    return min(1.0, max(0.0, (1 - float((p * p).sum())) / spread))


class Smoother(NamedTuple):
    """A smoothing method.

    apply(weights, p, value): the new weights, all (K,); p are the weights divided by their sum. takes: what the value
    is called, None where there is none to give; it lies within [0, most].
    """

    apply: Callable[[Array, Array, float], Array]
    takes: str | None
    most: float
    source: str


def _mix(p: Array, rate: float) -> Array:
    return (1 - rate) * p + rate / len(p)


SMOOTHERS: Mapping[str, Smoother] = {
    "add": Smoother(lambda w, _, alpha: w + alpha, "ALPHA", np.inf, "Lidstone 1920"),
    "laplace": Smoother(lambda w, *_: w + 1.0, None, 0, "Laplace 1814"),
    "jeffreys": Smoother(lambda w, *_: w + 0.5, None, 0, "Krichevsky & Trofimov 1981"),
    "perks": Smoother(lambda w, *_: w + 1 / len(w), None, 0, "Perks 1947"),
    "mix": Smoother(lambda _, p, rate: _mix(p, rate), "LAMBDA", 1, "Jelinek & Mercer 1980"),
    "floor": Smoother(lambda _, p, least: np.maximum(p, least), "EPS", 1, "Chen & Goodman 1999"),
    "shrink": Smoother(lambda w, p, _: _mix(p, shrinkage_rate(w)), None, 0, "Hausser & Strimmer 2009"),
}

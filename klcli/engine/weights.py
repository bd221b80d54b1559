"""From what was given to weights >= 0: logits, log-probabilities, smoothing.

Arrays are (K,), one distribution, or (K, n), a column each; what is said of one holds for every column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.engine.arrays import Array


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """exp(logits / temperature) over their sum. logits: -inf allowed, +inf and NaN not, nor all -inf.

    Source: Bridle 1990. Relative error about 1e-16 times the logits' span over the temperature.
    """
    weights = _exponentials(logits, temperature)
    weights /= weights.sum(axis=0)
    return weights


def _exponentials(logits: Array, temperature: float = 1.0) -> Array:
    """exp(logits / temperature) over the largest of them."""
    with np.errstate(over="ignore"):  # a logit further below the largest than a double reaches: its weight is 0
        weights = logits - logits.max(axis=0)
        if temperature != 1:
            weights /= temperature
    exponentials: Array = np.exp(weights, out=weights)
    return exponentials


def logsumexp(logits: Array) -> Array:
    """log(sum(exp(logits))), without overflow. logits: finite or -inf, not all -inf. Returns () or (n,)."""
    whole: Array = logits.max(axis=0) + np.log(_exponentials(logits).sum(axis=0))
    return whole


def mass(weights: Array) -> Array:
    """The weights divided by their sum. weights: finite, >= 0, not all zero; their sum may overflow."""
    scaled = np.ldexp(weights, -np.frexp(weights.max(axis=0))[1])
    shares: Array = scaled / scaled.sum(axis=0)
    return shares


def share_of(weights: Array, where: Sequence[int]) -> float:
    """The share of the whole that the listed weights are, in [0, 1]. weights: (K,), as for `mass`."""
    with np.errstate(over="ignore"):
        whole = weights.sum()
    return float(weights[where].sum() / whole if np.isfinite(whole) else mass(weights)[where].sum())


def shrinkage_rate(counts: Array) -> Array:
    """The James-Stein rate towards the uniform distribution, in [0, 1]. Returns () or (n,).

    Source: Hausser & Strimmer 2009, "Entropy inference and the James-Stein estimator".
    """
    p = mass(counts)
    spread = ((1 / len(p) - p) ** 2).sum(axis=0) * (counts.sum(axis=0) - 1)
    # 1 - sum p^2, without the cancellation that one large p brings.
    largest = np.expand_dims(p.argmax(axis=0), 0)
    others = p.copy()
    np.put_along_axis(others, largest, 0.0, axis=0)
    variety = p.max(axis=0) * others.sum(axis=0) + (others * (1 - others)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate: Array = np.where(spread > 0, np.clip(variety / spread, 0.0, 1.0), 1.0)
    return rate


class Smoother(NamedTuple):
    """A smoothing method.

    apply(w, value): the new weights, (K,). of_mass: w are the weights divided by their sum, else as they are. takes:
    what the value is called, None where there is none to give; it lies within [0, most].
    """

    apply: Callable[[Array, float], Array]
    source: str
    of_mass: bool = False
    takes: str | None = None
    most: float = 0.0


def _mix(p: Array, rate: float | Array) -> Array:
    return (1 - rate) * p + rate / len(p)


SMOOTHERS: Mapping[str, Smoother] = {
    "add": Smoother(lambda w, alpha: w + alpha, "Lidstone 1920", takes="ALPHA", most=np.inf),
    "laplace": Smoother(lambda w, _: w + 1.0, "Laplace 1814"),
    "jeffreys": Smoother(lambda w, _: w + 0.5, "Krichevsky & Trofimov 1981"),
    "perks": Smoother(lambda w, _: w + 1 / len(w), "Perks 1947"),
    "mix": Smoother(_mix, "Jelinek & Mercer 1980", of_mass=True, takes="LAMBDA", most=1.0),
    "floor": Smoother(np.maximum, "Chen & Goodman 1999", of_mass=True, takes="EPS", most=1.0),
    "shrink": Smoother(lambda w, _: _mix(mass(w), shrinkage_rate(w)), "Hausser & Strimmer 2009"),
}

"""The Python API: arrays in, arrays out, any number of leading axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.engine.measures import MEASURES, SIX
from klcli.engine.score import score
from klcli.errors import DistributionError, UsageError, clipped, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float64]


def measures(
    p: npt.ArrayLike, q: npt.ArrayLike, names: Sequence[str] = SIX, *, axis: int = -1, alpha: float = 2.0
) -> dict[str, Array]:
    """The named measures of every pair of distributions, in nats, within 1e-13 relative of exact arithmetic.

    p, q: weights >= 0, outcomes on `axis`, the other axes broadcast; each distribution is divided by its sum. alpha:
    order of the Renyi divergence, >= 0. Returns name -> array of the other axes, >= 0, +inf where an outcome of p has
    no mass in q.

    Raises (from `klcli.errors`): UsageError for a name that is no measure or an order that is none, DistributionError
    for weights that are no distribution or shapes that do not match. What is no array of numbers, or has no such axis,
    raises NumPy's ValueError.

    Source: `klcli.engine.measures.MEASURES` names each measure's.

    >>> {name: float(value.round(4)) for name, value in measures([2, 3], [3, 7], ["kl_pq", "total_variation"]).items()}
    {'kl_pq': 0.0226, 'total_variation': 0.1}
    """
    names = [names] if isinstance(names, str) else list(names)
    unknown = next((name for name in names if name not in MEASURES), None)
    if unknown is not None:
        message = f"no measure {clipped(unknown)}.{nearest(unknown, MEASURES)}"
        raise UsageError(message)
    if not alpha >= 0:
        message = f"alpha is {alpha!r}; an order is >= 0"
        raise UsageError(message)
    a, b = (np.moveaxis(np.atleast_1d(np.asarray(x, dtype=np.float64)), axis, -1) for x in (p, q))
    if a.shape[-1] != b.shape[-1]:
        message = f"p has {a.shape[-1]} outcomes, q has {b.shape[-1]}"
        raise DistributionError(message)
    try:
        a, b = np.broadcast_arrays(a, b)
    except ValueError:
        message = f"the other axes' shapes {a.shape[:-1]} and {b.shape[:-1]} do not broadcast"
        raise DistributionError(message) from None
    for side, weights in (("p", a), ("q", b)):
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any(axis=-1).all()):
            message = f"{side}: every weight must be finite and >= 0, and each distribution have one above 0"
            raise DistributionError(message)
    x, y = (weights.reshape(-1, weights.shape[-1]).T for weights in (a, b))
    found = score(x, y, names, alpha=alpha)
    return {name: value.reshape(a.shape[:-1]) for name, value in found.items()}


def kl_divergence(p: npt.ArrayLike, q: npt.ArrayLike, *, axis: int = -1) -> Array:
    """KL(P||Q) in nats. p, q: weights, see `measures`. Returns the other axes' shape, >= 0, possibly +inf.

    Source: Cover & Thomas 2.3.

    >>> float(kl_divergence([1, 0], [1, 1]))
    0.6931471805599453
    """
    return measures(p, q, ["kl_pq"], axis=axis)["kl_pq"]


def entropy(p: npt.ArrayLike, *, axis: int = -1) -> Array:
    """Shannon entropy in nats. p: weights, see `measures`. Returns the other axes' shape, in [0, log K].

    Source: Cover & Thomas 2.1.

    >>> float(entropy([1, 1, 0]))
    0.6931471805599453
    """
    return measures(p, p, ["entropy_p"], axis=axis)["entropy_p"]

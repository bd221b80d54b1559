"""KL at points that stay: as smooth in a member's parameters as its density is, which a search for a minimum needs.

Panels are as `quadrature` begins with, none is halved: a value takes a tenth of the time. It is not reported.
"""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.numeric.panels import FAR, method_at, pieces
from klcli.families.numeric.quadrature import kronrod_rule
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from klcli.engine.arrays import Array
    from klcli.families.family import Continuous
    from klcli.families.law import Law

_LEAST = 1e-100
"""Mass whose logarithms decide nothing, though where a point underflows to an end they may be infinite."""
_MISSED = 0.01
"""Of a model's mass: beyond it points are too far apart for it."""


class _Part(NamedTuple):
    """Points that take one method for log densities. log_p: with the log of the point's weight added."""

    method: str
    at: Array
    log_weight: Array
    log_p: Array

    def logs(self, q: Continuous) -> Array:
        """The log densities of another, -inf where they overflow, with the log of the point's weight added."""
        logs = getattr(q, self.method)(self.at) + self.log_weight
        return np.where(np.isnan(logs), -inf, logs)


class FixedNodes:
    """Gauss and Kronrod's points, in panels that fit some laws, with the log densities of the first."""

    def __init__(
        self, laws: Sequence[Law], within: tuple[float, float] = (-inf, inf), steep: Iterable[float] = ()
    ) -> None:
        points, weights, _ = kronrod_rule()
        gathered: dict[str, list[tuple[Array, Array]]] = {}
        for piece in pieces(laws, within, steep):
            low, high = np.array(piece.edges).T
            half = ((high - low) / 2)[:, None]
            u = ((low[:, None] + half) + half * points).ravel()
            method, at = method_at(piece, u)
            log_weight = np.log((half * weights).ravel()) + (u if piece.side else 0.0)
            gathered.setdefault(method, []).append((at + piece.shift, log_weight))
        self._parts = []
        for method, several in gathered.items():
            at, log_weight = (np.concatenate(arrays) for arrays in zip(*several, strict=True))
            self._parts.append(_Part(method, at, log_weight, getattr(laws[0], method)(at) + log_weight))

    def kl_to(self, q: Continuous) -> float:
        """KL(P||Q), whose points need to fit P alone."""
        total = 0.0
        for part in self._parts:
            log_q = part.logs(q)
            total += _weighted(part.log_p, part.log_p - log_q)
        return inf if isnan(total) else total

    def kl_from(self, q: Continuous) -> float:
        """KL(Q||P), which needs points that fit both; inf where they miss some of Q."""
        total = mass = 0.0
        for part in self._parts:
            log_q = part.logs(q)
            total += _weighted(log_q, log_q - part.log_p)
            mass += float(np.exp(log_q).sum())
        return total - mass + 1 if abs(mass - 1) < _MISSED and not isnan(total) else inf

    def masses(self) -> tuple[Array, Array, Array]:
        """Points (n,), rising, the mass of P that each stands for, in all 1, and P's log density there."""
        places = np.concatenate([_PLACES[part.method](part.at) for part in self._parts])
        logs = np.concatenate([part.log_p for part in self._parts])
        densities = logs - np.concatenate([part.log_weight for part in self._parts])
        x, first, which = np.unique(places, return_index=True, return_inverse=True)
        mass = np.bincount(which, np.exp(logs))
        held = mass > 0
        return x[held], mass[held] / mass.sum(), densities[first][held]


_PLACES: Mapping[str, Callable[[Array], Array]] = {
    "log_density": lambda x: x,
    "log_density_above_0": lambda t: np.maximum(np.exp(np.minimum(t, FAR)), 1e-300),
    "log_density_below_1": lambda t: np.minimum(1 - np.exp(t), 1 - 2.0**-53),
}
"""Points by what takes them; the nearest doubles stand for those that are nearer to a steep end."""


def _weighted(logs: Array, values: Array) -> float:
    """The sum of values weighted by the exponentials of some logs."""
    weights = np.exp(logs)
    return float(np.where(weights > _LEAST, weights * values, 0.0).sum())

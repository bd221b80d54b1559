"""`klcli fit --to`: the members of families that are nearest to a known distribution, by forward or by reverse KL.

Forward, least KL(P||Q), seeks the mean and has mostly one optimum; reverse, least KL(Q||P), seeks a mode, of which
there may be several. Every local minimum that is reached from many fixed starts is reported; saddles are none.
"""

from __future__ import annotations

from functools import cached_property
from math import nan
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.projection.search import local_optima, numbers
from klcli.analyses.projection.targets import CountPoints, Density, Weights
from klcli.errors import DistributionError, UsageError, nearest
from klcli.families import grid as grids
from klcli.families.catalogue import CONTINUOUS, CONTINUOUS_FAMILIES, COUNT_FAMILIES, FAMILIES, FITTED, VECTORS
from klcli.families.family import scipy
from klcli.families.formula import Component
from klcli.fits import BOTH, FORWARD, REVERSE, Fit, FitReport, WeightsOnGrid
from klcli.model import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.analyses.projection.search import Found
    from klcli.analyses.projection.targets import Member, Target
    from klcli.families.formula import Formula

_NOTHING = 1e-11
"""Of a distribution's width, what rounding leaves of a location at 0."""


def project(target: Formula | WeightsOnGrid, families: Sequence[str] | None, direction: str = BOTH) -> FitReport:
    """All local optima of each family, forward first, then reverse, in each direction the best first.

    families: None for all that are of the target's kind and hold no other.

    Raises UsageError for an unknown family or direction, for a distribution of vectors, and without SciPy;
    DistributionError for weights that are none, and for counts that are too many to sum.
    """
    if families is None:
        suiting = CONTINUOUS_FAMILIES if target.kind == CONTINUOUS else COUNT_FAMILIES
        families = [name for name in suiting if not FAMILIES[name].nests]
    for family in families:
        if family not in FITTED:
            message = f"'{family}' is no family to project onto: {', '.join(FITTED)}.{nearest(family, FITTED)}"
            raise UsageError(message)
        if inner := FAMILIES[family].nests:
            message = f"{family} is not projected: KL is flat in its parameters where it is a {inner}; fit it to data"
            raise UsageError(message)
    if direction not in {FORWARD, REVERSE, BOTH}:
        message = f"no direction '{direction}'; there are {FORWARD}, {REVERSE} and {BOTH}"
        raise UsageError(message)
    scipy("special", "a projection")
    fits: list[Fit] = []
    left_out: dict[str, str] = {}
    notes: list[str] = []
    with np.errstate(all="ignore"):
        targets = _Targets(target)
        for way in (FORWARD, REVERSE) if direction == BOTH else (direction,):
            here: list[Fit] = []
            for family in dict.fromkeys(families):
                found, excuse = _projected(targets, family, way)
                here += found
                if excuse and excuse not in left_out.get(family, ""):
                    left_out[family] = "; ".join(filter(None, (left_out.get(family), excuse)))
                if len(found) > 1:
                    notes.append(_several(found, way))
            fits += sorted(here, key=_order)
    return FitReport(
        fits=tuple(fits),
        sample=None,
        histogram=None,
        target=None if isinstance(target, WeightsOnGrid) else target,
        n=nan,
        left_out=left_out,
        notes=(*targets.notes, *notes),
    )


class _Targets:
    """The target as families of either kind see it, or why they do not, each when one asks. notes: on how it is taken.

    Raises UsageError for a distribution of vectors, DistributionError for weights that are none.
    """

    def __init__(self, target: Formula | WeightsOnGrid) -> None:
        if not isinstance(target, WeightsOnGrid) and target.kind == VECTORS:
            message = f"{target.text}: a distribution of vectors has no projection here"
            raise UsageError(message)
        if not isinstance(target, WeightsOnGrid) and target.grid is not None:
            target = WeightsOnGrid(target.text, grids.points(target.grid), grids.weights(target, "--to"))
        self._target = _checked(target) if isinstance(target, WeightsOnGrid) else target
        self.notes: list[str] = []

    @cached_property
    def as_counts(self) -> Target | str:
        """Masses of whole numbers."""
        if not isinstance(self._target, WeightsOnGrid):
            density = self._target.kind == CONTINUOUS
            return "a family of counts, and the target is a density" if density else CountPoints.of(self._target)
        points, weights = self._target.points, self._target.weights
        whole = bool((points == np.floor(points)).all())
        return CountPoints(points, weights) if whole else "a family of counts, and the target's points are not whole"

    @cached_property
    def as_density(self) -> Target | str:
        """A density, or the weights that one left on points."""
        if not isinstance(self._target, WeightsOnGrid):
            density = self._target.kind == CONTINUOUS
            return Density(self._target) if density else "a density, and the target is counts"
        points, weights = self._target.points, self._target.weights
        if len(points) < 3:  # noqa: PLR2004 - a density has no width on fewer
            return "a density needs a grid of three points"
        gaps = np.diff(points)
        times = "" if np.ptp(gaps) <= 1e-6 * gaps.max() else " times the width of each point's cell"
        self.notes.append(
            f"the target is weights on {len(points)} points: densities are taken there{times} and divided by their sum"
        )
        return Weights(points, weights)


def _checked(grid: WeightsOnGrid) -> WeightsOnGrid:
    points, weights = frozen(grid.points), frozen(grid.weights)
    problem = ""
    if points.shape != weights.shape or points.ndim != 1:
        problem = f"{points.size} points, and {weights.size} weights"
    elif not (np.isfinite(points).all() and (np.diff(points) > 0).all()):
        problem = "the points must be finite and rise"
    elif not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
        problem = "the weights must be finite, none negative, not all 0"
    if problem:
        message = f"{grid.source}: {problem}"
        raise DistributionError(message)
    return WeightsOnGrid(grid.source, points, weights)


def _projected(targets: _Targets, family: str, direction: str) -> tuple[list[Fit], str]:
    """One family's fits, the best first, or why there are none."""
    target = targets.as_counts if family in COUNT_FAMILIES else targets.as_density
    if isinstance(target, str):
        return [], target
    if excuse := target.excuse(family, direction):
        return [], excuse
    name = "KL(P||Q)" if direction == FORWARD else "KL(Q||P)"
    fits = [_fit(target, one, direction) for one in local_optima(target, family, direction)]
    fits = sorted((fit for fit in fits if np.isfinite(_least(fit))), key=_order)
    return fits, "" if fits else f"no least {name} was found: it is infinite from every start, or flat"


def _fit(target: Target, found: Found, direction: str) -> Fit:
    member = _rounded(found.member)
    there, back = target.exact(member)
    return Fit(
        component=Component(member.name, member.values),
        standard_errors={},
        kl_data_model=max(there[0], 0.0),
        kl_model_data=max(back[0], 0.0),
        log_likelihood=nan,
        aic=nan,
        bic=nan,
        ks=nan,
        direction=direction,
        error=there[1] if direction == FORWARD else back[1],
        remarks=found.remarks,
    )


def _rounded(member: Member) -> Member:
    """A location that is 0 but for rounding is 0."""
    located = {one.name for one in member.parameters if one.located}
    values = member.values.items()
    return type(member)(
        **{
            name: 0.0 if name in located and abs(value) <= _NOTHING * member.unit[1] else value
            for name, value in values
        }
    )


def _least(fit: Fit) -> float:
    return fit.kl_data_model if fit.direction == FORWARD else fit.kl_model_data


def _order(fit: Fit) -> tuple[float, tuple[float, ...]]:
    """By KL; what ties but for rounding by its parameters."""
    size = float(f"{_least(fit):.8e}") if _least(fit) > 1e-12 else 0.0  # noqa: PLR2004 - 0
    return size, numbers(fit.component.member)


def _several(fits: Sequence[Fit], direction: str) -> str:
    best = _least(fits[0])
    tied = sum(_least(fit) - best <= 1e-9 * max(best, 1e-3) for fit in fits)
    how = "it seeks a mode, and the start decides which" if direction == REVERSE else "the start decides which"
    tie = f"; the best {tied} tie" if tied > 1 else ""
    return f"{len(fits)} distinct optima of {direction} KL onto {fits[0].component.family}: {how}{tie}"

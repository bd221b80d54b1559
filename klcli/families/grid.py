"""The weights of a formula: its density at the points of its grid, or its masses. Without SciPy."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import DistributionError, clipped
from klcli.families.catalogue import CONTINUOUS, FINITE, VECTORS
from klcli.families.law import Law

if TYPE_CHECKING:
    from klcli.engine.arrays import Array
    from klcli.families.formula import Component, Formula, Grid

_SHORT = 60
"""Formulas up to here are repeated in full in what to type instead."""

_GREATEST_POWER = 22
"""10**22 is the greatest power of 10 that is a double."""


def points(grid: Grid) -> Array:
    """START, START + STEP, ... below STOP, none twice a rounding away from it."""
    steps = np.arange(max(1, ceil((grid.stop - grid.start) / grid.step - 1e-9)))
    if decimal := _as_whole_numbers(grid):
        start, step, unit = decimal
        # The doubles nearest to the decimals: 0, where a density may begin, is then not missed by 1e-16.
        return np.asarray((start + steps * step) / unit)
    return np.asarray(grid.start + steps * grid.step)


def _as_whole_numbers(grid: Grid) -> tuple[int, int, int] | None:
    """START, STEP and a power of 10 that both are divided by, where that is exact for all points in doubles."""
    decimals = [Decimal(repr(value)) for value in grid]
    places = max(0, *(-int(value.as_tuple().exponent) for value in decimals))
    if places > _GREATEST_POWER or max(map(abs, grid)) * 10.0**places > 2**52:
        return None
    start, _, step = (int(value.scaleb(places)) for value in decimals)
    return start, step, 10**places


def weights(formula: Formula, role: str = "") -> Array:
    """The density or the masses at the points of the grid; without one, the masses of finitely many outcomes.

    Raises DistributionError where there is neither, or the density is infinite at a point. Needs only NumPy.
    """
    named = f"{role}: " if role else ""
    if formula.grid is None and formula.kind != FINITE:
        message = f"{named}{without_grid(formula)}"
        raise DistributionError(message)
    if formula.grid is None:
        return _masses(formula)
    at = points(formula.grid)
    try:
        with np.errstate(all="ignore"):
            values: Array = np.exp(Law(formula).log_density(at))
    except OverflowError:  # of the standard library's logarithm of Gamma
        values = np.full(at.shape, np.nan)
    failing = np.flatnonzero(~np.isfinite(values))
    if len(failing):
        raise _no_density(formula, formula.grid, named, float(at[failing[0]]))
    return values


def _no_density(formula: Formula, grid: Grid, named: str, at: float) -> DistributionError:
    """The error for a point where the density is infinite, or not to be computed."""
    if not any(_is_infinite(one, at) for one in formula.components):
        message = f"{named}the density at {at:.12g} is beyond what doubles can hold; take less extreme parameters"
    else:
        beside = grid._replace(start=grid.start + grid.step / 2)
        message = f"{named}the density is infinite at {at:.12g}; move the grid by half a STEP, as {_shown(beside)}"
    return DistributionError(message).pointing(formula.text, formula.text.rfind("@"))


def _is_infinite(component: Component, at: float) -> bool:
    try:
        with np.errstate(all="ignore"):
            return bool(component.member.log_density(np.array(at)) == inf)
    except OverflowError:
        return False


def _masses(formula: Formula) -> Array:
    """The masses of components that have finitely many outcomes each: as given, where a logarithm would round them."""
    each = [np.array(one.member.masses()) for one in formula.components]
    masses: Array = np.zeros(max(map(len, each)))
    for one, p in zip(formula.components, each, strict=True):
        masses[: len(p)] += one.weight * p
    return masses


def _shown(grid: Grid) -> str:
    return f"@{grid.start:.12g}:{grid.stop:.12g}:{grid.step:.12g}"


def without_grid(formula: Formula) -> str:
    """What is wrong with a formula that gives no weights, and what to do."""
    if formula.kind == VECTORS:
        return f"{clipped(formula.text)} is a density of vectors, not weights; give the other one as a formula too"
    end = " without end" if formula.components[0].member.support[1] == inf else ""
    is_what = "a density" if formula.kind == CONTINUOUS else f"masses on 0, 1, 2, ...{end}"
    text = formula.text if formula.text.isprintable() and len(formula.text) <= _SHORT else ""
    grid = _shown(formula.components[0].member.grid())
    return f"{text or clipped(formula.text)} is {is_what}, not weights; put it on a grid, as {text}{grid}"

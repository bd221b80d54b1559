"""What a formula says: families with their parameters, their weights in a mixture, and a grid. Needs no NumPy."""

from __future__ import annotations

from math import fsum, inf, isfinite
from typing import TYPE_CHECKING

from klcli.families.catalogue import FAMILIES
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from klcli.families.family import Family

    Value = float | tuple[float, ...] | tuple[tuple[float, ...], ...]


SUM_TOLERANCE = 1e-9
"""A sum this near to 1 is 1: more would be a difference, not the rounding of decimals."""


class Parameter(NamedTuple):
    """A number, or numbers, that a family takes. It lies in (low, high), or at a bound that is `closed`.

    shape: 'number', 'whole' (a whole number), 'vector', 'matrix'. default: None where it must be given.
    located: it moves with the unit and the origin of the data, as a mean does.
    searched: the bounds between which an optimum is looked for; beyond, the family is another one's limit.
    """

    name: str
    low: float = -inf
    high: float = inf
    closed: tuple[bool, bool] = (False, False)
    shape: str = "number"
    default: float | None = None
    located: bool = False
    searched: tuple[float, float] | None = None

    def allows(self, value: float) -> bool:
        """Whether a number is in range."""
        return (
            isfinite(value)
            and (value > self.low or (value == self.low and self.closed[0]))
            and (value < self.high or (value == self.high and self.closed[1]))
            and (self.shape != "whole" or value.is_integer())
        )


class ParameterError(ValueError):
    """Parameters that are each in range and yet make no distribution together.

    parameter: which one the error is about. at: the place within its lists, () for all of it.
    """

    def __init__(self, message: str, parameter: str = "", at: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.parameter, self.at = parameter, at


def shares(values: Sequence[float], parameter: str = "") -> tuple[tuple[float, ...], float]:
    """The values divided by their sum, and the sum. Raises ParameterError where doubles cannot hold these."""
    try:
        total = fsum(values)
    except OverflowError:
        total = inf
    found = tuple(value / total for value in values)
    if not isfinite(total) or any(share == 0 < value for share, value in zip(found, values, strict=True)):
        message = "these weights lie too far apart to be divided by their sum, or it is infinite"
        raise ParameterError(message, parameter)
    return found, total


class Component(NamedTuple):
    """A family with its parameters, complete and valid, and its weight in a mixture."""

    family: str
    parameters: Mapping[str, Value]
    weight: float = 1.0

    @property
    def member(self) -> Family:
        """The family's member with these parameters, to compute with."""
        return FAMILIES[self.family](**self.parameters)


class Grid(NamedTuple):
    """The points start, start + step, ... below stop."""

    start: float
    stop: float
    step: float


class Formula(NamedTuple):
    """A distribution given by a formula. components: one, or those of a mixture, whose weights sum to 1.

    text: as typed. grid: where it is made weights of; None: it is a density, or masses.
    """

    text: str
    components: tuple[Component, ...]
    grid: Grid | None = None
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of all the components."""
        return FAMILIES[self.components[0].family].kind

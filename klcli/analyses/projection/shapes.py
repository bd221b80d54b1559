"""Families to project onto: coordinates without bounds, and members of a given mean and spread."""

from __future__ import annotations

from math import exp, inf, log
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from klcli.families.catalogue import COUNT_FAMILIES, FAMILIES
from klcli.families.family import Positive
from klcli.families.formula import ParameterError

if TYPE_CHECKING:
    from klcli.families.family import Continuous, Family, Parameters
    from klcli.model import Array

    Member = Any
    """A member of a family: a Continuous where P is a density, else a Counts."""


class Place(NamedTuple):
    """Where a start lies, and how wide it is."""

    mean: float
    sd: float


class Coordinates:
    """A family's parameters as numbers without bounds, near a member: logs, logits, locations in units of its width.

    Locations (but a lognormal's, of the logarithm) and a uniform distribution's ends may not leave `within`.
    """

    def __init__(self, start: Family, within: tuple[float, float]) -> None:
        self._family, self._within = type(start), within
        self._place = Place(*start.unit)
        self._parameters = [one for one in start.parameters if one.shape == "number"]

    def _located(self, value: float) -> float:
        return (value - self._place.mean) / self._place.sd

    def z(self, member: Family) -> Array:
        """Of a member."""
        values = []
        for one in self._parameters:
            value = float(member.values[one.name])
            if one.low == -inf:
                values.append(self._located(value) if one.located else value)
            else:
                values.append(log(value) if one.high == inf else log(value) - np.log1p(-value))
        return np.array(values)

    def member(self, z: Array) -> Member:
        """The member there."""
        parameters = {}
        for one, value in zip(self._parameters, z.tolist(), strict=True):
            if one.low == -inf:
                parameters[one.name] = self._place.mean + self._place.sd * value if one.located else value
            elif one.high == inf:
                parameters[one.name] = exp(min(max(value, -700.0), 700.0))
            else:
                parameters[one.name] = 1 / (1 + exp(min(max(-value, -30.0), 700.0)))
        return self._family(**_clamped(self._family, parameters, self._within))

    def bounds(self) -> tuple[Array, Array]:
        """The least and the greatest of each coordinate."""
        ends = [one.searched or ((-700.0, 700.0) if one.low == 0 else (-inf, inf)) for one in self._parameters]
        if not issubclass(self._family, Positive):
            held = (self._located(self._within[0]), self._located(self._within[1]))
            ends = [held if one.located else end for one, end in zip(self._parameters, ends, strict=True)]
        return np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def densities(family: str) -> type[Continuous]:
    """The class of a family of densities."""
    return cast("type[Continuous]", FAMILIES[family])


def ends_of(family: type[Family]) -> tuple[str, ...]:
    """The parameters of a family that are ends of its support."""
    return getattr(family, "ends", ())


def member_near(family: str, place: Place, within: tuple[float, float]) -> Member | None:
    """A member with about that mean and standard deviation, None where there is none. within: where ends must stay."""
    m, s = place
    found = FAMILIES[family]
    if family in COUNT_FAMILIES or issubclass(found, Positive):
        m = max(m, 0.05 * s)
    parameters = _clamped(found, found.near(m, s), within)
    return found(**parameters) if is_member(found, parameters) else None


def is_member(family: type[Family], parameters: Parameters) -> bool:
    """Whether the family has a member with these parameters."""
    try:
        family.checked(parameters)
    except ParameterError:
        return False
    return all(one.allows(parameters[one.name]) for one in family.parameters)


def _clamped(family: type[Family], parameters: Parameters, within: tuple[float, float]) -> Parameters:
    """With exactly the ends of what its support must not leave."""
    ends = ends_of(family)
    return {name: min(max(v, within[0]), within[1]) if name in ends else v for name, v in parameters.items()}

"""A fitted component as text: its parameters, its errors, the formula that gives it."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any

from klcli.families.catalogue import FAMILIES
from klcli.families.family import LocationScale

if TYPE_CHECKING:
    from klcli.families.formula import Component

_ROUNDING = 1e-9
"""Of a distribution's width, what an optimiser leaves of a 0."""


def parameters(component: Component) -> dict[str, Any]:
    """The parameters, as whole numbers where they are some: numbers, or nested tuples of some."""
    whole = {parameter.name for parameter in FAMILIES[component.family].parameters if parameter.shape == "whole"}
    return {
        name: int(value) if name in whole and isinstance(value, float) and not isinf(value) else value
        for name, value in component.parameters.items()
    }


def for_people(component: Component) -> dict[str, Any]:
    """The parameters as they are shown: a mu that differs from 0 by rounding alone is 0."""
    values = parameters(component)
    member = component.member
    if isinstance(member, LocationScale) and abs(member.mu) <= _ROUNDING * member.scale:
        values["mu"] = 0.0
    return values


def formula(component: Component) -> str:
    """The component as it can be given as an argument, its numbers in full."""
    values = parameters(component)
    if FAMILIES[component.family].spread:
        (only,) = values.values()
        return f"{component.family}({','.join(map(in_full, only if isinstance(only, tuple) else (only,)))})"
    return f"{component.family}({','.join(f'{name}={in_full(value)}' for name, value in values.items())})"


def in_full(value: Any) -> str:  # noqa: ANN401 - a number, or nested tuples of some
    """A parameter with all its digits."""
    if isinstance(value, tuple):
        return f"[{','.join(map(in_full, value))}]"
    return str(value) if isinstance(value, int) else repr(float(value))

"""Families to project onto: coordinates without bounds, members of a given mean and spread, and what cannot be near."""

from __future__ import annotations

from math import exp, gamma, inf, log, pi, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from klcli.parametric import catalogue
from klcli.parametric.catalogue import CONTINUOUS, COUNTS, FAMILIES, Component

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.model import Array

CONTINUOUS_FAMILIES = tuple(name for name, family in FAMILIES.items() if family.kind == CONTINUOUS)
COUNT_FAMILIES = (*(name for name, family in FAMILIES.items() if family.kind == COUNTS), "bernoulli")
POSITIVE = catalogue.POSITIVE
BOUNDS = {"df": (log(0.05), log(1e5)), "r": (log(1e-4), log(1e5))}
"""Beyond them a Student t is a normal, a negative binomial a Poisson distribution, to 1e-5."""


class Place(NamedTuple):
    """Where a start lies, and how wide it is."""

    mean: float
    sd: float


class Coordinates:
    """A family's parameters as numbers without bounds, near a member: logs, logits, locations in units of its width.

    Locations (but a lognormal's, of the logarithm) and a uniform distribution's ends may not leave `within`.
    """

    def __init__(self, start: Component, within: tuple[float, float]) -> None:
        self.family, self._within = start.family, within
        p: Mapping[str, Any] = start.parameters
        if self.family == "uniform":
            self._place = Place((p["low"] + p["high"]) / 2, p["high"] - p["low"])
        else:
            self._place = Place(p.get("mu", 0.0), p.get("scale", p.get("sd", 1.0)))
        self._parameters = [one for one in FAMILIES[self.family].parameters if one.shape == "number"]

    def _located(self, value: float) -> float:
        return (value - self._place.mean) / self._place.sd

    def z(self, component: Component) -> Array:
        """Of a member."""
        values = []
        for one in self._parameters:
            value = float(component.parameters[one.name])  # type: ignore[arg-type]
            if one.low == -inf:
                values.append(self._located(value))
            else:
                values.append(log(value) if one.high == inf else log(value) - np.log1p(-value))
        return np.array(values)

    def component(self, z: Array) -> Component:
        """The member there."""
        parameters = {}
        for one, value in zip(self._parameters, z.tolist(), strict=True):
            if one.low == -inf:
                parameters[one.name] = self._place.mean + self._place.sd * value
            elif one.high == inf:
                parameters[one.name] = exp(min(max(value, -700.0), 700.0))
            else:
                parameters[one.name] = 1 / (1 + exp(min(max(-value, -30.0), 700.0)))
        if self.family == "uniform":  # exactly the ends of what it must not leave
            low, high = self._within
            parameters = {"low": max(parameters["low"], low), "high": min(parameters["high"], high)}
        return Component(self.family, parameters)

    def bounds(self) -> tuple[Array, Array]:
        """The least and the greatest of each coordinate."""
        ends = [(-700.0, 700.0) if p.low == 0 else (-inf, inf) for p in self._parameters]
        ends = [BOUNDS.get(p.name, end) for p, end in zip(self._parameters, ends, strict=True)]
        if self.family != "lognormal":
            held = (self._located(self._within[0]), self._located(self._within[1]))
            ends = [held if p.low == -inf else end for p, end in zip(self._parameters, ends, strict=True)]
        return np.array([low for low, _ in ends]), np.array([high for _, high in ends])


def members(family: str, place: Place, within: tuple[float, float]) -> list[Component]:
    """Members with about that mean and standard deviation. within: where a uniform one must stay."""
    m, s = place
    if family == "uniform":
        low, high = max(m - sqrt(3) * s, within[0]), min(m + sqrt(3) * s, within[1])
        return [Component(family, {"low": low, "high": high})] if low < high else []
    if family == "beta":
        m = min(max(m, 0.02), 0.98)
    elif family in POSITIVE or family in COUNT_FAMILIES:
        m = max(m, 0.05 * s)
    return [Component(family, one) for one in _MEMBERS[family](m, s)]


def _lognormal(m: float, s: float) -> list[Mapping[str, float]]:
    var = float(np.log1p((s / m) ** 2))
    return [{"mu": log(m) - var / 2, "sd": sqrt(var)}]


def _beta(m: float, s: float) -> list[Mapping[str, float]]:
    n = max(m * (1 - m) / s**2 - 1, 0.5)
    return [{"a": m * n, "b": (1 - m) * n}]


def _weibull(m: float, s: float) -> list[Mapping[str, float]]:
    shape = min(max((m / s) ** 1.086, 0.1), 1e3)
    return [{"shape": shape, "scale": m / gamma(1 + 1 / shape)}]


def _negative_binomial(m: float, s: float) -> list[Mapping[str, float]]:
    r = m * m / (s * s - m) if s * s > 1.001 * m else 1e3
    return [{"r": r, "p": r / (r + m)}]


_MEMBERS: Mapping[str, Callable[[float, float], Sequence[Mapping[str, float]]]] = {
    "normal": lambda m, s: [{"mu": m, "sd": s}],
    "lognormal": _lognormal,
    "exponential": lambda m, _: [{"rate": 1 / m}],
    "gamma": lambda m, s: [{"shape": (m / s) ** 2, "rate": m / s**2}],
    "beta": _beta,
    "weibull": _weibull,
    "laplace": lambda m, s: [{"mu": m, "scale": s / sqrt(2)}],
    "student_t": lambda m, s: [{"df": df, "mu": m, "scale": s * sqrt(1 - 2 / df)} for df in (6.0,)],
    "logistic": lambda m, s: [{"mu": m, "scale": s * sqrt(3) / pi}],
    "gumbel": lambda m, s: [{"mu": m - np.euler_gamma * s * sqrt(6) / pi, "scale": s * sqrt(6) / pi}],
    "poisson": lambda m, _: [{"rate": m}],
    "geometric": lambda m, _: [{"p": 1 / (1 + m)}],
    "negative_binomial": _negative_binomial,
}


def cover(family: str) -> tuple[float, float]:
    """All that members of a continuous family can have mass on; of a uniform one its bounded ends are chosen."""
    if family in POSITIVE:
        return (0.0, inf)
    return (0.0, 1.0) if family == "beta" else (-inf, inf)

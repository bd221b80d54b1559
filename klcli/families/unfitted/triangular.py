"""The triangular distribution. Source: Kotz & van Dorp 2004, Beyond Beta, 1.

It is not fitted: the likelihood of its ends is irregular, and has a mode at every value of the data.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.family import HIGH, LOW, Interval, scipy
from klcli.families.formula import Grid, Parameter, ParameterError
from klcli.families.moments import Moments
from klcli.families.special import within

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters


class Triangular(Interval):
    """triangular(low, mode, high)."""

    parameters = (LOW, Parameter("mode", located=True), HIGH)
    mode: float

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        super().checked(parameters)
        low, mode, high = (parameters[name] for name in ("low", "mode", "high"))
        if not low <= mode <= high:
            message = f"mode must be from low, {low!r}, to high, {high!r}"
            raise ParameterError(message, "mode")
        return parameters, ""

    @property
    def kinks(self) -> tuple[float, ...]:
        return (self.mode,)

    def log_density(self, x: Array) -> Array:
        """log 2 - log(high - low) + the logarithm of how far x is between the end on its side and the mode."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._from_ends(x, np.log(x - self.low), np.log(self.high - x))

    def _from_ends(self, x: Array, from_low: Array, from_high: Array) -> Array:
        """The log density, given the logarithms of the distances from both ends."""
        up, down = self.mode - self.low, self.high - self.mode
        rising, falling = from_low - (log(up) if up else 0.0), from_high - (log(down) if down else 0.0)
        logs = np.where(x == self.mode, 0.0, np.where(x < self.mode, rising, falling))
        return within((x >= self.low) & (x <= self.high), log(2) - self.log_width + logs)

    def log_density_above_0(self, t: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            x = np.exp(t)
            return self._from_ends(x, np.log(x - self.low) if self.low else t, np.log(self.high - x))

    def log_density_below_1(self, t: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            x = 1 - np.exp(t)
            return self._from_ends(x, np.log(x - self.low), np.log(self.high - x) if self.high != 1 else t)

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.triangular(self.low, self.mode, self.high, n)

    def as_scipy(self) -> Frozen:
        width = self.high - self.low
        return scipy("stats", self.name).triang((self.mode - self.low) / width, self.low, width)

    def centre(self) -> tuple[float, float]:
        return self.mode, (self.high - self.low) / 2

    def marks(self) -> list[float]:
        return sorted({self.low, self.mode, self.high})

    def grid(self) -> Grid:
        return Grid(self.low, self.high, (self.high - self.low) / 100)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return 0.5 + log((self.high - self.low) / 2)

    def moments(self) -> Moments:
        up, width = self.mode - self.low, self.high - self.low
        return Moments(self.low + (up + width) / 3, (width * width - up * (width - up)) / 18)

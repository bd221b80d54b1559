"""The Rayleigh distribution. Source: Johnson, Kotz & Balakrishnan 18."""

from __future__ import annotations

from math import inf, log, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.normal import Normal
from klcli.families.continuous.weibull import Weibull
from klcli.families.family import SCALE
from klcli.families.likelihood.ascent import LikelihoodEstimate

if TYPE_CHECKING:
    from klcli.families.family import Averages, Parameters, SortedSample


class Rayleigh(Weibull):
    """rayleigh(scale): the Weibull distribution of shape 2 and sqrt(2) times that scale, which are its attributes."""

    parameters = (SCALE,)
    least_growth = (-inf, 2.0)

    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        self.shape, self.scale = 2.0, sqrt(2) * parameters["scale"]

    def wider(self) -> Parameters:
        return {"weibull": {"shape": self.shape, "scale": self.scale}}

    def kl(self, q: Weibull) -> float:
        """Source: twice that of normal distributions around 0, of the same scales."""
        p, other = (Normal(mu=0.0, sd=one.values["scale"]) for one in (self, q))
        return 2 * p.kl(other)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        greatest = float(data.x[-1])
        scale = greatest * sqrt(data.mean_of(np.square(data.x / greatest)) / 2)
        error = scale / (2 * sqrt(data.n))
        return LikelihoodEstimate({"scale": scale}, {"scale": error}, data.log.mean - 2 * log(scale) - 1)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:  # noqa: ARG003
        return {"scale": mean / sqrt(pi / 2)}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        return {"scale": sqrt(target.expectation(np.square) / 2)}

"""The chi-squared distribution. Source: Johnson, Kotz & Balakrishnan 18."""

from __future__ import annotations

from math import lgamma, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.gamma import Gamma
from klcli.families.differences import digamma, trigamma
from klcli.families.formula import Parameter
from klcli.families.likelihood.ascent import LikelihoodEstimate, ascend

if TYPE_CHECKING:
    from klcli.families.family import Array, Continuous, Parameters, SortedSample


class Chi2(Gamma):
    """chi2(df): the gamma distribution of shape df/2 and rate 1/2."""

    parameters = (Parameter("df", low=0),)
    instead = {}
    df: float

    def __init__(self, **parameters: float) -> None:
        super().__init__(**parameters)
        self.shape, self.rate = self.df / 2, 0.5

    def moved(self, origin: float, unit: float) -> Continuous:
        return Gamma(shape=self.shape, rate=self.rate).moved(origin, unit)

    def wider(self) -> Parameters:
        return {"gamma": {"shape": self.shape, "rate": self.rate}}

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        level = data.log.mean - log(2)

        def objective(point: Array) -> tuple[float, Array, Array]:
            half = float(np.exp(point[0])) / 2
            slope = half * (level - digamma(half))
            return half * level - lgamma(half), np.array([slope]), np.array([[slope - half * half * trigamma(half)]])

        top = ascend(objective, np.log([data.mean]), np.log(1e-6), np.log(1e15))
        df = float(np.exp(top.point[0]))
        error = 2 / sqrt(data.n * trigamma(df / 2))
        return LikelihoodEstimate({"df": df}, {"df": error}, top.value - data.log.mean - data.mean / 2, top.remarks)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:  # noqa: ARG003
        return {"df": mean}

"""Student's t distribution, with a location and a scale. Source: Johnson, Kotz & Balakrishnan 28."""

from __future__ import annotations

from math import exp, inf, lgamma, log, nan, pi, sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from klcli.families.differences import LOG_2_PI, digamma_step, log_gamma_half_step
from klcli.families.family import LocationScale, scipy
from klcli.families.formula import Parameter
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.likelihood.location_scale import LEAST_LOG_SCALE, placed, top_of
from klcli.families.moments import Moments

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Objective, Parameters, SortedSample

_DF = 0.05, 1e4
"""Degrees of freedom between which those of data are looked for; of 1e4 it is within 1e-8 nats of a normal."""


class StudentT(LocationScale):
    """student_t(df, mu=0, scale=1)."""

    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("df", low=0, searched=(0.05, 1e5)),
        Parameter("mu", located=True, default=0.0),
        Parameter("scale", low=0, default=1.0),
    )
    least_growth = (0.0, 0.0)
    df: float

    def log_density(self, x: Array) -> Array:
        """log Gamma((df+1)/2) - log Gamma(df/2) - log(scale sqrt(df pi)) - (df+1)/2 log(1 + z^2/df)."""
        df = self.df
        constant = log_gamma_half_step(df / 2) - 0.5 * LOG_2_PI - log(self.scale)
        with np.errstate(over="ignore", divide="ignore"):
            away = np.abs(x - self.mu)
            z = away / self.scale / sqrt(df)
            far = z > 1e100  # noqa: PLR2004 - whose square would overflow, or which has
            logs = np.where(
                far, 2 * (np.log(away) - log(self.scale)) - log(df), np.log1p(np.square(np.where(far, 0.0, z)))
            )
        values: Array = constant - (df + 1) / 2 * logs
        return values

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return self.mu + self.scale * generator.standard_t(self.df, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).t(self.df, self.mu, self.scale)

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return self.df, inf

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        half = (self.df + 1) / 2
        of_df = half * digamma_step(self.df / 2, 0.5) - log_gamma_half_step(self.df / 2)
        return of_df + 0.5 * LOG_2_PI + log(self.scale)

    def moments(self) -> Moments:
        df = self.df
        variance = self.scale * self.scale * df / (df - 2) if df > 2 else inf  # noqa: PLR2004 - above it there is one
        return Moments(self.mu if df > 1 else nan, variance, log_exponential=lambda c: inf)  # noqa: ARG005

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        bounds = (-inf, LEAST_LOG_SCALE, log(_DF[0])), (inf, inf, log(_DF[1]))
        top = top_of(student_objective, data, (0.0, log(0.7), log(5.0)), *bounds)
        found = placed(data, top)
        df, remarks = exp(top.point[2]), found.remarks
        if top.bound[2]:
            way = "as of a normal" if df > 1 else "heavier tails than any"
            remarks = (f"df at a bound, {df:g}: {way}", *remarks)
        errors = {"df": df * sqrt(top.covariance(data.n)[2, 2]), **found.errors}
        return LikelihoodEstimate({"df": df, **found.parameters}, errors, found.log_likelihood, remarks)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"df": 6.0, "mu": mean, "scale": sd * sqrt(1 - 2 / 6.0)}


def student_objective(data: SortedSample) -> Objective:
    """Of mu, log scale and log df."""
    special = scipy("special", "fit")

    def objective(point: Array) -> tuple[float, Array, Array]:
        scale, df, mean = exp(point[1]), exp(point[2]), data.mean_of
        z = (data.x - point[0]) / scale
        square = z * z
        by = 1 / (df + square)
        wide = mean(np.log1p(square / df))
        part = square * by  # of the weight
        z *= by
        curved, pulled, held = mean((df - square) * by * by), mean(z), mean(part)
        twice = mean(part * by)
        z_curved, z_odd = mean(z * (df - square) * by), mean(z * (square - 1) * by)
        more = df + 1
        constant = lgamma(more / 2) - lgamma(df / 2) - 0.5 * log(pi * df)
        slope = float(special.digamma(more / 2) - special.digamma(df / 2)) - 1 / df - wide + more / df * held
        bend = float(special.polygamma(1, more / 2) - special.polygamma(1, df / 2)) / 4 + 1 / (2 * df**2)
        bend += held / df - more / (2 * df**2) * (held + df * twice)
        mixed = -more * (pulled + z_curved) / scale
        odd = df * mean(part * (square - 1) * by)
        gradient = [more * pulled / scale, more * held - 1, df * slope / 2]
        bent = [
            [-more * curved / scale**2, mixed, df * z_odd / scale],
            [mixed, -2 * df * more * twice, odd],
            [df * z_odd / scale, odd, df**2 * bend + df * slope / 2],
        ]
        return constant - point[1] - more / 2 * wide, np.array(gradient), np.array(bent)

    return objective

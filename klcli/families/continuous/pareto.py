"""The Pareto distribution, from its scale on. Source: Johnson, Kotz & Balakrishnan 20."""

from __future__ import annotations

from math import exp, expm1, inf, log, log1p, nan, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.differences import log_ratio, ratio_excess, renyi_of_ratio
from klcli.families.family import SCALE, SHAPE, STEPS, Positive, scipy
from klcli.families.formula import Grid
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.moments import Moments, absolute_moment, added, bounded_exp
from klcli.families.special import log_over, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Averages, Frozen, Parameters, SortedSample, SumOfTerms


class Pareto(Positive):
    """pareto(scale, shape)."""

    parameters = (SCALE, SHAPE)
    least_growth = (-inf, 0.0)
    steep = ()
    ends = ("scale",)
    scale: float
    shape: float

    @property
    def support(self) -> tuple[float, float]:
        return self.scale, inf

    def log_density(self, x: Array) -> Array:
        """log(shape/scale) - (shape + 1) log(x/scale), from scale."""
        return within(x >= self.scale, log(self.shape) - log(self.scale) - (self.shape + 1) * self._log_ratio(x))

    def log_density_above_0(self, t: Array) -> Array:
        logs = t - log(self.scale)
        return within(logs >= 0, log(self.shape) - log(self.scale) - (self.shape + 1) * logs)

    def _log_ratio(self, x: Array) -> Array:
        """log(x/scale), 0 below the scale."""
        return log_over(np.maximum(x, self.scale), self.scale)

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        draws: Array = self.scale * (1 + generator.pareto(self.shape, n))
        return draws

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).pareto(self.shape, scale=self.scale)

    def centre(self) -> tuple[float, float]:
        return self.scale, self.scale / self.shape

    def marks(self) -> list[float]:
        """Evenly in the logarithm, whose distribution is exponential."""
        return sorted({exp(min(log(self.scale) + k / self.shape, 700)) for k in STEPS[1:]} | {self.scale})

    def grid(self) -> Grid:
        return Grid(self.scale, 10 * self.scale, self.scale / 10)

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        return self.shape, inf

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return log(self.scale) - log(self.shape) + 1 + 1 / self.shape

    def kl(self, q: Pareto) -> float:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        if self.scale < q.scale:
            return inf
        return q.shape * log_ratio(self.scale, q.scale) + ratio_excess(q.shape, self.shape)

    def renyi(self, q: Pareto, alpha: float, rest: float) -> float | None:  # noqa: ARG002
        """Where q begins no later. Source: Gil, Alajaji & Linder 2013, table 2."""
        if self.scale < q.scale:
            return None
        return q.shape * log_ratio(self.scale, q.scale) + renyi_of_ratio(log_ratio(q.shape, self.shape), rest)

    def moments(self) -> Moments:
        scale, shape = self.scale, self.shape

        def log_power(k: float) -> float:
            return k * log(scale) - log1p(-k / shape) if k < shape else inf

        def below(m: float, less: float = 0.0) -> float:
            return -expm1((less - shape) * log_ratio(m, scale)) if m > scale else 0.0

        mean = bounded_exp(log_power(1.0))
        two = shape > 2  # noqa: PLR2004 - it has a variance above 2 only
        return Moments(
            mean,
            scale * scale * shape / ((shape - 1) ** 2 * (shape - 2)) if two else inf,
            absolute_moment(mean, below, lambda m: below(m, 1.0)),
            log=log(scale) + 1 / shape,
            log_variance=1 / shape**2,
            log_power=log_power,
        )

    def cross_entropy(self, m: Moments) -> SumOfTerms:
        more, log_scale = self.shape + 1, log(self.scale)
        level = more * (1 + abs(m.log) + abs(log_scale))
        return added(more * (m.log - log_scale), log_scale, -log(self.shape), beside=level)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """The scale is the least value, whose error shrinks as 1/n and follows from no information matrix."""
        scale = float(data.x[0])
        level = data.mean_of(np.log1p((data.x - scale) / scale))
        errors = {"scale": nan, "shape": 1 / level / sqrt(data.n)}
        return LikelihoodEstimate({"scale": scale, "shape": 1 / level}, errors, -log(level) - log(scale) - 1 - level)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        shape = 1 + sqrt(1 + (mean / sd) ** 2)
        return {"scale": mean * (shape - 1) / shape, "shape": shape}

    @classmethod
    def nearest(cls, target: Averages) -> Parameters:
        """From where the target begins; one that begins at 0 has none, which a scale of 0 says."""
        scale = target.intervals()[0][0]
        level = target.expectation(np.log) - log(scale) if scale > 0 else nan
        return {"scale": scale, "shape": 1 / level if level else inf}

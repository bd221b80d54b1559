"""The Dirichlet distribution, of probabilities that sum to 1. Source: Kotz, Balakrishnan & Johnson 49."""

from __future__ import annotations

from math import lgamma
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import VECTORS
from klcli.families.differences import dirichlet_entropy, dirichlet_kl
from klcli.families.family import Family, scipy
from klcli.families.formula import Parameter, ParameterError
from klcli.families.special import LARGE, log_shares, within, xlogy

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters


class Dirichlet(Family):
    """dirichlet(alpha1, alpha2, ...)."""

    kind = VECTORS
    parameters = (Parameter("alpha", low=0, shape="vector"),)
    spread = True
    alpha: tuple[float, ...]

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        if len(parameters["alpha"]) == 1:
            message = "alpha must be two numbers or more"
            raise ParameterError(message, "alpha")
        return parameters, ""

    @property
    def dimension(self) -> int:
        return len(self.alpha)

    def log_density(self, x: Array) -> Array:
        """log Gamma(sum alpha) - sum log Gamma(alpha_i) + sum (alpha_i - 1) log x_i, by x_1 ... x_(K-1)."""
        a = np.asarray(self.alpha, dtype=np.float64)
        constant = lgamma(float(a.sum())) - sum(map(lgamma, a.tolist()))
        values: Array = constant + xlogy(a - 1, x).sum(axis=-1)
        if a.max() >= LARGE:
            inside = np.asarray((x > 0).all(axis=-1))
            values = np.where(inside, log_shares(a, np.where(inside[..., None], x, 1.0)), values)
        return within((x >= 0).all(axis=-1) & (np.abs(x.sum(axis=-1) - 1) < 1e-9), values)  # noqa: PLR2004

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.dirichlet(self.alpha, n)

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).dirichlet(self.alpha)

    def entropy(self) -> float:
        """Source: Ebrahimi, Soofi & Zhao 2011."""
        return dirichlet_entropy(self.alpha)

    def kl(self, q: Dirichlet) -> float | None:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        return dirichlet_kl(self.alpha, q.alpha) if len(self.alpha) == len(q.alpha) else None

"""The normal distribution of vectors. Source: Kotz, Balakrishnan & Johnson 45."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import inf, log, pi
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import VECTORS
from klcli.families.differences import LOG_2_PI, excess, renyi_of_normals
from klcli.families.family import Family, scipy
from klcli.families.formula import SUM_TOLERANCE, Parameter, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.families.family import Array, Frozen, Parameters

    Matrix = Sequence[Sequence[float]]


class MultivariateNormal(Family):
    """multivariate_normal(mean, cov)."""

    kind = VECTORS
    parameters = (Parameter("mean", shape="vector"), Parameter("cov", shape="matrix"))
    mean: Sequence[float]
    cov: Matrix

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        mean, cov = parameters["mean"], parameters["cov"]
        for i, row in enumerate(cov):
            if len(row) != len(cov):
                message = f"row {i + 1} of cov has {len(row)} of {len(cov)} numbers; cov must be square"
                raise ParameterError(message, "cov", (i,))
        if len(cov) != len(mean):
            message = f"cov is of {len(cov)} variables, mean of {len(mean)}"
            raise ParameterError(message, "cov")
        for i, j in combinations_with_replacement(range(len(cov)), 2):
            above, below = cov[i][j], cov[j][i]
            if i == j and above <= 0:
                message = f"the variance of variable {i + 1} must be above 0"
                raise ParameterError(message, "cov", (i, i))
            if abs(above - below) > SUM_TOLERANCE * max(abs(above), abs(below)):
                message = f"cov is not symmetric: this is {below:.10g}, and across the diagonal is {above:.10g}"
                raise ParameterError(message, "cov", (j, i))
        even = _symmetric(cov)
        if not _is_positive_definite(even):
            message = "cov is not positive definite: some combination of the variables would have no variance above 0"
            raise ParameterError(message, "cov")
        return {"mean": mean, "cov": even}, ""

    @property
    def dimension(self) -> int:
        return len(self.mean)

    def log_density(self, x: Array) -> Array:
        """-(z.z)/2 - log det L - (d/2) log 2 pi, with L L' = cov and L z = x - mean."""
        centre = np.asarray(self.mean, dtype=np.float64)
        factor = self._factor()
        flat = (x - centre).reshape(-1, len(centre))
        z = np.linalg.solve(factor, flat.T)
        constant = float(np.log(np.diag(factor)).sum()) + 0.5 * len(centre) * log(2 * pi)
        values: Array = (-0.5 * (z * z).sum(axis=0) - constant).reshape(np.shape(x)[:-1])
        return values

    def _factor(self) -> Array:
        return np.linalg.cholesky(np.asarray(self.cov, dtype=np.float64))

    def draw(self, n: int, generator: np.random.Generator) -> Array:
        return generator.multivariate_normal(self.mean, self.cov, n, method="cholesky")

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).multivariate_normal(self.mean, self.cov)

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, theorem 8.4.1."""
        return len(self.mean) * 0.5 * (1 + LOG_2_PI) + float(np.log(np.diag(self._factor())).sum())

    def kl(self, q: MultivariateNormal) -> float | None:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        if len(self.mean) != len(q.mean):
            return None
        cov_p, cov_q, difference, away = self._scaled(q)
        u, z = _along_axes(cov_q, difference, away)
        if np.abs(u).max() < _CLOSE:
            return 0.5 * (sum(map(excess, u.tolist())) + float(z @ z))
        spread = np.square(np.linalg.solve(np.linalg.cholesky(cov_q), np.linalg.cholesky(cov_p)))
        return 0.5 * (float(spread.sum()) - len(z) + float(z @ z)) - _log_volume(cov_p, cov_q)

    def renyi(self, q: MultivariateNormal, alpha: float, rest: float) -> float | None:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        if len(self.mean) != len(q.mean):
            return None
        cov_p, cov_q, difference, away = self._scaled(q)
        u, z = _along_axes(cov_q, difference, away)
        if np.abs(u).max() < _CLOSE:
            return renyi_of_normals(np.log1p(u).tolist(), z.tolist(), alpha, rest)
        mixed = alpha * cov_q + rest * cov_p
        try:
            z = np.linalg.solve(np.linalg.cholesky(mixed), away)
        except np.linalg.LinAlgError:  # above order 1, where P is too wide for Q
            return inf
        small = rest * np.abs(u).max() < _CLOSE
        grown = 0.5 * float(np.log1p(rest * u).sum()) if small else _log_volume(mixed, cov_q)
        return grown / rest - _log_volume(cov_p, cov_q) + 0.5 * alpha * float(z @ z)

    def _scaled(self, q: MultivariateNormal) -> tuple[Array, Array, Array, Array]:
        """The covariances of P and Q, their difference, and that of the means, in units of Q's standard deviations."""
        cov_p, cov_q = (np.asarray(one.cov, dtype=np.float64) for one in (self, q))
        sd = np.sqrt(np.diag(cov_q))
        away = (np.asarray(self.mean, dtype=np.float64) - np.asarray(q.mean, dtype=np.float64)) / sd
        cov_p, cov_q, difference = (cov / sd / sd[:, None] for cov in (cov_p, cov_q, cov_p - cov_q))
        return cov_p, cov_q, difference, away


_CLOSE = 0.5
"""Variances of P less 1, where Q is standard, below which they are taken from the difference of the two covariances.

Eigenvalues are as exact as the largest is: where they are far apart only sums of squares and the diagonals of
Cholesky's factors have the digits of the small ones.
"""


def _along_axes(cov_q: Array, difference: Array, away: Array) -> tuple[Array, Array]:
    """P's variances less 1, and its mean, in coordinates where Q is standard and the axes are those of both."""
    factor = np.linalg.cholesky(cov_q)
    u, axes = np.linalg.eigh(np.linalg.solve(factor, np.linalg.solve(factor, difference).T))
    return u, axes.T @ np.linalg.solve(factor, away)


def _log_volume(cov_p: Array, cov_q: Array) -> float:
    """Half the log of the ratio of two determinants."""
    p, q = (np.log(np.diag(np.linalg.cholesky(cov))) for cov in (cov_p, cov_q))
    return float((p - q).sum())


def _symmetric(cov: Matrix) -> Matrix:
    """The matrix with both halves the same, where they differ by rounding."""
    size = range(len(cov))
    return tuple(tuple(cov[i][j] / 2 + cov[j][i] / 2 if i != j else cov[i][i] for j in size) for i in size)


def _is_positive_definite(cov: Matrix) -> bool:
    """Whether it is so by more than rounding. The diagonal is divided out: units do not matter."""
    sd = np.sqrt(np.array([row[i] for i, row in enumerate(cov)]))
    correlation = np.array(cov) / sd / sd[:, None]
    if not (np.abs(correlation) < 2).all():  # noqa: PLR2004 - far above 1, or not finite
        return False
    return bool(np.linalg.eigvalsh(correlation)[0] > 4 * len(cov) * np.finfo(float).eps)

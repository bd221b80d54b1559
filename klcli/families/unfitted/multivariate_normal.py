"""The normal distribution of vectors. Source: Kotz, Balakrishnan & Johnson 45."""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import log, pi
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
        found = self._whitened(q)
        return None if found is None else 0.5 * sum(excess(u) + z * z for u, z in zip(*found, strict=True))

    def renyi(self, q: MultivariateNormal, alpha: float) -> float | None:
        """Source: Gil, Alajaji & Linder 2013, table 2."""
        axes = self._whitened(q)
        return None if axes is None else renyi_of_normals(axes, alpha)

    def _whitened(self, q: MultivariateNormal) -> tuple[list[float], list[float]] | None:
        """The eigenvalues of its covariance less 1, and its mean, in coordinates where q is standard and its axes are.

        None where the two are of different lengths.
        """
        mean_p, mean_q, cov_p, cov_q = (np.asarray(v, float) for v in (self.mean, q.mean, self.cov, q.cov))
        if len(mean_p) != len(mean_q):
            return None
        factor = np.linalg.cholesky(cov_q)
        half = np.linalg.solve(factor, cov_p - cov_q)
        u, axes = np.linalg.eigh(np.linalg.solve(factor, half.T))
        return u.tolist(), (axes.T @ np.linalg.solve(factor, mean_p - mean_q)).tolist()


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

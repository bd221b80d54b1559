"""The Cauchy distribution. Source: Johnson, Kotz & Balakrishnan 16."""

from __future__ import annotations

from math import atan, hypot, inf, log, log1p, nan, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.continuous.student_t import StudentT, student_objective
from klcli.families.family import MU, SCALE
from klcli.families.likelihood.ascent import LikelihoodEstimate
from klcli.families.likelihood.location_scale import LEAST_LOG_SCALE, placed, top_of

if TYPE_CHECKING:
    from klcli.families.family import Array, Objective, Parameters, SortedSample


class Cauchy(StudentT):
    """cauchy(mu, scale): Student's t with one degree of freedom."""

    parameters = (MU, SCALE)
    df = 1.0

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, table 17.1."""
        return log(4 * pi) + log(self.scale)

    def _apart(self, q: Cauchy) -> float:
        """How far two members are from each other, by which every f-divergence goes.

        Source: Nielsen & Okamura 2022, arXiv:2101.12459.
        """
        return hypot(self.scale - q.scale, self.mu - q.mu) / (2 * sqrt(self.scale) * sqrt(q.scale))

    def kl(self, q: Cauchy) -> float:
        """Source: Chyzak & Nielsen 2019, arXiv:1905.10965."""
        return _log_of_1_and_square(self._apart(q))

    def renyi(self, q: Cauchy, alpha: float, rest: float) -> float | None:  # noqa: ARG002
        """Of order 2 alone. Source: Nielsen & Okamura 2022, arXiv:2101.12459."""
        return _log_of_1_and_square(sqrt(2) * self._apart(q)) if alpha == 2 else None  # noqa: PLR2004

    def total_variation(self, q: Cauchy) -> float:
        """Source: Nielsen & Okamura 2022, arXiv:2101.12459."""
        return 2 / pi * atan(self._apart(q))

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """The likelihood has one top, or where half of the values are the same none. Source: Copas 1975."""
        if (1.0 if data.weights is None else float(data.weights.max())) >= data.n / 2:
            return LikelihoodEstimate({"mu": data.median, "scale": 0.0}, {"mu": nan, "scale": nan}, inf)
        return placed(data, top_of(_objective, data, (0.0, log(0.5)), (-inf, LEAST_LOG_SCALE), (inf, inf)))

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        return {"mu": mean, "scale": 0.6 * sd}


def _log_of_1_and_square(x: float) -> float:
    """log(1 + x^2), x >= 0, where x^2 may be larger than any double too."""
    return log1p(x * x) if x < 1 else 2 * log(x) + log1p(1 / x / x)


def _objective(data: SortedSample) -> Objective:
    of_student = student_objective(data)

    def objective(point: Array) -> tuple[float, Array, Array]:
        value, gradient, hessian = of_student(np.append(point, 0.0))
        return value, gradient[:2], hessian[:2, :2]

    return objective

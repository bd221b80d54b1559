"""The categorical distribution. Source: Johnson, Kotz & Balakrishnan 1997, 35."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klcli.families.catalogue import FINITE
from klcli.families.differences import minus_plogp, term
from klcli.families.family import Counts, scipy
from klcli.families.formula import SUM_TOLERANCE, Parameter, ParameterError, shares
from klcli.families.special import whole, within

if TYPE_CHECKING:
    from klcli.families.family import Array, Frozen, Parameters


class Categorical(Counts):
    """categorical(p0, p1, ...): masses on 0 to K - 1."""

    kind = FINITE
    parameters = (Parameter("p", low=0, high=1, closed=(True, True), shape="vector"),)
    spread = True
    p: tuple[float, ...]

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        if not any(parameters["p"]):
            message = "all of p are 0; one must be above 0"
            raise ParameterError(message, "p")
        p, total = shares(parameters["p"], "p")
        many = abs(total - 1) > SUM_TOLERANCE
        return {"p": p}, f"p of categorical sums to {total:.10g}; divided by it" if many else ""

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, len(self.p) - 1.0

    def masses(self) -> tuple[float, ...]:
        return self.p

    def log_density(self, x: Array) -> Array:
        """The logarithm of p[x]; -inf where x is none of 0, 1, ..., K - 1."""
        inside = whole(x, len(self.p) - 1)
        with np.errstate(divide="ignore"):
            logs = np.log(np.asarray(self.p))
        return within(inside, logs[np.where(inside, x, 0).astype(np.intp)])

    def draw(self, n: int, generator: np.random.Generator) -> object:
        return generator.choice(len(self.p), n, p=np.asarray(self.p) / np.sum(self.p))

    def as_scipy(self) -> Frozen:
        return scipy("stats", self.name).rv_discrete(values=(np.arange(len(self.p)), self.p))

    def span(self) -> tuple[float, float]:
        return self.support

    def entropy(self) -> float:
        """Source: Cover & Thomas 2006, 2.1."""
        return sum(map(minus_plogp, self.p))

    def kl(self, q: Categorical) -> float:
        """Source: Cover & Thomas 2006, 2.3."""
        length = max(len(self.p), len(q.p))
        a, b = (tuple(p) + (0.0,) * (length - len(p)) for p in (self.p, q.p))
        return sum(term(x, y, y - x) for x, y in zip(a, b, strict=True))

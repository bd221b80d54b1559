"""The families of distributions and their parameters, by name. Imports neither NumPy nor SciPy."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    Value = float | tuple[float, ...] | tuple[tuple[float, ...], ...]

CONTINUOUS, COUNTS, FINITE, VECTORS = "continuous", "counts", "finite", "vectors"
"""Kinds: a density on the line; masses on 0, 1, 2, ...; masses on finitely many outcomes; a density of vectors."""


class Parameter(NamedTuple):
    """A number, or numbers, that a family takes. It lies in (low, high), or at a bound that is `closed`.

    shape: 'number', 'whole' (a whole number), 'vector', 'matrix'. default: None where it must be given.
    """

    name: str
    low: float = -inf
    high: float = inf
    closed: tuple[bool, bool] = (False, False)
    shape: str = "number"
    default: float | None = None


class Family(NamedTuple):
    """A family. parameters: in the order in which they may be given without their names.

    instead: other names for a parameter, name -> (parameter, what is done to the value: 'root', 'inverse', 'exp').
    support: where there is mass, in words. spread: a vector parameter takes all positional numbers.
    source: whose parametrisation it is.
    """

    kind: str
    parameters: tuple[Parameter, ...]
    support: str
    source: str
    instead: Mapping[str, tuple[str, str]] = {}
    spread: bool = False


_MU = Parameter("mu")
_SD = Parameter("sd", low=0)
_SCALE = Parameter("scale", low=0)
_SHAPE = Parameter("shape", low=0)
_RATE = Parameter("rate", low=0)
_P = Parameter("p", low=0, high=1, closed=(True, True))
_P_ABOVE_0 = Parameter("p", low=0, high=1, closed=(False, True))

FAMILIES: Mapping[str, Family] = {
    "normal": Family(CONTINUOUS, (_MU, _SD), "all numbers", "Johnson, Kotz & Balakrishnan 13", {"var": ("sd", "root")}),
    "lognormal": Family(
        CONTINUOUS, (_MU, _SD), "above 0", "JKB 14: mu and sd of the logarithm", {"var": ("sd", "root")}
    ),
    "exponential": Family(CONTINUOUS, (_RATE,), "from 0", "JKB 19", {"scale": ("rate", "inverse")}),
    "gamma": Family(CONTINUOUS, (_SHAPE, _RATE), "above 0", "JKB 17", {"scale": ("rate", "inverse")}),
    "beta": Family(CONTINUOUS, (Parameter("a", low=0), Parameter("b", low=0)), "0 to 1", "JKB 25"),
    "weibull": Family(CONTINUOUS, (_SHAPE, _SCALE), "above 0", "JKB 21"),
    "laplace": Family(CONTINUOUS, (_MU, _SCALE), "all numbers", "JKB 24"),
    "student_t": Family(
        CONTINUOUS,
        (Parameter("df", low=0), Parameter("mu", default=0.0), Parameter("scale", low=0, default=1.0)),
        "all numbers",
        "JKB 28",
    ),
    "uniform": Family(CONTINUOUS, (Parameter("low"), Parameter("high")), "low to high", "JKB 26"),
    "logistic": Family(CONTINUOUS, (_MU, _SCALE), "all numbers", "JKB 23"),
    "gumbel": Family(CONTINUOUS, (_MU, _SCALE), "all numbers", "JKB 22: of maxima"),
    "poisson": Family(COUNTS, (_RATE,), "0, 1, 2, ...", "Johnson, Kemp & Kotz 4"),
    "binomial": Family(
        COUNTS, (Parameter("n", low=1, closed=(True, False), shape="whole"), _P), "0 to n", "Johnson, Kemp & Kotz 3"
    ),
    "geometric": Family(COUNTS, (_P_ABOVE_0,), "0, 1, 2, ...: failures before the first success", "JKK 5"),
    "negative_binomial": Family(
        COUNTS,
        (Parameter("r", low=0), _P_ABOVE_0),
        "0, 1, 2, ...: failures before the r-th success",
        "JKK 5",
    ),
    "bernoulli": Family(FINITE, (_P,), "0 and 1", "Johnson, Kemp & Kotz 3"),
    "categorical": Family(
        FINITE,
        (Parameter("p", low=0, high=1, closed=(True, True), shape="vector"),),
        "0 to K - 1",
        "Johnson, Kotz & Balakrishnan 1997, 35",
        spread=True,
    ),
    "multivariate_normal": Family(
        VECTORS,
        (Parameter("mean", shape="vector"), Parameter("cov", shape="matrix")),
        "all vectors",
        "Kotz, Balakrishnan & Johnson 45",
    ),
    "dirichlet": Family(
        VECTORS,
        (Parameter("alpha", low=0, shape="vector"),),
        "probabilities that sum to 1",
        "Kotz, Balakrishnan & Johnson 49",
        spread=True,
    ),
}

POSITIVE = frozenset({"lognormal", "exponential", "gamma", "weibull"})
"""Families of densities whose mass lies above 0, without an upper end."""


class Component(NamedTuple):
    """A family with its parameters, complete and valid, and its weight in a mixture."""

    family: str
    parameters: Mapping[str, Value]
    weight: float = 1.0


class Grid(NamedTuple):
    """The points start, start + step, ... below stop."""

    start: float
    stop: float
    step: float


class Formula(NamedTuple):
    """A distribution given by a formula. components: one, or those of a mixture, whose weights sum to 1.

    text: as typed. grid: where it is made weights of; None: it is a density, or masses.
    """

    text: str
    components: tuple[Component, ...]
    grid: Grid | None = None
    remarks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind of all the components."""
        return FAMILIES[self.components[0].family].kind

"""What every family of distributions is, and what it may add: the base classes of the classes in the folders.

A family's class names its parameters and has a member for each choice of them: `Gamma(shape=2.0, rate=0.5)`. All
divergences are in nats. What has no closed form is left as it is here, and computed by quadrature or summation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf, log, sqrt
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from klcli.errors import UsageError
from klcli.families.catalogue import CONTINUOUS, COUNTS
from klcli.families.formula import Grid, Parameter, ParameterError
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Self

    # What the families' own files need of types, in one place.
    from klcli.engine.arrays import Array as Array  # noqa: PLC0414
    from klcli.engine.arrays import Mask as Mask  # noqa: PLC0414
    from klcli.families.likelihood.ascent import LikelihoodEstimate as LikelihoodEstimate  # noqa: PLC0414
    from klcli.families.likelihood.ascent import Objective as Objective  # noqa: PLC0414
    from klcli.families.likelihood.sorted_sample import SortedSample as SortedSample  # noqa: PLC0414
    from klcli.families.moments import Averages as Averages  # noqa: PLC0414
    from klcli.families.moments import Moments
    from klcli.families.moments import SumOfTerms as SumOfTerms  # noqa: PLC0414

    Parameters = Mapping[str, Any]
    Frozen = Any
    """A frozen distribution of SciPy's."""

MU = Parameter("mu", located=True)
LOW, HIGH = Parameter("low", located=True), Parameter("high", located=True)
SD, SCALE, SHAPE, RATE = (Parameter(name, low=0) for name in ("sd", "scale", "shape", "rate"))
P = Parameter("p", low=0, high=1, closed=(True, True))
P_ABOVE_0 = Parameter("p", low=0, high=1, closed=(False, True))


NEEDS_SCIPY = "needs SciPy; pip install 'klcli[fit]'"


def scipy(module: str, what: str) -> Any:  # noqa: ANN401 - a module without types
    """A module of SciPy's. Raises UsageError, saying what needs it, where it is not installed."""
    from importlib import import_module

    try:
        found: Any = import_module(f"scipy.{module}")
    except ModuleNotFoundError:
        message = f"{what} {NEEDS_SCIPY}"
        raise UsageError(message) from None
    return found


class Tail(NamedTuple):
    """One end of a member that reaches out to infinity.

    power, exponential: of its mass, the rates at which it decays so; inf where it decays faster, as the lognormal's,
    which has all moments and meets no exponential growth.
    growth: of -log density, as `Continuous.growth` has it. growth_rate: of that exponential, where it is one.
    """

    power: float
    exponential: float
    growth: float
    growth_rate: float


class Family(ABC):
    """A family; each instance is a member, with its parameters as attributes.

    name: that of its file. values: the parameters by name. instead: other names for a parameter, name -> (parameter,
    what is done to the value: 'root', 'inverse'). spread: a vector parameter takes all positional numbers.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    instead: ClassVar[Mapping[str, tuple[str, str]]] = {}
    spread: ClassVar[bool] = False
    nests: ClassVar[str] = ""
    """A family that this one holds and never fits worse than: it is fitted to data only where it is named."""

    matches_moments: ClassVar[bool] = False
    """Whether the member nearest to a distribution is the one that `near` gives for its mean and standard deviation."""

    def __init_subclass__(cls) -> None:
        """Name the family after its file."""
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    def __init__(self, **parameters: Any) -> None:  # noqa: ANN401 - numbers, or tuples of some
        self.values: Parameters = parameters
        self.__dict__.update(parameters)

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        """The parameters, and a remark on what was done to them. Raises ParameterError where they make no member."""
        return parameters, ""

    @abstractmethod
    def log_density(self, x: Array) -> Array:
        """log p(x), the log of a mass where there are masses; -inf outside the support. x: any shape.

        Of vectors the last axis is the vector.
        """

    @abstractmethod
    def draw(self, n: int, generator: np.random.Generator) -> Any:  # noqa: ANN401 - of any dtype
        """n draws by NumPy."""

    @abstractmethod
    def as_scipy(self) -> Frozen:
        """The member as SciPy has it, for distribution functions and quantiles."""

    @property
    def support(self) -> tuple[float, float]:
        """The least and the greatest value, infinite where there is none."""
        return -inf, inf

    @property
    def dimension(self) -> int:
        """Of vectors their length, else 1."""
        return 1

    def entropy(self) -> float | None:
        """The entropy, of densities the differential one; None where it has no closed form."""
        return None

    def masses(self) -> tuple[float, ...]:
        """The masses of 0, 1, ..., where they are finitely many; else none."""
        return ()

    def kl(self, q: Self) -> float | None:  # noqa: ARG002
        """KL(self||q), q of the same family, free of cancellation; None where it has no closed form."""
        return None

    def renyi(self, q: Self, alpha: float, rest: float) -> float | None:  # noqa: ARG002
        """The Renyi divergence of a finite order: twice Bhattacharyya's distance at 1/2, log(1 + chi2) at 2.

        rest: 1 - alpha, with digits that the order has not where it is close to 1.
        """
        return None

    def total_variation(self, q: Self) -> float | None:  # noqa: ARG002
        """The total variation distance; None where it has no closed form."""
        return None

    def wider(self) -> Mapping[str, Parameters]:
        """Families that hold this one, and the parameters that it has there."""
        return {}

    def moments(self) -> Moments | None:
        """The moments that log densities are made of; None where none has a closed form."""
        return None

    def cross_entropy(self, m: Moments) -> SumOfTerms | None:  # noqa: ARG002
        """E[-log density] under a law with such moments, nan where one is missing; None where it has no closed form."""
        return None

    def grid(self) -> Grid:
        """A grid that holds most of the mass, to be shown to people."""
        return Grid(0.05, 10, 0.1)

    @classmethod
    def estimate(cls, data: SortedSample) -> LikelihoodEstimate:
        """The parameters of maximum likelihood, with errors from the observed information; not of the `unfitted`."""
        raise NotImplementedError

    needs: ClassVar[str] = ""
    """What data it can be fitted to, in words; '' for any number."""
    takes: ClassVar[str] = "any number"
    """Each of its values, in words."""

    @classmethod
    def holds(cls, x: Array) -> Mask:
        """Which values data of the family can have."""
        return np.ones(len(x), dtype=np.bool_)

    @classmethod
    def near(cls, mean: float, sd: float) -> Parameters:
        """The parameters of a member with about that mean and deviation, to search from; not of the `unfitted`."""
        raise NotImplementedError

    @classmethod
    def nearest(cls, target: Averages) -> Parameters | None:
        """The parameters that make KL(target||member) least, where moments of the target tell them; else None."""
        if not cls.matches_moments:
            return None
        mean = target.expectation(lambda x: x)
        return cls.near(mean, sqrt(target.expectation(lambda x: (x - mean) ** 2)))

    @property
    def unit(self) -> tuple[float, float]:
        """The origin and the unit in which its located parameters are measured."""
        return self.values.get("mu", 0.0), self.values.get("scale", self.values.get("sd", 1.0))


class Continuous(Family):
    """A family of densities on the line."""

    kind = CONTINUOUS

    cover: ClassVar[tuple[float, float]] = (-inf, inf)
    """All that members can have mass on."""
    steep: ClassVar[tuple[float, ...]] = ()
    """Ends of the support, 0 or 1, where a density may be infinite or rise from 0 as a power does."""
    ends: ClassVar[tuple[str, ...]] = ()
    """Parameters that are ends of the support."""
    least_growth: ClassVar[tuple[float, float]] = (-inf, -inf)
    """How -log p grows to the left and to the right, at least: as which power, 0 as logarithms do, inf as exponentials.

    -inf: there is an end.
    """

    @property
    def support(self) -> tuple[float, float]:
        """The interval that `cover` says of the whole family."""
        return self.cover

    @property
    def growth(self) -> tuple[float, float]:
        """The member's own growth of -log p, as `least_growth` has it."""
        return self.least_growth

    def decay(self, side: int) -> tuple[float, float]:  # noqa: ARG002
        """Of the mass to the left (-1) or right (1), the rate at which it decays as a power, and as an exponential."""
        return inf, inf

    def tail(self, side: int) -> Tail | None:
        """The left (-1) or right (1) end, None where it ends."""
        growth = self.growth[side > 0]
        if growth == -inf:
            return None
        return Tail(*self.decay(side), growth, 1 / self.unit[1] if growth == inf else 0.0)

    def log_density_above_0(self, t: Array) -> Array:
        """log p(e^t), where e^t may be less than any double."""
        with np.errstate(over="ignore"):
            return self.log_density(np.exp(t))

    def log_density_below_1(self, t: Array) -> Array:
        """log p(1 - e^t), where 1 - e^t may be closer to 1 than any double."""
        return self.log_density(1 - np.exp(t))

    movable: ClassVar[bool] = True
    """Whether a change of the unit makes another member of it."""

    @property
    def anchor(self) -> float | None:
        """A point that moves when the origin does; None where the origin is fixed."""
        return None

    def moved(self, origin: float, unit: float) -> Continuous:
        """The distribution of (x - origin)/unit. The origin is 0, but on the whole line and on an interval."""
        factors = {"sd": 1 / unit, "scale": 1 / unit, "rate": unit}
        values = {
            one.name: (value - origin) / unit if one.located else value * factors.get(one.name, 1.0)
            for one, value in zip(self.parameters, self.values.values(), strict=True)
        }
        return type(self)(**values)

    @property
    def kinks(self) -> tuple[float, ...]:
        """Where log p bends sharply inside the support."""
        return ()

    @abstractmethod
    def centre(self) -> tuple[float, float]:
        """The middle, and a scale on which the density changes."""

    def marks(self) -> list[float]:
        """Where the density changes its character, rising: panels of quadrature end there."""
        centre, scale = self.centre()
        return rising((centre + s * k * scale for k in STEPS for s in (-1, 1)), self.cover)


STEPS = (0, 0.5, 1, 2, 4, 8, 16)
"""Marks, in scales from the centre: doubled, as tails fall, and to 16 since a normal has 1e-57 beyond."""


def rising(marks: Iterable[float], cover: tuple[float, float]) -> list[float]:
    """The marks inside, each once, rising."""
    return sorted({x for x in marks if cover[0] < x < cover[1]})


class LocationScale(Continuous):
    """A family on all numbers whose density is f((x - mu)/scale)/scale. A subclass knows f's distribution function."""

    parameters: ClassVar[tuple[Parameter, ...]] = (MU, SCALE)
    mu: float
    scale: float

    @property
    def anchor(self) -> float:
        """mu, which is anywhere on the line."""
        return self.mu

    def centre(self) -> tuple[float, float]:
        """mu and the scale."""
        return self.mu, self.scale

    def grid(self) -> Grid:
        """Four scales to either side of mu, in 80 steps."""
        half = 4 * self.scale
        return Grid(self.mu - half, self.mu + half, half / 40)

    @property
    def is_blurred(self) -> bool:
        """Whether the doubles about the centre lie too far apart for quadrature."""
        return self.scale < 2.0**-48 * abs(self.mu)


class Interval(Continuous):
    """A family of densities between two numbers, low and high, which are parameters."""

    low: float
    high: float

    @classmethod
    def checked(cls, parameters: Parameters) -> tuple[Parameters, str]:
        """The parameters as they are. Raises ParameterError where high is not above low."""
        if not 0 < parameters["high"] - parameters["low"] < inf:
            message = f"high must be above low, {parameters['low']!r}, and less than 1.8e308 from it"
            raise ParameterError(message, "high")
        return parameters, ""

    @property
    def anchor(self) -> float:
        """The lower end."""
        return self.low

    @property
    def log_width(self) -> float:
        """log(high - low); inf, which no density is left of, where it was moved so far that doubles hold no width."""
        return log(self.high - self.low) if self.high > self.low else inf

    @property
    def support(self) -> tuple[float, float]:
        """The interval from low to high."""
        return self.low, self.high


class Positive(Continuous):
    """A family of densities whose mass lies above 0, without an upper end."""

    cover = (0.0, inf)
    steep: ClassVar[tuple[float, ...]] = (0.0,)
    needs, takes = "x > 0", "above 0"

    @classmethod
    def holds(cls, x: Array) -> Mask:
        """Whether each value is above 0."""
        return x > 0


class Counts(Family):
    """A family of masses on 0, 1, 2, ..."""

    kind = COUNTS
    needs, takes = "whole numbers from 0", "a whole number, 0 or above"

    @property
    def support(self) -> tuple[float, float]:
        """All numbers from 0 on."""
        return 0.0, inf

    @abstractmethod
    def span(self) -> tuple[float, float]:
        """First and last whole number beyond which there is less mass than 1e-40."""

    def grid(self) -> Grid:
        """The whole numbers from 0 to 100."""
        return Grid(0, 100, 1)

    @classmethod
    def holds(cls, x: Array) -> Mask:
        """Whether each value is a whole number from 0 on."""
        inside: Mask = (x >= 0) & (x == np.floor(x))
        return inside


def whole_span(mean: float, tail: float, most: float = inf) -> tuple[float, float]:
    """The whole numbers no further from the mean than a tail."""
    return max(0.0, float(np.floor(mean - tail))), float(np.ceil(min(mean + tail, most)))


def wide_tail(variance: float) -> float:
    """How far from the mean there is less mass than 1e-40, of Poisson and binomial laws."""
    return 16 * sqrt(variance) + 80

"""A formula as something to compute with: its density, distribution function, quantiles and samples.

Densities need NumPy alone; the rest is SciPy's (the extra `fit`), imported when it is first asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.engine.densities import BY_LOG, LOG_DENSITIES
from klcli.errors import UsageError
from klcli.parametric.catalogue import CONTINUOUS, FAMILIES, POSITIVE, VECTORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.model import Array
    from klcli.parametric.catalogue import Component, Formula

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


_MOST_HELD = 1 << 23
"""Log densities that are held at once: 64 MiB, and as much for each step of adding them up."""


def _log_of_sum(logs: list[Array]) -> Array:
    """log of the sum of their exponentials, of arrays of one shape."""
    stacked = np.array(logs)
    highest = np.maximum(stacked.max(axis=0), -1e308)  # where all are -inf their difference is nan
    with np.errstate(divide="ignore"):
        summed: Array = highest + np.log(np.exp(stacked - highest).sum(axis=0))
    return summed


class Law:
    """A distribution on the line, or on whole numbers: a family, or a mixture of some. Any array shapes.

    support: intervals (low, high) that hold all mass, apart and in order; of counts the first and last whole number.
    """

    def __init__(self, formula: Formula) -> None:
        self.formula, self.kind = formula, formula.kind
        self.components = formula.components
        self._weights = np.array([component.weight for component in self.components])

    def log_density(self, x: Array) -> Array:
        """log p(x), of counts and finite outcomes the log of their mass; -inf outside the support.

        Of vectors the last axis is the vector.
        """
        return self._added(lambda one: LOG_DENSITIES[one.family](x, **one.parameters))

    def log_density_above_0(self, t: Array) -> Array:
        """log p(e^t), where e^t may be less than any double."""
        return self._added(lambda one: _near(one.family, one.parameters, t))

    def log_density_below_1(self, t: Array) -> Array:
        """log p(1 - e^t), where 1 - e^t may be closer to 1 than any double."""

        def log_density(one: Component) -> Array:
            if one.family != "beta":
                return LOG_DENSITIES[one.family](1 - np.exp(t), **one.parameters)
            return _near("beta", {"a": one.parameters["b"], "b": one.parameters["a"]}, t)

        return self._added(log_density)

    def _added(self, log_density: Callable[[Component], Array]) -> Array:
        """The log density of the mixture from that of each component, some at a time."""
        first = log_density(self.components[0])
        if len(self.components) == 1:
            return first
        weighted, summed = [first + np.log(self._weights[0])], None
        most = max(2, _MOST_HELD // max(first.size, 1))
        for one, weight in zip(self.components[1:], self._weights[1:], strict=True):
            if len(weighted) == most:
                summed = _log_of_sum(weighted if summed is None else [summed, *weighted])
                weighted = []
            weighted.append(log_density(one) + np.log(weight))
        return _log_of_sum(weighted if summed is None else [summed, *weighted])

    @property
    def support(self) -> list[tuple[float, float]]:
        """See the class."""
        return joined([support_of(one) for one in self.components])

    @cached_property
    def _frozen(self) -> list[Any]:
        return [frozen(one) for one in self.components]

    def cdf(self, x: Array) -> Array:
        """P(X <= x)."""
        return self._mixed("cdf", x)

    def sf(self, x: Array) -> Array:
        """P(X > x), accurate where it is small."""
        return self._mixed("sf", x)

    def _mixed(self, name: str, x: Array) -> Array:
        values: Array = sum(w * getattr(one, name)(x) for w, one in zip(self._weights, self._frozen, strict=True))
        return values

    def quantiles(self, u: Sequence[float]) -> Array:
        """For each component and each u in [0, 1] where it leaves that mass below: all of them, sorted."""
        return np.unique([one.ppf(v) for one in self._frozen for v in u])

    def mean(self) -> float:
        """The mean, which may be nan or infinite."""
        return float(sum(w * one.mean() for w, one in zip(self._weights, self._frozen, strict=True)))

    def sample(self, n: int, generator: np.random.Generator) -> Array:
        """n draws, (n,); of vectors (n, d). Needs no SciPy."""
        counts = generator.multinomial(n, self._weights / self._weights.sum())
        draws = [drawn(one, int(m), generator) for one, m in zip(self.components, counts, strict=True) if m]
        whole: Array = np.concatenate(draws).astype(np.float64)
        if len(draws) > 1:
            generator.shuffle(whole)
        return whole

    @property
    def is_vector(self) -> bool:
        """Whether it is a law of vectors."""
        return self.kind == VECTORS

    @property
    def dimension(self) -> int:
        """Of vectors their length, else 1."""
        first: Mapping[str, Any] = self.components[0].parameters
        return len(first.get("mean", first.get("alpha", (0,))))


def _near(family: str, parameters: Mapping[str, Any], t: Array) -> Array:
    if family in BY_LOG:
        return BY_LOG[family](t, **parameters)
    with np.errstate(over="ignore"):
        return LOG_DENSITIES[family](np.exp(t), **parameters)


def drawn(component: Component, n: int, generator: np.random.Generator) -> Any:  # noqa: ANN401 - of any dtype
    """n draws of a component, by NumPy."""
    p: Mapping[str, Any] = component.parameters
    made: Mapping[str, Callable[[], Any]] = {
        "normal": lambda: generator.normal(p["mu"], p["sd"], n),
        "lognormal": lambda: generator.lognormal(p["mu"], p["sd"], n),
        "exponential": lambda: generator.exponential(1 / p["rate"], n),
        "gamma": lambda: generator.gamma(p["shape"], 1 / p["rate"], n),
        "beta": lambda: generator.beta(p["a"], p["b"], n),
        "weibull": lambda: p["scale"] * generator.weibull(p["shape"], n),
        "laplace": lambda: generator.laplace(p["mu"], p["scale"], n),
        "student_t": lambda: p["mu"] + p["scale"] * generator.standard_t(p["df"], n),
        "uniform": lambda: generator.uniform(p["low"], p["high"], n),
        "logistic": lambda: generator.logistic(p["mu"], p["scale"], n),
        "gumbel": lambda: generator.gumbel(p["mu"], p["scale"], n),
        "poisson": lambda: generator.poisson(p["rate"], n),
        "binomial": lambda: generator.binomial(int(p["n"]), p["p"], n),
        "geometric": lambda: generator.geometric(p["p"], n) - 1,
        "negative_binomial": lambda: generator.negative_binomial(p["r"], p["p"], n),
        "bernoulli": lambda: generator.binomial(1, p["p"], n),
        "categorical": lambda: generator.choice(len(p["p"]), n, p=np.asarray(p["p"]) / np.sum(p["p"])),
        "multivariate_normal": lambda: generator.multivariate_normal(p["mean"], p["cov"], n, method="cholesky"),
        "dirichlet": lambda: generator.dirichlet(p["alpha"], n),
    }
    return made[component.family]()


def support_of(component: Component) -> tuple[float, float]:
    """The least and the greatest value of a component, infinite where there is none."""
    parameters: Mapping[str, Any] = component.parameters
    ends: Mapping[str, Callable[[], tuple[float, float]]] = {
        "uniform": lambda: (parameters["low"], parameters["high"]),
        "beta": lambda: (0.0, 1.0),
        "binomial": lambda: _trials(parameters["n"], parameters["p"]),
        "bernoulli": lambda: _trials(1.0, parameters["p"]),
        "categorical": lambda: (0.0, len(parameters["p"]) - 1.0),
    }
    if component.family in ends:
        return ends[component.family]()
    if component.family in {"geometric", "negative_binomial"} and parameters["p"] == 1:
        return 0.0, 0.0
    positive = FAMILIES[component.family].kind != CONTINUOUS or component.family in POSITIVE
    return (0.0 if positive else -np.inf, np.inf)


def _trials(n: float, p: float) -> tuple[float, float]:
    return (n if p == 1 else 0.0, 0.0 if p == 0 else n)


def joined(intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals that do not overlap, in order, together what the given ones are."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(intervals):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def frozen(component: Component) -> Any:  # noqa: ANN401 - a frozen distribution of SciPy's
    """The component as SciPy has it."""
    stats: Any = scipy("stats", component.family)
    p: Mapping[str, Any] = component.parameters
    made: Mapping[str, Callable[[], Any]] = {
        "normal": lambda: stats.norm(p["mu"], p["sd"]),
        "lognormal": lambda: stats.lognorm(p["sd"], scale=np.exp(p["mu"])),
        "exponential": lambda: stats.expon(scale=1 / p["rate"]),
        "gamma": lambda: stats.gamma(p["shape"], scale=1 / p["rate"]),
        "beta": lambda: stats.beta(p["a"], p["b"]),
        "weibull": lambda: stats.weibull_min(p["shape"], scale=p["scale"]),
        "laplace": lambda: stats.laplace(p["mu"], p["scale"]),
        "student_t": lambda: stats.t(p["df"], p["mu"], p["scale"]),
        "uniform": lambda: stats.uniform(p["low"], p["high"] - p["low"]),
        "logistic": lambda: stats.logistic(p["mu"], p["scale"]),
        "gumbel": lambda: stats.gumbel_r(p["mu"], p["scale"]),
        "poisson": lambda: stats.poisson(p["rate"]),
        "binomial": lambda: stats.binom(int(p["n"]), p["p"]),
        "geometric": lambda: stats.geom(p["p"], loc=-1),
        "negative_binomial": lambda: stats.nbinom(p["r"], p["p"]),
        "bernoulli": lambda: stats.bernoulli(p["p"]),
        "categorical": lambda: stats.rv_discrete(values=(np.arange(len(p["p"])), p["p"])),
    }
    return made[component.family]()

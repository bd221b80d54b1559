"""Laws for the tests: by family and parameters, mixed, and random."""

import numpy as np

from klcli.families.catalogue import FAMILIES
from klcli.families.formula import Component, Formula
from klcli.families.law import Law


def law(family, **parameters):
    return Law(Formula(family, (Component(family, parameters),)))


def mixture(*parts):
    """Of (weight, family, parameters)."""
    return Law(Formula("a mixture", tuple(Component(family, p, weight) for weight, family, p in parts)))


def _covariance(random, size):
    root = random.normal(size=(size, size))
    return tuple(map(tuple, root @ root.T + 0.3 * np.eye(size)))


def _shares(random, size):
    p = random.dirichlet(np.ones(size))
    return tuple(p.tolist())


def between(low, high):
    """Uniform in the logarithm."""
    return lambda random: float(np.exp(random.uniform(np.log(low), np.log(high))))


_where, _scale, _shape = (lambda random: float(random.normal(0, 1.5))), between(0.3, 3), between(0.2, 5)
_share = lambda random: float(random.uniform(0.02, 0.98))  # noqa: E731

RANDOM = {
    "lognormal": {"mu": _where, "sd": between(0.2, 1.2)},
    "gamma": {"shape": _shape, "rate": _scale},
    "beta": {"a": _shape, "b": _shape},
    "weibull": {"shape": between(0.5, 4), "scale": _scale},
    "student_t": {"df": between(2.5, 30), "mu": _where, "scale": _scale},
    "uniform": {"low": lambda random: float(random.uniform(0.01, 0.4)), "high": lambda r: float(r.uniform(0.5, 0.99))},
    "logistic": {"mu": _where, "scale": between(0.1, 1)},
    "poisson": {"rate": between(0.1, 50)},
    "binomial": {"n": lambda random: int(random.integers(1, 60)), "p": _share},
    "geometric": {"p": between(0.05, 0.95)},
    "negative_binomial": {"r": _shape, "p": between(0.1, 0.95)},
    "categorical": {"p": lambda random: _shares(random, 5)},
    "multivariate_normal": {
        "mean": lambda random: tuple(random.normal(size=3).tolist()),
        "cov": lambda random: _covariance(random, 3),
    },
    "pareto": {"shape": between(2.5, 9)},
    "chi2": {"df": between(0.5, 20)},
    "triangular": {
        "low": lambda random: float(random.uniform(0.01, 0.4)),
        "mode": lambda random: float(random.uniform(0.4, 0.5)),
        "high": lambda random: float(random.uniform(0.5, 0.99)),
    },
    "dirichlet": {"alpha": lambda random: tuple(np.exp(random.normal(0, 1, 4)).tolist())},
}
"""Family -> parameter -> how to draw it, where its range does not tell. Uniform laws lie within (0, 1)."""


def _of_range(parameter):
    """How to draw a parameter of a family that stands for nothing else than its range."""
    if parameter.low == -np.inf:
        return _where
    return _scale if parameter.high == np.inf else _share


def parameters(family, random):
    draws = {one.name: _of_range(one) for one in FAMILIES[family].parameters} | RANDOM.get(family, {})
    return {name: draw(random) for name, draw in draws.items()}


def seeded(*case):
    """Random numbers that are a case's own."""
    return np.random.default_rng(list(repr(case).encode()))

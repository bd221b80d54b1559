"""Laws for the tests: by family and parameters, mixed, and random."""

import numpy as np

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


def _between(low, high):
    """Uniform in the logarithm."""
    return lambda random: float(np.exp(random.uniform(np.log(low), np.log(high))))


_where, _scale, _shape = (lambda random: float(random.normal(0, 1.5))), _between(0.3, 3), _between(0.2, 5)
_share = lambda random: float(random.uniform(0.02, 0.98))  # noqa: E731

RANDOM = {
    "normal": {"mu": _where, "sd": _scale},
    "lognormal": {"mu": _where, "sd": _between(0.2, 1.2)},
    "exponential": {"rate": _scale},
    "gamma": {"shape": _shape, "rate": _scale},
    "beta": {"a": _shape, "b": _shape},
    "weibull": {"shape": _between(0.5, 4), "scale": _scale},
    "laplace": {"mu": _where, "scale": _scale},
    "student_t": {"df": _between(2.5, 30), "mu": _where, "scale": _scale},
    "uniform": {"low": lambda random: float(random.uniform(0.01, 0.4)), "high": lambda r: float(r.uniform(0.5, 0.99))},
    "logistic": {"mu": _where, "scale": _between(0.1, 1)},
    "gumbel": {"mu": _where, "scale": _scale},
    "poisson": {"rate": _between(0.1, 50)},
    "binomial": {"n": lambda random: int(random.integers(1, 60)), "p": _share},
    "geometric": {"p": _between(0.05, 0.95)},
    "negative_binomial": {"r": _shape, "p": _between(0.1, 0.95)},
    "bernoulli": {"p": _share},
    "categorical": {"p": lambda random: _shares(random, 5)},
    "multivariate_normal": {
        "mean": lambda random: tuple(random.normal(size=3).tolist()),
        "cov": lambda random: _covariance(random, 3),
    },
    "dirichlet": {"alpha": lambda random: tuple(np.exp(random.normal(0, 1, 4)).tolist())},
}
"""Family -> parameter -> how to draw it. Uniform laws lie within (0, 1), where every family has mass."""


def parameters(family, random):
    return {name: draw(random) for name, draw in RANDOM[family].items()}


def seeded(*case):
    """Random numbers that are a case's own."""
    return np.random.default_rng(list(repr(case).encode()))

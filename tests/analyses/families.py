"""Samples of every family, for the tests of its fit and for the benchmark."""

import numpy as np

from klcli.families.formula import Component, Formula
from klcli.families.law import Law
from klcli.fits import Sample

TRUE = {
    "normal": {"mu": 3.0, "sd": 2.0},
    "lognormal": {"mu": 0.5, "sd": 0.8},
    "exponential": {"rate": 2.0},
    "gamma": {"shape": 2.5, "rate": 0.5},
    "beta": {"a": 2.0, "b": 5.0},
    "weibull": {"shape": 1.7, "scale": 3.0},
    "laplace": {"mu": -1.0, "scale": 2.0},
    "student_t": {"df": 4.0, "mu": 1.0, "scale": 2.0},
    "uniform": {"low": -2.0, "high": 5.0},
    "logistic": {"mu": 2.0, "scale": 1.5},
    "gumbel": {"mu": 1.0, "scale": 2.0},
    "cauchy": {"mu": 1.0, "scale": 2.0},
    "pareto": {"scale": 2.0, "shape": 3.0},
    "half_normal": {"scale": 2.0},
    "chi2": {"df": 4.0},
    "rayleigh": {"scale": 2.0},
    "skew_normal": {"mu": 1.0, "scale": 2.0, "shape": 4.0},
    "poisson": {"rate": 4.0},
    "binomial": {"n": 20.0, "p": 0.3},
    "geometric": {"p": 0.25},
    "negative_binomial": {"r": 3.0, "p": 0.4},
    "bernoulli": {"p": 0.3},
}


def law(family, parameters=None):
    return Law(Formula(family, (Component(family, parameters or TRUE[family]),)))


def sample_of(values, weights=None):
    weights = None if weights is None else np.asarray(weights, dtype=float)
    return Sample("DATA", np.asarray(values, dtype=float), weights, lambda i: f"DATA, item {i + 1}")


def drawn(family, n, seed, parameters=None):
    return sample_of(law(family, parameters).sample(n, np.random.default_rng(seed)))


def place(report, family):
    """The fit of the family, and whether it is first or no worse than the first by more than 2 of AIC."""
    one = next(fit for fit in report.fits if fit.component.family == family)
    return one, one.aic - report.fits[0].aic <= 2


def errors_away(one, true):
    """How many standard errors each parameter is from the truth; those without an error are left out."""
    found, errors = one.component.parameters, one.standard_errors
    known = {
        name: max(errors[name], 1e-9) for name in true if np.isfinite(errors[name])
    }  # a binomial's n may be certain
    return {name: abs(found[name] - true[name]) / error for name, error in known.items()}

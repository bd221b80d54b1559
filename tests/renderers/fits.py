"""Reports of fits made by hand, for the renderers' tests."""

import io
from math import erf, exp, inf, lgamma, log, nan, sqrt

import numpy as np

from klcli.families.formula import Component, Formula
from klcli.fits import FORWARD, REVERSE, Fit, FitReport, Histogram, Sample
from klcli.renderers.fit import FitAnswer
from klcli.renderers.formats import RENDERERS
from klcli.renderers.text import View


def sample(values, source="heights.csv:height", weights=None):
    return Sample(source, np.asarray(values, dtype=np.float64), weights, str)


def histogram(values, inner):
    """Bins between the inner edges; the first and the last have no end."""
    edges = np.concatenate([[-inf], np.asarray(inner, dtype=np.float64), [inf]])
    return Histogram(edges, np.diff(np.searchsorted(np.sort(values), edges, side="right")) / len(values))


def fitted(family, parameters, kls, errors=(), scores=(nan, nan, nan, nan), **more):
    """scores: log-likelihood, AIC, BIC, Kolmogorov and Smirnov's distance."""
    return Fit(Component(family, parameters), dict(zip(parameters, errors, strict=False)), *kls, *scores, **more)


def report(fits, data, bins, left_out=(), notes=()):
    n = float(len(data.values) if data.weights is None else data.weights.sum())
    return FitReport(tuple(fits), data, bins, None, n, dict(left_out), tuple(notes))


def projected(target, *fits, notes=()):
    return FitReport(tuple(fits), None, None, target, nan, {}, tuple(notes))


def quantiles_of_normal(n):
    """n values that lie as a normal sample should, without a generator or SciPy."""
    grid = np.linspace(-6, 6, 24001)
    below = np.array([0.5 * (1 + erf(x / sqrt(2))) for x in grid.tolist()])
    return np.interp((np.arange(n) + 0.5) / n, below, grid)


def normal_report():
    values = 170 + 8 * quantiles_of_normal(1000)
    normal, logistic = {"mu": 170.0, "sd": 8.0}, {"mu": 170.02, "scale": 4.61}
    fits = [
        fitted(
            "normal", normal, (0.00123, 0.00121), (0.253, 0.179), (-3498.2, 7000.4, 7010.2, 0.0101), kl_error=0.0004
        ),
        fitted("logistic", logistic, (0.00912, 0.00877), (0.255, 0.122), (-3507.9, 7019.8, 7029.6, 0.0187)),
        fitted(
            "student_t",
            {"df": 1e6, "mu": 170.0, "scale": 8.0},
            (0.0124, 0.0121),
            (nan, 0.253, 0.179),
            (-3498.2, 7002.4, 7017.1, 0.0101),
            remarks=("df at a bound",),
        ),
        fitted("uniform", {"low": 143.7, "high": 196.3}, (0.4312, inf), (), (-3962.6, 7929.2, 7939.0, 0.2111)),
    ]
    whole = "data are not whole numbers"
    left = {"beta": "data outside 0 to 1", "poisson": whole, "binomial": whole}
    return report(fits, sample(values), histogram(values, np.arange(146, 195, 2)), left, ["the sample is small"])


def poisson_report():
    masses = np.array([exp(k * log(3.2) - 3.2 - lgamma(k + 1)) for k in range(12)])
    values = np.repeat(np.arange(12.0), np.round(masses * 500).astype(int))
    fits = [
        fitted("poisson", {"rate": 3.2}, (0.0021, 0.0022), (0.08,), (-990.2, 1982.4, 1986.6, 0.004)),
        fitted("binomial", {"n": 40.0, "p": 0.08}, (0.0035, 0.0036), (nan, 0.002), (-990.9, 1985.8, 1994.2, 0.01)),
        fitted("geometric", {"p": 0.238}, (0.3021, 0.2822), (0.009,), (-1141.0, 2284.0, 2288.2, 0.22)),
    ]
    return report(fits, sample(values, "calls.csv:n"), histogram(values, np.arange(0.5, 11)))


def heavy_report():
    """Quantiles of Student's distribution of one degree of freedom: most within 2, some in the hundreds."""
    values = np.tan(np.pi * ((np.arange(2000) + 0.5) / 2000 - 0.5))
    student = {"df": 1.0, "mu": 0.0, "scale": 1.0}
    fits = [
        fitted("student_t", student, (0.0003, 0.0003), (0.04, 0.03, 0.04), (-5062.0, 10130.0, 10147.0, 0.0003)),
        fitted("normal", {"mu": 0.0, "sd": 44.0}, (2.1, 3.0), (0.98, 0.7), (-10407.0, 20818.0, 20829.0, 0.42)),
    ]
    return report(fits, sample(values, "returns.csv"), histogram(values, np.arange(-60, 60.1, 0.25)))


def formula(text, *components):
    return Formula(text, tuple(Component(family, parameters, weight) for weight, family, parameters in components))


BIMODAL = formula(
    "0.5*normal(-3,0.7)+0.5*normal(3,0.7)",
    (0.5, "normal", {"mu": -3.0, "sd": 0.7}),
    (0.5, "normal", {"mu": 3.0, "sd": 0.7}),
)


def bimodal_report():
    low, high = {"mu": -3.0, "sd": 0.7}, {"mu": 3.0, "sd": 0.7}
    return projected(
        BIMODAL,
        fitted("normal", {"mu": 0.0, "sd": 3.0806}, (0.7884, 2.3871), direction=FORWARD, error=1.2e-12),
        fitted("normal", low, (8.4946, 0.69313), direction=REVERSE, error=3.1e-11),
        fitted("normal", high, (8.4946, 0.69313), direction=REVERSE, error=3.1e-11),
        notes=["2 distinct optima of reverse KL onto normal"],
    )


def shown(found, form, **view):
    out = io.BytesIO()
    RENDERERS[form](FitAnswer(found), View(**view), out)
    return out.getvalue().decode()

"""A small sample of what `tests/benchmarks/formulas_beside_mpmath.py` compares, and what once lost its digits."""

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from klcli.families.measure import measure
from klcli.families.special import log_binomial, saddle_deviance, stirling_remainders
from tests.benchmarks.formulas_beside_mpmath import compare, drawn
from tests.families.laws import law, mixture, seeded

PAIRS = [
    ("gamma", "lognormal"),
    ("weibull", "gamma"),
    ("beta", "uniform"),
    ("student_t", "laplace"),
    ("triangular", "exponential"),
    ("negative_binomial", "poisson"),
    ("binomial", "geometric"),
]


@pytest.mark.parametrize("pair", PAIRS)
def test_closed_forms_are_within_the_bar_and_errors_cover(pair):
    random = seeded("beside", pair)
    rows = compare(pair, *(drawn(family, random, 1e-1, 1e1) for family in pair))
    assert [row for row in rows if row[3]] == []
    assert sum(way in {"closed", "estimated"} for _, way, *_ in rows) >= 4


@pytest.mark.parametrize(
    ("p", "q", "name", "exact", "rel"),
    [
        (
            law("student_t", df=1e6, mu=0.0, scale=1.0),
            law("normal", mu=0.0, sd=1.0),
            "kl_pq",
            1.7500041666747917e-12,
            1e-8,
        ),
        (law("gamma", shape=1e8, rate=1.0), law("normal", mu=1e8, sd=1e4), "kl_pq", 3.333333341666667e-09, 1e-11),
        (law("weibull", shape=1e8, scale=1.0), law("normal", mu=1.0, sd=1e-8), "kl_pq", 0.33077884217889747, 1e-8),
        (law("normal", mu=-1000.0, sd=1.0), law("gumbel", mu=-1000.0, scale=1.0), "kl_pq", 0.2297827374954554, 1e-12),
        (law("normal", mu=1.2, sd=1.7), law("normal", mu=-0.5, sd=2.8), "total_variation", 0.3534786843419312, 1e-13),
        (law("normal", mu=1e14, sd=1.0), law("normal", mu=0.0, sd=1.0), "js_divergence", 0.6931471805599453, 1e-13),
        (
            law("weibull", shape=2.0, scale=0.1),
            law("gamma", shape=2.0, rate=20.0),
            "chi2_pq",
            0.1192629529259236,
            1e-11,
        ),
        (
            mixture((0.5, "weibull", {"shape": 2.7, "scale": 0.2}), (0.5, "exponential", {"rate": 1.8})),
            law("exponential", rate=9.0),
            "kl_pq",
            1.2467455050801235,
            1e-11,
        ),
        (law("poisson", rate=1e12), None, "entropy", 15.234449091168863, 1e-13),
    ],
)
def test_what_once_lost_its_digits(p, q, name, exact, rel):
    found = measure(p, q, [name])[name]
    assert found.value == pytest.approx(exact, rel=rel, abs=0)
    assert abs(found.value - exact) <= (found.error or 0.0) + 1e-15 * abs(exact)


@pytest.mark.parametrize("k", [0.0, 1.0, 3.0, 300_000.0, 999_000.0, 1e6])
@pytest.mark.parametrize("p", [1e-9, 0.3, 0.999])
def test_log_masses_of_many_trials(k, p):
    with mpmath.workdps(60):
        ways = mpmath.loggamma(mpf(10**6 + 1)) - mpmath.loggamma(mpf(k) + 1) - mpmath.loggamma(10**6 - mpf(k) + 1)
        exact = float(ways + k * mpmath.log(mpf(p)) + (10**6 - k) * mpmath.log1p(-mpf(p)))
    found = log_binomial(np.array([k]), np.array([1e6 - k]), p)
    assert found[0] == pytest.approx(exact, rel=4e-15, abs=1e-15)


@pytest.mark.parametrize("x", [1e-6, 0.5, 1.0, 15.9, 16.0, 1e3, 1e16])
def test_the_parts_of_the_saddle_point_form(x):
    with mpmath.workdps(60):
        exact = mpmath.loggamma(x) - ((mpf(x) - 0.5) * mpmath.log(x) - x + mpmath.log(2 * mpmath.pi) / 2)
        deviance = [x * mpmath.log(x / mpf(mean)) + mean - x for mean in (x * (1 + 2**-20), 3 * x, 1e-9)]
    assert stirling_remainders(np.array([x]))[0] == pytest.approx(float(exact), rel=1e-13, abs=1e-14)
    found = [saddle_deviance(np.array([x]), mean)[0] for mean in (x * (1 + 2**-20), 3 * x, 1e-9)]
    assert found == pytest.approx(list(map(float, deviance)), rel=1e-14, abs=0)

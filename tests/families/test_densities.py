"""Densities, masses and draws against SciPy's."""

import mpmath
import numpy as np
import pytest
from scipy import stats

from klcli.families.catalogue import CONTINUOUS, FAMILIES, VECTORS
from klcli.families.special import log_gamma, log_rising
from tests.families.laws import law, mixture, parameters, seeded

ON_A_LINE = [name for name, family in FAMILIES.items() if family.kind != VECTORS]


@pytest.mark.parametrize("family", ON_A_LINE)
def test_log_densities_are_scipys(family):
    random = seeded("density", family)
    for _ in range(30):
        p = parameters(family, random)
        theirs = FAMILIES[family](**p).as_scipy()
        if FAMILIES[family].kind == CONTINUOUS:
            x = np.concatenate([theirs.ppf([0.001, 0.1, 0.5, 0.9, 0.999]), random.normal(0, 5, 5)])
            expected = theirs.logpdf(x)
        else:
            x = np.concatenate([np.arange(12.0), [-1.0, 2.5]])
            expected = theirs.logpmf(x)
        np.testing.assert_allclose(law(family, **p).log_density(x), expected, rtol=1e-9, atol=1e-9)


def test_vectors_are_scipys():
    random = seeded("vectors")
    p = parameters("multivariate_normal", random)
    x = random.normal(size=(7, 3))
    expected = stats.multivariate_normal(p["mean"], p["cov"]).logpdf(x)
    np.testing.assert_allclose(law("multivariate_normal", **p).log_density(x), expected, rtol=1e-12)
    p = parameters("dirichlet", random)
    x = random.dirichlet(np.ones(4), 7)
    expected = [stats.dirichlet(p["alpha"]).logpdf(row / row.sum()) for row in x]
    np.testing.assert_allclose(law("dirichlet", **p).log_density(x), expected, rtol=1e-9)


@pytest.mark.parametrize("family", ["lognormal", "gamma", "beta", "weibull"])
def test_densities_by_logarithm_are_the_same(family):
    random = seeded("log", family)
    one = law(family, **parameters(family, random))
    t = np.linspace(-20, -0.1, 50)
    np.testing.assert_allclose(one.log_density_above_0(t), one.log_density(np.exp(t)), rtol=1e-12)
    np.testing.assert_allclose(one.log_density_below_1(t[20:]), one.log_density(1 - np.exp(t[20:])), rtol=1e-9)


def test_far_tails_stay_finite():
    assert law("student_t", df=1.0, mu=0.0, scale=1.0).log_density(np.array([1e300])) == pytest.approx(
        -np.log(np.pi) - 2 * np.log(1e300)
    )


def test_log_gamma_is_the_librarys():
    from scipy.special import gammaln

    x = np.concatenate([np.linspace(0.01, 40, 999), np.logspace(2, 12, 99)])
    np.testing.assert_allclose(log_gamma(x), gammaln(x), rtol=4e-15, atol=1e-15)


@pytest.mark.parametrize("r", [0.3, 17.5, 474.0, 1e5, 1e9])
def test_log_rising_keeps_its_digits_where_log_gammas_cancel(r):
    k = np.array([0.0, 1.0, 3.0, 60.0])
    with mpmath.workdps(40):
        want = [float(mpmath.log(mpmath.rf(mpmath.mpf(r), int(one)))) for one in k]
    np.testing.assert_allclose(log_rising(r, k), want, rtol=3e-15, atol=3e-15)


@pytest.mark.parametrize("family", ON_A_LINE)
def test_draws_follow_the_distribution_function(family):
    random = seeded("draws", family)
    p = parameters(family, random)
    one, n = law(family, **p), 20_000
    x = one.sample(n, random)
    for at in np.quantile(x, [0.1, 0.5, 0.9]):
        expected = float(one.cdf(at))
        assert abs((x <= at).mean() - expected) < 5 * np.sqrt(max(expected * (1 - expected), 1e-4) / n)


def test_a_mixture_draws_from_its_parts_in_any_order():
    both = mixture((0.25, "normal", {"mu": -9.0, "sd": 1.0}), (0.75, "normal", {"mu": 9.0, "sd": 1.0}))
    x = both.sample(4000, np.random.default_rng(1))
    assert abs((x < 0).mean() - 0.25) < 0.05
    assert abs((x[:400] < 0).mean() - 0.25) < 0.15
    assert np.array_equal(x, both.sample(4000, np.random.default_rng(1)))

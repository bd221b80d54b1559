"""Laws that hold of every family in the catalogue, and values of single ones by mpmath."""

from math import inf

import mpmath
import numpy as np
import pytest

from klcli.families.catalogue import CONTINUOUS, CONTINUOUS_FAMILIES, COUNTS, FAMILIES, FITTED, VECTORS
from klcli.families.closed import divergence
from klcli.families.likelihood.sorted_sample import SortedSample
from klcli.families.measure import measure
from klcli.families.numeric.expectations import expectations
from klcli.families.numeric.integrands import INTEGRANDS
from tests.families.laws import law, parameters, seeded

ON_A_LINE = [name for name, family in FAMILIES.items() if family.kind != VECTORS]


@pytest.mark.parametrize("family", ON_A_LINE)
def test_a_density_integrates_to_1(family):
    random = seeded("mass", family)
    for _ in range(20):
        one = law(family, **parameters(family, random))
        found = expectations(one, None, {"mass_p": INTEGRANDS["mass_p"]})["mass_p"]
        assert found.value == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize("family", FITTED)
def test_maximum_likelihood_finds_the_parameters_that_were_drawn_from(family):
    random = seeded("likelihood", family)
    for _ in range(3):
        true = parameters(family, random)
        if family == "skew_normal" and abs(true["shape"]) < 1:
            true["shape"] = 3.0  # near 0 its information is singular
        data = SortedSample.of(FAMILIES[family](**true).draw(20_000, random).astype(float), None)
        found = FAMILIES[family].estimate(data)
        for name, value in true.items():
            error = found.errors[name]
            # Ends of a support have none: they are nearer than 20 in n.
            allowed = 5 * max(error, 1e-9) if np.isfinite(error) else 20 * max(1.0, abs(value)) / data.n
            if "at a bound" not in " ".join(found.remarks):
                assert abs(found.parameters[name] - value) <= allowed, (name, value, found)


def test_draws_and_fits_of_a_family_are_those_of_the_one_that_holds_it():
    for family in ON_A_LINE:
        p = parameters(family, seeded("wider", family))
        one = FAMILIES[family](**p)
        for wider, given in one.wider().items():
            x = np.unique(one.draw(50, seeded("draws", family)).astype(float))
            np.testing.assert_allclose(one.log_density(x), FAMILIES[wider](**given).log_density(x), rtol=1e-12)
            assert divergence(one, FAMILIES[wider](**given)) == pytest.approx(0, abs=1e-13)


# ------------------------------------------------------------------------------------------------- against 40 digits


def _integral(f, ends):
    return float(mpmath.quad(f, ends))


def _log_phi(z):
    return mpmath.log(mpmath.erfc(-z / mpmath.sqrt(2)) / 2)


LOG_DENSITIES = {
    "cauchy": lambda x, mu, scale: -mpmath.log(mpmath.pi * scale) - mpmath.log1p(((x - mu) / scale) ** 2),
    "pareto": lambda x, scale, shape: mpmath.log(shape / scale) - (shape + 1) * mpmath.log(x / scale),
    "half_normal": lambda x, scale: mpmath.log(2 / mpmath.pi) / 2 - mpmath.log(scale) - (x / scale) ** 2 / 2,
    "chi2": lambda x, df: (df / 2 - 1) * mpmath.log(x) - x / 2 - df / 2 * mpmath.log(2) - mpmath.loggamma(df / 2),
    "rayleigh": lambda x, scale: mpmath.log(x) - 2 * mpmath.log(scale) - (x / scale) ** 2 / 2,
    "triangular": lambda x, low, mode, high: mpmath.log(
        2 * ((x - low) / (mode - low) if x <= mode else (high - x) / (high - mode)) / (high - low)
    ),
    "skew_normal": lambda x, mu, scale, shape: (
        mpmath.log(2 / scale)
        - mpmath.log(2 * mpmath.pi) / 2
        - ((x - mu) / scale) ** 2 / 2
        + _log_phi(shape * (x - mu) / scale)
    ),
}
CASES = [
    ("cauchy", {"mu": 0.5, "scale": 2.0}, {"mu": -1.0, "scale": 0.7}, [-inf, -1, 0.5, inf]),
    ("pareto", {"scale": 2.0, "shape": 3.5}, {"scale": 1.5, "shape": 1.2}, [2, 4, inf]),
    ("half_normal", {"scale": 0.6}, {"scale": 2.5}, [0, 1, 4, 8]),
    ("chi2", {"df": 3.0}, {"df": 7.5}, [0, 3, 9, 30, 90]),
    ("rayleigh", {"scale": 2.0}, {"scale": 0.9}, [0, 2, 6, 20]),
    ("triangular", {"low": 0.0, "mode": 1.0, "high": 3.0}, {"low": -1.0, "mode": 2.0, "high": 4.0}, [0, 1, 2, 3]),
    (
        "skew_normal",
        {"mu": 0.5, "scale": 2.0, "shape": 3.0},
        {"mu": 0.0, "scale": 3.0, "shape": -1.0},
        [-8, -2, 0, 2, 6, 20],
    ),
]


@pytest.mark.parametrize(("family", "p", "q", "ends"), CASES, ids=[case[0] for case in CASES])
def test_entropies_and_divergences_against_40_digits(family, p, q, ends):
    log_density = LOG_DENSITIES[family]
    one, other = law(family, **p), law(family, **q)
    with mpmath.workdps(40):
        at = [mpmath.mpf(x) for x in (2.25, 2.5, 2.9)]
        expected = [float(log_density(x, **p)) for x in at]
        f = lambda x: mpmath.exp(log_density(x, **p))  # noqa: E731
        entropy = _integral(lambda x: -f(x) * log_density(x, **p) if x not in ends else 0, ends)
        kl = _integral(
            lambda x: f(x) * (log_density(x, **p) - log_density(x, **q)) if x not in ends or family == "pareto" else 0,
            ends,
        )
    np.testing.assert_allclose(one.log_density(np.array([2.25, 2.5, 2.9])), expected, rtol=1e-14)
    for closed in (True, False):
        found = measure(one, other, ["entropy_p", "kl_pq"], closed=closed)
        assert found["entropy_p"].value == pytest.approx(entropy, rel=1e-11)
        assert found["kl_pq"].value == pytest.approx(kl, rel=1e-11)


def test_cauchy_laws_of_all_distances():
    p, q = FAMILIES["cauchy"](mu=0.0, scale=1e-300), FAMILIES["cauchy"](mu=1e10, scale=1.0)
    apart = 20 * np.log(10) + 300 * np.log(10) - np.log(4)
    assert p.kl(q) == pytest.approx(apart, rel=1e-14)
    assert p.renyi(q, 2.0, -1.0) == pytest.approx(apart + np.log(2), rel=1e-14)


def test_a_density_that_ends_as_a_line_against_one_that_does_not():
    """Its logarithm is infinite at both ends. -E log of the triangle under the uniform law is 1 - log 2."""
    p, q = law("triangular", low=0.0, mode=0.5, high=1.0), law("uniform", low=0.0, high=1.0)
    found = measure(p, q, ["kl_qp"])["kl_qp"]
    assert found.value == pytest.approx(1 - np.log(2), rel=1e-10)
    assert abs(found.value - (1 - np.log(2))) <= found.error < 1e-9


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0, 1e3, 1e16])
def test_closed_forms_hold_at_all_sizes(size):
    with mpmath.workdps(60):
        a, b = mpmath.mpf(size), mpmath.mpf(size * (1 + 2**-20))
        exact = {
            "cauchy": mpmath.log(((a + b) ** 2 + (a - b) ** 2) / (4 * a * b)),
            "pareto": mpmath.log(a / b) + b / a - 1,
            "half_normal": mpmath.log(b / a) + (a / b) ** 2 / 2 - mpmath.mpf(1) / 2,
            "rayleigh": 2 * mpmath.log(b / a) + (a / b) ** 2 - 1,
        }
    near = size * (1 + 2**-20)
    given = {
        "cauchy": ({"mu": size, "scale": size}, {"mu": near, "scale": near}),
        "pareto": ({"scale": 3.0, "shape": size}, {"scale": 3.0, "shape": near}),
        "half_normal": ({"scale": size}, {"scale": near}),
        "rayleigh": ({"scale": size}, {"scale": near}),
    }
    for family, (p, q) in given.items():
        found = FAMILIES[family](**p).kl(FAMILIES[family](**q))
        assert found == pytest.approx(float(exact[family]), rel=1e-11, abs=0), family


@pytest.mark.parametrize("z", [-1e150, -1e3, -40.0, -37.0, -36.9, -5.0, -0.1, 0.0, 3.0, 40.0])
def test_the_log_of_the_normal_distribution_function(z):
    from klcli.families.special import log_normal_below

    with mpmath.workdps(40):
        exact = float(_log_phi(mpmath.mpf(z))) if z > -1e4 else -z * z / 2
    assert float(log_normal_below(np.array([z]))[0]) == pytest.approx(exact, rel=1e-13, abs=1e-300)


def test_the_catalogue_knows_every_file_and_no_more():
    assert {family.kind for family in FAMILIES.values()} >= {CONTINUOUS, COUNTS, VECTORS}
    assert [name for name, family in FAMILIES.items() if family.name != name] == []
    assert {name for name in CONTINUOUS_FAMILIES if FAMILIES[name].kind != CONTINUOUS} == set()
    assert {family for family in FITTED if FAMILIES[family].nests} == {"skew_normal"}

"""Quadrature, summation and sampling where they are hard: mixtures, heavy tails, steep ends, unlike scales."""

from math import inf, log

import numpy as np
import pytest

from klcli.engine.measures import MEASURES, OF_WEIGHTS
from klcli.families.measure import measure
from klcli.families.numeric.expectations import outside
from klcli.families.numeric.fixed import FixedNodes
from klcli.families.numeric.sampling import Sampling
from tests.families.laws import law, mixture, parameters, seeded

TWO_HUMPS = mixture((0.5, "normal", {"mu": -3.0, "sd": 0.7}), (0.5, "normal", {"mu": 3.0, "sd": 0.7}))
WIDE = law("normal", mu=0.0, sd=3.08)


def divergence(p, q, name="kl_pq", **options):
    return measure(p, q, [name], **options)[name]


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (TWO_HUMPS, law("normal", mu=1.0, sd=2.0)),
        (law("beta", a=0.3, b=0.4), law("beta", a=0.4, b=0.2)),
        (law("gumbel", mu=0.0, scale=1.0), law("normal", mu=0.5, sd=1.3)),
    ],
    ids=["two humps", "steep ends", "an exponential tail"],
)
def test_kl_at_points_that_stay_is_the_measure(p, q):
    with np.errstate(all="ignore"):
        nodes, (model,) = FixedNodes([p, q]), q.members
        assert nodes.kl_to(model) == pytest.approx(divergence(p, q).value, rel=1e-9)
        assert nodes.kl_from(model) == pytest.approx(divergence(p, q, "kl_qp").value, rel=1e-9)


def test_points_that_miss_a_model_do_not_know_its_kl():
    nodes, (needle,) = FixedNodes([TWO_HUMPS, WIDE]), law("normal", mu=0.1234, sd=1e-9).members
    with np.errstate(all="ignore"):
        assert nodes.kl_from(needle) == inf


def test_a_narrow_component_far_away():
    far = mixture((0.5, "normal", {"mu": 0.0, "sd": 1.0}), (0.5, "normal", {"mu": 1e6, "sd": 1e-3}))
    q = law("student_t", df=1.0, mu=0.0, scale=1.0)
    near = law("normal", mu=0.0, sd=1.0)
    humps = [divergence(near, q).value, -0.5 * log(2 * np.pi * np.e * 1e-6) + log(np.pi) + 2 * log(1e6)]
    # Doubles near 1e6 are 1e-7 of its width apart.
    assert divergence(far, q).value == pytest.approx(sum(humps) / 2 - log(2), rel=1e-8)


@pytest.mark.parametrize(
    ("family", "p", "q"),
    [
        ("beta", {"a": 0.1, "b": 0.1}, {"a": 0.02, "b": 3.0}),
        ("gamma", {"shape": 0.01, "rate": 1.0}, {"shape": 0.5, "rate": 1e-6}),
        ("gamma", {"shape": 1e4, "rate": 1e-3}, {"shape": 1.1e4, "rate": 1e-3}),
        ("lognormal", {"mu": 0.0, "sd": 8.0}, {"mu": 1.0, "sd": 5.0}),
        ("normal", {"mu": 0.0, "sd": 1e-6}, {"mu": 0.0, "sd": 1e6}),
        ("normal", {"mu": 1e-300, "sd": 1e-290}, {"mu": 0.0, "sd": 2e-290}),
        ("weibull", {"shape": 0.2, "scale": 1.0}, {"shape": 0.3, "scale": 9.0}),
    ],
)
def test_steep_ends_and_unlike_scales(family, p, q):
    one, other = law(family, **p), law(family, **q)
    closed = measure(one, other, ["kl_pq", "kl_qp"])
    found = measure(one, other, ["kl_pq", "kl_qp"], closed=False)
    for name, known in closed.items():
        assert known.method == "closed form"
        assert found[name].value == pytest.approx(known.value, rel=1e-9), name


def test_two_cauchy_laws():
    """Chyzak & Nielsen 2019, arXiv:1905.10965."""
    p, q = law("student_t", df=1.0, mu=0.0, scale=1.0), law("student_t", df=1.0, mu=3.0, scale=2.0)
    assert divergence(p, q).value == pytest.approx(log((3**2 + 9) / 8), rel=1e-12)


def test_close_laws_keep_their_digits():
    p, q = law("normal", mu=0.0, sd=1.0), law("normal", mu=1e-6, sd=1.0)
    for name, value in (("kl_pq", 5e-13), ("js_divergence", 1.25e-13), ("chi2_pq", 1e-12), ("renyi_pq", 1e-12)):
        assert divergence(p, q, name, closed=False).value == pytest.approx(value, rel=1e-9)


def test_counts_are_summed_far_out():
    p, q = law("poisson", rate=1000.0), law("poisson", rate=1.0)
    found = measure(p, q, ["kl_pq", "kl_qp", "renyi_pq"], closed=False)
    for name, known in measure(p, q, found).items():
        assert found[name].value == pytest.approx(known.value, rel=1e-9), name
    assert found["kl_pq"].method == "summation"


def test_mass_outside():
    assert outside(law("normal", mu=0.0, sd=1.0), law("exponential", rate=1.0)) == pytest.approx(0.5)
    assert outside(law("normal", mu=0.0, sd=1.0), law("uniform", low=-40.0, high=20.0)) == pytest.approx(
        2.7536241186062337e-89, rel=1e-9
    )
    assert outside(law("binomial", n=2, p=0.5), law("bernoulli", p=0.5)) == pytest.approx(0.25)
    assert outside(law("beta", a=2.0, b=2.0), law("normal", mu=0.0, sd=1.0)) == 0


@pytest.mark.parametrize(
    ("family", "other"),
    [
        ("normal", "laplace"),
        ("gamma", "lognormal"),
        ("beta", "uniform"),
        ("poisson", "geometric"),
        ("normal", "normal"),
    ],
)
def test_samples_agree_within_five_standard_errors(family, other):
    random = seeded("sampling", family, other)
    p = law(family, **parameters(family, random))
    q = law(other, **parameters(other, random))
    names = [name for name in MEASURES if name not in {"chi2_pq", "renyi_pq"} | OF_WEIGHTS]
    exact = measure(p, q, names)
    found = measure(p, q, names, sampling=Sampling(20_000, 1), closed=False)
    for name in names:
        value, error, method = found[name]
        if exact[name].value == inf:
            assert value == inf
            continue
        assert method == "sampling"
        assert abs(value - exact[name].value) <= 5 * error + 1e-12, name


@pytest.mark.parametrize("family", ["multivariate_normal", "dirichlet"])
def test_samples_of_vectors(family):
    random = seeded("vectors", family)
    p, q = (law(family, **parameters(family, random)) for _ in range(2))
    names = ["entropy_p", "kl_pq", "kl_qp"]
    exact, found = measure(p, q, names), measure(p, q, names, sampling=Sampling(20_000, 1), closed=False)
    for name in names:
        assert abs(found[name].value - exact[name].value) <= 5 * found[name].error, name


def test_samples_are_reproduced_by_their_seed():
    first, again, another = (divergence(TWO_HUMPS, WIDE, sampling=Sampling(1000, seed)).value for seed in (7, 7, 8))
    assert first == again != another

"""What is measured by which way, the laws between measures, and what is said when nothing can be."""

from math import exp, inf, log

import pytest

from klcli.engine.measures import MEASURES, OF_WEIGHTS, SHOWN_OF_ONE
from klcli.errors import DistributionError, UsageError
from klcli.families.catalogue import FAMILIES, VECTORS
from klcli.families.infinite import explain_infinite
from klcli.families.measure import measure
from klcli.families.numeric.sampling import Sampling
from tests.families.laws import law, mixture, parameters, seeded

PAIR = [name for name in MEASURES if name not in OF_WEIGHTS]
NORMAL = law("normal", mu=0.0, sd=1.0)
CAUCHY = law("student_t", df=1.0, mu=0.0, scale=1.0)


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if family.kind != VECTORS])
def test_of_itself_every_divergence_is_0(family):
    p = law(family, **parameters(family, seeded("self", family)))
    names = [name for name in PAIR if not name.startswith(("entropy", "cross", "perplexity"))]
    for closed in (True, False):
        assert all(abs(e.value) < 1e-14 for e in measure(p, p, names, closed=closed).values())


def test_single_measures():
    found = measure(NORMAL, None, SHOWN_OF_ONE)
    assert found["perplexity"].value == pytest.approx(exp(found["entropy"].value))
    assert found["entropy"].error is None
    assert measure(NORMAL, None, SHOWN_OF_ONE, closed=False)["entropy"].method == "quadrature"


@pytest.mark.parametrize("alpha", [0, 0.25, 1, 1.000001, 3, inf])
def test_renyi_orders(alpha):
    p, q = law("exponential", rate=2.0), law("exponential", rate=1.0)
    exact = {0: 0.0, 1: log(2) - 0.5, inf: log(2)}.get(
        alpha, measure(p, q, ["renyi_pq"], alpha=alpha)["renyi_pq"].value
    )
    found = measure(p, q, ["renyi_pq"], alpha=alpha, closed=False)["renyi_pq"].value
    assert found == pytest.approx(exact, rel=1e-8, abs=1e-14)


@pytest.mark.parametrize(
    ("p", "q", "said"),
    [
        (NORMAL, law("exponential", rate=1.0), "0.5 of P's mass lies below 0, where Q has none"),
        (NORMAL, law("uniform", low=-1.0, high=1.0), "0.317 of P's mass lies below -1 and above 1, where Q has none"),
        (law("poisson", rate=1.0), law("bernoulli", p=0.5), "0.264 of P's mass lies above 1, where Q has none"),
        (law("categorical", p=(0.5, 0.5)), law("categorical", p=(1.0, 0.0)), "0.5 of P's mass lies"),
        (CAUCHY, NORMAL, "the integral diverges: P's left tail (student_t) is too heavy"),
        (mixture((0.5, "student_t", {"df": 1.0, "mu": 0.0, "scale": 1.0}), (0.5, "normal", {"mu": 0.0, "sd": 1.0})),
         mixture((0.5, "normal", {"mu": 0.0, "sd": 1.0}), (0.5, "laplace", {"mu": 0.0, "scale": 1.0})),
         "too heavy for Q's (normal and laplace)"),
    ],
)  # fmt: skip
def test_what_is_infinite_is_explained(p, q, said):
    for closed in (True, False):
        found = measure(p, q, ["kl_pq", "cross_entropy_pq", "jeffreys"], closed=closed)
        assert {estimate.value for estimate in found.values()} == {inf}
    assert said in explain_infinite(p, q)


def test_a_mixture_with_a_heavy_component_holds_a_heavy_tail():
    heavy = mixture((0.5, "normal", {"mu": 0.0, "sd": 1.0}), (0.5, "student_t", {"df": 0.5, "mu": 0.0, "scale": 1.0}))
    assert measure(CAUCHY, heavy, ["kl_pq"])["kl_pq"].value < 1


def test_disjoint_laws():
    p, q = law("uniform", low=0.0, high=1.0), law("uniform", low=2.0, high=3.0)
    found = {name: estimate.value for name, estimate in measure(p, q, PAIR).items()}
    assert found["js_divergence"] == pytest.approx(log(2))
    assert found["total_variation"] == found["hellinger"] == pytest.approx(1)
    assert found["bhattacharyya"] == found["kl_pq"] == found["chi2_pq"] == found["renyi_pq"] == inf


def test_vectors_need_samples_where_there_is_no_closed_form():
    p = law("multivariate_normal", mean=(0.0, 0.0), cov=((1.0, 0.0), (0.0, 1.0)))
    q = law("multivariate_normal", mean=(1.0, 0.0), cov=((1.0, 0.0), (0.0, 1.0)))
    assert measure(p, q, ["kl_pq"])["kl_pq"] == (0.5, None, "closed form")
    with pytest.raises(UsageError, match="js_divergence of multivariate_normal has no closed form; add --samples N"):
        measure(p, q, ["js_divergence"])
    assert measure(p, q, ["js_divergence"], sampling=Sampling(1000, 1))["js_divergence"].method == "sampling"


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (NORMAL, law("poisson", rate=1.0)),
        (NORMAL, law("dirichlet", alpha=(1.0, 1.0))),
        (law("dirichlet", alpha=(1.0, 1.0)), law("dirichlet", alpha=(1.0, 1.0, 1.0))),
    ],
)
def test_unlike_kinds_cannot_be_compared(p, q):
    with pytest.raises(DistributionError, match="cannot compare"):
        measure(p, q, ["kl_pq"])


@pytest.mark.parametrize(("a", "b"), [(8.0, 4.0), (2.0, 7.0), (0.982, 1.116)])
def test_a_cross_entropy_that_is_0_is_exactly_0(a, b):
    p, uniform = law("beta", a=a, b=b), law("beta", a=1.0, b=1.0)
    assert measure(p, uniform, ["cross_entropy_pq"])["cross_entropy_pq"] == (0.0, None, "closed form")
    assert measure(uniform, p, ["cross_entropy_qp"])["cross_entropy_qp"] == (0.0, None, "closed form")


def test_too_many_counts_are_said():
    with pytest.raises(DistributionError, match="too many whole numbers; add --samples N"):
        measure(law("poisson", rate=1e30), law("geometric", p=1e-9), ["js_divergence"])

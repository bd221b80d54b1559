"""The closed forms against quadrature and summation, against 50 digits where they nearly vanish, and their bounds."""

import sys
from itertools import product
from math import exp, inf, log, pi, sqrt

import mpmath
import numpy as np
import pytest

from klcli.families.catalogue import CONTINUOUS, FAMILIES, VECTORS
from klcli.families.differences import excess, exp_excess
from klcli.families.measure import measure
from klcli.families.pair import LawPair
from tests.families.laws import between, law, parameters, seeded

ON_A_LINE = [name for name, family in FAMILIES.items() if family.kind != VECTORS]
LINE_PAIRS = [
    pair for pair in product(ON_A_LINE, ON_A_LINE) if len({FAMILIES[name].kind == CONTINUOUS for name in pair}) == 1
]


def member(family, parameters):
    return FAMILIES[family](**parameters)


def closed(first, p, second, q):
    """KL(P||Q) where it has a closed form."""
    return LawPair(law(first, **p), law(second, **q), 2.0, None, closed=True).known("kl_pq")


SAME = {"binomial": "n", "negative_binomial": "r"}
"""What two of a family must share for a closed form."""


def two(first, second, random):
    p, q = parameters(first, random), parameters(second, random)
    if first == second and first in SAME:
        q[SAME[first]] = p[SAME[first]]
    if first in {"laplace", "logistic"} and second == "gumbel":
        # E e^(-x/q) decays as e^-(1/p - 1/q)abs(x): where that is slow, log q leaves the doubles before it has.
        q["scale"] = p["scale"] * (random.uniform(0.3, 0.9) if random.random() < 0.3 else random.uniform(1.3, 3))
    return p, q


def has_form(first, second):
    """Whether KL has a closed form that is not an infinity for want of support."""
    p, q = two(first, second, seeded("form", first, second))
    return closed(first, p, second, q) is not None


def with_form(method, *order):
    """The families whose `method` with another member has a closed form."""
    each = [(family, member(family, parameters(family, seeded("form", family)))) for family in ON_A_LINE]
    return [family for family, one in each if getattr(one, method)(one, *order) is not None]


PAIRS = [pair for pair in LINE_PAIRS if has_form(*pair)]


def agrees(closed, found):
    return abs(closed - found) <= 1e-9 * abs(closed) + 1e-13


def test_no_closed_form_was_lost():
    assert len(PAIRS) >= 250


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_a_divergence_is_its_integral(first, second):
    random = seeded(first, second)
    compared = 0
    for _ in range(20):
        p, q = two(first, second, random)
        value = closed(first, p, second, q)
        if value is None:
            continue
        compared += 1
        found = measure(law(first, **p), law(second, **q), ["kl_pq"], closed=False)["kl_pq"].value
        assert value == found == inf or agrees(value, found), (p, q)
    assert compared == 20 or {first, second} & {*SAME, "triangular"}


@pytest.mark.parametrize("family", ON_A_LINE)
def test_an_entropy_is_its_integral(family):
    random = seeded("entropy", family)
    for _ in range(100):
        p = parameters(family, random)
        value = member(family, p).entropy()
        found = measure(law(family, **p), None, ["entropy"], closed=False)["entropy"].value
        assert value is None or abs(value - found) <= 1e-10 * max(1, abs(found)), p


@pytest.mark.parametrize("family", with_form("renyi", 0.5, 0.5))
@pytest.mark.parametrize("alpha", [0.5, 0.9, 2.0])
def test_a_renyi_divergence_is_its_integral(family, alpha):
    random = seeded("renyi", family)
    for _ in range(100 if alpha == 0.5 else 30):
        p, q = two(family, family, random)
        if family == "pareto":
            q["scale"] = min(p["scale"], q["scale"])
        value = member(family, p).renyi(member(family, q), alpha, 1 - alpha)
        found = measure(law(family, **p), law(family, **q), ["renyi_pq"], alpha=alpha, closed=False)["renyi_pq"].value
        assert value == found == inf or agrees(value, found), (p, q)


@pytest.mark.parametrize("family", with_form("total_variation"))
def test_a_total_variation_is_its_integral(family):
    random = seeded("tv", family)
    for _ in range(100):
        p, q = two(family, family, random)
        q |= {"sd": p["sd"]} if "sd" in p else {}
        value = member(family, p).total_variation(member(family, q))
        found = measure(law(family, **p), law(family, **q), ["total_variation"], closed=False)["total_variation"].value
        assert agrees(value, found), (p, q)


@pytest.mark.parametrize("pair", [*PAIRS, ("multivariate_normal",) * 2, ("dirichlet",) * 2])
def test_no_divergence_is_negative_and_of_itself_it_is_0(pair):
    random = seeded("laws", pair)
    for _ in range(100):
        p, q = two(*pair, random)
        value = closed(pair[0], p, pair[1], q)
        assert value is None or value >= 0
        if pair[0] == pair[1] != "triangular":
            assert abs(closed(pair[0], p, pair[1], p)) < 1e-14


@pytest.mark.parametrize("family", FAMILIES)
def test_every_source_is_named(family):
    """In the docstring of the family's file, and of each of its closed forms."""
    one = FAMILIES[family]
    assert "Source: " in sys.modules[one.__module__].__doc__
    own = [vars(one)[name] for name in ("entropy", "kl", "renyi", "total_variation") if name in vars(one)]
    assert all("Source: " in method.__doc__ for method in own)


@pytest.mark.parametrize("u", [1e-300, 1e-9, -1e-6, 1e-3, -0.1, 0.2, -0.24, 0.3, -0.9, 5.0, 1e9])
def test_the_two_curves_keep_their_digits(u):
    with mpmath.workdps(700):
        x = mpmath.mpf(u)
        assert excess(u) == pytest.approx(float(x - mpmath.log1p(x)), rel=1e-14, abs=0)
        if u < 100:
            assert exp_excess(u) == pytest.approx(float(mpmath.expm1(x) - x), rel=1e-14, abs=0)


def _m(value):
    return mpmath.mpf(value)


def _normal(p, q):
    return mpmath.log(q["sd"] / p["sd"]) + (p["sd"] ** 2 + (p["mu"] - q["mu"]) ** 2) / (2 * q["sd"] ** 2) - _m(1) / 2


def _gamma(p, q):
    a, b = p["shape"], q["shape"]
    return (
        (a - b) * mpmath.digamma(a)
        - mpmath.loggamma(a)
        + mpmath.loggamma(b)
        + b * mpmath.log(p["rate"] / q["rate"])
        + a * (q["rate"] - p["rate"]) / p["rate"]
    )


def _beta(p, q):
    def log_beta(a, b):
        return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)

    a, b, c, d = p["a"], p["b"], q["a"], q["b"]
    return (
        log_beta(c, d)
        - log_beta(a, b)
        + (a - c) * mpmath.digamma(a)
        + (b - d) * mpmath.digamma(b)
        + (c - a + d - b) * mpmath.digamma(a + b)
    )


def _weibull(p, q):
    k, other, scale, wide = p["shape"], q["shape"], p["scale"], q["scale"]
    return (
        mpmath.log(k / scale**k)
        - mpmath.log(other / wide**other)
        + (k - other) * (mpmath.log(scale) - mpmath.euler / k)
        + (scale / wide) ** other * mpmath.gamma(other / k + 1)
        - 1
    )


def _gumbel(p, q):
    r = p["scale"] / q["scale"]
    apart = (p["mu"] - q["mu"]) / q["scale"]
    return -mpmath.log(r) + apart + mpmath.euler * (r - 1) + mpmath.exp(-apart) * mpmath.gamma(1 + r) - 1


def _laplace(p, q):
    apart, r = abs(p["mu"] - q["mu"]), p["scale"] / q["scale"]
    return -mpmath.log(r) + apart / q["scale"] + r * mpmath.exp(-apart / p["scale"]) - 1


def _coin(p, q):
    p, q = p["p"], q["p"]
    return p * mpmath.log(p / q) + (1 - p) * mpmath.log((1 - p) / (1 - q))


EXACT = {
    "normal": _normal,
    "lognormal": _normal,
    "exponential": lambda p, q: mpmath.log(p["rate"] / q["rate"]) + q["rate"] / p["rate"] - 1,
    "gamma": _gamma,
    "beta": _beta,
    "weibull": _weibull,
    "laplace": _laplace,
    "gumbel": _gumbel,
    "uniform": lambda p, q: mpmath.log((q["high"] - q["low"]) / (p["high"] - p["low"])),
    "poisson": lambda p, q: p["rate"] * mpmath.log(p["rate"] / q["rate"]) - p["rate"] + q["rate"],
    "binomial": lambda p, q: p["n"] * _coin(p, q),
    "geometric": lambda p, q: _coin(p, q) / p["p"],
    "negative_binomial": lambda p, q: p["r"] / p["p"] * _coin(p, q),
    "bernoulli": _coin,
}


@pytest.mark.parametrize("family", EXACT)
@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-9])
def test_near_identical_parameters_keep_their_digits(family, apart):
    random = seeded("near", family, apart)
    for _ in range(20):
        p = parameters(family, random)
        q = {name: value * (1 + apart * random.uniform(0.2, 1)) for name, value in p.items()}
        if family in SAME:
            q[SAME[family]] = p[SAME[family]]
        if family == "uniform":
            q["low"] = p["low"] - apart
        with mpmath.workdps(60):
            exact = float(EXACT[family](*({name: _m(v) for name, v in one.items()} for one in (p, q))))
        assert closed(family, p, family, q) == pytest.approx(exact, rel=1e-11, abs=0), (p, q)


EXTREME = between(1e-6, 1e16)


@pytest.mark.parametrize("family", sorted(EXACT.keys() - {"uniform", *SAME, "geometric", "bernoulli"}))
def test_closed_forms_keep_their_digits_at_all_sizes(family):
    """The bar: 1e-11 for all parameters from 1e-6 to 1e16."""
    random = seeded("extreme", family)
    for _ in range(60):
        p, q = ({one.name: EXTREME(random) for one in FAMILIES[family].parameters} for _ in range(2))
        with mpmath.workdps(60):
            exact = EXACT[family](*({name: _m(v) for name, v in one.items()} for one in (p, q)))
            exact = float(exact) if exact < sys.float_info.max else inf
        assert closed(family, p, family, q) == pytest.approx(exact, rel=1e-11, abs=0), (p, q)


def _dirichlet_entropy(alpha):
    whole = mpmath.fsum(alpha)
    log_beta = mpmath.fsum(map(mpmath.loggamma, alpha)) - mpmath.loggamma(whole)
    rest = mpmath.fsum((a - 1) * mpmath.digamma(a) for a in alpha)
    return log_beta + (whole - len(alpha)) * mpmath.digamma(whole) - rest


def _student_entropy(df, mu, scale):  # noqa: ARG001
    half = (df + 1) / 2
    c = mpmath.log(df) / 2 + mpmath.log(mpmath.beta(df / 2, _m(1) / 2)) + mpmath.log(scale)
    return half * (mpmath.digamma(half) - mpmath.digamma(df / 2)) + c


ENTROPIES = {
    "gamma": lambda shape, rate: (
        shape - mpmath.log(rate) + mpmath.loggamma(shape) + (1 - shape) * mpmath.digamma(shape)
    ),
    "chi2": lambda df: ENTROPIES["gamma"](df / 2, _m(1) / 2),
    "beta": lambda a, b: _dirichlet_entropy((a, b)),
    "student_t": _student_entropy,
    "weibull": lambda shape, scale: mpmath.euler * (1 - 1 / shape) + mpmath.log(scale / shape) + 1,
    "pareto": lambda scale, shape: mpmath.log(scale / shape) + 1 + 1 / shape,
}


@pytest.mark.parametrize("family", ENTROPIES)
def test_entropies_keep_their_digits_at_all_sizes(family):
    random = seeded("extreme entropy", family)
    for _ in range(60):
        p = {one.name: EXTREME(random) for one in FAMILIES[family].parameters}
        with mpmath.workdps(60):
            exact = float(ENTROPIES[family](**{name: _m(v) for name, v in p.items()}))
        assert member(family, p).entropy() == pytest.approx(exact, rel=1e-11, abs=0), p


@pytest.mark.parametrize(("spread", "alpha"), [(0, 0.5), (4, 0.9), (8, 0.5), (14, 2.0)])
def test_normals_of_vectors_keep_the_digits_of_small_axes(spread, alpha):
    """Standard deviations log-uniform over 2 spread decades, against 80 digits."""
    random = seeded("axes", spread)
    for _ in range(10):
        sizes, roots = 10.0 ** random.uniform(-spread, spread, (2, 3)), random.normal(size=(2, 3, 8))
        covs = [np.corrcoef(root) * np.outer(size, size) for root, size in zip(roots, sizes, strict=True)]
        covs = [(cov + cov.T) / 2 for cov in covs]
        p, q = (FAMILIES["multivariate_normal"](mean=(0.0,) * 3, cov=cov) for cov in covs)
        with mpmath.workdps(80):
            a, b = (mpmath.matrix(cov.tolist()) for cov in covs)
            whole = mpmath.log(mpmath.det(b) / mpmath.det(a))
            spread_out = b**-1 * a
            exact = (sum(spread_out[i, i] for i in range(3)) - 3 + whole) / 2
            mixed = mpmath.det(alpha * b + (1 - _m(alpha)) * a)
            logs = [mpmath.log(abs(x)) for x in (mixed, mpmath.det(a), mpmath.det(b))]
            renyi = (logs[0] - (1 - _m(alpha)) * logs[1] - _m(alpha) * logs[2]) / (1 - _m(alpha)) / 2
        assert p.kl(q) == pytest.approx(float(exact), rel=1e-11, abs=0)
        found = p.renyi(q, alpha, 1 - alpha)
        assert found == inf or found == pytest.approx(float(renyi), rel=1e-11, abs=0)
        assert found < inf or alpha > 1


@pytest.mark.parametrize("alpha", [1e-17, 1e-9, 0.3, 0.5, 1 - 2**-50, 2.0])
@pytest.mark.parametrize(("p", "q"), [(2.0, 1.0), (1.0, 2.0), (1e17, 1.0), (1.0, 1e17)])
def test_renyi_divergences_of_exponentials_of_all_orders(alpha, p, q):
    with mpmath.workdps(60):
        mixed = (alpha * _m(p) + (1 - _m(alpha)) * q) / p
        exact = float(mpmath.log(_m(p) / q) + mpmath.log(mixed) / (1 - _m(alpha))) if mixed > 0 else inf
    found = measure(law("exponential", rate=p), law("exponential", rate=q), ["renyi_pq"], alpha=alpha)["renyi_pq"]
    assert found.value == pytest.approx(exact, rel=1e-14, abs=0)


def test_near_identical_vectors_keep_their_digits():
    p = {"mean": (0.0, 1.0), "cov": ((1.0, 0.5), (0.5, 2.0))}
    q = {"mean": (1e-7, 1.0), "cov": ((1.0, 0.5), (0.5, 2.0))}
    assert closed("multivariate_normal", p, "multivariate_normal", q) == pytest.approx(
        0.5 * 1e-14 * 2 / 1.75, rel=1e-12
    )
    a, b = {"alpha": (1.0, 2.0, 3.0)}, {"alpha": (1.0 + 2**-20, 2.0, 3.0)}
    with mpmath.workdps(60):
        step = _m(2) ** -20
        exact = (
            mpmath.loggamma(1 + step) - step * mpmath.digamma(1) - mpmath.loggamma(6 + step) + mpmath.loggamma(6)
        ) + step * mpmath.digamma(6)
    assert closed("dirichlet", a, "dirichlet", b) == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.parametrize(
    ("pair", "p", "q", "value"),
    [
        (("normal", "normal"), {"mu": 0, "sd": 1}, {"mu": 1, "sd": 2}, log(2) - 0.25),
        (("exponential", "exponential"), {"rate": 1}, {"rate": 2}, 1 - log(2)),
        (("uniform", "normal"), {"low": -1, "high": 1}, {"mu": 0, "sd": 1}, 0.5 * log(2 * pi) + 1 / 6 - log(2)),
        (("exponential", "gamma"), {"rate": 2}, {"shape": 1, "rate": 2}, 0),
        (("uniform", "uniform"), {"low": 0, "high": 1}, {"low": 0, "high": 4}, log(4)),
        (("uniform", "uniform"), {"low": 0, "high": 1}, {"low": 0.5, "high": 4}, inf),
        (("normal", "exponential"), {"mu": 9, "sd": 0.1}, {"rate": 1}, inf),
        (("student_t", "normal"), {"df": 2, "mu": 0, "scale": 1}, {"mu": 0, "sd": 1}, inf),
        (("laplace", "gumbel"), {"mu": 0, "scale": 1}, {"mu": 0, "scale": 1}, inf),
        (("bernoulli", "bernoulli"), {"p": 0.0}, {"p": 0.5}, log(2)),
        (("bernoulli", "bernoulli"), {"p": 0.5}, {"p": 1.0}, inf),
        (("binomial", "binomial"), {"n": 5, "p": 0.5}, {"n": 4, "p": 0.5}, inf),
        (("binomial", "binomial"), {"n": 4, "p": 0.5}, {"n": 5, "p": 0.5}, None),
        (("poisson", "binomial"), {"rate": 1}, {"n": 5, "p": 0.5}, inf),
        (("categorical", "categorical"), {"p": (0.5, 0.5)}, {"p": (0.25, 0.25, 0.5)}, log(2)),
        (("categorical", "categorical"), {"p": (0.5, 0.25, 0.25)}, {"p": (0.5, 0.5)}, inf),
        (("bernoulli", "poisson"), {"p": 1.0}, {"rate": 2.0}, 2 - log(2)),
    ],
)
def test_known_values(pair, p, q, value):
    assert closed(pair[0], p, pair[1], q) == (None if value is None else pytest.approx(value, rel=1e-14, abs=1e-15))


def test_known_entropies_and_affinities():
    assert member("normal", {"mu": 3, "sd": 1 / sqrt(2 * pi)}).entropy() == pytest.approx(0.5)
    assert member("categorical", {"p": (0.5, 0.5, 0.0)}).entropy() == log(2)
    p, q = member("normal", {"mu": 0.0, "sd": 1.0}), member("normal", {"mu": 2.0, "sd": 1.0})
    assert exp(-p.renyi(q, 0.5, 0.5) / 2) == pytest.approx(exp(-0.5))

"""Projections: a family's own members, moments, brute force, and what has no projection."""

import itertools
import math

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import integrate, optimize, stats

from klcli.analyses.project import project
from klcli.errors import DistributionError, UsageError
from klcli.families.formula import Component, Formula, Grid
from klcli.fits import WeightsOnGrid

MEMBERS = {
    "normal": {"mu": 1.5, "sd": 0.3},
    "lognormal": {"mu": 0.3, "sd": 0.8},
    "exponential": {"rate": 0.2},
    "gamma": {"shape": 2.5, "rate": 3.0},
    "beta": {"a": 2.0, "b": 3.5},
    "weibull": {"shape": 1.7, "scale": 4.0},
    "laplace": {"mu": -2.0, "scale": 0.6},
    "student_t": {"df": 5.0, "mu": 1.0, "scale": 2.0},
    "uniform": {"low": -1.0, "high": 3.0},
    "logistic": {"mu": 10.0, "scale": 0.1},
    "gumbel": {"mu": 0.5, "scale": 2.0},
    "poisson": {"rate": 4.2},
    "binomial": {"n": 12.0, "p": 0.3},
    "geometric": {"p": 0.15},
    "negative_binomial": {"r": 3.5, "p": 0.4},
}
REAL_LINE = ("normal", "laplace", "logistic")


def formula(*parts, grid=None):
    """formula((weight, family, parameters), ...)"""
    return Formula("P", tuple(Component(family, values, weight) for weight, family, values in parts), grid)


def normals(*parts):
    return formula(*((w, "normal", {"mu": float(mu), "sd": float(sd)}) for w, mu, sd in parts))


def one(target, family, direction):
    report = project(target, [family], direction)
    assert len(report.fits) == 1, report
    return report.fits[0]


BIMODAL = normals((0.5, -3, 0.7), (0.5, 3, 0.7))


def backward(mu, sd, target=BIMODAL):
    """KL(normal||target), by SciPy."""
    q = stats.norm(mu, sd)

    def log_p(x):
        logs = [np.log(c.weight) + stats.norm.logpdf(x, **_located(c.parameters)) for c in target.components]
        return np.logaddexp.reduce(logs)

    points = np.linspace(mu - 12 * sd, mu + 12 * sd, 25)
    return sum(
        integrate.quad(lambda x: q.pdf(x) * (q.logpdf(x) - log_p(x)), a, b, epsabs=1e-12)[0]
        for a, b in itertools.pairwise(points)
    )


def _located(parameters):
    return {"loc": parameters["mu"], "scale": parameters["sd"]}


def test_two_modes_seek_the_mean_or_a_mode():
    report = project(BIMODAL, ["normal"], "both")
    forward, low, high, between = report.fits
    assert [fit.direction for fit in report.fits] == ["forward"] + ["reverse"] * 3
    assert abs(forward.component.parameters["mu"]) < 1e-6
    assert forward.component.parameters["sd"] == pytest.approx(math.sqrt(9.49), rel=1e-12)
    for fit, sign in ((low, -1), (high, 1)):
        assert fit.component.parameters["mu"] == pytest.approx(sign * 2.99991, abs=1e-4)
        assert fit.component.parameters["sd"] == pytest.approx(0.7, abs=5e-3)
        assert fit.kl_model_data == pytest.approx(0.693, abs=5e-4)
        assert fit.kl_model_data == pytest.approx(backward(**fit.component.parameters), abs=1e-10)
        assert fit.error < 1e-10
    # the trap of one start: a minimum, but the worst
    assert between.component.parameters["sd"] == pytest.approx(2.58, abs=0.005)
    assert between.kl_model_data == pytest.approx(2.2405, abs=1e-4)
    assert report.notes == (
        "3 distinct optima of reverse KL onto normal: it seeks a mode, and the start decides which; the best 2 tie",
    )


def test_nearer_modes_are_best_covered_together_and_saddles_are_none():
    fits = project(normals((0.5, -2.5, 1), (0.5, 2.5, 1)), ["normal"], "reverse").fits
    assert [fit.component.parameters["mu"] for fit in fits] == pytest.approx([0.0, -2.38609, 2.38609], abs=1e-4)
    one_mode = project(normals((0.5, -1.2, 1), (0.5, 1.2, 1)), ["normal"], "reverse").fits
    assert len(one_mode) == 1


def test_a_shallow_basin_beside_a_deeper_one_is_found():
    """From the middle component the way is short to what is nearest to two of them."""
    fits = project(normals((0.3, -4, 0.5), (0.4, 0, 1), (0.3, 5, 0.3)), ["normal"], "reverse").fits
    found = sorted(fit.component.parameters["mu"] for fit in fits)
    assert found == pytest.approx([-3.98196, -0.76648, -0.12908, 4.99985], abs=1e-4)


def test_a_skew_normal_is_a_target_and_is_not_projected_onto():
    target = formula((1.0, "skew_normal", {"mu": 1.0, "scale": 2.0, "shape": 3.0}))
    mean, variance = stats.skewnorm(3.0, 1.0, 2.0).stats()
    fit = one(target, "normal", "forward")
    assert fit.component.parameters == pytest.approx({"mu": mean, "sd": math.sqrt(variance)}, rel=1e-9)
    with pytest.raises(UsageError, match=r"skew_normal is not projected: KL is flat .* where it is a normal"):
        project(target, ["skew_normal"], "forward")


def test_a_reverse_projection_onto_an_interval_inside_the_support():
    """Of a normal, sqrt(3) standard deviations to either side."""
    fit = one(normals((1, 1.5, 0.3)), "uniform", "reverse")
    half = 0.3 * math.sqrt(3)
    assert fit.component.parameters == pytest.approx({"low": 1.5 - half, "high": 1.5 + half}, rel=1e-7)
    assert fit.remarks == ()


@pytest.mark.parametrize("family", MEMBERS)
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_member_is_its_own_projection(family, direction):
    best = project(formula((1.0, family, MEMBERS[family])), [family], direction).fits[0]
    assert best.component.parameters == pytest.approx(MEMBERS[family], rel=2e-6)
    assert best.kl_data_model < 1e-9
    assert best.kl_model_data < 1e-9
    assert best.remarks == ()
    assert math.isnan(best.aic)


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("lognormal", {"mu": -20.0, "sd": 2.5}),
        ("beta", {"a": 0.3, "b": 5.0}),
        ("gamma", {"shape": 0.05, "rate": 1e-3}),
        ("student_t", {"df": 1.0, "mu": 1e6, "scale": 0.1}),
        ("negative_binomial", {"r": 0.1, "p": 0.02}),
    ],
)
def test_members_far_from_ordinary(family, parameters):
    for fit in project(formula((1.0, family, parameters)), [family], "both").fits:
        assert fit.component.parameters == pytest.approx(parameters, rel=2e-6)
        assert fit.remarks == ()


def test_forward_matches_moments():
    target = formula((0.3, "gamma", {"shape": 2.0, "rate": 1.0}), (0.7, "weibull", {"shape": 1.5, "scale": 5.0}))
    mean = 0.3 * 2 + 0.7 * 5 * math.gamma(1 + 1 / 1.5)
    square = 0.3 * 6 + 0.7 * 25 * math.gamma(1 + 2 / 1.5)
    normal = one(target, "normal", "forward").component.parameters
    assert normal == pytest.approx({"mu": mean, "sd": math.sqrt(square - mean**2)}, rel=1e-10)
    assert one(target, "exponential", "forward").component.parameters["rate"] == pytest.approx(1 / mean, rel=1e-10)
    gamma = one(target, "gamma", "forward").component.parameters
    assert gamma["shape"] / gamma["rate"] == pytest.approx(mean, rel=1e-7)
    logs = 0.3 * stats.gamma(2).expect(np.log) + 0.7 * stats.weibull_min(1.5, scale=5).expect(np.log)
    digamma = stats.gamma(gamma["shape"], scale=1 / gamma["rate"]).expect(np.log)
    assert digamma == pytest.approx(logs, abs=1e-7)


def test_forward_laplace_is_the_median_and_the_mean_distance():
    fit = one(formula((1.0, "exponential", {"rate": 1.0})), "laplace", "forward")
    assert fit.component.parameters == pytest.approx({"mu": math.log(2), "scale": math.log(2)}, rel=1e-10)


def test_forward_uniform_is_the_hull():
    target = formula((0.5, "uniform", {"low": 0.0, "high": 1.0}), (0.5, "uniform", {"low": 2.0, "high": 3.0}))
    fit = one(target, "uniform", "forward")
    assert fit.component.parameters == {"low": 0.0, "high": 3.0}
    assert fit.kl_data_model == pytest.approx(math.log(1.5))
    assert fit.kl_model_data == math.inf
    report = project(target, ["uniform"], "reverse")
    assert sorted(fit.component.parameters["low"] for fit in report.fits) == pytest.approx([0.0, 2.0])
    assert [fit.kl_model_data for fit in report.fits] == pytest.approx([math.log(2)] * 2)


def test_narrow_modes_far_apart_are_all_found():
    target = normals((0.5, -1000, 0.001), (0.3, 0, 5), (0.2, 1e4, 1))
    fits = project(target, ["normal"], "reverse").fits
    found = sorted((fit.component.parameters["mu"], fit.component.parameters["sd"]) for fit in fits[:3])
    assert np.array(found) == pytest.approx(np.array([[-1000, 0.001], [0, 5], [1e4, 1]]), rel=1e-6, abs=1e-6)


def test_a_normal_onto_a_student_t_stops_at_the_bound():
    fit = one(normals((1, 0, 1)), "student_t", "forward")
    assert fit.remarks == ("at a bound: df",)
    assert fit.component.parameters["df"] == 1e5
    assert fit.kl_data_model < 1e-9


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_lognormal_onto_gamma_is_the_least_on_a_grid(direction):
    fit = one(formula((1.0, "lognormal", {"mu": 0.5, "sd": 0.6})), "gamma", direction)
    x, step = np.linspace(1e-4, 60, 12_001, retstep=True)
    p = stats.lognorm(0.6, scale=math.exp(0.5))

    def kl(shape, rate):
        q = stats.gamma(shape, scale=1 / rate)
        a, b = (p, q) if direction == "forward" else (q, p)
        return float((a.pdf(x) * (a.logpdf(x) - b.logpdf(x))).sum() * step)

    shape, rate = fit.component.parameters.values()
    least = fit.kl_data_model if direction == "forward" else fit.kl_model_data
    assert kl(shape, rate) == pytest.approx(least, abs=1e-6)
    grid = [kl(shape * a, rate * b) for a in (0.97, 1, 1.03) for b in (0.97, 1, 1.03)]
    assert min(grid) == grid[4]
    brute = optimize.minimize(
        lambda z: kl(*np.exp(z)), np.log([shape * 1.1, rate]), method="Nelder-Mead", options={"xatol": 1e-6}
    )
    assert np.exp(brute.x) == pytest.approx([shape, rate], rel=1e-4)


def test_a_formula_on_a_grid_projects_onto_itself():
    target = formula((1.0, "normal", {"mu": 1.0, "sd": math.sqrt(0.2)}), grid=Grid(-4, 5, 0.1))
    report = project(target, ["normal", "laplace", "uniform", "gamma"], "both")
    found = [fit for fit in report.fits if fit.component.family == "normal"]
    assert [fit.direction for fit in found] == ["forward", "reverse"]
    for fit in found:
        assert fit.component.parameters == pytest.approx({"mu": 1.0, "sd": math.sqrt(0.2)}, rel=1e-6)
        assert max(fit.kl_data_model, fit.kl_model_data) < 1e-9
    assert report.left_out == {"gamma": "KL(P||Q) is infinite: P has mass below 0"}
    assert report.target is target
    assert report.notes[0].startswith("the target is weights on 90 points: ")


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_kinks_of_a_grid_are_no_optima_of_their_own(direction):
    fit = one(formula((1.0, "normal", {"mu": 0.0, "sd": 1.0}), grid=Grid(-5, 5, 0.1)), "laplace", direction)
    assert abs(fit.component.parameters["mu"]) < 0.1
    x = np.arange(-50, 50) / 10
    p = stats.norm.pdf(x) / stats.norm.pdf(x).sum()

    def kl(mu):
        q = stats.laplace.pdf(x, mu, fit.component.parameters["scale"])
        q = q / q.sum()
        return p @ np.log(p / q) if direction == "forward" else q @ np.log(q / p)

    least = fit.kl_data_model if direction == "forward" else fit.kl_model_data
    assert least == pytest.approx(kl(fit.component.parameters["mu"]), rel=1e-9)
    assert least <= min(map(kl, np.linspace(-0.3, 0.3, 301))) + 1e-12  # of both kinks the lower


def test_modes_more_than_a_cell_apart_stay_apart_and_so_do_widths():
    x = np.linspace(-7, 7, 141)
    narrow = 0.5 * stats.norm.pdf(x, -0.6, 0.15) + 0.5 * stats.norm.pdf(x, 0.6, 0.15)
    assert len(project(WeightsOnGrid("w", x, narrow), ["normal"], "reverse").fits) >= 2
    spike = 0.5 * stats.norm.pdf(x, 0, 0.1) + 0.5 * stats.norm.pdf(x, 0, 3)
    widths = [fit.component.parameters["sd"] for fit in project(WeightsOnGrid("w", x, spike), ["normal"], "both").fits]
    assert max(widths) - min(widths) > 0.1


def test_the_points_of_a_grid_are_the_formulas_own_and_so_is_what_it_refuses():
    target = Formula("gamma(0.5,1)@0:5:0.1", (Component("gamma", {"shape": 0.5, "rate": 1.0}),), Grid(0, 5, 0.1))
    with pytest.raises(DistributionError, match=r"--to: the density is infinite at 0; move the grid .* @0.05:5:0.1"):
        project(target, ["normal"], "both")


def test_a_location_of_rounding_is_0():
    found = project(BIMODAL, ["normal", "laplace", "logistic"], "forward").fits
    assert str(found[0].component.parameters["mu"]) == "0.0"
    far = project(normals((1, 1e-15, 1e-8)), ["normal"], "forward").fits[0]
    assert far.component.parameters["mu"] == pytest.approx(1e-15)


def test_cells_of_points_that_are_unequally_far_reach_half_way():
    x = np.array([-2, -1.5, -1, -0.8, -0.5, 0, 0.1, 0.5, 1, 1.7, 2.5])
    width = np.gradient(x)
    report = project(WeightsOnGrid("w", x, 7 * width * stats.norm.pdf(x, 0.2, 0.9)), ["normal"], "both")
    assert len(report.fits) == 2
    for fit in report.fits:
        assert fit.component.parameters == pytest.approx({"mu": 0.2, "sd": 0.9}, rel=1e-6)
        assert fit.kl_data_model < 1e-12
    assert "densities are taken there times the width of each point's cell" in report.notes[0]


def test_on_a_grid_a_location_stays_on_it():
    x = np.arange(0, 10, 0.1)
    report = project(WeightsOnGrid("w", x, np.exp(-x)), ["normal", "exponential"], "forward")
    exponential, normal = report.fits
    assert exponential.component.parameters == pytest.approx({"rate": 1.0})
    assert normal.component.parameters["mu"] == 0.0
    assert normal.remarks == ("at a bound: mu",)


def test_weights_of_counts():
    target = WeightsOnGrid("w", np.arange(4.0), np.array([8.0, 12, 6, 1]))
    report = project(target, ["poisson", "binomial", "geometric"], "both")
    by = {(fit.component.family, fit.direction): fit for fit in report.fits}
    assert by["poisson", "forward"].component.parameters == pytest.approx({"rate": 1.0})
    assert by["geometric", "forward"].component.parameters == pytest.approx({"p": 0.5})
    for direction in ("forward", "reverse"):
        fit = by["binomial", direction]
        assert fit.component.parameters == pytest.approx({"n": 3, "p": 1 / 3}, rel=1e-6)
        assert fit.kl_data_model < 1e-9
    assert report.left_out["poisson"] == "KL(Q||P) is infinite: Q has mass above 3, P has none"


def test_poissons_onto_poisson_and_negative_binomial():
    target = formula((0.5, "poisson", {"rate": 2.0}), (0.5, "poisson", {"rate": 20.0}))
    fit = one(target, "poisson", "forward")
    assert fit.component.parameters == pytest.approx({"rate": 11.0}, rel=1e-12)
    k = np.arange(120.0)
    p = 0.5 * (stats.poisson.pmf(k, 2) + stats.poisson.pmf(k, 20))
    assert fit.kl_data_model == pytest.approx((p * (np.log(p) - stats.poisson.logpmf(k, 11))).sum(), abs=1e-12)
    wide = one(target, "negative_binomial", "forward")
    assert wide.kl_data_model < fit.kl_data_model
    r, share = wide.component.parameters.values()
    assert r * (1 - share) / share == pytest.approx(11, rel=1e-6)
    rates = [fit.component.parameters["rate"] for fit in project(target, ["poisson"], "reverse").fits]
    assert min(rates) == pytest.approx(2, abs=0.1)
    assert max(rates) == pytest.approx(20, abs=0.1)
    assert len(rates) == 2
    assert project(target, ["negative_binomial"], "reverse").fits[0].kl_model_data < math.log(2)


def test_a_poisson_onto_a_binomial_is_at_the_bound():
    fit = project(formula((1.0, "poisson", {"rate": 3.0})), ["binomial"], "reverse").fits[0]
    assert fit.remarks == ("at a bound: n, as of a poisson",)
    assert fit.kl_model_data < 1e-7


@pytest.mark.parametrize("rate", [0.0001, 3.0, 200.0])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_poisson_onto_a_negative_binomial_is_at_the_bound(rate, direction):
    fit = one(formula((1.0, "poisson", {"rate": rate})), "negative_binomial", direction)
    r, p = fit.component.parameters.values()
    assert r == 1e5
    assert r * (1 - p) / p == pytest.approx(rate, rel=1e-4)
    assert fit.remarks == ("at a bound: r, as of a poisson",)
    assert max(fit.kl_data_model, fit.kl_model_data) < 1e-5


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize(("r", "p"), [(50.0, 0.9999), (5000.0, 0.999)])
def test_a_negative_binomial_near_a_poisson_stays_itself(r, p, direction):
    fit = one(formula((1.0, "negative_binomial", {"r": r, "p": p})), "negative_binomial", direction)
    assert fit.component.parameters["r"] == pytest.approx(r, rel=0.2)
    assert fit.remarks == ()
    assert max(fit.kl_data_model, fit.kl_model_data) < 1e-9


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_a_bernoulli_is_its_own_projection(direction):
    target = formula((1.0, "bernoulli", {"p": 0.3}))
    for family in ("bernoulli", "binomial"):
        fit = one(target, family, direction)
        assert fit.component.parameters["p"] == pytest.approx(0.3)
        assert max(fit.kl_data_model, fit.kl_model_data) < 1e-12


def test_the_best_bernoulli_is_what_is_left_of_the_target():
    target = formula((1.0, "categorical", {"p": (0.2, 0.3, 0.5)}))
    report = project(target, ["bernoulli"], "both")
    (fit,) = report.fits
    assert fit.direction == "reverse"
    assert fit.component.parameters["p"] == pytest.approx(0.6)
    assert fit.kl_model_data == pytest.approx(math.log(2))
    assert report.left_out == {"bernoulli": "KL(P||Q) is infinite: P has mass above 1"}
    without = WeightsOnGrid("w", np.array([2.0, 3.0]), np.ones(2))
    assert "P has no mass at 0, nor at 1" in project(without, ["bernoulli"], "reverse").left_out["bernoulli"]
    assert "the target is a density" in project(BIMODAL, ["bernoulli"], "both").left_out["bernoulli"]


def test_what_is_left_out_and_why():
    assert project(normals((1, 0, 1)), ["exponential", "beta", "poisson", "uniform"], "forward").left_out == {
        "exponential": "KL(P||Q) is infinite: P has mass below 0",
        "beta": "KL(P||Q) is infinite: P has mass below 0",
        "poisson": "a family of counts, and the target is a density",
        "uniform": "KL(P||Q) is infinite: P has mass without bounds",
    }
    report = project(formula((1.0, "exponential", {"rate": 1.0})), ["normal", "gamma"], "both")
    assert report.left_out == {
        "normal": "KL(Q||P) is infinite: Q has mass where P has none, P's support being 0 to inf"
    }
    assert [fit.kl_model_data for fit in report.fits if fit.component.family == "normal"] == [math.inf]
    cauchy = formula((1.0, "student_t", {"df": 1.0, "mu": 0.0, "scale": 1.0}))
    report = project(cauchy, [*REAL_LINE, "student_t"], "forward")
    assert set(report.left_out) == set(REAL_LINE)
    assert "too heavy" in report.left_out["normal"]
    assert one(cauchy, "student_t", "forward").kl_data_model < 1e-9
    gumbel = formula((1.0, "gumbel", {"mu": 0.0, "scale": 1.0}))
    assert "no student_t has a mean of" in project(gumbel, ["student_t"], "reverse").left_out["student_t"]
    poisson = formula((1.0, "poisson", {"rate": 1.0}))
    assert project(poisson, ["binomial"], "forward").left_out == {
        "binomial": "KL(P||Q) is infinite: P has mass above every n"
    }
    assert project(poisson, ["normal"], "forward").left_out == {"normal": "a density, and the target is counts"}


@pytest.mark.parametrize(
    ("points", "weights", "said"),
    [
        ([0, 1], [1, 2, 3], "2 points, and 3 weights"),
        ([1, 0, 2], [1, 1, 1], "rise"),
        ([0, 1, 2], [0, 0, 0], "not all 0"),
        ([0, 1, 2], [1, -1, 1], "negative"),
        ([0, 1, math.nan], [1, 1, 1], "finite"),
    ],
)
def test_weights_that_are_none(points, weights, said):
    with pytest.raises(DistributionError, match=f"w.csv: .*{said}"):
        project(WeightsOnGrid("w.csv", np.array(points), np.array(weights)), ["normal"], "both")


def test_unknown_names():
    with pytest.raises(UsageError, match=r"'nromal' is no family to project onto: .* Did you mean 'normal'"):
        project(BIMODAL, ["nromal"], "both")
    with pytest.raises(UsageError, match="no direction 'sideways'"):
        project(BIMODAL, ["normal"], "sideways")
    vectors = Formula("dirichlet(1,1)", (Component("dirichlet", {"alpha": (1.0, 1.0)}),))
    with pytest.raises(UsageError, match="vectors"):
        project(vectors, ["normal"], "both")

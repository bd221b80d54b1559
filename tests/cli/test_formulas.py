"""Formulas as P and Q: what compare, kl, entropy and rank make of them, in every format, and what they refuse."""

import csv
import io
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from klcli.engine.measures import MEASURES, OF_WEIGHTS
from tests.conftest import finished

ROOT = Path(__file__).parents[2]
MIXTURE, WIDE = "0.5*normal(-3,0.7)+0.5*normal(3,0.7)", "normal(0,3)"
NORMALS = "multivariate_normal([0,0],[[1,0],[0,1]])", "multivariate_normal([1,1],[[2,0.5],[0.5,1]])"
PAIR = [name for name in MEASURES if name not in OF_WEIGHTS]
WITHOUT_UNIT = {"total_variation", "hellinger", "chi2_pq", "perplexity_p", "perplexity_q"}


def refused_in_one_line(call, code, *args):
    """The complaint, without the lines that point at the place."""
    result = call(*args)
    assert (result.code, result.out) == (code, ""), result
    assert "Traceback" not in result.err
    first, *rest = result.err.splitlines()
    assert not rest or (len(rest) == 2 and rest[1].strip(" ") == "^"), result.err
    return first.removeprefix("klcli: ")


def report(call, *args):
    result = call(*args, "-f", "json")
    assert result.code == 0, result
    assert all(line.startswith("klcli: note: ") for line in result.err.splitlines())
    return json.loads(result.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


# ----------------------------------------------------------------------------------------- brute force, on its own feet


normal, poisson = stats.norm.logpdf, stats.poisson


def measures(log_p, log_q, step, alpha):
    """All measures by plain sums, from the logarithms of the densities. step: the width that each stands for."""
    p, q, log_m = np.exp(log_p), np.exp(log_q), np.logaddexp(log_p, log_q) - math.log(2)

    def total(values):
        return float(np.sum(values * step))

    found = {
        "entropy_p": -total(p * log_p),
        "entropy_q": -total(q * log_q),
        "kl_pq": total(p * (log_p - log_q)),
        "kl_qp": total(q * (log_q - log_p)),
        "js_divergence": (total(p * (log_p - log_m)) + total(q * (log_q - log_m))) / 2,
        "total_variation": total(np.abs(p - q)) / 2,
        "chi2_pq": total(np.exp(2 * log_p - log_q)) - 1,
    }
    overlap = total(np.exp((log_p + log_q) / 2))
    return found | {
        "cross_entropy_pq": found["entropy_p"] + found["kl_pq"],
        "cross_entropy_qp": found["entropy_q"] + found["kl_qp"],
        "jeffreys": found["kl_pq"] + found["kl_qp"],
        "js_distance": math.sqrt(found["js_divergence"]),
        "hellinger": math.sqrt(1 - overlap),
        "bhattacharyya": -math.log(overlap),
        "renyi_pq": math.log(total(np.exp(alpha * log_p + (1 - alpha) * log_q))) / (alpha - 1),
        "perplexity_p": math.exp(found["entropy_p"]),
        "perplexity_q": math.exp(found["entropy_q"]),
    }


LINE = np.linspace(-60, 60, 1_200_001)
POSITIVE = np.exp(np.linspace(-30, 6, 400_001))
COUNTS = np.arange(400.0)


def mixed(share, one, other):
    return np.logaddexp(math.log(share) + one, math.log1p(-share) + other)


BRUTE = [
    (MIXTURE, WIDE, LINE, lambda x: mixed(0.5, normal(x, -3, 0.7), normal(x, 3, 0.7)), lambda x: normal(x, 0, 3)),
    ("normal(0,1)", "laplace(mu=1,scale=0.8)", LINE, normal, stats.laplace(1, 0.8).logpdf),
    ("logistic(0.5,0.3)", "laplace(0,1)", LINE, stats.logistic(0.5, 0.3).logpdf, stats.laplace.logpdf),
    ("gumbel(1,0.8)", "gumbel(0,1)", LINE[500_000:], stats.gumbel_r(1, 0.8).logpdf, stats.gumbel_r.logpdf),
    ("weibull(1.5,2.2)", "gamma(2,1)", POSITIVE, stats.weibull_min(1.5, scale=2.2).logpdf, stats.gamma(2).logpdf),
    (
        *("lognormal(0.4,0.3)", "lognormal(0,0.6)", POSITIVE),
        *(stats.lognorm(0.3, scale=math.exp(0.4)).logpdf, stats.lognorm(0.6).logpdf),
    ),
    ("poisson(3)", "geometric(0.3)", COUNTS, poisson(3).logpmf, stats.geom(0.3, loc=-1).logpmf),
    ("poisson(3)", "negative_binomial(r=2.5,p=0.4)", COUNTS, poisson(3).logpmf, stats.nbinom(2.5, 0.4).logpmf),
    (
        *("0.3*poisson(1)+0.7*poisson(8)", "geometric(0.2)", COUNTS),
        *(lambda k: mixed(0.3, poisson(1).logpmf(k), poisson(8).logpmf(k)), stats.geom(0.2, loc=-1).logpmf),
    ),
]


def step_of(x):
    return 1.0 if x is COUNTS else x * math.log(x[1] / x[0]) if x is POSITIVE else x[1] - x[0]


@pytest.mark.parametrize("alpha", [2.0, 0.5])
@pytest.mark.parametrize("case", BRUTE, ids=[f"{p} {q}" for p, q, *_ in BRUTE])
def test_every_measure_is_that_of_plain_sums(call, case, alpha):
    p, q, x, of_p, of_q = case
    want = measures(of_p(x), of_q(x), step_of(x), alpha)
    got = report(call, "compare", p, q, "-m", "all", "--alpha", alpha)["measures"]
    assert list(got) == PAIR
    for name, value in want.items():
        assert got[name] == pytest.approx(value, rel=1e-7, abs=1e-9), name


# -------------------------------------------------------------------------------------------------------------- formats


def test_json_has_errors_of_estimates_and_the_way_of_all(call):
    body = report(call, "compare", MIXTURE, WIDE, "-m", "all")
    assert list(body["measures"]) == list(body["methods"]) == PAIR
    exact = {"entropy_q", "perplexity_q"}
    assert set(body["errors"]) == set(PAIR) - exact
    assert {body["methods"][name] for name in exact} == {"closed form"}
    assert {body["methods"][name] for name in body["errors"]} == {"quadrature"}
    assert all(0 <= error < 1e-9 for error in body["errors"].values())
    assert body["inputs"]["p"] == {
        "name": MIXTURE,
        "source": MIXTURE,
        "n": None,
        "sum": 1.0,
        "as": "formula",
        "done": [],
    }
    assert body["notes"] == []
    assert "elements" not in body


@pytest.mark.parametrize(("name", "delimiter"), [("tsv", "\t"), ("csv", ",")])
def test_delimited_has_a_column_of_errors_only_where_there_are_some(call, name, delimiter):
    def rows(*args):
        result = call("compare", *args, "-f", name)
        assert (result.code, result.err) == (0, "")
        return list(csv.reader(io.StringIO(result.out), delimiter=delimiter))

    fields = ["-m", "entropy_q,kl_pq"]
    header, closed, estimated = rows(MIXTURE, WIDE, *fields)
    assert header == ["measure", "value", "error"]
    assert (closed[0], closed[2]) == ("entropy_q", "")
    assert 0 < float(estimated[2]) < 1e-12
    assert rows("normal(0,1)", WIDE, *fields)[0] == ["measure", "value"]
    # What is infinite has no error.
    assert rows("uniform(0,1)", "beta(2,2)", "-m", "entropy_p,kl_pq", "--alpha", "2")[0] == ["measure", "value"]


def test_ndjson_and_markdown_have_the_errors(call):
    args = ["compare", MIXTURE, WIDE, "-m", "entropy_q,kl_pq"]
    closed, estimated = map(json.loads, call(*args, "-f", "ndjson").out.splitlines())
    assert closed["error"] is None
    assert 0 < estimated["error"] < 1e-12
    header, _, closed, estimated = call(*args, "-f", "markdown").out.splitlines()
    assert header == "| measure | value | error |"
    assert closed.endswith("|  |")
    assert re.search(r"\d\.\d{4}e-1\d \|$", estimated)


def test_the_table_shows_errors_as_its_width_allows(call):
    args = ["compare", MIXTURE, WIDE, "-f", "table", "-m", "entropy_q,kl_pq"]
    wide, middle, narrow = (call(*args, env={"COLUMNS": str(n)}).out.splitlines() for n in (80, 42, 40))
    assert [line.split(maxsplit=2) for line in wide[-2:]] == [
        ["entropy_q", "2.5176", "nats  H(Q)"],
        ["kl_pq", "0.78939", "nats  ± 1e-12, quadrature"],
    ]
    for lines in (middle, narrow):
        assert lines[-1].split(maxsplit=2) == ["kl_pq", "0.78939", "nats  ± 1e-12"]
        assert all(len(line) <= 40 for line in lines[1:])
    all_of_them = call(*args[:-1], "all", env={"COLUMNS": "40"}).out.splitlines()
    assert all(len(line) <= 40 for line in all_of_them)
    assert [line.split()[0] for line in all_of_them[4:]] == PAIR


def test_bare_values_tell_their_errors_beside(call):
    result = call("compare", MIXTURE, WIDE, "-g", "kl_pq")
    assert float(result.out) == pytest.approx(0.7893893519739187, rel=1e-14)
    assert re.fullmatch(r"klcli: note: estimates by quadrature: kl_pq ± 1e-12\n", result.err)
    assert call("compare", MIXTURE, WIDE, "-g", "entropy_q").err == ""
    assert call("compare", MIXTURE, WIDE, "-g", "kl_pq", "-q").err == ""
    assert "kl_pq ± " in call("kl", MIXTURE, WIDE).err
    assert call("kl", MIXTURE, WIDE, "-q").err == ""
    assert call("kl", "normal(0,1)", WIDE).err == ""


def test_bhattacharyya_is_half_of_renyi_of_order_one_half_and_so_is_its_error(call):
    found = report(call, "compare", MIXTURE, WIDE, "-m", "bhattacharyya,renyi_pq", "--alpha", "1/2")
    for of in (found["measures"], found["errors"]):
        assert 0 < of["bhattacharyya"] == of["renyi_pq"] / 2


def test_units_scale_values_and_errors(call):
    nats, bits = (report(call, "compare", MIXTURE, WIDE, "-m", "all", "--unit", unit) for unit in ("nats", "bits"))
    for name in PAIR:
        per = 1.0 if name in WITHOUT_UNIT else math.log(2) ** (0.5 if name == "js_distance" else 1)
        assert bits["measures"][name] == pytest.approx(nats["measures"][name] / per, rel=1e-14)
        assert bits["errors"].get(name, 0) == pytest.approx(nats["errors"].get(name, 0) / per, rel=1e-14)
    assert float(call("kl", "uniform(0,1)", "uniform(0,8)", "--unit", "bits").out) == pytest.approx(3, rel=1e-15)
    assert float(call("kl", "uniform(0,1)", "uniform(0,8)", "--base", "8").out) == pytest.approx(1, rel=1e-15)


# ----------------------------------------------------------------------------------------------------- what is infinite


@pytest.mark.parametrize(
    ("p", "q", "measure", "said"),
    [
        (
            "normal(0,1)",
            "exponential(1)",
            "kl_pq",
            "KL(P||Q) is infinite: 0.5 of P's mass lies below 0, where Q has none",
        ),
        (
            "uniform(0,4)",
            "0.5*uniform(0,1)+0.5*uniform(3,4)",
            "kl_pq",
            "KL(P||Q) is infinite: 0.5 of P's mass lies in a gap of Q's support, where Q has none",
        ),
        (
            "0.5*uniform(0,1)+0.5*uniform(3,4)",
            "uniform(0,4)",
            "kl_qp",
            "KL(Q||P) is infinite: 0.5 of Q's mass lies in a gap of P's support, where P has none",
        ),
        (
            "student_t(1)",
            "normal(0,1)",
            "jeffreys",
            "KL(P||Q) is infinite: the integral diverges: P's left tail (student_t) is too heavy for Q's (normal)",
        ),
    ],
)
def test_infinite_divergences_are_explained(call, p, q, measure, said):
    result = call("compare", p, q, "-m", measure)
    assert (result.code, result.out) == (0, f"measure\tvalue\n{measure}\tinf\n")
    assert f"klcli: note: {said}" in result.err
    if measure == "kl_pq":
        assert call("kl", p, q) == (0, "inf\n", f"klcli: note: {said}\n")
    body = report(call, "compare", p, q, "-m", measure)
    assert body["measures"] == {measure: "Infinity"}
    assert body["errors"] == {}
    assert said in body["notes"][0]


def test_the_candidates_of_a_ranking_are_told_apart(call):
    result = call("rank", "normal(0,1)", "exponential(2)", "student_t(1)", "-m", "kl_pq,kl_qp")
    assert [line.split("\t")[1] for line in result.out.splitlines()] == ["name", "student_t(1)", "exponential(2)"]
    assert "KL(P||Q1) is infinite: 0.5 of P's mass lies below 0, where Q1 has none" in result.err
    assert "KL(Q2||P) is infinite: the integral diverges: Q2's left tail (student_t) is too heavy for P's" in result.err


def test_powers_may_diverge_where_kl_does_not(call):
    result = call("compare", "student_t(3)", "normal(0,1)", "-m", "kl_pq,chi2_pq,renyi_pq")
    kl, chi2, renyi = (line.split("\t")[1] for line in result.out.splitlines()[1:])
    assert (float(kl) < 1, chi2, renyi) == (True, "inf", "inf")
    assert "KL(P||Q) is infinite" not in result.err
    assert "chi2_pq and renyi_pq are infinite: the powers of p/q in the integral grow too fast" in result.err


@pytest.mark.parametrize("more", [[], ["--samples", "99"]])
def test_renyi_of_the_orders_at_the_ends(call, more):
    def renyi(p, q, alpha):
        return report(call, "compare", p, q, "-m", "renyi_pq", "--alpha", alpha, *more)["measures"]["renyi_pq"]

    assert renyi("exponential(2)", "exponential(1)", "inf") == pytest.approx(math.log(2), rel=1e-8)
    assert renyi("uniform(0,1)", "uniform(0,4)", "0") == pytest.approx(math.log(4), rel=1e-12)
    assert renyi("exponential(1)", "uniform(5,6)", "2") == "Infinity"
    assert more or renyi("poisson(1)", "poisson(2)", "inf") == pytest.approx(1, rel=1e-12)
    said = refused_in_one_line(call, 2, "compare", *NORMALS, "-m", "renyi_pq", "--alpha", "inf", *more)
    assert said == "renyi_pq of order inf of vectors is not to be had, even by samples; take another --alpha"


# ----------------------------------------------------------------------------- kinds, weights, and what becomes of them


@pytest.mark.parametrize(
    ("p", "q", "said"),
    [
        (
            "poisson(3)",
            "normal(0,1)",
            "cannot compare poisson(3), of whole numbers, with normal(0,1), of numbers on a line",
        ),
        ("dirichlet(1,1)", "normal(0,1)", "of vectors of length 2 (dirichlet)"),
        (
            "0.4,0.6",
            "normal(5,1)",
            "Q: normal(5,1) is a density, not weights; put it on a grid, as normal(5,1)@1:9:0.1;",
        ),
        ("0.4,0.6", "poisson(3)", "put it on a grid, as poisson(3)@0:100:1"),
        ("0.4,0.6", "binomial(10,0.3)", "put it on a grid, as binomial(10,0.3)@0:11:1"),
        (
            "0.4,0.6",
            "dirichlet(1,2)",
            "'dirichlet(1,2)' is a density of vectors, not weights; give the other one as a formula",
        ),
    ],
)
def test_what_does_not_compare(call, p, q, said):
    assert said in refused_in_one_line(call, 4, "kl", p, q)
    assert said in refused_in_one_line(call, 4, "compare", p, q)
    assert "a bug" not in refused_in_one_line(call, 4, "rank", p, q)


def test_finite_outcomes_are_weights_also_beside_each_other(call):
    result = call("compare", "categorical(0.1,0.9)", "bernoulli(0.8)", "-g", "elements.kl_pq")
    assert result.code == 0
    terms = [float(line) for line in result.out.splitlines()]
    assert terms == pytest.approx([0.1 * math.log(0.5), 0.9 * math.log(0.9 / 0.8)], rel=1e-13)
    assert call("compare", "0.5*bernoulli(0.2)+0.5*bernoulli(0.8)", "0.5,0.5", "--breakdown").code == 0
    smoothed = call("kl", "bernoulli(0)", "bernoulli(1)", "--smooth", "add=1")
    assert float(smoothed.out) == pytest.approx(math.log(2) / 3, rel=1e-14)


def test_grids_take_all_that_weights_take(call, get):
    grids = ["normal(0,1)@-4:4:0.1", "normal(1,1)@-4:4:0.1"]
    assert len(get("elements.p", "compare", *grids, "--sort", "kl_pq", "--top", "3")) == 4
    for options in (
        *(["--smooth", "add=1e-6"], ["--as", "logits"], ["--softmax", "--temperature", "2"], ["--no-normalize"]),
        *(["--align", "strict"], ["--p-smooth", "mix=0.1"]),
    ):
        assert call("kl", *grids, *options).code == 0
    assert call("rank", *grids, grids[0], "-g", "name", "-q").out.splitlines()[0] == grids[0]
    assert "--strict" in refused_in_one_line(call, 4, "kl", *grids, "--strict")


def test_entropy_of_several_and_of_densities(call):
    body = report(call, "entropy", "bernoulli(0.5)", "uniform(0,0.5)", "poisson(1)")
    assert [one["name"] for one in body["distributions"]] == ["bernoulli(0.5)", "uniform(0,0.5)", "poisson(1)"]
    assert body["distributions"][1]["measures"] == {"entropy": -math.log(2), "perplexity": 0.5}
    assert body["distributions"][2]["methods"] == dict.fromkeys(("entropy", "perplexity"), "summation")
    assert body["notes"] == ["entropies of densities are differential: they depend on the unit and may be negative"]
    assert "P2: normal(0,1) is a density, not weights" in refused_in_one_line(
        call, 4, "entropy", "0.4,0.6", "normal(0,1)"
    )


def test_rank_orders_and_keeps_equals_as_given(call):
    result = call("rank", "gamma(2,1)", "lognormal(0.4,0.7)", "weibull(1.5,2.2)", "-m", "kl_pq", "-f", "tsv")
    assert (result.code, result.err) == (0, "")
    rows = [line.split("\t") for line in result.out.splitlines()]
    assert [row[1] for row in rows[1:]] == ["weibull(1.5,2.2)", "lognormal(0.4,0.7)"]
    result = call("rank", "normal(0,1)", "normal(1,1)", "normal(-1,1)", "uniform(8,9)", "-g", "name", "-q")
    assert result.out.split() == ["normal(1,1)", "normal(-1,1)", "uniform(8,9)"]
    result = call("rank", "normal(0,1)", "uniform(8,9)", "uniform(-9,9)", "--sort", "js_divergence", "-g", "name", "-q")
    assert result.out.split() == ["uniform(-9,9)", "uniform(8,9)"]
    assert "give at least one candidate" in refused_in_one_line(call, 2, "rank", "gamma(2,1)")
    assert "Q is missing" in refused_in_one_line(call, 2, "kl", "gamma(2,1)")


# -------------------------------------------------------------------------------------------------------------- samples


def test_what_has_no_closed_form_asks_for_samples(call):
    said = refused_in_one_line(call, 2, "compare", "dirichlet(1,2,3)", "dirichlet(2,2,2)")
    assert said == "js_divergence of dirichlet has no closed form; add --samples N to estimate it"
    assert "a sum over too many" in refused_in_one_line(call, 4, "entropy", "poisson(1e30)")


def test_samples_are_reproducible_and_tell_their_error(call):
    args = ["compare", *NORMALS, "-m", "js_divergence,kl_pq", "--samples", "20000"]
    first, again, other = (call(*args, "--seed", seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.err == "klcli: note: estimated by 20000 samples of each distribution, seed 1\n"
    header, js, kl = (line.split("\t") for line in first.out.splitlines())
    assert header == ["measure", "value", "error"]
    assert kl[2] == ""
    assert 0 < float(js[2]) < 0.01
    assert "± 0.00" in call(*args, "-f", "table").out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["kl", "0.4,0.6", "0.3,0.7", "--samples", "10"], "--samples is for formulas, as normal(0,1)"),
        (["compare", "0.4,0.6", "0.3,0.7", "--seed", "3"], "--seed is for formulas"),
        (["rank", "0.4,0.6", "bernoulli(0.3)", "--samples", "10"], "--samples is for formulas"),
        (["kl", "normal(0,1)", "normal(0,2)", "--seed", "3"], "--seed is of samples; add --samples N"),
        (["kl", "normal(0,1)", "normal(0,2)", "--samples", "1"], "--samples"),
        (["kl", "normal(0,1)", "normal(0,2)", "--samples", "9", "--seed", "-1"], "--seed"),
        (["compare", MIXTURE, WIDE, "--samples", "1000000000000"], "--samples 1000000000000: at most 100,000,000"),
    ],
)
def test_samples_that_are_refused(call, args, said):
    assert said in refused_in_one_line(call, 2, *args)


# --------------------------------------------------------------------------------------------------- options of weights


@pytest.mark.parametrize(
    ("options", "named"),
    [
        *((["--smooth", "add=1"], "--smooth"), (["--p-smooth", "add=1"], "--smooth"), (["--as", "logits"], "--as")),
        *((["--q-as", "probs"], "--as"), (["--softmax"], "--as"), (["--strict"], "--strict")),
        *((["--no-normalize"], "--no-normalize"), (["--align", "inner"], "--align")),
    ],
)
def test_options_of_weights_are_refused(call, options, named):
    said = f"{named} is for weights; a formula becomes some on a grid, as normal(0,1)@-4:4:0.1"
    for command in ("kl", "compare", "rank"):
        assert refused_in_one_line(call, 2, command, "normal(0,1)", "normal(1,1)", *options) == said


@pytest.mark.parametrize("options", [["--breakdown"], ["--top", "3"], ["--sort", "outcome"], ["-g", "elements.p"]])
def test_a_formula_has_no_outcomes(call, options):
    for args in (["compare", "normal(0,1)", "normal(1,1)"], ["entropy", "poisson(1)"]):
        said = refused_in_one_line(call, 2, *args, *options)
        assert "a formula has no outcomes to show one by one; put it on a grid" in said
    assert call("compare", "normal(0,1)", "normal(1,1)", "--no-breakdown").code == 0


# -------------------------------------------------------------------------------------------- files, and what is loaded


BLOCKER = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "scipy":
            raise ModuleNotFoundError("No module named 'scipy'", name=name)
sys.meta_path.insert(0, Blocker())
from klcli.cli.failures import guarded
"""


def in_a_process(program):
    done = finished([sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, cwd=ROOT, text=True, check=True)
    assert "Traceback" not in done.stderr
    return done


def test_without_scipy():
    works = [
        ["kl", "normal(0,1)", "normal(1,2)"],
        ["compare", "normal(0,1)", "normal(1,2)", "-m", "all"],
        ["compare", "exponential(1)", "exponential(2)", "-m", "all"],
        ["compare", "poisson(1)", "poisson(2)", "-m", "all"],
        ["compare", "poisson(1)", "bernoulli(0.3)", "-m", "all"],
        ["kl", "bernoulli(0.1)", "bernoulli(0.3)"],
        ["compare", "categorical(0.1,0.9)", "0.3,0.7"],
        ["entropy", "normal(0,1)", "exponential(2)", "poisson(3)", "bernoulli(0.2)"],
        ["kl", "gamma(2,1)@0.05:10:0.1", "gamma(3,1)@0.05:10:0.1"],
    ]
    program = f"{BLOCKER}codes = [guarded(args) for args in {works!r}]\nprint(codes)"
    assert in_a_process(program).stdout.splitlines()[-1] == str([0] * len(works))
    program = f"{BLOCKER}print(guarded(['kl', 'gamma(2,1)', 'gamma(1,1)']))"
    done = in_a_process(program)
    assert done.stdout == "2\n"
    assert re.fullmatch(r"klcli: .* needs SciPy; pip install 'klcli\[fit\]'\n", done.stderr)


# -------------------------------------------------------------------------------------------------------- annoyed users


@pytest.mark.parametrize("p", ["normal(1e16,1)", "laplace(-1e200,1)"])
def test_what_doubles_cannot_resolve_is_not_integrated(call, kl, p):
    said = refused_in_one_line(call, 4, "compare", p, "normal(0,1)", "-m", "js_divergence")
    assert "is narrower than doubles can tell apart" in said
    assert kl(p, p) == 0
    exact = report(call, "compare", "normal(1e14,1)", "normal(0,1)", "-m", "js_divergence")["measures"]
    assert exact["js_divergence"] == pytest.approx(math.log(2), rel=1e-6)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ("normal(0,1e-300)", "normal(0,1e300)"),
        ("beta(1e-3,1e-3)", "uniform(0,1)"),
        ("student_t(1e-3)", "normal(0,1e308)"),
        ("weibull(0.05,1)", "lognormal(0,20)"),
        ("dirichlet(1e-300,1)", "dirichlet(1,1)"),
        ("poisson(1e-300)", "poisson(1e300)"),
        ("negative_binomial(1e-300,1e-300)", "geometric(1e-300)"),
        ("geometric(1)", "geometric(1e-9)"),
        ("bernoulli(0)", "poisson(1)"),
        ("1e-300*normal(0,1)+1*normal(5,1)", "normal(5,1)"),
        ("multivariate_normal([0],[[1e-300]])", "multivariate_normal([0],[[1e300]])"),
    ],
)
@pytest.mark.parametrize("more", [[], ["--samples", "50"]])
def test_extremes_give_a_number_or_a_reason(call, p, q, more):
    for fields in ("kl_pq,kl_qp,entropy_p,cross_entropy_pq", "all"):
        result = call("compare", p, q, "-m", fields, *more)
        assert result.code in {0, 2, 4}, result
        assert "Warning" not in result.err
        assert all(line.startswith("klcli: ") for line in result.err.splitlines())
        rows = [line.split("\t") for line in result.out.splitlines()[1:]]
        for name, value, *_ in rows:
            assert value not in {"", "nan", "-0.0", "-inf"}, (name, value)
            assert name.startswith(("entropy", "cross")) or float(value) >= 0

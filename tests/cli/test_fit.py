"""`klcli fit` through the command line: what goes in and comes out, what is refused, whether the numbers are right."""

import csv
import io
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
WAITS, COUNTS = "samples/waits.csv:minutes", "samples/waits.csv:passengers"
MIXTURE = "0.5*normal(-3,0.7)+0.5*normal(3,0.7)"
EXAMPLE = next(
    example
    for example in json.loads((ROOT / "tests/data/examples.json").read_text())["examples"]
    if example["id"] == "bimodal-projection"
)
FEW = "1,2.5,3,4.5,7,2,3.5,0.5"

FROZEN = {
    "normal": stats.norm,
    "lognormal": lambda mu, sd: stats.lognorm(sd, scale=math.exp(mu)),
    "exponential": lambda rate: stats.expon(scale=1 / rate),
    "gamma": lambda shape, rate: stats.gamma(shape, scale=1 / rate),
    "beta": stats.beta,
    "weibull": lambda shape, scale: stats.weibull_min(shape, scale=scale),
    "laplace": stats.laplace,
    "student_t": stats.t,
    "uniform": lambda low, high: stats.uniform(low, high - low),
    "logistic": stats.logistic,
    "gumbel": stats.gumbel_r,
    "cauchy": stats.cauchy,
    "pareto": lambda scale, shape: stats.pareto(shape, scale=scale),
    "half_normal": lambda scale: stats.halfnorm(scale=scale),
    "chi2": stats.chi2,
    "rayleigh": lambda scale: stats.rayleigh(scale=scale),
    "skew_normal": lambda mu, scale, shape: stats.skewnorm(shape, mu, scale),
    "poisson": stats.poisson,
    "binomial": stats.binom,
    "geometric": lambda p: stats.geom(p, loc=-1),
    "negative_binomial": stats.nbinom,
    "bernoulli": stats.bernoulli,
}
"""The families in SciPy's words."""

DRAWN = {
    "normal": stats.norm(3, 2),
    "lognormal": stats.lognorm(0.6, scale=2),
    "exponential": stats.expon(scale=4),
    "gamma": stats.gamma(2.5, scale=0.8),
    "beta": stats.beta(2, 5),
    "weibull": stats.weibull_min(1.7, scale=3),
    "laplace": stats.laplace(-1, 2),
    "student_t": stats.t(4, 1, 2),
    "uniform": stats.uniform(-2, 5),
    "logistic": stats.logistic(5, 1.5),
    "gumbel": stats.gumbel_r(2, 3),
    "cauchy": stats.cauchy(1, 2),
    "pareto": stats.pareto(3, scale=2),
    "half_normal": stats.halfnorm(scale=3),
    "chi2": stats.chi2(4),
    "rayleigh": stats.rayleigh(scale=2),
    "skew_normal": stats.skewnorm(4, 1, 2),
    "poisson": stats.poisson(4),
    "binomial": stats.binom(12, 0.3),
    "geometric": stats.geom(0.3, loc=-1),
    "negative_binomial": stats.nbinom(3, 0.4),
    "bernoulli": stats.bernoulli(0.3),
}


def drawn(family, n=400, seed=5):
    return DRAWN[family].rvs(n, random_state=np.random.default_rng(seed)).astype(float)


def lines(values):
    return "".join(f"{value!r}\n" for value in np.asarray(values, dtype=float).tolist())


@pytest.fixture
def fit(call):
    """fit(*args): the JSON of a run that must succeed; every number in it is finite or says what it is."""

    def fit(*args, **how):
        result = call("fit", *args, "-f", "json", **how)
        assert result.code == 0, result
        assert "Warning" not in result.err
        return json.loads(result.out, parse_constant=pytest.fail)

    return fit


def frozen(record):
    return FROZEN[record["family"]](*record["parameters"].values())


def ends(report):
    return np.array([float(str(edge).replace("Infinity", "inf")) for edge in report["bins"]["edges"]])


# ---------------------------------------------------------------------------------------------------------- the numbers


@pytest.mark.parametrize("family", FROZEN)
def test_likelihood_criteria_distance_and_divergences_are_as_computed_by_hand(fit, family):
    x = drawn(family)
    report = fit("-", "--family", family, "-q", input=lines(x))
    (one,) = report["fits"]
    law, counts = frozen(one), hasattr(frozen(one), "pmf")
    likelihood = (law.logpmf if counts else law.logpdf)(x).sum()
    assert report["n"] == len(x)
    assert one["log_likelihood"] == pytest.approx(likelihood, rel=1e-9)
    k = len(one["parameters"])
    assert one["aic"] == pytest.approx(2 * k - 2 * likelihood, rel=1e-9)
    assert one["bic"] == pytest.approx(k * math.log(len(x)) - 2 * likelihood, rel=1e-9)

    at = np.unique(x)
    upto = np.searchsorted(np.sort(x), at, side="right") / len(x)
    before = np.searchsorted(np.sort(x), at, side="left") / len(x)
    under = law.cdf(at - 1) if counts else law.cdf(at)
    assert one["ks"] == pytest.approx(max(abs(upto - law.cdf(at)).max(), abs(before - under).max()), abs=1e-9)

    edges, p = ends(report), np.array(report["bins"]["mass"])
    assert (edges[0], edges[-1]) == (-np.inf, np.inf)
    assert np.allclose(p, np.diff(np.searchsorted(np.sort(x), edges, side="right")) / len(x), rtol=1e-12)
    q = np.diff(law.cdf(edges))
    assert one["kl_data_model"] == pytest.approx((p * np.log(p / q)).sum(), rel=1e-7, abs=1e-14)
    with np.errstate(divide="ignore", invalid="ignore"):
        back = np.where(q > 0, q * np.log(q / p), 0).sum()
    assert one["kl_model_data"] == pytest.approx(back, rel=1e-7, abs=1e-14)
    error = math.sqrt((p * (np.log(p / q) - (p * np.log(p / q)).sum()) ** 2).sum() / len(x))
    assert one["kl_error"] == pytest.approx(error, rel=1e-5, abs=1e-10)


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_published_projection_of_two_modes(fit, direction):
    want = EXAMPLE["want"][direction]
    fits = fit("--to", MIXTURE, "--family", "normal", "--direction", direction)["fits"]
    least = "kl_pq" if direction == "forward" else "kl_qp"
    kls = [round(one[least], 12) for one in fits]
    assert kls == sorted(kls)
    assert {one["direction"] for one in fits} == {direction}
    assert round(fits[0]["parameters"]["sd"], EXAMPLE["digits"]) == want["sd"]
    if direction == "forward":
        assert len(fits) == 1
        assert fits[0]["parameters"]["mu"] == pytest.approx(want["mu"], abs=1e-9)
        assert fits[0]["parameters"]["sd"] == pytest.approx(math.sqrt(9.49), rel=1e-12)
    else:
        assert round(fits[0]["kl_qp"], 3) == want["kl_qp"]
        assert sorted(round(one["parameters"]["mu"], 2) + 0.0 for one in fits) == [-3, 0, 3]
        assert fits[-1]["parameters"]["mu"] == pytest.approx(0, abs=1e-9)  # the trap: of a single start the only one


def test_a_family_that_has_the_shares_of_the_data_is_at_0(get):
    assert get("kl_data_model", "fit", "0,0,1,0,1,1,0", "--family", "bernoulli,binomial") == [0, 0]


# --------------------------------------------------------------------------------------------------------------- inputs


@pytest.mark.parametrize(
    ("data", "weights"),
    [("t.csv:x", "often"), ("t.csv:x", "t.csv:often"), ("t.csv:x", "w.txt"), ("-:x", "often"), ("1,2,4", "3,0,2")],
)
def test_weights_are_a_column_a_file_or_numbers(call, write, tmp_path, data, weights):
    table = "x,often\n1,3\n2,0\n4,2\n"
    write("t.csv", table)
    write("w.txt", "3\n0\n2\n")
    want = call("fit", "1,1,1,4,4", "-q", "-g", "formula")
    assert want.code == 0
    assert call("fit", data, "--weights", weights, "-q", "-g", "formula", cwd=tmp_path, input=table) == want


# --------------------------------------------------------------------------------------------------------------- output


def test_json_is_as_the_interface_has_it(fit):
    report = fit(WAITS, cwd=ROOT)
    first, *_, last = report
    assert (first, last) == ("fits", "notes")
    assert report["source"] == WAITS
    first = report["fits"][0]
    assert list(first)[:2] == ["family", "parameters"]
    assert {"kl_data_model", "kl_model_data", "log_likelihood", "aic", "bic", "ks", "standard_errors"} <= set(first)
    assert all(isinstance(value, float) for value in first["parameters"].values())
    aics = [one["aic"] for one in report["fits"]]
    assert aics == sorted(aics)
    assert set(report["left_out"]).isdisjoint(one["family"] for one in report["fits"])
    assert {*report["left_out"], *(one["family"] for one in report["fits"])} == set(FROZEN) - {"skew_normal"}


@pytest.mark.parametrize("args", [[WAITS], [COUNTS], ["--to", MIXTURE, "--family", "normal"]], ids=" ".join)
def test_every_format_says_the_same(call, fit, args):
    fits = fit(*args, cwd=ROOT)["fits"]
    for form, delimiter in (("tsv", "\t"), ("csv", ",")):
        rows = list(csv.DictReader(io.StringIO(call("fit", *args, "-f", form, cwd=ROOT).out), delimiter=delimiter))
        assert [row["formula"] for row in rows] == [one["formula"] for one in fits]
        measures = set(rows[0]) & {"kl_data_model", "kl_model_data", "aic", "bic", "ks", "kl_pq", "kl_qp"}
        assert len(measures) >= 2
        for row, one in zip(rows, fits, strict=True):
            assert {name: float(row[name]) for name in measures} == {name: one[name] for name in measures}
    ndjson = call("fit", *args, "-f", "ndjson", cwd=ROOT).out.splitlines()
    assert [json.loads(line, parse_constant=pytest.fail) for line in ndjson] == fits
    markdown = call("fit", *args, "-f", "markdown", cwd=ROOT).out.splitlines()
    column = [cell.strip() for cell in markdown[0].split("|")].index("formula")
    shown = [line.split("|")[column].strip() for line in markdown[2 : 2 + len(fits)]]
    assert shown == [one["formula"] for one in fits]


def test_bare_parameters_are_of_the_fits_that_have_them(call, get):
    rates = get("parameters.rate", "fit", WAITS, "--family", "gamma,exponential,normal", cwd=ROOT)
    assert len(rates) == 2
    formula = call("fit", WAITS, "--family", "gamma", "-q", "-g", "formula", cwd=ROOT).out.strip()
    assert formula.endswith(f"rate={rates[0]!r})")
    kl = call("kl", formula, formula)
    assert (kl.code, kl.out) == (0, "0.0\n")


def test_families_are_those_asked_for_and_all_are_those_that_suit(call):
    def families(*args):
        return call("fit", WAITS, *args, "-q", "-g", "family", cwd=ROOT).out.split()

    assert sorted(families("--family", "normal,gamma", "--family", "gamma")) == ["gamma", "normal"]
    assert families("--family", "all") == families()
    assert "poisson" not in families()
    assert set(call("fit", COUNTS, "-q", "-g", "family", cwd=ROOT).out.split()) == {
        "poisson",
        "binomial",
        "geometric",
        "negative_binomial",
    }


def test_all_families_of_a_target_are_those_of_its_kind(call):
    result = call("fit", "--to", "poisson(3)", "--family", "all", "--direction", "forward", "-g", "family")
    assert result.code == 0
    assert result.out.split() == ["poisson", "negative_binomial", "geometric"]
    assert "left out: binomial (KL(P||Q) is infinite" in result.err


@pytest.mark.parametrize("weights", ["w", "hist.csv:w"])
def test_points_and_weights_of_a_table_are_a_target(call, tmp_path, weights):
    x = np.array([0.5, 0.0, -1.0, -0.4, 1.0, 2.0])  # neither in order nor equally far
    cells = np.gradient(np.sort(x))[np.argsort(np.argsort(x))]
    rows = (f"{a!r},{b!r}" for a, b in zip(x.tolist(), (cells * stats.norm.pdf(x, 0.3, 0.6)).tolist(), strict=True))
    (tmp_path / "hist.csv").write_text("x,w\n" + "\n".join(rows) + "\n")
    args = ["--family", "normal", "-f", "json"]
    result = call("fit", "--to", "hist.csv:x", "--weights", weights, *args, cwd=tmp_path)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    for one in document["fits"]:
        assert one["parameters"] == pytest.approx({"mu": 0.3, "sd": 0.6}, rel=1e-6)
        assert max(one["kl_pq"], one["kl_qp"]) < 1e-12
    without = call("fit", "--to", "hist.csv:x", *args, cwd=tmp_path)
    assert (without.code, without.out) == (2, "")
    assert "it needs --weights, the column or file of their weights" in without.err


def test_whole_points_are_counts_to_all_families(call):
    result = call("fit", "--to", "0,1,2,3", "--weights", "8,12,6,1", "--family", "all", "--direction", "forward")
    assert result.code == 0, result.err
    first = result.out.splitlines()[1].split("\t")
    assert first[:2] == ["forward", "binomial"]
    assert "bernoulli" in result.err


def test_an_infinite_density_on_a_grid_is_shown_with_a_caret(call):
    result = call("fit", "--to", "gamma(0.5,1)@0:5:0.1", "--family", "normal")
    assert (result.code, result.out) == (4, "")
    message, typed, caret = result.err.splitlines()
    assert "--to: the density is infinite at 0" in message
    assert caret.index("^") == typed.index("@")


@pytest.mark.parametrize(
    ("args", "gate", "code"),
    [
        ([WAITS], "kl_data_model=0.1", 0),
        ([WAITS], "kl_data_model=0.001", 1),
        ([WAITS], "kl_model_data=0.001", 1),
        ([WAITS], "ks=0.5", 0),
        (["--to", MIXTURE, "--family", "normal"], "kl_pq=0.5", 1),
        (["--to", MIXTURE, "--family", "normal", "--direction", "reverse"], "kl_qp=0.7", 0),
    ],
)
def test_a_gate_is_of_the_best_fit(call, args, gate, code):
    result = call("fit", *args, "-q", "-f", "tsv", "--fail-above", gate, cwd=ROOT)
    assert result.code == code
    assert result.out.count("\n") >= 2
    field, _, limit = gate.partition("=")
    assert result.err.startswith(f"klcli: {field} is ") is bool(code)
    assert result.err.endswith(f", above {limit}\n") is bool(code)


# ------------------------------------------------------------------------------------------------------------- pictures


def test_a_field_that_there_is_not_leaves_no_picture(refused, tmp_path):
    assert "no field 'zz'" in refused(2, "fit", "1,2,4", "--family", "normal", "-g", "zz", "--plot", tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_leaves_nothing(refused, tmp_path):
    assert "no folder" in refused(6, "fit", FEW, "-q", "--plot", tmp_path / "none" / "x.png")
    full = tmp_path / "full.png"
    full.symlink_to("/dev/full")
    assert "no space left on device" in refused(6, "fit", FEW, "-q", "--plot", full)
    assert [entry.name for entry in tmp_path.iterdir()] == ["full.png"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that nobody may write to")
def test_a_picture_in_a_folder_that_must_not_be_written(refused):
    assert "/proc/x.png: " in refused(6, "fit", FEW, "-q", "--plot", "/proc/x.png")


# ------------------------------------------------------------------------------------------------------------ bad input

BAD_FILES = {
    "text.csv": "a,b\n1,x\nfoo,2\n",
    "nan.csv": "a\n1\nnan\n3\n",
    "inf.csv": "a\n1\n2\n-inf\n",
    "header.csv": "a\n",
    "blank.csv": "a,b\n,1\n,2\n",
    "negative.csv": "a\n1\n2\n-3.5\n",
    "two.csv": "a,b\n1,2\n3,4\n",
    "empty.txt": "",
    "mixed.txt": "1\n2\nthree\n",
}


@pytest.mark.parametrize(
    ("code", "args", "said"),
    [
        (3, "text.csv:a", "text.csv:3: 'foo' in column 'a' is not a number"),
        (3, "mixed.txt", "mixed.txt:3: 'three' is not a number"),
        (3, "blank.csv:a", "blank.csv:2: '' in column 'a' is not a number"),
        (3, "two.csv", "two.csv: 2 columns of numbers (a, b); choose one, as in two.csv:b"),
        (4, "nan.csv", "nan.csv:3, column 'a': nan is not finite"),
        (4, "5", "one value, 5; a fit needs at least two different ones"),
        (4, "5,5,5", "all 3 values are 5; a fit needs at least two different ones"),
        (4, "negative.csv --family gamma", "negative.csv:4, column 'a': -3.5 is not above 0"),
        (4, "negative.csv --family poisson", "negative.csv:4, column 'a': -3.5 is not a whole number"),
        (4, "1,2,2.5 --family beta", "1 is not between 0 and 1"),
        (4, "1,2,3 --weights 1,2", "--weights 1,2 has 2 numbers, DATA 1,2,3 3"),
        (3, "two.csv:a --weights c", "two.csv: no column 'c'; it has a, b"),
        (4, "-1e308,1e308,0", "the data span more than numbers can hold"),
        (2, "1,2,3 --family dirichlet", "'dirichlet': it is one of "),
        (2, "1,2,3 --bins 0x10", "--bins '0x10'"),
        (2, "1,2,3 --bins 1", "--bins '1': it is auto, or a whole number from 2 to 100000"),
        (2, "1,2,3 -g kl_data_modle", "Did you mean 'kl_data_model'?"),
        (2, "1,2,3 -g parameters.sd", "no fit has a parameter 'sd'; they have rate"),
        (2, "1,2,3 -g kl_pq", "only a projection (--to) has one; of data it is kl_data_model"),
        (2, "1,2,3 --fail-above kl_pq=1", "it is one of kl_data_model, kl_model_data, ks"),
        (2, "1,2,3 --direction forward", "--direction is for --to"),
        (2, "1,2,3 --to normal(0,1) --family normal", "DATA '1,2,3' does not go with --to"),
        (2, "--to normal(0,1) --family normal --weights w", "--weights 'w' does not go with --to"),
        (4, "--to 1,2,2,5 --weights 1,1,3,1 --family normal", "--to[2]: 2 stands twice; add its weights up"),
        (4, "--to 1,2,3 --weights 1,1 --family normal", "it needs a weight a value"),
        (4, "--to 1,2,3 --weights 1,-1,1 --family normal", "is negative, and no weight"),
        (2, "--to normal(0,1) --family normal --bins 9", "--bins '9' does not go with --to"),
        (2, "--to normal(0,1)", "--to needs --family"),
        (2, "--to normal(0,1) --family normal -g aic", "a projection has none"),
        (2, "--to dirichlet(1,2) --family normal", "a distribution of vectors has no projection here"),
        (4, "--to normal(0,1) --family poisson", "poisson (a family of counts, and the target is a density)"),
        (4, "--to normal(0,1) --family uniform --direction forward", "KL(P||Q) is infinite: P has mass without bounds"),
    ],
)
def test_refused_in_one_line_that_says_what_and_where(refused, tmp_path, code, args, said):
    for name, text in BAD_FILES.items():
        (tmp_path / name).write_text(text)
    assert said in refused(code, "fit", *args.split(), cwd=tmp_path)


@pytest.mark.parametrize(
    ("code", "formula", "said", "column"),
    [
        (3, "normal(0,", "a number must follow ','", 10),
        (4, "normal(0,-1)", "sd must be above 0", 10),
        (2, "nromal(0,1)", "Did you mean 'normal'?", 1),
        (2, "normal(0,scale=1)", "scale", 10),
    ],
)
def test_a_malformed_formula_is_shown_with_a_caret(call, code, formula, said, column):
    result = call("fit", "--to", formula, "--family", "normal")
    assert (result.code, result.out) == (code, "")
    message, typed, caret = result.err.splitlines()
    assert message.startswith(f"klcli: --to, character {column}: ")
    assert said in message
    assert typed == f"  {formula}"
    assert caret == " " * (column + 1) + "^"


@pytest.mark.parametrize("args", [[FEW], ["--to", "normal(0,1)", "--family", "normal"]], ids=["data", "target"])
def test_a_missing_library_is_named_with_how_to_install_it(refused, monkeypatch, args):
    monkeypatch.setitem(sys.modules, "scipy.special", None)
    assert refused(2, "fit", *args).endswith("needs SciPy; pip install 'klcli[fit]'")


# ---------------------------------------------------------------------------------------------------------------- notes


def test_that_a_fit_is_at_a_bound_is_said(fit):
    fits = {one["family"]: one for one in fit("-", input=lines(drawn("uniform", 500)))["fits"]}
    assert any(remark.startswith("df at a bound") for remark in fits["student_t"]["remarks"])
    assert fits["student_t"]["standard_errors"]["df"] is None
    assert fits["normal"]["remarks"] == []


def test_families_left_out_are_said_with_the_first_value_that_is_why(call, write):
    path = write("x.csv", "x\n1.5\n-2.5\n7.25\n")
    result = call("fit", path, "-f", "json")
    left_out = json.loads(result.out)["left_out"]
    assert left_out["gamma"] == f"{path}:3, column 'x': -2.5 is not above 0"
    assert "left out: lognormal, gamma, weibull" in result.err
    assert "left out" not in call("fit", path, "-q", "-f", "tsv").err


# ------------------------------------------------------------------------------------------------------ unfriendly data


def unfriendly():
    random = np.random.default_rng(1)
    yield "two values", [1.5, 2.5]
    yield "no variance but two values", np.where(random.random(300) < 0.3, 1.5, 2.5)
    yield "cauchy", random.standard_cauchy(1000)
    yield "infinite mean", random.pareto(0.5, 1000) + 1
    yield "ties at 0", np.where(random.random(500) < 0.6, 0.0, random.exponential(1, 500))
    yield "tiny", 1e-9 * random.gamma(2, 1, 500)
    yield "huge", 1e12 * random.gamma(2, 1, 500)
    yield "subnormal", [1e-310, 2e-310, 3e-310, 5e-310]
    yield "near the greatest", [1e307, 2e307, 5e307, 3e307]
    yield "absurd outlier", np.append(random.normal(0, 1, 500), 1e200)
    yield "far from 0", 1e12 + random.gamma(2, 1, 500)
    yield "negative counts", random.poisson(3, 500) - 5
    yield "far counts", random.poisson(1e6, 500)
    yield "counts that are no counts", random.integers(0, 2**50, 500)
    yield "minus zero", [-0.0, 0.0, 1.0, 2.0]
    yield "0 and 1", random.random(200) < 0.3


UNFRIENDLY = list(unfriendly())


@pytest.mark.parametrize(("name", "values"), UNFRIENDLY, ids=[name for name, _ in UNFRIENDLY])
def test_unfriendly_data_have_an_answer_without_a_bug(call, recwarn, name, values):
    result = call("fit", "-", "-f", "table", input=lines(values))
    assert result.code == 0, result
    assert result.err == ""
    assert [str(warning.message) for warning in recwarn] == []
    assert max(map(len, result.out.splitlines())) <= 80
    for ugly in ("nan", "np.", " -0 ", "e-32"):
        assert ugly not in result.out, name
    machine = call("fit", "-", "-q", "-g", "kl_data_model", input=lines(values))
    assert min(float(line) for line in machine.out.splitlines()) >= 0

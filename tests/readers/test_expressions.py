"""Formulas as arguments: what is read, what is refused, and where the error points."""

from math import exp, inf, pi, sqrt

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from klcli.errors import DistributionError, InputError, KlcliError, UsageError
from klcli.families.catalogue import CONTINUOUS, COUNTS, FAMILIES, FINITE, VECTORS
from klcli.families.formula import Component, Formula, Grid
from klcli.families.grid import points, weights
from klcli.families.law import Law
from klcli.readers import expressions
from klcli.readers.arguments import Arguments
from klcli.readers.expressions import is_formula, parse


def only(text):
    """The parameters of the one component."""
    formula = parse(text, "P")
    assert len(formula.components) == 1
    assert formula.components[0].weight == 1
    return dict(formula.components[0].parameters)


def shares(text):
    return [(component.weight, component.family) for component in parse(text, "P").components]


# ---------------------------------------------------------------------------------------------------- what a formula is


@pytest.mark.parametrize(
    "text",
    [
        *("normal(0,1)", " normal ( 0 , 1 ) ", "normal(", "norml(0,1)", "Normal(0,1)"),
        *("0.5*normal(0,1)+0.5*normal(1,1)", "1/2 * normal(0,1)", "50%*normal(0,1)", ".5*normal(0,1)"),
        *("1e-3*normal(0,1)", "normal(mu=0,sd=1)", "normal(0,1)@-4:5:0.1", "student_t(4)", "normal(0,0.csv)"),
    ],
)
def test_meant_as_a_formula(text):
    assert is_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "(", "-", "-:p", "0.4,0.6", "0.4 0.6", "cat=0.7,dog=0.3", "f(x)=0.4,g(x)=0.6", "f (x) = 0.4, g(x)=0.6"),
        *("f(g(x))=0.4,h=0.6", "normal=0.4,x(y)=0.6", "x.csv:p(1)", "survey (1).csv", "survey(1).csv"),
        *("survey(1).csv:truth", "survey(1).json#/p", "survey(1).csv.gz", "@normal(0,1)", '["normal(0,1)"]'),
        *('{"normal(0,1)": 1}', "normal", "2*3", "2(3)"),
    ],
)
def test_not_a_formula(text):
    assert not is_formula(text)


def test_a_file_of_that_name_is_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "normal(0,1)").write_text("0.4,0.6", encoding="utf-8")
    assert not is_formula("normal(0,1)")
    assert not is_formula("normal(0,1):p")
    assert is_formula("normal(0,2)")
    (read,) = Arguments().every(["normal(0,1)"])
    assert read.formula is None
    assert read.values.tolist() == [0.4, 0.6]


@pytest.mark.parametrize(
    ("texts", "given"),
    [
        (["normal(0,1)", "normal(1,2)"], ["normal(0,1)", "normal(1,2)"]),
        (["bernoulli(0.25)", "poisson(1)"], ["bernoulli(0.25)", "poisson(1)"]),
        (["bernoulli(0.25)", "1,2"], [[0.75, 0.25], [1, 2]]),
        (["bernoulli(0.25)", "normal(0,1)@0:2:1"], [[0.75, 0.25], (1 / sqrt(2 * pi) * np.exp([0, -0.5])).tolist()]),
    ],
)
def test_arguments_are_all_formulas_or_all_weights_and_each_is_parsed_once(texts, given, monkeypatch):
    parsed = []
    monkeypatch.setattr(expressions, "parse", lambda text, role: (parsed.append(text), parse(text, role))[1])
    found = Arguments().pair(*texts)
    assert [one.formula.text if one.formula else pytest.approx(one.values.tolist()) for one in found] == given
    assert parsed == [text for text in texts if "(" in text]


# -------------------------------------------------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("normal(0,1)", {"mu": 0, "sd": 1}),
        ("normal(-1.5,1/4)", {"mu": -1.5, "sd": 0.25}),
        ("normal(+1e-1, 50%)", {"mu": 0.1, "sd": 0.5}),
        ("\tnormal\n( 0 ,\u00a01 )  ", {"mu": 0, "sd": 1}),
        ("normal(1E+2,1.e-2)", {"mu": 100, "sd": 0.01}),
        ("normal(0,sd=2)", {"mu": 0, "sd": 2}),
        ("normal(sd = 2, mu = 1)", {"mu": 1, "sd": 2}),
        ("normal(mu=0,var=2)", {"mu": 0, "sd": sqrt(2)}),
        ("lognormal(1,var=4)", {"mu": 1, "sd": 2}),
        ("exponential(2)", {"rate": 2}),
        ("exponential(scale=4)", {"rate": 0.25}),
        ("gamma(2,scale=4)", {"shape": 2, "rate": 0.25}),
        ("student_t(4)", {"df": 4, "mu": 0, "scale": 1}),
        ("student_t(4,scale=2)", {"df": 4, "mu": 0, "scale": 2}),
        ("uniform(-1,2)", {"low": -1, "high": 2}),
        ("binomial(10,0)", {"n": 10, "p": 0}),
        ("geometric(1)", {"p": 1}),
        ("bernoulli(30%)", {"p": 0.3}),
        ("categorical(0.2,0.3,0.5)", {"p": (0.2, 0.3, 0.5)}),
        ("categorical([0.2,0.3,0.5])", {"p": (0.2, 0.3, 0.5)}),
        ("categorical(p=[ 0 , 1 ])", {"p": (0, 1)}),
        ("categorical(1)", {"p": (1,)}),
        ("dirichlet(1,2,3)", {"alpha": (1, 2, 3)}),
        ("dirichlet([1,2,3])", {"alpha": (1, 2, 3)}),
        ("multivariate_normal([0,0],[[1,0.2],[0.2,1]])", {"mean": (0, 0), "cov": ((1, 0.2), (0.2, 1))}),
        ("multivariate_normal([7],cov=[[3]])", {"mean": (7,), "cov": ((3,),)}),
        ("multivariate_normal([0,0],[[1e-20,0],[0,1e20]])", {"mean": (0, 0), "cov": ((1e-20, 0), (0, 1e20))}),
    ],
)
def test_parameters(text, parameters):
    assert only(text) == parameters


def test_mixtures():
    assert shares("0.3*normal(-3,0.7)+0.7*normal(3,0.7)") == [(0.3, "normal"), (0.7, "normal")]
    assert shares("1/4*poisson(1) + 75% * geometric(0.5)") == [(0.25, "poisson"), (0.75, "geometric")]
    assert shares("0.5*bernoulli(0.5)+0.5*categorical(1,0)") == [(0.5, "bernoulli"), (0.5, "categorical")]
    assert parse("0.5*normal(-3,0.7)+0.5*normal(3,0.7)", "P").remarks == ()


def test_weights_are_divided_by_their_sum_with_a_remark():
    formula = parse("normal(-3,1)+3*normal(3,1)", "Q")
    assert [component.weight for component in formula.components] == [0.25, 0.75]
    assert formula.remarks == ("Q: the weights of the mixture sum to 4; divided by it",)
    formula = parse("0.5*normal(0,1)", "P")
    assert formula.components == (Component("normal", {"mu": 0, "sd": 1}),)
    assert formula.remarks == ("P: the weight 0.5 of its only term makes no difference",)
    formula = parse("categorical(2,3,5)", "P")
    assert formula.components[0].parameters == {"p": (0.2, 0.3, 0.5)}
    assert formula.remarks == ("P: p of categorical sums to 10; divided by it",)
    assert parse("categorical(0.1,0.2,0.7000000000001)", "P").remarks == ()


def test_grid_is_read():
    assert parse("normal(0,1) @ -4 : 5 : 0.1", "P").grid == Grid(-4, 5, 0.1)
    assert parse("normal(0,1)@-50%:1/2:1e-2", "P").grid == Grid(-0.5, 0.5, 0.01)
    assert parse("0.5*normal(0,1)+0.5*normal(1,1)@0:1:0.5", "P").grid == Grid(0, 1, 0.5)


# ----------------------------------------------------------------------------------------------------- what is refused

BAD = [
    # What is malformed: the text up to the place where the error points, the rest, and what is said.
    (InputError, "normal(", "", "a number must follow '('"),
    (InputError, "normal(0,", ",1)", "a number must follow ','"),
    (InputError, "normal(", ",1)", "a number must follow '('"),
    (InputError, "normal(0,1,", ")", "a number must follow ','"),
    (InputError, "normal(0,1", "", "',' or ')' must follow '1'"),
    (InputError, "normal(0 ", "1)", "',' or ')' must follow '0'"),
    (InputError, "normal(0", ";1)", "',' or ')' must follow '0'"),
    (InputError, "normal(1", "+2,1)", "',' or ')' must follow '1'"),
    (InputError, "normal(1", "-2,1)", "',' or ')' must follow '1'"),
    (InputError, "normal(", "x,1)", "'x' is not a number"),
    (InputError, "normal(0,", "1_0)", "'1_0' is not a number"),
    (InputError, "normal(0,", "0x10)", "'0x10' is not a number"),
    (InputError, "normal(0,", "1/0)", "'1/0' divides by zero"),
    (InputError, "normal(0,", "1e-400)", "'1e-400' is below 5e-324, the least double"),
    (InputError, "normal(0,", "normal(0,1))", "'normal' is not a number"),
    (InputError, "normal(0,", "\u22121)", "'\u22121' is not a number"),
    (InputError, "normal(mu=", ")", "a number must follow 'mu='"),
    (InputError, "normal(mu=", "=1)", "a number must follow 'mu='"),
    (InputError, "normal(mu=0,", "1)", "what follows mu= needs its name too"),
    (InputError, "normal(0,1)", ")", "'+', '@' or the end must follow ')'"),
    (InputError, "normal(0,1) ", "normal(1,2)", "'+', '@' or the end must follow ')'"),
    (InputError, "normal(0,1)+", "", "a family must follow '+'"),
    (InputError, "normal(0,1)+0.5*", "0.5", "a family must follow '*'"),
    (InputError, "0.5*normal(0,1)+", "0.5normal(0,1)", "'0.5normal' is not a number"),
    (InputError, "0.5*normal(0,1)+0.5 ", "normal(0,1)", "'*' and a family must follow '0.5'"),
    (InputError, "normal(0,1)+normal", "", "'(' must follow 'normal'"),
    (InputError, "normal(0,1)+normal ", "[0,1]", "'(' must follow 'normal'"),
    (InputError, "categorical([", "])", "a number must follow '['"),
    (InputError, "categorical([0.5,0.5", ")", "',' or ']' must follow '0.5'"),
    (InputError, "categorical([[", "[1]]])", "a list in a list of lists"),
    (InputError, "normal(0,1)@", "", "a number must follow '@'"),
    (InputError, "normal(0,1)@0", "", "':' and STOP must follow '0'"),
    (InputError, "normal(0,1)@0:1", "", "':' and STEP must follow '1'"),
    (InputError, "normal(0,1)@0:1:", "", "a number must follow ':'"),
    (InputError, "normal(0,1)@0:1:0.1", ":2", "the end must follow '0.1'"),
    (InputError, "normal(0,1)@0:1:0.1", "+normal(0,1)", "the end must follow '0.1'"),
    # A value of another shape.
    (InputError, "normal(", "[0,1],1)", "mu is one number, not a list"),
    (InputError, "categorical(p=", "0.5)", "p is a list of numbers, as [1,2]"),
    (InputError, "categorical([", "[0.5],0.5])", "p is a list of numbers, as [1,2], not of lists"),
    (InputError, "dirichlet(1,", "[2])", "alpha is a list of numbers, as [1,2], not of lists"),
    (InputError, "multivariate_normal(", "0,1)", "mean is a list of numbers, as [1,2]"),
    (InputError, "multivariate_normal([0,0],", "[1,1])", "cov is a list of rows, as [[1,0],[0,1]]"),
    (InputError, "multivariate_normal([0,0],", "[[1,0],1])", "cov is a list of rows"),
    # Names that do not exist, and arguments that do not fit a family.
    (UsageError, "", "norml(0,1)", "no family 'norml'. Did you mean 'normal'?"),
    (UsageError, "", "Normal(0,1)", "no family 'Normal'. Did you mean 'normal'?"),
    (UsageError, "", "zzz(0,1)", "no family 'zzz'. There are normal, lognormal, exponential, gamma,"),
    (UsageError, "normal(0,1)+0.5* ", "pois(0,1)", "no family 'pois'. Did you mean 'poisson'?"),
    (UsageError, "normal(0,", "sigma=1)", "normal has no parameter 'sigma'; it has mu, sd, var"),
    (UsageError, "gamma(", "shap=1,rate=1)", "it has shape, rate, scale. Did you mean 'shape'?"),
    (UsageError, "normal(", ")", "mu is missing; it is normal(mu, sd), or var= for sd"),
    (UsageError, "normal(0", ")", "sd is missing; it is normal(mu, sd), or var= for sd"),
    (UsageError, "student_t(mu=0", ")", "df is missing; it is student_t(df, mu=0, scale=1)"),
    (UsageError, "categorical(", ")", "p is missing; it is categorical(p, ...)"),
    (UsageError, "normal(0,1,", "2)", "one value too many; it is normal(mu, sd), or var= for sd"),
    (UsageError, "categorical([0.5,0.5],", "1)", "one value too many"),
    (UsageError, "normal(0,1,", "mu=2)", "mu stands twice"),
    (UsageError, "normal(mu=0,sd=1, ", "mu=2)", "mu stands twice"),
    (UsageError, "normal(0,sd=1,", "var=2)", "var and sd say the same; give one"),
    (UsageError, "normal(0,var=1,", "sd=2)", "sd and var say the same; give one"),
    (UsageError, "normal(0,1,", "var=2)", "var and sd say the same; give one"),
    (UsageError, "categorical(0.5,0.5,", "p=[1])", "p stands twice"),
    # Numbers that make no distribution.
    (DistributionError, "normal(0,", "0)", "sd must be above 0, and finite, not '0'"),
    (DistributionError, "normal(0,", "-1)", "sd must be above 0, and finite, not '-1'"),
    (DistributionError, "normal(0,", "inf)", "sd must be above 0, and finite, not 'inf'"),
    (DistributionError, "normal(", "nan,1)", "mu must be finite, not 'nan'"),
    (InputError, "normal(", "1e400,1)", "'1e400' is beyond 1.8e308, the largest double"),
    (DistributionError, "normal(0,var=", "-1)", "var must be above 0, and finite, not '-1'"),
    (DistributionError, "normal(0,var=", "0)", "var must be above 0"),
    (DistributionError, "exponential(scale=", "0)", "scale must be above 0"),
    (DistributionError, "exponential(scale=", "5e-324)", "scale '5e-324' makes rate inf; it must be above 0"),
    (DistributionError, "bernoulli(", "1.5)", "p must be from 0 to 1, not '1.5'"),
    (DistributionError, "bernoulli(", "-1%)", "p must be from 0 to 1, not '-1%'"),
    (DistributionError, "geometric(", "0)", "p must be above 0 and at most 1, not '0'"),
    (DistributionError, "binomial(", "2.5,0.5)", "n must be a whole number from 1, and finite, not '2.5'"),
    (DistributionError, "binomial(", "0,0.5)", "n must be a whole number from 1"),
    (DistributionError, "uniform(1,", "1)", "high must be above low, 1.0"),
    (DistributionError, "uniform(high=", "1,low=2)", "high must be above low, 2.0"),
    (DistributionError, "uniform(-1e308,", "1e308)", "high must be above low"),
    (DistributionError, "categorical(", "0,0)", "all of p are 0; one must be above 0"),
    (DistributionError, "categorical(0.5,", "-0.5)", "p must be from 0, and finite, not '-0.5'"),
    (DistributionError, "categorical(", "1e308,1e308,1e308)", "these weights lie too far apart"),
    (DistributionError, "categorical(", "5e-324,1e300)", "these weights lie too far apart"),
    (DistributionError, "dirichlet(", "1)", "alpha must be two numbers or more"),
    (DistributionError, "dirichlet(1,", "0)", "alpha must be above 0"),
    (DistributionError, "multivariate_normal([0,0],", "[[1]])", "cov is of 1 variables, mean of 2"),
    (DistributionError, "multivariate_normal([0,0],[[1,0],", "[0]])", "row 2 of cov has 1 of 2 numbers"),
    (DistributionError, "multivariate_normal([0,0],[", "[1,0,0],[0,1,0]])", "row 1 of cov has 3 of 2 numbers"),
    (DistributionError, "multivariate_normal([0,0],[[1,0.2],[", "0.3,1]])", "cov is not symmetric: this is 0.3, and"),
    (DistributionError, "multivariate_normal([0,0],[[1,0],[0,", "0]])", "the variance of variable 2 must be above 0"),
    (DistributionError, "multivariate_normal([0,0],", "[[1,1],[1,1]])", "cov is not positive definite"),
    (DistributionError, "multivariate_normal([0,0],", "[[0.1,0.1],[0.1,0.1]])", "cov is not positive definite"),
    (DistributionError, "multivariate_normal([0,0],", "[[1,2],[2,1]])", "cov is not positive definite"),
    (DistributionError, "multivariate_normal([0,0],", "[[1,1e308],[1e308,1]])", "cov is not positive definite"),
    (DistributionError, "", "0*normal(0,1)", "a component's weight must be above 0 and finite, not '0'"),
    (DistributionError, "normal(0,1)+", "-0.5*normal(0,1)", "a component's weight must be above 0"),
    (InputError, "normal(0,1)+", "1e400*normal(0,1)", "'1e400' is beyond 1.8e308, the largest double"),
    (DistributionError, "", "5e-324*normal(0,1)+1e300*normal(1,1)", "these weights lie too far apart"),
    (DistributionError, "normal(0,1)+", "poisson(1)", "poisson is masses on 0, 1, 2, ..., normal is a density; a mix"),
    (DistributionError, "poisson(1)+2*", "bernoulli(1)", "bernoulli is masses on finitely many outcomes"),
    (
        DistributionError,
        "",
        "dirichlet(1,2)+dirichlet(2,3)",
        "dirichlet is of vectors, and mixtures are of numbers only",
    ),
    (DistributionError, "normal(0,1)@0:1:", "0", "STEP must be above 0, not '0'"),
    (DistributionError, "normal(0,1)@0:1:", "-0.1", "STEP must be above 0, not '-0.1'"),
    (DistributionError, "normal(0,1)@0:", "0:1", "STOP must be above START, 0, not '0'"),
    (DistributionError, "normal(0,1)@", "-inf:0:1", "START must be finite, not '-inf'"),
    (DistributionError, "normal(0,1)@0:1:", "nan", "STEP must be finite, not 'nan'"),
    (DistributionError, "normal(0,1)@0:1:", "1e-8", "a grid of more than 10,000,000 points; take a longer STEP"),
    (DistributionError, "normal(0,1)@-1e308:1e308:", "1", "a grid of more than 10,000,000 points"),
    (DistributionError, "poisson(3)@0:9:", "0.5", "STEP must be a whole number, for there alone are masses"),
    (DistributionError, "poisson(3)@", "0.5:9:1", "START must be a whole number"),
    (DistributionError, "dirichlet(1,2)", "@0:1:0.1", "a grid is of numbers, and this is a distribution of vectors"),
]


@pytest.mark.parametrize(("kind", "before", "rest", "said"), BAD, ids=[a + "^" + b for _, a, b, _ in BAD])
def test_refused_pointing_at_the_place(kind, before, rest, said):
    with pytest.raises(KlcliError) as caught:
        parse(before + rest, "Q")
    assert str(caught.value).startswith(f"Q, character {len(before) + 1}: ")
    assert said in str(caught.value)
    assert type(caught.value) is kind
    assert caught.value.pointer == ((before + rest).strip(), len(before))


def test_nothing_is_evaluated_and_nothing_recurses_without_end():
    with pytest.raises(InputError):
        parse("normal(__import__('os'),1)", "P")
    with pytest.raises(InputError):
        parse("categorical(" + "[" * 100_000, "P")


# ------------------------------------------------------------------------------------------------------------ the grid


@pytest.mark.parametrize(
    ("grid", "count", "last"),
    [
        (Grid(-4, 5, 0.1), 90, 4.9),
        (Grid(-3, 6, 0.1), 90, 5.9),
        (Grid(0, 1, 0.1), 10, 0.9),
        (Grid(0, 0.3, 0.1), 3, 0.2),
        (Grid(0, 1, 1 / 3), 3, 2 / 3),
        (Grid(0, 1, 0.4), 3, 0.8),
        (Grid(0, 1, 5), 1, 0),
        (Grid(0, 1e-12, 5), 1, 0),
        (Grid(0, 10_000_000, 1), 10_000_000, 9_999_999),
        (Grid(-1e300, 1e300, 1e299), 20, 9e299),
    ],
)
def test_points_of_a_grid(grid, count, last):
    found = points(grid)
    assert len(found) == count
    assert found[0] == grid.start
    assert found[-1] == pytest.approx(last, rel=1e-15)
    assert (np.diff(found) > 0).all()


def test_a_density_at_its_points():
    found = weights(parse("normal(1,var=0.2)@-4:5:0.1", "P"))
    expected = [exp(-((-4 + i / 10 - 1) ** 2) / 0.4) / sqrt(2 * pi * 0.2) for i in range(90)]
    assert found == pytest.approx(expected, rel=1e-12)
    mixed = weights(parse("0.25*uniform(0,1)+0.75*uniform(0,2)@0.5:2.5:1", "P"))
    assert mixed == pytest.approx([0.25 + 0.375, 0.375], rel=1e-15)
    assert weights(parse("exponential(2)@-0.9:0.6:0.3", "P"))[2:4].tolist() == [0, 2]
    assert weights(parse("poisson(2)@0:3:1", "P")) == pytest.approx([exp(-2), 2 * exp(-2), 2 * exp(-2)], rel=1e-14)


def test_finite_outcomes_need_no_grid():
    assert weights(parse("bernoulli(0.3)", "P")).tolist() == [0.7, 0.3]
    assert weights(parse("bernoulli(1)", "P")).tolist() == [0, 1]
    assert weights(parse("categorical(0.2,0,0.8)", "P")).tolist() == [0.2, 0, 0.8]
    assert weights(parse("0.5*bernoulli(0.5)+0.5*categorical(0,0,1)", "P")).tolist() == [0.25, 0.25, 0.5]
    assert weights(parse("bernoulli(0.3)@-1:3:1", "P")) == pytest.approx([0, 0.7, 0.3, 0], rel=1e-15)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("gamma(0.5,1)@-1:5:0.1", "0"),
        ("weibull(0.5,1)@0:5:0.1", "0"),
        ("beta(0.5,1)@0:1:0.1", "0"),
        ("beta(1,0.5)@0:2:0.1", "1"),
        ("0.5*normal(0,1)+0.5*gamma(0.5,1)@-1:5:0.1", "0"),
    ],
)
def test_an_infinite_density_is_refused(text, at):
    with pytest.raises(DistributionError, match=f"^P: the density is infinite at {at}; move the grid") as caught:
        weights(parse(text, "P"), "P")
    assert caught.value.pointer == (text, text.index("@"))


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("normal(0,1)", "is a density, not weights; put it on a grid, as normal(0,1)@-4:4:0.1"),
        ("student_t(3)", "as student_t(3)@-4:4:0.1"),
        ("uniform(2,3)", "as uniform(2,3)@2:3:0.01"),
        ("gamma(0.5,1)", "as gamma(0.5,1)@0.05:10:0.1"),
        ("lognormal(0,1)", "as lognormal(0,1)@0.05:10:0.1"),
        ("beta(0.5,0.5)", "as beta(0.5,0.5)@0.005:1:0.01"),
        ("poisson(3)", "is masses on 0, 1, 2, ... without end, not weights; put it on a grid, as poisson(3)@0:100:1"),
        ("dirichlet(1,2)", "is a density of vectors, not weights"),
        ("normal(" + " " * 100 + "0,1)", "as @-4:4:0.1"),
    ],
)
def test_a_density_without_a_grid_is_no_weights(text, mend):
    with pytest.raises(DistributionError) as caught:
        Arguments().one(text, "P")
    assert str(caught.value).startswith("P: ")
    assert mend in str(caught.value)
    if "put it on a grid" in mend or mend.startswith("as "):
        again = str(caught.value).rpartition(" ")[2]
        assert len(weights(parse(text + "@" + again.partition("@")[2], "P"))) > 50


@pytest.mark.parametrize("text", ["beta(1e308,1e308)@0:1:0.5", "gumbel(0,5e-324)@-1:1:0.5"])
def test_a_density_beyond_doubles_is_refused(text):
    with pytest.raises(DistributionError, match="beyond what doubles can hold") as caught:
        weights(parse(text, "P"), "P")
    assert caught.value.pointer == (text, text.index("@"))


# ------------------------------------------------------------------------------------------------------- as an argument


# ------------------------------------------------------------------------------------------------------------- the laws

finite = st.floats(allow_nan=False, allow_infinity=False)
positive = st.floats(1e-100, 1e100)
space = st.text(" \t\n", max_size=2)


@st.composite
def components(draw, kind):
    """A component of a kind, valid."""
    name = draw(st.sampled_from([name for name, family in FAMILIES.items() if family.kind == kind]))
    values = {}
    for parameter in FAMILIES[name].parameters:
        numbers = positive if parameter.low == 0 else finite
        if parameter.high == 1:
            numbers = st.floats(0.01, 1)
        if parameter.shape == "whole":
            values[parameter.name] = float(draw(st.integers(1, 10**6)))
        elif parameter.shape == "vector":
            values[parameter.name] = tuple(draw(st.lists(numbers, min_size=2, max_size=4)))
        elif parameter.shape == "matrix":
            size = len(values["mean"])
            cov = np.diag(draw(st.lists(positive, min_size=size, max_size=size))).tolist()
            values[parameter.name] = tuple(map(tuple, cov))
        else:
            values[parameter.name] = draw(numbers)
    if name == "uniform":
        values = {"low": draw(st.floats(-1e9, 0)), "high": draw(st.floats(0.5, 1e9))}
    if name == "triangular":
        values = {"low": draw(st.floats(-1e9, 0)), "mode": draw(st.floats(0, 0.5)), "high": draw(st.floats(0.5, 1e9))}
    if name == "categorical":
        values = {"p": draw(st.sampled_from([(0.25, 0.75), (0.5, 0.125, 0.375), (0.0, 1.0)]))}
    return Component(name, values)


@st.composite
def formulas(draw):
    kind = draw(st.sampled_from([CONTINUOUS, COUNTS, FINITE, VECTORS]))
    shares = [1.0] if kind == VECTORS else draw(st.sampled_from([[1.0], [0.5, 0.5], [0.25, 0.125, 0.625]]))
    parts = tuple(draw(components(kind))._replace(weight=share) for share in shares)
    grid = None
    if kind == CONTINUOUS and draw(st.booleans()):
        start, step = draw(st.floats(-1e9, 1e9)), draw(st.floats(1e-3, 1e3))
        grid = Grid(start, start + step * draw(st.integers(1, 1000)), step)
    elif kind in {COUNTS, FINITE} and draw(st.booleans()):
        grid = Grid(*map(float, draw(st.sampled_from([(0, 10, 1), (-2, 9, 2)]))))
    return parts, grid


def written(value):
    return "[" + ",".join(map(written, value)) + "]" if isinstance(value, tuple) else repr(value)


@given(formulas(), st.data())
def test_what_is_written_is_read_back(formula, data):
    parts, grid = formula
    terms = []
    for part in parts:
        named = data.draw(st.integers(0, len(part.parameters)))
        told = [
            (f"{name}=" if i >= named else "") + written(value)
            for i, (name, value) in enumerate(part.parameters.items())
        ]
        weight = f"{part.weight!r}*" if part.weight != 1 else ""
        terms.append(f"{weight}{part.family}({','.join(told)})")
    text = "+".join(terms) + (f"@{grid.start!r}:{grid.stop!r}:{grid.step!r}" if grid else "")
    spaced = "".join(c + data.draw(space) if c in "(),:[]@*=" else c for c in text) if len(text) < 200 else text
    found = parse(spaced, "P")
    assert is_formula(spaced)
    assert found == Formula(spaced.strip(), parts, grid)
    assert parse(found.text, "P") == found


words = st.sampled_from(
    [*FAMILIES, *"()[],:=@*+-/% 1pe猫\0", "0.5", "-2", "1e400", "nan", "inf", "mu", "sd", "var", "5e-324"]
)


@given(st.one_of(st.text(), st.lists(words, max_size=20).map("".join)))
@example("normal(0,1e-320)@-1:1:0.5")
@example("gumbel(0,5e-324)@-1:1:0.5")
@example("student_t(1e-320)@0:1:1")
@example("gamma(1e300,1)@0:1:1")
@example("gamma(1e307,1)@0:1:1")
@example("binomial(1e300,0.5)@0:3:1")
def test_whatever_is_typed_only_our_errors_come(text):
    is_formula(text)
    try:
        formula = parse(text, "P")
        if formula.grid is None or formula.grid.stop - formula.grid.start < 1e4 * formula.grid.step:
            weights(formula)
    except KlcliError as error:
        said = str(error)
        assert "\n" not in said
        if error.pointer is not None:
            shown, at = error.pointer
            assert shown == text.strip()
            assert 0 <= at <= len(shown)
            assert f"character {at + 1}: " in said or "infinite" in said or "beyond" in said
    else:
        assert all(0 < component.weight <= 1 < inf for component in formula.components)


def test_a_mixture_of_very_many_terms_is_refused_at_the_first_too_many():
    with pytest.raises(UsageError, match=r"a mixture of 1001 terms, and 1000 are the most"):
        parse("+".join(["normal(0,1)"] * 1001), "P")


def test_densities_of_many_terms_are_those_of_few():
    x = np.linspace(-3, 3, 7)
    many = Law(parse("+".join(["normal(0,1)", "normal(1,2)"] * 400), "P"))
    few = Law(parse("normal(0,1)+normal(1,2)", "P"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("klcli.families.law._MOST_HELD", 70)
        assert many.log_density(x) == pytest.approx(few.log_density(x), rel=1e-13)

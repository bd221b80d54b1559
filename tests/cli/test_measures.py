"""Measures by the names that people say, those of one distribution, of several together, and along a line."""

import itertools
import json
from math import log, log2, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klcli.engine.formulas import measure
from klcli.engine.pair import single_pair
from tests.engine.test_anchors import column

PAIR = ("3,1", "1,3")
JS = 0.13081203594113697  # of 3/4, 1/4 and 1/4, 3/4: log 2 - H(1/4) + ..., by mpmath


def values(result, code=0):
    assert result.code == code, result.err
    return [float(line) for line in result.out.split()]


@pytest.mark.parametrize(
    ("alias", "field"),
    [
        ("kl", "kl_pq"),
        ("reverse_kl", "kl_qp"),
        ("ce", "cross_entropy_pq"),
        ("js", "js_divergence"),
        ("jsd", "js_divergence"),
        ("psi", "jeffreys"),
        ("tv", "total_variation"),
        ("h", "entropy_p"),
        ("bc", "bhattacharyya"),
    ],
)
def test_what_people_say_is_taken_and_the_fields_own_name_comes_out(call, alias, field):
    table = call("compare", "2,1,1", "1,1,2", "-q", "-f", "tsv", "-m", alias).out
    assert table == call("compare", "2,1,1", "1,1,2", "-q", "-f", "tsv", "-m", field).out
    assert table.splitlines()[1].startswith(f"{field}\t")
    assert call("compare", "2,1,1", "1,1,2", "-q", "--fail-above", f"{alias}=100").code == 0
    assert call("matrix", "-", "-q", "-m", alias, input="n,a,b\nx,1,2\ny,2,1\n").code == 0


def test_aliases_stand_in_statistics_and_elements_too(call):
    rows = "p1,p2,q1,q2\n3,1,1,3\n1,1,1,1\n"
    assert call("batch", "-", "-q", "--p", "p*", "--q", "q*", "--fail-above", "mean:kl=0.1", input=rows).code == 1
    assert values(call("compare", *PAIR, "-q", "-g", "elements.psi")) == pytest.approx([log(3) / 2, log(3) / 2])
    assert values(call("entropy", "1,3", "-q", "-g", "h")) == values(call("entropy", "1,3", "-q", "-g", "entropy"))


def test_the_measures_of_one_distribution(call):
    found = values(call("entropy", "10,5,1,0", "-q", "-g", "efficiency,min_entropy,simpson,renyi_entropy"))
    p = [10 / 16, 5 / 16, 1 / 16]
    squares = sum(x * x for x in p)
    entropy = -sum(x * log(x) for x in p)
    assert found == pytest.approx([entropy / log(4), -log(10 / 16), 1 - squares, -log(squares)], rel=1e-14)
    bits = values(call("entropy", "1,1,2", "-q", "--unit", "bits", "-g", "min_entropy,efficiency"))
    assert bits == pytest.approx([1, 1.5 / log2(3)])
    assert values(call("entropy", "7", "-q", "-g", "simpson")) == [0]


def test_the_efficiency_of_equal_weights_is_1_whatever_the_rounding():
    found = [float(measure(single_pair(e, e), ["efficiency"], 2.0)["efficiency"][0]) for e in map(_equal, range(2, 40))]
    assert max(found) == 1
    assert found == pytest.approx([1] * len(found), rel=1e-15)


def _equal(n):
    return column([1] * n)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=6).filter(any), st.sampled_from([0.0, 1e-9, 0.5, 0.999999]))
def test_renyi_entropies_fall_with_their_order(counts, alpha):
    pair = single_pair(column(counts), column(counts))
    orders = [alpha, 1.0, 1.000001, 2.0, 40.0, float("inf")]
    found = [float(measure(pair, ["renyi_entropy"], order)["renyi_entropy"][0]) for order in orders]
    for higher, lower in itertools.pairwise(found):
        assert lower <= higher * (1 + 1e-14)
    assert found[-1] == pytest.approx(float(measure(pair, ["min_entropy"], 2.0)["min_entropy"][0]), rel=1e-14)
    assert found[1] == pytest.approx(float(measure(pair, ["entropy"], 2.0)["entropy"][0]), rel=1e-14)


@pytest.mark.parametrize(("alpha", "expected"), [("0.01", 3.387943e-4), ("0.5", 3.830339e-174), ("0.001", 0.371472)])
def test_renyi_entropies_of_small_orders_count_what_has_a_share_below_any_double(call, alpha, expected):
    # log(1 + e^(-800 alpha)) / (1 - alpha), but for the e^-800 in the sum of all
    found = values(call("entropy", "0,-800", "--as", "logits", "-q", "-g", "renyi_entropy", "--alpha", alpha))
    assert found == pytest.approx([expected], rel=1e-6, abs=0)


def test_several_distributions_have_one_divergence_together(call, refused):
    three = ("0.5,0.5,0", "0,0.5,0.5", "1/3,1/3,1/3")
    assert values(call("entropy", *three, "-q", "-g", "js")) == pytest.approx([0.24374112697907063], rel=1e-14)
    assert values(call("entropy", *PAIR, "-q", "-g", "js_divergence")) == pytest.approx([JS], rel=1e-14)
    assert values(call("entropy", "a=3,b=1", "b=3,a=1", "-q", "-g", "js")) == pytest.approx([JS], rel=1e-14)
    assert values(call("entropy", "3e9,1e9", "1,3", "-q", "-g", "js", "--unit", "bits")) == pytest.approx([JS / log(2)])
    found = json.loads(call("entropy", *PAIR, "-q", "-m", "js,entropy", "-f", "json").out)
    assert (found["js_divergence"], list(found["distributions"][0]["measures"])) == (pytest.approx(JS), ["entropy"])
    assert (
        "js_divergence of the 2 together: 0.13081 nats" in call("entropy", *PAIR, "-q", "-m", "js", "-f", "table").out
    )
    gated = call("entropy", *PAIR, "-q", "-f", "tsv", "--fail-above", "js=0.1")
    assert (gated.code, gated.out.splitlines()[0], gated.err.count("above 0.1")) == (1, "name\tentropy\tperplexity", 1)
    assert "give at least two" in refused(2, "entropy", "1,2", "-m", "js")
    assert "P1 has 2 values, P2 has 3" in refused(4, "entropy", "1,2", "1,2,3", "-m", "js")
    assert "'x=1,y=2'" not in refused(4, "entropy", "1,2", "x=1,y=2", "-m", "js")
    assert "klcli compare has that" in refused(2, "entropy", "normal(0,1)", "normal(1,1)", "-m", "js")


@pytest.mark.parametrize(
    "pair",
    [
        ("1,1", "1,1.00000000000001"),
        ("2,1,-900", "2.0000001,1,-901", "--as", "logits"),
        ("2,1,-900", "3,1,-901", "--as", "logits", "--temperature", "2"),
        ("-0.7,-0.7", "-0.7,-0.70000001", "--as", "logprobs"),
        ("0.2,0.3", "0.3,0.3", "--no-normalize"),
        ("1,0", "0,1"),
    ],
)
def test_the_divergence_of_two_together_is_that_of_the_pair_to_its_last_digits(call, pair):
    together, of_pair = (values(call(command, *pair, "-q", "-g", "js")) for command in ("entropy", "compare"))
    assert together == pytest.approx(of_pair, rel=1e-13, abs=0)


def test_near_distributions_have_the_digits_of_their_divergence_together(call):
    e = 2.0**-45
    found = values(call("entropy", "1,1", f"1,{1 + e!r}", f"1,{1 + 3 * e!r}", "-q", "-g", "js"))
    assert found == pytest.approx([7 / 36 * e * e], rel=1e-12, abs=0)  # of shares 1/2 + (0, e/4, 3e/4)
    apart = [",".join("1" if i == j else "0" for j in range(7)) for i in range(7)]
    assert log(7) * (1 - 1e-15) <= values(call("entropy", *apart, "-q", "-g", "js"))[0] <= log(7)


def test_the_mixture_may_weigh_p_and_q_unequally(call, refused):
    p, q = (0.7, 0.2, 0.1), (0.2, 0.3, 0.5)
    w = 0.25
    m = [w * a + (1 - w) * b for a, b in zip(p, q, strict=True)]
    terms = (w * a * log(a / c) + (1 - w) * b * log(b / c) for a, b, c in zip(p, q, m, strict=True))
    expected, options = sum(terms), (".7,.2,.1", ".2,.3,.5", "-q", "--js-weight", "1/4")
    found = values(call("compare", *options, "-g", "js_divergence,js_distance"))
    assert found == pytest.approx([expected, sqrt(expected)], rel=1e-14)
    rows = "p1,p2,p3,q1,q2,q3\n.7,.2,.1,.2,.3,.5\n"
    batch = call("batch", "-", "-q", "--p", "p*", "--q", "q*", "-m", "js", "--js-weight", ".25", input=rows)
    assert float(batch.out.split()[1]) == pytest.approx(expected, rel=1e-13)
    square = call("matrix", "-", "-q", "-m", "js", "--js-weight", ".25", input="n,a,b,c\nx,.7,.2,.1\ny,.2,.3,.5\n")
    (_, _, xy), (_, yx, _) = _rows(square.out)
    assert float(xy) == pytest.approx(expected, rel=1e-13)
    assert float(yx) != pytest.approx(expected, rel=1e-3)
    near = values(call("compare", "1,1,1", "1,1,1.000001", "-q", "--js-weight", "0.1", "-g", "js"))
    assert near == pytest.approx([0.1 * 0.9 / 2 * 2 / 9 * 1e-12], rel=1e-5)
    assert "between 0 and 1" in refused(2, "compare", *PAIR, "--js-weight", "1")
    assert "no option '--js-weight'" in refused(2, "kl", *PAIR, "--js-weight", ".2")
    assert "--js-weight is for weights" in refused(2, "compare", "normal(0,1)", "normal(1,1)", "--js-weight", ".2")


def _rows(text):
    return [line.split("\t") for line in text.splitlines()[1:]]


def test_wasserstein_lies_along_numbers_where_labels_are_some(call):
    found = call("compare", "1=.5,3=.5", "1=.25,7=.75", "-g", "wasserstein")
    assert values(found) == [0.25 * 2 + 0.75 * 4]
    assert "the outcomes lie at the numbers that label them" in found.err
    found = call("compare", "a=.5,b=.5", "a=.25,b=.75", "-g", "wasserstein")
    assert (values(found), "at their positions, 1 apart" in found.err) == ([0.25], True)
    table = "g,x,p,q\nu,10,1,0\nu,20,1,1\nu,40,0,1\n"
    batch = call("batch", "-", "--by", "g", "--label", "x", "--p", "p", "--q", "q", "-m", "wasserstein", input=table)
    assert float(batch.out.split()[1].split(",")[1]) == 15
    square = call(
        "matrix", "-", "--columns", "--label", "x", "-m", "wasserstein", input="x,p,q\n10,1,0\n20,1,1\n40,0,1\n"
    )
    assert _rows(square.out)[0][2] == "15.0"


def test_the_share_of_rows_whose_largest_outcome_agrees(call):
    rows = "p1,p2,q1,q2\n3,1,1,3\n2,1,5,1\n1,1,0,1\n"
    found = call("batch", "-", "-q", "--p", "p*", "--q", "q*", "-m", "same_top", input=rows)
    assert found.out.split()[1:] == ["0.0", "1.0", "1.0"]


def test_what_agrees_on_the_largest_outcome_is_nearer_than_what_does_not(call):
    assert call("rank", "3,2", "2,3", "7,3", "-q", "--sort", "same_top", "-g", "name").out.split() == ["7,3", "2,3"]
    table = "n,a,b\nx,3,2\ny,2,3\nz,7,3\n"
    nearest = call("matrix", "-", "-q", "-m", "same_top", "--top", "1", "-f", "tsv", input=table)
    farthest = call("matrix", "-", "-q", "-m", "same_top", "--farthest", "2", "-f", "tsv", input=table)
    assert _rows(nearest.out) == [["x", "z", "1.0"]]
    assert _rows(farthest.out) == [["x", "y", "0.0"], ["y", "z", "0.0"]]
    drawn = call("matrix", "-", "-q", "-m", "same_top", "-f", "table", input=table).out
    assert ("nearest" in drawn, "least" in drawn, "most" in drawn) == (False, True, True)

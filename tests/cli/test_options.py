"""Options that change numbers, each against its formula written out here."""

import json
from itertools import pairwise
from math import exp, fsum, inf, log, sqrt

import pytest

P, Q = [4, 0, 3, 1], [1, 2, 5, 0]
TEXT = ["4,0,3,1", "1,2,5,0"]
SMOOTHED = {
    "add=0.25": lambda w: [x + 0.25 for x in w],
    "laplace": lambda w: [x + 1 for x in w],
    "jeffreys": lambda w: [x + 0.5 for x in w],
    "perks": lambda w: [x + 1 / len(w) for x in w],
    "mix=0.1": lambda w: mixed(w, 0.1),
    "mix=10%": lambda w: mixed(w, 0.1),
    "floor=0.05": lambda w: [max(x, 0.05) for x in mass(w)],
    "shrink": lambda w: mixed(w, james_stein(w)),
}


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def mass(weights):
    whole = fsum(weights)
    return [w / whole for w in weights]


def mixed(weights, rate):
    return [(1 - rate) * p + rate / len(weights) for p in mass(weights)]


def james_stein(counts):
    p = mass(counts)
    spread = (fsum(counts) - 1) * fsum((1 / len(p) - x) ** 2 for x in p)
    return min(1, max(0, (1 - fsum(x * x for x in p)) / spread)) if spread > 0 else 1


def softmax(logits, temperature=1.0):
    return mass([exp(z / temperature) for z in logits])


def divergence(p, q):
    """KL(p||q) of weights, in nats."""
    if any(a > 0 == b for a, b in zip(p, q, strict=True)):
        return inf
    return fsum(a * log(a / b) for a, b in zip(mass(p), mass(q), strict=True) if a > 0)


def entropy(p):
    return -fsum(x * log(x) for x in mass(p) if x > 0)


# -------------------------------------------------------------------------------------------------------------- read as


def test_weights_are_divided_by_their_sum_with_a_note(call):
    result = call("kl", "4,6", "30,70")
    assert float(result.out) == near(divergence([4, 6], [3, 7]))
    assert (
        result.err == "klcli: note: P sums to 10; divided by its sum\nklcli: note: Q sums to 100; divided by its sum\n"
    )


@pytest.mark.parametrize(("text", "noted"), [("0.4,0.6", 0), ("0.4,0.6000000001", 0), ("0.4,0.60000001", 1)])
def test_sum_within_a_billionth_of_one_needs_no_note(call, text, noted):
    assert call("kl", text, "0.3,0.7").err.count("\n") == noted


@pytest.mark.parametrize("way", [["--as", "logits"], ["--softmax"], ["--p-as", "logits", "--q-as", "logits"]])
def test_logits_go_through_softmax(kl, way):
    want = divergence(softmax([-0.7, 0.1, 2]), softmax([3, 0.2, -0.4]))
    assert kl("-0.7,0.1,2", "3,0.2,-0.4", *way) == near(want)


@pytest.mark.parametrize("temperature", ["0.5", "2", "1/3", "50%"])
def test_temperature_divides_the_logits(kl, temperature):
    from fractions import Fraction

    value = float(Fraction(temperature)) if "%" not in temperature else 0.5
    want = divergence(softmax([-0.7, 0.1, 2], value), softmax([3, 0.2, -0.4], value))
    assert kl("-0.7,0.1,2", "3,0.2,-0.4", "--softmax", "--temperature", temperature) == near(want)


def test_each_side_may_be_read_in_its_own_way(kl, call):
    want = divergence([2, 3, 5], softmax([1, 0, -1]))
    assert kl("2,3,5", "1,0,-1", "--q-as", "logits") == near(want)
    assert kl("2,3,5", "1,0,-1", "--as", "logits", "--p-as", "weights") == near(want)
    assert kl("1,0,-1", "2,3,5", "--p-as", "logits") == near(divergence(softmax([1, 0, -1]), [2, 3, 5]))
    shape = json.loads(call("compare", "2,3,5", "1,0,-1", "--q-as", "logits", "-f", "json").out)
    assert [shape["settings"][f"{side}_as"] for side in "pq"] == ["weights", "logits"]
    assert [shape["inputs"][side]["as"] for side in "pq"] == ["weights", "logits"]


def test_log_probabilities_are_exponentiated(kl):
    p, q = [0.25, 0.75], [0.5, 0.5]
    texts = [",".join(repr(log(x)) for x in side) for side in (p, q)]
    assert kl(*texts, "--as", "logprobs") == near(divergence(p, q))


def test_log_probabilities_that_do_not_sum_to_one_are_noted(call):
    result = call("kl", "-1,-2", "0.5,0.5", "--p-as", "logprobs")
    assert float(result.out) == near(divergence([exp(-1), exp(-2)], [1, 1]))
    assert "logsumexp is -0.6867383125, not 0" in result.err


def test_minus_infinity_is_a_logit_of_no_mass(kl, refused):
    assert kl("0,-inf,0", "1,1,1", "--p-as", "logits") == near(log(3 / 2))
    assert "every logit is -inf" in refused(4, "kl", "-inf,-inf", "1,1", "--p-as", "logits")


@pytest.mark.parametrize(
    ("kind", "value"), [("logits", "inf"), ("logits", "nan"), ("logprobs", "nan"), ("probs", "1.5"), ("probs", "-0.5")]
)
def test_value_that_cannot_be_of_its_kind_is_refused_by_place(refused, kind, value):
    assert refused(4, "kl", f"0,{value}", "1,1", "--p-as", kind).startswith("P, item 2: ")


@pytest.mark.parametrize(
    ("args", "want"),
    [
        (["kl", "1e308,1e308", "3e307,1e307"], divergence([1, 1], [3, 1])),
        (["kl", "1e308,-1e308", "1,1", "--p-as", "logits"], log(2)),
        (["kl", "1,2", "1,3", "--softmax", "--temperature", "1e-320"], 0),
    ],
)
def test_overflow_on_the_way_leaves_no_warning_on_stderr(run, args, want):
    result = run(*args)
    assert result.code == 0
    assert float(result.out) == near(want)
    assert all(line.startswith("klcli: note: ") for line in result.err.splitlines())


def test_smoothing_beyond_the_largest_double_is_no_bug(call):
    """The smoothed weights overflow: whatever is made of it, it is not a crash."""
    result = call("entropy", "1e308,1e308", "--smooth", "add=1e308", "-g", "entropy")
    assert result.code in {0, 4}, result.err


# ----------------------------------------------------------------------------------------------- strict, not normalised


def test_strict_refuses_a_sum_that_is_not_one(refused, kl):
    message = refused(4, "kl", "0.3,0.7", "0.3,0.68", "--strict")
    assert message == "Q sums to 0.98 and --strict was given; drop --strict to divide by the sum"
    assert kl("0.4,0.6", "0.3,0.7", "--strict") == near(divergence([4, 6], [3, 7]))


def test_strict_holds_for_probabilities_and_not_for_logits(refused, kl):
    assert "--strict" in refused(4, "kl", "0.5,0.6", "0.5,0.5", "--as", "probs", "--strict")
    assert kl("1,2", "1,2", "--softmax", "--strict") == 0


def test_no_normalize_takes_the_weights_as_they_are_and_says_so(call, get):
    result = call("kl", "1,2", "1,4", "--no-normalize")
    assert float(result.out) == near(1 * log(1 / 1) + 2 * log(2 / 4))
    assert "not normalised" in result.err
    assert "divided by its sum" not in result.err
    for field, want in {
        "entropy_p": -2 * log(2),
        "cross_entropy_pq": -2 * log(4),
        "total_variation": 1,
        "elements.p": 1,
    }.items():
        assert get(field, "compare", "1,2", "1,4", "--no-normalize")[0] == near(want)


# ------------------------------------------------------------------------------------------------------------ smoothing


@pytest.mark.parametrize("method", SMOOTHED)
def test_smoothing_of_both_follows_its_formula(kl, method):
    smooth = SMOOTHED[method]
    assert kl(*TEXT, "--smooth", method) == near(divergence(smooth(P), smooth(Q)))


@pytest.mark.parametrize("method", SMOOTHED)
def test_smoothing_of_one_side_leaves_the_other(get, method):
    smooth = SMOOTHED[method]
    for option, p, q in (("--p-smooth", smooth(P), Q), ("--q-smooth", P, smooth(Q))):
        assert get("elements.p", "compare", *TEXT, option, method) == near(mass(p))
        assert get("elements.q", "compare", *TEXT, option, method) == near(mass(q))


def test_one_sides_smoothing_wins_over_that_of_both(kl):
    want = divergence(SMOOTHED["laplace"](P), SMOOTHED["mix=0.1"](Q))
    assert kl(*TEXT, "--smooth", "mix=0.1", "--p-smooth", "laplace") == near(want)


def test_smoothing_is_never_silent(call):
    result = call("kl", *TEXT, "--q-smooth", "add=1")
    share = 1 / 8 * log(1 / 8 * 12) / divergence(P, SMOOTHED["laplace"](Q))
    assert "note: Q: add=1.0 added 4 to a sum of 8, touching 4 of 4 outcomes; 1 had no mass before" in result.err
    assert f"{share:.1%} of KL(P||Q)" in result.err


def test_steps_are_read_as_then_softmax_then_smooth_then_normalise(get):
    logits = [1.0, -2.0, 0.5]
    smoothed = [max(p, 0.2) for p in softmax(logits, 0.5)]
    got = get("elements.p", "entropy", "1,-2,0.5", "--softmax", "--temperature", "0.5", "--smooth", "floor=0.2")
    assert got == near(mass(smoothed))


def test_smoothing_comes_after_the_join(get):
    got = get("elements.q", "compare", "a=1,b=1,c=2", "b=3", "--q-smooth", "laplace")
    assert got == near([1 / 6, 4 / 6, 1 / 6])


def test_smoothing_without_normalising_leaves_the_smoothed_sum(get):
    assert get("elements.p", "entropy", "0.2,0.3", "--no-normalize", "--smooth", "add=0.1") == near([0.3, 0.4])


# ----------------------------------------------------------------------------------------------- units, measures, alpha


@pytest.mark.parametrize(
    ("options", "divisor"),
    [
        *(([], 1), (["--unit", "nats"], 1), (["--unit", "bits"], log(2)), (["--unit", "hartleys"], log(10))),
        *((["--base", "2"], log(2)), (["--base", "10"], log(10)), (["--base", "1.5"], log(1.5))),
    ],
)
def test_unit_divides_logarithms_and_nothing_else(get, options, divisor):
    args = ["compare", "5,2,3", "1,4,5", *options]
    assert get("kl_pq", *args) == near([divergence([5, 2, 3], [1, 4, 5]) / divisor])
    assert get("entropy_p", *args) == near([entropy([5, 2, 3]) / divisor])
    assert get("js_distance", *args)[0] ** 2 == near(get("js_divergence", *args)[0])
    assert get("elements.kl_pq", *args)[0] == near(0.5 * log(5) / divisor)
    assert get("perplexity_p", *args) == near([exp(entropy([5, 2, 3]))])
    assert get("total_variation", *args) == near([0.4])
    assert get("chi2_pq", *args) == near([0.16 / 0.1 + 0.04 / 0.4 + 0.04 / 0.5])


def formulas(p, q, alpha):
    p, q = mass(p), mass(q)
    pairs = list(zip(p, q, strict=True))
    middle = [(a + b) / 2 for a, b in pairs]
    js = (divergence(p, middle) + divergence(q, middle)) / 2
    return {
        "entropy_p": entropy(p),
        "entropy_q": entropy(q),
        "cross_entropy_pq": -fsum(a * log(b) for a, b in pairs),
        "cross_entropy_qp": -fsum(b * log(a) for a, b in pairs),
        "kl_pq": divergence(p, q),
        "kl_qp": divergence(q, p),
        "jeffreys": divergence(p, q) + divergence(q, p),
        "js_divergence": js,
        "js_distance": sqrt(js),
        "total_variation": fsum(abs(a - b) for a, b in pairs) / 2,
        "hellinger": sqrt(fsum((sqrt(a) - sqrt(b)) ** 2 for a, b in pairs) / 2),
        "bhattacharyya": -log(fsum(sqrt(a * b) for a, b in pairs)),
        "chi2_pq": fsum((a - b) ** 2 / b for a, b in pairs),
        "renyi_pq": log(fsum(a**alpha * b ** (1 - alpha) for a, b in pairs)) / (alpha - 1),
        "perplexity_p": exp(entropy(p)),
        "perplexity_q": exp(entropy(q)),
        "wasserstein": fsum(abs(fsum(a - b for a, b in pairs[:i])) for i in range(1, len(pairs))),
        "same_top": float(p.index(max(p)) == q.index(max(q))),
    }


@pytest.mark.parametrize("alpha", [0.5, 2, 3.5])
def test_every_measure_follows_its_formula(call, alpha):
    result = call("compare", "5,2,3", "1,4,5", "-m", "all", "--alpha", alpha, "-q", "-f", "json")
    assert json.loads(result.out)["measures"] == near(formulas([5, 2, 3], [1, 4, 5], alpha))


def test_every_element_follows_its_formula(call):
    elements = json.loads(call("compare", "5,2,3", "1,4,5", "-q", "-f", "json").out)["elements"]
    for element, p, q in zip(elements, [0.5, 0.2, 0.3], [0.1, 0.4, 0.5], strict=True):
        assert element.pop("outcome") in {"1", "2", "3"}
        assert element == near(
            {
                "p": p,
                "q": q,
                "log_ratio": log(p / q),
                "kl_pq": p * log(p / q),
                "kl_qp": q * log(q / p),
                "self_information_p": -log(p),
                "self_information_q": -log(q),
                "entropy_p": -p * log(p),
                "cross_entropy_pq": -p * log(q),
                "jeffreys": (p - q) * log(p / q),
            }
        )


def test_measures_come_in_the_order_asked_for_each_once(call):
    result = call("compare", "1,1", "1,1", "-m", "kl_qp, kl_pq", "-m", "hellinger,kl_qp", "-q")
    assert [line.split("\t")[0] for line in result.out.splitlines()] == ["measure", "kl_qp", "kl_pq", "hellinger"]


# ---------------------------------------------------------------------------------------------------- get, top and sort


def test_get_prints_bare_values_in_the_order_asked_for(call):
    result = call("compare", "a=1,b=1", "a=1,b=3", "-g", "total_variation,elements.outcome", "-g", "elements.p", "-q")
    assert result == (0, "0.25\na\nb\n0.5\n0.5\n", "")


def test_get_of_several_distributions_prints_a_line_each(call):
    assert call("entropy", "1,1", "1,1,1,1", "-g", "perplexity", "-q").out == "2.0\n4.0\n"
    assert call("rank", "1,1", "1,3", "1,1", "-g", "rank,name", "-q").out == "1\n2\n1,1\n1,3\n"


@pytest.mark.parametrize("top", [1, 2, 5])
@pytest.mark.parametrize("field", ["kl_pq", "kl_qp", "entropy_p", "cross_entropy_pq", "p", "q"])
def test_terms_shown_with_top_still_add_up(get, call, top, field):
    args = ["compare", "a=1,b=20,c=3,d=5,e=8,f=2,g=9", "a=4,b=2,c=3,d=7,e=1,f=6,g=3", "--top", top]
    whole = {"p": 1, "q": 1}.get(field) or get(field, *args)[0]
    terms = get(f"elements.{field}", *args)
    assert len(terms) == top + 1
    assert fsum(terms) == near(whole)
    assert call(*args, "-g", "elements.outcome", "-q").out.splitlines()[-1] == f"other ({7 - top})"


def test_top_shows_the_largest_contributions_first(call, get):
    args = ["compare", "a=1,b=20,c=3,d=5,e=8", "a=4,b=2,c=3,d=7,e=1"]
    outcomes = call(*args, "--top", 3, "-g", "elements.outcome", "-q").out.splitlines()
    terms = dict(zip("abcde", get("elements.kl_pq", *args), strict=True))
    largest = sorted(terms, key=lambda name: -abs(terms[name]))
    assert outcomes == [*largest[:3], "other (2)"]


@pytest.mark.parametrize("top", [0, 4, 5, 9])
def test_top_of_all_or_all_but_one_folds_nothing(call, top):
    args = ["compare", "a=1,b=20,c=3,d=5,e=8", "a=4,b=2,c=3,d=7,e=1", "-g", "elements.outcome", "-q"]
    assert sorted(call(*args, "--top", top).out.splitlines()) == list("abcde")


def test_folded_row_holds_nothing_where_nothing_adds_up(call):
    shape = json.loads(call("compare", "1,2,3", "2,1,3", "--top", 1, "-f", "json", "-q").out)
    folded = shape["elements"][-1]
    assert folded["outcome"] == "other (2)"
    assert folded["log_ratio"] is folded["self_information_p"] is folded["self_information_q"] is None
    assert isinstance(folded["kl_pq"], float)


def test_top_of_an_infinite_divergence_shows_why(call):
    result = call("compare", "a=8,b=1,c=1", "a=8,b=0,c=2", "--top", 1, "-g", "elements.outcome,elements.kl_pq", "-q")
    assert result.out.splitlines()[::2][0] == "b"
    assert "inf" in result.out.splitlines()


@pytest.mark.parametrize("field", ["p", "q", "kl_pq", "kl_qp", "log_ratio", "self_information_q"])
def test_sort_orders_the_breakdown_largest_first(get, field):
    values = get(f"elements.{field}", "compare", "1,20,3,5,8", "4,2,3,7,1", "--sort", field)
    assert len(values) == 5
    assert all(a >= b for a, b in pairwise(values))


def test_sort_by_outcome_is_by_label(call):
    args = ["b=1,c=2,a=3", "-g", "elements.outcome", "-q", "--sort", "outcome"]
    assert call("entropy", *args).out == "a\nb\nc\n"
    assert call("compare", "b=1,c=2,a=3", *args).out == "a\nb\nc\n"


def test_rank_sorts_by_the_measure_asked_for(call):
    candidates = ["x=5,y=5", "x=90,y=10", "x=1,y=0"]
    for field in ("kl_pq", "kl_qp", "js_distance", "hellinger", "chi2_pq"):
        result = call("rank", "x=7,y=3", *candidates, "--sort", field, "-m", field, "-f", "ndjson", "-q")
        values = [float(json.loads(line)[field]) for line in result.out.splitlines()]
        assert values == sorted(values)
        assert [json.loads(line)["rank"] for line in result.out.splitlines()] == [1, 2, 3]


def test_rank_keeps_equal_candidates_in_the_order_given(call):
    assert call("rank", "1,1", "2,2", "1,3", "3,3", "-g", "name", "-q").out == "2,2\n3,3\n1,3\n"


def test_rank_takes_all_columns_of_a_file_the_first_as_p(call, write, tmp_path):
    write("m.csv", "word,p,far,near\na,5,1,4\nb,5,9,6\n")
    assert call("rank", "m.csv", "-g", "name", "-q", cwd=tmp_path).out == "m.csv:near\nm.csv:far\n"
    assert call("rank", "a=1,b=9", "m.csv", "-g", "name", "-q", cwd=tmp_path).out.splitlines()[0] == "m.csv:far"


def test_entropy_takes_all_columns_of_a_file(call, write, tmp_path):
    write("m.csv", "word,one,two\na,1,1\nb,1,0\n")
    assert call("entropy", "m.csv", "-g", "name,entropy", "-q", cwd=tmp_path).out == (
        f"m.csv:one\nm.csv:two\n{log(2)!r}\n0.0\n"
    )


# ---------------------------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(("limit", "code"), [("0.02", 1), ("0.03", 0), ("2%", 1), ("1/10", 0), ("inf", 0), ("-1", 1)])
@pytest.mark.parametrize("command", [["compare"], ["kl"]])
def test_gate_fails_above_its_limit_with_code_one_and_still_prints(call, command, limit, code):
    result = call(*command, "0.4,0.6", "0.3,0.7", "--fail-above", f"kl_pq={limit}")
    assert result.code == code
    assert "0.0225824210843574" in result.out
    assert result.err.startswith("klcli: kl_pq is 0.0225824210843574") if code else result.err == ""


def test_gate_at_its_limit_holds(call):
    value = call("kl", "0.4,0.6", "0.3,0.7").out.strip()
    assert call("kl", "0.4,0.6", "0.3,0.7", "--fail-above", f"kl_pq={value}").code == 0


def test_infinite_divergence_exceeds_every_finite_limit(call):
    assert call("kl", "1,1", "1,0", "--fail-above", "kl_pq=1e308").code == 1
    assert call("kl", "1,1", "1,0").code == 0


def test_any_gate_of_several_may_fail_and_need_not_be_shown(call):
    args = ["compare", "0.4,0.6", "0.3,0.7", "-m", "kl_pq"]
    assert call(*args, "--fail-above", "kl_pq=1", "--fail-above", "hellinger=0.01").code == 1
    assert call(*args, "--fail-above", "kl_pq=1", "--fail-above", "hellinger=0.9").code == 0


def test_gate_of_rank_and_entropy_names_who_failed(call):
    assert "as entropy=0.1" in call("entropy", "1,1", "--fail-above", "0.1").err
    result = call("rank", "1,1", "1,1", "1,3", "--fail-above", "kl_pq=0.01", "-q")
    assert (result.code, result.err.count("\n")) == (1, 1)
    assert "1,3" in result.err
    assert call("entropy", "1,1", "--fail-above", "entropy=0.5", "-q").code == 1

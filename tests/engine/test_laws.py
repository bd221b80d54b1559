"""What holds for every pair of distributions, whatever the numbers."""

from itertools import pairwise
from math import inf, log

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from klcli import api
from klcli.engine.formulas import measure
from klcli.engine.measures import MEASURES, SIX
from klcli.engine.pair import single_pair
from klcli.engine.score import score

from .reference import BAR

LEAST = 5e-324
"""The spacing of subnormal numbers."""

DIVERGENCES = ("kl_pq", "kl_qp", "jeffreys", "js_divergence", "js_distance", "total_variation", "hellinger")
DIVERGENCES += ("bhattacharyya", "chi2_pq", "renyi_pq")
MIRRORED = {"entropy_p": "entropy_q", "cross_entropy_pq": "cross_entropy_qp", "kl_pq": "kl_qp"}
MIRRORED |= {"perplexity_p": "perplexity_q"}
SYMMETRIC = ("jeffreys", "js_divergence", "js_distance", "total_variation", "hellinger", "bhattacharyya")
ORDERS = (0, 0.1, 0.3, 0.499, 0.5, 0.7, 0.999999, 1, 1.0001, 1.5, 2, 5, 30, inf)

EXTREMES = [0.0, 0.0, 5e-324, 1e-310, 1e-300, 1e-100, 1e-9, 1.0, 1.0, 1e9, 1e100, 1e300, 1.7e308]
ordinary_weights = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.floats(1e-6, 1e6), st.floats(0.5, 1))
any_weights = st.one_of(ordinary_weights, st.sampled_from(EXTREMES), st.floats(0, 1.7e308))
counts = st.integers(0, 1000)


def columns(weights, least=1, most=8):
    """A distribution: (K,), some weight above zero."""
    return st.lists(weights, min_size=least, max_size=most).filter(any).map(lambda x: np.array(x, dtype=float))


@st.composite
def pairs(draw, weights=any_weights, least=1, most=8):
    """Two distributions of the same outcomes; often nearly the same ones."""
    a = draw(columns(weights, least, most))
    kind = draw(st.sampled_from(["independent", "close", "ulps", "multiple"]))
    if kind == "independent":
        b = draw(st.lists(weights, min_size=len(a), max_size=len(a)).filter(any))
        return a, np.array(b, dtype=float)
    if kind == "multiple":
        return a, np.minimum(a, 1e300) * draw(st.integers(1, 9))
    if kind == "ulps":
        steps = draw(st.lists(st.integers(-3, 3), min_size=len(a), max_size=len(a)))
        b = np.maximum(a + np.array(steps) * np.spacing(np.minimum(a, 1e308)), 0)
    else:
        scale = 10.0 ** -draw(st.integers(1, 15))
        b = a * (1 - scale * np.array(draw(st.lists(st.floats(0, 1), min_size=len(a), max_size=len(a)))))
    assume(b.any())
    return a, b


def column(x):
    return np.array(x, dtype=float).reshape(-1, 1)


def measured(a, b, names=tuple(MEASURES), alpha=2.0):
    """name -> value, of the single pair."""
    return {name: float(x[0]) for name, x in measure(single_pair(column(a), column(b)), names, alpha).items()}


def scored(a, b, names=tuple(MEASURES), alpha=2.0):
    """name -> value, of a block of one."""
    return {name: float(x[0]) for name, x in score(column(a), column(b), names, alpha=alpha).items()}


def agree(x, y, bar=2 * BAR):
    """Two results that are each within the accuracy bar of the same number (subnormal ones: within one spacing)."""
    return x == y or abs(x - y) <= bar * max(abs(x), abs(y)) or (abs(x) < 1e-307 and abs(x - y) <= 2 * LEAST)


def at_most(x, y):
    """x <= y but for what the accuracy bar allows each of them."""
    return x <= y * (1 + 2 * BAR) + 2 * LEAST


@given(pairs())
@example((np.array([5e-324, 2.0]), np.array([0.0, 2.0])))
def test_no_measure_is_negative_or_nan(pair):
    for found in (measured(*pair), scored(*pair), scored(*pair, SIX), scored(*pair, ["kl_pq"])):
        assert all(value >= 0 for value in found.values()), found


@given(columns(any_weights))
def test_a_distribution_does_not_diverge_from_itself(a):
    for found in (measured(a, a), scored(a, a)):
        assert [found[name] for name in DIVERGENCES] == [0.0] * len(DIVERGENCES)
        assert found["entropy_p"] == found["entropy_q"]
        assert agree(found["cross_entropy_pq"], found["entropy_p"])


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any), st.integers(1, 10**6))
def test_multiples_do_not_diverge(a, factor):
    multiple = np.array(a) * factor
    for found in (measured(a, multiple), scored(a, multiple), scored(multiple, a)):
        assert [found[name] for name in DIVERGENCES] == [0.0] * len(DIVERGENCES)
    assert scored(a, multiple, ["kl_pq"]) == {"kl_pq": 0.0}
    assert scored(a, multiple, SIX)["kl_qp"] == 0.0


@given(pairs(), st.integers(1, 4))
def test_only_multiples_do_not_diverge(pair, outcome):
    a, b = pair
    outcome %= len(a)
    assume(len(a) > 1 and a[outcome] > 0 and np.delete(a, outcome).any() and a[outcome] < 1e308)
    a = np.clip(a, 0, 1e200) + (a > 0) * 1e-100  # so that no divergence is less than the least double
    assume((np.delete(a, outcome) >= a[outcome] * 1e-100).any() and a[outcome] >= 1e-50 * a.max())
    b = a.copy()
    b[outcome] = np.nextafter(b[outcome], inf)
    found = measured(a, b)
    assert all(found[name] > 0 for name in DIVERGENCES), found


@given(pairs(ordinary_weights), st.integers(-60, 60), st.sampled_from([["kl_pq"], SIX, tuple(MEASURES)]))
def test_a_power_of_two_on_both_changes_nothing(pair, power, names):
    a, b = (np.where(x < 1e-290, 0, x) for x in pair)
    assume(b.any())
    assert measured(a, b, names) == measured(np.ldexp(a, power), np.ldexp(b, power), names)
    assert scored(a, b, names) == scored(np.ldexp(a, power), np.ldexp(b, power), names)


@given(pairs(), st.floats(1e-3, 1e3), st.integers(-30, 30))
def test_scale_does_not_matter(pair, factor, power):
    a, b = pair
    a, b = np.where(a < 1e-290, 0, np.minimum(a, 1e290)), np.where(b < 1e-290, 0, np.minimum(b, 1e290))
    assume(a.any() and b.any())
    exactly = measured(np.ldexp(a, power), b)
    for name, value in measured(a, b).items():
        assert agree(value, exactly[name]), name
    # A factor that rounds each weight moves them by 1e-16 of themselves, and so the divergences by 1e-16 of sqrt(KL).
    rounded = measured(a * factor, b)
    for name, value in measured(a, b).items():
        shift = 0 if value == rounded[name] else 1e-15 * (1 + abs(value)) ** 2
        assert value == rounded[name] or abs(value - rounded[name]) <= shift + 1e-13 * abs(value), name


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any), st.integers(1, 10**9), st.data())
def test_a_whole_factor_does_not_matter(a, factor, data):
    b = data.draw(st.lists(counts, min_size=len(a), max_size=len(a)).filter(any))
    plain = measured(a, b)
    for name, value in measured(np.array(a) * factor, b).items():
        assert agree(value, plain[name]), name
    for name, value in scored(a, np.array(b) * factor, SIX).items():
        assert agree(value, plain[name]), name


@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(pair, random):
    a, b = pair
    order = list(range(len(a)))
    random.shuffle(order)
    shuffled = measured(a[order], b[order])
    for name, value in measured(a, b).items():
        assert agree(value, shuffled[name]), name


@given(pairs())
def test_outcomes_without_mass_do_not_matter(pair):
    a, b = pair
    longer = measured(np.r_[0, a, 0], np.r_[0, b, 0])
    for name, value in measured(a, b).items():
        assert agree(value, longer[name]), name


@given(pairs())
def test_exchanging_p_and_q_exchanges_the_directions(pair):
    there, back = measured(*pair), measured(*pair[::-1])
    for name in SYMMETRIC:
        assert agree(there[name], back[name]), name
    for one, other in MIRRORED.items():
        assert agree(there[one], back[other]), one
        assert agree(there[other], back[one]), other


@given(pairs())
def test_bounds_hold_without_a_rounding(pair):
    for found in (measured(*pair), scored(*pair)):
        assert found["js_divergence"] <= log(2)
        assert found["js_distance"] <= log(2) ** 0.5
        assert found["total_variation"] <= 1
        assert found["hellinger"] <= 1


@given(pairs())
def test_entropy_is_at_most_that_of_equal_masses(pair):
    most = log(len(pair[0])) * (1 + BAR)
    found = measured(*pair)
    assert found["entropy_p"] <= most
    assert found["entropy_q"] <= most
    assert 1 <= found["perplexity_p"] <= len(pair[0]) * (1 + BAR)


@given(pairs())
def test_cross_entropy_is_entropy_and_divergence(pair):
    for found in (measured(*pair), scored(*pair), scored(*pair, SIX)):
        for direction, of in (("pq", "p"), ("qp", "q")):
            whole = found[f"entropy_{of}"] + found[f"kl_{direction}"]
            assert agree(found[f"cross_entropy_{direction}"], whole, bar=BAR)


@given(pairs())
def test_jeffreys_is_the_sum_of_both_directions(pair):
    found = measured(*pair)
    assert agree(found["jeffreys"], found["kl_pq"] + found["kl_qp"])


@given(pairs())
def test_distances_are_roots_and_logarithms_of_each_other(pair):
    found = measured(*pair)
    if found["js_divergence"] > 1e-300:
        assert agree(found["js_distance"] ** 2, found["js_divergence"], bar=4 * BAR)
    assert agree(measured(*pair, ["renyi_pq"], 0.5)["renyi_pq"], 2 * found["bhattacharyya"])
    assert agree(found["renyi_pq"], np.log1p(found["chi2_pq"]))
    assert agree(measured(*pair, ["renyi_pq"], 1)["renyi_pq"], found["kl_pq"])
    assert agree(found["perplexity_p"], np.exp(found["entropy_p"]))


@given(pairs())
@example((np.array([1.0, 1e-300]), np.array([1.0, np.nextafter(1e-300, 1)])))
def test_inequalities_between_measures(pair):
    found = measured(*pair)
    tv, hellinger, kl = found["total_variation"], found["hellinger"], found["kl_pq"]
    assert at_most(2 * tv * tv, kl), "Pinsker"
    assert at_most(hellinger * hellinger, tv), "Le Cam"
    if tv > 1e-150:  # below, the distance is the root of less than the least double
        assert at_most(tv, 2**0.5 * hellinger), "Le Cam"
    assert at_most(kl, np.log1p(found["chi2_pq"])), "KL is at most the Renyi divergence of order 2"
    assert at_most(2 * found["bhattacharyya"], kl), "that of order 1/2 is at most KL"
    assert at_most(found["js_divergence"], found["jeffreys"] / 4), "Lin 1991"
    assert at_most(found["js_divergence"], log(2) * tv), "Lin 1991"


@given(pairs())
def test_renyi_does_not_fall_as_its_order_rises(pair):
    values = [measured(*pair, ["renyi_pq"], alpha)["renyi_pq"] for alpha in ORDERS]
    for lower, higher in pairwise(values):
        assert at_most(lower, higher), values


@given(st.lists(st.tuples(counts, counts), min_size=3, max_size=8), st.integers(2, 7))
@example([(1, 1), (2, 2), (3, 4)], 2)
def test_merging_outcomes_brings_nothing_apart(weights, merged):
    a, b = (np.array(x, dtype=float) for x in zip(*weights, strict=True))
    assume(a.any() and b.any())
    merged = min(merged, len(a))
    fine = measured(a, b)
    coarse = measured(*(np.r_[x[:merged].sum(), x[merged:]] for x in (a, b)))  # whole numbers: exact
    for name in DIVERGENCES:
        assert at_most(coarse[name], fine[name]), name


@given(pairs(), st.floats(0.01, 0.99))
def test_mixing_q_towards_p_does_not_raise_the_divergence(pair, share):
    a, b = (np.where(x < 1e-290, 0, np.minimum(x, 1e290)) for x in pair)
    assume(a.any() and b.any())
    p, q = a / a.max() / (a / a.max()).sum(), b / b.max() / (b / b.max()).sum()
    kl = measured(p, q)["kl_pq"]
    # The mixture is rounded, which moves KL by 1e-16 of its square root.
    assert measured(p, share * p + (1 - share) * q)["kl_pq"] <= kl * (1 + 1e-12) + 1e-14 * kl**0.5 + 1e-30


@given(st.lists(pairs(least=3, most=3), min_size=1, max_size=5))
def test_a_column_of_a_block_is_the_pair_alone(block):
    a, b = (np.column_stack(x) for x in zip(*block, strict=True))
    for names in (["kl_pq"], SIX, tuple(MEASURES)):
        found = score(a, b, names)
        for i, pair in enumerate(block):
            alone = measured(*pair, names)
            for name in names:
                assert agree(float(found[name][i]), alone[name]), (name, i)


@given(pairs(ordinary_weights))
def test_the_api_takes_outcomes_on_any_axis(pair):
    a, b = pair
    plain = measured(a, b, SIX)
    for found in (api.measures(a, b), api.measures(column(a), column(b), axis=0)):
        for name, value in plain.items():
            assert agree(float(np.ravel(found[name])[0]), value), name
    assert agree(float(api.kl_divergence(a, b)), plain["kl_pq"])
    assert agree(float(api.entropy(a)), plain["entropy_p"])


def test_the_api_broadcasts_the_other_axes():
    rng = np.random.default_rng(9)
    p, q = rng.random((4, 1, 5)), rng.random((3, 5))
    found = api.measures(p, q, ["kl_pq", "js_distance"])
    assert found["kl_pq"].shape == (4, 3)
    for i in range(4):
        for j in range(3):
            alone = measured(p[i, 0], q[j])
            assert agree(float(found["kl_pq"][i, j]), alone["kl_pq"])
            assert agree(float(found["js_distance"][i, j]), alone["js_distance"])
    assert api.kl_divergence(p[0, 0], q[0]).shape == ()


def test_the_api_compares_many_with_one():
    # As many distributions as outcomes: taking one axis for the other would not show in the shape.
    rng = np.random.default_rng(10)
    p, q = rng.random((3, 3)), rng.random(3)
    found, back = api.kl_divergence(p, q), api.kl_divergence(q, p)
    first = api.kl_divergence(p.T, q.reshape(3, 1), axis=0)
    for i in range(3):
        assert agree(float(found[i]), measured(p[i], q)["kl_pq"])
        assert agree(float(back[i]), measured(q, p[i])["kl_pq"])
        assert agree(float(first[i]), measured(p[i], q)["kl_pq"])


def test_the_api_passes_the_order_on():
    a, b = [0.2, 0.8], [0.5, 0.5]
    found = api.measures(a, b, ["renyi_pq"], alpha=0.3)["renyi_pq"]
    assert agree(float(found), measured(a, b, ["renyi_pq"], 0.3)["renyi_pq"])


@pytest.mark.parametrize("bad", [[-1, 2], [0, 0], [np.nan, 1], [np.inf, 1]])
def test_the_api_takes_distributions_only(bad):
    for pair in ((bad, [1, 1]), ([1, 1], bad)):
        with pytest.raises(api.DistributionError, match=r"^[pq]: every weight must be finite and >= 0"):
            api.measures(*pair)


def test_the_api_names_what_does_not_match():
    with pytest.raises(api.DistributionError, match="p has 2 outcomes, q has 3"):
        api.measures([1, 2], [1, 2, 3])
    with pytest.raises(api.DistributionError, match="do not broadcast"):
        api.measures(np.ones((2, 5)), np.ones((3, 5)))
    with pytest.raises(api.UsageError, match=r"no measure 'kl'.* Did you mean"):
        api.measures([1, 2], [1, 2], ["kl"])

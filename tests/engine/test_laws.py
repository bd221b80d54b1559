"""What holds for every pair of distributions, whatever the numbers."""

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

from .reference import BAR, Misses, Reference

LEAST = 5e-324
"""The spacing of subnormal numbers."""

ORDERS = (0, 0.1, 0.3, 0.499, 0.5, 0.7, 0.999999, 1, 1.0001, 1.5, 2, 5, 30, inf)

EXTREMES = [0.0, 0.0, 5e-324, 1e-310, 1e-300, 1e-100, 1e-9, 1.0, 1.0, 1e9, 1e100, 1e300, 1.7e308]
ordinary_weights = st.one_of(st.sampled_from([0.0, 1.0, 2.0, 3.0]), st.floats(1e-6, 1e6), st.floats(0.5, 1))
any_weights = st.one_of(ordinary_weights, st.sampled_from(EXTREMES), st.floats(0, 1.7e308))


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


@given(pairs(), st.sampled_from(ORDERS))
@example((np.array([5e-324, 2.0]), np.array([0.0, 2.0])), 2)
@example((np.array([1.0, 1e-300]), np.array([1.0, np.nextafter(1e-300, 1)])), 2)
@example((np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0])), 0.5)
def test_every_measure_of_any_pair_is_exact(pair, alpha):
    """So none is negative or NaN, and identities, bounds and inequalities between them hold."""
    misses, reference = Misses(), Reference(*pair)
    for how, found in (("alone", measured(*pair, alpha=alpha)), ("block", scored(*pair, alpha=alpha))):
        for name, value in found.items():
            misses.check(value, reference.measure(name, alpha), name, how)
    for names in (SIX, ["kl_pq"]):
        for name, value in scored(*pair, names).items():
            misses.check(value, reference.measure(name), name, len(names))
    assert not misses.found


@given(pairs(ordinary_weights), st.integers(-60, 60), st.sampled_from([["kl_pq"], SIX, tuple(MEASURES)]))
def test_a_power_of_two_on_both_changes_nothing(pair, power, names):
    a, b = (np.where(x < 1e-290, 0, x) for x in pair)
    assume(b.any())
    assert measured(a, b, names) == measured(np.ldexp(a, power), np.ldexp(b, power), names)
    assert scored(a, b, names) == scored(np.ldexp(a, power), np.ldexp(b, power), names)


@given(pairs())
def test_bounds_hold_without_a_rounding(pair):
    for found in (measured(*pair), scored(*pair)):
        assert found["js_divergence"] <= log(2)
        assert found["js_distance"] <= log(2) ** 0.5
        assert found["total_variation"] <= 1
        assert found["hellinger"] <= 1


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

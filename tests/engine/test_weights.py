"""Logits, log-probabilities and smoothing, against their definitions."""

from fractions import Fraction
from math import exp, inf, log

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from klcli.engine.weights import SMOOTHERS, logsumexp, mass, shrinkage_rate, softmax

logits = st.lists(st.one_of(st.floats(-700, 700), st.integers(-50, 50).map(float)), min_size=1, max_size=8)
with_absent = st.lists(st.one_of(st.floats(-50, 50), st.just(-inf)), min_size=1, max_size=8).filter(
    lambda x: max(x) > -inf
)
positive = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=8).filter(any)
count_lists = st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any)


def array(x):
    return np.array(x, dtype=float)


@given(logits, st.floats(0.05, 20))
def test_softmax_is_the_share_of_the_exponential(z, temperature):
    exponentials = [mp.exp((mp.mpf(logit) - mp.mpf(max(z))) / mp.mpf(temperature)) for logit in z]
    for weight, logit, e in zip(softmax(array(z), temperature), z, exponentials, strict=True):
        exact = e / mp.fsum(exponentials)
        span = abs(logit - max(z)) / temperature
        assert abs(weight - exact) <= 4e-16 * (1 + span) * exact + 5e-324


@given(with_absent)
def test_minus_infinity_gives_no_weight(z):
    weights = softmax(array(z))
    assert [w == 0 for w in weights] == [x == -inf for x in z]


@given(logits)
def test_a_low_temperature_leaves_the_largest_and_a_high_one_nothing_but_equals(z):
    cold, hot = softmax(array(z), 1e-300), softmax(array(z), 1e300)
    assert cold.tolist() == [(x == max(z)) / z.count(max(z)) for x in z]
    assert set(hot) == {1 / len(z)}


@pytest.mark.parametrize("z", [[1e308, -1e308], [1e308, 1e308], [-1e308, -1e308, 0], [0, -1e-320]])
def test_softmax_of_the_widest_logits_is_no_overflow(z):
    near = [x == max(z) or max(z) - x < 1 for x in z]
    np.testing.assert_array_equal(softmax(array(z)), array(near) / sum(near))


@given(logits)
def test_logsumexp_is_the_logarithm_of_the_sum_of_exponentials(z):
    exact = mp.log(mp.fsum(mp.exp(mp.mpf(x)) for x in z))
    assert abs(logsumexp(array(z)) - exact) <= 1e-14 * max(1, abs(float(exact)))


def test_logsumexp_of_far_logits_is_the_largest():
    assert logsumexp(array([1e308, -1e308])) == 1e308
    assert logsumexp(array([-inf, -750.0])) == -750.0
    assert logsumexp(array([800.0, 800.0])) == pytest.approx(800 + log(2), rel=1e-15)


@given(positive)
def test_mass_is_the_share_of_the_sum(weights):
    total = sum(map(Fraction, weights))
    shares = mass(array(weights))
    assert shares.sum() == pytest.approx(1, rel=1e-15)
    for share, weight in zip(shares, weights, strict=True):
        assert share == pytest.approx(float(Fraction(weight) / total), rel=1e-14)


@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e300, 4e307])
def test_mass_of_sums_beyond_the_doubles_is_the_share(scale):
    weights = array([1, 2, 3, 4]) * scale
    total = sum(map(Fraction, weights.tolist()))
    expected = [float(Fraction(w) / total) for w in weights.tolist()]
    np.testing.assert_allclose(mass(weights), expected, rtol=1e-15)


def smoothed(method, weights, value=0.0):
    smoother, weights = SMOOTHERS[method], array(weights)
    return smoother.apply(mass(weights) if smoother.of_mass else weights, value)


def exact_mass(weights):
    total = sum(map(Fraction, weights))
    return [Fraction(w) / total for w in weights]


@given(positive, st.floats(0, 1e3))
def test_add_adds_alpha(weights, alpha):
    expected = [float(Fraction(w) + Fraction(alpha)) for w in weights]
    np.testing.assert_array_equal(smoothed("add", weights, alpha), expected)


@given(positive)
def test_named_pseudocounts_are_add_with_their_value(weights):
    for method, alpha in (("laplace", 1.0), ("jeffreys", 0.5), ("perks", 1 / len(weights))):
        np.testing.assert_array_equal(smoothed(method, weights), smoothed("add", weights, alpha), err_msg=method)


@given(positive, st.floats(0, 1))
def test_mix_is_the_mixture_with_equal_masses(weights, rate):
    part = Fraction(rate)
    expected = [float((1 - part) * p + part / len(weights)) for p in exact_mass(weights)]
    np.testing.assert_allclose(smoothed("mix", weights, rate), expected, rtol=1e-14, atol=5e-324)


@given(positive, st.floats(0, 1))
def test_floor_raises_every_probability_to_epsilon(weights, least):
    found = smoothed("floor", weights, least)
    expected = [max(float(p), least) for p in exact_mass(weights)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert (found >= least).all()


def exact_rate(weights):
    """clip01[(1 - sum p^2) / ((n - 1) sum (1/K - p)^2)], 1 where undefined. Hausser & Strimmer 2009, eq. 8."""
    p, n = exact_mass(weights), sum(map(Fraction, weights))
    spread = (n - 1) * sum((Fraction(1, len(p)) - x) ** 2 for x in p)
    if spread <= 0:
        return Fraction(1)
    return min(Fraction(1), max(Fraction(0), (1 - sum(x * x for x in p)) / spread))


@given(count_lists)
def test_shrinkage_is_the_james_stein_rate(weights):
    rate = shrinkage_rate(array(weights))
    assert 0 <= rate <= 1
    assert rate == pytest.approx(float(exact_rate(weights)), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize(
    ("weights", "rate"),
    [
        ([4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1], exact_rate([4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1])),
        ([3, 1], Fraction(1)),  # (1 - 10/16) / (3 * 2/16) = 1
        ([8, 2], Fraction(32, 100) / (9 * Fraction(18, 100))),
        ([5, 5, 5], Fraction(1)),  # equal already
        ([1, 0], Fraction(1)),  # a single count tells nothing
        ([10**9, 0], Fraction(0)),
        ([0.25, 0.5], Fraction(1)),  # no counts
    ],
)
def test_shrinkage_of_known_counts(weights, rate):
    assert shrinkage_rate(array(weights)) == pytest.approx(float(rate), rel=1e-13, abs=0)


@given(count_lists)
def test_shrink_is_mix_at_that_rate(weights):
    rate = shrinkage_rate(array(weights))
    np.testing.assert_array_equal(smoothed("shrink", weights), smoothed("mix", weights, rate))


def test_shrinkage_of_nearly_one_outcome_keeps_its_digits():
    # 1 - sum p^2 is 2e-9 here, and what it loses is the weight of the outcome that was never seen.
    weights = [10**9, 1, 0]
    assert shrinkage_rate(array(weights)) == pytest.approx(float(exact_rate(weights)), rel=1e-13, abs=0)


@given(st.sampled_from(sorted(SMOOTHERS)), positive)
def test_smoothing_does_not_write_to_what_it_is_given(method, weights):
    given_weights = array(weights)
    given_weights.setflags(write=False)
    SMOOTHERS[method].apply(given_weights, 0.5)
    np.testing.assert_array_equal(given_weights, weights)


def test_a_method_takes_a_value_within_its_limit_or_none():
    for name, smoother in SMOOTHERS.items():
        assert (smoother.takes is None) == (smoother.most == 0), name
    assert exp(0) == SMOOTHERS["mix"].most == SMOOTHERS["floor"].most
    assert SMOOTHERS["add"].most == inf


@given(count_lists)
def test_what_takes_no_value_does_not_look_at_it(weights):
    assume(len(weights) > 1)
    for name, smoother in SMOOTHERS.items():
        if smoother.takes is None:
            np.testing.assert_array_equal(smoothed(name, weights, 0.0), smoothed(name, weights, 0.7), err_msg=name)

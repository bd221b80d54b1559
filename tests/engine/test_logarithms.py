"""Pairs given by logits, beside 700 digits of mpmath: every measure within 1e-13, no infinity that is none."""

from itertools import accumulate
from math import inf, isfinite

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from klcli.engine.formulas import elements, measure
from klcli.engine.log_pair import LogPair, LogWeights
from klcli.engine.measures import ELEMENTS, MEASURES, SINGLE, SIX
from klcli.engine.pairwise import pairwise
from klcli.engine.score import score
from klcli.engine.weights import softmax

BAR = 1e-13
NEAREST = 1e-150
"""Below it a distance comes of shares below any double, as its own logarithm does not."""

spans = st.sampled_from([1e-3, 1.0, 30.0, 1000.0])
logit = st.one_of(st.floats(-1, 1), st.just(-inf))


@st.composite
def pairs(draw):
    """Two distributions by their logits, near or far, some outcomes of either without mass; a temperature."""
    n = draw(st.integers(2, 5))
    many = st.lists(logit, min_size=n, max_size=n)
    p = np.array(draw(many)) * draw(spans)
    near = draw(st.booleans())
    q = np.where(near & np.isfinite(p), p, 0.0) + np.array(draw(many)) * (draw(spans) * (1e-10 if near else 1))
    assume(np.isfinite(p).any() and np.isfinite(q).any())
    return p, q, draw(st.sampled_from([1.0, 0.7, 30.0]))


def shares(z, temperature):
    weights = [mp.exp(mp.mpf(float(x)) / mp.mpf(temperature)) if x > -inf else mp.mpf(0) for x in z]
    return [w / mp.fsum(weights) for w in weights]


def exact(p, q, alpha):
    """Every measure by its definition."""

    def kl(p, q):
        return (
            mp.inf
            if any(a and not b for a, b in zip(p, q, strict=True))
            else mp.fsum(a * mp.log(a / b) for a, b in zip(p, q, strict=True) if a)
        )

    def entropy(p):
        return -mp.fsum(a * mp.log(a) for a in p if a)

    middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
    affinity = mp.fsum(mp.sqrt(a * b) for a, b in zip(p, q, strict=True))
    both = [(a, b) for a, b in zip(p, q, strict=True) if a and b]
    mass = mp.fsum(a**alpha * b ** (1 - alpha) for a, b in both)
    js, infinite = mp.re(kl(p, middle) + kl(q, middle)) / 2, kl(p, q) == mp.inf
    js = max(js, mp.mpf(0))  # of equal ones a rounding at 700 digits is left
    return {
        "entropy_p": entropy(p),
        "entropy_q": entropy(q),
        "cross_entropy_pq": entropy(p) + kl(p, q),
        "cross_entropy_qp": entropy(q) + kl(q, p),
        "kl_pq": kl(p, q),
        "kl_qp": kl(q, p),
        "jeffreys": kl(p, q) + kl(q, p),
        "js_divergence": js,
        "js_distance": mp.sqrt(js),
        "total_variation": mp.fsum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2,
        "hellinger": mp.sqrt(mp.fsum((mp.sqrt(a) - mp.sqrt(b)) ** 2 for a, b in zip(p, q, strict=True)) / 2),
        "bhattacharyya": -mp.log(affinity) if affinity else mp.inf,
        "chi2_pq": mp.inf if infinite else mp.fsum((a - b) ** 2 / b for a, b in zip(p, q, strict=True) if b),
        "renyi_pq": mp.inf if (infinite and alpha > 1) or not mass else mp.log(mass) / (alpha - 1),
        "perplexity_p": mp.exp(entropy(p)),
        "perplexity_q": mp.exp(entropy(q)),
        "wasserstein": mp.fsum(abs(d) for d in accumulate(a - b for a, b in zip(p[:-1], q, strict=False))),
        "same_top": mp.mpf(any(a == max(p) and b == max(q) for a, b in zip(p, q, strict=True))),
        "min_entropy": -mp.log(max(p)),
        "simpson": mp.fsum(a * (1 - a) for a in p),
        "renyi_entropy": mp.log(mp.fsum(a**alpha for a in p if a)) / (1 - alpha),
        "efficiency": entropy(p) / mp.log(len(p)),
    }


def check(found, expected, name):
    if expected == mp.inf or expected > 1.7e308:
        assert found == inf, name
    else:
        assert 0 <= found < inf, name
        least = NEAREST if name in {"js_distance", "hellinger"} else NEAREST**2
        assert abs(found - expected) <= BAR * expected or expected < least, (name, found, float(expected))


@given(pairs(), st.sampled_from([1e-6, 0.3, 0.9, 1.5, 2.0, 7.0]))
@example((np.array([0.0, 0.0]), np.array([0.0, -1000.0]), 1.0), 2.0)
@example((np.array([1000.0, 0.0]), np.array([0.0, 1000.0]), 1.0), 0.9)
@example((np.array([0.0, -800.0]), np.array([0.0, -inf]), 1.0), 0.9)
def test_logits_are_measured_as_logarithms(pair, alpha):
    p, q, temperature = pair
    with mp.workdps(700):
        expected = exact(shares(p, temperature), shares(q, temperature), mp.mpf(alpha))
        assert {*MEASURES, *SINGLE} - {"entropy", "perplexity"} == set(expected)
        sides = [LogWeights(z.reshape(-1, 1), temperature) for z in (p, q)]
        for name, found in measure(LogPair(*sides), expected, alpha).items():
            check(float(found[0]), expected[name], name)
        block = [LogWeights(np.repeat(z.reshape(-1, 1), 3, axis=1), temperature) for z in (p, q)]
        weights = [softmax(side.values, temperature) for side in block]
        for names in (["kl_pq"], SIX):
            for name, found in score(*weights, names, logs=tuple(block)).items():
                assert len(set(found.tolist())) == 1
                check(float(found[0]), expected[name], name)
        both = LogWeights(np.array([p, q]).T, temperature)
        for name in ("kl_pq", "js_divergence", "cross_entropy_qp"):
            square = pairwise(softmax(both.values, temperature), name, logs=both)
            check(float(square[0, 1]), expected[name], name)


@given(st.lists(st.floats(0.1, 1), min_size=2, max_size=5), st.integers(-3, 3), st.integers(0, 10**6))
def test_weights_beside_logarithms_are_exact_however_close(weights, ulps, seed):
    w = np.array(weights).reshape(-1, 1)
    z = np.log(w)
    z[seed % len(z)] += ulps * np.spacing(z[seed % len(z)])
    with mp.workdps(60):
        expected = exact([mp.mpf(x) / mp.fsum(weights) for x in weights], shares(z[:, 0], 1), mp.mpf(2))
        p, q = LogWeights(w, of_weights=True), LogWeights(z)
        block = score(np.repeat(w, 2, axis=1), softmax(np.repeat(z, 2, axis=1)), ["kl_pq"], logs=(None, q))
        for found in (block["kl_pq"][0], measure(LogPair(p, q, exactly=True), ["kl_pq"], 2.0)["kl_pq"][0]):
            check(float(found), expected["kl_pq"], "kl_pq")


def test_elements_of_logits_are_finite_wherever_the_logits_are():
    pair = LogPair(*(LogWeights(np.array([[0.0], [z], [-inf]])) for z in (-1000, -3000)))
    found = elements(pair, ELEMENTS, slice(None))
    assert found["self_information_p"].tolist() == pytest.approx([0, 1000, inf])
    assert found["log_ratio"].tolist() == pytest.approx([0, 2000, 0])
    assert all(isfinite(x) for x in found["kl_pq"])


@pytest.mark.parametrize("weight", [286493.16499853, 3.0000000000000004, 1e-300, 4e200])
def test_of_weights_that_differ_by_a_rounding_one_is_the_largest_beside_logits_too(weight):
    logits, weights = LogWeights(np.array([[1.0], [0.0]])), np.array([[weight], [np.nextafter(weight, inf)]])
    for exactly in (False, True):
        for of, same in ((weights, 0), (weights[::-1], 1)):
            pair = LogPair(logits, LogWeights(of, of_weights=True), exactly=exactly)
            assert measure(pair, ["same_top"], 2.0)["same_top"] == same

"""Squares of all pairs: against exact arithmetic, against `score` pair by pair, and what holds for any weights."""

import tracemalloc
from itertools import chain
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from klcli.engine import centred
from klcli.engine import pairwise as module
from klcli.engine.measures import MEASURES
from klcli.engine.pairwise import SYMMETRIC, pairwise
from klcli.engine.score import score

from .cases import extreme, ordinary
from .reference import BAR, Misses, Reference

ORDERS = (0, 0.3, 0.5, 0.999999, 1, 1.0001, 1.5, 2, 8, inf)
DIVERGENCES = [name for name in MEASURES if not name.startswith(("entropy", "cross_entropy", "perplexity", "same"))]


def one_hot(rng, outcomes, n):
    return (np.arange(outcomes)[:, None] == rng.integers(0, outcomes, n)).astype(float)


def close(apart):
    def family(rng, outcomes, n):
        base = rng.standard_exponential((outcomes, 1)) + 1e-3
        return base * (1 + apart * rng.uniform(-1, 1, (outcomes, n)))

    return family


def clusters(rng, outcomes, n):
    centres = rng.standard_exponential((outcomes, 3))[:, rng.integers(0, 3, n)]
    return centres * (1 + 1e-7 * rng.standard_normal((outcomes, n)))


FAMILIES = {
    "dirichlet": lambda rng, k, n: rng.dirichlet(np.ones(k), n).T,
    "peaked": lambda rng, k, n: rng.dirichlet(np.full(k, 0.05), n).T + 1e-40,
    "sparse": lambda rng, k, n: np.where(rng.random((k, n)) < 0.7, 0, rng.random((k, n))) + one_hot(rng, k, n),
    "nested": lambda rng, k, n: np.where(np.arange(k)[:, None] <= np.arange(n) % k, rng.random((k, n)) + 0.1, 0.0),
    "counts": lambda rng, k, n: rng.integers(0, 4, (k, n)) + one_hot(rng, k, n),
    "one-hot of any size": lambda rng, k, n: one_hot(rng, k, n) * rng.random(n),
    "near one-hot": lambda rng, k, n: one_hot(rng, k, n) + 1e-18 * rng.random((k, n)),
    "uniform": lambda _, k, n: np.ones((k, n)) * np.arange(1, n + 1) / 7,
    "clusters": clusters,
    "range 1e50": lambda rng, k, n: 10 ** rng.uniform(-50, 0, (k, n)),
    "huge": lambda rng, k, n: 1e300 * rng.random((k, n)) + 1e295,
    "subnormal": lambda rng, k, n: 1e-310 * rng.random((k, n)) + 1e-311,
    "of every size": lambda rng, k, n: rng.standard_exponential((k, n)) * 10.0 ** rng.integers(-300, 300, n),
    **{f"within {apart:g}": close(apart) for apart in (0.3, 1e-2, 1e-5, 1e-9, 1e-14)},
}


def family(name, outcomes, n):
    return np.ascontiguousarray(FAMILIES[name](np.random.default_rng([outcomes, n]), outcomes, n), dtype=float)


def some_pairs(n, count, seed=5):
    rng = np.random.default_rng(seed)
    return list(dict.fromkeys(zip(rng.integers(0, n, count).tolist(), rng.integers(0, n, count).tolist(), strict=True)))


def agree(square, values):
    """Whether they are the same within twice the bar, infinities and what no double reaches included."""
    with np.errstate(invalid="ignore"):
        near = np.abs(square - values) <= 2 * BAR * np.abs(values) + 1e-156
    return bool(((square == values) | near).all())


@pytest.mark.parametrize("outcomes", [1, 2, 30])
@pytest.mark.parametrize("name", FAMILIES)
def test_pairs_of_a_family_are_exact_and_all_are_what_they_are_alone(name, outcomes):
    a, misses = family(name, outcomes, 16), Misses()
    squares = {measure: pairwise(a, measure) for measure in MEASURES}
    i, j = np.divmod(np.arange(256), 16)
    for measure, values in score(a[:, i], a[:, j], list(MEASURES)).items():
        assert agree(squares[measure].ravel(), values), measure
    for i, j in some_pairs(16, 4):
        reference = Reference(a[:, i], a[:, j])
        for measure, square in squares.items():
            misses.check(square[i, j], reference.measure(measure), measure, i, j)
    assert not misses.found


def test_pairs_across_all_cases_are_exact():
    outcomes = 5
    cases = chain(ordinary(outcomes).values(), extreme(outcomes).values())
    a, misses = np.array([weights for pair in cases for weights in pair], dtype=float).T, Misses()
    squares = {measure: pairwise(a, measure) for measure in MEASURES}
    for i, j in some_pairs(a.shape[1], 10) + [(i, i + 1) for i in range(0, a.shape[1], 20)]:
        reference = Reference(a[:, i], a[:, j])
        for measure, square in squares.items():
            misses.check(square[i, j], reference.measure(measure), measure, i, j)
    assert not misses.found


@pytest.mark.parametrize("alpha", ORDERS)
@pytest.mark.parametrize("name", ["dirichlet", "sparse", "range 1e50", "within 0.01", "clusters"])
def test_renyi_of_every_order_is_exact(name, alpha):
    a, misses = family(name, 10, 12), Misses()
    square = pairwise(a, "renyi_pq", alpha=alpha)
    for i, j in some_pairs(12, 10):
        misses.check(square[i, j], Reference(a[:, i], a[:, j]).measure("renyi_pq", alpha), i, j)
    assert not misses.found


@pytest.mark.parametrize("name", ["dirichlet", "within 0.3", "within 1e-05", "uniform", "counts"])
def test_pairs_of_many_outcomes_are_exact(name):
    a, misses = family(name, 2000, 6), Misses()
    squares = {measure: pairwise(a, measure) for measure in MEASURES}
    reference = Reference(a[:, 4], a[:, 2])
    for measure, square in squares.items():
        misses.check(square[4, 2], reference.measure(measure), measure)
    assert not misses.found


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", ["dirichlet", "sparse", "within 0.01", "counts"])
def test_weights_as_they_are_are_measured_as_they_are_alone(name, measure):
    a = family(name, 5, 12)
    i, j = np.divmod(np.arange(144), 12)
    alone = score(a[:, i], a[:, j], [measure], normalize=False)[measure]
    # Sums of both signs lose what cancels, and from Q to P are added up in another order than from P to Q.
    np.testing.assert_allclose(pairwise(a, measure, normalize=False).ravel(), alone, rtol=1e-13, atol=1e-14)


def test_a_family_that_is_alike_is_measured_without_the_careful_pass(monkeypatch):
    # This is what the centre is for: the square would take a hundred times as long if all pairs were measured again.
    measured = []
    monkeypatch.setattr(module, "score", lambda p, *rest, **how: measured.append(p.shape[1]) or score(p, *rest, **how))
    for name in ("within 0.01", "within 1e-09", "dirichlet"):
        for measure in ("kl_pq", "jeffreys", "hellinger", "bhattacharyya", "chi2_pq", "renyi_pq", "total_variation"):
            measured.clear()
            pairwise(family(name, 50, 60), measure)
            assert sum(measured) - 60 <= 0.01 * 60 * 60, (name, measure)


weights = st.one_of(
    st.sampled_from([0.0, 0.0, 1.0, 2.0, 3.0]),
    st.floats(1e-6, 1e6),
    st.sampled_from([5e-324, 1e-310, 1e-200, 1e-9, 1e200, 1.7e308]),
)


@st.composite
def squares(draw):
    """The weights of some distributions, (K, n); some of them nearly or wholly alike."""
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    a = draw(arrays.arrays(np.float64, shape, elements=weights))
    a[0, ~a.any(axis=0)] = 1.0
    alike = draw(arrays.arrays(np.intp, shape[1], elements=st.integers(0, shape[1] - 1)))
    apart = draw(st.sampled_from([None, 0.0, 1e-15, 1e-9, 0.1]))
    if apart is not None:
        a = a[:, alike] * (1 - apart * draw(arrays.arrays(np.float64, shape, elements=st.floats(0, 1))))
        a[0, ~a.any(axis=0)] = 1.0
    return a


@given(squares(), st.sampled_from(sorted(MEASURES)))
def test_no_measure_is_negative_or_missing_and_the_diagonal_is_exact(a, measure):
    square = pairwise(a, measure)
    assert square.shape == (a.shape[1], a.shape[1])
    assert (square >= 0).all()
    assert not np.signbit(square).any()
    diagonal = np.diagonal(square)
    if measure in DIVERGENCES:
        assert (diagonal == 0).all()
    else:
        assert agree(diagonal, score(a, a, [measure])[measure])


@given(squares(), st.sampled_from(sorted(SYMMETRIC)))
def test_symmetric_measures_are_so_to_the_last_bit(a, measure):
    square = pairwise(a, measure)
    np.testing.assert_array_equal(square, square.T)


@given(squares(), st.sampled_from(sorted(MEASURES)))
def test_any_square_is_what_its_pairs_are_alone(a, measure):
    n = a.shape[1]
    i, j = np.divmod(np.arange(n * n), n)
    assert agree(pairwise(a, measure).ravel(), score(a[:, i], a[:, j], [measure])[measure])


@pytest.mark.parametrize("measure", ["kl_pq", "js_divergence", "renyi_pq", "total_variation"])
@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("block", [1, 40, 1 << 19])
def test_blocks_and_threads_make_no_difference(monkeypatch, measure, threads, block):
    a = family("sparse", 20, 33)
    whole = pairwise(a, measure)
    monkeypatch.setattr(module, "_threads", lambda: threads)
    monkeypatch.setattr(module, "_BLOCK", block)
    monkeypatch.setattr(module, "_AGAIN", 50)
    monkeypatch.setattr(centred, "_RUN", 8)
    monkeypatch.setattr(centred, "_WORK", 64)
    assert agree(pairwise(a, measure), whole)


def test_error_on_a_thread_is_raised(monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(module, "_threads", lambda: 3)
    monkeypatch.setattr(module._Square, "_fill", fails)  # noqa: SLF001 - what runs on the threads
    with pytest.raises(ZeroDivisionError):
        pairwise(np.ones((3, 20)), "kl_pq")


@pytest.mark.parametrize(
    ("name", "measure"),
    [("within 0.01", "kl_pq"), ("sparse", "js_divergence"), ("dirichlet", "hellinger"), ("sparse", "chi2_pq")],
)
def test_memory_grows_with_the_square_not_with_the_outcomes_of_every_pair(name, measure):
    a = family(name, 400, 400)
    tracemalloc.start()
    pairwise(a, measure)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * a.nbytes  # of 400 that all outcomes of all pairs would take

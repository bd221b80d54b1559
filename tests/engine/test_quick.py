"""What the quick pass serves by itself: to the last digit that counts, and without help."""

import numpy as np
import pytest

from klcli.engine import score as module
from klcli.engine.measures import MEASURES, SIX
from klcli.engine.score import score

from .cases import extreme, ordinary
from .reference import Misses, Reference

COLUMNS = 40


def _with_mass(counts, at):
    counts = counts.astype(float)
    counts[at] += counts.sum(axis=0) == 0
    return counts


def counts(kind, outcomes=10, columns=COLUMNS):
    """Two (K, n) arrays of whole numbers."""
    rng = np.random.default_rng([outcomes, len(kind)])
    shape = outcomes, columns
    rate = 30 * rng.standard_exponential(shape)
    first = np.zeros(shape)
    first[0] = 1
    one = rng.permuted(first, axis=0)
    p = _with_mass(rng.poisson(rate), 0)
    sparse = [_with_mass(np.where(rng.random(shape) < 0.6, 0, rng.poisson(3, shape)), at) for at in (0, -1)]
    q = p + rng.poisson(1, shape)
    return {
        "of rates that differ by a third": lambda: (p, rng.poisson(rate * rng.lognormal(0, 0.3, shape)) + (p > 0)),
        "of one source": lambda: (p, _with_mass(rng.poisson(rate), 0)),
        "sparse": lambda: tuple(sparse),
        "sparse, where p has some": lambda: (sparse[0], sparse[0] * rng.integers(1, 4, shape)),
        "p = 0 < q, else close": lambda: (np.where(rng.random(shape) < 0.5, 0, q) + first, q + first),
        "q = 0 < p, else close": lambda: (q + first, np.where(rng.random(shape) < 0.5, 0, q) + first),
        "equal": lambda: (p, p.copy()),
        "in proportion": lambda: (p, 3 * p),
        "p one-hot": lambda: (5 * one, q + 1),
        "q one-hot": lambda: (q + 1, one),
        "both one-hot": lambda: (one, 3 * rng.permuted(first, axis=0)),
        "large and close": lambda: (1e6 * p + 1, 1e6 * p + rng.integers(0, 2000, shape) + 1),
        "large and one apart": lambda: (1e6 * p, 1e6 * p + first),
    }[kind]()


KINDS = (
    *("of rates that differ by a third", "of one source", "sparse", "sparse, where p has some"),
    *("p = 0 < q, else close", "q = 0 < p, else close", "equal", "in proportion", "p one-hot", "q one-hot"),
    *("both one-hot", "large and close", "large and one apart"),
)


def misses(a, b):
    """What is wrong with the measures of all columns, asked for together and the divergences alone."""
    found = Misses()
    values = [(len(names), score(a, b, names)) for names in (SIX, ["kl_pq", "kl_qp"], ["kl_pq"])]
    for column in range(a.shape[1]):
        reference = Reference(a[:, column], b[:, column])
        for name in SIX:
            exact = reference.measure(name)
            for asked, of in values:
                if name in of:
                    found.check(of[name][column], exact, name, asked, column)
    return found.found


@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_exact(kind):
    assert not misses(*counts(kind))


@pytest.mark.parametrize("kind", ["of rates that differ by a third", "sparse", "p one-hot", "q one-hot"])
def test_counts_with_zeros_need_no_second_pass(kind, monkeypatch):
    # They took five times as long with one.
    a, b = counts(kind, columns=3000)
    again = []
    monkeypatch.setattr(module, "measure", lambda pair, *_, **__: again.append(pair.columns) or {})
    score(a, b, SIX)
    assert sum(again) <= 30


def test_pairs_are_exact_on_both_sides_of_where_the_quick_pass_ends():
    rng = np.random.default_rng(9)
    a = rng.dirichlet(np.ones(10), COLUMNS).T
    apart = np.sqrt(2 * module._CLOSE) * np.exp2(rng.uniform(-1, 1, COLUMNS))  # noqa: SLF001
    b = a * np.exp(apart * rng.standard_normal(a.shape))
    assert 0.2 < np.mean(score(a, b, ["kl_pq"])["kl_pq"] < module._CLOSE) < 0.8  # noqa: SLF001
    assert not misses(a, b)


@pytest.mark.parametrize("outcomes", [3, 10, 64, 128, 129, 1000])
def test_the_rounding_of_many_equal_weights_beside_a_large_one_does_not_gather(outcomes):
    # A one-hot distribution smoothed: each small weight is half a spacing of 1 off what is added to the sum.
    columns = 20 if outcomes < 1000 else 8
    rng = np.random.default_rng(outcomes)
    spacing = 2.0**-52
    small = np.round(10 ** rng.uniform(-3, -1, (2, columns)) / outcomes / spacing) * spacing + 0.49 * spacing
    a, b = np.repeat(small[:, np.newaxis], outcomes, axis=1)
    a[0], b[0, ::2] = 1, 1
    assert not misses(a, b)
    assert not misses(b, a)


@pytest.mark.parametrize("names", [("kl_pq",), SIX, tuple(MEASURES)], ids=["kl", "six", "all"])
@pytest.mark.parametrize("outcomes", [3, 10, 70])
def test_the_digits_of_a_pair_are_the_same_in_every_block(outcomes, names):
    rng = np.random.default_rng(outcomes)
    pairs = [*ordinary(outcomes).values(), *extreme(outcomes).values(), *(counts(kind, outcomes) for kind in KINDS)]
    a, b = (np.column_stack(side) for side in zip(*pairs, strict=True))
    whole = score(a, b, names)
    n = a.shape[1]
    for size in (1, 2, 3, 20, n):
        for _ in range(10):
            chosen = rng.integers(0, n, size)
            for name, values in score(a[:, chosen], b[:, chosen], names).items():
                np.testing.assert_array_equal(values, whole[name][chosen], err_msg=name)


def test_a_block_of_many_cuts_is_its_parts():
    rng = np.random.default_rng(11)
    a, b = rng.standard_exponential((2, 10, 30_001))
    b[:, ::3] = a[:, ::3] * (1 + 1e-6 * rng.random((10, 10_001)))
    b[3, ::5] = 0
    whole = score(a, b, SIX)
    for start in range(0, 30_001, 7001):
        part = slice(start, start + 7001)
        for name, values in score(a[:, part], b[:, part], SIX).items():
            np.testing.assert_array_equal(values, whole[name][part], err_msg=name)

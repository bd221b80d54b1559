"""A block's measures are those of each pair alone, and a row fails where the pair alone does, with the same words."""

import math
from functools import partial

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.analyses.batch import REFERENCE, score_block
from klcli.analyses.compare import measures_of
from klcli.analyses.prepare import prepare_pair
from klcli.blocks import Block, Pairs
from klcli.engine.measures import MEASURES
from klcli.errors import DistributionError
from klcli.model import Distribution, Settings, Side, Smoothing, frozen

NAMES = list(MEASURES)

weight = st.one_of(
    st.floats(0, 1),
    st.integers(0, 20).map(float),
    st.sampled_from([0.0, 0.0, -0.0, 1e-300, 1e300, 5e-324, 0.25, 0.5]),
)
wrong = st.sampled_from([math.nan, math.inf, -1.0, -math.inf, 2.0])
score = st.one_of(st.floats(-50, 5), st.sampled_from([-math.inf, 0.0, -1e300, 700.0]))


def where(side, column, outcome):
    return 10 * column + outcome, f"place {side} {column} {outcome}"


def block_of(p, q, labels=(None, None)):
    n = (p if p is not None else q).shape[1]
    return Block(n, n, (), (Pairs(np.arange(n), p, q, labels, where),))


def place_of(side, column, outcome):
    return where(side, column, outcome)[1]


def alone(p, q, labels, column, given_settings, reference):
    """The measures of one pair as `compare` has them, or its error's text."""
    sides = []
    for which, (values, names) in enumerate(zip((p, q), labels, strict=True)):
        at = 0 if "pq"[which] == reference else column
        chosen, place = values[:, at], partial(place_of, which, at)
        sides.append(Distribution("PQ"[which], "", frozen(chosen), place, names))
    try:
        roles = tuple(REFERENCE if side == reference else side.upper() for side in "pq")
        return measures_of(prepare_pair(*sides, given_settings, roles), NAMES, given_settings)
    except DistributionError as error:
        return str(error)


def check(p, q, given_settings, labels=(None, None), reference=None):
    """The block against each of its pairs alone. reference: which side is one."""
    given_p, given_q, standing = p, q, None
    if reference is not None:
        of = 0 if reference == "p" else 1
        values = (p, q)[of]
        standing = Distribution("PQ"[of], "", frozen(values[:, 0]), partial(place_of, of, 0), labels[of])
        given_p, given_q = (None, q) if reference == "p" else (p, None)
    given_labels = tuple(None if side == reference else names for side, names in zip("pq", labels, strict=True))
    n = (q if reference == "p" else p).shape[1]
    scored = score_block(block_of(given_p, given_q, given_labels), given_settings, NAMES, standing)
    failures = {failure.row: failure.text for failure in scored.failures}
    assert len(failures) == len(scored.failures)
    for column in range(n):
        expected = alone(p, q, labels, column, given_settings, reference)
        if isinstance(expected, str):
            assert failures.pop(column) == expected
            assert all(math.isnan(scored.values[name][column]) for name in NAMES)
            continue
        assert column not in failures
        for name in NAMES:
            got = float(scored.values[name][column])
            # Of weights as they are, the logarithm of a sum near 1 loses what a known limit says it does.
            cancels = not given_settings.normalize and name in {"bhattacharyya", "renyi_pq"}
            near = math.isclose(got, expected[name], rel_tol=2e-13, abs_tol=1e-15 if cancels else 1e-300)
            assert got == expected[name] or near, (name, column)


def tables(draw, elements, k, n, bad=None):
    """(K, n) weights of which now and then one is wrong."""
    values = np.array(draw(st.lists(elements, min_size=k * n, max_size=k * n))).reshape(k, n)
    if n and bad is not None and draw(st.booleans()):
        values[draw(st.integers(0, k - 1)), draw(st.integers(0, n - 1))] = draw(bad)
    return values


smoothing = st.one_of(
    st.none(),
    st.builds(Smoothing, st.sampled_from(["laplace", "jeffreys", "perks", "shrink"])),
    st.builds(Smoothing, st.just("add"), st.sampled_from([0.0, 0.5, 1e-300, 1e300])),
    st.builds(Smoothing, st.sampled_from(["mix", "floor"]), st.sampled_from([0.0, 1e-9, 0.25, 1.0])),
)
units = st.sampled_from([("nats", None), ("bits", None), ("hartleys", None), ("nats", 3.0)])


@st.composite
def cases(draw):
    """Both sides, the settings, the labels, and which side is a reference."""
    n = draw(st.integers(0, 5))
    reference = draw(st.sampled_from([None, None, "p", "q"]))
    sides, values, labels = [], [], []
    k = draw(st.integers(1, 5))
    labelled = draw(st.booleans())
    for side in "pq":
        read_as = draw(st.sampled_from(["weights", "weights", "probs", "logits", "logprobs"]))
        sides.append(Side(read_as, draw(smoothing)))
        elements = score if read_as.startswith("log") else weight
        size = k if not labelled else draw(st.integers(1, 5))
        values.append(tables(draw, elements, size, 1 if side == reference else n, wrong))
        names = draw(st.permutations(["a", "b", "c", "d", "e", "f"]))
        labels.append(tuple(names[:size]) if labelled else None)
    unit, base = draw(units)
    chosen = Settings(
        *sides,
        temperature=draw(st.sampled_from([1.0, 0.5, 100.0])),
        strict=draw(st.sampled_from([False, False, False, True])),
        normalize=draw(st.sampled_from([True, True, True, False])),
        align=draw(st.sampled_from(["outer", "inner", "strict"])),
        unit=unit,
        base=base,
        alpha=draw(st.sampled_from([2.0, 0.5, 1.0, 3.0])),
    )
    return values[0], values[1], chosen, tuple(labels), reference


@settings(max_examples=120, deadline=None)
@given(cases())
def test_a_block_is_its_pairs_alone(case):
    check(*case)


def test_blocks_larger_than_a_run_are_their_pairs():
    rng = np.random.default_rng(0)
    p, q = rng.random((2, 3, 400))
    q[:, ::3] = p[:, ::3] * (1 + 1e-9 * rng.random((3, 134)))
    q[0, ::5] = 0.0
    p[:, 7] = 0.0
    check(p, q, Settings())


def test_pairs_of_several_sizes_keep_their_rows():
    first = Pairs(np.array([0, 3]), np.array([[1.0, 2.0]]), np.array([[1.0, 1.0]]), (None, None), where)
    other = Pairs(
        np.array([2, 1]), *np.array([[[1.0, 0.0], [2.0, 0.0]], [[2.0, 1.0], [1.0, 1.0]]]), (None, None), where
    )
    scored = score_block(Block(5, 5, (), (first, other)), Settings(), ["kl_pq"])
    assert np.isnan(scored.values["kl_pq"]).tolist() == [False, True, False, False, True]
    assert math.isclose(scored.values["kl_pq"][2], math.log(2) / 3)
    assert [(failure.row, failure.line) for failure in scored.failures] == [(1, 10)]


@example(10)
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 30))
def test_remarks_count_rows(n):
    p = np.tile([[0.5], [0.5]], n)
    q = np.where(np.arange(n) % 2, [[1.0], [0.0]], [[0.5], [0.5]])
    scored = score_block(block_of(p, q), Settings(), ["kl_pq"])
    infinite = [count for text, count in scored.remarks.items() if "infinite" in text]
    assert sum(infinite) == n // 2

"""Blocks of pairs, easy and hard columns side by side, against exact arithmetic and against single pairs."""

import numpy as np
import pytest

from klcli.engine.formulas import measure
from klcli.engine.measures import MEASURES, SIX
from klcli.engine.pair import single_pair
from klcli.engine.score import score

from .cases import extreme, ordinary
from .reference import BAR, Misses, Reference

ONLY_KL = ("kl_pq",)
SETS = pytest.mark.parametrize("names", [ONLY_KL, SIX, tuple(MEASURES)], ids=["kl", "six", "all"])


class Pool:
    """Distinct pairs of K outcomes, with their exact measures; every block is made of these."""

    def __init__(self, outcomes, *, everything):
        pairs = ordinary(outcomes) | (extreme(outcomes) if everything else {})
        if outcomes > 100:  # a thousand outcomes of 2000 digits each: as many kinds, fewer of each
            kept = ["independent", "dirichlet", "p sparse", "q sparse", "one-hot p", "near one-hot both", "identical"]
            kept += ["one ulp", "1e-06 apart", "1e-12 apart, times 3", "proportional by 3", "disjoint", "huge p"]
            kept += ["subnormal", "sums overflow"]
            pairs = {name: pairs[name] for name in kept if name in pairs}
        self.names = list(pairs)
        self.a = np.column_stack([a for a, _ in pairs.values()])
        self.b = np.column_stack([b for _, b in pairs.values()])
        self.references = [Reference(a, b) for a, b in pairs.values()]

    def easy(self):
        return [self.names.index(name) for name in ("independent", "dirichlet")]


_POOLS = {}


def pool(outcomes, *, everything):
    key = outcomes, everything
    if key not in _POOLS:
        _POOLS[key] = Pool(outcomes, everything=everything)
    return _POOLS[key]


def arrangement(pairs, columns, seed):
    """Which pair stands in which column: easy ones, a run of everything, easy ones with a few hard, hard ones, easy."""
    rng = np.random.default_rng(seed)
    easy, every = pairs.easy(), range(len(pairs.names))
    quarter = columns // 4
    mostly = np.where(rng.random(quarter) < 0.9, rng.choice(easy, quarter), rng.choice(every, quarter))
    parts = [rng.choice(easy, quarter), mostly, list(every), rng.choice(every, quarter), rng.choice(easy, quarter)]
    return np.concatenate(parts)


@SETS
@pytest.mark.parametrize(
    ("outcomes", "columns", "kind"),
    [
        *((outcomes, 3000, kind) for outcomes in (2, 7) for kind in ("ordinary", "everything")),
        *((outcomes, 200, "everything") for outcomes in (129, 1000)),
    ],
)
def test_every_column_of_a_mixed_block_is_exact(outcomes, columns, kind, names):
    misses = Misses()
    pairs = pool(outcomes, everything=kind == "everything")
    which = arrangement(pairs, columns, seed=outcomes)
    found = score(pairs.a[:, which], pairs.b[:, which], names)
    assert set(found) == set(names)
    for name, values in found.items():
        assert values.shape == (len(which),)
        for k, reference in enumerate(pairs.references):
            exact = reference.measure(name)
            here = np.unique(values[which == k])  # NaN included; the few values that the routes give
            assert len(here), pairs.names[k]
            for value in here:
                misses.check(value, exact, name, pairs.names[k])
    assert not misses.found


@SETS
@pytest.mark.parametrize("kind", ["rows", "columns", "every other column", "broadcast", "integers of a view"])
def test_memory_layout_does_not_matter(kind, names):
    rng = np.random.default_rng(6)
    a, b = rng.standard_exponential((2, 10, 3000))
    b[:, 5::9] = a[:, 5::9] * (1 + 1e-9)
    b[0, 5::9] = a[0, 5::9]
    a = np.broadcast_to(a[:, :1], a.shape) if kind == "broadcast" else a
    laid_out = {
        "rows": np.asfortranarray,
        "columns": np.ascontiguousarray,
        "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        "broadcast": lambda x: x,
        "integers of a view": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    }[kind]
    plain = score(np.array(a), np.array(b), names)
    given = laid_out(a), laid_out(b)
    before = [x.copy() for x in given]
    found = score(*given, names)
    for name in names:
        np.testing.assert_allclose(found[name], plain[name], rtol=BAR, err_msg=name)
    for x, old in zip(given, before, strict=True):
        np.testing.assert_array_equal(x, old, err_msg="the weights given were written to")


@SETS
def test_a_block_of_no_pairs_has_no_results(names):
    for values in score(np.ones((3, 0)), np.ones((3, 0)), names).values():
        assert values.shape == (0,)


@pytest.mark.parametrize("alpha", [0, 0.3, 0.5, 0.999999, 1, 1.0001, 2, 30, np.inf])
def test_renyi_of_a_mixed_block_is_exact(alpha):
    misses = Misses()
    pairs = pool(7, everything=True)
    which = arrangement(pairs, 400, seed=7)
    values = score(pairs.a[:, which], pairs.b[:, which], ["renyi_pq"], alpha=alpha)["renyi_pq"]
    for k, reference in enumerate(pairs.references):
        exact = reference.measure("renyi_pq", alpha)
        for value in np.unique(values[which == k]):
            misses.check(value, exact, pairs.names[k])
    assert not misses.found


@SETS
def test_weights_as_they_are_in_a_block_are_measured_as_alone(names):
    pairs = pool(5, everything=True)
    which = arrangement(pairs, 400, seed=8)
    found = score(pairs.a[:, which], pairs.b[:, which], names, normalize=False)
    for k in range(len(pairs.names)):
        alone = measure(single_pair(pairs.a[:, [k]], pairs.b[:, [k]], normalize=False), names, 2.0)
        reference = Reference(pairs.a[:, k], pairs.b[:, k], normalize=False)
        for name, values in found.items():
            scale = float(reference.scale(name, 2.0))
            for value in np.unique(values[which == k]):
                np.testing.assert_allclose(value, alone[name][0], BAR, BAR * scale, err_msg=f"{name}, {pairs.names[k]}")

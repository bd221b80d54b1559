"""Each measure and each element of single pairs, against the definitions in exact arithmetic."""

from math import inf, nextafter

import numpy as np
import pytest

from klcli.engine.exact import ExactPair
from klcli.engine.formulas import element_sums, elements, measure
from klcli.engine.measures import ELEMENTS, MEASURES, SIX
from klcli.engine.pair import SMALL, single_pair
from klcli.engine.score import score
from klcli.engine.terms import RoundedPair

from .cases import TEXTBOOK, extreme, ordinary
from .reference import Misses, Reference

ORDERS = (0, 1e-17, 1e-6, 0.3, 0.5, 0.999999, 1, 1.0001, 2, 30, inf)
SIGNED = {"log_ratio", "kl_pq", "kl_qp"}

CASES = {
    f"{name}, {outcomes}": pair
    for outcomes in (2, 5, 40)
    for name, pair in {**ordinary(outcomes), **extreme(outcomes)}.items()
} | {name: tuple(np.array(x, dtype=float) for x in pair) for name, pair in TEXTBOOK.items()}

every_case = pytest.mark.parametrize(("a", "b"), CASES.values(), ids=CASES)


def column(x):
    return np.array(x, dtype=float).reshape(-1, 1)


def pair_of(a, b, **options):
    return single_pair(column(a), column(b), **options)


@every_case
def test_measures_and_elements_of_a_pair_and_of_a_block_are_exact(a, b):
    misses, reference, pair = Misses(), Reference(a, b), pair_of(a, b)
    exact = {name: reference.measure(name) for name in MEASURES}
    found = measure(pair, MEASURES, 2.0)
    assert set(found) == set(MEASURES)
    for name, value in found.items():
        misses.check(value[0], exact[name], name)
    block = [np.repeat(column(x), 3, axis=1) for x in (a, b)]
    for names in (["kl_pq"], SIX, list(MEASURES)):
        for name, value in score(*block, names).items():
            assert value.shape == (3,)
            for one in value:
                misses.check(one, exact[name], name, len(names))
    for alpha in ORDERS:
        renyi = reference.measure("renyi_pq", alpha)
        misses.check(measure(pair, ["renyi_pq"], alpha)["renyi_pq"][0], renyi, alpha)
        misses.check(score(column(a), column(b), ["renyi_pq"], alpha=alpha)["renyi_pq"][0], renyi, alpha, "block")
    check_elements(misses, reference, pair)
    assert not misses.found


def check_elements(misses, reference, pair):
    found = elements(pair, ELEMENTS, slice(None))
    assert set(found) == set(ELEMENTS)
    for name, values in found.items():
        for i, (value, exact) in enumerate(zip(values, reference.element(name), strict=True)):
            misses.check(value, exact, name, i, signed=name in SIGNED)


BEYOND_AS_THEY_ARE = ("subnormal", "least subnormal", "sums overflow", "huge against", "opposite ends", "range 1e600")
"""Weights as they are whose quotients leave the doubles: the README says that they are not for --no-normalize."""


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith(BEYOND_AS_THEY_ARE)])
def test_weights_as_they_are_are_measured_to_the_size_of_what_is_summed(case):
    # A sum whose terms cancel is held to the bar by the sum of their sizes, and loses a spacing a term below the
    # normal range; the logarithm of a sum near 1 is held to it by 1. Nothing else may be lost.
    a, b = CASES[case]
    misses = Misses()
    reference = Reference(a, b, normalize=False)
    pair = pair_of(a, b, normalize=False)
    block = score(*(np.repeat(column(x), 2, axis=1) for x in (a, b)), list(MEASURES), normalize=False)
    for name, value in measure(pair, MEASURES, 2.0).items():
        exact, scale = reference.measure(name), reference.scale(name, 2.0)
        misses.check(value[0], exact, name, signed=True, scale=scale, spacings=len(a))
        misses.check(block[name][1], exact, name, "block", signed=True, scale=scale, spacings=len(a))
    for alpha in ORDERS if case.endswith(", 5") else ():
        found, scale = measure(pair, ["renyi_pq"], alpha)["renyi_pq"][0], reference.scale("renyi_pq", alpha)
        exact = reference.measure("renyi_pq", alpha)
        misses.check(found, exact, "renyi_pq", alpha, signed=True, scale=scale, spacings=len(a))
    assert not misses.found


@pytest.mark.parametrize("case", [*ordinary(2), *TEXTBOOK])
def test_ordinary_weights_as_they_are_are_measured_exactly(case):
    a, b = CASES.get(case) or CASES[f"{case}, 2"]
    misses = Misses()
    reference = Reference(a, b, normalize=False)
    for name, value in measure(pair_of(a, b, normalize=False), MEASURES, 2.0).items():
        scale = 1 if name in {"bhattacharyya", "renyi_pq"} else None  # logarithms of sums that may be near 1
        misses.check(value[0], reference.measure(name), name, signed=True, scale=scale)
    assert not misses.found


@every_case
def test_elements_of_weights_as_they_are_are_exact(a, b):
    misses = Misses()
    reference = Reference(a, b, normalize=False)
    for name, values in elements(pair_of(a, b, normalize=False), ELEMENTS, slice(None)).items():
        for i, (value, exact) in enumerate(zip(values, reference.element(name), strict=True)):
            misses.check(value, exact, name, i, signed=True)
    assert not misses.found


def many(kind, outcomes):
    rng = np.random.default_rng([outcomes, 3])
    a, b = rng.standard_exponential((2, outcomes))
    return {
        "independent": lambda: (a, b),
        "1e-9 apart": lambda: (a, a * (1 + 1e-9 * rng.standard_normal(outcomes))),
        "one ulp apart": lambda: (a, np.nextafter(a, 0)),
        "zipf": lambda: (1 / np.arange(1, outcomes + 1), 1 / np.arange(1, outcomes + 1) ** 1.1),
        "subnormal": lambda: (a * 1e-310, b * 1e-310),
        "a thousandth of p has no q": lambda: (b, np.where(rng.random(outcomes) < 1e-3, 0.0, a)),
        "near one-hot": lambda: (np.r_[1.0, a[1:] * 1e-15], np.r_[1.0, b[1:] * 1e-15]),
    }[kind]()


@pytest.mark.parametrize(
    ("kind", "outcomes"),
    [
        ("independent", 2000),
        ("1e-9 apart", 10_000),
        ("one ulp apart", 2000),
        ("zipf", 2000),
        ("subnormal", 2000),
        ("a thousandth of p has no q", 2000),
        ("near one-hot", 2000),
    ],
)
def test_thousands_of_outcomes_are_exact(kind, outcomes):
    misses = Misses()
    a, b = many(kind, outcomes)
    reference = Reference(a, b)
    found = measure(pair_of(a, b), MEASURES, 2.0)
    block = score(np.column_stack([a, a, b]), np.column_stack([b, b, b]), list(MEASURES))
    quick = score(np.column_stack([a, a, b]), np.column_stack([b, b, b]), SIX)
    for name in MEASURES:
        exact = reference.measure(name)
        misses.check(found[name][0], exact, name)
        misses.check(block[name][1], exact, name, "block")
        if name in SIX:
            misses.check(quick[name][1], exact, name, "six")
    assert not misses.found


def test_a_long_sum_keeps_its_digits():
    outcomes = 1_000_000
    a, b = np.arange(1.0, outcomes + 1), np.ones(outcomes)
    # log K minus the entropy of 1..K, by sum k log k = log of the hyperfactorial, here summed without error.
    terms = np.arange(1, outcomes + 1) * np.log(np.arange(1, outcomes + 1, dtype=np.longdouble))
    whole = np.longdouble(outcomes * (outcomes + 1) // 2)
    kl = float(np.sum(terms) / whole - np.log(whole) + np.log(np.longdouble(outcomes)))
    assert measure(pair_of(a, b), ["kl_pq"], 2.0)["kl_pq"][0] == pytest.approx(kl, rel=1e-13)


def test_rare_routes_are_taken_where_they_are_needed():
    # If these did not differ, the cases above would not test what they name.
    long = np.ones(SMALL)
    assert isinstance(pair_of([1.0, 2], [2, 1]), ExactPair)
    assert isinstance(pair_of([1.0, *long], [2, *long]), RoundedPair)
    assert isinstance(pair_of([2, *long], [nextafter(2, 3), *long]), ExactPair)
    assert isinstance(pair_of([1e-310, *long], [1, *long]), ExactPair)
    assert isinstance(pair_of([1e300, *long], [1, *long]), ExactPair)


def near_misses():
    """Pairs that differ widely but agree in one outcome to nearly the last digit."""
    rng = np.random.default_rng(4)
    for k in range(8):
        a = rng.integers(1, 10**6, 7).astype(float)
        b = rng.integers(1, 10**6, 7).astype(float)
        rest = b[1:].sum()
        b[0] = a[0] * rest / a[1:].sum() * (1 + k * 2.0**-50)
        yield a, b


def test_an_element_on_which_both_agree_is_exact():
    misses = Misses()
    for a, b in near_misses():
        check_elements(misses, Reference(a, b), pair_of(a, b))
    assert not misses.found


def test_chosen_elements_are_those_of_all():
    a, b = CASES["independent, 40"]
    pair = pair_of(a, b)
    everything = elements(pair, ELEMENTS, slice(None))
    chosen = [7, 0, 39]
    for name, values in elements(pair, ELEMENTS, chosen).items():
        np.testing.assert_allclose(values, everything[name][chosen], rtol=1e-14, err_msg=name)


@pytest.mark.parametrize("case", ["independent, 40", "1e-09 apart, 40", "one ulp, 40", "counts with zeros, 40"])
def test_elements_add_up_to_the_measures(case):
    a, b = CASES[case]
    pair = pair_of(a, b)
    additive = [name for name, element in ELEMENTS.items() if element.additive]
    sums = element_sums(pair, additive, without=[])
    for name in ("entropy_p", "cross_entropy_pq", "kl_pq", "kl_qp"):
        whole = measure(pair, [name], 2.0)[name][0]
        if whole == inf:
            assert sums[name] == inf
            continue
        # Terms of both signs lose what cancels: their own roundings, whatever the sum.
        scale = float(np.abs(elements(pair, [name], slice(None))[name]).sum())
        assert sums[name] == pytest.approx(whole, rel=0, abs=1e-14 * scale), name
    assert sums["p"] == pytest.approx(1, rel=1e-14)
    assert sums["q"] == pytest.approx(1, rel=1e-14)


def test_element_sums_leave_out_what_they_are_told():
    a, b = CASES["independent, 40"]
    pair = pair_of(a, b)
    left_out = [3, 4, 17]
    sums = element_sums(pair, ["p", "kl_pq"], without=left_out)
    for name, found in sums.items():
        values = elements(pair, [name], slice(None))[name]
        assert found == pytest.approx(np.delete(values, left_out).sum(), rel=1e-12), name

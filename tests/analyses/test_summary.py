"""The statistics of a stream are NumPy's of the whole, however it comes."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from klcli.analyses import summary
from klcli.analyses.summary import STATISTICS, Summary

laws = settings(max_examples=80, deadline=None)
ordinary = st.floats(-1e100, 1e100).map(lambda value: value if abs(value) > 1e-100 else 0.0)
any_value = st.one_of(
    st.floats(allow_nan=False, min_value=-1e150, max_value=1e150, allow_subnormal=False),
    st.sampled_from([0.0, -0.0, 1e-300, -1e-300, 1.0, 1.0 + 2**-52]),
)

QUANTILES = (("p1", 0.01), ("p5", 0.05), ("q1", 0.25), ("median", 0.5), ("q3", 0.75), ("p95", 0.95), ("p99", 0.99))


def statistics(values, cuts=()):
    found = Summary(["x"])
    for part in np.split(np.array(values, dtype=float), sorted(cuts)):
        found.add({"x": part})
    return found.statistics()["x"]


def near(one, other):
    """The same but for the rounding of an interpolation."""
    return one == other or math.isclose(one, other, rel_tol=4e-16, abs_tol=5e-324)


cuts = st.lists(st.integers(0, 30), max_size=4)


@laws
@given(st.lists(any_value, min_size=1, max_size=40), cuts)
@example([1.0], [])
@example([1.0, 2.0], [1])
@example([3.0, 3.0, 3.0], [])
def test_quartiles_are_those_of_numpy(values, cuts):
    found = statistics(values, cuts)
    assert found["count"] == len(values)
    assert (found["min"], found["max"]) == (min(values), max(values))
    for name, share in QUANTILES:
        below = np.quantile(values, share, method="lower")
        above = np.quantile(values, share, method="higher")
        assert below <= found[name] <= above
        scale = max(abs(below), abs(above))
        assert abs(found[name] - np.quantile(values, share)) <= 4e-16 * scale + 5e-324
        if (len(values) - 1) * share % 1 == 0:
            assert found[name] == np.quantile(values, share)


@laws
@given(st.lists(ordinary, min_size=1, max_size=40), cuts)
def test_mean_and_standard_error_are_those_of_the_whole(values, cuts):
    found = statistics(values, cuts)
    scale = max(map(abs, values))
    assert math.isclose(found["mean"], math.fsum(values) / len(values), rel_tol=1e-14, abs_tol=1e-14 * scale)
    if len(values) > 1:
        error = np.std(values, ddof=1) / math.sqrt(len(values))
        assert math.isclose(found["standard_error"], error, rel_tol=1e-12, abs_tol=1e-14 * scale)
    else:
        assert math.isnan(found["standard_error"])


@laws
@given(st.lists(st.sampled_from([0.0, 1.0, 2.5, math.inf, math.nan]), max_size=40), cuts)
def test_infinities_count_and_rows_that_failed_do_not(values, cuts):
    found = statistics(values, cuts)
    known = [value for value in values if not math.isnan(value)]
    assert found["count"] == len(known)
    assert found["infinite"] == sum(map(math.isinf, known))
    if not known:
        assert all(math.isnan(found[name]) for name in STATISTICS[2:])
        return
    assert (found["min"], found["max"]) == (min(known), max(known))
    if math.inf in known:
        assert found["mean"] == math.inf
        assert math.isnan(found["standard_error"])
    for name, share in QUANTILES:
        place = share * (len(known) - 1)
        below, above = sorted(known)[math.floor(place)], sorted(known)[math.ceil(place)]
        want = below if below == above else math.inf if above == math.inf else below + (above - below) * (place % 1)
        assert near(found[name], want)


@pytest.mark.parametrize("run", [1, 7, 1 << 18])
def test_many_runs_are_one(monkeypatch, run):
    monkeypatch.setattr(summary, "_RUN", run)
    rng = np.random.default_rng(run)
    values = rng.standard_normal(500) * 10.0 ** rng.integers(-300, 150, 500)
    found = statistics(values, range(0, 500, 37))
    for name, share in QUANTILES[2:5]:  # whose places are doubles
        assert near(found[name], np.quantile(values, share))


def test_a_large_mean_hides_no_spread():
    values = 1e9 + np.random.default_rng(0).random(10_000)
    found = statistics(values, range(0, 10_000, 100))
    assert math.isclose(found["standard_error"], np.std(values - 1e9, ddof=1) / 100, rel_tol=1e-6)


@pytest.mark.parametrize("values", [[1e300, 2e300, 1e-300], [1e160, 1.0, 2.0], [1.7e308, 1.7e308, 1.0]])
def test_values_near_the_largest_double_are_told_without_a_warning(values):
    found = statistics(values)
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert found["median"] == np.median(values)
    assert math.isclose(found["mean"], math.fsum(value / len(values) for value in values), rel_tol=1e-14)

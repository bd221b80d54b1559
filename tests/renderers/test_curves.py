"""The picture of a fit in characters: whole pictures, at 80 and at 40 columns, and what is hard to draw."""

from math import inf
from pathlib import Path

import numpy as np
import pytest

from klcli.families.formula import Grid
from klcli.fits import FORWARD, REVERSE, Histogram
from klcli.renderers.curves import picture_lines
from klcli.renderers.fit_picture import picture, ticks
from klcli.renderers.terminal import Kit
from klcli.renderers.text import View

from .fits import (
    bimodal_report,
    fitted,
    formula,
    heavy_report,
    histogram,
    normal_report,
    poisson_report,
    projected,
    report,
    sample,
)


def drawn(found, width=80, *, unicode=True):
    return [line.plain.rstrip() for line in picture_lines(found, Kit(View(width=width, unicode=unicode)))][1:]


@pytest.mark.parametrize(
    ("name", "make", "how"),
    [
        ("normal", normal_report, {}),
        ("counts", poisson_report, {"width": 40, "unicode": False}),
        ("projection", bimodal_report, {"width": 60}),
        ("heavy", heavy_report, {"width": 40}),
    ],
)
def test_picture_is_the_golden_one(name, make, how):
    golden = Path(__file__).parent / f"goldens/{name}.txt"
    assert drawn(make(), **how) == golden.read_text(encoding="utf-8").splitlines()


def of_data(values, family, parameters, inner, weights=None):
    data = sample(values, weights=weights)
    return report([fitted(family, parameters, (0.1, 0.1))], data, histogram(data.values, inner))


def onto_normal(target, mu, sd):
    return projected(target, fitted("normal", {"mu": mu, "sd": sd}, (0.5, 0.4), direction=FORWARD))


RISING = np.arange(1.0, 101.0)
ON_GRID = formula("normal(1,0.5)@-1:3:0.25", (1.0, "normal", {"mu": 1.0, "sd": 0.5}))._replace(
    grid=Grid(-1.0, 3.0, 0.25)
)
STEEP = formula("gamma(0.1,1)", (1.0, "gamma", {"shape": 0.1, "rate": 1.0}))
HARD = {
    "no limit at 0": of_data((RISING / 100) ** 4, "gamma", {"shape": 0.3, "rate": 1.5}, [0.01, 0.1, 0.5]),
    "tiny": of_data(RISING * 1e-300, "normal", {"mu": 5e-299, "sd": 3e-299}, [2e-299, 5e-299]),
    "huge": of_data(RISING * 1e300, "normal", {"mu": 5e301, "sd": 3e301}, [2e301, 5e301]),
    "far from 0": of_data(1e9 + RISING / 100, "uniform", {"low": 1e9, "high": 1e9 + 1}, [1e9 + 0.2, 1e9 + 0.8]),
    "mostly one value": of_data([0.5] * 300 + [1.5, 9.0], "laplace", {"mu": 0.5, "scale": 0.01}, [0.6, 2.0]),
    "two outcomes": of_data([0.0] * 7 + [1.0] * 3, "bernoulli", {"p": 0.3}, [0.5]),
    "large counts": of_data(RISING**3, "geometric", {"p": 4e-6}, [1e5, 3e5]),
    "one count": of_data([3.0, 4.0], "poisson", {"rate": 3.5}, [3.5]),
    "weighted": of_data(RISING, "exponential", {"rate": 0.1}, [20, 60], weights=100 * np.exp(-RISING / 10)),
    "grid": onto_normal(ON_GRID, 1, 0.5),
    "target without a limit": onto_normal(STEEP, 0.1, 0.3),
    "cauchy": onto_normal(formula("student_t(1)", (1.0, "student_t", {"df": 1.0, "mu": 0.0, "scale": 1.0})), 0.0, 9.0),
    "counts": projected(
        formula("poisson(3)", (1.0, "poisson", {"rate": 3.0})),
        fitted("geometric", {"p": 0.25}, (0.3, 0.2), direction=REVERSE),
    ),
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("width", [80, 40, 25])
def test_picture_is_drawn(name, width):
    lines = drawn(HARD[name], width)
    assert max(map(len, lines)) <= width
    assert len(lines) >= 14 if width >= 60 else len(lines) >= 12
    # There are bars, a curve, and at least two labels on either axis.
    cells = [line.partition("│")[2] or line.partition("┤")[2] for line in lines]
    assert any("█" in line or "▇" in line for line in cells)
    assert any("●" in line for line in cells)
    assert sum("┤" in line for line in lines) >= 1
    axis = next(i for i, line in enumerate(lines) if "└" in line)
    assert len(lines[axis + 1].split()) >= 2 or width <= 40


def test_share_outside_is_that_of_the_values():
    found = picture(heavy_report(), 60)
    values = heavy_report().sample.values
    outside = (values < found.edges[0]) | (values > found.edges[-1])
    assert found.outside == outside.mean()
    assert float(found.heights @ np.diff(found.edges)) == pytest.approx(1 - found.outside, abs=0.01)


def binned(values, inner, mass):
    one = fitted("uniform", {"low": min(values), "high": max(values)}, (0.1, 0.1))
    return picture(report([one], sample(values), Histogram(np.array([-inf, *inner, inf]), np.array(mass))), 60)


def test_bins_without_an_end_reach_to_the_farthest_value_and_are_as_wide_as_their_neighbour():
    found = binned(np.linspace(1.0, 12.0, 50), [5.0, 9.0], [0.3, 0.4, 0.3])
    np.testing.assert_allclose(found.edges, [0.0, 5.0, 9.0, 13.0])
    np.testing.assert_allclose(found.heights, [0.06, 0.1, 0.075])
    found = binned(np.linspace(-6.0, 20.0, 50), [-5.0, -3.0, 9.0, 11.0], [0.1, 0.1, 0.4, 0.2, 0.2])
    np.testing.assert_allclose(found.edges, [-7.0, -5.0, -3.0, 9.0, 11.0, 20.0])
    assert binned([-1.0, 2.0], [0.5], [0.5, 0.5]).edges.tolist() == [-1.0, 0.5, 2.0]


def test_an_end_bin_with_a_value_near_its_end_is_no_spike():
    found = binned([1.1, 2.0, 3.5, 4.2, 5.0], [1.16, 2.72, 3.5, 4.28], [0.2] * 5)
    np.testing.assert_allclose(found.edges, [0.0, 1.16, 2.72, 3.5, 4.28, 5.06])  # below 0 there are no data
    np.testing.assert_allclose(found.heights, 0.2 / np.array([1.56, 1.56, 0.78, 0.78, 0.78]))
    assert max(binned([-1e308, 0.0, 5e307, 7e307], [-9e307, 4e307, 6e307], [0.25] * 4).edges) < inf


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.0, 1.0, ["0", "0.5", "1.0"]),
        (-4.9, 5.2, ["-4", "-2", "0", "2", "4"]),
        (1e-7, 5e-7, ["1e-07", "2e-07", "3e-07", "4e-07", "5e-07"]),
        (1e9, 1e9 + 1, ["1000000000.0", "1000000000.5", "1000000001.0"]),
        (0.0, 3e12, ["0", "1e+12", "2e+12", "3e+12"]),
    ],
)
def test_ticks_are_round_and_distinct(low, high, labels):
    assert list(ticks(low, high, 5 if low else 4).values()) == labels

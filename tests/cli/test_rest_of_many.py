"""The row for the outcomes not shown, of so many that it is taken from the sums of all."""

import json

import numpy as np
import pytest

from klcli.engine.formulas import element_sums
from klcli.engine.measures import ELEMENTS
from klcli.engine.pair import single_pair

ADDITIVE = [name for name, element in ELEMENTS.items() if element.additive]
N = 70_000


def weights(kind):
    rng = np.random.default_rng(3)
    p, q = rng.standard_exponential(N) + 0.1, rng.standard_exponential(N) + 0.1
    if kind == "two that matter":
        p[[5, 70]] = [1e12, 3e12]
        q[[5, 70]] = [2e12, 1e12]
    if kind == "an infinity shown":
        p[7], q[7] = 1e9, 0
    if kind == "an infinity not shown":
        p[7] = 0
    return p, q


@pytest.mark.parametrize("kind", ["many alike", "two that matter", "an infinity shown", "an infinity not shown"])
def test_the_rest_is_the_sum_of_what_is_not_shown(call, tmp_path, kind):
    p, q = weights(kind)
    path = tmp_path / "many.csv"
    lines = (f"o{i},{x!r},{y!r}\n" for i, (x, y) in enumerate(zip(p.tolist(), q.tolist(), strict=True)))
    path.write_text("label,p,q\n" + "".join(lines), encoding="utf-8")
    elements = json.loads(call("compare", path, "--top", "5", "-f", "json", "-q").out)["elements"]
    shown = [int(row["outcome"][1:]) for row in elements[:-1]]
    pair = single_pair(p.reshape(-1, 1), q.reshape(-1, 1))
    expected = element_sums(pair, ADDITIVE, shown)
    for name in ADDITIVE:
        assert float(elements[-1][name]) == pytest.approx(expected[name], rel=2e-14), name

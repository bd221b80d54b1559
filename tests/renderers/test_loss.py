"""The forms of a loss: full precision and strict JSON."""

import io
import json
from math import inf

import numpy as np
import pytest

from klcli.tensors import Task

from .reports import operands, report, shown, tensor, unreduced


def number(text):
    """A number of a JSON document, whose infinities and NaN are text."""
    return float(text)


def numbers(nested):
    return list(map(numbers, nested)) if isinstance(nested, list) else number(nested)


@pytest.mark.parametrize("n", [1, 65_537])
def test_many_values_are_all_written(n):
    values = np.random.default_rng(n).normal(size=(n, 1))
    values[n // 2] = inf
    found = unreduced(values)
    assert np.array_equal(np.loadtxt(io.StringIO(shown(found, "value")), ndmin=1), values[:, 0])
    document = json.loads(shown(found, "json"))
    assert numbers(document["value"]) == values.tolist()
    assert numbers(document["rows"]) == values[:, 0].tolist()
    assert [float(line.split("\t")[-1]) for line in shown(found, "tsv").splitlines()[1:]] == values[:, 0].tolist()


def test_source_that_is_no_utf8_is_escaped():
    given = operands(tensor("INPUT", [[1.0, 2.0]], "a\udcffb\n"), [1])
    assert json.loads(shown(report(Task("nll"), given), "json"))["inputs"]["input"]["source"].startswith("a")
    assert "\\udcff" in shown(report(Task("nll"), given), "table")

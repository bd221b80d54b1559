"""The forms of a loss: full precision and strict JSON."""

import io
import json
from math import inf, nan

import numpy as np
import pytest

from klcli.tensors import Task

from .reports import operands, report, shown, tensor, unreduced


def number(text):
    """A number of a JSON document, whose infinities and NaN are text."""
    return float(text)


def numbers(nested):
    return list(map(numbers, nested)) if isinstance(nested, list) else number(nested)


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (1.7296213210744, "float64", "1.7296213210744"),
        (1e-7, "float64", "1e-07"),
        (0.1, "float32", "0.10000000149011612"),
        (inf, "float64", "inf"),
        (-inf, "float32", "-inf"),
        (nan, "float64", "nan"),
        (-0.0, "float64", "-0.0"),
    ],
)
def test_value_is_what_item_prints(value, dtype, text):
    found = report(Task("nll", dtype=dtype), operands([[1.0, 2.0]], [1]), value=value)
    assert shown(found, "value") == f"{text}\n"
    assert json.loads(shown(found, "json"), parse_constant=pytest.fail)["value"] in {
        value,
        float(text),
        {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(text),
    }


def test_float32_is_written_as_the_doubles_that_it_holds():
    found = unreduced([[0.1, 0.2]], dtype="float32")
    assert list(map(float, shown(found, "value").split())) == np.float32([0.1, 0.2]).tolist()
    assert json.loads(shown(found, "json"))["value"] == np.float32([[0.1, 0.2]]).tolist()


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


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (2, 3, 4), (2, 1, 3, 2), (1, 1, 1)])
def test_json_nests_as_the_array_does(shape):
    values = np.random.default_rng(0).normal(size=shape)
    values.flat[0] = -inf
    values.flat[-1] = nan
    text = shown(unreduced(values), "json")
    found = np.array(numbers(json.loads(text, parse_constant=pytest.fail)["value"]))
    assert found.shape == shape
    assert np.array_equal(found, values, equal_nan=True)


def test_source_that_is_no_utf8_is_escaped():
    given = operands(tensor("INPUT", [[1.0, 2.0]], "a\udcffb\n"), [1])
    assert json.loads(shown(report(Task("nll"), given), "json"))["inputs"]["input"]["source"].startswith("a")
    assert "\\udcff" in shown(report(Task("nll"), given), "table")

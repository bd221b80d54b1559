"""The forms of a loss: full precision and strict JSON."""

import io
import json
import subprocess
import sys
from math import inf, nan

import numpy as np
import pytest

from klcli.errors import UsageError
from klcli.renderers.loss import bare
from klcli.tensors import FIELDS, Identity, Task

from .reports import SPECIAL, THREE, operands, report, shown, tensor, unreduced


def got(found, *fields):
    out = io.BytesIO()
    bare(found, fields, out)
    return out.getvalue().decode()


def number(text):
    """A number of a JSON document, whose infinities and NaN are text."""
    return float(text)


def numbers(nested):
    return list(map(numbers, nested)) if isinstance(nested, list) else number(nested)


# --------------------------------------------------------------------------------------------------------------- values


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


def test_values_without_a_reduction_are_one_a_line_in_row_major_order():
    lines = shown(unreduced(SPECIAL), "value").splitlines()
    assert list(map(float, lines))[:4] == [1e-7, inf, 0.1, -inf]
    assert lines[1:2] + lines[3:] == ["inf", "-inf", "nan", "-0.0"]


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


# ----------------------------------------------------------------------------------------------------------------- JSON


def test_json_is_the_whole_report():
    document = json.loads(shown(THREE, "json"), parse_constant=pytest.fail)
    assert document == {
        "loss": "cross-entropy",
        "value": 0.146,
        "reduction": "mean",
        "shape": [3, 3],
        "rows": [0.092, 0.2, 0.0],
        "identity": {"cross_entropy": 0.146, "entropy": 0.0, "kl_divergence": 0.146},
        "log_probabilities": [[-2.5, -4.25, -0.092], [-0.2, -2.2, -2.7], [-1.1, -1.1, -1.1]],
        "inputs": {
            "input": {"source": "logits.npy", "shape": [3, 3], "dtype": "float64", "as": "logits"},
            "target": {"source": "targets.csv:class", "shape": [3], "dtype": "int64", "as": "class indices"},
        },
        "settings": {"dim": 1, "ignore_index": -100, "label_smoothing": 0.0, "dtype": "float64"},
        "call": "torch.nn.functional.cross_entropy(input, target, reduction='mean')",
        "notes": ["1 of 3 targets is -100 and left out"],
    }


def test_json_has_a_row_of_numbers_on_a_line():
    text = shown(THREE, "json")
    assert '\n  "rows": [0.092, 0.2, 0.0],\n' in text
    assert '\n  "log_probabilities": [\n    [-2.5, -4.25, -0.092],\n    [-0.2, -2.2, -2.7],\n' in text
    assert '\n      "shape": [3, 3],\n' in text


@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (2, 3, 4), (2, 1, 3, 2), (1, 1, 1)])
def test_json_nests_as_the_array_does(shape):
    values = np.random.default_rng(0).normal(size=shape)
    values.flat[0] = -inf
    values.flat[-1] = nan
    text = shown(unreduced(values), "json")
    found = np.array(numbers(json.loads(text, parse_constant=pytest.fail)["value"]))
    assert found.shape == shape
    assert np.array_equal(found, values, equal_nan=True)


def test_json_says_infinity_in_words():
    document = json.loads(shown(unreduced(SPECIAL), "json"), parse_constant=pytest.fail)
    assert document["value"] == [[1e-7, "Infinity", 0.1], ["-Infinity", "NaN", -0.0]]
    found = report(Task("nll"), operands([[1.0, 2.0]], [1]), identity=Identity(inf, 0.0, inf))
    assert json.loads(shown(found, "json"))["identity"]["kl_divergence"] == "Infinity"


def test_json_has_the_settings_that_apply():
    two = operands([[0.5, 0.5]], [[1.0, 0.0]], weight=[1.0, 2.0], pos_weight=3.0)
    document = json.loads(shown(report(Task("bce", input_as="probs"), two), "json"))
    assert document["settings"] == {"dtype": "float64"}
    assert list(document["inputs"]) == ["input", "target", "weight", "pos_weight"]
    assert document["inputs"]["target"]["as"] == "probs"
    assert "as" not in document["inputs"]["weight"]
    assert document["identity"] is document["log_probabilities"] is None
    kl = report(Task("kl-div", "sum", "logprobs", "logprobs"), operands([[-1.0, -0.5]], [[-0.7, -0.7]]))
    document = json.loads(shown(kl, "json"))
    assert document["settings"] == {"dim": 1, "dtype": "float64"}
    assert [document["inputs"][name]["as"] for name in ("input", "target")] == ["logprobs"] * 2
    nll = report(Task("nll", ignore_index=7), operands([[1.0, 2.0]], [1]))
    assert json.loads(shown(nll, "json"))["settings"] == {"dim": 1, "ignore_index": 7, "dtype": "float64"}


def test_source_that_is_no_utf8_is_escaped():
    given = operands(tensor("INPUT", [[1.0, 2.0]], "a\udcffb\n"), [1])
    assert json.loads(shown(report(Task("nll"), given), "json"))["inputs"]["input"]["source"].startswith("a")
    assert "\\udcff" in shown(report(Task("nll"), given), "table")


# ----------------------------------------------------------------------------------------------------------------- rows


def test_rows_have_their_index_their_class_and_their_loss():
    assert shown(THREE, "tsv") == "row\ttarget\tloss\n0\t2\t0.092\n1\t0\t0.2\n2\t-100\t0.0\n"
    assert shown(THREE, "csv") == shown(THREE, "tsv").replace("\t", ",")
    assert [json.loads(line) for line in shown(THREE, "ndjson").splitlines()] == [
        {"row": 0, "target": 2, "loss": 0.092},
        {"row": 1, "target": 0, "loss": 0.2},
        {"row": 2, "target": -100, "loss": 0.0},
    ]


def test_rows_on_several_axes_have_an_index_on_each():
    given = operands(np.zeros((2, 4, 1, 3)), np.arange(6.0).reshape(2, 1, 3) % 4)
    lines = shown(report(Task("cross-entropy"), given), "csv").splitlines()
    assert lines[0] == "row,d1,d2,target,loss"
    assert lines[1] == "0,0,0,0,0.0"
    assert lines[-1] == "1,0,2,1,1.25"


def test_rows_of_two_classes_each_are_the_elements():
    found = report(Task("bce", input_as="probs"), operands([[0.5, 0.1]], [[1.0, 0.0]]), rows=[[nan, inf]])
    assert shown(found, "csv") == "row,d1,loss\n0,0,nan\n0,1,inf\n"
    assert shown(found, "ndjson") == '{"row": 0, "d1": 0, "loss": "NaN"}\n{"row": 0, "d1": 1, "loss": "Infinity"}\n'


def test_single_distribution_is_row_0():
    found = report(Task("nll"), operands([-0.5, -1.0], 1))
    assert shown(found, "csv") == "row,target,loss\n0,1,0.0\n"


def test_markdown_has_measures_rows_and_notes():
    assert shown(THREE, "markdown", digits=3) == (
        "| measure | value |\n| --- | --: |\n| value | 0.146 |\n| entropy | 0 |\n| kl_divergence | 0.146 |\n"
        "| cross_entropy | 0.146 |\n\n"
        "| row | target | loss |\n| --: | --: | --: |\n| 0 | 2 | 0.0920 |\n| 1 | 0 | 0.200 |\n| 2 | -100 | 0 |\n\n"
        "- 1 of 3 targets is -100 and left out\n"
    )
    assert "left out" not in shown(THREE, "markdown", notes=False)
    assert "| 0 | nan |" in shown(report(Task("kl-div"), operands([[1.0]], [[1.0]]), rows=[nan]), "markdown")


# --------------------------------------------------------------------------------------------------------- bare values


def test_fields_are_bare_values_a_line_each():
    assert got(THREE, "value", "entropy", "cross_entropy", "kl_divergence") == "0.146\n0.0\n0.146\n0.146\n"
    assert got(THREE, "rows") == "0.092\n0.2\n0.0\n"
    assert got(THREE, "log_probabilities").split()[:4] == ["-2.5", "-4.25", "-0.092", "-0.2"]
    for field in FIELDS:
        assert got(THREE, field)


def test_field_that_weights_leave_no_meaning_says_so():
    found = report(Task("nll"), operands([[1.0, 2.0]], [1], weight=[1.0, 2.0]))
    with pytest.raises(UsageError, match=r"^--get entropy: with --weight .*; drop --weight$"):
        got(found, "value", "entropy")
    with pytest.raises(UsageError, match=r"^--get log_probabilities: nll of these operands has none$"):
        got(found, "log_probabilities")
    with pytest.raises(UsageError, match=r"^--get kl_divergence: bce of these operands has none$"):
        got(report(Task("bce"), operands([0.5], [1.0])), "kl_divergence")


def test_machine_formats_import_no_rich_and_no_pyarrow():
    code = "import sys, klcli.renderers.loss; print(sorted({'rich', 'pyarrow', 'pandas'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"

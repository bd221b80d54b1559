"""The same in PyTorch, as text. That PyTorch agrees is tested in tests/parity."""

import ast

import numpy as np
import pytest

from klcli.renderers.pytorch import call, left_to_load, script
from klcli.tensors import Task

from .reports import operands, report, tensor

FUNCTION = "torch.nn.functional."


def called(task, given=(2, 3), target=(2, 3), dim=None, **weights):
    given, target = (np.zeros(shape) for shape in (given, target))
    return call(report(task, operands(given, target, **weights), **({} if dim is None else {"dim": dim})))


@pytest.mark.parametrize(
    ("task", "expression"),
    [
        (Task("kl-div", "batchmean", "logprobs"), "kl_div(input, target, reduction='batchmean', log_target=False)"),
        (
            Task("kl-div", "sum", "logits", "logprobs"),
            "kl_div(input.log_softmax(dim=-1), target, reduction='sum', log_target=True)",
        ),
        (
            Task("kl-div", "mean", "probs", "logits"),
            "kl_div(input.log(), target.softmax(dim=-1), reduction='mean', log_target=False)",
        ),
        (Task("cross-entropy"), "cross_entropy(input, target, reduction='mean')"),
        (Task("bce", "none", "probs"), "binary_cross_entropy(input, target, reduction='none')"),
        (Task("bce-with-logits"), "binary_cross_entropy_with_logits(input, target, reduction='mean')"),
    ],
)
def test_call_of_probabilities(task, expression):
    assert called(task) == FUNCTION + expression


def test_call_moves_the_classes_to_where_pytorch_has_them():
    last = called(Task("cross-entropy", dim=-1), (2, 4, 3), (2, 4), dim=2)
    assert last == FUNCTION + "cross_entropy(input.movedim(-1, 1), target, reduction='mean')"
    soft = called(Task("cross-entropy", dim=0), (3, 2), (3, 2), dim=0)
    assert soft == FUNCTION + "cross_entropy(input.movedim(0, 1), target.movedim(0, 1), reduction='mean')"
    nll = called(Task("nll", input_as="logits", dim=0), (3, 2), (2,), dim=0)
    assert nll == FUNCTION + "nll_loss(input.movedim(0, 1).log_softmax(dim=1), target, reduction='mean')"
    assert ".movedim" not in called(Task("cross-entropy", dim=-1), (2, 3), (2,), dim=1)
    assert "log_softmax(dim=0)" in called(Task("nll", input_as="logits"), (3,), ())
    assert "log_softmax(dim=1)" in called(Task("kl-div", input_as="logits", dim=1), (2, 3, 2), (2, 3, 2), dim=1)


def test_call_of_two_classes_and_their_weights():
    weights = {"weight": np.ones(3), "pos_weight": np.ones(3)}
    assert called(Task("bce-with-logits", "sum"), **weights) == FUNCTION + (
        "binary_cross_entropy_with_logits(input, target, weight=weight, reduction='sum', pos_weight=pos_weight)"
    )
    terms = "(target - 1) * (-input).log1p().clamp(min=-100) - target * (input.log().clamp(min=-100) * pos_weight)"
    assert called(Task("bce", "mean", "probs"), **weights) == f"(({terms}) * weight).mean()"
    assert called(Task("bce", "none", "probs"), pos_weight=np.ones(3)) == terms


def test_script_spells_what_python_has_no_literal_for():
    text = script(report(Task("kl-div", "none", dtype="float32"), operands([[-np.inf, np.inf]], [[np.nan, 0.1]])))
    assert 'input = torch.tensor([[float("-inf"), float("inf")]], dtype=torch.float32)\n' in text
    assert 'target = torch.tensor([[float("nan"), 0.1]], dtype=torch.float32)\n' in text
    assert text.endswith("print(loss.tolist())  # [[0.0, 0.0]]\n")


def test_script_breaks_long_literals():
    rng = np.random.default_rng(0)
    for shape in [(200,), (20, 10), (2, 20, 5)]:
        given = operands(rng.normal(size=shape), rng.normal(size=shape))
        text = script(report(Task("bce-with-logits", "none"), given))
        assert max(map(len, text.splitlines())) <= 100
        made = ast.parse(text).body[1]
        assert ast.literal_eval(made.value.args[0]) == given.input.values.tolist()
        assert text.endswith("print(loss.tolist())\n")


def test_script_loads_what_is_long_or_says_what_to_load():
    given = operands(
        tensor("INPUT", np.zeros((1, 201)), "x.npy", 'numpy.load("x.npy")'),
        tensor("TARGET", [[200]], "y.npy", 'numpy.load("y.npy")'),
    )
    text = script(report(Task("nll", dtype="float32"), given))
    assert text.startswith("import numpy\nimport torch\n\n")
    assert 'input = torch.from_numpy(numpy.load("x.npy")).float()\n' in text
    assert "target = torch.tensor([200], dtype=torch.long)\n" in text
    many = operands(
        tensor("INPUT", np.zeros((1000, 11)), "<stdin>\n"),
        tensor("TARGET", np.zeros((1000, 1)), "y.npy", 'numpy.load("y.npy")'),
        weight=np.ones(11),
    )
    assert left_to_load(report(Task("nll"), many)) == ["INPUT"]
    text = script(report(Task("nll"), many))
    assert "input = ...  # <stdin>\\n: shape (1000, 11)\n" in text
    assert 'target = torch.from_numpy(numpy.load("y.npy")).long().reshape(1000)\n' in text
    ast.parse(text)
    longer = operands(tensor("INPUT", np.zeros((10_001, 1))), tensor("TARGET", np.zeros(10_001), "y" * 99))
    assert left_to_load(report(Task("nll"), longer)) == ["INPUT", "TARGET"]
    assert f"target = ...  # {'y' * 57}...: class indices of shape (10001,)\n" in script(report(Task("nll"), longer))

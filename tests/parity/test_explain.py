"""The scripts of --explain run, and print what the textbook says."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from klcli.renderers.pytorch import script
from klcli.tensors import Task
from tests.renderers.reports import operands, report, tensor

RNG = np.random.default_rng(5)


def run(text):
    """What a script prints, and its names."""
    names, out = {}, io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
        exec(compile(text, "<script>", "exec"), names)  # noqa: S102 - that it runs is what is tested
    return out.getvalue(), names


def log_softmax(x, axis):
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def simplex(shape, axis=-1):
    return np.exp(log_softmax(RNG.normal(size=shape), axis))


def logarithms(x, read_as, axis):
    return {"logits": lambda: log_softmax(x, axis), "probs": lambda: np.log(x), "logprobs": lambda: x}[read_as]()


def reduced(task, losses, divisor):
    divisors = {"mean": divisor, "sum": 1, "batchmean": (*np.shape(losses), 1)[0]}
    return losses if task.reduction == "none" else losses.sum() / divisors[task.reduction]


def kl_div(task, given, dim):
    log_q = logarithms(given.input.values, task.input_as, dim)
    log_p = logarithms(given.target.values, task.target_as, dim)
    return reduced(task, np.exp(log_p) * (log_p - log_q), log_q.size)


def of_classes(task, given, dim):
    """cross-entropy or nll, by one-hot targets."""
    log_q = np.moveaxis(logarithms(given.input.values, task.input_as, dim), dim, -1)
    k, target = log_q.shape[-1], given.target.values
    counts = np.ones(log_q.shape[:-1])
    if target.shape == given.input.shape:
        p = np.moveaxis(target, dim, -1)
    else:
        target = target.reshape(log_q.shape[:-1]).astype(int)
        counts = (target != (-100 if task.ignore_index is None else task.ignore_index)).astype(float)
        p = np.eye(k)[np.where(counts, target, 0)]
    weight = np.ones(k) if given.weight is None else given.weight.values
    divisor = (counts * (p * weight).sum(-1)).sum() if target.shape != given.input.shape else counts.sum()
    smoothed = (1 - task.label_smoothing) * p + task.label_smoothing / k
    return reduced(task, counts * -(weight * smoothed * log_q).sum(-1), divisor)


def of_two(task, given, _):
    x, target = given.input.values, given.target.values
    log_q, log_rest = -np.logaddexp(0, -x), -np.logaddexp(0, x)
    if task.loss == "bce":
        with np.errstate(divide="ignore"):
            log_q, log_rest = (np.maximum(np.log(q), -100) for q in (x, 1 - x))
    weight, pos_weight = (1 if w is None else w.values for w in (given.weight, given.pos_weight))
    losses = -weight * (pos_weight * target * log_q + (1 - target) * log_rest)
    return reduced(task, losses, losses.size)


TEXTBOOK = {"kl-div": kl_div, "cross-entropy": of_classes, "nll": of_classes, "bce": of_two, "bce-with-logits": of_two}

NORMAL = RNG.normal(size=(4, 3))
CLASSES = np.array([2, -100, 0, 1])
IMAGE = RNG.normal(size=(2, 3, 2, 2))
WEIGHT = np.array([1.0, 2.0, 0.5])
YES = np.array([[1.0, 0.0, 0.5]] * 4)

CASES = {
    "kl of log-probabilities": (Task("kl-div", "batchmean", "logprobs"), log_softmax(NORMAL, 1), simplex((4, 3))),
    "kl of logits": (Task("kl-div", "mean", "logits", "logits"), NORMAL, NORMAL[::-1]),
    "kl of probs": (Task("kl-div", "sum", "probs", "logprobs"), simplex((4, 3)), np.log(simplex((4, 3)))),
    "kl element by element": (Task("kl-div", "none", "logits"), IMAGE, simplex(IMAGE.shape)),
    "kl of one": (Task("kl-div", "batchmean", "logits"), NORMAL[0], simplex(3)),
    "classes": (Task("cross-entropy"), NORMAL, CLASSES),
    "classes as doubles": (Task("cross-entropy", "sum"), NORMAL, CLASSES.astype(float)),
    "one class": (Task("cross-entropy", "none"), NORMAL[0], np.array([2])),
    "one class of a row": (Task("nll", "mean", "logits"), NORMAL[:1], np.array(2)),
    "smoothed": (Task("cross-entropy", label_smoothing=0.1), NORMAL, CLASSES),
    "probabilities": (Task("cross-entropy"), NORMAL, simplex((4, 3))),
    "an image": (Task("cross-entropy", "none"), IMAGE, np.arange(8).reshape(2, 2, 2) % 3),
    "weighted": (Task("cross-entropy", ignore_index=1), NORMAL, CLASSES % 3, WEIGHT),
    "weighted probabilities": (Task("cross-entropy", "sum", label_smoothing=0.2), NORMAL, simplex((4, 3)), WEIGHT),
    "nll of logits": (Task("nll", "mean", "logits"), NORMAL, CLASSES, WEIGHT),
    "nll of probs": (Task("nll", "none", "probs"), simplex((4, 3)), CLASSES),
    "bce": (Task("bce", "mean", "probs"), np.array([[0.0, 1.0, 0.25]] * 4), YES),
    "bce weighted": (Task("bce", "none", "probs"), np.full((4, 3), 0.3), YES, WEIGHT),
    "bce of positives": (Task("bce", "mean", "probs"), np.array([[0.0, 0.5, 0.25]] * 4), YES, WEIGHT, WEIGHT[::-1]),
    "bce of positives, unreduced": (Task("bce", "none", "probs"), np.full((4, 3), 0.3), YES, None, np.array(3.0)),
    "bce with logits": (Task("bce-with-logits", "sum"), NORMAL, YES, WEIGHT, WEIGHT[::-1]),
}
MOVED = {
    "classes on the last axis": (Task("cross-entropy", dim=-1), IMAGE, np.arange(12).reshape(2, 3, 2) % 2, 3),
    "classes on the first axis": (Task("nll", "none", "logits", dim=0), NORMAL, np.array([0, 3, 1]), 0),
    "probabilities on the last axis": (Task("cross-entropy", "none", dim=-1), IMAGE, simplex(IMAGE.shape), 3),
    "kl of the first axis": (Task("kl-div", "sum", "logits", "logits", dim=0), NORMAL, NORMAL[::-1], 0),
}


def explained(task, given, dim):
    """A report whose value is the textbook's."""
    found = report(task, given) if dim is None else report(task, given, dim=dim)
    return report(task, given, dim=found.dim, value=TEXTBOOK[task.loss](task, given, found.dim))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", [*CASES, *MOVED])
def test_script_prints_the_loss(case, dtype):
    task, given, target, *others = CASES.get(case) or MOVED[case]
    (dim,) = others if case in MOVED else (None,)
    found = explained(task._replace(dtype=dtype), operands(given, target, *(() if case in MOVED else others)), dim)
    printed, names = run(script(found))
    loss = names["loss"]
    assert str(loss.dtype) == f"torch.{dtype}"
    assert tuple(loss.shape) == found.value.shape
    np.testing.assert_allclose(loss.numpy(), found.value, rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-7)
    assert printed == f"{loss.tolist()}\n"


def test_script_loads_arrays(tmp_path):
    given, target = RNG.normal(size=(100, 3)), RNG.integers(0, 3, (100, 1)).astype(np.int32)
    tensors = []
    for role, values in (("INPUT", given), ("TARGET", np.tile(target, 3)[:, :1])):
        path = tmp_path / f"{role}.npy"
        np.save(path, values)
        tensors.append(tensor(role, values, str(path), f"numpy.load({str(path)!r})"))
    found = explained(Task("cross-entropy"), operands(*tensors), None)
    _, names = run(script(found))
    assert names["loss"].item() == pytest.approx(float(found.value), rel=1e-12)

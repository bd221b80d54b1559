"""Every loss against PyTorch where its shape, its weights or its source are unusual."""

import numpy as np
import pytest

from tests.parity.against import DTYPES, REDUCTIONS, assert_same, call, class_axis, generator, in_space, softmax, tensor

CLASS_LOSSES = ("cross-entropy", "soft", "nll")
OF_INDICES = {"cross-entropy", "nll"}
LOSSES = (*CLASS_LOSSES, "kl-div", "bce", "bce-with-logits")

pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")  # what klcli has a note for


@pytest.fixture
def same(loss):
    """same(kind, operands, reduction, dtype, ...): that klcli prints what PyTorch computes."""

    def same(kind, operands, reduction, dtype, *, dim=None, weight=None, **options):
        x, t = operands
        axis = class_axis(x.shape)
        if dim is not None:
            x, t = np.moveaxis(x, dim, axis), np.moveaxis(t, dim, axis) if kind == "soft" else t
        tensors = tensor(x, dtype), tensor(t, "long" if kind in OF_INDICES else dtype), tensor(weight, dtype)
        of_torch = {name: value for name, value in options.items() if name != "given"}
        want, scale = call(kind, *tensors, axis, **of_torch)
        name = "cross-entropy" if kind == "soft" else kind
        got = loss(name, *operands, weight=weight, reduction=reduction, dtype=dtype, dim=dim, **options)
        units = 3 if kind == "soft" else 2
        assert_same(got, want[reduction], want["none"], scale if reduction == "none" else None, dtype, units=units)

    return same


def operands(kind, shape, random, axis=None):
    """Random ones of each loss. axis: of the classes."""
    axis = class_axis(shape) if axis is None else axis
    logits = random.normal(size=shape) * 3
    if kind == "bce":
        return 1 / (1 + np.exp(-logits)), random.random(shape)
    if kind == "bce-with-logits":
        return logits, random.random(shape)
    given = logits if kind in {"cross-entropy", "soft"} else in_space(logits, "logprobs", axis)
    if kind in {"soft", "kl-div"}:
        return given, softmax(random.normal(size=shape), axis)
    return given, random.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", LOSSES)
def test_rows_of_several_blocks(same, kind, reduction, dtype):
    same(kind, operands(kind, (70_000, 3), generator(kind, reduction, dtype)), reduction, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", CLASS_LOSSES)
@pytest.mark.parametrize(("shape", "dim"), [((4, 5), 0), ((3, 5, 2), 2), ((3, 5, 2), -3), ((2, 3, 4, 20), -1)])
def test_classes_on_an_axis_of_their_own(same, kind, shape, dim, reduction, dtype):
    random = generator(kind, shape, dim, reduction, dtype)
    same(
        kind,
        operands(kind, shape, random, dim % len(shape)),
        reduction,
        dtype,
        dim=dim,
        weight=random.random(shape[dim]),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("shape", [(1,), (1, 1), (4, 1), (2, 1, 3)])
def test_one_class(same, kind, shape, reduction, dtype):
    same(kind, operands(kind, shape, generator(kind, shape, reduction, dtype)), reduction, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", CLASS_LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weights", [(0, 0, 0, 0), (0, 1, 2, 0.5)])
def test_targets_of_weight_zero(same, kind, weights, smoothing, reduction, dtype):
    """Of two rows of class 0."""
    given, target = operands(kind, (2, 4), generator(kind, smoothing, reduction, dtype))
    options = {} if kind == "nll" else {"label_smoothing": smoothing}
    target = np.eye(4)[[0, 0]] if kind == "soft" else np.zeros_like(target)
    same(kind, (given, target), reduction, dtype, weight=np.array(weights, dtype=float), **options)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", ["cross-entropy", "nll"])
@pytest.mark.parametrize("rows", [15, 16, 17, 40, 255, 256, 257, 300, 4096, 4113, 70_001])
def test_ignored_rows_in_the_order_of_the_sums(same, kind, rows, weighted, reduction, smoothing):
    """In single precision, where sums are passed on after 16, 256, ... rows that are not ignored."""
    random = generator(kind, rows, weighted, reduction, smoothing)
    given, target = operands(kind, (rows, 3), random)
    target[random.random(rows) < random.choice([0.05, 0.3, 0.9])] = -100
    target[::16] = random.choice([-100, 1], len(target[::16]))
    options = {} if kind == "nll" else {"label_smoothing": smoothing}
    same(kind, (given, target), reduction, "float32", weight=random.random(3) if weighted else None, **options)

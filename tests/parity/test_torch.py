"""Every loss against PyTorch itself, through the command line: over all combinations of what changes its value.

Needs the extra `parity`, and is not collected by a plain `pytest`.
"""

import itertools

import numpy as np
import pytest
import torch.nn.functional as F  # noqa: N812 - its name everywhere

from tests.parity.against import (
    DTYPES,
    REDUCTIONS,
    assert_same,
    class_axis,
    generator,
    in_logs,
    in_space,
    scale_of_elements,
    scale_of_rows,
    size,
    softmax,
    targets,
    tensor,
    with_pos_weight,
)

ROWS = [(5,), (4, 5), (3, 5, 2), (2, 3, 2, 3), (20, 40)]
"""One row; a batch; a batch of positions, of images; classes enough for PyTorch's vectors."""
LOG_SPACES = ("logits", "probs", "logprobs")

CLASSES = list(
    itertools.product(
        ROWS,
        REDUCTIONS,
        DTYPES,
        ("none ignored", "some ignored", "all ignored", "soft"),
        (0, 1),
        (0.0, 0.1, 1.0),
        (0, 1),
    )
)
"""Shape, reduction, dtype, targets, whether weighted, label smoothing, whether a logit is -inf."""
LIKELIHOODS = list(itertools.product(ROWS, REDUCTIONS, DTYPES, ("none", "some", "all"), (0, 1), LOG_SPACES, (0, 1)))
"""Shape, reduction, dtype, how many are ignored, whether weighted, what INPUT is, whether it holds -inf."""
DIVERGENCES = list(
    itertools.product(ROWS, (*REDUCTIONS, "batchmean"), DTYPES, LOG_SPACES, LOG_SPACES, ("apart", "0", "0 at 0", "q 0"))
)
"""Shape, reduction, dtype, what INPUT is, what TARGET is, where the zeros are."""
BINARY = list(itertools.product(ROWS, REDUCTIONS, DTYPES, (0, 1, 2), (0, 1), ("bce", "bce-with-logits"), (0, 1)))
"""Shape, reduction, dtype, weights (none, of the last axis, of each), pos_weight, loss, whether INPUT is extreme."""


def test_there_are_two_thousand_cases_and_more():
    assert len(CLASSES) + len(LIKELIHOODS) + len(DIVERGENCES) + len(BINARY) > 2000


@pytest.mark.parametrize("case", CLASSES, ids=lambda case: "-".join(map(str, case)))
def test_cross_entropy(loss, case):
    shape, reduction, dtype, kind, weighted, smoothing, infinite = case
    random = generator(case)
    logits = random.normal(size=shape) * 3
    if infinite:
        logits.flat[1] = -np.inf
    weight = random.random(shape[class_axis(shape)]) if weighted else None
    ignore_index = int(random.choice([-100, 1]))
    soft = kind == "soft"
    if soft:
        given = softmax(random.normal(size=shape), class_axis(shape))
        if infinite and random.random() < 1 / 2:
            given.flat[1] = 0
    else:
        given = targets(random, shape, kind, ignore_index)
    options = {} if soft else {"ignore_index": ignore_index}
    wanted = tensor(logits, dtype), tensor(given, dtype if soft else "long")
    want = F.cross_entropy(
        *wanted, weight=tensor(weight, dtype), reduction=reduction, label_smoothing=smoothing, **options
    )
    each = F.cross_entropy(
        *wanted, weight=tensor(weight, dtype), reduction="none", label_smoothing=smoothing, **options
    )
    got = loss(
        "cross-entropy",
        logits,
        given,
        weight=weight,
        reduction=reduction,
        label_smoothing=smoothing,
        dtype=dtype,
        **options,
    )
    log_q = wanted[0].log_softmax(class_axis(shape))
    scale = scale_of_rows(each, log_q, class_axis(shape), of_logits=True) if reduction == "none" else None
    assert_same(got, want, each, scale, dtype)


@pytest.mark.parametrize("case", LIKELIHOODS, ids=lambda case: "-".join(map(str, case)))
def test_nll(loss, case):
    shape, reduction, dtype, ignored, weighted, space, infinite = case
    random = generator(case)
    axis = class_axis(shape)
    given = in_space(random.normal(size=shape) * 3, space, axis)
    if infinite:
        given.flat[1] = 0 if space == "probs" else -np.inf
    weight = random.random(shape[axis]) if weighted else None
    ignore_index = int(random.choice([-100, 1]))
    classes = targets(random, shape, ignored, ignore_index)
    options = {"ignore_index": ignore_index, "reduction": reduction}
    wanted = in_logs(tensor(given, dtype), space, axis), tensor(classes, "long"), tensor(weight, dtype)
    want, each = F.nll_loss(*wanted, **options), F.nll_loss(*wanted, **{**options, "reduction": "none"})
    got = loss("nll", given, classes, weight=weight, input_as=space, dtype=dtype, **options)
    scale = scale_of_rows(each, wanted[0], axis, of_logits=space == "logits") if reduction == "none" else None
    assert_same(got, want, each, scale, dtype)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")  # what klcli has a note for
@pytest.mark.parametrize("case", DIVERGENCES, ids=lambda case: "-".join(map(str, case)))
def test_kl_div(loss, case):
    shape, reduction, dtype, input_as, target_as, zeros = case
    random = generator(case)
    axis = int(random.choice([0, -1]))
    given, target = (in_space(random.normal(size=shape) * 2, space, axis) for space in (input_as, target_as))
    if zeros.startswith("0"):
        target.flat[0] = 0 if target_as == "probs" else -np.inf
    if zeros in {"0 at 0", "q 0"}:
        given.flat[0] = 0 if input_as == "probs" else -np.inf
    logarithms = in_logs(tensor(given, dtype), input_as, axis)
    probabilities = tensor(target, dtype).softmax(axis) if target_as == "logits" else tensor(target, dtype)
    wanted = {"log_target": target_as == "logprobs"}
    want = F.kl_div(logarithms, probabilities, reduction=reduction, **wanted)
    each = F.kl_div(logarithms, probabilities, reduction="none", **wanted)
    got = loss(
        "kl-div", given, target, reduction=reduction, input_as=input_as, target_as=target_as, dim=axis, dtype=dtype
    )
    logs = probabilities if target_as == "logprobs" else probabilities.log()
    sizes = scale_of_elements(logs.exp(), logs, logarithms, axis)
    units = 3 if target_as == "logits" else 2
    assert_same(got, want, each, sizes if reduction == "none" else None, dtype, units=units)


@pytest.mark.parametrize("case", BINARY, ids=lambda case: "-".join(map(str, case)))
def test_binary(loss, case):
    shape, reduction, dtype, weighted, positive, kind, extreme = case
    random = generator(case)
    given, target = random.normal(size=shape) * 3, random.random(shape)
    if extreme:
        given.flat[0], given.flat[1] = 800, -np.inf
        target.flat[0], target.flat[1] = random.integers(0, 2, 2)
    weight = {0: None, 1: random.random(shape[-1]), 2: random.random(shape)}[weighted]
    pos_weight = 3 * random.random(shape[-1]) if positive else None
    options = {"weight": weight, "reduction": reduction, "dtype": dtype}
    if kind == "bce":
        with np.errstate(over="ignore"):
            given = 1 / (1 + np.exp(-given))
        of_torch, keyword = with_pos_weight if positive else F.binary_cross_entropy, {}
    else:
        of_torch, keyword = F.binary_cross_entropy_with_logits, {"pos_weight": tensor(pos_weight, dtype)}
    if kind == "bce" and positive:
        keyword = {"pos_weight": tensor(pos_weight, dtype)}
    wanted = tensor(given, dtype), tensor(target, dtype), tensor(weight, dtype)
    want, each = (of_torch(*wanted, reduction=how, **keyword) for how in (reduction, "none"))
    got = loss(kind, given, target, pos_weight=pos_weight, **options)
    sizes = size(each) if kind == "bce" else np.maximum(size(wanted[0]), size(each))
    if kind != "bce" and positive:  # (pos_weight - 1) target + 1 rounds as 1 does
        sizes = np.maximum(sizes, size(F.logsigmoid(wanted[0])))
    assert_same(got, want, each, sizes if reduction == "none" else None, dtype, units=4 if weighted else 2)

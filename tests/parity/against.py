"""What the comparisons with PyTorch share: random operands, their scales, and what counts as the same."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere

DTYPES = ("float64", "float32")
REDUCTIONS = ("mean", "sum", "none")

FUNCTIONS = {
    "cross-entropy": F.cross_entropy,
    "soft": F.cross_entropy,
    "nll": F.nll_loss,
    "bce": F.binary_cross_entropy,
    "bce-with-logits": F.binary_cross_entropy_with_logits,
}
"""soft: cross-entropy with targets that are probabilities."""


def generator(*case):
    """Random numbers that are a case's own."""
    return np.random.default_rng(list(repr(case).encode()))


def tensor(array, dtype):
    return None if array is None else torch.from_numpy(np.asarray(array)).to(getattr(torch, dtype))


def softmax(logits, axis):
    shares = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return shares / shares.sum(axis=axis, keepdims=True)


def class_axis(shape):
    return 0 if len(shape) == 1 else 1


def targets(random, shape, ignored, ignore_index):
    """Class indices, of which none, the first or all are to be ignored."""
    axis = class_axis(shape)
    found = random.integers(0, shape[axis], size=shape[:axis] + shape[axis + 1 :])
    if ignored.startswith("all"):
        found = np.full_like(found, ignore_index)
    elif ignored.startswith("some"):
        found.flat[0] = ignore_index
    return found


def in_space(logits, space, axis):
    """Random logits as they are, as probabilities, as log-probabilities."""
    if space == "logits":
        return logits
    shares = softmax(logits, axis)
    return shares if space == "probs" else np.log(shares)


def in_logs(given, space, axis):
    """What a user of PyTorch makes of them before nll_loss and kl_div."""
    return {"logits": lambda: given.log_softmax(axis), "probs": given.log, "logprobs": lambda: given}[space]()


def with_pos_weight(given, target, weight, *, reduction, pos_weight):
    """What PyTorch's binary_cross_entropy would be if it had the pos_weight of the one with logits."""
    logs, rest = given.log().clamp(min=-100), (-given).log1p().clamp(min=-100)
    each = (target - 1) * rest - target * (logs * pos_weight)
    each = each if weight is None else each * weight
    return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[reduction]()


def size(values):
    """Absolute values, 0 for what is not finite."""
    return np.nan_to_num(np.abs(np.asarray(values, dtype=np.float64)), nan=0, posinf=0, neginf=0)


def call(kind, x, t, weight, axis, **options):
    """The loss of tensors: what it is with each reduction, and the scale of what is not reduced."""
    if kind == "kl-div":
        function, arguments, scale = F.kl_div, (x, t), scale_of_elements(t, t.log(), x, axis)
    else:
        function, arguments, scale = FUNCTIONS[kind], (x, t, weight), None
    found = {how: function(*arguments, reduction=how, **options) for how in REDUCTIONS}
    if kind == "bce-with-logits":
        scale = np.maximum(size(x), size(found["none"]))
    elif scale is None:
        log_q = x.log_softmax(axis) if FUNCTIONS[kind] is F.cross_entropy else x
        scale = scale_of_rows(found["none"], log_q, axis, of_logits=FUNCTIONS[kind] is F.cross_entropy)
    return found, scale


def scale_of_rows(each, log_q, axis, *, of_logits):
    """What the losses of rows may be off in proportion to: themselves, and where a log-softmax rounds, its largest."""
    return np.maximum(size(each), size(log_q).max(axis=axis)) if of_logits else size(each)


def scale_of_elements(target, log_target, log_q, axis):
    """The same of a divergence's elements, target (log target - log q): the larger of both terms."""
    return size(target) * np.maximum(size(log_target), size(log_q).max(axis=axis, keepdims=True))


def assert_same(got, want, each, scale, dtype, *, units=2):
    """float64 within 1e-12, float32 within 2 units in the last place; 3 of sums of products, each of which was rounded,
    and 4 of products, which may have come to where such units are half as large. Also 3 of targets that a softmax in
    float32 made: by so much PyTorch's own code for AVX2 differs from that for AVX-512 (ATEN_CPU_CAPABILITY chooses).

    Of the scale where every loss is told (scale: of each), else of the largest loss that PyTorch added up (None).
    Where PyTorch has nan or an infinity, so has klcli.
    """
    want, each = want.numpy(), each.numpy()
    assert got.shape == want.shape
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True)
    if scale is None:
        scale = np.maximum(size(want), size(each).max(initial=0))
    allowed = 1e-12 * scale if dtype == "float64" else units * np.spacing(scale.astype(np.float32))
    got, want, allowed = got[finite], want[finite], np.broadcast_to(allowed, want.shape)[finite]
    wrong = ~(np.abs(got - want) <= allowed)
    assert not wrong.any(), (got[wrong], want[wrong], allowed[wrong])

"""Every loss on hard operands against its definition in 50 digits, through the command line."""

import json

import mpmath as mp
import numpy as np
import pytest

BAR, LEAST = 1e-12, 2.0**-1074


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(50):
        yield


def exact(values):
    return [mp.mpf(float(x)) for x in values]


def log_softmax(row):
    row = exact(row)
    most = max(row)
    rest = mp.log(mp.fsum(mp.exp(x - most) for x in row))
    return [x - most - rest for x in row]


def log(x):
    return mp.log(x) if x else mp.mpf("-inf")


def divergence(target, log_q):
    """The terms, with 0 log 0 = 0."""
    return [t * (mp.log(t) - x) if t else mp.mpf(0) for t, x in zip(exact(target), log_q, strict=True)]


def likelihoods(target, log_q):
    return [-t * x for t, x in zip(exact(target), log_q, strict=True) if t]


@pytest.fixture
def found(call, tmp_path):
    """found(kind, input, target, *options): the numbers that are printed; large operands go through files."""

    def operand(name, array):
        if np.size(array) < 100:
            return json.dumps(np.asarray(array, dtype=None if np.ndim(array) == 1 else float).tolist())
        np.save(tmp_path / f"{name}.npy", np.asarray(array))
        return tmp_path / f"{name}.npy"

    def found(kind, given, target, *options):
        result = call("loss", kind, operand("input", given), operand("target", target), "-q", *options)
        assert (result.code, result.err) == (0, "")
        return [float(line) for line in result.out.splitlines()]

    return found


def assert_close(got, want, scale=None):
    """Within the bar of the exact value, or of the sum of the sizes of its terms where those cancel."""
    size = max(abs(want), mp.mpf(0) if scale is None else scale)
    assert abs(mp.mpf(got) - want) <= max(BAR * size, LEAST), (
        got,
        mp.nstr(want, 17),
        float(abs(mp.mpf(got) - want) / size),
    )


RANDOM = np.random.default_rng(0)
MANY = RANDOM.normal(size=10_000) * 3
LOGITS = {
    "ordinary": [2.0, 1.0, 0.1],
    "large": [1000.0, 998.5, -1000.0],
    "all large": [1000.0, 1000.0, 1000.25],
    "far below": [-1000.0, -1001.0, -999.5],
    "far apart": [1000.0, -1000.0, 0.0],
    "near-identical": [0.1, 0.1 + 1e-9, 0.1 - 1e-9],
    "the same": [0.5, 0.5, 0.5],
    "tiny": [1e-300, -1e-300, 0.0],
    "huge": [1e15, 1e15 - 1, 1e15 - 3],
    "ten thousand": MANY,
}


@pytest.mark.parametrize("name", LOGITS)
def test_cross_entropy_and_nll_of_logits(found, name):
    row = LOGITS[name]
    logs = log_softmax(row)
    for c in {0, 1, len(row) - 1}:
        # log(1 + rest): of a class that is nearly sure only 1e-16 of the 1 is left, as of PyTorch's.
        scale = mp.mpf(1) if -logs[c] < 1e-3 else None
        assert_close(*found("cross-entropy", [row], [c]), -logs[c], scale)
        assert_close(*found("nll", [row], [c], "--input-as", "logits"), -logs[c], scale)


@pytest.mark.parametrize("name", LOGITS)
def test_cross_entropy_of_distributions(found, name):
    row = LOGITS[name]
    logs = log_softmax(row)
    k = len(row)
    for target in (np.full(k, 1 / k), np.arange(k) == 1, np.arange(k) / (k * (k - 1) / 2)):
        terms = likelihoods(target, logs)
        assert_close(*found("cross-entropy", [row], [target]), mp.fsum(terms))


@pytest.mark.parametrize("name", LOGITS)
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_label_smoothing(found, name, share):
    row = LOGITS[name]
    logs = log_softmax(row)
    eps = mp.mpf(share)
    want = -(1 - eps) * logs[0] - eps * mp.fsum(logs) / len(row)
    assert_close(*found("cross-entropy", [row], [0], "--label-smoothing", repr(share)), want)


def test_class_that_is_all_but_sure_keeps_what_the_doubles_hold(found):
    (value,) = found("cross-entropy", [[40.0, 0.0]], [0])
    want = mp.log1p(mp.exp(-40))  # 4e-18, which vanishes beside the 1 in log(1 + e^-40)
    assert abs(value - want) <= mp.mpf(2) ** -53


PROBABILITIES = {
    "ordinary": ([0.7, 0.2, 0.1], [0.5, 0.3, 0.2]),
    "1e-300": ([1e-300, 0.5, 0.5], [0.25, 0.25, 0.5]),
    "subnormal": ([5e-324, 0.5, 0.5], [0.25, 0.25, 0.5]),
    "target of 1e-300": ([0.25, 0.25, 0.5], [1e-300, 0.5, 0.5]),
    "both tiny": ([1e-300, 1e-200, 1.0], [1e-200, 1e-300, 1.0]),
    "one-hot target": ([0.3, 0.3, 0.4], [0.0, 0.0, 1.0]),
    "near-identical": ([0.5, 0.25, 0.25], [0.5, 0.25 + 1e-9, 0.25 - 1e-9]),
    "the same": ([0.3, 0.3, 0.4], [0.3, 0.3, 0.4]),
    "ten thousand": (np.exp(MANY) / np.exp(MANY).sum(), np.full(10_000, 1e-4)),
}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_kl_div_of_probabilities(found, name, reduction):
    given, target = PROBABILITIES[name]
    terms = divergence(target, [log(x) for x in exact(given)])
    # PyTorch's terms are t log t - t log q: each is a difference of two such products, and that is what is rounded.
    scale = mp.fsum(t * (abs(log(t)) + abs(log(q))) for t, q in zip(exact(target), exact(given), strict=True) if t)
    divisor = len(given) if reduction == "mean" else 1
    (value,) = found("kl-div", [given], [target], "--input-as", "probs", "--reduction", reduction)
    assert_close(value, mp.fsum(terms) / divisor, scale / divisor)


@pytest.mark.parametrize("name", LOGITS)
def test_kl_div_of_logits(found, name):
    row = LOGITS[name]
    k = len(row)
    target, logs = np.arange(1, k + 1) / (k * (k + 1) / 2), log_softmax(row)
    want = mp.fsum(divergence(target, logs))
    scale = mp.fsum(t * (abs(mp.log(t)) + abs(x)) for t, x in zip(exact(target), logs, strict=True))
    assert_close(*found("kl-div", [row], [target], "--input-as", "logits", "--reduction", "sum"), want, scale)


def test_kl_div_of_log_targets(found):
    given, target = [-1000.0, -0.5, -1.0], [-0.7, -800.0, -0.7]
    want = mp.fsum(mp.exp(t) * (t - x) for t, x in zip(exact(target), exact(given), strict=True))
    assert_close(*found("kl-div", [given], [target], "--log-target", "--reduction", "sum"), want)


@pytest.mark.parametrize("q", [1e-300, 1e-16, 0.1, 0.5, 0.9, 1 - 2**-53, 2.0**-20])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
def test_bce(found, q, target):
    one, none = mp.log(mp.mpf(q)), mp.log1p(-mp.mpf(q))
    want = -(mp.mpf(target) * max(one, -100) + (1 - mp.mpf(target)) * max(none, -100))
    assert_close(*found("bce", [q], [target]), want)


@pytest.mark.parametrize("x", [40.0, 300.0, 700.0])
def test_bce_with_logits_of_what_is_all_but_sure_keeps_every_digit(found, x):
    assert_close(*found("bce-with-logits", [x], [1]), mp.log1p(mp.exp(-mp.mpf(x))))


@pytest.mark.parametrize("x", [1000.0, -1000.0, 40.0, -40.0, 0.0, 3.0, 1e-300, 1e-9, -745.0, 1e300])
@pytest.mark.parametrize("target", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("weight", [None, 2.5])
def test_bce_with_logits_and_a_weight_of_yes(found, x, target, weight):
    z, t, w = mp.mpf(x), mp.mpf(target), mp.mpf(weight or 1)
    yes, no = (mp.log1p(mp.exp(-abs(y))) + max(-y, mp.mpf(0)) for y in (z, -z))
    want = w * t * yes + (1 - t) * no
    # PyTorch has it as (1 - t) x - (1 + (w - 1) t) log sigmoid x, which cancels where x is far below 0.
    scale = abs((1 - t) * z) + (1 + (w - 1) * t) * yes
    options = [] if weight is None else ["--pos-weight", weight]
    assert_close(*found("bce-with-logits", [x], [target], *options), want, scale)


def test_weights_of_1e300_and_1e_300(found):
    logs = [log_softmax(row) for row in ([2.0, 1.0], [0.5, 3.0])]
    big, small = mp.mpf(1e300), mp.mpf(1e-300)
    want = (-logs[0][0] * big - logs[1][1] * small) / (big + small)
    assert_close(*found("cross-entropy", [[2.0, 1.0], [0.5, 3.0]], [0, 1], "--weight", "1e300,1e-300"), want)


def in_order_of_pytorch(values, ignored):
    """The sum of float32 as nll_loss_out_frame in PyTorch's ATen/native/LossNLL.cpp adds it up."""
    sums = [np.float32(0)] * 8
    for row, value in enumerate(values):
        if ignored[row]:
            continue
        sums[0] += value
        for level in range(7):
            if row & 15 << 4 * level:
                break
            sums[level + 1] += sums[level]
            sums[level] = np.float32(0)
    return sum(sums, start=np.float32(0))


@pytest.mark.parametrize("weight", [None, [0.3, 2.7, 1.1]])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_in_single_precision_are_added_up_in_the_order_of_pytorch(call, tmp_path, weight, reduction):
    rows = RANDOM.normal(size=(5000, 3)).astype(np.float32)
    classes = RANDOM.integers(-1, 3, size=len(rows))
    np.save(tmp_path / "x.npy", rows)
    np.save(tmp_path / "y.npy", classes)
    ignored, w = classes < 0, np.ones(3, dtype=np.float32) if weight is None else np.float32(weight)
    whole = in_order_of_pytorch(-rows[np.arange(len(rows)), classes] * w[classes], ignored)
    want = whole / (in_order_of_pytorch(w[classes], ignored) if reduction == "mean" else np.float32(1))
    options = ["--ignore-index", "-1", *(() if weight is None else ("--weight", json.dumps(weight)))]
    args = ["x.npy", "y.npy", "--dtype", "float32", "--reduction", reduction, *options, "-q"]
    assert float(call("loss", "nll", *args, cwd=tmp_path).out) == want


def test_mean_of_many_rows(found):
    rows = RANDOM.normal(size=(2000, 3)) * 10
    classes = RANDOM.integers(0, 3, size=2000)
    want = mp.fsum(-log_softmax(row)[c] for row, c in zip(rows, classes, strict=True)) / 2000
    assert_close(*found("cross-entropy", rows, classes), want)

"""Every loss, with whatever operands and settings Hypothesis thinks of, as its definition has it; and a few laws."""

import itertools
import json
from math import fsum, isclose

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

laws = settings(max_examples=15)

logit = st.floats(min_value=-30, max_value=30)
share = st.floats(min_value=1e-3, max_value=1)
FIELDS = ("value", "rows", "log_probabilities", "entropy", "kl_divergence", "cross_entropy")


def alike(some, others, rel=1e-13, absolute=1e-14):
    pairs = zip(some, others, strict=True)
    return all(isclose(a, b, rel_tol=rel, abs_tol=absolute) for a, b in pairs)


def log_softmax(rows, axis=-1):
    shifted = rows - rows.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def entropies(rows):
    """Of each row, with 0 log 0 = 0."""
    return -np.where(rows > 0, rows * np.log(np.where(rows > 0, rows, 1)), 0).sum(axis=-1)


def flat(nested):
    return np.ravel(np.array(nested, dtype=float)).tolist()


@pytest.fixture(scope="module")
def loss(call):
    """loss(kind, input, target, *options): the numbers that are printed; the run must succeed."""

    def loss(kind, given, target, *options):
        result = call("loss", kind, json.dumps(given), json.dumps(target), "-q", *map(str, options))
        assert (result.code, result.err) == (0, "")
        return [float(line) for line in result.out.splitlines()]

    return loss


@pytest.fixture(scope="module")
def document(call):
    """document(kind, input, target, *options): the JSON."""

    def document(kind, given, target, *options):
        result = call("loss", kind, json.dumps(given), json.dumps(target), "-q", "-f", "json", *map(str, options))
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out, parse_constant=pytest.fail)

    return document


def matrices(draw, element, n, k):
    return np.array([draw(st.lists(element, min_size=k, max_size=k)) for _ in range(n)])


@st.composite
def batches(draw, element=logit):
    """Rows of logits; for each a class, and a distribution."""
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    shares = matrices(draw, share, n, k)
    classes = [draw(st.integers(0, k - 1)) for _ in range(n)]
    return matrices(draw, element, n, k), classes, shares / shares.sum(axis=1, keepdims=True)


def check_parts(found, soft, per_row):
    """What JSON says of the target's entropy and of the divergence of INPUT from it."""
    parts = found["identity"]
    assert alike([parts["entropy"] + parts["kl_divergence"]], [parts["cross_entropy"]], rel=1e-15)
    assert alike([parts["entropy"]], [entropies(soft).mean()])
    assert alike([parts["cross_entropy"]], [np.mean(per_row)])


@settings(max_examples=60)
@given(batches(), st.sampled_from(["mean", "sum", "none"]), st.sampled_from([0, 0.1, 0.75, 1]), st.data())
def test_cross_entropy_and_nll_of_classes(loss, document, batch, reduction, smoothing, data):
    rows, classes, _ = batch
    k = rows.shape[1]
    weight = data.draw(st.sampled_from([None, [1.0] * k, [(j + 1) / 4 for j in range(k)]]))
    ignored = data.draw(st.sampled_from([-100, k + 3, *classes]))
    counts = np.array([c != ignored for c in classes])
    w = np.ones(k) if weight is None else np.array(weight)
    logs = log_softmax(rows)
    hot = np.eye(k)[classes]
    per_row = -((hot * (1 - smoothing) + smoothing / k) * w * logs).sum(axis=1) * counts
    divisor = (w[classes] * counts).sum() if reduction == "mean" else 1
    want = per_row if reduction == "none" else [per_row.sum() / divisor] if divisor else [np.nan]
    options = ["--reduction", reduction, "--label-smoothing", smoothing]
    options += [] if weight is None else ["--weight", json.dumps(weight)]
    options += [] if ignored == -100 else ["--ignore-index", ignored]
    got = loss("cross-entropy", rows.tolist(), classes, *options)
    assert np.allclose(got, want, rtol=1e-13, atol=1e-14, equal_nan=True)
    if not smoothing:
        rest = [*options[:2], *options[4:]]
        for x, more in ((rows, ["--input-as", "logits"]), (logs, [])):
            assert np.allclose(loss("nll", x.tolist(), classes, *rest, *more), want, 1e-13, 1e-14, equal_nan=True)
    found = document("cross-entropy", rows.tolist(), classes, *options)
    assert alike(found["rows"], per_row)
    assert alike(flat(found["log_probabilities"]), flat(logs))
    assert (found["identity"] is None) == (weight is not None or not counts.any())
    if found["identity"]:
        check_parts(found, (hot * (1 - smoothing) + smoothing / k)[counts], per_row[counts])


@settings(max_examples=40)
@given(batches(), st.sampled_from(["mean", "sum", "none"]), st.sampled_from([0, 0.3]))
def test_cross_entropy_of_distributions(loss, document, batch, reduction, smoothing):
    rows, classes, soft = batch
    k = rows.shape[1]
    for target in (soft, np.eye(k)[classes]):
        mixed = (1 - smoothing) * target + smoothing / k
        per_row = -(mixed * log_softmax(rows)).sum(axis=1)
        want = {"mean": [per_row.mean()], "sum": [per_row.sum()], "none": per_row}[reduction]
        options = ["--reduction", reduction, "--label-smoothing", smoothing]
        found = document("cross-entropy", rows.tolist(), target.tolist(), *options)
        assert alike(flat(found["value"]), want)
        assert alike(found["rows"], per_row)
        check_parts(found, mixed, per_row)
        named = itertools.chain(*(("-g", field) for field in FIELDS))
        said = [flat(found[f] if f in found else found["identity"][f]) for f in FIELDS]
        assert loss("cross-entropy", rows.tolist(), target.tolist(), *options, *named) == list(itertools.chain(*said))


@settings(max_examples=40)
@given(batches(), st.sampled_from(["mean", "batchmean", "sum", "none"]))
def test_kl_div(loss, document, batch, reduction):
    rows, _, soft = batch
    logs = log_softmax(rows)
    terms = soft * (np.log(soft) - logs)
    size = np.abs(terms).sum()
    want = {"mean": terms.mean(), "batchmean": terms.sum() / len(rows), "sum": terms.sum(), "none": terms}[reduction]
    forms = {"logits": rows, "logprobs": logs, "probs": np.exp(logs)}
    for form, array in forms.items():
        found = document("kl-div", array.tolist(), soft.tolist(), "--input-as", form, "--reduction", reduction)
        assert alike(flat(found["value"]), flat(want), 1e-12, 1e-14 * max(1, size))
        assert alike(found["rows"], terms.sum(axis=1), 1e-12, 1e-14 * max(1, size))
        check_parts(found, soft, found["rows"] + entropies(soft))
    same = loss("kl-div", np.exp(logs).tolist(), np.exp(logs).tolist(), "--input-as", "probs", "--reduction", reduction)
    assert max(map(abs, same)) <= 1e-14


@settings(max_examples=40)
@given(batches(), st.sampled_from(["mean", "sum", "none"]), st.sampled_from([None, "1,1", "2,0.5"]))
def test_losses_of_yes_and_no(loss, document, batch, reduction, weights):
    rows, classes, soft = (np.array(part) for part in batch)
    rows, targets = rows[:, :2], np.where(classes[:, None] % 2, np.round(soft[:, :2]), soft[:, :2])
    # Sigmoids that round to 1 are clamped by bce, which bce-with-logits need not do.
    z = np.clip(rows, -15, 15)
    yes, no = (-np.log1p(np.exp(-x)) for x in (z, -z))
    w, positive = (np.array(list(map(float, (weights or "1").split(",")))) for _ in range(2))
    each = -w * (positive * targets * yes + (1 - targets) * no)
    want = {"mean": [each.mean()], "sum": [each.sum()], "none": each}[reduction]
    options = ["--reduction", reduction, *(["--weight", weights, "--pos-weight", weights] if weights else [])]
    assert alike(loss("bce-with-logits", z.tolist(), targets.tolist(), *options), flat(want))
    # 1 - q of a q rounded near 1 has no more digits.
    assert alike(loss("bce", (1 / (1 + np.exp(-z))).tolist(), targets.tolist(), *options), flat(want), 1e-9)
    logs = document("bce-with-logits", z.tolist(), targets.tolist(), *options)["log_probabilities"]
    assert alike(flat(logs), flat(yes))


@laws
@given(batches())
def test_kl_div_is_the_mean_of_what_klcli_kl_says_of_each_row(loss, kl, batch):
    given, targets = np.exp(log_softmax(batch[0])).tolist(), batch[2].tolist()
    value = loss("kl-div", given, targets, "--input-as", "probs", "--reduction", "batchmean")
    rows = [kl(json.dumps(p), json.dumps(q), "-q") for p, q in zip(targets, given, strict=True)]
    # Neither side of a row sums to 1 exactly, and this loss takes both as they are.
    assert alike(value, [fsum(rows) / len(rows)], rel=1e-12, absolute=1e-15)


@laws
@given(st.tuples(st.integers(1, 3), st.integers(2, 3), st.integers(1, 3)), st.integers(0, 2), st.integers(0, 99))
def test_classes_on_another_axis_are_a_transposed_input(loss, document, shape, dim, seed):
    random = np.random.default_rng(seed)
    given, target = random.normal(size=(2, *shape))
    classes = random.integers(0, shape[dim], size=tuple(s for i, s in enumerate(shape) if i != dim))
    for axis in (dim, dim - 3):
        moved = document("cross-entropy", given.tolist(), classes.tolist(), "--dim", axis)
        assert moved["settings"]["dim"] == dim
        want = document("cross-entropy", np.moveaxis(given, dim, 1).tolist(), classes.tolist())
        assert (moved["value"], moved["rows"]) == (want["value"], want["rows"])
        logs = np.moveaxis(np.array(want["log_probabilities"]), 1, dim)
        assert moved["log_probabilities"] == logs.tolist()
    flat_one = np.moveaxis(given, dim, -1).reshape(-1, shape[dim]).tolist(), classes.reshape(-1).tolist()
    assert alike(loss("cross-entropy", *flat_one, "--reduction", "none"), flat(want["rows"]))
    how = ["--input-as", "logits", "--target-as", "logits", "--reduction", "sum"]
    got = loss("kl-div", given.tolist(), target.tolist(), *how, "--dim", dim)
    assert alike(got, loss("kl-div", *(np.moveaxis(x, dim, -1).tolist() for x in (given, target)), *how))


@laws
@given(batches(), st.data())
def test_ignored_rows_might_as_well_not_be_there(loss, batch, data):
    rows, classes, _ = batch
    others = matrices(data.draw, logit, data.draw(st.integers(1, 3)), rows.shape[1])
    at = data.draw(st.integers(0, len(rows)))
    more = (
        np.insert(rows, [at] * len(others), others, axis=0).tolist(),
        classes[:at] + [-1] * len(others) + classes[at:],
    )
    for reduction in ("mean", "sum"):
        got = loss("cross-entropy", *more, "--ignore-index", "-1", "--reduction", reduction)
        assert alike(got, loss("cross-entropy", rows.tolist(), classes, "--reduction", reduction))


@laws
@given(batches(st.integers(-40, 40).map(lambda i: i / 8)), st.sampled_from(["mean", "sum", "none"]))
def test_single_precision_is_within_four_units_of_the_last_place(loss, batch, reduction):
    rows, classes, _ = batch
    # A log-probability is a difference of numbers as large as the range of the logits.
    span = max(np.ptp(rows), *loss("cross-entropy", rows.tolist(), classes, "--reduction", "none"))
    cases = [("cross-entropy", rows, classes, span), ("bce-with-logits", rows, np.eye(6)[classes, : rows.shape[1]], 5)]
    for kind, logits, target, largest in cases:
        how = [kind, logits.tolist(), np.array(target).tolist(), "--reduction", reduction, "--dtype"]
        for one, other in zip(loss(*how, "float32"), loss(*how, "float64"), strict=True):
            assert one == float(np.float32(one))
            assert abs(one - other) <= 4 * np.spacing(np.float32(max(abs(other), largest)))


@laws
@given(batches(), st.sampled_from([0.5, 1, 2.5]), st.sampled_from(["mean", "sum", "none"]))
def test_limits_of_the_losses_that_pytorch_has_not(loss, batch, temperature, reduction):
    rows, classes, soft = batch[0].tolist(), batch[1], batch[2].tolist()
    how = ["--reduction", reduction]
    want = loss("cross-entropy", rows, classes, *how)
    assert alike(loss("focal", rows, classes, "--gamma", 0, *how), want)
    assert all(x <= y for x, y in zip(loss("focal", rows, classes, *how), want, strict=True))
    cooled = (batch[0] / temperature).tolist()
    assert loss("cross-entropy", rows, classes, "--temperature", temperature, *how) == loss(
        "cross-entropy", cooled, classes, *how
    )
    one = loss("js", rows, soft, "--input-as", "logits", *how)
    shares = np.exp(log_softmax(batch[0])).tolist()
    other = loss("js", soft, shares, "--input-as", "probs", *how)
    assert alike(one, other, rel=1e-12)
    assert all(0 <= x <= len(rows) * np.log(2) * (1 + 1e-15) for x in one)
    assert alike(loss("js", shares, shares, "--input-as", "probs", *how), np.zeros(len(one)))
    logs = np.log(batch[2]).tolist()
    (first,), (second,) = loss("kl-samples", logs, logs, "-g", "k1"), loss("kl-samples", logs, logs)
    assert (first, second) == (0, 0)

"""Laws of the losses, for whatever operands Hypothesis thinks of."""

import itertools
import json
from math import exp, fsum, isclose, log, prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

laws = settings(max_examples=15, deadline=None, derandomize=True)

logit = st.floats(min_value=-30, max_value=30)
share = st.floats(min_value=1e-3, max_value=1)


def close(one, other, rel=1e-13, absolute=1e-14):
    return isclose(one, other, rel_tol=rel, abs_tol=absolute)


def alike(some, others, **how):
    return len(some) == len(others) and all(close(a, b, **how) for a, b in zip(some, others, strict=True))


def text(array):
    return json.dumps(array)


def normalised(row):
    whole = fsum(row)
    return [x / whole for x in row]


def log_softmax(row):
    most = max(row)
    rest = log(fsum(exp(x - most) for x in row))
    return [x - most - rest for x in row]


def flat(nested):
    return [x for part in nested for x in flat(part)] if isinstance(nested, list) else [nested]


def numbers(nested):
    """A list of JSON as floats, its infinities and NaN too."""
    return [float(x) for x in flat(nested)]


@pytest.fixture(scope="module")
def loss(call):
    """loss(kind, input, target, *options): the numbers that are printed; the run must succeed."""

    def loss(kind, given, target, *options):
        result = call("loss", kind, text(given), text(target), "-q", *options)
        assert (result.code, result.err) == (0, "")
        return [float(line) for line in result.out.splitlines()]

    return loss


@pytest.fixture(scope="module")
def document(call):
    """document(kind, input, target, *options): the JSON."""

    def document(kind, given, target, *options):
        result = call("loss", kind, text(given), text(target), "-q", "-f", "json", *options)
        assert (result.code, result.err) == (0, "")
        return json.loads(result.out, parse_constant=pytest.fail)

    return document


@st.composite
def batches(draw, element=logit):
    """Rows of logits, and a class for each."""
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    rows = [draw(st.lists(element, min_size=k, max_size=k)) for _ in range(n)]
    return rows, [draw(st.integers(0, k - 1)) for _ in range(n)]


@st.composite
def soft_batches(draw):
    """Rows of logits, and a distribution for each."""
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    rows = [draw(st.lists(logit, min_size=k, max_size=k)) for _ in range(n)]
    return rows, [normalised(draw(st.lists(share, min_size=k, max_size=k))) for _ in range(n)]


@st.composite
def elements(draw, element):
    """Predictions of yes and no, and what they should have been, in (n, 2)."""
    n = draw(st.integers(1, 5))
    rows = [draw(st.lists(element, min_size=2, max_size=2)) for _ in range(n)]
    return rows, [[draw(st.sampled_from([0.0, 0.25, 0.7, 1.0])) for _ in range(2)] for _ in range(n)]


def one_hot(classes, k):
    return [[float(j == c) for j in range(k)] for c in classes]


# ------------------------------------------------------------------------------------------- one loss by way of another


@laws
@given(batches())
def test_cross_entropy_is_nll_of_the_log_softmax(loss, batch):
    rows, classes = batch
    value = loss("cross-entropy", rows, classes)
    assert alike(loss("nll", [log_softmax(row) for row in rows], classes), value)
    assert alike(loss("nll", rows, classes, "--input-as", "logits"), value, rel=1e-15, absolute=0)


@laws
@given(batches())
def test_one_hot_targets_are_class_indices(loss, batch):
    rows, classes = batch
    soft = loss("cross-entropy", rows, one_hot(classes, len(rows[0])), "--reduction", "none")
    assert alike(soft, loss("cross-entropy", rows, classes, "--reduction", "none"), rel=1e-15, absolute=0)


@laws
@given(batches())
def test_cross_entropy_of_classes_is_the_divergence_from_their_one_hot_rows(loss, batch):
    rows, classes = batch
    hot = one_hot(classes, len(rows[0]))
    divergence = loss("kl-div", rows, hot, "--input-as", "logits", "--reduction", "batchmean")
    assert alike(divergence, loss("cross-entropy", rows, classes))


@laws
@given(soft_batches())
def test_cross_entropy_is_entropy_plus_divergence(document, batch):
    found = document("cross-entropy", *batch)
    parts = found["identity"]
    assert close(parts["entropy"] + parts["kl_divergence"], parts["cross_entropy"], rel=1e-15)
    assert close(parts["cross_entropy"], found["value"])
    assert parts["entropy"] >= 0
    assert close(parts["entropy"], fsum(-x * log(x) for row in batch[1] for x in row) / len(batch[1]))


@laws
@given(soft_batches())
def test_kl_div_is_the_mean_of_what_klcli_kl_says_of_each_row(loss, kl, batch):
    given, targets = [[exp(x) for x in log_softmax(row)] for row in batch[0]], batch[1]
    value = loss("kl-div", given, targets, "--input-as", "probs", "--reduction", "batchmean")
    rows = [kl(text(p), text(q), "-q") for p, q in zip(targets, given, strict=True)]
    # Neither side of a row sums to 1 exactly, and this loss takes both as they are.
    assert close(value[0], fsum(rows) / len(rows), rel=1e-12, absolute=1e-15)


@laws
@given(soft_batches(), st.sampled_from(["sum", "mean", "batchmean"]))
def test_kl_div_of_distributions_is_not_negative(loss, batch, reduction):
    rows, targets = batch
    assert loss("kl-div", rows, targets, "--input-as", "logits", "--reduction", reduction)[0] >= -1e-14
    same = [normalised([exp(x) for x in log_softmax(row)]) for row in rows]
    assert abs(loss("kl-div", same, same, "--input-as", "probs", "--reduction", reduction)[0]) <= 1e-14


@laws
@given(elements(st.floats(min_value=-15, max_value=15)))
def test_bce_of_the_sigmoid_is_bce_with_logits(loss, batch):
    rows, targets = batch
    given = [[1 / (1 + exp(-x)) for x in row] for row in rows]
    got, want = (loss(kind, x, targets) for kind, x in (("bce", given), ("bce-with-logits", rows)))
    assert alike(got, want, rel=1e-9)  # 1 - q of a q rounded near 1 has no more digits


@laws
@given(elements(logit))
def test_bce_with_logits_is_the_cross_entropy_of_two_classes(loss, batch):
    rows, targets = batch
    two = [[x, 0.0] for row in rows for x in row]
    both = [[t, 1 - t] for row in targets for t in row]
    got = loss("bce-with-logits", rows, targets, "--reduction", "none")
    assert alike(got, loss("cross-entropy", two, both, "--reduction", "none"))


# ----------------------------------------------------------------------------------------------------------- reductions

SETTINGS = {
    "cross-entropy": ["cross-entropy"],
    "smoothed": ["cross-entropy", "--label-smoothing", "0.1"],
    "nll": ["nll", "--input-as", "logits"],
}


@laws
@given(batches(), st.sampled_from(sorted(SETTINGS)))
def test_sum_is_the_mean_times_the_count_and_the_sum_of_what_is_not_reduced(loss, batch, name):
    kind, *options = SETTINGS[name]
    mean, whole, each = (loss(kind, *batch, *options, "--reduction", how) for how in ("mean", "sum", "none"))
    assert close(mean[0] * len(batch[1]), whole[0])
    assert len(each) == len(batch[1])
    assert close(fsum(each), whole[0])


@laws
@given(soft_batches())
def test_reductions_of_kl_div_differ_by_their_divisors(loss, batch):
    found = {
        how: loss("kl-div", *batch, "--input-as", "logits", "--reduction", how)
        for how in ("mean", "batchmean", "sum", "none")
    }
    n, k = len(batch[0]), len(batch[0][0])
    assert len(found["none"]) == n * k
    size = fsum(map(abs, found["none"]))
    assert close(fsum(found["none"]), found["sum"][0], absolute=1e-15 * size)
    assert close(found["mean"][0] * n * k, found["sum"][0])
    assert close(found["batchmean"][0] * n, found["sum"][0])


@laws
@given(elements(logit), st.sampled_from(["bce", "bce-with-logits"]))
def test_reductions_of_binary_losses_count_the_elements(loss, batch, kind):
    rows, targets = batch
    given = [[1 / (1 + exp(-x)) for x in row] for row in rows] if kind == "bce" else rows
    mean, whole, each = (loss(kind, given, targets, "--reduction", how) for how in ("mean", "sum", "none"))
    assert close(mean[0] * len(each), whole[0])
    assert close(fsum(each), whole[0])


# --------------------------------------------------------------------------------------------- what must change nothing


@laws
@given(batches(), st.floats(min_value=-100, max_value=100))
def test_constant_added_to_the_logits_changes_nothing(loss, batch, shift):
    rows, classes = batch
    shifted = [[x + shift for x in row] for row in rows]
    assert alike(loss("cross-entropy", shifted, classes), loss("cross-entropy", rows, classes), absolute=1e-13)


@laws
@given(batches(), st.randoms(use_true_random=False))
def test_order_of_the_classes_changes_nothing(loss, batch, random):
    rows, classes = batch
    k = len(rows[0])
    weight = [(j + 1) / k for j in range(k)]
    order = random.sample(range(k), k)
    moved = [[row[j] for j in order] for row in rows], [order.index(c) for c in classes]
    before = loss("cross-entropy", *batch, "--weight", text(weight), "--label-smoothing", "0.2")
    after = loss("cross-entropy", *moved, "--weight", text([weight[j] for j in order]), "--label-smoothing", "0.2")
    assert alike(after, before)


@laws
@given(batches(), st.sampled_from(["mean", "sum", "none"]), st.sampled_from(sorted(SETTINGS)))
def test_weights_of_one_change_nothing(loss, batch, reduction, name):
    kind, *options = SETTINGS[name]
    plain = loss(kind, *batch, *options, "--reduction", reduction)
    ones = text([1.0] * len(batch[0][0]))
    assert alike(loss(kind, *batch, *options, "--reduction", reduction, "--weight", ones), plain, rel=1e-15)


@laws
@given(elements(logit), st.sampled_from(["--weight", "--pos-weight"]))
def test_weights_of_one_change_nothing_of_binary_losses(loss, batch, option):
    rows, targets = batch
    given = [[1 / (1 + exp(-x)) for x in row] for row in rows]
    for kind, predictions in (("bce", given), ("bce-with-logits", rows)):
        plain = loss(kind, predictions, targets)
        for ones in ("1", "1,1"):
            assert loss(kind, predictions, targets, option, ones) == plain


@laws
@given(batches(), st.floats(min_value=0.125, max_value=8))
def test_mean_does_not_change_when_all_weights_are_scaled(loss, batch, factor):
    weight = [(j + 1) / 4 for j in range(len(batch[0][0]))]
    scaled = [w * factor for w in weight]
    assert alike(loss("nll", *batch, "--weight", text(scaled)), loss("nll", *batch, "--weight", text(weight)))


@laws
@given(batches(), st.data(), st.sampled_from(sorted(SETTINGS)), st.sampled_from(["mean", "sum"]))
def test_ignored_rows_might_as_well_not_be_there(loss, batch, data, name, reduction):
    kind, *options = SETTINGS[name]
    rows, classes = batch
    k = len(rows[0])
    others = data.draw(st.lists(st.lists(logit, min_size=k, max_size=k), min_size=1, max_size=3))
    at = data.draw(st.integers(0, len(rows)))
    ignored = data.draw(st.sampled_from([-100, -1, k + 3]))
    more = rows[:at] + others + rows[at:], classes[:at] + [ignored] * len(others) + classes[at:]
    options += ["--reduction", reduction]
    marked = [] if ignored == -100 else ["--ignore-index", str(ignored)]
    assert alike(loss(kind, *more, *options, *marked), loss(kind, rows, classes, *options))


@laws
@given(batches(), st.data())
def test_class_that_is_ignored_might_as_well_not_be_there(loss, batch, data):
    rows, classes = batch
    ignored = data.draw(st.sampled_from(classes))
    kept = [(row, c) for row, c in zip(rows, classes, strict=True) if c != ignored]
    got = loss("cross-entropy", rows, classes, "--ignore-index", str(ignored), "--reduction", "sum")
    want = loss("cross-entropy", *map(list, zip(*kept, strict=True)), "--reduction", "sum") if kept else [0.0]
    assert alike(got, want)


@laws
@given(st.tuples(st.integers(1, 3), st.integers(2, 3), st.integers(1, 3)), st.integers(0, 2), st.integers(0, 99))
def test_classes_on_another_axis_are_a_transposed_input(loss, document, shape, dim, seed):
    random = np.random.default_rng(seed)
    given = random.normal(size=shape)
    rows = prod(shape) // shape[dim]
    classes = random.integers(0, shape[dim], size=tuple(s for i, s in enumerate(shape) if i != dim))
    for axis in (dim, dim - 3):
        moved = document("cross-entropy", given.tolist(), classes.tolist(), "--dim", str(axis))
        assert moved["settings"]["dim"] == dim
        want = document("cross-entropy", np.moveaxis(given, dim, 1).tolist(), classes.tolist())
        assert (moved["value"], moved["rows"]) == (want["value"], want["rows"])
        logs = np.moveaxis(np.array(want["log_probabilities"]), 1, dim)
        assert moved["log_probabilities"] == logs.tolist()
    flat_one = np.moveaxis(given, dim, -1).reshape(rows, -1).tolist(), classes.reshape(-1).tolist()
    assert alike(loss("cross-entropy", *flat_one, "--reduction", "none"), flat(want["rows"]))


@laws
@given(st.tuples(st.integers(1, 3), st.integers(2, 3), st.integers(1, 3)), st.integers(0, 2), st.integers(0, 99))
def test_kl_div_by_another_axis_is_that_of_transposed_operands(loss, shape, dim, seed):
    given, target = np.random.default_rng(seed).normal(size=(2, *shape))
    how = ["--input-as", "logits", "--target-as", "logits", "--reduction", "sum"]
    got = loss("kl-div", given.tolist(), target.tolist(), *how, "--dim", str(dim))
    assert alike(got, loss("kl-div", *(np.moveaxis(x, dim, -1).tolist() for x in (given, target)), *how))


# ------------------------------------------------------------------------------------------------------ label smoothing


@laws
@given(batches(), st.floats(min_value=0, max_value=1))
def test_label_smoothing_lies_between_the_targets_and_the_uniform_distribution(loss, batch, share):
    rows, classes = batch
    k = len(rows[0])
    (hard,) = loss("cross-entropy", rows, classes)
    (uniform,) = loss("cross-entropy", rows, [[1 / k] * k] * len(rows))
    (mixed,) = loss("cross-entropy", rows, classes, "--label-smoothing", repr(share))
    assert close(mixed, (1 - share) * hard + share * uniform)
    (of_soft,) = loss("cross-entropy", rows, one_hot(classes, k), "--label-smoothing", repr(share))
    assert close(of_soft, mixed)


@laws
@given(soft_batches())
def test_label_smoothing_of_soft_targets_is_that_of_mixed_targets(loss, batch):
    rows, targets = batch
    k = len(rows[0])
    mixed = [[0.7 * x + 0.3 / k for x in row] for row in targets]
    assert alike(loss("cross-entropy", rows, targets, "--label-smoothing", "0.3"), loss("cross-entropy", rows, mixed))


# ----------------------------------------------------------------------------------------------------- single precision


@laws
@given(batches(st.integers(-40, 40).map(lambda i: i / 8)), st.sampled_from(["mean", "sum", "none"]))
def test_single_precision_is_within_four_units_of_the_last_place(loss, batch, reduction):
    got, want = (loss("cross-entropy", *batch, "--reduction", reduction, "--dtype", d) for d in ("float32", "float64"))
    largest = max(loss("cross-entropy", *batch, "--reduction", "none"))
    for one, other in zip(got, want, strict=True):
        assert one == float(np.float32(one))
        # A log-probability is a difference of numbers as large as the range of the logits.
        assert abs(one - other) <= 4 * np.spacing(np.float32(max(abs(other), largest, np.ptp(batch[0]))))


@laws
@given(elements(st.integers(-40, 40).map(lambda i: i / 8)), st.sampled_from(["mean", "sum", "none"]))
def test_single_precision_of_binary_losses_is_within_four_units(loss, batch, reduction):
    rows, targets = batch
    targets = [[float(t >= 0.5) for t in row] for row in targets]
    got, want = (
        loss("bce-with-logits", rows, targets, "--reduction", reduction, "--dtype", d) for d in ("float32", "float64")
    )
    largest = max(abs(x) for row in rows for x in row)
    for one, other in zip(got, want, strict=True):
        assert abs(one - other) <= 4 * np.spacing(np.float32(max(abs(other), largest)))


# ------------------------------------------------------------------------------------------------------ what JSON holds


@laws
@given(batches(), st.sampled_from(sorted(SETTINGS)))
def test_rows_of_the_json_average_to_the_value(document, batch, name):
    kind, *options = SETTINGS[name]
    found = document(kind, *batch, *options)
    assert close(fsum(found["rows"]) / len(found["rows"]), found["value"])
    assert close(found["identity"]["cross_entropy"], found["value"])


@laws
@given(batches(), st.sampled_from(["mean", "sum"]))
def test_weighted_rows_add_up_to_the_value_times_the_weights(document, batch, reduction):
    weight = [(j + 1) / 4 for j in range(len(batch[0][0]))]
    found = document("nll", *batch, "--weight", text(weight), "--reduction", reduction)
    divisor = fsum(weight[c] for c in batch[1]) if reduction == "mean" else 1
    assert close(fsum(found["rows"]), found["value"] * divisor)
    assert found["identity"] is None


@laws
@given(soft_batches(), st.sampled_from(["mean", "sum", "batchmean", "none"]))
def test_parts_of_a_kl_div_are_the_means_of_the_rows_whatever_the_reduction(document, batch, reduction):
    found = document("kl-div", *batch, "--input-as", "logits", "--reduction", reduction)
    n, k = len(batch[0]), len(batch[0][0])
    parts = found["identity"]
    assert close(fsum(found["rows"]) / n, parts["kl_divergence"])
    assert close(-fsum(x * log(x) for row in batch[1] for x in row) / n, parts["entropy"])
    assert close(parts["entropy"] + parts["kl_divergence"], parts["cross_entropy"], rel=1e-15)
    if reduction == "none":
        assert alike([fsum(row) for row in found["value"]], found["rows"])
    else:
        divisor = {"sum": 1, "batchmean": n, "mean": n * k}[reduction]
        assert close(parts["kl_divergence"] * n, found["value"] * divisor)


@laws
@given(soft_batches(), st.sampled_from(["cross-entropy", "kl-div"]))
def test_log_probabilities_exponentiate_to_one(document, batch, kind):
    found = document(kind, *batch, *(["--input-as", "logits"] if kind == "kl-div" else []))
    for row in found["log_probabilities"]:
        assert close(fsum(map(exp, row)), 1, rel=1e-14)
        assert max(row) <= 0
    losses = [
        -fsum(t * x for t, x in zip(*pair, strict=True))
        for pair in zip(batch[1], found["log_probabilities"], strict=True)
    ]
    entropies = [fsum(t * log(t) for t in row) if kind == "kl-div" else 0 for row in batch[1]]
    assert alike([a + b for a, b in zip(losses, entropies, strict=True)], found["rows"])


@laws
@given(elements(logit))
def test_log_probability_of_a_logit_is_that_of_yes(document, batch):
    rows, targets = batch
    yes = document("bce-with-logits", rows, targets)["log_probabilities"]
    no = document("bce-with-logits", [[-x for x in row] for row in rows], targets)["log_probabilities"]
    for one, other in zip(numbers(yes), numbers(no), strict=True):
        assert close(exp(one) + exp(other), 1, rel=1e-14)


FIELDS = ("value", "rows", "log_probabilities", "entropy", "kl_divergence", "cross_entropy")


@laws
@given(soft_batches(), st.sampled_from(["mean", "none"]))
def test_fields_are_those_of_the_json(loss, document, batch, reduction):
    found = document("cross-entropy", *batch, "--reduction", reduction)
    wanted = [numbers(found[f] if f in found else found["identity"][f]) for f in FIELDS]
    got = loss("cross-entropy", *batch, "--reduction", reduction, *itertools.chain(*(("-g", f) for f in FIELDS)))
    assert got == list(itertools.chain(*wanted))

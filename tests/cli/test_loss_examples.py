"""The worked examples of losses with published values, through the command line."""

import json
from math import log

import pytest

from .test_examples import EXAMPLES, agrees

INDICES, ONE_HOT, PROBABILITIES, PAIR = (
    EXAMPLES[name] for name in ("ce-indices", "ce-equals-kl-one-hot", "probabilities-are-not-logits", "softmax-pair")
)
QUIET = "-q"


def text(array):
    return json.dumps(array)


@pytest.fixture
def loss(call):
    """loss(*args): the numbers that `klcli loss` prints; the run must succeed."""

    def loss(*args):
        result = call("loss", *args, QUIET)
        assert (result.code, result.err) == (0, "")
        return [float(line) for line in result.out.splitlines()]

    return loss


# ----------------------------------------------------------------------------------------------------------- ce-indices


@pytest.mark.parametrize(("logits", "want"), [("logits", "want"), ("logits_2", "want_2")])
def test_published_cross_entropy_of_class_indices(loss, logits, want):
    (value,) = loss("cross-entropy", text(INDICES[logits]), "0,1,2")
    assert agrees(value, INDICES[want], INDICES["digits"])


@pytest.mark.parametrize(("logits", "want"), [("logits", "want"), ("logits_2", "want_2")])
def test_log_softmax_followed_by_nll_gives_the_same(loss, get, logits, want):
    logarithms = get("log_probabilities", "loss", "cross-entropy", text(INDICES[logits]), "0,1,2")
    rows = [logarithms[i : i + 3] for i in range(0, 9, 3)]
    (value,) = loss("nll", text(rows), "0,1,2")
    assert agrees(value, INDICES[want], INDICES["digits"])
    assert loss("cross-entropy", text(INDICES[logits]), "0,1,2") == pytest.approx([value], rel=1e-15)
    assert loss("nll", text(INDICES[logits]), "0,1,2", "--input-as", "logits") == pytest.approx([value], rel=1e-15)


# ------------------------------------------------------------------------------------------------- ce-equals-kl-one-hot

CLASSES = (0, 2, 0)
HOT = [[float(k == c) for k in range(5)] for c in CLASSES]


@pytest.mark.parametrize(
    "args",
    [
        ["cross-entropy", text(ONE_HOT["logits"]), "0,2,0"],
        ["cross-entropy", text(ONE_HOT["logits"]), text(HOT)],
        ["kl-div", text(ONE_HOT["logits"]), text(HOT), "--input-as", "logits", "--reduction", "batchmean"],
        ["kl-div", text(ONE_HOT["log_softmax"]), text(HOT), "--reduction", "batchmean"],
        ["nll", text(ONE_HOT["log_softmax"]), "0,2,0"],
    ],
    ids=["indices", "one-hot", "kl-div of logits", "kl-div of log-softmax", "nll of log-softmax"],
)
def test_published_value_by_every_way_to_it(loss, args):
    (value,) = loss(*args)
    assert agrees(value, ONE_HOT["want"], ONE_HOT["digits"])


def test_the_three_ways_from_logits_agree_to_the_last_digit(loss):
    logits = text(ONE_HOT["logits"])
    indices = loss("cross-entropy", logits, "0,2,0")
    assert loss("cross-entropy", logits, text(HOT)) == pytest.approx(indices, rel=1e-15)
    divergence = loss("kl-div", logits, text(HOT), "--input-as", "logits", "--reduction", "batchmean")
    assert divergence == pytest.approx(indices, rel=1e-15)


@pytest.mark.parametrize("target", ["0,2,0", text(HOT)])
def test_published_log_softmax(get, target):
    logarithms = get("log_probabilities", "loss", "cross-entropy", text(ONE_HOT["logits"]), target)
    published = [x for row in ONE_HOT["log_softmax"] for x in row]
    assert all(agrees(*pair, ONE_HOT["digits"]) for pair in zip(logarithms, published, strict=True))


# ----------------------------------------------------------------------------------------- probabilities-are-not-logits

LOOKS_LIKE = "looks like probabilities (all within [0, 1], and every row sums to 1)"


def test_probabilities_fed_to_cross_entropy_give_the_published_value_and_a_note(call):
    result = call("loss", "cross-entropy", "0.3,0.3,0.4", "2")
    assert result.code == 0
    assert agrees(float(result.out), PROBABILITIES["want"]["cross-entropy loss"], PROBABILITIES["digits"])
    mend = "for probabilities: klcli loss nll --input-as probs"
    assert result.err == f"klcli: note: INPUT {LOOKS_LIKE}, and cross-entropy applies softmax to it; {mend}\n"


def test_the_mend_in_that_note_gives_the_other_published_value_without_one(call):
    result = call("loss", "nll", "0.3,0.3,0.4", "2", "--input-as", "probs")
    assert (result.code, result.err) == (0, "")
    assert float(result.out) == pytest.approx(-log(0.4), rel=1e-15)
    assert agrees(float(result.out), PROBABILITIES["want"]["nll of logs"], PROBABILITIES["digits"])


def test_logs_of_the_probabilities_give_it_too(loss):
    (value,) = loss("nll", text([log(0.3), log(0.3), log(0.4)]), "2")
    assert agrees(value, PROBABILITIES["want"]["nll of logs"], PROBABILITIES["digits"])


# --------------------------------------------------------------------------------------------------------- softmax-pair


@pytest.fixture
def kl_div(loss):
    """kl_div(*args): kl-div of the softmax pair: INPUT is q, TARGET p."""
    both = [text(PAIR[name]) for name in ("q", "p")]
    return lambda *args: loss("kl-div", *both, "--input-as", "logits", "--target-as", "logits", *args)


def test_published_divergence_of_the_softmax_pair(kl_div):
    (value,) = kl_div("--reduction", "sum")
    assert agrees(value, PAIR["want"]["kl_pq"], PAIR["digits"])


def test_published_elements_of_the_softmax_pair_and_their_mean(kl_div):
    elements = kl_div("--reduction", "none")
    assert all(agrees(*pair, PAIR["digits"]) for pair in zip(elements, PAIR["want"]["elements.kl_pq"], strict=True))
    (mean,) = kl_div()
    assert agrees(mean, PAIR["want"]["mean of the elements"], PAIR["digits"])


@pytest.mark.parametrize(
    ("field", "published"),
    [("entropy", "entropy_p"), ("kl_divergence", "kl_pq"), ("cross_entropy", "cross_entropy_pq")],
)
def test_published_parts_of_the_softmax_pair(kl_div, field, published):
    (value,) = kl_div("--reduction", "sum", "-g", field)
    assert agrees(value, PAIR["want"][published], PAIR["digits"])


def test_published_cross_entropy_of_the_softmax_pair_as_soft_targets(loss, get):
    probabilities = get("elements.p", "compare", text(PAIR["p"]), text(PAIR["q"]), "--as", "logits")
    (value,) = loss("cross-entropy", text(PAIR["q"]), text(probabilities))
    assert agrees(value, PAIR["want"]["cross_entropy_pq"], PAIR["digits"])

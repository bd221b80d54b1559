"""The worked examples of losses with published values, through the command line."""

import json
from math import log

import pytest

from .test_examples import EXAMPLES, agrees

INDICES, ONE_HOT, PROBABILITIES, PAIR = (
    EXAMPLES[name] for name in ("ce-indices", "ce-equals-kl-one-hot", "probabilities-are-not-logits", "softmax-pair")
)
CLASSES = (0, 2, 0)
HOT = json.dumps([[float(k == c) for k in range(5)] for c in CLASSES])
LOGITS, LOGS = (json.dumps(ONE_HOT[name]) for name in ("logits", "log_softmax"))
BATCHMEAN = ["--reduction", "batchmean"]
Q, P = (json.dumps(PAIR[name]) for name in ("q", "p"))
OF_PAIR = ["kl-div", Q, P, "--input-as", "logits", "--target-as", "logits", "-g"]
WANT = PAIR["want"]
LOSS = PROBABILITIES["want"]


@pytest.mark.parametrize(
    ("example", "args", "want"),
    [
        (INDICES, ["cross-entropy", json.dumps(INDICES["logits"]), "0,1,2"], INDICES["want"]),
        (INDICES, ["cross-entropy", json.dumps(INDICES["logits_2"]), "0,1,2"], INDICES["want_2"]),
        (INDICES, ["nll", json.dumps(INDICES["logits"]), "0,1,2", "--input-as", "logits"], INDICES["want"]),
        (ONE_HOT, ["cross-entropy", LOGITS, "0,2,0"], ONE_HOT["want"]),
        (ONE_HOT, ["cross-entropy", LOGITS, HOT], ONE_HOT["want"]),
        (ONE_HOT, ["kl-div", LOGITS, HOT, "--input-as", "logits", *BATCHMEAN], ONE_HOT["want"]),
        (ONE_HOT, ["kl-div", LOGS, HOT, *BATCHMEAN], ONE_HOT["want"]),
        (ONE_HOT, ["nll", LOGS, "0,2,0"], ONE_HOT["want"]),
        (
            ONE_HOT,
            ["cross-entropy", LOGITS, HOT, "-g", "log_probabilities"],
            [x for row in ONE_HOT["log_softmax"] for x in row],
        ),
        (PROBABILITIES, ["cross-entropy", "0.3,0.3,0.4", "2"], LOSS["cross-entropy loss"]),
        (PROBABILITIES, ["nll", "0.3,0.3,0.4", "2", "--input-as", "probs"], LOSS["nll of logs"]),
        (PROBABILITIES, ["nll", json.dumps([log(0.3), log(0.3), log(0.4)]), "2"], LOSS["nll of logs"]),
        (PAIR, [*OF_PAIR, "value", "--reduction", "sum"], WANT["kl_pq"]),
        (PAIR, [*OF_PAIR, "value", "--reduction", "none"], WANT["elements.kl_pq"]),
        (PAIR, [*OF_PAIR, "value"], WANT["mean of the elements"]),
        (PAIR, [*OF_PAIR, "entropy"], WANT["entropy_p"]),
        (PAIR, [*OF_PAIR, "kl_divergence"], WANT["kl_pq"]),
        (PAIR, [*OF_PAIR, "cross_entropy"], WANT["cross_entropy_pq"]),
    ],
)
def test_published_value(call, example, args, want):
    result = call("loss", *args, "-q")
    assert (result.code, result.err) == (0, "")
    got = [float(line) for line in result.out.splitlines()]
    pairs = zip(got, want if isinstance(want, list) else [want], strict=True)
    assert all(agrees(*pair, example["digits"]) for pair in pairs)

"""The usual traps of losses: each note word by word, what it proposes, and silence elsewhere."""

import ast
import json
from math import exp, isnan, log
from pathlib import Path

import numpy as np
import pytest

from tests.alike import alike

LOOKS = "looks like probabilities (all within [0, 1], and every row sums to 1)"
FLAT = "INPUT looks as if softmax had been applied twice: every row is what softmax makes of probabilities"
ZERO_TIMES = "so are 0 times an infinity, and inf - inf, in PyTorch"
ZERO_LOG_ZERO = ZERO_TIMES + "; with 0 log 0 = 0 the {} is {}"
NO_PROBABILITY = "no probability where TARGET has some"
SOFTMAX = "so is softmax in PyTorch where a logit is infinite in {}, or all are -inf"
MEAN = "mean divides by all {} elements, KL's definition by {}, which gives {}"
BATCHMEAN = (
    "batchmean divides by 1, the length of INPUT's first axis, as PyTorch does; there are 2 rows, whose mean is {}"
)
CLAMPED = "PyTorch takes -100 for any logarithm below it; the exact loss is larger"

LOGS = "[[-1.2039728043259361,-0.35667494393873245]]"  # of 0.3 and 0.7
# log softmax of 1, 0, 0 and of 0, 1, 0 and of 0, 0, 1
TWICE = "[[-0.5514,-1.5514,-1.5514],[-1.5514,-0.5514,-1.5514],[-1.5514,-1.5514,-0.5514]]"
LOGITS = "[[2,1,0.1],[0.5,2,0.3]]"
CUBE = "[[[0.5,0.5],[0.25,0.75]]]"


@pytest.fixture
def notes(call):
    """notes(*args): the value, and the notes without what every line on stderr begins with."""

    def notes(*args):
        result = call("loss", *args)
        assert result.code == 0, result
        lines = result.err.splitlines()
        assert all(line.startswith("klcli: note: ") for line in lines)
        return [float(x) for x in result.out.split()], [line.removeprefix("klcli: note: ") for line in lines]

    return notes


# --------------------------------------------------------------------------------------------------------- word by word

SAID = {
    # INPUT that is not what the loss takes.
    "cross-entropy of probabilities": (
        "cross-entropy [[0.3,0.3,0.4],[0.2,0.3,0.5]] 2,0",
        [f"INPUT {LOOKS}, and cross-entropy applies softmax to it; for probabilities add --input-as probs"],
    ),
    "nll of probabilities": (
        "nll [[0.3,0.3,0.4],[0.2,0.3,0.5]] 2,0",
        [f"INPUT {LOOKS}, and nll takes log-probabilities; for probabilities add --input-as probs"],
    ),
    "nll of probabilities as logits": (
        "nll [[0.3,0.3,0.4],[0.2,0.3,0.5]] 2,0 --input-as logits",
        [f"INPUT {LOOKS}, and nll applies softmax to it; for probabilities add --input-as probs"],
    ),
    "kl-div of probabilities": (
        "kl-div [[0.3,0.7]] [[0.5,0.5]] --reduction sum",
        [f"INPUT {LOOKS}, and kl-div takes log-probabilities; for probabilities add --input-as probs"],
    ),
    "kl-div of probabilities as logits": (
        "kl-div [[0.3,0.7]] [[0.5,0.5]] --reduction sum --input-as logits",
        [f"INPUT {LOOKS}, and kl-div applies softmax to it; for probabilities add --input-as probs"],
    ),
    "bce-with-logits of probabilities": (
        "bce-with-logits 0.9,0.2,0.6 1,0,1",
        ["INPUT is all within [0, 1], and bce-with-logits takes logits; for probabilities: klcli loss bce"],
    ),
    "nll of logits": (
        f"nll {LOGITS} 0,1",
        ["INPUT[0] has 2.0, and no log-probability is above 0 (2 of 2 rows); for logits add --input-as logits"],
    ),
    "nll of one logit that is too large": (
        "nll [[-0.5,-1],[0.5,-2]] 0,1",
        ["INPUT[1] has 0.5, and no log-probability is above 0 (1 of 2 rows); for logits add --input-as logits"],
    ),
    "nll of negative logits": (
        "nll [[-1,-2,-3]] 0",
        ["exp of INPUT[0] sums to 0.553001793, not 1 (the only row); for logits add --input-as logits"],
    ),
    "kl-div of negative logits": (
        "kl-div [[-1,-2,-3],[-2,-1,-3]] [[0.5,0.25,0.25],[0.25,0.25,0.5]] --reduction sum",
        ["exp of INPUT[0] sums to 0.553001793, not 1 (2 of 2 rows); for logits add --input-as logits"],
    ),
    "nll of logarithms with three digits": (
        "nll [[-1.2,-0.35],[-0.7,-0.69]] 0,0",
        ["exp of INPUT[0] sums to 1.0058823, not 1 (2 of 2 rows)"],
    ),
    "nll of logarithms a little further off": (
        "nll -1.2,-0.34 0",
        ["exp of INPUT sums to 1.01296453, not 1 (the only row); for logits add --input-as logits"],
    ),
    "nll of probabilities that do not sum to 1": (
        "nll [[0.3,0.3,0.3],[0.2,0.2,0.6]] 2,0 --input-as probs",
        ["INPUT[0] sums to 0.9, not 1 (1 of 2 rows)"],
    ),
    "softmax of a softmax": (
        f"nll {TWICE} 0,1,2",
        ["exp of INPUT[0] sums to 1.00004471, not 1 (3 of 3 rows)", FLAT],
    ),
    # TARGET that is not what the loss takes.
    "kl-div of targets that do not sum to 1": (
        f"kl-div {LOGS} [[0.5,0.25]] --reduction sum",
        ["TARGET[0] sums to 0.75, not 1 (the only row); the loss is then no divergence"],
    ),
    "kl-div of logarithms that do not": (
        f"kl-div {LOGS} [[-1,-1]] --reduction sum --log-target",
        ["exp of TARGET[0] sums to 0.735758882, not 1 (the only row); the loss is then no divergence"],
    ),
    "cross-entropy of targets that do not sum to 1": (
        f"cross-entropy {LOGITS} [[0.5,0.25,0.25],[0.5,0.5,0.5]]",
        ["TARGET[1] sums to 1.5, not 1 (1 of 2 rows); PyTorch takes the targets as they are"],
    ),
    "kl-div of probabilities as logits of targets": (
        f"kl-div {LOGS} [[0.5,0.5]] --reduction sum --target-as logits",
        [f"TARGET {LOOKS}, and softmax is applied to it; leave out --target-as logits"],
    ),
    # What is left out.
    "one target left out": (f"cross-entropy {LOGITS} -- 0,-100", ["1 of 2 targets is -100 and left out"]),
    "two targets left out": (
        "cross-entropy --ignore-index 1 [[2,1,0.1],[0.5,2,0.3],[1,1,2]] 1,1,0",
        ["2 of 3 targets are 1 and left out"],
    ),
    "every target left out": (
        f"cross-entropy {LOGITS} -- -100,-100",
        ["2 of 2 targets are -100 and left out; the mean of no rows is nan, as in PyTorch (their sum is 0)"],
    ),
    "every target left out of a sum": (
        f"cross-entropy --reduction sum {LOGITS} -- -100,-100",
        ["2 of 2 targets are -100 and left out"],
    ),
    "the only target left out": (
        "cross-entropy [[2,1,0.1]] -- -100",
        ["the only target is -100 and left out; the mean of no rows is nan, as in PyTorch (their sum is 0)"],
    ),
    "ignoring a class of probabilities": (
        "cross-entropy [[2,1,0.1]] [[0,0.9,0.1]] --ignore-index 0",
        ["--ignore-index 0 has no effect: the targets are probabilities"],
    ),
    "no weight at all": (
        f"cross-entropy {LOGITS} 0,1 --weight 0,0,1",
        ["every target has weight 0; a mean by such weights is nan, as in PyTorch"],
    ),
    "a target left out of a binary loss": (
        "bce-with-logits 0.5,1.5,0.5 1,1,-1 --ignore-index -1",
        ["1 of 3 targets is -1 and left out"],
    ),
    "a row left out of a divergence": (
        "kl-div [[0.5,0.5],[0.25,0.75]] [[-1,-1],[1,0]] --ignore-index -1 --input-as probs --reduction sum",
        ["1 of 2 targets is -1 and left out"],
    ),
    "every row masked": (
        "nll [[0.5,0.5],[0.25,0.75]] 0,1 --mask 0,0 --input-as probs",
        ["no row counts; the mean of no rows is nan, as in PyTorch (their sum is 0)"],
    ),
    "no rows": ("bce [] []", ["no row counts; the mean of no rows is nan, as in PyTorch (their sum is 0)"]),
    "focal of probabilities": (
        "focal [[0.3,0.3,0.4],[0.2,0.3,0.5]] 2,0",
        [f"INPUT {LOOKS}, and focal applies softmax to it; for probabilities give their logarithms"],
    ),
    "focal of probabilities of yes": (
        "focal 0.9,0.2,0.6 1,0,1 --binary",
        ["INPUT is all within [0, 1], and focal --binary takes logits"],
    ),
    "probabilities of samples": (
        "kl-samples 0.5,0.25,0.5 0.5,0.5,0.5",
        ["INPUT is all within [0, 1], and kl-samples takes log-probabilities"],
    ),
    # Logarithms of 0.
    "bce of 0": ("bce 0,0.5 1,1", [f"INPUT[0] is 0 and its target is not (1 of 2): {CLAMPED}"]),
    "bce of what is next to 0": ("bce 1e-44,0.5 1,1", [f"INPUT[0] is 1e-44 and its target is not (1 of 2): {CLAMPED}"]),
    "bce of 1": (
        "bce [[0.5,1],[0,1]] [[1,0.5],[0.5,1]]",
        [f"INPUT[0, 1] is 1 and its target is not (2 of 4): {CLAMPED}"],
    ),
    # Other reductions.
    "mean of one row": (
        "kl-div 0.3,0.7 0.5,0.5 --input-as probs",
        [MEAN.format(2, "1 row", "0.087176693572389 (--reduction sum)")],
    ),
    "mean of a batch": (
        "kl-div [[0.3,0.7]] [[0.5,0.5]] --input-as probs",
        [MEAN.format(2, "1 row", "0.087176693572389 (--reduction batchmean)")],
    ),
    "mean of a cube": (
        f"kl-div {CUBE} [[[0.25,0.75],[0.5,0.5]]] --input-as probs",
        [MEAN.format(4, "2 rows", "0.1373265360835137")],
    ),
    "batchmean of a cube": (
        f"kl-div {CUBE} [[[0.25,0.75],[0.5,0.5]]] --input-as probs --reduction batchmean",
        [BATCHMEAN.format("0.1373265360835137")],
    ),
    # What is not finite.
    "no probability": (
        "nll [[1,0],[0.5,0.5]] 1,0 --input-as probs",
        ["INPUT[0] has a loss of inf (1 of 2 rows): no probability where TARGET has some"],
    ),
    "infinite log-probability": (
        "nll [[Infinity,-1]] 0",
        [
            "INPUT[0] has inf, and no log-probability is above 0 (the only row); for logits add --input-as logits",
            "INPUT[0] has a loss of -inf (the only row): INPUT is infinite there",
        ],
    ),
    "0 log 0": (
        "cross-entropy [[1,-Infinity],[1,0]] [[1,0],[0.5,0.5]]",
        [f"INPUT[0] has a loss of nan (1 of 2 rows): {ZERO_LOG_ZERO.format('mean', '0.4066308437591114')}"],
    ),
    "0 log 0, not reduced": (
        "kl-div [[1,0]] [[1,0]] --input-as probs --reduction none",
        [f"INPUT[0] has a loss of nan (the only row): {ZERO_LOG_ZERO.format('mean', '0.0')}"],
    ),
    "0 log 0 in a batchmean": (
        "kl-div [[0,1],[0.5,0.5]] [[0,1],[0.25,0.75]] --input-as probs --reduction batchmean",
        [f"INPUT[0] has a loss of nan (1 of 2 rows): {ZERO_LOG_ZERO.format('batchmean', '0.06540601797056846')}"],
    ),
    "a weight of 0 times inf": (
        "nll [[1,0],[0.5,0.5]] 1,0 --input-as probs --weight 1,0",
        [f"INPUT[0] has a loss of nan (1 of 2 rows): {ZERO_TIMES}"],
    ),
    "softmax with inf": (
        "cross-entropy [[Infinity,0],[1,0]] 0,0",
        [f"INPUT[0] has a loss of nan (1 of 2 rows): {SOFTMAX.format('float64')}"],
    ),
    "softmax of what is too large for single precision": (
        "cross-entropy [[1e39,0],[1,0]] 0,0 --dtype float32",
        [f"INPUT[0] has a loss of nan (1 of 2 rows): {SOFTMAX.format('float32')}"],
    ),
    "smoothing over a class that has none": (
        "cross-entropy [[1,-Infinity],[1,0]] 0,0 --label-smoothing 0.1",
        [f"INPUT[0] has a loss of inf (1 of 2 rows): {NO_PROBABILITY}, as smoothing gives every class"],
    ),
    "softmax of nothing": (
        "cross-entropy [[-Infinity,-Infinity]] 0",
        [f"INPUT[0] has a loss of nan (the only row): {SOFTMAX.format('float64')}"],
    ),
    "bce-with-logits of infinities": (
        "bce-with-logits 800,Infinity 1,0.5",
        ["INPUT[1] has a loss of inf (1 of 2 rows): no probability where TARGET has some"],
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_note_is_said_word_by_word(notes, name):
    line, want = SAID[name]
    found = notes(*line.split())[1]
    assert len(found) == len(want), found
    assert all(alike(*pair) for pair in zip(found, want, strict=True)), found


def texts(node):
    """What a source file says in words, docstrings aside."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
            yield child.value.strip()
        yield from texts(child)


def test_every_kind_of_note_is_among_them():
    source = ast.parse((Path(__file__).parents[2] / "klcli/analyses/traps.py").read_text())
    said = "\n".join(note for _, want in SAID.values() for note in want)
    pieces = {text for text in texts(source) if text.count(" ") > 1}
    assert len(pieces) > 20
    assert {piece for piece in pieces if piece not in said} == set()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            [-log(4), -log(4)],
            "exp of x.npy[19000] sums to 0.5, not 1 (1 of 20000 rows); for logits add --input-as logits",
        ),
        ([-np.inf, 0], f"x.npy[19000] has a loss of inf (1 of 20000 rows): {NO_PROBABILITY}"),
    ],
)
def test_a_row_beyond_the_first_block_is_named_where_it_stands(notes, tmp_path, monkeypatch, values, said):
    monkeypatch.chdir(tmp_path)
    rows = np.full((20_000, 2), -log(2))
    rows[19_000] = values
    np.save("x.npy", rows)
    np.save("y.npy", np.zeros(len(rows), dtype=int))
    assert notes("nll", "x.npy", "y.npy")[1] == [said]


# ----------------------------------------------------------------------------------------------- what the notes propose


@pytest.mark.parametrize(
    ("trap", "mend", "value"),
    [
        ("cross-entropy 0.3,0.3,0.4 2", "cross-entropy 0.3,0.3,0.4 2 --input-as probs", -log(0.4)),
        ("nll 0.3,0.3,0.4 2", "nll 0.3,0.3,0.4 2 --input-as probs", -log(0.4)),
        ("nll 0.3,0.3,0.4 2 --input-as logits", "nll 0.3,0.3,0.4 2 --input-as probs", -log(0.4)),
        ("bce-with-logits 0.9,0.2,0.6 1,0,1", "bce 0.9,0.2,0.6 1,0,1", -(log(0.9) + log(0.8) + log(0.6)) / 3),
        ("nll [[2,1,0.1]] 0", "nll [[2,1,0.1]] 0 --input-as logits", log(1 + exp(-1) + exp(-1.9))),
        ("nll [[-1,-2,-3]] 0", "nll [[-1,-2,-3]] 0 --input-as logits", log(1 + exp(-1) + exp(-2))),
        (
            "kl-div 0.25,0.75 0.5,0.5 --reduction sum",
            "kl-div 0.25,0.75 0.5,0.5 --reduction sum --input-as probs",
            0.5 * log(2) + 0.5 * log(2 / 3),
        ),
        (
            f"kl-div {LOGS} [[0.25,0.75]] --reduction sum --target-as logits",
            f"kl-div {LOGS} [[0.25,0.75]] --reduction sum",
            0.25 * log(0.25 / 0.3) + 0.75 * log(0.75 / 0.7),
        ),
        (
            "kl-div [[-1.5,-0.25]] [[-0.7,-0.69]] --reduction sum --input-as logits",
            "kl-div [[-1.5,-0.25]] [[-0.7,-0.69]] --reduction sum --input-as logits --log-target",
            None,
        ),
    ],
)
def test_mend_gives_what_was_meant_without_the_note(call, notes, trap, mend, value):
    before = call("loss", *trap.split())
    assert before.err.count("\n") == 1
    if value is None:  # an error says so: log-probabilities are no probabilities
        assert before.code == 4
        assert before.err.endswith("for log-probabilities add --log-target\n")
        assert notes(*mend.split())[0]
        return
    found, said = notes(*mend.split())
    assert said == []
    assert found == pytest.approx([value], rel=1e-12)
    assert float(before.out) != pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("smoothing", ["0", "0.1", "1"])
def test_mean_by_weights_that_are_all_zero_is_not_a_number(notes, smoothing):
    args = ["cross-entropy", LOGITS, "0,0", "--weight", "0,1,1", "--label-smoothing", smoothing]
    assert isnan(notes(*args)[0][0])
    (whole,), said = notes(*args, "--reduction", "sum")
    assert (whole > 0, said) == (smoothing != "0", [])


# -------------------------------------------------------------------------------------------------------------- silence


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ("kl-div [[2,1]] [[0.5,0.5]]", "no log-probability is above 0"),
        ("kl-div [[-1,-2]] [[0.5,0.5]]", "exp of INPUT[0] sums to 0.503214724"),
        ("kl-div 0.3,0.7 0.5,0.4 --input-as probs", "TARGET sums to 0.9"),
        ("kl-div 0.3,0.7 0.5,0.5", "looks like probabilities"),
        ("kl-div [[0.5,0.5]] [[0.5,0.5]] --input-as probs", ""),
    ],
)
def test_no_other_reduction_is_proposed_for_what_is_no_divergence_or_zero(notes, args, what):
    said = notes(*args.split())[1]
    assert len(said) == bool(what), said
    assert all(what in note for note in said)


def test_divergence_of_what_was_rounded_is_one(notes):
    said = notes("kl-div", "[[-1.204,-0.357]]", "[[0.5,0.5]]")[1]
    assert [note.split()[0] for note in said] == ["exp", "mean"]


def test_logarithm_of_bce_that_is_not_clamped(notes):
    for given, target in [
        ("1e-43,0.5", "1,1"),
        ("1e-44,0.5", "0,1"),
        ("0.9999999999999999,0.5", "0,1"),
        ("1,0", "1,0"),
    ]:
        assert notes("bce", given, target)[1] == []


@pytest.mark.parametrize(
    ("rows", "k", "peak", "seen"),
    [(5, 2, 0.81, 1), (5, 2, 0.79, 0), (4, 2, 0.99, 0), (3, 3, 0.61, 1), (2, 3, 0.99, 0), (9, 3, 0.59, 0)],
)
def test_softmax_twice_is_seen_where_it_can_be_told(notes, rows, k, peak, seen):
    twice = log_softmax(np.array([[peak, *[(1 - peak) / (k - 1)] * (k - 1)]] * rows))
    assert notes("nll", json.dumps(twice.tolist()), json.dumps([0] * rows))[1] == [FLAT] * seen


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("nll [[2,1,0.1],[{1},{1},{1}]] 1,0", []),  # above 0, and no sum of 1
        ("nll [[-1,-2,-3],[{1},{1},{1}]] 1,0", []),
        ("nll [[0.5,0.4,0.3],[0.3,0.3,0.4]] 1,0 --input-as probs", []),
        ("cross-entropy [[0.25,0.25,0.5],[2,1,0]] 1,0", []),
        ("nll [[0.25,0.25,0.5],[{1},{1},{1}]] 1,0", []),
        ("cross-entropy [[3,2,1],[0.25,0.25,0.5]] 1,0", [f"INPUT {LOOKS}, and cross-entropy applies softmax to it; "]),
        (
            "nll [[{1},{1},{1}],[-1,-2,-3]] 1,0",
            ["exp of INPUT[1] sums to 0.553001793, not 1 (1 of 2 rows); for logits"],
        ),
    ],
)
def test_rows_that_are_left_out_are_not_looked_at(notes, args, said):
    found = notes(*args.replace("{1}", repr(-log(3))).split(), "--ignore-index", "1")[1]
    assert found[-1] == "1 of 2 targets is 1 and left out"
    assert [note.startswith(start) for note, start in zip(found, said, strict=False)] == [True] * (len(found) - 1), (
        found
    )


RANDOM = np.random.default_rng(1)


def log_softmax(logits, axis=-1):
    shifted = logits - logits.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def softmax(logits, axis=-1):
    return np.exp(log_softmax(logits, axis))


def normal(*shape, scale=2.0):
    return RANDOM.normal(size=shape) * scale


def classes(k, *shape):
    return RANDOM.integers(0, k, size=shape)


AS_LOGITS = ["--reduction", "sum", "--input-as", "logits", "--target-as", "logits"]
SINGLE, HALF = np.float32, np.float16
RAW = softmax(normal(50, 10))
FLAT_LOGS = log_softmax(normal(50, 10) / 4)
INNOCENT = {
    "logits and classes": ("cross-entropy", normal(50, 10), classes(10, 50)),
    "logits and soft targets": ("cross-entropy", normal(50, 10), softmax(normal(50, 10))),
    "logits and one-hot targets": ("cross-entropy", normal(50, 10), np.eye(10)[classes(10, 50)]),
    "logits and smoothing": ("cross-entropy", normal(9, 4), classes(4, 9), "--label-smoothing", "0.1"),
    "logits of float32": ("cross-entropy", normal(50, 10).astype(SINGLE), classes(10, 50), "--dtype", "float32"),
    "log-softmax": ("nll", log_softmax(normal(50, 10)), classes(10, 50)),
    "log-softmax of float32": ("nll", log_softmax(normal(50, 10)).astype(SINGLE), classes(10, 50)),
    "log-softmax of float16": ("nll", log_softmax(normal(50, 10)).astype(HALF), classes(10, 50)),
    "log-softmax of a large vocabulary": ("nll", log_softmax(normal(3, 50_000)).astype(SINGLE), classes(50_000, 3)),
    "log-softmax of a sure network": ("nll", log_softmax(normal(50, 10, scale=30)), classes(10, 50)),
    "log-softmax of uniform rows": ("nll", np.full((5, 4), -log(4)), classes(4, 5)),
    "log-softmax of images": ("nll", log_softmax(normal(2, 5, 6, 7), 1), classes(5, 2, 6, 7)),
    "log-softmax rounded for print": ("nll", log_softmax(normal(20, 5)).round(7), classes(5, 20)),
    "float16 softmax": ("nll", softmax(normal(20, 10)).astype(HALF), classes(10, 20), "--input-as", "probs"),
    "one-hot predictions": ("nll", np.eye(3), np.arange(3), "--input-as", "probs"),
    "distillation": ("kl-div", FLAT_LOGS.astype(SINGLE), RAW.astype(SINGLE), "--reduction", "batchmean"),
    "distillation by logarithms": ("kl-div", FLAT_LOGS, np.log(RAW), "--reduction", "batchmean", "--log-target"),
    "distillation by logits": ("kl-div", normal(50, 10), normal(50, 10), *AS_LOGITS),
    "divergence of one row": ("kl-div", RAW[0], RAW[1], "--input-as", "probs", "--reduction", "sum"),
    "divergence by element": ("kl-div", np.log(RAW), RAW[::-1], "--reduction", "none"),
    "divergence by the first axis": ("kl-div", np.log(RAW.T), RAW.T, "--reduction", "sum", "--dim", "0"),
    "one-hot targets of a divergence": ("kl-div", np.log(RAW), np.eye(10)[classes(10, 50)], "--reduction", "batchmean"),
    "sigmoids": ("bce", 1 / (1 + np.exp(-normal(50))), classes(2, 50)),
    "perfect sigmoids": ("bce", np.array([0.0, 1.0, 1.0]), np.array([0, 1, 1])),
    "logits of yes": ("bce-with-logits", normal(50), classes(2, 50)),
    "two logits within 0 and 1": ("bce-with-logits", np.array([0.5, 0.25]), np.array([1, 0])),
    "large logits of yes": ("bce-with-logits", np.array([800.0, -800.0]), np.array([0, 1]), "--reduction", "none"),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_nothing_is_said_of_innocent_operands(call, tmp_path, name):
    kind, *arrays = INNOCENT[name][:3]
    paths = []
    for role, array in zip(("input", "target"), arrays, strict=True):
        paths.append(tmp_path / f"{role}.npy")
        np.save(paths[-1], array)
    result = call("loss", kind, *paths, *INNOCENT[name][3:])
    assert (result.code, result.err) == (0, "")

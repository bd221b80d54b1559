"""What people ask of losses beside PyTorch's own arguments, through the command line, against textbook formulas."""

import json

import numpy as np
import pytest

RNG = np.random.default_rng(3)
X, T = RNG.normal(size=(2, 4, 3)) * 2
"""Logits of four rows of three classes, of a student and a teacher."""
CLASSES = np.array([0, 2, 1, 0])
MASK, WEIGHT = np.array([1, 0, 1, 1]), np.array([1.0, 3.0, 0.0, 0.5])
YES = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0]])


def log_softmax(x):
    return x - np.logaddexp.reduce(x, axis=-1, keepdims=True)


def kl(log_p, log_q):
    return np.exp(log_p) * (log_p - log_q)


LOG_Q, LOG_P = log_softmax(X), log_softmax(T)
P, Q = np.exp(LOG_P), np.exp(LOG_Q)
SOFTENED = kl(log_softmax(T / 2), log_softmax(X / 2))
NLL = -LOG_Q[np.arange(4), CLASSES]
BCE = np.logaddexp(0, np.where(YES, -X, X))
MISSED = 1 - np.exp(-BCE)
BOTH = ["--input-as", "logits", "--target-as", "logits"]
HALF = 0.5 * P + 0.5 * Q
M = 0.1 * P + 0.9 * Q
SAMPLES = (np.log([0.2, 0.5, 0.3]), np.log([0.25, 0.25, 0.5]))
LOG_RATIO = SAMPLES[0] - SAMPLES[1]

CASES = {
    # What INPUT is.
    "cross-entropy of probabilities": (["cross-entropy", Q, CLASSES, "--input-as", "probs"], NLL.mean()),
    "of logarithms and distributions": (
        ["cross-entropy", LOG_Q, P, "--input-as", "logprobs"],
        -(P * LOG_Q).sum() / 4,
    ),
    "of probabilities, smoothed": (
        ["cross-entropy", Q, CLASSES, "--input-as", "probs", "--label-smoothing", 0.3],
        (0.7 * NLL - 0.1 * LOG_Q.sum(axis=1)).mean(),
    ),
    "of a teacher's logits": (["cross-entropy", X, T, "--target-as", "logits"], -(P * LOG_Q).sum() / 4),
    # Distillation.
    "both by a temperature": (["kl-div", X, T, *BOTH, "--temperature", 2, "--reduction", "sum"], SOFTENED.sum()),
    "times its square": (
        ["kl-div", X, T, *BOTH, "--temperature", 2, "--times-t2", "--reduction", "batchmean"],
        SOFTENED.sum(),
    ),
    "one of them is logits": (
        ["kl-div", X, P, "--input-as", "logits", "--temperature", 2, "--reduction", "sum"],
        kl(LOG_P, log_softmax(X / 2)).sum(),
    ),
    "cross-entropy by a temperature": (
        ["cross-entropy", X, CLASSES, "--temperature", 2, "--times-t2", "--reduction", "sum"],
        -4 * log_softmax(X / 2)[np.arange(4), CLASSES].sum(),
    ),
    "js": (
        ["js", X, T, *BOTH],
        (0.5 * P * np.log(P / HALF) + 0.5 * Q * np.log(Q / HALF)).sum() / 4,
    ),
    "js by beta": (
        ["js", Q, LOG_P, "--input-as", "probs", "--log-target", "--beta", 0.1, "--reduction", "sum"],
        (0.1 * P * np.log(P / M) + 0.9 * Q * np.log(Q / M)).sum(),
    ),
    "js without overlap": (["js", [[1, 0]], [[0, 1]], "--input-as", "probs"], np.log(2)),
    # What counts.
    "masked rows": (["nll", LOG_Q, CLASSES, "--mask", MASK], NLL[MASK == 1].mean()),
    "masked rows of elements": (
        ["kl-div", LOG_Q, P, "--mask", MASK],
        kl(LOG_P, LOG_Q)[MASK == 1].mean(),
    ),
    "masked rows of a batch": (
        ["kl-div", LOG_Q, P, "--mask", MASK, "--reduction", "batchmean"],
        kl(LOG_P, LOG_Q)[MASK == 1].sum() / 3,
    ),
    "truth values": (["nll", LOG_Q, CLASSES, "--mask", "[True, false, true, TRUE]"], NLL[MASK == 1].mean()),
    "masked entries": (["kl-div", LOG_Q, P, "--mask", YES], kl(LOG_P, LOG_Q)[YES == 1].mean()),
    "masked entries of two": (["bce-with-logits", X, YES, "--mask", 1 - YES], BCE[YES == 0].mean()),
    "masked rows of two": (["bce-with-logits", X, YES, "--mask", MASK], BCE[MASK == 1].mean()),
    "weights of rows": (["cross-entropy", X, CLASSES, "--row-weight", WEIGHT], np.average(NLL, weights=WEIGHT)),
    "and of classes": (
        ["cross-entropy", X, CLASSES, "--row-weight", WEIGHT, "--weight", [1, 2, 4]],
        np.average(NLL, weights=WEIGHT * np.array([1, 4, 2, 1])),
    ),
    "weights of rows of elements": (
        ["kl-div", LOG_Q, P, "--row-weight", WEIGHT],
        np.average(kl(LOG_P, LOG_Q).mean(axis=1), weights=WEIGHT),
    ),
    "weights of rows of two": (
        ["bce-with-logits", X, YES, "--row-weight", WEIGHT],
        np.average(BCE.mean(axis=1), weights=WEIGHT),
    ),
    "an ignored element": (["bce-with-logits", [0.5, 0.5, 9], [1, 0, -1], "--ignore-index", -1], 0.7240769841801),
    "an ignored row": (
        ["kl-div", LOG_Q, np.where(MASK[:, None], P, -100), "--ignore-index", -100, "--reduction", "batchmean"],
        kl(LOG_P, LOG_Q)[MASK == 1].sum() / 3,
    ),
    "a weight of the only class": (["nll", [[-1], [-2]], [0, 0], "--weight", 0.4, "--reduction", "sum"], 1.2),
    # Focal loss.
    "focal": (["focal", X, CLASSES], ((1 - np.exp(-NLL)) ** 2 * NLL).mean()),
    "focal by its options": (
        ["focal", X, CLASSES, "--gamma", 0.5, "--alpha", [1, 2, 4], "--ignore-index", 2],
        (np.array([1, 0, 2, 1]) * (1 - np.exp(-NLL)) ** 0.5 * NLL).sum() / 3,
    ),
    "focal --binary": (
        ["focal", X, YES, "--binary"],
        (np.where(YES, 0.25, 0.75) * MISSED**2 * BCE).mean(),
    ),
    "focal --binary by its options": (
        ["focal", X, YES, "--binary", "--alpha", -1, "--gamma", 1],
        (MISSED * BCE).mean(),
    ),
    # Units, perplexity, samples.
    "bits": (["nll", LOG_Q, CLASSES, "--unit", "bits"], NLL.mean() / np.log(2)),
    "perplexity": (["nll", LOG_Q, CLASSES, "-g", "perplexity", "--unit", "bits"], np.exp(NLL.mean())),
    "perplexity of a sum": (
        ["cross-entropy", X, CLASSES, "-g", "perplexity", "--reduction", "sum", "--mask", MASK],
        np.exp(NLL[MASK == 1].mean()),
    ),
    "k1": (["kl-samples", *SAMPLES, "--estimator", "k1"], -LOG_RATIO.mean()),
    "k2": (["kl-samples", *SAMPLES, "-g", "k2"], (LOG_RATIO**2).mean() / 2),
    "k3": (["kl-samples", *SAMPLES, "--mask", [1, 0, 1]], (np.exp(LOG_RATIO) - 1 - LOG_RATIO)[[0, 2]].mean()),
}


@pytest.fixture
def value(call):
    """value(kind, input, target, *options): the number that is printed."""

    def value(*args):
        texts = [arg if isinstance(arg, str) else json.dumps(np.asarray(arg).tolist()) for arg in args]
        result = call("loss", *texts, "-q")
        assert (result.code, result.err) == (0, ""), result
        return float(result.out)

    return value


@pytest.mark.parametrize("name", CASES)
def test_value_is_the_textbooks(value, name):
    args, want = CASES[name]
    assert value(*args) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("option", ["--mask", "--row-weight"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("nll", CLASSES),
        ("cross-entropy", CLASSES),
        ("cross-entropy", P),
        ("focal", CLASSES),
        ("kl-div", P),
        ("js", P),
        ("bce-with-logits", YES),
        ("kl-samples", T),
    ],
)
def test_rows_that_do_not_count_might_as_well_not_be_there(value, kind, target, reduction, option):
    """NaN in them is no matter."""
    held = np.where(MASK[:, None], X, np.nan)
    got = value(kind, held, target, option, MASK, "--reduction", reduction)
    assert got == pytest.approx(value(kind, X[MASK == 1], target[MASK == 1], "--reduction", reduction), rel=1e-14)


@pytest.mark.parametrize(
    "kind", ["nll", "cross-entropy", "focal", "kl-div", "js", "bce", "bce-with-logits", "kl-samples"]
)
def test_no_rows_are_as_in_pytorch(call, tmp_path, kind):
    np.save(tmp_path / "x.npy", np.zeros((0, 3)))
    np.save(tmp_path / "y.npy", np.zeros(0, dtype=int))
    target = "y.npy" if kind in {"nll", "focal"} else "x.npy"
    for reduction, printed in (("mean", "nan\n"), ("sum", "0.0\n"), ("none", "")):
        for form in ("value", "tsv", "json", "table"):
            args = ["loss", kind, "x.npy", target, "--reduction", reduction, "-q", "-f", form]
            result = call(*args, cwd=tmp_path)
            assert (result.code, result.err) == (0, "")
            if form == "value":
                assert result.out == printed


def test_what_the_target_does_not_name_may_be_nan(call):
    result = call("loss", "nll", "[[-0.5,NaN],[NaN,-0.25],[NaN,NaN]]", "0,1,-100", "--reduction", "none", "-q")
    assert (result.code, result.out) == (0, "0.5\n0.25\n0.0\n")


@pytest.mark.parametrize(
    ("header", "classes"),
    [
        ("cat,dog", ["dog", "cat"]),
        ("p_cat,p_dog", ["dog", "p_cat"]),
        ("cat_prob,dog_prob", ["dog", "cat"]),
        ("p.cat,p.dog", ["dog", "cat"]),
    ],
)
def test_classes_by_the_names_of_the_columns(call, tmp_path, header, classes):
    rows = "".join(f"{row},{name}\n" for row, name in zip(["0.25,0.75", "0.5,0.5"], classes, strict=True))
    (tmp_path / "t.csv").write_text(f"{header},class\n{rows}")
    (tmp_path / "y.csv").write_text("class\n" + "".join(f"{name}\n" for name in classes))
    for target in ("t.csv:class", "y.csv", "y.csv:class"):
        result = call("loss", "nll", "t.csv:1-2", target, "--input-as", "probs", "--reduction", "none", cwd=tmp_path)
        assert (result.code, result.err) == (0, "")
        assert np.allclose(np.exp(-np.array(result.out.split(), dtype=float)), [0.75, 0.5], rtol=1e-14)
    assert call("loss", "nll", "t.csv", "t.csv:class", "--input-as", "probs", cwd=tmp_path).err == ""


def test_a_name_that_no_column_has(refused, tmp_path):
    (tmp_path / "t.csv").write_text("p_cat,p_dog,class\n0.25,0.75,dog\n0.5,0.5,p\n")
    said = refused(3, "loss", "nll", "t.csv:1-2", "t.csv:class", "--input-as", "probs", cwd=tmp_path)
    assert said == "t.csv:3, column 'class': 'p' is no class; INPUT's columns are p_cat, p_dog"


def test_table_says_how_many_rows_count(call):
    result = call("loss", "nll", "[[-0.5,-1],[-1,-0.5]]", "0,1", "--mask", "1,0", "-f", "table", "-q")
    assert " negative log-likelihood, mean of 1 row, 1 ignored\n" in result.out
    assert "\n 1          1   ignored " in result.out


def test_json_has_the_settings_of_a_loss(call):
    def settings(*args):
        return json.loads(call("loss", *args, "-f", "json", "-q").out)

    found = settings("js", "1,2", "2,1", *BOTH, "--temperature", "2", "--times-t2", "--unit", "bits")["settings"]
    assert found == {"dim": 0, "temperature": 2, "times_t2": True, "unit": "bits", "beta": 0.5, "dtype": "float64"}
    assert settings("focal", "1,2", "1")["settings"]["gamma"] == 2
    assert settings("bce", "0.5", "1", "--ignore-index", "0")["settings"]["ignore_index"] == 0
    assert set(settings("kl-samples", "-1", "-2")["estimates"]) == {"k1", "k2", "k3"}


@pytest.mark.parametrize(
    ("line", "title", "formula"),
    [
        ("kl-div [[1,2],[2,1]] [[1,0],[0,1]] --mask 1,0", "mean of 2 elements, 1 row ignored", "target (log target"),
        (
            "kl-div [[1,2]] [[1,0]] --input-as logits --temperature 2 --times-t2",
            "temperature 2, times its square",
            "tar",
        ),
        ("nll [[-1,-2]] 0 --unit bits", "mean of 1 row, in bits", "-input[target]"),
        ("bce 0.5,0.5 1,0 --row-weight 1,2", "weighted mean of 2 elements", "-(t log q"),
        ("cross-entropy [[0.5,0.5]] 0 --input-as probs", "mean of 1 row", "-log input[target]"),
        ("cross-entropy [[-1,-2]] [[1,0]] --input-as logprobs", "mean of 1 row", "-sum target input"),
    ],
)
def test_table_says_what_the_value_is(call, line, title, formula):
    first, *rest = call("loss", *line.split(), "-f", "table", "-q").out.splitlines()
    assert first.endswith(title)
    assert any(line.startswith(" value ") and f"   {formula}" in line for line in rest)


@pytest.mark.parametrize(
    ("line", "said", "mended"),
    [
        (
            "bce [[0.5,0.5],[0.5,0.5],[0.5,1]] [[1,0],[1,0],[1,0]] --weight 1,2,3",
            "--row-weight's",
            "bce [[0.5,0.5],[0.5,0.5],[0.5,1]] [[1,0],[1,0],[1,0]] --row-weight 1,2,3",
        ),
        ("kl-div 2,1 1,0 --temperature 2", "add --input-as", "kl-div 2,1 0.9,0.1 --temperature 2 --input-as logits"),
        ("cross-entropy 2,1 0 --times-t2", "give that too", "cross-entropy 2,1 0 --times-t2 --temperature 2"),
        (
            "nll [[nan,-1],[-1,-2]] 0,1 --weight 0,1",
            "leave it out by --mask",
            "nll [[nan,-1],[-1,-2]] 0,1 --weight 0,1 --mask 0,1",
        ),
        ("nll [[-1,-2]] 0 --mask 1,0", "give one a row, of shape (1,)", "nll [[-1,-2]] 0 --mask 1"),
        ("nll 1,2 0 --label-smoothing 0.1", "(cross-entropy has it)", "cross-entropy 1,2 0 --label-smoothing 0.1"),
        ("focal 1,2 1,0 --binary --dim 0", "leave it out", "focal 1,2 1,0 --binary"),
        ("bce 0.5,0.5 1,0 --mask 1,2", "weights are --row-weight's", "bce 0.5,0.5 1,0 --row-weight 1,2"),
    ],
)
def test_what_an_error_proposes_is_taken(call, line, said, mended):
    refused = call("loss", *line.split())
    assert refused.code in {2, 4}
    assert said in refused.err
    result = call("loss", *mended.split(), "-q")
    assert (result.code, result.err) == (0, "")
    assert np.isfinite(float(result.out))

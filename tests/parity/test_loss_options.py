"""What people ask of losses beside PyTorch's own arguments, against PyTorch: by its functions, and by --explain."""

import json
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere

from tests.parity.test_explain import run

RNG = np.random.default_rng(8)
X, T = (torch.from_numpy(array) for array in RNG.normal(size=(2, 4, 3)) * 2)
IMAGE = torch.from_numpy(RNG.normal(size=(2, 3, 2, 2)))
CLASSES, PLACES = torch.tensor([0, 2, 1, 0]), torch.from_numpy(RNG.integers(0, 3, size=(2, 2, 2)))
YES = (T > 0).double()
MASK, WEIGHT = torch.tensor([1, 0, 1, 1]), torch.tensor([1.0, 3.0, 0.0, 0.5], dtype=torch.float64)
LOG_Q, P = X.log_softmax(-1), T.softmax(-1)
BOTH = ["--input-as", "logits", "--target-as", "logits"]
OF_CLASSES = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)


def distilled(how):
    soft = F.kl_div((X / 3).log_softmax(-1), (T / 3).log_softmax(-1), reduction=how, log_target=True)
    return 9 * soft


def elements(how):
    return F.kl_div(LOG_Q, P, reduction=how)


def focal(gamma):
    surprise = F.cross_entropy(X, CLASSES, reduction="none")
    return (1 - (-surprise).exp()) ** gamma * surprise


def sigmoid_focal(alpha, gamma):
    """As torchvision's sigmoid_focal_loss is written."""
    p = torch.sigmoid(X)
    surprise = F.binary_cross_entropy_with_logits(X, YES, reduction="none")
    p_t = p * YES + (1 - p) * (1 - YES)
    loss = surprise * ((1 - p_t) ** gamma)
    return ((alpha * YES + (1 - alpha) * (1 - YES)) * loss if alpha >= 0 else loss).mean()


def generalized_js(beta):
    """As in TRL's GKD trainer: divergences from the logarithm of the mixture."""
    log_q, log_p = X.log_softmax(-1), T.log_softmax(-1)
    log_m = torch.logsumexp(
        torch.stack([log_q + np.log(1 - beta), log_p + np.log(beta)]),
        dim=0,
    )
    of_p = F.kl_div(log_m, log_p, reduction="none", log_target=True)
    of_q = F.kl_div(log_m, log_q, reduction="none", log_target=True)
    return (beta * of_p + (1 - beta) * of_q).sum() / len(X)


def row_weighted(losses, divisor):
    return (WEIGHT * losses).sum() / divisor


CASES = {
    "a temperature": (["kl-div", X, T, *BOTH, "--temperature", "3", "--times-t2"], distilled("none").mean()),
    "in a batch": (
        ["kl-div", X, T, *BOTH, "--temperature", "3", "--times-t2", "--reduction", "batchmean"],
        distilled("batchmean"),
    ),
    "of classes": (
        ["cross-entropy", X, CLASSES, "--temperature", "3", "--label-smoothing", "0.1"],
        F.cross_entropy(X / 3, CLASSES, label_smoothing=0.1),
    ),
    "of a teacher": (
        ["cross-entropy", X, T, "--target-as", "logits", "--temperature", "3"],
        F.cross_entropy(X / 3, (T / 3).softmax(-1)),
    ),
    "probabilities": (
        ["cross-entropy", LOG_Q.exp(), CLASSES, "--input-as", "probs", "--weight", OF_CLASSES],
        F.cross_entropy(LOG_Q, CLASSES, weight=OF_CLASSES),
    ),
    "smoothed probabilities": (
        [
            "cross-entropy",
            LOG_Q.exp(),
            CLASSES,
            "--input-as",
            "probs",
            "--label-smoothing",
            "0.2",
            "--weight",
            OF_CLASSES,
        ],
        F.cross_entropy(LOG_Q, CLASSES, weight=OF_CLASSES, label_smoothing=0.2),
    ),
    "smoothed distributions": (
        ["cross-entropy", LOG_Q, P, "--input-as", "logprobs", "--label-smoothing", "0.2"],
        F.cross_entropy(LOG_Q, P, label_smoothing=0.2),
    ),
    "masked classes": (
        ["cross-entropy", X, CLASSES, "--mask", MASK, "--weight", OF_CLASSES],
        F.cross_entropy(X, CLASSES.where(MASK == 1, -100), weight=OF_CLASSES),
    ),
    "masked places": (
        ["cross-entropy", IMAGE, PLACES, "--mask", "[0,1]"],
        F.cross_entropy(IMAGE[1:], PLACES[1:]),
    ),
    "masked elements": (["kl-div", LOG_Q, P, "--mask", MASK], elements("none")[MASK == 1].mean()),
    "masked entries": (["kl-div", LOG_Q, P, "--mask", YES], elements("none")[YES == 1].mean()),
    "masked rows of two": (
        ["bce-with-logits", X, YES, "--mask", MASK],
        F.binary_cross_entropy_with_logits(X[MASK == 1], YES[MASK == 1]),
    ),
    "weights of rows": (
        ["nll", LOG_Q, CLASSES, "--row-weight", WEIGHT, "--weight", OF_CLASSES],
        row_weighted(
            F.nll_loss(LOG_Q, CLASSES, weight=OF_CLASSES, reduction="none"), (WEIGHT * OF_CLASSES[CLASSES]).sum()
        ),
    ),
    "weights of rows of elements": (
        ["kl-div", LOG_Q, P, "--row-weight", WEIGHT, "--reduction", "batchmean"],
        row_weighted(elements("none").sum(-1), WEIGHT.sum()),
    ),
    "ignored elements": (
        ["bce", X.sigmoid(), YES.where(MASK[:, None] == 1, 7), "--ignore-index", "7"],
        F.binary_cross_entropy(X.sigmoid()[MASK == 1], YES[MASK == 1]),
    ),
    "ignored rows": (
        ["kl-div", LOG_Q, P.where(MASK[:, None] == 1, -100), "--ignore-index", "-100"],
        elements("none")[MASK == 1].mean(),
    ),
    "focal": (["focal", X, CLASSES], focal(2).mean()),
    "focal by classes": (
        ["focal", X, CLASSES, "--gamma", "0.5", "--alpha", OF_CLASSES, "--mask", MASK],
        (OF_CLASSES[CLASSES] * focal(0.5))[MASK == 1].mean(),
    ),
    "focal of two": (["focal", X, YES, "--binary"], sigmoid_focal(0.25, 2)),
    "focal of two by its options": (
        ["focal", X, YES, "--binary", "--alpha", "0.7", "--gamma", "1.5"],
        sigmoid_focal(0.7, 1.5),
    ),
    "focal of two without alpha": (["focal", X, YES, "--binary", "--alpha", "-1"], sigmoid_focal(-1, 2)),
    "js": (["js", X, T, *BOTH], generalized_js(0.5)),
    "js by beta": (["js", X, T, *BOTH, "--beta", "0.2"], generalized_js(0.2)),
    "js of rows": (["js", X, T, *BOTH, "--row-weight", "1,1,1,1"], generalized_js(0.5)),
    "bits": (["nll", LOG_Q, CLASSES, "--unit", "bits"], F.nll_loss(LOG_Q, CLASSES) / np.log(2)),
    "samples": (
        ["kl-samples", LOG_Q, P.log()],
        ((LOG_Q - P.log()).exp() - 1 - (LOG_Q - P.log())).mean(),
    ),
}


def written(args):
    return [json.dumps(arg.tolist()) if isinstance(arg, torch.Tensor) else arg for arg in args]


@pytest.mark.parametrize("name", CASES)
def test_value_and_script_are_pytorchs(call, name):
    args, want = CASES[name]
    expected = want.item()
    result = call("loss", *written(args), "-q")
    assert (result.code, result.err) == (0, "")
    assert float(result.out) == pytest.approx(expected, rel=1e-12)
    script = call("loss", *written(args), "-q", "--explain").out
    assert float(run(script)[0]) == pytest.approx(expected, rel=1e-12)
    assert all(len(line) <= 160 for line in script.splitlines())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", [name for name, (args, _) in CASES.items() if "batchmean" not in args])
def test_script_says_the_same_in_every_reduction(call, name, reduction, dtype):
    args = [*written(CASES[name][0]), "--reduction", reduction, "--dtype", dtype, "-q"]
    got = np.array(call("loss", *args).out.split(), dtype=float)
    loss = run(call("loss", *args, "--explain").out)[1]["loss"]
    assert str(loss.dtype) == f"torch.{dtype}"
    np.testing.assert_allclose(got, loss.numpy().reshape(-1), rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-7)


@pytest.mark.parametrize("reduction", ["mean", "sum", "batchmean"])
def test_no_rows(call, tmp_path, reduction):
    np.save(tmp_path / "x.npy", np.zeros((0, 3)))
    np.save(tmp_path / "y.npy", np.zeros(0, dtype=int))
    empty, none = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="reduction: 'mean' divides")
        want = {"kl-div": F.kl_div(empty, empty, reduction=reduction)}
        if reduction != "batchmean":
            want |= {
                "cross-entropy": F.cross_entropy(empty, none, reduction=reduction),
                "nll": F.nll_loss(empty, none, reduction=reduction),
                "bce": F.binary_cross_entropy(empty, empty, reduction=reduction),
                "bce-with-logits": F.binary_cross_entropy_with_logits(empty, empty, reduction=reduction),
            }
    for kind, expected in want.items():
        target = "y.npy" if kind in {"cross-entropy", "nll"} else "x.npy"
        args = ["loss", kind, "x.npy", target, "--reduction", reduction, "-q"]
        assert np.array_equal(float(call(*args, cwd=tmp_path).out), expected.item(), equal_nan=True)
        script = call(*args, "--explain", cwd=tmp_path).out
        assert np.array_equal(float(run(script)[0]), expected.item(), equal_nan=True)


def test_nan_that_nothing_selects(call):
    nan = float("nan")
    x = torch.tensor([[-0.5, nan], [nan, -0.25], [nan, nan]], dtype=torch.float64)
    target = torch.tensor([0, 1, -100])
    found = float(call("loss", "nll", json.dumps(x.tolist()), "0,1,-100", "-q").out)
    assert found == F.nll_loss(x, target).item()

"""Bad input of `klcli loss`: its exit code, and one line on stderr that says where, what, and how to mend it."""

import io
import shlex

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

KINDS = ["kl-div", "cross-entropy", "nll", "bce", "bce-with-logits", "focal", "js", "kl-samples"]
PLAIN = KINDS[:5]
"""The losses that are functions of PyTorch."""
GOOD = {
    "kl-div": ["-1,-2", "0.5,0.5"],
    "cross-entropy": ["1,2", "0"],
    "nll": ["-1,-2", "0"],
    "bce": ["0.5,0.25", "1,0"],
    "bce-with-logits": ["1,2", "1,0"],
    "focal": ["1,2", "0"],
    "js": ["-1,-2", "0.5,0.5"],
    "kl-samples": ["-1,-2", "-1,-1"],
}
BELOW_0 = "a probability is at least 0 and finite; for log-probabilities add --log-target"
OUTSIDE = "a probability is from 0 to 1"
NAN = "is nan; so would the loss be; find where it comes from"
WEIGHT = "a weight is finite and at least 0"
SAME = "they need the same: nothing is repeated to make them match"
AXIS = "they need the same: take the axis of length 1 off"
NO_CLASSES = "a row needs a number for each class"


def saved(save=np.save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


@pytest.fixture
def loss(refused, tmp_path):
    """loss(code, 'kind INPUT TARGET ...'): the complaint about a command line as a shell splits it."""

    def loss(code, line, **how):
        return refused(code, "loss", *(shlex.split(line) if isinstance(line, str) else line), cwd=tmp_path, **how)

    return loss


# --------------------------------------------------------------------------------------------------------------- shapes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "cross-entropy [[2,1,0]] 0,1",
            (
                "INPUT has shape (1, 3), with 3 classes on axis 1, so TARGET needs (1,) for class indices or "
                "(1, 3) for probabilities; TARGET has shape (2,)"
            ),
        ),
        (
            "cross-entropy [[2,1],[1,2]] 0",
            (
                "INPUT has shape (2, 2), with 2 classes on axis 1, so TARGET needs (2,) for class indices or "
                "(2, 2) for probabilities; TARGET is a single number"
            ),
        ),
        (
            "cross-entropy 2,1 [0,1,1]",
            (
                "INPUT has shape (2,), with 2 classes on axis 0, so TARGET needs a single class index or (2,) for "
                "probabilities; TARGET has shape (3,)"
            ),
        ),
        (
            "cross-entropy [[[1,2,3],[3,4,5]]] [[0,1]]",
            (
                "INPUT has shape (1, 2, 3), with 2 classes on axis 1, so TARGET needs (1, 3) for class indices or "
                "(1, 2, 3) for probabilities; TARGET has shape (1, 2); with the classes on the last axis add --dim -1"
            ),
        ),
        (
            "nll [[-1,-2]] [[0.5,0.5]]",
            (
                "INPUT has shape (1, 2), with 2 classes on axis 1, so TARGET needs (1,) for class indices; "
                "TARGET has shape (1, 2); nll takes no probabilities, cross-entropy does"
            ),
        ),
        (
            "nll [[-1,-2],[-1,-2]] [[0],[1]]",
            (
                "INPUT has shape (2, 2), with 2 classes on axis 1, so TARGET needs (2,) for class indices; "
                "TARGET has shape (2, 1); take the axis of length 1 off"
            ),
        ),
        ("kl-div [[-1,-2]] 0.5,0.5", f"INPUT has shape (1, 2), TARGET has shape (2,); {AXIS}"),
        ("kl-div -1,-2 1", f"INPUT has shape (2,), TARGET is a single number; {SAME}"),
        ("bce 0.5 [0]", f"INPUT is a single number, TARGET has shape (1,); {AXIS}"),
        ("bce 0.5,0.5 1,0,1", f"INPUT has shape (2,), TARGET has shape (3,); {SAME}"),
        ("bce-with-logits [[1,2],[3,4]] 1,0", f"INPUT has shape (2, 2), TARGET has shape (2,); {SAME}"),
        ("cross-entropy 2,1 0 --weight 1,2,3", "--weight has 3 values, and there are 2 classes; give a weight a class"),
        ("cross-entropy 2,1 0 --weight 1", "--weight has shape (), and there are 2 classes; give a weight a class"),
        ("nll -2,-1 0 --weight [[1,2]]", "--weight has shape (1, 2), and there are 2 classes; give a weight a class"),
        ("bce 0.5,0.5 1,0 --weight 1,2,3", "--weight has shape (3,), which does not fit INPUT of shape (2,)"),
        ("bce 0.5,0.5 1,0 --weight [[1,2]]", "--weight has shape (1, 2), which does not fit INPUT of shape (2,)"),
        ("bce-with-logits 1,2 1,0 --pos-weight 1,2,3", "--pos-weight has shape (3,), which does not fit INPUT of"),
    ],
)
def test_shapes_that_do_not_match(loss, line, message):
    assert loss(4, line).startswith(message)


@pytest.mark.parametrize("kind", ["kl-div", "cross-entropy", "nll", "focal", "js"])
def test_no_classes(loss, write, kind):
    write("x.npy", saved(np.save, np.zeros((2, 0, 3), dtype="f4")))
    for text, shape in [("[]", "(0,)"), ("[[],[]]", "(2, 0)")]:
        axis = len(shape.split()) - 1
        assert loss(4, [kind, text, text]) == f"INPUT has shape {shape}, with no classes on axis {axis}; {NO_CLASSES}"
        assert f"TARGET has shape {shape}" in loss(4, [kind, GOOD[kind][0], text])
    assert loss(4, [kind, "x.npy", "[]", "--dim", "1"]).startswith(
        "x.npy has shape (2, 0, 3), with no classes on axis 1"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "nll [[-1,-2],[-2,-1]] 0,1 --mask [[1,0],[1,1]]",
            "--mask has shape (2, 2), and INPUT has shape (2, 2); give one a row, of shape (2,)",
        ),
        (
            "kl-div [[-1,-2],[-2,-1]] [[1,0],[0,1]] --mask 1,0,1",
            "--mask has shape (3,), and INPUT has shape (2, 2); give one a row, of shape (2,), or one an entry",
        ),
        (
            "kl-div [[-1,-2],[-2,-1]] [[1,0],[0,1]] --mask 1",
            "--mask is a single number, and INPUT has shape (2, 2); give one a row",
        ),
        ("bce 0.5,0.5 1,0 --mask 1,2", "--mask[1] is 2; a mask is 0 or 1, weights are --row-weight's"),
        ("bce 0.5,0.5 1,0 --mask 1,nan", "--mask[1] is nan; a mask is 0 or 1"),
        (
            "js [[-1,-2],[-2,-1]] [[1,0],[0,1]] --row-weight 1,2,3",
            "--row-weight has shape (3,), and INPUT has shape (2, 2); give one a row, of shape (2,)",
        ),
        ("nll -1,-2 0 --row-weight 1,2", "--row-weight has shape (2,), and INPUT has shape (2,); give a single one"),
        ("nll [[-1,-2]] 0 --row-weight -1", f"--row-weight is -1; {WEIGHT}"),
        (
            "bce [[0.5,0.5],[0.5,0.5],[0.5,0.5]] [[1,0],[1,0],[1,0]] --weight 1,2,3",
            "--weight has shape (3,), which does not fit INPUT of shape (3, 2); a weight a row is --row-weight's",
        ),
        ("focal 1,2,3 1 --alpha 1,2", "--alpha has 2 values, and there are 3 classes; give a weight a class"),
        (
            "focal [[1,2,3]] [[1,0,0]]",
            (
                "INPUT has shape (1, 3), with 3 classes on axis 1, so TARGET needs (1,) for class indices; TARGET has "
                "shape (1, 3); focal takes no probabilities, cross-entropy does"
            ),
        ),
        (
            "nll [[nan,-1],[-1,-2]] 0,1 --weight 0,1",
            "INPUT[0, 0] is nan; so would the loss be, by a weight of 0 too; leave it out by --mask",
        ),
    ],
)
def test_masks_and_weights_that_do_not_fit(loss, line, message):
    assert loss(4, line).startswith(message)


# --------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("3,0", "TARGET[0] is 3; there are 3 classes, counted from 0; --ignore-index leaves rows out"),
        ("0,-1", "TARGET[1] is -1; there are 3 classes, counted from 0; --ignore-index leaves rows out"),
        ("0,1.5", "TARGET[1] is 1.5; a class index is a whole number"),
        ("0,nan", "TARGET[1] is nan; a class index is a whole number"),
        ("1e300,0", "TARGET[0] is 1e+300; a class index is a whole number"),
        ("2.0000000000000004,0", "TARGET[0] is 2.0000000000000004; a class index is a whole number"),
        ("y.csv", "y.csv:3, column 'y' is 7; there are 3 classes"),
        ("y.npy", "y.npy[1] is 9; there are 3 classes"),
        ("huge.npy", "huge.npy[0] is 9223372036854775808; a class index is a whole number"),
        ("y.ndjson:a", "y.ndjson:2, column 'a' is 3; there are 3 classes"),
    ],
)
@pytest.mark.parametrize("kind", ["cross-entropy", "nll"])
def test_what_is_no_class(loss, write, kind, target, message):
    write("y.csv", "y\n0\n7\n")
    write("y.npy", saved(np.save, np.array([0, 9], dtype="u1")))
    write("huge.npy", saved(np.save, np.array([2**63, 0], dtype="u8")))
    write("y.npz", saved(np.savez, k=np.array([0, -3])))
    write("y.json", '{"a":[0,3]}')
    write("y.ndjson", '{"a":0}\n{"a":3}\n')
    assert loss(4, [kind, "[[-1,-2,-3],[-1,-2,-3]]", target]).startswith(message)


@pytest.mark.parametrize("kind", ["cross-entropy", "nll"])
@pytest.mark.parametrize(
    ("given", "target", "place"),
    [
        ("-2,-1,-0.1", "{}", "TARGET"),
        ("-2,-1,-0.1", "[{}]", "TARGET"),
        ("[[-2,-1,-0.1]]", "{}", "TARGET"),
        ("[[-2,-1,-0.1]]", "[{}]", "TARGET[0]"),
        ("-2,-1,-0.1", "y.csv:y", "y.csv:y"),
        ("[[-2,-1,-0.1]]", "y.csv:y", "y.csv:2, column 'y'"),
    ],
)
def test_a_lone_class_that_is_none(loss, write, kind, given, target, place):
    for wrong, why in [("5", "there are 3 classes"), ("1.5", "a class index is"), ("-1e300", "a class index is")]:
        write("y.csv", f"y\n{wrong}\n")
        shown = "-1e+300" if wrong == "-1e300" else wrong
        assert loss(4, [kind, given, target.format(wrong)]).startswith(f"{place} is {shown}; {why}")
    assert loss(4, [kind, given, target.format("NaN")]).startswith(f"{place} is ") or "csv" in target


@pytest.mark.parametrize("kind", ["kl-div", "cross-entropy", "nll"])
@pytest.mark.parametrize("form", ["value", "table", "json", "tsv"])
def test_a_single_number_has_no_classes(loss, write, kind, form):
    mend = f"{kind} needs one for each class, as 0.7,0.2,0.1"
    write("x.npy", saved(np.save, np.array(-0.5)))
    for target in ("0", "[0]"):
        assert loss(4, [kind, "-0.5", target, "-f", form]) == f"INPUT is a single number; {mend}"
        assert loss(4, [kind, "x.npy", target, "-f", form]) == f"x.npy is a single number; {mend}"
    assert loss(4, [kind, "-0.5", "0", "--dim", "0"]) == f"INPUT is a single number; {mend}"


def test_a_class_index_at_each_place_of_an_image(loss):
    assert loss(4, "cross-entropy [[[1,2],[3,4]]] [[0,7]]").startswith("TARGET[0, 1] is 7; there are 2 classes")
    assert loss(4, "cross-entropy [[1,2,3],[4,5,6]] 0,1,2 --dim 0").startswith("TARGET[2] is 2; there are 2 classes")
    assert loss(4, "cross-entropy 1,2 1 --ignore-index 0 --weight -1,1").startswith("--weight[0] is -1")
    assert loss(4, "cross-entropy [[1,2]] [-100] --ignore-index 1").startswith("TARGET[0] is -100; there are 2")


@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_is_named_by_its_place(loss, write, kind):
    good = "[[0.5,0.25]]"
    indices = kind in {"nll", "focal"}
    write("x.csv", "a,b\n1,2\n0.5,nan\n")
    write("x.npy", saved(np.save, np.array([[0.5, np.nan]], dtype="f2")))
    write("x.parquet", b"")
    parquet.write_table(pa.table({"v": [[0.5, float("nan")]]}), write("x.parquet", b""))
    for text, place in [
        ("[[NaN,1]]", "INPUT[0, 0]"),
        ("[[0.5,NaN]]", "INPUT[0, 1]"),
        ('[["nan",1]]', "INPUT[0, 0]"),
        ("x.npy", "x.npy[0, 1]"),
        ("x.parquet:v", "x.parquet, row 1, column 'v'[1]"),
    ]:
        target = f"[{int(place[-2])}]" if indices else good
        assert loss(4, [kind, text, target]) == f"{place} {NAN}"
        if not indices:
            assert loss(4, [kind, good, text]) == f"{place.replace('INPUT', 'TARGET')} {NAN}"
    classes = "0,1" if indices else "[[0,1],[0,1]]"
    assert f"x.csv:3, column 'b' {NAN}" in loss(4, [kind, "x.csv", classes]) or kind == "bce"


def test_the_first_nan_of_several_axes(loss):
    for dim in ("1", "-1", "0"):
        target = {"1": "[[0,1]]", "-1": "[[0,1]]", "0": "[[0,0],[0,0]]"}[dim]
        assert loss(4, ["cross-entropy", "[[[1,2],[3,NaN]]]", target, "--dim", dim]) == f"INPUT[0, 1, 1] {NAN}"


def test_a_nan_beyond_the_first_block_of_rows(loss, write):
    values = np.zeros((300_000, 2), dtype="f4")
    values[299_998, 1] = np.nan
    write("x.npy", saved(np.save, values))
    write("y.npy", saved(np.save, np.zeros(300_000, dtype="u1")))
    assert loss(4, "cross-entropy x.npy y.npy") == f"x.npy[299998, 1] {NAN}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kl-div [[-1,-2]] [[-0.5,1.5]]", f"TARGET[0, 0] is -0.5; {BELOW_0}"),
        ("kl-div -1,-2 0.5,inf", f"TARGET[1] is inf; {BELOW_0}"),
        ("kl-div -1,-2 0.5,-inf", f"TARGET[1] is -inf; {BELOW_0}"),
        ("kl-div 0.5,1.5 1,0 --input-as probs", f"INPUT[1] is 1.5; {OUTSIDE}"),
        ("kl-div 0.5,-0.5 1,0 --input-as probs", f"INPUT[1] is -0.5; {OUTSIDE}"),
        ("nll 1.1,0 0 --input-as probs", f"INPUT[0] is 1.1; {OUTSIDE}"),
        ("cross-entropy [[1,2]] [[1.5,-0.5]]", "TARGET[0, 1] is -0.5; a probability is at least 0"),
        ("cross-entropy [[1,2]] [[1.5,Infinity]]", "TARGET[0, 1] is inf; a probability is at least 0"),
        ("bce 0.5,1.5 1,0", f"INPUT[1] is 1.5; {OUTSIDE}; logits are bce-with-logits'"),
        ("bce -0.5,0.5 1,0", f"INPUT[0] is -0.5; {OUTSIDE}; logits are bce-with-logits'"),
        ("bce 1.0000000000000002 1", f"INPUT is 1.0000000000000002; {OUTSIDE}; logits are bce-with-logits'"),
        ("bce 0.5,inf 1,0", f"INPUT[1] is inf; {OUTSIDE}; logits are bce-with-logits'"),
        ("bce 0.5,0.5 1,2", f"TARGET[1] is 2; {OUTSIDE}"),
        ("bce 0.5,0.5 1,-1", f"TARGET[1] is -1; {OUTSIDE}"),
        ("bce 120% 1", f"INPUT is 1.2; {OUTSIDE}; logits are bce-with-logits'"),
        ("bce-with-logits 5,6 1,2", f"TARGET[1] is 2; {OUTSIDE}"),
        ("bce-with-logits 5 -1", f"TARGET is -1; {OUTSIDE}"),
        ("cross-entropy 2,1 1 --weight 1,-2", f"--weight[1] is -2; {WEIGHT}"),
        ("cross-entropy 2,1 1 --weight -1,2", f"--weight[0] is -1; {WEIGHT}"),
        ("cross-entropy 2,1 1 --weight 1,nan", f"--weight[1] is nan; {WEIGHT}"),
        ("nll -2,-1 1 --weight inf,1", f"--weight[0] is inf; {WEIGHT}"),
        ("bce 0.5,0.5 1,0 --weight -1", f"--weight is -1; {WEIGHT}"),
        ("bce [[0.5,0.5]] [[1,0]] --weight [[1,-1]]", f"--weight[0, 1] is -1; {WEIGHT}"),
        ("bce-with-logits 2,1 1,0 --pos-weight nan,1", f"--pos-weight[0] is nan; {WEIGHT}"),
        ("bce-with-logits 2,1 1,0 --pos-weight 1,-1", f"--pos-weight[1] is -1; {WEIGHT}"),
    ],
)
def test_values_that_cannot_be(loss, line, message):
    assert loss(4, line) == message


def test_a_bad_value_of_a_table_is_named_by_its_cell(loss, write):
    write("x.csv", "id,p,w\na,0.5,1\n\nb,1.5,-1\n")
    assert loss(4, "bce x.csv:p 0,1") == f"x.csv:4, column 'p' is 1.5; {OUTSIDE}; logits are bce-with-logits'"
    assert loss(4, "bce-with-logits 1,2 x.csv:p") == f"x.csv:4, column 'p' is 1.5; {OUTSIDE}"
    assert loss(4, "bce 0.5,0.5 0,1 --weight x.csv:w") == f"x.csv:4, column 'w' is -1; {WEIGHT}"


# ---------------------------------------------------------------------------------------------------------------- usage


@pytest.mark.parametrize(
    ("line", "bad", "meant"),
    [
        ("crossentropy 1,2 0", "crossentropy", "cross-entropy"),
        ("CrossEntropyLoss 1,2 0", "CrossEntropyLoss", "cross-entropy"),
        ("kldiv 1,2 0", "kldiv", "kl-div"),
        ("bce-logits 1,2 0", "bce-logits", "bce-with-logits"),
        ("nll -1,-2 0 --reduction men", "men", "mean"),
        ("kl-div -1,-2 0.5,0.5 --reduction batch-mean", "batch-mean", "batchmean"),
        ("bce 0.5 0 --dtype float23", "float23", "float32"),
        ("nll -1,-2 0 --input-as prob", "prob", "probs"),
        ("kl-div -1,-2 0,1 --target-as log-probs", "log-probs", "logprobs"),
        ("cross-entropy 1,2 0 -g value,kl_div", "kl_div", "kl_divergence"),
        ("bce-with-logits 1 0 --pos-weights 2", "--pos-weights", "--pos-weight"),
        ("cross-entropy 1,2 0 --fail-above val=2", "val", "value"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(loss, line, bad, meant):
    message = loss(2, line)
    assert f"'{bad}'" in message
    assert f"Did you mean '{meant}'?" in message


def test_an_unknown_loss_is_answered_with_all_there_are(loss):
    assert loss(2, "mse 1,2 0") == f"no loss 'mse'; there are {', '.join(KINDS)}."


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("kl-div", ["--weight=1,1", "--label-smoothing=0.1", "--pos-weight=1", "--beta=0.1", "--gamma=1"]),
        ("cross-entropy", ["--log-target", "--pos-weight=1", "--beta=0.1", "--estimator=k1", "--binary"]),
        ("nll", ["--target-as=probs", "--log-target", "--pos-weight=1", "--label-smoothing=0.1", "--temperature=2"]),
        ("bce", ["--dim=0", "--label-smoothing=0.1", "--input-as=logits", "--log-target", "--times-t2"]),
        ("bce-with-logits", ["--dim=0", "--label-smoothing=0.1", "--input-as=probs", "--alpha=1"]),
        ("focal", ["--unit=bits", "--weight=1,1", "--input-as=probs", "--label-smoothing=0.1"]),
        ("js", ["--weight=1,1", "--estimator=k1"]),
        ("kl-samples", ["--unit=bits", "--dim=0", "--ignore-index=0", "--input-as=probs"]),
    ],
)
def test_an_option_of_another_loss_is_refused(loss, call, kind, options):
    for option in options:
        message = loss(2, [kind, *GOOD[kind], option])
        assert message.startswith(f"no option '{option.partition('=')[0]}' (")
        assert " it)." in message
        assert message.endswith(f"See klcli loss {kind} --help")
        having = message.partition("(")[2].partition(" ha")[0].split(", ")
        assert kind not in having
        for other in having:
            assert "no option" not in call("loss", other, *GOOD[other], option).err


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"kl-div", "js"}])
def test_batchmean_is_of_kl_div_alone(loss, kind):
    message = "--reduction batchmean is kl-div's and js's; the mean of the rows is mean here"
    assert loss(2, [kind, *GOOD[kind], "--reduction", "batchmean"]) == message


@pytest.mark.parametrize("kind", KINDS)
def test_missing_operands_are_named(loss, kind):
    assert loss(2, [kind]) == f"missing argument 'INPUT'; see klcli loss {kind} --help"
    assert loss(2, [kind, "1,2"]) == f"missing argument 'TARGET'; see klcli loss {kind} --help"
    assert "extra argument" in loss(2, [kind, *GOOD[kind], "1"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cross-entropy 1,2 0 --label-smoothing 1.1", "--label-smoothing '1.1': a share is from 0 to 1"),
        ("cross-entropy 1,2 0 --label-smoothing -0.1", "--label-smoothing '-0.1': a share is from 0 to 1"),
        ("cross-entropy 1,2 0 --label-smoothing nan", "--label-smoothing: 'nan' is no value to set"),
        (
            "kl-div -1,-2 1,0 --temperature 2",
            "--temperature divides logits, and INPUT is logprobs; for logits add --input-as",
        ),
        (
            "kl-div 1,2 1,0 --input-as logits --temperature 0",
            "--temperature '0': logits are divided by it, so it is above",
        ),
        ("cross-entropy 1,2 1 --temperature inf", "--temperature 'inf': logits are divided by it, so it is above 0"),
        ("cross-entropy 1,2 1 --times-t2", "--times-t2 multiplies by the square of --temperature; give that too, or"),
        ("cross-entropy 1,2 1 --target-as logits", "--target-as logits: TARGET is class indices; leave it out"),
        (
            "js -1,-2 1,0 --beta 1",
            "--beta '1': it is between 0 and 1, where the divergence is 0; kl-div takes no mixture",
        ),
        ("focal 1,2 1 --gamma -1", "--gamma '-1': it is at least 0 and finite"),
        ("focal 1,2 1,0 --binary --alpha 1.5", "--alpha '1.5': with --binary it is from 0 to 1, or -1 for none"),
        ("focal 1,2 1,0 --binary --alpha 1,2", "--alpha: '1,2' is not a number"),
        ("focal 1,2 1,0 --binary --dim 0", "--dim 0: with --binary elements have no classes; leave it out"),
        ("kl-samples -1 -1 --estimator k4", "--estimator 'k4': it is one of k1, k2, k3."),
        (
            "kl-samples -1 -1 -g perplexity",
            "--get 'perplexity': it is one of value, rows, log_probabilities, k1, k2, k3.",
        ),
        ("nll -1,-2 0 --unit bit", "--unit 'bit': it is one of nats, bits, hartleys. Did you mean 'bits'?"),
        ("cross-entropy 1,2 0 --label-smoothing ''", "--label-smoothing: '' is not a number"),
        (
            "cross-entropy 1,2 0 --dim 1",
            "--dim 1: INPUT has shape (2,), whose axes are 0 to 0, or from the end -1 to -1",
        ),
        (
            "nll [[-1,-2]] 0 --dim -3",
            "--dim -3: INPUT has shape (1, 2), whose axes are 0 to 1, or from the end -1 to -2",
        ),
        ("cross-entropy 1,2 0 --ignore-index 1.5", "invalid value for '--ignore-index': '1.5' is not a valid int"),
        (
            "kl-div -1,-2 1,0 --log-target --target-as probs",
            "--log-target means --target-as logprobs; it does not go with --target-as probs",
        ),
        (
            "cross-entropy 1,2 0 --explain -f json",
            "--explain prints a script instead of the result; leave out --format",
        ),
        ("cross-entropy 1,2 0 --explain -g value", "--explain prints a script instead of the result"),
        ("cross-entropy 1,2 0 -g value -f xml", "--format 'xml': it is one of auto, value, table"),
        (
            "cross-entropy 1,2 0 --weight 1,1 -g entropy",
            "--get entropy: with --weight the loss is not the cross-entropy",
        ),
        (
            "cross-entropy 1,2 0 --weight",
            "option '--weight' requires an argument; see klcli loss cross-entropy --help",
        ),
        ("cross-entropy 1,2 0 --fail-above rows=1", "--fail-above 'rows': it is one of value."),
        ("cross-entropy 1,2 0 -g ''", "--get '': it is one of value, rows, log_probabilities, entropy"),
        ("cross-entropy 1,2 0 -o x.npy", "--output 'x.npy': no format has the suffix '.npy'; add -f"),
        ("cross-entropy -x 0", "no option '-x'"),
        ("cross-entropy -Infinitely,0 1", "no option '-I'"),
    ],
)
def test_misuse_is_refused_and_leaves_nothing(loss, tmp_path, line, message):
    assert loss(2, line).startswith(message)
    assert not list(tmp_path.iterdir())


def test_usage_is_checked_before_standard_input_is_read(loss):
    for option in ("--reduction=men", "-f=x", "--fail-above=x", "--label-smoothing=2"):
        loss(2, ["cross-entropy", "-", "-", option], input="garbage")


# ---------------------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize("text", ["", "0.4,x", "[[1],[2,3]]", "[1,null]", "cat"])
def test_text_that_is_no_tensor_is_refused_by_its_role(loss, text):
    assert loss(3, ["cross-entropy", "1,2", text]).startswith("TARGET")
    assert loss(3, ["cross-entropy", "1,2", "0", "--weight", text]).startswith("--weight")
    assert loss(3, ["bce-with-logits", "1,2", "0,1", "--pos-weight", text]).startswith("--pos-weight")


def test_the_first_of_several_bad_operands_is_named(loss):
    assert loss(3, "bce x,1 y,1 --weight z,1").startswith("INPUT, item 1: 'x'")
    assert loss(3, "bce 1,1 y,1 --weight z,1").startswith("TARGET, item 1: 'y'")
    assert loss(3, "bce 1,1 1,1 --weight 1,z --pos-weight w,1").startswith("--weight, item 2: 'z'")
    assert loss(3, "bce 1,1 1,1 --pos-weight w,1").startswith("--pos-weight, item 1: 'w'")


# --------------------------------------------------------------------------------------------------------------- gates


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cross-entropy -inf,1 0 --fail-above 1e308", "value is inf, above 1e+308"),
        ("cross-entropy inf,inf 0 --fail-above 100", "value is nan, which is not at most 100.0"),
        ("cross-entropy inf,inf 0 --fail-above inf", "value is nan, which is not at most inf"),
        ("cross-entropy 1,2 -100 --fail-above 100", "value is nan, which is not at most 100.0"),
        ("cross-entropy [[1,2],[2,1]] 0,0 --reduction none --fail-above 1", "value is 1.3132616875182228, above 1.0"),
        ("cross-entropy [[2,1],[1,2]] 0,0 --reduction none --fail-above 1", "value is 1.3132616875182228, above 1.0"),
        ("kl-div -inf,0 0.5,0.5 --fail-above 9", "value is inf, above 9.0"),
        ("bce 0.5 1 --fail-above 9 --fail-above value=0.1", "value is 0.6931471805599453, above 0.1"),
    ],
)
def test_infinite_and_undefined_values_exceed_every_gate(call, line, says):
    result = call("loss", *shlex.split(line), "-q")
    assert (result.code, result.err) == (1, f"klcli: {says}\n")
    assert result.out

"""Every way to write a tensor means the same numbers to `klcli loss`, whatever the file, the type or the layout."""

import io
import json
import shlex

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

# Exact in every type from float16 on.
LOGITS = np.array([[2, 1, 0.125], [0.5, -2, 0.25]])
CLASSES = np.array([0, 2])
INLINE = "[[2,1,0.125],[0.5,-2,0.25]]"
CSV = "id,a,b,c,y\nu,2,1,0.125,0\nv,0.5,-2,0.25,2\n"
RECORDS = [{"logits": row, "y": y} for row, y in zip(LOGITS.tolist(), CLASSES.tolist(), strict=True)]
DOCUMENT = {"out": {"logits": LOGITS.tolist()}, "y": CLASSES.tolist()}


def log_softmax(logits, axis=1):
    return logits - np.log(np.exp(logits).sum(axis=axis, keepdims=True))


def cross_entropy(logits, classes):
    return float(-log_softmax(logits)[np.arange(len(classes)), classes].mean())


def bce(q, p):
    return float(-(p * np.log(q) + (1 - p) * np.log1p(-q)).mean())


EXPECTED = cross_entropy(LOGITS, CLASSES)


def saved(save=np.save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


@pytest.fixture
def value(call, tmp_path):
    """value(*args): the one number that a loss prints; the run must succeed and say nothing else."""

    def value(*args, **how):
        result = call("loss", *args, cwd=tmp_path, **how)
        assert (result.code, result.err) == (0, ""), result
        return float(result.out)

    return value


@pytest.fixture
def files(tmp_path):
    """Both operands in files; tests/readers/test_arrays.py has every kind there is."""
    contents = {
        "x.npy": saved(np.save, LOGITS),
        "y.npy": saved(np.save, CLASSES),
        "x.npz": saved(np.savez, LOGITS),
        "xy.npz": saved(np.savez, logits=LOGITS, y=CLASSES),
        "x.csv": CSV.encode(),
        "semicolon.csv": CSV.replace(",", ";").replace(".", ",").encode(),
        "pipe.csv": CSV.replace(",", "|").encode(),
        "document.json": json.dumps(DOCUMENT).encode(),
        "records.ndjson": "".join(json.dumps(record) + "\n" for record in RECORDS).encode(),
        "headless.csv": b"2,1,0.125\n0.5,-2,0.25\n",
        "unknown": saved(np.save, LOGITS),
        "1,2": INLINE.encode(),
    }
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    parquet.write_table(pa.table({"logits": LOGITS.tolist(), "y": CLASSES}), tmp_path / "lists.parquet")
    return tmp_path


@pytest.mark.parametrize(
    "args",
    [
        f"{INLINE} '0;2'",
        f"{INLINE} [0.0,2e0]",
        "'2,1,0.125\n1/2 -2 25%' '0\n2'",
        '\' [["2", 1, 0.125], [0.5, "-2", "1/4"]] \' \'["0", 2]\'',
        "-- '[[2,1,.125],[.5,-2,.25]]'.json 0,2",
        "@x.npy ./y.npy",
        "@xy.npz:logits xy.npz:y",
        "x.csv:a:c x.csv:y",
        "semicolon.csv:a:c semicolon.csv:y --decimal ,",
        "pipe.csv:a:c pipe.csv:y --delimiter |",
        "headless.csv 0,2 --input-format text",
        "@document.json#/out/logits document.json:y",
        "records.ndjson:logits records.ndjson:y",
        "unknown 0,2 --input-format npy",
        "@1,2 0,2 --input-format json",
        "lists.parquet:logits lists.parquet:y",
        "x.csv:a:c records.ndjson:y",
    ],
)
def test_every_way_to_write_the_operands_gives_the_same_value(value, files, args):
    (files / "[[2,1,.125],[.5,-2,.25]].json").write_text(INLINE)
    assert value("cross-entropy", *shlex.split(args)) == pytest.approx(EXPECTED, rel=1e-14)


@pytest.mark.parametrize(
    ("args", "data"),
    [
        (f"{INLINE} -", "\ufeff[0, 2]\n"),
        ("@-:a:c @-:y", CSV),
        ("-:a:c -:y --input-format tsv", CSV.replace(",", "\t")),
        ("-:a:c -:y --decimal ,", CSV.replace(",", ";").replace(".", ",")),
        ("-#/out/logits -#/y", json.dumps(DOCUMENT)),
        ("-:logits -:y --input-format json", json.dumps(RECORDS)),
        ("-:logits -:y --input-format npz", saved(np.savez, logits=LOGITS, y=CLASSES)),
    ],
)
def test_standard_input_gives_the_same_value(value, args, data):
    assert value("cross-entropy", *shlex.split(args), input=data) == pytest.approx(EXPECTED, rel=1e-14)


def test_a_spreadsheet(value, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in CSV.splitlines():
        book.active.append([cell if cell[0].isalpha() else float(cell) for cell in row.split(",")])
    book.save(tmp_path / "x.xlsx")
    assert value("cross-entropy", "x.xlsx:a:c", "x.xlsx:y") == pytest.approx(EXPECTED, rel=1e-14)


def test_an_array_of_no_axes(value, write):
    write("x.npy", saved(np.save, np.array(0.25)))
    write("y.npy", saved(np.save, np.array(1)))
    for args in (["x.npy", "y.npy"], ["x.npy", "1"], ["0.25", "y.npy"], ["25%", "1"], ["1/4", "1"]):
        assert value("bce", *args) == pytest.approx(-np.log(0.25), rel=1e-15)
    assert value("bce-with-logits", "-1", "0") == pytest.approx(np.log1p(np.exp(-1)), rel=1e-15)


def test_a_hundred_thousand_classes(value, write):
    logits = np.sin(np.arange(100_000.0))[np.newaxis]
    write("x.npy", saved(np.save, logits))
    expected = cross_entropy(logits, [99_999])
    for target in ("99999", "[99999]", "99999.0"):
        assert value("cross-entropy", "x.npy", target) == pytest.approx(expected, rel=1e-13)
    assert value("cross-entropy", "x.npy", "99999", "--dim", "-1") == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("target", ["2", "[2]", "2.0"])
@pytest.mark.parametrize("logits", ["-1,2,0.5", "[-1,2,0.5]", "[[-1,2,0.5]]", "'-1 2 .5'", "-1;2;1/2", "-100%,2,50%"])
def test_one_row_and_its_class_with_or_without_brackets(value, logits, target):
    expected = cross_entropy(np.array([[-1, 2, 0.5]]), [2])
    assert value("cross-entropy", *shlex.split(logits.replace(";", "\\;")), target) == pytest.approx(
        expected, rel=1e-14
    )


def test_what_begins_with_a_minus_sign_is_no_option(value):
    expected = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    logits = f"{np.log(0.25)},{np.log(0.75)}"
    assert value("kl-div", logits, logits, "--log-target", "-q") == 0
    assert value("kl-div", logits, logits, "--log-target", "--target-as", "logprobs", "-q") == 0
    assert value("kl-div", logits, "0.25,0.75", "--reduction", "sum") == pytest.approx(0, abs=1e-15)
    assert value("cross-entropy", logits, "0.25,0.75") == pytest.approx(expected, rel=1e-14)
    assert value("nll", logits, "0") == pytest.approx(np.log(4), rel=1e-14)
    assert value("cross-entropy", "-inf,0", "1") == 0
    assert value("cross-entropy", "-.5,-5e-1", "1") == pytest.approx(np.log(2), rel=1e-15)
    assert value("cross-entropy", "--reduction", "sum", "--", "-1,2", "0") == pytest.approx(
        np.log1p(np.exp(3)), rel=1e-15
    )


@pytest.mark.parametrize(
    "weight",
    ["'1 2 .5'", "100%,2,1/2", "@w.npy", "w.csv", "w.csv:w", "w.json#/w", "w.txt", "-"],
)
def test_every_way_to_write_weights(value, write, weight):
    write("w.npy", saved(np.save, np.array([1, 2, 0.5], dtype=np.float16)))
    write("w.csv", "w\n1\n2\n0.5\n")
    write("w.json", '{"w":[1,2,0.5]}')
    write("w.txt", "1,2,0.5")
    losses = -log_softmax(LOGITS)[np.arange(2), CLASSES]
    expected = (losses * [1, 0.5]).sum() / 1.5
    got = value("cross-entropy", INLINE, "0,2", "--weight", *shlex.split(weight), input="1,2,0.5\n")
    assert got == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("weight", ["2", "[2]", "2,2,2", "[[2]]", "[[2],[2]]", "[[2,2,2],[2,2,2]]", "w.npy"])
def test_weights_of_elements_are_repeated(value, write, weight):
    write("w.npy", saved(np.save, np.array(2)))
    q, p = np.full((2, 3), 0.25), np.array([[1.0, 0, 1], [0, 0, 1]])
    args = ["bce", json.dumps(q.tolist()), json.dumps(p.tolist()), "--weight", weight]
    assert value(*args) == pytest.approx(2 * bce(q, p), rel=1e-14)


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("given", ["x.npy", "x.npz", "xy.npz:logits"])
def test_the_input_format_is_that_of_what_numpy_did_not_write(value, write, given):
    for form in ("csv", "npz"):
        assert value("cross-entropy", given, "y.npy", "--input-format", form) == pytest.approx(EXPECTED, rel=1e-14)
    write("y", "y\n0\n2\n")
    assert value("cross-entropy", given, "y", "--input-format", "csv") == pytest.approx(EXPECTED, rel=1e-14)


@pytest.mark.parametrize("least", ["-Infinity", "-inf", "-INF", "-infinity"])
def test_infinity_spelled_out_is_a_number(value, least):
    assert value("cross-entropy", f"{least},0", "1") == 0
    assert value("cross-entropy", f"0,{least}", "0") == 0
    assert value("cross-entropy", f"{least};0", "1") == 0
    assert value("cross-entropy", least + "\n0", "1") == 0


TAKEN = "klcli: note: x.csv: {} is another argument and left out here\n"


@pytest.mark.parametrize(
    ("args", "data", "weight", "said"),
    [
        ("x.csv x.csv:y", "a,b,y\n2,1,0\n0.5,2,1\n", None, TAKEN.format("y")),
        ("@x.csv @x.csv:y", "a,b,y\n2,1,0\n0.5,2,1\n", None, TAKEN.format("y")),
        ("x.csv x.csv:3", "a,b,y\n2,1,0\n0.5,2,1\n", None, TAKEN.format("y")),
        ("x.csv 0,1 --weight x.csv:w", "w,a,b\n1,2,1\n3,0.5,2\n", [1, 3], TAKEN.format("w")),
        (
            "x.csv x.csv:y --weight x.csv:w",
            "w,a,y,b\n1,2,0,1\n3,0.5,1,2\n",
            [1, 3],
            TAKEN.format("w, y"),
        ),
        ("x.csv z.csv:y", "a,b\n2,1\n0.5,2\n", None, ""),
        ("x.csv:a:b x.csv:y", "a,b,y\n2,1,0\n0.5,2,1\n", None, ""),
        ("- -:y", "a,b,y\n2,1,0\n0.5,2,1\n", None, TAKEN.format("y").replace("x.csv", "<stdin>")),
    ],
)
def test_the_column_of_another_operand_is_no_logit(call, write, args, data, weight, said):
    folder = write("x.csv", data).parent
    write("z.csv", "y\n0\n1\n")
    result = call("loss", "cross-entropy", *args.split(), cwd=folder, input=data)
    assert (result.code, result.err) == (0, said)
    losses = -log_softmax(np.array([[2, 1], [0.5, 2]]))[[0, 1], [0, 1]]
    assert float(result.out) == pytest.approx(np.average(losses, weights=weight), rel=1e-14)


def test_a_table_of_nothing_but_another_operand_is_read_whole(value, write):
    write("x.csv", "p\n0.25\n0.5\n")
    assert value("bce", "x.csv", "x.csv:p") == pytest.approx(bce(np.array([0.25, 0.5]), np.array([0.25, 0.5])))

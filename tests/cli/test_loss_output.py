"""What `klcli loss` prints: every format to the byte, fields, files, the script, tables at 80 and 40 columns.

A golden file is what the command prints. After a wished change, delete it, run the test once (it fails and writes the
file anew), and read the difference.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from tests.alike import alike

GOLDENS = Path(__file__).parent / "goldens"
SAMPLES = Path(__file__).parents[2] / "samples"

LOGITS = "[[2,1,0.1],[0.5,2,0.3],[1,1,1]]"
SOFT = "[[0,0.9,0.1],[0.5,0.25,0.25],[1,0,0]]"
CUBE = "[[[2,0.5],[1,2],[0.1,0.3]]]"

VIEWS = {
    "indices": ["cross-entropy", "--ignore-index", "1", LOGITS, "0,1,2"],
    "soft": ["cross-entropy", LOGITS, SOFT, "--label-smoothing", "0.1"],
    "weights": ["cross-entropy", LOGITS, "0,1,2", "--weight", "1,2,0.5"],
    "cube": ["cross-entropy", CUBE, "[[0,1]]", "--reduction", "sum"],
    "nll": ["nll", "[[1,0],[0.25,0.75]]", "1,0", "--input-as", "probs"],
    "kl-div": ["kl-div", "[[0.75,0.25],[0.5,0.5]]", "[[0.5,0.5],[0.25,0.75]]", "--input-as", "probs"],
    "batchmean": ["kl-div", "[[0.75,0.25]]", "[[1,0]]", "--input-as", "probs", "--reduction", "batchmean"],
    "elements": ["kl-div", "[[1,0]]", "[[0.5,0.5]]", "--input-as", "probs", "--reduction", "none"],
    "first-axis": ["kl-div", CUBE, CUBE, "--dim", "1", "--reduction", "none", "--input-as", "logits", "--log-target"],
    "bce": ["bce", "[[0.875,0.25],[0.5,0]]", "[[1,0],[0,1]]"],
    "bce-with-logits": ["bce-with-logits", "800,-800,0.5", "0,1,1", "--pos-weight", "3", "--reduction", "none"],
    "nan": ["cross-entropy", "[[1,-Infinity],[1,0]]", "[[1,0],[0.5,0.5]]"],
    "sample": ["cross-entropy", str(SAMPLES / "predictions.csv:cat:horse"), str(SAMPLES / "predictions.csv:class")],
}


def golden(name, out):
    path = GOLDENS / f"loss-{name}.txt"
    if not path.exists():
        path.write_bytes(out.encode())
        pytest.fail(f"there was no {path}; it is written, read it")
    return path.read_bytes().decode()


@pytest.fixture
def shown(call):
    """shown(view, *options): what is printed for a view, with its own directory left out."""

    def shown(view, *options, **env):
        kind, *rest = VIEWS[view]
        rest = [arg.replace(f"{SAMPLES.parent}/", "") for arg in rest]
        result = call("loss", kind, *options, *rest, env=env, cwd=SAMPLES.parent)
        assert result.code == 0, result
        return result.out

    return shown


# --------------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("view", VIEWS)
def test_table_is_the_golden_one(shown, view, columns):
    out = shown(view, "-f", "table", COLUMNS=str(columns))
    assert alike(out, golden(f"{view}-{columns}", out))


def test_table_of_many_rows_and_classes_is_short(call):
    rows = json.dumps([[i / 7, -i / 5, *([0.5] * 300)] for i in range(50)])
    out = call("loss", "cross-entropy", "-", json.dumps([0] * 50), "-f", "table", input=rows).out
    assert len(out.splitlines()) < 50
    assert "\n … 20 more rows\n" in out
    assert all(cell_len(line) <= 80 for line in out.splitlines())


# -------------------------------------------------------------------------------------------------------- other formats


@pytest.mark.parametrize("form", ["value", "tsv", "csv", "json", "ndjson", "markdown"])
@pytest.mark.parametrize(
    "view", ["indices", "soft", "cube", "elements", "first-axis", "bce-with-logits", "nan", "sample"]
)
def test_format_is_the_golden_one(shown, view, form):
    out = shown(view, "-f", form)
    assert alike(out, golden(f"{view}-{form}", out))


def test_elements_of_one_row_are_numbered_by_their_class(call):
    args = ["loss", "kl-div", "0.75,0.25", "0.5,0.5", "--input-as", "probs", "--reduction", "none", "-f"]
    losses = call(*args, "value").out.splitlines()
    assert call(*args, "tsv").out == f"class\tloss\n0\t{losses[0]}\n1\t{losses[1]}\n"
    assert call(*args, "csv").out == f"class,loss\n0,{losses[0]}\n1,{losses[1]}\n"
    first, second = map(json.loads, call(*args, "ndjson").out.splitlines())
    assert (first, second) == ({"class": 0, "loss": float(losses[0])}, {"class": 1, "loss": float(losses[1])})
    assert "| class | loss |\n| --: | --: |\n| 0 | -0.20273 |\n" in call(*args, "markdown").out
    row = sum(map(float, losses))
    assert f" 0     {row:.5f}   " in call(*args, "table").out
    assert call(*args[:-1], "-g", "rows").out == f"{row!r}\n"


def test_nan_and_infinities_are_text_in_json_and_bare_elsewhere(call):
    args = ["loss", "kl-div", "[[1,0],[0,1]]", "[[1,0],[0.5,0.5]]", "--input-as", "probs", "--reduction", "none", "-q"]
    document = json.loads(call(*args, "-f", "json").out, parse_constant=pytest.fail)
    assert document["value"] == [[0.0, "NaN"], ["Infinity", -0.34657359027997264]]
    assert document["rows"] == ["NaN", "Infinity"]
    assert document["log_probabilities"] == [[0.0, "-Infinity"], ["-Infinity", 0.0]]
    assert document["identity"]["kl_divergence"] == "Infinity"
    assert call(*args).out == "0.0\nnan\ninf\n-0.34657359027997264\n"
    assert call(*args, "-f", "tsv").out.splitlines()[1:4] == ["0\t0\t0.0", "0\t1\tnan", "1\t0\tinf"]
    assert call(*args, "-f", "csv").out.splitlines()[1:4] == ["0,0,0.0", "0,1,nan", "1,0,inf"]
    lines = call(*args, "-f", "ndjson").out.splitlines()
    assert lines[1] == '{"row": 0, "class": 1, "loss": "NaN"}'
    assert lines[2] == '{"row": 1, "class": 0, "loss": "Infinity"}'
    assert "| 0 | 1 | nan |\n| 1 | 0 | inf |\n" in call(*args, "-f", "markdown").out
    assert call(*args, "-g", "rows").out == "nan\ninf\n"
    assert call(*args, "-g", "log_probabilities").out == "0.0\n-inf\n-inf\n0.0\n"


def test_value_is_the_default_off_a_terminal(shown, call):
    for view in VIEWS:
        assert shown(view) == shown(view, "-f", "value") == shown(view, "-f", "auto")
    assert call("loss", "nll", "[[-0.5,-1]]", "1").out == "1.0\n"


# --------------------------------------------------------------------------------------------------------------- fields


def test_fields_are_written_one_after_the_other(shown):
    document = json.loads(shown("soft", "-f", "json"))
    one, other = (document["identity"][name] for name in ("entropy", "cross_entropy"))
    out = shown("soft", "-g", "cross_entropy", "-g", "rows,entropy")
    assert out.splitlines() == [repr(other), *map(repr, document["rows"]), repr(one)]
    assert shown("soft", "-g", "value,kl_divergence").splitlines()[0] == repr(document["value"])
    assert shown("soft", "-g", "log_probabilities").count("\n") == 9
    assert shown("soft", "-g", "all").count("\n") == 1 + 3 + 9 + 3 + 1


@pytest.mark.parametrize("option", ["--weight", "--pos-weight"])
def test_field_that_weights_leave_no_meaning_is_refused_with_the_way_out(refused, option):
    args = ["loss", "bce-with-logits", "1,2", "0,1", option, "1,2", "-q", "-g", "entropy"]
    why = f"with {option} the loss is not the cross-entropy of two distributions; drop {option}"
    assert refused(2, *args) == f"--get entropy: {why}"


def test_field_of_no_rows_is_refused(refused):
    line = refused(2, "loss", "nll", "-q", "-g", "entropy", "[[-1,-2]]", "--", "-100")
    assert line == "--get entropy: nll of these operands has none"


def test_a_script_leaves_out_neither_the_notes_nor_the_gates(call):
    result = call("loss", "cross-entropy", "0.3,0.3,0.4", "2", "--explain", "--fail-above", "1")
    assert result.code == 1
    assert result.out == call("loss", "cross-entropy", "0.3,0.3,0.4", "2", "--explain").out
    note, gate = result.err.splitlines()
    assert note.startswith("klcli: note: INPUT looks like probabilities")
    assert gate == "klcli: value is 1.0330687599495758, above 1.0"


def test_notes_stay_on_stderr_beside_fields(call):
    for form in ("value", "table", "json"):
        result = call("loss", "cross-entropy", "0.3,0.3,0.4", "2", "-g", "value", "-f", form)
        assert result.out == "1.0330687599495758\n"
        assert result.err.startswith("klcli: note: INPUT looks like probabilities")


# ---------------------------------------------------------------------------------------------------------------- files


def test_fields_and_the_script_go_to_the_output_too(shown, tmp_path):
    shown("soft", "-o", str(tmp_path / "a.txt"), "-g", "rows")
    shown("soft", "-o", str(tmp_path / "a.py"), "--explain")
    assert (tmp_path / "a.txt").read_text() == shown("soft", "-g", "rows")
    assert (tmp_path / "a.py").read_text() == shown("soft", "--explain")


# --------------------------------------------------------------------------------------------------------------- script

SCRIPTS = {
    "indices": VIEWS["indices"],
    "soft": VIEWS["soft"],
    "weights": VIEWS["weights"],
    "kl-div": VIEWS["kl-div"],
    "kl-div-log-target": ["kl-div", "[[-0.5,-0.93]]", "[[-1,-0.46]]", "--log-target", "--reduction", "batchmean"],
    "kl-div-logits": ["kl-div", CUBE, CUBE, "--input-as", "logits", "--target-as", "logits", "--dim", "1"],
    "nll": VIEWS["nll"],
    "last-axis": ["cross-entropy", "[[[2,1],[0.5,3]]]", "[[0,1]]", "--dim", "-1", "--dtype", "float32"],
    "bce": VIEWS["bce"],
    "bce-pos-weight": [*VIEWS["bce"], "--pos-weight", "2,1", "--weight", "3"],
    "bce-with-logits": VIEWS["bce-with-logits"],
    "infinite": ["cross-entropy", "[[1,-Infinity]]", "0"],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_is_the_golden_one(call, name):
    kind, *rest = SCRIPTS[name]
    result = call("loss", kind, "-q", "--explain", *rest)
    assert (result.code, result.err) == (0, "")
    compile(result.out, name, "exec")
    assert all(len(line) <= 140 for line in result.out.splitlines())
    assert alike(result.out, golden(f"explain-{name}", result.out))


@pytest.mark.parametrize("name", SCRIPTS)
def test_script_ends_with_the_value_and_holds_the_call_of_the_json(call, name):
    kind, *rest = SCRIPTS[name]
    script, value, document = (
        call("loss", kind, "-q", *options, *rest).out for options in (["--explain"], [], ["-f", "json"])
    )
    assert f"\nloss = {json.loads(document)['call']}\n" in script
    last = script.splitlines()[-1]
    values = value.split()
    assert last.endswith(f"# {values[0]}" if len(values) == 1 else f"# [{', '.join(values)}]")


@pytest.mark.parametrize("more", [0, 1])
def test_script_says_what_is_too_much_to_print(call, tmp_path, more):
    for name, n in (("input", 10_000 + more), ("loaded", 200 + more)):
        (tmp_path / f"{name}.json").write_text(json.dumps([0.5] * n))
        np.save(tmp_path / f"{name}.npy", np.full(n, 0.5))
    said = "".join(
        f"klcli: note: {role} is too much to print; load it where the script has ...\n" for role in ("INPUT", "TARGET")
    )
    result = call("loss", "bce", "input.json", "input.json", "--explain", cwd=tmp_path)
    assert (result.code, result.err) == (0, said * more)
    assert (" = ...  # input.json: shape (10001,)\n" in result.out) == bool(more)
    result = call("loss", "bce", "input.json", "input.json", "--explain", "-q", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    result = call("loss", "bce", "loaded.npy", "loaded.json", "--explain", cwd=tmp_path)
    assert (result.code, result.err) == (0, "")
    assert ('input = torch.from_numpy(numpy.load("loaded.npy")).double()\n' in result.out) == bool(more)
    assert "target = torch.tensor(" in result.out

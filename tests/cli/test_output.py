"""What is written, where, and how: the machine formats, notes, the output file."""

import csv
import io
import json

import pytest

PAIR = ["a=4,b=0,c=3", "a=1,b=2,c=5"]
FORMATS = ["tsv", "csv", "json", "ndjson", "markdown"]


def strict(text):
    """The JSON value; NaN and Infinity, which JSON has not, fail."""

    def fail(name):
        pytest.fail(f"{name} is no JSON")

    return json.loads(text, parse_constant=fail)


def table(text, delimiter):
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_json_of_compare_has_its_documented_shape(call):
    result = call("compare", *PAIR, "-f", "json", "--unit", "bits", "--q-smooth", "add=1")
    shape = strict(result.out)
    assert list(shape) == ["inputs", "settings", "measures", "elements", "notes"]
    assert list(shape["inputs"]) == ["p", "q"]
    for side, source, whole in (("p", PAIR[0], 7), ("q", PAIR[1], 8)):
        given = shape["inputs"][side]
        assert given["source"] == source
        assert (given["n"], given["sum"]) == (3, whole)
        assert any("divided by its sum" in done for done in given["done"])
    assert shape["inputs"]["q"]["done"][-1].startswith("add=1.0 ")
    assert shape["settings"]["unit"] == "bits"
    assert all(isinstance(value, float | str) for value in shape["measures"].values())
    assert {"kl_pq", "kl_qp", "entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp"} <= set(
        shape["measures"]
    )
    assert [element["outcome"] for element in shape["elements"]] == ["a", "b", "c"]
    assert f"klcli: note: {shape['notes'][0]}\n" in result.err


def test_json_of_entropy_has_its_documented_shape(call):
    shape = strict(call("entropy", "1,1", "a=1,b=3", "-f", "json", "-q").out)
    assert [each["name"] for each in shape["distributions"]] == ["1,1", "a=1,b=3"]
    for each in shape["distributions"]:
        assert {"entropy", "perplexity"} <= set(each["measures"])
        assert [set(element) >= {"outcome", "p", "self_information"} for element in each["elements"]] == [True, True]
    assert isinstance(shape["notes"], list)


@pytest.mark.parametrize("shape", ["json", "ndjson"])
def test_infinity_in_json_is_a_string(call, shape):
    for breakdown in ("--breakdown", "--no-breakdown"):
        text = call("compare", *PAIR[::-1], "-f", shape, "-q", breakdown).out
        for line in text.splitlines() if shape == "ndjson" else [text]:
            strict(line)
        assert '"Infinity"' in text


@pytest.mark.parametrize("args", [PAIR, PAIR[::-1], ["1/3,2/3", "0.1,0.9"], ["1e-300,1", "1,1e-300"]])
def test_every_format_reads_back_to_the_same_doubles(call, args):
    command = ["compare", *args, "-m", "all", "-q"]
    measures = {name: float(v) for name, v in strict(call(*command, "-f", "json").out)["measures"].items()}
    for shape, delimiter in (("tsv", "\t"), ("csv", ",")):
        rows = table(call(*command, "-f", shape).out, delimiter)
        assert {row["measure"]: float(row["value"]) for row in rows} == measures
    rows = map(strict, call(*command, "-f", "ndjson").out.splitlines())
    assert {row["measure"]: float(row["value"]) for row in rows} == measures
    for name, value in measures.items():
        assert float(call(*command, "-g", name).out) == value
    assert float(call("kl", *args, "-q").out) == measures["kl_pq"]


@pytest.mark.parametrize(
    "label", ["a,b", "tab\there", 'quo"te', "line\nend", "ret\rurn", " space ", "é😀日本", "-1", "=1+1"]
)
def test_labels_survive_every_machine_format(call, label):
    given = json.dumps({label: 1, "other": 1})
    command = ["compare", given, given, "-q", "--breakdown"]
    for shape, delimiter in (("tsv", "\t"), ("csv", ",")):
        assert table(call(*command, "-f", shape).out, delimiter)[0]["outcome"] == label
    assert strict(call(*command, "-f", "ndjson").out.split("\n")[0])["outcome"] == label
    assert strict(call(*command, "-f", "json").out)["elements"][0]["outcome"] == label
    on_one_line = label.replace("\r", "\\r").replace("\n", "\\n")  # a bare value takes one line
    assert call(*command, "-g", "elements.outcome").out == f"{on_one_line}\nother\n"


@pytest.mark.parametrize("shape", FORMATS)
@pytest.mark.parametrize("command", [["compare", *PAIR], ["entropy", *PAIR], ["rank", *PAIR, "1,1,1"]])
def test_machine_formats_do_not_depend_on_the_terminal(call, command, shape):
    results = {
        call(*command, "-f", shape, env=env)
        for env in (
            {},
            {"COLUMNS": "20"},
            {"COLUMNS": "500"},
            {"FORCE_COLOR": "1"},
            {"NO_COLOR": "1"},
            {"TERM": "dumb"},
        )
    }
    assert len(results) == 1
    assert "\x1b" not in results.pop().out


def test_digits_are_for_tables_only(call):
    for shape in ("tsv", "csv", "json", "ndjson"):
        assert call("compare", *PAIR, "-f", shape, "--digits", 2) == call("compare", *PAIR, "-f", shape)
    assert " 0.67 " in call("compare", "0.4,0.6", "0.3,0.7", "-f", "table", "--digits", 2).out
    assert "| 0.67 |" in call("compare", "0.4,0.6", "0.3,0.7", "-f", "markdown", "--digits", 2).out


def test_auto_is_tsv_where_there_is_no_terminal(call):
    assert call("compare", *PAIR) == call("compare", *PAIR, "-f", "tsv") == call("compare", *PAIR, "-f", "auto")


@pytest.mark.parametrize("shape", ["tsv", "csv", "json", "ndjson"])
def test_notes_go_to_stderr_where_the_format_has_no_place_for_them(call, shape):
    result = call("compare", *PAIR, "-f", shape)
    assert "klcli: note: P sums to 7; divided by its sum\n" in result.err


@pytest.mark.parametrize(("shape", "text"), [("table", "\nnote: P sums to 7"), ("markdown", "\n- P sums to 7")])
def test_notes_go_under_a_table(call, shape, text):
    result = call("compare", *PAIR, "-f", shape)
    assert result.err == ""
    assert text in result.out


@pytest.mark.parametrize("shape", ["table", "markdown", "tsv", "csv", "json", "ndjson"])
def test_quiet_silences_notes_and_leaves_the_rest(call, shape):
    loud, quiet = call("compare", *PAIR, "-f", shape), call("compare", *PAIR, "-f", shape, "-q")
    assert quiet.err == ""
    assert loud.out == quiet.out or loud.out.startswith(quiet.out.rstrip("\n"))
    assert shape in {"table", "markdown"} or loud.err != ""


def test_quiet_does_not_silence_errors_or_gates(call):
    assert call("kl", "1,x", "1,1", "-q").err.startswith("klcli: P, item 2")
    assert call("kl", "1,1", "1,3", "-q", "--fail-above", "kl_pq=0").err.startswith("klcli: kl_pq is ")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *(("a.tsv", "tsv"), ("a.csv", "csv"), ("a.json", "json"), ("a.ndjson", "ndjson"), ("a.jsonl", "ndjson")),
        *(("a.md", "markdown"), ("a.txt", "table"), ("a.JSON", "json")),
    ],
)
def test_suffix_of_the_output_file_picks_the_format(call, tmp_path, name, shape):
    result = call("compare", *PAIR, "-o", name, cwd=tmp_path)
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / name).read_bytes().decode() == call("compare", *PAIR, "-f", shape).out


def test_format_asked_for_wins_over_the_suffix(call, tmp_path):
    call("compare", *PAIR, "-o", "a.json", "-f", "csv", cwd=tmp_path)
    assert (tmp_path / "a.json").read_text().startswith("measure,value\n")


def test_kl_writes_its_number_to_any_file(call, tmp_path):
    assert call("kl", "0.5,0.5", "0.5,0.5", "-o", "kl.anything", cwd=tmp_path) == (0, "", "")
    assert (tmp_path / "kl.anything").read_text() == "0.0\n"


def test_output_file_may_be_named_with_a_leading_minus(call, tmp_path):
    assert call("kl", "1,1", "1,1", "-q", "-o", "-1.txt", cwd=tmp_path).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["-1.txt"]


def test_write_that_fails_half_way_leaves_the_old_file_and_no_other(call, tmp_path, monkeypatch):
    from pathlib import Path

    (tmp_path / "a.json").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    result = call("compare", *PAIR, "-o", "a.json", "-q", cwd=tmp_path)
    assert (result.code, result.out) == (6, "")
    assert result.err == "klcli: a.json: no space left on device; nothing was written\n"
    assert (tmp_path / "a.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_output_through_a_link_writes_what_it_leads_to(call, tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    call("compare", *PAIR, "-o", tmp_path / "link.json", "-q")
    assert (tmp_path / "link.json").is_symlink()
    strict((tmp_path / "real.json").read_text())


def test_output_of_get_goes_to_the_file(call, tmp_path):
    call("compare", *PAIR, "-g", "elements.outcome", "-o", tmp_path / "a.txt", "-q")
    assert (tmp_path / "a.txt").read_text() == "a\nb\nc\n"


INPUTS = {
    "a.csv": b"label,p,q\na,1,2\nb,2,1\n",
    "a.ndjson": b'{"p": 1, "q": 2}\n{"p": 2, "q": 1}\n',
    "a.json": b'{"p": [1, 2], "q": [2, 1]}',
}
OVER_ITS_INPUT = {
    **{f"{command} a.csv": (command, "a.csv") for command in ("compare", "kl", "entropy", "rank", "matrix")},
    "entropy a.json": ("entropy", "a.json"),
    "entropy a.ndjson": ("entropy", "a.ndjson"),
    "fit": ("fit", "a.csv:p"),
    "a loss": ("loss", "kl-div", "a.csv:p", "a.csv:q"),
    "batch": ("batch", "a.csv", "--p", "p", "--q", "q", "--by", "label"),
    "batch of two": ("batch", "a.ndjson", "a.csv", "--p", "p", "--q", "q"),
    "batch --reference": ("batch", "b.csv", "--q", "p,q", "--reference", "a.csv:p"),
    "batch --with": ("batch", "b.csv", "--with", "a.csv", "--on", "label", "--p", "p,q", "--q", "p,q"),
    "a link": ("entropy", "link.csv"),
}


@pytest.mark.parametrize("case", OVER_ITS_INPUT)
def test_an_input_is_never_written_over(refused, tmp_path, case):
    for name, content in {**INPUTS, "b.csv": INPUTS["a.csv"]}.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link.csv").symlink_to("a.csv")
    command = OVER_ITS_INPUT[case]
    output = next((arg.partition(":")[0] for arg in command if arg.startswith("a.")), "a.csv")
    assert "is also an input" in refused(2, *command, "-q", "-o", output, cwd=tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in INPUTS} == INPUTS


def test_standard_input_is_not_written_over_either(run, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(INPUTS["a.csv"])
    with path.open("rb") as stdin:
        result = run("batch", "-", "--p", "p", "--q", "q", "-o", path, stdin=stdin)
    assert (result.code, path.read_bytes()) == (2, INPUTS["a.csv"])

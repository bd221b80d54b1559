"""`klcli batch` on bad input: the right line named, nothing lost, nothing written twice, the right exit code."""

import csv
import io
import json
import os
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N = 7
GOOD = ([1.0, 1.0], [1.0, 3.0])
AT = 3
"""Which row is bad. Rows at the ends, blocks of other sizes and other numbers of threads: test_random_tables."""

# Each kind of bad row: P's cells, the exit code, and what is said of it.
CSV_KINDS = {
    "text": (["1", "abc"], 3, "'abc' in column 'p1' is not a number"),
    "empty": (["1", ""], 3, "'' in column 'p1' is not a number"),
    "nan": (["1", "nan"], 4, "column 'p1'"),
    "infinite": (["inf", "1"], 4, "column 'p0'"),
    "negative": (["1", "-1"], 4, "column 'p1'"),
    "zero": (["0", "0"], 4, "all 2 weights are zero"),
    "few": (["1"], 3, "4 fields, the header has 5"),
    "many": (["1", "1", "1"], 3, "6 fields, the header has 5"),
}
NDJSON_KINDS = {
    "text": ('["x", 1]', 3, "column 'p', item 1: 'x' is not a number"),
    "nan": ("[1, NaN]", 4, "column 'p', item 2"),
    "negative": ("[1, -1]", 4, "column 'p', item 2"),
    "zero": ("[0, 0]", 4, "all 2 weights are zero"),
    "longer": ("[1, 1, 1]", 4, "P has 3 values, Q has 2"),
    "empty": ("[]", 4, "no values"),
    "null": ("null", 3, "column 'p': null"),
    "null-item": ("[1, null]", 3, "column 'p', item 2: null"),
    "bool": ("[true, 1]", 3, "column 'p', item 1: true"),
    "scalar": ("3", 3, "column 'p': 3"),
    "nested": ("[[1], 1]", 3, "column 'p'[1] is a number, column 'p'[0] is a list"),
    "malformed": ("[1, 1", 3, "malformed JSON at column"),
}
PARQUET_KINDS = {
    "nan": ([1.0, float("nan")], 4, "column 'p', item 2"),
    "negative": ([1.0, -1.0], 4, "column 'p', item 2"),
    "zero": ([0.0, 0.0], 4, "all 2 weights are zero"),
    "longer": ([1.0, 1.0, 1.0], 4, "P has 3 values, Q has 2"),
    "empty": ([], 4, "no values"),
    "null": (None, 3, "column 'p': null"),
    "null-item": ([1.0, None], 3, "column 'p', item 2: null"),
}
LONG_KINDS = {
    "text": (["x", "abc", "1"], 3, "'abc' in column 'p' is not a number"),
    "negative": (["x", "-1", "1"], 4, "column 'p'"),
    "few": (["x", "1"], 3, "3 fields, the header has 4"),
    "many": (["x", "1", "1", "1"], 3, "5 fields, the header has 4"),
    "twice": (["y", "1", "1"], 4, "the label 'y' stands twice"),
}


def csv_table(bad):
    rows = [[f"r{i}", *(bad if i == AT else ["1", "1"]), "1", "3"] for i in range(N)]
    return "id,p0,p1,q0,q1\n" + "".join(",".join(row) + "\n" for row in rows), ["--p", "p0:p1", "--q", "q*"], AT + 2


def ndjson_table(bad):
    lines = [f'{{"id": "r{i}", "p": {bad if i == AT else "[1, 1]"}, "q": [1, 3]}}\n' for i in range(N)]
    return "".join(lines), ["--p", "p", "--q", "q"], AT + 1


def parquet_table(bad):
    table = pa.table({
        "id": [f"r{i}" for i in range(N)],
        "p": pa.array([bad if i == AT else GOOD[0] for i in range(N)], pa.list_(pa.float64())),
        "q": [GOOD[1]] * N,
    })  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=2)
    return out.getvalue(), ["--p", "p", "--q", "q"], AT + 1


def long_table(bad):
    text = "id,label,p,q\n"
    for i in range(N):
        text += "".join(
            ",".join(row) + "\n" for row in ([f"r{i}", "y", "1", "3"], [f"r{i}", *(bad if i == AT else "x11")])
        )
    return text, ["--by", "id", "--p", "p", "--q", "q"], 2 * AT + 3


MAKERS = {
    "csv": (csv_table, CSV_KINDS),
    "ndjson": (ndjson_table, NDJSON_KINDS),
    "parquet": (parquet_table, PARQUET_KINDS),
    "long": (long_table, LONG_KINDS),
}
CASES = [(form, kind) for form, (_, kinds) in MAKERS.items() for kind in kinds]


@pytest.fixture(params=CASES, ids="-".join)
def bad_row(request, write):
    """The path of a table with a bad row, the options, the exit code, the place, and what is said."""
    form, kind = request.param
    make, kinds = MAKERS[form]
    bad, code, said = kinds[kind]
    content, args, line = make(bad)
    path = write("t." + {"long": "csv"}.get(form, form), content)
    place = f"{path}, row {line}" if form == "parquet" else f"{path}:{line}"
    return path, [*args, "-m", "kl_pq"], code, place, said, kind in {"malformed", "few", "many"}


def test_fail_names_the_line_and_leaves_no_file(refused, bad_row):
    path, args, code, place, said, _ = bad_row
    message = refused(code, "batch", path, *args, "-o", path.with_name("o.csv"))
    assert re.match(re.escape(place) + r"\b", message), message
    assert said in message
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_keep_and_skip_lose_nothing_and_write_nothing_twice(call, bad_row):
    path, args, _, place, said, unreadable = bad_row
    kept = call("batch", path, *args, "-f", "csv", "--on-error", "keep")
    rows = list(csv.DictReader(io.StringIO(kept.out)))
    assert kept.code == 5
    assert len(rows) == N
    for i, row in enumerate(rows):
        assert row["id"] == f"r{i}" or (i == AT and unreadable)
        assert (row["kl_pq"] == "") == (row["error"] != "") == (i == AT)
    assert said in rows[AT]["error"]
    skipped = call("batch", path, *args, "-f", "ndjson", "--on-error", "skip")
    records = [json.loads(line) for line in skipped.out.splitlines()]
    assert skipped.code == 5
    assert [record["id"] for record in records] == [f"r{i}" for i in range(N) if i != AT]
    assert all(set(record) == {"id", "kl_pq"} for record in records)
    for err, done in ((kept.err, "kept without measures"), (skipped.err, "left out")):
        (line,) = (line for line in err.splitlines() if not line.startswith("klcli: note: "))
        assert line.startswith(f"klcli: 1 of {N} ")
        assert done in line
        assert place in line


def test_first_record_with_a_null_for_a_distribution(call, write):
    path = write("t.ndjson", '{"p": null, "q": [1, 3]}\n{"p": [1, 1], "q": [1, 3]}\n')
    result = call("batch", path, "--p", "p", "--q", "q", "-m", "kl_pq", "--on-error", "skip")
    assert (result.code, result.out) == (5, '{"kl_pq": 0.14384103622589045}\n')


def test_exit_five_goes_before_one_and_counts(call, write):
    path = write("t.csv", "id,p0,p1,q0,q1\na,1,1,1,9\nb,1,x,1,1\nc,1,1,1\n")
    result = call("batch", path, "--p", "p*", "--q", "q*", "--on-error", "skip", "--fail-above", "kl_pq=0.1")
    assert result.code == 5
    assert "klcli: 2 of 3 rows failed and were left out; the first: " in result.err
    assert "kl_pq is above 0.1 in 1 of 3 rows" in result.err


def test_of_rows_that_failed_in_several_files_the_first_is_named(call, write, tmp_path):
    for name in ("a.csv", "b.csv"):
        write(name, "id,p0,p1,q0,q1\na,1,x,1,3\n")
    result = call("batch", "a.csv", "b.csv", "--p", "p*", "--q", "q*", "--on-error", "skip", cwd=tmp_path)
    assert result.code == 5
    assert "2 of 2 rows failed and were left out; the first: a.csv:2: 'x'" in result.err


def test_of_rows_of_a_group_that_failed_the_first_is_its_reason(call, write):
    path = write("t.csv", "id,label,p,q\na,x,1,1\na,y,one,1\na,z,1,two\n")
    result = call("batch", path, "--by", "id", "--p", "p", "--q", "q", "-m", "kl_pq", "--on-error", "keep")
    assert result.out == "id,kl_pq,error\na,,'one' in column 'p' is not a number\n"


def test_notes_count_rows_that_did_not_fail_among_all(call, write):
    path = write("t.csv", "id,p0,p1,q0,q1\na,1,1,1,3\nb,-1,3,1,3\nc,1,3,1,1\n")
    result = call("batch", path, "--p", "p*", "--q", "q*", "-m", "kl_pq", "--q-smooth", "add=1", "--on-error", "skip")
    assert result.code == 5
    said = [line.removeprefix("klcli: note: ") for line in result.err.splitlines()[:-1]]
    assert said == [
        "P did not sum to 1 in 2 of 3 rows; divided by its sum",
        "Q did not sum to 1 in 2 of 3 rows; divided by its sum",
        "Q was smoothed by add=1.0 in 2 of 3 rows",
    ]


def test_infinities_are_counted_in_both_directions_and_mended_on_the_side_that_lacks_mass(call, write):
    path = write("t.csv", "p0,p1,q0,q1\n0.5,0.5,1,0\n0,1,0.5,0.5\n0.5,0.5,0,1\n")
    result = call("batch", path, "--p", "p*", "--q", "q*", "-m", "kl_pq,kl_qp")
    assert result.err == "".join(
        f"klcli: note: KL({one}||{other}) is infinite in {n} of 3 rows: {one} has mass where {other} has none; "
        f"--{other.lower()}-smooth METHOD gives {other} some\n"
        for one, other, n in (("P", "Q", 2), ("Q", "P", 1))
    )


# ------------------------------------------------------------------------------------------------ rows of several lines


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(
    ("row", "line"),
    [("1,x,1,1,id", 5), ('1,x,1,1,"a\nb"', 5), ('0,0,1,1,"a\nb"', 5), ('1,1,1,"a\nb"', 5), ('"\nx",1,1,1,id', 5)],
)
def test_bad_row_after_rows_of_several_lines(refused, write, row, line, size):
    """A row is where it begins: that is where an editor is to be pointed."""
    path = write("t.csv", f'p0,p1,q0,q1,id\n1,1,1,1,"two\nlines"\n\n{row}\n1,1,1,1,x\n')
    message = refused(3 if "x,1,1" in row or row.startswith('1,1,1,"') or "\nx" in row else 4, "batch", path,
                      "--p", "p*", "--q", "q*", "-o", path.with_name("o"), "--block-size", size)  # fmt: skip
    assert message.startswith((f"{path}:{line}:", f"{path}:{line},"))


@pytest.mark.parametrize("size", [1, 1000])
def test_quote_that_never_closes_is_named_where_it_opens(refused, write, size):
    path = write("t.csv", 'p0,p1,q0,q1,id\n1,1,1,1,"a\n' + "1,1,1,1,b\n" * 50)
    message = refused(3, "batch", path, "--p", "p*", "--q", "q*", "-o", path.with_name("o"), "--block-size", size)
    assert message.startswith(f"{path}:2:")
    assert "quote" in message


# ---------------------------------------------------------------------------------------------------- files of no table

ROWS = "id,p0,p1,q0,q1\n" + "".join(f"r{i},1,1,1,3\n" for i in range(30))
SELECT = ["--p", "p*", "--q", "q*", "-m", "kl_pq"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", "", "t.csv is empty"),
        ("t.csv", bytes(range(256)), "binary"),
        ("t.csv", ROWS.replace("r20", "caf\xe9").encode("latin-1"), "t.csv:22: byte 0xe9 is not UTF-8"),
        (
            "t.ndjson",
            b'{"p": [1], "q": [1]}\n{"p": [1], "q": [1], "id": "\xff"}\n',
            "t.ndjson:2: byte 0xff is not UTF-8",
        ),
        ("t.parquet", "PAR1 not really", "not a readable Parquet file"),
        ("t.csv.gz", ROWS, "gz"),
        ("t.json", "[1]", "item 1"),
        ("t.json", "{}", "list of records"),
        ("t.json", '[{"p": [1], "q": [1]}, {"p": [1,', "malformed JSON"),
    ],
)
@pytest.mark.parametrize("size", [1, 100_000])
def test_file_that_is_no_table(refused, write, name, content, said, size):
    path = write(name, content)
    args = ["--p", "p", "--q", "q"] if "json" in name else SELECT
    assert said in refused(3, "batch", path, *args, "-o", path.with_name("o.csv"), "--block-size", size)
    assert not path.with_name("o.csv").exists()


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_header_and_nothing_below_it(call, write, form, end):
    result = call("batch", write("t.csv", "id,p0,q0" + end), *SELECT, "-f", form)
    assert result.code == 0
    assert result.out == {"csv": "id,kl_pq\n", "tsv": "id\tkl_pq\n", "ndjson": ""}[form]
    assert result.err.startswith("klcli: note: no rows")


def test_key_twice_in_a_record_or_a_label_twice_in_an_object(refused, write):
    for record, said, code in (('{"p":[1],"p":[2],"q":[1]}', "'p'", 3), ('{"p":{"a":1,"a":2},"q":{"a":1}}', "'a'", 4)):
        path = write("t.ndjson", '{"p":{"a":1},"q":{"a":1}}\n' + record + "\n")
        message = refused(code, "batch", path, "--p", "p", "--q", "q", "-o", path.with_name("o"))
        assert message.startswith(f"{path}:2")
        assert f"{said} stands twice" in message


def test_key_twice_in_a_parquet_map_is_as_bad(refused, tmp_path):
    kind = pa.map_(pa.string(), pa.float64())
    table = pa.table({"p": pa.array([[("a", 1)], [("a", 1), ("a", 2)]], kind), "q": pa.array([[("a", 1)]] * 2, kind)})
    pq.write_table(table, tmp_path / "t.parquet")
    message = refused(4, "batch", tmp_path / "t.parquet", "--p", "p", "--q", "q", "-o", tmp_path / "o.csv")
    assert "row 2" in message
    assert "'a' stands twice" in message


# -------------------------------------------------------------------------------------------------- the end comes early


LARGE = "id,p0,p1,p2,q0,q1,q2\n" + "".join(
    f"row{i},{i % 97 + 1},{i % 89 + 1},0.{i % 83 + 1:09d},{i % 79 + 1},{i % 73 + 1},{i % 71 + 1}.{i:012d}\n"
    for i in range(90_000)
)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file that two processes share."""
    path = tmp_path_factory.mktemp("large") / "large.csv"
    path.write_text(LARGE)
    assert path.stat().st_size > 1 << 22
    return path


def test_bad_row_of_a_large_file_is_named(call, refused, tmp_path):
    line, lines = 45_000, LARGE.splitlines(keepends=True)
    lines[line - 1] = "bad,1,x,1,1,1,1\n"
    path = tmp_path / "t.csv"
    path.write_text("".join(lines))
    message = refused(3, "batch", path, *SELECT, "-o", tmp_path / "o.csv", "--threads", "2")
    assert message == f"{path}:{line}: 'x' in column 'p1' is not a number"
    kept = call("batch", path, *SELECT, "--on-error", "keep", "--threads", "2")
    rows = kept.out.splitlines()
    assert kept.code == 5
    assert len(rows) == len(lines)
    assert [i for i, row in enumerate(rows, 1) if row.startswith("bad,,")] == [line]

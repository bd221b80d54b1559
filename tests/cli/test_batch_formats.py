"""`klcli batch`: what it reads. Each format, its borders between blocks, and several files as one stream."""

import json
import math

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

P = [[1.0, 2.0, 3.0], [5.0, 0.0, 5.0], [0.5, 0.25, 0.25]]
Q = [[3.0, 2.0, 1.0], [1.0, 1.0, 2.0], [0.25, 0.25, 0.5]]
BLOCKS = [[], ["--block-size", "1"], ["--block-size", "64"], ["--block-size", "1000", "--threads", "2"]]
WIDE = ["--p", "p*", "--q", "q*", "-m", "kl_pq"]
LISTS = ["--p", "p", "--q", "q", "-m", "kl_pq"]


def kl(p, q):
    return sum(a / sum(p) * math.log(a / sum(p) * sum(q) / b) for a, b in zip(p, q, strict=True) if a)


KL = pytest.approx([kl(p, q) for p, q in zip(P, Q, strict=True)], rel=1e-12)
CSV = "id,p0,p1,p2,q0,q1,q2\n" + "".join(
    ",".join([f"r{i}", *map(repr, [*p, *q])]) + "\n" for i, (p, q) in enumerate(zip(P, Q, strict=True))
)
OBJECTS = [{"id": f"r{i}", "p": dict(zip("abc", p, strict=True)), "q": dict(zip("cba", q[::-1], strict=True))}
           for i, (p, q) in enumerate(zip(P, Q, strict=True))]  # fmt: skip
RECORDS = [{"id": f"r{i}", "p": p, "q": q} for i, (p, q) in enumerate(zip(P, Q, strict=True))]


def lines(records, **how):
    return "".join(json.dumps(record, **how) + "\n" for record in records)


@pytest.fixture
def scored(call):
    """scored(*args): the records of a batch that must succeed, whatever the size of a block."""

    def scored(*args, **how):
        results = [call("batch", *args, "-f", "ndjson", "-q", *settings, **how) for settings in BLOCKS]
        found = [[json.loads(line) for line in result.out.splitlines()] for result in results]
        for result, records in zip(results, found, strict=True):
            assert (result.code, result.err) == (0, "")
            assert [{**record, "kl_pq": None} for record in records] == [
                {**record, "kl_pq": None} for record in found[0]
            ]
            assert values(records) == pytest.approx(values(found[0]), rel=1e-13)
        return found[0]

    return scored


def values(records):
    return [float(str(record["kl_pq"]).replace("Infinity", "inf")) for record in records]


def ids(records):
    return [record["id"] for record in records]


# ----------------------------------------------------------------------------------------------------------------- text


def test_european_csv_of_a_spreadsheet(scored, write):
    text = "\ufeff" + CSV.replace(",", ";").replace(".", ",").replace("\n", "\r\n").replace("r0", '"r;0"')
    records = scored(write("t.csv", text), *WIDE, "--decimal", ",")
    assert ids(records) == ["r;0", "r1", "r2"]
    assert values(records) == KL
    assert values(scored(write("u.csv", text), *WIDE, "--decimal", ",", "--delimiter", ";")) == KL


# ----------------------------------------------------------------------------------------------------------------- JSON


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" , ", " : ")])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("records", [RECORDS, OBJECTS], ids=["lists", "objects"])
def test_records_however_they_are_spelt(scored, write, separators, ascii_only, records):
    given = [{**record, "kept": 'é "\\\n\x00😀', "nested": {"a": [1, None, True]}} for record in records]
    for name, text in (
        ("t.ndjson", lines(given, separators=separators, ensure_ascii=ascii_only)),
        ("t.json", json.dumps(given, indent=1, ensure_ascii=ascii_only)),
    ):
        found = scored(write(name, text), *LISTS)
        assert ids(found) == ["r0", "r1", "r2"]
        assert values(found) == KL
        assert all(record["kept"] == given[0]["kept"] for record in found)
        assert all(record["nested"] == given[0]["nested"] for record in found)


def test_records_with_keys_in_another_order_or_missing(scored, write):
    text = '{"id":1,"p":[1,1],"q":[1,3]}\n{"q":[1,3],"id":2.50,"p":[1,1]}\n{"p":[1,1],"q":[1,3]}\n'
    records = scored(write("t.ndjson", text), *LISTS)
    assert ids(records) == [1, 2.5, None]
    assert len(set(values(records))) == 1


def test_a_group_may_have_rows_in_files_of_several_formats(call, write, tmp_path):
    """JSON has its keys in quotes, the others have not."""
    write("a.csv", "g,p,q\na,1,2\nb,1,1\n")
    write("b.ndjson", '{"g": "b", "p": 3, "q": 1}\n{"g": "c", "p": 1, "q": 1}\n{"g": 7, "p": 1, "q": 1}\n')
    pq.write_table(pa.table({"g": ["a", "7"], "p": [1.0, 1.0], "q": [2.0, 1.0]}), tmp_path / "c.parquet")
    for names in (("a.csv", "b.ndjson", "c.parquet"), ("c.parquet", "a.csv", "b.ndjson")):
        args = ["--by", "g", "--p", "p", "--q", "q", "-m", "kl_pq", "-f", "csv"]
        found = call("batch", "-q", *names, *args, cwd=tmp_path)
        assert (found.code, found.err) == (0, "")
        rows = dict(line.split(",") for line in found.out.splitlines()[1:])
        assert float(rows.pop("b")) == pytest.approx(kl([1, 3], [1, 1]), rel=1e-13)
        assert rows == {"a": "0.0", "c": "0.0", "7": "0.0"}


@pytest.mark.parametrize(
    ("align", "expected"), [("outer", [math.inf, kl([1, 2, 0], [1, 1, 1])]), ("inner", [0.0, kl([1, 2], [1, 1])])]
)
def test_labels_that_one_side_of_a_record_lacks(scored, write, align, expected):
    text = '{"p":{"a":1,"b":2},"q":{"b":1,"c":3}}\n{"p":{"b":2,"a":1},"q":{"a":1,"b":1,"c":1}}\n'
    assert values(scored(write("t.ndjson", text), *LISTS, "--align", align)) == pytest.approx(expected, rel=1e-12)


def test_new_key_of_a_later_record_is_an_error_unless_it_is_not_kept(scored, refused, write):
    path = write("t.ndjson", '{"k":1,"p":[1,1],"q":[1,3]}\n{"k":2,"p":[1,1],"q":[1,3],"z":1}\n')
    message = refused(3, "batch", path, *LISTS, "-o", path.with_name("o"))
    assert message.startswith(f"{path}:2: the key 'z' is not in the first record")
    assert [record["k"] for record in scored(path, *LISTS, "--keep", "k")] == [1, 2]


def test_kept_values_that_json_has_no_number_for(call, write):
    path = write("t.ndjson", '{"a":NaN,"b":Infinity,"c":-Infinity,"p":[1,1],"q":[1,3]}\n')
    (line,) = call("batch", path, *LISTS).out.splitlines()
    record = json.loads(line, parse_constant=pytest.fail)
    assert (record["a"], record["b"], record["c"]) == ("NaN", "Infinity", "-Infinity")


# -------------------------------------------------------------------------------------------------------------- Parquet


def arrow(p, q):
    return pa.table({"id": ["r0", "r1", "r2"], "p": p, "q": q})


MAP = pa.map_(pa.string(), pa.float64())
COLUMNS = {
    "lists": (pa.array(P), pa.array(Q)),
    "fixed": (pa.array(P, pa.list_(pa.float32(), 3)), pa.array(Q, pa.large_list(pa.float64()))),
    "structs": (pa.array([r["p"] for r in OBJECTS]), pa.array([r["q"] for r in OBJECTS])),
    "maps": (
        pa.array([list(r["p"].items()) for r in OBJECTS], MAP),
        pa.array([list(r["q"].items()) for r in OBJECTS], MAP),
    ),
}


@pytest.mark.parametrize("group", [1, 2, 100])
@pytest.mark.parametrize("kind", COLUMNS)
def test_parquet_columns_of_distributions(scored, tmp_path, kind, group):
    path = tmp_path / "t.parquet"
    pq.write_table(arrow(*COLUMNS[kind]), path, row_group_size=group)
    for source in ([path], ["-", "--input-format", "parquet"]):
        records = scored(*source, *LISTS, input=path.read_bytes())
        assert ids(records) == ["r0", "r1", "r2"]
        assert values(records) == KL


# --------------------------------------------------------------------------------------------------------- many streams


def test_several_files_and_stdin_are_one_stream_with_one_header(call, write):
    first, second = write("a.csv", CSV), write("b.csv", "\ufeff" + CSV.replace("\n", "\r\n"))
    other = write("c.csv", "q2,q1,q0,p2,p1,p0,id\n1,2,3,3,2,1,r0\n")
    result = call("batch", first, second, "-", other, *WIDE, "-f", "csv", "--input-format", "csv", input=CSV)
    rows = result.out.splitlines()
    assert (result.code, rows[0]) == (0, "id,kl_pq")
    assert [row.split(",")[0] for row in rows[1:]] == ["r0", "r1", "r2"] * 3 + ["r0"]
    assert [float(row.split(",")[1]) for row in rows[1:10]] == pytest.approx([*KL.expected] * 3, rel=1e-12)


def test_error_in_a_later_file_names_that_file(refused, write):
    first, second = write("a.csv", CSV), write("b.csv", CSV.replace("0.5,0.25,0.25", "x,1,1"))
    message = refused(3, "batch", first, second, *WIDE, "-o", first.with_name("o"))
    assert message.startswith(f"{second}:4: 'x'")


def test_files_that_keep_different_columns_are_refused(refused, call, write):
    first, second = write("a.csv", CSV), write("b.csv", CSV.replace("id", "name"))
    assert str(second) in refused(3, "batch", first, second, *WIDE, "-o", first.with_name("o"))
    assert call("batch", first, second, *WIDE, "--keep", "").out.count("\n") == 7


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("settings", BLOCKS, ids=" ".join)
def test_header_repeated_by_cat_is_left_out_with_a_note(call, mark, settings):
    result = call("batch", "-", "--input-format", "csv", *WIDE, "--keep", "id", *settings, input=(mark + CSV) * 3)
    assert result.code == 0, result.err
    assert [row.split(",")[0] for row in result.out.splitlines()] == ["id", *["r0", "r1", "r2"] * 3]
    assert "header" in result.err


def test_ndjson_is_read_as_the_options_say(scored, write, call):
    """In another encoding, with lines to be left out; errors still name the line of the file."""
    records = [record | {"id": "é" + record["id"]} for record in RECORDS]
    text = "about\n# more\n" + lines(records, ensure_ascii=False)
    path = write("a.ndjson", text.encode("latin-1"))
    how = ["--encoding", "latin-1", "--skip", "1", "--comment", "#"]
    found = scored(path, *LISTS, "--keep", "id", *how)
    assert (ids(found), values(found)) == ([f"ér{i}" for i in range(3)], KL)
    assert call("batch", write("b.ndjson", text + "{]\n"), *LISTS, *how[2:]).err.startswith(
        f"klcli: {path.with_name('b.ndjson')}:6: malformed JSON"
    )

"""Every kind of file, read by its suffix or by --input-format, never by what is in it."""

import gzip
import json
from math import log

import pytest

SURVEY = 0.4 * log(0.4 / 0.3) + 0.6 * log(0.6 / 0.7)
LABELS, P, Q = ["NA", "[red]"], [0.4, 0.6], [0.3, 0.7]
CSV = "label,p,q\nNA,0.4,0.3\n[red],0.6,0.7\n"
TSV = CSV.replace(",", "\t")
RECORDS = [{"label": a, "p": b, "q": c} for a, b, c in zip(LABELS, P, Q, strict=True)]
NDJSON = "".join(json.dumps(record) + "\n" for record in RECORDS)
OBJECT = json.dumps({"p": dict(zip(LABELS, P, strict=True)), "q": dict(zip(LABELS, Q, strict=True))})


def near(value):
    return pytest.approx(value, rel=1e-13, abs=0)


def zstd(text):
    import pyarrow as pa

    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "zstd") as stream:
        stream.write(text.encode())
    return out.getvalue().to_pybytes()


def table():
    import pyarrow as pa

    return pa.table({"label": LABELS, "p": P, "q": Q})


def save(path, kind):
    """A sample file of the kind at the path."""
    from pyarrow import feather, parquet

    if kind in {"parquet", "pq"}:
        parquet.write_table(table(), path)
    elif kind in {"feather", "arrow"}:
        feather.write_feather(table(), path)
    elif kind in {"xlsx", "ods"}:
        table().to_pandas().to_excel(path, index=False, engine="odf" if kind == "ods" else "openpyxl")
    elif kind == "dta":
        table().to_pandas().to_stata(path, write_index=False)
    elif kind == "orc":
        table().to_pandas().to_orc(path)
    else:
        plain, _, compression = kind.partition(".")
        text = {"csv": CSV, "tsv": TSV, "json": OBJECT, "ndjson": NDJSON, "jsonl": NDJSON}[plain.lower()]
        data = {"": str.encode, "gz": lambda t: gzip.compress(t.encode()), "zst": zstd}[compression](text)
        path.write_bytes(data)
    return path


TEXT = ["csv", "CSV", "tsv", "json", "ndjson", "jsonl"]
PACKED = [f"{kind}.{packed}" for kind in ("csv", "tsv", "json", "ndjson") for packed in ("gz", "zst")]
BINARY = ["parquet", "pq", "feather", "arrow", "xlsx", "ods", "dta", "orc"]


@pytest.mark.parametrize("kind", [*TEXT, *PACKED, *BINARY])
def test_file_of_every_kind_is_a_whole_pair_with_its_labels(call, tmp_path, kind):
    path = save(tmp_path / f"survey.{kind}", kind)
    result = call("compare", path, "-g", "kl_pq,elements.outcome")
    assert result.code == 0, result.err
    value, *labels = result.out.splitlines()
    assert float(value) == near(SURVEY)
    assert labels == LABELS


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "ndjson", "parquet", "feather", "xlsx"])
def test_input_format_overrides_the_suffix(kl, tmp_path, kind):
    path = save(tmp_path / "data.bin", kind)
    assert kl(path, "--input-format", kind) == near(SURVEY)


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "ndjson", "parquet", "feather"])
def test_input_format_is_for_standard_input_too(kl, tmp_path, kind):
    data = save(tmp_path / "data", kind).read_bytes()
    assert kl("-", "--input-format", kind, input=data) == near(SURVEY)


@pytest.mark.parametrize(("suffix", "content"), [("csv", "json"), ("json", "csv"), ("tsv", "csv"), ("parquet", "csv")])
def test_contents_are_never_sniffed(refused, tmp_path, suffix, content):
    path = save(tmp_path / f"data.{suffix}", content)
    assert refused(3, "kl", path).startswith(str(path))


def test_unknown_suffix_is_refused_with_the_option_that_mends_it(refused, tmp_path):
    path = save(tmp_path / "data.xyz", "csv")
    message = refused(3, "kl", path)
    assert "'.xyz'" in message
    assert "--input-format" in message


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_endings_byte_order_mark_and_a_missing_last_newline_do_not_matter(kl, write, ending, last, mark):
    text = (mark + CSV.replace("\n", ending)).removesuffix(ending if not last else "")
    assert kl(write("a.csv", text)) == near(SURVEY)


@pytest.mark.parametrize("rows", [10, 60_000])
def test_small_and_large_tables_mean_the_same(call, write, rows):
    """Two readers share the work; the numbers and the labels must not tell which of them it was."""
    body = "".join(f'"w,{i}",{i % 7 + 1},{i % 5 + 1}\n' for i in range(rows))
    path = write("big.csv", "label,p,q\n" + body)
    p, q = ([i % k + 1 for i in range(rows)] for k in (7, 5))
    whole_p, whole_q = sum(p), sum(q)
    expected = sum(a / whole_p * log(a / whole_p * whole_q / b) for a, b in zip(p, q, strict=True))
    result = call("compare", path, "-q", "-g", "kl_pq,elements.outcome", "--top", 3)
    value, *labels = result.out.splitlines()
    assert float(value) == pytest.approx(expected, rel=1e-10)
    assert len(labels) == 4
    assert labels[-1] == f"other ({rows - 3})"
    assert all(label.startswith("w,") for label in labels[:-1])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("x,abc,1", ": 'abc' in column 'p' is not a number"),
        ("x,1", ": 2 fields, the header has 3; complete it, or take it out as batch --on-error skip does"),
        (
            "x,1,2,3",
            ": 4 fields, the header has 3; quote a field that holds ',', or take it out as batch --on-error skip does",
        ),
        ("x,1_000,1", ": '1_000' in column 'p' is not a number"),
        ("x,0x10,1", ": '0x10' in column 'p' is not a number"),
    ],
)
@pytest.mark.parametrize("rows", [10, 80_000])
def test_bad_row_is_named_by_file_and_line_in_small_and_large_tables(refused, write, tmp_path, bad, message, rows):
    lines = ["w,p,q", *(f"w{i},1,2.5" for i in range(rows))]
    lines.insert(rows - 1, bad)
    write("w.csv", "\n".join(lines) + "\n")
    assert refused(3, "kl", "w.csv:p", "w.csv:q", cwd=tmp_path) == f"w.csv:{rows}{message}"


@pytest.mark.parametrize("kind", ["csv.gz", "csv.zst", "parquet", "feather", "xlsx", "ods", "dta", "orc"])
def test_damaged_file_is_refused_by_name(refused, tmp_path, kind):
    path = tmp_path / f"damaged.{kind}"
    path.write_bytes(b"this is no such file at all, whatever its name says" * 10)
    assert refused(3, "kl", path).startswith(f"{path}: ")


@pytest.mark.parametrize("command", ["compare", "entropy", "rank", "matrix", "matrix --columns", "fit"])
def test_two_columns_of_one_name_are_refused_in_one_line(refused, tmp_path, command):
    import pyarrow as pa
    from pyarrow import parquet

    columns = [pa.array(["x", "y"]), pa.array([1.0, 2.0]), pa.array([3.0, 4.0])]
    parquet.write_table(pa.table(columns, names=["label", "a", "a"]), tmp_path / "a.parquet")
    parquet.write_table(pa.table([columns[0], *columns], names=["label", "label", "p", "q"]), tmp_path / "l.parquet")
    (tmp_path / "a.json").write_text('[{"a": 1, "a": 2}, {"a": 2}]', encoding="utf-8")
    (tmp_path / "a.ndjson").write_text('{"a": 1, "a": 2}\n{"a": 2}\n', encoding="utf-8")
    for name in ("a.parquet", "l.parquet", "a.json", "a.ndjson"):
        code = 4 if command == "matrix" and "json" in name else 3  # there each object is a distribution
        assert refused(code, *command.split(), name, cwd=tmp_path).startswith(name)

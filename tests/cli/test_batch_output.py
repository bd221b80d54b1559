"""`klcli batch`: what it writes, reads back as the same; statistics, gates, notes."""

import csv
import io
import json
import math
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.test_batch import SIX

N = 40
SELECT = ["--p", "p*", "--q", "q*"]


def rows():
    chance = random.Random(7)  # noqa: S311 - test data
    made = [[chance.choice([0.0, 1.0, chance.random(), chance.random() * 1e-9]) for _ in range(6)] for _ in range(N)]
    return [[row[0] + 0.1, row[1], row[2], row[3], row[4] + 1e-3, row[5]] for row in made]


@pytest.fixture
def table(write):
    body = "".join(f"r{i}," + ",".join(map(repr, row)) + "\n" for i, row in enumerate(rows()))
    return write("t.csv", "id,p0,p1,p2,q0,q1,q2\n" + body)


def strict(text):
    records = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    return [{name: math.inf if value == "Infinity" else value for name, value in record.items()} for record in records]


def doubles(records):
    return [[float(record[name]) for name in SIX] for record in records]


# -------------------------------------------------------------------------------------------------------------- formats


@pytest.mark.parametrize("to", ["stdout", "file", "suffix"])
@pytest.mark.parametrize("form", ["csv", "tsv", "parquet"])
def test_every_format_reads_back_as_the_same_doubles(call, run, table, form, to):
    expected = strict(call("batch", table, *SELECT, "-f", "ndjson").out)
    assert any(math.isinf(value) for row in doubles(expected) for value in row)
    out = table.with_name("o." + (form if to == "suffix" else "bin"))
    if to == "stdout" and form != "parquet":
        out.write_bytes(call("batch", table, *SELECT, "-f", form).out.encode())
    elif to == "stdout":
        with out.open("wb") as file:
            assert run("batch", table, *SELECT, "-f", form, stdout=file).code == 0
    else:
        chosen = [] if to == "suffix" else ["-f", form]
        result = call("batch", table, *SELECT, *chosen, "-o", out)
        assert (result.code, result.out) == (0, "")
    if form == "parquet":
        found = pq.read_table(out).to_pylist()
    else:
        text = out.read_bytes().decode()
        assert "Infinity" not in text
        found = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=",\t"[form == "tsv"]))
    assert [record["id"] for record in found] == [f"r{i}" for i in range(N)]
    assert doubles(found) == doubles(expected)


def test_a_large_file_shared_by_processes_comes_out_the_same(call, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,p0,p1,p2,q0,q1,q2\n" + "".join(
        f"row{i},0.{i % 9973:012d}1,0.{i % 8999 + 1:012d},1,{i % 97},{i % 89}.{i:012d},{i % 7}\n" for i in range(75_000)
    ))  # fmt: skip
    assert path.stat().st_size > 1 << 22
    one, two = (call("batch", path, *SELECT, "-m", "kl_pq", "--threads", n, "--on-error", "keep") for n in (1, 2))
    assert one == two
    summaries = [
        call("batch", path, *SELECT, "-m", "kl_pq", "--threads", n, "--summary", "--on-error", "skip") for n in (1, 2)
    ]
    assert summaries[0] == summaries[1]


@pytest.mark.parametrize(
    ("name", "content", "args", "start"),
    [
        ("t.csv", "p,q\n1,1\n", [], "kl_pq\n0.0\n"),
        ("t.tsv", "i\tp\tq\nx\t1\t1\n", [], "i\tkl_pq\nx\t0.0\n"),
        ("t.ndjson", '{"p":[1],"q":[1]}\n', [], '{"kl_pq": 0.0}\n'),
        ("t.json", '[{"p":[1],"q":[1]}]', [], '{"kl_pq": 0.0}\n'),
    ],
)
def test_auto_is_the_format_of_the_input(call, write, name, content, args, start):
    path = write(name, content)
    assert call("batch", path, "--p", "p", "--q", "q", "-m", "kl_pq", *args).out == start
    out = path.with_name("without-suffix")
    assert call("batch", path, "--p", "p", "--q", "q", "-m", "kl_pq", *args, "-o", out).out == ""
    assert out.read_bytes().decode() == start


def test_suffix_no_format_has_is_a_usage_error_and_a_format_goes_before_the_suffix(call, refused, table):
    out = table.with_name("o.foo")
    assert "no format has the suffix '.foo'; add -f" in refused(2, "batch", table, *SELECT, "-o", out)
    assert call("batch", table, *SELECT, "-o", out, "-f", "tsv").code == 0
    assert out.read_text().startswith("id\tentropy_p")
    assert "Did you mean 'ndjson'?" in refused(2, "batch", table, *SELECT, "-f", "json")


def test_parquet_keeps_the_types_of_what_it_passes_through(call, tmp_path):
    given = pa.table({
        "i": pa.array([1, None, 3], pa.int16()), "t": pa.array([1, 2, 3], pa.timestamp("us")), "b": [True, None, False],
        "f": pa.array([1.5, math.nan, math.inf]), "s": ["NA", "", None], "n": [{"x": [1]}, None, {"x": []}],
        "d": pa.array(["a", "b", "a"]).dictionary_encode(), "p": [[1.0, 1.0]] * 3, "q": [[1.0, 3.0]] * 3,
    })  # fmt: skip
    pq.write_table(given, tmp_path / "t.parquet", row_group_size=2)
    call("batch", tmp_path / "t.parquet", "--p", "p", "--q", "q", "-m", "kl_pq", "-o", tmp_path / "o.parquet")
    found = pq.read_table(tmp_path / "o.parquet")
    kept = given.drop_columns(["p", "q"])
    assert found.drop_columns(["kl_pq"]).schema.equals(kept.schema)
    assert str(found.drop_columns(["kl_pq"]).to_pylist()) == str(kept.to_pylist())
    assert found.schema.field("kl_pq").type == pa.float64()
    out = call("batch", tmp_path / "t.parquet", "--p", "p", "--q", "q", "-f", "ndjson", "--keep", "f").out
    assert [record["f"] for record in strict(out)] == [1.5, "NaN", math.inf]


# -------------------------------------------------------------------------------------------------------------- summary

QUANTILES = {
    "min": 0,
    "p1": 0.01,
    "p5": 0.05,
    "q1": 0.25,
    "median": 0.5,
    "q3": 0.75,
    "p95": 0.95,
    "p99": 0.99,
    "max": 1,
}
STATISTICS = ["count", "infinite", "mean", "standard_error", *QUANTILES]


def statistics(values):
    finite = not np.isinf(values).any()
    with np.errstate(invalid="ignore"):
        error = values.std(ddof=1) / math.sqrt(len(values)) if finite and len(values) > 1 else math.nan
    shares = list(QUANTILES.values())
    quantiles = np.quantile(values, shares, method="linear") if finite else [math.nan] * len(shares)
    return dict(
        zip(STATISTICS, [len(values), int(np.isinf(values).sum()), values.mean(), error, *quantiles], strict=True)
    )


@pytest.mark.parametrize("form", ["csv", "tsv", "ndjson", "json"])
@pytest.mark.parametrize("size", [1, 10_000])
def test_summary_is_what_numpy_finds(call, table, form, size):
    records = strict(call("batch", table, *SELECT, "-f", "ndjson").out)
    out = call("batch", table, *SELECT, "--summary", "-f", form, "--block-size", size).out
    if form == "json":
        found = json.loads(out, parse_constant=pytest.fail)["summary"]
    elif form == "ndjson":
        found = {record["measure"]: record for record in strict(out)}
    else:
        found = {row["measure"]: row for row in csv.DictReader(io.StringIO(out), delimiter=",\t"[form == "tsv"])}
    assert list(found) == SIX
    for name in SIX:
        expected = statistics(np.array([record[name] for record in records]))
        for statistic, value in expected.items():
            if not math.isnan(value):
                assert float(found[name][statistic]) == pytest.approx(value, rel=1e-12), (name, statistic)


def test_summary_with_an_output_file_writes_both(call, table):
    out = table.with_name("o.ndjson")
    result = call("batch", table, *SELECT, "-m", "kl_pq", "--summary", "-o", out)
    assert result.out.splitlines()[0].split("\t") == ["measure", *STATISTICS]
    assert len(strict(out.read_text())) == N


@pytest.mark.parametrize(("form", "columns"), [("table", 200), ("table", 40), ("markdown", 40)])
def test_summary_for_people(call, table, form, columns):
    args = ["batch", table, *SELECT, "-m", "kl_pq", "--summary", "-f", form, "-q"]
    out = call(*args, env={"COLUMNS": str(columns)}).out
    assert all(name in out for name in ("kl_pq", *STATISTICS))


def test_summary_leaves_rows_that_failed_out(call, write):
    path = write("t.csv", "p0,p1,q0,q1\n1,1,1,3\n1,x,1,1\n1,1,1,1\n")
    result = call("batch", path, *SELECT, "-m", "kl_pq", "--summary", "--on-error", "skip", "-f", "ndjson")
    (record,) = strict(result.out)
    assert (result.code, record["count"], record["max"]) == (5, 2, pytest.approx(0.14384103622589045, rel=1e-13))


def test_summary_of_no_rows(call, write):
    result = call("batch", write("t.csv", "p0,q0\n"), *SELECT, "-m", "kl_pq", "--summary", "-f", "ndjson")
    (record,) = strict(result.out)
    assert (result.code, record["count"], record["mean"]) == (0, 0, None)


# ------------------------------------------------------------------------------------------------------ gates and notes


@pytest.mark.parametrize(("limit", "code"), [("1", 1), ("1e9", 1), ("inf", 0)])
def test_gate_counts_the_rows_above_it_and_the_rows_are_written_all_the_same(call, table, limit, code):
    values = [record["kl_qp"] for record in strict(call("batch", table, *SELECT, "-f", "ndjson").out)]
    result = call("batch", table, *SELECT, "-m", "kl_pq", "-q", "--fail-above", f"kl_qp={limit}")
    assert result.code == code
    assert len(result.out.splitlines()) == N + 1
    above = sum(value > float(limit) for value in values)
    assert result.err == (f"klcli: kl_qp is above {float(limit)!r} in {above} of {N} rows\n" if code else "")

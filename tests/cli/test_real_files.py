"""The same five pairs as other programs write them; the labels hold a comma, quotes, an accent and NA.

The files were made from one pandas frame `df` (id; p1, p2, p3; q1, q2, q3):
pandas.csv      df.to_csv(path): an index in front, under a header that is empty
pandas.ndjson   df.to_json(path, orient="records", lines=True)
polars.*        write_csv(path), write_parquet(path), write_ndjson(path)
duckdb.*        COPY (SELECT * FROM df) TO path, where DuckDB was there
r.csv           by hand, as R's write.csv has it: all strings in quotes, row names under the header ""
excel.csv       by hand, as Excel saves "CSV UTF-8" in Germany: byte order mark, semicolons, decimal commas, CRLF
"""

import csv
import io
import math
from pathlib import Path

import pytest

FILES = sorted(Path(__file__).with_name("files").iterdir())
IDS = ["a", "b, c", 'd "e"', "é", "NA"]
PAIRS = [
    ([0.2, 0.3, 0.5], [0.25, 0.25, 0.5]),
    ([8, 1, 1], [1, 1, 8]),
    ([0.5, 0.5, 0], [0.4, 0.6, 0]),
    ([0.125, 0.375, 0.5], [0.5, 0.375, 0.125]),
    ([1e-05, 0.5, 0.49999], [0.2, 0.3, 0.5]),
]


def divergence(p, q):
    p, q = ([w / math.fsum(side) for w in side] for side in (p, q))
    return math.fsum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a)


def scored(call, path, *args):
    dialect = ("--decimal", ",") if path.name == "excel.csv" else ()
    chosen = ("--p", "p*", "--q", "q*", "--keep", "id", "-m", "kl_pq", "-f", "csv", "-q")
    result = call("batch", path, *chosen, *dialect, *args)
    assert result.code == 0, result.err
    return result.out


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pairs_are_the_same_whoever_wrote_them(call, path):
    rows = list(csv.DictReader(io.StringIO(scored(call, path), newline=""), strict=True))
    assert [row["id"] for row in rows] == IDS
    for row, pair in zip(rows, PAIRS, strict=True):
        assert math.isclose(float(row["kl_pq"]), divergence(*pair), rel_tol=1e-13)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_output_is_the_same_from_all(call, path):
    assert scored(call, path) == scored(call, FILES[0])


@pytest.mark.parametrize("name", ["pandas.csv", "r.csv"])
def test_row_names_under_no_header_are_kept_as_they_are(call, name):
    path = Path(__file__).with_name("files") / name
    result = call("batch", path, "--p", "p*", "--q", "q*", "-m", "kl_pq", "-q")
    assert result.code == 0, result.err
    assert result.out.startswith(",id,kl_pq\n")
    first = 0 if name == "pandas.csv" else 1
    read = list(csv.reader(io.StringIO(result.out, newline=""), strict=True))
    assert [row[0] for row in read[1:]] == [str(i) for i in range(first, first + 5)]


def test_what_r_calls_missing_is_told_with_its_line(refused, write):
    text = '"","id","p1","p2","q1","q2"\n"1","a",0.5,0.5,0.5,0.5\n"2","b",NA,0.5,0.5,0.5\n'
    complaint = refused(3, "batch", write("r.csv", text), "--p", "p*", "--q", "q*")
    assert complaint.endswith("r.csv:3, column 'p1': 'NA' is not a number") or "'NA' in column 'p1'" in complaint
    assert ":3" in complaint

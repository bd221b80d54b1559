"""Tables of pairs, file to file as whole processes, against streaming Polars scripts: the CPU and the memory they take.

Every figure stands on three kinds of data: six decimals, all digits of a double, and counts with many zeros.
"""

# ruff: noqa: T201 - the figures are what one runs this for

import subprocess
import sys
import textwrap
from contextlib import suppress

import numpy as np
import psutil
import pytest

from .timing import KLCLI, assert_ratio, cpu, medians, process

pl = pytest.importorskip("polars")

ROUNDS = 7
NAMES = ["entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp"]

SCRIPT = '''
"""The six measures of a table by Polars, streamed, without looking whether a row is a pair."""
import sys
from functools import reduce
from operator import add

import polars as pl

given, taken = sys.argv[1:3]
{scan}
ps, qs = [n for n in names if n[0] == "p"], [n for n in names if n[0] == "q"]
total = lambda columns: reduce(add, columns) if len(ps) <= 50 else pl.sum_horizontal(columns)

def minus_sum(weights, of):
    x_log_y = [pl.when(pl.col(x) > 0).then(pl.col(x) * pl.col("log_" + y)).otherwise(0.0) for x, y in zip(weights, of)]
    return -total(x_log_y)

P, Q = (total([pl.col(n) for n in side]) for side in (ps, qs))
shares = table.with_columns(P=P, Q=Q).select(
    "id", *[pl.col(n) / pl.col("P") for n in ps], *[pl.col(n) / pl.col("Q") for n in qs]
)
logs = shares.with_columns([pl.col(n).log().alias("log_" + n) for n in ps + qs])
four = logs.select(
    "id",
    entropy_p=minus_sum(ps, ps),
    entropy_q=minus_sum(qs, qs),
    cross_entropy_pq=minus_sum(ps, qs),
    cross_entropy_qp=minus_sum(qs, ps),
)
found = four.with_columns(
    kl_pq=pl.col("cross_entropy_pq") - pl.col("entropy_p"), kl_qp=pl.col("cross_entropy_qp") - pl.col("entropy_q")
)
found.{sink}
'''

SCANS = {
    "csv": """
        names = open(given).readline().strip().split(",")
        table = pl.scan_csv(given, schema={"id": pl.Int64} | {n: pl.Float64 for n in names[1:]})
    """,
    "parquet": """
        table = pl.scan_parquet(given)
        names = table.collect_schema().names()
    """,
    "ndjson": """
        lists = pl.scan_ndjson(given, schema={"id": pl.Int64, "p": pl.List(pl.Float64), "q": pl.List(pl.Float64)})
        names = [f"{side}{i}" for side in "pq" for i in range(10)]
        table = lists.select("id", *[pl.col(n[0]).list.get(int(n[1:])).alias(n) for n in names])
    """,
}

LONG = """
import sys

import polars as pl

column = pl.col
weighted = lambda x, y: pl.when(column(x) > 0).then(column(x) * column(y)).otherwise(0.0).sum()
schema = {"id": pl.String, "label": pl.String, "p": pl.Float64, "q": pl.Float64}
sums = (
    pl.scan_csv(sys.argv[1], schema=schema)
    .with_columns(log_p=column("p").log(), log_q=column("q").log())
    .group_by("id", maintain_order=True)
    .agg(
        P=column("p").sum(), Q=column("q").sum(), pp=weighted("p", "log_p"), qq=weighted("q", "log_q"),
        pq=weighted("p", "log_q"), qp=weighted("q", "log_p"),
    )
)
four = sums.select(
    "id",
    entropy_p=column("P").log() - column("pp") / column("P"),
    entropy_q=column("Q").log() - column("qq") / column("Q"),
    cross_entropy_pq=column("Q").log() - column("pq") / column("P"),
    cross_entropy_qp=column("P").log() - column("qp") / column("Q"),
)
found = four.with_columns(
    kl_pq=column("cross_entropy_pq") - column("entropy_p"), kl_qp=column("cross_entropy_qp") - column("entropy_q")
)
found.sink_csv(sys.argv[2])
"""


KINDS = ("six decimals", "all digits", "counts")
"""The data that every figure stands on: what is quick on one kind of numbers may be slow on the next."""


def weights(rng, rows, outcomes, kind):
    """Weights of P and of Q, a few of P's 0; among counts many."""
    if kind == "counts":
        return [rng.poisson(rng.gamma(0.7, 20, (rows, outcomes))) + (np.arange(outcomes) == 0) for _ in range(2)]
    sides = []
    for _ in range(2):
        w = rng.standard_exponential((rows, outcomes))
        w /= w.sum(axis=1, keepdims=True)
        sides.append(np.maximum(w.round(6), 1e-6) if kind == "six decimals" else w)
    sides[0][rng.random(rows) < 0.02, 0] = 0
    sides[1][rng.random(rows) < 0.001, 1] = 0
    return sides


def frame(rng, rows, outcomes, kind, start=0):
    p, q = weights(rng, rows, outcomes, kind)
    columns = {"id": np.arange(start, start + rows)}
    columns |= {f"p{i}": p[:, i] for i in range(outcomes)} | {f"q{i}": q[:, i] for i in range(outcomes)}
    return pl.DataFrame(columns)


def places(kind):
    """How many decimals a number is written with; None for as many as it takes to read it back."""
    return 6 if kind == "six decimals" else None


def write_wide(path, rows, kind="six decimals", outcomes=10):
    rng = np.random.default_rng(7)
    with path.open("wb") as file:
        for start in range(0, rows, 100_000):
            part = frame(rng, min(100_000, rows), outcomes, kind, start)
            part.write_csv(file, include_header=start == 0, float_precision=places(kind))


def write_lists(path, rows, kind):
    p, q = weights(np.random.default_rng(10), rows, 10, kind)
    lists = pl.List(pl.Float64)
    columns = {name: pl.Series(side, dtype=pl.Array(pl.Float64, 10)).cast(lists) for name, side in (("p", p), ("q", q))}
    pl.DataFrame({"id": np.arange(len(p)), **columns}).write_ndjson(path)


def write_long(path, groups, kind, *, scattered=False):
    rng = np.random.default_rng(11)
    p, q = weights(rng, groups, 10, kind)
    keys = np.repeat([f"g{i:06d}" for i in range(len(p))], 10)
    labels = [f"label_{i}" for i in range(10)] * len(p)
    table = pl.DataFrame({"id": keys, "label": labels, "p": p.ravel(), "q": q.ravel()})
    order = rng.permutation(len(table)) if scattered else np.arange(len(table))
    table[order].write_csv(path, float_precision=places(kind))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("batch")


def compared(folder, given, kind, options, most, suffix="csv"):
    """Times both by the CPU they take, and holds their answers against one another."""
    ours, theirs, script = folder / f"ours.{suffix}", folder / f"theirs.{suffix}", folder / f"peer_of_{kind}.py"
    sink = f"sink_{suffix}(taken)"
    script.write_text(LONG if kind == "long" else SCRIPT.format(scan=textwrap.dedent(SCANS[kind]), sink=sink))
    jobs = {
        "klcli batch": process(KLCLI, "batch", given, *options, "-o", ours),
        "polars": process(sys.executable, script, given, theirs),
    }
    times = medians(jobs, ROUNDS, clock=cpu)
    read = pl.read_csv if suffix == "csv" else pl.read_parquet
    found, expected = read(ours), read(theirs)
    assert len(found) == len(expected)
    for name in NAMES:
        assert np.allclose(found[name].to_numpy(), expected[name].to_numpy(), rtol=1e-6, atol=1e-9), name
    assert_ratio(times, "klcli batch", "polars", most)


WIDE = ("--p", "p0:p9", "--q", "q0:q9")


@pytest.mark.parametrize(("kind", "most"), [*zip(KINDS, (1.2, 1.25, 1.35), strict=True)], ids=KINDS)
def test_wide_csv(folder, kind, most):
    path = folder / "wide.csv"
    write_wide(path, 1_000_000, kind)
    compared(folder, path, "csv", WIDE, most)


@pytest.mark.parametrize("kind", KINDS)
def test_a_smaller_table(folder, kind):
    path = folder / "small.csv"
    write_wide(path, 100_000, kind)
    compared(folder, path, "csv", WIDE, 1.15)


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_outcomes(folder, kind):
    path = folder / "deep.csv"
    frame(np.random.default_rng(8), 2000, 1000, kind).write_csv(path, float_precision=places(kind))
    compared(folder, path, "csv", ("--p", "p0:p999", "--q", "q0:q999"), 0.7)


@pytest.mark.parametrize("kind", KINDS)
def test_parquet(folder, kind):
    path = folder / "wide.parquet"
    table = frame(np.random.default_rng(9), 1_000_000, 10, kind)
    table.write_parquet(path, compression="snappy", row_group_size=100_000)
    compared(folder, path, "parquet", WIDE, 1.15, suffix="parquet")


@pytest.mark.parametrize("kind", KINDS)
def test_ndjson(folder, kind):
    path = folder / "wide.ndjson"
    write_lists(path, 1_000_000, kind)
    compared(folder, path, "ndjson", ("--p", "p", "--q", "q", "-f", "csv"), 1.1)


@pytest.mark.parametrize("kind", KINDS)
def test_groups(folder, kind):
    path = folder / "long.csv"
    write_long(path, 100_000, kind)
    compared(folder, path, "long", ("--by", "id", "--label", "label"), 1.2)


def test_scattered_groups_against_those_in_order(folder):
    jobs = {}
    for name, scattered in (("in order", False), ("scattered", True)):
        path = folder / f"{scattered}.csv"
        write_long(path, 100_000, "all digits", scattered=scattered)
        options = ("--by", "id", "--label", "label", "-o", folder / "groups.csv")
        jobs[name] = process(KLCLI, "batch", path, *options)
    assert_ratio(medians(jobs, ROUNDS, clock=cpu), "scattered", "in order", 4)


@pytest.mark.parametrize("kind", KINDS)
def test_one_bad_row_in_a_hundred_against_none(folder, kind):
    clean, bad = folder / "clean.csv", folder / "bad.csv"
    write_wide(clean, 300_000, kind)
    lines = clean.read_bytes().splitlines(keepends=True)
    for i in range(50, len(lines), 100):
        cells = lines[i].split(b",")
        cells[3] = (b"x", b"", b"-1", b"nan")[i // 100 % 4]
        lines[i] = b",".join(cells if i % 200 else [*cells[:-1], b"\n"])
    bad.write_bytes(b"".join(lines))
    jobs = {
        name: process(KLCLI, "batch", path, *WIDE, "--on-error", "keep", "-o", folder / "kept.csv", code=code)
        for name, path, code in (("clean", clean, 0), ("bad rows", bad, 5))
    }
    assert_ratio(medians(jobs, ROUNDS, clock=cpu), "bad rows", "clean", 2.5)


def peak(command):
    """The most memory, in MiB, that the processes of a command held together at any one time."""
    with psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as job:
        most = 0
        while job.poll() is None:
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                most = max(most, sum(one.memory_info().rss for one in [job, *job.children(recursive=True)]))
    assert job.returncode == 0
    return most / 2**20


def test_memory_does_not_grow_with_the_file(folder):
    peaks = {}
    for rows in (1_000_000, 5_000_000):
        path = folder / f"memory_{rows}.csv"
        write_wide(path, rows)
        peaks[rows] = peak([KLCLI, "batch", path, *WIDE, "-o", folder / "memory.out.csv", "-q"])
        path.unlink()
        print(f"\n{rows} rows: {peaks[rows]:.0f} MiB in all processes")
    small, large = peaks.values()
    assert large <= 1.1 * small
    assert large <= 250

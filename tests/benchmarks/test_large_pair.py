"""A CSV file of a million labelled outcomes: all measures and the ten outcomes that matter, against six by Polars."""

import json
import sys

import numpy as np
import pytest

from .timing import KLCLI, assert_ratio, medians, process

OUTCOMES, ROUNDS = 1_000_000, 7

POLARS = """
import sys
import polars as pl

def summed(weight, value):
    return pl.when(pl.col(weight) > 0).then(pl.col(weight) * pl.col(value)).otherwise(0).sum()

P, Q = pl.col("P"), pl.col("Q")
sums = (
    pl.scan_csv(sys.argv[1], schema={"label": pl.String, "p": pl.Float64, "q": pl.Float64})
    .select("p", "q", log_p=pl.col("p").log(), log_q=pl.col("q").log())
    .select(
        P=pl.col("p").sum(), Q=pl.col("q").sum(), pp=summed("p", "log_p"), qq=summed("q", "log_q"),
        pq=summed("p", "log_q"), qp=summed("q", "log_p"),
    )
)
found = (
    sums.select(
        entropy_p=P.log() - pl.col("pp") / P, entropy_q=Q.log() - pl.col("qq") / Q,
        cross_entropy_pq=Q.log() - pl.col("pq") / P, cross_entropy_qp=P.log() - pl.col("qp") / Q,
    )
    .with_columns(
        kl_pq=pl.col("cross_entropy_pq") - pl.col("entropy_p"), kl_qp=pl.col("cross_entropy_qp") - pl.col("entropy_q"),
    )
    .collect(engine="streaming")
)
found.write_csv(sys.argv[2])
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(13)
    p = rng.standard_exponential(OUTCOMES).round(6)
    q = np.maximum((p * rng.lognormal(0, 0.5, OUTCOMES)).round(6), 1e-6)
    p[rng.random(OUTCOMES) < 0.01] = 0
    path = tmp_path_factory.mktemp("pair") / "pair.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("label,p,q\n")
        file.writelines(f"o{i:07d},{x!r},{y!r}\n" for i, (x, y) in enumerate(zip(p.tolist(), q.tolist(), strict=True)))
    return path


def test_a_million_outcomes_against_polars(table):
    pytest.importorskip("polars")
    folder = table.parent
    script, answer, theirs = folder / "peer.py", folder / "out.json", folder / "out.csv"
    script.write_text(POLARS, encoding="utf-8")
    jobs = {
        "klcli compare": process(KLCLI, "compare", table, "--top", "10", "-f", "json", "-o", answer),
        "polars": process(sys.executable, script, table, theirs),
    }
    times = medians(jobs, ROUNDS)
    header, row = (line.split(",") for line in theirs.read_text(encoding="utf-8").splitlines())
    peer = dict(zip(header, map(float, row), strict=True))
    found = json.loads(answer.read_text(encoding="utf-8"))
    assert found["measures"]["kl_pq"] == pytest.approx(peer["kl_pq"], rel=1e-9)
    assert found["measures"]["entropy_q"] == pytest.approx(peer["entropy_q"], rel=1e-9)
    assert_ratio(times, "klcli compare", "polars", 1.0)

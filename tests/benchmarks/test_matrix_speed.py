"""Every pair of 2,000 distributions of 100 outcomes, CSV to CSV: KL against one NumPy product, JS against SciPy cdist.

The product is the plain one, cross-entropies less entropies, which has no digits left for distributions that are alike.
"""

import csv
import sys

import numpy as np
import pytest

from .timing import KLCLI, assert_ratio, medians, process

ROWS, OUTCOMES, ROUNDS = 2000, 100, 7

READ = """
import sys
import numpy as np
import polars as pl

table = pl.read_csv(sys.argv[1])
p = table.drop("id").to_numpy()
"""
WRITE = """
square = pl.from_numpy(d, schema=[str(i) for i in table["id"]])
pl.concat([table.select("id"), square], how="horizontal").write_csv(sys.argv[2])
"""
PRODUCT = f"""{READ}
p = p / p.sum(axis=1, keepdims=True)
logs = np.log(p)
d = np.vecdot(p, logs)[:, None] - p @ logs.T
{WRITE}"""
CDIST = f"""{READ}
from scipy.spatial.distance import cdist
d = cdist(p, p, "jensenshannon") ** 2
{WRITE}"""


def save(path, weights):
    with path.open("w", encoding="utf-8") as file:
        file.write(f"id,{','.join(f'x{i}' for i in range(OUTCOMES))}\n")
        file.writelines(f"{i},{','.join(map(repr, row))}\n" for i, row in enumerate(weights.tolist()))
    return path


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Distributions drawn at random, and some within a hundredth of each other."""
    folder, rng = tmp_path_factory.mktemp("matrix"), np.random.default_rng(14)
    apart = np.maximum(rng.dirichlet(np.ones(OUTCOMES), ROWS).round(6), 1e-6)
    alike = (apart[:1] * (1 + 0.01 * rng.standard_normal((ROWS, OUTCOMES)))).clip(1e-9)
    return {"apart": save(folder / "apart.csv", apart), "alike": save(folder / "alike.csv", alike)}


@pytest.fixture(scope="module")
def peers(tables):
    folder = tables["apart"].parent
    for name, script in (("product", PRODUCT), ("cdist", CDIST)):
        (folder / f"{name}.py").write_text(script, encoding="utf-8")
    return folder


def square(path):
    with path.open(encoding="utf-8") as file:
        return np.array([row[1:] for row in list(csv.reader(file))[1:]], dtype=float)


@pytest.mark.parametrize("which", ["apart", "alike"])
def test_kl_against_the_plain_product(tables, peers, which):
    pytest.importorskip("polars")
    ours, theirs = peers / "ours.csv", peers / "theirs.csv"
    name = f"klcli matrix, {which}"
    jobs = {
        name: process(KLCLI, "matrix", tables[which], "--label", "id", "-m", "kl_pq", "-o", ours, "-q"),
        "numpy product": process(sys.executable, peers / "product.py", tables[which], theirs),
    }
    times = medians(jobs, ROUNDS)
    np.testing.assert_allclose(square(ours), square(theirs), atol=1e-13)
    assert_ratio(times, name, "numpy product", 1.5)


def test_js_against_cdist(tables, peers):
    pytest.importorskip("polars")
    pytest.importorskip("scipy")
    ours, theirs = peers / "ours.csv", peers / "theirs.csv"
    jobs = {
        "klcli matrix": process(
            KLCLI, "matrix", tables["apart"], "--label", "id", "-m", "js_divergence", "-o", ours, "-q"
        ),
        "scipy cdist": process(sys.executable, peers / "cdist.py", tables["apart"], theirs),
    }
    times = medians(jobs, 3)
    np.testing.assert_allclose(square(ours), square(theirs), atol=1e-13)
    assert_ratio(times, "klcli matrix", "scipy cdist", 0.2)

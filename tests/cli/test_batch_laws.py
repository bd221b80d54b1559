"""`batch` is `compare` row by row, and what it keeps is what it was; text is compared in test_random_tables."""

import json
from math import isclose

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klcli.analyses.compare import compare
from klcli.errors import DistributionError
from klcli.model import Asked, Distribution, Settings, frozen

SIX = ["entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp"]
FIELDS = [*SIX, "js_divergence", "total_variation"]

plain = st.one_of(
    st.floats(0, 1),
    st.integers(0, 1000),
    st.sampled_from([0.0, 0, 1e300, 1e-300, 5e-324, 0.25, 1]),
    st.decimals(0, 1, places=4).map(float),
)
text = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    st.sampled_from(
        ["", "a,b", 'say "no"', "two\nlines", "a\r\nb", " pad ", "\t", "NA", "null", "Å", '"', "007", "inf"]
    ),
)
blocks = st.integers(1, 500)


@st.composite
def rows_of(draw):
    """Rows (id, P, Q), some of whose pairs are nearly the same."""
    k, n = draw(st.integers(1, 6)), draw(st.integers(0, 30))
    rows = []
    for _ in range(n):
        p, q = (list(map(float, draw(st.lists(plain, min_size=k, max_size=k)))) for _ in "pq")
        if draw(st.integers(0, 3)) == 0:
            q = [w * (1 + draw(st.sampled_from([0, 1e-15, -1e-12, 1e-9, 1e-6]))) for w in p]
        p, q = ([1.0, *side[1:]] if not any(side) else side for side in (p, q))
        rows.append((draw(text), p, q))
    return k, rows


def side(name, cells):
    return Distribution(name, "", frozen(cells), str)


def compared(p, q):
    """What `compare` has of a pair, or None where it is none."""
    try:
        report = compare(side("P", p), side("Q", q), Settings(), Asked(FIELDS))
    except DistributionError:
        return None
    return report.measures


def check(found, rows):
    """found: for each row what is kept and the measures, in order, the latter None where it failed."""
    assert [kept for kept, _ in found] == [kept for kept, _, _ in rows]
    for (_, measures), (_, p, q) in zip(found, rows, strict=True):
        expected = compared(p, q)
        assert (measures is None) == (expected is None)
        for name in FIELDS if expected is not None else ():
            value = measures[name]
            assert value == expected[name] or isclose(value, expected[name], rel_tol=1e-13), (name, p, q)


WIDE = ["--p", "p[0-9]*", "--q", "q[0-9]*"]


def scored(call, path, *args):
    result = call("batch", path, "-m", ",".join(FIELDS), "-q", *args)
    assert result.code == 0, result.err
    return result.out


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


@settings(max_examples=25, deadline=None)
@given(rows_of(), st.integers(1, 4), st.booleans(), st.integers(1, 40))
def test_parquet_rows_are_compared_one_by_one(call, folder, table, workers, lists, group):
    k, rows = table
    path, out = folder / "a.parquet", folder / "out.parquet"
    names, sides = pa.array([row[0] for row in rows], pa.string()), {}
    for which, letter in enumerate("pq"):
        values = [row[1 + which] for row in rows]
        if lists:
            sides[letter] = pa.array(values, pa.list_(pa.float64()))
        else:
            sides |= {f"{letter}{i}": pa.array([row[i] for row in values], pa.float64()) for i in range(k)}
    pq.write_table(pa.table({"id": names, **sides}), path, row_group_size=group)
    chosen = [] if lists else WIDE
    scored(call, path, *chosen, "-o", out, "--threads", workers)
    got = pq.read_table(out).to_pylist()
    check([(row.pop("id"), row) for row in got], rows)


kept_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(kept_json, min_size=1, max_size=12), blocks, st.booleans())
def test_kept_json_is_what_it_was_in_blocks_of_any_size(call, folder, values, size, ascii_only):
    path = folder / "kept.ndjson"
    lines = [json.dumps({"x": value, "p": [1, 2], "q": [2, 1]}, ensure_ascii=ascii_only) for value in values]
    path.write_text("\n".join(lines), encoding="utf-8", newline="")
    whole = call("batch", path, "-m", "kl_pq", "-q")
    assert [json.loads(line)["x"] for line in whole.out.split("\n")[:-1]] == values
    assert call("batch", path, "-m", "kl_pq", "-q", "--block-size", size) == whole


@pytest.mark.parametrize("kinds", [(None, 1), (1, 1.5), (1, 2.0), (1, "a"), (2**70, 1), ([1], 1), (True, 1)], ids=str)
def test_kept_json_is_written_to_parquet_alike_in_blocks_of_any_size(call, folder, kinds):
    path, out = folder / "kinds.ndjson", folder / "kinds.parquet"
    path.write_text("".join(json.dumps({"x": kind, "p": [1, 2], "q": [2, 1]}) + "\n" for kind in kinds))
    found = []
    for size in (1, 10_000):
        result = call("batch", path, "-m", "kl_pq", "-q", "-o", out, "--block-size", size)
        assert result.code in {0, 6}, result.err
        found.append((result, out.read_bytes() if result.code == 0 else b""))
        out.unlink(missing_ok=True)
    assert found[0] == found[1]

"""Groups of rows: what itertools.groupby makes of them, however the rows come."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klcli.arrow import strings
from klcli.blocks import Failure
from klcli.errors import DistributionError, InputError
from klcli.readers.tables.gather import Gathered
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.rows import Rows, groups_of, keys_of, pair_a_group

laws = settings(max_examples=80, deadline=None)
LABELLED = Layout("x", ("g", "h", "label", "p", "q"), (3,), (4,), (0, 1), (0, 1), 2)
BARE = LABELLED._replace(label=None)

word = st.sampled_from(["", "a", "b", "ab", "a" * 8, "a" * 9, "Å", "\n", "a" * 300, "a" * 300 + "b", "1", "2"])
row_of = st.tuples(word, word, st.sampled_from(["x", "y", "z", "x" * 400]), st.integers(0, 9), st.integers(1, 9))


@st.composite
def tables(draw):
    """Rows: runs of keys, labels, weights."""
    runs = draw(st.lists(st.tuples(word, word, st.lists(row_of, min_size=1, max_size=4)), max_size=8))
    return [(g, h, *row[2:]) for g, h, run in runs for row in run]


def rows_of(table, first_line=0):
    text = [strings(column) for column in zip(*(row[:3] for row in table), strict=True)] or [strings([])] * 3
    numbers = np.array([row[3:] for row in table], dtype=float).reshape(len(table), 2).T
    return Rows(len(table), 2 * len(table), numbers, text, line=lambda row: first_line + 2 * row + 1)


def without_labels(rows):
    return replace(rows, text=rows.text[:2])


def told(blocks):
    """Of every group its key, what it has of P and Q, and the line of each weight; or what is wrong with it."""
    groups, line = [], 0
    for block in blocks:
        keys = list(zip(*(column.cells.to_pylist() for column in block.kept), strict=True))
        found = dict.fromkeys(range(block.size))
        for pairs in block.pairs:
            for column, group in enumerate(pairs.rows.tolist()):
                size = len(pairs.p)
                lines = [line + pairs.where(0, column, i)[0] for i in range(size)]
                assert found[group] is None
                found[group] = (pairs.p[:, column].tolist(), pairs.q[:, column].tolist(), lines)
        for failure in reversed(block.failures):
            found[failure.row] = (line + failure.line, failure.text)
        groups += [(keys[i], found[i]) for i in range(block.size)]
        line += block.lines
    return groups


def expected(table, *, labels=True):
    """The same by a plain loop."""
    groups = []
    for key, run in itertools.groupby(enumerate(table), lambda item: item[1][:2]):
        run = list(run)  # noqa: PLW2901 - used twice
        seen = set()
        twice = next(((at, row[2]) for at, row in run if row[2] in seen or seen.add(row[2])), None)
        if labels and twice is not None:
            shown = repr(twice[1]) if len(twice[1]) < 60 else repr(twice[1][:59] + "…")
            groups.append((key, (2 * twice[0] + 1, f"the label {shown} stands twice in its group; add the two up")))
        else:
            p, q = [float(row[3]) for _, row in run], [float(row[4]) for _, row in run]
            groups.append((key, (p, q, [2 * at + 1 for at, _ in run])))
    return groups


@laws
@given(tables())
def test_groups_are_runs_of_rows_with_one_key(table):
    rows = rows_of(table)
    assert told([pair_a_group(without_labels(rows), BARE)]) == expected(table, labels=False)
    assert told([pair_a_group(rows, LABELLED)]) == expected(table)


@laws
@given(tables(), st.lists(st.integers(0, 12), max_size=6))
def test_groups_are_the_same_however_the_rows_are_cut(table, cuts):
    ends = sorted({min(cut, len(table)) for cut in cuts} | {0, len(table)})
    parts = [rows_of(table[start:end]) for start, end in itertools.pairwise(ends)]
    blocks = [block for part in groups_of(parts, LABELLED) for block in part()]
    assert told(blocks) == expected(table)


@laws
@given(tables(), st.lists(st.integers(0, 12), max_size=4))
def test_scattered_groups_are_gathered_in_the_order_of_their_first_rows(table, cuts):
    if not table:
        return
    ends = sorted({min(cut, len(table)) for cut in cuts} | {0, len(table)})
    parts = [rows_of(table[start:end]) for start, end in itertools.pairwise(ends)]
    source = SimpleNamespace(
        source="x", kept=("g", "h"), layout=LABELLED, rows=lambda: iter(parts), place=lambda line: f"x:{line}"
    )
    gathered = Gathered([source])
    order = {key: i for i, key in reversed(list(enumerate(row[:2] for row in table)))}
    numbered = sorted(enumerate(table), key=lambda item: order[item[1][:2]])
    want = expected([row for _, row in numbered])
    lines = [2 * at + 1 for at, _ in numbered]
    got = told([block for part in gathered.parts() for block in part()])
    assert [key for key, _ in got] == [key for key, _ in want]
    for (_, one), (_, other) in zip(got, want, strict=True):
        if len(other) == 2:
            assert one == (lines[(other[0] - 1) // 2], other[1])
        else:
            assert one == (*other[:2], [lines[(line - 1) // 2] for line in other[2]])


@laws
@given(st.lists(st.tuples(word, word), min_size=1, max_size=30), st.integers(0, 30))
def test_keys_are_equal_where_what_they_stand_for_is_however_the_rows_are_cut(keys, cut):
    parts = [part for part in (keys[:cut], keys[cut:]) if part]
    hashes = np.concatenate([keys_of([strings(column) for column in zip(*part, strict=True)]) for part in parts])
    assert len(set(hashes.tolist())) == len(set(keys))
    assert len(set(zip(hashes.tolist(), keys, strict=True))) == len(set(keys))


def test_many_keys_have_as_many_hashes():
    numbers = [str(i) for i in range(300)]
    keys = [(a, b) for a in numbers for b in numbers]
    hashes = keys_of([strings(column) for column in zip(*keys, strict=True)])
    assert len(np.unique(hashes)) == len(keys)


@laws
@given(tables(), st.data())
def test_a_group_fails_with_any_of_its_rows(table, data):
    if not table:
        return
    bad = data.draw(st.lists(st.integers(0, len(table) - 1), min_size=1, max_size=3, unique=True).map(sorted))
    rows = rows_of(table)
    rows = replace(rows, failures=tuple(Failure(i, rows.line(i), f"wrong {i}", InputError) for i in bad))
    block = pair_a_group(without_labels(rows), BARE)
    want = [
        (
            key,
            (2 * first + 1, f"wrong {first}") if (first := next((i for i in run if i in bad), None)) is not None else 0,
        )
        for key, run in (
            (key, [i for i, _ in run]) for key, run in itertools.groupby(enumerate(table), lambda r: r[1][:2])
        )
    ]
    got = told([block])
    assert [(key, value if other else 0) for (key, value), (_, other) in zip(got, want, strict=True)] == want
    assert all(failure.error in {InputError, DistributionError} for failure in block.failures)


TYPES = {
    "words": pa.array(["a", "a", "b", "b"]),
    "long words": pa.array(["a", "a", "b", "b"], pa.large_string()),
    "words as Polars has them": pa.array(["a", "a", "b", "b"], pa.string_view()),
    "categories": pa.array(["a", "a", "b", "b"]).dictionary_encode(),
    "whole numbers": pa.array([1, 1, 2, 2]),
    "numbers": pa.array([1.5, 1.5, 2.5, 2.5]),
    "NaN": pa.array([1.5, 1.5, float("nan"), float("nan")]),
    "truth": pa.array([True, True, False, False]),
    "days": pa.array([1, 1, 2, 2], pa.date32()),
    "times": pa.array([1, 1, 2, 2], pa.timestamp("ns", "UTC")),
}


@pytest.mark.parametrize("cells", TYPES.values(), ids=TYPES)
def test_groups_of_any_type(call, tmp_path, cells):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"g": cells, "p": [1, 2, 3, 4], "q": [1, 2, 4, 3]}), tmp_path / "a.parquet")
    result = call("batch", tmp_path / "a.parquet", "--by", "g", "-m", "kl_pq,kl_qp", "-f", "csv", "-q")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == 3


@pytest.mark.parametrize("size", [1, 40, 700, 10_000])
def test_a_group_scattered_about_a_long_key_is_one(call, size):
    table = f"g,label,p,q\na,1,1,2\na,2,3,1\nb,1,1,2\nb,2,3,1\n{'x' * 300},1,1,1\na,3,5,1\n"
    result = call("batch", "-", "--by", "g", "-m", "kl_pq", "--block-size", size, "-q", input=table)
    assert [line.partition(",")[0] for line in result.out.splitlines()] == ["g", "a", "b", "x" * 300]


def test_the_note_of_gathered_rows_counts_rows(call):
    table = "g,p,q\na,1,2\na,3,1\nb,1,2\na,5,1\n"
    result = call("batch", "-", "--by", "g", "-m", "kl_pq", input=table)
    assert "4 of 2 groups" not in result.err

"""Groups of rows: what itertools.groupby makes of them, however the rows come, in Arrow's memory or in lists."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klcli.arrow import strings
from klcli.errors import DistributionError, InputError
from klcli.readers.tables.groups import gathered, group_starts, pair_groups, whole_groups
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.roles import no_group
from klcli.readers.tables.table import Table, concatenated

laws = settings(max_examples=80, deadline=None)
LABELLED = Layout("x", ("g", "h", "label", "p", "q"), (3,), (4,), (0, 1), (0, 1), 2)
BARE = LABELLED._replace(label=None)

word = st.sampled_from(["", "\n", "a", "b", "ab", "a" * 8, "a" * 9, "Å", "a\n", "a" * 300, "a" * 300 + "b", "1", "2"])
row_of = st.tuples(word, word, st.sampled_from(["x", "y", "z", "x" * 400]), st.integers(0, 9), st.integers(1, 9))
kinds = st.sampled_from([list, strings])


@st.composite
def tables(draw):
    """Rows: runs of keys, labels, weights."""
    runs = draw(st.lists(st.tuples(word, word, st.lists(row_of, min_size=1, max_size=4)), max_size=8))
    return [(g, h, *row[2:]) for g, h, run in runs for row in run]


def table_of(rows, kind):
    columns = list(zip(*rows, strict=True)) or [[]] * 5
    cells = {i: kind(columns[i]) for i in range(3)}
    cells |= {i: np.array(columns[i], dtype=float) for i in (3, 4)}
    return Table(LABELLED.header, cells, len(rows), 2 * len(rows), starts=2 * np.arange(len(rows)) + 1)


def listed(cells):
    return cells if isinstance(cells, list) else cells.to_pylist()


def told(blocks):
    """Of every group its key, what it has of P and Q, and the line of each weight; or what is wrong with it."""
    groups, line = [], 0
    for block in blocks:
        keys = list(zip(*(listed(column.cells) for column in block.kept), strict=True))
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


def expected(rows, *, labels=True):
    """The same by a plain loop."""
    groups = []
    for key, run in itertools.groupby(enumerate(rows), lambda item: item[1][:2]):
        run = list(run)  # noqa: PLW2901 - used twice
        seen = set()
        twice = next(((at, row[2]) for at, row in run if row[2] in seen or seen.add(row[2])), None)
        nameless = next((name for name, part in zip("gh", key, strict=True) if not part.strip()), None)
        if nameless is not None:
            groups.append((key, (2 * run[0][0] + 1, no_group(nameless, len(run)))))
        elif labels and twice is not None:
            shown = repr(twice[1]) if len(twice[1]) < 60 else repr(twice[1][:59] + "…")
            groups.append(
                (key, (2 * twice[0] + 1, f"the label {shown} stands twice in its group; --repeats sum adds them up"))
            )
        else:
            p, q = [float(row[3]) for _, row in run], [float(row[4]) for _, row in run]
            groups.append((key, (p, q, [2 * at + 1 for at, _ in run])))
    return groups


@laws
@given(tables(), kinds)
def test_groups_are_runs_of_rows_with_one_key(rows, kind):
    assert told([pair_groups(table_of(rows, kind), BARE)]) == expected(rows, labels=False)
    assert told([pair_groups(table_of(rows, kind), LABELLED)]) == expected(rows)


def parts_of(rows, cuts, kind):
    ends = sorted({min(cut, len(rows)) for cut in cuts} | {0, len(rows)})
    return [table_of(rows[start:end], kind) for start, end in itertools.pairwise(ends)]


@laws
@given(tables(), st.lists(st.integers(0, 12), max_size=6), kinds)
def test_groups_are_the_same_however_the_rows_are_cut(rows, cuts, kind):
    frames = [(part, group_starts(part, LABELLED)) for part in parts_of(rows, cuts, kind)]
    found = [(pair(), keys) for pair, keys in whole_groups(frames, LABELLED)]
    assert told([block for block, _ in found]) == expected(rows)
    assert [key for _, keys in found for key in keys] == [key for key, _ in expected(rows)]


@laws
@given(tables(), st.lists(st.integers(0, 12), max_size=4), kinds)
def test_scattered_groups_are_gathered_in_the_order_of_their_first_rows(rows, cuts, kind):
    if not rows:
        return
    order = {key: i for i, key in reversed(list(enumerate(row[:2] for row in rows)))}
    numbered = sorted(enumerate(rows), key=lambda item: order[item[1][:2]])
    want = expected([row for _, row in numbered])
    lines = [2 * at + 1 for at, _ in numbered]
    got = told([pair_groups(gathered(concatenated(parts_of(rows, cuts, kind)), LABELLED), LABELLED)])
    assert [key for key, _ in got] == [key for key, _ in want]
    for (_, one), (_, other) in zip(got, want, strict=True):
        if len(other) == 2:
            assert one == (lines[(other[0] - 1) // 2], other[1])
        else:
            assert one == (*other[:2], [lines[(line - 1) // 2] for line in other[2]])


@laws
@given(tables(), st.data())
def test_a_group_fails_with_any_of_its_rows(rows, data):
    if not rows:
        return
    bad = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=3, unique=True).map(sorted))
    table = table_of(rows, list)
    table = table._replace(wrong={i: InputError(f"wrong {i}") for i in bad})
    block = pair_groups(table, BARE)
    runs = [(key, [i for i, _ in run]) for key, run in itertools.groupby(enumerate(rows), lambda r: r[1][:2])]
    first = [(key, next((i for i in run if i in bad), None)) for key, run in runs]
    want = [(key, 0 if i is None else (2 * i + 1, f"wrong {i}")) for key, i in first]
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


def test_lines_are_in_their_own_file_where_groups_are_gathered(call, tmp_path):
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text('g,p,q\n"a",1,2\n"b",-1,2')  # no line end
    second.write_text("g,p,q\na,3,4\n")
    result = call("batch", first.name, second.name, "--by", "g", "-m", "kl_pq", "--on-error", "keep", cwd=tmp_path)
    assert "the first: a.csv:3, column 'p'" in result.err

"""Laws of divergences and of formats, for whatever weights and labels Hypothesis thinks of."""

import csv
import io
import json
from math import fsum, isclose

from hypothesis import given, settings
from hypothesis import strategies as st

weight = st.floats(min_value=1e-6, max_value=1e6)
weights = st.lists(weight, min_size=1, max_size=12)
# Line ends within a label have their own test in test_output; here they would hide everything else.
label = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)
labelled = st.dictionaries(label, weight, min_size=1, max_size=10)


@st.composite
def pairs(draw, element=weight):
    n = draw(st.integers(1, 12))
    return tuple(draw(st.lists(element, min_size=n, max_size=n)) for _ in range(2))


@st.composite
def labelled_pairs(draw):
    labels = draw(st.lists(label, min_size=1, max_size=8, unique=True))
    return tuple({name: draw(weight) for name in labels} for _ in range(2))


laws = settings(max_examples=40, deadline=None, derandomize=True)


def text(values):
    return ",".join(map(repr, values))


@laws
@given(pairs(), st.randoms(use_true_random=False))
def test_order_of_labelled_outcomes_does_not_matter(kl, pair, random):
    p, q = ([(f"x{i}", w) for i, w in enumerate(side)] for side in pair)
    before = kl(*(",".join(f"{a}={w!r}" for a, w in side) for side in (p, q)))
    random.shuffle(p)
    random.shuffle(q)
    after = kl(*(",".join(f"{a}={w!r}" for a, w in side) for side in (p, q)))
    assert isclose(before, after, rel_tol=1e-13, abs_tol=0)


@laws
@given(labelled_pairs())
def test_json_of_a_pair_reads_back_as_it_was_given(call, pair):
    result = call("compare", *(json.dumps(side) for side in pair), "-f", "json", "-q")
    assert result.code == 0, result.err
    elements = json.loads(result.out)["elements"]
    assert [element["outcome"] for element in elements] == list(pair[0])
    total = fsum(pair[0].values())
    assert all(isclose(e["p"], w / total, rel_tol=1e-13) for e, w in zip(elements, pair[0].values(), strict=True))


@laws
@given(labelled, st.sampled_from(["tsv", "csv", "ndjson"]))
def test_breakdown_reads_back_with_the_same_labels_and_doubles(call, p, shape):
    args = ["entropy", json.dumps(p), "-q"]
    want = json.loads(call(*args, "-f", "json").out)["distributions"][0]["elements"]
    out = call(*args, "-f", shape, "--breakdown").out
    if shape == "ndjson":
        rows = [json.loads(line) for line in out.split("\n")[:-1]]
    else:
        rows = list(csv.DictReader(io.StringIO(out, newline=""), delimiter="\t" if shape == "tsv" else ","))
    got = [(row["outcome"], float(row["p"]), float(row["entropy"])) for row in rows]
    assert got == [(element["outcome"], element["p"], element["entropy"]) for element in want]


@laws
@given(labelled)
def test_pair_written_to_csv_gives_the_same_number_as_inline(kl, tmp_path_factory, p):
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["label", "p", "q"])
    writer.writerows([name, repr(w), repr(w * w)] for name, w in p.items())
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_bytes(out.getvalue().encode())
    if any("\0" in name for name in p):
        return
    inline = kl(json.dumps(p), json.dumps({name: w * w for name, w in p.items()}))
    assert isclose(kl(path), inline, rel_tol=1e-13, abs_tol=0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=3), st.sampled_from(["kl", "compare", "entropy", "rank"]))
def test_no_argument_whatever_is_a_bug_or_a_traceback(call, tmp_path_factory, args, command):
    folder = tmp_path_factory.getbasetemp()
    result = call(command, *(arg.encode("utf-8", "replace").decode() for arg in args), cwd=folder, input="")
    assert result.code in {0, 2, 3, 4}, result.err
    # A malformed formula is shown under the line that says so, with a caret.
    assert all(line.startswith(("klcli: ", "  ")) for line in result.err.split("\n")[:-1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.binary(max_size=60),
    st.sampled_from(["text", "csv", "tsv", "json", "ndjson", "parquet", "feather"]),
    st.sampled_from(["kl", "compare", "entropy", "rank"]),
)
def test_no_file_whatever_is_a_bug_or_a_traceback(call, data, shape, command):
    result = call(command, "-", "--input-format", shape, input=data)
    assert result.code in {0, 2, 3, 4}, result.err
    # A malformed formula is shown under the line that says so, with a caret.
    assert all(line.startswith(("klcli: ", "  ")) for line in result.err.split("\n")[:-1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=12,
    )
)
def test_no_json_whatever_is_a_bug_or_a_traceback(call, value):
    for command in ("kl", "entropy", "rank"):
        result = call(command, "-", "--input-format", "json", "-q", input=json.dumps(value))
        assert result.code in {0, 2, 3, 4}, result.err
        assert result.err.count("\n") <= 1

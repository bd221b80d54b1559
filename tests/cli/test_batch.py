"""`klcli batch`: which columns, groups and references are scored, and that the numbers are those of `compare`."""

import csv
import io
import json
import math
import random

import pytest

HEAD = "id,p0,p1,p2,q0,q1,q2\n"
TABLE = HEAD + "a,0.2,0.3,0.5,0.25,0.25,0.5\nb,8,1,1,1,1,8\nc,0.5,0.5,0,0.4,0.6,0\n"
KL = [0.010067756775344432, 1.455609079175885, 0.02041099726012755]
SIX = ["entropy_p", "entropy_q", "cross_entropy_pq", "cross_entropy_qp", "kl_pq", "kl_qp"]
BLOCKS = [1, 7, 64, 1000]


@pytest.fixture
def scored(call):
    """scored(*args): the records of a batch that must succeed."""

    def scored(*args, code=0, **how):
        result = call("batch", *args, "-f", "ndjson", **how)
        assert result.code == code, result
        return [json.loads(line) for line in result.out.splitlines()]

    return scored


@pytest.fixture
def table(write):
    return write("t.csv", TABLE)


def column(records, name):
    return [record[name] for record in records]


def near(values, rel=1e-13):
    return pytest.approx(values, rel=rel, abs=1e-300)


# ------------------------------------------------------------------------------------------------------------ selectors

P_FORMS = ["p*", "p0:p2", "2-4", "/^p/", "p0,p1,p2", "p0,3-4", "p0:p1,p2", "p[0-2]", "p?"]


@pytest.mark.parametrize("form", P_FORMS)
def test_every_selector_form_chooses_the_same_columns(scored, table, form):
    assert column(scored(table, "--p", form, "--q", "q*", "-m", "kl_pq"), "kl_pq") == near(KL)


def test_an_exact_header_goes_before_every_other_reading(scored, write):
    path = write("t.csv", "p*,2-3,q0:q1,/q/\n1,1,1,3\n")
    (record,) = scored(path, "--p", "p*,2-3", "--q", "q0:q1,/q/", "-m", "kl_pq")
    assert record == {"kl_pq": near(0.14384103622589045)}


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("p9", "no column 'p9'; it has id, p0, p1, p2, q0, q1, q2. Did you mean"),
        ("p2:p0", "'p2:p0' runs backwards"),
        ("4-2", "'4-2' runs backwards"),
        ("2-9", "'2-9' is outside the columns, which are 1 to 7"),
        ("0", "'0' is outside the columns, which are 1 to 7"),
        ("/(/", "'/(/' is no regular expression"),
        ("z*", "no column 'z*'"),
        ("/z/", "no column '/z/'"),
        ("p0:zz", "no column 'zz'"),
    ],
)
def test_selector_that_chooses_nothing_is_refused(refused, table, form, said):
    message = refused(3, "batch", table, "--p", form, "--q", "q*")
    assert "t.csv" in message
    assert said in message


def test_sides_of_different_width_are_refused(refused, table):
    message = refused(4, "batch", table, "--p", "p*", "--q", "q0,q1")
    assert "P has 3 columns, Q has 2 columns" in message


@pytest.mark.parametrize(("given", "missing"), [("--p", "Q"), ("--q", "P")])
def test_a_side_not_named_is_asked_for(refused, table, given, missing):
    assert f"which columns are {missing}?" in refused(3, "batch", table, given, "p*")


def test_header_that_stands_twice_is_chosen_by_position_only(call, refused, write):
    path = write("t.csv", "id,p,p,q,r\n1,1,1,1,3\n")
    assert "'p' twice" in refused(3, "batch", path, "--p", "p,id", "--q", "q,r")
    result = call("batch", path, "--p", "2-3", "--q", "4-5", "-m", "kl_pq")
    assert result.out == "id,kl_pq\n1,0.14384103622589045\n"


# ----------------------------------------------------------------------------------------------------------------- keep


def test_keep_chooses_and_orders(call, table):
    out = call("batch", table, "--p", "p*", "--q", "q*", "-m", "kl_pq", "--keep", "p1,id").out
    assert out.splitlines()[:2] == ["p1,id,kl_pq", f"0.3,a,{KL[0]!r}"]


def test_keep_nothing(call, table):
    out = call("batch", table, "--p", "p*", "--q", "q*", "-m", "kl_pq", "--keep", "").out
    assert out.splitlines()[0] == "kl_pq"
    assert [float(line) for line in out.splitlines()[1:]] == near(KL)


@pytest.mark.parametrize(("name", "mode"), [("kl_pq", "fail"), ("error", "keep")])
def test_kept_column_with_a_name_the_output_needs_is_refused(call, refused, write, name, mode):
    args = ["--p", "p*", "--q", "q*", "-m", "kl_pq", "--on-error", mode]
    path = write("t.csv", f"{name},p0,p1,q0,q1\n1,1,1,1,3\n")
    assert f"'{name}'" in refused(2, "batch", path, *args)
    assert call("batch", path, *args, "--keep", "").code == 0


RAW = ["NA", "1.0", "", "[red]", "007", "a,b", 'say "hi"', "new\nline", "日本語", " lead", "tab\there", "1e5", "x\r\ny"]
RAW += ["\ufeffmark", "\x1b[31m", "back\\slash", "'", '"', "null", "é" * 50]


@pytest.mark.parametrize("size", BLOCKS)
@pytest.mark.parametrize("output", ["csv", "tsv", "ndjson"])
def test_kept_cells_are_what_they_were(call, write, output, size):
    given = io.StringIO(newline="")
    csv.writer(given).writerows([["id", "p0", "p1", "q0", "q1"], *([cell, 1, 1, 1, 3] for cell in RAW)])
    path = write("t.csv", given.getvalue())
    result = call("batch", path, "--p", "p*", "--q", "q*", "-m", "kl_pq", "-f", output, "--block-size", size)
    assert result.code == 0, result
    if output == "ndjson":
        cells = column(map(json.loads, result.out.splitlines()), "id")
    else:
        rows = list(csv.reader(io.StringIO(result.out, newline=""), delimiter=",\t"[output == "tsv"]))
        cells = [row[0] for row in rows[1:]]
    assert cells == RAW


# --------------------------------------------------------------------------------------------------------------- groups

WORDS = "doc,sub,word,p,q\n"
GROUPS = {
    ("a", "1"): {"x": (1, 1), "y": (2, 5)},
    ("b", "1"): {"x": (1, 3), "y": (1, 1)},
    ("-", "NA"): {"x": (0, 1), "z": (1, 1)},
    ("n\nl", "é"): {"": (3, 1), "x": (1, 2), "NA": (2, 2)},
}


def long_rows():
    return [[*key, label, p, q] for key, pairs in GROUPS.items() for label, (p, q) in pairs.items()]


def long_csv(rows):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([WORDS.strip().split(","), *rows])
    return text.getvalue()


def kl_of(pairs):
    p, q = (sum(side) for side in zip(*pairs.values(), strict=True))
    return sum(a / p * math.log(a / p * q / b) for a, b in pairs.values() if a)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("order", ["together", "scattered", "reversed"])
@pytest.mark.parametrize("stdin", [False, True], ids=["file", "stdin"])
def test_groups_by_several_columns_whatever_stands_between_them(call, write, order, size, stdin):
    rows = long_rows()
    if order == "scattered":
        random.Random(2).shuffle(rows)  # noqa: S311 - test data
    elif order == "reversed":
        rows = rows[::2] + rows[1::2]
    text = long_csv(rows)
    source = ["-", "--input-format", "csv"] if stdin else [write("w.csv", text)]
    args = [*source, "--by", "doc,sub", "--label", "word", "--p", "p", "--q", "q", "-m", "kl_pq", "-f", "ndjson"]
    result = call("batch", *args, "--block-size", size, "--threads", "2", input=text)
    assert result.code == 0, result
    records = [json.loads(line) for line in result.out.splitlines()]
    order_of_appearance = list(dict.fromkeys((row[0], row[1]) for row in rows))
    assert [(record["doc"], record["sub"]) for record in records] == order_of_appearance
    assert column(records, "kl_pq") == near([kl_of(GROUPS[key]) for key in order_of_appearance], rel=1e-12)
    assert ("did not stand together" in result.err) == (order != "together")


def test_a_bad_row_of_scattered_groups_is_named_in_the_file_where_it_stands(refused, write, tmp_path):
    write("a.csv", WORDS + "a,1,x,1,1\nb,1,x,1,1\n")
    write("b.csv", WORDS + "a,1,y,z,1\nb,1,y,1,1\n")
    message = refused(
        3, "batch", "a.csv", "b.csv", "--by", "doc", "--label", "word", "--p", "p", "--q", "q", cwd=tmp_path
    )
    assert message.startswith("b.csv:2: 'z' in column 'p'")


def test_scattered_groups_many_rows_apart(scored, write):
    """More groups than are hashed at once, a long key among them."""
    n = 17_000
    rows = [[f"g{i}", 1, "x", 1, 2] for i in range(n)] + [["z" * 200, 1, "x", 1, 1]]
    path = write("w.csv", long_csv([*rows, *([f"g{i}", 1, "y", 2, 1] for i in range(n))]))
    records = scored(path, "--by", "doc", "--label", "word", "--p", "p", "--q", "q", "-m", "kl_pq")
    assert len(records) == n + 1
    assert column(records[:n], "kl_pq") == near([math.log(2) / 3] * n)


@pytest.mark.parametrize("size", [1, 1000])
def test_label_twice_in_a_group_names_the_second_line(refused, write, size):
    path = write("w.csv", WORDS + "a,1,x,1,1\nb,1,x,1,1\nb,1,y,1,1\nb,1,x,1,1\nc,1,x,1,1\n")
    message = refused(4, "batch", path, "--by", "doc", "--label", "word", "--p", "p", "--q", "q", "--block-size", size,
                      "-o", path.with_name("o.csv"))  # fmt: skip
    assert "w.csv:5" in message
    assert "'x' stands twice" in message
    assert not path.with_name("o.csv").exists()


def test_labels_missing_from_the_command_or_the_table(refused, scored, write):
    path = write("w.csv", "doc,p,q\na,1,1\na,1,3\n")
    args = ["--by", "doc", "--p", "p", "--q", "q"]
    assert "no column 'word'" in refused(3, "batch", path, *args, "--label", "word")
    assert column(scored(path, *args), "kl_pq") == near([0.14384103622589045])
    assert "no column 'dox'" in refused(3, "batch", path, "--by", "dox", *args[2:])
    assert "--keep does not go with --by" in refused(2, "batch", path, *args, "--keep", "doc")


# ------------------------------------------------------------------------------------------------------------ reference


def test_reference_stands_for_the_side_not_given(scored, table):
    as_p = scored(table, "--q", "q*", "--reference", "0.2,0.3,0.5", "-m", "kl_pq,kl_qp", "--keep", "id")
    as_q = scored(table, "--p", "q*", "--reference", "0.2,0.3,0.5", "-m", "kl_pq,kl_qp", "--keep", "id")
    for one, other in (("kl_pq", "kl_qp"), ("kl_qp", "kl_pq")):
        for value, turned in zip(column(as_p, one), column(as_q, other), strict=True):
            assert value == (turned if isinstance(turned, str) else near(turned))
    assert as_p[0]["kl_pq"] == near(KL[0])
    assert as_p[2]["kl_pq"] == "Infinity"


@pytest.mark.parametrize(
    ("align", "expected"), [("outer", ["Infinity", 0.14384103622589045]), ("inner", [0.0, 0.1438])]
)
def test_labelled_reference_is_joined_by_label(scored, write, align, expected):
    path = write("w.csv", WORDS + "a,1,x,1,1\nb,1,y,1,3\nb,1,x,1,1\n")
    args = ["--by", "doc", "--label", "word", "--q", "q", "--reference", "x=1,y=1", "--align", align, "-m", "kl_pq"]
    values = column(scored(path, *args), "kl_pq")
    assert values == [expected[0], pytest.approx(expected[1], rel=1e-3)]


def test_strict_alignment_names_the_group_and_the_label(refused, write):
    path = write("w.csv", WORDS + "b,1,x,1,1\nb,1,y,1,3\na,1,x,1,1\n")
    args = ["--by", "doc", "--label", "word", "--q", "q", "--reference", "x=1,y=1", "--align", "strict"]
    message = refused(4, "batch", path, *args, "-o", path.with_name("o.csv"))
    assert message.startswith(f"{path}:4: Q lacks 'y'")


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("0.5,0.5", 4, "the reference has 2 values, Q has 3"),
        ("0,0,0", 4, "the reference"),
        ("1,-1,1", 4, "the reference, item 2"),
        ("1,x,1", 3, "the reference, item 2"),
        ("nope.csv", 3, "nope.csv"),
    ],
)
def test_reference_that_is_no_distribution_of_the_rows(refused, table, given, code, said):
    assert said in refused(code, "batch", table, "--q", "q*", "--reference", given, "-o", table.with_name("o.csv"))


def test_reference_and_both_sides_is_a_usage_error(refused, table):
    assert "--reference" in refused(2, "batch", table, "--p", "p*", "--q", "q*", "--reference", "1,1,1")


# ------------------------------------------------------------------------------------------------ the same as `compare`

LOGITS = [[-0.3, 0.2, 1.5, 0.0, -2.0, 0.25], [0.1, 0.1, -700.0, 3.0, 3.0, 3.0]]
PROBS = [[0.25, 0.25, 0.5, 0.125, 0.125, 0.75], [0.5, 0.5, 0.0, 0.25, 0.25, 0.5]]
WEIGHTS = [
    *PROBS,
    [8, 1, 1, 1, 1, 8],
    [1, 2, 0, 1, 0, 2],
    [1e-300, 1, 2, 1e300, 1, 1],
    [0.1, 0.2, 0.7, 0.1, 0.2, 0.7 + 1e-9],
]
LOGPROBS = [[math.log(p or 1e-9) for p in row] for row in PROBS[:1]]
OPTIONS = [
    (WEIGHTS, []),
    (LOGITS, ["--as", "logits"]),
    (LOGITS, ["--softmax", "--temperature", "0.3", "--unit", "bits"]),
    (LOGPROBS, ["--as", "logprobs"]),
    (PROBS, ["--strict"]),
    (WEIGHTS[:5], ["--no-normalize"]),
    *((WEIGHTS, ["--smooth", how]) for how in ("laplace", "perks", "add=0.1", "mix=0.01", "floor=1e-6", "shrink")),
    (WEIGHTS, ["--p-smooth", "jeffreys"]),
    (WEIGHTS, ["--q-smooth", "mix=0.5", "--base", "3"]),
    (WEIGHTS, ["--unit", "hartleys", "--alpha", "0.5"]),
    (WEIGHTS, ["--alpha", "inf"]),
]


@pytest.mark.parametrize(("rows", "options"), OPTIONS, ids=[" ".join(options) or "none" for _, options in OPTIONS])
def test_options_mean_what_they_mean_in_compare(call, scored, write, rows, options):
    path = write("t.csv", HEAD + "".join(f"{i}," + ",".join(map(repr, row)) + "\n" for i, row in enumerate(rows)))
    records = scored(path, "--p", "p*", "--q", "q*", "-m", "all", *options)
    for row, record in zip(rows, records, strict=True):
        one = call("compare", json.dumps(row[:3]), json.dumps(row[3:]), "-m", "all", "-f", "json", *options)
        measures = json.loads(one.out)["measures"]
        assert set(record) == {"id", *measures}
        for name, value in measures.items():
            assert record[name] == (near(value) if isinstance(value, float) else value), name


def test_weight_below_the_least_double_is_refused_as_in_compare(refused, write):
    table = write("t.csv", "p0,p1,q0,q1\n1,1,1,1\n1e-400,1,1,1\n")
    pair = write("pair.csv", "p,q\n1e-400,1\n1,1\n")
    assert "below 5e-324" in refused(3, "compare", pair)
    message = refused(3, "batch", table, "--p", "p*", "--q", "q*", "-o", table.with_name("o.csv"))
    assert "t.csv:3" in message


def test_strict_names_the_first_line_whose_sum_is_not_one(refused, write):
    path = write("t.csv", "p0,p1,q0,q1\n.5,.5,.5,.5\n.5,.5,.5,.48\n")
    message = refused(4, "batch", path, "--p", "p*", "--q", "q*", "--strict", "-o", path.with_name("o.csv"))
    assert message == f"{path}:3: Q sums to 0.98 and --strict was given; drop --strict to divide by the sum"


@pytest.mark.parametrize(
    "options",
    [["-m", "klx"], ["--unit", "bit"], ["--smooth", "foo"], ["--on-error", "ignore"], ["-f", "cvs"], ["--threads", "0"],
     ["--block-size", "0"], ["--fail-above", "klx=1"], ["--fail-above", "kl_pq"], ["--temperature", "2"],
     ["-", "--with", "-", "--on", "1"], ["--color", "blue"]],
    ids=" ".join,
)  # fmt: skip
def test_wrong_options_are_usage_errors(call, table, options):
    result = call("batch", table, "--p", "p*", "--q", "q*", *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1


def test_first_text_column_holds_the_labels_where_none_is_named(scored, refused, write):
    path = write("w.csv", "g,l,q\nk,a,1\nk,b,3\n")
    args = ["--by", "g", "--q", "q", "--reference", "b=1,a=3", "-m", "kl_pq"]
    assert scored(path, *args) == scored(path, *args, "--label", "l")
    assert "'a' stands twice" in refused(4, "batch", write("v.csv", "g,l,q\nk,a,1\nk,a,3\n"), *args)


def test_a_name_to_drop_that_no_column_has_is_refused(refused, table):
    said = refused(2, "batch", table, "--p", "p*", "--q", "q*", "--drop", "zz")
    assert said.startswith("--drop 'zz': no outcome and no distribution is called so; there are ")

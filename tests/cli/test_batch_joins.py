"""Batches whose Q stands elsewhere or nowhere: P alone, --previous, --with, stems, a reference; gates on all rows."""

import json

import pytest

KL = 0.022582421084357387  # KL(0.4, 0.6 || 0.3, 0.7), by mpmath


@pytest.fixture
def folder(tmp_path):
    """Some tables."""
    files = {
        "a.csv": "id,cat,dog\n1,.9,.1\n2,.5,.5\n3,1,1\n",
        "b.csv": "id,dog,cat\n2,.5,.5\n1,.3,.7\n9,1,1\n",
        "m.csv": "m,a,b\n1,3,7\n2,4,6\n3,4,6\n",
        "n.csv": "m,b,a\n4,7,3\n5,6,4\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def rows(result, code=0):
    """The values of the last column by the first."""
    assert result.code == code, result.err
    lines = [line.split(",") for line in result.out.split("\n")[1:-1]]
    return {cells[0]: float(cells[-1]) for cells in lines}


# -------------------------------------------------------------------------------------------------------------- P alone


def test_measures_of_p_alone_need_no_q(call, folder):
    found = call("batch", "-q", "a.csv", "--p", "cat:dog", "-m", "entropy_p", cwd=folder)
    assert rows(found) == pytest.approx({"1": 0.3250829733914482, "2": 0.6931471805599453, "3": 0.6931471805599453})
    found = call("batch", "-q", "a.csv", "--p", "cat:dog", "-m", "perplexity_p", "--as", "logits", cwd=folder)
    assert rows(found)["2"] == pytest.approx(2)


def test_a_measure_that_needs_q_names_the_option_and_the_mends_work(call, refused, folder):
    message = refused(3, "batch", "a.csv", "--p", "cat:dog", "-m", "entropy_p,kl_pq", cwd=folder)
    assert "add --q" in message
    assert "-m entropy_p" in message
    assert call("batch", "a.csv", "--p", "cat:dog", "-m", "entropy_p", cwd=folder).code == 0


def test_a_row_that_is_none_is_p_s(call, refused, folder):
    (folder / "z.csv").write_text("id,a,b\n1,1,1\n2,0,0\n3,-1,2\n")
    args = ("batch", "z.csv", "--p", "a:b", "-m", "entropy_p")
    assert "z.csv:3: P: all 2 weights are zero" in refused(4, *args, cwd=folder)
    found = call(*args, "--on-error", "skip", cwd=folder)
    assert (found.code, found.out) == (5, f"id,entropy_p\n1,{0.6931471805599453!r}\n")


# ------------------------------------------------------------------------------------------------------------- previous


def test_q_is_the_row_before(call, folder):
    found = call("batch", "m.csv", "--p", "a:b", "--previous", "-m", "kl_pq", cwd=folder)
    assert rows(found) == pytest.approx({"2": KL, "3": 0}, rel=1e-13)
    assert "the first row has no row before it, and was left out" in found.err


def test_the_row_before_may_stand_in_another_file(call, folder):
    found = call("batch", "-q", "m.csv", "n.csv", "--p", "a:b", "--previous", "-m", "kl_qp", cwd=folder)
    assert rows(found) == pytest.approx(
        {"2": 0.021600854143546545, "3": 0, "4": KL, "5": 0.021600854143546545}, rel=1e-12
    )


def test_the_row_before_may_stand_in_another_block(call, tmp_path):
    lines = [f"{i},{i % 7 + 1},{i % 5 + 1}" for i in range(60_000)]
    (tmp_path / "t.csv").write_text("i,a,b\n" + "\n".join(lines) + "\n")
    small = call(
        "batch", "-q", "t.csv", "--p", "a:b", "--previous", "-m", "kl_pq", "--block-size", "5000", cwd=tmp_path
    )
    whole = call("batch", "-q", "t.csv", "--p", "a:b", "--previous", "-m", "kl_pq", "--threads", "1", cwd=tmp_path)
    assert small.code == whole.code == 0
    assert small.out == whole.out
    assert small.out.count("\n") == 60_000  # a header, and all but the first row
    first = float(call("kl", "-q", "2,2", "1,1").out)
    assert small.out.split("\n")[1] == f"1,{first!r}"


def test_a_row_before_that_failed_is_said_so_also_where_it_ends_another_file(call, tmp_path):
    (tmp_path / "m.csv").write_text("i,a,b\n1,1,2\n2,x,1\n")
    (tmp_path / "n.csv").write_text("i,a,b\n3,1,1\n4,1,1\n")
    args = ("--p", "a:b", "--previous", "-m", "kl_pq", "--on-error", "keep", "-f", "csv", "-q")
    found = call("batch", "m.csv", "n.csv", *args, cwd=tmp_path)
    wrong = "'x' in column 'a' is not a number"
    assert found.out == f"i,kl_pq,error\n2,,{wrong}\n3,,the row before: {wrong}\n4,0.0,\n"


@pytest.mark.parametrize("cells", ['"p":[{}]', '"p":{{"x":{},"y":1}}'])
def test_lists_and_objects_in_a_field(call, tmp_path, cells):
    texts = ["4,6", "3,7", "4,6"] if "[{}]" in cells else ["4", "3", "4"]
    (tmp_path / "t.ndjson").write_text("".join(f'{{"i":{i},{cells.format(text)}}}\n' for i, text in enumerate(texts)))
    found = call("batch", "-q", "t.ndjson", "--p", "p", "--previous", "-m", "kl_qp", cwd=tmp_path)
    values = [json.loads(line)["kl_qp"] for line in found.out.split("\n")[:-1]]
    pairs = [("4,6", "3,7"), ("3,7", "4,6")] if "[{}]" in cells else [("4,1", "3,1"), ("3,1", "4,1")]
    assert values == pytest.approx([float(call("kl", "-q", *pair).out) for pair in pairs], rel=1e-13)


def test_a_bad_row_fails_itself_and_the_next(call, refused, folder):
    (folder / "z.csv").write_text("m,a,b\n1,x,7\n2,4,6\n3,1,1\n4,0,0\n5,1,2\n")
    args = ("batch", "z.csv", "--p", "a:b", "--previous", "-m", "kl_pq")
    assert "z.csv:3: the row before: 'x' in column 'a' is not a number" in refused(3, *args, cwd=folder)
    found = call(*args, "--on-error", "keep", cwd=folder)
    assert found.code == 5
    errors = {line.split(",")[0]: line.split(",")[2] for line in found.out.split("\n")[1:-1]}
    assert {row for row, error in errors.items() if error} == {"2", "4", "5"}


@pytest.mark.parametrize(
    "options", [("--q", "a:b"), ("--by", "m"), ("--reference", "1,1"), ("--with", "n.csv", "--on", "m")]
)
def test_previous_says_where_q_stands(refused, folder, options):
    assert "leave out one" in refused(2, "batch", "m.csv", "--p", "a:b", "--previous", *options, cwd=folder)


def test_one_row_has_none_before_it(call, tmp_path):
    (tmp_path / "t.csv").write_text("m,a,b\n1,3,7\n")
    found = call("batch", "t.csv", "--p", "a:b", "--previous", "-m", "kl_pq", cwd=tmp_path)
    assert (found.code, found.out) == (0, "m,kl_pq\n")


# ----------------------------------------------------------------------------------------------------------------- with

JOIN = ("--on", "id", "--p", "cat:dog", "--q", "dog:cat", "-m", "kl_pq")


def test_rows_are_joined_by_key(call, folder):
    found = call("batch", "a.csv", "--with", "b.csv", *JOIN, cwd=folder)
    assert rows(found) == pytest.approx({"1": 0.11632175658600446, "2": 0}, rel=1e-12)
    assert "rows left out that have no partner in b.csv: 1" in found.err
    assert "rows of b.csv left out that have no partner: 1" in found.err
    assert "cat with cat, dog with dog" in found.err


def test_kept_columns_come_from_the_left(call, folder):
    (folder / "l.csv").write_text("id,cat,dog,town\n2,1,1,Rome\n1,1,1,Oslo\n")
    found = call("batch", "-q", "l.csv", "--with", "b.csv", *JOIN, "--keep", "town", cwd=folder)
    assert list(rows(found)) == ["Rome", "Oslo"]


def test_several_columns_are_the_key_and_rows_may_share_a_partner(call, folder):
    (folder / "l.csv").write_text("y,m,a,b\n1,1,4,6\n1,2,4,6\n1,1,3,7\n")
    (folder / "r.csv").write_text("m,y,a,b\n1,1,3,7\n2,1,4,6\n1,2,9,9\n")
    args = ("--with", "r.csv", "--on", "y,m", "--p", "a:b", "--q", "a:b", "-m", "kl_pq")
    found = call("batch", "-q", "l.csv", *args, cwd=folder)
    assert [line.split(",")[2] for line in found.out.split("\n")[1:-1]] == [
        found.out.split("\n")[1].split(",")[2],
        "0.0",
        "0.0",
    ]
    assert float(found.out.split("\n")[1].split(",")[2]) == pytest.approx(KL, rel=1e-13)


def test_a_key_that_stands_twice_on_the_right(call, refused, folder):
    (folder / "d.csv").write_text("id,t,dog,cat\n1,x,1,1\n1,y,1,1\n")
    (folder / "l.csv").write_text("id,t,cat,dog\n1,y,1,1\n")
    message = refused(4, "batch", "l.csv", "--with", "d.csv", *JOIN, cwd=folder)
    assert "d.csv:3: the key '1' stands twice (first: d.csv:2); keep one, or add a column to --on" in message
    mended = [x if x != "id" else "id,t" for x in JOIN]
    assert call("batch", "l.csv", "--with", "d.csv", *mended, cwd=folder).code == 0


def test_what_is_wrong_on_the_right_is_said_with_its_place(call, refused, folder):
    (folder / "x.csv").write_text("id,dog,cat\n2,.5,.5\n1,-1,.7\n7,1,1\n")
    message = refused(4, "batch", "a.csv", "--with", "x.csv", *JOIN, cwd=folder)
    assert message.startswith("a.csv:2: x.csv:3, column 'dog': -1")
    (folder / "x.csv").write_text("id,dog,cat\n2,x,.5\n1,-1,.7\n7,y,1\n")
    assert refused(3, "batch", "a.csv", "--with", "x.csv", *JOIN, cwd=folder).startswith("x.csv:2: 'x' in column 'dog'")
    found = call("batch", "a.csv", "--with", "x.csv", *JOIN, "--on-error", "keep", cwd=folder)
    assert found.code == 5
    assert "x.csv:2: 'x' in column 'dog' is not a number" in found.out


@pytest.mark.parametrize(
    ("bad", "sound", "says"),
    [
        ('id,cat,dog\n1,.9,.1\n"2"x,.5,.5\n', "id,cat,dog\n1,.9,.1\n", "quotes that do not match"),
        ('{"id":1,"cat":9,"dog":1}\n{"id":2\n', '{"id":1,"cat":9,"dog":1}\n', "malformed JSON"),
    ],
)
def test_a_row_whose_key_cannot_be_read_is_no_row_without_a_partner(call, refused, tmp_path, bad, sound, says):
    suffix = "csv" if bad.startswith("id") else "ndjson"
    (tmp_path / f"bad.{suffix}").write_text(bad)
    (tmp_path / f"sound.{suffix}").write_text(sound)
    files, columns = [f"bad.{suffix}", f"sound.{suffix}"], ("--on", "id", "--p", "cat,dog", "--q", "cat,dog")
    for one, other in (files, reversed(files)):
        message = refused(3, "batch", one, "--with", other, *columns, cwd=tmp_path)
        assert message.startswith(f"bad.{suffix}:{bad.count(chr(10))}: {says}")
    found = call("batch", files[0], "--with", files[1], *columns, "--on-error", "keep", cwd=tmp_path)
    assert found.code == 5
    assert says in found.out


def test_a_row_that_cannot_be_read_fails_beside_a_table_without_rows(call, folder):
    (folder / "bad.csv").write_text("id,cat,dog\n1,x,1\n2,1,1\n")
    (folder / "none.csv").write_text("id,dog,cat\n")
    found = call("batch", "bad.csv", "--with", "none.csv", *JOIN, "--on-error", "skip", cwd=folder)
    assert (found.code, found.out.count("\n")) == (5, 1)
    assert "'x' in column 'cat' is not a number" in found.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--with", "b.csv"), 2, "add --on COLUMNS"),
        (("--on", "id"), 2, "add --with FILE"),
        (("--with", "b.csv", "--on", "nope"), 3, "a.csv: no column 'nope'"),
        (("--with", "m.csv", "--on", "id"), 3, "m.csv: no column"),
        (("--with", "none.csv", "--on", "id"), 3, "none.csv: no such file"),
        (("--with", "b.csv", "--on", "cat"), 3, "cannot be both a key and a weight"),
        (("--with", "b.csv", "--on", "id", "--by", "id"), 2, "leave out one"),
    ],
)
def test_joins_that_cannot_be(refused, folder, options, code, message):
    assert message in refused(code, "batch", "a.csv", *options, "--p", "cat:dog", "--q", "dog:cat", cwd=folder)


# ---------------------------------------------------------------------------------------------------------------- stems


@pytest.mark.parametrize(
    "names",
    ["A_rain,A_sun,B_sun,B_rain", "rain_A,sun_A,sun_B,rain_B", "p1,p2,q2,q1", "p.rain.x,p.sun.x,q.sun.x,q.rain.x"],
)
def test_columns_of_the_same_stems_are_paired_by_them(call, names):
    p, q = ",".join(names.split(",")[:2]), ",".join(names.split(",")[2:])
    found = call("batch", "-", "--p", p, "--q", q, "-m", "kl_pq", "-f", "csv", input=f"id,{names}\nx,9,1,1,9\n")
    assert found.out == "id,kl_pq\nx,0.0\n"
    assert "paired by the part of their names that differs" in found.err


def test_other_names_are_paired_in_order_with_a_note(call):
    found = call("batch", "-", "--p", "a,b", "--q", "c,d", "-m", "kl_pq", input="a,b,c,d\n.5,.5,.5,.5\n")
    assert "paired in this order: P a, b; Q c, d" in found.err


def test_the_same_columns_are_said_so_only_if_they_are(call):
    table = "c0,c1,c0,c1\n4,6,3,7\n"
    assert "same columns" not in call("batch", "-", "--p", "1-2", "--q", "3-4", "-m", "kl_pq", input=table).err
    assert "same columns" in call("batch", "-", "--p", "1-2", "--q", "1-2", "-m", "kl_pq", input=table).err


@pytest.mark.parametrize("labels", ["dog=.2,cat=.8", "q_dog=.2,q_cat=.8", "p_dog=.2,p_cat=.8"])
def test_a_reference_is_joined_by_name_or_stem(call, labels):
    found = call(
        "batch", "-", "--q", "q*", "--reference", labels, "-m", "kl_pq", "-f", "csv", input="i,q_cat,q_dog\n1,.8,.2\n"
    )
    assert rows(found) == pytest.approx({"1": 0}, abs=1e-15)


def test_a_reference_is_a_row(call, folder):
    (folder / "r.csv").write_text("day,cat,dog\nMon,.5,.5\nTue,.9,.1\n")
    found = call(
        "batch", "-q", "a.csv", "--q", "cat:dog", "--reference", "r.csv:Tue", "--rows", "-m", "kl_pq", cwd=folder
    )
    assert rows(found)["1"] == pytest.approx(0, abs=1e-15)


def test_rows_without_a_reference(refused, folder):
    assert "Add --reference FILE:ROW" in refused(
        2, "batch", "a.csv", "--p", "cat:dog", "--rows", "-m", "entropy_p", cwd=folder
    )


# ------------------------------------------------------------------------------------------------------------- all rows

SCORE = ("batch", "-q", "a.csv", "--p", "cat:dog", "--reference", "1,1", "-m", "kl_pq")
FIRST = 0.3680642071684971  # KL(0.9, 0.1 || 1/2, 1/2) = log 2 - H(0.9, 0.1); the other rows have 0


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (f"mean:kl_pq={FIRST / 3 * 1.001}", 0),
        (f"mean:kl_pq={FIRST / 3 * 0.999}", 1),
        ("max:kl_pq=0.3", 1),
        ("max:kl_pq=0.4", 0),
        (f"q3:kl_pq={FIRST / 2 * 0.999}", 1),
        (f"q3:kl_pq={FIRST / 2 * 1.001}", 0),
        ("max:js_divergence=0.1", 1),
    ],
)
def test_gates_on_all_rows(call, folder, gate, code):
    found = call(*SCORE, "--fail-above", gate, cwd=folder)
    assert found.code == code
    assert found.out.startswith("id,kl_pq\n")
    assert (f"{gate.partition(':')[0]} of " in found.err) == (code == 1)


def test_a_summary_as_json_and_as_bare_values(call, refused, folder):
    answer = json.loads(call(*SCORE, "--summary", "-f", "json", cwd=folder).out)
    mean = answer["summary"]["kl_pq"]["mean"]
    assert mean == pytest.approx(FIRST / 3, rel=1e-13)
    assert float(call(*SCORE, "--summary", "-g", "mean:kl_pq", cwd=folder).out) == mean
    found = call(*SCORE, "--summary", "-g", "max:kl_pq,mean:js_divergence", cwd=folder)
    assert float(found.out.split()[0]) == pytest.approx(FIRST, rel=1e-13)
    assert len(found.out.split()) == 2
    assert "add --summary" in refused(2, *SCORE, "-g", "mean:kl_pq", cwd=folder)
    for bad, good in (("js", "mean:js_divergence"), ("same_top", "mean:same_top"), ("p95", "p95:kl_pq")):
        said = refused(2, *SCORE, "--summary", "-g", bad, cwd=folder)
        assert said == f"--get '{bad}': write STATISTIC:FIELD, as {good}"


def test_a_gate_of_a_summary_shows_only_what_was_asked(call, folder):
    found = call(*SCORE, "--summary", "-f", "csv", "--fail-above", "max:js_divergence=9", cwd=folder)
    assert [line.split(",")[0] for line in found.out.split()] == ["measure", "kl_pq"]


def test_a_list_without_a_partner_is_read_too(call, refused, write):
    left = write("a.ndjson", '{"id": 1, "p": [4, 6]}\n')
    right = write("b.ndjson", '{"id": 1, "q": [3, 7]}\n{"id": 2, "q": [1, "x"]}\n')
    args = "batch", left, "--with", right, "--on", "id", "--p", "p", "--q", "q", "-m", "kl_pq", "-q"
    wrong = "b.ndjson:2: column 'q', item 2: 'x' is not a number"
    assert refused(3, *args).endswith(wrong)
    result = call(*args, "--on-error", "skip")
    assert (result.code, result.out.count("kl_pq")) == (5, 1)
    assert wrong in result.err

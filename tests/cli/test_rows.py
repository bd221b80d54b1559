"""Rows and groups of rows as distributions: --rows, --by, and what matrix makes of several files and of bad rows."""

import json

import pytest

KL = 0.022582421084357387  # KL(0.4, 0.6 || 0.3, 0.7), by mpmath
DAYS = "day,a,b\nSat,4,6\nSun,3,7\nMon,1,1\n"
TIDY = "model,class,p\nA,cat,.4\nA,dog,.6\nB,dog,.7\nB,cat,.3\n"


def numbers(result):
    """The numbers of bare output that went well."""
    assert result.code == 0, result.err
    return [float(line) for line in result.out.split()]


@pytest.fixture
def folder(tmp_path):
    """Some tables."""
    files = {
        "days.csv": DAYS,
        "two.csv": DAYS[: DAYS.index("Mon")],
        "tidy.csv": TIDY,
        "bare.csv": "a,b\n4,6\n3,7\n",
        "days.json": '{"Sat": {"a": 4, "b": 6}, "Sun": {"b": 7, "a": 3}}',
        "lists.json": "[[4, 6], [3, 7]]",
        "tidy.ndjson": (
            '{"m":"A","c":"x","p":4}\n{"m":"B","c":"x","p":3}\n{"m":"A","c":"y","p":6}\n{"m":"B","c":"y","p":7}\n'
        ),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


# ---------------------------------------------------------------------------------------------------------------- rows


@pytest.mark.parametrize(
    "args",
    [
        ("days.csv:Sat", "days.csv:Sun", "--rows"),
        ("two.csv", "--rows"),
        ("bare.csv", "--rows"),
        ("bare.csv:1", "bare.csv:2", "--rows"),
        ("bare.csv:1", "0.3,0.7", "--rows"),
        ("days.json", "--rows"),
        ("lists.json", "--rows"),
        ("lists.json:1", "lists.json:2", "--rows"),
        ("tidy.csv", "--by", "model"),
        ("tidy.csv", "--by", "model", "--label", "class", "--select", "p"),
        ("tidy.csv:A", "tidy.csv:B", "--by", "model"),
        ("tidy.ndjson", "--by", "m"),
    ],
)
def test_kl_of_two_rows_or_groups(call, folder, args):
    assert numbers(call("kl", "-q", *args, cwd=folder)) == pytest.approx([KL], rel=1e-13)


def test_rows_of_standard_input(call):
    assert numbers(call("kl", "-q", "-:Sat", "-:Sun", "--rows", input=DAYS)) == pytest.approx([KL], rel=1e-13)


def test_entropy_and_rank_take_all_rows(call, folder):
    found = call("entropy", "-q", "days.csv", "--rows", "-g", "perplexity", cwd=folder)
    assert numbers(found) == pytest.approx([1.9601317042077895, 1.842022775037313, 2.0])
    assert call("rank", "-q", "days.csv", "--rows", "-g", "name", cwd=folder).out == "days.csv:Mon\ndays.csv:Sun\n"


def test_more_than_two_rows_are_no_pair_and_the_mend_works(call, refused, folder):
    message = refused(4, "kl", "days.csv", "--rows", cwd=folder)
    assert "3 rows (Sat, Sun, Mon), a pair is two; choose: days.csv:Sat days.csv:Sun" in message
    chosen = message.rpartition("choose: ")[2].split()
    assert numbers(call("kl", "-q", *chosen, "--rows", cwd=folder)) == pytest.approx([KL], rel=1e-13)


def test_a_row_that_is_not_there(refused, folder):
    assert "no row 'Sut'; it has Sat, Sun, Mon. Did you mean 'Sat'?" in refused(
        3, "kl", "days.csv:Sut", "1,1", "--rows", cwd=folder
    )


def test_rows_and_groups_exclude_each_other(refused, folder):
    assert "give one" in refused(2, "kl", "tidy.csv", "--rows", "--by", "model", cwd=folder)
    assert "give one" in refused(2, "matrix", "tidy.csv", "--columns", "--by", "model", cwd=folder)


# -------------------------------------------------------------------------------------------------------------- groups


def test_groups_keep_the_order_in_which_they_appear(call, folder):
    (folder / "t.csv").write_text("g,x,n\nq,a,3\np,a,4\nq,b,7\np,b,6\n")
    assert numbers(call("kl", "-q", "t.csv", "--by", "g", cwd=folder)) == pytest.approx(
        [0.021600854143546545], rel=1e-13
    )
    assert call("rank", "-q", "t.csv", "--by", "g", "-g", "name", cwd=folder).out == "t.csv:p\n"


def test_a_column_of_numbers_makes_groups(call, folder):
    (folder / "t.csv").write_text("year,x,n\n2001,a,4\n2001,b,6\n2002,a,3\n2002,b,7\n")
    assert numbers(call("kl", "-q", "t.csv", "--by", "year", cwd=folder)) == pytest.approx([KL], rel=1e-13)
    found = call("entropy", "t.csv", "--by", "year", "-g", "name", "-q", cwd=folder)
    assert found.out == "t.csv:2001\nt.csv:2002\n"


def test_three_groups_are_named(call, refused, folder):
    (folder / "t.csv").write_text(TIDY + "C,cat,1\n")
    message = refused(4, "compare", "t.csv", "--by", "model", cwd=folder)
    assert "3 groups (A, B, C), a pair is two; choose: t.csv:A t.csv:B" in message
    chosen = message.rpartition("choose: ")[2].split()
    assert numbers(call("kl", "-q", *chosen, "--by", "model", cwd=folder)) == pytest.approx([KL], rel=1e-13)


def test_one_column_of_weights_is_needed_and_the_mend_works(call, refused, folder):
    (folder / "t.csv").write_text("g,x,n,m\nA,a,1,4\nA,b,1,6\nB,a,1,3\nB,b,1,7\n")
    message = refused(3, "kl", "t.csv", "--by", "g", cwd=folder)
    assert "2 columns of weights besides 'g' (n, m), --by needs one; add --select m" in message
    found = call("kl", "-q", "t.csv", "--by", "g", *message.rpartition("add ")[2].split(), cwd=folder)
    assert numbers(found) == pytest.approx([KL], rel=1e-13)


def test_groups_of_one_name_are_refused(refused, call, write):
    path = write("t.csv", 'a,b,p\n"x, y",z,1\nx,"y, z",2\n')
    said = refused(3, "entropy", path, "--by", "a,b", "--select", "p")
    assert said.endswith("two groups are called 'x, y, z'; write the cells of a, b without ', '")
    path.write_text(path.read_text().replace("x, y", "x-y"))
    assert call("entropy", path, "--by", "a,b", "--select", "p", "-g", "perplexity", "-q").out == "1.0\n1.0\n"


def test_groups_of_raw_values(call, folder):
    (folder / "t.csv").write_text("g,v\nA,x\nA,y\nB,x\nB,x\n")
    found = call(
        "matrix", "-q", "t.csv", "--by", "g", "--tally", "-m", "total_variation", "--pairs", "-f", "csv", cwd=folder
    )
    assert found.out == "p,q,total_variation\nA,B,0.5\n"


# -------------------------------------------------------------------------------------------------------------- matrix


def test_matrix_of_groups(call, folder):
    found = call("matrix", "-q", "tidy.csv", "--by", "model", "-f", "json", cwd=folder)
    answer = json.loads(found.out)
    assert answer["labels"] == ["A", "B"]
    assert answer["matrix"][0] == pytest.approx([0, KL], rel=1e-13)


def test_groups_without_labels_must_be_of_one_length(refused, write):
    path = write("t.csv", "m,p\nA,1\nA,2\nB,3\n")
    given = ("matrix", path, "--by", "m", "--select", "p")
    assert refused(4, *given) == "'A' has 2 values, 'B' 1; without labels they must match"
    path.write_text("m,p\nA,1\nA,2\n")
    assert refused(3, *given).endswith("1 group, and a pair needs two; without --by its rows are the distributions")


def test_several_files_are_joined_by_label(call, folder):
    (folder / "u.csv").write_text("day,b,a,c\nTue,6,4,0\nSat,1,1,2\n")
    found = call("matrix", "two.csv", "u.csv", "-m", "total_variation", "-f", "csv", cwd=folder)
    header, *rows = found.out.split()
    assert header == "day,two.csv:Sat,Sun,Tue,u.csv:Sat"
    assert [float(x) for x in rows[0].split(",")[1:]] == pytest.approx([0, 0.1, 0, 0.5])
    assert "lacked outcomes of others" in found.err


def test_several_files_of_columns(call, folder):
    (folder / "x.csv").write_text("label,m\na,4\nb,6\n")
    (folder / "y.csv").write_text("label,n\nb,7\na,3\n")
    found = call("matrix", "-q", "x.csv", "y.csv", "--columns", "--pairs", "-f", "csv", cwd=folder)
    assert "m,n,0.02258242108435" in found.out


def test_files_that_cannot_be_joined(refused, folder):
    (folder / "n.txt").write_text("1\n2\n")
    assert "has none; give all or none" in refused(4, "matrix", "two.csv", "n.txt", cwd=folder)
    assert "given twice" in refused(2, "matrix", "two.csv", "two.csv", cwd=folder)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o.json", '[{"whale": 3, "sea": 2}, {"sea": 1, "ship": 4}]'),
        ("o.ndjson", '{"whale": 3, "sea": 2}\n{"sea": 1, "ship": 4}\n'),
    ],
)
def test_objects_of_different_keys_are_joined_with_a_note(call, folder, name, text):
    (folder / name).write_text(text)
    found = call("matrix", name, "-m", "js_divergence", "-f", "json", cwd=folder)
    answer = json.loads(found.out)
    assert answer["matrix"][0][1] == pytest.approx(0.5021929300715016, rel=1e-13)
    assert any("weight 0 there" in note for note in answer["notes"])


BAD = "id,a,b\nx,1,2\ny,0,0\nz,3,1\nw,q,1\n"


def test_bad_rows_stop_are_kept_or_left_out(call, refused, folder):
    (folder / "bad.csv").write_text(BAD)
    assert "bad.csv:5: 'q' in column 'a' is not a number" in refused(3, "matrix", "bad.csv", cwd=folder)
    kept = call("matrix", "bad.csv", "-m", "total_variation", "--on-error", "keep", "-f", "csv", cwd=folder)
    assert kept.code == 5
    assert [line.split(",")[0] for line in kept.out.split()] == ["id", "x", "y", "z", "w"]
    assert kept.out.split()[2] == "y,,,,"
    assert "2 of 4 distributions failed and were kept without values; the first: bad.csv:3 ('y')" in kept.err
    left = call("matrix", "bad.csv", "-m", "total_variation", "--on-error", "skip", "-f", "csv", cwd=folder)
    assert left.code == 5
    assert [line.split(",")[0] for line in left.out.split()] == ["id", "x", "z"]
    assert "2 of 4 distributions failed and were left out" in left.err


@pytest.mark.parametrize("format_name", ["table", "tsv", "json", "ndjson", "markdown"])
def test_kept_rows_are_empty_in_every_format(call, folder, format_name):
    (folder / "bad.csv").write_text(BAD)
    found = call(
        "matrix", "bad.csv", "--on-error", "keep", "-f", format_name, "--fail-above", "kl_pq=0.001", cwd=folder
    )
    assert found.code == 5
    assert "nan" not in found.out.lower()
    assert "above 0.001" in found.err


def test_of_sound_rows_nothing_is_said(call, folder):
    for choice in ("keep", "skip"):
        found = call("matrix", "-q", "two.csv", "--on-error", choice, "--pairs", "-f", "csv", cwd=folder)
        assert (found.code, found.err) == (0, "")


def test_too_few_rows_are_left(refused, folder):
    (folder / "bad.csv").write_text("id,a,b\nx,1,2\ny,0,0\n")
    assert "a pair needs two" in refused(4, "matrix", "bad.csv", "--on-error", "skip", cwd=folder)


def test_numbers_beside_a_bad_cell_are_read_as_everywhere(call, folder):
    """In the notation asked for; a blank cell counts as --blank says, and a percentage among others is a bad cell."""
    (folder / "marks.csv").write_text("k;p;q\na;1.234;2\nb;x;2\nc;1,5;2\nd;;4\n")
    how = ["-m", "total_variation", "--decimal", ",", "--thousands", ".", "--delimiter", ";", "-f", "json", "-q"]
    kept = call("matrix", "marks.csv", *how, "--blank", "zero", "--on-error", "keep", cwd=folder)
    plain = [[1234, 2], None, [1.5, 2], [0, 4]]
    for i, row in enumerate(json.loads(kept.out)["matrix"]):
        for j, value in enumerate(row):
            p, q = plain[i], plain[j]
            assert value == (None if p is None or q is None else pytest.approx(abs(p[0] / sum(p) - q[0] / sum(q))))
    assert kept.err.endswith("the first: marks.csv:3: 'x' in column 'p' is not a number\n")
    (folder / "mixed.csv").write_text("k,p,q\na,1,2\nb,12 %,2\nc,,1\nd,3,4\ne,x,1\n")
    kept = call("matrix", "mixed.csv", "--on-error", "keep", "-q", cwd=folder)
    assert "3 of 5" in kept.err
    assert "mixed.csv:3: '12 %' in column 'p' is a percentage, and cells above it are none" in kept.err

"""What an error or a note offers works as it is typed: each test obeys it."""

import json
import re
import shlex
from math import log

import pytest

from .mends import MENDS, short_mends

RAW = "user,arm,ms\n1,a,3\n2,a,4\n3,b,4\n4,b,5\n5,b,4\n6,a,4\n"
THIRDS = -(1 / 3 * log(1 / 3) + 2 / 3 * log(2 / 3))


def near(value):
    return pytest.approx(value, rel=1e-12)


# ------------------------------------------------------------------------------------------ labels, counts and weights


def test_two_columns_of_numbers_are_offered_as_counts_and_as_weights(refused, get):
    text = "404 2404\n304 292\n200 152\n"
    message = refused(3, "entropy", input=text)
    for kind, option in (("LABEL COUNT", "1"), ("two columns of weights", "none")):
        mend = f"--input-format csv --delimiter space --no-header --label {option}"
        assert f"for {kind} {mend}" in message
        found = get("entropy", "entropy", "-", *mend.split(), input=text)
        assert found[-1] == near(0.532983292129539)
        assert len(found) == (2 if option == "none" else 1)


TALLY = ("raw.csv:ms", "--tally")
RAW_KL = 0.6 * log(0.6 / 0.5) + 0.4 * log(0.4 / 0.5)


@pytest.fixture
def raw(write, tmp_path):
    """A folder with raw values: 3 three times, 4 twice."""
    write("raw.csv", "ms\n3.0\n4\n4\n3\n3\n")
    write("known.json", '{"3": 1, "4": 1}')
    return tmp_path


@pytest.mark.parametrize("known", ["3=1,4=1", '{"3": 1, "4": 1}', "4=2,3=2", "known.json", "uniform"])
def test_raw_values_are_compared_with_a_known_distribution(kl, call, raw, known):
    assert kl(*TALLY, known, "-q", cwd=raw) == near(RAW_KL)
    rows = "g,ms\na,3\na,4\na,4\na,3\na,3\n"
    columns = ("--by", "g", "--tally", "--p", "ms", "--reference", known, "-m", "kl_pq", "-q")
    assert float(call("batch", "-", *columns, input=rows, cwd=raw).out.split(",")[-1]) == near(RAW_KL)
    ranked = call("rank", "raw.csv:ms", known, "3=9,4=1", "--tally", "-q", "-g", "kl_pq", cwd=raw)
    assert float(ranked.out.split()[0]) == near(RAW_KL)


def test_a_known_distribution_of_cells_is_written_as_the_error_says(kl, refused, raw):
    message = refused(3, "kl", *TALLY, "3=1,4=1", "--bins", "3,4", cwd=raw)
    assert message.startswith("Q, item 1: '3' is no cell of --bins; ")
    cells = message.partition("written as ")[2]
    assert kl(*TALLY, cells, "--bins", "3,4", "-q", cwd=raw) == near(RAW_KL + log(1.5))


def test_known_distributions_alone_are_not_to_be_counted(refused):
    assert "leave out --tally" in refused(3, "kl", "3=1,4=1", "3=1,4=2", "--tally")
    assert "'3' stands twice" in refused(4, "kl", "3,4", "3=1,3.0=1", "--tally")


# --------------------------------------------------------------------------------------------------- lines of a table

ROWS = "car,4,3\nbus,6,7\n"
KL = 0.4 * log(0.4 / 0.3) + 0.6 * log(0.6 / 0.7)


@pytest.mark.parametrize("rows", [ROWS, ROWS.replace("car", '"car"').replace("bus", '"bus"')])
def test_row_names_of_r_are_labels_with_a_note(call, get, write, rows):
    path = write("r.csv", f'"before","after"\n{rows}')
    result = call("kl", path)
    assert float(result.out) == near(KL)
    assert "line 1 names one column less than there are: the first one holds row names, as R writes them" in result.err
    assert get("kl_pq", "compare", f"{path}:before", "bus=7,car=3") == [near(KL)]
    scored = call("batch", path, "--p", "before", "--q", "after", "-m", "kl_pq", "-q")
    assert scored.out == ",kl_pq\ncar,0.0\nbus,0.0\n"


@pytest.mark.parametrize("rows", ["1,000,2\n2,000,3\n", "car,4,\nbus,6,\n", "car,4,3\nbus,6\n"])
def test_other_rows_with_a_field_more_have_no_row_names(refused, write, rows):
    assert ":2: 3 fields, the header has 2; quote a field" in refused(3, "kl", write("r.csv", f"a,b\n{rows}"))


def test_a_footer_is_taken_out_as_the_error_says(refused, call, write):
    path = write("t.csv", f"mode,p,q\n{ROWS}Total rows: 2\n")
    message = refused(3, "batch", path, "-m", "kl_pq")
    assert message.endswith(":4: 1 field, the header has 3; complete it, or take it out as batch --on-error skip does")
    assert call("batch", path, "-m", "kl_pq", "--on-error", "skip", "-q").out == "mode,kl_pq\ncar,0.0\nbus,0.0\n"


@pytest.mark.parametrize(
    "case",
    [*((blank, empty, 1) for blank in ("zero", "skip") for empty in (",,", " , ,", '"",,""')), ("zero", ",,", 12_000)],
)
def test_rows_in_which_nothing_stands_are_left_out_as_blank_cells_are(refused, kl, call, write, case):
    blank, empty, pairs = case
    rows, n = "".join(f"car{i},4,3\nbus{i},6,7\n" for i in range(pairs)), 2 * pairs
    path = write("t.csv", f"mode,p,q\n{rows}{empty}\n{empty}\n")
    assert f":{n + 2}: '" in refused(3, "kl", path)
    assert f"--blank {blank} " in refused(3, "kl", path)
    assert kl(path, "--blank", blank, "-q") == near(KL)
    scored = call("batch", path, "--blank", blank, "-m", "kl_pq", "-q")
    assert scored.out.count("\n") == n + 1
    texts = call("batch", path, "--by", "mode", "--p", "q", "--tally", "-m", "entropy_p", "--blank", blank, "-q")
    assert texts.out.count("\n") == n + 1


def test_a_blank_row_inside_a_field_stays(call, write):
    path = write("t.csv", 'k,p,q\n"a\n,,\n",4,3\nb,6,7\n,,\n')
    shape = json.loads(call("compare", path, "--blank", "skip", "-f", "json", "-q").out)
    assert [element["outcome"] for element in shape["elements"]] == ["a\n,,\n", "b"]


@pytest.mark.parametrize("encoding", [[], ["--encoding", "latin-1"]])
@pytest.mark.parametrize("name", ["g.csv", "g.tsv", "g.txt"])
def test_a_binary_file_is_called_so(refused, write, name, encoding):
    path = write(name, b"\xc1\xa0x,\n" + bytes(range(1, 256)) * 9 + b"\0")
    assert refused(3, "entropy", path, *encoding).endswith(": this is a binary file, not text")


def test_a_table_between_blanks_is_read_as_the_error_says(refused, kl, write):
    path = write("t.csv", "mode p q\ncar  4 3\nbus  6 7\n")
    assert refused(3, "kl", path).endswith("one field, 'mode p q'; if ' ' separates the fields add --delimiter space")
    assert kl(path, "--delimiter", "space", "-q") == near(KL)
    words = write("w.csv", "city name\nNew York\nNew York\n")
    assert kl(words, "New York,New York", "--tally", "-q") == 0


@pytest.mark.parametrize("form", ["text", "csv"])
def test_a_column_without_a_name_is_not_named(refused, form):
    text = "a 10%\nb 20%\nc 70\n" if form == "text" else "k,\na,10%\nb,20%\nc,70\n"
    message = refused(3, "entropy", "--input-format", form, input=text)
    assert message.partition(":")[2].endswith(
        ": '70' is no percentage, and cells above it are; write % in all of them or in none"
    )


def test_a_list_of_labels_is_not_offered_as_weights(refused, kl, write, tmp_path):
    write("t.json", '{"labels": ["a", "b"], "before": [4, 6], "after": [3, 7], "of": "May"}')
    message = refused(3, "kl", "t.json", cwd=tmp_path)
    assert message.endswith("choose: t.json#/before t.json#/after")
    assert kl(*message.partition("choose: ")[2].split(), "-q", cwd=tmp_path) == near(KL)


def test_a_record_without_a_number_is_mended_by_the_option_that_the_error_names(refused, kl, write):
    path = write("t.json", '[{"word": "a", "p": 1, "q": 2}, {"q": 3, "word": "b"}]')
    message = refused(3, "kl", path)
    assert "item 2, 'p': nothing stands where a number should; --blank zero counts it as 0" in message
    assert kl(path, "--blank", "zero", "-q") == near(-log(0.4))


def test_totals_whose_labels_do_not_rise_are_sorted_as_the_error_says(refused, get, write):
    lines = ["1,5\n", "0.5,3\n", "+Inf,7\n"]
    path = write("t.csv", "le,n\n" + "".join(lines))
    assert refused(4, "entropy", path, "--as", "cumulative").endswith(
        "the labels do not rise: sort the rows by them, as sort -g does"
    )
    path.write_text("le,n\n" + "".join([lines[1], lines[0], lines[2]]))
    assert get("entropy", "entropy", path, "--as", "cumulative") == [near(1.0789922078775833)]
    assert "drop --as" in refused(4, "entropy", "2,1", "--as", "cumulative")


def test_the_labels_of_one_file_are_those_of_the_other_as_the_error_says(refused, call, write, tmp_path):
    write("a.csv", "k,n\n5,1\n3,2\n")
    write("b.csv", "k,n\n3,2\n5,1\n6,4\n")
    args = ("matrix", "a.csv", "b.csv", "--columns", "-q")
    assert refused(4, *args, cwd=tmp_path) == "'b.csv:n' has labels, 'k' has none; take them by --label k"
    assert call(*args, "--label", "k", cwd=tmp_path).out.startswith("name\ta.csv:n\tb.csv:n\n")


# ---------------------------------------------------------------------------------------------------------------- batch


@pytest.mark.parametrize(
    ("header", "options", "proposed"),
    [
        ("day,a,b,c", ["--previous"], ["--p a,b,c"]),
        ("id,a,b,c,d", [], ["--p a,b", "--q c,d"]),
        ("id,a,b,c,d,e,f", ["-m", "entropy_p"], ["--p a:f"]),
        ("id,a,b,c,d", ["--reference", "1,2,3,4"], ["--q a,b,c,d"]),
        ("id,pa,pb,qa,qb", [], ["--p 'p*'", "--q 'q*'"]),
        ("g,label,x,y", ["--by", "g"], ["--p x", "--q y"]),
        ("user,arm,ms", ["--by", "arm", "--tally", "-m", "entropy_p"], ["--p ms"]),
    ],
)
def test_columns_are_proposed_that_there_are(refused, call, write, header, options, proposed):
    n = header.count(",") + 1
    path = write("t.csv", f"{header}\n{','.join('1' * n)}\n{','.join('2' * n)}\n")
    for selector in proposed:
        assert f"such as {selector}" in refused(3, "batch", path, *options).split(", or -m")[0]
        options = [*options, *selector.replace("'", "").split()]
    assert call("batch", path, *options).code == 0


def test_what_may_be_the_labels_of_groups_is_not_proposed(refused):
    assert "such as --q 'q*'" in refused(3, "batch", "-", "--by", "g", input="g,class,p\nA,1,.5\nA,2,.5\n")


@pytest.mark.parametrize(("columns", "keep"), [("p,q,kl_pq", "''"), ("day,kl_qp,p,q,kl_pq", "day")])
def test_columns_named_as_the_output_are_left_out_as_the_error_says(refused, call, write, columns, keep):
    path = write("t.csv", f"{columns}\n{','.join('1' * (columns.count(',') + 1))}\n")
    message = refused(2, "batch", path, "-m", "kl_pq,kl_qp")
    assert message.endswith(f"keep the others: --keep {keep}")
    assert call("batch", path, "-m", "kl_pq,kl_qp", "--keep", keep.strip("'"), "-q").code == 0


def test_of_many_fields_the_nearest_are_listed(refused):
    for args in (("compare", ".3,.7", ".4,.6", "-g", "p98:kl_pq"), ("batch", "-", "--summary", "-g", "mean:kl_p")):
        message = refused(2, *args, input="p,q\n1,1\n")
        assert len(message) < 160
        assert "kl_pq" in message
    args = ("batch", "-", "--summary", "-g", "p98:kl_pq")
    assert "'p98': it is one of count, infinite, mean, " in refused(2, *args, input="p,q\n1,1\n")


def test_a_reference_without_labels_is_taken_in_the_order_of_each_group_with_a_note(call, write):
    path = write("t.csv", "model,class,p\nA,x,.5\nA,y,.5\nB,y,.1\nB,x,.9\n")
    args = ("batch", path, "--by", "model", "--label", "class", "--p", "p", "-m", "kl_pq", "--reference")
    note = "the reference has no labels; its values were taken in the order of those in all 2 groups"
    assert call(*args, ".3,.7").err.count(note) == 1
    assert call(*args, "x=.3,y=.7").err == ""


# --------------------------------------------------------------------------------------------- which column is offered


def test_groups_of_a_numeric_label_are_offered_the_weights_and_the_label(refused, get, write):
    path = write("t.csv", "model,class,p\nA,1,.5\nA,2,.5\nB,2,.1\nB,1,.9\n")
    message = refused(3, "entropy", path, "--by", "model")
    assert message.endswith("add --select p, or --label class if 'class' holds labels")
    for mend in (("--select", "p"), ("--label", "class")):
        assert get("entropy", "entropy", path, "--by", "model", *mend)[0] == near(log(2))
    ordered = ("compare", path, "--by", "model", "--label", "class")
    assert get("kl_pq", *ordered) == [near(0.5 * log(0.5 / 0.9) + 0.5 * log(0.5 / 0.1))]


def test_groups_of_raw_values_are_offered_what_was_measured(refused, get, write):
    path = write("t.csv", RAW)
    assert refused(3, "entropy", path, "--by", "arm", "--tally").endswith("add --select ms")
    assert get("entropy", "entropy", path, "--by", "arm", "--tally", "--select", "ms") == [near(THIRDS)] * 2


def test_a_key_is_offered_neither_as_raw_values_nor_to_be_fitted(refused, call, write, tmp_path):
    write("t.csv", RAW)
    assert refused(3, "compare", "t.csv", "--tally", cwd=tmp_path).endswith("choose: t.csv:arm t.csv:ms")
    for text, column in (
        ("user,ms\n3,5\n1,8\n1,9\n", "ms"),
        ("x,n\n0.5,3\n1.5,8\n", "x"),
    ):
        write("f.csv", text)
        assert f"choose one, as in f.csv:{column}, and" in refused(3, "fit", "f.csv", cwd=tmp_path)
        assert call("fit", f"f.csv:{column}", cwd=tmp_path).code == 0


# --------------------------------------------------------------------------------------------------- what holds keys


def test_label_none_frees_the_first_column_alone(get, call, write):
    path = write("t.csv", "a,user_id,b\n1,12345,2\n3,18822,4\n5,10007,3\n")
    assert get("kl_pq", "compare", path, "--label", "none") == [near(get("kl_pq", "compare", "1,3,5", "2,4,3")[0])]
    assert "column 'user_id' is a key by its name and left out" in call("kl", path, "--label", "none").err


def test_beside_ids_alone_rising_numbers_are_weights(get, write):
    path = write("t.csv", "a,id\n1,11\n3,15\n5,12\n")
    assert get("entropy", "entropy", path) == [near(get("entropy", "entropy", "1,3,5")[0])]


@pytest.mark.parametrize(
    "table", ["id,x,y\n7,2.0,0.1\n3,0.3,1.5\n", ",x,y\n0,2.0,0.1\n1,0.3,1.5\n", "x,y,user_id\n2.0,0.1,5\n0.3,1.5,9\n"]
)
def test_keys_are_no_logits(call, write, table):
    path = write("t.csv", table)
    found = call("loss", "cross-entropy", path, "0,1", "-f", "value")
    assert found.out == call("loss", "cross-entropy", f"{path}:x,y", "0,1", "-f", "value").out
    assert "of keys by its name and left out" in found.err


def test_the_index_of_pandas_in_parquet_is_what_it_is_in_csv(kl, call, tmp_path):
    import pandas as pd

    given = pd.DataFrame({"w": [0.1, 0.3, 0.6]}, index=["a", "b", "c"])
    for name, frame in (("p", given), ("q", given[::-1])):
        frame.to_parquet(tmp_path / f"{name}.parquet")
    assert kl(tmp_path / "p.parquet", tmp_path / "q.parquet") == 0
    pd.DataFrame({"w": [1, 3, 5]}, index=[2019, 2020, 2022]).to_parquet(tmp_path / "y.parquet")
    assert call("entropy", tmp_path / "y.parquet", "-g", "elements.outcome", "-q").out.split() == [
        "2019",
        "2020",
        "2022",
    ]


# ------------------------------------------------------------------------------------------------------- rows in doubt


@pytest.mark.parametrize("pairs", [2, 30_000])
def test_an_empty_line_is_no_row_of_blank_cells(call, write, pairs):
    path = write("t.csv", "id,p,q\n" + "a,1,2\n" * pairs + "\na,1,2\n")
    found = call("batch", path, "--p", "p", "--q", "q", "-m", "kl_pq", "--blank", "zero", "-q")
    assert (found.code, found.out.count("\n")) == (0, pairs + 2)


def test_a_malformed_row_without_a_partner_is_named(refused, write):
    left, right = write("l.csv", "id,c,d\n1,1,2\n9,5\n"), write("r.csv", "id,c,d\n1,1,3\n")
    said = refused(3, "batch", left, "--with", right, "--on", "id", "--p", "c,d", "--q", "c,d", "-m", "kl_pq")
    assert said.startswith(f"{left}:3: 2 fields, the header has 3")


def test_blank_values_of_a_text_are_left_out_where_that_is_asked_for(call, get):
    text = "cat\nNA\ncat\ndog\n"
    assert "blank values left out: 1" in call("entropy", "--tally", "--blank", "skip", input=text).err
    assert get("elements.p", "entropy", "--tally", "--blank", "skip", input=text) == [near(2 / 3), near(1 / 3)]


def test_one_known_pair_stands_beside_raw_values(kl):
    assert kl("--tally", "x,x", "x=1", "-q") == 0


@pytest.mark.parametrize("text", ['{"p":["40%",60],"q":[1,1]}', '[{"p":["40%",60],"q":[1,1]}]'])
def test_percentages_beside_other_numbers_of_a_list_are_refused(refused, text):
    kind = "ndjson" if text.startswith("{") else "json"
    said = refused(3, "batch", "-", "--input-format", kind, "--p", "p", "--q", "q", "-m", "kl_pq", input=text)
    assert "write % in all of them or in none" in said


def test_row_names_of_r_may_be_numbers_in_quotes_and_stand_beside_one_column(get, write):
    assert get("kl_pq", "compare", write("r.csv", '"p","q"\n"1",4,3\n"2",6,7\n')) == [near(KL)]
    path = write("s.csv", '"x"\n"a",1.5\n"b",2.5\n')
    assert get("elements.p", "entropy", path) == [near(0.375), near(0.625)]


def test_what_is_dropped_may_stand_twice(kl, write):
    path = write("t.csv", "k,p,q\ncar,4,3\nbus,6,7\nTotal,10,10\nTotal,10,10\n")
    assert kl(path, "--drop", "Total", "-q") == near(KL)


def test_comments_of_a_sheet_are_refused_with_what_does_it_there(refused, tmp_path):
    import pandas as pd

    path = tmp_path / "t.xlsx"
    pd.DataFrame({"k": ["a", "#old", "b"], "p": [1, 90, 2], "q": [2, 1, 2]}).to_excel(path, index=False)
    assert "--comment is for text" in refused(2, "kl", path, "--comment", "#")


# ------------------------------------------------------------------------------------------- names that a shell splits


@pytest.mark.parametrize(
    ("table", "offer", "value"),
    [
        ("k,b c,it's,d\nx,1,2,3\ny,3,2,1\n", "choose: (.*)", 0.75 * log(1.5) - 0.25 * log(2)),
        ("my zip,n\n5,1\n3,1\n9,2\n", "if it holds labels add (.*)", 1.5 * log(2)),
        ("k,n\nx,1\ny,2\nz,1\nGrand Total,4\n", "; (--drop .*) leaves it out", 1.5 * log(2)),
    ],
)
def test_a_name_is_offered_as_a_shell_takes_it(call, write, table, offer, value):
    path = write("t.csv", table)
    command = ["kl"] if "choose" in offer else ["entropy", path, "-g", "entropy"]
    (offered,) = re.findall(offer, call(command[0], path).err)
    assert shlex.split(offered) != offered.split()
    result = call(*command, *shlex.split(offered), "-q")
    assert (result.code, float(result.out)) == (0, near(value))


# ------------------------------------------------------------------------------------------------- all else, as a table


@pytest.mark.parametrize("mend", [*MENDS, *short_mends()], ids=lambda mend: f"{mend.command}: {mend.says}")
def test_what_is_offered_gives_the_value(call, write, tmp_path, mend):
    for name, content in mend.files.items():
        write(name, content)
    assert mend.says in call(*shlex.split(mend.command), cwd=tmp_path, input=mend.given).err
    result = call(*shlex.split(mend.mended), "-q", cwd=tmp_path, input=mend.given)
    assert result.code == 0, result
    assert [float(line) for line in result.out.split()] == [near(value) for value in mend.found]

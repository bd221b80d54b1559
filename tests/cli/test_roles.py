"""Which column is what: a key is never a weight, and every error's mend works when it is obeyed."""

import json
import unicodedata

import pytest

CODES = "code,mon,tue\n200,90,80\n301,5,10\n404,5,10\n"
KL = 0.03669001403475058
TAKEN = "column 'code' (whole numbers, all different) is taken as labels; --label none counts it as weights"


def near(value):
    return pytest.approx(value, rel=1e-12)


# --------------------------------------------------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    "first",
    [
        *("", "index", "Unnamed: 0", "id", "ID", "Key", "code", "year", "No.", "nr", "#", "rank", "decile", "user_id"),
        *("#OTU ID", "userID", "zip_code", "month", "hour", "step", "row"),
    ],
)
def test_whole_numbers_under_the_name_of_a_key_are_labels(call, kl, write, first):
    path = write("t.csv", f"{first},mon,tue\n404,90,80\n200,5,10\n301,5,10\n")
    assert kl(path) == near(KL)
    assert f"column {first!r} (whole numbers, all different) is taken as labels" in call("kl", path).err


@pytest.mark.parametrize(("first", "weights"), [("port", False), ("x", False), ("p", True), ("q", True)])
def test_whole_numbers_that_rise_are_labels_unless_they_are_called_p_or_q(refused, kl, write, first, weights):
    path = write("t.csv", f"{first},mon,tue\n200,90,80\n301,5,10\n404,5,10\n")
    if weights:
        assert "3 distributions" in refused(3, "kl", path)
    else:
        assert kl(path) == near(KL)


@pytest.mark.parametrize(
    "cells", ["200 90 7", "1.5 2.5 3.5", "5 5 5", "-1 nan 3"], ids=["falls", "fractions", "alike", "no number"]
)
def test_other_numbers_are_weights(refused, write, cells):
    a, b, c = cells.split()
    path = write("t.csv", f"x,mon,tue\n{a},90,80\n{b},5,10\n{c},5,10\n")
    assert "3 distributions (x, mon, tue)" in refused(3, "kl", path)


@pytest.mark.parametrize("first", ["le", "bin", "bucket"])
def test_ends_of_cells_are_labels(get, write, first):
    path = write("t.csv", f"{first},mon,tue\n0.5,90,80\n1.5,5,10\n+Inf,5,10\n")
    assert get("kl_pq", "compare", path) == [near(KL)]


def test_the_only_numbers_are_weights(get, write):
    assert get("entropy", "entropy", write("t.csv", "id\n1\n2\n3\n")) == [near(1.0114042647073518)]


@pytest.mark.parametrize("command", ["compare", "kl", "rank", "entropy", "matrix"])
def test_the_rule_is_the_same_in_every_command(call, write, command):
    assert call(command, write("t.csv", CODES)).err.count(TAKEN) == 1


@pytest.mark.parametrize("kind", ["csv", "json", "ndjson", "parquet", "feather"])
def test_the_rule_is_the_same_in_every_format(kl, tmp_path, write, kind):
    path = tmp_path / f"t.{kind}"
    if kind == "csv":
        write("t.csv", CODES)
    elif kind in {"json", "ndjson"}:
        rows = [
            {"code": 200, "mon": 90, "tue": 80},
            {"code": 301, "mon": 5, "tue": 10},
            {"code": 404, "mon": 5, "tue": 10},
        ]
        write(f"t.{kind}", json.dumps(rows) if kind == "json" else "\n".join(map(json.dumps, rows)))
    else:
        import pyarrow as pa
        from pyarrow import feather, parquet

        table = pa.table({"code": [200, 301, 404], "mon": [90, 5, 5], "tue": [80, 10, 10]})
        (parquet.write_table if kind == "parquet" else feather.write_feather)(table, str(path))
    assert kl(path) == near(KL)
    assert kl(f"{path}:mon", f"{path}:tue") == near(KL)


def test_label_none_counts_a_key_as_weights_and_no_hint_offers_it_as_p(refused, get, write, tmp_path):
    write("t.csv", CODES)
    assert refused(3, "kl", "t.csv", "--label", "none", cwd=tmp_path).endswith("choose: t.csv:mon t.csv:tue")
    assert len(get("entropy", "entropy", "t.csv", "--label", "none", cwd=tmp_path)) == 3
    assert len(get("entropy", "entropy", "t.csv", cwd=tmp_path)) == 2


def test_an_error_that_follows_from_the_rule_names_its_mend(refused, kl, write, tmp_path):
    write("t.csv", "x,y\n1,5\n2,3\n4,9\n")
    assert "--label none" in refused(3, "kl", "t.csv", cwd=tmp_path)
    assert kl("t.csv", "--label", "none", cwd=tmp_path) == near(kl("1,2,4", "5,3,9"))


@pytest.mark.parametrize("name", ["--select=x,y", "x"])
def test_a_column_that_is_named_is_no_label(call, write, tmp_path, name):
    write("t.csv", "x,y\n1,5\n2,3\n4,9\n")
    given = ["t.csv", name] if name.startswith("--") else ["t.csv:x", "t.csv:y"]
    result = call("kl", *given, cwd=tmp_path)
    assert float(result.out) == near(float(call("kl", "1,2,4", "5,3,9").out))
    assert "labels" not in result.err


def test_a_label_is_chosen_by_name_or_position(kl, refused, write, tmp_path):
    write("a.csv", "n,port\n3,80\n7,443\n")
    write("b.csv", "n,port\n7,443\n3,80\n")
    for label in ("port", "2"):
        assert kl("a.csv:n", "b.csv:n", "--label", label, cwd=tmp_path) == 0
    assert "is 2 columns" in refused(3, "kl", "a.csv", "b.csv", "--label", "1-2", cwd=tmp_path)
    assert "no column 'prt'" in refused(3, "kl", "a.csv", "b.csv", "--label", "prt", cwd=tmp_path)


@pytest.mark.parametrize("rows", [3, 30_000])
def test_labels_keep_their_text_however_large_the_file(call, write, rows):
    lines = "".join(f"{i:07},{1 + i % 3},{1 + i % 2}\n" for i in range(rows))
    path = write("t.csv", f"id,a,b\n{lines}")
    assert call("compare", path, "-g", "elements.outcome", "--top", "0", "-q").out.split()[:2] == ["0000000", "0000001"]


@pytest.mark.parametrize("rows", [3, 300, 30_000])
@pytest.mark.parametrize(
    ("name", "cell", "labels"),
    [
        ("le", "+Inf", "column 'le' (different numbers) is taken as labels"),
        ("surname", "Inf", "column 'surname', numbers in some cells only, is taken as labels"),
        ("surname", "nan", "column 'surname', numbers in some cells only, is taken as labels"),
        ("surname", "Infante", ""),
        ("le", "nan", None),
        ("n", "inf", None),
    ],
)
def test_labels_that_are_no_finite_numbers_are_told_however_far_down_they_stand(call, write, name, cell, labels, rows):
    """labels: the note on the column, None where it is one of weights. Beyond 2 and beyond 256 KiB others read it."""
    first = [f"name{i}" if name == "surname" else str(i + 0.5 * (name == "le")) for i in range(1, rows)]
    path = write("t.csv", f"{name},a,b\n" + "".join(f"{label},{len(label)},3\n" for label in [*first, cell]))
    result = call("kl", path)
    if labels is None:
        assert (result.code, result.err.startswith(f"klcli: {path}: 3 distributions ({name}, a, b)")) == (3, True)
    else:
        assert result.code == 0
        assert (labels in result.err, "labels" in result.err) == (True, labels != "")


def test_a_key_beside_labels_is_left_out(call, kl, write):
    path = write("t.csv", "#OTU ID,lineage,a,b\n7,x,1,3\n3,y,3,1\n")
    assert kl(path) == near(kl("1,3", "3,1"))
    assert "column '#OTU ID' is a key by its name and left out" in call("kl", path).err
    assert "3 distributions" in call("kl", path, "--select", "1,3,4").err


@pytest.mark.parametrize("name", ["id", "user_id", "userId", "zip_code"])
def test_an_id_anywhere_is_left_out(call, kl, write, name):
    for text in (f"w,{name},a,b\nx,7,1,3\ny,3,3,1\n", f"a,b,{name}\n1,3,7\n3,1,3\n"):
        path = write("t.csv", text)
        assert kl(path) == near(kl("1,3", "3,1"))
        assert (
            f"column {name!r} is a key by its name and left out; --select counts it as weights" in call("kl", path).err
        )
        assert "3 distributions" in call("kl", path, "--select", f"a,b,{name}").err


@pytest.mark.parametrize("name", ["status", "zip", "http.status", "customer_number", "ts"])
def test_numbers_called_as_keys_are_get_a_note_whose_mend_works(call, get, write, name):
    path = write("t.csv", f"{name},n\n200,7\n404,2\n302,1\n")
    assert f"column {name!r} counts as weights; if it holds labels add --label {name}" in call("kl", path).err
    assert get("entropy", "entropy", path, "--label", name) == [near(get("entropy", "entropy", "7,2,1")[0])]


def test_what_stands_beside_p_and_q_is_named(call, kl, write):
    path = write("t.csv", "zip,p,q\n94110,5,4\n10001,6,6\n60601,7,9\n")
    assert kl(path) == near(kl("5,6,7", "4,6,9"))
    assert "p and q are compared, and zip left out" in call("kl", path).err


def test_a_second_column_of_text_is_left_out_with_a_note(call, kl, write):
    path = write("t.csv", "k,note,a,b\nx,u,1,3\ny,v,3,1\n")
    assert kl(path) == near(kl("1,3", "3,1"))
    assert "column 'note' is not of numbers and left out" in call("kl", path).err


@pytest.mark.parametrize("cell", ["1,200", "$12", "n/a", "", "x"])
def test_a_cell_that_is_no_number_among_numbers_is_refused(refused, write, cell):
    path = write("t.csv", f'k,a,b\nx,"{cell}",3\ny,3,1\n')
    assert "t.csv:2" in refused(3, "entropy", path)
    assert "t.csv:2" in refused(3, "kl", path)


def test_a_column_of_nothing_but_odd_numbers_is_refused(refused, write):
    assert "'1,200' in column 'a'" in refused(3, "kl", write("t.csv", 'k,a,b,c\nx,"1,200",3,1\ny,"1,500",1,1\n'))


def test_a_cell_of_numbers_in_part_is_mended_by_label_and_by_select(refused, kl, write):
    path = write("t.csv", "k,note,a,b\nx,1,1,3\ny,v,3,1\n")
    said = refused(3, "kl", path)
    assert "--label note" in said
    assert "--select" in said
    assert kl(path, "--label", "note", "--select", "a,b") == kl(path, "--select", "a,b") == near(kl("1,3", "3,1"))


def test_rows_whose_keys_differ_are_not_joined_by_position(refused, kl, write, tmp_path):
    write("a.csv", "port,n\n443,7\n80,3\n")
    write("b.csv", "port,n\n80,3\n443,7\n")
    said = refused(4, "kl", "a.csv:n", "b.csv:n", cwd=tmp_path)
    assert "a.csv:2, column 'n' and b.csv:2, column 'n'" in said
    assert "'443' and '80'" in said
    assert kl("a.csv:n", "b.csv:n", "--label", "port", cwd=tmp_path) == 0
    assert kl("a.csv:n", "b.csv:n", "--label", "none", cwd=tmp_path) == near(kl("7,3", "3,7"))


def test_rows_with_labels_on_one_side_alone_are_not_joined_by_position(refused, kl, write, tmp_path):
    write("a.csv", "port,n\n22,1\n80,3\n443,7\n")
    write("b.csv", "port,n\n80,3\n443,7\n22,1\n")
    assert "--label port" in refused(4, "kl", "a.csv:n", "b.csv:n", cwd=tmp_path)
    assert kl("a.csv:n", "b.csv:n", "--label", "port", cwd=tmp_path) == 0


# --------------------------------------------------------------------------------------------------------------- select


@pytest.mark.parametrize("selector", ["mon,tue", "2,3", "2-3", "mon:tue", "/on|u/", "[mt]*"])
def test_select_chooses_the_weights(kl, write, selector):
    path = write("t.csv", CODES)
    assert kl(path, "--select", selector) == near(KL)


def test_select_chooses_members_of_json_and_leaves_columns_that_are_named(kl, call, write):
    path = write("t.json", '{"a": [1, 3], "b": [3, 1], "c": [1, 1]}')
    assert kl(path, "--select", "a,b") == near(kl("1,3", "3,1"))
    path = write("t.csv", CODES)
    assert call("rank", f"{path}:mon", path, "--select", "tue", "-g", "kl_pq", "-q").out == "0.03669001403475059\n"


# --------------------------------------------------------------------------------------------------------------- header


def test_a_first_line_of_numbers_is_refused_and_both_mends_work(refused, get, write):
    path = write("t.csv", "cat,7\ndog,2\nhorse,1\n")
    said = refused(3, "entropy", path)
    assert "t.csv:1: '7'" in said
    assert "--no-header" in said
    assert get("entropy", "entropy", path, "--no-header") == get("entropy", "entropy", "7,2,1")
    assert get("entropy", "entropy", path, "--header") == get("entropy", "entropy", "2,1")


@pytest.mark.parametrize("header", ["2019,2024", "1500,2100", "0,1", "1,2"])
def test_years_and_counted_numbers_are_names(call, write, header):
    first, second = header.split(",")
    result = call("compare", write("t.csv", f"k,{header}\na,4,3\nb,6,7\n"), "-g", "kl_pq")
    assert float(result.out) == near(0.022582421084357387)
    assert f"line 1 is taken as names: {first}, {second}; --no-header takes it as a row" in result.err


@pytest.mark.parametrize("header", ["2019,3", "2,3", "1,3", "2019,2019", "1.0,2.0"])
def test_other_numbers_are_no_names(refused, write, header):
    assert "--header" in refused(3, "kl", write("t.csv", f"k,{header}\na,4,3\nb,6,7\n"))


def test_columns_without_names_are_called_by_their_positions(kl, call, write):
    path = write("t.csv", "a,4,3\nb,6,7\n")
    assert kl(f"{path}:2", f"{path}:3", "--no-header") == near(0.022582421084357387)
    result = call("batch", path, "--p", "2", "--q", "3", "--no-header", "-m", "kl_pq", "-q", "-f", "csv")
    assert result.out == "1,kl_pq\na,0.0\nb,0.0\n"


def test_a_stream_is_refused_too(refused, call, write):
    path = write("t.csv", "a,4,3\nb,6,7\n")
    assert "--no-header" in refused(3, "batch", path, "--p", "2-3", "--reference", "1,1")
    result = call("batch", path, "--p", "2-3", "--reference", "1,1", "--no-header", "-m", "entropy_p", "-q")
    assert len(result.out.splitlines()) == 3


def test_a_loss_takes_no_line_of_numbers_as_names(refused, call, write):
    path = write("t.csv", "2001,2002\n0.5,0.5\n")
    assert "--header" in refused(3, "loss", "cross-entropy", path, "0")
    assert call("loss", "cross-entropy", path, "0", "--header").code == 0
    assert call("loss", "cross-entropy", path, "0,1", "--no-header").code == 0


def test_what_klcli_writes_reads_back(call, write):
    path = write("t.csv", CODES)
    for given in ([], ["--label", "none"], ["--columns"]):
        written = call("matrix", path, "-f", "csv", "-m", "js_divergence", *given).out
        assert call("matrix", write("m.csv", written), "-q", "--smooth", "add=1").code == 0
    path = write("t.csv", "code,mon,tue,wed\n200,90,80,70\n301,5,10,10\n404,5,10,20\n")
    written = call("rank", path, "-f", "tsv").out
    assert call("matrix", write("r.tsv", written), "--label", "name", "-q", "--smooth", "add=1").code == 0


# --------------------------------------------------------------------------------------------------------------- totals


TOTAL = "k,a,b\nx,1,3\ny,3,1\nTotal,4,4\n"


@pytest.mark.parametrize(
    "name", ["Total", "TOTAL", "all", "Sum", "margin", "grand total", "Totals", "Overall", "Gesamt"]
)
def test_a_total_is_refused_and_both_mends_work(refused, kl, write, tmp_path, name):
    write("t.csv", TOTAL.replace("Total", name))
    said = refused(4, "kl", "t.csv", cwd=tmp_path)
    assert f"--drop {name}" in said.replace("'grand total'", "grand total").replace("--drop '", "--drop ")
    assert kl("t.csv", "--drop", name, cwd=tmp_path) == near(0.5493061443340549)
    assert kl("t.csv", "--keep-totals", cwd=tmp_path) == near(0.27465307216702745)


def test_a_distribution_that_is_a_total_is_refused(refused, get, write):
    path = write("t.csv", "k,a,b,All\nx,1,3,4\ny,3,1,4\n")
    assert "--drop All" in refused(4, "entropy", path)
    assert len(get("entropy", "entropy", path, "--drop", "All")) == 2
    assert len(get("entropy", "entropy", path, "--keep-totals")) == 3
    assert "--drop All" in refused(4, "matrix", path)
    assert "--drop All" in refused(4, "matrix", path, "--columns")


@pytest.mark.parametrize(
    ("args", "there_are"),
    [
        (["kl", "t.csv"], "k, a, b, x, y, Total"),
        (["rank", "t.csv:a", "t.csv:b"], "k, a, b, x, y, Total"),
        (["entropy", "t.csv", "--rows", "--keep-totals"], "x, y, Total, a, b"),
        (["matrix", "t.csv"], "x, y, Total, a, b"),
        (["matrix", "t.csv", "--columns"], "k, a, b, x, y, Total"),
        (["compare", "x=1,y=2", "1,2"], "x, y"),
        (["entropy", '{"a":[1,2]}'], "a"),
        (["entropy", "red,red,x", "--tally"], "red, x"),
    ],
)
def test_a_name_to_drop_that_is_nowhere_is_an_error(refused, write, tmp_path, args, there_are):
    write("t.csv", TOTAL)
    said = refused(2, *args, "--drop", "Total,zz" if "t.csv" in str(args) else "zz", cwd=tmp_path)
    assert said == f"--drop 'zz': no outcome and no distribution is called so; there are {there_are}."


def test_a_column_that_an_argument_names_stays_though_an_outcome_of_that_name_is_dropped(kl, get, write, tmp_path):
    write("t.csv", "name,a,b\na,1,2\nb,2,3\nc,3,1\n")
    assert kl("t.csv:a", "t.csv:b", "--drop", "a", cwd=tmp_path) == near(kl("2,3", "3,1"))
    assert get("entropy", "entropy", "t.csv:a", "--drop", "a", cwd=tmp_path) == near(get("entropy", "entropy", "2,3"))


def test_a_name_to_drop_need_not_be_in_every_input(kl, refused, write, tmp_path):
    write("t.csv", TOTAL)
    assert kl("t.csv:a", "x=1,y=2", "--drop", "Total,y", cwd=tmp_path) == 0
    assert kl("t.csv:a", "x=1,y=3", "--drop", "Total,b", cwd=tmp_path) == 0  # which is a column besides
    assert kl("1,2", "1,2", "--drop", ",") == 0
    assert "none here has a name" in refused(2, "kl", "1,2", "2,1", "--drop", "1")


def test_a_row_that_is_called_a_total_and_is_none_stands(kl, write):
    assert kl(write("t.csv", "k,a,b\nx,1,3\ny,3,1\nall,9,5\n")) > 0


def test_a_total_under_another_name_is_noted(call, write):
    path = write("t.csv", "k,a,b\nx,1,3\ny,3,1\nz,1,1\nN,5,5\n")
    assert "outcome 'N' equals the sum of the others" in call("kl", path).err
    assert "sum of the others" not in call("kl", path, "--drop", "N").err
    assert "sum of the others" not in call("kl", path, "--keep-totals").err
    assert "sum of the others" not in call("kl", write("u.csv", "k,a,b\nx,1,3\ny,3,1\nN,4,4\n")).err


def test_a_column_of_totals_is_refused_in_a_stream(refused, call, write):
    path = write("t.csv", "id,a,b,Total\nx,1,3,4\ny,2,2,4\n")
    given = ["batch", path, "--p", "2-4", "-m", "entropy_p", "-q", "--keep", "id"]
    assert "--drop Total" in refused(4, *given, "--reference", "1,1,1")
    assert call(*given, "--reference", "1,1,1", "--keep-totals").code == 0
    assert call(*given, "--reference", "1,1", "--drop", "Total").out.splitlines()[2] == "y,0.6931471805599453"


def test_a_row_of_totals_is_refused_in_a_group(refused, call, kl, write):
    path = write("t.csv", "g,k,p,q\nx,a,4,5\nx,b,1,2\nx,Total,5,7\n")
    given = ["batch", path, "--by", "g", "--p", "p", "--q", "q", "-m", "kl_pq", "-q"]
    assert "--drop Total" in refused(4, *given)
    header, row = call(*given, "--drop", "Total").out.splitlines()
    assert header == "g,kl_pq"
    assert float(row.removeprefix("x,")) == near(kl("4,1", "5,2"))
    assert call(*given, "--keep-totals").code == 0


# -------------------------------------------------------------------------------------------------------------- repeats


def test_labels_that_stand_twice_are_added_up_when_asked(refused, kl, call, write):
    path = write("t.csv", "k,a,b\nx,1,1\nx,3,2\ny,6,7\n")
    assert "--repeats sum" in refused(4, "kl", path)
    assert kl(path, "--repeats", "sum") == near(0.022582421084357387)
    assert "added up: x" in call("kl", path, "--repeats", "sum").err
    assert "--repeats sum" in refused(4, "matrix", path)
    assert call("matrix", path, "--repeats", "sum", "-f", "csv", "-q").out.startswith("k,x,y\n")
    assert call("matrix", path, "--repeats", "sum", "--columns", "-f", "csv", "-q").code == 0


def test_labels_that_stand_twice_in_a_group_are_added_up_when_asked(refused, call, kl, write):
    path = write("t.csv", "g,k,p,q\nx,a,3,4\nx,b,1,2\nx,a,1,1\ny,a,1,1\nz,a,1,1\nz,b,3,1\n")
    given = ["batch", path, "--by", "g", "--p", "p", "--q", "q", "-m", "kl_pq"]
    assert "--repeats sum" in refused(4, *given)
    result = call(*given, "--repeats", "sum")
    rows = [row.split(",") for row in result.out.splitlines()]
    assert [row[0] for row in rows] == ["g", "x", "y", "z"]
    assert [float(row[1]) for row in rows[1:]] == [near(kl("4,1", "5,2")), 0, near(kl("1,3", "1,1"))]
    assert "labels that stand twice in 1 of 3 groups were added up" in result.err


# -------------------------------------------------------------------------------------------------------------- unicode


@pytest.mark.parametrize("other", [unicodedata.normalize("NFD", "café"), "CAFÉ", "Café", " café"])
def test_labels_that_differ_in_form_alone_are_named(call, write, other):
    p, q = write("p.csv", "k,n\ncafé,1\nb,2\n"), write("q.csv", f"k,n\n{other},1\nb,2\n")
    assert "differ only in how they are written" in call("kl", p, q).err
    assert "differ only" not in call("kl", p, write("r.csv", "k,n\nthé,1\nb,2\n")).err


def test_numbers_as_labels_that_are_written_otherwise_are_named(call, write):
    result = call("kl", write("p.csv", "code,n\n01,1\n02,2\n"), write("q.csv", "code,n\n1,1\n2,2\n"))
    assert "'01' of P and '1' of Q differ only in how they are written" in result.err


# ---------------------------------------------------------------------------------------------------- rows of records


def test_keys_that_records_lack_are_outcomes_of_weight_0(call, write):
    path = write("t.json", '[{"whale": 3, "sea": 2}, {"sea": 1, "ship": 4}]')
    result = call("matrix", path, "-m", "js_divergence", "--pairs", "-g", "js_divergence")
    assert float(result.out) == pytest.approx(0.50219, abs=1e-5)
    assert "2 of 2 distributions lacked outcomes of others ('1': 'ship'); weight 0 there" in result.err


def test_a_null_in_a_record_is_refused(refused, write):
    assert "null" in refused(3, "matrix", write("t.json", '[{"whale": 3, "sea": 2}, {"sea": 1, "whale": null}]'))


def test_rows_of_one_outcome_are_noted(call, write):
    result = call("matrix", write("t.csv", "word,count\ncat,7\ndog,2\n"))
    assert "each row has one outcome, 'count'" in result.err

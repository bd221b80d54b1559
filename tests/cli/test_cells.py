"""What stands in a cell and how a table is written: options, and errors whose mends give a value when obeyed."""

import gzip
import re
from math import log

import pandas as pd
import pytest

PAIR = 0.4 * 0.28768207245178085 + 0.6 * -0.15415067982725827  # KL of 0.4, 0.6 to 0.3, 0.7
KL = pytest.approx(PAIR, rel=1e-12)


def value(call, *args, **how):
    result = call("kl", "-q", *args, **how)
    assert result.code == 0, result
    return float(result.out)


def mended(error):
    """The options that the end of an error names."""
    found = re.findall(r"--[a-z-]+(?: (?:'[^']'|[\w.,-]+))?", error)
    return [part.strip("'") for option in found for part in option.split(" ", 1)]


# A table that is not read as it stands, and what its errors lead to.
REFUSED = {
    "thousands": 'k,a,b\nx,"4,000","3,000"\ny,"6,000","7,000"\n',
    "thousands in some": 'k,a,b\nx,400,3\ny,600,7\nz,"0",0\n'.replace("600", '"600"').replace('"0"', "0"),
    "semicolons": "k;a;b\nx;4;3\ny;6;7\n",
    "quoted semicolons": '"k";"a";"b"\n"x";4;3\n"y";6;7\n',
    "semicolons and decimal commas": "k;a;b\nx;0,4;0,3\ny;0,6;0,7\n",
    "quoted decimal commas": 'k,a,b\nx,"0,4","0,3"\ny,"0,6","0,7"\n',
    "tabs": "k\ta\tb\nx\t4\t3\ny\t6\t7\n",
    "bars": "k|a|b\nx|4|3\ny|6|7\n",
    "a title": "Survey of 2024\nk,a,b\nx,4,3\ny,6,7\n",
    "titles": "Survey of 2024\nby me\n\nk,a,b\nx,4,3\ny,6,7\n",
    "a title as spreadsheets save it": "Survey,,\nk,a,b\nx,4,3\ny,6,7\n",
    "a comment": "# made by x\nk,a,b\nx,4,3\ny,6,7\n",
    "comments with commas": "# made by x, y, z, w\n# and, more\nk,a,b\nx,4,3\ny,6,7\n",
    "a comment below": "k,a,b\nx,4,3\n# half\ny,6,7\n",
    "Latin-1": "k,a,b\nä,4,3\ny,6,7\n".encode("latin-1"),
    "UTF-16": "k,a,b\nä,4,3\ny,6,7\n".encode("utf-16"),
    "UTF-16 without a mark": "k,a,b\nx,4,3\ny,6,7\n".encode("utf-16-le"),
    "a quote that swallows": 'k,a,b\n"x,4,3\nz,0,0\ny",6,7\n',
    "a quote that swallows one line end": 'k,a,b\n"x,4,3\ny",6,7\n',
    "a quote that never closes": 'k,a,b\nx,4,3\n"y,6,7\n',
    "a blank": "k,a,b\nx,4,3\ny,6,7\nz,,NA\n",
}


@pytest.mark.parametrize("text", [REFUSED[name] for name in REFUSED if name != "thousands in some"])
@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
def test_what_an_error_names_gives_the_value(refused, call, write, text, suffix):
    data = text if isinstance(text, bytes) else text.encode()
    path = write(f"t.{suffix}", gzip.compress(data) if suffix.endswith("gz") else data)
    options = []
    error = refused(3, "kl", path)
    options += mended(
        error.partition("; if these are labels")[0].partition(", --blank skip")[0].partition(", or the")[0]
    )
    assert options, error
    assert value(call, path, *options) == KL


def test_two_fields_of_several_lines_in_a_row_are_no_rows_that_a_quote_swallowed(call, write):
    text = 'k,a,b,note\n"x\n1",4,3,"two\nlines"\n"y\n1",6,7,"two\nlines"\n'
    assert value(call, write("t.csv", text)) == KL


@pytest.mark.parametrize("name", REFUSED)
def test_batch_reads_and_refuses_the_same(call, write, name):
    path = write("t.csv", REFUSED[name])
    whole = call("kl", path)
    rows = call("batch", path, "--p", "a", "--q", "b")
    assert (rows.code == 3) == (whole.code == 3)
    if whole.code == 3:
        at = whole.err.partition("; if these are labels")[0].strip()
        assert rows.err.strip().startswith(at)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("k,a,b\nx,4,3\ny,6,7\n", ()),
        ("k;a;b\nx;1.204,5;1.204,5\ny;1.204,5;1.204,5\n", ("--delimiter", ";", "--decimal", ",", "--thousands", ".")),
        ("k\ta\tb\nx\t1 204\t1\xa0204\ny\t1\u202f204\t1\u2009204\n", ("--input-format", "tsv", "--thousands", " ")),
        ("k,a,b\nx,1'200,1\u2019200\ny,1'200,1200\n", ("--thousands", "'")),
        ("k,a,b\nx,40 %,30%\ny,60 %,70\xa0%\n", ()),
        ("k,a,b\nx,NA,-\ny,4,3\nz,n/a,null\nw,6,7\nv,,NaN\n", ("--blank", "zero")),
        ("k,a,b\nx,NA,-\ny,4,3\nz,n/a,null\nw,6,7\nv,,NaN\n", ("--blank", "skip")),
        ("a,b\nNA,-\n4,3\n6,7\n", ("--blank", "skip")),
        ('k      a     b\n  x    4\t 3 \n"y z"  6   7\n', ("--delimiter", "space")),
        ('% q"\nk,a,b\n"x\n%",4,3\n% y\ny,6,7', ("--comment", "%")),
    ],
)
def test_how_cells_are_written(call, write, text, options):
    expected = 0 if "204" in text or "200" in text else PAIR
    assert value(call, write("t.csv", text), *options) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("cell", ["$12", "12 kg", "EUR 12", "12€", "£1,200"])
def test_a_unit_is_told_to_go(refused, write, cell):
    for args in (("kl",), ("batch", "--p", "a", "--q", "b")):
        error = refused(3, *args, write("t.csv", f'k,a,b\nx,4,3\ny,"{cell}",7\n'))
        assert f"t.csv:3: '{cell}' in column 'a' is not a number; write plain numbers in full, without" in error


@pytest.mark.parametrize("cell", ["1,20", "12,34,567", "0,400", "1,2000", ",200", "1,200,"])
def test_groups_are_of_three_digits(refused, write, cell):
    error = refused(3, "kl", write("t.csv", f'k,a,b\nx,4,3\ny,"{cell}",7\n'), "--thousands", ",")
    assert f"'{cell}' in column 'a' is not a number with ',' between groups of three digits" in error


@pytest.mark.parametrize(("first", "second", "row"), [("40%", "60", 3), ("40", "60%", 3), ("NA", "6", None)])
def test_percentages_and_numbers_in_one_column(call, write, first, second, row):
    path = write("t.csv", f"k,a,b\nx,{first},3\ny,{second},7\n")
    for args in (("kl", path), ("batch", path, "--p", "a", "--q", "b", "-m", "kl_pq")):
        result = call(*args, "--blank", "zero")
        assert (result.code == 3) == (row is not None)
        if row:
            assert f"t.csv:{row}: '{second}' in column 'a' is " in result.err
            assert "write % in all of them or in none" in result.err
    large = "".join(f"r{i},{first},3\n" for i in range(40_000))
    result = call("kl", write("large.csv", f"k,a,b\n{large}y,{second},7\n"), "--blank", "zero")
    assert (result.code == 3) == (row is not None)
    if row:
        assert f"large.csv:40002: '{second}' in column 'a' is " in result.err


def test_blank_cells_of_a_pair_leave_the_outcome_out(call, write):
    rows = "a,4,6,,3,7,1\nb,4,6,2,3,7,-\nc,4,6,NA,3,7,n/a\nd,4,6,0,3,7,0\n"
    for path in (
        write("t.csv", f"id,p1,p2,p3,q1,q2,q3\n{rows}"),
        write("l.csv", f"id,p1,p2,p3,q1,q2,q3\n{rows * 9000}"),
    ):
        result = call("batch", path, "--p", "p*", "--q", "q*", "--blank", "skip", "-m", "kl_pq", "-q", "-f", "csv")
        assert float(max(set(result.out.split()[1:])).split(",")[1]) == KL
        assert len({line.split(",")[1] for line in result.out.split()[1:]}) == 1
        assert result.code == 0
    zero = call("batch", path, "--p", "p*", "--q", "q*", "--blank", "zero", "-m", "kl_pq", "-q", "-f", "csv")
    assert "inf" in zero.out


@pytest.mark.parametrize(
    "other",
    [
        ("--reference", "1,2,3"),
        *(("--q", "q*", smooth, "add=1") for smooth in ("--smooth", "--p-smooth", "--q-smooth")),
    ],
)
def test_nothing_gives_weight_to_what_is_left_out(refused, write, other):
    path = write("t.csv", "id,p1,p2,p3,q1,q2,q3\na,4,6,,3,7,1\n")
    assert "--blank zero keeps them" in refused(2, "batch", path, "--p", "p*", *other, "--blank", "skip")


def test_lines_keep_their_numbers(refused, write):
    text = "a title\n# c\n\nk,a,b\n# d\nx,4,3\ny,z,7\n"
    for args in (("kl",), ("batch", "--p", "a", "--q", "b")):
        assert "t.csv:7: 'z'" in refused(3, *args, write("t.csv", text), "--skip", 1, "--comment", "#")


def test_a_field_of_several_lines_is_no_swallowed_row(call, write):
    for field in ("two\nlines", "Smith, John\nJr.", "a\nb\nc, d, e\nf", "p,q,r\n\n"):
        assert value(call, write("t.csv", f'k,a,b\n"{field}",4,3\ny,6,7\n')) == KL
    large = "".join(f'"two\nlines {i}",4,3\n' for i in range(30_000))
    assert value(call, write("l.csv", f"k,a,b\n{large}")) >= 0


def test_a_quote_that_never_closes_ends_somewhere(call, write):
    rows = "".join(f"r{i},4,3\n" for i in range(2_300_000))
    path = write("t.csv", f'k,a,b\nx,4,3\n"y,6,7\n{rows}')
    result = call("batch", path, "--p", "a", "--q", "b", "--on-error", "skip", "-o", path.with_name("o.csv"))
    assert result.code == 5
    assert "t.csv:3" in result.err
    assert "--no-quotes" in result.err


@pytest.fixture(params=["xlsx", "ods"])
def sheets(request, tmp_path):
    path = tmp_path / f"t.{request.param}"
    with pd.ExcelWriter(str(path)) as book:
        pd.DataFrame({"k": ["x", "y"], "a": [1, 1], "b": [1, None]}).to_excel(book, sheet_name="first", index=False)
        pd.DataFrame({"k": ["x", "y"], "a": [4, 6], "b": [3, 7]}).to_excel(book, sheet_name="second", index=False)
    return path


def test_the_sheet_that_is_meant(call, refused, sheets):
    assert value(call, sheets, "--sheet", "second") == KL
    assert "no sheet 'secnd'; it has first, second. Did you mean 'second'?" in refused(
        3, "kl", sheets, "--sheet", "secnd"
    )
    result = call("kl", sheets, "--blank", "zero")
    assert "the first sheet, 'first', is read; --sheet reads second" in result.err
    assert result.out == "inf\n"
    assert "--blank zero" in refused(3, "kl", sheets)
    rows = call("batch", sheets, "--p", "a", "--q", "b", "--on-error", "keep", "--blank", "zero")
    assert "--sheet reads second" in rows.err


TITLED = [["Monthly report", None, None], [None] * 3, ["mode", "before", "after"], ["car", 4, 3], ["bus", 6, 7]]


@pytest.fixture(params=["xlsx", "ods"])
def sheet(request, tmp_path):
    """sheet(rows): a file of one sheet."""

    def sheet(rows):
        path = tmp_path / f"t.{request.param}"
        pd.DataFrame(rows).to_excel(str(path), index=False, header=False)
        return path

    return sheet


def test_a_sheet_with_a_title_is_read_by_the_option_that_the_error_names(call, refused, sheet):
    path = sheet(TITLED)
    assert refused(3, "kl", path).endswith(
        "row 1: 'Monthly report' seems to stand above the table, whose rows have 3 cells; add --skip 2"
    )
    assert value(call, path, "--skip", "2") == KL
    assert value(call, f"{path}:before", f"{path}:after", "--skip", "2") == KL
    assert call("kl", path, "--skip", "9").code == 3


def test_a_sheet_without_a_header_is_read_by_the_option_that_the_error_names(call, refused, sheet):
    path = sheet(TITLED[3:])
    assert "row 1: '4' stands above a column of numbers; if row 1 is a row add --no-header" in refused(3, "kl", path)
    assert value(call, path, "--no-header") == KL
    assert value(call, f"{path}:2", f"{path}:3", "--no-header") == KL
    assert call("kl", path, "--header", "-q").out == "0.0\n"


def test_years_name_the_columns_of_a_sheet(call, sheet):
    result = call("kl", sheet([["mode", 2019, 2020], ["car", 4, 3], ["bus", 6, 7]]))
    assert "row 1 is taken as names: 2019, 2020; --no-header takes it as a row" in result.err
    assert float(result.out) == KL


@pytest.mark.parametrize(
    ("rows", "options", "row"),
    [(TITLED[2:], [], 2), (TITLED, ["--skip", "2"], 4), (TITLED[3:], ["--no-header"], 1)],
)
def test_errors_name_the_row_of_the_sheet(refused, sheet, rows, options, row):
    rows = [["car", "x", 3] if cells[0] == "car" else cells for cells in rows]
    path = sheet(rows)
    assert f", row {row}: 'x' in column" in refused(3, "kl", path, *options)
    assert f", row {row}: 'x' in column" in refused(3, "batch", path, "--p", "2", "--q", "3", *options)


@pytest.mark.parametrize("blank", ["zero", "skip"])
def test_rows_of_a_sheet_in_which_nothing_stands_are_left_out_as_blank_cells_are(call, refused, sheet, blank):
    rows = [*TITLED[2:4], [None] * 3, TITLED[4], [None] * 3, ["tram", "x", 1]]
    path = sheet([*rows[:-1], ["tram", 0, 0]])
    message = refused(3, "kl", path)
    assert ", row 3: nothing stands where a number should in column 'before'; " in message
    assert f"--blank {blank} " in message
    assert value(call, path, "--blank", blank) == KL
    for command in ("kl", "batch"):
        columns = () if command == "kl" else ("--p", "before", "--q", "after")
        assert ", row 6: 'x' in column 'before'" in refused(3, command, sheet(rows), *columns, "--blank", blank)


@pytest.mark.parametrize("form", ["parquet", "ndjson", "json"])
def test_nulls_are_blank_cells(call, tmp_path, form):
    frame = pd.DataFrame({"k": ["x", "y", "z"], "g": ["1"] * 3, "a": [4, 6, None], "b": [3.0, 7, 0]})
    path = tmp_path / f"t.{form}"
    if form == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records", lines=form == "ndjson")
    assert value(call, path, "--blank", "zero") == KL
    for blank in ("zero", "skip"):
        args = ("batch", path, "--by", "g", "--label", "k", "--p", "a", "--q", "b", "-m", "kl_pq", "-f", "csv", "-q")
        assert float(call(*args, "--blank", blank).out.split(",")[-1]) == KL


THIRD = pytest.approx(0.25 * log(0.25 * 6) + 0.75 * log(0.75 * 2), rel=1e-12)  # KL of 1, nothing, 3 to 1, 2, 3
ABC, NUMBERED = "a=1,b=2,c=3", "1,2,3"


@pytest.mark.parametrize(
    ("given", "text", "other"),
    [
        ("1,,3", "", NUMBERED),
        ("1 NA 3", "", NUMBERED),
        ("a=1,b=,c=3", "", ABC),
        ("[1, null, 3]", "", NUMBERED),
        ('[1, "n/a", 3]', "", NUMBERED),
        ("[[1, null], [3, 0]]", "", "[[1, 2], [3, 0]]"),
        ('{"a": 1, "b": null, "c": 3}', "", ABC),
        ('[["a", 1], ["b", null], ["c", 3]]', "", ABC),
        ("-", "1\nNA\n3\n", NUMBERED),
        ("-", "a 1\nb NA\nc 3\n", ABC),
        ("-", "k,p\na,1\nb,\nc,3\n", ABC),
        ("-#/p", '{"p": [1, null, 3]}', NUMBERED),
        ("-:p", "p\n1\nnull\n3\n", NUMBERED),
    ],
)
def test_what_is_blank_is_counted_or_left_out_wherever_it_stands(call, refused, given, text, other):
    assert "--blank zero counts it as 0, --blank skip leaves it out" in refused(3, "kl", given, other, input=text)
    for blank in ("zero", "skip"):
        result = call("kl", given, other, "--blank", blank, input=text)
        assert (result.code, float(result.out)) == (0, THIRD), result
        assert ("P lacks" in result.err) == (blank == "skip")
        assert call("kl", other, given, "--blank", blank, "-q", input=text).out == "inf\n"


def test_a_blank_of_a_label_that_stands_twice_adds_nothing(kl):
    for given in ("a=1,b=2,a=", '{"a": 1, "b": 2, "a": null}'):
        for blank in ("zero", "skip"):
            assert kl(given, "a=1,b=2", "--repeats", "sum", "--blank", blank, "-q") == 0


def test_a_total_beside_a_blank_is_one(refused):
    assert "--drop Total" in refused(4, "entropy", "a=1,b=,c=3,Total=4", "--blank", "skip")


def test_uniform_is_on_what_blanks_leave(kl):
    assert kl("1,,1", "uniform", "--blank", "skip", "-q") == 0


@pytest.mark.parametrize("rows", [1, 20_000])
@pytest.mark.parametrize(
    ("p", "q"), [("[1, null, 3]", "[1, 2, 3]"), ('{"a": 1, "b": null, "c": 3}', '{"c": 3, "b": 2, "a": 1}')]
)
def test_nulls_in_lists_and_objects_of_a_batch_are_blank_cells(call, write, p, q, rows):
    sound = f'{{"p": {p.replace("null", "2")}, "q": {q}}}\n'
    path = write("t.ndjson", sound * rows + f'{{"p": {p}, "q": {q}}}\n')
    args = ("batch", path, "-m", "kl_pq", "-q", "-f", "csv")
    assert "null is not a number; --blank zero counts it as 0" in call(*args).err
    for blank, value in (("zero", THIRD), ("skip", pytest.approx(0, abs=1e-15))):
        found = call(*args, "--blank", blank).out.split()
        assert [float(found[1]), float(found[-1])] == [0, value]


def test_nulls_in_lists_of_parquet_are_blank_cells(call, tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"p": [[1.0, None, 3.0], [1.0, 2.0, 3.0]], "q": [[1.0, 2.0, 3.0]] * 2}).to_parquet(path)
    args = ("batch", path, "-m", "kl_pq", "-q", "-f", "csv")
    for blank, value in (("zero", THIRD), ("skip", 0)):
        assert [float(line) for line in call(*args, "--blank", blank).out.split()[1:]] == [value, 0]


@pytest.mark.parametrize("kind", ["json", "ndjson"])
def test_nulls_in_the_rows_of_a_matrix_are_blank_cells(call, refused, write, kind):
    path = write(f"t.{kind}", "[1,null,3]\n[1,2,3]\n" if kind == "ndjson" else "[[1,null,3],[1,2,3]]")
    args = ("matrix", path, "-m", "kl_pq", "--pairs", "-q", "-f", "csv")
    assert "null is not a number; --blank zero" in refused(3, *args)
    for blank in ("zero", "skip"):
        assert float(call(*args, "--blank", blank).out.split()[1].split(",")[-1]) == THIRD


def test_a_null_among_raw_values_is_left_out_as_the_error_says(refused, call):
    assert "item 2: '' is no value to count; --blank skip" in refused(3, "entropy", '["a",null,"b"]', "--tally")
    for given in ("[1,null,2]", "1,NA,2"):
        assert "blank values left out: 1" in call("entropy", given, "--tally", "--blank", "skip").err
        result = call("entropy", given, "--tally", "--blank", "skip", "-g", "elements.outcome", "-q")
        assert result.out.split() == ["1", "2"]


@pytest.mark.parametrize(
    "option", [("--encoding", "hex"), ("--encoding", "klingon"), ("--thousands", "."), ("--thousands", ",,")]
)
def test_options_that_mean_nothing(refused, option):
    refused(2, "kl", "1,2", "2,1", *option)


def test_what_is_left_out_may_be_all(refused, write):
    assert "--skip leaves out" in refused(3, "kl", write("t.csv", "k,a,b\nx,1,2\n"), "--skip", "9")


# ---------------------------------------------------------------------------------------------------- sheets in a book

README = [["Survey of 2024", "us"], ["version", 3], ["made", "in May"]]


@pytest.fixture(params=["xlsx", "ods"])
def book(request, tmp_path):
    """book(sheet=rows, ...): a file of these sheets."""

    def book(**sheets):
        path = tmp_path / f"b.{request.param}"
        with pd.ExcelWriter(str(path)) as out:
            for name, rows in sheets.items():
                pd.DataFrame(rows).to_excel(out, sheet_name=name, index=False, header=False)
        return path

    return book


@pytest.mark.parametrize("cover", [README, README[:1], [["a", "b", "c"], *[["some", "", "text"]] * 3]])
def test_the_sheet_of_numbers_is_named_where_the_first_has_none(call, refused, book, cover):
    path = book(cover=cover, **{"the data": TITLED[2:]}, more=TITLED[2:])
    for args in (("kl", path), ("compare", path), ("matrix", path), ("batch", path, "--p", "2", "--q", "3")):
        assert refused(3, *args) == (
            f"{path}: the first sheet, 'cover', has no column of numbers; add --sheet 'the data', or --sheet cover to "
            "read it all the same"
        )
    assert value(call, path, "--sheet", "the data") == KL
    if len(cover) > 1:
        assert call("entropy", f"{path}:{cover[0][0]}", "--tally", "--sheet", "cover", "-q").code == 0


def test_of_sheets_without_numbers_the_first_is_read(call, book):
    path = book(one=[["k"], ["x"], ["y"]], two=README[:1])
    assert call("entropy", path, "--tally", "-q", "-g", "perplexity").out == "2.0\n"


@pytest.mark.parametrize("title", [["Report", "May", None], ["Report", None, "May"], ["Report", None, None]])
def test_a_title_above_a_sheet_is_left_out_as_the_error_says(call, refused, sheet, title):
    path = sheet([title, *TITLED[2:]])
    assert refused(3, "kl", path).endswith(
        "row 1: 'Report' seems to stand above the table, whose rows have 3 cells; add --skip 1"
    )
    assert value(call, path, "--skip", 1) == KL


def test_a_header_that_comes_back_is_left_out_with_a_note(call, sheet):
    path = sheet([TITLED[0], TITLED[2], *TITLED[2:], TITLED[2]])
    result = call("kl", path, "--skip", 1)
    assert float(result.out) == KL
    assert "rows that repeat the header left out: 2" in result.err
    scored = call("batch", path, "--skip", 1, "--p", "before", "--q", "after", "-m", "kl_pq", "-q")
    assert scored.out.count("\n") == 3


def test_a_name_that_stands_twice_under_a_title_is_named_by_its_row(refused, sheet):
    path = sheet([["Report", None, None], ["k", "p", "p"], ["a", 1, 2], ["b", 3, 4]])
    assert refused(3, "kl", path).endswith("; add --skip 1")
    assert refused(3, "kl", path, "--skip", 1).endswith(", row 2: the header has 'p' twice; rename one")


@pytest.mark.parametrize("cells", [[True, 6], [4, False]])
def test_truth_is_no_number_in_a_sheet(refused, sheet, cells):
    path = sheet([["k", "a", "b"], ["x", cells[0], 3], ["y", cells[1], 7]])
    row = 2 + cells.index(next(cell for cell in cells if isinstance(cell, bool)))
    shown = str(cells[row - 2]).upper()
    for args in (("kl", path), ("batch", path, "--p", "a", "--q", "b"), ("fit", f"{path}:a")):
        assert f", row {row}: '{shown}' in column 'a' is not a number" in refused(3, *args)


def test_a_column_of_truth_is_labels_as_in_csv(call, sheet, write):
    rows = [["won", "a", "b"], [True, 4, 3], [False, 6, 7]]
    for path in (sheet(rows), write("t.csv", "won,a,b\nTRUE,4,3\nFALSE,6,7\n")):
        assert call("compare", path, "-q", "-g", "elements.outcome").out == "TRUE\nFALSE\n"
        assert value(call, path) == KL


@pytest.mark.parametrize("options", [(), ("--blank", "zero"), ("--sheet", "Sheet")])
def test_a_formula_without_a_value_is_no_blank_cell(refused, tmp_path, options):
    import openpyxl

    made = openpyxl.Workbook()
    for row in TITLED[2:]:
        made.active.append(row)
    made.create_sheet("other").append(["k", "a"])
    made.active["C3"] = "=B3+1"
    made.save(tmp_path / "t.xlsx")
    message = refused(3, "kl", tmp_path / "t.xlsx", *options)
    assert ", cell C3: the formula has no value" in message
    assert message.endswith("; open it in one, and save it")


def test_a_formula_without_a_value_in_open_document_is_no_blank_cell(refused, tmp_path):
    import zipfile

    pd.DataFrame(TITLED[2:]).to_excel(str(tmp_path / "t.ods"), index=False, header=False)
    with zipfile.ZipFile(tmp_path / "t.ods") as old, zipfile.ZipFile(tmp_path / "f.ods", "w") as new:
        for name in old.namelist():
            cell = rb'<table:table-cell [^>]*office:value="7"[^>]*>.*?</table:table-cell>'
            new.writestr(name, re.sub(cell, b'<table:table-cell table:formula="of:=[.B3]+1"/>', old.read(name)))
    assert ", cell C3: the formula has no value" in refused(3, "kl", tmp_path / "f.ods", "--blank", "zero")


def test_a_cell_of_the_header_without_a_name_is_as_in_csv(call, sheet):
    path = sheet([["mode", None, "before", "after", None], ["car", "x", 4, 3, None], ["bus", "y", 6, 7, None]])
    result = call("kl", path)
    assert float(result.out) == KL
    assert "column '' is not of numbers and left out" in result.err
    assert call("batch", path, "--p", "before", "-m", "entropy_p", "-q").out.splitlines()[0] == "mode,,after,entropy_p"


def test_codes_and_numbers_that_are_text_in_a_sheet(call, sheet):
    path = sheet([["mode", "before", "after"], ["007", "4", 3], ["008", "6", 7]])
    assert value(call, path) == KL
    assert "007" in call("compare", path, "-q", "--breakdown", "-f", "csv", "-g", "elements.outcome").out


def test_formulas_with_values_are_numbers_and_empty_text_is_blank(call, tmp_path):
    import zipfile

    made = pd.DataFrame([*TITLED[2:], ["tram", 0, 0]])
    made.to_excel(tmp_path / "t.xlsx", index=False, header=False, engine="openpyxl")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as old, zipfile.ZipFile(tmp_path / "f.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                data = re.sub(rb'<c r="B2"[^>]*>.*?</c>', b'<c r="B2"><f>2+2</f><v>4</v></c>', data)
                data = re.sub(rb'<c r="B4"[^>]*>.*?</c>', b'<c r="B4" t="str"><f>IF(1,"")</f><v></v></c>', data)
            new.writestr(name, data)
    assert value(call, tmp_path / "f.xlsx", "--blank", "zero") == KL
    assert ", row 4: nothing stands where a number should" in call("kl", tmp_path / "f.xlsx").err


GROUPED = "k,a,b\nx,1.200,3\ny,900,7\n"
NOTED = "column 'a': '1.200' beside '900'; if '.' groups digits add --thousands . --decimal ,"
IN_FULL = ("--thousands", ".", "--decimal", ",")


def noted(call, right, *args, mend=IN_FULL, **how):
    """A note says that 1.200 may be 1200, and what it says makes it so."""
    assert NOTED in call(*args, **how).err
    result = call(*args, *mend, **how)
    assert result.out.split()[-1].rpartition(",")[2] == right
    assert NOTED not in result.err


def test_marks_that_may_group_digits_are_noted_wherever_numbers_are_text(call, write, sheet):
    in_csv = (*IN_FULL, "--delimiter", ",")
    right = call("kl", "1200,900", "3,7", "-q").out.strip()
    noted(call, right, "kl", write("t.csv", GROUPED), mend=in_csv)
    noted(call, right, "kl", sheet([["k", "a", "b"], ["x", "1.200", 3], ["y", 900, 7]]))
    records = '[{"k": "x", "a": "1.200", "b": 3}, {"k": "y", "a": 900, "b": 7}]'
    noted(call, right, "kl", f"{write('t.json', records)}:a", "[3, 7]")
    typed = write("t.parquet", "")
    pd.DataFrame({"k": ["x", "y"], "a": ["1.200", "900"], "b": [3, 7]}).to_parquet(typed)
    noted(call, right, "kl", f"{typed}:a", "[3, 7]")
    batch = "batch", write("t.csv", GROUPED), "--by", "b", "--p", "a", "-m", "entropy_p"
    noted(call, "0.0", *batch, mend=in_csv)
    assert "<stdin>: '1.200' beside '900'" in call("entropy", input="x 1.200\ny 900\n").err
    assert "<stdin>: '1.200' beside '900'" in call("entropy", input="1.200\n900\n").err


@pytest.mark.parametrize(("last", "found"), [("1.250", True), ("1.25", False)])
def test_marks_that_may_group_digits_are_noted_in_a_large_table(call, write, last, found):
    rows = "".join(f"r{i},{1 + i % 9}.20{i % 2},{i % 7}\n" for i in range(30_000))
    path = write("t.csv", f"k,a,b\n{rows}x,900,1\ny,{last},1\n")
    assert ("column 'a': '1.200' beside '900'" in call("kl", path).err) == found


def test_numbers_as_text_in_parquet_are_named_as_the_error_says(call, refused, write):
    path = write("t.parquet", "")
    pd.DataFrame({"k": ["x", "y"], "a": ["4", "6"], "b": ["3", "7"]}).to_parquet(path)
    assert refused(3, "kl", path).endswith(f"column 'a' holds numbers as text; name it, as {path}:a")
    assert value(call, f"{path}:a", f"{path}:b") == KL

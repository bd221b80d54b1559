"""Tables as people and programs leave them: what cannot be read for certain is an error, whose mend works."""

import json
import shlex
from math import log

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


def near(value):
    return pytest.approx(value, rel=1e-12)


# --------------------------------------------------------------------------------------- rows whose group is not known

MERGED = [("north", "a", 1, 3), ("", "b", 3, 1), ("south", "a", 1, 1), ("", "b", 1, 1)]
FILLED = [(region or MERGED[i - 1][0], *rest) for i, (region, *rest) in enumerate(MERGED)]
NORTH = 0.25 * log(1 / 3) + 0.75 * log(3)


def as_csv(rows, nothing=""):
    return "region,l,p,q\n" + "".join(f"{region or nothing},{label},{p},{q}\n" for region, label, p, q in rows)


def as_records(rows):
    return [dict(zip(("region", "l", "p", "q"), row, strict=True)) for row in rows]


def written(path, rows, nothing=""):
    """A table in a file of one of the formats."""
    if path.suffix == ".parquet":
        records = [{**one, "region": one["region"] or None} for one in as_records(rows)]
        pq.write_table(pa.Table.from_pylist(records), path)
    elif path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(one) + "\n" for one in as_records(rows)))
    else:
        path.write_text(as_csv(rows, nothing))
    return path.name


@pytest.mark.parametrize(
    ("suffix", "nothing", "place"),
    [("csv", "", ":3"), ("csv", '""', ":3"), ("csv", " ", ":3"), ("ndjson", "", ":2"), ("parquet", "", ", row 2")],
)
def test_a_row_without_a_group_is_refused_until_it_is_filled_in(call, refused, tmp_path, suffix, nothing, place):
    name = written(tmp_path / f"t.{suffix}", MERGED, nothing)
    columns = ("--by", "region", "--label", "l")
    commands = {
        "batch": ("--p", "p", "--q", "q", "-m", "kl_pq", "-f", "csv", "-q"),
        "entropy": ("--select", "p", "-g", "entropy", "-q"),
        "rank": ("--select", "p", "-g", "kl_pq", "-q"),
        "compare": ("--select", "p", "-g", "kl_pq", "-q"),
        "matrix": ("--select", "p", "-m", "kl_pq", "-q"),
    }
    for command, options in commands.items():
        message = refused(3, command, name, *columns, *options, cwd=tmp_path)
        assert message.startswith(f"{name}{place}, column 'region': nothing stands here")
        assert "fill it in: of merged cells only the first holds the value" in message
    tally = ("batch", name, "--by", "region", "--p", "l", "--tally", "-m", "entropy_p")
    assert "nothing stands here" in refused(3, *tally, cwd=tmp_path)

    name = written(tmp_path / f"filled.{suffix}", FILLED)
    found = call("batch", name, *columns, *commands["batch"], cwd=tmp_path)
    assert float(found.out.split("\n")[1].split(",")[1]) == near(NORTH)
    found = call("compare", name, *columns, *commands["compare"], cwd=tmp_path)
    assert float(found.out) == near(0.25 * log(0.5) + 0.75 * log(1.5))


@pytest.mark.parametrize("rows", [1, 3000])
def test_rows_without_a_group_are_bad_rows(call, write, tmp_path, rows):
    text = "g,l,p,q\n" + "".join(f"a{i},x,1,2\na{i},y,1,2\n,y,{i},2\n" for i in range(rows))
    write("t.csv", text)
    options = ("--by", "g", "--label", "l", "--p", "p", "--q", "q", "-m", "kl_pq", "--on-error")
    kept = call("batch", "t.csv", *options, "keep", cwd=tmp_path)
    assert kept.code == 5
    assert f"1 of {rows + 1} groups failed" in kept.err
    more = f" and in {rows - 1} more rows of the table" if rows > 1 else ""
    assert f"t.csv:4, column 'g': nothing stands here{more}, so" in kept.err
    skipped = call("batch", "t.csv", *options, "skip", cwd=tmp_path)
    assert skipped.out == "g,kl_pq\n" + "".join(f"a{i},0.0\n" for i in range(rows))


# ------------------------------------------------------------------------------------------- labels that stand twice

TWICE = '{"a": 1, "a": 2, "b": 1}'
EVEN = '{"a": 1, "b": 1}'
ADDED = 0.75 * log(1.5) + 0.25 * log(0.5)


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare", "-g", "kl_pq", "-q", TWICE, EVEN),
        ("compare", "-g", "kl_pq", "-q", f'{{"p": {TWICE}, "q": {EVEN}}}'),
        ("compare", "-g", "kl_pq", "-q", '[["a", 1], ["a", 2], ["b", 1]]', EVEN),
        ("compare", "-g", "kl_pq", "-q", "--tally", "a=1,a=2,b=1", "a,b"),
        ("compare", "-g", "kl_pq", "-q", "--tally", TWICE, "a,b"),
        ("compare", "-g", "kl_pq", "-q", "--tally", "3=1,3.0=2,4=1", "3,4"),
        ("matrix", "-f", "json", "--pairs", f'{{"p": {TWICE}, "q": {EVEN}}}'),
        ("matrix", "-f", "json", "--pairs", f"[{TWICE}, {EVEN}]"),
        ("matrix", "-f", "json", "--pairs", f'[[["a", 1], ["a", 2], ["b", 1]], {EVEN}]'),
        ("matrix", "-f", "json", "--pairs", f'[{{"n": "u", "w": {TWICE}}}, {{"n": "v", "w": {EVEN}}}]'),
    ],
)
def test_labels_that_stand_twice_are_added_up_wherever_they_are_written(call, refused, arguments):
    message = refused(4, *arguments, *(("-m", "kl_pq") if arguments[0] == "matrix" else ()))
    assert "stands twice" in message
    assert "--repeats sum adds them up" in message
    mended = call(*arguments, "-m", "kl_pq", "--repeats", "sum")
    found = mended.out if arguments[0] == "compare" else json.loads(mended.out)["pairs"][0]["kl_pq"]
    assert float(found) == near(ADDED)


@pytest.mark.parametrize("rows", [2, 3000])
@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_batch_adds_up_labels_that_stand_twice_in_an_object(call, refused, tmp_path, rows, suffix):
    records = [f'{{"id": {i}, "p": {TWICE if i == rows - 1 else EVEN}, "q": {EVEN}}}' for i in range(rows)]
    text = "\n".join(records) if suffix == "ndjson" else f"[{','.join(records)}]"
    name = f"t.{suffix}"
    (tmp_path / name).write_text(text)
    place = f":{rows}" if suffix == "ndjson" else f", item {rows}"
    message = refused(4, "batch", name, "-m", "kl_pq", cwd=tmp_path)
    assert f"{name}{place}, column 'p': the label 'a' stands twice; --repeats sum adds them up" in message
    mended = call("batch", name, "-m", "kl_pq", "--repeats", "sum", cwd=tmp_path)
    assert json.loads(mended.out.splitlines()[-1])["kl_pq"] == near(ADDED)
    assert f"labels that stand twice in 1 of {rows} rows were added up" in mended.err


# ------------------------------------------------------------------------------------------------------ what is dropped

LONG = "g,l,p,q\na,x,1,3\na,y,3,1\na,Total,4,4\nb,x,1,1\nb,y,1,1\n"
OBJECTS = (
    '{"g": "a", "p": {"x": 1, "y": 3, "Total": 4}, "q": {"x": 3, "y": 1, "Total": 4}}\n'
    '{"g": "b", "p": {"x": 1, "y": 1}, "q": {"x": 1, "y": 1}}\n'
)
GROUPED = ("--by", "g", "--label", "l", "--p", "p", "--q", "q")
DROPPING = {"groups": (LONG, "csv", GROUPED), "objects": (OBJECTS, "ndjson", ())}


@pytest.mark.parametrize(("many", "mode"), [(1, "fail"), (1, "skip"), (1, "keep"), (3000, "skip")])
@pytest.mark.parametrize("kind", DROPPING)
def test_a_total_is_dropped_from_groups_and_objects_and_an_unknown_name_is_refused(call, tmp_path, kind, many, mode):
    text, suffix, columns = DROPPING[kind]
    header, rows = (text.split("\n", 1)[0] + "\n", text.split("\n", 1)[1]) if suffix == "csv" else ("", text)
    numbered = [rows.replace("a,", f"a{i},").replace('"a"', f'"a{i}"').replace("b,", f"b{i},") for i in range(many)]
    (tmp_path / f"t.{suffix}").write_text(header + "".join(numbered))
    options = (*columns, "-m", "kl_pq", "-f", "csv", "-q", "--on-error", mode)

    left = call("batch", f"t.{suffix}", *options, cwd=tmp_path)
    assert left.code == (4 if mode == "fail" else 5)
    assert "'Total' equals the sum of the others; --drop Total leaves it out, --keep-totals keeps it" in left.err
    if mode != "fail":
        assert f"{many} of {2 * many} " in left.err

    mended = call("batch", f"t.{suffix}", *options, "--drop", "Total", cwd=tmp_path)
    assert mended.code == 0
    found = [float(line.split(",")[1]) for line in mended.out.splitlines()[1:]]
    assert found == near([0.5 * log(3), 0.0] * many)

    wrong = call("batch", f"t.{suffix}", *options, "--drop", "Total,Totals", "-o", "out.csv", cwd=tmp_path)
    assert wrong.code == 2
    assert "--drop 'Totals': no outcome and no distribution is called so; there are Total, x, y" in wrong.err
    assert not (tmp_path / "out.csv").exists()


def test_a_name_to_drop_may_be_one_of_the_reference_alone(call, refused, tmp_path):
    (tmp_path / "r.csv").write_text("l,p\nx,1\ny,3\nTotal,4\n")
    (tmp_path / "long.csv").write_text("g,l,q\na,x,3\na,y,1\n")
    (tmp_path / "wide.csv").write_text("x,y\n3,1\n")
    for args in (("long.csv", "--by", "g", "--label", "l", "--q", "q"), ("wide.csv", "--q", "x,y")):
        command = ("batch", *args, "--reference", "r.csv", "-m", "kl_pq", "-q")
        assert "--drop Total leaves it out" in refused(4, *command, cwd=tmp_path)
        mended = call(*command, "--drop", "Total", cwd=tmp_path)
        assert float(mended.out.split("\n")[1].split(",")[-1]) == near(0.5 * log(3))
        assert "--drop 'none'" in refused(2, *command, "--drop", "Total,none", cwd=tmp_path)


def test_a_raw_value_to_drop_that_no_group_has_is_refused(call, refused, write, tmp_path):
    write("t.csv", "g,v\na,x\na,y\na,z\n")
    command = ("batch", "t.csv", "--by", "g", "--p", "v", "--tally", "-m", "entropy_p", "-q", "--drop")
    assert "Did you mean 'z'?" in refused(2, *command, "zz", cwd=tmp_path)
    assert float(call(*command, "z", cwd=tmp_path).out.split(",")[-1]) == near(log(2))


# --------------------------------------------------------------------------------------------- names that hold a comma

COMMAS = 'l,"a, b",c,d\n"x,1",1,2,3\n"y ""2""",3,3,1\nz,2,2,1\n'


def test_names_that_hold_a_comma_are_written_as_in_csv(call, refused, get, write, tmp_path):
    write("t.csv", COMMAS)
    entropy = ("entropy", "t.csv")

    def offered(message):
        return shlex.split(message.partition("stands in double quotes: ")[2])[0]

    message = refused(3, *entropy, "--select", "a, b,c", cwd=tmp_path)
    assert offered(message) == '"a, b"'
    both = [-(1 / 6 * log(1 / 6) + 0.5 * log(0.5) + 1 / 3 * log(1 / 3)), -(4 / 7 * log(2 / 7) + 3 / 7 * log(3 / 7))]
    assert get("entropy", *entropy, "--select", f"{offered(message)},c", cwd=tmp_path) == near(both)
    assert get("entropy", *entropy, "--select", "a, b", cwd=tmp_path) == near(both[:1])

    message = refused(2, *entropy, "--drop", "x,1", cwd=tmp_path)
    assert offered(message) == '"x,1"'
    for names in ([f'{offered(message)},"y ""2""",d'], [offered(message), '"y ""2"""', "d"], [' "x,1" , y "2" , d ']):
        drop = [part for name in names for part in ("--drop", name)]
        assert get("entropy", *entropy, *drop, cwd=tmp_path) == [0.0, 0.0]

    mended = call("batch", "t.csv", "--p", '"a, b",d', "--q", "c,d", "-m", "kl_pq", "--keep", "", "-q", cwd=tmp_path)
    assert float(mended.out.split("\n")[3]) == 0.0
    assert "no column ''" in refused(3, *entropy, "--select", "c,", cwd=tmp_path)


def test_a_total_whose_name_holds_a_comma_is_dropped_as_the_note_says(call, get, write, tmp_path):
    write("t.csv", 'l,p,q\na,1,2\nb,3,5\nc,2,1\n"people, in all",6,8\n')
    entropy = ("entropy", "t.csv")
    note = call(*entropy, cwd=tmp_path).err
    mend = shlex.split(note.partition("if it is a total add ")[2].split("\n")[0])
    assert mend == ["--drop", '"people, in all"']
    assert get("entropy", *entropy, *mend, cwd=tmp_path)[0] == near(
        -(1 / 6 * log(1 / 6) + 0.5 * log(0.5) + 1 / 3 * log(1 / 3))
    )


# ------------------------------------------------------------------------------------------------ rows of another table


@pytest.mark.parametrize("bad", ["9,x,3", "9,3", '9,"3",,4'])
def test_a_bad_row_of_the_other_table_is_bad_though_it_has_no_partner(call, refused, write, tmp_path, bad):
    write("a.csv", "id,a,b\n1,1,3\n2,3,1\n")
    write("b.csv", f"id,a,b\n1,3,1\n2,3,1\n{bad}\n")
    options = ("--on", "id", "--p", "a,b", "--q", "a,b", "-m", "kl_pq")
    message = refused(3, "batch", "a.csv", "--with", "b.csv", *options, cwd=tmp_path)
    assert message.startswith("b.csv:4: ")
    for mode, lines in (("skip", ["1,", "2,0.0"]), ("keep", ["1,", "2,0.0,"])):
        found = call("batch", "a.csv", "--with", "b.csv", *options, "--on-error", mode, "-q", cwd=tmp_path)
        assert found.code == 5
        assert f"1 row of b.csv without a partner failed too; the first: {message}" in found.err
        assert float(found.out.split("\n")[1].split(",")[1]) == near(0.5 * log(3))
        assert found.out.split("\n")[2] == lines[1]
    write("b.csv", "id,a,b\n1,3,1\n2,3,1\n9,1,3\n")
    assert call("batch", "a.csv", "--with", "b.csv", *options, cwd=tmp_path).code == 0


# ------------------------------------------------------------------------------------ percentages beside other numbers

BESIDE = "holds no percentage here, and others of the row do; write % in all of them or in none"
SIDES = ("--p", "p1,p2", "--q", "q1,q2", "-m", "kl_pq", "-q", "-f", "csv")


def table_with(path, rows):
    """Rows of text in columns p1, p2, q1 and q2, in a file of some format."""
    records = [dict(zip(("p1", "p2", "q1", "q2"), row, strict=True)) for row in rows]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    elif path.suffix == ".ndjson":
        path.write_text("".join(json.dumps(one) + "\n" for one in records))
    else:
        path.write_text("p1,p2,q1,q2\n" + "".join(",".join(row) + "\n" for row in rows))
    return path.name


@pytest.mark.parametrize("n", [0, 25_000])
@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet"])
def test_percentages_of_a_row_do_not_stand_beside_other_numbers(call, tmp_path, suffix, n):
    place = f", row {n + 1}" if suffix == "parquet" else f":{n + 1 + (suffix == 'csv')}"
    name = table_with(tmp_path / f"bad.{suffix}", [*[["25%", "75%", "3", "1"]] * n, ["25%", "0.75", "3", "1"]])
    stopped = call("batch", name, *SIDES, cwd=tmp_path)
    assert (stopped.code, stopped.err[: len("klcli: " + name + place)]) == (3, f"klcli: {name}{place}")
    name = table_with(tmp_path / f"row.{suffix}", [*[["0%", "60", "1", "1"]] * n, *[["50%", "60", "1", "1"]] * 9])
    kept = call("batch", name, *SIDES, "--on-error", "keep", cwd=tmp_path)
    assert kept.code == 5
    assert f"9 of {n + 9} rows failed" in kept.err
    assert kept.err.endswith(f"; the first: {name}{place}, column 'p2' {BESIDE}\n")
    # One side may be percentages, and the other not; what is 0 is a percentage as well.
    for last in ("0%", "0"):
        name = table_with(tmp_path / f"good.{suffix}", [["100%", last, "3", "1"]] * (n or 1))
        found = call("batch", name, *SIDES, cwd=tmp_path)
        assert found.code == 0
        assert float(found.out.splitlines()[-1]) == near(log(4 / 3))


def test_percentages_in_columns_are_distributions_beside_others(call, refused, get, write, tmp_path):
    write("t.csv", "l,n,yes,no\nx,7,25%,75%\ny,9,50%,50%\n")
    message = refused(3, "matrix", "t.csv", "-m", "kl_pq", cwd=tmp_path)
    assert message == f"t.csv:2, column 'n' {BESIDE}"
    assert f"t.csv:2, column 'n' {BESIDE}" in refused(3, "entropy", "t.csv", "--rows", cwd=tmp_path)
    found = call("matrix", "t.csv", "-m", "kl_pq", "--drop", "n", "-f", "json", "--pairs", "-q", cwd=tmp_path)
    assert json.loads(found.out)["pairs"][0]["kl_pq"] == near(0.25 * log(0.5) + 0.75 * log(1.5))
    two_thirds = -(1 / 3 * log(1 / 3) + 2 / 3 * log(2 / 3))
    assert get("entropy", "entropy", "t.csv", "--select", "n,yes", cwd=tmp_path)[1] == near(two_thirds)


@pytest.mark.parametrize(
    "command", [("entropy",), ("batch", "--by", "g", "--p", "p", "--label", "l", "-m", "entropy_p")]
)
def test_percentages_in_a_column_of_records_do_not_stand_beside_other_numbers(refused, write, tmp_path, command):
    write("t.ndjson", '{"g": 1, "l": "a", "p": "50%"}\n{"g": 1, "l": "b", "p": 60}\n')
    message = refused(3, command[0], "t.ndjson", *command[1:], cwd=tmp_path)
    assert message.startswith("t.ndjson:2: '60' in column 'p' is no percentage, and cells above it are")


# -------------------------------------------------------------------------------------- quotes that swallow lines below


SWALLOWING = {
    "never": ({}, "a quote opens in this row and never closes, and makes the {} lines below part of the row"),
    "badly": ({6: 'x"y,1,2'}, "quotes that do not match make the {} lines below part of this row"),
    "later": ({6: '6,1",2'}, "a quote opens here and closes {} lines below, over what seem to be rows"),
}


@pytest.mark.parametrize("n", [8, 60_000])
@pytest.mark.parametrize("kind", SWALLOWING)
def test_lines_that_a_quote_swallows_are_counted(call, write, tmp_path, n, kind):
    closing, says = SWALLOWING[kind]
    lost = 5 if closing else n - 2
    rows = {i: f"{i},{i % 7 + 1},2" for i in range(n)} | {1: '1,"1,2'} | closing
    write("t.csv", "id,a,b\n" + "".join(f"{row}\n" for row in rows.values()))
    command = ("batch", "t.csv", "--p", "a,b", "-m", "entropy_p")
    stopped = call(*command, cwd=tmp_path)
    assert stopped.code == 3
    assert f"t.csv:3: {says.format(lost)}" in stopped.err
    assert stopped.err.rstrip().endswith("if quotes enclose no fields here add --no-quotes")
    skipped = call(*command, "--on-error", "skip", cwd=tmp_path)
    assert skipped.code == 5
    assert (
        f"lines that a quote made part of a row that failed, and which may be rows themselves: {lost}\n" in skipped.err
    )
    assert f"1 of {n - lost} rows failed" in skipped.err
    assert len(skipped.out.splitlines()) == n - lost
    # As plain characters the quotes spoil the rows in which they stand, and no others.
    mended = call(*command, "--on-error", "skip", "--no-quotes", cwd=tmp_path)
    assert len(mended.out.splitlines()) == 1 + n - 1 - (kind == "later")


# ---------------------------------------------------------------------------------------- what does not go with --tally


@pytest.mark.parametrize("bins", [(), ("--bins", "3")])
@pytest.mark.parametrize("command", ["kl", "compare", "rank"])
def test_a_formula_beside_raw_values_names_the_fit_of_its_family(call, refused, write, tmp_path, command, bins):
    values = [1.5, -0.3, 0.2, 0.9, -1.1, 0.4]
    write("t.csv", "x\n" + "".join(f"{value}\n" for value in values))
    message = refused(2, command, "t.csv:x", "normal(0,1)", "--tally", *bins, cwd=tmp_path)
    mend = message.partition("to fit a family to them and get KL(data||model): klcli ")[2]
    assert mend == "fit DATA --family normal"
    found = call(*shlex.split(mend.replace("DATA", "t.csv:x")), "-f", "json", "-q", cwd=tmp_path)
    parameters = json.loads(found.out)["fits"][0]["parameters"]
    assert parameters["mu"] == near(sum(values) / 6)


@pytest.mark.parametrize(
    ("option", "more"),
    [
        ("--previous", ("--p", "p,q", "--previous")),
        ("--with", ("--p", "p,q", "--q", "p,q", "--with", "t.csv", "--on", "g,l")),
        ("--tally", ("--p", "l", "--by", "g", "--tally")),
    ],
)
def test_what_a_cluster_does_not_do_is_done_without_it(call, refused, write, tmp_path, option, more):
    write("t.csv", "g,l,p,q\na,x,1,2\na,y,3,1\n")
    command = ("batch", "t.csv", *more, "-m", "entropy_p", "-o", "out")
    message = refused(2, *command, "--cluster", "local", cwd=tmp_path)
    assert message == f"{option} does not go with --cluster; leave out --cluster"
    assert call(*command, "-q", cwd=tmp_path).code == 0
    assert (tmp_path / "out").read_text().count("\n") > 1


# ----------------------------------------------------------------------------- numbers that are probably something else


@pytest.mark.parametrize(
    ("column", "cells"),
    [("year", (2019, 2020, 2021)), ("customer_id", (7, 7, 9)), ("start date", (20240101, 20240101, 20240102))],
)
def test_years_and_ids_beside_labels_get_a_note_that_leaves_them_out(call, get, write, tmp_path, column, cells):
    write("t.csv", f"city,{column},n\n" + "".join(f"c{i},{cell},{i + 1}\n" for i, cell in enumerate(cells)))
    for command in (("entropy", "t.csv"), ("compare", "t.csv", "-m", "kl_pq"), ("matrix", "t.csv", "-m", "kl_pq")):
        note = f"column '{column}' counts as weights; if it holds keys --select n leaves it out"
        assert note in call(*command, cwd=tmp_path).err
    sixths = -sum(x / 6 * log(x / 6) for x in (1, 2, 3))
    assert get("entropy", "entropy", "t.csv", "--select", "n", cwd=tmp_path) == near([sixths])
    assert "holds keys" not in call("entropy", "t.csv", "--select", f"{column},n", cwd=tmp_path).err
    write("counts.csv", "city,day,n\na,3,4\nb,5,1\n")
    assert "holds keys" not in call("entropy", "counts.csv", cwd=tmp_path).err


@pytest.mark.parametrize(
    ("delimiter", "given"), [(",", ()), (";", ("--delimiter", ";")), (";", ("--decimal", ","))], ids=str
)
def test_marks_that_may_group_digits_get_a_note_whose_options_read_them(call, get, write, tmp_path, delimiter, given):
    mark = "," if "--decimal" in given else "."
    write("t.csv", f"l;a;b\nx;1{mark}200;3\ny;600;1\n".replace(";", delimiter))
    for command in (("entropy", "t.csv"), ("compare", "t.csv", "-m", "kl_pq"), ("matrix", "t.csv", "-m", "kl_pq")):
        note = call(*command, *given, cwd=tmp_path).err
        assert f"column 'a': '1{mark}200' beside '600'; if '{mark}' groups digits add " in note
    mend = note.partition("groups digits add ")[2].split("\n")[0].split()
    both = [*given, *mend] if "--decimal" not in given else ["--delimiter", ";", *mend]
    thirds = -(1 / 3 * log(1 / 3) + 2 / 3 * log(2 / 3))
    assert get("entropy", "entropy", "t.csv:a", *both, cwd=tmp_path) == near([thirds])
    write("decimals.csv", f"l;a\nx;1{mark}25\ny;600\nz;1{mark}200\n".replace(";", delimiter))
    assert "groups digits" not in call("entropy", "decimals.csv", *given, cwd=tmp_path).err

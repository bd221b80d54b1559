"""Raw values as inputs: --tally counts equal ones, --bins numbers in cells; and the hint where they are missed."""

import re
from datetime import date

import pyarrow as pa
import pytest
from pyarrow import parquet

LN = 0.6365141682948129  # the entropy of 2/3, 1/3, by hand: log 3 - 2/3 log 2


def value(result):
    """The only number of a result that went well."""
    assert result.code == 0, result.err
    return float(result.out)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "red\nred\nblue\n"),
        ("a.txt", "\nred \n\nred\nblue"),
        ("a.txt", "New York\nNew York\nRome\n"),
        ("a.csv", "colour\nred\nred\nblue\n"),
        ("a.csv", "colour\n200\n200\n404\n"),
        ("a.tsv", "colour\nred\nred\nblue\n"),
        ("a.json", '["red", "red", "blue"]'),
        ("a.json", "[true, true, false]"),
        ("a.json", '[{"colour": "red"}, {"colour": "red"}, {"colour": "blue"}]'),
        ("a.ndjson", '{"colour": 1}\n{"colour": 1}\n{"colour": 2}\n'),
    ],
)
def test_equal_values_of_a_file_are_counted(call, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert value(call("entropy", "-q", "--tally", name, "-g", "entropy", cwd=tmp_path)) == pytest.approx(LN, rel=1e-14)


@pytest.mark.parametrize("text", ["red,red,blue", "1;1;2", "1 1 2", '["a","a","b"]', "New York, New York, Rome"])
def test_equal_values_of_an_argument_are_counted(call, text):
    assert value(call("entropy", "-q", "--tally", text, "-g", "entropy")) == pytest.approx(LN, rel=1e-14)


def test_standard_input_is_a_value_a_line(call):
    given = "200\n404\n200\n"
    assert value(call("entropy", "-q", "--tally", "-", "-g", "entropy", input=given)) == pytest.approx(LN, rel=1e-14)


def test_the_name_above_numbers_is_no_value(call):
    text = "ms\n7\n9\n7\n"
    result = call("entropy", "--tally", "-g", "elements.outcome", input=text)
    assert result.out.split() == ["7", "9"]
    assert "<stdin>:1: 'ms' is taken as the name of the numbers below it; --no-header counts it too" in result.err
    assert call("entropy", "--tally", "--no-header", "-g", "elements.outcome", input=text).out.split() == [
        "ms",
        "7",
        "9",
    ]
    assert call("entropy", "--tally", "--header", "-q", "-g", "elements.p", input="x\ny\nx\ny\n").out.split()[0] == (
        "0.6666666666666666"
    )


def test_none_is_an_answer(call, tmp_path):
    (tmp_path / "a.csv").write_text("answer\nnone\ncar\nnone\n")
    assert call("entropy", "a.csv", "--tally", "-g", "elements.outcome", cwd=tmp_path).out.split() == ["none", "car"]


def test_one_line_of_numbers_is_split(call):
    assert value(call("entropy", "-q", "--tally", "-", "-g", "entropy", input="1 1 2\n")) == pytest.approx(LN)


def test_what_no_value_looks_like_a_number_is_a_label_all_the_same(call):
    assert value(call("entropy", "-q", "--tally", "-", "-g", "entropy", input="-\n-\nNA\n")) == pytest.approx(LN)


def test_equal_numbers_are_one_value_and_codes_are_not(call):
    assert value(call("kl", "-q", "--tally", "1,1,2", "1.0,1,2.00")) == 0
    assert value(call("entropy", "-q", "--tally", "007,7,7", "-g", "entropy")) == pytest.approx(LN)


def test_a_column_of_each_of_two_files(call, tmp_path):
    (tmp_path / "a.csv").write_text("id,age\n1,34\n2,51\n")
    (tmp_path / "b.csv").write_text("id,age\n8,51\n9,34\n")
    assert value(call("kl", "-q", "--tally", "a.csv:age", "b.csv:age", cwd=tmp_path)) == 0


def test_all_columns_are_samples_in_entropy_rank_and_matrix(call, tmp_path):
    (tmp_path / "t.csv").write_text("x,y,z\n1,1,3\n1,2,3\n2,2,3\n")
    found = call("entropy", "-q", "--tally", "t.csv", "-g", "entropy", cwd=tmp_path)
    assert [float(line) for line in found.out.split()] == pytest.approx([LN, LN, 0])
    found = call("rank", "-q", "--tally", "t.csv", "-m", "total_variation", "-g", "total_variation", cwd=tmp_path)
    assert found.code == 0
    found = call("matrix", "-q", "--tally", "t.csv", "-m", "total_variation", "--pairs", "-f", "csv", cwd=tmp_path)
    rows = {tuple(line.split(",")[:2]): float(line.split(",")[2]) for line in found.out.split()[1:]}
    assert rows == pytest.approx({("x", "y"): 1 / 3, ("x", "z"): 1, ("y", "z"): 1})


def test_matrix_of_several_texts(call, tmp_path):
    for name, text in {"a.txt": "x\ny\n", "b.txt": "y\nx\n", "c.txt": "x\nx\n"}.items():
        (tmp_path / name).write_text(text)
    files = ("a.txt", "b.txt", "c.txt")
    found = call("matrix", "-q", "--tally", *files, "-m", "total_variation", "--pairs", "-f", "csv", cwd=tmp_path)
    assert found.out.split()[1:] == ["a.txt,b.txt,0.0", "a.txt,c.txt,0.5", "b.txt,c.txt,0.5"]


# ---------------------------------------------------------------------------------------------------------------- bins


def test_cells_are_open_below_and_closed_above(call):
    found = call(
        "compare", "-q", "--bins", "0,1,2", "-1,0,0.5,1,2,3", "1,1", "-g", "elements.p", "-g", "elements.outcome"
    )
    lines = found.out.split("\n")[:-1]
    assert [float(line) for line in lines[:4]] == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])
    assert lines[4:] == ["(-inf, 0]", "(0, 1]", "(1, 2]", "(2, inf)"]


def test_equal_cells_span_all_inputs_pooled(call):
    found = call("compare", "-q", "--bins", "2", "0,1,4", "5,6,10", "-g", "elements.outcome", "-g", "elements.q")
    assert found.out.split("\n")[:-1] == ["[0, 5]", "(5, 10]", repr(1 / 3), repr(2 / 3)]


def test_rank_shares_its_cells_among_all(call):
    args = ("--bins", "2", "0,1", "1,2", "9,10", "-m", "total_variation", "-g", "total_variation")
    assert call("rank", "-q", "--sort", "total_variation", *args).out == "0.0\n1.0\n"


def test_bins_need_numbers_and_name_the_place(refused, tmp_path):
    text = "1\n\n2\nold\n"
    for header in ("", "ms\n"):
        options = ["--header"] if header else []
        line = text.count("\n") + bool(header)
        assert f"<stdin>:{line}: 'old' is not" in refused(3, "entropy", "--bins", "0,9", *options, input=header + text)
    (tmp_path / "t.csv").write_text("x\n1\nold\n3\n")
    assert "t.csv:3, column 'x': 'old' is not a number" in refused(
        3, "kl", "--bins", "2", "t.csv:x", "1,2", cwd=tmp_path
    )
    assert "P, item 2: nan is not finite" in refused(4, "kl", "--bins", "2", "1,nan", "1,2")
    assert "Q, item 1: inf is not finite" in refused(4, "kl", "--bins", "2", "1,2", "inf,2")


@pytest.mark.parametrize("bins", ["0", "2,1", "1,1", "x", "1,inf", "-3"])
def test_bins_that_are_none_are_a_usage_error(refused, bins):
    assert "--bins" in refused(2, "kl", f"--bins={bins}", "1,2", "1,2")


def test_one_value_has_no_cells_and_the_mend_works(call, refused):
    assert "leave out --bins and add --tally" in refused(4, "kl", "--bins", "3", "5,5", "5")
    assert value(call("kl", "-q", "--tally", "5,5", "5")) == 0


# --------------------------------------------------------------------------------------------------------------- blanks


def test_a_blank_cell_is_an_error_and_its_mend_works(call, refused, tmp_path):
    (tmp_path / "t.csv").write_text("x,y\nred,1\n,2\nred,3\nblue,4\n")
    message = refused(3, "entropy", "--tally", "t.csv:x", cwd=tmp_path)
    assert "t.csv:3, column 'x': '' is no value to count; --blank skip leaves it out" in message
    found = call("entropy", "--tally", "t.csv:x", "--blank", "skip", "-g", "entropy", cwd=tmp_path)
    assert value(found) == pytest.approx(LN)
    assert "blank values left out: 1" in found.err


def test_counts_are_no_raw_values_and_the_mend_works(call, refused):
    assert "leave out --tally" in refused(3, "entropy", "--tally", "a=2,b=1")
    assert value(call("entropy", "-q", "a=2,b=1", "-g", "entropy")) == pytest.approx(LN)


def test_what_is_neither_a_list_nor_a_file(refused):
    assert "'nope' is neither numbers nor a file that exists" in refused(3, "entropy", "--tally", "nope")
    assert "a formula, and --tally counts raw values" in refused(2, "kl", "--tally", "1,2", "normal(0,1)")


# ------------------------------------------------------------------------------------------------------ batch, by group


TABLE = "month,weather,t\n1,sun,3.5\n1,rain,1\n1,rain,2\n2,sun,9\n2,sun,9.5\n"


def test_batch_counts_the_column_within_each_group(call, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    found = call("batch", "-q", "t.csv", "--by", "month", "--tally", "--p", "weather", "-m", "entropy_p", cwd=tmp_path)
    assert re.fullmatch(r"month,entropy_p\n1,0\.6365141682948\d*\n2,0\.0\n", found.out)


@pytest.mark.parametrize("source", ["t.csv", "-"])
def test_batch_pools_all_groups_for_equal_cells(call, tmp_path, source):
    (tmp_path / "t.csv").write_text(TABLE)
    args = ("--by", "month", "--bins", "2", "--p", "t", "-m", "entropy_p")
    found = call("batch", "-q", source, *args, cwd=tmp_path, input=TABLE)
    assert found.out == "month,entropy_p\n1,0.0\n2,0.0\n"  # all below, and all above, 5.25


def test_batch_counts_p_and_q(call):
    text = "g,p,q\na,x,y\na,y,x\nb,x,x\nb,x,y\n"
    args = ("--by", "g", "--tally", "--p", "p", "--q", "q", "-m", "total_variation", "-f", "csv")
    assert call("batch", "-q", "-", *args, input=text).out == "g,total_variation\na,0.0\nb,0.5\n"


def test_batch_reads_records_as_it_reads_rows(call, tmp_path):
    (tmp_path / "t.ndjson").write_text('{"g":1,"v":"x"}\n{"g":1,"v":"y"}\n{"g":2,"v":"x"}\n')
    found = call("batch", "-q", "t.ndjson", "--by", "g", "--tally", "--p", "v", "-m", "perplexity_p", cwd=tmp_path)
    assert [line.rpartition(": ")[2] for line in found.out.split("\n")[:-1]] == ["2.0}", "1.0}"]


def test_batch_names_a_value_that_is_none(call, refused, tmp_path):
    (tmp_path / "t.csv").write_text("g,v\na,1\na,\nb,2\nb,x\n")
    args = ("batch", "t.csv", "--by", "g", "--p", "v", "-m", "entropy_p")
    assert "t.csv:3, column 'v': '' is no value to count; --blank skip" in refused(3, *args, "--tally", cwd=tmp_path)
    assert call(*args, "--tally", "--blank", "skip", cwd=tmp_path).code == 0
    message = refused(3, *args, "--bins", "1,2", "--blank", "skip", cwd=tmp_path)
    assert message.startswith("t.csv:5")
    assert "'x' is not a number" in message
    found = call(*args, "--bins", "1,2", "--blank", "skip", "--on-error", "keep", cwd=tmp_path)
    assert found.code == 5
    assert found.out.startswith("g,entropy_p,error\na,0.0,\nb,,")


def test_values_of_any_type_are_counted(call, refused, tmp_path):
    days = pa.array([date(2020, 1, 1), None, date(2020, 1, 2), date(2020, 1, 1)])
    parquet.write_table(pa.table({"day": days}), tmp_path / "t.parquet")
    args = ("entropy", "-q", "--tally", "t.parquet", "-g", "entropy")
    assert "row 2, column 'day': '' is no value to count" in refused(3, *args, cwd=tmp_path)
    assert value(call(*args, "--blank", "skip", cwd=tmp_path)) == pytest.approx(LN)


def test_batch_tally_needs_groups_and_the_mend_works(call, refused):
    text = "g,v\na,1\na,2\n"
    assert "add --by COLUMN" in refused(2, "batch", "-", "--tally", "--p", "v", "-m", "entropy_p", input=text)
    assert call("batch", "-", "--tally", "--p", "v", "-m", "entropy_p", "--by", "g", input=text).code == 0


def test_smoothing_of_a_group_does_not_depend_on_others(call):
    one = "g,v\na,x\na,y\na,y\n"
    args = ("--by", "g", "--tally", "--p", "v", "-m", "entropy_p", "--smooth", "add=1", "-q")
    alone = call("batch", "-", *args, input=one).out.split("\n")[1]
    assert call("batch", "-", *args, input=f"{one}b,z\n").out.split("\n")[1] == alone


# ------------------------------------------------------------------------------------------------------------- the hint


def test_a_sample_against_a_formula_gets_the_hint_and_the_mends_work(call, refused, tmp_path):
    (tmp_path / "x.csv").write_text("x\n1.5\n2.25\n0.75\n3.1\n2.2\n")
    message = refused(4, "kl", "x.csv", "normal(0,1)", cwd=tmp_path)
    assert "--tally --bins" in message
    assert "klcli fit" in message
    assert call("fit", "x.csv", cwd=tmp_path).code == 0


def test_two_samples_of_unequal_length_get_the_hint_and_the_mend_works(call, refused):
    samples = ("1.5,2.5,3.7", "1.2,3.4,5.6,3.0")
    message = refused(4, "kl", *samples)
    assert "P has 3 values, Q has 4" in message
    assert "--tally --bins 10" in message
    assert "klcli fit" in message
    assert call("kl", *samples, "--tally", "--bins", "10").code == 0


def test_two_samples_of_one_length_get_a_note(call):
    one, other = ",".join(f"{x}.{x}7" for x in range(1, 10)), ",".join(f"{x}.{x}3" for x in range(2, 11))
    assert "--tally --bins 10" in call("kl", one, other).err


@pytest.mark.parametrize(
    ("p", "q"),
    [
        ("0.4,0.6", "0.3,0.7"),
        ("4,6,9,1,2,3,5,7", "1,2,3,4,5,6,7,8"),
        (".1,.1,.1,.1,.1,.1,.1,.3", ".2,.1,.1,.1,.1,.1,.1,.2"),
        ("10.5,9.5,20.25,9.75,10,20,15,5", "10.5,9.5,20.25,9.75,10,20,15,5"),
        ("0.05,0.15,0.1,0.2,0.08,0.12,0.25,0.05", "0.06,0.14,0.1,0.2,0.07,0.13,0.24,0.06"),
    ],
)
def test_weights_get_no_hint(call, p, q):
    assert "--tally" not in call("kl", p, q).err

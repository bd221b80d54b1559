"""Tables and vectors as other programs print them: between bars, by R, by pandas."""

import json

import pytest

KL = pytest.approx(0.02258242108435737, rel=1e-14)
"""KL of 4, 6 to 3, 7."""

BETWEEN_BARS = {
    "Markdown": "| k | a | b |\n|---|--:|:-:|\n| x\\|y | 4 | 3 |\n| y | 6 | 7 |\n",
    "short": "|k|a|b|\n|-|-|-|\n|x|4|3|\n|y|6|7|\n",
    "psql": " k | a | b \n---+---+---\n   | 4 | 3\n y | 6 | 7\n(2 rows)\n\n",
    "psql without a name": "   | a | b \n---+---+---\n x | 4 | 3\n y | 6 | 7\n",
    "mysql": "+---+---+\n| a | b |\n+---+---+\n| 4 | 3 |\n| 6 | 7 |\n+---+---+\n2 rows in set (0.00 sec)\n",
    "sqlite3": "┌───┬───┬───┐\n│ k │ a │ b │\n├───┼───┼───┤\n│ x │ 4 │ 3 │\n│ y │ 6 │ 7 │\n└───┴───┴───┘\n",
    "grid": "+---+---+---+\n| k | a | b |\n+===+===+===+\n| x | 4 | 3 |\n+---+---+---+\n| y | 6 | 7 |\n+---+---+---+\n",
}


@pytest.mark.parametrize("text", BETWEEN_BARS.values(), ids=BETWEEN_BARS.keys())
def test_a_table_between_bars_is_read_as_the_error_says(refused, kl, get, call, write, text):
    for name, by in (("t.csv", ()), ("t.csv", ("--delimiter", "|")), ("t.txt", ())):
        assert refused(3, "kl", write(name, text), *by).endswith("a table between bars; add --input-format markdown")
    refused(3, "batch", write("t.csv", text), "--p", "a", "--q", "b")
    assert kl(write("t.md", text), "-q") == KL
    assert get("kl_pq", "rank", "-:a", "-:b", "--input-format", "markdown", input=text) == [KL]
    scored = call(
        "batch", "--p", "a,b", "--q", "b,a", "-m", "total_variation", "--input-format", "markdown", input=text
    )
    assert [float(row.rpartition(",")[2]) for row in scored.out.split()[1:]] == pytest.approx([1 / 7, 1 / 13])


def test_what_klcli_writes_as_markdown_is_read(call, get, write):
    labelled = call("compare", "_x|=4,*y*=6", "_x|=3,*y*=7", "-f", "markdown", "-q", "-m", "kl_pq").out
    table = labelled[labelled.index("| outcome") :]
    assert get("kl_pq", "compare", f"{write('t.md', table)}:p", "_x|=3,*y*=7") == [KL]


BETWEEN_BLANKS = {
    "SQL Server": "kind  aa  bb\n----- --- ---\nx       4   3\ny       6   7\n\n(2 rows affected)\n",
    "reStructuredText": "====  ===  ===\nkind  a    b\n====  ===  ===\nx     4    3\ny     6    7\n====  ===  ===\n",
}


@pytest.mark.parametrize("text", BETWEEN_BLANKS.values(), ids=BETWEEN_BLANKS.keys())
def test_a_table_between_blanks_is_read_as_the_error_says(refused, kl, write, text):
    for name in ("t.csv", "t.txt"):
        message = refused(3, "kl", write(name, text))
        assert message.endswith("a table between blanks; add --input-format csv --delimiter space")
    assert kl("-", "--input-format", "csv", "--delimiter", "space", "-q", input=text) == KL


AROUND = {
    "Markdown": f"# Results\n\nOf **May**:\n\n{BETWEEN_BARS['Markdown']}\nMore, and more.\n",
    "without bars at the end": "Of May\n| k | a | b |\n|---|---|---|\n| x | 4 | 3\n| y | 6 | 7\n",
    "Polars": f"shape: (2, 3)\n{BETWEEN_BARS['sqlite3'].replace('│', '┆')}",
}


@pytest.mark.parametrize("text", AROUND.values(), ids=AROUND.keys())
def test_text_around_a_table_between_bars_is_no_row(kl, text):
    assert kl("-", "--input-format", "markdown", "-q", input=text) == KL


PRINTED = {
    "Series": "x    4\ny    6\ndtype: int64\n",
    "Series with an index of numbers": "0    4\n1    6\nName: n, dtype: int64\n",
    "value_counts": "kind\na b    4\ny      6\nName: count, dtype: int64\n",
    "time series": "2024-01-31    4\n2024-02-29    6\nFreq: ME, Length: 2, dtype: int64\n",
    "MATLAB": "\np =\n\n    4.0000    6.0000\n\n",
    "Octave": "ans =\n\n   4\n   6\n\n",
    "TOML": "x = 4\ny = 6\n",
    "percentages": "40 % 60 %\n",
}


@pytest.mark.parametrize("text", PRINTED.values(), ids=PRINTED.keys())
def test_what_other_programs_print(kl, text):
    assert kl("-", "3,7", "-q", input=text) == KL


def test_labels_before_colons_are_without_them(kl):
    assert kl("-", "y=7,x z=3", "-q", input="x z: 4\ny: 6\n") == KL


OF_R = {
    "a vector": "[1] 4 6\n",
    "a long vector": " [1] 4\n [2] 6\n",
    "with names": "  x   y \n  4   6 \n",
    "in parts": "  x \n  4 \n  y \n  6 \n",
    "table": "\n  1   2 \n  4   6 \n",
    "table of a variable": "kind\n  1   2 \n  4   6 \n",
}


@pytest.mark.parametrize("text", OF_R.values(), ids=OF_R.keys())
def test_what_r_prints(kl, get, write, text):
    assert kl("-", "3,7", "-q", input=text) == KL
    assert kl(write("t.txt", text), "3,7", "-q") == KL
    assert get("perplexity", "entropy", "-", input=text) == [pytest.approx(1.9601317042077895)]


def test_a_vector_of_r_is_an_argument_and_raw_values(kl, get, refused):
    assert kl("[1] 4 6", "[1] 3 7", "-q") == KL
    assert get("perplexity", "entropy", "--tally", "-", input='[1] "a b" "c"\n[3] "c"   "a b"\n') == [2.0]
    assert "item 2: 'NA' is not a number; --blank zero" in refused(3, "entropy", input="[1] 0.4 NA\n")


@pytest.mark.parametrize("text", ["  1   2 \n  4   6 \n", "p\n4 6\n3 7\n", "\n1 2\n4 6\n", "x   y\n4 6\n"])
def test_what_may_be_two_distributions_is_no_vector_with_names(refused, text):
    refused(3, "entropy", input=text)


def test_a_wrong_number_under_a_name_is_shown_with_its_line(refused):
    text = "  x   y \n0.4 0.6 \n   z \n-0.1 \n"
    assert refused(4, "entropy", input=text).startswith("<stdin>:4: -0.1 is negative")


PANDAS = {
    "table": {
        "schema": {"fields": [{"name": "label", "type": "string"}], "primaryKey": ["label"]},
        "data": [{"label": "x", "a": 4, "b": 3}, {"label": "y", "a": 6, "b": 7}],
    },
    "list": {"label": ["x", "y"], "a": [4, 6], "b": [3, 7]},
    "columns": {"label": {"0": "x", "1": "y"}, "a": {"0": 4, "1": 6}, "b": {"0": 3, "1": 7}},
    "split": {"columns": ["a", "b"], "index": ["x", "y"], "data": [[4, 3], [6, 7]]},
}


@pytest.mark.parametrize("value", PANDAS.values(), ids=PANDAS.keys())
def test_json_of_pandas_in_every_command_that_reads_tables(kl, get, call, write, value):
    path = write("t.json", json.dumps(value))
    assert kl(path, "-q") == KL
    assert get("kl_pq", "rank", f"{path}:a", "y=7,x=3") == [KL]
    assert call("batch", path, "--by", "label", "--p", "a", "--q", "b", "-m", "kl_pq", "-q").out.count("0.0") == 2
    assert len(get("kl_pq", "matrix", path, "--columns", "--pairs", "-m", "kl_pq")) == 2
    assert json.loads(call("fit", f"{path}:a", "-f", "json", "-q").out)["fits"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"id": [1, 2], "a": [4, 6], "b": [3, 7]}', "column 'id' (whole numbers, all different) is taken as labels"),
        (
            '{"columns": ["k", "a", "b"], "index": [0, 1], "data": [["x", 4, 3], ["y", 6, 7]]}',
            "column 'index' is a key by its name and left out",
        ),
    ],
)
def test_keys_among_columns_in_json_are_no_weights(call, write, text, said):
    result = call("kl", write("t.json", text))
    assert float(result.out) == KL
    assert said in result.err


def test_a_key_that_is_the_only_column_of_numbers_is_said_to_count(call, write):
    path = write("t.csv", 'id,probs\n4,"[0.4, 0.6]"\n6,"[0.3, 0.7]"\n')
    assert "column 'id' is a key by its name, and counts as weights" in call("kl", path, "3,7").err
    assert "lists stand in NDJSON and Parquet" in call("batch", path, "--p", "probs", "-m", "entropy_p").err


def test_ends_of_cells_are_no_weights(call, write):
    path = write("t.csv", "bin_start,bin_end,a,b\n0,10,4,3\n10,20,6,7\n20,30,0,0\n")
    result = call("kl", path)
    assert float(result.out) == KL
    assert "column 'bin_end' holds the ends of the cells that begin in 'bin_start' and is left out" in result.err


def test_a_header_that_comes_back_is_left_out_with_a_note_in_every_command(call, write):
    for args in (("kl",), ("batch", "--p", "a", "--q", "b", "-m", "kl_pq"), ("entropy",), ("matrix", "-m", "kl_pq")):
        result = call(args[0], write("t.csv", "k,a,b\nx,4,3\nk,a,b\ny,6,7\n"), *args[1:])
        assert result.code == 0
        assert "the header line came back 1 times, as where files were joined; left out" in result.err

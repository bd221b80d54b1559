"""`klcli matrix`: what is compared, what is written, and what is refused."""

import csv
import gzip
import io
import json
from itertools import combinations, permutations

import pytest

from klcli.engine.measures import MEASURES

TABLE = "city,car,bus,walk\nA,4,2,3\nB,1,1,6\nC,5,2,3\nD,2,7,1\n"
ROWS = {"A": [4, 2, 3], "B": [1, 1, 6], "C": [5, 2, 3], "D": [2, 7, 1]}
OUTCOMES = ["car", "bus", "walk"]
COLUMNS = {name: [row[i] for row in ROWS.values()] for i, name in enumerate(OUTCOMES)}


def near(value):
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def numbers(weights):
    return ",".join(map(str, weights))


def square(text, delimiter=","):
    """The header, and name -> name -> value."""
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return header[0], {row[0]: dict(zip(header[1:], map(float, row[1:]), strict=True)) for row in rows}


@pytest.fixture
def table(write):
    return write("t.csv", TABLE)


@pytest.fixture
def matrix(call):
    """matrix(*args): the square as name -> name -> value; the run must succeed."""

    def matrix(*args, **how):
        result = call("matrix", *args, "-q", "-f", "csv", **how)
        assert (result.code, result.err) == (0, ""), result
        return square(result.out)[1]

    return matrix


# -------------------------------------------------------------------------------------------------- as `compare` has it


@pytest.mark.parametrize("measure", MEASURES)
def test_every_pair_is_what_compare_says_of_it(matrix, get, table, measure):
    found = matrix(table, "-m", measure)
    for p, q in permutations(ROWS, 2):
        assert [found[p][q]] == near(get(measure, "compare", numbers(ROWS[p]), numbers(ROWS[q])))
    assert [found["A"]["A"]] == near(get(measure, "compare", numbers(ROWS["A"]), numbers(ROWS["A"])))


@pytest.mark.parametrize(
    "options",
    [
        ["--base", "3"],
        ["-m", "js_distance", "--unit", "hartleys"],
        ["--as", "logits", "--temperature", "2.5"],
        ["--as", "logprobs"],
        ["--no-normalize", "--as", "logprobs", "-m", "jeffreys"],
        ["-m", "renyi_pq", "--alpha", "0.7"],
        *(["--smooth", smooth] for smooth in ("perks", "floor=0.2", "shrink")),
        ["--smooth", "add=0.5", "--no-normalize"],
    ],
    ids=" ".join,
)
def test_options_that_change_numbers_mean_what_they_mean_in_compare(matrix, get, table, options):
    measure = options[options.index("-m") + 1] if "-m" in options else "kl_pq"
    rest = [option for option in options if option not in {"-m", measure}]
    found = matrix(table, *options)
    for p, q in permutations(ROWS, 2):
        assert [found[p][q]] == near(get(measure, "compare", numbers(ROWS[p]), numbers(ROWS[q]), *rest))


def test_infinite_divergences_are_infinite_and_explained(call, write):
    path = write("t.csv", "n,x,y\na,1,1\nb,0,1\nc,0,3\n")
    result = call("matrix", path, "-f", "csv")
    assert square(result.out)[1]["a"] == {"a": 0.0, "b": float("inf"), "c": float("inf")}
    assert square(result.out)[1]["b"]["c"] == 0
    why = "infinite: 2 of 6 pairs; the first: 'a' holds 0.5 of its mass where 'b' has none ('x'); --smooth METHOD"
    assert why in result.err
    assert "infinite" not in call("matrix", path, "-f", "csv", "--smooth", "add=1").err
    assert "'a' holds 0.5" in call("matrix", path, "-m", "kl_qp").err
    assert "'b' holds 0.5" in call("matrix", '{"a": [0, 1], "b": [1, 1]}', "-m", "jeffreys").err
    assert "infinite" not in call("matrix", path, "-m", "js_divergence").err


# --------------------------------------------------------------------------------------------------------- what is read

NDJSON = "".join(
    json.dumps({"city": name, **dict(zip(OUTCOMES, row, strict=True))}) + "\n" for name, row in ROWS.items()
)
LABELLED = {name: dict(zip(OUTCOMES, row, strict=True)) for name, row in ROWS.items()}
TEXTS = {
    "t.csv": TABLE,
    "t.tsv": TABLE.replace(",", "\t"),
    "t.csv.gz": gzip.compress(TABLE.encode()),
    "t.txt": TABLE,
    "t.ndjson": NDJSON,
    "records.json": json.dumps([json.loads(line) for line in NDJSON.splitlines()]),
    "members.json": json.dumps(ROWS),
    "labelled.json": json.dumps(LABELLED),
    "lists.ndjson": "".join(json.dumps({"city": name, "p": row}) + "\n" for name, row in ROWS.items()),
    "objects.ndjson": "".join(json.dumps({"city": name, "p": row}) + "\n" for name, row in LABELLED.items()),
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_kind_of_text_is_read_alike(matrix, table, write, name):
    assert matrix(write(name, TEXTS[name])) == matrix(table)


def test_standard_input_and_json_as_an_argument_are_read(matrix, table):
    expected = matrix(table)
    assert matrix("-", input=TABLE) == expected
    assert matrix("-", "--input-format", "tsv", input=TABLE.replace(",", "\t")) == expected
    assert matrix("-", input=json.dumps(ROWS)) == expected
    assert matrix("-#/deep/er", input=json.dumps({"deep": {"er": ROWS}})) == expected
    assert matrix(json.dumps(LABELLED)) == expected


@pytest.fixture
def all_large(monkeypatch):
    """all_large(): from now on every table is read as a large one is."""
    return lambda: monkeypatch.setattr("klcli.readers.tables.delimited.SMALL", 3)


def test_large_tables_are_read_as_small_ones(matrix, table, write, all_large):
    quoted = write("q.csv", TABLE.replace("A,", '"A ""1"", x",'))
    expected, expected_quoted = matrix(table), matrix(quoted)
    turned = matrix(table, "--columns")
    all_large()
    assert matrix(table) == expected
    assert matrix(table, "--columns") == turned
    assert matrix(quoted) == expected_quoted
    assert 'A "1", x' in expected_quoted


def test_a_table_of_many_columns_is_read_in_no_more_than_a_few_passes(matrix, write, all_large):
    # A time that grows with the square of the columns would take many seconds here.
    header = ",".join(f"x{i}" for i in range(5_000))
    rows = "".join(
        f"{name},{','.join(map(str, range(start, start + 5_000)))}\n" for name, start in (("a", 1), ("b", 9))
    )
    path = write("wide.csv", f"n,{header}\n{rows}")
    expected = matrix(path)
    all_large()
    assert matrix(path) == expected


def test_labels_name_the_distributions_else_their_positions_do(call, write):
    path = write("t.csv", "id,x,y\n007,1,2\n1.0,2,2\n")
    assert square(call("matrix", path, "-f", "csv", "--label", "id").out)[0] == "id"
    assert list(square(call("matrix", path, "-f", "csv", "--label", "id").out)[1]) == ["007", "1.0"]
    assert list(square(call("matrix", path, "-f", "csv").out)[1]) == ["007", "1.0"]
    assert list(square(call("matrix", path, "-f", "csv", "--label", "none").out)[1]) == ["1", "2"]
    assert call("matrix", path, "-f", "csv", "--label", "none").out.startswith("name,1,2\n")
    assert call("matrix", '{"a": [1, 2], "b": [2, 1]}', "-f", "csv").out.startswith("name,a,b\n")
    assert call("matrix", "[[1, 2], [2, 1], [1, 1]]", "-f", "csv").out.startswith("name,1,2,3\n")


@pytest.mark.parametrize(
    ("selector", "outcomes"),
    [
        ("car,walk", ["car", "walk"]),
        ("car:bus", ["car", "bus"]),
        ("2-3", ["car", "bus"]),
        ("*a*", ["car", "walk"]),
        ("/^[cb]/", ["car", "bus"]),
    ],
)
def test_select_restricts_the_columns(matrix, get, table, selector, outcomes):
    found = matrix(table, "--label", "city", "--select", selector)
    weights = {name: [row[OUTCOMES.index(o)] for o in outcomes] for name, row in ROWS.items()}
    assert [found["A"]["D"]] == near(get("kl_pq", "compare", numbers(weights["A"]), numbers(weights["D"])))
    assert list(matrix(table, "--columns", "--label", "city", "--select", selector)) == outcomes


def test_members_of_json_are_rows_whose_columns_are_their_outcomes(matrix, get, table):
    expected = near(get("kl_pq", "compare", "4,3", "2,1")[0])
    assert matrix(json.dumps(LABELLED), "--select", "car,walk")["A"]["D"] == expected
    assert matrix(json.dumps(ROWS), "--select", "1,3")["A"]["D"] == expected
    assert matrix(json.dumps(LABELLED), "--columns") == matrix(table, "--columns")
    turned = matrix(json.dumps(ROWS), "--columns")
    assert list(turned) == ["1", "2", "3"]
    assert turned["1"]["2"] == matrix(table, "--columns")["car"]["bus"]


def test_labels_that_some_lack_have_no_mass_there(call, get):
    given = {"a": {"x": 1, "y": 3}, "b": {"y": 2, "z": 1, "x": 1}, "c": {"z": 1, "x": 1, "y": 5}}
    result = call("matrix", json.dumps(given), "-f", "csv")
    _, found = square(result.out)
    for p, q in permutations(given, 2):
        sides = [",".join(f"{label}={weight}" for label, weight in given[side].items()) for side in (p, q)]
        assert [found[p][q]] == near(get("kl_pq", "compare", *sides))
    assert "1 of 3 distributions lacked outcomes of others ('a': 'z'); weight 0 there" in result.err
    reordered = call("matrix", '{"a": {"x": 1, "y": 3}, "b": {"y": 2, "x": 1}}', "-f", "csv")
    assert "stand in different orders; joined by label" in reordered.err


# ------------------------------------------------------------------------------------------------------ what is written


def test_numbers_read_back_as_the_same_doubles_in_every_format(call, table, tmp_path):
    from pyarrow import parquet

    expected = square(call("matrix", table, "-f", "csv").out)[1]
    shape = json.loads(call("matrix", table, "-f", "json").out)
    assert dict(zip(shape["labels"], ([*row] for row in shape["matrix"]), strict=True)) == {
        name: list(row.values()) for name, row in expected.items()
    }
    call("matrix", table, "-o", tmp_path / "o.parquet")
    read = parquet.read_table(tmp_path / "o.parquet")
    assert read.column_names == ["city", *ROWS]
    assert read.column("city").to_pylist() == list(ROWS)
    assert {q: read.column(q).to_pylist() for q in ROWS} == {q: [expected[p][q] for p in ROWS] for q in ROWS}
    call("matrix", table, "--pairs", "-o", tmp_path / "o.parquet")
    pairs = [tuple(row.values()) for row in parquet.read_table(tmp_path / "o.parquet").to_pylist()]
    assert pairs == listed(call("matrix", table, "--pairs", "-f", "csv").out)
    records = [json.loads(line) for line in call("matrix", table, "-f", "ndjson").out.splitlines()]
    assert {(r["p"], r["q"]): r["kl_pq"] for r in records} == {(p, q): expected[p][q] for p, q in permutations(ROWS, 2)}


def test_json_has_its_documented_shape(call, table):
    result = call("matrix", table, "-f", "json", "--unit", "bits", "-m", "js_distance", "--smooth", "laplace")
    shape = json.loads(result.out)
    assert list(shape) == ["measure", "unit", "labels", "matrix", "settings", "notes"]
    assert (shape["measure"], shape["unit"], shape["labels"]) == ("js_distance", "√bits", list(ROWS))
    assert shape["settings"] == {
        "unit": "bits",
        "as": "weights",
        "smooth": "laplace",
        "temperature": 1.0,
        "normalize": True,
        "strict": False,
        "alpha": 2.0,
    }
    assert shape["notes"]
    assert all(f"klcli: note: {note}\n" in result.err for note in shape["notes"])
    assert json.loads(call("matrix", table, "-f", "json", "-m", "hellinger").out)["unit"] is None


@pytest.mark.parametrize("options", [[], ["--pairs"], ["--no-normalize"]], ids=["square", "pairs", "as they are"])
def test_infinities_are_strings_in_json_and_inf_elsewhere(call, options):
    given = '{"a": [1, 0], "b": [0, 4], "c": [3, 4]}'

    def fail(name):
        pytest.fail(f"{name} is no JSON")

    shape = json.loads(call("matrix", given, "-f", "json", *options).out, parse_constant=fail)
    assert "Infinity" in (shape["matrix"][0] if "matrix" in shape else shape["pairs"][-1].values())
    for line in call("matrix", given, "-f", "ndjson", *options).out.splitlines():
        json.loads(line, parse_constant=fail)
    assert "inf" in call("matrix", given, "-f", "csv", *options).out
    assert "Infinity" not in call("matrix", given, "-f", "csv", *options).out


def test_markdown_is_a_table_and_the_notes(call):
    out = call("matrix", '{"a|b": [1, 2], "*c*": [3, 4]}', "-f", "markdown").out
    header, align, first, second, empty, note, end = out.split("\n")
    assert header == "| name | a\\|b | \\*c\\* |"
    assert align == "| --- | --: | --: |"
    assert first.startswith("| a\\|b | 0 | ")
    assert second.startswith("| \\*c\\* | ")
    assert (empty, end) == ("", "")
    assert note.startswith("- 2 of 2 distributions did not sum to 1 ('a\\|b': 3)")


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (["--softmax"], "softmax of 3 logits each"),
        (["--softmax", "--temperature", "2"], "softmax of 3 logits each at temperature 2"),
        (["--as", "logprobs"], "did not sum to 1 ('A': logsumexp 4.407605964); each divided by its sum"),
        (["--no-normalize"], "('A': 9), and were not normalised; the results need not be divergences"),
        (["--smooth", "add=0.5"], "add=0.5 applied to all 4 distributions"),
    ],
    ids=str,
)
def test_all_that_is_done_is_said(call, table, options, note):
    assert note in call("matrix", table, *options).err


# ---------------------------------------------------------------------------------------------------------------- pairs


def listed(text):
    return [(row["p"], row["q"], float(row["kl_pq"])) for row in csv.DictReader(io.StringIO(text))]


def test_pairs_are_listed_nearest_first(call, matrix, table):
    found = matrix(table)
    expected = sorted(((p, q, found[p][q]) for p, q in permutations(ROWS, 2)), key=lambda pair: pair[2])
    for options in (["--pairs"], ["--top", "0"], ["--pairs", "--top", "0"], ["--top", "99"]):
        assert listed(call("matrix", table, "-f", "csv", *options).out) == expected
    assert listed(call("matrix", table, "-f", "csv", "--top", 3).out) == expected[:3]
    assert listed(call("matrix", table, "-f", "csv", "--farthest", 3).out) == expected[:-4:-1]
    both = listed(call("matrix", table, "-f", "csv", "--top", 2, "--farthest", 1).out)
    assert both == [*expected[:2], expected[-1]]
    every = listed(call("matrix", table, "-f", "csv", "--top", 11, "--farthest", 11).out)
    assert every == expected


def test_symmetric_pairs_are_listed_once(call, table):
    out = call("matrix", table, "-f", "ndjson", "-m", "js_divergence", "--pairs").out
    pairs = [(r["p"], r["q"]) for r in map(json.loads, out.splitlines())]
    assert sorted(pairs) == list(combinations(ROWS, 2))
    assert len(call("matrix", table, "-f", "ndjson", "-m", "js_divergence").out.splitlines()) == 6


def test_equal_pairs_are_listed_as_they_are_given(call):
    given = '{"d": [1, 3], "a": [2, 6], "c": [1, 1], "b": [3, 9]}'
    out = call("matrix", given, "--pairs", "-f", "csv", "-q", "-m", "js_divergence").out
    pairs = [tuple(row[:2]) for row in csv.reader(io.StringIO(out))][1:]
    assert pairs[:3] == [("d", "a"), ("d", "b"), ("a", "b")]
    top = call("matrix", given, "--top", 2, "-f", "csv", "-q", "-m", "js_divergence").out
    assert top == "".join(out.splitlines(keepends=True)[:3])


def test_bare_values_of_the_pairs_are_a_line_each(call, table):
    assert call("matrix", table, "-q", "--top", 1, "-g", "p").out == "A\n"
    assert call("matrix", table, "-q", "--top", 2, "-g", "p,q").out == "A\nC\nC\nA\n"
    farthest = call("matrix", table, "-q", "--farthest", 1, "-g", "kl_pq").out
    assert float(farthest) == max(map(float, call("matrix", table, "-q", "-g", "kl_pq").out.split()))


# ---------------------------------------------------------------------------------------------------------------- gates


def test_gate_on_the_measure_shown_names_the_farthest_pair(call, table):
    result = call("matrix", table, "-q", "--fail-above", "kl_pq=0.5")
    assert result.code == 1
    assert result.out == call("matrix", table, "-q").out
    worst = float(call("matrix", table, "-q", "--farthest", 1, "-g", "kl_pq").out)
    assert result.err == f"klcli: 'B' to 'D': kl_pq is {worst!r}, above 0.5, as in 6 more of 12 pairs\n"
    assert call("matrix", table, "-q", "--fail-above", f"kl_pq={worst!r}").code == 0


def test_gate_on_another_measure_is_computed_for_it(call, table):
    result = call("matrix", table, "-q", "--fail-above", "hellinger=0.1", "--fail-above", "kl_pq=9")
    assert result.code == 1
    assert "hellinger is 0." in result.err
    assert "kl_pq" not in result.err


def test_infinite_is_above_every_gate_and_the_diagonal_above_none(call):
    assert call("matrix", '{"a": [1, 0], "b": [1, 1]}', "-q", "--fail-above", "kl_pq=1e308").code == 1
    same = '{"a": [1, 2], "b": [2, 4]}'
    assert call("matrix", same, "-q", "--fail-above", "kl_pq=0").code == 0
    assert call("matrix", same, "-q", "--fail-above", "cross_entropy_pq=0.1").code == 1


# ------------------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("n,x,y\na,1,2\nb,1,z\n", 3, "t.csv:3: 'z' in column 'y' is not a number"),
        ("n,x,y\na,1,2\n\nb,1,\n", 3, "t.csv:4: '' in column 'y' is not a number"),
        ("n,m\na,b\nc,d\n", 3, "t.csv: no column of numbers; it has n, m"),
        ("n,x,y\na,1,2\n", 3, "t.csv: 1 row, and a pair needs two; with --columns its columns are the distributions"),
        (
            "n,x,y\na,1,2\na,2,2\n",
            4,
            "t.csv:3: 'a' stands twice in column 'n' (first: t.csv:2); --repeats sum adds them up",
        ),
        ("n,x,y\na,1,2\nb,2,-1\n", 4, "t.csv:3, column 'y': -1.0 is negative"),
        ("n,x,y\na,1,2\nb,0,0\n", 4, "t.csv:3 ('b'): all 2 weights are zero"),
        ("x,y\n1,2\n0,0\n", 4, "t.csv:3: all 2 weights are zero"),
    ],
)
def test_bad_rows_are_refused_by_file_and_line(refused, write, all_large, text, code, message):
    path = write("t.csv", text)
    assert message in refused(code, "matrix", path.name, cwd=path.parent)
    all_large()
    assert message in refused(code, "matrix", path.name, cwd=path.parent)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('{"a": [1, 2]}', 3, "t.json: 1 row, and a pair needs two"),
        ("[1, 2]", 3, "t.json: one distribution, and a pair needs two"),
        ('{"a": [1, 2], "b": [1]}', 4, "t.json: 'a' has 2 values, 'b' 1; without labels they must match"),
        ('{"a": [1, 2], "b": {"x": 1}}', 4, "t.json: 'b' has labels, 'a' has none"),
        ('{"a": [1, 2], "b": [1, -2]}', 4, "t.json#/b, item 2: -2.0 is negative"),
        ("[[], []]", 4, "t.json, '1' has no values; a distribution has at least one outcome"),
        ('{"a": [1, 2], "a": [0, 1], "b": [1, 1]}', 4, "the label 'a' stands twice"),
        ("[[1, 2], [3, null]]", 3, "t.json, item 2, item 2: null is not a number"),
        (
            '[{"n": "a", "x": 1}, {"n": "b", "x": null}]',
            3,
            "t.json, item 2, 'x': nothing stands where a number should; --blank zero ",
        ),
        ('[{"n": "a", "x": 1}, {"n": "a", "x": 2}]', 4, "t.json, item 2: 'a' stands twice in column 'n'"),
        ("[1, {}]", 3, "t.json, item 1: 1 is no distribution"),
        ('{"a": [true], "b": [true]}', 3, "t.json: no rows, and a pair needs two"),
        ('{"a": [1, 2], "b": [0, 0]}', 4, "t.json, 'b': all 2 weights are zero"),
        ('[{"n": "a", "x": 1}, {"x": 2}]', 3, "t.json, item 2: the label is missing"),
    ],
)
def test_bad_json_is_refused_by_place(refused, write, text, code, message):
    path = write("t.json", text)
    assert message in refused(code, "matrix", path.name, cwd=path.parent)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.ndjson", '{"n": "a", "p": [1, 2]}\n\n{"n": "b", "p": [1, "x"]}\n', "t.ndjson:3, 'p', item 2: 'x' is"),
        ("t.ndjson", '{"n": "a", "x": 1}\n{"n": "b", "x": true}\n', "t.ndjson:2, 'x': true is not a number"),
        ("t.ndjson", '{"n": "a", "p": [1], "q": [2]}\n{"n": "b", "p": [1], "q": [3]}\n', "here are p, q; add --select"),
        ("t.csv", "n,x\na,1\n", "t.csv: 1 row, and a pair needs two"),
        ("-", "0.4,0.6\n0.3,0.7\n", "for a table add --input-format csv"),
        ("-", "1\n2\n", "<stdin>: one distribution, and a pair needs two"),
    ],
)
def test_bad_records_and_what_is_no_table_are_refused(refused, write, tmp_path, name, text, message):
    if name != "-":
        write(name, text)
    assert message in refused(3, "matrix", name, input=text, cwd=tmp_path)


def test_bad_columns_are_refused_by_file_and_line(refused, write):
    path = write("t.csv", "n,x,y\na,1,0\nb,1,0\n")
    assert "t.csv, column 'y': all 2 weights are zero" in refused(4, "matrix", path, "--columns")
    path = write("t.csv", "n,x,y\na,1,2\nb,-2,2\n")
    assert "t.csv:3, column 'x': -2.0 is negative" in refused(4, "matrix", path, "--columns")


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--alpha", "-1"], 2, "--alpha '-1': the order must be at least 0"),
        (["-m", "klx"], 2, "--measure 'klx': it is one of entropy_p, "),
        (["-m", "kl_pq,js_distance"], 2, "--measure kl_pq,js_distance: a square is of one measure"),
        (["-m", "kl_pq", "-m", "hellinger"], 2, "a square is of one measure; run matrix once for each"),
        (["-m", "all"], 2, "a square is of one measure"),
        (["-m", "js_divergenc"], 2, "Did you mean 'js_divergence'?"),
        (["--measures", "kl_pq"], 2, "no option '--measures'. Did you mean '--measure'?"),
        (["--top", "-3"], 2, "--top -3: it must be at least 0; for the farthest there is --farthest 3"),
        (["--farthest", "0"], 2, "--farthest 0: it must be at least 1"),
        (["-g", "kl_qp"], 2, "--get 'kl_qp': it is one of p, q, kl_pq"),
        (["--fail-above", "klx=1"], 2, "Did you mean 'kl_pq'?"),
        (["--select", "cra"], 3, "no column 'cra'; it has city, car, bus, walk. Did you mean 'car'?"),
        (["--select", "city", "--label", "city"], 3, "--select city is just its labels"),
        (["--strict"], 4, "t.csv:2 ('A') sums to 9 and --strict was given"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(refused, table, args, code, message):
    assert message in refused(code, "matrix", "t.csv", *args, cwd=table.parent)


@pytest.mark.parametrize(
    ("file", "code", "message"),
    [
        ("t.csv:car", 2, "here a file is a whole table; for some of its columns add --select car"),
        ("t.csv#/car", 3, "points into JSON, and this is not JSON"),
        ("nope.csv", 3, "nope.csv: no such file"),
        ("0.4,0.6", 3, "0.4,0.6: one distribution, and a pair needs two"),
        ("a=1,b=2", 3, "a=1,b=2: one distribution"),
        (".", 3, "this is a directory"),
        ('{"a": [1, 2]}', 3, "FILE: 1 row, and a pair needs two"),
    ],
)
def test_what_is_no_table_is_refused(refused, table, file, code, message):
    assert message in refused(code, "matrix", file, cwd=table.parent)


# ---------------------------------------------------------------------------------------------------------- the process


def test_what_is_wrong_is_said_where_skipping_it_leaves_no_pair(refused, write):
    path = write("t.csv", "name,x,y\na,1,oops\nb,2,3\n")
    said = refused(4, "matrix", path, "--on-error", "skip")
    assert said.startswith("1 of 2 is a distribution, and a pair needs two; the first that is none: ")
    assert said.endswith("t.csv:2: 'oops' in column 'y' is not a number")


def test_distribution_kept_without_values_is_neither_near_nor_far(call, write):
    path = write("m.csv", "n,a,b\nx,1,2\ny,0,0\nz,3,4\nw,5,1\n")
    out = call("matrix", path, "--on-error", "keep", "-f", "table", "-q").out
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()[2:6]}
    assert rows["y"] == ["·", "·", "·", "·"]
    assert [rows[name].count("·") for name in ("x", "z", "w")] == [1, 1, 1]
    assert " █ to 0.619\n" in out


def test_group_is_shaded_by_those_of_its_distributions_that_have_values(call, write):
    rows = [f"n{i},{i % 7 + 1},{i % 5 + 1}" for i in range(92)]
    path = write("m.csv", "\n".join(["n,a,b", "bad,0,0", *rows]) + "\n")
    out = call("matrix", path, "--on-error", "keep", "-f", "table", "-q", env={"COLUMNS": "80"}).out
    assert "93 distributions in " in out
    assert "·" not in out[: out.index("93 distributions")]

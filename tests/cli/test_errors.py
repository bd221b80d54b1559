"""Bad input: its exit code, and one line on stderr that says where, what, and how to mend it."""

import pytest

Q = "0.3,0.7"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("0.1,0.2,x", 3, "P, item 3: 'x' is not a number"),
        ("0x10,1", 3, "P, item 1: '0x10' is not a number"),
        ("1,\u0661", 3, "P, item 2: '\u0661' is not a number"),
        ("1,5%%", 3, "P, item 2: '5%%' is not a number"),
        ("1,1/0", 3, "P, item 2: '1/0' divides by zero"),
        ("1,,2", 3, "P, item 2: "),
        ("a=1,b", 3, "P, item 2: 'b' is no LABEL=NUMBER pair"),
        ("a=1,b=", 3, "P, item 2: "),
        ("", 3, "P is empty"),
        ("0.5,nan", 4, "P, item 2: NaN is no weight"),
        ("0.5,inf", 4, "P, item 2: inf is no weight"),
        ("1e999,1", 3, "P, item 1: '1e999' is beyond 1.8e308"),
        ("0.5,-0.5", 4, "P, item 2: -0.5 is negative"),
        ("0,0,0", 4, "P: all 3 weights are zero"),
        ("0.1,0.2,0.3,0.4", 4, "P has 4 values, Q has 2"),
        ("a=1,b=2,a=3", 4, "P, item 3: the label 'a' stands twice"),
        ("[0.5,NaN]", 4, "P, item 2: NaN is no weight"),
        ("[]", 4, "P has no values"),
        ("{}", 4, "P has no values"),
        ("[1,null]", 3, "P, item 2: null is not a number"),
        ("[1,[2]]", 3, "P, item 2: a JSON list is not a number"),
        ('{"a":1,"b":"x"}', 3, "P, 'b': 'x' is not a number"),
        ('{"a":1,"b":2,"a":3}', 4, "P: the label 'a' stands twice"),
        ("[1,2", 3, "P:1: malformed JSON at column 5"),
        ("[1 2,3]", 3, "P:1: malformed JSON at column 4"),
        ('{"a":1,,}', 3, "P:1: malformed JSON at column 8"),
        ("[1,\n2,\nx]", 3, "P:3: malformed JSON at column 1"),
    ],
)
def test_bad_argument_is_refused_by_place(refused, text, code, message):
    got = refused(code, "kl", text, Q)
    assert got.startswith(message)


@pytest.mark.parametrize("text", ["0.5,x", "0.5,-1", "0,0", "[1", "a=1,a=2"])
@pytest.mark.parametrize(
    ("args", "role"),
    [(["kl", Q], "Q"), (["compare", Q], "Q"), (["rank", Q], "Q"), (["rank", Q, Q], "Q2"), (["entropy"], "P")],
)
def test_bad_argument_is_named_by_its_role_in_every_command(refused, args, role, text):
    code = 3 if text in {"0.5,x", "[1"} else 4
    assert refused(code, *args, text).startswith(role)


def test_missing_second_distribution_is_a_usage_error(refused):
    assert "Q is missing" in refused(2, "kl", Q)
    assert "Q is missing" in refused(2, "compare", Q)


def test_missing_file_comes_with_the_nearest_name(refused, write, tmp_path):
    write("survey.csv", "p,q\n1,2\n")
    for text in ("surveys.csv", "@surveys.csv", "surveys.csv:p", "@survey"):
        assert refused(3, "kl", text, Q, cwd=tmp_path).endswith("Did you mean 'survey.csv'?")


def test_directory_is_no_file(refused, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.csv").mkdir()
    for text in ("folder", "folder/", "folder.csv", "@folder.csv", "folder.csv:p", "."):
        assert "is a directory" in refused(3, "kl", text, Q, cwd=tmp_path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.json", b"", "a.json is empty"),
        ("a.csv", b"p,q\n", "a.csv: a header and no rows"),
        ("a.csv", b"\x00\x01\x02\xff" * 99, "a.csv: this is a binary file"),
        ("a.csv", b"w,p,q\na,1,2\n\xe9,1,2\n", "a.csv:3: byte 0xe9 is not UTF-8"),
        ("a.json", b'{"\xe9": 1}', "a.json:1: byte 0xe9 is not UTF-8"),
        ("a.csv", b"w,p,q\na,1,2\nb,1\n", "a.csv:3: 2 fields, the header has 3"),
        ("a.csv", b'w,p,q\n"a\nb",1,2\nc,x,2\n', "a.csv:4: 'x' in column 'p' is not a number"),
        ("a.csv", b'w,p,q\n"a,1,2\n', "a.csv:2: "),
        ("a.csv", b"w,p,q\na,1,2\nb,,2\n", "a.csv:3: "),
        ("a.csv", b"w,p,p\na,1,2\n", "a.csv:1: the header has 'p' twice"),
        ("a.csv", b"w,p,q\na,1,2\nb,-1,2\n", "a.csv:3, column 'p': -1.0 is negative"),
        ("a.csv", b"w,a,b,c\na,1,2,3\n", "a.csv: 3 "),
        ("a.csv", b"w,a\na,1\n", "a.csv: 1 "),
        ("a.ndjson", b'{"p":1,"q":2}\n[1]\n', "a.ndjson:2: "),
        (
            "a.ndjson",
            b'{"p":1,"q":2}\n\n{"p":1}\n',
            "a.ndjson:3, 'q': nothing stands where a number should; --blank zero ",
        ),
        ("a.json", b"0.4,0.6", "a.json:1: malformed JSON"),
    ],
)
def test_bad_file_is_refused_by_name_and_line(refused, write, tmp_path, name, data, message):
    write(name, data)
    assert refused(4 if "negative" in message else 3, "kl", name, cwd=tmp_path).startswith(message)


def test_label_that_stands_twice_in_a_table_is_refused_with_both_lines(refused, write, tmp_path):
    write("a.csv", "w,p,q\na,1,2\nb,1,2\na,1,2\n")
    message = refused(4, "kl", "a.csv", cwd=tmp_path)
    assert message.startswith("a.csv:4: the label 'a' stands twice (first: a.csv:2)")


def test_duplicate_headers_do_not_matter_where_they_are_not_asked_for(kl, write, tmp_path):
    write("a.csv", "w,p,q,x,x\na,1,1,5,5\nb,1,1,5,5\n")
    assert kl("a.csv", cwd=tmp_path) == 0


def test_missing_column_of_a_wide_table_comes_with_the_nearest(refused, write, tmp_path):
    write("w.csv", ",".join(f"column{i}" for i in range(30)) + "\n" + ",".join("1" * 30) + "\n")
    message = refused(3, "kl", "w.csv:colum29", Q, cwd=tmp_path)
    assert "and 22 more" in message
    assert message.endswith("Did you mean 'column29'?")
    assert "'colunm3'" in refused(3, "compare", "w.csv", "--label", "colunm3", cwd=tmp_path)


@pytest.mark.parametrize(
    ("pointer", "message"),
    [
        ("#/prob", "a.json: no key 'prob'; it has probs, list. Did you mean 'probs'?"),
        ("#/probs/x", "a.json#/probs: no key 'x'; it has a, b."),
        ("#/list/2", "a.json#/list: no item '2'; it is a list of 2, counted from 0"),
        ("#/list/-1", "a.json#/list: no item '-1'"),
        ("#/list/01", "a.json#/list: no item '01'"),
        ("#/list/\u0661", "a.json#/list: no item '\u0661'"),
        ("#/list/99999999999999999999999", "a.json#/list: no item '9"),
        ("#/probs/a/b", "a.json#/probs/a: 1 has nothing inside for 'b'"),
        ("#/probs/a", "a.json#/probs/a: 1 is no distribution"),
        ("#probs", "a.json: the JSON pointer '#probs' must start with #/"),
        (":prob", "a.json: no key 'prob'"),
    ],
)
def test_json_pointer_to_nowhere_says_how_far_it_led(refused, write, tmp_path, pointer, message):
    write("a.json", '{"probs": {"a": 1, "b": 2}, "list": [1, 2]}')
    assert refused(3, "kl", f"a.json{pointer}", Q, cwd=tmp_path).startswith(message)


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000])
def test_deeply_nested_json_is_refused_in_one_line(refused, write, tmp_path, text):
    write("deep.json", text)
    assert "nested too deeply" in refused(3, "kl", "deep.json", Q, cwd=tmp_path)
    assert "nested too deeply" in refused(3, "kl", "-", Q, input=text)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "a.ndjson", "-"])
def test_line_of_ten_megabytes_of_garbage_is_refused_in_a_short_line(refused, write, tmp_path, name):
    garbage = "x" * 10_000_000
    if name != "-":
        write(name, garbage)
    assert len(refused(3, "kl", name, Q, cwd=tmp_path, input=garbage)) < 300


@pytest.mark.parametrize("garbage", ["1,2,", "a=", "1,", '["'])
def test_long_argument_is_clipped_in_the_complaint(refused, garbage):
    assert len(refused(3, "kl", garbage + "y" * 100_000, Q)) < 300


@pytest.mark.parametrize(("text", "code"), [("D,1", 3), ("[D,1]", 3), ("D/D,1", 3), ("Dx,1", 3), ("a=Dx", 3)])
def test_megabyte_of_digits_is_refused_in_a_short_line_and_does_not_hang(run, text, code):
    result = run("kl", "-", "1,9", input=text.replace("D", "1" * 1_000_000), timeout=20)
    assert result.code == code
    assert result.err.startswith("klcli: <stdin>")
    assert len(result.err) < 300


@pytest.mark.parametrize(
    "label", ["new\nline", "tab\t", "\x1b[31mred", "\x1b]0;title\x07", "\u202eright", "\u2028line", "\x85", "\x00"]
)
def test_control_characters_in_a_complaint_are_escaped(refused, label):
    import json

    text = json.dumps({label: 1, "b": "x\x1b[0m"})
    assert "\x1b" not in refused(3, "kl", text, Q)
    message = refused(4, "kl", json.dumps({label: -1, "b": 1}), Q)
    assert label not in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("args", "bad", "meant"),
    [
        (["komp", "1", "1"], "komp", "compare"),
        (["rnk"], "rnk", "rank"),
        (["kl", "1,2", "1,2", "--unt", "bits"], "--unt", "--unit"),
        (["compare", "1,2", "1,2", "--measure", "kl_pq"], "--measure", "--measures"),
        (["--versoin"], "--versoin", "--version"),
        (["kl", "1,2", "1,2", "--as", "logit"], "logit", "logits"),
        (["kl", "1,2", "1,2", "--align", "iner"], "iner", "inner"),
        (["kl", "1,2", "1,2", "--smooth", "laplac"], "laplac", "laplace"),
        (["kl", "1,2", "1,2", "--q-smooth", "ad=1"], "ad", "add"),
        (["kl", "1,2", "1,2", "--fail-above", "kl_pqq=1"], "kl_pqq", "kl_pq"),
        (["compare", "1,2", "1,2", "-m", "kl_pq,helinger"], "helinger", "hellinger"),
        (["compare", "1,2", "1,2", "-m", "KL_PQ"], "KL_PQ", "kl_pq"),
        (["compare", "1,2", "1,2", "-g", "kl_pqq"], "kl_pqq", "kl_pq"),
        (["compare", "1,2", "1,2", "-g", "element.kl_pq"], "element.kl_pq", "elements.kl_pq"),
        (["compare", "1,2", "1,2", "--sort", "outcom"], "outcom", "outcome"),
        (["entropy", "1,2", "-g", "entrop"], "entrop", "entropy"),
        (["entropy", "1,2", "--fail-above", "perplex=1"], "perplex", "perplexity"),
        (["rank", "1,2", "1,2", "--sort", "js_dist"], "js_dist", "js_distance"),
        (["compare", "1,2", "1,2", "--no-breakdwn"], "--no-breakdwn", "--no-breakdown"),
        (["loss", "ce", "1,2", "0"], "ce", "cross-entropy"),
        (["loss", "binary_cross_entropy", "1,2", "0"], "binary_cross_entropy", "bce"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(refused, args, bad, meant):
    message = refused(2, *args)
    assert f"'{bad}'" in message
    assert f"Did you mean '{meant}'?" in message


@pytest.mark.parametrize(
    "args",
    [
        ["kl"],
        ["kl", "1,2", "1,2", "1,2"],
        ["kl", "1,2", "1,2", "--unit"],
        ["kl", "1,2", "1,2", "--zzz"],
        ["kl", "1,2", "1,2", "-Z"],
        ["zzz"],
        ["kl", "1,2", "1,2", "--smooth", "add"],
        ["kl", "1,2", "1,2", "--smooth", "add=x"],
        ["kl", "1,2", "1,2", "--smooth", "add=-1"],
        ["kl", "1,2", "1,2", "--smooth", "add=nan"],
        ["kl", "1,2", "1,2", "--smooth", "mix=1.1"],
        ["kl", "1,2", "1,2", "--smooth", "laplace=1"],
        ["kl", "1,2", "1,2", "--smooth", "zzz"],
        ["kl", "1,2", "1,2", "--base", "1"],
        ["kl", "1,2", "1,2", "--base", "-2"],
        ["kl", "1,2", "1,2", "--base", "x"],
        ["kl", "1,2", "1,2", "--base", "2", "--unit", "bits"],
        ["kl", "1,2", "1,2", "--temperature", "2"],
        ["kl", "1,2", "1,2", "--softmax", "--temperature", "0"],
        ["kl", "1,2", "1,2", "--softmax", "--temperature", "nan"],
        ["kl", "1,2", "1,2", "--softmax", "--as", "logprobs"],
        ["kl", "1,2", "1,2", "--fail-above", "kl_pq"],
        ["kl", "1,2", "1,2", "--fail-above", "kl_pq=x"],
        ["compare", "1,2", "1,2", "--alpha", "-1"],
        ["compare", "1,2", "1,2", "--digits", "0"],
        ["compare", "1,2", "1,2", "--top", "-1"],
        ["compare", "1,2", "1,2", "-m", ""],
        ["compare", "1,2", "1,2", "-o", "result.xyz"],
        ["compare", "1,2", "1,2", "-o", ""],
    ],
)
def test_misuse_is_refused_with_code_two_before_anything_is_read(refused, args, tmp_path):
    refused(2, *args, cwd=tmp_path)
    assert not list(tmp_path.iterdir())


def test_usage_is_checked_before_standard_input_is_read(refused):
    assert "--unit" in refused(2, "kl", "-", Q, "--unit", "bit", input="garbage")

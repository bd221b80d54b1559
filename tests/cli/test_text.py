"""Text files and standard input, as people and the shell's tools write them."""

import pytest

SEVEN_TWO = 0.5297061990576545
"""The entropy of 7 and 2."""

PAIR = 0.022582421084357415
"""KL of 0.4, 0.6 from 0.3, 0.7."""

UNIQ = ("--input-format", "uniq")


def entropy_of(call, text, *args):
    result = call("entropy", "-q", "-g", "entropy", *args, input=text)
    assert result.code == 0, result
    return [float(line) for line in result.out.split()]


def outcomes(call, text, *args):
    result = call("entropy", "-q", "-g", "elements.outcome", *args, input=text)
    assert result.code == 0, result
    return result.out.splitlines()


COUNTED = {
    "uniq -c": "      7 cat\n      2 dog\n",
    "uniq -c of BSD": "   7 cat\n   2 dog\n",
    "uniq -c, a count too long": "12345678 cat\n      1 dog\n",
    "trimmed": "7 cat\n2 dog\n",
    "du": "7\tcat\n2\tdog\n",
    "label first": "cat 7\ndog 2\n",
    "label first, aligned": "cat   7\ndog  12\n",
    "label first, a tab": "cat\t7\ndog\t2\n",
    "comments and empty lines": "# made by x\ncat 7\n\n  # more\ndog 2\n",
    "Windows": "cat 7\r\ndog 2\r\n",
}


@pytest.mark.parametrize("text", COUNTED.values(), ids=COUNTED.keys())
def test_labels_and_counts_in_any_order(call, text):
    assert outcomes(call, text) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["      7 cat\n      2 dog\n", "7 cat\n2 dog\n", "cat 7\ndog 2\n", "cat\t7\ndog\t2"])
def test_the_counts_are_the_weights(call, text):
    assert entropy_of(call, text) == [pytest.approx(SEVEN_TWO, rel=1e-14)]


def test_a_label_may_be_of_several_words(call):
    assert outcomes(call, "new york 7\nlos angeles 2\n") == ["new york", "los angeles"]
    assert outcomes(call, "      7 new york\n      2 los angeles\n") == ["new york", "los angeles"]
    assert outcomes(call, "      7 GET /a?b=1\n      2 GET /\n") == ["GET /a?b=1", "GET /"]
    assert outcomes(call, "GET /a?b=1 7\nGET / 2\n") == ["GET /a?b=1", "GET /"]
    assert outcomes(call, "      7 80 443\n      2 80 22\n") == ["80 443", "80 22"]
    assert outcomes(call, "      7 \n      2 cat\n") == ["", "cat"]


def test_counts_of_two_files_are_joined_by_label(call, write):
    a, b = write("a.txt", "      7 200\n      2 404\n"), write("b.txt", "      2 404\n      7 200\n")
    assert float(call("kl", "-q", a, b).out) == 0


def test_one_line_is_numbers_unless_it_starts_with_a_blank(call):
    assert entropy_of(call, "0.4 0.6\n") == [pytest.approx(0.6730116670092565)]
    assert entropy_of(call, "4510 200\n")[0] > 0
    assert outcomes(call, "   4510 200\n") == ["200"]
    assert entropy_of(call, "   0.4 0.6\n") == [pytest.approx(0.6730116670092565)]


def test_numbers_are_one_a_line(call):
    assert entropy_of(call, "# x\n7\n\n2\n") == [pytest.approx(SEVEN_TWO)]


def test_two_numbers_a_line_may_be_either_and_are_refused(refused, call):
    text = "7 200\n2 404\n"
    complaint = refused(3, "entropy", input=text)
    assert complaint.startswith("<stdin>:1: '7 200' may be a count and its label, or two weights")
    assert "--input-format uniq" in complaint
    assert "--input-format csv --delimiter space --no-header" in complaint
    assert entropy_of(call, text, *UNIQ) == [pytest.approx(SEVEN_TWO)]
    assert outcomes(call, text, *UNIQ) == ["200", "404"]


def test_columns_of_numbers_are_refused(refused):
    assert "--delimiter space --no-header" in refused(3, "entropy", input="0.4 0.3\n0.6 0.7\n")
    assert "--delimiter space --no-header" in refused(3, "entropy", input="    1    2    3\n   10   20   30\n")
    assert "--delimiter space --no-header" in refused(3, "entropy", input="cat 4 3\ndog 6 7\n")
    assert "--input-format tsv --no-header" in refused(3, "entropy", input="7\t200\n2\t404\n")
    assert "--input-format csv --no-header" in refused(3, "entropy", input="7,200\n2,404\n")


def test_lines_of_numbers_without_a_header_are_a_table(kl):
    lines = "0.4,0.6\n0.5,0.5\n"
    for how in (["--no-header"], ["--input-format", "csv", "--no-header"]):
        assert kl("-", *how, "--rows", input=lines) == pytest.approx(0.02013551355068886, rel=1e-13)
        assert kl("-:1", "-:2", *how, input=lines) == pytest.approx(kl("4,5", "6,5"), rel=1e-13)
    assert kl("-", "1,1", "--no-header", input="a=1\nb=3\n") == kl("1,3", "1,1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("200\n4510 200\n", "<stdin>:2: '4510 200' is 2 numbers, line 1 one number; every line must be alike"),
        ("4510 200\n200\n", "<stdin>:2: '200' is one number, line 1 2 numbers; every line must be alike"),
        ("cat 4\n7 dog\n", "<stdin>:2: '7 dog' is not LABEL COUNT, as line 1 is; every line must be alike"),
        ("cat 4\ndog x\n", "<stdin>:2: 'dog x' is not LABEL COUNT, as line 1 is; every line must be alike"),
        ("7 cat\nx dog\n", "<stdin>:2: 'x dog' is not COUNT LABEL, as line 1 is; every line must be alike"),
    ],
)
def test_a_line_unlike_the_others_is_named(refused, text, said):
    assert refused(3, "entropy", input=text) == said


def test_only_a_line_feed_ends_a_line(get):
    text = "7 a\x0cb\n1 a\u2028b\r\n"
    assert get("elements.outcome", "entropy", "-", input="1\n  # none\n1\n") == [1, 2]
    for options in ((), UNIQ):
        assert get("perplexity", "entropy", *options, "-", input=text) == get("perplexity", "entropy", "7,1")


def test_uniq_names_the_line_that_is_none(refused, call):
    assert refused(3, "entropy", *UNIQ, input="7 a\nx b\n") == ("<stdin>:2: 'x b' is no COUNT LABEL, as uniq -c has it")
    assert outcomes(call, "   7 a b\n2\tc\n", *UNIQ) == ["a b", "c"]


def test_a_label_that_stands_twice_is_refused(refused):
    assert "the label 'cat' stands twice" in refused(4, "entropy", input="cat 7\ncat 2\n")


def test_a_bad_count_is_named_by_its_line(refused):
    assert refused(4, "entropy", input="cat 7\ndog -2\n").startswith("<stdin>:2: -2.0 is negative")


@pytest.mark.parametrize("form", ["tsv", "csv"])
def test_what_klcli_prints_comes_back_through_a_pipe(call, form):
    out = call("compare", "-q", "a=0.4,b=0.6", "a=0.3,b=0.7", "-f", form, "--breakdown").out
    assert float(call("kl", "-q", "-:p", "-:q", input=out).out) == PAIR
    assert float(call("kl", "-q", "-", input=out).out) == PAIR
    several = call("entropy", "-q", "0.4,0.6", "0.3,0.7", "-f", form).out
    assert call("kl", "-q", "-:entropy", "uniform", input=several).code == 0


def test_standard_input_is_read_where_no_input_is_named(call):
    assert entropy_of(call, "7 cat\n2 dog\n") == [pytest.approx(SEVEN_TWO)]
    table = "id,p1,p2,q1,q2\na,4,6,3,7\n"
    done = call("batch", "-q", "--p", "p*", "--q", "q*", "-m", "kl_pq", "--keep", "id", input=table)
    assert done.out.startswith("id,kl_pq\na,0.0225824210843")
    done = call("matrix", "-q", "-m", "kl_pq", "--pairs", "-f", "tsv", input="k,a,b\nx,4,6\ny,3,7\n")
    assert "x\ty\t0.0225824210843" in done.out
    done = call("fit", "-q", "--family", "exponential", "-g", "family", input="1\n2\n4\n")
    assert done.out == "exponential\n"


def test_a_missing_q_is_never_read_from_standard_input(refused):
    assert refused(2, "kl", "0.4,0.6", input="0.3 0.7\n").startswith("Q is missing")


def test_a_file_of_text_is_what_standard_input_is(call, write):
    path = write("a.txt", "cat 7\ndog 2\n")
    assert entropy_of(call, "", path) == [pytest.approx(SEVEN_TWO)]
    assert call("entropy", "-q", path.name, "-g", "name", cwd=path.parent).out == "a.txt\n"


def test_a_comma_that_may_group_digits_is_refused(refused):
    assert "--thousands ," in refused(3, "entropy", input="1,200\n300\n500\n")
    assert "--thousands ," in refused(3, "entropy", input="1,200\n1,500\n")


def test_lines_taken_for_comments_are_counted_in_a_note(call):
    for text in ("# cats\n5\n#6\n7\n", "# cats\na 5\n#b 6\nc 7\n"):
        result = call("entropy", "-", "-g", "elements.p", input=text)
        assert len(result.out.split()) == 2
        assert "lines that begin with # are left out: 2" in result.err


def test_numbers_as_labels_of_counts_need_no_note(call):
    assert call("entropy", input="   1 200\n   3 404\n").err == "klcli: note: P sums to 4; divided by its sum\n"


@pytest.mark.parametrize("text", ["50%,60", "50% 60", "50,60%", "a=50%,b=60", "50%\n60\n"])
def test_percentages_beside_other_numbers_are_refused(refused, text):
    assert "write % in all of them or in none" in refused(3, "kl", "-", "1,2", input=text)


@pytest.mark.parametrize("text", ["# by x\n1\n2\n# half\n2\n3\n", "# by x\n#\nms\n1\n2\n2\n3\n", "# by x\n1 2 2 3\n"])
@pytest.mark.parametrize("name", ["-", "t.txt"])
def test_comments_beside_raw_numbers_are_no_values(call, write, text, name):
    cwd = write("t.txt", text).parent
    for option, entropy in ((("--tally",), 1.0397207708399179), (("--bins", "0,1.5,4"), 0.5623351446188083)):
        result = call("entropy", name, *option, "-g", "entropy", input=text, cwd=cwd)
        assert (result.code, float(result.out)) == (0, pytest.approx(entropy, rel=1e-12))
        assert f"lines that begin with # are left out: {text.count('#')}" in result.err


def test_comments_beside_raw_words_may_be_values(call):
    result = call("entropy", "--tally", input="# by x\ncat\n#1\ncat\n")
    assert "lines that begin with # are counted as values: 2; --comment '#' leaves them out" in result.err
    assert outcomes(call, "# by x\ncat\n#1\ncat\n", "--tally", "--comment", "#") == ["cat"]
    assert call("entropy", "--tally", input="#a\n#b\n#a\n").err == "klcli: note: P sums to 3; divided by its sum\n"


@pytest.mark.parametrize("text", ["# c\n", "# c\n\n  # d\n"])
def test_a_text_of_comments_is_called_so(refused, text):
    assert refused(3, "entropy", input=text) == (
        "<stdin>: nothing stands in it but lines that begin with #, which are comments"
    )


def test_a_text_without_numbers_is_raw_values_at_best(refused, call):
    text = "new york\nparis\nparis\n"
    for command in ("entropy", "matrix"):
        assert refused(3, command, input=text) == (
            "<stdin>:1: 'new york' is no number, and no line has one; --tally counts equal lines"
        )
    assert outcomes(call, text, "--tally") == ["new york", "paris"]
    assert entropy_of(call, text, "--tally") == [pytest.approx(0.6365141682948128, rel=1e-12)]


def test_columns_of_words_are_not_offered_as_weights(refused, kl, write):
    text = "a,b\nx,x\ny,y\n"
    path = write("t.csv", text)
    assert refused(3, "kl", path) == (
        f"{path}: no distributions, a pair is two; it has a, b, not of numbers; if they are raw values add --tally"
    )
    assert kl(path, "--tally", "-q") == 0
    assert refused(3, "kl", "-", input=text).endswith("; for raw values add --tally --input-format csv")
    assert kl("-", "--tally", "--input-format", "csv", "-q", input=text) == 0


def test_comments_above_a_table_between_blanks_are_left_out_as_the_error_says(refused, kl):
    text = "# by x\nmode p q\ncar 4 3\nbus 6 7\n"
    mend = "--input-format csv --delimiter space --comment '#'"
    assert refused(3, "kl", "-", input=text).endswith(f"for a table between blanks add {mend}")
    assert kl("-", *mend.replace("'", "").split(), "-q", input=text) == pytest.approx(PAIR, rel=1e-12)

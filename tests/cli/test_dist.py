"""How a distribution is written: numbers, pairs, JSON, sources, standard input, and which of them an argument is."""

import json
from math import log

import pytest

SURVEY = 0.4 * log(0.4 / 0.3) + 0.6 * log(0.6 / 0.7)
TWENTY = 0.4 * log(0.4 / 0.2) + 0.6 * log(0.6 / 0.8)
PQ = "p,q\n0.4,0.3\n0.6,0.7\n"


def near(value):
    return pytest.approx(value, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    "text",
    [
        *("0.4,0.6", "0.4 0.6", "0.4;0.6", " 0.4 ,  0.6 ", "0.4\t0.6", "0.4\n0.6\n", ".4,.6", "+0.4,+0.6"),
        *("4e-1,6E-1", "40%,60%", "4.e1%,60.%", "2/5,3/5", "2/5,60%", "4,6", "[0.4,0.6]", " [0.4, 0.6]", "[4, 6.0]"),
        *('["40%", "3/5"]',),
    ],
)
def test_numbers_mean_the_same_however_they_are_written(kl, text):
    assert kl(text, "0.3,0.7") == near(SURVEY)


@pytest.mark.parametrize(
    "text",
    ["cat=0.4,dog=0.6", "dog=0.6,cat=0.4", " cat = 0.4 , dog = 60% ", '{"cat":0.4,"dog":0.6}', "cat=2/5,dog=3/5"],
)
def test_pairs_and_objects_mean_the_same_however_they_are_written(kl, text):
    assert kl(text, "cat=0.3,dog=0.7") == near(SURVEY)


@pytest.mark.parametrize("text", ["p.csv", "p.json", "p.txt"])
def test_file_is_found_by_its_name(kl, write, tmp_path, text):
    write("p.csv", "p\n0.4\n0.6\n")
    write("p.json", "[0.4, 0.6]")
    write("p.txt", "0.4 0.6\n")
    assert kl(text, "0.3,0.7", cwd=tmp_path) == near(SURVEY)
    assert kl(f"@{text}", "0.3,0.7", cwd=tmp_path) == near(SURVEY)
    assert kl(tmp_path / text, "0.3,0.7") == near(SURVEY)


@pytest.mark.parametrize("name", ["0.3,0.7", "a=0.3,b=0.7", "[0.3,0.7]", "0.3 0.7"])
def test_numbers_pairs_and_json_win_over_a_file_and_at_forces_the_file(kl, write, tmp_path, name):
    write(name, "0.2 0.8")
    options = ["--input-format", "text"]
    assert kl("0.4,0.6", name, *options, cwd=tmp_path) == near(SURVEY)
    assert kl("0.4,0.6", f"@{name}", *options, cwd=tmp_path) == near(TWENTY)


@pytest.mark.parametrize("name", ["a=1.csv", "1,x.csv", "2024.csv", "my file, new.csv", "1.csv", "50%.csv"])
def test_file_is_found_although_its_name_looks_like_numbers(kl, write, tmp_path, name):
    write(name, "p\n2\n8\n")
    assert kl("0.4,0.6", name, cwd=tmp_path) == near(TWENTY)


def test_longest_existing_path_wins_before_a_colon(kl, write, tmp_path):
    write("a.csv", PQ)
    assert kl("0.4,0.6", "a.csv:q", cwd=tmp_path) == near(SURVEY)
    write("a.csv:q", "0.2,0.8")
    assert kl("0.4,0.6", "a.csv:q", "--input-format", "text", cwd=tmp_path) == near(TWENTY)


def test_longest_existing_path_wins_before_a_hash(kl, write, tmp_path):
    write("a", '{"q": [0.3, 0.7]}')
    assert kl("0.4,0.6", "a#/q", "--input-format", "json", cwd=tmp_path) == near(SURVEY)
    (tmp_path / "a#").mkdir()
    write("a#/q", "[0.2, 0.8]")
    assert kl("0.4,0.6", "a#/q", "--input-format", "json", cwd=tmp_path) == near(TWENTY)


def test_column_may_hold_colons_and_hashes(kl, write, tmp_path):
    write("a.csv", "x:y,x#z\n0.4,0.3\n0.6,0.7\n")
    assert kl("a.csv:x:y", "a.csv:x#z", cwd=tmp_path) == near(SURVEY)


@pytest.mark.parametrize(
    ("pointer", "want"),
    [("#/q", SURVEY), ("#/a~1b/x~0y", SURVEY), ("#/list/1", SURVEY), ("#/", SURVEY), ("#/deep/q q", SURVEY)],
)
def test_json_pointer_follows_rfc_6901(kl, write, tmp_path, pointer, want):
    q = [0.3, 0.7]
    write("a.json", json.dumps({"q": q, "a/b": {"x~y": q}, "list": [[1, 2], q], "": q, "deep": {"q q": q}}))
    assert kl("0.4,0.6", f"a.json{pointer}", cwd=tmp_path) == near(want)


@pytest.mark.parametrize("name", ["whole.csv", "whole.json", "@whole.csv"])
def test_file_of_p_and_q_is_a_whole_pair(kl, write, tmp_path, name):
    write("whole.csv", "label,q,p,other\na,0.3,0.4,1\nb,0.7,0.6,2\n")
    write("whole.json", '{"other": [1, 2, 3], "q": [0.3, 0.7], "p": [0.4, 0.6]}')
    assert kl(name, cwd=tmp_path) == near(SURVEY)


def test_inline_object_of_two_distributions_is_a_whole_pair(kl):
    assert kl('{"p": {"a": 0.4, "b": 0.6}, "q": {"b": 0.7, "a": 0.3}}') == near(SURVEY)


@pytest.mark.parametrize("given", ["0.4,0.6", "0.4\n0.6\n", "[0.4,0.6]", "\ufeff0.4 0.6", "a=0.4\nb=0.6\n"])
def test_standard_input_takes_what_an_argument_takes(kl, given):
    assert kl("-", "0.3,0.7", input=given) == near(SURVEY)


@pytest.mark.parametrize(
    "args", [["-"], ["@-"], ["-:p", "-:q"], ["@-:p", "@-:q"], ["-:p", "0.3,0.7"], ["0.4,0.6", "-:q"]]
)
def test_table_on_standard_input(kl, args):
    assert kl(*args, input=PQ) == near(SURVEY)


@pytest.mark.parametrize("args", [["-"], ["-#/p", "-#/q"], ["@-#/p", "@-#/q"], ["-", "--input-format", "json"]])
def test_json_on_standard_input(kl, args):
    assert kl(*args, input='{"p": [0.4, 0.6], "q": [0.3, 0.7]}') == near(SURVEY)


def test_two_dashes_share_one_read_of_standard_input(call):
    assert call("kl", "-", "-", input="0.4,0.6").out == "0.0\n"


@pytest.mark.parametrize("command", ["kl", "compare", "rank"])
def test_leading_minus_needs_no_double_dash(call, command):
    result = call(command, "-1,2", "-.5,2", "--softmax", "-q", *(["-g", "kl_pq"] if command != "kl" else []))
    assert result.code == 0
    assert float(result.out) > 0
    assert call("entropy", "-inf,0", "--softmax", "-q", "-g", "entropy").out == "0.0\n"


@pytest.mark.parametrize("command", ["rank", "compare", "entropy"])
def test_argument_with_a_leading_minus_is_reported_as_it_was_written(call, command):
    result = call(command, "-1,2", "-1,3", "--softmax", "-q", "-f", "json")
    shape = json.loads(result.out)
    inputs = {
        "rank": lambda: [shape["p"], shape["candidates"][0]["input"]],
        "compare": lambda: [shape["inputs"]["p"], shape["inputs"]["q"]],
        "entropy": lambda: [each["input"] for each in shape["distributions"]],
    }[command]()
    assert [(each["name"], each["source"]) for each in inputs] == [("-1,2", "-1,2"), ("-1,3", "-1,3")]


def test_option_value_with_a_leading_minus_is_taken_as_it_was_written(call, write, tmp_path):
    write("a.csv", "-1,p,q\nx,0.4,0.3\ny,0.6,0.7\n")
    result = call("compare", "a.csv", "--label", "-1", "-g", "elements.outcome", cwd=tmp_path)
    assert result == (0, "x\ny\n", "")


LABELS = ["NA", "1.0", "", "[red]", "nan", "null", "None", "007", " padded ", "1e3", "true", "é", "2024-01-01", "inf"]


@pytest.mark.parametrize("form", ["csv", "large.csv", "tsv", "json", "ndjson", "csv.gz", "inline"])
def test_labels_are_strings_and_stay_what_they_are(call, write, tmp_path, form):
    import csv
    import gzip
    import io

    records = [{"label": label, "p": i, "q": 1} for i, label in enumerate(LABELS, 1)]
    if form == "inline":
        given = json.dumps(dict.fromkeys(LABELS, 1))
        result = call("entropy", given, "-g", "elements.outcome", "-q")
        assert result.out.split("\n")[:-1] == LABELS
        return
    if form.endswith("json"):
        lines = map(json.dumps, records)
        text = json.dumps(records) if form == "json" else "\n".join(lines)
    else:
        if form == "large.csv":  # beyond the size where another reader takes over
            records += [{"label": f"a label to fill the file {i}", "p": 1, "q": 1} for i in range(40_000)]
        out = io.StringIO()
        writer = csv.DictWriter(out, ["label", "p", "q"], delimiter="\t" if form == "tsv" else ",")
        writer.writeheader()
        writer.writerows(records)
        text = out.getvalue()
    path = write(f"labels.{form}", gzip.compress(text.encode()) if form.endswith("gz") else text)
    result = call("compare", path, "-g", "elements.outcome", "-q", cwd=tmp_path)
    assert result.code == 0
    assert result.out.split("\n")[: len(LABELS)] == LABELS


def test_labels_are_joined_whatever_their_order_and_a_note_says_so(call):
    result = call("kl", "cat=0.4,dog=0.6", "dog=0.7,cat=0.3")
    assert float(result.out) == near(SURVEY)
    assert result.err == "klcli: note: the outcomes of Q stand in another order; joined by label\n"


def test_outer_join_gives_a_missing_label_weight_zero_and_names_it(call):
    result = call("compare", "a=0.5,b=0.5", "b=0.25,c=0.75", "-g", "elements.outcome,elements.p,elements.q,kl_pq")
    assert result.out == "a\nb\nc\n0.5\n0.5\n0.0\n0.0\n0.25\n0.75\ninf\n"
    notes = result.err.splitlines()
    assert "klcli: note: Q lacks 'a'; weight 0 there" in notes
    assert "klcli: note: P lacks 'c'; weight 0 there" in notes


@pytest.mark.parametrize(
    ("measure", "whose"),
    [
        *((name, "P") for name in ("kl_pq", "cross_entropy_pq", "chi2_pq", "renyi_pq")),
        *((name, "Q") for name in ("kl_qp", "cross_entropy_qp")),
        ("jeffreys", "PQ"),
    ],
)
def test_infinite_divergence_says_which_outcomes_how_much_mass_and_what_stays_finite(call, measure, whose):
    """whose: an outcome of whom makes the measure infinite, where the other lacks it."""
    for one, other in ("PQ", "QP"):
        given = {one: "a=0.5,b=0.5", other: "a=0,b=1"}
        result = call("compare", given["P"], given["Q"], "-g", measure)
        why = f"KL({one}||{other}) is infinite: {one} holds 0.5 of its mass where {other} has none ('a')"
        finite = "finite: Jensen-Shannon 0.215762 nats, total variation 0.5"
        said = f"klcli: note: {why}; {finite}; --{other.lower()}-smooth METHOD gives {other} mass there\n"
        assert (result.out == "inf\n") == (one in whose)
        assert result.err == (said if one in whose else "")


def test_bhattacharyya_of_what_has_no_outcome_in_common_is_infinite_by_p(call):
    result = call("compare", "a=1,b=0", "a=0,b=1", "-g", "bhattacharyya")
    assert result.out == "inf\n"
    assert result.err.startswith("klcli: note: KL(P||Q) is infinite: P holds 1 of its mass where Q has none ('a')")
    assert result.err.count("\n") == 1


def test_inner_join_drops_labels_and_says_how_much_mass(call):
    result = call("kl", "a=1,b=4,c=6", "c=7,b=3,d=5", "--align", "inner")
    assert float(result.out) == near(SURVEY)
    assert "klcli: note: P: dropped 'a', 0.09091 of its mass" in result.err
    assert "klcli: note: Q: dropped 'd', 0.3333 of its mass" in result.err


def test_strict_join_refuses_a_missing_label_by_name(refused, kl):
    message = refused(4, "kl", "a=0.5,b=0.5", "b=0.5,c=0.5", "--align", "strict")
    assert "Q lacks 'a'" in message
    assert "P lacks 'c'" in message
    assert kl("a=0.4,b=0.6", "b=0.7,a=0.3", "--align", "strict") == near(SURVEY)


def test_inner_join_without_a_common_label_is_refused(refused):
    assert "share no label" in refused(4, "kl", "a=1", "b=1", "--align", "inner")


def test_one_side_without_labels_is_taken_in_the_others_order_with_a_note(call):
    result = call("kl", "a=0.4,b=0.6", "0.3,0.7")
    assert float(result.out) == near(SURVEY)
    assert result.err == "klcli: note: Q has no labels; its values were taken in the order of P\n"

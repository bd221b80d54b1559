"""Formulas on the command line: as weights, and how an error shows its place."""

import io
import json
import sys
from pathlib import Path
from unittest import mock

import pytest

from klcli.cli.failures import say

ROOT = Path(__file__).parents[2]
EXAMPLE = next(
    one
    for one in json.loads((ROOT / "tests/data/examples.json").read_text(encoding="utf-8"))["examples"]
    if one["id"] == "gaussian-grids"
)
GRIDS = ["normal(1,var=0.2)@-4:5:0.1", "normal(2,var=0.5)@-3:6:0.1"]


def agrees(got, field):
    return got == pytest.approx(float(EXAMPLE["want"][field]), abs=0.5000001 * 10 ** -EXAMPLE["digits"], rel=0)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        (
            "no normalisation, 0.001/3 added to every weight: kl_pq",
            ["--no-normalize", "--smooth", f"add={0.001 / 3!r}"],
        ),
        ("the same, normalised: kl_pq", ["--smooth", f"add={0.001 / 3!r}"]),
        ("softmax of both, T=1: kl_pq", ["--softmax"]),
    ],
)
def test_published_value_of_the_gaussian_grids(kl, field, options):
    assert agrees(kl(*GRIDS, *options), field)


def test_published_elements_of_the_gaussian_grids(get):
    terms = get("elements.kl_pq", "compare", *GRIDS, "--softmax")
    assert len(terms) == 90
    assert agrees(terms[0], "softmax, first element kl_pq")
    assert agrees(max(terms), "softmax, largest element kl_pq")


def test_pairs_and_files_with_brackets_stay_what_they_are(kl, write):
    assert kl("f(x)=0.4,g(x)=0.6", "g(x)=0.7,f(x)=0.3") == kl("0.4,0.6", "0.3,0.7")
    path = write("survey (1).csv", "p(1),q\n0.4,0.3\n0.6,0.7\n")
    assert kl("survey (1).csv:p(1)", "survey (1).csv:q", cwd=path.parent) == kl("0.4,0.6", "0.3,0.7")


@pytest.mark.parametrize(
    ("code", "p", "lines"),
    [
        (
            3,
            "normal(0,,1)",
            ["klcli: P, character 10: a number must follow ','", "  normal(0,,1)", "           ^"],
        ),
        (
            3,
            "normal(猫=1,犬)",
            [
                "klcli: P, character 12: what follows 猫= needs its name too: values without a name come first",
                "  normal(猫=1,犬)",
                "              ^",
            ],
        ),
        (
            3,
            "normal('e\u0301',犬)",
            ["klcli: P, character 8: \"'e\u0301'\" is not a number", "  normal('e\u0301',犬)", "         ^"],
        ),
        (
            3,
            "normal(0,\n\x1b,1)",
            ["klcli: P, character 11: '\\x1b' is not a number", "  normal(0,\\n\\x1b,1)", "             ^"],
        ),
    ],
)
def test_a_caret_stands_under_the_place(call, code, p, lines):
    result = call("kl", p, "0.4,0.6")
    assert (result.code, result.out) == (code, "")
    assert result.err.splitlines() == lines


def test_other_errors_stay_one_line(refused):
    assert refused(3, "kl", "0.4,x", "0.4,0.6") == "P, item 2: 'x' is not a number"
    assert "neither numbers nor a file that exists" in refused(3, "kl", "survey (1).csv", "0.4,0.6")


@pytest.mark.parametrize("values", [0, 3, 200])
@pytest.mark.parametrize("after", [0, 3, 200])
@pytest.mark.parametrize("one", ["1,", "1,\t\t"])
def test_of_a_long_formula_the_surroundings_are_shown(call, values, after, one):
    result = call("kl", "categorical(" + one * values + "猫!" + ",1" * after + ")", "0.4,0.6")
    assert result.code == 3
    line, shown, caret = result.err.splitlines()
    assert line.startswith(f"klcli: P, character {13 + len(one) * values}: '猫!' is not a number")
    assert len(shown) < 80
    assert caret.strip(" ") == "^"
    assert shown[len(caret) - 1 :].startswith("猫!" if after or values < 20 else "猫")
    assert ("…" in shown) == (16 + sum(4 if c == "\t" else 1 for c in one) * values + 2 * after > 70)
    assert shown.isprintable()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("text", ["é猫\udcff\u202e\U0001f600(", "猫" * 100 + "(", "(" + "\0" * 100])
def test_every_encoding_shows_the_place(encoding, text):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with mock.patch.object(sys, "stderr", stream):
        say("P, character 1: no", (text, text.index("(")))
    stream.flush()
    line, shown, caret = stream.buffer.getvalue().decode(encoding).splitlines()
    assert line == "klcli: P, character 1: no"
    wide = shown.count("猫") + shown.count("\U0001f600")
    assert shown.index("(") + shown[: shown.index("(")].count("猫") + shown.count("\U0001f600") == len(caret) - 1
    assert len(shown) + wide < 80
    assert caret.strip(" ") == "^"

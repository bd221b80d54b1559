"""The heat map and the list of pairs: what they show, and how much of it. Their goldens stand in test_tables."""

import json
import re

import pytest

from .test_tables import ANSI, ROOT, VIEWS

SAMPLES = ROOT / "samples"


@pytest.fixture
def view(call):
    """view(name, *options): a map or a list of pairs."""

    def view(name, *options, columns=80):
        result = call(*VIEWS[name], "-f", "table", *options, env={"COLUMNS": str(columns)}, cwd=ROOT)
        assert (result.code, result.err) == (0, "")
        return result.out

    return view


def test_equal_values_have_one_shade_and_the_legend_names_those_there_are(view, call):
    same = '{"a": [7, 2, 1], "b": [1, 7, 2], "c": [2, 1, 7]}'
    out = call("matrix", same, "-m", "js_divergence", "-f", "table", "-q").out
    assert set(out) & set("░▒▓█") == {"░"}
    assert re.search(r"^ ░ to \d\.\d+$", out, re.MULTILINE)
    assert len(set(view("matrix-25")) & set("░▒▓█")) == 4


def test_numbers_are_those_of_the_machine_formats(view, call):
    text = call("matrix", SAMPLES / "traffic.csv", "-f", "csv", "-q").out
    exact = {row.split(",")[0]: list(map(float, row.split(",")[1:])) for row in text.splitlines()[1:]}
    for line in view("matrix").split("\n"):
        name, *cells = line.split() or [""]
        if name in exact and len(cells) >= len(exact):
            shown = [float(re.sub("[░▒▓█]", "", cell)) for cell in cells if re.sub("[░▒▓█]", "", cell)]
            assert shown == pytest.approx(exact[name], rel=6e-3)


def test_what_there_is_no_room_for_is_said(view):
    out = view("matrix-110", columns=80)
    assert "110 distributions in " in out
    assert "a cell is the median of its pairs, -f csv has them all" in " ".join(out.split())
    assert " 1-" in out
    assert "distributions in" not in view("matrix-25", columns=80)


def test_a_map_of_groups_shows_what_is_mostly_infinite(call):
    given = json.dumps({f"d{i}": [float(i % 5 == j) for j in range(5)] for i in range(150)})
    out = call("matrix", given, "-f", "table", "-q").out
    assert "∞" in out
    assert "∞ infinite" in out
    assert "nan" not in out


def test_a_group_beside_itself_is_of_pairs_of_different_distributions(call):
    given = json.dumps({f"number {i}": [float(i == j) for j in range(30)] for i in range(30)})
    options = ["-m", "total_variation", "-f", "table", "--color", "always", "-q"]
    out = ANSI.sub("", call("matrix", given, *options, env={"COLUMNS": "40"}).out)
    assert "30 distributions in 15 groups" in out
    assert re.search(r"^ 1\.00 +1\.00 *$", out, re.MULTILINE)  # the scale, from the least to the most


def test_long_lists_of_pairs_are_cut_unless_top_says_otherwise(view):
    out = view("matrix-25", "--pairs")
    assert "(570 more, farther apart; --top 0 lists them all)" in out
    assert len(out.splitlines()) < 40
    whole = view("matrix-25", "--top", "0")
    assert "more" not in whole
    assert len(whole.splitlines()) > 600


def test_nearest_and_farthest_pair_are_named(view, call):
    out = view("matrix-110")
    pairs = call(*VIEWS["matrix-110"], "--top", 1, "--farthest", 1, "-f", "csv", "-q").out.splitlines()[1:]
    for what, pair in zip(("nearest", "farthest"), pairs, strict=True):
        p, q, _ = pair.split(",")
        assert re.search(rf"^ {what} +\S+  {p} to {q}$", out, re.MULTILINE)


@pytest.mark.parametrize("digits", [1, 2, 5, 17])
def test_digits_are_as_many_as_asked_for_or_as_fit(view, digits):
    out = view("matrix-two", "--digits", str(digits), columns=120)
    number = re.search(r"\d\.\d+(e-\d+)?", out.split("\n")[2]).group()
    assert len(number.replace(".", "").lstrip("0")) == digits


def test_a_terminal_without_unicode_gets_none(run):
    for name, mark in (("matrix-infinite", "!"), ("matrix-110", "#")):
        result = run(*VIEWS[name], "-f", "table", "-q", env={"PYTHONIOENCODING": "ascii"})
        assert result.code == 0
        assert result.out.isascii()
        assert mark in result.out


def test_parquet_is_not_written_to_a_terminal(terminal):
    says = "klcli: Parquet is binary and not for a terminal; add --output FILE\n"
    for output in ((), ("-o", "-")):
        assert terminal("matrix", SAMPLES / "traffic.csv", "-f", "parquet", *output, code=2, says=says) == ""

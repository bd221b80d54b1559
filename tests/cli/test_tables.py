"""Tables for people: goldens at 80 and 40 columns, hostile labels, colours, and what a real terminal shows.

A golden file is what the command prints, to the byte. After a wished change, delete it, run the test once (it fails and
writes the file anew), and read the difference.
"""

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens"
ANSI = re.compile(r"\x1b\[[0-9;]*m")

WIDE = {"日本語": 4, "中文标签": 3, "한국어": 2, "latin": 5, "é😀": 1}
HOSTILE = {
    "[bold]loud[/bold]": 1,
    "\x1b[31mred\x1b[0m": 2,
    "new\nline": 3,
    "tab\there": 4,
    "bell\x07\x9b1m": 5,
    "right\u202eleft": 6,
    "\u2028separated": 7,
    "😀 emoji :smile:": 8,
    "": 9,
    "NA": 10,
}


def reverse(labelled):
    return dict(zip(labelled, reversed(labelled.values()), strict=True))


def dumps(labelled):
    return json.dumps(labelled, ensure_ascii=False)


def ring(names):
    """Distributions that differ the more the farther apart they stand in a ring; no two pairs are equally far apart."""
    n = len(names)
    return json.dumps(
        {
            name: [(1 + min(abs(i - j), n - abs(i - j))) * (1 + 0.003 * i * (j % 3)) for j in range(n)]
            for i, name in enumerate(names)
        }
    )


NAMES = ["[bold]loud[/bold]", "\x1b[31mred\x1b[0m", "new\nline", "tab\there", "right\u202eleft", ":smile:", "", "NA"]
VIEWS = {
    "compare": ["compare", "-", "car=412,bus=180,bicycle=96,walk=250", "--q-smooth", "laplace"],
    "compare-infinite": ["compare", "cat=1,dog=0,horse=0", "cat=0.7,dog=0.2,horse=0.1", "--unit", "bits"],
    "compare-wide": ["compare", dumps(WIDE), dumps(reverse(WIDE))],
    "compare-hostile": ["compare", dumps(HOSTILE), dumps(reverse(HOSTILE))],
    "compare-top": ["compare", "1,20,3,5,8", "4,2,3,7,1", "--top", "2", "--digits", "3", "-m", "kl_pq,hellinger"],
    "entropy": ["entropy", "a=1,b=2,c=1", "0.5,0.5", "--unit", "bits"],
    "rank": ["rank", "x=7,y=3", "x=5,y=5", dumps({"x": 9, "y": 1}), "y=1,x=0"],
    "matrix": ["matrix", "samples/traffic.csv"],
    "matrix-symmetric": ["matrix", "samples/traffic.csv", "-m", "js_distance", "--unit", "bits", "--digits", "5"],
    "matrix-columns": ["matrix", "samples/models.csv", "--columns", "-m", "chi2_pq"],
    "matrix-entropy": ["matrix", "samples/traffic.csv", "-m", "cross_entropy_pq"],
    "matrix-infinite": ["matrix", '{"a": [1, 0, 2], "b": [1, 1, 1], "c": [0, 2, 0], "d": [4, 5, 3]}'],
    "matrix-two": ["matrix", '{"a": [1, 2], "b": [2, 1]}'],
    "matrix-same": ["matrix", '{"a": [1, 2], "b": [2, 4], "c": [3, 6]}'],
    "matrix-wide": ["matrix", ring(["日本語", "中文标签", "한국어", "latin", "é😀"]), "-m", "hellinger"],
    "matrix-hostile": ["matrix", ring(NAMES), "-m", "js_divergence"],
    "matrix-25": ["matrix", ring([f"district number {i}" for i in range(1, 26)])],
    "matrix-110": ["matrix", ring([f"d{i}" for i in range(110)])],
    "matrix-pairs": ["matrix", "samples/traffic.csv", "--pairs"],
    "matrix-ends": ["matrix", "samples/traffic.csv", "--top", "3", "--farthest", "2"],
    "matrix-pairs-wide": ["matrix", ring(["日本語", "中文标签", "한국어", "latin", "x" * 90]), "--top", "4"],
    "matrix-pairs-hostile": ["matrix", ring(NAMES), "--pairs", "-m", "js_divergence"],
}
GIVEN = "car=355,bus=172,bicycle=214,walk=231"


def test_measures_have_the_unit_of_their_logarithms_a_root_its_root_and_others_none(call):
    out = call("compare", "1,3", "1,1", "-m", "all", "--unit", "bits", "-f", "table", "--no-breakdown", "-q").out
    units = {name: rest[1] for name, *rest in map(str.split, out.splitlines()[4:])}
    assert {name for name, unit in units.items() if unit == "√bits"} == {"js_distance"}
    without = {"total_variation", "hellinger", "chi2_pq", "perplexity_p", "perplexity_q", "same_top", "wasserstein"}
    assert {name for name, unit in units.items() if "bits" not in unit} == without


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("view", VIEWS)
def test_table_is_the_golden_one(call, view, columns):
    result = call(*VIEWS[view], "-f", "table", input=GIVEN, env={"COLUMNS": str(columns)}, cwd=ROOT)
    assert (result.code, result.err) == (0, "")
    golden = GOLDENS / f"{view}-{columns}.txt"
    if not golden.exists():
        golden.write_bytes(result.out.encode())
        pytest.fail(f"there was no {golden}; it is written, read it")
    assert result.out == golden.read_bytes().decode()


@pytest.mark.parametrize(("columns", "color"), [(57, "always"), (300, "never")])
@pytest.mark.parametrize("view", VIEWS)
def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(call, view, columns, color):
    how = {"input": GIVEN, "env": {"COLUMNS": str(columns)}, "cwd": ROOT}
    result = call(*VIEWS[view], "-f", "table", "--color", color, **how)
    assert result.code == 0, result.err
    for line in result.out.split("\n"):
        assert cell_len(ANSI.sub("", line)) <= columns
        assert line == line.rstrip()


@pytest.mark.parametrize("columns", [1, 20, 25, 40, 80])
def test_contributions_that_are_all_alike_or_zero_are_drawn_at_any_width(call, columns):
    for args in (["entropy", "1,1,1"], ["entropy", "1"], ["compare", "1,1", "1,1"], ["compare", "1,0", "0,1"]):
        assert call(*args, "-f", "table", env={"COLUMNS": str(columns)}).code == 0


@pytest.mark.parametrize("shape", ["table", "markdown"])
def test_hostile_labels_are_shown_harmlessly(call, shape):
    out = call(*VIEWS["compare-hostile"], "-f", shape).out
    assert not set(out) & {"\x1b", "\t", "\x07", "\x9b", "\u202e", "\u2028", "\r"}
    assert "\\x1b" in out
    assert "\\u202e" in out
    assert ":smile:" in out
    bold = "[bold]loud[/bold]" if shape == "table" else "\\[bold\\]loud\\[/bold\\]"
    assert bold in out


def test_hostile_names_and_notes_are_shown_harmlessly(call, write, tmp_path):
    write("[red]\x1b[31m.csv", 'label,p,q\n"[b]\x1b[31mx",1,0\ny,1,1\n')
    result = call("compare", "[red]\x1b[31m.csv", "-f", "table", cwd=tmp_path)
    assert result.code == 0, result.err
    assert "\x1b" not in result.out
    assert "[red]\\x1b[31m.csv':p" in result.out
    assert "[b]" in result.out[result.out.index("note: ") :]


def test_pipe_in_a_label_does_not_break_a_markdown_row(call):
    lines = call("entropy", "-", "-f", "markdown", "-q", input='{"a|b": 1, "`c`": 2}').out.splitlines()
    (row,) = (line for line in lines if "| a\\|b |" in line)
    (header,) = (line for line in lines if "| outcome |" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(re.findall(r"(?<!\\)\|", header))


def test_table_folds_a_long_breakdown_unless_top_says_otherwise(call):
    args = ["compare", ",".join(["1"] * 100), ",".join(map(str, range(1, 101))), "-f", "table"]
    out = call(*args).out
    assert re.search(r"^ other \(\d+\) ", out, re.MULTILINE)
    assert len(out.splitlines()) < 60
    assert len(call(*args, "--top", 0).out.splitlines()) > 100


def test_breakdown_can_be_left_out(call):
    assert "outcome" not in call("compare", "1,2", "2,1", "-f", "table", "--no-breakdown").out


def test_table_without_unicode_uses_none(run):
    for command in (["compare", "1,2,0", "2,1,1"], ["rank", "1,2", "2,1"], ["entropy", "1,2"]):
        result = run(*command, "-f", "table", "-q", env={"PYTHONIOENCODING": "ascii"})
        assert result.code == 0
        assert result.out.isascii()


COLOURED = ["compare", "1,2", "2,1", "-f", "table"]


@pytest.mark.parametrize(
    ("options", "env", "coloured"),
    [
        ([], {}, False),
        (["--color", "auto"], {}, False),
        (["--color", "always"], {}, True),
        (["--color", "never"], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": ""}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"TERM": "dumb"}, True),
    ],
)
def test_colour_follows_option_then_environment(call, options, env, coloured):
    result = call(*COLOURED, *options, env=env)
    assert ("\x1b[" in result.out) is coloured
    assert [line.rstrip() for line in ANSI.sub("", result.out).splitlines()] == call(*COLOURED).out.splitlines()


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLORTERM": "truecolor"}])
def test_colour_asked_for_by_option_is_the_same_whatever_the_environment(call, env):
    assert call(*COLOURED, "--color", "always", env=env) == call(*COLOURED, "--color", "always")


@pytest.mark.parametrize("shape", ["tsv", "json", "markdown"])
def test_machine_formats_have_no_colour_even_when_asked(call, shape):
    assert "\x1b" not in call("compare", "1,2", "2,1", "-f", shape, "--color", "always").out


@pytest.mark.parametrize(
    ("view", "columns"),
    [("compare-wide", 40), ("compare-hostile", 80), ("rank", 80), ("matrix-wide", 40), ("matrix-hostile", 80)],
)
def test_terminal_shows_the_golden_table(terminal, view, columns):
    import pyte

    colors = {"NO_COLOR": "1"} if view.startswith("matrix") else {}  # of a map they take the place of its marks
    screen = pyte.Screen(columns, 60)
    pyte.Stream(screen).feed(terminal(*VIEWS[view], columns=columns, env=colors, cwd=ROOT))
    # A wide character fills two cells, of which pyte leaves the second empty.
    shown = [line.rstrip() for line in screen.display]
    golden = (GOLDENS / f"{view}-{columns}.txt").read_text(encoding="utf-8").splitlines()
    assert shown[: len(golden)] == golden
    assert not any(shown[len(golden) :])


def test_auto_is_a_coloured_table_on_a_terminal_and_plain_tsv_in_a_pipe(terminal, run):
    args = ["compare", "0.4,0.6", "0.3,0.7"]
    shown = terminal(*args, columns=80)
    assert "\x1b[" in shown
    assert " kl_pq " in ANSI.sub("", shown)
    assert run(*args).out.startswith("measure\tvalue\n")


def test_kl_on_a_terminal_is_a_bare_number(terminal):
    assert terminal("kl", "0.5,0.5", "0.5,0.5", columns=80) == "0.0\r\n"


@pytest.mark.parametrize("columns", [80, 40])
def test_help_fits_the_terminal(terminal, columns):
    for args in (["--help"], ["compare", "-h"]):
        shown = terminal(*args, columns=columns)
        assert all(cell_len(line) <= columns for line in ANSI.sub("", shown).replace("\r", "").split("\n"))

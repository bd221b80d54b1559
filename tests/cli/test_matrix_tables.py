"""The heat map and the list of pairs: goldens at 80 and 40 columns, hostile labels, colours, a real terminal.

A golden file is what the command prints, to the byte. After a wished change, delete it, run the test once (it fails and
writes the file anew), and read the difference.
"""

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

GOLDENS = Path(__file__).parent / "goldens"
SAMPLES = Path(__file__).parents[2] / "samples"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def ring(names):
    """Distributions that differ the more the farther apart they stand in a ring; no two pairs are equally far apart."""
    n = len(names)
    return json.dumps(
        {
            name: [(1 + min(abs(i - j), n - abs(i - j))) * (1 + 0.003 * i * (j % 3)) for j in range(n)]
            for i, name in enumerate(names)
        }
    )


HOSTILE = ["[bold]loud[/bold]", "\x1b[31mred\x1b[0m", "new\nline", "tab\there", "right\u202eleft", ":smile:", "", "NA"]
VIEWS = {
    "matrix": ["samples/traffic.csv"],
    "matrix-symmetric": ["samples/traffic.csv", "-m", "js_distance", "--unit", "bits", "--digits", "5"],
    "matrix-columns": ["samples/models.csv", "--columns", "-m", "chi2_pq"],
    "matrix-entropy": ["samples/traffic.csv", "-m", "cross_entropy_pq"],
    "matrix-infinite": ['{"a": [1, 0, 2], "b": [1, 1, 1], "c": [0, 2, 0], "d": [4, 5, 3]}'],
    "matrix-two": ['{"a": [1, 2], "b": [2, 1]}'],
    "matrix-same": ['{"a": [1, 2], "b": [2, 4], "c": [3, 6]}'],
    "matrix-wide": [ring(["日本語", "中文标签", "한국어", "latin", "é😀"]), "-m", "hellinger"],
    "matrix-hostile": [ring(HOSTILE), "-m", "js_divergence"],
    "matrix-25": [ring([f"district number {i}" for i in range(1, 26)])],
    "matrix-110": [ring([f"d{i}" for i in range(110)])],
    "matrix-pairs": ["samples/traffic.csv", "--pairs"],
    "matrix-ends": ["samples/traffic.csv", "--top", "3", "--farthest", "2"],
    "matrix-pairs-wide": [ring(["日本語", "中文标签", "한국어", "latin", "x" * 90]), "--top", "4"],
    "matrix-pairs-hostile": [ring(HOSTILE), "--pairs", "-m", "js_divergence"],
}


@pytest.fixture
def view(call):
    def view(name, *options, columns=80, **env):
        args = [str(SAMPLES.parent / arg) if arg.startswith("samples/") else arg for arg in VIEWS[name]]
        result = call("matrix", *args, "-f", "table", *options, env={"COLUMNS": str(columns), **env})
        assert (result.code, result.err) == (0, "")
        return result.out

    return view


@pytest.mark.parametrize("columns", [80, 40])
@pytest.mark.parametrize("name", VIEWS)
def test_map_is_the_golden_one(view, name, columns):
    out = view(name, columns=columns)
    golden = GOLDENS / f"{name}-{columns}.txt"
    if not golden.exists():
        golden.write_bytes(out.encode())
        pytest.fail(f"there was no {golden}; it is written, read it")
    assert out == golden.read_bytes().decode()


@pytest.mark.parametrize(("columns", "color"), [(57, "always"), (300, "never")])
@pytest.mark.parametrize("name", VIEWS)
def test_no_line_is_wider_than_the_terminal_and_none_ends_in_blanks(view, name, columns, color):
    for line in view(name, "--color", color, columns=columns).split("\n"):
        assert cell_len(ANSI.sub("", line)) <= columns
        assert line == line.rstrip()


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


def test_long_lists_of_pairs_are_cut_unless_top_says_otherwise(view):
    out = view("matrix-25", "--pairs")
    assert "(570 more, farther apart; --top 0 lists them all)" in out
    assert len(out.splitlines()) < 40
    whole = view("matrix-25", "--top", "0")
    assert "more" not in whole
    assert len(whole.splitlines()) > 600


def test_nearest_and_farthest_pair_are_named(view, call):
    out = view("matrix-110")
    pairs = call("matrix", *VIEWS["matrix-110"], "--top", 1, "--farthest", 1, "-f", "csv", "-q").out.splitlines()[1:]
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
        args = [str(SAMPLES.parent / arg) if arg.startswith("samples/") else arg for arg in VIEWS[name]]
        result = run("matrix", *args, "-f", "table", "-q", env={"PYTHONIOENCODING": "ascii"})
        assert result.code == 0
        assert result.out.isascii()
        assert mark in result.out


@pytest.mark.parametrize(("name", "columns"), [("matrix-wide", 40), ("matrix-hostile", 80)])
def test_terminal_without_colours_shows_the_golden_map(terminal, name, columns):
    import pyte

    written = terminal("matrix", *VIEWS[name], columns=columns, env={"NO_COLOR": "1"}, cwd=SAMPLES.parent)
    screen = pyte.Screen(columns, 60)
    pyte.Stream(screen).feed(written)
    # A wide character fills two cells, of which pyte leaves the second empty.
    shown = [line.rstrip() for line in screen.display]
    golden = (GOLDENS / f"{name}-{columns}.txt").read_text(encoding="utf-8").splitlines()
    assert shown[: len(golden)] == golden
    assert not any(shown[len(golden) :])


def test_parquet_is_not_written_to_a_terminal(terminal):
    says = "klcli: Parquet is binary and not for a terminal; add --output FILE\n"
    for output in ((), ("-o", "-")):
        assert terminal("matrix", SAMPLES / "traffic.csv", "-f", "parquet", *output, code=2, says=says) == ""

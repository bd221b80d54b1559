"""Help: a sentence, up to three examples that run, options in panels."""

import inspect
import re
import shlex
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

from klcli.cli.app import COMMANDS, KINDS
from klcli.cli.app import command as all_commands
from tests.alike import alike

ROOT = Path(__file__).parents[2]
GOLDENS = Path(__file__).parent / "goldens"
FIRST_EMOJI = 0x2600

LEAVES = [
    *(command for command in COMMANDS if command not in KINDS),
    *(f"{group} {kind}" for group, kinds in KINDS.items() for kind in kinds),
]
"""Every command that computes something."""


def paragraphs(command):
    module, *kind = command.split()
    doc = inspect.getdoc(getattr(import_module(f"klcli.cli.{module}"), (kind or [module])[0].replace("-", "_")))
    return doc.split("\n\n")


def examples(command):
    return [line for part in paragraphs(command) for line in part.splitlines() if line.startswith("klcli ")]


EXAMPLES = [(command, example) for command in [*LEAVES, *KINDS] if command != "batch" for example in examples(command)]


@pytest.mark.parametrize("command", [*LEAVES, *KINDS])
def test_help_of_a_command_opens_with_a_sentence_then_at_most_three_examples(command):
    first, *rest = paragraphs(command)
    assert re.match(r"[A-Z]", first)
    assert first.rstrip().endswith((".", "?"))
    assert not first.startswith("klcli ")
    assert 1 <= len(examples(command)) <= 3
    assert all(example.startswith(f"klcli {command} ") for example in examples(command))
    assert rest


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_example_of_the_help_prints_the_golden_output(call, command, example):
    name, *args = shlex.split(example)
    assert example.startswith(f"klcli {command} ")
    assert name == "klcli"
    result = call(*args, cwd=ROOT)
    assert result.code == 0, result.err
    golden = GOLDENS / f"help-{re.sub(r'[^a-z0-9]+', '-', example)}.txt"
    if not golden.exists():
        golden.write_bytes(result.out.encode())
        pytest.fail(f"there was no {golden}; it is written, read it")
    assert alike(result.out, golden.read_bytes().decode()), result.out


@pytest.mark.parametrize("command", [*LEAVES, *KINDS])
def test_help_shows_the_sentence_the_examples_and_the_panels(call, command):
    result = call(*command.split(), "-h", env={"COLUMNS": "200"})
    assert call(*command.split(), "--help", env={"COLUMNS": "200"}) == result
    assert (result.code, result.err) == (0, "")
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.out).split())
    assert " ".join(paragraphs(command)[0].split()) in text
    for example in examples(command):
        assert example in text
    assert all(ord(c) < FIRST_EMOJI for c in result.out)  # as Rich makes of :cat:
    for panel in ("Inputs", "Output") if command in LEAVES else ("Commands",):
        assert f"─ {panel} ─" in result.out


@pytest.mark.parametrize("command", LEAVES)
def test_help_shows_every_default(call, command):
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", call(*command.split(), "-h", env={"COLUMNS": "200"}).out).split())
    options = reduce(lambda group, name: group.get_command(None, name), command.split(), all_commands()).params
    defaults = [(o.opts[0], o.default) for o in options if o.default is not None and not o.is_flag and not o.required]
    assert defaults
    for option, default in defaults:
        assert re.search(rf"{option} (?:(?! --).)*\[default: {re.escape(str(default))}\]", text), option
    assert text.count("[default: ") == len(defaults)


def test_help_needs_no_arguments_and_wins_over_bad_ones(call):
    assert call("kl", "--help").out == call("kl", "x", "-h").out


@pytest.mark.parametrize("args", [[], ["-h"], ["--help"]])
def test_bare_command_and_help_list_every_command_in_order(call, args):
    result = call(*args)
    assert (result.code, result.err) == (0, "")
    places = [result.out.index(f"│ {command} ") for command in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("option", [(), ("-h",), ("--help",)])
@pytest.mark.parametrize("group", KINDS)
def test_a_command_of_commands_lists_them_in_order(call, group, option):
    result = call(group, *option)
    assert (result.code, result.err) == (0, "")
    places = [result.out.index(f"│ {kind} ") for kind in KINDS[group]]
    assert places == sorted(places)


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_is_one_line(call, option):
    from klcli import __version__

    assert call(option) == (0, f"klcli {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "offered"),
    [("klcli com", "compare"), ("klcli compare --temp", "--temperature"), ("klcli compare -m helli", "hellinger")],
)
def test_completion_offers_what_begins_so(run, words, offered):
    env = {"_KLCLI_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    result = run(env=env)
    assert result.code == 0
    assert result.out.split() == [offered]


def test_completion_script_can_be_shown(run):
    result = run(env={"_KLCLI_COMPLETE": "source_bash"})
    assert result.code == 0
    assert "_KLCLI_COMPLETE=complete_bash" in result.out

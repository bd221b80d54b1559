"""The README is true: the commands of its tour print what is shown at a terminal, and its Python is a doctest."""

import doctest
import os
import re
import sys
from pathlib import Path

import pytest

from .alike import alike
from .conftest import at_a_terminal

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def tour():
    """Each command of the console blocks, with the output shown below it."""
    for block in re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def printed(command):
    """What bash and the command print on a terminal of 80 columns."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": path, "COLUMNS": "80", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    found = at_a_terminal(["bash", "-c", command], env=env, stderr="terminal", cwd=ROOT)
    return found.out.replace("\r\n", "\n")


@pytest.mark.parametrize(("command", "shown"), list(tour()), ids=[command for command, _ in tour()])
def test_a_command_of_the_tour_prints_what_is_shown(command, shown):
    found = printed(command)
    assert alike(found, shown), found


def test_the_python_of_the_readme_is_true():
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 0
    assert failed == 0


def test_every_sample_is_used_by_the_readme():
    text = README.read_text(encoding="utf-8")
    assert [sample.name for sample in (ROOT / "samples").iterdir() if f"samples/{sample.name}" not in text] == []

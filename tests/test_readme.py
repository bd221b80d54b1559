"""The README is true: the commands of its tour print what is shown at a terminal, and its Python is a doctest."""

import doctest
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .alike import alike
from .conftest import clean_environment

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def tour():
    """Each command of the console blocks, with the output shown below it."""
    for block in re.findall(r"^```console\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def at_a_terminal(command):
    """What bash and the command print on a terminal of 80 columns."""
    main, side = pty.openpty()
    folder = Path(sys.executable).parent
    path = f"{folder}:{os.environ['PATH']}"
    env = clean_environment({"PATH": path, "COLUMNS": "80", "TERM": "dumb", "LC_ALL": "C.UTF-8"})
    with subprocess.Popen(["bash", "-c", command], stdout=side, stderr=side, cwd=ROOT, env=env) as process:
        os.close(side)
        said = b""
        while True:
            try:
                part = os.read(main, 1 << 16)
            except OSError:  # how Linux says that the other side is closed
                break
            if not part:
                break
            said += part
        process.wait()
    os.close(main)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(("command", "shown"), list(tour()), ids=[command for command, _ in tour()])
def test_a_command_of_the_tour_prints_what_is_shown(command, shown):
    found = at_a_terminal(command)
    assert alike(found, shown), found


def test_the_python_of_the_readme_is_true():
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert tried > 0
    assert failed == 0


def test_every_sample_is_used_by_the_readme():
    text = README.read_text(encoding="utf-8")
    assert [sample.name for sample in (ROOT / "samples").iterdir() if f"samples/{sample.name}" not in text] == []

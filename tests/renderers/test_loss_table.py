"""The table of a loss: what it shows, at 80 and at 40 columns, never wider than the terminal."""

import re

import numpy as np
import pytest
from rich.cells import cell_len

from klcli.tensors import Task

from .reports import SPECIAL, THREE, operands, report, shown, tensor, unreduced

ANSI = re.compile(r"\x1b\[[0-9;]*m")


HOSTILE = "[bold]日本\x1b[31m语\n/:smile:\u202e"


def wide(**task):
    rng = np.random.default_rng(1)
    given = operands(tensor("INPUT", rng.normal(size=(50, 7, 3)), HOSTILE * 5), rng.integers(0, 7, (50, 3)), [1.0] * 7)
    return report(Task("cross-entropy", **task), given, log_probs=-rng.exponential(size=(50, 7, 3)))


@pytest.mark.parametrize("found", [THREE, wide(), wide(reduction="none"), unreduced(SPECIAL)])
@pytest.mark.parametrize("width", [120, 80, 60, 40, 25])
@pytest.mark.parametrize("unicode", [True, False])
def test_table_is_never_wider_than_the_terminal(found, width, unicode):
    plain = shown(found, "table", width=width, unicode=unicode)
    assert max(map(cell_len, plain.splitlines())) <= width
    assert "\x1b" not in plain
    assert unicode or re.sub("[日本语]", "", plain).isascii()
    colored = shown(found, "table", width=width, unicode=unicode, color=True)
    assert "\x1b[" in colored
    assert [line.rstrip() for line in ANSI.sub("", colored).split("\n")] == plain.split("\n")


def test_table_without_room_for_log_probabilities_says_so():
    assert " (no room for the log-probabilities)\n" in shown(wide(), "table", width=38, digits=9)


def test_hostile_source_is_shown_escaped():
    given = operands(tensor("INPUT", [[1.0, 2.0]], HOSTILE), [1])
    assert "INPUT  = [bold]日本\\x1b[31m语\\n/:smile:\\u202e  (1, 2) logits\n" in shown(
        report(Task("nll"), given), "table"
    )


@pytest.mark.parametrize("option", ["weight", "pos_weight"])
def test_table_says_that_the_losses_are_weighted(option):
    given = operands([[1.0, 2.0]], [[1.0, 0.0]], **{option: [1.0, 2.0]})
    found = report(Task("bce-with-logits"), given)
    assert " value     0.50000   -(t log q + (1-t) log(1-q)), weighted\n" in shown(found, "table")
    assert ", weighted" not in shown(report(Task("bce-with-logits"), operands([[1.0]], [[1.0]])), "table")

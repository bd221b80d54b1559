"""How a result is shown: the format it takes, the notes, the gates, the exit code."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from klcli.cli.options import BrokenDown, Output, Shape, names, number, one_of
from klcli.console import on_terminal, say, say_notes, write
from klcli.errors import UsageError, clipped, listed
from klcli.model import ELEMENTS, Answer
from klcli.renderers.view import View

GATE = 1
"""The exit code of a result that is above a gate."""

TABLE_ROWS = 30
"""A table shows so many outcomes unless --top says otherwise; the rest is folded into one row that says so."""


class Gates:
    """`--fail-above FIELD=VALUE`, as often as given."""

    def __init__(self, given: Iterable[str] | None, fields: Iterable[str]) -> None:
        self.limits: list[tuple[str, float]] = []
        fields = list(fields)
        for text in given or ():
            field, equals, value = text.partition("=")
            if not equals and len(fields) == 1:
                field, value = fields[0], text
            elif not equals:
                example = "kl_pq" if "kl_pq" in fields else fields[0]
                message = f"--fail-above {clipped(text)}: write FIELD=VALUE, as {example}=0.1"
                raise UsageError(message)
            self.limits.append((one_of("--fail-above", field.strip(), fields), number("--fail-above", value)))

    @property
    def fields(self) -> list[str]:
        """The fields that must be computed for the gates."""
        return [field for field, _ in self.limits]

    def exit_code(self, measured: Iterable[tuple[str, Mapping[str, float]]]) -> int:
        """1 when a field of any of the named measurements is above its limit, and says so; else 0."""
        code = 0
        for name, measures in measured:
            for field, limit in self.limits:
                if not measures[field] <= limit:
                    above = f"above {limit!r}" if measures[field] > limit else f"which is not at most {limit!r}"
                    say(f"{name + ': ' if name else ''}{field} is {measures[field]!r}, {above}")
                    code = GATE
        return code


def chosen_fields(
    shape: Shape, measures: Iterable[str], elements: Iterable[str], extra: Iterable[str] = ()
) -> list[str]:
    """The fields of --get. Raises UsageError with the nearest for one that is none."""
    fields = [*measures, *extra, *(f"{ELEMENTS}{name}" for name in elements)]
    return names("--get", shape.get, fields)


def format_of(shape: Shape) -> str:
    """The format asked for; else by the suffix of the output file; else a table on a terminal and TSV elsewhere."""
    from klcli.renderers.formats import RENDERERS

    choice = one_of("--format", shape.format, ["auto", *RENDERERS])
    if choice != "auto":
        return choice
    if shape.output is not None:
        return suffix_format(shape.output, RENDERERS) or "tsv"
    return "table" if on_terminal() else "tsv"


def suffix_format(output: str, formats: Iterable[str]) -> str | None:
    """The format that the suffix of an output file stands for, None where it has none. Raises UsageError."""
    from klcli.renderers.formats import SUFFIXES

    suffix = Path(output).suffix.lower()
    if suffix and suffix not in SUFFIXES:
        known = listed(formats)
        message = f"--output {clipped(output)}: no format has the suffix {clipped(suffix)}; add -f ({known})"
        raise UsageError(message)
    return SUFFIXES.get(suffix)


def rows_shown(shape: BrokenDown, format_name: str, fields: list[str]) -> tuple[bool, int | None]:
    """Whether the breakdown is wanted, and how many of its rows: --top, or in tables so many as fit a screen."""
    wanted = shape.breakdown
    if wanted is None:
        wanted = format_name in {"table", "markdown", "json"} or shape.top is not None or shape.sort is not None
    if fields:
        wanted = any(field.startswith(ELEMENTS) for field in fields)
    if shape.top is None:
        return wanted, TABLE_ROWS if format_name == "table" and not fields else None
    return wanted, shape.top or None


def deliver(answer: Answer, shape: Shape, format_name: str, fields: list[str], gates: Gates) -> int:
    """Writes the answer, says the notes, checks the gates. Returns the exit code."""
    from klcli.renderers.bare import bare
    from klcli.renderers.formats import HOLDS_NOTES, RENDERERS

    view = view_of(shape, format_name)
    text = bare(answer, fields) if fields else RENDERERS[format_name](answer, view)
    write(text, shape.output)
    if not shape.quiet and (fields or format_name not in HOLDS_NOTES):
        say_notes(answer.notes)
    several = len(answer.reports) > 1
    measured = ((r.name if several else "", {**r.measures, **r.others}) for r in answer.reports)
    return gates.exit_code(measured)


def view_of(shape: Any, format_name: str) -> View:  # noqa: ANN401 - options with `quiet`, `digits` and `color`
    """How the answer is shown in this format and on this terminal."""
    color = one_of("--color", shape.color, ("auto", "always", "never"))
    if format_name != "table":
        return View(notes=not shape.quiet, digits=shape.digits)
    return View(
        notes=not shape.quiet,
        digits=shape.digits,
        width=max(40, shutil.get_terminal_size((80, 24)).columns),
        color=_wants_color(color, shape),
        unicode=_encodes("█"),
    )


def _wants_color(choice: str, shape: Output) -> bool:
    """Colours on a terminal that has them. Source: no-color.org, force-color.org."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    terminal = shape.output is None and on_terminal()
    return terminal and os.environ.get("TERM") not in {"dumb", "unknown"}


def _encodes(character: str) -> bool:
    """Whether the terminal's encoding has the character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

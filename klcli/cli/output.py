"""How a result is shown: the format it takes, the notes, the gates, the exit code."""

import os
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from klcli.cli.formulas import with_errors
from klcli.cli.options import FORMATS, BrokenDown, Output, Shape, names, number, one_of
from klcli.console import on_terminal, say, say_notes, write
from klcli.errors import UsageError, clipped, listed
from klcli.model import ELEMENTS, Answer, Report, Settings
from klcli.renderers.view import View

GATE = 1
"""The exit code of a result that is above a gate."""

HOLDS_NOTES = frozenset({"table", "markdown"})
"""The formats that show the notes themselves; elsewhere they go to stderr."""

TABLE_ROWS = 30
"""A table shows so many outcomes unless --top says otherwise; the rest is folded into one row that says so."""


class Formed(Protocol):
    """Options that say which form the result takes, and where it goes."""

    format: str
    output: str | None


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


def chosen_format(form: Formed, formats: Collection[str] = FORMATS, elsewhere: str = "tsv") -> str:
    """The format asked for; else by the suffix of the output file; else a table on a terminal.

    elsewhere: what it is where nothing says. Raises UsageError.
    """
    choice = one_of("--format", form.format, ("auto", *formats))
    if choice != "auto":
        return choice
    if form.output not in {None, "-"}:
        return suffix_format(str(form.output), formats) or elsewhere
    return "table" if on_terminal() else elsewhere


def suffix_format(output: str, formats: Collection[str], *, strict: bool = True) -> str | None:
    """The format that the suffix of an output file stands for, None where it has none.

    strict: raises UsageError for a suffix of no format; else that is None too.
    """
    from klcli.renderers.formats import SUFFIXES

    suffix = Path(output).suffix.lower()
    found = SUFFIXES.get(suffix)
    if found in formats:
        return found
    if suffix and strict:
        known = listed(formats)
        message = f"--output {clipped(output)}: no format has the suffix {clipped(suffix)}; add -f ({known})"
        raise UsageError(message)
    return None


class Request:
    """What is asked of distributions: the fields of --get, the measures shown, the gates, the format.

    catalogue: the measures there are, of which `default` are shown unless others are named. extra, elements: what --get
    takes besides. Raises UsageError.
    """

    def __init__(
        self,
        shape: Shape,
        measures: Iterable[str] | None,
        catalogue: Iterable[str],
        default: Iterable[str],
        *,
        extra: Iterable[str] = (),
        elements: Iterable[str] = (),
    ) -> None:
        catalogue = list(catalogue)
        self.fields = names("--get", shape.get, [*catalogue, *extra, *(f"{ELEMENTS}{name}" for name in elements)])
        self.gates = Gates(shape.fail_above, catalogue)
        asked = names("--measures", measures, catalogue)
        self.format_name = chosen_format(shape)
        got = [field for field in self.fields if field in catalogue]
        self.shown = list(dict.fromkeys([*(asked or got or default), *got]))
        self._shape = shape

    def outcomes_shown(self, shape: BrokenDown) -> tuple[bool, int | None]:
        """Whether the breakdown is wanted, and how many of its rows: --top, or in tables so many as fit a screen."""
        wanted = shape.breakdown
        if wanted is None:
            wanted = (
                self.format_name in {"table", "markdown", "json"} or shape.top is not None or shape.sort is not None
            )
        if self.fields:
            wanted = any(field.startswith(ELEMENTS) for field in self.fields)
        if shape.top is None:
            return wanted, TABLE_ROWS if self.format_name == "table" and not self.fields else None
        return wanted, shape.top or None

    def deliver(self, kind: str, reports: Iterable[Report], settings: Settings) -> int:
        """Writes the answer, says the notes, checks the gates. Returns the exit code."""
        from klcli.renderers.bare import bare
        from klcli.renderers.formats import RENDERERS
        from klcli.renderers.shape import Answered

        reports, shape = tuple(reports), self._shape
        notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
        answer = with_errors(Answer(kind, reports, settings, notes), self.format_name, self.fields)
        view = view_of(shape, self.format_name)
        text = bare(answer, self.fields) if self.fields else RENDERERS[self.format_name](Answered(answer), view)
        write(text, shape.output)
        say_unheld(answer.notes, shape, self.format_name, is_bare=bool(self.fields))
        several = len(reports) > 1
        measured = ((r.name if several else "", {**r.measures, **r.others}) for r in reports)
        return self.gates.exit_code(measured)


def say_unheld(notes: Iterable[str], shape: Output, format_name: str, *, is_bare: bool) -> None:
    """The notes on stderr, unless the format shows them, or nobody wants them. is_bare: values alone were written."""
    if not shape.quiet and (is_bare or format_name not in HOLDS_NOTES):
        say_notes(notes)


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

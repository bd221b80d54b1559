"""How a result is shown: the format it takes, the notes, the gates, the exit code."""

import os
import shutil
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klcli.cli.options import FORMATS, BrokenDown, Output, Sampled, names, number, one_of
from klcli.console import destination, on_terminal, say, say_notes
from klcli.engine.measures import OF_WEIGHTS
from klcli.errors import UsageError, clipped, listed
from klcli.model import ELEMENTS, Asked
from klcli.renderers.text import View

if TYPE_CHECKING:  # it imports NumPy
    from klcli.model import Distribution
    from klcli.renderers.answer import Answer

GATE, SOME_FAILED = 1, 5
"""The exit codes of a result that is above a gate, and of one from which some rows are missing."""

DRAWN = frozenset({"table", "html"})
"""The formats that are drawn for people, who see at most so much at a time."""

HOLDS_NOTES = DRAWN | {"markdown"}
"""The formats that show the notes themselves; elsewhere they go to stderr."""

TABLE_ROWS = 30
"""What is drawn shows so many outcomes unless --top says otherwise; the rest is folded into one row that says so."""


class Gates:
    """`--fail-above FIELD=VALUE`, as often as given."""

    def __init__(self, given: Iterable[str] | None, fields: Iterable[str]) -> None:
        self.limits: list[tuple[str, float]] = []
        fields = list(fields)
        for text in given or ():
            field, equals, value = text.partition("=")
            if not equals and len(fields) == 1 and field not in fields:
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

    def exceeding(self, measured: Iterable[tuple[str, Mapping[str, float]]]) -> Iterable[str]:
        """For each field of the named measurements that is above its limit a line that says so."""
        for name, measures in measured:
            for field, limit in self.limits:
                value = measures.get(field, -inf)
                if not value <= limit:
                    above = f"above {limit!r}" if value > limit else f"which is not at most {limit!r}"
                    yield f"{name + ': ' if name else ''}{field} is {value!r}, {above}"


def chosen_format(form: Any, formats: Collection[str] = FORMATS, elsewhere: str = "tsv") -> str:  # noqa: ANN401 - options with `format` and `output`
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
    """What is asked of a result: bare fields or a format, how it looks, the gates.

    fields: those asked for bare. gated: those that gates may look at. Raises UsageError.
    """

    def __init__(self, form: Output, format_name: str, fields: Sequence[str], gated: Iterable[str]) -> None:
        self.form, self.format_name, self.fields = form, format_name, fields
        self.gates = Gates(form.fail_above, gated)
        self.view = view_of(form, format_name)

    def deliver(self, answer: "Answer", exceeding: Iterable[str] | None = None, failed: Iterable[str] = ()) -> int:
        """Writes the answer and says what `end` says, but for notes that the format shows. Returns the exit code.

        exceeding: where the answer's measured values do not tell.
        """
        self.write(answer, self.form.output)
        notes = answer.notes if self.fields or self.format_name not in HOLDS_NOTES else ()
        exceeding = self.gates.exceeding(answer.measured) if exceeding is None else exceeding
        return self.end(notes, exceeding, failed)

    def write(self, answer: "Answer", output: str | None) -> None:
        """Writes the answer, or its bare fields. output: a file, None for standard output."""
        from klcli.renderers.formats import RENDERERS, bare

        with destination(output) as out:
            if self.fields:
                bare(answer, self.fields, out)
            else:
                RENDERERS[self.format_name](answer, self.view, out)

    def end(self, notes: Iterable[str], exceeding: Iterable[str], failed: Iterable[str] = ()) -> int:
        """Says the notes, unless nobody wants them, and what went wrong. Returns the exit code.

        exceeding: a line on each gate that failed. failed: lines on what could not be computed.
        """
        if not self.form.quiet:
            say_notes(notes)
        code = 0
        for lines, meaning in ((exceeding, GATE), (failed, SOME_FAILED)):
            for line in lines:
                say(line)
                code = meaning
        return code


def measures_shown(asked: Sequence[str], got: Sequence[str], default: Iterable[str]) -> list[str]:
    """The measures to show. asked: by --measures. got: by --get. default: where neither names any."""
    return list(dict.fromkeys([*(asked or got or default), *got]))


class MeasuresRequest(Request):
    """What is asked of distributions: the measures shown, and of which outcomes.

    catalogue: the measures that 'all' means, of which `default` are shown unless others are named. besides: others that
    there are. elements: those of the breakdown, by which it is ordered; where there is none the measures order. extra:
    what --get takes, too. Raises UsageError.
    """

    def __init__(
        self,
        form: Any,  # noqa: ANN401 - options with `format`, `get` and what Output has
        measures: Iterable[str] | None,
        catalogue: Iterable[str],
        default: Iterable[str],
        *,
        besides: Collection[str] = (),
        extra: Iterable[str] = (),
        elements: Collection[str] = (),
    ) -> None:
        catalogue, columns = list(catalogue), ["outcome", *elements] if elements else []
        fields = names("--get", form.get, [*catalogue, *besides, *extra, *(f"{ELEMENTS}{name}" for name in columns)])
        asked = names("--measures", measures, catalogue, besides)
        self._all = set(asked) >= set(catalogue)
        catalogue += besides
        super().__init__(form, chosen_format(form), fields, catalogue)
        self.shown = measures_shown(asked, [field for field in fields if field in catalogue], default)
        self.sort = None if form.sort is None else one_of("--sort", form.sort, columns or catalogue)

    def asked(self, sampled: Sampled, given: "Distribution") -> Asked:
        """What is to be computed of the given, and of all others alike. Raises UsageError for what they have not."""
        shown = self.shown
        if given.formula is not None and self._all:  # of all there are, those that it has
            shown = [name for name in shown if name not in OF_WEIGHTS]
        asked = Asked(shown, self.gates.fields)
        if isinstance(self.form, BrokenDown):
            if given.formula is not None:
                self._refuse_outcomes(self.form)
            else:
                wanted, top = self._outcomes_shown(self.form)
                asked = asked._replace(breakdown=wanted, top=top, sort=self.sort)
        return asked._replace(sampling=sampled.sampling())

    def _refuse_outcomes(self, form: BrokenDown) -> None:
        """Raises UsageError where a breakdown by outcome is asked for, which a formula has not."""
        asked = {
            "--breakdown": form.breakdown,
            "--top": form.top is not None,
            "--sort": form.sort is not None,
            "--get": any(field.startswith(ELEMENTS) for field in self.fields),
        }
        option = next((option for option, is_asked in asked.items() if is_asked), None)
        if option is not None:
            grid = "put it on a grid, as normal(0,1)@-4:4:0.1"
            message = f"{option}: a formula has no outcomes to show one by one; {grid}"
            raise UsageError(message)

    def _outcomes_shown(self, form: BrokenDown) -> tuple[bool, int | None]:
        """Whether the breakdown is wanted, and how many of its rows: --top, or in tables so many as fit a screen."""
        wanted = form.breakdown
        if wanted is None:
            wanted = self.format_name in HOLDS_NOTES | {"json"} or form.top is not None or form.sort is not None
        if self.fields:
            wanted = any(field.startswith(ELEMENTS) for field in self.fields)
        if form.top is None:
            return wanted, TABLE_ROWS if self.format_name in DRAWN and not self.fields else None
        return wanted, form.top or None


def view_of(form: Any, format_name: str) -> View:  # noqa: ANN401 - options with `quiet`, `digits` and `color`
    """How the answer is shown in this format and on this terminal."""
    color = one_of("--color", form.color, ("auto", "always", "never"))
    if format_name != "table":
        return View(notes=not form.quiet, digits=form.digits)
    return View(
        notes=not form.quiet,
        digits=form.digits,
        width=max(40, shutil.get_terminal_size((80, 24)).columns),
        color=_wants_color(color, form),
        unicode=_encodes("█"),
    )


def _wants_color(choice: str, form: Output) -> bool:
    """Colours on a terminal that has them. Source: no-color.org, force-color.org."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    terminal = form.output is None and on_terminal()
    return terminal and os.environ.get("TERM") not in {"dumb", "unknown"}


def _encodes(character: str) -> bool:
    """Whether the terminal's encoding has the character."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True

"""Everything that can go wrong for a user, and the exit code of each branch.

    KlcliError
    |-- UsageError            2   an option, measure, unit or field that does not exist or does not fit
    |-- InputError            3   text, a file, a column or a pointer that cannot be read
    |-- DistributionError     4   read well, but no distribution, or two that do not match
    |-- OutputError           6   the result cannot be written
    |   |-- ClosedPipeError 141   whoever read the result went away; nothing is said
    |   |-- ResourceError     6   there is not the memory for it, or no thread can be started

An error's text is one line: where, what, and how to mend it. Whoever raises it writes that line; `cli` alone prints it,
and below it the place that the error points at, if it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self


class KlcliError(Exception):
    """The root of the tree; never raised itself."""

    exit_code = 70
    pointer: tuple[str, int] | None = None
    """What the user typed and the place in it, counted from 0, that is shown with a caret under it."""

    def pointing(self, text: str, at: int) -> Self:
        """The error itself, which now shows the place."""
        self.pointer = (text, at)
        return self


class UsageError(KlcliError):
    """The command line asks for what does not exist or does not fit together."""

    exit_code = 2


class InputError(KlcliError):
    """What was given cannot be read as numbers and labels."""

    exit_code = 3


class DistributionError(KlcliError):
    """The numbers are no distribution, or the two distributions cannot be compared."""

    exit_code = 4


class OutputError(KlcliError):
    """The result could not be written."""

    exit_code = 6


class ClosedPipeError(OutputError):
    """The reader of the result went away."""

    exit_code = 141


class ResourceError(OutputError):
    """There is not the memory, or no thread. As with a full disk neither the input (3) nor klcli (70) is at fault."""


_LACKS = {
    "no thread can be started; allow more (ulimit -u), or more memory": (
        "can't start new thread",
        "failed to launch worker thread",
        "resource temporarily unavailable",
    ),
    "out of memory; give less at once, or allow more (ulimit -v)": (
        "cannot allocate memory",
        "failed to map segment",
        "bad_alloc",
    ),
}
"""What the machine lacks, by what Python, the system, Arrow and whoever loads libraries say then."""


def lacking(error: Exception) -> ResourceError | None:
    """What an error means if it is that the machine lacks something, else None."""
    said = "cannot allocate memory" if isinstance(error, MemoryError) else f"{error} {error.__cause__}".lower()
    return next((ResourceError(lack) for lack, signs in _LACKS.items() if any(sign in said for sign in signs)), None)


_LONGEST = 60


def clipped(text: str) -> str:
    """Text of a user's, fit for one line of an error: escaped where it would not print, quoted, cut if it is long."""
    return repr(text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…")


def typed(text: str) -> str:
    """Text of a user's as a shell takes it, quoted where it must be: what an error tells to type works when pasted."""
    from re import fullmatch
    from shlex import quote

    return text if fullmatch(r"[\w@%+=:,./-][\w@%+=:,./#-]*", text) else quote(text)


def nearest(name: str, choices: Iterable[str], least: float = 0.5) -> str:
    """' Did you mean ...?', or nothing when no choice is at least so similar; of equally similar ones the first."""
    from difflib import SequenceMatcher

    def similarity(choice: str) -> float:
        return SequenceMatcher(None, name.casefold(), choice.casefold()).ratio()

    best = max((choice for choice in choices if choice != name), key=similarity, default=None)
    return f" Did you mean {clipped(best)}?" if best is not None and similarity(best) >= least else ""


def listed(names: Iterable[str], most: int = 8) -> str:
    """'a, b, c', cut after `most` names, each fit for one line."""
    names = list(names)
    shown = ", ".join(name if name.isprintable() and name else clipped(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def no_such(source: str, name: str, names: Sequence[str], what: str = "column") -> InputError:
    """The error for a name that a source does not have."""
    has = listed(names) if names else f"no {what}s"
    return InputError(f"{source}: no {what} {clipped(name)}; it has {has}.{nearest(name, names, 0.4)}")

"""The one place where errors become a line on stderr and an exit code."""

import errno
import io
import os
import sys
import traceback
from contextlib import suppress
from typing import Self

from klcli.errors import ClosedPipeError, KlcliError, OutputError, UsageError, nearest

GATE, BUG, INTERRUPTED = 1, 70, 130
REPORT_AT = "https://github.com/klcli/klcli/issues"


def guarded(args: list[str]) -> int:  # noqa: PLR0911 - a return an exit code
    """Runs the command line `args`. Returns the exit code; whatever goes wrong has been said in one line."""
    debug = "--debug" in args
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    try:
        code = _run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, ClosedPipeError):
        _forget_stdout()
        return ClosedPipeError.exit_code
    except KlcliError as error:
        return _failed(str(error), error.exit_code, debug=debug, pointer=error.pointer)
    except OSError as error:
        _forget_stdout()
        return _failed(f"standard output: {reason(error)}", OutputError.exit_code, debug=debug)
    except MemoryError:
        return _failed("out of memory; give fewer outcomes at once", BUG, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must end in one line too
        return _failed(f"a bug: {type(error).__name__}: {error}; please report it at {REPORT_AT}", BUG, debug=debug)
    return code


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output closed before the start, where Python has None and loses what is written."""

    @property
    def buffer(self) -> Self:
        """Itself: bytes are lost as much as text."""
        return self

    def write(self, _: object) -> int:
        """Raises OSError."""
        raise OSError(errno.EBADF, "it is closed; redirect it, or add --output FILE")


def _run(args: list[str]) -> int:
    import typer

    from klcli.cli.app import command

    try:
        returned = command().main(args=args, prog_name="klcli", standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):  # Typer's own output, as help
            raise ClosedPipeError from None
        raise
    except Exception as error:
        if isinstance(error, typer.BadParameter.__mro__[1]):  # click's UsageError, which Typer keeps to itself
            raise UsageError(_usage(error, args)) from error
        raise
    return returned if isinstance(returned, int) else 0


def _usage(error: Exception, args: list[str]) -> str:
    """A usage error in our words: what was not understood, and the nearest thing that is."""
    context = getattr(error, "ctx", None)
    from klcli.cli.app import KINDS

    path = 2 if args and args[0] in KINDS else 1
    used = context.command_path if context is not None else " ".join(["klcli", *args[:path]])
    name = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption" and name is not None:
        options = [opt for param in (context.command.params if context else []) for opt in param.opts]
        known = [opt for opt in options if opt.startswith("--")] if name.startswith("--") else []
        return f"no option '{name}'.{nearest(name, known, 0.7)} See {used} --help"
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}; see {used} --help"


def reason(error: OSError) -> str:
    """What the system says, as part of a sentence."""
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def _failed(message: str, code: int, *, debug: bool, pointer: tuple[str, int] | None = None) -> int:
    if debug:
        traceback.print_exc()
    say(message, pointer)
    return code


def say(message: str, pointer: tuple[str, int] | None = None) -> None:
    """One line on stderr, whatever is in the message; nothing where stderr is gone.

    pointer: something typed and a place in it, shown in two more lines.
    """
    if sys.stderr is None:
        return
    encoding = sys.stderr.encoding or "utf-8"
    lines = [f"klcli: {''.join(_shown(c, encoding) for c in message)}"]
    if pointer is not None:
        lines += [f"  {line}" for line in _pointed(*pointer, encoding)]
    with suppress(OSError):
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()


def _shown(c: str, encoding: str) -> str:
    """A character as stderr can show it, else escaped."""
    if not c.isprintable():
        return c.encode("unicode_escape").decode()
    return c.encode(encoding, "backslashreplace").decode(encoding)


_WIDEST = 70
"""Cells of a terminal that are shown of what was typed."""


def _pointed(text: str, at: int, encoding: str) -> tuple[str, str]:
    """The text, cut where it is long, and a line with a caret under the place; which may be just behind the text."""
    first, last = max(0, at - _WIDEST), min(len(text), at + _WIDEST)
    shown = [_shown(c, encoding) for c in text[first:last]]
    left, right = shown[: at - first], shown[at - first :]
    before, after = (sum(map(_cells, side)) for side in (left, right))
    while before + after > _WIDEST:
        if before > after or len(right) == 1:
            before -= _cells(left.pop(0))
        else:
            after -= _cells(right.pop())
    cut = _shown("…", encoding)
    start = cut if at > len(left) else ""
    end = cut if at + len(right) < len(text) else ""
    return f"{start}{''.join(left)}{''.join(right)}{end}", f"{' ' * (_cells(start) + before)}^"


def _cells(shown: str) -> int:
    """How many cells of a terminal a text is wide: a Chinese character takes two, an accent put on another none."""
    from unicodedata import category, east_asian_width

    return sum(0 if category(c) in {"Mn", "Me"} else 2 if east_asian_width(c) in "WF" else 1 for c in shown)


def _forget_stdout() -> None:
    """Keeps Python from flushing, at its end, what cannot be written."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

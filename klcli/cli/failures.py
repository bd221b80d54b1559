"""The one place where errors become a line on stderr and an exit code."""

import errno
import io
import os
import sys
from contextlib import suppress
from typing import Self

from klcli.console import INTERRUPTED, STDOUT, ending, reason, say
from klcli.errors import ClosedPipeError, KlcliError, OutputError, UsageError, lacking, listed, nearest

REPORT_AT = "https://github.com/klcli/klcli/issues"


def guarded(args: list[str]) -> int:
    """Runs the command line `args`. Returns the exit code; whatever goes wrong has been said in one line."""
    ending.begin()
    try:
        code = _outcome(args, debug="--debug" in args)
    except SystemExit:
        if not ending.signals:  # it is Typer's, after completion
            raise
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    return ending.end(code)


def _outcome(args: list[str], *, debug: bool) -> int:
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
    try:
        code = _run(args)
        sys.stdout.flush()
    except (BrokenPipeError, ClosedPipeError):
        _forget_stdout()
        return ClosedPipeError.exit_code
    except KlcliError as error:
        return _failed(error, debug=debug)
    except Exception as error:  # noqa: BLE001 - the last resort: a bug must end in one line too
        lack = lacking(error)
        if lack is not None:
            return _failed(lack, debug=debug)
        if isinstance(error, OSError):
            _forget_stdout()
            return _failed(OutputError(f"{error.filename or STDOUT}: {reason(error)}"), debug=debug)
        bug = KlcliError(f"a bug: {type(error).__name__}: {error}; please report it at {REPORT_AT}")
        return _failed(bug, debug=debug)
    return code


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output closed before the start, where Python has None and loses what is written."""

    @property
    def buffer(self) -> Self:
        """Itself: bytes are lost as much as text."""
        return self

    def write(self, _: object) -> int:
        """Writes nothing. Raises OSError."""
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
    from klcli.cli.options import FORMATS

    path = 2 if args and args[0] in KINDS else 1
    used = context.command_path if context is not None else " ".join(["klcli", *args[:path]])
    name = getattr(error, "option_name", None)
    if type(error).__name__ == "NoSuchOption" and name is not None:
        params = context.command.params if context else []
        options = [opt for param in params for opt in (*param.opts, *param.secondary_opts)]
        if used == "klcli kl" and _has("compare", name):
            formats = f" ({', '.join(FORMATS)})" if name in {"-f", "--format"} else ""
            return f"no option '{name}': {used} prints one number; klcli compare has {name}{formats}"
        known = [opt for opt in options if opt.startswith("--")] if name.startswith("--") else []
        others = _kinds_with(name, args[0]) if path > 1 else ""
        hint = nearest(name, known, 0.7) if not others else ""
        return f"no option '{name}'{others}.{hint} See {used} --help"
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    return f"{message[:1].lower()}{message[1:]}; see {used} --help"


def _has(name: str, option: str) -> bool:
    """Whether a command has an option."""
    from klcli.cli.app import command

    found = command().get_command(None, name)
    return any(option in (*param.opts, *param.secondary_opts) for param in found.params)


def _kinds_with(option: str, name: str) -> str:
    """Which kinds of a command have an option that another of them has not, ' (kl-div has it)'; '' where none has."""
    from klcli.cli.app import KINDS, command

    group = command().get_command(None, name)
    having = [k for k in KINDS[name] if any(option in param.opts for param in group.get_command(None, k).params)]
    return f" ({listed(having)} {'have' if len(having) > 1 else 'has'} it)" if having else ""


def _failed(error: KlcliError, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    say(str(error), error.pointer)
    return error.exit_code


def _forget_stdout() -> None:
    """Keeps Python from flushing, at its end, what cannot be written."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

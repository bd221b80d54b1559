"""The commands and their order. A command's module is imported when it is called, or listed with its options."""

import re
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from klcli import __version__
from klcli.errors import UsageError, clipped, listed, nearest

COMMANDS = ("compare", "kl", "entropy", "rank", "batch", "matrix", "loss", "fit")
"""The commands, each in the module of its name."""

KINDS = {"loss": ("kl-div", "cross-entropy", "nll", "bce", "bce-with-logits", "focal", "js", "kl-samples")}
"""The commands of a command: functions of its module."""

_ALSO_CALLED = {
    "ce": "cross-entropy",
    "binary-cross-entropy": "bce",
    "binary-cross-entropy-with-logits": "bce-with-logits",
    "nll-loss": "nll",
    "sigmoid-focal-loss": "focal",
}
"""Names of losses, PyTorch's above all, of which the nearest by its letters is another loss, or none."""

# A value that starts with a minus sign, or standard input with a column: no option does.
_NOT_AN_OPTION = re.compile(r"-(?:\d|\.\d|inf(?:inity)?\b|nan\b|[:#])", re.IGNORECASE)


class _Command(TyperCommand):
    """A command that takes -1,2 for what it is, and has one way to say how it is used."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - Typer does not export its Context's base
        """Marks numbers with a minus sign by a space in front, which every reader of them strips."""
        valued = {opt for param in self.params if not getattr(param, "is_flag", True) for opt in param.opts}
        marked, end = [], args.index("--") if "--" in args else len(args)
        for before, arg in zip(["", *args], args[:end], strict=False):
            marked.append(f" {arg}" if before not in valued and _NOT_AN_OPTION.match(arg) else arg)
        return super().parse_args(ctx, marked + args[end:])


class _Commands(TyperGroup):
    """A group of commands that are made when they are asked for."""

    names: tuple[str, ...] = COMMANDS
    module = ""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002
        """In the order of use, not of the alphabet."""
        return list(self.names)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002
        """The command of that name, or None."""
        if cmd_name not in self.names:
            return None
        return _group(cmd_name) if cmd_name in KINDS else _single(self.module or cmd_name, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401
        """The command that the first argument names. Raises UsageError with the nearest."""
        if args and args[0] not in self.names and not args[0].startswith("-"):
            what = f"no {self.module or 'command'} {clipped(args[0])}"
            named = _ALSO_CALLED.get(args[0].replace("_", "-"), "") if self.module == "loss" else ""
            hint = f" Did you mean {clipped(named)}?" if named else nearest(args[0], self.names)
            message = f"{what}; there are {listed(self.names)}.{hint}"
            raise UsageError(message)
        return super().resolve_command(ctx, args)


@cache
def _single(module: str, name: str) -> Any:  # noqa: ANN401
    single = typer.Typer(add_completion=False, rich_markup_mode="rich")
    run = getattr(import_module(f"klcli.cli.{module}"), name.replace("-", "_"))
    single.command(name, cls=_Command, context_settings=_HELP)(run)
    return _named(single, name)


@cache
def _group(name: str) -> Any:  # noqa: ANN401
    kinds = type("_Kinds", (_Commands,), {"names": KINDS[name], "module": name})
    group = typer.Typer(cls=kinds, add_completion=False, rich_markup_mode="rich", context_settings=_HELP)
    group.callback(invoke_without_command=True)(getattr(import_module(f"klcli.cli.{name}"), name))
    return _named(group, name)


def _named(made: typer.Typer, name: str) -> Any:  # noqa: ANN401
    command = get_command(made)
    command.name = name
    return command


_HELP = {"help_option_names": ["-h", "--help"]}


def _print_version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        typer.echo(f"klcli {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does all
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,  # noqa: ARG001
) -> None:
    """KL divergence, entropy and their relatives: exact, quick, and at home in a pipe.

    A distribution is numbers (0.4,0.6), pairs (cat=0.7,dog=0.3), JSON, a file (survey.csv, survey.csv:truth,
    model.json#/probs) or - for standard input.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def command() -> Any:  # noqa: ANN401
    """The whole command line as one click command."""
    app = typer.Typer(cls=_Commands, rich_markup_mode="rich", context_settings=_HELP, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(_root)
    return get_command(app)

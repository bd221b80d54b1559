"""`klcli loss` and its five kinds."""

from typing import Annotated

import typer

from klcli.cli.options import Drawn, Group, Option, Reading, completing, grouped, names, number, one_of
from klcli.cli.output import Gates, suffix_format, view_of
from klcli.console import destination, on_terminal, say_notes
from klcli.errors import UsageError, clipped
from klcli.tensors import BATCHMEAN, DTYPES, FIELDS, LOGITS, LOGPROBS, PROBS, REDUCTIONS, Operands, Task

VALUE = "value"
FORMATS = (VALUE, "table", "tsv", "csv", "json", "ndjson", "markdown")
SPACES = (LOGITS, PROBS, LOGPROBS)

_INPUTS, _MATHS, _OUTPUT = "Inputs", "Maths", "Output"

_WEIGHTS = ("--weight", "--pos-weight")

_WHAT = "nested JSON, numbers, FILE[:COLUMNS], FILE.npz:NAME, FILE#/POINTER or -."
Given = Annotated[str, typer.Argument(metavar="INPUT", help=f"Predictions: {_WHAT}")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="What should have been predicted, written the same way.")]


class Common(Group):
    """What every loss has."""

    reduction: Annotated[
        str,
        Option(
            metavar="|".join(REDUCTIONS),
            autocompletion=completing(REDUCTIONS),
            rich_help_panel=_MATHS,
            help="What becomes of the losses.",
        ),
    ] = "mean"
    dtype: Annotated[
        str,
        Option(
            metavar="|".join(DTYPES),
            autocompletion=completing(DTYPES),
            rich_help_panel=_MATHS,
            help="Compute, and round, in this precision as PyTorch does.",
        ),
    ] = "float64"

    def checked_reduction(self) -> str:
        """The reduction, if it is one. Raises UsageError."""
        if self.reduction == BATCHMEAN:
            message = "--reduction batchmean is kl-div's; the mean of the rows is mean here"
            raise UsageError(message)
        return one_of("--reduction", self.reduction, REDUCTIONS)

    def checked_dtype(self) -> str:
        """The precision, if it is one. Raises UsageError."""
        return one_of("--dtype", self.dtype, DTYPES)


class OfLogs(Common):
    """What the losses of log-probabilities have."""

    input_as: Annotated[
        str,
        Option(
            metavar="|".join(SPACES),
            autocompletion=completing(SPACES),
            rich_help_panel=_INPUTS,
            help="What INPUT is; PyTorch takes log-probabilities.",
        ),
    ] = LOGPROBS


class OfKL(OfLogs):
    """What kl-div has."""

    reduction: Annotated[
        str,
        Option(
            metavar="|".join((*REDUCTIONS, BATCHMEAN)),
            autocompletion=completing((*REDUCTIONS, BATCHMEAN)),
            rich_help_panel=_MATHS,
            help="What becomes of the losses; batchmean is the mean divergence of the rows, mean that of the elements.",
        ),
    ] = "mean"
    log_target: Annotated[
        bool, Option("--log-target", rich_help_panel=_INPUTS, help="TARGET is log-probabilities, as INPUT is.")
    ] = False
    target_as: Annotated[
        str | None,
        Option(
            metavar="|".join(SPACES),
            autocompletion=completing(SPACES),
            rich_help_panel=_INPUTS,
            help="What TARGET is; PyTorch takes probabilities.",
        ),
    ] = None
    dim: Annotated[
        int | None, Option(metavar="AXIS", rich_help_panel=_INPUTS, help="The axis of the classes (else the last).")
    ] = None

    def checked_reduction(self) -> str:
        """The reduction, if it is one. Raises UsageError."""
        return one_of("--reduction", self.reduction, (*REDUCTIONS, BATCHMEAN))


class OfClasses(Common):
    """What cross-entropy and nll have."""

    weight: Annotated[
        str | None,
        Option(metavar="1,2,0.5", rich_help_panel=_MATHS, help="A weight for each class: numbers or a file."),
    ] = None
    ignore_index: Annotated[
        int | None,
        Option(metavar="CLASS", rich_help_panel=_MATHS, help="Leave out rows with this target (else -100)."),
    ] = None
    dim: Annotated[
        int | None,
        Option(metavar="AXIS", rich_help_panel=_INPUTS, help="The axis of the classes (else 1, as in PyTorch)."),
    ] = None


class OfCrossEntropy(OfClasses):
    """What cross-entropy has besides."""

    label_smoothing: Annotated[
        str, Option(metavar="EPS", rich_help_panel=_MATHS, help="Share of every target spread over all classes.")
    ] = "0"


class OfNll(OfClasses, OfLogs):
    """What nll has."""


class OfTwo(Common):
    """What the binary losses have."""

    weight: Annotated[
        str | None,
        Option(
            metavar="WEIGHTS",
            rich_help_panel=_MATHS,
            help="For each element, or each of the last axis: numbers or a file.",
        ),
    ] = None
    pos_weight: Annotated[
        str | None, Option(metavar="WEIGHTS", rich_help_panel=_MATHS, help="The same, of the positive targets alone.")
    ] = None


class Form(Drawn):
    """The form of the result."""

    format: Annotated[
        str,
        Option(
            "--format",
            "-f",
            metavar="FORMAT",
            autocompletion=completing(("auto", *FORMATS)),
            rich_help_panel=_OUTPUT,
            help=f"auto, {', '.join(FORMATS)}. Auto: a table on a terminal, else the value.",
        ),
    ] = "auto"
    get: Annotated[
        list[str] | None,
        Option(
            "--get",
            "-g",
            metavar="FIELD",
            autocompletion=completing(FIELDS, several=True),
            rich_help_panel=_OUTPUT,
            help=f"Bare values, a line each: {', '.join(FIELDS)}.",
        ),
    ] = None
    explain: Annotated[
        bool, Option("--explain", rich_help_panel=_OUTPUT, help="Print the same in PyTorch instead, ready to run.")
    ] = False


def loss(context: typer.Context) -> None:
    """PyTorch's losses to the last digit, without PyTorch, and a word on the usual traps.

    klcli loss cross-entropy '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss kl-div 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --reduction sum

    klcli loss cross-entropy samples/predictions.csv:2-4 samples/predictions.csv:class -f tsv
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@grouped
def kl_div(input: Given, target: Target, *, reading: Reading, how: OfKL, form: Form) -> int:  # noqa: A002 - PyTorch's name
    """How far are predictions from targets? torch.nn.functional.kl_div: the sum of target (log target - input).

    klcli loss kl-div '[[-0.4,-1.2]]' '[[0.6,0.4]]' --reduction batchmean

    klcli loss kl-div 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --reduction sum

    klcli loss kl-div '[[2,1,0.1]]' '[[0,0.9,0.1]]' --input-as logits --reduction batchmean --explain
    """
    target_as = PROBS if how.target_as is None else one_of("--target-as", how.target_as, SPACES)
    if how.log_target and how.target_as not in {None, LOGPROBS}:
        message = f"--log-target means --target-as logprobs; it does not go with --target-as {target_as}"
        raise UsageError(message)
    task = Task(
        "kl-div",
        how.checked_reduction(),
        one_of("--input-as", how.input_as, SPACES),
        LOGPROBS if how.log_target else target_as,
        dim=how.dim,
        dtype=how.checked_dtype(),
    )
    return _run(task, (input, target), reading, form)


@grouped
def cross_entropy(input: Given, target: Target, *, reading: Reading, how: OfCrossEntropy, form: Form) -> int:  # noqa: A002
    """Are logits right about classes? torch.nn.functional.cross_entropy, of class indices or of probabilities.

    klcli loss cross-entropy '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss cross-entropy 2,1,0.1 1 --label-smoothing 0.1

    klcli loss cross-entropy '[[2,1,0.1]]' '[[0,0.9,0.1]]' -f json
    """
    smoothing = number("--label-smoothing", how.label_smoothing)
    if not 0 <= smoothing <= 1:
        message = f"--label-smoothing {clipped(how.label_smoothing)}: a share is from 0 to 1"
        raise UsageError(message)
    task = _of_classes("cross-entropy", how, LOGITS)._replace(label_smoothing=smoothing)
    return _run(task, (input, target, how.weight), reading, form)


@grouped
def nll(input: Given, target: Target, *, reading: Reading, how: OfNll, form: Form) -> int:  # noqa: A002
    """How likely were the classes? torch.nn.functional.nll_loss, of log-probabilities and class indices.

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,1 -q

    klcli loss nll 0.3,0.3,0.4 2 --input-as probs

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,-100 --reduction none -q
    """
    task = _of_classes("nll", how, one_of("--input-as", how.input_as, SPACES))
    return _run(task, (input, target, how.weight), reading, form)


@grouped
def bce(input: Given, target: Target, *, reading: Reading, how: OfTwo, form: Form) -> int:  # noqa: A002
    """Are probabilities right about yes and no? torch.nn.functional.binary_cross_entropy, each element by itself.

    klcli loss bce 0.9,0.2,0.6 1,0,1

    klcli loss bce 0.9,0.2,0.6 1,0,1 --reduction none

    klcli loss bce '[[0.9,0.2],[0.6,0.5]]' '[[1,0],[1,1]]' --weight 1,2 --reduction sum
    """
    return _run(_of_two("bce", how, PROBS), (input, target, how.weight, how.pos_weight), reading, form)


@grouped
def bce_with_logits(input: Given, target: Target, *, reading: Reading, how: OfTwo, form: Form) -> int:  # noqa: A002
    """Are logits right about yes and no? torch.nn.functional.binary_cross_entropy_with_logits.

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1 --pos-weight 3

    klcli loss bce-with-logits 800,-800 0,1 --reduction none
    """
    return _run(_of_two("bce-with-logits", how, LOGITS), (input, target, how.weight, how.pos_weight), reading, form)


def _of_classes(kind: str, how: OfClasses, input_as: str) -> Task:
    return Task(
        kind,
        how.checked_reduction(),
        input_as,
        ignore_index=how.ignore_index,
        dim=how.dim,
        dtype=how.checked_dtype(),
    )


def _of_two(kind: str, how: OfTwo, input_as: str) -> Task:
    return Task(kind, how.checked_reduction(), input_as, dtype=how.checked_dtype())


def _run(task: Task, texts: tuple[str, str, *tuple[str | None, ...]], reading: Reading, form: Form) -> int:
    """Reads the operands, in the order of `Operands`, evaluates, shows. Returns the exit code."""
    gates = Gates(form.fail_above, [VALUE])
    fields = names("--get", form.get, FIELDS)
    format_name = _format_of(form, fields)
    view = view_of(form, format_name)

    from klcli.analyses.losses import evaluate
    from klcli.readers.arrays import Arrays

    arrays = Arrays(reading.input_format, reading.dialect(), keys=False)
    given, target, *weights = texts
    operands = Operands(
        arrays.read(given, "INPUT", [text for text in texts[1:] if text is not None]),
        arrays.read(target, "TARGET"),
        *(None if w is None else arrays.read(w, role) for w, role in zip(weights, _WEIGHTS, strict=False)),
    )
    detail = format_name not in {VALUE, "tsv", "csv", "ndjson"} or bool({*fields} - {VALUE, "rows"})
    report = evaluate(task, operands, detail=detail)

    from klcli.renderers.loss import FORMATS as RENDERERS
    from klcli.renderers.loss import bare
    from klcli.renderers.pytorch import left_to_load, script

    notes = list(report.notes)
    with destination(form.output) as out:
        if form.explain:
            notes += [f"{role} is too much to print; load it where the script has ..." for role in left_to_load(report)]
            out.write(script(report).encode("utf-8", "backslashreplace"))
        elif fields:
            bare(report, fields, out)
        else:
            RENDERERS[format_name](report, view, out)
    if not form.quiet and (fields or form.explain or format_name not in {"table", "markdown"}):
        say_notes(notes)
    worst = float(report.value.max())
    return gates.exit_code([("", {VALUE: worst})])


def _format_of(form: Form, fields: list[str]) -> str:
    """The format asked for; else by the suffix of the output; else a table on a terminal and the value elsewhere."""
    choice = one_of("--format", form.format, ("auto", *FORMATS))
    if form.explain and (fields or choice != "auto"):
        message = "--explain prints a script instead of the result; leave out --format and --get, or take it by -f json"
        raise UsageError(message)
    if fields or form.explain:
        return VALUE
    if choice != "auto":
        return choice
    if form.output is not None:
        return suffix_format(form.output, FORMATS) or VALUE
    return "table" if on_terminal() else VALUE

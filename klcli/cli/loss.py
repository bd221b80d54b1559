"""`klcli loss` and its five kinds."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from klcli.cli.options import FORMATS as FORMATS_OF_ALL
from klcli.cli.options import (
    Drawn,
    Group,
    ReadingOptions,
    completing,
    format_option,
    get_option,
    grouped,
    input_option,
    maths_option,
    names,
    number,
    one_of,
    output_option,
)
from klcli.cli.output import Request, chosen_format
from klcli.console import write
from klcli.errors import UsageError, clipped
from klcli.tensors import BATCHMEAN, DTYPES, FIELDS, LOGITS, LOGPROBS, PROBS, REDUCTIONS, Task

VALUE = "value"
FORMATS = (VALUE, *FORMATS_OF_ALL)
SPACES = (LOGITS, PROBS, LOGPROBS)
OF_KL = (*REDUCTIONS, BATCHMEAN)
_WHAT = "nested JSON, numbers, FILE[:COLUMNS], FILE.npz:NAME, FILE#/POINTER or -."
Given = Annotated[str, typer.Argument(metavar="INPUT", help=f"Predictions: {_WHAT}")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="What should have been predicted, written the same way.")]


class Common(Group):
    """What every loss has."""

    reduction: str = maths_option(default="mean", choices=REDUCTIONS, help="What becomes of the losses.")
    dtype: str = maths_option(
        default="float64", choices=DTYPES, help="Compute, and round, in this precision as PyTorch does."
    )

    def task(self, loss: str, input_as: str, **other: Any) -> Task:  # noqa: ANN401 - as Task has them
        """The loss to compute. Raises UsageError."""
        if self.reduction == BATCHMEAN and loss != "kl-div":
            message = "--reduction batchmean is kl-div's; the mean of the rows is mean here"
            raise UsageError(message)
        reduction = one_of("--reduction", self.reduction, OF_KL if loss == "kl-div" else REDUCTIONS)
        input_as = one_of("--input-as", input_as, SPACES)
        return Task(loss, reduction, input_as, dtype=one_of("--dtype", self.dtype, DTYPES), **other)


class OfLogs(Common):
    """What the losses of log-probabilities have."""

    input_as: str = input_option(
        default=LOGPROBS, choices=SPACES, help="What INPUT is; PyTorch takes log-probabilities."
    )


class OfKL(OfLogs):
    """What kl-div has."""

    reduction: str = maths_option(
        default="mean",
        choices=OF_KL,
        help="What becomes of the losses; batchmean is the mean divergence of the rows, mean that of the elements.",
    )
    log_target: bool = input_option("--log-target", default=False, help="TARGET is log-probabilities, as INPUT is.")
    target_as: str | None = input_option(choices=SPACES, help="What TARGET is; PyTorch takes probabilities.")
    dim: int | None = input_option(metavar="AXIS", help="The axis of the classes (else the last).")


class OfClasses(Common):
    """What cross-entropy and nll have."""

    weight: str | None = maths_option(metavar="1,2,0.5", help="A weight for each class: numbers or a file.")
    ignore_index: int | None = maths_option(metavar="CLASS", help="Leave out rows with this target (else -100).")
    dim: int | None = input_option(metavar="AXIS", help="The axis of the classes (else 1, as in PyTorch).")


class OfCrossEntropy(OfClasses):
    """What cross-entropy has besides."""

    label_smoothing: str = maths_option(
        default="0", metavar="EPS", help="Share of every target spread over all classes."
    )


class OfNll(OfClasses, OfLogs):
    """What nll has."""


class OfTwo(Common):
    """What the binary losses have."""

    weight: str | None = maths_option(
        metavar="WEIGHTS", help="For each element, or each of the last axis: numbers or a file."
    )
    pos_weight: str | None = maths_option(metavar="WEIGHTS", help="The same, of the positive targets alone.")


class LossForm(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table on a terminal, else the value")
    get: list[str] | None = get_option(
        metavar="FIELD",
        autocompletion=completing(FIELDS, several=True),
        help=f"Bare values, a line each: {', '.join(FIELDS)}.",
    )
    explain: bool = output_option("--explain", default=False, help="Print the same in PyTorch instead, ready to run.")

    def request(self) -> Request:
        """What is asked of the loss; bare values and a script have the format of the value. Raises UsageError."""
        fields = names("--get", self.get, FIELDS)
        if self.explain and (fields or self.format != "auto"):
            mend = "leave out --format and --get, or take it by -f json"
            message = f"--explain prints a script instead of the result; {mend}"
            raise UsageError(message)
        one_of("--format", self.format, ("auto", *FORMATS))
        format_name = VALUE if fields or self.explain else chosen_format(self, FORMATS, VALUE)
        return Request(self, format_name, fields, [VALUE])


def loss(context: typer.Context) -> None:
    """PyTorch's losses to the last digit, without PyTorch, and a word on the usual traps.

    klcli loss cross-entropy '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss kl-div 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --reduction sum

    klcli loss cross-entropy samples/predictions.csv:2-4 samples/predictions.csv:class -f tsv
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@grouped
def kl_div(input: Given, target: Target, *, reading: ReadingOptions, how: OfKL, form: LossForm) -> int:  # noqa: A002 - PyTorch's name
    """How far are predictions from targets? torch.nn.functional.kl_div: the sum of target (log target - input).

    klcli loss kl-div '[[-0.4,-1.2]]' '[[0.6,0.4]]' --reduction batchmean

    klcli loss kl-div 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --reduction sum

    klcli loss kl-div '[[2,1,0.1]]' '[[0,0.9,0.1]]' --input-as logits --reduction batchmean --explain
    """
    target_as = PROBS if how.target_as is None else one_of("--target-as", how.target_as, SPACES)
    if how.log_target and how.target_as not in {None, LOGPROBS}:
        message = f"--log-target means --target-as logprobs; it does not go with --target-as {target_as}"
        raise UsageError(message)
    target_as = LOGPROBS if how.log_target else target_as
    task = how.task("kl-div", how.input_as, target_as=target_as, dim=how.dim)
    return _run(task, (input, target), reading, form)


@grouped
def cross_entropy(input: Given, target: Target, *, reading: ReadingOptions, how: OfCrossEntropy, form: LossForm) -> int:  # noqa: A002
    """Are logits right about classes? torch.nn.functional.cross_entropy, of class indices or of probabilities.

    klcli loss cross-entropy '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss cross-entropy 2,1,0.1 1 --label-smoothing 0.1

    klcli loss cross-entropy '[[2,1,0.1]]' '[[0,0.9,0.1]]' -f json
    """
    smoothing = number("--label-smoothing", how.label_smoothing)
    if not 0 <= smoothing <= 1:
        message = f"--label-smoothing {clipped(how.label_smoothing)}: a share is from 0 to 1"
        raise UsageError(message)
    task = how.task("cross-entropy", LOGITS, ignore_index=how.ignore_index, dim=how.dim, label_smoothing=smoothing)
    return _run(task, (input, target, how.weight), reading, form)


@grouped
def nll(input: Given, target: Target, *, reading: ReadingOptions, how: OfNll, form: LossForm) -> int:  # noqa: A002
    """How likely were the classes? torch.nn.functional.nll_loss, of log-probabilities and class indices.

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,1 -q

    klcli loss nll 0.3,0.3,0.4 2 --input-as probs

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,-100 --reduction none -q
    """
    task = how.task("nll", how.input_as, ignore_index=how.ignore_index, dim=how.dim)
    return _run(task, (input, target, how.weight), reading, form)


@grouped
def bce(input: Given, target: Target, *, reading: ReadingOptions, how: OfTwo, form: LossForm) -> int:  # noqa: A002
    """Are probabilities right about yes and no? torch.nn.functional.binary_cross_entropy, each element by itself.

    klcli loss bce 0.9,0.2,0.6 1,0,1

    klcli loss bce 0.9,0.2,0.6 1,0,1 --reduction none

    klcli loss bce '[[0.9,0.2],[0.6,0.5]]' '[[1,0],[1,1]]' --weight 1,2 --reduction sum
    """
    return _run(how.task("bce", PROBS), (input, target, how.weight, how.pos_weight), reading, form)


@grouped
def bce_with_logits(input: Given, target: Target, *, reading: ReadingOptions, how: OfTwo, form: LossForm) -> int:  # noqa: A002
    """Are logits right about yes and no? torch.nn.functional.binary_cross_entropy_with_logits.

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1 --pos-weight 3

    klcli loss bce-with-logits 800,-800 0,1 --reduction none
    """
    return _run(how.task("bce-with-logits", LOGITS), (input, target, how.weight, how.pos_weight), reading, form)


def _run(task: Task, texts: Sequence[str | None], reading: ReadingOptions, form: LossForm) -> int:
    """Reads the operands, in the order of `Operands`, evaluates, shows. Returns the exit code."""
    request = form.request()

    from klcli.analyses.losses import evaluate
    from klcli.renderers.loss import LossAnswer

    detail = request.format_name not in {VALUE, "tsv", "csv", "ndjson"} or bool({*request.fields} - {VALUE, "rows"})
    report = evaluate(task, reading.arrays(keys=False).operands(*texts), detail=detail)
    answer = LossAnswer(report)
    if not form.explain:
        return request.deliver(answer)

    from klcli.renderers.pytorch import left_to_load, script

    write(script(report), form.output)
    notes = [f"{role} is too much to print; load it where the script has ..." for role in left_to_load(report)]
    return request.end([*report.notes, *notes], request.gates.exceeding(answer.measured))

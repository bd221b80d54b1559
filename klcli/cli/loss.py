"""`klcli loss` and its kinds."""

from collections.abc import Callable, Mapping
from math import inf
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
from klcli.model import UNITS
from klcli.tensors import BATCHMEAN, DTYPES, ESTIMATORS, FIELDS, LOGITS, LOGPROBS, PROBS, REDUCTIONS, Operands, Task

VALUE = "value"
FORMATS = (VALUE, *FORMATS_OF_ALL)
SPACES = (LOGITS, PROBS, LOGPROBS)
OF_KL = (*REDUCTIONS, BATCHMEAN)
_WHAT = "nested JSON, numbers, FILE[:COLUMNS], FILE.npz:NAME, FILE#/POINTER or -."
Given = Annotated[str, typer.Argument(metavar="INPUT", help=f"Predictions: {_WHAT}")]
Target = Annotated[str, typer.Argument(metavar="TARGET", help="What should have been predicted, written the same way.")]
LogQ = Annotated[str, typer.Argument(metavar="INPUT", help=f"log q of each sample, by the other model: {_WHAT}")]
LogP = Annotated[str, typer.Argument(metavar="TARGET", help="log p of each sample, by the model that drew them.")]

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "reduction": OF_KL,
    "dtype": DTYPES,
    "input_as": SPACES,
    "target_as": SPACES,
    "unit": tuple(UNITS),
    "estimator": ESTIMATORS,
}
_NUMBERS: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "label_smoothing": (lambda x: 0 <= x <= 1, "a share is from 0 to 1"),
    "temperature": (lambda x: 0 < x < inf, "logits are divided by it, so it is above 0 and finite"),
    "gamma": (lambda x: 0 <= x < inf, "it is at least 0 and finite"),
    "beta": (
        lambda x: 0 < x < 1,
        "it is between 0 and 1, where the divergence is 0; kl-div takes no mixture",
    ),
}
"""What options that are numbers can be, and what an error says of them."""

ALL_FIELDS = tuple(dict.fromkeys(field for fields in FIELDS.values() for field in fields))


class Common(Group):
    """What every loss has."""

    reduction: str = maths_option(default="mean", choices=REDUCTIONS, help="What becomes of the losses.")
    dtype: str = maths_option(
        default="float64", choices=DTYPES, help="Compute, and round, in this precision as PyTorch does."
    )
    mask: str | None = maths_option(
        metavar="1,0,1",
        help="0 leaves out a row (of kl-div, or element by element, an entry); means divide by what is left.",
    )
    row_weight: str | None = maths_option(
        metavar="WEIGHTS", help="A weight for each row; the mean divides by their sum."
    )

    def task(self, loss: str, **fixed: Any) -> Task:  # noqa: ANN401 - as Task has them
        """The loss to compute. fixed: what is no option, or has been looked at. Raises UsageError."""
        given = {name: value for name, value in vars(self).items() if name in Task._fields and value is not None}
        if loss not in {"kl-div", "js"}:
            if self.reduction == BATCHMEAN:
                message = "--reduction batchmean is kl-div's and js's; the mean of the rows is mean here"
                raise UsageError(message)
            one_of("--reduction", self.reduction, REDUCTIONS)
        given = {name: _checked(name, value) for name, value in given.items()}
        task = Task(**{"loss": loss, **given, **fixed})
        if "temperature" in given and LOGITS not in {task.input_as, task.target_as}:
            message = f"--temperature divides logits, and INPUT is {task.input_as}; for logits add --input-as logits"
            raise UsageError(message)
        if task.times_t2 and "temperature" not in given:
            message = "--times-t2 multiplies by the square of --temperature; give that too, or leave it out"
            raise UsageError(message)
        return task


def _checked(name: str, value: Any) -> Any:  # noqa: ANN401 - an option's
    """The value of an option, a number where it is to be one. Raises UsageError."""
    option = f"--{name.replace('_', '-')}"
    if name in _CHOICES:
        return one_of(option, value, _CHOICES[name])
    if name not in _NUMBERS:
        return value
    can_be, why = _NUMBERS[name]
    found = number(option, value)
    if not can_be(found):
        message = f"{option} {clipped(value)}: {why}"
        raise UsageError(message)
    return found


class InUnits(Common):
    """What the losses that are entropies have."""

    unit: str = maths_option(default="nats", choices=UNITS, help="Of the logarithms in the answer.")


class OfDistributions(InUnits):
    """What the losses of two distributions have."""

    reduction: str = maths_option(
        default="mean",
        choices=OF_KL,
        help="What becomes of the losses; batchmean is the mean of the rows, in kl-div mean that of the elements.",
    )
    input_as: str = input_option(
        default=LOGPROBS, choices=SPACES, help="What INPUT is; PyTorch takes log-probabilities."
    )
    target_as: str | None = input_option(choices=SPACES, help="What TARGET is; PyTorch takes probabilities.")
    log_target: bool = input_option("--log-target", default=False, help="TARGET is log-probabilities, as INPUT is.")
    ignore_index: int | None = maths_option(metavar="NUMBER", help="Leave out rows all of whose targets are this.")
    dim: int | None = input_option(metavar="AXIS", help="The axis of the classes (else the last).")
    temperature: str | None = maths_option(metavar="T", help="Divide by T whichever of INPUT and TARGET are logits.")
    times_t2: bool = maths_option("--times-t2", default=False, help="Multiply the loss by T^2, as in distillation.")

    def of_distributions(self, loss: str) -> Task:
        """The loss to compute, of what TARGET is. Raises UsageError."""
        if self.log_target and self.target_as not in {None, LOGPROBS}:
            message = f"--log-target means --target-as logprobs; it does not go with --target-as {self.target_as}"
            raise UsageError(message)
        return self.task(loss, **({"target_as": LOGPROBS} if self.log_target else {}))


class OfBeta(OfDistributions):
    """What js has."""

    beta: str = maths_option(default="0.5", metavar="B", help="Weight of TARGET in m = B target + (1-B) input.")


class OfClasses(Common):
    """What the losses of class indices have."""

    ignore_index: int | None = maths_option(metavar="CLASS", help="Leave out rows with this target (else -100).")
    dim: int | None = input_option(metavar="AXIS", help="The axis of the classes (else 1, as in PyTorch).")


class OfLikelihood(OfClasses, InUnits):
    """What nll has, and cross-entropy."""

    input_as: str = input_option(
        default=LOGPROBS, choices=SPACES, help="What INPUT is; PyTorch takes log-probabilities."
    )
    weight: str | None = maths_option(metavar="1,2,0.5", help="A weight for each class: numbers or a file.")


class OfCrossEntropy(OfLikelihood):
    """What cross-entropy has besides."""

    input_as: str = input_option(default=LOGITS, choices=SPACES, help="What INPUT is; PyTorch takes logits.")
    target_as: str | None = input_option(choices=SPACES, help="What a TARGET of INPUT's shape is; else probs.")
    temperature: str | None = OfDistributions.temperature
    times_t2: bool = OfDistributions.times_t2
    label_smoothing: str = maths_option(
        default="0", metavar="EPS", help="Share of every target spread over all classes."
    )


class OfFocal(OfClasses):
    """What focal has."""

    gamma: str = maths_option(default="2", metavar="G", help="What (1 - p) is raised to; 0 is the cross-entropy.")
    alpha: str | None = maths_option(
        metavar="A", help="A weight for each class, or one of all; with --binary of yes (else 0.25; -1: none)."
    )
    binary: bool = input_option("--binary", default=False, help="Each element is a yes or no by itself.")


class OfTwo(InUnits):
    """What the binary losses have."""

    weight: str | None = maths_option(
        metavar="WEIGHTS", help="For each element, or each of the last axis: numbers or a file."
    )
    pos_weight: str | None = maths_option(metavar="WEIGHTS", help="The same, of the positive targets alone.")
    ignore_index: int | None = maths_option(metavar="NUMBER", help="Leave out elements with this target.")


class OfSamples(Common):
    """What kl-samples has."""

    estimator: str = maths_option(
        default="k3", choices=ESTIMATORS, help="k1: log p - log q; k2: half its square; k3: r - 1 - log r, r = q/p."
    )


class LossForm(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table on a terminal, else the value")
    get: list[str] | None = get_option(
        metavar="FIELD",
        autocompletion=completing(ALL_FIELDS, several=True),
        help=f"Bare values, a line each: {', '.join(ALL_FIELDS)}.",
    )
    explain: bool = output_option("--explain", default=False, help="Print the same in PyTorch instead, ready to run.")

    def request(self, loss: str) -> Request:
        """What is asked of the loss; bare values and a script have the format of the value. Raises UsageError."""
        fields = names("--get", self.get, FIELDS[loss])
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
def kl_div(input: Given, target: Target, *, reading: ReadingOptions, how: OfDistributions, form: LossForm) -> int:  # noqa: A002 - PyTorch's name
    """How far are predictions from targets? torch.nn.functional.kl_div: the sum of target (log target - input).

    klcli loss kl-div '[[-0.4,-1.2]]' '[[0.6,0.4]]' --reduction batchmean

    klcli loss kl-div 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --reduction sum

    klcli loss kl-div '[[2,1,0.1]]' '[[0,0.9,0.1]]' --input-as logits --reduction batchmean --explain
    """
    return _run(how.of_distributions("kl-div"), (input, target), how, reading, form)


@grouped
def cross_entropy(input: Given, target: Target, *, reading: ReadingOptions, how: OfCrossEntropy, form: LossForm) -> int:  # noqa: A002
    """Are logits right about classes? torch.nn.functional.cross_entropy, of class indices or of probabilities.

    klcli loss cross-entropy '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss cross-entropy 2,1,0.1 1 --label-smoothing 0.1

    klcli loss cross-entropy '[[2,1,0.1]]' '[[0,0.9,0.1]]' -f json
    """
    return _run(how.task("cross-entropy"), (input, target), how, reading, form)


@grouped
def nll(input: Given, target: Target, *, reading: ReadingOptions, how: OfLikelihood, form: LossForm) -> int:  # noqa: A002
    """How likely were the classes? torch.nn.functional.nll_loss, of log-probabilities and class indices.

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,1 -q

    klcli loss nll 0.3,0.3,0.4 2 --input-as probs

    klcli loss nll '[[-0.4,-1.6,-2.1],[-1.2,-0.9,-1.4]]' 0,-100 --reduction none -q
    """
    return _run(how.task("nll"), (input, target), how, reading, form)


@grouped
def bce(input: Given, target: Target, *, reading: ReadingOptions, how: OfTwo, form: LossForm) -> int:  # noqa: A002
    """Are probabilities right about yes and no? torch.nn.functional.binary_cross_entropy, each element by itself.

    klcli loss bce 0.9,0.2,0.6 1,0,1

    klcli loss bce 0.9,0.2,0.6 1,0,1 --reduction none

    klcli loss bce '[[0.9,0.2],[0.6,0.5]]' '[[1,0],[1,1]]' --weight 1,2 --reduction sum
    """
    return _run(how.task("bce", input_as=PROBS), (input, target), how, reading, form)


@grouped
def bce_with_logits(input: Given, target: Target, *, reading: ReadingOptions, how: OfTwo, form: LossForm) -> int:  # noqa: A002
    """Are logits right about yes and no? torch.nn.functional.binary_cross_entropy_with_logits.

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1

    klcli loss bce-with-logits 2.2,-1.4,0.4 1,0,1 --pos-weight 3

    klcli loss bce-with-logits 800,-800 0,1 --reduction none
    """
    return _run(how.task("bce-with-logits"), (input, target), how, reading, form)


@grouped
def focal(input: Given, target: Target, *, reading: ReadingOptions, how: OfFocal, form: LossForm) -> int:  # noqa: A002
    """How far are logits off, sure rows hardly counted? Lin et al. 2017: -(1 - p)^gamma log p, p of the target's class.

    klcli loss focal '[[2,1,0.1],[0.5,2,0.3]]' 0,1

    klcli loss focal '[[2,1,0.1],[0.5,2,0.3]]' 0,1 --gamma 1 --alpha 1,2,0.5

    klcli loss focal 2.2,-1.4,0.4 1,0,1 --binary
    """
    if not how.binary:
        return _run(how.task("focal"), (input, target), how, reading, form)
    if how.dim is not None:
        message = f"--dim {how.dim}: with --binary elements have no classes; leave it out"
        raise UsageError(message)
    if how.alpha is not None and not (0 <= (alpha := number("--alpha", how.alpha)) <= 1 or alpha == -1):
        message = f"--alpha {clipped(how.alpha)}: with --binary it is from 0 to 1, or -1 for none"
        raise UsageError(message)
    return _run(how.task("focal --binary"), (input, target), how, reading, form)


@grouped
def js(input: Given, target: Target, *, reading: ReadingOptions, how: OfBeta, form: LossForm) -> int:  # noqa: A002
    """How far are predictions from targets, by what lies between them? B KL(target||m) + (1-B) KL(input||m).

    m = B target + (1-B) input: the generalized Jensen-Shannon divergence of distillation (GKD, Agarwal et al. 2024).

    klcli loss js '[[2,1,0.1]]' '[[1,2,0.1]]' --input-as logits --target-as logits

    klcli loss js 0.7,0.2,0.1 0.5,0.3,0.2 --input-as probs --beta 0.1
    """
    return _run(how.of_distributions("js"), (input, target), how, reading, form)


@grouped
def kl_samples(input: LogQ, target: LogP, *, reading: ReadingOptions, how: OfSamples, form: LossForm) -> int:  # noqa: A002
    """How far is p from q, by samples of p? Schulman's estimators of KL(p||q), from log-probabilities of the samples.

    TARGET is log p, of the model that drew the samples (in RLHF the policy); INPUT is log q (the reference).

    klcli loss kl-samples -1.2,-0.4,-2.3 -1.0,-0.5,-2.0

    klcli loss kl-samples -1.2,-0.4,-2.3 -1.0,-0.5,-2.0 -g k1,k2,k3
    """
    return _run(how.task("kl-samples", input_as=LOGPROBS, target_as=LOGPROBS), (input, target), how, reading, form)


def _run(task: Task, texts: tuple[str, str], how: Common, reading: ReadingOptions, form: LossForm) -> int:
    """Reads the operands, evaluates, shows. Returns the exit code."""
    request = form.request(task.loss)

    from klcli.analyses.losses import evaluate
    from klcli.renderers.loss import LossAnswer

    detail = request.format_name not in {VALUE, "tsv", "csv", "ndjson"} or bool({*request.fields} - {VALUE, "rows"})
    others = {name: text for name, text in vars(how).items() if name in Operands._fields and text is not None}
    report = evaluate(task, reading.arrays(keys=False).operands(*texts, **others), detail=detail)
    answer = LossAnswer(report)
    if not form.explain:
        return request.deliver(answer)

    from klcli.renderers.pytorch import left_to_load, script

    write(script(report), form.output)
    notes = [f"{role} is too much to print; load it where the script has ..." for role in left_to_load(report)]
    return request.end([*report.notes, *notes], request.gates.exceeding(answer.measured))

"""Every option once. A command takes a group of them as one parameter: `def kl(p: P, maths: PairMaths)`.

Typer reads a function's signature; `grouped` spells the groups out in it and puts the values back together.
"""

import inspect
import sys
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Annotated, Any

import typer

from klcli.engine.measures import ALIASES, MEASURES, SINGLE
from klcli.errors import UsageError, clipped, listed, nearest
from klcli.model import ALIGN, READ_AS, UNITS, Settings, Side, Smoothing

BLANK, REPEATS = ("zero", "skip", "error"), ("sum", "error")
ON_ERROR = ("fail", "keep", "skip")
FORMATS = ("table", "tsv", "csv", "json", "ndjson", "markdown", "html")
MOST_SAMPLES = 100_000_000


def completing(choices: Iterable[str], *, several: bool = False) -> Callable[[str], list[str]]:
    """The shell's completion of one of the choices, or of the last of several between commas."""
    choices = tuple(choices)

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",") if several else ("", "", incomplete)
        return [f"{before}{comma}{choice}" for choice in choices if choice.startswith(last)]

    return complete


def _panel(panel: str) -> Callable[..., Any]:
    """What makes options of a panel of the help."""

    def option(*names: str, default: Any = None, choices: Iterable[str] = (), **how: Any) -> Any:  # noqa: ANN401 - Typer's
        if choices:
            how = {"metavar": "|".join(choices), "autocompletion": completing(choices)} | how
        return typer.Option(default, *names, rich_help_panel=panel, **how)

    return option


input_option, maths_option, output_option, speed_option = map(_panel, ("Inputs", "Maths", "Output", "Speed"))
"""An option, in the panel of the help that it belongs to. choices: what it is one of."""


def format_option(formats: Iterable[str], auto: str) -> Any:  # noqa: ANN401 - what Typer makes of it
    """The option that names the form of the result. auto: what it is where nothing is said."""
    formats = ("auto", *formats)
    about = f"{', '.join(formats)}. Auto: {auto}."
    return output_option(
        "--format", "-f", default="auto", metavar="FORMAT", autocompletion=completing(formats), help=about
    )


get_option = partial(output_option, "--get", "-g")


class Group:
    """Options that belong together: each a class attribute with its type, and as its value what Typer makes of it."""

    def __init__(self, **values: Any) -> None:  # noqa: ANN401
        """Takes the values of the command line."""
        self.__dict__.update(values)


def grouped(function: Callable[..., int]) -> Callable[..., int]:
    """The function as Typer shall see it: for each parameter that is a Group, the group's own options."""
    groups: dict[str, type[Group]] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind = parameter.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            groups[name] = kind
            parameters += [
                inspect.Parameter(
                    option, inspect.Parameter.KEYWORD_ONLY, default=getattr(kind, option), annotation=hint
                )
                for option, hint in _options(kind).items()
            ]
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    def run(**values: Any) -> int:  # noqa: ANN401
        for name, kind in groups.items():
            values[name] = kind(**{option: values.pop(option) for option in _options(kind)})
        return function(**values)

    run.__doc__ = function.__doc__
    run.__name__ = function.__name__
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options(kind: type[Group]) -> dict[str, Any]:
    """A group's options and those of its bases, which come first."""
    return {name: hint for base in reversed(kind.__mro__) for name, hint in inspect.get_annotations(base).items()}


def one_of(option: str, value: str, choices: Iterable[str]) -> str:
    """The value, if it is one of the choices. Raises UsageError with the nearest of them."""
    choices = list(choices)
    chosen = meant(value, choices)
    if chosen is not None:
        return chosen
    if len(choices) <= _MOST_LISTED:
        known = f"it is one of {listed(choices, _MOST_LISTED)}."
    else:
        from difflib import get_close_matches

        known = f"it is one of {len(choices)}, such as {listed(get_close_matches(value, choices, 4, 0))}; see --help."
    message = f"{option} {clipped(value)}: {known}{nearest(value, choices)}"
    raise UsageError(message)


def meant(value: str, choices: Collection[str]) -> str | None:
    """The choice that a value is, or is another name of; None: it is none."""
    if value in choices:
        return value
    group, name = (value[: (end := max(value.rfind(":"), value.rfind(".")) + 1)], value[end:])
    return next((group + field for field in ALIASES.get(name, ()) if group + field in choices), None)


_MOST_LISTED = 20
"""Of more choices an error shows those that are most like what was written."""


def parts(given: Iterable[str] | None) -> list[str]:
    """What stands between the commas of an option, which may be repeated."""
    return [part.strip() for text in given or () for part in text.split(",")]


def names(option: str, given: Iterable[str] | None, choices: Iterable[str], besides: Collection[str] = ()) -> list[str]:
    """Comma-separated names, repeated options joined, each once; 'all' is all of them but those besides."""
    choices = list(choices)
    wanted: list[str] = []
    for name in parts(given):
        wanted += choices if name == "all" else [one_of(option, name, [*choices, *besides])]
    return list(dict.fromkeys(wanted))


def is_piped() -> bool:
    """Whether standard input is not a terminal, and open."""
    return sys.stdin is not None and not sys.stdin.isatty()


def piped(argument: str) -> list[str]:
    """Standard input, where the command line names none and something is piped in. Raises UsageError."""
    if not is_piped():
        message = f"missing argument '{argument}': name one, or pipe something in"
        raise UsageError(message)
    return ["-"]


def number(option: str, text: str) -> float:
    """A number as people type it. Raises UsageError."""
    from klcli.readers.numbers import NotANumberError
    from klcli.readers.numbers import number as parsed

    try:
        value = parsed(text)
    except NotANumberError as error:
        message = f"{option}: {error}"
        raise UsageError(message) from None
    if value != value:  # noqa: PLR0124 - NaN
        message = f"{option}: {clipped(text)} is no value to set"
        raise UsageError(message)
    return value


def smoothing(option: str, text: str | None) -> Smoothing | None:
    """METHOD or METHOD=VALUE. Raises UsageError with the nearest method or the range of its value."""
    if text is None:
        return None
    from klcli.engine.weights import SMOOTHERS

    method, equals, value = text.partition("=")
    smoother = SMOOTHERS[one_of(option, method, SMOOTHERS)]
    if smoother.takes is None:
        if equals:
            message = f"{option} {clipped(text)}: {method} takes no value; add=ALPHA does"
            raise UsageError(message)
        return Smoothing(method)
    if not value:
        message = f"{option} {method} needs a value: {method}={smoother.takes}"
        raise UsageError(message)
    amount = number(option, value)
    if not 0 <= amount <= smoother.most or amount == float("inf"):
        most = "" if smoother.most == float("inf") else f" and at most {smoother.most:g}"
        message = f"{option} {clipped(text)}: {smoother.takes} must be at least 0{most}"
        raise UsageError(message)
    return Smoothing(method, amount)


BY = input_option(metavar="COLUMN", help="Rows alike in it are a distribution, named by it.")
JS_WEIGHT = maths_option(default="1/2", metavar="W", help="Weight of P in the Jensen-Shannon mixture.")
ALPHA = maths_option(default="2", metavar="ALPHA", help="Order of the Renyi divergence renyi_pq.")


class ReadingOptions(Group):
    """How files and standard input are read."""

    input_format: str | None = input_option(
        metavar="FORMAT", help="Read files and stdin as this: csv, tsv, json, ndjson ..."
    )
    header: bool | None = input_option("--header/--no-header", help="Whether line 1 names the columns; else 1, 2, 3.")
    delimiter: str | None = input_option(
        metavar="CHAR|tab|space", help="What separates fields; space: any run of blanks."
    )
    decimal: str = input_option(default=".", metavar="MARK", help="Decimal mark; ',' makes ; separate CSV fields.")
    thousands: str | None = input_option(metavar="MARK", help="What groups digits, as in 1,200.")
    blank: str = input_option(default="error", choices=BLANK, help="Empty cells, NA, null, -: 0, left out, an error.")
    comment: str | None = input_option(metavar="CHAR", help="Lines that begin with it are left out.")
    skip: int = input_option(default=0, metavar="N", min=0, help="Leave out the first N lines.")
    no_quotes: bool = input_option("--no-quotes", default=False, help="A quote is a character like any other.")
    sheet: str | None = input_option(metavar="NAME", help="Of a spreadsheet.")
    encoding: str = input_option(default="utf-8", metavar="NAME", help="Of text files, as latin-1 or utf-16.")

    def dialect(self) -> Any:  # noqa: ANN401 - its module is the readers'
        """How numbers and tables are written. Raises UsageError."""
        from klcli.readers.sources import Dialect

        one_of("--decimal", self.decimal, (".", ","))
        delimiter = {"\\t": "\t", "tab": "\t", "space": " "}.get(self.delimiter or "", self.delimiter)
        if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'):
            message = f"--delimiter {clipped(delimiter)}: it is one character, such as ';' or '|', or tab, or space"
            raise UsageError(message)
        # What separates fields may stand in numbers too, where they are quoted.
        if self.thousands == self.decimal:
            both = f"--decimal and --thousands are both {self.decimal!r}"
            message = f"{both}; for 1.234,5 give both: --thousands . --decimal ,"
            raise UsageError(message)
        if self.thousands is not None and (len(self.thousands) != 1 or self.thousands.isalnum()):
            message = f"--thousands {clipped(self.thousands)}: it is one mark, such as ',' or \"'\""
            raise UsageError(message)
        if self.comment is not None and len(self.comment) != 1:
            message = f"--comment {clipped(self.comment)}: it is one character, such as '#'"
            raise UsageError(message)
        try:
            b"a".decode(self.encoding)
        except (LookupError, ValueError) as error:
            if not isinstance(error, UnicodeDecodeError):  # one letter is no UTF-16
                message = f"--encoding {clipped(self.encoding)}: no text is in that; it is utf-8, latin-1, utf-16 ..."
                raise UsageError(message) from None
        return Dialect(
            delimiter=delimiter,
            decimal=self.decimal,
            thousands=self.thousands,
            blank=one_of("--blank", self.blank, BLANK),
            header=self.header,
            comment=self.comment,
            skip=self.skip,
            quotes=not self.no_quotes,
            sheet=self.sheet,
            encoding=self.encoding,
        )

    def arrays(self, *, keys: bool = True) -> Any:  # noqa: ANN401 - its module is the readers'
        """What reads arrays as these options say. keys: whether columns of numbers may be labels. Raises UsageError."""
        from klcli.readers.arrays import Arrays

        return Arrays(self.input_format, self.dialect(), keys=keys)


class Inputs(ReadingOptions):
    """How distributions are read."""

    label: str | None = input_option(metavar="COLUMN|none", help="Column of labels, by name or position; see help.")
    repeats: str = input_option(default="error", choices=REPEATS, help="Labels that stand twice.")
    drop: list[str] | None = input_option(metavar="NAMES", help="Leave out outcomes or distributions, as Total.")
    keep_totals: bool = input_option(
        "--keep-totals", default=False, help="A row or column of totals is like any other."
    )
    tally: bool = input_option("--tally", default=False, help="The inputs are raw values; count the equal ones.")
    bins: str | None = input_option(metavar="N|EDGES", help="Count raw numbers in cells; implies --tally.")

    @property
    def counts(self) -> bool:
        """Whether the inputs are raw values to be counted."""
        return self.tally or self.bins is not None

    def choices(self) -> Any:  # noqa: ANN401 - its module is the readers'
        """What a table's rows and columns mean. Raises UsageError."""
        from klcli.readers.tables.roles import Choices
        from klcli.readers.tables.select import names_in

        return Choices(
            label=self.label,
            select=getattr(self, "select", None),
            rows=getattr(self, "rows", False),
            by=getattr(self, "by", None),
            repeats=one_of("--repeats", self.repeats, REPEATS),
            drop=tuple(name for text in self.drop or () for name in names_in(text) if name),
            keep_totals=self.keep_totals,
            tally=self.counts,
            bins=self.bins,
        )

    def arguments(self, sampled: "Sampled | None" = None, **other: Any) -> Any:  # noqa: ANN401 - its module is the readers'
        """What reads distributions as these options say. other: choices besides. Raises UsageError."""
        from klcli.readers.arguments import Arguments

        for_formulas = "" if sampled is None else sampled.given
        return Arguments(self.checked_format(), self.choices()._replace(**other), self.dialect(), for_formulas)

    def checked_format(self) -> str | None:
        """The input format, if it is one."""
        if self.input_format is None:
            return None
        from klcli.readers.formats import known_format

        return known_format(self.input_format)


class Chosen(Inputs):
    """Which of a table's rows and columns are the distributions."""

    select: str | None = input_option(metavar="COLUMNS", help="Columns of weights: names, p0:p9, 2-11, 'p*', /^p/.")
    rows: bool = input_option("--rows", default=False, help="A row is a distribution, not a column.")
    by: str | None = BY


class Maths(Group):
    """What changes the numbers, for one distribution."""

    read_as: str = input_option(
        "--as",
        default="weights",
        choices=READ_AS,
        help="What the numbers are. Weights: counts, probabilities or percentages, divided by their sum.",
    )
    softmax: bool = input_option("--softmax", default=False, help="The same as --as logits.")
    temperature: str | None = input_option(metavar="T", help="Divide logits by T before the softmax.")
    strict: bool = input_option("--strict", default=False, help="A sum that is not 1 is an error.")
    no_normalize: bool = maths_option("--no-normalize", default=False, help="Take the weights as they are.")
    smooth: str | None = maths_option(
        metavar="METHOD[=VALUE]", help="add=ALPHA, laplace, jeffreys, perks, mix=LAMBDA, floor=EPS, shrink."
    )
    unit: str | None = maths_option(choices=UNITS, help="Of the logarithms.")
    base: str | None = maths_option(metavar="B", help="Base of the logarithms.")

    def _side(self, role: str) -> Side:
        """What is done to P, or to Q."""
        own_as = getattr(self, f"{role}_as", None)
        own_smooth = getattr(self, f"{role}_smooth", None)
        read_as = one_of("--as", self.read_as, READ_AS)
        if self.softmax:
            if self.read_as not in {"weights", "logits"}:
                message = f"--softmax means --as logits; it does not go with --as {self.read_as}"
                raise UsageError(message)
            read_as = "logits"
        if own_as is not None:
            read_as = one_of(f"--{role}-as", own_as, READ_AS)
        shared = smoothing("--smooth", self.smooth)
        return Side(read_as, shared if own_smooth is None else smoothing(f"--{role}-smooth", own_smooth))

    def settings(self, alpha: str = "2", js_weight: str = "1/2") -> Settings:
        """Every option that changes a number, as one value. Raises UsageError."""
        if self.unit is not None and self.base is not None:
            message = "--unit and --base both name a logarithm; give one"
            raise UsageError(message)
        p, q = self._side("p"), self._side("q")
        if self.temperature is not None and "logits" not in {p.read_as, q.read_as}:
            message = "--temperature is for logits; add --as logits"
            raise UsageError(message)
        return Settings(
            p=p,
            q=q,
            temperature=_above("--temperature", self.temperature or "1", 0),
            strict=self.strict,
            normalize=not self.no_normalize,
            align=one_of("--align", getattr(self, "align", "outer"), ALIGN),
            unit=one_of("--unit", self.unit or "nats", UNITS),
            base=None if self.base is None else _above("--base", self.base, 1),
            alpha=_order(alpha),
            js_weight=_share("--js-weight", js_weight),
        )


def _share(option: str, text: str) -> float:
    value = number(option, text)
    if not 0 < value < 1:
        message = f"{option} {clipped(text.strip())}: it is the weight of P, between 0 and 1"
        raise UsageError(message)
    return value


def _above(option: str, text: str, least: float) -> float:
    value = number(option, text)
    if not least < value < float("inf"):
        message = f"{option} {clipped(text.strip())}: it must be above {least:g} and finite"
        raise UsageError(message)
    return value


def _order(text: str) -> float:
    value = number("--alpha", text)
    if value < 0:
        message = f"--alpha {clipped(text.strip())}: the order must be at least 0 (inf is one too)"
        raise UsageError(message)
    return value


class PairMaths(Maths):
    """What changes the numbers, for two."""

    p_as: str | None = input_option(metavar="KIND", autocompletion=completing(READ_AS), help="--as for P alone.")
    q_as: str | None = input_option(metavar="KIND", autocompletion=completing(READ_AS), help="--as for Q alone.")
    align: str = input_option(
        default="outer", choices=ALIGN, help="Labels that one side lacks: weight 0, dropped, or an error."
    )
    p_smooth: str | None = maths_option(metavar="METHOD[=VALUE]", help="--smooth for P alone.")
    q_smooth: str | None = maths_option(metavar="METHOD[=VALUE]", help="--smooth for Q alone.")


class Sampled(Group):
    """How formulas without a closed form are measured."""

    samples: int | None = maths_option(
        metavar="N", min=2, help="Of formulas: estimate by N samples, not by quadrature."
    )
    seed: int = maths_option(default=0, metavar="S", min=0, help="Of the samples.")

    @property
    def given(self) -> str:
        """The one of the options that was given, '' where none was."""
        return "--samples" if self.samples is not None else "--seed" if self.seed else ""

    def sampling(self) -> Any:  # noqa: ANN401 - its module needs NumPy
        """The samples to draw, None where none are asked for. Raises UsageError for a seed of none, or for too many."""
        if self.samples is None:
            if self.seed:
                message = "--seed is of samples; add --samples N"
                raise UsageError(message)
            return None
        if self.samples > MOST_SAMPLES:
            message = f"--samples {self.samples}: at most {MOST_SAMPLES:,}"
            raise UsageError(message)
        from klcli.families.numeric.sampling import Sampling

        return Sampling(self.samples, self.seed)


class Measured(Group):
    """Which measures of a pair."""

    measures: list[str] | None = maths_option(
        "--measures",
        "-m",
        metavar="NAMES|all",
        autocompletion=completing(("all", *MEASURES), several=True),
        help=f"Comma-separated, of {', '.join(MEASURES)}.",
    )
    alpha: str = ALPHA
    js_weight: str = JS_WEIGHT


class SingleMeasured(Group):
    """Which measures of one distribution."""

    measures: list[str] | None = maths_option(
        "--measures",
        "-m",
        metavar="NAMES|all",
        autocompletion=completing(("all", *SINGLE, "js_divergence"), several=True),
        help=f"Comma-separated, of {', '.join(SINGLE)}, and of several together js_divergence.",
    )
    alpha: str = maths_option(default="2", metavar="ALPHA", help="Order of renyi_entropy.")


class Output(Group):
    """Where the result goes, whatever it is. digits, color: how tables look where there are none."""

    digits, color = 5, "never"

    output: str | None = output_option(
        "--output", "-o", metavar="FILE", help="Write there instead of to standard output; a suffix picks the format."
    )
    fail_above: list[str] | None = output_option(
        metavar="FIELD=VALUE", help="Exit with 1 when the field is above the value."
    )
    quiet: bool = output_option("--quiet", "-q", default=False, help="No notes.")
    debug: bool = output_option("--debug", default=False, help="Show the traceback of an error.")


class Drawn(Output):
    """How tables look."""

    digits: int = output_option(default=5, metavar="N", min=1, max=17, help="Significant digits in tables.")
    color: str = output_option(default="auto", choices=("auto", "always", "never"), help="Colours in tables.")


class Shape(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table on a terminal, else TSV")
    get: list[str] | None = get_option(metavar="FIELD", help="Bare values, a line each; elements.FIELD too.")
    sort: str | None = output_option(metavar="FIELD", help="Order by this field.")


class BrokenDown(Shape):
    """The form of a result with a breakdown by outcome."""

    breakdown: bool | None = output_option("--breakdown/--no-breakdown", help="Show the outcomes one by one, or not.")
    top: int | None = output_option(metavar="N", min=0, help="The N largest contributions, the rest as one; 0: all.")


P = Annotated[
    str,
    typer.Argument(
        metavar="P", help="Numbers, pairs, JSON, FILE[:COLUMN], FILE#/POINTER, - or a formula, as normal(0,1)."
    ),
]
OptionalQ = Annotated[
    str | None, typer.Argument(metavar="[Q]", help="The same; left out when P is a file of two distributions.")
]

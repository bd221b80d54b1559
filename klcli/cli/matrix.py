"""`klcli matrix`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from klcli.cli.options import (
    ALPHA,
    BY,
    JS_WEIGHT,
    ON_ERROR,
    Drawn,
    Group,
    Inputs,
    Maths,
    completing,
    format_option,
    get_option,
    grouped,
    input_option,
    maths_option,
    names,
    one_of,
    output_option,
    piped,
)
from klcli.cli.output import DRAWN, Request, chosen_format
from klcli.console import on_terminal
from klcli.engine.measures import MEASURES
from klcli.errors import UsageError

if TYPE_CHECKING:  # it imports NumPy
    from klcli.analyses.matrix import Listing

DEFAULT = "kl_pq"
FORMATS = ("table", "tsv", "csv", "json", "ndjson", "parquet", "markdown", "html")
PAIR = ("p", "q")

_LIST = 30
"""A table lists so many pairs unless --top says otherwise."""

_DIGITS, _DIGITS_OF_A_LIST = 3, 5
"""A map with fewer digits is seen at a glance; what is next to each other in a list may differ in the fourth."""

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE...", help="Tables, JSON of several, FILE#/POINTER or -; together."),
]


class Compared(Group):
    """Which distributions, on which outcomes."""

    columns: bool = input_option("--columns", default=False, help="The columns are the distributions, not the rows.")
    select: str | None = input_option(metavar="COLUMNS", help="Only these: a name, x0:x9, 2-11, 'x*', /^x/, a,b.")
    by: str | None = BY

    def choices(self, *, tally: bool) -> dict[str, Any]:
        """What these options say of a table's rows and columns; raw values stand in columns. Raises UsageError."""
        if self.by is not None and self.columns:
            both = "--by and --columns both say what is a distribution"
            message = f"{both}: rows alike in a column, or a column; give one"
            raise UsageError(message)
        rows = not self.columns and self.by is None and not tally
        return {"select": self.select, "by": self.by, "columns": self.columns, "rows": rows}


class OneMeasured(Group):
    """Which measure of a pair."""

    measure: list[str] | None = maths_option(
        "--measure", "-m", metavar="NAME", autocompletion=completing(MEASURES), help=f"One of {', '.join(MEASURES)}."
    )
    alpha: str = ALPHA
    js_weight: str = JS_WEIGHT

    def chosen(self) -> str:
        """The one measure. Raises UsageError for several."""
        chosen = names("--measure", self.measure, MEASURES) or [DEFAULT]
        if len(chosen) > 1:
            message = f"--measure {','.join(chosen)}: a square is of one measure; run matrix once for each"
            raise UsageError(message)
        return chosen[0]


class Squared(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table on a terminal, else TSV")
    on_error: str = output_option(
        default="fail",
        choices=ON_ERROR,
        help="A row that is no distribution: stop, keep it without values, or leave it out.",
    )
    pairs: bool = output_option("--pairs", default=False, help="A list of pairs, nearest first, not a square.")
    top: int | None = output_option(metavar="N", help="List the N nearest pairs; 0: all.")
    farthest: int | None = output_option(metavar="N", help="List the N farthest pairs, farthest first.")
    get: list[str] | None = get_option(
        metavar="FIELD", help="Bare values of the pairs listed, a line each: p, q or the measure."
    )
    digits: int | None = output_option(metavar="N", min=1, max=17, help="Significant digits in tables, room allowing.")  # type: ignore[assignment]

    def chosen_format(self) -> str:
        """The format of the result. Raises UsageError."""
        choice = chosen_format(self, FORMATS)
        if choice == "parquet" and self.output in {None, "-"} and on_terminal():
            message = "Parquet is binary and not for a terminal; add --output FILE"
            raise UsageError(message)
        return choice

    def listing(self, format_name: str, fields: list[str]) -> "Listing | None":
        """Which pairs to list; None: the square. Raises UsageError."""
        for option, count in (("--top", self.top), ("--farthest", self.farthest)):
            if count is not None and count < (option == "--farthest"):
                mend = f"; for the farthest there is --farthest {-count}" if count < 0 else ""
                message = f"{option} {count}: it must be at least {int(option == '--farthest')}{mend}"
                raise UsageError(message)
        from klcli.analyses.matrix import Listing

        if not (self.pairs or fields or self.top is not None or self.farthest is not None):
            return None
        if self.top == 0:
            return Listing()
        if self.top is None and self.farthest is None:
            short = format_name in DRAWN and not fields
            return Listing(nearest=_LIST if short else None, counted=short)
        return Listing(self.top, self.farthest)


@grouped
def matrix(
    files: Files = None, *, members: Compared, inputs: Inputs, maths: Maths, measured: OneMeasured, shape: Squared
) -> int:
    """Which of these are alike? A measure of every pair of distributions, the rows or the columns of a table.

    klcli matrix samples/traffic.csv -m js_divergence -f csv

    klcli matrix samples/traffic.csv --top 3 -f tsv

    klcli matrix samples/models.csv --columns --select observed,neural -f json -q
    """
    files = files or piped("FILE")
    settings = maths.settings(alpha=measured.alpha, js_weight=measured.js_weight)
    measure = measured.chosen()
    fields = names("--get", shape.get, [*PAIR, measure])
    format_name = shape.chosen_format()
    listing = shape.listing(format_name, fields)
    shape.digits = shape.digits or (_DIGITS if listing is None else _DIGITS_OF_A_LIST)
    request = Request(shape, format_name, fields, MEASURES)
    on_error = one_of("--on-error", shape.on_error, ON_ERROR)
    arguments = inputs.arguments(**members.choices(tally=inputs.counts), lenient=on_error != "fail")

    from klcli.readers.matrix import read_matrix

    read = read_matrix(files, arguments)

    from klcli.analyses import matrix as analyses
    from klcli.renderers.matrix import MatrixAnswer

    found = analyses.matrix(read.distributions, settings, [measure, *request.gates.fields], on_error)
    answer = MatrixAnswer(analyses.square(found, read.heading, measure, settings, listing))
    return request.deliver(answer, analyses.exceeding(found, request.gates.limits), found.failed)

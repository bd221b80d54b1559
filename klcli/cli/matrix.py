"""`klcli matrix`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from klcli.cli.options import (
    ON_ERROR,
    Alpha,
    By,
    Drawn,
    Group,
    Inputs,
    Maths,
    choice_option,
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
from klcli.cli.output import GATE, Gates, chosen_format, say_unheld, view_of
from klcli.console import destination, on_terminal, say
from klcli.engine.measures import MEASURES, ROOT_OF_UNIT
from klcli.errors import UsageError, clipped
from klcli.model import Settings

if TYPE_CHECKING:  # they import NumPy
    from klcli.analyses.matrix import Matrix
    from klcli.readers.grids import Grid
    from klcli.renderers.matrix import Square

DEFAULT = "kl_pq"
FORMATS = ("table", "tsv", "csv", "json", "ndjson", "parquet", "markdown")
PAIR = ("p", "q")

SOME_FAILED = 5
"""The exit code where some rows were no distributions."""

_LIST = 30
"""A table lists so many pairs unless --top says otherwise."""

_DIGITS, _DIGITS_OF_A_LIST = 3, 5
"""A map with fewer digits is seen at a glance; what is next to each other in a list may differ in the fourth."""

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE...", help="Tables, JSON of several, FILE#/POINTER or -; together."),
]


class Members(Group):
    """Which distributions, on which outcomes."""

    columns: Annotated[
        bool,
        input_option("--columns", help="The columns are the distributions, not the rows."),
    ] = False
    select: Annotated[
        str | None,
        input_option(metavar="COLUMNS", help="Only these: a name, x0:x9, 2-11, 'x*', /^x/, a,b."),
    ] = None
    by: By = None

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

    measure: Annotated[
        list[str] | None,
        maths_option(
            "--measure",
            "-m",
            metavar="NAME",
            autocompletion=completing(MEASURES),
            help=f"One of {', '.join(MEASURES)}.",
        ),
    ] = None
    alpha: Alpha = "2"

    def chosen(self) -> str:
        """The one measure. Raises UsageError for several."""
        chosen = names("--measure", self.measure, MEASURES) or [DEFAULT]
        if len(chosen) > 1:
            message = f"--measure {','.join(chosen)}: a square is of one measure; run matrix once for each"
            raise UsageError(message)
        return chosen[0]


class Squared(Drawn):
    """The form of the result."""

    format: Annotated[str, format_option(FORMATS, "a table on a terminal, else TSV")] = "auto"
    on_error: Annotated[
        str,
        choice_option(
            output_option,
            ON_ERROR,
            help="A row that is no distribution: stop, keep it without values, or leave it out.",
        ),
    ] = "fail"
    pairs: Annotated[bool, output_option("--pairs", help="A list of pairs, nearest first, not a square.")] = False
    top: Annotated[int | None, output_option(metavar="N", help="List the N nearest pairs; 0: all.")] = None
    farthest: Annotated[int | None, output_option(metavar="N", help="List the N farthest pairs, farthest first.")] = (
        None
    )
    get: Annotated[
        list[str] | None,
        get_option(metavar="FIELD", help="Bare values of the pairs listed, a line each: p, q or the measure."),
    ] = None
    digits: Annotated[
        int | None, output_option(metavar="N", min=1, max=17, help="Significant digits in tables, room allowing.")
    ] = None  # type: ignore[assignment]

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
        if not (self.pairs or fields or self.top is not None or self.farthest is not None):
            return None
        if self.top == 0:
            return Listing()
        if self.top is None and self.farthest is None:
            return Listing(nearest=_LIST if format_name == "table" and not fields else None)
        return Listing(self.top, self.farthest)


class Listing(NamedTuple):
    """How many pairs are listed; both None: all."""

    nearest: int | None = None
    farthest: int | None = None


@grouped
def matrix(
    files: Files = None, *, members: Members, inputs: Inputs, maths: Maths, measured: OneMeasured, shape: Squared
) -> int:
    """Which of these are alike? A measure of every pair of distributions, the rows or the columns of a table.

    klcli matrix samples/traffic.csv -m js_divergence -f csv

    klcli matrix samples/traffic.csv --top 3 -f tsv

    klcli matrix samples/models.csv --columns --select observed,neural -f json -q
    """
    files = files or piped("FILE")
    settings = maths.settings(alpha=measured.alpha)
    measure = measured.chosen()
    gates = Gates(shape.fail_above, MEASURES)
    fields = names("--get", shape.get, [*PAIR, measure])
    format_name = shape.chosen_format()
    listing = shape.listing(format_name, fields)
    shape.digits = shape.digits or (_DIGITS if listing is None else _DIGITS_OF_A_LIST)
    view = view_of(shape, format_name)
    on_error = one_of("--on-error", shape.on_error, ON_ERROR)
    arguments = inputs.arguments(**members.choices(tally=inputs.choices().tally), lenient=on_error != "fail")

    from klcli.readers.grids import read_grids

    grid = read_grids(files, arguments)

    from klcli.analyses.matrix import matrix as analyse
    from klcli.analyses.matrix import unfit

    wrong = {} if on_error == "fail" else unfit(grid.distributions, settings)
    if on_error == "skip":
        grid = grid.without(wrong)
    empty = tuple(wrong) if on_error == "keep" else ()
    found = analyse(grid.distributions, settings, [measure, *gates.fields], empty)
    square = _square(grid, found, measure, settings, listing, ends=format_name == "table")

    from klcli.renderers.matrix import FORMATS as RENDERERS
    from klcli.renderers.matrix import bare

    with destination(shape.output) as out:
        if fields:
            bare(square, fields, out)
        else:
            RENDERERS[format_name](square, view, out)
    say_unheld(found.notes, shape, format_name, is_bare=bool(fields))
    code = _gate(gates, found, square.names)
    if wrong:
        done = "kept without values" if on_error == "keep" else "left out"
        whole = len(square.names) + (len(wrong) if on_error == "skip" else 0)
        say(f"{len(wrong)} of {whole} distributions failed and were {done}; the first: {next(iter(wrong.values()))}")
        return SOME_FAILED
    return code


def _square(
    grid: "Grid", found: "Matrix", measure: str, settings: Settings, listing: Listing | None, *, ends: bool
) -> "Square":
    """What the renderers show. ends: with the nearest and the farthest pair."""
    from klcli.analyses.matrix import ranked
    from klcli.engine.pairwise import SYMMETRIC
    from klcli.renderers.matrix import Listed, Square
    from klcli.renderers.shape import number

    values, symmetric = found.squares[measure], measure in SYMMETRIC
    unit = settings.unit_name if MEASURES[measure].in_unit else ""
    side = settings.p
    square = Square(
        names=[one.name for one in grid.distributions],
        heading=grid.heading,
        measure=measure,
        unit=f"√{unit}" if measure in ROOT_OF_UNIT else unit,
        values=values,
        symmetric=symmetric,
        settings={
            "unit": settings.unit_name,
            "as": side.read_as,
            "smooth": None if side.smoothing is None else str(side.smoothing),
            "temperature": settings.temperature,
            "normalize": settings.normalize,
            "strict": settings.strict,
            "alpha": number(settings.alpha),
        },
        notes=found.notes,
    )
    if listing is not None:
        rows, columns = ranked(values, symmetric=symmetric, nearest=listing.nearest, farthest=listing.farthest)
        n = len(values)
        more = n * (n - 1) // (2 if symmetric else 1) - len(rows) if listing == Listing(_LIST) else 0
        return square._replace(pairs=Listed(rows, columns, listing.nearest or 0, more))
    if ends:
        rows, columns = ranked(values, symmetric=symmetric, nearest=1, farthest=1)
        return square._replace(ends=tuple(zip(rows.tolist(), columns.tolist(), strict=True)))
    return square


def _gate(gates: Gates, found: "Matrix", given: Sequence[str]) -> int:
    """1 when any pair is above a limit, and says which is the farthest; else 0."""
    from klcli.analyses.matrix import above
    from klcli.engine.pairwise import SYMMETRIC

    code = 0
    for field, limit in gates.limits:
        count, (i, j) = above(found.squares[field], limit)
        if count:
            both_ways = 2 if field in SYMMETRIC else 1
            others, pairs = count // both_ways - 1, len(given) * (len(given) - 1) // both_ways
            more = f", as in {others} more of {pairs} pairs" if others else ""
            value = float(found.squares[field][i, j])
            say(f"{clipped(given[i])} to {clipped(given[j])}: {field} is {value!r}, above {limit!r}{more}")
            code = GATE
    return code

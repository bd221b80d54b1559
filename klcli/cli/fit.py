"""`klcli fit`."""

from typing import Annotated

import typer

from klcli.cli.options import (
    FORMATS,
    Drawn,
    Group,
    ReadingOptions,
    completing,
    format_option,
    get_option,
    grouped,
    input_option,
    is_piped,
    maths_option,
    names,
    one_of,
    output_option,
    parts,
)
from klcli.cli.output import Request, chosen_format
from klcli.console import destination
from klcli.errors import DistributionError, UsageError, clipped
from klcli.families.catalogue import FITTED
from klcli.fits import BOTH, FORWARD, REVERSE, SORTS, FitReport, reasons

DIRECTIONS = (FORWARD, REVERSE, BOTH)
_LONGEST = 4000
"""Digits of a number; Python refuses more than 4300."""
OF_DATA, OF_TARGET = ("kl_data_model", "kl_model_data", "ks"), ("kl_pq", "kl_qp")

Data = Annotated[
    str | None,
    typer.Argument(metavar="[DATA]", help="Numbers, a file of one a line, FILE:COLUMN, .npy or -; left out with --to."),
]


class What(Group):
    """What is fitted, and with what."""

    weights: str | None = input_option(metavar="COLUMN|FILE", help="How often each value occurs.")
    to: str | None = input_option(
        metavar="FORMULA|DATA", help="Fit to this known distribution, not to data; or to points with --weights."
    )
    family: list[str] | None = maths_option(
        metavar="NAMES|all",
        autocompletion=completing(("all", *FITTED), several=True),
        help=f"Comma-separated, of {', '.join(FITTED)}. all: every one that holds the data. Else those that suit.",
    )
    direction: str | None = maths_option(
        choices=DIRECTIONS, help="With --to: least KL(P||model), least KL(model||P), or both (the default)."
    )
    bins: str = maths_option(default="auto", metavar="auto|N", help="Bins on which families are compared.")

    @property
    def all_families(self) -> bool:
        """Whether all families that suit are asked for by name."""
        return "all" in parts(self.family)

    def number_of_bins(self) -> int | None:
        """How many bins, None for as many as suit the data. Raises UsageError."""
        if self.bins == "auto":
            return None
        if not (self.bins.isascii() and self.bins.isdigit() and len(self.bins) <= _LONGEST):
            message = f"--bins {clipped(self.bins)}: it is auto, or a whole number"
            raise UsageError(message)
        return int(self.bins)

    def check_target(self, data: str | None) -> None:
        """Raises UsageError for what does not go with --to; only points have weights besides."""
        from klcli.readers.expressions import is_formula

        weights = self.weights if is_formula(str(self.to)) else None
        given = {"DATA": data, "--weights": weights, "--bins": None if self.bins == "auto" else self.bins}
        for name, value in given.items():
            if value is not None:
                message = f"{name} {clipped(value)} does not go with --to, which is the distribution itself"
                raise UsageError(message)


class FitForm(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table with a picture on a terminal, else TSV")
    get: list[str] | None = get_option(
        metavar="FIELD", help="Bare values, a line a fit, best first: family, kl_data_model, parameters.NAME ..."
    )
    sort: str | None = output_option(
        choices=SORTS, help="What orders the families, least first; else AIC, or KL of densities beside counts."
    )
    plot: str | None = output_option(metavar="FILE", help="Draw a picture there: .png, .svg or .pdf.")

    def picture(self) -> str:
        """The format of the picture, '' for none. Raises UsageError."""
        if self.plot is None:
            return ""
        from klcli.renderers.plot import format_of

        return format_of(self.plot)


@grouped
def fit(data: Data = None, *, reading: ReadingOptions, what: What, form: FitForm) -> int:
    """Which family of distributions describes the data? Parameters by maximum likelihood, ranked by AIC, with KL.

    klcli fit samples/waits.csv:minutes

    klcli fit samples/waits.csv:minutes --family gamma,weibull -f tsv

    klcli fit --to '0.5*normal(-3,0.7)+0.5*normal(3,0.7)' --family normal --direction reverse -g kl_qp
    """
    families = names("--family", what.family, FITTED) or None
    fields = parts(form.get)
    request = Request(form, chosen_format(form), fields, OF_DATA if what.to is None else OF_TARGET)
    picture = form.picture()
    sort = None if form.sort is None else one_of("--sort", form.sort, SORTS)
    if sort is not None and what.to is not None:
        message = "--sort is of fits to data; those of --to are by the KL that is least"
        raise UsageError(message)
    if what.to is None:
        report = _fitted(data, reading, what, families, sort)
    else:
        report = _projected(data, reading, what, families)

    from klcli.renderers.fit import FitAnswer

    answer = FitAnswer(report)
    if form.plot is not None:
        from klcli.renderers.plot import figure_bytes

        for field in fields:
            answer.values(field)  # a field that there is not leaves no picture
        with destination(form.plot) as out:
            out.write(figure_bytes(report, picture))
    return request.deliver(answer)


def _fitted(
    data: str | None, reading: ReadingOptions, what: What, families: list[str] | None, sort: str | None
) -> FitReport:
    """The fits to the data."""
    if data is None and is_piped():
        data = "-"
    if data is None:
        message = "DATA is missing: a file of numbers, FILE:COLUMN or -; or --to FORMULA for a known distribution"
        raise UsageError(message)
    if what.direction is not None:
        message = "--direction is for --to: data are fitted by maximum likelihood"
        raise UsageError(message)
    bins = what.number_of_bins()

    from klcli.analyses.fit import fit as fit_data
    from klcli.readers.samples import read_sample

    sample = read_sample(data, "DATA", reading.arrays(), what.weights)
    return fit_data(sample, None if what.all_families else families, bins, every=what.all_families, sort=sort)


def _projected(data: str | None, reading: ReadingOptions, what: What, families: list[str] | None) -> FitReport:
    """The fits to the known distribution."""
    from klcli.analyses.project import project
    from klcli.readers.samples import read_formula, read_points

    what.check_target(data)
    if families is None:
        message = "--to needs --family, such as --family normal"
        raise UsageError(message)
    direction = BOTH if what.direction is None else one_of("--direction", what.direction, DIRECTIONS)
    text = str(what.to)
    target = read_formula(text) if what.weights is None else read_points(text, reading.arrays(), what.weights)
    report = project(target, None if what.all_families else families, direction)
    if not report.fits:
        message = f"--to {clipped(text)}: no family could be fitted: {reasons(report.left_out)}"
        raise DistributionError(message)
    return report

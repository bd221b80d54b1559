"""`klcli fit`."""

from typing import TYPE_CHECKING, Annotated

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
)
from klcli.cli.output import Request, chosen_format
from klcli.console import destination
from klcli.errors import DistributionError, UsageError, clipped
from klcli.families.catalogue import CONTINUOUS, CONTINUOUS_FAMILIES, COUNT_FAMILIES, FAMILIES, FITTED
from klcli.fits import BOTH, FORWARD, REVERSE, reasons

if TYPE_CHECKING:  # they import NumPy
    from klcli.analyses.project import WeightsOnGrid
    from klcli.fits import FitReport

DIRECTIONS = (FORWARD, REVERSE, BOTH)
_LONGEST = 4000
"""Digits of a number; Python refuses more than 4300."""
_BEGIN_NUMBERS = "0123456789.+-[{"
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


class FitForm(Drawn):
    """The form of the result."""

    format: str = format_option(FORMATS, "a table with a picture on a terminal, else TSV")
    get: list[str] | None = get_option(
        metavar="FIELD", help="Bare values, a line a fit, best first: family, kl_data_model, parameters.NAME ..."
    )
    plot: str | None = output_option(metavar="FILE", help="Draw a picture there: .png, .svg or .pdf.")


@grouped
def fit(data: Data = None, *, reading: ReadingOptions, what: What, form: FitForm) -> int:
    """Which family of distributions describes the data? Parameters by maximum likelihood, ranked by KL(data||model).

    klcli fit samples/waits.csv:minutes

    klcli fit samples/waits.csv:minutes --family gamma,weibull -f tsv

    klcli fit --to '0.5*normal(-3,0.7)+0.5*normal(3,0.7)' --family normal --direction reverse -g kl_qp
    """
    families = names("--family", what.family, FITTED) or None
    fields = [field.strip() for text in form.get or () for field in text.split(",")]
    request = Request(form, chosen_format(form), fields, OF_DATA if what.to is None else OF_TARGET)
    picture = ""
    if form.plot is not None:
        from klcli.renderers.plot import format_of

        picture = format_of(form.plot)
    report = _report(data, reading, what, families)

    from klcli.renderers.fit import FitAnswer

    answer = FitAnswer(report)
    if form.plot is not None:
        from klcli.renderers.plot import figure_bytes

        for field in fields:
            answer.values(field)  # a field that there is not leaves no picture
        with destination(form.plot) as out:
            out.write(figure_bytes(report, picture))
    return request.deliver(answer)


def _report(data: str | None, reading: ReadingOptions, what: What, families: list[str] | None) -> "FitReport":
    """The fits to the data, or to the target."""
    if what.to is not None:
        return _projection(data, reading, what, families)
    if data is None and is_piped():
        data = "-"
    if data is None:
        message = "DATA is missing: a file of numbers, FILE:COLUMN or -; or --to FORMULA for a known distribution"
        raise UsageError(message)
    if what.direction is not None:
        message = "--direction is for --to: data are fitted by maximum likelihood"
        raise UsageError(message)

    bins = _bins(what.bins)

    from klcli.analyses.fit import fit as fit_data
    from klcli.readers.arrays import Arrays
    from klcli.readers.samples import read_sample

    sample = read_sample(data, "DATA", Arrays(reading.input_format, reading.dialect()), _weights(what.weights, data))
    return fit_data(sample, None if _all(what) else families, bins, every=_all(what))


def _projection(data: str | None, reading: ReadingOptions, what: What, families: list[str] | None) -> "FitReport":
    from klcli.readers.expressions import is_formula, parse

    text = str(what.to)
    by_formula = what.weights is None or is_formula(text)
    given = {
        "DATA": data,
        "--weights": what.weights if by_formula else None,
        "--bins": None if what.bins == "auto" else what.bins,
    }
    for name, value in given.items():
        if value is not None:
            message = f"{name} {clipped(value)} does not go with --to, which is the distribution itself"
            raise UsageError(message)
    if families is None:
        message = "--to needs --family, such as --family normal"
        raise UsageError(message)

    direction = BOTH if what.direction is None else one_of("--direction", what.direction, DIRECTIONS)

    from klcli.analyses.project import project
    from klcli.readers.sources import exists, split_selector

    if what.weights is None and not is_formula(text) and exists(split_selector(text.strip().removeprefix("@"))[0]):
        message = f"--to {clipped(text)} is a file of points; it needs --weights, the column or file of their weights"
        raise UsageError(message)
    target = parse(text, "--to") if by_formula else _weighted_points(text, reading, what)
    if _all(what):
        suiting = CONTINUOUS_FAMILIES if target.kind == CONTINUOUS else COUNT_FAMILIES
        families = [name for name in suiting if not FAMILIES[name].nests]
    report = project(target, families, direction)
    if not report.fits:
        message = f"--to {clipped(text)}: no family could be fitted: {reasons(report.left_out)}"
        raise DistributionError(message)
    return report


def _weighted_points(text: str, reading: ReadingOptions, what: What) -> "WeightsOnGrid":
    """The points and weights of --to and --weights, in the order of the points. Raises DistributionError."""
    import numpy as np

    from klcli.analyses.project import WeightsOnGrid
    from klcli.readers.arrays import Arrays
    from klcli.readers.samples import read_sample

    sample = read_sample(text, "--to", Arrays(reading.input_format, reading.dialect()), _weights(what.weights, text))
    order = np.argsort(sample.values, kind="stable")
    points = sample.values[order]
    twice = np.flatnonzero(np.diff(points) == 0)
    if len(twice):
        message = f"{sample.where(int(order[twice[0] + 1]))}: {points[twice[0]]:g} stands twice; add its weights up"
        raise DistributionError(message)
    return WeightsOnGrid(sample.source, points, np.asarray(sample.weights)[order])


def _all(what: What) -> bool:
    """Whether all families that suit are asked for by name."""
    return any(name.strip() == "all" for text in what.family or () for name in text.split(","))


def _weights(text: str | None, data: str) -> str | None:
    """--weights as a source: what is neither numbers nor a file is a column of the table that DATA is in."""
    from klcli.readers.sources import column_of, exists, split_selector

    path, mark, _ = split_selector(data.strip().removeprefix("@"))
    if not text or text.lstrip()[:1] in _BEGIN_NUMBERS or mark == "#" or not exists(path):
        return text
    return text if text.startswith("@") or exists(split_selector(text)[0]) else column_of(path, text)


def _bins(text: str) -> int | None:
    """A number of bins, None for as many as suit the data. Raises UsageError."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        message = f"--bins {clipped(text)}: it is auto, or a whole number"
        raise UsageError(message)
    return int(text)

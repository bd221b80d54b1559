"""`klcli batch`."""

import gc
import os
from typing import Annotated, Any

import typer

from klcli.cli.options import (
    FORMATS,
    ON_ERROR,
    Drawn,
    Group,
    Inputs,
    Measured,
    PairMaths,
    format_option,
    get_option,
    grouped,
    input_option,
    names,
    one_of,
    output_option,
    piped,
    speed_option,
)
from klcli.cli.output import Gates, suffix_format, view_of
from klcli.console import appears_whole, destination, on_terminal
from klcli.engine.measures import MEASURES, SIX
from klcli.errors import UsageError, listed
from klcli.model import Settings

ROW_FORMATS = ("csv", "tsv", "ndjson", "parquet")
ALONE = frozenset({"entropy_p", "perplexity_p"})
"""The measures for which P alone will do."""

STATISTICS = ("count", "infinite", "mean", "standard_error", "min", "q1", "median", "q3", "max")
STATISTICS_OF_ALL = tuple(f"{statistic}:{field}" for statistic in STATISTICS for field in MEASURES)

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE...", help="CSV, TSV, NDJSON, JSON, Parquet ...; - is standard input."),
]


class PairColumns(Group):
    """Which columns of the table play which part."""

    p: str | None = input_option(metavar="COLUMNS", help="P's: a name, p0:p9, 2-11, 'p*', /^p/, a,b.")
    q: str | None = input_option(metavar="COLUMNS", help="Q's, likewise.")
    by: str | None = input_option(metavar="COLUMNS", help="Rows alike in these make one pair.")
    other: str | None = input_option("--with", metavar="FILE", help="Q's table; rows are joined by --on.")
    on: str | None = input_option(metavar="COLUMNS", help="The key of a row in both tables.")
    previous: bool = input_option("--previous", default=False, help="P is the row, Q the row before it.")
    by_rows: bool = input_option("--rows", default=False, help="A row of the --reference is a distribution: FILE:ROW.")
    reference: str | None = input_option(metavar="DIST", help="Stands for P (or for Q, if --p is given) in every row.")
    keep: str | None = output_option(metavar="COLUMNS", help="Columns passed through; '' for none. Else: all left.")

    def wanted(self, choices: Any) -> Any:  # noqa: ANN401 - importing their types would import NumPy
        """The columns as the readers take them. Raises UsageError."""
        from klcli.readers.tables.layout import WantedColumns

        if self.by is not None and self.keep is not None:
            message = "--keep does not go with --by: the rows of a group have no one value of another column"
            raise UsageError(message)
        if self.reference is not None and self.p is not None and self.q is not None:
            message = "--reference stands for P or for Q; give --q or --p, not both"
            raise UsageError(message)
        self._check_partner()
        side = None if self.reference is None else "q" if self.p is not None else "p"
        apart = self.previous or self.other is not None
        return WantedColumns(self.p, self.q, self.keep, self.by, side, apart=apart, on=self.on, choices=choices)

    def _check_partner(self) -> None:
        """Raises UsageError where options say in two ways, or not at all, which row Q stands in."""
        given = {"--previous": self.previous, "--with": self.other is not None}
        option = next((name for name, is_given in given.items() if is_given), None)
        if (self.other is None) != (self.on is None):
            has, lacks = ("--with", "--on COLUMNS") if self.on is None else ("--on", "--with FILE")
            message = f"{has} names {'the other table' if has == '--with' else 'a key'}; add {lacks}"
            raise UsageError(message)
        if self.by_rows and self.reference is None:
            message = "--rows is for the reference; a row of the table is a pair anyhow. Add --reference FILE:ROW"
            raise UsageError(message)
        if option is None:
            return
        others = {"--reference": self.reference is not None, "--by": self.by is not None}
        if option == "--previous":
            others |= {"--with": self.other is not None, "--q": self.q is not None}
        other = next((name for name, is_given in others.items() if is_given), None)
        if other is not None:
            message = f"{option} says where Q stands, and {other} does not go with it; leave out one"
            raise UsageError(message)


class Rows(Drawn):
    """The form of the output, a row a pair."""

    format: str = format_option(ROW_FORMATS, "by -o's suffix, else as the input is")
    on_error: str = output_option(
        default="fail",
        choices=ON_ERROR,
        help="A row that is no pair: stop, keep it with its reason in a column 'error', or leave it out.",
    )
    get: list[str] | None = get_option(metavar="STATISTIC:FIELD", help="Of --summary: the bare value.")
    summary: bool = output_option(
        "--summary", default=False, help="Print statistics of every measure; rows only go to -o."
    )

    def values(self) -> list[str]:
        """The statistics to print bare, as STATISTIC:FIELD. Raises UsageError."""
        if self.get is not None and not self.summary:
            message = "--get is of the statistics; add --summary"
            raise UsageError(message)
        for part in ",".join(self.get or ()).split(","):
            if ":" in part:
                one_of("--get STATISTIC:FIELD", part.partition(":")[0].strip(), STATISTICS)
        return names("--get", self.get, STATISTICS_OF_ALL)

    def summary_format(self) -> str | None:
        """The format of the statistics where they are all the output; None: a table on a terminal, else TSV."""
        if not self.summary or self.output is not None or self.format == "auto":
            return None
        return one_of("--format", self.format, ("auto", *FORMATS))

    def row_format(self, *, folder: bool) -> str | None:
        """The format asked for, or that of the output's suffix; None: as the input. Raises UsageError.

        folder: the output is one, whose name may have any suffix.
        """
        if self.summary and self.output is None:
            return None
        chosen = one_of("--format", self.format, ("auto", *ROW_FORMATS))
        if chosen == "auto" and self.output is not None:
            return suffix_format(self.output, ROW_FORMATS, strict=not folder and appears_whole(self.output))
        return None if chosen == "auto" else chosen


class Speed(Group):
    """What changes no result."""

    threads: int | None = speed_option(
        metavar="N", min=1, help="Processes or threads; else one a processor, at most 4."
    )
    block_size: int | None = speed_option(metavar="BYTES", min=1, help="Bytes of text read at a time.")
    cluster: str | None = speed_option(
        metavar="ADDRESS|local",
        help="Let Dask's workers score the files (or a folder's), each to a part in the folder -o.",
    )

    def checked_cluster(self) -> str | None:
        """Where the files are scored, None for here. Raises UsageError."""
        if self.cluster not in {None, "local"} and self.threads is not None:
            message = "--threads does not go with --cluster ADDRESS: as many work as there are workers"
            raise UsageError(message)
        return self.cluster


@grouped
def batch(
    files: Files = None,
    *,
    columns: PairColumns,
    inputs: Inputs,
    maths: PairMaths,
    measured: Measured,
    rows: Rows,
    speed: Speed,
) -> int:
    """Score a table: one pair a row, or a group of rows, streamed. Both entropies, cross-entropies and KL divergences.

    klcli batch samples/pairs.csv --p 'p*' --q 'q*' -m kl_pq

    klcli batch samples/words.csv --by doc --label word --p p --q q -m kl_pq,js_divergence

    klcli batch samples/pairs.csv --q 'q*' --reference 0.2,0.3,0.5 --keep id -m kl_pq
    """
    files = files or piped("FILE...")
    gc.enable()  # millions of rows leave some garbage
    settings = maths.settings(alpha=measured.alpha)
    gates = Gates(rows.fail_above, [*MEASURES, *STATISTICS_OF_ALL])
    parted = [(*field.partition(":"), limit) for field, limit in gates.limits if ":" in field]
    of_all = [(statistic, field, limit) for statistic, _, field, limit in parted]
    limits = [(field, limit) for field, limit in gates.limits if ":" not in field]
    bare = rows.values()
    chosen = names("--measures", measured.measures, MEASURES)
    got = [field.partition(":")[2] for field in bare]
    shown = list(dict.fromkeys([*(chosen or got or SIX), *got]))
    gated = dict.fromkeys(field.rpartition(":")[2] for field in gates.fields)
    others = tuple(field for field in gated if field not in shown)
    wanted = _counting(columns.wanted(inputs.choices()), inputs)._replace(alone={*shown, *others} <= ALONE)
    rows.output = None if rows.output == "-" else rows.output
    cluster = speed.checked_cluster()
    format_name, summary_format = rows.row_format(folder=cluster is not None), rows.summary_format()

    from klcli.batch.run import run
    from klcli.batch.tally import Plan, finish
    from klcli.readers.tables.stream import ReadSettings

    reading = ReadSettings(
        wanted, inputs.checked_format(), inputs.dialect(), threads=speed.threads or _processors(), size=speed.block_size
    )
    if (
        inputs.blank == "skip"
        and not inputs.tally
        and (columns.reference is not None or settings.p.smoothing or settings.q.smoothing)
    ):
        other = "--reference" if columns.reference is not None else "smoothing"
        message = f"--blank skip leaves outcomes out, to which {other} would give weight again; --blank zero keeps them"
        raise UsageError(message)
    reference, notes, met = _reference(columns.reference, inputs, settings, wanted, by_rows=columns.by_rows)
    reading = reading._replace(wanted=wanted._replace(met=met))
    plan = Plan(
        files=files,
        reading=reading,
        settings=settings,
        measures=tuple(shown),
        others=others,
        reference=reference,
        limits=limits,
        output=rows.output,
        format=format_name,
        on_error=one_of("--on-error", rows.on_error, ON_ERROR),
        rows=not rows.summary or rows.output is not None,
        quiet=rows.quiet,
        of_all=of_all,
        other=columns.other,
    )
    if cluster is None:
        result = run(plan, summarised=rows.summary or bool(of_all))
    else:
        _refuse_on_cluster(plan)

        from klcli.batch.cluster import run_on_cluster

        result = run_on_cluster(plan, cluster, summarised=rows.summary or bool(of_all))
    if rows.summary:
        from klcli.renderers.formats import RENDERERS
        from klcli.renderers.formats import bare as write_bare
        from klcli.renderers.summary import SummaryAnswer

        answer, name = SummaryAnswer(result.summary), summary_format or ("table" if on_terminal() else "tsv")
        with destination(None) as out:
            if bare:
                write_bare(answer, bare, out)
            else:
                RENDERERS[name](answer, view_of(rows, name), out)
    return finish(result._replace(notes=(*notes, *result.notes)), plan)


def _counting(wanted: Any, inputs: Inputs) -> Any:  # noqa: ANN401
    """The wanted columns, with the cells in which raw values are counted. Raises UsageError."""
    choices = inputs.choices()
    if not choices.tally:
        return wanted
    if wanted.by is None:
        message = "--tally counts the raw values in the rows of a group; add --by COLUMN"
        raise UsageError(message)
    if wanted.reference is not None and choices.bins is not None:
        from klcli.readers.observations import cells_given

        if isinstance(cells_given(choices.bins), int):
            message = f"--bins {choices.bins} does not go with --reference; give edges, as --bins 0,1,2"
            raise UsageError(message)
    from klcli.readers.tables.layout import Counting

    return wanted._replace(counting=Counting(choices.bins, inputs.dialect().notation))


def _refuse_on_cluster(plan: Any) -> None:  # noqa: ANN401
    """Raises UsageError for what workers that read a part each cannot do."""
    wanted = plan.reading.wanted
    limited = {
        "--with": plan.other is not None,
        "--previous": wanted.apart,
        "--tally": wanted.counting is not None,
        f"--fail-above on {listed(plan.others)}": bool(plan.of_all and plan.others),
    }
    option = next((option for option, is_given in limited.items() if is_given), None)
    if option is not None:
        mend = "add the field to -m" if "above" in option else "leave out --cluster"
        message = f"{option} does not go with --cluster; {mend}"
        raise UsageError(message)


def _reference(
    text: str | None,
    inputs: Inputs,
    settings: Settings,
    wanted: Any,  # noqa: ANN401
    *,
    by_rows: bool,
) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    """The distribution that stands for one side in every row, what is done to it, and the names met in its source."""
    if text is None:
        return None, (), ()
    from klcli.analyses.batch import REFERENCE, reference_notes

    role = wanted.reference.upper()
    arguments = inputs.arguments(rows=by_rows)
    reference = arguments.counted([arguments.one(text, REFERENCE)], others=True)[0]
    return reference, reference_notes(reference, role, settings), arguments.met


_ENOUGH = 4
"""Every process goes through the whole file for its share, and takes 100 MB: more would seldom be quicker."""


def _processors() -> int:
    """How many this process uses unless told otherwise."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, _ENOUGH)

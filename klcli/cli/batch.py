"""`klcli batch`."""

import gc
import os
from typing import TYPE_CHECKING, Annotated

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
    meant,
    names,
    one_of,
    output_option,
    parts,
    piped,
    speed_option,
)
from klcli.cli.output import Request, measures_shown, suffix_format
from klcli.console import appears_whole, on_terminal
from klcli.engine.measures import MEASURES, SIX
from klcli.errors import UsageError, clipped
from klcli.model import Settings

if TYPE_CHECKING:  # they import NumPy
    from klcli.model import Distribution
    from klcli.readers.tables.layout import WantedColumns

ROW_FORMATS = ("csv", "tsv", "ndjson", "parquet")
ALONE = frozenset({"entropy_p", "perplexity_p"})
"""The measures for which P alone will do."""

_MOST_PROCESSORS = 4
"""Every process goes through the whole file for its share, and takes 100 MB: more would seldom be quicker."""

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

    def wanted(self, inputs: Inputs, settings: Settings) -> "WantedColumns":
        """The columns as the readers take them. Raises UsageError."""
        from klcli.readers.tables.layout import WantedColumns, counted

        choices = inputs.choices()
        if self.by is not None and self.keep is not None:
            message = "--keep does not go with --by: the rows of a group have no one value of another column"
            raise UsageError(message)
        if self.reference is not None and self.p is not None and self.q is not None:
            message = "--reference stands for P or for Q; give --q or --p, not both"
            raise UsageError(message)
        self._check_partner()
        side = None if self.reference is None else "q" if self.p is not None else "p"
        apart = self.previous or self.other is not None
        wanted = WantedColumns(self.p, self.q, self.keep, self.by, side, apart=apart, on=self.on, choices=choices)
        if inputs.counts:
            wanted = counted(wanted, inputs.dialect().notation)
        if inputs.blank == "skip" and not inputs.tally:
            self._check_skipped(settings)
        return wanted

    def read_reference(
        self, inputs: Inputs, wanted: "WantedColumns", settings: Settings
    ) -> tuple["Distribution | None", "WantedColumns", tuple[str, ...]]:
        """The reference, the columns that are wanted beside it, and notes on what is done to it. Raises KlcliError."""
        if self.reference is None or wanted.reference is None:
            return None, wanted, ()
        from klcli.analyses.batch import REFERENCE, reference_notes

        arguments = inputs.arguments(rows=self.by_rows)
        reference = arguments.reference(self.reference, REFERENCE)
        notes = reference_notes(reference, wanted.reference.upper(), settings)
        return reference, wanted._replace(met=arguments.met), notes

    def _check_skipped(self, settings: Settings) -> None:
        """Raises UsageError where outcomes that are left out would get weight again."""
        if self.reference is not None or settings.p.smoothing or settings.q.smoothing:
            other = "--reference" if self.reference is not None else "smoothing"
            skipped = f"--blank skip leaves outcomes out, to which {other} would give weight again"
            message = f"{skipped}; --blank zero keeps them"
            raise UsageError(message)

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

    def request(self) -> Request:
        """What is asked of the statistics of all rows, and the gates, which rows may have too. Raises UsageError."""
        from klcli.analyses.summary import STATISTICS

        if self.get is not None and not self.summary:
            message = "--get is of the statistics; add --summary"
            raise UsageError(message)
        for field in parts(self.get):
            if ":" not in field:
                pair = f"{field}:kl_pq" if field in STATISTICS else f"mean:{meant(field, MEASURES) or 'kl_pq'}"
                message = f"--get {clipped(field)}: write STATISTIC:FIELD, as {pair}"
                raise UsageError(message)
            one_of("--get STATISTIC:FIELD", field.partition(":")[0].strip(), STATISTICS)
        of_all = [f"{statistic}:{field}" for statistic in STATISTICS for field in MEASURES]
        fields = names("--get", self.get, of_all)
        format_name = "table" if on_terminal() else "tsv"
        if self.summary and self.output is None and self.format != "auto":
            format_name = one_of("--format", self.format, ("auto", *FORMATS))
        return Request(self, format_name, fields, [*MEASURES, *of_all])

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

    def processors(self) -> int:
        """How many processors to use."""
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.threads or min(usable, _MOST_PROCESSORS)

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
    settings = maths.settings(alpha=measured.alpha, js_weight=measured.js_weight)
    rows.output = None if rows.output == "-" else rows.output
    request = rows.request()
    got = [field.partition(":")[2] for field in request.fields]
    shown = measures_shown(names("--measures", measured.measures, MEASURES), got, SIX)
    needed = {*shown, *(field.rpartition(":")[2] for field in request.gates.fields)}
    wanted = columns.wanted(inputs, settings)._replace(alone=needed <= ALONE)
    wanted = wanted._replace(choices=wanted.choices._replace(placed="wasserstein" in needed))
    cluster = speed.checked_cluster()
    format_name = rows.row_format(folder=cluster is not None)

    from klcli.batch.tally import Plan
    from klcli.readers.tables.stream import ReadSettings

    reading = ReadSettings(wanted, inputs.checked_format(), inputs.dialect(), speed.block_size, speed.processors())
    reference, wanted, notes = columns.read_reference(inputs, wanted, settings)
    plan = Plan(
        files=files,
        reading=reading._replace(wanted=wanted),
        settings=settings,
        measures=tuple(shown),
        gates=request.gates.limits,
        reference=reference,
        output=rows.output,
        format=format_name,
        on_error=one_of("--on-error", rows.on_error, ON_ERROR),
        rows=not rows.summary or rows.output is not None,
        summary=rows.summary,
        quiet=rows.quiet,
        other=columns.other,
    )
    if cluster is None:
        from klcli.batch.run import run

        result = run(plan)
    else:
        from klcli.batch.cluster import run_on_cluster

        result = run_on_cluster(plan, cluster)
    if rows.summary:
        from klcli.renderers.summary import SummaryAnswer

        request.write(SummaryAnswer(result.summary), None)
    return request.end((*notes, *result.notes), result.above, result.failed)

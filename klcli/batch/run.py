"""A batch from its files to its output: frames are read, paired, scored and encoded on threads, written in order."""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from math import inf
from shutil import copyfileobj
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.analyses.batch import score_block, without
from klcli.batch.ordered import workers
from klcli.batch.progress import Progress
from klcli.batch.tally import Done, Plan, Result, Tally
from klcli.console import Temporary, appears_whole, destination, ending, on_terminal
from klcli.errors import UsageError, clipped, typed
from klcli.readers.observations import Cells, cells_given, equal_cells, numbers_among
from klcli.readers.tables.groups import gathered, group_starts, pair_groups, whole_groups
from klcli.readers.tables.pairs import pair_rows
from klcli.readers.tables.partners import Keyed, Previous
from klcli.readers.tables.select import list_of
from klcli.readers.tables.stream import Tables
from klcli.readers.tables.table import concatenated
from klcli.renderers.sinks import ERROR, SINKS, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from klcli.batch.ordered import Workers
    from klcli.blocks import Block
    from klcli.readers.tables.layout import Layout
    from klcli.readers.tables.stream import Opened
    from klcli.readers.tables.table import Table
    from klcli.renderers.sinks import RowSink

    Job = Callable[[], Table]
    Place = Callable[[int], str]
    Blocks = Iterator[tuple[Callable[[], Block], Place]]


def run(plan: Plan) -> Result:
    """Scores the tables. Raises what stops it, and then leaves no output file."""
    if [*plan.files, plan.other].count("-") > 1:
        message = "standard input can be read once; give - once"
        raise UsageError(message)
    tables = Tables(plan.files, plan.reading)
    inputs = {os.path.realpath(path) for path in (*plan.files, plan.other or "-") if path != "-"}
    if plan.output is not None and appears_whole(plan.output) and os.path.realpath(plan.output) in inputs:
        message = f"--output {clipped(plan.output)} is also an input; choose another file"
        raise UsageError(message)
    with tables:
        plan = _with_cells(plan, tables)
        try:
            return _scored(plan, tables, together=False)
        except ScatteredError:
            return _scored(plan, tables, together=True)


def _with_cells(plan: Plan, tables: Tables) -> Plan:
    """The plan with the cells for raw numbers; where --bins says how many, tables are first read to find the ends."""
    counting = plan.reading.wanted.counting
    if counting is None or not isinstance(counting.bins, str):
        return plan
    cells = cells_given(counting.bins)
    if isinstance(cells, int):
        low, high = inf, -inf
        for table in tables:
            for read in table.frames():
                frame = read()
                for column in table.layout.more:
                    found = numbers_among(frame.texts(column), counting.notation)
                    low, high = min(low, found.min(initial=inf)), max(high, found.max(initial=-inf))
        cells = equal_cells(cells, low, high) if low <= high else Cells((), ("all",))
    wanted = plan.reading.wanted._replace(counting=counting._replace(bins=cells))
    tables.want(wanted)
    return plan._replace(reading=plan.reading._replace(wanted=wanted))


class ScatteredError(Exception):
    """The rows of a group do not stand together."""


def _scored(plan: Plan, tables: Tables, *, together: bool) -> Result:
    with closing(Tally(plan, summarised=plan.summarised)) as tally, _destination(plan) as out:
        score_tables(plan, tables, tally, out, together=together)
        return tally.result()


def score_tables(
    plan: Plan,
    tables: Tables,
    tally: Tally,
    out: Any,  # noqa: ANN401
    *,
    together: bool,
    seen: Keys | None = None,
) -> None:
    """Scores the tables, one after the other. together: whether rows have to be put in groups first.

    seen: gathers the keys of the groups.

    Raises ScatteredError as soon as it is known that the rows of a group do not stand together.
    """
    opened = iter(tables)
    first = next(opened)
    layout = first.layout
    format_name = plan.format or like(tables.format())
    schema = _schema(plan, layout, format_name)
    keyed = None if plan.other is None else Keyed(plan.other, plan.reading, strict=plan.on_error == "fail")
    paired = () if keyed is None else keyed.pair_with(layout)
    tally.say(filter(None, [first.stream.note, *layout.remarks, *paired]))
    every = chain([first], opened)

    def blocks(at_work: Workers) -> Blocks:
        if together:
            return _gathered(every, layout, at_work)
        if plan.reading.wanted.by is not None:
            return _in_groups(every, layout, at_work, Keys() if seen is None else seen)
        return _with_partners(every, layout, at_work, keyed) if plan.reading.wanted.apart else _in_rows(every, layout)

    def work(block: Callable[[], Block], place: Place) -> tuple[Done, Place]:
        return _score(plan, sink, block()), place

    with (
        _sink(plan, SINKS[format_name], out, schema) as sink,
        workers(1 if first.stream.small and len(plan.files) == 1 else plan.reading.threads) as at_work,
        # Over rows on the terminal there is no room for a bar.
        Progress(tables, wanted=not plan.quiet and not (sink and plan.output is None and on_terminal())) as bar,
        closing(at_work.in_order(partial(work, *block) for block in blocks(at_work))) as results,
    ):
        for done, place in results:
            tally.take(done, place)
            if sink is not None:
                sink.write(done.encoded)
            bar.show(tally.rows)
            ending.reach(f"{tally.rows:,} {plan.noun}")
        tables.verify()
        tally.check()
    if keyed is not None and keyed.unused:
        tally.say([f"rows of {keyed.name} left out that have no partner: {keyed.unused}"])
        tally.lost = keyed.lost


@contextmanager
def _sink(plan: Plan, kind: Callable[..., RowSink], out: Any, schema: Schema) -> Iterator[RowSink | None]:  # noqa: ANN401
    """Where rows are written to, if they are; what is left is written when the `with` block ends well."""
    if not plan.rows:
        yield None
        return
    sink = kind(out, schema)
    try:
        yield sink
    except BaseException:
        sink.abandon()
        raise
    sink.close()


def _schema(plan: Plan, layout: Layout, format_name: str) -> Schema:
    """What the output holds. Raises UsageError where it cannot."""
    schema = Schema(layout.names(layout.by or layout.kept), plan.measures, plan.on_error == "keep")
    twice = next(
        (name for name in schema.kept if schema.names.count(name) > 1 and name in {*plan.measures, ERROR}), None
    )
    if twice is not None:
        others = list_of(name for name in schema.kept if name not in {*plan.measures, ERROR})
        mend = "rename it" if layout.by else f"keep the others: --keep {typed(others)}"
        message = f"{layout.source}: its column {clipped(twice)} has a name the output needs; {mend}"
        raise UsageError(message)
    if plan.rows and format_name == "parquet" and plan.output is None and on_terminal():
        message = "Parquet is no text for a terminal; add -o FILE, or -f csv"
        raise UsageError(message)
    double = next((name for name in schema.kept if schema.kept.count(name) > 1), None)
    if double is not None and format_name in {"ndjson", "parquet"}:
        message = f"{layout.source}: {format_name} cannot hold two columns called {clipped(double)}; choose with --keep"
        raise UsageError(message)
    return schema


# -------------------------------------------------------------------------------------------------------- four ways


def _in_rows(tables: Iterator[Opened], layout: Layout) -> Blocks:
    """Each row is a pair: a frame is read, paired and scored in one go."""

    def paired(frame: Job) -> Block:
        return pair_rows(frame(), layout)

    for table in tables:
        for frame in table.frames():
            yield partial(paired, frame), table.stream.place


def _with_partners(tables: Iterator[Opened], layout: Layout, at_work: Workers, keyed: Keyed | None) -> Blocks:
    """Q stands in the row before, or in the row of another table with the same key."""
    previous = Previous(layout)
    for table in tables:
        with closing(at_work.in_order(table.frames())) as frames:
            for frame in frames:
                yield (
                    previous.pairs(frame) if keyed is None else partial(keyed.pairs, frame, layout),
                    table.stream.place,
                )


def _in_groups(tables: Iterator[Opened], layout: Layout, at_work: Workers, seen: Keys) -> Blocks:
    """A group is a pair: frames are read, cut where groups end, and scored. Raises ScatteredError."""

    def read(frame: Job) -> tuple[Table, npt.NDArray[np.intp]]:
        rows = frame()
        return rows, group_starts(rows, layout)

    for table in tables:
        with closing(at_work.in_order(partial(read, frame) for frame in table.frames())) as frames:
            for block, keys in whole_groups(frames, layout):
                seen.add(keys)
                yield block, table.stream.place
    seen.check()


def _gathered(tables: Iterator[Opened], layout: Layout, at_work: Workers) -> Blocks:
    """All rows are read into memory, and put in groups."""
    parts: list[Table] = []
    places: list[Place] = []
    firsts: list[int] = []
    for table in tables:
        places.append(table.stream.place)
        firsts.append(sum(part.lines for part in parts))
        parts += at_work.in_order(table.frames())

    def place(line: int) -> str:
        i = bisect_right(firsts, line) - 1
        return places[i](line - firsts[i])

    yield partial(pair_groups, gathered(concatenated(parts), layout), layout), place


class Keys:
    """The keys of the groups that have ended, eight bytes each. Where two may be equal the rows are gathered.

    known: sorted, and all of them after `check`. of: makes a number of eight bytes of a key.
    """

    def __init__(self, of: Callable[[Any], int] = hash) -> None:
        self.known, self._new, self._of = np.empty(0, dtype=np.int64), [np.empty(0, dtype=np.int64)], of

    def add(self, keys: list[Any]) -> None:
        """More of them. Raises ScatteredError where one stands twice, in time or a little later."""
        if len(set(keys)) < len(keys):
            raise ScatteredError
        self._new.append(np.fromiter(map(self._of, keys), dtype=np.int64, count=len(keys)))
        if sum(map(len, self._new)) > len(self.known):
            self.check()

    def check(self) -> None:
        """Raises ScatteredError where a key stands twice."""
        self.known = np.sort(np.concatenate([self.known, *self._new]))
        self._new = []
        if (self.known[1:] == self.known[:-1]).any():
            raise ScatteredError


# ------------------------------------------------------------------------------------------------------- what for


def _score(plan: Plan, sink: RowSink | None, block: Block) -> Done:
    """What is done with a block, on any thread."""
    scored = score_block(block, plan.settings, [*plan.measures, *plan.others], plan.reference)
    above = [int(np.count_nonzero(scored.values[field] > limit)) for field, limit in plan.limits]
    failures, values = scored.failures, scored.values if plan.summarised else {}
    if plan.others:
        scored = replace(scored, values={name: scored.values[name] for name in plan.measures})
    if plan.on_error == "skip" and failures:
        scored = without(scored, np.array([failure.row for failure in failures]))
    encoded = None if sink is None else sink.encode(scored)
    return Done(block.size, block.lines, failures, scored.remarks, encoded, values, above, block.names)


def like(input_format: str) -> str:
    """The output's format where nothing is asked for: the input's, as far as it is one of rows."""
    alike = {"tsv": "tsv", "ndjson": "ndjson", "json": "ndjson", "parquet": "parquet"}
    return alike.get(input_format, "csv")


@contextmanager
def _destination(plan: Plan) -> Iterator[Any]:
    """Where the rows go. Groups, which may have to be read again, go to a stream when all are there."""
    if not plan.rows:
        yield None
    elif plan.reading.wanted.by is not None and not appears_whole(plan.output):
        with Temporary() as waiting:
            yield waiting
            waiting.seek(0)
            with destination(plan.output) as out:
                copyfileobj(waiting, out)
    else:
        with destination(plan.output) as out:
            yield out

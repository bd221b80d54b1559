"""A batch from its files to its output: the tables, the threads, the sink, and what is said at the end."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from os.path import commonprefix
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile, gettempdir
from typing import Any, NamedTuple

import numpy as np

from klcli.analyses.batch import score_block
from klcli.analyses.summary import Summary
from klcli.blocks import Block, Failure
from klcli.cli.failures import GATE, reason, say
from klcli.cli.output import destination, on_terminal, say_notes
from klcli.cli.pipeline import CAN_FORK, Lane, in_order, process_lanes, thread_lanes
from klcli.cli.progress import Progress
from klcli.errors import KlcliError, OutputError, UsageError, clipped, listed
from klcli.model import Distribution, Settings
from klcli.readers.numbers import is_number
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.stream import Reading, Table, Tables
from klcli.renderers.sinks import ERROR, SINKS, Schema, Sink, without

SOME_FAILED = 5
"""The exit code of a batch that was done but for some rows."""


class Plan(NamedTuple):
    """What a batch is asked to do.

    measures: those shown; others: those for a gate alone. limits: field and value of each gate. rows: whether they are
    written. gathered: whether the rows have all been read, to be put in groups.
    """

    files: Sequence[str]
    reading: Reading
    settings: Settings
    measures: tuple[str, ...]
    others: tuple[str, ...]
    reference: Distribution | None
    limits: Sequence[tuple[str, float]]
    output: str | None
    format: str | None
    on_error: str
    rows: bool
    quiet: bool
    gathered: bool = False

    @property
    def noun(self) -> str:
        """What a pair is in the table."""
        return "rows" if self.reading.wanted.by is None else "groups"


class Result(NamedTuple):
    """What came of a batch. notes: on how the table was read. summary: statistics of each measure."""

    rows: int
    failed: int
    first_failure: str
    notes: tuple[str, ...]
    above: tuple[str, ...]
    summary: Mapping[str, Mapping[str, float]]


def run(plan: Plan, *, summarised: bool) -> Result:
    """Scores the tables. Raises what stops it, and then leaves no output file."""
    tables = Tables(plan.files, plan.reading)
    if plan.output is not None and _is_replaced(plan.output) and tables.has(os.path.realpath(plan.output)):
        message = f"--output {clipped(plan.output)} is also an input; choose another file"
        raise UsageError(message)

    def scored(these: Iterator[Table], *, gathered: bool = False) -> Result:
        how = plan._replace(gathered=gathered)
        with closing(Tally(how, summarised=summarised)) as tally:
            return score_tables(how, tables, these, tally, _destination(plan)).result()

    with tables:
        try:
            return scored(iter(tables))
        except ScatteredError:
            from klcli.readers.tables.gather import Gathered

            return scored(iter([Gathered(tables)]), gathered=True)
        except OSError as error:  # those of the input and the output have been explained
            message = f"temporary files in {gettempdir()}: {reason(error)}; set TMPDIR to where there is room"
            raise OutputError(message) from None


class ScatteredError(Exception):
    """The rows of a group do not stand together."""


class Done(NamedTuple):
    """A block that has been scored, and is ready to be written.

    size, lines, keys: the block's. values: the measures, for a summary. above: for each gate, how many exceed it.
    """

    size: int
    lines: int
    keys: Any
    failures: tuple[Failure, ...]
    remarks: Mapping[str, int]
    encoded: Any
    values: Mapping[str, Any]
    above: list[int]


_Job = tuple[int, Callable[[], Iterable[Block]]]


class _Jobs:
    """The parts of all tables, each with the number of its table."""

    def __init__(self, tables: Iterator[Table]) -> None:
        self.tables: list[Table] = []
        self._left = tables
        self.first = self._next()

    def _next(self) -> Table | None:
        table = next(self._left, None)
        if table is not None:
            self.tables.append(table)
        return table

    def __iter__(self) -> Iterator[_Job]:
        table = self.first
        while table is not None:
            number = len(self.tables) - 1
            for part in table.parts():
                yield number, part
            table = self._next()


def score_tables(
    plan: Plan, whole: Tables, tables: Iterator[Table], tally: "Tally", into: AbstractContextManager[Any]
) -> "Tally":
    """Scores the tables, one after the other. Returns the tally. Raises ScatteredError once all rows were seen."""
    jobs = _Jobs(tables)
    first = jobs.tables[0]
    schema = Schema(first.kept, plan.measures, plan.on_error == "keep")
    twice = next(
        (name for name in schema.kept if schema.names.count(name) > 1 and name in {*plan.measures, ERROR}), None
    )
    if twice is not None:
        message = f"{first.source}: its column {clipped(twice)} has a name the output needs; leave it out with --keep"
        raise UsageError(message)
    tally.say(_doubts(first.layout))
    format_name = plan.format or like(whole.format())
    if plan.rows and format_name == "parquet" and plan.output is None and on_terminal():
        message = "Parquet is no text for a terminal; add -o FILE, or -f csv"
        raise UsageError(message)
    double = next((name for name in schema.kept if schema.kept.count(name) > 1), None)
    if double is not None and format_name in {"ndjson", "parquet"}:
        message = f"{first.source}: {format_name} cannot hold two columns called {clipped(double)}; choose with --keep"
        raise UsageError(message)
    with into as out:
        sink = SINKS[format_name](out, schema) if plan.rows else None
        try:
            _stream(plan, whole, jobs, tally, sink)
        except BaseException:
            if sink is not None:
                sink.abandon()
            raise
        if sink is not None:
            sink.close()
    return tally


def _doubts(layout: Layout) -> list[str]:
    """What may be otherwise than was meant by the choice of columns."""
    doubts = []
    p, q = layout.names(layout.p), layout.names(layout.q)
    if layout.header and all(map(is_number, layout.header)):
        doubts.append(f"the first line is taken as the header: {listed(layout.header)}")
    if p == q and p:
        doubts.append(f"P and Q are the same columns: {listed(p)}")
    ends = [[name[len(commonprefix(names)) :] for name in names] for names in (p, q)]  # noqa: RUF071 - no paths
    if len(p) > 1 and len(q) > 1 and ends[0] != ends[1]:
        doubts.append(f"the columns are paired in this order: P {listed(p, 12)}; Q {listed(q, 12)}")
    return doubts


def _stream(plan: Plan, whole: Tables, jobs: _Jobs, tally: "Tally", sink: Sink | None) -> None:
    """Everything between the opening of the output and its end."""
    work = _worker(plan, sink, summarised=tally.summarised)
    again = None if plan.gathered else _again(plan, whole)
    with (
        _lanes(work, again, plan.reading.threads, tally) as lanes,
        Progress(whole, wanted=_has_room(plan)) as bar,
        closing(in_order(jobs, lanes)) as results,
    ):
        for number, blocks in results:
            for done in blocks:
                tally.take(done, jobs.tables[number])
                if sink is not None:
                    sink.write(done.encoded)
            bar.show(tally.rows)
    tally.check()


_WORTH_A_PROCESS = 1 << 22
"""Bytes; it takes 3 ms to start one."""


def _again(plan: Plan, whole: Tables) -> Callable[[], Iterable[_Job]] | None:
    """How another process goes through the jobs; None where there is but one stream, or little in it."""
    if not CAN_FORK or whole.total < _WORTH_A_PROCESS or not whole.divisible:
        return None
    return lambda: _Jobs(iter(Tables(plan.files, plan.reading)))


def _lanes(
    work: Callable[[_Job], Any], again: Callable[[], Iterable[_Job]] | None, workers: int, tally: "Tally"
) -> AbstractContextManager[Sequence[Lane[_Job, Any]]]:
    if again is None or workers == 1:
        return thread_lanes(work, workers)
    return process_lanes(work, again, workers, tally.died)


def like(input_format: str) -> str:
    """The output's format where nothing is asked for: the input's, as far as it is one of rows."""
    alike = {"tsv": "tsv", "ndjson": "ndjson", "json": "ndjson", "parquet": "parquet"}
    return alike.get(input_format, "csv")


@contextmanager
def _destination(plan: Plan) -> Iterator[Any]:
    """Where the rows go. Groups, which may have to be read again, go to a stream when all are there."""
    if not plan.rows:
        yield None
    elif plan.reading.wanted.by is not None and not _is_replaced(plan.output):
        with TemporaryFile() as waiting:
            yield waiting
            waiting.seek(0)
            with destination(plan.output) as out:
                copyfileobj(waiting, out)
    else:
        with destination(plan.output) as out:
            yield out


def _is_replaced(output: str | None) -> bool:
    """Whether the output is a file that appears when all went well, not one that is written to at once."""
    return output is not None and (Path(output).is_file() or not Path(output).exists())


def _has_room(plan: Plan) -> bool:
    """Whether a progress bar would stand alone on the terminal."""
    return not plan.quiet and not (plan.rows and plan.output is None and on_terminal())


def _worker(plan: Plan, sink: Sink | None, *, summarised: bool) -> Callable[[_Job], tuple[int, list[Done]]]:
    """What is done with a part of a table."""

    def work(job: _Job) -> tuple[int, list[Done]]:
        number, part = job
        return number, [one(block) for block in part()]

    def one(block: Block) -> Done:
        scored = score_block(block, plan.settings, [*plan.measures, *plan.others], plan.reference)
        above = [int(np.count_nonzero(scored.values[field] > limit)) for field, limit in plan.limits]
        if plan.others:
            scored = replace(scored, values={name: scored.values[name] for name in plan.measures})
        failures, remarks, values = scored.failures, scored.remarks, scored.values if summarised else {}
        if plan.on_error == "skip" and failures:
            scored = without(scored, np.array([failure.row for failure in failures]))
        encoded = None if sink is None else sink.encode(scored)
        return Done(block.size, block.lines, block.keys, failures, remarks, encoded, values, above)

    return work


class Tally:
    """What is known of the rows so far."""

    def __init__(self, plan: Plan, *, summarised: bool) -> None:
        self._plan, self.rows, self.summarised = plan, 0, summarised
        self._table: Table | None = None
        self._line = 0
        self._remarks: Counter[str] = Counter()
        self._failed, self._first = 0, ""
        self._error: KlcliError | None = None
        self._above = [0] * len(plan.limits)
        self._keys: list[Any] = []
        self._summary = Summary(plan.measures) if summarised else None

    def take(self, done: Done, table: Table) -> None:
        """One more block. Raises the error of its first row that failed, if rows are not to fail."""
        if table is not self._table:
            self._table, self._line = table, 0
        if done.failures:
            failure = done.failures[0]
            text = _at(table.place(self._line + failure.line), failure.text)
            if self._plan.on_error == "fail":
                self._error = self._error or failure.error(text)
                if self._plan.reading.wanted.by is None:
                    raise self._error
            self._first = self._first or text
            self._failed += len({failure.row for failure in done.failures})
        self.rows += done.size
        self._line += done.lines
        self._remarks.update(done.remarks)
        self._above = [n + more for n, more in zip(self._above, done.above, strict=True)]
        if done.keys is not None:
            self._keys.append(done.keys)
        if self._summary is not None:
            self._summary.add(done.values)

    def say(self, notes: Iterable[str]) -> None:
        """Notes on the table as a whole."""
        self._remarks.update(dict.fromkeys(notes, 1))

    def close(self) -> None:
        """Gives up what a summary keeps."""
        if self._summary is not None:
            self._summary.close()

    def died(self) -> None:
        """Another process has ended before its time."""
        self._remarks["a process ended before its work was done (out of memory?); its rows were scored by another"] = 1

    def check(self) -> None:
        """Raises ScatteredError, or the error of the first group that failed: its other rows might have mended it."""
        if self.has_scattered_groups():
            raise ScatteredError
        if self._error is not None:
            raise self._error

    def has_scattered_groups(self) -> bool:
        """Whether a group's key came back after another's."""
        if not self._keys or self._plan.gathered:
            return False
        keys = np.sort(np.concatenate(self._keys))
        return bool((keys[1:] == keys[:-1]).any())

    def result(self) -> Result:
        """All of it, in words."""
        # What is said of both sides is said of P first, whichever it is true of in an earlier block.
        place = {sentence.removeprefix("P ").removeprefix("Q "): i for i, sentence in enumerate([*self._remarks][::-1])}
        said = sorted(
            self._remarks.items(), key=lambda item: (-place[item[0].removeprefix("P ").removeprefix("Q ")], item[0])
        )
        notes = [_note(sentence, n, self.rows, self._plan.noun) for sentence, n in said]
        if self.rows == 0:
            notes.append(f"no {self._plan.noun}: a header and nothing below it")
        above = [
            f"{field} is above {limit!r} in {n} of {self.rows} {self._plan.noun}"
            for (field, limit), n in zip(self._plan.limits, self._above, strict=True)
            if n
        ]
        summary = {} if self._summary is None else self._summary.statistics()
        return Result(self.rows, self._failed, self._first, tuple(notes), tuple(above), summary)


def _at(place: str, text: str) -> str:
    """What is wrong, and where."""
    return f"{place}, {text}" if text.startswith("column ") else f"{place}: {text}"


def _note(sentence: str, count: int, total: int, noun: str) -> str:
    which = f"the only {noun[:-1]}" if total == 1 else f"{'all' if count == total else f'{count} of'} {total} {noun}"
    return sentence.replace("{n}", str(count)).replace("{}", which)


def finish(result: Result, plan: Plan) -> int:
    """Says what there is to say. Returns the exit code."""
    if not plan.quiet:
        say_notes(result.notes)
    for sentence in result.above:
        say(sentence)
    if result.failed:
        done = "kept without measures" if plan.on_error == "keep" else "left out"
        say(f"{result.failed} of {result.rows} {plan.noun} failed and were {done}; the first: {result.first_failure}")
        return SOME_FAILED
    return GATE if result.above else 0

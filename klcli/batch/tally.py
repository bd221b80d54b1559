"""How many rows of a batch were read, failed or were mended, and what is said of them at the end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from klcli.analyses.summary import Summary
from klcli.readers.totals import refuse_undropped
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from klcli.blocks import Failure
    from klcli.errors import KlcliError
    from klcli.model import Distribution, Settings
    from klcli.readers.tables.stream import ReadSettings

_ENOUGH = 100
"""Of more names of outcomes none is shown."""


class Plan(NamedTuple):
    """What a batch is asked to do.

    measures: those shown. gates: field and value of each, a field of all rows as STATISTIC:FIELD. rows: whether they
    are written. summary: whether statistics of all rows are. other: the table in which Q's rows stand.
    """

    files: Sequence[str]
    reading: ReadSettings
    settings: Settings
    measures: tuple[str, ...]
    gates: Sequence[tuple[str, float]]
    reference: Distribution | None
    output: str | None
    format: str | None
    on_error: str
    rows: bool
    summary: bool
    quiet: bool
    other: str | None = None

    @property
    def limits(self) -> list[tuple[str, float]]:
        """Field and value of each gate on single rows."""
        return [(field, limit) for field, limit in self.gates if ":" not in field]

    @property
    def limits_of_all(self) -> list[tuple[str, str, float]]:
        """Statistic, field and value of each gate on all rows."""
        parted = [(*field.partition(":"), limit) for field, limit in self.gates if ":" in field]
        return [(statistic, field, limit) for statistic, _, field, limit in parted]

    @property
    def others(self) -> tuple[str, ...]:
        """The measures that are for a gate alone."""
        gated = dict.fromkeys(field.rpartition(":")[2] for field, _ in self.gates)
        return tuple(field for field in gated if field not in self.measures)

    @property
    def summarised(self) -> bool:
        """Whether statistics of all rows are needed."""
        return self.summary or bool(self.limits_of_all)

    @property
    def noun(self) -> str:
        """What a pair is in the table."""
        return "rows" if self.reading.wanted.by is None else "groups"


class Result(NamedTuple):
    """What came of a batch. notes: on how the table was read. above: a line on each gate that failed.

    failed: a line on the rows that failed, and one on those that another table could not give, if there are any.
    summary: statistics of each measure.
    """

    notes: tuple[str, ...]
    above: tuple[str, ...]
    failed: tuple[str, ...]
    summary: Mapping[str, Mapping[str, float]]


class Done(NamedTuple):
    """A block that has been scored, and is ready to be written.

    size, lines, names: the block's. values: the measures, for a summary. above: for each gate, how many exceed it.
    """

    size: int
    lines: int
    failures: tuple[Failure, ...]
    remarks: Mapping[str, int]
    encoded: Any
    values: Mapping[str, Any]
    above: list[int]
    names: frozenset[str] | None = None


class Tally:
    """Counts the rows, and what is to be said of them, as their blocks are scored."""

    def __init__(self, plan: Plan, *, summarised: bool) -> None:
        self._plan, self.rows = plan, 0
        self._table: Callable[[int], str] | None = None
        self._line = 0
        self._remarks: Counter[str] = Counter()
        self._failed, self._first, self.lost = 0, "", ""
        self._error: KlcliError | None = None
        self._names: set[str] | None = None
        self._above = [0] * len(plan.limits)
        besides = [field for _, field, _ in plan.limits_of_all]
        self._summary = Summary(tuple(dict.fromkeys((*plan.measures, *besides)))) if summarised else None

    def take(self, done: Done, place: Callable[[int], str]) -> None:
        """One more block. Raises the error of its first row that failed, if rows are not to fail.

        place: where a line of its table is, counted from the first.
        """
        if place != self._table:
            self._table, self._line = place, 0
        if done.failures:
            failure = done.failures[0]
            text = _at(place(self._line + failure.line), failure.text)
            if self._plan.on_error == "fail":
                self._error = self._error or failure.error(text)
                if self._plan.reading.wanted.by is None:
                    raise self._error
            self._first = self._first or text
            self._failed += len({failure.row for failure in done.failures})
        self.rows += done.size
        self._line += done.lines
        self._remarks.update(done.remarks)
        self._meet(done.names)
        self._above = [n + more for n, more in zip(self._above, done.above, strict=True)]
        if self._summary is not None:
            self._summary.add(done.values)

    def add(self, part: Tally, values: Iterable[Mapping[str, Any]] = ()) -> None:
        """Adds the tally of the rows that follow. values: the measures of its blocks, where a summary is wanted."""
        self.rows += part.rows
        self._failed += part._failed
        self._first, self._error = self._first or part._first, self._error or part._error
        self._remarks.update(part._remarks)
        self._meet(part._names)
        self._above = [n + more for n, more in zip(self._above, part._above, strict=True)]
        for measured in values:
            if self._summary is not None:
                self._summary.add(measured)

    def __getstate__(self) -> dict[str, Any]:
        """What is sent to another process: the counts, without what they were made from."""
        return {**self.__dict__, "_plan": None, "_table": None, "_summary": None}

    def say(self, notes: Iterable[str]) -> None:
        """Notes on the table as a whole."""
        self._remarks.update(dict.fromkeys(notes, 1))

    def close(self) -> None:
        """Gives up what a summary keeps."""
        if self._summary is not None:
            self._summary.close()

    def check(self) -> None:
        """Raises the error of the first group that failed: its other rows might have mended it.

        Raises UsageError for a name to drop that no outcome has.
        """
        if self._error is not None:
            raise self._error
        if self._names is not None:
            wanted = self._plan.reading.wanted
            refuse_undropped(wanted.choices.drop, [sorted(self._names), wanted.met])

    def _meet(self, names: Iterable[str] | None) -> None:
        """Takes note of names of outcomes: of some, which an error may show, and of all that are to be dropped."""
        if names is not None:
            met = self._names or set()
            to_drop = self._plan.reading.wanted.choices.drop if self._plan else ()
            self._names = met.union(names if len(met) < _ENOUGH else (name for name in to_drop if name in set(names)))

    def _place(self, sentence: str) -> int:
        """When it was first said of either side, so that P comes before Q whichever block it is first true of."""
        about = sentence.removeprefix("P ").removeprefix("Q ")
        return next(i for i, said in enumerate(self._remarks) if said.endswith(about))

    def result(self) -> Result:
        """What was counted and noted, in words."""
        said = sorted(self._remarks.items(), key=lambda item: (self._place(item[0]), item[0]))
        notes = [_note(sentence, n, self.rows, self._plan.noun) for sentence, n in said]
        if self.rows == 0:
            notes.append(f"no {self._plan.noun}: a header and nothing below it")
        above = [
            f"{field} is above {limit!r} in {n} of {self.rows} {self._plan.noun}"
            for (field, limit), n in zip(self._plan.limits, self._above, strict=True)
            if n
        ]
        found = {} if self._summary is None else self._summary.statistics()
        above += [
            f"{statistic} of {field} is {found[field][statistic]!r}, above {limit!r}"
            for statistic, field, limit in self._plan.limits_of_all
            if found[field][statistic] > limit
        ]
        summary = {name: of for name, of in found.items() if name in self._plan.measures}
        failed = [self.lost] if self.lost else []
        if self._failed:
            done = "kept without measures" if self._plan.on_error == "keep" else "left out"
            what = f"{self._failed} of {self.rows} {self._plan.noun} failed and were {done}"
            failed.insert(0, f"{what}; the first: {self._first}")
        return Result(tuple(notes), tuple(above), tuple(failed), summary)


def _at(place: str, text: str) -> str:
    """What is wrong, and where."""
    return f"{place}, {text}" if text.startswith("column ") else f"{place}: {text}"


def _note(sentence: str, count: int, total: int, noun: str) -> str:
    which = f"the only {noun[:-1]}" if total == 1 else f"{'all' if count == total else f'{count} of'} {total} {noun}"
    return sentence.replace("{n}", str(count)).replace("{}", which)

"""What a worker of a cluster does: scores one file as it would be scored here, and writes one part of the result.

It writes under a name of its own and renames what is whole. Of a worker that is killed nothing stays, whoever does its
work again.
"""

import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from glob import escape
from pathlib import Path
from socket import gethostname
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np

from klcli import __version__
from klcli.cli.scoring import Done, Plan, ScatteredError, Tally, score_tables
from klcli.console import Destination, reason
from klcli.errors import InputError, KlcliError, OutputError
from klcli.readers.sources import open_source
from klcli.readers.tables.stream import Table, Tables, check_header


class Staging(NamedTuple):
    """A folder beside the result, seen by all workers: what is being written, what is whole. Once gone, all is off."""

    folder: str

    @property
    def parts(self) -> Path:
        """Parts of the result."""
        return Path(self.folder, "parts")

    @property
    def values(self) -> Path:
        """The measures of each part, for a summary."""
        return Path(self.folder, "values")

    @property
    def attempts(self) -> Path:
        """What is being written."""
        return Path(self.folder, "attempts")


class Partition(NamedTuple):
    """A file, and the part of the result that it becomes.

    plan: of this file alone, by its absolute path. given: the file as the user calls it; kept, first: the columns that
    the first file keeps, and its name. output: the part's name in the staging; shown: what errors call it.
    """

    plan: Plan
    given: str
    kept: tuple[str, ...]
    first: str
    staging: Staging
    output: str
    shown: str
    summarised: bool

    @property
    def path(self) -> str:
        """The file's absolute path."""
        return self.plan.files[0]

    @property
    def begun(self) -> int:
        """How often it has been begun, and neither ended nor failed: by one who is at it, or by many who died."""
        return len(list(self.staging.attempts.glob(f"{escape(self.output)}.*")))

    @property
    def values(self) -> Path:
        """The measures of its rows, for a summary."""
        return self.staging.values / f"{self.output}.npy"

    def named(self, text: str) -> str:
        """The text with the file named as the user does."""
        absolute = open_source(self.path).name
        return open_source(self.given).name + text.removeprefix(absolute) if text.startswith(absolute) else text

    def renamed(self, error: KlcliError) -> KlcliError:
        """The same error, with the file named as the user does, and without what led to it."""
        return type(error)(self.named(str(error)))


class Facts(NamedTuple):
    """What is known of a file's rows, small enough to be sent. Fields as in `Tally`.

    keys: of its groups, in order. scattered: whether the rows of one do not stand together. error: of the first group
    that failed, if none is to fail.
    """

    rows: int
    failed: int
    first: str
    remarks: Mapping[str, int]
    above: list[int]
    keys: Any
    scattered: bool
    error: KlcliError | None


def score_partition(version: str, partition: bytes) -> bytes:
    """Scores a pickled Partition. Returns its pickled Facts, or the error that is to be said.

    version: of the klcli that asks. Another may compute, or even pickle, otherwise.
    """
    found: Facts | KlcliError
    if version != __version__:
        message = f"a worker on {gethostname()} has klcli {__version__}, here is {version}; install the same on both"
        found = OutputError(message)
    else:
        asked = pickle.loads(partition)  # noqa: S301 - a worker runs whatever it is sent anyhow
        found = _scored(asked)
    return pickle.dumps(found)


def _scored(partition: Partition) -> Facts | KlcliError:
    try:
        _check_sight(partition)
        return _facts(partition)
    except KlcliError as error:
        return partition.renamed(error)
    except _CalledOffError as error:
        return OutputError(str(error))


def _check_sight(partition: Partition) -> None:
    """Raises InputError or OutputError where this worker does not see what the command line saw."""
    unseen = f"is not seen by a worker on {gethostname()}; with --cluster"
    if not Path(partition.path).exists():
        message = f"{partition.path}: the file {unseen} files must be on a disk that all workers share"
        raise InputError(message)
    if not partition.staging.attempts.exists():
        message = f"{partition.shown}: its folder {unseen} --output must be on a disk that all workers share"
        raise OutputError(message)


def _facts(partition: Partition) -> Facts:
    plan, staging = partition.plan, partition.staging
    scattered = False
    with ExitStack() as stack:
        # Before anything else, so that it tells what a worker that has died was at.
        into = stack.enter_context(_whole(partition, staging.parts / partition.output))
        values = stack.enter_context(_whole(partition, partition.values)) if partition.summarised else None
        tables = stack.enter_context(Tables(plan.files, plan.reading))
        tally = _Part(plan, staging, values)
        try:
            score_tables(plan, tables, _alike(tables, partition), tally, nullcontext(into))
        except ScatteredError:
            scattered = True
        except KlcliError:
            # Of a group that failed the other rows may stand in another file; of all else nothing can be better.
            if not tally.is_of_a_group():
                raise
    return tally.facts(partition, scattered=scattered)


def _alike(tables: Tables, partition: Partition) -> Iterator[Table]:
    """The tables. Raises InputError where one keeps other columns than the first file, as `Tables` does for several."""
    for table in tables:
        check_header(table, partition.kept, partition.first)
        yield table


@contextmanager
def _whole(partition: Partition, path: Path) -> Iterator[Destination]:
    """A file that appears under its name when all of it is written."""
    attempt = partition.staging.attempts / f"{path.name}.{os.getpid()}.{uuid4().hex[:8]}"
    try:
        with Destination.opened(attempt, "xb", partition.shown) as file:
            yield file
        try:
            attempt.replace(path)
        except OSError as error:
            message = f"{partition.shown}: {reason(error)}"
            raise OutputError(message) from None
    except BaseException:
        with suppress(OSError):
            attempt.unlink()
        raise


class _CalledOffError(Exception):
    """Nobody waits for this part any more."""


class _Part(Tally):
    """What is known of the rows of one file. values: where the measures go, for a summary."""

    def __init__(self, plan: Plan, staging: Staging, values: Destination | None) -> None:
        super().__init__(plan, summarised=False)
        self.summarised = values is not None
        self._staging, self._values = staging, values

    def take(self, done: Done, table: Table) -> None:
        """One more block. Raises _CalledOffError if the run has ended: a thread of a worker cannot be stopped."""
        if not self._staging.attempts.exists():
            message = "called off"
            raise _CalledOffError(message)
        super().take(done, table)
        if self._values is not None:
            np.save(self._values, np.vstack([done.values[name] for name in self._plan.measures]))

    def is_of_a_group(self) -> bool:
        """Whether a group failed, and all rows have been seen."""
        return self._error is not None and self._plan.reading.wanted.by is not None

    def facts(self, partition: Partition, *, scattered: bool) -> Facts:
        """All of it, for another process."""
        return Facts(
            self.rows,
            self._failed,
            partition.named(self._first),
            dict(self._remarks),
            self._above,
            np.concatenate(self._keys) if self._keys else np.empty(0, np.uint64),
            scattered,
            None if self._error is None else partition.renamed(self._error),
        )

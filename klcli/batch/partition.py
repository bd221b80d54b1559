"""The side of the workers: one of them scores a file, or a span of a file, and writes one part of the result.

It writes to a file of its own, and renames it when it is whole: a worker that is killed leaves no half part, and
another one can do its work again.
"""

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from glob import escape
from hashlib import blake2b
from pathlib import Path
from socket import gethostname
from typing import Any
from uuid import uuid4

import numpy as np

from klcli import __version__
from klcli.batch.run import Keys, ScatteredError, score_tables
from klcli.batch.tally import Done, Plan, Tally
from klcli.console import Destination, reason
from klcli.errors import InputError, KlcliError, OutputError
from klcli.readers.tables.stream import Share, Tables
from klcli.tuples import NamedTuple

PARTS, VALUES, ATTEMPTS = "parts", "values", "attempts"
"""Folders in the staging folder, which stands beside the result, where all workers see it.

They hold the parts that are whole, the measures of their rows where a summary is wanted, and what is being written.
"""


class Partition(NamedTuple):
    """The rows of one task, and the part of the result that they become.

    plan: for this one file, by its absolute path. staging: a folder; a task ends when it is gone. output: the name of
    the part; shown: what errors call it. size: how many bytes of the file the rows are.
    """

    plan: Plan
    share: Share
    staging: Path
    output: str
    shown: str
    size: int

    @property
    def begun(self) -> int:
        """How many workers have begun it and neither ended nor failed: the one that is at it, and those that died."""
        return len(list(Path(self.staging, ATTEMPTS).glob(f"{escape(self.output)}.*")))


class Part(Tally):
    """The tally of one partition, which can be sent to another process once it is closed.

    keys: of its groups. scattered: whether the rows of one of them do not stand together.
    """

    def __init__(self, partition: Partition, values: Destination | None) -> None:
        super().__init__(partition.plan, summarised=False)
        self.scattered, self.keys = False, Keys(_stable_hash)
        self._values, self._attempts = values, Path(partition.staging, ATTEMPTS)

    def take(self, done: Done, place: Callable[[int], str]) -> None:
        """Adds a block. Raises OutputError where nobody waits for it: Dask cannot stop a thread of a worker."""
        if not self._attempts.exists():
            message = "called off"
            raise OutputError(message)
        super().take(done, place)
        if self._values is not None:
            np.save(self._values, np.vstack([done.values[name] for name in self._plan.measures]))

    def check(self) -> None:
        """Raises nothing. A group that failed may do so because its other rows stand in another part."""

    def close(self) -> None:
        """Gives up the file of measures."""
        super().close()
        self._values = None


def _stable_hash(key: Any) -> int:  # noqa: ANN401 - a text, or a tuple of them
    """Eight bytes of a key, the same in all processes; Python's own hash of a text differs from one to the next."""
    return int.from_bytes(blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def score_partition(version: str, partition: bytes) -> bytes:
    """Scores a pickled Partition. Returns its pickled Part, or the pickled error that is to be said.

    version: of the klcli that asks. Another one may compute other values, or pickle them in another way.
    """
    found: Part | KlcliError
    try:
        if version != __version__:
            where = f"a worker on {gethostname()} has klcli {__version__}, here is {version}"
            message = f"{where}; install the same on both"
            raise OutputError(message)
        found = _scored(pickle.loads(partition))  # noqa: S301 - a worker runs whatever it is sent anyhow
    except KlcliError as error:
        found = type(error)(str(error))  # without what led to it
    return pickle.dumps(found)


def _scored(partition: Partition) -> Part:
    plan = partition.plan
    unseen = f"is not seen by a worker on {gethostname()}; with --cluster"
    if not Path(plan.files[0]).exists():
        message = f"{plan.files[0]}: the file {unseen} files must be on a disk that all workers share"
        raise InputError(message)
    if not Path(partition.staging, ATTEMPTS).exists():
        message = f"{partition.shown}: its folder {unseen} --output must be on a disk that all workers share"
        raise OutputError(message)
    with (
        # Before anything else, so that it tells what a worker that has died was at.
        _whole(partition, PARTS) as into,
        _whole(partition, VALUES) if plan.summarised else nullcontext() as values,
        Tables(plan.files, plan.reading, partition.share) as tables,
        closing(Part(partition, values)) as part,
    ):
        try:
            score_tables(plan, tables, part, into, together=False, seen=part.keys)
        except ScatteredError:
            part.scattered = True
    return part


@contextmanager
def _whole(partition: Partition, folder: str) -> Iterator[Destination]:
    """A file to write the part, or its measures, to. It appears in the folder when the `with` block ends well."""
    attempt = Path(partition.staging, ATTEMPTS, f"{partition.output}.{os.getpid()}.{uuid4().hex[:8]}")
    try:
        with Destination.opened(attempt, "xb", partition.shown) as file:
            yield file
        try:
            attempt.replace(Path(partition.staging, folder, partition.output))
        except OSError as error:
            message = f"{partition.shown}: {reason(error)}"
            raise OutputError(message) from None
    except BaseException:
        with suppress(OSError):
            attempt.unlink()
        raise

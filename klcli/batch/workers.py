"""Everything that is asked of Dask: a cluster, and the results of tasks in the order of the tasks.

When a worker dies Dask gives its task to another one, several times. Dask is imported only where it is needed.
"""

import logging
import os
import pickle
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NoReturn
from uuid import uuid4

from klcli import __version__
from klcli.batch.partition import Part, Partition
from klcli.console import reason, say
from klcli.errors import KlcliError, OutputError, UsageError, clipped

LOCAL = "local"
"""The cluster that is started for a command, and ends with it."""

_PATIENCE = 5
"""Seconds for a scheduler to answer."""


@contextmanager
def connected(cluster: str, workers: int) -> Iterator[Any]:
    """A client of the cluster; a local one of so many workers is started for it. Raises UsageError, OutputError."""
    with ExitStack() as stack:
        stack.enter_context(_silence())
        try:
            from distributed import Client

            if cluster == LOCAL:
                import cryptography  # noqa: F401 - it makes the keys

                from klcli.batch.local_cluster import local_cluster
        except ImportError as error:
            message = f"--cluster needs a package more ({error}); pip install 'klcli[cluster]'"
            raise UsageError(message) from None
        try:
            where = stack.enter_context(local_cluster(workers)) if cluster == LOCAL else cluster
            client = stack.enter_context(Client(where, timeout=_PATIENCE, set_as_default=False))
        except (ValueError, TypeError, ImportError) as error:  # a scheme that is unknown, not set up, not installed
            message = f"--cluster {clipped(cluster)}: {error}"
            raise UsageError(message) from None
        except (OSError, RuntimeError) as error:
            what = "cannot be started" if cluster == LOCAL else "does not answer; is a Dask scheduler running there?"
            message = f"--cluster {cluster}: it {what} ({str(error) or type(error).__name__})"
            raise OutputError(message) from None
        yield client


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps the logs and warnings of Dask, and of the processes it starts, from stderr. klcli says what matters."""
    disabled, filters = logging.root.manager.disable, os.environ.get("PYTHONWARNINGS")
    logging.disable(logging.CRITICAL)
    os.environ["PYTHONWARNINGS"] = "ignore"
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(disabled)
        if filters is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = filters


def answers(
    client: Any,  # noqa: ANN401
    partitions: Iterable[Partition],
    cluster: str,
) -> Generator[tuple[Partition, Part], None, None]:
    """The partitions and what came of them, in order. Raises the error of the first that has one.

    The task of a partition starts as soon as that is known, while the next one is still being found.
    """
    from distributed.protocol.pickle import dumps  # which takes functions that are defined in others

    if not client.scheduler_info()["workers"]:
        say(f"no worker at {cluster}; waiting for one")
    score, asked, futures = _by_its_code(__version__), [], []
    try:
        for partition in partitions:
            asked.append(partition)
            futures.append(client.submit(score, dumps(partition), key=f"klcli-{uuid4().hex}", pure=False))
        for partition, future in zip(asked, futures, strict=True):
            try:
                found = pickle.loads(future.result())  # noqa: S301 - from a worker that was asked to
            except Exception as error:  # noqa: BLE001 - it is raised again if it is unknown
                _explain(error, partition, asked, cluster)
            future.release()
            if isinstance(found, KlcliError):
                raise found
            yield partition, found
    finally:
        with suppress(Exception):  # what is wrong with the cluster has been said, or no longer matters
            client.cancel(futures)


def _by_its_code(version: str) -> Callable[[bytes], bytes]:
    """The function that the workers call.

    Dask sends a function that is made inside another by its code, not by its name. So the scheduler need not have
    klcli, and on a worker without klcli the task fails for that plain reason.
    """

    def score(partition: bytes) -> bytes:
        from klcli.batch.partition import score_partition

        return score_partition(version, partition)

    return score


def _explain(error: Exception, partition: Partition, asked: Iterable[Partition], cluster: str) -> NoReturn:
    """Raises OutputError with what is wrong with the cluster, or the error itself where it is none of Dask's."""
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as FutureCancelledError

    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    name = partition.share.name
    if isinstance(error, KilledWorker):
        # Dask blames all that waited at a worker when it died.
        guilty = max([partition, *asked], key=lambda suspect: suspect.begun).share.name
        message = f"{guilty}: the workers that score it die, one after another (out of memory?); "
        message += "cut it into smaller files, or give them more memory"
    elif isinstance(error, MemoryError):
        message = f"{name}: more than a worker's memory holds; cut the file into smaller ones"
    elif isinstance(error, ImportError):
        message = f"a worker at {cluster} cannot import {error.name or 'klcli'}; install klcli {__version__} "
        message += f"where the workers run: pip install 'klcli[cluster]=={__version__}'"
    elif isinstance(error, (CancelledError, FutureCancelledError, CommClosedError)):
        message = f"the scheduler at {cluster} went away, and nothing was written; start it again, then this"
    elif isinstance(error, OSError):
        message = f"{name}, on a worker: {reason(error)}"
    else:
        raise error
    raise OutputError(message) from None

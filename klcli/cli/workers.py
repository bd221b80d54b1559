"""Dask as it is asked here: a cluster to connect to or to start, tasks, and what comes of them.

Dask gives the task of a worker that dies to another, several times. It is imported only when it is asked.
"""

import logging
import os
import pickle
import signal
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from klcli import __version__
from klcli.cli.partition import Facts, Partition
from klcli.console import reason, say
from klcli.errors import KlcliError, OutputError, UsageError, clipped

LOCAL = "local"
"""The cluster that is started for a command, and ends with it."""

_PATIENCE = 5
"""Seconds for a scheduler to answer."""

_GLANCE = 1.0
"""Seconds after which it is looked whether anybody works at all."""

# -------------------------------------------------------------------------------------------------------- the cluster


@contextmanager
def connected(cluster: str, workers: int) -> Iterator[Any]:
    """A client of the cluster; a local one is started for it. Raises UsageError, OutputError."""
    with ExitStack() as stack:
        stack.enter_context(_silence())
        try:
            import dask
            import distributed

            if cluster == LOCAL:
                import cryptography  # noqa: F401 - it makes the keys

                from klcli.cli.local_cluster import local_cluster
        except ImportError as error:
            message = f"--cluster needs a package more ({error}); pip install 'klcli[cluster]'"
            raise UsageError(message) from None
        where: Any = cluster
        try:
            if cluster == LOCAL:
                # A task waits for a worker, not at one: none but that which it is at dies with it.
                stack.enter_context(dask.config.set({"distributed.scheduler.worker-saturation": 1.0}))
                scratch = stack.enter_context(TemporaryDirectory(prefix="klcli-", ignore_cleanup_errors=True))
                loop = stack.enter_context(_loop_out_of_reach(distributed.utils.LoopRunner()))
                where = stack.enter_context(local_cluster(workers, scratch, loop))
            client = stack.enter_context(distributed.Client(where, timeout=_PATIENCE, set_as_default=False))
        except (ValueError, TypeError, ImportError) as error:  # a scheme that is unknown, not set up, not installed
            message = f"--cluster {clipped(cluster)}: {error}"
            raise UsageError(message) from None
        except (OSError, RuntimeError) as error:
            what = "cannot be started" if cluster == LOCAL else "does not answer; is a Dask scheduler running there?"
            message = f"--cluster {cluster}: it {what} ({str(error) or type(error).__name__})"
            raise OutputError(message) from None
        yield client


@contextmanager
def _loop_out_of_reach(runner: Any) -> Iterator[Any]:  # noqa: ANN401
    """An event loop in a thread that Ctrl-C does not reach, nor any process it starts: this one ends them."""
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # which at its first call undoes what follows
    signals = {signal.SIGINT}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signals) if hasattr(signal, "pthread_sigmask") else signals
    try:
        runner.start()
    finally:
        if signal.SIGINT not in blocked:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    try:
        yield runner.loop
    finally:
        runner.stop()


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps Dask's logs and warnings, and those of the processes it starts, from stderr: what matters is said."""
    disabled, filters = logging.root.manager.disable, os.environ.get("PYTHONWARNINGS")
    logging.disable(logging.CRITICAL)
    os.environ["PYTHONWARNINGS"] = "ignore"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
        if filters is None:
            del os.environ["PYTHONWARNINGS"]
        else:
            os.environ["PYTHONWARNINGS"] = filters


# ---------------------------------------------------------------------------------------------------------- the tasks


def answers(client: Any, partitions: Sequence[Partition], cluster: str) -> Generator[Facts, None, None]:  # noqa: ANN401
    """What is known of each file, in their order. Raises the error of the first that has one, when it is its turn."""
    futures = client.map(
        _remote(__version__),
        [pickle.dumps(partition) for partition in partitions],
        key=[f"klcli-{uuid4().hex}-{i}" for i in range(len(partitions))],
        pure=False,
    )
    try:
        found: dict[int, Facts | KlcliError] = {}
        following, failed = 0, len(futures)
        for number in _ended(client, futures, cluster):
            if number > failed:
                continue  # it was cancelled, or might as well have been
            found[number] = _outcome(futures[number], number, partitions, cluster)
            futures[number].release()
            if isinstance(found[number], KlcliError):
                failed = number
                client.cancel(futures[number + 1 :])
            while following in found:
                facts = found.pop(following)
                if isinstance(facts, KlcliError):
                    raise facts
                yield facts
                following += 1
    finally:
        with suppress(Exception):  # what is wrong with the cluster has been said, or no longer matters
            client.cancel(futures)


def _remote(version: str) -> Callable[[bytes], bytes]:
    """What a worker is asked to call.

    Dask sends a function that is made here by its code, not by its name: a scheduler need not have klcli, and where a
    worker lacks it the task fails, with a plain reason.
    """

    def score(partition: bytes) -> bytes:
        from klcli.cli.partition import score_partition

        return score_partition(version, partition)

    return score


def _ended(client: Any, futures: Sequence[Any], cluster: str) -> Iterator[int]:  # noqa: ANN401
    """The numbers of the tasks, as they end."""
    ended: SimpleQueue[int] = SimpleQueue()
    for number, future in enumerate(futures):
        future.add_done_callback(partial(_put, ended, number))
    left, told = len(futures), cluster == LOCAL
    while left:
        try:
            number = ended.get(timeout=_GLANCE)
        except Empty:
            if not told and not client.scheduler_info()["workers"]:
                say(f"no worker at {cluster}; waiting for one")
                told = True
            continue
        left -= 1
        yield number


def _put(ended: "SimpleQueue[int]", number: int, _: object) -> None:
    ended.put(number)


def _outcome(future: Any, number: int, partitions: Sequence[Partition], cluster: str) -> Facts | KlcliError:  # noqa: ANN401
    """What came of a task. Raises OutputError where the cluster, not the file, is what failed."""
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as FutureCancelledError

    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    partition = partitions[number]
    try:
        found: Facts | KlcliError = pickle.loads(future.result())  # noqa: S301 - from a worker that was asked to
    except KilledWorker:
        # Dask blames all that waited at a worker when it died.
        guilty = max([partition, *partitions], key=lambda suspect: suspect.begun).given
        message = (
            f"{guilty}: the workers that score it die, one after another (out of memory?); cut it into smaller files, "
            "or give them more memory"
        )
        raise OutputError(message) from None
    except MemoryError:
        message = f"{partition.given}: more than a worker's memory holds; cut the file into smaller ones"
        raise OutputError(message) from None
    except ImportError as error:
        message = (
            f"a worker at {cluster} cannot import {error.name or 'klcli'}; "
            f"install klcli {__version__} where the workers run: pip install 'klcli[cluster]=={__version__}'"
        )
        raise OutputError(message) from None
    except (CancelledError, FutureCancelledError, CommClosedError):
        message = f"the scheduler at {cluster} went away, and nothing was written; start it again, then this"
        raise OutputError(message) from None
    except OSError as error:
        message = f"{partition.given}, on a worker: {reason(error)}"
        raise OutputError(message) from None
    return found

"""A Dask cluster on this machine that takes tasks only from the process that starts it.

Every user of a machine can connect to its ports, and whoever can give a cluster a task runs code as the cluster's user.
So the scheduler, the nannies and the workers demand a certificate of whoever connects (TLS on both sides) that is made
for this one run, and there is no other port. The key stays in memory and goes to the workers through a pipe; OpenSSL
reads it from a file in a folder that only the user can open, which is gone once it is read.
"""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Nanny, Scheduler, SpecCluster, Worker
from distributed.security import Security
from distributed.utils import LoopRunner


class _NoHttp:
    """A node of Dask without its HTTP server, which no option turns off (dask/distributed#6301)."""

    def start_http_server(self, *_: object, **__: object) -> None:
        """Starts no server, and so opens no port."""


class _Scheduler(_NoHttp, Scheduler):  # type: ignore[misc]  # Dask need not be there where types are checked
    pass


class _Worker(_NoHttp, Worker):  # type: ignore[misc]  # likewise
    pass


@contextmanager
def local_cluster(workers: int) -> Iterator[SpecCluster]:
    """A cluster of so many worker processes with one thread each, which ends with the `with` block."""
    security = Security.temporary()
    with (
        # Tasks wait at the scheduler, not at a worker: only the one that a worker is at can die with it.
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        # A node imports modules from its folder. By default that is in /tmp/dask-scratch-space, whoever owns it.
        TemporaryDirectory(prefix="klcli-", ignore_cleanup_errors=True) as scratch,
        _loop_out_of_reach() as loop,
    ):
        node = {"host": "127.0.0.1", "protocol": "tls://", "security": security, "local_directory": scratch}
        worker = {"worker_class": _Worker, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
        with SpecCluster(
            scheduler={"cls": _Scheduler, "options": {**node, "dashboard": False}},
            workers={i: {"cls": Nanny, "options": {**node, **worker}} for i in range(workers)},
            security=security,
            silence_logs=logging.CRITICAL,
            loop=loop,
        ) as cluster:
            yield cluster


@contextmanager
def _loop_out_of_reach() -> Iterator[Any]:
    """An event loop in a thread that Ctrl-C does not reach, nor any process it starts: this process ends them."""
    ensure_running()  # which at its first call undoes what follows
    runner, masks = LoopRunner(), hasattr(signal, "pthread_sigmask")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        runner.start()
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        yield runner.loop
    finally:
        runner.stop()

"""A Dask cluster on this machine that takes tasks from nobody but the process that starts it.

Every user of a machine can connect to its ports, and whoever can give a cluster a task runs code as the cluster's user.
So the scheduler, the nannies and the workers demand a certificate of whoever connects (TLS on both sides) that is made
for this one run, and there is no other port. The key stays in memory and goes to the workers through a pipe; OpenSSL
reads it from a file in a folder that only the user can open, which is gone once it is read.
"""

import logging
from typing import Any

from distributed import Nanny, Scheduler, SpecCluster, Worker
from distributed.security import Security


class _NoHttp:
    """A node of Dask without its HTTP server, which no option turns off (dask/distributed#6301)."""

    def start_http_server(self, *_: object, **__: object) -> None:
        """Starts nothing."""


class _Scheduler(_NoHttp, Scheduler):  # type: ignore[misc]  # Dask need not be there where types are checked
    pass


class _Worker(_NoHttp, Worker):  # type: ignore[misc]  # likewise
    pass


def local_cluster(workers: int, scratch: str, loop: Any) -> SpecCluster:  # noqa: ANN401
    """A cluster of so many processes of one thread each. scratch: a folder that only the user can open."""
    security = Security.temporary()
    # A node imports modules from its folder. By default that is in one that is called alike for all users.
    node = {"host": "127.0.0.1", "protocol": "tls://", "security": security, "local_directory": scratch}
    worker = {"worker_class": _Worker, "nthreads": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
    return SpecCluster(
        scheduler={"cls": _Scheduler, "options": {**node, "dashboard": False}},
        workers={i: {"cls": Nanny, "options": {**node, **worker}} for i in range(workers)},
        security=security,
        silence_logs=logging.CRITICAL,
        loop=loop,
    )

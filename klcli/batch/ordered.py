"""Work on threads, whose results come in order. NumPy and Arrow leave Python's lock alone while they work."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from klcli.errors import KlcliError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Executor, Future

Result = TypeVar("Result")

_AHEAD = 2
"""Jobs that are done or waiting, for each thread: none idles, and the memory stays low."""


class Workers:
    """So many threads, or none: then whoever asks for a result works for it."""

    def __init__(self, pool: Executor | None, threads: int) -> None:
        self._pool, self._threads = pool, threads

    def in_order(self, jobs: Iterable[Callable[[], Result]]) -> Generator[Result, None, None]:
        """The results of the jobs. Jobs are taken as there is room for them, by the caller.

        What goes wrong with taking one is raised after the results of those before it.
        """
        if self._pool is None:
            for job in jobs:
                yield job()
            return
        waiting: deque[Future[Result]] = deque()
        failed: list[KlcliError] = []
        try:
            for job in _until_failure(jobs, failed):
                waiting.append(self._pool.submit(job))
                if len(waiting) > _AHEAD * self._threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
        if failed:
            raise failed[0]


def _until_failure(jobs: Iterable[Callable[[], Result]], failed: list[KlcliError]) -> Iterator[Callable[[], Result]]:
    try:
        yield from jobs
    except KlcliError as error:
        failed.append(error)


_ROOM = 1 << 29
"""Bytes of addresses for a thread: its stack, and what three allocators reserve for it. 1/2 of it was too little."""


def _most_threads() -> int:
    """How many there is room for (ulimit -v): Arrow and orjson end the process where they get no memory."""
    try:
        from resource import RLIM_INFINITY, RLIMIT_AS, RLIMIT_DATA, getrlimit
    except ImportError:  # not Unix
        return 1 << 10
    limits = [getrlimit(kind)[0] for kind in (RLIMIT_AS, RLIMIT_DATA)]
    return min((limit // _ROOM for limit in limits if limit != RLIM_INFINITY), default=1 << 10)


@contextmanager
def workers(threads: int) -> Iterator[Workers]:
    """Workers on so many threads, as far as there is room for them; of one there is no other than the caller's."""
    threads = min(threads, _most_threads())
    if threads <= 1:
        yield Workers(None, 1)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads, "klcli") as pool:
        yield Workers(pool, threads)

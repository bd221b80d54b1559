"""Work on several threads or processes, whose results come in order.

Arrow and NumPy leave Python's lock alone while they work, but what writes digits holds it. Where the jobs can be gone
through again, which is so with files, another process therefore does its share of them: it goes through all jobs
itself, works on its own, and sends what comes of them through a pipe.
"""

import os
import pickle
import signal
import struct
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, NoReturn, Protocol, TypeVar
from warnings import catch_warnings, simplefilter

from klcli.errors import KlcliError

Job = TypeVar("Job")
Job_contra = TypeVar("Job_contra", contravariant=True)
Result = TypeVar("Result")

CAN_FORK = sys.platform == "linux"
"""Elsewhere a process that has loaded such libraries cannot safely be doubled."""

_AHEAD = 2
"""Jobs that are done or waiting, for each that is worked on: none idles, and the memory stays low."""

_PIPE_SIZE, _SET_PIPE_SIZE = 1 << 20, 1031
_LENGTHS = struct.Struct("=QQ")


class Lane(Protocol[Job_contra, Result]):
    """Something that does jobs one after the other."""

    def submit(self, job: Job_contra) -> "Future[Result]":
        """What will come of the job."""
        ...


def in_order(jobs: Iterable[Job], lanes: Sequence[Lane[Job, Result]]) -> Generator[Result, None, None]:
    """The results of the jobs, which the lanes take in turn. Jobs are taken as there is room for them, by the caller.

    What goes wrong with taking one is raised after the results of those before it.
    """
    waiting: deque[Future[Result]] = deque()
    failed: list[KlcliError] = []
    try:
        for i, job in enumerate(_until_failure(jobs, failed)):
            waiting.append(lanes[i % len(lanes)].submit(job))
            if len(waiting) > _AHEAD * len(lanes):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
    if failed:
        raise failed[0]


def _until_failure(jobs: Iterable[Job], failed: list[KlcliError]) -> Iterator[Job]:
    try:
        yield from jobs
    except KlcliError as error:
        failed.append(error)


class _ThreadLane(Generic[Job, Result]):
    """A thread, or one of several that take from the same heap."""

    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[Job], Result]) -> None:
        self._pool, self._work = pool, work

    def submit(self, job: Job) -> "Future[Result]":
        """What will come of the job."""
        return self._pool.submit(self._work, job)


@contextmanager
def thread_lanes(work: Callable[[Job], Result], threads: int) -> Iterator[Sequence[Lane[Job, Result]]]:
    """So many threads."""
    with ThreadPoolExecutor(threads, "klcli") as pool:
        yield [_ThreadLane(pool, work)] * threads


@contextmanager
def process_lanes(
    work: Callable[[Job], Result], jobs: Callable[[], Iterable[Job]], processes: int, died: Callable[[], None]
) -> Iterator[Sequence[Lane[Job, Result]]]:
    """The process that calls, and others. No other thread may be running yet.

    jobs: gone through by every other process, for its share. died: called when one has ended before its time; what it
    had to do is then done here.
    """
    others = [_ProcessLane(work, jobs, share, processes, died) for share in range(1, processes)]
    try:
        with thread_lanes(work, 1) as (own, *_):
            yield [own, *others]
    finally:
        for other in others:
            other.end()


class _ProcessLane(Generic[Job, Result]):
    """Another process, and the thread that waits for what it sends."""

    def __init__(
        self,
        work: Callable[[Job], Result],
        jobs: Callable[[], Iterable[Job]],
        share: int,
        processes: int,
        died: Callable[[], None],
    ) -> None:
        self._work, self._died = work, died
        reading, writing = os.pipe()
        sys.stdout.flush()
        with catch_warnings():
            # The threads that there may be already are the allocator's and Arrow's, idle and of no use to the other.
            simplefilter("ignore", DeprecationWarning)
            self._process = os.fork()
        if self._process == 0:
            os.close(reading)
            _do_share(work, jobs, share, processes, writing)
        os.close(writing)
        self._pipe = os.fdopen(reading, "rb", buffering=0)
        self._jobs: SimpleQueue[tuple[Future[Result], Job] | None] = SimpleQueue()
        self._thread = Thread(target=self._receive_all, daemon=True)
        self._started = self._ended = False
        self._alive = True

    def submit(self, job: Job) -> "Future[Result]":
        """What will come of the job, which the other process comes across by itself."""
        if not self._started:
            self._thread.start()
            self._started = True
        future: Future[Result] = Future()
        self._jobs.put((future, job))
        return future

    def end(self) -> None:
        """Ends the process, whatever it is doing."""
        self._ended = True
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)
        self._jobs.put(None)
        if self._started:
            self._thread.join()
        self._pipe.close()

    def _receive_all(self) -> None:
        while (waiting := self._jobs.get()) is not None:
            future, job = waiting
            if self._ended or not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._next(job))
            except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
                future.set_exception(error)

    def _next(self, job: Job) -> Result:
        """What the other process has made of the job, or this one where the other has died."""
        if self._alive:
            try:
                result: Result = _received(self._pipe)
            except EOFError:
                self._alive = False
                if self._ended:
                    raise
                self._died()
            else:
                return result
        return self._work(job)


def _do_share(
    work: Callable[[Job], Any], jobs: Callable[[], Iterable[Job]], share: int, processes: int, pipe: int
) -> NoReturn:
    """What another process does. It ends when its work is done, or nobody is there to read what comes of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which is for the first process, and ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with suppress(ImportError, OSError):
            from fcntl import fcntl

            fcntl(pipe, _SET_PIPE_SIZE, _PIPE_SIZE)
        with os.fdopen(pipe, "wb", buffering=0) as out:
            # What goes wrong with taking a job the first process finds as well.
            for i, job in enumerate(_until_failure(jobs(), [])):
                if i % processes == share:
                    _send(out, work, job)
    finally:
        os._exit(0)


def _send(out: Any, work: Callable[[Job], Any], job: Job) -> None:  # noqa: ANN401 - an unbuffered file
    """Sends what comes of a job: a length, the pickled result, and the memory that it refers to."""
    buffers: list[pickle.PickleBuffer] = []
    try:
        data = pickle.dumps((True, work(job)), protocol=5, buffer_callback=buffers.append)
    except Exception as error:  # noqa: BLE001 - raised by the first process
        data = pickle.dumps((False, error if isinstance(error, KlcliError) else RuntimeError(repr(error))))
        buffers = []
    views = [memoryview(data), *(buffer.raw() for buffer in buffers)]
    head = b"".join(_LENGTHS.pack(len(views), view.nbytes) for view in views)
    for view in (memoryview(head), *views):
        left = view
        while left:
            left = left[out.write(left) :]


def _received(pipe: Any) -> Any:  # noqa: ANN401 - an unbuffered file; whatever was sent
    """What was sent. Raises EOFError where the sender is gone, and what went wrong there."""
    count, length = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    lengths = [length, *(_LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))[1] for _ in range(count - 1))]
    data, *buffers = [_exactly(pipe, length) for length in lengths]
    well, result = pickle.loads(data, buffers=buffers)  # noqa: S301 - from a process of our own
    if not well:
        raise result
    return result


def _exactly(pipe: Any, length: int) -> bytearray:  # noqa: ANN401
    data = bytearray(length)
    left = memoryview(data)
    while left:
        read = pipe.readinto(left)
        if not read:
            raise EOFError
        left = left[read:]
    return data

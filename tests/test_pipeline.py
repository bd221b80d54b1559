"""Threads and processes: results in order, errors in their place, and nothing left of a process that was killed."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from pickle import PickleBuffer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klcli.cli.pipeline import CAN_FORK, in_order, process_lanes, thread_lanes
from klcli.errors import DistributionError, InputError

forks = pytest.mark.skipif(not CAN_FORK, reason="this system cannot double a process")


def doubled(job):
    time.sleep(0.001 * (job % 3))
    return 2 * job


def children():
    """The processes of ours that are still there, zombies included."""
    found = []
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return [*found, "running"]
        found.append(pid)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 20), st.integers(1, 5))
def test_results_come_in_order(n, threads):
    with thread_lanes(doubled, threads) as lanes:
        assert list(in_order(range(n), lanes)) == [2 * i for i in range(n)]


def test_jobs_are_taken_as_there_is_room():
    taken, most = 0, 0

    def jobs():
        nonlocal taken
        for i in range(50):
            taken += 1
            yield i

    with thread_lanes(doubled, 2) as lanes:
        for done, _ in enumerate(in_order(jobs(), lanes), 1):
            most = max(most, taken - done)
    assert most <= 5


def failing_jobs():
    yield from range(5)
    message = "the sixth cannot be read"
    raise InputError(message)


def test_an_error_of_the_jobs_comes_after_the_results_before_it():
    seen = []
    with thread_lanes(doubled, 3) as lanes, pytest.raises(InputError, match="sixth"):  # noqa: PT012
        for result in in_order(failing_jobs(), lanes):
            seen.append(result)  # noqa: PERF402 - what was seen before the error
    assert seen == [0, 2, 4, 6, 8]


def test_an_error_of_the_work_comes_in_its_place():
    def work(job):
        if job == 3:
            message = "three"
            raise DistributionError(message)
        return job

    seen = []
    with thread_lanes(work, 2) as lanes, pytest.raises(DistributionError, match="three"):  # noqa: PT012
        for result in in_order(range(10), lanes):
            seen.append(result)  # noqa: PERF402
    assert seen == [0, 1, 2]


class Deaths:
    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


def in_processes(work, jobs, processes):
    """The results, and how many processes died."""
    died = Deaths()
    with process_lanes(work, jobs, processes, died) as lanes:
        results = list(in_order(jobs(), lanes))
    return results, died.count


@forks
@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 20])
def test_processes_do_what_threads_do(n, processes):
    assert in_processes(doubled, lambda: range(n), processes) == ([2 * i for i in range(n)], 0)
    assert children() == []


@forks
def test_large_results_come_whole():
    def work(job):
        return job, PickleBuffer(bytes([job]) * (3_000_000 + job)), PickleBuffer(memoryview(b""))

    results, _ = in_processes(work, lambda: range(4), 2)
    assert [bytes(memoryview(data)) for _, data, _ in results] == [bytes([i]) * (3_000_000 + i) for i in range(4)]
    assert all(memoryview(empty).nbytes == 0 for _, _, empty in results)


@forks
@pytest.mark.parametrize("at", [1, 3, 7])
def test_a_process_that_is_killed_is_noticed_and_its_jobs_are_done(at):
    parent = os.getpid()

    def work(job):
        if job == at and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * job

    assert in_processes(work, lambda: range(12), 2) == ([2 * i for i in range(12)], 1)
    assert children() == []


def open_pipes():
    """The descriptors of this process that are pipes, and which pipe each is."""
    pipes = {}
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(link.readlink())
            if target.startswith("pipe:"):
                pipes[int(link.name)] = target
    return pipes


@forks
def test_a_process_that_is_killed_amid_a_result_is_noticed():
    parent = os.getpid()
    others = set(open_pipes().values())  # whoever runs the tests may hear from us by one

    def work(job):
        if job == 5 and os.getpid() != parent:
            for descriptor, pipe in open_pipes().items():
                if pipe not in others:
                    with contextlib.suppress(OSError):  # the end for reading
                        os.write(descriptor, b"\1\0\0\0\0\0\0\0\xff")
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * job

    assert in_processes(work, lambda: range(12), 2) == ([2 * i for i in range(12)], 1)
    assert children() == []


@forks
def test_an_error_in_another_process_is_raised_here():
    parent = os.getpid()

    def work(job):
        if job == 3:
            assert os.getpid() != parent
            message = "three is wrong"
            raise DistributionError(message)
        return job

    seen = []
    with process_lanes(work, lambda: range(9), 2, Deaths()) as lanes, pytest.raises(DistributionError, match="three"):  # noqa: PT012
        for result in in_order(range(9), lanes):
            seen.append(result)  # noqa: PERF402
    assert seen == [0, 1, 2]
    assert children() == []


@forks
def test_a_bug_in_another_process_is_told_here():
    def work(job):
        return job / (job - 1)

    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        in_processes(work, lambda: range(4), 2)
    assert children() == []


@forks
def test_an_error_of_the_jobs_comes_after_the_results_of_all_processes():
    seen = []
    with process_lanes(doubled, failing_jobs, 3, Deaths()) as lanes, pytest.raises(InputError, match="sixth"):  # noqa: PT012
        for result in in_order(failing_jobs(), lanes):
            seen.append(result)  # noqa: PERF402
    assert seen == [0, 2, 4, 6, 8]
    assert children() == []


@forks
def test_nothing_is_left_where_the_results_are_not_wanted_to_the_end():
    message = "enough"
    died = Deaths()
    parent, done = os.getpid(), []

    def work(job):
        if os.getpid() == parent:
            done.append((job, threading.current_thread().name))
        else:
            time.sleep(0.2 if job > 1 else 0)
        return job

    with pytest.raises(InputError), process_lanes(work, lambda: range(100), 2, died) as lanes:  # noqa: PT012
        for result in in_order(range(100), lanes):
            if result == 2:
                raise InputError(message)
    assert children() == []
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and any("_receive_all" in thread.name for thread in threading.enumerate()):
        time.sleep(0.01)
    assert not any("_receive_all" in thread.name for thread in threading.enumerate())
    assert died.count == 0
    assert [job for job, _ in done if job % 2] == []


@forks
def test_no_descriptor_is_left():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        in_processes(doubled, lambda: range(5), 3)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before

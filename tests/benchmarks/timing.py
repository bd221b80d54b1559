"""Medians of times that are taken in turns, so that a slow spell of the machine meets all of them alike."""

# ruff: noqa: T201 - the ratios are what one runs this for

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

KLCLI = str(Path(sys.executable).parent / "klcli")


def cpu():
    """The seconds that the processors have spent on processes that have ended: they scatter less than the clock's."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def medians(jobs, rounds, clock=perf_counter):
    """name -> the median of its job's seconds by a clock. Every job runs once untimed before."""
    for job in jobs.values():
        job()
    taken = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = clock()
            job()
            taken[name].append(clock() - start)
    return {name: median(times) for name, times in taken.items()}


def process(*command, code=0):
    """A job: the whole process, its output thrown away, its exit code required.

    The untimed run may leave compiled modules behind, as it does in normal use.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def job():
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, check=False)
        assert done.returncode == code

    return job


def assert_ratio(times, one, other, most):
    """The ratio of two medians is at most that."""
    ratio = times[one] / times[other]
    print(f"\n{one} {times[one] * 1e3:.2f} ms, {other} {times[other] * 1e3:.2f} ms: {ratio:.2f}, at most {most}")
    assert ratio <= most, f"{one} takes {ratio:.2f} times as long as {other}, at most {most} is the aim"

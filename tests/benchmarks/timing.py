"""Medians of times that are taken in turns, so that a slow spell of the machine meets all of them alike."""

# ruff: noqa: T201 - the ratios are what one runs this for

import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

KLCLI = str(Path(sys.executable).parent / "klcli")


def medians(jobs, rounds):
    """name -> the median of its job's seconds. Every job runs once untimed before."""
    for job in jobs.values():
        job()
    taken = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            start = perf_counter()
            job()
            taken[name].append(perf_counter() - start)
    return {name: median(times) for name, times in taken.items()}


def process(*command):
    """A job: the whole process, its output thrown away, its success required.

    The untimed run may leave compiled modules behind, as it does in normal use.
    """
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)


def assert_ratio(times, one, other, most):
    """The ratio of two medians is at most that."""
    ratio = times[one] / times[other]
    print(f"\n{one} {times[one] * 1e3:.2f} ms, {other} {times[other] * 1e3:.2f} ms: {ratio:.2f}, at most {most}")
    assert ratio <= most, f"{one} takes {ratio:.2f} times as long as {other}, at most {most} is the aim"

"""Whole processes on the smallest of questions, against the import of NumPy alone, and of SciPy to do the same.

`python -c "import numpy"` as people run it starts OpenBLAS's threads and takes the interpreter down again; klcli does
neither, so a ratio below 1 does not say that it costs less than the import. The import with one thread is timed and
printed beside it for comparison; nothing is asserted of it.
"""

# ruff: noqa: T201 - the ratios are what one runs this for

import sys

import pytest

from .timing import KLCLI, assert_ratio, medians, process

ROUNDS = 20
NUMPY, SCIPY = "python, import numpy", "python, rel_entr of SciPy"
ONE_THREAD = "python, import numpy with one thread"
COMMANDS = {
    "klcli kl": (process(KLCLI, "kl", "0.4,0.6", "0.3,0.7"), 1.5),
    "klcli compare": (process(KLCLI, "compare", "0.4,0.6", "0.3,0.7", "-f", "table"), 1.9),
    "klcli loss": (process(KLCLI, "loss", "cross-entropy", "[[2,1,0.1],[0.5,2,0.3]]", "0,1"), 1.5),
    "klcli loss, a table": (
        process(KLCLI, "loss", "cross-entropy", "[[2,1,0.1],[0.5,2,0.3]]", "0,1", "-f", "table"),
        1.9,
    ),
    "klcli --version": (process(KLCLI, "--version"), 0.9),
}
REL_ENTR = "from scipy.special import rel_entr; print(rel_entr([.2, .3, .5], [.1, .4, .5]).sum())"


@pytest.fixture(scope="module")
def times():
    jobs = {name: job for name, (job, _) in COMMANDS.items()}
    jobs[NUMPY] = process(sys.executable, "-c", "import numpy")
    single = "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; import numpy"
    jobs[ONE_THREAD] = process(sys.executable, "-c", single)
    found = medians(jobs, ROUNDS)
    for name in COMMANDS:
        print(f"\n{name} {found[name] * 1e3:.2f} ms, {ONE_THREAD} {found[ONE_THREAD] * 1e3:.2f} ms")
    return found


@pytest.fixture(scope="module")
def times_with_scipy():
    pytest.importorskip("scipy")
    jobs = {name: job for name, (job, _) in COMMANDS.items()}
    return medians(jobs | {SCIPY: process(sys.executable, "-c", REL_ENTR)}, ROUNDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_start_up_against_the_import_of_numpy(times, command):
    assert_ratio(times, command, NUMPY, COMMANDS[command][1])


@pytest.mark.parametrize("command", COMMANDS)
def test_start_up_is_quicker_than_one_line_of_scipy(times_with_scipy, command):
    assert_ratio(times_with_scipy, command, SCIPY, 1)

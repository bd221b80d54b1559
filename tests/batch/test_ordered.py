"""Work on threads: results in order, errors in their place."""

from functools import partial
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klcli.batch.ordered import workers
from klcli.errors import DistributionError, InputError


def doubled(job):
    return 2 * job


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 20), st.integers(1, 5))
def test_results_come_in_order(n, threads):
    with workers(threads) as at_work:
        assert list(at_work.in_order(partial(doubled, i) for i in range(n))) == [2 * i for i in range(n)]


def test_a_later_job_waits_for_an_earlier_one():
    last = Event()

    def work(job):
        if job == 0:
            assert last.wait(30)
        if job == 3:
            last.set()
        return job

    with workers(4) as at_work:
        assert list(at_work.in_order(partial(work, i) for i in range(4))) == [0, 1, 2, 3]


def test_jobs_are_taken_as_there_is_room():
    taken, most = 0, 0

    def jobs():
        nonlocal taken
        for i in range(50):
            taken += 1
            yield partial(doubled, i)

    with workers(2) as at_work:
        for done, _ in enumerate(at_work.in_order(jobs()), 1):
            most = max(most, taken - done)
    assert most <= 5


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_the_jobs_comes_after_the_results_before_it(threads):
    def jobs():
        yield from (partial(doubled, i) for i in range(5))
        message = "the sixth cannot be read"
        raise InputError(message)

    seen = []
    with workers(threads) as at_work, pytest.raises(InputError, match="sixth"):  # noqa: PT012
        for result in at_work.in_order(jobs()):
            seen.append(result)  # noqa: PERF402 - what was seen before the error
    assert seen == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_the_work_comes_in_its_place(threads):
    def work(job):
        if job == 3:
            message = "three"
            raise DistributionError(message)
        return job

    seen = []
    with workers(threads) as at_work, pytest.raises(DistributionError, match="three"):  # noqa: PT012
        for result in at_work.in_order(partial(work, i) for i in range(10)):
            seen.append(result)  # noqa: PERF402
    assert seen == [0, 1, 2]

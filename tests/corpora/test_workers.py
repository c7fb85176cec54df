import os
import threading
import time

import pytest

from musegen.corpora.workers import Failure, Pool

WORK = "tests.corpora.jobs:work"


def running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_results_come_in_order_from_as_many_processes():
    with Pool(WORK, 2) as pool:
        done = list(pool.map(("print", number) for number in range(100)))
    assert [task[1] for task, _ in done] == list(range(100))
    assert [result[0] for _, result in done] == list(range(100))
    assert len({result[1] for _, result in done}) == 2


@pytest.mark.parametrize("together", [1, 4])
def test_a_worker_that_dies_hangs_or_bloats_loses_its_task_and_no_other(together):
    tasks = [("do", 1), ("die", 2), ("do", 3), ("hang", 4), ("do", 5), ("bloat", 2**29), ("do", 6)]
    with Pool(WORK, 1, seconds=1, memory=2**28) as pool:
        results = [result for _, result in pool.map(tasks, together)]
    assert [result[0] for result in results[::2]] == [1, 3, 5, 6]
    assert results[1] == Failure("it ended its reader (exit code 3)")
    assert results[3] == Failure("it took longer than 1 s")
    assert results[5] == Failure("it needs more than 256 MiB of memory")


def test_only_a_few_tasks_are_taken_ahead():
    taken = []

    def tasks():
        for number in range(1000):
            taken.append(number)
            yield "do", number

    with Pool(WORK, 1) as pool:
        next(iter(pool.map(tasks())))
        assert len(taken) < 50


def test_an_interrupt_ends_every_worker():
    with pytest.raises(KeyboardInterrupt), Pool(WORK, 2) as pool:
        for _, result in pool.map([("do", 1), ("hang", 2), ("hang", 3)]):
            process = result[1]
            assert running(process)
            raise KeyboardInterrupt
    assert not running(process)
    assert not any("ThreadPoolExecutor" in thread.name for thread in threading.enumerate())


def test_waiting_for_the_next_task_is_not_being_late():
    def slowly():
        yield "do", 1
        time.sleep(1)
        yield "do", 2

    with Pool(WORK, 1, seconds=0.5) as pool:
        results = [result for _, result in pool.map(slowly())]
    assert [result[0] for result in results] == [1, 2] and results[0][1] == results[1][1]


def test_leaving_does_not_wait_for_what_is_being_done():
    start = time.monotonic()
    with Pool(WORK, 1, seconds=60) as pool:
        for task, _ in pool.map([("do", 1), ("hang", 2)]):
            assert task == ("do", 1)
            break
    assert time.monotonic() - start < 20

"""Work done in other processes, where a file that kills, hangs or bloats its reader costs nothing but that file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 10.0
"""No file of music takes longer to read."""
MEMORY = 2**30
"""Bytes that one worker may use."""

_START = "import sys; sys.path[:] = sys.argv[3:]; from musegen.corpora.workers import serve; serve(*sys.argv[1:3])"
_AHEAD = 16


@dataclass(frozen=True)
class Failure:
    """What became of a task instead of a result.

    Attributes:
        why: such as `it took longer than 10 seconds`.
    """

    why: str


class Pool:
    """Processes that do one task at a time each.

    They are plain child processes that talk through pipes: nothing is shared or inherited, so it does not matter what
    threads the caller runs or how it was started, and Ctrl-C reaches the caller alone.
    """

    def __init__(self, work: str, jobs: int, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        """Start nothing yet.

        Args:
            work: `module:function`; called with a task, returns its result. Both must be picklable.
            jobs: how many processes.
            seconds: how long a task may take.
            memory: bytes that a process may use, where the system can limit that.
        """
        self._command = [sys.executable, "-c", _START, work, str(memory), *sys.path]
        self._jobs = jobs
        self._seconds = seconds
        self._local = threading.local()
        self._workers: list[_Worker] = []
        self._threads = ThreadPoolExecutor(jobs)

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all at once, whatever they are doing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in list(self._workers):
            worker.stop()
        self._threads.shutdown()
        for worker in self._workers:  # one that was started meanwhile
            worker.stop()

    def map(self, tasks: Iterable[T]) -> Iterator[tuple[T, Any]]:
        """Do tasks, yielding each with its result, or a `Failure`, in their order; only a few are taken ahead."""
        waiting: deque[tuple[T, Future[Any]]] = deque()
        for task in tasks:
            waiting.append((task, self._threads.submit(self._do, task)))
            if len(waiting) >= _AHEAD * self._jobs:
                done, future = waiting.popleft()
                yield done, future.result()
        for done, future in waiting:
            yield done, future.result()

    def _do(self, task: object) -> object:
        worker: _Worker | None = getattr(self._local, "worker", None)
        if worker is None or not worker.alive:
            worker = self._local.worker = _Worker(self._command)
            self._workers.append(worker)
        result = worker.call(task, self._seconds)
        if not worker.alive:
            self._workers.remove(worker)
        return result


class _Worker:
    def __init__(self, command: list[str]) -> None:
        # One thread each: the arithmetic is small, and every thread of a numeric library takes memory.
        quiet = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | quiet,
            start_new_session=True,
        )
        self.alive = True

    def call(self, task: object, seconds: float) -> object:
        """Have a task done."""
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.start()
        try:
            assert self._process.stdin and self._process.stdout
            pickle.dump(task, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)  # from a process of ours, which runs our code
        except (EOFError, OSError, pickle.UnpicklingError):
            self.stop()
            if late.is_set():
                return Failure(f"it took longer than {seconds:g} seconds")
            return Failure(f"it ended its reader ({_cause(self._process.returncode)})")
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End the process."""
        self.alive = False
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()


def _cause(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def serve(work: str, memory: str) -> None:
    """Be a worker: do the tasks that come through stdin, until it closes."""
    tasks, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "r+b") as nothing:  # noqa: PTH123 - what is printed must not get among the results
        os.dup2(nothing.fileno(), 0)
        os.dup2(nothing.fileno(), 1)
    module, _, name = work.partition(":")
    function: Callable[[Any], object] = getattr(import_module(module), name)
    _limit(int(memory))
    while True:
        try:
            task = pickle.load(tasks)
        except EOFError:
            return
        try:
            result = function(task)
        except MemoryError:
            result = Failure(f"it needs more than {int(memory) >> 20} MiB of memory")
        except RecursionError:
            result = Failure("it is nested too deeply")
        pickle.dump(result, results, pickle.HIGHEST_PROTOCOL)
        results.flush()


def _limit(memory: int) -> None:
    """Bound the memory of this process, where the system can."""
    if sys.platform.startswith("linux"):
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

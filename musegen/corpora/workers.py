"""Work done in other processes, where a file that kills, hangs or bloats its reader costs nothing but that file."""

from __future__ import annotations

import math
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 10.0
"""No file of music takes longer to read."""
MEMORY = 2**30
"""Bytes that one worker may use."""

_START = "import sys; sys.path[:] = sys.argv[3:]; from musegen.corpora.workers import serve; serve(*sys.argv[1:3])"
_STARTING = 5.0  # seconds that a process may take to start, on a busy machine, before its first task
_AHEAD = 4


@dataclass(frozen=True)
class Failure:
    """What became of a task instead of a result.

    Attributes:
        why: such as `it took longer than 10 s`.
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
        self._workers: set[_Worker] = set()
        self._threads = ThreadPoolExecutor(jobs)
        self._closed = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, daemon=True)

    def __enter__(self) -> Pool:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all at once, whatever they are doing."""
        self._closed.set()
        for worker in tuple(self._workers):
            worker.kill()
        self._threads.shutdown(cancel_futures=True)
        for worker in tuple(self._workers):
            worker.stop()
        self._watch.join()

    def map(self, tasks: Iterable[T], together: int = 1) -> Iterator[tuple[T, Any]]:
        """Do tasks, yielding each with its result, or a `Failure`, in their order; only a few are taken ahead.

        Args:
            tasks: in any number.
            together: how many are handed over at once, to save time between short ones.
        """
        waiting: deque[Future[list[tuple[T, Any]]]] = deque()
        rest = iter(tasks)
        while some := list(islice(rest, together)):
            waiting.append(self._threads.submit(self._do, some))
            if len(waiting) >= _AHEAD * self._jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _do(self, tasks: list[T]) -> list[tuple[T, Any]]:
        """Have tasks done by the worker of this thread, or by another one when it was lost."""
        done: list[tuple[T, Any]] = []
        while len(done) < len(tasks) and not self._closed.is_set():
            worker: _Worker | None = getattr(self._local, "worker", None)
            if worker is None:
                worker = self._local.worker = _Worker(self._command, self._seconds)
                self._workers.add(worker)
                if self._closed.is_set():  # and has killed all that it knew of
                    worker.kill()
            for result in worker.results(tasks[len(done) :]):
                done.append((tasks[len(done)], result))
            if worker.lost:
                self._local.worker = None
                self._workers.discard(worker)
        return done

    def _watch_over(self) -> None:
        while not self._closed.wait(0.05):
            for worker in tuple(self._workers):
                worker.end_if_late()


class _Worker:
    def __init__(self, command: list[str], seconds: float) -> None:
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
        self._seconds = seconds
        self._starting = _STARTING
        self._deadline = math.inf
        self._late = False
        self.lost = False

    def results(self, tasks: Sequence[object]) -> Iterator[object]:
        """Have tasks done, yielding what becomes of each; the last one is a failure when the process was lost."""
        assert self._process.stdin and self._process.stdout
        try:
            self._deadline = time.monotonic() + self._seconds + self._starting
            self._process.stdin.write(b"".join(pickle.dumps(task) for task in tasks))
            self._process.stdin.flush()
            for _ in tasks:
                result = pickle.load(self._process.stdout)  # from a process of ours, which runs our code
                self._starting = 0.0
                self._deadline = time.monotonic() + self._seconds
                yield result
            self._deadline = math.inf
        except (EOFError, OSError, pickle.UnpicklingError):
            self.lost = True
            self.stop()
            cause = _cause(self._process.returncode)
            late = f"it took longer than {self._seconds:g} s"
            yield Failure(late if self._late else f"it ended its reader ({cause})")

    def end_if_late(self) -> None:
        """End the process when its task has taken too long."""
        if time.monotonic() > self._deadline:
            self._late = True
            self.kill()

    def kill(self) -> None:
        """End the process; whoever waits for its result sees that."""
        self._process.kill()

    def stop(self) -> None:
        """End the process and close its pipes."""
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

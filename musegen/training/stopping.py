"""Signals while training: a step that has begun is finished, so that what is saved is the state of a step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Stop:
    """Whether a signal asked to stop; the step under way is finished first, so that the state is that of a step."""

    def __init__(self) -> None:
        self.asked: int = 0
        self.handlers: dict[int, Any] = {}

    def now(self) -> None:
        """Do what the signal would have done."""
        number = self.asked or signal.SIGINT
        handler = self.handlers.get(number, signal.default_int_handler)
        handler(number, None)


@contextmanager
def deferred_stop() -> Iterator[Stop]:
    """Hold signals back until `Stop.now`; a second one ends the program at once."""
    stop = Stop()

    def ask(number: int, _frame: object) -> None:
        if stop.asked:
            os._exit(128 + number)
        stop.asked = number

    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        handler = signal.getsignal(number)
        if callable(handler) and number not in stop.handlers:
            stop.handlers[number] = handler
            signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in stop.handlers.items():
            signal.signal(number, handler)

"""How the learning rate moves, and how minutes become steps."""

from __future__ import annotations

import math

WARM_UP = 100
"""Steps over which the learning rate rises."""
LOWEST = 0.02
"""The learning rate at the end, as a share of the highest."""
_MEASURED = (5, 25)
"""The speed is measured from the first of these steps to the second at least."""
_MEASURING = 0.4
"""What a held-out note costs beside a note that is learnt from."""


def learning_rate(highest: float, step: int, total: int | None) -> float:
    """Up over the first steps, then down along a cosine (Loshchilov and Hutter, 2017).

    Args:
        highest: that is reached.
        step: done so far.
        total: steps in all; None while that is unknown.
    """
    warm = min(1.0, (step + 1) / WARM_UP)
    done = min(1.0, step / total) if total else 0.0
    return highest * warm * (LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * done)))


class Calibration:
    """Translates minutes into steps, once the speed is known; from then on a run is a function of its seed again.

    Args:
        minutes: that the run may take.
        held_out: notes measured for each note learnt from.
    """

    def __init__(self, minutes: float, held_out: float) -> None:
        self._budget = 60 * minutes
        self._factor = 1 + _MEASURING * held_out
        self._timings: list[float] = []

    def total(self, step: int, seconds: float, spent: float) -> int:
        """How many steps the run has in all; 0 while that is unknown.

        Args:
            step: done so far.
            seconds: that the last one took.
            spent: seconds of the run so far.
        """
        first, last = _MEASURED
        self._timings.append(seconds)
        if spent < 0.1 * self._budget or (len(self._timings) < last and spent < 0.3 * self._budget):
            return 0
        measured = self._timings[first:] or self._timings
        pace = self._factor * sum(measured) / len(measured)
        return step + max(1, int(max(0.0, self._budget - spent) / pace))

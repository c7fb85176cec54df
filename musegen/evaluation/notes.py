"""What every statistic starts from: the notes of a roll, its bars, and a share that can be pooled over pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from musegen.representation.roll import HOLD, REST, Roll

Ints = NDArray[np.int64]


class Share(NamedTuple):
    """What a piece adds to a statistic; over a set it is the sum of totals through the sum of weights.

    Attributes:
        total: such as the parallel fifths of a piece.
        weight: such as the pairs of voices that moved together; 1 for a mean over pieces, 0 when a piece says nothing.
    """

    total: float
    weight: float = 1.0

    @property
    def value(self) -> float | None:
        """The statistic of this piece alone; None when it says nothing."""
        return self.total / self.weight if self.weight else None


Measures = dict[str, Share]
"""Statistics of a piece by their labels."""


@dataclass(frozen=True, eq=False)
class Notes:
    """The notes of a roll: (n,) each, voice by voice, in order of time within a voice.

    Attributes:
        pitch: MIDI pitches.
        onset: steps.
        length: steps.
        voice: 0 the highest.
    """

    pitch: Ints
    onset: Ints
    length: Ints
    voice: Ints

    @classmethod
    def of(cls, roll: Roll) -> Notes:
        """The notes of a roll."""
        stop = np.full((1, roll.voices), REST, np.uint8)
        symbols = np.concatenate([roll.symbols, stop]).T.ravel()  # a rest ends each voice
        starts = np.flatnonzero(symbols != HOLD)
        length = np.diff(starts, append=len(symbols))
        voice, onset = np.divmod(starts, roll.steps + 1)
        is_note = symbols[starts] < REST
        pitch = symbols[starts].astype(np.int64)
        return cls(pitch[is_note], onset[is_note], length[is_note], voice[is_note])

    @property
    def neighbours(self) -> NDArray[np.bool_]:
        """(n - 1,) whether a note and the next in order belong to the same voice."""
        return np.asarray(self.voice[1:] == self.voice[:-1])

    @property
    def touching(self) -> NDArray[np.bool_]:
        """(n - 1,) whether, besides, no rest lies between them."""
        return np.asarray(self.neighbours & (self.onset[1:] == self.onset[:-1] + self.length[:-1]))

    @property
    def intervals(self) -> Ints:
        """Semitones up from each note to the next of its voice, rests between them or not."""
        return np.diff(self.pitch)[self.neighbours]


@dataclass(frozen=True, slots=True)
class Span:
    """A bar as it lies in the roll.

    Attributes:
        first: step.
        end: the step after its last.
        full: steps that its metre asks for.
        fits: whether the metre's bar is a whole number of steps.
    """

    first: int
    end: int
    full: int
    fits: bool

    @property
    def steps(self) -> int:
        """How many it has."""
        return self.end - self.first


def whole_bars(roll: Roll) -> list[Span]:
    """The bars from bar 1 on, those that a repeat sign cuts in two put together again.

    A strain that begins with a pickup ends with a bar that is short by as much, and both stand in the roll as short
    bars. Two that follow one another and fill at most one bar of their metre are one.
    """
    starts = [(first, metre) for number, first, metre in roll.bar_starts() if number]
    ends = [first for first, _ in starts[1:]] + [roll.steps]
    bars: list[Span] = []
    for (first, metre), end in zip(starts, ends, strict=True):
        full = roll.steps_of(metre)
        fits = metre.quarters * roll.steps_per_quarter == full
        last = bars[-1] if bars else None
        if last and last.full == full and last.steps < full and end - last.first <= full:
            bars[-1] = replace(last, end=end)
        else:
            bars.append(Span(first, end, full, fits))
    return bars


def bar_count(roll: Roll) -> int:
    """How many whole bars it has, a pickup not counted."""
    return len(whole_bars(roll))


def beginnings(rolls: Iterable[Roll], bars: int) -> list[Roll]:
    """The first so many bars of each piece that has as many; shorter pieces are left out."""
    return [first_bars(roll, bars) for roll in rolls if bar_count(roll) >= bars]


def first_bars(roll: Roll, bars: int) -> Roll:
    """The beginning of a piece: its pickup and that many bars; the piece itself when it has no more."""
    spans = whole_bars(roll)
    return roll if len(spans) <= bars else roll.until(spans[bars].first)

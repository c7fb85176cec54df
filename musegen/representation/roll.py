"""A piece on a grid: the array that every model reads and writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from musegen.score import Key, Metre

T = TypeVar("T")

REST, HOLD = 128, 129
"""Silence; and: whatever sounded on the step before goes on."""
SYMBOLS = 130
"""The 128 MIDI pitches (the onset of a note), then the two symbols above."""

StepChanges = tuple[tuple[int, T], ...]
"""Values with the step from which each holds, in order, the first at 0."""


@dataclass(frozen=True, eq=False)
class Roll:
    """One symbol for each step and voice.

    A plain time-by-pitch matrix cannot tell a long note from a repeated one. The hold symbol can, so decoding gives
    back the very notes encoded. Silence is written as `REST` on each of its steps, never as a hold.

    Attributes:
        symbols: (steps, voices) uint8; 0-127 starts that MIDI pitch, then `REST` and `HOLD`.
        steps_per_quarter: the grid; 4 means sixteenth notes.
        metres: time signatures by step. An entry starts a bar (see `Score.metres`).
        pickup: steps before bar 1.
        keys: by step; empty when unknown.
        tempi: quarter notes per minute by step; empty when unknown.
        fermatas: (step, voice) of each note that has one.
        names: of the voices; empty when they have none.
        programs: General MIDI instruments of the voices; empty when unknown.
        title: may be empty.
        composer: may be empty.
    """

    symbols: NDArray[np.uint8]
    steps_per_quarter: int = 4
    metres: StepChanges[Metre] = ((0, Metre(4, 4)),)
    pickup: int = 0
    keys: StepChanges[Key] = ()
    tempi: StepChanges[float] = ()
    fermatas: frozenset[tuple[int, int]] = field(default=frozenset())
    names: tuple[str, ...] = ()
    programs: tuple[int | None, ...] = ()
    title: str = ""
    composer: str = ""

    @property
    def steps(self) -> int:
        """How many steps it lasts."""
        return int(self.symbols.shape[0])

    @property
    def voices(self) -> int:
        """How many voices it has."""
        return int(self.symbols.shape[1])

    def steps_of(self, metre: Metre) -> int:
        """Steps in a bar of this metre, at least one; rounded up where the bar does not fit the grid."""
        return max(1, -int(-metre.quarters * self.steps_per_quarter // 1))

    def bar_starts(self) -> list[tuple[int, int, Metre]]:
        """(number, first step, metre) of every bar; a pickup is bar 0."""
        starts: list[tuple[int, int, Metre]] = []
        step, number = 0, 1
        if self.pickup:
            starts.append((0, 0, self.metres[0][1]))
            step = self.pickup
        changes = list(self.metres[1:])
        metre = self.metres[0][1]
        while step < self.steps:
            while changes and changes[0][0] <= step:
                metre = changes.pop(0)[1]
            starts.append((number, step, metre))
            step += self.steps_of(metre)
            if changes:
                step = min(step, changes[0][0])
            number += 1
        return starts

    def clock(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Where each step lies: (steps,) bar numbers and (steps,) steps since the bar line.

        A pickup is the end of a bar, so its positions count up to the bar line: one quarter in 4/4 lies on beat 4.
        """
        bars = np.zeros(self.steps, np.int32)
        positions = np.zeros(self.steps, np.int32)
        starts = self.bar_starts()
        for (number, start, metre), end in zip(starts, [s for _, s, _ in starts[1:]] + [self.steps], strict=True):
            bars[start:end] = number
            offset = max(0, self.steps_of(metre) - self.pickup) if number == 0 else 0
            positions[start:end] = np.arange(end - start) + offset
        return bars, positions

    def sounding(self) -> NDArray[np.uint8]:
        """(steps, voices) uint8: the pitch that sounds, `REST` where none does."""
        return sounding(self.symbols)

    def without_tail(self) -> Roll:
        """The same without the silence after the last note; a roll in which nothing sounds stays as it is."""
        heard = np.flatnonzero((self.sounding() != REST).any(axis=1))
        end = int(heard[-1]) + 1 if len(heard) else self.steps
        return self.until(end)

    def until(self, end: int) -> Roll:
        """The same up to a step; the roll itself when it is no longer."""
        if end >= self.steps:
            return self
        return replace(
            self,
            symbols=self.symbols[:end],
            metres=tuple(change for change in self.metres if change[0] < end),
            pickup=min(self.pickup, end),
            keys=tuple(change for change in self.keys if change[0] < end),
            tempi=tuple(change for change in self.tempi if change[0] < end),
            fermatas=frozenset(place for place in self.fermatas if place[0] < end),
        )

    def with_symbols(self, symbols: NDArray[np.uint8]) -> Roll:
        """The same frame around other notes; fermatas go, since they belonged to the notes."""
        return replace(self, symbols=symbols, fermatas=frozenset())


def sounding(symbols: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resolve holds: (steps, voices) symbols -> (steps, voices) pitches, `REST` where nothing sounds.

    A hold with nothing before it is a rest.
    """
    steps, voices = symbols.shape
    latest = np.where(symbols == HOLD, 0, np.arange(1, steps + 1)[:, None])
    np.maximum.accumulate(latest, axis=0, out=latest)
    padded = np.concatenate([np.full((1, voices), REST, np.uint8), symbols])
    return np.take_along_axis(padded, latest, axis=0)

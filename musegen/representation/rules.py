"""The rules of a line: leaps, lengths of notes, the order of pitches, and how it begins and ends.

Each is an automaton, which samplers follow, and a plain reading of a finished roll, which shares no code with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from musegen.representation.automaton import DEAD, Automaton, Flags, Ints
from musegen.representation.roll import HOLD, REST, Roll


@dataclass(frozen=True)
class Leap:
    """No interval from note to note, over rests too, is larger; judged where one of the two begins in an open cell.

    Attributes:
        voice: from 0.
        semitones: the largest.
    """

    counts: ClassVar[bool] = False
    voice: int
    semitones: int

    def automaton(self, low: int, pitches: int) -> Automaton:
        """States: 0 before the first note, 1 + i after pitch i if it is new, 1 + pitches + i if it was given."""
        count = 2 * pitches + 1
        anything = np.tile(np.arange(1, pitches + 1), (count, 1))
        apart = np.abs(np.arange(pitches) - np.arange(pitches)[:, None])
        near = np.where(apart <= self.semitones, anything[:pitches], DEAD)
        strict, free = _standing(count, pitches), _standing(count, pitches)
        strict[:, :pitches] = np.concatenate([anything[:1], near, near])
        free[:, :pitches] = anything + pitches
        # From a new note to one that was given is judged, too; between two that were given nothing is.
        free[1 : 1 + pitches, :pitches] = np.where(near == DEAD, DEAD, near + pitches)
        return Automaton(strict, free, np.ones(count, bool), free)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule.broken`."""
        found, notes = [], list(_notes(roll, self.voice))
        for one, other in pairwise(notes):
            leap = abs(other.pitch - one.pitch)
            if leap > self.semitones and (is_open[one.start, self.voice] or is_open[other.start, self.voice]):
                found.append(f"{_place(roll, other.start, self.voice)}: a leap of {leap} semitones")
        return found


@dataclass(frozen=True)
class Lengths:
    """Notes that begin in open cells last from `shortest` to `longest` steps.

    Attributes:
        voice: from 0.
        shortest: in steps, at least 1.
        longest: in steps; None for no limit.
    """

    counts: ClassVar[bool] = False
    voice: int
    shortest: int = 1
    longest: int | None = None

    def automaton(self, low: int, pitches: int) -> Automaton:
        """States: 0 in silence or in a note that was given, n in a new note of n steps (the last: or more)."""
        most = self.longest or self.shortest
        count = most + 1
        free = _standing(count, pitches)
        free[:, : pitches + 1] = 0
        free[1:, -1] = np.arange(2, most + 2)
        free[most, -1] = most if self.longest is None else 0
        edge = free.copy()
        # What ends a note that is too short is forbidden, whether it is new itself or not.
        edge[1 : self.shortest, : pitches + 1] = DEAD
        strict = edge.copy()
        strict[:, :pitches] = np.where(strict[:, :pitches] == DEAD, DEAD, 1)
        if self.longest is not None:
            strict[most, -1] = DEAD
        final = (np.arange(count) == 0) | (np.arange(count) >= self.shortest)
        return Automaton(strict, free, final, edge)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule.broken`."""
        found = []
        for note in _notes(roll, self.voice):
            length = note.end - note.start
            if not is_open[note.start, self.voice]:
                continue
            if length < self.shortest or (self.longest is not None and length > self.longest):
                what = "short" if length < self.shortest else "long"
                found.append(f"{_place(roll, note.start, self.voice)}: a note of {length} steps is too {what}")
        return found


@dataclass(frozen=True)
class PitchOrder:
    """The notes of a voice, given and new, have these pitches in this order.

    Attributes:
        voice: from 0.
        pitches: MIDI.
    """

    counts: ClassVar[bool] = True
    voice: int
    pitches: tuple[int, ...]

    def automaton(self, low: int, pitches: int) -> Automaton:
        """States: how many notes have begun."""
        count = len(self.pitches) + 1
        table = _standing(count, pitches)
        table[:, :pitches] = DEAD
        for number, pitch in enumerate(self.pitches):
            if 0 <= pitch - low < pitches:
                table[number, pitch - low] = number + 1
        return Automaton(table, table, np.arange(count) == count - 1, table)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule.broken`."""
        notes = list(_notes(roll, self.voice))
        for note, pitch in zip(notes, self.pitches, strict=False):
            if note.pitch != pitch:
                return [f"{_place(roll, note.start, self.voice)}: pitch {note.pitch} stands where {pitch} should"]
        if len(notes) != len(self.pitches):
            return [f"{_name(roll, self.voice)}: {len(notes)} notes, {len(self.pitches)} were to be kept"]
        return []


@dataclass(frozen=True)
class Beginning:
    """A line has a note, and the first one, if it begins in an open cell, is of some pitch classes.

    Attributes:
        voice: from 0.
        tones: pitch classes.
    """

    counts: ClassVar[bool] = False
    voice: int
    tones: frozenset[int]

    def automaton(self, low: int, pitches: int) -> Automaton:
        """States: 0 before the first note, 1 after."""
        strict, free = _standing(2, pitches), _standing(2, pitches)
        free[:, :pitches] = strict[:, :pitches] = 1
        strict[0, :pitches] = np.where(_among(low, pitches, self.tones), 1, DEAD)
        return Automaton(strict, free, np.array([False, True]), free)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule.broken`."""
        first = next(_notes(roll, self.voice), None)
        if first is None:
            return [f"{_name(roll, self.voice)}: no note"]
        if is_open[first.start, self.voice] and first.pitch % 12 not in self.tones:
            return [f"{_place(roll, first.start, self.voice)}: the first note is none of those asked for"]
        return []


@dataclass(frozen=True)
class Ending:
    """The last note of a line is of some pitch classes, and the note before it of some.

    The last note is judged where something is open after the last one that was given, and the one before it where it
    begins in an open cell itself.

    Attributes:
        voice: from 0.
        tones: pitch classes of the last note; None where that was given.
        before: pitch classes of the note before it; None when it may be any, or be missing.
    """

    counts: ClassVar[bool] = False
    voice: int
    tones: frozenset[int] | None
    before: frozenset[int] | None = None

    def automaton(self, low: int, pitches: int) -> Automaton:
        """States: 0 before the first note, 1 + (can end) + 2 (can precede the end) + 4 (what it follows can)."""
        free, strict = _standing(9, pitches), _standing(9, pitches)
        ends, leads = _among(low, pitches, self.tones), _among(low, pitches, self.before)
        follows = np.arange(9) - 1 & 2
        follows[0] = 0 if self.before is not None else 2
        onset = 1 + ends + 2 * follows[:, None]
        free[:, :pitches] = onset + 2
        strict[:, :pitches] = onset + 2 * leads
        state = np.arange(9) - 1
        return Automaton(strict, free, (state >= 0) & (state & 1 > 0) & (state & 4 > 0), free)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule.broken`."""
        notes = list(_notes(roll, self.voice))
        if not notes:
            return [f"{_name(roll, self.voice)}: no note"]
        found, last, note = [], notes[-1], notes[-2] if len(notes) > 1 else None
        if self.tones is not None and last.pitch % 12 not in self.tones:
            found.append(f"{_place(roll, last.start, self.voice)}: the last note is none of those asked for")
        if self.before is not None:
            if note is None:
                found.append(f"{_name(roll, self.voice)}: no note before the last")
            elif is_open[note.start, self.voice] and note.pitch % 12 not in self.before:
                found.append(f"{_place(roll, note.start, self.voice)}: the note before the last is no dominant")
        return found


class _Note(NamedTuple):
    start: int
    end: int
    pitch: int


def _notes(roll: Roll, voice: int) -> Iterator[_Note]:
    """The notes of a voice with first step and the step after the last."""
    column = roll.symbols[:, voice].tolist()
    for start, symbol in enumerate(column):
        if symbol < REST:
            end = start + 1
            while end < len(column) and column[end] == HOLD:
                end += 1
            yield _Note(start, end, symbol)


def _standing(states: int, pitches: int) -> Ints:
    """(states, pitches + 2): every class leads back to the state that it comes from."""
    return np.tile(np.arange(states)[:, None], (1, pitches + 2))


def _among(low: int, pitches: int, tones: frozenset[int] | None) -> Ints:
    """(pitches,) 1 for those of some pitch classes; of any for None."""
    if tones is None:
        return np.ones(pitches, np.int64)
    return np.isin(np.arange(low, low + pitches) % 12, list(tones)).astype(np.int64)


def _name(roll: Roll, voice: int) -> str:
    return (roll.names[voice] if roll.names else "") or f"voice {voice + 1}"


def _place(roll: Roll, step: int, voice: int) -> str:
    bars, positions = roll.clock()
    return f"bar {bars[step]}, step {positions[step] + 1}, {_name(roll, voice)}"

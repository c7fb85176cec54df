"""Constraints on whole lines: leaps, lengths of notes, and how a piece begins and ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.pitches import scale_of
from musegen.representation.constraints.places import bars
from musegen.representation.roll import REST
from musegen.representation.rules import Beginning, Ending, Leap, Lengths
from musegen.score import Key


@dataclass(frozen=True)
class LargestLeap(Constraint):
    """No interval between neighbouring notes of a voice, over rests too, is larger than so many semitones."""

    kind = "leap"
    syntax = "the largest interval in semitones, 0 to 127, such as 12"

    def parsed(self) -> int:
        """Semitones."""
        if not re.fullmatch(r"\d{1,3}", self.text) or int(self.text) > 127:
            raise self.wrong()
        return int(self.text)

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        sheet.rules += [Leap(voice, self.parsed()) for voice in sheet.voices]


@dataclass(frozen=True)
class _Length(Constraint):
    syntax = "a fraction of a whole note, such as 1/8, or dotted, 1/4."

    def parsed(self) -> Fraction:
        """In quarters."""
        found = re.fullmatch(r"(\d{1,3})(?:/(\d{1,3}))?(\.?)", self.text)
        if not found or int(found[1]) == 0 or int(found[2] or 1) == 0:
            raise self.wrong()
        return Fraction(int(found[1]), int(found[2] or 1)) * 4 * (Fraction(3, 2) if found[3] else 1)

    def steps(self, sheet: Sheet) -> int:
        """On the grid of a piece.

        Raises:
            MusegenError: it is no whole number of steps.
        """
        steps = self.parsed() * sheet.roll.steps_per_quarter
        if steps.denominator != 1:
            raise MusegenError(
                f"{self.describe()} is no whole number of the model's steps",
                f"It writes {sheet.roll.steps_per_quarter} steps to a quarter: give a multiple of "
                f"{Fraction(1, 4 * sheet.roll.steps_per_quarter)}.",
            )
        return int(steps)


@dataclass(frozen=True)
class Shortest(_Length):
    """No note that begins in an open cell is shorter; rests are not judged."""

    kind = "shortest"

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        sheet.rules += [Lengths(voice, shortest=self.steps(sheet)) for voice in sheet.voices]


@dataclass(frozen=True)
class Longest(_Length):
    """No note that begins in an open cell is longer; rests are not judged."""

    kind = "longest"

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        sheet.rules += [Lengths(voice, longest=self.steps(sheet)) for voice in sheet.voices]


@dataclass(frozen=True)
class Begin(Constraint):
    """`tonic`: the lowest voice begins with the tonic, the others with a tone of its triad.

    A melody has the tonic on the first beat of bar 1.
    """

    kind = "begin"
    syntax = "tonic"

    def parsed(self) -> str:
        """`tonic`."""
        if self.text != "tonic":
            raise self.wrong()
        return self.text

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        key, lowest = sheet.key(last=False, what=self.describe()), sheet.roll.voices - 1
        if lowest == 0:
            first = next((bar.start for bar in bars(sheet.roll) if bar.number > 0), 0)
            sheet.sound(first, 0, np.append(np.arange(REST) % 12 == key.tonic, False))
            return
        for voice in sheet.voices:
            tones = frozenset({key.tonic} if voice == lowest else triad(key))
            sheet.rules.append(Beginning(voice, tones))


@dataclass(frozen=True)
class End(Constraint):
    """`tonic`: the lowest voice ends on the tonic in the last bar, the others on a tone of its triad.

    `cadence`: besides, every voice begins a note with the last bar, and the note before a voice's last one is of the
    dominant seventh chord: its root in the lowest of several voices, the second, fifth or seventh degree in a melody.
    In minor the third of the last chord may be major.
    """

    kind = "end"
    syntax = "tonic or cadence"

    def parsed(self) -> str:
        """`tonic` or `cadence`."""
        if self.text not in ("tonic", "cadence"):
            raise self.wrong()
        return self.text

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        key, lowest = sheet.key(last=True, what=self.describe()), sheet.roll.voices - 1
        cadence, is_open = self.parsed() == "cadence", sheet.template.open
        last_bar = bars(sheet.roll)[-1].start
        for voice in sheet.voices:
            # Silence is no way out: something sounds when the last bar begins.
            if cadence:
                sheet.only(last_bar, voice, range(REST))
            else:
                sheet.sound(last_bar, voice, np.arange(REST + 1) < REST)
            given = np.flatnonzero(~is_open[:, voice] & (sheet.roll.symbols[:, voice] < REST))
            undecided = is_open[given[-1] if len(given) else 0 :, voice].any()
            tones = frozenset({key.tonic} if voice == lowest else triad(key) | {(key.tonic + 4) % 12})
            before = _dominants(key, melody=lowest == 0, bass=voice == lowest) if cadence else None
            if undecided or before:
                sheet.rules.append(Ending(voice, tones if undecided else None, before))


def triad(key: Key) -> frozenset[int]:
    """Pitch classes of the tonic chord."""
    degrees = scale_of(key)
    return frozenset((degrees[0], degrees[2], degrees[4]))


def _dominants(key: Key, *, melody: bool, bass: bool) -> frozenset[int]:
    """What may stand before the last note of a cadence: the leading note, and in a melody also the mode's seventh."""
    dominant = (key.tonic + 7) % 12
    if melody:
        degrees = scale_of(key)
        return frozenset((degrees[1], dominant, degrees[6], (key.tonic + 11) % 12))
    return frozenset({dominant} if bass else ((dominant + degree) % 12 for degree in (0, 4, 7, 10)))

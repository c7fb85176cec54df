"""Constraints on which pitches a voice may begin, where: scale, range and single notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.places import fraction, pitch, pitch_class, step_at, voice_index, voice_name
from musegen.representation.roll import REST
from musegen.score import MODES, Key

MAJOR = (0, 2, 4, 5, 7, 9, 11)
"""The major scale, in semitones above its tonic."""

_OTHERS = {
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 8, 9, 10, 11),  # as it rises and as it falls
}
"""Scales that are no keys, in semitones above the tonic."""


def scale_of(key: Key) -> list[int]:
    """The seven pitch classes of a key, tonic first; a minor key's are those of its signature."""
    first = MAJOR.index(MODES[key.mode])
    signature = [(key.fifths * 7 + degree) % 12 for degree in MAJOR]
    return signature[first:] + signature[:first]


@dataclass(frozen=True)
class Scale(Constraint):
    """Notes of a scale only: `D dorian`, `C major pentatonic`, or pitch classes, `C D E G A`."""

    kind = "scale"
    syntax = "a key such as 'D dorian', 'A harmonic minor' or 'C major pentatonic', or pitch classes such as 'C D E G'"

    def parsed(self) -> frozenset[int]:
        """Pitch classes."""
        words = self.text.replace(",", " ").split()
        classes = [pitch_class(word) for word in words]
        if len(words) > 1 and None not in classes:
            return frozenset(each for each in classes if each is not None)
        name = " ".join(words[1:]).lower()
        if words and name in _OTHERS and classes[0] is not None:
            return frozenset((classes[0] + degree) % 12 for degree in _OTHERS[name])
        try:
            return frozenset(scale_of(Key.parse(self.text)))
        except MusegenError:
            raise self.wrong() from None

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        sheet.onsets(sheet.voices, np.isin(np.arange(REST) % 12, list(self.parsed())))


class Compass(NamedTuple):
    """What a `Range` says: a voice, or None for all, and its lowest and highest pitch."""

    voice: str | None
    low: int
    high: int


@dataclass(frozen=True)
class Range(Constraint):
    """Notes from a lowest to a highest pitch: `A3-A5`, or for one voice `soprano:C4-G5`.

    A voice's own range goes before the one for all.
    """

    kind = "range"
    syntax = "A3-A5 for all voices or soprano:C4-G5 for one, the lower pitch first, middle C being C4"

    @property
    def place(self) -> str:
        """The voice."""
        return (self.parsed().voice or "").casefold()

    def parsed(self) -> Compass:
        """Voice and pitches."""
        found = re.fullmatch(r"(?:([^:]+):)?\s*([A-G][#b♯♭]?-?\d)\s*-\s*([A-G][#b♯♭]?-?\d)", self.text.strip())
        low, high = (pitch(found[2]), pitch(found[3])) if found else (None, None)
        if not found or low is None or high is None:
            raise self.wrong()
        if low > high:
            raise self.wrong(f"{found[2]} is above {found[3]}")
        return Compass(found[1] and found[1].strip(), low, high)

    def index(self, sheet: Sheet) -> int:
        """Which voice is meant."""
        return voice_index(self.parsed().voice or "", sheet.names, sheet.roll.voices, self.describe())

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        compass = self.parsed()
        apart = {each.index(sheet) for each in sheet.asked if isinstance(each, Range) and each.place}
        here = {self.index(sheet)} if compass.voice is not None else set(range(sheet.roll.voices)) - apart
        voices = [voice for voice in sheet.voices if voice in here]
        pitches = np.arange(REST)
        sheet.onsets(voices, (pitches >= compass.low) & (pitches <= compass.high))


class Placed(NamedTuple):
    """What a `PlacedNote` says: a voice, or None where there is one only, bar, beat, and symbol."""

    voice: str | None
    bar: int
    beat: Fraction
    symbol: int


@dataclass(frozen=True)
class PlacedNote(Constraint):
    """A note that begins, or a rest, at a place: `soprano@3:1=C5`, or of a single voice `3:2.5=rest`."""

    kind = "note"
    syntax = "VOICE@BAR:BEAT=PITCH, such as soprano@3:1=C5 or, of a melody, 3:2.5=rest"

    @property
    def place(self) -> str:
        """Voice, bar and beat."""
        voice, bar, beat, _ = self.parsed()
        return f"{(voice or '').casefold()}@{bar}:{beat}"

    def parsed(self) -> Placed:
        """Voice, bar, beat and symbol."""
        found = re.fullmatch(r"(?:([^@]+)@)?(\d{1,6}):([\d./+]+)\s*=\s*(\S+)", self.text.strip())
        beat = fraction(found[3]) if found else None
        symbol = (REST if found[4] == "rest" else pitch(found[4])) if found else None
        if not found or beat is None or symbol is None:
            raise self.wrong()
        if beat < 1:
            raise self.wrong("beats are counted from 1")
        return Placed(found[1] and found[1].strip(), int(found[2]), beat, symbol)

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`; a cell that is fixed must hold the note already."""
        placed, roll = self.parsed(), sheet.roll
        if placed.voice is None and roll.voices > 1:
            raise MusegenError(f"{self.describe()}: the piece has {roll.voices} voices", f"Write {self.syntax}.")
        voice = 0 if placed.voice is None else voice_index(placed.voice, sheet.names, roll.voices, self.describe())
        step = step_at(roll, placed.bar, placed.beat, self.describe())
        if not sheet.template.open[step, voice] and roll.symbols[step, voice] != placed.symbol:
            raise MusegenError(
                f"{self.describe()}: {voice_name(voice, sheet.names)} is fixed there", "Open that place, too."
            )
        sheet.only(step, voice, [placed.symbol])

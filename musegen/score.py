"""Music as a musician knows it: voices of notes in exact time, with metre, key and tempo.

Times and durations are fractions of a quarter note, counted from the beginning of the piece. Nothing here knows of
grids, arrays or files.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, TypeVar

from musegen.errors import MusegenError

T = TypeVar("T")

Changes = tuple[tuple[Fraction, T], ...]
"""Values with the onset from which each holds, in order, the first at 0."""

MODES = {"major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "locrian": 11}
"""Semitones from the major tonic of a key signature up to each mode's tonic."""

_FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
_LETTERS = "FCGDAEB"
_MODE_SHORT = {"": "major", "m": "minor", "min": "minor", "aeo": "minor", "maj": "major", "ion": "major"} | {
    name[:3]: name for name in ("dorian", "phrygian", "lydian", "mixolydian", "locrian")
}


class Note(NamedTuple):
    """A sounding note.

    Attributes:
        onset: quarters from the beginning of the piece.
        duration: quarters, above 0; ties are merged.
        pitch: MIDI pitch, 0-127, 60 being middle C.
        fermata: whether it is held at the player's discretion (the end of a chorale's line).
    """

    onset: Fraction
    duration: Fraction
    pitch: int
    fermata: bool = False

    @property
    def end(self) -> Fraction:
        """When it stops, in quarters."""
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Metre:
    """A time signature, such as 6/8."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= 255 or self.denominator not in (1, 2, 4, 8, 16, 32, 64):
            raise MusegenError(f"{self.numerator}/{self.denominator} is not a metre", "Write one such as 4/4 or 6/8.")

    @classmethod
    def parse(cls, text: str) -> Metre:
        """Read `3/4`, `C` (4/4) or `C|` (2/2).

        Raises:
            MusegenError: it is none of these.
        """
        text = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
        found = re.fullmatch(r"(\d{1,3})/(\d{1,2})", text)
        if not found:
            raise MusegenError(f"{text!r} is not a metre", "Write one such as 4/4 or 6/8.")
        return cls(int(found[1]), int(found[2]))

    @property
    def quarters(self) -> Fraction:
        """Length of a bar in quarter notes."""
        return Fraction(4 * self.numerator, self.denominator)

    @property
    def beat(self) -> Fraction:
        """Length of a beat in quarter notes: a dotted one in 6/8, 9/8 and 12/8."""
        compound = self.denominator >= 8 and self.numerator > 3 and self.numerator % 3 == 0
        return Fraction(4 * (3 if compound else 1), self.denominator)

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Key:
    """A key signature and its mode, such as one sharp, dorian (A dorian).

    Attributes:
        fifths: sharps in the signature; flats are negative. From -7 to 7.
        mode: one of `MODES`.
    """

    fifths: int
    mode: str = "major"

    def __post_init__(self) -> None:
        if not -7 <= self.fifths <= 7 or self.mode not in MODES:
            raise MusegenError(f"there is no {self.mode} key with {self.fifths} sharps", "Use -7 to 7.")

    @classmethod
    def parse(cls, text: str) -> Key:
        """Read `G`, `F#m`, `Bb major`, `A dorian` or `Edor`.

        Raises:
            MusegenError: it names no key, or one with more than seven sharps or flats.
        """
        found = re.fullmatch(r"([A-Ga-g])(#|b|♯|♭)?\s*-?([A-Za-z]*)", text.strip())
        mode = found and (_MODE_SHORT.get(found[3][:3].lower()) if found[3] != "M" else "major")
        if not found or mode is None:
            raise MusegenError(f"{text!r} is not a key", "Write one such as G, F#m, Bb or 'A dorian'.")
        return cls.of_tonic(found[1].upper() + (found[2] or "").replace("♯", "#").replace("♭", "b"), mode)

    @classmethod
    def of_tonic(cls, tonic: str, mode: str) -> Key:
        """The key of this mode on a tonic named like `F#`."""
        fifths = _FIFTHS[tonic[0]] + 7 * (tonic.count("#") - tonic.count("b"))
        return cls(fifths - (MODES[mode] * 7 + 5) % 12 + 5, mode)

    @classmethod
    def of_pitch_class(cls, tonic: int, mode: str) -> Key:
        """The key of this mode on a pitch class, in the spelling with the fewest accidentals."""
        fifths = (tonic - MODES[mode]) * 7 % 12
        return cls(fifths if fifths <= 6 else fifths - 12, mode)

    @property
    def tonic(self) -> int:
        """Pitch class of the tonic, C being 0."""
        return (self.fifths * 7 + MODES[self.mode]) % 12

    @property
    def tonic_name(self) -> str:
        """The tonic's letter and accidental, such as `F#`."""
        position = self.fifths + (MODES[self.mode] * 7 + 5) % 12 - 5 + 1
        sharps, letter = divmod(position, 7)
        return _LETTERS[letter] + ("#" * sharps if sharps > 0 else "b" * -sharps)

    def transposed(self, semitones: int) -> Key:
        """The same mode, moved up by `semitones`."""
        return self if semitones % 12 == 0 else Key.of_pitch_class((self.tonic + semitones) % 12, self.mode)

    def __str__(self) -> str:
        return f"{self.tonic_name} {self.mode}"


@dataclass(frozen=True, slots=True)
class Voice:
    """A line that sounds one note at a time.

    Attributes:
        notes: in order; none begins before the one ahead of it has ended.
        name: such as `Soprano`; may be empty.
        program: General MIDI instrument, 0-127, or None when the music does not say.
    """

    notes: tuple[Note, ...]
    name: str = ""
    program: int | None = None

    def overlap(self) -> Fraction | None:
        """Where a note begins while another sounds, or None."""
        end = Fraction(0)
        for note in self.notes:
            if note.onset < end:
                return note.onset
            end = note.end
        return None


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: bars are numbered from 1, a pickup being bar 0."""

    number: int
    onset: Fraction
    duration: Fraction
    metre: Metre


@dataclass(frozen=True)
class Score:
    """A piece.

    Attributes:
        voices: the lines, highest first where they have an order.
        metres: time signatures. An entry starts a bar, so an entry that repeats the metre marks a bar cut short.
        pickup: quarters before bar 1 (the anacrusis); 0 when the piece begins with a whole bar.
        keys: key signatures; empty when the music does not say.
        tempi: quarter notes per minute; empty when the music does not say.
        title: may be empty.
        composer: may be empty.
        duration: quarters; at least to the end of the last note, longer when rests follow it.
    """

    voices: tuple[Voice, ...]
    metres: Changes[Metre] = ((Fraction(0), Metre(4, 4)),)
    pickup: Fraction = Fraction(0)
    keys: Changes[Key] = ()
    tempi: Changes[float] = ()
    title: str = ""
    composer: str = ""
    duration: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        end = max((voice.notes[-1].end for voice in self.voices if voice.notes), default=Fraction(0))
        if end > self.duration:
            object.__setattr__(self, "duration", end)

    def bars(self) -> Iterator[Bar]:
        """Every bar, in order; the last may be longer than what sounds in it."""
        number, onset = 1, Fraction(0)
        if self.pickup:
            yield Bar(0, onset, self.pickup, self.metres[0][1])
            onset = self.pickup
        changes = list(self.metres[1:])
        metre = self.metres[0][1]
        while onset < self.duration:
            while changes and changes[0][0] <= onset:
                metre = changes.pop(0)[1]
            length = metre.quarters
            if changes:
                length = min(length, changes[0][0] - onset)
            yield Bar(number, onset, length, metre)
            number, onset = number + 1, onset + length

    def place(self, onset: Fraction) -> str:
        """Where in the music a time is, for a message: `bar 3, beat 2`."""
        bars = list(self.bars())
        if not bars:
            return "the beginning"
        bar = bars[max(0, bisect_right([b.onset for b in bars], onset) - 1)]
        # A pickup is the end of a bar, so its beats are counted back from the bar line.
        start = bar.onset + bar.duration - bar.metre.quarters if bar.number == 0 else bar.onset
        beat = 1 + (onset - start) / bar.metre.beat
        whole = int(beat)
        return f"bar {bar.number}, beat {whole}" + (f" {beat - whole}" if beat != whole else "")


def at(changes: Changes[T], onset: Fraction) -> T | None:
    """The value that holds at `onset`; the first one before it begins, None when there is none."""
    if not changes:
        return None
    return changes[max(0, bisect_right([start for start, _ in changes], onset) - 1)][1]

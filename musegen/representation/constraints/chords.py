"""Chord symbols, a progression laid over the bars, and how many of the notes are chord tones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.places import bars, beat_name, beats, fraction, pitch_class
from musegen.representation.roll import REST, Roll

_QUALITIES = {
    (0, 4, 7): ("", "maj", "M"),
    (0, 3, 7): ("m", "min"),
    (0, 4, 7, 10): ("7", "dom7"),
    (0, 4, 7, 11): ("maj7", "M7", "Δ", "Δ7"),
    (0, 3, 7, 10): ("m7", "min7"),
    (0, 3, 6): ("dim", "°"),
    (0, 3, 6, 9): ("dim7", "°7"),
    (0, 3, 6, 10): ("m7b5", "ø", "ø7"),
    (0, 4, 8): ("aug", "+"),
    (0, 2, 7): ("sus2",),
    (0, 5, 7): ("sus4", "sus"),
    (0, 4, 7, 9): ("6", "maj6"),
    (0, 3, 7, 9): ("m6", "min6"),
    (0, 2, 4, 7, 10): ("9",),
    (0, 2, 4, 7): ("add9",),
    (0, 7): ("5",),
}
QUALITIES = {name: degrees for degrees, names in _QUALITIES.items() for name in names}
"""What follows the root of a chord symbol -> semitones above the root."""


class Chord(NamedTuple):
    """The pitch classes of a chord, and its bass where the symbol has a slash."""

    tones: frozenset[int]
    bass: int | None = None


class Span(NamedTuple):
    """A chord, from a step up to another; its beats begin with its own first step."""

    start: int
    end: int
    beats: tuple[int, ...]
    chord: Chord


def chord(text: str) -> Chord | None:
    """Read a symbol such as `F#m7b5/E`; None when it is none. A bass counts as a tone of the chord."""
    found = re.fullmatch(r"([A-G][#b♯♭]?)([^/]*)(?:/([A-G][#b♯♭]?))?", text)
    if not found or found[2] not in QUALITIES:
        return None
    root, bass = pitch_class(found[1]) or 0, pitch_class(found[3]) if found[3] else None
    tones = {(root + degree) % 12 for degree in QUALITIES[found[2]]}
    return Chord(frozenset(tones if bass is None else tones | {bass}), bass)


@dataclass(frozen=True)
class Chords(Constraint):
    """A progression: `C G/B Am F`, one chord for each bar, or `C:2 G:2 Am:4`, with beats.

    `%` or `-` is the chord before it, `N.C.` none. A progression shorter than the piece begins again. On each beat of
    a chord what sounds is a tone of it; between beats anything may pass. A bass after a slash sounds in the lowest of
    several voices when its chord begins. A pickup is free.
    """

    kind = "chords"
    syntax = "chords such as 'C G/B Am F', one a bar, or 'C:2 G7:2', in beats; % repeats, N.C. leaves free"

    def parsed(self) -> list[tuple[Chord | None, Fraction | None]]:
        """Chords, None where there is none, with their length in beats, None for a bar."""
        progression: list[tuple[Chord | None, Fraction | None]] = []
        for word in self.text.replace("|", " ").replace(",", " ").split():
            symbol, colon, length = word.partition(":")
            lasts = fraction(length) if colon else None
            if colon and not lasts:
                raise self.wrong(f"{word!r} has no length in beats")
            if symbol in ("%", "-"):
                if not progression:
                    raise self.wrong(f"{symbol!r} repeats a chord, and there is none before it")
                read = progression[-1][0]
            elif symbol in ("N.C.", "NC", "N.C"):
                read = None
            elif (read := chord(symbol)) is None:
                raise self.wrong(f"{symbol!r} is no chord")
            progression.append((read, lasts))
        if not progression:
            raise self.wrong("there is no chord")
        if len({lasts is None for _, lasts in progression}) > 1:
            raise self.wrong("give beats to all chords or to none")
        return progression

    def spans(self, roll: Roll) -> list[Span]:
        """Where each chord of the progression lies in a piece.

        Raises:
            MusegenError: it is longer than the piece, or changes between two steps.
        """
        progression = self.parsed()
        whole = [bar for bar in bars(roll) if bar.number > 0]
        if progression[0][1] is None:
            if len(progression) > len(whole):
                raise MusegenError(
                    f"{self.describe()} has {len(progression)} chords, one a bar, and the piece {len(whole)} bars",
                    "Give beats, such as C:2, or ask for more bars.",
                )
            laid = [(progression[i % len(progression)][0], bar.start, bar.end) for i, bar in enumerate(whole)]
        else:
            laid = self._in_beats(roll)
        on_beats = np.array([step for bar in whole for step in beats(roll, bar)])
        return [
            Span(start, end, tuple(sorted({start, *on_beats[(on_beats >= start) & (on_beats < end)].tolist()})), read)
            for read, start, end in laid
            if read is not None
        ]

    def _in_beats(self, roll: Roll) -> list[tuple[Chord | None, int, int]]:
        """Chords with first and last steps, where lengths are given in beats."""
        progression, laid = self.parsed(), []
        # Where each stretch of equal beats begins, in beats from bar 1 on.
        stretches, total = [], Fraction(0)
        for bar in bars(roll):
            if bar.number > 0:
                beat = bar.metre.beat * roll.steps_per_quarter
                stretches.append((total, bar.start, beat))
                total += (bar.end - bar.start) / beat
        asked = sum((lasts for _, lasts in progression if lasts), Fraction(0))
        if asked > total:
            raise MusegenError(
                f"{self.describe()} lasts {beat_name(asked)} beats, and the piece {beat_name(total)}",
                "Leave chords out, or ask for more bars.",
            )
        now, number, step = Fraction(0), 0, stretches[0][1]
        while now < total:
            read, lasts = progression[number % len(progression)]
            now, number = min(total, now + (lasts or 0)), number + 1
            begin, start, beat = max(stretch for stretch in stretches if stretch[0] <= now)
            end = start + (now - begin) * beat
            if end.denominator != 1:
                raise MusegenError(
                    f"{self.describe()}: a chord ends between two of the model's steps", "Use longer beats."
                )
            laid.append((read, step, int(end)))
            step = int(end)
        return laid

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        classes, last = np.arange(REST) % 12, sheet.roll.voices - 1
        for span in self.spans(sheet.roll):
            heard = np.append(np.isin(classes, list(span.chord.tones)), True)
            for step in span.beats:
                for voice in range(sheet.roll.voices):
                    sheet.sound(step, voice, heard)
            if span.chord.bass is not None and last:
                sheet.sound(span.start, last, np.append(classes == span.chord.bass, False))


def chord_share(roll: Roll, chords: Chords) -> tuple[float, float]:
    """How far a piece keeps to a progression.

    Args:
        roll: all its voices count, those that were given, too.
        chords: the progression.

    Returns:
        The share of chord tones among what sounds on the beats, and among all that sounds under a chord; 1 where
        nothing does.
    """
    sounding = roll.sounding()
    hits = np.zeros(2, np.int64)
    total = np.zeros(2, np.int64)
    for span in chords.spans(roll):
        for i, steps in enumerate((list(span.beats), list(range(span.start, span.end)))):
            heard = sounding[steps][sounding[steps] < REST]
            hits[i] += np.isin(heard % 12, list(span.chord.tones)).sum()
            total[i] += heard.size
    on_beats, of_all = np.where(total > 0, hits / np.maximum(total, 1), 1.0).tolist()
    return on_beats, of_all

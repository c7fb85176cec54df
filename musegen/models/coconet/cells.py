"""A piece as Coconet reads it, before anything is hidden."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.models.minibach.melody import BELOW
from musegen.models.recall import STRAIN
from musegen.models.slices import MODE_NAMES, Flags, Frame, Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.keys import estimate_key
from musegen.representation.roll import REST, Roll
from musegen.score import Key

BEGINNING = 16
"""Quarters from the beginning that are told apart."""
MELODY_LAGS = (-8, -4, -2, -1, 1, 2, 4, 8)
"""Bars at which a melody is compared with itself; tunes repeat their strains."""


def above_c(tonic: Ints) -> Ints:
    """Semitones from the nearest C up to each tonic, -5 to 6."""
    return (tonic + 5) % 12 - 5


def candidates(vocabulary: Vocabulary) -> int:
    """Pitches when they are counted from the tonic."""
    return vocabulary.pitches + 2 * BELOW


def hidden_class(vocabulary: Vocabulary) -> int:
    """The class of a cell that is not shown."""
    return vocabulary.none + 1


def from_tonic(classes: Ints, tonic: Ints, vocabulary: Vocabulary) -> Ints:
    """Classes of the vocabulary -> the same counted from the tonic, `rest`, `hold` and the others after the pitches."""
    return np.where(classes < vocabulary.pitches, classes - above_c(tonic) + BELOW, classes + 2 * BELOW)


def lags(vocabulary: Vocabulary) -> tuple[int, ...]:
    """Bars at which a voice is compared with itself."""
    return MELODY_LAGS if vocabulary.voices == 1 else ()


@dataclass(frozen=True, eq=False)
class Cells:
    """A piece, or a passage of one, before anything is hidden.

    Attributes:
        event: (..., T, V) classes of the vocabulary; `none` where the piece is over.
        frame: (..., T, 6) rows of the tables of the frame: place in the bar for each metre apart, tonic, mode, quarters
            from the beginning and to the end, for melodies the place in the strain.
        apart: (..., T, G) the step as far off as each lag, or -1 where it lies outside.
    """

    event: Ints
    frame: Ints
    apart: Ints

    @classmethod
    def of(cls, roll: Roll, vocabulary: Vocabulary, known: Flags | None = None) -> Cells:
        """Read a roll.

        Args:
            roll: whose key is estimated where none is written.
            vocabulary: of the model.
            known: (steps, voices) the cells from which a key is estimated; all when not given.

        Raises:
            MusegenError: a pitch has no class.
        """
        v, frame, now = vocabulary, Frame.of(roll, vocabulary), np.arange(roll.steps)
        tonic, mode = frame.tonic, frame.mode
        if not roll.keys:
            key = _heard_key(roll, known)
            tonic, mode = np.full_like(tonic, key.tonic), np.full_like(mode, MODE_NAMES.index(key.mode))
        columns = [
            frame.metre * v.longest_bar + np.minimum(frame.position, v.longest_bar - 1),
            tonic,
            mode,
            np.minimum(now // v.steps_per_quarter, BEGINNING),
            frame.left,
            frame.bars_left % STRAIN if v.voices == 1 else np.zeros_like(now),
        ]
        there = now[:, None] + frame.bar_steps[:, None] * np.array(lags(v), np.int64)
        apart = np.where((there >= 0) & (there < roll.steps), there, -1)
        return cls(v.encode(roll.symbols), np.stack(columns, 1), apart)

    def passage(self, first: int, end: int) -> Cells:
        """A part of it, which knows nothing of the notes around it."""
        apart = self.apart[first:end] - first
        inside = (self.apart[first:end] >= first) & (apart < end - first)
        return Cells(self.event[first:end], self.frame[first:end], np.where(inside, apart, -1))


def _heard_key(roll: Roll, known: Flags | None) -> Key:
    """By the notes that are known, each as long as it sounds; C major when there are none."""
    sound = roll.sounding()
    pitches = sound[(sound < REST) if known is None else (sound < REST) & known]
    return estimate_key(np.bincount(pitches % 12, minlength=12).tolist()) if len(pitches) else Key(0)


def dilations(vocabulary: Vocabulary, layers: int) -> list[int]:
    """How far each layer looks to either side, in steps: 1, the parts of a quarter, then doubled up to eight quarters.

    After the furthest they begin again.
    """
    quarter, cycle = vocabulary.steps_per_quarter, [1]
    for prime in (2, 3, 5, 7):
        while quarter % (cycle[-1] * prime) == 0:
            cycle.append(cycle[-1] * prime)
    if cycle[-1] != quarter:
        cycle.append(quarter)
    cycle += [2 * quarter, 4 * quarter, 8 * quarter]
    return [cycle[layer % len(cycle)] for layer in range(layers)]

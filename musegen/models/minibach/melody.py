"""What MiniBach sees of a melody around each of its steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.models.slices import MODE_NAMES, Frame, Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.keys import estimate_key
from musegen.representation.roll import REST, Roll, sounding
from musegen.score import Key

BELOW = 6
"""Pitches beyond the vocabulary's, either way, that may be needed when they are counted from the tonic."""
OCTAVE = 12
NOTES = 4
"""Notes before and after the present one that are seen with their lengths."""
LONGEST = 16
"""Lengths in steps are told apart up to so many."""
FROM_BEGINNING, TO_END = 32, 64
"""Steps from the beginning and to the end that are told apart."""


def key_of(roll: Roll) -> Key:
    """The first key of a piece, estimated from the first voice when there is none; C major when nothing sounds."""
    if roll.keys:
        return roll.keys[0][1]
    sound = sounding(roll.symbols[:, :1])
    pitches = sound[sound < REST]
    return estimate_key(np.bincount(pitches % 12, minlength=12).tolist()) if len(pitches) else Key(0)


def above_c(key: Key) -> int:
    """Semitones from the nearest C up to the tonic, -5 to 6."""
    return (key.tonic + 5) % 12 - 5


def from_tonic(classes: Ints, tonic: int, vocabulary: Vocabulary) -> Ints:
    """Classes of the vocabulary -> classes counted from the tonic.

    There are `BELOW` more pitches below and above, and `rest`, `hold` and `none` follow them.
    """
    pitch = classes < vocabulary.pitches
    return np.where(pitch, classes - tonic + BELOW, classes + 2 * BELOW)


def taps(steps_per_quarter: int, window: int) -> list[int]:
    """At which distances in steps the melody is seen, the finer the nearer.

    Every step within two quarters, every half quarter within four, every quarter as far as half the window goes.
    """
    quarter, half = steps_per_quarter, window * steps_per_quarter // 2
    rings = ((2 * quarter, 1), (4 * quarter, max(1, quarter // 2)), (half, quarter))
    near = {step for reach, every in rings for step in range(0, min(reach, half) + 1, every)}
    return sorted(near | {-step for step in near})


def tables(vocabulary: Vocabulary) -> list[int]:
    """How many values each fact of `Melody.facts` may have, before they are put one after another."""
    v = vocabulary
    from_tonic_classes = v.none + 2 * BELOW + 1
    lengths = LONGEST + 2  # of which one is for a note that is not there
    alone = [v.longest_bar * (len(v.metres) + 1), 12, len(MODE_NAMES), v.classes, (LONGEST + 1) ** 2, LONGEST + 1]
    return [*alone, FROM_BEGINNING + 1, TO_END + 1, *[from_tonic_classes, lengths] * (2 * NOTES)]


def candidates(vocabulary: Vocabulary) -> int:
    """Pitches counted from the tonic, and also intervals below the melody that are told apart."""
    return vocabulary.pitches + 2 * BELOW


def intervals(heard: Ints, vocabulary: Vocabulary) -> Ints:
    """(steps,) what sounds from the tonic -> `Melody.below`. The first interval is an octave above the melody."""
    count = candidates(vocabulary)
    below = heard[:, None] - np.arange(count) + OCTAVE
    told = (below >= 0) & (below < count) & (heard < count)[:, None]
    return np.where(told, below, count)


@dataclass(frozen=True, eq=False)
class Melody:
    """A melody as it is read, step by step.

    Attributes:
        tonic: from the nearest C.
        line: (steps, 2) what begins and what sounds, counted from the tonic.
        facts: (steps, F) rows of the table of facts: the place in the bar, for each metre apart; tonic and mode; what
            sounds, as the voice has it; how long the note lasts and has lasted, and how long it still will; the steps
            from the beginning and to the end; the notes before and after, counted from the tonic, and their lengths.
        below: (steps, candidates) which interval below the melody each pitch counted from the tonic lies; the number of
            intervals where it lies further off, or where the melody is silent.
    """

    tonic: int
    line: Ints
    facts: Ints
    below: Ints

    @classmethod
    def of(cls, roll: Roll, vocabulary: Vocabulary) -> Melody:
        """Read the first voice of a roll; the others play no part.

        Raises:
            MusegenError: a pitch has no class.
        """
        v, steps, key = vocabulary, roll.steps, key_of(roll)
        tonic, now = above_c(key), np.arange(steps)
        event = v.encode(roll.symbols[:, 0])
        heard = v.encode(sounding(roll.symbols[:, :1])[:, 0])
        # Silence is written on each of its steps, and is one long rest.
        silent = heard == v.rest
        begins = (event != v.hold) & ~(silent & np.concatenate([[False], silent[:-1]]))
        begins[:1] = True  # also where a passage begins in the midst of a note
        first = np.flatnonzero(begins)
        lengths = np.diff(np.append(first, steps))
        note = np.cumsum(begins) - 1
        since, left = now - first[note], (first + lengths)[note] - now
        frame = Frame.of(roll, v)
        facts = [
            frame.metre * v.longest_bar + np.minimum(frame.position, v.longest_bar - 1),
            np.full(steps, key.tonic),
            np.full(steps, MODE_NAMES.index(key.mode)),
            heard,
            np.minimum(lengths[note], LONGEST) * (LONGEST + 1) + np.minimum(since, LONGEST),
            np.minimum(left, LONGEST),
            np.minimum(now, FROM_BEGINNING),
            np.minimum(steps - now, TO_END),
        ]
        beyond = np.full(NOTES, v.none + 2 * BELOW)
        pitches = np.concatenate([beyond, from_tonic(heard[first], tonic, v), beyond])
        unknown = np.full(NOTES, LONGEST + 1)
        lasting = np.concatenate([unknown, np.minimum(lengths, LONGEST), unknown])
        for distance in (*range(-NOTES, 0), *range(1, NOTES + 1)):
            facts += [pitches[note + NOTES + distance], lasting[note + NOTES + distance]]
        offsets = np.cumsum([0, *tables(v)[:-1]])
        line = np.stack([from_tonic(event, tonic, v), from_tonic(heard, tonic, v)], 1)
        return cls(tonic, line, np.stack(facts, 1) + offsets, intervals(line[:, 1], v))

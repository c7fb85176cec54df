"""How a candidate note stands to what is known: constant index maps shared by the heads in torch and in numpy.

A network that sees pitches as unrelated names cannot see that two voices move alike, which is why most write parallel
fifths 25 times as often as Bach. Here each candidate is also looked up by its interval to the voice drawn before it, by
how the two stood a moment ago and by how each moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musegen.models.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from musegen.models.slices import Ints

SILENT, HELD, REPEATED, FELL, ROSE, ENTERED = range(6)
"""How a voice came to where it is."""
MOTIONS = 6
INTERVALS = 13
"""Semitones within the octave, and one for no interval at all."""
REACH = 48
"""The largest distance in semitones, either way, that is told apart."""
DISTANCES = 2 * REACH + 2
"""Distances from -REACH to REACH, and one for none."""
DEGREES = 13
"""Degrees of the scale in semitones above the tonic, and one for none."""
BOOSTED = ("harmony", "spacing", "leap", "degree", "run_gate", "strain_gate", "left_gate", "ending", "tally", "compass")
BOOST = 8.0
"""By how much these tables are multiplied before they count. Adam moves every parameter by as much in a step; an entry
of a table, which is looked up now and then and may have to forbid something, needs to go further."""
CIRCLE = (np.arange(12)[:, None] + np.arange(12)) % 12
"""(12, 12) pitch classes, as each of them counts them from itself upwards."""
AROUND = np.concatenate([(np.arange(12)[:, None] - np.arange(12)) % 12, np.full((1, 12), 12)])
"""(13, 12): a pitch class, 12 for none, as each pitch class counts it from itself upwards."""
CHORD_UNITS = 64
"""Hidden units of the chord heads."""
TURNS = 5
"""How a candidate leaves its own voice's last note: down, repeated, up, out of silence, held."""


def drawing_order(voices: int) -> tuple[int, ...]:
    """The outer voices first, then those between them from the top: soprano, bass, alto, tenor."""
    return (0,) if voices == 1 else (0, voices - 1, *range(1, voices - 1))


def motion_map(v: Vocabulary) -> Ints:
    """(pitches + 1, classes): what sounded before and the event -> motion."""
    before, event = np.arange(v.pitches + 1)[:, None], np.arange(v.classes)[None, :]
    motion = np.where(event < before, FELL, np.where(event > before, ROSE, REPEATED))
    motion = np.where(before == v.rest, ENTERED, motion)
    motion = np.where(event == v.hold, np.where(before == v.rest, SILENT, HELD), motion)
    return np.where(event == v.rest, SILENT, motion).astype(np.int64)


def after_map(v: Vocabulary) -> Ints:
    """(pitches + 1, classes): what sounded before and the event -> what sounds then."""
    before, event = np.arange(v.pitches + 1)[:, None], np.arange(v.classes)[None, :]
    return np.where(event == v.hold, before, event).astype(np.int64)


def interval_map(v: Vocabulary) -> Ints:
    """(pitches + 1, pitches + 1): two sounding classes -> their interval within the octave."""
    upper, lower = np.arange(v.pitches + 1)[:, None], np.arange(v.pitches + 1)[None, :]
    silent = (upper == v.rest) | (lower == v.rest)
    return np.where(silent, INTERVALS - 1, (upper - lower) % 12).astype(np.int64)


def _candidates(v: Vocabulary) -> tuple[Ints, NDArray[np.bool_]]:
    """(pitches + 1, classes): by what sounded before, the pitch each candidate would sound, and whether it sounds."""
    before, event = np.arange(v.pitches + 1)[:, None], np.arange(v.classes)[None, :]
    pitch = np.where(event == v.hold, before, event)
    return pitch, (pitch < v.pitches) & (event != v.rest)


def harmony_map(v: Vocabulary) -> Ints:
    """(pitches + 1, pitches + 1, classes): by the other voice's sound and one's own before -> interval and turn.

    Entries are `interval * TURNS + turn`; `INTERVALS * TURNS` where there is nothing to compare.
    """
    pitch, sounds = _candidates(v)
    before, event = np.arange(v.pitches + 1)[:, None], np.arange(v.classes)[None, :]
    turn = np.where(event < before, 0, np.where(event > before, 2, 1))
    turn = np.where(before == v.rest, 3, turn)
    turn = np.where(event == v.hold, 4, turn)
    other = np.arange(v.pitches + 1)[:, None, None]
    interval = np.where(other == v.rest, INTERVALS - 1, (pitch - other) % 12)
    return np.where(sounds, interval * TURNS + turn, INTERVALS * TURNS).astype(np.int64)


def spacing_map(v: Vocabulary) -> Ints:
    """(pitches + 1, pitches + 1, classes): by the other voice's sound and one's own before -> distance."""
    pitch, sounds = _candidates(v)
    other = np.arange(v.pitches + 1)[:, None, None]
    distance = np.clip(pitch - other, -REACH, REACH) + REACH
    return np.where(sounds & (other != v.rest), distance, DISTANCES - 1).astype(np.int64)


def leap_map(v: Vocabulary) -> Ints:
    """(pitches + 1, classes): what sounded before and the candidate -> distance; none for holds and rests."""
    before, event = np.arange(v.pitches + 1)[:, None], np.arange(v.classes)[None, :]
    distance = np.clip(event - before, -REACH, REACH) + REACH
    return np.where((event < v.pitches) & (before != v.rest), distance, DISTANCES - 1).astype(np.int64)


def degree_map(v: Vocabulary) -> Ints:
    """(13, classes): tonic (12 when unknown) and candidate -> degree of the scale in semitones; 12 for none."""
    tonic, event = np.arange(13)[:, None], np.arange(v.classes)[None, :]
    return np.where((tonic < 12) & (event < v.pitches), (event + v.low - tonic) % 12, 12).astype(np.int64)


def pitch_class_map(v: Vocabulary) -> Ints:
    """(classes,): candidate -> pitch class; 12 for none."""
    event = np.arange(v.classes)
    return np.where(event < v.pitches, (event + v.low) % 12, 12).astype(np.int64)


def sound_class_map(v: Vocabulary) -> Ints:
    """(pitches + 1,): what sounds -> pitch class; 12 for silence."""
    return pitch_class_map(v)[: v.pitches + 1]

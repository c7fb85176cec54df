"""What a harmony teacher counts: parallels, chords, crossings, note lengths, endings. For two voices or more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musegen.evaluation.notes import Ints, Measures, Notes, Share
from musegen.representation.roll import REST, Roll

TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
"""Major, minor, diminished, augmented."""
DISSONANT = (1, 2, 6, 10, 11)
"""Semitones mod 12; a fourth (5) is none of them."""
LENGTHS = {"sixteenths": 0.25, "eighths": 0.5, "quarters": 1.0, "dotted quarters": 1.5, "halves": 2.0}
"""Quarters of the notes that are counted by length."""

FIFTHS, OCTAVES = "parallel fifths per 1000", "parallel octaves per 1000"
TONIC, FINAL = "bass ends on the tonic", "ends with a triad"
ENDINGS = (TONIC, FINAL)
"""What cannot be said of a piece that was cut."""


def measure(roll: Roll) -> Measures:
    """Statistics of one piece; those that need more voices, or a key, are left out where there is none.

    Parallels, triads, dissonances and crossings are pooled over a set: all parallels through all pairs of voices that
    moved together. Notes held and notes struck again are alike to all of them, except the lengths.
    """
    pitches = roll.sounding().astype(np.int64)
    found: Measures = {}
    if roll.voices > 1:
        found |= parallels(pitches) | harmony(pitches)
    return found | {"pitch-class entropy, bits": entropy(pitches)} | lengths(roll) | endings(roll, pitches)


def parallels(pitches: Ints) -> Measures:
    """Fifths and octaves that two voices take in the same direction, per 1000 pairs that move together.

    Two voices move together when both change pitch from one step to the next, sounding on both. They are parallel when
    they move in the same direction and stand a fifth (7 mod 12), or an octave or unison (0 mod 12), before and after.

    Args:
        pitches: (steps, voices) that sound, `REST` for none.
    """
    above, below = np.triu_indices(pitches.shape[1], 1)
    sounds = pitches < REST
    move = np.diff(pitches, axis=0)
    moves = sounds[1:] & sounds[:-1] & (move != 0)
    together = moves[:, above] & moves[:, below]
    interval = (pitches[:, above] - pitches[:, below]) % 12
    alike = together & (np.sign(move[:, above]) == np.sign(move[:, below])) & (interval[1:] == interval[:-1])
    pairs = float(together.sum())
    return {
        FIFTHS: Share(1000.0 * float((alike & (interval[1:] == 7)).sum()), pairs),
        OCTAVES: Share(1000.0 * float((alike & (interval[1:] == 0)).sum()), pairs),
    }


def harmony(pitches: Ints) -> Measures:
    """Chords step by step.

    Triads: among the steps with three or more voices, those whose pitch classes are the three of one triad. Dissonant
    pairs: among all pairs that sound at once. Crossed: among the pairs of neighbouring voices that sound at once, those
    whose upper voice is the lower one; unisons are none. (Of steps, 2.4 % have a crossing in Bach's chorales, of pairs
    0.8 %; the figures in the project's benchmarks are of pairs.)

    Args:
        pitches: (steps, voices) that sound, `REST` for none.
    """
    sounds = pitches < REST
    count = sounds.sum(axis=1)
    above, below = np.triu_indices(pitches.shape[1], 1)
    both = sounds[:, above] & sounds[:, below]
    interval = pitches[:, above] - pitches[:, below]
    found = {}
    if pitches.shape[1] > 2:
        found["triads"] = Share(float((is_triad(pitches) & (count > 2)).sum()), float((count > 2).sum()))
    found["dissonant pairs"] = Share(float((both & np.isin(interval % 12, DISSONANT)).sum()), float(both.sum()))
    next_to = both[:, below == above + 1]
    crossed = next_to & (interval[:, below == above + 1] < 0)
    found["voices crossed"] = Share(float(crossed.sum()), float(next_to.sum()))
    return found


def is_triad(pitches: Ints) -> NDArray[np.bool_]:
    """(steps,) whether the pitch classes that sound are the three of one triad."""
    bits = np.where(pitches < REST, 1 << (pitches % 12), 0)
    return np.asarray(_IS_TRIAD[np.bitwise_or.reduce(bits, axis=1)])


def entropy(pitches: Ints) -> Share:
    """Entropy in bits of the pitch classes of a piece, each counted as long as it sounds; the mean over pieces.

    Counted by steps and voices, not by notes, it does not depend on which notes are struck again.

    Args:
        pitches: (steps, voices) that sound, `REST` for none.
    """
    counts = np.bincount(pitches[pitches < REST] % 12, minlength=12)
    return Share(bits(counts), 1.0) if counts.any() else Share(0.0, 0.0)


def bits(counts: Ints) -> float:
    """Shannon's entropy of counts, in bits; 0 when there are none."""
    shares = counts[counts > 0] / max(1, counts.sum())
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def lengths(roll: Roll) -> Measures:
    """How long notes are: the share of each usual length among all notes of all voices, and the mean in quarters."""
    length = Notes.of(roll).length / roll.steps_per_quarter
    count = float(len(length))
    found = {f"notes: {name}": Share(float((length == quarters).sum()), count) for name, quarters in LENGTHS.items()}
    found["notes: other lengths"] = Share(float((~np.isin(length, list(LENGTHS.values()))).sum()), count)
    return found | {"mean note length, quarters": Share(float(length.sum()), count)}


def endings(roll: Roll, pitches: Ints) -> Measures:
    """Whether the last pitch of the lowest voice is the tonic, and whether the last chord is a triad.

    Args:
        roll: its last key decides; without one, or of one voice (see `tunes`), nothing is said of the tonic.
        pitches: (steps, voices) that sound, `REST` for none.
    """
    sounds = pitches < REST
    found = {}
    bass = pitches[sounds[:, -1], -1]
    if roll.voices > 1 and roll.keys and len(bass):
        found[TONIC] = Share(float(bass[-1] % 12 == roll.keys[-1][1].tonic))
    some = np.flatnonzero(sounds.any(axis=1))
    if roll.voices > 2 and len(some):
        found[FINAL] = Share(float(is_triad(pitches[some[-1:]])[0]))
    return found


_IS_TRIAD = np.zeros(4096, bool)
_IS_TRIAD[[sum(1 << (root + note) % 12 for note in triad) for root in range(12) for triad in TRIADS]] = True

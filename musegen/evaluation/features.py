"""Features of single pieces that the literature compares sets by: MGEval's nine, and MusPy's.

L.-C. Yang and A. Lerch, "On the evaluation of generative models in music", Neural Computing and Applications 32, 2020.
https://doi.org/10.1007/s00521-018-3849-7
H.-W. Dong, K. Chen, J. McAuley and T. Berg-Kirkpatrick, "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020.
https://arxiv.org/abs/2008.01951
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from musegen.evaluation.chorales import bits
from musegen.evaluation.notes import Ints, Measures, Notes, Share, whole_bars
from musegen.representation.roll import REST, Roll

Floats = NDArray[np.float64]

LENGTHS = (4.0, 2.0, 1.0, 0.5, 0.25, 3.0, 1.5, 0.75, 0.375, 4 / 3, 2 / 3, 1 / 3)
"""Quarters: whole to sixteenth, the same dotted from the half on, triplet half to triplet eighth."""
_SCALE = np.array([1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1])


def mgeval(roll: Roll) -> dict[str, Floats]:
    """The nine features of Yang and Lerch that need no bars.

    - pitch count: how many different pitches, (1,).
    - pitch-class histogram: how long each pitch class sounds, as shares, (12,).
    - pitch-class transitions: how often a note of one is followed by a note of another, no rest between, as shares of
      all, (144,), row by row.
    - pitch range: semitones from the lowest to the highest note, (1,).
    - mean pitch step: mean absolute interval from note to note in semitones, (1,).
    - note count, (1,).
    - mean inter-onset interval: mean time between successive onsets, in quarters, (1,).
    - note-length histogram: share of each of `LENGTHS`, a note counting for the nearest, (12,).
    - note-length transitions: from note to note, as shares of all, (144,).

    Where this departs from the code of 2018: (1) That reads the first track or the second; here all voices count, and
    "note to note" is within each voice. Of one voice both are the same. The inter-onset interval is over the onsets of
    all voices together, as there: chords add zeros. (2) Times are in quarters, not in seconds: at a tempo of 120 the
    interval is twice theirs. (3) Both transition matrices are shares, where theirs are counts unless asked otherwise:
    distances do not grow with length. (4) Note lengths are those of 4/4 in any metre; theirs are parts of the bar, so
    that in 3/4 a quarter is counted as a triplet half. In 4/4 both are the same.

    A piece without notes has zeros.
    """
    notes = Notes.of(roll)
    count = len(notes.pitch)
    classes = notes.pitch % 12
    quarters = notes.length / roll.steps_per_quarter
    kinds = np.abs(quarters[:, None] - np.array(LENGTHS)).argmin(axis=1)
    onsets = np.sort(notes.onset)
    gap = (onsets[-1] - onsets[0]) / (count - 1) / roll.steps_per_quarter if count > 1 else 0.0
    step = float(np.abs(notes.intervals).mean()) if len(notes.intervals) else 0.0
    scalars = {
        "pitch count": len(np.unique(notes.pitch)),
        "pitch range": np.ptp(notes.pitch) if count else 0,
        "mean pitch step": step,
        "note count": count,
        "mean inter-onset interval": gap,
    }
    return {name: np.array([value], np.float64) for name, value in scalars.items()} | {
        "pitch-class histogram": _shares(classes, 12, notes.length),
        "pitch-class transitions": transitions(classes, notes.touching, 12),
        "note-length histogram": _shares(kinds, len(LENGTHS)),
        "note-length transitions": transitions(kinds, notes.neighbours, len(LENGTHS)),
    }


def muspy(roll: Roll) -> Measures:
    """The measures of MusPy that are no drum's.

    - scale consistency: the share of notes in the major or natural minor scale that has most (Mogren 2016).
    - pitch entropy, pitch-class entropy: of the notes, each counted once, in bits (Wu and Yang 2020). The latter is not
      that of `chorales.entropy`, which counts notes by their length.
    - groove consistency: 1 less the mean share of steps in which two neighbouring bars differ in whether a note begins
      (Wu and Yang 2020). It rises with the resolution of the grid, as there.
    - empty bars: the share of bars in which nothing sounds (Dong et al. 2018).
    - polyphony: the mean number of pitches that sound, of the steps in which any does.
    - polyphony rate: the share of steps in which two pitches or more sound.

    Each is a mean over the pieces of a set. Where this departs from MusPy 0.5: (1) It counts one bar more, an empty one
    when a piece ends with a bar line; with B bars its empty bars are 1/(B + 1) more, and its groove consistency takes
    in one comparison with silence. (2) It counts bars from the first step, here a pickup is no bar, and bars of unequal
    length are not compared. (3) Its polyphony rate counts steps with three pitches or more, though its text says
    "multiple": of two voices it is 0, ours up to 1; of four voices ours is higher by the share of steps with just two.
    """
    notes = Notes.of(roll)
    if not len(notes.pitch):
        return {}
    classes = np.bincount(notes.pitch % 12, minlength=12)
    sounding = roll.sounding().astype(np.int64)
    ordered = np.sort(sounding, axis=1)
    different = np.diff(ordered, axis=1, prepend=-1) > 0
    pitches = (different & (ordered < REST)).sum(axis=1)
    return {
        "scale consistency": Share(float((_SCALES @ classes).max() / classes.sum())),
        "pitch entropy, bits": Share(bits(np.bincount(notes.pitch))),
        "pitch-class entropy of notes, bits": Share(bits(classes)),
        **_bars(roll, notes, pitches),
        "polyphony": Share(float(pitches.sum() / (pitches > 0).sum())),
        "polyphony rate": Share(float((pitches > 1).mean())),
    }


def transitions(kinds: Ints, follows: NDArray[np.bool_], size: int) -> Floats:
    """How often each kind of note is followed by each, as shares of all: (size * size,), zeros when none is.

    Args:
        kinds: (n,) from 0 to `size` - 1.
        follows: (n - 1,) whether a note is followed by the next.
        size: how many kinds there are.
    """
    return _shares((kinds[:-1] * size + kinds[1:])[follows], size * size)


def _bars(roll: Roll, notes: Notes, pitches: Ints) -> Measures:
    """Groove consistency and empty bars.

    Args:
        roll: the piece.
        notes: its notes.
        pitches: (steps,) how many sound.
    """
    bars = whole_bars(roll)
    if not bars:
        return {}
    struck = np.zeros(roll.steps, bool)
    struck[notes.onset] = True
    differing = [
        np.mean(struck[one.first : one.end] != struck[two.first : two.end])
        for one, two in pairwise(bars)
        if one.steps == two.steps
    ]
    found = {"groove consistency": Share(1.0 - float(np.mean(differing)))} if differing else {}
    empty = [not pitches[bar.first : bar.end].any() for bar in bars]
    return found | {"empty bars": Share(float(np.mean(empty)))}


def _shares(values: Ints, size: int, weights: Ints | None = None) -> Floats:
    """(size,) how often each value occurs, or its weight, as shares of all; zeros when there is none."""
    counts = np.bincount(values, weights, minlength=size).astype(np.float64)
    total = float(counts.sum())
    return counts / total if total else counts


_SCALES = np.stack([np.roll(_SCALE, root) for root in range(12)])
"""(12, 12): the major scales, which are the natural minor ones too."""

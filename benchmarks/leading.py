"""Faults of voice leading, counted by the rules of a harmony class, per bar of music."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen.evaluation.chorales import FIFTHS, OCTAVES, parallels
from musegen.evaluation.notes import Notes
from musegen.representation.roll import REST, Roll

OCTAVE = 12


def faults(roll: Roll) -> dict[str, int]:
    """How many of each kind a piece has; those of neighbouring voices but for the parallels, which are of any two.

    Parallels: see `evaluation.chorales`. A crossing begins where an upper voice comes to lie below its lower neighbour.
    An overlap: a voice moves beyond where its neighbour sounded the step before, without crossing it now. A leap: more
    than an octave from one note of a voice to the next, rests between them or not.
    """
    pitches = roll.sounding().astype(np.int64)
    found = parallels(pitches)
    sounds = pitches < REST
    both = sounds[:, :-1] & sounds[:, 1:]
    crossed = both & (pitches[:, :-1] < pitches[:, 1:])
    before = np.concatenate([np.zeros_like(crossed[:1]), crossed[:-1]])
    upper, lower = pitches[:, :-1], pitches[:, 1:]
    whole = both[1:] & both[:-1]
    beyond = (upper[1:] < lower[:-1]) & (upper[1:] != upper[:-1]) | (lower[1:] > upper[:-1]) & (lower[1:] != lower[:-1])
    overlaps = whole & beyond & ~crossed[1:] & ~crossed[:-1]
    return {
        "parallel fifths": round(found[FIFTHS].total / 1000),
        "parallel octaves": round(found[OCTAVES].total / 1000),
        "crossings": int((crossed & ~before).sum()),
        "overlaps": int(overlaps.sum()),
        "leaps beyond an octave": int((np.abs(Notes.of(roll).intervals) > OCTAVE).sum()),
    }


def bars_of(roll: Roll) -> float:
    """How many bars a piece lasts, parts of bars included."""
    ends = [start for start, _ in roll.metres[1:]] + [roll.steps]
    return sum(
        (end - start) / roll.steps_per_quarter / float(metre.quarters)
        for (start, metre), end in zip(roll.metres, ends, strict=True)
    )


def per_bar(rolls: Sequence[Roll]) -> dict[str, float]:
    """Faults of all pieces through their bars."""
    bars, counted = sum(bars_of(roll) for roll in rolls), [faults(roll) for roll in rolls]
    return {f"{name} per bar": sum(each[name] for each in counted) / bars for name in counted[0]}

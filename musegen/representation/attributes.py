"""What a piece is like, in a few numbers: how high, how wide, how fast, how jumpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from musegen.representation.roll import REST, Roll
from musegen.score import MODES, Key


def pitch(roll: Roll) -> float:
    """Mean MIDI pitch of all notes; 60 for silence."""
    onsets = roll.symbols[roll.symbols < REST]
    return float(onsets.mean()) if len(onsets) else 60.0


def compass(roll: Roll) -> float:
    """Semitones from the lowest to the highest note, the mean over the voices; 0 for silence."""
    spans = [np.ptp(notes.astype(int)) for voice in roll.symbols.T if len(notes := voice[voice < REST])]
    return float(np.mean(spans)) if spans else 0.0


def note_length(roll: Roll) -> float:
    """Mean quarters that a note sounds; 0 for silence."""
    notes, sounding = int((roll.symbols < REST).sum()), int((roll.sounding() != REST).sum())
    return sounding / max(1, notes) / roll.steps_per_quarter


def note_density(roll: Roll) -> float:
    """Notes that begin in a quarter, for each voice."""
    return float((roll.symbols < REST).mean()) * roll.steps_per_quarter if roll.symbols.size else 0.0


def leap(roll: Roll) -> float:
    """Mean semitones between neighbouring notes of a voice, up or down; 0 where no voice has two."""
    leaps = np.concatenate([np.abs(np.diff(voice[voice < REST].astype(int))) for voice in roll.symbols.T])
    return float(leaps.mean()) if len(leaps) else 0.0


ATTRIBUTES: dict[str, Callable[[Roll], float]] = {
    "pitch": pitch,
    "range": compass,
    "note length": note_length,
    "note density": note_density,
    "leap": leap,
}
"""By the names that the command line uses."""


def attributes(roll: Roll) -> dict[str, float]:
    """All of them."""
    return {name: measure(roll) for name, measure in ATTRIBUTES.items()}


def major_third(key: Key) -> bool:
    """Whether the third over a key's tonic is major, as in lydian and mixolydian; not in minor, dorian and phrygian."""
    return MODES[key.mode] in (0, 5, 7)

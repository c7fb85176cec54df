"""The same music higher or lower: training data several times over, since a style does not hang on one key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.automaton import Automaton, Flags, Rule
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template

Ranges = Sequence[tuple[int, int]]
"""Lowest and highest MIDI pitch of each voice."""


def transposed(roll: Roll, semitones: int) -> Roll:
    """Move every note, and the keys with them.

    Args:
        roll: stays as it is.
        semitones: up; below 0 is down.

    Raises:
        MusegenError: a pitch would leave 0-127.
    """
    notes = roll.symbols < REST
    moved = np.where(notes, roll.symbols.astype(np.int64) + semitones, roll.symbols)
    outside = notes & ((moved < 0) | (moved >= REST))
    if outside.any():
        pitch = int(roll.symbols[outside][0])
        raise MusegenError(
            f"pitch {pitch} moved by {semitones:+d} semitones leaves the MIDI pitches 0 to 127", "Transpose by less."
        )
    keys = tuple((step, key.transposed(semitones)) for step, key in roll.keys)
    return replace(roll, symbols=moved.astype(np.uint8), keys=keys)


def moved(template: Template, semitones: int) -> Template:
    """Move what is fixed in a template and what is asked of it.

    Args:
        template: stays as it is.
        semitones: up; below 0 is down.

    Raises:
        MusegenError: a fixed pitch would leave 0-127.
    """
    if not semitones:
        return template

    def shifted(limits: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        if limits is None:
            return None
        pitches = np.arange(REST) - semitones
        known = (pitches >= 0) & (pitches < REST)
        found = limits.copy()
        found[..., :REST] = limits[..., np.clip(pitches, 0, REST - 1)] & known
        return found

    return replace(
        template,
        roll=transposed(template.roll, semitones),
        allowed=shifted(template.allowed),
        sounding=shifted(template.sounding),
        rules=tuple(_Moved(rule, semitones) for rule in template.rules),
    )


@dataclass(frozen=True)
class _Moved:
    """A rule on music that is so many semitones higher."""

    rule: Rule
    semitones: int

    @property
    def voice(self) -> int:
        """From 0."""
        return self.rule.voice

    @property
    def counts(self) -> bool:
        """See `Rule`."""
        return self.rule.counts

    def automaton(self, low: int, pitches: int) -> Automaton:
        """See `Rule`."""
        return self.rule.automaton(low - self.semitones, pitches)

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """See `Rule`."""
        return self.rule.broken(transposed(roll, -self.semitones), is_open)


def ranges(rolls: Iterable[Roll]) -> tuple[tuple[int, int], ...]:
    """Lowest and highest pitch of each voice in all the rolls, which have the same voices.

    A voice without a note in any of them is given all pitches, 0 to 127.
    """
    lowest, highest = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for roll in rolls:
        low, high = _extent(roll)
        lowest = np.minimum(lowest, low) if lowest.size else low
        highest = np.maximum(highest, high) if highest.size else high
    return tuple(
        (low, high) if low <= high else (0, REST - 1)
        for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
    )


def room(roll: Roll, within: Ranges) -> range:
    """The transpositions that keep every voice inside its range.

    Args:
        roll: with as many voices as `within`.
        within: see `ranges`; a roll of the corpus it came from has 0 among its transpositions.

    Returns:
        Semitones; empty when some voice's compass is wider than its range, or no move suits all voices. A roll
        without notes has only 0.
    """
    low, high = _extent(roll)
    voices = [i for i in range(roll.voices) if low[i] <= high[i]]
    if not voices:
        return range(1)
    least = max(within[i][0] - int(low[i]) for i in voices)
    most = min(within[i][1] - int(high[i]) for i in voices)
    return range(least, max(least, most + 1))


def _extent(roll: Roll) -> tuple[np.ndarray, np.ndarray]:
    """(voices,) lowest and (voices,) highest pitches; 128 and -1 in a voice without notes."""
    notes = roll.symbols < REST
    low = np.where(notes, roll.symbols, REST).min(0, initial=REST)
    high = np.where(notes, roll.symbols.astype(np.int64), -1).max(0, initial=-1)
    return low.astype(np.int64), high

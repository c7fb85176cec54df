"""Rolls made by hand for the tests of statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen.evaluation.notes import Measures
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Key, Metre

C_MAJOR = ((0, Key(0)),)


def voice(pitches: Sequence[int | None], steps: int = 4) -> np.ndarray:
    """Notes of equal length, None being a rest."""
    symbols = np.full((len(pitches), steps), HOLD, np.uint8)
    for row, pitch in zip(symbols, pitches, strict=True):
        row[0] = REST if pitch is None else pitch
        if pitch is None:
            row[:] = REST
    return symbols.ravel()


def roll(*voices: Sequence[int | None], steps: int = 4, **frame: object) -> Roll:
    """Voices in notes of equal length, the highest first; quarters unless told otherwise."""
    return Roll(np.stack([voice(pitches, steps) for pitches in voices], axis=1), **frame)  # type: ignore[arg-type]


def struck_again(piece: Roll) -> Roll:
    """The same, every hold struck as a new note, as in corpora that know no holds."""
    return piece.with_symbols(piece.sounding())


def values(measures: Measures) -> dict[str, float | None]:
    """Each statistic of a piece alone."""
    return {label: share.value for label, share in measures.items()}


def random_pieces(count: int, seed: int, leaps: float = 0.0) -> list[Roll]:
    """Walks along the scale of C of four bars and four voices; `leaps` is how often a note goes anywhere."""
    generator = np.random.default_rng(seed)
    scale = [12 * octave + note for octave in range(3, 8) for note in (0, 2, 4, 5, 7, 9, 11)]
    pieces = []
    for _ in range(count):
        walk = np.cumsum(generator.integers(-1, 2, (32, 4)), axis=0) + np.array((24, 20, 16, 12))
        walk = np.where(generator.random(walk.shape) < leaps, generator.integers(8, 28, walk.shape), walk)
        pitches = np.array(scale)[np.clip(walk, 0, len(scale) - 1)]
        pieces.append(roll(*pitches.T.tolist(), steps=2, keys=C_MAJOR, metres=((0, Metre(4, 4)),)))
    return pieces

"""Counting: Witten-Bell interpolation over contexts from none to the longest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll, sounding
from musegen.representation.transposition import room, transposed

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LONGEST_RUN = 8
"""Steps that a note has lasted are told apart up to so many."""


@dataclass(frozen=True)
class Level:
    """What was counted in the contexts of one length.

    Attributes:
        contexts: (contexts,) sorted hashes.
        total: (contexts,) how often each was seen.
        types: (contexts,) how many symbols followed it.
        pairs: (pairs,) sorted index of a context times classes, plus the symbol that followed, and
        times: (pairs,) how often.
    """

    contexts: NDArray[np.uint64]
    total: Ints
    types: Ints
    pairs: Ints
    times: Ints


class WittenBell:
    """p(symbol | context), each length of context interpolated with the next shorter one, down to even chances.

    A context of c events, T kinds of symbol among them, gives the shorter one the weight T / (c + T).

    Args:
        contexts: columns of features for each length of context, shortest first.
        classes: that a symbol may have.
    """

    def __init__(self, contexts: Sequence[Sequence[int]], classes: int) -> None:
        self.columns, self.classes = contexts, classes
        self.levels: list[Level] = []

    @property
    def parameters(self) -> int:
        """How many numbers it keeps."""
        return sum(len(level.pairs) for level in self.levels)

    def learn(self, features: Ints, symbols: Ints) -> WittenBell:
        """Count.

        Args:
            features: (events, columns).
            symbols: (events,).
        """
        for columns in self.columns:
            contexts, index = np.unique(_hashed(features[:, list(columns)]), return_inverse=True)
            pairs, times = np.unique(index * self.classes + symbols, return_counts=True)
            total = np.bincount(index, minlength=len(contexts))
            types = np.bincount(pairs // self.classes, minlength=len(contexts))
            self.levels.append(Level(contexts, total, types, pairs, times))
        return self

    def probabilities(self, features: Ints, symbols: Ints) -> Floats:
        """(events,) of symbols in their contexts."""
        found = np.full(len(symbols), 1 / self.classes)
        for columns, level in zip(self.columns, self.levels, strict=True):
            hashed = _hashed(features[:, list(columns)])
            context = np.minimum(np.searchsorted(level.contexts, hashed), len(level.contexts) - 1)
            total, types = level.total[context], level.types[context]
            pair = context * self.classes + symbols
            place = np.minimum(np.searchsorted(level.pairs, pair), len(level.pairs) - 1)
            times = np.where(level.pairs[place] == pair, level.times[place], 0)
            known = level.contexts[context] == hashed
            found = np.where(known, (times + types * found) / (total + types), found)
        return found


def _hashed(features: Ints) -> NDArray[np.uint64]:
    """(events, columns) -> (events,): equal rows are equal, others differ but for one chance in 2 ** 64 each."""
    code = np.full(len(features), 0x9E3779B97F4A7C15, np.uint64)
    for column in features.T:
        code = (code ^ column.astype(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
        code ^= code >> np.uint64(29)
    return code


def ngram(order: int, classes: int) -> WittenBell:
    """Of `order` symbols before."""
    return WittenBell([range(length) for length in range(order + 1)], classes)


def preceding(rolls: Iterable[Roll], vocabulary: Vocabulary, order: int) -> tuple[Ints, Ints]:
    """Melodies -> (steps, order) symbols before, the nearest first; and (steps,) symbols."""
    features, symbols = [], []
    for roll in rolls:
        line = vocabulary.encode(roll.symbols)[:, 0]
        padded = np.concatenate([np.full(order, vocabulary.none), line])
        columns = [padded[order - back : len(padded) - back] for back in range(order + 1)]
        features.append(np.stack(columns, 1)[:, 1:])
        symbols.append(line)
    return np.concatenate(features), np.concatenate(symbols)


def markov(classes: int) -> WittenBell:
    """Of `placed` chorales: the voice alone, then the pitch, the place in the beat and how long it has lasted."""
    return WittenBell([[], [0], [0, 1], [0, 1, 2], [0, 1, 2, 3]], classes)


def placed(rolls: Iterable[Roll], vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """Chorales -> (cells, 4) voice, pitch that sounds, steps since the beat, steps it has lasted; (cells,) symbols."""
    features, symbols = [], []
    for roll in rolls:
        steps, voices = roll.symbols.shape
        nothing = np.full((1, voices), vocabulary.none)
        before = np.concatenate([nothing, vocabulary.encode(sounding(roll.symbols))[:-1]])
        event = vocabulary.encode(roll.symbols)
        # How long what sounds before each step has lasted: rests are repeated, notes are held.
        number = np.arange(steps)[:, None]
        fresh = (event != vocabulary.hold) & np.concatenate([np.ones((1, voices), bool), event[1:] != event[:-1]])
        begun = np.maximum.accumulate(np.where(fresh, number, 0), axis=0)
        lasted = np.concatenate([np.zeros((1, voices), np.int64), (number - begun + 1)[:-1]])
        voice = np.broadcast_to(np.arange(voices), event.shape)
        beat = np.broadcast_to(number % roll.steps_per_quarter, event.shape)
        features.append(np.stack([voice, before, beat, np.minimum(lasted, LONGEST_RUN)], -1).reshape(-1, 4))
        symbols.append(event.reshape(-1))
    return np.concatenate(features), np.concatenate(symbols)


def everywhere(rolls: Iterable[Roll], vocabulary: Vocabulary) -> list[Roll]:
    """Training rolls in every transposition that stays within the ranges."""
    return [transposed(roll, semitones) for roll in rolls for semitones in room(roll, vocabulary.ranges) or range(1)]

"""A set of rolls, split for training, validation and test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from musegen.corpora.grouping import SPLITS
from musegen.errors import MusegenError
from musegen.representation.roll import REST, Roll
from musegen.score import Key


@dataclass(frozen=True)
class Info:
    """What is known of a piece without looking at its notes.

    Attributes:
        id: its name within the corpus.
        title: may be empty.
        source: the file it was read from, and its number there.
        kind: the dance or genre; may be empty.
        metre: at the beginning, such as `6/8`.
        key: at the beginning; None when unknown.
        split: `train`, `validation` or `test`.
    """

    id: str
    title: str
    source: str
    kind: str
    metre: str
    key: Key | None
    split: str = ""


class Pieces(Protocol):
    """Where a corpus has its pieces: in lines of text, or encoded in a file."""

    def __len__(self) -> int: ...
    def info(self, index: int) -> Info:
        """What is known of a piece, its split left empty."""

    def roll(self, index: int) -> Roll:
        """A piece on the corpus's grid."""


@dataclass(frozen=True, eq=False)
class Corpus:
    """A set of pieces with as many voices, on one grid.

    Attributes:
        name: such as `bach`, or the path of a file.
        voices: of every piece.
        steps_per_quarter: the grid of every piece.
        ids: of the pieces, in order.
        splits: where each piece belongs: `train`, `validation` or `test`.
        hash: of the notes and the splits; the same corpus gives the same hash.
        licence: on what terms it may be used; empty when nobody said.
        source: whom to thank; empty when nobody said.
        pieces: where the pieces are.
    """

    name: str
    voices: int
    steps_per_quarter: int
    ids: Sequence[str]
    splits: Sequence[str]
    hash: str
    licence: str
    source: str
    pieces: Pieces

    def __len__(self) -> int:
        return len(self.ids)

    def info(self, index: int) -> Info:
        """What is known of a piece without its notes."""
        return replace(self.pieces.info(index), split=self.splits[index])

    def roll(self, index: int) -> Roll:
        """A piece on the corpus's grid: (steps, voices) symbols, which may be read-only.

        It ends with its last note: rests that only fill up the last bar would hide from a model when to close.
        """
        return self.pieces.roll(index).without_tail()

    def split(self, name: str) -> tuple[int, ...]:
        """The indices of the pieces of a split; there may be none.

        Raises:
            MusegenError: no split is called so.
        """
        if name not in SPLITS:
            raise MusegenError(f"there is no split called {name!r}", f"Choose from: {', '.join(SPLITS)}.")
        return self._by_split[name]

    @cached_property
    def _by_split(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(i for i, split in enumerate(self.splits) if split == name) for name in SPLITS}

    @cached_property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """The lowest and highest pitch of each voice in the training pieces (in all, when none is for training).

        A voice that never sounds has (60, 60).
        """
        return ranges_of((self.roll(index) for index in self.split("train") or range(len(self))), self.voices)


def ranges_of(rolls: Iterable[Roll], voices: int) -> tuple[tuple[int, int], ...]:
    """The lowest and highest pitch of each voice; (60, 60) for one that never sounds."""
    lowest, highest = np.full(voices, REST), np.full(voices, -1)
    for roll in rolls:
        onsets = roll.symbols < REST
        lowest = np.minimum(lowest, np.where(onsets, roll.symbols, REST).min(axis=0, initial=REST))
        highest = np.maximum(highest, np.where(onsets, roll.symbols.astype(np.int64), -1).max(axis=0, initial=-1))
    return tuple(
        (low, high) if high >= 0 else (60, 60) for low, high in zip(lowest.tolist(), highest.tolist(), strict=True)
    )

"""What the left-to-right families share: slices as examples, batches, and the settings of the heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Example, Family, Settings, transpositions
from musegen.models.features import Features
from musegen.models.recall import STRAIN
from musegen.models.slices import STAGES, UNKNOWN_TONIC, Slices, slice_roll
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll

MAX_SLICES = 1024
"""A longer piece is learnt in passages of so many, so that memory stays bounded."""
_PITCHED = ("event", "before", "look_event", "compass")
"""Arrays of classes; they move with the music."""


@dataclass(frozen=True)
class SliceSettings(Settings):
    """Settings of the left-to-right families.

    Attributes:
        width: of the summed features.
        heads: hidden units of each voice's head.
        dropout: share of the trunk's units left out, the same ones for a whole piece.
        head_dropout: the same in the heads.
    """

    width: int = 256
    heads: int = 192
    dropout: float = 0.3
    head_dropout: float = 0.2

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if self.width <= 0 or self.heads <= 0:
            raise MusegenError("width and heads must be above 0")
        if not max(self.dropout, self.head_dropout) < 1:
            raise MusegenError("dropout and head_dropout must be below 1")


class SliceFamily(Family):
    """A family that reads slices (see `slices`)."""

    temperature = 0.9  # of 0.8, 0.9 and 1 the one whose pieces are hardest to tell from held-out ones, on the whole

    def prepare(self, roll: Roll, vocabulary: Vocabulary, settings: Settings) -> list[Example]:
        """A roll -> its slices with the features of each."""
        if roll.steps == 0:
            return []
        slices = slice_roll(roll, vocabulary)
        rows = Features(vocabulary).rows(slices.context)
        can_move = transpositions(roll, vocabulary, settings)
        return [
            _example(slices, rows, slice(first, first + MAX_SLICES), can_move)
            for first in range(0, len(slices.start), MAX_SLICES)
        ]

    def collate(self, examples: Sequence[Example], shifts: Sequence[int], vocabulary: Vocabulary) -> Arrays:
        """Slices of several pieces end to end, as `SliceBatch` lists them."""
        features = Features(vocabulary)
        lengths = np.array([example.size for example in examples])
        shift = np.repeat(np.array(shifts, np.int64), lengths)
        batch = {name: np.concatenate([example.arrays[name] for example in examples]) for name in examples[0].arrays}
        for name in _PITCHED:
            moved = shift.reshape(-1, *(1,) * (batch[name].ndim - 1))
            batch[name] = np.where(batch[name] < vocabulary.pitches, batch[name] + moved, batch[name])
        heard = (np.arange(12) - shift[:, None]) % 12
        batch["tally"] = np.take_along_axis(batch["tally"], heard[:, None], axis=2)
        rows = batch["rows"]
        rows = np.where(features.pitched & (rows < vocabulary.pitches), rows + shift[:, None], rows)
        batch["tonic"] = np.where(batch["tonic"] < UNKNOWN_TONIC, (batch["tonic"] + shift) % 12, UNKNOWN_TONIC)
        rows[:, features.tonic] = batch["tonic"]
        batch["rows"] = rows + features.offsets
        batch["piece"] = np.repeat(np.arange(len(examples)), lengths)
        batch["place"] = np.concatenate([np.arange(length) for length in lengths])
        batch["lengths"] = lengths
        return {
            name: array if array.dtype in (bool, np.float32) else array.astype(np.int64)
            for name, array in batch.items()
        }


def _example(slices: Slices, rows: np.ndarray, part: slice, can_move: range) -> Example:
    context = slices.context
    arrays = {
        "rows": rows[part],
        "event": slices.event[part],
        "length": slices.length[part],
        "before": context.before[part],
        "look_event": context.look_event[part],
        "look_length": context.look_length[part],
        "run": context.run[part],
        "room": context.room[part],
        "left": context.left[part],
        "stage": np.minimum(context.bar[part], STAGES - 1),
        "compass": context.compass[part],
        "strain": context.bars_left[part] % STRAIN,
        "tonic": context.tonic[part],
        "mode": context.mode[part],
    }
    small = {name: array.astype(np.int32) for name, array in arrays.items()}
    small["tally"] = context.tally[part].astype(np.float32)
    cells = int(slices.length[part].sum()) * slices.event.shape[1]
    return Example(small | {"joint": context.joint[part]}, cells, len(slices.length[part]), can_move)

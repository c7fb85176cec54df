"""What is known before a slice is drawn, as one row of table indices.

Each feature has a small table of its own; a network adds up the rows that a slice's features point at. Listing them
here once gives learning and sampling the same columns in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from musegen.models.recall import LAGS, RUN_LEVELS
from musegen.models.slices import (
    BAR_CYCLE,
    MAX_BARS_LEFT,
    MAX_LEFT,
    UNKNOWN_MODE,
    UNKNOWN_TONIC,
    Context,
    Flags,
    Ints,
)
from musegen.models.vocabulary import Vocabulary


@dataclass(frozen=True)
class Column:
    """One feature: how many values it has, and whether they are pitches and move when the music is transposed."""

    name: str
    size: int
    pitched: bool = False


@dataclass(frozen=True)
class Features:
    """The columns for one vocabulary."""

    vocabulary: Vocabulary

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """In the order of `rows`."""
        v = self.vocabulary
        voices = range(1, v.voices + 1)
        looks = [*(f"{lag} bars ago" for lag in LAGS), "longest match"]
        return (
            *(Column(f"before {n}", v.none + 1, pitched=True) for n in voices),
            *(Column(f"degree {n}", 13) for n in voices),
            *(Column(f"previous event {n}", v.none + 1, pitched=True) for n in voices),
            *(Column(f"{look}, {n}", v.none + 1, pitched=True) for look in looks for n in voices),
            *(Column(f"{look}, length", v.longest_bar + 1) for look in looks),
            *(Column(f"{look}, agreement", RUN_LEVELS) for look in looks),
            Column("previous length", v.longest_bar + 1),
            Column("place in bar", v.longest_bar * (len(v.metres) + 1)),
            Column("room", v.longest_bar + 1),
            Column("metre", len(v.metres) + 1),
            Column("bar", BAR_CYCLE + 1),
            Column("bars left", MAX_BARS_LEFT + 1),
            Column("quarters left", MAX_LEFT + 1),
            Column("tonic", UNKNOWN_TONIC + 1),
            Column("mode", UNKNOWN_MODE + 1),
        )

    @cached_property
    def offsets(self) -> Ints:
        """(F,) where each column's table begins when all are stacked."""
        return np.cumsum([0] + [column.size for column in self.columns[:-1]], dtype=np.int64)

    @cached_property
    def size(self) -> int:
        """Rows of all tables stacked."""
        return sum(column.size for column in self.columns)

    @cached_property
    def pitched(self) -> Flags:
        """(F,) which columns hold classes of pitches."""
        return np.array([column.pitched for column in self.columns])

    @cached_property
    def tonic(self) -> int:
        """Which column is the tonic."""
        return [column.name for column in self.columns].index("tonic")

    def rows(self, context: Context) -> Ints:
        """(n, F) values, each below its column's size; add `offsets` to look them up in stacked tables."""
        v = self.vocabulary
        n = len(context.room)
        degree = (context.before + v.low - context.tonic[:, None]) % 12
        degree[(context.before == v.rest) | (context.tonic[:, None] == UNKNOWN_TONIC)] = 12
        place = context.metre * v.longest_bar + np.minimum(context.position, v.longest_bar - 1)
        singles = (
            np.minimum(context.previous_length, v.longest_bar),
            place,
            np.minimum(context.room, v.longest_bar),
            context.metre,
            np.where(context.bar == 0, BAR_CYCLE, context.bar % BAR_CYCLE),
            np.minimum(context.bars_left, MAX_BARS_LEFT),
            context.left,
            context.tonic,
            context.mode,
        )
        return np.concatenate(
            [
                context.before,
                degree,
                context.previous_event,
                context.look_event.reshape(n, -1),
                np.minimum(context.look_length, v.longest_bar),
                context.run,
                np.stack(singles, 1),
            ],
            axis=1,
        )

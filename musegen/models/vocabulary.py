"""What a model knows of its corpus before it learns: voices, ranges, grid, metres."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.roll import HOLD, REST
from musegen.score import Metre

MARGIN = 5
"""Semitones beyond the corpus's ranges that a model still has names for, so that unseen music can be scored."""


@dataclass(frozen=True)
class Vocabulary:
    """The classes that a model chooses from, the same for every voice.

    Class 0 is the pitch `low`; `rest`, `hold` and `none` follow the highest pitch. `none` stands for a place before
    the piece began; it is read but never written.

    Attributes:
        steps_per_quarter: the grid.
        ranges: (lowest, highest) MIDI pitch of each voice in the training music.
        metres: of the training music, commonest first.
        longest_bar: steps in its longest bar.
    """

    steps_per_quarter: int
    ranges: tuple[tuple[int, int], ...]
    metres: tuple[Metre, ...]
    longest_bar: int

    @property
    def voices(self) -> int:
        """How many voices."""
        return len(self.ranges)

    @property
    def low(self) -> int:
        """The lowest pitch with a class of its own."""
        return max(0, min(lowest for lowest, _ in self.ranges) - MARGIN)

    @property
    def pitches(self) -> int:
        """How many pitches have a class."""
        return min(127, max(highest for _, highest in self.ranges) + MARGIN) - self.low + 1

    @property
    def rest(self) -> int:
        """The class of silence."""
        return self.pitches

    @property
    def hold(self) -> int:
        """The class of what goes on, sound or silence."""
        return self.pitches + 1

    @property
    def none(self) -> int:
        """The class of what is not there."""
        return self.pitches + 2

    @property
    def classes(self) -> int:
        """How many classes can be written: the pitches, `rest` and `hold`."""
        return self.pitches + 2

    def encode(self, symbols: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Symbols -> classes, of any shape.

        Raises:
            MusegenError: a pitch has no class.
        """
        classes = symbols.astype(np.int64) - self.low
        classes[symbols == REST] = self.rest
        classes[symbols == HOLD] = self.hold
        notes = symbols < REST
        outside = notes & ((classes < 0) | (classes >= self.pitches))
        if outside.any():
            highest = self.low + self.pitches - 1
            raise MusegenError(
                f"pitch {int(symbols[outside][0])} lies outside this model's {self.low} to {highest}",
                "Transpose the piece, or use a model of another corpus.",
            )
        return classes

    def knows(self, symbols: NDArray[np.uint8]) -> bool:
        """Whether every pitch has a class."""
        pitches = symbols[symbols < REST].astype(np.int64) - self.low
        return bool(((pitches >= 0) & (pitches < self.pitches)).all())

    def decode(self, classes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Classes -> symbols, of any shape; the inverse of `encode`."""
        symbols = classes + self.low
        symbols[classes == self.rest] = REST
        symbols[classes == self.hold] = HOLD
        return symbols.astype(np.uint8)

    def in_range(self) -> NDArray[np.bool_]:
        """(voices, classes): what each voice may write without leaving its range."""
        allowed = np.ones((self.voices, self.classes), bool)
        for voice, (lowest, highest) in enumerate(self.ranges):
            allowed[voice, : self.pitches] = False
            allowed[voice, lowest - self.low : highest - self.low + 1] = True
        return allowed

    def metre_index(self, metre: Metre) -> int:
        """1 for the commonest metre, and so on; 0 for one that the training music did not have."""
        return self.metres.index(metre) + 1 if metre in self.metres else 0

    def to_json(self) -> dict[str, Any]:
        """Plain data for a checkpoint's header."""
        return asdict(self) | {"metres": [str(metre) for metre in self.metres]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Vocabulary:
        """The inverse of `to_json`."""
        return cls(
            int(data["steps_per_quarter"]),
            tuple((int(lowest), int(highest)) for lowest, highest in data["ranges"]),
            tuple(Metre.parse(text) for text in data["metres"]),
            int(data["longest_bar"]),
        )

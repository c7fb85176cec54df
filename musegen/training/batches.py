"""Which pieces are learnt together, in which order and key: a function of the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from musegen.models.base import Arrays, Example, Family, Settings
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll


@dataclass(frozen=True)
class Batch:
    """Examples that one step learns from, and by how many semitones each is moved."""

    examples: tuple[Example, ...]
    shifts: tuple[int, ...]

    @property
    def cells(self) -> int:
        """Steps times voices that are predicted."""
        return sum(example.cells for example in self.examples)

    def share(self, rank: int, world: int) -> tuple[Batch, list[int]]:
        """What one of several processes computes, and which rows of the batch these are."""
        rows = list(range(rank, len(self.examples), world))
        return Batch(tuple(self.examples[i] for i in rows), tuple(self.shifts[i] for i in rows)), rows


def prepare(
    family: Family, rolls: Iterable[Roll], vocabulary: Vocabulary, settings: Settings
) -> tuple[list[Example], int]:
    """Every roll's examples, in order, and how many rolls had to be left out.

    A roll is left out when it goes far beyond the ranges of the training music: the model has no names for its pitches.
    """
    examples: list[Example] = []
    left_out = 0
    for roll in rolls:
        if vocabulary.knows(roll.symbols):
            examples += family.prepare(roll, vocabulary, settings)
        else:
            left_out += 1
    return examples, left_out


def training_batches(examples: Sequence[Example], size: int, seed: int, epoch: int) -> list[Batch]:
    """One pass over the examples: like sizes together, so that little is padded; order and keys drawn anew."""
    generator = np.random.default_rng([seed, epoch])
    jitter = 1 + 0.2 * generator.random(len(examples))
    order = np.argsort([example.size for example in examples] * jitter, kind="stable")
    shifts = [int(generator.integers(e.room.start, e.room.stop)) for e in examples]
    groups = [order[first : first + size] for first in range(0, len(order), size)]
    return [
        Batch(tuple(examples[i] for i in groups[g]), tuple(shifts[i] for i in groups[g]))
        for g in generator.permutation(len(groups))
    ]


def measuring_batches(examples: Sequence[Example], size: int) -> list[Batch]:
    """All examples in their own keys, like sizes together."""
    order = sorted(range(len(examples)), key=lambda i: examples[i].size)
    groups = [order[first : first + size] for first in range(0, len(order), size)]
    return [Batch(tuple(examples[i] for i in group), (0,) * len(group)) for group in groups]


def collate(family: Family, batch: Batch, vocabulary: Vocabulary) -> Arrays:
    """A batch as the arrays that the family's network reads."""
    return family.collate(batch.examples, batch.shifts, vocabulary)

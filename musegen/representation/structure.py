"""What a piece is like as a whole, in numbers: which bars resemble which, its degrees of the scale, its accents.

These are the three properties of a piece that structure imposition takes over into another (Lattner, Grachten and
Widmer 2018, "Imposing higher-level structure in polyphonic music generation using convolutional restricted Boltzmann
machines and constraints", https://arxiv.org/abs/1612.04742). The paper measures them on a piano-roll, differentiably;
here they are measured on notes, so that pieces of different styles and numbers of voices can be compared. No note can
be read back from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from musegen.representation.roll import REST, Roll

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECTIONS = 4
"""Parts of equal length that have a key profile each, besides the whole."""
TRANSPOSED = 0.7
"""What a passage that comes again on another degree counts, of one that comes again as it was."""
SHARES = (0.5, 0.25, 0.25)
"""What self-similarity, key profile and metre count in the cost."""
_SILENT = 12
"""Where silence stands after the twelve pitch classes."""


@dataclass(frozen=True, eq=False)
class Structure:
    """What a piece of B bars is like.

    Attributes:
        similarity: (B, B) of every two bars, 0 to 1: half of it rhythm, half melody. A pickup is no bar.
        degrees: (1 + SECTIONS, 12) how long each semitone above the tonic sounds, as shares of all that sounds: in the
            whole piece, then in each section; a section in which nothing sounds has zeros.
        accents: (places,) share of the voices that begin a note at each place of the bar, on average over the bars;
            the places of each metre in turn.
        bars: (places,) how many bars that is an average of.
    """

    similarity: Floats
    degrees: Floats
    accents: Floats
    bars: Floats

    @classmethod
    def of(cls, roll: Roll) -> Structure:
        """Measure a piece; where it has no key, degrees are counted from C."""
        heard, begins = roll.sounding(), (roll.symbols < REST).mean(axis=1)
        return cls(_similarity(roll, heard, begins), _degrees(roll, heard), *_accents(roll, begins))

    @cached_property
    def pairs(self) -> Floats:
        """(B (B - 1) / 2,) the similarities of every two bars, once."""
        return self.similarity[np.triu_indices(len(self.similarity), 1)]


@dataclass(frozen=True)
class Likeness:
    """How near a piece comes to another's structure.

    Attributes:
        similarity: correlation of the two self-similarities over all pairs of bars, -1 to 1.
        key: distance of the key profiles, 0 to 1: half the sum of the differences of the shares (total variation), as
            much by the whole as by all its sections.
        metre: distance of the accents, 0 to 1: the sum of their differences over their sum (Bray and Curtis 1957).
    """

    similarity: float
    key: float
    metre: float

    @classmethod
    def of(cls, plan: Structure, piece: Structure) -> Likeness:
        """Compare two pieces with the same bars on the same grid."""
        apart = np.abs(plan.degrees - piece.degrees).sum(axis=1) / 2
        among = float(plan.bars @ (plan.accents + piece.accents))
        between = float(plan.bars @ np.abs(plan.accents - piece.accents))
        return cls(
            correlation(plan.pairs, piece.pairs),
            float(apart[0] + apart[1:].mean()) / 2,
            between / among if among else 0.0,
        )

    @property
    def cost(self) -> float:
        """All three as one distance, 0 to 1."""
        return float(np.dot(SHARES, ((1 - self.similarity) / 2, self.key, self.metre)))


def correlation(one: Floats, other: Floats) -> float:
    """Pearson's, of equally long arrays: 1 where neither varies, 0 where only one does."""
    a, b = one - one.mean() if len(one) else one, other - other.mean() if len(other) else other
    lengths = np.sqrt((a @ a) * (b @ b))
    flat = [bool(np.allclose(each, 0, atol=1e-9)) for each in (a, b)]
    if any(flat):
        return 1.0 if all(flat) else 0.0
    return float(np.clip(a @ b / lengths, -1, 1))


def spans(roll: Roll) -> list[tuple[int, int]]:
    """First step, and the step after the last, of every bar but the pickup."""
    starts = [(number, step) for number, step, _ in roll.bar_starts()]
    ends = [step for _, step in starts[1:]] + [roll.steps]
    return [(step, end) for (number, step), end in zip(starts, ends, strict=True) if number > 0]


def _similarity(roll: Roll, heard: NDArray[np.uint8], begins: Floats) -> Floats:
    """(B, B): see `Structure`.

    Rhythm: at each place of the bar, the share of the voices that begin a note; of two bars the sum of what they have
    in common over the sum of what either has (Jaccard). Melody: at each step, the pitch class of the highest voice that
    sounds and, as much again, those of all voices; of two bars the mean cosine over the steps, as they stand or in the
    transposition that fits best, which counts `TRANSPOSED`.
    """
    bars = spans(roll)
    longest = max((end - start for start, end in bars), default=0)
    if not longest:
        return np.zeros((len(bars), len(bars)))
    rhythm = np.zeros((len(bars), longest))
    melody = np.zeros((len(bars), longest, 2, 13))
    content = _content(heard)
    for bar, (start, end) in enumerate(bars):
        rhythm[bar, : end - start] = begins[start:end]
        melody[bar, : end - start] = content[start:end]
    sums = rhythm.sum(axis=1)
    common = np.minimum(rhythm[:, None], rhythm[None]).sum(axis=2)
    either = sums[:, None] + sums[None] - common
    in_rhythm = np.divide(common, either, out=np.ones_like(common), where=either > 0)
    lengths = np.array([end - start for start, end in bars])
    steps = np.maximum(lengths[:, None], lengths[None])
    flat = melody.reshape(len(bars), -1)
    in_melody = flat @ flat.T
    for semitones in range(1, 12):
        order = [*((np.arange(12) + semitones) % 12), _SILENT]
        np.maximum(in_melody, TRANSPOSED * (flat @ melody[..., order].reshape(len(bars), -1).T), out=in_melody)
    return np.asarray((in_rhythm + np.maximum(in_melody, in_melody.T) / steps) / 2)


def _content(heard: NDArray[np.uint8]) -> Floats:
    """(steps, 2, 13) of what sounds: the highest voice's pitch class, and all voices'; each of length 1 / sqrt(2)."""
    steps = np.arange(len(heard))
    classes = np.where(heard == REST, _SILENT, heard % 12)
    sounding = heard != REST
    content = np.zeros((len(heard), 2, 13))
    content[steps, 0, np.where(sounding.any(axis=1), classes[steps, sounding.argmax(axis=1)], _SILENT)] = 1
    for voice in range(heard.shape[1]):
        content[steps, 1, classes[:, voice]] += 1
    content[:, 1, _SILENT] *= ~sounding.any(axis=1)  # a voice that is silent under others says nothing
    lengths = np.sqrt((content**2).sum(axis=2, keepdims=True))
    return np.asarray(content / np.maximum(lengths, 1e-9) / np.sqrt(2))


def _degrees(roll: Roll, heard: NDArray[np.uint8]) -> Floats:
    """(1 + SECTIONS, 12): see `Structure`."""
    tonics = np.zeros(roll.steps, np.int64)
    for step, key in roll.keys:
        tonics[step:] = key.tonic
    section = np.arange(roll.steps) * SECTIONS // max(1, roll.steps)
    counts = np.zeros((SECTIONS, 12))
    for voice in range(roll.voices):
        sounds = heard[:, voice] != REST
        np.add.at(counts, (section[sounds], (heard[sounds, voice] - tonics[sounds]) % 12), 1.0)
    counts = np.concatenate([counts.sum(axis=0, keepdims=True), counts])
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _accents(roll: Roll, begins: Floats) -> tuple[Floats, Floats]:
    """(places,) accents and (places,) bars: see `Structure`."""
    metres = list(dict.fromkeys(metre for _, metre in roll.metres))
    first = np.cumsum([0, *(roll.steps_of(metre) for metre in metres)])
    offset = np.zeros(roll.steps, np.int64)
    for step, metre in roll.metres:
        offset[step:] = first[metres.index(metre)]
    places = offset + roll.clock()[1]
    counts = np.bincount(places, minlength=int(first[-1])).astype(np.float64)
    return np.bincount(places, begins, minlength=int(first[-1])) / np.maximum(counts, 1), counts

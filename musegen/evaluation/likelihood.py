"""How likely real music is to a model, and how often its first guess is right. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.shape import check_shape
from musegen.models.base import Surprise
from musegen.models.plans import Plan, frame_nats
from musegen.models.vae import VAEComposer
from musegen.models.vae.encoder import active
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre

TOGETHER = 64
"""Pieces that are scored at once."""
_DIGITS = 6
"""Of figures as plain data."""


@dataclass(frozen=True)
class Tally:
    """A set of cells and what the model made of them.

    Attributes:
        cells: how many.
        nats: their surprise.
        right: in which the likeliest symbol was the true one.
        onsets: in which a note begins, and
        onsets_right: those of them where the likeliest symbol was the true one.
        pitches_right: in which the likeliest symbol makes the true pitch sound, or silence where there is some.
    """

    cells: int
    nats: float
    right: int
    onsets: int
    onsets_right: int
    pitches_right: int

    @property
    def nats_per_note(self) -> float:
        """Nats per cell."""
        return self.nats / max(1, self.cells)

    @property
    def accuracy(self) -> float:
        """Share of cells guessed."""
        return self.right / max(1, self.cells)

    @property
    def onset_accuracy(self) -> float:
        """Share of onsets guessed."""
        return self.onsets_right / max(1, self.onsets)

    @property
    def pitch_accuracy(self) -> float:
        """Share of cells whose sound was guessed."""
        return self.pitches_right / max(1, self.cells)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "cells": self.cells,
            "onsets": self.onsets,
            "nats_per_note": round(self.nats_per_note, _DIGITS),
            "accuracy": round(self.accuracy, _DIGITS),
            "onset_accuracy": round(self.onset_accuracy, _DIGITS),
            "pitch_accuracy": round(self.pitch_accuracy, _DIGITS),
        }


@dataclass(frozen=True)
class Rates:
    """Nats of some pieces, spread over what they consist of.

    Attributes:
        nats: of all.
        pieces: how many.
        cells: that were predicted.
        steps: of the pieces.
        quarters: of the pieces.
    """

    nats: float
    pieces: int
    cells: int
    steps: int
    quarters: float

    @property
    def per_note(self) -> float:
        """Nats per cell."""
        return self.nats / self.cells

    @property
    def per_step(self) -> float:
        """Nats per step of all voices."""
        return self.nats / self.steps

    @property
    def per_quarter(self) -> float:
        """Nats per quarter note of music, whatever the grid."""
        return self.nats / self.quarters

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "pieces": self.pieces,
            "nats_per_note": round(self.per_note, _DIGITS),
            "nats_per_step": round(self.per_step, _DIGITS),
            "nats_per_quarter": round(self.per_quarter, _DIGITS),
        }


@dataclass(frozen=True)
class Codes:
    """How a VAE uses its code.

    Attributes:
        dimensions: of a code.
        active: those that vary from piece to piece.
        divergence: nats per piece; they are part of the bound.
        cells_kept: share of cells that come back when a piece is composed anew from its code and frame alone, the
            likeliest slice after the likeliest.
        onsets_kept: the same of cells in which a note begins.
    """

    dimensions: int
    active: int
    divergence: float
    cells_kept: float
    onsets_kept: float

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "dimensions": self.dimensions,
            "active": self.active,
            "divergence_per_piece": round(self.divergence, _DIGITS),
            "reconstructed_cells": round(self.cells_kept, _DIGITS),
            "reconstructed_onsets": round(self.onsets_kept, _DIGITS),
        }


@dataclass(frozen=True)
class Evaluation:
    """What a model makes of some pieces.

    Attributes:
        bound: whether the nats are an upper bound; they are exact otherwise.
        left_out: pieces with pitches that the model has no names for.
        framed: the nats when each piece's length, metre and key are told.
        frame: what it costs to tell these, over the pieces whose frame a `Plan` can say; None when there is none, or
            when the frame comes with given voices. Its figures added to those of `framed` are the cost when nothing is
            told.
        standard_error: of `framed.per_note`, from the differences between pieces.
        whole: all predicted cells; a VAE's divergence is in `framed`, not here.
        by_voice: by the voice's name.
        metre: that most of the music has.
        by_place: in bars of this metre, by quarters from the bar line, which is 1.
        codes: of a VAE.
    """

    bound: bool
    left_out: int
    framed: Rates
    frame: Rates | None
    standard_error: float
    whole: Tally
    by_voice: dict[str, Tally]
    metre: Metre
    by_place: dict[float, Tally]
    codes: Codes | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "bound": self.bound,
            "pieces": self.framed.pieces,
            "left_out": self.left_out,
            "steps": self.framed.steps,
            "quarters": self.framed.quarters,
            **self.whole.to_json(),
            **self.framed.to_json(),
            "standard_error": round(self.standard_error, _DIGITS),
            "frame": self.frame.to_json() if self.frame else None,
            "by_voice": {name: tally.to_json() for name, tally in self.by_voice.items()},
            "metre": str(self.metre),
            "by_place": [{"quarter": place, **tally.to_json()} for place, tally in self.by_place.items()],
            "codes": self.codes.to_json() if self.codes else None,
        }

    def summary(self) -> dict[str, Any]:
        """The figures for a model's card."""
        facts = self.to_json()
        names = ("pieces", "nats_per_note", "standard_error", "nats_per_step", "nats_per_quarter")
        found = {name: facts[name] for name in (*names, "accuracy", "onset_accuracy", "pitch_accuracy")}
        if self.frame:
            found["frame_nats_per_note"] = facts["frame"]["nats_per_note"]
        return found | (facts["codes"] or {})


def evaluate(
    model: Checkpoint, rolls: Sequence[Roll], seed: int = 1, advance: Callable[[int], None] = lambda pieces: None
) -> Evaluation:
    """Show pieces to a model.

    Args:
        model: of a family with a likelihood.
        rolls: with the model's voices and grid.
        seed: of the codes that a VAE is scored under.
        advance: is told how many more pieces are done.

    Raises:
        MusegenError: a piece is of another shape, none can be scored, or the family has no likelihood.
    """
    check_shape(model, rolls)
    known = [roll for roll in rolls if roll.steps and model.vocabulary.knows(roll.symbols)]
    if not known:
        raise MusegenError(
            f"{model.name} has no names for some pitch of each of these {len(rolls)} pieces",
            "Use a corpus like the one that it was trained on.",
        )
    composer = model.composer()
    counts = _Counts(model, _commonest(known))
    known.sort(key=lambda roll: roll.steps)  # pieces of like length make full batches
    for first in range(0, len(known), TOGETHER):
        some = known[first : first + TOGETHER]
        for roll, surprise in zip(some, composer.surprise(some, seed), strict=True):
            counts.add(roll, surprise)
        advance(len(some))
    codes = _codes(composer, known, counts.hidden / len(known)) if isinstance(composer, VAEComposer) else None
    return counts.evaluation(len(rolls) - len(known), codes)


class _Counts:
    """Sums over pieces. What is counted of a set of cells are the attributes of `Tally`, in order."""

    def __init__(self, model: Checkpoint, metre: Metre) -> None:
        self.model, self.metre = model, metre
        grid = model.vocabulary.steps_per_quarter
        self.place = grid // 2 if grid % 2 == 0 else grid  # steps
        bar = max(1, -int(-metre.quarters * grid // 1))
        self.voices = np.zeros((model.vocabulary.voices, 6))
        self.places = np.zeros((-(-bar // self.place), 6))
        self.pieces: list[tuple[float, int, int, float | None]] = []  # nats, cells, steps, nats of the frame
        self.hidden = 0.0

    def add(self, roll: Roll, surprise: Surprise) -> None:
        """Count a piece."""
        sound = roll.sounding()
        before = np.concatenate([np.full((1, roll.voices), REST, np.uint8), sound[:-1]])
        right, onset = surprise.best == roll.symbols, roll.symbols < REST
        heard = np.where(surprise.best == HOLD, before, surprise.best) == sound
        counted = np.stack([np.ones(right.shape), surprise.nats, right, onset, onset & right, heard], axis=-1)
        counted[:, list(self.model.family.given_voices)] = 0
        self.voices += counted.sum(axis=0)
        for _, start, end in _bars(roll, self.metre):
            places = roll.clock()[1][start:end] // self.place
            np.add.at(self.places, places, counted[start:end].sum(axis=1))
        self.hidden += surprise.hidden
        plan = None if self.model.family.given_voices else Plan.of(roll)
        frame = frame_nats(self.model.plans, plan) if plan else None
        nats, cells = float(counted[..., 1].sum()) + surprise.hidden, int(counted[..., 0].sum())
        self.pieces.append((nats, cells, roll.steps, frame))

    def evaluation(self, left_out: int, codes: Codes | None) -> Evaluation:
        """The figures."""
        framed = self._rates([(nats, cells, steps) for nats, cells, steps, _ in self.pieces])
        frames = [(frame, cells, steps) for _, cells, steps, frame in self.pieces if frame is not None]
        apart = np.array([nats - framed.per_note * cells for nats, cells, _, _ in self.pieces])
        given, names = self.model.family.given_voices, self.model.names
        told_apart = len(set(names)) == len(self.voices)
        return Evaluation(
            bound="bound" in self.model.family.measure,
            left_out=left_out,
            framed=framed,
            frame=self._rates(frames) if frames else None,
            standard_error=float(np.sqrt((apart**2).sum() * len(apart) / max(1, len(apart) - 1)) / framed.cells),
            whole=_tally(self.voices.sum(axis=0)),
            by_voice={
                names[voice] if told_apart else f"voice {voice + 1}": _tally(sums)
                for voice, sums in enumerate(self.voices)
                if voice not in given
            },
            metre=self.metre,
            by_place={
                1 + place * self.place / self.model.vocabulary.steps_per_quarter: _tally(sums)
                for place, sums in enumerate(self.places)
            },
            codes=codes,
        )

    def _rates(self, pieces: Sequence[tuple[float, int, int]]) -> Rates:
        nats, cells, steps = (sum(column) for column in zip(*pieces, strict=True))
        return Rates(nats, len(pieces), int(cells), int(steps), steps / self.model.vocabulary.steps_per_quarter)


def _tally(sums: NDArray[np.float64]) -> Tally:
    cells, nats, *others = sums.tolist()
    return Tally(int(cells), nats, *map(int, others))


def _bars(roll: Roll, metre: Metre) -> list[tuple[int, int, int]]:
    """(number, first step, end) of the bars of a metre."""
    starts = roll.bar_starts()
    ends = [start for _, start, _ in starts[1:]] + [roll.steps]
    return [(number, start, end) for (number, start, each), end in zip(starts, ends, strict=True) if each == metre]


def _commonest(rolls: Sequence[Roll]) -> Metre:
    """The metre of most steps."""
    steps: Counter[Metre] = Counter()
    for roll in rolls:
        ends = [start for start, _ in roll.metres[1:]] + [roll.steps]
        for (start, metre), end in zip(roll.metres, ends, strict=True):
            steps[metre] += end - start
    return steps.most_common(1)[0][0]


def _codes(composer: VAEComposer, rolls: Sequence[Roll], divergence: float) -> Codes:
    """Compose every piece anew from its code."""
    means = np.stack([code.mean for code in composer.encode(rolls)])
    same = onsets = onsets_same = cells = 0
    for first in range(0, len(rolls), TOGETHER):
        some = rolls[first : first + TOGETHER]
        for roll, again in zip(some, composer.reconstruct(some), strict=True):
            kept, onset = again.symbols == roll.symbols, roll.symbols < REST
            same, cells = same + int(kept.sum()), cells + kept.size
            onsets, onsets_same = onsets + int(onset.sum()), onsets_same + int((kept & onset).sum())
    return Codes(means.shape[1], active(means), divergence, same / cells, onsets_same / max(1, onsets))

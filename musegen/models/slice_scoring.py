"""How likely every cell of a piece is to a left-to-right model of slices, exactly.

A slice model says how likely a whole slice is: its symbols and its length. A cell inside a slice is no more than the
news that the slice goes on, so its probability is found from the lengths: at each step after a slice began, the chance
that it ends here (its hazard) times what a new slice would hold, plus the chance that it goes on, where every voice
holds. Voices come in the order in which they are drawn; each tells more of whether a slice began. The nats of a piece's
cells sum to those of its slices, since both are the nats of the piece.

All pieces are read together, and with each turn's slices all those that might have begun before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from musegen.models.base import Surprise, as_written
from musegen.models.numpy_layers import Floats, log_softmax
from musegen.models.slices import Context, Flags, Ints, slice_roll
from musegen.representation.roll import Roll
from musegen.representation.template import Template

if TYPE_CHECKING:
    from musegen.models.slice_composer import SliceComposer, State

NEGLIGIBLE = 1e-9
"""Chance of a new slice below which nobody asks what it would hold: no cell's nats change by more than that."""


@dataclass(frozen=True)
class _Turn:
    """Where slices may begin (n places of B pieces).

    Attributes:
        piece: (n,) number.
        step: (n,) where.
        context: of the slice that would begin there.
        begins: (n,) logarithm of the probability that one does, and
        goes_on: (n,) of that none does, given what came before.
        real: (n,) whether one does.
        state: of the trunk before it.
    """

    piece: Ints
    step: Ints
    context: Context
    begins: Floats
    goes_on: Floats
    real: Flags
    state: State


def score(composer: SliceComposer, rolls: Sequence[Roll], state: State) -> list[Surprise]:
    """Show pieces to a model.

    Args:
        composer: the model.
        rolls: with its voices and grid, each at least one step long.
        state: of its trunk before each piece.

    Raises:
        MusegenError: a pitch lies outside the vocabulary.
    """
    reading = _Reading(composer, rolls, state)
    turn: _Turn | None = reading.first()
    while turn:
        turn = reading.next(turn)
    return reading.surprises()


class _Reading:
    """Pieces under way (B pieces, S steps of the longest, V voices)."""

    def __init__(self, composer: SliceComposer, rolls: Sequence[Roll], state: State) -> None:
        from musegen.models.slice_composer import Run

        self.composer, self.rolls = composer, rolls
        v = composer.vocabulary
        self.run = Run(composer, [Template(roll, np.ones(roll.symbols.shape, bool)) for roll in rolls], state)
        cells = len(rolls), int(self.run.steps.max(initial=0)), v.voices
        self.event = np.full(cells, v.hold)
        self.length = np.zeros(cells[:2], np.int64)  # of the slice that begins there; 0 where none does
        for i, roll in enumerate(rolls):
            slices = slice_roll(roll, v)
            self.event[i, slices.start], self.length[i, slices.start] = slices.event, slices.length
        self.nats, self.best = np.zeros(cells), np.full(cells, v.hold)
        # One voice alone cannot begin a slice by holding, so what a new slice would hold matters for `best` alone, and
        # only where to begin one is the likelier.
        self.least = np.log(0.5 if v.voices == 1 else NEGLIGIBLE)

    def first(self) -> _Turn:
        """At the beginning a slice begins for certain."""
        run = self.run
        begins, goes_on = np.zeros(len(run.active)), np.full(len(run.active), -np.inf)
        return _Turn(run.active, run.at[run.active], run.context(), begins, goes_on, begins == 0, run.state)

    def next(self, turn: _Turn) -> _Turn | None:
        """Score the cells of a turn, write its real slices and find where the next may begin; None at the end."""
        run = self.run
        lengths, after = self._score(turn)
        if not len(run.active):  # these were steps of last slices
            return None
        rows = np.flatnonzero(turn.real)
        rows = rows[np.argsort(turn.piece[rows])]  # as the run has its active pieces
        context, act, at = _rows(turn.context, rows), run.active, run.at[run.active]
        event, length = self.event[act, at], self.length[act, at]
        turns = self._possible_ends(lengths[rows], context, event, length, tuple(part[rows] for part in after))
        run.write(context, event, length)
        run.drop_ended()
        return _joined(turns) if turns else None

    def _score(self, turn: _Turn) -> tuple[Floats, State]:
        """Put down the nats of all voices; (n, longest bar) log-probabilities of lengths, and the state after."""
        read, after = self.composer.read(turn.context, turn.state)
        truth = self.event[turn.piece, turn.step]
        begins, goes_on = turn.begins.copy(), turn.goes_on.copy()
        hold = self.composer.vocabulary.hold
        said: list[Floats] = []

        def choose(_column: int, voice: int | None, logits: Floats) -> Ints:
            likely = log_softmax(logits)
            if voice is None:
                said.append(likely)
                return np.zeros(len(likely), np.int64)
            chances = np.exp(begins[:, None] + likely)
            chances[:, hold] += np.exp(goes_on)
            chosen = truth[:, voice]
            began = begins + likely[np.arange(len(chosen)), chosen]
            went_on = np.where(chosen == hold, goes_on, -np.inf)
            total = np.logaddexp(began, went_on)
            self.nats[turn.piece, turn.step, voice] = -total
            self.best[turn.piece, turn.step, voice] = chances.argmax(axis=1)
            begins[:], goes_on[:] = began - total, went_on - total
            return chosen

        self.composer.voices.draw(read, turn.context, choose)
        return said[0], after

    def _possible_ends(self, likely: Floats, context: Context, event: Ints, length: Ints, state: State) -> list[_Turn]:
        """Follow the slice of each active piece to its end, and ask at each step for what might begin there."""
        run, first_voice = self.run, self.composer.voices.order[0]
        lasts = np.logaddexp.accumulate(likely[:, ::-1], axis=1)[:, ::-1]  # log-probability of so long or longer
        lasts = np.concatenate([lasts, np.full((len(lasts), 1), -np.inf)], axis=1)
        turns = []
        for steps in range(1, int(length.max()) + 1):
            at = run.at[run.active] + steps
            rows = np.flatnonzero((length >= steps) & (at < run.steps[run.active]))
            begins = likely[rows, steps - 1] - lasts[rows, steps - 1]
            goes_on = lasts[rows, steps] - lasts[rows, steps - 1]
            real = length[rows] == steps
            # Where all voices hold and may not begin a slice so, the first voice's news is all there is.
            self.nats[run.active[rows], at[rows], first_voice] = -goes_on
            asked = real | (begins > self.least)
            rows, begins, goes_on, real = rows[asked], begins[asked], goes_on[asked], real[asked]
            if not len(rows):
                continue
            who = run.active[rows]
            known = run.foresee(_rows(context, rows), who, event[rows], np.full(len(rows), steps))
            turns.append(_Turn(who, at[rows], known, begins, goes_on, real, tuple(part[rows] for part in state)))
        return turns

    def surprises(self) -> list[Surprise]:
        """Of all pieces, in order."""
        found = []
        for i, roll in enumerate(self.rolls):
            best = self.composer.vocabulary.decode(self.best[i, : roll.steps])
            found.append(Surprise(self.nats[i, : roll.steps], as_written(best, roll)))
        return found


def _rows(context: Context, rows: Ints) -> Context:
    """Some rows of a context."""
    return Context(**{field.name: getattr(context, field.name)[rows] for field in fields(Context)})


def _joined(turns: Sequence[_Turn]) -> _Turn:
    """One after another."""
    known = {
        field.name: np.concatenate([getattr(turn.context, field.name) for turn in turns]) for field in fields(Context)
    }
    columns = {
        name: np.concatenate([getattr(turn, name) for turn in turns])
        for name in ("piece", "step", "begins", "goes_on", "real")
    }
    state = tuple(np.concatenate(parts) for parts in zip(*(turn.state for turn in turns), strict=True))
    return _Turn(context=Context(**known), state=state, **columns)

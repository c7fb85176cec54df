"""Composing left to right: the sampler that all families of slices share, in numpy.

Pieces of a batch advance together, each at its own pace: a turn of the loop draws one slice of every piece that has not
ended, voice by voice, then its length.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from musegen.models.base import Arrays, Composer, Filling, Sampling, Surprise
from musegen.models.features import Features
from musegen.models.numpy_layers import Floats, summed_rows, surprise
from musegen.models.particles import compose
from musegen.models.recall import (
    HALF_LIVES,
    LAGS,
    MEMORY,
    add_to_tally,
    pitch_classes,
    run_level,
    shares,
    slice_names,
)
from musegen.models.slice_limits import Limits
from musegen.models.slice_voices import SliceVoices
from musegen.models.slices import UNKNOWN_TONIC, Context, Flags, Frame, Ints, widened
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.representation.template import Template

_FRAME = tuple(Frame.__dataclass_fields__)
_LAGS = np.array(LAGS)
_PAST = ("sound", "previous_event", "previous_length", "agreed", "compass", "tally", "matched", "count", "at")
"""What a run keeps of each piece's past besides its cells."""

State = tuple[Floats, ...]
"""What a trunk remembers: arrays whose first axis is the piece."""


class Trunk(ABC):
    """The part of a network between the features and the heads, one slice at a time."""

    @abstractmethod
    def start(self, pieces: int) -> State:
        """The state before the first slice."""

    @abstractmethod
    def step(self, features: Floats, state: State) -> tuple[Floats, State]:
        """(n, width) features and the state of n pieces -> (n, context) and the state after."""


class SliceComposer(Composer):
    """Draws slices until each piece has its length.

    Args:
        vocabulary: of the training music.
        weights: of the network, by torch's names.
        trunk: which may hold more of them.
    """

    def __init__(self, vocabulary: Vocabulary, weights: Arrays, trunk: Trunk) -> None:
        self.vocabulary = vocabulary
        self.features = Features(vocabulary)
        self.tables = weights["look.tables"]
        self.tally_in = weights["look.tally.weight"].T
        self.trunk = trunk
        self.voices = SliceVoices(vocabulary, weights)
        self.in_range = vocabulary.in_range()

    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Compose the open cells of each template, with `how.particles` where anything is fixed or asked."""
        free = [i for i, template in enumerate(templates) if template.is_blank]
        bound = [i for i in range(len(templates)) if i not in set(free)]
        filled: dict[int, Filling] = {}
        for some, particles in ((free, 1), (bound, how.particles if how.temperature else 1)):
            if some:
                chosen = [templates[i] for i in some], replace(how, particles=particles), [pieces[i] for i in some]
                filled |= zip(some, self.compose(*chosen, self.start(*chosen[1:])), strict=True)
        return [filled[i] for i in range(len(templates))]

    def compose(
        self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int], state: State
    ) -> list[Filling]:
        """Compose from states of one's choice: one row for each piece, or for each of its particles."""
        return compose(self, templates, how, pieces, state)

    def look(self, context: Context) -> Floats:
        """(n, width): what the trunk is told of the context."""
        rows = self.features.rows(context) + self.features.offsets
        tonic = np.where(context.tonic < UNKNOWN_TONIC, context.tonic, 0)
        degrees = ((np.arange(12) + tonic[:, None]) % 12)[:, None]
        known = (context.tonic < UNKNOWN_TONIC)[:, None, None]
        relative = np.take_along_axis(context.tally, np.broadcast_to(degrees, context.tally.shape), axis=2) * known
        tallies = np.concatenate([context.tally, relative], axis=2).reshape(len(rows), -1)
        return np.asarray(summed_rows(self.tables, rows) + tallies @ self.tally_in)

    def start(self, how: Sampling, pieces: Sequence[int]) -> State:
        """The trunk's state before each piece, a row for each of its particles."""
        return self.trunk.start(len(pieces) * how.particles)

    def surprise(self, rolls: Sequence[Roll], seed: int = 1) -> list[Surprise]:
        """Exact; see `slice_scoring`."""
        from musegen.models.slice_scoring import score

        return score(self, rolls, self.trunk.start(len(rolls)))

    def read(self, context: Context, state: State) -> tuple[Floats, State]:
        """What is known of n slices and the state of n pieces -> (n, H) for the heads, and the state after."""
        return self.trunk.step(self.look(context), state)


class Run:
    """A batch of pieces in the making (B pieces, S steps of the longest, V voices, L lags)."""

    def __init__(
        self, composer: SliceComposer, templates: Sequence[Template], state: State, limits: Limits | None = None
    ) -> None:
        self.composer, self.templates, self.limits = composer, templates, limits
        v = composer.vocabulary
        self.steps = np.array([template.roll.steps for template in templates])
        longest = int(self.steps.max(initial=0))
        # What is known of each step: an array (fields, B, S), so that one look-up gives all fields of a slice.
        self.known = np.zeros((len(_FRAME), len(templates), longest), np.int64)
        frames: dict[Any, Ints] = {}  # pieces of a batch often have the same metre, key and length
        for i, template in enumerate(templates):
            roll = template.roll
            alike = roll.steps, roll.pickup, roll.metres, roll.keys
            if alike not in frames:
                frame = Frame.of(roll, v)
                frames[alike] = np.stack([getattr(frame, name) for name in _FRAME])
            self.known[:, i, : roll.steps] = frames[alike]
        b = len(templates)
        self.event = np.full((b, longest, v.voices), v.hold)
        self.ends = np.zeros((b, longest), np.int64)  # for each written step, where its slice ends
        self.sound = np.full((b, v.voices), v.rest)
        self.previous_event = np.full((b, v.voices), v.none)
        self.previous_length = np.zeros(b, np.int64)
        self.agreed = np.zeros((b, len(LAGS)), np.int64)  # steps
        self.compass = np.full((b, v.voices, 2), v.rest)
        self.tally = np.zeros((b, len(HALF_LIVES), 12))
        # The slices so far, and how many steps of the music before each agree with those before the present.
        self.names = np.zeros((b, longest), np.uint64)
        self.slices = np.zeros((b, longest, v.voices + 1), np.int64)  # events, and length
        self.matched = np.zeros((b, longest + 1), np.int64)
        self.count = np.zeros(b, np.int64)
        self.at = np.zeros(b, np.int64)
        self.nats = np.zeros(b)
        self.active: Ints = np.flatnonzero(self.at < self.steps)
        self.state = tuple(part.copy() for part in state)

    def context(self) -> Context:
        """What is known of the next slice of each active piece."""
        v, act, at = self.composer.vocabulary, self.active, self.at[self.active]
        now = dict(zip(_FRAME, self.known[:, act, at], strict=True))
        there = at[:, None] - now.pop("bar_steps")[:, None] * _LAGS
        seen, where = there >= 0, np.maximum(there, 0)
        rows = act[:, None]
        match, matched = self.longest_match()
        found = matched > 0
        recalled = self.slices[act, match]
        look_event = np.where(seen[..., None], self.event[rows, where], v.none)
        look_length = np.where(seen, self.ends[rows, where] - where, 0)
        run = np.concatenate([self.agreed[act], matched[:, None]], axis=1)
        return Context(
            before=self.sound[act],
            previous_event=self.previous_event[act],
            previous_length=self.previous_length[act],
            look_event=np.concatenate(
                [look_event, np.where(found[:, None], recalled[:, :-1], v.none)[:, None]], axis=1
            ),
            look_length=np.concatenate([look_length, np.where(found, recalled[:, -1], 0)[:, None]], axis=1),
            run=run_level(run / v.steps_per_quarter),
            compass=self.compass[act],
            tally=shares(self.tally[act]),
            joint=now.pop("joint") != 0,
            **now,
        )

    def longest_match(self) -> tuple[Ints, Ints]:
        """Of each active piece: the slice after the longest agreement with the present, and its steps (0 for none)."""
        latest = int(self.count[self.active].max())
        matched = self.matched[self.active, :latest]
        if not matched.size:
            nothing = np.zeros(len(matched), np.int64)
            return nothing, nothing
        best = matched.shape[1] - 1 - matched[:, ::-1].argmax(axis=1)  # the latest of equals
        return best, matched[np.arange(len(best)), best]

    def advance(self, choose: Callable[[int, Floats, Floats], Ints]) -> None:
        """Draw one slice of every active piece.

        Args:
            choose: column of the draw (voices in drawing order, then the length), (n, K) logits and the same with -inf
                for what may not be written -> (n,) classes.
        """
        composer, limits, act = self.composer, self.limits, self.active
        context = self.context()
        read, after = composer.read(context, tuple(part[act] for part in self.state))
        nats = self.nats[act]
        turn = limits.turn(act, self.at[act], context) if limits else None

        def choose_in_range(column: int, voice: int | None, logits: Floats) -> Ints:
            if turn:
                may = turn.lengths() if voice is None else turn.symbols(column, voice)
                allowed = np.where(may, logits, -np.inf)
                turn.give_up(lost := allowed.max(axis=1) == -np.inf)
                allowed[lost] = logits[lost]
            else:
                allowed = logits if voice is None else np.where(composer.in_range[voice], logits, -np.inf)
            chosen = choose(column, logits, allowed)
            np.add(nats, surprise(logits, chosen), out=nats)
            if turn and voice is not None:
                turn.drew(voice, chosen)
            return chosen

        event, length = composer.voices.draw(read, context, choose_in_range)
        self.nats[act] = nats
        if limits and turn:
            limits.wrote(turn, length)
        self.write(context, event, length)
        self.drop_ended()
        for part, new in zip(self.state, after, strict=True):
            part[act] = new

    def foresee(self, context: Context, who: Ints, event: Ints, length: Ints) -> Context:
        """What would be known of the next slice of some pieces if they wrote this one now; nothing is kept.

        Args:
            context: of these pieces.
            who: (n,) their numbers.
            event: (n, V) what they would write, and
            length: (n,) how long; their ends must not be reached.
        """
        active, kept = self.active, {name: getattr(self, name).copy() for name in _PAST}
        self.active = who
        self.write(context, event, length)
        known = self.context()
        self.active = active
        vars(self).update(kept)
        return known

    def write(self, context: Context, event: Ints, length: Ints) -> None:
        """Put a slice into every active piece: what was known of it, (n, V) events and (n,) lengths."""
        act, at, hold = self.active, self.at[self.active], self.composer.vocabulary.hold
        self.event[act, at] = event
        whose = np.repeat(act, length)
        cells = np.repeat(at - np.cumsum(length) + length, length) + np.arange(length.sum())
        self.ends[whose, cells] = np.repeat(at + length, length)
        self.sound[act] = np.where(event == hold, self.sound[act], event)
        self.compass[act] = widened(self.compass[act], event, self.composer.vocabulary)
        bars_ago = slice(None, len(LAGS))
        same = (context.look_event == event[:, None]).all(-1) & (context.look_length == length[:, None])
        self.agreed[act] = np.where(same[:, bars_ago], self.agreed[act] + length[:, None], 0)
        self._remember(event, length)
        self.previous_event[act], self.previous_length[act] = event, length
        self.at[act] = at + length

    def drop_ended(self) -> Flags:
        """Go on with the pieces that have not ended: which of the active ones these are."""
        goes_on: Flags = self.at[self.active] < self.steps[self.active]
        self.active = self.active[goes_on]
        return goes_on

    def _remember(self, event: Ints, length: Ints) -> None:
        """Take a slice of every active piece into the tallies, and into what later ones are matched with."""
        v, act, k = self.composer.vocabulary, self.active, self.count[self.active]
        quarters = length / v.steps_per_quarter
        self.tally[act] = add_to_tally(self.tally[act], pitch_classes(self.sound[act], v), quarters)
        names = slice_names(event, length)
        self.names[act, k] = names
        self.slices[act, k] = np.concatenate([event, length[:, None]], axis=1)
        self.count[act] = k + 1
        # A place matches as far as the one before it did and a slice further, if the slices are the same.
        first, latest = max(0, int(k.min()) + 1 - MEMORY), int(k.max())
        places = np.arange(first, latest)
        same = self.names[act, first:latest] == names[:, None]
        same &= (places < k[:, None]) & (places > k[:, None] - MEMORY)
        self.matched[act, first + 1 : latest + 1] = np.where(same, self.matched[act, first:latest] + length[:, None], 0)
        self.matched[act, first] = 0

    def resample(self, rows: Ints, ancestors: Ints) -> None:
        """Let rows go on from where others of the same piece stand."""
        own = [getattr(self, name) for name in _PAST]
        for array in (*own, self.event, self.ends, self.names, self.slices, self.nats, *self.state):
            array[rows] = array[ancestors]
        if self.limits:
            self.limits.resample(rows, ancestors)

    def filling(self, row: int) -> Filling:
        """The piece of a row."""
        template = self.templates[row]
        symbols = self.composer.vocabulary.decode(self.event[row, : self.steps[row]])
        symbols = np.where((symbols == HOLD) & (sounding(symbols) == REST), REST, symbols).astype(np.uint8)
        return Filling(template.roll.with_symbols(symbols), float(self.nats[row]))

    def fillings(self) -> list[Filling]:
        """Of all rows, in order."""
        return [self.filling(row) for row in range(len(self.templates))]

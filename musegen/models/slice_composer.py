"""Composing left to right: the sampler that all families of slices share, in numpy.

Pieces of a batch advance together, each at its own pace: a turn of the loop draws one slice of every piece that has not
ended, voice by voice, then its length.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Filling, Sampling
from musegen.models.features import Features
from musegen.models.numpy_layers import Floats, pick, summed_rows, surprise
from musegen.models.slice_voices import SliceVoices
from musegen.models.slices import LAGS, Context, Frame, Ints, run_level
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, sounding
from musegen.representation.template import Template

_FRAME = tuple(Frame.__dataclass_fields__)
_LAGS = np.array(LAGS)

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
        self.tables = weights["tables"]
        self.trunk = trunk
        self.voices = SliceVoices(vocabulary, weights)
        self.in_range = vocabulary.in_range()

    def fill(self, templates: Sequence[Template], how: Sampling, pieces: Sequence[int]) -> list[Filling]:
        """Compose each template's notes; every cell must be open."""
        if any(not template.open.all() or template.allowed is not None for template in templates):
            raise MusegenError(
                "this family writes whole pieces, and cannot keep given notes yet",
                "Use a model of the family minibach.",
            )
        run = Run(self, templates, self.start(how, pieces))
        chances = np.zeros((len(templates), int(run.steps.max(initial=0)), self.vocabulary.voices + 1))
        for own, piece, steps in zip(chances, pieces, run.steps, strict=True):
            own[:steps] = how.generator(piece).random((steps, chances.shape[2]))
        turn = 0
        while len(run.active):
            drawn = chances[run.active, turn]
            run.advance(lambda column, logits: pick(logits, how, drawn[:, column]))  # noqa: B023
            turn += 1
        return run.fillings()

    def start(self, how: Sampling, pieces: Sequence[int]) -> State:
        """The trunk's state before each piece."""
        return self.trunk.start(len(pieces))


class Run:
    """A batch of pieces in the making (B pieces, S steps of the longest, V voices, L lags)."""

    def __init__(self, composer: SliceComposer, templates: Sequence[Template], state: State) -> None:
        self.composer, self.templates = composer, templates
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
        self.at = np.zeros(b, np.int64)
        self.nats = np.zeros(b)
        self.active: Ints = np.flatnonzero(self.at < self.steps)
        self.state = tuple(part[self.active] for part in state)  # of the active pieces alone

    def context(self) -> Context:
        """What is known of the next slice of each active piece."""
        v, act, at = self.composer.vocabulary, self.active, self.at[self.active]
        now = dict(zip(_FRAME, self.known[:, act, at], strict=True))
        there = at[:, None] - now.pop("bar_steps")[:, None] * _LAGS
        seen, where = there >= 0, np.maximum(there, 0)
        rows = act[:, None]
        return Context(
            before=self.sound[act],
            previous_event=self.previous_event[act],
            previous_length=self.previous_length[act],
            look_event=np.where(seen[..., None], self.event[rows, where], v.none),
            look_length=np.where(seen, self.ends[rows, where] - where, 0),
            run=run_level(self.agreed[act] / v.steps_per_quarter),
            joint=now.pop("joint") != 0,
            **now,
        )

    def advance(self, choose: Callable[[int, Floats], Ints]) -> None:
        """Draw one slice of every active piece.

        Args:
            choose: column of the draw (voices in drawing order, then the length) and (n, K) logits -> (n,) classes.
        """
        composer, act = self.composer, self.active
        hold = composer.vocabulary.hold
        context = self.context()
        rows = composer.features.rows(context) + composer.features.offsets
        read, after = composer.trunk.step(summed_rows(composer.tables, rows), self.state)
        nats = self.nats[act]

        def choose_in_range(column: int, voice: int | None, logits: Floats) -> Ints:
            allowed = logits if voice is None else np.where(composer.in_range[voice], logits, -np.inf)
            chosen = choose(column, allowed)
            np.add(nats, surprise(logits, chosen), out=nats)
            return chosen

        event, length = composer.voices.draw(read, context, choose_in_range)
        self.nats[act] = nats
        at = self.at[act]
        self.event[act, at] = event
        whose = np.repeat(act, length)
        cells = np.repeat(at - np.cumsum(length) + length, length) + np.arange(length.sum())
        self.ends[whose, cells] = np.repeat(at + length, length)
        self.sound[act] = np.where(event == hold, self.sound[act], event)
        same = (context.look_event == event[:, None]).all(-1) & (context.look_length == length[:, None])
        self.agreed[act] = np.where(same, self.agreed[act] + length[:, None], 0)
        self.previous_event[act], self.previous_length[act] = event, length
        self.at[act] = at + length
        goes_on = self.at[act] < self.steps[act]
        self.active = act[goes_on]
        self.state = after if goes_on.all() else tuple(part[goes_on] for part in after)

    def fillings(self) -> list[Filling]:
        """The pieces, in order."""
        filled = []
        for i, template in enumerate(self.templates):
            symbols = self.composer.vocabulary.decode(self.event[i, : self.steps[i]])
            symbols = np.where((symbols == HOLD) & (sounding(symbols) == REST), REST, symbols).astype(np.uint8)
            filled.append(Filling(template.roll.with_symbols(symbols), float(self.nats[i])))
        return filled

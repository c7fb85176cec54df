"""A roll as slices: the spans in which no voice changes, which left-to-right families read instead of single steps.

Most steps of a roll only hold. A slice begins wherever a voice begins a note or falls silent, and at every bar line;
all voices' symbols at its first step and its length in steps say all there is to say, so the likelihood of the slices
is the likelihood of the roll. A melody's slices are its notes; a chorale's are its chords and passing notes.

What a model may know before it draws a slice is gathered here once, for learning (all slices of a piece) and for
sampling (the next slice of each piece of a batch), so that the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.score import MODES

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LAGS = (1, 2, 4, 8, 16)
"""Bars that a model looks back; tunes repeat their strains after so many."""
_RUN_EDGES = (0.01, 0.51, 1.01, 2.01, 4.01, 8.01, 16.01)
"""Quarters of agreement with the music so many bars ago, in levels."""
RUN_LEVELS = len(_RUN_EDGES) + 1
MAX_BARS_LEFT = 31
BAR_CYCLE = 16
"""Bar numbers are known within this cycle."""
MODE_NAMES = tuple(MODES)
UNKNOWN_TONIC, UNKNOWN_MODE = 12, len(MODES)


@dataclass(frozen=True)
class Frame:
    """What is known of a piece before its notes, for each step, and one step more for the end.

    Attributes:
        position: (steps,) steps since the bar line.
        joint: (steps,) whether a slice begins here even if no voice changes: at the beginning and at bar lines.
        room: (steps,) steps to the next joint or to the end.
        bar_steps: (steps,) length of this bar's metre.
        bar: (steps,) bar number, a pickup being 0.
        bars_left: (steps,) bars still to come after this one.
        metre: (steps,) index in the vocabulary.
        tonic: (steps,) pitch class, or `UNKNOWN_TONIC`.
        mode: (steps,) index in `MODE_NAMES`, or `UNKNOWN_MODE`.
    """

    position: Ints
    joint: Flags
    room: Ints
    bar_steps: Ints
    bar: Ints
    bars_left: Ints
    metre: Ints
    tonic: Ints
    mode: Ints

    @classmethod
    def of(cls, roll: Roll, vocabulary: Vocabulary) -> Frame:
        """Read a roll's metres and keys; its symbols play no part."""
        steps = roll.steps
        bar, position = roll.clock()
        starts = roll.bar_starts()
        room, bar_steps, metre = (np.zeros(steps, np.int64) for _ in range(3))
        joint = np.zeros(steps, bool)
        ends = [start for _, start, _ in starts[1:]] + [steps]
        for (_, start, signature), end in zip(starts, ends, strict=True):
            # A bar longer than any in training is cut, so that its slices still have lengths the model knows.
            cycle = np.arange(end - start) % vocabulary.longest_bar
            joint[start:end] = cycle == 0
            room[start:end] = np.minimum(np.arange(end - start, 0, -1), vocabulary.longest_bar - cycle)
            bar_steps[start:end] = roll.steps_of(signature)
            metre[start:end] = vocabulary.metre_index(signature)
        tonic = np.full(steps, UNKNOWN_TONIC, np.int64)
        mode = np.full(steps, UNKNOWN_MODE, np.int64)
        for start, key in roll.keys:
            tonic[start:], mode[start:] = key.tonic, MODE_NAMES.index(key.mode)
        last = starts[-1][0] if starts else 0
        number = bar.astype(np.int64)
        return cls(position.astype(np.int64), joint, room, bar_steps, number, last - number, metre, tonic, mode)


@dataclass(frozen=True)
class Slices:
    """A piece's slices, in order (n slices, V voices, L lags).

    Attributes:
        start: (n,) first step.
        length: (n,) steps, at least 1 and at most `room`.
        event: (n, V) classes; `hold` where a voice goes on, sounding or silent.
        context: what is known before each slice is drawn.
    """

    start: Ints
    length: Ints
    event: Ints
    context: Context


@dataclass(frozen=True)
class Context:
    """What is known before slices are drawn (n slices of one piece, or one of each of n pieces).

    Attributes:
        before: (n, V) class that sounded, or `rest`.
        previous_event: (n, V) the slice before; `none` at the beginning.
        previous_length: (n,) its length, 0 at the beginning.
        look_event: (n, L, V) events at the same place so many bars ago; `none` before the beginning.
        look_length: (n, L) how long that slice lasted from there, 0 before the beginning.
        run: (n, L) level of how long the piece has agreed with itself so many bars ago.
        position, joint, room, bar, bars_left, metre, tonic, mode: (n,) as in `Frame`. Where there is no joint, some
            voice must begin a note or fall silent.
    """

    before: Ints
    previous_event: Ints
    previous_length: Ints
    look_event: Ints
    look_length: Ints
    run: Ints
    position: Ints
    joint: Flags
    room: Ints
    bar: Ints
    bars_left: Ints
    metre: Ints
    tonic: Ints
    mode: Ints


def run_level(quarters: NDArray[np.float64]) -> Ints:
    """Quarters of agreement -> level."""
    return np.digitize(quarters, _RUN_EDGES).astype(np.int64)


def events_of(symbols: NDArray[np.uint8], vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """(S, V) symbols -> (S, V) events, and (S + 1, V) what sounds before each step.

    A rest that goes on becomes a hold: nothing changes.
    """
    voices = symbols.shape[1]
    sound = np.concatenate([np.full((1, voices), REST, np.uint8), sounding(symbols)])
    goes_on = (symbols == HOLD) | ((symbols == REST) & (sound[:-1] == REST))
    events = vocabulary.encode(np.where(goes_on, HOLD, symbols).astype(np.uint8))
    return events, vocabulary.encode(sound)


def slice_roll(roll: Roll, vocabulary: Vocabulary) -> Slices:
    """Cut a roll into slices.

    Raises:
        MusegenError: a pitch lies outside the vocabulary.
    """
    frame = Frame.of(roll, vocabulary)
    event, sound = events_of(roll.symbols, vocabulary)
    steps, voices = event.shape
    begins = (event != vocabulary.hold).any(1)
    start = np.flatnonzero(begins | frame.joint)
    length = np.diff(start, append=steps)
    remaining = np.repeat(start + length, length) - np.arange(steps)  # steps to the next slice, for every step

    there = start[:, None] - frame.bar_steps[start][:, None] * np.array(LAGS)  # (n, L)
    seen = there >= 0
    look_event = np.where(seen[..., None], event[np.maximum(there, 0)], vocabulary.none)
    look_length = np.where(seen, remaining[np.maximum(there, 0)], 0)
    agreed = (look_event == event[start][:, None]).all(-1) & (look_length == length[:, None])
    run = np.zeros((len(start), len(LAGS)))
    total = np.cumsum(length)[:, None] * np.ones((1, len(LAGS)))
    broken = np.maximum.accumulate(np.where(agreed, 0, total), axis=0)
    run[1:] = (total - broken)[:-1] / vocabulary.steps_per_quarter

    context = Context(
        before=sound[start],
        previous_event=np.concatenate([np.full((1, voices), vocabulary.none), event[start[:-1]]]),
        previous_length=np.concatenate([[0], length[:-1]]),
        look_event=look_event,
        look_length=look_length,
        run=run_level(run),
        position=frame.position[start],
        joint=frame.joint[start],
        room=frame.room[start],
        bar=frame.bar[start],
        bars_left=frame.bars_left[start],
        metre=frame.metre[start],
        tonic=frame.tonic[start],
        mode=frame.mode[start],
    )
    return Slices(start, length, event[start], context)

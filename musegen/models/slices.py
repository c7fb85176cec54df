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

from musegen.models.recall import LAGS, agreement, longest_match, pitch_classes, run_level, slice_names, tallies
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.score import MODES

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MAX_BARS_LEFT = 31
MAX_LEFT = 16
"""Quarters before the end from which on the end is counted down."""
STAGES = 12
"""Bars after which a voice's compass counts for settled."""
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
        left: (steps,) quarters to the end of the piece, begun ones counted, at most `MAX_LEFT`.
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
    left: Ints
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
        left = np.minimum(-(np.arange(-steps, 0) // roll.steps_per_quarter), MAX_LEFT)
        return cls(position.astype(np.int64), joint, room, bar_steps, number, last - number, left, metre, tonic, mode)


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
        look_event: (n, L, V) events at each place looked back to: so many bars ago, then after the longest match;
            `none` where there is no such place.
        look_length: (n, L) how long that slice lasted from there, 0 where there is none.
        run: (n, L) level of how long the piece has agreed with what led to that place.
        compass: (n, V, 2) lowest and highest class that each voice has sounded, `rest` before its first note.
        tally: (n, H, 12) share of each pitch class in what has sounded, of late and longer ago; 0 at the beginning.
        position, joint, room, bar, bars_left, left, metre, tonic, mode: (n,) as in `Frame`. Where there is no joint,
            some voice must begin a note or fall silent.
    """

    before: Ints
    previous_event: Ints
    previous_length: Ints
    look_event: Ints
    look_length: Ints
    run: Ints
    compass: Ints
    tally: NDArray[np.float64]
    position: Ints
    joint: Flags
    room: Ints
    bar: Ints
    bars_left: Ints
    left: Ints
    metre: Ints
    tonic: Ints
    mode: Ints


def events_of(symbols: NDArray[np.uint8], vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """(S, V) symbols -> (S, V) events, and (S + 1, V) what sounds before each step.

    A rest that goes on becomes a hold: nothing changes.
    """
    voices = symbols.shape[1]
    sound = np.concatenate([np.full((1, voices), REST, np.uint8), sounding(symbols)])
    goes_on = (symbols == HOLD) | ((symbols == REST) & (sound[:-1] == REST))
    events = vocabulary.encode(np.where(goes_on, HOLD, symbols).astype(np.uint8))
    return events, vocabulary.encode(sound)


def widened(compass: Ints, event: Ints, vocabulary: Vocabulary) -> Ints:
    """(..., V, 2) lowest and highest so far and (..., V) events -> the same with the notes that begin."""
    note, first = event < vocabulary.pitches, compass[..., 0] == vocabulary.rest
    low = np.where(note, np.where(first, event, np.minimum(compass[..., 0], event)), compass[..., 0])
    high = np.where(note, np.where(first, event, np.maximum(compass[..., 1], event)), compass[..., 1])
    return np.stack([low, high], axis=-1)


def compass_before(event: Ints, vocabulary: Vocabulary) -> Ints:
    """(n, V) events -> (n, V, 2) lowest and highest class that each voice sounded before; `rest` where none yet."""
    note = event < vocabulary.pitches
    low = np.minimum.accumulate(np.where(note, event, vocabulary.rest), axis=0)
    high = np.maximum.accumulate(np.where(note, event, -1), axis=0)
    after = np.stack([low, np.where(high < 0, vocabulary.rest, high)], axis=-1)
    return np.concatenate([np.full_like(after[:1], vocabulary.rest), after[:-1]])


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
    run = agreement(agreed, length)
    lag, matched = longest_match(slice_names(event[start], length), length)
    match, found = np.maximum(np.arange(len(start)) - lag, 0), lag > 0
    look_event = np.concatenate(
        [look_event, np.where(found[:, None], event[start][match], vocabulary.none)[:, None]], 1
    )
    look_length = np.concatenate([look_length, np.where(found, length[match], 0)[:, None]], 1)
    quarters = np.concatenate([run, matched[:, None]], 1) / vocabulary.steps_per_quarter

    context = Context(
        before=sound[start],
        previous_event=np.concatenate([np.full((1, voices), vocabulary.none), event[start[:-1]]]),
        previous_length=np.concatenate([[0], length[:-1]]),
        look_event=look_event,
        look_length=look_length,
        run=run_level(quarters),
        compass=compass_before(event[start], vocabulary),
        tally=tallies(pitch_classes(sound[1:][start], vocabulary), length / vocabulary.steps_per_quarter),
        position=frame.position[start],
        joint=frame.joint[start],
        room=frame.room[start],
        bar=frame.bar[start],
        bars_left=frame.bars_left[start],
        left=frame.left[start],
        metre=frame.metre[start],
        tonic=frame.tonic[start],
        mode=frame.mode[start],
    )
    return Slices(start, length, event[start], context)

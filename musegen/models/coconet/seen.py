"""What Coconet sees of cells some of which are hidden: rows of its tables for each step, and the pitches that it hears.

The same code reads for learning and for composing, so that the two cannot drift apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from musegen.models.coconet.cells import BEGINNING, Cells, above_c, candidates, hidden_class, lags
from musegen.models.minibach.melody import BELOW
from musegen.models.recall import STRAIN
from musegen.models.slices import MAX_LEFT, MODE_NAMES, Flags, Ints
from musegen.models.vocabulary import Vocabulary

SPAN = 24
"""Semitones to either side that intervals are told apart; those further off count as the furthest."""
INTERVALS = 2 * SPAN + 1
FARTHEST = 4
"""Quarters up to which the distance to the events before and after is told."""
MOTIONS = 12 * 3
"""How two voices stood and how one of them moved; and how they stand and the other moves."""
BOOST = 8.0
"""By how much the table of motions is multiplied before it counts, as in `relations`."""


def references(vocabulary: Vocabulary) -> int:
    """Pitches to which each voice hears intervals: of the other voices, of its own before and after, at each lag."""
    return vocabulary.voices + 1 + len(lags(vocabulary))


def centres(vocabulary: Vocabulary) -> Ints:
    """(V, R) the interval in the middle of those told apart: how far apart two voices usually are."""
    middles = [(lowest + highest) // 2 for lowest, highest in vocabulary.ranges]
    alone = [0] * (references(vocabulary) - vocabulary.voices + 1)
    return np.array(
        [[middle - other for u, other in enumerate(middles) if u != v] + alone for v, middle in enumerate(middles)]
    )


def pairs(vocabulary: Vocabulary) -> tuple[Ints, Ints]:
    """The upper and the lower voice of every pair."""
    upper, lower = np.triu_indices(vocabulary.voices, 1)
    return upper, lower


def tables(vocabulary: Vocabulary) -> list[int]:
    """How many rows each column of `Seen.rows` may name, before the tables are put one after another."""
    v, pitch = vocabulary, candidates(vocabulary)
    frame = [v.longest_bar * (len(v.metres) + 1), 12, len(MODE_NAMES), BEGINNING + 1, MAX_LEFT + 1, STRAIN]
    symbols = [2 * pitch + 4] * (v.voices * (1 + len(lags(v))))
    neighbours = [pitch + 1] * (2 * v.voices)
    distances = [_farthest(v) + 1] * (2 * v.voices)
    return [*frame, *symbols, *neighbours, *distances, *[INTERVALS + 1] * len(pairs(v)[0])]


def _farthest(vocabulary: Vocabulary) -> int:
    """Steps up to which the distance to the events before and after is told."""
    return FARTHEST * vocabulary.steps_per_quarter


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen of cells, some of which are hidden. Pitches are counted from the tonic; -1 is none.

    Attributes:
        rows: (..., T, F) rows of the one table in which all tables follow one another.
        heard: (..., T, V, R) pitches to which each voice hears intervals.
        motion: (..., T, V, 2(V - 1)) for each other voice, where both are known just before: how they stood and how the
            other moved since; then the same for where this voice will go next, seen backwards. `MOTIONS` for none.
        against: (..., T, V, 2(V - 1)) the other voice's pitch that goes with it.
        own: (..., T, V, 2(V - 1)) the voice's own pitch from which it comes, and to which it will go.
    """

    rows: Ints
    heard: Ints
    motion: Ints
    against: Ints
    own: Ints

    def before(self, vocabulary: Vocabulary) -> Ints:
        """(..., T, V) the pitch last known to sound in a voice before each step; the number of candidates for none."""
        heard = self.heard[..., vocabulary.voices - 1]
        return np.where(heard < 0, candidates(vocabulary), heard)

    @classmethod
    def of(cls, cells: Cells, hidden: Flags, vocabulary: Vocabulary) -> Seen:
        """Read cells, (..., T, V) some of them hidden."""
        v, count = vocabulary, candidates(vocabulary)
        shift = BELOW - above_c(cells.frame[..., 1:2])
        event = np.where(hidden, hidden_class(v), cells.event)
        sound = known_sound(event, v)
        note = np.where(sound < v.pitches, sound + shift, -1)
        symbol = np.where(sound < v.pitches, note, 2 * count + np.minimum(event, hidden_class(v)) - v.rest)
        symbol = np.where((event == v.hold) & (note >= 0), note + count, symbol)
        far = _at_lags(symbol, cells.apart, 2 * count + v.none - v.rest)  # (..., T, G, V)
        onset = np.where(event < v.pitches, event + shift, -1)
        before, after, since, until, coming = _neighbours(event, note, onset, v)
        upper, lower = pairs(v)
        middle = centres(v)[upper, lower - 1]
        gap = np.clip(note[..., upper] - note[..., lower] - middle + SPAN, 0, INTERVALS - 1)
        gap = np.where((note[..., upper] >= 0) & (note[..., lower] >= 0), gap, INTERVALS)
        columns = [
            cells.frame,
            symbol,
            far.reshape(*far.shape[:-2], -1),
            np.where(before < 0, count, before),
            np.where(after < 0, count, after),
            np.minimum(since, _farthest(v)),
            np.minimum(until, _farthest(v)),
            gap,
        ]
        rows = np.concatenate(columns, axis=-1) + np.cumsum([0, *tables(v)[:-1]])
        others = [np.delete(note, voice, axis=-1) for voice in range(v.voices)]
        far_note = np.where(far < 2 * count, far % count, -1).swapaxes(-1, -2)  # (..., T, V, G)
        near = [np.stack(others, axis=-2), before[..., None], after[..., None], far_note]
        return cls(rows, np.concatenate(near, axis=-1), *_motions(note, onset, coming, v))


def _motions(note: Ints, onset: Ints, coming: Ints, vocabulary: Vocabulary) -> tuple[Ints, Ints, Ints]:
    """`Seen.motion`, `against` and `own` from (..., T, V) what sounds, begins, and when each voice's next event is."""
    everyone = range(vocabulary.voices)
    others = np.array([[u for u in everyone if u != voice] for voice in everyone], np.int64)
    beyond = np.full_like(note[..., :1, :], -1)
    earlier = np.concatenate([beyond, note[..., :-1, :]], axis=-2)
    later, begun = (np.concatenate([each, beyond], axis=-2) for each in (note, onset))

    def then(voice: int, step: Ints) -> Ints:
        return np.take_along_axis(later[..., others[voice]], step[..., voice, None], axis=-2)

    there = np.stack([then(voice, coming) for voice in everyone], axis=-2)
    just_before = np.stack([then(voice, np.maximum(coming - 1, 0)) for voice in everyone], axis=-2)
    reached = np.take_along_axis(begun, coming, axis=-2)
    was = np.concatenate([earlier[..., others], there], axis=-1)
    now = np.concatenate([note[..., others], just_before], axis=-1)
    own = np.concatenate([np.repeat(each[..., None], others.shape[1], axis=-1) for each in (earlier, reached)], axis=-1)
    known = (own >= 0) & (was >= 0) & (now >= 0)
    return np.where(known, (own - was) % 12 * 3 + np.sign(now - was) + 1, MOTIONS), now, own


@cache
def motion_map(vocabulary: Vocabulary) -> Ints:
    """(P + 1, P + 1, P): another's pitch and one's own -> how each candidate stands to the one and goes from the other.

    The last row, -1, is for none.
    """
    pitch = np.arange(candidates(vocabulary))
    with_none = np.append(pitch, 0)
    return np.asarray((pitch - with_none[:, None, None]) % 12 * 3 + np.sign(pitch - with_none[:, None]) + 1)


def known_sound(event: Ints, vocabulary: Vocabulary) -> Ints:
    """(..., T, V) classes, some hidden -> what sounds: a pitch, `rest`, `none`, or `hold` where it does not follow."""
    v, steps = vocabulary, event.shape[-2]
    now = np.arange(1, steps + 1)[:, None]
    latest = np.maximum.accumulate(np.where(event == v.hold, 0, now), axis=-2)
    unknown = np.full_like(event[..., :1, :], v.hold)
    padded = np.concatenate([unknown, np.where(event == hidden_class(v), v.hold, event)], axis=-2)
    return np.take_along_axis(padded, latest, axis=-2)


def _neighbours(event: Ints, note: Ints, onset: Ints, vocabulary: Vocabulary) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """What is known of each voice before and after each step, (..., T, V) each.

    Returns:
        The pitch last known to sound before, the next that is known to begin, -1 for none; the steps since the last
        known event, at or before the step, and until the next; and the step at which something comes that is no hold,
        known or not, the number of steps when nothing does.
    """
    steps = event.shape[-2]
    now = np.arange(steps)[:, None]
    beyond = np.full_like(note[..., :1, :], -1)
    latest = np.maximum.accumulate(np.where(note >= 0, now + 1, 0), axis=-2)
    earlier = np.concatenate([np.zeros_like(latest[..., :1, :]), latest[..., :-1, :]], axis=-2)
    before = np.take_along_axis(np.concatenate([beyond, note], axis=-2), earlier, axis=-2)
    after = np.take_along_axis(np.concatenate([onset, beyond], axis=-2), _next(onset >= 0), axis=-2)
    known = event <= vocabulary.rest
    since = now - np.maximum.accumulate(np.where(known, now, -steps), axis=-2)
    return before, after, since, _next(known) - now, _next(event != vocabulary.hold)


def _next(marked: Flags) -> Ints:
    """(..., T, V) the next step, after each, that is marked; T for none."""
    steps = marked.shape[-2]
    reached = np.where(marked, np.arange(steps)[:, None], steps)
    coming = np.flip(np.minimum.accumulate(np.flip(reached, -2), axis=-2), -2)
    return np.concatenate([coming[..., 1:, :], np.full_like(coming[..., :1, :], steps)], axis=-2)


def _at_lags(symbol: Ints, apart: Ints, none: int) -> Ints:
    """(..., T, V) what is seen of each cell and (..., T, G) steps -> (..., T, G, V) what is seen there."""
    padded = np.concatenate([symbol, np.full_like(symbol[..., :1, :], none)], axis=-2)
    where = np.where(apart < 0, symbol.shape[-2], apart)
    flat = np.take_along_axis(padded, where.reshape(*where.shape[:-2], -1, 1), axis=-2)
    return flat.reshape(*where.shape, symbol.shape[-1])


@cache
def interval_map(vocabulary: Vocabulary) -> Ints:
    """(V, R, P + 1, P): a pitch that is heard -> which interval each candidate makes with it.

    The last row, -1, is `INTERVALS`, which stands for none.
    """
    pitch = np.arange(candidates(vocabulary))
    gap = pitch - pitch[:, None] - centres(vocabulary)[..., None, None]
    return np.pad(np.clip(gap + SPAN, 0, INTERVALS - 1), [(0, 0)] * 2 + [(0, 1), (0, 0)], constant_values=INTERVALS)

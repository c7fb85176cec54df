"""A score <-> a roll: exact for whatever fits the grid, and told note by note for what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import lcm

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.roll import HOLD, REST, Roll, StepChanges, T
from musegen.score import Changes, Note, Score, Voice

GRIDS = (4, 6, 8, 12, 16, 24)
"""The grids offered, in steps per quarter, coarsest first: sixteenths, triplet eighths, and finer ones."""

FINEST = 96
"""No grid is finer, in steps per quarter."""

MAX_STEPS = 2**20
"""No piece is longer: twelve hours of quarters at 120 a minute on a grid of 12."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Something that did not fit the grid.

    Attributes:
        what: `note`, `key`, `tempo`, or `end` for the end of the piece.
        onset: where it stood, in quarters.
        by: how far its beginning went, in quarters; below 0 is earlier.
        end_by: how far the end of a note went, in quarters.
        dropped: whether something else took its step.
        voice: index of a note's voice, from 0.
        pitch: of a note.
    """

    what: str
    onset: Fraction
    by: Fraction
    end_by: Fraction = Fraction(0)
    dropped: bool = False
    voice: int = 0
    pitch: int = 0

    @property
    def farthest(self) -> Fraction:
        """How far it went at most, beginning or end, in quarters."""
        return max(abs(self.by), abs(self.end_by))


@dataclass(frozen=True, eq=False)
class Encoded:
    """A score on a grid, and what that cost.

    Attributes:
        score: what was encoded.
        roll: on the grid.
        moved: what did not fit, voice by voice; empty when decoding gives back the very same score.
    """

    score: Score
    roll: Roll
    moved: tuple[Moved, ...] = ()

    def summary(self) -> str:
        """One line, such as `12 of 340 notes moved, by at most 1/24 quarter`; empty when all fits."""
        total = sum(len(voice.notes) for voice in self.score.voices)
        notes = [each for each in self.moved if each.what == "note"]
        shifted = [each.farthest for each in notes if not each.dropped]
        dropped = len(notes) - len(shifted)
        others = len(self.moved) - len(notes)
        parts = []
        if shifted:
            parts.append(f"{len(shifted)} of {total} notes moved, by at most {max(shifted)} quarter")
        if dropped:
            parts.append(f"{dropped} of {total} notes dropped")
        if others:
            parts.append(f"{others} {'change' if others == 1 else 'changes'} of key, tempo or length moved")
        return "; ".join(parts)

    def lines(self) -> Iterator[str]:
        """Each thing moved with its place, such as `bar 3, beat 2: note 60 of voice 1 moved by 1/24 quarter`."""
        for each in self.moved:
            name = f"note {each.pitch} of voice {each.voice + 1}" if each.what == "note" else each.what
            if each.dropped:
                fate = "dropped, its step is taken"
            else:
                ways = [(each.by, "moved by")] if each.by else []
                ways += [(each.end_by, "its end by")] if each.end_by else []
                fate = ", ".join(f"{way} {by} quarter" for by, way in ways)
            yield f"{self.score.place(each.onset)}: {name} {fate}"


def encode(score: Score, steps_per_quarter: int = 4) -> Encoded:
    """Put a score on a grid.

    Beginnings and ends of notes go to the nearest step, halfway to the later one, so that a note on the beat keeps its
    step and the one in between gives way. A note too short for any step gets one. Of several notes of a voice that
    fall on one step, the longest stays (of equals the nearest to the step) and the others are reported as dropped.
    Changes of key and tempo go to the nearest step; the last one on a step holds. A piece that ends inside a step ends
    after it.

    Args:
        score: its voices sound one note at a time.
        steps_per_quarter: the grid, 1 to 96.

    Returns:
        The roll, and what did not fit. When nothing was moved, `decode` gives back an equal score.

    Raises:
        MusegenError: bars, metre changes or the pickup do not fall on steps; a voice sounds two notes at once; a pitch
            is no MIDI pitch; the grid or the piece is out of bounds.
    """
    if not 1 <= steps_per_quarter <= FINEST:
        raise MusegenError(f"{steps_per_quarter} steps per quarter is no grid", f"Use 1 to {FINEST}.")
    _check_bars(score, steps_per_quarter)
    end = score.duration * steps_per_quarter
    steps = -int(-end // 1)
    if steps > MAX_STEPS:
        raise MusegenError(
            f"the piece lasts {float(score.duration):.0f} quarters, too many for {steps_per_quarter} steps each",
            "Cut it into pieces, or use a coarser grid.",
        )
    moved: list[Moved] = []
    columns = [_starts(score, voice, steps_per_quarter, moved) for voice in range(len(score.voices))]
    # A note that would have had no step may have been given one past the end.
    steps = max([steps, *(ends[-1] for _, ends, _ in columns if ends)])
    symbols = np.full((steps, len(columns)), REST, np.uint8)
    fermatas: list[tuple[int, int]] = []
    for voice, (starts, ends, notes) in enumerate(columns):
        sounds = np.zeros(steps + 1, np.int8)
        sounds[starts] = 1
        sounds[ends] -= 1
        column = symbols[:, voice]
        column[np.cumsum(sounds[:-1], dtype=np.int8) == 1] = HOLD
        column[starts] = [note.pitch for note in notes]
        fermatas += [(start, voice) for start, note in zip(starts, notes, strict=True) if note.fermata]
    if end != steps:
        moved.append(Moved("end", score.duration, Fraction(steps, steps_per_quarter) - score.duration))
    names = tuple(voice.name for voice in score.voices)
    programs = tuple(voice.program for voice in score.voices)
    roll = Roll(
        symbols,
        steps_per_quarter,
        metres=tuple((int(onset * steps_per_quarter), metre) for onset, metre in score.metres),
        pickup=int(score.pickup * steps_per_quarter),
        keys=_changes("key", score.keys, steps_per_quarter, moved),
        tempi=_changes("tempo", score.tempi, steps_per_quarter, moved),
        fermatas=frozenset(fermatas),
        names=names if any(names) else (),
        programs=programs if any(program is not None for program in programs) else (),
        title=score.title,
        composer=score.composer,
    )
    return Encoded(score, roll, tuple(moved))


def decode(roll: Roll) -> Score:
    """Read a roll as a score; the inverse of `encode`.

    A hold with nothing to hold is a rest.
    """
    time = _clock(roll.steps_per_quarter)
    voices = []
    for index in range(roll.voices):
        column = roll.symbols[:, index]
        events = np.flatnonzero(column != HOLD)
        pitches = column[events]
        ends = np.append(events[1:], roll.steps)
        onsets = pitches < REST
        first, last = events[onsets].tolist(), ends[onsets].tolist()
        held = {step for step, voice in roll.fermatas if voice == index}
        notes = tuple(
            Note(time(start), time(end - start), pitch, start in held)
            for start, end, pitch in zip(first, last, pitches[onsets].tolist(), strict=True)
        )
        name = roll.names[index] if roll.names else ""
        voices.append(Voice(notes, name, roll.programs[index] if roll.programs else None))
    return Score(
        tuple(voices),
        metres=tuple((time(step), metre) for step, metre in roll.metres),
        pickup=time(roll.pickup),
        keys=tuple((time(step), key) for step, key in roll.keys),
        tempi=tuple((time(step), tempo) for step, tempo in roll.tempi),
        title=roll.title,
        composer=roll.composer,
        duration=time(roll.steps),
    )


def least_grid(score: Score) -> int:
    """The fewest steps per quarter that hold a score exactly; it may be more than `FINEST`."""
    return lcm(_frame_grid(score), *{d for voice in score.voices for note in voice.notes for d in _denominators(note)})


def _denominators(note: Note) -> tuple[int, int]:
    return note.onset.denominator, note.duration.denominator


def _frame_grid(score: Score) -> int:
    """The fewest steps per quarter on which bars, metre changes, keys, tempi and the end lie."""
    times = [score.pickup, score.duration]
    times += [onset for onset, _ in (*score.metres, *score.keys, *score.tempi)]
    return lcm(*(time.denominator for time in times), *(metre.quarters.denominator for _, metre in score.metres))


def _check_bars(score: Score, steps_per_quarter: int) -> None:
    """Refuse a grid on which some bar line would fall between two steps."""
    where = [(score.pickup, "the pickup")] if score.pickup else []
    where += [(metre.quarters, f"a bar of {metre}") for _, metre in score.metres]
    where += [(onset, f"the change to {metre} after {float(onset):.6g} quarters") for onset, metre in score.metres]
    for time, what in where:
        if steps_per_quarter % time.denominator:
            least = lcm(*(time.denominator for time, _ in where))
            fits = next((grid for grid in GRIDS if grid % least == 0), least)
            raise MusegenError(
                f"{what} is no whole number of steps at {steps_per_quarter} steps per quarter",
                f"Use {fits} steps per quarter." if fits <= FINEST else "No grid holds its bars; correct the metres.",
            )


def _starts(score: Score, index: int, grid: int, moved: list[Moved]) -> tuple[list[int], list[int], list[Note]]:
    """First steps, last steps + 1 and notes of a voice, in order; what does not fit is added to `moved`."""
    notes = score.voices[index].notes
    # Whole numbers only, in a unit that every time of the voice is a multiple of: a Fraction is cut to lowest terms
    # after every sum, which would take most of the time.
    unit = lcm(grid, *{d for note in notes for d in _denominators(note)})
    per_step = unit // grid
    onsets = [note.onset.numerator * (unit // note.onset.denominator) for note in notes]
    ends = [
        onset + note.duration.numerator * (unit // note.duration.denominator)
        for onset, note in zip(onsets, notes, strict=True)
    ]
    if any(onset < end for onset, end in zip(onsets, [0, *ends], strict=False)):
        clash = score.voices[index].overlap() or Fraction(0)
        raise MusegenError(
            f"voice {index + 1} sounds two notes at once at {score.place(clash)}", "Separate its voices first."
        )
    for note in notes:
        if not 0 <= note.pitch < REST:
            raise MusegenError(
                f"voice {index + 1} has pitch {note.pitch} at {score.place(note.onset)}", "MIDI pitches are 0 to 127."
            )
    if per_step == 1:
        return onsets, ends, list(notes)
    if not any(onset % per_step for onset in onsets) and not any(end % per_step for end in ends):
        return [onset // per_step for onset in onsets], [end // per_step for end in ends], list(notes)

    groups: dict[int, list[int]] = {}
    for i, onset in enumerate(onsets):
        groups.setdefault((2 * onset + per_step) // (2 * per_step), []).append(i)
    firsts, lasts, kept = [], [], []
    for start, group in groups.items():
        longest = max(group, key=lambda i: (ends[i] - onsets[i], -abs(onsets[i] - start * per_step)))
        end = max((2 * ends[longest] + per_step) // (2 * per_step), start + 1)
        firsts.append(start)
        lasts.append(end)
        kept.append(notes[longest])
        for i in group:
            by, end_by = start * per_step - onsets[i], end * per_step - ends[i]
            if i != longest or by or end_by:
                dropped = i != longest
                ways = Fraction(by, unit), Fraction(0 if dropped else end_by, unit)
                moved.append(Moved("note", notes[i].onset, *ways, dropped, index, notes[i].pitch))
    return firsts, lasts, kept


def _nearest_step(time: Fraction, grid: int) -> int:
    """The nearest step, halfway the later one."""
    return (2 * time.numerator * grid + time.denominator) // (2 * time.denominator)


def _changes(what: str, changes: Changes[T], grid: int, moved: list[Moved]) -> StepChanges[T]:
    """Changes of key or tempo on their nearest steps."""
    found: dict[int, tuple[Fraction, T]] = {}
    for onset, value in changes:
        step = _nearest_step(onset, grid)
        if step in found:
            before = found[step][0]
            moved.append(Moved(what, before, Fraction(step, grid) - before, dropped=True))
        found[step] = (onset, value)
    for step, (onset, _) in found.items():
        if by := Fraction(step, grid) - onset:
            moved.append(Moved(what, onset, by))
    return tuple((step, value) for step, (_, value) in found.items())


@lru_cache(maxsize=FINEST)
def _clock(grid: int) -> Callable[[int], Fraction]:
    """Steps -> quarters; each Fraction is made once and shared, since making one takes a microsecond."""
    return lru_cache(maxsize=2**16)(lambda step: Fraction(step, grid))

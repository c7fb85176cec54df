"""A tune as it stands on paper, and as it is played."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple, TypeVar

from musegen.errors import MusegenError
from musegen.score import Changes, Key, Metre, Note, Score, Voice

T = TypeVar("T")

ZERO = Fraction(0)


@lru_cache(maxsize=2**16)
def quarters(ticks: int, grid: int) -> Fraction:
    """So many ticks of a grid in quarters. Integers are added and looked up here ten times as fast as fractions add."""
    return Fraction(ticks, grid)


@lru_cache(maxsize=256)
def _whole(metre: Metre) -> Fraction:
    return metre.quarters


def _ticks(duration: Fraction, grid: int) -> int:
    return duration.numerator * (grid // duration.denominator)


class Event(NamedTuple):
    """A written note or rest.

    Attributes:
        duration: quarters, above 0.
        pitch: MIDI pitch, 0-127; None for a rest.
        tied: whether it goes on into the next note played, if that has the same pitch.
        fermata: whether it is held at the player's discretion.
    """

    duration: Fraction
    pitch: int | None
    tied: bool = False
    fermata: bool = False


class WrittenBar(NamedTuple):
    """What stands between two bar lines.

    Attributes:
        events: its notes and rests, at least one.
        duration: quarters; the sum of its events.
        metre: the time signature in force; None when the music is in free time.
        keys: key signatures by offset in the bar, the first at 0; empty when the music has none.
        tempi: quarter notes per minute by offset in the bar, the first at 0; empty when not given.
        section: a repeat sign, a double bar line, an ending or a part begins here.
        opens: a repeat begins here (`|:`).
        closes: how often the repeat sign at its end sends the player back; 0 without one.
        endings: the passes for which the ending that begins here is played; empty when none begins.
        part: the label of the part (`P:`) that begins here, or empty.
    """

    events: tuple[Event, ...]
    duration: Fraction
    metre: Metre | None
    keys: Changes[Key] = ()
    tempi: Changes[float] = ()
    section: bool = False
    opens: bool = False
    closes: int = 0
    endings: frozenset[int] = frozenset()
    part: str = ""


class Span(NamedTuple):
    """A bar of the music played, put together from one or more written bars.

    Attributes:
        onset: quarters from the beginning.
        duration: quarters.
        metre: the time signature; None in free time.
        right: whether it adds up to the metre, or need not (a pickup, the short end of a part).
    """

    onset: Fraction
    duration: Fraction
    metre: Metre | None
    right: bool


@dataclass(frozen=True)
class Line:
    """One voice of a tune.

    Attributes:
        name: may be empty.
        bars: as written.
        order: indices into `bars` with repeats and endings played out.
    """

    name: str
    bars: tuple[WrittenBar, ...]
    order: tuple[int, ...]

    @cached_property
    def pickup(self) -> Fraction:
        """Quarters before the first whole bar; 0 without a pickup."""
        first = self.bars[self.order[0]]
        short = first.metre is not None and first.duration < _whole(first.metre)
        return first.duration if short and len(self.order) > 1 else ZERO

    @cached_property
    def grid(self) -> int:
        """The least number such that every duration is a multiple of that part of a quarter."""
        durations = {event.duration.denominator for bar in self.bars for event in bar.events}
        return math.lcm(*durations, *{_whole(bar.metre).denominator for bar in self.bars if bar.metre})

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The bars of the music played, the pickup included.

        A short bar at the end of a part and the pickup of the part that follows are one bar. What is left of short
        bars is right where a part begins (its pickup) and wrong elsewhere; the last bar may leave out the pickup.
        """
        grid = self.grid
        return tuple(
            Span(quarters(onset, grid), quarters(duration, grid), metre, right)
            for onset, duration, metre, right in self._counted
        )

    @cached_property
    def _counted(self) -> list[tuple[int, int, Metre | None, bool]]:
        """The spans, in ticks of the grid."""
        grid, order = self.grid, self.order
        lengths = [_ticks(bar.duration, grid) for bar in self.bars]
        pickup = _ticks(self.pickup, grid)
        spans: list[tuple[int, int, Metre | None, bool]] = []
        onset, i = 0, 0
        while i < len(order):
            bar = self.bars[order[i]]
            first = duration = lengths[order[i]]
            pieces = 1
            right = True
            if bar.metre and not (i == 0 and pickup):
                whole = _ticks(_whole(bar.metre), grid)
                while duration < whole and self._new_section(i + pieces):
                    duration += lengths[order[i + pieces]]
                    pieces += 1
                if duration != whole and pieces > 1:
                    duration, pieces = first, 1
                ends = i == len(order) - 1 and duration + pickup == whole
                right = duration == whole or (duration < whole and (ends or self._new_section(i)))
            spans.append((onset, duration, bar.metre, right))
            onset += duration
            i += pieces
        return spans

    def _new_section(self, i: int) -> bool:
        """Whether something begins with the i-th bar played, which need not be there."""
        if not 0 < i < len(self.order):
            return False
        return self.bars[self.order[i]].section or self.order[i] != self.order[i - 1] + 1

    @cached_property
    def duration(self) -> Fraction:
        """Quarters played."""
        return self.spans[-1].onset + self.spans[-1].duration

    def voice(self) -> Voice:
        """Play it: ties merged, also over bar lines and repeats."""
        grid = self.grid
        bars = [
            [(_ticks(duration, grid), duration, pitch, tied, fermata) for duration, pitch, tied, fermata in bar.events]
            for bar in self.bars
        ]
        notes: list[Note] = []
        onset = 0
        tied = False
        for i in self.order:
            for ticks, duration, pitch, goes_on, fermata in bars[i]:
                if pitch is not None:
                    if tied and notes[-1].pitch == pitch:
                        last = notes[-1]
                        notes[-1] = Note(last.onset, last.duration + duration, pitch, last.fermata or fermata)
                    else:
                        notes.append(Note(quarters(onset, grid), duration, pitch, fermata))
                tied = goes_on
                onset += ticks
        return Voice(tuple(notes), self.name)

    def metres(self) -> Changes[Metre]:
        """Time signatures, with an entry wherever a bar does not begin where the metre alone would put it."""
        changes: list[tuple[Fraction, Metre]] = []
        anchor = _ticks(self.pickup, self.grid)  # from here on whole bars are counted
        for onset, length, written, _ in self._counted:
            metre = written or _metre_of(quarters(length, self.grid))
            if not changes:
                changes.append((ZERO, metre))
            elif metre != changes[-1][1] or (onset - anchor) % _ticks(_whole(metre), self.grid):
                changes.append((quarters(onset, self.grid), metre))
                anchor = onset
        return tuple(changes)

    def keys(self) -> Changes[Key]:
        """Key signatures of the music played."""
        return self._merged([self.bars[i].keys for i in self.order])

    def tempi(self) -> Changes[float]:
        """Quarter notes per minute of the music played."""
        return self._merged([self.bars[i].tempi for i in self.order])

    def _merged(self, played: list[Changes[T]]) -> Changes[T]:
        """The changes of each bar played in one row, without repetitions, the first at 0."""
        if all(changes == played[0] for changes in played) and len(played[0]) <= 1:
            return played[0]
        found: list[tuple[Fraction, T]] = []
        onset = ZERO
        for i, changes in zip(self.order, played, strict=True):
            for offset, value in changes:
                if not found or found[-1][1] != value:
                    found.append((onset + offset if found else ZERO, value))
            onset += self.bars[i].duration
        return tuple(found)


@dataclass(frozen=True)
class Tune:
    """A tune as written: its header, its voices, and how they are played.

    Attributes:
        fields: header fields by letter, as written, without the comments.
        lines: its voices, in order of appearance; empty when it is refused.
        line: number of the line of the file it begins on, from 1.
        mended: what was unreadable and skipped, one line each.
        refused: why it cannot be played; empty for a sound tune.
    """

    fields: Mapping[str, tuple[str, ...]]
    lines: tuple[Line, ...] = ()
    line: int = 1
    mended: tuple[str, ...] = ()
    refused: str = ""

    @property
    def number(self) -> str:
        """What `X:` says; may be empty."""
        return self.fields.get("X", ("",))[0]

    @property
    def title(self) -> str:
        """The first `T:`; may be empty."""
        return self.fields.get("T", ("",))[0]

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return f"tune {self.number or '?'}" + (f" ({self.title})" if self.title else "") + f", line {self.line}"

    @property
    def bars(self) -> tuple[WrittenBar, ...]:
        """The bars of the first voice, as written."""
        return self.lines[0].bars if self.lines else ()

    @property
    def order(self) -> tuple[int, ...]:
        """Indices into `bars` with repeats and endings played out."""
        return self.lines[0].order if self.lines else ()

    @property
    def spans(self) -> tuple[Span, ...]:
        """The bars of the first voice as played."""
        return self.lines[0].spans if self.lines else ()

    @property
    def wrong_bars(self) -> tuple[int, ...]:
        """Numbers of the bars played that do not add up to their metre, counted as in `Score.bars`."""
        first = 0 if self.lines and self.lines[0].pickup else 1
        return tuple(number for number, span in enumerate(self.spans, first) if not span.right)

    @property
    def wrong_share(self) -> float:
        """Wrong bars among all bars played, 0 to 1."""
        return len(self.wrong_bars) / max(1, len(self.spans))

    def score(self) -> Score:
        """Play it out. Metre, key and tempo are those of the first voice.

        Raises:
            MusegenError: it was refused.
        """
        if self.refused:
            raise MusegenError(f"{self.label}: {self.refused}")
        first = self.lines[0]
        return Score(
            voices=tuple(line.voice() for line in self.lines),
            metres=first.metres(),
            pickup=first.pickup,
            keys=first.keys(),
            tempi=first.tempi(),
            title=self.title,
            composer=self.fields.get("C", ("",))[0],
            duration=max(line.duration for line in self.lines),
        )


@lru_cache(maxsize=256)
def _metre_of(duration: Fraction) -> Metre:
    """A metre as long as this bar of free time; 4/4 when none is."""
    for denominator in (4, 8, 16, 32, 64):
        numerator = duration * denominator / 4
        if numerator.denominator == 1 and 1 <= numerator <= 255:
            return Metre(int(numerator), denominator)
    return Metre(4, 4)

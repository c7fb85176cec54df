"""The form of the shipped music: one piece a line, as JSON that a musician can read.

Times are in 24ths of a quarter note. A voice is written `60:24 62:12 r:12 | 64:24~ | 64:24^`: pitch (or `r`) and
duration, then `~` where a note goes on into the next, `^` where it has a fermata, `|` between bars. Bars are those on
paper; `order` tells in which order they are played, counted from 1 (`1-8 1-7 9`), so that nothing stands twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from musegen.representation import grid
from musegen.representation.roll import HOLD, REST, Roll, T
from musegen.score import Changes, Key, Metre, Note, Score, Voice

TICKS = 24
"""Units of time in a quarter note."""


class Event(NamedTuple):
    """A note or a rest on paper.

    Attributes:
        pitch: MIDI pitch, or `REST`.
        ticks: how long.
        tied: whether it goes on into the next note played, if that has the same pitch.
        fermata: whether it is held at the player's discretion.
    """

    pitch: int
    ticks: int
    tied: bool = False
    fermata: bool = False


@dataclass(frozen=True)
class Line:
    """One voice on paper.

    Attributes:
        name: such as `Soprano`.
        bars: as the line writes them, `60:24 62:24` each.
        order: indices of the bars as they are played.
    """

    name: str
    bars: tuple[str, ...]
    order: tuple[int, ...]

    def played(self) -> list[Event]:
        """What sounds, ties merged."""
        bars = [[_event(word) for word in bar.split()] for bar in self.bars]
        events: list[Event] = []
        tied = False
        for index in self.order:
            for event in bars[index]:
                if tied and events[-1].pitch == event.pitch != REST:
                    last = events[-1]
                    fermata = last.fermata or event.fermata
                    events[-1] = Event(event.pitch, last.ticks + event.ticks, False, fermata)
                else:
                    events.append(event)
                tied = event.tied
        return events


@dataclass(frozen=True)
class Piece:
    """A piece of a shipped corpus.

    Attributes:
        id: its name within the corpus.
        title: may be empty.
        composer: may be empty.
        kind: the dance or genre; may be empty.
        source: the file it was read from, and its number there.
        transcriber: who typed it in, in the words of the source; may be empty.
        metres: as in `Score`, in ticks of the music played.
        pickup: ticks before bar 1.
        signature: sharps at the beginning; flats are negative.
        keys: as in `Score`, in ticks; estimated where the source only has a signature.
        tempi: as in `Score`, in ticks.
        lines: the voices, highest first.
    """

    id: str
    title: str
    composer: str
    kind: str
    source: str
    transcriber: str
    metres: tuple[tuple[int, Metre], ...]
    pickup: int
    signature: int
    keys: tuple[tuple[int, Key], ...]
    tempi: tuple[tuple[int, float], ...]
    lines: tuple[Line, ...]

    @classmethod
    def parse(cls, text: str) -> Piece:
        """Read a line of a corpus file."""
        data = json.loads(text)
        return cls(
            id=data["id"],
            title=data.get("title", ""),
            composer=data.get("composer", ""),
            kind=data.get("kind", ""),
            source=data["source"],
            transcriber=data.get("transcriber", ""),
            metres=tuple((tick, Metre.parse(metre)) for tick, metre in data["metres"]),
            pickup=data.get("pickup", 0),
            signature=data["signature"],
            keys=tuple((tick, Key.parse(key)) for tick, key in data["keys"]),
            tempi=tuple((tick, tempo) for tick, tempo in data.get("tempi", ())),
            lines=tuple(_line(name, bars, data.get("order")) for name, bars in data["voices"].items()),
        )

    def text(self) -> str:
        """Write a line of a corpus file, without its end; what is empty or 0 is left out."""
        data: dict[str, Any] = {
            "id": self.id,
            "title": self.title,
            "composer": self.composer,
            "kind": self.kind,
            "source": self.source,
            "transcriber": self.transcriber,
            "metres": [[tick, str(metre)] for tick, metre in self.metres],
            "pickup": self.pickup,
            "signature": self.signature,
            "keys": [[tick, str(key)] for tick, key in self.keys],
            "tempi": [list(each) for each in self.tempi],
        }
        data = {name: value for name, value in data.items() if value or name in ("signature", "keys")}
        order = self.lines[0].order
        if order != tuple(range(len(self.lines[0].bars))):
            data["order"] = _ranges(order)
        data["voices"] = {line.name: " | ".join(line.bars) for line in self.lines}
        return json.dumps(data, ensure_ascii=False)

    def score(self) -> Score:
        """The piece as it is played."""
        voices = []
        duration = 0
        for line in self.lines:
            notes, onset = [], 0
            for event in line.played():
                if event.pitch != REST:
                    notes.append(Note(_quarters(onset), _quarters(event.ticks), event.pitch, event.fermata))
                onset += event.ticks
            duration = max(duration, onset)
            voices.append(Voice(tuple(notes), line.name))
        return Score(
            tuple(voices),
            metres=_in_quarters(self.metres),
            pickup=_quarters(self.pickup),
            keys=_in_quarters(self.keys),
            tempi=_in_quarters(self.tempi),
            title=self.title,
            composer=self.composer,
            duration=_quarters(duration),
        )

    def roll(self, steps_per_quarter: int) -> Roll:
        """The piece on a grid, its voices highest first; what does not fit goes to the nearest step."""
        return self._exact_roll(steps_per_quarter) or grid.encode(self.score(), steps_per_quarter).roll

    def _exact_roll(self, steps_per_quarter: int) -> Roll | None:
        """What `grid.encode` would give, in whole numbers and ten times as fast; None for what is off the grid."""
        ticks, rest = divmod(TICKS, steps_per_quarter)
        times = [self.pickup, *(tick for changes in (self.metres, self.keys, self.tempi) for tick, _ in changes)]
        bars = [int(metre.quarters * TICKS) for _, metre in self.metres]
        if rest or any(time % ticks for time in (*times, *bars)):
            return None
        columns: list[NDArray[np.uint8]] = []
        fermatas: list[tuple[int, int]] = []
        for voice, line in enumerate(self.lines):
            events = line.played()
            durations = np.array([event.ticks for event in events])
            if (durations % ticks).any():
                return None
            durations //= ticks
            starts = np.cumsum(durations) - durations
            pitches = np.array([event.pitch for event in events], np.uint8)
            column = np.repeat(np.where(pitches == REST, REST, HOLD).astype(np.uint8), durations)
            column[starts] = pitches
            columns.append(column)
            held = pitches[[event.fermata for event in events]] < REST
            steps = starts[[event.fermata for event in events]][held]
            fermatas += [(step, voice) for step in steps.tolist()]
        symbols = np.full((max(map(len, columns)), len(columns)), REST, np.uint8)
        for voice, column in enumerate(columns):
            symbols[: len(column), voice] = column
        return Roll(
            symbols,
            steps_per_quarter,
            metres=tuple((tick // ticks, metre) for tick, metre in self.metres),
            pickup=self.pickup // ticks,
            keys=tuple((tick // ticks, key) for tick, key in self.keys),
            tempi=tuple((tick // ticks, tempo) for tick, tempo in self.tempi),
            fermatas=frozenset(fermatas),
            names=tuple(line.name for line in self.lines),
            title=self.title,
            composer=self.composer,
        )


def written(events: Sequence[Event]) -> str:
    """The events of a bar as the line writes them."""
    return " ".join(
        f"{'r' if event.pitch == REST else event.pitch}:{event.ticks}{'~' * event.tied}{'^' * event.fermata}"
        for event in events
    )


@lru_cache(maxsize=2**14)  # a corpus has few different words
def _event(word: str) -> Event:
    pitch, _, rest = word.partition(":")
    marks = rest.lstrip("0123456789")
    ticks = int(rest[: len(rest) - len(marks)])
    return Event(REST if pitch == "r" else int(pitch), ticks, "~" in marks, "^" in marks)


def _line(name: str, bars: str, order: str | None) -> Line:
    split = tuple(bars.split(" | "))
    if order is None:
        return Line(name, split, tuple(range(len(split))))
    played: list[int] = []
    for each in order.split():
        first, _, last = each.partition("-")
        played += range(int(first) - 1, int(last or first))
    return Line(name, split, tuple(played))


def _ranges(order: Sequence[int]) -> str:
    """`0, 1, 2, 0, 1, 3` -> `1-3 1-2 4`."""
    found: list[list[int]] = []
    for index in order:
        if found and index == found[-1][1] + 1:
            found[-1][1] = index
        else:
            found.append([index, index])
    return " ".join(f"{first + 1}-{last + 1}" if last > first else str(first + 1) for first, last in found)


def _quarters(ticks: int) -> Fraction:
    return Fraction(ticks, TICKS)


def _in_quarters(changes: tuple[tuple[int, T], ...]) -> Changes[T]:
    return tuple((_quarters(tick), value) for tick, value in changes)

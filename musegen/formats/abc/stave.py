"""One voice while it is being read: note by note, bar line by bar line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from musegen.errors import MusegenError
from musegen.formats.abc.fields import ALTERS, LETTERS, SEMITONES, Signature
from musegen.formats.abc.tune import ZERO, Event, WrittenBar, quarters
from musegen.score import Changes, Key, Metre

T = TypeVar("T")

MAX_EVENTS = 50_000
"""Notes and rests written in one voice."""
MAX_QUARTERS = 256
"""The longest note or rest."""
MAX_CHANGES = 100
"""Changes of key and tempo in one bar."""
MAX_GRID = 1_000_000
"""The finest common fraction of a quarter that all durations of a voice may need."""

_ONE = Fraction(1)
_BROKEN = {
    sign * count: (long, 2 - long) if sign == ">" else (2 - long, long)
    for sign in "<>"
    for count, long in enumerate((Fraction(3, 2), Fraction(7, 4), Fraction(15, 8)), 1)
}  # the factors of the note before the sign and of the one after it
_BASE = {letter: 60 + semitones for letter, semitones in SEMITONES.items()} | {
    letter.lower(): 72 + semitones for letter, semitones in SEMITONES.items()
}
_INDEX = {letter: i for i, letter in enumerate(LETTERS)} | {letter.lower(): i for i, letter in enumerate(LETTERS)}
_TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # p notes in the time of so many; 5, 7 and 9 go by the metre
ChordNote = tuple[str | None, str, str, str, bool]
"""Accidental, letter, octave marks, length, whether it is tied."""


@dataclass
class Settings:
    """What a voice begins with.

    Attributes:
        signature: the key.
        metre: None in free time.
        unit: the length `L:` in quarters.
        tempo: quarters per minute, or None.
        shift: semitones by which the voice sounds higher than written.
        part: the part that begins, or empty.
        reach: of an accidental within its bar: `pitch`, `octave` or `not`.
    """

    signature: Signature
    metre: Metre | None
    unit: Fraction
    tempo: float | None = None
    shift: int = 0
    part: str = ""
    reach: str = "pitch"


class Stave:
    """A voice being read.

    An accidental holds for its letter in every octave until the next bar line, which is what the ABC standard (2.1)
    says unless `propagate-accidentals` orders otherwise; printed music would confine it to its octave. A tied note
    keeps its accidental over the bar line.

    Attributes:
        name: as `V:` gives it.
        shift: semitones by which it sounds higher than written.
        unit: the length `L:` in quarters.
        metre: None in free time.
        fermata: whether the next note has one.
        bars: finished ones.
    """

    def __init__(self, settings: Settings) -> None:
        self.name = ""
        self.shift = settings.shift
        self.unit = settings.unit
        self.metre = settings.metre
        self.fermata = False
        self.bars: list[WrittenBar] = []
        self._signature = settings.signature
        self._tempo = settings.tempo
        self._reach = settings.reach
        self._lengths: dict[str, Fraction] = {}
        self._denominators: set[int] = set()
        self._grid = 1
        self._written = 0
        self._altered: dict[int, int] = {}
        self._last = (0, 0)  # the natural pitch and the alteration of the note written last
        self._carried: tuple[int, int] | None = None  # the same of a tied note, until the next note
        self._forked: tuple[int, int] | None = None  # the same, where the first ending began
        self._broken = _ONE
        self._tuplet = _ONE
        self._tuplet_left = 0
        self._overlaid = False
        # The bar being written.
        self._events: list[Event] = []
        self._keys = self._keys_now()
        self._tempi: Changes[float] = ((ZERO, self._tempo),) if self._tempo else ()
        self._bar_metre = self.metre
        # The bar line before it.
        self._section = self._opens = False
        self._endings: frozenset[int] = frozenset()
        self._part = settings.part

    @property
    def at_bar_line(self) -> bool:
        """Whether nothing has been written since the last bar line."""
        return not self._events

    def note(self, accidental: str | None, letter: str, octave: str, length: str) -> None:
        """Write a note."""
        if not self._overlaid:
            self._write(length, self._pitch(accidental, letter, octave))

    def rest(self, length: str) -> None:
        """Write a rest."""
        if not self._overlaid:
            self._write(length, None)

    def chord(self, notes: Sequence[ChordNote], length: str) -> None:
        """Write the top note of a chord; its length is that of the note written first, as the standard has it."""
        if self._overlaid:
            return
        carried = self._carried
        sounding = []
        for accidental, letter, octave, _, tied in notes:
            self._carried = carried
            sounding.append((self._pitch(accidental, letter, octave), tied, self._last))
        pitch, tied, self._last = max(sounding)
        self._write(notes[0][3], pitch, self._length(length) / self.unit)
        if tied:
            self.tie()

    def rest_bars(self, count: int) -> None:
        """Write a rest of whole bars."""
        if self._overlaid:
            return
        for i in range(count):
            if i:
                self.bar_line("|")
            self._append(Event(self.metre.quarters if self.metre else Fraction(4), None))

    def broken(self, sign: str) -> bool:
        """Obey `>`, `<<` and the like; False when no note stands before it in the bar."""
        if self._overlaid:
            return True
        if not self._events:
            return False
        before, self._broken = _BROKEN[sign]
        last = self._events[-1]
        duration = _product(last.duration, before)
        self._check_grid(duration)
        self._events[-1] = last._replace(duration=duration)
        return True

    def tuplet(self, p: int, q: int, r: int) -> bool:
        """The next `r` notes, `p` in the time of `q`; 0 stands for not given. False when it is no tuplet."""
        compound = self.metre is not None and self.metre.beat.numerator % 3 == 0
        q = q or _TUPLETS.get(p, 3 if compound else 2)
        if not (2 <= p <= 32 and q <= 32 and r <= 64):
            return False
        self._tuplet, self._tuplet_left = Fraction(q, p), r or p
        return True

    def tie(self) -> None:
        """Let the last note go on, also when a bar line stands between."""
        if self._overlaid:
            return
        if self._events:
            last = self._events[-1]
            self._events[-1] = last._replace(tied=last.pitch is not None)
        elif self.bars:
            *events, last = self.bars[-1].events
            self.bars[-1] = self.bars[-1]._replace(events=(*events, last._replace(tied=last.pitch is not None)))
        self._carried = self._last

    def overlay(self) -> None:
        """A second line in the same bar begins; it is left out up to the bar line."""
        self._overlaid = True

    def bar_line(self, sign: str, endings: frozenset[int] = frozenset()) -> None:
        """Obey a bar line, such as `|`, `:|` or `||`, and the ending that begins there."""
        sign = sign.lstrip(".")
        core = sign.strip(":")
        closes = min(9, len(sign) - len(sign.lstrip(":"))) if core else 1
        opens = sign.endswith(":")
        plain = core in ("|", "[|]")  # the latter is an invisible bar line
        self._finish()
        if closes and self.bars and self.bars[-1].closes < closes and not self._only_pickup():
            self.bars[-1] = self.bars[-1]._replace(closes=closes)
        self._section = self._section or not plain or bool(closes or opens or endings)
        self._opens = self._opens or opens
        if endings:
            self._endings |= endings
            if 1 in endings:
                self._forked = self._carried
            else:
                self._carried = self._forked
        self._altered.clear()
        self._overlaid = False

    def _only_pickup(self) -> bool:
        """Whether only a pickup has been written, which nobody repeats by itself."""
        first = self.bars[0]
        return len(self.bars) == 1 and first.metre is not None and first.duration < first.metre.quarters

    def begin_part(self, label: str) -> None:
        """Obey `P:`."""
        self.bar_line("||")
        self._part = label

    def change_key(self, signature: Signature) -> None:
        """Obey `K:`."""
        self._signature = signature
        self._altered.clear()
        now = self._keys_now()
        if not self._events:
            self._keys = now
        elif now:
            self._keys = self._changed(self._keys, now[0][1])

    def change_metre(self, metre: Metre | None) -> None:
        """Obey `M:`; inside a bar it waits for the next one."""
        self.metre = metre

    def change_unit(self, unit: Fraction) -> None:
        """Obey `L:`."""
        self.unit = unit
        self._lengths.clear()

    def change_tempo(self, tempo: float) -> None:
        """Obey `Q:`."""
        self._tempo = tempo
        self._tempi = self._changed(self._tempi, tempo) if self._events else ((ZERO, tempo),)

    def end(self) -> tuple[WrittenBar, ...]:
        """Finish the last bar and hand over all of them."""
        self._finish()
        return tuple(self.bars)

    def _keys_now(self) -> Changes[Key]:
        return ((ZERO, self._signature.key),) if self._signature.key else ()

    def _changed(self, changes: Changes[T], value: T) -> Changes[T]:
        if len(changes) >= MAX_CHANGES:
            raise MusegenError(f"a bar has more than {MAX_CHANGES} changes of key or tempo")
        return (*changes, (self._elapsed(), value))

    def _elapsed(self) -> Fraction:
        grid = self._grid
        ticks = sum(event[0].numerator * (grid // event[0].denominator) for event in self._events)
        return quarters(ticks, grid)

    def _finish(self) -> None:
        if not self._events:
            return
        self.bars.append(
            WrittenBar(
                tuple(self._events),
                self._elapsed(),
                self._bar_metre,
                self._keys,
                self._tempi,
                self._section,
                self._opens,
                0,
                self._endings,
                self._part,
            )
        )
        self._events.clear()
        self._keys = self._keys_now()
        self._tempi = ((ZERO, self._tempo),) if self._tempo else ()
        self._section = self._opens = False
        self._endings = frozenset()
        self._part = ""

    def _pitch(self, accidental: str | None, letter: str, octave: str) -> int:
        natural = _BASE[letter]
        if octave:
            natural += 12 * (octave.count("'") - octave.count(","))
        index = _INDEX[letter]
        slot = index if self._reach == "pitch" else natural
        if accidental:
            alter = ALTERS[accidental]
            if self._reach != "not":
                self._altered[slot] = alter
        elif slot in self._altered:
            alter = self._altered[slot]
        elif self._carried and self._carried[0] == natural:
            alter = self._carried[1]
        else:
            alter = self._signature.alters[index]
        self._last = (natural, alter)
        return natural + alter + self.shift

    def _write(self, length: str, pitch: int | None, scale: Fraction | None = None) -> None:
        duration = self._lengths.get(length) or self._length(length)
        if scale is not None:
            duration = _product(duration, scale)
        if self._tuplet_left:
            duration = _product(duration, self._tuplet)
            self._tuplet_left -= 1
        if self._broken is not _ONE:
            duration = _product(duration, self._broken)
            self._broken = _ONE
        self._carried = None
        if pitch is not None and not 0 <= pitch <= 127:
            raise MusegenError(f"a note has the pitch {pitch}, beyond MIDI's 0 to 127")
        self._append(Event(duration, pitch, False, self.fermata and pitch is not None))
        self.fermata = False

    def _append(self, event: Event) -> None:
        if event.duration.denominator not in self._denominators:
            self._check_grid(event.duration)
        if not self._events:
            self._bar_metre = self.metre
        self._events.append(event)
        self._written += 1
        if self._written > MAX_EVENTS:
            raise MusegenError(f"it has more than {MAX_EVENTS} notes")

    def _length(self, text: str) -> Fraction:
        """Quarters of a length such as `2`, `3/2`, `//`; the unit when it is empty."""
        number, slashes, divisor = text.partition("/")
        halves = text.count("/")
        divisor = divisor.lstrip("/")
        numerator, denominator = int(number or 1), int(divisor or 2 ** min(halves, 9)) if slashes else 1
        if not numerator or not denominator or numerator * self.unit > MAX_QUARTERS * denominator:
            raise MusegenError(f"a note has the length {text}")
        self._lengths[text] = Fraction(numerator, denominator) * self.unit
        return self._lengths[text]

    def _check_grid(self, duration: Fraction) -> None:
        self._grid = math.lcm(self._grid, duration.denominator)
        self._denominators.add(duration.denominator)
        if self._grid > MAX_GRID:
            raise MusegenError("its note lengths have no common fraction")


def _product(one: Fraction, other: Fraction) -> Fraction:
    return quarters(one.numerator * other.numerator, one.denominator * other.denominator)

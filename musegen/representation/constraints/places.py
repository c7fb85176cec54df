"""Names of pitches, voices, bars and beats as people write them, and where they lie in a roll."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from musegen.errors import MusegenError
from musegen.representation.roll import Roll
from musegen.score import Metre

_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_PITCH = r"([A-G])(#|b|♯|♭)?(-1|\d)"


class BarSpan(NamedTuple):
    """A bar in steps: its number (a pickup is 0), first step, the step after its last, and its metre."""

    number: int
    start: int
    end: int
    metre: Metre


def pitch_class(text: str) -> int | None:
    """`C` is 0, `Bb` is 10; None when it names no pitch class."""
    found = re.fullmatch(r"([A-G])(#|b|♯|♭)?", text)
    return found and (_CLASSES[found[1]] + _accidental(found[2])) % 12


def pitch(text: str) -> int | None:
    """`C4` is 60, middle C; None when it names no MIDI pitch."""
    found = re.fullmatch(_PITCH, text)
    if not found:
        return None
    number = 12 * (int(found[3]) + 1) + _CLASSES[found[1]] + _accidental(found[2])
    return number if 0 <= number <= 127 else None


def fraction(text: str) -> Fraction | None:
    """`2`, `2.5`, `1/2` or `2+1/2`; None when it is none of these."""
    total = Fraction(0)
    for part in text.split("+"):
        if not re.fullmatch(r"\d{1,6}(?:\.\d{1,6}|/[1-9]\d{0,5})?", part):
            return None
        total += Fraction(part)
    return total


def bars(roll: Roll) -> list[BarSpan]:
    """Every bar; the last may be cut short by the end of the piece."""
    starts = roll.bar_starts()
    ends = [start for _, start, _ in starts[1:]] + [roll.steps]
    return [BarSpan(number, start, end, metre) for (number, start, metre), end in zip(starts, ends, strict=True)]


def beats(roll: Roll, bar: BarSpan) -> list[int]:
    """The steps on which beats of a bar lie; a beat between two steps has none."""
    length = bar.metre.beat * roll.steps_per_quarter
    count = -int(-(bar.end - bar.start) // length)
    return [bar.start + int(i * length) for i in range(count) if (i * length).denominator == 1]


def step_at(roll: Roll, bar: int, beat: Fraction, what: str) -> int:
    """The step of a beat, from 1, of a bar.

    Args:
        roll: the piece.
        bar: its number.
        beat: from 1.
        what: asks for it; for the message.

    Raises:
        MusegenError: the piece has no such bar, the bar no such beat, or the grid no such step.
    """
    spans = {span.number: span for span in bars(roll)}
    if bar not in spans:
        raise MusegenError(f"{what}: there is no bar {bar}", f"Choose one of {min(spans)} to {max(spans)}.")
    span = spans[bar]
    length = span.metre.beat * roll.steps_per_quarter
    # A pickup is the end of a bar: its beats are counted back from the bar line.
    start = span.end - roll.steps_of(span.metre) if bar == 0 else span.start
    step = start + (beat - 1) * length
    if not span.start <= step < span.end:
        first = 1 + Fraction(span.start - start) / length
        until = 1 + Fraction(span.end - start) / length
        raise MusegenError(
            f"{what}: bar {bar} has no beat {beat_name(beat)}",
            f"Its beats go from {beat_name(first)} up to, not including, {beat_name(until)}.",
        )
    if step.denominator != 1:
        raise MusegenError(
            f"{what}: beat {beat_name(beat)} lies between two of the model's steps",
            f"A beat has {beat_name(length)} of them.",
        )
    return int(step)


def beat_name(beat: Fraction) -> str:
    """`2`, `2+1/2`, as people write beats."""
    whole = int(beat)
    if beat == whole:
        return str(whole)
    return f"{whole}+{beat - whole}" if whole else str(beat)


def voice_index(name: str, names: Sequence[str], voices: int, what: str) -> int:
    """Which voice is meant by its name, in any case, or its number from 1.

    Raises:
        MusegenError: there is no such voice.
    """
    known = [each.casefold() for each in names[:voices]]
    if name.casefold() in known:
        return known.index(name.casefold())
    if name.isdecimal() and 1 <= int(name) <= voices:
        return int(name) - 1
    given = [each.lower() for each in names[:voices] if each]
    numbers = "1" if voices == 1 else f"1 to {voices}"
    choice = f"{', '.join(given)}, or {numbers}" if given else numbers
    raise MusegenError(f"{what}: there is no voice {name!r}", f"Choose from {choice}.")


def voice_name(voice: int, names: Sequence[str]) -> str:
    """What to call a voice: its name in small letters, or `voice 2`."""
    return (names[voice].lower() if voice < len(names) else "") or f"voice {voice + 1}"


def _accidental(sign: str | None) -> int:
    return 0 if not sign else 1 if sign in "#♯" else -1

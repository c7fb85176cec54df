"""Counts in written files how often what was asked was not met, by plain loops over notes in exact time.

    python benchmarks/checking.py out/*.mid --asked constraints.toml --key "D dorian"

It shares the reading of files and of constraint texts with musegen, and nothing else: no grid, no symbols, no automata.
Prints a line for each file in which something is broken, and last how many those are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from musegen.formats import read
from musegen.representation.constraints import Constraints, read_constraints
from musegen.representation.constraints.base import Constraint
from musegen.representation.constraints.chords import Chord
from musegen.representation.constraints.pitches import Compass, Placed
from musegen.score import MODES, Bar, Key, Note, Score

IsOpen = Callable[[int, Fraction], bool]


@dataclass(frozen=True)
class Question:
    """A piece, and where it is judged.

    Attributes:
        score: the piece; its last bar is that of what was asked.
        key: of the whole piece.
        names: of its voices.
        is_open: whether a voice was open at a time, in quarters.
        original: what it was made of, for `keep`.
    """

    score: Score
    key: Key | None = None
    names: tuple[str, ...] = ()
    is_open: IsOpen = field(default=lambda voice, time: True)
    original: Score | None = None

    def bars(self) -> list[Bar]:
        """Without a pickup."""
        return [bar for bar in self.score.bars() if bar.number > 0]

    def voice(self, name: str) -> int:
        """By name or number."""
        lower = [each.lower() for each in self.names]
        return lower.index(name.lower()) if name.lower() in lower else int(name) - 1

    def notes(self, voice: int) -> list[Note]:
        """Of a voice, in order."""
        return sorted(self.score.voices[voice].notes)

    def heard(self, voice: int, time: Fraction) -> int | None:
        """The pitch that sounds at a time."""
        for note in self.notes(voice):
            if note.onset <= time < note.end:
                return note.pitch
        return None

    def new_notes(self) -> Iterator[tuple[int, Note]]:
        """Those that begin where something was open."""
        for voice in range(len(self.score.voices)):
            for note in self.notes(voice):
                if self.is_open(voice, note.onset):
                    yield voice, note


def broken(asked: Constraints, question: Question) -> list[str]:
    """What was not met, one line each; empty when all was."""
    found = []
    for item in asked.items:
        found += [f"{item.describe()}: {why}" for why in _CHECKS[item.kind](item, question, asked)]
    return found


def _scale(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    for voice, note in q.new_notes():
        if note.pitch % 12 not in item.parsed():  # type: ignore[operator]
            yield f"{note.pitch} in voice {voice + 1} at {note.onset}"


def _range(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    parsed = item.parsed()
    assert isinstance(parsed, Compass)
    name, low, high = parsed
    ranges = [each.parsed() for each in asked.items if each.kind == "range"]
    apart = [q.voice(each[0]) for each in ranges if each[0]]  # type: ignore[index]
    for voice, note in q.new_notes():
        mine = voice == q.voice(name) if name else voice not in apart
        if mine and not low <= note.pitch <= high:
            yield f"{note.pitch} in voice {voice + 1} at {note.onset}"


def _note(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    parsed = item.parsed()
    assert isinstance(parsed, Placed)
    name, number, beat, symbol = parsed
    bar = next(each for each in q.score.bars() if each.number == number)
    start = bar.onset + bar.duration - bar.metre.quarters if number == 0 else bar.onset
    time, voice = start + (beat - 1) * bar.metre.beat, q.voice(name) if name else 0
    begins = [note.pitch for note in q.notes(voice) if note.onset == time]
    met = q.heard(voice, time) is None if symbol == 128 else begins == [symbol]
    if not met:
        yield f"voice {voice + 1} has {q.heard(voice, time)} at {time}"


def _laid(item: Constraint, q: Question) -> Iterator[tuple[Fraction, Fraction, Chord | None]]:
    """(begin, end, chord) of a progression, repeated to the end."""
    progression: list[tuple[Chord | None, Fraction | None]] = item.parsed()  # type: ignore[assignment]
    bars = q.bars()
    if progression[0][1] is None:
        for i, bar in enumerate(bars):
            yield bar.onset, min(bar.onset + bar.duration, q.score.duration), progression[i % len(progression)][0]
        return
    now, number = bars[0].onset, 0
    while now < q.score.duration:
        chord, left = progression[number % len(progression)]
        begin, number, left = now, number + 1, left or Fraction(0)
        while left and now < q.score.duration:
            bar = max((bar for bar in bars if bar.onset <= now), key=lambda each: each.onset)
            end = min(bar.onset + bar.duration, q.score.duration)
            passed = min(left, (end - now) / bar.metre.beat)
            now, left = now + passed * bar.metre.beat, left - passed
        yield begin, now, chord


def _chords(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    beats = {bar.onset + i * bar.metre.beat for bar in q.bars() for i in range(-(-bar.duration // bar.metre.beat))}
    lowest = len(q.score.voices) - 1
    for begin, end, chord in _laid(item, q):
        if chord is None:
            continue
        for time in sorted({begin} | {beat for beat in beats if begin <= beat < end}):
            for voice in range(lowest + 1):
                pitch = q.heard(voice, time)
                if q.is_open(voice, time) and pitch is not None and pitch % 12 not in chord.tones:
                    yield f"{pitch} sounds in voice {voice + 1} at {time}"
        if chord.bass is not None and lowest and q.is_open(lowest, begin):
            pitch = q.heard(lowest, begin)
            if pitch is None or pitch % 12 != chord.bass:
                yield f"the bass is {pitch} at {begin}"


def _leap(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    for voice in range(len(q.score.voices)):
        before: Note | None = None
        for note in q.notes(voice):
            judged = before is not None and (q.is_open(voice, note.onset) or q.is_open(voice, before.onset))
            if before and judged and abs(note.pitch - before.pitch) > item.parsed():  # type: ignore[operator]
                yield f"{before.pitch} to {note.pitch} in voice {voice + 1} at {note.onset}"
            before = note


def _shortest(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    for voice, note in q.new_notes():
        if note.duration < item.parsed():  # type: ignore[operator]
            yield f"{note.duration} quarters in voice {voice + 1} at {note.onset}"


def _longest(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    for voice, note in q.new_notes():
        if note.duration > item.parsed():  # type: ignore[operator]
            yield f"{note.duration} quarters in voice {voice + 1} at {note.onset}"


def _degrees(key: Key) -> list[int]:
    """Pitch classes of the key's scale from its tonic up, by counting fifths: F C G D A E B and the signature."""
    classes = sorted((7 * (key.fifths + i)) % 12 for i in range(-1, 6))
    tonic = (7 * key.fifths + MODES[key.mode]) % 12
    at = classes.index(tonic)
    return classes[at:] + classes[:at]


def _begin(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    assert q.key is not None
    degrees, lowest = _degrees(q.key), len(q.score.voices) - 1
    if lowest == 0:
        time = q.bars()[0].onset
        pitch = q.heard(0, time)
        if q.is_open(0, time) and (pitch is None or pitch % 12 != degrees[0]):
            yield f"bar 1 begins with {pitch}"
        return
    for voice in range(lowest + 1):
        if not _touched(q, voice):
            continue
        wanted = [degrees[0]] if voice == lowest else [degrees[0], degrees[2], degrees[4]]
        first = next(iter(q.notes(voice)), None)
        if first is None or (q.is_open(voice, first.onset) and first.pitch % 12 not in wanted):
            yield f"voice {voice + 1} begins with {first and first.pitch}"


def _end(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    assert q.key is not None
    degrees, lowest, cadence = _degrees(q.key), len(q.score.voices) - 1, item.parsed() == "cadence"
    tonic, last_bar = degrees[0], list(q.score.bars())[-1].onset
    for voice in range(lowest + 1):
        if not _touched(q, voice):
            continue
        notes = q.notes(voice)
        if q.is_open(voice, last_bar):
            begins = any(note.onset == last_bar for note in notes)
            if not begins if cadence else q.heard(voice, last_bar) is None:
                yield f"voice {voice + 1} has no {'new ' if cadence else ''}note when the last bar begins"
        given = max((note.onset for note in notes if not q.is_open(voice, note.onset)), default=Fraction(0))
        if any(q.is_open(voice, time) for time in _times(q) if time >= given):
            wanted = {tonic} if voice == lowest else {tonic, degrees[2], degrees[4], (tonic + 4) % 12}
            if not notes or notes[-1].pitch % 12 not in wanted:
                yield f"voice {voice + 1} ends on {notes[-1].pitch if notes else None}"
        if cadence:
            leading = (tonic + 11) % 12
            wanted = {(tonic + 7) % 12} if voice == lowest else {(tonic + i) % 12 for i in (7, 11, 2, 5)}
            if lowest == 0:
                wanted = {degrees[1], (tonic + 7) % 12, degrees[6], leading}
            if len(notes) < 2:
                yield f"voice {voice + 1} has no note before its last"
            elif q.is_open(voice, notes[-2].onset) and notes[-2].pitch % 12 not in wanted:
                yield f"voice {voice + 1} has {notes[-2].pitch} before its last note"


def _times(q: Question) -> Iterator[Fraction]:
    """Every time at which something may have been open, on a grid finer than any."""
    for i in range(int(q.score.duration * 24)):
        yield Fraction(i, 24)


def _touched(q: Question, voice: int) -> bool:
    return any(q.is_open(voice, time) for time in _times(q))


def _form(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    bars, names = q.bars(), item.parsed()
    assert isinstance(names, list)
    count = len(bars) // len(names)
    sections = [bars[i * count : (i + 1) * count] for i in range(len(names))]

    def inside(voice: int, start: Fraction, end: Fraction) -> list[tuple[Fraction, Fraction, int | None]]:
        """What is in a voice in some time: where notes begin and stop, and which; None for one held into it."""
        return [
            (max(n.onset, start) - start, min(n.end, end) - start, n.pitch if n.onset >= start else None)
            for n in q.notes(voice)
            if n.onset < end and n.end > start
        ]

    for voice in range(len(q.score.voices)):
        for section in sections:
            start = section[0].onset
            if q.is_open(voice, start) and any(note.onset < start < note.end for note in q.notes(voice)):
                yield f"voice {voice + 1} is held over {start}"
        for i, name in enumerate(names):
            for j in range(i):
                if names[j][0] != name[0]:
                    continue
                here, there = sections[i], sections[j]
                end = here[-1].onset
                if names[j] == name:  # the piece may end before its last bar does
                    end = min(end + here[-1].duration, q.score.duration)
                start, was = here[0].onset, there[0].onset
                if inside(voice, start, end) != inside(voice, was, was + end - start):
                    yield f"voice {voice + 1} differs in sections {j + 1} and {i + 1}"


def _keep(item: Constraint, q: Question, asked: Constraints) -> Iterator[str]:
    assert q.original is not None
    for voice in range(len(q.score.voices)):
        was, now = sorted(q.original.voices[voice].notes), q.notes(voice)
        if not _touched(q, voice):
            continue
        if item.parsed() == "pitches" and [note.pitch for note in was] != [note.pitch for note in now]:
            yield f"the pitches of voice {voice + 1} differ"
        if item.parsed() == "rhythm" and [(n.onset, n.duration) for n in was] != [(n.onset, n.duration) for n in now]:
            yield f"the rhythm of voice {voice + 1} differs"


_CHECKS: dict[str, Callable[[Constraint, Question, Constraints], Iterator[str]]] = {
    "scale": _scale,
    "range": _range,
    "note": _note,
    "chords": _chords,
    "leap": _leap,
    "shortest": _shortest,
    "longest": _longest,
    "begin": _begin,
    "end": _end,
    "form": _form,
    "keep": _keep,
}


def main() -> None:
    """See the top of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("files", nargs="+", help="pieces that musegen wrote, all open")
    parser.add_argument("--asked", required=True, help="constraints in a TOML file")
    parser.add_argument("--key", type=Key.parse, help="of all pieces; by default what each file says")
    given = parser.parse_args()
    asked, bad, total = read_constraints(given.asked), 0, 0
    for path in given.files:
        for score in read(path).scores:
            key = given.key or (score.keys[0][1] if score.keys else None)
            found = broken(asked, Question(score, key, tuple(voice.name for voice in score.voices)))
            total, bad = total + 1, bad + bool(found)
            for line in found:
                print(f"{path}: {line}")
    print(f"{bad} of {total} pieces break something that was asked")


if __name__ == "__main__":
    main()

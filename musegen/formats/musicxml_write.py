"""A score -> MusicXML 4.0 as notation programs like it: bars, ties, tuplets, spelled pitches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from statistics import median
from xml.sax.saxutils import escape

from musegen.errors import MusegenError
from musegen.score import Bar, Key, Note, Score, Voice, at

MAX_DIVISIONS = 10**6
"""Divisions of a quarter; a score that needs more was not meant for notation."""

_TYPES = {
    Fraction(8): "breve", Fraction(4): "whole", Fraction(2): "half", Fraction(1): "quarter", Fraction(1, 2): "eighth",
    Fraction(1, 4): "16th", Fraction(1, 8): "32nd", Fraction(1, 16): "64th", Fraction(1, 32): "128th",
    Fraction(1, 64): "256th",
}  # fmt: skip
_VALUES = sorted(
    ((length * (Fraction(3, 2) if dots else 1), name, dots) for length, name in _TYPES.items() for dots in (0, 1)),
    reverse=True,
)
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of a note, or of silence, that one note head (or rest) can show; times from the beginning."""

    onset: Fraction
    duration: Fraction
    note: Note | None
    type: str = ""
    dots: int = 0
    actual: int = 1  # so many in the time of `normal`
    normal: int = 1


def document(score: Score, text: str) -> bytes:
    """Write a score, every time exact, and where it comes from.

    Raises:
        MusegenError: it has no voices or no duration, a voice overlaps itself, or it needs absurdly fine divisions.
    """
    if not score.voices or score.duration <= 0:
        raise MusegenError("there is no music to write")
    for number, voice in enumerate(score.voices, 1):
        overlap = voice.overlap()
        if overlap is not None:
            raise MusegenError(f"voice {number} overlaps itself at {score.place(overlap)}", "Divide it into lines.")
    bars = list(score.bars())
    bars[-1] = Bar(bars[-1].number, bars[-1].onset, score.duration - bars[-1].onset, bars[-1].metre)
    times = {time for bar in bars for time in (bar.onset, bar.duration)}
    times |= {time for voice in score.voices for note in voice.notes for time in (note.onset, note.duration)}
    times |= {onset for onset, _ in score.keys} | {onset for onset, _ in score.tempi}
    divisions = lcm(*(time.denominator for time in times))
    if divisions > MAX_DIVISIONS:
        raise MusegenError("its rhythms are too fine for notation", "Put it on a grid first.")
    lines = ['<score-partwise version="4.0">']
    if score.title:
        lines.append(f"<work><work-title>{_text(score.title)}</work-title></work>")
    lines.append("<identification>")
    if score.composer:
        lines.append(f'<creator type="composer">{_text(score.composer)}</creator>')
    lines.append("<encoding><software>musegen</software></encoding>")
    if text:
        field = f'<miscellaneous-field name="provenance">{_text(text)}</miscellaneous-field>'
        lines.append(f"<miscellaneous>{field}</miscellaneous>")
    lines.append("</identification>")
    lines.append("<part-list>")
    for number, voice in enumerate(score.voices, 1):
        lines += _description(number, voice)
    lines.append("</part-list>")
    for number, voice in enumerate(score.voices, 1):
        lines.append(f'<part id="P{number}">')
        lines += _Part(score, voice, bars, divisions, first=number == 1).lines()
        lines.append("</part>")
    lines.append("</score-partwise>\n")
    return (_HEAD + "\n".join(lines)).encode()


def _description(number: int, voice: Voice) -> Iterator[str]:
    yield f'<score-part id="P{number}"><part-name>{_text(voice.name)}</part-name>'
    if voice.program is not None:
        yield f'<score-instrument id="P{number}-I1"><instrument-name>{_text(voice.name)}</instrument-name>'
        channel = (number - 1) % 15 + 1
        channel += channel >= 10  # the tenth is for drums
        yield f'</score-instrument><midi-instrument id="P{number}-I1"><midi-channel>{channel}</midi-channel>'
        yield f"<midi-program>{voice.program + 1}</midi-program></midi-instrument>"
    yield "</score-part>"


class _Part:
    """Writes the bars of one voice."""

    def __init__(self, score: Score, voice: Voice, bars: Sequence[Bar], divisions: int, first: bool) -> None:
        self.score, self.voice, self.bars, self.divisions, self.first = score, voice, bars, divisions, first
        self.sounding = _with_rests(voice.notes, score.duration)

    def lines(self) -> Iterator[str]:
        index = 0
        for number, bar in enumerate(self.bars):
            end = bar.onset + bar.duration
            spans = []
            while index < len(self.sounding):
                onset, stop, note = self.sounding[index]
                spans.append((max(onset, bar.onset), min(stop, end), note))
                if stop > end:
                    break
                index += 1
                if stop == end:
                    break
            yield from self._bar(bar, number, spans)

    def _bar(self, bar: Bar, index: int, spans: Sequence[tuple[Fraction, Fraction, Note | None]]) -> Iterator[str]:
        implicit = ' implicit="yes"' if bar.number == 0 else ""
        yield f'<measure number="{bar.number}"{implicit}>'
        end = bar.onset + bar.duration
        keys = [(onset, key) for onset, key in self.score.keys if bar.onset <= onset < end]
        yield from self._attributes(bar, index, keys[0][1] if keys and keys[0][0] == bar.onset else None)
        yield from self._tempi(bar, end)
        later = [onset for onset, _ in keys if onset > bar.onset]
        if len(spans) == 1 and spans[0][2] is None and not later:
            yield f'<note><rest measure="yes"/><duration>{self._units(bar.duration)}</duration><voice>1</voice></note>'
        else:
            key = at(self.score.keys, bar.onset) or Key(0)
            spelling = _Spelling(key)
            pieces = _pieces(bar, spans, later)
            for number, piece in enumerate(pieces):
                if piece.onset in later:
                    key = at(self.score.keys, piece.onset) or key
                    spelling = _Spelling(key)
                    yield f"<attributes>{_key(key)}</attributes>"
                    later.remove(piece.onset)
                before = pieces[number - 1] if number else None
                after = pieces[number + 1] if number + 1 < len(pieces) else None
                yield from self._note(piece, spelling, bar, before, after)
        if index == len(self.bars) - 1:
            yield '<barline location="right"><bar-style>light-heavy</bar-style></barline>'
        yield "</measure>"

    def _attributes(self, bar: Bar, index: int, key: Key | None) -> Iterator[str]:
        previous = self.bars[index - 1].metre if index else None
        parts = []
        if not index:
            parts.append(f"<divisions>{self.divisions}</divisions>")
        if key is not None:
            parts.append(_key(key))
        if bar.metre != previous:
            parts.append(
                f"<time><beats>{bar.metre.numerator}</beats><beat-type>{bar.metre.denominator}</beat-type></time>"
            )
        if not index:
            parts.append(_clef(self.voice))
        if parts:
            yield f"<attributes>{''.join(parts)}</attributes>"

    def _tempi(self, bar: Bar, end: Fraction) -> Iterator[str]:
        for onset, tempo in self.score.tempi if self.first else ():
            if bar.onset <= onset < end:
                offset = onset - bar.onset
                later = f'<offset sound="yes">{self._units(offset)}</offset>' if offset else ""
                yield '<direction placement="above"><direction-type><metronome><beat-unit>quarter</beat-unit>'
                yield f"<per-minute>{round(tempo, 2):g}</per-minute></metronome></direction-type>"
                yield f'{later}<sound tempo="{_decimal(tempo)}"/></direction>'

    def _note(
        self, piece: _Piece, spelling: _Spelling, bar: Bar, before: _Piece | None, after: _Piece | None
    ) -> Iterator[str]:
        note = piece.note
        back = note is not None and piece.onset > note.onset
        on = note is not None and piece.onset + piece.duration < note.end
        yield "<note>"
        accidental = ""
        if note is None:
            yield "<rest/>"
        else:
            step, alter, octave, shown = spelling.of(note.pitch, tied=back)
            accidental = f"<accidental>{_ACCIDENTALS[alter]}</accidental>" if shown else ""
            altered = f"<alter>{alter}</alter>" if alter else ""
            yield f"<pitch><step>{step}</step>{altered}<octave>{octave}</octave></pitch>"
        yield f"<duration>{self._units(piece.duration)}</duration>"
        yield ('<tie type="stop"/>' if back else "") + ('<tie type="start"/>' if on else "") + "<voice>1</voice>"
        if piece.type:
            yield f"<type>{piece.type}</type>{'<dot/>' * piece.dots}"
        yield accidental
        if piece.actual > 1:
            yield f"<time-modification><actual-notes>{piece.actual}</actual-notes>"
            yield f"<normal-notes>{piece.normal}</normal-notes></time-modification>"
        marks = ('<tied type="stop"/>' if back else "") + ('<tied type="start"/>' if on else "")
        if piece.actual > 1:
            beat = _beat(piece.onset, bar)
            if before is None or before.actual != piece.actual or _beat(before.onset, bar) != beat:
                marks += '<tuplet type="start" bracket="yes"/>'
            if after is None or after.actual != piece.actual or _beat(after.onset, bar) != beat:
                marks += '<tuplet type="stop"/>'
        if note is not None and note.fermata and not on:
            marks += "<fermata/>"
        yield f"<notations>{marks}</notations></note>" if marks else "</note>"

    def _units(self, time: Fraction) -> int:
        return int(time * self.divisions)


class _Spelling:
    """Names pitches as their key would, and knows which accidentals hold in the bar."""

    def __init__(self, key: Key) -> None:
        self.fifths = key.fifths
        self.holding: dict[tuple[str, int], int] = {}

    def of(self, pitch: int, tied: bool) -> tuple[str, int, int, bool]:
        """Step, alteration, octave, and whether the accidental must be shown."""
        # On the line of fifths (C is 0), the twelve tones from a minor third to an augmented fifth around the tonic.
        lowest = self.fifths - 3
        place = lowest + (pitch * 7 - lowest) % 12
        step, alter = "FCGDAEB"[(place + 1) % 7], (place + 1) // 7
        octave = (pitch - alter) // 12 - 1
        signature = (self.fifths + 6 - "FCGDAEB".index(step)) // 7
        shown = not tied and self.holding.get((step, octave), signature) != alter
        if not tied:
            self.holding[step, octave] = alter
        return step, alter, octave, shown


def _with_rests(notes: Sequence[Note], duration: Fraction) -> list[tuple[Fraction, Fraction, Note | None]]:
    """The voice as spans of sound and silence, without gaps: (onset, end, note)."""
    spans: list[tuple[Fraction, Fraction, Note | None]] = []
    time = Fraction(0)
    for note in notes:
        if note.onset > time:
            spans.append((time, note.onset, None))
        spans.append((note.onset, note.end, note))
        time = note.end
    if time < duration:
        spans.append((time, duration, None))
    return spans


def _pieces(
    bar: Bar, spans: Sequence[tuple[Fraction, Fraction, Note | None]], cuts: Sequence[Fraction]
) -> list[_Piece]:
    """Divide the spans of a bar into what note heads can show.

    A quarter in which a span begins or ends off the binary grid becomes a tuplet; spans are cut at its edges.
    """
    odd: dict[int, int] = {}  # quarter of the bar -> odd division
    for onset, end, _ in spans:
        for time in (onset, end):
            factor = _odd(time - bar.onset)
            if factor > 1:
                beat = _beat(time, bar)
                odd[beat] = lcm(odd.get(beat, 1), factor)
    edges = {bar.onset + beat + side for beat in odd for side in (0, 1)} | set(cuts)
    pieces: list[_Piece] = []
    for onset, end, note in spans:
        marks = [onset, *sorted(edge for edge in edges if onset < edge < end), end]
        for start, stop in pairwise(marks):
            pieces += _heads(start, stop - start, note, odd.get(_beat(start, bar), 1))
    return pieces


def _heads(onset: Fraction, duration: Fraction, note: Note | None, actual: int) -> Iterator[_Piece]:
    """Note heads, largest first, that fill a duration inside a tuplet of `actual` in the time of a power of two."""
    normal = 1 << (actual.bit_length() - 1)
    scale = Fraction(normal, actual)
    left = duration
    for length, name, dots in _VALUES:
        while length * scale <= left:
            yield _Piece(onset, length * scale, note, name, dots, actual, normal)
            onset, left = onset + length * scale, left - length * scale
    if left:  # finer than any note head: the duration alone says it
        yield _Piece(onset, left, note)


def _beat(time: Fraction, bar: Bar) -> int:
    return int((time - bar.onset) // 1)


def _odd(time: Fraction) -> int:
    """The odd part of the denominator: 1 on the binary grid, 3 in triplets."""
    denominator = time.denominator
    return denominator // (denominator & -denominator)


def _key(key: Key) -> str:
    return f"<key><fifths>{key.fifths}</fifths><mode>{key.mode}</mode></key>"


def _clef(voice: Voice) -> str:
    middle = median([note.pitch for note in voice.notes] or [60])
    if middle >= 60:
        return "<clef><sign>G</sign><line>2</line></clef>"
    if middle >= 55:
        return "<clef><sign>G</sign><line>2</line><clef-octave-change>-1</clef-octave-change></clef>"
    return "<clef><sign>F</sign><line>4</line></clef>"


def _decimal(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text))

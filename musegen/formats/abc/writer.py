"""Scores -> ABC."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from musegen.errors import MusegenError
from musegen.formats.abc.fields import ALTERS, SEMITONES
from musegen.score import Bar, Key, Note, Score, Voice

UNIT = Fraction(1, 2)
"""Quarters of a note without a number: an eighth."""
BARS_A_LINE = 4
PROVENANCE = "% provenance: "
"""How the comment begins that says where a book comes from."""
_FIFTHS_LETTERS = "FCGDAEB"
_SIGNS = {alter: sign for sign, alter in ALTERS.items()}
_MODES = {"major": "", "minor": "m"}
_TUPLET = Fraction(2, 3)


class _Piece(NamedTuple):
    """What one note, rest or tied part of a note fills of one bar."""

    onset: Fraction
    duration: Fraction
    pitch: int | None
    tied: bool
    fermata: bool


def write(scores: Sequence[Score], text: str = "") -> bytes:
    """Write scores as one book of tunes, in UTF-8.

    Reading it gives the same scores back, but for what ABC cannot say: instruments; a first bar cut short without
    being a pickup, or a pickup as long as a bar; an entry of `Score.metres` that changes nothing; a key or tempo
    change before which none was given; a piece without notes; voices without notes; changes after the end. Line breaks
    in names become spaces, and spaces around them go. A note during which the key or the tempo changes is written as
    two tied ones.

    Args:
        scores: any number from one up.
        text: where the book comes from; a comment in its last line.

    Raises:
        MusegenError: two notes of a voice overlap, or there is no score.
    """
    if not scores:
        raise MusegenError("there is no score to write")
    tunes = "\n".join(_tune(number, score) for number, score in enumerate(scores, 1))
    return (tunes + (f"{PROVENANCE}{text}\n" if text else "")).encode()


def provenance(data: bytes) -> str | None:
    """The text that a book carries about where it comes from, as `write` put it there; None without one."""
    for line in reversed(data.splitlines()):
        if line.startswith(PROVENANCE.encode()):
            return line.removeprefix(PROVENANCE.encode()).decode("utf-8", "replace")
    return None


def _tune(number: int, score: Score) -> str:
    for i, voice in enumerate(score.voices, 1):
        place = voice.overlap()
        if place is not None:
            raise MusegenError(f"voice {i}: notes overlap at {score.place(place)}", "Write one note at a time.")
    lines = [f"X:{number}", f"T:{_plain(score.title)}" if score.title else "", f"C:{_plain(score.composer)}"]
    if not score.composer:
        lines.pop()
    lines += [f"M:{score.metres[0][1]}", "L:1/8"]
    if score.tempi:
        lines.append(f"Q:1/4={_number(score.tempi[0][1])}")
    several = len(score.voices) > 1 or any(voice.name for voice in score.voices)
    if several:
        for i, voice in enumerate(score.voices, 1):
            name = _plain(voice.name).replace('"', "'")
            lines.append(f"V:{i}" + (f' name="{name}"' if name else ""))
    lines.append(f"K:{_key(score.keys[0][1]) if score.keys else 'none'}")
    for i, voice in enumerate(score.voices, 1):
        if several:
            lines.append(f"V:{i}")
        bars = list(_bars(score, voice))
        for start in range(0, len(bars), BARS_A_LINE):
            end = " |" if start + BARS_A_LINE < len(bars) else " |]"
            lines.append(" | ".join(bars[start : start + BARS_A_LINE]) + end)
    return "\n".join(line for line in lines if line) + "\n"


def _bars(score: Score, voice: Voice) -> Iterator[str]:
    """The bars of one voice as ABC, changes of metre, key and tempo in front of the notes they come with."""
    metre = score.metres[0][1]
    key = score.keys[0][1] if score.keys else Key(0)
    changes: list[tuple[Fraction, str, Key | None]] = [
        (onset, f"[K:{_key(each)}]", each) for onset, each in score.keys[1:]
    ]
    changes += [(onset, f"[Q:1/4={_number(tempo)}]", None) for onset, tempo in score.tempi[1:]]
    changes.sort(key=lambda change: change[0])
    for bar, content in _pieces(score, voice):
        words = []
        if bar.metre != metre:
            metre = bar.metre
            words.append(f"[M:{metre}]")
        speller = _Speller(key)
        left = 0  # notes of a tuplet still to come
        beat: int | None = None  # that the last word lies in, when it can be beamed
        for i, piece in enumerate(content):
            while changes and changes[0][0] <= piece.onset:
                _, text, change = changes.pop(0)
                words.append(text)
                beat = None
                if change:
                    key = change
                    speller = _Speller(key)
            if left:
                words[-1] += _note(piece, speller, _TUPLET)
                left -= 1
                continue
            triplet = _makes_triplet(content[i : i + 3], changes[0][0] if changes else None)
            left = 2 * triplet
            word = "(3" + _note(piece, speller, _TUPLET) if triplet else _note(piece, speller, Fraction(1))
            # Counted from the end of the bar, so that a pickup is beamed as the end of a bar.
            here = (bar.onset + bar.duration - piece.onset - Fraction(1, 1000)) // bar.metre.beat
            short = piece.pitch is not None and piece.duration < 1
            if short and beat == here:
                words[-1] += word
            else:
                words.append(word)
            beat = here if short else None
        yield " ".join(words)


def _pieces(score: Score, voice: Voice) -> Iterator[tuple[Bar, list[_Piece]]]:
    """Cut a voice at the bar lines and changes: for each bar its notes, rests and parts of tied notes."""
    events = list(_events(voice, score.duration))
    cuts = sorted({onset for onset, _ in (*score.keys, *score.tempi)})
    at = 0
    for bar in score.bars():
        end = min(bar.onset + bar.duration, score.duration)
        content: list[_Piece] = []
        start = bar.onset
        while start < end:
            onset, duration, pitch, _, fermata = events[at]
            change = bisect_right(cuts, start)
            stop = min(onset + duration, end, *cuts[change : change + 1])
            goes_on = stop < onset + duration
            content.append(_Piece(start, stop - start, pitch, goes_on and pitch is not None, fermata and not goes_on))
            start = stop
            at += not goes_on
        yield bar, content


def _events(voice: Voice, end: Fraction) -> Iterator[_Piece]:
    """The notes of a voice with the rests between them, from 0 to `end`."""
    onset = Fraction(0)
    for note in (*voice.notes, Note(end, Fraction(0), 0)):
        if note.onset > onset:
            yield _Piece(onset, note.onset - onset, None, False, False)
        if note.duration:
            yield _Piece(note.onset, note.duration, note.pitch, False, note.fermata)
        onset = note.end


def _makes_triplet(pieces: Sequence[_Piece], change: Fraction | None) -> bool:
    """Whether three equal notes or rests make a `(3`, with no change of key or tempo between them."""
    if len(pieces) < 3 or len({piece.duration for piece in pieces}) > 1 or pieces[0].duration.denominator % 3:
        return False
    written = pieces[0].duration / UNIT / _TUPLET
    return written.denominator.bit_count() == 1 and (change is None or change > pieces[2].onset)


def _note(piece: _Piece, speller: _Speller, tuplet: Fraction) -> str:
    length = piece.duration / UNIT / tuplet
    number = "" if length.numerator == 1 else str(length.numerator)
    slash = "" if length.denominator == 1 else f"/{length.denominator}"
    if piece.pitch is None:
        return f"z{number}{slash}"
    fermata = "!fermata!" if piece.fermata else ""
    return f"{fermata}{speller.spell(piece.pitch)}{number}{slash}{'-' if piece.tied else ''}"


class _Speller:
    """Names pitches in one bar.

    A pitch outside the scale takes the accidental that is common in the key: in C those from E flat to
    G sharp. Programs differ on whether an accidental holds in the other octaves; it is written wherever one of the
    two readings would go wrong without it.

    Args:
        key: of the music from here on.
    """

    def __init__(self, key: Key) -> None:
        self._fifths = key.fifths
        self._letters: dict[str, int] = {}
        self._places: dict[tuple[str, int], int] = {}

    def spell(self, pitch: int) -> str:
        """The note as ABC writes it, such as `^f'`."""
        # Along the line of fifths, C being 0, the names in use run from three below the key's tonic to eight above.
        low = self._fifths - 3
        position = low + (pitch * 7 - low) % 12
        alter, index = divmod(position + 1, 7)
        letter = _FIFTHS_LETTERS[index]
        octave = (pitch - alter - SEMITONES[letter]) // 12 - 5  # 0 holds middle C
        given = (self._fifths - index + 6) // 7
        place = (letter, octave)
        known = {self._letters.get(letter, given), self._places.get(place, given)}
        self._letters[letter] = self._places[place] = alter
        name = letter.lower() + "'" * (octave - 1) if octave > 0 else letter + "," * -octave
        return name if known == {alter} else _SIGNS[alter] + name


def _key(key: Key) -> str:
    return key.tonic_name + _MODES.get(key.mode, key.mode[:3])


def _number(tempo: float) -> str:
    return str(int(tempo)) if tempo == int(tempo) else repr(tempo)


def _plain(text: str) -> str:
    """A text that fits in a field: one line, with the sign that begins a comment taken literally."""
    return " ".join(text.splitlines()).strip().replace("%", "\\%")

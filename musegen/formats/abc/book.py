"""A text of ABC tunes -> tunes and scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from musegen.errors import MusegenError
from musegen.formats import Reading
from musegen.formats.abc.fields import (
    default_unit,
    parse_key,
    parse_metre,
    parse_parts,
    parse_shift,
    parse_tempo,
    parse_unit,
)
from musegen.formats.abc.music import FERMATAS, TOO_ODD, Music
from musegen.formats.abc.repeats import playing_order
from musegen.formats.abc.stave import Settings
from musegen.formats.abc.tune import Line, Tune
from musegen.score import Score

T = TypeVar("T")

MAX_BYTES = 4 * 2**20
"""O'Neill's 1,850 tunes take 1 MB."""
MAX_TUNES = 20_000
MAX_NOTES = 50_000
"""Notes and rests of one tune, repeats played."""
MAX_BOOK_NOTES = 500_000
"""Notes of all tunes of a file, repeats played."""
MAX_BOOK_TOKENS = 1_000_000
"""Notes, bar lines and other signs of all tunes of a file as written. O'Neill's have half as many."""
MAX_MENDED = 200
"""Complaints about one file; the rest are counted."""
MAX_COMPLAINTS = 100
"""About one tune; with more, it is taken for something else."""

_HEADER = re.compile(r"([A-Za-z]):[ \t]*(.*)")
_REACH = re.compile(r"propagate-accidentals\s+(pitch|octave|not)\b")
_COMMENT = re.compile(r"(?<!\\)%.*")
_EARLY = frozenset("KMLQIU")
"""Fields that still belong to the header when they stand between `K:` and the first music."""
_SHARED = frozenset("MLUI")
"""Fields of a file's header that hold for all its tunes."""


def read(data: bytes, name: str) -> Reading:
    """Read every tune of an ABC file.

    Args:
        data: the file, UTF-8 or Latin-1.
        name: of the file, for messages.

    Raises:
        MusegenError: it is no ABC, is too large, or has no tune that can be played.
    """
    scores: list[Score] = []
    mended: list[str] = []
    refused: list[tuple[str, str]] = []
    complaints = notes = 0
    text = decode(data, name)
    try:
        for tune in read_tunes(text):
            complaints += len(tune.mended)
            mended += [f"{tune.label}: {complaint}" for complaint in tune.mended[: MAX_MENDED - len(mended)]]
            if tune.refused:
                refused.append((tune.label, tune.refused))
                continue
            scores.append(tune.score())
            notes += sum(len(voice.notes) for voice in scores[-1].voices)
            if notes > MAX_BOOK_NOTES:
                raise MusegenError(f"it has more than {MAX_BOOK_NOTES:,} notes", "Split it into several files.")
        if not scores and not refused:
            raise MusegenError("it has no ABC tune", "A tune begins with a line such as 'X:1'.")
        if not scores:
            others = f" (and {len(refused) - 1} more tunes)" if len(refused) > 1 else ""
            raise MusegenError(f"{': '.join(refused[0])}{others}", "Check that it is ABC notation.")
    except MusegenError as error:
        raise MusegenError(f"{name}: {error.args[0]}", error.hint) from None
    if complaints > len(mended):
        mended.append(f"and {complaints - len(mended)} more")
    return Reading(tuple(scores), tuple(mended), tuple(refused))


def decode(data: bytes, name: str) -> str:
    """The text of an ABC file: UTF-8, or else Latin-1.

    Raises:
        MusegenError: it is too large, or no text.
    """
    if len(data) > MAX_BYTES:
        raise MusegenError(f"{name}: it is larger than {MAX_BYTES // 2**20} MB", "Split it into several files.")
    if b"\0" in data:
        raise MusegenError(f"{name}: it is no text", "Check that it is ABC notation.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_tunes(text: str) -> Iterator[Tune]:
    """Every tune of a book, in order, the ones that cannot be played too (see `Tune.refused`).

    A tune begins with `X:` and ends with an empty line or the next `X:`. A text without `X:` but with `K:` is one
    tune.

    Raises:
        MusegenError: there are more than `MAX_TUNES`, or more music than `MAX_BOOK_TOKENS`.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [i for i, line in enumerate(lines) if line[:2] == "X:"]
    if len(starts) > MAX_TUNES:
        raise MusegenError(f"it has more than {MAX_TUNES:,} tunes", "Split the file into several.")
    if not starts:
        if not any(line[:2] == "K:" for line in lines):
            return
        starts = [0]
    tokens = 0
    shared = []
    for line in lines[: starts[0]]:
        found = _HEADER.match(_COMMENT.sub("", line))
        if found and found[1] in _SHARED:
            shared.append((found[1], found[2].strip()))
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        tune, count = _read_tune(lines[start:end], start + 1, shared)
        yield tune
        tokens += count
        if tokens > MAX_BOOK_TOKENS:
            raise MusegenError("it has too much music for one file", "Split the file into several.")


def _read_tune(lines: list[str], first: int, shared: list[tuple[str, str]]) -> tuple[Tune, int]:
    """Read one tune, which begins on line `first` of its file; also how many signs its music has."""
    fields: dict[str, list[str]] = {}
    mended: list[str] = []
    refused = ""
    voices: tuple[Line, ...] = ()

    def complain(number: int, what: str) -> None:
        mended.append(f"line {number}: {what}")
        if len(mended) > MAX_COMPLAINTS:
            raise MusegenError(TOO_ODD)

    body = _read_header(lines, fields)
    for letter, value in shared:
        if letter not in fields or letter in "UI":
            fields.setdefault(letter, []).append(value)
    music = Music(_settings(fields, first, complain), _fermatas(fields.get("U", [])), complain)
    try:
        for value in fields.get("V", []):
            music.voice(value)
        for i in range(body, len(lines)):
            line = lines[i]
            if "%" in line:
                line = _COMMENT.sub("", line)
                if not line.strip():
                    continue
            if not line.strip():
                break
            music.read(first + i, line)
        parts = parse_parts(fields["P"][0]) if "P" in fields else ""
        voices = _voices(music, parts)
        refused = "" if voices else "it has no notes"
    except MusegenError as error:
        refused = str(error)
    header = {letter: tuple(values) for letter, values in fields.items()}
    return Tune(header, voices, first, tuple(mended), refused), music.tokens


def _voices(music: Music, parts: str) -> tuple[Line, ...]:
    """The voices that have notes, with their repeats worked out."""
    voices = []
    notes = 0
    for stave in music.staves.values():
        bars = stave.end()
        if any(event.pitch is not None for bar in bars for event in bar.events):
            line = Line(stave.name, bars, playing_order(bars, parts))
            notes += sum(len(bars[i].events) for i in line.order)
            voices.append(line)
        if notes > MAX_NOTES:
            raise MusegenError(f"with its repeats it has more than {MAX_NOTES:,} notes")
    return tuple(voices)


def _read_header(lines: list[str], fields: dict[str, list[str]]) -> int:
    """Collect the header's fields and return the index of the first line of the body.

    The header ends with `K:`, and the fields right after it belong to it too. What is neither field nor comment is
    passed over. Without a `K:` the music begins where the fields end.
    """
    has_key = False
    if not any(line[:2] == "K:" for line in lines):
        for i, line in enumerate(lines):
            found = _HEADER.match(line)
            if found:
                fields.setdefault(found[1], []).append(_COMMENT.sub("", found[2]).strip())
            elif line.strip() and line[0] != "%":
                return i
        return len(lines)
    for i, line in enumerate(lines):
        found = _HEADER.match(_COMMENT.sub("", line) if "%" in line else line)
        if found and (not has_key or found[1] in _EARLY):
            value = found[2].strip().replace("\\%", "%")
            if has_key and found[1] in "KMLQ":
                fields[found[1]] = [value]
            else:
                fields.setdefault(found[1], []).append(value)
            has_key = has_key or found[1] == "K"
        elif has_key:
            return i
    return len(lines)


def _settings(fields: dict[str, list[str]], first: int, complain: Callable[[int, str], None]) -> Settings:
    """What the header says of key, metre, note length and tempo; what it says wrongly is left out."""

    def value(letter: str, parse: Callable[[str], T], otherwise: T) -> T:
        try:
            return parse(fields[letter][-1]) if letter in fields else otherwise
        except MusegenError as error:
            complain(first, f"ignored {letter}: {error}")
            return otherwise

    metre = value("M", parse_metre, None)
    unit = value("L", parse_unit, default_unit(metre))
    reach = [found[1] for text in fields.get("I", []) if (found := _REACH.match(text))]
    return Settings(
        signature=value("K", parse_key, parse_key("C")),
        metre=metre,
        unit=unit,
        tempo=value("Q", lambda text: parse_tempo(text, unit, metre), None),
        shift=parse_shift(fields["K"][-1]) or 0 if "K" in fields else 0,
        reach=reach[-1] if reach else "pitch",
    )


def _fermatas(symbols: list[str]) -> frozenset[str]:
    """The decoration letters that stand for a fermata: `H`, unless `U:` redefines it, and those it defines."""
    letters = {"H"}
    for symbol in symbols:
        found = re.match(r"([H-Wh-w~])\s*=\s*[!+]?(\w*)", symbol)
        if found:
            (letters.add if found[2] in FERMATAS else letters.discard)(found[1])
    return frozenset(letters)

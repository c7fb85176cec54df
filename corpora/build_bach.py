"""The chorales: four voices of each, as written, repeats not played (the literature's way)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping

from musegen.corpora.grouping import voices_by_beat
from musegen.corpora.pieces import TICKS, Event, Line, Piece, written
from musegen.errors import MusegenError
from musegen.formats import musicxml
from musegen.representation.arrange import CHOIR, arrange
from musegen.representation.keys import key_of
from musegen.representation.roll import REST
from musegen.score import Key, Score, Voice

COMPOSER = "Johann Sebastian Bach"
FOLDER = "music21/corpus/bach/"
# Settings whose four voices are mostly instrumental: what sounds is the accompaniment.
INSTRUMENTAL = {"bwv171.6", "bwv248.23-2", "bwv248.42-4", "bwv248.64-6", "bwv248.9-1", "bwv79.3"}
DUPLICATE = 0.5
"""Two chorales that share so many of their passages of all four voices, in any key, are one chorale written twice."""


def files(names: list[str]) -> list[str]:
    """The chorales among the files of the wheel. The three in kern format are all rights reserved and stay out."""
    return sorted(name for name in names if name.startswith(FOLDER) and name.endswith((".mxl", ".xml")))


def pieces(contents: Mapping[str, bytes], titles: Mapping[str, str]) -> tuple[list[Piece], dict[str, int]]:
    """Read the chorales.

    Args:
        contents: the files, by name.
        titles: by catalogue number.

    Returns:
        The pieces, and how many were dropped for which reason.
    """
    read = list(_read(contents, titles))
    clean = [piece for piece in read if piece.id not in INSTRUMENTAL]
    kept = _distinct(clean)
    dropped = {
        "not soprano, alto, tenor and bass": len(contents) - len(read),
        "mostly instrumental": len(read) - len(clean),
        "written twice, in any key": len(clean) - len(kept),
    }
    return kept, dropped


def titles(source: str) -> dict[str, str]:
    """Titles by catalogue number, from the wheel's list of Riemenschneider's edition."""
    rows = re.findall(r"^\s*\d+---\|\|---([\w.-]+)---\|\|---(.+?)---\|\|---", source, re.MULTILINE)
    return {f"bwv{number}": title for number, title in rows}


def _read(contents: Mapping[str, bytes], titles: Mapping[str, str]) -> Iterator[Piece]:
    for path, data in contents.items():
        name = path.removeprefix(FOLDER)
        text = _unpacked(data)
        # As written: the repeats of a chorale repeat only its words.
        text = re.sub(rb"<(repeat|ending)\b[^>]*(/>|>[^<]*</ending>)", b"", text)
        reading = musicxml.read(text, name)
        try:
            score = arrange(reading.scores[0], len(CHOIR)).score
        except MusegenError:
            continue
        number = name.rpartition(".")[0]
        yield _piece(number, titles.get(number) or _credit(text), name, score)


def _unpacked(data: bytes) -> bytes:
    if data[:2] != b"PK":
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        scores = [n for n in archive.namelist() if n.endswith((".xml", ".musicxml")) and not n.startswith("META-INF")]
        return archive.read(scores[0])


def _credit(text: bytes) -> str:
    """The title that some files have on their first page, its umlauts read as the Mac that wrote them meant them."""
    for words in re.findall(r"<credit-words[^>]*>BWV\s*[\w.]+\s+([^<]{4,})<", text.decode()):
        try:
            return " ".join(words.encode("cp1252").decode("mac_roman").split())
        except UnicodeError:
            return " ".join(words.split())
    return ""


def _piece(number: str, title: str, name: str, score: Score) -> Piece:
    signature = score.keys[0][1] if score.keys else Key(0)
    return Piece(
        id=number,
        title=title,
        composer=COMPOSER,
        kind="chorale",
        source=f"bach/{name}",
        transcriber="",
        metres=tuple((int(onset * TICKS), metre) for onset, metre in score.metres),
        pickup=int(score.pickup * TICKS),
        signature=signature.fifths,
        keys=((0, key_of(score, signature)),),
        tempi=(),
        lines=tuple(_line(part, voice, score) for part, voice in zip(CHOIR, score.voices, strict=True)),
    )


def _line(name: str, voice: Voice, score: Score) -> Line:
    """A voice, bar by bar; a note over a bar line is tied."""
    ends = [int((bar.onset + bar.duration) * TICKS) for bar in score.bars()]
    bars: list[list[Event]] = [[]]
    time = 0

    def add(pitch: int, end: int, fermata: bool) -> None:
        nonlocal time
        while time < end:
            if time == ends[len(bars) - 1]:
                bars.append([])
            stop = min(end, ends[len(bars) - 1])
            tied = stop < end and pitch != REST
            bars[-1].append(Event(pitch, stop - time, tied, fermata and not tied))
            time = stop

    for note in voice.notes:
        if any(value * TICKS % 1 for value in (note.onset, note.end)):
            raise MusegenError(f"a note is no whole number of {TICKS}ths of a quarter long")
        add(REST, int(note.onset * TICKS), False)
        add(note.pitch, int(note.end * TICKS), note.fermata)
    add(REST, int(score.duration * TICKS), False)
    return Line(name, tuple(written(bar) for bar in bars), tuple(range(len(bars))))


def _distinct(pieces: list[Piece]) -> list[Piece]:
    """Leave out the shorter of two chorales that are one; of equals the one with the longer name, a variant's."""
    passages = {piece.id: set(voices_by_beat(piece.roll(4)).tolist()) for piece in pieces}
    kept: list[Piece] = []
    lengths = {piece.id: piece.score().duration for piece in pieces}
    for piece in sorted(pieces, key=lambda each: (-lengths[each.id], len(each.id), each.id)):
        mine = passages[piece.id]
        if not any(
            len(mine & passages[other.id]) >= DUPLICATE * min(len(mine), len(passages[other.id])) for other in kept
        ):
            kept.append(piece)
    return sorted(kept, key=lambda piece: _natural(piece.id))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort numbers by value: bwv9 before bwv10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]

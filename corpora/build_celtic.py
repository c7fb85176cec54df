"""The tunes: O'Neill's Music of Ireland and Ryan's Mammoth Collection, with their repeats and who typed them in."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Hashable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from musegen.corpora.pieces import TICKS, Event, Line, Piece, written
from musegen.formats import abc
from musegen.representation.roll import REST

FOLDERS = {"music21/corpus/oneills1850/": "oneill", "music21/corpus/ryansMammoth/": "ryan"}
WRONG = 0.1
"""Tunes with a larger share of bars that do not add up are not used."""

# What O'Neill's book has under which numbers.
ONEILL = (
    (625, "air"),
    (700, "Carolan"),
    (1115, "double jig"),
    (1175, "slip jig"),
    (1555, "reel"),
    (1780, "hornpipe"),
    (1850, "march or other"),
)
RYAN = {"slipjig": "slip jig", "fling": "highland fling"}

_DANCE = re.compile(
    r"^walk around\W+--\s*"
    r"|[\s-]*--\s*(original )?(reel|jig|hornpipe|clog|strathspey|slip-? ?jig|(highland )?fling)\W*$",
    re.I,
)
_ROLE = re.compile(r"^\s*(transcri\w+|contributed|corrected|edited|proofread)?\s*(by|be)?(?=[ A])\s*", re.I)


class _Found(NamedTuple):
    piece: Piece
    wrong: float
    number: int  # in O'Neill's book; 0 for Ryan's


def files(names: list[str]) -> list[str]:
    """The two collections among the files of the wheel."""
    return sorted(name for name in names if name.startswith(tuple(FOLDERS)) and name.endswith(".abc"))


def pieces(contents: Mapping[str, bytes]) -> tuple[list[Piece], dict[str, int]]:
    """Read the tunes.

    Args:
        contents: the files, by name.

    Returns:
        The pieces, and how many were dropped for which reason.
    """
    dropped = {"unreadable": 0, "more than a tenth of the bars wrong": 0, "off the grid": 0}
    found: list[_Found] = []
    for path, data in contents.items():
        for tune in abc.read_tunes(abc.decode(data, path)):
            if tune.refused or len(tune.lines) != 1:
                dropped["unreadable"] += 1
            elif tune.wrong_share > WRONG:
                dropped["more than a tenth of the bars wrong"] += 1
            elif not _fits(tune):
                dropped["off the grid"] += 1
            else:
                found.append(_found(path, tune))
    # The best transcription first; the sort is stable, so then the order of the files.
    found.sort(key=lambda each: each.wrong)
    copies, distinct = _split(found, lambda each: _intervals(each.piece))
    second, kept = _split(distinct, lambda each: each.number or each.piece.id)
    dropped |= {"exact copies, in any key": len(copies), "second transcriptions": len(second)}
    return sorted((each.piece for each in kept), key=lambda piece: piece.id), dropped


def _split(found: list[_Found], label: Callable[[_Found], Hashable]) -> tuple[list[_Found], list[_Found]]:
    """(those with a label seen before, the others)."""
    seen: set[Hashable] = set()
    again: list[_Found] = []
    new: list[_Found] = []
    for each in found:
        (again if label(each) in seen else new).append(each)
        seen.add(label(each))
    return again, new


def _fits(tune: abc.Tune) -> bool:
    """Whether all times are whole 24ths of a quarter, and all bar lines whole 12ths, the grid of the corpus."""
    score = tune.score()
    bars = [score.pickup, *(time for time, _ in score.metres), *(metre.quarters for _, metre in score.metres)]
    times = [time for time, _ in (*score.keys, *score.tempi)]
    times += [event.duration for bar in tune.bars for event in bar.events]
    return all((time * TICKS).denominator == 1 for time in times) and all((time * 12).denominator == 1 for time in bars)


def _found(path: str, tune: abc.Tune) -> _Found:
    folder, name = path.removeprefix("music21/corpus/").split("/")
    book = FOLDERS[f"music21/corpus/{folder}/"]
    number = _number(name, tune) if book == "oneill" else 0
    score = tune.score()
    return _Found(
        Piece(
            id=f"oneill-{number:04}" if number else f"ryan-{PurePosixPath(name).stem}",
            title=_title(tune.title),
            composer="",
            kind=_kind(tune, number),
            source=f"{folder}/{name}#{tune.number}",
            transcriber=_transcriber(tune.fields.get("Z", ())),
            metres=tuple((int(onset * TICKS), metre) for onset, metre in score.metres),
            pickup=int(score.pickup * TICKS),
            signature=score.keys[0][1].fifths if score.keys else 0,
            keys=tuple((int(onset * TICKS), key) for onset, key in score.keys),
            tempi=tuple((int(onset * TICKS), tempo) for onset, tempo in score.tempi),
            lines=(Line("Melody", tuple(_bar(bar) for bar in tune.bars), tune.order),),
        ),
        tune.wrong_share,
        number,
    )


def _bar(bar: abc.WrittenBar) -> str:
    return written(
        [Event(REST if e.pitch is None else e.pitch, int(e.duration * TICKS), e.tied, e.fermata) for e in bar.events]
    )


def _number(name: str, tune: abc.Tune) -> int:
    """The tune's number in the book: its index or the one that it cites, whichever its file says it has."""
    first, last = (int(each) for each in name[:9].split("-"))
    cited = [int(each) for each in re.findall(r"\d+", " ".join(tune.fields.get("B", ())))]
    numbers = [int(tune.number), *cited]
    return next((number for number in numbers if first <= number <= last), numbers[0])


def _kind(tune: abc.Tune, number: int) -> str:
    if number:
        return next((kind for last, kind in ONEILL if number <= last), "march or other")
    said = " ".join(tune.fields.get("R", ())).strip().lower()
    if not said and tune.title.lower().startswith("walk around"):
        return "walkaround"
    return RYAN.get(said, said)


def _title(title: str) -> str:
    """Without the dance that Ryan's titles name, and not in capitals."""
    title = re.sub(r"(.*), (the|a)$", r"\2 \1", title.replace("t:", "t").strip(), flags=re.I)
    title = _DANCE.sub("", title).strip(' ".')
    return string.capwords(title) if title.isupper() else title


def _transcriber(lines: tuple[str, ...]) -> str:
    """The names that the source gives, without mail addresses, dates, programs and remarks on the music."""
    names: dict[str, None] = {}
    for line in lines:
        text = re.sub(r"\b([a-z]+)\.([a-z]+)@\S+", lambda mail: string.capwords(f"{mail[1]} {mail[2]}"), line)
        text = re.sub(
            r"\bABCMUS\b|<[^>]*>?|\([^)]*\)|https?:\S+|\S*@\S*|\b\S+:\S+|\S*\d\S*", " ", text.replace('"', " ")
        )
        for part in text.split(","):
            name = " ".join(_ROLE.sub("", part).replace(".", ". ").split()).strip(" .;")
            name = re.sub(r"O'Nei$", "O'Neil", name)
            if re.fullmatch(r"([A-Z][\w.']* ?){2,4}|mvhplank", name) and not name.startswith("Collected"):
                names[string.capwords(name) if name.isupper() else name] = None
    return ", ".join(names)


def _intervals(piece: Piece) -> tuple[tuple[int, int], ...]:
    """What is played, from its first pitch: the same in any key."""
    events = piece.lines[0].played()
    first = next((event.pitch for event in events if event.pitch != REST), 0)
    return tuple((event.pitch - first if event.pitch != REST else REST, event.ticks) for event in events)

"""What one worker does with one file: read it, arrange its pieces, put them on the grid."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from musegen.corpora.encoded import about
from musegen.corpora.grouping import Hashes, plain, rules_for
from musegen.errors import MusegenError
from musegen.formats import Reading, printable, read
from musegen.representation.arrange import arrange
from musegen.representation.grid import encode, least_grid
from musegen.score import Score

_kept: dict[str, Reading] = {}
"""Files that were surveyed and are about to be asked for again."""


@dataclass(frozen=True)
class Survey:
    """Ask what pieces a file has; answered with (voices, least grid) of each."""

    path: str


@dataclass(frozen=True)
class Encode:
    """Ask for the pieces of a file on a grid; answered with an `Answer`.

    Attributes:
        path: of the file.
        name: of the file within the corpus.
        voices: of every piece.
        steps_per_quarter: the grid.
    """

    path: str
    name: str
    voices: int
    steps_per_quarter: int


@dataclass(frozen=True)
class Encoded:
    """A piece on the grid.

    Attributes:
        id: its name within the corpus.
        symbols: (steps, voices) in C order.
        about: the rest of it, as an encoded corpus stores it.
        digest: the same for the same notes.
        title: made plain.
        passages: for each rule of grouping.
    """

    id: str
    symbols: bytes
    about: bytes
    digest: bytes
    title: str
    passages: tuple[Hashes, ...]


@dataclass(frozen=True)
class Answer:
    """What a file held.

    Attributes:
        pieces: those that can be used.
        refused: (what, why) of those that cannot; what is empty when it is the file.
        notes: (what, what was put right or moved).
    """

    pieces: tuple[Encoded, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()


def work(task: Survey | Encode) -> list[tuple[int, int]] | Answer:
    """Do a task."""
    return _survey(task) if isinstance(task, Survey) else _encode(task)


def _survey(task: Survey) -> list[tuple[int, int]]:
    found = []
    try:
        reading = _kept[task.path] = read(task.path)
    except MusegenError:
        return []
    for score in reading.scores:
        try:
            arranged = arrange(score).score
        except MusegenError:
            continue
        found.append((len(arranged.voices), least_grid(arranged)))
    return found


def _encode(task: Encode) -> Answer:
    name = printable(task.path)
    try:
        reading = _kept.pop(task.path, None) or read(task.path)
    except MusegenError as error:
        return Answer(refused=(("", _without(name, error)),))
    pieces: list[Encoded] = []
    refused = list(reading.refused)
    notes = [("", each) for each in reading.mended]
    for number, score in enumerate(reading.scores, 1):
        several = len(reading.scores) > 1 or bool(reading.refused)
        what = f"{number} {score.title}".strip() if several else ""
        try:
            piece, note = _piece(score, f"{task.name}#{number}" if several else task.name, task)
        except MusegenError as error:
            refused.append((what, _without(name, error)))
            continue
        pieces.append(piece)
        if note:
            notes.append((what, note))
    return Answer(tuple(pieces), tuple(refused), tuple(notes))


def _piece(score: Score, id_: str, task: Encode) -> tuple[Encoded, str]:
    """A piece on the grid, and what that changed."""
    arranged = arrange(score, task.voices)
    encoded = encode(arranged.score, task.steps_per_quarter)
    if not encoded.roll.steps:
        raise MusegenError("it has no length")
    roll = replace(encoded.roll, title=_text(encoded.roll.title), composer=_text(encoded.roll.composer))
    symbols = roll.symbols.tobytes()
    left = f"left out: {', '.join(arranged.left_out)}" if arranged.left_out else ""
    return (
        Encoded(
            id=id_,
            symbols=symbols,
            about=about(roll, id_, task.name),
            digest=hashlib.blake2b(symbols, digest_size=16).digest(),
            title=plain(roll.title),
            passages=tuple(rule.passages(roll) for rule in rules_for(task.voices)),
        ),
        "; ".join(each for each in (encoded.summary(), left) if each),
    )


def _without(name: str, error: MusegenError) -> str:
    """A message without the file's name, which stands beside it."""
    return str(error.args[0]).removeprefix(f"{name}: ").removeprefix(f"{name} ")


def _text(text: str) -> str:
    """Without what no file can hold."""
    return text.encode("utf-8", "replace").decode()

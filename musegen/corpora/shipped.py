"""The music that comes with musegen: `bach` and `celtic`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from musegen.corpora.corpus import Corpus, Info
from musegen.corpora.grouping import SPLITS
from musegen.corpora.pieces import Piece
from musegen.errors import MusegenError
from musegen.files import cannot
from musegen.representation.roll import Roll
from musegen.shipped import shipped

GROUPED, BY_PIECE = "grouped", "by-piece"
"""The ways in which the shipped corpora are split: versions of a piece on one side, or each piece by itself (which
leaks, and is there to compare with literature that does so)."""


def names() -> tuple[str, ...]:
    """The shipped corpora; none where they were taken out (see `corpora/NOTICE.md`)."""
    try:
        manifest = shipped("corpora") / "manifest.json"
    except MusegenError:
        return ()
    return tuple(_json(manifest)["corpora"]) if manifest.exists() else ()


def open_shipped(name: str, splits: str = GROUPED) -> Corpus:
    """Open a shipped corpus.

    Args:
        name: one of `names()`.
        splits: `GROUPED` or `BY_PIECE`.

    Raises:
        MusegenError: its files are missing, or not as they were shipped.
    """
    folder = shipped("corpora")
    about = _json(folder / "manifest.json")["corpora"][name]
    text = _checked(folder / f"{name}.jsonl", about["sha256"])
    split = json.loads(_checked(folder / "splits.json", about["splits_sha256"]))[name][splits]
    pieces = _Lines(text.decode().splitlines(), about["steps_per_quarter"])
    ids = tuple(pieces.piece(index).id for index in range(len(pieces)))
    of = {each: name for name in SPLITS for each in split[name]}
    dealt = tuple(of[each] for each in ids)
    digest = hashlib.sha256((about["sha256"] + " ".join(dealt)).encode()).hexdigest()
    return Corpus(
        name=name,
        voices=about["voices"],
        steps_per_quarter=about["steps_per_quarter"],
        ids=ids,
        splits=dealt,
        hash=digest,
        licence=about["licence"],
        source=about["source"],
        pieces=pieces,
    )


class _Lines:
    """Pieces as lines of text, put on the grid when they are asked for, and kept."""

    def __init__(self, lines: list[str], steps_per_quarter: int) -> None:
        self._lines = lines
        self._steps_per_quarter = steps_per_quarter
        self._pieces: dict[int, Piece] = {}
        self._rolls: dict[int, Roll] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def piece(self, index: int) -> Piece:
        if index not in self._pieces:
            self._pieces[index] = Piece.parse(self._lines[index])
        return self._pieces[index]

    def info(self, index: int) -> Info:
        piece = self.piece(index)
        key = piece.keys[0][1] if piece.keys else None
        return Info(piece.id, piece.title, piece.source, piece.kind, str(piece.metres[0][1]), key)

    def roll(self, index: int) -> Roll:
        if index not in self._rolls:
            roll = self.piece(index).roll(self._steps_per_quarter)
            roll.symbols.flags.writeable = False  # it is given out again
            self._rolls[index] = roll
        return self._rolls[index]


def _checked(path: Path, sha256: str) -> bytes:
    """Read a file that must be as it was shipped."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise cannot("read", path, error) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise MusegenError(f"{path} is not as it was shipped", "Install musegen again, or run `make corpora`.")
    return data


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise cannot("read", path, error) from error
    except ValueError as error:
        raise MusegenError(
            f"{path} is not as it was shipped", "Install musegen again, or run `make corpora`."
        ) from error

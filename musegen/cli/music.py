"""Pieces that come into the command line: a file of any format, or stdin."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import click

from musegen.cli.talk import talk
from musegen.errors import MusegenError
from musegen.files import cannot
from musegen.formats import MAX_BYTES, Format, Reading, format_of, printable, read, read_bytes
from musegen.score import Score

SOURCE = click.Path(exists=True, dir_okay=False, allow_dash=True)
"""The type of an argument that names a piece."""


def read_music(source: str, read_as: str | None = None, data: bytes | None = None) -> Reading:
    """Read a file or stdin, and say what was mended or left out.

    Args:
        source: a path, or `-` for stdin.
        read_as: suffix of the format, without the dot; by default the file's own, or what stdin looks like.
        data: what `take` took from the source; taken now when not given.

    Raises:
        MusegenError: it cannot be read, or holds no music.
    """
    name = "stdin" if source == "-" else printable(source)
    if data is None and source != "-" and not read_as:
        reading = read(source)
    else:
        form = format_of(source) if not read_as and source != "-" and Path(source).suffix else None
        reading = read_bytes(take(source) if data is None else data, f".{read_as}" if read_as else form, name)
    for line in reading.mended:
        talk(f"{name}: {line}")
    for what, why in reading.refused:
        talk(f"{name}: left out {what}: {why}")
    return reading


def take(source: str) -> bytes:
    """The bytes of a file or of stdin, for who needs them and the music too; up to what `read_bytes` refuses.

    Raises:
        MusegenError: it cannot be read.
    """
    if source == "-":
        if sys.stdin is None:
            raise MusegenError("stdin is closed", "Name a file, or use a pipe.")
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(source).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise cannot("read", source, error) from error


def is_text(form: Format) -> bool:
    """Whether a terminal can show files of this format."""
    return form.name in ("ABC", "MusicXML")


def chosen(reading: Reading, tune: int | None, source: str) -> tuple[Score, ...]:
    """The piece with this number, from 1, or all of them when none is named.

    Raises:
        MusegenError: there is no such piece.
    """
    if tune is None:
        return reading.scores
    if tune > len(reading.scores):
        raise MusegenError(f"{source} has no piece {tune}: it holds {len(reading.scores)}", "Choose another --tune.")
    return (reading.scores[tune - 1],)


def slug(title: str) -> str:
    """A title as part of a file's name: plain letters and digits with hyphens, at most 40; may be empty."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", ""))[:40].strip("-")


def summary(score: Score) -> dict[str, object]:
    """What a piece is, for `--json`."""
    return {
        "title": score.title,
        "voices": len(score.voices),
        "bars": sum(bar.number > 0 for bar in score.bars()),
        "quarters": float(score.duration),
        "notes": sum(len(voice.notes) for voice in score.voices),
        "metre": str(score.metres[0][1]),
        "key": str(score.keys[0][1]) if score.keys else None,
    }

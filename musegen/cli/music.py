"""Pieces that come into the command line: a file of any format, or stdin."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from musegen.cli.talk import talk
from musegen.errors import MusegenError
from musegen.files import cannot
from musegen.formats import MAX_BYTES, Format, Reading, format_of
from musegen.score import Score

SOURCE = click.Path(exists=True, dir_okay=False, allow_dash=True)
"""The type of an argument that names a piece."""

_BEGINNINGS = {b"MThd": "mid", b"RIFF": "mid", b"PK": "mxl", b"<": "musicxml", b"\xef\xbb\xbf<": "musicxml"}
"""How files begin, for stdin, which has no suffix; anything else is text, so ABC."""


def read_music(source: str, read_as: str | None = None) -> Reading:
    """Read a file or stdin, and say what was mended or left out.

    Args:
        source: a path, or `-` for stdin.
        read_as: suffix of the format, without the dot; by default the file's own, or what stdin looks like.

    Raises:
        MusegenError: it cannot be read, or holds no music.
    """
    if source == "-":
        name, data = "stdin", _bytes_of_stdin()
        read_as = read_as or next((each for start, each in _BEGINNINGS.items() if data.startswith(start)), "abc")
        form = format_by_suffix(read_as)
    else:
        name = source
        form = format_by_suffix(read_as) if read_as else format_of(source)
        data = _bytes_of_file(source)
    reading: Reading = import_module(form.module).read(data, name)
    for line in reading.mended:
        talk(f"{name}: {line}")
    for what, why in reading.refused:
        talk(f"{name}: left out {what}: {why}")
    return reading


def write_music(scores: Sequence[Score], form: Format) -> bytes:
    """Pieces as one file of this format; ABC alone has books of several.

    Raises:
        MusegenError: the format cannot hold them.
    """
    data: bytes = import_module(form.module).write(scores)
    return data


def is_text(form: Format) -> bool:
    """Whether a terminal can show files of this format."""
    return form.name in ("ABC", "MusicXML")


def format_by_suffix(suffix: str) -> Format:
    """The format whose files end so; the suffix is given without its dot."""
    return format_of(f"piece.{suffix}")


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


def _bytes_of_stdin() -> bytes:
    if sys.stdin is None:
        raise MusegenError("stdin is closed", "Name a file, or use a pipe.")
    return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1), "stdin")


def _bytes_of_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1), path)  # a device never ends, whatever size it claims
    except OSError as error:
        raise cannot("read", path, error) from error


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise MusegenError(f"{name} is larger than {MAX_BYTES >> 20} MiB: no piece of music is", "Name another file.")
    return data

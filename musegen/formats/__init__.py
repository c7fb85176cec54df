"""A file <-> scores. One module per format, and the table that names them by suffix."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from musegen.errors import MusegenError
from musegen.score import Score

MAX_BYTES = 64 * 2**20
"""No notated piece is this large; a larger file is refused before it is read."""


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Attributes:
        name: such as `MIDI`.
        suffixes: with the dot, in lower case; the first one is written.
        module: has `read(data, name) -> Reading`, `write(scores, text) -> bytes` and
            `provenance(data) -> str | None`, which gives back the text.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str


@dataclass(frozen=True)
class Reading:
    """What a file held.

    Attributes:
        scores: at least one.
        mended: what was wrong with the file and put right, one line each; empty for a sound one.
        refused: what could not be used (a tune of a book, say) and why, as (what, why).
    """

    scores: tuple[Score, ...]
    mended: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


FORMATS = (
    Format("MIDI", (".mid", ".midi", ".kar", ".smf"), "musegen.formats.midi"),
    Format("ABC", (".abc",), "musegen.formats.abc"),
    Format("MusicXML", (".musicxml", ".xml"), "musegen.formats.musicxml"),
    Format("compressed MusicXML", (".mxl",), "musegen.formats.mxl"),
)


def suffixes() -> tuple[str, ...]:
    """Every suffix that can be read."""
    return tuple(suffix for each in FORMATS for suffix in each.suffixes)


def format_of(path: str | Path) -> Format:
    """Find the format of a file by its suffix.

    Raises:
        MusegenError: none has this suffix.
    """
    suffix = Path(path).suffix.lower()
    for each in FORMATS:
        if suffix in each.suffixes:
            return each
    raise MusegenError(
        f"{printable(path)}: no format has the suffix {suffix or '(none)'!r}", f"Use one of {' '.join(suffixes())}."
    )


def guess(data: bytes, name: str) -> Format:
    """Find the format of a file by what it holds.

    Raises:
        MusegenError: it looks like none.
    """
    midi, abc, plain, packed = FORMATS
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:8]
    if start[:4] in (b"MThd", b"RIFF"):
        return midi
    if start[:2] == b"PK":
        return packed
    if start[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff", b"\x00<"):
        return plain
    if any(line[:2] in (b"X:", b"K:") for line in data.splitlines()[:1000]):
        return abc
    raise MusegenError(f"{name}: it is none of {', '.join(each.name for each in FORMATS)}")


def read(path: str | Path) -> Reading:
    """Read a file; its suffix says the format, or its content where it has none.

    Raises:
        MusegenError: it cannot be read, is empty, too large or of no known format, or makes no sense as music.
    """
    name = printable(path)
    known = format_of(path) if Path(path).suffix else None
    try:
        with Path(path).open("rb") as file:
            if stat.S_ISDIR(os.fstat(file.fileno()).st_mode):
                raise IsADirectoryError
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise _too_large(name)
            data = file.read(MAX_BYTES + 1)  # a device or a pipe has no size to look at
    except IsADirectoryError:
        raise MusegenError(f"{name} is a folder", "Name a file in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MusegenError(f"cannot read {name}: {reason[:1].lower()}{reason[1:]}") from None
    return read_bytes(data, known, name)


def read_bytes(data: bytes, form: str | Format | None, name: str) -> Reading:
    """Read what came from a pipe.

    Args:
        data: the whole file.
        form: its format, or a suffix such as `.mid`; None or an empty string to go by what it holds.
        name: what to call it in a message.

    Raises:
        MusegenError: see `read`.
    """
    if not data:
        raise MusegenError(f"{name} is empty", "Give a file with music.")
    if len(data) > MAX_BYTES:
        raise _too_large(name)
    known = (format_of(f"x{form}") if isinstance(form, str) else form) if form else guess(data, name)
    reading: Reading = import_module(known.module).read(data, name)
    return reading


def write(scores: Sequence[Score], form: str | Format, text: str = "") -> bytes:
    """Write scores as a file of one format.

    Args:
        scores: ABC takes any number, the others exactly one.
        form: the format, or a suffix such as `.mid`.
        text: where the music comes from, one line.

    Raises:
        MusegenError: no format has this suffix, or the format cannot hold these scores.
    """
    known = format_of(f"x{form}") if isinstance(form, str) else form
    data: bytes = import_module(known.module).write(scores, text)
    return data


def printable(path: str | Path) -> str:
    """A path as one line of text that any terminal can show; what is no text is written as an escape."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def _too_large(name: str) -> MusegenError:
    return MusegenError(f"{name} is larger than {MAX_BYTES >> 20} MiB: no piece of music is", "Name another file.")

"""A file <-> scores. One module per format, and the table that names them by suffix."""

from __future__ import annotations

from dataclasses import dataclass
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
        module: has `read(data, name) -> Reading` and `write(score) -> bytes`.
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
        f"{path}: no format has the suffix {suffix or '(none)'!r}", f"Use one of {' '.join(suffixes())}."
    )

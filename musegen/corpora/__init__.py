"""Sets of rolls: the shipped ones, and those encoded from anyone's files.

`open_corpus` opens any of them; `available` lists those that have a name; `encode.encode_files` makes new ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from musegen.corpora import shipped
from musegen.corpora.corpus import Corpus, Info
from musegen.corpora.encoded import SUFFIX, open_encoded
from musegen.corpora.shipped import BY_PIECE, GROUPED
from musegen.errors import MusegenError
from musegen.formats import printable, suffixes
from musegen.shipped import home

if TYPE_CHECKING:
    from musegen.corpora.encode import Report

__all__ = ["BY_PIECE", "GROUPED", "Corpus", "Info", "available", "open_corpus"]


def available() -> tuple[str, ...]:
    """The corpora that have a name: the shipped ones, then the user's own."""
    return tuple(dict.fromkeys((*shipped.names(), *_own())))


def open_corpus(
    name: str | Path,
    splits: str = GROUPED,
    voices: int | None = None,
    steps_per_quarter: int | None = None,
    tell: Callable[[Report], None] | None = None,
) -> Corpus:
    """Open a corpus.

    Args:
        name: one of `available()` (the user's own hides a shipped one of the same name), an encoded file, or a file or
            folder of music, which is encoded first. `./bach` is the file or folder, `bach` the corpus.
        splits: `GROUPED`, or `BY_PIECE` for a split that leaks as the literature's do.
        voices: of each piece, and
        steps_per_quarter: the grid, when music is encoded; chosen by a look at it when not given.
        tell: called with what became of the files when music was encoded.

    Raises:
        MusegenError: there is no such corpus, or it cannot be read.
    """
    by_piece = splits == BY_PIECE
    own = _own()
    if str(name) in own:
        return open_encoded(own[str(name)], str(name), by_piece)
    if str(name) in shipped.names():
        return shipped.open_shipped(str(name), splits)
    path = Path(name)
    if path.is_dir() or (path.exists() and path.suffix.lower() in suffixes()):
        return _open_music(path, by_piece, voices, steps_per_quarter, tell)
    if path.exists():
        return open_encoded(path, by_piece=by_piece)
    raise MusegenError(
        f"there is no corpus called {printable(name)}, nor such a file or folder",
        f"At hand: {', '.join(available()) or 'none'}.",
    )


def _own() -> dict[str, Path]:
    """The user's own corpora, by name."""
    return {path.stem: path for path in sorted(home("corpora").glob(f"*{SUFFIX}"))}


def _open_music(
    path: Path,
    by_piece: bool,
    voices: int | None,
    steps_per_quarter: int | None,
    tell: Callable[[Report], None] | None,
) -> Corpus:
    """Encode into a place that is forgotten once the corpus is closed."""
    from musegen.corpora.encode import encode_files

    with tempfile.TemporaryDirectory(prefix="musegen-", ignore_cleanup_errors=True) as folder:
        encoded = Path(folder, "corpus")
        report = encode_files([path], encoded, voices, steps_per_quarter)
        if tell:
            tell(report)
        return open_encoded(encoded, printable(path), by_piece)  # stays mapped though the file goes

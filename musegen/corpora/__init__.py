"""Sets of rolls: the shipped ones, and those encoded from anyone's files.

`open_corpus` opens any of them; `available` lists those that have a name.
"""

from __future__ import annotations

from pathlib import Path

from musegen.corpora import shipped
from musegen.corpora.corpus import Corpus, Info
from musegen.corpora.shipped import BY_PIECE, GROUPED
from musegen.errors import MusegenError

__all__ = ["BY_PIECE", "GROUPED", "Corpus", "Info", "available", "open_corpus"]


def available() -> tuple[str, ...]:
    """The names of the shipped corpora, then those of the user's own."""
    return (*shipped.names(),)


def open_corpus(name: str | Path, splits: str = GROUPED) -> Corpus:
    """Open a corpus.

    Args:
        name: a shipped corpus.
        splits: `GROUPED`, or `BY_PIECE` for a split that leaks as the literature's do.

    Raises:
        MusegenError: there is no such corpus, or it cannot be read.
    """
    if str(name) in shipped.names():
        return shipped.open_shipped(str(name), splits)
    raise MusegenError(f"there is no corpus {name}", f"At hand: {', '.join(available())}.")

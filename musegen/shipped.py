"""Where the music and the models that come with musegen lie."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from musegen.errors import MusegenError


def shipped(kind: str) -> Path:
    """Find a shipped folder, in a source checkout as in an installed package.

    Args:
        kind: `corpora` or `checkpoints`.

    Raises:
        MusegenError: this installation has none.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_shipped" / kind, package.parent / kind):
        if folder.is_dir():
            return folder
    raise MusegenError(f"this installation of musegen has no {kind}", "Install it again.")


def home(kind: str) -> Path:
    """The user's own folder of this kind, under `MUSEGEN_HOME`; it may not exist."""
    return Path(os.environ.get("MUSEGEN_HOME") or platformdirs.user_data_dir("musegen")) / kind

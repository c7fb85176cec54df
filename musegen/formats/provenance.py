"""Where a piece comes from: plain data in a line of JSON, which a file of any format carries along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from musegen.formats import Format


def line(facts: Mapping[str, Any]) -> str:
    """Plain data -> one line of text that comes back unchanged from every format.

    It is ASCII; and since readers of MIDI texts take several spaces for one, no two stand side by side. The name of
    a MIDI track's chunk is kept out too: by counting it a sound file is told from a broken one.
    """
    return json.dumps(facts).replace("  ", " \\u0020").replace("MTrk", "\\u004dTrk")


def find(data: bytes, form: Format) -> dict[str, Any] | None:
    """The plain data that `line` turned into the text of a file.

    Args:
        data: the file.
        form: its format.

    Returns:
        The data; None when the file carries no text, or another program's.

    Raises:
        MusegenError: it is not a file of this format.
    """
    text = import_module(form.module).provenance(data)
    try:
        facts = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None

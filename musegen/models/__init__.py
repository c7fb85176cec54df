"""The table of families. Reading it loads no torch; each family's module says how it learns and how it composes."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, cast

from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.models.base import Family

FAMILIES = {  # name on the command line -> where it lives
    "feedforward": "musegen.models.feedforward:Feedforward",
    "minibach": "musegen.models.minibach:MiniBach",
    "coconet": "musegen.models.coconet:Coconet",
    "lstm": "musegen.models.lstm:LSTM",
    "vae": "musegen.models.vae:VAE",
}


def family(name: str) -> Family:
    """Find a family by its name.

    Raises:
        MusegenError: there is none of this name.
    """
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, 1)
        hint = f"Did you mean {near[0]}?" if near else f"Choose from: {', '.join(FAMILIES)}."
        raise MusegenError(f"no model family is called {name!r}", hint)
    module, _, attribute = FAMILIES[name].partition(":")
    return cast("Family", getattr(import_module(module), attribute)())

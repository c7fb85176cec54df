"""Constraints from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from musegen.errors import MusegenError
from musegen.files import cannot
from musegen.representation.constraints.collection import KINDS, REPEATED, Constraints

_LISTS = ("chords", "scale")
"""Kinds whose words may be given as a list."""


def read_constraints(path: str | Path) -> Constraints:
    """Read a file such as

        scale = "D dorian"
        chords = "Dm C Dm Am"
        leap = 12
        note = ["soprano@1:1=D5", "soprano@4:3=rest"]
        [range]
        soprano = "C4-A5"

    Args:
        path: of a TOML file; its keys are the names of the options.

    Raises:
        MusegenError: it cannot be read, is no TOML, has an unknown key, or a value of a wrong type or syntax.
    """  # noqa: D415 (an example follows)
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise cannot("read", path, error) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "no text in UTF-8"
        raise MusegenError(f"{path} is no TOML file: {why}", 'Write lines such as: scale = "D dorian"') from error
    for key in data:
        if key not in KINDS:
            raise MusegenError(f"{path}: there is no constraint {key!r}", f"Use {', '.join(KINDS)}.")
    found = Constraints()
    for key, value in data.items():
        texts = _texts(key, value)
        if texts is None:
            raise MusegenError(f"{path}: {key} = {_short(value)} is of a wrong type", f"Use {_types(key)}.")
        try:
            found = found.with_(Constraints.of({key: texts}))
        except MusegenError as error:
            raise MusegenError(f"{path}: {key}: {error.args[0]}", error.hint) from error
    return found


def _texts(key: str, value: Any) -> list[str] | None:
    """The texts that a value stands for; None when it is of a wrong type."""
    if key == "leap":
        return [str(value)] if type(value) is int else None
    if isinstance(value, str):
        return [value]
    if key == "range" and isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return [f"{voice}:{each}" for voice, each in value.items()]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        if key in REPEATED:
            return value
        if key in _LISTS:
            return [" ".join(value)]
    return None


def _types(key: str) -> str:
    syntax = KINDS[key].syntax
    if key == "leap":
        return f"a whole number: {syntax}"
    kinds = {"range": "a string, a list of strings, or a table of voices", "note": "a string or a list of strings"}
    return f"{kinds.get(key, 'a string or a list of strings' if key in _LISTS else 'a string')}: {syntax}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."

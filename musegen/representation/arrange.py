"""Making a score's voices the ones a corpus wants: how many, and in which order."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from statistics import median

from musegen.errors import MusegenError
from musegen.score import Score, Voice

CHOIR = ("Soprano", "Alto", "Tenor", "Bass")
"""Four voices that are called so stand in this order, whatever they sing."""

_PARTS = tuple(
    re.compile(rf"(?:{word})\b|{word[0]}[ .:0-9]*$", re.I) for word in ("soprano?", "alto?", "tenore?", "bass[eo]?")
)
"""What a name begins with, or the first letter alone: one for each of `CHOIR`."""

_MELODY = re.compile(r"melody|melodie|tune|lead|lead vocals?|voice|vocals?|song", re.I)


@dataclass(frozen=True)
class Arranged:
    """A score with the wanted voices.

    Attributes:
        score: the voices highest first.
        left_out: names of the voices with notes that were left out; empty when none was.
    """

    score: Score
    left_out: tuple[str, ...] = ()


def arrange(score: Score, voices: int | None = None) -> Arranged:
    """Drop the voices without notes, and put the others in order, highest first.

    Voices called soprano, alto, tenor and bass, one of each, stand in that order; others go by their median pitch. A
    score with too many voices is used only when the names say which ones are meant: the choir's when four are wanted,
    the one called melody, tune, lead, voice or song when one is.

    Args:
        score: its voices sound one note at a time.
        voices: how many are wanted; as many as have notes when not given.

    Raises:
        MusegenError: it has no notes, too few voices, or too many and no names that say which to take.
    """
    sounding = [voice for voice in score.voices if voice.notes]
    if not sounding:
        raise MusegenError("it has no notes", "Give a piece with at least one.")
    choir = _choir(sounding)
    chosen = choir if choir and (len(sounding) == len(choir) or voices == len(choir)) else sounding
    if voices == 1 and len(sounding) > 1:
        melodies = [voice for voice in sounding if _MELODY.fullmatch(voice.name.strip())]
        chosen = melodies if len(melodies) == 1 else sounding
    if voices is not None and len(chosen) != voices:
        count = "1 voice" if len(chosen) == 1 else f"{len(chosen)} voices"
        raise MusegenError(f"{count}, {voices} wanted", _advice(len(chosen), voices))
    if chosen is not choir:
        chosen = sorted(chosen, key=lambda voice: -median(note.pitch for note in voice.notes))
    taken = {id(voice) for voice in chosen}
    left = tuple(voice.name or "a voice without a name" for voice in sounding if id(voice) not in taken)
    return Arranged(replace(score, voices=tuple(chosen)), left)


def _choir(voices: list[Voice]) -> list[Voice]:
    """The four voices called soprano, alto, tenor, bass; empty unless there is one of each."""
    parts = [[voice for voice in voices if part.match(voice.name.strip())] for part in _PARTS]
    return [part[0] for part in parts] if all(len(part) == 1 for part in parts) else []


def _advice(has: int, wanted: int) -> str:
    if has < wanted:
        return f"Encode it with --voices {has}, or leave it out."
    if wanted == 1:
        return "Keep one voice, or name the one that is meant 'melody'."
    return "Keep the voices that are meant, one a track."

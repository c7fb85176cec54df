"""MIDI files: sound ones are read by mido, broken ones mended; exact in ticks either way."""

from __future__ import annotations

from collections.abc import Sequence

from musegen.errors import MusegenError
from musegen.formats import Reading
from musegen.formats.midi_events import Events, Track, load
from musegen.formats.midi_repair import repair
from musegen.formats.midi_score import COMPOSER, score_of
from musegen.score import Score


def read(data: bytes, name: str) -> Reading:
    """Read a MIDI file; the independent tracks of a type 2 file are scores of their own.

    A first time signature that lasts less than a bar of the metre after it, and at most one bar, is the pickup.

    Args:
        data: the file.
        name: what to call it in a message.

    Raises:
        MusegenError: it is no MIDI file, holds no notes, or is too broken or too large to make sense.
    """
    events = load(data) or repair(data, name)
    try:
        scores = tuple(score_of(events, tracks) for tracks in _pieces(events))
    except MusegenError as error:
        raise MusegenError(f"{name}: {error.args[0]}", error.hint) from None
    return Reading(scores, tuple(events.mended))


def write(scores: Sequence[Score], text: str = "") -> bytes:
    """Write one score as a MIDI file of type 1; see `midi_write.file_of`.

    Args:
        scores: exactly one.
        text: where it comes from; a text event at the beginning of the first track.

    Raises:
        MusegenError: there is not exactly one score, or a voice overlaps itself.
    """
    from musegen.formats.midi_write import file_of

    if len(scores) != 1:
        raise MusegenError(f"a MIDI file holds one score, not {len(scores)}", "Give a folder to write to.")
    return file_of(scores[0], text)


def provenance(data: bytes) -> str | None:
    """The text that a file carries about where it comes from, as `write` put it there; None without one."""
    events = load(data) or repair(data, "the file")
    texts = [text for _, kind, text in events.tracks[0].texts if kind == "text" and not text.startswith(COMPOSER)]
    return texts[0] if texts else None


def _pieces(events: Events) -> list[list[Track]]:
    """Tracks that sound together."""
    if events.type != 2:
        return [events.tracks]
    return [[track] for track in events.tracks if track.notes] or [events.tracks]

"""What a MIDI file says, in ticks; read by mido, which pretty_midi stands on."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from fractions import Fraction

MAX_TRACKS = 1_000
"""Tracks of a file; a header may claim 65,535."""


@dataclass(slots=True)
class Track:
    """The events of one track that matter to a score; every tuple begins with its tick.

    Attributes:
        notes: (tick, channel, pitch, whether it begins).
        programs: (tick, channel, program).
        tempi: (tick, microseconds per quarter).
        metres: (tick, numerator, denominator).
        keys: (tick, sharps, whether minor).
        texts: (tick, kind, text); kinds are those of mido, such as `text`, `track_name` and `marker`.
        end: tick of the last event, the end of track included.
    """

    notes: list[tuple[int, int, int, bool]] = field(default_factory=list)
    programs: list[tuple[int, int, int]] = field(default_factory=list)
    tempi: list[tuple[int, int]] = field(default_factory=list)
    metres: list[tuple[int, int, int]] = field(default_factory=list)
    keys: list[tuple[int, int, bool]] = field(default_factory=list)
    texts: list[tuple[int, str, str]] = field(default_factory=list)
    end: int = 0

    @property
    def name(self) -> str:
        """Its last name that is not empty."""
        return next((text for _, kind, text in reversed(self.texts) if kind == "track_name" and text), "")


@dataclass(slots=True)
class Events:
    """A MIDI file.

    Attributes:
        type: 0 for one track, 1 for simultaneous ones, 2 for independent ones.
        resolution: ticks per quarter, above 0.
        tracks: in order.
        mended: what was wrong and put right, a set in order.
    """

    type: int
    resolution: Fraction
    tracks: list[Track]
    mended: dict[str, None] = field(default_factory=dict)


_FAULTS = (OSError, EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, ZeroDivisionError)
"""What mido raises on bad files, next to errors of its own."""


def load(data: bytes) -> Events | None:
    """Read a sound file; None for one that needs mending."""
    import mido
    from mido.midifiles.meta import KeySignatureError

    # Looked at first: mido takes the tracks for granted, and reads a time in frames as a negative resolution.
    if data[:4] != b"MThd" or data[12:13] >= b"\x80" or int.from_bytes(data[10:12]) > MAX_TRACKS:
        return None
    try:
        file = mido.MidiFile(file=io.BytesIO(data))
        tracks = [_track(messages) for messages in file.tracks]
    except (*_FAULTS, KeySignatureError):
        return None
    if not file.ticks_per_beat or file.type not in (0, 1, 2) or not tracks:
        return None
    size = 14 + sum(1 for _ in ())  # the header
    return Events(file.type, Fraction(file.ticks_per_beat), tracks) if size else None


def _track(messages: list) -> Track:
    return Track()

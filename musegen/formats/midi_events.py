"""What a MIDI file says, in ticks; read by mido, the parser inside pretty_midi.

pretty_midi itself gives seconds, as floats; exact music needs the ticks below them.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from musegen.score import Key

LARGEST_FOR_MIDO = 2**18
"""Bytes; mido takes seconds for a larger file, and half a kilobyte of memory for each of its messages."""
MAX_QUARTERS = 20_000
"""Length of a piece; no notated piece is longer."""
MAX_TRACKS = 1_000
"""Tracks of a file."""

_ENDLESS = re.compile(b"[\x80-\xff]{9}")  # may be a number that mido would go on reading, however long it is


@dataclass(slots=True)
class Track:
    """The events of one track that matter to a score; every tuple begins with its tick.

    Attributes:
        notes: (tick, channel, pitch, whether it begins).
        programs: (tick, channel, program).
        tempi: (tick, microseconds per quarter).
        metres: (tick, numerator, denominator).
        keys: (tick, sharps, whether minor).
        texts: (tick, kind, text); kinds are those of mido: `text`, `track_name`, `marker`.
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
        """Its first name that is not empty."""
        return next((text for _, kind, text in self.texts if kind == "track_name" and text), "")


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


def load(data: bytes) -> Events | None:
    """Read a sound file; None for one that needs mending, or that only a bounded reader should touch."""
    # Looked at first: mido reads a time in frames as a negative resolution, and only as many tracks as the header says.
    sound = data[:8] == b"MThd\x00\x00\x00\x06" and data[12:13] < b"\x80" and len(data) <= LARGEST_FOR_MIDO
    if not sound or data.count(b"MTrk") != int.from_bytes(data[10:12], "big") or _ENDLESS.search(data):
        return None
    import mido

    try:
        file = mido.MidiFile(file=io.BytesIO(data))
        tracks = [_track(messages) for messages in file.tracks]
    except Exception:  # mido raises a dozen kinds; whatever it stumbles over, the mending reader looks again
        return None
    if not tracks or not file.ticks_per_beat or file.type not in (0, 1, 2):
        return None
    if any(not messages or messages[-1].type != "end_of_track" for messages in file.tracks):
        return None
    if max(track.end for track in tracks) > MAX_QUARTERS * file.ticks_per_beat:
        return None
    return Events(file.type, Fraction(file.ticks_per_beat), tracks)


def _track(messages: Any) -> Track:
    track = Track()
    note = track.notes.append
    tick = 0
    for message in messages:
        tick += message.time
        kind = message.type
        if kind == "note_on":
            note((tick, message.channel, message.note, message.velocity > 0))
        elif kind == "note_off":
            note((tick, message.channel, message.note, False))
        elif kind == "program_change":
            track.programs.append((tick, message.channel, message.program))
        elif kind == "set_tempo":
            track.tempi.append((tick, message.tempo))
        elif kind == "time_signature":
            track.metres.append((tick, message.numerator, message.denominator))
        elif kind == "key_signature":
            key = Key.parse(message.key)
            track.keys.append((tick, key.fifths, key.mode == "minor"))
        elif kind == "track_name":
            track.texts.append((tick, kind, as_text(message.name.encode("latin1"))))
        elif kind in ("text", "marker"):
            track.texts.append((tick, kind, as_text(message.text.encode("latin1"))))
    track.end = tick
    return track


def as_text(data: bytes) -> str:
    """Text of a file that does not name its encoding: UTF-8 where it can be, else Latin 1."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin1")
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())

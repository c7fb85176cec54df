"""A score -> a MIDI file, through mido; the same score gives the same bytes."""

from __future__ import annotations

import io
from fractions import Fraction
from math import lcm
from typing import Any

from musegen.errors import MusegenError
from musegen.formats.midi_score import COMPOSER, FIRST_BAR
from musegen.score import Key, Score, Voice

MAX_RESOLUTION = 32_767
"""Ticks per quarter that the header can say."""

_MINOR = ("minor", "dorian", "phrygian", "locrian")
_VELOCITY = 80
_Event = tuple[int, int, Any]  # tick, rank among those at the same tick, message


def resolution(score: Score) -> tuple[int, bool]:
    """Ticks per quarter to write a score with, and whether every time is exact then.

    480 or a multiple of it where that is exact; 32,640, rounding to the nearest tick, where nothing is.
    """
    times = [onset for changes in (score.metres, score.keys, score.tempi) for onset, _ in changes]
    times += [score.pickup, score.duration]
    times += [time for voice in score.voices for note in voice.notes for time in (note.onset, note.end)]
    needed = lcm(*{time.denominator for time in times})
    if lcm(480, needed) <= MAX_RESOLUTION:
        return lcm(480, needed), True
    return (needed, True) if needed <= MAX_RESOLUTION else (32_640, False)


def file_of(score: Score, text: str) -> bytes:
    """Write a MIDI file of type 1: a track with metre, key, tempo and texts, then one for each voice.

    A pickup is written as a first, shorter time signature. MIDI has major and minor keys only: dorian, phrygian and
    locrian ones are written as minor, lydian and mixolydian as major, with the same signature. A voice without a
    program gets none, and sounds as a piano.

    Raises:
        MusegenError: a voice overlaps itself.
    """
    import mido

    for number, voice in enumerate(score.voices, 1):
        overlap = voice.overlap()
        if overlap is not None:
            raise MusegenError(f"voice {number} overlaps itself at {score.place(overlap)}", "Divide it into lines.")
    ticks, _ = resolution(score)
    # The charset is for reading and writing alike: names in any language.
    file = mido.MidiFile(type=1, ticks_per_beat=ticks, charset="utf-8")
    end = _ticks(score.duration, ticks)
    file.tracks.append(_track(_frame(score, text, ticks), end))
    for number, voice in enumerate(score.voices):
        file.tracks.append(_track(_notes(voice, number, ticks), end))
    target = io.BytesIO()
    file.save(file=target)
    return target.getvalue()


def _ticks(time: Fraction, resolution: int) -> int:
    return round(time * resolution)


def _track(events: list[_Event], end: int) -> Any:
    """Events at their ticks -> messages after their waits, closed at `end` or at the last event."""
    import mido

    track = mido.MidiTrack()
    now = 0
    for tick, _, message in sorted(events, key=lambda event: event[:2]):
        # Checking every value anew would take most of the time; they were checked when the message was made.
        track.append(message.copy(skip_checks=True, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=max(0, end - now)))
    return track


def _frame(score: Score, text: str, ticks: int) -> list[_Event]:
    """Everything but the notes."""
    from mido import MetaMessage

    events: list[_Event] = []
    if score.title:
        events.append((0, 0, MetaMessage("track_name", name=_clean(score.title))))
    if text:
        events.append((0, 1, MetaMessage("text", text=_clean(text))))
    if score.composer:
        events.append((0, 2, MetaMessage("text", text=_clean(COMPOSER + score.composer))))
    metres = [(_ticks(onset, ticks), metre.numerator, metre.denominator) for onset, metre in score.metres]
    if score.pickup:
        short = _short_metre(score.pickup) or metres[0][1:]
        metres[:1] = [(0, *short), (_ticks(score.pickup, ticks), *metres[0][1:])]
    elif len(score.metres) > 1 and score.metres[1][0] <= score.metres[0][1].quarters:
        events.append((0, 3, MetaMessage("marker", text=FIRST_BAR)))
    for tick, numerator, denominator in metres:
        events.append((tick, 4, MetaMessage("time_signature", numerator=numerator, denominator=denominator)))
    for onset, key in score.keys:
        events.append((_ticks(onset, ticks), 5, MetaMessage("key_signature", key=_key(key))))
    for onset, tempo in score.tempi:
        microseconds = min(2**24 - 1, max(1, round(60_000_000 / tempo)))
        events.append((_ticks(onset, ticks), 6, MetaMessage("set_tempo", tempo=microseconds)))
    return events


def _clean(text: str) -> str:
    """Without the half characters that a file name may bring, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def _short_metre(pickup: Fraction) -> tuple[int, int] | None:
    """A time signature whose bar is just the pickup; None where there is none."""
    for denominator in (4, 8, 16, 32, 64):
        numerator = pickup * denominator / 4
        if numerator.denominator == 1 and 1 <= numerator <= 255:
            return int(numerator), denominator
    return None


def _key(key: Key) -> str:
    minor = key.mode in _MINOR
    return Key(key.fifths, "minor" if minor else "major").tonic_name + ("m" if minor else "")


def _notes(voice: Voice, number: int, ticks: int) -> list[_Event]:
    """The track of one voice, on a channel of its own while there are any; the tenth is for drums."""
    from mido import Message, MetaMessage

    channel = number % 15
    channel += channel >= 9
    events: list[_Event] = []
    if voice.name:
        events.append((0, 0, MetaMessage("track_name", name=_clean(voice.name))))
    if voice.program is not None:
        events.append((0, 1, Message("program_change", channel=channel, program=voice.program)))
    for note in voice.notes:
        onset = _ticks(note.onset, ticks)
        end = max(onset + 1, _ticks(note.end, ticks))
        events.append((onset, 3, Message("note_on", channel=channel, note=note.pitch, velocity=_VELOCITY)))
        events.append((end, 2, Message("note_off", channel=channel, note=note.pitch, velocity=0)))
    return events

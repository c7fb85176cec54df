"""MIDI files that are not what they should be: read what is there, and say what was put right."""

from __future__ import annotations

import re
from fractions import Fraction

from musegen.errors import MusegenError
from musegen.formats.midi_events import MAX_TRACKS, Events, Track, as_text

MAX_EVENTS = 600_000
"""Events of a file; more are refused, long before memory is short."""
LONGEST_WAIT = 2_000
"""Quarters between two events; a longer wait is a broken one, and so left out."""
MAX_ABSURD_WAITS = 8
"""So many are mended; with more nothing in the file can be believed."""

_META_SIZES = {0x20: 1, 0x21: 1, 0x2F: 0, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}
_META_TEXTS = {0x01: "text", 0x03: "track_name", 0x06: "marker"}
_SYSTEM_SIZES = {0xF1: 1, 0xF2: 2, 0xF3: 1}
_STATUS = re.compile(b"[\x80-\xff]")


def repair(data: bytes, name: str) -> Events:
    """Read a MIDI file as far as it makes sense.

    Args:
        data: the file.
        name: what to call it in a message.

    Raises:
        MusegenError: it is no MIDI file, or too broken or too large to make sense.
    """
    start = data.find(b"MThd") if data[4:8] != b"\x00\x00\x00\x06" else 0
    if start < 0 or (start == 0 and data[:4] != b"MThd" and data[14:18] != b"MTrk"):
        raise MusegenError(f"{name}: it is not a MIDI file", "Give a file that begins with MThd.")
    mended: dict[str, None] = {}
    if data[start : start + 4] != b"MThd" or data[start + 4 : start + 8] != b"\x00\x00\x00\x06":
        mended["its header was broken"] = None
    elif start:
        kind = "a RIFF wrapping" if data[:4] == b"RIFF" else "what stood before its header"
        mended[f"{kind} was taken off"] = None
    header = data[start + 8 : start + 14]
    if len(header) < 6:
        raise MusegenError(f"{name}: it breaks off in its header", "Take it from its source again.")
    kind_, count = int.from_bytes(header[:2], "big"), int.from_bytes(header[2:4], "big")
    if kind_ > 2:
        mended["its type was senseless and taken as 1"] = None
        kind_ = 1
    resolution = _resolution(header[4], header[5], mended)
    reader = _Reader(data, resolution, mended, name)
    tracks = reader.tracks(start + 14)
    if not tracks:
        raise MusegenError(f"{name}: it holds no tracks", "Take it from its source again.")
    if len(tracks) != count:
        mended[f"its header says {count} track{'s' * (count != 1)}; it holds {len(tracks)}"] = None
    return Events(kind_ if len(tracks) > 1 else 0, resolution, tracks, mended)


def _resolution(high: int, low: int, mended: dict[str, None]) -> Fraction:
    """Ticks per quarter."""
    if high >= 0x80:
        frames = {29: Fraction(30_000, 1_001)}.get(256 - high, Fraction(256 - high))
        mended["its time is in film frames; half a second was taken as a quarter"] = None
        return max(Fraction(1), frames * max(low, 1) / 2)
    ticks = high << 8 | low
    if not ticks:
        mended["it does not say how long a quarter is; 480 ticks were taken"] = None
    return Fraction(ticks or 480)


class _Reader:
    """Reads the tracks of one file, within bounds."""

    def __init__(self, data: bytes, resolution: Fraction, mended: dict[str, None], name: str) -> None:
        self.data, self.mended, self.name = data, mended, name
        self.longest = int(LONGEST_WAIT * resolution)
        self.events = self.absurd = 0

    def tracks(self, position: int) -> list[Track]:
        """Every track from `position` on, wherever it begins."""
        data = self.data
        tracks: list[Track] = []
        while position + 8 <= len(data):
            if data[position : position + 4] != b"MTrk" and not self._resembles_track(position):
                found = data.find(b"MTrk", position)
                if found < 0:
                    if data[position:].strip(b"\0"):
                        self.mended["what stands behind its last track was left out"] = None
                    break
                self.mended["garbage between its tracks was left out"] = None
                position = found
                continue
            size = int.from_bytes(data[position + 4 : position + 8], "big")
            start = position + 8
            following = data.find(b"MTrk", start)
            stop = following if following >= 0 else len(data)
            if start + size == stop or self._resembles_track(start + size):
                stop = start + size
            if len(tracks) == MAX_TRACKS:
                raise MusegenError(f"{self.name}: more than {MAX_TRACKS} tracks are no piece of music")
            track = Track()
            position = self._track(track, start, stop, len(tracks) + 1)
            tracks.append(track)
            if position - start != size:
                self.mended[f"the length of track {len(tracks)} is not what it says"] = None
        return tracks

    def _resembles_track(self, position: int) -> bool:
        """Whether a chunk whose name was damaged begins here: most of the letters, and a length that fits."""
        chunk = self.data[position : position + 8]
        alike = sum(a == b for a, b in zip(chunk, b"MTrk", strict=False))
        end = position + 8 + int.from_bytes(chunk[4:], "big")
        return alike >= 2 and (end == len(self.data) or self.data[end : end + 4] == b"MTrk")

    def _track(self, track: Track, position: int, stop: int, number: int) -> int:
        """Fill a track from the events in data[position:stop]; returns where it ended."""
        data, status, tick = self.data, 0, 0
        # Beyond the end of the file an index fails, beyond `stop` the loop ends: both are a track that breaks off.
        try:
            while position < stop:
                self.events += 1
                if self.events > MAX_EVENTS:
                    raise MusegenError(f"{self.name}: more than {MAX_EVENTS} events are no piece of music")
                wait = data[position]
                position += 1
                if wait >= 0x80:
                    wait, position = self._length(position - 1)
                tick += self._believed(wait)
                byte = data[position]
                if byte < 0x80 and not status:
                    found = _STATUS.search(data, position, stop)
                    self.mended[f"bytes in track {number} that belong to no event were left out"] = None
                    if not found:
                        position = stop
                        break
                    position = found.start()
                    byte = data[position]
                if byte >= 0x80:
                    position += 1
                if byte == 0xFF:
                    kind, size, position = self._meta(position, stop, number)
                    if kind == 0x2F:
                        track.end = tick
                        return position
                    self._note_meta(track, tick, kind, data[position : position + size])
                    position += size
                elif byte in (0xF0, 0xF7):
                    size, position = self._length(position)
                    if position + size > stop:
                        break
                    position += size
                elif byte > 0xF0:
                    self.mended[f"a message in track {number} that no file may hold was left out"] = None
                    position += _SYSTEM_SIZES.get(byte, 0)
                else:
                    status = byte if byte >= 0x80 else status
                    size = 1 if status & 0xE0 == 0xC0 else 2
                    if position + size > stop:
                        break
                    values = data[position : position + size]
                    position += size
                    self._channel(track, tick, status, values, number)
        except IndexError:
            position = stop
        self.mended[f"track {number} breaks off"] = None
        track.end = max(track.end, tick)
        return max(position, stop)

    def _believed(self, wait: int) -> int:
        if wait <= self.longest:
            return wait
        self.absurd += 1
        if self.absurd > MAX_ABSURD_WAITS:
            raise MusegenError(f"{self.name}: its times are absurd", "Export it again.")
        self.mended[f"waits of more than {LONGEST_WAIT} quarters were left out"] = None
        return 0

    def _length(self, position: int) -> tuple[int, int]:
        """A number of up to four bytes, seven bits each, and where it ends."""
        size = 0
        for _ in range(4):
            byte = self.data[position]
            position += 1
            size = size << 7 | byte & 0x7F
            if byte < 0x80:
                break
        return size, position

    def _meta(self, position: int, stop: int, number: int) -> tuple[int, int, int]:
        """Kind, size and place of a meta event's data; a known kind has its known size whatever the file says."""
        kind = self.data[position]
        size, position = self._length(position + 1)
        known = _META_SIZES.get(kind, size)
        if size != known or position + size > stop:
            self.mended[f"the length of an event in track {number} was put right"] = None
            size = known if size != known else 0
        return kind, size, position

    def _note_meta(self, track: Track, tick: int, kind: int, data: bytes) -> None:
        if kind in _META_TEXTS:
            track.texts.append((tick, _META_TEXTS[kind], as_text(data)))
        elif kind == 0x51:
            track.tempi.append((tick, int.from_bytes(data, "big")))
        elif kind == 0x58:
            track.metres.append((tick, data[0], 1 << min(data[1], 16)))
        elif kind == 0x59:
            track.keys.append((tick, data[0] - 256 if data[0] >= 128 else data[0], data[1] == 1))

    def _channel(self, track: Track, tick: int, status: int, values: bytes, number: int) -> None:
        if max(values) > 0x7F:
            self.mended[f"data in track {number} out of range was clipped"] = None
            values = bytes(value & 0x7F for value in values)
        kind, channel = status >> 4, status & 0x0F
        if kind == 0x9:
            track.notes.append((tick, channel, values[0], values[1] > 0))
        elif kind == 0x8:
            track.notes.append((tick, channel, values[0], False))
        elif kind == 0xC:
            track.programs.append((tick, channel, values[0]))

"""The events of a MIDI file -> a score: note-ons paired with note-offs, tracks in lines, ticks as exact fractions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from musegen.errors import MusegenError
from musegen.formats.midi_events import MAX_QUARTERS, Events, Track
from musegen.lines import split_lines, trim_legato
from musegen.score import Changes, Key, Metre, Note, Score, Voice

MAX_NOTES = 100_000
"""Notes of a piece."""
COMPOSER = "Composer: "
"""How a text event that names the composer begins."""
FIRST_BAR = "bar 1"
"""A marker that says where bar 1 begins; without one a short first time signature is taken for a pickup."""

_DRUMS = 9  # the channel
_Span = tuple[int, int, int]  # onset, end, pitch


def score_of(events: Events, tracks: Sequence[Track]) -> Score:
    """Turn simultaneous tracks into one score; what had to be mended is added to `events.mended`.

    Each channel of each track becomes a voice, or several lines where it sounds several notes at once. Percussion is
    left out. Modes other than major and minor do not exist in MIDI.

    Raises:
        MusegenError: there are no notes, too many, or too many at once.
    """
    time = _Time(events.resolution)
    if sum(len(track.notes) for track in tracks) > 2 * MAX_NOTES:
        raise MusegenError(f"more than {MAX_NOTES} notes are no piece of music", "Cut it into pieces.")
    if max(track.end for track in tracks) > MAX_QUARTERS * events.resolution:
        raise MusegenError(f"it lasts more than {MAX_QUARTERS} quarters", "Cut it into pieces.")
    voices: list[Voice] = []
    end = 0
    for number, track in enumerate(tracks, 1):
        channels = sorted({note[1] for note in track.notes})
        for channel in channels:
            if channel == _DRUMS:
                events.mended["percussion was left out"] = None
                continue
            spans = _spans(track, channel, number, events.mended)
            if spans:
                end = max(end, *(span[1] for span in spans))
                voices += _voices(spans, track, channel, number, time, events.mended)
    if not voices:
        reason = "only percussion" if "percussion was left out" in events.mended else "no notes"
        raise MusegenError(f"it holds {reason}", "Give a file with notes.")
    title = tracks[0].name if not tracks[0].notes else ""
    said = (text for track in tracks for _, kind, text in track.texts if kind == "text")
    composer = next((text.removeprefix(COMPOSER) for text in said if text.startswith(COMPOSER)), "")
    metres, pickup = _metres(tracks, time, events.mended)
    last = max(track.end for track in tracks)
    # Some programs put the end of track one tick late; that is no rest.
    duration = time[last if last > end + 1 else end]
    tempi = _tempi(tracks, time, events.mended)
    return Score(tuple(voices), metres, pickup, _keys(tracks, time, events.mended), tempi, title, composer, duration)


class _Time(dict[int, Fraction]):
    """Ticks -> quarters, each made once."""

    def __init__(self, resolution: Fraction) -> None:
        super().__init__()
        self.resolution = resolution

    def __missing__(self, tick: int) -> Fraction:
        value = self[tick] = tick / self.resolution
        return value


def _spans(track: Track, channel: int, number: int, mended: dict[str, None]) -> list[_Span]:
    """Pair each note-on with its note-off; in order of onset, highest first."""
    by_pitch: dict[int, list[tuple[int, bool]]] = {}
    onsets = []
    for tick, sounding, pitch, begins in track.notes:
        if sounding == channel:
            by_pitch.setdefault(pitch, []).append((tick, begins))
            if begins:
                onsets.append(tick)
    spans: list[_Span] = []
    stuck = 0
    for pitch, changes in by_pitch.items():
        balanced = 2 * sum(begins for _, begins in changes) == len(changes)
        waiting: list[int] = []
        for tick, begins in changes:
            if begins:
                # With an off for every on, two voices met on this pitch; otherwise the off got lost.
                if waiting and not balanced:
                    spans.append((waiting.pop(), tick, pitch))
                    stuck += 1
                waiting.append(tick)
            elif waiting:
                spans.append((waiting.pop(0), tick, pitch))
        for onset in waiting:
            after = bisect_right(onsets, onset)
            spans.append((onset, onsets[after] if after < len(onsets) else max(track.end, onset), pitch))
            stuck += 1
    if stuck:
        mended[f"{_count(stuck, 'note')} of track {number} without an end {_was(stuck)} ended at the next note"] = None
    sounding_spans = [span for span in spans if span[1] > span[0]]
    return sorted(sounding_spans, key=lambda span: (span[0], -span[2], span[1]))


def _voices(
    spans: list[_Span], track: Track, channel: int, number: int, time: _Time, mended: dict[str, None]
) -> list[Voice]:
    """One line, or as many as it takes."""
    program = None
    for tick, playing, value in track.programs:
        if playing == channel and (program is None or tick <= spans[0][0]):
            program = value
    if _overlapping(spans) and not _overlapping(single := sorted(set(spans))):
        mended[f"notes of track {number} that stood there twice were taken once"] = None
        spans = single
    notes = [Note(time[onset], time[end] - time[onset], pitch) for onset, end, pitch in spans]
    if not _overlapping(spans):
        return [Voice(tuple(notes), track.name, program)]
    notes, trimmed = trim_legato(notes)
    if trimmed:
        held = f"{_count(trimmed, 'note')} of track {number} held a little into the next {_was(trimmed)} shortened"
        mended[held] = None
    lines = split_lines(notes)
    names = [f"{track.name} {line}".strip() if track.name and len(lines) > 1 else track.name for line in range(1, 99)]
    return [Voice(line, name, program) for line, name in zip(lines, names, strict=False)]


def _overlapping(spans: Sequence[_Span]) -> bool:
    return any(before[1] > after[0] for before, after in pairwise(spans))


def _metres(tracks: Sequence[Track], time: _Time, mended: dict[str, None]) -> tuple[Changes[Metre], Fraction]:
    """Time signatures, those that change nothing left out, and the pickup."""
    entries: list[tuple[Fraction, Metre]] = []
    for tick, numerator, denominator in sorted(metre for track in tracks for metre in track.metres):
        try:
            metre = Metre(numerator, denominator)
        except MusegenError:
            mended["an impossible time signature was ignored"] = None
            continue
        if entries and entries[-1][0] == time[tick]:
            entries.pop()
        entries.append((time[tick], metre))
    if not entries or entries[0][0] > 0:
        entries.insert(0, (Fraction(0), Metre(4, 4)))
    pickup = Fraction(0)
    marked = any(
        text == FIRST_BAR and not tick for track in tracks for tick, kind, text in track.texts if kind == "marker"
    )
    if len(entries) > 1 and not marked:
        until, metre = entries[1]
        if until <= entries[0][1].quarters and until < metre.quarters:
            pickup, entries = until, [(Fraction(0), metre), *entries[2:]]
        elif until < entries[0][1].quarters:
            pickup, entries = until, [entries[0], *entries[1:]]
    kept = entries[:1]
    bar = pickup
    for onset, metre in entries[1:]:
        length = kept[-1][1].quarters
        on_bar_line = (onset - bar) % length == 0
        if metre != kept[-1][1] or not on_bar_line:
            kept.append((onset, metre))
            bar = onset
    return tuple(kept), pickup


def _keys(tracks: Sequence[Track], time: _Time, mended: dict[str, None]) -> Changes[Key]:
    """Key signatures; the first one holds from the beginning on."""
    keys: list[tuple[int, Key]] = []
    for tick, fifths, minor in sorted(key for track in tracks for key in track.keys):
        if not -7 <= fifths <= 7:
            mended["an impossible key signature was ignored"] = None
            continue
        key = Key(fifths, "minor" if minor else "major")
        if keys and keys[-1][0] == tick:
            keys.pop()
        if not keys or keys[-1][1] != key:
            keys.append((tick if keys else 0, key))
    return tuple((time[tick], key) for tick, key in keys)


def _tempi(tracks: Sequence[Track], time: _Time, mended: dict[str, None]) -> Changes[float]:
    """Tempi; 120 before the first one, as MIDI has it."""
    tempi: list[tuple[int, float]] = []
    for tick, microseconds in sorted(tempo for track in tracks for tempo in track.tempi):
        if not 60_000 <= microseconds < 2**24:
            mended["an absurd tempo was ignored"] = None
            continue
        tempo = _quarters_per_minute(microseconds)
        if not tempi and tick:
            tempi.append((0, 120.0))
        if tempi and tempi[-1][0] == tick:
            tempi.pop()
        if not tempi or tempi[-1][1] != tempo:
            tempi.append((tick, tempo))
    return tuple((time[tick], tempo) for tick, tempo in tempi)


def _quarters_per_minute(microseconds: int) -> float:
    """The roundest tempo that MIDI stores as so many microseconds per quarter: 97, not 96.9999."""
    exact = 60_000_000 / microseconds
    return next(
        (near for digits in range(5) if round(60_000_000 / (near := round(exact, digits))) == microseconds), exact
    )


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"

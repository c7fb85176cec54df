"""A MusicXML tree -> a score as it sounds: repeats played, ties merged, parts in lines."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import TypeVar
from xml.etree.ElementTree import Element

from musegen.errors import MusegenError
from musegen.formats import Reading
from musegen.formats.musicxml_part import MAX_QUARTERS, Measure, PartReader, Written, number
from musegen.formats.playing_order import MAX_BARS, Signs, playing_order
from musegen.lines import split_lines
from musegen.score import Changes, Key, Metre, Note, Score, Voice

T = TypeVar("T")

MAX_PARTS = 200
"""Parts of a score; the largest orchestra has fewer."""


def read_tree(root: Element) -> Reading:
    """Read a `<score-partwise>` tree.

    Raises:
        MusegenError: it has no notes, or makes no sense as music.
    """
    elements = root.findall("part")
    if len(elements) > MAX_PARTS or any(len(part) > MAX_BARS for part in elements):
        raise MusegenError(
            f"more than {MAX_PARTS} parts or {MAX_BARS} bars are no piece of music", "Cut it into pieces."
        )
    mended: dict[str, None] = {}
    units = _units(root)
    names = {each.get("id"): each for each in root.findall("part-list/score-part")}
    parts = [(names.get(part.get("id")), list(PartReader(units, mended).measures(part))) for part in elements]
    count = max((len(measures) for _, measures in parts), default=0)
    columns = [[measures[i] for _, measures in parts if i < len(measures)] for i in range(count)]
    order, ignored = playing_order([_signs(column) for column in columns])
    mended.update(dict.fromkeys(ignored))
    metres, lengths = _lengths(columns, units)
    onsets, time = [], 0
    for index in order:
        onsets.append(time)
        time += lengths[index]
    if time > MAX_QUARTERS * units:
        raise MusegenError(f"it lasts more than {MAX_QUARTERS} quarters", "Cut it into pieces.")
    clock = _Clock(units)
    voices: list[Voice] = []
    for description, measures in parts:
        voices += _voices(description, measures, order, onsets, clock, mended)
    if not any(voice.notes for voice in voices):
        raise MusegenError("it holds no notes", "Give a file with notes.")
    score_metres, pickup = _metres(columns, order, onsets, lengths, metres, clock)
    keys, tempi = _keys_and_tempi([measures for _, measures in parts], order, onsets, clock)
    title = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    composer = next((c.text for c in root.findall("identification/creator") if c.get("type") == "composer"), "")
    return Reading(
        (
            Score(
                tuple(voices),
                score_metres,
                pickup,
                keys,
                tempi,
                " ".join(title.split()),
                " ".join((composer or "").split()),
                clock[time],
            ),
        ),
        tuple(mended),
    )


class _Clock(dict[int, Fraction]):
    """Units of the file -> quarters, each made once."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units

    def __missing__(self, time: int) -> Fraction:
        value = self[time] = Fraction(time, self.units)
        return value


def _units(root: Element) -> int:
    """Units per quarter in which every division of the file is whole."""
    divisions = {each.text for each in root.iter("divisions")}
    values = [value for value in map(number, divisions) if value is not None and value > 0]
    units = 1
    for value in values:
        units = lcm(units, value.numerator)
        if units > 10**9:
            raise MusegenError("its divisions of the quarter note are absurd", "Export it again.")
    return units


def _signs(column: Sequence[Measure]) -> Signs:
    """The signs of a bar: any part may carry them."""
    signs = column[0].signs
    for other in (measure.signs for measure in column[1:]):
        signs.forward |= other.forward
        signs.backward = max(signs.backward, other.backward)
        signs.ending |= other.ending
        signs.ending_stops |= other.ending_stops
        signs.segno |= other.segno
        signs.coda |= other.coda
        signs.fine |= other.fine
        signs.to_coda |= other.to_coda
        signs.da_capo |= other.da_capo
        signs.dal_segno |= other.dal_segno
    return signs


def _lengths(columns: Sequence[Sequence[Measure]], units: int) -> tuple[list[Metre], list[int]]:
    """The metre of each written bar and how long it lasts, in units.

    It is as long as its longest part; rests alone, often written too long, make no bar longer than its metre or than
    the parts that sound in it.
    """
    metres, lengths = [], []
    metre = next((m.metre for column in columns for m in column if m.metre), Metre(4, 4))
    for column in columns:
        metre = next((m.metre for m in column if m.metre), metre)
        whole = int(metre.quarters * units)
        sounding = [max(m.sounding, min(m.length, whole)) for m in column if m.sounding]
        silent = max(max(m.length, m.rest) for m in column) or whole
        length = max(sounding) if sounding else min(whole, silent)
        metres.append(metre)
        lengths.append(length)
    return metres, lengths


def _metres(
    columns: Sequence[Sequence[Measure]],
    order: Sequence[int],
    onsets: Sequence[int],
    lengths: Sequence[int],
    metres: Sequence[Metre],
    clock: _Clock,
) -> tuple[Changes[Metre], Fraction]:
    """Time signatures as played, with an entry wherever a bar line falls where counting would not put it."""
    first = order[0]
    whole = int(metres[first].quarters * clock.units)
    implicit = any(m.implicit for m in columns[first])
    pickup = lengths[first] if lengths[first] < whole and (len(order) > 1 or implicit) else 0
    entries = [(0, metres[first])]
    bar_end = pickup or whole
    for before, index, onset in zip(order, order[1:], onsets[1:], strict=False):
        metre, length = metres[index], int(metres[index].quarters * clock.units)
        while bar_end < onset:
            bar_end += int(entries[-1][1].quarters * clock.units)
        # An uncounted bar that fits into what is left of the one before is its second half, and so is a pickup to
        # which a repeat goes back.
        uncounted = index != before + 1 or any(m.implicit for m in columns[index])
        halves = uncounted and onset < bar_end and onset + lengths[index] <= bar_end
        if metre != entries[-1][1] or (bar_end != onset and not halves):
            entries.append((onset, metre))
            bar_end = onset + length
        elif bar_end == onset:
            bar_end = onset + length
    return tuple((clock[onset], metre) for onset, metre in entries), clock[pickup]


def _keys_and_tempi(
    parts: Sequence[Sequence[Measure]], order: Sequence[int], onsets: Sequence[int], clock: _Clock
) -> tuple[Changes[Key], Changes[float]]:
    """Key signatures of the first part that has any, tempi of all, as played; each holds from the beginning on."""
    keyed = next((part for part in parts if any(measure.keys for measure in part)), ())
    count = max(len(part) for part in parts)
    key_at = [[(o, k) for o, k in keyed[i].keys] if i < len(keyed) else [] for i in range(count)]
    tempo_at = [sorted({each for part in parts if i < len(part) for each in part[i].tempi}) for i in range(count)]
    return _played(key_at, order, onsets, clock), _played(tempo_at, order, onsets, clock)


def _played(
    written: Sequence[Sequence[tuple[int, T]]], order: Sequence[int], onsets: Sequence[int], clock: _Clock
) -> Changes[T]:
    """Changes by bar as written -> changes as played: going back restores what held there."""
    holding: list[T | None] = []
    value: T | None = next((first for bar in written for _, first in bar), None)
    for bar in written:
        holding.append(value)
        if bar:
            value = bar[-1][1]
    played: list[tuple[Fraction, T]] = []
    for index, onset in zip(order, onsets, strict=True):
        for offset, value in [(0, holding[index]), *written[index]]:
            if value is None or (played and played[-1][1] == value):
                continue
            if played and played[-1][0] == clock[onset + offset]:
                played.pop()
            if not played or played[-1][1] != value:
                played.append((clock[onset + offset], value))
    return tuple(played)


def _voices(
    description: Element | None,
    measures: Sequence[Measure],
    order: Sequence[int],
    onsets: Sequence[int],
    clock: _Clock,
    mended: dict[str, None],
) -> list[Voice]:
    """The lines of one part: its voices, apart on two staves if they must be, divided where they sound chords."""
    name, program = "", None
    if description is not None:
        name = " ".join((description.findtext("part-name") or "").split())
        said = number(description.findtext("midi-instrument/midi-program"))
        program = int(said) - 1 if said is not None and 1 <= said <= 128 else None
    groups: dict[str, list[Written]] = {}
    for note in _tied([m.notes for m in measures], order, onsets, mended):
        groups.setdefault(note.voice, []).append(note)
    lines: list[tuple[Note, ...]] = []
    for notes in sorted(groups.values(), key=lambda group: (min(n.staff for n in group), group[0].voice.rjust(8))):
        lines += _lines(notes, clock)
    if not lines:
        percussion = any(m.length and not m.notes for m in measures) and description is not None
        unpitched = (
            percussion and description is not None and description.find("midi-instrument/midi-unpitched") is not None
        )
        lines = [] if unpitched else [()]
    return [
        Voice(line, f"{name} {number_}".strip() if name and len(lines) > 1 else name, program)
        for number_, line in enumerate(lines, 1)
    ]


def _lines(notes: Sequence[Written], clock: _Clock) -> list[tuple[Note, ...]]:
    """Divide one voice of a part into lines that never overlap."""
    end = 0
    for note in notes:
        if note.offset < end:
            break
        end = note.offset + note.duration
    else:
        return [tuple(Note(clock[n.offset], clock[n.duration], n.pitch, n.fermata) for n in notes)]
    staves: dict[str, list[Written]] = {}
    for note in notes:
        staves.setdefault(note.staff, []).append(note)
    if len(staves) > 1:
        return [line for staff in sorted(staves) for line in _lines(staves[staff], clock)]
    return list(split_lines([Note(clock[n.offset], clock[n.duration], n.pitch, n.fermata) for n in notes]))


def _tied(
    written: Sequence[Sequence[Written]], order: Sequence[int], onsets: Sequence[int], mended: dict[str, None]
) -> list[Written]:
    """The notes as played, ties merged; `offset` now counts from the beginning of the piece."""
    notes: list[Written] = []
    open_ties: dict[int, list[int]] = {}  # pitch -> notes that want to be tied on
    for index, onset in zip(order, onsets, strict=True):
        if index >= len(written):
            continue
        for note in sorted(written[index]):
            start = onset + note.offset
            candidates = open_ties.get(note.pitch)
            if candidates:
                # Some files mark only where a tie begins: then the next note of the voice is meant.
                fitting = [c for c in candidates if notes[c].offset + notes[c].duration == start]
                fitting = [c for c in fitting if note.tied_back or notes[c].voice == note.voice]
                fitting.sort(key=lambda c: notes[c].voice != note.voice)
                if fitting:
                    before = notes[fitting[0]]
                    notes[fitting[0]] = before._replace(
                        duration=before.duration + note.duration, fermata=before.fermata or note.fermata
                    )
                    if not note.tied_on:
                        candidates.remove(fitting[0])
                    continue
            if note.tied_on:
                waiting = [c for c in candidates or () if notes[c].offset + notes[c].duration >= start]
                open_ties[note.pitch] = [*waiting[-16:], len(notes)]
            notes.append(note._replace(offset=start))
    return sorted(notes)

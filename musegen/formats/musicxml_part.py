"""One part of a MusicXML score, bar by bar as written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple
from xml.etree.ElementTree import Element

from musegen.errors import MusegenError
from musegen.formats.playing_order import Signs
from musegen.score import MODES, Key, Metre

MAX_QUARTERS = 20_000
"""Length of a piece; no notated piece is longer, and a broken file may claim to be."""

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_UNITS = {"breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125}
_JUMP_WORDS = re.compile(r"\bD\. ?[CS]\.|\bda capo\b|\bdal segno\b", re.IGNORECASE)


class Written(NamedTuple):
    """A note as written in its bar; times in units of the file."""

    offset: int
    duration: int
    pitch: int
    voice: str
    staff: str
    tied_back: bool
    tied_on: bool
    fermata: bool


@dataclass(slots=True)
class Measure:
    """A bar of one part; times are in units of the file from the bar's beginning.

    Attributes:
        notes: in the order of the file.
        sounding: how far the notes reach; 0 without any.
        length: how far the music reaches, rests included.
        rest: length of a rest that only claims to fill the bar.
        metre: set where the time signature changes.
        keys: (offset, key as it sounds).
        tempi: (offset, quarters per minute).
        signs: repeats and the like.
        implicit: not counted, such as a pickup or the second half of a divided bar.
    """

    notes: list[Written] = field(default_factory=list)
    sounding: int = 0
    length: int = 0
    rest: int = 0
    metre: Metre | None = None
    keys: list[tuple[int, Key]] = field(default_factory=list)
    tempi: list[tuple[int, float]] = field(default_factory=list)
    signs: Signs = field(default_factory=Signs)
    implicit: bool = False


class PartReader:
    """Reads the bars of one part.

    Args:
        units: how many units of the file a quarter has: a multiple of every `divisions`.
        mended: takes a line for each kind of thing that was wrong; a set in order.
    """

    def __init__(self, units: int, mended: dict[str, None]) -> None:
        self.units = units
        self.mended = mended
        self.per_division = units
        self.transposition = 0
        self._pitches: dict[tuple[str | None, str | None, str | None], int] = {}

    def measures(self, part: Element) -> Iterator[Measure]:
        """The bars of a `<part>`, in order."""
        for element in part:
            if element.tag == "measure":
                yield self._measure(element)

    def _measure(self, element: Element) -> Measure:
        counted = (element.get("number") or "1").isdecimal()  # '4a' and 'X1' go on in the bar before
        bar = Measure(implicit=element.get("implicit") == "yes" or not counted)
        cursor = previous = reach = 0
        for child in element:
            tag = child.tag
            if tag == "note":
                values = {each.tag: each for each in child}
                if "grace" in values:
                    continue
                duration = self._time(values.get("duration"))
                if "chord" in values:
                    onset = previous
                else:
                    onset = previous = cursor
                    cursor += duration
                rest = values.get("rest")
                if rest is not None and rest.get("measure") == "yes":
                    bar.rest = max(bar.rest, cursor)
                    continue
                reach = max(reach, onset + duration)
                if rest is None:
                    bar.sounding = max(bar.sounding, onset + duration)
                if "pitch" in values and "cue" not in values:
                    self._note(bar, child, values, onset, duration)
            elif tag == "backup":
                cursor -= self._time(child.find("duration"))
                if cursor < 0:
                    self.mended["a bar goes back to before its beginning"] = None
                    cursor = 0
            elif tag == "forward":
                cursor += self._time(child.find("duration"))
                reach = max(reach, cursor)
            elif tag == "attributes":
                self._attributes(bar, child, cursor)
            elif tag == "direction":
                self._direction(bar, child, cursor)
            elif tag == "sound":
                self._sound(bar, child, cursor)
            elif tag == "barline":
                self._barline(bar.signs, child)
            if cursor > MAX_QUARTERS * self.units:
                raise MusegenError("a bar is absurdly long", f"A piece may last {MAX_QUARTERS} quarters.")
        bar.length = reach
        return bar

    def _time(self, element: Element | None) -> int:
        """A duration in units; 0 for one that is missing or senseless."""
        text = (element.text or "").strip() if element is not None else ""
        try:
            return max(0, int(text)) * self.per_division
        except ValueError:
            value = number(text)
        if value is None:
            self.mended["a note or rest without a duration was dropped"] = None
            return 0
        return round(max(Fraction(0), value) * self.per_division)

    def _note(self, bar: Measure, element: Element, values: dict[str, Element], onset: int, duration: int) -> None:
        pitch = self._pitch(values["pitch"])
        if pitch is None or duration == 0:
            self.mended["a note with a senseless pitch or no duration was dropped"] = None
            return
        ties = {tie.get("type") for tie in element.findall("tie")} if "tie" in values else set()
        fermata = False
        for notations in element.findall("notations") if "notations" in values else ():
            for mark in notations:
                if mark.tag == "tied":
                    ties.add(mark.get("type"))
                elif mark.tag == "fermata":
                    fermata = True
        voice, staff = values.get("voice"), values.get("staff")
        bar.notes.append(
            Written(
                onset,
                duration,
                pitch,
                (voice.text or "1").strip() if voice is not None else "1",
                (staff.text or "1").strip() if staff is not None else "1",
                "stop" in ties,
                "start" in ties,
                fermata,
            )
        )

    def _pitch(self, element: Element) -> int | None:
        """MIDI pitch as it sounds; None for a senseless one."""
        spelling = element.findtext("step"), element.findtext("alter"), element.findtext("octave")
        if spelling not in self._pitches:
            step, alter, octave = ((text or "").strip() for text in spelling)
            bend = number(alter or "0")
            if step not in _STEPS or not re.fullmatch(r"-[12]|[0-9]", octave) or bend is None:
                return None
            if bend.denominator != 1:
                self.mended["a microtone was rounded to a semitone"] = None
            self._pitches[spelling] = 12 * (int(octave) + 1) + _STEPS[step] + round(bend)
        pitch = self._pitches[spelling] + self.transposition
        return pitch if 0 <= pitch <= 127 else None

    def _attributes(self, bar: Measure, element: Element, cursor: int) -> None:
        for child in element:
            if child.tag == "divisions":
                value = number(child.text)
                if value is not None and value > 0:
                    self.per_division = max(1, round(self.units / value))
            elif child.tag == "transpose":
                chromatic, octaves = number(child.findtext("chromatic")), number(child.findtext("octave-change"))
                self.transposition = round((chromatic or 0) + 12 * (octaves or 0))
            elif child.tag == "time":
                bar.metre = self._time_signature(child) or bar.metre
        for child in element.findall("key"):  # after the transposition, wherever that stands
            fifths = number(child.findtext("fifths"))
            mode = (child.findtext("mode") or "major").strip().lower()
            if fifths is None:
                continue
            if not -7 <= fifths <= 7:
                self.mended["an impossible key signature was ignored"] = None
                continue
            mode = {"ionian": "major", "aeolian": "minor"}.get(mode, mode)
            key = Key(int(fifths), mode if mode in MODES else "major").transposed(self.transposition)
            bar.keys.append((cursor, key))
            break

    def _time_signature(self, element: Element) -> Metre | None:
        beats, types = element.findall("beats"), element.findall("beat-type")
        if not beats or len(beats) != len(types):
            return None  # senza misura
        try:
            metres = [
                Metre(sum(int(each) for each in (count.text or "").split("+")), int(unit.text or ""))
                for count, unit in zip(beats, types, strict=True)
            ]
            finest = max(metre.denominator for metre in metres)
            return Metre(sum(metre.numerator * finest // metre.denominator for metre in metres), finest)
        except (ValueError, MusegenError):
            self.mended["an impossible time signature was ignored"] = None
            return None

    def _direction(self, bar: Measure, element: Element, cursor: int) -> None:
        sound, offset = element.find("sound"), element.find("offset")
        if offset is not None and offset.get("sound") == "yes":
            cursor = max(0, cursor + round((number(offset.text) or 0) * self.per_division))
        if sound is not None:
            self._sound(bar, sound, cursor)
        if sound is None or sound.get("tempo") is None:
            metronome = element.find("direction-type/metronome")
            unit = _UNITS.get((metronome.findtext("beat-unit") or "").strip()) if metronome is not None else None
            count = re.search(r"\d+(\.\d+)?", metronome.findtext("per-minute") or "") if metronome is not None else None
            if metronome is not None and unit and count:
                dotted = 1.5 if metronome.find("beat-unit-dot") is not None else 1.0
                self._tempo(bar, cursor, unit * dotted * float(count[0][:8]))
        for words in element.findall("direction-type/words"):
            if _JUMP_WORDS.search(words.text or "") and not (bar.signs.da_capo or bar.signs.dal_segno):
                self.mended[f"{' '.join((words.text or '').split())[:40]!r}, written as text only, is not played"] = (
                    None
                )

    def _sound(self, bar: Measure, element: Element, cursor: int) -> None:
        tempo = number(element.get("tempo"))
        if tempo is not None:
            self._tempo(bar, cursor, float(tempo))
        signs = bar.signs
        signs.segno |= element.get("segno") is not None
        signs.coda |= element.get("coda") is not None
        signs.fine |= element.get("fine") is not None
        signs.to_coda |= element.get("tocoda") is not None
        signs.da_capo |= element.get("dacapo") == "yes"
        signs.dal_segno |= element.get("dalsegno") is not None

    def _tempo(self, bar: Measure, cursor: int, tempo: float) -> None:
        if 1 <= tempo <= 1000:
            bar.tempi.append((cursor, tempo))
        else:
            self.mended["an absurd tempo was ignored"] = None

    def _barline(self, signs: Signs, element: Element) -> None:
        repeat, ending = element.find("repeat"), element.find("ending")
        if repeat is not None:
            times = number(repeat.get("times"))
            if repeat.get("direction") == "forward":
                signs.forward = True
            elif repeat.get("direction") == "backward":
                signs.backward = min(100, max(2, int(times))) if times is not None else 2
        if ending is not None:
            if ending.get("type") == "start":
                found = frozenset(int(each) for each in re.findall(r"\d{1,2}", ending.get("number") or ""))
                signs.ending = found or frozenset({1})
            else:
                signs.ending_stops = True


def number(text: str | None) -> Fraction | None:
    """Read a number of the file exactly; None for what is none, or longer than any that makes sense."""
    text = (text or "").strip()
    return Fraction(text) if len(text) <= 16 and re.fullmatch(r"[+-]?\d+(\.\d*)?", text, re.ASCII) else None

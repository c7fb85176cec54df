"""Constraints on a piece as a whole: its form, and what is kept of a given piece."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.places import bars
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.rules import PitchOrder
from musegen.representation.template import Copy


@dataclass(frozen=True)
class Form(Constraint):
    """Sections of equal length that come again: `AABA`; a prime, `A A' B A'`, leaves the last bar free.

    Every section begins with a note or a rest.
    """

    kind = "form"
    syntax = "letters such as AABA, a prime after those whose last bar may differ, such as AA'BA'"

    def parsed(self) -> list[str]:
        """Sections, such as `A` and `A'`."""
        text = re.sub(r"[\s,-]", "", self.text).replace("’", "'").replace("′", "'")
        if not re.fullmatch(r"(?:[A-Za-z]'*)+", text):
            raise self.wrong()
        return re.findall(r"[A-Za-z]'*", text)

    def sections(self, roll: Roll) -> list[tuple[int, int, int]]:
        """(first step, first step of the last bar, step after the last) of each section.

        Raises:
            MusegenError: bars and sections do not come out even; only the last bar of the piece may be cut short.
        """
        names, whole = self.parsed(), [bar for bar in bars(roll) if bar.number > 0]
        count = len(whole) // len(names)
        if not count or len(whole) % len(names):
            raise MusegenError(
                f"{self.describe()}: {len(whole)} bars cannot be cut into {len(names)} equal sections",
                f"Ask for {max(1, count) * len(names)} bars or another multiple of {len(names)}.",
            )
        if count == 1 and any(name.endswith("'") for name in names):
            raise MusegenError(
                f"{self.describe()}: with sections of one bar a prime keeps nothing", "Ask for more bars."
            )
        parts = [whole[i : i + count] for i in range(0, len(whole), count)]
        lengths = [[bar.end - bar.start for bar in part] for part in parts]
        # A piece with a pickup often ends before its last bar does.
        lengths[-1][-1] = max(lengths[-1][-1], lengths[0][-1])
        if any(each != lengths[0] for each in lengths):
            raise MusegenError(f"{self.describe()}: the sections differ in length", "Its bars must be of one length.")
        return [(part[0].start, part[-1].start, part[-1].end) for part in parts]

    def copies(self, roll: Roll) -> list[Copy]:
        """Which passages repeat which earlier ones, that are no copies themselves."""
        # Primes tell endings apart, so those have sources of their own.
        bodies, endings, found = dict[str, int](), dict[str, int](), []
        for name, (start, last, end) in zip(self.parsed(), self.sections(roll), strict=True):
            body, ending = bodies.setdefault(name[0], start), endings.setdefault(name, last)
            if body != start:
                found.append(Copy(body, start, last - start))
            if ending != last:
                found.append(Copy(ending, last, end - last))
        return _joined(found)

    def contrasts(self, roll: Roll) -> list[Copy]:
        """Which sections should not sound like which others: those of another letter, when it first comes."""
        firsts: dict[str, tuple[int, int]] = {}
        found = []
        for name, (start, _, end) in zip(self.parsed(), self.sections(roll), strict=True):
            if name[0] not in firsts:
                found += [Copy(source, start, min(steps, end - start)) for source, steps in firsts.values()]
                firsts[name[0]] = start, end - start
        return found

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`; fixed passages that differ are an error."""
        sheet.contrasts += self.contrasts(sheet.roll)
        for start, _, _ in self.sections(sheet.roll):
            sheet.no_hold(start)
        is_open, symbols = sheet.template.open, sheet.roll.symbols
        for copy in self.copies(sheet.roll):
            here, there = slice(copy.source, copy.source + copy.steps), slice(copy.target, copy.target + copy.steps)
            differ = ~is_open[here] & ~is_open[there] & (symbols[here] != symbols[there])
            if differ.any():
                step, voice = map(int, np.argwhere(differ)[0])
                was, now = sheet.place(copy.source + step), sheet.place(copy.target + step, voice)
                raise MusegenError(f"{self.describe()}: {now}, is fixed, and not as {was}", "Open more of the piece.")
            sheet.copies.append(copy)


def _joined(copies: list[Copy]) -> list[Copy]:
    """Neighbours that go on from each other as one; empty ones left out."""
    joined: list[Copy] = []
    for copy in copies:
        last = joined[-1] if joined else None
        if last and last.source + last.steps == copy.source and last.target + last.steps == copy.target:
            joined[-1] = Copy(last.source, last.target, last.steps + copy.steps)
        elif copy.steps:
            joined.append(copy)
    return joined


@dataclass(frozen=True)
class Keep(Constraint):
    """Of what is open, `rhythm` keeps where notes and rests begin, `pitches` the order of the pitches."""

    kind = "keep"
    syntax = "rhythm or pitches"

    def parsed(self) -> str:
        """`rhythm` or `pitches`."""
        if self.text not in ("rhythm", "pitches"):
            raise self.wrong()
        return self.text

    def write(self, sheet: Sheet) -> None:
        """See `Constraint.write`."""
        given, is_open = sheet.given(self.describe()), sheet.template.open
        if self.parsed() == "rhythm":
            onset, held = given.symbols < REST, _held(given)
            sheet.allowed[is_open & onset, REST:] = False
            sheet.allowed[is_open & held, :HOLD] = False
            silent = is_open & ~onset & ~held
            sheet.allowed[silent, :REST] = sheet.allowed[silent, HOLD] = False
            return
        for voice in sheet.voices:
            column = given.symbols[:, voice]
            sheet.rules.append(PitchOrder(voice, tuple(column[column < REST].tolist())))


def _held(roll: Roll) -> NDArray[np.bool_]:
    """(steps, voices) true where a note is held."""
    held: NDArray[np.bool_] = (roll.symbols == HOLD) & (roll.sounding() < REST)
    return held

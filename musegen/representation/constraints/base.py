"""What every kind of constraint is, and the sheet on which they write what they ask."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.automaton import Rule
from musegen.representation.constraints.places import voice_name
from musegen.representation.roll import HOLD, REST, SYMBOLS, Roll
from musegen.representation.template import Copy, Template
from musegen.score import Key


@dataclass(eq=False)
class Sheet:
    """A template under work.

    Attributes:
        template: as it was.
        names: of the voices; empty ones where they have none.
        original: the piece that the holes were cut into, where there was one.
        asked: all that is asked at once.
        allowed: (steps, voices, 130) bool: the symbols still allowed; true wherever a cell is fixed.
        sounding: (steps, voices, 129) bool: what may still sound; true wherever a cell is fixed.
        rules: of whole lines.
        copies: passages that repeat others.
        contrasts: passages that should not.
    """

    template: Template
    names: Sequence[str] = ()
    original: Roll | None = None
    asked: Sequence[Constraint] = ()
    allowed: NDArray[np.bool_] = field(init=False)
    sounding: NDArray[np.bool_] = field(init=False)
    rules: list[Rule] = field(init=False)
    copies: list[Copy] = field(init=False)
    contrasts: list[Copy] = field(init=False)

    def __post_init__(self) -> None:
        before, cells = self.template, self.template.roll.symbols.shape
        self.names = self.names or before.roll.names
        self.allowed = np.ones((*cells, SYMBOLS), bool) if before.allowed is None else before.allowed.copy()
        self.sounding = np.ones((*cells, REST + 1), bool) if before.sounding is None else before.sounding.copy()
        self.rules, self.copies, self.contrasts = list(before.rules), list(before.copies), list(before.contrasts)

    @property
    def roll(self) -> Roll:
        """The frame, and what is fixed."""
        return self.template.roll

    @property
    def voices(self) -> list[int]:
        """Those that have something open."""
        return [int(voice) for voice in np.flatnonzero(self.template.open.any(axis=0))]

    def onsets(self, voices: Sequence[int], pitches: NDArray[np.bool_]) -> None:
        """Only these of the 128 pitches may begin in the open cells of some voices."""
        for voice in voices:
            self.allowed[self.template.open[:, voice], voice, :REST] &= pitches

    def only(self, step: int, voice: int, symbols: Sequence[int]) -> None:
        """Only these symbols may stand in a cell, if it is open."""
        if self.template.open[step, voice]:
            self.allowed[step, voice] &= np.isin(np.arange(SYMBOLS), symbols)

    def no_hold(self, step: int) -> None:
        """Every voice begins anew, or rests, at a step."""
        is_open = self.template.open[step]
        self.allowed[step, is_open, HOLD] = False

    def sound(self, step: int, voice: int, heard: NDArray[np.bool_]) -> None:
        """Only these of the 128 pitches and silence may sound in a cell, if it is open."""
        if self.template.open[step, voice]:
            self.sounding[step, voice] &= heard

    def key(self, last: bool, what: str) -> Key:
        """The key of the beginning, or of the end.

        Raises:
            MusegenError: the piece has none.
        """
        if not self.roll.keys:
            raise MusegenError(f"{what} needs a key, and the piece has none", "Give one with --key.")
        return self.roll.keys[-1 if last else 0][1]

    def given(self, what: str) -> Roll:
        """The piece that the holes were cut into.

        Raises:
            MusegenError: there is none.
        """
        if self.original is None:
            raise MusegenError(f"{what} needs a piece to keep something of", "It is for infill and vary.")
        return self.original

    def place(self, step: int, voice: int | None = None) -> str:
        """Where a step lies: `bar 3, soprano`."""
        bar = f"bar {self.roll.clock()[0][step]}"
        return bar if voice is None else f"{bar}, {voice_name(voice, self.names)}"

    def stuck(self) -> tuple[int, int] | None:
        """The first open cell (step, voice) that no symbol suits, or None."""
        allowed = self.allowed.copy()
        allowed[..., : REST + 1] &= self.sounding
        allowed[..., HOLD] &= self.sounding.any(-1)
        found = np.argwhere(self.template.open & ~allowed.any(-1))
        return (int(found[0][0]), int(found[0][1])) if len(found) else None

    def finished(self) -> Template:
        """The narrowed template; see `stuck`, which is to be looked at first."""
        return replace(
            self.template,
            allowed=None if self.allowed.all() else self.allowed,
            sounding=None if self.sounding.all() else self.sounding,
            rules=tuple(self.rules),
            copies=tuple(self.copies),
            contrasts=tuple(self.contrasts),
        )


@dataclass(frozen=True)
class Constraint(ABC):
    """One demand, such as `--range soprano:C4-G5`.

    Attributes:
        text: as the user wrote it, without the name.
        kind: its name, which is the option's too.
        syntax: what it may look like, for messages.
    """

    text: str
    kind: ClassVar[str] = ""
    syntax: ClassVar[str] = ""

    def __post_init__(self) -> None:
        self.parsed()

    def describe(self) -> str:
        """Its name, as an option."""
        value = f"'{self.text}'" if " " in self.text else self.text
        return f"--{self.kind} {value}"

    @property
    def place(self) -> str:
        """Constraints of a kind replace each other only where this is the same."""
        return ""

    @abstractmethod
    def parsed(self) -> object:
        """What the text says.

        Raises:
            MusegenError: it does not follow the syntax.
        """

    @abstractmethod
    def write(self, sheet: Sheet) -> None:
        """Narrow what is open; what is fixed is never judged.

        Raises:
            MusegenError: it does not fit the piece.
        """

    def wrong(self, why: str = "") -> MusegenError:
        """For a text that does not follow the syntax."""
        return MusegenError(f"{self.text!r} is no {self.kind}{why and f': {why}'}", f"Write {self.syntax}.")

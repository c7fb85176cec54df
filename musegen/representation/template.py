"""A roll with holes: the one question that every model answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.roll import HOLD, REST, SYMBOLS, Roll
from musegen.score import Key, Metre

if TYPE_CHECKING:
    from musegen.representation.automaton import Rule


@dataclass(frozen=True)
class Copy:
    """Steps that repeat earlier ones in all voices: from `target`, where a bar begins, as from `source`."""

    source: int
    target: int
    steps: int


@dataclass(frozen=True, eq=False)
class Template:
    """What is fixed and what a model is to fill in.

    Attributes:
        roll: the frame (grid, metre, key, tempo, length) and the fixed cells; open cells hold `REST`, so that no
            answer can leak into a model.
        open: (steps, voices) bool: the cells to fill. The others come back bit for bit.
        allowed: (steps, voices, 130) bool: the symbols that an open cell may take; None when it may take any.
        sounding: (steps, voices, 129) bool: the pitches that may sound in an open cell, begun there or held into it,
            and, last, silence; None when anything may.
        rules: what the line of a voice must obey as a whole.
        copies: passages that must repeat earlier ones, which are no copies themselves.
        contrasts: passages that should not repeat earlier ones; a wish, not a rule, for models that look ahead.
    """

    roll: Roll
    open: NDArray[np.bool_]
    allowed: NDArray[np.bool_] | None = None
    sounding: NDArray[np.bool_] | None = None
    rules: tuple[Rule, ...] = ()
    copies: tuple[Copy, ...] = ()
    contrasts: tuple[Copy, ...] = ()

    def __post_init__(self) -> None:
        cells = self.roll.symbols.shape
        for limits in (self.allowed, self.sounding):
            if self.open.shape != cells or (limits is not None and limits.shape[:-1] != cells):
                raise ValueError(f"a template of {cells} cells has openings and limits for others")
            if limits is not None and (stuck := self.open & ~limits.any(-1)).any():
                step, voice = map(int, np.argwhere(stuck)[0])
                raise MusegenError(f"no symbol is left for {_place(self.roll, step, voice)}", "Ask for less at once.")

    @property
    def is_blank(self) -> bool:
        """Whether everything is open and nothing is asked."""
        asked = self.rules or self.copies or self.allowed is not None or self.sounding is not None
        return bool(self.open.all()) and not asked

    @classmethod
    def blank(
        cls,
        bars: int,
        *,
        voices: int = 1,
        steps_per_quarter: int = 4,
        metre: Metre | None = None,
        key: Key | None = None,
        pickup: int = 0,
        tempo: float | None = None,
        names: tuple[str, ...] = (),
    ) -> Template:
        """All open.

        Args:
            bars: whole bars after the pickup.
            voices: how many.
            steps_per_quarter: the grid.
            metre: 4/4 when not given.
            key: when it is wanted.
            pickup: steps before bar 1.
            tempo: quarter notes per minute, when it is wanted.
            names: of the voices.

        Raises:
            MusegenError: a bar of this metre is no whole number of steps, or there is nothing to fill.
        """
        metre = metre or Metre(4, 4)
        bar = metre.quarters * steps_per_quarter
        if bar.denominator != 1:
            raise MusegenError(
                f"a bar of {metre} is no whole number of steps at {steps_per_quarter} steps per quarter",
                f"Use {metre.quarters.denominator * steps_per_quarter} steps per quarter.",
            )
        if not 0 <= pickup < bar:
            raise MusegenError(
                f"a pickup of {pickup} steps is no part of a bar of {metre}", f"Use 0 to {int(bar) - 1} steps."
            )
        steps = pickup + bars * int(bar)
        if steps < 1 or voices < 1:
            raise MusegenError(f"{bars} bars of {voices} voices leave nothing to fill", "Ask for at least 1 of each.")
        roll = Roll(
            np.full((steps, voices), REST, np.uint8),
            steps_per_quarter,
            metres=((0, metre),),
            pickup=pickup,
            keys=((0, key),) if key else (),
            tempi=((0, tempo),) if tempo else (),
            names=names,
        )
        return cls(roll, np.ones((steps, voices), np.bool_))

    @classmethod
    def given(cls, roll: Roll, voices: Collection[int]) -> Template:
        """Some voices fixed, the others open: what `harmonize` asks.

        Args:
            roll: what it has in the other voices is left out.
            voices: indices of the fixed ones, from 0.
        """
        is_open = np.ones(roll.symbols.shape, np.bool_)
        is_open[:, list(voices)] = False
        symbols = np.where(is_open, np.uint8(REST), roll.symbols)
        fermatas = frozenset((step, voice) for step, voice in roll.fermatas if voice in voices)
        return cls(replace(roll, symbols=symbols, fermatas=fermatas), is_open)

    @classmethod
    def hole(cls, roll: Roll, is_open: NDArray[np.bool_]) -> Template:
        """A piece with a hole: what `infill`, `vary` and `continue` ask.

        A note that crosses an edge of the hole stays whole, and one that ends where the hole begins is not lengthened.

        Args:
            roll: what it has in the hole is left out.
            is_open: (steps, voices) bool.

        Raises:
            MusegenError: nothing is left open.
        """
        opened = is_open.copy()
        before = np.concatenate([np.full((1, roll.voices), REST, np.uint8), roll.sounding()[:-1]])
        goes_on = (roll.symbols == HOLD) & (before != REST)
        for voice in range(roll.voices):
            begins = np.flatnonzero(~goes_on[:, voice])
            whole = np.logical_and.reduceat(opened[:, voice], begins) if len(begins) else opened[:, voice]
            opened[:, voice] &= np.repeat(whole, np.diff(begins, append=roll.steps))
        if not opened.any():
            raise MusegenError(
                "nothing is left open there: every note reaches out of the passage", "Open a longer passage."
            )
        edge = opened & ~np.concatenate([np.ones((1, roll.voices), bool), opened[:-1]]) & (before != REST)
        allowed = None
        if edge.any():
            allowed = np.ones((*opened.shape, SYMBOLS), bool)
            allowed[edge, HOLD] = False
        symbols = np.where(opened, np.uint8(REST), roll.symbols)
        fermatas = frozenset(place for place in roll.fermatas if not opened[place])
        return cls(replace(roll, symbols=symbols, fermatas=fermatas), opened, allowed)


def violations(template: Template, roll: Roll) -> list[str]:
    """What a model did not keep to, one line each; empty when the roll answers the template.

    Args:
        template: what was asked.
        roll: what came back.
    """
    asked = template.roll
    if roll.symbols.shape != asked.symbols.shape:
        return [f"{asked.symbols.shape} steps and voices were asked for, {roll.symbols.shape} came"]
    frame = ((name, getattr(asked, name), getattr(roll, name)) for name in ("steps_per_quarter", "pickup", "metres"))
    found = [f"{name} {was} came back as {came}" for name, was, came in frame if was != came]
    for step, voice in np.argwhere(~template.open & (roll.symbols != asked.symbols)).tolist():
        fixed, given = symbol_name(int(asked.symbols[step, voice])), symbol_name(int(roll.symbols[step, voice]))
        found.append(f"{_place(asked, step, voice)}: fixed {fixed} came back as {given}")
    met = roll.symbols < SYMBOLS
    if template.allowed is not None:
        chosen = np.minimum(roll.symbols, SYMBOLS - 1)[..., None].astype(np.intp)
        met &= np.take_along_axis(template.allowed, chosen, -1)[..., 0]
    for step, voice in np.argwhere(template.open & ~met).tolist():
        given = symbol_name(int(roll.symbols[step, voice]))
        found.append(f"{_place(asked, step, voice)}: {given} is not allowed")
    if template.sounding is not None:
        heard = roll.sounding()
        met = np.take_along_axis(template.sounding, heard[..., None].astype(np.intp), -1)[..., 0]
        for step, voice in np.argwhere(template.open & ~met).tolist():
            found.append(f"{_place(asked, step, voice)}: {symbol_name(int(heard[step, voice]))} may not sound")
    for copy in template.copies:
        was, came = (roll.symbols[start : start + copy.steps] for start in (copy.source, copy.target))
        for step, voice in np.argwhere(was != came).tolist():
            found.append(f"{_place(asked, copy.target + step, voice)}: not as in the passage that it repeats")
    return found + [broken for rule in template.rules for broken in rule.broken(roll, template.open)]


def symbol_name(symbol: int) -> str:
    """A symbol for people: `C4` (middle C), `hold` or `rest`."""
    if symbol in (REST, HOLD):
        return "rest" if symbol == REST else "hold"
    octave, pitch_class = divmod(symbol, 12)
    return f"{['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B'][pitch_class]}{octave - 1}"


def _place(roll: Roll, step: int, voice: int) -> str:
    bars, positions = roll.clock()
    name = (roll.names[voice] if roll.names else "") or f"voice {voice + 1}"
    return f"bar {bars[step]}, step {positions[step] + 1}, {name}"

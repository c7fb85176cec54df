"""A roll with holes: the one question that every model answers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.representation.roll import HOLD, REST, SYMBOLS, Roll
from musegen.score import Key, Metre


@dataclass(frozen=True, eq=False)
class Template:
    """What is fixed and what a model is to fill in.

    Attributes:
        roll: the frame (grid, metre, key, tempo, length) and the fixed cells; open cells hold `REST`, so that no
            answer can leak into a model.
        open: (steps, voices) bool: the cells to fill. The others come back bit for bit.
        allowed: (steps, voices, 130) bool: the symbols that an open cell may take; None when it may take any.
    """

    roll: Roll
    open: NDArray[np.bool_]
    allowed: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        cells = self.roll.symbols.shape
        limits = cells if self.allowed is None else self.allowed.shape[:-1]
        if self.open.shape != cells or limits != cells:
            raise ValueError(f"a template of {cells} cells has openings {self.open.shape} and limits {limits}")
        if self.allowed is not None and (stuck := self.open & ~self.allowed.any(-1)).any():
            step, voice = map(int, np.argwhere(stuck)[0])
            raise MusegenError(f"no symbol is left for {_place(self.roll, step, voice)}", "Ask for less at once.")

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
    return found


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

"""A bar of three voices cut out of held-out chorales, and filled: figures, and pictures to look at."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from holes import USUAL, filled, held_out
from leading import faults
from measuring import HERE
from sections import Line

from musegen.checkpoints import available, load_checkpoint
from musegen.models.base import Sampling
from musegen.rendering.pianoroll import COLOURS
from musegen.representation.grid import decode
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODELS = ("bach-lstm", "bach-coconet")
COUNT = 5
AROUND = 2
"""Bars that are drawn before the hole and after it."""
CUTS = {f"cut-{name}.png": f"Five holes as Bach has them (above) and as {name} filled them (below)" for name in MODELS}


@dataclass(frozen=True)
class Hole:
    """A bar of a piece.

    Attributes:
        own: the piece.
        template: with the hole.
        number: of the bar.
        first: its first step.
        end: the step after its last.
    """

    own: Roll
    template: Template
    number: int
    first: int
    end: int

    @classmethod
    def of(cls, roll: Roll) -> Hole:
        """The bar in the middle, open below the first voice."""
        starts = roll.bar_starts()
        number, first, _ = starts[len(starts) // 2]
        end = starts[len(starts) // 2 + 1][1]
        is_open = np.zeros(roll.symbols.shape, bool)
        is_open[first:end, 1:] = True
        return cls(roll, Template.hole(roll, is_open), number, first, end)

    @property
    def title(self) -> str:
        """Of the piece, and the bar."""
        return f"{self.own.title or 'untitled'}, bar {self.number}"

    @property
    def excerpt(self) -> tuple[int, int]:
        """First step and the step after the last of what is drawn."""
        starts = [start for _, start, _ in self.own.bar_starts()] + [self.own.steps]
        place = starts.index(self.first)
        return starts[max(0, place - AROUND)], starts[min(len(starts) - 1, place + 1 + AROUND)]

    def around(self, roll: Roll) -> Roll:
        """The hole of a piece with a quarter on either side, so that the ways into and out of it count."""
        quarter = roll.steps_per_quarter
        shown = roll.sounding()[max(0, self.first - quarter) : self.end + quarter].copy()
        return Roll(shown, quarter, metres=self.own.metres[:1])


def cut(arguments: argparse.Namespace) -> Iterator[Line]:
    """Fill five holes with each model, and draw them."""
    names = arguments.models or [name for name in MODELS if name in available()]
    for number, name in enumerate(names):
        model = load_checkpoint(name)
        holes = [Hole.of(roll) for roll in held_out(model, arguments.pieces or COUNT)]
        how = Sampling(1, model.family.temperature, particles=USUAL)
        rolls = filled(model.composer(), [hole.template for hole in holes], how)
        again = f"python benchmarks/steering.py cut --models {name}"
        for hole, roll in zip(holes, rolls, strict=True):
            title = hole.title
            for who, each in (("Bach", hole.own), (model.name, roll)):
                if who == "Bach" and number:
                    continue
                yield Line(f"{title}, {who}", counted(hole, each), again)
        picture = draw(holes, rolls, model.name)
        picture.savefig(HERE / f"cut-{model.name}.png", dpi=90, metadata={"Software": "musegen"})


def counted(hole: Hole, roll: Roll) -> dict[str, float | str]:
    """What the hole became."""
    is_open = hole.template.open
    same = (roll.sounding() == hole.own.sounding())[is_open].mean()
    onsets = int((roll.symbols < REST)[is_open].sum())
    found = {name: value for name, value in faults(hole.around(roll)).items() if name != "leaps beyond an octave"}
    return {"pitch": float(same), "notes that begin": onsets, **found}


def draw(holes: Sequence[Hole], rolls: Sequence[Roll], name: str) -> Figure:
    """Bach's above, what was filled in below, the hole marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4 * len(holes)), layout="constrained")
    panels = figure.subplots(2 * len(holes), 1, squeeze=False)[:, 0]
    for i, (hole, roll) in enumerate(zip(holes, rolls, strict=True)):
        for axes, who, each in ((panels[2 * i], "Bach", hole.own), (panels[2 * i + 1], name, roll)):
            panel(axes, hole, each)
            axes.set_title(f"{hole.title}: {who}", fontsize=9, loc="left")
    return figure


def panel(axes: Axes, hole: Hole, roll: Roll) -> None:
    """The bars about the hole: a colour for each voice; new notes have a dark edge."""
    quarter, (first, end) = roll.steps_per_quarter, hole.excerpt
    pitches = []
    axes.axvspan(hole.first / quarter, hole.end / quarter, color="#fff1c9", zorder=0)
    for number, voice in enumerate(decode(roll).voices):
        for note in voice.notes:
            if note.end * quarter <= first or note.onset * quarter >= end:
                continue
            new = bool(hole.template.open[int(note.onset * quarter), number])
            height = 1.0 - 0.12 * number  # where two voices sound the same pitch both are seen
            axes.barh(
                note.pitch,
                float(note.duration) - 0.06,
                height=height,
                left=float(note.onset) + 0.02,
                color=COLOURS[number],
                edgecolor="black" if new else "none",
                linewidth=0.8,
                zorder=3 + number,
            )
            pitches.append(note.pitch)
    for number, start, _ in roll.bar_starts():
        if first <= start < end:
            axes.axvline(start / quarter, color="#8a929b", linewidth=0.8, zorder=1)
            axes.annotate(str(number), (start / quarter, 1), (2, -9), xycoords=axes.get_xaxis_transform(),
                          textcoords="offset points", fontsize=7)  # fmt: skip
    low, high = min(pitches) - 1, max(pitches) + 2
    axes.set(xlim=(first / quarter, end / quarter), ylim=(low, high), xticks=[])
    ticks = [pitch for pitch in range(low, high) if pitch % 12 in (0, 4, 7)]
    axes.set_yticks(ticks, [f"{'C   E  G'[pitch % 12]}{pitch // 12 - 1}" for pitch in ticks], fontsize=6)
    for beat in range(-(-first // quarter), end // quarter):
        axes.axvline(beat, color="#dde1e6", linewidth=0.5, zorder=0.5)

"""A score -> a picture: time to the right, pitch upwards, one colour per voice, one system below the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from musegen.errors import MusegenError
from musegen.rendering.pictures import as_file
from musegen.score import Bar, Metre, Note, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

# Okabe and Ito's colours, which colour-blind readers can tell apart, without their pale yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
_INK, _GREY, _BAR_LINE, _BEAT_LINE, _BLACK_KEY = "#1b1f24", "#5f6770", "#8a929b", "#dde1e6", "#f2f4f6"

# Inches.
_WIDTH, _LEFT, _RIGHT, _HEAD, _BELOW, _ABOVE = 14.0, 0.55, 0.25, 0.8, 0.28, 0.27
_SYSTEM_QUARTERS = 36
_MAX_SYSTEMS = 60
"""Beyond these the bars get narrower: a picture of 20,000 pixels is as tall as programs can open."""
_NAMES = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}


class System(NamedTuple):
    """A row of the picture: its bars, and the time it shows in quarters."""

    bars: tuple[Bar, ...]
    start: Fraction
    end: Fraction


def picture(score: Score, suffix: str = ".png") -> bytes:
    """Draw a piece.

    Args:
        score: with at least one note.
        suffix: such as `.png`; see `pictures`.

    Returns:
        The picture as a file of this kind.

    Raises:
        MusegenError: there is nothing to draw, the suffix is none of these, or matplotlib is not installed.
    """
    return as_file(lambda: draw(score), suffix)


def draw(score: Score) -> Figure:
    """Draw a piece as a matplotlib figure.

    Raises:
        MusegenError: the piece has no notes.
    """
    from matplotlib.figure import Figure

    pitches = [note.pitch for voice in score.voices for note in voice.notes]
    if not pitches:
        raise MusegenError("there is nothing to draw: the piece has no notes")
    lowest, highest = min(pitches) - 2, max(pitches) + 2
    missing = max(0, 12 - (highest - lowest))
    lowest, highest = lowest - missing // 2, highest + (missing + 1) // 2
    semitone = min(0.125, max(0.075, 3.4 / (highest - lowest)))
    rows = systems(score)
    longest = max(row.end - row.start for row in rows)
    scale = (_WIDTH - _LEFT - _RIGHT) / float(longest)  # inches a quarter
    tall = semitone * (highest - lowest)
    height = _HEAD + len(rows) * (_ABOVE + tall + _BELOW)
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    _write_head(figure, score, height)
    for number, row in enumerate(rows):
        bottom = height - _HEAD - (number + 1) * (_ABOVE + tall + _BELOW) + _BELOW
        axes = figure.add_axes(
            (
                _LEFT / _WIDTH,
                bottom / height,
                float(row.end - row.start) * scale / _WIDTH,
                tall / height,
            )
        )
        axes.set(xlim=(float(row.start), float(row.end)), ylim=(lowest - 0.5, highest + 0.5))
        _draw_grid(axes, row, scale, semitone)
        _draw_changes(axes, score, row)
        _draw_notes(axes, score, row, scale, semitone)
    return figure


def systems(score: Score) -> list[System]:
    """Break a piece into rows of whole bars, about equally long.

    A row holds about eight bars of 4/4; where that would make too many rows, more.
    """
    bars = list(score.bars())
    total = bars[-1].onset + bars[-1].duration
    count = min(_MAX_SYSTEMS, math.ceil(total / _SYSTEM_QUARTERS) if total > _SYSTEM_QUARTERS * 9 / 8 else 1)
    rows: list[System] = []
    current: list[Bar] = []
    for bar in bars:
        # A bar belongs to the row that its middle falls into.
        row = min(count - 1, int((bar.onset + bar.duration / 2) * count / total))
        if current and row > len(rows):
            rows.append(System(tuple(current), current[0].onset, bar.onset))
            current = []
        current.append(bar)
    rows.append(System(tuple(current), current[0].onset, total))
    return rows


def _write_head(figure: Figure, score: Score, height: float) -> None:
    """Write the title, what the piece is, and which colour is which voice."""
    left = _LEFT / _WIDTH
    facts = [score.composer] if score.composer else []
    facts += [str(key) for _, key in score.keys[:1]]
    facts += [str(metre) for _, metre in score.metres[:1]]
    facts += [f"{tempo:g} quarters a minute" for _, tempo in score.tempi[:1]]
    bars = sum(bar.number > 0 for bar in score.bars())
    facts.append(f"{bars} bar{'s' * (bars != 1)}")
    title = " ".join((score.title or "Untitled").split())
    title = title if len(title) <= 70 else title[:69] + "…"
    figure.text(left, 1 - 0.32 / height, title, size=17, weight="bold", color=_INK, va="center", parse_math=False)
    facts_line = "   ·   ".join(facts)
    figure.text(left, 1 - 0.62 / height, facts_line, size=10.5, color=_GREY, va="center", parse_math=False)
    if len(score.voices) < 2:
        return
    place = 1 - _RIGHT / _WIDTH
    for number in reversed(range(min(len(score.voices), 12))):
        name = (score.voices[number].name or f"Voice {number + 1}")[:16]
        colour = COLOURS[number % len(COLOURS)]
        figure.text(place, 1 - 0.62 / height, name, size=10, color=_INK, ha="right", va="center", parse_math=False)
        place -= (0.085 * len(name) + 0.08) / _WIDTH
        figure.text(place, 1 - 0.62 / height, "■", size=13, color=colour, ha="right", va="center")
        place -= 0.3 / _WIDTH


def _draw_grid(axes: Axes, row: System, scale: float, semitone: float) -> None:
    """Draw the keyboard behind, the beats, and the numbered bar lines."""
    low, high = (math.ceil(edge) for edge in axes.get_ylim())
    for pitch in range(low, high):
        if pitch % 12 not in _NAMES:
            axes.axhspan(pitch - 0.5, pitch + 0.5, color=_BLACK_KEY, linewidth=0, zorder=0)
        if pitch % 12 in (0, 5):  # where two white keys meet
            axes.axhline(pitch - 0.5, color=_BEAT_LINE, linewidth=0.9 if pitch % 12 == 0 else 0.5, zorder=0.5)
    every = max(1, math.ceil(0.3 / (float(row.end - row.start) * scale / len(row.bars))))
    for place, bar in enumerate(row.bars):
        beats = _beats(bar)
        if float(bar.metre.beat) * scale > 0.06:
            axes.vlines(
                [float(beat) for beat in beats], low - 0.5, high + 0.5, color=_BEAT_LINE, linewidth=0.6, zorder=1
            )
        axes.axvline(float(bar.onset), color=_BAR_LINE, linewidth=0.9, zorder=1.5)
        if place % every == 0:
            axes.annotate(
                str(bar.number),
                (float(bar.onset), 1),
                (2, 3),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                size=8,
                color=_GREY,
            )
    axes.axvline(float(row.end), color=_BAR_LINE, linewidth=0.9, zorder=1.5)
    named = _NAMES if semitone > 0.1 else {0: "C", 4: "E", 7: "G"}
    ticks = [pitch for pitch in range(low, high) if pitch % 12 in named]
    axes.set_yticks(ticks, [f"{_NAMES[pitch % 12]}{pitch // 12 - 1}" for pitch in ticks], size=7, color=_GREY)
    for label, pitch in zip(axes.get_yticklabels(), ticks, strict=True):
        if pitch % 12 == 0:
            label.set(weight="bold", color=_INK)
    axes.set_xticks([])
    axes.tick_params(length=0, pad=3)
    for spine in axes.spines.values():
        spine.set(color=_BAR_LINE, linewidth=0.6)


def _beats(bar: Bar) -> list[Fraction]:
    """The beats inside a bar; those of a pickup are counted back from its bar line."""
    start = bar.onset + bar.duration - bar.metre.quarters if bar.number == 0 else bar.onset
    count = math.ceil(bar.metre.quarters / bar.metre.beat)
    beats = (start + number * bar.metre.beat for number in range(count))
    return [beat for beat in beats if bar.onset < beat < bar.onset + bar.duration]


def _draw_changes(axes: Axes, score: Score, row: System) -> None:
    """Write a new metre or key above the place where it begins."""
    written: dict[Fraction, list[str]] = {}
    metres: list[tuple[Fraction, Metre]] = list(score.metres)
    for (_, before), (onset, after) in pairwise(metres):
        if after != before:
            written.setdefault(onset, []).append(str(after))
    for onset, key in score.keys[1:]:
        written.setdefault(onset, []).append(str(key))
    for onset, words in written.items():
        if row.start <= onset < row.end:
            axes.annotate(
                ", ".join(words),
                (float(onset), 1),
                (16, 3),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                size=8,
                weight="bold",
                color=_INK,
            )


def _draw_notes(axes: Axes, score: Score, row: System, scale: float, semitone: float) -> None:
    """Draw the notes of every voice, and the fermatas above them."""
    from matplotlib.collections import PathCollection

    covered: dict[int, list[Note]] = {}
    fermatas: dict[Fraction, Note] = {}
    for number, voice in enumerate(score.voices):
        notes = [note for note in voice.notes if note.onset < row.end and note.end > row.start]
        paths = []
        for note in notes:
            # Where another voice sounds the same pitch both are seen: this one lies on it, half as tall.
            below = any(other.onset < note.end and note.onset < other.end for other in covered.get(note.pitch, ()))
            paths.append(_bar_of(note, 0.25 if below else 0.46, scale, semitone))
            if note.fermata and note.pitch >= fermatas.get(note.onset, note).pitch:
                fermatas[note.onset] = note
        for note in notes:
            covered.setdefault(note.pitch, []).append(note)
        colour = COLOURS[number % len(COLOURS)]
        axes.add_collection(
            PathCollection(paths, facecolors=colour, edgecolors="white", linewidths=0.5, zorder=3 + number / 100),
            autolim=False,
        )
    places = [
        (float(note.onset + note.duration / 2), note.pitch) for note in fermatas.values() if note.onset >= row.start
    ]
    _draw_fermatas(axes, places)


def _bar_of(note: Note, half: float, scale: float, semitone: float) -> Path:
    """A bar with rounded corners, a little shorter than the note, so that a repeated note begins visibly.

    Args:
        note: what to draw.
        half: half its height, in semitones.
        scale: inches a quarter.
        semitone: inches a semitone.
    """
    from matplotlib.path import Path

    length = float(note.duration)
    left = float(note.onset)
    right = left + length - min(0.025 / scale, length / 4)
    bottom, top = note.pitch - half, note.pitch + half
    # The corner is round on paper, so it has different sizes in quarters and in semitones.
    radius = min(0.04, half * semitone, (right - left) * scale / 2)
    x, y = radius / scale, radius / semitone
    corners = [
        (left + x, bottom),
        (right - x, bottom), (right, bottom), (right, bottom + y),
        (right, top - y), (right, top), (right - x, top),
        (left + x, top), (left, top), (left, top - y),
        (left, bottom + y), (left, bottom), (left + x, bottom),
        (left + x, bottom),
    ]  # fmt: skip
    codes = [Path.MOVETO, *[Path.LINETO, Path.CURVE3, Path.CURVE3] * 4, Path.CLOSEPOLY]
    return Path(corners, codes)


def _draw_fermatas(axes: Axes, places: Sequence[tuple[float, int]]) -> None:
    if not places:
        return
    from matplotlib.path import Path

    times = [time for time, _ in places]
    axes.plot(
        times,
        [pitch + 1.1 for _, pitch in places],
        linestyle="none", marker=Path.arc(0, 180), markersize=9,
        markerfacecolor="none", markeredgecolor=_INK, zorder=5, clip_on=False,
    )  # fmt: skip
    dots = [pitch + 1.4 for _, pitch in places]
    axes.plot(times, dots, linestyle="none", marker=".", markersize=3.5, color=_INK, zorder=5, clip_on=False)

"""Pieces that stand, as templates: what is kept of them and what a model is to write anew."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.models.plans import Plan, usual_tempo
from musegen.representation.arrange import arrange
from musegen.representation.constraints.places import bars, fraction, step_at, voice_index
from musegen.representation.grid import encode
from musegen.representation.keys import estimate_key
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import Template
from musegen.score import Score

_CHOICE = 3
"""The stream of random numbers that chooses what `vary` rewrites; and how long a continued piece becomes."""
MORE = 8
"""Bars that a piece is continued by where its corpus has none longer."""
RUN = 3.0
"""Notes of a voice that are rewritten together, on average: single notes among others leave nothing to choose."""


@dataclass(frozen=True, eq=False)
class Given:
    """A piece as a model reads it.

    Attributes:
        roll: on the model's grid; with an estimated key where it has none.
        moved: what did not fit the grid, in words; empty when all did.
    """

    roll: Roll
    moved: str


def fit(model: Checkpoint, score: Score, name: str) -> Given:
    """Bring a piece onto a model's grid.

    Args:
        model: whose number of voices it must have.
        score: the piece.
        name: what to call it in a message.

    Raises:
        MusegenError: it has no notes, or other voices.
    """
    v = model.vocabulary
    sounding = sum(bool(voice.notes) for voice in score.voices)
    try:
        arranged = arrange(score, v.voices).score
    except MusegenError as error:
        other = "Write its other voices with `musegen harmonize`, or" if 0 < sounding < v.voices else "Or"
        hint = f"{other} choose another --model." if sounding else "Give a piece with notes."
        raise MusegenError(f"{name}: {error.args[0]} by {model.name}" if sounding else error.args[0], hint) from error
    return _read(model, arranged)


def _read(model: Checkpoint, score: Score) -> Given:
    encoded = encode(score, model.vocabulary.steps_per_quarter)
    return Given(_with_key(encoded.roll), encoded.summary())


def _with_key(roll: Roll) -> Roll:
    """The same, in the likeliest key where none is written: models want one."""
    heard = roll.sounding()
    pitches = heard[heard < REST]
    if roll.keys or not len(pitches):
        return roll
    return replace(roll, keys=((0, estimate_key(np.bincount(pitches % 12, minlength=12).tolist())),))


def harmonizing(model: Checkpoint, score: Score, given: Sequence[int], name: str) -> tuple[Template, str]:
    """Some voices given, the others open.

    Args:
        model: of several voices.
        score: has as many voices as are given, or more, of which the first count; or all of the model's.
        given: which of the model's voices they are.
        name: what to call the piece in a message.

    Returns:
        The template, and what had to be moved to the grid.

    Raises:
        MusegenError: nothing or everything is given, or the piece does not fit.
    """
    v = model.vocabulary
    if v.voices == 1:
        raise MusegenError(f"{model.name} writes one voice and can add none", "Use a model of chorales.")
    if len(set(given)) == v.voices:
        raise MusegenError("all voices are given, and none is left to write", "Name fewer with --given.")
    sounding = [voice for voice in score.voices if voice.notes]
    if len(sounding) == v.voices:
        arranged = arrange(score, v.voices).score
        chosen = [arranged.voices[voice] for voice in sorted(given)]
    elif len(sounding) >= len(given):
        chosen = sounding[: len(given)]
    else:
        raise MusegenError(
            f"{name}: {len(sounding)} voice{'s' * (len(sounding) != 1)}, {len(given)} given", "Name fewer with --given."
        )
    read = _read(model, replace(score, voices=tuple(chosen)))
    symbols = np.full((read.roll.steps, v.voices), REST, np.uint8)
    symbols[:, sorted(given)] = read.roll.symbols
    fermatas = frozenset((step, sorted(given)[voice]) for step, voice in read.roll.fermatas)
    tempi = read.roll.tempi or ((0, usual_tempo(read.roll.metres[0][1], v.voices)),)
    roll = replace(
        read.roll, symbols=symbols, names=model.names, programs=model.programs, tempi=tempi, fermatas=fermatas
    )
    return Template.given(roll, given), read.moved


def infilling(roll: Roll, places: str, voices: Collection[int]) -> Template:
    """A passage open in some voices.

    Args:
        roll: the piece.
        places: `5`, `5-8`, `5:3-7:1` (beats, the last one included), or several with commas.
        voices: which are opened.

    Raises:
        MusegenError: there is no such place, or nothing is left open.
    """
    is_open = np.zeros(roll.symbols.shape, bool)
    for text in places.split(","):
        first, end = span(roll, text.strip())
        is_open[first:end, sorted(voices)] = True
    if is_open.all():
        raise MusegenError("the passage is the whole piece", "Use `musegen sample`, or `musegen vary --amount 1`.")
    return Template.hole(roll, is_open)


_PLACE = r"(\d{1,6})(?::([\d./+]+))?"


def span(roll: Roll, text: str) -> tuple[int, int]:
    """First step and the step after the last of `5`, `5-8` or `5:3-7:1`.

    Raises:
        MusegenError: it is none of these, or the piece has no such bar or beat.
    """
    what = f"--bars {text}"
    found = re.fullmatch(rf"{_PLACE}(?:-{_PLACE})?", text)
    if not found or any(found[group] and fraction(found[group]) is None for group in (2, 4)):
        raise MusegenError(f"{what} names no passage", "Write 5, 5-8, or with beats 5:3-7:1.")
    first = step_at(roll, int(found[1]), fraction(found[2] or "1") or Fraction(1), what) if found[2] else None
    spans = {each.number: each for each in bars(roll)}
    numbers = int(found[1]), int(found[3] or found[1])
    for number in numbers:
        if number not in spans:
            raise MusegenError(f"{what}: there is no bar {number}", f"Choose from {min(spans)} to {max(spans)}.")
    begin = spans[numbers[0]].start if first is None else first
    last = found[4] or (found[2] if not found[3] else None)
    end = spans[numbers[1]].end
    if last:
        beat = fraction(last) or Fraction(1)
        length = spans[numbers[1]].metre.beat * roll.steps_per_quarter
        end = min(end, step_at(roll, numbers[1], beat, what) + int(-(-length // 1)))
    if end <= begin:
        raise MusegenError(f"{what} ends before it begins", "Write the earlier bar first.")
    return begin, end


def voices_of(names: str | None, roll: Roll, what: str) -> list[int]:
    """Which voices `alto,tenor` or `2,3` are; all when not given.

    Raises:
        MusegenError: there is no such voice.
    """
    if names is None:
        return list(range(roll.voices))
    return sorted({voice_index(each.strip(), roll.names, roll.voices, what) for each in names.split(",")})


def continuing(model: Checkpoint, prompt: Roll, how: Sampling, number: int, total: int | None) -> Template:
    """The beginning given, the rest open.

    Args:
        model: its corpus says how long pieces are.
        prompt: the beginning; silence after its last note is left out.
        how: the seed.
        number: of the piece.
        total: bars of the whole piece after the pickup; drawn when not given.

    Raises:
        MusegenError: the prompt is as long as that already.
    """
    prompt = prompt.without_tail()
    *_, (last, start, metre) = prompt.bar_starts()
    bar = prompt.steps_of(metre)
    missing = 0
    if total is None:
        longer = [
            (plan, count)
            for plan, count in model.plans
            if plan.metre == metre and plan.pickup == prompt.pickup and plan.bars >= last + 2
        ]
        total = last + MORE
        if longer:
            counts = np.array([count for _, count in longer], float)
            drawn = how.generator(number, _CHOICE).choice(len(longer), p=counts / counts.sum())
            plan: Plan = longer[int(drawn)][0]
            total, missing = plan.bars, plan.missing
    elif prompt.pickup and any(plan.pickup == plan.missing == prompt.pickup for plan, _ in model.plans):
        missing = prompt.pickup  # as tunes and chorales with a pickup do
    steps = start + (total - last + 1) * bar - missing if last else start + prompt.pickup + total * bar - missing
    if steps <= prompt.steps:
        raise MusegenError(
            f"the prompt has {last} bars already, and the whole piece was to have {total}", "Ask for more --bars."
        )
    symbols = np.full((steps, prompt.voices), REST, np.uint8)
    symbols[: prompt.steps] = prompt.symbols
    is_open = np.zeros(symbols.shape, bool)
    is_open[prompt.steps :] = True
    return Template.hole(replace(prompt, symbols=symbols), is_open)


def varying(roll: Roll, amount: float, how: Sampling, number: int, voices: Collection[int]) -> Template:
    """Some notes open, drawn at random in short runs of each voice.

    Args:
        roll: the piece.
        amount: share of the cells of these voices that are rewritten, 0 to 1, as near as whole notes come to it.
        how: the seed.
        number: of the piece.
        voices: which may change.
    """
    if amount >= 1 and len(set(voices)) == roll.voices:
        return Template(replace(roll, symbols=np.full_like(roll.symbols, REST)), np.ones(roll.symbols.shape, bool))
    generator = how.generator(number, _CHOICE)
    is_open = np.zeros(roll.symbols.shape, bool)
    runs: list[tuple[int, int, int]] = []
    for voice in sorted(set(voices)):
        begins = np.flatnonzero(roll.symbols[:, voice] != HOLD)
        starts = (
            begins[np.concatenate([[True], generator.random(len(begins) - 1) < 1 / RUN])] if len(begins) else begins
        )
        runs += [(voice, int(a), int(b)) for a, b in zip(starts, np.append(starts[1:], roll.steps), strict=True)]
    wanted = amount * roll.steps * len(set(voices))
    for index in generator.permutation(len(runs)):
        voice, first, end = runs[index]
        if is_open.sum() + (end - first) / 2 <= wanted:
            is_open[first:end, voice] = True
    return Template.hole(roll, is_open) if is_open.any() else Template(roll, is_open)

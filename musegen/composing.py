"""From a trained model to pieces: what each begins with, batches, and where each came from. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import musegen
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Composer, Filling, Sampling
from musegen.models.plans import Plan, choose, usual_tempo
from musegen.representation.arrange import arrange
from musegen.representation.grid import decode, encode
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template
from musegen.score import Key, Metre, Score

TOGETHER = 256
"""Pieces that are composed at once: more is hardly faster, and takes more memory."""
STEPS_TOGETHER = 2**20
"""Steps of all of them at most, for the same reason."""
_PLAN = 1
"""The stream of random numbers that chooses what a piece begins with."""


@dataclass(frozen=True)
class Wishes:
    """What is asked of new pieces; None leaves it to the corpus."""

    bars: int | None = None
    key: Key | None = None
    metre: Metre | None = None
    tempo: float | None = None


@dataclass(frozen=True)
class Piece:
    """A composed piece.

    Attributes:
        number: in its batch; with the seed it decides the notes.
        score: the music.
        roll: the same on the model's grid.
        nats: how surprised the model was, per cell that it filled; None when it cannot say.
        provenance: model, seed and settings, as JSON.
    """

    number: int
    score: Score
    roll: Roll
    nats: float | None
    provenance: str


def sample(model: Checkpoint, how: Sampling, numbers: Sequence[int], wishes: Wishes) -> Iterator[Piece]:
    """Compose new pieces.

    Args:
        model: any; one that needs a melody takes those that its checkpoint brings along.
        how: temperature and the like, and the seed.
        numbers: of the pieces; each depends on the seed and on its own number alone.
        wishes: length, key, metre, tempo.

    Raises:
        MusegenError: the model cannot do what is asked.
    """
    composer = model.composer()
    waiting: list[tuple[int, Template]] = []
    longest = 0
    for number in numbers:
        template = template_for(model, how, number, wishes)
        steps = max(longest, template.roll.steps)
        if waiting and (len(waiting) == TOGETHER or steps * (len(waiting) + 1) > STEPS_TOGETHER):
            yield from _filled(model, composer, how, waiting, wishes)
            waiting, steps = [], template.roll.steps
        waiting.append((number, template))
        longest = steps
    yield from _filled(model, composer, how, waiting, wishes)


def _filled(
    model: Checkpoint, composer: Composer, how: Sampling, waiting: Sequence[tuple[int, Template]], wishes: Wishes
) -> Iterator[Piece]:
    """Compose some pieces together."""
    numbers, templates = [number for number, _ in waiting], [template for _, template in waiting]
    for (number, template), filling in zip(waiting, composer.fill(templates, how, numbers), strict=True):
        yield _piece(model, how, number, template, filling, wishes)


def harmonize(model: Checkpoint, how: Sampling, melody: Score, tempo: float | None = None) -> tuple[Piece, str]:
    """Add the other voices to a melody.

    Args:
        model: of a family that adds voices.
        how: temperature and the like, and the seed.
        melody: one voice, or the first of several.
        tempo: quarter notes per minute; the melody's own when not given.

    Returns:
        The piece, and what of the melody had to be moved to the model's grid (empty when nothing).

    Raises:
        MusegenError: the family adds no voices, or the melody is out of the model's range or grid.
    """
    if not model.family.given_voices:
        raise MusegenError(
            f"{model.family.name} cannot keep given voices yet",
            "Use a model of the family minibach, such as bach-minibach.",
        )
    arranged = arrange(replace(melody, voices=melody.voices[:1]), 1).score
    encoded = encode(arranged, model.vocabulary.steps_per_quarter)
    given = encoded.roll
    symbols = np.full((given.steps, model.vocabulary.voices), REST, np.uint8)
    symbols[:, :1] = given.symbols
    tempi = ((0, tempo),) if tempo else given.tempi or ((0, usual_tempo(given.metres[0][1], 2)),)
    roll = replace(given, symbols=symbols, names=model.names, programs=model.programs, tempi=tempi)
    template = Template.given(roll, model.family.given_voices)
    (filling,) = model.composer().fill([template], how, [1])
    return _piece(model, how, 1, template, filling, Wishes(tempo=tempo)), encoded.summary()


def template_for(model: Checkpoint, how: Sampling, number: int, wishes: Wishes) -> Template:
    """What is asked of the model for one piece: a frame drawn from the corpus, all open, or under a melody.

    Raises:
        MusegenError: the wishes cannot be met.
    """
    generator = how.generator(number, _PLAN)
    if not model.family.given_voices:
        plan = choose(model.plans, generator, wishes.bars, wishes.key, wishes.metre)
        return plan.template(model.frame(), wishes.tempo)
    if wishes.bars or wishes.key or wishes.metre:
        raise MusegenError(
            f"{model.family.name} takes length, key and metre from the melody it is given",
            "Leave out --bars, --key and --metre.",
        )
    if not model.melodies:
        raise MusegenError(f"{model.name} brings no melody to compose under", "Give it one with `musegen harmonize`.")
    melody = model.melodies[int(generator.integers(len(model.melodies)))]
    tempi = ((0, wishes.tempo or usual_tempo(melody.metres[0][1], melody.voices)),)
    return Template.given(replace(melody, tempi=tempi), model.family.given_voices)


def _piece(
    model: Checkpoint, how: Sampling, number: int, template: Template, filling: Filling, wishes: Wishes
) -> Piece:
    cells = int(template.open.sum())
    asked: dict[str, Any] = {
        "bars": wishes.bars,
        "key": str(wishes.key) if wishes.key else None,
        "metre": str(wishes.metre) if wishes.metre else None,
        "tempo": wishes.tempo,
    }
    provenance = {
        "musegen": musegen.__version__,
        "model": model.name,
        "hash": model.hash,
        "seed": how.seed,
        "piece": number,
        "temperature": how.temperature,
        "top_k": how.top_k,
        "top_p": how.top_p,
    } | {name: value for name, value in asked.items() if value is not None}
    title = f"{model.name} {how.seed}/{number}"
    roll = replace(filling.roll, title=filling.roll.title or title)
    nats = filling.nats / cells if filling.nats is not None and cells else None
    return Piece(number, decode(roll), roll, nats, json.dumps(provenance))


def describe(model: Checkpoint, how: Sampling, piece: Piece) -> dict[str, Any]:
    """A piece as plain data, for `--json`."""
    plan = Plan.of(piece.roll)
    key = piece.roll.keys[0][1] if piece.roll.keys else None
    return {
        "model": model.name,
        "seed": how.seed,
        "piece": piece.number,
        "steps": piece.roll.steps,
        "bars": plan.bars if plan else piece.roll.bar_starts()[-1][0],
        "metre": str(piece.roll.metres[0][1]),
        "key": str(key) if key else None,
        "notes": sum(len(voice.notes) for voice in piece.score.voices),
        "nats_per_note": round(piece.nats, 4) if piece.nats is not None else None,
    }

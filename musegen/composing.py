"""From a trained model to pieces: what each begins with, batches, and where each came from. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import musegen
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Composer, Filling, Sampling
from musegen.models.plans import Plan, choose, usual_tempo
from musegen.representation.constraints import Constraints, check
from musegen.representation.grid import decode
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template, symbol_name, violations
from musegen.representation.transposition import moved, room, transposed
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
    constraints: Constraints = field(default_factory=Constraints)


@dataclass(frozen=True)
class Piece:
    """A composed piece.

    Attributes:
        number: in its batch; with the seed it decides the notes.
        score: the music.
        roll: the same on the model's grid.
        nats: how surprised the model is by the piece, per cell; None when it cannot say.
        moved: semitones by which the model had the given notes moved to know them; what it wrote was moved back.
        provenance: model, seed and settings, as JSON.
    """

    number: int
    score: Score
    roll: Roll
    nats: float | None
    provenance: str
    moved: int = 0


def sample(model: Checkpoint, how: Sampling, numbers: Sequence[int], wishes: Wishes) -> Iterator[Piece]:
    """Compose new pieces.

    Args:
        model: any; one that needs a melody takes those that its checkpoint brings along.
        how: temperature and the like, and the seed.
        numbers: of the pieces; each depends on the seed and on its own number alone.
        wishes: length, key, metre, tempo, and what else is asked.

    Raises:
        MusegenError: the model cannot do what is asked.
    """
    asked: dict[Any, Template] = {}  # what is asked of pieces with the same frame is worked out once

    def narrowed(number: int) -> Template:
        template = template_for(model, how, number, wishes)
        if not wishes.constraints:
            return template
        roll = template.roll
        frame = roll.metres, roll.keys, roll.pickup, roll.tempi, roll.symbols.tobytes()
        if frame not in asked:
            asked[frame] = narrow(model, template, wishes.constraints)
        return asked[frame]

    return compose(model, how, ((number, narrowed(number)) for number in numbers), wishes)


def compose(model: Checkpoint, how: Sampling, asked: Iterable[tuple[int, Template]], wishes: Wishes) -> Iterator[Piece]:
    """Fill templates, many at once.

    Args:
        model: any that can fill them.
        how: temperature and the like, and the seed.
        asked: the number of each piece, and its template.
        wishes: what was asked for, for the provenance.

    Raises:
        MusegenError: the model cannot do what is asked.
    """
    composer = model.composer()
    waiting: list[tuple[int, Template]] = []
    longest = 0
    for number, template in asked:
        steps = max(longest, template.roll.steps)
        rows = 1 if template.is_blank else how.particles
        if waiting and ((len(waiting) + 1) * rows > TOGETHER or steps * rows * (len(waiting) + 1) > STEPS_TOGETHER):
            yield from _filled(model, composer, how, waiting, wishes)
            waiting, steps = [], template.roll.steps
        waiting.append((number, template))
        longest = steps
    yield from _filled(model, composer, how, waiting, wishes)


def _filled(
    model: Checkpoint, composer: Composer, how: Sampling, waiting: Sequence[tuple[int, Template]], wishes: Wishes
) -> Iterator[Piece]:
    """Compose some pieces together."""
    at_work = [(number, template, move_for(model, template)) for number, template in waiting if template.open.any()]
    asked = [moved(template, move) for _, template, move in at_work]
    moves = {number: move for number, _, move in at_work}
    filled = iter(composer.fill(asked, how, [number for number, _, _ in at_work]))
    for number, template in waiting:
        filling = next(filled) if template.open.any() else Filling(template.roll)
        if move := moves.get(number, 0):
            filling = replace(filling, roll=template.roll.with_symbols(transposed(filling.roll, -move).symbols))
        yield replace(finish(model, how, number, template, filling, wishes), moved=move)


def _placed(model: Checkpoint, template: Template, roll: Roll) -> Roll:
    """The octave that is nearest to where the training pieces lie, if nothing given or asked is against it."""
    pitches, register = roll.symbols[roll.symbols < REST], model.card.get("register")
    if register is None or not len(pitches) or not template.open.all():
        return roll
    octaves = round((register - float(pitches.mean())) / 12)
    for moves in range(12 * octaves, 0, -12 if octaves > 0 else 12):
        if moves in room(roll, model.vocabulary.ranges):
            higher = roll.with_symbols(transposed(roll, moves).symbols)
            if not violations(template, higher):
                return higher
    return roll


def move_for(model: Checkpoint, template: Template) -> int:
    """By how many semitones a model must have the fixed notes moved to know them; what it writes is moved back.

    Raises:
        MusegenError: no move brings them all within its range.
    """
    v, roll = model.vocabulary, template.roll
    for within in (v.ranges, ((v.low, v.low + v.pitches - 1),) * v.voices):
        if moves := room(roll, within):
            return min(moves, key=abs)
    fixed = roll.symbols[roll.symbols < REST]
    lowest, highest = symbol_name(int(fixed.min())), symbol_name(int(fixed.max()))
    raise MusegenError(
        f"the given notes, {lowest} to {highest}, are out of the range of {model.name} in every transposition",
        "Give a piece with a narrower compass, or choose another --model.",
    )


def narrow(model: Checkpoint, template: Template, constraints: Constraints, original: Roll | None = None) -> Template:
    """Ask more of a template.

    Args:
        model: whose range and voices count.
        template: what is open.
        constraints: what is asked.
        original: the piece that the holes were cut into.

    Raises:
        MusegenError: it cannot be met; the demands that clash are named.
    """
    if not constraints:
        return template
    v = model.vocabulary
    return check(template, constraints, model.names, original, low=v.low, pitches=v.pitches, in_range=v.in_range())


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


def finish(
    model: Checkpoint, how: Sampling, number: int, template: Template, filling: Filling, wishes: Wishes
) -> Piece:
    """A filled template as a piece that says where it comes from."""
    cells = filling.cells or template.open.size
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
    roll = _placed(model, template, filling.roll)
    roll = replace(roll, title=roll.title or title)
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

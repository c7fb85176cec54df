"""A new piece on the plan of another: its self-similarity, metre and key profile, and none of its notes.

After Lattner, Grachten and Widmer 2018 (https://arxiv.org/abs/1612.04742), who alternate Gibbs sampling of their model
with steps down three such costs, and accept by simulated annealing. Here any model that fills holes proposes whole
passages; see `annealing` for the search, and `representation.structure` for what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction

import numpy as np

from musegen import composing
from musegen.annealing import Search, per_note
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.originality import Index
from musegen.models.base import Filling, Sampling
from musegen.models.plans import LONGEST, usual_tempo
from musegen.representation.arrange import arrange
from musegen.representation.grid import encode
from musegen.representation.keys import key_of
from musegen.representation.roll import REST, Roll
from musegen.representation.structure import Likeness, Structure
from musegen.representation.template import Template
from musegen.score import Key, Score

EFFORT = 192
"""Proposals for a piece, unless asked for another number."""
BATCH = 16
"""Proposals that are made at once."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is taken over from a piece: numbers, and no note.

    Attributes:
        frame: its bars, metres, pickup and keys, around cells that are all silent.
        structure: what the new piece is to be like.
        moved: what of the piece did not fit the grid, in words.
        source: the piece itself, only to count what the new one has in common with it.
    """

    frame: Roll
    structure: Structure
    moved: str
    source: Roll


@dataclass(frozen=True)
class Report:
    """How well a plan held.

    Attributes:
        result: how near the piece comes.
        begun: how near the plain sample came that it grew from, the best of them.
        unguided: how near plain samples come on average.
        nats: per note, of the piece: how surprised the model is; None when it cannot say.
        unguided_nats: per note, of plain samples.
        copied: share of its bars that stand in the plan's piece too, in any key.
        unguided_copied: of the bars of plain samples.
        accepted: how many proposals were taken.
    """

    result: Likeness
    begun: Likeness
    unguided: Likeness
    nats: float | None
    unguided_nats: float | None
    copied: float
    unguided_copied: float
    accepted: int


def plan_of(model: Checkpoint, score: Score, name: str, key: Key | None = None, tempo: float | None = None) -> Plan:
    """Read a piece as a plan for a model.

    Args:
        model: which is to follow it; the piece may have other voices.
        score: the piece.
        name: what to call it in a message.
        key: to write in instead: the piece's keys are moved, or when its first has another mode, this one holds.
        tempo: quarter notes per minute; when not given, what is usual in the metre.

    Raises:
        MusegenError: it has no notes, its bars do not fit the model's grid, or it is too long; or the model writes
            under melodies.
    """
    if model.family.given_voices:
        raise MusegenError(
            f"{model.family.name} takes length, key and metre from the melody it is given",
            "Leave out --like, or choose another model.",
        )
    try:
        arranged = arrange(score).score
        encoded = encode(
            arranged if arranged.keys else replace(arranged, keys=((Fraction(0), key_of(arranged)),)),
            model.vocabulary.steps_per_quarter,
        )
    except MusegenError as error:
        raise MusegenError(f"{name}: {error.args[0]}", "Take another piece as a plan.") from error
    source = encoded.roll.without_tail()
    if source.steps > LONGEST:
        raise MusegenError(f"{name} is too long for a plan: {source.steps} steps", f"At most {LONGEST}.")
    keys = source.keys
    if key:
        semitones = key.tonic - keys[0][1].tonic
        alike = keys[0][1].mode == key.mode
        keys = ((0, key), *((step, each.transposed(semitones)) for step, each in keys[1:] if alike))
    frame = replace(
        model.frame(),
        symbols=np.full((source.steps, model.vocabulary.voices), REST, np.uint8),
        metres=source.metres,
        pickup=source.pickup,
        keys=keys,
        tempi=((0, tempo or usual_tempo(source.metres[0][1], model.vocabulary.voices)),),
    )
    return Plan(frame, Structure.of(source), encoded.summary(), source)


def impose(
    model: Checkpoint,
    how: Sampling,
    numbers: Sequence[int],
    wishes: composing.Wishes,
    plan: Plan,
    effort: int = EFFORT,
    advance: Callable[..., None] = lambda count=1, note="": None,
) -> Iterator[tuple[composing.Piece, Report]]:
    """Compose pieces on a plan; each depends on the seed and on its own number alone.

    Args:
        model: any that can fill holes.
        how: temperature and the like, and the seed.
        numbers: of the pieces.
        wishes: what else is asked; length, key and metre are the plan's.
        plan: see `plan_of`.
        effort: proposals for each piece.
        advance: told of every batch of proposals.

    Raises:
        MusegenError: the model cannot fill holes, or what is asked cannot be met.
    """
    blank = Template(plan.frame, np.ones(plan.frame.symbols.shape, np.bool_))
    asked = composing.narrow(model, blank, wishes.constraints)
    composer = model.composer()
    batches = -(-effort // BATCH)
    for number in numbers:
        search = Search(model, composer, how, number, plan.structure, asked, wishes.constraints)
        for batch in range(batches):
            count = min(BATCH, effort - batch * BATCH)
            search.round(batch / max(1, batches - 1), count)
            advance(count, f"cost {search.best.cost:.3f}")
        filling = Filling(search.best.roll, search.best.nats)
        yield composing.finish(model, how, number, asked, filling, wishes), _report(plan, search)


def _report(plan: Plan, search: Search) -> Report:
    plain = [state.likeness for state in search.samples]
    return Report(
        search.best.likeness,
        search.begun.likeness,
        Likeness(*(float(np.mean([getattr(each, field.name) for each in plain])) for field in fields(Likeness))),
        per_note(search.best.nats, search.best.roll),
        search.usual,
        copied(search.best.roll, plan.source),
        float(np.mean([copied(state.roll, plan.source) for state in search.samples])),
        search.accepted,
    )


def copied(roll: Roll, source: Roll) -> float:
    """Share of the windows of one 4/4 bar that stand in another piece too, in any key; see `evaluation.originality`.

    Pieces with as many voices are compared whole, others voice by voice with any voice.
    """
    parts, sources = [roll], [source]
    if roll.voices != source.voices:
        parts, sources = (
            [each.with_symbols(each.symbols[:, [voice]]) for voice in range(each.voices)] for each in (roll, source)
        )
    index = Index.of(sources, [str(number) for number in range(len(sources))])
    found = [index.copied(part) for part in parts]
    windows = sum(each.windows for each in found)
    return sum(each.copied for each in found) / windows if windows else 0.0

"""From one piece to another, through a latent space: the pieces on the great circle between their codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from musegen import composing
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.latent import latent_composer
from musegen.models.base import Sampling
from musegen.models.plans import usual_tempo
from musegen.models.vae.directions import Direction, great_circle, known_directions
from musegen.representation.arrange import arrange
from musegen.representation.attributes import attributes
from musegen.representation.grid import encode
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template
from musegen.score import Score


@dataclass(frozen=True)
class Place:
    """A piece on the way from A to B.

    Distances are between what two pieces are like: the root mean square, over all attributes, of how many of the
    corpus's standard deviations lie between them; None when the model does not bring those along.

    Attributes:
        share: of the way, 0 at A and 1 at B.
        code: that it was composed under.
        piece: the music.
        attributes: by name; see `representation.attributes`.
        from_first: distance from A itself, the piece that was given.
        from_second: distance from B itself.
        step: distance from the place before; None for the first one.
    """

    share: float
    code: tuple[float, ...]
    piece: composing.Piece
    attributes: Mapping[str, float]
    from_first: float | None
    from_second: float | None
    step: float | None


def read(model: Checkpoint, score: Score, name: str) -> tuple[Roll, str]:
    """A piece as a model with a latent space reads it.

    Args:
        model: it must fit.
        score: the piece.
        name: what to call it in a message.

    Returns:
        The roll, ending with its last note as a corpus's do, and what had to be moved to the grid (empty when nothing).

    Raises:
        MusegenError: it has no notes, other voices, or pitches out of the model's ranges, or is off every grid.
    """
    v = model.vocabulary
    try:
        encoded = encode(arrange(score, v.voices).score, v.steps_per_quarter)
    except MusegenError as error:
        raise MusegenError(f"{name}: {error.args[0]}", "Choose another --model, or another piece.") from error
    roll = encoded.roll.without_tail()
    if not v.knows(roll.symbols):
        raise MusegenError(
            f"{name} lies outside the ranges of {model.name}", "Transpose it, or choose another --model."
        )
    return roll, encoded.summary()


def interpolate(
    model: Checkpoint, how: Sampling, first: Roll, second: Roll, count: int, tempo: float | None = None
) -> Iterator[Place]:
    """Compose pieces at even distances on the great circle between the codes of two pieces, both ends included.

    All are drawn with the same random numbers, those of piece 1 of the seed, so that what changes is the code and the
    frame. The ends are composed too: the piece at A's code is what A's code says, not A itself.

    Args:
        model: with a latent space.
        how: temperature and the like, and the seed; what it says of codes is not used.
        first: A, as `read` gives it.
        second: B.
        count: how many pieces, 2 or more.
        tempo: quarter notes per minute; between those of A and B when not given.

    Raises:
        MusegenError: the model has no latent space, or a piece does not fit it.
    """
    composer = latent_composer(model)
    start, end = (tuple(code.mean.tolist()) for code in composer.encode([first, second]))
    known = known_directions(model.card)
    own, others = attributes(first), attributes(second)
    before: Mapping[str, float] | None = None
    for number in range(1, count + 1):
        share = (number - 1) / (count - 1)
        code = great_circle(start, end, share)
        template = between(model, first, second, share, tempo)
        under = replace(how, code=code, toward=())
        (filling,) = composer.fill([template], under, [1])
        piece = composing.finish(model, under, number, template, filling, composing.Wishes(tempo=tempo))
        here = attributes(piece.roll)
        yield Place(
            share,
            code,
            piece,
            here,
            distance(known, here, own),
            distance(known, here, others),
            distance(known, here, before) if before else None,
        )
        before = here


def between(model: Checkpoint, first: Roll, second: Roll, share: float, tempo: float | None = None) -> Template:
    """The frame of a piece on the way, all open.

    Metre, key and pickup, and by how much the last bar is cut short, are those of the nearer piece (A's halfway); the
    number of bars goes evenly from one to the other, and so does the tempo, as a ratio.

    Args:
        model: whose voices and grid they have.
        first: A.
        second: B.
        share: of the way.
        tempo: to take instead.
    """
    nearer = first if share <= 0.5 else second
    bars = round(bars_of(first) + share * (bars_of(second) - bars_of(first)))
    tempi = [
        roll.tempi[0][1] if roll.tempi else usual_tempo(roll.metres[0][1], roll.voices) for roll in (first, second)
    ]
    told = tempo or round(tempi[0] * (tempi[1] / tempi[0]) ** share, 2)
    steps = _length(nearer, bars)
    framed = replace(
        model.frame(),
        symbols=np.full((steps, nearer.voices), REST, np.uint8),
        metres=tuple(change for change in nearer.metres if change[0] < steps),
        pickup=min(nearer.pickup, steps),
        keys=tuple(change for change in nearer.keys if change[0] < steps),
        tempi=((0, told),),
    )
    return Template(framed, np.ones(framed.symbols.shape, np.bool_))


def bars_of(roll: Roll) -> int:
    """Bars after the pickup; the last one counts, even if it is cut short."""
    return sum(number > 0 for number, _, _ in roll.bar_starts())


def _length(roll: Roll, bars: int) -> int:
    """Steps of a roll that is brought to another number of bars: more in its last metre, or fewer."""
    starts = roll.bar_starts()
    _, begin, metre = starts[-1]
    missing = begin + roll.steps_of(metre) - roll.steps if starts[-1][0] > 0 else 0
    ends = [step for number, step, _ in starts if number > 1] + [roll.steps + missing]
    whole = ends[bars - 1] if 0 < bars <= len(ends) else ends[-1] + (bars - bars_of(roll)) * roll.steps_of(metre)
    return max(1, whole - missing)


def distance(known: Mapping[str, Direction], one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """How unlike two pieces are; see `Place`. Attributes in which the corpus does not vary do not count."""
    apart = [
        (one[name] - other[name]) / each.deviation for name, each in known.items() if each.deviation and name in one
    ]
    return float(np.sqrt(np.mean(np.square(apart)))) if apart else None


def summary(places: Sequence[Place]) -> str:
    """How smooth a way was, in one line; empty when the model says too little for distances."""
    last = places[-1].from_first
    steps = [place.step for place in places if place.step is not None]
    if last is None or not steps:
        return ""
    away = sum((after.from_first or 0) > (here.from_first or 0) for here, after in pairwise(places))
    nearer = sum((after.from_second or 0) < (here.from_second or 0) for here, after in pairwise(places))
    return (
        f"{away} of {len(steps)} steps lead away from A and {nearer} towards B; "
        f"the longest is {max(steps):.2f}, all together {sum(steps):.2f}"
    )

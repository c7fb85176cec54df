"""Composing left to right with a look at what is fixed ahead: sequential Monte Carlo.

A sampler that is forced onto notes it did not choose walks into them blindly. So several versions of a piece, its
particles, are written side by side; each is weighed by how likely it made what it was forced to write, and every
quarter those that led well are kept in place of those that did not (Gordon, Salmond and Smith 1993,
https://doi.org/10.1049/ip-f-2.1993.0015; for constraints on sequence models: Lew et al. 2023,
https://arxiv.org/abs/2306.03081). With ever more particles this draws from the model as if it had always known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Filling, Sampling
from musegen.models.numpy_layers import Floats, pick
from musegen.models.slice_limits import Limits
from musegen.representation.template import Copy, Template

if TYPE_CHECKING:
    from musegen.models.slice_composer import Run, SliceComposer, State
    from musegen.models.slices import Ints

UNDER = 0.6
"""Temperature of the voices drawn under the first, as a share of its own and of the lengths': what is left to choose
under a melody is mostly right or wrong, and chance does not make it richer."""
SAMENESS = 1.0
"""Nats that a quarter weighs less if it is that of the passage it should be unlike."""
_PARTICLES, _RESAMPLING = 16, 8
"""Streams of random numbers: that of the second particle, and of who goes on. The first has the piece's own."""


def compose(
    composer: SliceComposer, templates: Sequence[Template], how: Sampling, pieces: Sequence[int], state: State
) -> list[Filling]:
    """Fill templates.

    Args:
        composer: the model.
        templates: one for each piece.
        how: temperature and the like, and the seed.
        pieces: the number of each.
        state: of the model's trunk before each piece, as many rows for each as it is to have particles; where nothing
            is fixed or asked, or the likeliest is taken, one is enough.

    Raises:
        MusegenError: what is asked cannot be met.
    """
    from musegen.models.slice_composer import Run

    v = composer.vocabulary
    count = len(state[0]) // len(templates)
    limits = None
    if not all(template.is_blank for template in templates):
        limits = Limits(templates, count, v, composer.voices.order)
    rows = [template for template in templates for _ in range(count)]
    run = Run(composer, rows, state, limits)
    chances = np.zeros((len(rows), int(run.steps.max(initial=0)), v.voices + 1))
    for row, (own, steps) in enumerate(zip(chances, run.steps, strict=True)):
        piece, particle = pieces[row // count], row % count
        own[:steps] = how.generator(piece, _PARTICLES + particle if particle else 0).random((steps, chances.shape[2]))
    who_goes_on = [how.generator(piece, _RESAMPLING) for piece in pieces]
    under = replace(how, temperature=UNDER * how.temperature)
    hows = [how, *[under] * (v.voices - 1), how]
    turns = np.zeros(len(rows), np.int64)
    weights = np.zeros(len(rows))  # logarithms
    goal = run.steps if count == 1 else np.minimum(v.steps_per_quarter, run.steps)
    while True:
        run.active = np.flatnonzero(run.at < goal)
        while len(run.active):
            act = run.active
            drawn = chances[act, turns[act]]

            def choose(column: int, logits: Floats, allowed: Floats, act: Ints = act, drawn: Floats = drawn) -> Ints:
                if count > 1:
                    weights[act] += _share(logits, allowed, hows[column].temperature)
                return pick(allowed, hows[column], drawn[:, column])

            run.advance(choose)
            turns[act] += 1
            run.active = act[run.at[act] < goal[act]]
        if limits:
            weights[limits.dead] = -np.inf
        if (run.at >= run.steps).all():
            break
        for row, template in enumerate(rows):
            weights[row] -= SAMENESS * _quarters_alike(run, row, template.contrasts, int(goal[row]))
        for piece, generator in enumerate(who_goes_on):
            _resample(run, np.arange(piece * count, (piece + 1) * count), weights, generator)
        goal = np.minimum(goal + v.steps_per_quarter, run.steps)
    chosen = []
    for piece, generator in enumerate(who_goes_on):
        own = weights[piece * count : (piece + 1) * count]
        if own.max() == -np.inf:
            raise MusegenError("what is asked could not be met together", "Try another --seed, or more --particles.")
        heap = np.cumsum(np.exp(own - own.max()))
        chosen.append(run.filling(piece * count + int((heap <= generator.random() * heap[-1]).sum())))
    return chosen


def _quarters_alike(run: Run, row: int, contrasts: Sequence[Copy], end: int) -> int:
    """How many of the passages that a row has just written a quarter of are as those they should be unlike."""
    alike, quarter = 0, run.composer.vocabulary.steps_per_quarter
    for each in contrasts:
        if each.target + quarter <= end <= each.target + each.steps:
            here, there = run.event[row, end - quarter : end], end - each.target + each.source
            alike += np.array_equal(here, run.event[row, there - quarter : there])
    return alike


def _share(logits: Floats, allowed: Floats, temperature: float) -> Floats:
    """(n,) logarithm of the probability that something allowed is drawn, of (n, K) logits with and without the rest."""
    likeliest, best = logits.max(axis=1, keepdims=True), allowed.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # next to temperature 0 even the best that is allowed may be out of the question
        whole = np.exp((logits - likeliest) / temperature).sum(axis=1)
        part = np.exp((allowed - best) / temperature).sum(axis=1)
        return np.asarray(np.maximum((best - likeliest)[:, 0] / temperature, -1e200) + np.log(part / whole))


def _resample(run: Run, rows: Ints, weights: Floats, generator: np.random.Generator) -> None:
    """Let the particles of a piece go on in proportion to their weights, once these have become too unequal."""
    own = weights[rows]
    shares = np.exp(own - max(own.max(), -1e300))
    total = shares.sum()
    if not total > 0 or total**2 >= len(rows) * (shares**2).sum() / 2:  # half of them still count
        return
    places = (np.arange(len(rows)) + generator.random()) / len(rows) * total  # systematic
    ancestors = rows[np.minimum(np.searchsorted(np.cumsum(shares), places), len(rows) - 1)]
    run.resample(rows, ancestors)
    weights[rows] = own.max() + np.log(total / len(rows))

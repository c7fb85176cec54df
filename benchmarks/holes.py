"""Held-out pieces with some of them left open: is looking ahead worth it, and what is made of Bach's sopranos."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from leading import per_bar
from numpy.typing import NDArray
from sections import Line

from musegen.checkpoints import Checkpoint, available, load_checkpoint
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.evaluation.likelihood import TOGETHER
from musegen.models.base import Composer, Sampling
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template, violations

PARTICLES = (1, 4, 16, 32, 64)
ROWS = 256
"""Particles of all pieces that are at work together, at most."""
PIECES = 20
USUAL = 32
"""Particles of the command line."""
Floats = NDArray[np.float64]


def held_out(model: Checkpoint, most: int | None = None) -> list[Roll]:
    """Test pieces of more than 8 bars that the model has names for."""
    corpus = open_corpus(model.card["corpus"]["name"])
    rolls = [corpus.roll(index) for index in corpus.split("test")]
    return [roll for roll in rolls if model.vocabulary.knows(roll.symbols) and len(roll.bar_starts()) > 8][:most]


def _bars(roll: Roll, first: float, count: int, voices: slice = slice(None)) -> Template:
    """Some bars open in some voices, from a share of the piece on."""
    starts = [start for _, start, _ in roll.bar_starts()]
    place = int(len(starts) * first)
    is_open = np.zeros(roll.symbols.shape, bool)
    is_open[starts[place] : starts[place + count], voices] = True
    return Template.hole(roll, is_open)


def _end_given(roll: Roll) -> Template:
    is_open = np.zeros(roll.symbols.shape, bool)
    is_open[: roll.bar_starts()[-2][1]] = True
    return Template.hole(roll, is_open)


TASKS: dict[str, Callable[[Roll], Template]] = {
    "soprano given": lambda roll: Template.given(roll, [0]),
    "bass given": lambda roll: Template.given(roll, [3]),
    "two bars open": lambda roll: _bars(roll, 0.5, 2),
    "a bar open in three voices": lambda roll: _bars(roll, 0.5, 1, slice(1, None)),
    "the last two bars given": _end_given,
}
ALONE = ("two bars open", "the last two bars given")
"""What can be asked of one voice."""


def ahead(arguments: argparse.Namespace) -> Iterator[Line]:
    """Likelihood of what is filled in, by the number of particles."""
    for name in arguments.models or ("bach-lstm", "celtic-lstm"):
        model = load_checkpoint(name)
        composer, rolls = model.composer(), sorted(held_out(model), key=lambda roll: roll.steps)
        rolls = rolls[: arguments.pieces or PIECES]
        own = scored(composer, rolls)
        for task in arguments.tasks or TASKS:
            if model.vocabulary.voices == 1 and task not in ALONE:
                continue
            templates = [TASKS[task](roll) for roll in rolls]
            for temperature in (1.0, model.family.temperature):
                figures = compared(composer, templates, own, temperature, PARTICLES if temperature == 1 else (1, USUAL))
                yield Line(
                    f"{model.name}, {task}, {temperature:g}",
                    figures,
                    f"python benchmarks/steering.py ahead --models {name}",
                )


def scored(composer: Composer, rolls: Sequence[Roll]) -> Floats:
    """(pieces,) nats of whole pieces."""
    parts = [composer.surprise(rolls[i : i + TOGETHER]) for i in range(0, len(rolls), TOGETHER)]
    return np.array([each.nats.sum() + each.hidden for some in parts for each in some])


def filled(composer: Composer, templates: Sequence[Template], how: Sampling) -> list[Roll]:
    """Fill templates, as many together as `ROWS` allows."""
    together, rolls = max(1, ROWS // how.particles), []
    for first in range(0, len(templates), together):
        some = templates[first : first + together]
        rolls += [each.roll for each in composer.fill(some, how, range(1 + first, 1 + first + len(some)))]
    for template, roll in zip(templates, rolls, strict=True):
        if wrong := violations(template, roll):
            raise RuntimeError(f"{roll.title}: {wrong[0]}")
    return rolls


def compared(
    composer: Composer,
    templates: Sequence[Template],
    own: Floats,
    temperature: float,
    particles: Sequence[int],
    usual: int = USUAL,
) -> dict[str, float | str]:
    """Nats per open cell for each number of particles; and how much better the usual number is than one."""
    cells = np.array([template.open.sum() for template in templates], float)
    found: dict[str, float | str] = {"pieces": len(templates), "open cells": int(cells.sum())}
    found["the true piece"] = float(own.sum() / cells.sum())
    nats = {}
    for count in particles:
        began = time.process_time()
        nats[count] = scored(composer, filled(composer, templates, Sampling(1, temperature, particles=count)))
        found[f"{count} particle{'s' * (count > 1)}"] = float(nats[count].sum() / cells.sum())
        seconds = (time.process_time() - began) / len(templates)
    better, error = rate(nats[1] - nats[usual], cells)
    found["better"] = f"{better:.3f} ± {error:.3f}"
    found["pieces made likelier"] = f"{(nats[usual] < nats[1]).sum()} of {len(templates)}"
    found[f"CPU seconds a piece, {particles[-1]} particles"] = seconds
    return found


def rate(values: Floats, weights: Floats) -> tuple[float, float]:
    """Sum through sum, and its standard error from the differences between pieces."""
    mean = values.sum() / weights.sum()
    apart = values - mean * weights
    return float(mean), float(np.sqrt((apart**2).sum() * len(values) / max(1, len(values) - 1)) / weights.sum())


def likeness(own: Sequence[Roll], rolls: Sequence[Roll]) -> dict[str, float]:
    """Share of the steps on which the true pitch sounds, or its class, by voice.

    Args:
        own: the true pieces.
        rolls: others with the same first voice.
    """
    heard = np.concatenate([roll.sounding() for roll in rolls]).astype(int)
    true = np.concatenate([roll.sounding() for roll in own]).astype(int)
    same = heard == true
    classes = (heard % 12 == true % 12) & ((heard == REST) == (true == REST))
    names = [name.lower() for name in own[0].names]
    found = {f"{name}, pitch": float(same[:, voice].mean()) for voice, name in enumerate(names) if voice}
    return found | {
        f"{name}, pitch class": float(classes[:, voice].mean()) for voice, name in enumerate(names) if voice
    }


def judged(judge: Composer, rolls: Sequence[Roll]) -> dict[str, float]:
    """What a judge says of pieces, and the faults in them."""
    cells = sum(roll.symbols.size for roll in rolls)
    return {"nats per note, by bach-lstm": float(scored(judge, rolls).sum()) / cells, **per_bar(rolls)}


def sopranos(arguments: argparse.Namespace) -> Iterator[Line]:
    """All sopranos of the test pieces, by each model."""
    bach = ("bach-lstm", "bach-feedforward", "bach-vae", "bach-minibach", "bach-coconet")
    names = arguments.models or [name for name in bach if name in available()]
    corpus = open_corpus("bach")
    own = [corpus.roll(index) for index in corpus.split("test")][: arguments.pieces]
    judge = load_checkpoint("bach-lstm").composer()
    yield Line("Bach", {"pieces": len(own), **judged(judge, own)})
    for name in names:
        model = load_checkpoint(name)
        composer, began = model.composer(), time.process_time()
        templates = [Template.given(roll, [0]) for roll in own]
        rolls = filled(composer, templates, Sampling(1, model.family.temperature, particles=USUAL))
        seconds = (time.process_time() - began) / len(own)
        figures: dict[str, float | str] = {"pieces": len(own), **likeness(own, rolls)}
        try:
            cells = sum(roll.steps * (roll.voices - len(model.family.given_voices)) for roll in own)
            figures["nats per note, Bach's"] = float(scored(composer, own).sum()) / cells
            figures["nats per note, its own"] = float(scored(composer, rolls).sum()) / cells
        except MusegenError:  # it has no likelihood
            pass
        figures |= {**judged(judge, rolls), "CPU seconds a piece": seconds}
        yield Line(model.name, figures, f"python benchmarks/steering.py sopranos --models {name}")

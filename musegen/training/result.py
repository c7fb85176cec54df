"""From a run to its checkpoint, and from a checkpoint to a run."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import nn

import musegen
from musegen.checkpoints import Checkpoint
from musegen.corpora.corpus import Corpus
from musegen.errors import MusegenError
from musegen.models.plans import Plan, Plans, instruments, plans_of
from musegen.representation.roll import Roll
from musegen.representation.template import Template
from musegen.training.run import Run
from musegen.training.state import State

T = TypeVar("T")

MELODIES = 32
"""Held-out melodies that a model which needs them brings along."""


def begin_from(network: nn.Module, base: Checkpoint) -> None:
    """Take over the weights of a trained model.

    Raises:
        MusegenError: it has other settings.
    """
    weights = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in base.weights.items()}
    own = dict(network.named_parameters())
    if {name: tensor.shape for name, tensor in weights.items()} != {n: t.shape for n, t in own.items()}:
        raise MusegenError(f"{base.path} has other settings than this run", "Leave out --set, or train anew.")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])


@dataclass(frozen=True)
class Style:
    """What a checkpoint takes from its corpus besides weights.

    Attributes:
        pieces: how many there were to train on.
        plans: their lengths, metres and keys.
        names: of the voices, as most pieces have them; empty when they differ.
        programs: instruments, as most pieces have them, or such as suit.
        melodies: held-out ones, for a family that composes under one.
    """

    pieces: int
    plans: Plans
    names: tuple[str, ...]
    programs: tuple[int | None, ...]
    melodies: tuple[Roll, ...]


def style_of(run: Run) -> Style:
    """Read it off the training pieces."""
    training = [run.corpus.roll(index) for index in run.corpus.split("train")]
    names = _common(roll.names for roll in training)
    programs = _common(roll.programs for roll in training) or instruments(run.vocabulary.voices)
    melodies: tuple[Roll, ...] = ()
    if run.family.given_voices:
        held_out = [run.corpus.roll(index) for index in run.corpus.split("validation") or run.corpus.split("train")]
        given = (Template.given(roll, run.family.given_voices).roll for roll in held_out if Plan.of(roll))
        melodies = tuple(islice(given, MELODIES))
    return Style(len(training), plans_of(training), names, programs, melodies)


def _common(values: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    """What more than half of the pieces have; nothing otherwise (a MIDI track is often named after its tune)."""
    counts = Counter(values)
    (value, count), *_ = counts.most_common(1)
    return value if 2 * count > counts.total() else ()


def checkpoint_of(run: Run, state: State, style: Style, seconds: float) -> Checkpoint:
    """The best model so far, with what is needed to compose with it and a card that says where it comes from."""
    progress = state.progress
    weights = {name: tensor.cpu().numpy() for name, tensor in state.best.items()}
    card = {
        "corpus": {"name": run.corpus.name, "hash": run.corpus.hash, "pieces": style.pieces},
        "rights": {"source": run.corpus.source, "licence": run.corpus.licence},
        "measure": run.family.measure,
        "train": progress.best_train,
        "validation": progress.best if run.corpus.split("validation") else None,
        "epochs": progress.best_epoch + 1,
        "parameters": sum(array.size for array in weights.values()),
        "seconds": round(seconds, 1),
        "seed": run.seed,
        "command": run.command,
        "versions": {
            "musegen": musegen.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "from": run.base.name if run.base else None,
    }
    return Checkpoint(
        run.family,
        run.settings,
        run.vocabulary,
        style.plans,
        style.names,
        style.programs,
        card,
        weights,
        style.melodies,
        run.out,
    )


def with_learnt(model: Checkpoint, corpus: Corpus) -> Checkpoint:
    """The same model, its card extended by what its family can tell of the training pieces."""
    facts = model.family.learnt(model.composer(), [corpus.roll(index) for index in corpus.split("train")])
    return replace(model, card={**model.card, **facts})

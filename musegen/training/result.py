"""From a run to its checkpoint, and from a checkpoint to a run."""

from __future__ import annotations

import platform
from itertools import islice

import numpy as np
import torch
from torch import nn

import musegen
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.plans import Plan, instruments, plans_of
from musegen.representation.roll import Roll
from musegen.representation.template import Template
from musegen.training.run import Run
from musegen.training.state import State

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


def checkpoint_of(run: Run, state: State, seconds: float) -> Checkpoint:
    """The best model so far, with what is needed to compose with it and a card that says where it comes from."""
    progress = state.progress
    training = [run.corpus.roll(index) for index in run.corpus.split("train")]
    weights = {name: tensor.cpu().numpy() for name, tensor in state.best.items()}
    _, loss, held_out = progress.history[progress.best_epoch]
    card = {
        "corpus": {"name": run.corpus.name, "hash": run.corpus.hash, "pieces": len(training)},
        "rights": {"source": run.corpus.source, "licence": run.corpus.licence},
        "measure": run.family.measure,
        "train": loss,
        "validation": held_out if run.corpus.split("validation") else None,
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
    names, programs = training[0].names, training[0].programs or instruments(training[0].names)
    plans = plans_of(training)
    return Checkpoint(
        run.family, run.settings, run.vocabulary, plans, names, programs, card, weights, _melodies(run), run.out
    )


def _melodies(run: Run) -> tuple[Roll, ...]:
    """Held-out melodies for a family that composes under one."""
    if not run.family.given_voices:
        return ()
    held_out = [run.corpus.roll(index) for index in run.corpus.split("validation") or run.corpus.split("train")]
    given = (Template.given(roll, run.family.given_voices).roll for roll in held_out if Plan.of(roll))
    return tuple(islice(given, MELODIES))

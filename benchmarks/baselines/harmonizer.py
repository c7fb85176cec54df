"""One hidden layer from a soprano to the other voices: MiniBach as its book has it, but for a softmax in each cell."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from baselines.counting import everywhere
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll

HIDDEN = 200
BATCH = 64
PATIENCE = 5
"""Epochs without a better validation loss before training stops."""


@dataclass(frozen=True)
class Harmonized:
    """How well the added voices were foretold.

    Attributes:
        nats: per token.
        onsets: share of the cells where a note begins whose likeliest symbol is the true one.
        pitches: share of the cells whose sound, with holds resolved inside the window, is the true one.
        tokens: share of the cells whose likeliest symbol is the true one.
    """

    nats: float
    onsets: float
    pitches: float
    tokens: float


class Harmonizer(nn.Module):
    """(B, T) soprano classes -> (B, T, V - 1, K) logits."""

    def __init__(self, steps: int, voices: int, classes: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.steps, self.added, self.classes = steps, voices - 1, classes
        self.first = nn.Linear(steps * classes, hidden)
        self.second = nn.Linear(hidden, steps * self.added * classes)

    def forward(self, soprano: Tensor) -> Tensor:
        given = functional.one_hot(soprano, self.classes).flatten(1).float()
        return self.second(self.first(given).relu()).view(-1, self.steps, self.added, self.classes)


def train(
    rolls: dict[str, Sequence[Roll]], vocabulary: Vocabulary, hidden: int = HIDDEN, epochs: int = 100
) -> tuple[Harmonizer, float]:
    """Learn from windows, in every key, until those of the validation split are foretold no better.

    Args:
        rolls: windows of one length, by split.
        vocabulary: of the training split.
        hidden: units.
        epochs: at most.

    Returns:
        The model that did best, and the minutes of processor time it took.
    """
    torch.manual_seed(1)
    begin = time.process_time()
    learning = cells(everywhere(rolls["train"], vocabulary), vocabulary)
    held_out = cells(rolls["validation"], vocabulary)
    model = Harmonizer(learning.shape[1], vocabulary.voices, vocabulary.classes, hidden)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    best, weights, stale = float("inf"), copy.deepcopy(model.state_dict()), 0
    for _ in range(epochs):
        for some in torch.randperm(len(learning)).split(BATCH):
            optimiser.zero_grad(set_to_none=True)
            _nats(model, learning[some]).backward()
            optimiser.step()
        with torch.no_grad():
            loss = float(_nats(model, held_out))
        stale = 0 if loss < best else stale + 1
        if loss < best:
            best, weights = loss, copy.deepcopy(model.state_dict())
        if stale == PATIENCE:
            break
    model.load_state_dict(weights)
    return model, (time.process_time() - begin) / 60


def measure(model: Harmonizer, rolls: Iterable[Roll], vocabulary: Vocabulary) -> Harmonized:
    """Show windows to a model."""
    shown = cells(rolls, vocabulary)
    true = shown[..., 1:].numpy()
    with torch.no_grad():
        nats = float(_nats(model, shown))
        likeliest = model(shown[..., 0]).argmax(-1).numpy()
    onset = true < vocabulary.pitches
    heard = resolved(likeliest, vocabulary) == resolved(true, vocabulary)
    right = likeliest == true
    return Harmonized(nats, float(right[onset].mean()), float(heard.mean()), float(right.mean()))


def resolved(classes: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """(B, T, V) classes -> what sounds, holds taken from before; `hold` where nothing is before them."""
    found = classes.copy()
    for step in range(1, found.shape[1]):
        found[:, step] = np.where(found[:, step] == vocabulary.hold, found[:, step - 1], found[:, step])
    return found


def cells(rolls: Iterable[Roll], vocabulary: Vocabulary) -> Tensor:
    """Windows -> (B, T, V) classes."""
    return torch.from_numpy(np.stack([vocabulary.encode(roll.symbols) for roll in rolls]))


def _nats(model: Harmonizer, shown: Tensor) -> Tensor:
    """Per token."""
    return functional.cross_entropy(model(shown[..., 0]).flatten(0, 2), shown[..., 1:].flatten())

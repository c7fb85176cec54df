"""A bare GRU over the symbols of a piece, voices interleaved: no beat, no bar, no key, no length, no look back."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import Roll
from musegen.representation.transposition import room, transposed

EMBEDDING = 64
BATCH = 32
CHUNK = 128
"""Tokens that gradients go back; the state goes on."""
LEARNING_RATE, DROPOUT, CLIP = 2e-3, 0.2, 1.0
LOOKS = 8
"""How often, in the time that there is, the validation pieces are looked at; the best weights are kept."""
ENOUGH = 24_000
"""Tokens of validation pieces that are looked at, from the first piece on; the figures are of all of them."""
STALE = 4
"""Looks without a better loss before training stops."""


@dataclass(frozen=True)
class Trained:
    """A model, and what it took.

    Attributes:
        model: with the best weights.
        minutes: of processor time.
        tokens: that it learnt from.
        stopped: whether it had stopped getting better before the time was over.
    """

    model: BareGRU
    minutes: float
    tokens: int
    stopped: bool


class BareGRU(nn.Module):
    """(B, T) tokens -> (B, T, K) logits of the next; token K stands before the first.

    Args:
        classes: K.
        hidden: units of each layer.
        layers: one on another.
    """

    def __init__(self, classes: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.classes = classes
        self.embedding = nn.Embedding(classes + 1, EMBEDDING)
        self.gru = nn.GRU(EMBEDDING, hidden, layers, batch_first=True, dropout=DROPOUT if layers > 1 else 0.0)
        self.readout = nn.Linear(hidden, classes)

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        out, state = self.gru(self.embedding(tokens), state)
        return self.readout(out), state

    @property
    def parameters_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())


def sized(parameters: int, classes: int, layers: int) -> BareGRU:
    """A model with about so many parameters."""

    def excess(hidden: int) -> int:
        first = 3 * hidden * (EMBEDDING + hidden + 2)
        others = 3 * (layers - 1) * hidden * (2 * hidden + 2)
        return first + others + (classes + 1) * EMBEDDING + (hidden + 1) * classes - parameters

    return BareGRU(classes, min(range(8, 2049), key=lambda hidden: abs(excess(hidden))), layers)


def tokens_of(rolls: Sequence[Roll], vocabulary: Vocabulary) -> list[Tensor]:
    """Each piece as one sequence: step after step, the voices of a step in order."""
    return [torch.from_numpy(vocabulary.encode(roll.symbols).reshape(-1)) for roll in rolls]


def train(
    model: BareGRU,
    training: Sequence[Roll],
    validation: Sequence[Roll],
    vocabulary: Vocabulary,
    minutes: float,
    say: Callable[[str], None] = lambda line: None,
) -> Trained:
    """Learn by a plain loop, every piece of an epoch in a key drawn from all that fit.

    Args:
        model: with fresh weights.
        training: pieces.
        validation: pieces that choose the weights.
        vocabulary: of the training pieces.
        minutes: of processor time, measuring included.
        say: hears of every look.
    """
    generator = np.random.default_rng(1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    held_out = _some(tokens_of(validation, vocabulary))
    rooms = [room(roll, vocabulary.ranges) or range(1) for roll in training]
    begin, budget = time.process_time(), 60 * minutes
    best, weights, stale, looks, learnt = float("inf"), copy.deepcopy(model.state_dict()), 0, 0, 0

    def look() -> None:
        nonlocal best, weights, stale, looks
        looks += 1
        loss = sum(nats(model, held_out)) / sum(map(len, held_out))
        stale = 0 if loss < best else stale + 1
        if loss < best:
            best, weights = loss, copy.deepcopy(model.state_dict())
        say(f"{(time.process_time() - begin) / 60:.1f} min, {learnt:,} tokens: {loss:.4f} nats per token on validation")

    while (spent := time.process_time() - begin) < budget and stale < STALE:
        shifts = [int(generator.choice(each)) for each in rooms]
        moved = [transposed(roll, by) for roll, by in zip(training, shifts, strict=True)]
        batches = _batches(tokens_of(moved, vocabulary), generator)
        for batch in batches:
            state = None
            for shown, wanted in _chunks(batch, model.classes):
                spent = time.process_time() - begin
                for group in optimiser.param_groups:
                    group["lr"] = LEARNING_RATE * max(0.02, 1 - spent / budget)
                model.train()
                optimiser.zero_grad(set_to_none=True)
                logits, state = model(shown, state)
                loss = functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-1)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), CLIP)
                optimiser.step()
                state = state.detach()
                learnt += int((wanted >= 0).sum())
            if spent > (looks + 1) * budget / (LOOKS + 1):
                look()
            if spent > budget or stale == STALE:
                break
    look()
    model.load_state_dict(weights)
    return Trained(model.eval(), (time.process_time() - begin) / 60, learnt, stale >= STALE)


def nats(model: BareGRU, pieces: Sequence[Tensor]) -> list[float]:
    """Of each piece, all its tokens; none of its end, as if the length were known."""
    model.eval()
    found = [0.0] * len(pieces)
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]))
    with torch.inference_mode():
        for first in range(0, len(order), BATCH):
            some = order[first : first + BATCH]
            state = None
            for shown, wanted in _chunks([pieces[index] for index in some], model.classes):
                logits, state = model(shown, state)
                lost = functional.cross_entropy(logits.mT, wanted, ignore_index=-1, reduction="none")
                for index, each in zip(some, lost.double().sum(1).tolist(), strict=True):
                    found[index] += each
    return found


def draw(model: BareGRU, pieces: int, steps: int) -> Tensor:
    """(pieces, steps) tokens, all pieces at once and one token after another."""
    torch.manual_seed(1)
    tokens, state = torch.full((pieces, 1), model.classes), None
    drawn = []
    with torch.inference_mode():
        for _ in range(steps):
            logits, state = model.eval()(tokens, state)
            tokens = torch.multinomial(logits[:, 0].softmax(-1), 1)
            drawn.append(tokens)
    return torch.cat(drawn, 1)


def _batches(pieces: Sequence[Tensor], generator: np.random.Generator) -> list[list[Tensor]]:
    """Pieces of like length together, in an order drawn anew."""
    order = sorted(range(len(pieces)), key=lambda index: len(pieces[index]) + generator.random())
    batches = [[pieces[index] for index in order[first : first + BATCH]] for first in range(0, len(order), BATCH)]
    return [batches[index] for index in generator.permutation(len(batches))]


def _chunks(pieces: Sequence[Tensor], start: int) -> list[tuple[Tensor, Tensor]]:
    """(B, T) tokens and those that follow, -1 after the end of a piece; T is at most `CHUNK`."""
    wanted = nn.utils.rnn.pad_sequence(list(pieces), batch_first=True, padding_value=-1)
    shown = torch.cat([torch.full((len(wanted), 1), start), wanted[:, :-1].clamp(min=0)], 1)
    return list(zip(shown.split(CHUNK, 1), wanted.split(CHUNK, 1), strict=True))


def _some(pieces: Sequence[Tensor]) -> list[Tensor]:
    """The first pieces that are enough to choose by."""
    found: list[Tensor] = []
    for piece in pieces:
        if found and sum(map(len, found)) + len(piece) > ENOUGH:
            break
        found.append(piece)
    return found

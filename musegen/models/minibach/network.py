"""MiniBach in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models.minibach import BELOW, window_steps
from musegen.models.network import Batch, Network, Noise

if TYPE_CHECKING:
    from musegen.models.minibach import MiniBachSettings
    from musegen.models.vocabulary import Vocabulary


class MiniBachNetwork(Network):
    """A window of the soprano -> a distribution for every cell of the other voices.

    Shapes (B windows, T steps, E embedding, V voices, K classes from the tonic):
        (B, T, 3) -> (B, T * E) -> (B, hidden) -> (B, T, V - 1, E) -> (B, T, V - 1, K)
    """

    def __init__(self, vocabulary: Vocabulary, settings: MiniBachSettings) -> None:
        super().__init__()
        v, e = vocabulary, settings.embedding
        self.added, self.dropout = v.voices - 1, settings.dropout
        steps = window_steps(v, settings)
        self.event = nn.Parameter(0.5 * torch.randn(v.none + 2 * BELOW + 1, e))
        self.sound = nn.Parameter(0.5 * torch.randn(v.none + 2 * BELOW + 1, e))
        self.place = nn.Parameter(0.5 * torch.randn(v.longest_bar * (len(v.metres) + 1) + 1, e))
        self.first = nn.Linear(steps * e, settings.hidden)
        self.second = nn.Linear(settings.hidden, steps * self.added * e)
        self.skip = nn.Parameter(0.3 * torch.randn(e, e) / e**0.5)
        self.symbol = nn.Parameter(torch.randn(self.added, e, v.classes + 2 * BELOW) / e**0.5)
        self.symbol_bias = nn.Parameter(torch.zeros(self.added, v.classes + 2 * BELOW))

    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """The loss is the nats themselves."""
        logits = self.logits(batch["given"], noise)
        nats = F.cross_entropy(logits.flatten(0, 2), batch["target"].flatten(), ignore_index=-1, reduction="sum")
        return nats, nats.detach()

    def logits(self, given: Tensor, noise: Noise) -> Tensor:
        """(B, T, 3) -> (B, T, V - 1, K)."""
        told = self.event[given[..., 0]] + self.sound[given[..., 1]] + self.place[given[..., 2]]
        hidden = noise.drop(F.relu(self.first(told.flatten(1)))[:, None], self.dropout)[:, 0]
        read = self.second(hidden).view(*given.shape[:2], self.added, -1)
        read = read + (told @ self.skip)[:, :, None]
        return torch.einsum("btve,vek->btvk", read, self.symbol) + self.symbol_bias

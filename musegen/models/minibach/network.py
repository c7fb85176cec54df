"""MiniBach in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models.minibach.melody import BELOW, candidates, tables, taps
from musegen.models.network import Batch, Network, Noise

if TYPE_CHECKING:
    from musegen.models.minibach import MiniBachSettings
    from musegen.models.vocabulary import Vocabulary


class MiniBachNetwork(Network):
    """What is seen of a melody from each step -> a distribution for every cell of the other voices.

    Shapes (B passages, T steps, R steps seen beside them, E embedding, V voices, K classes from the tonic, P pitches
    among them):
        (B, T + 2R, 2) line, (B, T, F) facts, (B, T, P) below -> (B, T, hidden) -> (B, T, V - 1, K)
    """

    def __init__(self, vocabulary: Vocabulary, settings: MiniBachSettings) -> None:
        super().__init__()
        v, e, hidden = vocabulary, settings.embedding, settings.hidden
        self.added, self.dropout = v.voices - 1, settings.dropout
        self.taps = taps(v.steps_per_quarter, settings.window)
        self.event = nn.Parameter(0.5 * torch.randn(v.none + 2 * BELOW + 1, e))
        self.sound = nn.Parameter(0.5 * torch.randn(v.none + 2 * BELOW + 1, e))
        self.first = nn.Linear(len(self.taps) * e, hidden)
        self.facts = nn.Parameter(0.1 * torch.randn(sum(tables(v)), hidden))
        self.second = nn.Linear(hidden, self.added * (v.classes + 2 * BELOW))
        self.interval = nn.Parameter(0.3 * torch.randn(hidden, self.added * candidates(v)) / hidden**0.5)

    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """The loss is the nats themselves."""
        logits = self.logits(batch, noise)
        nats = F.cross_entropy(logits.flatten(0, 2), batch["target"].flatten(), ignore_index=-1, reduction="sum")
        return nats, nats.detach()

    def logits(self, batch: Batch, noise: Noise) -> Tensor:
        """(B, T, V - 1, K)."""
        line, facts = batch["line"], batch["facts"]
        passages, steps = facts.shape[:2]
        told = self.event[line[..., 0]] + self.sound[line[..., 1]]
        reach = self.taps[-1]
        seen = torch.cat([told[:, reach + tap : reach + tap + steps] for tap in self.taps], -1)
        known = F.embedding_bag(facts.flatten(0, 1), self.facts, mode="sum").view(passages, steps, -1)
        hidden = F.relu(self.first(seen) + known)
        if noise.learning and self.dropout:
            # Steps are independent of one another here, so each has a mask of its own.
            kept = noise.coin(steps * hidden.shape[-1], 1 - self.dropout).view_as(hidden)
            hidden = hidden * kept / (1 - self.dropout)
        apart = F.pad((hidden @ self.interval).view(passages, steps, self.added, -1), (0, 1))
        by_interval = apart.gather(3, batch["below"][:, :, None].expand(-1, -1, self.added, -1))
        by_degree = self.second(hidden).view(passages, steps, self.added, -1)
        logits: Tensor = by_degree + F.pad(by_interval, (0, by_degree.shape[-1] - by_interval.shape[-1]))
        return logits

"""The network that left-to-right families share: what is known of a slice, a trunk that remembers, heads that draw."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models.features import Features
from musegen.models.network import Batch, Network, Noise
from musegen.models.slice_batch import SliceBatch
from musegen.models.slice_heads import TALLIED, SliceHeads
from musegen.models.slices import UNKNOWN_TONIC
from musegen.models.vocabulary import Vocabulary


class SliceFeatures(nn.Module):
    """What is known before a slice, as one vector: the rows of its features' tables added up, and its tallies.

    Shapes (N slices, F features, H tallies): (N, F) rows and (N, H, 12) shares -> (N, width)
    """

    def __init__(self, vocabulary: Vocabulary, width: int) -> None:
        super().__init__()
        features = Features(vocabulary)
        self.tables = nn.Parameter(torch.randn(features.size, width) / len(features.columns) ** 0.5)
        self.tally = nn.Linear(2 * TALLIED, width, bias=False)  # by pitch class, and by degree of the scale

    def forward(self, batch: SliceBatch) -> Tensor:
        """(N, width)."""
        summed = F.embedding_bag(batch.rows, self.tables, mode="sum")
        degree = (torch.arange(12, device=summed.device) + batch.tonic[:, None]) % 12
        tally = batch.tally.to(summed.dtype)
        by_degree = tally.gather(2, degree[:, None].expand_as(tally)) * (batch.tonic < UNKNOWN_TONIC)[:, None, None]
        return summed + cast(Tensor, self.tally(torch.cat([tally, by_degree], dim=2).flatten(1)))


class SliceNetwork(Network):
    """Features -> trunk -> heads.

    Args:
        vocabulary: of the training music.
        width: of the features.
        trunk: (N, width) features, the batch and the noise -> (N, context).
        heads: which read (N, context).
    """

    def __init__(self, vocabulary: Vocabulary, width: int, trunk: nn.Module, heads: SliceHeads) -> None:
        super().__init__()
        self.look = SliceFeatures(vocabulary, width)
        self.trunk = trunk
        self.heads = heads

    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """The loss is the nats themselves."""
        nats = self.nats(SliceBatch(**batch), noise).sum()
        return nats, nats.detach()

    def nats(self, batch: SliceBatch, noise: Noise) -> Tensor:
        """(N, V + 1) nats of every slice: its symbols in drawing order, then its length."""
        return cast(Tensor, self.heads(self.trunk(self.look(batch), batch, noise), batch, noise))

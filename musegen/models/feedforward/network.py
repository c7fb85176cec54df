"""The window trunk in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models.network import Noise
from musegen.models.slice_batch import SliceBatch, padded
from musegen.models.slice_heads import SliceHeads
from musegen.models.slice_network import SliceNetwork

if TYPE_CHECKING:
    from musegen.models.feedforward import FeedforwardSettings
    from musegen.models.vocabulary import Vocabulary


class Window(nn.Module):
    """The features of a slice beside summaries of the slices before it.

    Shapes (N slices of B pieces end to end, T the longest piece, W the window, M a summary):
        (N, width) -> (B, T, width + W * M) -> (B, T, hidden) -> (N, hidden)
    """

    def __init__(self, settings: FeedforwardSettings) -> None:
        super().__init__()
        self.window, self.dropout = settings.window, settings.dropout
        self.summarise = nn.Linear(settings.width, settings.summary)
        self.first = nn.Linear(settings.width + settings.window * settings.summary, settings.hidden)
        self.second = nn.Linear(settings.hidden, settings.hidden)

    def forward(self, features: Tensor, batch: SliceBatch, noise: Noise) -> Tensor:
        """(N, width) -> (N, hidden)."""
        given = noise.drop(padded(features, batch), self.dropout)
        summaries = torch.tanh(self.summarise(given))
        past = [F.pad(summaries, (0, 0, back, 0))[:, : given.shape[1]] for back in range(1, self.window + 1)]
        first = noise.drop(torch.tanh(self.first(torch.cat([given, *past], dim=2))), self.dropout)
        hidden: Tensor = first + noise.drop(torch.tanh(self.second(first)), self.dropout)
        return hidden[batch.piece, batch.place]


def network(vocabulary: Vocabulary, settings: FeedforwardSettings) -> SliceNetwork:
    """The whole network with fresh weights."""
    heads = SliceHeads(vocabulary, settings.hidden, settings.heads, settings.head_dropout)
    return SliceNetwork(vocabulary, settings.width, Window(settings), heads)

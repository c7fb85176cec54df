"""The LSTM trunk in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from musegen.models.network import Noise
from musegen.models.slice_batch import SliceBatch, padded
from musegen.models.slice_heads import SliceHeads
from musegen.models.slice_network import SliceNetwork

if TYPE_CHECKING:
    from musegen.models.lstm import LSTMSettings
    from musegen.models.vocabulary import Vocabulary


class LSTMLayers(nn.Module):
    """Layers of LSTM whose outputs are added up.

    Shapes (N slices of B pieces end to end, T the longest piece):
        (N, width) -> (B, T, width) -> (B, T, hidden) per layer, summed -> (N, hidden)
    """

    def __init__(self, width: int, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.LSTM(hidden if i else width, hidden, batch_first=True) for i in range(layers))
        self.dropout = dropout

    def forward(self, features: Tensor, batch: SliceBatch, noise: Noise) -> Tensor:
        """(N, width) -> (N, hidden)."""
        given = noise.drop(padded(features, batch), self.dropout)
        total: Tensor | None = None
        for layer in self.layers:
            given = noise.drop(layer(given)[0], self.dropout)
            total = given if total is None else total + given
        return cast(Tensor, total)[batch.piece, batch.place]


def network(vocabulary: Vocabulary, settings: LSTMSettings) -> SliceNetwork:
    """The whole network with fresh weights."""
    trunk = LSTMLayers(settings.width, settings.hidden, settings.layers, settings.dropout)
    with torch.no_grad():
        for layer in trunk.layers:
            # Memory that begins by keeping learns long spans sooner (Jozefowicz et al., 2015).
            cast(Tensor, layer.bias_ih_l0)[settings.hidden : 2 * settings.hidden].fill_(1.0)
    heads = SliceHeads(vocabulary, settings.hidden, settings.heads, settings.head_dropout)
    return SliceNetwork(vocabulary, settings.width, trunk, heads)

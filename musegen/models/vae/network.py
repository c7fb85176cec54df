"""The VAE in torch: an encoder over whole pieces, and the LSTM decoder under its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from musegen.models.lstm.network import LSTMLayers
from musegen.models.network import Batch, Network, Noise
from musegen.models.slice_batch import SliceBatch, padded
from musegen.models.slice_family import MAX_SLICES
from musegen.models.slice_heads import SliceHeads
from musegen.models.slice_network import SliceFeatures

if TYPE_CHECKING:
    from musegen.models.vae import VAESettings
    from musegen.models.vocabulary import Vocabulary

WARM_UP = 500
"""Steps over which the divergence comes to count, so that the code is in use before it costs."""


class Code(NamedTuple):
    """A normal distribution over codes for each piece: (pieces, latent) means and logarithms of variances."""

    mean: Tensor
    log_variance: Tensor

    def divergence(self) -> Tensor:
        """(pieces, latent) nats from the standard normal."""
        return 0.5 * (self.mean**2 + self.log_variance.exp() - 1 - self.log_variance)


class Encoder(nn.Module):
    """A piece's slices in both directions, averaged, to a distribution over codes.

    Shapes (N slices of B pieces end to end): (N, V) events and (N,) lengths -> (B, latent) twice
    """

    def __init__(self, vocabulary: Vocabulary, settings: VAESettings) -> None:
        super().__init__()
        v, units = vocabulary, settings.encoder
        self.event = nn.ModuleList(nn.Embedding(v.classes, units) for _ in range(v.voices))
        self.length = nn.Embedding(v.longest_bar + 1, units)
        self.read = nn.LSTM(units, units, batch_first=True, bidirectional=True)
        self.code = nn.Linear(2 * units, 2 * settings.latent)

    def forward(self, batch: SliceBatch) -> Code:
        """Read whole pieces."""
        told = self.length(batch.length)
        for voice, table in enumerate(self.event):
            told = told + table(batch.event[:, voice])
        packed = pack_padded_sequence(padded(told, batch), batch.lengths.cpu(), batch_first=True, enforce_sorted=False)
        read, _ = pad_packed_sequence(self.read(packed)[0], batch_first=True)  # (B, T, 2 * units)
        mean, log_variance = self.code(read.sum(1) / batch.lengths[:, None]).chunk(2, dim=1)
        return Code(mean, log_variance.clamp(-10, 5))


class VAENetwork(Network):
    """Encoder, code, decoder. The decoder's weights have the names that `slice_network` gives them."""

    def __init__(self, vocabulary: Vocabulary, settings: VAESettings) -> None:
        super().__init__()
        self.settings = settings
        self.encoder = Encoder(vocabulary, settings)
        self.lstm = LSTMLayers(settings.width, settings.hidden, settings.layers, settings.dropout)
        self.code = nn.Linear(settings.latent, settings.width + settings.hidden)
        self.look = SliceFeatures(vocabulary, settings.width)
        self.heads = SliceHeads(vocabulary, settings.hidden, settings.heads, settings.head_dropout)

    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """What is lowered, with free nats and the weight of the divergence; and the bound itself."""
        s = self.settings
        slices = SliceBatch(**batch)
        code = self.encoder(slices)
        z = code.mean + torch.exp(0.5 * code.log_variance) * noise.normal(s.latent)
        nats = self.decode(slices, z, noise).sum()
        divergence = code.divergence()
        # The mean over the batch may be free, while each piece uses more or less (Kingma et al., 2016).
        costs = noise.batch_mean(divergence.detach()) > s.free_nats  # (latent,)
        beyond = ((divergence - s.free_nats) * costs).sum()
        warm = min(1.0, noise.step / WARM_UP)
        return nats + s.kl_weight * warm * beyond, (nats + divergence.sum()).detach()

    def decode(self, slices: SliceBatch, z: Tensor, noise: Noise) -> Tensor:
        """(N, V + 1) nats of every slice under the codes (pieces, latent), which go into and beside the LSTM."""
        features = self.look(slices)  # (N, width)
        if noise.learning and self.settings.forget:
            features = features * noise.coin(MAX_SLICES, 1 - self.settings.forget)[slices.piece, slices.place, None]
        told = self.code(z)[slices.piece]  # (N, width + hidden)
        width = self.settings.width
        read = self.lstm(features + told[:, :width], slices, noise) + told[:, width:]
        return cast(Tensor, self.heads(read, slices, noise))

"""The variational autoencoder: a piece as a point on a plane, and the plane as music."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Composer, Sampling, Settings, Surprise
from musegen.models.lstm import LSTM, LSTMSettings, LSTMTrunk
from musegen.models.numpy_layers import Floats
from musegen.models.slice_composer import SliceComposer, State
from musegen.models.slices import slice_roll
from musegen.models.vae.directions import direction
from musegen.models.vae.encoder import Code, Encoder
from musegen.models.vocabulary import Vocabulary
from musegen.representation.attributes import ATTRIBUTES
from musegen.representation.roll import Roll
from musegen.representation.template import Template

if TYPE_CHECKING:
    from musegen.models.network import Network

DRAWS = 2
"""Codes of each piece that its likelihood is averaged over."""


@dataclass(frozen=True)
class VAESettings(LSTMSettings):
    """Settings of the VAE.

    Attributes:
        latent: dimensions of the code; two make a map.
        encoder: units of the encoder in each direction.
        free_nats: of divergence that each dimension may have at no cost, which keeps the code in use.
        kl_weight: of the divergence beyond that, once warmed up.
        forget: share of slices whose features the decoder does not see, so that it needs the code.
    """

    latent: int = 2
    encoder: int = 128
    free_nats: float = 1.0
    kl_weight: float = 1.0
    forget: float = 0.25

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if min(self.latent, self.encoder) <= 0:
            raise MusegenError("latent and encoder must be above 0")
        if not self.forget < 1:
            raise MusegenError("forget must be below 1")


class VAE(LSTM):
    """A recurrent VAE: the encoder reads a whole piece into a few numbers, the decoder composes under them.

    After Roberts et al. 2018 (MusicVAE), with the decoder of our `lstm`, which may have any length, and a plane of two
    dimensions unless more are asked for. Its loss is the bound: reconstruction plus divergence.
    """

    name = "vae"
    title = "recurrent variational autoencoder"
    year = 2018
    paper = "Roberts et al., A hierarchical latent vector model, 2018, https://arxiv.org/abs/1803.05428"
    settings = VAESettings
    measure = "nats per note (an upper bound)"

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.vae.network import VAENetwork

        assert isinstance(settings, VAESettings)
        return VAENetwork(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> VAEComposer:
        """Numpy twin of the decoder."""
        assert isinstance(settings, VAESettings)
        return VAEComposer(vocabulary, settings, weights)

    def learnt(self, composer: Composer, rolls: Sequence[Roll]) -> dict[str, Any]:
        """Besides, `attributes`: the direction of each in the latent space (`directions`), if any piece is in range."""
        assert isinstance(composer, VAEComposer)
        facts = super().learnt(composer, rolls)
        within = [roll for roll in rolls if composer.vocabulary.knows(roll.symbols)]
        if not within:
            return facts
        codes = np.stack([code.mean for code in composer.encode(within)])
        found = {
            name: direction(codes, np.array([measure(roll) for roll in within])) for name, measure in ATTRIBUTES.items()
        }
        return facts | {"attributes": {name: each.to_json() for name, each in found.items()}}


class VAEComposer(SliceComposer):
    """Composes under a code: the one that is asked for, or one drawn from the standard normal for each piece."""

    def __init__(self, vocabulary: Vocabulary, settings: VAESettings, weights: Arrays) -> None:
        super().__init__(vocabulary, weights, CodedTrunk(weights, settings))
        self.latent = settings.latent
        self.matrix = np.ascontiguousarray(weights["code.weight"].T)
        self.bias = weights["code.bias"]
        self.weights = weights

    def start(self, how: Sampling, pieces: Sequence[int]) -> State:
        """The LSTM's empty state, and what its code tells every slice, for each particle of each piece."""
        return (*super().start(how, pieces), self.told(self.codes(how, pieces)))

    def codes(self, how: Sampling, pieces: Sequence[int]) -> Floats:
        """(n, latent) the codes that pieces are composed under; each particle of a piece has one of its own.

        Raises:
            MusegenError: a code of so many numbers does not fit.
        """
        for asked in (how.code, how.toward):
            if asked and len(asked) != self.latent:
                raise MusegenError(f"a code of this model has {self.latent} numbers, not {len(asked)}")
        shape = how.particles, self.latent
        if how.code:
            drawn = np.tile(how.code, (len(pieces) * how.particles, 1))
        else:
            drawn = np.concatenate([how.generator(piece, stream=2).standard_normal(shape) for piece in pieces])
        return np.asarray(drawn + np.array(how.toward or 0.0))

    def told(self, codes: Floats) -> Floats:
        """(n, latent) -> (n, width + hidden)."""
        return np.asarray(codes @ self.matrix + self.bias)

    def encode(self, rolls: Sequence[Roll]) -> list[Code]:
        """Where each piece lies.

        Raises:
            MusegenError: a pitch lies outside the vocabulary.
        """
        return Encoder(self.weights).encode([slice_roll(roll, self.vocabulary) for roll in rolls])

    def surprise(self, rolls: Sequence[Roll], seed: int = 1) -> list[Surprise]:
        """An upper bound: the mean over `DRAWS` codes of each piece's posterior, and the divergence as `hidden`.

        `best` is under the mean of the posterior.
        """
        codes = self.encode(rolls)
        generators = [np.random.Generator(np.random.Philox([seed, piece])) for piece in range(len(rolls))]
        scored = []
        for _ in range(DRAWS):
            drawn = [code.draw(generator) for code, generator in zip(codes, generators, strict=True)]
            scored.append(self._score(rolls, drawn))
        best = self._score(rolls, [code.mean for code in codes])
        return [
            Surprise(np.mean([each[i].nats for each in scored], axis=0), best[i].best, code.divergence())
            for i, code in enumerate(codes)
        ]

    def _score(self, rolls: Sequence[Roll], codes: Sequence[Floats]) -> list[Surprise]:
        from musegen.models.slice_scoring import score

        return score(self, rolls, (*self.trunk.start(len(rolls)), self.told(np.stack(codes))))

    def reconstruct(self, rolls: Sequence[Roll]) -> list[Roll]:
        """Compose each piece anew, the likeliest slice after the likeliest, from its frame and its code alone."""
        told = self.told(np.stack([code.mean for code in self.encode(rolls)]))
        templates = [Template.given(roll, ()) for roll in rolls]
        state = (*self.trunk.start(len(rolls)), told)
        return [filling.roll for filling in self.compose(templates, Sampling(1, 0.0), range(len(rolls)), state)]


class CodedTrunk(LSTMTrunk):
    """The LSTM with the code added to what goes in and to what comes out."""

    def __init__(self, weights: Arrays, settings: VAESettings) -> None:
        super().__init__(weights, settings, "lstm.")

    def step(self, features: Floats, state: State) -> tuple[Floats, State]:
        """(n, width) features -> (n, hidden)."""
        *memory, told = state
        width = features.shape[1]
        read, after = super().step(features + told[:, :width], tuple(memory))
        return read + told[:, width:], (*after, told)

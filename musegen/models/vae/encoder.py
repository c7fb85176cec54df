"""The encoder of the VAE in numpy: a piece's slices in both directions, averaged, to a distribution over codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from musegen.models.base import Arrays
from musegen.models.numpy_layers import Floats, lstm_step
from musegen.models.slices import Slices

ACTIVE = 0.01
"""Variance of a dimension's means over many pieces from which it counts as in use (Burda et al., 2016)."""


@dataclass(frozen=True)
class Code:
    """Where a piece lies: a normal distribution over codes.

    Attributes:
        mean: (latent,).
        log_variance: (latent,).
    """

    mean: Floats
    log_variance: Floats

    def divergence(self) -> float:
        """Nats from the standard normal."""
        return float(0.5 * (self.mean**2 + np.exp(self.log_variance) - 1 - self.log_variance).sum())

    def draw(self, generator: np.random.Generator) -> Floats:
        """(latent,) one of the codes that may have been meant."""
        deviation = np.exp(0.5 * self.log_variance)
        return np.asarray(self.mean + deviation * generator.standard_normal(len(self.mean)))


class Encoder:
    """Reads pieces; the twin of `network.Encoder`.

    Args:
        weights: of the whole network, by torch's names.
    """

    def __init__(self, weights: Arrays) -> None:
        own = {name.removeprefix("encoder."): array for name, array in weights.items() if name.startswith("encoder.")}
        self.event = [own[f"event.{voice}.weight"] for voice in range(sum(name.startswith("event.") for name in own))]
        self.length = own["length.weight"]
        self.directions = []
        for end in ("l0", "l0_reverse"):
            joined = np.concatenate([own[f"read.weight_ih_{end}"], own[f"read.weight_hh_{end}"]], axis=1)
            self.directions.append((joined.T, own[f"read.bias_ih_{end}"] + own[f"read.bias_hh_{end}"]))
        self.matrix, self.bias = own["code.weight"].T, own["code.bias"]

    def encode(self, slices: Slices) -> Code:
        """Read a whole piece."""
        told = self.length[slices.length]
        for voice, table in enumerate(self.event):
            told = told + table[slices.event[:, voice]]  # (n, units)
        read = []
        for (matrix, bias), order in zip(self.directions, (told, told[::-1]), strict=True):
            hidden = memory = np.zeros((1, told.shape[1]))
            total = np.zeros(told.shape[1])
            for each in order:
                hidden, memory = lstm_step(each[None], hidden, memory, matrix, bias)
                total += hidden[0]
            read.append(total)
        code = np.concatenate(read) / len(told) @ self.matrix + self.bias
        mean, log_variance = np.split(code, 2)
        return Code(mean, np.clip(log_variance, -10, 5))


def active(means: Floats) -> int:
    """(pieces, latent) -> how many dimensions the encoder uses."""
    return int((means.var(axis=0) > ACTIVE).sum())

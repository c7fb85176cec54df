"""The encoder of the VAE in numpy: a piece's slices in both directions, averaged, to a distribution over codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.models.base import Arrays
from musegen.models.numpy_layers import Floats, lstm_step
from musegen.models.slices import Slices

ACTIVE = 0.01
"""Variance of a dimension's means over many pieces from which it counts as in use (Burda et al., 2016)."""
TOGETHER = 64
"""Pieces that are read at once: more is hardly faster, and takes more memory."""


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

    def encode(self, pieces: Sequence[Slices]) -> list[Code]:
        """Read whole pieces, `TOGETHER` at a time; those of like length go together."""
        codes: dict[int, Code] = {}
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].length))
        for first in range(0, len(order), TOGETHER):
            some = order[first : first + TOGETHER]
            codes.update(zip(some, self._read([pieces[i] for i in some]), strict=True))
        return [codes[i] for i in range(len(pieces))]

    def _read(self, pieces: Sequence[Slices]) -> list[Code]:
        """B pieces, the longest of T slices; what comes after a shorter one's end is not counted."""
        lengths = np.array([len(each.length) for each in pieces])
        told = np.zeros((2, int(lengths.max()), len(pieces), self.length.shape[1]))  # direction, slice, piece
        for i, each in enumerate(pieces):
            own = self.length[each.length]
            for voice, table in enumerate(self.event):
                own = own + table[each.event[:, voice]]
            told[0, : len(own), i], told[1, : len(own), i] = own, own[::-1]
        read = []
        for (matrix, bias), given in zip(self.directions, told, strict=True):
            hidden = memory = total = np.zeros(given.shape[1:])
            for turn, each_slice in enumerate(given):
                goes_on = (turn < lengths)[:, None]
                hidden, memory = lstm_step(each_slice, hidden, memory, matrix, bias)
                total = total + np.where(goes_on, hidden, 0.0)
            read.append(total / lengths[:, None])
        mean, log_variance = np.split(np.concatenate(read, axis=1) @ self.matrix + self.bias, 2, axis=1)
        return [Code(*both) for both in zip(mean, np.clip(log_variance, -10, 5), strict=True)]


def active(means: Floats) -> int:
    """(pieces, latent) -> how many dimensions the encoder uses."""
    return int((means.var(axis=0) > ACTIVE).sum())

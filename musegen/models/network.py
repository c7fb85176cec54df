"""What training asks of a network, and the random numbers it may use. Loads torch."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

Batch = dict[str, Tensor]


class Network(nn.Module):
    """A module that knows its own loss."""

    @abstractmethod
    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """A batch -> what training lowers, and the nats that are reported, each summed over the batch.

        Args:
            batch: what the family's `collate` gave, as tensors.
            noise: for dropout and latent draws.
        """


class Noise:
    """Random numbers of one training step, the same however the batch is spread over processes.

    They depend on the seed and the step alone, so that a resumed run draws what an uninterrupted one would have, and a
    process that holds some rows of a batch draws what a single process would have drawn for them.

    Args:
        seed: of the training.
        step: of the optimiser.
        pieces: in the whole batch.
        rows: which of them this process holds.
        device: of the tensors that are given.
        learning: False when measuring: nothing is dropped then.
        counts: False in a process that only keeps the others company, since the batch has no row for it.
    """

    def __init__(
        self,
        seed: int,
        step: int,
        pieces: int,
        rows: list[int],
        device: torch.device,
        *,
        learning: bool,
        counts: bool = True,
    ) -> None:
        self._generator = torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)
        self._pieces, self._rows, self._device = pieces, torch.tensor(rows), device
        self.learning, self.step, self._counts = learning, step, counts

    def normal(self, width: int) -> Tensor:
        """(rows, width) standard normal."""
        drawn = torch.randn(self._pieces, width, generator=self._generator)
        return drawn[self._rows].to(self._device)

    def batch_mean(self, values: Tensor) -> Tensor:
        """(rows, width) of each process that learns -> (width,) mean over the rows of all."""
        total = torch.cat([values.sum(0), values.new_tensor([len(values)])]) * float(self._counts)
        if self.learning and torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(total)
        return total[:-1] / total[-1]

    def coin(self, width: int, chance: float) -> Tensor:
        """(rows, width) 1 with this chance, else 0."""
        drawn = torch.rand(self._pieces, width, generator=self._generator)
        return (drawn < chance).float()[self._rows].to(self._device)

    def drop(self, x: Tensor, rate: float) -> Tensor:
        """Dropout of (rows, T, width); one mask serves all steps of a piece.

        Reference:
            Gal and Ghahramani, 2016, https://arxiv.org/abs/1512.05287
        """
        return x * self.mask(x.shape[-1], rate)[:, None]

    def mask(self, width: int, rate: float) -> Tensor:
        """(rows, width) that dropout multiplies with: 0, or what makes up for it; all 1 when measuring."""
        if not self.learning or not rate:
            return torch.ones(len(self._rows), width, device=self._device)
        drawn = torch.rand(self._pieces, width, generator=self._generator)
        return ((drawn >= rate).float() / (1 - rate))[self._rows].to(self._device)

"""Several processes that train one model, as torchrun starts them: PyTorch's DistributedDataParallel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import cast

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class World:
    """This process among the others.

    Attributes:
        rank: from 0; process 0 writes files and talks.
        size: how many there are.
        local_rank: among those of this machine, to choose its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    def engine(self, network: nn.Module) -> nn.Module:
        """The network, with gradients averaged over all processes."""
        if self.size == 1:
            return network
        return cast(nn.Module, nn.parallel.DistributedDataParallel(network))

    def sum(self, value: float) -> float:
        """The sum over all processes."""
        if self.size == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=_device())
        distributed.all_reduce(tensor)
        return float(tensor)

    def any(self, value: int) -> bool:
        """Whether it holds in any process."""
        return bool(self.sum(float(bool(value))))

    def same(self, value: int) -> int:
        """What process 0 has."""
        if self.size == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.int64, device=_device())
        distributed.broadcast(tensor, 0)
        return int(tensor)

    def leave(self) -> None:
        """Part from the others."""
        if self.size > 1:
            distributed.destroy_process_group()


def join() -> World:
    """Find the others that torchrun started; alone without it."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return World()
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return World(distributed.get_rank(), size, int(os.environ.get("LOCAL_RANK", "0")))


def _device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"

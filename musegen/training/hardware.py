"""Where a network is computed, and in which precision."""

from __future__ import annotations

import torch

from musegen.errors import MusegenError
from musegen.training.parallel import World


def device_of(name: str, world: World) -> torch.device:
    """`auto` is a GPU where there is one; each process of a machine takes its own.

    Raises:
        MusegenError: a GPU was asked for and there is none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise MusegenError("there is no GPU that torch can use", "Train with --device cpu or auto.")
    if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
        return torch.device("cuda", world.local_rank)
    return torch.device("cpu")


def in_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether matrix products are computed in bfloat16: where the processor has instructions for it."""
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        gains: bool = torch.cuda.is_bf16_supported(including_emulation=False)
        return gains
    has_amx: bool = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)()
    return has_amx

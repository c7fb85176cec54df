"""A run under way as one file: weights, averages, the best so far, optimiser, position. Nothing is pickled.

Random numbers need no state: they depend on the seed and the step (see `network.Noise` and `batches`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from musegen.errors import MusegenError
from musegen.storage import load, save


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: steps of the optimiser done.
        epoch: the epoch under way, from 0.
        batch: batches of it done.
        total: steps in all; None until `--minutes` has been translated into steps.
        nats: of the training music in this epoch so far.
        cells: of the same.
        best: lowest held-out loss; without held-out music, on the training music.
        best_train: loss on the training music in the same epoch.
        best_epoch: when it was reached.
        seconds: spent, over all sessions.
        log: the file of the log, and
        log_bytes: its length when this was saved.
        done: whether training has ended.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    total: int | None = None
    nats: float = 0.0
    cells: int = 0
    best: float | None = None
    best_train: float | None = None
    best_epoch: int = -1
    seconds: float = 0.0
    log: str = ""
    log_bytes: int = 0
    done: bool = False


class State:
    """Everything that a step changes.

    Args:
        network: that learns.
        learning_rate: and
        weight_decay: of AdamW (Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101).
    """

    def __init__(self, network: nn.Module, learning_rate: float, weight_decay: float) -> None:
        self.network = network
        self.progress = Progress()
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=weight_decay)
        self.average = {name: tensor.detach().clone() for name, tensor in network.named_parameters()}
        self.best = {name: tensor.clone() for name, tensor in self.average.items()}

    def follow(self, slowness: float) -> None:
        """Move the average a little towards the weights (Polyak and Juditsky, 1992)."""
        rate = 1 - min(slowness, (self.progress.step + 1) / (self.progress.step + 10))
        with torch.no_grad():
            for name, tensor in self.network.named_parameters():
                self.average[name].lerp_(tensor, rate)

    def keep_best(self) -> None:
        """Remember the average as the best so far."""
        for name, tensor in self.average.items():
            self.best[name].copy_(tensor)

    def save(self, path: Path, identity: dict[str, Any]) -> None:
        """Write it, whole or not at all."""
        arrays: dict[str, np.ndarray] = {}
        for group, tensors in (
            ("weights", dict(self.network.named_parameters())),
            ("average", self.average),
            ("best", self.best),
        ):
            arrays |= {f"{group}/{name}": _array(tensor) for name, tensor in tensors.items()}
        for name, parameter in self.network.named_parameters():
            for what, tensor in self.optimiser.state.get(parameter, {}).items():
                arrays[f"optimiser/{what}/{name}"] = _array(tensor)
        save(path, "training state", {"run": identity, "progress": asdict(self.progress)}, arrays, overwrite=True)

    def load(self, path: Path, identity: dict[str, Any]) -> None:
        """Go on from a saved state.

        Raises:
            MusegenError: it is of another run, or not whole.
        """
        stored = load(path, "training state")
        differs = [name for name, value in identity.items() if stored.header["run"].get(name) != value]
        if differs:
            raise MusegenError(
                f"{path} is the state of a run with another {', '.join(differs)}",
                "Resume with the options it was started with, or delete it to start anew.",
            )
        here = {name: tuple(parameter.shape) for name, parameter in self.network.named_parameters()}
        saved = {name: stored.arrays[f"weights/{name}"].shape for name in here if f"weights/{name}" in stored.arrays}
        if saved != here:
            raise MusegenError(
                f"{path} is the state of a run by another version of musegen", "Delete it to start anew."
            )
        self.progress = Progress(**stored.header["progress"])
        optimiser: dict[Tensor, dict[str, Tensor]] = {}
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(torch.from_numpy(stored.arrays[f"weights/{name}"].copy()))
                for group, tensors in (("average", self.average), ("best", self.best)):
                    tensors[name].copy_(torch.from_numpy(stored.arrays[f"{group}/{name}"].copy()))
                for what in ("step", "exp_avg", "exp_avg_sq"):
                    if (key := f"optimiser/{what}/{name}") in stored.arrays:
                        value = torch.from_numpy(stored.arrays[key].copy())
                        place = parameter.device if what != "step" else torch.device("cpu")
                        optimiser.setdefault(parameter, {})[what] = value.to(place)
        self.optimiser.state.update(optimiser)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()

"""Where pieces lie in a VAE's latent space, and what varies along its axes. Loads torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.numpy_layers import Floats
from musegen.models.slice_network import SliceBatch
from musegen.models.vae.network import VAENetwork
from musegen.representation.roll import REST, Roll

BATCH = 32
ACTIVE = 0.01
"""Variance of a dimension's means over the corpus from which it counts as in use (Burda et al., 2016)."""


@dataclass(frozen=True)
class Plane:
    """Pieces as points (n pieces, D dimensions).

    Attributes:
        codes: (n, D) means of the encoder.
        attributes: by name, (n,) each: what the pieces are like.
        metres: of each piece.
        tonics: (n,) pitch classes; -1 when unknown.
    """

    codes: Floats
    attributes: dict[str, Floats]
    metres: tuple[str, ...]
    tonics: tuple[int, ...]

    @property
    def active(self) -> int:
        """Dimensions that the encoder uses."""
        return int((self.codes.var(axis=0) > ACTIVE).sum())

    def axes(self) -> tuple[int, int]:
        """The two dimensions that vary most, in order; the same one twice when there is but one."""
        order = np.argsort(-self.codes.var(axis=0), kind="stable")[:2]
        first, second = sorted(int(i) for i in (order if len(order) == 2 else (order[0], order[0])))
        return first, second

    def correlations(self) -> dict[str, Floats]:
        """For each attribute, (D,) Pearson's correlation with every dimension; 0 where nothing varies."""
        found = {}
        centred = self.codes - self.codes.mean(axis=0)
        for name, values in self.attributes.items():
            deviation = values - values.mean()
            scale = np.sqrt((centred**2).sum(axis=0) * (deviation**2).sum())
            found[name] = np.where(scale > 0, centred.T @ deviation / np.maximum(scale, 1e-12), 0.0)
        return found


def plane(model: Checkpoint, rolls: Sequence[Roll]) -> Plane:
    """Encode pieces.

    Args:
        model: of the family vae.
        rolls: with the model's voices and grid.

    Raises:
        MusegenError: the model has no latent space, or a piece is out of its range or of another shape.
    """
    network = model.network()
    if not isinstance(network, VAENetwork):
        raise MusegenError(
            f"{model.name} is of the family {model.family.name}, which has no latent space", "Use a vae."
        )
    v = model.vocabulary
    for roll in rolls:
        if (roll.voices, roll.steps_per_quarter) != (v.voices, v.steps_per_quarter):
            raise MusegenError(
                f"{model.name} reads {v.voices} voices at {v.steps_per_quarter} steps per quarter, this music has "
                f"{roll.voices} at {roll.steps_per_quarter}",
                "Use the corpus that the model was trained on, or one like it.",
            )
    codes = []
    for first in range(0, len(rolls), BATCH):
        some = rolls[first : first + BATCH]
        # A piece that was cut into passages is known by its first.
        examples = [model.family.prepare(roll, model.vocabulary, model.settings)[0] for roll in some]
        arrays = model.family.collate(examples, [0] * len(examples), model.vocabulary)
        batch = SliceBatch(**{name: torch.from_numpy(array) for name, array in arrays.items()})
        with torch.no_grad():
            codes.append(network.encoder(batch).mean.numpy())
    return Plane(
        np.concatenate(codes).astype(np.float64),
        {name: np.array([measure(roll) for roll in rolls]) for name, measure in ATTRIBUTES.items()},
        tuple(str(roll.metres[0][1]) for roll in rolls),
        tuple(roll.keys[0][1].tonic if roll.keys else -1 for roll in rolls),
    )


def mean_pitch(roll: Roll) -> float:
    """Mean MIDI pitch of all onsets; 60 for silence."""
    onsets = roll.symbols[roll.symbols < REST]
    return float(onsets.mean()) if len(onsets) else 60.0


def compass(roll: Roll) -> float:
    """Semitones from the lowest to the highest note, the mean over the voices."""
    spans = [np.ptp(notes.astype(int)) for voice in roll.symbols.T if len(notes := voice[voice < REST])]
    return float(np.mean(spans)) if spans else 0.0


def note_length(roll: Roll) -> float:
    """Mean quarters from onset to onset in a voice."""
    onsets = int((roll.symbols < REST).sum())
    return roll.symbols.size / max(1, onsets) / roll.steps_per_quarter


def leap(roll: Roll) -> float:
    """Mean semitones between neighbouring notes of a voice, up or down."""
    leaps = [np.abs(np.diff(voice[voice < REST].astype(int))) for voice in roll.symbols.T]
    joined = np.concatenate(leaps) if leaps else np.zeros(0)
    return float(joined.mean()) if len(joined) else 0.0


ATTRIBUTES = {"mean pitch": mean_pitch, "compass": compass, "note length": note_length, "leap": leap}
"""What is held against the axes."""

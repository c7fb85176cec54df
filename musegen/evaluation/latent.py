"""Where pieces lie in a VAE's latent space, and what varies along its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.shape import check_shape
from musegen.models.numpy_layers import Floats
from musegen.models.vae import VAEComposer
from musegen.models.vae.encoder import active
from musegen.representation.roll import REST, Roll


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
        return active(self.codes)

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
    composer = model.composer()
    if not isinstance(composer, VAEComposer):
        raise MusegenError(
            f"{model.name} is of the family {model.family.name}, which has no latent space", "Use a vae."
        )
    check_shape(model, rolls)
    return Plane(
        np.stack([code.mean for code in composer.encode(rolls)]),
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

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
from musegen.representation.attributes import ATTRIBUTES, major_third
from musegen.representation.roll import Roll

PEARSON = "Pearson's r"
POINT_BISERIAL = "point-biserial r"
CIRCULAR = "circular-linear R"
ETA = "correlation ratio eta"


@dataclass(frozen=True)
class Association:
    """How an attribute goes with the latent space.

    Attributes:
        name: of the attribute.
        measure: which kind of correlation suits it: one of the four above. The first two have a sign.
        axes: (D,) with each dimension; 0 where nothing varies.
        plane: with all dimensions together (the multiple correlation); None for what is not one number.
    """

    name: str
    measure: str
    axes: Floats
    plane: float | None = None


@dataclass(frozen=True)
class Plane:
    """Pieces as points (n pieces, D dimensions).

    Attributes:
        codes: (n, D) means of the encoder.
        attributes: by name, (n,) each: what the pieces are like.
        metres: of each piece, at its beginning.
        tonics: (n,) pitch classes; -1 when unknown.
        major: (n,) 1 where the third over the tonic is major, 0 where it is minor, -1 when unknown.
    """

    codes: Floats
    attributes: dict[str, Floats]
    metres: tuple[str, ...]
    tonics: tuple[int, ...]
    major: tuple[int, ...]

    @property
    def active(self) -> int:
        """Dimensions that the encoder uses."""
        return active(self.codes)

    def axes(self) -> tuple[int, int]:
        """The two dimensions that vary most, in order; the same one twice when there is but one."""
        order = np.argsort(-self.codes.var(axis=0), kind="stable")[:2]
        first, second = sorted(int(i) for i in (order if len(order) == 2 else (order[0], order[0])))
        return first, second

    def associations(self) -> list[Association]:
        """Every attribute, mode, tonic and metre with every dimension; pieces of unknown key are left out of theirs.

        Numbers by Pearson's correlation. Mode by the same with 1 for major and 0 for minor thirds, which is the
        point-biserial correlation. The tonic as a place on the circle of fifths, by the circular-linear correlation
        (Mardia 1976): the multiple correlation of an axis with the sine and the cosine of that place. Metre, which has
        no order, by the correlation ratio: the root of the share of an axis's variance that lies between the metres.
        """
        found = [Association(name, PEARSON, *self._linear(values)) for name, values in self.attributes.items()]
        major = np.array(self.major, float)
        found.append(Association("mode", POINT_BISERIAL, *self._linear(np.where(major >= 0, major, np.nan))))
        tonics = np.array(self.tonics)
        angles = 2 * np.pi * fifths_of(tonics) / 12
        around = np.stack([np.cos(angles), np.sin(angles)], axis=1)[tonics >= 0]
        known = self.codes[tonics >= 0]
        found.append(Association("tonic", CIRCULAR, np.array([multiple(around, axis) for axis in known.T])))
        names = {name: i for i, name in enumerate(dict.fromkeys(self.metres))}
        groups = np.eye(len(names))[[names[metre] for metre in self.metres]]  # (n, metres)
        found.append(Association("metre", ETA, np.array([multiple(groups, axis) for axis in self.codes.T])))
        return found

    def _linear(self, values: Floats) -> tuple[Floats, float]:
        """Pearson's correlation with each dimension, and the multiple one with all; NaN is unknown."""
        known = np.isfinite(values)
        codes, values = self.codes[known], values[known]
        return np.array([pearson(axis, values) for axis in codes.T]), multiple(codes, values)


def fifths_of(tonics: Sequence[int] | Floats) -> Floats:
    """Pitch classes -> places on the circle of fifths, C being 0 and G 1."""
    return np.asarray(tonics, float) * 7 % 12


def pearson(one: Floats, other: Floats) -> float:
    """The correlation of two variables (n,); 0 where either does not vary."""
    if len(one) < 2 or _flat(one) or _flat(other):
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])


def multiple(explaining: Floats, explained: Floats) -> float:
    """The multiple correlation of (n, k) variables with one (n,): 0 to 1; 0 where either side does not vary."""
    if len(explained) < 2 or _flat(explained):
        return 0.0
    spread, deviation = explaining - explaining.mean(axis=0), explained - explained.mean()
    fitted = spread @ np.linalg.lstsq(spread, deviation, rcond=None)[0]
    return float(np.sqrt(np.clip((fitted @ fitted) / (deviation @ deviation), 0.0, 1.0)))


def _flat(values: Floats) -> bool:
    return float(np.ptp(values)) <= 1e-12 * max(1.0, float(np.abs(values).max()))


def latent_composer(model: Checkpoint) -> VAEComposer:
    """The model, ready to encode and to compose under codes.

    Raises:
        MusegenError: it has no latent space.
    """
    composer = model.composer()
    if not isinstance(composer, VAEComposer):
        raise MusegenError(
            f"{model.name} is of the family {model.family.name}, which has no latent space", "Use a vae."
        )
    return composer


def plane(model: Checkpoint, rolls: Sequence[Roll]) -> Plane:
    """Encode pieces.

    Args:
        model: of the family vae.
        rolls: with the model's voices and grid.

    Raises:
        MusegenError: the model has no latent space, or a piece is out of its range or of another shape.
    """
    composer = latent_composer(model)
    check_shape(model, rolls)
    keys = [roll.keys[0][1] if roll.keys else None for roll in rolls]
    return Plane(
        np.stack([code.mean for code in composer.encode(rolls)]),
        {name: np.array([measure(roll) for roll in rolls]) for name, measure in ATTRIBUTES.items()},
        tuple(str(roll.metres[0][1]) for roll in rolls),
        tuple(key.tonic if key else -1 for key in keys),
        tuple(int(major_third(key)) if key else -1 for key in keys),
    )

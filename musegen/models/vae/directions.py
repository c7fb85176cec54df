"""Where to go in a latent space for more of something: attribute vectors, learnt from pieces.

An attribute vector is the mean code of the pieces that have much of an attribute, minus that of those with little of it
(White 2016; Roberts et al. 2018). Ours is the same for an attribute that comes in degrees: the covariance of the codes
with it. It is scaled so that a step of 1 leads to where the best straight line through the pieces expects one standard
deviation more of it, and where the pieces themselves are: of all such steps it is the shortest, measured by how far the
codes spread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from musegen.errors import MusegenError
from musegen.models.numpy_layers import Floats

FARTHEST = 2.0
"""Standard deviations of the pieces' codes that a step of 1 leads at most. What would need more is hardly known to the
latent space, and a longer step would only leave the music behind."""
DIGITS = 6
"""After the point, of the numbers that a card keeps."""


@dataclass(frozen=True)
class Direction:
    """One attribute in a latent space of D dimensions.

    Attributes:
        toward: (D,) what is added to a code for one standard deviation more.
        mean: of the attribute in the pieces, in its own unit.
        deviation: its standard deviation; 0 when all pieces are alike.
        correlation: of the attribute with all dimensions together (the multiple correlation, 0 to 1).
    """

    toward: tuple[float, ...]
    mean: float
    deviation: float
    correlation: float

    @property
    def reach(self) -> float:
        """Standard deviations of the attribute that the straight line expects of a step of 1; 1 unless too far."""
        return min(1.0, FARTHEST * self.correlation)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "toward": [round(each, DIGITS) for each in self.toward],
            "mean": round(self.mean, DIGITS),
            "deviation": round(self.deviation, DIGITS),
            "correlation": round(self.correlation, DIGITS),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Direction:
        """The inverse of `to_json`."""
        toward = tuple(float(each) for each in data["toward"])
        return cls(toward, float(data["mean"]), float(data["deviation"]), float(data["correlation"]))


def direction(codes: Floats, values: Floats) -> Direction:
    """Learn one.

    Args:
        codes: (n, D) of pieces.
        values: (n,) the attribute of each.
    """
    mean, deviation = float(values.mean()), float(values.std())
    spread = codes - codes.mean(axis=0)
    if not spread.any() or deviation <= 1e-12 * max(1.0, abs(mean)):
        return Direction((0.0,) * codes.shape[1], mean, 0.0, 0.0)
    standard = (values - mean) / deviation
    slopes = np.linalg.lstsq(spread, standard, rcond=None)[0]
    along = spread.T @ standard / len(values)  # (D,) covariance with the attribute
    explained = float(np.clip(slopes @ along, 0.0, 1.0))  # the squared multiple correlation
    correlation = float(np.sqrt(explained))
    # |along / explained| is 1 / correlation, in deviations of the codes.
    scale = 1 / max(explained, correlation / FARTHEST) if correlation > 0 else 0.0
    return Direction(tuple(float(each) for each in along * scale), mean, deviation, correlation)


def known_directions(card: Mapping[str, Any]) -> dict[str, Direction]:
    """Those that a checkpoint's card brings along; none when it was trained before there were any.

    Raises:
        MusegenError: the card is not one that musegen wrote.
    """
    try:
        return {name: Direction.from_json(data) for name, data in card.get("attributes", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MusegenError(
            f"the attributes in this model's card make no sense: {error!r}", "Train it again."
        ) from error


def shift(known: Mapping[str, Direction], wishes: Iterable[tuple[str, float]]) -> tuple[float, ...]:
    """What to add to a code.

    Args:
        known: directions by name, at least one.
        wishes: names and standard deviations; below 0 is less. Several add up.

    Raises:
        MusegenError: an attribute has no direction.
    """
    total = np.zeros(len(next(iter(known.values())).toward))
    for name, amount in wishes:
        if name not in known:
            raise MusegenError(f"this model knows no direction for {name!r}", f"Choose from: {', '.join(known)}.")
        total += amount * np.array(known[name].toward)
    return tuple(float(each) for each in total)


def great_circle(first: Sequence[float], second: Sequence[float], share: float) -> tuple[float, ...]:
    """A point on the way between two codes (spherical interpolation; Shoemake 1985).

    The direction turns evenly along the great circle and the length goes evenly from one to the other, so that no point
    on the way is nearer to the centre, or farther away, than both ends. (Weighting the codes themselves by the sines,
    as is often done, leads far out when codes of different lengths lie opposite one another.)

    Args:
        first: (D,) the code at 0.
        second: (D,) the code at 1.
        share: 0 to 1.
    """
    one, other = np.array(first, float), np.array(second, float)
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if min(lengths) < 1e-9 or len(one) < 2:
        return tuple(float(each) for each in one + share * (other - one))
    from_, to = one / lengths[0], other / lengths[1]
    angle = float(np.arccos(np.clip(from_ @ to, -1.0, 1.0)))
    across = to - (from_ @ to) * from_  # at a right angle to the first
    if (norm := np.linalg.norm(across)) < 1e-9:  # the same direction, or the opposite one: any way round is as good
        across = np.roll(from_, 1) * np.where(np.arange(len(from_)) % 2, 1, -1)
        across -= (from_ @ across) * from_
        norm = np.linalg.norm(across)
    turned = np.cos(share * angle) * from_ + np.sin(share * angle) * across / max(norm, 1e-12)
    return tuple(float(each) for each in turned * (lengths[0] + share * (lengths[1] - lengths[0])))

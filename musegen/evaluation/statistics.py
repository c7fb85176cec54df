"""All statistics of a set of pieces in one table, and how much they vary among real pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from musegen.errors import MusegenError
from musegen.evaluation import chorales, features, tunes
from musegen.evaluation.features import Floats
from musegen.evaluation.notes import Measures, Share, beginnings
from musegen.representation.roll import Roll

HALVES = 200
"""Random halves that `spread` looks at."""


class Spread(NamedTuple):
    """A statistic of random halves of a set of pieces.

    Attributes:
        mean: over the halves.
        low: 2.5 % of the halves are below.
        high: 2.5 % are above.
    """

    mean: float
    low: float
    high: float


def _mgeval(roll: Roll) -> Measures:
    return {name: Share(float(values[0])) for name, values in features.mgeval(roll).items() if len(values) == 1}


GROUPS: dict[str, Callable[[Roll], Measures]] = {
    "voices and chords": chorales.measure,
    "melody and form": tunes.measure,
    "MusPy": features.muspy,
    "MGEval": _mgeval,
}
"""Headings, and what measures a piece under each; no two have a label in common."""


def measure(roll: Roll, whole: bool = True) -> Measures:
    """All statistics of one piece.

    Args:
        roll: the piece.
        whole: False when its end was cut off; then nothing is said of endings.
    """
    found: Measures = {}
    for group in GROUPS.values():
        found |= group(roll)
    if not whole:
        for label in (*chorales.ENDINGS, *tunes.ENDINGS):
            found.pop(label, None)
    return found


def table(rolls: Sequence[Roll], bars: int | None = None) -> dict[str, float]:
    """Every statistic of a set of pieces, by its label.

    Args:
        rolls: the pieces.
        bars: only the first so many bars of each, pieces that have fewer left out, and nothing said of endings.

    Returns:
        Pooled over the pieces (see `Share`); a statistic that no piece says anything of is left out.
    """
    pieces = rolls if bars is None else beginnings(rolls, bars)
    labels, totals, weights = _stacked([measure(roll, bars is None) for roll in pieces])
    values = _pooled(totals.sum(axis=0), weights.sum(axis=0))
    return dict(zip(labels, values.tolist(), strict=True))


def groups(rolls: Sequence[Roll]) -> dict[str, tuple[str, ...]]:
    """The labels of `table` under their headings, in order; a heading without any is left out."""
    found = {name: tuple(_labels([group(roll) for roll in rolls])) for name, group in GROUPS.items()}
    return {name: labels for name, labels in found.items() if labels}


def spread(rolls: Sequence[Roll], bars: int | None = None, seed: int = 0) -> dict[str, Spread]:
    """How each statistic varies among random halves of real pieces.

    A half drawn from a set varies about the set as a whole set of its size does about the truth. So other real pieces,
    as many as these, would lie between low and high in about five of six statistics (not 19 of 20, since these pieces
    too are off the truth); fewer pieces would less often.

    Args:
        rolls: the real pieces, at least four.
        bars: see `table`.
        seed: of the halves.

    Raises:
        MusegenError: there are too few pieces.
    """
    pieces = rolls if bars is None else beginnings(rolls, bars)
    if len(pieces) < 4:
        raise MusegenError(
            f"there are {len(pieces)} real pieces to draw halves of, and 4 are needed", "Give more pieces."
        )
    labels, totals, weights = _stacked([measure(roll, bars is None) for roll in pieces])
    generator = np.random.default_rng(seed)
    order = np.argsort(generator.random((HALVES, len(pieces))), axis=1)
    half = (order < len(pieces) // 2).astype(np.float64)  # (halves, pieces)
    values = _pooled(half @ totals, half @ weights)
    found = {}
    for i, label in enumerate(labels):
        some = values[~np.isnan(values[:, i]), i]
        if len(some):
            low, high = np.quantile(some, (0.025, 0.975))
            found[label] = Spread(float(some.mean()), float(low), float(high))
    return found


def _pooled(totals: Floats, weights: Floats) -> Floats:
    """Totals through weights; not a number where there is no weight."""
    return np.where(weights > 0, totals / np.where(weights > 0, weights, 1.0), np.nan)


def _stacked(measures: Sequence[Measures]) -> tuple[list[str], Floats, Floats]:
    """Labels, (pieces, labels) totals, (pieces, labels) weights."""
    labels = _labels(measures)
    shares = np.array([[found.get(label, (0.0, 0.0)) for label in labels] for found in measures])
    shares = shares.reshape(len(measures), len(labels), 2)
    return labels, shares[:, :, 0], shares[:, :, 1]


def _labels(measures: Sequence[Measures]) -> list[str]:
    """Every label that some piece says anything of, in order."""
    labels = dict.fromkeys(label for found in measures for label in found)
    said = {label for found in measures for label, share in found.items() if share.weight}
    return [label for label in labels if label in said]

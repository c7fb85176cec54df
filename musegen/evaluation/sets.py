"""How far a set of pieces is from another: MGEval's overlap of distances, and Wasserstein distances of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from musegen.errors import MusegenError
from musegen.evaluation.features import Floats, mgeval
from musegen.representation.roll import Roll

POINTS = 1000
"""Of the grid on which densities are compared."""
MOST = 200
"""Pieces of a set that are compared pairwise, the first ones: a density needs no more."""


@dataclass(frozen=True)
class Overlap:
    """A feature's distances within and between two sets.

    Attributes:
        within_generated: mean distance from one generated piece to another.
        within_real: mean distance from one real piece to another.
        between: mean distance from a generated piece to a real one.
        area: that the densities of the distances within the generated set and between the sets share, 0 to 1; near 1
            when generated pieces differ from real ones as they do from one another.
        divergence: Kullback and Leibler's, in nats, of the first of these densities from the second; near 0 likewise.
        real_area: as `area`, with the distances within the real set for those within the generated.
    """

    within_generated: float
    within_real: float
    between: float
    area: float
    divergence: float
    real_area: float


def overlaps(generated: Sequence[Roll], real: Sequence[Roll]) -> dict[str, Overlap]:
    """Compare two sets by each of MGEval's features.

    Euclidean distances of every two pieces, within and between the sets; the density of each set of distances by
    Gaussian kernels with Scott's bandwidth; and the area and divergence of two densities (see `Overlap`). Yang and
    Lerch, 2020, section 3.3. https://doi.org/10.1007/s00521-018-3849-7

    Where this departs from their code: (1) There, the divergence takes each density on a grid of its own, from its own
    smallest to its own largest distance, so that two densities of one shape have none wherever they lie. Here both are
    taken on one grid. (2) There the area is integrated between the smallest and largest distances, which cuts off tails
    that the kernels add; here three bandwidths are added on both sides, which finds up to a few hundredths more.

    Args:
        generated: at least three pieces; of more than 200, the first 200.
        real: likewise.

    Raises:
        MusegenError: there are too few pieces.
    """
    enough(generated, real, 3)
    ours, theirs = _stacked(generated[:MOST]), _stacked(real[:MOST])
    found = {}
    for name, values in ours.items():
        inside, real_inside = _within(values), _within(theirs[name])
        between = distances(values, theirs[name]).ravel()
        area, divergence = compare(inside, between)
        real_area, _ = compare(real_inside, between)
        found[name] = Overlap(
            float(inside.mean()), float(real_inside.mean()), float(between.mean()), area, divergence, real_area
        )
    return found


def wasserstein(generated: Sequence[Roll], real: Sequence[Roll]) -> dict[str, float]:
    """How far each feature's distribution in one set is from that in the other; 0 is best.

    The earth mover's distance of the pieces' values, in standard deviations of the real set, so that features can be
    put beside one another and averaged; a histogram's or a matrix's is the mean over its entries that vary in the real
    set. A grade in the spirit of "Bach or Mock?" (Fang et al., ISMIR 2020, https://arxiv.org/abs/2006.13329), which has
    other features, of chorales alone, and leaves the distances in their units.

    Raises:
        MusegenError: there are fewer than three pieces on a side.
    """
    enough(generated, real, 3)
    ours, theirs = _stacked(generated), _stacked(real)
    found = {}
    for name, values in ours.items():
        scale = theirs[name].std(axis=0)
        moved = [
            earth_movers(values[:, i], theirs[name][:, i]) / scale[i] for i in range(values.shape[1]) if scale[i] > 0
        ]
        found[name] = float(np.mean(moved)) if moved else 0.0
    return found


def earth_movers(one: Floats, two: Floats) -> float:
    """Wasserstein's distance of two samples of numbers: the area between their distribution functions."""
    both = np.sort(np.concatenate([one, two]))
    below_one = np.searchsorted(np.sort(one), both[:-1], "right") / len(one)
    below_two = np.searchsorted(np.sort(two), both[:-1], "right") / len(two)
    gap: Floats = np.abs(below_one - below_two)
    return float(gap @ np.diff(both))


def distances(one: Floats, two: Floats) -> Floats:
    """Euclidean: (m, D), (n, D) -> (m, n)."""
    squares = (one**2).sum(axis=1)[:, None] + (two**2).sum(axis=1) - 2 * one @ two.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def compare(one: Floats, two: Floats) -> tuple[float, float]:
    """The area that the densities of two samples share, and the divergence of the first from the second in nats."""
    widths = bandwidth(one), bandwidth(two)
    margin = 3 * max(widths)
    grid = np.linspace(min(one.min(), two.min()) - margin, max(one.max(), two.max()) + margin, POINTS)
    first, second = density(one, grid, widths[0]), density(two, grid, widths[1])
    step = grid[1] - grid[0]
    area = float(np.minimum(first, second).sum() * step)
    tiny = 1e-12
    p, q = first * step + tiny, second * step + tiny
    p, q = p / p.sum(), q / q.sum()
    return min(1.0, area), float((p * np.log(p / q)).sum())


def bandwidth(sample: Floats) -> float:
    """Scott's rule: the standard deviation times n to the -1/5; a trifle when all are alike."""
    least = 1e-3 * max(1.0, float(np.abs(sample).max()))
    return max(float(sample.std(ddof=1) * len(sample) ** -0.2), least)


def density(sample: Floats, grid: Floats, width: float) -> Floats:
    """A sum of Gaussian kernels: (n,) numbers, (points,) evenly spaced places -> (points,) density.

    The numbers are first shared out between the two places nearest to each, which keeps many pairs of pieces cheap and
    moves the density by less than a part in a thousand as long as kernels are wider than the spacing.
    """
    step = grid[1] - grid[0]
    where = (sample - grid[0]) / step
    left = np.clip(where.astype(np.int64), 0, len(grid) - 2)
    right_share = where - left
    counts = np.bincount(left, 1 - right_share, len(grid)) + np.bincount(left + 1, right_share, len(grid))
    offsets = np.arange(-len(grid) + 1, len(grid)) * step
    kernel = np.exp(-0.5 * (offsets / width) ** 2)
    smooth = np.convolve(counts, kernel, "full")[len(grid) - 1 : 2 * len(grid) - 1]
    return np.asarray(smooth / (kernel.sum() * step * len(sample)))


def enough(generated: Sequence[Roll], real: Sequence[Roll], least: int) -> None:
    """Refuse sets that are too small.

    Raises:
        MusegenError: one has fewer pieces than `least`.
    """
    for name, rolls in (("generated", generated), ("real", real)):
        if len(rolls) < least:
            raise MusegenError(
                f"there are {len(rolls)} {name} pieces to compare, and {least} are needed", "Give more pieces."
            )


def _within(values: Floats) -> Floats:
    """The distances of every two different pieces."""
    return distances(values, values)[np.triu_indices(len(values), 1)]


def _stacked(rolls: Sequence[Roll]) -> dict[str, Floats]:
    """By feature, (pieces, D)."""
    each = [mgeval(roll) for roll in rolls]
    return {name: np.stack([features[name] for features in each]) for name in each[0]}

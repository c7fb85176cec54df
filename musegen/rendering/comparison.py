"""A comparison of pieces with a corpus as a picture. Loads matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from musegen.evaluation.notes import beginnings
from musegen.evaluation.sets import earth_movers
from musegen.evaluation.statistics import measure
from musegen.representation.roll import Roll

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from musegen.evaluation.comparison import Comparison

    Floats = NDArray[np.float64]

_FARTHEST = 6.0
"""Half ranges from the corpus at which a bar is cut off."""
_PANELS = 6
_BINS = 16
_OURS, _THEIRS = "tab:orange", "tab:blue"


def comparison_picture(
    comparison: Comparison, rolls: Sequence[Roll], real: Sequence[Roll], bars: int | None = None
) -> Figure:
    """Draw every statistic relative to the corpus, and the distributions of those that differ most.

    Args:
        comparison: what was found.
        rolls: the pieces.
        real: the corpus's held-out pieces.
        bars: how many of each piece the statistics are of; all when not given.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 9))
    count = len(comparison.ids)
    figure.suptitle(
        f"{count} piece{'s' * (count != 1)} (orange) against {comparison.held_out} {comparison.split} pieces of "
        f"{comparison.corpus} (blue)"
    )
    left = figure.add_gridspec(1, 1, left=0.17, right=0.47, top=0.92, bottom=0.06)
    right = figure.add_gridspec(_PANELS // 2, 2, left=0.52, right=0.98, top=0.92, bottom=0.06, hspace=0.25, wspace=0.2)
    _relative(figure.add_subplot(left[0]), comparison)
    places = [right[number] for number in range(_PANELS)]
    found = sorted(_distributions(rolls, real, bars).items(), key=lambda each: -_distance(*each[1]))
    for (label, (ours, theirs)), place in zip(found, places, strict=False):
        _histogram(figure.add_subplot(place), label, ours, theirs)
    return figure


def _relative(axis: Axes, comparison: Comparison) -> None:
    """A bar for each statistic: how far it is from the corpus's, half the width of the range of halves being 1."""
    rows = [row for row in comparison.rows() if None not in (row.pieces, row.corpus, row.low, row.high)]
    rows = [row for row in rows if row.high > row.low]  # type: ignore[operator]
    ours, theirs, low, high = (
        np.array([getattr(row, name) for row in rows], float) for name in ("pieces", "corpus", "low", "high")
    )
    half = (high - low) / 2
    places = np.arange(len(rows))
    far = (ours - theirs) / half
    shown = np.clip(far, -_FARTHEST, _FARTHEST)
    axis.barh(places, (high - low) / half, left=(low - theirs) / half, height=0.9, color=_THEIRS, alpha=0.2)
    axis.barh(places, shown, height=0.5, color=[_OURS if row.mark else "tab:gray" for row in rows])
    for place, (value, at) in enumerate(zip(far, shown, strict=True)):
        if value != at:
            axis.annotate(f"{value:+.0f} ", (at, place), fontsize=6, va="center", ha="left" if at < 0 else "right")
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_xlim(-_FARTHEST - 0.2, _FARTHEST + 0.2)
    axis.set_yticks(places, [row.label for row in rows], fontsize=7)
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.tick_params(axis="x", labelsize=7)
    axis.set_xlabel("from the corpus, in half widths of the range of its halves (shaded)", fontsize=8)
    axis.set_title(
        "all statistics, those outside the range in orange" if rows else "too few held-out pieces for a range",
        fontsize=10,
    )


def _histogram(axis: Axes, label: str, ours: Floats, theirs: Floats) -> None:
    """How a statistic is distributed over the pieces of both sides, as shares of the pieces."""
    both = np.concatenate([ours, theirs])
    edges = np.linspace(both.min(), max(both.max(), both.min() + 1e-6), _BINS + 1)
    for values, colour in ((theirs, _THEIRS), (ours, _OURS)):
        axis.hist(values, edges.tolist(), weights=np.full(len(values), 1 / len(values)), color=colour, alpha=0.5)
        axis.axvline(float(values.mean()), color=colour, linewidth=1.5)
    axis.set_title(label, fontsize=9)
    axis.set_ylabel("share of pieces", fontsize=7)
    axis.tick_params(labelsize=7)


def _distributions(rolls: Sequence[Roll], real: Sequence[Roll], bars: int | None) -> dict[str, tuple[Floats, Floats]]:
    """For each statistic its values over the pieces, and over the real ones; those that vary."""
    sides = []
    for side in (rolls, real):
        values: dict[str, list[float]] = {}
        for roll in side if bars is None else beginnings(side, bars):
            for label, share in measure(roll, whole=bars is None).items():
                if share.value is not None:
                    values.setdefault(label, []).append(share.value)
        sides.append({label: np.array(each) for label, each in values.items()})
    ours, theirs = sides
    return {label: (ours[label], theirs[label]) for label in ours if label in theirs and theirs[label].std() > 0}


def _distance(ours: Floats, theirs: Floats) -> float:
    """Earth mover's, in standard deviations of the real pieces."""
    return earth_movers(ours, theirs) / float(theirs.std())

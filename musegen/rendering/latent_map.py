"""The latent plane of a VAE as a picture. Loads matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from musegen.evaluation.latent import Plane


def latent_map(plane: Plane, title: str) -> Figure:
    """Draw every piece as a point, once for each thing that may vary across the plane.

    Args:
        plane: the pieces.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    across, up = plane.axes()
    x, y = plane.codes[:, across], plane.codes[:, up]
    figure = Figure(figsize=(12, 8), layout="constrained")
    axes = figure.subplots(2, 3)
    figure.suptitle(title)
    correlations = plane.correlations()
    for axis, (name, values) in zip(axes.flat, plane.attributes.items(), strict=False):
        low, high = np.percentile(values, [2, 98])
        points = axis.scatter(x, y, c=values, s=9, cmap="viridis", vmin=low, vmax=max(high, low + 1e-9))
        figure.colorbar(points, ax=axis)
        axis.set_title(f"{name}  (r = {correlations[name][across]:+.2f}, {correlations[name][up]:+.2f})", fontsize=10)
    fifths = np.array([tonic * 7 % 12 if tonic >= 0 else np.nan for tonic in plane.tonics])
    points = axes[1, 1].scatter(x, y, c=fifths, s=9, cmap="twilight", vmin=0, vmax=12)
    bar = figure.colorbar(points, ax=axes[1, 1], ticks=range(0, 12))
    bar.ax.set_yticklabels(["C", "G", "D", "A", "E", "B", "F♯", "D♭", "A♭", "E♭", "B♭", "F"], fontsize=7)
    axes[1, 1].set_title("tonic, by fifths", fontsize=10)
    names = sorted(set(plane.metres), key=lambda metre: -plane.metres.count(metre))[:6]
    for name in names:
        here = np.array([metre == name for metre in plane.metres])
        axes[1, 2].scatter(x[here], y[here], s=9, label=name)
    axes[1, 2].legend(fontsize=7, markerscale=2)
    axes[1, 2].set_title("metre", fontsize=10)
    for axis in axes.flat:
        axis.set_xlabel(f"z{across + 1}", fontsize=8)
        axis.set_ylabel(f"z{up + 1}", fontsize=8)
        axis.tick_params(labelsize=7)
    return figure

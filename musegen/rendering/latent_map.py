"""The latent plane of a VAE as a picture. Loads matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musegen.evaluation.latent import fifths_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from musegen.evaluation.latent import Plane

FIFTHS = ("C", "G", "D", "A", "E", "B", "F♯", "D♭", "A♭", "E♭", "B♭", "F")
METRES = 6
"""The commonest have a colour of their own."""
DOT = 9
"""Area of a point, in square points."""


def latent_map(plane: Plane, title: str) -> Figure:
    """Draw every piece as a point, once for each thing that may vary across the plane.

    Args:
        plane: the pieces.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    across, up = plane.axes()
    x, y = plane.codes[:, across], plane.codes[:, up]
    figure = Figure(figsize=(16, 7.5), layout="constrained")
    panels = dict(zip([*plane.attributes, "mode", "tonic", "metre"], figure.subplots(2, 4).flat, strict=True))
    figure.suptitle(title)
    for name, values in plane.attributes.items():
        low, high = np.percentile(values, [2, 98])
        points = panels[name].scatter(x, y, c=values, s=DOT, cmap="viridis", vmin=low, vmax=max(high, low + 1e-9))
        figure.colorbar(points, ax=panels[name])
    _draw_tonics(plane, figure, panels["tonic"])
    modes = [{1: "major third", 0: "minor third", -1: "unknown"}[each] for each in plane.major]
    _draw_groups(plane, panels["mode"], modes)
    _draw_groups(plane, panels["metre"], list(plane.metres))
    for found in plane.associations():
        signed = "+" if found.name in plane.attributes or found.name == "mode" else ""
        figures = ", ".join(f"{found.axes[axis]:{signed}.2f}" for axis in (across, up))
        panels[found.name].set_title(f"{found.name}  ({found.measure.rsplit()[-1]} = {figures})", fontsize=10)
    for panel in panels.values():
        panel.set_xlabel(f"z{across + 1}", fontsize=8)
        panel.set_ylabel(f"z{up + 1}", fontsize=8)
        panel.tick_params(labelsize=7)
    return figure


def _draw_tonics(plane: Plane, figure: Figure, panel: Axes) -> None:
    """Around the circle of fifths, so that neighbouring keys have neighbouring colours."""
    across, up = plane.axes()
    fifths = np.where(np.array(plane.tonics) >= 0, fifths_of(plane.tonics), np.nan)
    points = panel.scatter(plane.codes[:, across], plane.codes[:, up], c=fifths, s=DOT, cmap="hsv", vmin=0, vmax=12)
    bar = figure.colorbar(points, ax=panel, ticks=range(12))
    bar.ax.set_yticklabels(FIFTHS, fontsize=7)


def _draw_groups(plane: Plane, panel: Axes, groups: list[str]) -> None:
    """The commonest groups, each in a colour of its own; the rest in grey."""
    across, up = plane.axes()
    names = sorted(set(groups), key=lambda name: (-groups.count(name), name))
    for i, name in enumerate([*names[:METRES], *(["others"] if len(names) > METRES else [])]):
        here = np.array([group not in names[:METRES] if name == "others" else group == name for group in groups])
        colour = "lightgrey" if name == "others" else f"C{i}"
        panel.scatter(plane.codes[here, across], plane.codes[here, up], s=DOT, label=name, color=colour)
    panel.legend(fontsize=7, markerscale=2)

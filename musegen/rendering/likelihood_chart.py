"""Where a model is surprised, as a picture: by place in the bar and by voice. Loads matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from musegen.evaluation.likelihood import Evaluation, Tally


def likelihood_chart(evaluation: Evaluation, title: str) -> Figure:
    """Draw nats per note as bars, and the share of cells and of onsets that were guessed as points.

    Args:
        evaluation: the figures.
        title: above the picture.
    """
    from matplotlib.figure import Figure

    places = {f"{place:g}": tally for place, tally in evaluation.by_place.items()}
    sizes = (max(4, len(places)), max(3, 1.5 * len(evaluation.by_voice)))
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    by_place, by_voice = figure.subplots(1, 2, sharey=True, width_ratios=sizes)
    figure.suptitle(title)
    _bars(by_place, places, f"quarter of a bar of {evaluation.metre}")
    shares = _bars(by_voice, evaluation.by_voice, "voice")
    by_place.set_ylabel("nats per note" + (" (without the code's)" if evaluation.codes else ""))
    shares.set_ylabel("share guessed")
    figure.legend(handles=shares.lines, loc="outside lower center", ncols=2, fontsize=8)
    return figure


def _bars(axis: Axes, tallies: dict[str, Tally], what: str) -> Axes:
    """Draw one panel; give the axis of its shares."""
    names, values = list(tallies), list(tallies.values())
    at = range(len(names))
    axis.bar(at, [tally.nats_per_note for tally in values], color="#88aacc", width=0.7)
    axis.set_xticks(at, names, rotation=0 if sum(map(len, names)) < 50 else 30)
    axis.set_xlabel(what)
    shares = axis.twinx()
    shares.plot(at, [tally.accuracy for tally in values], "o", color="#222222", label="cells guessed")
    shares.plot(at, [tally.onset_accuracy for tally in values], "^", color="#cc3311", label="onsets guessed")
    shares.set_ylim(0, 1.02)
    return shares

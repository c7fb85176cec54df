"""Whether music has the voices and the grid that a model reads."""

from __future__ import annotations

from collections.abc import Iterable

from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.representation.roll import Roll


def check_shape(model: Checkpoint, rolls: Iterable[Roll]) -> None:
    """Refuse music of another shape.

    Raises:
        MusegenError: a piece has other voices or another grid.
    """
    v = model.vocabulary
    for roll in rolls:
        if (roll.voices, roll.steps_per_quarter) != (v.voices, v.steps_per_quarter):
            raise MusegenError(
                f"{model.name} reads {v.voices} voices at {v.steps_per_quarter} steps per quarter, this music has "
                f"{roll.voices} at {roll.steps_per_quarter}",
                "Use the corpus that the model was trained on, or one like it.",
            )

"""`musegen infill`: a passage written anew, the rest kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli.reworking import Ask, Job, reworking
from musegen.cli.steering import keeping

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling
    from musegen.representation.roll import Roll
    from musegen.score import Score


@click.command()
@click.option(
    "--bars", required=True, metavar="A-B", help="The passage: 5, 5-8, 5:3-7:1 (bar:beat), or several: 3,5-8."
)
@click.option(
    "--voices", metavar="VOICES", help="Which voices are rewritten, such as alto,tenor or 2,3; by default all."
)
@keeping
@reworking("piece")
def infill(*, bars: str, voices: str | None, job: Job) -> None:
    """Write a passage of PIECE anew and keep the rest: a MIDI, ABC or MusicXML file, or - for stdin.

    What is kept comes back note for note; a note that reaches into the passage or out of it is kept too. The new notes
    are chosen in the light of what follows: a left-to-right model writes --particles versions side by side and lets
    those go on that lead there best.

    \b
    Examples:
      musegen infill tune.abc --bars 3-4 --seed 1 -o other.abc
      musegen infill chorale.mid --bars 2:3-3 --voices alto,tenor -n 4 -o versions/
      musegen infill tune.abc --bars 2 --keep rhythm --scale "G major" -o again.abc
    """
    from musegen import reworking as pieces

    def prepare(model: Checkpoint, score: Score, how: Sampling) -> tuple[Ask, Roll | None, str]:
        given = pieces.fit(model, score, job.name)
        template = pieces.infilling(given.roll, bars, pieces.voices_of(voices, given.roll, "--voices"))
        return lambda number: template, given.roll, given.moved

    job.run(prepare)

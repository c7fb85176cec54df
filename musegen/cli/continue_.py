"""`musegen continue`: on from the end of a piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli.reworking import Ask, Job, reworking

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling
    from musegen.representation.roll import Roll
    from musegen.score import Score


@click.command("continue")
@click.option(
    "--bars", type=click.IntRange(min=1), help="Length of the whole piece, without the pickup; by default as usual."
)
@reworking("prompt")
def continue_(*, bars: int | None, job: Job) -> None:
    """Go on from the end of PROMPT: a MIDI, ABC or MusicXML file, or - for stdin.

    The prompt comes back note for note, and new music follows its last note in the same metre.

    \b
    Examples:
      musegen continue tune.abc --bars 16 --seed 1 -o longer.abc
      musegen continue hymn.mid --end cadence -n 3 -o endings/
    """
    from musegen import reworking as pieces

    def prepare(model: Checkpoint, score: Score, how: Sampling) -> tuple[Ask, Roll | None, str]:
        given = pieces.fit(model, score, job.name)
        return lambda number: pieces.continuing(model, given.roll, how, number, bars), None, given.moved

    job.run(prepare)

"""`musegen vary`: a piece with a share of it written anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli import options
from musegen.cli.reworking import Ask, Job, reworking
from musegen.cli.steering import keeping

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling
    from musegen.representation.roll import Roll
    from musegen.score import Score


@click.command()
@click.option(
    "--amount",
    type=options.Number(0, 1),
    required=True,
    help="Share that is opened for new notes: 0 keeps all, 1 nothing.",
)
@click.option("--voices", metavar="VOICES", help="Which voices change, such as alto,tenor or 2,3; by default all.")
@keeping
@reworking("piece")
def vary(*, amount: float, voices: str | None, job: Job) -> None:
    """Write a share of PIECE anew and keep the rest: a MIDI, ABC or MusicXML file, or - for stdin.

    Notes are chosen at random, in short runs of a voice, and rewritten in the light of those around them. Every piece
    of `-n` changes other notes.

    \b
    Examples:
      musegen vary tune.abc --amount 0.3 --seed 1 -o variation.abc
      musegen vary chorale.mid --amount 0.5 --voices alto,tenor -n 3 -o variations/
      musegen vary tune.abc --amount 1 --keep rhythm -o same-rhythm.abc
      musegen sample celtic-lstm -o - | musegen vary - --amount 0.3 -o varied.mid
    """
    from musegen import reworking as pieces

    def prepare(model: Checkpoint, score: Score, how: Sampling) -> tuple[Ask, Roll | None, str]:
        given = pieces.fit(model, score, job.name)
        chosen = pieces.voices_of(voices, given.roll, "--voices")
        return lambda number: pieces.varying(given.roll, amount, how, number, chosen), given.roll, given.moved

    job.run(prepare)

"""`musegen harmonize`: voices for a melody, or for any other voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli.reworking import Ask, Job, reworking

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling
    from musegen.representation.roll import Roll
    from musegen.score import Score


@click.command()
@click.option(
    "--given", default="soprano", show_default=True, metavar="VOICES", help="Which voices MELODY has: soprano, or 1,4."
)
@reworking("melody")
def harmonize(*, given: str, job: Job) -> None:
    """Write the other voices to MELODY: a MIDI, ABC or MusicXML file, or - for stdin.

    The melody is the soprano unless --given says which voice, or voices, it is; it comes back note for note. Of a
    piece that has all voices, the given ones are kept and the others written anew; of any other, its first voices are
    taken.

    \b
    Examples:
      musegen harmonize hymn.abc -o four-voices.mid
      musegen harmonize hymn.abc --chords "C G/B Am G" --end tonic --seed 2 -o chords.mid
      musegen harmonize bass.mid --given bass -o above.mid
      musegen harmonize - -o - --to musicxml < hymn.mid > hymn.musicxml
    """
    from musegen import reworking as pieces
    from musegen.representation.constraints.places import voice_index

    def prepare(model: Checkpoint, score: Score, how: Sampling) -> tuple[Ask, Roll | None, str]:
        names = model.names or ("Soprano", "Alto", "Tenor", "Bass")[: model.vocabulary.voices]
        count = model.vocabulary.voices
        wanted = given.split(",") if count > 1 else ()  # what has one voice only is refused for that
        voices = [voice_index(each.strip(), names, count, "--given") for each in wanted]
        template, moved = pieces.harmonizing(model, score, voices, job.name)
        return lambda number: template, None, moved

    job.run(prepare, usual="bach-lstm")

"""`musegen harmonize`: voices for a melody."""

from __future__ import annotations

import click

from musegen.cli import generating, options
from musegen.cli.music import SOURCE, chosen, read_music
from musegen.cli.output import Output
from musegen.cli.talk import talk


@click.command()
@click.argument("melody", type=SOURCE)
@options.output("File to write (.mid, .abc, .musicxml, ...), or - for stdout.")
@click.option("--model", default="bach-minibach", show_default=True, help="A trained model's name or file.")
@generating.drawing
@options.read_as
@options.tune
@generating.write_as
@options.as_json
@options.quiet
def harmonize(
    *,
    melody: str,
    output: Output,
    model: str,
    drawing: generating.Drawing,
    read_as: str | None,
    tune: int | None,
    suffix: str | None,
    as_json: bool,
) -> None:
    """Write the other voices under MELODY: a MIDI, ABC or MusicXML file, or - for stdin.

    The first voice of the piece is the melody, and comes back note for note.

    \b
    Examples:
      musegen harmonize hymn.abc -o four-voices.mid
      musegen harmonize - -o - --to musicxml < hymn.mid > hymn.musicxml
    """
    generating.check(output, 1, suffix, as_json)

    from musegen import composing
    from musegen.checkpoints import load_checkpoint

    found = chosen(read_music(melody, read_as), tune, melody)
    if len(found) > 1:
        talk(f"{melody} holds {len(found)} pieces; taking the first, choose another with --tune N")
    given = found[0]
    trained = load_checkpoint(model)
    how = drawing.sampling(trained.family.temperature)
    piece, moved = composing.harmonize(trained, how, given, drawing.tempo)
    if moved:
        talk(f"{melody}: {moved}")
    target = output.inside(f"{trained.name}-{how.seed}.{suffix or 'mid'}") if output.is_folder else output
    generating.write([piece], target, suffix)
    if as_json or target.name != output.name:
        generating.tell(target.path, composing.describe(trained, how, piece), as_json)

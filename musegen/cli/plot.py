"""`musegen plot`: a picture of a piece."""

from __future__ import annotations

from pathlib import Path

import click

from musegen.cli import options
from musegen.cli.music import SOURCE, chosen, read_music
from musegen.cli.output import Output, print_path
from musegen.cli.talk import talk
from musegen.errors import MusegenError
from musegen.rendering.pianoroll import picture
from musegen.rendering.pictures import SUFFIXES


@click.command()
@click.argument("piece", metavar="PIECE", type=SOURCE)
@options.output("Picture to write (.png, .svg or .pdf), or a folder for it; by default beside PIECE.", required=False)
@options.read_as
@click.option(
    "--to", "write_as", type=click.Choice([suffix[1:] for suffix in SUFFIXES]), help="Kind of picture.  [default: png]"
)
@options.tune
@options.quiet
def plot(*, piece: str, output: Output, read_as: str | None, write_as: str | None, tune: int | None) -> None:
    """Draw PIECE as a piano roll: one colour per voice, bars numbered.

    PIECE is MIDI, ABC or MusicXML, or - for stdin. Without -o, the picture goes beside PIECE and its path is printed.

    \b
    Examples:
      musegen plot tune.abc -o tune.svg
      musegen convert tunes.abc tunes/ | xargs -n 1 musegen plot
    """
    if not output.name and piece == "-":
        raise click.UsageError("a picture of stdin needs a name: give it with -o")
    beside = Path("stdin" if piece == "-" else piece).with_suffix(f".{write_as or 'png'}")
    target = output.inside(beside.name) if output.is_folder else output.or_else(beside)
    suffix = f".{write_as or 'png'}" if target.is_stdout or write_as else target.path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MusegenError(f"{target.name}: no picture ends so", f"Name one with {' '.join(SUFFIXES)}.")
    target.check()

    scores = chosen(read_music(piece, read_as), tune, piece)
    if len(scores) > 1:
        talk(f"{piece} holds {len(scores)} pieces; drawing the first, choose another with --tune N")

    target.write(picture(scores[0], suffix))
    if target.name != output.name:
        print_path(target.path)

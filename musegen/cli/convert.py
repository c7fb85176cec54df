"""`musegen convert`: any format to any other, through a score."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from musegen.cli import options
from musegen.cli.music import SOURCE, chosen, is_text, read_music, slug, summary
from musegen.cli.output import Output, print_path
from musegen.formats import Reading, format_of, write
from musegen.score import Score


@click.command()
@click.argument("source", metavar="IN", type=SOURCE)
@click.argument("target", metavar="OUT")
@options.read_as
@click.option("--to", "write_as", type=options.FORMAT, help="Format for stdout or a folder.  [default: mid]")
@options.tune
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@options.as_json
@options.quiet
def convert(
    *,
    source: str,
    target: str,
    read_as: str | None,
    write_as: str | None,
    tune: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Turn IN into another format: MIDI, ABC, MusicXML, each recognised by its suffix.

    IN may hold many pieces. They go into one file where OUT is ABC, and into one file each where OUT is a folder;
    the paths written there are printed.

    \b
    Examples:
      musegen convert tune.abc tune.mid
      musegen convert tunes.abc tunes/ --to musicxml
      musegen convert song.mid - --to abc | head -n 20
    """
    output = Output(target, overwrite)
    if as_json and output.is_stdout:
        raise click.UsageError("--json and OUT - would both write to stdout")
    if output.is_stdout or output.is_folder:
        write_as = write_as or "mid"
    form = format_of(f"piece.{write_as}" if write_as else target)
    output.check()
    reading = read_music(source, read_as)
    scores = chosen(reading, tune, source)
    if output.is_folder:
        width = len(str(len(scores)))
        for number, score in enumerate(scores, 1):
            name = "-".join(filter(None, [f"{number:0{width}d}", slug(score.title)]))
            into = output.inside(name + form.suffixes[0])
            into.write(write([score], form))
            _report(into, [score], reading, as_json)
    else:
        output.write(write(scores, form), text=is_text(form))
        if as_json:
            _report(output, scores, reading, as_json)


def _report(written: Output, scores: Sequence[Score], reading: Reading, as_json: bool) -> None:
    if as_json:
        line = {
            "path": written.name,
            "pieces": [summary(score) for score in scores],
            "mended": reading.mended,
            "left_out": reading.refused,
        }
        click.echo(json.dumps(line))
    else:
        print_path(written.path)

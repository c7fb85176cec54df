"""`musegen sample`: new pieces from a trained model."""

from __future__ import annotations

import json
from pathlib import Path

import click

from musegen.cli import generating, options
from musegen.cli.output import Output
from musegen.cli.talk import progress
from musegen.score import Key, Metre


@click.command()
@click.argument("checkpoint", default="bach-lstm")
@options.output("File to write (.mid, .abc, .musicxml, ...), a folder, or - for stdout.")
@options.count
@click.option("--bars", type=click.IntRange(min=1), help="Length, without the pickup; by default as in the corpus.")
@click.option("--key", type=options.key, metavar="KEY", help="Such as G, F#m or 'A dorian'.")
@click.option("--metre", type=options.metre, metavar="METRE", help="Such as 4/4 or 6/8.")
@generating.drawing
@click.option("--start", type=click.IntRange(min=1), default=1, show_default=True, help="Number of the first piece.")
@generating.write_as
@options.as_json
@options.quiet
def sample(
    *,
    checkpoint: str,
    output: Output,
    count: int,
    bars: int | None,
    key: Key | None,
    metre: Metre | None,
    drawing: generating.Drawing,
    start: int,
    suffix: str | None,
    as_json: bool,
) -> None:
    """Write new pieces from CHECKPOINT: a trained model's name or file; bach-lstm when not given.

    The seed and a piece's number decide its notes: `-n 100` writes the same pieces as ten runs of `-n 10` with
    `--start 1`, `--start 11` and so on.

    \b
    Examples:
      musegen sample -o new.mid
      musegen sample celtic-lstm --key D --metre 6/8 --bars 16 --seed 7 -o jig.abc
      musegen sample -n 100 --seed 1 -o out/ | xargs -n 1 musegen plot
    """
    generating.check(output, count, suffix, as_json)

    from musegen import composing
    from musegen.checkpoints import load_checkpoint

    model = load_checkpoint(checkpoint)
    how = drawing.sampling(model.family.temperature)
    wishes = composing.Wishes(bars, key, metre, drawing.tempo)
    numbers = range(start, start + count)
    book = []
    with progress(count, "composing", "pieces") as advance:
        for piece in composing.sample(model, how, numbers, wishes):
            if output.is_folder:
                target = output.inside(f"{model.name}-{how.seed}-{piece.number:04d}.{suffix or 'mid'}")
                generating.write([piece], target, suffix)
                generating.tell(target.path, composing.describe(model, how, piece), as_json)
            else:
                book.append(piece)
            advance()
    if book:
        generating.write(book, output, suffix)
        if as_json:
            for piece in book:
                click.echo(json.dumps({"path": str(Path(output.name))} | composing.describe(model, how, piece)))

"""`musegen sample`: new pieces from a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli import generating, latent, options, recipe
from musegen.cli.steering import facts, files, steering
from musegen.score import Key, Metre

if TYPE_CHECKING:
    from musegen.representation.constraints import Constraints


@click.command()
@click.argument("checkpoint", default="bach-lstm")
@click.option("--bars", type=click.IntRange(min=1), help="Length, without the pickup; by default as in the corpus.")
@click.option("--key", type=options.key, metavar="KEY", help="Such as G, F#m or 'A dorian'.")
@click.option("--metre", type=options.metre, metavar="METRE", help="Such as 4/4 or 6/8.")
@steering
@latent.steering
@generating.drawing
@generating.series
@options.quiet
def sample(
    *,
    checkpoint: str,
    bars: int | None,
    key: Key | None,
    metre: Metre | None,
    constraints: Constraints,
    latent: latent.Latent,
    drawing: generating.Drawing,
    series: generating.Series,
) -> None:
    """Write new pieces from CHECKPOINT: a trained model's name or file; bach-lstm when not given.

    The seed and a piece's number decide its notes: `-n 100` writes the same pieces as ten runs of `-n 10` with
    `--start 1`, `--start 11` and so on.

    \b
    Examples:
      musegen sample -o new.mid
      musegen sample celtic-lstm --key D --metre 6/8 --bars 16 --seed 7 -o jig.abc
      musegen sample celtic-lstm --form AABA --bars 32 --leap 12 --end tonic -o song.abc
      musegen sample bach-vae --latent 0.2,1 --less "note density" 1 --seed 3 -o calm.mid
      musegen sample -n 100 --seed 1 -o out/ | xargs -n 1 musegen plot
    """
    from musegen import composing
    from musegen.checkpoints import load_checkpoint

    model = load_checkpoint(checkpoint)
    how = latent.sampling(model, drawing.sampling(model.family.temperature))
    wishes = composing.Wishes(bars, key, metre, drawing.tempo, constraints)
    pieces = composing.sample(model, how, series.numbers, wishes)
    generating.deliver(model, how, pieces, series, recipe.record(how, *files()), facts(constraints))

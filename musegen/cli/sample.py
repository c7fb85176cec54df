"""`musegen sample`: new pieces from a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from musegen.cli import generating, latent, options, recipe
from musegen.cli.like import Like, planning
from musegen.cli.steering import facts, files, steering
from musegen.score import Key, Metre

if TYPE_CHECKING:
    from musegen.representation.constraints import Constraints


@click.command()
@click.argument("checkpoint", default="bach-lstm")
@click.option("--bars", type=click.IntRange(min=1), help="Length, without the pickup; by default as in the corpus.")
@click.option("--key", type=options.key, metavar="KEY", help="Such as G, F#m or 'A dorian'.")
@click.option("--metre", type=options.metre, metavar="METRE", help="Such as 4/4 or 6/8.")
@planning
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
    like: Like,
    constraints: Constraints,
    latent: latent.Latent,
    drawing: generating.Drawing,
    series: generating.Series,
) -> None:
    """Write new pieces from CHECKPOINT: a trained model's name or file; bach-lstm when not given.

    The seed and a piece's number decide its notes: `-n 100` writes the same pieces as ten runs of `-n 10` with
    `--start 1`, `--start 11` and so on.

    With `--like`, passages of each piece are proposed anew until it resembles the plan, which takes about 20 seconds
    for a tune of 16 bars and 40 for a chorale; says how well the plan held.

    \b
    Examples:
      musegen sample -o new.mid
      musegen sample celtic-lstm --key D --metre 6/8 --bars 16 --seed 7 -o jig.abc
      musegen sample celtic-lstm --form AABA --bars 16 --leap 12 --end tonic --seed 4 -o song.abc
      musegen sample celtic-lstm --like hymn.mid --effort 32 --seed 5 -o after-the-hymn.abc
      musegen sample bach-vae --latent 0.2,1 --less "note density" 1 --seed 3 -o calm.mid
      musegen sample -n 100 --seed 1 -o out/ | xargs -n 1 musegen plot
    """
    from musegen import composing
    from musegen.checkpoints import load_checkpoint

    model = load_checkpoint(checkpoint)
    how = latent.sampling(model, drawing.sampling(model.family.temperature))
    wishes = composing.Wishes(bars, key, metre, drawing.tempo, constraints)
    compose = like.pieces if like.source else composing.sample
    pieces = compose(model, how, series.numbers, wishes)
    made = recipe.record(how, *files(), *like.inputs)
    generating.deliver(model, how, pieces, series, made, like.facts(facts(constraints)))

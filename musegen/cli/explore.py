"""`musegen explore`: the latent plane of a VAE."""

from __future__ import annotations

import json

import click

from musegen.cli import options
from musegen.cli.output import Output
from musegen.cli.talk import table, talk
from musegen.errors import MusegenError


@click.command()
@click.argument("checkpoint", default="bach-vae")
@options.output("Picture to write (.png, .svg or .pdf).")
@click.option("--corpus", help="Whose pieces are the points; by default the corpus that the model was trained on.")
@click.option(
    "--split", type=click.Choice(["train", "validation", "test", "all"]), default="all", show_default=True,
    help="Which of its pieces.",
)  # fmt: skip
@options.as_json
@options.quiet
def explore(*, checkpoint: str, output: Output, corpus: str | None, split: str, as_json: bool) -> None:
    """Map the latent plane of CHECKPOINT, a VAE: every piece of the corpus as a point, coloured by what varies.

    Prints how pitch, range, note length and density, leaps, mode, tonic and metre go with each axis and, where that is
    one number, with all axes together. Pearson's and the point-biserial r (mode: 1 for a major third) have a sign; R
    (the tonic, around the circle of fifths) and eta (metre) go from 0 to 1.

    \b
    Examples:
      musegen explore bach-vae -o map.png
      musegen explore bach-vae --split test -o test.svg
    """
    from musegen.checkpoints import load_checkpoint
    from musegen.corpora import open_corpus
    from musegen.rendering.pictures import as_file, check_suffix

    suffix = output.path.suffix.lower()
    check_suffix(suffix, output.name)
    model = load_checkpoint(checkpoint)
    music = open_corpus(corpus or model.card["corpus"]["name"])
    indices = range(len(music)) if split == "all" else music.split(split)
    rolls = [roll for index in indices if model.vocabulary.knows((roll := music.roll(index)).symbols)]
    if not rolls:
        raise MusegenError(f"{music.name} has no {split} pieces in this model's range", "Choose another --split.")

    from musegen.evaluation.latent import plane
    from musegen.rendering.latent_map import latent_map

    talk(f"encoding {len(rolls)} pieces")
    points = plane(model, rolls)
    title = f"{model.name}: {len(rolls)} pieces of {music.name}"
    output.write(as_file(lambda: latent_map(points, title), suffix))
    found = points.associations()
    dimensions = points.codes.shape[1]
    if as_json:
        click.echo(
            json.dumps(
                {
                    "path": output.name,
                    "pieces": len(rolls),
                    "active": points.active,
                    "correlations": {each.name: [round(float(r), 4) for r in each.axes] for each in found},
                    "together": {each.name: round(each.plane, 4) for each in found if each.plane is not None},
                    "measures": {each.name: each.measure for each in found},
                }
            )
        )
        return
    headings = ("", *(f"z{i + 1}" for i in range(dimensions)), "together", "measure")
    rows = [[each.name, *(float(r) for r in each.axes), each.plane, each.measure] for each in found]
    click.echo(table(rows, headings))
    click.echo(f"{points.active} of {dimensions} dimensions in use")

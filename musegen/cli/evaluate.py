"""`musegen evaluate`: how well a model foresees real music."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from musegen.cli import options
from musegen.cli.encode import summarize
from musegen.cli.output import Output
from musegen.cli.talk import progress, table, talk
from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.evaluation.likelihood import Evaluation, Rates, Tally


@click.command()
@click.argument("checkpoint")
@click.argument("corpus_name", metavar="[CORPUS]", required=False)
@click.option(
    "--split", type=click.Choice(["test", "validation", "train", "all"]), default="test", show_default=True,
    help="Which pieces of the corpus.",
)  # fmt: skip
@click.option("--plot", metavar="FILE", help="Draw the nats by place in the bar and by voice (.png, .svg or .pdf).")
@click.option("--overwrite", is_flag=True, help="Replace a picture that exists.")
@options.as_json
@options.quiet
def evaluate(
    *, checkpoint: str, corpus_name: str | None, split: str, plot: str | None, overwrite: bool, as_json: bool
) -> None:
    """Show the pieces of CORPUS to CHECKPOINT and measure how well it foresees each note.

    CORPUS is a name, an encoded file or a folder of music; by default what the model was trained on. Nats are minus the
    natural logarithm of the probability that the model gives to the very music: lower is better. They are exact, or an
    upper bound where the table says so. A note here is a cell: one step of one voice, whether it begins, holds or is
    silent.

    \b
    Examples:
      musegen evaluate bach-lstm
      musegen evaluate bach-minibach bach --split validation --plot foreseen.png
      musegen evaluate celtic-lstm my-tunes/ --split all --json
    """
    from musegen.checkpoints import load_checkpoint
    from musegen.corpora import open_corpus
    from musegen.rendering.pictures import as_file, check_suffix

    picture = Output(plot or "", overwrite)
    if plot:
        check_suffix(Path(plot).suffix.lower(), plot)
        picture.check()
    model = load_checkpoint(checkpoint)
    v = model.vocabulary
    music = open_corpus(
        corpus_name or model.card["corpus"]["name"],
        voices=v.voices,
        steps_per_quarter=v.steps_per_quarter,
        tell=summarize,
    )
    indices = range(len(music)) if split == "all" else music.split(split)
    if not indices:
        raise MusegenError(f"{music.name} has no {split} pieces", "Choose another --split.")

    from musegen.evaluation.likelihood import evaluate as measure

    with progress(len(indices), "scoring", "pieces") as advance:
        found = measure(model, [music.roll(index) for index in indices], advance=advance)
    if found.left_out:
        talk(f"pieces left out, since {model.name} has no names for their pitches: {found.left_out}")
    shown = f"{found.framed.pieces} {'' if split == 'all' else split + ' '}pieces of {music.name}"
    if plot:
        from musegen.rendering.likelihood_chart import likelihood_chart

        picture.write(as_file(lambda: likelihood_chart(found, f"{model.name}: {shown}"), picture.path.suffix.lower()))
    if as_json:
        click.echo(json.dumps({"model": model.name, "corpus": music.name, "split": split, **found.to_json()}))
    else:
        click.echo(f"{model.name} on {shown}\n\n{page(model, found)}")


def page(model: Checkpoint, found: Evaluation) -> str:
    """The figures in tables."""
    told = "given the melody" if model.family.given_voices else "given length, metre and key"
    rows: list[Any] = [(told, found.framed.pieces, *_rates(found.framed))]
    if found.frame:
        rows.append(("telling these", found.frame.pieces, *_rates(found.frame)))
        rows.append(("given nothing", None, *map(sum, zip(_rates(found.framed), _rates(found.frame), strict=True))))
    nats = "nats, at most" if found.bound else "nats"
    parts = [
        table(rows, (nats, "pieces", "per note", "per step", "per quarter")),
        f"standard error over pieces: {found.standard_error:.3f} nats per note",
    ]
    shares = [(name, *_figures(tally)) for name, tally in [("all", found.whole), *found.by_voice.items()]]
    parts.append(table(shares, ("voice", *_HEADINGS)))
    places = [(f"{place:g}", *_figures(tally)) for place, tally in found.by_place.items()]
    parts.append(table(places, (f"quarter of {found.metre}", *_HEADINGS)))
    if found.codes:
        parts.append(
            f"code: {found.codes.active} of {found.codes.dimensions} dimensions in use, "
            f"{found.codes.divergence:.2f} nats per piece, in the first table only\n"
            f"composed anew from it, {found.codes.cells_kept:.3f} of the cells and {found.codes.onsets_kept:.3f} of "
            "the onsets come back"
        )
    return "\n\n".join(parts)


_HEADINGS = ("notes", "nats per note", "guessed", "onsets guessed", "pitch guessed")


def _rates(rates: Rates) -> tuple[float, float, float]:
    return rates.per_note, rates.per_step, rates.per_quarter


def _figures(tally: Tally) -> tuple[int, float, float, float, float]:
    return tally.cells, tally.nats_per_note, tally.accuracy, tally.onset_accuracy, tally.pitch_accuracy

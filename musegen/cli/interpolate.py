"""`musegen interpolate`: from one piece to another, through a latent space."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from musegen.cli import generating, options, recipe
from musegen.cli.music import SOURCE, chosen, read_music, take
from musegen.cli.output import Output
from musegen.cli.talk import progress, table, talk
from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.interpolating import Place
    from musegen.score import Score

MODELS = {4: "bach-vae", 1: "celtic-vae"}
"""By the number of voices, unless another is named."""


@click.command()
@click.argument("first", metavar="A", type=SOURCE)
@click.argument("second", metavar="B", type=SOURCE)
@options.output("File to write (.abc holds several pieces), a folder, or - for stdout.")
@click.option(
    "-n",
    "--count",
    type=click.IntRange(min=2),
    default=5,
    show_default=True,
    help="How many pieces, both ends included.",
)
@click.option("--model", help="A trained vae's name or file.  [default: bach-vae for four voices, celtic-vae for one]")
@generating.drawing
@options.read_as
@click.option(
    "--tunes",
    type=click.IntRange(min=1),
    nargs=2,
    metavar="N M",
    help="Which piece of A and of B, where they hold many.",
)
@generating.write_as
@options.as_json
@options.quiet
def interpolate(
    *,
    first: str,
    second: str,
    output: Output,
    count: int,
    model: str | None,
    drawing: generating.Drawing,
    read_as: str | None,
    tunes: tuple[int, int] | None,
    suffix: str | None,
    as_json: bool,
) -> None:
    """Write pieces that lead from A to B: files of any format, one of which may be - for stdin.

    They lie at even distances on the great circle between the codes that a VAE gives A and B, and are drawn with the
    same random numbers. The ends are what their codes say of A and B, not A and B note for note. Metre and key turn
    from A's to B's halfway; the number of bars and the tempo go evenly.

    Says how far each piece is from A and from B in pitch, range, note length, note density and leaps together, in the
    corpus's standard deviations.

    \b
    Examples:
      musegen interpolate tune.abc hymn.abc -n 7 --seed 1 -o way.abc
      musegen sample celtic-vae --seed 2 -o - | musegen interpolate song.mid - -o way/
    """
    if first == second == "-":
        raise click.UsageError("only one of the two pieces can come from stdin")
    generating.check(output, count, suffix, as_json)

    from musegen import composing, interpolating
    from musegen.checkpoints import load_checkpoint
    from musegen.evaluation.latent import latent_composer

    given, inputs = [], []
    for name, source, tune in zip(("first", "second"), (first, second), tunes or (None, None), strict=True):
        data = take(source)
        inputs.append(recipe.Input.of(name, source, data))
        given.append(_one(source, read_as if source == "-" else None, data, tune))
    trained = load_checkpoint(model or _usual(given[0], first))
    latent_composer(trained)  # refused before the pieces are
    rolls = []
    for score, source in zip(given, (first, second), strict=True):
        roll, moved = interpolating.read(trained, score, _called(source))
        rolls.append(roll)
        if moved:
            talk(f"{_called(source)}: {moved}")
    how = drawing.sampling(trained.family.temperature)
    made = recipe.record(how, *inputs)
    places = []
    with progress(count, "composing", "pieces") as advance:
        for place in interpolating.interpolate(trained, how, rolls[0], rolls[1], count, drawing.tempo):
            places.append(place)
            piece = place.piece
            if output.is_folder:
                target = output.inside(f"{trained.name}-{how.seed}-{piece.number:02d}.{suffix or 'mid'}")
                generating.write([piece], target, suffix, made)
                generating.tell(target.path, composing.describe(trained, how, piece) | _facts(place), as_json)
            advance()
    if not output.is_folder:
        generating.write([place.piece for place in places], output, suffix, made)
        for place in places if as_json else ():
            facts = composing.describe(trained, how, place.piece) | _facts(place)
            click.echo(json.dumps({"path": output.name} | facts))
    _tell(places)


def _one(source: str, read_as: str | None, data: bytes, tune: int | None) -> Score:
    found = chosen(read_music(source, read_as, data), tune, source)
    if len(found) > 1:
        talk(f"{_called(source)} holds {len(found)} pieces; taking the first, choose others with --tunes")
    return found[0]


def _called(source: str) -> str:
    return "stdin" if source == "-" else source


def _usual(score: Score, source: str) -> str:
    """The shipped model that reads as many voices."""
    voices = sum(bool(voice.notes) for voice in score.voices)
    if voices not in MODELS:
        raise MusegenError(
            f"{_called(source)} has {voices} voices, and no vae for so many is at hand", "Name one with --model."
        )
    return MODELS[voices]


def _facts(place: Place) -> dict[str, Any]:
    """A place on the way as plain data."""
    distances = {"from_a": place.from_first, "from_b": place.from_second, "step": place.step}
    return {
        "share": round(place.share, 4),
        "code": [round(each, 6) for each in place.code],
        "attributes": {name: round(value, 4) for name, value in place.attributes.items()},
    } | {name: None if value is None else round(value, 4) for name, value in distances.items()}


def _tell(places: list[Place]) -> None:
    """How far each piece is from both ends, and from the one before."""
    from musegen.interpolating import summary

    names = list(places[0].attributes)
    rows = [
        [place.piece.number, *place.attributes.values(), place.from_first, place.from_second, place.step]
        for place in places
    ]
    talk(table(rows, ("piece", *names, "from A", "from B", "step")))
    talk(summary(places) or "this model brings no standard deviations along: train it anew to have distances")

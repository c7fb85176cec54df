"""`musegen models`: the families, and the trained models at hand."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

import click

from musegen.cli import options
from musegen.cli.talk import table, talk
from musegen.errors import MusegenError


@click.command()
@click.argument("name", metavar="[FAMILY | CHECKPOINT]", required=False)
@options.as_json
@options.quiet
def models(*, name: str | None, as_json: bool) -> None:
    """List the families and the trained models, or show one of either.

    \b
    Examples:
      musegen models
      musegen models lstm
      musegen models bach-lstm
    """
    from musegen.models import FAMILIES

    if name is None:
        _list(as_json)
    elif name in FAMILIES:
        _show_family(name, as_json)
    else:
        _show_checkpoint(name, as_json)


def _list(as_json: bool) -> None:
    from musegen.checkpoints import available, read_card
    from musegen.models import FAMILIES, family

    kinds = [family(name) for name in FAMILIES]
    trained: list[dict[str, Any]] = []
    for name, path in available().items():
        try:
            header = read_card(path)
        except MusegenError as error:
            talk(f"{name}: {error}")
            continue
        card = header["card"]
        trained.append(
            {
                "name": name,
                "family": header["family"],
                "corpus": card["corpus"]["name"],
                "validation": card["validation"],
                "parameters": card["parameters"],
                "path": str(path),
            }
        )
    if as_json:
        for kind in kinds:
            click.echo(json.dumps({"family": kind.name, "title": kind.title, "year": kind.year, "paper": kind.paper}))
        for each in trained:
            click.echo(json.dumps(each))
        return
    click.echo(table([(kind.name, str(kind.year), kind.title) for kind in kinds], ("family", "year", "what it is")))
    click.echo()
    columns = ("name", "family", "corpus", "validation", "parameters")
    headings = ("model", "family", "corpus", "held-out nats/note", "parameters")
    click.echo(table([[each[column] for column in columns] for each in trained], headings))


def _show_family(name: str, as_json: bool) -> None:
    from musegen.models import family

    kind = family(name)
    settings = {field.name: field.default for field in fields(kind.settings)}
    if as_json:
        click.echo(json.dumps({"family": name, "title": kind.title, "paper": kind.paper, "settings": settings}))
        return
    click.echo(f"{kind.title} ({kind.year})\n{kind.paper}\n\nSettings, with their defaults:")
    click.echo(table([(f"  {key}", str(value)) for key, value in settings.items()]))


def _show_checkpoint(name: str, as_json: bool) -> None:
    from musegen.checkpoints import load_checkpoint

    model = load_checkpoint(name)
    v = model.vocabulary
    facts = {
        "family": model.family.name,
        "path": str(model.path),
        "hash": model.hash,
        "voices": v.voices,
        "ranges": [list(each) for each in v.ranges],
        "steps_per_quarter": v.steps_per_quarter,
        "metres": [str(metre) for metre in v.metres],
        "settings": asdict(model.settings),
        **model.card,
    }
    if as_json:
        click.echo(json.dumps(facts))
        return
    if "attributes" in facts:  # of each direction, only how well the latent space tells the attribute
        facts["attributes"] = {name: each["correlation"] for name, each in model.card["attributes"].items()}
    click.echo(table([(key, _line(value)) for key, value in facts.items() if value is not None]))


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_line(each)}" for key, each in value.items())
    if isinstance(value, list):
        return " ".join("-".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    return f"{value:.4f}" if isinstance(value, float) else str(value)

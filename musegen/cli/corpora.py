"""`musegen corpora`: what music there is to learn from."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from musegen.cli import options
from musegen.cli.talk import table, talk
from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.corpora import Corpus

SPLITS = ("train", "validation", "test")
_PITCHES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_SHOWN = 12
"""How many metres, keys or kinds a page lists; the others are summed up. `--json` has them all."""


@click.command()
@click.argument("name", required=False)
@click.option("--pieces", is_flag=True, help="List the pieces of NAME, one a line.")
@options.as_json
@options.quiet
def corpora(*, name: str | None, pieces: bool, as_json: bool) -> None:
    """List the corpora at hand, or say what is in one: pieces, voices, metres, keys, source, licence.

    NAME is a corpus that was shipped, one in your own folder of corpora, or an encoded file.

    \b
    Examples:
      musegen corpora
      musegen corpora celtic
      musegen corpora bach --pieces | grep minor
    """
    from musegen.corpora import available, open_corpus

    if name is None:
        if pieces:
            raise click.UsageError("--pieces needs the NAME of a corpus")
        rows = []
        for each in available():
            try:
                rows.append(_row(open_corpus(each)))
            except MusegenError as error:  # one broken file must not hide the others
                talk(f"left out {each}: {error}")
        if as_json:
            click.echo("\n".join(json.dumps(row) for row in rows))
        else:
            columns = ("name", "pieces", "voices", "steps_per_quarter", *SPLITS)
            headings = ("name", "pieces", "voices", "grid", *SPLITS)
            click.echo(table([[row[column] for column in columns] for row in rows], headings))
        return
    corpus = open_corpus(name)
    if pieces:
        _list_pieces(corpus, as_json)
    elif as_json:
        click.echo(json.dumps(_row(corpus) | _details(corpus)))
    else:
        click.echo(_page(corpus))


def _row(corpus: Corpus) -> dict[str, Any]:
    """A corpus in a line."""
    return {
        "name": corpus.name,
        "pieces": len(corpus),
        "voices": corpus.voices,
        "steps_per_quarter": corpus.steps_per_quarter,
        **{split: len(corpus.split(split)) for split in SPLITS},
        "licence": corpus.licence,
        "source": corpus.source,
        "hash": corpus.hash,
    }


def _details(corpus: Corpus) -> dict[str, Any]:
    """What a corpus holds: how many pieces of each metre, key and kind, and the voices' ranges."""
    infos = [corpus.info(index) for index in range(len(corpus))]
    return {
        "ranges": corpus.ranges,
        "metres": dict(Counter(info.metre for info in infos).most_common()),
        "keys": dict(Counter(str(info.key) for info in infos if info.key is not None).most_common()),
        "kinds": dict(Counter(info.kind for info in infos if info.kind).most_common()),
    }


def _page(corpus: Corpus) -> str:
    details = _details(corpus)
    splits = ", ".join(f"{split} {len(corpus.split(split)):,}" for split in SPLITS)
    lines = {
        "pieces": f"{len(corpus):,}: {splits}",
        "grid": f"{corpus.steps_per_quarter} steps a quarter note",
        "voices": _voices(corpus),
        "metres": _counted(details["metres"]),
        "keys": _counted(details["keys"]),
        "kinds": _counted(details["kinds"]),
        "source": corpus.source or "not stated",
        "licence": corpus.licence or "not stated",
        "hash": corpus.hash,
    }
    wrapped = [
        textwrap.fill(text, 100, initial_indent=f"{label:<9}", subsequent_indent=" " * 9)
        for label, text in lines.items()
        if text
    ]
    return "\n".join([corpus.name, *wrapped])


def _voices(corpus: Corpus) -> str:
    names = corpus.roll(0).names if len(corpus) else ()
    ranges = [f"{_pitch(low)} to {_pitch(high)}" for low, high in corpus.ranges]
    named = (names[number].lower() if len(names) == len(ranges) else "" for number in range(len(ranges)))
    return f"{corpus.voices}: " + ", ".join(f"{name} {span}".strip() for name, span in zip(named, ranges, strict=True))


def _pitch(number: int) -> str:
    """A MIDI pitch by name: 60 is C4."""
    return f"{_PITCHES[number % 12]}{number // 12 - 1}"


def _counted(counts: dict[str, int]) -> str:
    """`6/8 800, 2/2 786, 3 others 12`."""
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:_SHOWN]]
    others = list(counts.values())[_SHOWN:]
    if len(others) == 1:
        shown.append(f"{list(counts)[-1]} {others[0]:,}")
    elif others:
        shown.append(f"{len(others)} others {sum(others):,}")
    return ", ".join(shown)


def _list_pieces(corpus: Corpus, as_json: bool) -> None:
    infos = [corpus.info(index) for index in range(len(corpus))]
    if as_json:
        for info in infos:
            click.echo(json.dumps(asdict(info) | {"key": str(info.key) if info.key else None}))
    else:
        rows = [(info.id, info.split, info.metre, info.key, info.kind, info.title, info.source) for info in infos]
        click.echo(table(rows, ("id", "split", "metre", "key", "kind", "title", "source")))

"""`musegen encode`: anyone's files -> a corpus."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musegen.cli import options
from musegen.cli.output import Output
from musegen.cli.talk import progress, table, talk
from musegen.formats import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from musegen.corpora.encode import Report

_COMMONEST = 5
"""How many kinds of notes are said."""


def shares(text: str) -> tuple[float, ...]:
    """The type of `--split`: three numbers."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 3 or not all(0 <= number < float("inf") for number in numbers) or not numbers[0]:
        raise click.BadParameter(f"{text!r} is not three shares, such as 80,10,10; the first must not be 0")
    return numbers


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@options.output("Corpus to write, such as my-tunes.safetensors.")
@click.option(
    "--voices", type=click.IntRange(min=1), metavar="N", help="Voices of every piece; by default the commonest."
)
@click.option(
    "--steps-per-quarter", type=click.IntRange(min=1), metavar="N", help="The grid; by default the coarsest that fits."
)
@click.option(
    "--split", type=shares, metavar="T,V,E", default="80,10,10", show_default=True,
    help="Shares of training, validation and test. Versions of one tune stay together.",
)  # fmt: skip
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; by default one per processor.")
@click.option("--strict", is_flag=True, help="Give up when anything is refused.")
@options.as_json
@options.quiet
def encode(
    *,
    paths: tuple[Path, ...],
    output: Output,
    voices: int | None,
    steps_per_quarter: int | None,
    split: tuple[float, ...],
    jobs: int | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Make a corpus of MIDI, ABC and MusicXML: every file of music in each PATH, a file or a folder.

    Prints a table of what was refused, and why. `train` takes the corpus by its path; in the folder `corpora` of
    your MUSEGEN_HOME it has a name.

    \b
    Examples:
      musegen encode my-tunes/ -o my-tunes.safetensors
      musegen encode tune.abc tunes.abc --steps-per-quarter 12 --split 1,0,0 -o three.safetensors
    """
    if output.is_stdout or output.is_folder:
        raise click.UsageError("a corpus needs a file: name one with -o")

    from musegen.corpora.encode import encode_files

    with ExitStack() as stack:
        advance: Callable[..., None] | None = None

        def tell(_done: int, total: int) -> None:
            nonlocal advance
            if advance is None:
                advance = stack.enter_context(progress(total, "encoding", "files"))
            advance()

        report = encode_files(
            paths, output.path, voices, steps_per_quarter, split, jobs, strict, output.overwrite, progress=tell
        )
    if as_json:
        click.echo(json.dumps(asdict(report) | {"path": str(report.path)}))
    elif report.refused:
        click.echo(table(report.refused, ("file", "piece", "refused because")))
    summarize(report, printable(report.path))


def summarize(report: Report, name: str = "the corpus") -> None:
    """Say what became of the files; the name is that of what was made of them."""
    kinds = Counter(re.sub(r"\d[\d/.,]*", "…", note.partition(":")[0]) for _, _, note in report.notes)
    for kind, count in kinds.most_common(_COMMONEST):
        talk(f"{count:,} x {kind}")
    if report.notes:
        talk(f"{len(report.notes):,} notes of what was put right, moved or dropped; --json lists them")
    splits = ", ".join(f"{name} {count:,}" for name, count in report.splits.items())
    talk(
        f"{name}: {report.pieces:,} pieces in {report.groups:,} groups of versions ({splits}), "
        f"{report.voices} voice{'s' * (report.voices != 1)}, {report.steps_per_quarter} steps a quarter note"
    )
    talk(f"read {report.files:,} files; refused {len(report.refused):,} files or pieces")

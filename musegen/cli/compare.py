"""`musegen compare`: pieces held against a corpus."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from musegen.cli import options
from musegen.cli.output import Output
from musegen.cli.talk import progress, table, talk

if TYPE_CHECKING:
    from collections.abc import Callable

    from musegen.corpora.fitting import Fitted
    from musegen.evaluation.comparison import Comparison
    from musegen.evaluation.originality import Run

_SHOWN = 5
"""How many refused pieces, and how many of the longest runs, are said one by one. `--json` has all."""


@click.command()
@click.argument("pieces", metavar="PIECE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--corpus", required=True, help="What to hold them against: its name, file or folder.")
@click.option(
    "--split", type=click.Choice(["validation", "test"]), default="test", show_default=True,
    help="Which of its pieces stand beside them; copies are looked for in the training pieces.",
)  # fmt: skip
@click.option(
    "--bars", type=click.IntRange(min=1), metavar="N",
    help="Take the statistics of the first N bars, on both sides; by default of whole pieces.",
)  # fmt: skip
@click.option("--plot", metavar="FILE", help="Draw the comparison too (.png, .svg or .pdf).")
@click.option("--overwrite", is_flag=True, help="Replace a picture that exists.")
@options.as_json
@options.quiet
def compare(
    *,
    pieces: tuple[Path, ...],
    corpus: str,
    split: str,
    bars: int | None,
    plot: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compare music with a corpus: is it like it, can it be told apart, and is it copied?

    Each PIECE is MIDI, ABC or MusicXML, or a folder of them. The table sets every statistic beside that of the
    corpus's held-out pieces and the range in which 95 % of random halves of these lie, and says what lies outside.
    Then: MGEval's overlapping areas (1 is best), how well a classifier tells the pieces from the corpus's (AUC, 0.5
    is best), and what stands in the training pieces too, beside what real held-out pieces share with them.

    \b
    Examples:
      musegen compare chorale.mid --corpus bach
      musegen compare tunes.abc my-tunes/ --corpus celtic --plot comparison.png
    """
    from musegen.rendering.pictures import as_file, check_suffix

    target = Output(plot or "", overwrite)
    if plot:
        check_suffix(Path(plot).suffix.lower(), plot)
        target.check()

    from musegen.corpora import open_corpus
    from musegen.corpora.fitting import fit_files

    music = open_corpus(corpus)
    with ExitStack() as stack:
        advance: Callable[..., None] | None = None

        def tell(_done: int, total: int) -> None:
            nonlocal advance
            if advance is None:
                advance = stack.enter_context(progress(total, "reading", "files"))
            advance()

        fitted = fit_files(pieces, music.voices, music.steps_per_quarter, tell)
    _report(fitted)

    from musegen.evaluation import comparison

    result = comparison.compare(fitted.rolls, fitted.ids, music, split, bars)
    if plot:
        from musegen.rendering.comparison import comparison_picture

        real = [music.roll(number) for number in music.split(split)]
        target.write(as_file(lambda: comparison_picture(result, fitted.rolls, real, bars), target.path.suffix.lower()))
    if as_json:
        refused = [{"piece": which, "why": why} for which, why in fitted.refused]
        click.echo(json.dumps(result.as_dict() | {"refused": refused, "plot": plot}))
    else:
        click.echo("\n\n".join(_parts(result)))


def _report(fitted: Fitted) -> None:
    """Say what was refused, and how much was changed."""
    for which, why in fitted.refused[:_SHOWN]:
        talk(f"left out {which}: {why}")
    if (more := len(fitted.refused) - _SHOWN) > 0:
        talk(f"left out {more} others; --json lists them")
    for which, note in fitted.notes[:_SHOWN]:
        talk(f"{which}: {note}")
    if (more := len(fitted.notes) - _SHOWN) > 0:
        talk(f"{more} more notes of what was put right, moved or dropped")


def _parts(result: Comparison) -> list[str]:
    """The tables, for people."""
    count = len(result.ids)
    title = f"{count} piece{'s' * (count != 1)} against the {result.held_out} {result.split} pieces of {result.corpus}"
    rows: list[tuple[object, ...]] = []
    for heading, group in result.statistics.items():
        rows.append((heading.upper(), None, None, None, None, ""))
        rows += [(f"  {row.label}", row.pieces, row.corpus, row.low, row.high, row.mark) for row in group]
    parts = [title, table(rows, ("", "pieces", "corpus", "95 % from", "to", "outside"))]
    if result.overlaps:
        areas = [(f"  {name}", each.area, each.divergence) for name, each in result.overlaps.items()]
        parts.append(table(areas, ("MGEVAL, PIECE BY PIECE", "overlapping area", "divergence")))
    test = result.told_apart
    if test:
        telling = "; ".join(f"{name} ({'more' if auc > 0.5 else 'less'})" for name, auc in test.telling.items())
        parts.append(
            f"two-sample test: AUC {test.auc:.3f} ± {test.error:.3f}, {test.generated} pieces against {test.real} "
            f"(0.5: cannot be told apart)\ntold apart by: {telling}"
        )
    parts.append(_originality(result))
    if result.remarks:
        parts.append("\n".join(result.remarks))
    return parts


def _originality(result: Comparison) -> str:
    """What was copied, beside what held-out pieces share."""
    ours, theirs, voices = result.rates, result.own_rates, len(result.originality[0].voices)
    rows: list[tuple[object, ...]] = [
        ("ORIGINALITY", None, None),
        ("  copied bars (any key, all voices)", ours.copied_bars, theirs.copied_bars),
        ("  notes in shared runs of 8 or more, top voice", ours.top_inside, theirs.top_inside),
        ("  the same, all voices", ours.inside, theirs.inside),
        ("  longest shared run of a piece in notes, median (0: below 8)", ours.longest, theirs.longest),
        ("  longest shared run of all", ours.longest_of_all, theirs.longest_of_all),
    ]
    if voices == 1:
        del rows[3]
    lines = [table(rows, ("", "pieces", "corpus"))]
    runs = [(id_, run) for id_, found in zip(result.ids, result.originality, strict=True) if (run := found.longest)]
    runs.sort(key=lambda each: -each[1].notes)
    lines += [_told(id_, run, voices) for id_, run in runs[:_SHOWN]]
    return "\n".join(lines)


def _told(id_: str, run: Run, voices: int) -> str:
    """A shared run in words."""
    here = f", voice {run.voice}," if voices > 1 else ""
    there = f", voice {run.piece_voice}" if voices > 1 else ""
    return (
        f"{_bars(run.bars)} of {id_}{here} {'is' if run.bars[0] == run.bars[1] else 'are'} {_bars(run.piece_bars)} of "
        f"{run.piece}{there} in the corpus: {run.notes} notes"
    )


def _bars(bars: tuple[int, int]) -> str:
    first, last = bars
    return f"bar {first}" if first == last else f"bars {first}-{last}"

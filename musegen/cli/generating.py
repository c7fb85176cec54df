"""What the verbs that compose share: how symbols are drawn, and where pieces go."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli import options
from musegen.cli.output import Output, print_path
from musegen.cli.talk import progress, talk
from musegen.errors import MusegenError
from musegen.formats import format_of, provenance
from musegen.formats import write as write_scores

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.cli.recipe import Recipe
    from musegen.composing import Piece
    from musegen.models.base import Sampling

F = TypeVar("F", bound=Callable[..., Any])

write_as = click.option(
    "--to", "suffix", type=options.FORMAT, help="Format of what goes to a folder or to stdout.  [default: mid]"
)
"""`--to`, as the argument `suffix`."""


@dataclass(frozen=True)
class Drawing:
    """The options that say how symbols are drawn, and how fast they are played."""

    temperature: float | None
    top_k: int
    top_p: float
    seed: int
    tempo: float | None
    particles: int

    def sampling(self, usual_temperature: float) -> Sampling:
        """As models take it."""
        from musegen.models.base import Sampling

        temperature = usual_temperature if self.temperature is None else self.temperature
        return Sampling(self.seed, temperature, self.top_k, self.top_p, self.particles)


def drawing(command: F) -> F:
    """Add `--temperature`, `--top-k`, `--top-p`, `--particles`, `--seed` and `--tempo`, as `drawing: Drawing`."""

    @click.option(
        "--temperature",
        type=options.Number(0, 100),
        help="0 takes the likeliest, above 1 takes risks; by default what suits the family.",
    )
    @click.option("--top-k", type=click.IntRange(min=0), default=0, help="Draw from the K likeliest only.")
    @click.option("--top-p", type=options.Number(0, 1), default=1.0, help="Draw from the likeliest that sum to P only.")
    @click.option(
        "--particles",
        type=click.IntRange(min=1, max=4096),
        default=32,
        show_default=True,
        help="Versions that a left-to-right model writes side by side to meet what is fixed ahead.",
    )
    @options.seed
    @click.option("--tempo", type=options.Number(4, 1000), metavar="Q", help="Quarter notes per minute.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        temperature: float | None,
        top_k: int,
        top_p: float,
        particles: int,
        seed: int | None,
        tempo: float | None,
        **others: Any,
    ) -> Any:
        chosen = Drawing(temperature, top_k, top_p, options.settle_seed(seed), tempo, particles)
        return command(*args, drawing=chosen, **others)

    return wrapped  # type: ignore[return-value]


@dataclass(frozen=True)
class Series:
    """The options that say how many pieces are wanted, and where they go."""

    output: Output
    count: int
    start: int
    suffix: str | None
    as_json: bool

    @property
    def numbers(self) -> range:
        """Of the pieces."""
        return range(self.start, self.start + self.count)


def series(command: F) -> F:
    """Add `-o`, `--overwrite`, `-n`, `--start`, `--to` and `--json`; the command gets `series: Series`."""

    @options.output("File to write (.mid, .abc, .musicxml, ...), a folder, or - for stdout.")
    @options.count
    @click.option(
        "--start", type=click.IntRange(min=1), default=1, show_default=True, help="Number of the first piece."
    )
    @write_as
    @options.as_json
    @functools.wraps(command)
    def wrapped(
        *args: Any, output: Output, count: int, start: int, suffix: str | None, as_json: bool, **others: Any
    ) -> Any:
        check(output, count, suffix, as_json)
        return command(*args, series=Series(output, count, start, suffix, as_json), **others)

    return wrapped  # type: ignore[return-value]


def check(output: Output, count: int, suffix: str | None, as_json: bool) -> None:
    """Refuse, before composing, what could not be written.

    Raises:
        click.UsageError: the options contradict each other.
        MusegenError: no format has the file's suffix.
    """
    if output.is_stdout and as_json:
        raise click.UsageError("stdout cannot carry both the music and --json")
    if output.is_folder:
        return
    form = format_of(f"x.{suffix or 'mid'}") if output.is_stdout or suffix else format_of(output.name)
    if count > 1 and form.name != "ABC":
        raise MusegenError(f"a {form.name} file holds one piece, not {count}", "Name a folder, such as -o out/.")


def deliver(
    model: Checkpoint,
    how: Sampling,
    pieces: Iterable[Piece],
    series: Series,
    made: Recipe,
    facts: Callable[[Piece], dict[str, Any]] = lambda piece: {},
) -> None:
    """Write pieces as they are finished, and tell where, or what is in them.

    Args:
        model: which writes them.
        how: the seed.
        pieces: as they come.
        series: how many, and where to.
        made: what goes along with each.
        facts: more to say of a piece.
    """
    from musegen.composing import describe

    output, suffix, book = series.output, series.suffix, []
    with progress(series.count, "composing", "pieces") as advance:
        for piece in pieces:
            if piece.moved:
                talk(f"piece {piece.number}: {model.name} had it {piece.moved:+d} semitones, its range; moved back")
            told = describe(model, how, piece) | facts(piece)
            if output.is_folder:
                target = output.inside(f"{model.name}-{how.seed}-{piece.number:04d}.{suffix or 'mid'}")
                write([piece], target, suffix, made)
                tell(target.path, told, series.as_json)
            else:
                book.append((piece, told))
            advance()
    if book:
        write([piece for piece, _ in book], output, suffix, made)
        for _, told in book if series.as_json else ():
            tell(Path(output.name), told, as_json=True)


def write(pieces: Sequence[Piece], output: Output, suffix: str | None, made: Recipe) -> None:
    """Write pieces as one file; what made them goes along, so that `musegen replay` can make them again."""
    form = format_of(f"x.{suffix or 'mid'}") if output.is_stdout or suffix else format_of(output.name)
    facts = json.loads(pieces[0].provenance) | made.for_piece(pieces[0].number, len(pieces))
    data = write_scores([piece.score for piece in pieces], form, provenance.line(facts))
    output.write(data, text=form.name in ("ABC", "MusicXML"))


def tell(path: Path, facts: dict[str, Any], as_json: bool) -> None:
    """Print a written file's path, or what is in it as JSON."""
    if as_json:
        click.echo(json.dumps({"path": str(path)} | facts))
    else:
        print_path(path)

"""What the verbs that compose share: how symbols are drawn, and where pieces go."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli import options
from musegen.cli.output import Output, print_path
from musegen.errors import MusegenError
from musegen.formats import format_of
from musegen.formats import write as write_scores

if TYPE_CHECKING:
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

    def sampling(self, usual_temperature: float) -> Sampling:
        """As models take it."""
        from musegen.models.base import Sampling

        temperature = usual_temperature if self.temperature is None else self.temperature
        return Sampling(self.seed, temperature, self.top_k, self.top_p)


def drawing(command: F) -> F:
    """Add `--temperature`, `--top-k`, `--top-p`, `--seed` and `--tempo`; the command gets `drawing: Drawing`."""

    @click.option(
        "--temperature",
        type=options.Number(0, 100),
        help="0 takes the likeliest, above 1 takes risks; by default what suits the family.",
    )
    @click.option("--top-k", type=click.IntRange(min=0), default=0, help="Draw from the K likeliest only.")
    @click.option("--top-p", type=options.Number(0, 1), default=1.0, help="Draw from the likeliest that sum to P only.")
    @options.seed
    @click.option("--tempo", type=options.Number(4, 1000), metavar="Q", help="Quarter notes per minute.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        temperature: float | None,
        top_k: int,
        top_p: float,
        seed: int | None,
        tempo: float | None,
        **others: Any,
    ) -> Any:
        chosen = Drawing(temperature, top_k, top_p, options.settle_seed(seed), tempo)
        return command(*args, drawing=chosen, **others)

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


def write(pieces: Sequence[Piece], output: Output, suffix: str | None) -> None:
    """Write pieces as one file; what made them goes along where the format can carry it."""
    form = format_of(f"x.{suffix or 'mid'}") if output.is_stdout or suffix else format_of(output.name)
    data = write_scores([piece.score for piece in pieces], form, pieces[0].provenance)
    output.write(data, text=form.name in ("ABC", "MusicXML"))


def tell(path: Path, facts: dict[str, Any], as_json: bool) -> None:
    """Print a written file's path, or what is in it as JSON."""
    if as_json:
        click.echo(json.dumps({"path": str(path)} | facts))
    else:
        print_path(path)

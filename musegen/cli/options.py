"""Options that commands share: one spelling and one meaning each."""

from __future__ import annotations

import functools
import math
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

import click

from musegen.cli.output import Output
from musegen.cli.talk import QUIET, talk
from musegen.errors import MusegenError
from musegen.formats import FORMATS
from musegen.score import Key, Metre

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Number(click.FloatRange):
    """The type of an option that takes a number within bounds; not NaN or infinity, which click lets through."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Text -> number."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


def output(what: str = "File to write; - is stdout.", *, required: bool = True, check: bool = True) -> Callable[[F], F]:
    """Add `-o/--output` and `--overwrite`; the command gets them as `output: Output`.

    What could not be written is refused here already, before the command does any work.

    Args:
        what: the help of `-o`.
        required: whether it must be given; if not, `Output.or_else` says where to write.
        check: False for a command that may go on with a file that exists, and checks for itself.
    """

    def decorate(command: F) -> F:
        @click.option("-o", "--output", "target", required=required, metavar="OUT", help=what)
        @click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
        @functools.wraps(command)
        def wrapped(*args: Any, target: str | None, overwrite: bool, **others: Any) -> Any:
            chosen = Output(target or "", overwrite)
            if check:
                chosen.check()
            return command(*args, output=chosen, **others)

        return wrapped  # type: ignore[return-value]

    return decorate


def _be_quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.meta[QUIET] = value


quiet = click.option(
    "-q", "--quiet", is_flag=True, expose_value=False, callback=_be_quiet, help="Say nothing but errors."
)
"""`--quiet`: `talk` and `progress` obey it by themselves."""

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
"""`--json`, as the argument `as_json`."""

seed = click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help="Seed of the random numbers; drawn and reported when not given.",
)
"""`--seed`: an int or None; hand it to `settle_seed`."""

count = click.option("-n", "--count", type=click.IntRange(min=1), default=1, show_default=True, help="How many pieces.")
"""`-n`, as the argument `count`."""

device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where to compute; auto takes a GPU where there is one.",
)
"""`--device`."""


FORMAT = click.Choice([each.suffixes[0][1:] for each in FORMATS])
"""A format by its suffix, without the dot."""

read_as = click.option("--from", "read_as", type=FORMAT, help="Format of stdin; recognised when not given.")
"""`--from`, for a source that has no suffix."""

tune = click.option("--tune", type=click.IntRange(min=1), metavar="N", help="Which piece, where a file holds many.")
"""`--tune`: the piece's number, from 1, or None."""


def settle_seed(value: int | None) -> int:
    """The seed that was given, or one drawn from the system's entropy, which is reported."""
    if value is not None:
        return value
    drawn = secrets.randbits(32)
    talk(f"seed {drawn}")
    return drawn


def key(text: str) -> Key:
    """The type of an option that takes a key, such as `G`, `F#m` or `A dorian`; what is none is misuse."""
    return _parsed(Key.parse, text)


def metre(text: str) -> Metre:
    """The type of an option that takes a metre, such as `6/8`; what is none is misuse."""
    return _parsed(Metre.parse, text)


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except MusegenError as error:
        raise click.BadParameter(str(error)) from error

"""Options that say where in a latent space to compose: a code, and more or less of an attribute."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli import options
from musegen.cli.talk import talk
from musegen.errors import MusegenError

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling

F = TypeVar("F", bound=Callable[..., Any])

MOST = 10.0
"""Standard deviations that may be asked for."""


@dataclass(frozen=True)
class Point:
    """A code as it is written: numbers with commas between."""

    values: tuple[float, ...]

    def __str__(self) -> str:
        return ",".join(map(repr, self.values))


def point(text: str) -> Point:
    """The type of an option that takes a code, such as `0.5,-1`; what is none is misuse."""
    try:
        values = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a code: write numbers with commas between, such as 0.5,-1") from None
    if not all(math.isfinite(each) and abs(each) <= 1000 for each in values):
        raise click.BadParameter(f"{text!r} lies outside every latent space")
    return Point(values)


@dataclass(frozen=True)
class Latent:
    """Where to compose.

    Attributes:
        code: of every piece; None draws one for each.
        wishes: attributes by name, and how many standard deviations more of each; below 0 is less.
    """

    code: tuple[float, ...] | None = None
    wishes: tuple[tuple[str, float], ...] = ()

    def sampling(self, model: Checkpoint, how: Sampling) -> Sampling:
        """The same sampling at this place; says so where the latent space hardly knows what is asked for.

        Raises:
            MusegenError: the model has no latent space, one of other dimensions, or no such direction.
        """
        if self.code is None and not self.wishes:
            return how

        from musegen.models.vae import VAESettings
        from musegen.models.vae.directions import known_directions, shift

        if not isinstance(model.settings, VAESettings):
            raise MusegenError(
                f"{model.name} is of the family {model.family.name}, which has no latent space",
                "Leave out --latent, --more and --less, or use a vae.",
            )
        dimensions = model.settings.latent
        if self.code is not None and len(self.code) != dimensions:
            raise MusegenError(
                f"a code of {model.name} has {dimensions} numbers, not {len(self.code)}",
                f"Write it such as --latent {','.join(['0.5'] * dimensions)}.",
            )
        if not self.wishes:
            return replace(how, code=self.code)
        known = known_directions(model.card)
        if not known:
            raise MusegenError(f"{model.name} was trained before attributes had directions", "Train it anew.")
        toward = shift(known, self.wishes)
        for name, amount in self.wishes:
            if (found := known[name]).reach < 1:
                talk(
                    f"{name} goes with the latent space of {model.name} only at R = {found.correlation:.2f}: of "
                    f"{amount:+g} standard deviations, {amount * found.reach:+.2f} are to be expected"
                )
        return replace(how, code=self.code, toward=toward)


def steering(command: F) -> F:
    """Add `--latent`, `--more` and `--less`; the command gets `latent: Latent`."""
    wish: dict[str, Any] = {"type": (str, options.Number(0, MOST)), "multiple": True, "metavar": "NAME AMOUNT"}

    @click.option(
        "--latent",
        type=point,
        metavar="X,Y",
        help="Compose under this code, where a vae's map has it; else one is drawn.",
    )
    @click.option(
        "--more",
        **wish,
        help="More of an attribute, in the corpus's standard deviations: pitch, range, 'note length', 'note density' "
        "or leap; may be given again.",
    )
    @click.option("--less", **wish, help="Less of it.")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        latent: Point | None,
        more: tuple[tuple[str, float], ...],
        less: tuple[tuple[str, float], ...],
        **others: Any,
    ) -> Any:
        wishes = [(_named(name), amount) for name, amount in more] + [(_named(name), -amount) for name, amount in less]
        return command(*args, latent=Latent(latent.values if latent else None, tuple(wishes)), **others)

    return wrapped  # type: ignore[return-value]


def _named(text: str) -> str:
    """An attribute's name however it is spelt: `Note-Density` is `note density`."""
    return " ".join(text.replace("-", " ").replace("_", " ").lower().split())

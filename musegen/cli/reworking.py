"""What the verbs that rework a piece share: where it comes from, which model, and what becomes of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli import generating, options, recipe
from musegen.cli.music import SOURCE, chosen, read_music, take
from musegen.cli.steering import facts, files, steering
from musegen.cli.talk import talk

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.models.base import Sampling
    from musegen.representation.constraints import Constraints
    from musegen.representation.roll import Roll
    from musegen.representation.template import Template
    from musegen.score import Score

F = TypeVar("F", bound=Callable[..., Any])

Ask = Callable[[int], "Template"]
"""The number of a piece -> what is asked of the model."""
Prepare = Callable[["Checkpoint", "Score", "Sampling"], "tuple[Ask, Roll | None, str]"]
"""Model, piece and sampling -> what to ask for each number, the piece on the model's grid if something of it may be
kept, and what of it had to be moved to that grid."""


@dataclass(frozen=True)
class Job:
    """A piece to be reworked, and how.

    Attributes:
        source: a path, or `-` for stdin.
        model: a trained model's name or file; None for what suits the piece.
        constraints: what is asked of the new notes.
        drawing: how they are drawn.
        series: how many pieces, and where they go.
        read_as: format of stdin.
        tune: which piece, where a file holds many.
    """

    source: str
    model: str | None
    constraints: Constraints
    drawing: generating.Drawing
    series: generating.Series
    read_as: str | None
    tune: int | None

    @property
    def name(self) -> str:
        """What to call the piece."""
        return "stdin" if self.source == "-" else self.source

    def run(self, prepare: Prepare, usual: str | None = None) -> None:
        """Read the piece, ask, compose, write.

        Args:
            prepare: how the verb goes about it.
            usual: the model when none is named; by default one that has the piece's number of voices.
        """
        from musegen import composing
        from musegen.checkpoints import load_checkpoint

        data = take(self.source)
        found = chosen(read_music(self.source, self.read_as, data), self.tune, self.name)
        if len(found) > 1:
            talk(f"{self.name} holds {len(found)} pieces; taking the first, choose another with --tune N")
        score = found[0]
        model = load_checkpoint(self.model or usual or _suiting(score))
        how = self.drawing.sampling(model.family.temperature)
        wishes = composing.Wishes(tempo=self.drawing.tempo, constraints=self.constraints)
        ask, original, moved = prepare(model, score, how)
        if moved:
            talk(f"{self.name}: {moved}")
        for metre in dict.fromkeys(metre for _, metre in score.metres if metre not in model.vocabulary.metres):
            talk(f"{model.name} has learnt nothing in {metre}: expect little of its rhythm")

        def asked() -> Any:
            for number in self.series.numbers:
                template = ask(number)
                if wishes.tempo:
                    template = replace(template, roll=replace(template.roll, tempi=((0, wishes.tempo),)))
                yield number, composing.narrow(model, template, self.constraints, original)

        parameter = next(each.name for each in click.get_current_context().command.params if each.type is SOURCE)
        made = recipe.record(how, recipe.Input.of(str(parameter), self.source, data), *files())
        pieces = composing.compose(model, how, asked(), wishes)
        generating.deliver(model, how, pieces, self.series, made, facts(self.constraints))


def reworking(argument: str) -> Callable[[F], F]:
    """Add the argument that names the piece, and all options of a verb that reworks it; it gets `job: Job`.

    Args:
        argument: its name.
    """

    def decorate(command: F) -> F:
        @click.argument(argument, type=SOURCE)
        @click.option("--model", help="A trained model's name or file; by default one that suits the piece.")
        @steering
        @generating.drawing
        @options.read_as
        @options.tune
        @generating.series
        @options.quiet
        @functools.wraps(command)
        def wrapped(
            *args: Any,
            model: str | None,
            constraints: Constraints,
            drawing: generating.Drawing,
            series: generating.Series,
            read_as: str | None,
            tune: int | None,
            **others: Any,
        ) -> Any:
            job = Job(others.pop(argument), model, constraints, drawing, series, read_as, tune)
            return command(*args, job=job, **others)

        return wrapped  # type: ignore[return-value]

    return decorate


def _suiting(score: Score) -> str:
    """A shipped model for as many voices."""
    return "celtic-lstm" if sum(bool(voice.notes) for voice in score.voices) == 1 else "bach-lstm"

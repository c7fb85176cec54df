"""The option that has new pieces follow the plan of an existing one, and what is said of how well it held."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click

from musegen.cli.music import SOURCE, read_music, take
from musegen.cli.recipe import Input
from musegen.cli.talk import progress, table, talk

if TYPE_CHECKING:
    from musegen.checkpoints import Checkpoint
    from musegen.composing import Piece, Wishes
    from musegen.imposing import Report
    from musegen.models.base import Sampling

F = TypeVar("F", bound=Callable[..., Any])
Facts = Callable[["Piece"], dict[str, Any]]

MOST = 100_000
"""Proposals that may be asked for."""


@dataclass
class Like:
    """Which piece gives the plan, if any.

    Attributes:
        source: a path, `-` for stdin, or None.
        effort: proposals for each piece; None for the usual number.
        inputs: what was read, for the recipe.
        reports: how well the plan held, by the piece's number; filled as pieces are composed.
    """

    source: str | None = None
    effort: int | None = None
    inputs: list[Input] = field(default_factory=list)
    reports: dict[int, Report] = field(default_factory=dict)

    def pieces(self, model: Checkpoint, how: Sampling, numbers: Sequence[int], wishes: Wishes) -> Iterator[Piece]:
        """Read the plan now, and compose on it piece by piece.

        Raises:
            MusegenError: the piece cannot be read, or the model cannot follow it.
        """
        from musegen.imposing import plan_of

        assert self.source is not None
        data = take(self.source)
        self.inputs.append(Input.of("like", self.source, data))
        scores = read_music(self.source, None, data).scores
        if len(scores) > 1:
            talk(f"{self.name} holds {len(scores)} pieces; the first is the plan")
        plan = plan_of(model, scores[0], self.name, wishes.key, wishes.tempo)
        if plan.moved:
            talk(f"{self.name}: {plan.moved}")
        return self._composed(model, how, numbers, wishes, plan)

    def _composed(
        self, model: Checkpoint, how: Sampling, numbers: Sequence[int], wishes: Wishes, plan: Any
    ) -> Iterator[Piece]:
        from musegen.imposing import EFFORT, impose

        effort = EFFORT if self.effort is None else self.effort
        with progress(effort * len(numbers), "following the plan", "proposals") as advance:
            for piece, report in impose(model, how, numbers, wishes, plan, effort, advance):
                talk(f"piece {piece.number}, after {self.name}:\n{_table(report)}")
                self.reports[piece.number] = report
                yield piece

    @property
    def name(self) -> str:
        """What to call the piece."""
        return "stdin" if self.source == "-" else str(self.source)

    def facts(self, others: Facts) -> Facts:
        """Of a piece, for `--json`: what the command says anyway, and how well the plan held, where there is one."""

        def found(piece: Piece) -> dict[str, Any]:
            report = self.reports.pop(piece.number, None)
            return others(piece) | ({"like": _rounded(asdict(report))} if report else {})

        return found


def planning(command: F) -> F:
    """Add `--like` and `--effort`; the command, which has `bars` and `metre`, gets `like: Like`."""

    @click.option(
        "--like",
        type=SOURCE,
        metavar="PIECE",
        help="Take the plan of this piece, and none of its notes: length, metre and key, which bars resemble which, "
        "degrees of the scale, accents; - is stdin.",
    )
    @click.option(
        "--effort",
        type=click.IntRange(0, MOST),
        metavar="N",
        help="Proposals on the way to the plan of --like.  [default: 192]",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, like: str | None, effort: int | None, **others: Any) -> Any:
        if like is None and effort is not None:
            raise click.UsageError("--effort is for --like")
        for name in ("bars", "metre"):
            if like is not None and others[name] is not None:
                raise click.UsageError(f"--like takes the {name} from the piece: leave out --{name}")
        return command(*args, like=Like(like, effort), **others)

    return wrapped  # type: ignore[return-value]


def _table(report: Report) -> str:
    """How well a plan held, for people."""
    three = report.result, report.begun, report.unguided
    rows: list[list[object]] = [
        ["which bars are alike, correlation", *(each.similarity for each in three)],
        ["key profile, distance", *(each.key for each in three)],
        ["metre, distance", *(each.metre for each in three)],
        ["bars that stand in the plan's piece", report.copied, None, report.unguided_copied],
    ]
    if report.nats is not None:
        rows.append(["nats per note", report.nats, None, report.unguided_nats])
    return table(rows, ("", "this piece", "the sample it grew from", "plain samples, mean"))


def _rounded(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _rounded(value) if isinstance(value, dict) else round(value, 4) if isinstance(value, float) else value
        for name, value in facts.items()
    }

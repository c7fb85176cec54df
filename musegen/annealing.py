"""Bringing a piece near a plan by proposing and accepting: simulated annealing with a model that proposes.

Passages of the piece are written anew by any model that fills holes, or repeat an earlier passage of the piece with
only the seams written anew. Of several proposals one is chosen by what it would cost, and taken or not (multiple-try
Metropolis; Liu, Liang and Wong 2000, https://doi.org/10.1080/01621459.2000.10473908), at a temperature that falls
(Kirkpatrick, Gelatt and Vecchi 1983, https://doi.org/10.1126/science.220.4598.671). What other proposals do better
elsewhere in the piece is taken over too, so this searches; it does not draw from a distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from musegen import composing
from musegen.checkpoints import Checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Composer, Filling, Sampling
from musegen.representation.constraints import Constraints
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.structure import Floats, Likeness, Structure, spans
from musegen.representation.template import Template, violations

SAMPLES = 24
"""Plain samples, of which the best is begun with."""
PARTICLES = 2
"""Versions of each proposal: fewer than for a hole that is filled once, since there are many proposals."""
HOT, COLD = 0.01, 0.0005
"""The temperature of accepting, at first and in the end, in units of the cost."""
FLUENCY = 0.1
"""What a nat per note more than plain samples have on average is added to the cost: a plan must not ruin the music."""
FORM = 0.35
"""Share of proposals that repeat an earlier passage, while the plan has any that the piece does not repeat."""
ALIKE = 0.75
"""Similarity from which two bars of a plan count as one repeating the other."""
LONGEST_PASSAGE, LONGEST_REPEAT = 4, 8
"""Bars."""
_SEARCH = 5
"""The stream of random numbers that chooses passages, and what is accepted."""
_PIECES = 2**32
"""Numbers kept for the proposals of one piece: each draws its notes with its own."""


@dataclass(frozen=True, eq=False)
class State:
    """A whole piece on the way.

    Attributes:
        roll: its notes.
        nats: how surprised the model is by it; None when it cannot say.
        structure: of the notes.
        likeness: to the plan.
        cost: with what disfluency adds.
    """

    roll: Roll
    nats: float | None
    structure: Structure
    likeness: Likeness
    cost: float


class Search:
    """The way of one piece.

    Args:
        model: whose range and voices count.
        composer: the same, ready to compose.
        how: temperature and the like, and the seed.
        number: of the piece.
        plan: what it is to be like.
        asked: its frame, all open, with all that is asked besides.
        constraints: the same, for the holes.
    """

    def __init__(
        self,
        model: Checkpoint,
        composer: Composer,
        how: Sampling,
        number: int,
        plan: Structure,
        asked: Template,
        constraints: Constraints,
    ) -> None:
        self.model, self.composer, self.constraints = model, composer, constraints
        self.plan, self.asked = plan, asked
        self.generator = how.generator(number, _SEARCH)
        self.next = number * _PIECES
        self.quick = replace(how, particles=min(how.particles, PARTICLES))
        self.bars = spans(asked.roll)
        self.usual: float | None = None
        fillings = self._fill([asked] * SAMPLES, how)
        nats = [per_note(each.nats, each.roll) for each in fillings]
        known = [each for each in nats if each is not None]
        self.usual = float(np.mean(known)) if known else None
        self.samples = [self._state(each.roll, each.nats) for each in fillings]
        self.current = self.best = self.begun = min(self.samples, key=lambda state: state.cost)
        self.accepted = 0

    def _fill(self, templates: Sequence[Template], how: Sampling) -> list[Filling]:
        numbers = range(self.next, self.next + len(templates))
        self.next += len(templates)
        return self.composer.fill(templates, how, numbers)

    def _state(self, roll: Roll, nats: float | None) -> State:
        structure = Structure.of(roll)
        likeness = Likeness.of(self.plan, structure)
        own = per_note(nats, roll)
        excess = max(0.0, own - self.usual) if own is not None and self.usual is not None else 0.0
        return State(roll, nats, structure, likeness, likeness.cost + FLUENCY * excess)

    def round(self, progress: float, count: int) -> None:
        """Make some proposals at once, and go where they lead.

        Args:
            progress: how far the search has come, 0 to 1.
            count: how many proposals.
        """
        templates = []
        for _ in range(count):
            repeats = self.generator.random() < FORM
            if (template := self._repeat() if repeats else None) is None:
                template = self._passage(progress)
            if template is not None:
                templates.append(template)
        states = [self._state(each.roll, each.nats) for each in self._fill(templates, self.quick)] if templates else []
        states = [state for state in states if not self._broken(state.roll)]
        if not states:
            return
        temperature = HOT * (COLD / HOT) ** progress
        gains = np.array([self.current.cost - state.cost for state in states]) / temperature
        chances = np.exp(gains - gains.max())
        chosen = int(self.generator.choice(len(states), p=chances / chances.sum()))
        before = self.current
        if np.log(max(self.generator.random(), 1e-300)) < gains[chosen]:
            self._go(states[chosen])
        self._join(before, [states[i] for i in np.argsort(-gains, kind="stable") if i != chosen and gains[i] > 0])

    def _go(self, state: State) -> None:
        self.current = state
        self.accepted += 1
        if state.cost < self.best.cost and state.likeness.cost <= self.begun.likeness.cost:
            self.best = state  # more fluent, yet farther from the plan than at first, is not what was asked

    def _join(self, before: State, others: Sequence[State]) -> None:
        """Take over what other proposals do better elsewhere: where they leave a bar between them and other changes.

        Each was written into the piece as it was, so the model is asked anew what it makes of them together.
        """
        joined = [self.current]
        for other in others:
            elsewhere = self._changed(before.roll, other.roll)
            if self._near(elsewhere) & self._changed(before.roll, joined[-1].roll):
                continue
            changed = (other.roll.symbols != before.roll.symbols).any(axis=1, keepdims=True)
            roll = before.roll.with_symbols(np.where(changed, other.roll.symbols, joined[-1].roll.symbols))
            state = self._state(roll, None)
            if state.likeness.cost < joined[-1].likeness.cost and not self._broken(roll):
                joined.append(state)
        if len(joined) == 1:
            return
        if self.usual is not None:
            surprises = self.composer.surprise([state.roll for state in joined[1:]])
            joined[1:] = [
                self._state(state.roll, float(surprise.nats.sum()))
                for state, surprise in zip(joined[1:], surprises, strict=True)
            ]
        best = min(joined, key=lambda state: state.cost)
        if best is not self.current:
            self._go(best)

    def _changed(self, one: Roll, other: Roll) -> set[int]:
        """Bars, by number from the first, in which two rolls differ; a pickup is -1."""
        steps = np.flatnonzero((one.symbols != other.symbols).any(axis=1))
        starts = [start for start, _ in self.bars]
        return {int(bar) - 1 for bar in np.searchsorted(starts, steps, side="right")}

    @staticmethod
    def _near(changed: set[int]) -> set[int]:
        return {bar + by for bar in changed for by in (-1, 0, 1)}

    def _broken(self, roll: Roll) -> bool:
        """Whether anything that is asked does not hold in the whole piece."""
        return bool(self.constraints) and bool(violations(self.asked, roll))

    def _passage(self, progress: float) -> Template | None:
        """Some bars open, shorter ones later, and those sooner that resemble others otherwise than the plan's do."""
        if not self.bars:
            return self.asked
        longest = min(len(self.bars), 1 + round((LONGEST_PASSAGE - 1) * (1 - progress)))
        length = int(self.generator.integers(1, longest + 1))
        weights = np.convolve(0.2 + self._faults(), np.ones(length), "valid")
        first = int(self.generator.choice(len(weights), p=weights / weights.sum()))
        is_open = np.zeros(self.current.roll.symbols.shape, np.bool_)
        begin = 0 if first == 0 else self.bars[first][0]
        is_open[begin : self.bars[first + length - 1][1]] = True
        return self._hole(self.current.roll, is_open)

    def _faults(self) -> Floats:
        """(B,) how far the similarities of each bar with the others are from the plan's, both as deviations."""
        plan, own = (_standard(each) for each in (self.plan, self.current.structure))
        apart = np.abs(plan - own)
        np.fill_diagonal(apart, 0)
        return np.asarray(apart.mean(axis=1))

    def _repeat(self) -> Template | None:
        """An earlier passage repeated where the plan repeats one and the piece does not; its seams open."""
        plan, own = self.plan.similarity, self.current.structure.similarity
        wanted = np.triu(np.where(plan >= ALIKE, np.maximum(0, plan - own - 0.1), 0), 1)
        if not wanted.any():
            return None
        pair = int(self.generator.choice(wanted.size, p=wanted.ravel() / wanted.sum()))
        source, target = divmod(pair, len(plan))
        length = 1
        most = int(self.generator.integers(1, LONGEST_REPEAT + 1))
        while (
            length < most
            and source + length < target
            and target + length < len(plan)
            and plan[source + length, target + length] >= ALIKE
        ):
            length += 1
        begins, ends = (self.bars[bar][0] for bar in (source, target))
        steps = min(self.bars[bar + length - 1][1] - self.bars[bar][0] for bar in (source, target))
        symbols = self.current.roll.symbols.copy()
        heard = self.current.roll.sounding()
        symbols[ends : ends + steps] = symbols[begins : begins + steps]
        symbols[ends] = heard[begins]  # a note that is held into the passage begins with it
        after = ends + steps
        if after < len(symbols):  # and what was held out of the one that went begins anew
            symbols[after] = np.where(symbols[after] == HOLD, heard[after], symbols[after])
        roll = self.current.roll.with_symbols(symbols)
        bar, last = (self.bars[each][1] - self.bars[each][0] for each in (target, target + length - 1))
        before = int(self.generator.choice([bar // 4, bar // 2, bar]))
        within = int(self.generator.choice([0, last // 2, last])) if length > 1 else 0
        is_open = np.zeros(symbols.shape, np.bool_)
        is_open[max(0, ends - before) : ends] = True
        is_open[after - within : after + (last // 4 if after < len(symbols) else 0)] = True
        return self._hole(roll, is_open)

    def _hole(self, roll: Roll, is_open: NDArray[np.bool_]) -> Template | None:
        """A hole that keeps to what is asked; None where nothing can be opened, or what is asked cannot be met."""
        for copy in self.asked.copies:  # what must be alike is opened together
            both = np.zeros_like(is_open[: copy.steps])
            for start in (copy.source, copy.target):
                both |= is_open[start : start + copy.steps]
            for start in (copy.source, copy.target):
                is_open[start : start + copy.steps] |= both
        try:
            hole = Template.hole(roll, is_open)
            return composing.narrow(self.model, hole, self.constraints, roll)
        except MusegenError:
            return None


def per_note(nats: float | None, roll: Roll) -> float | None:
    """Nats of a piece -> nats for each of its notes."""
    notes = int((roll.symbols < REST).sum())
    return nats / notes if nats is not None and notes else None


def _standard(structure: Structure) -> Floats:
    """(B, B) similarities as deviations from their mean."""
    pairs = structure.pairs
    return (structure.similarity - (pairs.mean() if len(pairs) else 0)) / (max(pairs.std(), 1e-9) if len(pairs) else 1)

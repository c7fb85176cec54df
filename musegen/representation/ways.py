"""Which ways are left to complete a voice: the backward pass over its automaton, exact for every constraint.

A sampler that writes a symbol only where a way is left after it never gets stuck and never breaks a constraint.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from musegen.representation.automaton import Automaton, Flags, Ints, Rule, heard, line, product
from musegen.representation.roll import HOLD, REST
from musegen.representation.template import Copy, Template


@dataclass(frozen=True, eq=False)
class Cells:
    """One voice of a template as a model may write it (S steps, K classes, P pitches).

    Attributes:
        classes: (S, K) which class each cell may take; one only where it is fixed.
        sounds: (S, P + 1) which pitch may sound there, or, last, silence.
        new: (S,) which of the automaton's tables holds: 0 in cells that were given, 1 in open ones, in which rules are
            judged, 2 in the first onset or rest given after these.
        automaton: of the line and all rules.
        heard: (Q,) the class that sounds in each of its states; P in silence.
        copies: passages that repeat earlier ones, and end in the same state as these.
    """

    classes: Flags
    sounds: Flags
    new: Ints
    automaton: Automaton
    heard: Ints
    copies: tuple[Copy, ...] = ()

    @classmethod
    def of(cls, template: Template, voice: int, low: int, pitches: int, in_range: Flags | None = None) -> Cells:
        """Read a voice of a template.

        Args:
            template: its fixed pitches lie within the classes.
            voice: from 0.
            low: the lowest pitch with a class.
            pitches: how many have one.
            in_range: (K,) what open cells may take at all.
        """
        steps, k = template.roll.steps, pitches + 2
        kept = np.concatenate([np.arange(low, low + pitches), [REST, HOLD]])
        is_open = template.open[:, voice]
        symbols = template.roll.symbols[:, voice].astype(np.int64)
        fixed = np.where(symbols < REST, symbols - low, pitches + (symbols == HOLD))
        classes = np.ones((steps, k), bool) if template.allowed is None else template.allowed[:, voice][:, kept]
        if in_range is not None:
            classes = classes & in_range
        classes = np.where(is_open[:, None], classes, np.arange(k) == fixed[:, None])
        sounds = np.ones((steps, pitches + 1), bool)
        if template.sounding is not None:
            sounds[is_open] = template.sounding[is_open, voice][:, kept[:-1]]
        for copy in template.copies:  # cells that will be the same may take what both may
            here, there = slice(copy.source, copy.source + copy.steps), slice(copy.target, copy.target + copy.steps)
            classes[here] &= classes[there]
            sounds[here] &= sounds[there]
        for copy in template.copies:
            there = slice(copy.target, copy.target + copy.steps)
            classes[there] = classes[copy.source : copy.source + copy.steps]
            sounds[there] = sounds[copy.source : copy.source + copy.steps]
        rules = tuple(rule for rule in template.rules if rule.voice == voice)
        copies = () if any(rule.counts for rule in rules) else template.copies
        automaton, sounding = _automaton(rules, low, pitches)
        return cls(classes, sounds, _new(is_open, symbols), automaton, sounding, copies)


@lru_cache(64)
def _automaton(rules: tuple[Rule, ...], low: int, pitches: int) -> tuple[Automaton, Ints]:
    """Of any line that obeys some rules, and the class that sounds in each of its states."""
    automaton, origins = product([line(pitches), *(rule.automaton(low, pitches) for rule in rules)])
    return automaton, heard(pitches)[origins[:, 0]]


def _new(is_open: Flags, symbols: Ints) -> Ints:
    """(S,) 1 in open cells, 2 in the first onset or rest after them, 0 in the others."""
    new = is_open.astype(np.int64)
    after = False
    for step, opened in enumerate(is_open):
        if opened:
            after = True
        elif after and symbols[step] != HOLD:
            new[step], after = 2, False
    return new


@dataclass(eq=False)
class Ways:
    """What is left to write in one voice (S steps, Q states of the automaton and one more, which is dead).

    Attributes:
        cells: the voice.
        steps: (3, Q + 1, K) the state after each class, in each kind of cells.
        after: (S + 1, Q + 1) whether a state, once reached by writing a step, is legal there and leads to a legal end.
        stay: (S + 1, Q + 1) how many steps from here on nothing need change in each state.
        move: (S + 1, Q + 1) whether something may change here.
        still: (Q + 1,) the class by which nothing changes: a hold, or in silence a rest.
        begin: whether the voice can be completed at all.
    """

    cells: Cells
    steps: Ints = field(init=False)
    after: Flags = field(init=False)
    stay: NDArray[np.int32] = field(init=False)
    move: Flags = field(init=False)
    still: Ints = field(init=False)
    begin: bool = field(init=False)
    _onward: Ints = field(init=False)
    _changes: list[tuple[Ints, Ints]] = field(init=False)

    def __post_init__(self) -> None:
        automaton, (count, k) = self.cells.automaton, self.cells.classes.shape
        states = len(automaton.final)
        tables = np.stack(automaton.tables)
        dead = np.full((3, 1, k), states)
        self.steps = np.concatenate([np.where(tables < 0, states, tables), dead], axis=1)
        silent = np.append(self.cells.heard == k - 2, True)
        self.still = np.where(silent, k - 2, k - 1)
        # Where something changes, many states (as old as a note may be) go on alike, and are looked at together.
        everyone = np.arange(states + 1)
        self._onward = self.steps[:, everyone, self.still]
        changes = self.steps.copy()
        changes[:, everyone, self.still] = states
        self._changes = [_distinct(table) for table in changes]
        self.after = np.zeros((count + 1, states + 1), bool)  # as long as the others, to be looked up alike
        self.stay = np.zeros((count + 1, states + 1), np.int32)
        self.move = np.zeros((count + 1, states + 1), bool)
        self._look_back()

    @property
    def stuck(self) -> int | None:
        """The step at which the voice cannot be completed whatever comes before; None where it can be."""
        if self.begin:
            return None
        alive = np.flatnonzero(self.after.any(axis=1))
        return max(0, int(alive[0]) - 1) if len(alive) else len(self.after) - 2

    def held(self, longest: int) -> Ints:
        """(Q + 1, longest) the state after so many steps, from 0, in which nothing changes."""
        onward = self.steps[0, np.arange(len(self.still)), self.still]
        path = [np.arange(len(onward))]
        for _ in range(longest - 1):
            path.append(onward[path[-1]])
        return np.stack(path, axis=1)

    def _look_back(self) -> None:
        """Go back from the end, step by step."""
        cells, heard = self.cells, np.append(self.cells.heard, 0)
        repeated = {copy.source + copy.steps - 1: copy.target + copy.steps - 1 for copy in cells.copies}
        for step in range(len(self.after) - 2, -1, -1):
            onward, (changes, alike) = self._onward[cells.new[step]], self._changes[cells.new[step]]
            # States that may follow: legal here, and from which the rest can be completed; never the dead one.
            after = self._alive(step + 1) & cells.sounds[step][heard]
            if step in repeated:  # a passage that comes again leaves the line in the state in which it left it before
                after &= self.after[repeated[step]]
            stays = after[onward] & cells.classes[step][self.still]
            move = after[changes[:, cells.classes[step]]].any(axis=1)[alike]
            self.after[step], self.move[step] = after, move
            self.stay[step] = np.where(stays, 1 + self.stay[step + 1, onward], 0)
        self.begin = bool(self._alive(0)[0])

    def _alive(self, step: int) -> Flags:
        """(Q + 1,) states before a step from which the rest can be completed."""
        if step == len(self.after) - 1:
            return np.append(self.cells.automaton.final, False)
        return np.asarray((self.stay[step] > 0) | self.move[step])


def _distinct(table: Ints) -> tuple[Ints, Ints]:
    """(rows, columns) -> its distinct rows, and (rows,) which of them each is."""
    numbers: dict[bytes, int] = {}
    which = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in table])
    first = np.unique(which, return_index=True)[1]
    return table[first], which

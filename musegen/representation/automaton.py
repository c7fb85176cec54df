"""What a voice's line must obey as a whole, as deterministic automata over its symbols.

A rule such as "no leap above a fourth" cannot be said cell by cell, but an automaton that reads the cells in order can
say it, and a table of which states still lead to a legal end makes it exact for any sampler (regular constraints:
Pesant 2004, https://doi.org/10.1007/978-3-540-30201-8_36; in music: Papadopoulos, Pachet, Roy and Sakellariou 2015,
https://doi.org/10.1007/978-3-319-23219-5_31).

A voice's classes are here, as in a model's vocabulary: class i < pitches begins MIDI pitch low + i, then rest and hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from musegen.representation.roll import Roll

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

DEAD = -1
"""Where a forbidden step leads."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """States and steps; state 0 is the start (Q states, K classes).

    Attributes:
        strict: (Q, K) the state after each class, or `DEAD`, in cells that are new.
        free: (Q, K) the same in cells that were given and are not judged; as `strict` wherever that allows a hold or,
            in silence, a rest.
        final: (Q,) whether a line may end there.
        edge: (Q, K) the same in the first onset or rest after open cells, which was given: it is not judged itself, but
            it ends what is.
    """

    strict: Ints
    free: Ints
    final: Flags
    edge: Ints

    @property
    def tables(self) -> tuple[Ints, Ints, Ints]:
        """Of the three kinds of cells: given ones, open ones, and the first onset or rest given after these."""
        return self.free, self.strict, self.edge


class Rule(Protocol):
    """A demand on one voice's line."""

    @property
    def voice(self) -> int:
        """From 0."""

    @property
    def counts(self) -> bool:
        """Whether its states remember more than a passage's own notes, so that a repeat ends in another state."""

    def automaton(self, low: int, pitches: int) -> Automaton:
        """Over the classes of `pitches` pitches from `low` up."""

    def broken(self, roll: Roll, is_open: Flags) -> list[str]:
        """Where a finished roll does not obey, one line each; read from the notes, without the automaton."""


def line(pitches: int) -> Automaton:
    """Any line: only what sounds can be held.

    States: 0 before the first note, 1 + i while pitch i sounds, 1 + pitches + i in silence after it.
    """
    sounding = np.arange(1, pitches + 1)
    table = np.full((2 * pitches + 1, pitches + 2), DEAD)
    table[:, :pitches] = sounding
    table[0, pitches] = 0
    table[sounding, pitches] = table[sounding + pitches, pitches] = sounding + pitches
    table[sounding, pitches + 1] = sounding
    return Automaton(table, table, np.ones(len(table), bool), table)


def heard(pitches: int) -> Ints:
    """(Q,) the class that sounds in each state of `line`; `pitches` in silence."""
    silent = np.full(pitches, pitches)
    return np.concatenate([[pitches], np.arange(pitches), silent])


def product(automata: Sequence[Automaton]) -> tuple[Automaton, Ints]:
    """All of them at once.

    Returns:
        The automaton, of states that can be reached alone, and (Q, n) the state of each of the n for each of its own.
    """
    # A state of the product is one number; its digits are the states of the others.
    digits = np.cumprod([1, *(len(each.final) for each in automata[:-1])])
    numbers = {0: 0}
    origins = np.zeros((1, len(automata)), np.int64)
    tables: dict[str, list[Ints]] = {"strict": [], "free": [], "edge": []}
    done = 0
    while done < len(origins):
        fresh: list[int] = []
        for kind, rows in tables.items():
            steps = [getattr(each, kind)[origins[done:, i]] for i, each in enumerate(automata)]
            dead = np.logical_or.reduce([each == DEAD for each in steps])
            codes = np.where(dead, DEAD, sum(each * digit for each, digit in zip(steps, digits, strict=True)))
            found, inverse = np.unique(codes, return_inverse=True)
            for code in found.tolist():
                if code != DEAD and code not in numbers:
                    numbers[code] = len(numbers)
                    fresh.append(code)
            named = np.array([numbers.get(code, DEAD) for code in found.tolist()])
            rows.append(named[inverse.reshape(codes.shape)])
        done = len(origins)
        if fresh:
            more = [np.array(fresh) // digit % len(each.final) for each, digit in zip(automata, digits, strict=True)]
            origins = np.concatenate([origins, np.stack(more, axis=1)])
    final = np.logical_and.reduce([each.final[origins[:, i]] for i, each in enumerate(automata)])
    joined = {kind: np.concatenate(rows) for kind, rows in tables.items()}
    return Automaton(joined["strict"], joined["free"], final, joined["edge"]), origins

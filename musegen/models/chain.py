"""Lines drawn whole from odds for each cell, so that every constraint holds: belief propagation over an automaton.

Odds that a network gives for each cell of a line by itself would put holds into silence and break the rules. Here a
line is drawn from the distribution that is proportional to the product of the odds of its cells over all lines that
the voice's automaton accepts, and 0 for all others: backward sums over states, then a draw from the left (forward
filtering, backward sampling, with time reversed: Carter and Kohn 1994, https://doi.org/10.1093/biomet/81.3.541; for
music under such constraints: Papadopoulos, Pachet, Roy and Sakellariou 2015,
https://doi.org/10.1007/978-3-319-23219-5_31). With maxima for sums it gives the likeliest line (Viterbi 1967).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from musegen.models.base import Sampling
from musegen.models.numpy_layers import Floats
from musegen.representation.ways import Ways

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FAINTEST = 60.0
"""Nats below the best class of a cell at which odds no longer fall: what is allowed can always be drawn."""
_LEAST = 1e-250
"""What a state counts for, beside the best, as long as the line can be completed from it."""

_FORBIDDING = 100.0
"""Nats by which what `top_k` and `top_p` leave out falls below all else."""


class Chain:
    """Some voices, whose lines are drawn side by side (V voices, S steps, K classes).

    Args:
        ways: of each voice, all of as many steps; their states are merged where nothing tells them apart.
    """

    def __init__(self, ways: Sequence[Ways]) -> None:
        self.voices = np.arange(len(ways))
        parts = [_merged(way) for way in ways]
        size = max(len(table[0]) for table, _, _, _ in parts)
        kinds, _, classes = parts[0][0].shape
        steps = len(ways[0].cells.classes)
        self.table = np.full((kinds, len(ways), size, classes), size - 1)
        self.legal = np.zeros((steps, len(ways), size))
        self.final = np.zeros((len(ways), size))
        self.start = np.zeros(len(ways), np.int64)
        for voice, (way, (table, start, final, legal)) in enumerate(zip(ways, parts, strict=True)):
            dead = len(final)  # the last state of a voice's own table
            self.table[:, voice, : dead + 1] = np.where(table == dead, size - 1, table)
            self.table[:, voice, dead:] = size - 1
            self.start[voice] = start
            self.final[voice, :dead] = final
            self.legal[:, voice, :dead] = legal
            assert len(way.cells.classes) == steps
        self.kind = np.stack([way.cells.new.astype(np.int64) for way in ways], axis=1)  # (S, V)
        self.allowed = np.stack([way.cells.classes for way in ways], axis=1)  # (S, V, K)
        self.first = size * self.voices[:, None]  # of each voice's states in an array of all
        self.flat = self.table + self.first[..., None]

    def draw(self, logs: Floats, known: Ints, chances: Floats | None) -> tuple[Ints, Flags]:
        """Draw a line for each voice.

        Args:
            logs: (S, V, K) logarithms of the odds, finite; those of known cells are not looked at.
            known: (S, V) the class of each cell that is known, -1 for those to draw.
            chances: (S, V) uniform in [0, 1); None for the likeliest line.

        Returns:
            (S, V) classes, and (V,) whether the voice has a line at all; without one its classes mean nothing.
        """
        odds = np.where(self.allowed, logs, -np.inf)
        highest = odds.max(axis=-1, keepdims=True)
        odds = np.maximum(odds - np.where(np.isfinite(highest), highest, 0.0), -FAINTEST)
        odds[~self.allowed] = -np.inf
        shown = known >= 0
        step, voice = np.nonzero(shown)
        odds[step, voice] = -np.inf
        odds[step, voice, known[shown]] = 0.0
        quiet: Flags = np.asarray(shown.all(axis=1))
        return (
            self._likeliest(odds, known, quiet) if chances is None else self._drawn(np.exp(odds), known, quiet, chances)
        )

    def _drawn(self, odds: Floats, known: Ints, quiet: Flags, chances: Floats) -> tuple[Ints, Flags]:
        steps = len(odds)
        values = np.empty_like(self.legal)  # of each state after a step: whether it is legal, and what follows it
        belief = self.final
        for step in range(steps - 1, -1, -1):
            value = np.multiply(belief, self.legal[step], out=values[step])
            table = self.flat[self.kind[step], self.voices]
            if quiet[step]:
                belief = value.take(table[self.voices, :, known[step]])
            else:
                belief = np.matmul(value.take(table), odds[step][:, :, None])[..., 0]
            highest = belief.max(axis=1, keepdims=True)
            belief = np.where(belief > 0, np.maximum(belief / np.where(highest > 0, highest, 1.0), _LEAST), 0.0)
        state, lines = self.start, np.empty(known.shape, np.int64)
        possible = belief[self.voices, state] > 0
        for step in range(steps):
            table = self.table[self.kind[step], self.voices, state]  # (V, K)
            chosen = known[step]
            if not quiet[step]:
                weight = odds[step] * values[step].take(table + self.first)
                heap = np.cumsum(weight, axis=1)
                whole = heap[:, -1]
                reached = np.minimum(chances[step] * whole, np.nextafter(whole, 0.0))
                chosen = np.minimum((heap <= reached[:, None]).sum(axis=1), weight.shape[1] - 1)
            lines[step] = chosen
            state = table[self.voices, chosen]
        return lines, possible

    def _likeliest(self, odds: Floats, known: Ints, quiet: Flags) -> tuple[Ints, Flags]:
        steps = len(odds)
        with np.errstate(divide="ignore"):
            legal, belief = np.log(self.legal), np.log(self.final)
        values = np.empty_like(legal)
        for step in range(steps - 1, -1, -1):
            value = np.add(belief, legal[step], out=values[step])
            table = self.flat[self.kind[step], self.voices]
            if quiet[step]:
                belief = value.take(table[self.voices, :, known[step]])
            else:
                belief = (value.take(table) + odds[step][:, None]).max(axis=-1)
        state, lines = self.start, np.empty(known.shape, np.int64)
        possible = belief[self.voices, state] > -np.inf
        for step in range(steps):
            table = self.table[self.kind[step], self.voices, state]
            chosen = known[step]
            if not quiet[step]:
                chosen = (odds[step] + values[step].take(table + self.first)).argmax(axis=1)
            lines[step] = chosen
            state = table[self.voices, chosen]
        return lines, possible


def truncated(logs: Floats, how: Sampling) -> Floats:
    """(..., K) logarithms of odds under a temperature, top_k and top_p; what falls out is rare, not forbidden."""
    if how.temperature > 0:
        logs = logs / max(how.temperature, 1e-6)
    if 0 < how.top_k < logs.shape[-1]:
        least = np.partition(logs, -how.top_k, axis=-1)[..., -how.top_k, None]
        logs = np.where(logs >= least, logs, logs.min(axis=-1, keepdims=True) - _FORBIDDING)
    if how.top_p < 1:
        odds = np.exp(logs - logs.max(axis=-1, keepdims=True))
        order = np.argsort(-odds, axis=-1, kind="stable")
        ranked = np.take_along_axis(odds, order, axis=-1)
        ahead = np.cumsum(ranked, axis=-1) - ranked
        out = ahead >= how.top_p * ranked.sum(axis=-1, keepdims=True)
        out[..., 0] = False
        left_out = np.zeros_like(out)
        np.put_along_axis(left_out, order, out, axis=-1)
        logs = np.where(left_out, logs.min(axis=-1, keepdims=True) - _FORBIDDING, logs)
    return logs


def _merged(way: Ways) -> tuple[Ints, int, Flags, Flags]:
    """The smallest automaton that accepts the same lines.

    States are told apart by whether a line may end in them, by what sounds in them where that matters to some cell,
    and by where each class leads (Moore 1956).

    Returns:
        (kinds, Q + 1, K) states after each class, of which the last is dead; the state at the start; (Q,) whether a
        line may end there; (S, Q) whether it may be reached by each step.
    """
    cells = way.cells
    heard = np.append(cells.heard, 0)
    final = np.append(cells.automaton.final, False)
    dead = len(final) - 1
    where = np.flatnonzero(~cells.sounds.all(axis=1))
    sound = np.unique(cells.sounds[where], axis=0, return_inverse=False) if len(where) else cells.sounds[:0]
    sign = np.column_stack([final, np.arange(dead + 1) == dead, sound[:, heard].T])
    group = np.unique(sign, axis=0, return_inverse=True)[1].ravel()
    while True:
        leads = np.column_stack([group, *(group[table] for table in way.steps)])
        finer = np.unique(leads, axis=0, return_inverse=True)[1].ravel()
        if finer.max() == group.max():
            break
        group = finer
    # The dead state last, the others as they come.
    order = np.unique(np.append(group[:-1][group[:-1] != group[dead]], group[dead]))
    rank = np.empty(group.max() + 1, np.int64)
    rank[np.append(order[order != group[dead]], group[dead])] = np.arange(len(order))
    group = rank[group]
    first = np.unique(group, return_index=True)[1]
    table = group[way.steps[:, first]]
    return table, int(group[0]), final[first[:-1]], cells.sounds[:, heard[first[:-1]]]

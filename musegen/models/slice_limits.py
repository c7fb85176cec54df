"""What may be written next by pieces that are bound: what is fixed in them and asked of them, as masks for each draw.

The tables of all voices (see `representation.ways`) lie end to end in flat arrays, so that one look-up serves pieces of
different lengths and rules at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from musegen.errors import MusegenError
from musegen.models.slices import Context, Flags, Ints
from musegen.models.vocabulary import Vocabulary
from musegen.representation.template import Template
from musegen.representation.ways import Cells, Ways


class Limits:
    """Of a run (R rows, V voices, K classes); a piece may have several rows, its particles.

    Args:
        templates: of the pieces.
        count: rows of each piece.
        vocabulary: of the model.
        order: in which the voices are drawn.

    Raises:
        MusegenError: what is asked cannot be met, or a fixed pitch has no class.
    """

    def __init__(self, templates: Sequence[Template], count: int, vocabulary: Vocabulary, order: Sequence[int]) -> None:
        self.vocabulary, self.order = vocabulary, list(order)
        self.owner = np.repeat(np.arange(len(templates)), count)
        longest = max((template.roll.steps for template in templates), default=0)
        self.repeats = any(template.copies for template in templates)
        # The step that each step repeats; -1 where it is new.
        self.source = np.full((len(templates), longest), -1)
        for source, template in zip(self.source, templates, strict=True):
            bars = {start for _, start, _ in template.roll.bar_starts()} if template.copies else set()
            for copy in template.copies:  # whole bars, in which slices begin and end as they did before
                end, whole = copy.target + copy.steps, {copy.source, copy.target} <= bars
                if not whole or copy.source + copy.steps > copy.target or end not in bars | {template.roll.steps}:
                    raise ValueError(f"{copy} does not repeat whole bars that came before it")
                source[copy.target : copy.target + copy.steps] = copy.source + np.arange(copy.steps)
        shape = len(self.owner), vocabulary.voices
        self.state = np.zeros(shape, np.int64)
        self.states, self.table, self.path, self.base, self.cell, self.new_at = (
            np.zeros(shape, np.int64) for _ in range(6)
        )
        self.dead = np.zeros(len(self.owner), bool)
        self.every_class, self.every_length = np.arange(vocabulary.classes), np.arange(1, vocabulary.longest_bar + 1)
        # Pieces of which the same is asked may share a template, and then its tables.
        ways = {id(each): bound(each, vocabulary) for each in {id(each): each for each in templates}.values()}
        self._lay_out([ways[id(templates[owner])] for owner in self.owner.tolist()])
        # What has been written, for what repeats it: classes as a roll has them, and where slices began.
        kept = longest if self.repeats else 0
        self.written, self.begun = np.zeros((*shape, kept), np.int64), np.zeros((len(self.owner), kept), bool)

    def _lay_out(self, ways: Sequence[Sequence[Ways]]) -> None:
        """Put all tables end to end, each distinct one once."""
        flat: dict[str, list[np.ndarray]] = {
            name: [] for name in ("steps", "paths", "after", "stay", "move", "classes", "new")
        }
        size = dict.fromkeys(flat, 0)
        at: dict[tuple[str, int], int] = {}

        def put(name: str, array: np.ndarray, key: int) -> int:
            if (name, key) not in at:
                at[name, key] = size[name]
                flat[name].append(array)
                size[name] += array.size
            return at[name, key]

        longest = self.vocabulary.longest_bar
        paths: dict[int, np.ndarray] = {}
        for row, own in enumerate(ways):
            for voice, way in enumerate(own):
                automaton = id(way.cells.automaton)
                if automaton not in paths:
                    paths[automaton] = way.held(longest)
                self.states[row, voice] = way.steps.shape[1]
                self.table[row, voice] = put("steps", way.steps, automaton)
                self.path[row, voice] = put("paths", paths[automaton], automaton)
                self.base[row, voice] = put("after", way.after, id(way))
                put("stay", way.stay, id(way))
                put("move", way.move, id(way))
                self.cell[row, voice] = put("classes", way.cells.classes, id(way))
                self.new_at[row, voice] = put("new", way.cells.new, id(way))
        joined = {name: np.concatenate([array.ravel() for array in arrays]) for name, arrays in flat.items()}
        self.steps, self.paths, self.after = joined["steps"], joined["paths"], joined["after"]
        self.stay, self.move, self.classes = joined["stay"], joined["move"], joined["classes"]
        self.new = joined["new"]

    def turn(self, rows: Ints, at: Ints, context: Context) -> Turn:
        """What may be drawn for the next slices of some rows, which begin at these steps."""
        return Turn(self, rows, at, context)

    def wrote(self, turn: Turn, length: Ints) -> None:
        """Take slices that have been drawn, with their lengths, into account."""
        rows, at, v = turn.rows, turn.at, self.vocabulary
        self.dead[rows] |= turn.stuck
        self.state[rows] = self.paths.take(self.path[rows] + turn.state * v.longest_bar + (length - 1)[:, None])
        if not self.repeats:
            return
        self.begun[rows, at] = True
        for row, first, steps, event in zip(rows, at, length, turn.written, strict=True):
            self.written[row, :, first] = event
            self.written[row, :, first + 1 : first + steps] = np.where(event == v.rest, v.rest, v.hold)[:, None]

    def resample(self, rows: Ints, ancestors: Ints) -> None:
        """Let rows go on from where others of the same piece stand."""
        for array in (self.state, self.dead, self.written, self.begun):
            array[rows] = array[ancestors]


class Turn:
    """One draw of a slice in some rows of a run (n rows).

    Attributes:
        rows: (n,).
        at: (n,) the step at which the slice begins.
        state: (n, V) of each voice's automaton, after what has been drawn.
        written: (n, V) classes as a roll has them: silence that goes on is a rest.
        stuck: (n,) rows in which nothing was left to write.
    """

    def __init__(self, limits: Limits, rows: Ints, at: Ints, context: Context) -> None:
        self.limits, self.rows, self.at, self.context = limits, rows, at, context
        v, at = limits.vocabulary, at[:, None]
        self.state = limits.state[rows]
        self.written = np.zeros_like(self.state)
        self.silent = context.before == v.rest
        self.still = ~context.joint
        # All voices at once: none of them depends on what the others draw.
        states = limits.states[rows]
        base = limits.base[rows] + at * states
        new = limits.new.take(limits.new_at[rows] + at)
        from_state = limits.table[rows] + (new * states + self.state) * v.classes
        self.onward = limits.steps.take(from_state[..., None] + limits.every_class)  # (n, V, K)
        may = limits.classes.take((limits.cell[rows] + at * v.classes)[..., None] + limits.every_class)
        self.may: Flags = np.asarray(may & limits.after.take(base[..., None] + self.onward))
        movable = limits.move.take(base + self.state)
        self.source = limits.source[limits.owner[rows], self.at] if limits.repeats else np.full(len(rows), -1)
        self.again = np.flatnonzero(self.source >= 0)
        if len(self.again):
            repeated = limits.written[rows[self.again], :, self.source[self.again]]  # (n, V)
            self.may[self.again] &= limits.every_class == repeated[..., None]
            movable[self.again] = repeated != np.where(self.silent[self.again], v.rest, v.hold)
        movable = movable[:, limits.order]
        stuck = np.logical_not(np.any(self.may, axis=2))
        self.stuck = stuck.any(axis=1)
        if self.stuck.any():  # such rows write anything, and count for nothing
            self.may[stuck] = True
        # Whether it falls to a voice to move where one must: those drawn after it cannot.
        self.last = movable.copy()
        for column in range(v.voices - 1):
            self.last[:, column] &= ~movable[:, column + 1 :].any(axis=1)

    def give_up(self, lost: Flags) -> None:
        """Rows in which the model itself leaves nothing of what may be written count for nothing."""
        self.stuck |= lost

    def symbols(self, column: int, voice: int) -> Flags:
        """(n, K) what the voice may write."""
        v, may, silent = self.limits.vocabulary, self.may[:, voice], self.silent[:, voice]
        if silent.any():
            may[silent, v.hold] = may[silent, v.rest]
            may[silent, v.rest] = False
        may[self.still & self.last[:, column], v.hold] = False
        return may

    def drew(self, voice: int, chosen: Ints) -> None:
        """Take what a voice has drawn into account."""
        v = self.limits.vocabulary
        holds = chosen == v.hold
        self.still &= holds
        written = np.where(self.silent[:, voice] & holds, v.rest, chosen)
        self.written[:, voice] = written
        self.state[:, voice] = self.onward[np.arange(len(written)), voice, written]

    def lengths(self) -> Flags:
        """(n, longest bar) how long the slice may last, from one step up."""
        limits, rows, v = self.limits, self.rows, self.limits.vocabulary
        base, states = limits.base[rows], limits.states[rows]
        following, room = (self.at + 1)[:, None], self.context.room[:, None]
        stay = limits.stay.take(base + following * states + self.state).min(axis=1)
        more = limits.every_length - 1
        ends = np.minimum(following + more, self.at[:, None] + room)
        state = limits.paths.take((limits.path[rows] + self.state * v.longest_bar)[..., None] + more)
        movable = limits.move.take(base[..., None] + ends[:, None] * states[..., None] + state).any(axis=1)
        movable |= limits.every_length == room
        may = movable & (limits.every_length <= np.minimum(stay + 1, self.context.room)[:, None])
        for row in self.again.tolist():  # as long as it lasted before
            after = self.source[row] + 1
            begun = np.flatnonzero(limits.begun[rows[row], after : after + v.longest_bar])
            lasts = min(int(begun[0]) + 1 if len(begun) else v.longest_bar, int(self.context.room[row]))
            may[row] = limits.every_length == lasts
        stuck = ~may.any(axis=1)
        if stuck.any():
            self.stuck |= stuck
            may[stuck] = limits.every_length <= room[stuck]
        return np.asarray(may)


def bound(template: Template, vocabulary: Vocabulary) -> list[Ways]:
    """The voices of a template as a model may write them.

    Raises:
        MusegenError: a fixed pitch has no class, or a voice cannot be completed.
    """
    vocabulary.encode(template.roll.symbols[~template.open])
    in_range, ways = vocabulary.in_range(), []
    for voice in range(vocabulary.voices):
        cells = Cells.of(template, voice, vocabulary.low, vocabulary.pitches, in_range[voice])
        way = Ways(cells)
        if (step := way.stuck) is not None:
            bar = template.roll.clock()[0][step]
            name = (template.roll.names[voice] if template.roll.names else "") or f"voice {voice + 1}"
            raise MusegenError(f"nothing that is left to the {name.lower()} fits bar {bar}", "Ask for less at once.")
        ways.append(way)
    return ways

"""Whether what is asked can be met, and if not, which demands clash: a smallest set that cannot be met together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.automaton import Flags
from musegen.representation.constraints.base import Constraint, Sheet
from musegen.representation.constraints.chords import Chords
from musegen.representation.constraints.collection import Constraints
from musegen.representation.constraints.lines import Longest, Shortest
from musegen.representation.constraints.pitches import Range, Scale
from musegen.representation.roll import REST, Roll
from musegen.representation.template import Template
from musegen.representation.ways import Cells, Ways


@dataclass(frozen=True, eq=False)
class _Question:
    """A template and a model's classes, of which parts can be left out."""

    template: Template
    names: Sequence[str]
    original: Roll | None
    low: int
    pitches: int
    in_range: Flags | None

    def fails(self, items: Sequence[Constraint], bounded: bool) -> tuple[int, int] | None:
        """Where (step, voice) some demands cannot be met, within the model's range or without; None when they can."""
        sheet = Constraints(tuple(items)).sheet(self.template, self.names, self.original)
        if stuck := sheet.stuck() or self._silenced(items, bounded) or self._unlike(items, sheet):
            return stuck
        narrowed = sheet.finished()
        for voice in sheet.voices:
            limits = self.in_range[voice] if bounded and self.in_range is not None else None
            way = Ways(Cells.of(narrowed, voice, self.low, self.pitches, limits))
            if not way.begin:
                return _dead_end(way), voice
        return None

    def _silenced(self, items: Sequence[Constraint], bounded: bool) -> tuple[int, int] | None:
        """A voice, or a place in it, to which scale, range and chords leave no pitch: silence is not what was meant."""
        asked = tuple(item for item in items if isinstance(item, Scale | Range | Chords))
        if not asked:
            return None
        sheet = Constraints(asked).sheet(self.template, self.names, self.original)
        for voice in sheet.voices:
            steps = np.flatnonzero(self.template.open[:, voice])
            left = sheet.allowed[steps, voice, :REST].any(0)
            if bounded and self.in_range is not None:
                within = np.zeros(REST, bool)
                known = np.arange(max(0, self.low), min(REST, self.low + self.pitches))
                within[known] = self.in_range[voice, known - self.low]
                left &= within
            silent = ~(sheet.sounding[steps, voice, :REST] & left).any(1)
            if silent.any():
                return int(steps[silent][0]), voice
        return None

    def _unlike(self, items: Sequence[Constraint], sheet: Sheet) -> tuple[int, int] | None:
        """Lengths that leave room for no note at all."""
        shortest = max((item.parsed() for item in items if isinstance(item, Shortest)), default=None)
        longest = min((item.parsed() for item in items if isinstance(item, Longest)), default=None)
        if shortest is None or longest is None or shortest <= longest or not sheet.voices:
            return None
        voice = sheet.voices[0]
        return int(np.argmax(self.template.open[:, voice])), voice


def _dead_end(way: Ways) -> int:
    """The first step that no line reaches; the last one where lines only cannot end."""
    cells, states = way.cells, np.zeros(1, np.int64)
    for step, may in enumerate(cells.classes):
        legal = np.append(cells.sounds[step][cells.heard], False)
        states = np.unique(way.steps[int(cells.new[step])][states][:, may])
        states = states[legal[states]]
        if not len(states):
            return step
    return len(cells.classes) - 1


def check(
    template: Template,
    constraints: Constraints,
    names: Sequence[str] = (),
    original: Roll | None = None,
    *,
    low: int = 0,
    pitches: int = REST,
    in_range: Flags | None = None,
) -> Template:
    """Apply constraints, and see whether they can be met.

    Args:
        template: as the verb made it, before `Constraints.apply`.
        constraints: what is asked.
        names: of the model's voices.
        original: the piece that the holes were cut into.
        low: the model's lowest pitch.
        pitches: how many pitches it writes from there up.
        in_range: (voices, pitches + 2) what each voice may write at all, as `Vocabulary.in_range` says.

    Returns:
        The narrowed template, which every voice can complete for itself.

    Raises:
        MusegenError: something does not fit the piece; or it cannot be met, naming a smallest set that clashes (each
            of them left out, the others could be met) and where.
    """
    question = _Question(template, names, original, low, pitches, in_range)
    if question.fails(constraints.items, True) is None:
        return constraints.apply(template, names, original)
    left, bounded = list(constraints.items), True
    for item in constraints.items:
        fewer = [each for each in left if each is not item]
        if question.fails(fewer, bounded):
            left = fewer
    if question.fails(left, False):
        bounded = False
    where = question.fails(left, bounded) or (0, 0)
    blank = replace(template, open=np.ones_like(template.open), allowed=None, sounding=None, copies=(), rules=())
    fixed = not template.open.all() and not replace(question, template=blank).fails(left, bounded)
    what = [item.describe() for item in left]
    what += ["what is fixed"] * fixed + ["the model's range"] * (bounded and in_range is not None)
    sheet = Sheet(template, names, original)
    asked = what[0] if len(what) == 1 else f"{', '.join(what[:-1])} and {what[-1]}"
    together = " together" if len(what) > 1 else ""
    change = "Change one of them." if len(left) > 1 else "Ask for something else."
    raise MusegenError(f"{asked} cannot be met{together} in {sheet.place(*where)}", change)

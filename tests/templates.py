"""Templates drawn at random, with everything that can be asked of them, around a roll that answers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from musegen.representation.automaton import Rule
from musegen.representation.roll import HOLD, REST, SYMBOLS, Roll
from musegen.representation.rules import Beginning, Ending, Leap, Lengths, PitchOrder
from musegen.representation.template import Copy, Template
from musegen.score import Metre


def random_roll(
    generator: np.random.Generator, steps: int, ranges: Sequence[tuple[int, int]], metre: str = "4/4", grid: int = 1
) -> Roll:
    """Lines within the ranges: notes, holds and rests as they come; never a hold in silence; sometimes a pickup."""
    columns = []
    for low, high in ranges:
        pitches = generator.integers(low, high + 1, steps)
        kinds = generator.random(steps)
        column = np.where(kinds < 0.5, pitches, np.where(kinds < 0.85, HOLD, REST))
        sounds = False
        for step, symbol in enumerate(column):
            if symbol == HOLD and not sounds:
                column[step] = REST
            sounds = column[step] != REST
        columns.append(column)
    parsed = Metre.parse(metre)
    pickup = int(generator.integers(0, int(parsed.quarters * grid)))
    return Roll(np.stack(columns, 1).astype(np.uint8), grid, ((0, parsed),), min(pickup, steps))


def random_hole(generator: np.random.Generator, roll: Roll) -> np.ndarray:
    """(steps, voices) openings in runs, of which some always are."""
    if generator.random() < 0.2:
        return np.ones(roll.symbols.shape, bool)
    is_open = np.repeat(generator.random(roll.symbols.shape) < 0.6, generator.integers(1, 4), axis=0)[: roll.steps]
    is_open[generator.integers(roll.steps), generator.integers(roll.voices)] = True
    return is_open


def random_rules(generator: np.random.Generator, roll: Roll) -> list[Rule]:
    """A few of every kind, whether the roll keeps to them or not."""
    found: list[Rule] = []
    for voice in range(roll.voices):
        column = roll.symbols[:, voice]
        notes = tuple(column[column < REST].tolist())
        tones = frozenset(generator.integers(0, 12, 6).tolist()) | {note % 12 for note in notes[-1:]}
        before = frozenset(generator.integers(0, 12, 6).tolist()) | {note % 12 for note in notes[-2:-1]}
        shortest = int(generator.integers(1, 4))
        kinds: list[Rule] = [
            Leap(voice, int(generator.integers(0, 5))),
            Lengths(voice, shortest, shortest + int(generator.integers(0, 3)) if generator.random() < 0.5 else None),
            PitchOrder(voice, notes),
            Beginning(voice, frozenset(note % 12 for note in notes[:1]) | tones),
            Ending(voice, tones, before if generator.random() < 0.5 else None),
            Ending(voice, None, before),
        ]
        found += [rule for rule in kinds if generator.random() < 0.3]
    return found


def random_limits(generator: np.random.Generator, template: Template, answer: Roll | None) -> Template:
    """Leave out some symbols and sounds of the open cells, of an answer's own none."""
    shape, share = template.roll.symbols.shape, generator.random() * 0.7
    allowed = sounding = None
    if generator.random() < 0.6:
        allowed = generator.random((*shape, SYMBOLS)) >= share
        allowed[..., REST] |= ~allowed.any(-1)
        if answer is not None:
            np.put_along_axis(allowed, answer.symbols[..., None].astype(np.intp), True, -1)
        if template.allowed is not None:
            allowed &= template.allowed
            allowed[..., REST] |= ~allowed.any(-1)
    if generator.random() < 0.6:
        sounding = generator.random((*shape, REST + 1)) >= share
        sounding[..., REST] |= ~sounding.any(-1)
        if answer is not None:
            np.put_along_axis(sounding, answer.sounding()[..., None].astype(np.intp), True, -1)
    return replace(template, allowed=template.allowed if allowed is None else allowed, sounding=sounding)


def random_question(
    generator: np.random.Generator, steps: int, ranges: Sequence[tuple[int, int]], metre: str = "4/4", grid: int = 1
) -> Template:
    """What may or may not have an answer."""
    roll = random_roll(generator, steps, ranges, metre, grid)
    template = whole_hole(roll, random_hole(generator, roll))
    rules = tuple(random_rules(generator, roll))
    return replace(random_limits(generator, template, None), rules=rules)


def random_answered(
    generator: np.random.Generator, steps: int, ranges: Sequence[tuple[int, int]], metre: str = "4/4", grid: int = 1
) -> tuple[Template, Roll]:
    """What has an answer, and the answer."""
    roll = random_roll(generator, steps, ranges, metre, grid)
    template = whole_hole(roll, random_hole(generator, roll))
    rules = tuple(rule for rule in random_rules(generator, roll) if not rule.broken(roll, template.open))
    return replace(random_limits(generator, template, roll), rules=rules), roll


def with_copies(generator: np.random.Generator, template: Template, answer: Roll) -> tuple[Template, Roll]:
    """All open, with one or two passages that come again, and an answer that repeats them; at least two bars long."""
    steps, bars = answer.steps, [start for _, start, _ in answer.bar_starts()]
    ends = [*bars[1:], steps]
    passages = [
        (source, first, end - first)
        for source in bars
        for first in bars
        for end in ends
        if first < end and source + end - first <= first
    ]
    if not passages:
        return template, answer
    source, first, length = passages[int(generator.integers(len(passages)))]
    later = [start for start in bars if first + length <= start and start + length in ends]
    targets = [first, *later[:1]]
    symbols = answer.symbols.copy()
    held = symbols[source] == HOLD
    symbols[source, held] = REST  # a passage that comes again begins anew
    for target in targets:
        symbols[target : target + length] = symbols[source : source + length]
    sounds = np.zeros(answer.voices, bool)
    for step in range(steps):
        symbols[step, (symbols[step] == HOLD) & ~sounds] = REST
        sounds = symbols[step] != REST
    copies = tuple(Copy(source, target, length) for target in targets)
    again = answer.with_symbols(symbols)
    alike = all(
        np.array_equal(symbols[each.source : each.source + length], symbols[each.target : each.target + length])
        for each in copies
    )
    assert alike
    blank = Template(answer.with_symbols(np.full_like(symbols, REST)), np.ones(symbols.shape, bool))
    rules = tuple(rule for rule in template.rules if not rule.broken(again, blank.open))
    return replace(random_limits(generator, blank, again), rules=rules, copies=copies), again


def whole_hole(roll: Roll, is_open: np.ndarray) -> Template:
    """A hole; the whole piece where every note reaches out of it."""
    from musegen.errors import MusegenError

    try:
        return Template.hole(roll, is_open)
    except MusegenError:
        return Template.hole(roll, np.ones_like(is_open))

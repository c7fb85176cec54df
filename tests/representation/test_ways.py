"""The backward pass is exact: a way is left where, and only where, some line answers everything."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.representation.roll import HOLD, REST, Roll, sounding
from musegen.representation.rules import Leap
from musegen.representation.template import Copy, Template, violations
from musegen.representation.ways import Cells, Ways
from tests.templates import random_question

LOW, PITCHES = 60, 2
K = PITCHES + 2
CLASSES = np.array([LOW, LOW + 1, REST, HOLD], np.uint8)
SEEDS = st.integers(0, 2**32 - 1)


def answers(template):
    """Every line, as classes, that answers a template of one voice; none holds silence."""
    steps = template.roll.steps
    lines = np.array(list(product(range(K), repeat=steps)))
    symbols = CLASSES[lines]
    heard = sounding(symbols.T).T
    met = ~((symbols == HOLD) & (heard == REST))
    for step in range(steps):
        if not template.open[step, 0]:
            met[:, step] &= symbols[:, step] == template.roll.symbols[step, 0]
            continue
        if template.allowed is not None:
            met[:, step] &= template.allowed[step, 0, symbols[:, step]]
        if template.sounding is not None:
            met[:, step] &= template.sounding[step, 0, heard[:, step]]
    found = []
    for line in np.flatnonzero(met.all(axis=1)):
        roll = template.roll.with_symbols(symbols[line][:, None])
        if not violations(template, roll):
            found.append(tuple(lines[line].tolist()))
    return found


def walk(ways, classes):
    """States along a line; the dead one where it is forbidden."""
    states = [0]
    for kind, symbol in zip(ways.cells.new.astype(int), classes, strict=True):
        states.append(int(ways.steps[kind, states[-1], symbol]))
    return states


@settings(max_examples=50, deadline=None)
@given(SEEDS, st.integers(1, 5))
def test_a_voice_can_be_completed_exactly_when_some_line_answers_everything(seed, steps):
    template = random_question(np.random.default_rng(seed), steps, [(LOW, LOW + PITCHES - 1)])
    ways = Ways(Cells.of(template, 0, LOW, PITCHES))
    lines = answers(template)
    assert ways.begin == bool(lines)
    assert (ways.stuck is None) == bool(lines)
    if not lines:
        assert 0 <= ways.stuck < steps
    # Along every line of a left-to-right writer: it may write what some answer goes on with, and nothing else.
    for length in range(steps):
        openings = {line[:length] for line in lines}
        for opening in openings:
            state = walk(ways, opening + (0,) * (steps - length))[length]
            onward = ways.steps[int(ways.cells.new[length]), state]
            may = ways.cells.classes[length] & ways.after[length, onward]
            goes_on = {line[length] for line in lines if line[:length] == opening}
            assert set(np.flatnonzero(may).tolist()) == goes_on
            still = ways.still[state]
            assert ways.move[length, state] == bool(goes_on - {still})
            # How long nothing need change.
            most = 0
            while any(line[: length + most + 1] == (*opening, *[still] * (most + 1)) for line in lines):
                most += 1
            assert ways.stay[length, state] == most


def test_a_state_stays_as_a_held_note_and_silence_do():
    template = Template.blank(1, steps_per_quarter=1)
    ways = Ways(Cells.of(template, 0, LOW, PITCHES))
    held = ways.held(4)
    assert held.shape == (len(ways.still), 4)
    for state in range(len(ways.still) - 1):
        sounds = ways.cells.heard[state]
        assert all(ways.cells.heard[each] == sounds for each in held[state])
    assert (held[-1] == len(ways.still) - 1).all(), "what is dead stays dead"


def test_cells_that_will_be_the_same_may_take_what_both_may():
    roll = Roll(np.full((4, 1), REST, np.uint8), 1)
    allowed = np.ones((4, 1, 130), bool)
    allowed[0, 0, LOW] = False
    allowed[2, 0, LOW + 1] = False
    sounding = np.ones((4, 1, 129), bool)
    sounding[3, 0, LOW] = False
    template = Template(roll, np.ones((4, 1), bool), allowed, sounding, copies=(Copy(0, 2, 2),))
    cells = Cells.of(template, 0, LOW, PITCHES)
    for step in (0, 2):
        assert cells.classes[step].tolist() == [False, False, True, True]
    for step in (1, 3):
        assert cells.sounds[step].tolist() == [False, True, True]


@pytest.mark.parametrize(("reach", "can"), [(1, True), (0, False)])
def test_rules_are_judged_at_the_first_given_note_after_a_hole_and_no_further(reach, can):
    symbols = np.array([[60], [REST], [61], [60]], np.uint8)
    is_open = np.array([[False], [True], [False], [False]])
    allowed = np.ones((4, 1, 130), bool)
    allowed[1, 0, REST:] = False
    template = Template(Roll(symbols, 1), is_open, allowed, rules=(Leap(0, reach),))
    assert Ways(Cells.of(template, 0, LOW, PITCHES)).begin == can


def test_the_range_binds_open_cells_alone():
    symbols = np.array([[61], [REST]], np.uint8)
    template = Template(Roll(symbols, 1), np.array([[False], [True]]))
    in_range = np.array([True, False, True, True])
    cells = Cells.of(template, 0, LOW, PITCHES, in_range)
    assert cells.classes.tolist() == [[False, True, False, False], [True, False, True, True]]

"""An automaton accepts exactly the lines in which its rule is not broken."""

from itertools import product

import numpy as np
import pytest

from musegen.representation.automaton import DEAD
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.rules import Beginning, Ending, Leap, Lengths, PitchOrder

LOW, PITCHES, STEPS = 60, 3, 4
CLASSES = [LOW, LOW + 1, LOW + 2, REST, HOLD]
TONIC, DOMINANT = frozenset({0}), frozenset({1, 2})
RULES = [
    Leap(0, 0),
    Leap(0, 1),
    Lengths(0, shortest=2),
    Lengths(0, shortest=3),
    Lengths(0, longest=1),
    Lengths(0, longest=2),
    Lengths(0, shortest=2, longest=3),
    PitchOrder(0, ()),
    PitchOrder(0, (60, 62)),
    PitchOrder(0, (61, 61, 60)),
    Beginning(0, TONIC),
    Ending(0, TONIC),
    Ending(0, None, DOMINANT),
    Ending(0, TONIC, DOMINANT),
]


def kinds(line, is_open):
    """0 for given cells, 1 for open ones, 2 for the first given onset or rest after them."""
    found, after = [], False
    for symbol, opened in zip(line, is_open, strict=True):
        edge = after and not opened and symbol != HOLD
        found.append(1 if opened else 2 if edge else 0)
        after = opened or (after and not edge)
    return found


def can_be(line, is_open):
    """Whether a template could have such a line: nothing is held across the edges of a hole, and silence never."""
    sounds, before = False, is_open[0]
    for symbol, opened in zip(line, is_open, strict=True):
        if symbol == HOLD and (not sounds or opened != before):
            return False
        sounds, before = symbol < REST or symbol == HOLD, opened
    return True


def accepts(automaton, line, is_open):
    state = 0
    for symbol, kind in zip(line, kinds(line, is_open), strict=True):
        state = automaton.tables[kind][state, CLASSES.index(symbol)]
        if state == DEAD:
            return False
    return bool(automaton.final[state])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_automaton_accepts_what_does_not_break_its_rule(rule):
    automaton = rule.automaton(LOW, PITCHES)
    seen = set()
    for is_open in product([False, True], repeat=STEPS):
        for line in product(CLASSES, repeat=STEPS):
            if not can_be(line, is_open):
                continue
            roll = Roll(np.array(line, np.uint8)[:, None])
            broken = rule.broken(roll, np.array(is_open)[:, None])
            assert accepts(automaton, line, is_open) == (not broken), (line, is_open, broken)
            seen.add(bool(broken))
    assert seen == {False, True}


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_hold_and_silence_that_goes_on_mean_the_same_given_or_new(rule):
    automaton = rule.automaton(LOW, PITCHES)
    free, strict, _ = automaton.tables
    held = strict[:, -1] != DEAD
    assert (free[held, -1] == strict[held, -1]).all()
    silent = np.unique(np.stack([strict[:, PITCHES], free[:, PITCHES]]))
    silent = silent[silent != DEAD]
    assert (free[silent, PITCHES] == strict[silent, PITCHES]).all()


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_nothing_is_said_where_all_was_given(rule):
    if isinstance(rule, PitchOrder | Beginning | Ending):
        return  # these are about the whole line; who asks for them leaves out voices with nothing open
    for line in product(CLASSES, repeat=STEPS):
        roll = Roll(np.array(line, np.uint8)[:, None])
        assert rule.broken(roll, np.zeros((STEPS, 1), bool)) == []


@pytest.mark.parametrize(
    ("rule", "line", "said"),
    [
        (Leap(0, 1), (60, REST, 62, HOLD), "bar 1, step 3, Alto: a leap of 2 semitones"),
        (Lengths(0, shortest=2), (60, 62, HOLD, HOLD), "bar 1, step 1, Alto: a note of 1 steps is too short"),
        (Lengths(0, longest=2), (60, 62, HOLD, HOLD), "bar 1, step 2, Alto: a note of 3 steps is too long"),
        (PitchOrder(0, (60, 61)), (60, REST, REST, REST), "Alto: 1 notes, 2 were to be kept"),
        (PitchOrder(0, (60, 61)), (60, 62, REST, REST), "bar 1, step 2, Alto: pitch 62 stands where 61 should"),
        (Beginning(0, TONIC), (REST, 61, REST, REST), "bar 1, step 2, Alto: the first note is none of those asked for"),
        (Beginning(0, TONIC), (REST,) * 4, "Alto: no note"),
        (Ending(0, TONIC), (60, 61, REST, REST), "bar 1, step 2, Alto: the last note is none of those asked for"),
        (
            Ending(0, TONIC, DOMINANT),
            (60, 60, REST, REST),
            "bar 1, step 1, Alto: the note before the last is no dominant",
        ),
        (Ending(0, TONIC, DOMINANT), (60, HOLD, REST, REST), "Alto: no note before the last"),
    ],
)
def test_what_is_broken_is_said_with_its_place(rule, line, said):
    roll = Roll(np.array(line, np.uint8)[:, None], names=("Alto",))
    assert rule.broken(roll, np.ones((4, 1), bool)) == [said]

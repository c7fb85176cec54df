"""Lines, and several automata as one."""

from itertools import product as every

import numpy as np
import pytest

from musegen.representation.automaton import DEAD, heard, line, product
from musegen.representation.rules import Beginning, Ending, Leap, Lengths, PitchOrder

PITCHES, STEPS = 2, 4
K = PITCHES + 2
REST, HOLD = PITCHES, PITCHES + 1
TONIC = frozenset({0})
RULES = [
    Leap(0, 0),
    Lengths(0, shortest=2),
    Lengths(0, longest=2),
    PitchOrder(0, (60, 61)),
    Beginning(0, TONIC),
    Ending(0, TONIC, frozenset({1})),
]


def runs(automaton, classes, kinds):
    """Whether a line is accepted, and the states that it passes."""
    states = [0]
    for symbol, kind in zip(classes, kinds, strict=True):
        states.append(int(automaton.tables[kind][states[-1], symbol]))
        if states[-1] == DEAD:
            return False, states
    return bool(automaton.final[states[-1]]), states


@pytest.mark.parametrize("kind", range(3))
def test_only_what_sounds_is_held_and_the_state_says_what_that_is(kind):
    automaton, sounds = line(PITCHES), heard(PITCHES)
    for classes in every(range(K), repeat=STEPS):
        now, fits = REST, True
        expected = [REST]
        for symbol in classes:
            fits &= symbol != HOLD or now != REST
            now = now if symbol == HOLD else symbol
            expected.append(now)
        accepted, states = runs(automaton, classes, [kind] * STEPS)
        assert accepted == fits
        if accepted:
            assert [int(sounds[state]) for state in states] == expected


def test_several_at_once_are_each_of_them_side_by_side():
    generator = np.random.default_rng(1)
    for _ in range(12):
        chosen = [RULES[i] for i in generator.permutation(len(RULES))[: generator.integers(1, 4)]]
        automata = [line(PITCHES), *(rule.automaton(60, PITCHES) for rule in chosen)]
        together, origins = product(automata)
        assert len(origins) == len(together.final)
        assert (origins[0] == 0).all()
        seen = set()
        kinds = generator.integers(0, 3, STEPS)
        for classes in every(range(K), repeat=STEPS):
            apart = [runs(each, classes, kinds) for each in automata]
            accepted, states = runs(together, classes, kinds)
            assert accepted == all(each for each, _ in apart), (chosen, classes, kinds)
            seen.add(accepted)
            for i, state in enumerate(states):
                if state != DEAD:
                    assert origins[state].tolist() == [own[i] for _, own in apart]
                else:
                    assert any(DEAD in own[: i + 1] for _, own in apart)
        assert False in seen


def test_only_states_that_can_be_reached_are_kept():
    together, origins = product([line(PITCHES), *(rule.automaton(60, PITCHES) for rule in RULES)])
    reached = {0}
    for table in together.tables:
        reached |= set(table[table != DEAD].tolist())
    assert reached == set(range(len(together.final)))
    assert len(np.unique(origins, axis=0)) == len(origins)

"""The frame of a roll: bars, clock, what sounds."""

from fractions import Fraction

import numpy as np
from hypothesis import given

from musegen.representation.grid import encode
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre, Note, Score, Voice
from tests.strategies import scores


def test_a_pickup_counts_up_to_the_bar_line():
    roll = Roll(np.full((10, 1), REST, np.uint8), steps_per_quarter=1, metres=((0, Metre(4, 4)),), pickup=1)
    bars, positions = roll.clock()
    assert bars.tolist() == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    assert positions.tolist() == [3, 0, 1, 2, 3, 0, 1, 2, 3, 0]


def test_a_bar_cut_short_and_a_change_of_metre_start_new_bars():
    metres = ((0, Metre(3, 4)), (5, Metre(3, 4)), (8, Metre(2, 4)))
    roll = Roll(np.full((12, 1), REST, np.uint8), steps_per_quarter=1, metres=metres)
    assert [(number, step) for number, step, _ in roll.bar_starts()] == [(1, 0), (2, 3), (3, 5), (4, 8), (5, 10)]
    assert roll.clock()[1].tolist() == [0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 0, 1]


@given(scores(grid=12))
def test_the_bars_are_the_scores(score):
    roll = encode(score, 12).roll
    assert roll.bar_starts() == [(bar.number, int(bar.onset * 12), bar.metre) for bar in score.bars()]


@given(scores(grid=4))
def test_the_clock_tells_bar_and_position_of_each_step(score):
    roll = encode(score, 4).roll
    numbers, positions = roll.clock()
    bars = {bar.number: bar for bar in score.bars()}
    assert len(numbers) == len(positions) == roll.steps
    for step, (number, position) in enumerate(zip(numbers.tolist(), positions.tolist(), strict=True)):
        bar = bars[number]
        assert 0 <= position < roll.steps_of(bar.metre)
        start = bar.onset if number else score.pickup - bar.metre.quarters
        assert start + Fraction(position, 4) == Fraction(step, 4)


@given(scores(grid=4))
def test_what_sounds_is_what_the_notes_say(score):
    sounding = encode(score, 4).roll.sounding()
    for index, voice in enumerate(score.voices):
        expected = np.full(len(sounding), REST)
        for note in voice.notes:
            expected[int(note.onset * 4) : int(note.end * 4)] = note.pitch
        assert np.array_equal(sounding[:, index], expected)


def test_a_hold_with_nothing_before_it_is_a_rest():
    roll = Roll(np.array([[HOLD], [HOLD], [60], [HOLD], [REST], [HOLD]], np.uint8))
    assert roll.sounding()[:, 0].tolist() == [REST, REST, 60, 60, REST, REST]


def test_new_symbols_drop_the_fermatas():
    score = Score((Voice((Note(Fraction(0), Fraction(1), 60, True),)),))
    roll = encode(score).roll
    assert roll.fermatas == {(0, 0)}
    assert roll.with_symbols(roll.symbols).fermatas == frozenset()


@given(scores().map(lambda score: encode(score, 4).roll))
def test_without_its_tail_a_roll_ends_with_its_last_note(roll):
    short = roll.without_tail()
    sounds = (roll.sounding() != REST).any(axis=1)
    if not sounds.any():
        assert short is roll
    else:
        assert sounds[short.steps - 1] and not sounds[short.steps :].any()
        assert (short.symbols == roll.symbols[: short.steps]).all()
        assert all(step < short.steps for step, _ in (*short.metres, *short.keys, *short.tempi))

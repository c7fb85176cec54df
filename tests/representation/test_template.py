"""What is fixed, what is open, and whether an answer kept to it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.grid import encode
from musegen.representation.roll import HOLD, REST, SYMBOLS, Roll
from musegen.representation.rules import Leap
from musegen.representation.template import Copy, Template, symbol_name, violations
from musegen.score import Key, Metre
from tests.strategies import scores


def test_blank_is_a_frame_to_fill():
    template = Template.blank(
        2, voices=4, steps_per_quarter=2, metre=Metre(6, 8), key=Key.parse("Dm"), pickup=1, tempo=90.0
    )
    assert template.open.shape == template.roll.symbols.shape == (13, 4)
    assert template.open.all()
    assert (template.roll.symbols == REST).all()
    assert [step for _, step, _ in template.roll.bar_starts()] == [0, 1, 7]
    assert template.roll.keys == ((0, Key.parse("Dm")),)
    assert template.roll.tempi == ((0, 90.0),)
    assert template.roll.steps_per_quarter == 2


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ({"bars": 0}, "nothing to fill"),
        ({"bars": 2, "voices": 0}, "nothing to fill"),
        ({"bars": -1, "pickup": 4}, "nothing to fill"),
        ({"bars": 2, "pickup": 16}, "a pickup of 16 steps is no part"),
        ({"bars": 2, "pickup": -1}, "a pickup of -1 steps is no part"),
        ({"bars": 2, "metre": Metre(7, 8), "steps_per_quarter": 1}, "Use 2 steps per quarter"),
    ],
)
def test_a_frame_that_cannot_be_is_refused(frame, why):
    with pytest.raises(MusegenError, match=why):
        Template.blank(**frame)


@given(scores(min_voices=2), st.data())
def test_given_voices_are_fixed_and_the_others_hidden(score, data):
    roll = encode(score).roll
    fixed = data.draw(st.sets(st.integers(0, roll.voices - 1)))
    template = Template.given(roll, fixed)
    for voice in range(roll.voices):
        assert (template.open[:, voice] == (voice not in fixed)).all()
        shown = template.roll.symbols[:, voice]
        assert np.array_equal(shown, roll.symbols[:, voice]) if voice in fixed else (shown == REST).all()
    assert violations(template, roll) == [], "what it was made from answers it"
    filled = template.roll.symbols.copy()
    filled[template.open] = data.draw(st.integers(0, SYMBOLS - 1))
    assert violations(template, roll.with_symbols(filled)) == []


@given(scores(min_voices=2, max_voices=2), st.data())
def test_every_changed_fixed_cell_is_told(score, data):
    roll = encode(score).roll
    template = Template.given(roll, [0])
    step = data.draw(st.integers(0, roll.steps - 1))
    altered = roll.symbols.copy()
    altered[step, 0] = (int(altered[step, 0]) + data.draw(st.integers(1, SYMBOLS - 1))) % SYMBOLS
    assert len(violations(template, roll.with_symbols(altered))) == 1


def test_what_went_wrong_is_said_in_a_musicians_words():
    roll = Roll(np.array([[60, REST], [HOLD, REST], [62, REST]], np.uint8), 1, names=("Soprano", ""), pickup=1)
    allowed = np.ones((3, 2, SYMBOLS), np.bool_)
    allowed[2, 1, 61] = False
    allowed[2, 0] = False  # a fixed cell knows no limits
    template = replace(Template.given(roll, [0]), allowed=allowed)
    answer = roll.with_symbols(np.array([[60, 61], [REST, 61], [62, 61]], np.uint8))
    assert violations(template, answer) == [
        "bar 1, step 1, Soprano: fixed hold came back as rest",
        "bar 1, step 2, voice 2: C#4 is not allowed",
    ]


def test_a_cell_that_is_no_symbol_is_told():
    template = Template.blank(1)
    cells = np.full((16, 1), 130, np.uint8)
    assert len(violations(template, template.roll.with_symbols(cells))) == 16


def test_another_frame_is_told():
    template = Template.blank(1)
    assert violations(template, Template.blank(2).roll) == ["(16, 1) steps and voices were asked for, (32, 1) came"]
    assert violations(template, replace(template.roll, pickup=3)) == ["pickup 0 came back as 3"]


def test_a_cell_with_no_symbol_left_is_refused_by_its_place():
    blank = Template.blank(2, voices=2)
    allowed = np.ones((32, 2, SYMBOLS), np.bool_)
    allowed[17, 1] = False
    with pytest.raises(MusegenError, match="no symbol is left for bar 2, step 2, voice 2"):
        Template(blank.roll, blank.open, allowed)


def test_shapes_must_agree():
    blank = Template.blank(1)
    with pytest.raises(ValueError, match="16"):
        Template(blank.roll, np.ones((15, 1), np.bool_))


@pytest.mark.parametrize(("symbol", "name"), [(60, "C4"), (70, "Bb4"), (0, "C-1"), (REST, "rest"), (HOLD, "hold")])
def test_symbols_have_names(symbol, name):
    assert symbol_name(symbol) == name


def test_what_may_not_sound_is_told_also_where_it_is_held():
    blank = Template.blank(1, steps_per_quarter=1)
    sounding = np.ones((4, 1, 129), bool)
    sounding[2, 0, [60, REST]] = False
    template = replace(blank, sounding=sounding)
    held = blank.roll.with_symbols(np.array([[60], [HOLD], [HOLD], [62]], np.uint8))
    assert violations(template, held) == ["bar 1, step 3, voice 1: C4 may not sound"]
    silent = blank.roll.with_symbols(np.array([[60], [REST], [HOLD], [62]], np.uint8))
    assert violations(template, silent) == ["bar 1, step 3, voice 1: rest may not sound"]
    assert violations(template, blank.roll.with_symbols(np.array([[60], [HOLD], [62], [HOLD]], np.uint8))) == []


def test_what_does_not_come_again_and_what_breaks_a_rule_is_told():
    blank = Template.blank(2, steps_per_quarter=1)
    template = replace(blank, copies=(Copy(0, 4, 2),), rules=(Leap(0, 2),))
    answer = blank.roll.with_symbols(np.array([[60, HOLD, REST, 62, 60, 62, HOLD, 65]], np.uint8).T)
    assert violations(template, answer) == [
        "bar 2, step 2, voice 1: not as in the passage that it repeats",
        "bar 2, step 4, voice 1: a leap of 3 semitones",
    ]


def test_blank_is_what_asks_for_nothing():
    blank = Template.blank(1)
    assert blank.is_blank
    limits = {"allowed": np.ones((16, 1, 130), bool), "sounding": np.ones((16, 1, 129), bool)}
    for asked in ({"rules": (Leap(0, 1),)}, {"copies": (Copy(0, 8, 8),)}, *({k: v} for k, v in limits.items())):
        assert not replace(blank, **asked).is_blank
    assert not Template.given(replace(blank.roll, symbols=np.full((16, 2), 60, np.uint8)), [0]).is_blank


@pytest.mark.parametrize(
    ("line", "hole", "opened", "no_hold"),
    [
        ((60, HOLD, 62, HOLD, 64, HOLD), (2, 4), [2, 3], [2]),
        ((60, HOLD, HOLD, 62, 64, HOLD), (2, 4), [3], [3]),  # held into the hole
        ((60, HOLD, 62, HOLD, HOLD, HOLD), (1, 3), [], []),  # held out of it, too
        ((60, 61, 62, HOLD, HOLD, HOLD), (1, 3), [1], [1]),
        ((60, REST, REST, REST, 64, HOLD), (2, 4), [2, 3], []),  # after silence nothing is lengthened
        ((60, HOLD, 62, HOLD, 64, HOLD), (0, 2), [0, 1], []),
        ((60, HOLD, 62, HOLD, 64, HOLD), (4, 6), [4, 5], [4]),
        ((HOLD, HOLD, 62, HOLD, 64, HOLD), (0, 1), [0], []),  # a hold with nothing before it is silence
    ],
)
def test_a_hole_has_the_notes_that_lie_in_it(line, hole, opened, no_hold):
    roll = Roll(np.array(line, np.uint8)[:, None], fermatas=frozenset({(2, 0)}))
    is_open = np.zeros((6, 1), bool)
    is_open[slice(*hole)] = True
    if not opened:
        with pytest.raises(MusegenError, match="every note reaches out of the passage"):
            Template.hole(roll, is_open)
        return
    template = Template.hole(roll, is_open)
    assert np.flatnonzero(template.open).tolist() == opened
    forbidden = [] if template.allowed is None else np.argwhere(~template.allowed).tolist()
    assert forbidden == [[step, 0, HOLD] for step in no_hold]
    assert template.roll.fermatas == (frozenset() if 2 in opened else roll.fermatas)
    assert not is_open.all() and is_open.sum() == hole[1] - hole[0], "what was asked stays as it was"

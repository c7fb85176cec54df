"""Lines are drawn by their odds among those that answer the template, and among those alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.models.chain import FAINTEST, Chain
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.rules import Beginning, Ending, Leap, Lengths
from musegen.representation.template import Template, violations
from musegen.representation.ways import Cells, Ways
from musegen.score import Metre

LOW, PITCHES = 60, 3
CLASSES = np.array([60, 61, 62, REST, HOLD])


def roll_of(line):
    return Roll(np.array(line, np.uint8).reshape(-1, 1), 1, ((0, Metre(4, 4)),))


def chain_of(template):
    return Chain([Ways(Cells.of(template, voice, LOW, PITCHES)) for voice in range(template.roll.voices)])


def known_of(template):
    classes = np.argmax(template.roll.symbols[..., None] == CLASSES, axis=-1)
    return np.where(template.open, -1, classes)


def every_line(template):
    """(n, S) classes of each answer: silence is never held."""
    free = [
        range(5) if opened else [k] for opened, k in zip(template.open[:, 0], known_of(template)[:, 0], strict=True)
    ]
    found = []
    for line in product(*free):
        roll = roll_of(CLASSES[list(line)])
        before = np.concatenate([[REST], roll.sounding()[:-1, 0]])
        if not violations(template, roll) and not ((roll.symbols[:, 0] == HOLD) & (before == REST)).any():
            found.append(line)
    return np.array(found)


FIXED = roll_of([60, REST, REST, 62, HOLD])
BLANK = Template(roll_of([REST] * 4), np.ones((4, 1), bool))
HOLE = Template(FIXED, np.array([[False], [True], [True], [False], [False]]))
TEMPLATES = {
    "blank": BLANK,
    "leap": replace(BLANK, rules=(Leap(0, 1),)),
    "lengths": replace(BLANK, rules=(Lengths(0, shortest=2),)),
    "hole": replace(HOLE, rules=(Leap(0, 1),)),
    "ends": replace(BLANK, rules=(Beginning(0, frozenset({0})), Ending(0, frozenset({1})), Lengths(0, longest=3))),
    "sounds": replace(BLANK, sounding=np.broadcast_to(np.arange(129) % 61 != 0, (4, 1, 129))),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_lines_come_as_often_as_their_odds_say(name):
    template = TEMPLATES[name]
    generator = np.random.default_rng(1)
    steps = template.roll.steps
    logs = generator.normal(size=(steps, 1, 5))
    lines = every_line(template)
    weight = np.exp(logs[np.arange(steps), 0, lines][:, template.open[:, 0]].sum(axis=1))
    expected = dict(zip(map(tuple, lines.tolist()), weight / weight.sum(), strict=True))
    chain, known, count = chain_of(template), known_of(template), 3000
    counts = dict.fromkeys(expected, 0)
    for _ in range(count):
        drawn, possible = chain.draw(logs, known, generator.random((steps, 1)))
        assert possible.all()
        counts[tuple(drawn[:, 0].tolist())] += 1  # a line that is no answer has no entry
    squares = sum((counts[line] - count * odds) ** 2 / (count * odds) for line, odds in expected.items())
    assert squares < len(expected) + 5 * np.sqrt(2 * len(expected)), "chi-squared, five standard deviations"


@pytest.mark.parametrize("name", TEMPLATES)
def test_without_chance_the_likeliest_line_comes(name):
    template = TEMPLATES[name]
    for seed in range(5):
        logs = np.random.default_rng(seed).normal(size=(template.roll.steps, 1, 5))
        lines = every_line(template)
        sums = logs[np.arange(len(logs)), 0, lines][:, template.open[:, 0]].sum(axis=1)
        drawn, possible = chain_of(template).draw(logs, known_of(template), None)
        assert possible.all()
        assert drawn[:, 0].tolist() == lines[sums.argmax()].tolist()


def test_what_is_shown_beforehand_is_kept_and_leads_the_rest():
    template = TEMPLATES["leap"]
    logs = np.zeros((4, 1, 5))
    for seed in range(20):
        chances = np.random.default_rng(seed).random((4, 1))
        drawn, possible = chain_of(template).draw(logs, np.array([[0], [-1], [2], [-1]]), chances)
        assert possible.all() and drawn[[0, 2], 0].tolist() == [0, 2]
        assert drawn[1, 0] == 1, "from 60 to 62 by no leap, only over 61"


def test_a_line_that_cannot_be_is_told():
    template = replace(BLANK, rules=(Leap(0, 1),))
    for chances in (np.full((4, 1), 0.5), None):
        _, possible = chain_of(template).draw(np.zeros((4, 1, 5)), np.array([[0], [2], [-1], [-1]]), chances)
        assert not possible.any()


def test_the_faintest_hope_is_enough():
    """Odds may say what cannot be: the one line that can comes all the same, however long."""
    steps = 400
    allowed = np.zeros((steps, 1, 130), bool)
    allowed[..., [60, 62]] = True
    allowed[-1, 0, 62] = False  # so that the whole line is of 60
    template = Template(roll_of([REST] * steps), np.ones((steps, 1), bool), allowed, rules=(Leap(0, 0),))
    logs = np.zeros((steps, 1, 5))
    logs[..., 0] = -1e6
    for chances in (np.full((steps, 1), 0.5), None):
        drawn, possible = chain_of(template).draw(logs, np.full((steps, 1), -1), chances)
        assert possible.all() and (drawn == 0).all()
    assert FAINTEST < 1e6


def test_voices_are_drawn_as_if_alone():
    one, other = TEMPLATES["leap"], TEMPLATES["ends"]
    logs = np.random.default_rng(3).normal(size=(4, 2, 5))
    chances = np.random.default_rng(4).random((4, 2))
    both = Chain([Ways(Cells.of(each, 0, LOW, PITCHES)) for each in (one, other)])
    known = np.full((4, 2), -1)
    for hint in (chances, None):
        lines, _ = both.draw(logs, known, hint)
        for voice, template in enumerate((one, other)):
            alone = slice(voice, voice + 1)
            drawn, _ = chain_of(template).draw(
                logs[:, alone], known[:, alone], None if hint is None else hint[:, alone]
            )
            assert np.array_equal(lines[:, alone], drawn)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn_answers_the_template(data):
    steps = data.draw(st.integers(1, 8))
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    whole = generator.choice(CLASSES, steps)
    whole[0] = whole[0] if whole[0] != HOLD else REST
    roll = roll_of(whole)
    roll = roll_of(np.where((whole == HOLD) & (roll.sounding()[:, 0] == REST), REST, whole))
    is_open = generator.random((steps, 1)) < 0.6
    is_open[generator.integers(steps)] = True
    for step in range(1, steps):  # a note is open or closed as a whole
        if roll.symbols[step, 0] == HOLD:
            is_open[step] = is_open[step - 1]
    if not is_open.any():
        return
    template = Template.hole(roll, is_open)
    allowed = generator.random((steps, 1, 130)) < 0.9
    allowed[np.arange(steps), 0, roll.symbols[:, 0]] = True
    allowed &= True if template.allowed is None else template.allowed
    template = replace(template, allowed=allowed, rules=(Leap(0, int(generator.integers(3))),))
    ways = Ways(Cells.of(template, 0, LOW, PITCHES))
    logs = generator.normal(size=(steps, 1, 5)) * 5
    line, possible = Chain([ways]).draw(logs, known_of(template), generator.random((steps, 1)))
    assert possible.all() == ways.begin
    if ways.begin:
        assert violations(template, roll_of(CLASSES[line[:, 0]])) == []

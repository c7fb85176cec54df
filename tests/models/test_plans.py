from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.models.plans import Plan, choose, frame_nats, instruments, plans_of, usual_tempo
from musegen.representation.grid import encode
from musegen.representation.roll import Roll
from musegen.score import MODES, Key, Metre
from tests.strategies import scores
from tests.toys import ROLLS

FRAME = Roll(np.zeros((0, 2), np.uint8), 4, names=("Upper", "Lower"), programs=(52, None))
G, E_MINOR = Key.parse("G"), Key.parse("Em")
PLANS = (
    (Plan(Metre(4, 4), G, 4, 8, 4), 6),
    (Plan(Metre(4, 4), E_MINOR, 0, 16, 0), 3),
    (Plan(Metre(3, 4), G, 0, 12, 0), 1),
)


def draws(count=400, **wishes):
    return [choose(PLANS, np.random.default_rng(seed), **wishes) for seed in range(count)]


@settings(max_examples=60, deadline=None)
@given(score=scores(2, 4, max_bars=4))
def test_a_plan_gives_back_the_frame_it_was_made_of(score):
    roll = encode(score, 4).roll
    plan = Plan.of(roll)
    if len(roll.metres) > 1:
        assert plan is None
        return
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    template = plan.template(replace(FRAME, symbols=np.zeros((0, roll.voices), np.uint8)))
    assert template.open.all() and template.open.shape == roll.symbols.shape
    assert (template.roll.symbols == 128).all()
    assert (template.roll.metres, template.roll.pickup) == (roll.metres, roll.pickup)
    assert template.roll.keys == tuple((0, key) for _, key in roll.keys[:1])
    assert template.roll.bar_starts() == roll.bar_starts()
    assert Plan.of(template.roll) == plan


def test_a_template_has_the_voices_and_the_tempo_asked_for():
    template = PLANS[0][0].template(FRAME, 99.0)
    assert (template.roll.names, template.roll.programs) == (("Upper", "Lower"), (52, None))
    assert template.roll.tempi == ((0, 99.0),)
    assert template.roll.steps == 8 * 16
    assert PLANS[0][0].template(FRAME).roll.tempi == ((0, usual_tempo(Metre(4, 4), 2)),)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(Metre(3, 32), None, 0, 8, 0), r"a bar of 3/32 does not fit this model's 4 steps per quarter"),
        (Plan(Metre(4, 4), None, 0, 10**6, 0), r"1000000 bars of 4/4 are too many.*At most 6250"),
    ],
)
def test_what_cannot_be_framed_is_refused(plan, message):
    with pytest.raises(MusegenError, match=message):
        plan.template(FRAME)


def test_plans_are_counted_and_the_commonest_comes_first(monkeypatch):
    rolls = [*ROLLS["tunes"], ROLLS["tunes"][1], ROLLS["tunes"][5], ROLLS["tunes"][1]]
    changing = replace(rolls[0], metres=((0, Metre(4, 4)), (48, Metre(3, 4))))
    plans = plans_of([*rolls, changing])
    assert dict(plans) == Counter(Plan.of(roll) for roll in rolls)
    assert [count for _, count in plans] == sorted((count for _, count in plans), reverse=True)
    monkeypatch.setattr("musegen.models.plans.MAX_PLANS", 1)
    assert plans_of(rolls) == plans[:1]


def test_plans_are_drawn_as_often_as_the_training_pieces_have_them():
    counts = Counter(draws())
    for plan, count in PLANS:
        assert counts[plan] / 400 == pytest.approx(count / 10, abs=0.07)


def test_bars_are_what_was_asked_for_and_the_rest_like_the_nearest_plan():
    assert {(plan.bars, plan.metre, plan.key) for plan in draws(50, bars=9)} == {(9, Metre(4, 4), G)}
    assert {plan.bars for plan in draws(50, bars=1)} == {1}
    found = {(plan.bars, plan.key) for plan in draws(50, bars=14)}
    assert found == {(14, E_MINOR), (14, G)}  # 12 and 16 are equally near


def test_a_key_brings_a_plan_of_its_mode():
    d_minor = Key.parse("Dm")
    assert {(plan.key, plan.bars) for plan in draws(50, key=d_minor)} == {(d_minor, 16)}
    dorian = Key.parse("A dorian")  # no training piece has this mode
    assert {plan.key for plan in draws(50, key=dorian)} == {dorian}


def test_a_metre_brings_its_own_plans_and_an_unknown_one_a_plain_frame():
    assert set(draws(50, metre=Metre(3, 4))) == {PLANS[2][0]}
    for plan in draws(50, metre=Metre(5, 4)):
        assert (plan.metre, plan.pickup, plan.missing) == (Metre(5, 4), 0, 0)


def test_wishes_hold_together_and_without_any_plans():
    key, metre = Key.parse("Bb"), Metre(6, 8)
    for plans in (PLANS, ()):
        plan = choose(plans, np.random.default_rng(1), 5, key, metre)
        assert (plan.bars, plan.key, plan.metre) == (5, key, metre)


def test_a_choir_for_many_and_a_flute_for_one():
    assert instruments(2) == (52, 52) and instruments(1) == (73,)


KEYS = [None, *(Key(fifths, mode) for fifths in range(-7, 8) for mode in MODES)]


@pytest.mark.parametrize("plans", [PLANS, ()], ids=["some", "none"])
def test_the_probabilities_of_frames_sum_to_one_at_most(plans):
    metres = [Metre(4, 4), Metre(3, 4), Metre(5, 8)]
    spans = itertools.product(metres, KEYS, (0, 4), range(20), (0, 4))
    total = sum(math.exp(-frame_nats(plans, Plan(*frame))) for frame in spans)
    assert total < 1
    assert total > 0.6 or not plans, "most of it lies on what was counted and its neighbours"


METRES = [Metre(above, 2**below) for above in range(1, 256) for below in range(7)]


@pytest.mark.parametrize(
    ("name", "values", "share"),
    [("metre", METRES, 1 / len(METRES)), ("key", KEYS, 1 / len(KEYS)), ("bars", range(2000), 1 / (9 * 10))],
    ids=["metre", "key", "bars"],
)
def test_of_frames_that_are_otherwise_alike_all_have_their_share(name, values, share):
    plain = Plan(Metre(4, 4), G, 0, 8, 0)  # without training pieces the parts do not depend on one another
    total = sum(math.exp(-frame_nats((), replace(plain, **{name: value}))) for value in values)
    assert total == pytest.approx(math.exp(-frame_nats((), plain)) / share, rel=2e-3)


@settings(max_examples=100, deadline=None)
@given(
    frame=st.builds(
        Plan,
        st.builds(Metre, st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 16, 32, 64])),
        st.sampled_from(KEYS),
        *[st.integers(0, 100_000)] * 3,
    ),
    plans=st.sampled_from([PLANS, ()]),
)
def test_no_frame_costs_infinitely_much(frame, plans):
    assert 0 < frame_nats(plans, frame) < 150


def test_a_frame_that_is_common_costs_little():
    costs = [frame_nats(PLANS, plan) for plan, _ in PLANS]
    assert costs == sorted(costs) and costs[0] < 2.5
    assert frame_nats(PLANS, replace(PLANS[0][0], bars=9)) < frame_nats(PLANS, replace(PLANS[0][0], bars=40))
    assert frame_nats(PLANS, replace(PLANS[0][0], missing=0)) > costs[0] + 1

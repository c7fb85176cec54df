from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musegen import composing, imposing
from musegen.annealing import Search
from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.representation.constraints import Constraints
from musegen.representation.grid import decode
from musegen.representation.roll import REST, Roll
from musegen.representation.structure import Likeness, Structure
from musegen.representation.template import Template, violations
from musegen.score import Key, Metre
from tests.toys import ROLLS

HOW = Sampling(3, particles=2)
NOTHING = composing.Wishes()


@pytest.fixture
def tunes(trained):
    return load_checkpoint(trained("lstm", "tunes"))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr("musegen.annealing.SAMPLES", 4)
    monkeypatch.setattr("musegen.imposing.BATCH", 8)


def plan_of(model, roll, **wishes):
    return imposing.plan_of(model, decode(roll), "plan.mid", **wishes)


def impose(model, plan, numbers=(1,), wishes=NOTHING, effort=16, how=HOW):
    return list(imposing.impose(model, how, list(numbers), wishes, plan, effort))


def test_a_plan_is_a_frame_without_notes(tunes):
    roll = ROLLS["tunes"][3]
    plan = plan_of(tunes, roll)
    assert (plan.frame.steps, plan.frame.metres, plan.frame.pickup) == (roll.steps, roll.metres, roll.pickup)
    assert plan.frame.keys == roll.keys and (plan.frame.symbols == REST).all()
    assert Likeness.of(plan.structure, Structure.of(roll)).cost == pytest.approx(0)


def test_a_plan_of_four_voices_fits_a_melody_and_the_reverse(tunes, trained):
    chorale, tune = ROLLS["chorales"][3], ROLLS["tunes"][1]
    plan = plan_of(tunes, chorale)
    assert plan.frame.symbols.shape == (chorale.steps * 3, 1) and plan.frame.metres == chorale.metres
    assert np.allclose(plan.structure.similarity, Structure.of(chorale).similarity)  # on whichever grid
    bach = load_checkpoint(trained("lstm"))
    plan = plan_of(bach, tune)
    assert plan.frame.voices == 4 and plan.moved  # six to a quarter do not fit four
    (piece, report), = impose(bach, plan, effort=4)  # fmt: skip
    assert piece.roll.voices == 4 and piece.roll.metres == tune.metres and report.copied <= 1


def test_metres_that_change_are_kept(tunes):
    roll = replace(ROLLS["tunes"][0], metres=((0, Metre(4, 4)), (48, Metre(5, 4))))
    plan = plan_of(tunes, roll)
    (piece, _), = impose(tunes, plan)  # fmt: skip
    assert piece.roll.metres == roll.metres and piece.roll.steps == roll.steps
    assert [bar.metre for bar in piece.score.bars()] == [bar.metre for bar in decode(roll).bars()]


def test_a_key_that_is_asked_for_moves_the_plan(tunes):
    roll = replace(ROLLS["tunes"][0], keys=((0, Key(0)), (48, Key(1))))
    assert plan_of(tunes, roll, key=Key(2)).frame.keys == ((0, Key(2)), (48, Key(3)))
    assert plan_of(tunes, roll, key=Key(2, "minor")).frame.keys == ((0, Key(2, "minor")),)
    without = replace(roll, keys=())
    assert len(plan_of(tunes, without).frame.keys) == 1  # as it sounds


@pytest.mark.parametrize(("name", "corpus"), [("lstm", "tunes"), ("feedforward", "chorales"), ("vae", "tunes")])
def test_the_search_leads_nearer_and_never_away(trained, name, corpus):
    model = load_checkpoint(trained(name, corpus))
    plan = plan_of(model, ROLLS[corpus][0])
    (piece, report), = impose(model, plan, effort=16)  # fmt: skip
    assert report.result == Likeness.of(plan.structure, Structure.of(piece.roll))
    assert report.result.cost < report.begun.cost
    assert report.accepted > 0
    blank = Template(plan.frame, np.ones(plan.frame.symbols.shape, bool))
    assert violations(blank, piece.roll) == []
    if name != "vae":  # which says how surprised it is under the code that it drew
        nats = model.composer().surprise([piece.roll])[0].nats.sum()
        assert report.nats == pytest.approx(nats / (piece.roll.symbols < REST).sum())


def test_each_piece_depends_on_seed_and_number_alone(tunes):
    plan = plan_of(tunes, ROLLS["tunes"][2])
    both = [piece.roll.symbols for piece, _ in impose(tunes, plan, (1, 2), effort=8)]
    (again, _), = impose(tunes, plan, (2,), effort=8)  # fmt: skip
    (other, _), = impose(tunes, plan, (2,), effort=8, how=replace(HOW, seed=4))  # fmt: skip
    assert (again.roll.symbols == both[1]).all()
    assert (both[0] != both[1]).any() and (other.roll.symbols != both[1]).any()


def test_no_effort_gives_the_nearest_plain_sample(tunes):
    (_, report), = impose(tunes, plan_of(tunes, ROLLS["tunes"][2]), effort=0)  # fmt: skip
    assert report.result == report.begun and report.accepted == 0


@pytest.mark.parametrize(
    "asked", [{"scale": "D major pentatonic"}, {"leap": "5"}, {"end": "tonic"}, {"form": "AA"}, {"note": ["2:1=A4"]}]
)
def test_constraints_hold_all_the_way(tunes, asked):
    constraints = Constraints.of(asked)
    roll = ROLLS["tunes"][4]
    plan = plan_of(tunes, roll if "form" not in asked else ROLLS["tunes"][1])
    blank = Template(plan.frame, np.ones(plan.frame.symbols.shape, bool))
    narrowed = composing.narrow(tunes, blank, constraints)
    for piece, report in impose(tunes, plan, (1,), composing.Wishes(constraints=constraints)):
        assert violations(narrowed, piece.roll) == []
        assert report.result.cost <= report.begun.cost


def test_what_repeats_in_the_plan_is_proposed_to_repeat(tunes):
    bar = np.concatenate([np.array([[60], [62], [64], [65]], np.uint8).repeat(12, 0)])
    bar[np.arange(48) % 12 != 0] = 129
    other = bar.copy()
    other[bar < REST] = [72, 59, 71, 61]
    roll = Roll(np.concatenate([bar, other, bar, bar]), 12, ((0, Metre(4, 4)),), keys=((0, Key(0)),))
    plan = plan_of(tunes, roll)
    blank = Template(plan.frame, np.ones(plan.frame.symbols.shape, bool))
    search = Search(tunes, tunes.composer(), HOW, 1, plan.structure, blank, Constraints())
    search.current = search._state(roll, None)
    assert search._repeat() is None  # nothing is left to repeat
    varied = roll.symbols.copy()
    varied[144:][varied[144:] < REST] = [70, 58, 73, 56]
    search.current = search._state(roll.with_symbols(varied), None)
    found = [template for _ in range(12) if (template := search._repeat()) is not None]
    assert found
    for template in found:
        fixed = ~template.open[:, 0]
        repeats = template.roll.symbols[144:][fixed[144:]]
        assert len(repeats) and (repeats == bar[fixed[144:]]).all()  # the plan's last bar is as its first
        assert template.open.any() and not template.open[:96].any()


def test_copies_are_counted_in_any_key_and_by_voice():
    roll = ROLLS["tunes"][2]
    assert imposing.copied(roll, roll) == 1
    symbols = roll.symbols.copy()
    symbols[symbols < REST] += 2
    assert imposing.copied(roll.with_symbols(symbols), roll) == 1
    chorale = ROLLS["chorales"][0]
    soprano = chorale.with_symbols(chorale.symbols[:, :1])
    assert imposing.copied(soprano, chorale) == 1
    assert imposing.copied(chorale.with_symbols(chorale.symbols[::-1].copy()), soprano) < 0.5


def test_what_cannot_be_followed_is_refused(tunes, trained):
    with pytest.raises(MusegenError, match="takes length, key and metre from the melody"):
        plan_of(load_checkpoint(trained("minibach")), ROLLS["tunes"][0])
    silent = replace(ROLLS["tunes"][0], symbols=np.full((48, 1), REST, np.uint8))
    with pytest.raises(MusegenError, match=r"plan\.mid: it has no notes"):
        plan_of(tunes, silent)
    fine = Roll(np.array([[60]] * 5, np.uint8), 8, ((0, Metre(5, 32)),))
    with pytest.raises(MusegenError, match=r"plan\.mid: a bar of 5/32 is no whole number of steps"):
        plan_of(tunes, fine)
    asked = composing.Wishes(constraints=Constraints.of({"scale": "C D", "note": ["1:1=E5"]}))
    with pytest.raises(MusegenError, match="cannot"):
        impose(tunes, plan_of(tunes, ROLLS["tunes"][0]), wishes=asked)

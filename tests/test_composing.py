from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from musegen import composing
from musegen.checkpoints import load_checkpoint
from musegen.composing import Wishes, compose, describe, move_for, sample
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.models.plans import Plan
from musegen.representation.constraints import Constraints
from musegen.representation.grid import decode, encode
from musegen.representation.roll import Roll
from musegen.representation.template import Template, violations
from musegen.representation.transposition import transposed
from musegen.score import Key, Metre
from tests.toys import ROLLS

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from checking import Question, broken

HOW = Sampling(4)


@pytest.fixture
def tunes(trained):
    return load_checkpoint(trained("lstm", "tunes"))


@pytest.fixture
def minibach(trained):
    return load_checkpoint(trained("minibach"))


def one(model, how=HOW, **wishes):
    return next(sample(model, how, [1], Wishes(**wishes)))


def test_wishes_are_met(tunes):
    key, metre = Key.parse("F# dorian"), Metre(6, 8)
    piece = one(tunes, bars=5, key=key, metre=metre, tempo=90.0)
    assert piece.score.keys == ((0, key),)
    assert piece.score.tempi == ((0, 90.0),)
    assert [each for _, each in piece.score.metres] == [metre]
    assert max(bar.number for bar in piece.score.bars()) == 5
    assert piece.score.duration == Fraction(piece.roll.steps, 12)
    assert decode(piece.roll) == piece.score


def test_without_wishes_pieces_begin_as_the_training_pieces_do(tunes):
    plans = {plan for plan, _ in tunes.plans}
    drawn = {Plan.of(piece.roll) for piece in sample(tunes, HOW, range(1, 30), Wishes())}
    assert drawn <= plans and len(drawn) > 2


def test_a_metre_off_the_grid_is_refused(trained):
    model = load_checkpoint(trained("lstm"))
    with pytest.raises(MusegenError, match=r"a bar of 3/32 does not fit"):
        one(model, metre=Metre(3, 32))


def test_where_a_piece_comes_from_is_told(tunes):
    told = json.loads(one(tunes, replace(HOW, top_k=7), bars=3, key=Key.parse("G")).provenance)
    assert told == {
        "musegen": told["musegen"],
        "model": tunes.name,
        "hash": tunes.hash,
        "seed": 4,
        "piece": 1,
        "temperature": 1.0,
        "top_k": 7,
        "top_p": 1.0,
        "bars": 3,
        "key": "G major",
    }


def test_titles_name_model_seed_and_number(tunes):
    assert [piece.score.title for piece in sample(tunes, HOW, [7, 9], Wishes())] == [
        f"{tunes.name} 4/7", f"{tunes.name} 4/9",
    ]  # fmt: skip


def test_a_piece_is_described(tunes):
    piece = one(tunes, bars=3, metre=Metre(4, 4), key=Key.parse("D"))
    facts = describe(tunes, HOW, piece)
    assert json.loads(json.dumps(facts)) == facts
    assert (facts["bars"], facts["metre"], facts["key"], facts["seed"], facts["piece"]) == (3, "4/4", "D major", 4, 1)
    assert facts["steps"] == piece.roll.steps
    assert facts["notes"] == int((piece.roll.symbols < 128).sum())
    assert facts["nats_per_note"] == pytest.approx(piece.nats, abs=1e-4)


def test_a_model_that_needs_a_melody_takes_one_it_brings_along(minibach):
    pieces = list(sample(minibach, HOW, range(1, 9), Wishes(tempo=66.0)))
    melodies = {melody.title: melody for melody in minibach.melodies}
    assert {piece.roll.title for piece in pieces} == set(melodies)
    for piece in pieces:
        assert np.array_equal(piece.roll.symbols[:, 0], melodies[piece.roll.title].symbols[:, 0])
        assert piece.score.tempi == ((0, 66.0),)
    with pytest.raises(MusegenError, match=r"takes length, key and metre from the melody"):
        one(minibach, bars=4)


@pytest.mark.parametrize("name", ["lstm", "vae", "minibach"])
@pytest.mark.parametrize("semitones", [0, 14, -17])
def test_what_is_given_out_of_range_is_moved_for_the_model_and_moved_back(trained, name, semitones):
    model = load_checkpoint(trained(name))
    templates = [Template.given(transposed(roll, semitones), [0]) for roll in ROLLS["chorales"][:3]]
    pieces = list(compose(model, replace(HOW, particles=3), enumerate(templates), Wishes()))
    for template, piece in zip(templates, pieces, strict=True):
        assert violations(template, piece.roll) == []
        assert piece.roll.keys == template.roll.keys
        low, high = model.vocabulary.ranges[0]
        heard = template.roll.symbols[:, 0]
        heard = heard[heard < 128].astype(int) + piece.moved
        assert low <= heard.min() and heard.max() <= high
        assert (piece.moved == 0) == (semitones == 0)
        for voice, (least, most) in enumerate(model.vocabulary.ranges):
            column = piece.roll.symbols[:, voice].astype(int)
            assert all(least <= pitch + piece.moved <= most for pitch in column[column < 128])


def test_a_piece_that_is_moved_is_what_the_model_writes_to_the_moved_one(trained):
    model, roll = load_checkpoint(trained("lstm")), ROLLS["chorales"][0]
    how = replace(HOW, particles=3)
    far = next(compose(model, how, [(1, Template.given(transposed(roll, 30), [0]))], Wishes()))
    near = next(compose(model, how, [(1, Template.given(transposed(roll, 30 + far.moved), [0]))], Wishes()))
    assert far.moved < 0 == near.moved
    assert np.array_equal(transposed(far.roll, far.moved).symbols, near.roll.symbols)
    assert far.nats == near.nats


def test_the_nearest_move_is_taken(tunes):
    low, high = tunes.vocabulary.ranges[0]
    for pitches, expected in (([low, high], 0), ([low - 1, low], 1), ([high + 7], -7), ([low - 3, high - 3], 3)):
        symbols = np.array(pitches, np.uint8)[:, None]
        roll = Roll(symbols, 12)
        assert move_for(tunes, Template(roll, np.zeros(symbols.shape, bool))) == expected
    wide = Roll(np.array([[low - 1], [high + 1]], np.uint8), 12)
    assert move_for(tunes, Template(wide, np.zeros((2, 1), bool))) == 0, "beyond the range, but it has classes"
    wider = Roll(np.array([[20], [100]], np.uint8), 12)
    with pytest.raises(MusegenError, match=r"the given notes, Ab0 to E7, are out of the range of tunes-lstm in every"):
        move_for(tunes, Template(wider, np.zeros((2, 1), bool)))


def test_templates_with_nothing_open_come_back_as_they_are(tunes):
    fixed = [Template(roll, np.zeros(roll.symbols.shape, bool)) for roll in ROLLS["tunes"][:2]]
    blank = Template.blank(2, steps_per_quarter=12)
    pieces = list(compose(tunes, HOW, [(1, fixed[0]), (2, blank), (3, fixed[1])], Wishes()))
    assert [piece.number for piece in pieces] == [1, 2, 3]
    assert [piece.nats is None for piece in pieces] == [True, False, True]
    for piece, roll in ((pieces[0], ROLLS["tunes"][0]), (pieces[2], ROLLS["tunes"][1])):
        assert np.array_equal(piece.roll.symbols, roll.symbols)
    assert np.array_equal(pieces[1].roll.symbols, next(compose(tunes, HOW, [(2, blank)], Wishes())).roll.symbols)


@pytest.mark.parametrize("particles", [1, 3])
def test_constraints_hold_in_sampled_pieces_and_batches_are_no_matter(tunes, particles, monkeypatch):
    asked = Constraints.of({"scale": "D major", "leap": "5", "longest": "1/4", "end": "tonic"})
    wishes = Wishes(bars=2, key=Key.parse("D"), constraints=asked)
    how = replace(HOW, particles=particles)
    together = list(sample(tunes, how, range(1, 8), wishes))
    for piece in together:
        question = Question(piece.score, Key.parse("D"), ("Melody",))
        assert broken(asked, question) == []
    monkeypatch.setattr(composing, "TOGETHER", 2)
    apart = list(sample(tunes, how, range(1, 8), wishes))
    assert [piece.score for piece in together] == [piece.score for piece in apart]


def test_scores_survive_the_grid_they_were_composed_on(tunes):
    for piece in sample(tunes, HOW, range(1, 5), Wishes()):
        encoded = encode(piece.score, 12)
        assert encoded.moved == ()
        assert np.array_equal(encoded.roll.symbols, piece.roll.symbols)


def test_many_pieces_come_as_they_are_finished(tunes, monkeypatch):
    monkeypatch.setattr(composing, "TOGETHER", 2)
    numbers = iter(sample(tunes, HOW, range(1, 1000), Wishes(bars=1)))
    assert [next(numbers).number for _ in range(3)] == [1, 2, 3]

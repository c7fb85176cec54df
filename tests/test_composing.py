from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from musegen import composing
from musegen.checkpoints import load_checkpoint
from musegen.composing import Wishes, describe, harmonize, sample
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.models.plans import Plan
from musegen.representation.grid import decode, encode
from musegen.score import Key, Metre, Note, Score, Voice
from tests.toys import ROLLS

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


@pytest.mark.parametrize("number", range(4))
def test_harmonizing_keeps_the_melody_note_for_note(minibach, number):
    score = decode(ROLLS["chorales"][number])
    melody = replace(score, voices=score.voices[:1], tempi=((Fraction(0), 111.0),))
    piece, moved = harmonize(minibach, Sampling(1, 1.0), melody)
    assert moved == ""
    assert piece.score.voices[0].notes == melody.voices[0].notes
    assert [voice.name for voice in piece.score.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert any(voice.notes for voice in piece.score.voices[1:])
    assert (piece.score.metres, piece.score.pickup, piece.score.keys) == (melody.metres, melody.pickup, melody.keys)
    assert piece.score.tempi == melody.tempi and piece.score.title == melody.title
    faster, _ = harmonize(minibach, Sampling(1, 1.0), melody, 130.0)
    assert faster.score.tempi == ((0, 130.0),)


def test_the_first_voice_is_the_melody_and_the_others_play_no_part(minibach):
    score = decode(ROLLS["chorales"][0])
    alone, _ = harmonize(minibach, HOW, replace(score, voices=score.voices[:1]))
    among, _ = harmonize(minibach, HOW, score)
    assert np.array_equal(alone.roll.symbols, among.roll.symbols)


def test_what_does_not_fit_the_grid_is_told(minibach):
    third = Fraction(1, 3)
    notes = tuple(Note(i * third, third, 70) for i in range(12))
    piece, moved = harmonize(minibach, HOW, Score((Voice(notes),)))
    assert "12 notes moved" in moved
    assert len(piece.score.voices[0].notes) == 12


@pytest.mark.parametrize(
    ("melody", "message"),
    [
        (Score((Voice((Note(Fraction(0), Fraction(4), 110),)),)), r"pitch 110 lies outside this model's"),
        (Score((Voice(()),), duration=Fraction(4)), r"it has no notes"),
    ],
)
def test_melodies_that_cannot_be_harmonized_are_refused(minibach, melody, message):
    with pytest.raises(MusegenError, match=message):
        harmonize(minibach, HOW, melody)


def test_a_family_that_keeps_no_voices_names_one_that_does(tunes):
    with pytest.raises(MusegenError, match=r"lstm cannot keep given voices yet.*minibach"):
        harmonize(tunes, HOW, decode(ROLLS["tunes"][0]))


def test_scores_survive_the_grid_they_were_composed_on(tunes):
    for piece in sample(tunes, HOW, range(1, 5), Wishes()):
        encoded = encode(piece.score, 12)
        assert encoded.moved == ()
        assert np.array_equal(encoded.roll.symbols, piece.roll.symbols)


def test_many_pieces_come_as_they_are_finished(tunes, monkeypatch):
    monkeypatch.setattr(composing, "TOGETHER", 2)
    numbers = iter(sample(tunes, HOW, range(1, 1000), Wishes(bars=1)))
    assert [next(numbers).number for _ in range(3)] == [1, 2, 3]

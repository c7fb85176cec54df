"""Moving a roll up and down, and how far it may go."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.grid import decode, encode
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import Template, violations
from musegen.representation.transposition import moved, ranges, room, transposed
from musegen.score import Key
from tests.strategies import scores
from tests.templates import random_answered, random_question

MIDDLE = st.integers(40, 90)


def column(*symbols: int) -> Roll:
    return Roll(np.array(symbols, np.uint8)[:, None], keys=((0, Key.parse("Am")),))


@given(scores(pitches=MIDDLE), st.integers(-24, 24))
def test_every_note_moves_and_nothing_else(score, semitones):
    moved = decode(transposed(encode(score).roll, semitones))
    for was, came in zip(score.voices, moved.voices, strict=True):
        assert came.notes == tuple(note._replace(pitch=note.pitch + semitones) for note in was.notes)
        assert (came.name, came.program) == (was.name, was.program)
    assert (moved.metres, moved.tempi, moved.pickup, moved.duration) == (
        score.metres,
        score.tempi,
        score.pickup,
        score.duration,
    )
    for (_, was), (_, came) in zip(score.keys, moved.keys, strict=True):
        assert came.tonic == (was.tonic + semitones) % 12
        assert came.mode == was.mode


def test_the_key_follows():
    moved = transposed(column(69, HOLD, REST, 64), 3)
    assert moved.symbols[:, 0].tolist() == [72, HOLD, REST, 67]
    assert str(moved.keys[0][1]) == "C minor"


@pytest.mark.parametrize(("pitch", "semitones"), [(126, 2), (1, -2), (60, 200), (60, -300)])
def test_no_pitch_becomes_another_symbol(pitch, semitones):
    with pytest.raises(MusegenError, match=f"pitch {pitch} moved by .{abs(semitones)} semitones leaves"):
        transposed(column(pitch), semitones)


@settings(max_examples=40)
@given(st.lists(scores(min_voices=2, max_voices=2, pitches=MIDDLE), min_size=1, max_size=3))
def test_the_room_is_all_that_stays_within_the_corpus(pieces):
    rolls = [encode(piece).roll for piece in pieces]
    within = ranges(rolls)

    def stays(roll: Roll, semitones: int) -> bool:
        pitches = [[note.pitch + semitones for note in voice.notes] for voice in decode(roll).voices]
        return all(low <= p <= high for (low, high), line in zip(within, pitches, strict=True) for p in line)

    for roll in rolls:
        free = room(roll, within)
        assert 0 in free
        if (roll.symbols < REST).any():
            assert [n for n in range(-60, 90) if stays(roll, n)] == list(free)


def test_ranges_are_those_of_the_notes():
    low = Roll(np.array([[60, 50], [HOLD, REST], [64, 45]], np.uint8))
    high = Roll(np.array([[70, REST], [67, HOLD]], np.uint8))
    assert ranges([low, high]) == ((60, 70), (45, 50))
    assert ranges([high]) == ((67, 70), (0, 127))


def test_a_piece_wider_than_the_ranges_has_no_room():
    assert list(room(column(60, 72), [(60, 70)])) == []
    assert list(room(column(80, 82), [(60, 70)])) == list(range(-20, -11))
    assert list(room(column(REST, HOLD), [(60, 70)])) == [0]


def test_fermatas_stay_with_their_notes():
    score = decode(Roll(np.array([[60]], np.uint8), fermatas=frozenset({(0, 0)})))
    assert decode(transposed(encode(score).roll, 2)).voices[0].notes[0] == (Fraction(0), Fraction(1, 4), 62, True)


SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(-24, 24))
def test_what_is_asked_moves_with_the_notes(seed, semitones):
    template, answer = random_answered(np.random.default_rng(seed), 8, [(60, 64), (55, 58)])
    there = moved(template, semitones)
    assert violations(there, transposed(answer, semitones)) == []
    other = random_question(np.random.default_rng(seed + 1), 8, [(60, 64), (55, 58)]).roll
    wrong = answer.with_symbols(np.where(template.open, other.symbols[: answer.steps], template.roll.symbols))
    assert len(violations(there, transposed(wrong, semitones))) == len(violations(template, wrong))


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(-24, 24))
def test_a_rule_that_is_moved_is_the_same_automaton_on_the_moved_pitches(seed, semitones):
    template, _ = random_answered(np.random.default_rng(seed), 8, [(60, 64)])
    for rule, other in zip(template.rules, moved(template, semitones).rules, strict=True):
        was, came = rule.automaton(60, 5), other.automaton(60 + semitones, 5)
        assert rule.voice == other.voice
        assert all(np.array_equal(a, b) for a, b in zip(was.tables, came.tables, strict=True))
        assert np.array_equal(was.final, came.final)


def test_limits_move_and_what_comes_from_beyond_is_forbidden():
    allowed = np.zeros((1, 1, 130), bool)
    allowed[0, 0, [0, 60, 127, HOLD]] = True
    sounding = np.zeros((1, 1, 129), bool)
    sounding[0, 0, [60, 127, REST]] = True
    template = Template(column(REST), np.ones((1, 1), bool), allowed, sounding)
    up, down = moved(template, 2), moved(template, -2)
    assert np.flatnonzero(up.allowed).tolist() == [2, 62, HOLD]
    assert np.flatnonzero(down.allowed).tolist() == [58, 125, HOLD]
    assert np.flatnonzero(up.sounding).tolist() == [62, REST]
    assert np.flatnonzero(down.sounding).tolist() == [58, 125, REST]
    assert moved(template, 0) is template

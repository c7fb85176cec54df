"""What MiniBach sees of a melody."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.models import family
from musegen.models.minibach import reach_of, surrounded
from musegen.models.minibach.melody import (
    BELOW,
    NOTES,
    Melody,
    above_c,
    candidates,
    from_tonic,
    key_of,
    tables,
    taps,
)
from musegen.representation.grid import encode
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.transposition import transposed
from musegen.score import Key, Metre
from tests.strategies import scores
from tests.toys import tiny_vocabulary

KIND = family("minibach")


def words_of(roll, low=50, high=75):
    metres = tuple(dict.fromkeys(metre for _, metre in roll.metres))
    words = tiny_vocabulary(*((low, high),) * roll.voices, grid=4)
    return replace(words, metres=metres, longest_bar=max(roll.steps_of(metre) for metre in metres))


@st.composite
def rolls(draw):
    metres = [Metre.parse(text) for text in ("2/4", "3/4", "6/8")]
    return encode(draw(scores(3, 4, metres, pitches=st.integers(55, 68), max_bars=4, fermatas=False)), 4).roll


def roll_of(line, keys=()):
    return Roll(np.array(line, np.uint8)[:, None], 4, keys=keys)


def column(roll, number):
    """One of the facts, counted from 0."""
    words = words_of(roll)
    offset = sum(tables(words)[:number])
    return (Melody.of(roll, words).facts[:, number] - offset).tolist()


@settings(max_examples=40, deadline=None)
@given(roll=rolls())
def test_every_fact_stays_within_its_table(roll):
    words = words_of(roll)
    melody, sizes = Melody.of(roll, words), np.array(tables(words))
    facts = melody.facts - np.cumsum([0, *sizes[:-1]])
    assert (facts >= 0).all() and (facts < sizes).all()
    assert (melody.line >= 0).all() and (melody.line < words.none + 2 * BELOW).all()
    assert (melody.below >= 0).all() and (melody.below <= candidates(words)).all()


@settings(max_examples=30, deadline=None)
@given(roll=rolls(), semitones=st.integers(-5, 5))
def test_moved_music_is_the_same_from_its_tonic_or_octaves_off(roll, semitones):
    roll = replace(roll, keys=((0, Key(0)),))
    words = words_of(roll)
    here, there = Melody.of(roll, words), Melody.of(transposed(roll, semitones), words)
    assert ((here.line - there.line) % 12 == 0).all()
    most = words.pitches + 2 * BELOW
    assert np.array_equal(here.line >= most, there.line >= most)
    same = [0, 2, *range(4, 8), *range(9, 8 + 4 * NOTES, 2)]  # neither pitches nor the tonic
    assert np.array_equal(here.facts[:, same], there.facts[:, same])


@settings(max_examples=30, deadline=None)
@given(roll=rolls(), seed=st.integers(0, 9))
def test_the_other_voices_play_no_part(roll, seed):
    words, other = words_of(roll), roll.symbols.copy()
    other[:, 1:] = np.random.default_rng(seed).integers(55, 68, other[:, 1:].shape)
    one, two = Melody.of(roll, words), Melody.of(replace(roll, symbols=other), words)
    for name in ("tonic", "line", "facts", "below"):
        assert np.array_equal(getattr(one, name), getattr(two, name)), name


def test_notes_are_told_with_their_lengths():
    roll = roll_of([60, HOLD, HOLD, 64, REST, REST, 62, 62], ((0, Key(0)),))
    lasting = [3, 3, 3, 1, 2, 2, 1, 1]
    since = [0, 1, 2, 0, 0, 1, 0, 0]
    assert column(roll, 4) == [length * 17 + gone for length, gone in zip(lasting, since, strict=True)]
    assert column(roll, 5) == [3, 2, 1, 1, 2, 1, 1, 1]
    assert column(roll, 6) == list(range(8)) and column(roll, 7) == list(range(8, 0, -1))
    words = words_of(roll)
    pitch = {each: each - words.low + BELOW for each in (60, 62, 64)}
    rest, nothing = words.rest + 2 * BELOW, words.none + 2 * BELOW
    before, after = 8 + 2 * (NOTES - 1), 8 + 2 * NOTES
    assert column(roll, before) == [nothing] * 3 + [pitch[60]] + [pitch[64]] * 2 + [rest, pitch[62]]
    assert column(roll, after) == [pitch[64]] * 3 + [rest] + [pitch[62]] * 3 + [nothing]
    assert column(roll, after + 1) == [1, 1, 1, 2, 1, 1, 1, 17]


def test_a_passage_may_begin_in_the_midst_of_a_note():
    roll = roll_of([HOLD, HOLD, 60, HOLD], ((0, Key(0)),))
    assert column(roll, 5) == [2, 1, 2, 1]


def test_a_key_that_is_not_written_is_estimated_from_the_melody_alone():
    scale = [67, 69, 71, 72, 74, 76, 78, 79, 74, 71, 67, 67]
    assert key_of(roll_of(scale)) == Key(1)
    assert key_of(roll_of(scale, ((0, Key(-2)),))) == Key(-2)
    assert key_of(roll_of([REST, REST])) == Key(0)
    assert [above_c(Key(fifths)) for fifths in (0, 1, -1, 6, -5)] == [0, -5, 5, 6, 1]


def test_intervals_lie_below_the_melody():
    words = tiny_vocabulary((60, 72), (40, 60))
    roll = Roll(np.array([[67, REST], [REST, REST]], np.uint8), 1, keys=((0, Key(1)),))
    melody = Melody.of(roll, words)
    assert melody.tonic == -5
    for pitch in (40, 55, 67, 74):
        (row,) = from_tonic(words.encode(np.array([pitch], np.uint8)), melody.tonic, words)
        assert melody.below[0, row] == 67 - pitch + 12
    assert (melody.below[1] == candidates(words)).all()


@pytest.mark.parametrize(("grid", "window"), [(4, 16), (4, 1), (12, 16), (1, 5), (4, 20)])
def test_the_nearer_the_finer(grid, window):
    words = tiny_vocabulary((60, 72), (40, 60), grid=grid)
    found = taps(grid, window)
    half = window * grid // 2
    assert found == sorted({*found}) == [-each for each in reversed(found)]
    assert {*range(min(half, 2 * grid) + 1)} <= {*found} and half - grid < found[-1] <= half
    assert reach_of(words, KIND.settings.of({"window": window})) == found[-1]
    gaps = np.diff([each for each in found if each >= 0])
    assert gaps.tolist() == sorted(gaps.tolist()) or half % grid
    assert len(surrounded(np.zeros((3, 2), np.int64), found[-1], words)) == 3 + 2 * found[-1]

"""MGEval's and MusPy's features of pieces whose values are known."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.evaluation.features import LENGTHS, mgeval, muspy
from musegen.representation.grid import encode
from musegen.representation.roll import Roll
from musegen.representation.transposition import room, transposed
from musegen.score import Metre, Score
from tests.evaluation.pieces import roll, values
from tests.strategies import scores


def test_mgeval_of_a_short_tune():
    symbols = np.concatenate([roll((60, 64), steps=4).symbols, roll((None, 72), steps=8).symbols])
    found = mgeval(Roll(symbols))  # C and E quarters, a half rest, a C half
    scalars = {name: numbers[0] for name, numbers in found.items() if len(numbers) == 1}
    assert scalars == {
        "pitch count": 3,
        "pitch range": 12,
        "mean pitch step": 6,
        "note count": 3,
        "mean inter-onset interval": 2,
    }
    classes = found["pitch-class histogram"]
    assert classes[[0, 4]] == pytest.approx([0.75, 0.25])
    assert np.flatnonzero(found["pitch-class transitions"]).tolist() == [4]  # C to E; not over the rest
    quarter, half = LENGTHS.index(1.0), LENGTHS.index(2.0)
    assert found["note-length histogram"][[quarter, half]] == pytest.approx([2 / 3, 1 / 3])
    pairs = found["note-length transitions"].reshape(12, 12)
    assert pairs[quarter, quarter] == pairs[quarter, half] == 0.5


def test_chords_add_zeros_between_onsets_but_no_steps_between_voices():
    found = mgeval(roll((72, 74), (60, 60)))
    assert found["mean inter-onset interval"][0] == pytest.approx(1 / 3)
    assert found["mean pitch step"][0] == 1
    assert found["pitch-class transitions"].reshape(12, 12)[[0, 0], [2, 0]].tolist() == [0.5, 0.5]


def test_triplets_have_their_own_lengths():
    found = mgeval(roll((60, 62, 64, 65), steps=4, steps_per_quarter=12))
    assert found["note-length histogram"][LENGTHS.index(1 / 3)] == 1


def test_muspy_of_a_scale():
    found = values(muspy(roll((60, 62, 64, 65, 67, 69, 71, 73))))
    assert found["scale consistency"] == pytest.approx(7 / 8)
    assert found["pitch entropy, bits"] == pytest.approx(3)
    assert found["groove consistency"] == 1
    assert found["empty bars"] == 0
    assert (found["polyphony"], found["polyphony rate"]) == (1, 0)


def test_the_minor_scale_is_a_scale_and_octaves_are_one_class():
    found = muspy(roll((69, 71, 72, 74, 76, 77, 79, 81)))
    assert found["scale consistency"].value == 1
    assert found["pitch-class entropy of notes, bits"].value == pytest.approx(2.75)


def test_groove_compares_onsets_of_neighbouring_bars():
    bar, other = roll((60, 60, 60, 60)).symbols, roll((72, 74), steps=8).symbols
    found = muspy(Roll(np.concatenate([bar, other, bar * 0 + 128])))
    assert found["groove consistency"].value == pytest.approx(1 - (2 / 16 + 2 / 16) / 2)
    assert found["empty bars"].value == pytest.approx(1 / 3)


def test_polyphony_counts_pitches_not_voices():
    found = muspy(roll((60, 60, 60, None), (60, 55, None, None)))
    assert found["polyphony"].value == pytest.approx(4 / 3)
    assert found["polyphony rate"].value == pytest.approx(1 / 4)


def test_silence_has_zeros_and_nothing_to_say():
    silence = roll((None,) * 4, metres=((0, Metre(4, 4)),))
    assert all(not numbers.any() for numbers in mgeval(silence).values())
    assert muspy(silence) == {}


@given(scores(), st.data())
def test_transposing_rolls_the_classes_and_leaves_the_rest(score: Score, data: st.DataObject):
    piece = encode(score, 4).roll
    semitones = data.draw(st.sampled_from(room(piece, [(0, 127)] * piece.voices)))
    one, two = mgeval(piece), mgeval(transposed(piece, semitones))
    one["pitch-class histogram"] = np.roll(one["pitch-class histogram"], semitones)
    matrix = one["pitch-class transitions"].reshape(12, 12)
    one["pitch-class transitions"] = np.roll(matrix, (semitones, semitones), (0, 1)).ravel()
    for name, numbers in one.items():
        assert two[name] == pytest.approx(numbers), name
        assert len(numbers) == 1 or math.isclose(numbers.sum(), 1) or not numbers.any()
    assert values(muspy(transposed(piece, semitones))) == pytest.approx(values(muspy(piece)))

"""Parallels, chords, lengths and endings of pieces made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.evaluation import chorales
from musegen.evaluation.chorales import FIFTHS, FINAL, OCTAVES, TONIC, measure
from musegen.representation.grid import encode
from musegen.representation.roll import Roll
from musegen.representation.transposition import room, transposed
from musegen.score import Key, Score
from tests.evaluation.pieces import C_MAJOR, roll, struck_again, values
from tests.strategies import scores


@pytest.mark.parametrize(
    ("upper", "lower", "fifths", "octaves", "together"),
    [
        ((67, 69, 71), (60, 62, 64), 2, 0, 2),
        ((79, 81, 83), (60, 62, 64), 2, 0, 2),  # a twelfth is a fifth
        ((72, 74, 71), (60, 62, 59), 0, 2, 2),
        ((60, 62), (60, 62), 0, 1, 1),  # a unison is an octave
        ((67, 67, 67), (60, 60, 60), 0, 0, 0),  # both stay
        ((67, 69), (60, 60), 0, 0, 0),  # one stays
        ((72, 79), (60, 55), 0, 0, 1),  # from octave to octave, in contrary motion
        ((67, 72), (60, 62), 0, 0, 1),  # out of a fifth
        ((67, 69, 71), (60, 62, None), 1, 0, 1),  # a voice falls silent
        ((67, None, 69), (60, None, 62), 0, 0, 0),  # a rest between
        ((65, 67), (60, 62), 0, 0, 1),  # fourths are no fifths
        ((60, 62), (65, 67), 1, 0, 1),  # but a fourth below the lower voice is a fifth mod 12
    ],
)
def test_parallels_are_counted_among_pairs_that_move_together(upper, lower, fifths, octaves, together):
    found = measure(roll(upper, lower))
    assert found[FIFTHS] == (1000 * fifths, together)
    assert found[OCTAVES] == (1000 * octaves, together)


def test_parallels_are_found_between_any_two_of_four_voices():
    found = measure(roll((79, 79), (67, 69), (64, 64), (48, 50)))
    assert found[FIFTHS] == (1000, 1)  # G-A over C-D


def test_triads_dissonances_and_crossings():
    chords = roll((67, 67, 67, 69, 59), (64, 65, 64, 65, 64), (60, 60, None, 62, 67))
    found = measure(chords)
    # C major; C F G is no triad; two voices are no chord; D minor; E minor, with every voice crossed.
    assert found["triads"] == (12, 16)
    assert found["voices crossed"] == (8, 4 * (2 + 2 + 1 + 2 + 2))
    # F G alone of all 3 + 3 + 1 + 3 + 3 pairs.
    assert found["dissonant pairs"] == (4, 4 * 13)
    assert measure(roll((60,), (60,)))["voices crossed"] == (0, 4)


@pytest.mark.parametrize("chord", [(0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8)])
def test_every_triad_is_one_in_every_key_and_voicing(chord):
    for root in range(12):
        pitches = np.array([[48 + root + chord[0], 48 + root + chord[1], 72 + root + chord[2], 60 + root]])
        assert chorales.is_triad(pitches).all()
        assert not chorales.is_triad(pitches[:, :2]).any()
        assert not chorales.is_triad(np.concatenate([pitches, [[48 + root + 10]]], axis=1)).any()


def test_entropy_is_over_time_and_lengths_over_notes():
    symbols = np.concatenate([roll((60,), steps=8).symbols, roll((62, 64), steps=4).symbols])
    found = measure(Roll(symbols))
    assert found["pitch-class entropy, bits"].value == pytest.approx(1.5)  # a half, a quarter, a quarter
    assert found["notes: halves"].value == pytest.approx(1 / 3)
    assert found["notes: quarters"].value == pytest.approx(2 / 3)
    assert found["notes: other lengths"].value == 0
    assert found["mean note length, quarters"].value == pytest.approx(4 / 3)
    assert measure(roll(tuple(range(60, 72))))["pitch-class entropy, bits"].value == pytest.approx(math.log2(12))


def test_endings_are_of_the_lowest_voice_and_the_last_chord():
    cadence = roll((71, 72, None), (67, 67, None), (67, 64, None), (43, 48, None), keys=C_MAJOR)
    found = measure(cadence)
    assert found[TONIC].value == found[FINAL].value == 1
    in_g = measure(roll((71, 72), (67, 67), (67, 64), (43, 48), keys=((0, Key(0)), (4, Key(1)))))
    assert in_g[TONIC].value == 0  # the last key is what counts
    assert measure(roll((72, 72), (67, 67), (60, 60)))[FINAL].value == 0
    assert TONIC not in measure(roll((72,), (60,)))  # nobody knows the key


def test_one_voice_has_no_harmony_and_silence_no_notes():
    assert not {FIFTHS, "triads", "voices crossed", FINAL, TONIC} & set(measure(roll((60, 62), keys=C_MAJOR)))
    assert "triads" not in measure(roll((60, 62), (50, 50)))
    silence = measure(roll((None, None), (None, None), (None, None), keys=C_MAJOR))
    assert all(share.value is None for share in silence.values())


@given(scores(), st.data())
def test_transposing_changes_nothing(score: Score, data: st.DataObject):
    piece = encode(score, 4).roll
    semitones = data.draw(st.sampled_from(room(piece, [(0, 127)] * piece.voices)))
    assert values(measure(transposed(piece, semitones))) == pytest.approx(values(measure(piece)))


@given(scores())
def test_notes_struck_again_change_only_the_lengths(score: Score):
    piece = encode(score, 4).roll
    one, two = measure(piece), measure(struck_again(piece))
    of_time = [label for label in one if "note" not in label]
    assert {label: one[label] for label in of_time} == {label: two[label] for label in of_time}

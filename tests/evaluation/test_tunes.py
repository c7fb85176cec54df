"""Form and motion of tunes made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from musegen.evaluation.notes import Notes, beginnings, first_bars, whole_bars
from musegen.evaluation.tunes import STRAINS, TONIC, measure
from musegen.representation.grid import decode, encode
from musegen.representation.roll import Roll
from musegen.score import Key, Metre, Score
from tests.evaluation.pieces import C_MAJOR, roll
from tests.strategies import scores


def tune(bars: str, **frame: object) -> Roll:
    """A bar of four notes for each letter; letters that differ have no note in common at any place."""
    notes = [48 + 2 * (ord(letter) - ord("A")) + i for letter in bars for i in (0, 3, 1, 5)]
    return roll(notes, **frame)


A, B = "ABCDEFGH", "IJKLMNOP"


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        (A + A + B + B, 1),
        (A + B + A + B, 1),
        (A + "ABCDEFXY", 1),  # a second ending
        ("ABCDABCE" + "FGHIFGHJ", 1),  # neither repeated, each of two halves that begin alike
        (A + B, 0),
        (A + "QRSTUVXY" + A + A, 0),  # the second has nothing in common with the others
        (A, 0),  # one strain alone
        (A + A + "ABCD", 0),  # half a strain too many
        (A[:7] + A[:7] + "Z", 0),  # strains of seven bars
        ("ABCD" * 4, 1),
    ],
)
def test_strains_of_eight_bars(bars, expected):
    assert measure(tune(bars))[STRAINS].value == expected


def test_a_variant_may_differ_in_a_quarter_of_its_steps():
    second = tune(A).symbols.copy()
    second[12::16] += 1
    assert measure(Roll(np.concatenate([tune(A).symbols, second])))[STRAINS].value == 1
    second[8::16] += 1
    assert measure(Roll(np.concatenate([tune(A).symbols, second])))[STRAINS].value == 0


def test_bars_repeated_by_lag():
    found = measure(tune("AABAABCC"))
    assert found["bars repeated at lag 1"] == (3, 7)
    assert found["bars repeated at lag 2"] == (1, 6)
    assert found["bars repeated at lag 4"] == (1, 4)
    assert found["bars repeated at lag 8"].value is None
    assert found["bars repeated at any lag"] == (5, 7)


def test_a_bar_held_over_is_not_one_struck_again():
    held = Roll(roll((60,), steps=32).symbols)
    assert measure(held)["bars repeated at lag 1"].value == 0
    assert measure(roll((60, 60), steps=16))["bars repeated at lag 1"].value == 1


def test_repeats_that_cut_a_bar_in_two_are_put_together():
    # A pickup of a quarter, strains of three quarters less: |: q | 4/4 | 3/4 :| twice, in one bar each.
    metre = Metre(4, 4)
    metres = ((0, metre), (4 + 16 + 12, metre), (4 + 16 + 16, metre))
    piece = roll(range(60, 76), pickup=4, metres=metres)
    assert [(bar.first, bar.end, bar.full) for bar in whole_bars(piece)] == [
        (4, 20, 16),
        (20, 36, 16),
        (36, 52, 16),
        (52, 64, 16),
    ]
    assert measure(piece)["bars that add up"] == (4, 4)  # the last lacks what the pickup has
    assert measure(replace(piece, pickup=8, metres=metres[:1]))["bars that add up"].value == pytest.approx(1)
    assert measure(roll(range(60, 67)))["bars that add up"] == (1, 2)


def test_a_metre_that_is_no_whole_number_of_steps_never_adds_up():
    piece = roll((60, 62, 64, 65), steps=1, steps_per_quarter=1, metres=((0, Metre(3, 8)),))
    assert measure(piece)["bars that add up"] == (0, 2)


def test_motion_and_the_last_note():
    found = measure(roll((60, 62, 62, None, 67, 64, 63, 72), keys=C_MAJOR))
    assert found["melody: steps"] == (2, 6)
    assert found["melody: repeated notes"] == (1, 6)
    assert found["melody: leaps of a fourth or more"] == (2, 6)
    assert found["melody: range, semitones"].value == 12
    assert found[TONIC].value == 1
    assert measure(roll((60, 62), keys=C_MAJOR))[TONIC].value == 0
    assert measure(roll((60, 69), keys=((0, Key(0, "minor")),)))[TONIC].value == 1
    assert TONIC not in measure(roll((60, 62)))


def test_the_first_of_several_voices_is_the_melody():
    found = measure(roll((72, 74), (40, 60)))
    assert found["melody: steps"] == (1, 1)
    assert found["melody: range, semitones"].value == 2
    assert STRAINS not in found


@given(scores(short_bars=False))
def test_notes_are_those_of_the_score(score: Score):
    piece = encode(score, 4).roll
    notes = Notes.of(piece)
    expected = [
        (note.pitch, note.onset * 4, note.duration * 4, voice)
        for voice, line in enumerate(decode(piece).voices)
        for note in line.notes
    ]
    found = zip(notes.pitch.tolist(), notes.onset.tolist(), notes.length.tolist(), notes.voice.tolist(), strict=True)
    assert list(found) == expected


@given(scores())
def test_bars_cover_the_piece_once(score: Score):
    piece = encode(score, 4).roll
    measure(piece)
    bars = whole_bars(piece)
    places = [piece.pickup, *(bar.end for bar in bars)]
    assert [bar.first for bar in bars] == places[:-1]
    assert not bars or places[-1] == piece.steps
    assert all(bar.steps <= bar.full for bar in bars)
    assert len(whole_bars(first_bars(piece, 2))) == min(2, len(bars))


def test_beginnings_leave_short_pieces_out():
    two, three = tune("AB", pickup=0), tune("ABC", keys=((0, Key(0)), (40, Key(1))))
    (cut,) = beginnings([two, three], 3)
    assert cut is three
    _, cut = beginnings([two, three], 2)
    assert (cut.steps, cut.keys) == (32, ((0, Key(0)),))

"""Scores on a grid: exact where they fit, told note by note where they do not."""

from contextlib import suppress
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.grid import GRIDS, MAX_STEPS, decode, encode, least_grid
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import symbol_name
from musegen.score import Key, Metre, Note, Score, Voice
from tests.strategies import METRES, scores


def notes(*spans: tuple[str, str, int]) -> tuple[Note, ...]:
    return tuple(Note(Fraction(onset), Fraction(duration), pitch) for onset, duration, pitch in spans)


def one_voice(*spans: tuple[str, str, int], duration: str = "0", **frame: object) -> Score:
    return Score((Voice(notes(*spans)),), duration=Fraction(duration), **frame)


def text_grid(roll: Roll) -> list[str]:
    """One line a voice: a pitch where a note begins, `-` where it is held, `.` where nothing sounds."""
    signs = {REST: ".", HOLD: "-"}
    return [" ".join(signs.get(s) or symbol_name(s) for s in column) for column in roll.symbols.T.tolist()]


@pytest.mark.parametrize("grid", [2, 4, 12, 24])
def test_decoding_gives_back_the_score_encoded(grid):
    @given(scores(grid=grid))
    def check(score):
        encoded = encode(score, grid)
        assert encoded.moved == ()
        assert encoded.summary() == ""
        assert decode(encoded.roll) == score

    check()


@pytest.mark.parametrize("metre", METRES, ids=str)
def test_every_metre_comes_back(metre):
    @settings(max_examples=25)
    @given(scores(grid=12, metres=[metre], max_voices=2))
    def check(score):
        assert decode(encode(score, 12).roll) == score

    check()


@given(scores(grid=4), st.integers(2, 6))
def test_a_finer_grid_holds_the_same_score(score, times):
    assert decode(encode(score, 4 * times).roll) == score


@st.composite
def rolls(draw):
    """Whatever a model may write, holds after rests and at the beginning included."""
    steps, voices = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    cell = st.sampled_from([0, 60, 60, 127, REST, HOLD, HOLD])
    cells = draw(st.lists(cell, min_size=steps * voices, max_size=steps * voices))
    return Roll(np.array(cells, np.uint8).reshape(steps, voices))


@given(rolls())
def test_a_roll_decoded_sounds_as_it_did(roll):
    again = encode(decode(roll), roll.steps_per_quarter).roll
    assert np.array_equal(again.sounding(), roll.sounding())
    assert np.array_equal(again.symbols < REST, roll.symbols < REST)
    assert not ((again.symbols == HOLD) & (again.sounding() == REST)).any(), "silence is written as rests"


def test_a_musician_can_read_it():
    score = Score(
        (
            Voice(notes(("0", "1/2", 72), ("1/2", "1/4", 72), ("1", "1", 76))),
            Voice(notes(("1/4", "1/4", 60), ("1/2", "3/4", 59))),
        ),
        metres=((Fraction(0), Metre(2, 4)),),
    )
    assert text_grid(encode(score).roll) == [
        "C5 - C5 . E5 - - -",
        ". C4 B3 - - . . .",
    ]


def test_triplets_need_a_grid_of_three():
    score = one_voice(("0", "1/3", 60), ("1/3", "1/3", 62), ("2/3", "1/3", 64))
    assert text_grid(encode(score, 6).roll) == ["C4 - D4 - E4 -"]
    assert text_grid(encode(score, 4).roll) == ["C4 D4 - E4"]
    assert encode(score, 4).summary() == "3 of 3 notes moved, by at most 1/12 quarter"


def test_halfway_goes_to_the_later_step():
    # Four 32nds: those on the sixteenths keep their step, those between give way.
    score = one_voice(("0", "1/8", 60), ("1/8", "1/8", 62), ("1/4", "1/8", 64), ("3/8", "1/8", 65), ("1/2", "1/2", 67))
    encoded = encode(score)
    assert text_grid(encoded.roll) == ["C4 E4 G4 -"]
    assert [(each.pitch, each.dropped) for each in encoded.moved] == [(60, False), (62, True), (64, False), (65, True)]
    assert encoded.summary() == "2 of 5 notes moved, by at most 1/8 quarter; 2 of 5 notes dropped"
    assert list(encoded.lines())[:2] == [
        "bar 1, beat 1: note 60 of voice 1 its end by 1/8 quarter",
        "bar 1, beat 1 1/8: note 62 of voice 1 dropped, its step is taken",
    ]


def test_a_beginning_halfway_goes_to_the_later_step_too():
    moved = encode(one_voice(("1/8", "1/4", 60))).moved[0]
    assert (moved.by, moved.end_by) == (Fraction(1, 8), Fraction(1, 8))


def test_a_piece_that_ends_inside_a_step_ends_after_it():
    encoded = encode(one_voice(("0", "1/4", 60), duration="9/16"))
    assert text_grid(encoded.roll) == ["C4 . ."]
    assert [(each.what, each.by) for each in encoded.moved] == [("end", Fraction(3, 16))]


def test_a_short_note_gets_a_step_where_one_is_free():
    score = one_voice(("0", "1/16", 60), ("1", "1/16", 62))
    encoded = encode(score)
    assert text_grid(encoded.roll) == ["C4 . . . D4"]
    assert [(each.what, each.end_by) for each in encoded.moved[:2]] == [("note", Fraction(3, 16))] * 2
    assert encoded.moved[2].what == "end"


@st.composite
def loose_scores(draw):
    """One voice whose notes lie anywhere."""
    time, line = Fraction(0), []
    for gap, length, pitch in draw(
        st.lists(st.tuples(st.integers(0, 9), st.integers(1, 60), st.integers(0, 127)), max_size=12)
    ):
        onset = time + Fraction(gap, draw(st.sampled_from([7, 24, 480])))
        line.append(Note(onset, Fraction(length, draw(st.sampled_from([5, 24, 480]))), pitch))
        time = line[-1].end
    return Score((Voice(tuple(line)),))


@given(loose_scores(), st.integers(1, 12))
def test_no_note_vanishes_unsaid(score, grid):
    encoded = encode(score, grid)
    back = decode(encoded.roll).voices[0].notes
    told = {each.onset: each for each in encoded.moved if each.what == "note"}
    kept = [note for note in score.voices[0].notes if not (note.onset in told and told[note.onset].dropped)]
    assert len(back) == len(kept)
    for was, came in zip(kept, back, strict=True):
        assert came.pitch == was.pitch
        move = told.get(was.onset)
        assert came.onset - was.onset == (move.by if move else 0)
        assert came.end - was.end == (move.end_by if move else 0)
        assert abs(came.onset - was.onset) <= Fraction(1, 2 * grid)
        assert abs(came.end - was.end) <= Fraction(1, 2 * grid) or came.duration == Fraction(1, grid)
    for each in told.values():
        if each.dropped:
            assert each.onset + each.by in {note.onset for note in back}, "only where the step is taken"


def test_changes_of_key_and_tempo_move_to_a_step():
    score = one_voice(
        ("0", "2", 60),
        keys=((Fraction(0), Key(0)), (Fraction(1, 3), Key(1))),
        tempi=((Fraction(0), 100.0), (Fraction(1, 10), 110.0), (Fraction(1), 120.0)),
    )
    encoded = encode(score)
    assert encoded.roll.keys == ((0, Key(0)), (1, Key(1)))
    assert encoded.roll.tempi == ((0, 110.0), (4, 120.0))
    assert encoded.summary() == "3 changes of key, tempo or length moved"
    assert "bar 1, beat 1 1/3: key moved by -1/12 quarter" in list(encoded.lines())


def test_a_grid_that_cuts_bars_is_refused_and_another_named():
    seven = one_voice(("0", "7/2", 60), metres=((Fraction(0), Metre(7, 8)),))
    with pytest.raises(MusegenError, match=r"a bar of 7/8 .* at 1 steps per quarter\. Use 4 steps"):
        encode(seven, 1)
    pickup = one_voice(("0", "1/3", 60), pickup=Fraction(1, 3))
    with pytest.raises(MusegenError, match=r"the pickup .* Use 6 steps"):
        encode(pickup, 4)
    change = one_voice(("0", "8", 60), metres=((Fraction(0), Metre(4, 4)), (Fraction(9, 8), Metre(3, 4))))
    with pytest.raises(MusegenError, match=r"change to 3/4 after 1.125 quarters .* Use 8 steps"):
        encode(change, 4)
    with pytest.raises(MusegenError, match="No grid holds its bars"):
        encode(one_voice(("0", "1", 60), pickup=Fraction(1, 480)), 4)


@pytest.mark.parametrize("grid", [0, -4, 97])
def test_a_grid_out_of_bounds_is_refused(grid):
    with pytest.raises(MusegenError, match="is no grid"):
        encode(one_voice(("0", "1", 60)), grid)


def test_two_notes_at_once_are_refused_with_the_place():
    with pytest.raises(MusegenError, match="voice 1 sounds two notes at once at bar 2, beat 3"):
        encode(one_voice(("0", "7", 60), ("6", "1", 64)))
    with pytest.raises(MusegenError, match="two notes at once"):
        encode(one_voice(("0", "1/3", 60), ("1/4", "1/3", 64)))


def test_what_no_roll_can_hold_is_refused():
    with pytest.raises(MusegenError, match="pitch 128 at bar 1, beat 2"):
        encode(one_voice(("1", "1", 128)))
    with pytest.raises(MusegenError, match="too many"):
        encode(one_voice(("0", "1", 60), duration=str(MAX_STEPS)))


@given(scores(grid=24, max_voices=2), st.sampled_from(GRIDS))
def test_the_least_grid_is_exact_and_its_divisors_are_not(score, grid):
    least = least_grid(score)
    assert 24 % least == 0
    assert decode(encode(score, least).roll) == score
    if grid % least:
        with suppress(MusegenError):  # it is the bars that do not fit
            assert encode(score, grid).moved

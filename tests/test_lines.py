from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.lines import split_lines, trim_legato
from musegen.score import Note


def note(onset, duration, pitch):
    return Note(Fraction(onset), Fraction(duration), pitch)


def pitches(lines):
    return [[each.pitch for each in line] for line in lines]


notes = st.lists(st.builds(note, st.integers(0, 12), st.integers(1, 4), st.integers(40, 80)), min_size=1, max_size=14)


@given(notes)
@settings(max_examples=150, deadline=None)
def test_lines_hold_every_note_whole_and_never_overlap(given_notes):
    lines = split_lines(given_notes, limit=14)
    assert sorted(each for line in lines for each in line) == sorted(given_notes)
    assert all(before.end <= after.onset for line in lines for before, after in pairwise(line))
    depth = max(sum(n.onset <= time < n.end for n in given_notes) for time in range(17))
    assert len(lines) == depth


def test_chords_are_divided_from_the_top():
    chords = [note(time, 1, pitch) for time, chord in enumerate([(60, 67, 48), (59, 65, 47)]) for pitch in chord]
    assert pitches(split_lines(chords)) == [[67, 65], [60, 59], [48, 47]]


def test_where_a_line_rests_the_other_keeps_what_is_near_to_it():
    duet = [note(0, 1, 72), note(0, 1, 52), note(1, 1, 53), note(2, 1, 71), note(3, 1, 70), note(3, 1, 55)]
    assert pitches(split_lines(duet)) == [[72, 71, 70], [52, 53, 55]]


def test_a_line_that_enters_late_is_placed_by_what_it_sings_then():
    fugue = [note(0, 1, 55), note(1, 1, 57), note(2, 1, 74), note(2, 1, 55)]
    assert pitches(split_lines(fugue)) == [[74], [55, 57, 55]]


def test_a_held_note_is_crossed_but_not_broken():
    crossing = [note(0, 3, 60), note(0, 1, 64), note(1, 1, 58), note(2, 1, 65)]
    assert pitches(split_lines(crossing)) == [[64, 58, 65], [60]]


def test_more_lines_than_make_sense_are_refused():
    cluster = [note(0, 4, pitch) for pitch in range(60, 69)]
    with pytest.raises(MusegenError, match="9 notes of one track sound together"):
        split_lines(cluster)
    assert split_lines([]) == ((),)


def test_a_note_held_a_little_into_the_next_is_shortened():
    legato = [note(0, Fraction(17, 16), 60), note(1, 1, 62), note(2, 2, 64), note(3, Fraction(1, 32), 65)]
    trimmed, count = trim_legato(legato)
    assert count == 1
    assert trimmed == [note(0, 1, 60), *legato[1:]]

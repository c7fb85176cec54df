"""Which voices of a score are taken, in which order, and which scores are refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.arrange import arrange
from musegen.score import Note, Score, Voice


def voice(name: str, *pitches: int) -> Voice:
    return Voice(tuple(Note(Fraction(i), Fraction(1), pitch) for i, pitch in enumerate(pitches)), name)


def names(score: Score) -> list[str]:
    return [each.name for each in score.voices]


def test_empty_voices_go_and_the_highest_stands_first():
    score = Score((voice("low", 40, 90, 41), voice("none"), voice("high", 70, 71, 20)), title="Air")
    arranged = arrange(score)
    assert names(arranged.score) == ["high", "low"]
    assert arranged.left_out == ()
    assert arranged.score.title == "Air"
    assert arranged.score.duration == score.duration


@given(st.permutations([("Soprano", 60), ("Alto", 72), ("Tenor", 50), ("Bass", 55)]))
def test_a_choir_stands_by_name_whatever_it_sings(parts):
    score = Score(tuple(voice(name, pitch) for name, pitch in parts))
    for wanted in (4, None):
        assert names(arrange(score, wanted).score) == ["Soprano", "Alto", "Tenor", "Bass"]


def test_a_choir_is_found_among_instruments():
    parts = ["Horn 1", "Soprano\rOboe 1,2", "A.", "Tenore", "BASSO", "Continuo", "Bassoon", ""]
    arranged = arrange(Score(tuple(voice(name, 60) for name in parts)), 4)
    assert names(arranged.score) == ["Soprano\rOboe 1,2", "A.", "Tenore", "BASSO"]
    assert arranged.left_out == ("Horn 1", "Continuo", "Bassoon", "a voice without a name")


def test_without_a_number_nobody_is_left_out():
    parts = ["Horn", "Soprano", "Alto", "Tenor", "Bass"]
    assert len(arrange(Score(tuple(voice(name, 60) for name in parts))).score.voices) == 5


def test_two_sopranos_are_no_choir():
    parts = ["Soprano 1", "Soprano 2", "Alto", "Tenor", "Bass"]
    with pytest.raises(MusegenError, match=r"^5 voices, 4 wanted"):
        arrange(Score(tuple(voice(name, 60) for name in parts)), 4)


def test_a_melody_is_taken_by_its_name_alone():
    lead = Score((voice("Piano", 80), voice("Melody", 60)))
    arranged = arrange(lead, 1)
    assert names(arranged.score) == ["Melody"]
    assert arranged.left_out == ("Piano",)
    for other in (Score((voice("Flute", 80), voice("Piano", 60))), Score((voice("Melody", 80), voice("Tune", 60)))):
        with pytest.raises(MusegenError, match=r"^2 voices, 1 wanted"):
            arrange(other, 1)


def test_too_few_are_refused():
    with pytest.raises(MusegenError, match=r"^1 voice, 4 wanted\. Encode it with --voices 1"):
        arrange(Score((voice("Flute", 80), voice("none"))), 4)


@pytest.mark.parametrize("wanted", [None, 1])
def test_a_score_without_notes_is_refused(wanted):
    with pytest.raises(MusegenError, match="no notes"):
        arrange(Score((voice("none"),)), wanted)

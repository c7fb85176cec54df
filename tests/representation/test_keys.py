"""Key finding, on scales, on small tunes of the public domain, and on what no profile can tell."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.representation.keys import estimate_key, key_of
from musegen.score import Key, Note, Score, Voice

TUNES = {
    # Letters are pitches from middle C to the B above, a digit is a length in eighths.
    "C major": "C1 C1 G1 G1 A1 A1 G2 F1 F1 E1 E1 D1 D1 C2",  # Twinkle, twinkle
    "A minor": "A2 C2 D1 E2 F1 E1 D2 B1 G2 A1 B1 C2 A1 A2 B1 A1",  # after Greensleeves
    # What shall we do with the drunken sailor
    "D dorian": "A2 A1 A1 A2 A1 A1 A2 D2 F2 A2 G2 G1 G1 G2 G1 G1 G2 C2 E2 G2 "
    "A2 A1 A1 A2 A1 A1 A2 B2 C2 D2 C2 A2 G2 E2 D4 D4",
    "G mixolydian": "G2 D1 G1 B1 A1 G1 F1 D2 F1 C1 F1 A1 G1 B1 D1 G2",  # made up
}
KIN = {"major": {"major"}, "minor": {"minor"}, "dorian": {"dorian", "minor"}, "mixolydian": {"mixolydian", "major"}}
"""What may be heard without a signature."""
LETTERS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))


def tune(text: str, up: int = 0) -> Score:
    notes, time = [], Fraction(0)
    for word in text.split():
        notes.append(Note(time, Fraction(int(word[1]), 2), 60 + LETTERS[word[0]] + up))
        time = notes[-1].end
    return Score((Voice(tuple(notes)),))


@pytest.mark.parametrize("key", TUNES)
@given(up=st.integers(-12, 12))
def test_a_tune_is_in_its_key_wherever_it_is_moved(key, up):
    found = key_of(tune(TUNES[key], up))
    wanted = Key.parse(key).transposed(up)
    assert found.tonic == wanted.tonic
    assert found.mode in KIN[wanted.mode]


@pytest.mark.parametrize("key", TUNES)
def test_a_signature_with_the_wrong_mode_does_no_harm(key):
    signature = Key(Key.parse(key).fifths, "locrian")
    assert key_of(tune(TUNES[key]), signature) == Key.parse(key)


@given(
    st.lists(st.floats(0, 100), min_size=12, max_size=12).filter(lambda w: sum(w) > 1e-3),
    st.integers(-7, 7),
    st.none() | st.integers(0, 11),
)
def test_a_signature_is_kept(weights, fifths, final):
    assert estimate_key(weights, Key(fifths), final).fifths == fifths


def test_the_end_decides_between_relatives():
    weights = [2, 0, 2, 0, 2, 2, 0, 2, 0, 2, 0, 2]
    assert str(estimate_key(weights, Key(0), 0)) == "C major"
    assert str(estimate_key(weights, Key(0), 9)) == "A minor"


def test_the_bass_ends_on_the_tonic():
    # Only the lowest voice's last note tells C major from A minor here.
    high = Voice((Note(Fraction(0), Fraction(1), 76), Note(Fraction(1), Fraction(1), 72)))
    scores = [
        Score((high, Voice((Note(Fraction(0), Fraction(1), 45 + 3 * c), Note(Fraction(1), Fraction(1), 48 - 3 * c)))))
        for c in (0, 1)
    ]
    assert [str(key_of(score)) for score in scores] == ["C major", "A minor"]


def test_a_voice_that_stops_early_is_not_the_end():
    scale = [74, 76, 77, 79, 81, 83, 72]
    high = Voice(tuple(Note(Fraction(i), Fraction(1), pitch) for i, pitch in enumerate(scale)))
    short = Voice((Note(Fraction(0), Fraction(1, 2), 57),))
    long = Voice((Note(Fraction(13, 2), Fraction(1, 2), 57),))
    assert str(key_of(Score((high, short)))) == "C major"
    assert str(key_of(Score((high, long)))) == "A minor"


@pytest.mark.parametrize("empty", [Score(()), Score((Voice(()),), duration=Fraction(4))])
def test_silence_has_no_key(empty):
    with pytest.raises(MusegenError, match="no notes"):
        key_of(empty)

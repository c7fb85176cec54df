from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.formats.abc import read, write
from musegen.score import MODES, Key, Metre, Note, Score, Voice

F = Fraction
METRES = [Metre.parse(text) for text in ("2/4", "3/4", "4/4", "2/2", "6/8", "9/8", "12/8", "5/4", "7/8")]
LENGTHS = [F(1, 4), F(1, 2), F(3, 4), F(1), F(3, 2), F(2), F(7, 2), F(9), F(1, 3), F(2, 3), F(1, 6), F(5, 24), F(1, 5)]
WORDS = st.text("abc XYZ%\\'é:", max_size=12).map(lambda text: " ".join(text.split()))


@st.composite
def lines(draw, end: Fraction) -> tuple[Note, ...]:
    """The notes of one voice, with or without silence between them, up to `end`."""
    notes, now = [], F(0)
    while now < end and len(notes) < 30:
        now += draw(st.sampled_from([F(0), F(0), F(0), *LENGTHS]))
        length = draw(st.sampled_from(LENGTHS))
        for _ in range(draw(st.sampled_from([1, 1, 3]))):
            if now + length <= end:
                notes.append(Note(now, length, draw(st.integers(0, 127)), draw(st.integers(0, 9)) == 0))
            now += length
    return tuple(notes) or (Note(F(0), end, 60),)


@st.composite
def changes(draw, values, end: Fraction) -> tuple:
    """Values that differ from their neighbours, at times such as notes have."""
    found = [(F(0), draw(values))]
    for value in draw(st.lists(values, max_size=2)):
        onset = found[-1][0] + draw(st.sampled_from(LENGTHS))
        if onset < end and value != found[-1][1]:
            found.append((onset, value))
    return draw(st.sampled_from([(), tuple(found)]))


@st.composite
def scores(draw) -> Score:
    """Scores with pickups, cut bars, and changes of metre, key and tempo."""
    metre = draw(st.sampled_from(METRES))
    pickup = draw(st.sampled_from([F(0), F(0), F(1, 2), F(1), F(1, 3)]))
    metres, now = [(F(0), metre)], pickup + metre.quarters
    for new in draw(st.lists(st.sampled_from(METRES), max_size=4)):
        cut = draw(st.sampled_from([F(0), F(0), F(1, 2)]))
        if cut or new != metre:
            now += metre.quarters - cut
            metres.append((now, new))
            metre = new
        now += metre.quarters
    end = now - draw(st.sampled_from([F(0), F(1, 4), F(1)]))
    keys = st.builds(Key, st.integers(-7, 7), st.sampled_from(sorted(MODES)))
    tempi = st.sampled_from([60.0, 92.5, 120.0, 1000 / 3])
    voices = draw(st.lists(lines(end), min_size=1, max_size=4))
    return Score(
        tuple(Voice(notes, draw(WORDS)) for notes in voices),
        tuple(metres),
        pickup,
        draw(changes(keys, end)),
        draw(changes(tempi, end)),
        draw(WORDS),
        draw(WORDS),
        end,
    )


@settings(max_examples=150, deadline=None)
@given(scores())
def test_reading_gives_back_the_score_written(score):
    reading = read(write([score]), "a.abc")
    assert reading.scores == (score,)
    assert not reading.mended


def test_a_tune_as_a_musician_would_write_it():
    pitches = [67, 69, 71, 72, 74, 74, 66, 65, 63]
    lengths = [F(1), F(1, 3), F(1, 3), F(1, 3), F(3, 2), F(1, 2), F(2), F(1, 2), F(1, 2)]
    notes, now = [], F(0)
    for pitch, length in zip(pitches, lengths, strict=True):
        notes.append(Note(now, length, pitch, pitch == 63))
        now += length
    score = Score(
        (Voice(tuple(notes)),),
        ((F(0), Metre(3, 4)),),
        F(1),
        ((F(0), Key(1)),),
        ((F(0), 100.0),),
        "Two %",
        duration=F(8),
    )
    assert write([score]).decode() == (
        "X:1\nT:Two \\%\nM:3/4\nL:1/8\nQ:1/4=100\nK:G\nG2 | (3ABc d3 d | F4 =F!fermata!^D | z2 |]\n"
    )


def test_a_note_is_tied_over_bar_lines():
    score = Score((Voice((Note(F(3), F(6), 61),)),), duration=F(10))
    assert write([score]).decode().splitlines()[-1] == "z6 ^C2- | ^C8- | ^C2 z2 |]"


@pytest.mark.parametrize(
    ("key", "spelling"),
    [
        (Key(0), "C ^C D _E E F ^F G ^G A _B B"),
        (Key(2), "=C C D ^D E =F F G ^G A ^A B"),
        (Key(-3), "C _D D E =E F _G G A =A B =B"),
        (Key(0, "minor"), "C ^C D _E E F ^F G ^G A _B B"),
    ],
)
def test_pitches_are_spelt_by_the_key(key, spelling):
    notes = tuple(Note(F(4 * i), F(4), 60 + i) for i in range(12))
    body = write([Score((Voice(notes),), keys=((F(0), key),))]).decode().split("\n", 4)[4]
    assert " ".join(body.replace("8", "").replace("|", "").replace("]", "").split()) == spelling


def test_voices_are_named_and_books_numbered():
    pair = Score((Voice((Note(F(0), F(4), 72),), "Soprano"), Voice((Note(F(0), F(4), 48),), 'the "low"')))
    text = write([pair, pair]).decode()
    assert text.count("X:") == 2
    assert 'V:1 name="Soprano"\nV:2 name="the \'low\'"\nK:none\nV:1\nc8 |]\nV:2\nC,8 |]\n' in text
    assert len(read(text.encode(), "a.abc").scores) == 2


def test_what_cannot_be_written_is_refused():
    clash = Score((Voice((Note(F(0), F(2), 60), Note(F(1), F(2), 62))),))
    with pytest.raises(MusegenError, match="voice 1: notes overlap at bar 1, beat 2"):
        write([clash])
    with pytest.raises(MusegenError):
        write([])

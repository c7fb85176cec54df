from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.formats.abc import read, read_tunes
from musegen.score import Key, Metre

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")

# O'Neill's Music of Ireland, 1903, numbers 1338 and 598.
HARRIERS = """X: 1338
T: The Merry Harriers
R:Reel
N:1st setting
M:C|
L:1/8
K:G
e>A (3AAAg2(fg)|eAAc BGG2|e>A (3AAAg2(fg)|1afge dgfg:|2afg"H"ed2 (^cd)||
eaa^g ef=gf|eaa^g ed^cd|eaa^g efgb|1afged2^cd:|2afge dg"D.C."fg|]
"""
DERMOT = """X: 598
T: Dermot and His Lass.
T: diarmuid agus a .cailin.
M:3/8
L:1/16
%Q:50
K:Dm
D2|">"A,2">"D2 (DE)|">"D4 (EF)|G2 (FE) (D>E)|A,4 (c>B)|
A2G2 ((3A=Bc)|C2 C>D E>D|D4 D2|D4:|
A2|.A2.d2.d2|d4 (cd)|(e2>d2) (d>c)|c4 (c=B)|
A2G2 ((3A=Bc)|C2 C>D E>D|D4 D2|HD4:|
"""


def tune(body, header="M:4/4\nL:1/8\nK:C"):
    (only,) = read_tunes(f"X:1\nT:Test\n{header}\n{body}\n")
    return only


def score(body, header="M:4/4\nL:1/8\nK:C"):
    return tune(body, header).score()


def eighths(music, voice=0):
    """The notes heard as `C5`, with `:3` for a length other than an eighth and `z` for silence."""
    words, now = [], Fraction(0)
    for note in music.voices[voice].notes:
        if note.onset > now:
            words.append(f"z:{(note.onset - now) * 2}")
        length = note.duration * 2
        words.append(f"{NAMES[note.pitch % 12]}{note.pitch // 12 - 1}" + (f":{length}" if length != 1 else ""))
        now = note.end
    return " ".join(words)


@pytest.mark.parametrize(
    ("bars", "played"),
    [
        ("|:A|B:|c|", "ABABc"),
        ("A|B:|c|", "ABABc"),
        ("A|B:|]c|", "ABABc"),
        ("A|B::c|d:|", "ABABcdcd"),
        ("A|B:||:c|d:|", "ABABcdcd"),
        ("A|B:|:c|d:|", "ABABcdcd"),
        ("A|B||c|d:|", "ABcdcd"),
        ("A|B:|c||d|e:|", "ABABcdede"),
        ("|:A|B||c|d:|", "ABcdABcd"),
        ("A|B :|\\\n:c|d:|", "ABABcdcd"),
        ("|:A|B[|]:|c|", "ABABc"),
        ("A[|]B:|c|", "ABABc"),
        ("A||c|d|:|", "Acdcd"),
        ("|:A|1B:|2c||d|", "ABAcd"),
        ("|:A|[1B:|[2c|]d|", "ABAcd"),
        ("|:A| 1 B:| 2 c||d|", "ABAcd"),
        ("|:A|\n1 B:|2 c||d|", "ABAcd"),
        ("A|1B:|2c||d|1e:|2f|]", "ABAcdedf"),
        ("|:A|[1,3B:|[2,4c:|d|", "ABAcABAcd"),
        ("|:A|[1-2B:|3c|]", "ABABAc"),
        ("|:A|1B:|2c:|d|e:|", "ABAcdede"),
        ("|:A|1B:|2c|d|e:|", "ABAcdede"),
        ("|:A|1B|2c||d|", "ABAcd"),
        ("|::A::|B|", "AAAB"),
        ("A|B:]c|", "ABABc"),
        ("A:|B:|c", "AABBc"),
        ("A|B", "AB"),
    ],
)
def test_repeats_and_endings_are_played_out(bars, played):
    music = score(bars, "M:1/4\nL:1/4\nK:C")
    letters = {69: "A", 71: "B", 72: "c", 74: "d", 76: "e", 77: "f"}
    assert "".join(letters[note.pitch] for note in music.voices[0].notes) == played


def test_a_note_before_a_repeat_sign_is_no_field():
    assert eighths(score("A:|\nd:|\n", "M:1/8\nL:1/8\nK:C")) == "A4 A4 D5 D5"


def test_parts_are_played_in_the_order_of_the_header():
    music = score("P:A\nA:|\nP:B\nB|", "P:ABA\nM:1/4\nL:1/4\nK:C")
    assert eighths(music) == "A4:2 A4:2 B4:2 A4:2 A4:2"


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("C2 C/ C// C/4 C3/2 C3/ c'2 C,", "C4:2 C4:1/2 C4:1/4 C4:1/4 C4:3/2 C4:3/2 C6:2 C3"),
        ("A>B A<B A>>B A2>B2", "A4:3/2 B4:1/2 A4:1/2 B4:3/2 A4:7/4 B4:1/4 A4:3 B4"),
        ("A>{g}B A > B c-<d", "A4:3/2 B4:1/2 A4:3/2 B4:1/2 C5:1/2 D5:3/2"),
        ("(3ABc (3A2BA", "A4:2/3 B4:2/3 C5:2/3 A4:4/3 B4:2/3 A4:2/3"),
        ("(3:2:2A2B (2AB (4ABAB", "A4:4/3 B4:2/3 A4:3/2 B4:3/2 A4:3/4 B4:3/4 A4:3/4 B4:3/4"),
        ("(3A>BA ((3.A{c}Bc)", "A4 B4:1/3 A4:2/3 A4:2/3 B4:2/3 C5:2/3"),
        ("{abc}A ~B .c uvTA !trill!B +fermata+c", "A4 B4 C5 A4 B4 C5"),
        ('"Am"A "^>"B "D.C."c "2"d', "A4 B4 C5 D5"),
        ("[CEG]2 [C2E2]2 [ceG]", "G4:2 E4:4 E5"),
        ("A`B z x2 y3 c Z B", "A4 B4 z:3 C5 z:8 B4"),
        ("A2-|A2 B-c-|c (A-B) d-d", "A4:4 B4 C5:2 A4 B4 D5:2"),
        ("A & c|B & cd e|c", "A4 B4 C5"),
        ("A % a comment\nB\\\nc", "A4 B4 C5"),
        ("A\nw:la la\nW:words\nN:note\nB", "A4 B4"),
        ("A [r:remark] B [L:1/4] c [L:1/16] d", "A4 B4 C5:2 D5:1/2"),
    ],
)
def test_what_is_written_is_heard(body, heard):
    assert eighths(score(body)) == heard


@pytest.mark.parametrize(
    ("body", "heard"),
    [
        ("^F F f | F", "F#4 F#4 F#5 F4"),  # in every octave, up to the bar line
        ("^F =F F", "F#4 F4 F4"),
        ("^^F __B _e", "G4 A4 Eb5"),
        ("^f-|f f", "F#5:2 F5"),  # a tie takes its accidental along, the bar does not
        ("|:A ^f-|1 f A:|2 f A|]", "A4 F#5:2 A4 A4 F#5:2 A4"),
        ("[^FA] F", "A4 F#4"),
        ("^F [K:D] F C [K:C] F", "F#4 F#4 C#4 F4"),
    ],
)
def test_accidentals_hold_as_the_standard_says(body, heard):
    assert eighths(score(body)) == heard


def test_a_file_may_confine_accidentals_to_their_octave():
    assert eighths(score("^F F f", "I:propagate-accidentals octave\nK:C")) == "F#4 F#4 F5"
    assert eighths(score("^F F f", "I:propagate-accidentals not\nK:C")) == "F#4 F4 F5"


@pytest.mark.parametrize(
    ("text", "key", "heard"),
    [
        ("G", "G major", "F#4 C5 B4"),
        ("Bb", "Bb major", "F4 C5 Bb4"),
        ("F#m", "F# minor", "F#4 C#5 B4"),
        ("Ador", "A dorian", "F#4 C5 B4"),
        ("A Dorian", "A dorian", "F#4 C5 B4"),
        ("DMix", "D mixolydian", "F#4 C5 B4"),
        ("Bn", "B minor", "F#4 C#5 B4"),
        ("EM", "E minor", "F#4 C5 B4"),
        ("Dmix=f", "D mixolydian", "F4 C5 B4"),
        ("D =c _B", "D major", "F#4 C5 Bb4"),
        ("HP", "A mixolydian", "F#4 C#5 B4"),
        ("Hp", "A mixolydian", "F#4 C#5 B4"),
        ("D clef=bass", "D major", "F#4 C#5 B4"),
        ("D exp ^f", None, "F#4 C5 B4"),
        ("none", None, "F4 C5 B4"),
        ("", "C major", "F4 C5 B4"),
        ("G octave=-1", "G major", "F#3 C4 B3"),
        ("C treble-8", "C major", "F3 C4 B3"),
    ],
)
def test_keys(text, key, heard):
    music = score("FcB", f"L:1/8\nK:{text}")
    assert eighths(music) == heard
    assert [str(each) for _, each in music.keys] == ([key] if key else [])


@pytest.mark.parametrize(
    ("text", "quarters"),
    [
        ("1/4=120", 120),
        ("3/8=80", 120),
        ('"Lively" 1/8=200', 100),
        ("1/4 1/8=40", 60),
        ("C=240", 120),
        ("C3=80", 120),
        ("200", 100),
        ("60", 60),  # 30 quarters a minute would be absurd: beats
        ("1/4 = 92.5", 92.5),
    ],
)
def test_tempo(text, quarters):
    assert score("C8", f"M:4/4\nL:1/8\nQ:{text}\nK:C").tempi == ((0, quarters),)


def test_tempo_in_words_or_without_its_letter():
    assert score("C8", 'Q:"Slow"\nM:4/4\nK:C').tempi == ()
    assert score("C4\n3/8=120\nC4", "M:4/4\nL:1/4\nQ:1/4=90\nK:C").tempi == ((0, 90), (4, 180))


@pytest.mark.parametrize(
    ("metre", "unit", "quarters"),
    [("6/8", "", 1 / 2), ("2/4", "", 1 / 4), ("C|", "L:1/16\n", 1 / 4), ("C", "", 1 / 2), ("3/4", "L:1/4\n", 1)],
)
def test_the_length_of_a_note_goes_by_the_metre(metre, unit, quarters):
    music = score("A|", f"M:{metre}\n{unit}K:C")
    assert music.voices[0].notes[0].duration == quarters
    assert music.metres[0][1] == Metre.parse(metre)


def test_metre_and_key_changes_in_lines_and_inline():
    music = score("C8|[M:3/4]C6|\nM:6/8\nK:G\nF6|[K:D]C6|")
    assert music.metres == ((0, Metre(4, 4)), (4, Metre(3, 4)), (7, Metre(6, 8)))
    assert music.keys == ((0, Key(0)), (7, Key(1)), (10, Key(2)))
    assert eighths(music) == "C4:8 C4:6 F#4:6 C#4:6"


def test_sums_of_beats_and_free_time():
    assert score("C7|", "M:(2+2+3)/8\nL:1/8\nK:C").metres == ((0, Metre(7, 8)),)
    free = tune("C4|C6|C6|", "M:none\nL:1/8\nK:C")
    assert free.score().metres == ((0, Metre(2, 4)), (2, Metre(3, 4)))
    assert free.wrong_bars == ()


def test_a_pickup_and_the_short_bar_that_ends_the_part_make_one_bar():
    piece = tune("|:E2|A4 B4|c4 B2:|\n|:d2|e4 f4|A6:|")
    assert piece.score().pickup == 1
    assert piece.score().metres == ((0, Metre(4, 4)),)
    assert [bar.number for bar in piece.score().bars()] == list(range(9))
    assert piece.wrong_bars == ()


def test_a_pickup_written_out_before_the_repeat_is_not_played_twice():
    assert eighths(score("E2|A8|c6 E2:|A8|")) == "E4:2 A4:8 C5:6 E4:2 A4:8 C5:6 E4:2 A4:8"


def test_a_pickup_is_not_repeated_by_itself():
    assert eighths(score("e2|:|||:A8|B8:|")) == "E5:2 A4:8 B4:8 A4:8 B4:8"


def test_a_short_bar_is_wrong_and_restarts_the_count():
    piece = tune("A8|A7|A8|A9|A8|")
    assert piece.wrong_bars == (2, 4)
    assert piece.wrong_share == 2 / 5
    assert [onset for onset, _ in piece.score().metres] == [0, Fraction(15, 2), 16]


def test_voices_are_merged_by_their_name():
    header = 'M:4/4\nL:1/8\nV:T1 name="Top"\nV:B1 clef=bass octave=-1\nK:C'
    music = score("V:T1\nc8|\nV:B1\nC8|\nV:T1\nd8|\n[V:B1] D8|", header)
    assert [voice.name for voice in music.voices] == ["Top", ""]
    assert eighths(music) == "C5:8 D5:8"
    assert eighths(music, 1) == "C3:8 D3:8"


def test_fermatas():
    notes = score("Hc !fermata!d e Hz f", "M:4/4\nL:1/8\nU:O=!fermata!\nK:C").voices[0].notes
    assert [note.fermata for note in notes] == [True, True, False, False]
    assert score("Hc Od", "U:H=!trill!\nU:O=!fermata!\nK:C").voices[0].notes[0].fermata is False


def test_header_fields_are_kept_as_written():
    piece = next(read_tunes(DERMOT))
    assert piece.fields["T"] == ("Dermot and His Lass.", "diarmuid agus a .cailin.")
    assert (piece.number, piece.title, piece.fields["M"]) == ("598", "Dermot and His Lass.", ("3/8",))


def test_oneill_1338_counted_by_hand():
    music = next(read_tunes(HARRIERS)).score()
    first = "E5:3/2 A4:1/2 A4:2/3 A4:2/3 A4:2/3 G5:2 F#5 G5 E5 A4 A4 C5 B4 G4 G4:2"
    first += " E5:3/2 A4:1/2 A4:2/3 A4:2/3 A4:2/3 G5:2 F#5 G5"
    second = "E5 A5 A5 G#5 E5 F#5 G5 F#5 E5 A5 A5 G#5 E5 D5 C#5 D5 E5 A5 A5 G#5 E5 F#5 G#5 B5"
    again, on = "A5 F#5 G5 E5 D5 G5 F#5 G5", "A5 F#5 G5 E5 D5:2 C#5 D5"
    assert eighths(music) == " ".join((first, again, first, on, second, on, second, again))
    assert (music.metres, music.pickup, music.duration) == (((0, Metre(2, 2)),), 0, 64)


def test_oneill_598_counted_by_hand():
    piece = next(read_tunes(DERMOT))
    music = piece.score()
    end = "A4 G4 A4:1/3 B4:1/3 C5:1/3 C4 C4:3/4 D4:1/4 E4:3/4 D4:1/4 D4:2 D4 D4:2"
    first = f"D4 A3 D4 D4:1/2 E4:1/2 D4:2 E4:1/2 F4:1/2 G4 F4:1/2 E4:1/2 D4:3/4 E4:1/4 A3:2 C5:3/4 Bb4:1/4 {end}"
    second = f"A4 A4 D5 D5 D5:2 C5:1/2 D5:1/2 E5:3/2 D5:1/2 D5:3/4 C5:1/4 C5:2 C5:1/2 B4:1/2 {end}"
    assert eighths(music) == " ".join((first, first, second, second))
    assert (music.pickup, music.duration, piece.wrong_bars) == (Fraction(1, 2), 48, ())
    assert [note.fermata for note in music.voices[0].notes].count(True) == 2


def test_a_book_gives_every_tune_and_says_what_it_refused():
    book = "my tunes\n\nX:1\nT:One\nK:C\nABC|\n\nsome prose, which is no music\n\nX:2\nT:Two\nK:C\n\nX:3\nK:C\nA§B\n"
    reading = read(book.encode(), "book.abc")
    assert [len(each.voices[0].notes) for each in reading.scores] == [3, 2]
    assert reading.refused == (("tune 2 (Two), line 10", "it has no notes"),)
    (mended,) = reading.mended
    assert mended == "tune 3, line 14: line 16: skipped '§', which is no ABC"


def test_latin_1_and_windows_lines():
    reading = read("X:1\r\nT:Café\r\nK:C\r\nABc\r\n".encode("latin-1"), "a.abc")
    assert (reading.scores[0].title, len(reading.scores[0].voices[0].notes)) == ("Café", 3)


def test_what_email_did_is_undone():
    assert eighths(score("A=3DB c =20\nA=\nB")) == "A4 B4 C5 A4 B4"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello, world\n",
        bytes(1000),
        b"X:1\nT:nothing\nK:C\n",
        b"X:1\nK:C\nA999999999\n",
        b"X:1\nK:C\nA0\n",
        b"X:1\nK:C\nA/99991 B/99989 c/99971\n",
        b"X:1\nK:C\nC,,,,,,,,,\n",
        b"X:1\nK:C\n" + b"A" * 100_000,
        b"X:1\nK:C\n|:" + b"A|" * 40_000 + b"[1-99A:|",
        b"X:1\nP:((((A999)999)999)999)\nK:C\nP:A\nABC\n",
        b"X:1\nK:C\n" + "é".encode() * 10_000,
        b"X:1\nK:C\n" + b"[" * 100_000,
        b"X:1\nK:C\n" + b"".join(b"V:%d\nA\n" % i for i in range(100)),
        b"X:1\nK:C\nA\n" * 20_001,
        b"X:1\nK:C\n" + b"A>>" * 5000 + b"\n" + b">|" * 150,
        b"X:1\nK:C\n" + (b"A|" * 5000 + b"\n") * 11,
        b"X:1\nK:C\n" + (b"|~(" * 5000 + b"\n") * 14,
        b"A" * (4 * 2**20 + 1),
    ],
)
def test_what_is_no_music_or_too_much_is_refused(data):
    with pytest.raises(MusegenError) as error:
        read(data, "bad.abc")
    assert str(error.value).startswith("bad.abc: ")
    assert "\n" not in str(error.value)


def test_an_absurd_tuplet_is_left_out():
    piece = tune("(99:1:1A B c")
    assert len(piece.mended) == 1
    assert eighths(piece.score()) == "A4 B4 C5"


@settings(max_examples=200, deadline=None)
@given(st.text("ABcde',^_=|:[]{}()<>-/0123456789 \n\\!+\"%&zZxyK:M:L:V:P:X.~HTé", max_size=120))
def test_no_text_breaks_the_reader(body):
    for piece in read_tunes(f"X:1\nM:4/4\nK:G\n{body}"):
        if not piece.refused:
            music = piece.score()
            assert all(voice.overlap() is None for voice in music.voices)
            assert music.metres[0][0] == 0
            assert [onset for onset, _ in music.metres] == sorted({onset for onset, _ in music.metres})

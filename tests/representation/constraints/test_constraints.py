"""What constraints may look like, what they narrow, and how those that clash are named."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from musegen.errors import MusegenError
from musegen.representation.constraints import KINDS, Constraints, check, chord_share
from musegen.representation.constraints.chords import QUALITIES, Chords, chord
from musegen.representation.constraints.form import Form
from musegen.representation.constraints.pitches import Scale
from musegen.representation.constraints.places import beats, fraction, pitch, step_at
from musegen.representation.roll import HOLD, REST
from musegen.representation.template import Copy, Template
from musegen.score import Key, Metre

CHOIR = ("Soprano", "Alto", "Tenor", "Bass")


def choir(bars=4, key="C", **frame):
    return Template.blank(bars, voices=4, names=CHOIR, key=Key.parse(key) if key else None, **frame)


def melody(bars=4, key="C", **frame):
    return Template.blank(bars, key=Key.parse(key), **frame)


def onsets(template, step, voice=0):
    """Pitches that may begin in a cell."""
    may = np.ones(REST, bool) if template.allowed is None else template.allowed[step, voice, :REST].copy()
    return set(np.flatnonzero(may if template.sounding is None else may & template.sounding[step, voice, :REST]))


def sounds(template, step, voice=0):
    """Pitch classes that may sound in a cell, and whether silence may."""
    may = np.ones(REST + 1, bool) if template.sounding is None else template.sounding[step, voice]
    return {int(each) % 12 for each in np.flatnonzero(may[:REST])}, bool(may[REST])


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("C", {0, 2, 4, 5, 7, 9, 11}),
        ("D dorian", {0, 2, 4, 5, 7, 9, 11}),
        ("F#m", {6, 8, 9, 11, 1, 2, 4}),
        ("A harmonic minor", {9, 11, 0, 2, 4, 5, 8}),
        ("A melodic minor", {9, 11, 0, 2, 4, 5, 6, 7, 8}),
        ("Eb major pentatonic", {3, 5, 7, 10, 0}),
        ("A minor pentatonic", {9, 0, 2, 4, 7}),
        ("C D E G A", {0, 2, 4, 7, 9}),
        ("Bb, D", {10, 2}),
    ],
)
def test_scales(text, classes):
    assert Scale(text).parsed() == classes


@pytest.mark.parametrize(
    ("symbol", "tones", "bass"),
    [
        ("C", {0, 4, 7}, None),
        ("Am", {9, 0, 4}, None),
        ("G7", {7, 11, 2, 5}, None),
        ("Fmaj7", {5, 9, 0, 4}, None),
        ("Bbm7", {10, 1, 5, 8}, None),
        ("Bdim", {11, 2, 5}, None),
        ("G#dim7", {8, 11, 2, 5}, None),
        ("F#ø", {6, 9, 0, 4}, None),
        ("F#m7b5", {6, 9, 0, 4}, None),
        ("Caug", {0, 4, 8}, None),
        ("Dsus2", {2, 4, 9}, None),
        ("Dsus4", {2, 7, 9}, None),
        ("A6", {9, 1, 4, 6}, None),
        ("Am6", {9, 0, 4, 6}, None),
        ("D9", {2, 6, 9, 0, 4}, None),
        ("Cadd9", {0, 2, 4, 7}, None),
        ("E5", {4, 11}, None),
        ("G/B", {7, 11, 2}, 11),
        ("C/D", {0, 4, 7, 2}, 2),
    ],
)
def test_chord_symbols(symbol, tones, bass):
    assert chord(symbol) == (tones, bass)


@pytest.mark.parametrize("symbol", ["H", "Cmaj9", "c", "C/", "C/x", "Gm/7", "", "/C"])
def test_what_is_no_chord(symbol):
    assert chord(symbol) is None
    assert len(QUALITIES) == len(set(QUALITIES))


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("2.5", Fraction(5, 2)), ("2+1/2", Fraction(5, 2)), ("1/3", Fraction(1, 3)), ("", None), ("1/0", None)],
)
def test_fractions(text, value):
    assert fraction(text) == value


def test_pitches_by_name():
    assert [pitch(each) for each in ("C4", "Bb3", "F#5", "C-1", "G9", "G#9", "H4", "c4", "C10")] == [
        *(60, 58, 78, 0, 127),
        *(None, None, None, None),
    ]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"scale": "H major"}, "'H major' is no scale. Write a key such as"),
        ({"range": "G5-C4"}, "G5 is above C4"),
        ({"range": "soprano"}, "'soprano' is no range. Write A3-A5"),
        ({"note": "3=C4"}, "'3=C4' is no note. Write VOICE@BAR:BEAT=PITCH"),
        ({"note": "3:0=C4"}, "beats are counted from 1"),
        ({"chords": "C Hm"}, "'Hm' is no chord"),
        ({"chords": "C:2 G"}, "give beats to all chords or to none"),
        ({"chords": "% C"}, "'%' repeats a chord, and there is none before it"),
        ({"chords": "C:0"}, "'C:0' has no length in beats"),
        ({"chords": " | "}, "there is no chord"),
        ({"leap": -1}, "'-1' is no leap"),
        ({"leap": "128"}, "'128' is no leap"),
        ({"shortest": "0/8"}, "'0/8' is no shortest. Write a fraction"),
        ({"longest": "long"}, "'long' is no longest"),
        ({"begin": "dominant"}, "'dominant' is no begin. Write tonic"),
        ({"end": "softly"}, "Write tonic or cadence"),
        ({"form": "A4B"}, "Write letters such as AABA"),
        ({"form": "'A"}, "is no form"),
        ({"keep": "all"}, "Write rhythm or pitches"),
        ({"mood": "sad"}, "there is no constraint 'mood'. Choose from scale, range"),
    ],
)
def test_what_is_misspelt_is_refused_with_what_is_allowed(options, why):
    with pytest.raises(MusegenError) as error:
        Constraints.of(options)
    assert why in str(error.value)


def test_plain_data_and_back():
    asked = {
        "form": "AA'BA'",
        "note": ["soprano@3:1=C5", "bass@1:1=rest"],
        "leap": 9,
        "scale": None,
        "range": ("A2-A5", "soprano:C4-G5"),
    }
    constraints = Constraints.of(asked)
    assert Constraints.from_json(constraints.to_json()) == constraints
    assert list(constraints.to_json()) == ["range", "note", "leap", "form"]
    assert constraints.describe() == [
        "--range A2-A5",
        "--range soprano:C4-G5",
        "--note soprano@3:1=C5",
        "--note bass@1:1=rest",
        "--leap 9",
        "--form AA'BA'",
    ]
    assert constraints
    assert not Constraints.of(dict.fromkeys(KINDS))


def test_what_is_asked_later_replaces_the_same_kind_voice_and_place():
    first = Constraints.of(
        {"range": ["A2-A5", "alto:C4-C5"], "note": ["1:1=C4", "1:2=D4"], "leap": 5, "scale": "C", "chords": "C"}
    )
    later = Constraints.of({"range": "Alto:D4-D5", "note": "1:2.0=E4", "leap": 7})
    assert first.with_(later).to_json() == {
        "scale": "C",
        "range": ["A2-A5", "Alto:D4-D5"],
        "note": ["1:1=C4", "1:2.0=E4"],
        "chords": "C",
        "leap": "7",
    }


def test_a_voices_own_range_goes_before_the_one_for_all():
    template = Constraints.of({"range": ["C4-C5", "bass:C2-E3"]}).apply(choir())
    assert onsets(template, 7, 0) == set(range(60, 73))
    assert onsets(template, 7, 3) == set(range(36, 53))
    assert template.allowed[..., REST:].all()


def test_voices_are_called_by_name_or_number():
    blank = Template.blank(2, voices=2)
    assert onsets(Constraints.of({"range": "2:C3-C4"}).apply(blank), 0, 1) == set(range(48, 61))
    assert onsets(Constraints.of({"range": "Flute:C3-C4"}).apply(blank, ("Oboe", "flute")), 0, 1) == set(range(48, 61))
    with pytest.raises(
        MusegenError, match=r"--range viola:C3-C4: there is no voice 'viola'. Choose from oboe, or 1 to 2"
    ):
        Constraints.of({"range": "viola:C3-C4"}).apply(blank, ("Oboe", ""))


@pytest.mark.parametrize(
    ("text", "step"),
    [("2:1=C4", 6 + 2), ("1:2=C4", 3 + 2), ("1:1+1/3=C4", 1 + 2), ("0:2+1/3=C4", 0), ("0:2+2/3=C4", 1)],
)
def test_beats_of_a_compound_metre_are_dotted_and_a_pickup_counts_back(text, step):
    template = melody(2, metre=Metre(6, 8), steps_per_quarter=2, pickup=2)
    assert onsets(Constraints.of({"note": text}).apply(template), step) == {60}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9:1=C4", "there is no bar 9. Choose one of 1 to 4"),
        ("0:1=C4", "there is no bar 0"),
        ("1:5=C4", "bar 1 has no beat 5. Its beats go from 1 up to, not including, 5"),
        ("1:1+1/3=C4", "beat 1+1/3 lies between two of the model's steps. A beat has 4 of them"),
    ],
)
def test_places_that_are_not_there(text, why):
    with pytest.raises(MusegenError) as error:
        Constraints.of({"note": text}).apply(melody())
    assert why in str(error.value)
    with pytest.raises(MusegenError, match="the piece has 4 voices"):
        Constraints.of({"note": "1:1=C4"}).apply(choir())


def test_beats_that_no_step_meets_are_left_out():
    roll = Template.blank(1, metre=Metre(3, 8), steps_per_quarter=2).roll
    span = step_at(roll, 1, Fraction(2), "it")
    assert span == 1
    from musegen.representation.constraints.places import bars

    assert beats(roll, bars(roll)[0]) == [0, 1, 2]
    whole = Template.blank(1, metre=Metre(4, 4), steps_per_quarter=1).roll
    eighths = replace(whole, metres=((0, Metre(4, 8)),))
    assert beats(eighths, bars(eighths)[0]) == [0, 1]


def test_chords_hold_on_their_beats_and_the_bass_where_they_begin():
    template = Constraints.of({"chords": "C G/B % N.C."}).apply(choir(8))
    assert sounds(template, 0) == ({0, 4, 7}, True)
    assert sounds(template, 4) == ({0, 4, 7}, True)
    assert sounds(template, 5)[0] == set(range(12))
    assert sounds(template, 16, 3) == ({11}, False)
    assert sounds(template, 20, 3) == ({7, 11, 2}, True)
    assert sounds(template, 32, 3) == ({11}, False)
    assert sounds(template, 48) == (set(range(12)), True)
    assert sounds(template, 64) == ({0, 4, 7}, True), "it begins again"
    alone = Constraints.of({"chords": "G/B"}).apply(melody())
    assert sounds(alone, 0) == ({7, 11, 2}, True)


def test_chords_in_beats_fill_bars_in_order_and_leave_a_pickup_free():
    template = Constraints.of({"chords": "C:3 G:1.5 Am:3.5"}).apply(melody(4, pickup=4))
    spans = Chords("C:3 G:1.5 Am:3.5").spans(template.roll)
    assert [(span.start, span.end) for span in spans][:4] == [(4, 16), (16, 22), (22, 36), (36, 48)]
    assert spans[2].beats == (22, 24, 28, 32)
    assert sounds(template, 0) == (set(range(12)), True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("C F G C F", "has 5 chords, one a bar, and the piece 4 bars"),
        ("C:17", "lasts 17 beats, and the piece 16"),
        ("C:1/3 G:1", "a chord ends between two of the model's steps"),
    ],
)
def test_a_progression_that_does_not_fit(text, why):
    with pytest.raises(MusegenError) as error:
        Constraints.of({"chords": text}).apply(melody())
    assert why in str(error.value)


def test_the_share_of_chord_tones():
    roll = melody(1).roll
    symbols = np.full((16, 1), HOLD, np.uint8)
    symbols[[0, 2, 4, 8, 12], 0] = 60, 62, 64, 65, REST
    assert chord_share(roll.with_symbols(symbols), Chords("C")) == pytest.approx((2 / 3, 6 / 12))
    assert chord_share(roll, Chords("C")) == (1.0, 1.0)
    assert chord_share(roll.with_symbols(symbols), Chords("N.C.")) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("form", "copies"),
    [
        ("AB", []),
        ("AA", [Copy(0, 32, 32)]),
        ("AA'", [Copy(0, 32, 16)]),
        ("A A' B A'", [Copy(0, 32, 16), Copy(0, 96, 16), Copy(48, 112, 16)]),
        ("A'AA", [Copy(0, 32, 16), Copy(0, 64, 16), Copy(48, 80, 16)]),
        ("AABA", [Copy(0, 32, 32), Copy(0, 96, 32)]),
        ("AA'A''", [Copy(0, 32, 16), Copy(0, 64, 16)]),
    ],
)
def test_forms(form, copies):
    bars = 2 * len(Form(form).parsed())
    template = Constraints.of({"form": form}).apply(melody(bars))
    assert list(template.copies) == copies
    assert not template.allowed[:: 2 * 16, 0, HOLD].any()
    assert template.allowed[1, 0, HOLD]


@pytest.mark.parametrize(
    ("form", "bars", "why"),
    [
        ("AABA", 6, "6 bars cannot be cut into 4 equal sections. Ask for 4 bars or another multiple of 4"),
        ("AABA", 3, "3 bars cannot be cut into 4 equal sections. Ask for 4 bars"),
        ("AA'", 2, "with sections of one bar a prime keeps nothing"),
    ],
)
def test_forms_that_do_not_come_out_even(form, bars, why):
    with pytest.raises(MusegenError) as error:
        Constraints.of({"form": form}).apply(melody(bars))
    assert why in str(error.value)


def test_the_last_bar_may_be_cut_short():
    blank = melody(4, pickup=4)
    short = Template(blank.roll.until(64), np.ones((64, 1), bool))
    template = Constraints.of({"form": "AA"}).apply(short)
    assert template.copies == (Copy(4, 36, 28),)


def test_sections_of_unequal_length_are_refused():
    blank = melody(2)
    uneven = replace(blank, roll=replace(blank.roll, metres=((0, Metre(4, 4)), (16, Metre(2, 4)), (24, Metre(2, 4)))))
    with pytest.raises(MusegenError, match="3 bars cannot"):
        Constraints.of({"form": "AB"}).apply(uneven)
    uneven = replace(blank, roll=replace(blank.roll, metres=((0, Metre(3, 4)), (12, Metre(5, 4)))))
    with pytest.raises(MusegenError, match="differ in length"):
        Constraints.of({"form": "AB"}).apply(uneven)


def test_passages_that_are_given_and_differ_cannot_repeat():
    blank = melody(2)
    symbols = np.full((32, 1), REST, np.uint8)
    symbols[[0, 16], 0] = 60, 62
    template = Template.hole(blank.roll.with_symbols(symbols), np.arange(32)[:, None] % 16 > 8)
    with pytest.raises(MusegenError, match="--form AA: bar 2, voice 1, is fixed, and not as bar 1"):
        Constraints.of({"form": "AA"}).apply(template)


@pytest.mark.parametrize("asked", [{"begin": "tonic"}, {"end": "cadence"}])
def test_what_needs_a_key_says_so(asked):
    with pytest.raises(MusegenError, match="needs a key, and the piece has none"):
        Constraints.of(asked).apply(choir(key=None))


def test_a_length_must_fit_the_grid():
    with pytest.raises(MusegenError, match=r"--shortest 1/12 is no whole number .* a multiple of 1/16"):
        Constraints.of({"shortest": "1/12"}).apply(melody())


def test_what_is_kept_needs_a_piece():
    with pytest.raises(MusegenError, match="--keep rhythm needs a piece to keep something of"):
        Constraints.of({"keep": "rhythm"}).apply(melody())


def test_what_is_given_is_never_judged():
    symbols = np.full((16, 1), REST, np.uint8)
    symbols[:8, 0] = 61
    template = Template.hole(melody(1).roll.with_symbols(symbols), np.arange(16)[:, None] >= 8)
    asked = Constraints.of({"scale": "C", "range": "B5-C6", "chords": "C", "shortest": "1/4", "begin": "tonic"})
    after = check(template, asked, low=60, pitches=25)
    assert after.allowed[:8].all()
    assert after.sounding[:8].all()
    with pytest.raises(MusegenError, match="--note 1:1=C4: voice 1 is fixed there"):
        Constraints.of({"note": "1:1=C4"}).apply(template)
    after = Constraints.of({"note": "1:1=C#4"}).apply(template)
    assert (after.allowed == template.allowed).all()


@pytest.mark.parametrize(
    ("asked", "named", "where"),
    [
        ({"range": "soprano:C4-E4", "note": "soprano@3:1=C5", "leap": 12}, ["range", "note"], "bar 3, soprano"),
        ({"scale": "C E", "range": "D4-D4", "form": "AA"}, ["scale", "range"], "bar 1, soprano"),
        ({"chords": "C", "note": "bass@2:1=D3", "scale": "C"}, ["note", "chords"], "bar 2, bass"),
        (
            {"leap": 2, "note": ["alto@1:1=C4", "alto@1:1.25=C5", "alto@2:1=C4"]},
            ["note", "note", "leap"],
            "bar 1, alto",
        ),
        ({"form": "AA", "note": ["alto@1:1=C4", "alto@3:1=C5"], "end": "tonic"}, ["note", "note", "form"], "alto"),
        ({"scale": "G A B", "end": "cadence"}, ["scale", "end"], "bass"),
        ({"shortest": "1/2", "longest": "1/4", "leap": 3}, ["shortest", "longest"], "bar 1, soprano"),
        ({"shortest": "1/2", "note": ["bass@1:1=C3", "bass@1:2=C3"]}, ["note", "note", "shortest"], "bar 1, bass"),
        ({"begin": "tonic", "note": "soprano@1:1=D5", "leap": 4}, ["note", "begin"], "bar 1, soprano"),
    ],
)
def test_a_smallest_set_that_clashes_is_named(asked, named, where):
    with pytest.raises(MusegenError) as error:
        check(choir(), Constraints.of(asked), low=48, pitches=28)
    said = str(error.value)
    assert [word[2:] for word in said.split() if word.startswith("--")] == named
    assert "cannot be met together in" in said
    assert where in said


def test_the_models_range_is_named_where_it_is_what_clashes():
    limits = np.ones((4, 48), bool)
    limits[0, :24] = False
    options = {"low": 36, "pitches": 46, "in_range": limits}
    assert check(choir(), Constraints.of({"range": "C4-G4"}), **options).allowed is not None
    with pytest.raises(
        MusegenError, match=r"--range C3-G3 and the model's range cannot be met together in bar 1, sopr"
    ):
        check(choir(), Constraints.of({"range": "C3-G3", "leap": 5}), **options)


def test_what_is_fixed_is_named_where_it_is_what_clashes():
    symbols = np.full((32, 1), HOLD, np.uint8)
    symbols[[0, 16, 18], 0] = 60, 62, 84
    template = Template.hole(melody(2).roll.with_symbols(symbols), np.arange(32)[:, None] // 2 == 8)
    with pytest.raises(MusegenError) as error:
        check(template, Constraints.of({"leap": 3, "note": "2:1=D4"}), low=60, pitches=25)
    assert "--note 2:1=D4, --leap 3 and what is fixed cannot be met together in bar 2" in str(error.value)
    assert check(template, Constraints.of({"leap": 3}), low=60, pitches=25).rules, "over a silence nothing new leaps"

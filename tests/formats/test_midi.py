import io
from fractions import Fraction

import mido
import pretty_midi
import pytest
from hypothesis import given, settings

from musegen.errors import MusegenError
from musegen.formats import midi
from musegen.formats.midi_write import resolution
from musegen.score import Key, Metre, Note, Score, Voice
from tests.strategies import scores

KEYS = tuple(Key(fifths, mode) for fifths in range(-7, 8) for mode in ("major", "minor"))
FOUR = Metre(4, 4)


def tune(*notes, onset=0, **others):
    placed, time = [], Fraction(onset)
    for pitch, duration in notes:
        placed.append(Note(time, Fraction(duration), pitch))
        time += Fraction(duration)
    return Score((Voice(tuple(placed)),), **others)


def file(*tracks, ticks=96, kind=1):
    """A MIDI file from (wait, message) pairs, or messages that wait for nothing."""
    made = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    for messages in tracks:
        track = mido.MidiTrack()
        for each in messages:
            wait, message = each if isinstance(each, tuple) else (0, each)
            track.append(message.copy(time=wait))
        made.tracks.append(track)
    data = io.BytesIO()
    made.save(file=data)
    return data.getvalue()


def on(pitch, channel=0):
    return mido.Message("note_on", note=pitch, channel=channel, velocity=64)


def off(pitch, channel=0):
    return mido.Message("note_off", note=pitch, channel=channel)


def meta(kind, **values):
    return mido.MetaMessage(kind, **values)


def spans(score):
    return [[(float(n.onset), float(n.duration), n.pitch) for n in voice.notes] for voice in score.voices]


@pytest.mark.parametrize("grid", [4, 12, 7])
def test_reading_gives_back_the_score_written(grid):
    @given(scores(grid=grid, keys=KEYS, fermatas=False, empty_voices=False))
    @settings(max_examples=25, deadline=None)
    def check(score):
        reading = midi.read(midi.write([score], "from a test"), "x")
        assert reading.scores == (score,) and not reading.mended

    check()


@given(scores(grid=12, keys=KEYS, fermatas=False, empty_voices=False, tempi=(120.0,), max_voices=3))
@settings(max_examples=20, deadline=None)
def test_pretty_midi_hears_the_same_notes(score):
    heard = pretty_midi.PrettyMIDI(io.BytesIO(midi.write([score])))
    assert sorted((n.pitch, round(n.start, 6), round(n.end, 6)) for i in heard.instruments for n in i.notes) == sorted(
        (n.pitch, round(float(n.onset) / 2, 6), round(float(n.end) / 2, 6)) for v in score.voices for n in v.notes
    )


def test_times_are_exact_or_said_not_to_be():
    assert resolution(tune((60, Fraction(1, 3)))) == (480, True)
    assert resolution(tune((60, Fraction(1, 7)))) == (3360, True)
    assert resolution(tune((60, Fraction(1, 11 * 13 * 17)))) == (2431, True)
    assert resolution(tune((60, Fraction(1, 32768)))) == (32640, False)
    assert (
        midi.read(midi.write([tune((60, Fraction(1, 32768)), (62, 1))]), "x").scores[0].voices[0].notes[0].duration > 0
    )


@pytest.mark.parametrize("pickup", [Fraction(1), Fraction(3, 2), Fraction(1, 3), Fraction(11, 4)])
def test_a_pickup_is_a_first_short_time_signature(pickup):
    score = tune((60, pickup), (62, 4), pickup=pickup)
    assert midi.read(midi.write([score]), "x").scores == (score,)


def test_a_pickup_of_other_programs_is_recognised():
    notes = [on(60), (96, off(60)), on(62), (384, off(62))]
    four, one = meta("time_signature", numerator=4, denominator=4), meta("time_signature", numerator=1, denominator=4)
    for first in (one, four):
        score = midi.read(file([first, (96, four)], notes), "x").scores[0]
        assert (score.pickup, score.metres) == (1, ((0, FOUR),))


def test_modes_become_the_major_or_minor_key_of_their_signature():
    for mode, written in (("dorian", "minor"), ("phrygian", "minor"), ("mixolydian", "major"), ("lydian", "major")):
        score = tune((60, 4), keys=((Fraction(0), Key(1, mode)),))
        assert midi.read(midi.write([score]), "x").scores[0].keys == ((0, Key(1, written)),)


def test_where_a_piece_comes_from_can_be_read_back():
    named = tune((60, 4), title="Łódź", composer="J. S. Bach")
    assert midi.provenance(midi.write([named], "model bach, seed 1")) == "model bach, seed 1"
    assert midi.provenance(midi.write([named])) is None
    assert midi.read(midi.write([named], "model bach, seed 1"), "x").scores == (named,)


def test_a_name_that_no_file_can_hold_is_written_all_the_same():
    assert midi.read(midi.write([tune((60, 4), title="a\udcffb")]), "x").scores[0].title == "a?b"


def test_chords_of_a_track_become_lines_from_the_top():
    chords = [on(60), on(64), (96, off(60)), off(64), on(62), on(65), (96, off(62)), off(65)]
    score = midi.read(file([meta("track_name", name="Piano"), *chords]), "x").scores[0]
    assert spans(score) == [[(0, 1, 64), (1, 1, 65)], [(0, 1, 60), (1, 1, 62)]]
    assert [voice.name for voice in score.voices] == ["Piano 1", "Piano 2"]


def test_notes_held_into_the_next_are_shortened_and_notes_written_twice_taken_once():
    reading = midi.read(file([on(60), (96, on(62)), (4, off(60)), (92, off(62))]), "x")
    assert spans(reading.scores[0]) == [[(0, 1, 60), (1, 1, 62)]]
    assert reading.mended == ("1 note of track 1 held a little into the next was shortened",)
    reading = midi.read(file([on(60), on(60), (96, off(60)), off(60)]), "x")
    assert spans(reading.scores[0]) == [[(0, 1, 60)]] and "twice" in reading.mended[0]


def test_channels_are_voices_and_percussion_is_left_out():
    notes = [on(60), on(48, 1), on(35, 9), (96, off(60)), off(48, 1), off(35, 9)]
    program = mido.Message("program_change", channel=1, program=32)
    reading = midi.read(file([program, *notes], kind=0), "x")
    assert spans(reading.scores[0]) == [[(0, 1, 60)], [(0, 1, 48)]]
    assert [voice.program for voice in reading.scores[0].voices] == [None, 32]
    assert reading.mended == ("percussion was left out",)
    with pytest.raises(MusegenError, match="only percussion"):
        midi.read(file([on(35, 9), (96, off(35, 9))]), "x")


def test_a_note_begun_in_the_tick_in_which_one_of_its_pitch_ends_is_kept():
    reading = midi.read(file([on(60), (96, on(60)), off(60), (96, off(60))]), "x")
    assert spans(reading.scores[0]) == [[(0, 1, 60), (1, 1, 60)]] and not reading.mended


def test_rests_at_the_end_are_kept_but_not_a_late_tick():
    notes = [on(60), (96, off(60))]
    assert midi.read(file([*notes, (288, meta("end_of_track"))]), "x").scores[0].duration == 4
    assert midi.read(file([*notes, (1, meta("end_of_track"))]), "x").scores[0].duration == 1


def test_signs_that_change_nothing_are_left_out_and_tempi_are_round():
    four = meta("time_signature", numerator=4, denominator=4)
    key, tempo = meta("key_signature", key="G"), meta("set_tempo", tempo=round(60e6 / 97))
    frame = [four, key, tempo, (384, four), key, tempo]
    score = midi.read(file([meta("track_name", name="Air"), *frame], [on(60), (960, off(60))]), "x").scores[0]
    assert (score.title, score.metres, score.keys, score.tempi) == ("Air", ((0, FOUR),), ((0, Key(1)),), ((0, 97.0),))


def test_independent_tracks_are_scores_of_their_own():
    reading = midi.read(file([on(60), (96, off(60))], [on(62), (96, off(62))], kind=2), "x")
    assert [spans(score) for score in reading.scores] == [[[(0, 1, 60)]], [[(0, 1, 62)]]]


def test_a_piece_that_is_too_thick_or_overlaps_is_refused():
    with pytest.raises(MusegenError, match="x: 9 notes of one track sound together"):
        midi.read(file([*(on(60 + i) for i in range(9)), (96, off(60))]), "x")
    overlapping = Voice((Note(Fraction(0), Fraction(2), 60), Note(Fraction(1), Fraction(1), 62)))
    with pytest.raises(MusegenError, match="voice 1 overlaps itself at bar 1, beat 2"):
        midi.write([Score((overlapping,))])

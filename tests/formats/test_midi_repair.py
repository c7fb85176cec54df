import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.formats import midi, midi_repair
from musegen.formats.midi_events import load
from musegen.formats.midi_repair import repair
from musegen.score import Key, Metre, Note, Score, Voice
from tests.strategies import scores

HEADER = b"MThd\0\0\0\6\0\1\0\1\0\x60"
NOTES = b"\0\x90\x3c\x40\x60\x80\x3c\0\0\x90\x3e\x40\x60\x80\x3e\0"  # two quarters
END = b"\0\xff\x2f\0"


def track(events):
    return b"MTrk" + len(events).to_bytes(4, "big") + events


def heard(data):
    reading = midi.read(data, "x")
    notes = [(float(n.onset), float(n.duration), n.pitch) for v in reading.scores[0].voices for n in v.notes]
    return notes, reading.mended


SOUND = HEADER + track(NOTES + END)
TWO = [(0, 1, 60), (1, 1, 62)]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + SOUND, "RIFF"),
        (b"From: me\r\n\r\n" + SOUND, "before its header"),
        (b"MThe" + SOUND[4:], "header was broken"),
        (SOUND[:7] + b"\x0a" + SOUND[8:], "header was broken"),
        (SOUND[:9] + b"\7" + SOUND[10:], "type was senseless"),
        (SOUND[:10] + b"\0\3" + SOUND[12:], "header says 3 tracks; it holds 1"),
        (SOUND[:10] + b"\0\0" + SOUND[12:], "header says 0 tracks; it holds 1"),
        (HEADER + b"junk!" + track(NOTES + END), "garbage between its tracks"),
        (HEADER + b"MTrx" + track(NOTES + END)[4:], ""),
        (HEADER + b"MTrk\0\0\0\3" + NOTES + END, "length of track 1"),
        (HEADER + b"MTrk\0\0\xff\0" + NOTES + END, "length of track 1"),
        (HEADER + track(NOTES), "track 1 breaks off"),
        (HEADER + track(NOTES + b"\0\x90\x40"), "track 1 breaks off"),
        (HEADER + track(NOTES.replace(b"\x3e", b"\xbe") + END), "out of range was clipped"),
        (HEADER + track(b"\0\x3c\x40" + NOTES + END), "belong to no event"),
        (HEADER + track(b"\0\xf4" + NOTES + END), "no file may hold"),
        (HEADER + track(b"\0\xff\x59\2\x0b\0" + NOTES + END), "impossible key signature"),
        (HEADER + track(b"\0\xff\x58\4\4\x0b\x18\x08" + NOTES + END), "impossible time signature"),
        (HEADER + track(b"\0\xff\x58\4\0\2\x18\x08" + NOTES + END), "impossible time signature"),
        (HEADER + track(b"\0\xff\x51\3\0\0\0" + NOTES + END), "absurd tempo"),
        (HEADER + track(b"\0\xff\x51\x7f\7\xa1\x20" + NOTES + END), "length of an event"),
        (HEADER + track(b"\xff\xff\xff\x7f\xc0\1" + NOTES + END), "waits of more than 2000 quarters"),
        (SOUND[:10] + b"\0\2" + SOUND[12:] + b"trailing", "behind its last track"),
    ],
)
def test_what_is_broken_is_mended_and_said(data, said):
    notes, mended = heard(data)
    assert notes == TWO
    assert said in " ".join(mended)


def test_a_sound_file_is_not_mended():
    assert heard(SOUND) == (TWO, ())
    assert heard(HEADER + track(b"\0\xf0\3\1\2\xf7" + NOTES + END)) == (TWO, ())


def test_a_note_without_an_end_lasts_until_the_next():
    lost_off = b"\0\x90\x3c\x40" + b"\x60\x90\x3e\x40" + b"\x60\x80\x3e\0"
    assert heard(HEADER + track(lost_off + END)) == (
        TWO,
        ("1 note of track 1 without an end was ended at the next note",),
    )
    last = b"\0\x90\x3c\x40" + b"\x60\x80\x3c\0" + b"\0\x90\x3e\x40" + b"\x60\xff\x2f\0"
    assert heard(HEADER + track(last))[0] == TWO


def test_time_in_film_frames_is_read_at_two_quarters_a_second():
    frames = HEADER[:12] + b"\xe7\x28" + track(b"\0\x90\x3c\x40" + b"\x83\x74\x80\x3c\0" + END)  # 25 frames of 40 ticks
    assert heard(frames) == ([(0, 1, 60)], ("its time is in film frames; half a second was taken as a quarter",))


def test_a_file_that_does_not_say_how_long_a_quarter_is_is_taken_as_480():
    notes, mended = heard(HEADER[:12] + b"\0\0" + track(NOTES + END))
    assert notes == [(0, 0.2, 60), (0.2, 0.2, 62)] and "480" in mended[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0" * 100_000, "not a MIDI file"),
        (b"MThd\0\0\0\6\0", "breaks off in its header"),
        (HEADER, "holds no tracks"),
        (HEADER + bytes(100_000), "holds no tracks"),
        (HEADER + b"MTrk\0\1\0\0" + bytes(100_000), "holds no notes"),
        (HEADER + track(b"\xff\xff\xff\x7f\xc0\1" * 20 + NOTES + END), "times are absurd"),
        (HEADER + track(b"\x8f\0\xc0\1" * 12_000 + NOTES + END), "more than 20000 quarters"),
        (HEADER + b"MTrk\xff\xff\xff\xff" * 2_000, "more than 1000 tracks"),
        (HEADER + b"MTrk\xff\xff\xff\xff" + b"\xff" * 100_000, "times are absurd"),
        (HEADER + track(b"\0\x90\x3c\x40" + b"\1\x3c\0\1\x3c\x40" * 250_000 + END), "notes are no piece"),
    ],
)
def test_what_makes_no_sense_is_refused(data, reason):
    with pytest.raises(MusegenError, match=reason):
        midi.read(data, "x")


def test_events_without_end_are_refused(monkeypatch):
    monkeypatch.setattr(midi_repair, "MAX_EVENTS", 1000)
    with pytest.raises(MusegenError, match="more than 1000 events"):
        midi.read(HEADER + b"MTrk\xff\xff\xff\xff" + b"\x80" * 10_000, "x")


@given(scores(grid=12, fermatas=False, empty_voices=False, keys=(Key(3), Key(-2, "minor"))))
@settings(max_examples=20, deadline=None)
def test_a_sound_file_means_the_same_to_both_readers(score):
    data = midi.write([score], "from a test")
    sound, mended = load(data), repair(data, "x")
    assert sound is not None and not mended.mended
    assert (sound.type, sound.resolution, sound.tracks) == (mended.type, mended.resolution, mended.tracks)


def _piece():
    """Two voices of 64 quarters each."""
    draw = random.Random(1)
    lines = [tuple(Note(Fraction(i), Fraction(1), low + draw.randrange(12)) for i in range(64)) for low in (60, 45)]
    voices = [Voice(line, "V", 52) for line in lines]
    return Score(
        tuple(voices), metres=((Fraction(0), Metre(4, 4)),), keys=((Fraction(0), Key(2)),), tempi=((Fraction(0), 90.0),)
    )


WHOLE = midi.write([_piece()], "from a test")


def _flip(data, draw, count):
    changed = bytearray(data)
    for _ in range(count):
        changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _splice(data, draw):
    at, size = draw.randrange(len(data)), draw.randrange(1, 40)
    return data[:at] + data[at + size :] if draw.random() < 0.5 else data[:at] + draw.randbytes(size) + data[at:]


DAMAGE = {
    "cut off": lambda data, draw: data[: draw.randrange(40, len(data))],
    "one bit": lambda data, draw: _flip(data, draw, 1),
    "five bits": lambda data, draw: _flip(data, draw, 5),
    "spliced": _splice,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_most_damaged_files_are_read_and_most_of_their_notes_survive(kind):
    draw = random.Random(kind)
    whole = Counter(n[:3] for v in _piece().voices for n in v.notes)
    read, kept = 0, []
    for _ in range(60):
        try:
            reading = midi.read(DAMAGE[kind](WHOLE, draw), "x")
        except MusegenError:
            continue
        read += 1
        found = Counter(n[:3] for v in reading.scores[0].voices for n in v.notes)
        kept.append((found & whole).total() / whole.total())
    assert read >= 0.85 * 60
    assert sum(kept) / len(kept) >= 0.4


@given(st.binary(max_size=200), st.booleans())
@settings(max_examples=200, deadline=None)
def test_noise_is_read_or_refused_but_never_a_crash(noise, framed):
    try:
        midi.read(HEADER + track(noise) if framed else HEADER + noise, "x")
    except MusegenError as error:
        assert str(error).startswith("x: ")

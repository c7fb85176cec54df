"""How the public data become corpora, on music of our own."""

import hashlib
from fractions import Fraction

import data
import numpy as np
import pytest

from musegen.corpora import open_corpus
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Key, Metre, Note, Score, Voice
from tests.toys import chorale


def test_a_pitch_that_stays_is_held_and_silence_is_not():
    pitches = np.array([[60, -1], [60, -1], [62, 50], [62, 50], [-1, 52]])
    expected = [[60, REST], [HOLD, REST], [62, 50], [HOLD, HOLD], [REST, 52]]
    assert data.with_holds(pitches).tolist() == expected


def test_melodies_are_split_by_the_hash_of_their_file_name():
    names = [f"tune{number}.mid" for number in range(300)]
    digits = [int(hashlib.md5(name.encode()).hexdigest(), 16) % 10 for name in names]
    expected = [{0: "test", 1: "validation"}.get(digit, "train") for digit in digits]
    assert [data.split_of(name) for name in names] == expected
    assert {name: expected.count(name) > 10 for name in data.NOTTINGHAM_SPLITS} == dict.fromkeys(expected, True)
    assert data.split_of("ashover1.mid") == "train"


def test_two_notes_at_once_become_one_line():
    quarter = Fraction(1)
    score = Score(
        (
            Voice((Note(Fraction(0), 2 * quarter, 60), Note(2 * quarter, quarter, 62))),
            Voice((Note(quarter, quarter, 67), Note(2 * quarter, quarter, 55))),
        ),
        metres=((Fraction(0), Metre(4, 4)),),
        duration=4 * quarter,
    )
    line, cost = data.melody(score)
    notes = [(note.onset, note.duration, note.pitch) for note in line.voices[0].notes]
    assert notes == [(0, 1, 60), (1, 1, 67), (2, 1, 62)]
    assert (len(line.voices), cost) == (1, 2)  # 60 shortened, 55 left out


def test_windows_stand_for_themselves():
    symbols = np.full((150, 4), HOLD, np.uint8)
    symbols[0] = 72, 67, 60, REST
    symbols[70] = 74, HOLD, HOLD, 48
    roll = Roll(symbols, 4, ((0, Metre(3, 4)),), pickup=4, keys=((0, Key(0)), (100, Key(1))))
    (first, second) = data.windows(data.Piece("x", "test", roll))
    assert (first.id, second.id) == ("x-0", "x-64")
    assert second.roll.symbols[0].tolist() == [72, 67, 60, REST]
    assert second.roll.symbols[6].tolist() == [74, HOLD, HOLD, 48]
    for start, window in ((0, first.roll), (64, second.roll)):
        assert window.clock()[1].tolist() == roll.clock()[1][start : start + 64].tolist()
    lower = roll.symbols.copy()
    lower[:, 1:] = 61
    (other, _) = data.windows(data.Piece("x", "test", roll.with_symbols(lower)))
    assert other.roll.keys == first.roll.keys != ()  # the other voices have no say in it
    assert len(list(data.windows(data.Piece("x", "train", roll)))) == 6


def test_a_written_corpus_keeps_its_splits(tmp_path):
    splits = ("train", "test", "validation", "train")
    pieces = [data.Piece(f"p{number}", split, chorale(number)) for number, split in enumerate(splits)]
    data.write(tmp_path / "c.safetensors", pieces, "ours")
    corpus = open_corpus(tmp_path / "c.safetensors")
    assert list(corpus.splits) == list(splits)
    assert np.array_equal(corpus.roll(2).symbols, pieces[2].roll.symbols)


def test_without_data_one_line_says_what_to_get(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(data, "DATA", tmp_path / "none")
    monkeypatch.setattr(data, "RUNS", tmp_path / "runs")
    with pytest.raises(SystemExit) as stopped:
        data.jsb()
    message = str(stopped.value)
    assert "Jsb16thSeparated.json" in message and "MIDI/melody" in message and "DATA=" in message
    assert "\n" not in message

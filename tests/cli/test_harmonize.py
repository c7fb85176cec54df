from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest

from musegen.errors import MusegenError
from musegen.formats import read, read_bytes, write
from musegen.formats.midi import provenance
from musegen.representation.grid import decode
from tests.cli.test_program import loaded
from tests.toys import ROLLS


@pytest.fixture
def model(trained):
    return trained("minibach")


@pytest.fixture
def melody(tmp_path):
    score = decode(ROLLS["chorales"][2])
    path = tmp_path / "melody.musicxml"
    path.write_bytes(write([replace(score, voices=score.voices[:1])], ".musicxml"))
    return path


def told(notes):
    return [(note.onset, note.duration, note.pitch) for note in notes]


@pytest.mark.parametrize("suffix", ["mid", "musicxml", "mxl"])
def test_the_melody_comes_back_note_for_note(musegen, model, melody, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    result = musegen("harmonize", melody, "--model", model, "-o", out, "--seed", "1", "--temperature", "1")
    assert (result.exit_code, result.stdout) == (0, "")
    score, given = read(out).scores[0], read(melody).scores[0]
    assert told(score.voices[0].notes) == told(given.voices[0].notes)
    assert (score.metres, score.pickup) == (given.metres, given.pickup)
    names = [voice.name for voice in score.voices]
    assert names[0] == "Soprano" and len(names) >= 2 and set(names) <= {"Soprano", "Alto", "Tenor", "Bass"}


def test_from_stdin_to_stdout(program, model, melody):
    result = program(
        "harmonize", "-", "--from", "musicxml", "--model", model, "-o", "-", "--seed", "4", input=melody.read_bytes()
    )
    assert result.returncode == 0, result.stderr
    (score,) = read_bytes(result.stdout, ".mid", "stdout").scores
    assert told(score.voices[0].notes) == told(read(melody).scores[0].voices[0].notes)
    facts = json.loads(provenance(result.stdout))
    assert (facts["model"], facts["seed"], facts["temperature"]) == ("chorales-minibach", 4, 0.0)


def test_a_folder_and_json(musegen, model, melody, tmp_path):
    result = musegen("harmonize", melody, "--model", model, "-o", f"{tmp_path}/out/", "--seed", "4", "--json")
    facts = json.loads(result.stdout)
    assert facts["path"] == f"{tmp_path}/out/chorales-minibach-4-0001.mid"
    assert read(facts["path"]).scores[0].voices
    assert facts["steps"] == ROLLS["chorales"][2].steps and facts["nats_per_note"] > 0


def test_a_tune_off_the_grid_is_moved_and_it_is_said(musegen, model, tmp_path):
    (tmp_path / "triplets.abc").write_text("X:1\nT:t\nM:4/4\nL:1/8\nK:C\n(3cde (3cde c2 d2|c8|]\n")
    result = musegen("harmonize", tmp_path / "triplets.abc", "--model", model, "-o", tmp_path / "a.mid")
    assert result.exit_code == 0
    assert "notes moved" in result.stderr


@pytest.mark.parametrize("name", ["lstm", "feedforward", "vae"])
@pytest.mark.parametrize("given", ["bass", "Soprano,4"])
def test_any_voices_may_be_given_to_families_that_write_left_to_right(musegen, trained, tmp_path, name, given):
    score = decode(ROLLS["chorales"][0])
    (tmp_path / "whole.mid").write_bytes(write([score], ".mid"))
    chosen = {"bass": [3], "Soprano,4": [0, 3]}[given]
    alone = replace(score, voices=tuple(score.voices[voice] for voice in chosen))
    (tmp_path / "alone.mid").write_bytes(write([alone], ".mid"))
    outs = []
    for source in ("whole", "alone"):
        out = tmp_path / f"{source}-out.mid"
        asked = ["--given", given, "--seed", "2", "--particles", "3", "--temperature", "0.9"]
        result = musegen("harmonize", tmp_path / f"{source}.mid", "--model", trained(name), "-o", out, *asked)
        assert result.exit_code == 0, result.exception
        (came,) = read(out).scores
        assert [voice.name for voice in came.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
        for voice in chosen:
            assert told(came.voices[voice].notes) == told(score.voices[voice].notes)
        outs.append([told(voice.notes) for voice in came.voices])
    assert outs[0] == outs[1]


def test_a_melody_out_of_range_is_moved_for_the_model_and_moved_back(musegen, model, trained, tmp_path):
    high = tmp_path / "high.abc"
    high.write_text("X:1\nT:t\nM:4/4\nL:1/4\nK:C\nc''' d''' e''' c'''|]\n")
    for path in (model, trained("lstm")):
        out = tmp_path / f"{path.stem}.mid"
        result = musegen("harmonize", high, "--model", path, "-o", out, "--seed", "1")
        assert result.exit_code == 0, result.exception
        assert f"piece 1: {path.stem} had it -" in result.stderr and "semitones, its range; moved back" in result.stderr
        assert told(read(out).scores[0].voices[0].notes) == told(read(high).scores[0].voices[0].notes)


@pytest.mark.parametrize(
    ("tune", "arguments", "message"),
    [
        ("C,,,, c'''' c c", [], "the given notes, C0 to C9, are out of the range of chorales-lstm in every"),
        ("c d e f", ["--given", "viola"], "--given: there is no voice 'viola'. Choose from soprano, alto, tenor, bass"),
        ("c d e f", ["--given", "5"], "there is no voice '5'"),
        ("c d e f", ["--given", "1,2"], "1 voice, 2 given"),
        ("c d e f", ["--given", "1,2,3,4"], "all voices are given"),
        ("z z z z", [], "no notes"),
        ("c d e f", ["--chords", "C G"], "has 2 chords, one a bar, and the piece 1 bars"),
        ("c d e f", ["--note", "alto@9:1=C4"], "there is no bar 9"),
        ("c d e f", ["--range", "alto:C2-C3", "--note", "alto@1:1=C5"], "cannot be met"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_nothing_is_written(musegen, trained, tmp_path, tune, arguments, message):
    (tmp_path / "t.abc").write_text(f"X:1\nT:t\nM:4/4\nL:1/4\nK:C\n{tune}|]\n")
    out = tmp_path / "a.mid"
    result = musegen("harmonize", tmp_path / "t.abc", "--model", trained("lstm"), "-o", out, *arguments)
    assert isinstance(result.exception, MusegenError), result.output
    assert message in str(result.exception) and "\n" not in str(result.exception)
    assert not out.exists()


def test_what_is_no_chord_is_misuse(musegen, melody, tmp_path):
    result = musegen("harmonize", melody, "-o", tmp_path / "a.mid", "--chords", "C H7")
    assert result.exit_code == 2 and "is no chord" in result.stderr
    assert not (tmp_path / "a.mid").exists()


def test_a_model_of_melodies_adds_no_voice(program, trained, melody, tmp_path):
    out = tmp_path / "a.mid"
    result = program("harmonize", melody, "--model", trained("lstm", "tunes"), "-o", out, "--seed", "1")
    (line,) = result.stderr.decode().splitlines()
    assert result.returncode == 1 and not out.exists()
    assert line == "musegen: tunes-lstm writes one voice and can add none. Use a model of chorales."


def test_chords_are_kept_and_their_share_is_told(musegen, trained, melody, tmp_path):
    out = tmp_path / "a.mid"
    asked = ["--chords", "N.C.", "--leap", "12", "--shortest", "1/8", "--seed", "1", "--particles", "2"]
    result = musegen("harmonize", melody, "--model", trained("lstm"), "-o", out, "--json", *asked)
    assert result.exit_code == 0, result.exception
    assert json.loads(result.stdout)["chord_tones"] == 1
    for voice in read(out).scores[0].voices[1:]:
        pitches = [note.pitch for note in voice.notes]
        assert all(abs(a - b) <= 12 for a, b in pairwise(pitches))
        assert all(note.duration >= Fraction(1, 2) for note in voice.notes)


def test_a_file_that_exists_and_one_that_does_not_are_refused(musegen, model, melody, tmp_path):
    (tmp_path / "a.mid").write_bytes(b"mine")
    result = musegen("harmonize", melody, "--model", model, "-o", tmp_path / "a.mid")
    assert "exists already" in str(result.exception)
    assert (tmp_path / "a.mid").read_bytes() == b"mine"
    assert musegen("harmonize", tmp_path / "gone.mid", "-o", tmp_path / "b.mid").exit_code == 2


def test_it_loads_no_torch(program, model, melody, tmp_path):
    modules = loaded(program, "harmonize", str(melody), "--model", str(model), "-o", str(tmp_path / "a.mid"))
    assert (tmp_path / "a.mid").exists() and "torch" not in modules

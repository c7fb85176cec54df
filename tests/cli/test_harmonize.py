from __future__ import annotations

import json
from dataclasses import replace

import pytest

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
    assert facts["path"] == f"{tmp_path}/out/chorales-minibach-4.mid"
    assert read(facts["path"]).scores[0].voices
    assert facts["steps"] == ROLLS["chorales"][2].steps and facts["nats_per_note"] > 0


def test_a_tune_off_the_grid_is_moved_and_it_is_said(musegen, model, tmp_path):
    (tmp_path / "triplets.abc").write_text("X:1\nT:t\nM:4/4\nL:1/8\nK:C\n(3cde (3cde c2 d2|c8|]\n")
    result = musegen("harmonize", tmp_path / "triplets.abc", "--model", model, "-o", tmp_path / "a.mid")
    assert result.exit_code == 0
    assert "notes moved" in result.stderr


@pytest.mark.parametrize(
    ("name", "corpus", "message"),
    [("lstm", "chorales", "lstm cannot keep given voices yet"), ("vae", "tunes", "vae cannot keep given voices yet")],
)
def test_a_family_that_cannot_is_named_with_one_that_can(musegen, trained, melody, tmp_path, name, corpus, message):
    result = musegen("harmonize", melody, "--model", trained(name, corpus), "-o", tmp_path / "a.mid")
    assert message in str(result.exception) and "minibach" in str(result.exception)
    assert not (tmp_path / "a.mid").exists()


def test_a_melody_out_of_range_and_a_file_that_exists_are_refused(musegen, model, melody, tmp_path):
    (tmp_path / "high.abc").write_text("X:1\nT:t\nM:4/4\nL:1/4\nK:C\nc''' c''' c''' c'''|]\n")
    result = musegen("harmonize", tmp_path / "high.abc", "--model", model, "-o", tmp_path / "a.mid")
    assert "lies outside this model's" in str(result.exception)
    (tmp_path / "a.mid").write_bytes(b"mine")
    result = musegen("harmonize", melody, "--model", model, "-o", tmp_path / "a.mid")
    assert "exists already" in str(result.exception)
    assert (tmp_path / "a.mid").read_bytes() == b"mine"
    assert musegen("harmonize", tmp_path / "gone.mid", "-o", tmp_path / "b.mid").exit_code == 2


def test_it_loads_no_torch(program, model, melody, tmp_path):
    modules = loaded(program, "harmonize", str(melody), "--model", str(model), "-o", str(tmp_path / "a.mid"))
    assert (tmp_path / "a.mid").exists() and "torch" not in modules

from __future__ import annotations

import json
import shutil
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.formats import read, read_bytes
from musegen.formats.midi import provenance
from musegen.representation.constraints import Constraints
from musegen.score import Key, Metre
from tests.cli.test_program import loaded

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from checking import Question, broken


@pytest.fixture
def tunes(trained):
    return trained("lstm", "tunes")


def notes(path):
    return [[tuple(note) for note in voice.notes] for voice in read(path).scores[0].voices]


def test_a_file_is_written_and_nothing_printed(musegen, tunes, tmp_path):
    result = musegen("sample", tunes, "--seed", "3", "-o", tmp_path / "a.mid")
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"wrote {tmp_path}/a.mid" in result.stderr
    assert read(tmp_path / "a.mid").mended == ()
    quiet = musegen("sample", tunes, "--seed", "3", "-o", tmp_path / "b.mid", "--quiet")
    assert quiet.stderr == ""
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_a_seed_that_was_drawn_is_told_and_gives_the_piece_again(musegen, tunes, tmp_path):
    told = musegen("sample", tunes, "-o", tmp_path / "a.mid").stderr
    seed = told.split("seed ")[1].split()[0]
    musegen("sample", tunes, "-o", tmp_path / "b.mid", "--seed", seed)
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_wishes_show_up_in_the_midi(musegen, tunes, tmp_path):
    out = tmp_path / "jig.mid"
    asked = ["--key", "F#m", "--metre", "6/8", "--bars", "6", "--tempo", "150"]
    result = musegen("sample", tunes, "-o", out, "--seed", "5", *asked, "--top-k", "9", "--temperature", "0.8")
    assert result.exit_code == 0
    score = read(out).scores[0]
    assert score.keys == ((0, Key.parse("F#m")),)
    assert {metre for _, metre in score.metres} == {Metre(6, 8)}
    assert [float(tempo) for _, tempo in score.tempi] == [pytest.approx(150)]
    assert 5 <= max(bar.number for bar in score.bars()) <= 6
    assert score.voices[0].program == 73
    model = load_checkpoint(tunes)
    told = json.loads(provenance(out.read_bytes()))
    assert told.pop("musegen") and told.pop("command") == "sample"
    assert told.pop("arguments")["key"] == "F# minor"
    assert told == {
        "model": model.name, "hash": model.hash, "seed": 5, "piece": 1, "temperature": 0.8, "top_k": 9, "top_p": 1.0,
        "bars": 6, "key": "F# minor", "metre": "6/8", "tempo": 150.0,
    }  # fmt: skip


def test_voices_are_named_and_given_an_instrument(musegen, trained, tmp_path):
    musegen("sample", trained("lstm"), "-o", tmp_path / "a.mid", "--seed", "2", "--bars", "4")
    score = read(tmp_path / "a.mid").scores[0]
    assert [voice.name for voice in score.voices] == ["Soprano", "Alto", "Tenor", "Bass"]
    assert [voice.program for voice in score.voices] == [52] * 4


def test_a_folder_is_filled_and_its_paths_are_printed(musegen, tunes, tmp_path):
    out = tmp_path / "out"
    result = musegen("sample", tunes, "-n", "3", "--seed", "9", "-o", f"{out}/")
    expected = [f"{out}/tunes-lstm-9-{number:04d}.mid" for number in (1, 2, 3)]
    assert result.stdout.splitlines() == expected
    assert sorted(map(str, out.iterdir())) == expected
    assert len({path.read_bytes() for path in out.iterdir()}) == 3
    refused = musegen("sample", tunes, "-n", "3", "--seed", "9", "-o", out)
    assert "exists already" in str(refused.exception)
    assert musegen("sample", tunes, "-n", "3", "--seed", "9", "-o", out, "--overwrite").exit_code == 0
    as_text = musegen("sample", tunes, "-n", "2", "--seed", "9", "-o", out, "--to", "musicxml")
    assert [line.rsplit(".")[-1] for line in as_text.stdout.split()] == ["musicxml"] * 2


@pytest.mark.parametrize("name", ["lstm", "minibach"])
def test_pieces_are_the_same_however_they_are_sharded(musegen, trained, tmp_path, name):
    model = trained(name)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    musegen("sample", model, "-n", "5", "--seed", "4", "-o", f"{whole}/")
    for start, count in ((4, 2), (1, 1), (2, 2)):
        musegen("sample", model, "-n", str(count), "--start", str(start), "--seed", "4", "-o", f"{parts}/")
    assert [p.name for p in sorted(whole.iterdir())] == [p.name for p in sorted(parts.iterdir())]
    for one, other in zip(sorted(whole.iterdir()), sorted(parts.iterdir()), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_json_tells_of_every_piece(musegen, tunes, tmp_path):
    result = musegen("sample", tunes, "-n", "2", "--seed", "9", "-o", f"{tmp_path}/out/", "--json", "--start", "5")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["piece"] for line in lines] == [5, 6]
    for line in lines:
        assert (line["seed"], line["model"]) == (9, "tunes-lstm")
        assert line["notes"] == sum(len(voice) for voice in notes(line["path"]))
        assert line["nats_per_note"] > 0 and line["steps"] > 0
    single = musegen("sample", tunes, "--seed", "9", "-o", tmp_path / "a.mid", "--json")
    assert json.loads(single.stdout)["path"] == str(tmp_path / "a.mid")


def test_stdout_is_the_music_and_nothing_else(program, tunes, tmp_path):
    result = program("sample", tunes, "--seed", "3", "-o", "-")
    assert result.returncode == 0
    assert result.stdout.startswith(b"MThd")
    reading = read_bytes(result.stdout, ".mid", "stdout")
    assert reading.mended == () and reading.scores[0].voices[0].notes
    program("sample", tunes, "--seed", "3", "-o", tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == result.stdout
    text = program("sample", tunes, "--seed", "3", "-o", "-", "--to", "abc", "--quiet")
    assert text.stdout.startswith(b"X:1") and text.stderr == b""


def test_a_book_of_tunes(musegen, tunes, tmp_path):
    result = musegen("sample", tunes, "-n", "3", "--seed", "9", "-o", tmp_path / "x.abc")
    assert (result.exit_code, result.stdout) == (0, "")
    book = read(tmp_path / "x.abc")
    assert [score.title for score in book.scores] == [f"tunes-lstm 9/{number}" for number in (1, 2, 3)]
    musegen("sample", tunes, "--start", "2", "--seed", "9", "-o", tmp_path / "two.mid")
    pitches = [note.pitch for note in book.scores[1].voices[0].notes]
    assert pitches == [note[2] for note in notes(tmp_path / "two.mid")[0]]


def test_several_pieces_in_one_midi_file_are_refused_before_composing(musegen, tmp_path):
    result = musegen("sample", "gone.safetensors", "-n", "2", "-o", tmp_path / "x.mid")
    assert isinstance(result.exception, MusegenError)
    assert "holds one piece, not 2" in str(result.exception) and "Name a folder" in str(result.exception)


def test_a_file_that_exists_is_refused_before_composing(musegen, tunes, tmp_path):
    (tmp_path / "a.mid").write_bytes(b"mine")
    result = musegen("sample", tunes, "-o", tmp_path / "a.mid")
    assert "a.mid exists already" in str(result.exception)
    assert (tmp_path / "a.mid").read_bytes() == b"mine"
    assert musegen("sample", tunes, "-o", tmp_path / "a.mid", "--overwrite").exit_code == 0
    assert (tmp_path / "a.mid").read_bytes()[:4] == b"MThd"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--key", "H"], "'H' is not a key"),
        (["--metre", "4"], "'4' is not a metre"),
        (["--bars", "0"], "--bars"),
        (["--temperature", "-1"], "--temperature"),
        (["--top-p", "1.5"], "--top-p"),
        (["-n", "0"], "-n"),
        (["--tempo", "1"], "--tempo"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_misuse_is_named(musegen, tmp_path, arguments, word):
    result = musegen("sample", "x", "-o", tmp_path / "a.mid", *arguments)
    assert result.exit_code == 2
    assert word in result.stderr and not (tmp_path / "a.mid").exists()


@pytest.mark.parametrize("option", ["--temperature", "--top-p", "--tempo"])
def test_what_is_no_number_is_misuse(musegen, tunes, tmp_path, option):
    result = musegen("sample", tunes, "-o", tmp_path / "a.mid", "--seed", "1", option, "nan")
    assert result.exit_code == 2, result.exception
    assert option in result.stderr


def test_stdout_cannot_carry_music_and_json(musegen, tunes):
    assert musegen("sample", tunes, "-o", "-", "--json").exit_code == 2


def test_a_missing_model_is_one_line(program, tmp_path):
    result = program("sample", "gone", "-o", tmp_path / "a.mid", "--seed", "1")
    assert result.returncode == 1
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith("musegen: no model is called gone. At hand:")


def test_an_altered_model_is_one_line(musegen, tunes, tmp_path):
    path = tmp_path / "altered.safetensors"
    shutil.copy(tunes, path)
    data = bytearray(path.read_bytes())
    data[-10] ^= 1
    path.write_bytes(data)
    result = musegen("sample", path, "-o", tmp_path / "a.mid")
    assert "altered.safetensors was altered" in str(result.exception)


def test_sampling_loads_no_torch(program, trained, tmp_path):
    for name, corpus in (("lstm", "tunes"), ("feedforward", "chorales"), ("minibach", "chorales"), ("vae", "tunes")):
        path = str(trained(name, corpus))
        modules = loaded(program, "sample", path, "-o", str(tmp_path / f"{name}.mid"), "--seed", "1")
        assert "numpy" in modules and (tmp_path / f"{name}.mid").exists()
        assert not modules & {"torch", "matplotlib", "tqdm", "scipy"}


def test_the_likeliest_music_is_the_same_for_every_seed(musegen, tunes, tmp_path):
    asked = ["--temperature", "0", "--bars", "3", "--key", "G", "--metre", "4/4"]
    for seed in ("1", "2"):
        musegen("sample", tunes, "-o", tmp_path / f"{seed}.mid", "--seed", seed, *asked)
    one, two = notes(tmp_path / "1.mid"), notes(tmp_path / "2.mid")
    # The plans may differ in their pickup, no more.
    assert one[0] and two[0]
    assert np.isfinite(float(sum(Fraction(note[1]) for note in one[0])))


ASKED = {
    "tunes": {"scale": "D dorian", "leap": "7", "shortest": "1/16", "longest": "1/2", "range": "C4-C6", "end": "tonic"},
    "chorales": {"chords": "C F G C", "range": "bass:E2-C4", "end": "tonic", "note": "soprano@2:1=C5"},
    "form": {"form": "AA'BA", "begin": "tonic", "longest": "1/2"},
}


@pytest.mark.parametrize("name", ["lstm", "feedforward", "vae"])
@pytest.mark.parametrize("case", ASKED)
def test_what_is_asked_holds_in_what_is_written(musegen, trained, tmp_path, name, case):
    model, key = trained(name, "chorales" if case == "chorales" else "tunes"), "Ddor" if case == "tunes" else "C"
    frame = ["--bars", "8" if case == "form" else "4", "--key", key, "--metre", "4/4", "--particles", "2"]
    options = [each for kind, text in ASKED[case].items() for each in (f"--{kind}", text)]
    (tmp_path / "asked.toml").write_text("".join(f"{kind} = {_toml(text)}\n" for kind, text in ASKED[case].items()))
    for folder, asked in (("options", options), ("file", ["--constraints", tmp_path / "asked.toml"])):
        out = f"{tmp_path}/{folder}/"
        result = musegen("sample", model, "-n", "3", "--seed", "8", "-o", out, *frame, *asked)
        assert result.exit_code == 0, result.exception
        for path in result.stdout.split():
            (score,) = read(path).scores
            names = tuple(voice.name for voice in score.voices)
            assert broken(Constraints.of(ASKED[case]), Question(score, Key.parse(key), names)) == []
    one, two = (sorted((tmp_path / folder).iterdir()) for folder in ("options", "file"))
    assert [notes(path) for path in one] == [notes(path) for path in two]


def _toml(text):
    return text if text.isdecimal() else json.dumps(text)


def test_what_cannot_be_met_is_refused_by_its_names(musegen, trained, tmp_path):
    asked = ["--scale", "C D E", "--note", "1:1=F#4", "--leap", "12", "-o", tmp_path / "a.mid"]
    result = musegen("sample", trained("lstm", "tunes"), "--bars", "4", "--seed", "1", "--metre", "4/4", *asked)
    assert isinstance(result.exception, MusegenError)
    assert str(result.exception).startswith("--scale 'C D E' and --note 1:1=F#4 cannot be met together in bar 1")
    assert not (tmp_path / "a.mid").exists()

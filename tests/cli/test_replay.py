from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

import musegen
from musegen.__main__ import run
from musegen.checkpoints import load_checkpoint
from musegen.cli.recipe import EMBEDDED, VERBS
from musegen.formats import format_of, provenance, read, write
from musegen.representation.grid import decode
from tests.toys import ROLLS

SUFFIXES = ["mid", "abc", "musicxml", "mxl"]


@pytest.fixture
def shell(capfd):
    """Type a command line; gives its exit code, stdout, and the lines on stderr."""

    def typed(*arguments: object) -> tuple[int, str, list[str]]:
        capfd.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return code, out, err.splitlines()

    return typed


@pytest.fixture
def tunes(trained):
    return trained("lstm", "tunes")


@pytest.fixture
def piece(shell, tunes, tmp_path):
    """A piece whose model lies at hand."""
    out = tmp_path / "out.mid"
    assert shell("sample", tunes, "-o", out, "--key", "F#m", "--metre", "6/8", "--bars", "6", "--top-k", "9")[0] == 0
    shutil.copy(tunes, tmp_path)
    return out


def facts_of(path):
    return provenance.find(path.read_bytes(), format_of(path))


def rewrite(path, change=lambda score: score, **facts):
    """Alter a piece: its music, or what it says of itself."""
    told = facts_of(path) | facts
    path.write_bytes(write([change(read(path).scores[0])], path.suffix, provenance.line(told)))


def refused(result, *words):
    code, out, lines = result
    assert code == 1 and out == "" and len(lines) == 1 and lines[0].startswith("musegen: "), result
    assert all(word in lines[0] for word in words), lines
    return lines[0]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_piece_comes_out_byte_for_byte(shell, tunes, tmp_path, suffix):
    out, again = tmp_path / f"out.{suffix}", tmp_path / f"again.{suffix}"
    asked = ["--key", "A dorian", "--metre", "4/4", "--tempo", "91.5", "--temperature", "0.8", "--top-p", "0.9"]
    assert shell("sample", tunes, "-o", out, *asked)[0] == 0
    code, stdout, lines = shell("replay", out, "--model", tunes, "-o", again)
    assert (code, stdout, lines[0]) == (0, "", f"wrote {again}")
    seed = facts_of(out)["seed"]
    assert lines[1:] == [f"{out}: the same, byte for byte (sample, tunes-lstm, seed {seed})"]
    assert again.read_bytes() == out.read_bytes()
    assert shell("replay", out, "--model", tunes, "--quiet") == (0, "", [])


def test_each_piece_of_a_series_and_a_book(shell, tunes, tmp_path):
    assert shell("sample", tunes, "-n", "3", "--start", "5", "--seed", "2", "-o", f"{tmp_path}/out/")[0] == 0
    paths = sorted((tmp_path / "out").iterdir())
    assert [facts_of(path)["arguments"]["start"] for path in paths] == [5, 6, 7]
    for path in paths:
        assert shell("replay", path, "--model", tunes)[0] == 0
    book = tmp_path / "book.abc"
    assert shell("sample", tunes, "-n", "3", "--start", "5", "--seed", "2", "-o", book)[0] == 0
    assert shell("replay", book, "--model", tunes)[0] == 0
    book.write_bytes(book.read_bytes().replace(b"|]\n\nX:3", b"z2|]\n\nX:3"))
    refused(shell("replay", book, "--model", tunes), "piece 2")


def test_the_format_is_known_by_what_a_file_holds(shell, tunes, tmp_path):
    assert shell("sample", tunes, "-o", tmp_path / "odd.txt", "--to", "musicxml")[0] == 0
    assert shell("replay", tmp_path / "odd.txt", "--model", tunes)[0] == 0


@pytest.fixture
def melody(tmp_path):
    score = decode(ROLLS["chorales"][2])
    path = tmp_path / "given" / "a  melody.musicxml"
    path.parent.mkdir()
    path.write_bytes(write([replace(score, voices=score.voices[:1])], ".musicxml"))
    return path


def test_a_pipe_is_replayed_in_another_folder_by_the_whole_program(program, trained, melody, tmp_path):
    model, elsewhere = trained("minibach"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    asked = ["--from", "musicxml", "--model", model, "-o", "-"]
    made = program("harmonize", "-", *asked, input=melody.read_bytes(), cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    (elsewhere / "four.mid").write_bytes(made.stdout)
    shutil.copy(model, elsewhere)  # which is where it is looked for
    shutil.rmtree(melody.parent)
    again = program("replay", "four.mid", cwd=elsewhere)
    assert again.returncode == 0, again.stderr
    assert b"four.mid: the same, byte for byte (harmonize, chorales-minibach, seed" in again.stderr
    piped = program("replay", "-", "-o", "-", input=made.stdout, cwd=elsewhere)
    assert (piped.returncode, piped.stdout) == (0, made.stdout)
    assert sorted(path.name for path in elsewhere.iterdir()) == ["chorales-minibach.safetensors", "four.mid"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_harmonized_file_needs_the_file_no_more(shell, trained, melody, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    assert shell("harmonize", melody, "--model", trained("minibach"), "-o", out)[0] == 0
    kept = json.dumps(facts_of(out))
    assert str(tmp_path) not in kept and facts_of(out)["inputs"][0]["name"] == "a  melody.musicxml"
    shutil.rmtree(melody.parent)
    assert shell("replay", out, "--model", trained("minibach"))[0] == 0


REWORKING = {
    "continue": ["--bars", "8"],
    "infill": ["--bars", "2", "--keep", "rhythm"],
    "vary": ["--amount", "0.4"],
}
"""What the verbs that rework a melody are asked."""


def test_no_verb_is_forgotten():
    assert set(VERBS) == {"sample", "harmonize", "interpolate"} | set(REWORKING)


@pytest.mark.parametrize("verb", REWORKING)
def test_a_reworked_piece_needs_neither_the_piece_nor_the_constraints(shell, tunes, tmp_path, verb):
    given, asked = tmp_path / "given.abc", tmp_path / "asked.toml"
    given.write_bytes(write([decode(ROLLS["tunes"][2])], ".abc"))
    asked.write_text("leap = 24\n")
    out = tmp_path / "out.abc"
    options = ["--constraints", asked, "--seed", "3", "-n", "2", "--start", "4", "--model", tunes, "-o", out]
    code, _, lines = shell(verb, given, *REWORKING[verb], *options)
    assert code == 0, lines
    assert {each["name"] for each in facts_of(out)["inputs"]} == {"given.abc", "asked.toml"}
    given.unlink()
    asked.unlink()
    assert shell("replay", out, "--model", tunes)[0] == 0


def test_a_piece_of_a_series_that_is_only_made_whole(shell, program, trained, tmp_path):
    model, first = trained("vae", "tunes"), tmp_path / "a.mid"
    second = write([decode(ROLLS["tunes"][3])], ".abc")
    first.write_bytes(write([decode(ROLLS["tunes"][2])], ".mid"))
    asked = ["interpolate", first, "-", "-n", "3", "--from", "abc", "--model", model, "--seed", "1"]
    for target in (f"{tmp_path}/way/", tmp_path / "way.abc"):
        made = program(*asked, "-o", target, input=second)
        assert made.returncode == 0, made.stderr
    first.unlink()
    for path in (*(tmp_path / "way").iterdir(), tmp_path / "way.abc"):
        assert shell("replay", path, "--model", model)[0] == 0


def test_a_large_input_is_looked_for(shell, trained, melody, tmp_path, monkeypatch):
    model = trained("minibach")
    large = tmp_path / "large.musicxml"
    large.write_bytes(melody.read_bytes() + b"<!-- " + b"x" * EMBEDDED + b" -->\n")
    out = tmp_path / "pieces" / "out.mid"
    out.parent.mkdir()
    assert shell("harmonize", large, "--model", model, "-o", out)[0] == 0
    assert out.stat().st_size < 10_000
    monkeypatch.chdir(tmp_path)
    assert shell("replay", out, "--model", model)[0] == 0  # from the current folder
    monkeypatch.chdir(melody.parent)
    missing = refused(shell("replay", out, "--model", model))
    assert "large.musicxml, which harmonize read, is not at hand. Name the file as it was with --input" in missing
    other = large.rename(tmp_path / "renamed.musicxml")
    assert shell("replay", out, "--model", model, "--input", other)[0] == 0
    beside = out.parent / "large.musicxml"
    shutil.copy(other, beside)
    assert shell("replay", out, "--model", model)[0] == 0
    beside.write_bytes(melody.read_bytes())
    refused(shell("replay", out, "--model", model), "large.musicxml has changed since harmonize read it")
    refused(shell("replay", out, "--model", model, "--input", melody), "is not what it was made from (large.musicxml)")


def test_notes_that_were_changed_are_named_and_the_piece_is_made_as_it_was(shell, piece, tmp_path):
    sound = piece.read_bytes()

    def higher(score):
        notes = list(score.voices[0].notes)
        at = next(i for i, note in enumerate(notes) if score.place(note.onset).startswith("bar 3"))
        notes[at] = notes[at]._replace(pitch=notes[at].pitch + 1)
        return replace(score, voices=(replace(score.voices[0], notes=tuple(notes)),))

    rewrite(piece, higher)
    line = refused(shell("replay", piece))
    assert "out.mid differs from what its provenance makes: the notes from bar 3, beat " in line
    assert "first in voice 1 (Melody)" in line
    again = tmp_path / "again.mid"
    assert shell("replay", piece, "-o", again)[0] == 1
    assert again.read_bytes() == sound


def test_a_voice_that_is_gone_and_another_tempo_are_named(shell, trained, tmp_path):
    model, out = trained("lstm"), tmp_path / "out.mid"
    assert shell("sample", model, "-o", out, "--seed", "2", "--bars", "4")[0] == 0
    sound = out.read_bytes()
    rewrite(out, lambda score: replace(score, voices=score.voices[:3]))
    refused(shell("replay", out, "--model", model), "first in voice 4 (Bass)")
    out.write_bytes(sound)
    rewrite(out, lambda score: replace(score, tempi=((Fraction(0), 33.0),)))
    refused(shell("replay", out, "--model", model), "differs from what its provenance makes: the tempi (the notes are")
    out.write_bytes(sound + b"\0")
    refused(shell("replay", out, "--model", model), "the music is the same, but it is not written in the same bytes")


def test_a_model_that_is_not_at_hand(shell, tunes, tmp_path):
    out, mine = tmp_path / "out.mid", tmp_path / "mine.safetensors"
    shutil.copy(tunes, mine)
    assert shell("sample", mine, "-o", out)[0] == 0
    assert shell("replay", out)[0] == 0  # beside the piece
    renamed = mine.rename(tmp_path / "renamed.safetensors")
    refused(shell("replay", out), f"{out}: the model mine is not at hand. Name it or its file with --model")
    assert shell("replay", out, "--model", renamed)[0] == 0
    refused(shell("replay", out, "--model", "gone"), "no model is called gone")
    home = Path(os.environ["MUSEGEN_HOME"]) / "checkpoints" / "mine.safetensors"
    home.parent.mkdir(exist_ok=True)
    renamed.rename(home)
    try:
        assert shell("replay", out)[0] == 0
    finally:
        home.unlink()


def test_a_model_that_was_trained_anew(shell, piece, trained, tmp_path):
    other = trained("feedforward", "tunes")
    shutil.copy(other, tmp_path / "tunes-lstm.safetensors")
    hashes = load_checkpoint(other).hash, facts_of(piece)["hash"]
    refused(shell("replay", piece), f"its hash is {hashes[0]}, and {hashes[1]} made the piece")
    refused(shell("replay", piece, "--model", other), f"its hash is {hashes[0]}")


def test_another_version(shell, piece):
    rewrite(piece, musegen="0.0.1")
    refused(shell("replay", piece), f"made by musegen 0.0.1, and this is {musegen.__version__}")


def test_what_says_nothing_of_itself(shell, piece, tmp_path):
    (score,) = read(piece).scores
    for suffix in SUFFIXES:
        foreign = tmp_path / f"foreign.{suffix}"
        for text in ("", "by hand", "[]", '{"title": "a piece"}'):
            foreign.write_bytes(write([score], f".{suffix}", text))
            refused(shell("replay", foreign), f"foreign.{suffix}: it does not say where it comes from")
    told = facts_of(piece)
    del told["command"]
    piece.write_bytes(write([score], ".mid", provenance.line(told)))
    refused(shell("replay", piece), "its provenance does not say how it was made")
    for name, data in (("empty.mid", b""), ("noise.mid", bytes(range(256)))):
        (tmp_path / name).write_bytes(data)
        refused(shell("replay", tmp_path / name), name)


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "train"},
        {"model": "../tunes-lstm"},
        {"piece": 99},
        {"pieces": "many"},
        {"arguments": {"key": "H"}},
        {"arguments": {"help": True}},
        {"arguments": {"target": "mine.mid", "overwrite": True}},
        {"inputs": [{"for": "checkpoint", "name": "x", "sha256": "0", "data": "?"}]},
    ],
)
def test_a_damaged_provenance_is_one_line_and_harms_nothing(shell, piece, tmp_path, monkeypatch, changes):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.mid").write_bytes(b"mine")
    rewrite(piece, **changes)
    before = sorted(tmp_path.iterdir())
    refused(shell("replay", piece), "its provenance is damaged", "It cannot be replayed")
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "mine.mid").read_bytes() == b"mine"


def test_a_file_that_exists_stays(shell, piece, tmp_path):
    mine = tmp_path / "mine.mid"
    mine.write_bytes(b"mine")
    refused(shell("replay", piece, "-o", mine), "mine.mid exists already")
    assert mine.read_bytes() == b"mine"
    assert shell("replay", piece, "-o", mine, "--overwrite")[0] == 0
    assert mine.read_bytes() == piece.read_bytes()
    code, out, _ = shell("replay", piece, "-o", f"{tmp_path}/folder/")
    assert (code, out) == (0, f"{tmp_path}/folder/out.mid\n")
    assert (tmp_path / "folder" / "out.mid").read_bytes() == piece.read_bytes()


def test_misuse(shell, tmp_path):
    assert shell("replay")[0] == 2
    assert shell("replay", tmp_path / "gone.mid")[0] == 2

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from musegen.checkpoints import load_checkpoint
from musegen.formats import read, read_bytes, write
from musegen.interpolating import interpolate
from musegen.models.base import Sampling
from musegen.representation.grid import decode
from tests.cli.test_program import loaded
from tests.toys import ROLLS


@pytest.fixture
def model(trained):
    return trained("vae", "tunes")


@pytest.fixture
def ends(tmp_path):
    """Two tunes as files of two formats."""
    paths = tmp_path / "a.mid", tmp_path / "b.musicxml"
    for path, number in zip(paths, (0, 5), strict=True):
        path.write_bytes(write([decode(ROLLS["tunes"][number])], path.suffix))
    return paths


def test_a_folder_of_pieces_and_what_is_said_of_them(musegen, model, ends, tmp_path):
    result = musegen("interpolate", *ends, "--model", model, "-n", "4", "--seed", "4", "-o", f"{tmp_path}/way/")
    assert result.exit_code == 0, result.exception
    expected = [f"{tmp_path}/way/tunes-vae-4-0{number}.mid" for number in (1, 2, 3, 4)]
    assert result.stdout.splitlines() == expected
    loaded_model = load_checkpoint(model)
    how = Sampling(4, loaded_model.family.temperature)
    places = list(interpolate(loaded_model, how, ROLLS["tunes"][0], ROLLS["tunes"][5], 4))
    for path, place in zip(expected, places, strict=True):
        notes = [(n.onset, n.duration, n.pitch) for n in read(path).scores[0].voices[0].notes]
        assert notes == [(n.onset, n.duration, n.pitch) for n in place.piece.score.voices[0].notes]
    lines = result.stderr.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.startswith("piece"))
    for line, place in zip(lines[heading + 1 :], places, strict=False):
        told = line.split()
        assert told[0] == str(place.piece.number)
        assert float(told[6]) == pytest.approx(place.from_first, abs=6e-4)
        assert float(told[7]) == pytest.approx(place.from_second, abs=6e-4)
    assert "steps lead away from A" in lines[-1]


def test_json_has_it_all(musegen, model, ends, tmp_path):
    out = tmp_path / "way.abc"
    result = musegen("interpolate", *ends, "--model", model, "-n", "3", "--seed", "4", "-o", out, "--json", "-q")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["share"] for line in lines] == [0, 0.5, 1]
    assert [line["piece"] for line in lines] == [1, 2, 3]
    assert lines[0]["step"] is None and lines[1]["step"] >= 0 and lines[2]["from_b"] >= 0
    assert {line["path"] for line in lines} == {str(out)}
    assert set(lines[0]["attributes"]) == {"pitch", "range", "note length", "note density", "leap"}
    assert len(read(out).scores) == 3 and result.stderr == ""


def test_from_stdin_and_to_stdout(program, model, ends):
    a, b = ends
    arguments = ["--model", str(model), "-n", "2", "--seed", "3", "-o", "-", "--to", "abc", "--quiet"]
    piped = program("interpolate", "-", str(b), *arguments, input=a.read_bytes())
    assert piped.returncode == 0, piped.stderr
    assert len(read_bytes(piped.stdout, ".abc", "stdout").scores) == 2


def test_pieces_of_one_book(musegen, model, tmp_path):
    book = tmp_path / "book.abc"
    book.write_bytes(write([decode(ROLLS["tunes"][i]) for i in (0, 2, 5)], ".abc"))
    asked = ["--model", model, "-n", "2", "--seed", "1", "-o"]
    assert musegen("interpolate", book, book, *asked, tmp_path / "x.abc", "--tunes", "1", "3").exit_code == 0
    result = musegen("interpolate", book, book, *asked, tmp_path / "y.abc", "--tunes", "1", "4")
    assert "has no piece 4" in str(result.exception)
    assert "taking the first" in musegen("interpolate", book, book, *asked, tmp_path / "z.abc").stderr


def test_it_turns_out_the_same_again(musegen, model, ends, tmp_path):
    for name in ("x", "y"):
        musegen("interpolate", *ends, "--model", model, "-n", "3", "--seed", "9", "-o", tmp_path / f"{name}.abc")
    assert (tmp_path / "x.abc").read_bytes() == (tmp_path / "y.abc").read_bytes()


@pytest.mark.parametrize(
    ("family", "corpus", "message"),
    [("lstm", "tunes", "family lstm, which has no latent space"), ("vae", "chorales", "a.mid: 1 voice, 4 wanted")],
)
def test_models_that_cannot_are_named(musegen, trained, ends, tmp_path, family, corpus, message):
    result = musegen("interpolate", *ends, "--model", trained(family, corpus), "-o", f"{tmp_path}/way/")
    assert message in str(result.exception)
    assert not (tmp_path / "way").exists()


def test_without_a_model_the_number_of_voices_decides(musegen, ends, tmp_path):
    chorale = ROLLS["chorales"][0]
    two = replace(chorale, symbols=chorale.symbols[:, :2], names=chorale.names[:2])
    (tmp_path / "duet.mid").write_bytes(write([decode(two)], ".mid"))
    result = musegen("interpolate", tmp_path / "duet.mid", ends[1], "-o", f"{tmp_path}/way/")
    assert "duet.mid has 2 voices, and no vae for so many is at hand. Name one with --model" in str(result.exception)
    (tmp_path / "four.mid").write_bytes(write([decode(chorale)], ".mid"))
    result = musegen("interpolate", tmp_path / "four.mid", ends[1], "-o", f"{tmp_path}/way/")
    assert "b.musicxml: 1 voice, 4 wanted" in str(result.exception)


@pytest.mark.parametrize("arguments", [["-", "-"], ["-n", "1"], ["--tunes", "0", "1"]])
def test_misuse_is_named(musegen, ends, tmp_path, arguments):
    named = [] if arguments[0] == "-" else ends
    result = musegen("interpolate", *arguments, *named, "-o", f"{tmp_path}/way/", stdin=b"")
    assert result.exit_code == 2
    assert not (tmp_path / "way").exists()


def test_several_pieces_do_not_fit_one_midi_file(musegen, model, ends, tmp_path):
    result = musegen("interpolate", *ends, "--model", model, "-o", tmp_path / "way.mid")
    assert "holds one piece, not 5" in str(result.exception)


def test_it_loads_no_torch(program, model, ends, tmp_path):
    arguments = ["interpolate", *map(str, ends), "--model", str(model), "-n", "2", "--seed", "1"]
    modules = loaded(program, *arguments, "-o", str(tmp_path / "x.abc"))
    assert (tmp_path / "x.abc").exists()
    assert not modules & {"torch", "matplotlib", "scipy"}

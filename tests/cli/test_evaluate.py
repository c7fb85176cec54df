from __future__ import annotations

import json

import pytest

from musegen.checkpoints import load_checkpoint
from musegen.evaluation.likelihood import evaluate
from tests.cli.test_program import loaded
from tests.toys import ROLLS, SETTINGS, write_corpus


def test_tables_for_people(musegen, trained, corpora):
    path = trained("vae")
    result = musegen("evaluate", path)
    assert result.exit_code == 0, result.exception
    found = evaluate(load_checkpoint(path), ROLLS["chorales"][10:])
    lines = result.stdout.splitlines()
    assert lines[0] == f"chorales-vae on 2 test pieces of {corpora['chorales']}"
    assert lines[2].split() == ["nats,", "at", "most", "pieces", "per", "note", "per", "step", "per", "quarter"]
    rates = found.framed
    figures = [f"{each:.3f}" for each in (rates.per_note, rates.per_step, rates.per_quarter)]
    assert lines[3].split() == ["given", "length,", "metre", "and", "key", "2", *figures]
    assert lines[4].split()[:3] == ["telling", "these", "2"] and f"{found.frame.per_note:.3f}" in lines[4]
    assert lines[5].split()[:3] == ["given", "nothing", f"{rates.per_note + found.frame.per_note:.3f}"]
    assert f"{found.standard_error:.3f}" in lines[7]
    assert [line.split()[0] for line in lines[10:15]] == ["all", "Soprano", "Alto", "Tenor", "Bass"]
    assert lines[16].startswith("quarter of ")
    assert "of 2 dimensions in use" in lines[-2] and "of the onsets come back" in lines[-1]


def test_a_model_that_needs_a_melody_is_measured_given_it(musegen, trained):
    result = musegen("evaluate", trained("minibach"), "--split", "all")
    lines = result.stdout.splitlines()
    assert "on 12 pieces of" in lines[0]
    assert lines[2].startswith("nats  ") and lines[3].startswith("given the melody")
    assert "given nothing" not in result.stdout and "Soprano" not in result.stdout


@pytest.mark.parametrize(("split", "part"), [("test", slice(10, 12)), ("train", slice(8)), ("all", slice(12))])
def test_json_has_the_figures_of_the_split(musegen, trained, corpora, split, part):
    path = trained("lstm", "tunes")
    result = musegen("evaluate", path, corpora["tunes"], "--split", split, "--json")
    facts = json.loads(result.stdout)
    expected = evaluate(load_checkpoint(path), ROLLS["tunes"][part]).to_json()
    assert facts == {"model": "tunes-lstm", "corpus": str(corpora["tunes"]), "split": split, **expected}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_is_drawn(musegen, trained, tmp_path, suffix):
    out = tmp_path / f"places.{suffix}"
    result = musegen("evaluate", trained("vae", "tunes"), "--plot", out)
    assert result.exit_code == 0, result.exception
    assert out.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    again = musegen("evaluate", trained("vae", "tunes"), "--plot", out)
    assert "exists already" in str(again.exception)
    assert musegen("evaluate", trained("vae", "tunes"), "--plot", out, "--overwrite", "--quiet").stderr == ""


def test_what_has_no_names_is_left_out_and_said_so(musegen, trained, tmp_path):
    high = ROLLS["tunes"][1].symbols.copy()
    high[high < 128] = 120
    rolls = [*ROLLS["tunes"][:11], ROLLS["tunes"][1].with_symbols(high)]
    corpus = write_corpus(tmp_path / "odd", rolls)
    result = musegen("evaluate", trained("lstm", "tunes"), corpus)
    assert "pieces left out, since tunes-lstm has no names for their pitches: 1" in result.stderr
    assert "on 1 test pieces of" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TUNES"], "reads 4 voices at 4 steps per quarter, this music has 1 at 12"),
        (["nowhere"], "there is no corpus called nowhere"),
        (["UNSPLIT"], "has no test pieces"),
        (["CHORALES", "--plot", "map.bmp"], "no picture has the suffix '.bmp'"),
    ],
)
def test_what_cannot_be_measured_is_refused(musegen, trained, corpora, tmp_path, arguments, message):
    unsplit = write_corpus(tmp_path / "unsplit", ROLLS["chorales"][:2], ("train",) * 2)
    names = {"TUNES": str(corpora["tunes"]), "CHORALES": str(corpora["chorales"]), "UNSPLIT": str(unsplit)}
    result = musegen("evaluate", trained("lstm"), *[names.get(each, each) for each in arguments])
    assert message in str(result.exception)


def test_no_torch_is_loaded(program, trained):
    for name in ("vae", "minibach"):
        assert "torch" not in loaded(program, "evaluate", str(trained(name)), "--json")


def test_training_ends_with_it(musegen, corpora, tmp_path):
    values = [f"--set={key}={value}" for key, value in SETTINGS["lstm"].items()]
    out = tmp_path / "m.safetensors"
    result = musegen("train", "lstm", corpora["tunes"], "-o", out, "--epochs", "1", "--seed", "1", "--evaluate",
                     "--precision", "float32", "--json", *values)  # fmt: skip
    assert result.exit_code == 0, result.exception
    model = load_checkpoint(out)
    figures = evaluate(model, ROLLS["tunes"][10:]).summary()
    assert model.card["test"] == figures == json.loads(result.stdout)["test"]
    assert result.stderr.splitlines()[-1].startswith(f"test: {figures['nats_per_note']:.4f} nats per note")
    assert f"nats_per_note {figures['nats_per_note']:.4f}" in musegen("models", out).stdout


def test_training_does_not_begin_without_pieces_to_end_with(musegen, tmp_path):
    corpus = write_corpus(tmp_path / "c", ROLLS["tunes"][:2], ("train", "validation"))
    result = musegen("train", "lstm", corpus, "-o", tmp_path / "m", "--seed", "1", "--evaluate")
    assert "has no test pieces" in str(result.exception)
    assert not (tmp_path / "m").exists()

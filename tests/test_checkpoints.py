from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file

from musegen import checkpoints, composing, storage
from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Sampling


@pytest.fixture
def path(trained, tmp_path):
    return shutil.copy(trained("feedforward"), tmp_path / "toy.safetensors")


@pytest.fixture
def own(monkeypatch, tmp_path):
    """A folder for the user's own models."""
    monkeypatch.setenv("MUSEGEN_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "checkpoints").mkdir(parents=True)
    return tmp_path / "home" / "checkpoints"


def rewritten(path, change):
    """A file whose seal is right, though its header was changed."""
    stored = storage.load(path, "checkpoint")
    header = json.loads(json.dumps(stored.header))
    change(header)
    storage.save(path, "checkpoint", header, {n: a.copy() for n, a in stored.arrays.items()}, overwrite=True)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.9999])
def test_one_altered_bit_is_refused(path, share):
    data = bytearray(path.read_bytes())
    data[int(share * len(data))] ^= 4
    path.write_bytes(data)
    with pytest.raises(MusegenError, match=r"toy.safetensors (was altered|is not a musegen checkpoint|is cut)"):
        load_checkpoint(path)


def test_a_cut_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(MusegenError, match=r"is cut short"):
        load_checkpoint(path)


def test_a_newer_format_is_refused(path, monkeypatch):
    monkeypatch.setitem(storage.VERSIONS, "checkpoint", 99)
    rewritten(path, lambda header: None)
    monkeypatch.undo()
    with pytest.raises(MusegenError, match=r"format 99; this musegen reads up to \d+\. Update musegen"):
        load_checkpoint(path)


def test_a_corpus_is_no_checkpoint(corpora):
    with pytest.raises(MusegenError, match=r"is a corpus, not a checkpoint"):
        load_checkpoint(corpora["tunes"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.update(family="dice"), r"no model family is called 'dice'"),
        (lambda header: header["settings"].update(colour=3), r"there is no setting 'colour'"),
        (lambda header: header.pop("vocabulary"), r"not a model that this musegen knows.*Train it again"),
        (lambda header: header.update(plans=[[1, 2]]), r"not a model that this musegen knows"),
        (lambda header: header["vocabulary"].update(metres=["never"]), r"'never' is not a metre"),
        (lambda header: header.update(melodies=[["x", "4/4", None, 0, 1, 0]]), r"not a model that this musegen knows"),
    ],
    ids=["family", "setting", "vocabulary", "plans", "metre", "melodies"],
)
def test_a_header_that_makes_no_sense_is_named(path, change, message):
    rewritten(path, change)
    with pytest.raises(MusegenError, match=message):
        load_checkpoint(path)


def test_a_missing_model_is_named_with_those_at_hand(own, path):
    shutil.copy(path, own / "mine.safetensors")
    with pytest.raises(MusegenError, match=r"no model is called yours\. At hand: .*mine.*\. Or name a file"):
        load_checkpoint("yours")
    for gone in ("gone.safetensors", "nowhere/gone"):
        with pytest.raises(MusegenError, match=rf"{gone}: there is no such file"):
            load_checkpoint(gone)


def test_ones_own_models_go_by_name_and_hide_shipped_ones(own, path, monkeypatch, tmp_path):
    shipped = tmp_path / "shipped"
    shipped.mkdir()
    monkeypatch.setattr(checkpoints, "shipped", lambda kind: shipped)
    for folder, name in ((shipped, "both"), (shipped, "theirs"), (own, "both"), (own, "mine")):
        shutil.copy(path, folder / f"{name}.safetensors")
    assert checkpoints.available() == {
        "both": own / "both.safetensors",
        "mine": own / "mine.safetensors",
        "theirs": shipped / "theirs.safetensors",
    }
    assert load_checkpoint("both").path == own / "both.safetensors"
    assert load_checkpoint("theirs").name == "theirs"


def test_a_file_is_not_replaced_unless_asked(path):
    model = load_checkpoint(path)
    with pytest.raises(MusegenError, match=r"exists already"):
        model.save(path)
    model.save(path, overwrite=True)


def test_half_precision_halves_the_file_and_hardly_changes_the_hash_rule(path, tmp_path):
    model = load_checkpoint(path)
    model.save(tmp_path / "half", half=True)
    model.save(tmp_path / "same")
    half, same = load_checkpoint(tmp_path / "half"), load_checkpoint(tmp_path / "same")
    assert same.hash == model.hash != half.hash
    weights = sum(array.size for array in model.weights.values())
    assert path.stat().st_size - (tmp_path / "half").stat().st_size == pytest.approx(2 * weights, abs=4096)


def test_the_file_is_plain_data_for_any_safetensors_library(path):
    theirs = load_file(path)
    ours = load_checkpoint(path).weights
    assert theirs.keys() == ours.keys()
    assert all(np.array_equal(theirs[name], array) for name, array in ours.items())


def test_the_card_says_where_the_model_comes_from(path, corpora):
    from musegen.corpora import open_corpus

    card = checkpoints.read_card(path)["card"]
    corpus = open_corpus(corpora["chorales"])
    assert card["corpus"] == {"name": str(corpora["chorales"]), "hash": corpus.hash, "pieces": 8}
    assert card["rights"] == {"source": "toys", "licence": "our own"}
    assert card["seed"] == 1
    assert card["train"] > 0 and card["validation"] > 0
    assert {"musegen", "python", "torch", "numpy"} <= card["versions"].keys()
    assert card["parameters"] == sum(array.size for array in load_checkpoint(path).weights.values())


def test_melodies_of_a_model_that_needs_them_come_back(trained):
    from tests.toys import ROLLS

    model = load_checkpoint(trained("minibach"))
    held_out = [ROLLS["chorales"][i] for i in (8, 9)]
    assert len(model.melodies) == 2
    for melody, roll in zip(model.melodies, held_out, strict=True):
        assert np.array_equal(melody.symbols[:, 0], roll.symbols[:, 0])
        assert (melody.symbols[:, 1:] == 128).all(), "the answer does not travel along"
        assert (melody.metres, melody.pickup, melody.keys, melody.title) == (
            roll.metres, roll.pickup, roll.keys, roll.title,
        )  # fmt: skip


def test_a_model_whose_held_out_melodies_have_no_plain_frame_says_so(trained):
    model = replace(load_checkpoint(trained("minibach")), melodies=())
    with pytest.raises(MusegenError, match=r"melod"):
        list(composing.sample(model, Sampling(1), [1], composing.Wishes()))


@pytest.mark.parametrize("use", ["composer", "network"])
def test_weights_of_another_version_end_in_one_line(path, use):
    model = load_checkpoint(path)
    fewer = replace(model, weights=dict(list(model.weights.items())[1:]))
    with pytest.raises(MusegenError, match="another version"):
        getattr(fewer, use)()

from __future__ import annotations

import json

import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from tests.toys import SETTINGS


@pytest.fixture
def options():
    def make(name):
        return [f"--set={key}={value}" for key, value in SETTINGS[name].items()] + ["--precision", "float32"]

    return make


def test_a_model_is_trained_and_used(musegen, corpora, options, tmp_path):
    out, log = tmp_path / "model.safetensors", tmp_path / "log.jsonl"
    result = musegen("train", "lstm", corpora["tunes"], "-o", out, "--epochs", "2", "--seed", "5", "--log", log,
                     "--json", *options("lstm"))  # fmt: skip
    assert result.exit_code == 0, result.exception
    facts = json.loads(result.stdout)
    assert (facts["path"], facts["seed"], facts["corpus"]["pieces"]) == (str(out), 5, 8)
    said = result.stderr.splitlines()
    assert said[0].startswith(f"lstm on {corpora['tunes']}: 8 pieces") and "seed 5" in said[0]
    assert said[1].startswith("epoch 1: train ") and "held-out" in said[1] and "nats per note" in said[1]
    assert "left" in said[1] and "notes/s" in said[1]
    assert said[-1].startswith("best: ")
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["start", "epoch", "epoch", "end"]
    model = load_checkpoint(out)
    assert model.settings.hidden == 16 and model.settings.layers == 2
    assert musegen("sample", out, "-o", tmp_path / "a.mid", "--seed", "1").exit_code == 0


def test_quiet_says_nothing(musegen, corpora, options, tmp_path):
    result = musegen("train", "minibach", corpora["chorales"], "-o", tmp_path / "m", "--epochs", "1", "--seed", "1",
                     "--quiet", *options("minibach"))  # fmt: skip
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert load_checkpoint(tmp_path / "m").melodies


def test_going_on_from_a_model_takes_its_shape(musegen, corpora, trained, tmp_path):
    base = trained("vae", "tunes")
    result = musegen("train", "vae", corpora["tunes"], "-o", tmp_path / "m", "--epochs", "1", "--from", base)
    assert result.exit_code == 0, result.exception
    model = load_checkpoint(tmp_path / "m")
    assert (model.settings.hidden, model.settings.encoder, model.settings.batch) == (16, 8, 8)
    assert model.card["from"] == "tunes-vae"
    result = musegen("train", "lstm", corpora["tunes"], "-o", tmp_path / "n", "--from", base)
    assert "is a model of the family vae, not lstm" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lsmt", "tunes"], "no model family is called 'lsmt'. Did you mean lstm?"),
        (["lstm", "nowhere"], "there is no corpus called nowhere"),
        (["minibach", "tunes"], "minibach adds voices to a melody"),
        (["lstm", "tunes", "--set", "hiden=3"], "there is no setting 'hiden'"),
        (["lstm", "tunes", "--set", "hidden=x"], "hidden = 'x' is not a whole number"),
        (["lstm", "tunes", "--from", "gone"], "no model is called gone"),
        (["lstm", "chorales", "--from", "TUNES"], "writes 1 voices at 12 steps per quarter"),
    ],
)
def test_what_cannot_be_trained_is_one_line_before_torch_loads(program, corpora, trained, tmp_path, arguments, message):
    names = {name: str(path) for name, path in corpora.items()} | {"TUNES": str(trained("lstm", "tunes"))}
    arguments = [names.get(each, each) for each in arguments]
    modules = "import sys, atexit; atexit.register(lambda: print(int('torch' in sys.modules)));"
    code = f"{modules} from musegen.__main__ import main; main()"
    result = program("train", *arguments, "-o", tmp_path / "m", "--seed", "1", code=code)
    assert result.returncode == 1
    (line,) = result.stderr.decode().splitlines()
    assert line.startswith("musegen: ") and message in line
    assert result.stdout == b"0\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--epochs", "3", "--minutes", "3", "-o", "m"],
        ["--set", "hidden", "-o", "m"],
        ["--epochs", "0", "-o", "m"],
        ["--minutes", "0", "-o", "m"],
        ["--minutes", "nan", "-o", "m"],
        ["--device", "abacus", "-o", "m"],
        ["-o", "-"],
        ["-o", "folder/"],
        [],
    ],
    ids=" ".join,
)
def test_misuse(musegen, monkeypatch, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    result = musegen("train", "lstm", "bach", *arguments)
    assert result.exit_code == 2, result.exception
    assert not list(tmp_path.iterdir())


def test_what_exists_is_refused_before_anything_is_read(musegen, tmp_path):
    (tmp_path / "m").write_bytes(b"mine")
    result = musegen("train", "lstm", "nowhere", "-o", tmp_path / "m")
    assert isinstance(result.exception, MusegenError)
    assert "exists already" in str(result.exception)
    result = musegen("train", "lstm", "nowhere", "-o", tmp_path / "gone" / "m")
    assert "there is no folder" in str(result.exception)

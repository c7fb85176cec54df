from __future__ import annotations

import json
import shutil

import pytest

from musegen.checkpoints import load_checkpoint
from musegen.models import FAMILIES, family
from tests.cli.test_program import loaded


@pytest.fixture
def home(monkeypatch, tmp_path, trained):
    folder = tmp_path / "home" / "checkpoints"
    folder.mkdir(parents=True)
    shutil.copy(trained("vae", "tunes"), folder / "mine.safetensors")
    monkeypatch.setenv("MUSEGEN_HOME", str(folder.parent))
    return folder


def test_families_and_models_are_listed(musegen, home):
    result = musegen("models")
    assert result.exit_code == 0
    first = [line.split()[0] for line in result.stdout.splitlines() if line]
    assert first[1 : 1 + len(FAMILIES)] == list(FAMILIES)
    (mine,) = [line for line in result.stdout.splitlines() if line.startswith("mine ")]
    assert mine.split()[1] == "vae"


def test_the_list_as_json(musegen, home):
    lines = [json.loads(line) for line in musegen("models", "--json").stdout.splitlines()]
    assert [line["family"] for line in lines[: len(FAMILIES)]] == list(FAMILIES)
    (mine,) = [line for line in lines if line.get("name") == "mine"]
    model = load_checkpoint("mine")
    assert mine["family"] == "vae" and mine["path"] == str(home / "mine.safetensors")
    assert mine["validation"] == model.card["validation"]


def test_a_broken_model_does_not_hide_the_others(musegen, home):
    (home / "broken.safetensors").write_bytes(b"nothing")
    result = musegen("models")
    assert result.exit_code == 0
    assert "broken: " in result.stderr and "mine" in result.stdout


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_shows_its_settings(musegen, name):
    text = musegen("models", name).stdout
    kind = family(name)
    assert kind.title in text and kind.paper in text
    data = json.loads(musegen("models", name, "--json").stdout)
    assert data["family"] == name
    assert kind.settings.of(data["settings"]) == kind.settings()
    assert all(setting in text for setting in data["settings"])


def test_one_models_card(musegen, home):
    model = load_checkpoint("mine")
    facts = json.loads(musegen("models", "mine", "--json").stdout)
    assert (facts["family"], facts["voices"], facts["steps_per_quarter"]) == ("vae", 1, 12)
    assert facts["hash"] == model.hash and facts["settings"]["hidden"] == 16
    assert facts["corpus"]["pieces"] == 8
    text = musegen("models", home / "mine.safetensors").stdout
    for word in ("vae", model.hash, f"{model.card['validation']:.4f}", "6/8", "toys"):
        assert word in text


def test_a_name_that_is_neither_is_refused(musegen, home):
    assert "no model is called lsmt. At hand: " in str(musegen("models", "lsmt").exception)


def test_it_loads_no_torch(program, home):
    for arguments in (["models"], ["models", "vae"], ["models", "mine"]):
        assert "torch" not in loaded(program, *arguments, MUSEGEN_HOME=str(home.parent))

from __future__ import annotations

import json

import pytest

from musegen.checkpoints import load_checkpoint
from musegen.evaluation.latent import plane
from tests.toys import ROLLS


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_map_is_drawn_and_correlations_are_printed(musegen, trained, tmp_path, suffix):
    out = tmp_path / f"map.{suffix}"
    result = musegen("explore", trained("vae", "tunes"), "-o", out)
    assert result.exit_code == 0, result.exception
    assert out.read_bytes().startswith(b"\x89PNG" if suffix == "png" else b"<?xml")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["z1", "z2", "together", "measure"]
    names = ["pitch", "range", "note length", "note density", "leap", "mode", "tonic", "metre"]
    assert all(line.startswith(name) for line, name in zip(lines[1:], names, strict=False))
    assert [line.split()[-1] for line in lines[1:9]] == ["r"] * 6 + ["R", "eta"]
    assert lines[9].endswith("of 2 dimensions in use")


def test_the_figures_are_the_planes(musegen, trained, corpora, tmp_path):
    path, corpus = trained("vae"), corpora["chorales"]
    out = tmp_path / "map.svg"
    result = musegen("explore", path, "--corpus", corpus, "-o", out, "--split", "train", "--json")
    facts = json.loads(result.stdout)
    points = plane(load_checkpoint(path), ROLLS["chorales"][:8])
    assert (facts["pieces"], facts["active"], facts["path"]) == (8, points.active, str(out))
    found = points.associations()
    assert len(found) == 8 == len(facts["correlations"])
    for each in found:
        assert facts["correlations"][each.name] == pytest.approx(each.axes, abs=1e-3)
        assert facts["together"].get(each.name) == (each.plane and pytest.approx(each.plane, abs=1e-3))
        assert facts["measures"][each.name] == each.measure


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "tunes"], "reads 4 voices at 4 steps per quarter"),
        (["--corpus", "nowhere"], "there is no corpus called nowhere"),
    ],
)
def test_what_cannot_be_mapped_is_refused(musegen, trained, corpora, tmp_path, arguments, message):
    arguments = [str(corpora.get(each, each)) for each in arguments]
    result = musegen("explore", trained("vae"), "-o", tmp_path / "map.png", *arguments)
    assert message in str(result.exception)
    assert not (tmp_path / "map.png").exists()


def test_other_families_and_other_pictures_are_refused(musegen, trained, tmp_path):
    result = musegen("explore", trained("lstm"), "-o", tmp_path / "map.png")
    assert "has no latent space" in str(result.exception)
    result = musegen("explore", trained("vae"), "-o", tmp_path / "map.bmp")
    assert ".png" in str(result.exception)
    assert not list(tmp_path.iterdir())

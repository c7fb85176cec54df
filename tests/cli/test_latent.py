from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.cli.latent import Latent, Point, point
from musegen.errors import MusegenError
from musegen.formats import read
from musegen.models.base import Sampling
from musegen.models.vae.directions import Direction, known_directions


@pytest.fixture
def path(trained):
    return trained("vae", "tunes")


@pytest.fixture
def model(path):
    return load_checkpoint(path)


def known(model, **correlations):
    """The model, knowing these attributes only."""
    found = {name: Direction((0.5, -1.0), 1.0, 1.0, r).to_json() for name, r in correlations.items()}
    return replace(model, card={**model.card, "attributes": found})


def test_a_point_is_written_as_it_is_read():
    assert point("0.5,-1, 2e-3") == Point((0.5, -1.0, 0.002))
    assert point(str(point("0.1,-1"))) == point("0.1,-1")


def test_nothing_asked_changes_nothing(model, trained):
    how = Sampling(3)
    assert Latent().sampling(model, how) is how
    assert Latent().sampling(load_checkpoint(trained("lstm")), how) is how


def test_codes_and_wishes_become_a_way_of_sampling(model):
    taught = known(model, leap=0.9, pitch=0.8)
    found = Latent((1.0, 2.0), (("leap", 1.5), ("pitch", -1))).sampling(taught, Sampling(3))
    assert (found.code, found.toward) == ((1.0, 2.0), (0.25, -0.5))
    assert hash(found) == hash(replace(found))
    assert Latent(wishes=(("leap", 2),)).sampling(taught, Sampling(3)).code is None


def test_the_same_code_gives_pieces_that_differ_by_their_random_numbers(musegen, path, tmp_path):
    def pieces(*arguments):
        out = tmp_path / "x.abc"
        result = musegen("sample", path, "-n", "3", "--seed", "2", "-o", out, "--overwrite", *arguments)
        assert result.exit_code == 0, result.exception
        return [[note.pitch for note in score.voices[0].notes] for score in read(out).scores]

    given, again, drawn = pieces("--latent", "-0.5,1"), pieces("--latent=-0.5,1"), pieces()
    assert given == again != drawn
    assert given[0] != given[1]


def test_more_and_less_move_the_code(musegen, path, model, tmp_path):
    directions = known_directions(model.card)
    toward = 1.5 * np.array(directions["note density"].toward) - 0.5 * np.array(directions["pitch"].toward)
    code = np.array([0.2, 0.1]) + toward
    asked = ["--latent", "0.2,0.1", "--more", "Note-density", "1.5", "--less", "pitch", "0.5"]
    musegen("sample", path, "--seed", "2", "-o", tmp_path / "a.mid", *asked)
    musegen("sample", path, "--seed", "2", "-o", tmp_path / "b.mid", "--latent", ",".join(map(repr, code.tolist())))
    one, other = (read(tmp_path / name).scores[0].voices[0].notes for name in ("a.mid", "b.mid"))
    assert one == other


def test_it_is_said_where_the_latent_space_hardly_knows(model, capsys):
    taught = known(model, leap=0.2, pitch=0.9)
    Latent(wishes=(("leap", -1.5), ("pitch", 1.0))).sampling(taught, Sampling(1))
    (line,) = capsys.readouterr().err.splitlines()
    assert "leap" in line and "R = 0.20" in line and "of -1.5 standard deviations, -0.60" in line


@pytest.mark.parametrize(
    ("latent", "message"),
    [
        (Latent((1.0,)), r"a code of tunes-vae has 2 numbers, not 1\. Write it such as --latent 0\.5,0\.5"),
        (Latent((1.0, 2.0, 3.0)), r"has 2 numbers, not 3"),
        (Latent(wishes=(("beauty", 1.0),)), r"no direction for 'beauty'\. Choose from: pitch, range, note length"),
    ],
)
def test_what_does_not_fit_is_one_line(model, latent, message):
    with pytest.raises(MusegenError, match=message):
        latent.sampling(model, Sampling(1))


def test_older_models_and_other_families_are_told_apart(model, trained):
    card = {name: value for name, value in model.card.items() if name != "attributes"}
    older = replace(model, card=card)
    with pytest.raises(MusegenError, match=r"trained before attributes had directions\. Train it anew"):
        Latent(wishes=(("leap", 1.0),)).sampling(older, Sampling(1))
    assert Latent((1.0, 2.0)).sampling(older, Sampling(1)).code == (1.0, 2.0)
    with pytest.raises(MusegenError, match="family lstm, which has no latent space"):
        Latent((1.0, 2.0)).sampling(load_checkpoint(trained("lstm")), Sampling(1))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--latent", "a,b"],
        ["--latent", ""],
        ["--latent", "nan,1"],
        ["--latent", "1e9,1"],
        ["--more", "leap"],
        ["--more", "leap", "-1"],
        ["--less", "leap", "much"],
    ],
)
def test_misuse_is_named(musegen, path, tmp_path, arguments):
    result = musegen("sample", path, "--seed", "1", "-o", tmp_path / "a.mid", *arguments)
    assert result.exit_code == 2, result.exception
    assert not (tmp_path / "a.mid").exists()


def test_what_was_asked_travels_with_the_piece(musegen, path, tmp_path):
    out = tmp_path / "a.mid"
    musegen("sample", path, "--seed", "2", "-o", out, "--latent", "-0.5,1", "--more", "leap", "0.5")
    result = musegen("replay", out, "--model", path)
    assert result.exit_code == 0, result.exception
    from musegen.formats.midi import provenance

    told = json.loads(provenance(out.read_bytes()))
    assert told["arguments"]["latent"] == "-0.5,1.0"
    assert told["arguments"]["more"] == [["leap", 0.5]]

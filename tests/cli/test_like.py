from __future__ import annotations

import json

import pytest

from musegen.errors import MusegenError
from musegen.formats import read, write
from musegen.imposing import EFFORT
from musegen.representation.grid import decode
from tests.toys import ROLLS


@pytest.fixture
def tunes(trained, monkeypatch):
    monkeypatch.setattr("musegen.annealing.SAMPLES", 4)
    return trained("lstm", "tunes")


@pytest.fixture
def piece(tmp_path):
    path = tmp_path / "plan.mid"
    path.write_bytes(write([decode(ROLLS["tunes"][2])], ".mid"))
    return path


def test_a_piece_takes_the_plan_of_another_and_says_how_well_it_held(musegen, tunes, piece, tmp_path):
    out = tmp_path / "a.mid"
    result = musegen("sample", tunes, "--like", piece, "--effort", "16", "--seed", "3", "-o", out, "--json")
    assert result.exit_code == 0, result.exception
    plan, new = read(piece).scores[0], read(out).scores[0]
    assert new.metres == plan.metres and new.pickup == plan.pickup and new.keys == plan.keys
    assert [bar.metre for bar in new.bars()] == [bar.metre for bar in plan.bars()]
    told = json.loads(result.stdout)
    assert told["like"]["result"].keys() == {"similarity", "key", "metre"} == told["like"]["unguided"].keys()
    assert 0 <= told["like"]["copied"] <= 1 and told["like"]["accepted"] >= 0
    for words in ("this piece", "plain samples, mean", "which bars are alike", "key profile", "nats per note"):
        assert words in result.stderr
    line = next(line for line in result.stderr.splitlines() if line.startswith("key profile"))
    assert f"{told['like']['result']['key']:.3f}" in line
    plain = musegen("sample", tunes, "--like", piece, "--effort", "16", "--seed", "3", "-o", tmp_path / "c.mid")
    assert line in plain.stderr and plain.stdout == ""
    again = tmp_path / "b.mid"
    quiet = musegen("sample", tunes, "--like", piece, "--effort", "16", "--seed", "3", "-o", again, "--quiet")
    assert quiet.stderr == "" and again.read_bytes() == out.read_bytes()


def test_pieces_of_a_series_are_those_made_one_by_one(musegen, tunes, piece, tmp_path):
    asked = ["sample", tunes, "--like", piece, "--effort", "8", "--seed", "3", "--key", "A minor"]
    assert musegen(*asked, "-n", "2", "-o", f"{tmp_path}/all/").exit_code == 0
    assert musegen(*asked, "--start", "2", "-o", f"{tmp_path}/second/").exit_code == 0
    names = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert len(names) == 2
    one, other = (read(tmp_path / folder / names[1]).scores[0] for folder in ("all", "second"))
    assert one.voices == other.voices and str(one.keys[0][1]) == "A minor"


def test_a_plan_from_stdin(musegen, tunes, piece, tmp_path):
    asked = ["--effort", "0", "--seed", "3", "-o"]
    assert musegen("sample", tunes, "--like", piece, *asked, tmp_path / "a.mid").exit_code == 0
    data = piece.read_bytes()
    assert musegen("sample", tunes, "--like", "-", *asked, tmp_path / "b.mid", stdin=data).exit_code == 0
    assert read(tmp_path / "a.mid").scores == read(tmp_path / "b.mid").scores


def test_it_can_be_replayed_without_the_plan_at_hand(musegen, tunes, piece, tmp_path):
    out, again = tmp_path / "a.mid", tmp_path / "again.mid"
    assert musegen("sample", tunes, "--like", piece, "--effort", "8", "--seed", "3", "-o", out).exit_code == 0
    piece.unlink()
    result = musegen("replay", out, "--model", tunes, "-o", again)
    assert result.exit_code == 0, result.exception
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--like", "PIECE", "--bars", "4"], "leave out --bars"),
        (["--like", "PIECE", "--metre", "4/4"], "leave out --metre"),
        (["--effort", "4"], "--effort is for --like"),
        (["--like", "gone.mid"], "gone.mid"),
        (["--like", "PIECE", "--effort", "-1"], "--effort"),
    ],
)
def test_misuse_is_named(musegen, piece, tmp_path, arguments, words):
    arguments = [str(piece) if each == "PIECE" else each for each in arguments]
    result = musegen("sample", "x", "-o", tmp_path / "a.mid", *arguments)
    assert result.exit_code == 2 and words in result.stderr and not (tmp_path / "a.mid").exists()


def test_a_plan_that_is_no_music_leaves_nothing_behind(musegen, tunes, tmp_path):
    (tmp_path / "plan.mid").write_bytes(b"MThd")
    result = musegen("sample", tunes, "--like", tmp_path / "plan.mid", "--seed", "1", "-o", tmp_path / "a.mid")
    assert isinstance(result.exception, MusegenError)
    assert not (tmp_path / "a.mid").exists()


def test_the_help_names_the_usual_effort(musegen):
    assert f"[default: {EFFORT}]" in " ".join(musegen("sample", "--help").stdout.split())

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from musegen.corpora import open_corpus
from musegen.evaluation.comparison import Row
from musegen.evaluation.originality import Index, own_rates
from musegen.evaluation.statistics import spread, table
from musegen.formats import write
from musegen.representation.grid import decode
from musegen.representation.roll import HOLD, Roll
from musegen.representation.transposition import transposed
from tests import toys


@pytest.fixture(scope="module")
def tunes(tmp_path_factory):
    """A corpus of 34 melodies: 20 for training, none for validation, 14 held out."""
    rolls = [toys.tune(number) for number in range(34)]
    path = tmp_path_factory.mktemp("tunes") / "tunes.safetensors"
    return toys.write_corpus(path, rolls, ["train"] * 20 + ["test"] * 14)


def put(folder, name, *rolls):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(write([decode(roll) for roll in rolls], path.suffix))
    return path


@pytest.fixture
def pieces(tmp_path):
    """A folder of a dozen melodies, three to a file, in two formats, and one that has four voices."""
    folder = tmp_path / "pieces"
    new = [toys.tune(number) for number in range(100, 112)]
    for first in range(0, 9, 3):
        put(folder, f"book{first}.abc", *new[first : first + 3])
    for number in range(9, 12):
        put(folder, f"single{number}.musicxml", new[number])
    put(folder, "chorale.mid", toys.chorale(0))
    return folder


def test_the_table_has_both_sides_and_the_range(musegen, tunes, pieces):
    result = musegen("compare", pieces, "--corpus", tunes)
    assert result.exit_code == 0, result.exception
    lines = result.stdout.splitlines()
    assert lines[0] == f"12 pieces against the 14 test pieces of {tunes}"
    assert lines[2].split() == ["pieces", "corpus", "95", "%", "from", "to", "outside"]
    corpus = open_corpus(tunes)
    real = [corpus.roll(number) for number in corpus.split("test")]
    expected, halves = table(real), spread(real)
    for label in ("melody: steps", "pitch range"):
        line = next(line for line in lines if line.strip().startswith(f"{label} "))
        figures = line.removeprefix(f"  {label}").split()
        assert figures[1:4] == [f"{v:.3f}" for v in (expected[label], halves[label].low, halves[label].high)]
    assert "left out chorale.mid: 4 voices, 1 wanted" in result.stderr
    assert any(line.startswith("two-sample test: AUC ") for line in lines)
    assert "MGEVAL, PIECE BY PIECE" in result.stdout


def test_the_same_as_one_object(musegen, tunes, pieces):
    result = musegen("compare", pieces, "--corpus", tunes, "--json", "--quiet")
    assert result.stderr == ""
    facts = json.loads(result.stdout)
    assert (facts["pieces"], facts["held_out"], facts["split"], facts["plot"]) == (12, 14, "test", None)
    assert facts["refused"] == [{"piece": "chorale.mid", "why": "4 voices, 1 wanted"}]
    assert set(facts["copied"]) >= {"book0.abc#1", "book6.abc#3", "single9.musicxml"}
    new = [toys.tune(number) for number in range(100, 112)]
    for label, value in table(new).items():
        row = facts["statistics"][label]
        assert row["pieces"] == pytest.approx(value), label
        outside = not row["low"] - 1e-6 < value < row["high"] + 1e-6
        assert bool(row["outside"]) == outside, label
    assert len(facts["overlaps"]) == 9
    assert 0 <= facts["two_sample"]["auc"] <= 1
    corpus = open_corpus(tunes)
    train = corpus.split("train")
    index = Index.of([corpus.roll(i) for i in train], [corpus.ids[i] for i in train])
    assert facts["originality"]["corpus"]["inside"] == own_rates(corpus, index).inside


def test_a_copy_is_named_with_its_bars_and_its_source(musegen, tunes, tmp_path):
    source = transposed(toys.tune(4), 2)
    steps = np.full((4 * 48, 1), HOLD, np.uint8)
    steps[::48, 0] = [60, 61, 66, 60]  # four bars of whole notes that no tune has
    framed = Roll(np.concatenate([steps, source.symbols]), 12)
    passage = (source.symbols < 128).sum()
    put(tmp_path / "out", "stolen.mid", framed)
    result = musegen("compare", tmp_path / "out", "--corpus", tunes)
    line = next(line for line in result.stdout.splitlines() if "stolen.mid" in line)
    assert line.startswith("bars 5-")
    assert "of stolen.mid are bars 1-" in line
    assert line.endswith(f"of piece-4 in the corpus: {passage} notes")
    facts = json.loads(musegen("compare", tmp_path / "out", "--corpus", tunes, "--json").stdout)
    run = facts["copied"]["stolen.mid"]["voices"][0]["longest"]
    assert (run["piece"], run["notes"], run["bars"][0], run["piece_bars"][0]) == ("piece-4", passage, 5, 1)
    assert facts["originality"]["pieces"]["top_inside"] == pytest.approx(passage / (passage + 4))


def test_voices_are_named_where_there_are_several(musegen, corpora, tmp_path):
    piece = put(tmp_path, "copy.musicxml", toys.chorale(5))
    result = musegen("compare", piece, "--corpus", corpora["chorales"])
    line = next(line for line in result.stdout.splitlines() if line.startswith("bars") and "copy" in line)
    assert ", voice " in line
    assert "of piece-5, voice " in line
    assert "  the same, all voices" in result.stdout


def test_few_pieces_say_what_cannot_be_said_of_them(musegen, corpora, tmp_path):
    piece = put(tmp_path, "one.mid", toys.tune(50))
    result = musegen("compare", piece, "--corpus", corpora["tunes"])
    assert result.exit_code == 0
    missing = [line for line in result.stdout.splitlines() if line.startswith("no ")]
    assert [line.split(":")[0] for line in missing] == [
        "no spread of the held-out pieces",
        "no overlapping areas",
        "no two-sample test",
    ]
    facts = json.loads(musegen("compare", piece, "--corpus", corpora["tunes"], "--json").stdout)
    assert facts["two_sample"] is None
    assert facts["overlaps"] == {}
    assert len(facts["remarks"]) == 3


def test_few_pieces_stray_farther_than_many(musegen, tunes, tmp_path):
    piece = put(tmp_path, "one.mid", toys.tune(50))
    assert "1 stray 3.7 times as far by chance" in musegen("compare", piece, "--corpus", tunes).stdout


def test_the_first_bars_alone(musegen, tunes, pieces):
    facts = json.loads(musegen("compare", pieces, "--corpus", tunes, "--json", "--bars", "2").stdout)
    new = [toys.tune(number) for number in range(100, 112)]
    assert facts["statistics"]["note count"]["pieces"] == table(new, 2)["note count"]
    result = musegen("compare", pieces, "--corpus", tunes, "--bars", "50")
    assert "none of the pieces has 50 bars" in str(result.exception)


def test_a_picture(musegen, tunes, pieces, tmp_path):
    picture = tmp_path / "comparison.png"
    assert musegen("compare", pieces, "--corpus", tunes, "--plot", picture, "-q").exit_code == 0
    drawn = picture.read_bytes()
    assert drawn.startswith(b"\x89PNG")
    again = musegen("compare", pieces, "--corpus", tunes, "--plot", picture)
    assert "exists" in str(again.exception)
    assert picture.read_bytes() == drawn


def test_a_picture_of_one_piece_beside_two(musegen, corpora, tmp_path):
    piece = put(tmp_path, "one.mid", toys.tune(50))
    picture = tmp_path / "one.svg"
    picture.write_text("old")
    result = musegen("compare", piece, "--corpus", corpora["tunes"], "--plot", picture, "--overwrite", "--bars", "2")
    assert result.exit_code == 0, result.exception
    assert picture.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chorale.mid", "--corpus", "TUNES"], "no piece fits 1 voice at 12 steps per quarter: chorale.mid: 4 voices"),
        (["chorale.mid", "--corpus", "nowhere"], "there is no corpus called nowhere"),
        (["chorale.mid", "--corpus", "TUNES", "--split", "validation"], "no piece fits"),
        (["single9.musicxml", "--corpus", "TUNES", "--split", "validation"], "has no validation pieces"),
        (["single9.musicxml", "--corpus", "TUNES", "--plot", "a.bmp"], "no picture has the suffix '.bmp'"),
        ([".", "--corpus", "TUNES", "--plot", "no/such/folder/a.png"], "no/such/folder"),
        (["empty", "--corpus", "TUNES"], "no music in empty"),
        (["broken.mid", "--corpus", "TUNES"], "no piece fits 1 voice at 12 steps per quarter: broken.mid: "),
    ],
)
def test_what_cannot_be_compared_is_refused(musegen, tunes, pieces, monkeypatch, arguments, message):
    monkeypatch.chdir(pieces)
    (pieces / "empty").mkdir()
    (pieces / "broken.mid").write_bytes(b"MThd")
    result = musegen("compare", *(str(tunes) if each == "TUNES" else each for each in arguments))
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [["gone.mid", "--corpus", "bach"], ["--corpus", "bach"], ["."], [".", "--corpus", "bach", "--bars", "0"]],
    ids=" ".join,
)
def test_misuse(musegen, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    result = musegen("compare", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_torch_is_not_loaded(program, tunes, tmp_path):
    piece = put(tmp_path, "one.mid", toys.tune(50))
    code = (
        "import sys; from musegen.__main__ import run; "
        f"code = run(['compare', {str(piece)!r}, '--corpus', {str(tunes)!r}, '--json']); "
        "sys.exit(9 if 'torch' in sys.modules else code)"
    )
    assert program(code=code).returncode == 0


def test_what_lies_outside_is_marked():
    row = Row("share", 0.5, 0.4, 0.3, 0.5 - 1e-12)
    assert [row.mark, replace(row, pieces=0.6).mark, replace(row, pieces=0.2).mark] == ["", "above", "below"]
    assert [replace(row, pieces=None).mark, replace(row, low=None, high=None).mark] == ["", ""]

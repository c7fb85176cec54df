import hashlib
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from musegen.corpora import BY_PIECE, available, open_corpus
from musegen.corpora.corpus import ranges_of
from musegen.corpora.grouping import SPLITS, melody_by_note
from musegen.errors import MusegenError
from musegen.representation.roll import HOLD, REST
from musegen.score import Key
from musegen.shipped import shipped


@pytest.fixture(scope="module")
def bach():
    return open_corpus("bach")


@pytest.fixture(scope="module")
def celtic():
    return open_corpus("celtic")


def test_both_are_at_hand():
    assert available()[:2] == ("bach", "celtic")


def test_bach_is_as_measured(bach):
    rolls = [bach.roll(index) for index in range(len(bach))]
    assert len(bach) == 386 and bach.voices == 4 and bach.steps_per_quarter == 4
    assert sum(roll.steps for roll in rolls) == pytest.approx(84_928, rel=0.01)
    assert sum(int((roll.symbols < REST).sum()) for roll in rolls) == pytest.approx(90_573, rel=0.01)
    assert sum(bool(roll.fermatas) for roll in rolls) == 384
    assert {roll.names for roll in rolls} == {("Soprano", "Alto", "Tenor", "Bass")}
    assert Counter(bach.info(index).metre for index in range(386)) == {"4/4": 344, "3/4": 41, "3/2": 1}
    assert ranges_of(rolls, 4) == ((57, 81), (53, 74), (48, 69), (36, 64))
    assert bach.ranges == ranges_of([bach.roll(index) for index in bach.split("train")], 4)


def test_celtic_is_as_measured(celtic):
    infos = [celtic.info(index) for index in range(len(celtic))]
    assert len(celtic) == pytest.approx(2760, rel=0.01) and celtic.voices == 1 and celtic.steps_per_quarter == 12
    metres = Counter(info.metre for info in infos)
    for metre, count in {"6/8": 800, "2/2": 786, "2/4": 602, "4/4": 268, "3/4": 193, "9/8": 100}.items():
        assert metres[metre] == pytest.approx(count, abs=8)
    kinds = Counter(info.kind for info in infos)
    assert kinds["reel"] > 700 and kinds["hornpipe"] > 400 and kinds["double jig"] > 380 and kinds["air"] > 500
    assert kinds[""] < 10


def test_a_chorale_stands_as_in_every_hymn_book(bach):
    """BWV 1.6, Wie schön leuchtet der Morgenstern, F major, a quarter of pickup; two lines of its soprano."""
    index = bach.ids.index("bwv1.6")
    info = bach.info(index)
    assert (info.title, info.key, info.metre) == ("Wie schön leuchtet der Morgenstern", Key(-1), "4/4")
    roll = bach.roll(index)
    starts = np.flatnonzero(roll.symbols[:, 0] < REST)
    assert roll.pickup == 4
    assert roll.symbols[starts[:23], 0].tolist() == [
        65, 72, 69, 65, 72, 74, 74, 72, 72, 74, 76, 77, 76, 74, 74, 72, 69, 74, 72, 70, 69, 67, 65,
    ]  # fmt: skip
    assert np.diff(starts[:23]).tolist() == [4] * 21 + [8]


def test_a_tune_stands_as_in_the_book(celtic):
    """O'Neill 1, The Enchanted Valley, G minor: `G3-A (Bcd=e) | f4`, in sixteenths."""
    index = celtic.ids.index("oneill-0001")
    info = celtic.info(index)
    assert (info.title, info.kind, info.metre, str(info.key)) == ("The Enchanted Valley", "air", "2/4", "G minor")
    roll = celtic.roll(index)
    onsets = np.flatnonzero(roll.symbols[:, 0] < REST)
    assert roll.symbols[onsets[:7], 0].tolist() == [67, 69, 70, 72, 74, 76, 77]
    assert np.diff(onsets[:8]).tolist() == [9, 3, 3, 3, 3, 3, 12]


@pytest.mark.parametrize("name", ["bach", "celtic"])
def test_every_piece_makes_sense(name, request):
    corpus = request.getfixturevalue(name)
    assert len(set(corpus.ids)) == len(corpus)
    for index in range(len(corpus)):
        roll = corpus.roll(index)
        assert roll.symbols.shape[1] == corpus.voices and roll.steps
        assert (roll.symbols < REST).any(axis=0).all()
        held = roll.symbols == HOLD
        assert not held[0].any() and not (held[1:] & (roll.symbols[:-1] == REST)).any()
        assert all(a < b for a, b in pairwise(step for step, _ in roll.metres))
        assert not roll.symbols.flags.writeable


@pytest.mark.parametrize("name", ["bach", "celtic"])
def test_splits_are_whole_and_nine_tenths_is_for_learning(name):
    for way in ("grouped", BY_PIECE):
        corpus = open_corpus(name, way)
        parts = [corpus.split(split) for split in SPLITS]
        assert sorted(index for part in parts for index in part) == list(range(len(corpus)))
        assert [len(part) / len(corpus) for part in parts] == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    assert open_corpus(name).hash != open_corpus(name, BY_PIECE).hash
    with pytest.raises(MusegenError, match=r"no split called 'dev'.*validation"):
        corpus.split("dev")


def test_no_held_out_melody_was_learnt(bach):
    learnt = [melody_by_note(bach.roll(index)) for index in bach.split("train")]
    for split in ("validation", "test"):
        for index in bach.split(split):
            mine = melody_by_note(bach.roll(index))
            assert all(len(np.intersect1d(mine, theirs)) < 0.15 * len(mine) for theirs in learnt), bach.ids[index]


def test_the_manifest_knows_the_files(bach):
    folder = shipped("corpora")
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, about in manifest["corpora"].items():
        assert hashlib.sha256((folder / f"{name}.jsonl").read_bytes()).hexdigest() == about["sha256"]
        notice = (folder / "NOTICE.md").read_text()
        assert f"{about['pieces']:,}" in notice
    assert not any(source.endswith(".krn") for source in manifest["sources"])
    assert len(manifest["sources"]) == 410 + 39 + 1059


def test_no_mail_address_is_shipped():
    for name in ("bach", "celtic"):
        assert "@" not in (shipped("corpora") / f"{name}.jsonl").read_text()


def test_an_altered_file_is_refused(tmp_path, monkeypatch):
    for file in ("manifest.json", "splits.json", "bach.jsonl"):
        (tmp_path / file).write_bytes((shipped("corpora") / file).read_bytes())
    path = tmp_path / "bach.jsonl"
    path.write_bytes(path.read_bytes().replace(b"65:24", b"66:24", 1))
    monkeypatch.setattr("musegen.corpora.shipped.shipped", lambda kind: Path(tmp_path))
    with pytest.raises(MusegenError, match=r"bach\.jsonl is not as it was shipped"):
        open_corpus("bach")
    path.unlink()
    with pytest.raises(MusegenError, match=r"cannot read .*bach\.jsonl: no such file"):
        open_corpus("bach")
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(MusegenError, match=r"no corpus called bach.*At hand: none"):
        open_corpus("bach")

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from musegen.corpora import BY_PIECE, available, open_corpus
from musegen.corpora.encode import encode_files
from musegen.errors import MusegenError
from musegen.representation.roll import REST

SCALE = "CDEFGABc"


def abc(number, notes, metre="4/4", key="C"):
    return f"X:{number}\nT:Tune {number}\nM:{metre}\nL:1/8\nK:{key}\n{notes}\n"


def random_tune(seed, bars=8):
    letters = np.random.default_rng(seed).choice(list(SCALE), (bars, 8))
    return " | ".join("".join(bar) for bar in letters) + " |"


@pytest.fixture
def folder(tmp_path):
    """Twelve tunes in nine files and some trouble."""
    music = tmp_path / "music"
    (music / "inner").mkdir(parents=True)
    for seed in range(8):
        (music / f"tune{seed}.abc").write_text(abc(1, random_tune(seed)))
    book = "\n".join(abc(seed, random_tune(seed)) for seed in range(20, 24))
    (music / "inner" / "book.abc").write_text(book)
    (music / "broken.mid").write_bytes(b"MThd\0\0")
    (music / "empty.abc").write_bytes(b"")
    (music / ".hidden.abc").write_text(abc(1, random_tune(99)))
    (music / "notes.txt").write_text("not music")
    (music / "inner" / "loop").symlink_to(music)
    return music


def left_in(folder):
    return sorted(each.name for each in folder.iterdir())


def test_a_folder_is_encoded_and_told_about(folder, tmp_path):
    told = []
    report = encode_files([folder], tmp_path / "out", jobs=1, progress=lambda *done: told.append(done))
    assert (report.files, report.pieces, report.voices, report.steps_per_quarter) == (11, 12, 1, 4)
    assert [(file, what) for file, what, _ in report.refused] == [("broken.mid", ""), ("empty.abc", "")]
    assert all(why and str(tmp_path) not in why for _, _, why in report.refused)
    assert told == [(done, 11) for done in range(1, 12)]
    assert sum(report.splits.values()) == 12 and all(report.splits.values())
    assert left_in(tmp_path) == ["music", "out"]
    corpus = open_corpus(tmp_path / "out")
    assert sorted(corpus.ids) == [*(f"inner/book.abc#{n}" for n in range(1, 5)), *(f"tune{n}.abc" for n in range(8))]
    index = list(corpus.ids).index("tune3.abc")
    assert corpus.info(index).title == "Tune 1" and corpus.info(index).metre == "4/4"
    letters = random_tune(3).replace("|", "").replace(" ", "")
    pitches = dict(zip(SCALE, (60, 62, 64, 65, 67, 69, 71, 72), strict=True))
    roll = corpus.roll(index)
    assert roll.symbols[roll.symbols < REST].tolist() == [pitches[letter] for letter in letters]
    assert corpus.splits.count("train") == report.splits["train"] == len(corpus.split("train"))


def test_the_same_files_give_the_same_bytes(folder, tmp_path):
    encode_files([folder], tmp_path / "a", jobs=1)
    encode_files([folder], tmp_path / "b", jobs=2)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_transpositions_stay_together_and_copies_are_dropped(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    fifth_up = str.maketrans(dict(zip(SCALE, ("G", "A", "B", "c", "d", "e", "^f", "g"), strict=True)))
    for seed in range(10):
        (music / f"{seed}a.abc").write_text(abc(seed, random_tune(seed)))
        (music / f"{seed}b.abc").write_text(abc(100 + seed, random_tune(seed).translate(fifth_up)))
    shutil.copy(music / "3a.abc", music / "copy.abc")
    report = encode_files([music], tmp_path / "out", jobs=1)
    assert (report.pieces, report.groups) == (20, 10)
    assert report.notes == [("copy.abc", "", "dropped: the same notes as 3a.abc")]
    corpus = open_corpus(tmp_path / "out")
    splits = dict(zip(corpus.ids, corpus.splits, strict=True))
    assert all(splits[f"{seed}a.abc"] == splits[f"{seed}b.abc"] for seed in range(10))
    by_piece = open_corpus(tmp_path / "out", BY_PIECE)
    assert sorted(by_piece.splits) == sorted(splits.values())
    assert list(by_piece.splits) != list(corpus.splits)


def test_the_grid_is_the_coarsest_that_holds_the_music(tmp_path):
    (tmp_path / "triplets.abc").write_text(abc(1, "(3CDE (3FGA (3BAG c2 | z4 C4 |"))
    assert encode_files([tmp_path / "triplets.abc"], tmp_path / "a", jobs=1).steps_per_quarter == 6
    report = encode_files([tmp_path / "triplets.abc"], tmp_path / "b", steps_per_quarter=4, jobs=1)
    assert report.steps_per_quarter == 4
    assert [(file, what) for file, what, _ in report.notes] == [("triplets.abc", "")]
    assert "moved, by at most" in report.notes[0][2]


def test_pieces_with_other_voices_are_refused(tmp_path):
    two = "X:1\nT:Two\nM:4/4\nL:1/4\nK:C\nV:1\nCDEF|\nV:2\nC,D,E,F,|\n"
    (tmp_path / "two.abc").write_text(two)
    for seed in range(3):
        (tmp_path / f"{seed}.abc").write_text(abc(1, random_tune(seed)))
    report = encode_files([tmp_path], tmp_path / "out", jobs=1)
    assert (report.voices, report.pieces) == (1, 3)
    assert report.refused == [("two.abc", "", "2 voices, 1 wanted")]
    assert encode_files([tmp_path], tmp_path / "out2", voices=2, jobs=1).pieces == 1


def test_nothing_usable_is_an_error_with_the_commonest_reasons(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for number in range(3):
        (music / f"{number}.abc").write_bytes(b"")
    with pytest.raises(MusegenError, match=r"nothing in any of the 3 files can be used: is empty \(3\)\. Nothing was"):
        encode_files([music], tmp_path / "out", jobs=1)
    assert left_in(tmp_path) == ["music"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"paths": ["gone"]}, "there is no file or folder gone"),
        ({"paths": ["."]}, r"no music in \..*\.mid.*\.abc"),
        ({"out": "there"}, "there exists already"),
        ({"out": "no/out"}, "there is no folder"),
        ({"split": (0, 50, 50)}, "split"),
        ({"voices": 0}, "0 voices"),
        ({"steps_per_quarter": 1000}, "1000 steps per quarter is no grid"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("old")
    paths = [Path(each) for each in options.pop("paths", ["tune.abc"])]
    out = Path(options.pop("out", "out"))
    with pytest.raises(MusegenError, match=message):
        encode_files(paths, out, **options)
    assert left_in(tmp_path) == ["there"] and (tmp_path / "there").read_text() == "old"


def test_strict_gives_up_at_the_first_refusal(folder, tmp_path):
    with pytest.raises(MusegenError, match=r"broken\.mid: .*--strict"):
        encode_files([folder], tmp_path / "out", jobs=1, strict=True)
    assert left_in(tmp_path) == ["music"]


def test_an_interrupt_leaves_nothing_behind(folder, tmp_path):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_files([folder], tmp_path / "out", jobs=1, progress=interrupt)
    assert left_in(tmp_path) == ["music"]


def test_names_that_are_no_text_are_encoded(tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    name = os.fsdecode(b"caf\xe9.abc")
    try:
        (music / name).write_text(abc(1, random_tune(1)))
    except OSError:
        pytest.skip("this file system takes no such names")
    assert encode_files([music], tmp_path / "out", jobs=1).pieces == 1
    assert list(open_corpus(tmp_path / "out").ids) == ["caf\\xe9.abc"]


def test_an_encoded_corpus_is_found_by_name_and_a_folder_opens_like_one(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSEGEN_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "corpora").mkdir(parents=True)
    encode_files([folder], tmp_path / "home" / "corpora" / "mine.safetensors", jobs=1)
    assert available()[-1] == "mine"
    told = []
    mine, again = open_corpus("mine"), open_corpus(folder, tell=told.append)
    assert mine.hash == again.hash and mine.name == "mine" and len(told[0].refused) == 2
    assert again.ranges == mine.ranges == ((60, 72),)
    with pytest.raises(MusegenError, match=r"no corpus called yours.*At hand: .*mine"):
        open_corpus("yours")


def test_an_altered_corpus_is_refused(folder, tmp_path):
    encode_files([folder], tmp_path / "out", jobs=1)
    data = bytearray((tmp_path / "out").read_bytes())
    data[-5] ^= 4
    (tmp_path / "out").write_bytes(data)
    with pytest.raises(MusegenError, match="was altered"):
        open_corpus(tmp_path / "out")

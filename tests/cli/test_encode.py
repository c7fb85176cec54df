from __future__ import annotations

import json

import pytest

from musegen.corpora import open_corpus
from tests.cli.test_convert import BOOK, TUNE


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    (folder / "tune.abc").write_bytes(TUNE)
    (folder / "book.abc").write_bytes(BOOK.replace(b"GAB c2d", b"gab gab"))
    (folder / "broken.mid").write_bytes(b"MThd")
    (folder / "words.txt").write_text("not music")
    return folder


def test_a_folder_becomes_a_corpus_and_what_was_refused_a_table(musegen, music, tmp_path):
    target = tmp_path / "mine.safetensors"
    result = musegen("encode", music, "-o", target, "--jobs", "1", "--split", "1,0,0")
    assert result.exit_code == 0
    heading, line = result.stdout.splitlines()
    assert heading.startswith("file")
    assert line.startswith("broken.mid")
    assert "3 pieces" in result.stderr
    assert "read 3 files; refused 1" in result.stderr
    corpus = open_corpus(str(target))
    assert (len(corpus), corpus.voices, len(corpus.split("train"))) == (3, 1, 3)
    assert "3:" in musegen("corpora", target).stdout


def test_the_report_as_json(musegen, music, tmp_path):
    target = tmp_path / "mine.safetensors"
    result = musegen("encode", music, "-o", target, "--jobs", "1", "--json", "--quiet", "--steps-per-quarter", "24")
    report = json.loads(result.stdout)
    assert (report["path"], report["files"], report["pieces"], report["voices"]) == (str(target), 3, 3, 1)
    assert report["steps_per_quarter"] == 24
    assert [file for file, _, _ in report["refused"]] == ["broken.mid"]
    assert sum(report["splits"].values()) == 3
    assert result.stderr == ""


def test_strict_gives_up_and_leaves_nothing(musegen, music, tmp_path):
    result = musegen("encode", music, "-o", tmp_path / "mine.safetensors", "--jobs", "1", "--strict")
    assert "broken.mid" in str(result.exception)
    assert list(tmp_path.iterdir()) == [music]


def test_a_corpus_is_never_empty_in_silence(musegen, music, tmp_path):
    result = musegen("encode", music / "broken.mid", "-o", tmp_path / "mine.safetensors", "--jobs", "1")
    assert "nothing" in str(result.exception).lower()
    assert list(tmp_path.iterdir()) == [music]


@pytest.mark.parametrize(
    "arguments",
    [
        ["gone", "-o", "a.safetensors"],
        [".", "-o", "-"],
        [".", "-o", "out/"],
        ["."],
        ["-o", "a.safetensors"],
        *([".", "-o", "a.safetensors", "--split", split] for split in ("80,20", "a,b,c", "0,1,1", "-1,1,1", "inf,1,1")),
    ],
    ids=" ".join,
)
def test_misuse(musegen, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    result = musegen("encode", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")

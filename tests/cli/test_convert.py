from __future__ import annotations

import json
from pathlib import Path

import pytest

from musegen.cli.music import slug
from musegen.formats import FORMATS, MAX_BYTES, Reading, read_bytes
from musegen.formats import abc as abc_format

TUNE = b"X:1\nT:The First\nM:6/8\nL:1/8\nQ:3/8=100\nK:G\nD|GAB c2d|e3 g3|GAB AGF|G3-G2|]\n"
BOOK = TUNE + b"\nX:7\nT:O'Neill & the Second!\nM:3/4\nL:1/4\nK:Am\nABc|e2A|]\n"

SUFFIXES = [each.suffixes[0][1:] for each in FORMATS]


def read(suffix: str, data: bytes) -> Reading:
    return read_bytes(data, f".{suffix}", "test")


def notes(reading: Reading) -> list[list[tuple[object, ...]]]:
    return [[(n.onset, n.duration, n.pitch) for voice in score.voices for n in voice.notes] for score in reading.scores]


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_bytes(TUNE)
    return path


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.abc"
    path.write_bytes(BOOK)
    return path


@pytest.mark.parametrize("middle", SUFFIXES)
@pytest.mark.parametrize("last", SUFFIXES)
def test_any_format_becomes_any_other_with_the_same_notes(musegen, tune, middle, last):
    first, second = tune.with_name(f"a.{middle}"), tune.with_name(f"b.{last}")
    assert musegen("convert", tune, first).exit_code == 0
    result = musegen("convert", first, second)
    assert (result.exit_code, result.stdout) == (0, "")
    assert notes(read(last, second.read_bytes())) == notes(abc_format.read(TUNE, "tune"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_stdin_is_recognised_and_stdout_is_the_file(musegen, tune, suffix):
    converted = musegen("convert", tune, "-", "--to", suffix)
    assert converted.exit_code == 0
    back = musegen("convert", "-", "-", "--to", "abc", stdin=converted.stdout_bytes)
    assert notes(abc_format.read(back.stdout_bytes, "back")) == notes(abc_format.read(TUNE, "tune"))


def test_a_format_can_be_said_where_no_suffix_tells(musegen, tune):
    odd = tune.with_suffix(".txt")
    odd.write_bytes(TUNE)
    refused = musegen("convert", odd, tune.with_suffix(".mid"))
    assert "suffix '.txt'" in str(refused.exception)
    assert musegen("convert", odd, tune.with_name("odd"), "--from", "abc", "--to", "mid").exit_code == 0
    assert tune.with_name("odd").read_bytes().startswith(b"MThd")


def test_a_book_becomes_a_file_each_whose_paths_are_printed(musegen, book, tmp_path):
    result = musegen("convert", book, f"{tmp_path}/out/", "--to", "musicxml")
    assert result.stdout.splitlines() == [
        f"{tmp_path}/out/1-the-first.musicxml",
        f"{tmp_path}/out/2-oneill-the-second.musicxml",
    ]
    for path, expected in zip(result.stdout.splitlines(), notes(abc_format.read(BOOK, "book")), strict=True):
        assert notes(read("musicxml", Path(path).read_bytes())) == [expected]


def test_a_book_becomes_a_book_and_one_of_its_tunes_a_file(musegen, book, tmp_path):
    assert musegen("convert", book, tmp_path / "copy.abc").exit_code == 0
    expected = notes(abc_format.read(BOOK, "book"))
    assert notes(abc_format.read((tmp_path / "copy.abc").read_bytes(), "copy")) == expected
    assert musegen("convert", book, tmp_path / "second.mid", "--tune", "2").exit_code == 0
    assert notes(read("mid", (tmp_path / "second.mid").read_bytes())) == expected[1:]
    assert "has no piece 3" in str(musegen("convert", book, tmp_path / "third.mid", "--tune", "3").exception)


def test_a_book_does_not_fit_into_one_file_of_another_kind(musegen, book, tmp_path):
    result = musegen("convert", book, tmp_path / "all.mid")
    assert result.exit_code == 1
    assert "one" in str(result.exception)
    assert not (tmp_path / "all.mid").exists()


def test_json_says_what_was_written(musegen, tune, tmp_path):
    line = json.loads(musegen("convert", tune, tmp_path / "a.mid", "--json").stdout)
    assert line == {
        "path": str(tmp_path / "a.mid"),
        "pieces": [
            {
                "title": "The First",
                "voices": 1,
                "bars": 4,
                "quarters": 12.0,
                "notes": 15,
                "metre": "6/8",
                "key": "G major",
            }
        ],
        "mended": [],
        "left_out": [],
    }
    assert musegen("convert", tune, "-", "--json").exit_code == 2


def test_an_existing_file_is_kept_unless_told_otherwise(musegen, tune, tmp_path):
    target = tmp_path / "a.mid"
    target.write_bytes(b"old")
    assert "--overwrite" in str(musegen("convert", tune, target).exception)
    assert target.read_bytes() == b"old"
    assert musegen("convert", tune, target, "--overwrite").exit_code == 0
    assert target.read_bytes() != b"old"


def test_what_was_mended_or_left_out_is_said(musegen, tmp_path, monkeypatch):
    from musegen.formats import musicxml

    sound = abc_format.read(TUNE, "tune")
    broken = Reading(sound.scores, ("the key was impossible",), (("tune 3", "no notes"),))
    monkeypatch.setattr(musicxml, "read", lambda data, name: broken)
    source = tmp_path / "a.xml"
    source.write_text("<")
    result = musegen("convert", source, tmp_path / "a.mid")
    assert f"{source}: the key was impossible\n{source}: left out tune 3: no notes\n" in result.stderr
    assert musegen("convert", source, tmp_path / "b.mid", "--quiet").stderr == ""


def test_a_file_that_never_ends_is_refused(musegen, tmp_path):
    (tmp_path / "huge.abc").touch()
    with (tmp_path / "huge.abc").open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    result = musegen("convert", tmp_path / "huge.abc", tmp_path / "a.mid")
    assert "64 MiB" in str(result.exception)


@pytest.mark.parametrize("source", ["gone.abc", "."])
def test_what_is_not_a_file_is_misuse(musegen, tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    result = musegen("convert", source, "a.mid")
    assert (result.exit_code, result.stdout) == (2, "")
    assert source in result.stderr


@pytest.mark.parametrize(
    ("title", "name"),
    [("The Kesh Jig", "the-kesh-jig"), ("Ó Néill's / 2!", "o-neills-2"), ("諸行無常", ""), ("x" * 99, "x" * 40)],
)
def test_a_title_becomes_a_plain_name(title, name):
    assert slug(title) == name

from __future__ import annotations

import pytest

from tests.cli.test_convert import BOOK, TUNE


@pytest.fixture
def tune(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_bytes(TUNE)
    return path


@pytest.mark.parametrize(("suffix", "beginning"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_suffix_says_the_kind(musegen, tune, suffix, beginning):
    target = tune.with_name(f"picture.{suffix}")
    result = musegen("plot", tune, "-o", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert target.read_bytes().startswith(beginning)


def test_a_picture_goes_beside_its_piece_and_its_path_is_printed(musegen, tune):
    result = musegen("plot", tune)
    assert result.stdout == f"{tune.with_suffix('.png')}\n"
    assert tune.with_suffix(".png").exists()
    assert "--overwrite" in str(musegen("plot", tune).exception)
    assert musegen("plot", tune, "--overwrite").exit_code == 0


def test_a_picture_goes_into_a_folder(musegen, tune, tmp_path):
    result = musegen("plot", tune, "-o", f"{tmp_path}/pictures/", "--to", "svg")
    assert result.stdout == f"{tmp_path}/pictures/tune.svg\n"
    assert (tmp_path / "pictures" / "tune.svg").read_bytes().startswith(b"<?xml")


def test_a_pipe_at_both_ends(musegen):
    result = musegen("plot", "-", "-o", "-", "--to", "svg", stdin=TUNE)
    assert result.exit_code == 0
    assert b"<svg" in result.stdout_bytes
    assert musegen("plot", "-", stdin=TUNE).exit_code == 2


def test_one_piece_of_a_book_is_drawn_and_which_is_said(musegen, tmp_path):
    book = tmp_path / "book.abc"
    book.write_bytes(BOOK)
    result = musegen("plot", book, "-o", tmp_path / "first.svg")
    assert "holds 2 pieces; drawing the first" in result.stderr
    second = musegen("plot", book, "-o", tmp_path / "second.svg", "--tune", "2")
    assert "pieces" not in second.stderr
    assert (tmp_path / "first.svg").read_bytes() != (tmp_path / "second.svg").read_bytes()


@pytest.mark.parametrize("name", ["picture.bmp", "picture"])
def test_another_kind_of_picture_is_refused_before_the_piece_is_read(musegen, tmp_path, name):
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"not music")
    result = musegen("plot", broken, "-o", tmp_path / name)
    assert name in str(result.exception)
    assert ".png .svg .pdf" in str(result.exception)


def test_a_broken_piece_leaves_nothing_behind(musegen, tmp_path):
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"MThd")
    result = musegen("plot", broken)
    assert str(broken) in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.mid"]

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from musegen.cli.output import Output, print_path
from musegen.errors import MusegenError


def test_a_file_that_exists_is_refused_before_and_after_the_work(tmp_path):
    target = tmp_path / "a.mid"
    target.write_bytes(b"old")
    for attempt in (Output(str(target)).check, lambda: Output(str(target)).write(b"new")):
        with pytest.raises(MusegenError, match="--overwrite"):
            attempt()
    assert target.read_bytes() == b"old"
    replacing = Output(str(target), overwrite=True)
    replacing.check()
    replacing.write(b"new")
    assert target.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_missing_folder_is_named_before_the_work(tmp_path):
    with pytest.raises(MusegenError, match="gone"):
        Output(str(tmp_path / "gone" / "a.mid")).check()


@pytest.mark.parametrize(
    ("name", "is_folder"), [("out/", True), ("out", False), ("there", True), ("-", False), ("", False)]
)
def test_what_a_folder_is(tmp_path, monkeypatch, name, is_folder):
    monkeypatch.chdir(tmp_path)
    Path("there").mkdir()
    assert Output(name).is_folder == is_folder


def test_a_folder_is_made_with_those_above_it(tmp_path):
    target = Output(f"{tmp_path}/a/b/")
    target.check()
    assert not (tmp_path / "a").exists(), "what fails leaves nothing behind"
    target.inside("piece.mid")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(MusegenError, match="a file is in the way"):
        Output(f"{tmp_path}/file/b/").check()


def test_a_name_that_the_user_gave_goes_before_ours():
    assert Output("mine.png").or_else(Path("ours.png")).name == "mine.png"
    assert Output("", overwrite=True).or_else(Path("ours.png")) == Output("ours.png", overwrite=True)


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_spared_bytes_but_shown_text(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(buffer))
    with pytest.raises(MusegenError, match="terminal"):
        Output("-").write(b"MThd")
    assert buffer.getvalue() == b""
    Output("-").write(b"X:1\n", text=True)
    assert buffer.getvalue() == b"X:1\n"


def test_a_closed_stdout_is_said(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(MusegenError, match="stdout is closed"):
        Output("-").write(b"")


def test_stdout_is_not_a_path():
    with pytest.raises(MusegenError, match="not stdout"):
        _ = Output("-").path


def test_a_device_is_written_to_and_stays_one():
    Output(os.devnull).check()
    Output(os.devnull).write(b"gone")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_path_is_printed_in_its_own_bytes(capfdbinary):
    print_path(Path(os.fsdecode(b"caf\xe9.mid")))
    assert capfdbinary.readouterr().out == b"caf\xe9.mid\n"

import errno
import os
import stat
from pathlib import Path

import pytest

from musegen.errors import MusegenError
from musegen.files import check_writable, write_atomic


def left_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_pieces_are_written_in_order(tmp_path):
    write_atomic(tmp_path / "a", iter([b"one ", memoryview(b"two")]))
    assert (tmp_path / "a").read_bytes() == b"one two"
    assert left_in(tmp_path) == {"a"}


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, b"old")
    for refuse in (lambda: write_atomic(path, b"new"), lambda: check_writable(path)):
        with pytest.raises(MusegenError, match=r"exists already.*--overwrite"):
            refuse()
    assert path.read_bytes() == b"old"
    write_atomic(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_refused(tmp_path, overwrite):
    with pytest.raises(MusegenError, match=r"it is a folder"):
        write_atomic(tmp_path, b"x", overwrite)
    with pytest.raises(MusegenError, match=r"it is a folder"):
        check_writable(tmp_path, overwrite)


def test_the_mode_follows_the_umask_and_a_replaced_file_keeps_its_own(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a", b"x")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    (tmp_path / "a").chmod(0o604)
    write_atomic(tmp_path / "a", b"y", overwrite=True)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o604


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    target = tmp_path / "folder" / "target"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to(target)
    write_atomic(link, b"new", overwrite=True)
    assert link.is_symlink() and target.read_bytes() == b"new"


def test_a_loop_of_links_is_one_line(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(MusegenError, match=r"cannot write"):
        write_atomic(tmp_path / "a", b"x")


def test_a_device_is_written_to_and_not_replaced():
    write_atomic(Path("/dev/null"), b"x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MusegenError, MemoryError])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    def pieces():
        yield b"half"
        raise error("stop")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(error):
        write_atomic(tmp_path / "a", pieces(), overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert left_in(tmp_path) == {"a"}


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MusegenError, match=r"cannot write .*a: no space left on device"):
        write_atomic(tmp_path / "a", b"new", overwrite=True)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert left_in(tmp_path) == {"a"}


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MusegenError, match=r"no such file or directory"):
        write_atomic(tmp_path / "none" / "a", b"x")
    with pytest.raises(MusegenError, match=r"there is no folder .*none"):
        check_writable(tmp_path / "none" / "a")
    assert left_in(tmp_path) == set()

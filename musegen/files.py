"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from musegen.errors import MusegenError


def write_atomic(path: Path, data: bytes | Iterable[bytes | memoryview], overwrite: bool = False) -> None:
    """Write a file under a temporary name in its own folder, then rename it.

    A reader sees the old file or the new one, never a part; whatever goes wrong leaves the old one whole and no
    other file behind. A symbolic link stays, and what it points to is replaced. A device or a pipe, such as
    `/dev/null`, has nothing to replace and is written to directly.

    Args:
        path: where to.
        data: all of it, or pieces of it in order; an exception raised by the pieces is passed on.
        overwrite: whether an existing file may be replaced; it keeps its permissions.

    Raises:
        MusegenError: the file exists, is a folder, or cannot be written (and why).
    """
    chunks = [data] if isinstance(data, bytes) else data
    try:
        target = Path(os.path.realpath(path))
        mode = _mode(target)
        _refuse(path, mode, overwrite)
        if mode is not None and not stat.S_ISREG(mode):
            with target.open("wb") as device:
                device.writelines(chunks)
            return
        temporary = target.with_name(f".musegen-{secrets.token_hex(8)}.part")
        try:
            with temporary.open("xb") as file:  # by plain open: the mode follows the umask
                file.writelines(chunks)
                file.flush()
                os.fsync(file.fileno())
            if mode is not None:
                shutil.copymode(target, temporary)
            else:
                _refuse(path, _mode(target), overwrite)  # it may have come while we wrote
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)
    except OSError as error:
        raise cannot("write", path, error) from error


def check_writable(path: Path, overwrite: bool = False) -> None:
    """Refuse, before long work, a path that `write_atomic` would refuse after it.

    Raises:
        MusegenError: the file exists, is a folder, or its folder is missing or cannot be written to.
    """
    try:
        target = Path(os.path.realpath(path))
        _refuse(path, _mode(target), overwrite)
        if not target.parent.is_dir():
            raise MusegenError(f"cannot write {path}: there is no folder {target.parent}", "Create it first.")
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise MusegenError(f"cannot write {path}: the folder is read-only", "Choose another one.")
    except OSError as error:
        raise cannot("write", path, error) from error


def cannot(do: str, path: str | Path, error: OSError) -> MusegenError:
    """Turn an OSError into an error for the user: `cannot write FILE: no space left on device`."""
    reason = error.strerror or str(error) or type(error).__name__
    return MusegenError(f"cannot {do} {path}: {reason[:1].lower()}{reason[1:]}")


def _mode(target: Path) -> int | None:
    """The type and permissions of a file; None when there is none."""
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _refuse(path: Path, mode: int | None, overwrite: bool) -> None:
    if mode is None:
        return
    if stat.S_ISDIR(mode):
        raise MusegenError(f"cannot write {path}: it is a folder", "Name a file.")
    if stat.S_ISREG(mode) and not overwrite:
        raise MusegenError(f"{path} exists already", "Choose another name, or replace it with --overwrite.")


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system lets folders be synced."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

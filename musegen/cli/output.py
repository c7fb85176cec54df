"""Where a command writes: a file, a folder, or stdout."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from musegen.cli.talk import talk
from musegen.errors import MusegenError
from musegen.files import check_writable, write_atomic
from musegen.formats import printable


@dataclass(frozen=True)
class Output:
    """A target that was named with `-o`.

    Whoever names a file knows where it is: nothing is printed. Names that musegen chose (inside a folder, say) are
    data, and printed to stdout one a line.

    Attributes:
        name: as the user wrote it; `-` is stdout, and empty means that none was named.
        overwrite: whether an existing file may be replaced.
    """

    name: str
    overwrite: bool = False

    @property
    def is_stdout(self) -> bool:
        """Whether it is `-`."""
        return self.name == "-"

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder that exists, or a name that ends as a folder's does."""
        return self.name not in ("", "-") and (self.name.endswith(("/", os.sep)) or Path(self.name).is_dir())

    def or_else(self, path: Path) -> Output:
        """The same, or a file that musegen chooses when the user named none."""
        return self if self.name else Output(str(path), self.overwrite)

    @property
    def path(self) -> Path:
        """The file or folder.

        Raises:
            MusegenError: it is stdout.
        """
        if self.is_stdout:
            raise MusegenError("this needs a file or a folder, not stdout", "Name one with -o.")
        return Path(self.name)

    def check(self) -> None:
        """Refuse before long work what could not be written after it.

        Raises:
            MusegenError: the file exists and may not be replaced, or its folder cannot be written to.
        """
        if self.is_folder:
            check_folder(self.path)
        elif self.name and not self.is_stdout:
            check_writable(self.path, self.overwrite)

    def write(self, data: bytes, *, text: bool = False) -> None:
        """Write one file's contents, whole or not at all.

        Args:
            data: all of it.
            text: whether a terminal can show it.

        Raises:
            MusegenError: it cannot be written, or would fill a terminal with bytes.
        """
        if not self.is_stdout:
            write_atomic(self.path, data, self.overwrite)
            talk(f"wrote {printable(self.name)}")
        elif sys.stdout is None:
            raise MusegenError("stdout is closed", "Name a file with -o.")
        elif not text and sys.stdout.isatty():
            raise MusegenError("a terminal cannot show this kind of file", "Name a file with -o, or add a pipe.")
        else:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def inside(self, name: str) -> Output:
        """A file of this name in the folder, which is created."""
        make_folder(self.path)
        return Output(str(self.path / name), self.overwrite)


def check_folder(path: Path) -> None:
    """Refuse a folder that could not be created or written to.

    Raises:
        MusegenError: and why.
    """
    there = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not there.is_dir():
        raise MusegenError(f"cannot create the folder {path}: a file is in the way", "Choose another one.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise MusegenError(f"cannot write into {path}: the folder is read-only", "Choose another one.")


def make_folder(path: Path) -> None:
    """Create a folder and those above it, unless it stands.

    Raises:
        MusegenError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "a file is in the way" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise MusegenError(f"cannot create the folder {path}: {reason}", "Choose another one.") from error


def print_path(path: Path) -> None:
    """Print a path to stdout in its very bytes, so that another program finds it whatever the locale."""
    click.echo(os.fsencode(path))

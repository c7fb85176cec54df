"""What happens in a run, as JSON lines in a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from musegen.files import check_writable


class Log:
    """A file that only grows, but for lines written after the state that a run goes on from.

    Args:
        path: a regular file, or a pipe or device, which is only written to; None for no log.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @property
    def name(self) -> str:
        """Which file it is; empty for none."""
        return str(self.path.resolve()) if self.path else ""

    def begin(self, overwrite: bool, keep: bool) -> None:
        """Start a run's log.

        Args:
            overwrite: whether an existing file may be replaced.
            keep: whether it is added to instead.

        Raises:
            MusegenError: the file exists, or cannot be written.
        """
        if self.path:
            check_writable(self.path, overwrite=overwrite or keep)
            if self.path.is_file() and not keep:
                os.truncate(self.path, 0)

    def go_on(self, name: str, length: int) -> None:
        """Drop what was written after a state was saved, if it is the log that the state knew, of that many bytes."""
        if self.path and self.name == name and self.path.is_file() and self.path.stat().st_size > length:
            os.truncate(self.path, length)

    def write(self, line: dict[str, Any]) -> int:
        """Add a line, which is on disk when this returns; the length of the file then."""
        if not self.path:
            return 0
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            if not self.path.is_file():
                return 0
            os.fsync(file.fileno())
            return self.path.stat().st_size

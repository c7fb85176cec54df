"""What is said on stderr: messages, progress; and tables for stdout."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

QUIET = "musegen.quiet"
"""Where `--quiet` is kept in click's context, so that no function needs to hand it on."""
EVERY_SECONDS = 10.0
"""How often progress is reported where it cannot be drawn."""


def silent() -> bool:
    """Whether nothing is to be said: after `--quiet`, and in all but the first process that torchrun starts."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(QUIET)) or os.environ.get("RANK", "0") != "0"


def talk(message: str) -> None:
    """Say a line on stderr, above a progress bar if one is drawn; nothing after `--quiet`."""
    if silent():
        return
    if "tqdm" in sys.modules and sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(message, file=sys.stderr)
    else:
        click.echo(message, err=True)


@contextmanager
def progress(total: int, what: str, unit: str = "") -> Iterator[Callable[..., None]]:
    """Report how far a long work has come: a bar on a terminal, now and then a line with the time left elsewhere.

    Args:
        total: how much there is to do.
        what: the work, such as `encoding`.
        unit: what is counted, such as `files`.

    Yields:
        A function `advance(count=1, note="")`: so much more is done; the note stands at the end of the line.
    """
    if silent():
        yield lambda count=1, note="": None
    elif sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=what, unit=f" {unit}", file=sys.stderr, leave=False, dynamic_ncols=True) as bar:

            def advance(count: int = 1, note: str = "") -> None:
                if note:
                    bar.set_postfix_str(note, refresh=False)
                bar.update(count)

            yield advance
    else:
        yield _Lines(total, what, unit).advance


class _Lines:
    """Progress as plain lines, for a log."""

    def __init__(self, total: int, what: str, unit: str) -> None:
        self.total, self.what, self.unit = total, what, unit
        self.done = 0
        self.started = self.reported = time.monotonic()

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        now = time.monotonic()
        if now - self.reported < EVERY_SECONDS or self.done >= self.total:
            return
        self.reported = now
        left = (now - self.started) * (self.total - self.done) / max(1, self.done)
        counted = f"{self.done}/{self.total} {self.unit}".rstrip()
        talk(", ".join(filter(None, [f"{self.what}: {counted}", note, f"{duration(left)} left"])))


def duration(seconds: float) -> str:
    """A time span for people: `8 s`, `2 min 5 s`, `1 h 3 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(rows: Sequence[Sequence[object]], headings: Sequence[str] = ()) -> str:
    """Set rows in columns: numbers to the right, the rest to the left, two spaces between.

    Args:
        rows: of the same length; integers and floats are numbers, None is left blank.
        headings: the first line, if any.

    Returns:
        The lines, without the last line's end; empty when there is nothing to set.
    """
    cells = [["" if cell is None else _cell(cell) for cell in row] for row in rows]
    lines = [list(headings), *cells] if headings else cells
    if not lines:
        return ""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    right = [
        bool(rows) and all(isinstance(row[column], int | float | None) for row in rows) for column in range(len(widths))
    ]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

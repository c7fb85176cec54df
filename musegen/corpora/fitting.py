"""Anyone's files as pieces with the voices and on the grid of a corpus that stands."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from musegen.corpora.encode import Report, find_files
from musegen.corpora.reading import Encode
from musegen.corpora.workers import Failure, Pool
from musegen.errors import MusegenError
from musegen.formats import printable, read
from musegen.representation.arrange import arrange
from musegen.representation.grid import encode
from musegen.representation.roll import Roll


@dataclass
class Fitted:
    """Pieces, and what became of the others.

    Attributes:
        rolls: those that fit, in order.
        ids: what they are called: the file, with `#2` for its second piece where it holds several.
        refused: (which, why) of files and pieces that do not fit.
        notes: (which, what was mended, moved or left out).
    """

    rolls: list[Roll] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def fit_files(
    paths: Sequence[Path],
    voices: int,
    steps_per_quarter: int,
    progress: Callable[[int, int], None] | None = None,
) -> Fitted:
    """Read every file of music in these files and folders, in processes of their own.

    Args:
        paths: files, or folders to look into.
        voices: how many each piece must have.
        steps_per_quarter: the grid.
        progress: called with the number of files done, and of all.

    Returns:
        The pieces that fit, at least one, and why others do not.

    Raises:
        MusegenError: a path does not exist, there is no music, or no piece fits.
    """
    report = Report(Path())
    files = find_files(paths, report)
    fitted = Fitted(refused=[(file, why) for file, _, why in report.refused])
    jobs = max(1, min(os.cpu_count() or 1, len(files) // 16))
    with Pool("musegen.corpora.fitting:work", jobs) as pool:
        tasks = (Encode(path, name, voices, steps_per_quarter) for path, name in files)
        for done, (task, answer) in enumerate(pool.map(tasks, min(8, 1 + len(files) // 64)), 1):
            if isinstance(answer, Failure):
                fitted.refused.append((task.name, answer.why))
            else:
                fitted.rolls += answer.rolls
                fitted.ids += answer.ids
                fitted.refused += answer.refused
                fitted.notes += answer.notes
            if progress:
                progress(done, len(files))
    if not fitted.rolls:
        which, why = fitted.refused[0]
        more = f" (and {len(fitted.refused) - 1} others)" if len(fitted.refused) > 1 else ""
        wanted = f"{voices} voice{'s' * (voices > 1)} at {steps_per_quarter} steps per quarter"
        raise MusegenError(
            f"no piece fits {wanted}: {which}{more}: {why}", "Give others, or compare with another corpus."
        )
    return fitted


def work(task: Encode) -> Fitted:
    """Do a task."""
    found = Fitted()
    shown = printable(task.path)
    try:
        reading = read(task.path)
    except MusegenError as error:
        return Fitted(refused=[(task.name, _reason(error, shown))])
    found.notes += [(task.name, line) for line in reading.mended]
    found.refused += [(f"{task.name}, {what}", why) for what, why in reading.refused]
    several = len(reading.scores) > 1 or bool(reading.refused)
    for number, score in enumerate(reading.scores, 1):
        id_ = f"{task.name}#{number}" if several else task.name
        try:
            arranged = arrange(score, task.voices)
            encoded = encode(arranged.score, task.steps_per_quarter)
            if not encoded.roll.steps:
                raise MusegenError("it has no length")
        except MusegenError as error:
            found.refused.append((id_, _reason(error, shown)))
            continue
        found.rolls.append(encoded.roll)
        found.ids.append(id_)
        left = f"left out: {', '.join(arranged.left_out)}" if arranged.left_out else ""
        found.notes += [(id_, note) for note in (encoded.summary(), left) if note]
    return found


def _reason(error: MusegenError, name: str) -> str:
    """A message without the file's name, which stands beside it."""
    return str(error.args[0]).removeprefix(f"{name}: ").removeprefix(f"{name} ")

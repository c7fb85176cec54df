"""Anyone's files -> an encoded corpus."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import musegen
from musegen.corpora.encoded import Writer
from musegen.corpora.grouping import SPLITS, Groups, Passages, deal, rules_for
from musegen.corpora.reading import Answer, Encode, Survey
from musegen.corpora.workers import Failure, Pool
from musegen.errors import MusegenError
from musegen.files import cannot, check_writable
from musegen.formats import printable, suffixes
from musegen.representation.grid import FINEST, GRIDS

SURVEYED = 100
"""Files that are looked at to find the grid and the number of voices, when these are not given."""
FITS = 0.95
"""Share of the surveyed pieces that the grid must hold exactly."""

_COMMON_TITLE = 20
"""A title of more pieces than this says nothing (`untitled`, `Track 1`)."""


@dataclass
class Report:
    """What became of the files.

    Attributes:
        path: the corpus.
        files: how many were read.
        pieces: how many are in the corpus.
        voices: of every piece.
        steps_per_quarter: the grid.
        groups: how many groups of versions of one another the pieces form.
        splits: pieces by split.
        refused: (file, what, why) of what was not used; what is a piece of the file, or empty for all of it.
        notes: (file, what, note) of what was put right, moved or left out.
    """

    path: Path
    files: int = 0
    pieces: int = 0
    voices: int = 0
    steps_per_quarter: int = 0
    groups: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[tuple[str, str, str]] = field(default_factory=list)


def encode_files(
    paths: Sequence[Path],
    out: Path,
    voices: int | None = None,
    steps_per_quarter: int | None = None,
    split: Sequence[float] = (80, 10, 10),
    jobs: int | None = None,
    strict: bool = False,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Encode files and folders of music into a corpus.

    The same files give the same bytes, whatever the number of jobs. What is not given is chosen by a look at 100 files
    from all over: the commonest number of voices; and of 4, 6, 8, 12, 16 and 24 steps per quarter the fewest that hold
    95 % of the pieces exactly, or else those that hold most. Exact duplicates are dropped. Versions of one another go
    into the same split (see `grouping`).

    Args:
        paths: files, or folders to look into; hidden files in folders are left out.
        out: the corpus.
        voices: how many each piece must have.
        steps_per_quarter: the grid.
        split: shares of train, validation and test, in any unit.
        jobs: how many processes read; as many as there are processors when not given.
        strict: whether to give up when anything is refused.
        overwrite: whether an existing file may be replaced.
        progress: called with the number of files done, and of all.

    Raises:
        MusegenError: no file can be used (the commonest reasons are named), one cannot in strict mode, or the corpus
            cannot be written.
    """
    check_writable(out, overwrite)
    if voices is not None and voices < 1:
        raise MusegenError(f"{voices} voices make no music", "Use 1 or more.")
    if steps_per_quarter is not None and not 1 <= steps_per_quarter <= FINEST:
        raise MusegenError(f"{steps_per_quarter} steps per quarter is no grid", f"Use 1 to {FINEST}.")
    if len(split) != len(SPLITS) or min(split) < 0 or split[0] <= 0:
        raise MusegenError("the split is not three shares, the first above 0", "Write one such as 80,10,10.")
    report = Report(out)
    files = find_files(paths, report)
    report.files = len(files)
    jobs = max(1, min(jobs or _processors(), len(files)))
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".musegen-", dir=out.absolute().parent) as folder,
            Pool("musegen.corpora.reading:work", jobs) as pool,
        ):
            if voices is None or steps_per_quarter is None:
                voices, steps_per_quarter = _choose(pool, files, voices, steps_per_quarter)
            report.voices, report.steps_per_quarter = voices, steps_per_quarter
            with closing(Writer(Path(folder), voices)) as writer:
                ids, groups = _read_all(pool, files, writer, report, strict, progress)
                if not ids:
                    raise _nothing(report)
                dealt = deal(ids, groups, split)
                report.pieces, report.groups = len(ids), len(groups)
                report.splits = {name: dealt.count(name) for name in SPLITS}
                header = {
                    "steps_per_quarter": steps_per_quarter,
                    "licence": "",
                    "source": _named(paths),
                    "groups": len(groups),
                    "musegen": musegen.__version__,
                }
                writer.finish(out, header, dealt, overwrite)
    except OSError as error:
        raise cannot("write", out, error) from error
    return report


def find_files(paths: Sequence[Path], report: Report) -> list[tuple[str, str]]:
    """Every file of music, as (path, name within the corpus), in an order that does not depend on the system.

    Raises:
        MusegenError: a path does not exist, or there is no music.
    """
    found: list[tuple[str, str]] = []
    roots = Counter(path.name for path in paths)
    for path in paths:
        own = printable(path.name or path.absolute().name) if roots[path.name] == 1 else printable(path)
        if path.is_dir():
            prefix = f"{own}/" if len(paths) > 1 else ""
            for each in _walk(path, report):
                inside = printable(Path(each).relative_to(path))
                found.append((each, prefix + inside))
        elif path.exists():
            found.append((str(path), own))
        else:
            raise MusegenError(f"there is no file or folder {printable(path)}", "Check the name.")
    if not found:
        where = ", ".join(printable(path) for path in paths)
        reasons = "".join(f" ({file}: {why})" for file, _, why in report.refused[:1])
        raise MusegenError(f"no music in {where}{reasons}", f"Give files that end in {' '.join(suffixes())}.")
    return found


def _walk(folder: Path, report: Report) -> Iterator[str]:
    """Files of music in a folder and those below; links are followed, but nowhere twice."""
    known = suffixes()
    seen: set[tuple[int, int]] = set()

    def refuse(error: OSError) -> None:
        report.refused.append((printable(error.filename), "", cannot("read", "the folder", error).args[0]))

    for root, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        status = Path(root).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=os.fsencode)
        for name in sorted(names, key=os.fsencode):
            path = Path(root, name)
            if not name.startswith(".") and path.suffix.lower() in known and path.is_file():
                yield str(path)


def _choose(
    pool: Pool, files: list[tuple[str, str]], voices: int | None, steps_per_quarter: int | None
) -> tuple[int, int]:
    """The number of voices and the grid, by a look at some of the files."""
    chosen = files[:: -(-len(files) // SURVEYED)]
    pieces: list[tuple[int, int]] = []
    for _, found in pool.map(Survey(path) for path, _ in chosen):
        if not isinstance(found, Failure):
            pieces += found
    counts = Counter(count for count, _ in pieces)
    voices = voices or max(sorted(counts), key=counts.__getitem__, default=1)
    leasts = [least for count, least in pieces if count == voices] or [least for _, least in pieces]
    exact = {grid: sum(grid % least == 0 for least in leasts) for grid in GRIDS}
    best = next((grid for grid in GRIDS if exact[grid] >= FITS * len(leasts)), max(GRIDS, key=exact.__getitem__))
    return voices, steps_per_quarter or best


def _read_all(
    pool: Pool,
    files: list[tuple[str, str]],
    writer: Writer,
    report: Report,
    strict: bool,
    progress: Callable[[int, int], None] | None,
) -> tuple[list[str], list[list[int]]]:
    """Read every file into the writer; returns the pieces' ids and groups."""
    rules = rules_for(report.voices)
    indices = [Passages() for _ in rules]
    first: dict[bytes, str] = {}
    ids: list[str] = []
    titles: list[str] = []
    tasks = (Encode(path, name, report.voices, report.steps_per_quarter) for path, name in files)
    together = min(8, 1 + len(files) // 64)
    for done, (task, result) in enumerate(pool.map(tasks, together), 1):
        answer = Answer(refused=(("", result.why),)) if isinstance(result, Failure) else result
        report.refused += [(task.name, what, why) for what, why in answer.refused]
        report.notes += [(task.name, what, note) for what, note in answer.notes]
        if strict and report.refused:
            file, what, why = report.refused[0]
            raise MusegenError(f"{file}{what and f', {what}'}: {why}", "Leave out --strict to encode the others.")
        for piece in answer.pieces:
            if piece.digest in first:
                report.notes.append((task.name, "", f"dropped: the same notes as {first[piece.digest]}"))
                continue
            first[piece.digest] = piece.id
            ids.append(piece.id)
            titles.append(piece.title)
            writer.add(piece.symbols, piece.about)
            for index, passages in zip(indices, piece.passages, strict=True):
                index.add(passages)
        if progress:
            progress(done, len(files))
    groups = Groups(len(ids))
    for rule, index in zip(rules, indices, strict=True):
        index.join(groups, rule.share)
    common = Counter(titles)
    groups.join_equal([title if title and common[title] <= _COMMON_TITLE else None for title in titles])
    return ids, groups.lists()


def _named(paths: Sequence[Path]) -> str:
    """The names of what was encoded, of a few at most."""
    names = sorted({printable(path.name or path.absolute().name) for path in paths})
    more = f" and {len(names) - 10:,} others" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


def _nothing(report: Report) -> MusegenError:
    """The error for a corpus without a piece, with the commonest reasons."""
    reasons = Counter(why for _, _, why in report.refused).most_common(3)
    said = "; ".join(f"{why} ({count})" if count > 1 else why for why, count in reasons)
    files = "the file" if report.files == 1 else f"any of the {report.files} files"
    return MusegenError(f"nothing in {files} can be used: {said}", "Nothing was written.")


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

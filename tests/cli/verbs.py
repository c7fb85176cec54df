"""Pieces for the verbs that rework what is there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from click.testing import Result

from musegen.errors import MusegenError
from musegen.formats import read, write
from musegen.representation.grid import decode
from musegen.score import Note, Score
from tests.toys import ROLLS

HEAD = "X:1\nT:t\nL:1/8\nK:C\n"
TUNES = {
    "4/4": f"{HEAD}M:4/4\nc2d2e2f2|g4 e2c2|d2f2e2d2|c8|]\n",
    "3/4": f"{HEAD}M:3/4\nc2d2e2|g3f e2|d2f2d2|c6|]\n",
    "6/8": f"{HEAD}M:6/8\nc2d edc|g3 e2c|d2f edc|c6|]\n",
    "5/4": f"{HEAD}M:5/4\nc2d2e2f2g2|g4 e2c2d2|d2f2e2d2B2|c10|]\n",
    "changing": f"{HEAD}M:4/4\nc2d2e2f2|[M:3/4]g4 e2|d2f2e2|[M:4/4]c8|]\n",
    "pickup": f"{HEAD}M:4/4\nG2|c2d2e2f2|g4-g2c2|d2f2e2d2|c6|]\n",
}
"""Four bars in several metres; in the last a note is held from the middle of bar 2."""


def tune(folder: Path, name: str = "4/4") -> Path:
    """One of them, as a file."""
    path = folder / f"{name.replace('/', '-')}.abc"
    path.write_text(TUNES[name])
    return path


def chorale(folder: Path, suffix: str = "mid", number: int = 0) -> Path:
    """A toy chorale, as a file."""
    path = folder / f"chorale.{suffix}"
    path.write_bytes(write([decode(ROLLS["chorales"][number])], f".{suffix}"))
    return path


def the_score(path: Path) -> Score:
    """The only piece of a file."""
    (score,) = read(path).scores
    return score


def told(notes: tuple[Note, ...]) -> list[tuple[Fraction, Fraction, int]]:
    """Onset, length and pitch of each."""
    return sorted((note.onset, note.duration, note.pitch) for note in notes)


def outside(score: Score, begin: Fraction | int, end: Fraction | int, voice: int = 0) -> list[object]:
    """The notes that are not wholly within some time."""
    return [each for each in told(score.voices[voice].notes) if not (begin <= each[0] and each[0] + each[1] <= end)]


def fault(result: Result) -> str:
    """The one line of an error, or what is said of misuse; anything else fails."""
    if result.exit_code == 2:
        return result.stderr
    assert isinstance(result.exception, MusegenError), result.output
    line = str(result.exception)
    assert "\n" not in line and not result.stdout
    return line

"""The public music that quality is measured on, as corpora: `python benchmarks/data.py` writes them into runs/.

Neither set is shipped (their licences are not ours to give). Put these files into a folder, and name the folder with
`DATA=` where it is not `../shared/data`:

- `DATA/jsb/Jsb16thSeparated.json`, of czhuang/JSB-Chorales-dataset on GitHub;
- `DATA/nottingham/MIDI_melody/`, the folder MIDI/melody of jukedeck/nottingham-dataset on GitHub.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from musegen.corpora import Corpus, open_corpus
from musegen.corpora.encoded import Writer, about
from musegen.formats import read
from musegen.representation.grid import encode
from musegen.representation.keys import estimate_key
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre, Note, Score

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DATA") or ROOT.parent / "shared" / "data")
RUNS = ROOT / "runs"
"""Git-ignored: corpora, checkpoints and what was measured."""

JSB, MELODIES, TWINS = "jsb/Jsb16thSeparated.json", "nottingham/MIDI_melody", "jsb/soprano-twins.json"
SPLITS = {"train": "train", "valid": "validation", "test": "test"}
NOTTINGHAM_SPLITS = {"test": 93, "validation": 88, "train": 853}
WINDOW = 64
"""Sixteenths that are harmonised at once in P5."""
HOP = 16
"""Sixteenths from one training window to the next; windows of held-out music do not overlap."""


class Piece(NamedTuple):
    """A roll with its place in a corpus."""

    id: str
    split: str
    roll: Roll


def jsb() -> Corpus:
    """The 382 chorales on sixteenths, split as given; ids are `train-0` and so on, by place in the file."""
    return _corpus("jsb", JSB, _chorales)


def jsb_windows() -> Corpus:
    """P5: the same chorales in windows of 64 sixteenths, the rest of each piece dropped; ids are `test-0-64`.

    They have no key, since it would tell of the voices to be found.
    """

    def keyless() -> Iterator[Piece]:
        for piece in _chorales():
            for part in windows(piece):
                yield part._replace(roll=replace(part.roll, keys=()))

    return _corpus("jsb-windows", JSB, keyless)


def nottingham() -> Corpus:
    """The 1,034 melodies on sixteenths, split by `split_of` the file's name; ids are file names."""
    return _corpus("nottingham", MELODIES, _melodies)


def clean() -> tuple[int, ...]:
    """Which test chorales (by place in the test split) have no soprano that a training chorale also has.

    Empty when the list of them is not at hand.
    """
    path = DATA / TWINS
    return tuple(json.loads(path.read_text())["test_clean"]) if path.exists() else ()


def framed(roll: Roll) -> Roll:
    """A chorale with the key that its pitches and its last bass note speak for, in 4/4 from its first step.

    The file tells neither. The key is an extra token at the beginning of the piece: a function of the whole piece, so
    whoever is told it pays for it (see `musegen.models.plans.frame_nats`), as for the length.
    """
    sounding = roll.sounding()
    notes = sounding[sounding < REST]
    last = sounding[-1][sounding[-1] < REST]
    key = estimate_key(
        np.bincount(notes % 12, minlength=12).tolist(), None, int(last.min()) % 12 if len(last) else None
    )
    return replace(roll, metres=((0, Metre(4, 4)),), pickup=0, keys=((0, key),))


def with_holds(pitches: np.ndarray) -> np.ndarray:
    """(steps, voices) pitches, below 0 for silence -> symbols; the pitch of the step before is taken for held."""
    sounding = np.where(pitches < 0, REST, pitches).astype(np.uint8)
    held = np.zeros(sounding.shape, bool)
    held[1:] = (sounding[1:] == sounding[:-1]) & (sounding[1:] != REST)
    return np.where(held, np.uint8(HOLD), sounding)


def split_of(name: str) -> str:
    """The split of a melody: by the last digit of its file name's MD5, read as a number."""
    digit = int(hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(), 16) % 10
    return {0: "test", 1: "validation"}.get(digit, "train")


def windows(piece: Piece, window: int = WINDOW) -> Iterator[Piece]:
    """A piece of one metre, cut into windows; what goes on from before a window begins anew with it.

    The key of a window is estimated from its first voice alone, which is given: that of the piece was read off the
    voices that are to be foretold, and nobody pays for it here.
    """
    hop, roll = HOP if piece.split == "train" else window, piece.roll
    (_, metre), *_ = roll.metres
    sounding = roll.sounding()
    for start in range(0, roll.steps - window + 1, hop):
        given = sounding[start : start + window, 0]
        counts = np.bincount(given[given < REST] % 12, minlength=12)
        symbols = roll.symbols[start : start + window].copy()
        symbols[0] = sounding[start]
        part = replace(
            roll.with_symbols(symbols),
            pickup=(roll.pickup - start) % roll.steps_of(metre),
            keys=((0, estimate_key(counts.tolist())),) if counts.any() else (),
        )
        yield Piece(f"{piece.id}-{start}", piece.split, part)


def melody(score: Score) -> tuple[Score, int]:
    """A score as one voice, and how many notes that cost or cut.

    The file may sound two notes at once. Of notes that begin together the highest stays, and each ends where the next
    begins.
    """
    notes = sorted((note for voice in score.voices for note in voice.notes), key=lambda note: (note.onset, note.pitch))
    kept = [a for a, b in pairwise(notes) if a.onset != b.onset] + notes[-1:]
    line: list[Note] = []
    for note, following in zip(kept, [*kept[1:], None], strict=True):
        end = min(note.end, following.onset) if following else note.end
        line.append(Note(note.onset, end - note.onset, note.pitch, note.fermata))
    cost = len(notes) - len(kept) + sum(a != b for a, b in zip(line, kept, strict=True))
    return replace(score, voices=(replace(score.voices[0], notes=tuple(line)),)), cost


def _chorales() -> Iterator[Piece]:
    for name, pieces in json.loads((DATA / JSB).read_text()).items():
        for number, pitches in enumerate(pieces):
            yield Piece(f"{name}-{number}", SPLITS[name], framed(Roll(with_holds(np.array(pitches, int)))))


def _melodies() -> list[Piece]:
    """Every melody; what became of notes that do not fit is said."""
    found, notes, moved, dropped, overlaps, troubled = [], 0, 0, 0, 0, 0
    for path in sorted((DATA / MELODIES).glob("*.mid")):
        score = read(path).scores[0]
        notes += sum(len(voice.notes) for voice in score.voices)
        line, cost = melody(score)
        encoded = encode(line, 4)
        off = [each.dropped for each in encoded.moved if each.what == "note"]
        moved, dropped = moved + off.count(False), dropped + off.count(True)
        overlaps, troubled = overlaps + cost, troubled + bool(cost)
        # Changes on the way would be told for nothing: a frame is paid for by its first metre and key.
        roll = replace(encoded.roll, metres=encoded.roll.metres[:1], keys=encoded.roll.keys[:1])
        found.append(Piece(path.name, split_of(path.name), roll))
    counts = {name: sum(piece.split == name for piece in found) for name in NOTTINGHAM_SPLITS}
    if counts != NOTTINGHAM_SPLITS:
        print(f"nottingham: {counts} pieces by split; published figures are of {NOTTINGHAM_SPLITS}", file=sys.stderr)
    print(
        f"nottingham: {notes} notes; off the sixteenths {moved} moved to the nearest, {dropped} dropped since theirs "
        f"was taken; {overlaps} in {troubled} files shortened or left out since two sounded at once",
        file=sys.stderr,
    )
    return found


def _corpus(name: str, source: str, pieces: Callable[[], Iterable[Piece]]) -> Corpus:
    """Open a corpus in runs/, written first where it is missing."""
    path = RUNS / f"{name}.safetensors"
    if not path.exists():
        check(source)
        write(path, pieces(), source)
    return open_corpus(path)


def check(source: str) -> None:
    """Say which files to get, and exit, when they are not there."""
    if not (DATA / source).exists():
        sys.exit(
            f"{DATA / source} is missing: from GitHub, get Jsb16thSeparated.json of czhuang/JSB-Chorales-dataset into "
            "FOLDER/jsb and the folder MIDI/melody of jukedeck/nottingham-dataset as FOLDER/nottingham/MIDI_melody, "
            "and say where: make benchmark DATA=FOLDER"
        )


def write(path: Path, pieces: Iterable[Piece], source: str) -> None:
    """Encode pieces into a corpus, with the splits they have; a file that is there is replaced."""
    pieces = list(pieces)
    path.parent.mkdir(exist_ok=True)
    grid, voices = pieces[0].roll.steps_per_quarter, pieces[0].roll.voices
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, closing(Writer(Path(folder), voices)) as writer:
        for piece in pieces:
            writer.add(np.ascontiguousarray(piece.roll.symbols).tobytes(), about(piece.roll, piece.id, source))
        header = {"steps_per_quarter": grid, "licence": "see its source", "source": source, "groups": len(pieces)}
        writer.finish(path, header, [piece.split for piece in pieces], overwrite=True)


def main() -> None:
    """Write all anew, and say what they hold."""
    for path in RUNS.glob("*.safetensors"):
        if path.stem in ("jsb", "jsb-windows", "nottingham"):
            path.unlink()
    for open_one in (jsb, jsb_windows, nottingham):
        corpus = open_one()
        counts = ", ".join(f"{len(corpus.split(split))} {split}" for split in SPLITS.values())
        steps = sum(corpus.roll(index).steps for index in corpus.split("test"))
        print(f"{corpus.name}: {counts}; {steps} steps in test")


if __name__ == "__main__":
    main()

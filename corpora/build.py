"""Rebuild the shipped music from the corpus folder of the music21 wheel: `make corpora`.

The wheel is read as an archive of files, by our own readers; nothing in it is run. See NOTICE.md for whom to thank.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import build_bach
import build_celtic

from musegen.corpora.grouping import SPLITS, deal, group
from musegen.corpora.pieces import Piece
from musegen.corpora.shipped import BY_PIECE, GROUPED
from musegen.files import write_atomic

WHEEL = "music21==10.5.1"
SHARES = (80, 10, 10)
HERE = Path(__file__).resolve().parent

LICENCE = "music in the public domain; for the note data see corpora/NOTICE.md"
ABOUT: dict[str, dict[str, Any]] = {
    "bach": {
        "title": "Four-part chorales by Johann Sebastian Bach",
        "voices": 4,
        "steps_per_quarter": 4,
        "licence": LICENCE,
        "source": "Margaret Greentree's edition (jsbchorales.net), in the music21 corpus by Michael Scott Asato "
        "Cuthbert and contributors",
    },
    "celtic": {
        "title": "Irish and Scottish tunes: O'Neill's Music of Ireland (1903), Ryan's Mammoth Collection (1883)",
        "voices": 1,
        "steps_per_quarter": 12,
        "licence": LICENCE,
        "source": "ABC transcriptions gathered by John Chambers, each transcriber named by tune, in the music21 corpus "
        "by Michael Scott Asato Cuthbert and contributors",
    },
}


def main() -> int:
    """Write the files, or compare them with what would be written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", nargs="?", type=Path, help="the wheel; downloaded when not given")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        built = build(arguments.wheel or download(Path(folder)))
    stale = [name for name, data in built.items() if not same(HERE / name, data)]
    for name in built:
        print(f"{'differs' if name in stale else 'same'}  {name}", file=sys.stderr)
    if arguments.check:
        return 1 if stale else 0
    for name in stale:
        write_atomic(HERE / name, built[name], overwrite=True)
    return 0


def same(path: Path, data: bytes) -> bool:
    """Whether a file holds this already."""
    return path.is_file() and path.read_bytes() == data


def download(folder: Path) -> Path:
    """Fetch the wheel into a folder."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), WHEEL]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


def build(wheel: Path) -> dict[str, bytes]:
    """The contents of each file, by name."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        chorales = {name: archive.read(name) for name in build_bach.files(names)}
        tunes = {name: archive.read(name) for name in build_celtic.files(names)}
        titles = build_bach.titles(archive.read("music21/corpus/chorales.py").decode())
    manifest: dict[str, Any] = {"wheel": {"name": WHEEL, "sha256": sha256(wheel.read_bytes())}, "corpora": {}}
    built: dict[str, bytes] = {}
    splits: dict[str, Any] = {}
    sets = {"bach": build_bach.pieces(chorales, titles), "celtic": build_celtic.pieces(tunes)}
    for name, (pieces, dropped) in sets.items():
        data = "".join(f"{piece.text()}\n" for piece in pieces).encode()
        groups, splits[name] = split(pieces, ABOUT[name]["steps_per_quarter"])
        built[f"{name}.jsonl"] = data
        manifest["corpora"][name] = ABOUT[name] | {
            "pieces": len(pieces),
            "groups": groups,
            "dropped": dropped,
            "sha256": sha256(data),
        }
    built["splits.json"] = lines(splits)
    for about in manifest["corpora"].values():
        about["splits_sha256"] = sha256(built["splits.json"])
    manifest["sources"] = {name: sha256(data) for name, data in (chorales | tunes).items()}
    built["manifest.json"] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    return built


def split(pieces: Sequence[Piece], steps_per_quarter: int) -> tuple[int, dict[str, Any]]:
    """The number of groups, and the ids of each split, for both ways of splitting."""
    ids = [piece.id for piece in pieces]
    groups = group((piece.roll(steps_per_quarter) for piece in pieces), [piece.title for piece in pieces])
    ways = {GROUPED: groups, BY_PIECE: [[index] for index in range(len(ids))]}
    found: dict[str, Any] = {}
    for way, sets in ways.items():
        dealt = deal(ids, sets, SHARES)
        found[way] = {name: [each for each, where in zip(ids, dealt, strict=True) if where == name] for name in SPLITS}
    return len(groups), found


def lines(splits: Mapping[str, Any]) -> bytes:
    """The splits as JSON with one split a line, so that a change can be seen."""
    corpora = []
    for name, ways in splits.items():
        rows = [
            f'  "{way}": {{\n' + ",\n".join(f'   "{part}": {json.dumps(ids)}' for part, ids in parts.items()) + "\n  }"
            for way, parts in ways.items()
        ]
        corpora.append(f' "{name}": {{\n' + ",\n".join(rows) + "\n }")
    return ("{\n" + ",\n".join(corpora) + "\n}\n").encode()


def sha256(data: bytes) -> str:
    """The hash of a file."""
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())

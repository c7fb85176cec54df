"""Encoded corpora: any number of rolls in one file that is mapped into memory, not read.

The arrays of the file, for P pieces of V voices:

    symbols (steps of all pieces, V)   offsets (P + 1,): piece i is symbols[offsets[i]:offsets[i + 1]]
    about (bytes,), JSON of all pieces about_offsets (P + 1,): its bounds by piece; the rest of the roll, and `Info`
    splits (P,), indices into `SPLITS`
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, overload

import numpy as np
from numpy.typing import NDArray

from musegen.corpora.corpus import Corpus, Info
from musegen.corpora.grouping import SPLITS, deal
from musegen.errors import MusegenError
from musegen.representation.roll import SYMBOLS, Roll, StepChanges
from musegen.score import Key, Metre
from musegen.storage import OnDisk, Stored, load, save

SUFFIX = ".safetensors"


def about(roll: Roll, id_: str, source: str) -> bytes:
    """What is stored of a piece beside its symbols, as JSON."""
    data = {
        "id": id_,
        "source": source,
        "title": roll.title,
        "composer": roll.composer,
        "metres": [[step, str(metre)] for step, metre in roll.metres],
        "pickup": roll.pickup,
        "keys": [[step, key.fifths, key.mode] for step, key in roll.keys],
        "tempi": [list(each) for each in roll.tempi],
        "fermatas": sorted(roll.fermatas),
        "names": roll.names,
        "programs": roll.programs,
    }
    return json.dumps({name: value for name, value in data.items() if value}, ensure_ascii=False).encode()


class Writer:
    """Takes rolls one after another into files of a folder; the memory it needs does not grow with them."""

    def __init__(self, folder: Path, voices: int) -> None:
        self._folder = folder
        self._voices = voices
        self._symbols: BinaryIO = (folder / "symbols").open("wb")
        self._about: BinaryIO = (folder / "about").open("wb")
        self._offsets = [0]
        self._about_offsets = [0]

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def add(self, symbols: bytes, about: bytes) -> None:
        """Take a piece: its symbols in C order, and what `about` says of it."""
        self._symbols.write(symbols)
        self._about.write(about)
        self._offsets.append(self._offsets[-1] + len(symbols) // self._voices)
        self._about_offsets.append(self._about_offsets[-1] + len(about))

    def close(self) -> None:
        """Close the files."""
        self._symbols.close()
        self._about.close()

    def finish(self, path: Path, header: Mapping[str, Any], splits: Sequence[str], overwrite: bool) -> None:
        """Put the corpus together.

        Raises:
            MusegenError: the file exists or cannot be written.
        """
        self.close()
        arrays: dict[str, NDArray[Any] | OnDisk] = {
            "symbols": OnDisk(self._folder / "symbols", np.dtype(np.uint8), (self._offsets[-1], self._voices)),
            "about": OnDisk(self._folder / "about", np.dtype(np.uint8), (self._about_offsets[-1],)),
            "offsets": np.array(self._offsets, np.int64),
            "about_offsets": np.array(self._about_offsets, np.int64),
            "splits": np.array([SPLITS.index(split) for split in splits], np.uint8),
        }
        save(path, "corpus", dict(header) | {"voices": self._voices, "pieces": len(self)}, arrays, overwrite)


def open_encoded(path: Path, name: str = "", by_piece: bool = False) -> Corpus:
    """Open an encoded corpus.

    Args:
        path: where it is.
        name: what to call it; its path when not given.
        by_piece: deal its pieces out anew, each by itself, in the shares that its splits have.

    Raises:
        MusegenError: it cannot be read, is cut, was altered, is newer, or is no corpus.
    """
    stored = load(path, "corpus")
    try:
        pieces = _Mapped(stored)
        splits: Sequence[str] = _Splits(stored.arrays["splits"])
        if len(splits) != len(pieces) or stored.header["voices"] != pieces.voices:
            raise ValueError("its arrays do not fit together")
        ids = _Ids(pieces)
        if by_piece:
            shares = [sum(each == split for each in splits) for split in SPLITS]
            splits = deal(ids, [[index] for index in range(len(ids))], shares)
        return Corpus(
            name=name or str(path),
            voices=pieces.voices,
            steps_per_quarter=pieces.steps_per_quarter,
            ids=ids,
            splits=splits,
            hash=stored.hash,
            licence=str(stored.header["licence"]),
            source=str(stored.header["source"]),
            pieces=pieces,
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MusegenError(f"{path} is not a corpus that this musegen knows: {error}", "Encode it again.") from error


class _Mapped:
    """Pieces in a mapped file."""

    def __init__(self, stored: Stored) -> None:
        arrays = stored.arrays
        self.symbols, self.about = arrays["symbols"], arrays["about"]
        self.offsets, self.about_offsets = arrays["offsets"], arrays["about_offsets"]
        self.steps_per_quarter = int(stored.header["steps_per_quarter"])
        self.voices = int(self.symbols.shape[1])
        ends = (self.offsets, len(self.symbols)), (self.about_offsets, len(self.about))
        if self.symbols.dtype != np.uint8 or len(self.offsets) != len(self.about_offsets):
            raise ValueError("its arrays do not fit together")
        if any(offsets[0] != 0 or offsets[-1] != end or (np.diff(offsets) < 0).any() for offsets, end in ends):
            raise ValueError("its pieces overlap")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def read(self, index: int) -> dict[str, Any]:
        index = range(len(self))[index]
        data: dict[str, Any] = json.loads(
            self.about[self.about_offsets[index] : self.about_offsets[index + 1]].tobytes()
        )
        return data

    def info(self, index: int) -> Info:
        data = self.read(index)
        keys = _keys(data)
        key = keys[0][1] if keys else None
        return Info(data["id"], data.get("title", ""), data["source"], "", data["metres"][0][1], key)

    def roll(self, index: int) -> Roll:
        data = self.read(index)
        index = range(len(self))[index]
        symbols = self.symbols[self.offsets[index] : self.offsets[index + 1]]
        if (symbols >= SYMBOLS).any():
            raise MusegenError(f"piece {data['id']} has symbols that mean nothing", "Encode the corpus again.")
        return Roll(
            symbols,
            self.steps_per_quarter,
            metres=tuple((step, Metre.parse(metre)) for step, metre in data["metres"]),
            pickup=data.get("pickup", 0),
            keys=_keys(data),
            tempi=tuple((step, tempo) for step, tempo in data.get("tempi", ())),
            fermatas=frozenset((step, voice) for step, voice in data.get("fermatas", ())),
            names=tuple(data.get("names", ())),
            programs=tuple(data.get("programs", ())),
            title=data.get("title", ""),
            composer=data.get("composer", ""),
        )


def _keys(data: dict[str, Any]) -> StepChanges[Key]:
    return tuple((step, Key(fifths, mode)) for step, fifths, mode in data.get("keys", ()))


class _Ids(Sequence[str]):
    """The pieces' ids, read from the file as they are asked for."""

    def __init__(self, pieces: _Mapped) -> None:
        self._pieces = pieces

    def __len__(self) -> int:
        return len(self._pieces)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        return str(self._pieces.read(index)["id"])


class _Splits(Sequence[str]):
    """The splits' names, one byte each in the file."""

    def __init__(self, codes: NDArray[np.uint8]) -> None:
        self._codes = codes
        if (codes >= len(SPLITS)).any():
            raise ValueError("unknown split")

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [SPLITS[code] for code in self._codes[index]]
        return SPLITS[self._codes[index]]

    def __iter__(self) -> Iterator[str]:
        return (SPLITS[code] for code in self._codes.tolist())

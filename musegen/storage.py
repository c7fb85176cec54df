"""Encoded corpora and checkpoints on disk: a safetensors file, sealed with hashes.

A safetensors file is the length of its header (8 bytes, little-endian), the header (JSON: where each array lies,
and a map of strings, `__metadata__`), then the arrays. Any safetensors library reads ours. We read and write them
ourselves because the library neither maps files into memory without copying, nor writes arrays that do not fit
into memory, nor notices a flipped bit. `__metadata__` holds:

    seal     hash of the header (its length included, the seal itself as zeros); always the first entry
    data     hash of everything after the header
    kind     "corpus" or "checkpoint"
    version  of the layout of that kind
    header   JSON: whatever the kind needs to be used

The seal comes first and never changes its meaning, so that a file of a newer version can be told from an altered one.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from musegen.errors import MusegenError
from musegen.files import cannot, write_atomic

VERSIONS = {"corpus": 1, "checkpoint": 1, "training state": 1}
"""The layout that this version of musegen writes, and the newest that it reads."""
MAX_HEADER = 2**20
"""Bytes; what a piece or a weight needs belongs into an array."""

_DTYPES = {
    "F64": "<f8", "I64": "<i8", "U64": "<u8", "F32": "<f4", "I32": "<i4", "U32": "<u4",
    "F16": "<f2", "I16": "<i2", "U16": "<u2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_CODES = {np.dtype(name): code for code, name in _DTYPES.items()}
_CHUNK = 2**20
_START = b'{"__metadata__":{"seal":"'
_SEAL = slice(len(_START), len(_START) + 64)
_METADATA = {"seal", "data", "kind", "version", "header"}


@dataclass(frozen=True)
class OnDisk:
    """An array that lies in a file, in C order, and is stored without being read into memory whole.

    Attributes:
        path: holds the elements and nothing else.
        dtype: of the elements, little-endian.
        shape: of the array.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Stored:
    """What a file held.

    Attributes:
        header: plain JSON data.
        arrays: by name; read-only, and read from the file as they are used.
        hash: of all that the file holds.
    """

    header: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    hash: str


def save(
    path: Path,
    kind: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any] | OnDisk],
    overwrite: bool = False,
) -> None:
    """Write a corpus or a checkpoint, whole or not at all. The same contents give the same bytes.

    Args:
        path: where to.
        kind: a key of `VERSIONS`.
        header: plain JSON data; its order is kept.
        arrays: numbers or booleans of any shape.
        overwrite: whether an existing file may be replaced.

    Raises:
        MusegenError: the file exists, cannot be written, or the header is too large.
    """
    # Widest elements first, so that every array is aligned within the file.
    ordered = sorted(arrays.items(), key=lambda item: (-np.dtype(item[1].dtype).itemsize, item[0]))
    entries, end = {}, 0
    for name, array in ordered:
        dtype = np.dtype(array.dtype).newbyteorder("<")
        size = math.prod(array.shape) * dtype.itemsize
        entries[name] = {"dtype": _CODES[dtype], "shape": list(array.shape), "data_offsets": [end, end + size]}
        end += size
    digest = hashlib.blake2b(digest_size=32)
    for chunk in _all_chunks(ordered):
        digest.update(chunk)
    metadata = {
        "seal": "0" * 64,
        "data": digest.hexdigest(),
        "kind": kind,
        "version": str(VERSIONS[kind]),
        "header": json.dumps(header, ensure_ascii=False, allow_nan=False),
    }
    text = json.dumps({"__metadata__": metadata} | entries, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise MusegenError(f"cannot write {path}: its header has {len(text)} bytes, more than {MAX_HEADER}")
    text = text[: _SEAL.start] + _seal(text) + text[_SEAL.stop :]

    def chunks() -> Iterator[bytes | memoryview]:
        yield len(text).to_bytes(8, "little") + text
        yield from _all_chunks(ordered)

    write_atomic(path, chunks(), overwrite)


def load(path: Path, kind: str) -> Stored:
    """Open a corpus or a checkpoint.

    Runs no code from the file. The hash of the data is checked by reading it once in small pieces; the arrays are
    mapped, so memory is only used for what is looked at.

    Args:
        path: where from.
        kind: a key of `VERSIONS`.

    Raises:
        MusegenError: the file cannot be read, is of another kind or a newer version, is cut, or was altered.
    """
    try:
        with _open(path) as file:
            opened = _read_header(path, file, kind)
            digest = hashlib.blake2b(digest_size=32)
            file.seek(opened.start)
            left = opened.end - opened.start
            while left and (chunk := file.read(min(_CHUNK, left))):
                digest.update(chunk)
                left -= len(chunk)
            if digest.hexdigest() != opened.data:
                raise _altered(path)
            mapped = mmap.mmap(file.fileno(), opened.end, access=mmap.ACCESS_READ)
    except OSError as error:
        raise cannot("read", path, error) from error
    arrays = {}
    for name, (dtype, shape, offset) in opened.entries.items():
        count = math.prod(shape)
        # frombuffer refuses to look at nothing, which an empty array is
        flat = np.frombuffer(mapped, dtype, count, opened.start + offset) if count else np.zeros(0, dtype)
        arrays[name] = flat.reshape(shape)
    return Stored(opened.header, arrays, opened.seal)


def load_header(path: Path, kind: str) -> dict[str, Any]:
    """Read the header alone, to list a file without reading its data (which stays unchecked).

    Raises:
        MusegenError: as `load`.
    """
    try:
        with _open(path) as file:
            return _read_header(path, file, kind).header
    except OSError as error:
        raise cannot("read", path, error) from error


@dataclass(frozen=True)
class _Opened:
    header: dict[str, Any]
    entries: dict[str, tuple[np.dtype[Any], tuple[int, ...], int]]
    seal: str
    data: str
    start: int
    end: int


def _open(path: Path) -> BinaryIO:
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise MusegenError(f"cannot read {path}: it is not a file", "Name a file.")
    return Path(path).open("rb")


def _read_header(path: Path, file: BinaryIO, kind: str) -> _Opened:
    """Read and check everything ahead of the data, and that the data is there in full."""
    size = os.fstat(file.fileno()).st_size
    prefix = file.read(8 + len(_START))
    length = int.from_bytes(prefix[:8], "little")
    short = len(prefix) < 8 + len(_START)
    if not prefix or prefix[8:] != _START[: max(0, len(prefix) - 8)] or (short and length > MAX_HEADER):
        hint = f"Use a {kind} that musegen wrote."
        raise MusegenError(f"{path} is not a musegen {kind}" + ("" if prefix else ": it is empty"), hint)
    if short or (length <= MAX_HEADER and size < 8 + length):
        raise _cut(path)
    if not _SEAL.stop + 2 <= length <= MAX_HEADER:
        raise _altered(path)
    text = prefix[8:] + file.read(length - len(_START))
    if text[_SEAL] != _seal(text):
        raise _altered(path)
    try:
        parsed = json.loads(text, parse_constant=_no_constant)
        metadata = parsed.pop("__metadata__")
        version = int(metadata["version"])
        if metadata["kind"] != kind:
            raise MusegenError(f"{path} is a {metadata['kind']}, not a {kind}", f"Name a {kind}.")
        if version > VERSIONS[kind]:
            raise MusegenError(
                f"{path} is a {kind} of format {version}; this musegen reads up to {VERSIONS[kind]}", "Update musegen."
            )
        header = json.loads(metadata["header"], parse_constant=_no_constant)
        if set(metadata) != _METADATA or not isinstance(header, dict):
            raise ValueError("unexpected metadata")
        entries, length_of_data = _entries(parsed)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # The seal is right, so no accident: whoever wrote this did not follow the format.
        raise MusegenError(f"{path} is not a musegen {kind}: its header makes no sense") from error
    end = 8 + length + length_of_data
    if size < end:
        raise _cut(path)
    if size > end:
        raise _altered(path)
    return _Opened(header, entries, metadata["seal"], metadata["data"], 8 + length, end)


def _entries(parsed: dict[str, Any]) -> tuple[dict[str, tuple[np.dtype[Any], tuple[int, ...], int]], int]:
    """Where each array lies, and where the last one ends; they must fill the data without gap or overlap."""
    entries, end = {}, 0
    for name, entry in sorted(parsed.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (first, last) = np.dtype(_DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
        if any(type(number) is not int or not 0 <= number < 2**48 for number in (*shape, first, last)):
            raise ValueError("unexpected number")
        if first != end or last - first != math.prod(shape) * dtype.itemsize:
            raise ValueError("arrays do not fill the data")
        entries[name] = dtype, tuple(shape), first
        end = last
    return entries, end


def _seal(text: bytes) -> bytes:
    """The hash of a header and its length, as if the place of the seal held zeros."""
    blank = text[: _SEAL.start] + b"0" * 64 + text[_SEAL.stop :]
    return hashlib.blake2b(len(text).to_bytes(8, "little") + blank, digest_size=32).hexdigest().encode()


def _all_chunks(ordered: list[tuple[str, NDArray[Any] | OnDisk]]) -> Iterator[bytes | memoryview]:
    for _, array in ordered:
        if isinstance(array, OnDisk):
            with array.path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        elif array.size:
            yield np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _cut(path: Path) -> MusegenError:
    return MusegenError(f"{path} is cut short", "Copy or download it again.")


def _altered(path: Path) -> MusegenError:
    return MusegenError(
        f"{path} was altered after it was written: its hash is wrong", "Copy or download it again, or make it anew."
    )

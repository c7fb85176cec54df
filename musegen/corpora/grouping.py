"""Pieces that are versions of one another, and splits that keep them on one side.

At random, two thirds of held-out chorales share their melody with one that was trained on. So pieces are first put
into groups, in interval space, where transpositions coincide; then whole groups are dealt out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from musegen.representation.roll import REST, Roll

SPLITS = ("train", "validation", "test")

_MOST_HOLDERS = 64
_MOST_ENTRIES = 2**20

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Rule:
    """Two pieces belong together when they share enough passages of one kind.

    Attributes:
        passages: a piece's passages of this kind, as distinct hashes.
        share: of the passages of the piece that has fewer.
    """

    passages: Callable[[Roll], Hashes]
    share: float


def melody_by_beat(roll: Roll) -> Hashes:
    """Every 8 beats of the top voice, as the intervals from beat to beat: ornaments do not matter."""
    return _passages(_sampled(roll, 1)[:, :1], 7)


def voices_by_beat(roll: Roll) -> Hashes:
    """Every 8 beats of all voices, as their intervals from beat to beat."""
    return _passages(_sampled(roll, 1), 7)


def melody_by_note(roll: Roll) -> Hashes:
    """Every 10 intervals from note to note of the top voice: rhythm does not matter."""
    column = roll.symbols[:, :1]
    return _passages(column[column < REST][:, None].astype(np.int64), 10)


def melody_by_eighth(roll: Roll) -> Hashes:
    """Every 11 eighth notes of the top voice, as the intervals between them: repeated and tied notes are the same."""
    return _passages(_sampled(roll, 2)[:, :1], 10)


SEVERAL_VOICES = (Rule(melody_by_beat, 0.3), Rule(melody_by_note, 0.15), Rule(voices_by_beat, 0.5))
"""For chorales and other part music: the same melody, plain or in another metre, or the same harmony."""
ONE_VOICE = (Rule(melody_by_note, 0.15), Rule(melody_by_eighth, 0.15))
"""For tunes: a strain in common, noted alike or with another rhythm."""


def rules_for(voices: int) -> tuple[Rule, ...]:
    """The rules by which pieces of so many voices are grouped."""
    return ONE_VOICE if voices == 1 else SEVERAL_VOICES


def group(rolls: Iterable[Roll], titles: Sequence[str] = ()) -> list[list[int]]:
    """Put pieces with as many voices into groups, in memory.

    Args:
        rolls: the pieces.
        titles: of the pieces, or none; those of the same title belong together.

    Returns:
        The indices of each group's pieces.
    """
    indices: list[Passages] = []
    rules: tuple[Rule, ...] = ()
    count = 0
    for count, roll in enumerate(rolls, 1):  # noqa: B007 - it is used after the loop
        rules = rules or rules_for(roll.voices)
        indices = indices or [Passages() for _ in rules]
        for rule, index in zip(rules, indices, strict=True):
            index.add(rule.passages(roll))
    groups = Groups(count)
    for rule, index in zip(rules, indices, strict=True):
        index.join(groups, rule.share)
    groups.join_equal([plain(title) or None for title in titles])
    return groups.lists()


def plain(title: str) -> str:
    """A title without what editions differ in: case, accents, articles, punctuation."""
    bare = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9 ]+", " ", bare.replace("'", "")).split()
    return "".join(word for word in words if word not in ("a", "an", "the"))


class Groups:
    """Sets that grow together: each piece begins alone."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, piece: int) -> int:
        """The smallest piece of the group that this one is in."""
        while self._parent[piece] != piece:
            self._parent[piece] = self._parent[self._parent[piece]]
            piece = self._parent[piece]
        return piece

    def join(self, a: int, b: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.find(a), self.find(b)))
        self._parent[second] = first

    def join_equal(self, labels: Sequence[Hashable | None]) -> None:
        """Join the pieces that have the same label; None is no label."""
        seen: dict[Hashable, int] = {}
        for piece, label in enumerate(labels):
            if label is not None:
                self.join(piece, seen.setdefault(label, piece))

    def lists(self) -> list[list[int]]:
        """Every group, smallest piece first, in the order of these."""
        found: dict[int, list[int]] = {}
        for piece in range(len(self._parent)):
            found.setdefault(self.find(piece), []).append(piece)
        return list(found.values())


class Passages:
    """Which piece holds which passage, for one rule, in bounded memory.

    When there are too many passages, every second one is forgotten, chosen by its hash and so in all pieces alike:
    shares stay what they were, only more coarsely measured.
    """

    def __init__(self, most: int = _MOST_ENTRIES) -> None:
        self._most = most
        self._every = 1
        self._hashes: list[Hashes] = []
        self._entries = 0

    def add(self, hashes: Hashes) -> None:
        """Add the next piece's passages."""
        kept = self._thinned(hashes)
        self._hashes.append(kept)
        self._entries += len(kept)
        while self._entries > self._most:
            self._every *= 2
            self._hashes = [self._thinned(each) for each in self._hashes]
            self._entries = sum(map(len, self._hashes))

    def join(self, groups: Groups, share: float) -> None:
        """Join the pieces that have at least this share of their passages in common.

        Takes time in proportion to the number of passages: a passage that very many pieces hold only counts for the
        first of them, to whom the others are then joined.
        """
        sizes = np.array([len(each) for each in self._hashes])
        if not sizes.sum():
            return
        hashes = np.concatenate(self._hashes)
        order = np.argsort(hashes, kind="stable").astype(np.int32)  # small numbers: this is where memory peaks
        hashes = hashes[order]
        fresh = np.concatenate([[True], hashes[1:] != hashes[:-1]])
        del hashes
        members = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[order]  # pieces, passage by passage
        runs = np.empty(len(order), np.int32)  # which passage each entry is, piece by piece
        runs[order] = np.cumsum(fresh, dtype=np.int32) - 1
        starts = np.flatnonzero(fresh)
        lengths = np.diff(np.append(starts, len(order)))
        least = 1 if self._every == 1 else 2  # a single passage of the few that were kept may be chance
        first = 0
        for piece, size in enumerate(sizes.tolist()):
            mine = runs[first : first + size]
            first += size
            mine = mine[lengths[mine] > 1]
            if not len(mine):
                continue
            places = np.arange(min(_MOST_HOLDERS, int(lengths[mine].max())))
            there = places < lengths[mine][:, None]
            others = members[(starts[mine][:, None] + places)[there]]
            common = np.bincount(others)
            common[piece:] = 0  # each pair once
            near = np.flatnonzero(common >= np.maximum(least, share * np.minimum(size, sizes[: len(common)])))
            for other in near.tolist():
                groups.join(piece, other)

    def _thinned(self, hashes: Hashes) -> Hashes:
        return hashes if self._every == 1 else hashes[hashes % np.uint64(self._every) == 0]


def deal(ids: Sequence[str], groups: Sequence[Sequence[int]], shares: Sequence[float]) -> list[str]:
    """Deal whole groups out to the splits.

    The groups are taken in the order of a hash of their smallest ids, so that pieces added later move few others. Test
    and validation take what still fits into their shares, and at least one group each when there are enough of them;
    train takes the rest.

    Args:
        ids: of the pieces.
        groups: of indices into `ids`.
        shares: of train (above 0), validation and test; in any unit.

    Returns:
        The split of each piece.
    """
    waiting = sorted(groups, key=lambda group: _place(min(ids[piece] for piece in group)))
    dealt = ["train"] * len(ids)
    for split, share, to_come in (("test", shares[2], 1 + bool(shares[1])), ("validation", shares[1], 1)):
        if not share:
            continue
        room = max(1, round(len(ids) * share / sum(shares)))
        taken: list[Sequence[int]] = []
        for group in waiting:
            if len(group) <= room:
                taken.append(group)
                room -= len(group)
        taken = (taken or sorted(waiting, key=len)[:1])[: max(0, len(waiting) - to_come)]
        for group in taken:
            for piece in group:
                dealt[piece] = split
        waiting = [group for group in waiting if dealt[group[0]] == "train"]
    return dealt


def _place(name: str) -> float:
    """A number from 0 to 1 that looks drawn at random and is always the same for a name."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:6], "big") / 2**48


def _sampled(roll: Roll, per_quarter: int) -> NDArray[np.int64]:
    """What sounds at regular times from the first bar line on: (times, voices); a rest repeats the note before it."""
    grid = roll.steps_per_quarter
    pitches = roll.sounding()
    if grid % per_quarter == 0:
        stride = grid // per_quarter
        pitches = pitches[roll.pickup % stride :: stride]
    else:
        times = np.arange(roll.pickup % grid, roll.steps, grid / per_quarter)
        pitches = pitches[times.astype(int)]
    return _without_rests(pitches)


def _without_rests(pitches: NDArray[np.uint8]) -> NDArray[np.int64]:
    if not len(pitches):
        return pitches.astype(np.int64)
    first = (pitches != REST).argmax(axis=0)  # a rest at the beginning takes the first note
    latest = np.maximum(np.where(pitches == REST, 0, np.arange(len(pitches))[:, None]), first)
    np.maximum.accumulate(latest, axis=0, out=latest)
    return np.take_along_axis(pitches, latest, axis=0).astype(np.int64)


def _passages(pitches: NDArray[np.int64], intervals: int) -> Hashes:
    """Hashes of every run of so many intervals: (times, voices) -> (distinct passages,).

    Of a piece too short for one, the whole is the only passage.
    """
    moves = np.diff(pitches, axis=0)
    length = min(intervals, len(moves))
    if not length:
        return np.zeros(0, np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(moves, length, axis=0)  # (passages, voices, length)
    rows = windows.reshape(len(windows), -1).astype(np.uint64)
    hashes = np.full(len(rows), length, np.uint64)
    with np.errstate(over="ignore"):
        for column in range(rows.shape[1]):  # the mixing step of splitmix64, entry by entry
            hashes = (hashes ^ rows[:, column]) * np.uint64(0x9E3779B97F4A7C15)
            hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            hashes ^= hashes >> np.uint64(27)
    return np.unique(hashes)

"""What pieces share with a corpus: bars that stand in it, and runs of notes, in any key and at any tempo.

Two measures, and for both the rate at which real held-out pieces do the same, since composers quote too:

- *copied bars*: windows of one 4/4 bar, one from every quarter on, that occur in the corpus exactly, all voices;
- *runs*: notes of a voice that follow one another as somewhere in the corpus. A run of n notes has its n - 1 intervals
  and its n - 2 ratios of successive onset gaps from there. Runs of `RUN` notes or more count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from musegen.corpora import Corpus
from musegen.errors import MusegenError
from musegen.representation.roll import REST, Roll

RUN = 8
"""Notes from which a run counts."""

_Hashes = NDArray[np.uint64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Run:
    """Notes of a piece that stand in the corpus too.

    Attributes:
        notes: how many.
        voice: of the piece, from 1.
        bars: (first, last) bar of the piece; a pickup is bar 0.
        piece: id of the corpus's piece.
        piece_voice: of the corpus's piece, from 1.
        piece_bars: (first, last) bar of the corpus's piece.
    """

    notes: int
    voice: int
    bars: tuple[int, int]
    piece: str
    piece_voice: int
    piece_bars: tuple[int, int]


@dataclass(frozen=True)
class Line:
    """What one voice of a piece shares with all voices of the corpus.

    Attributes:
        notes: of the voice.
        inside: how many of them lie in runs of `RUN` or more.
        longest: the longest of these runs; None when there is none.
        nearest: id of the corpus's piece that has the most of these notes; None when none has any.
        nearest_notes: how many it has.
    """

    notes: int
    inside: int
    longest: Run | None
    nearest: str | None
    nearest_notes: int


@dataclass(frozen=True)
class Copied:
    """What one piece shares with the corpus.

    Attributes:
        windows: of one bar that are not silent.
        copied: how many of them occur in the corpus.
        voices: what each voice shares, the highest first.
    """

    windows: int
    copied: int
    voices: tuple[Line, ...]

    @property
    def longest(self) -> Run | None:
        """The longest run of any voice."""
        return max((line.longest for line in self.voices if line.longest), key=lambda run: run.notes, default=None)

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Rates:
    """What a set of pieces shares with the corpus.

    Attributes:
        pieces: how many there are.
        copied_bars: share of the windows that occur in the corpus.
        top_inside: share of the notes of the top voices that lie in runs of `RUN` or more.
        inside: the same for all voices.
        top_longest: notes of the longest run in the top voice, the median over the pieces; runs below `RUN` are 0.
        longest: the same for any voice.
        longest_of_all: the longest run of all pieces.
    """

    pieces: int
    copied_bars: float
    top_inside: float
    inside: float
    top_longest: float
    longest: float
    longest_of_all: int

    @classmethod
    def of(cls, found: Sequence[Copied]) -> Rates:
        """Sum up; what cannot be counted (no windows, no notes) is 0."""
        tops = [each.voices[0] for each in found]
        lines = [line for each in found for line in each.voices]
        longest = [_length(each.longest) for each in found]
        return cls(
            len(found),
            _share(sum(each.copied for each in found), sum(each.windows for each in found)),
            _share(sum(line.inside for line in tops), sum(line.notes for line in tops)),
            _share(sum(line.inside for line in lines), sum(line.notes for line in lines)),
            float(median([_length(line.longest) for line in tops])) if found else 0.0,
            float(median(longest)) if found else 0.0,
            max(longest, default=0),
        )


class Index:
    """A corpus, ready to be asked what of a piece stands in it. Use `Index.of`."""

    def __init__(self, rolls: Sequence[Roll], ids: Sequence[str], window: int, onsets: bool) -> None:
        self._rolls, self._ids = rolls, ids
        self._window, self._onsets = window, onsets
        self._bars = np.unique(np.concatenate([self._windows(roll) for roll in rolls]))
        self._notes = _Notes.of(rolls)
        self._places, hashes = self._notes.runs()
        order = np.argsort(hashes, kind="stable")  # places of the same notes stay in order
        self._hashes, self._places = hashes[order], self._places[order]

    @classmethod
    def of(cls, rolls: Sequence[Roll], ids: Sequence[str], window: int | None = None, onsets: bool = True) -> Index:
        """Index a corpus's training pieces.

        Args:
            rolls: on one grid, with as many voices each.
            ids: what the pieces are called.
            window: steps of a window; one 4/4 bar when not given.
            onsets: whether copied bars must agree in where notes begin; False compares what sounds, for music whose
                source does not tell a repeated note from a long one.

        Raises:
            MusegenError: there are no pieces, or they differ in voices or grid.
        """
        if not rolls:
            raise MusegenError("there are no pieces to look for copies in", "Use a corpus with training pieces.")
        if len({(roll.voices, roll.steps_per_quarter) for roll in rolls}) > 1:
            raise MusegenError("pieces with different voices or grids cannot be searched together")
        return cls(rolls, ids, window or 4 * rolls[0].steps_per_quarter, onsets)

    def copied(self, roll: Roll) -> Copied:
        """Look a piece up.

        Args:
            roll: with the corpus's voices, on its grid.

        Raises:
            MusegenError: it has other voices or another grid.
        """
        first = self._rolls[0]
        if (roll.voices, roll.steps_per_quarter) != (first.voices, first.steps_per_quarter):
            raise MusegenError(
                f"the corpus has {first.voices} voices at {first.steps_per_quarter} steps per quarter, this piece has "
                f"{roll.voices} at {roll.steps_per_quarter}",
                "Encode it as the corpus is.",
            )
        windows = self._windows(roll)
        return Copied(
            len(windows),
            int(_lies_in(windows, self._bars)[1].sum()),
            tuple(self._line(roll, voice) for voice in range(roll.voices)),
        )

    def _windows(self, roll: Roll) -> _Hashes:
        """(windows,) one for each window with a note; equal for equal windows, whatever their key."""
        hop = roll.steps_per_quarter
        sounding = roll.sounding()
        first = roll.pickup % hop  # quarters are counted from the bar line
        if roll.steps < first + self._window:
            return np.zeros(0, np.uint64)
        lowest = sliding_window_view(sounding.min(axis=1), self._window)[first::hop].min(axis=1)
        cells = sliding_window_view(sounding, self._window, axis=0)[first::hop].astype(np.int64)  # (W, voices, window)
        codes = np.where(cells == REST, 0, 1 + cells - lowest[:, None, None])
        if self._onsets:
            begins = sliding_window_view(roll.symbols < REST, self._window, axis=0)[first::hop]
            codes += REST * begins
        hashes = codes.reshape(len(codes), -1).astype(np.uint64) @ _factors(roll.voices * self._window)
        kept: _Hashes = hashes[lowest != REST]
        return kept

    def _line(self, roll: Roll, voice: int) -> Line:
        """What a voice shares.

        Every window of `RUN` notes is looked up; places in the corpus that follow one another as the windows do make
        a longer run.
        """
        notes = _Notes.of([roll], voice)
        _, hashes = notes.runs()  # of one voice: window number i begins at note i
        left, right = (np.searchsorted(self._hashes, hashes, side) for side in ("left", "right"))
        covered = np.zeros(len(notes.onsets), np.bool_)
        ends, has = np.zeros(len(self._ids), np.int64), np.zeros(len(self._ids), np.int64)
        before, lengths = np.zeros(0, np.int64), np.zeros(0, np.int64)
        best, here, there = 0, 0, 0
        for start in np.flatnonzero(left < right).tolist():
            places = self._places[left[start] : right[start]]
            if not covered[start + RUN - 2]:  # the window before was not found
                before = lengths[:0]
            at, goes_on = _lies_in(places - 1, before)
            lengths = np.where(goes_on, lengths[at] + 1, RUN) if len(before) else np.full(len(places), RUN)
            before = places
            covered[start : start + RUN] = True
            if (longest := int(lengths.max())) > best:
                best = longest
                here = start + RUN - best
                there = int(places[lengths.argmax()]) + RUN - best
            pieces = self._notes.pieces[places]
            pieces = pieces[np.diff(pieces, prepend=-1) > 0]
            has[pieces] += start + RUN - np.maximum(ends[pieces], start)
            ends[pieces] = start + RUN
        inside = int(covered.sum())
        nearest = int(has.argmax())
        run = self._run(roll, voice, notes.onsets[here : here + best], there) if best else None
        return Line(len(covered), inside, run, self._ids[nearest] if inside else None, int(has[nearest]))

    def _run(self, roll: Roll, voice: int, onsets: _Ints, there: int) -> Run:
        """Say where a run stands: these onsets of a voice, and the corpus's notes from a place on."""
        number = int(self._notes.pieces[there])
        found = self._notes.onsets[there : there + len(onsets)]
        in_piece = self._rolls[number].clock()[0]
        here = roll.clock()[0]
        return Run(
            len(onsets),
            voice + 1,
            (int(here[onsets[0]]), int(here[onsets[-1]])),
            self._ids[number],
            int(self._notes.voices[there]) + 1,
            (int(in_piece[found[0]]), int(in_piece[found[-1]])),
        )


@dataclass(frozen=True, eq=False)
class _Notes:
    """The notes of some voices, one voice after another: (notes,) each."""

    pitches: _Ints
    onsets: _Ints
    pieces: _Ints
    voices: _Ints

    @classmethod
    def of(cls, rolls: Sequence[Roll], voice: int | None = None) -> _Notes:
        """The notes of all voices of each roll, or of one."""
        parts: list[tuple[_Ints, _Ints, int, int]] = []
        for number, roll in enumerate(rolls):
            for each in range(roll.voices) if voice is None else (voice,):
                column = roll.symbols[:, each]
                onsets = np.flatnonzero(column < REST)
                parts.append((column[onsets].astype(np.int64), onsets, number, each))
        counts = [len(onsets) for _, onsets, _, _ in parts]
        return cls(
            np.concatenate([pitches for pitches, _, _, _ in parts]),
            np.concatenate([onsets for _, onsets, _, _ in parts]),
            np.repeat([number for _, _, number, _ in parts], counts),
            np.repeat([each for _, _, _, each in parts], counts),
        )

    @cached_property
    def _lines(self) -> _Ints:
        return self.pieces * (int(self.voices.max(initial=0)) + 1) + self.voices

    def runs(self) -> tuple[_Ints, _Hashes]:
        """Where each window of `RUN` notes of one voice begins, and what it is, whatever its key and tempo."""
        count = len(self.pitches) - RUN + 1
        if count < 1:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        intervals = np.diff(self.pitches)
        gaps = np.diff(self.onsets)
        # A change of voice leaves gaps below 1; no window that has one is kept.
        common = np.maximum(1, np.gcd(gaps[1:], gaps[:-1]))
        ratios = _mixed((gaps[1:] // common) * 2**32 + gaps[:-1] // common)
        steps = _mixed(intervals)
        factors = _factors(2 * RUN)
        hashes = np.zeros(count, np.uint64)
        for place in range(RUN - 1):
            hashes += steps[place : place + count] * factors[place]
        for place in range(RUN - 2):
            hashes += ratios[place : place + count] * factors[RUN + place]
        starts = np.flatnonzero(self._lines[:count] == self._lines[RUN - 1 :])
        return starts, hashes[starts]


def own_rates(corpus: Corpus, index: Index, split: str = "test") -> Rates:
    """What a corpus's held-out pieces share with its training pieces: the measure for new ones.

    Args:
        corpus: the one that was indexed.
        index: of its training pieces.
        split: which pieces are held out.
    """
    return Rates.of([index.copied(corpus.roll(number)) for number in corpus.split(split)])


def _lies_in(values: NDArray[Any], ordered: NDArray[Any]) -> tuple[_Ints, NDArray[np.bool_]]:
    """Where each value would stand in an ordered array, inside its bounds, and whether it stands there."""
    if not len(ordered):
        return np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return at, ordered[at] == values


def _factors(count: int) -> _Hashes:
    """The same random odd numbers each time: sums of products with them are equal by chance once in 2^57."""
    return np.random.default_rng(count).integers(0, 2**63, count, np.uint64) * np.uint64(2) + np.uint64(1)


def _mixed(values: _Ints) -> _Hashes:
    """Numbers spread over all 64 bits, each by itself (the end of SplitMix64)."""
    mixed = values.astype(np.uint64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _length(run: Run | None) -> int:
    return run.notes if run else 0

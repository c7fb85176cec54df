"""Pieces held against a corpus: what they are like, whether they can be told apart, what they copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from musegen.corpora import Corpus
from musegen.errors import MusegenError
from musegen.evaluation.notes import beginnings
from musegen.evaluation.originality import Copied, Index, Rates, own_rates
from musegen.evaluation.sets import Overlap, overlaps
from musegen.evaluation.statistics import groups, spread, table
from musegen.evaluation.two_sample import TwoSample, two_sample
from musegen.representation.roll import Roll

T = TypeVar("T")

WIDER = 1.25
"""From here on it is said that few pieces vary more by chance than the held-out halves."""
ROUNDING = 1e-9
"""What sums in another order may differ by."""


@dataclass(frozen=True)
class Row:
    """A statistic of both sides.

    Attributes:
        label: what is counted, with its unit.
        pieces: its value for the pieces; None when they have nothing to count.
        corpus: its value for the corpus's held-out pieces; None when they have nothing to count.
        low: where 95 % of random halves of the held-out pieces begin, and
        high: where they end; None when there are too few pieces.
    """

    label: str
    pieces: float | None
    corpus: float | None
    low: float | None
    high: float | None

    @property
    def mark(self) -> str:
        """`above` or `below` where the pieces lie outside the halves, or empty."""
        if self.pieces is None or self.low is None or self.high is None:
            return ""
        if self.low - ROUNDING <= self.pieces <= self.high + ROUNDING:
            return ""
        return "above" if self.pieces > self.high else "below"


@dataclass(frozen=True)
class Comparison:
    """All that is known of some pieces beside a corpus.

    Attributes:
        corpus: its name.
        split: whose pieces are held out.
        ids: of the pieces.
        held_out: how many pieces the split has.
        statistics: rows under their headings.
        overlaps: by feature; empty when there are too few pieces.
        told_apart: the two-sample test; None when there are too few pieces.
        originality: for each piece, what it shares with the training pieces.
        rates: the same for all of them together.
        own_rates: the same for the held-out pieces.
        remarks: what is missing and why, and what to bear in mind, one line each.
    """

    corpus: str
    split: str
    ids: tuple[str, ...]
    held_out: int
    statistics: dict[str, tuple[Row, ...]]
    overlaps: dict[str, Overlap]
    told_apart: TwoSample | None
    originality: tuple[Copied, ...]
    rates: Rates
    own_rates: Rates
    remarks: tuple[str, ...]

    def rows(self) -> list[Row]:
        """Every statistic."""
        return [row for rows in self.statistics.values() for row in rows]

    def as_dict(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "corpus": self.corpus,
            "split": self.split,
            "pieces": len(self.ids),
            "held_out": self.held_out,
            "statistics": {
                row.label: {
                    "pieces": row.pieces,
                    "corpus": row.corpus,
                    "low": row.low,
                    "high": row.high,
                    "outside": row.mark,
                }
                for row in self.rows()
            },
            "overlaps": {name: asdict(each) for name, each in self.overlaps.items()},
            "two_sample": asdict(self.told_apart) if self.told_apart else None,
            "originality": {"pieces": asdict(self.rates), "corpus": asdict(self.own_rates)},
            "copied": {id_: found.as_dict() for id_, found in zip(self.ids, self.originality, strict=True)},
            "remarks": list(self.remarks),
        }


def compare(
    rolls: Sequence[Roll],
    ids: Sequence[str],
    corpus: Corpus,
    split: str = "test",
    bars: int | None = None,
    seed: int = 0,
) -> Comparison:
    """Hold pieces against a corpus's held-out pieces, and look for copies of its training pieces.

    Args:
        rolls: with the corpus's voices, on its grid.
        ids: what the pieces are called.
        corpus: with pieces in `split` and for training.
        split: the held-out pieces to compare with.
        bars: the statistics and the test look at the first so many bars of both sides, and leave out shorter pieces;
            copies are looked for in whole pieces.
        seed: of the random halves and the test.

    Raises:
        MusegenError: the split is empty, there is nothing to train on, the pieces are of another shape, or none has so
            many bars.
    """
    real = [corpus.roll(number) for number in corpus.split(split)]
    if not real:
        raise MusegenError(f"{corpus.name} has no {split} pieces", "Choose another --split, or another corpus.")
    sides = [(rolls, "of the pieces"), (real, f"of the {split} pieces")]
    if bars is not None:
        sides = [(beginnings(side, bars), whose) for side, whose in sides]
        for side, whose in sides:
            if not side:
                raise MusegenError(f"none {whose} has {bars} bars", "Choose fewer --bars.")
    (parts, _), (real_parts, _) = sides
    train = corpus.split("train")
    index = Index.of([corpus.roll(number) for number in train], [corpus.ids[number] for number in train])
    found = tuple(index.copied(roll) for roll in rolls)
    remarks: list[str] = []

    def try_(what: str, measure: Callable[[], T]) -> T | None:
        """Measure, unless there is too little to measure."""
        try:
            return measure()
        except MusegenError as error:
            remarks.append(f"no {what}: {error.args[0]}")
            return None

    ours, theirs = table(rolls, bars), table(real, bars)
    labels_of = groups(rolls)
    if theirs.keys() - {label for labels in labels_of.values() for label in labels}:
        labels_of = groups([*rolls, *real])  # rarely needed, and slow
    halves = try_("spread of the held-out pieces", lambda: spread(real, bars, seed)) or {}

    wider = math.sqrt(len(real_parts) / len(parts))
    if halves and wider > WIDER:
        remarks.append(
            f"the 95 % are those of about {len(real_parts)} pieces: "
            f"{len(parts)} stray {wider:.1f} times as far by chance"
        )

    def row(label: str) -> Row:
        half = halves.get(label)
        low, high = (half.low, half.high) if half else (None, None)
        return Row(label, ours.get(label), theirs.get(label), low, high)

    return Comparison(
        corpus.name,
        split,
        tuple(ids),
        len(real),
        {
            heading: rows
            for heading, labels in labels_of.items()
            if (rows := tuple(row(label) for label in labels if label in ours or label in theirs))
        },
        try_("overlapping areas", lambda: overlaps(parts, real_parts)) or {},
        try_("two-sample test", lambda: two_sample(rolls, real, seed, bars)),
        found,
        Rates.of(found),
        own_rates(corpus, index, split),
        tuple(remarks),
    )

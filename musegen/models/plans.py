"""What a new piece begins with: metre, key, pickup and length, drawn as the training pieces have them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from musegen.errors import MusegenError
from musegen.representation.roll import Roll
from musegen.representation.template import Template
from musegen.score import MODES, Key, Metre

MAX_PLANS = 4096
"""The commonest are kept; a checkpoint stays small whatever its corpus."""
LONGEST = 100_000
"""Steps; a longer piece is refused."""
METRES = 255 * 7
"""How many there are."""
KEYS = 15 * len(MODES) + 1
"""How many there are, with none at all."""
PRIOR = 2.0
"""Pieces that what is broader counts for."""
NEAR = 4
"""Bars up and down that a training piece makes likelier."""


@dataclass(frozen=True)
class Plan:
    """The frame of a piece.

    Attributes:
        metre: of all its bars.
        key: None when the music did not say.
        pickup: steps before bar 1.
        bars: whole bars after the pickup, the last one counted even if cut short.
        missing: steps by which the last bar is cut short, as tunes with a pickup are.
    """

    metre: Metre
    key: Key | None
    pickup: int
    bars: int
    missing: int

    @classmethod
    def of(cls, roll: Roll) -> Plan | None:
        """The plan of a piece; None when its metre changes or a bar on the way is cut short."""
        if len(roll.metres) != 1 or roll.steps == 0:
            return None
        metre = roll.metres[0][1]
        bars, rest = divmod(roll.steps - roll.pickup, roll.steps_of(metre))
        missing = roll.steps_of(metre) - rest if rest else 0
        return cls(metre, roll.keys[0][1] if roll.keys else None, roll.pickup, bars + bool(rest), missing)

    def template(self, frame: Roll, tempo: float | None = None) -> Template:
        """All open.

        Args:
            frame: a roll with the voices, their names and instruments, and the grid.
            tempo: quarter notes per minute.

        Raises:
            MusegenError: the piece would be too long, or its bars do not fit the grid.
        """
        bar = self.metre.quarters * frame.steps_per_quarter
        if bar.denominator != 1:
            raise MusegenError(
                f"a bar of {self.metre} does not fit this model's {frame.steps_per_quarter} steps per quarter",
                "Choose another metre.",
            )
        steps = self.pickup + self.bars * int(bar) - self.missing
        if not 1 <= steps <= LONGEST:
            raise MusegenError(f"{self.bars} bars of {self.metre} are too many", f"At most {LONGEST // int(bar)}.")
        roll = replace(
            frame,
            symbols=np.full((steps, frame.voices), 128, np.uint8),
            metres=((0, self.metre),),
            pickup=self.pickup,
            keys=((0, self.key),) if self.key else (),
            tempi=((0, tempo or usual_tempo(self.metre, frame.voices)),),
        )
        return Template(roll, np.ones(roll.symbols.shape, bool))

    def to_json(self) -> list[Any]:
        """Plain data."""
        key = [self.key.fifths, self.key.mode] if self.key else None
        return [str(self.metre), key, self.pickup, self.bars, self.missing]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Plan:
        """The inverse of `to_json`."""
        metre, key, pickup, bars, missing = data
        return cls(Metre.parse(metre), Key(*key) if key else None, int(pickup), int(bars), int(missing))


Plans = tuple[tuple[Plan, int], ...]
"""Plans with how many training pieces have each, commonest first."""


def plans_of(rolls: Iterable[Roll]) -> Plans:
    """The plans of a corpus."""
    counts = Counter(plan for plan in map(Plan.of, rolls) if plan)
    return tuple(counts.most_common(MAX_PLANS))


def frame_nats(plans: Plans, plan: Plan) -> float:
    """What it costs to tell a piece's frame to someone who knows the training pieces: minus its log-probability.

    Told one after another, each in the light of those before: metre, key, bars, pickup, missing steps. Every count is
    mixed with something broader (all metres' counts, neighbouring lengths, a tail that never ends), so that nothing
    costs infinitely much, and the probabilities of all frames sum to at most 1.
    """
    alike = [(each, count) for each, count in plans if each.metre == plan.metre]
    lasting = [(each, count) for each, count in alike if each.pickup == plan.pickup]
    metre = _mixed(_share(plans, plan, "metre"), plans, 1 / METRES)
    key = _mixed(_share(alike, plan, "key"), alike, _mixed(_share(plans, plan, "key"), plans, 1 / KEYS))
    bars = _mixed(_share(alike, plan, "bars"), alike, _length_chance(plans, plan.bars))
    pickup = _mixed(_share(alike, plan, "pickup"), alike, _tail(plan.pickup + 1))
    whole = (plan.missing == plan.pickup) / 2 + _tail(plan.missing + 1) / 2  # a pickup's bar is often ended by the last
    missing = _mixed(_share(lasting, plan, "missing"), lasting, whole)
    return -math.log(metre) - math.log(key) - math.log(bars) - math.log(pickup) - math.log(missing)


def _share(plans: Sequence[tuple[Plan, int]], plan: Plan, name: str) -> float:
    """How many pieces have the same there."""
    return float(sum(count for each, count in plans if getattr(each, name) == getattr(plan, name)))


def _mixed(count: float, among: Sequence[tuple[Plan, int]], broader: float) -> float:
    """A probability from counts, and from something broader as if it had been counted too."""
    return (count + PRIOR * broader) / (sum(each for _, each in among) + PRIOR)


def _length_chance(plans: Plans, bars: int) -> float:
    """The probability of so many bars in any metre: as counted, or near what was counted, or anything."""
    total = sum(count for _, count in plans)
    if not total:
        return _tail(bars + 1)
    same = sum(count for each, count in plans if each.bars == bars) / total
    near = sum(count for each, count in plans if abs(each.bars - bars) <= NEAR) / total / (2 * NEAR + 1)
    return 0.6 * same + 0.3 * near + 0.1 * _tail(bars + 1)


def _tail(number: int) -> float:
    """1 / 2, 1 / 6, 1 / 12, ... for 1, 2, 3, ...; they sum to 1."""
    return 1 / (number * (number + 1))


def choose(
    plans: Plans,
    generator: np.random.Generator,
    bars: int | None = None,
    key: Key | None = None,
    metre: Metre | None = None,
) -> Plan:
    """Draw a plan as often as the training pieces have it, among those nearest to what is asked for.

    Args:
        plans: of the training pieces.
        generator: of this piece.
        bars: whole bars after the pickup.
        key: of the piece.
        metre: of the piece; one that no training piece has is begun without a pickup.
    """
    pool = list(plans) or [(Plan(metre or Metre(4, 4), None, 0, 16, 0), 1)]
    if metre:
        plain = [(replace(plan, metre=metre, pickup=0, missing=0), count) for plan, count in pool]
        pool = [(plan, count) for plan, count in pool if plan.metre == metre] or plain
    if key:
        pool = [(plan, count) for plan, count in pool if plan.key and plan.key.mode == key.mode] or pool
    if bars:
        distance = min(abs(plan.bars - bars) for plan, _ in pool)
        pool = [(plan, count) for plan, count in pool if abs(plan.bars - bars) == distance]
    weights = np.array([count for _, count in pool], float)
    plan = pool[int(generator.choice(len(pool), p=weights / weights.sum()))][0]
    return replace(plan, key=key or plan.key, bars=bars or plan.bars)


def instruments(voices: int) -> tuple[int, ...]:
    """General MIDI programs that suit voices which do not say: a choir, or a flute."""
    return (52,) * voices if voices > 1 else (73,)


def usual_tempo(metre: Metre, voices: int) -> float:
    """Quarter notes per minute that suit music which does not say: a chorale's walk, or a dance's step."""
    if voices > 1:
        return 76.0
    dances = {"6/8": 168.0, "9/8": 168.0, "12/8": 168.0, "2/2": 184.0, "4/4": 160.0, "2/4": 104.0, "3/4": 116.0}
    return dances.get(str(metre), 120.0)

"""In which order the bars of a voice are played."""

from __future__ import annotations

from collections.abc import Sequence

from musegen.errors import MusegenError
from musegen.formats.abc.tune import WrittenBar

MAX_BARS = 20_000
"""Bars played in one tune; a file that asks for more is not music."""


def playing_order(bars: Sequence[WrittenBar], parts: str = "") -> tuple[int, ...]:
    """Play out repeats, endings and parts.

    A repeat sign without a beginning (`:|` with no `|:`) goes back to the end of the repeat before it or to the last
    double bar line, whichever is nearer, or else to the beginning. If the bar it stands in is whole, a pickup there
    is left out, for there is no room for it.

    Args:
        bars: as written.
        parts: labels of parts in playing order, such as `AABB`; ignored when one of them is not in the tune.

    Returns:
        Indices into `bars`.

    Raises:
        MusegenError: it would be longer than `MAX_BARS`.
    """
    starts = [i for i, bar in enumerate(bars) if bar.part]
    if not parts or not set(parts) <= {bars[i].part for i in starts}:
        return tuple(_play_all(bars, 0, len(bars)))
    ends = [*starts[1:], len(bars)]
    played = {bars[start].part: _play_all(bars, start, end) for start, end in zip(starts, ends, strict=True)}
    order: list[int] = []
    for label in parts:
        order += played[label]
        _check(order)
    return tuple(order)


def _play_all(bars: Sequence[WrittenBar], begin: int, end: int) -> list[int]:
    order: list[int] = []
    for start, stop in _sections(bars, begin, end):
        _play(bars, start, stop, order)
    return order


def _sections(bars: Sequence[WrittenBar], begin: int, end: int) -> list[tuple[int, int]]:
    """Cut a voice into sections that are each played as often as their repeat signs and endings say."""
    cuts = [begin]
    explicit = bars[begin].opens if begin < end else False
    closed = False  # a repeat sign has been met in this section
    endings: list[int] = []  # where its endings begin
    for i in range(begin, end):
        bar = bars[i]
        if i > cuts[-1]:
            ends = bar.opens or bar.part or bars[i - 1].closes or (bar.section and (closed or not explicit))
            first_ending = bar.endings and not bars[i - 1].closes and not bar.opens  # belongs to what stands before it
            if ends and not first_ending and not _goes_on(bar, closed or bool(endings)):
                cuts.append(i)
                explicit, closed, endings = bar.opens, False, []
        if bar.endings:
            endings.append(i)
        if bar.closes:
            if len(endings) > 1 and not (i + 1 < end and _goes_on(bars[i + 1], True)):
                # The last ending is as long as the first; what follows it without a sign is a part of its own.
                stop = endings[-1] + endings[1] - endings[0]
                if stop <= i:
                    cuts.append(stop)
                    explicit, endings = False, []
            closed = True
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def _goes_on(bar: WrittenBar, repeated: bool) -> bool:
    """Whether a second or later ending begins here."""
    return repeated and bool(bar.endings) and 1 not in bar.endings


def _play(bars: Sequence[WrittenBar], start: int, stop: int, order: list[int]) -> None:
    """Append the bars of one section, pass by pass."""
    passes = max((max(bar.endings, default=1) for bar in bars[start:stop]), default=1)
    passes = max(passes, max(bar.closes for bar in bars[start:stop]) + 1)
    for number in range(1, passes + 1):
        ending: frozenset[int] = frozenset()
        played = False  # an ending of this pass
        first = start + (number > 1 and _pickup_is_written_out(bars, start, stop))
        for i in range(first, stop):
            bar = bars[i]
            if bar.endings:
                ending = bar.endings
                if played and number not in ending:
                    break
            if ending and number not in ending:
                continue
            order.append(i)
            played = played or bool(ending)
            if bar.closes and number < passes:
                break
        _check(order)


def _pickup_is_written_out(bars: Sequence[WrittenBar], start: int, stop: int) -> bool:
    """Whether the bar that goes back is whole, so that the pickup before the first whole bar has no room."""
    first = bars[start]
    back = next((bar for bar in bars[start:stop] if bar.closes), first)
    if first.opens or stop - start < 2 or not first.metre or not back.metre or not back.closes:
        return False
    return 2 * first.duration <= first.metre.quarters and back.duration == back.metre.quarters


def _check(order: list[int]) -> None:
    if len(order) > MAX_BARS:
        raise MusegenError(f"with its repeats it has more than {MAX_BARS} bars")

"""The order in which written bars are played: repeats, endings, da capo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musegen.errors import MusegenError

MAX_BARS = 20_000
"""Bars played; a piece that unfolds to more is refused."""


@dataclass(slots=True)
class Signs:
    """What is written over one bar.

    Attributes:
        forward: a repeat begins here.
        backward: a repeat ends here; how often the passage is played, or 2 when unsaid. 0 without a repeat.
        ending: the rounds for which the ending that begins here is played; empty when none begins.
        ending_stops: whether an ending stops here.
        segno: whether the segno stands here, and so on for the other signs.
    """

    forward: bool = False
    backward: int = 0
    ending: frozenset[int] = frozenset()
    ending_stops: bool = False
    segno: bool = False
    coda: bool = False
    fine: bool = False
    to_coda: bool = False
    da_capo: bool = False
    dal_segno: bool = False


@dataclass(slots=True)
class _Ending:
    first: int
    last: int
    rounds: frozenset[int]
    total: int = 2  # rounds of the whole group of endings
    followed: bool = False  # another ending of the group comes next


def playing_order(signs: Sequence[Signs]) -> tuple[list[int], list[str]]:
    """Play out repeats, endings and one jump (da capo or dal segno, to the fine or over the coda).

    A repeat that has no beginning goes back to the end of the one before, or to the beginning. After a jump, repeats
    are not taken and the last ending is played.

    Returns:
        The indices of the bars as played, and what was ignored, one line each.

    Raises:
        MusegenError: more than `MAX_BARS` would be played.
    """
    if len(signs) > MAX_BARS:
        raise MusegenError(f"more than {MAX_BARS} bars are no piece of music", "Cut it into pieces.")
    endings = _endings(signs)
    by_first = {ending.first: ending for ending in endings}
    by_last = {ending.last: ending for ending in endings}
    jump, segno, coda, ignored = _jump(signs)
    order: list[int] = []
    start, turn, jumped, index = 0, 1, False, 0
    while index < len(signs):
        sign = signs[index]
        if sign.forward and index != start:
            start, turn = index, 1
        ending = by_first.get(index)
        if ending and (ending.followed if jumped else turn not in ending.rounds):
            index = ending.last + 1
            if not ending.followed:
                start, turn = index, 1
            continue
        order.append(index)
        if len(order) > MAX_BARS:
            raise MusegenError(f"its repeats play out to more than {MAX_BARS} bars", "Shorten the piece.")
        ended = by_last.get(index)
        # An ending that another one follows goes back even where the repeat sign was forgotten.
        if not jumped and (sign.backward or (ended and ended.followed)):
            if turn < max(sign.backward, ended.total if ended else 2):
                turn, index = turn + 1, start
                continue
            start, turn = index + 1, 1
        elif ended:
            start, turn = index + 1, 1
        if jumped and sign.fine:
            break
        if jumped and sign.to_coda and coda is not None and coda > index:
            index = coda
        elif not jumped and index == jump:
            jumped, start, turn = True, 0, 1
            index = segno if sign.dal_segno and segno is not None else 0
        else:
            index += 1
    return order, ignored


def _endings(signs: Sequence[Signs]) -> list[_Ending]:
    """Every ending, its group's number of rounds worked out; one that is not closed ends at a repeat or the next."""
    endings: list[_Ending] = []
    for first, sign in enumerate(signs):
        if not sign.ending:
            # A first ending of one bar whose beginning was forgotten: it ends here, and the next one follows.
            forgotten = sign.ending_stops and first + 1 < len(signs) and signs[first + 1].ending
            if forgotten and (not endings or endings[-1].last < first):
                endings.append(_Ending(first, first, frozenset({1})))
            continue
        last = first
        while last < len(signs) - 1 and not (signs[last].ending_stops or signs[last].backward):
            if signs[last + 1].ending:
                break
            last += 1
        closed = signs[last].ending_stops or signs[last].backward or last < len(signs) - 1
        # Where nothing closes the last ending, how far it reaches makes no difference.
        endings.append(_Ending(first, last if closed else first, sign.ending))
    groups: list[list[_Ending]] = []
    group: list[_Ending] = []
    for ending in endings:
        if group and ending.first == group[-1].last + 1:
            group[-1].followed = True
        else:
            group = []
            groups.append(group)
        group.append(ending)
    # An ending for later rounds that no first one goes before is for every round.
    groups = [group for group in groups if 1 in group[0].rounds]
    for group in groups:
        total = max(2, *(max(ending.rounds) for ending in group))
        for ending in group:
            ending.total = total
    return [ending for group in groups for ending in group]


def _jump(signs: Sequence[Signs]) -> tuple[int | None, int | None, int | None, list[str]]:
    """The one bar to jump from, the segno, the coda, and what is ignored."""
    jumps = [index for index, sign in enumerate(signs) if sign.da_capo or sign.dal_segno]
    segno = next((index for index, sign in enumerate(signs) if sign.segno), None)
    coda = next((index for index, sign in enumerate(signs) if sign.coda), None)
    if len(jumps) > 1:
        return None, segno, coda, [f"{len(jumps)} jumps (da capo, dal segno) are not played"]
    if jumps and signs[jumps[0]].dal_segno and segno is None:
        return None, segno, coda, ["a dal segno without its segno is not played"]
    return (jumps[0] if jumps else None), segno, coda, []

"""Separating the overlapping notes of one track into lines that sound one note at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from musegen.errors import MusegenError
from musegen.score import Note

LEGATO = Fraction(1, 16)
"""Quarters by which a player may hold a note into the next without a second line being meant."""


def split_lines(notes: Sequence[Note], limit: int = 8) -> tuple[tuple[Note, ...], ...]:
    """Give every note to a line, whole and unmoved, so that no line overlaps itself.

    There are as many lines as notes ever sound together. Where all of them sound (the maximal contigs), the notes that
    begin together go to the free lines in order of pitch, highest first. Where some are silent, the new notes go to
    the free lines nearest in pitch, measured to what each line sang last and to what it sings in the next maximal
    contig; notes that begin together never cross.

    Args:
        notes: in any order.
        limit: the most lines that make sense for this track.

    Returns:
        The lines, highest first, each in order of time; one empty line for no notes.

    Raises:
        MusegenError: more than `limit` notes sound at once.

    Reference:
        Chew and Wu, "Separating Voices in Polyphonic Music: A Contig Mapping Approach", 2004.
        https://doi.org/10.1007/978-3-540-31807-1_1
    """
    ordered = sorted(notes, key=lambda note: (note.onset, -note.pitch, -note.duration))
    depths = _depths(ordered)
    most = max((depth for _, depth in depths), default=1)
    if most > limit:
        where = next(onset for onset, depth in depths if depth > limit)
        raise MusegenError(
            f"{most} notes of one track sound together (more than {limit} from quarter {float(where):g} on)",
            f"Split the track into at most {limit} lines.",
        )
    if most == 1:
        return (tuple(ordered),)
    ahead = _maximal_pitches(ordered, depths, most)
    full_at = [onset for onset, _ in ahead]
    lines: list[list[Note]] = [[] for _ in range(most)]
    index = 0
    while index < len(ordered):
        onset, first = ordered[index].onset, index
        while index < len(ordered) and ordered[index].onset == onset:
            index += 1
        free = [number for number, line in enumerate(lines) if not line or line[-1].end <= onset]
        place = bisect_left(full_at, onset)
        # Before the first maximal contig and after the last one, the nearest stands for both sides.
        coming = ahead[min(place, len(ahead) - 1)][1]
        costs = [
            [_distance(note.pitch, lines[number], coming[number]) for number in free] for note in ordered[first:index]
        ]
        for note, choice in zip(ordered[first:index], _in_order(costs), strict=True):
            lines[free[choice]].append(note)
    return tuple(tuple(line) for line in lines)


def trim_legato(notes: Sequence[Note], tolerance: Fraction = LEGATO) -> tuple[list[Note], int]:
    """End each note that reaches at most `tolerance` quarters into a later one where that one begins.

    A note must keep at least as much as it loses.

    Returns:
        The notes in order of onset, and how many were shortened.
    """
    ordered = sorted(notes)
    onsets = sorted({note.onset for note in ordered})
    trimmed = 0
    for index, note in enumerate(ordered):
        place = bisect_left(onsets, note.end - tolerance)
        if place < len(onsets) and onsets[place] < note.end:
            duration = onsets[place] - note.onset
            if duration >= note.end - onsets[place]:
                ordered[index] = note._replace(duration=duration)
                trimmed += 1
    return ordered, trimmed


def _depths(ordered: Sequence[Note]) -> list[tuple[Fraction, int]]:
    """How many notes sound from each moment of change on."""
    changes: dict[Fraction, int] = {}
    for note in ordered:
        changes[note.onset] = changes.get(note.onset, 0) + 1
        changes[note.end] = changes.get(note.end, 0) - 1
    depths, depth = [], 0
    for onset in sorted(changes):
        depth += changes[onset]
        depths.append((onset, depth))
    return depths


def _maximal_pitches(
    ordered: Sequence[Note], depths: Sequence[tuple[Fraction, int]], most: int
) -> list[tuple[Fraction, list[int]]]:
    """The pitches that sound at the beginning of each maximal contig, highest first, by onset."""
    starts = [
        onset
        for (onset, depth), before in zip(depths, [0, *(d for _, d in depths)], strict=False)
        if depth == most and before != most
    ]
    found, sounding, index = [], [], 0
    for onset in starts:
        while index < len(ordered) and ordered[index].onset <= onset:
            sounding.append(ordered[index])
            index += 1
        sounding = [note for note in sounding if note.end > onset]
        found.append((onset, sorted((note.pitch for note in sounding), reverse=True)))
    return found


def _distance(pitch: int, line: Sequence[Note], coming: int) -> int:
    return abs(pitch - (line[-1].pitch if line else coming)) + abs(pitch - coming)


def _in_order(costs: Sequence[Sequence[int]]) -> list[int]:
    """Choose a rising column for each row so that the sum of the costs is least; (rows, columns), rows <= columns."""
    rows, columns = len(costs), len(costs[0])
    if rows == columns:
        return list(range(rows))
    # best[r][c]: the least cost of placing the first r rows in the first c columns, and whether row r-1 took c-1.
    best = [[(0, False)] * (columns + 1)]
    for row in range(rows):
        line = [(10**9, False)] * (columns + 1)
        for column in range(row, columns):
            placed = best[row][column][0] + costs[row][column]
            line[column + 1] = min((placed, True), (line[column][0], False))
        best.append(line)
    chosen, row, column = [0] * rows, rows, columns
    while row:
        if best[row][column][1]:
            row -= 1
            chosen[row] = column - 1
        column -= 1
    return chosen

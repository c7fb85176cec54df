"""The index maps against what a musician would say of two voices, worked out pair by pair."""

from __future__ import annotations

import itertools

import pytest

from musegen.models import relations as r
from tests.toys import tiny_vocabulary

WORDS = tiny_vocabulary((60, 75), (48, 50))  # pitches 43 to 80
SOUNDS = range(WORDS.pitches + 1)  # a pitch or silence
EVENTS = range(WORDS.classes)


def sound_after(before, event):
    return before if event == WORDS.hold else event


def motion(before, event):
    if event == WORDS.rest or (event == WORDS.hold and before == WORDS.rest):
        return r.SILENT
    if event == WORDS.hold:
        return r.HELD
    if before == WORDS.rest:
        return r.ENTERED
    return r.REPEATED if event == before else r.ROSE if event > before else r.FELL


def turn(before, event):
    if event == WORDS.hold:
        return 4
    return 3 if before == WORDS.rest else 0 if event < before else 2 if event > before else 1


def test_what_sounds_and_how_it_came_there():
    after, motions = r.after_map(WORDS), r.motion_map(WORDS)
    assert after.shape == motions.shape == (WORDS.pitches + 1, WORDS.classes)
    for before, event in itertools.product(SOUNDS, EVENTS):
        assert after[before, event] == sound_after(before, event)
        assert motions[before, event] == motion(before, event)
    assert motions.max() == r.MOTIONS - 1


def test_intervals_within_the_octave():
    intervals = r.interval_map(WORDS)
    for one, other in itertools.product(SOUNDS, SOUNDS):
        silent = WORDS.rest in (one, other)
        assert intervals[one, other] == (12 if silent else (one - other) % 12)


def test_a_candidate_is_known_by_its_interval_to_a_voice_and_how_it_leaves_its_own_note():
    harmony, spacing = r.harmony_map(WORDS), r.spacing_map(WORDS)
    assert harmony.shape == spacing.shape == (WORDS.pitches + 1, WORDS.pitches + 1, WORDS.classes)
    for other, before, event in itertools.product((0, 7, 20, 37, WORDS.rest), SOUNDS, EVENTS):
        pitch = sound_after(before, event)
        if pitch == WORDS.rest:
            assert harmony[other, before, event] == r.INTERVALS * r.TURNS
            assert spacing[other, before, event] == r.DISTANCES - 1
            continue
        interval = 12 if other == WORDS.rest else (pitch - other) % 12
        assert harmony[other, before, event] == interval * r.TURNS + turn(before, event)
        distance = r.DISTANCES - 1 if other == WORDS.rest else pitch - other + r.REACH
        assert spacing[other, before, event] == distance


def test_leaps_and_degrees():
    leaps, degrees = r.leap_map(WORDS), r.degree_map(WORDS)
    for before, event in itertools.product(SOUNDS, EVENTS):
        none = event >= WORDS.pitches or before == WORDS.rest
        assert leaps[before, event] == (r.DISTANCES - 1 if none else event - before + r.REACH)
    for tonic, event in itertools.product(range(13), EVENTS):
        none = tonic == 12 or event >= WORDS.pitches
        assert degrees[tonic, event] == (12 if none else (event + 43 - tonic) % 12)


def test_distances_beyond_reach_are_the_farthest():
    wide = tiny_vocabulary((0, 127))
    assert r.leap_map(wide)[0, 127] == 2 * r.REACH and r.leap_map(wide)[127, 0] == 0
    assert r.spacing_map(wide).max() == r.DISTANCES - 1


@pytest.mark.parametrize(
    ("voices", "order"), [(1, (0,)), (2, (0, 1)), (3, (0, 2, 1)), (4, (0, 3, 1, 2)), (5, (0, 4, 1, 2, 3))]
)
def test_the_outer_voices_are_drawn_first(voices, order):
    assert r.drawing_order(voices) == order

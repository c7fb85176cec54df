"""What a piece remembers of itself, against slow and plain versions of the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from musegen.models import recall
from tests.toys import tiny_vocabulary

LENGTHS = arrays(np.int64, st.integers(1, 40), elements=st.integers(1, 4))


@st.composite
def melodies(draw):
    """Names of slices, few enough to repeat, and their lengths; the same name always has the same length."""
    kinds = draw(arrays(np.int64, st.integers(1, 40), elements=st.integers(0, 3)))
    return kinds.astype(np.uint64), 1 + kinds % 3


@given(melodies())
def test_the_longest_match_is_found(melody):
    names, length = melody
    back, steps = recall.longest_match(names, length)
    for i in range(len(names)):
        best = (0, 0)  # steps, and minus the slices back
        for lag in range(1, i + 1):
            agreed = 0
            for k in range(1, i - lag + 1):
                if names[i - k] != names[i - lag - k]:
                    break
                agreed += int(length[i - k])
            best = max(best, (agreed, -lag)) if agreed else best
        assert (steps[i], -back[i]) == best


@given(LENGTHS, st.integers(1, 4), st.integers(0, 2**32))
def test_slices_have_one_name_if_and_only_if_they_are_the_same(length, voices, seed):
    event = np.random.default_rng(seed).integers(0, 3, (len(length), voices))
    names = recall.slice_names(event, length)
    for i in range(len(length)):
        same = (event == event[i]).all(axis=1) & (length == length[i])
        assert ((names == names[i]) == same).all()


@given(LENGTHS, st.integers(0, 2**32))
def test_tallies_are_what_adding_slice_by_slice_gives(length, seed):
    sounding = np.random.default_rng(seed).integers(0, 3, (len(length), 12)).astype(float)
    quarters = length * 37.3  # long enough to be computed in several spans
    found = recall.tallies(sounding, quarters)
    tally = np.zeros((1, len(recall.HALF_LIVES), 12))
    for i in range(len(length)):
        assert found[i] == pytest.approx(recall.shares(tally)[0], rel=1e-9, abs=1e-12)
        tally = recall.add_to_tally(tally, sounding[i : i + 1], quarters[i : i + 1])


def test_a_tally_fades_by_half():
    c = np.eye(12)[:1]
    tally = recall.add_to_tally(np.zeros((1, 3, 12)), c, np.array([1.0]))
    assert (tally[0, :, 0] < 1).all() and (tally[0, :, 0] > 0.8).all()  # a quarter, a little of it gone already
    for life, slot in zip(recall.HALF_LIVES, range(3), strict=True):
        later = recall.add_to_tally(tally, np.zeros((1, 12)), np.array([life]))
        assert later[0, slot, 0] == pytest.approx(tally[0, slot, 0] / 2)


def test_pitch_classes_are_counted_and_silence_is_not():
    v = tiny_vocabulary((48, 60), (40, 55))
    sound = np.array([[(24 - v.low) % 12] * v.voices, [v.rest] * v.voices])
    assert recall.pitch_classes(sound, v)[0].tolist() == [v.voices, *[0] * 11]
    assert not recall.pitch_classes(sound, v)[1].any()

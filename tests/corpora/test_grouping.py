import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.corpora.grouping import (
    SPLITS,
    Groups,
    Passages,
    deal,
    group,
    melody_by_beat,
    melody_by_eighth,
    melody_by_note,
    plain,
    voices_by_beat,
)
from musegen.representation.roll import HOLD, REST, Roll


def tune(pitches, steps=2, grid=4, pickup=0, shift=0):
    """A melody in even notes of so many steps; None is a rest."""
    symbols = np.full((len(pitches) * steps, 1), HOLD, np.uint8)
    for number, pitch in enumerate(pitches):
        if pitch is None:
            symbols[number * steps : (number + 1) * steps] = REST
        else:
            symbols[number * steps] = pitch + shift
    return Roll(symbols, grid, pickup=pickup)


def walk(seed, length=64):
    return (60 + np.cumsum(np.random.default_rng(seed).integers(-4, 5, length)).clip(-20, 30)).tolist()


@pytest.mark.parametrize("passages", [melody_by_note, melody_by_eighth, melody_by_beat, voices_by_beat])
def test_passages_are_the_same_in_any_key(passages):
    assert np.array_equal(passages(tune(walk(1))), passages(tune(walk(1), shift=7)))
    assert not np.intersect1d(passages(tune(walk(1))), passages(tune(walk(2)))).size


@pytest.mark.parametrize("passages", [melody_by_eighth, melody_by_beat])
def test_passages_by_time_do_not_depend_on_the_grid_nor_on_ornaments(passages):
    plain_tune, fine = tune(walk(1), 4), tune(walk(1), 12, grid=12)
    assert np.array_equal(passages(plain_tune), passages(fine))
    ornamented = tune(walk(1), 4)
    ornamented.symbols[1::4] = 80
    ornamented.symbols[2::4] = ornamented.symbols[::4]
    assert np.array_equal(passages(plain_tune), passages(ornamented))


def test_a_rest_at_the_beginning_leaves_no_trace_of_its_code():
    assert np.array_equal(melody_by_beat(tune([None, *walk(1)], 4)), melody_by_beat(tune([None, *walk(1)], 4, shift=5)))


def test_a_tune_too_short_for_a_passage_is_one_passage():
    assert len(melody_by_note(tune([60, 62, 64]))) == 1
    assert len(melody_by_note(tune([60]))) == 0
    assert len(melody_by_beat(tune([]))) == 0


def test_versions_are_grouped_and_others_are_not():
    rolls = [tune(walk(1)), tune(walk(2)), tune(walk(1), shift=5), tune(walk(3)), tune(walk(9, 20) + walk(2)[20:])]
    assert sorted(map(sorted, group(rolls))) == [[0, 2], [1, 4], [3]]
    titles = ["The Rakes of Mallow", "b", "c", "Rakes of Mallow, The!", ""]
    assert sorted(map(sorted, group(rolls, titles))) == [[0, 2, 3], [1, 4]]


def test_titles_are_compared_without_what_editions_differ_in():
    assert plain("The Dublin Lasses") == plain("DUBLIN LASSES!") == "dublinlasses"
    assert plain("Seán's") == plain("Sean's")


def test_versions_held_by_very_many_are_still_joined():
    index, groups = Passages(), Groups(300)
    for number in range(300):
        index.add(np.unique(np.array([1, 2, 3, 4, 100 + number], np.uint64)))
    index.join(groups, 0.5)
    assert len(groups.lists()) == 1


def test_memory_is_bounded_and_copies_are_still_found():
    index, groups = Passages(most=2000), Groups(60)
    random = np.random.default_rng(0)
    pieces = [np.unique(random.integers(0, 2**63, 500).astype(np.uint64)) for _ in range(30)]
    for piece in pieces + pieces[::-1]:
        index.add(piece)
        assert sum(map(len, index._hashes)) <= 2000
    index.join(groups, 0.5)
    assert sorted(groups.lists()) == [[number, 59 - number] for number in range(30)]


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=60),
    shares=st.tuples(st.integers(1, 90), st.integers(0, 20), st.integers(0, 20)),
)
def test_groups_stay_whole_and_every_split_gets_its_share(sizes, shares):
    ids = [f"piece {number}" for number in range(sum(sizes))]
    starts = np.cumsum([0, *sizes]).tolist()
    groups = [list(range(start, end)) for start, end in itertools.pairwise(starts)]
    dealt = deal(ids, groups, shares)
    assert all(len({dealt[piece] for piece in group}) == 1 for group in groups)
    wanted = [split for split, share in zip(SPLITS, shares, strict=True) if share]
    assert set(dealt) <= set(wanted)
    if len(groups) >= len(wanted):
        assert set(dealt) == set(wanted)
    for split, share in list(zip(SPLITS, shares, strict=True))[1:]:
        assert dealt.count(split) <= max(*sizes, round(len(ids) * share / sum(shares)))


def test_the_split_depends_on_the_ids_alone():
    ids = [f"piece {number}" for number in range(50)]
    dealt = deal(ids, [[number] for number in range(50)], (80, 10, 10))
    turned = deal(ids[::-1], [[number] for number in range(50)], (8, 1, 1))
    assert dealt == turned[::-1]
    assert [dealt.count(split) for split in SPLITS] == [40, 5, 5]

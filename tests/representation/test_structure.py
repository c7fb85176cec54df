from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.structure import TRANSPOSED, Likeness, Structure, correlation, spans
from musegen.representation.transposition import transposed
from musegen.score import Key, Metre
from tests.toys import ROLLS


def melody(*bars, **frame):
    """A tune at two steps a quarter in 2/4: four symbols a bar."""
    symbols = np.array([symbol for bar in bars for symbol in bar], np.uint8)[:, None]
    return Roll(symbols, 2, ((0, Metre(2, 4)),), keys=((0, Key(0)),), **frame)


A, B = (60, HOLD, 62, 64), (67, REST, 65, HOLD)


def test_a_bar_that_comes_again_is_wholly_alike():
    alike = Structure.of(melody(A, B, A)).similarity
    assert alike[0, 2] == pytest.approx(1) and np.allclose(np.diag(alike), 1) and np.allclose(alike, alike.T)
    # Rhythm: beginnings at 0, 2, 3 and at 0, 2. Melody: best moved by 5, where C C of C C D E meets G - F F; or by 3
    # and 1, where one of the last two steps meets.
    assert alike[0, 1] == pytest.approx((2 / 3 + TRANSPOSED * 1 / 4) / 2)


def test_a_bar_that_comes_again_higher_is_partly_alike():
    higher = tuple(symbol + 5 if symbol < REST else symbol for symbol in A)
    assert Structure.of(melody(A, higher)).similarity[0, 1] == pytest.approx((1 + TRANSPOSED) / 2)


def test_the_upper_voice_counts_more_than_a_lower_one():
    def two(*lower):
        return Roll(np.array([A + A, lower], np.uint8).T, 2, ((0, Metre(2, 4)),))

    same, other = (Structure.of(two(*A, *second)).similarity[0, 1] for second in (A, (55, HOLD, 55, 55)))
    assert same == pytest.approx(1)
    assert 0.5 < other < 1
    exchanged = Roll(two(*A, 55, HOLD, 55, 55).symbols[:, ::-1], 2, ((0, Metre(2, 4)),))
    assert Structure.of(exchanged).similarity[0, 1] < other


def test_degrees_are_counted_from_the_tonic_of_the_place():
    two_keys = replace(melody(A, A), keys=((0, Key(0)), (4, Key(-1))))  # C, then F
    degrees = Structure.of(two_keys).degrees
    assert np.allclose(degrees[1], np.eye(12)[0])  # the first two steps: C in C
    assert np.allclose(degrees[3], np.eye(12)[7])  # C in F
    assert np.allclose(degrees[4, [9, 11]], 1 / 2)  # D and E in F
    assert degrees[0].sum() == pytest.approx(1) and degrees[0, 0] == pytest.approx(2 / 8)


def test_accents_are_the_share_of_voices_that_begin_a_note():
    structure = Structure.of(melody(A, B, A))
    assert np.allclose(structure.accents, [1, 0, 1, 2 / 3]) and np.allclose(structure.bars, 3)
    with_pickup = Structure.of(melody(A[2:], A, B, pickup=2))
    assert np.allclose(with_pickup.bars, [2, 2, 3, 3]) and np.allclose(with_pickup.accents, [1, 0, 1, 2 / 3])
    changing = Structure.of(replace(melody(A, A[:3]), metres=((0, Metre(2, 4)), (4, Metre(3, 8)))))
    assert np.allclose(changing.accents, [1, 0, 1, 1, 1, 0, 1]) and np.allclose(changing.bars, 1)


def test_a_pickup_is_no_bar():
    assert spans(melody(A[2:], A, B[:3], pickup=2)) == [(2, 6), (6, 9)]


@pytest.mark.parametrize("name", ["chorales", "tunes"])
def test_a_piece_is_like_itself_in_any_key_and_unlike_another(name):
    for roll, other in zip(ROLLS[name], ROLLS[name][1:], strict=False):
        own, moved = Structure.of(roll), Structure.of(transposed(roll, 3))
        assert Likeness.of(own, own).cost == pytest.approx(0)
        assert np.allclose(own.similarity, moved.similarity) and np.allclose(own.accents, moved.accents)
        if roll.keys:
            assert Likeness.of(own, moved).cost == pytest.approx(0)
        else:
            assert Likeness.of(own, moved).key > 0.3  # counted from C
        if len(spans(other)) == len(spans(roll)) and other.metres == roll.metres:
            assert Likeness.of(own, Structure.of(other)).cost > 0.05


symbols = st.lists(st.sampled_from([*range(55, 70), REST, HOLD]), min_size=1, max_size=40)


@settings(deadline=None)
@given(symbols, symbols, st.integers(0, 3))
def test_all_measures_are_within_their_bounds(one, other, pickup):
    steps = min(len(one), len(other))
    frame = {"metres": ((0, Metre(2, 4)),), "pickup": min(pickup, steps), "keys": ((0, Key(2, "dorian")),)}
    rolls = [Roll(np.array(each[:steps], np.uint8)[:, None], 2, **frame) for each in (one, other)]
    plan, piece = map(Structure.of, rolls)
    found, back = Likeness.of(plan, piece), Likeness.of(piece, plan)
    assert -1 <= found.similarity <= 1 and 0 <= found.key <= 1 and 0 <= found.metre <= 1 and 0 <= found.cost <= 1
    assert (found.similarity, found.key, found.metre) == pytest.approx((back.similarity, back.key, back.metre))
    assert plan.similarity.min(initial=0) >= 0 and plan.similarity.max(initial=0) <= 1 + 1e-9
    assert Likeness.of(plan, plan).cost == pytest.approx(0)


def test_correlation_where_nothing_varies():
    flat, slope = np.ones(3), np.arange(3.0)
    assert correlation(flat, flat) == 1 and correlation(flat, slope) == 0 and correlation(flat[:0], flat[:0]) == 1
    assert correlation(slope, slope + 1) == pytest.approx(1) and correlation(slope, -slope) == pytest.approx(-1)

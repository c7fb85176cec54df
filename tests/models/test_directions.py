from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.models.vae.directions import FARTHEST, Direction, direction, great_circle, known_directions, shift
from musegen.representation.attributes import ATTRIBUTES
from tests.toys import ROLLS


def codes(n=2000, spread=((1.0, 0.0), (0.4, 0.3))):
    return np.random.default_rng(5).normal(size=(n, 2)) @ np.array(spread) + (0.3, -0.2)


def test_a_step_leads_to_one_standard_deviation_more_where_the_attribute_follows_the_code():
    z = codes()
    values = 60 + 3 * z[:, 0] - 2 * z[:, 1]
    found = direction(z, values)
    assert (found.mean, found.deviation) == (pytest.approx(values.mean()), pytest.approx(values.std()))
    assert (found.correlation, found.reach) == (pytest.approx(1), 1)
    moved = z + np.array(found.toward)
    assert 3 * moved[:, 0] - 2 * moved[:, 1] + 60 - values == pytest.approx(values.std())


def test_with_noise_the_straight_line_through_the_pieces_decides():
    z = codes()
    values = z[:, 0] + np.random.default_rng(6).normal(size=len(z))
    found = direction(z, values)
    design = np.column_stack([z, np.ones(len(z))])
    slopes = np.linalg.lstsq(design, values, rcond=None)[0][:2]
    assert slopes @ np.array(found.toward) == pytest.approx(found.deviation)
    assert found.correlation == pytest.approx(np.corrcoef(design[:, :2] @ slopes, values)[0, 1])


def test_it_points_from_those_with_little_to_those_with_much():
    z = codes()
    values = z[:, 0] + z[:, 1] + 0.5 * np.random.default_rng(7).normal(size=len(z))
    high = values > values.mean()
    vector = z[high].mean(axis=0) - z[~high].mean(axis=0)
    toward = np.array(direction(z, values).toward)
    assert vector @ toward / np.linalg.norm(vector) / np.linalg.norm(toward) > 0.999


def test_what_the_codes_hardly_know_does_not_lead_far():
    z = codes()
    values = 0.1 * z[:, 0] + np.random.default_rng(8).normal(size=len(z))
    found = direction(z, values)
    spread = np.cov(z.T, bias=True)
    length = np.sqrt(np.array(found.toward) @ np.linalg.solve(spread, found.toward))
    assert 0 < found.correlation < 0.3
    assert length == pytest.approx(FARTHEST)
    assert found.reach == pytest.approx(FARTHEST * found.correlation)


@pytest.mark.parametrize(
    ("z", "values"), [(codes(9), np.ones(9)), (np.ones((9, 2)), np.arange(9.0)), (codes(1), np.ones(1))]
)
def test_where_nothing_varies_there_is_no_direction(z, values):
    found = direction(z, values)
    assert (found.toward, found.correlation) == ((0, 0), 0)


def test_directions_survive_a_card():
    found = direction(codes(), codes()[:, 0])
    card = json.loads(json.dumps({"attributes": {"height": found.to_json()}}))
    assert known_directions(card)["height"].toward == pytest.approx(found.toward, abs=1e-5)
    assert known_directions({}) == {}
    with pytest.raises(MusegenError, match="make no sense"):
        known_directions({"attributes": {"height": {"toward": "up"}}})


def test_wishes_add_up_and_unknown_ones_are_named():
    known = {"a": Direction((1, 0), 0, 1, 1), "b": Direction((0, 2), 0, 1, 1)}
    assert shift(known, [("a", 1.5), ("b", -1), ("a", 1)]) == (2.5, -2)
    assert shift(known, []) == (0, 0)
    with pytest.raises(MusegenError, match=r"no direction for 'c'\. Choose from: a, b"):
        shift(known, [("c", 1)])


@given(
    st.lists(st.floats(-3, 3), min_size=2, max_size=5).flatmap(
        lambda one: st.tuples(st.just(one), st.lists(st.floats(-3, 3), min_size=len(one), max_size=len(one)))
    ),
    st.floats(0, 1),
)
def test_the_great_circle_begins_and_ends_where_it_should_and_stays_between(both, share):
    one, other = both
    assert great_circle(one, other, 0) == pytest.approx(one, abs=1e-6)
    ends = great_circle(one, other, 1)
    assert np.linalg.norm(ends) == pytest.approx(np.linalg.norm(other), abs=1e-6)
    if abs(np.dot(one, other)) < 0.999 * np.linalg.norm(one) * np.linalg.norm(other):
        assert ends == pytest.approx(other, abs=1e-6)
    if min(np.linalg.norm(one), np.linalg.norm(other)) > 1e-6:
        length = np.linalg.norm(great_circle(one, other, share))
        low, high = sorted([np.linalg.norm(one), np.linalg.norm(other)])
        assert low - 1e-6 <= length <= high + 1e-6


def test_halfway_between_two_axes_and_round_the_back():
    assert great_circle((1, 0), (0, 3), 0.5) == pytest.approx((np.sqrt(2), np.sqrt(2)))
    opposite = [great_circle((2, 0), (-2, 0), share) for share in (0, 0.5, 1)]
    assert opposite[0] == pytest.approx((2, 0)) and opposite[2] == pytest.approx((-2, 0), abs=1e-9)
    assert np.linalg.norm(opposite[1]) == pytest.approx(2)
    assert great_circle((0, 0), (1, 2), 0.5) == pytest.approx((0.5, 1))
    assert great_circle((1,), (3,), 0.5) == pytest.approx((2,))


@pytest.mark.parametrize("corpus", ["chorales", "tunes"])
def test_training_ends_with_directions_from_the_training_pieces(trained, corpus):
    model = load_checkpoint(trained("vae", corpus))
    composer = model.composer()
    training = ROLLS[corpus][:8]
    z = np.stack([code.mean for code in composer.encode(training)])
    known = known_directions(model.card)
    assert list(known) == list(ATTRIBUTES)
    for name, measure in ATTRIBUTES.items():
        expected = direction(z, np.array([measure(roll) for roll in training]))
        assert known[name].toward == pytest.approx(expected.toward, rel=1e-3, abs=1e-4)
        assert known[name].deviation == pytest.approx(expected.deviation, abs=1e-5)


def test_other_families_have_nothing_to_tell(trained):
    assert "attributes" not in load_checkpoint(trained("lstm")).card


def test_codes_are_drawn_given_and_moved(trained):
    composer = load_checkpoint(trained("vae", "tunes")).composer()
    drawn = composer.codes(Sampling(1), [1, 2, 3])
    assert len(np.unique(drawn)) == 6
    assert composer.codes(Sampling(1), [3])[0] == pytest.approx(drawn[2])
    assert composer.codes(Sampling(1, toward=(1.0, -2.0)), [1, 2, 3]) == pytest.approx(drawn + np.array([1, -2]))
    assert composer.codes(Sampling(1, code=(0.0, 5.0)), [1, 2]).tolist() == [[0, 5], [0, 5]]
    assert composer.codes(Sampling(1, code=(0.0, 5.0), toward=(1.0, 0.0)), [1]).tolist() == [[1, 5]]
    for how in (Sampling(1, code=(1.0,)), Sampling(1, toward=(1.0, 2.0, 3.0))):
        with pytest.raises(MusegenError, match="has 2 numbers"):
            composer.codes(how, [1])

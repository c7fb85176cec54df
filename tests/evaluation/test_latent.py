from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.latent import ATTRIBUTES, Plane, plane
from musegen.representation.roll import HOLD, REST, Roll
from tests.toys import ROLLS


def test_correlations_are_pearsons():
    generator = np.random.default_rng(1)
    codes = generator.normal(size=(50, 3))
    codes[:, 2] = 4.0
    high = codes[:, 0] * 2 + generator.normal(size=50)
    found = Plane(codes, {"height": high, "flat": np.ones(50)}, ("4/4",) * 50, (0,) * 50)
    expected = [np.corrcoef(codes[:, i], high)[0, 1] for i in (0, 1)]
    assert found.correlations()["height"] == pytest.approx([*expected, 0])
    assert found.correlations()["flat"].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("spreads", "axes", "active"), [((1, 3, 2), (1, 2), 3), ((2, 0.01, 1), (0, 2), 2), ((1,), (0, 0), 1)]
)
def test_the_axes_are_the_two_that_vary_most(spreads, axes, active):
    codes = np.random.default_rng(2).normal(size=(200, len(spreads))) * spreads
    found = Plane(codes, {}, (), ())
    assert (found.axes(), found.active) == (axes, active)


def test_attributes_by_hand():
    roll = Roll(np.array([[60, 48], [HOLD, 50], [67, REST], [65, 43]], np.uint8), 2)
    assert {name: measure(roll) for name, measure in ATTRIBUTES.items()} == {
        "mean pitch": pytest.approx((60 + 67 + 65 + 48 + 50 + 43) / 6),
        "compass": pytest.approx((7 + 7) / 2),
        "note length": pytest.approx(8 / 6 / 2),
        "leap": pytest.approx((7 + 2 + 2 + 7) / 4),
    }


def test_silence_has_attributes_too():
    roll = Roll(np.full((4, 2), REST, np.uint8), 2)
    assert np.isfinite([measure(roll) for measure in ATTRIBUTES.values()]).all()


@pytest.mark.parametrize("corpus", ["chorales", "tunes"])
def test_a_piece_lies_where_it_lies_whoever_is_encoded_with_it(trained, corpus):
    model, rolls = load_checkpoint(trained("vae", corpus)), ROLLS[corpus]
    together = plane(model, rolls)
    assert together.codes.shape == (12, 2) and np.isfinite(together.codes).all()
    assert len(np.unique(together.codes[:, 0])) == 12
    for i in (0, 5, 11):
        assert plane(model, [rolls[i]]).codes[0] == pytest.approx(together.codes[i], abs=1e-5)
    assert together.metres == tuple(str(roll.metres[0][1]) for roll in rolls)
    assert together.tonics == tuple(roll.keys[0][1].tonic if roll.keys else -1 for roll in rolls)


def test_models_without_a_latent_space_are_refused(trained):
    with pytest.raises(MusegenError, match=r"of the family lstm, which has no latent space"):
        plane(load_checkpoint(trained("lstm")), ROLLS["chorales"])


def test_music_of_another_shape_is_refused(trained):
    model = load_checkpoint(trained("vae"))
    for rolls in (ROLLS["tunes"], [replace(ROLLS["chorales"][0], steps_per_quarter=12)]):
        with pytest.raises(MusegenError, match=r"4 voices at 4 steps per quarter"):
            plane(model, rolls)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.latent import Plane, plane
from tests.toys import ROLLS


def plane_of(codes, attributes=None, metres=None, tonics=None, major=None):
    n = len(codes)
    return Plane(codes, attributes or {}, metres or ("4/4",) * n, tonics or (0,) * n, major or (1,) * n)


def by_name(found):
    return {each.name: each for each in found.associations()}


def test_numbers_go_by_pearsons_correlation():
    generator = np.random.default_rng(1)
    codes = generator.normal(size=(50, 3))
    codes[:, 2] = 4.0
    high = codes[:, 0] * 2 + generator.normal(size=50)
    found = by_name(plane_of(codes, {"height": high, "flat": np.ones(50)}))
    expected = [np.corrcoef(codes[:, i], high)[0, 1] for i in (0, 1)]
    assert found["height"].axes == pytest.approx([*expected, 0])
    assert found["height"].plane >= max(map(abs, expected))
    assert (found["flat"].axes.tolist(), found["flat"].plane) == ([0, 0, 0], 0)
    assert found["height"].measure == "Pearson's r"


def test_mode_goes_by_the_point_biserial_correlation_of_the_pieces_that_have_one():
    codes = np.random.default_rng(2).normal(size=(60, 1))
    major = tuple(int(each) for each in codes[:, 0] > 0.2)[:50] + (-1,) * 10
    known, is_major = codes[:50, 0], np.array(major[:50]) == 1
    share = is_major.mean()
    expected = (known[is_major].mean() - known[~is_major].mean()) / known.std() * np.sqrt(share * (1 - share))
    assert by_name(plane_of(codes, major=major))["mode"].axes == pytest.approx([expected])


def test_the_tonic_goes_by_the_circular_linear_correlation():
    generator = np.random.default_rng(3)
    tonics = tuple(int(each) for each in generator.integers(0, 12, 200))
    angles = np.array([tonic * 7 % 12 for tonic in tonics]) * np.pi / 6
    codes = np.column_stack([np.cos(angles - 1), generator.normal(size=200)])
    found = by_name(plane_of(codes, tonics=tonics))["tonic"]
    assert found.axes[0] == pytest.approx(1)
    x, c, s = codes[:, 1], np.cos(angles), np.sin(angles)
    xc, xs, cs = np.corrcoef(x, c)[0, 1], np.corrcoef(x, s)[0, 1], np.corrcoef(c, s)[0, 1]
    assert found.axes[1] == pytest.approx(np.sqrt((xc**2 + xs**2 - 2 * xc * xs * cs) / (1 - cs**2)))
    hidden = by_name(plane_of(codes[:, :1], tonics=(-1,) * 200))["tonic"]
    assert hidden.axes.tolist() == [0] and hidden.plane is None


def test_metre_goes_by_the_correlation_ratio():
    generator = np.random.default_rng(4)
    metres = tuple(generator.choice(["4/4", "3/4", "6/8"], 90))
    codes = np.column_stack(
        [[len(metres[0]) + {"4/4": 1, "3/4": 5, "6/8": -2}[m] for m in metres], generator.normal(size=90)]
    )
    found = by_name(plane_of(codes, metres=metres))["metre"]
    assert found.axes[0] == pytest.approx(1)
    x = codes[:, 1]
    inside = [x[[metre == name for metre in metres]] for name in set(metres)]
    between = sum(len(each) * (each.mean() - x.mean()) ** 2 for each in inside)
    assert found.axes[1] == pytest.approx(np.sqrt(between / ((x - x.mean()) ** 2).sum()))


@pytest.mark.parametrize(
    ("spreads", "axes", "active"), [((1, 3, 2), (1, 2), 3), ((2, 0.01, 1), (0, 2), 2), ((1,), (0, 0), 1)]
)
def test_the_axes_are_the_two_that_vary_most(spreads, axes, active):
    codes = np.random.default_rng(2).normal(size=(200, len(spreads))) * spreads
    found = plane_of(codes)
    assert (found.axes(), found.active) == (axes, active)


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

"""Distances of sets, the table with its spread, and the two-sample test."""

import numpy as np
import pytest

from musegen.errors import MusegenError
from musegen.evaluation import two_sample as test
from musegen.evaluation.chorales import ENDINGS, FIFTHS
from musegen.evaluation.sets import bandwidth, compare, density, distances, earth_movers, overlaps, wasserstein
from musegen.evaluation.statistics import groups, spread, table
from tests.evaluation.pieces import C_MAJOR, random_pieces, roll

REAL, OTHERS, LEAPING = random_pieces(40, 1), random_pieces(40, 2), random_pieces(40, 3, leaps=0.3)


def test_earth_movers_distance():
    generator = np.random.default_rng(0)
    sample = generator.normal(size=50)
    assert earth_movers(sample, sample[::-1]) == 0
    assert earth_movers(sample, sample + 3) == pytest.approx(3)
    assert earth_movers(np.array([0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])) == pytest.approx(0)
    assert earth_movers(np.array([0.0]), np.array([0.0, 4.0])) == pytest.approx(2)


def test_densities_are_sums_of_kernels():
    sample = np.random.default_rng(0).normal(size=300)
    grid = np.linspace(-6, 6, 1000)
    width = bandwidth(sample)
    assert width == pytest.approx(sample.std(ddof=1) * 300**-0.2)
    exact = np.exp(-0.5 * ((grid[:, None] - sample) / width) ** 2).mean(axis=1) / width / np.sqrt(2 * np.pi)
    assert density(sample, grid, width) == pytest.approx(exact, abs=1e-3)


def test_area_and_divergence_of_densities():
    generator = np.random.default_rng(0)
    one, two = generator.normal(size=20000), generator.normal(2, 1, size=20000)
    area, divergence = compare(one, two)
    assert area == pytest.approx(0.317, abs=0.02)  # 2 Phi(-1)
    assert divergence == pytest.approx(2, rel=0.1)  # half the square of the distance
    assert compare(one, one) == pytest.approx((1, 0), abs=1e-3)
    assert compare(np.full(9, 2.0), np.full(9, 2.0)) == pytest.approx((1, 0), abs=3e-3)
    assert compare(np.full(9, 2.0), np.full(9, 5.0))[0] == pytest.approx(0, abs=1e-3)


def test_distances_are_euclidean():
    one, two = np.random.default_rng(0).normal(size=(2, 4, 3))
    assert distances(one, two) == pytest.approx(np.linalg.norm(one[:, None] - two, axis=2))


def test_sets_alike_overlap_and_others_do_not():
    alike, unlike = overlaps(REAL, OTHERS), overlaps(LEAPING, REAL)
    assert all(overlap.area > 0.85 for overlap in alike.values())
    assert unlike["mean pitch step"].area < 0.3 < alike["mean pitch step"].area
    assert unlike["mean pitch step"].between > 3 * unlike["mean pitch step"].within_real
    near, far = wasserstein(OTHERS, REAL), wasserstein(LEAPING, REAL)
    assert near["mean pitch step"] < 0.5 and far["mean pitch step"] > 5
    assert all(value == 0 for value in wasserstein(REAL, REAL[::-1]).values())


def test_the_table_pools_over_pieces():
    fifths, none = roll((67, 69), (60, 62)), roll((67, 69, 71, 72), (60, 59, 57, 55))
    assert table([fifths, none])[FIFTHS] == 250
    found = table(REAL)
    assert [label for labels in groups(REAL).values() for label in labels] == list(found)
    assert found["note count"] == 128
    assert "parallel fifths per 1000" not in table([roll((60, 62))])
    assert table([]) == {}


def test_a_cut_piece_has_no_ending():
    whole = roll(*[(60, 64, 67, 72) * 2] * 4, keys=C_MAJOR)
    assert set(ENDINGS) < set(table([whole]))
    cut = table([whole, roll((60,), (60,), (60,), (60,))], bars=1)
    assert not set(ENDINGS) & set(cut)
    assert cut["note count"] == (16 + 4) / 2


def test_halves_spread_about_the_whole():
    found, whole = spread(REAL), table(REAL)
    assert list(found) == list(whole)
    for label, (mean, low, high) in found.items():
        assert low - 1e-9 <= mean <= high + 1e-9, label
        assert low - 1e-9 <= whole[label] <= high + 1e-9, label
    assert found == spread(REAL) != spread(REAL, seed=1)
    # A mean's halves deviate by the deviation over the root of n.
    steps = np.array([table([piece])["mean pitch step"] for piece in REAL])
    width = found["mean pitch step"].high - found["mean pitch step"].low
    assert width == pytest.approx(2 * 1.96 * steps.std() / np.sqrt(len(steps)), rel=0.25)
    with pytest.raises(MusegenError, match="4 are needed"):
        spread(REAL[:3])


def test_real_halves_cannot_be_told_apart_and_leaps_can():
    alike, unlike = test.two_sample(OTHERS, REAL), test.two_sample(LEAPING, REAL)
    assert abs(alike.auc - 0.5) < 3 * alike.error
    assert 0.05 < alike.error < 0.08
    assert unlike.auc > 0.99
    assert len(unlike.telling) == test.TELLING and unlike.telling["mean pitch step"] > 0.99
    assert test.two_sample(OTHERS, REAL) == alike


def test_labels_drawn_at_random_give_a_half_on_average():
    generator = np.random.default_rng(0)
    areas = []
    for _ in range(12):
        values, labels = generator.normal(size=(60, 40)), np.arange(60) < 20
        areas.append(np.mean(test.cross_validated(values, labels, generator)))
    assert np.mean(areas) == pytest.approx(0.5, abs=0.06)


def test_cutting_leaves_short_pieces_and_endings_out():
    short = [roll((60, 62, 64, 65), keys=C_MAJOR)] * 5
    found = test.two_sample(OTHERS + short, REAL, bars=3)
    assert (found.generated, found.real) == (40, 40)
    assert not set(ENDINGS) & set(test.describe(REAL[0], whole=False))
    with pytest.raises(MusegenError, match="there are 5 generated pieces"):
        test.two_sample(short, REAL)
    with pytest.raises(MusegenError, match="there are 0 real pieces"):
        test.two_sample(OTHERS, short, bars=2)


def test_a_key_that_only_one_set_writes_tells_nothing():
    unwritten = [piece.__class__(piece.symbols) for piece in OTHERS]
    found = test.two_sample(unwritten, REAL)
    assert abs(found.auc - 0.5) < 3 * found.error


def test_area_under_the_curve():
    labels = np.array([False, False, True, True])
    assert test.auc(np.array([0.0, 1, 2, 3]), labels) == 1
    assert test.auc(np.array([3.0, 1, 2, 0]), labels) == 0.25
    assert test.auc(np.ones(4), labels) == 0.5
    assert test.standard_error(0.5, 40, 40) == pytest.approx(np.sqrt(81 / 12) / 40)  # as Mann and Whitney's


def test_the_fit_is_where_the_slope_is_zero():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(50, 5))
    labels = values[:, 0] > 0  # separable
    weights = test.fit(values, labels)
    assert np.abs(weights).argmax() == 0 and weights[0] > 0

    def loss(coefficients: np.ndarray) -> float:
        scores = values @ coefficients[:5] + coefficients[5]
        signs = np.where(labels, 1, -1)
        return float(np.logaddexp(0, -signs * scores).sum() + test.RIDGE * 5 / 2 * (coefficients[:5] ** 2).sum())

    intercepts = np.linspace(-2, 2, 401)
    best = min(loss(np.append(weights, b)) for b in intercepts)
    for direction in np.eye(5):
        for step in (-0.05, 0.05):
            assert min(loss(np.append(weights + step * direction, b)) for b in intercepts) > best

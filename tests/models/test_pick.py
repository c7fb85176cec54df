"""How a class is drawn, against a slow reading of the papers, row by row."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from musegen.models.base import Sampling
from musegen.models.numpy_layers import log_softmax, lstm_step, pick, sigmoid

LOGIT = st.one_of(st.just(-math.inf), st.integers(-24, 24).map(lambda n: n / 4))


@st.composite
def rows(draw):
    logits = draw(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 9)), elements=LOGIT))
    logits[np.isinf(logits).all(1), 0] = 0.0
    return logits


HOWS = st.builds(
    Sampling,
    st.just(0),
    st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    st.integers(0, 10),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
)


def slowly(row, how):
    """The odds of each class, by the book; equal ones at the edge of the K likeliest all stay."""
    if how.temperature == 0:
        return [float(i == max(range(len(row)), key=lambda i: (row[i], -i))) for i in range(len(row))]
    odds = [math.exp(x / how.temperature) if x > -math.inf else 0.0 for x in row]
    if how.top_k:
        least = sorted(odds, reverse=True)[: how.top_k][-1]
        odds = [each if each >= least else 0.0 for each in odds]
    kept, total, sofar = [0.0] * len(odds), sum(odds), 0.0
    for i in sorted(range(len(odds)), key=lambda i: -odds[i]):
        if sofar >= how.top_p * total - 1e-12 and sofar > 0:
            break
        kept[i] = odds[i]
        sofar += odds[i]
    return kept


@settings(max_examples=300, deadline=None)
@given(logits=rows(), how=HOWS, data=st.data())
def test_every_draw_falls_where_the_book_says(logits, how, data):
    chance = np.array([data.draw(st.floats(0, 1, exclude_max=True)) for _ in logits])
    drawn = pick(logits, how, chance)
    for row, choice, point in zip(logits, drawn, chance, strict=True):
        odds = slowly(row, how)
        total = sum(odds)
        below, above = sum(odds[:choice]) / total, sum(odds[: choice + 1]) / total
        assert row[choice] > -math.inf
        assert odds[choice] > 0
        assert below - 1e-9 <= point <= above + 1e-9


@pytest.mark.parametrize("chance", [0.0, np.nextafter(1, 0)])
def test_the_ends_of_the_range_never_reach_what_is_impossible(chance):
    logits = np.array([[-np.inf, 0.0, -np.inf, 0.3, -np.inf]])
    assert pick(logits, Sampling(0), np.array([chance]))[0] == (1 if chance == 0 else 3)


def test_classes_come_as_often_as_they_should():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05, 1e-30]))
    drawn = pick(np.tile(logits, (20_000, 1)), Sampling(0), np.random.default_rng(7).random(20_000))
    expected = np.array([0.5, 0.3, 0.15, 0.05]) * 20_000
    found = np.bincount(drawn, minlength=5)
    assert found[4] == 0
    assert ((found[:4] - expected) ** 2 / expected).sum() < 16.3  # chi-square of 3 degrees, 1 in 1000


@pytest.mark.parametrize(("how", "kept"), [
    (Sampling(0, top_p=0.5), 4), (Sampling(0, top_p=0.51), 5), (Sampling(0, top_p=0.12), 1), (Sampling(0, top_p=0), 1),
])  # fmt: skip
def test_the_nucleus_is_the_least_that_reaches_the_probability(how, kept):
    drawn = pick(np.zeros((4000, 8)), how, np.random.default_rng(9).random(4000))
    assert sorted(set(drawn.tolist())) == list(range(kept))


@pytest.mark.parametrize("k", [1, 3, 8, 0])
def test_only_the_likeliest_few_are_drawn(k):
    logits = np.array([3.0, 1.0, 7.0, 5.0, 2.0, 6.0, 0.0, 4.0]) / 4
    drawn = pick(np.tile(logits, (4000, 1)), Sampling(0, top_k=k), np.random.default_rng(9).random(4000))
    assert set(drawn.tolist()) == set(np.argsort(-logits)[: k or 8].tolist())


def test_temperature_flattens_and_sharpens():
    logits, chance = np.tile([1.0, 0.0], (4000, 1)), np.random.default_rng(8).random(4000)
    for temperature in (0.5, 1.0, 3.0):
        share = (pick(logits, Sampling(0, temperature), chance) == 0).mean()
        assert share == pytest.approx(1 / (1 + math.exp(-1 / temperature)), abs=0.03)


def test_layers_by_the_book():
    x = np.linspace(-800, 800, 41)
    assert sigmoid(x) == pytest.approx([1 / (1 + math.exp(-max(-700, each))) for each in x], abs=1e-12)
    logits = np.array([[1000.0, 999.0, -np.inf]])
    assert np.exp(log_softmax(logits))[0] == pytest.approx([0.7310586, 0.2689414, 0], abs=1e-6)


def test_an_lstm_step_is_torchs():
    import torch

    torch.manual_seed(1)
    cell = torch.nn.LSTMCell(3, 5).double()
    given_, hidden, memory = (torch.randn(2, n, dtype=torch.float64) for n in (3, 5, 5))
    matrix = torch.cat([cell.weight_ih, cell.weight_hh], 1).detach().numpy().T
    bias = (cell.bias_ih + cell.bias_hh).detach().numpy()
    ours = lstm_step(given_.numpy(), hidden.numpy(), memory.numpy(), matrix, bias)
    theirs = cell(given_, (hidden, memory))
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other.detach().numpy(), abs=1e-12)


def test_random_numbers_depend_on_seed_piece_and_stream_alone():
    def first(seed, piece, stream=0):
        return Sampling(seed).generator(piece, stream).random()

    assert first(1, 1) == first(1, 1)
    assert len({first(seed, piece, stream) for seed in (1, 2**62) for piece in (1, 2) for stream in (0, 1)}) == 8

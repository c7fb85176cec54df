"""Symbols as one-hot tensors and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.representation.roll import HOLD, REST, SYMBOLS
from musegen.representation.tensors import from_one_hot, one_hot, padded


@st.composite
def symbols(draw):
    shape = draw(st.sampled_from([(0, 2), (5, 1), (4, 3), (2, 3, 2)]))
    size = int(np.prod(shape))
    return np.array(draw(st.lists(st.integers(0, SYMBOLS - 1), min_size=size, max_size=size)), np.uint8).reshape(shape)


@given(symbols(), st.sampled_from([np.float32, np.bool_]))
def test_one_hot_comes_back(cells, dtype):
    tensor = one_hot(cells, dtype)
    assert tensor.shape == (*cells.shape, SYMBOLS)
    assert tensor.dtype == dtype
    assert (tensor.sum(-1) == 1).all()
    back = from_one_hot(tensor)
    assert back.dtype == np.uint8
    assert np.array_equal(back, cells)


def test_the_symbol_is_the_place_of_the_one():
    tensor = one_hot(np.array([[60, REST], [HOLD, 0]], np.uint8))
    assert tensor[0, 0, 60] == tensor[0, 1, 128] == tensor[1, 0, 129] == tensor[1, 1, 0] == 1


def test_logits_give_the_likeliest():
    logits = np.full((1, 1, SYMBOLS), -3.0)
    logits[0, 0, HOLD] = -2.5
    assert from_one_hot(logits).tolist() == [[HOLD]]


def test_pieces_of_unequal_length_stand_in_one_array():
    long, short = np.array([[60], [HOLD], [62]], np.uint8), np.array([[64]], np.uint8)
    batch, lasts = padded([long, short])
    assert batch[..., 0].tolist() == [[60, HOLD, 62], [64, REST, REST]]
    assert lasts.tolist() == [[True, True, True], [True, False, False]]


@pytest.mark.parametrize("steps", [2, 5])
def test_a_wanted_length_cuts_or_fills(steps):
    batch, lasts = padded([np.array([[60], [HOLD], [62]], np.uint8)], steps)
    assert batch[0, :, 0].tolist() == [60, HOLD, 62, REST, REST][:steps]
    assert lasts.sum() == min(3, steps)

"""Symbols <-> one-hot tensors, and pieces of unequal length in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from musegen.representation.roll import REST, SYMBOLS


def one_hot(symbols: NDArray[np.integer[Any]], dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """The piano-roll tensor of the literature.

    Args:
        symbols: (steps, voices), or (batch, steps, voices); values 0-129.
        dtype: of the result; `bool` takes a quarter of the memory.

    Returns:
        (..., steps, voices, 130): 1 at the symbol, 0 elsewhere.
    """
    hot: NDArray[Any] = (symbols[..., None] == np.arange(SYMBOLS, dtype=np.uint8)).astype(dtype, copy=False)
    return hot


def from_one_hot(tensor: NDArray[Any]) -> NDArray[np.uint8]:
    """The likeliest symbol of each cell; the inverse of `one_hot`.

    Args:
        tensor: (..., steps, voices, 130): one-hot, probabilities or logits.

    Returns:
        (..., steps, voices) symbols; of equally likely ones, the lowest.
    """
    symbols: NDArray[np.uint8] = tensor.argmax(-1).astype(np.uint8)
    return symbols


def padded(
    pieces: Sequence[NDArray[np.uint8]], steps: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Stack pieces of unequal length.

    Args:
        pieces: each (steps, voices), with the same voices; at least one.
        steps: how long to make them; longer ones are cut. The longest's when not given.

    Returns:
        (batch, steps, voices) symbols, rests after each piece's end, and (batch, steps) true where a piece lasts.
    """
    if steps is None:
        steps = max(len(piece) for piece in pieces)
    symbols = np.full((len(pieces), steps, pieces[0].shape[1]), REST, np.uint8)
    lasts = np.zeros((len(pieces), steps), np.bool_)
    for i, piece in enumerate(pieces):
        symbols[i, : len(piece)] = piece[:steps]
        lasts[i, : len(piece)] = True
    return symbols, lasts

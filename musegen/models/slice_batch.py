"""Slices of several pieces as tensors."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class SliceBatch(NamedTuple):
    """Slices of several pieces end to end (N slices in all, V voices, F features, L lags).

    Attributes:
        rows: (N, F) feature values with the tables' offsets added.
        event: (N, V) classes to be predicted.
        length: (N,) steps to be predicted.
        before: (N, V) classes sounding before.
        look_event: (N, L, V) what stood so many bars ago, and
        look_length: (N, L) how long.
        run: (N, L) levels of agreement.
        room: (N,) the longest length possible.
        joint: (N,) whether all voices may go on.
        left: (N,) quarters to the end, as far as they are counted.
        strain: (N,) bars left, counted within a strain.
        stage: (N,) bars since the beginning, as far as they are counted.
        compass: (N, V, 2) lowest and highest class of each voice so far.
        tally: (N, H, 12) shares of the pitch classes.
        tonic: (N,) pitch class, 12 when unknown.
        mode: (N,) index.
        piece: (N,) which piece of the batch each slice belongs to, and
        place: (N,) its place there.
        lengths: (pieces,) slices of each piece.
    """

    rows: Tensor
    event: Tensor
    length: Tensor
    before: Tensor
    look_event: Tensor
    look_length: Tensor
    run: Tensor
    room: Tensor
    joint: Tensor
    left: Tensor
    strain: Tensor
    stage: Tensor
    compass: Tensor
    tally: Tensor
    tonic: Tensor
    mode: Tensor
    piece: Tensor
    place: Tensor
    lengths: Tensor


def padded(flat: Tensor, batch: SliceBatch) -> Tensor:
    """(N, D) slices end to end -> (pieces, longest, D), zeros after the end of each piece."""
    out = flat.new_zeros(len(batch.lengths), int(batch.lengths.max()), flat.shape[1])
    out[batch.piece, batch.place] = flat
    return out

"""What a piece remembers of itself: places it may go back to, and which pitch classes it has been using.

Music repeats its strains and stays in its key; a recurrent state of a few hundred numbers holds neither exactly. So a
model is shown both: what stood so many bars ago, what followed the longest passage that is like the one just written
(the idea of Lempel and Ziv's coding, and of the Continuator), and fading tallies of the pitch classes that sounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from musegen.models.vocabulary import Vocabulary

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Names = NDArray[np.uint64]

LAGS = (1, 2, 4, 8, 16)
"""Bars that a model looks back; tunes repeat their strains after so many."""
LOOKS = len(LAGS) + 1
"""Places that a model looks back to: so many bars ago, and where the longest match with the present ends."""
MEMORY = 512
"""Slices among which the longest match is sought."""
HALF_LIVES = (2.0, 8.0, 32.0)
"""Quarters after which what sounded counts half, in each of the tallies of pitch classes."""
_RUN_EDGES = (0.01, 0.51, 1.01, 2.01, 4.01, 8.01, 16.01)
"""Quarters of agreement with the music at a place looked back to, in levels."""
RUN_LEVELS = len(_RUN_EDGES) + 1
STRAIN = 8
"""Bars that many strains last: how far a model trusts what it looks back to may differ with the place in one."""
_SPAN = 128 * HALF_LIVES[0]
"""Quarters whose tallies are computed at once: what fades the fastest must not underflow."""
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def run_level(quarters: Floats) -> Ints:
    """Quarters of agreement -> level."""
    return np.digitize(quarters, _RUN_EDGES).astype(np.int64)


def agreement(agreed: Flags, length: Ints) -> Ints:
    """(n, L) whether each slice is like the one looked back to, (n,) lengths -> (n, L) steps of agreement before it."""
    total = np.broadcast_to(np.cumsum(length)[:, None], agreed.shape)
    broken = np.maximum.accumulate(np.where(agreed, 0, total), axis=0)
    run = np.zeros(agreed.shape, np.int64)
    run[1:] = (total - broken)[:-1]
    return run


def slice_names(event: Ints, length: Ints) -> Names:
    """(n, V) events and (n,) lengths -> (n,) numbers by which slices that are the same are known."""
    name = length.astype(np.uint64)
    for voice in range(event.shape[1]):
        name = (name * _MULTIPLIER) ^ (event[:, voice].astype(np.uint64) + np.uint64(1))
    return name * _MULTIPLIER


def longest_match(names: Names, length: Ints) -> tuple[Ints, Ints]:
    """How far back, for each slice, the music stands that went on from the longest agreement with what led here.

    Args:
        names: (n,) of the slices.
        length: (n,) in steps.

    Returns:
        (n,) slices back, the least of equals, 0 where the slice before never occurred; and (n,) steps of agreement.
    """
    n = len(names)
    lags = np.arange(1, min(n, MEMORY) + 1)
    back = np.arange(n)[:, None] - lags
    run = agreement((names[:, None] == names[np.maximum(back, 0)]) & (back >= 0), length)
    best = run.argmax(axis=1)
    steps = run[np.arange(n), best]
    return np.where(steps > 0, lags[best], 0), steps


def pitch_classes(sound: Ints, vocabulary: Vocabulary) -> Floats:
    """(n, V) classes that sound -> (n, 12) how many voices sound each pitch class."""
    same = np.arange(12) == ((sound + vocabulary.low) % 12)[..., None]
    return np.asarray((same & (sound < vocabulary.pitches)[..., None]).sum(1).astype(np.float64))


def add_to_tally(tally: Floats, sounding: Floats, quarters: Floats) -> Floats:
    """(n, H, 12) tallies, (n, 12) what has sounded since and (n,) for how long -> (n, H, 12) tallies."""
    kept = 0.5 ** (quarters[:, None, None] / np.array(HALF_LIVES)[:, None])
    return np.asarray(tally * kept + _gained(sounding, kept))


def shares(tally: Floats) -> Floats:
    """(..., 12) tallies in quarters -> (..., 12) shares, which add up to less than 1 while little has sounded."""
    return np.asarray(tally / (tally.sum(-1, keepdims=True) + 1.0))


def tallies(sounding: Floats, quarters: Floats) -> Floats:
    """(n, 12) what sounds in each slice and (n,) for how long -> (n, H, 12) shares before each slice."""
    out = np.zeros((len(quarters), len(HALF_LIVES), 12))
    end = np.cumsum(quarters)
    first, tally = 0, np.zeros((len(HALF_LIVES), 12))
    while first < len(quarters):
        last = max(first + 1, int(np.searchsorted(end, end[first] + _SPAN)))
        lives = np.array(HALF_LIVES)[:, None]
        grown = 2.0 ** ((end[first:last] - end[first] + quarters[first])[:, None, None] / lives)  # since `first`
        kept = 0.5 ** (quarters[first:last, None, None] / lives)
        after = (tally + np.cumsum(_gained(sounding[first:last], kept) * grown, axis=0)) / grown
        out[first] = tally
        out[first + 1 : last] = after[:-1]
        first, tally = last, after[-1]
    return shares(out)


def _gained(sounding: Floats, kept: Floats) -> Floats:
    """What a slice adds to each tally: it fades already while it lasts."""
    lives = np.array(HALF_LIVES)[:, None] / np.log(2)
    return np.asarray(sounding[:, None] * (1 - kept) * lives)

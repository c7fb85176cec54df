"""Network layers in numpy, for sampling without torch, and the drawing of symbols.

Everything is computed in double precision: what a sum rounds off depends on how many pieces are computed together, and
in single precision that would now and then change a note. So a seed gives the same music in a batch of any size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from musegen.models.base import Sampling

if TYPE_CHECKING:
    from musegen.models.slices import Ints

Floats = NDArray[np.float64]

GATHERED = 200
"""Table rows that are gathered before they are added up: few enough to stay in the processor's cache."""


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), by way of tanh, which does not overflow."""
    halved = 0.5 * x
    np.tanh(halved, out=halved)
    halved *= 0.5
    halved += 0.5
    return halved


def summed_rows(table: Floats, rows: Ints) -> Floats:
    """Look up rows and add them up: (R, width) and (n, F) indices -> (n, width)."""
    total = np.empty((len(rows), table.shape[1]))
    together = max(1, GATHERED // rows.shape[1])
    for first in range(0, len(rows), together):
        some = slice(first, first + together)
        np.add.reduce(table.take(rows[some], axis=0), axis=1, out=total[some])
    return total


def lstm_step(given: Floats, hidden: Floats, memory: Floats, matrix: Floats, bias: Floats) -> tuple[Floats, Floats]:
    """One step of an LSTM layer with torch's order of gates: in, forget, cell, out.

    Args:
        given: (n, inputs).
        hidden: (n, units) output of the step before.
        memory: (n, units) its memory.
        matrix: (inputs + units, 4 * units).
        bias: (4 * units,).

    Returns:
        (n, units) output and (n, units) memory.
    """
    units = hidden.shape[1]
    gates = np.concatenate([given, hidden], axis=1) @ matrix
    gates += bias
    opened = sigmoid(gates[:, : 2 * units])
    memory = opened[:, units:] * memory
    memory += opened[:, :units] * np.tanh(gates[:, 2 * units : 3 * units])
    output = sigmoid(gates[:, 3 * units :])
    output *= np.tanh(memory)
    return output, memory


def log_softmax(logits: Floats) -> Floats:
    """(n, K) -> (n, K) log-probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def surprise(logits: Floats, chosen: Ints) -> Floats:
    """(n, K) logits and (n,) classes -> (n,) nats: minus the log-probability of each class."""
    highest = logits.max(axis=1)
    total = np.exp(logits - highest[:, None]).sum(axis=1)
    return np.asarray(np.log(total) - (logits[np.arange(len(chosen)), chosen] - highest))


def pick(logits: Floats, how: Sampling, chance: Floats) -> Ints:
    """Draw one class from each row.

    Args:
        logits: (n, K); -inf for what is not allowed, but never in a whole row.
        how: temperature, top_k (Fan et al., 2018) and top_p (Holtzman et al., 2020).
        chance: (n,) uniform in [0, 1).

    Returns:
        (n,) classes; the likeliest at temperature 0.
    """
    if how.temperature == 0:
        return np.asarray(logits.argmax(axis=1))
    with np.errstate(over="ignore"):  # next to temperature 0 all but the likeliest are infinitely unlikely
        odds = np.exp((logits - logits.max(axis=1, keepdims=True)) / how.temperature)
    if 0 < how.top_k < odds.shape[1]:
        least = np.partition(odds, -how.top_k, axis=1)[:, -how.top_k, None]
        odds = np.where(odds >= least, odds, 0.0)
    if how.top_p < 1:
        order = np.argsort(-odds, axis=1, kind="stable")
        ranked = np.take_along_axis(odds, order, axis=1)
        ahead = np.cumsum(ranked, axis=1) - ranked
        ranked[ahead >= how.top_p * ranked.sum(axis=1, keepdims=True)] = 0.0
        ranked[:, 0] = 1.0 if how.top_p == 0 else ranked[:, 0]
        odds = np.zeros_like(odds)
        np.put_along_axis(odds, order, ranked, axis=1)
    heap = np.cumsum(odds, axis=1)
    whole = heap[:, -1]
    # Below the whole heap even where the product is rounded up to it, or no class would be reached.
    reached = np.minimum(chance * whole, np.nextafter(whole, 0.0))
    return np.asarray((heap <= reached[:, None]).sum(axis=1))

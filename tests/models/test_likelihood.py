"""The nats of a roll, counted by hand, and summed over all rolls there are."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from musegen.models import family, vocabulary
from musegen.models.network import Noise
from musegen.models.slice_network import SliceBatch
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre
from tests.models.test_every_family import batch_of, scatter
from tests.toys import LEFT_TO_RIGHT, SETTINGS, tiny_vocabulary


def noise(pieces):
    return Noise(1, 1, pieces, list(range(pieces)), torch.device("cpu"), learning=False)


def network_of(name, words, spread):
    kind = family(name)
    settings = kind.settings.of(SETTINGS[name])
    network = kind.network(words, settings)
    if spread:
        return kind, settings, scatter(network, spread)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    return kind, settings, network


def roll_of(symbols, metre, **others):
    columns = np.array(symbols, np.uint8)
    return Roll(columns if columns.ndim == 2 else columns[:, None], 1, ((0, Metre.parse(metre)),), **others)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_without_weights_a_melody_is_drawn_evenly_from_what_is_possible(name):
    words = tiny_vocabulary((60, 62), metre="4/4")
    assert (words.pitches, words.classes) == (13, 15)
    roll = roll_of([60, HOLD, REST, 62, HOLD, HOLD, 60, REST], "4/4")
    by_hand = [
        (14, 4),  # at the beginning silence may go on but not begin; up to 4 steps
        (14, 2),  # inside a bar, with one voice, something must change
        (13, 1),  # nor can a silence begin while there is one
        (15, 4),  # at the bar line the note may go on
        (14, 2),
        (14, 1),
    ]
    kind, settings, network = network_of(name, words, 0)
    batch, pieces, cells = batch_of(kind, [roll], words, settings)
    _, nats = network(batch, noise(pieces))
    assert cells == 8
    assert float(nats) == pytest.approx(sum(math.log(a * b) for a, b in by_hand), abs=1e-4)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_without_weights_two_voices_are_drawn_evenly_from_what_is_possible(name):
    words = tiny_vocabulary((60, 62), (48, 50), metre="2/4")
    assert words.classes == 27
    roll = roll_of([(60, 48), (HOLD, 50), (REST, HOLD), (REST, HOLD)], "2/4")
    by_hand = [26, 26, 2, 27, 26, 1, 27, 27, 2]  # upper voice, lower voice, length
    kind, settings, network = network_of(name, words, 0)
    batch, pieces, _ = batch_of(kind, [roll], words, settings)
    assert float(network(batch, noise(pieces))[1]) == pytest.approx(sum(map(math.log, by_hand)), abs=1e-4)


def test_without_weights_every_added_cell_of_minibach_is_even():
    words = tiny_vocabulary((60, 62), (48, 50), metre="2/4")
    roll = roll_of([(60, 48), (HOLD, 50), (REST, HOLD)], "2/4")
    kind, settings, network = network_of("minibach", words, 0)
    batch, pieces, cells = batch_of(kind, [roll], words, settings)
    assert cells == 3 * pieces
    assert float(network(batch, noise(pieces))[1]) == pytest.approx(
        cells * math.log(27 + 12), abs=1e-4
    )  # 6 more each way


def all_columns(pitches, steps):
    """Every way to fill a voice: a hold follows only what sounds."""
    for column in itertools.product([*pitches, REST, HOLD], repeat=steps):
        sounds = False
        for symbol in column:
            if symbol == HOLD and not sounds:
                break
            sounds = symbol != REST
        else:
            yield column


@pytest.mark.parametrize(
    ("ranges", "steps", "metre", "pickup"),
    [
        ([(60, 61)], 4, "2/4", 0),
        ([(60, 61)], 4, "3/4", 1),
        ([(60, 60), (59, 59)], 2, "2/4", 0),
        ([(60, 60), (60, 60), (60, 60)], 2, "2/4", 1),
    ],
    ids=["a melody", "a pickup", "two voices", "three voices"],
)
@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_the_probabilities_of_all_rolls_sum_to_one(name, ranges, steps, metre, pickup, monkeypatch):
    monkeypatch.setattr(vocabulary, "MARGIN", 0)
    words = tiny_vocabulary(*ranges, metre=metre)
    lowest, highest = min(low for low, _ in ranges), max(high for _, high in ranges)
    columns = list(all_columns(range(lowest, highest + 1), steps))
    rolls = [
        roll_of(list(zip(*voices, strict=True)), metre, pickup=pickup)
        for voices in itertools.product(columns, repeat=len(ranges))
    ]
    kind, settings, network = network_of(name, words, 0.4)
    batch, pieces, _ = batch_of(kind, rolls, words, settings)
    slices = SliceBatch(**batch)
    with torch.no_grad():
        if name == "vae":
            nats = network.decode(slices, torch.full((pieces, settings.latent), 0.7), noise(pieces))
        else:
            nats = network.nats(slices, noise(pieces))
    total = torch.zeros(pieces).index_add(0, slices.piece, nats.sum(1))
    likely = (-total.double()).exp()
    assert float(likely.sum()) == pytest.approx(1, abs=1e-4)
    assert float(likely.max()) > 3 / pieces, "the weights should prefer something"


def test_the_bound_of_the_vae_is_what_it_costs_to_tell_the_code_and_the_roll():
    words = tiny_vocabulary((60, 62), metre="4/4")
    kind, settings, network = network_of("vae", words, 0.3)
    batch, pieces, _ = batch_of(kind, [roll_of([60, HOLD, 62, REST], "4/4")] * 2, words, settings)
    slices, silent = SliceBatch(**batch), noise(pieces)
    with torch.no_grad():
        _, bound = network(batch, noise(pieces))
        code = network.encoder(slices)
        z = code.mean + (code.log_variance / 2).exp() * silent.normal(settings.latent)
        told = network.decode(slices, z, silent).sum()
    normal, standard = (
        torch.distributions.Normal(code.mean, (code.log_variance / 2).exp()),
        torch.distributions.Normal(0, 1),
    )
    divergence = torch.distributions.kl_divergence(normal, standard).sum()
    assert float(divergence) > 0.01
    assert float(bound) == pytest.approx(float(told + divergence), rel=1e-5)

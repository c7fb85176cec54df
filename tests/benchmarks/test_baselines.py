"""The baselines say what they must where the answer is known."""

import math

import numpy as np
import pytest
import torch
from baselines import counting, gru, harmonizer

from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre
from tests.toys import ROLLS, tiny_vocabulary


def words(rolls):
    pitches = np.concatenate([roll.symbols[roll.symbols < REST] for roll in rolls])
    ranges = ((int(pitches.min()), int(pitches.max())),) * rolls[0].voices
    return Vocabulary(rolls[0].steps_per_quarter, ranges, (Metre(4, 4),), 4 * rolls[0].steps_per_quarter)


def melody(*symbols):
    return Roll(np.array(symbols, np.uint8)[:, None], 1)


@pytest.mark.parametrize("order", [0, 1, 3])
def test_the_chances_of_an_ngram_sum_to_one_after_anything(order):
    tunes = ROLLS["tunes"]
    v = words(tunes)
    model = counting.ngram(order, v.classes).learn(*counting.preceding(tunes[:6], v, order))
    features, _ = counting.preceding(tunes[6:8], v, order)
    total = sum(model.probabilities(features, np.full(len(features), symbol)) for symbol in range(v.classes))
    assert total == pytest.approx(np.ones(len(features)))


def test_the_chances_of_the_markov_model_sum_to_one():
    chorales = ROLLS["chorales"]
    v = words(chorales)
    model = counting.markov(v.classes).learn(*counting.placed(chorales[:4], v))
    features, _ = counting.placed(chorales[4:6], v)
    total = sum(model.probabilities(features, np.full(len(features), symbol)) for symbol in range(v.classes))
    assert total == pytest.approx(np.ones(len(features)))


def test_a_bigram_by_hand():
    v = tiny_vocabulary((60, 62))  # 13 pitches, rest, hold
    model = counting.ngram(1, v.classes).learn(*counting.preceding([melody(60, HOLD, 60, HOLD, 62)], v, 1))
    asked = counting.preceding([melody(60, HOLD, 62)], v, 1)
    even = 1 / 15
    alone = {60: (2 + 3 * even) / 8, HOLD: (2 + 3 * even) / 8, 62: (1 + 3 * even) / 8}  # 5 events of 3 kinds
    by_hand = [(1 + alone[60]) / 2, (2 + alone[HOLD]) / 3, (1 + 2 * alone[62]) / 4]  # after nothing, 60, a hold
    assert model.probabilities(*asked) == pytest.approx(by_hand)


def test_counting_nothing_leaves_even_chances():
    v = tiny_vocabulary((60, 62))
    model = counting.WittenBell([], v.classes)
    _, symbols = counting.preceding([melody(60, HOLD, REST)], v, 1)
    assert -np.log(model.probabilities(np.zeros((3, 0), np.int64), symbols)) == pytest.approx(np.full(3, math.log(15)))


def test_how_long_a_pitch_has_lasted():
    v = tiny_vocabulary((60, 62), grid=2)
    roll = Roll(np.array([[60], [HOLD], [62], [REST], [REST], [60]], np.uint8), 2)
    features, symbols = counting.placed([roll], v)
    low = v.low
    assert features.tolist() == [
        [0, v.none, 0, 0],
        [0, 60 - low, 1, 1],
        [0, 60 - low, 0, 2],
        [0, 62 - low, 1, 1],
        [0, v.rest, 0, 1],
        [0, v.rest, 1, 2],
    ]
    assert symbols.tolist() == [60 - low, v.hold, 62 - low, v.rest, v.rest, 60 - low]


def test_a_gru_without_a_readout_gives_every_symbol_the_same_chance():
    chorales = ROLLS["chorales"][:5]
    v = words(chorales)
    model = gru.BareGRU(v.classes, 8, 2)
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.zero_()
    found = gru.nats(model, gru.tokens_of(chorales, v))
    assert found == pytest.approx([roll.symbols.size * math.log(v.classes) for roll in chorales], rel=1e-6)


def test_a_piece_costs_a_gru_the_same_alone_and_in_company(monkeypatch):
    monkeypatch.setattr(gru, "CHUNK", 7)
    tunes = ROLLS["tunes"][:5]
    v = words(tunes)
    torch.manual_seed(1)
    model = gru.BareGRU(v.classes, 8, 2)
    tokens = gru.tokens_of(tunes, v)
    alone = [gru.nats(model, [each])[0] for each in tokens]
    assert gru.nats(model, tokens) == pytest.approx(alone, rel=1e-5)


def test_a_gru_is_as_large_as_asked():
    for parameters, layers in ((220_000, 3), (2_250_000, 2)):
        assert gru.sized(parameters, 58, layers).parameters_count == pytest.approx(parameters, rel=0.02)


def test_a_gru_learns():
    tunes = ROLLS["tunes"]
    v = words(tunes)
    torch.manual_seed(1)
    done = gru.train(gru.BareGRU(v.classes, 16, 1), tunes[:8], tunes[8:10], v, minutes=0.02)
    tokens = gru.tokens_of(tunes[10:], v)
    assert sum(gru.nats(done.model, tokens)) < 0.7 * sum(map(len, tokens)) * math.log(v.classes)


def test_the_harmonizer_without_weights_knows_nothing():
    chorales = [roll.with_symbols(roll.symbols[:16]) for roll in ROLLS["chorales"] if roll.steps >= 16]
    v = words(chorales)
    model = harmonizer.Harmonizer(16, 4, v.classes, 5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found = harmonizer.measure(model, chorales, v)
    assert found.nats == pytest.approx(math.log(v.classes), rel=1e-6)


def test_holds_are_resolved_inside_a_window():
    v = tiny_vocabulary((60, 62), (48, 50))
    classes = np.array([[[v.hold, 3], [5, v.hold], [v.hold, v.rest], [v.hold, v.hold]]])
    assert harmonizer.resolved(classes, v).tolist() == [[[v.hold, 3], [5, 3], [5, v.rest], [5, v.rest]]]

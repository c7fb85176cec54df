"""The nats of single cells: against the torch network, against all symbols there are, and by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.models import family, slice_scoring, vocabulary
from musegen.models.base import Composer, Sampling
from musegen.models.slice_batch import SliceBatch
from musegen.models.slices import slice_roll
from musegen.models.vae.encoder import active
from musegen.representation.roll import HOLD, REST
from musegen.training.run import vocabulary_of
from tests.models.test_every_family import batch_of, noise, scatter, weights_of
from tests.models.test_likelihood import network_of, roll_of
from tests.toys import CASES, LEFT_TO_RIGHT, ROLLS, SETTINGS, tiny_vocabulary


def scored(composer, rolls, codes):
    """Surprises under given codes, where the model has codes."""
    state = composer.trunk.start(len(rolls))
    if codes is not None:
        state = (*state, composer.told(codes))
    return slice_scoring.score(composer, rolls, state)


def codes_for(name, settings, pieces):
    return np.random.default_rng(1).standard_normal((pieces, settings.latent)) if name == "vae" else None


def slice_nats(network, batch, pieces, codes):
    slices, silent = SliceBatch(**batch), noise(pieces, learning=False)
    with torch.no_grad():
        if codes is None:
            nats = network.nats(slices, silent)
        else:
            nats = network.decode(slices, torch.from_numpy(codes).to(network.look.tables.dtype), silent)
    return torch.zeros(pieces, dtype=nats.dtype).index_add(0, slices.piece, nats.sum(1)).numpy()


@pytest.mark.parametrize(("name", "corpus"), [case for case in CASES if case[0] in LEFT_TO_RIGHT])
def test_the_cells_of_a_piece_sum_to_its_slices_in_torch(corpora, name, corpus):
    from musegen.corpora import open_corpus

    kind, words = family(name), vocabulary_of(open_corpus(corpora[corpus]))
    settings = kind.settings.of(SETTINGS[name])
    network = scatter(kind.network(words, settings)).double().eval()
    rolls = ROLLS[corpus][:6]
    batch, pieces, _ = batch_of(kind, rolls, words, settings)
    codes = codes_for(name, settings, pieces)
    found = scored(kind.composer(words, settings, weights_of(network)), rolls, codes)
    expected = slice_nats(network, batch, pieces, codes)
    assert [each.nats.sum() for each in found] == pytest.approx(
        expected, rel=1e-6
    )  # torch is given the tallies in single precision
    for each, roll in zip(found, rolls, strict=True):
        assert each.nats.shape == each.best.shape == roll.symbols.shape
        assert (each.nats >= 0).all() and each.hidden == 0
        assert each.best.dtype == np.uint8


@pytest.mark.parametrize("least", [1e-9, 1e-300], ids=["as it is", "asking everywhere"])
@pytest.mark.parametrize(
    ("ranges", "columns", "pickup"),
    [
        ([(60, 61)], [60, HOLD, HOLD, 61, REST, REST, 60], 1),
        ([(60, 60), (59, 59)], [(60, 59), (HOLD, HOLD), (HOLD, 59), (REST, HOLD), (REST, HOLD), (60, REST)], 0),
        ([(60, 60), (60, 60), (60, 60)], [(60, REST, 60), (HOLD, REST, HOLD), (60, 60, HOLD), (60, HOLD, REST)], 1),
    ],
    ids=["a melody", "two voices", "three voices"],
)
@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_the_probabilities_of_all_symbols_of_a_cell_sum_to_one(name, ranges, columns, pickup, least, monkeypatch):
    monkeypatch.setattr(vocabulary, "MARGIN", 0)
    monkeypatch.setattr(slice_scoring, "NEGLIGIBLE", least)
    words = tiny_vocabulary(*ranges, metre="3/4")
    kind, settings, network = network_of(name, words, 0.4)
    composer = kind.composer(words, settings, weights_of(network))
    roll = roll_of(columns, "3/4", pickup=pickup)
    order = composer.voices.order
    codes = codes_for(name, settings, 1)
    (truth,) = scored(composer, [roll], codes)
    pitches = range(words.low, words.low + words.pitches)
    for step in range(roll.steps):
        for place, voice in enumerate(order):
            sounds = step and roll.sounding()[step - 1, voice] != REST
            likely = {}
            for symbol in (*pitches, REST, *([HOLD] if sounds else [])):
                other = roll.symbols.copy()
                other[step, voice] = symbol
                # What comes after the cell plays no part; it only has to be music.
                later = [(step, each) for each in order[place + 1 :]]
                later += [(after, each) for after in range(step + 1, roll.steps) for each in range(roll.voices)]
                for at, each in later:
                    before = REST if at == 0 else replace(roll, symbols=other).sounding()[at - 1, each]
                    other[at, each] = REST if before == REST else HOLD
                (found,) = scored(composer, [replace(roll, symbols=other)], codes)
                likely[symbol] = math.exp(-found.nats[step, voice])
            assert sum(likely.values()) == pytest.approx(1, abs=1e-6)
            true = roll.symbols[step, voice]
            assert likely[true] == pytest.approx(math.exp(-truth.nats[step, voice]), abs=1e-6)
            assert truth.best[step, voice] == max(likely, key=likely.__getitem__)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_without_weights_cells_are_counted_by_hand(name):
    words = tiny_vocabulary((60, 62), metre="4/4")
    kind, settings, network = network_of(name, words, 0)
    roll = roll_of([60, HOLD, REST, REST, HOLD, 62], "4/4")
    roll.symbols[4] = REST  # over the bar line silence goes on
    composer = kind.composer(words, settings, weights_of(network))
    codes = np.zeros((1, settings.latent)) if name == "vae" else None
    (found,) = scored(composer, [roll], codes)
    # 14 of 15 classes at first; slices of 1 to 4 steps, all alike; then something must change, 14 ways; at the bar
    # line silence may go on but not begin, and two steps are left.
    by_hand = [1 / 14, 3 / 4, 1 / 3 * 1 / 14, 1 / 2, 1 / 14, 1 / 2 * 1 / 13]
    assert found.nats[:, 0] == pytest.approx([-math.log(each) for each in by_hand], abs=1e-12)
    assert found.best[[1, 3], 0].tolist() == [HOLD, REST], "what goes on is likelier than any one change"


def test_pieces_are_scored_alike_alone_and_together(trained):
    composer = load_checkpoint(trained("lstm")).composer()
    together = composer.surprise(ROLLS["chorales"][:5])
    for number in (0, 3):
        (alone,) = composer.surprise([ROLLS["chorales"][number]])
        assert alone.nats == pytest.approx(together[number].nats, abs=1e-12)
        assert np.array_equal(alone.best, together[number].best)


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_what_a_model_writes_surprises_it_as_it_says(trained, name):
    model = load_checkpoint(trained(name, "tunes"))
    composer = model.composer()
    composer.in_range[:] = True  # scoring forbids nothing
    templates = [plan.template(model.frame()) for plan, _ in model.plans[:3]]
    codes = codes_for(name, model.settings, 3)
    state = composer.trunk.start(3) if codes is None else (*composer.trunk.start(3), composer.told(codes))
    fillings = composer.compose(templates, Sampling(4), range(3), state)
    again = scored(composer, [filling.roll for filling in fillings], codes)
    assert [each.nats.sum() for each in again] == pytest.approx([each.nats for each in fillings], rel=1e-9)


@pytest.mark.parametrize("corpus", ["chorales", "tunes"])
def test_the_encoder_in_numpy_is_the_encoder_in_torch(corpora, corpus):
    from musegen.corpora import open_corpus

    kind, words = family("vae"), vocabulary_of(open_corpus(corpora[corpus]))
    settings = kind.settings.of(SETTINGS["vae"])
    network = scatter(kind.network(words, settings)).double().eval()
    rolls = ROLLS[corpus][:4]
    batch, _, _ = batch_of(kind, rolls, words, settings)
    with torch.no_grad():
        expected = network.encoder(SliceBatch(**batch))
    codes = kind.composer(words, settings, weights_of(network)).encode(rolls)
    assert np.stack([code.mean for code in codes]) == pytest.approx(expected.mean.numpy(), abs=1e-9)
    assert np.stack([code.log_variance for code in codes]) == pytest.approx(expected.log_variance.numpy(), abs=1e-9)
    assert [code.divergence() for code in codes] == pytest.approx(expected.divergence().sum(1).numpy(), abs=1e-9)
    draws = np.stack([codes[0].draw(np.random.default_rng(seed)) for seed in range(2000)])
    assert draws.mean(0) == pytest.approx(codes[0].mean, abs=0.1)
    assert draws.std(0) == pytest.approx(np.exp(codes[0].log_variance / 2), rel=0.1)


def test_a_bound_is_the_mean_over_codes_that_were_drawn_and_their_divergence(trained):
    model = load_checkpoint(trained("vae"))
    composer, rolls = model.composer(), ROLLS["chorales"][:3]
    found, again, other = (composer.surprise(rolls, seed) for seed in (1, 1, 2))
    for one, same, third, code in zip(found, again, other, composer.encode(rolls), strict=True):
        assert np.array_equal(one.nats, same.nats) and not np.array_equal(one.nats, third.nats)
        assert one.hidden == third.hidden == pytest.approx(code.divergence())


def test_a_code_that_says_it_all_brings_the_piece_back():
    """A toy whose decoder reads nothing but the code: the class 60 under a positive one, 61 under a negative one."""
    words = tiny_vocabulary((60, 61), metre="2/4")
    kind, settings, network = network_of("vae", words, 0)
    weights = weights_of(network)
    weights["encoder.event.0.weight"][60 - words.low] = 1.0
    weights["encoder.event.0.weight"][61 - words.low] = -1.0
    units = settings.encoder
    weights["encoder.read.weight_ih_l0"][2 * units, :] = 5.0  # what goes into the first memory,
    weights["encoder.code.weight"][0, 0] = 20.0  # which the code tells
    weights["code.weight"][settings.width, 0] = 1.0
    weights["heads.read.weight"][0, 0] = 1.0
    weights["heads.symbol.0.weight"][60 - words.low, 0] = 9.0
    weights["heads.symbol.0.weight"][61 - words.low, 0] = -9.0
    weights["heads.length.bias"][0] = 9.0  # one step each
    rolls = [roll_of([pitch] * 6, "2/4") for pitch in (60, 61)]
    composer = kind.composer(words, settings, weights)
    again = composer.reconstruct(rolls)
    assert all(np.array_equal(one.symbols, other.symbols) for one, other in zip(again, rolls, strict=True))
    means = np.stack([code.mean for code in composer.encode(rolls)])
    assert active(means) == 1 and means[0, 0] > 1 > -1 > means[1, 0]


def test_minibach_costs_what_it_adds():
    words = tiny_vocabulary((60, 62), (48, 50), metre="2/4")
    kind, settings, network = network_of("minibach", words, 0)
    roll = roll_of([(60, REST), (HOLD, 48), (REST, HOLD)], "2/4")
    weights = weights_of(network)
    weights["second.bias"][words.hold + 12] = 3.0  # six pitches more each way
    (found,) = kind.composer(words, settings, weights).surprise([roll])
    assert (found.nats[:, 0] == 0).all() and found.hidden == 0
    others = math.log(words.classes - 1 + math.exp(3))
    assert found.nats[:, 1] == pytest.approx([others, others, others - 3])
    assert np.array_equal(found.best[:, 0], roll.symbols[:, 0])
    assert found.best[:, 1].tolist() == [REST, REST, HOLD], "a silence goes on as a rest"


def test_a_model_without_a_likelihood_says_so():
    class Dice(Composer):
        def fill(self, templates, how, pieces):
            return []

    with pytest.raises(MusegenError, match="no likelihood"):
        Dice().surprise([ROLLS["tunes"][0]])


def test_a_pitch_without_a_name_is_refused(trained):
    composer = load_checkpoint(trained("lstm", "tunes")).composer()
    roll = ROLLS["tunes"][0]
    with pytest.raises(MusegenError, match="pitch 0 lies outside"):
        composer.surprise([replace(roll, symbols=np.where(roll.symbols == HOLD, HOLD, 0).astype(np.uint8))])
    assert len(slice_roll(roll, composer.vocabulary).start) > 4

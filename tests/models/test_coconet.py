"""Coconet sees only what is shown, keeps what is fixed, and repeats what must be repeated."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from musegen.checkpoints import load_checkpoint
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.models import family
from musegen.models.base import Sampling
from musegen.models.coconet.cells import Cells, dilations, from_tonic, hidden_class
from musegen.models.coconet.seen import Seen, known_sound
from musegen.models.network import Noise
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.rules import Leap, Lengths
from musegen.representation.template import Copy, Template, violations
from musegen.score import Key
from musegen.training.run import vocabulary_of
from tests.toys import ROLLS, SETTINGS, tiny_vocabulary

CORPORA = pytest.mark.parametrize("corpus", ["chorales", "tunes"])


def made(corpora, corpus, scale=0.2, **others):
    """A network with weights of chance, its twin in numpy, and the vocabulary."""
    kind, vocabulary = family("coconet"), vocabulary_of(open_corpus(corpora[corpus]))
    settings = kind.settings.of(SETTINGS["coconet"] | others)
    network = kind.network(vocabulary, settings).eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    weights = {name: parameter.detach().double().numpy() for name, parameter in network.named_parameters()}
    return network, kind.composer(vocabulary, settings, weights), vocabulary


def some_hidden(cells, share, seed=1):
    return np.random.default_rng(seed).random(cells.event.shape) < share


@CORPORA
def test_the_composer_is_the_network(corpora, corpus):
    network, composer, vocabulary = made(corpora, corpus)
    for number, roll in enumerate(ROLLS[corpus][:4]):
        cells = Cells.of(roll, vocabulary)
        hidden = some_hidden(cells, 0.2 + 0.2 * number)
        seen = Seen.of(
            Cells(*(each[None] for each in (cells.event, cells.frame, cells.apart))), hidden[None], vocabulary
        )
        with torch.no_grad():
            expected = network.logits(seen, Noise(1, 0, 1, [0], torch.device("cpu"), learning=False))[0].numpy()
        for voice, (steps, logits) in enumerate(composer.logits(cells, hidden)):
            back = from_tonic(np.arange(vocabulary.classes), cells.frame[steps, 1:2], vocabulary)
            assert np.array_equal(steps, np.flatnonzero(hidden[:, voice]))
            assert logits == pytest.approx(np.take_along_axis(expected[steps, voice], back, 1), abs=1e-4)


@CORPORA
def test_what_is_hidden_is_not_seen(corpora, corpus):
    _, composer, vocabulary = made(corpora, corpus)
    cells = Cells.of(ROLLS[corpus][1], vocabulary)
    hidden = some_hidden(cells, 0.5)
    other = np.where(hidden, np.random.default_rng(2).integers(vocabulary.classes, size=hidden.shape), cells.event)
    assert (other != cells.event).any()
    one, two = (composer.logits(dataclasses.replace(cells, event=event), hidden) for event in (cells.event, other))
    for (_, a), (_, b) in zip(one, two, strict=True):
        assert np.array_equal(a, b)


def test_the_bound_of_even_chances_is_theirs(corpora):
    """Where every class is as likely, each cell costs the logarithm of their number, whatever was hidden."""
    _, composer, vocabulary = made(corpora, "chorales", scale=0.0)
    rolls = ROLLS["chorales"][:2]
    for roll, surprise in zip(rolls, composer.surprise(rolls), strict=True):
        assert surprise.nats.sum() == pytest.approx(roll.symbols.size * np.log(vocabulary.classes))
        assert surprise.nats.shape == surprise.best.shape == roll.symbols.shape


def test_the_estimate_of_the_likelihood_scatters_little(corpora):
    _, composer, _ = made(corpora, "chorales")
    roll = ROLLS["chorales"][1]
    sums = [composer.surprise([roll], seed)[0].nats.sum() for seed in range(6)]
    assert len(set(sums)) == 6
    assert np.std(sums) < 0.1 * np.mean(sums)


def test_what_sounds_follows_from_what_is_known():
    vocabulary = tiny_vocabulary((60, 64))
    hidden, hold, rest = hidden_class(vocabulary), vocabulary.hold, vocabulary.rest
    event = np.array([hold, 3, hold, hidden, hold, 4, hold, rest, rest, hidden])[:, None]
    assert known_sound(event, vocabulary)[:, 0].tolist() == [hold, 3, 3, hold, hold, 4, 4, rest, rest, hold]


def test_layers_look_as_far_as_the_grid_is_divided():
    assert dilations(tiny_vocabulary((60, 64), grid=4), 8) == [1, 2, 4, 8, 16, 32, 1, 2]
    assert dilations(tiny_vocabulary((60, 64), grid=12), 7) == [1, 2, 4, 12, 24, 48, 96]


@CORPORA
def test_transposed_music_is_seen_alike_from_its_tonic(corpora, corpus):
    """But for the tonic itself, which tells how high a voice may go, and one wrap of the octave."""
    vocabulary = vocabulary_of(open_corpus(corpora[corpus]))
    roll = dataclasses.replace(ROLLS[corpus][0], keys=((0, Key(0)),))
    symbols = roll.symbols.astype(np.int64)
    moved = dataclasses.replace(
        roll, symbols=np.where(symbols < REST, symbols + 2, symbols).astype(np.uint8), keys=((0, Key(2)),)
    )
    hidden = some_hidden(Cells.of(roll, vocabulary), 0.4)
    one, two = (Seen.of(Cells.of(each, vocabulary), hidden, vocabulary) for each in (roll, moved))
    same = np.ones(one.rows.shape[1], bool)
    same[1] = False
    assert np.array_equal(one.rows[:, same], two.rows[:, same])
    for name in ("heard", "motion", "own", "against"):
        assert np.array_equal(getattr(one, name), getattr(two, name))


def test_the_key_is_estimated_from_what_is_known():
    symbols = np.array([[62, 61], [66, 61], [69, 61], [62, 61]] * 4, np.uint8)
    roll, vocabulary = Roll(symbols, 1), tiny_vocabulary((60, 72), (60, 72))
    known = np.zeros(symbols.shape, bool)
    known[:, 0] = True
    assert Cells.of(roll, vocabulary, known).frame[0, 1] == 2, "D, of which the triad is known"
    assert Cells.of(roll, vocabulary, np.zeros_like(known)).frame[0, 1] == 0, "C when nothing is"


@CORPORA
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_rules_holes_and_copies_are_kept(trained, corpus, temperature):
    model = load_checkpoint(trained("coconet", corpus))
    roll = ROLLS[corpus][2]
    bar = roll.steps_of(roll.metres[0][1])
    is_open = np.zeros(roll.symbols.shape, bool)
    is_open[roll.pickup + bar // 2 :, -1] = True
    hole = Template.hole(roll, is_open)
    grid = roll.steps_per_quarter
    rules = (Leap(roll.voices - 1, 5), Lengths(roll.voices - 1, shortest=grid // 2))
    bound = dataclasses.replace(hole, rules=rules)
    blank = Template(roll.with_symbols(np.full_like(roll.symbols, REST)), np.ones_like(is_open))
    form = dataclasses.replace(blank, copies=(Copy(0, bar, bar),), rules=rules)
    composer = model.composer()
    for template in (hole, bound, form):
        for filling in composer.fill([template] * 3, Sampling(1, temperature), range(3)):
            assert violations(template, filling.roll) == []
            before = np.concatenate([np.full((1, roll.voices), REST), filling.roll.sounding()[:-1]])
            assert not ((filling.roll.symbols == HOLD) & (before == REST) & template.open).any()


def test_what_cannot_be_filled_is_refused(trained):
    model = load_checkpoint(trained("coconet", "chorales"))
    roll = ROLLS["chorales"][0]
    symbols = np.where(roll.symbols < REST, 127, roll.symbols).astype(np.uint8)
    high = Template.given(roll.with_symbols(symbols), (0,))
    with pytest.raises(MusegenError, match="pitch"):
        model.composer().fill([high], Sampling(1), [1])
    sounding = np.zeros((*roll.symbols.shape, 129), bool)
    sounding[..., 1] = True  # far below every voice
    blank = Template(roll.with_symbols(np.full_like(roll.symbols, REST)), np.ones(roll.symbols.shape, bool))
    with pytest.raises(MusegenError, match="nothing that is left"):
        model.composer().fill([dataclasses.replace(blank, sounding=sounding)], Sampling(1), [1])

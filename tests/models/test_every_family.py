"""What every family owes, for each corpus that fits it: a new line in the table is a new test."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from musegen import composing
from musegen.checkpoints import load_checkpoint
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.models import FAMILIES, family
from musegen.models.base import Sampling
from musegen.models.network import Noise
from musegen.models.slice_network import SliceBatch
from musegen.representation.constraints import Constraints
from musegen.representation.template import Template, violations
from musegen.training.batches import prepare
from musegen.training.run import vocabulary_of
from tests.toys import CASES, LEFT_TO_RIGHT, ROLLS, SETTINGS

every_case = pytest.mark.parametrize(("name", "corpus"), CASES)
EVERY_WAY = (Sampling(5), Sampling(5, 0.7, top_k=4), Sampling(5, 1.3, top_p=0.9), Sampling(5, 0.0))


def tensors(arrays):
    return {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def batch_of(kind, rolls, vocabulary, settings):
    """Rolls in their own keys as a batch, how many examples there are, and their cells."""
    examples = prepare(kind, rolls, vocabulary, settings)[0]
    arrays = kind.collate(examples, [0] * len(examples), vocabulary)
    return tensors(arrays), len(examples), sum(example.cells for example in examples)


def noise(pieces, step=1000, *, learning=True):
    return Noise(1, step, pieces, list(range(pieces)), torch.device("cpu"), learning=learning)


def scatter(network, scale=0.2):
    """Give every weight a value, also those that begin at zero."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    return network


def weights_of(network):
    return {name: parameter.detach().double().numpy() for name, parameter in network.named_parameters()}


@pytest.fixture
def parts(corpora):
    def make(name, corpus, **others):
        kind = family(name)
        vocabulary = vocabulary_of(open_corpus(corpora[corpus]))
        return kind, vocabulary, kind.settings.of(SETTINGS[name] | others)

    return make


@pytest.mark.parametrize("name", FAMILIES)
def test_the_table_and_the_family_agree(name):
    kind = family(name)
    assert kind.name == name
    assert kind.title and kind.measure.startswith("nats per")
    assert 1950 < kind.year < 2030
    assert "http" in kind.paper
    kind.settings().check()


@every_case
def test_gradients_reach_every_parameter(parts, name, corpus):
    kind, vocabulary, settings = parts(name, corpus)
    torch.manual_seed(1)
    network = kind.network(vocabulary, settings)
    batch, pieces, _ = batch_of(kind, ROLLS[corpus][:8], vocabulary, settings)
    loss, _ = network(batch, noise(pieces))
    loss.backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not torch.any(p.grad != 0)]
    assert idle == []


@every_case
def test_a_bar_is_learnt_by_heart(parts, name, corpus):
    plain = {"dropout": 0.0} | (
        {"forget": 0.0} if name == "vae" else {"head_dropout": 0.0} if name == "coconet" else {}
    )
    kind, vocabulary, settings = parts(name, corpus, **plain)
    torch.manual_seed(1)
    network = kind.network(vocabulary, settings)
    whole = ROLLS[corpus][0]
    bars = dataclasses.replace(whole, symbols=whole.symbols[: whole.bar_starts()[1][1]])
    batch, pieces, cells = batch_of(kind, [bars], vocabulary, settings)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    found = []
    for step in range(60):
        optimiser.zero_grad()
        loss, nats = network(batch, noise(pieces, step))
        loss.backward()
        optimiser.step()
        found.append(float(nats) / cells)
    assert found[-1] < 0.15 * found[0]


@every_case
def test_the_same_seed_gives_the_same_music_and_another_seed_other_music(trained, name, corpus):
    model = load_checkpoint(trained(name, corpus))
    wishes = composing.Wishes()

    def notes(seed):
        return [piece.roll.symbols for piece in composing.sample(model, Sampling(seed), range(1, 4), wishes)]

    first, again, other = notes(1), notes(1), notes(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("how", EVERY_WAY, ids=["plain", "top k", "top p", "likeliest"])
@every_case
def test_a_piece_is_the_same_however_it_is_batched(trained, name, corpus, how, monkeypatch):
    model = load_checkpoint(trained(name, corpus))
    wishes = composing.Wishes()
    together = list(composing.sample(model, how, range(1, 8), wishes))
    assert len({piece.roll.steps for piece in together}) > 1
    later = list(composing.sample(model, how, range(5, 8), wishes))
    alone = [next(composing.sample(model, how, [number], wishes)) for number in (3, 6)]
    monkeypatch.setattr(composing, "TOGETHER", 2)
    in_pairs = list(composing.sample(model, how, range(1, 8), wishes))
    for piece in (*later, *alone, *in_pairs):
        same = together[piece.number - 1]
        assert same.number == piece.number
        assert np.array_equal(same.roll.symbols, piece.roll.symbols)
        assert piece.nats == pytest.approx(same.nats, abs=1e-9)


@every_case
def test_what_is_composed_answers_its_template_within_the_ranges(trained, name, corpus):
    model = load_checkpoint(trained(name, corpus))
    how, numbers = Sampling(3, 2.0), range(1, 6)
    templates = [composing.template_for(model, how, number, composing.Wishes()) for number in numbers]
    for template, filling in zip(templates, model.composer().fill(templates, how, numbers), strict=True):
        assert violations(template, filling.roll) == []
        for voice, (low, high) in enumerate(model.vocabulary.ranges):
            column = filling.roll.symbols[:, voice]
            assert not template.open[:, voice].any() or ((column >= low) & (column <= high) | (column >= 128)).all()
        sounding = filling.roll.sounding()
        assert not ((filling.roll.symbols == 129) & (sounding == 128)).any(), "silence is written as rests"


ASKED = Constraints.of({"scale": "C D E F G A B", "leap": "12", "longest": "1/2"})


@every_case
def test_a_template_is_filled_as_asked_or_refused_by_name(trained, name, corpus):
    model = load_checkpoint(trained(name, corpus))
    roll = ROLLS[corpus][2]
    is_open = np.zeros(roll.symbols.shape, bool)
    is_open[roll.steps // 3 : 2 * roll.steps // 3] = True
    templates = [Template.hole(roll, is_open)]
    templates += [Template.given(roll, [voice]) for voice in range(roll.voices) if roll.voices > 1]
    filled = 0
    for template in templates:
        bound = composing.narrow(model, template, ASKED)
        try:
            (filling,) = model.composer().fill([bound], Sampling(1, particles=2), [1])
        except MusegenError as error:
            assert name == "minibach" and "such as lstm" in str(error)
        else:
            assert violations(bound, filling.roll) == []
            filled += 1
    assert filled


@pytest.mark.parametrize("half", [False, True], ids=["float32", "half"])
@every_case
def test_a_model_survives_its_checkpoint(trained, tmp_path, name, corpus, half):
    model = load_checkpoint(trained(name, corpus))
    model.save(tmp_path / "again.safetensors", half=half)
    again = load_checkpoint(tmp_path / "again.safetensors")
    for field in ("settings", "vocabulary", "plans", "names", "programs"):
        assert getattr(again, field) == getattr(model, field)
    assert dict(again.card) == dict(model.card)
    rounded = {n: w.astype(np.float16 if half else np.float32) for n, w in model.weights.items()}
    assert again.weights.keys() == rounded.keys()
    assert all(again.weights[n].dtype == w.dtype and np.array_equal(again.weights[n], w) for n, w in rounded.items())
    expected = dataclasses.replace(model, weights=rounded)
    for one, other in zip(
        composing.sample(expected, Sampling(1), [1, 2], composing.Wishes()),
        composing.sample(again, Sampling(1), [1, 2], composing.Wishes()),
        strict=True,
    ):
        assert np.array_equal(one.roll.symbols, other.roll.symbols)
        assert (one.roll.metres, one.roll.keys, one.roll.pickup) == (
            other.roll.metres,
            other.roll.keys,
            other.roll.pickup,
        )
    names = set(again.network().state_dict())
    assert names == set(again.weights)


def forced(composer, run, slices):
    """Drive a run along given slices: for each piece, (slices, V + 1) nats in the order of drawing."""
    composer.in_range[:] = True  # the network knows no ranges
    order = composer.voices.order
    nats = [[] for _ in slices]
    turn = 0
    while len(run.active):
        act = list(run.active)

        def choose(column, logits, _allowed, act=act, turn=turn):
            chosen = np.array(
                [
                    slices[i].event[turn, order[column]] if column < len(order) else slices[i].length[turn] - 1
                    for i in act
                ]
            )
            shifted = logits - logits.max(axis=1, keepdims=True)
            logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            for row, i in enumerate(act):
                nats[i].append(-logs[row, chosen[row]])
            return chosen

        run.advance(choose)
        turn += 1
    return [np.array(each).reshape(-1, len(order) + 1) for each in nats]


@pytest.mark.parametrize(("name", "corpus"), [case for case in CASES if case[0] in LEFT_TO_RIGHT])
def test_the_numpy_composer_is_the_torch_network(parts, name, corpus):
    from musegen.models.slice_composer import Run
    from musegen.models.slices import slice_roll
    from musegen.representation.template import Template

    kind, vocabulary, settings = parts(name, corpus)
    network = scatter(kind.network(vocabulary, settings)).eval()
    rolls = ROLLS[corpus][:5]
    batch, pieces, _ = batch_of(kind, rolls, vocabulary, settings)
    slices = SliceBatch(**batch)
    composer = kind.composer(vocabulary, settings, weights_of(network))
    silent = noise(pieces, learning=False)
    state = composer.trunk.start(pieces)
    with torch.no_grad():
        if name == "vae":
            codes = np.random.default_rng(1).standard_normal((pieces, settings.latent))
            expected = network.decode(slices, torch.from_numpy(codes).float(), silent)
            state = (*state, composer.told(codes))
        else:
            expected = network.nats(slices, silent)
    templates = [Template(roll, np.ones(roll.symbols.shape, bool)) for roll in rolls]
    run = Run(composer, templates, state)
    found = forced(composer, run, [slice_roll(roll, vocabulary) for roll in rolls])
    assert np.concatenate(found) == pytest.approx(expected.numpy(), abs=1e-5)
    for roll, nats, filling in zip(rolls, found, run.fillings(), strict=True):
        assert filling.nats == pytest.approx(nats.sum(), abs=1e-8)
        assert np.array_equal(filling.roll.symbols, roll.symbols)


def test_minibach_in_numpy_is_minibach_in_torch(parts):
    kind, vocabulary, settings = parts("minibach", "chorales")
    network = scatter(kind.network(vocabulary, settings), 0.1).eval()
    composer = kind.composer(vocabulary, settings, weights_of(network))
    for roll in ROLLS["chorales"][:4]:
        batch, pieces, _ = batch_of(kind, [roll], vocabulary, settings)
        with torch.no_grad():
            expected = network.logits(batch, noise(pieces, learning=False)).numpy()
        for passage, line, facts, below in zip(
            expected, *(batch[name].numpy() for name in ("line", "facts", "below")), strict=True
        ):
            assert composer.network(line, facts, below) == pytest.approx(passage, abs=1e-5)


def test_minibach_reads_a_piece_as_it_learnt_it_in_passages(parts):
    kind, vocabulary, settings = parts("minibach", "chorales")
    composer = kind.composer(vocabulary, settings, weights_of(scatter(kind.network(vocabulary, settings), 0.1)))
    short = ROLLS["chorales"][2]
    roll = dataclasses.replace(short, symbols=np.concatenate([short.symbols] * 3)[:150])
    examples = kind.prepare(roll, vocabulary, settings)
    assert roll.steps == 150 and len(examples) == 3
    assert sum(example.cells for example in examples) == 3 * roll.steps
    passages = [composer.network(*(each.arrays[name] for name in ("line", "facts", "below"))) for each in examples]
    from musegen.models.minibach.melody import Melody, from_tonic

    tonic = Melody.of(roll, vocabulary).tonic
    back = from_tonic(np.arange(vocabulary.classes), tonic, vocabulary)
    found = np.concatenate(passages)[: roll.steps]
    assert composer.logits(roll) == pytest.approx(found[..., back], abs=1e-9)
    target = np.concatenate([example.arrays["target"] for example in examples])
    assert np.array_equal(target[: roll.steps], back[vocabulary.encode(roll.symbols[:, 1:])])
    assert (target[roll.steps :] == -1).all()

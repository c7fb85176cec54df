"""What a run learns, when it ends, what it says, and what it refuses."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from musegen.checkpoints import load_checkpoint
from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.training import loop
from musegen.training.batches import measuring_batches, prepare
from musegen.training.loop import train
from musegen.training.run import Budget, vocabulary_of
from musegen.training.schedule import LOWEST, WARM_UP, Calibration, learning_rate
from tests.models.test_every_family import batch_of, noise
from tests.toys import ROLLS, run_of, write_corpus


@pytest.fixture
def learn(corpora, tmp_path):
    """Train a toy model; gives the checkpoint and the events."""

    def make(name="lstm", corpus="tunes", epochs=2, **others):
        events = []
        out = others.pop("out", tmp_path / "model")
        path = corpora.get(corpus, corpus)
        checkpoint = train(run_of(name, path, out, epochs, overwrite=True, **others), events.append)
        return checkpoint, events

    return make


def test_the_log_is_json_lines_with_what_was_reported(learn, tmp_path):
    log = tmp_path / "log.jsonl"
    checkpoint, events = learn(epochs=3, log=log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines == [event for event in events if event["event"] != "step"]
    assert [line["event"] for line in lines] == ["start", "epoch", "epoch", "epoch", "end"]
    start, *epochs, end = lines
    assert (start["family"], start["pieces"], start["steps_per_epoch"], start["seed"]) == ("lstm", 8, 3, 1)
    assert start["parameters"] == sum(array.size for array in checkpoint.weights.values())
    assert [(line["epoch"], line["step"], line["of"]) for line in epochs] == [(1, 3, 9), (2, 6, 9), (3, 9, 9)]
    assert all(line["notes_per_second"] > 0 and line["left"] >= 0 for line in epochs)
    assert end["best"] == min(line["validation"] for line in epochs) == checkpoint.card["validation"]
    assert [event["step"] for event in events if event["event"] == "step"] == list(range(1, 10))


def test_it_learns(learn):
    _, events = learn(epochs=12, settings={"learning_rate": 0.05, "averaging": 0.5})
    losses = [event["train"] for event in events if event["event"] == "epoch"]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(("name", "corpus"), [("lstm", "tunes"), ("minibach", "chorales"), ("vae", "chorales")])
def test_the_held_out_loss_is_that_of_the_weights_kept(learn, corpora, name, corpus):
    checkpoint, _ = learn(name, corpus)
    rolls = ROLLS[corpus][8:10]
    settings = checkpoint.settings
    nats = cells = 0.0
    for batch in measuring_batches(
        prepare(checkpoint.family, rolls, checkpoint.vocabulary, settings)[0], settings.batch
    ):
        arrays = checkpoint.family.collate(batch.examples, batch.shifts, checkpoint.vocabulary)
        tensors = {each: torch.from_numpy(np.array(array)) for each, array in arrays.items()}
        silent = noise(len(batch.examples), 0, learning=False)
        silent._generator.manual_seed(0)
        nats += float(checkpoint.network()(tensors, silent)[1])
        cells += batch.cells
    assert nats / cells == pytest.approx(checkpoint.card["validation"], rel=1e-5)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(learn):
    one, again, other = (learn(seed=seed)[0] for seed in (1, 1, 2))
    assert one.hash == again.hash != other.hash


def test_the_best_weights_are_kept_and_patience_ends_the_run(learn, monkeypatch, tmp_path):
    scores = iter([3.0, 2.0, 2.5, 2.0, 1.0])
    kept = []
    real = loop._Training._measure

    def measure(self, stop):
        real(self, stop)
        kept.append({name: tensor.clone() for name, tensor in self.state.average.items()})
        return next(scores)

    monkeypatch.setattr(loop._Training, "_measure", measure)
    checkpoint, events = learn(epochs=40, settings={"patience": 2, "learning_rate": 0.05, "averaging": 0.5})
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["stale"] for event in epochs] == [False, False, False, True]
    assert (events[-1]["best"], events[-1]["best_epoch"]) == (2.0, 2)
    assert (checkpoint.card["epochs"], checkpoint.card["validation"]) == (2, 2.0)
    assert checkpoint.card["train"] == epochs[1]["train"]
    for weights in (checkpoint.weights, load_checkpoint(tmp_path / "model").weights):
        assert all(np.array_equal(weights[name], tensor.numpy()) for name, tensor in kept[1].items())
        assert any(not np.array_equal(weights[name], tensor.numpy()) for name, tensor in kept[3].items())


def test_without_held_out_music_the_training_loss_decides(learn, tmp_path):
    corpus = write_corpus(tmp_path / "all", ROLLS["tunes"], ("train",) * 12)
    checkpoint, events = learn(corpus=corpus, epochs=3)
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["validation"] for event in epochs] == [None] * 3
    assert checkpoint.card["validation"] is None
    assert events[-1]["best"] == min(event["train"] for event in epochs)


def test_a_loss_that_is_no_number_ends_in_one_line(learn, monkeypatch, tmp_path):
    real = loop._Training._forward

    def forward(self, *arguments, **others):
        loss, nats = real(self, *arguments, **others)
        return (loss * math.nan, math.nan) if self.progress.step == 4 and others["learning"] else (loss, nats)

    monkeypatch.setattr(loop._Training, "_forward", forward)
    with pytest.raises(MusegenError, match=r"training diverged at step 5: the loss is nan.*learning_rate"):
        learn(epochs=9)
    best = load_checkpoint(tmp_path / "model")
    assert all(np.isfinite(array).all() for array in best.weights.values()), "the best so far stays"


def test_minutes_end_a_run(learn):
    _, events = learn(epochs=None, budget=Budget(None, 0.02))
    *_, last, end = (event for event in events if event["event"] != "step")
    assert end["event"] == "end"
    assert last["of"] == last["step"] > 3


@pytest.mark.parametrize(("spent", "seconds"), [(20, 0.5), (40, 0.01)])
def test_minutes_become_steps(spent, seconds):
    calibration = Calibration(2, held_out=0.25)
    assert calibration.total(1, 5.0, 1.0) == 0, "the first steps are slow"
    totals = [calibration.total(step, seconds, spent) for step in range(2, 60)]
    first = next(i for i, total in enumerate(totals) if total)
    if spent < 36:
        assert first + 2 >= 25
        assert totals[first] - (first + 2) == int((120 - spent) / (1.1 * seconds))
    else:
        assert first == 0, "a third of the time is gone: it must be decided"


def test_the_learning_rate_rises_and_falls():
    rates = [learning_rate(2.0, step, 1000) for step in range(1001)]
    assert rates[0] == pytest.approx(2.0 / WARM_UP)
    top = max(range(1001), key=rates.__getitem__)
    assert WARM_UP - 1 <= top <= WARM_UP + 1 and rates[top] == pytest.approx(2.0, rel=0.05)
    assert all(a > b for a, b in zip(rates[top:], rates[top + 1 :], strict=False))
    assert rates[-1] == pytest.approx(2.0 * LOWEST)
    assert learning_rate(2.0, 5000, None) == 2.0


def test_going_on_from_a_model_begins_with_its_weights(learn, trained, tmp_path):
    base = load_checkpoint(trained("lstm", "tunes"))
    corpus = write_corpus(tmp_path / "others", ROLLS["tunes"][::-1])
    seen = []
    real = loop._Training._step

    def step(self, batch):
        if not seen:
            seen.append({n: p.detach().clone() for n, p in self.state.network.named_parameters()})
        real(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop._Training, "_step", step)
        checkpoint, _ = learn(corpus=corpus, epochs=1, base=base)
    assert all(np.array_equal(base.weights[name], tensor.numpy()) for name, tensor in seen[0].items())
    assert checkpoint.card["from"] == base.name
    assert checkpoint.vocabulary == base.vocabulary
    with pytest.raises(MusegenError, match=r"has other settings than this run"):
        learn(base=base, settings={"hidden": 20})


def test_going_on_with_music_beyond_the_first_corpus(learn, trained, tmp_path):
    base = load_checkpoint(trained("lstm", "tunes"))
    (low, high), *_ = base.vocabulary.ranges
    symbols = ROLLS["tunes"][0].symbols.copy()
    symbols[0], symbols[6] = low - 4, high + 4
    wide = replace(ROLLS["tunes"][0], symbols=symbols)
    checkpoint, _ = learn(corpus=write_corpus(tmp_path / "wide", [wide], ("train",)), epochs=1, base=base)
    assert checkpoint.card["train"] > 0
    symbols[0] = low - 6
    with pytest.raises(MusegenError, match="no training piece"):
        learn(corpus=write_corpus(tmp_path / "wider", [wide], ("train",)), epochs=1, base=base)


def test_the_vocabulary_is_that_of_the_training_pieces(corpora):
    corpus = open_corpus(corpora["chorales"])
    words = vocabulary_of(corpus)
    assert words.ranges == corpus.ranges
    assert [str(metre) for metre in words.metres] == ["4/4", "3/4"]
    assert (words.steps_per_quarter, words.longest_bar) == (4, 16)


def test_a_model_of_another_shape_is_no_beginning(corpora, trained):
    base = load_checkpoint(trained("lstm", "tunes"))
    with pytest.raises(MusegenError, match=r"writes 1 voices at 12.*has 4 at 4.*--voices 1 --steps-per-quarter 12"):
        vocabulary_of(open_corpus(corpora["chorales"]), base)


def test_nothing_to_train_on_is_refused(tmp_path):
    corpus = write_corpus(tmp_path / "none", ROLLS["tunes"], ("test",) * 12)
    with pytest.raises(MusegenError, match=r"has no training pieces.*--split"):
        vocabulary_of(open_corpus(corpus))


def test_a_gpu_that_is_not_there_is_refused(learn):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(MusegenError, match=r"there is no GPU"):
        learn(device="cuda")


def test_half_precision_learns_about_the_same(learn, corpora, tmp_path):
    run = run_of("lstm", corpora["tunes"], tmp_path / "half", 2)
    half = train(replace(run, precision="bfloat16"))
    assert half.card["train"] == pytest.approx(learn()[0].card["train"], rel=0.03)


def test_averaged_weights_follow_the_trained_ones(corpora):
    from musegen.training.state import State

    network = torch.nn.Linear(1, 1, bias=False)
    state = State(network, 0.1, 0.0)
    with torch.no_grad():
        state.average["weight"].zero_()
        network.weight.fill_(1.0)
    state.progress.step = 10_000
    state.follow(0.9)
    assert float(state.average["weight"]) == pytest.approx(0.1)
    state.keep_best()
    state.follow(0.9)
    assert (float(state.average["weight"]), float(state.best["weight"])) == pytest.approx((0.19, 0.1))


def test_a_batch_of_several_pieces_costs_what_they_cost_alone(learn):
    model, _ = learn(epochs=1)
    network = model.network()
    rolls = ROLLS["tunes"][:5]

    def nats(some):
        batch, pieces, cells = batch_of(model.family, some, model.vocabulary, model.settings)
        return float(network(batch, noise(pieces, learning=False))[1]), cells

    together, alone = nats(rolls), [nats([roll]) for roll in rolls]
    assert together[0] == pytest.approx(sum(each for each, _ in alone), rel=1e-6)
    assert together[1] == sum(cells for _, cells in alone) == sum(roll.symbols.size for roll in rolls)

"""The figures, on models whose figures are known, and counted by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.evaluation.likelihood import Tally, evaluate
from musegen.models.base import Composer, Surprise
from musegen.models.plans import Plan, frame_nats
from musegen.representation.roll import HOLD, REST, Roll
from musegen.score import Metre
from tests.toys import ROLLS


class Known(Composer):
    """A model that finds what a function says."""

    def __init__(self, find):
        self.find = find

    def fill(self, templates, how, pieces):
        return []

    def surprise(self, rolls, seed=1):
        return [self.find(roll) for roll in rolls]


class KnownFamily:
    """Just enough of a family."""

    name, measure = "known", "nats per note"

    def __init__(self, find, given_voices=()):
        self.find, self.given_voices = find, given_voices

    def composer(self, vocabulary, settings, weights):
        return Known(self.find)


def known(model, find, given_voices=()):
    return replace(model, family=KnownFamily(find, given_voices))


def truthful(roll):
    return Surprise(np.zeros(roll.symbols.shape), roll.symbols)


@pytest.fixture
def lstm(trained):
    return load_checkpoint(trained("lstm"))


def test_who_is_told_the_truth_is_not_surprised(lstm):
    rolls = ROLLS["chorales"]
    found = evaluate(known(lstm, truthful), rolls)
    steps = sum(roll.steps for roll in rolls)
    assert (found.framed.nats, found.framed.pieces, found.framed.steps) == (0, 12, steps)
    assert (found.framed.cells, found.framed.quarters) == (4 * steps, steps / 4)
    assert found.standard_error == 0 and not found.bound and found.codes is None
    for tally in (found.whole, *found.by_voice.values(), *found.by_place.values()):
        assert (tally.nats_per_note, tally.accuracy, tally.onset_accuracy, tally.pitch_accuracy) == (0, 1, 1, 1)
    frames = [frame_nats(lstm.plans, Plan.of(roll)) for roll in rolls]
    assert found.frame.nats == pytest.approx(sum(frames))


def test_who_knows_nothing_is_surprised_by_the_logarithm_of_the_alphabet(lstm):
    words = lstm.vocabulary

    def even(roll):
        return Surprise(np.full(roll.symbols.shape, math.log(words.classes)), np.full_like(roll.symbols, words.low))

    found = evaluate(known(lstm, even), ROLLS["chorales"])
    per_note = math.log(words.classes)
    rates = found.framed
    assert (rates.per_note, rates.per_step, rates.per_quarter) == pytest.approx((per_note, 4 * per_note, 16 * per_note))
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert [tally.nats_per_note for tally in found.by_voice.values()] == pytest.approx([per_note] * 4)
    assert found.whole.accuracy < 0.05 and found.whole.nats_per_note == pytest.approx(per_note)


def test_a_piece_counted_by_hand(lstm):
    symbols = np.array([[67, 60, 55, 48], [HOLD, 62, REST, HOLD], [67, HOLD, REST, 50], [65, REST, 52, HOLD]], np.uint8)
    best = np.array([[67, 62, 55, 48], [67, HOLD, REST, HOLD], [HOLD, 62, 55, HOLD], [65, REST, HOLD, HOLD]], np.uint8)
    roll = Roll(symbols, 4, ((0, Metre(4, 4)),), pickup=2)
    nats = np.arange(16.0).reshape(4, 4)
    found = evaluate(known(lstm, lambda roll: Surprise(nats, best, hidden=8.0)), [roll])
    assert found.whole == Tally(cells=16, nats=120.0, right=8, onsets=9, onsets_right=4, pitches_right=11)
    assert list(found.by_voice) == ["Soprano", "Alto", "Tenor", "Bass"]
    assert found.by_voice["Soprano"] == Tally(4, 24.0, 2, 3, 2, 4), "a held note sounds like one that is repeated"
    assert found.by_voice["Alto"] == Tally(4, 28.0, 1, 2, 0, 2)
    assert found.framed.per_note == pytest.approx(128 / 16), "what belongs to no cell counts"
    assert found.framed.per_step == pytest.approx(128 / 4) and found.framed.per_quarter == pytest.approx(128)
    # The pickup of two steps is the second half of the fourth quarter.
    assert {place: tally.nats for place, tally in found.by_place.items() if tally.cells} == {4.5: 28.0, 1.0: 92.0}
    assert found.frame.nats == pytest.approx(frame_nats(lstm.plans, Plan.of(roll)))


def test_given_voices_do_not_count(lstm):
    found = evaluate(known(lstm, truthful, given_voices=(0,)), ROLLS["chorales"])
    assert list(found.by_voice) == ["Alto", "Tenor", "Bass"]
    assert found.framed.cells == 3 * found.framed.steps == found.whole.cells
    assert found.frame is None, "length, metre and key come with the melody"
    assert sum(tally.cells for tally in found.by_place.values()) % 3 == 0


def test_the_error_is_that_of_a_ratio(lstm):
    rolls = ROLLS["chorales"][:6]
    level = {id(roll): 0.1 * i for i, roll in enumerate(rolls)}
    model = known(lstm, lambda roll: Surprise(np.full(roll.symbols.shape, level[id(roll)]), roll.symbols))
    found = evaluate(model, rolls)
    cells = np.array([roll.symbols.size for roll in rolls])
    nats = cells * np.array([level[id(roll)] for roll in rolls])
    left = [np.delete(nats, i).sum() / np.delete(cells, i).sum() for i in range(6)]  # by the jackknife
    jackknife = np.sqrt(5 / 6 * ((left - np.mean(left)) ** 2).sum())
    assert found.standard_error == pytest.approx(jackknife, rel=0.1)


def test_places_are_those_of_the_commonest_metre(lstm):
    found = evaluate(known(lstm, truthful), ROLLS["chorales"])
    assert found.metre == Metre(4, 4) and list(found.by_place) == [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]
    inside = sum(roll.symbols.size for roll in ROLLS["chorales"] if roll.metres[0][1] == Metre(4, 4))
    assert sum(tally.cells for tally in found.by_place.values()) == inside < found.whole.cells


def test_music_whose_metre_changes_has_no_plan_but_figures(lstm):
    roll = ROLLS["chorales"][0]
    changing = replace(roll, metres=((0, Metre(4, 4)), (16, Metre(3, 4))))
    found = evaluate(known(lstm, truthful), [changing, ROLLS["chorales"][1]])
    assert (found.framed.pieces, found.frame.pieces) == (2, 1)
    assert found.frame.cells == ROLLS["chorales"][1].symbols.size
    assert evaluate(known(lstm, truthful), [changing]).frame is None


@pytest.mark.parametrize("name", ["lstm", "feedforward", "vae", "minibach"])
def test_a_trained_model_gives_what_its_cells_sum_to(trained, name):
    model, rolls = load_checkpoint(trained(name)), ROLLS["chorales"][8:]
    found = evaluate(model, rolls)
    surprises = model.composer().surprise(sorted(rolls, key=lambda roll: roll.steps))
    expected = sum(each.nats.sum() + each.hidden for each in surprises)
    assert found.framed.nats == pytest.approx(expected)
    assert found.whole.nats == pytest.approx(sum(each.nats.sum() for each in surprises))
    assert found.bound == (name == "vae") == (found.codes is not None)
    facts = json.loads(json.dumps(found.to_json()))
    assert facts["nats_per_note"] == pytest.approx(found.framed.per_note, abs=1e-6)
    assert found.summary()["nats_per_note"] == facts["nats_per_note"]
    if found.codes:
        assert found.codes.divergence == pytest.approx(sum(each.hidden for each in surprises) / 4)
        again = model.composer().reconstruct(rolls)
        kept = np.concatenate([(a.symbols == b.symbols).ravel() for a, b in zip(again, rolls, strict=True)])
        onset = np.concatenate([(roll.symbols < REST).ravel() for roll in rolls])
        assert (found.codes.cells_kept, found.codes.onsets_kept) == pytest.approx((kept.mean(), kept[onset].mean()))


def test_the_figures_are_those_of_training(trained):
    """The held-out loss that training reported, which torch computed."""
    for name in ("lstm", "feedforward"):
        model = load_checkpoint(trained(name))
        found = evaluate(model, ROLLS["chorales"][8:10])
        assert found.framed.per_note == pytest.approx(model.card["validation"], abs=1e-5)


def test_pieces_beyond_the_vocabulary_are_left_out(lstm):
    roll = ROLLS["chorales"][0]
    high = replace(roll, symbols=np.where(roll.symbols < REST, 120, roll.symbols).astype(np.uint8))
    empty = replace(roll, symbols=roll.symbols[:0])
    found = evaluate(known(lstm, truthful), [roll, high, empty])
    assert (found.left_out, found.framed.pieces) == (2, 1)
    with pytest.raises(MusegenError, match="has no names for"):
        evaluate(lstm, [high])


def test_music_of_another_shape_is_refused(lstm):
    with pytest.raises(MusegenError, match=r"reads 4 voices at 4 steps per quarter, this music has 1 at 12"):
        evaluate(lstm, ROLLS["tunes"])

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.interpolating import bars_of, between, distance, interpolate, read, summary
from musegen.models.base import Sampling
from musegen.models.vae.directions import Direction, great_circle, known_directions
from musegen.representation.attributes import attributes
from musegen.representation.grid import decode
from musegen.representation.roll import REST, Roll
from musegen.score import Key, Metre
from tests.toys import ROLLS

HOW = Sampling(4)


@pytest.fixture
def tunes(trained):
    return load_checkpoint(trained("vae", "tunes"))


def frame(metre, bars, *, pickup=0, missing=0, key="C", tempo=None, change=None):
    """An empty melody; `change` is a bar and the metre that it begins."""
    first, bar = Metre.parse(metre), int(Metre.parse(metre).quarters * 12)
    metres, steps = [(0, first)], pickup + bars * bar
    if change:
        at = pickup + (change[0] - 1) * bar
        metres.append((at, Metre.parse(change[1])))
        steps = at + (bars - change[0] + 1) * int(metres[1][1].quarters * 12)
    return Roll(
        np.full((steps - missing, 1), REST, np.uint8),
        12,
        tuple(metres),
        pickup,
        ((0, Key.parse(key)),),
        ((0, tempo),) if tempo else (),
    )


def test_the_frame_turns_from_one_to_the_other(tunes):
    one, other = frame("4/4", 8, pickup=12, missing=12, key="G", tempo=80.0), frame("6/8", 16, key="D", tempo=160.0)
    found = [between(tunes, one, other, share).roll for share in (0, 0.25, 0.5, 0.75, 1)]
    assert [bars_of(roll) for roll in found] == [8, 10, 12, 14, 16]
    assert [str(roll.metres[0][1]) for roll in found] == ["4/4"] * 3 + ["6/8"] * 2
    assert [str(roll.keys[0][1]) for roll in found] == ["G major"] * 3 + ["D major"] * 2
    assert [roll.pickup for roll in found] == [12] * 3 + [0] * 2
    assert [roll.tempi[0][1] for roll in found] == pytest.approx([80, 95.14, 113.14, 134.54, 160])
    assert [roll.steps for roll in found] == [8 * 48, 10 * 48, 12 * 48, 14 * 36, 16 * 36]
    assert between(tunes, one, other, 0.3, 99.0).roll.tempi == ((0, 99.0),)


@pytest.mark.parametrize(
    ("far", "bars", "changes"),
    [(1, 4, [0, 144]), (6, 6, [0, 144]), (12, 9, [0, 144])],
    ids=["shorter", "same", "longer"],
)
def test_a_metre_that_changes_does_so_in_its_bar(tunes, far, bars, changes):
    one = frame("4/4", 6, change=(4, "3/4"), missing=7)
    found = between(tunes, one, frame("4/4", far), 0.5).roll
    assert [step for step, _ in found.metres] == changes
    assert bars_of(found) == bars
    assert found.steps == 3 * 48 + (bars - 3) * 36 - 7


def test_a_change_of_metre_after_the_end_goes(tunes):
    one = frame("4/4", 6, change=(6, "3/4"))
    found = between(tunes, one, frame("4/4", 2), 0.5).roll
    assert (found.metres, found.steps) == (((0, Metre(4, 4)),), 4 * 48)


def test_the_ends_of_the_way_have_the_frames_of_the_pieces(tunes):
    for one, other in ((ROLLS["tunes"][i], ROLLS["tunes"][i + 1]) for i in range(6)):
        for roll, share in ((one, 0), (other, 1)):
            found = between(tunes, one, other, share).roll
            assert (found.steps, found.pickup, found.metres, found.keys) == (
                roll.steps, roll.pickup, roll.metres, roll.keys,
            )  # fmt: skip


def test_the_way_leads_along_the_great_circle_with_one_set_of_random_numbers(tunes):
    one, other = ROLLS["tunes"][0], ROLLS["tunes"][5]
    places = list(interpolate(tunes, HOW, one, other, 4))
    codes = [code.mean for code in tunes.composer().encode([one, other])]
    assert [place.share for place in places] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    for number, place in enumerate(places, 1):
        assert place.code == pytest.approx(great_circle(codes[0], codes[1], place.share))
        assert place.piece.number == number
        template = between(tunes, one, other, place.share)
        (alone,) = tunes.composer().fill([template], replace(HOW, code=place.code), [1])
        assert np.array_equal(alone.roll.symbols, place.piece.roll.symbols)
        assert place.attributes == attributes(place.piece.roll)
    again = [place.piece.roll.symbols for place in interpolate(tunes, HOW, one, other, 4)]
    assert all(np.array_equal(a, place.piece.roll.symbols) for a, place in zip(again, places, strict=True))


def test_from_a_piece_to_itself_nothing_changes(tunes):
    one = ROLLS["tunes"][3]
    places = list(interpolate(tunes, HOW, one, one, 3))
    assert all(np.array_equal(place.piece.roll.symbols, places[0].piece.roll.symbols) for place in places)
    assert [place.step for place in places] == [None, 0, 0]
    assert all(place.from_first == place.from_second for place in places)


def test_distances_are_in_the_corpus_s_deviations(tunes):
    known = {"a": Direction((0,), 5, 2, 1), "b": Direction((0,), 5, 10, 1), "flat": Direction((0,), 5, 0, 0)}
    assert distance(known, {"a": 1, "b": 0, "flat": 9}, {"a": 7, "b": 40, "flat": 2}) == pytest.approx(np.sqrt(12.5))
    one, other = ROLLS["tunes"][0], ROLLS["tunes"][5]
    places = list(interpolate(tunes, HOW, one, other, 3))
    known = known_directions(tunes.card)
    for before, place in zip([None, *places], places, strict=False):
        assert place.from_first == distance(known, place.attributes, attributes(one))
        assert place.from_second == distance(known, place.attributes, attributes(other))
        assert place.step == (distance(known, place.attributes, before.attributes) if before else None)
    steps = [place.step for place in places[1:]]
    assert f"the longest is {max(steps):.2f}, all together {sum(steps):.2f}" in summary(places)


def test_a_model_without_directions_gives_no_distances(tunes):
    card = {name: value for name, value in tunes.card.items() if name != "attributes"}
    places = list(interpolate(replace(tunes, card=card), HOW, *ROLLS["tunes"][:2], 2))
    assert all(place.from_first is None and place.step is None for place in places)
    assert summary(places) == ""


def test_what_does_not_fit_is_named(tunes, trained):
    tune, chorale = (decode(ROLLS[name][0]) for name in ("tunes", "chorales"))
    assert np.array_equal(read(tunes, tune, "x.mid")[0].symbols, ROLLS["tunes"][0].symbols)
    with pytest.raises(MusegenError, match=r"x\.mid: 4 voices, 1 wanted\. Choose another --model"):
        read(tunes, chorale, "x.mid")
    voice = tune.voices[0]
    high = replace(voice, notes=tuple(note._replace(pitch=note.pitch + 36) for note in voice.notes))
    with pytest.raises(MusegenError, match=r"x\.mid lies outside the ranges of tunes-vae"):
        read(tunes, replace(tune, voices=(high,)), "x.mid")
    with pytest.raises(MusegenError, match="family lstm, which has no latent space"):
        list(interpolate(load_checkpoint(trained("lstm", "tunes")), HOW, *ROLLS["tunes"][:2], 2))

"""Slices: a roll told in spans, and what is known before each, checked against a slow direct reading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.models import family
from musegen.models.features import Features
from musegen.models.recall import LAGS
from musegen.models.slices import (
    MAX_BARS_LEFT,
    MODE_NAMES,
    UNKNOWN_MODE,
    UNKNOWN_TONIC,
    Frame,
    compass_before,
    slice_roll,
    widened,
)
from musegen.models.vocabulary import Vocabulary
from musegen.representation.grid import encode
from musegen.representation.roll import HOLD, REST
from musegen.representation.transposition import transposed
from musegen.score import Metre
from tests.strategies import scores
from tests.toys import ROLLS, tiny_vocabulary

PITCHES = st.integers(55, 68)


@st.composite
def rolls(draw, *, max_voices=4, metre_changes=True):
    """Rolls of few pitches, often with bars that come again, so that looking back finds something."""
    score = draw(
        scores(
            max_voices, 4, [Metre.parse(text) for text in ("2/4", "3/4", "4/4", "6/8")], pitches=PITCHES,
            max_bars=5, metre_changes=metre_changes, fermatas=False,
        )
    )  # fmt: skip
    roll = encode(score, 4).roll
    starts = [start for _, start, _ in roll.bar_starts()]
    if len(starts) > 2 and draw(st.booleans()):
        bar = starts[2] - starts[1]
        symbols = roll.symbols.copy()
        for start in starts[2:]:
            there = symbols[start : start + bar]
            there[:] = symbols[starts[1] : starts[1] + len(there)]
        sounding = replace(roll, symbols=symbols).sounding()
        symbols[(symbols == HOLD) & (sounding == REST)] = REST
        roll = replace(roll, symbols=symbols)
    return roll


def words_of(roll, low=50, high=75):
    metres = tuple(dict.fromkeys(metre for _, metre in roll.metres))
    return Vocabulary(4, ((low, high),) * roll.voices, metres, max(roll.steps_of(metre) for metre in metres))


@settings(max_examples=80, deadline=None)
@given(roll=rolls())
def test_slices_tell_the_whole_roll_and_nothing_twice(roll):
    words = words_of(roll)
    slices = slice_roll(roll, words)
    context = slices.context
    assert list(slices.start) == list(np.cumsum([0, *slices.length])[:-1])
    assert slices.length.sum() == roll.steps
    assert (slices.length >= 1).all() and (slices.length <= context.room).all()
    assert (context.room <= words.longest_bar).all()
    changes = (slices.event != words.hold).any(1)
    assert (changes | context.joint).all()
    assert not ((slices.event == words.rest) & (context.before == words.rest)).any()
    symbols = np.full(roll.symbols.shape, words.hold)
    symbols[slices.start] = slices.event
    told = words.decode(symbols)
    told[(told == HOLD) & (replace(roll, symbols=told).sounding() == REST)] = REST
    assert np.array_equal(told, roll.symbols)


@settings(max_examples=60, deadline=None)
@given(roll=rolls(), longest=st.sampled_from([None, 5]))
def test_joints_lie_at_bar_lines_and_room_reaches_to_the_next(roll, longest):
    words = words_of(roll)
    words = replace(words, longest_bar=longest or words.longest_bar)
    frame = Frame.of(roll, words)
    starts = [start for _, start, _ in roll.bar_starts()]
    bars = zip(starts, [*starts[1:], roll.steps], strict=True)
    joints = [step for first, end in bars for step in range(first, end, words.longest_bar)]
    assert list(np.flatnonzero(frame.joint)) == joints
    for step in range(roll.steps):
        assert frame.room[step] == min([j for j in [*joints, roll.steps] if j > step]) - step
        number, _, metre = max((bar for bar in roll.bar_starts() if bar[1] <= step), key=lambda bar: bar[1])
        assert (frame.bar[step], frame.bar_steps[step]) == (number, roll.steps_of(metre))
        assert frame.bars_left[step] == roll.bar_starts()[-1][0] - number
        assert words.metres[frame.metre[step] - 1] == metre
        key = [key for at, key in roll.keys if at <= step]
        expected = (key[-1].tonic, MODE_NAMES.index(key[-1].mode)) if key else (UNKNOWN_TONIC, UNKNOWN_MODE)
        assert (frame.tonic[step], frame.mode[step]) == expected


@settings(max_examples=60, deadline=None)
@given(roll=rolls())
def test_looking_back_is_what_a_slow_reading_finds(roll):
    words = words_of(roll)
    slices = slice_roll(roll, words)
    context = slices.context
    starts = slices.start.tolist()
    begins = {start: i for i, start in enumerate(starts)}
    sounding = roll.sounding()
    frame = Frame.of(roll, words)
    silence = np.full(roll.voices, REST, np.uint8)
    agreed = dict.fromkeys(LAGS, 0)
    edges = (0.01, 0.51, 1.01, 2.01, 4.01, 8.01, 16.01)
    for i, start in enumerate(starts):
        before = sounding[start - 1] if start else silence
        assert np.array_equal(context.before[i], words.encode(before))
        previous = (slices.event[i - 1], slices.length[i - 1]) if i else (np.full(roll.voices, words.none), 0)
        assert np.array_equal(context.previous_event[i], previous[0]) and context.previous_length[i] == previous[1]
        for column, lag in enumerate(LAGS):
            there = start - lag * frame.bar_steps[start]
            event, length = np.full(roll.voices, words.none), 0
            if there >= 0:
                event = slices.event[begins[there]] if there in begins else np.full(roll.voices, words.hold)
                length = min(s for s in [*starts, roll.steps] if s > there) - there
            assert np.array_equal(context.look_event[i, column], event)
            assert context.look_length[i, column] == length
            assert context.run[i, column] == sum(agreed[lag] / 4 >= edge for edge in edges)
            same = np.array_equal(event, slices.event[i]) and length == slices.length[i]
            agreed[lag] = agreed[lag] + slices.length[i] if same else 0


@settings(max_examples=60, deadline=None)
@given(roll=rolls(), semitones=st.integers(-5, 5), name=st.sampled_from(["lstm", "vae", "feedforward"]))
def test_moving_a_batch_is_preparing_the_music_moved(roll, semitones, name):
    words, kind = words_of(roll), family(name)
    settings = kind.settings()
    here = kind.prepare(roll, words, settings)
    there = kind.prepare(transposed(roll, semitones), words, settings)
    plain = kind.collate([*here, *here], [0] * len(here) + [semitones] * len(here), words)
    moved = kind.collate([*here, *there], [0] * 2 * len(here), words)
    assert plain.keys() == moved.keys()
    for each in plain:
        assert np.array_equal(plain[each], moved[each]), each


@settings(max_examples=40, deadline=None)
@given(roll=rolls())
def test_every_feature_stays_within_its_table(roll):
    words = words_of(roll)
    features = Features(words)
    rows = features.rows(slice_roll(roll, words).context)
    sizes = np.array([column.size for column in features.columns])
    assert rows.shape[1] == len(sizes) == len(features.offsets)
    assert (rows >= 0).all() and (rows < sizes).all()
    assert features.size == sizes.sum()
    assert [c.name for c in features.columns][features.tonic] == "tonic"


def test_features_name_what_a_musician_would():
    roll = ROLLS["tunes"][3]  # 6/8 with a pickup of 12 steps, D dorian
    words = words_of(roll)
    words = replace(words, steps_per_quarter=12)
    features = Features(words)
    slices = slice_roll(roll, words)
    rows = features.rows(slices.context)
    named = {column.name: rows[:, i] for i, column in enumerate(features.columns)}
    second = int(np.flatnonzero(slices.start == 12)[0])  # the first bar line
    tonic = roll.keys[0][1].tonic
    assert (named["tonic"] == tonic).all()
    assert named["bar"][0] == 16 and named["bar"][second] == 1
    assert named["bars left"][second] == min(MAX_BARS_LEFT, roll.bar_starts()[-1][0] - 1)
    assert named["place in bar"][0] == 1 * words.longest_bar + 36 - 12
    assert named["place in bar"][second] == 1 * words.longest_bar
    sounded = int(roll.sounding()[11, 0])
    assert named["degree 1"][second] == ((sounded - tonic) % 12 if sounded < REST else 12)
    assert named["degree 1"][0] == 12


def test_long_pieces_are_learnt_in_passages(monkeypatch):
    from musegen.models import slice_family

    roll, kind = ROLLS["chorales"][1], family("lstm")
    words = words_of(roll, 40, 90)
    (whole,) = kind.prepare(roll, words, kind.settings())
    monkeypatch.setattr(slice_family, "MAX_SLICES", 7)
    parts = kind.prepare(roll, words, kind.settings())
    assert len(parts) == -(-whole.size // 7)
    assert sum(part.cells for part in parts) == whole.cells == roll.symbols.size
    for each, array in whole.arrays.items():
        assert np.array_equal(np.concatenate([part.arrays[each] for part in parts]), array)


def test_a_pitch_without_a_name_is_refused():
    roll = ROLLS["tunes"][0]
    with pytest.raises(MusegenError, match=r"pitch \d+ lies outside this model's 85 to 105"):
        slice_roll(roll, replace(words_of(roll), ranges=((90, 100),)))


@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 3))
def test_the_compass_is_that_of_the_notes_before(seed, slices, voices):
    v = tiny_vocabulary(*[(50, 70)] * voices)
    event = np.random.default_rng(seed).choice([0, 3, 9, v.pitches - 1, v.rest, v.hold, v.hold], (slices, voices))
    found = compass_before(event, v)
    step_by_step = np.full((voices, 2), v.rest)
    for i in range(slices):
        assert (found[i] == step_by_step).all()
        for voice in range(voices):
            notes = [pitch for pitch in event[:i, voice] if pitch < v.pitches]
            assert found[i, voice].tolist() == ([min(notes), max(notes)] if notes else [v.rest, v.rest])
        step_by_step = widened(step_by_step, event[i], v)

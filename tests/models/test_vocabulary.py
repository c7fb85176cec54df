from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.models.vocabulary import Vocabulary
from musegen.representation.roll import HOLD, REST
from musegen.score import Metre


@st.composite
def vocabularies(draw):
    pitch = st.integers(0, 127)
    ranges = draw(st.lists(st.tuples(pitch, pitch).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=5))
    metre = st.builds(Metre, st.integers(1, 12), st.sampled_from([2, 4, 8]))
    metres = draw(st.lists(metre, min_size=1, max_size=4, unique=True))
    return Vocabulary(draw(st.integers(1, 24)), tuple(ranges), tuple(metres), draw(st.integers(1, 96)))


@given(words=vocabularies())
def test_it_survives_json(words):
    assert Vocabulary.from_json(json.loads(json.dumps(words.to_json()))) == words


@given(words=vocabularies())
def test_every_class_is_a_symbol_and_the_other_way_round(words):
    classes = np.arange(words.classes)
    symbols = words.decode(classes.copy())
    assert len(set(symbols.tolist())) == words.classes
    assert np.array_equal(words.encode(symbols), classes)
    assert {int(symbols[words.rest]), int(symbols[words.hold])} == {REST, HOLD}
    assert words.none == words.classes == words.pitches + 2
    pitches = symbols[: words.pitches].tolist()
    assert pitches == list(range(words.low, words.low + words.pitches))
    assert set(pitches) <= set(range(128))
    for low, high in words.ranges:
        assert set(range(max(0, low - 5), min(127, high + 5) + 1)) <= set(pitches)


@given(words=vocabularies())
def test_each_voice_keeps_to_its_range(words):
    allowed = words.in_range()
    symbols = words.decode(np.arange(words.classes))
    for (low, high), row in zip(words.ranges, allowed, strict=True):
        assert set(symbols[row].tolist()) == {*range(low, high + 1), REST, HOLD}


def test_encoding_leaves_its_input_alone_and_names_what_is_outside():
    words = Vocabulary(4, ((60, 70),), (Metre(4, 4),), 16)
    symbols = np.array([[60, REST], [HOLD, 75]], np.uint8)
    before = symbols.copy()
    assert words.encode(symbols).tolist() == [[5, 21], [22, 20]]
    assert np.array_equal(symbols, before)
    for pitch in (54, 76):
        with pytest.raises(MusegenError, match=rf"pitch {pitch} lies outside this model's 55 to 75"):
            words.encode(np.array([60, pitch], np.uint8))


def test_metres_are_counted_from_one():
    words = Vocabulary(4, ((60, 70),), (Metre(4, 4), Metre(3, 4)), 16)
    assert [words.metre_index(Metre.parse(text)) for text in ("4/4", "3/4", "6/8")] == [1, 2, 0]

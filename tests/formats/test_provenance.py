from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.formats import FORMATS, read_bytes, write
from musegen.formats.provenance import find, line
from musegen.score import Note, Score, Voice

SCORE = Score((Voice((Note(Fraction(0), Fraction(4), 60),)),), title="Long", composer="J. S. Bach")
HARD = {
    "spaces": "a  b   c    ",
    "chunk": "MTrkMTrk",
    "%": '\\%"%',
    "<&>": "é\n\t\udcff",
    "numbers": [0.1, 7, None, True],
}

texts = st.text(st.sampled_from(' MTrk%\\"<>&é\n\x00\u2028') | st.characters(), max_size=20)
plain = st.dictionaries(texts, texts | st.integers() | st.floats(allow_nan=False) | st.lists(texts, max_size=3))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_every_format_gives_plain_data_back_and_the_music_stays(form):
    data = write([SCORE], form, line(HARD))
    assert find(data, form) == HARD
    bare = read_bytes(write([SCORE], form), form, "bare")
    assert bare.mended == () and read_bytes(data, form, "it") == bare


@settings(max_examples=40, deadline=None)
@given(plain, st.sampled_from(FORMATS))
def test_any_plain_data_comes_back(facts, form):
    assert find(write([SCORE], form, line(facts)), form) == facts


@given(plain)
def test_a_line_is_json_in_one_line_of_ascii(facts):
    text = line(facts)
    assert json.loads(text) == facts
    assert text.isascii() and text.isprintable() and "  " not in text and "MTrk" not in text


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("text", ["", "made by hand", "[1, 2]", "{", "7"])
def test_what_is_not_ours_is_none(form, text):
    assert find(write([SCORE], form, text), form) is None


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_long_text_is_kept_whole(form):
    facts = {"data": "MTrk+/=A" * 40_000}
    assert find(write([SCORE], form, line(facts)), form) == facts


def test_a_book_carries_one_text_for_all_its_tunes():
    abc = next(form for form in FORMATS if form.name == "ABC")
    data = write([SCORE, SCORE], abc, line({"seed": 1}))
    assert data.startswith(b"X:1\n") and data.endswith(b'\n% provenance: {"seed": 1}\n')
    assert len(read_bytes(data, abc, "book").scores) == 2

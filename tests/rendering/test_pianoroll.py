from __future__ import annotations

import sys
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from musegen.errors import MusegenError
from musegen.rendering.pianoroll import COLOURS, draw, picture, systems
from musegen.rendering.pictures import SUFFIXES
from musegen.score import Key, Metre, Note, Score, Voice

BEGINNINGS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}


def quarters(*pitches: int, fermata: bool = False) -> tuple[Note, ...]:
    return tuple(Note(Fraction(at), Fraction(1), pitch, fermata) for at, pitch in enumerate(pitches))


def piece(bars: int = 2, **fields: object) -> Score:
    voices = (Voice(quarters(*[72, 72, 74, 76] * bars), "Soprano"), Voice(quarters(*[60, 55, 55, 72] * bars), "Bass"))
    return Score(voices, **fields)  # type: ignore[arg-type]


def bars_drawn(figure: Figure) -> list[tuple[str, float, float, float]]:
    """(voice's colour, left, right, middle) of every note drawn."""
    found = []
    for axes in figure.axes:
        for collection in axes.collections:
            if isinstance(collection, PathCollection):
                colours = [
                    "#" + "".join(f"{round(part * 255):02X}" for part in rgb[:3]) for rgb in collection.get_facecolor()
                ]
                for path in collection.get_paths():
                    box = path.get_extents()
                    found.append((colours[0], box.x0, box.x1, round((box.y0 + box.y1) / 2, 6)))
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_is_a_file_of_its_kind_and_the_same_each_time(suffix):
    first = picture(piece(), suffix)
    assert first.startswith(BEGINNINGS[suffix])
    assert first == picture(piece(), suffix)


def test_each_note_is_a_bar_at_its_time_and_pitch_in_its_voice_s_colour():
    drawn = bars_drawn(draw(piece()))
    for number, voice in enumerate(piece().voices):
        mine = [(left, right, pitch) for colour, left, right, pitch in drawn if colour == COLOURS[number]]
        assert [(left, pitch) for left, _, pitch in mine] == [(note.onset, note.pitch) for note in voice.notes]


def test_a_repeated_note_begins_visibly():
    drawn = sorted(left_right for colour, *left_right in bars_drawn(draw(piece())) if colour == COLOURS[0])
    (_, end, pitch), (start, _, again) = drawn[:2]
    assert pitch == again == 72
    assert 0.9 < end < start == 1


def test_a_unison_shows_both_voices():
    unison = Score((Voice(quarters(60)), Voice(quarters(60))))
    collections = [each for each in draw(unison).axes[0].collections if isinstance(each, PathCollection)]
    heights = [collection.get_paths()[0].get_extents().height for collection in collections]
    assert heights[1] < 0.7 * heights[0]


def test_a_long_piece_is_broken_into_rows_of_whole_bars():
    rows = systems(piece(40))
    assert len(rows) == 5
    assert [bar.number for row in rows for bar in row.bars] == list(range(1, 41))
    assert {len(row.bars) for row in rows} == {8}
    assert len(draw(piece(40)).axes) == 5


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 400),
    st.sampled_from([Metre(4, 4), Metre(6, 8), Metre(3, 4), Metre(7, 8), Metre(12, 8), Metre(255, 1)]),
    st.fractions(0, 2, max_denominator=4),
)
def test_rows_follow_one_another_and_hold_every_bar(length, metre, pickup):
    voice = Voice((Note(Fraction(0), Fraction(length), 60),))
    score = Score((voice,), ((Fraction(0), metre),), pickup)
    rows = systems(score)
    assert [bar for row in rows for bar in row.bars] == list(score.bars())
    assert all(before.end == after.start for before, after in pairwise(rows))
    assert all(row.start < row.end and row.start == row.bars[0].onset for row in rows)
    assert len(rows) <= 60


def written(score: Score) -> list[str]:
    figure = draw(score)
    return [text.get_text() for text in figure.texts] + [text.get_text() for axes in figure.axes for text in axes.texts]


def test_the_head_says_what_it_is():
    words = written(
        piece(keys=((Fraction(0), Key(1)),), tempi=((Fraction(0), 90.0),), title="A $ub_title^", composer="B")
    )
    assert "A $ub_title^" in words
    assert {"Soprano", "Bass"} <= set(words)
    assert any("B   ·   G major   ·   4/4   ·   90 quarters a minute   ·   2 bars" in word for word in words)
    picture(piece(title="A $ub_title^ \N{MUSICAL SYMBOL G CLEF}"))  # neither formula nor a letter the font has


def test_bars_are_numbered_with_a_pickup_as_bar_0_and_changes_are_named():
    changed = piece(pickup=Fraction(1), metres=((Fraction(0), Metre(4, 4)), (Fraction(5), Metre(3, 4))))
    words = written(changed)
    assert {"0", "1", "2", "3/4"} <= set(words)
    assert "4/4" not in words  # it stands in the head


def test_fermatas_are_drawn_once_above_the_chord():
    with_fermatas = Score((Voice(quarters(72, fermata=True)), Voice(quarters(60, fermata=True))))
    arc, dot = [line for line in draw(with_fermatas).axes[0].lines if line.get_marker() not in ("", "None", None)]
    assert list(arc.get_xdata()) == list(dot.get_xdata()) == [0.5]
    assert arc.get_ydata()[0] > 72


@pytest.mark.parametrize("score", [Score(()), Score((Voice(()),), duration=Fraction(8))])
def test_a_piece_without_notes_is_refused(score):
    with pytest.raises(MusegenError, match="no notes"):
        picture(score)


def test_other_suffixes_are_refused():
    with pytest.raises(MusegenError, match=r"\.bmp"):
        picture(piece(), ".bmp")


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MusegenError, match=r"pip install 'musegen\[plot\]'"):
        picture(piece())

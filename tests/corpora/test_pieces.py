import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.corpora.pieces import Event, Line, Piece, written
from musegen.representation.grid import encode
from musegen.representation.roll import REST
from musegen.score import Key, Metre


@st.composite
def pieces(draw, unit=1):
    """Pieces of 1 to 3 voices whose times are multiples of so many ticks."""
    bars = draw(st.integers(1, 5))
    order = draw(st.lists(st.integers(0, bars - 1), min_size=1, max_size=8))
    ticks = st.integers(1, 8).map(lambda number: number * unit)
    event = st.builds(Event, st.one_of(st.integers(0, 127), st.just(REST)), ticks, st.booleans(), st.booleans())
    lines = tuple(
        Line(
            f"Voice {number}",
            tuple(written(draw(st.lists(event, min_size=1, max_size=5))) for _ in range(bars)),
            tuple(order),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    keys = draw(st.sampled_from([(), ((0, Key(1)),), ((0, Key(1)), (48, Key(-2, "dorian")))]))
    return Piece(
        id="a piece",
        title=draw(st.sampled_from(["", "Títle"])),
        composer="",
        kind=draw(st.sampled_from(["", "reel"])),
        source="book#1",
        transcriber="",
        metres=draw(st.sampled_from([((0, Metre(4, 4)),), ((0, Metre(6, 8)), (72, Metre(2, 4)))])),
        pickup=draw(st.sampled_from([0, 24])),
        signature=1,
        keys=keys,
        tempi=draw(st.sampled_from([(), ((0, 120.5),)])),
        lines=lines,
    )


@settings(max_examples=100, deadline=None)
@given(pieces())
def test_a_line_is_read_as_it_was_written(piece):
    text = piece.text()
    assert "\n" not in text
    assert Piece.parse(text) == piece


@settings(max_examples=100, deadline=None)
@given(pieces(unit=6), st.sampled_from([4, 8, 12, 24]))
def test_the_short_way_to_a_roll_gives_what_encoding_the_score_gives(piece, grid):
    short = piece._exact_roll(grid)
    assert short is not None
    encoded = encode(piece.score(), grid)
    assert not encoded.moved
    assert np.array_equal(short.symbols, encoded.roll.symbols)
    for name in ("steps_per_quarter", "metres", "pickup", "keys", "tempi", "fermatas", "names", "title", "composer"):
        assert getattr(short, name) == getattr(encoded.roll, name), name


@settings(max_examples=50, deadline=None)
@given(pieces())
def test_what_is_off_the_grid_is_encoded_like_any_score(piece):
    assert np.array_equal(piece.roll(8).symbols, encode(piece.score(), 8).roll.symbols)


def test_repeats_are_played_and_ties_merged_in_the_order_of_playing():
    line = '{"id": "x", "source": "y", "metres": [[0, "2/4"]], "signature": 0, "keys": [], "order": "1-2 1 3", '
    piece = Piece.parse(line + '"voices": {"Melody": "60:24 62:24~ | 62:24 r:24 | 62:48^"}}')
    notes = piece.score().voices[0].notes
    assert [(note.onset * 24, note.duration * 24, note.pitch, note.fermata) for note in notes] == [
        (0, 24, 60, False),
        (24, 48, 62, False),
        (96, 24, 60, False),
        (120, 72, 62, True),
    ]
    assert '"order": "1-2 1 3"' in piece.text()


@pytest.mark.parametrize("grid", [4, 12])
def test_rests_at_the_end_count(grid):
    line = '{"id": "x", "source": "y", "metres": [[0, "2/4"]], "signature": 0, "keys": [], '
    roll = Piece.parse(line + '"voices": {"A": "60:24 r:24", "B": "48:24"}}').roll(grid)
    assert roll.steps == 2 * grid
    assert roll.sounding()[grid:].tolist() == [[REST, REST]] * grid

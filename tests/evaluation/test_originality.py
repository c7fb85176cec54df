from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.corpora import open_corpus
from musegen.errors import MusegenError
from musegen.evaluation.originality import RUN, Index, Rates, own_rates
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.transposition import transposed
from tests.toys import ROLLS


def melody(seed: int, notes: int, quarter: int = 4) -> Roll:
    """A random tune of quarters and eighths, from F3 on."""
    generator = np.random.default_rng(seed)
    lengths = generator.choice([quarter // 2, quarter], notes)
    symbols = np.full(lengths.sum(), HOLD, np.uint8)
    symbols[np.cumsum(lengths) - lengths] = generator.integers(53, 80, notes)
    return Roll(symbols[:, None], quarter)


TUNES = [melody(seed, 60) for seed in range(30)]
NAMES = [f"tune-{seed}" for seed in range(30)]


@pytest.fixture(scope="module")
def index():
    return Index.of(TUNES, NAMES)


def spliced(*parts: np.ndarray) -> Roll:
    return Roll(np.concatenate(parts).astype(np.uint8), 4)


def test_a_transposed_passage_is_found_with_piece_and_bars(index):
    strange = melody(99, 40).symbols[:64]
    there = transposed(TUNES[17], 5).symbols
    begins = np.flatnonzero(there[:, 0] < REST)
    start = next(int(step) for step in begins if step >= 32 and step % 4 == 0)
    passage = there[start : start + 64]
    line = index.copied(spliced(strange, passage, strange)).voices[0]
    run = line.longest
    assert (run.piece, run.voice, run.piece_voice) == ("tune-17", 1, 1)
    assert line.nearest == "tune-17"
    notes = int((passage < REST).sum())
    # The last note of the passage is found too: its length, which goes on, is not compared.
    assert notes <= run.notes <= notes + 2
    last = int(np.flatnonzero(passage[:, 0] < REST)[-1])
    assert run.bars == (5, 5 + last // 16)
    assert run.piece_bars == (1 + start // 16, 1 + (start + last) // 16)
    assert line.nearest_notes == run.notes == line.inside
    assert line.notes == notes + 2 * int((strange < REST).sum())


def test_a_random_piece_is_not_found(index):
    found = index.copied(melody(1234, 80))
    assert (found.copied, found.voices[0].inside, found.longest, found.voices[0].nearest) == (0, 0, None, None)
    assert found.windows > 10


def test_a_copy_at_another_tempo_is_found_by_its_notes_but_not_by_its_bars(index):
    twice = np.full((2 * TUNES[3].steps, 1), HOLD, np.uint8)
    twice[::2] = TUNES[3].symbols
    found = index.copied(Roll(twice, 4))
    assert found.voices[0].inside == found.voices[0].notes == found.longest.notes == 60
    assert found.longest.piece == "tune-3"
    assert found.copied < found.windows / 10


def test_whole_pieces_are_wholly_copied_in_any_key():
    chorales = ROLLS["chorales"]
    index = Index.of(chorales, [str(number) for number in range(12)])
    for number, roll in enumerate(chorales):
        found = index.copied(transposed(roll, 3))
        assert found.copied == found.windows > 0
        longest = [line for line in found.voices if line.notes >= RUN]
        assert all(line.inside == line.notes == line.longest.notes for line in longest)
        assert {line.longest.piece for line in longest} <= {str(number)}
        assert [line.longest.voice for line in longest] == [line.longest.piece_voice for line in longest]


def test_where_notes_begin_counts_unless_it_is_left_out():
    held = np.full((16, 1), HOLD, np.uint8)
    held[0] = 60
    again = held.copy()
    again[8] = 60
    rolls = [Roll(held), Roll(again)]
    assert Index.of(rolls[:1], ["held"]).copied(rolls[1]).copied == 0
    assert Index.of(rolls[:1], ["held"], onsets=False).copied(rolls[1]).copied == 1


def test_windows_begin_on_quarters_of_the_bar_and_silent_ones_do_not_count():
    pickup = np.concatenate([np.full((2, 1), REST, np.uint8), TUNES[0].symbols])
    found = Index.of(TUNES, NAMES).copied(Roll(pickup, 4, pickup=2))
    assert found.copied == found.windows == Index.of(TUNES, NAMES).copied(TUNES[0]).windows
    silence = Roll(np.full((64, 1), REST, np.uint8), 4)
    assert Index.of(TUNES, NAMES).copied(silence).windows == 0


def longest_by_hand(piece: Roll, corpus: list[Roll]) -> int:
    """The same by comparing everything with everything."""

    def line(roll: Roll) -> list[tuple[int, int]]:
        return [(int(step), int(roll.symbols[step, 0])) for step in np.flatnonzero(roll.symbols[:, 0] < REST)]

    def same(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> bool:
        scale = (a[1][0] - a[0][0]) / (b[1][0] - b[0][0])
        return all(
            p - a[0][1] == q - b[0][1] and abs((s - a[0][0]) - scale * (t - b[0][0])) < 1e-9
            for (s, p), (t, q) in zip(a, b, strict=True)
        )

    mine, best = line(piece), 0
    for other in map(line, corpus):
        for i in range(len(mine)):
            for j in range(len(other)):
                while (n := max(best + 1, RUN)) <= min(len(mine) - i, len(other) - j):
                    if not same(mine[i : i + n], other[j : j + n]):
                        break
                    best = n
    return best


def roll_of(notes: list[tuple[int, int]]) -> Roll:
    """A melody of (pitch, steps)."""
    symbols = [symbol for pitch, steps in notes for symbol in (pitch, *[HOLD] * (steps - 1))]
    return Roll(np.array(symbols, np.uint8)[:, None])


NOTES = st.lists(st.tuples(st.sampled_from([60, 62, 64]), st.sampled_from([1, 2])), min_size=8, max_size=30)
PATCHES = st.lists(
    st.tuples(st.integers(0, 50), st.integers(2, 25), st.sampled_from([0, 5]), st.sampled_from([1, 2]), st.booleans()),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NOTES, min_size=1, max_size=3), PATCHES)
def test_the_longest_run_is_what_comparing_everything_finds(corpus, patches):
    rolls = [roll_of(notes) for notes in corpus]
    everything = [note for notes in corpus for note in notes]
    piece = []
    for start, count, up, slower, odd in patches:  # a passage, perhaps over the end of a tune
        passage = [(pitch + up, steps * slower) for pitch, steps in everything[start : start + count]]
        if odd and passage:
            pitch, steps = passage[len(passage) // 2]
            passage[len(passage) // 2] = (pitch, 3 - steps) if steps < 3 else (pitch + 1, steps)
        piece += passage
    query = roll_of(piece or [(60, 1)])
    found = Index.of(rolls, [str(i) for i in range(len(rolls))]).copied(query).voices[0]
    assert (found.longest.notes if found.longest else 0) == longest_by_hand(query, rolls)
    assert 0 <= found.inside <= found.notes
    assert (found.inside > 0) == (found.longest is not None)
    assert found.nearest_notes <= found.inside


def line(*pitches: int) -> Roll:
    """A melody in quarters."""
    return roll_of([(pitch, 1) for pitch in pitches])


RANDOM = [int(pitch) for pitch in np.random.default_rng(7).integers(40, 90, 40)]


def test_a_run_that_begins_inside_another_is_followed_to_its_end():
    index = Index.of([line(*RANDOM[:10]), line(*RANDOM[2:18])], ["short", "long"])
    found = index.copied(line(*RANDOM[:30])).voices[0]
    assert (found.longest.notes, found.longest.piece, found.nearest, found.nearest_notes) == (16, "long", "long", 16)
    assert found.inside == 18


def test_runs_that_do_not_touch_are_not_joined():
    index = Index.of([line(*RANDOM[:9])], ["tune"])
    found = index.copied(line(*RANDOM[:8], 33, *RANDOM[1:9])).voices[0]
    assert (found.longest.notes, found.inside) == (8, 16)


def test_the_end_of_a_tune_and_the_beginning_of_the_next_are_no_run():
    late = Roll(np.concatenate([np.full((20, 1), REST, np.uint8), line(*RANDOM[6:12]).symbols]))
    index = Index.of([line(*RANDOM[:6]), late], ["first", "second"])
    both = np.concatenate([line(*RANDOM[:6]).symbols, late.symbols[6:]])
    assert index.copied(Roll(both)).longest is None


def test_the_rates_of_held_out_pieces(corpora):
    corpus = open_corpus(corpora["tunes"])
    train = corpus.split("train")
    index = Index.of([corpus.roll(i) for i in train], [corpus.ids[i] for i in train])
    rates = own_rates(corpus, index)
    assert rates == Rates.of([index.copied(corpus.roll(i)) for i in corpus.split("test")])
    assert rates.pieces == 2
    own = Rates.of([index.copied(corpus.roll(i)) for i in train])
    assert (own.copied_bars, own.pieces) == (1.0, 8)
    assert own.top_inside == own.inside > rates.inside


def test_what_was_found_is_plain_data(index):
    found = index.copied(TUNES[5])
    data = json.loads(json.dumps(found.as_dict()))
    assert data["voices"][0]["longest"]["piece"] == "tune-5"
    assert data["copied"] == found.copied


def test_pieces_of_another_shape_are_refused(index):
    with pytest.raises(MusegenError, match="1 voices at 4 steps per quarter, this piece has 4 at 4"):
        index.copied(ROLLS["chorales"][0])
    with pytest.raises(MusegenError, match="cannot be searched together"):
        Index.of([TUNES[0], replace(TUNES[1], steps_per_quarter=8)], NAMES[:2])
    with pytest.raises(MusegenError, match="no pieces"):
        Index.of([], [])

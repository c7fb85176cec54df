"""What is kept of a piece comes back bit for bit, and what is opened is what was asked for."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from musegen.checkpoints import load_checkpoint
from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.representation.grid import decode, encode
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import Template
from musegen.reworking import continuing, fit, harmonizing, infilling, span, varying, voices_of
from musegen.score import Metre, Score, Voice
from tests.strategies import scores
from tests.toys import ROLLS

HOW = Sampling(3)


def holes(roll, data):
    """Openings at random, in runs."""
    size = data.draw(st.integers(1, 5))
    seed = data.draw(st.integers(0, 2**32 - 1))
    short = np.random.default_rng(seed).random((-(-roll.steps // size), roll.voices)) < 0.5
    return np.repeat(short, size, axis=0)[: roll.steps]


def refill(template, generator):
    """Any symbols that the template's open cells may take, silence never held."""
    symbols = template.roll.symbols.copy()
    for voice in range(symbols.shape[1]):
        sounds = False
        for step in np.arange(len(symbols)):
            if template.open[step, voice]:
                may = np.ones(130, bool) if template.allowed is None else template.allowed[step, voice].copy()
                may[HOLD] &= sounds
                common = [each for each in (60, 62, REST, HOLD, HOLD) if may[each]]
                symbols[step, voice] = generator.choice(common)
            sounds = symbols[step, voice] != REST
    return template.roll.with_symbols(symbols)


@settings(max_examples=40, deadline=None)
@given(scores(max_bars=3), st.data())
def test_notes_that_reach_into_a_hole_or_stop_at_it_are_what_they_were(score, data):
    roll = encode(score).roll
    is_open = holes(roll, data)
    try:
        template = Template.hole(roll, is_open)
    except MusegenError as error:
        assert "every note reaches out of the passage" in str(error)
        assume(False)
    assert not (template.open & ~is_open).any()
    assert np.array_equal(template.roll.symbols[~template.open], roll.symbols[~template.open])
    assert (template.roll.symbols[template.open] == REST).all(), "no answer leaks"
    answer = refill(template, np.random.default_rng(data.draw(st.integers(0, 999))))
    came = decode(answer)
    grid = roll.steps_per_quarter
    for voice, (was, now) in enumerate(zip(decode(roll).voices, came.voices, strict=True)):
        kept = {(note.onset, note.duration, note.pitch) for note in now.notes}
        for note in was.notes:
            first, end = int(note.onset * grid), int(note.end * grid)
            inside = is_open[first:end, voice]
            assert template.open[first:end, voice].all() == inside.all()
            if not inside.all():
                assert not template.open[first:end, voice].any()
                assert (note.onset, note.duration, note.pitch) in kept


PIECE = Roll(  # a pickup of a quarter, then bars of 3/4, 2/4 and 6/8, on eighths
    np.full((2 + 6 + 4 + 6 + 6, 2), 60, np.uint8), 2, ((0, Metre(3, 4)), (8, Metre(2, 4)), (12, Metre(6, 8))), 2,
    names=("Soprano", "Bass"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", (0, 2)),
        ("1", (2, 8)),
        ("1-2", (2, 12)),
        ("3-4", (12, 24)),
        ("0-4", (0, 24)),
        ("1:2-1:2", (4, 6)),
        ("1:2", (4, 6)),
        ("1:2-2", (4, 12)),
        ("1-2:1", (2, 10)),
        ("3:2", (15, 18)),
        ("3:1-4:1", (12, 21)),
        ("0:3-1:1", (0, 4)),
        ("1:1.5-1:2", (3, 6)),
        ("1:3+1/2", (7, 8)),
    ],
)
def test_places(text, expected):
    assert span(PIECE, text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5", r"--bars 5: there is no bar 5\. Choose from 0 to 4"),
        ("1-9", r"there is no bar 9"),
        ("3-2", r"ends before it begins\. Write the earlier bar first"),
        ("2:2-2:1", r"ends before it begins"),
        ("1:4", r"bar 1 has no beat 4"),
        ("3:3", r"bar 3 has no beat 3"),
        ("1-2:9", r"bar 2 has no beat 9"),
        ("0:1", r"bar 0 has no beat 1\. Its beats go from 3"),
        ("x", r"--bars x names no passage"),
        ("1:", r"names no passage"),
        ("1:2:3", r"names no passage"),
        ("1--2", r"names no passage"),
        ("-1", r"names no passage"),
        ("", r"names no passage"),
        ("1:1/0", r"names no passage"),
        ("1:1.25", r"beat 1\+1/4 lies between two"),
    ],
)
def test_what_is_no_place_is_refused(text, why):
    with pytest.raises(MusegenError, match=why):
        span(PIECE, text)


def test_a_passage_of_some_voices_is_opened():
    template = infilling(PIECE, "1, 3:2-4", [1])
    assert not template.open[:, 0].any()
    assert np.flatnonzero(template.open[:, 1]).tolist() == [*range(2, 8), *range(15, 24)]
    with pytest.raises(MusegenError, match="the passage is the whole piece"):
        infilling(PIECE, "0-4", [0, 1])
    held = PIECE.with_symbols(np.where(np.arange(24)[:, None] == 0, 60, HOLD).repeat(2, axis=1).astype(np.uint8))
    with pytest.raises(MusegenError, match="every note reaches out of the passage"):
        infilling(held, "2", [0, 1])


def test_voices_by_name_and_number():
    assert voices_of(None, PIECE, "--voices") == [0, 1]
    assert voices_of("bass, 1,Bass", PIECE, "--voices") == [0, 1]
    with pytest.raises(
        MusegenError, match=r"--voices: there is no voice 'viola'. Choose from soprano, bass, or 1 to 2"
    ):
        voices_of("viola", PIECE, "--voices")


@settings(max_examples=25, deadline=None)
@given(scores(max_bars=4), st.floats(0, 1), st.integers(0, 99))
def test_about_as_much_is_varied_as_was_asked(score, amount, seed):
    roll = encode(score).roll
    template = varying(roll, amount, Sampling(seed), 1, range(roll.voices))
    share, longest = template.open.mean(), 0
    for voice in range(roll.voices):
        begins = np.flatnonzero(roll.symbols[:, voice] != HOLD)
        longest = max(longest, int(np.diff(begins, append=roll.steps).max(initial=0)))
    assert np.array_equal(template.roll.symbols[~template.open], roll.symbols[~template.open])
    if amount == 0:
        assert share == 0
    if amount == 1:
        assert share == 1
    # Whole runs are opened; the last to be taken goes over by half of itself at most.
    assert share <= amount + 0.5
    again = varying(roll, amount, Sampling(seed), 1, range(roll.voices))
    assert np.array_equal(template.open, again.open)


def test_varying_comes_near_the_amount_and_each_number_differs():
    roll = ROLLS["chorales"][0]
    for amount in (0.2, 0.5, 0.8):
        shares = [varying(roll, amount, HOW, number, range(4)).open.mean() for number in range(30)]
        assert abs(np.mean(shares) - amount) < 0.06
    openings = {varying(roll, 0.5, HOW, number, range(4)).open.tobytes() for number in range(10)}
    assert len(openings) == 10
    some = varying(roll, 1, HOW, 1, [1, 2])
    assert some.open[:, 1:3].all() and not some.open[:, [0, 3]].any()


@pytest.fixture
def tunes(trained):
    return load_checkpoint(trained("lstm", "tunes"))


@pytest.fixture
def chorales(trained):
    return load_checkpoint(trained("lstm"))


@pytest.mark.parametrize("number", range(8))
def test_a_prompt_is_continued_to_the_bars_that_were_asked_for(tunes, number):
    prompt = ROLLS["tunes"][number]
    template = continuing(tunes, prompt, HOW, 1, 9)
    assert np.array_equal(template.roll.symbols[: prompt.steps], prompt.symbols)
    assert np.array_equal(np.flatnonzero(template.open[:, 0]), np.arange(prompt.steps, template.roll.steps))
    assert template.roll.bar_starts()[-1][0] == 9
    if template.allowed is not None:
        assert not template.allowed[prompt.steps, 0, HOLD], "the last note is not lengthened"
    last = template.roll.steps - template.roll.bar_starts()[-1][1]
    bar = prompt.steps_of(prompt.metres[-1][1])
    assert last in (bar, bar - prompt.pickup)


def test_a_prompt_without_a_length_becomes_as_long_as_pieces_of_its_kind(tunes):
    prompt = ROLLS["tunes"][0].until(30)
    longer = {plan.bars for plan, _ in tunes.plans if plan.bars >= 3 and plan.metre == prompt.metres[0][1]}
    drawn = {continuing(tunes, prompt, HOW, number, None).roll.bar_starts()[-1][0] for number in range(20)}
    assert drawn and drawn <= longer | {9}
    odd = replace(prompt, metres=((0, Metre(5, 4)),))
    assert continuing(tunes, odd, HOW, 1, None).roll.bar_starts()[-1][0] == odd.bar_starts()[-1][0] + 8


def test_a_prompt_that_is_as_long_already_is_refused(tunes):
    prompt = ROLLS["tunes"][0]
    bars = prompt.bar_starts()[-1][0]
    with pytest.raises(MusegenError, match=f"the prompt has {bars} bars already, and the whole piece was to have 1"):
        continuing(tunes, prompt, HOW, 1, 1)


def test_a_prompt_that_is_a_pickup_only_is_continued(tunes):
    prompt = Roll(np.array([[62], [HOLD], [64], [HOLD]] * 3, np.uint8), 12, pickup=12)
    template = continuing(tunes, prompt, HOW, 1, 2)
    assert template.roll.pickup == 12
    assert template.roll.steps - 12 in (2 * 48, 2 * 48 - 12)
    assert np.array_equal(template.roll.symbols[:12], prompt.symbols)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("given_voices", [[0], [3], [3, 0], [1, 2]])
def test_given_voices_are_those_of_the_model(chorales, number, given_voices):
    roll = ROLLS["chorales"][number]
    score = decode(roll)
    alone = replace(score, voices=tuple(score.voices[voice] for voice in sorted(given_voices)))
    for piece in (score, alone):  # among all voices, and alone
        template, moved = harmonizing(chorales, piece, given_voices, "it")
        assert moved == ""
        for voice in range(4):
            column = template.roll.symbols[:, voice]
            if voice in given_voices:
                assert np.array_equal(column, roll.symbols[:, voice]) and not template.open[:, voice].any()
            else:
                assert (column == REST).all() and template.open[:, voice].all()
        assert template.roll.names == chorales.names and template.roll.keys


def test_what_cannot_be_harmonized(chorales, tunes):
    score = decode(ROLLS["chorales"][0])
    with pytest.raises(MusegenError, match="writes one voice and can add none"):
        harmonizing(tunes, score, [0], "it")
    with pytest.raises(MusegenError, match="all voices are given"):
        harmonizing(chorales, score, [0, 1, 2, 3], "it")
    with pytest.raises(MusegenError, match="it: 1 voice, 2 given"):
        harmonizing(chorales, replace(score, voices=score.voices[:1]), [0, 3], "it")
    with pytest.raises(MusegenError, match="it: 0 voices, 1 given"):
        harmonizing(chorales, Score((Voice(()),), duration=Fraction(4)), [0], "it")


def test_a_piece_must_have_the_voices_of_the_model(chorales, tunes):
    score = decode(ROLLS["chorales"][0])
    with pytest.raises(MusegenError, match=r"it: .*musegen harmonize"):
        fit(chorales, replace(score, voices=score.voices[:2]), "it")
    with pytest.raises(MusegenError, match="it: "):
        fit(tunes, score, "it")
    with pytest.raises(MusegenError, match="no notes"):
        fit(tunes, Score((Voice(()),), duration=Fraction(4)), "it")


def test_a_piece_without_a_key_is_given_the_likeliest(tunes):
    roll = replace(ROLLS["tunes"][0], keys=())
    given_piece = fit(tunes, decode(roll), "it")
    assert given_piece.moved == "" and len(given_piece.roll.keys) == 1
    assert np.array_equal(given_piece.roll.symbols, roll.symbols)

"""Left-to-right models keep to what is asked of them, whatever it is, and never get stuck."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musegen.errors import MusegenError
from musegen.models.base import Sampling
from musegen.representation.roll import HOLD, REST, Roll
from musegen.representation.template import Copy, Template, violations
from musegen.score import Metre
from tests.models.tiny import GRID, METRES, RANGES, composer
from tests.templates import random_answered, with_copies

LEFT_TO_RIGHT = ("lstm", "feedforward", "vae")
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed, voices, least, most, count):
    """Templates that have answers, and the answers."""
    generator, grid = np.random.default_rng(seed), GRID[voices]
    return [
        random_answered(
            generator, grid * int(generator.integers(least, most)), RANGES[voices], METRES[generator.integers(2)], grid
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
@settings(max_examples=6, deadline=None)
@given(SEEDS, st.integers(1, 3), st.sampled_from((1, 1, 3)))
def test_whatever_has_an_answer_is_answered(name, seed, voices, particles):
    templates = [template for template, _ in drawn(seed, voices, 1, 9, 4)]
    how = Sampling(seed % 1000, particles=particles)
    for template, filling in zip(templates, composer(name, voices).fill(templates, how, [1, 2, 3, 4]), strict=True):
        assert violations(template, filling.roll) == []
        silent = (filling.roll.symbols == HOLD) & (filling.roll.sounding() == REST)
        assert not silent.any()


@pytest.mark.parametrize("how", [Sampling(1, 0.0), Sampling(1, top_k=1), Sampling(1, top_p=0.3)], ids=str)
def test_however_symbols_are_drawn(how):
    templates = [template for seed in range(4) for template, _ in drawn(seed, 2, 4, 12, 3)]
    for template, filling in zip(
        templates, composer("lstm", 2).fill(templates, how, range(len(templates))), strict=True
    ):
        assert violations(template, filling.roll) == []


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(1, 3), st.sampled_from((1, 4)))
def test_passages_that_come_again_are_the_same(seed, voices, particles):
    template, answer = drawn(seed, voices, 8, 16, 1)[0]
    template, answer = with_copies(np.random.default_rng(seed), template, answer)
    assert violations(template, answer) == []
    try:
        (filling,) = composer("lstm", voices).fill([template], Sampling(3, particles=particles), [1])
    except MusegenError as error:  # what a passage does to the rules where it comes again is known too late
        assert template.rules and "could not be met together" in str(error)
        return
    assert violations(template, filling.roll) == []


@pytest.mark.parametrize("particles", [1, 5])
def test_a_form_and_nothing_else_is_always_met(particles):
    blank = Template.blank(8, voices=2, steps_per_quarter=1)
    copies = (Copy(0, 8, 8), Copy(0, 24, 8))
    allowed = np.ones((32, 2, 130), bool)
    allowed[[0, 8, 16, 24], :, HOLD] = False
    template = Template(blank.roll, blank.open, allowed, copies=copies)
    numbers = range(1, 13)
    found = composer("lstm", 2).fill([template] * 12, Sampling(2, particles=particles), numbers)
    assert [violations(template, filling.roll) for filling in found] == [[]] * 12
    assert len({filling.roll.symbols.tobytes() for filling in found}) > 6


@pytest.mark.parametrize("copy", [Copy(0, 2, 2), Copy(0, 4, 5), Copy(4, 0, 2)])
def test_a_copy_that_a_slice_could_straddle_is_a_mistake_of_ours(copy):
    blank = Template.blank(3, steps_per_quarter=1)
    with pytest.raises(ValueError, match="does not repeat whole bars"):
        composer("lstm", 1).fill([Template(blank.roll, blank.open, copies=(copy,))], Sampling(1), [1])


def test_what_cannot_be_completed_is_refused_by_bar_and_voice():
    blank = Template.blank(2, voices=2, steps_per_quarter=1, names=("Soprano", "Alto"))
    allowed = np.ones((8, 2, 130), bool)
    allowed[5, 1] = False
    allowed[5, 1, 100] = True  # the model has no such pitch
    with pytest.raises(MusegenError, match="nothing that is left to the alto fits bar 2"):
        composer("lstm", 2).fill([Template(blank.roll, blank.open, allowed)], Sampling(1), [1])


def test_a_fixed_pitch_without_a_class_is_refused():
    roll = Roll(np.array([[100], [REST]], np.uint8), 1, ((0, Metre(4, 4)),))
    with pytest.raises(MusegenError, match="pitch 100 lies outside this model's 55 to 68"):
        composer("lstm", 1).fill([Template(roll, np.array([[False], [True]]))], Sampling(1), [1])

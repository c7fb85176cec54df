"""A look ahead by particles: exact in what it forces, the same however it is batched, and worth it."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from musegen.models.base import Sampling
from musegen.models.numpy_layers import pick
from musegen.models.particles import UNDER
from musegen.models.slice_composer import Run
from musegen.models.slice_limits import Limits
from musegen.representation.roll import HOLD, REST
from musegen.representation.template import Template, violations
from tests.models.tiny import GRID, METRES, RANGES, composer
from tests.templates import random_answered

LEFT_TO_RIGHT = ("lstm", "feedforward", "vae")


def templates_of(voices, count=5):
    generator, grid = np.random.default_rng(7), GRID[voices]
    return [
        random_answered(generator, grid * (3 + 2 * i), RANGES[voices], METRES[i % 2], grid)[0] for i in range(count)
    ]


def forced(model, template, how, piece):
    """Left to right, every fixed cell forced: a plain loop."""
    order = model.voices.order
    run = Run(model, [template], model.start(how, [piece]), Limits([template], 1, model.vocabulary, order))
    chances = how.generator(piece).random((template.roll.steps, len(order) + 1))
    cooler = replace(how, temperature=UNDER * how.temperature)
    turn = 0
    while len(run.active):

        def choose(column, _logits, allowed, turn=turn):
            other = 0 < column < len(order)
            return pick(allowed, cooler if other else how, chances[turn : turn + 1, column])

        run.advance(choose)
        turn += 1
    return run.filling(0)


@pytest.mark.parametrize("how", [Sampling(3, particles=1), Sampling(3, 0.7, 3, 0.9, particles=1)], ids=["plain", "top"])
@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_one_particle_is_forced_left_to_right(name, how):
    templates, model = templates_of(2), composer(name, 2)
    for number, filling in enumerate(model.fill(templates, how, range(5))):
        expected = forced(model, templates[number], how, number)
        assert np.array_equal(filling.roll.symbols, expected.roll.symbols)
        assert filling.nats == pytest.approx(expected.nats, abs=1e-9)


@pytest.mark.parametrize("particles", [2, 5])
@pytest.mark.parametrize("name", LEFT_TO_RIGHT)
def test_a_piece_is_the_same_however_it_is_batched(name, particles):
    templates, how = templates_of(2), Sampling(11, particles=particles)
    templates.insert(2, Template.blank(2, voices=2, steps_per_quarter=1))  # asks for nothing, among others
    model, numbers = composer(name, 2), (4, 9, 2, 7, 1, 3)
    together = model.fill(templates, how, numbers)
    backwards = model.fill(templates[::-1], how, numbers[::-1])[::-1]
    alone = [model.fill([one], how, [number])[0] for one, number in zip(templates, numbers, strict=True)]
    for one, *others in zip(together, backwards, alone, strict=True):
        for other in others:
            assert np.array_equal(one.roll.symbols, other.roll.symbols)
            assert one.nats == pytest.approx(other.nats, abs=1e-9)


def test_seed_and_number_decide():
    template, model = templates_of(3)[4], composer("lstm", 3)

    def fill(seed, number):
        return model.fill([template], Sampling(seed, particles=4), [number])[0].roll.symbols.tobytes()

    assert fill(1, 1) == fill(1, 1)
    assert len({fill(1, 1), fill(2, 1), fill(1, 2)}) == 3


@pytest.mark.parametrize("particles", [1, 6])
@pytest.mark.parametrize("name", ["lstm", "feedforward"])
def test_nats_are_those_of_the_whole_piece(name, particles):
    model = composer(name, 3)
    found = model.fill(templates_of(3), Sampling(2, particles=particles), range(5))
    for filling, told in zip(found, model.surprise([filling.roll for filling in found]), strict=True):
        assert filling.nats == pytest.approx(told.nats.sum(), abs=1e-8)


def test_the_likeliest_needs_no_particles():
    templates, model = templates_of(2), composer("lstm", 2)
    one, many = (model.fill(templates, Sampling(1, 0.0, particles=count), range(5)) for count in (1, 8))
    assert all(np.array_equal(a.roll.symbols, b.roll.symbols) for a, b in zip(one, many, strict=True))


def test_more_particles_lead_to_likelier_pieces():
    model, templates = composer("lstm", 1, 0.6), []
    for seed in range(20):
        roll = model.fill([Template.blank(4, steps_per_quarter=1)], Sampling(seed), [1])[0].roll
        is_open = np.zeros(roll.symbols.shape, bool)
        is_open[4:12] = True
        templates.append(Template.hole(roll, is_open))
    means = []
    for count in (1, 4, 32):
        found = model.fill(templates, Sampling(5, particles=count), range(len(templates)))
        assert all(not violations(*each) for each in zip(templates, (one.roll for one in found), strict=True))
        means.append(-np.mean([filling.nats for filling in found]))
    assert means[0] + 5 < means[1] < means[2]


def test_with_many_particles_a_filling_is_drawn_as_if_the_model_had_known():
    model = composer("lstm", 1, 0.18)
    roll = model.fill([Template.blank(2, steps_per_quarter=1)], Sampling(5), [1])[0].roll
    template = Template.hole(roll, (np.arange(8) // 2 == 1)[:, None])
    assert template.open.sum() == 2
    answers = []
    for cells in product((*range(60, 64), REST, HOLD), repeat=2):
        symbols = template.roll.symbols.copy()
        symbols[template.open] = cells
        answer = roll.with_symbols(symbols)
        silent = (symbols == HOLD) & (answer.sounding() == REST)
        if not silent.any() and not violations(template, answer):
            answers.append(answer)
    likely = np.exp([-told.nats.sum() for told in model.surprise(answers)])
    index = {answer.symbols.tobytes(): i for i, answer in enumerate(answers)}
    apart = []
    for particles in (1, 64):
        found = model.fill([template] * 100, Sampling(1, particles=particles), range(100))
        counts = np.bincount([index[each.roll.symbols.tobytes()] for each in found], minlength=len(answers))
        apart.append(np.abs(counts / 100 - likely / likely.sum()).sum() / 2)
    assert apart[0] > 0.4
    assert apart[1] < 0.1


@pytest.mark.parametrize("temperature", [1e-300, 1e-3])
def test_next_to_temperature_0_what_is_forced_is_still_written(temperature):
    templates = templates_of(3, 3)
    fillings = composer("lstm", 3).fill(templates, Sampling(1, temperature, particles=3), [1, 2, 3])
    found = [violations(template, filling.roll) for template, filling in zip(templates, fillings, strict=True)]
    assert found == [[], [], []]

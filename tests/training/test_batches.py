from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

from musegen.models.base import Example
from musegen.models.network import Noise
from musegen.training.batches import Batch, measuring_batches, training_batches


def examples(count=23):
    generator = np.random.default_rng(1)
    return [
        Example({"number": np.array([i])}, i + 1, int(generator.integers(5, 50)), range(-(i % 4), 1 + i % 3))
        for i in range(count)
    ]


def numbers(batch: Batch) -> list[int]:
    return [int(example.arrays["number"][0]) for example in batch.examples]


def test_an_epoch_has_every_piece_once_in_a_key_that_suits_it():
    every = examples()
    batches = training_batches(every, 5, seed=3, epoch=2)
    assert sorted(n for batch in batches for n in numbers(batch)) == list(range(23))
    assert sorted(len(batch.examples) for batch in batches) == [3, 5, 5, 5, 5]
    assert all(shift in example.room for b in batches for example, shift in zip(b.examples, b.shifts, strict=True))
    assert sum(batch.cells for batch in batches) == sum(range(1, 24))


def test_seed_and_epoch_decide_the_order_and_the_keys():
    def told(seed, epoch):
        return [(numbers(batch), batch.shifts) for batch in training_batches(examples(), 5, seed, epoch)]

    assert told(1, 0) == told(1, 0)
    assert len({str(told(seed, epoch)) for seed in (1, 2) for epoch in (0, 1)}) == 4


def test_over_many_epochs_a_piece_is_heard_in_all_its_keys():
    heard = Counter(
        shift
        for epoch in range(60)
        for batch in training_batches(examples(), 5, 1, epoch)
        for n, shift in zip(numbers(batch), batch.shifts, strict=True)
        if n == 11  # may move by -3 to 2
    )
    assert set(heard) == set(range(-3, 3))
    assert min(heard.values()) > 2


def test_like_sizes_are_learnt_together():
    every = examples(100)
    spread = [np.ptp([e.size for e in batch.examples]) for batch in training_batches(every, 5, 1, 0)]
    assert np.mean(spread) < 12


def test_measuring_takes_every_piece_in_its_own_key():
    batches = measuring_batches(examples(), 5)
    assert sorted(n for batch in batches for n in numbers(batch)) == list(range(23))
    assert {shift for batch in batches for shift in batch.shifts} == {0}
    assert measuring_batches([], 5) == []


@pytest.mark.parametrize("world", [1, 2, 3, 7])
def test_processes_share_a_batch_without_a_gap(world):
    (batch,) = training_batches(examples(5), 5, 1, 0)
    shares = [batch.share(rank, world) for rank in range(world)]
    assert sorted(row for _, rows in shares for row in rows) == list(range(5))
    for share, rows in shares:
        assert numbers(share) == [numbers(batch)[row] for row in rows]
        assert share.shifts == tuple(batch.shifts[row] for row in rows)


def draws(rows, step=1, seed=1):
    noise = Noise(seed, step, 4, rows, torch.device("cpu"), learning=True)
    return noise.normal(3), noise.coin(5, 0.5), noise.drop(torch.ones(len(rows), 2, 50), 0.4)


def test_random_numbers_do_not_depend_on_who_computes_which_rows():
    whole, odd = draws([0, 1, 2, 3]), draws([1, 3])
    assert all(torch.equal(a[1::2], b) for a, b in zip(whole, odd, strict=True))
    for other in (draws([0, 1, 2, 3], step=2), draws([0, 1, 2, 3], seed=2)):
        assert not any(torch.equal(a, b) for a, b in zip(whole, other, strict=True))


def test_dropout_keeps_the_mean_serves_all_steps_alike_and_rests_when_measuring():
    x = torch.ones(4, 6, 4000)
    pieces = Noise(1, 1, 4, [0, 1, 2, 3], torch.device("cpu"), learning=True).drop(x, 0.3)
    assert sorted(pieces.unique().tolist()) == pytest.approx([0, 1 / 0.7])
    assert float(pieces.mean()) == pytest.approx(1, abs=0.05)
    assert torch.equal(pieces, pieces[:, :1].expand_as(pieces))
    assert not torch.equal(pieces[0], pieces[1])
    measuring = Noise(1, 1, 4, [0, 1, 2, 3], torch.device("cpu"), learning=False)
    assert torch.equal(measuring.drop(x, 0.3), x)
    assert float(measuring.coin(4000, 0.25).mean()) == pytest.approx(0.25, abs=0.03)

"""The chord head hears the same in every key."""

from __future__ import annotations

import torch

from musegen.models.chord_head import ChordHead
from tests.models.test_every_family import scatter


def test_moving_the_chord_moves_what_it_says():
    torch.manual_seed(1)
    head = scatter(ChordHead(others=3, hidden=5, tallied=24, units=7)).double()
    chord = torch.tensor([[0, 4, 12], [11, 2, 7]])  # 12 is silence, or no tonic
    left, tally, hidden = torch.tensor([3, 16]), torch.rand(2, 12, 24).double(), torch.rand(2, 5).double()
    said = head(chord, left, tally, hidden)
    moved = torch.where(chord < 12, (chord + 5) % 12, chord)
    # Tallies come as each pitch class counts them, so what they say of one is what they say of it 5 higher.
    again = head(moved, left, tally.roll(5, dims=1), hidden)
    assert torch.allclose(said.roll(5, dims=1), again)
    assert not torch.allclose(said, head(moved, left, tally, hidden))

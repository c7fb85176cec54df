"""How well each pitch class would sound with the others: a small network that sees chords the same in every key.

For every candidate pitch class the chord it would join, the chord before and the tonic are counted from the candidate
itself, and one hidden layer that all twelve share says how well it fits. Tables of pairs of voices cannot see that
three voices want a fourth; a network that sees pitches as names has to learn so in each key anew.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models import relations
from musegen.models.slices import MAX_LEFT


class ChordHead(nn.Module):
    """The chord as one voice sees it.

    Shapes (N slices, F others, R hidden units of the voice's head, D tallied numbers, U units):
        (N, F) pitch classes with the tonic last, (N,) quarters left, (N, 12, D) tallies as each pitch class counts
        them and (N, R) -> (N, 12, 2), what beginning each pitch class is worth, and what holding it is
    """

    def __init__(self, others: int, hidden: int, tallied: int, units: int) -> None:
        super().__init__()
        self.others, self.units = others, units
        self.tables = nn.Parameter(torch.randn(others, 13, units) / others**0.5)
        self.ending = nn.Parameter(torch.zeros(MAX_LEFT + 1, 13, units))  # the tonic, as the end comes near
        self.tally = nn.Parameter(torch.zeros(tallied, units))
        self.told = nn.Linear(hidden, units)
        self.worth = nn.Linear(units, 2, bias=False)
        self.register_buffer("around", torch.from_numpy(relations.AROUND), persistent=False)

    def forward(self, chord: Tensor, left: Tensor, tally: Tensor, hidden: Tensor) -> Tensor:
        """(N, 12, 2)."""
        tables = torch.cat([self.tables, self.ending])
        turned = tables[:, cast(Tensor, self.around)].reshape(-1, 12 * self.units)
        table = torch.arange(self.others, device=chord.device)
        rows = torch.cat([chord + 13 * table, (chord[:, -1] + 13 * (self.others + left))[:, None]], dim=1)
        seen = F.embedding_bag(rows, turned, mode="sum").view(len(chord), 12, self.units)
        seen = seen + tally @ self.tally + self.told(hidden)[:, None]
        return cast(Tensor, self.worth(F.relu(seen)))

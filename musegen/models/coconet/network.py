"""Coconet in torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from musegen.models.coconet.cells import Cells, candidates, dilations, from_tonic
from musegen.models.coconet.seen import BOOST, INTERVALS, MOTIONS, Seen, interval_map, motion_map, references, tables
from musegen.models.network import Batch, Network, Noise

if TYPE_CHECKING:
    from musegen.models.coconet import CoconetSettings
    from musegen.models.slices import Ints
    from musegen.models.vocabulary import Vocabulary

MEASURED = 4
"""How often each passage is shown, with ever more of it hidden, when held-out music is measured."""
EPSILON = 1e-5
"""In the norm, so that nothing is divided by zero."""
_BEYOND = 1e9
"""The number that a cell has which cannot be hidden."""


class CoconetNetwork(Network):
    """Cells, some of them hidden -> a distribution for every cell.

    Shapes (B passages, T steps, V voices, R references, W width, K classes from the tonic, P pitches among them):
        (B, T, F) rows -> (B, T, W) -> (B, T, V, K), with (B, T, V, R) pitches heard.
    """

    def __init__(self, vocabulary: Vocabulary, settings: CoconetSettings) -> None:
        super().__init__()
        v, width, heads = vocabulary, settings.width, settings.heads
        self.vocabulary, self.settings = v, settings
        self.dilations = dilations(v, settings.layers)
        self.table = nn.Parameter(0.15 * torch.randn(sum(tables(v)), width))
        self.wide = nn.ModuleList(nn.Linear(3 * width, width) for _ in self.dilations)
        self.narrow = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in self.dilations)
        for layer in self.narrow:
            nn.init.normal_(layer.weight, std=(width * len(self.dilations)) ** -0.5)  # type: ignore[arg-type]
        self.out = nn.Linear(width, heads)
        self.degree = nn.Linear(heads, v.voices * (candidates(v) + 2))
        size = v.voices * references(v) * INTERVALS
        self.interval = nn.Parameter(0.3 * torch.randn(heads, size) / heads**0.5)
        if v.voices > 1:
            self.motion = nn.Parameter(torch.zeros(v.voices, 2 * (v.voices - 1), MOTIONS, MOTIONS))
        self.held = nn.Parameter(torch.ones(v.voices))

    def forward(self, batch: Batch, noise: Noise) -> tuple[Tensor, Tensor]:
        """The loss is an estimate of the nats themselves: of the hidden cells, times all cells per hidden one."""
        v = self.vocabulary
        event, frame, apart = (batch[name].cpu().numpy() for name in ("event", "frame", "apart"))
        cells = Cells(event, frame, apart)
        there = batch["event"] != v.none
        target = torch.from_numpy(from_tonic(event, frame[..., 1:2], v)).to(there.device)
        total = torch.zeros((), device=there.device)
        shows = 1 if noise.learning else MEASURED
        for show in range(shows):
            hidden = self._regions(there, noise) if noise.learning else self._hidden(there, there, noise, show)
            seen = Seen.of(cells, hidden.cpu().numpy(), v)
            logits = self.logits(seen, noise)
            nats = F.cross_entropy(logits[hidden], target[hidden], reduction="none")
            weight = there.flatten(1).sum(1) / hidden.flatten(1).sum(1)
            total = total + (nats * weight[:, None, None].expand_as(hidden)[hidden]).sum() / shows
        return total, total.detach()

    def _uniform(self, noise: Noise, width: int) -> Tensor:
        """(rows, width) uniform in (0, 1)."""
        drawn: Tensor = torch.special.ndtr(noise.normal(width))
        return drawn

    def _hidden(self, there: Tensor, region: Tensor, noise: Noise, show: int = 0, shows: int = MEASURED) -> Tensor:
        """(B, T, V) as many cells of a region as a uniform draw says, from this part of all such draws."""
        rows, steps, voices = there.shape
        level = (show + self._uniform(noise, 1)[:, 0]) / shows
        order = self._uniform(noise, self.settings.passage * self.vocabulary.steps_per_quarter * voices)
        order = order[:, : steps * voices].masked_fill(~region.flatten(1), _BEYOND)
        count = torch.clamp((level * region.flatten(1).sum(1)).ceil().long(), min=1)
        highest = order.sort(1).values.gather(1, count[:, None] - 1)
        hidden: Tensor = (order <= highest).view(rows, steps, voices)
        return hidden

    def _regions(self, there: Tensor, noise: Noise) -> Tensor:
        """(B, T, V) cells to hide for learning.

        As in the paper in half of the rows. In the others only some voices, or some steps, or both, are hidden, all of
        their cells or some: what harmonizing and infilling ask for.
        """
        _, steps, voices = there.shape
        draws = self._uniform(noise, 5 + voices)
        some_voices, some_steps, begin, last, fully = draws[:, :5].unbind(1)
        chosen = draws[:, 5:] < 0.5
        chosen |= ~chosen.any(1, keepdim=True)
        chosen |= (some_voices < 0.6)[:, None]
        length = there.any(2).sum(1)
        now = torch.arange(steps, device=there.device)
        first, end = torch.minimum(begin, last) * length, torch.maximum(begin, last) * length + 1
        during = (now >= first[:, None].floor()) & (now <= end[:, None])
        during |= (some_steps < 0.75)[:, None]
        region = there & during[..., None] & chosen[:, None]
        region = torch.where(region.flatten(1).any(1)[:, None, None], region, there)
        all_of_it = (fully < 0.5) & (region != there).flatten(1).any(1)
        hidden = self._hidden(there, region, noise, 0, 1)
        return torch.where(all_of_it[:, None, None], region, hidden)

    def logits(self, seen: Seen, noise: Noise) -> Tensor:
        """(B, T, V, K)."""
        v, device = self.vocabulary, self.table.device
        rows = torch.from_numpy(seen.rows).to(device)
        index = self._looked_up(interval_map(v), *np.indices(seen.heard.shape[2:]), seen.heard)
        pieces, steps = rows.shape[:2]
        x = F.embedding_bag(rows.flatten(0, 1), self.table, mode="sum").view(pieces, steps, -1)
        for dilation, wide, narrow in zip(self.dilations, self.wide, self.narrow, strict=True):
            x = x + narrow(noise.drop(F.relu(wide(_around(_normed(x), dilation))), self.settings.dropout))
        hidden = noise.drop(F.relu(self.out(_normed(x))), self.settings.head_dropout)
        by_degree = self.degree(hidden).view(pieces, steps, v.voices, -1)
        apart = F.pad((hidden @ self.interval).view(*index.shape[:-1], INTERVALS), (0, 1))
        by_interval = apart.gather(-1, index).sum(-2)
        if v.voices > 1:
            by_interval = by_interval + self._by_motion(seen)
        # A hold is as good as the intervals of the pitch that it holds.
        before = torch.from_numpy(seen.before(v)).to(device)
        held = F.pad(by_interval, (0, 1)).gather(-1, before[..., None]) * self.held[:, None]
        logits: Tensor = by_degree + torch.cat([by_interval, torch.zeros_like(held), held], -1)
        return logits

    def _by_motion(self, seen: Seen) -> Tensor:
        """(B, T, V, P): what each candidate is worth by how the voices move."""
        motion = torch.from_numpy(seen.motion).to(self.table.device)
        index = self._looked_up(motion_map(self.vocabulary), seen.against, seen.own)
        table = F.pad(BOOST * self.motion, (0, 0, 0, 1))
        voice, other = torch.from_numpy(np.indices(table.shape[:2])).to(motion.device)
        return table[voice, other, motion].gather(-1, index).sum(-2)

    def _looked_up(self, table: Ints, *where: Ints) -> Tensor:
        """Rows of a map."""
        return torch.from_numpy(table[where]).to(self.table.device)


def _normed(x: Tensor) -> Tensor:
    """Each step's vector with a mean square of 1."""
    return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPSILON)


def _around(x: Tensor, dilation: int) -> Tensor:
    """(B, T, W) -> (B, T, 3W): what lies so many steps before, the step itself, what lies after; 0 beyond the ends."""
    padded = F.pad(x, (0, 0, dilation, dilation))
    steps = x.shape[1]
    return torch.cat([padded[:, at : at + steps] for at in (0, dilation, 2 * dilation)], -1)

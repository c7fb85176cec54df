"""Untrained left-to-right models of a few pitches, whose weights are large enough to have strong opinions."""

from __future__ import annotations

from functools import cache

import torch

from musegen.models import family
from musegen.models.slice_composer import SliceComposer
from musegen.models.vocabulary import Vocabulary
from musegen.score import Metre
from tests.toys import SETTINGS

METRES = ("4/4", "3/4")
RANGES = {1: ((60, 63),), 2: ((62, 65), (60, 62)), 3: ((62, 65), (60, 62), (58, 60))}
GRID = {1: 1, 2: 1, 3: 2}
"""Steps per quarter, by the number of voices."""


@cache
def composer(name: str, voices: int, scale: float = 0.4) -> SliceComposer:
    """A family's composer with random weights."""
    metres = tuple(Metre.parse(text) for text in METRES)
    vocabulary = Vocabulary(GRID[voices], RANGES[voices], metres, 4 * GRID[voices])
    kind = family(name)
    settings = kind.settings.of(SETTINGS[name])
    torch.manual_seed(1)
    network = kind.network(vocabulary, settings)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    weights = {name: parameter.detach().double().numpy() for name, parameter in network.named_parameters()}
    made = kind.composer(vocabulary, settings, weights)
    assert isinstance(made, SliceComposer)
    return made

"""The recurrent network: every slice of all voices from all slices before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from musegen.errors import MusegenError
from musegen.models.base import Arrays, Settings
from musegen.models.numpy_layers import Floats, lstm_step
from musegen.models.slice_composer import SliceComposer, State, Trunk
from musegen.models.slice_family import SliceFamily, SliceSettings
from musegen.models.vocabulary import Vocabulary

if TYPE_CHECKING:
    from musegen.models.network import Network


@dataclass(frozen=True)
class LSTMSettings(SliceSettings):
    """Settings of the recurrent family.

    Attributes:
        hidden: units of each layer.
        layers: LSTM layers, one on another; what the heads read is the sum of what all give.
    """

    hidden: int = 256
    layers: int = 2

    def check(self) -> None:
        """Refuse what cannot work."""
        super().check()
        if self.hidden <= 0 or self.layers <= 0:
            raise MusegenError("hidden and layers must be above 0")


class LSTM(SliceFamily):
    """Recursive LSTM with a look back by bars and heads that see intervals.

    The published melody networks step through sixteenths (Eck and Schmidhuber 2002; Magenta's lookback RNN 2016). Here
    a step is a slice, the span in which no voice changes; see `slices`, `features` and `recall` for what is read, and
    `relations` and `chord_head` for what the heads hear.
    """

    name = "lstm"
    title = "recursive LSTM"
    year = 2002
    paper = "Eck and Schmidhuber, Finding temporal structure in music, 2002, https://doi.org/10.1109/NNSP.2002.1030094"
    settings = LSTMSettings

    def network(self, vocabulary: Vocabulary, settings: Settings) -> Network:
        """Torch module with fresh weights."""
        from musegen.models.lstm.network import network

        assert isinstance(settings, LSTMSettings)
        return network(vocabulary, settings)

    def composer(self, vocabulary: Vocabulary, settings: Settings, weights: Arrays) -> SliceComposer:
        """Numpy twin."""
        assert isinstance(settings, LSTMSettings)
        return SliceComposer(vocabulary, weights, LSTMTrunk(weights, settings))


class LSTMTrunk(Trunk):
    """The layers, one slice at a time; the state is each layer's output and memory, (pieces, hidden)."""

    def __init__(self, weights: Arrays, settings: LSTMSettings, prefix: str = "trunk.") -> None:
        self.hidden = settings.hidden
        self.layers = []
        for i in range(settings.layers):
            name = f"{prefix}layers.{i}."
            joined = np.concatenate([weights[name + "weight_ih_l0"], weights[name + "weight_hh_l0"]], axis=1)
            bias = weights[name + "bias_ih_l0"] + weights[name + "bias_hh_l0"]
            self.layers.append((joined.T, bias))

    def start(self, pieces: int) -> State:
        """Nothing remembered."""
        return tuple(np.zeros((pieces, self.hidden)) for _ in range(2 * len(self.layers)))

    def step(self, features: Floats, state: State) -> tuple[Floats, State]:
        """(n, width) features -> (n, hidden), the sum over the layers."""
        given, total = features, np.zeros((len(features), self.hidden))
        after: list[Floats] = []
        for i, (matrix, bias) in enumerate(self.layers):
            given, memory = lstm_step(given, state[2 * i], state[2 * i + 1], matrix, bias)
            after += [given, memory]
            total += given
        return total, tuple(after)
